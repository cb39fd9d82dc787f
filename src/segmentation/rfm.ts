import { type ColumnTable, table } from "arquero";
import { mode } from "simple-statistics";
import { isoDay } from "../core/day.js";
import { DataError } from "../core/errors.js";
import { dayOf, requireDay } from "../core/read-day.js";
import { compareIds, describe, idColumn, numberColumn, valueColumn } from "../core/table.js";
import { ExactSum, quantileType7 } from "../numeric/quantile.js";

/**
 * What to do with rows of negative amount:
 * `reject` them as an error, `ignore` the rows, or `net` them off the customer's spend (they are no purchase, so
 * they change neither recency nor frequency).
 */
export type ReturnsRule = "reject" | "ignore" | "net";

/** How to read the order table. Column names default to the warehouse's. */
export interface RfmTableOptions {
  /** The day from which recency is counted, such as "1998-07-01"; never the clock. */
  readonly analysisDate: string;
  /** Column that names the customer; default "customer_key". */
  readonly customer?: string;
  /** Column of the day: ISO text, Date (UTC) or integer days since 1970-01-01; default "ordered_on". */
  readonly date?: string;
  /** Column of the money; default "amount". */
  readonly amount?: string;
  /** Default "reject". */
  readonly returns?: ReturnsRule;
}

/**
 * Recency, frequency and monetary value of every customer, from one row per order.
 *
 * Columns out: the customer, `recency_days` (days from the last purchase to the analysis date; models of the
 * buy-till-you-die family use the word for the *time of* the last purchase), `frequency` (number of orders),
 * `monetary` (total spend, in the money of the input); one row per customer, in ascending order of the customer.
 * @throws DataError if the table is empty, a column is missing or a value is not allowed.
 * @throws RangeError if the analysis date is no day or lies before a purchase.
 * @see Hughes (1994), Strategic Database Marketing.
 */
export function rfmTable(orders: ColumnTable, options: RfmTableOptions): ColumnTable {
  const { customer = "customer_key", date = "ordered_on", amount = "amount", returns = "reject" } = options;
  const today = requireDay("analysisDate", options.analysisDate);
  const ids = idColumn(orders, customer, "orders");
  const days = valueColumn(orders, date, "orders");
  const amounts = numberColumn(orders, amount, "orders");

  const totals = new Map<unknown, CustomerTotals>();
  for (const [row, money] of amounts.entries()) {
    if (money < 0 && returns === "reject") {
      throw new DataError(
        `orders: ${amount} in row ${row + 1} must be at least 0, got ${money}; ` +
          `returns: "net" subtracts returns from the spend, returns: "ignore" leaves them out`,
      );
    }
    if (money < 0 && returns === "ignore") continue;
    const id = ids[row];
    const own = totals.get(id) ?? { last: Number.NaN, orders: 0, spend: new ExactSum() };
    totals.set(id, own);
    own.spend.add(money);
    if (money < 0) continue;
    const day = purchaseDay(days[row], date, row, today);
    own.orders += 1;
    own.last = Number.isNaN(own.last) ? day : Math.max(own.last, day);
  }

  const rows = [...totals].sort(([a], [b]) => compareIds(a, b));
  const returnsOnly = rows.find(([, own]) => own.orders === 0);
  if (returnsOnly) {
    throw new DataError(
      `orders: customer ${describe(returnsOnly[0])} has returns but no purchase, so no recency; ` +
        `leave such customers out, or use returns: "ignore"`,
    );
  }
  if (rows.length === 0) throw new DataError("orders: at least one purchase is needed, got returns only");
  return table({
    [customer]: rows.map(([id]) => id),
    recency_days: rows.map(([, own]) => today - own.last),
    frequency: rows.map(([, own]) => own.orders),
    monetary: rows.map(([, own]) => own.spend.total),
  });
}

interface CustomerTotals {
  last: number;
  orders: number;
  readonly spend: ExactSum;
}

function purchaseDay(value: unknown, column: string, row: number, today: number): number {
  const day = dayOf(value);
  if (day === undefined) {
    throw new DataError(
      `orders: ${column} in row ${row + 1} must be a day such as "1998-07-01", a Date or an integer day number, ` +
        `got ${describe(value)}`,
    );
  }
  if (day > today) {
    throw new RangeError(
      `analysisDate must not be before the purchase of ${isoDay(day)} in row ${row + 1}, got ${isoDay(today)}`,
    );
  }
  return day;
}

/** The lower bounds of score 2, 3, … of each measure, in ascending order and in the unit of the measure. */
export interface RfmBounds {
  readonly recency: readonly number[];
  readonly frequency: readonly number[];
  readonly monetary: readonly number[];
}

/**
 * How values become scores. The conventions differ at ties, so the choice is named:
 * - `quantile-bounds`: bounds are quantiles (type 7) plus 1, a value on a bound belongs above it. Equal values get
 *   equal scores, bins can be unequal or empty. Plus 1 supposes days, orders and money of ordinary size.
 *   This is what the R package rfm 0.3.0 does.
 * - `ntile`: customers are ranked and cut into groups of equal size, the first groups one larger. Ties are broken by
 *   the column `tiesBy`, ascending, so equal values can get unequal scores. This is dplyr::ntile and SQL's NTILE.
 * - `custom`: your own bounds, a value on a bound belongs above it.
 */
export type RfmScoring =
  | { readonly convention: "quantile-bounds"; readonly bins?: number }
  | { readonly convention: "ntile"; readonly bins?: number; readonly tiesBy: string }
  | { readonly convention: "custom"; readonly bounds: RfmBounds };

/** The scored customers with everything needed to read the scores. */
export interface RfmScores {
  readonly convention: RfmScoring["convention"];
  /** Scores run from 1 (worst) to `bins` (best). */
  readonly bins: number;
  /** The customers with `r`, `f`, `m` and `score` (100 r + 10 f + m). */
  readonly table: ColumnTable;
  /**
   * One row per bin of ascending value; recency's bin 1 (most recent) therefore scores `bins`.
   * Bounds: lower included, upper excluded. For `ntile`: smallest and largest value of the group.
   */
  readonly thresholds: ColumnTable;
  /** Ties that bend the scores, in words; empty when there are none. */
  readonly warnings: readonly string[];
}

/**
 * Scores customers from 1 (worst) to `bins` (best, default 5) on recency, frequency and monetary value.
 * Needs the columns `recency_days` (at least 0), `frequency` (at least 0) and `monetary`; keeps all columns.
 * @throws DataError if the table is empty, a column is missing or a value is not allowed.
 * @throws RangeError if the bins or bounds are not usable.
 * @see rsquaredacademy rfm 0.3.0 (quantile-bounds); dplyr::ntile (ntile).
 */
export function scoreRfm(
  customers: ColumnTable,
  scoring: RfmScoring = { convention: "quantile-bounds" },
): RfmScores {
  const bins = requireBins(scoring);
  const measures: readonly Measure[] = [
    { name: "recency", values: numberColumn(customers, "recency_days", "customers", 0) },
    { name: "frequency", values: numberColumn(customers, "frequency", "customers", 0) },
    { name: "monetary", values: numberColumn(customers, "monetary", "customers") },
  ];
  const rowOrder = scoring.convention === "ntile" ? tieOrder(customers, scoring.tiesBy) : undefined;
  const [recency, frequency, monetary] = measures.map((measure) =>
    rowOrder ? rankedBins(measure, bins, rowOrder) : boundedBins(measure, boundsOf(measure, scoring, bins)),
  ) as [Binned, Binned, Binned];

  const r = recency.bin.map((bin) => bins + 1 - bin);
  const { bin: f } = frequency;
  const { bin: m } = monetary;
  return Object.freeze({
    convention: scoring.convention,
    bins,
    table: customers
      .reify()
      .assign(table({ r, f, m, score: r.map((score, i) => 100 * score + 10 * at(f, i) + at(m, i)) })),
    thresholds: table({
      bin: Array.from({ length: bins }, (_, index) => index + 1),
      ...limits("recency", recency),
      ...limits("frequency", frequency),
      ...limits("monetary", monetary),
    }),
    warnings: Object.freeze([recency, frequency, monetary].flatMap((binned) => tieWarnings(binned, bins))),
  });
}

interface Measure {
  readonly name: keyof RfmBounds;
  readonly values: Float64Array;
}

/** The bin (1 = lowest values) of every customer, the bins' limits, and the values that lie in more than one bin. */
interface Binned {
  readonly measure: Measure;
  readonly bin: readonly number[];
  readonly lower: readonly (number | null)[];
  readonly upper: readonly (number | null)[];
  /** Once for each border between bins that the value lies on both sides of. */
  readonly torn: readonly number[];
}

const at = (values: ArrayLike<number>, index: number): number => values[index] ?? Number.NaN;

function requireBins(scoring: RfmScoring): number {
  const bins = scoring.convention === "custom" ? scoring.bounds.recency.length + 1 : (scoring.bins ?? 5);
  if (!Number.isInteger(bins) || bins < 2 || bins > 9) {
    throw new RangeError(`bins must be a whole number from 2 to 9, got ${bins}`);
  }
  return bins;
}

function boundsOf({ name, values }: Measure, scoring: RfmScoring, bins: number): readonly number[] {
  if (scoring.convention === "custom") return requireBounds(name, scoring.bounds[name], bins);
  const sorted = values.slice().sort();
  return Array.from({ length: bins - 1 }, (_, index) => quantileType7(sorted, (index + 1) / bins) + 1);
}

function requireBounds(name: string, bounds: readonly number[], bins: number): readonly number[] {
  const ascending = bounds.every(
    (bound, index) => Number.isFinite(bound) && (index === 0 || bound > at(bounds, index - 1)),
  );
  if (bounds.length !== bins - 1 || !ascending) {
    throw new RangeError(
      `bounds.${name} must be ${bins - 1} ascending numbers (as many as bounds.recency), got ${bounds.join(", ")}`,
    );
  }
  return bounds;
}

/** Bin = 1 + number of bounds that the value reaches. */
function boundedBins(measure: Measure, bounds: readonly number[]): Binned {
  const bin = Array.from(measure.values, (value) => {
    let reached = 0;
    for (const bound of bounds) if (value >= bound) reached++;
    return 1 + reached;
  });
  const sorted = measure.values.slice().sort();
  const [least, most] = [at(sorted, 0), at(sorted, sorted.length - 1)];
  return { measure, bin, lower: [least, ...bounds], upper: [...bounds, most + 1], torn: [] };
}

/** Equal groups by rank; the first `n mod bins` groups hold one customer more. */
function rankedBins(measure: Measure, bins: number, rowOrder: readonly number[]): Binned {
  const { values } = measure;
  const ranked = [...rowOrder].sort((a, b) => at(values, a) - at(values, b)); // stable: ties keep rowOrder
  const bin = new Array<number>(values.length).fill(0);
  let start = 0;
  const edges = ntileSizes(values.length, bins).map((size, group) => {
    const rows = ranked.slice(start, start + size);
    start += size;
    for (const row of rows) bin[row] = group + 1;
    return size === 0
      ? undefined
      : { first: at(values, rows[0] ?? 0), last: at(values, rows[size - 1] ?? 0) };
  });
  return {
    measure,
    bin,
    lower: edges.map((edge) => edge?.first ?? null),
    upper: edges.map((edge) => edge?.last ?? null),
    torn: edges.flatMap((edge, group) => (edge && edge.last === edges[group + 1]?.first ? [edge.last] : [])),
  };
}

/** Sizes of `groups` groups of `count` things, as even as possible, larger ones first (SQL's NTILE). */
function ntileSizes(count: number, groups: number): readonly number[] {
  return Array.from(
    { length: groups },
    (_, group) => Math.floor(count / groups) + (group < count % groups ? 1 : 0),
  );
}

function tieOrder(customers: ColumnTable, column: string): readonly number[] {
  const keys = valueColumn(customers, column, "customers");
  return keys.map((_, row) => row).sort((a, b) => compareIds(keys[a], keys[b]));
}

function limits(name: string, { lower, upper }: Binned): Record<string, readonly (number | null)[]> {
  return { [`${name}_lower`]: lower, [`${name}_upper`]: upper };
}

/** Says where there are fewer values than bins, which scores nobody gets, and which equal values get unequal scores. */
function tieWarnings({ measure: { name, values }, bin, torn }: Binned, bins: number): readonly string[] {
  const scoresOf = (own: Iterable<number>): Set<number> =>
    new Set(Array.from(new Set(own), (index) => (name === "recency" ? bins + 1 - index : index)));
  const list = (scores: Iterable<number>): string => [...scores].sort((a, b) => a - b).join(", ");

  const given = scoresOf(bin);
  const unused = Array.from({ length: bins }, (_, index) => index + 1).filter((score) => !given.has(score));
  const distinct = new Set<number>();
  for (let row = 0; row < values.length && distinct.size < bins; row++) distinct.add(at(values, row));
  const value = torn.length === 0 ? undefined : mode([...torn]);
  return [
    ...(distinct.size < bins ? [`${name} has ${distinct.size} distinct values for ${bins} bins`] : []),
    ...(unused.length > 0 ? [`${name}: nobody scores ${list(unused)}`] : []),
    ...(value === undefined
      ? []
      : [
          `${name}: customers with equal values get different scores, for example ` +
            `${Number(value.toPrecision(12))} scores ${list(scoresOf(bin.filter((_, row) => values[row] === value)))}`,
        ]),
  ];
}
