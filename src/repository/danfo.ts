import { type ColumnTable, table } from "arquero";
import { DataError } from "../core/errors.js";

/**
 * The bridge to danfojs, the pandas-like data frame, for small teaching tables: the only file that imports it, and only when
 * it is first used (1.6 s, 160 MB). Keep to 50,000 rows and few groups: its groupby is quadratic in the groups. Never put
 * keys or money through its scalers and tensors: they are 32-bit.
 */

/** The part of a danfojs DataFrame that this project relies on. */
export interface DanfoFrame {
  readonly shape: readonly number[];
  readonly columns: readonly string[];
  readonly values: readonly unknown[];
  /** The first rows, five unless told. */
  head(rows?: number): DanfoFrame;
  /** The last rows, five unless told. */
  tail(rows?: number): DanfoFrame;
  /** Count, mean, standard deviation, minimum, median, maximum and variance of each column of numbers. */
  describe(): DanfoFrame;
  /** One column. */
  column(name: string): { readonly values: readonly unknown[] };
  /** Rows and columns by label. */
  loc(selection: { rows?: readonly unknown[]; columns?: readonly string[] }): DanfoFrame;
  /** Rows in the order of a column, ascending unless told. */
  sortValues(by: string, options?: { ascending?: boolean }): DanfoFrame;
  /** Rows for which the condition, a list of booleans, holds. */
  query(condition: unknown): DanfoFrame;
  /** Groups of rows with equal values in these columns; slow above a few hundred groups. */
  groupby(columns: readonly string[]): DanfoGroups;
  /** Prints the frame as text. */
  print(): void;
  /** The frame as text. */
  toString(): string;
}

/** Groups of a danfojs DataFrame. */
export interface DanfoGroups {
  /** One row a group: each column by the operations named, such as `{ amount: ["sum", "mean"] }`. */
  agg(operations: Readonly<Record<string, string | readonly string[]>>): DanfoFrame;
}

const mostRows = 50_000;

/**
 * A table as a danfojs DataFrame: numbers stay numbers, missing values become NaN in a column of numbers and `null` in one
 * of text.
 * @throws DataError if the table has more than 50,000 rows or no columns.
 */
export async function toDanfo(from: ColumnTable): Promise<DanfoFrame> {
  const rows = from.numRows();
  if (rows > mostRows) {
    throw new DataError(
      `a danfojs frame takes at most ${mostRows} rows, got ${rows}: aggregate first, in SQL or arquero`,
    );
  }
  if (from.numCols() === 0) throw new DataError("a danfojs frame needs at least one column");
  const { DataFrame } = await danfo();
  const columns = Object.fromEntries(from.columnNames().map((name) => [name, frameValues(from.array(name))]));
  return new DataFrame(columns);
}

/** A danfojs DataFrame as a table: values as they are, NaN in a column of numbers as null. */
export function fromDanfo(frame: DanfoFrame): ColumnTable {
  const columns = frame.columns.map((name) => {
    const values = frame.column(name).values.map((value) => (Number.isNaN(value) ? null : (value ?? null)));
    return [name, values] as const;
  });
  return table(Object.fromEntries(columns));
}

/**
 * Frames under one another, in order; the frames stay as they are. (danfojs' own `concat` changes its first argument, see
 * the tests.)
 * @throws DataError if there is no frame or their columns differ.
 */
export async function concatFrames(frames: readonly DanfoFrame[]): Promise<DanfoFrame> {
  const [first, ...others] = frames;
  if (first === undefined) throw new DataError("there is no frame to put under another");
  for (const other of others) {
    if (other.columns.join("\n") !== first.columns.join("\n")) {
      throw new DataError(
        `frames must have the same columns, got ${first.columns.join(", ")} and ${other.columns.join(", ")}`,
      );
    }
  }
  const { DataFrame } = await danfo();
  const stacked = first.columns.map(
    (name) => [name, frames.flatMap((frame) => [...frame.column(name).values])] as const,
  );
  return new DataFrame(Object.fromEntries(stacked));
}

interface Danfo {
  DataFrame: new (columns: Readonly<Record<string, readonly unknown[]>>) => DanfoFrame;
}

/** danfojs with the types above instead of its own, so that no notebook has to read them. */
async function danfo(): Promise<Danfo> {
  const module: unknown = await import("danfojs-node");
  return (module as { default: Danfo }).default;
}

function frameValues(values: ArrayLike<unknown>): unknown[] {
  const list = Array.from(values);
  const isNumeric = list.some((value) => typeof value === "number");
  return isNumeric ? list.map((value) => value ?? Number.NaN) : list;
}
