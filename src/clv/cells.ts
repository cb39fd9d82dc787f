import { requireWhole } from "../core/arguments.js";
import { DataError } from "../core/errors.js";

/** One customer as the buying models see one; times are in any one unit, the same for all customers. */
export interface PurchaseCustomer {
  /** Repeat purchases x: the first purchase is not counted. */
  readonly x: number;
  /** Time of the last purchase t_x since the first one; 0 without a repeat purchase. */
  readonly recency: number;
  /** Time T from the first purchase to the end of observation. */
  readonly age: number;
}

/** Customers in columns: repeat purchases, time of the last, time observed, and how many customers a row stands for. */
export interface PurchaseHistories {
  readonly x: ArrayLike<number>;
  readonly recency: ArrayLike<number>;
  readonly age: ArrayLike<number>;
  readonly weight?: ArrayLike<number>;
}

/**
 * Distinct purchase histories (x, t_x, T) and how many customers have each, sorted by x, then recency, then age:
 * all that the likelihoods of the buying models need. Times are in the caller's unit, one for all (weeks in the papers).
 */
export interface PurchaseCells {
  readonly x: Float64Array;
  readonly recency: Float64Array;
  readonly age: Float64Array;
  readonly weight: Float64Array;
}

/**
 * Collapses customers with equal purchase histories into weighted cells; the result does not depend on their order.
 * `x` counts repeat purchases, `recency` and `age` run from the first purchase, both in one time unit of the caller's
 * choice; `weight` is how many customers a row stands for (1 if left out).
 * @throws DataError if a value is not possible: it names the row (from 0), the value and what is allowed.
 * @see Fader, Hardie & Lee (2005), Counting Your Customers the Easy Way, Marketing Science 24(2): (x, t_x, T) suffices.
 */
export function purchaseCells(customers: PurchaseHistories): PurchaseCells {
  const { x, recency, age, weight } = customers;
  const rows = x.length;
  requireRows("recency", recency, rows);
  requireRows("age", age, rows);
  if (weight) requireRows("weight", weight, rows);
  if (rows === 0) throw new DataError("customers must have at least one row, got none");
  let longest = 0;
  for (let row = 0; row < rows; row++) {
    requireHistory(row, x[row] as number, recency[row] as number, age[row] as number);
    if (weight) requireWeight(row, weight[row] as number);
    longest = Math.max(longest, age[row] as number);
  }
  if (longest === 0)
    throw new DataError(`age must be above 0 for some of the ${rows} customers, got 0 for all`);
  return collapse(x, recency, age, weight);
}

/**
 * Numbers each history by the ranks of its values (first of x and recency, then of that pair and the age), so that equal
 * histories have equal numbers and rising numbers are the order of the cells: numbers sort faster than rows by comparison.
 */
function collapse(
  x: ArrayLike<number>,
  recency: ArrayLike<number>,
  age: ArrayLike<number>,
  weight: ArrayLike<number> | undefined,
): PurchaseCells {
  const [counts, lasts, ends] = [rankedValues(x), rankedValues(recency), rankedValues(age)];
  const [times, ages] = [lasts.sorted.length, ends.sorted.length];
  const pairs = rankedValues(pairKeys(counts.rank, lasts.rank, times));
  const keys = pairKeys(pairs.rank, ends.rank, ages);
  const weights = weight && sumsByKey(keys, weight);
  const distinct = weights ? Float64Array.from(weights.keys()).sort() : keys.sort();
  const starts: number[] = []; // where the numbers change
  for (let at = 0; at < distinct.length; at++) if (distinct[at] !== distinct[at - 1]) starts.push(at);
  const pairOf = (at: number): number => pairs.sorted[Math.floor((distinct[at] as number) / ages)] as number;
  const column = (of: (at: number, cell: number) => number): Float64Array => Float64Array.from(starts, of);
  return {
    x: column((at) => counts.sorted[Math.floor(pairOf(at) / times)] as number),
    recency: column((at) => lasts.sorted[pairOf(at) % times] as number),
    age: column((at) => ends.sorted[(distinct[at] as number) % ages] as number),
    weight: column((at, cell) =>
      weights ? (weights.get(distinct[at] as number) as number) : (starts[cell + 1] ?? distinct.length) - at,
    ),
  };
}

/** One whole number for two: exact below 2^53, for which 90 million rows would have to differ in both. */
const pairKeys = (first: Uint32Array, second: Uint32Array, seconds: number): Float64Array =>
  Float64Array.from(first, (rank, row) => rank * seconds + (second[row] as number));

/** Weights by key; a sum runs from its smallest part, so that it does not depend on the order of the rows. */
function sumsByKey(keys: Float64Array, weight: ArrayLike<number>): Map<number, number> {
  const order = Uint32Array.from(keys, (_, row) => row);
  order.sort((i, j) => (weight[i] as number) - (weight[j] as number));
  const sums = new Map<number, number>();
  for (const row of order) {
    const key = keys[row] as number;
    sums.set(key, (sums.get(key) ?? 0) + (weight[row] as number));
  }
  return sums;
}

/** The distinct values of a column, ascending, and the place among them of every row's value. */
function rankedValues(column: ArrayLike<number>): {
  readonly sorted: Float64Array;
  readonly rank: Uint32Array;
} {
  const { values, index } = distinctValues(column);
  const sorted = values.slice().sort();
  const rankOf = new Map(Array.from(sorted, (value, rank) => [value, rank]));
  const ranks = Uint32Array.from(values, (value) => rankOf.get(value) as number);
  return { sorted, rank: index.map((place) => ranks[place] as number) };
}

/** How many customers the cells stand for. */
export function cellCustomers(cells: PurchaseCells): number {
  let customers = 0;
  for (const weight of cells.weight) customers += weight;
  return customers;
}

/** Distinct values of a column and, for every row, which of them it has: functions of a value are computed once each. */
export interface Distinct {
  readonly values: Float64Array;
  readonly index: Uint32Array;
}

/** The distinct values of a column in order of first appearance. */
export function distinctValues(column: ArrayLike<number>): Distinct {
  const places = new Map<number, number>();
  const index = new Uint32Array(column.length);
  for (let row = 0; row < column.length; row++) {
    const value = column[row] as number;
    let place = places.get(value);
    if (place === undefined) {
      place = places.size;
      places.set(value, place);
    }
    index[row] = place;
  }
  return { values: Float64Array.from(places.keys()), index };
}

/** @throws RangeError if a customer to predict for is not possible. */
export function requireCustomer({ x, recency, age }: PurchaseCustomer): void {
  const wrong = historyError(x, recency, age);
  if (wrong) throw new RangeError(wrong);
}

/** @throws RangeError if a model's parameter is not a finite number above 0. */
export function requireParameters(parameters: object): void {
  for (const [name, value] of Object.entries(parameters) as [string, unknown][]) {
    if (!(typeof value === "number" && value > 0 && Number.isFinite(value))) {
      throw new RangeError(`parameter ${name} must be a number above 0, got ${String(value)}`);
    }
  }
}

/** @throws RangeError if a length of time is negative or not finite. */
export function requireHorizon(horizon: number): void {
  if (!(horizon >= 0 && Number.isFinite(horizon))) {
    throw new RangeError(`horizon must be a number from 0 up, got ${horizon}`);
  }
}

function requireHistory(row: number, x: number, recency: number, age: number): void {
  const wrong = historyError(x, recency, age);
  if (wrong) throw new DataError(`customers row ${row}: ${wrong}`);
}

/** What is not possible about a history; the age is 0 for somebody who became a customer at the end. */
function historyError(x: number, recency: number, age: number): string | undefined {
  if (!(Number.isSafeInteger(x) && x >= 0)) return `x must be a whole number from 0 up, got ${x}`;
  if (!(age >= 0 && Number.isFinite(age))) return `age must be a number from 0 up, got ${age}`;
  if (!(recency >= 0 && recency <= age)) {
    return `recency must be from 0 to the age ${age}, got ${recency}`;
  }
  if (x === 0 && recency !== 0) return `recency must be 0 where x is 0, got ${recency}`;
  if (x > 0 && recency === 0) return `recency must be above 0 where x is ${x}, got 0`;
  return undefined;
}

function requireRows(name: string, column: ArrayLike<number>, rows: number): void {
  if (column.length !== rows) {
    throw new DataError(`${name} must have as many rows as x, ${rows}, got ${column.length}`);
  }
}

function requireWeight(row: number, weight: number): void {
  if (!(weight > 0 && Number.isFinite(weight))) {
    throw new DataError(`customers row ${row}: weight must be a number above 0, got ${weight}`);
  }
}

/** @throws RangeError if the largest count of a distribution is not a whole number from 0 up. */
export function requireMax(max: number): void {
  requireWhole("max", max, 0);
}
