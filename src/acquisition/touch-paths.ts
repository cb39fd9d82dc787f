import type { ColumnTable } from "arquero";
import { DataError } from "../core/errors.js";
import { dayColumn } from "../core/read-day.js";
import { describe, idColumn, textColumn, valueColumn } from "../core/table.js";

/** The touches of one customer, or of several with the same ones. */
export interface TouchPath {
  /** Channels in the order of the touches; at least one. */
  readonly channels: readonly string[];
  /** Day number of each touch, not falling; only rules that look at time need them. */
  readonly days?: readonly number[];
  /** Customers with this path who converted. */
  readonly converted: number;
  /** Customers with this path who did not, as far as seen. */
  readonly lost: number;
}

/**
 * Paths of customers from a log of touches: one row a touch with the columns `customer`, `channel`, `day` (ISO text, Date
 * or day number) and `converted` (true in each row of a customer who converted after the last touch). Touches of a day
 * stay in the order of the rows. A customer who converts twice is two customers here, with two names.
 * @throws DataError if a column is missing or the table empty, a value is not allowed, or a customer is both converted and
 * not.
 */
export function touchPaths(touches: ColumnTable): readonly TouchPath[] {
  const place = "touches";
  const customers = idColumn(touches, "customer", place);
  const channels = textColumn(touches, "channel", place);
  const days = dayColumn(touches, "day", place);
  const converted = valueColumn(touches, "converted", place);
  const rowsOf = new Map<unknown, number[]>();
  for (const [row, customer] of customers.entries()) {
    const value = converted[row];
    if (typeof value !== "boolean") {
      throw new DataError(
        `${place}: converted in row ${row + 1} must be true or false, got ${describe(value)}`,
      );
    }
    const rows = rowsOf.get(customer) ?? [];
    if (rows.length > 0 && converted[rows[0] as number] !== value) {
      throw new DataError(
        `${place}: converted in row ${row + 1} must be ${String(!value)} as in the first row of customer ${describe(customer)}, got ${String(value)}`,
      );
    }
    rows.push(row);
    rowsOf.set(customer, rows);
  }
  return [...rowsOf.values()].map((rows) => {
    const ordered = [...rows].sort((a, b) => (days[a] as number) - (days[b] as number));
    const won = converted[rows[0] as number] === true;
    return {
      channels: ordered.map((row) => channels[row] as string),
      days: ordered.map((row) => days[row] as number),
      converted: won ? 1 : 0,
      lost: won ? 0 : 1,
    };
  });
}

/** @throws DataError if there are no paths, or one has no channels, days that do not fit, or counts that are none. */
export function requirePaths(paths: readonly TouchPath[]): void {
  if (paths.length === 0) throw new DataError("paths: at least one is needed, got none");
  for (const [index, { channels, days, converted, lost }] of paths.entries()) {
    const path = `paths: path ${index + 1}`;
    if (channels.length === 0) throw new DataError(`${path} must have at least one touch, got none`);
    for (const [name, count] of Object.entries({ converted, lost })) {
      if (Number.isSafeInteger(count) && count >= 0) continue;
      throw new DataError(`${path} must have a whole number of customers ${name}, got ${count}`);
    }
    if (converted + lost === 0) throw new DataError(`${path} must have at least one customer, got none`);
    if (days === undefined) continue;
    const falls = days.findIndex((day, touch) => !(day >= (days[touch - 1] ?? Number.NEGATIVE_INFINITY)));
    if (days.length !== channels.length || falls !== -1) {
      throw new DataError(
        `${path} must have a day for each of ${channels.length} touches, in order, got ${days.join(", ")}`,
      );
    }
  }
}
