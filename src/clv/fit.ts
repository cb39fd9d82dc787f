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
  /** Parameters on a ridge that the covariance leaves out: their own standard errors say nothing. */
  readonly undetermined: readonly string[];
}

/** What every fit by maximum likelihood gives. */
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

/** What every fit needs of a model. */
interface Model {
  /** Name for the result and for messages: "BG/NBD". */
  readonly model: string;
  /** Starting values on the natural scale, in the order of the names. */
  readonly starts: readonly (readonly number[])[];
  /**
   * Log-likelihood of the data at the natural parameters (in the order of the names); fills its gradient with respect to
   * them. -Infinity or NaN means "not here".
   */
  readonly logLikelihood: Objective;
  /** Customers, weights counted. */
  readonly observations: number;
  /** Which model to try where this one does not settle. */
  readonly simplerModel?: string;
  /** What is special about the data, for the message where it does not settle. */
  readonly boundary?: string | undefined;
}

/** What `fitPositive` needs of a model. */
interface PositiveModel<P extends string> extends Model {
  readonly names: readonly P[];
}

/** What `fitByLikelihood` needs of a model. */
interface MixedModel<P extends string, F extends string> extends Model {
  /** Names of the parameters above 0; they come first. */
  readonly positive: readonly P[];
  /** Names of the parameters of either sign, scaled by the caller so that 23 is far out of reach. */
  readonly free: readonly F[];
}

const LOG_LIMIT = 25; // parameters from 1e-11 to 7e10
/** Size of a log parameter beyond which a penalty holds the search back: parameters from 1e-10 to 1e10. */
export const LOG_EDGE = 23;
const EDGE_SLOPE = 0.05; // log-likelihood still gained for each factor e at the edge: more is no fit,
const EDGE_NOISE = 1e-6; // unless it is this small a share of the log-likelihood, where gradients are rounding
const WEAK_CONDITION = 1e6;
const WEAK_LOG_ERROR = 3; // a factor of e^3 = 20 either way in one standard error
const ALMOST_SETTLED = 1e-4; // relative gradient
const FLAT_SLOPE = 0.01; // log-likelihood gained for each factor e: less means nothing, even if not settled
const TAKES_PART = 0.3; // share of a unit vector from which a parameter counts as part of a ridge

/** Maximum-likelihood fit of a model whose parameters are all above 0: see `fitByLikelihood`. */
export const fitPositive = <P extends string>(spec: PositiveModel<P>): ModelFit<P> =>
  fitByLikelihood({ ...spec, positive: spec.names, free: [] });

/**
 * Maximum-likelihood fit of a model with positive parameters, and with free ones (coefficients of covariates), which are
 * searched and reported on their own scale; what follows about log parameters holds for them as they are. The search runs
 * on the log parameters, from several starts. It ends smoothly at 1e-10 and 1e10: a parameter that runs there while the
 * likelihood hardly changes any more (the data want the limiting case) gets a warning. Covariance and standard errors come
 * from the Hessian of the log-likelihood in the log parameters, by the delta method.
 *
 * Identification is weak if the information about the log parameters is not positive definite, has a condition number
 * above 1e6, or leaves a direction with a standard error above 3 (a factor of 20 either way). Then a warning names the
 * parameters on the ridge. In the first two cases the covariance leaves the ridge out (the pseudo-inverse of the
 * information): it holds for movements across the ridge and says nothing about movements along it, so the standard
 * errors are too small: 0 for a parameter that the data do not touch at all. Every number in the result is finite. The
 * result is deeply frozen and survives JSON.
 * @throws ConvergenceError if no start has a finite likelihood, the gradient does not settle, or the likelihood keeps
 * rising at the edge of the search.
 * @throws RangeError if a start is not one number for each name, above 0 where the parameter is.
 * @see Davison (2003), Statistical Models, section 4.4 (observed information, delta method).
 */
export function fitByLikelihood<P extends string, F extends string>(spec: MixedModel<P, F>): ModelFit<P | F> {
  const names: readonly (P | F)[] = [...spec.positive, ...spec.free];
  const objective = negativeOnSearchScale(spec);
  const best = minimiseFrom(withEdge(objective), searchStarts(spec));
  const remainder = requireSettled(spec, best);
  const gradient = new Float64Array(names.length);
  const logLikelihood = -objective(best.x, gradient);
  const limits = requireBounded(spec, best.x, gradient, logLikelihood);
  const parameters = naturalValues(spec, best.x);
  const information = hessianOf(objective, best.x);
  const { covariance, identification, warnings } = identify(names, information);
  if (!best.converged) {
    warnings.unshift(
      `${spec.model}: the search stopped at a relative gradient of ${remainder.toExponential(1)}`,
    );
  }
  warnings.push(...limits);
  const scale = parameters.map((value, i) => (i < spec.positive.length ? value : 1)); // d parameter by d searched
  const natural = covariance.map((row, i) =>
    row.map((value, j) => value * (scale[i] as number) * (scale[j] as number)),
  );
  const errors = natural.map((row, i) => Math.sqrt(row[i] as number));
  return deepFreeze({
    model: spec.model,
    parameters: named(names, parameters),
    standardErrors: named(names, errors),
    covariance: natural,
    logLikelihood,
    observations: spec.observations,
    converged: best.converged,
    evaluations: best.evaluations,
    identification,
    warnings: warnings.map((text) => (text.startsWith(spec.model) ? text : `${spec.model}: ${text}`)),
  });
}

/** Minus the log-likelihood as a function of the searched parameters, by the chain rule. */
function negativeOnSearchScale({ positive, free, logLikelihood }: MixedModel<string, string>): Objective {
  const above = positive.length;
  const parameters = new Float64Array(above + free.length);
  return (x, gradient) => {
    for (let i = 0; i < x.length; i++) {
      parameters[i] = i < above ? Math.exp(x[i] as number) : (x[i] as number);
    }
    const value = logLikelihood(parameters, gradient);
    for (let i = 0; i < x.length; i++) {
      gradient[i] = -(gradient[i] as number) * (i < above ? (parameters[i] as number) : 1);
    }
    return -value;
  };
}

/** An objective of log parameters with a quadratic penalty beyond the edge, and Infinity beyond the limits. */
export function withEdge(objective: Objective): Objective {
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
  spec: MixedModel<string, string>,
  x: Float64Array,
  gradient: Float64Array,
  logLikelihood: number,
): string[] {
  const warnings: string[] = [];
  const values = naturalValues(spec, x);
  for (const [i, name] of [...spec.positive, ...spec.free].entries()) {
    if (Math.abs(x[i] as number) < LOG_EDGE) continue;
    const isPositive = i < spec.positive.length;
    const slope = Math.abs(gradient[i] as number);
    const place = `${name} runs to ${(values[i] as number).toPrecision(isPositive ? 1 : 2)}`;
    if (slope > Math.max(EDGE_SLOPE, EDGE_NOISE * Math.abs(logLikelihood))) {
      const rise = `the log-likelihood still rises by ${slope.toPrecision(2)} for each ${isPositive ? "factor e" : "unit"}`;
      throw new ConvergenceError(`${spec.model} has no maximum: ${place}, where ${rise}${adviceOf(spec)}`);
    }
    warnings.push(`${place}, the edge of the search: the data want the limiting case`);
  }
  return warnings;
}

const naturalValues = ({ positive }: MixedModel<string, string>, x: Float64Array): number[] =>
  Array.from(x, (value, i) => (i < positive.length ? Math.exp(value) : value));

const adviceOf = ({ boundary, simplerModel }: Model): string =>
  `${boundary === undefined ? "" : `; ${boundary}`}${simplerModel === undefined ? "" : `; a simpler model may fit: ${simplerModel}`}`;

function searchStarts(spec: MixedModel<string, string>): number[][] {
  const above = spec.positive.length;
  const size = above + spec.free.length;
  return spec.starts.map((start) => {
    const searched = start.map((value, i) => (i < above ? Math.log(value) : value));
    if (start.length !== size || !searched.every((value) => Math.abs(value) < LOG_EDGE)) {
      const positive = `${above} numbers above 0 (${spec.positive.join(", ")})`;
      const free =
        size === above ? "" : ` and then ${size - above} below ${LOG_EDGE} (${spec.free.join(", ")})`;
      throw new RangeError(`a start of ${spec.model} must be ${positive}${free}, got ${start.join(", ")}`);
    }
    return searched;
  });
}

/** The relative gradient left at the end, if it is small enough to go on with. */
function requireSettled(spec: MixedModel<string, string>, best: Minimum): number {
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
  const values = naturalValues(spec, best.x);
  const place = [...spec.positive, ...spec.free].map((name, i) => `${name}=${values[i]?.toPrecision(4)}`);
  const where = `log-likelihood ${(-best.value).toPrecision(8)} at ${place.join(" ")}`;
  const reached = `relative gradient ${remainder.toExponential(1)} left, ${where}`;
  throw new ConvergenceError(`${tried}, ${reached}${advice}`);
}

/** Covariance of the searched parameters and what is not determined, from the information about them. */
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
  const lost = vectors.filter((_, k) => isLost(values[k] as number));
  const undetermined = names.filter((_, i) =>
    lost.some((vector) => Math.abs(vector[i] as number) >= TAKES_PART),
  );
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
  return { covariance, identification: { conditionNumber, weak, ridge, undetermined }, warnings };
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

/** Values by name, in the order of the names. */
export const named = <P extends string>(names: readonly P[], values: readonly number[]): Record<P, number> =>
  Object.fromEntries(names.map((name, i) => [name, values[i] as number])) as Record<P, number>;

/** Freezes a value and all its parts. */
export function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value))
    if (typeof part === "object" && part !== null) deepFreeze(part as object);
  return Object.freeze(value);
}
