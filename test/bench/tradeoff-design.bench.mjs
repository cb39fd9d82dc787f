import {
  defineAttributes,
  designReport,
  drawPriors,
  efficientDesign,
  powerBySimulation,
  randomSource,
} from "../../dist/index.js";
import { measure } from "./measure.mjs";

const levels = (size) => Array.from({ length: size }, (_, k) => `level ${k + 1}`);
const attributesOf = (sizes, options) =>
  defineAttributes(
    sizes.map((size, k) => ({ name: `a${k + 1}`, levels: levels(size) })),
    options,
  );

const eight = attributesOf([2, 2, 2, 2, 2, 2, 3, 3], {
  none: true,
  prohibitions: [
    { a1: "level 2", a7: "level 3" },
    { a2: "level 1", a3: "level 1", a8: "level 2" },
  ],
});
const ten = attributesOf([2, 3, 4, 2, 3, 4, 2, 3, 4, 3]);

/** Searches for efficient designs, on one thread, and a power analysis on all. */
export default async function designBenchmark() {
  const blocks = { versions: 3, tasks: 8, alternatives: 2 };
  const wide = { versions: 1, tasks: 20, alternatives: 20 };
  const note = "10 starts; peers run for hours or hang";
  const neutral = { coding: "effects" };
  const rows = [];
  rows.push(
    await measure(
      "D-efficient: 8 attributes, 8 tasks, 3 blocks, none, prohibitions",
      24,
      () => efficientDesign(eight, blocks, { random: randomSource(1), ...neutral }),
      { note },
    ),
  );
  rows.push(
    await measure(
      "D-efficient: 10 attributes, 20 tasks of 20 alternatives",
      20,
      () => efficientDesign(ten, wide, { random: randomSource(2), ...neutral }),
      { note },
    ),
  );
  const means = { "a1 level 2": 0.5, "a4 level 2": -0.5, "a7 level 2": 0.3, "a7 level 3": 0.6, none: -1 };
  const priors = drawPriors(means, { "a1 level 2": 0.5, "a7 level 3": 0.3 }, { random: randomSource(3) });
  rows.push(
    await measure("Bayesian D-efficient: the 8 attributes, 50 draws, 5 starts", 24, () =>
      efficientDesign(eight, blocks, { random: randomSource(4), ...neutral, priors, starts: 5 }),
    ),
  );
  const design = await efficientDesign(eight, blocks, { random: randomSource(1), ...neutral });
  const { standardErrors } = designReport(design, { random: randomSource(5) });
  const coefficients = Object.fromEntries(
    Object.keys(standardErrors).map((name, k) => [name, 0.2 + 0.05 * k]),
  );
  rows.push(
    await measure("power: 4 x 200 simulated studies of 100 to 800 respondents", 800, () =>
      powerBySimulation(design, coefficients, { respondents: [100, 200, 400, 800], random: randomSource(6) }),
    ),
  );
  return rows;
}
