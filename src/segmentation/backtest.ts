import { type ColumnTable, table } from "arquero";
import { DataError } from "../core/errors.js";
import { dayOf, requireDay } from "../core/read-day.js";
import { describe, numberColumn, valueColumn } from "../core/table.js";
import { ExactSum } from "../numeric/quantile.js";
import { type BootstrapOptions, meanInterval } from "./bootstrap.js";
import { type RfmScoring, type RfmTableOptions, rfmTable, scoreRfm } from "./rfm.js";
import { assignSegments, type SegmentTable, standardSegments } from "./segments.js";

/** From which past day to look ahead, and to where. Column names default to those of `rfmTable`. */
export interface BacktestOptions extends Omit<RfmTableOptions, "analysisDate"> {
  /** Customers are segmented by what was known at the end of this day. */
  readonly asOf: string;
  /** Last day of the time that is looked ahead to. */
  readonly until: string;
  /** Column of what counts as brought, such as margin; default the amount. */
  readonly value?: string;
  readonly scoring?: RfmScoring;
  readonly segments?: SegmentTable;
}

/**
 * Segments customers as of a past day and adds what each brought afterwards: the test of whether a segmentation says
 * anything about the future.
 *
 * `purchases` has one row per purchase. Columns out: those of `assignSegments`, `next_value` (sum of the value column from
 * the day after `asOf` to `until`) and `next_purchases` (rows of that time); 0 for who did not buy.
 * @throws DataError if a column is missing, a value is not allowed, or there is no purchase up to `asOf`.
 * @throws RangeError if a day is none or `until` is not after `asOf`.
 */
export function backtestSegments(purchases: ColumnTable, options: BacktestOptions): ColumnTable {
  const { asOf, until, customer = "customer_key", date = "ordered_on", amount = "amount" } = options;
  const { scoring, segments = standardSegments, value = amount } = options;
  const [start, end] = [requireDay("asOf", asOf), requireDay("until", until)];
  if (end <= start) throw new RangeError(`until must be after asOf (${asOf}), got ${until}`);

  const rows = purchases.reify(); // row numbers below count the rows that a filter has left
  const ids = valueColumn(rows, customer, "purchases");
  const values = numberColumn(rows, value, "purchases");
  const days = valueColumn(rows, date, "purchases").map((found, row) => {
    const day = dayOf(found);
    if (day !== undefined) return day;
    throw new DataError(`purchases: ${date} in row ${row + 1} must be a day, got ${describe(found)}`);
  });
  const known = days.flatMap((day, row) => (day <= start ? [row] : []));
  if (known.length === 0) throw new DataError(`purchases: at least one is needed up to ${asOf}, got none`);

  const next = new Map<unknown, { readonly sum: ExactSum; rows: number }>();
  for (const [row, day] of days.entries()) {
    if (day <= start || day > end) continue;
    const own = next.get(ids[row]) ?? { sum: new ExactSum(), rows: 0 };
    next.set(ids[row], own);
    own.sum.add(values[row] ?? 0);
    own.rows += 1;
  }

  const before = rfmTable(rows.reify(known), { ...options, analysisDate: asOf });
  const segmented = assignSegments(scoreRfm(before, scoring).table, segments);
  const customers = valueColumn(segmented, customer, "customers");
  return segmented.assign(
    table({
      next_value: customers.map((id) => next.get(id)?.sum.total ?? 0),
      next_purchases: customers.map((id) => next.get(id)?.rows ?? 0),
    }),
  );
}

/**
 * What a customer of each segment brought on average, with a bootstrap interval: one row per segment, highest first.
 * Columns: `segment`, `customers`, `active_share` (who bought at all), `value` (mean of `next_value`), `low`, `high`.
 * @throws DataError if a column is missing, the table is empty or a value is no number.
 * @throws RangeError as `meanInterval`.
 */
export function segmentValues(backtest: ColumnTable, options: BootstrapOptions): ColumnTable {
  const names = valueColumn(backtest, "segment", "back test").map(String);
  const values = numberColumn(backtest, "next_value", "back test");
  const purchases = numberColumn(backtest, "next_purchases", "back test", 0);
  const members = new Map<string, number[]>();
  for (const [row, name] of names.entries())
    members
      .set(name, members.get(name) ?? [])
      .get(name)
      ?.push(row);
  const rows = [...members]
    .sort(([a], [b]) => (a < b ? -1 : 1)) // the random numbers go to the segments in a fixed order
    .map(([segment, own]) => ({
      segment,
      customers: own.length,
      active_share: own.filter((row) => (purchases[row] ?? 0) > 0).length / own.length,
      ...meanInterval(
        own.map((row) => values[row] ?? 0),
        options,
      ),
    }))
    .sort((a, b) => b.estimate - a.estimate);
  return table({
    segment: rows.map(({ segment }) => segment),
    customers: rows.map(({ customers }) => customers),
    active_share: rows.map(({ active_share }) => active_share),
    value: rows.map(({ estimate }) => estimate),
    low: rows.map(({ low }) => low),
    high: rows.map(({ high }) => high),
  });
}
