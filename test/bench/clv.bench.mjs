import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  bgNbdExpectedPurchases,
  bgNbdProbabilityAlive,
  fitBgNbd,
  fitParetoNbd,
  paretoNbdExpectedPurchases,
  paretoNbdProbabilityAlive,
  purchaseCells,
  randomSource,
  simulateParetoNbd,
} from "../../dist/index.js";
import { measure } from "./measure.mjs";

const CUSTOMERS = 1_000_000;
const TRUTH = { r: 0.55, alpha: 10.58, s: 0.61, beta: 11.67 };

const reference =
  process.env.REFERENCE_DIR ?? fileURLToPath(new URL("../../../shared/reference", import.meta.url));

/** The CDNOW sample as published, if it is on this machine. */
function cdnow() {
  const file = join(reference, "data", "clv_cdnow.csv");
  if (!existsSync(file)) return undefined;
  const [header, ...rows] = readFileSync(file, "utf8")
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(","));
  const column = (name) => rows.map((row) => Number(row[header.indexOf(name)]));
  return { x: column("x"), recency: column("t_x"), age: column("T") };
}

/** Fits with standard errors and scores, for CDNOW beside its peers and for a million simulated customers. */
export default async function clvBenchmark() {
  const rows = [];
  const sample = cdnow();
  if (sample) {
    // Peers: medians of five runs on one quiet machine of two cores (reference/README.md).
    for (const [name, estimate, peer, peerCpuSeconds] of [
      ["BG/NBD", fitBgNbd, "lifetimes 0.11", 0.218],
      ["Pareto/NBD", fitParetoNbd, "CLVTools 0.12", 0.932],
    ]) {
      const row = await measure(
        `${name}: CDNOW, cells and fit with errors`,
        sample.x.length,
        () => estimate(purchaseCells(sample)),
        { runs: 15 },
      );
      rows.push({ ...row, peer, peerCpuSeconds });
    }
  }
  const random = randomSource(1);
  const ages = Array.from({ length: CUSTOMERS }, () => Math.ceil(730 * random.uniform()) / 7);
  const drawn = simulateParetoNbd(TRUTH, ages, random.stream("purchases"));
  // Purchases fall on days.
  const onDay = (weeks) => Math.round(weeks * 7) / 7;
  const x = Array.from(drawn.x);
  const customers = {
    x,
    recency: Array.from(drawn.recency, (time, row) => (x[row] === 0 ? 0 : Math.max(1 / 7, onDay(time)))),
    age: ages,
  };
  let cells;
  rows.push(
    await measure("cells of a million customers", CUSTOMERS, () => (cells = purchaseCells(customers))),
  );
  const note = `${cells.x.length} cells`;
  for (const [name, estimate, alive, expected] of [
    ["BG/NBD", fitBgNbd, bgNbdProbabilityAlive, bgNbdExpectedPurchases],
    ["Pareto/NBD", fitParetoNbd, paretoNbdProbabilityAlive, paretoNbdExpectedPurchases],
  ]) {
    let fitted;
    rows.push(
      await measure(
        `${name}: a million customers, fit with errors`,
        CUSTOMERS,
        () => (fitted = estimate(cells)),
        {
          note,
        },
      ),
    );
    const score = () => {
      for (let row = 0; row < CUSTOMERS; row += 1) {
        const customer = { x: customers.x[row], recency: customers.recency[row], age: customers.age[row] };
        alive(fitted.parameters, customer);
        expected(fitted.parameters, customer, 52);
      }
    };
    rows.push(await measure(`${name}: P(alive) and expectation of a million`, CUSTOMERS, score));
  }
  return rows;
}
