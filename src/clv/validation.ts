import { type ColumnTable, table } from "arquero";
import { requireWhole } from "../core/arguments.js";
import { DataError } from "../core/errors.js";
import { requireDay } from "../core/read-day.js";
import { numberColumn } from "../core/table.js";
import { inDays, type TimeUnit } from "../core/types.js";
import { logBeta, logGamma } from "../numeric/special.js";
import type { BuyingModel, ParameterValues } from "./buying-model.js";
import {
  distinctValues,
  type PurchaseCells,
  type PurchaseCustomer,
  type PurchaseHistories,
} from "./cells.js";
import { type PurchaseSummaryOptions, readPurchases, summarisePurchases } from "./purchase-summary.js";
import { treatReturns } from "./returns.js";

/** A model with the parameters to use it with: `{ model: bgNbd, parameters: fit.parameters }`. */
export interface FittedModel<P extends string = string> {
  /** Names its column in a table. */
  readonly model: BuyingModel<P>;
  /** Estimated or published. */
  readonly parameters: ParameterValues<P>;
}

const newCustomer: PurchaseCustomer = { x: 0, recency: 0, age: 0 };

/**
 * How many customers made 0, 1, …, `max` - 1, `max` or more repeat purchases, and how many each model expects: the sum over
 * all customers of what it expects of a new customer in the time that this one has been observed.
 * Columns: `purchases` ("0", "1", …, "7+"), `actual`, and one a model by its name.
 * @throws RangeError if max is not a whole number from 1 up, or a parameter is not possible.
 * @see Fader, Hardie & Lee (2005), Counting Your Customers the Easy Way, Marketing Science 24(2).
 */
export function calibrationHistogram(
  models: readonly FittedModel[],
  cells: PurchaseCells,
  max = 7,
): ColumnTable {
  const labels = classLabels(max);
  const actual = new Float64Array(max + 1);
  for (const [cell, x] of cells.x.entries()) add(actual, Math.min(x, max), cells.weight[cell] as number);
  const { values: ages, customers } = customersByAge(cells);
  const expected = ({ model, parameters }: FittedModel): Float64Array => {
    const counts = new Float64Array(max + 1);
    for (const [place, age] of ages.entries()) {
      const chances = model.purchaseDistribution(parameters, newCustomer, age, max - 1);
      let rest = 1;
      for (const [x, chance] of chances.entries()) {
        add(counts, x, (customers[place] as number) * chance);
        rest -= chance;
      }
      add(counts, max, (customers[place] as number) * rest);
    }
    return counts;
  };
  return table({ purchases: labels, actual, ...byName(models, expected) });
}

/**
 * Mean holdout purchases of customers by their number of repeat purchases in the calibration period, actual and as
 * forecast. Columns: `purchases` ("0", "1", …, "7+"), `customers`, `actual`, and one for each forecast by its name.
 * Numbers of purchases that nobody made are left out.
 * @throws DataError if rows do not match.
 * @throws RangeError if max is not a whole number from 1 up.
 * @see Fader, Hardie & Lee (2005), Counting Your Customers the Easy Way, Marketing Science 24(2).
 */
export function holdoutByFrequency(
  x: ArrayLike<number>,
  actual: ArrayLike<number>,
  forecasts: Readonly<Record<string, ArrayLike<number>>>,
  max = 7,
): ColumnTable {
  const labels = classLabels(max);
  const customers = new Float64Array(max + 1);
  for (let row = 0; row < x.length; row++) add(customers, Math.min(x[row] as number, max), 1);
  const kept = [...customers.keys()].filter((place) => (customers[place] as number) > 0);
  const means = (name: string, values: ArrayLike<number>): number[] => {
    if (values.length !== x.length) {
      throw new DataError(
        `${name} must have one value for each of ${x.length} customers, got ${values.length}`,
      );
    }
    const sums = new Float64Array(max + 1);
    for (let row = 0; row < x.length; row++)
      add(sums, Math.min(x[row] as number, max), values[row] as number);
    return kept.map((place) => (sums[place] as number) / (customers[place] as number));
  };
  return table({
    purchases: kept.map((place) => labels[place]),
    customers: kept.map((place) => customers[place]),
    actual: means("actual", actual),
    ...Object.fromEntries(Object.entries(forecasts).map(([name, values]) => [name, means(name, values)])),
  });
}

/** Repeat purchases of a base of customers over time. */
export interface Tracking {
  /** Ends of the steps, since the first purchase of the first customer. */
  readonly time: readonly number[];
  /** Repeat purchases within each step. */
  readonly incremental: readonly number[];
  /** Repeat purchases from the start to the end of each step. */
  readonly cumulative: readonly number[];
}

/** The grid of a tracking, in the unit of the data. */
export interface TrackingGrid {
  /** Last time; steps that would end after it are left out. */
  readonly until: number;
  /** Length of a step; default 1. */
  readonly step?: number;
}

/**
 * Expected repeat purchases of a base of customers over time, as of new customers, from each one's first purchase on: no
 * other purchase is known. Time 0 is the first purchase of the first customer; who has been observed for the age T began
 * at max T - T.
 * @throws RangeError if a parameter is not possible, the step is not above 0, or `until` is shorter than a step.
 * @see Fader, Hardie & Lee (2005), Counting Your Customers the Easy Way, Marketing Science 24(2).
 */
export function trackPurchases<P extends string>(
  model: BuyingModel<P>,
  parameters: ParameterValues<P>,
  base: Pick<PurchaseHistories, "age" | "weight">,
  { until, step = 1 }: TrackingGrid,
): Tracking {
  const { values: ages, customers } = customersByAge(base);
  const oldest = ages.reduce((most, age) => Math.max(most, age), 0);
  const time = gridTo(until, step);
  const cumulative = time.map((now) => {
    let purchases = 0;
    for (const [place, age] of ages.entries()) {
      const since = now - (oldest - age);
      if (since > 0) {
        purchases += (customers[place] as number) * model.expectedPurchases(parameters, newCustomer, since);
      }
    }
    return purchases;
  });
  return trackingOf(time, cumulative);
}

/** Which customers and days of a log are tracked. */
export interface ActualTrackingOptions extends Omit<PurchaseSummaryOptions, "holdoutEnd" | "firstOrder"> {
  /** Last day to track; `end` says until when who bought for the first time belongs to the base. */
  readonly until: string;
  /** Length of a step in the unit, a whole number of days; default 1. */
  readonly step?: number;
}

/**
 * Repeat purchases of a base of customers over time, from a log of purchases: one a customer and day. Time 0 is the begin
 * of the day of the base's first purchase, so that week 1 ends with its seventh day.
 * @throws DataError as `summarisePurchases`.
 * @throws RangeError if a day is none, a step is not a whole number of days from 1 up, or no step ends by `until`.
 */
export function actualTracking(purchases: ColumnTable, options: ActualTrackingOptions): Tracking {
  const { amount = "amount", unit, returns = "reject", step = 1 } = options;
  const end = requireDay("end", options.end);
  const unitDays = inDays({ unit, length: 1 }).length;
  if (!(Number.isInteger(step * unitDays) && step > 0)) {
    throw new RangeError(`step must be a whole number of days above 0, got ${step} ${unit}`);
  }
  const log = treatReturns(readPurchases(purchases, options), returns, amount).customers;
  const bases: { readonly first: number; readonly days: readonly number[] }[] = [];
  let start = Number.POSITIVE_INFINITY;
  for (const own of log.values()) {
    const days = [...own.keys()];
    const first = Math.min(...days);
    if (first > end) continue;
    bases.push({ first, days });
    start = Math.min(start, first);
  }
  if (bases.length === 0) throw new DataError(`purchases: nobody bought up to the end, ${options.end}`);
  const time = gridTo((requireDay("until", options.until) + 1 - start) / unitDays, step);
  const incremental = new Float64Array(time.length);
  for (const { first, days } of bases) {
    for (const day of days) {
      const place = Math.floor((day - start) / (step * unitDays));
      if (day > first && place < time.length) add(incremental, place, 1);
    }
  }
  let sum = 0;
  return trackingOf(
    time,
    Array.from(incremental, (count) => (sum += count)),
  );
}

/**
 * Actual and expected repeat purchases over time of the customers who bought for the first time up to `end`.
 * Columns: `time`, `actual`, and one a model by its name: running totals if cumulative, else purchases in each step.
 * @throws DataError and RangeError as `actualTracking` and `trackPurchases`.
 */
export function trackingTable(
  purchases: ColumnTable,
  models: readonly FittedModel[],
  options: ActualTrackingOptions & { readonly cumulative: boolean },
): ColumnTable {
  const { step = 1, cumulative } = options;
  const column = (tracking: Tracking): readonly number[] =>
    cumulative ? tracking.cumulative : tracking.incremental;
  const actual = actualTracking(purchases, options);
  const age = numberColumn(summarisePurchases(purchases, options), "age", "customers");
  const until = actual.time.at(-1) as number;
  return table({
    time: actual.time,
    actual: column(actual),
    ...byName(models, ({ model, parameters }) =>
      column(trackPurchases(model, parameters, { age }, { until, step })),
    ),
  });
}

/** The probability that one customer is still one, as it was seen at each time. */
export interface AliveHistory {
  /** Times since the first purchase, rising: the steps of the grid and the purchases. */
  readonly time: readonly number[];
  /** Probability at each time, a purchase at that time counted. */
  readonly alive: readonly number[];
  /** Times of the purchases, the first one 0. */
  readonly purchases: readonly number[];
  /** Unit of all times. */
  readonly unit: TimeUnit;
}

/**
 * The probability that a customer is still one, computed anew as time passes from what was known at each time.
 * `purchaseTimes` are those of all purchases, the first one included, from any origin; `until` and `step` count from the
 * first purchase; all are in `unit`.
 * @throws RangeError if purchase times are missing or do not rise, one lies after `until`, the step is not above 0, or a
 * parameter is not possible.
 */
export function aliveHistory<P extends string>(
  model: BuyingModel<P>,
  parameters: ParameterValues<P>,
  purchaseTimes: readonly number[],
  { until, step = 1, unit }: TrackingGrid & { readonly unit: TimeUnit },
): AliveHistory {
  const [first] = purchaseTimes;
  if (first === undefined)
    throw new RangeError("purchaseTimes must hold at least the first purchase, got none");
  const purchases = purchaseTimes.map((time) => time - first);
  for (const [place, time] of purchases.entries()) {
    const isAfter = place === 0 || time > (purchases[place - 1] as number);
    if (isAfter && time <= until) continue;
    throw new RangeError(
      `purchaseTimes must rise, up to ${until} after the first, got ${purchaseTimes.join(", ")}`,
    );
  }
  const time = [...new Set([...purchases, ...gridTo(until, step), until])].sort((a, b) => a - b);
  const alive = time.map((now) => {
    const past = purchases.filter((at) => at <= now);
    const customer = { x: past.length - 1, recency: past.at(-1) as number, age: now };
    return model.probabilityAlive(parameters, customer);
  });
  return { time, alive, purchases, unit };
}

/** A value for every number of repeat purchases and time of the last one. */
export interface CustomerMatrix {
  /** Repeat purchases 0, 1, …, rising. */
  readonly x: readonly number[];
  /** Times of the last purchase since the first one, rising; 0 where there was no other. */
  readonly recency: readonly number[];
  /** A row for each recency, a value for each x; null where no customer can be: only one of the two is 0. */
  readonly values: readonly (readonly (number | null)[])[];
  /** Unit of all times. */
  readonly unit: TimeUnit;
}

/** Which customers a matrix has. */
export interface MatrixOptions {
  /** Time since the first purchase, the same for all. */
  readonly age: number;
  /** Largest number of repeat purchases. */
  readonly maxX: number;
  /** Unit of the age and of the model's parameters. */
  readonly unit: TimeUnit;
  /** Number of equal steps of the recency from 0 to the age; default 40. */
  readonly steps?: number;
}

/**
 * Expected purchases in the next `horizon` units of time of customers of one age, by repeat purchases and recency.
 * @throws RangeError if the age is not above 0, maxX or steps is not a whole number from 1 up, or a parameter is not
 * possible.
 * @see Fader, Hardie & Lee (2005), RFM and CLV: Using Iso-Value Curves, J. Marketing Research 42(4).
 */
export function frequencyRecencyMatrix<P extends string>(
  model: BuyingModel<P>,
  parameters: ParameterValues<P>,
  { horizon, ...options }: MatrixOptions & { readonly horizon: number },
): CustomerMatrix & { readonly horizon: number } {
  const matrix = matrixOf(options, (customer) => model.expectedPurchases(parameters, customer, horizon));
  return { ...matrix, horizon };
}

/**
 * Probability that customers of one age are still customers, by repeat purchases and recency.
 * @throws RangeError as `frequencyRecencyMatrix`.
 */
export function probabilityAliveMatrix<P extends string>(
  model: BuyingModel<P>,
  parameters: ParameterValues<P>,
  options: MatrixOptions,
): CustomerMatrix {
  return matrixOf(options, (customer) => model.probabilityAlive(parameters, customer));
}

/** How one trait of customers is distributed over them. */
export interface TraitDensity {
  /** "buying rate", "dropout rate" or "dropout probability". */
  readonly name: string;
  /** "purchases per week"; none for a probability. */
  readonly unit?: string;
  /** Values of the trait, rising, none at 0. */
  readonly x: readonly number[];
  /** Density over customers at each value. */
  readonly density: readonly number[];
  /** Mean over customers. */
  readonly mean: number;
}

/**
 * How unlike customers are: the gamma density of buying rates, and the gamma density of dropout rates (Pareto/NBD) or the
 * beta density of dropout probabilities after a purchase (BG/NBD and relatives). Gamma densities run to four standard
 * deviations above the mean; values lie in the middle of `points` equal steps, as a density may have a pole at 0.
 * @throws RangeError if a parameter is not above 0 or points is not a whole number from 1 up.
 */
export function heterogeneity<P extends string>(
  model: BuyingModel<P>,
  parameters: ParameterValues<P>,
  { unit, points = 200 }: { readonly unit: TimeUnit; readonly points?: number },
): readonly TraitDensity[] {
  requireWhole("points", points, 1);
  model.customerRates(parameters, newCustomer); // checks the parameters
  const { r, alpha, s, beta, a, b } = parameters as Readonly<Record<string, number | undefined>>;
  const per = unit.slice(0, -1);
  const traits: TraitDensity[] = [];
  if (r !== undefined && alpha !== undefined) {
    const rate = model.regularity * alpha; // k Erlang stages make one purchase
    traits.push({ name: "buying rate", unit: `purchases per ${per}`, ...gammaDensity(r, rate, points) });
  }
  if (s !== undefined && beta !== undefined) {
    traits.push({ name: "dropout rate", unit: `per ${per}`, ...gammaDensity(s, beta, points) });
  }
  if (a !== undefined && b !== undefined) {
    traits.push({ name: "dropout probability", ...betaDensity(a, b, points) });
  }
  return traits;
}

type Density = Pick<TraitDensity, "x" | "density" | "mean">;

function gammaDensity(shape: number, rate: number, points: number): Density {
  const upper = (shape + 4 * Math.sqrt(shape)) / rate;
  const scale = shape * Math.log(rate) - logGamma(shape);
  const x = middles(points, upper);
  return {
    x,
    density: x.map((value) => Math.exp(scale + (shape - 1) * Math.log(value) - rate * value)),
    mean: shape / rate,
  };
}

function betaDensity(a: number, b: number, points: number): Density {
  const scale = -logBeta(a, b);
  const x = middles(points, 1);
  return {
    x,
    density: x.map((p) => Math.exp(scale + (a - 1) * Math.log(p) + (b - 1) * Math.log1p(-p))),
    mean: a / (a + b),
  };
}

const middles = (points: number, upper: number): number[] =>
  Array.from({ length: points }, (_, point) => ((point + 0.5) / points) * upper);

function matrixOf(
  { age, maxX, unit, steps = 40 }: MatrixOptions,
  value: (customer: PurchaseCustomer) => number,
): CustomerMatrix {
  for (const [name, count] of Object.entries({ maxX, steps })) {
    requireWhole(name, count, 1);
  }
  if (!(age > 0 && Number.isFinite(age))) throw new RangeError(`age must be a number above 0, got ${age}`);
  const x = Array.from({ length: maxX + 1 }, (_, count) => count);
  const recency = Array.from({ length: steps + 1 }, (_, step) =>
    step === steps ? age : (step / steps) * age,
  );
  const values = recency.map((last) =>
    x.map((count) => ((count === 0) === (last === 0) ? value({ x: count, recency: last, age }) : null)),
  );
  return { x, recency, values, unit };
}

function trackingOf(time: readonly number[], cumulative: readonly number[]): Tracking {
  const incremental = cumulative.map((sum, place) => sum - (cumulative[place - 1] ?? 0));
  return { time, incremental, cumulative };
}

/** The ends of all steps up to a time. */
function gridTo(until: number, step: number): number[] {
  if (!(step > 0 && Number.isFinite(step)))
    throw new RangeError(`step must be a number above 0, got ${step}`);
  if (!(until >= step && Number.isFinite(until))) {
    throw new RangeError(`until must be a number from the step ${step} up, got ${until}`);
  }
  const steps = Math.floor((until / step) * (1 + Number.EPSILON)); // 7 days in weeks are not quite 1
  return Array.from({ length: steps }, (_, place) => (place + 1) * step);
}

/** Distinct ages and how many customers have each. */
function customersByAge({ age, weight }: Pick<PurchaseHistories, "age" | "weight">): {
  readonly values: Float64Array;
  readonly customers: Float64Array;
} {
  const { values, index } = distinctValues(age);
  const customers = new Float64Array(values.length);
  for (const [row, place] of index.entries()) add(customers, place, weight ? (weight[row] as number) : 1);
  return { values, customers };
}

/** "0", "1", …, "7+". */
function classLabels(max: number): string[] {
  requireWhole("max", max, 1);
  return Array.from({ length: max + 1 }, (_, x) => (x === max ? `${max}+` : String(x)));
}

const byName = <T>(models: readonly FittedModel[], column: (fitted: FittedModel) => T): Record<string, T> =>
  Object.fromEntries(models.map((fitted) => [fitted.model.name, column(fitted)]));

function add(sums: Float64Array, place: number, value: number): void {
  sums[place] = (sums[place] as number) + value;
}
