import { ConvergenceError, DataError } from "../core/errors.js";
import { randomSource } from "../numeric/random.js";
import { drawMultinomial } from "../numeric/sampling.js";
import { type CodingOptions, codeProfiles, NONE } from "./attributes.js";
import { choiceProbabilities, fitConditionalLogit } from "./conditional-logit.js";
import { choiceTasks, type SurveyDesign } from "./design.js";
import { range } from "./design-profiles.js";

/** What all simulated studies share. */
export interface PowerSetup {
  readonly design: SurveyDesign;
  readonly coefficients: Readonly<Record<string, number>>;
  readonly coding: CodingOptions;
}

/** Estimates of a simulated study, in the order of the coefficients; undefined if some could not be estimated. */
export type StudyResult =
  | { readonly estimates: readonly number[]; readonly standardErrors: readonly number[] }
  | undefined;

/**
 * One simulated study, as a function of its size and seed. Respondents who choose the same product in the same task are one
 * set with their number as weight, so that a study costs the same whatever their number. It runs in a worker thread (see
 * `powerBySimulation`).
 */
export function powerWorker({ design, coefficients, coding }: PowerSetup) {
  const { attributes, versions } = design;
  const tasks = choiceTasks(design);
  const products = tasks.map((task) => [...task.products, ...(attributes.none ? ([NONE] as const) : [])]);
  const size = (products[0] as readonly unknown[]).length;
  const coded = codeProfiles(attributes, products.flat(), coding);
  const set = range(tasks.length * size).map((row) => Math.floor(row / size));
  const shares = choiceProbabilities({ coefficients }, { set }, coded);
  return ({ respondents, seed }: { readonly respondents: number; readonly seed: number }): StudyResult => {
    const random = randomSource(seed);
    const sets: number[] = [];
    const chosen: number[] = [];
    const weight: number[] = [];
    const rows: number[] = [];
    for (const [place, { version }] of tasks.entries()) {
      const asked = Math.floor(respondents / versions) + Number(version <= respondents % versions);
      const from = place * size;
      for (const [k, times] of drawMultinomial(random, asked, shares.subarray(from, from + size)).entries()) {
        if (times === 0) continue;
        for (let alternative = 0; alternative < size; alternative++) {
          sets.push(from + k);
          chosen.push(Number(alternative === k));
          weight.push(times);
          rows.push(from + alternative);
        }
      }
    }
    const covariates = Object.fromEntries(
      Object.entries(coded).map(([name, column]) => [name, rows.map((row) => column[row] as number)]),
    );
    try {
      const fit = fitConditionalLogit({ set: sets, chosen, weight }, covariates);
      return {
        estimates: Object.values(fit.coefficients),
        standardErrors: Object.values(fit.standardErrors),
      };
    } catch (error) {
      if (error instanceof ConvergenceError || error instanceof DataError) return undefined;
      throw error;
    }
  };
}
