import type { ColumnTable } from "arquero";
import { DataError } from "./errors.js";

/**
 * Values of one column in row order.
 * @throws DataError if the table has no such column or no rows.
 */
export function valueColumn(table: ColumnTable, name: string, place = "table"): readonly unknown[] {
  if (table.columnIndex(name) === -1) {
    throw new DataError(
      `${place}: column ${name} is missing, the columns are ${table.columnNames().join(", ")}`,
    );
  }
  if (table.numRows() === 0) throw new DataError(`${place}: at least one row is needed, got an empty table`);
  return table.array(name) as readonly unknown[];
}

/**
 * Finite numbers of one column in row order; whole numbers that a database returns as bigint are accepted.
 * @throws DataError naming the first row that is not a number of at least `least`.
 */
export function numberColumn(
  table: ColumnTable,
  name: string,
  place = "table",
  least = Number.NEGATIVE_INFINITY,
): Float64Array {
  const values = valueColumn(table, name, place);
  return Float64Array.from(values, (value, index) => {
    const number = typeof value === "bigint" ? Number(value) : value;
    if (typeof number !== "number" || !Number.isFinite(number) || number < least) {
      const allowed = least === Number.NEGATIVE_INFINITY ? "a number" : `a number of at least ${least}`;
      throw new DataError(`${place}: ${name} in row ${index + 1} must be ${allowed}, got ${describe(value)}`);
    }
    return number;
  });
}

/**
 * Texts of one column in row order.
 * @throws DataError naming the first row that is no text.
 */
export function textColumn(table: ColumnTable, name: string, place = "table"): readonly string[] {
  return valueColumn(table, name, place).map((value, index) => {
    if (typeof value === "string") return value;
    throw new DataError(`${place}: ${name} in row ${index + 1} must be a text, got ${describe(value)}`);
  });
}

/**
 * A column that names customers: every value but a missing one or an empty text is a name.
 * @throws DataError naming the first row without one.
 */
export function idColumn(table: ColumnTable, name: string, place = "table"): readonly unknown[] {
  const ids = valueColumn(table, name, place);
  const row = ids.findIndex((id) => id === null || id === undefined || id === "");
  if (row === -1) return ids;
  throw new DataError(`${place}: ${name} in row ${row + 1} must name a customer, got ${describe(ids[row])}`);
}

/** Order of names: numbers by size, everything else by its text, the same on every machine. */
export function compareIds(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  const [left, right] = [String(a), String(b)];
  return left < right ? -1 : Number(left > right);
}

/** The value as an error message prints it: text in quotes, the rest plainly. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "an invalid date" : value.toISOString();
  return String(value);
}
