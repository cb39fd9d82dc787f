import { requireLevel, requireOneOf } from "../core/arguments.js";
import { minimise, type Objective } from "../numeric/minimise.js";
import { normalQuantile, regularisedBeta } from "../numeric/special.js";
import { type Pool, parameterList, readPool, responseFunctions } from "./response-curve.js";
import { type ResponseFit, readRows, responseLikelihood, startsOf } from "./response-fit.js";
import { emptyPoint, natural, naturalSlope, searched, shapes } from "./response-shapes.js";

/** How an interval is made. */
export interface IntervalOptions {
  /** Coverage; default 0.9. */
  readonly level?: number;
  /**
   * "profile", the default: all values that the likelihood does not rule out, whatever the other parameters are. It keeps
   * its coverage where the curve is weakly determined. "delta": standard error of the log, fast and always finite.
   */
  readonly method?: "profile" | "delta";
}

/** An estimate with its interval. */
export interface Estimate {
  readonly value: number;
  /** Lower end; left out if the data rule out nothing below, down to a millionth of the value. */
  readonly low?: number;
  /** Upper end; left out if the data rule out nothing above, up to a million times the value. */
  readonly high?: number;
  /** Coverage of the interval. */
  readonly level: number;
  /** "profile" or "delta". */
  readonly method: "profile" | "delta";
  /** What to mind, in words. */
  readonly warnings: readonly string[];
}

/**
 * What one more customer costs at a spend, 1 / W'(S), with its interval: a budget is right where this equals what a
 * customer is worth, not where the average cost does.
 * @throws RangeError as `responseAt`, if the curve is flat or infinitely steep at the spend (so it has no marginal cost
 * there), or the level is not between 0 and 1.
 * @see Davison (2003), Statistical Models, section 4.5 (profile likelihood).
 */
export function marginalCost(
  fit: ResponseFit,
  spend: number,
  options: Pool & IntervalOptions = {},
): Estimate {
  const slope = responseFunctions(fit, options).marginal(spend);
  if (!(slope > 0 && slope < Number.POSITIVE_INFINITY && spend > 0)) {
    throw new RangeError(`spend must be one where the curve rises by a finite amount, got ${spend}`);
  }
  const { low, high, ...rest } = interval(fit, logSlope(fit, spend, options), options);
  return Object.freeze({
    value: 1 / slope,
    ...(high === undefined ? {} : { low: Math.exp(-high) }),
    ...(low === undefined ? {} : { high: Math.exp(-low) }),
    ...rest,
    warnings: extrapolation(fit, spend, options),
  });
}

/**
 * Customers expected to be won at a spend, with the interval of the curve; the number won in one period varies more.
 * @throws RangeError as `responseAt`, if the curve is 0 at the spend, or the level is not between 0 and 1.
 */
export function responseEstimate(
  fit: ResponseFit,
  spend: number,
  options: Pool & IntervalOptions = {},
): Estimate {
  const value = responseFunctions(fit, options).response(spend);
  if (!(value > 0)) throw new RangeError(`spend must be one where customers are won, got ${spend}`);
  const { low, high, ...rest } = interval(fit, logResponse(fit, spend, options), options);
  return Object.freeze({
    value,
    ...(low === undefined ? {} : { low: Math.exp(low) }),
    ...(high === undefined ? {} : { high: Math.exp(high) }),
    ...rest,
    warnings: extrapolation(fit, spend, options),
  });
}

/** The most customers that any spend wins, as far as the data tell. */
export type Ceiling =
  /** Estimate and interval of the ceiling, by profile likelihood. */
  | { readonly status: "determined"; readonly estimate: Estimate }
  /** The data do not show the curve level off; at most they show how low the ceiling cannot be. */
  | { readonly status: "not determined"; readonly atLeast?: number; readonly level: number };

/**
 * The ceiling of a curve that has one, for a pool of size 1 unless `exposure` is given. It is determined if the profile
 * interval has two ends and the parameter is not on a ridge.
 * @throws RangeError if the shape has no ceiling, or the level is not between 0 and 1.
 */
export function ceilingOf(
  fit: ResponseFit,
  options: { readonly level?: number; readonly exposure?: number } = {},
): Ceiling {
  const { ceiling } = fit.parameters;
  if (ceiling === undefined) throw new RangeError(`shape must be one with a ceiling, got "${fit.shape}"`);
  const { exposure = 1, ...rest } = options;
  const { low, high, level, method } = interval(fit, logCeiling, { ...rest, method: "profile" });
  const scaled = (log: number): number => exposure * Math.exp(log);
  if (low === undefined || high === undefined || fit.identification.undetermined.includes("ceiling")) {
    return Object.freeze({
      status: "not determined",
      ...(low === undefined ? {} : { atLeast: scaled(low) }),
      level,
    });
  }
  const estimate = {
    value: exposure * ceiling,
    low: scaled(low),
    high: scaled(high),
    level,
    method,
    warnings: [],
  };
  return Object.freeze({ status: "determined", estimate: Object.freeze(estimate) });
}

/** The log of a multiple of the first parameter as a function of the searched ones; fills its gradient, which begins with 1. */
type LogQuantity = Objective;

const logCeiling: LogQuantity = (x, gradient) => {
  gradient.fill(0);
  gradient[0] = 1;
  return x[0] as number;
};

/** Evaluates a curve at a pool for searched parameters. */
function pointReader(
  fit: ResponseFit,
  spend: number,
  pool: Pool,
): {
  readonly point: ReturnType<typeof emptyPoint>;
  /** Place of the pool's cost factor among the searched parameters; undefined for the first segment. */
  readonly place: number | undefined;
  /** Fills the point; gives the log of the cost factor. */
  readonly read: (x: Float64Array) => number;
} {
  const { names, evaluate } = shapes[fit.shape];
  const { exposure, place: segment } = readPool(fit, pool);
  const place = segment === 0 ? undefined : names.length + segment - 1;
  const point = emptyPoint(names.length);
  const read = (x: Float64Array): number => {
    const logFactor = place === undefined ? 0 : (x[place] as number);
    const parameters = names.map((name, k) => natural(name, x[k] as number));
    evaluate(parameters, spend / (exposure * Math.exp(logFactor)), point);
    return logFactor;
  };
  return { point, place, read };
}

/** Log of the marginal response. */
function logSlope(fit: ResponseFit, spend: number, pool: Pool): LogQuantity {
  const { point, place, read } = pointReader(fit, spend, pool);
  return (x, gradient) => {
    const logFactor = read(x);
    gradient.fill(0);
    gradient.set(point.logSlopeByParameter);
    if (place !== undefined) gradient[place] = -point.logSlopeByLogSpend - 1;
    return Math.log(point.slope) - logFactor;
  };
}

/** Log of the customers won. */
function logResponse(fit: ResponseFit, spend: number, pool: Pool): LogQuantity {
  const { exposure = 1 } = pool;
  const { point, place, read } = pointReader(fit, spend, pool);
  return (x, gradient) => {
    const money = spend / (exposure * Math.exp(read(x)));
    gradient.fill(0);
    gradient.set(point.byParameter.map((slope) => slope / point.value));
    if (place !== undefined) gradient[place] = (-point.slope * money) / point.value;
    return Math.log(exposure * point.value);
  };
}

interface LogInterval {
  readonly low?: number;
  readonly high?: number;
  readonly level: number;
  readonly method: "profile" | "delta";
}

function interval(
  fit: ResponseFit,
  quantity: LogQuantity,
  { level = 0.9, method = "profile" }: IntervalOptions,
): LogInterval {
  requireLevel(level);
  requireOneOf("method", method, ["profile", "delta"]);
  const z = errorsWithin(fit, level);
  const { x, covariance } = searchedEstimate(fit);
  const gradient = new Float64Array(x.length);
  const centre = quantity(x, gradient);
  let variance = 0;
  for (const [i, row] of covariance.entries()) {
    for (const [j, value] of row.entries())
      variance += (gradient[i] as number) * value * (gradient[j] as number);
  }
  const error = Math.sqrt(variance);
  if (method === "delta") return { low: centre - z * error, high: centre + z * error, level, method };
  const root = profileRoot(fit, quantity, x);
  const step = Math.min(Math.max(z * error, 1e-6), 1);
  const low = crossing((log) => root(log) + z, centre, -step);
  const high = crossing((log) => root(log) - z, centre, step);
  return {
    ...(low === undefined ? {} : { low }),
    ...(high === undefined ? {} : { high }),
    level,
    method,
  };
}

/** How many standard errors lie within the interval: more where the dispersion is itself estimated from few rows. */
function errorsWithin({ dispersion, observations, covariance }: ResponseFit, level: number): number {
  let [low, high] = [0, normalQuantile((1 + level) / 2)];
  if (dispersion === 1) return high;
  const freedom = observations - covariance.length;
  /** Chance that a Student number is farther from 0 than t. */
  const beyond = (t: number): number => regularisedBeta(freedom / (freedom + t * t), freedom / 2, 0.5);
  while (beyond(high) > 1 - level) [low, high] = [high, 2 * high];
  while (high - low > 1e-12 * high) {
    const middle = (low + high) / 2;
    if (beyond(middle) > 1 - level) low = middle;
    else high = middle;
  }
  return high;
}

/** The estimate and its covariance on the scale of the search. */
function searchedEstimate(fit: ResponseFit): { x: Float64Array; covariance: number[][] } {
  const { names } = shapes[fit.shape];
  const factors = Object.values(fit.costFactors ?? {}).slice(1);
  const parameters = parameterList(fit);
  const x = Float64Array.from([
    ...parameters.map((value, k) => searched(names[k] as string, value)),
    ...factors.map(Math.log),
  ]);
  const scale = [...parameters.map((value, k) => naturalSlope(names[k] as string, value)), ...factors];
  const covariance = fit.covariance.map((row, i) =>
    row.map((value, j) => value / (scale[i] as number) / (scale[j] as number)),
  );
  return { x, covariance };
}

/** Signed root of the profile likelihood ratio as a function of the log quantity; about standard normal at the true one. */
function profileRoot(fit: ResponseFit, quantity: LogQuantity, x: Float64Array): (log: number) => number {
  const rows = readRows(fit.data, fit.shape);
  const { negative } = responseLikelihood(rows, fit.shape);
  // An estimate on a ridge is no place to start from: the gradient is nearly 0 all around.
  const starts = startsOf(rows, fit.shape).map((start) => start.slice(1));
  const full = new Float64Array(x.length);
  const slopes = new Float64Array(x.length);
  const total = new Float64Array(x.length);
  const least = negative(x, total);
  const centre = quantity(x, slopes);
  let last: readonly number[] = Array.from(x.subarray(1));
  return (log) => {
    // The first parameter multiplies the curve, so that it alone sets the quantity, and the others are free.
    const constrained: Objective = (others, gradient) => {
      full[0] = 0;
      full.set(others, 1);
      full[0] = log - quantity(full, slopes);
      const value = negative(full, total);
      for (let k = 1; k < full.length; k++) {
        gradient[k - 1] = (total[k] as number) - (total[0] as number) * (slopes[k] as number);
      }
      return value;
    };
    const valueAt = (start: readonly number[]): number =>
      constrained(Float64Array.from(start), new Float64Array(start.length));
    const likeliest = starts.reduce((best, next) => (valueAt(next) < valueAt(best) ? next : best));
    const ends = [last, likeliest].map((start) => minimise(constrained, start, { relativeTolerance: 1e-7 }));
    const best = ends.reduce((low, next) => (next.value < low.value ? next : low));
    last = Array.from(best.x);
    return Math.sign(log - centre) * Math.sqrt((2 * Math.max(best.value - least, 0)) / fit.dispersion);
  };
}

const FARTHEST = Math.log(1e6);

/** Where an increasing function crosses 0, searched from a point with growing steps; undefined if it is too far away. */
function crossing(f: (x: number) => number, from: number, firstStep: number): number | undefined {
  const direction = Math.sign(firstStep);
  let [inner, outer] = [from, from + firstStep];
  for (let step = firstStep; direction * f(outer) < 0; step *= 2) {
    if (Math.abs(outer - from) > FARTHEST) return undefined;
    [inner, outer] = [outer, outer + step];
  }
  let [fInner, fOuter] = [f(inner), f(outer)];
  for (let i = 0; i < 60 && Math.abs(outer - inner) > 1e-7; i++) {
    const secant = inner - (fInner * (outer - inner)) / (fOuter - fInner);
    const next = i % 3 === 2 ? (inner + outer) / 2 : secant; // the secant alone may creep along one side
    const value = f(next);
    if (Math.abs(value) < 1e-9) return next;
    if (direction * value < 0) [inner, fInner] = [next, value];
    else [outer, fOuter] = [next, value];
  }
  return (inner + outer) / 2;
}

/** A warning if the spend lies beyond those that the curve was seen at. */
function extrapolation({ data, shape }: ResponseFit, spend: number, pool: Pool): readonly string[] {
  const { exposure = 1, segment } = pool;
  const seen = data.spend.flatMap((money, row) =>
    data.segment === undefined || data.segment[row] === segment
      ? [(money / (data.exposure?.[row] ?? 1)) * exposure]
      : [],
  );
  const [least, most] = [Math.min(...seen), Math.max(...seen)];
  if (spend >= least && spend <= most) return [];
  return [
    `spends were observed from ${least} to ${most} only: at ${spend} the shape "${shape}" decides, not the data`,
  ];
}
