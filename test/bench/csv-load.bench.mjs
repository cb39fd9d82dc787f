import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildRepository, loadCsv, open, readCustomerSummary, sourceRules, writeSample } from "clientele";

/** Loading order lines from CSV with one rule per column and a quality report; then the star schema and its marts. */
const customers = 136_000; // about 1,000,000 order lines
const repeats = 5;

/** Rows of the benchmark table: medians of five runs after a first one. */
export default async function csvLoad() {
  const folder = await mkdtemp(join(tmpdir(), "clientele-bench-"));
  const warehouse = await open(":memory:");
  try {
    const sample = await measured(() => writeSample({ out: folder, customers, formats: ["csv", "parquet"] }));
    const rules = sourceRules({ first: "2024-01-01", last: "2025-12-31" });
    const load = (table) => loadCsv(warehouse, join(folder, `${table}.csv`), { table, ...rules[table] });
    for (const table of ["regions", "channels", "products", "customers"]) await load(table);
    const first = await measured(() => load("orders"));
    const report = first.result;
    const million = report.rows / 1e6;
    const loading = await medians(() => load("orders"));
    const building = await medians(async () => {
      await buildRepository(warehouse);
      await readCustomerSummary(warehouse);
    });
    const perMillion = ({ cpuSeconds, wallSeconds }) => ({
      n: 1_000_000,
      cpuSeconds: cpuSeconds / million,
      wallSeconds: wallSeconds / million,
    });
    const rejected = `${report.rows} rows, ${report.rejected} rejected, scaled to a million`;
    return [
      {
        name: "write sample company (per million order lines)",
        ...perMillion(sample),
        rssMB: sample.rssMB,
        note: "CSV and Parquet, one run",
      },
      {
        name: "load orders.csv, first call (per million rows)",
        ...perMillion(first),
        rssMB: first.rssMB,
        note: rejected,
      },
      {
        name: "load orders.csv with rules and report (per million rows)",
        ...perMillion(loading),
        rssMB: loading.rssMB,
        note: rejected,
      },
      {
        name: "star schema and marts (per million lines)",
        ...perMillion(building),
        rssMB: building.rssMB,
        note: `${report.accepted} lines, ${customers} customers`,
      },
    ];
  } finally {
    await warehouse.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measured(work) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  const rssMB = process.resourceUsage().maxRSS / 1024;
  return { result, cpuSeconds: (user + system) / 1e6, wallSeconds: (performance.now() - start) / 1e3, rssMB };
}

async function medians(work) {
  await work();
  const runs = [];
  for (let i = 0; i < repeats; i++) runs.push(await measured(work));
  const median = (key) => runs.map((run) => run[key]).sort((a, b) => a - b)[Math.floor(repeats / 2)];
  return { cpuSeconds: median("cpuSeconds"), wallSeconds: median("wallSeconds"), rssMB: median("rssMB") };
}
