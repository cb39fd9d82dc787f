/**
 * What differs between SQL engines, and nothing else. Every other line of SQL in this project keeps to the subset that
 * means the same on DuckDB, PostgreSQL and ClickHouse: explicit GROUP BY, COUNT, SUM, MIN, MAX, CASE, WITH, aliased
 * derived tables, ROW_NUMBER over a total order, integer arithmetic.
 */
export interface Dialect {
  readonly name: "duckdb" | "postgresql" | "clickhouse";
  /** Statements to run when a session opens, so that NULLs behave as in the standard. */
  readonly preamble: readonly string[];
  /** Days since 1970-01-01 of a DATE expression, INTEGER. */
  readonly dayNumber: (date: string) => string;
  /** Month of a DATE expression as year * 12 + month, INTEGER. */
  readonly monthNumber: (date: string) => string;
  /** Quotient of two integer expressions as a fraction. */
  readonly divide: (dividend: string, divisor: string) => string;
  /** Sum of an integer expression as a 64-bit integer. */
  readonly integerSum: (value: string) => string;
}

/** DuckDB, the default engine. */
export const duckDbDialect: Dialect = {
  name: "duckdb",
  preamble: [],
  dayNumber: (date) => `CAST(date_diff('day', DATE '1970-01-01', ${date}) AS INTEGER)`,
  monthNumber: (date) => `CAST(year(${date}) * 12 + month(${date}) AS INTEGER)`,
  divide: (dividend, divisor) => `CAST(${dividend} AS DOUBLE) / CAST(${divisor} AS DOUBLE)`,
  integerSum: (value) => `CAST(SUM(${value}) AS BIGINT)`,
};
