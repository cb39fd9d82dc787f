import type { ColumnTable } from "arquero";
import { DataError } from "../core/errors.js";
import { describe, numberColumn, valueColumn } from "../core/table.js";

/**
 * Numbers of a column as an ordinary array, which is what JSON keeps.
 * @throws DataError if the column is missing, the table is empty, or a value is not a finite number.
 */
export function numbersOf(table: ColumnTable, column: string, figure: string): number[] {
  return Array.from(numberColumn(table, column, figure));
}

/**
 * Numbers of a column where null or undefined means "not shown" (a suppressed small cell); they become null.
 * @throws DataError if the column is missing, the table is empty, or a value is neither.
 */
export function numbersOrNullOf(table: ColumnTable, column: string, figure: string): (number | null)[] {
  return Array.from(valueColumn(table, column, figure), (value, index) => {
    if (value === null || value === undefined) return null;
    if (typeof value !== "number" || !Number.isFinite(value)) {
      throw new DataError(
        `${figure}: ${column} in row ${index + 1} must be a number or null, got ${describe(value)}`,
      );
    }
    return value;
  });
}

/**
 * Texts of a column as an ordinary array.
 * @throws DataError if the column is missing or the table is empty.
 */
export function textsOf(table: ColumnTable, column: string, figure: string): string[] {
  return Array.from(valueColumn(table, column, figure), String);
}
