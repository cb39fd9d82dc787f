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

  const order = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) {
    requireHistory(row, x[row] as number, recency[row] as number, age[row] as number);
    if (weight) requireWeight(row, weight[row] as number);
    order[row] = row;
  }
  const at = (column: ArrayLike<number>, row: number): number => column[row] as number;
  order.sort(
    (i, j) =>
      at(x, i) - at(x, j) ||
      at(recency, i) - at(recency, j) ||
      at(age, i) - at(age, j) ||
      (weight ? at(weight, i) - at(weight, j) : 0), // sums of weights must not depend on the rows' order either
  );

  const cells = {
    x: new Float64Array(rows),
    recency: new Float64Array(rows),
    age: new Float64Array(rows),
    weight: new Float64Array(rows),
  };
  let last = -1;
  for (const row of order) {
    const customer = { x: at(x, row), recency: at(recency, row), age: at(age, row) };
    const same =
      last >= 0 &&
      cells.x[last] === customer.x &&
      cells.recency[last] === customer.recency &&
      cells.age[last] === customer.age;
    if (!same) {
      last++;
      cells.x[last] = customer.x;
      cells.recency[last] = customer.recency;
      cells.age[last] = customer.age;
    }
    cells.weight[last] = at(cells.weight, last) + (weight ? at(weight, row) : 1);
  }
  return {
    x: cells.x.slice(0, last + 1),
    recency: cells.recency.slice(0, last + 1),
    age: cells.age.slice(0, last + 1),
    weight: cells.weight.slice(0, last + 1),
  };
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
  const wrong = historyError(x, recency, age, { newcomers: true });
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
  const wrong = historyError(x, recency, age, { newcomers: false });
  if (wrong) throw new DataError(`customers row ${row}: ${wrong}`);
}

/** What is not possible about a history; a newcomer was not observed for any time yet. */
function historyError(
  x: number,
  recency: number,
  age: number,
  { newcomers }: { newcomers: boolean },
): string | undefined {
  if (!(Number.isSafeInteger(x) && x >= 0)) return `x must be a whole number from 0 up, got ${x}`;
  if (!((newcomers ? age >= 0 : age > 0) && Number.isFinite(age))) {
    return `age must be a number ${newcomers ? "from 0 up" : "above 0"}, got ${age}`;
  }
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
  if (!(Number.isSafeInteger(max) && max >= 0)) {
    throw new RangeError(`max must be a whole number from 0 up, got ${max}`);
  }
}
