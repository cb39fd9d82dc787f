import { mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, extname, join, resolve } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { ColumnTable, table } from "arquero";
import { DataError } from "../core/errors.js";
import { duckDbDialect } from "./dialect.js";
import { chunkWriter, resultReader, sqlType } from "./duckdb-values.js";
import { writeAtomically } from "./files.js";
import { literal, quoted, type SqlValue } from "./sql.js";
import type {
  Column,
  ColumnBatch,
  Columns,
  ColumnType,
  FillTable,
  Parameters,
  TableSchema,
  Warehouse,
} from "./warehouse.js";

/** Settings of a DuckDB warehouse. */
export interface OpenOptions {
  /** Most memory the engine may take, as "2GB"; it spills to disk beyond. Default: 80% of the machine's. */
  readonly memoryLimit?: string;
  /** Threads of the engine. Default: one a core. */
  readonly threads?: number;
  /** Most rows one `query` returns. Default 5,000,000. */
  readonly rowBudget?: number;
  /** Opens an existing file without the right to change it. */
  readonly readOnly?: boolean;
}

const defaultRowBudget = 5_000_000;
const batchRows = 65_536;

/**
 * Opens a warehouse on DuckDB, inside this process: ":memory:" for one that vanishes, or the path of a database file,
 * created if it does not exist; a file opened twice in one process is one and the same. Nothing is ever downloaded. Each call runs on a connection of its own: TEMP tables and
 * SET do not carry over.
 * @throws DataError if the file cannot be opened, is no DuckDB database, is in use by another process, or is open in this
 * one with other options.
 */
export async function open(path: string, options: OpenOptions = {}): Promise<Warehouse> {
  const duckdb = await import("@duckdb/node-api"); // 30 MB of native code: loaded when first needed
  const instance = await failingAs(`cannot open ${path}`, async () => {
    if (path === ":memory:") return duckdb.DuckDBInstance.create(path, configuration(path, options));
    if (!options.readOnly) await mkdir(dirname(path), { recursive: true });
    // Two engines on one file would not see each other and lose writes: a second opening shares the first one's engine.
    return duckdb.DuckDBInstance.fromCache(resolve(path), configuration(path, options));
  });
  const rowBudget = options.rowBudget ?? defaultRowBudget;
  let isOpen = true;

  async function withConnection<Result>(
    what: string,
    use: (connection: DuckDBConnection) => Promise<Result>,
  ) {
    if (!isOpen) throw new DataError(`the warehouse ${path} is closed`);
    const connection = await instance.connect();
    try {
      return await failingAs(what, () => use(connection));
    } finally {
      connection.closeSync();
    }
  }

  async function* stream(sql: string, parameters: Parameters = []): AsyncGenerator<ColumnBatch> {
    if (!isOpen) throw new DataError(`the warehouse ${path} is closed`);
    const connection = await instance.connect();
    try {
      const result = await failingAs("query failed", () => connection.stream(sql, bound(parameters)));
      const reader = resultReader(duckdb, result);
      for (;;) {
        const chunk = await failingAs("query failed", () => result.fetchChunk());
        const isLast = chunk === null || chunk.rowCount === 0;
        if (!isLast) reader.add(chunk);
        if (reader.rows >= batchRows || (isLast && reader.rows > 0))
          yield { rows: reader.rows, columns: reader.take() };
        if (isLast) return;
      }
    } finally {
      connection.closeSync();
    }
  }

  async function query(sql: string, parameters: Parameters = []): Promise<ColumnTable> {
    return withConnection("query failed", async (connection) => {
      const result = await connection.stream(sql, bound(parameters));
      const reader = resultReader(duckdb, result);
      for (;;) {
        const chunk = await result.fetchChunk();
        if (chunk === null || chunk.rowCount === 0) return table(reader.take() as Record<string, Column>);
        reader.add(chunk);
        if (reader.rows > rowBudget) {
          throw new DataError(
            `the query returns more than ${rowBudget} rows: aggregate in SQL, or read it in batches with stream()`,
          );
        }
      }
    });
  }

  async function run(sql: string, parameters: Parameters = []): Promise<void> {
    await withConnection("statement failed", (connection) => connection.run(sql, bound(parameters)));
  }

  async function load(name: string, schema: TableSchema, fill: FillTable): Promise<void> {
    const columns = Object.entries(schema);
    if (columns.length === 0) throw new RangeError(`table ${name} needs at least one column`);
    const definition = columns.map(([column, type]) => `${quoted(column)} ${sqlType[type]}`).join(", ");
    const types = columns.map(([, type]) => type);
    await inTransaction(`cannot write table ${name}`, async (connection) => {
      await connection.run(`CREATE OR REPLACE TABLE ${quoted(name)} (${definition})`);
      const appender = await connection.createAppender(name);
      const append = chunkWriter(duckdb, types, (chunk) => {
        appender.appendDataChunk(chunk);
      });
      await fill(append);
      appender.closeSync();
    });
  }

  async function inTransaction(
    what: string,
    change: (connection: DuckDBConnection) => Promise<void>,
  ): Promise<void> {
    await withConnection(what, async (connection) => {
      await connection.run("BEGIN");
      try {
        await change(connection);
        await connection.run("COMMIT");
      } catch (error) {
        await connection.run("ROLLBACK");
        throw error;
      }
    });
  }

  const warehouse: Warehouse = {
    dialect: duckDbDialect,
    query,
    stream,
    run,
    load,
    async writeTable(name, columns) {
      const { schema, values } = tableOf(name, columns);
      await load(name, schema, (append) => {
        append(values);
      });
    },
    materialise: (name, sql, parameters) =>
      run(`CREATE OR REPLACE TABLE ${quoted(name)} AS ${sql}`, parameters),
    rename: (from, to) =>
      inTransaction(`cannot rename table ${from} to ${to}`, async (connection) => {
        await connection.run(`DROP TABLE IF EXISTS ${quoted(to)}`);
        await connection.run(`ALTER TABLE ${quoted(from)} RENAME TO ${quoted(to)}`);
      }),
    async export(target, sql, parameters) {
      const format = exportFormat(target);
      await writeAtomically(target, (temporary) =>
        run(`COPY (${sql}) TO ${literal(temporary)} (${format})`, parameters),
      );
    },
    async tables() {
      const found = await query(
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'main' ORDER BY table_name",
      );
      return found.array("name") as string[];
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      instance.closeSync();
      await rm(spillFolder, { recursive: true, force: true });
    },
  };
  return Object.freeze(warehouse);
}

/** Where an in-memory warehouse puts what does not fit; a database file spills beside itself. */
const spillFolder = join(tmpdir(), `clientele-${process.pid}`);

function configuration(path: string, options: OpenOptions): Record<string, string> {
  return {
    autoinstall_known_extensions: "false", // offline, an unknown function is an error at once, not a hang
    autoload_known_extensions: "false",
    ...(path === ":memory:" ? { temp_directory: spillFolder } : {}),
    ...(options.memoryLimit === undefined ? {} : { memory_limit: options.memoryLimit }),
    ...(options.threads === undefined ? {} : { threads: String(options.threads) }),
    ...(options.readOnly ? { access_mode: "READ_ONLY" } : {}),
  };
}

function exportFormat(path: string): string {
  switch (extname(path).toLowerCase()) {
    case ".csv":
      return "FORMAT csv, HEADER true";
    case ".parquet":
      return "FORMAT parquet, COMPRESSION zstd";
    default:
      throw new RangeError(`${path} must end in .csv or .parquet`);
  }
}

/** Parameters as DuckDB takes them: whole numbers become INTEGER or BIGINT, other numbers DOUBLE. */
const bound = (parameters: Parameters): SqlValue[] | Record<string, SqlValue> =>
  isList(parameters) ? [...parameters] : { ...parameters };

const isList = (parameters: Parameters): parameters is readonly SqlValue[] => Array.isArray(parameters);

/** Column types and values of a table to write. */
function tableOf(
  name: string,
  columns: Columns | ColumnTable,
): { schema: TableSchema; values: ArrayLike<unknown>[] } {
  const byName: Columns =
    columns instanceof ColumnTable
      ? Object.fromEntries(columns.columnNames().map((column) => [column, columns.array(column) as Column]))
      : columns;
  const lengths = new Set(Object.values(byName).map((values) => values.length));
  if (lengths.size > 1) {
    const found = Object.entries(byName).map(([column, values]) => `${column} ${values.length}`);
    throw new DataError(`columns of table ${name} must be equally long, got ${found.join(", ")}`);
  }
  const schema = Object.fromEntries(
    Object.entries(byName).map(([column, values]) => [column, typeOfColumn(`${name}.${column}`, values)]),
  );
  return { schema, values: Object.values(byName) };
}

/** @throws DataError if the values are of more than one kind. */
function typeOfColumn(place: string, values: Column): ColumnType {
  if (values instanceof Int32Array) return "integer";
  if (values instanceof Float64Array) return values.every(Number.isSafeInteger) ? "bigint" : "double";
  const present: (string | number | boolean)[] = [];
  for (const value of values) if (value !== null) present.push(value);
  const kinds = new Set(present.map((value) => typeof value));
  if (kinds.size > 1)
    throw new DataError(`${place} must hold values of one kind, got ${[...kinds].join(" and ")}`);
  const [kind] = kinds;
  if (kind === "boolean") return "boolean";
  if (kind === "number") return present.every(Number.isSafeInteger) ? "bigint" : "double";
  if (kind === "string" || kind === undefined) return "text";
  throw new DataError(`${place} must hold text, numbers or true/false, got ${kind}`);
}

/** Runs something of the engine's; its failure becomes a DataError that says what was tried. */
async function failingAs<Result>(what: string, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Error) || error.constructor !== Error) throw error;
    throw new DataError(`${what}: ${explained(error.message)}`, { cause: error });
  }
}

/** DuckDB's message, with its advice to download an extension replaced. */
function explained(message: string): string {
  const needsDownload = /extension/i.test(message) && /install|not found|download/i.test(message);
  if (!needsDownload) return message;
  const first = message.split("\n")[0] ?? message;
  return `${first} (extensions are not downloaded here: CSV, Parquet and JSON are built in; use them for exchange)`;
}
