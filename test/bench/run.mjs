/**
 * `npm run bench [-- NAME…] [--json FILE]`: runs the benchmarks whose file name contains one of the names, prints a
 * table, and writes its rows. Each `NAME.bench.mjs` exports a function that gives rows. Those named `-truth` measure how
 * right and not how quick something is, for twenty minutes: they run only if named.
 */
import { readdir, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({ options: { json: { type: "string" } }, allowPositionals: true });
const files = (await readdir(new URL(".", import.meta.url)))
  .filter((name) => name.endsWith(".bench.mjs"))
  .sort();
const chosen = files.filter((name) =>
  positionals.length === 0
    ? !name.endsWith("-truth.bench.mjs")
    : positionals.some((part) => name.includes(part)),
);
if (chosen.length === 0) throw new RangeError(`no benchmark of that name; there are: ${files.join(", ")}`);

const number = (value, digits = 3) => (value === undefined ? "" : value.toFixed(digits));
const columns = [
  ["benchmark", (row) => row.name, 52],
  ["n", (row) => String(row.n), 10],
  ["CPU s", (row) => number(row.cpuSeconds), 9],
  ["wall s", (row) => number(row.wallSeconds), 9],
  ["first s", (row) => number(row.firstWallSeconds), 9],
  ["RSS MB", (row) => number(row.rssMB, 0), 7],
  ["peer", (row) => row.peer ?? "", 14],
  ["peer CPU s", (row) => number(row.peerCpuSeconds), 10],
  ["note", (row) => row.note ?? "", 0],
];
const line = (texts) =>
  console.log(
    texts.map((text, i) => (i === 0 ? text.padEnd(columns[0][2]) : text.padStart(columns[i][2]))).join(" "),
  );

line(columns.map(([title]) => title));
const rows = [];
for (const name of chosen) {
  const { default: benchmark } = await import(new URL(name, import.meta.url));
  for (const row of await benchmark()) {
    rows.push(row);
    line(columns.map(([, text]) => text(row)));
  }
}
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, null, 1)}\n`);
