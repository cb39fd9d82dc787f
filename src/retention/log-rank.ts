import { labelCodes } from "../core/columns.js";
import { DataError } from "../core/errors.js";
import { invertSymmetric } from "../numeric/matrix.js";
import { chiSquareTail } from "../numeric/tail-probability.js";
import {
  ascendingOrder,
  requireEvents,
  riskTable,
  rowsByCode,
  type SurvivalColumns,
  type SurvivalData,
  selectRows,
  survivalColumns,
} from "./survival-data.js";

/**
 * Weight of each event time: all alike, the pooled survival just before it (Peto and Peto, Prentice), the number at risk
 * (Gehan, Breslow), or survival^p (1 - survival)^q (Fleming and Harrington).
 */
export type LogRankWeights =
  | "log-rank"
  | "peto-peto"
  | "gehan-breslow"
  | { readonly p: number; readonly q: number };

/** Outcome of a test whether groups leave at the same rate. */
export interface LogRankTest {
  /** Names of the groups; the lists below follow their order. */
  readonly groups: readonly string[];
  /** Weight of the rows of each group. */
  readonly size: readonly number[];
  /** Weighted events of each group. */
  readonly observed: readonly number[];
  /** Weighted events that each group would have if all left at the same rate. */
  readonly expected: readonly number[];
  /** The statistic. */
  readonly chiSquare: number;
  /** Groups that could have had events, less one. */
  readonly degreesOfFreedom: number;
  /** Chance of a larger statistic if all groups leave at the same rate. */
  readonly p: number;
}

/**
 * Log-rank test of the hypothesis that groups have the same hazard at all times, with the usual families of weights. With
 * `strata` in the data, groups are compared within strata and the differences added up.
 * @throws DataError if the data are bad, nobody left, or fewer than two groups were ever at risk together;
 * RangeError if p or q of the weights is negative.
 * @see Mantel (1966); Peto & Peto (1972), JRSS A 135; Harrington & Fleming (1982), Biometrika 69(3).
 */
export function logRankTest(
  data: SurvivalData,
  group: ArrayLike<string | number>,
  { weights = "log-rank" }: { readonly weights?: LogRankWeights } = {},
): LogRankTest {
  const columns = survivalColumns(data);
  requireEvents(columns.event);
  const { codes, labels } = labelCodes("group", group, columns.size);
  const weightOf = weightFunction(weights);
  const count = labels.length;
  const sums: Sums = {
    observed: new Float64Array(count),
    expected: new Float64Array(count),
    variance: labels.map(() => new Float64Array(count)),
  };
  for (const rows of rowsByCode(columns.stratum, columns.strata.length)) {
    addStratum(
      sums,
      selectRows(columns, rows),
      rows.map((row) => codes[row] as number),
      weightOf,
    );
  }
  const size = labels.map(() => 0);
  for (const [row, code] of codes.entries())
    size[code] = (size[code] as number) + (columns.weight[row] as number);
  const tested = labels
    .map((_, g) => g)
    .filter((g) => ((sums.variance[g] as Float64Array)[g] as number) > 1e-12 * (sums.expected[g] as number));
  const chiSquare = statistic(sums, tested.slice(1));
  if (chiSquare === undefined) {
    throw new DataError(`groups must be at risk together at some event, ${labels.join(", ")} never are`);
  }
  const degreesOfFreedom = tested.length - 1;
  return Object.freeze({
    groups: labels.map(String),
    size,
    observed: [...sums.observed],
    expected: [...sums.expected],
    chiSquare,
    degreesOfFreedom,
    p: chiSquareTail(chiSquare, degreesOfFreedom),
  });
}

interface Sums {
  readonly observed: Float64Array;
  readonly expected: Float64Array;
  readonly variance: readonly Float64Array[];
}

type WeightFunction = (survivalBefore: number, atRisk: number) => number;

function weightFunction(weights: LogRankWeights): WeightFunction {
  if (weights === "log-rank") return () => 1;
  if (weights === "peto-peto") return (survival) => survival;
  if (weights === "gehan-breslow") return (_, atRisk) => atRisk;
  if (typeof weights === "string") {
    throw new RangeError(
      `weights must be log-rank, peto-peto, gehan-breslow or powers p and q, got ${String(weights)}`,
    );
  }
  const { p, q } = weights;
  if (!(p >= 0 && q >= 0)) throw new RangeError(`p and q must be from 0 up, got ${p} and ${q}`);
  return (survival) => survival ** p * (1 - survival) ** q;
}

/** Adds observed, expected and hypergeometric covariances of one stratum, from its last time to its first. */
function addStratum(
  sums: Sums,
  columns: SurvivalColumns,
  group: Uint32Array,
  weightOf: WeightFunction,
): void {
  const { time, event, entry, weight, size } = columns;
  const { times, atRisk, events } = riskTable(columns);
  const before = survivalBefore(atRisk, events);
  const order = ascendingOrder(time);
  const entryOrder = entry && ascendingOrder(entry);
  const staying = new Float64Array(sums.observed.length); // at risk by group
  const leaving = new Float64Array(sums.observed.length);
  let next = size - 1;
  let nextEntry = size - 1;
  for (let k = times.length - 1; k >= 0; k--) {
    const now = times[k] as number;
    leaving.fill(0);
    for (; next >= 0 && time[order[next] as number] === now; next--) {
      const row = order[next] as number;
      const g = group[row] as number;
      staying[g] = (staying[g] as number) + (weight[row] as number);
      if (event[row] === 1) leaving[g] = (leaving[g] as number) + (weight[row] as number);
    }
    if (entry && entryOrder) {
      for (; nextEntry >= 0 && (entry[entryOrder[nextEntry] as number] as number) >= now; nextEntry--) {
        const row = entryOrder[nextEntry] as number;
        const g = group[row] as number;
        staying[g] = (staying[g] as number) - (weight[row] as number);
      }
    }
    if ((events[k] as number) > 0) {
      const value = weightOf(before[k] as number, atRisk[k] as number);
      addEventTime(sums, staying, leaving, atRisk[k] as number, events[k] as number, value);
    }
  }
}

function addEventTime(
  { observed, expected, variance }: Sums,
  staying: Float64Array,
  leaving: Float64Array,
  atRisk: number,
  events: number,
  weight: number,
): void {
  const spread = atRisk > 1 ? (weight ** 2 * events * (atRisk - events)) / (atRisk - 1) : 0;
  for (let g = 0; g < staying.length; g++) {
    const share = (staying[g] as number) / atRisk;
    observed[g] = (observed[g] as number) + weight * (leaving[g] as number);
    expected[g] = (expected[g] as number) + weight * events * share;
    const row = variance[g] as Float64Array;
    for (let h = 0; h < staying.length; h++) {
      row[h] = (row[h] as number) + spread * share * ((g === h ? 1 : 0) - (staying[h] as number) / atRisk);
    }
  }
}

function survivalBefore(atRisk: Float64Array, events: Float64Array): Float64Array {
  let share = 1;
  return atRisk.map((n, k) => {
    const before = share;
    if (n > 0) share *= 1 - (events[k] as number) / n;
    return before;
  });
}

/** Squared difference in units of its variance over all but one of the groups; undefined if there is no variance. */
function statistic({ observed, expected, variance }: Sums, groups: readonly number[]): number | undefined {
  if (groups.length === 0) return undefined;
  const inverse = invertSymmetric(
    groups.map((g) => groups.map((h) => (variance[g] as Float64Array)[h] as number)),
  );
  const difference = groups.map((g) => (observed[g] as number) - (expected[g] as number));
  return inverse?.reduce(
    (sum, row, i) =>
      sum +
      row.reduce((part, value, j) => part + value * (difference[i] as number) * (difference[j] as number), 0),
    0,
  );
}
