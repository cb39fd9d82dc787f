import { DataError } from "./errors.js";
import { compareIds, describe } from "./table.js";

/**
 * Finite numbers of one named column with `size` rows, all accepted by a condition that `allowed` puts in words.
 * @throws DataError naming the first row that is not, or another length.
 */
export function finiteColumn(
  name: string,
  values: ArrayLike<number>,
  size: number,
  accepts: (value: number) => boolean = () => true,
  allowed = "a finite number",
): Float64Array {
  requireLength(name, values, size);
  const column = new Float64Array(size);
  for (let row = 0; row < size; row++) {
    const value: unknown = values[row];
    if (typeof value !== "number" || !Number.isFinite(value) || !accepts(value)) {
      throw new DataError(`${name} in row ${row + 1} must be ${allowed}, got ${describe(value)}`);
    }
    column[row] = value;
  }
  return column;
}

/**
 * Weights of rows, numbers above 0; 1 each unless given.
 * @throws DataError naming the first row whose weight is not, or another length.
 */
export const weightColumn = (values: ArrayLike<number> | undefined, size: number): Float64Array =>
  values
    ? finiteColumn("weight", values, size, (value) => value > 0, "a finite number above 0")
    : new Float64Array(size).fill(1);

/**
 * Codes of a column of labels into `labels`, its distinct values in order: numbers by size, texts by letter.
 * @throws DataError if a row has no label, or the length is another.
 */
export function labelCodes(
  name: string,
  values: ArrayLike<string | number>,
  size: number,
): { readonly codes: Uint32Array; readonly labels: readonly (string | number)[] } {
  requireLength(name, values, size);
  const codeOf = new Map<string | number, number>();
  for (let row = 0; row < size; row++) {
    const value: unknown = values[row];
    if ((typeof value !== "string" && typeof value !== "number") || value === "" || Number.isNaN(value)) {
      throw new DataError(`${name} in row ${row + 1} must be a label, got ${describe(value)}`);
    }
    codeOf.set(value, 0);
  }
  const labels = [...codeOf.keys()].sort(compareIds);
  for (const [code, label] of labels.entries()) codeOf.set(label, code);
  return {
    codes: Uint32Array.from(
      { length: size },
      (_, row) => codeOf.get(values[row] as string | number) as number,
    ),
    labels,
  };
}

/** @throws DataError if a column has another length than `size`. */
export function requireLength(name: string, values: ArrayLike<unknown>, size: number): void {
  if (values.length === size) return;
  throw new DataError(`${name} must have one value for each of the ${size} rows, got ${values.length}`);
}
