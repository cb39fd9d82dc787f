import { requireAbove, requireFromZero, requireLevel, requireOneOf } from "../core/arguments.js";
import { normalQuantile } from "../numeric/special.js";
import {
  countAtMost,
  riskTable,
  rowsByCode,
  type SurvivalColumns,
  type SurvivalData,
  selectRows,
  survivalColumns,
} from "./survival-data.js";

/** How a pointwise interval of a probability is built: on the scale of the log, of log(-log), or as it is. */
export type ConfidenceScale = "log" | "log-log" | "plain";

/** Which pointwise interval to give. */
export interface IntervalOptions {
  /** "log" unless given; limits stay within 0 and 1. */
  readonly confidence?: ConfidenceScale;
  /** Confidence level as a fraction; 0.95 unless given. */
  readonly level?: number;
}

/** A survival curve: one element for each distinct time, ascending; it stays level between them and is 1 before. */
export interface SurvivalCurve {
  /** Distinct times at which somebody left or was censored. */
  readonly times: Float64Array;
  /** Weight at risk just before each time. */
  readonly atRisk: Float64Array;
  /** Weight that leaves at each time. */
  readonly events: Float64Array;
  /** Weight censored at each time, after the events. */
  readonly censored: Float64Array;
  /** Share still there after each time. */
  readonly survival: Float64Array;
  /** Greenwood's standard error of the share. */
  readonly standardError: Float64Array;
  /** Lower pointwise confidence limit. */
  readonly low: Float64Array;
  /** Upper pointwise confidence limit. */
  readonly high: Float64Array;
  /** Scale of the interval. */
  readonly confidence: ConfidenceScale;
  /** Confidence level of the interval. */
  readonly level: number;
}

/** A cumulative hazard: one element for each distinct time, ascending. */
export interface CumulativeHazard {
  /** Distinct times at which somebody left or was censored. */
  readonly times: Float64Array;
  /** Weight at risk just before each time. */
  readonly atRisk: Float64Array;
  /** Weight that leaves at each time. */
  readonly events: Float64Array;
  /** Sum of events / at risk up to and with each time. */
  readonly cumulativeHazard: Float64Array;
  /** Standard error of the cumulative hazard. */
  readonly standardError: Float64Array;
  /** Lower confidence limit, built on the log scale. */
  readonly low: Float64Array;
  /** Upper confidence limit, built on the log scale. */
  readonly high: Float64Array;
}

/** An estimated share with its standard error and limits. */
export interface SurvivalEstimate {
  /** The share. */
  readonly survival: number;
  /** Its standard error. */
  readonly standardError: number;
  /** Lower confidence limit. */
  readonly low: number;
  /** Upper confidence limit. */
  readonly high: number;
}

/** A quantile of the lifetime; `undefined` means "not reached while customers were observed". */
export interface SurvivalQuantile {
  /** First time at which the curve is at or below the share. */
  readonly time: number | undefined;
  /** Lower limit: where the lower confidence limit gets there. */
  readonly low: number | undefined;
  /** Upper limit: where the upper confidence limit gets there. */
  readonly high: number | undefined;
}

/**
 * Kaplan-Meier estimate of the survival curve: the share of customers still there after each time. Rows with `entry` are at
 * risk from just after it; weights count as repeated rows; strata are pooled (`kaplanMeierByStratum` keeps them apart).
 * Without any event the curve stays at 1; where nobody is left, share and standard error are 0.
 * @throws DataError if the data are bad (see SurvivalData); RangeError if `level` is not between 0 and 1.
 * @see Kaplan & Meier (1958), JASA 53; Greenwood (1926).
 */
export function kaplanMeier(data: SurvivalData, options: IntervalOptions = {}): SurvivalCurve {
  return curveOf(survivalColumns(data), options);
}

/**
 * A Kaplan-Meier curve for every stratum of the data, in the order of the strata.
 * @throws DataError if the data are bad; RangeError if `level` is not between 0 and 1.
 */
export function kaplanMeierByStratum(
  data: SurvivalData,
  options: IntervalOptions = {},
): readonly { readonly stratum: string; readonly curve: SurvivalCurve }[] {
  const columns = survivalColumns(data);
  return rowsByCode(columns.stratum, columns.strata.length).map((rows, code) =>
    Object.freeze({
      stratum: columns.strata[code] as string,
      curve: curveOf(selectRows(columns, rows), options),
    }),
  );
}

function curveOf(
  columns: SurvivalColumns,
  { confidence = "log", level = 0.95 }: IntervalOptions,
): SurvivalCurve {
  requireOneOf("confidence", confidence, ["log", "log-log", "plain"]);
  const z = normalScore(level);
  const table = riskTable(columns);
  const size = table.times.length;
  const survival = new Float64Array(size);
  const standardError = new Float64Array(size);
  const low = new Float64Array(size);
  const high = new Float64Array(size);
  let share = 1;
  let relativeVariance = 0;
  for (let k = 0; k < size; k++) {
    const events = table.events[k] as number;
    const atRisk = table.atRisk[k] as number;
    if (events > 0 && share > 0) {
      share = remaining(share, events, atRisk);
      relativeVariance += greenwoodTerm(events, atRisk);
    }
    const error = share > 0 ? share * Math.sqrt(relativeVariance) : 0;
    survival[k] = share;
    standardError[k] = error;
    [low[k], high[k]] = intervalOf(share, error, z, confidence);
  }
  return Object.freeze({ ...table, survival, standardError, low, high, confidence, level });
}

/** Share left after events; exactly 0 if all at risk leave, although weights may not add up to the last digit. */
const remaining = (share: number, events: number, atRisk: number): number =>
  atRisk - events <= 1e-12 * atRisk ? 0 : share * (1 - events / atRisk);

/** Increment of the variance of the log share; 0 where all leave, because the share is 0 from there on. */
export const greenwoodTerm = (events: number, atRisk: number): number =>
  atRisk - events <= 1e-12 * atRisk ? 0 : events / (atRisk * (atRisk - events));

/** Standard normal score of a two-sided level. */
export function normalScore(level: number): number {
  requireLevel(level);
  return normalQuantile((1 + level) / 2);
}

/** Pointwise limits of a probability within 0 and 1; both are the estimate where its standard error is 0. */
export function intervalOf(
  share: number,
  error: number,
  z: number,
  confidence: ConfidenceScale,
): [low: number, high: number] {
  if (error === 0 || share <= 0 || share >= 1) return [share, share];
  if (confidence === "plain") return [Math.max(0, share - z * error), Math.min(1, share + z * error)];
  if (confidence === "log") {
    const factor = Math.exp((z * error) / share);
    return [share / factor, Math.min(1, share * factor)];
  }
  const factor = Math.exp((z * error) / (share * -Math.log(share)));
  return [share ** factor, share ** (1 / factor)];
}

/**
 * Nelson-Aalen estimate of the cumulative hazard. Strata are pooled.
 * @throws DataError if the data are bad; RangeError if `level` is not between 0 and 1.
 * @see Aalen (1978), Annals of Statistics 6(4).
 */
export function nelsonAalen(data: SurvivalData, { level = 0.95 } = {}): CumulativeHazard {
  const z = normalScore(level);
  const { times, atRisk, events } = riskTable(survivalColumns(data));
  const cumulativeHazard = new Float64Array(times.length);
  const standardError = new Float64Array(times.length);
  const low = new Float64Array(times.length);
  const high = new Float64Array(times.length);
  let hazard = 0;
  let variance = 0;
  for (let k = 0; k < times.length; k++) {
    const left = events[k] as number;
    if (left > 0) {
      hazard += left / (atRisk[k] as number);
      variance += left / (atRisk[k] as number) ** 2;
    }
    const factor = hazard > 0 ? Math.exp((z * Math.sqrt(variance)) / hazard) : 1;
    cumulativeHazard[k] = hazard;
    standardError[k] = Math.sqrt(variance);
    low[k] = hazard / factor;
    high[k] = hazard * factor;
  }
  return Object.freeze({ times, atRisk, events, cumulativeHazard, standardError, low, high });
}

/**
 * Time by which the share still there has fallen to `share` (0.5 is the median lifetime), with the limits that the
 * curve's own interval gives. Where the curve lies level exactly at the share, the middle of the level stretch.
 * @throws RangeError if `share` is not between 0 and 1.
 * @see Brookmeyer & Crowley (1982), Biometrics 38, for the interval.
 */
export function survivalQuantile(curve: SurvivalCurve, share: number): SurvivalQuantile {
  if (!(share > 0 && share < 1)) throw new RangeError(`share must be between 0 and 1, got ${share}`);
  return Object.freeze({
    time: crossing(curve.times, curve.survival, share),
    low: crossing(curve.times, curve.low, share),
    high: crossing(curve.times, curve.high, share),
  });
}

/** Median lifetime with its interval; see survivalQuantile. */
export const medianSurvival = (curve: SurvivalCurve): SurvivalQuantile => survivalQuantile(curve, 0.5);

function crossing(times: Float64Array, values: Float64Array, share: number): number | undefined {
  const reached = values.findIndex((value) => value <= share + 1e-12);
  if (reached === -1) return undefined;
  const value = values[reached] as number;
  const below = Math.abs(value - share) <= 1e-12 ? values.findIndex((later) => later < share - 1e-12) : -1;
  return below === -1 ? times[reached] : ((times[reached] as number) + (times[below] as number)) / 2;
}

/**
 * Restricted mean lifetime: the area under the curve up to `until`, that is, the mean time a customer stays within that
 * horizon, in the unit of the times. With `from`, the mean residual lifetime: the time that customers still there at `from`
 * stay on average between `from` and `until`. From 0 unless given, which is everybody, also those who leave at once.
 * @throws RangeError if `from` is not from 0 up, nobody is left at `from`, `until` is not above `from`, or is after the last
 * observed time while customers are still there.
 * @see Klein & Moeschberger (2003), Survival Analysis, 2nd ed., sections 2.4 and 4.5.
 */
export function restrictedMeanSurvival(
  curve: SurvivalCurve,
  until: number,
  { from = 0 }: { readonly from?: number } = {},
): { readonly mean: number; readonly standardError: number } {
  requireFromZero({ from });
  requireAbove("until", until, from);
  requireObserved("until", curve, until);
  const { times, survival, events, atRisk } = curve;
  const before = from > 0 ? countAtMost(times, from) : 0; // times that those still there have passed
  const start = shareAfter(curve, before);
  if (start === 0) throw new RangeError(`from must be a time with customers left, got ${from}`);
  let area = 0;
  let variance = 0;
  let end = until;
  for (let k = countAtMost(times, until) - 1; k >= before; k--) {
    area += (survival[k] as number) * (end - (times[k] as number)); // from this time to the horizon
    end = times[k] as number;
    variance += area ** 2 * greenwoodTerm(events[k] as number, atRisk[k] as number);
  }
  area += start * (end - from);
  return Object.freeze({ mean: area / start, standardError: Math.sqrt(variance) / start });
}

/** Share still there after so many of the distinct times. */
const shareAfter = ({ survival }: SurvivalCurve, passed: number): number => survival[passed - 1] ?? 1;

/**
 * Share of the customers still there at `from` who are still there at `to`.
 * @throws RangeError if the times are not 0 <= from <= to, nobody is left at `from`, or `to` is after the last observed
 * time while customers are still there.
 */
export function conditionalSurvival(curve: SurvivalCurve, from: number, to: number): SurvivalEstimate {
  if (!(from >= 0 && to >= from))
    throw new RangeError(`times must be 0 <= from <= to, got ${from} and ${to}`);
  requireObserved("to", curve, to);
  const before = countAtMost(curve.times, from);
  const after = countAtMost(curve.times, to);
  const start = shareAfter(curve, before);
  if (start === 0) throw new RangeError(`from must be a time with customers left, got ${from}`);
  const survival = shareAfter(curve, after) / start;
  let variance = 0;
  for (let k = before; k < after; k++) {
    variance += greenwoodTerm(curve.events[k] as number, curve.atRisk[k] as number);
  }
  const standardError = survival * Math.sqrt(variance);
  const [low, high] = intervalOf(survival, standardError, normalScore(curve.level), curve.confidence);
  return Object.freeze({ survival, standardError, low, high });
}

/**
 * Share still there at each of some times, in their order.
 * @throws RangeError if a time is negative, or after the last observed time while customers are still there.
 */
export function survivalAt(curve: SurvivalCurve, times: ArrayLike<number>): Float64Array {
  return Float64Array.from(times, (time) => {
    if (!(time >= 0)) throw new RangeError(`times must be from 0 up, got ${time}`);
    requireObserved("times", curve, time);
    return shareAfter(curve, countAtMost(curve.times, time));
  });
}

function requireObserved(name: string, { times, survival }: SurvivalCurve, time: number): void {
  const last = times.at(-1) as number;
  if (time > last && (survival.at(-1) as number) > 0) {
    throw new RangeError(`${name} must be at most the last observed time ${last}, got ${time}`);
  }
}
