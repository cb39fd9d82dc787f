import { chebyshevInterpolant } from "../numeric/chebyshev.js";
import type { BuyingModel, ParameterValues } from "./buying-model.js";
import type { PurchaseCustomer, PurchaseHistories } from "./cells.js";

/** What a model expects of many customers, one number a row. */
export interface CustomerForecasts {
  /** Probability to be a customer still. */
  readonly alive: Float64Array;
  /** Expected purchases within the horizon. */
  readonly purchases: Float64Array;
  /** Expected purchases within the discounting horizon, discounted; empty if no discount was asked for. */
  readonly discounted: Float64Array;
}

/** What to forecast. Times are in the unit of the data. */
export interface ForecastOptions {
  /** Length of time for the expected purchases. */
  readonly horizon: number;
  /** Continuous discount rate per unit of time, and how far ahead; all future purchases without a horizon. */
  readonly discount?: { readonly rate: number; readonly horizon?: number };
}

/**
 * Forecasts for many customers at once, a million in seconds (see `expectationsOf`).
 * @throws RangeError if a parameter, a customer (it names the values), the horizon or the discount is not possible.
 */
export function forecastCustomers<P extends string>(
  model: BuyingModel<P>,
  parameters: ParameterValues<P>,
  customers: PurchaseHistories,
  { horizon, discount }: ForecastOptions,
): CustomerForecasts {
  const purchasesOf = (customer: PurchaseCustomer): number =>
    model.expectedPurchases(parameters, customer, horizon);
  const discountedOf = discount
    ? (customer: PurchaseCustomer): number =>
        model.discountedPurchases(parameters, customer, discount.rate, discount.horizon)
    : undefined;
  const wanted = discountedOf ? [purchasesOf, discountedOf] : [purchasesOf];
  const { alive, expectations } = expectationsOf(model, parameters, customers, wanted);
  const [purchases = alive, discounted = new Float64Array(0)] = expectations;
  return { alive, purchases, discounted };
}

/**
 * Expectations about the future of many customers, each a function of a customer that is P(alive) times something. Given
 * that a customer is alive, what most models expect depends on x and age only and is smooth in the age: for every x it is
 * computed at Chebyshev points and interpolated, to a relative error checked to be below 1e-11 at ages in between; the
 * probability to be alive is computed for everybody. Where gaps are regular, everything is.
 */
export function expectationsOf<P extends string>(
  model: BuyingModel<P>,
  parameters: ParameterValues<P>,
  customers: PurchaseHistories,
  wanted: readonly ((customer: PurchaseCustomer) => number)[],
): { readonly alive: Float64Array; readonly expectations: readonly Float64Array[] } {
  const rows = Uint32Array.from({ length: customers.x.length }, (_, row) => row);
  const ofEverybody = (f: (customer: PurchaseCustomer) => number): Float64Array =>
    Float64Array.from(rows, (row) => f(customerAt(customers, row)));
  const alive = ofEverybody((customer) => model.probabilityAlive(parameters, customer));
  if (model.regularity > 1) return { alive, expectations: wanted.map(ofEverybody) };
  const groups = [...rowsByCount(customers.x)].map(([x, same]) => ({
    x,
    same,
    ages: agesOf(customers.age, same),
  }));
  const scale = (parameters as Readonly<Record<string, number>>)["alpha"] ?? 1;
  const expectations = wanted.map((f) => {
    const ifAlive = (x: number, age: number): number => {
      const freshest = { x, recency: x === 0 ? 0 : age, age };
      const chance = model.probabilityAlive(parameters, freshest);
      return chance === 0 ? 0 : f(freshest) / chance;
    };
    const result = new Float64Array(alive.length);
    for (const { x, same, ages } of groups) {
      const value = byAge((age) => ifAlive(x, age), ages, scale);
      for (const row of same) result[row] = (alive[row] as number) * value(customers.age[row] as number);
    }
    return result;
  });
  return { alive, expectations };
}

const FEW_AGES = 40;
const INTERPOLATION_ERROR = 1e-11;

/** A function of the age: for few ages a list, for many an interpolant that agrees with it at ages in between. */
function byAge(f: (age: number) => number, ages: Float64Array, scale: number): (age: number) => number {
  const [low, high] = [ages[0] as number, ages.at(-1) as number];
  const shifted = (age: number): number => Math.log(scale + age);
  for (const n of ages.length > FEW_AGES ? [16, 32] : []) {
    const at = chebyshevInterpolant((log) => f(Math.min(high, Math.max(low, Math.exp(log) - scale))), {
      low: shifted(low),
      high: shifted(high),
      n,
    });
    const probes = [0.03, 0.21, 0.5, 0.77, 0.98].map(
      (share) => ages[Math.floor(share * ages.length)] as number,
    );
    const isClose = (age: number): boolean => {
      const exact = f(age);
      return Math.abs(at(shifted(age)) - exact) <= INTERPOLATION_ERROR * Math.abs(exact);
    };
    if (probes.every(isClose)) return (age) => at(shifted(age));
  }
  const list = new Map(Array.from(ages, (age) => [age, f(age)]));
  return (age) => list.get(age) as number;
}

function rowsByCount(counts: ArrayLike<number>): Map<number, number[]> {
  const rows = new Map<number, number[]>();
  for (let row = 0; row < counts.length; row++) {
    const x = counts[row] as number;
    const same = rows.get(x);
    if (same) same.push(row);
    else rows.set(x, [row]);
  }
  return rows;
}

/** The distinct ages of some rows, ascending. */
function agesOf(ages: ArrayLike<number>, rows: readonly number[]): Float64Array {
  const distinct = new Set<number>();
  for (const row of rows) distinct.add(ages[row] as number);
  return Float64Array.from(distinct).sort();
}

const customerAt = ({ x, recency, age }: PurchaseHistories, row: number): PurchaseCustomer => ({
  x: x[row] as number,
  recency: recency[row] as number,
  age: age[row] as number,
});
