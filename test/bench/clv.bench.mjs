import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  bgNbd,
  bootstrapDraws,
  forecastCustomers,
  paretoNbd,
  purchaseCells,
  randomSource,
} from "../../dist/index.js";
import { drawCustomers } from "./customers.mjs";
import { measure } from "./measure.mjs";

const CUSTOMERS = 1_000_000;
const REFITS = 1000;

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

/** Fits with standard errors, bootstraps and scores, for CDNOW beside its peers and for a million simulated customers. */
export default async function clvBenchmark() {
  const rows = [];
  const sample = cdnow();
  if (sample) {
    // Peers: medians of five runs on one quiet machine of two cores (reference/README.md).
    for (const [model, peer, peerCpuSeconds] of [
      [bgNbd, "lifetimes 0.11", 0.218],
      [paretoNbd, "CLVTools 0.12", 0.932],
    ]) {
      const fit = () => model.fit(purchaseCells(sample));
      const name = `${model.name}: CDNOW, cells and fit with errors`;
      rows.push({ ...(await measure(name, sample.x.length, fit, { runs: 15 })), peer, peerCpuSeconds });
    }
    const cells = purchaseCells(sample);
    for (const model of [bgNbd, paretoNbd]) {
      const fit = model.fit(cells);
      const refits = () =>
        bootstrapDraws(model, cells, fit, { draws: REFITS, random: randomSource(1), workers: 2 });
      rows.push(
        await measure(`${model.name}: CDNOW, ${REFITS} bootstrap refits on 2 threads`, REFITS, refits),
      );
    }
  }
  const customers = drawCustomers(CUSTOMERS);
  let cells;
  rows.push(
    await measure("cells of a million customers", CUSTOMERS, () => {
      cells = purchaseCells(customers);
    }),
  );
  for (const model of [bgNbd, paretoNbd]) {
    let fitted;
    const fit = () => {
      fitted = model.fit(cells);
    };
    const note = `${cells.x.length} cells`;
    rows.push(await measure(`${model.name}: a million customers, fit with errors`, CUSTOMERS, fit, { note }));
    const score = () =>
      forecastCustomers(model, fitted.parameters, customers, { horizon: 52, discount: { rate: 0.0027 } });
    const name = `${model.name}: P(alive), expectation and DERT of a million`;
    rows.push(await measure(name, CUSTOMERS, score));
  }
  return rows;
}
