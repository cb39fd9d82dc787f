import { ConvergenceError } from "../core/errors.js";
import { hessianOf } from "../numeric/derivatives.js";
import { type Matrix, symmetricEigen } from "../numeric/matrix.js";
import { type Minimum, minimiseFrom, type Objective } from "../numeric/minimise.js";

/** How well the data tell the parameters of a fit apart. */
export interface Identification {
  /** Of the information about the log parameters, at the estimate; at most 4.5e15, which stands for "singular". */
  readonly conditionNumber: number;
  /** True if some direction in the parameters is hardly determined: predictions may be sound, single parameters are not. */
  readonly weak: boolean;
  /** Which parameters move together along the ridge, in words; "" if none. */
  readonly ridge: string;
}

/** What every fit by maximum likelihood of positive parameters gives. */
export interface ModelFit<P extends string> {
  readonly model: string;
  readonly parameters: Readonly<Record<P, number>>;
  /** Of the parameters on their own scale (delta method); on a ridge, of the directions the data determine. */
  readonly standardErrors: Readonly<Record<P, number>>;
  /** Of the parameters on their own scale, in the order of `parameters`. */
  readonly covariance: readonly (readonly number[])[];
  readonly logLikelihood: number;
  /** Customers, weights counted. */
  readonly observations: number;
  /** False if the gradient is small but not at its limit; `warnings` says so. */
  readonly converged: boolean;
  readonly evaluations: number;
  readonly identification: Identification;
  readonly warnings: readonly string[];
}

/** What `fitPositive` needs of a model. */
interface PositiveModel<P extends string> {
  /** Name for the result and for messages: "BG/NBD". */
  readonly model: string;
  readonly names: readonly P[];
  /** Starting values on the natural scale, all above 0, in the order of `names`. */
  readonly starts: readonly (readonly number[])[];
  /**
   * Log-likelihood of the data at the natural parameters (all above 0, order of `names`); fills its gradient with respect to them.
   * -Infinity or NaN means "not here".
   */
  readonly logLikelihood: (parameters: Float64Array, gradient: Float64Array) => number;
  /** Customers, weights counted. */
  readonly observations: number;
  /** Which model to try where this one does not settle. */
  readonly simplerModel?: string;
}

const LOG_LIMIT = 25; // parameters from 1e-11 to 7e10
const LOG_EDGE = 23; // beyond, from 1e-10 to 1e10, a penalty holds the search back
const EDGE_SLOPE = 0.05; // log-likelihood still gained for each factor e at the edge: more is no fit,
const EDGE_NOISE = 1e-6; // unless it is this small a share of the log-likelihood, where gradients are rounding
const WEAK_CONDITION = 1e6;
const WEAK_LOG_ERROR = 3; // a factor of e^3 = 20 either way in one standard error
const ALMOST_SETTLED = 1e-4; // relative gradient
const FLAT_SLOPE = 0.01; // log-likelihood gained for each factor e: less means nothing, even if not settled
const TAKES_PART = 0.3; // share of a unit vector from which a parameter counts as part of a ridge

/**
 * Maximum-likelihood fit of a model with positive parameters. The search runs on the log parameters, from several
 * starts. It ends smoothly at 1e-10 and 1e10: a parameter that runs there while the likelihood hardly changes any more
 * (the data want the limiting case) gets a warning. Covariance and standard errors come from the Hessian of the
 * log-likelihood in the log parameters, by the delta method.
 *
 * Identification is weak if the information about the log parameters is not positive definite, has a condition number
 * above 1e6, or leaves a direction with a standard error above 3 (a factor of 20 either way). Then a warning names the
 * parameters on the ridge. In the first two cases the covariance leaves the ridge out (the pseudo-inverse of the
 * information): it holds for movements across the ridge and says nothing about movements along it, so the standard
 * errors are too small: 0 for a parameter that the data do not touch at all. Every number in the result is finite. The result is deeply frozen and survives JSON.
 * @throws ConvergenceError if no start has a finite likelihood, the gradient does not settle, or the likelihood keeps
 * rising at the edge of the search.
 * @throws RangeError if a start is not one number above 0 for each name.
 * @see Davison (2003), Statistical Models, section 4.4 (observed information, delta method).
 */
export function fitPositive<P extends string>(spec: PositiveModel<P>): ModelFit<P> {
  const objective = negativeOnLogScale(spec);
  const best = minimiseFrom(withEdge(objective), logStarts(spec));
  const remainder = requireSettled(spec, best);
  const gradient = new Float64Array(spec.names.length);
  const logLikelihood = -objective(best.x, gradient);
  const limits = requireBounded(spec, best.x, gradient, logLikelihood);
  const parameters = Array.from(best.x, Math.exp);
  const information = hessianOf(objective, best.x);
  const { covariance, identification, warnings } = identify(spec.names, information);
  if (!best.converged) {
    warnings.unshift(
      `${spec.model}: the search stopped at a relative gradient of ${remainder.toExponential(1)}`,
    );
  }
  warnings.push(...limits);
  const natural = covariance.map((row, i) =>
    row.map((value, j) => value * (parameters[i] as number) * (parameters[j] as number)),
  );
  const errors = natural.map((row, i) => Math.sqrt(row[i] as number));
  return deepFreeze({
    model: spec.model,
    parameters: named(spec.names, parameters),
    standardErrors: named(spec.names, errors),
    covariance: natural,
    logLikelihood,
    observations: spec.observations,
    converged: best.converged,
    evaluations: best.evaluations,
    identification,
    warnings: warnings.map((text) => (text.startsWith(spec.model) ? text : `${spec.model}: ${text}`)),
  });
}

/** Minus the log-likelihood as a function of the log parameters, by the chain rule. */
function negativeOnLogScale(spec: PositiveModel<string>): Objective {
  const parameters = new Float64Array(spec.names.length);
  return (x, gradient) => {
    for (let i = 0; i < x.length; i++) {
      parameters[i] = Math.exp(x[i] as number);
    }
    const value = spec.logLikelihood(parameters, gradient);
    for (let i = 0; i < x.length; i++) gradient[i] = -(gradient[i] as number) * (parameters[i] as number);
    return -value;
  };
}

/** The objective with a quadratic penalty beyond the edge, and Infinity beyond the limits. */
function withEdge(objective: Objective): Objective {
  return (x, gradient) => {
    let penalty = 0;
    for (const log of x) {
      if (!(Math.abs(log) <= LOG_LIMIT)) return Number.POSITIVE_INFINITY;
      penalty += Math.max(Math.abs(log) - LOG_EDGE, 0) ** 2;
    }
    const value = objective(x, gradient);
    if (penalty === 0) return value;
    for (let i = 0; i < x.length; i++) {
      const log = x[i] as number;
      gradient[i] = (gradient[i] as number) + 2 * Math.max(Math.abs(log) - LOG_EDGE, 0) * Math.sign(log);
    }
    return value + penalty;
  };
}

/** Warnings of the parameters that ran to the edge, if the likelihood is flat there. */
function requireBounded(
  spec: PositiveModel<string>,
  x: Float64Array,
  gradient: Float64Array,
  logLikelihood: number,
): string[] {
  const warnings: string[] = [];
  for (const [i, name] of spec.names.entries()) {
    const log = x[i] as number;
    if (Math.abs(log) < LOG_EDGE) continue;
    const slope = Math.abs(gradient[i] as number);
    const place = `${name} runs to ${Math.exp(log).toPrecision(1)}`;
    if (slope > Math.max(EDGE_SLOPE, EDGE_NOISE * Math.abs(logLikelihood))) {
      const rise = `the log-likelihood still rises by ${slope.toPrecision(2)} for each factor e`;
      throw new ConvergenceError(`${spec.model} has no maximum: ${place}, where ${rise}${adviceOf(spec)}`);
    }
    warnings.push(`${place}, the edge of the search: the data want the limiting case`);
  }
  return warnings;
}

const adviceOf = (spec: PositiveModel<string>): string =>
  spec.simplerModel === undefined ? "" : `; a simpler model may fit: ${spec.simplerModel}`;

function logStarts(spec: PositiveModel<string>): number[][] {
  const size = spec.names.length;
  return spec.starts.map((start) => {
    if (start.length !== size || !start.every((value) => value > 0 && Math.abs(Math.log(value)) < LOG_EDGE)) {
      const wanted = `${size} numbers above 0 (${spec.names.join(", ")})`;
      throw new RangeError(`a start of ${spec.model} must be ${wanted}, got ${start.join(", ")}`);
    }
    return start.map(Math.log);
  });
}

/** The relative gradient left at the end, if it is small enough to go on with. */
function requireSettled(spec: PositiveModel<string>, best: Minimum): number {
  const tried = `${spec.model} did not settle: ${spec.starts.length} starts, ${best.evaluations} evaluations`;
  const advice = adviceOf(spec);
  if (!Number.isFinite(best.value)) {
    throw new ConvergenceError(`${tried}, and the likelihood is not finite at any of them${advice}`);
  }
  let remainder = 0;
  let steepest = 0;
  for (const [i, slope] of best.gradient.entries()) {
    const size = Math.abs(slope) * Math.max(Math.abs(best.x[i] as number), 1);
    remainder = Math.max(remainder, size / Math.max(Math.abs(best.value), 1));
    steepest = Math.max(steepest, Math.abs(slope));
  }
  if (best.converged || remainder <= ALMOST_SETTLED || steepest <= FLAT_SLOPE) return remainder;
  const place = spec.names.map((name, i) => `${name}=${Math.exp(best.x[i] as number).toPrecision(4)}`);
  const where = `log-likelihood ${(-best.value).toPrecision(8)} at ${place.join(" ")}`;
  const reached = `relative gradient ${remainder.toExponential(1)} left, ${where}`;
  throw new ConvergenceError(`${tried}, ${reached}${advice}`);
}

/** Covariance of the log parameters and what is not determined, from the information about them. */
function identify(
  names: readonly string[],
  information: Matrix,
): { covariance: number[][]; identification: Identification; warnings: string[] } {
  const { values, vectors } = symmetricEigen(information);
  const largest = values.at(-1) as number;
  const smallest = values[0] as number;
  const isLost = (value: number): boolean => !(value > 0 && value * WEAK_CONDITION >= largest);
  const isLoose = (value: number): boolean => isLost(value) || value < WEAK_LOG_ERROR ** -2;
  const weak = isLoose(smallest);
  const ridges = vectors
    .filter((_, k) => isLoose(values[k] as number))
    .map((vector) => inWords(names, vector));
  const ridge = [...new Set(ridges)].join("; ");
  const covariance = names.map((_, i) =>
    names.map((_name, j) => {
      let sum = 0;
      for (const [k, value] of values.entries()) {
        const vector = vectors[k] as number[];
        if (!isLost(value)) sum += ((vector[i] as number) * (vector[j] as number)) / value;
      }
      return sum;
    }),
  );
  const conditionNumber =
    largest > 0 ? largest / Math.max(smallest, largest * Number.EPSILON) : 1 / Number.EPSILON;
  const warnings: string[] = [];
  if (weak) {
    const meaning = isLost(smallest)
      ? "standard errors cover only movements across this ridge, so they are too small"
      : "their standard errors span orders of magnitude";
    warnings.push(`weakly identified: ${ridge}; ${meaning}; do not read these parameters one by one`);
  }
  return { covariance, identification: { conditionNumber, weak, ridge }, warnings };
}

/** A direction in the log parameters: "alpha rises as r rises", "a and b rise together while s falls". */
function inWords(names: readonly string[], vector: readonly number[]): string {
  const rising = names.filter((_, i) => (vector[i] as number) >= TAKES_PART);
  const falling = names.filter((_, i) => (vector[i] as number) <= -TAKES_PART);
  if (falling.length === 0) {
    return rising.length === 1
      ? `${rising.join("")} alone is not determined`
      : `${list(rising)} rise together`;
  }
  const rises = rising.length === 1 ? "rises" : "rise together";
  return `${list(rising)} ${rises} while ${list(falling)} ${falling.length === 1 ? "falls" : "fall"}`;
}

const list = (names: readonly string[]): string =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;

const named = <P extends string>(names: readonly P[], values: readonly number[]): Record<P, number> =>
  Object.fromEntries(names.map((name, i) => [name, values[i] as number])) as Record<P, number>;

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value))
    if (typeof part === "object" && part !== null) deepFreeze(part as object);
  return Object.freeze(value);
}
