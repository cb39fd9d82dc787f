import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { table } from "arquero";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.js";
import { open } from "../../src/repository/duckdb.js";
import { literal, quoted } from "../../src/repository/sql.js";
import type { ColumnBatch, Warehouse } from "../../src/repository/warehouse.js";
import { scratchFolder } from "./scratch.js";

const { folder } = scratchFolder();
let warehouse: Warehouse;
beforeAll(async () => {
  warehouse = await open(":memory:", { rowBudget: 100_000 });
});
afterAll(() => warehouse.close());

const one = async (expression: string): Promise<unknown> =>
  (await warehouse.query(`SELECT ${expression} AS x`)).get("x", 0);

describe("values", () => {
  it.each([
    ["42", 42],
    ["CAST(-7 AS BIGINT)", -7],
    ["CAST(7 AS UTINYINT)", 7],
    ["SUM(1)", 1], // HUGEINT
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
    ["CAST(0.29 AS DECIMAL(10, 2))", 0.29],
    ["CAST(-1234567890123.45 AS DECIMAL(18, 2))", -1_234_567_890_123.45],
    ["CAST(0.1 AS DOUBLE)", 0.1],
    ["CAST(0.5 AS FLOAT)", 0.5],
    ["DATE '2024-02-29'", "2024-02-29"],
    ["DATE '1969-12-31'", "1969-12-31"],
    ["TIMESTAMP '2024-01-31 09:30:00'", "2024-01-31 09:30:00"],
    ["'Grüße 🙂'", "Grüße 🙂"],
    ["''", ""],
    ["CAST('b' AS ENUM('a', 'b'))", "b"],
    ["true", true],
    ["NULL", null],
    ["CAST(NULL AS BIGINT)", null],
    ["CAST(NULL AS DATE)", null],
  ])("%s arrives as %j", async (expression, value) => {
    expect(await one(expression)).toBe(value);
  });

  it.each([
    ["9007199254740992", "x holds 9007199254740992, a whole number beyond 2^53 - 1"],
    ["CAST('-170141183460469231731687303715884105728' AS HUGEINT)", "a whole number beyond 2^53 - 1"],
    ["CAST(12345678901234.56 AS DECIMAL(18, 2))", "x holds a decimal of more than 15 digits"],
    ["[1, 2]", "column x has type INTEGER[], which fits no table: CAST it to text or numbers"],
  ])("%s is refused, not rounded", async (expression, message) => {
    const failure = one(expression);
    await expect(failure).rejects.toThrow(DataError);
    await expect(failure).rejects.toThrow(message);
  });

  it("arrive in typed arrays where none is missing, in arrays with null where one is", async () => {
    const sql = `SELECT CAST(i AS INTEGER) AS i, i AS big, CAST(i AS DOUBLE) AS d,
      CASE WHEN i = 5000 THEN NULL ELSE i END AS gap FROM range(10000) AS t(i) ORDER BY i`;
    const result = await warehouse.query(sql);
    expect(result.data()).toMatchObject({
      i: expect.any(Int32Array) as unknown,
      big: expect.any(Float64Array) as unknown,
      d: expect.any(Float64Array) as unknown,
      gap: expect.any(Array) as unknown,
    });
    const expected = Array.from({ length: 10_000 }, (_, i) => i);
    for (const name of ["i", "big", "d"])
      expect(Array.from(result.array(name) as number[])).toEqual(expected);
    expect(result.array("gap")).toEqual(expected.map((i) => (i === 5000 ? null : i)));
  });

  it("keep columns of a result without rows", async () => {
    const empty = await warehouse.query("SELECT 1 AS a, 'x' AS b WHERE false");
    expect(empty.columnNames()).toEqual(["a", "b"]);
    expect(empty.numRows()).toBe(0);
  });

  it("survive being written and read back, of every kind", async () => {
    const cell = {
      text: fc.option(
        fc.string({ unit: "binary" }).filter((s) => !s.includes("\0")),
        { nil: null },
      ),
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            t: cell.text,
            n: fc.option(fc.maxSafeInteger(), { nil: null }),
            d: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { nil: null }),
            b: fc.option(fc.boolean(), { nil: null }),
          }),
          { minLength: 1, maxLength: 30 },
        ),
        async (rows) => {
          const columns = {
            row: Int32Array.from(rows, (_, i) => i),
            t: rows.map(({ t }) => t),
            n: rows.map(({ n }) => n),
            d: rows.map(({ d }) => (d === 0 ? 0 : d)), // SQL has no negative zero in BIGINT
            b: rows.map(({ b }) => b),
          };
          await warehouse.writeTable("round trip", columns);
          const read = await warehouse.query(`SELECT * FROM "round trip" ORDER BY row`);
          for (const name of ["t", "n", "d", "b"] as const) {
            expect(Array.from(read.array(name) as ArrayLike<unknown>)).toEqual(columns[name]);
          }
        },
      ),
      { seed: 7, numRuns: 40 },
    );
  });
});

describe("query", () => {
  it("binds parameters by place and by name, whole numbers as integers", async () => {
    const byPlace = await warehouse.query("SELECT $1 AS a, $2 AS b, 7 // $3 AS c, typeof($3) AS t", [
      "x'; DROP TABLE t; --",
      null,
      2,
    ]);
    expect(byPlace.objects()).toEqual([{ a: "x'; DROP TABLE t; --", b: null, c: 3, t: "INTEGER" }]);
    const byName = await warehouse.query("SELECT $low AS a, $share AS b, $on AS c", {
      low: 2 ** 40,
      share: 0.5,
      on: true,
    });
    expect(byName.objects()).toEqual([{ a: 2 ** 40, b: 0.5, c: true }]);
    expect(
      (await warehouse.query("SELECT i FROM range(10) AS t(i) ORDER BY i LIMIT $1", [2])).numRows(),
    ).toBe(2);
  });

  it("refuses more rows than its budget and takes exactly as many", async () => {
    expect((await warehouse.query("SELECT i FROM range(100000) AS t(i)")).numRows()).toBe(100_000);
    await expect(warehouse.query("SELECT i FROM range(100001) AS t(i)")).rejects.toThrow(
      new DataError(
        "the query returns more than 100000 rows: aggregate in SQL, or read it in batches with stream()",
      ),
    );
  });

  it("fails as DataError with the engine's message", async () => {
    await expect(warehouse.query("SELEC 1")).rejects.toThrow(
      /^query failed: .*syntax error at or near "SELEC"/s,
    );
    await expect(warehouse.query("SELECT 1 WHERE 1 = $1")).rejects.toThrow(DataError);
    await expect(warehouse.query("SELECT CAST('x' AS INTEGER)")).rejects.toThrow(DataError);
  });

  it.each([
    "SELECT * FROM read_xlsx('a.xlsx')",
    "INSTALL excel",
    "LOAD spatial",
    "SELECT * FROM 'https://example.com/a.parquet'",
  ])("never downloads: %s says so", async (sql) => {
    const started = performance.now();
    const failure = warehouse.run(sql);
    await expect(failure).rejects.toThrow(DataError);
    await expect(failure).rejects.toThrow("extensions are not downloaded here");
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it("gives the same sums on one thread and on many", async () => {
    const sql = `SELECT i % 97 AS g, SUM(CAST((i * 7919) % 10007 AS BIGINT)) AS cents
                 FROM range(500000) AS t(i) GROUP BY i % 97 ORDER BY g`;
    const single = await open(":memory:", { threads: 1 });
    const many = await open(":memory:", { threads: 4 });
    try {
      expect((await many.query(sql)).objects()).toEqual((await single.query(sql)).objects());
    } finally {
      await single.close();
      await many.close();
    }
  });

  it("runs side by side on one warehouse", async () => {
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, k) =>
        warehouse.query(`SELECT i + ${k} AS i FROM range(50000) AS t(i) ORDER BY i`),
      ),
    );
    expect(results.map((result): unknown => result.get("i", 49_999))).toEqual([
      49_999, 50_000, 50_001, 50_002, 50_003, 50_004, 50_005, 50_006,
    ]);
  });
});

describe("stream", () => {
  const batches = async (sql: string): Promise<ColumnBatch[]> => {
    const found: ColumnBatch[] = [];
    for await (const batch of warehouse.stream(sql)) found.push(batch);
    return found;
  };

  it("hands out all rows in order, beyond the row budget, in batches", async () => {
    const found = await batches("SELECT i FROM range(300000) AS t(i) ORDER BY i");
    expect(found.length).toBeGreaterThan(3);
    const all = found.flatMap(({ columns }) => Array.from(columns["i"] as Float64Array));
    expect(all).toEqual(Array.from({ length: 300_000 }, (_, i) => i));
    expect(found.every(({ rows, columns }) => rows === columns["i"]?.length)).toBe(true);
  });

  it("hands out nothing for no rows, and may be left early", async () => {
    expect(await batches("SELECT 1 AS a WHERE false")).toEqual([]);
    for await (const { rows } of warehouse.stream("SELECT i FROM range(300000) AS t(i)")) {
      expect(rows).toBeGreaterThan(0);
      break;
    }
    expect(await one("1")).toBe(1);
  });

  it("fails as DataError", async () => {
    await expect(batches("SELECT * FROM absent")).rejects.toThrow(/^query failed: .*absent does not exist/s);
  });
});

describe("tables", () => {
  it("take types from the values: whole numbers BIGINT, others DOUBLE", async () => {
    const columns = {
      i: Int32Array.of(1),
      n: [1],
      w: Float64Array.of(2),
      d: [0.5],
      t: ["a"],
      b: [true],
      none: [null],
    };
    await warehouse.writeTable("typed", columns);
    const types = await warehouse.query("SELECT column_name AS c, column_type AS t FROM (DESCRIBE typed)");
    expect(types.objects()).toEqual([
      { c: "i", t: "INTEGER" },
      { c: "n", t: "BIGINT" },
      { c: "w", t: "BIGINT" },
      { c: "d", t: "DOUBLE" },
      { c: "t", t: "VARCHAR" },
      { c: "b", t: "BOOLEAN" },
      { c: "none", t: "VARCHAR" },
    ]);
  });

  it("take an arquero table, filtered and sorted as it is", async () => {
    const scores = table({ id: ["a", "b", "c"], score: [0.1, 0.3, 0.2] })
      .filter("d => d.score > 0.15")
      .orderby("score");
    await warehouse.writeTable("scores", scores);
    expect((await warehouse.query("SELECT id FROM scores ORDER BY rowid")).array("id")).toEqual(["c", "b"]);
  });

  it("may have any name and any column name", async () => {
    const name = `it's "odd"; DROP TABLE x; --`;
    await warehouse.writeTable(name, { [`"; SELECT '`]: [1, 2], "größe in cm": [3, 4] });
    expect(await warehouse.tables()).toContain(name);
    const read = await warehouse.query(`SELECT * FROM ${quoted(name)}`);
    expect(read.columnNames()).toEqual([`"; SELECT '`, "größe in cm"]);
    await warehouse.run(`DROP TABLE ${quoted(name)}`);
    expect(() => quoted("")).toThrow(RangeError);
    expect(() => quoted("a\0b")).toThrow(RangeError);
    expect(literal("it's")).toBe("'it''s'");
  });

  it("are written whole or not at all", async () => {
    await warehouse.writeTable("kept", { a: [1, 2] });
    await expect(warehouse.writeTable("kept", { a: [1], b: [1, 2] })).rejects.toThrow(
      new DataError("columns of table kept must be equally long, got a 1, b 2"),
    );
    await expect(warehouse.writeTable("kept", { a: [1, "x"] as unknown as number[] })).rejects.toThrow(
      new DataError("kept.a must hold values of one kind, got number and string"),
    );
    await expect(warehouse.writeTable("kept", {})).rejects.toThrow(RangeError);
    await expect(
      warehouse.load("kept", { a: "integer" }, (append) => {
        append([Array.from({ length: 5000 }, (_, i) => i)]);
        throw new DataError("stopped half way");
      }),
    ).rejects.toThrow("stopped half way");
    await expect(
      warehouse.load("kept", { a: "integer" }, (append) => {
        append([[1.5]]);
      }),
    ).rejects.toThrow(DataError);
    await expect(warehouse.materialise("kept", "SELECT CAST('x' AS INTEGER) AS a")).rejects.toThrow(
      DataError,
    );
    expect((await warehouse.query("SELECT a FROM kept ORDER BY a")).array("a")).toEqual([1, 2]);
  });

  it("are replaced by a renamed one", async () => {
    await warehouse.writeTable("old", { a: [1] });
    await warehouse.writeTable("new", { a: [2] });
    await warehouse.rename("new", "old");
    expect(await one("(SELECT a FROM old)")).toBe(2);
    await expect(warehouse.rename("absent", "old")).rejects.toThrow("cannot rename table absent to old");
    expect(await one("(SELECT a FROM old)")).toBe(2);
  });
});

describe("files", () => {
  it("are exported whole, as CSV or Parquet", async () => {
    const target = join(folder, "deep", "er's.csv");
    await warehouse.export(
      target,
      "SELECT i AS id, 'a,b' AS t FROM range(2) AS r(i) WHERE i >= $1 ORDER BY i",
      [1],
    );
    expect(readFileSync(target, "utf8")).toBe('id,t\n1,"a,b"\n');
    const parquet = join(folder, "deep", "a.parquet");
    await warehouse.export(parquet, "SELECT 1 AS a");
    expect((await warehouse.query("SELECT a FROM read_parquet($1)", [parquet])).get("a", 0)).toBe(1);
    await expect(warehouse.export(join(folder, "a.xlsx"), "SELECT 1")).rejects.toThrow(
      "must end in .csv or .parquet",
    );
  });

  it("stay what they were when an export fails", async () => {
    const target = join(folder, "kept", "a.csv");
    mkdirSync(join(folder, "kept"));
    writeFileSync(target, "before");
    const failing =
      "SELECT CASE WHEN i < 4000 THEN i ELSE CAST('x' || i AS BIGINT) END AS a FROM range(5000) AS t(i)";
    await expect(warehouse.export(target, failing)).rejects.toThrow(DataError);
    expect(readFileSync(target, "utf8")).toBe("before");
    expect(readdirSync(join(folder, "kept"))).toEqual(["a.csv"]);
  });

  it("keep a warehouse from one opening to the next; read-only means it", async () => {
    const path = join(folder, "new", "repository.duckdb");
    const first = await open(path);
    await first.writeTable("t", { a: [1, 2] });
    await first.close();
    await first.close();
    const second = await open(path, { readOnly: true });
    expect((await second.query("SELECT COUNT(*) AS n FROM t")).get("n", 0)).toBe(2);
    await expect(second.run("DROP TABLE t")).rejects.toThrow(/read-only/);
    await second.close();
  });

  it("are one and the same when opened twice in a process, and shut to other processes", async () => {
    const path = join(folder, "shared.duckdb");
    const first = await open(path);
    const second = await open(path);
    await second.writeTable("t", { a: [7] });
    await second.close();
    expect((await first.query("SELECT a FROM t")).get("a", 0)).toBe(7);
    await expect(open(path, { readOnly: true })).rejects.toThrow(/different configuration/);
    const script = `import("@duckdb/node-api").then((d) => d.DuckDBInstance.create(process.argv[1])).then(() => console.log("opened"), (e) => console.log(e.message))`;
    const other = spawnSync(process.execPath, ["-e", script, path], { encoding: "utf8" });
    expect(other.stdout).toMatch(/Could not set lock/);
    await first.close();
    const again = await open(path, { readOnly: true });
    expect((await again.query("SELECT a FROM t")).get("a", 0)).toBe(7);
    await again.close();
  });

  it("that are no database, or a closed warehouse, fail by name", async () => {
    const path = join(folder, "text.duckdb");
    writeFileSync(path, "this is not a database, but a text that is long enough to look at".repeat(100));
    await expect(open(path)).rejects.toThrow(`cannot open ${path}: `);
    const closed = await open(":memory:");
    await closed.close();
    await expect(closed.query("SELECT 1")).rejects.toThrow(new DataError("the warehouse :memory: is closed"));
    await expect(closed.stream("SELECT 1")[Symbol.asyncIterator]().next()).rejects.toThrow("is closed");
  });
});
