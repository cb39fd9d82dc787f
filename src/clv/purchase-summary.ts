import { type ColumnTable, table } from "arquero";
import { DataError } from "../core/errors.js";
import { dayOf, requireDay } from "../core/read-day.js";
import { compareIds, describe, idColumn, numberColumn, valueColumn } from "../core/table.js";
import type { TimeUnit } from "../core/types.js";

/** How a log of purchases becomes one row a customer. Column names default to the warehouse's. */
export interface PurchaseSummaryOptions {
  /** Last day that is observed, included, such as "1997-09-30"; never the clock. */
  readonly end: string;
  /** Unit in which recency and age are counted. */
  readonly unit: TimeUnit;
  /** Last day of a holdout that begins the day after `end`; adds the columns of the holdout. */
  readonly holdoutEnd?: string;
  /** Column that names the customer; default "customer_key". */
  readonly customer?: string;
  /** Column of the day: ISO text, Date (UTC) or integer days since 1970-01-01; default "ordered_on". */
  readonly date?: string;
  /** Column of the money; default "amount". */
  readonly amount?: string;
}

const DAYS_PER: Readonly<Record<TimeUnit, number>> = { days: 1, weeks: 7 };

/**
 * One row a customer for the models of repeat buying, from one row per purchase. Purchases of one customer on one day
 * are one purchase; the first one makes somebody a customer and is not counted.
 *
 * Columns out: the customer; `x`, repeat purchases up to the end; `recency` (t_x), time from the first purchase to the
 * last one, 0 if there was only the first; `age` (T), time from the first purchase to the end; `mean_spend` of the
 * repeat purchases, 0 if there are none; `log_intervals`, the sum of the logarithms of the times between purchases, from
 * which the regularity of buying is estimated. With a holdout also `holdout_x` and `holdout_spend`, what happened from the
 * day after the end up to its end, and `holdout_length`. Customers whose first purchase lies after the end are left out.
 * Rows in ascending order of the customer.
 * @throws DataError if the table is empty, a column is missing, a value is not allowed (returns must be netted before),
 * or nobody bought up to the end.
 * @throws RangeError if `end` or `holdoutEnd` is no day, or the holdout does not end after `end`.
 * @see Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2): x, t_x and T.
 */
export function summarisePurchases(purchases: ColumnTable, options: PurchaseSummaryOptions): ColumnTable {
  const { customer = "customer_key", date = "ordered_on", amount = "amount", unit } = options;
  const end = requireDay("end", options.end);
  const holdoutEnd = options.holdoutEnd === undefined ? end : requireDay("holdoutEnd", options.holdoutEnd);
  if (options.holdoutEnd !== undefined && holdoutEnd <= end) {
    throw new RangeError(`holdoutEnd must be after end, ${options.end}, got ${options.holdoutEnd}`);
  }
  const ids = idColumn(purchases, customer, "purchases");
  const dates = valueColumn(purchases, date, "purchases");
  const spend = numberColumn(purchases, amount, "purchases", 0);
  const customers = new Map<unknown, Map<number, number>>();
  for (const [row, money] of spend.entries()) {
    const id = ids[row];
    const day = dayOf(dates[row]);
    if (day === undefined) {
      const got = describe(dates[row]);
      throw new DataError(
        `purchases: ${date} in row ${row + 1} must be a day such as "1997-09-30", got ${got}`,
      );
    }
    const days = customers.get(id) ?? new Map<number, number>();
    customers.set(id, days.set(day, (days.get(day) ?? 0) + money));
  }
  const rows = [...customers]
    .map(([id, days]) => ({ id, ...summaryOf(days, end, holdoutEnd) }))
    .filter((row) => row.first <= end)
    .sort((a, b) => compareIds(a.id, b.id));
  if (rows.length === 0) throw new DataError(`purchases: nobody bought up to the end, ${options.end}`);
  const time = DAYS_PER[unit];
  return table({
    [customer]: rows.map(({ id }) => id),
    x: rows.map(({ x }) => x),
    recency: rows.map(({ first, last }) => (last - first) / time),
    age: rows.map(({ first }) => (end - first) / time),
    mean_spend: rows.map(({ x, repeatSpend }) => (x === 0 ? 0 : repeatSpend / x)),
    log_intervals: rows.map(({ logDays, x }) => logDays - x * Math.log(time)),
    ...(options.holdoutEnd !== undefined && {
      holdout_x: rows.map(({ holdoutX }) => holdoutX),
      holdout_spend: rows.map(({ holdoutSpend }) => holdoutSpend),
      holdout_length: rows.map(() => (holdoutEnd - end) / time),
    }),
  });
}

interface Summary {
  readonly first: number;
  readonly last: number;
  readonly x: number;
  readonly repeatSpend: number;
  /** Sum of the logarithms of the days between purchases. */
  readonly logDays: number;
  readonly holdoutX: number;
  readonly holdoutSpend: number;
}

function summaryOf(spendByDay: ReadonlyMap<number, number>, end: number, holdoutEnd: number): Summary {
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
    repeatSpend: sum(repeats),
    logDays: repeats.reduce((total, day, index) => total + Math.log(day - (repeats[index - 1] ?? first)), 0),
    holdoutX: later.length,
    holdoutSpend: sum(later),
  };
}
