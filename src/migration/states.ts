import type { ColumnTable } from "arquero";
import { requireOneOf } from "../core/arguments.js";
import { DataError } from "../core/errors.js";
import { type CalendarPeriod, calendar } from "../core/period.js";
import { dayColumn, requireDay } from "../core/read-day.js";
import { compareIds, describe, idColumn, numberColumn, valueColumn } from "../core/table.js";

/** The state of every customer in every period. */
export interface CustomerStates {
  /** Names of the states. */
  readonly states: readonly string[];
  /** Names of the periods in the order of time. */
  readonly periods: readonly string[];
  /** The customers, in order. */
  readonly customers: readonly unknown[];
  /**
   * Place in `states` of customer c in period p at `c * periods.length + p`; -1 where somebody is not yet a customer, or
   * was not observed.
   */
  readonly stateAt: Int16Array;
}

/** A log of purchases and the periods its customers are looked at in. */
export interface StateLogOptions {
  /** Column that names the customer; default "customer_key". */
  readonly customer?: string;
  /** Column of the day: ISO text, Date (UTC) or integer days since 1970-01-01; default "ordered_on". */
  readonly date?: string;
  /** Length of a period. */
  readonly by: CalendarPeriod;
  /** Last day that is observed, included; a last period that it cuts is left out. */
  readonly end: string;
}

/** A state of customers who spend at least so much in a period. */
export interface SpendTier {
  /** Name of the state. */
  readonly state: string;
  /** Least spend in a period, in the currency of the log; the first tier begins at 0 and takes every spend above 0. */
  readonly from: number;
}

/** How spend in a period becomes a state. */
export interface SpendStateOptions extends StateLogOptions {
  /** Column of the money, below 0 for a return; default "amount". */
  readonly amount?: string;
  /** Tiers by rising spend. */
  readonly tiers: readonly SpendTier[];
  /** Name of the state of customers who spend nothing, or return more than they buy; default "inactive". */
  readonly inactive?: string;
}

/**
 * States by what a customer spends in each period: inactive, then the tiers. Customers enter in the period of their first
 * row.
 * @throws DataError if the table is empty, a column is missing, a value is not allowed, no period is whole, or customers
 * and periods are too many to hold.
 * @throws RangeError if `end` is no day, or the tiers do not begin at 0 and rise.
 */
export function statesBySpend(purchases: ColumnTable, options: SpendStateOptions): CustomerStates {
  const { tiers, inactive = "inactive", amount = "amount" } = options;
  for (const [place, { state, from }] of tiers.entries()) {
    const before = tiers[place - 1]?.from;
    if (before === undefined ? from !== 0 : !(from > before && Number.isFinite(from))) {
      const allowed = before === undefined ? "0, the first tier" : `a number above ${before}`;
      throw new RangeError(`tiers: ${state} must begin at ${allowed}, got ${from}`);
    }
  }
  const states = stateNames([inactive, ...tiers.map(({ state }) => state)]);
  const log = readLog(purchases, options);
  const money = numberColumn(purchases, amount, "purchases");
  const spend = new Float64Array(log.customers.length * log.periods.length);
  for (const { cell, row } of log.rows) spend[cell] = (spend[cell] as number) + (money[row] as number);
  return fillStates(states, log, (cell) => {
    const spent = Math.round((spend[cell] as number) * 1e6) / 1e6; // 10.10 + 19.90 reaches 30
    return spent > 0 ? tiers.filter(({ from }) => spent >= from).length : 0;
  });
}

/** How the time since the last purchase becomes a state. */
export interface RecencyStateOptions extends StateLogOptions {
  /** Longest recency that is a state of its own, in periods; whoever bought longer ago has lapsed. */
  readonly longest: number;
  /**
   * What a purchase after lapsing does: "returns" (the default) brings the customer back to recency 1, "stays-lapsed" takes
   * it for that of somebody new, who is not followed, so that lapsing is absorbing.
   */
  readonly afterLapse?: "returns" | "stays-lapsed";
}

/**
 * States by recency: "recency 1" has bought in the period, "recency 2" in the one before, and so on; then "lapsed".
 * Customers enter in the period of their first row.
 * @throws DataError if the table is empty, a column is missing, a value is not allowed, no period is whole, or customers
 * and periods are too many to hold.
 * @throws RangeError if `end` is no day, or `longest` is not a whole number from 1 up.
 * @see Pfeifer & Carraway (2000), Modeling Customer Relationships as Markov Chains, J. Interactive Marketing 14(2).
 */
export function statesByRecency(purchases: ColumnTable, options: RecencyStateOptions): CustomerStates {
  const { longest, afterLapse = "returns" } = options;
  requireOneOf("afterLapse", afterLapse, ["returns", "stays-lapsed"]);
  if (!(Number.isInteger(longest) && longest >= 1)) {
    throw new RangeError(`longest must be a whole number of periods from 1 up, got ${longest}`);
  }
  const states = Array.from({ length: longest }, (_, place) => `recency ${place + 1}`).concat("lapsed");
  const log = readLog(purchases, options);
  const bought = new Uint8Array(log.customers.length * log.periods.length);
  for (const { cell } of log.rows) bought[cell] = 1;
  let state = 0;
  return fillStates(states, log, (cell, isFirst) => {
    const isLost = afterLapse === "stays-lapsed" && !isFirst && state === longest;
    state = bought[cell] === 1 && !isLost ? 0 : Math.min(state + 1, longest);
    return state;
  });
}

/** Columns of a table that names the state of a customer in a period. */
export interface LabelStateOptions {
  /** Column that names the customer; default "customer_key". */
  readonly customer?: string;
  /** Column of the period: numbers or texts whose order is that of time; default "period". */
  readonly period?: string;
  /** Column of the state: a segment, a product, a tier; default "state". */
  readonly state?: string;
  /** Order of the states; by name if left out. */
  readonly states?: readonly string[];
  /** State of a customer without a row in a period after the first one; such periods are not observed if left out. */
  readonly absent?: string;
}

/**
 * States from any column that names them: segments at successive days, main product, tier of a programme. One row a
 * customer and period.
 * @throws DataError if the table is empty, a column is missing, a customer has two rows in one period, or a state is not
 * among those given.
 */
export function statesByLabel(rows: ColumnTable, options: LabelStateOptions = {}): CustomerStates {
  const { customer = "customer_key", period = "period", state = "state", absent } = options;
  const ids = idColumn(rows, customer, "states");
  const times = valueColumn(rows, period, "states");
  const labels = valueColumn(rows, state, "states").map((label, row) => {
    if (label !== null && label !== undefined && label !== "")
      return typeof label === "string" ? label : describe(label);
    throw new DataError(`states: ${state} in row ${row + 1} must name a state, got ${describe(label)}`);
  });
  const found = [...new Set(labels)].sort(compareIds);
  const states = stateNames([
    ...new Set([...(options.states ?? found), ...(absent === undefined ? [] : [absent])]),
  ]);
  const periods = [...new Set(times)].sort(compareIds);
  const customers = [...new Set(ids)].sort(compareIds);
  const placeOf = new Map(states.map((name, place) => [name, place]));
  const periodOf = new Map(periods.map((name, place) => [name, place]));
  const customerOf = new Map(customers.map((id, place) => [id, place]));
  const stateAt = new Int16Array(customers.length * periods.length).fill(-1);
  for (const [row, label] of labels.entries()) {
    const place = placeOf.get(label);
    if (place === undefined) {
      throw new DataError(
        `states: ${state} in row ${row + 1} must be one of ${states.join(", ")}, got ${describe(label)}`,
      );
    }
    const cell = (customerOf.get(ids[row]) as number) * periods.length + (periodOf.get(times[row]) as number);
    if (stateAt[cell] !== -1) {
      throw new DataError(
        `states: customer ${describe(ids[row])} must have one row in period ${describe(times[row])}, got another in row ${row + 1}`,
      );
    }
    stateAt[cell] = place;
  }
  if (absent !== undefined) fillAbsent(stateAt, periods.length, placeOf.get(absent) as number);
  return Object.freeze({ states, periods: periods.map(String), customers, stateAt });
}

/** Gives the state to every period without one after a customer's first. */
function fillAbsent(stateAt: Int16Array, periods: number, state: number): void {
  for (let cell = 1; cell < stateAt.length; cell++) {
    if (cell % periods !== 0 && stateAt[cell] === -1 && stateAt[cell - 1] !== -1) stateAt[cell] = state;
  }
}

/** @throws DataError if there are fewer than two states, or two of the same name. */
export function stateNames(states: readonly string[]): readonly string[] {
  if (states.length < 2)
    throw new DataError(`states: at least two are needed, got ${states.join(", ") || "none"}`);
  const twice = states.find((state, place) => states.indexOf(state) !== place);
  if (twice !== undefined) throw new DataError(`states: names must differ, got ${describe(twice)} twice`);
  return states;
}

interface StateLog {
  readonly customers: readonly unknown[];
  readonly periods: readonly string[];
  /** Rows within whole periods, each with its cell: customer times number of periods plus period. */
  readonly rows: readonly { readonly cell: number; readonly row: number }[];
}

const MOST_CELLS = 2 ** 27; // a gigabyte of spend

function readLog(purchases: ColumnTable, options: StateLogOptions): StateLog {
  const { customer = "customer_key", date = "ordered_on", by, end } = options;
  requireOneOf("by", by, Object.keys(calendar));
  const { of, label } = calendar[by];
  const ids = idColumn(purchases, customer, "purchases");
  const periodOfRow = dayColumn(purchases, date, "purchases").map(of);
  const last = of(requireDay("end", end) + 1) - 1; // the last period that is whole
  const first = periodOfRow.reduce((least, period) => Math.min(least, period), Number.POSITIVE_INFINITY);
  if (first > last) {
    throw new DataError(
      `purchases: at least one whole ${by} must lie between the first row and the end, got rows from ${by} ${label(first)} and the end ${end}`,
    );
  }
  const inside = [...ids.keys()].filter((row) => (periodOfRow[row] as number) <= last);
  const customers = [...new Set(inside.map((row) => ids[row]))].sort(compareIds);
  const placeOf = new Map(customers.map((id, place) => [id, place]));
  if (customers.length * (last - first + 1) > MOST_CELLS) {
    throw new DataError(
      `purchases: ${customers.length} customers in ${last - first + 1} ${by}s are too many to hold; the first row is from ${by} ${label(first)}: is its day right?`,
    );
  }
  const periods = Array.from({ length: last - first + 1 }, (_, place) => label(first + place));
  const rows = inside.map((row) => ({
    cell: (placeOf.get(ids[row]) as number) * periods.length + (periodOfRow[row] as number) - first,
    row,
  }));
  return { customers, periods, rows };
}

/** States of all cells from each customer's first row on, taken in the order of customers and time. */
function fillStates(
  states: readonly string[],
  { customers, periods, rows }: StateLog,
  stateOf: (cell: number, isFirst: boolean) => number,
): CustomerStates {
  const entered = new Int32Array(customers.length).fill(periods.length);
  for (const { cell } of rows) {
    const customer = Math.floor(cell / periods.length);
    entered[customer] = Math.min(entered[customer] as number, cell % periods.length);
  }
  const stateAt = new Int16Array(customers.length * periods.length).fill(-1);
  for (const [customer, first] of entered.entries()) {
    for (let period = first; period < periods.length; period++) {
      const cell = customer * periods.length + period;
      stateAt[cell] = stateOf(cell, period === first);
    }
  }
  return Object.freeze({ states, periods, customers, stateAt });
}
