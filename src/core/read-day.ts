import type { ColumnTable } from "arquero";
import { parseIsoDay } from "./day.js";
import { DataError } from "./errors.js";
import { describe, valueColumn } from "./table.js";

const millisecondsPerDay = 86_400_000;
const latestDay = 100_000; // October 2243; a larger number is a date written as 20251231 or a count of milliseconds

/**
 * Day number (days since 1970-01-01) of a purchase date given as ISO text (a time of day is dropped), a Date (its UTC
 * day) or an integer day number; undefined if it is none of these.
 */
export function dayOf(value: unknown): number | undefined {
  if (typeof value === "string") return parseIsoDay(/^[^T ]+(?=[T ]\d{2}:)/.exec(value)?.[0] ?? value);
  const day =
    value instanceof Date
      ? Math.floor(value.getTime() / millisecondsPerDay)
      : typeof value === "bigint"
        ? Number(value)
        : value;
  return typeof day === "number" && Number.isInteger(day) && Math.abs(day) < latestDay ? day : undefined;
}

/**
 * Day number of an ISO day.
 * @throws RangeError if it is none.
 */
export function requireDay(name: string, value: string): number {
  const day = parseIsoDay(value);
  if (day === undefined)
    throw new RangeError(`${name} must be a day such as "1998-07-01", got ${describe(value)}`);
  return day;
}

/**
 * Day numbers of one column in row order, written as `dayOf` allows.
 * @throws DataError naming the first row that is no day.
 */
export function dayColumn(table: ColumnTable, name: string, place: string): readonly number[] {
  return valueColumn(table, name, place).map((value, row) => {
    const day = dayOf(value);
    if (day !== undefined) return day;
    const allowed = 'a day such as "1997-09-30"';
    throw new DataError(`${place}: ${name} in row ${row + 1} must be ${allowed}, got ${describe(value)}`);
  });
}
