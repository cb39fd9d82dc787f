import type { ColumnTable } from "arquero";
import type { Dialect } from "./dialect.js";
import type { SqlValue } from "./sql.js";

/** One column of a table: a typed array where no value is missing, otherwise an array with null for a missing value. */
export type Column =
  | Int32Array
  | Float64Array
  | readonly (string | null)[]
  | readonly (number | null)[]
  | readonly (boolean | null)[];

/** Columns of equal length by name. */
export type Columns = Readonly<Record<string, Column>>;

/** A run of rows of a streamed result. */
export interface ColumnBatch {
  readonly rows: number;
  readonly columns: Columns;
}

/** What a stored column holds. `day` is a DATE given as a day number; `bigint` a whole number up to 2^53. */
export type ColumnType = "text" | "integer" | "bigint" | "double" | "day" | "boolean";

/** Column types by column name, in the order of the table's columns. */
export type TableSchema = Readonly<Record<string, ColumnType>>;

/** Takes a run of rows: one array a column, in the order of the schema, all of the same length. */
export type AppendRows = (columns: readonly ArrayLike<unknown>[]) => void;

/** Fills a new table by appending rows to it. */
export type FillTable = (append: AppendRows) => Promise<void> | void;

/** Values for the parameters of a query: an array for $1, $2, ... or an object for $name. */
export type Parameters = readonly SqlValue[] | Readonly<Record<string, SqlValue>>;

/**
 * A store of tables that speaks SQL. How a value arrives in TypeScript:
 * INTEGER and smaller as a number; BIGINT and HUGEINT as a number if it is safe, otherwise a DataError; DECIMAL as the
 * nearest number if its digits survive (15 at most), otherwise a DataError; DOUBLE as a number; DATE as the text
 * "2024-12-31"; TIMESTAMP, TIME and UUID as the text the engine prints; VARCHAR and ENUM as text; BOOLEAN as true or
 * false; NULL as null. A numeric column without NULL is an Int32Array or a Float64Array.
 */
export interface Warehouse {
  readonly dialect: Dialect;
  /**
   * Runs one query and returns its rows. Say ORDER BY with a total order where the order of rows matters.
   * @throws DataError if the query fails, a value does not fit a number, or more rows come than the row budget.
   */
  query(sql: string, parameters?: Parameters): Promise<ColumnTable>;
  /** Runs one query and returns its rows in batches: memory stays bounded, the row budget does not apply. */
  stream(sql: string, parameters?: Parameters): AsyncIterable<ColumnBatch>;
  /** Runs one statement for its effect. */
  run(sql: string, parameters?: Parameters): Promise<void>;
  /**
   * Creates or replaces a table and fills it with the rows that `fill` appends, whole or not at all.
   * @throws DataError if a value does not fit its column; whatever `fill` throws.
   */
  load(name: string, schema: TableSchema, fill: FillTable): Promise<void>;
  /** Creates or replaces a table from columns, whole or not at all. Whole numbers become BIGINT, others DOUBLE. */
  writeTable(name: string, columns: Columns | ColumnTable): Promise<void>;
  /** Creates or replaces a table from the rows of a query: a data mart. */
  materialise(name: string, sql: string, parameters?: Parameters): Promise<void>;
  /** Gives a table another name; a table of that name before is replaced. */
  rename(from: string, to: string): Promise<void>;
  /** Writes the rows of a query to a file, whole or not at all; the ending .csv or .parquet names the format. */
  export(path: string, sql: string, parameters?: Parameters): Promise<void>;
  /** Names of the tables, sorted. */
  tables(): Promise<readonly string[]>;
  /** Closes the warehouse; a second call does nothing. */
  close(): Promise<void>;
}
