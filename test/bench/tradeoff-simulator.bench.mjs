import { calibrateConstants, randomSource, searchProductLine, simulateMarket } from "../../dist/index.js";
import { drawNormal } from "../../dist/numeric/sampling.js";
import { measure } from "./measure.mjs";

const RESPONDENTS = 1000;
const PRODUCTS = 10;
const DRAWS = 500;
const CODES = 10;

/** Part-worths of many respondents with draws around them: ten columns. */
function manyPartWorths(respondents, draws) {
  const random = randomSource(1);
  const names = Array.from({ length: CODES }, (_, k) => `x${k + 1}`);
  const values = Array.from({ length: respondents }, () =>
    Float64Array.from(names, () => drawNormal(random)),
  );
  const drawn = new Float32Array(draws * respondents * CODES);
  for (let place = 0; place < drawn.length; place++) {
    const who = Math.floor(place / CODES) % respondents;
    drawn[place] = values[who][place % CODES] + 0.5 * drawNormal(random);
  }
  return { names, respondents: values.map((_, who) => who), values, ...(draws > 0 && { draws: drawn }) };
}

/** Products with random codes of 0 and 1, prices and unit costs. */
function randomMarket(count, seed, name = "product") {
  const random = randomSource(seed);
  const column = () => Float64Array.from({ length: count }, () => Number(random.uniform() < 0.5));
  const attributes = Object.fromEntries(Array.from({ length: CODES }, (_, k) => [`x${k + 1}`, column()]));
  const prices = Float64Array.from({ length: count }, () => 5 + 5 * random.uniform());
  return {
    products: Array.from({ length: count }, (_, j) => `${name} ${j + 1}`),
    attributes,
    prices,
    unitCosts: prices.map((price) => price * (0.4 + 0.3 * random.uniform())),
  };
}

/** The simulator of 1,000 respondents with and without draws, and product lines of 500. */
export default async function simulatorBenchmark() {
  const partWorths = manyPartWorths(RESPONDENTS, DRAWS);
  const market = randomMarket(PRODUCTS, 2);
  const random = randomSource(3);
  const levels = Object.keys(market.attributes).map((attribute) => ({
    attribute,
    levels: [
      { level: "no", code: {} },
      { level: "yes", code: { [attribute]: 1 } },
    ],
  }));
  const few = manyPartWorths(500, 0);
  const problem = { candidates: randomMarket(22, 4), competitors: randomMarket(3, 5, "rival") };
  const known = Object.fromEntries(market.products.map((product, j) => [product, (j + 1) / 55]));
  const rows = [];
  for (const [name, n, job, runs] of [
    ["share of preference, 1,000 x 10", 1, () => simulateMarket(partWorths, market), 50],
    ["first choice, 1,000 x 10", 1, () => simulateMarket(partWorths, market, { rule: "first choice" }), 50],
    [
      "share of preference with bootstrap limits",
      1000,
      () => simulateMarket(partWorths, market, { random }),
      5,
    ],
    [
      "share of preference, 1,000 x 10 x 500 draws",
      DRAWS,
      () => simulateMarket(partWorths, market, { from: "draws" }),
      5,
    ],
    [
      "randomised first choice, 200 choices each",
      200,
      () =>
        simulateMarket(partWorths, market, {
          rule: "randomised first choice",
          random,
          levels,
          resamples: 100,
        }),
      5,
    ],
    [
      "constants of 10 products under 500 draws",
      1,
      () => calibrateConstants(partWorths, market, known, { from: "draws" }),
      5,
    ],
    [
      "every line of 8 among 22 (319,770) for profit, 500 respondents",
      319_770,
      () => searchProductLine(few, problem, { size: 8, search: "exhaustive" }),
      5,
    ],
    ["the same by exchange from 6 starts", 6, () => searchProductLine(few, problem, { size: 8, random }), 5],
    [
      "the same by genetic search",
      60 * 80,
      () => searchProductLine(few, problem, { size: 8, search: "genetic", random }),
      5,
    ],
  ]) {
    rows.push(await measure(name, n, job, { runs }));
  }
  return rows;
}
