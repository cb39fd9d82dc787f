import { requireOneOf } from "../core/arguments.js";
import { finiteColumn } from "../core/columns.js";
import {
  type CovariateColumns,
  covariateColumns,
  covariateSpread,
  linearPredictor,
  type Spread,
} from "../core/covariates.js";
import { ConvergenceError, DataError } from "../core/errors.js";
import { congruence, dot, invertSymmetric } from "../numeric/matrix.js";
import type { Objective } from "../numeric/minimise.js";
import { minimiseNewton } from "../numeric/newton.js";
import type { Random } from "../numeric/random.js";
import { normalQuantile } from "../numeric/special.js";
import { logNormalTail, normalHazard, twoSidedP } from "../numeric/tail-probability.js";
import { requireEvents, type SurvivalColumns, type SurvivalData, survivalColumns } from "./survival-data.js";

/** Distribution of lifetimes. */
export type LifetimeDistribution = "weibull" | "exponential" | "log-normal" | "log-logistic";

/** Log lifetime = intercept + coefficients times covariates + scale times noise: all that predictions need. */
export interface AcceleratedFailure {
  /** Distribution of lifetimes, which sets the noise. */
  readonly distribution: LifetimeDistribution;
  /** "intercept" and the change of log lifetime for one unit of each covariate. */
  readonly coefficients: Readonly<Record<string, number>>;
  /** Scale of the noise, above 0; 1 for the exponential, 1 / shape for the Weibull distribution. */
  readonly scale: number;
}

/** A fitted model of accelerated failure time. */
export interface AcceleratedFailureFit extends AcceleratedFailure {
  readonly model: "accelerated failure time";
  /** Of the coefficients, and of "log(scale)" unless the scale is fixed. */
  readonly standardErrors: Readonly<Record<string, number>>;
  /** Coefficient / standard error. */
  readonly z: Readonly<Record<string, number>>;
  /** Two-sided p values of z. */
  readonly p: Readonly<Record<string, number>>;
  /** Covariance of the numbers that have standard errors, in their order. */
  readonly covariance: readonly (readonly number[])[];
  /** Log-likelihood of the times (not of their logs). */
  readonly logLikelihood: number;
  /** Akaike's criterion: smaller is better. */
  readonly aic: number;
  /** Rows. */
  readonly observations: number;
  /** Rows with an event. */
  readonly events: number;
  /** Newton steps taken. */
  readonly iterations: number;
}

const LOG_SCALE = "log(scale)";
const LOOSE = 100; // standard error of a covariate's whole effect, in units of the noise, that means "no maximum"

/**
 * Accelerated failure time model by maximum likelihood: covariates stretch or shrink lifetimes by a factor. Newton's method
 * with analytic derivatives on centred and scaled covariates; `covariates` may be empty. Rows with `entry` are left
 * truncated: known to have stayed until then.
 * @throws DataError if the data or covariates are bad, a time is 0, strata are given, nobody left, or covariates are constant
 * or linear combinations of each other; ConvergenceError naming a covariate whose coefficient would be infinite.
 * @see Kalbfleisch & Prentice (2002), The Statistical Analysis of Failure Time Data, 2nd ed., chapter 3.
 */
export function fitAcceleratedFailure(
  data: SurvivalData,
  covariates: CovariateColumns,
  { distribution = "weibull" }: { readonly distribution?: LifetimeDistribution } = {},
): AcceleratedFailureFit {
  requireOneOf("distribution", distribution, Object.keys(noises));
  if (data.strata) throw new DataError("strata must not be given: use a covariate for each stratum but one");
  const columns = survivalColumns(data);
  requireEvents(columns.event);
  const row = columns.time.indexOf(0);
  if (row !== -1) throw new DataError(`time in row ${row + 1} must be above 0, got 0`);
  const design = scaledDesign(columns, covariates);
  const { names, spreads } = design;
  const likelihood = likelihoodOf(columns, design.x, names.length, distribution);
  const best = minimiseNewton(likelihood.value, likelihood.hessian, likelihood.start);
  const inverse = invertSymmetric(likelihood.hessian(best.x));
  if (!inverse)
    throw new DataError(`covariates ${names.join(", ")} must not be linear combinations of each other`);
  const scale = distribution === "exponential" ? 1 : Math.exp(best.x.at(-1) as number);
  const loose = names.filter((_, j) => {
    const { range, scale: deviation } = spreads[j] as Spread;
    return Math.sqrt(inverse[j + 1]?.[j + 1] as number) * (range / deviation) > LOOSE * scale;
  });
  if (loose.length > 0 || !best.converged) {
    throw new ConvergenceError(
      `accelerated failure time: the ${distribution} likelihood has no maximum that Newton's method could reach` +
        (loose.length > 0
          ? `, the coefficient of ${loose.join(", ")} grows for ever: merge levels or leave it out`
          : `: it stopped after ${best.iterations} steps; try the exponential distribution or fewer covariates`),
    );
  }
  const { values, covariance } = inUnits(best.x, inverse, spreads);
  const labels = ["intercept", ...names, ...(distribution === "exponential" ? [] : [LOG_SCALE])];
  const byName = (numbers: readonly number[], count = labels.length): Readonly<Record<string, number>> =>
    Object.freeze(Object.fromEntries(labels.slice(0, count).map((name, i) => [name, numbers[i] as number])));
  const errors = covariance.map((line, i) => Math.sqrt(line[i] as number));
  const z = values.map((value, i) => value / (errors[i] as number));
  return Object.freeze({
    model: "accelerated failure time",
    distribution,
    coefficients: byName(values, names.length + 1),
    scale,
    standardErrors: byName(errors),
    z: byName(z, names.length + 1),
    p: byName(z.map(twoSidedP), names.length + 1),
    covariance,
    logLikelihood: -best.value,
    aic: 2 * (best.value + labels.length),
    observations: columns.size,
    events: columns.event.reduce((sum, value) => sum + value, 0),
    iterations: best.iterations,
  });
}

interface ScaledDesign {
  readonly names: readonly string[];
  readonly spreads: readonly Spread[];
  /** A leading 1 and the scaled covariates, row after row. */
  readonly x: Float64Array;
}

function scaledDesign({ size }: SurvivalColumns, covariates: CovariateColumns): ScaledDesign {
  const names = Object.keys(covariates);
  const reserved = names.find((name) => name === "intercept" || name === LOG_SCALE);
  if (reserved !== undefined)
    throw new DataError(`a covariate must not be named ${reserved}: rename the column`);
  const width = names.length + 1;
  const x = new Float64Array(size * width).fill(1);
  const columns = covariateColumns(covariates, size);
  const spreads = names.map((name, j) => {
    const values = columns[j] as Float64Array;
    const spread = covariateSpread(name, values);
    for (let row = 0; row < size; row++) {
      x[row * width + j + 1] = ((values[row] as number) - spread.centre) / spread.scale;
    }
    return spread;
  });
  return { names, spreads, x };
}

/** Coefficients and covariance in the units of the covariates: a linear map of the scaled ones. */
function inUnits(
  x: Float64Array,
  covariance: readonly (readonly number[])[],
  spreads: readonly Spread[],
): { readonly values: number[]; readonly covariance: number[][] } {
  const map = covariance.map((_, i) =>
    covariance.map((_unused, j) => {
      const spread = spreads[j - 1];
      if (i === 0 && spread) return -spread.centre / spread.scale;
      if (i !== j) return 0;
      return spread ? 1 / spread.scale : 1;
    }),
  );
  return { values: map.map((row) => dot(row, x)), covariance: congruence(map, covariance) };
}

/** Log density or log survival of the noise at z, with two derivatives. */
interface Term {
  value: number;
  first: number;
  second: number;
}

/** Fills a term for the noise at z: its density if `left`, else its survival. */
type Noise = (z: number, left: boolean, term: Term) => void;

function setTerm(term: Term, value: number, first: number, second: number): void {
  term.value = value;
  term.first = first;
  term.second = second;
}

const HALF_LOG_TWO_PI = 0.9189385332046727;

/** The least of many: log lifetimes of Weibull and exponential distributions. */
const extremeNoise: Noise = (z, left, term) => {
  const grown = Math.exp(z);
  setTerm(term, (left ? z : 0) - grown, (left ? 1 : 0) - grown, -grown);
};

const normalNoise: Noise = (z, left, term) => {
  if (left) {
    setTerm(term, -(z * z) / 2 - HALF_LOG_TWO_PI, -z, -1);
    return;
  }
  const hazard = normalHazard(z);
  setTerm(term, logNormalTail(z), -hazard, -hazard * (hazard - z));
};

const logisticNoise: Noise = (z, left, term) => {
  const factor = left ? 2 : 1;
  const below = 1 / (1 + Math.exp(-z));
  const softened = z > 0 ? z + Math.log1p(Math.exp(-z)) : Math.log1p(Math.exp(z)); // log(1 + e^z)
  setTerm(
    term,
    (left ? z : 0) - factor * softened,
    (left ? 1 : 0) - factor * below,
    -factor * below * (1 - below),
  );
};

const noises: Readonly<Record<LifetimeDistribution, Noise>> = {
  weibull: extremeNoise,
  exponential: extremeNoise,
  "log-normal": normalNoise,
  "log-logistic": logisticNoise,
};

interface Likelihood {
  /** Minus the log-likelihood with its gradient. */
  readonly value: Objective;
  /** Its second derivatives. */
  readonly hessian: (parameters: Float64Array) => number[][];
  readonly start: readonly number[];
}

/** Parameters are the coefficients of x and, unless the scale is fixed, the log scale. */
function likelihoodOf(
  { size, time, event, entry, weight }: SurvivalColumns,
  x: Float64Array,
  covariates: number,
  distribution: LifetimeDistribution,
): Likelihood {
  const width = covariates + 1;
  const free = distribution === "exponential" ? 0 : 1;
  const noise = noises[distribution];
  const logTime = time.map(Math.log);
  const logEntry = entry?.map((start) => Math.log(Math.max(start, 0))); // nobody is lost before time 0
  const term: Term = { value: 0, first: 0, second: 0 };
  /** Calls `visit` with every row's part of the log-likelihood: at its time, and taken away at its entry. */
  const forEachTerm = (
    parameters: Float64Array,
    visit: (row: number, z: number, weight: number, left: number) => void,
  ): void => {
    const scale = free === 1 ? Math.exp(parameters[width] as number) : 1;
    for (let row = 0; row < size; row++) {
      let centre = 0;
      for (let j = 0; j < width; j++) centre += (x[row * width + j] as number) * (parameters[j] as number);
      const z = ((logTime[row] as number) - centre) / scale;
      const left = event[row] as number;
      noise(z, left === 1, term);
      visit(row, z, weight[row] as number, left);
      const start = logEntry?.[row] ?? Number.NEGATIVE_INFINITY;
      if (start > Number.NEGATIVE_INFINITY) {
        const before = (start - centre) / scale;
        noise(before, false, term);
        visit(row, before, -(weight[row] as number), 0);
      }
    }
  };
  const value: Objective = (parameters, gradient) => {
    const logScale = free === 1 ? (parameters[width] as number) : 0;
    const scale = Math.exp(logScale);
    let sum = 0;
    let lost = 0; // Kahan's sum: the rounding of a million terms would stall the search
    gradient.fill(0);
    forEachTerm(parameters, (row, z, w, left) => {
      const part = w * (left * (logScale + (logTime[row] as number)) - term.value) - lost;
      const next = sum + part;
      lost = next - sum - part;
      sum = next;
      const slope = (w * term.first) / scale;
      for (let j = 0; j < width; j++)
        gradient[j] = (gradient[j] as number) + slope * (x[row * width + j] as number);
      if (free === 1) gradient[width] = (gradient[width] as number) + w * (term.first * z + left);
    });
    return sum;
  };
  const hessian = (parameters: Float64Array): number[][] => {
    const scale = free === 1 ? Math.exp(parameters[width] as number) : 1;
    const h = Array.from({ length: width + free }, () => new Float64Array(width + free));
    const last = h[width];
    forEachTerm(parameters, (row, z, w) => {
      const bend = (w * term.second) / scale ** 2;
      const mixed = (w * (term.second * z + term.first)) / scale;
      for (let i = 0; i < width; i++) {
        const xi = x[row * width + i] as number;
        const line = h[i] as Float64Array;
        for (let j = 0; j <= i; j++)
          line[j] = (line[j] as number) - bend * xi * (x[row * width + j] as number);
        if (last) last[i] = (last[i] as number) - mixed * xi;
      }
      if (last) last[width] = (last[width] as number) - mixed * scale * z;
    });
    return h.map((_, i) => Array.from(h, (_unused, j) => (i >= j ? h[i]?.[j] : h[j]?.[i]) as number));
  };
  let exposure = 0;
  let events = 0;
  for (let row = 0; row < size; row++) {
    exposure += (weight[row] as number) * ((time[row] as number) - Math.max(entry?.[row] ?? 0, 0));
    events += (weight[row] as number) * (event[row] as number);
  }
  const start = [Math.log(exposure / events), ...new Array<number>(covariates + free).fill(0)];
  return { value, hessian, start };
}

/** Intercept plus coefficients times covariates, for each row. */
function logLifetimes({ coefficients }: AcceleratedFailure, covariates: CovariateColumns): Float64Array {
  const { intercept, ...slopes } = coefficients;
  const [first] = Object.keys(slopes);
  const size = first === undefined ? 1 : (covariates[first]?.length ?? 0);
  return linearPredictor(slopes, covariates, size).map((sum) => (intercept as number) + sum);
}

/**
 * Share of customers like each row of covariates (outer) still there at each time (inner). A model without covariates
 * gives one row.
 * @throws DataError if a covariate is missing or bad; RangeError if a time is negative.
 */
export function acceleratedSurvival(
  fit: AcceleratedFailure,
  covariates: CovariateColumns,
  times: ArrayLike<number>,
): readonly Float64Array[] {
  const noise = noises[fit.distribution];
  const term: Term = { value: 0, first: 0, second: 0 };
  return Array.from(logLifetimes(fit, covariates), (centre) =>
    Float64Array.from(times, (time) => {
      if (!(time >= 0)) throw new RangeError(`times must be from 0 up, got ${time}`);
      if (time === 0) return 1;
      noise((Math.log(time) - centre) / fit.scale, false, term);
      return Math.exp(term.value);
    }),
  );
}

/**
 * Time by which the share still there has fallen to `share` (0.5 is the median lifetime), for each row of covariates.
 * @throws DataError if a covariate is missing or bad; RangeError if `share` is not between 0 and 1.
 */
export function acceleratedQuantile(
  fit: AcceleratedFailure,
  covariates: CovariateColumns,
  share = 0.5,
): Float64Array {
  if (!(share > 0 && share < 1)) throw new RangeError(`share must be between 0 and 1, got ${share}`);
  const z = noiseQuantile(fit.distribution, share);
  return logLifetimes(fit, covariates).map((centre) => Math.exp(centre + fit.scale * z));
}

/** Simulated customers: when each left or was last seen. */
export interface SimulatedLifetimes {
  /** When the customer left, or the end of its observation. */
  readonly time: Float64Array;
  /** 1 if the customer left by then, else 0. */
  readonly event: Uint8Array;
}

/**
 * Lifetimes drawn from a model, one for each row of covariates, each observed until its element of `until` (or for ever).
 * A Weibull model is also one of proportional hazards: its log hazard ratios are -coefficient / scale.
 * @throws DataError if a covariate is missing or bad, or `until` is not a number above 0 for each row.
 */
export function simulateLifetimes(
  model: AcceleratedFailure,
  covariates: CovariateColumns,
  random: Random,
  { until }: { readonly until?: ArrayLike<number> } = {},
): SimulatedLifetimes {
  const centres = logLifetimes(model, covariates);
  const ends =
    until && finiteColumn("until", until, centres.length, (value) => value > 0, "a finite number above 0");
  const lifetimes = centres.map((centre) =>
    Math.exp(centre + model.scale * noiseQuantile(model.distribution, 1 - random.uniform())),
  );
  const time = ends ? lifetimes.map((lifetime, row) => Math.min(lifetime, ends[row] as number)) : lifetimes;
  return Object.freeze({
    time,
    event: Uint8Array.from(time, (seen, row) => Number(seen === lifetimes[row])),
  });
}

/** Noise that a share exceeds. */
function noiseQuantile(distribution: LifetimeDistribution, share: number): number {
  if (distribution === "log-normal") return -normalQuantile(share);
  if (distribution === "log-logistic") return Math.log1p(-share) - Math.log(share);
  return Math.log(-Math.log(share));
}
