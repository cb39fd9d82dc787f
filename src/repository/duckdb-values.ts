import type { DuckDBDataChunk, DuckDBDecimalValue, DuckDBResult, DuckDBVector } from "@duckdb/node-api";
import { isoDay } from "../core/day.js";
import { DataError } from "../core/errors.js";
import type { Column, Columns, ColumnType } from "./warehouse.js";

/** How values cross between DuckDB's chunks of at most 2048 rows and our columns. */

type DuckDb = typeof import("@duckdb/node-api");

/** Gathers one column of a result, chunk by chunk. */
interface ColumnReader {
  add(vector: DuckDBVector, rows: number): void;
  /** The column gathered so far; the reader starts afresh. */
  take(): Column;
}

/** Gathers the columns of a result, chunk by chunk. */
export interface ResultReader {
  add(chunk: DuckDBDataChunk): void;
  readonly rows: number;
  /** The columns gathered so far; the reader starts afresh. */
  take(): Columns;
}

/** @throws DataError if a column has a type that does not fit a table. */
export function resultReader(duckdb: DuckDb, result: DuckDBResult): ResultReader {
  const names = result.deduplicatedColumnNames();
  const readers = names.map((name, i) => columnReader(duckdb, name, result, i));
  let rows = 0;
  return {
    get rows() {
      return rows;
    },
    add(chunk) {
      for (const [i, reader] of readers.entries()) reader.add(chunk.getColumnVector(i), chunk.rowCount);
      rows += chunk.rowCount;
    },
    take() {
      rows = 0;
      return Object.fromEntries(names.map((name, i) => [name, (readers[i] as ColumnReader).take()]));
    },
  };
}

function columnReader(duckdb: DuckDb, name: string, result: DuckDBResult, index: number): ColumnReader {
  const { DuckDBTypeId: Id } = duckdb;
  const type = result.columnType(index);
  switch (type.typeId) {
    case Id.TINYINT:
    case Id.SMALLINT:
    case Id.INTEGER:
    case Id.UTINYINT:
    case Id.USMALLINT:
      return numberReader(Int32Array, Number);
    case Id.UINTEGER:
    case Id.FLOAT:
    case Id.DOUBLE:
      return numberReader(Float64Array, Number);
    case Id.BIGINT:
    case Id.UBIGINT:
    case Id.HUGEINT:
    case Id.UHUGEINT:
      return numberReader(Float64Array, (value) => safeNumber(name, value));
    case Id.DECIMAL:
      return numberReader(Float64Array, (value) => decimalNumber(name, value as DuckDBDecimalValue));
    case Id.BOOLEAN:
      return valueReader((value) => value as boolean);
    case Id.VARCHAR:
    case Id.ENUM:
      return valueReader((value) => value as string);
    case Id.DATE:
      return valueReader((value) => isoDay((value as { days: number }).days));
    case Id.TIMESTAMP:
    case Id.TIMESTAMP_S:
    case Id.TIMESTAMP_MS:
    case Id.TIMESTAMP_NS:
    case Id.TIMESTAMP_TZ:
    case Id.TIME:
    case Id.UUID:
      return valueReader((value) => String(value));
    case Id.SQLNULL:
      return valueReader(() => null);
    default:
      throw new DataError(
        `column ${name} has type ${type.toString()}, which fits no table: CAST it to text or numbers`,
      );
  }
}

/** A whole number that a JavaScript number holds exactly. */
function safeNumber(column: string, value: unknown): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new DataError(
    `${column} holds ${String(value)}, a whole number beyond 2^53 - 1 that a number cannot hold exactly: CAST it to VARCHAR or DOUBLE`,
  );
}

/** The number nearest to a decimal: at most 15 significant digits, so that they all survive. */
function decimalNumber(column: string, { value, scale }: DuckDBDecimalValue): number {
  const digits = value < 0n ? -value : value;
  if (digits < 1_000_000_000_000_000n) return Number(value) / 10 ** scale;
  throw new DataError(
    `${column} holds a decimal of more than 15 digits, which a number cannot hold exactly: CAST it to VARCHAR or DOUBLE`,
  );
}

type NumberArray = Int32Array | Float64Array;
type NumberArrayType = typeof Int32Array | typeof Float64Array;

/** Numbers in a growing typed array; an array with null as soon as one is missing. */
function numberReader(ArrayType: NumberArrayType, convert: (value: unknown) => number): ColumnReader {
  let values: NumberArray = new ArrayType(2048);
  let missing: number[] = [];
  let length = 0;
  const reserve = (rows: number): void => {
    if (length + rows <= values.length) return;
    const larger = new ArrayType(Math.max(2 * values.length, length + rows));
    larger.set(values);
    values = larger;
  };
  return {
    add(vector, rows) {
      reserve(rows);
      const items = itemsWithoutNull(vector);
      if (items instanceof Int32Array || items instanceof Float64Array) {
        values.set(items.subarray(0, rows), length);
      } else {
        for (let i = 0; i < rows; i++) {
          const value: unknown = items ? items[i] : vector.getItem(i);
          if (value === null) missing.push(length + i);
          else values[length + i] = convert(value);
        }
      }
      length += rows;
    },
    take() {
      const taken = values.slice(0, length);
      const gaps = missing;
      length = 0;
      missing = [];
      if (gaps.length === 0) return taken;
      const withNull: (number | null)[] = Array.from(taken);
      for (const row of gaps) withNull[row] = null;
      return withNull;
    },
  };
}

/** Values of any other kind in an array, null where missing. */
function valueReader(convert: (value: unknown) => string | boolean | null): ColumnReader {
  let values: (string | boolean | null)[] = [];
  return {
    add(vector, rows) {
      for (let i = 0; i < rows; i++) {
        const value: unknown = vector.getItem(i);
        values.push(value === null ? null : convert(value));
      }
    },
    take() {
      const taken = values;
      values = [];
      return taken as Column;
    },
  };
}

/**
 * The typed array behind a vector of plain numbers without NULL, otherwise undefined. It is not part of DuckDB's published
 * types, but ten times faster than one call a value; where it is absent the values are fetched one by one.
 */
function itemsWithoutNull(vector: DuckDBVector): Int32Array | Float64Array | BigInt64Array | undefined {
  const { items, validity } = vector as unknown as { items?: unknown; validity?: { data?: unknown } };
  if (validity?.data !== null) return undefined;
  const plain =
    items instanceof Int32Array || items instanceof Float64Array || items instanceof BigInt64Array;
  return plain && vector.itemCount === items.length ? items : undefined;
}

/** SQL type of a column type. */
export const sqlType: Readonly<Record<ColumnType, string>> = {
  text: "VARCHAR",
  integer: "INTEGER",
  bigint: "BIGINT",
  double: "DOUBLE",
  day: "DATE",
  boolean: "BOOLEAN",
};

/** Appends rows to a table in chunks of 2048. */
export function chunkWriter(
  duckdb: DuckDb,
  types: readonly ColumnType[],
  append: (chunk: DuckDBDataChunk) => void,
): (columns: readonly ArrayLike<unknown>[]) => void {
  const duckTypes = types.map((type) => typeOf(duckdb, type));
  return (columns) => {
    const rows = columns[0]?.length ?? 0;
    for (let start = 0; start < rows; start += 2048) {
      const count = Math.min(2048, rows - start);
      const chunk = duckdb.DuckDBDataChunk.create(duckTypes, count);
      for (const [i, type] of types.entries()) {
        fillVector(duckdb, chunk.getColumnVector(i), type, columns[i] as ArrayLike<unknown>, start, count);
      }
      append(chunk);
    }
  };
}

function typeOf(duckdb: DuckDb, type: ColumnType) {
  const { VARCHAR, INTEGER, BIGINT, DOUBLE, DATE, BOOLEAN } = duckdb;
  return { text: VARCHAR, integer: INTEGER, bigint: BIGINT, double: DOUBLE, day: DATE, boolean: BOOLEAN }[
    type
  ];
}

function fillVector(
  duckdb: DuckDb,
  vector: DuckDBVector,
  type: ColumnType,
  values: ArrayLike<unknown>,
  start: number,
  count: number,
): void {
  const convert =
    type === "bigint"
      ? (value: unknown) => BigInt(value as number)
      : type === "day"
        ? (value: unknown) => new duckdb.DuckDBDateValue(value as number)
        : (value: unknown) => value;
  for (let i = 0; i < count; i++) {
    const value = values[start + i];
    vector.setItem(i, (value === null || value === undefined ? null : convert(value)) as never);
  }
  vector.flush();
}
