import { type ColumnTable, table } from "arquero";
import { isoDay } from "../core/day.js";
import { DataError } from "../core/errors.js";
import { dayColumn, requireDay } from "../core/read-day.js";
import { compareIds, describe, idColumn, numberColumn, textColumn } from "../core/table.js";
import type { TimeUnit } from "../core/types.js";
import { clockDay, type PurchaseClock } from "./clock.js";
import { type PurchaseRow, type ReturnCounts, type ReturnRule, rowList, treatReturns } from "./returns.js";

/** Columns of a log of purchases. Their names default to the warehouse's. */
export interface PurchaseColumns {
  /** Column that names the customer; default "customer_key". */
  readonly customer?: string;
  /** Column of the day: ISO text, Date (UTC) or integer days since 1970-01-01; default "ordered_on". */
  readonly date?: string;
  /** Column of the money; default "amount". */
  readonly amount?: string;
  /** Column of the currency, which must be the same in all rows; not looked at if left out. */
  readonly currency?: string;
}

/** How a log of purchases becomes one row a customer. */
export interface PurchaseSummaryOptions extends PurchaseColumns {
  /** Last day that is observed, included, such as "1997-09-30"; never the clock. */
  readonly end: string;
  /** Unit in which recency and age are counted. */
  readonly unit: TimeUnit;
  /** Last day of a holdout that begins the day after `end`; adds the columns of the holdout. */
  readonly holdoutEnd?: string;
  /** What to do with amounts that are not above 0; default "reject". `returnCounts` tells what a rule does. */
  readonly returns?: ReturnRule;
  /**
   * Whether the mean spend counts the purchase that made somebody a customer; default "exclude", as in the papers.
   * "include" adds the column `spend_count`.
   */
  readonly firstOrder?: "exclude" | "include";
  /** Clock on which times are counted, of `seasonalClock` say; default the calendar. */
  readonly clock?: PurchaseClock;
}

const DAYS_PER: Readonly<Record<TimeUnit, number>> = { days: 1, weeks: 7 };

/**
 * One row a customer for the models of repeat buying, from one row per purchase. Purchases of one customer on one day
 * are one purchase; the first one makes somebody a customer and is not counted.
 *
 * Columns out: the customer; `x`, repeat purchases up to the end; `recency` (t_x), time from the first purchase to the
 * last one, 0 if there was only the first; `age` (T), time from the first purchase to the end; `mean_spend` of the
 * repeat purchases, 0 if there are none (with the first order included: of all purchases, and `spend_count` says that
 * they are x + 1); `log_intervals`, the sum of the logarithms of the times between purchases, from which the regularity
 * of buying is estimated. With a holdout also `holdout_x` and `holdout_spend`, what happened from the day after the end
 * up to its end, and `holdout_length`. With a clock all times are read on it, those between purchases too; the end of each
 * day counts. Customers whose first purchase lies after the end are left out.
 * Rows in ascending order of the customer.
 * @throws DataError if the table is empty, a column is missing, a value is not allowed, currencies are mixed, or nobody
 * bought up to the end.
 * @throws RangeError if `end` or `holdoutEnd` is no day, the holdout does not end after `end`, or the clock is none.
 * @see Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2): x, t_x and T.
 */
export function summarisePurchases(purchases: ColumnTable, options: PurchaseSummaryOptions): ColumnTable {
  const { customer = "customer_key", amount = "amount", unit, returns = "reject", firstOrder } = options;
  const end = requireDay("end", options.end);
  const holdoutEnd = options.holdoutEnd === undefined ? end : requireDay("holdoutEnd", options.holdoutEnd);
  if (options.holdoutEnd !== undefined && holdoutEnd <= end) {
    throw new RangeError(`holdoutEnd must be after end, ${options.end}, got ${options.holdoutEnd}`);
  }
  const log = readPurchases(purchases, options);
  const { customers } = treatReturns(log, returns, amount);
  const timeOf = timeReader(options.clock);
  const rows = [...customers]
    .map(([id, days]) => ({ id, ...summaryOf(days, end, holdoutEnd, timeOf) }))
    .filter((row) => row.first <= end)
    .sort((a, b) => compareIds(a.id, b.id));
  if (rows.length === 0)
    throw new DataError(`purchases: nobody bought up to the end, ${options.end}; ${spanOf(log)}`);
  const time = DAYS_PER[unit];
  return table({
    [customer]: rows.map(({ id }) => id),
    x: rows.map(({ x }) => x),
    recency: rows.map(({ first, last }) => (timeOf(last) - timeOf(first)) / time),
    age: rows.map(({ first }) => (timeOf(end) - timeOf(first)) / time),
    ...(firstOrder === "include"
      ? {
          mean_spend: rows.map(({ x, firstSpend, repeatSpend }) => (firstSpend + repeatSpend) / (x + 1)),
          spend_count: rows.map(({ x }) => x + 1),
        }
      : { mean_spend: rows.map(({ x, repeatSpend }) => (x === 0 ? 0 : repeatSpend / x)) }),
    log_intervals: rows.map(({ logDays, x }) => logDays - x * Math.log(time)),
    ...(options.holdoutEnd !== undefined && {
      holdout_x: rows.map(({ holdoutX }) => holdoutX),
      holdout_spend: rows.map(({ holdoutSpend }) => holdoutSpend),
      holdout_length: rows.map(() => (timeOf(holdoutEnd) - timeOf(end)) / time),
    }),
  });
}

/**
 * What a rule for returns does to a log of purchases, the days after the end of observation included.
 * @throws DataError if the table is empty, a column is missing, or a value is not allowed.
 */
export function returnCounts(
  purchases: ColumnTable,
  options: PurchaseColumns & { readonly returns: ReturnRule },
): ReturnCounts {
  return treatReturns(readPurchases(purchases, options), options.returns, options.amount ?? "amount").counts;
}

/**
 * The rows of a log of purchases in their order; amounts may be negative.
 * @throws DataError if the table is empty, a column is missing, or a value is not allowed: it names the row (from 1).
 */
export function readPurchases(purchases: ColumnTable, columns: PurchaseColumns): readonly PurchaseRow[] {
  const { customer = "customer_key", date = "ordered_on", amount = "amount", currency } = columns;
  const ids = idColumn(purchases, customer, "purchases");
  const days = dayColumn(purchases, date, "purchases");
  const spend = numberColumn(purchases, amount, "purchases");
  if (currency !== undefined) requireOneCurrency(currency, textColumn(purchases, currency, "purchases"));
  return days.map((day, row) => ({ id: ids[row], day, money: spend[row] as number }));
}

function requireOneCurrency(column: string, currencies: readonly string[]): void {
  const rowsOf = new Map<string, number[]>();
  for (const [row, currency] of currencies.entries()) {
    const rows = rowsOf.get(currency);
    if (rows) rows.push(row);
    else rowsOf.set(currency, [row]);
  }
  if (rowsOf.size === 1) return;
  const found = [...rowsOf].map(([currency, rows]) => `${describe(currency)} in ${rowList(rows)}`);
  throw new DataError(`purchases: ${column} must be the same in all rows, got ${found.join("; ")}`);
}

/** "the first day of the data is 1997-01-01, the last 1998-06-30". */
export function spanOf(rows: readonly PurchaseRow[]): string {
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { day } of rows) {
    if (day < first) first = day;
    if (day > last) last = day;
  }
  return `the first day of the data is ${isoDay(first)}, the last ${isoDay(last)}`;
}

interface Summary {
  readonly first: number;
  readonly last: number;
  readonly x: number;
  readonly firstSpend: number;
  readonly repeatSpend: number;
  /** Sum of the logarithms of the days between purchases, on the clock. */
  readonly logDays: number;
  readonly holdoutX: number;
  readonly holdoutSpend: number;
}

/** Days on the clock, each looked up once; those of the calendar without one. */
function timeReader(clock: PurchaseClock | undefined): (day: number) => number {
  if (clock === undefined) return (day) => day;
  const times = new Map<number, number>();
  return (day) => {
    const time = times.get(day) ?? clockDay(clock, day);
    times.set(day, time);
    return time;
  };
}

function summaryOf(
  spendByDay: ReadonlyMap<number, number>,
  end: number,
  holdoutEnd: number,
  timeOf: (day: number) => number,
): Summary {
  const days = [...spendByDay.keys()].sort((a, b) => a - b);
  const [first = Number.POSITIVE_INFINITY] = days;
  const repeats = days.filter((day) => day > first && day <= end);
  const later = days.filter((day) => day > end && day <= holdoutEnd);
  const sum = (of: readonly number[]): number =>
    of.reduce((total, day) => total + (spendByDay.get(day) ?? 0), 0);
  return {
    first,
    last: repeats.at(-1) ?? first,
    x: repeats.length,
    firstSpend: sum([first]),
    repeatSpend: sum(repeats),
    logDays: repeats.reduce(
      (total, day, index) => total + Math.log(timeOf(day) - timeOf(repeats[index - 1] ?? first)),
      0,
    ),
    holdoutX: later.length,
    holdoutSpend: sum(later),
  };
}
