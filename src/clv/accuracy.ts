import { type ColumnTable, table } from "arquero";
import { requireWhole } from "../core/arguments.js";
import { DataError } from "../core/errors.js";

/**
 * Order of customers with the same prediction, where an order matters (Gini, top decile, deciles, gains).
 *
 * - `average`: the mean over all their orders, so that the result does not depend on how the file is sorted.
 * - `file order`: as they stand in the file, which is what a stable sort does; only to reproduce such numbers.
 */
export type TieRule = "average" | "file order";

/** How the accuracy of a forecast is measured. */
export interface AccuracyOptions {
  /** How many customers each row stands for (at least 0); 1 if left out. */
  readonly weights?: ArrayLike<number>;
  /** Default "average". */
  readonly ties?: TieRule;
}

/** How near the forecasts of customers' purchases came. */
export interface ForecastScores {
  /** Mean absolute error, in purchases. The median has the least, so that 0 for everybody can beat a true expectation. */
  readonly mae: number;
  /** Root mean squared error, in purchases: the true expectation has the least. */
  readonly rmse: number;
  /** Mean squared difference of log(1 + purchases). */
  readonly msle: number;
  /** Total predicted over total actual purchases, less 1: -0.12 is 12 % too few. */
  readonly bias: number;
  /**
   * Normalised Gini: the area between the gains curve (customers from the highest prediction) and the diagonal, over that
   * area if customers are ordered by their actual purchases. 1 is the perfect order, 0 none.
   */
  readonly gini: number;
  /** Mean actual purchases of the tenth of customers with the highest predictions: round(N / 10) of them, at least 1. */
  readonly topDecileMean: number;
  /** `topDecileMean` over the mean of all customers. */
  readonly topDecileLift: number;
  /** Share of all purchases that the top decile made. */
  readonly topDecileShare: number;
  /**
   * Slope of the least-squares line of actual on predicted purchases: 1 is ideal; 0 where all predictions are equal (to
   * 1e-12), which has no line.
   */
  readonly calibrationSlope: number;
  /** Intercept of that line; the mean of actual purchases where all predictions are equal. */
  readonly calibrationIntercept: number;
}

/** The scores of a forecast and its rank correlation. */
export interface ForecastAccuracy extends ForecastScores {
  /** Spearman's rank correlation of predicted and actual purchases, ties at mean ranks; 0 if all predictions are equal. */
  readonly spearman: number;
}

/** Relative differences of predictions up to this are rounding. */
const SAME = 1e-12;

/**
 * Accuracy of forecasts of customers' purchases, one row a customer.
 * @throws DataError if rows do not match, a prediction or a count is not a number from 0 up, or actual purchases are all
 * equal, so that there is nothing to predict.
 * @see Wübben & von Wangenheim (2008), Instant Customer Base Analysis, J. Marketing 72(3), on judging such forecasts by
 * customer and in the aggregate; Blattberg, Kim & Neslin (2008), Database Marketing, on lift and gains.
 */
export function forecastAccuracy(
  predicted: ArrayLike<number>,
  actual: ArrayLike<number>,
  { weights = new Float64Array(actual.length).fill(1), ties = "average" }: AccuracyOptions = {},
): ForecastAccuracy {
  requireRows("weights", weights, actual.length);
  requireCounts("weights", weights);
  const scores = forecastScorer(predicted, actual, ties)(weights);
  return Object.freeze({ ...scores, spearman: rankCorrelation(predicted, actual, weights) });
}

/**
 * The scores of one forecast as a function of how often each customer counts: sorting and differences are done once, so
 * that a bootstrap can ask a thousand times.
 * @throws DataError as `forecastAccuracy`; the function it returns throws if the weighted actual purchases are all equal.
 */
export function forecastScorer(
  predicted: ArrayLike<number>,
  actual: ArrayLike<number>,
  ties: TieRule = "average",
): (weights: ArrayLike<number>) => ForecastScores {
  const size = actual.length;
  requireForecast(predicted, actual);
  const ranking = rank(predicted, ties);
  const perfect = rank(actual, "average");
  const logarithmic = Float64Array.from(
    { length: size },
    (_, row) => (Math.log1p(predicted[row] as number) - Math.log1p(actual[row] as number)) ** 2,
  );
  return (weights) => {
    let [customers, expected, total] = [0, 0, 0];
    let [lowest, highest] = [Number.POSITIVE_INFINITY, 0];
    for (let row = 0; row < size; row++) {
      const weight = weights[row] as number;
      if (weight === 0) continue;
      const p = predicted[row] as number;
      customers += weight;
      expected += weight * p;
      total += weight * (actual[row] as number);
      if (p < lowest) lowest = p;
      if (p > highest) highest = p;
    }
    const hindsight = gainsArea(groupSums(perfect, actual, weights), customers, total);
    if (!(total > 0 && hindsight > SAME)) {
      throw new DataError("actual must differ between customers, got the same number of purchases for all");
    }
    const [center, actualMean] = [expected / customers, total / customers];
    let [absolute, squares, logSquares, spread, together] = [0, 0, 0, 0, 0];
    for (let row = 0; row < size; row++) {
      const weight = weights[row] as number;
      if (weight === 0) continue;
      const p = predicted[row] as number;
      const error = p - (actual[row] as number);
      absolute += weight * Math.abs(error);
      squares += weight * error * error;
      logSquares += weight * (logarithmic[row] as number);
      spread += weight * (p - center) ** 2;
      together += weight * (p - center) * (actual[row] as number);
    }
    const isFlat = highest - lowest <= SAME * Math.max(1, highest);
    const calibrationSlope = isFlat ? 0 : together / spread;
    const groups = groupSums(ranking, actual, weights);
    const top = topOf(groups, Math.max(1, Math.round(customers / 10)));
    return {
      mae: absolute / customers,
      rmse: Math.sqrt(squares / customers),
      msle: logSquares / customers,
      bias: expected / total - 1,
      gini: gainsArea(groups, customers, total) / hindsight,
      topDecileMean: top.purchases / top.customers,
      topDecileLift: top.purchases / top.customers / actualMean,
      topDecileShare: top.purchases / total,
      calibrationSlope,
      calibrationIntercept: actualMean - calibrationSlope * center,
    };
  };
}

/**
 * Groups of customers of equal size from the highest prediction to the lowest: the customer of rank i among n is in group
 * ceil(groups i / n). Customers with the same prediction count with their mean actual purchases, unless in file order.
 * Columns: `decile` (1 = highest prediction), `customers`, `predicted` and `actual` (mean purchases a customer), `lift`
 * (over the mean of all) and `cumulative_share` of actual purchases.
 * @throws DataError as `forecastAccuracy`.
 * @throws RangeError if there are fewer customers than groups.
 */
export function predictionDeciles(
  predicted: ArrayLike<number>,
  actual: ArrayLike<number>,
  { groups = 10, ties = "average" }: { readonly groups?: number; readonly ties?: TieRule } = {},
): ColumnTable {
  requireForecast(predicted, actual);
  const size = actual.length;
  if (!(Number.isInteger(groups) && groups >= 1 && groups <= size)) {
    throw new RangeError(`groups must be a whole number from 1 to ${size} (the customers), got ${groups}`);
  }
  const { order, ends } = rank(predicted, ties);
  const bought = new Float64Array(size + 1); // running sums along the ranks
  const expected = new Float64Array(size + 1);
  let start = 0;
  for (const end of ends) {
    let tied = 0;
    for (let place = start; place < end; place++) tied += actual[order[place] as number] as number;
    for (let place = start; place < end; place++) {
      bought[place + 1] = (bought[place] as number) + tied / (end - start);
      expected[place + 1] = (expected[place] as number) + (predicted[order[place] as number] as number);
    }
    start = end;
  }
  const total = requirePurchases(bought[size] as number);
  const numbers = Array.from({ length: groups }, (_, group) => group + 1);
  const edge = (group: number): number => Math.floor((group * size) / groups);
  const customers = numbers.map((group) => edge(group) - edge(group - 1));
  const meanOf = (sums: Float64Array): number[] =>
    numbers.map(
      (group, index) =>
        ((sums[edge(group)] as number) - (sums[edge(group - 1)] as number)) / (customers[index] as number),
    );
  const actualMeans = meanOf(bought);
  return table({
    decile: numbers,
    customers,
    predicted: meanOf(expected),
    actual: actualMeans,
    lift: actualMeans.map((value) => (value * size) / total),
    cumulative_share: numbers.map((group) => (bought[edge(group)] as number) / total),
  });
}

/**
 * Gains curves: which share of the actual purchases the customers with the highest predictions made.
 * Columns: `customers` (share of customers, from 0 to 1 in `points` equal steps), `perfect` (customers in the order of
 * their actual purchases), and one column for each forecast by its name.
 * @throws DataError as `forecastAccuracy`.
 * @throws RangeError if points is not a whole number from 1 up.
 */
export function gainsCurve(
  forecasts: Readonly<Record<string, ArrayLike<number>>>,
  actual: ArrayLike<number>,
  { points = 100, ties = "average" }: { readonly points?: number; readonly ties?: TieRule } = {},
): ColumnTable {
  requireWhole("points", points, 1);
  const size = actual.length;
  const shares = Array.from({ length: points + 1 }, (_, point) => point / points);
  const curve = (values: ArrayLike<number>, rule: TieRule): number[] => {
    requireForecast(values, actual);
    const { order, ends } = rank(values, rule);
    const at = [0];
    const bought = [0];
    let place = 0;
    let total = 0;
    for (const end of ends) {
      for (; place < end; place++) total += actual[order[place] as number] as number;
      at.push(end);
      bought.push(total);
    }
    requirePurchases(total);
    let right = 1;
    return shares.map((share) => {
      while ((at[right] as number) < share * size) right++;
      const [x0, x1] = [at[right - 1] as number, at[right] as number];
      const [y0, y1] = [bought[right - 1] as number, bought[right] as number];
      return share === 1 ? 1 : (y0 + ((y1 - y0) * (share * size - x0)) / (x1 - x0)) / total;
    });
  };
  return table({
    customers: shares,
    perfect: curve(actual, "average"),
    ...Object.fromEntries(Object.entries(forecasts).map(([name, values]) => [name, curve(values, ties)])),
  });
}

/** Customers from the highest value to the lowest, and where each group that the value does not tell apart ends. */
interface Ranking {
  readonly order: Uint32Array;
  readonly ends: Uint32Array;
}

function rank(values: ArrayLike<number>, ties: TieRule): Ranking {
  const at = (row: number): number => values[row] as number;
  const order = Uint32Array.from({ length: values.length }, (_, row) => row);
  order.sort((i, j) => at(j) - at(i) || i - j);
  const ends: number[] = [];
  for (let place = 1; place <= order.length; place++) {
    const value = at(order[place - 1] as number);
    // 3 purchases in 189 days and 4 in 252 are the same rate, though in weeks they differ by rounding.
    const isTied =
      ties === "average" && place < order.length && value - at(order[place] as number) <= SAME * value;
    if (!isTied) ends.push(place);
  }
  return { order, ends: Uint32Array.from(ends) };
}

/** Customers and their purchases, group by group from the top. */
interface GroupSums {
  readonly customers: Float64Array;
  readonly purchases: Float64Array;
}

function groupSums(
  { order, ends }: Ranking,
  actual: ArrayLike<number>,
  weights: ArrayLike<number>,
): GroupSums {
  const customers = new Float64Array(ends.length);
  const purchases = new Float64Array(ends.length);
  let place = 0;
  for (let group = 0; group < ends.length; group++) {
    let [width, rise] = [0, 0];
    for (; place < (ends[group] as number); place++) {
      const row = order[place] as number;
      const weight = weights[row] as number;
      width += weight;
      rise += weight * (actual[row] as number);
    }
    customers[group] = width;
    purchases[group] = rise;
  }
  return { customers, purchases };
}

/** Area between the gains curve and the diagonal; the curve is straight across customers that are tied. */
function gainsArea({ customers, purchases }: GroupSums, size: number, total: number): number {
  let area = 0;
  let before = 0;
  for (let group = 0; group < customers.length; group++) {
    const rise = purchases[group] as number;
    area += (customers[group] as number) * (before + rise / 2);
    before += rise;
  }
  return area / (size * total) - 0.5;
}

/** The purchases of a number of customers from the top; of a tied group at the edge, the part that it takes. */
function topOf(
  groups: GroupSums,
  wanted: number,
): { readonly customers: number; readonly purchases: number } {
  let customers = 0;
  let purchases = 0;
  for (let group = 0; group < groups.customers.length && customers < wanted; group++) {
    const width = groups.customers[group] as number;
    if (width === 0) continue;
    const part = Math.min(1, (wanted - customers) / width);
    customers += part * width;
    purchases += part * (groups.purchases[group] as number);
  }
  return { customers, purchases };
}

function rankCorrelation(
  predicted: ArrayLike<number>,
  actual: ArrayLike<number>,
  weights: ArrayLike<number>,
): number {
  const [x, y] = [middleRanks(predicted, weights), middleRanks(actual, weights)];
  let [xx, yy, xy] = [0, 0, 0];
  for (let row = 0; row < x.length; row++) {
    const weight = weights[row] as number;
    xx += weight * (x[row] as number) ** 2;
    yy += weight * (y[row] as number) ** 2;
    xy += weight * (x[row] as number) * (y[row] as number);
  }
  return xx === 0 ? 0 : xy / Math.sqrt(xx * yy);
}

/** Mean rank of each customer among its ties, less the middle rank of all, which is the weighted mean. */
function middleRanks(values: ArrayLike<number>, weights: ArrayLike<number>): Float64Array {
  const { order, ends } = rank(values, "average");
  const ranks = new Float64Array(values.length);
  const middle = sum(weights) / 2;
  let before = 0;
  let start = 0;
  for (const end of ends) {
    let width = 0;
    for (let place = start; place < end; place++) width += weights[order[place] as number] as number;
    for (let place = start; place < end; place++) ranks[order[place] as number] = before + width / 2 - middle;
    before += width;
    start = end;
  }
  return ranks;
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let row = 0; row < values.length; row++) total += values[row] as number;
  return total;
}

function requireForecast(predicted: ArrayLike<number>, actual: ArrayLike<number>): void {
  if (actual.length === 0) throw new DataError("actual must have at least one customer, got none");
  requireRows("predicted", predicted, actual.length);
  requireCounts("predicted", predicted);
  requireCounts("actual", actual);
}

function requirePurchases(total: number): number {
  if (!(total > 0)) throw new DataError("actual must be above 0 for at least one customer, got 0 for all");
  return total;
}

function requireRows(name: string, column: ArrayLike<number>, rows: number): void {
  if (column.length !== rows) {
    throw new DataError(`${name} must have one value for each of ${rows} customers, got ${column.length}`);
  }
}

function requireCounts(name: string, values: ArrayLike<number>): void {
  for (let row = 0; row < values.length; row++) {
    const value = values[row] as number;
    if (!(value >= 0 && Number.isFinite(value))) {
      throw new DataError(`${name} of customer ${row + 1} must be a number from 0 up, got ${value}`);
    }
  }
}
