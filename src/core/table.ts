import type { ColumnTable } from "arquero";
import { DataError } from "./errors.js";

/** Typed access to the columns of a table. */

/**
 * A column of numbers, as a new array the model may keep.
 * @throws DataError if the column is absent, or a value is missing or no finite number.
 */
export function numberColumn(table: ColumnTable, name: string): Float64Array {
  const values = columnOf(table, name);
  return Float64Array.from(values, (value, row) => {
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw new DataError(`${name} in row ${row + 1} must be a finite number, got ${describe(value)}`);
  });
}

/**
 * A column of texts, as a new array.
 * @throws DataError if the column is absent, or a value is missing or no text.
 */
export function textColumn(table: ColumnTable, name: string): readonly string[] {
  const values = columnOf(table, name);
  return Array.from(values, (value, row) => {
    if (typeof value === "string") return value;
    throw new DataError(`${name} in row ${row + 1} must be a text, got ${describe(value)}`);
  });
}

function columnOf(table: ColumnTable, name: string): ArrayLike<unknown> {
  const names = table.columnNames();
  if (!names.includes(name)) {
    throw new DataError(`the table has no column ${name}: it has ${names.join(", ") || "none"}`);
  }
  return table.array(name) as ArrayLike<unknown>;
}

const describe = (value: unknown): string =>
  typeof value === "string" ? JSON.stringify(value) : String(value);
