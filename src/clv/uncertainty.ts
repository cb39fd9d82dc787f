import { requireLevel } from "../core/arguments.js";
import { ConvergenceError, DataError } from "../core/errors.js";
import { onLogScale } from "../numeric/log-scale.js";
import { symmetricEigen } from "../numeric/matrix.js";
import type { Objective } from "../numeric/minimise.js";
import { quantileType7 } from "../numeric/quantile.js";
import type { Random } from "../numeric/random.js";
import { drawGamma, drawNormal } from "../numeric/sampling.js";
import { runInWorkers } from "../numeric/worker-pool.js";
import type { BootstrapSetup } from "./bootstrap-worker.js";
import type { BuyingModel, ParameterValues } from "./buying-model.js";
import { cellCustomers, type PurchaseCells } from "./cells.js";
import type { ModelFit } from "./fit.js";

/** Sets of parameters that are all plausible after the data: what a prediction varies with is how sure it is. */
export interface ParameterDraws<P extends string = string> {
  readonly model: string;
  /** How they were drawn. */
  readonly method: "posterior" | "bootstrap";
  readonly parameters: readonly ParameterValues<P>[];
  /** Posterior: independent draws that the weighted proposals are worth; bootstrap: the number of draws. */
  readonly effectiveSampleSize: number;
  readonly warnings: readonly string[];
}

/** An interval of a quantity and its median over the draws. */
export interface QuantityInterval {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

const PROPOSALS_PER_DRAW = 4;
const PROPOSAL_FREEDOM = 5; // of the t distribution: heavier tails than the likelihood
const WIDEST_LOG_ERROR = 3; // on a ridge proposals reach a factor of 20 either way in one standard error
const TOO_FEW = 100;
const MOST_LOST = 0.1; // share of bootstrap refits that may fail

/**
 * Draws parameters from the posterior under flat priors for the log parameters: proposals from a t distribution around the
 * maximum, shaped by the curvature there, weighted by the likelihood itself and resampled. On a ridge proposals reach a
 * limited distance along it, and a warning says so.
 * @param objective The log-likelihood that was maximised, such as `bgNbd.objective(cells)`.
 * @throws RangeError if `draws` is not a whole number of 1 or more.
 * @see Rubin (1988), Using the SIR algorithm to simulate posterior distributions, Bayesian Statistics 3;
 * Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., section 10.4.
 */
export function posteriorDraws<P extends string>(
  fit: ModelFit<P>,
  objective: Objective,
  { draws = 1000, random }: { readonly draws?: number; readonly random: Random },
): ParameterDraws<P> {
  requireDraws(draws);
  const names = Object.keys(fit.parameters) as P[];
  const centre = names.map((name) => Math.log(fit.parameters[name]));
  const logCovariance = fit.covariance.map((row, i) =>
    row.map((value, j) => value * Math.exp(-(centre[i] as number) - (centre[j] as number))),
  );
  const { values, vectors } = symmetricEigen(logCovariance);
  const spreads = values.map((value) => {
    // A direction that the covariance leaves out is not sharp: the data say nothing about it.
    const isLost = fit.identification.weak && !(value > 1e-12);
    return isLost ? WIDEST_LOG_ERROR : Math.min(Math.sqrt(Math.max(value, 0)), WIDEST_LOG_ERROR);
  });
  const logLikelihood = onLogScale(objective);
  const gradient = new Float64Array(names.length);
  const proposals = Array.from({ length: draws * PROPOSALS_PER_DRAW }, () => {
    const steps = spreads.map(() => drawNormal(random));
    const scale = Math.sqrt(PROPOSAL_FREEDOM / (2 * drawGamma(random, PROPOSAL_FREEDOM / 2, 1)));
    const logs = Float64Array.from(centre, (start, i) =>
      spreads.reduce(
        (at, spread, k) => at + scale * spread * (steps[k] as number) * (vectors[k]?.[i] as number),
        start,
      ),
    );
    const square = scale * scale * steps.reduce((sum, step) => sum + step * step, 0);
    const logDensity = (-(PROPOSAL_FREEDOM + names.length) / 2) * Math.log1p(square / PROPOSAL_FREEDOM);
    const value = logLikelihood(logs, gradient);
    return { logs, logWeight: Number.isFinite(value) ? value - logDensity : Number.NEGATIVE_INFINITY };
  });
  const top = proposals.reduce((most, { logWeight }) => Math.max(most, logWeight), Number.NEGATIVE_INFINITY);
  const weights = proposals.map(({ logWeight }) => Math.exp(logWeight - top));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const effectiveSampleSize = total ** 2 / weights.reduce((sum, weight) => sum + weight ** 2, 0);
  const chosen = resample(weights, total, draws, random);
  const warnings: string[] = [];
  if (fit.identification.weak) {
    warnings.push(
      `weakly identified (${fit.identification.ridge}): draws reach a factor of about 20 along the ridge`,
    );
  }
  if (effectiveSampleSize < TOO_FEW) {
    const worth = Math.floor(effectiveSampleSize);
    warnings.push(`the draws are worth ${worth} independent ones: too few for intervals, take the bootstrap`);
  }
  return {
    model: fit.model,
    method: "posterior",
    parameters: chosen.map((index) =>
      named(names, (proposals[index] as { logs: Float64Array }).logs.map(Math.exp)),
    ),
    effectiveSampleSize,
    warnings: warnings.map((text) => `${fit.model}: ${text}`),
  };
}

/** How a bootstrap is run. */
export interface BootstrapRun {
  /** Refits; 1,000 if left out. */
  readonly draws?: number;
  /** Source of all randomness: the same source gives the same draws, whatever the number of workers. */
  readonly random: Random;
  /** Threads; as many as the machine has processors if left out, 0 for none beside this one. */
  readonly workers?: number;
  /** Told how many refits are done. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends the run early: the promise is rejected with its reason. */
  readonly signal?: AbortSignal;
}

/**
 * Refits a model to data resampled by customer: the customers of the cells are drawn anew, which for cells means
 * multinomial weights, so a resample costs nothing and the refit starts at the estimate.
 * @throws ConvergenceError if more than a tenth of the refits settle neither from the estimate nor from the model's starts.
 * @throws RangeError if `draws` is not a whole number of 1 or more. @throws DataError if the weights are no whole numbers.
 * @see Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapter 6.
 */
export async function bootstrapDraws<P extends string>(
  model: BuyingModel<P>,
  cells: PurchaseCells,
  fit: ModelFit<P>,
  { draws = 1000, random, ...run }: BootstrapRun,
): Promise<ParameterDraws<P>> {
  requireDraws(draws);
  if (!Number.isSafeInteger(cellCustomers(cells))) {
    throw new DataError(`cells must stand for a whole number of customers, got ${cellCustomers(cells)}`);
  }
  const shared: BootstrapSetup = {
    model: model.name,
    cells,
    start: model.parameterNames.map((name) => fit.parameters[name]),
  };
  const refits = await runInWorkers<number, readonly number[] | undefined>({
    module: new URL("./bootstrap-worker.js", import.meta.url),
    exportName: "bootstrapWorker",
    shared,
    tasks: Array.from({ length: draws }, () => random.uint32()),
    ...run,
  });
  const settled = refits.filter((values) => values !== undefined);
  const lost = draws - settled.length;
  if (lost > MOST_LOST * draws) {
    throw new ConvergenceError(
      `${model.name}: ${lost} of ${draws} bootstrap refits did not settle: the data hardly determine the model${fit.identification.ridge && ` (${fit.identification.ridge})`}`,
    );
  }
  return {
    model: model.name,
    method: "bootstrap",
    parameters: settled.map((values) => named(model.parameterNames, values)),
    effectiveSampleSize: settled.length,
    warnings: lost === 0 ? [] : [`${model.name}: ${lost} of ${draws} refits did not settle and are left out`],
  };
}

/**
 * Interval of any quantity that is a function of the parameters, over the draws: equal tails outside of `level`.
 * @throws RangeError if the level is not between 0 and 1, or the quantity is not finite for a draw.
 */
export function intervalOf<P extends string>(
  draws: ParameterDraws<P>,
  quantity: (parameters: ParameterValues<P>) => number,
  level = 0.9,
): QuantityInterval {
  return equalTailed(draws.parameters.map(quantity), level);
}

/** Intervals of a column of quantities and their medians over the draws, one entry a row. */
export interface ColumnIntervals {
  readonly low: Float64Array;
  readonly median: Float64Array;
  readonly high: Float64Array;
}

/**
 * Intervals of many quantities at once, such as the values of all customers: `quantities` gives a column for one draw, the
 * number of the draw beside, so that another model's draws can be combined with it.
 * @throws RangeError if the level is not between 0 and 1, the columns differ in length, or a quantity is not finite.
 */
export function intervalsOf<P extends string>(
  draws: ParameterDraws<P>,
  quantities: (parameters: ParameterValues<P>, draw: number) => ArrayLike<number>,
  level = 0.9,
): ColumnIntervals {
  const columns = draws.parameters.map(quantities);
  const rows = columns[0]?.length ?? 0;
  const odd = columns.find((column) => column.length !== rows);
  if (odd) throw new RangeError(`quantities must be ${rows} for every draw, got ${odd.length}`);
  const intervals = Array.from({ length: rows }, (_, row) =>
    equalTailed(
      columns.map((column) => column[row] as number),
      level,
    ),
  );
  return {
    low: Float64Array.from(intervals, ({ low }) => low),
    median: Float64Array.from(intervals, ({ median }) => median),
    high: Float64Array.from(intervals, ({ high }) => high),
  };
}

/**
 * Interval of numbers drawn from a distribution: equal tails outside of `level`, quantiles between order statistics.
 * @throws RangeError if there are no numbers, one is not finite, or the level is not between 0 and 1.
 * @see Hyndman & Fan (1996), Sample Quantiles in Statistical Packages, type 7.
 */
export function equalTailed(values: readonly number[] | Float64Array, level = 0.9): QuantityInterval {
  requireLevel(level);
  if (values.length === 0) throw new RangeError("draws must hold at least one, got none");
  const sorted = Float64Array.from(values).sort();
  const wrong = sorted.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) throw new RangeError(`the quantity must be finite for every draw, got ${wrong}`);
  const at = (share: number): number => quantileType7(sorted, share);
  return { low: at((1 - level) / 2), median: at(0.5), high: at((1 + level) / 2) };
}

function requireDraws(draws: number): void {
  if (!(Number.isSafeInteger(draws) && draws >= 1)) {
    throw new RangeError(`draws must be a whole number of 1 or more, got ${draws}`);
  }
}

/** Indices drawn in proportion to weights, evenly spaced from one random start: less noise than one by one. */
function resample(weights: readonly number[], total: number, draws: number, random: Random): number[] {
  const step = total / draws;
  let next = random.uniform() * step;
  let sum = 0;
  const chosen: number[] = [];
  for (const [index, weight] of weights.entries()) {
    sum += weight;
    while (next < sum && chosen.length < draws) {
      chosen.push(index);
      next += step;
    }
  }
  while (chosen.length < draws) chosen.push(chosen.at(-1) ?? 0); // rounding of the sum
  return chosen;
}

const named = <P extends string>(names: readonly P[], values: ArrayLike<number>): ParameterValues<P> =>
  Object.fromEntries(names.map((name, i) => [name, values[i] as number])) as ParameterValues<P>;
