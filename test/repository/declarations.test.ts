import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import type typescript from "typescript";
import { beforeAll, describe, expect, it } from "vitest";

/** Notebook cells are checked by the TypeScript 5.0.4 inside tslab, against the declarations in dist. */
const ts = createRequire(import.meta.url)("@tslab/typescript-for-tslab") as typeof typescript;
const declarations = resolve("dist/index.d.ts");

/** Compiles one cell; libraries' declarations are not checked, as in tslab. */
function compile(cell: string): { errors: string[]; files: string[] } {
  const name = resolve("test/cell.mts");
  const options: typescript.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    types: [],
  };
  const onDisk = ts.createCompilerHost(options);
  const host: typescript.CompilerHost = {
    ...onDisk,
    fileExists: (path) => path === name || onDisk.fileExists(path),
    readFile: (path) => (path === name ? cell : onDisk.readFile(path)),
    getSourceFile: (path, version) =>
      path === name ? ts.createSourceFile(path, cell, version) : onDisk.getSourceFile(path, version),
  };
  const program = ts.createProgram([name], options, host);
  return {
    errors: ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, " ")),
    files: program.getSourceFiles().map(({ fileName }) => fileName),
  };
}

describe("the declarations, read by TypeScript 5.0.4", () => {
  beforeAll(() => {
    expect(ts.version).toBe("5.0.4");
    expect(existsSync(declarations), "run npm run build first").toBe(true);
  });

  it("type a notebook's first cells", () => {
    const { errors, files } = compile(`
      import { buildRepository, dayBetween, days, inWeeks, loadCompany, loadCsv, numberColumn, open, optional,
        positiveEuros, readCustomerSummary, text, weeks, type Duration, type QualityReport, type Warehouse } from "../dist/index.js";
      const warehouse: Warehouse = await open(":memory:");
      const reports = await loadCompany(warehouse, "data/brenkamp");
      const report: QualityReport = await loadCsv(warehouse, "a.csv", {
        table: "a", delimiter: ";", decimal: ",", rules: { id: text, on: dayBetween("2024-01-01", "2024-12-31"), eur: optional(positiveEuros, "-") },
      });
      const summary: string = (await buildRepository(warehouse)).summary() + reports.orders.summary() + report.summary();
      const revenue: Float64Array = numberColumn(await readCustomerSummary(warehouse), "revenue_cents");
      const inBatches = async (): Promise<void> => { for await (const batch of warehouse.stream("SELECT 1 AS a")) console.log(batch.rows); };
      const horizon = (time: Duration<"weeks">): number => time.length;
      horizon(weeks(39)); horizon(inWeeks(days(7)));
      declare const console: { log(...values: unknown[]): void };
      export { inBatches, revenue, summary };
    `);
    expect(errors).toEqual([]);
    const heavy = files.filter((file) => /@duckdb|danfojs|tensorflow|@types\/node/.test(file));
    expect(heavy).toEqual([]);
  });

  it("keep units apart", () => {
    const { errors } = compile(`
      import { cents, customerKey, days, formatEuros, weeks, type CustomerKey, type Duration } from "../dist/index.js";
      const horizon = (time: Duration<"weeks">): number => time.length;
      const score = (key: CustomerKey): number => key;
      horizon(days(7));
      horizon(39);
      score(7);
      formatEuros(12.5);
      formatEuros(customerKey(1));
      score(customerKey(7)); formatEuros(cents(1250)); horizon(weeks(1));
    `);
    expect(errors).toHaveLength(5);
    expect(errors[0]).toMatch(
      /'Duration<"days">' is not assignable to parameter of type 'Duration<"weeks">'/,
    );
    expect(errors[4]).toMatch(/not assignable to parameter of type 'Cents'/);
  });
});
