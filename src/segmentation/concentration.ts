import { type ColumnTable, table } from "arquero";
import { DataError } from "../core/errors.js";
import { total } from "../numeric/quantile.js";
import type { Random } from "../numeric/random.js";
import { type BootstrapOptions, type Interval, percentileInterval, requireFraction } from "./bootstrap.js";

/**
 * What to do with customers whose revenue is negative, because they returned more than they bought in the period:
 * `reject` them as an error, count them as `zero`, or `drop` them.
 */
export type NegativeRule = "reject" | "zero" | "drop";

/** Options of every measure of concentration. */
export interface ConcentrationOptions {
  /** How many customers each revenue stands for (at least 0); default 1 each. */
  readonly weights?: ArrayLike<number>;
  /** Default "reject". */
  readonly negative?: NegativeRule;
}

/** Points of the Lorenz curve, from (0, 0) to (1, 1): the poorest share of customers and its share of revenue. */
export interface LorenzCurve {
  readonly customerShare: readonly number[];
  readonly revenueShare: readonly number[];
}

/**
 * Lorenz curve of customer revenue: customers in ascending order of revenue against the revenue they bring together.
 * @throws DataError if there is no revenue at all, or a revenue or weight is not allowed.
 * @see Lorenz (1905), Methods of Measuring the Concentration of Wealth, Publ. of the American Statistical Association 9(70).
 */
export function lorenzCurve(revenue: ArrayLike<number>, options: ConcentrationOptions = {}): LorenzCurve {
  const { values, weights } = ascending(revenue, options);
  const money = values.map((value, index) => value * Number(weights[index]));
  return Object.freeze({ customerShare: runningShares(weights), revenueShare: runningShares(money) });
}

/**
 * Gini coefficient of customer revenue: 0 if all bring the same, near 1 if one brings everything; twice the area between
 * the Lorenz curve and the diagonal. The population form: no n / (n - 1) correction.
 * @throws DataError if there is no revenue at all, or a revenue or weight is not allowed.
 * @see Gini (1912), Variabilità e mutabilità.
 */
export function gini(revenue: ArrayLike<number>, options: ConcentrationOptions = {}): number {
  const { customerShare: x, revenueShare: y } = lorenzCurve(revenue, options);
  const strips = x
    .slice(1)
    .map((right, index) => (right - (x[index] ?? 0)) * ((y[index + 1] ?? 0) + (y[index] ?? 0)));
  return Math.max(0, 1 - total(strips));
}

/**
 * Share of revenue that the top `fraction` of customers bring, between two customers by interpolation.
 * @throws RangeError if the fraction is outside [0, 1].
 * @throws DataError if there is no revenue at all, or a revenue or weight is not allowed.
 */
export function topShare(
  revenue: ArrayLike<number>,
  fraction: number,
  options: ConcentrationOptions = {},
): number {
  requireFraction("fraction", fraction);
  return topShareOf(lorenzCurve(revenue, options), fraction);
}

/**
 * Groups of equal size by revenue, best first: the customer of rank i among n is in group ceil(groups * i / n).
 * Columns: `decile` (1 = highest revenue), `customers`, `revenue`, `revenue_share`, `cumulative_share`.
 * @throws RangeError if there are fewer customers than groups.
 * @throws DataError if there is no revenue at all, or a revenue is not allowed.
 */
export function revenueDeciles(
  revenue: ArrayLike<number>,
  options: { readonly groups?: number; readonly negative?: NegativeRule } = {},
): ColumnTable {
  const { groups = 10, ...rest } = options;
  const best = ascending(revenue, rest).values.reverse();
  if (!Number.isInteger(groups) || groups < 1 || groups > best.length) {
    throw new RangeError(
      `groups must be a whole number from 1 to ${best.length} (the customers), got ${groups}`,
    );
  }
  const numbers = Array.from({ length: groups }, (_, index) => index + 1);
  const endOf = (group: number): number => Math.floor((group * best.length) / groups);
  const sums = numbers.map((group) => total(best.slice(endOf(group - 1), endOf(group))));
  const all = total(sums);
  return table({
    decile: numbers,
    customers: numbers.map((group) => endOf(group) - endOf(group - 1)),
    revenue: sums,
    revenue_share: sums.map((sum) => sum / all),
    cumulative_share: runningShares(Float64Array.from(sums)).slice(1),
  });
}

/**
 * Share of revenue of the top `fraction` of customers with a percentile bootstrap interval: customers are drawn with
 * replacement, the share is computed anew each time.
 * @throws RangeError if the fraction or the level is outside [0, 1], or fewer than 20 resamples are asked for.
 * @throws DataError as `topShare`.
 */
export function topShareInterval(
  revenue: ArrayLike<number>,
  fraction: number,
  options: BootstrapOptions & { readonly negative?: NegativeRule },
): Interval {
  requireFraction("fraction", fraction);
  const { random, negative = "reject" } = options;
  const { values } = ascending(revenue, { negative });
  return percentileInterval(
    topShare(values, fraction),
    () => topShareOfResample(values, fraction, random),
    options,
  );
}

/** One resample: how often each customer is drawn; the values stay in order, so nothing needs sorting. */
function topShareOfResample(ascendingValues: Float64Array, fraction: number, random: Random): number {
  const n = ascendingValues.length;
  const times = new Uint32Array(n);
  for (let draw = 0; draw < n; draw++) {
    const index = Math.floor(random.uniform() * n);
    times[index] = (times[index] ?? 0) + 1;
  }
  let left = fraction * n;
  let top = 0;
  let all = 0;
  for (let index = n - 1; index >= 0; index--) {
    const count = times[index] ?? 0;
    const value = ascendingValues[index] ?? 0;
    top += Math.min(count, Math.max(left, 0)) * value;
    left -= count;
    all += count * value;
  }
  return all === 0 ? fraction : top / all;
}

/** Revenues in ascending order with their weights. */
interface Ascending {
  readonly values: Float64Array;
  readonly weights: Float64Array;
}

function ascending(
  revenue: ArrayLike<number>,
  { weights, negative = "reject" }: ConcentrationOptions,
): Ascending {
  if (weights && weights.length !== revenue.length) {
    throw new DataError(`weights: ${revenue.length} are needed, one a revenue, got ${weights.length}`);
  }
  const kept: number[] = [];
  for (let index = 0; index < revenue.length; index++) {
    requireRevenue(revenue[index], weights ? weights[index] : 1, index, negative);
    if (negative !== "drop" || Number(revenue[index]) >= 0) kept.push(index);
  }
  if (weights) kept.sort((a, b) => Number(revenue[a]) - Number(revenue[b]));
  const sorted: Ascending = {
    values: Float64Array.from(kept, (index) => Math.max(Number(revenue[index]), 0)),
    weights: Float64Array.from(kept, (index) => (weights ? Number(weights[index]) : 1)),
  };
  if (!weights) sorted.values.sort();
  if (!sorted.values.some((value, index) => value * Number(sorted.weights[index]) > 0)) {
    throw new DataError(
      `revenue must be above 0 for at least one customer, got ${kept.length} customers without`,
    );
  }
  return sorted;
}

function requireRevenue(
  value: number | undefined,
  weight: number | undefined,
  index: number,
  negative: NegativeRule,
): void {
  if (value === undefined || !Number.isFinite(value)) {
    throw new DataError(`revenue of customer ${index + 1} must be a number, got ${String(value)}`);
  }
  if (weight === undefined || !Number.isFinite(weight) || weight < 0) {
    throw new DataError(
      `weight of customer ${index + 1} must be a number of at least 0, got ${String(weight)}`,
    );
  }
  if (value < 0 && negative === "reject") {
    throw new DataError(
      `revenue of customer ${index + 1} must be at least 0, got ${value}; ` +
        `negative: "zero" counts such customers as 0, negative: "drop" leaves them out`,
    );
  }
}

/** Running sums as shares of the last one, starting with 0. */
function runningShares(parts: Float64Array): readonly number[] {
  const sums = new Array<number>(parts.length + 1).fill(0);
  for (let index = 0; index < parts.length; index++)
    sums[index + 1] = Number(sums[index]) + Number(parts[index]);
  const all = Number(sums[parts.length]);
  return Object.freeze(sums.map((sum) => sum / all));
}

function topShareOf({ customerShare, revenueShare }: LorenzCurve, fraction: number): number {
  const poorest = 1 - fraction;
  const right = Math.max(
    1,
    customerShare.findIndex((share) => share >= poorest),
  );
  const [x0 = 0, x1 = 1] = customerShare.slice(right - 1, right + 1);
  const [y0 = 0, y1 = 1] = revenueShare.slice(right - 1, right + 1);
  return 1 - (x1 === x0 ? y1 : y0 + ((poorest - x0) / (x1 - x0)) * (y1 - y0));
}
