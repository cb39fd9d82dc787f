import { runInWorkers } from "../numeric/worker-pool.js";
import type { AttributeColumns, ChoiceRows } from "./choice-data.js";
import type { MixedLogitFit, MixedLogitOptions } from "./mixed-logit.js";
import type { StabilityResult, StabilitySetup } from "./mixed-logit-worker.js";

/** How much a mixed logit depends on its draws. */
export interface MixedLogitStability {
  /** Log-likelihood with the draws of each seed. */
  readonly logLikelihoods: readonly number[];
  /** Largest less smallest of them. */
  readonly range: number;
  /** After fits: the largest less the smallest estimate of each coefficient, in its standard errors. */
  readonly coefficientRanges: Readonly<Record<string, number>>;
  /** What makes the fit doubtful. */
  readonly warnings: readonly string[];
}

/** How to repeat a fit with other draws. */
export interface StabilityOptions
  extends Omit<MixedLogitOptions, "random" | "onProgress" | "signal" | "from"> {
  /** Seeds of the other draws. */
  readonly seeds: readonly number[];
  /** Whether to fit again from the estimate with each seed; the likelihood is only evaluated there unless true. */
  readonly refit?: boolean;
  /** Worker threads; as many as the machine runs at once unless given, 0 for none. */
  readonly workers?: number;
  /** Called after each seed. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends the work early: the call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

const WIDE = 5; // log-likelihood
const FAR = 0.5; // standard errors

/**
 * A mixed logit repeated with other random draws, on worker threads. A range of several units of log-likelihood, or of half
 * a standard error of a coefficient, says that there are too few draws (or several maxima): then tests between models say
 * nothing. Give the data and options of the fit.
 * @throws RangeError if there are fewer than two seeds.
 */
export async function mixedLogitStability(
  fit: MixedLogitFit,
  rows: ChoiceRows,
  attributes: AttributeColumns,
  { seeds, refit = false, workers, onProgress, signal, ...options }: StabilityOptions,
): Promise<MixedLogitStability> {
  if (seeds.length < 2) throw new RangeError(`seeds must be at least two, got ${seeds.length}`);
  const setup: StabilitySetup = { rows, attributes, options, parameters: fit.parameters, refit };
  const results = await runInWorkers<number, StabilityResult>({
    module: new URL("./mixed-logit-worker.js", import.meta.url),
    exportName: "mixedLogitWorker",
    shared: setup,
    tasks: seeds,
    ...(workers === undefined ? {} : { workers }),
    ...(onProgress ? { onProgress } : {}),
    ...(signal ? { signal } : {}),
  });
  const rangeOf = (values: readonly number[]): number => Math.max(...values) - Math.min(...values);
  const logLikelihoods = results.map(({ logLikelihood }) => logLikelihood);
  const range = rangeOf(logLikelihoods);
  const coefficientRanges = Object.fromEntries(
    Object.entries(refit ? fit.standardErrors : {}).map(([name, error]) => [
      name,
      rangeOf(results.map(({ coefficients }) => coefficients?.[name] as number)) / error,
    ]),
  );
  const far = Object.entries(coefficientRanges).filter(([, value]) => value > FAR);
  const warnings = [
    ...(range > WIDE
      ? [
          `the log-likelihood depends on the draws by ${range.toFixed(1)} over ${seeds.length} seeds: use more than ${fit.draws}`,
        ]
      : []),
    ...far.map(
      ([name, value]) =>
        `${name} depends on the draws by ${value.toFixed(1)} standard errors over ${seeds.length} seeds`,
    ),
  ];
  return Object.freeze({
    logLikelihoods,
    range,
    coefficientRanges: Object.freeze(coefficientRanges),
    warnings,
  });
}
