import { requireWhole } from "../core/arguments.js";
import type { Random } from "../numeric/random.js";
import { runInWorkers } from "../numeric/worker-pool.js";
import { codingOf, type SurveyAttributes } from "./attributes.js";
import { type DesignRules, type SurveyDesign, surveyDesign, taskRules } from "./design.js";
import { designEfficiency, designKernel, type EfficiencyOptions, priorVectors } from "./design-efficiency.js";
import { balanceVersions, type DesignSize } from "./design-tasks.js";
import type { SearchResult, SearchSetup } from "./design-worker.js";

/** How an efficient design is searched for. */
export interface DesignSearchOptions extends EfficiencyOptions, DesignRules {
  /** Source of all randomness: the same source gives the same design, whatever the number of workers. */
  readonly random: Random;
  /** Random designs that the search starts from; 10 unless given. */
  readonly starts?: number;
  /** Threads; 0, none beside this one, unless given: small designs are found before a thread has started. */
  readonly workers?: number;
  /** Told how many starts are done. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends the search early: the promise is rejected with its reason. */
  readonly signal?: AbortSignal;
}

/** A design found by search. */
export interface EfficientDesign extends SurveyDesign {
  /** D-error of the design at the priors (see `DesignEfficiency`). */
  readonly dError: number;
  /** D-error found from each start, the smallest first: if few are near it, more starts may find a better one. */
  readonly startErrors: readonly number[];
}

/**
 * A D-efficient design: the tasks that tell the coefficients of a logit model best, by coordinate exchange from several
 * starts. Without priors it is utility-neutral; with draws of priors it is Bayesian. No task has a product twice, no version
 * a task twice if there are enough, and every version shows every level if there is room. The versions together are
 * efficient; tasks are then exchanged between them until each is as balanced as it gets.
 * @throws RangeError if the size, an option or a prior is out of range or no task keeps to the rules; ConvergenceError if
 * there are too few tasks to tell the coefficients apart; the signal's reason.
 * @see Zwerina, Huber & Kuhfeld (1996), A General Method for Constructing Efficient Choice Designs; Kessels, Jones, Goos &
 * Vandebroek (2009), An Efficient Algorithm for Constructing Bayesian Optimal Choice Designs, JBES 27(2).
 */
export async function efficientDesign(
  survey: SurveyAttributes,
  size: DesignSize,
  options: DesignSearchOptions,
): Promise<EfficientDesign> {
  const { random, starts = 10, workers = 0, onProgress, signal } = options;
  requireWhole("starts", starts, 1);
  const rules = taskRules(survey, size, options);
  const coding = codingOf(survey, options);
  const priors = priorVectors(coding, options.priors);
  const results = await runInWorkers<number, SearchResult>({
    module: new URL("./design-worker.js", import.meta.url),
    exportName: "designSearchWorker",
    shared: { rules, kernel: designKernel(coding, size.alternatives, priors) } satisfies SearchSetup,
    tasks: Array.from({ length: starts }, () => random.uint32()),
    workers,
    ...(onProgress ? { onProgress } : {}),
    ...(signal ? { signal } : {}),
  });
  const sorted = results.sort((a, b) => a.dError - b.dError);
  const levels = (sorted[0] as SearchResult).levels;
  balanceVersions(rules, levels, random);
  const method = options.priors === undefined ? "D-efficient, utility-neutral" : "D-efficient";
  const design = surveyDesign(
    Array.isArray(options.priors) ? "Bayesian D-efficient" : method,
    survey,
    rules,
    levels,
  );
  const { dError } = designEfficiency(design, options);
  return Object.freeze({ ...design, dError, startErrors: sorted.map((result) => result.dError) });
}
