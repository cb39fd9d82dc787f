import { DataError } from "../core/errors.js";
import type { BuyingModel, ParameterValues } from "./buying-model.js";
import { type PurchaseHistories, requireHorizon } from "./cells.js";
import { forecastCustomers } from "./forecast.js";

/** What is known of customers when a forecast is made; all times in one unit. */
export interface KnownCustomers extends Omit<PurchaseHistories, "weight"> {
  /** Repeat purchases in the last stretch of the observation, and how long that is. */
  readonly recent?: { readonly x: ArrayLike<number>; readonly length: number };
  /** The last stretch of the observation played as a holdout: rules with a threshold learn it from there. */
  readonly rehearsal?: Rehearsal;
}

/** Customers as they were known some time before the end of observation, and what they bought until the end. */
export interface Rehearsal extends Omit<PurchaseHistories, "weight"> {
  /** Purchases from then to the end of observation. */
  readonly later: ArrayLike<number>;
}

/** Who forecasts: a fitted model or a rule of thumb, behind one face. */
export interface Forecaster {
  /** "BG/NBD", "hiatus rule". */
  readonly name: string;
  /** A fitted model, or a rule of thumb. */
  readonly kind: "model" | "heuristic";
  /** Expected purchases of each customer in the next `horizon` units of time. */
  predict(customers: KnownCustomers, horizon: number): Float64Array;
}

/** A model with its parameters as a forecaster. */
export function modelForecaster<P extends string>(
  model: BuyingModel<P>,
  parameters: ParameterValues<P>,
): Forecaster {
  return {
    name: model.name,
    kind: "model",
    predict: (customers, horizon) => forecastCustomers(model, parameters, customers, { horizon }).purchases,
  };
}

/**
 * Everybody buys like the average customer: all repeat purchases over all customers' time, times the horizon.
 * @see Hyndman & Athanasopoulos (2021), Forecasting: Principles and Practice, section 5.2: the average method.
 */
export const meanOfAll: Forecaster = heuristic("mean of all", (customers, horizon) =>
  new Float64Array(customers.x.length).fill(meanRate(customers, () => true) * horizon),
);

/**
 * Everybody goes on at the own past rate: x / T times the horizon.
 * @see Wübben & von Wangenheim (2008), Instant Customer Base Analysis, J. Marketing 72(3).
 */
export const ownPastRate: Forecaster = heuristic("own past rate", ({ x, age }, horizon) =>
  Float64Array.from(age, (time, row) => rateOf(x[row] as number, time) * horizon),
);

/**
 * The hiatus rule: who has not bought for longer than the threshold buys no more, all others go on at their own past rate.
 * Without a threshold it is the one that tells best, in the rehearsal, who bought again (see `bestHiatus`).
 * @throws RangeError if the threshold is not a number from 0 up.
 * @see Wübben & von Wangenheim (2008), J. Marketing 72(3).
 */
export function hiatusRule(threshold?: number): Forecaster {
  if (threshold !== undefined) requireThreshold(threshold);
  return heuristic("hiatus rule", (customers, horizon) => {
    const longest = rounded(threshold ?? bestHiatus(requireRehearsal(customers)));
    const { x, age } = customers;
    return idleTimes(customers).map((idle, row) =>
      idle <= longest ? rateOf(x[row] as number, age[row] as number) * horizon : 0,
    );
  });
}

/**
 * The time without a purchase that best tells the customers who bought again from those who did not: most are told
 * rightly if those idle up to it are taken for active. The shortest of equally good ones; idle times as they occur.
 * @throws DataError if there are no customers.
 */
export function bestHiatus(rehearsal: Rehearsal): number {
  const { later } = rehearsal;
  const idle = idleTimes(rehearsal);
  const order = Uint32Array.from(idle.keys()).sort((i, j) => (idle[i] as number) - (idle[j] as number));
  let right = 0; // customers told rightly, less those who are if nobody is taken for active
  let [best, threshold] = [Number.NEGATIVE_INFINITY, Number.NaN];
  for (const [place, row] of order.entries()) {
    right += (later[row] as number) > 0 ? 1 : -1;
    const isLast = idle[order[place + 1] ?? -1] !== idle[row]; // of those with the same idle time
    if (isLast && right > best) [best, threshold] = [right, idle[row] as number];
  }
  if (Number.isNaN(threshold)) throw new DataError("rehearsal must have at least one customer, got none");
  return threshold;
}

/**
 * The best tenth of the past stays the best: the customers with the most repeat purchases, of equals the one who bought
 * last, go on at their group's mean past rate, all others at theirs. The tenth has round(N / 10) customers, at least 1, and
 * all who equal the last of them.
 * @see Wübben & von Wangenheim (2008), J. Marketing 72(3): the future best customers are the past best.
 */
export const topDecileRule: Forecaster = heuristic("top decile", (customers, horizon) => {
  const { x } = customers;
  const idle = idleTimes(customers);
  const compare = (i: number, j: number): number =>
    (x[j] as number) - (x[i] as number) || (idle[i] as number) - (idle[j] as number);
  const order = Uint32Array.from({ length: x.length }, (_, row) => row).sort(compare);
  const last = order[Math.max(1, Math.round(x.length / 10)) - 1] as number;
  const isTop = (row: number): boolean => compare(row, last) <= 0;
  const rest = (row: number): boolean => !isTop(row);
  const [top, others] = [meanRate(customers, isTop), meanRate(customers, rest)];
  return Float64Array.from(order.keys(), (row) => (isTop(row) ? top : others) * horizon);
});

/**
 * The last period repeats: a customer buys as often in the next `horizon` units of time as in the last ones. Where nobody
 * has been observed for longer than that, these are all repeat purchases; elsewhere `recent` must be known.
 * @see Hyndman & Athanasopoulos (2021), Forecasting: Principles and Practice, section 5.2: the naive method.
 */
export const lastPeriodRepeats: Forecaster = heuristic("last period repeats", (customers, horizon) => {
  const { x, age, recent } = customers;
  if (recent) return Float64Array.from(recent.x, (count) => (count * horizon) / recent.length);
  const row = Array.from(age).findIndex((time) => time > horizon);
  if (row === -1) return Float64Array.from(x);
  throw new DataError(
    `customers row ${row}: recent must be known where the age is above the horizon ${horizon}, got ${age[row] as number}`,
  );
});

/** The rules a manager would use without a model. */
export const managerHeuristics: readonly Forecaster[] = Object.freeze([
  meanOfAll,
  ownPastRate,
  hiatusRule(),
  topDecileRule,
  lastPeriodRepeats,
]);

function heuristic(
  name: string,
  rule: (customers: KnownCustomers, horizon: number) => Float64Array,
): Forecaster {
  return Object.freeze({
    name,
    kind: "heuristic" as const,
    predict: (customers: KnownCustomers, horizon: number) => {
      requireHorizon(horizon);
      if (customers.x.length === 0) throw new DataError("customers must have at least one row, got none");
      return rule(customers, horizon);
    },
  });
}

/** To nine decimals: days counted in weeks do not subtract exactly, and equal times must stay equal. */
const rounded = (time: number): number => Math.round(time * 1e9) / 1e9;

/** Times since the last purchase. */
const idleTimes = ({ recency, age }: Pick<KnownCustomers, "recency" | "age">): Float64Array =>
  Float64Array.from(age, (time, row) => rounded(time - (recency[row] as number)));

/** Who was never observed for any time has no purchases either. */
const rateOf = (x: number, age: number): number => (x === 0 ? 0 : x / age);

/** Repeat purchases per unit of time of a group of customers; 0 if they were observed for no time. */
function meanRate({ x, age }: KnownCustomers, isOne: (row: number) => boolean): number {
  let [purchases, time] = [0, 0];
  for (let row = 0; row < x.length; row++) {
    if (!isOne(row)) continue;
    purchases += x[row] as number;
    time += age[row] as number;
  }
  return rateOf(purchases, time);
}

function requireRehearsal({ rehearsal }: KnownCustomers): Rehearsal {
  if (rehearsal) return rehearsal;
  throw new DataError(
    "customers: a rehearsal is needed where the hiatus rule has no threshold; a log of purchases gives one",
  );
}

function requireThreshold(threshold: number): void {
  if (!(threshold >= 0 && Number.isFinite(threshold))) {
    throw new RangeError(`threshold must be a number from 0 up, got ${threshold}`);
  }
}
