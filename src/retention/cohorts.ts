import { type ColumnTable, from } from "arquero";
import { requireOneOf, requireWhole } from "../core/arguments.js";
import { isoDay } from "../core/day.js";
import { DataError } from "../core/errors.js";
import { type CalendarPeriod, calendar } from "../core/period.js";
import { dayColumn, requireDay } from "../core/read-day.js";
import { idColumn, numberColumn, textColumn, valueColumn } from "../core/table.js";
import { chiSquareTail } from "../numeric/tail-probability.js";

/** How a log of purchases becomes cohorts. */
export interface CohortOptions {
  /** Column that names the customer; default "customer_key". */
  readonly customer?: string;
  /** Column of the day: ISO text, Date (UTC) or integer days since 1970-01-01; default "ordered_on". */
  readonly date?: string;
  /** Column of the money, below 0 for a return; default "amount". */
  readonly amount?: string;
  /** Customers of one cohort made their first purchase in the same week, month or quarter. */
  readonly by: CalendarPeriod;
  /** Last day that is observed, included, such as "1998-06-30"; never the clock. */
  readonly end: string;
}

/**
 * Cohorts of customers by the period of their first purchase, one row a cohort and period up to the end. Purchases say
 * who is active, not who is still a customer: a silent customer may come back, so nothing here is called retention.
 *
 * Columns out: `cohort` and `period` ("1997-01", "1997-Q1"; a week by its Monday), `age` in periods (0 is the period of
 * the first purchase, which lasts less than a whole period for most), `customers` of the cohort, `active` (customers with
 * a purchase in the period), `active_share`; `repeat_buying_rate`, the share of those active in the period before who buy
 * again in this one (null at age 0 and if nobody was); `purchases` (those of a customer on one day are one), `revenue`
 * less returns, `cumulative_revenue` a customer of the cohort; `complete`, false if the end cuts the period.
 * Rows by cohort, then period. An amount of 0 is a purchase; one below 0 is a return, which makes nobody active.
 * @throws DataError if the table is empty, a column is missing, a value is not allowed, nobody bought up to the end, or a
 * return comes before the customer's first purchase.
 * @throws RangeError if `end` is no day.
 * @see Fader, Hardie & Ross (2022), The Customer-Base Audit, Wharton School Press.
 */
export function cohortTable(purchases: ColumnTable, options: CohortOptions): ColumnTable {
  const { by, end } = options;
  requireOneOf("by", by, Object.keys(calendar));
  const { of, label, firstDay } = calendar[by];
  const lastDay = requireDay("end", end);
  const log = readLog(purchases, options, lastDay);
  const days = customerDays(log);
  const firstDays = new Map<number, number>();
  for (const { customer, day } of days) if (!firstDays.has(customer)) firstDays.set(customer, day);

  const last = of(lastDay);
  const isCut = lastDay < firstDay(last + 1) - 1;
  const cells = new Map<number, readonly CohortCell[]>();
  const cellOf = (customer: number, day: number): CohortCell => {
    const cohort = of(firstDays.get(customer) as number);
    const row =
      cells.get(cohort) ??
      Array.from({ length: last - cohort + 1 }, () => ({ active: 0, repeated: 0, purchases: 0, revenue: 0 }));
    cells.set(cohort, row);
    return row[of(day) - cohort] as CohortCell;
  };
  let before = { customer: -1, period: 0 };
  for (const { customer, day } of days) {
    const period = of(day);
    const cell = cellOf(customer, day);
    const known = before.customer === customer;
    cell.purchases++;
    if (!known || period > before.period) cell.active++;
    if (known && period === before.period + 1) cell.repeated++;
    before = { customer, period };
  }
  for (const { customer, day, money, row } of log) {
    if (day < (firstDays.get(customer) ?? Number.POSITIVE_INFINITY)) {
      throw new DataError(
        `purchases: ${options.amount ?? "amount"} in row ${row + 1} must not be a return before the customer's first purchase, got ${money} on ${isoDay(day)}`,
      );
    }
    cellOf(customer, day).revenue += money;
  }

  const rows = [...cells]
    .sort(([one], [other]) => one - other)
    .flatMap(([cohort, row]) => {
      const customers = row[0]?.active as number;
      let cumulative = 0;
      return row.map(({ active, repeated, purchases: count, revenue }, age) => {
        const activeBefore = row[age - 1]?.active ?? 0;
        cumulative += revenue;
        return {
          cohort: label(cohort),
          period: label(cohort + age),
          age,
          customers,
          active,
          active_share: active / customers,
          repeat_buying_rate: activeBefore === 0 ? null : repeated / activeBefore,
          purchases: count,
          revenue,
          cumulative_revenue: cumulative / customers,
          complete: cohort + age < last || !isCut,
        };
      });
    });
  return from(rows);
}

/** What the customers of a cohort do in one period. */
interface CohortCell {
  active: number;
  /** Those who were active in the period before too. */
  repeated: number;
  purchases: number;
  revenue: number;
}

interface LogRow {
  /** Place of the customer in the order of appearance. */
  readonly customer: number;
  readonly day: number;
  readonly money: number;
  /** Row of the table, from 0. */
  readonly row: number;
}

function readLog(purchases: ColumnTable, options: CohortOptions, lastDay: number): readonly LogRow[] {
  const { customer = "customer_key", date = "ordered_on", amount = "amount", end } = options;
  const ids = idColumn(purchases, customer, "purchases");
  const money = numberColumn(purchases, amount, "purchases");
  const placeOf = new Map<unknown, number>();
  const log: LogRow[] = [];
  for (const [row, day] of dayColumn(purchases, date, "purchases").entries()) {
    if (day > lastDay) continue;
    const place = placeOf.get(ids[row]) ?? placeOf.size;
    placeOf.set(ids[row], place);
    log.push({ customer: place, day, money: money[row] as number, row });
  }
  if (log.every((row) => row.money < 0))
    throw new DataError(`purchases: nobody bought up to the end, ${end}`);
  return log;
}

/** The days on which each customer bought, by customer, then day. */
function customerDays(
  log: readonly LogRow[],
): readonly { readonly customer: number; readonly day: number }[] {
  const bought = log.filter(({ money }) => money >= 0);
  const shift = 3_000_000; // the days of the years 1 to 9999 lie within it; numbers sort fast
  const keys = Float64Array.from(bought, ({ customer, day }) => customer * 2 * shift + day + shift).sort();
  return Array.from(keys.filter((key, index) => key !== keys[index - 1])).map((key) => ({
    customer: Math.floor(key / (2 * shift)),
    day: (key % (2 * shift)) - shift,
  }));
}

/** What a triangle of cohorts can show: columns of `cohortTable`. */
export type CohortMeasure =
  | "active"
  | "active_share"
  | "repeat_buying_rate"
  | "purchases"
  | "revenue"
  | "cumulative_revenue";

/** A measure of cohorts as rows and columns; what is not observed, or does not exist, is null. */
export interface CohortTriangle {
  readonly measure: CohortMeasure;
  /** What a column is: an age in periods, or a period of the calendar. */
  readonly alignedBy: "age" | "calendar";
  /** Cohorts, the oldest first: one row each. */
  readonly cohorts: readonly string[];
  /** Ages ("0", "1", ...) or periods ("1997-01", ...): one column each. */
  readonly columns: readonly string[];
  /** Value of a cohort (row) in a column. */
  readonly values: readonly (readonly (number | null)[])[];
  /** Whether the period of a cell was observed to its end; false in cells without a value too. */
  readonly complete: readonly (readonly boolean[])[];
}

/**
 * A measure of the cohorts of `cohortTable` as a triangle: by age, so that cohorts are compared at the same age, or by the
 * calendar, so that a season or a campaign stands in one column.
 * @throws DataError if a column is missing, the table is empty, or a cell occurs twice.
 */
export function cohortTriangle(
  cohorts: ColumnTable,
  measure: CohortMeasure,
  alignedBy: "age" | "calendar" = "age",
): CohortTriangle {
  const place = "cohorts";
  const cohort = textColumn(cohorts, "cohort", place);
  const column = valueColumn(cohorts, alignedBy === "age" ? "age" : "period", place).map(String);
  const value = valueColumn(cohorts, measure, place);
  const complete = valueColumn(cohorts, "complete", place);
  const rows = [...new Set(cohort)].sort();
  const byNumber = (a: string, b: string): number => Number(a) - Number(b);
  const columns = [...new Set(column)].sort(alignedBy === "age" ? byNumber : undefined);
  const rowOf = new Map(cohort.map((name, row) => [`${name} ${column[row]}`, row]));
  if (rowOf.size !== cohort.length) {
    const twice = cohort.findIndex((name, row) => rowOf.get(`${name} ${column[row]}`) !== row);
    throw new DataError(
      `${place}: cohort ${cohort[twice]}, ${alignedBy} ${column[twice]} must occur once, got it again after row ${twice + 1}`,
    );
  }
  const cells = <Value>(read: (row: number | undefined) => Value): Value[][] =>
    rows.map((name) => columns.map((at) => read(rowOf.get(`${name} ${at}`))));
  return Object.freeze({
    measure,
    alignedBy,
    cohorts: rows,
    columns,
    values: cells((row) => (row === undefined ? null : (value[row] as number | null))),
    complete: cells((row) => row !== undefined && complete[row] === true),
  });
}

/** Cohorts that are compared as one. */
export interface ComparedCohorts {
  /** The cohorts in the group: one, or neighbours that are too small alone. */
  readonly cohorts: readonly string[];
  /** Customers of the group. */
  readonly customers: number;
  /** Customers of the group with a purchase at the age compared. */
  readonly active: number;
  /** Share of active customers, between 0 and 1. */
  readonly share: number;
}

/** Whether cohorts differ in the share of customers active at the same age. */
export interface CohortComparison {
  /** Age in periods at which cohorts are compared. */
  readonly age: number;
  /** Groups by time of acquisition. */
  readonly groups: readonly ComparedCohorts[];
  /** Pearson's chi-square. */
  readonly statistic: number;
  /** Groups less 1. */
  readonly degreesOfFreedom: number;
  /** Probability of differences at least this large if all cohorts were alike. */
  readonly pValue: number;
}

const LEAST_EXPECTED = 5;

/**
 * Chi-square test of equal shares of active customers across cohorts at one age. Periods that the end cuts are left out.
 * A cohort in which fewer than 5 active or 5 inactive customers are expected is pooled with its neighbours, so that the
 * chi-square distribution holds.
 * @throws RangeError if the age is not a whole number from 1 up (at age 0 all are active).
 * @throws DataError if a column is missing, a count is not possible, all or no customers are active at that age, or fewer
 * than two groups are left.
 * @see Cochran (1954), Some Methods for Strengthening the Common Chi-Square Tests, Biometrics 10(4).
 */
export function compareCohorts(cohorts: ColumnTable, { age }: { readonly age: number }): CohortComparison {
  requireWhole("age", age, 1);
  const rows = cohortsAt(cohorts, age);
  const total = sumOf(rows.map(({ customers }) => customers));
  const share = sumOf(rows.map(({ active }) => active)) / total;
  if (!(share > 0 && share < 1)) {
    const found =
      rows.length === 0 ? "no cohort that was observed to its end" : `a share of ${share} in all cohorts`;
    throw new DataError(`cohorts: at age ${age} some customers must be active and some not, got ${found}`);
  }
  const groups = pool(rows, LEAST_EXPECTED / Math.min(share, 1 - share));
  if (groups.length < 2) {
    throw new DataError(
      `cohorts: at age ${age} two groups are needed with ${LEAST_EXPECTED} active and ${LEAST_EXPECTED} inactive customers expected in each, got ${total} customers, ${share} of them active`,
    );
  }
  const statistic = sumOf(
    groups.map((group) => (group.customers * (group.share - share) ** 2) / (share * (1 - share))),
  );
  const degreesOfFreedom = groups.length - 1;
  const pValue = chiSquareTail(statistic, degreesOfFreedom);
  return Object.freeze({ age, groups, statistic, degreesOfFreedom, pValue });
}

/** Customers and active customers of each cohort that was observed to the end of the period of this age. */
function cohortsAt(cohorts: ColumnTable, age: number): readonly ComparedCohorts[] {
  const name = textColumn(cohorts, "cohort", "cohorts");
  const ages = numberColumn(cohorts, "age", "cohorts");
  const customers = numberColumn(cohorts, "customers", "cohorts", 1);
  const active = numberColumn(cohorts, "active", "cohorts", 0);
  const complete = valueColumn(cohorts, "complete", "cohorts");
  return name
    .flatMap((cohort, row) => {
      const [all, some] = [customers[row] as number, active[row] as number];
      if (some > all) {
        throw new DataError(
          `cohorts: active in row ${row + 1} must be at most customers, ${all}, got ${some}`,
        );
      }
      if (ages[row] !== age || complete[row] !== true) return [];
      return [{ cohorts: [cohort], customers: all, active: some, share: some / all }];
    })
    .sort((one, other) => ((one.cohorts[0] as string) < (other.cohorts[0] as string) ? -1 : 1));
}

/** Neighbours in time joined until every group has at least `least` customers. */
function pool(rows: readonly ComparedCohorts[], least: number): readonly ComparedCohorts[] {
  const groups: ComparedCohorts[] = [];
  for (const row of rows) {
    const last = groups.at(-1);
    if (last !== undefined && last.customers < least) groups.splice(-1, 1, join(last, row));
    else groups.push(row);
  }
  const [beforeLast, last] = groups.slice(-2);
  if (beforeLast && last && last.customers < least) groups.splice(-2, 2, join(beforeLast, last));
  return groups;
}

function join(one: ComparedCohorts, other: ComparedCohorts): ComparedCohorts {
  const customers = one.customers + other.customers;
  const active = one.active + other.active;
  return { cohorts: [...one.cohorts, ...other.cohorts], customers, active, share: active / customers };
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
