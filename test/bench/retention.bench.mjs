import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  bootstrapTransitions,
  fitAcceleratedFailure,
  fitCox,
  kaplanMeier,
  randomSource,
  simulateLifetimes,
  transitionCounts,
} from "../../dist/index.js";
import { measure } from "./measure.mjs";

const ROWS = 1_000_000;
const MIGRANTS = 100_000;

const reference =
  process.env.REFERENCE_DIR ?? fileURLToPath(new URL("../../../shared/reference", import.meta.url));

/** Published arrests of 432 released men, if they are on this machine. */
function rossi() {
  const file = join(reference, "data", "rossi.csv");
  if (!existsSync(file)) return undefined;
  const [header, ...rows] = readFileSync(file, "utf8")
    .trim()
    .split(/\r?\n/)
    .map((line) => line.replaceAll('"', "").split(","));
  const column = (name) => rows.map((row) => Number(row[header.indexOf(name)]));
  const names = ["fin", "age", "race", "wexp", "mar", "paro", "prio"];
  return {
    data: { time: column("week"), event: column("arrest") },
    covariates: Object.fromEntries(names.map((name) => [name, column(name)])),
  };
}

/** A million lifetimes in whole days that depend on seven covariates. */
function manyLifetimes() {
  const random = randomSource(1);
  const covariates = Object.fromEntries(
    Array.from({ length: 7 }, (_, j) => [
      `x${j + 1}`,
      Float64Array.from({ length: ROWS }, () => random.uniform()),
    ]),
  );
  const effects = Object.fromEntries(Object.keys(covariates).map((name, j) => [name, 0.1 * (j - 3)]));
  const until = Float64Array.from({ length: ROWS }, () => 30 + 700 * random.uniform());
  const model = { distribution: "weibull", coefficients: { intercept: 6, ...effects }, scale: 0.8 };
  const { time, event } = simulateLifetimes(model, covariates, random, { until });
  return { data: { time: time.map(Math.ceil), event }, covariates };
}

/** Customers who move among four states, eight periods long. */
function migrants() {
  const random = randomSource(2);
  const periods = Array.from({ length: 8 }, (_, p) => `period ${p + 1}`);
  const stateAt = Int16Array.from({ length: MIGRANTS * periods.length }, () => 0);
  for (let place = 0; place < stateAt.length; place++) {
    const before = place % periods.length === 0 ? Math.floor(4 * random.uniform()) : stateAt[place - 1];
    stateAt[place] = random.uniform() < 0.7 ? before : Math.floor(4 * random.uniform());
  }
  const customers = Array.from({ length: MIGRANTS }, (_, c) => c);
  return { states: ["inactive", "low", "middle", "high"], periods, customers, stateAt };
}

/** Survival models beside their peers and for a million rows; transition matrices of 100,000 customers. */
export default async function retentionBenchmark() {
  const rows = [];
  const men = rossi();
  if (men) {
    // Peers: medians of five runs on one quiet machine of two cores (reference/README.md).
    for (const [name, job, peer, peerCpuSeconds] of [
      ["Cox, Efron: Rossi", () => fitCox(men.data, men.covariates), "R survival", 0.009],
      ["Kaplan-Meier: Rossi", () => kaplanMeier(men.data), "R survival", 0.003],
      ["Weibull AFT: Rossi", () => fitAcceleratedFailure(men.data, men.covariates), "lifelines", 0.538],
    ]) {
      rows.push({ ...(await measure(name, men.data.time.length, job, { runs: 15 })), peer, peerCpuSeconds });
    }
  }
  const { data, covariates } = manyLifetimes();
  rows.push(await measure("Kaplan-Meier: a million rows", ROWS, () => kaplanMeier(data)));
  rows.push({
    ...(await measure("Cox, Efron, concordance: a million rows x 7", ROWS, () => fitCox(data, covariates))),
    peer: "R survival",
    peerCpuSeconds: 7.6,
  });
  const moves = migrants();
  rows.push(await measure("transition counts of 100,000 customers", MIGRANTS, () => transitionCounts(moves)));
  rows.push(
    await measure("1,000 bootstrap transition matrices of them", MIGRANTS, () =>
      bootstrapTransitions(moves, { random: randomSource(3) }),
    ),
  );
  return rows;
}
