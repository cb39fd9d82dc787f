import { describe, expect, it } from "vitest";
import { ConvergenceError } from "../../src/core/errors.js";
import { randomSource } from "../../src/numeric/random.js";
import {
  type CodingOptions,
  codeProfiles,
  defineAttributes,
  type Profile,
  type SurveyAttributes,
} from "../../src/tradeoff/attributes.js";
import { fitConditionalLogit } from "../../src/tradeoff/conditional-logit.js";
import { choiceTasks, fullFactorial, randomDesign, type SurveyDesign } from "../../src/tradeoff/design.js";
import {
  designEfficiency,
  drawPriors,
  expectedStandardErrors,
  type PriorCoefficients,
} from "../../src/tradeoff/design-efficiency.js";
import { efficientDesign } from "../../src/tradeoff/design-search.js";
import { survey } from "./surveys.js";

const neutral = { coding: "effects" } as const;

/** Information of a task by its definition, for coefficients in the order of the columns. */
function informationOf(
  attributes: SurveyAttributes,
  task: readonly Profile[],
  priors: PriorCoefficients,
  interactions: CodingOptions["interactions"] = [],
): number[][] {
  const columns = Object.entries(codeProfiles(attributes, task, { ...neutral, interactions }));
  const x = task.map((_, row) => columns.map(([, column]) => column[row] as number));
  const weights = x.map((row) =>
    Math.exp(row.reduce((sum, value, j) => sum + value * (priors[columns[j]?.[0] as string] ?? 0), 0)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = columns.map((_, j) =>
    x.reduce((sum, row, k) => sum + ((weights[k] as number) / total) * (row[j] as number), 0),
  );
  return columns.map((_, i) =>
    columns.map((_unused, j) =>
      x.reduce(
        (sum, row, k) =>
          sum +
          ((weights[k] as number) / total) *
            ((row[i] as number) - (mean[i] as number)) *
            ((row[j] as number) - (mean[j] as number)),
        0,
      ),
    ),
  );
}

/** Determinant by expansion along the first row. */
const determinant = (matrix: readonly (readonly number[])[]): number =>
  matrix.length === 0
    ? 1
    : (matrix[0] as number[]).reduce((sum, value, j) => {
        const minor = matrix.slice(1).map((row) => row.filter((_, column) => column !== j));
        return value === 0 ? sum : sum + (j % 2 === 0 ? 1 : -1) * value * determinant(minor);
      }, 0);

/** All ways to take so many of the items. */
function* combinations<Item>(items: readonly Item[], size: number, from = 0): Generator<Item[]> {
  if (size === 0) yield [];
  else
    for (let first = from; first <= items.length - size; first++)
      for (const rest of combinations(items, size - 1, first + 1)) yield [items[first] as Item, ...rest];
}

/** The smallest D-error of all designs of different tasks. */
function exhaustiveOptimum(
  attributes: SurveyAttributes,
  tasks: number,
  alternatives: number,
  priors: PriorCoefficients,
  interactions: CodingOptions["interactions"] = [],
): number {
  const all = [...combinations(fullFactorial(attributes), alternatives)].map((task) =>
    informationOf(attributes, task, priors, interactions),
  );
  let largest = 0;
  for (const chosen of combinations(all, tasks)) {
    const sum = (chosen[0] as number[][]).map((row, i) =>
      row.map((_, j) => chosen.reduce((total, one) => total + (one[i]?.[j] as number), 0)),
    );
    largest = Math.max(largest, determinant(sum));
  }
  return largest ** (-1 / (all[0] as number[][]).length);
}

describe("efficient designs", () => {
  const likes: PriorCoefficients = { "a0 l1": 0.6, "a1 l1": -0.4, "a1 l2": 0.9 };
  const crossed = [["a0", "a1"]] as const;
  it.each<[string, number[], number, number, PriorCoefficients, (readonly [string, string])[]?]>([
    ["2 x 3 in 4 pairs", [2, 3], 4, 2, {}],
    ["2 x 3 in 4 pairs, with preferences", [2, 3], 4, 2, likes],
    ["2 x 2 x 2 in 4 pairs", [2, 2, 2], 4, 2, { "a0 l1": 0.5, "a1 l1": -1 }],
    ["3 x 3 in 2 sets of 4", [3, 3], 2, 4, {}],
    ["2 x 3 in 3 sets of 3", [2, 3], 3, 3, likes],
    ["2 x 2 with interaction in 4 pairs", [2, 2], 4, 2, {}, [...crossed]],
    ["2 x 3 with interactions in 3 sets of 3", [2, 3], 3, 3, likes, [...crossed]],
  ])(
    "%s: within a hundredth of the best of all designs",
    async (_, sizes, tasks, alternatives, priors, interactions = []) => {
      const attributes = survey(...sizes);
      const size = { versions: 1, tasks, alternatives };
      const design = await efficientDesign(attributes, size, {
        random: randomSource(1),
        ...neutral,
        priors,
        interactions,
      });
      const best = exhaustiveOptimum(attributes, tasks, alternatives, priors, interactions);
      expect(design.dError).toBeGreaterThan(best * (1 - 1e-9));
      expect(design.dError).toBeLessThan(best * 1.01);
    },
  );

  it("find the optimal 3^3 design in 9 sets of 3, D-error 0.192", async () => {
    // Huber & Zwerina (1996), 3^3/3/9.
    const size = { versions: 1, tasks: 9, alternatives: 3 };
    const { dError, method } = await efficientDesign(survey(3, 3, 3), size, {
      random: randomSource(1),
      ...neutral,
    });
    expect(dError).toBeCloseTo(27 ** -0.5, 10);
    expect(method).toBe("D-efficient, utility-neutral");
  });

  it("show every level in every version, also with prohibitions and none", async () => {
    const { attributes } = survey(2, 2, 2, 2, 2, 2, 3, 3);
    const prohibitions = [
      { a0: "l1", a6: "l2" },
      { a1: "l0", a7: "l1" },
    ];
    const size = { versions: 3, tasks: 8, alternatives: 2 };
    const design = await efficientDesign(defineAttributes(attributes, { prohibitions, none: true }), size, {
      random: randomSource(2),
      ...neutral,
      starts: 3,
    });
    expect(design.warnings).toEqual([]);
    const tasks = choiceTasks(design);
    for (const version of [1, 2, 3]) {
      const products = tasks.filter((task) => task.version === version).flatMap((task) => task.products);
      expect(products).toHaveLength(16);
      for (const { name, levels } of attributes)
        expect(new Set(products.map((product) => product[name]))).toEqual(new Set(levels));
      for (const { a0, a1, a6, a7 } of products as Record<string, string>[]) {
        expect([a0, a6]).not.toEqual(["l1", "l2"]);
        expect([a1, a7]).not.toEqual(["l0", "l1"]);
      }
    }
    const random = randomDesign(design.attributes, size, { random: randomSource(3), overlap: "any" });
    expect(design.dError).toBeLessThan(0.8 * designEfficiency(random, neutral).dError);
  });

  it("say where a version cannot show every level", async () => {
    const size = { versions: 2, tasks: 2, alternatives: 2 };
    const { warnings } = await efficientDesign(
      survey(5, 2),
      { ...size, versions: 4 },
      { random: randomSource(4) },
    );
    expect(warnings).toHaveLength(4);
    expect(warnings[0]).toMatch(/^version 1 never shows a0 l\d$/);
  });

  it("by draws of priors beat others on the mean D-error over the draws", async () => {
    const attributes = survey(3, 3, 2);
    const random = randomSource(5);
    const priors = drawPriors(
      { "a0 l1": 1, "a0 l2": 2, "a1 l1": -1, "a2 l1": 1 },
      { "a0 l1": 0.5, "a0 l2": 0.5, "a2 l1": 1 },
      { random, draws: 20 },
    );
    const size = { versions: 1, tasks: 10, alternatives: 2 };
    const bayesian = await efficientDesign(attributes, size, { random, ...neutral, priors, starts: 4 });
    const plain = await efficientDesign(attributes, size, { random, ...neutral, starts: 4 });
    const judged = designEfficiency(plain, { ...neutral, priors }).dError;
    expect(bayesian.method).toBe("Bayesian D-efficient");
    expect(bayesian.dError).toBeLessThan(0.95 * judged);
    const each = priors.map((one) => designEfficiency(plain, { ...neutral, priors: one }).dError);
    expect(judged).toBeCloseTo(each.reduce((sum, value) => sum + value, 0) / each.length, 12);
  });

  it("are the same for a seed, tell their progress and can be stopped", async () => {
    const size = { versions: 2, tasks: 6, alternatives: 3 };
    const steps: [number, number][] = [];
    const run = () =>
      efficientDesign(survey(3, 3, 4), size, {
        random: randomSource(7),
        starts: 3,
        onProgress: (...step) => steps.push(step),
      });
    const first = await run();
    expect(steps).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
    expect(await run()).toEqual(first);
    expect(JSON.parse(JSON.stringify(first))).toEqual(first);
    expect(first.startErrors).toHaveLength(3);
    const stop = new AbortController();
    const stopped = efficientDesign(survey(3, 3, 4), size, {
      random: randomSource(7),
      starts: 1000,
      onProgress: () => stop.abort(new Error("enough")),
      signal: stop.signal,
    });
    await expect(stopped).rejects.toThrow("enough");
  });

  it("refuse tasks that are too few, and priors of nothing", async () => {
    const options = { random: randomSource(8) };
    await expect(
      efficientDesign(survey(3, 3, 3), { versions: 1, tasks: 2, alternatives: 2 }, options),
    ).rejects.toThrow(
      new ConvergenceError(
        "the design must tell 6 coefficients apart, but 2 tasks of 2 alternatives do not: add tasks or versions, or leave interactions out",
      ),
    );
    const size = { versions: 1, tasks: 9, alternatives: 2 };
    await expect(efficientDesign(survey(2, 2), size, { ...options, priors: { price: -1 } })).rejects.toThrow(
      new RangeError('priors must be of a0 l1, a1 l1, got "price"'),
    );
    await expect(efficientDesign(survey(2, 2), size, { ...options, starts: 0 })).rejects.toThrow(
      new RangeError("starts must be a whole number from 1 up, got 0"),
    );
  });
});

describe("efficiency", () => {
  it("is that of one respondent, averaged over versions", () => {
    const attributes = survey(2, 3);
    const design = randomDesign(
      attributes,
      { versions: 3, tasks: 6, alternatives: 2 },
      { random: randomSource(9) },
    );
    const likes = { "a0 l1": 0.7, "a1 l2": -0.5 };
    const { information, names, dError } = designEfficiency(design, { ...neutral, priors: likes });
    expect(names).toEqual(["a0 l1", "a1 l1", "a1 l2"]);
    const sums = choiceTasks(design).map(({ products }) => informationOf(attributes, products, likes));
    for (const [i, row] of information.entries())
      for (const [j, value] of row.entries())
        expect(value).toBeCloseTo(sums.reduce((sum, one) => sum + (one[i]?.[j] as number), 0) / 3, 12);
    expect(dError).toBeCloseTo(determinant(information) ** (-1 / 3), 12);
  });

  it("foretells the standard errors of a fit", () => {
    const attributes = survey(2, 3);
    const design: SurveyDesign = randomDesign(
      attributes,
      { versions: 1, tasks: 10, alternatives: 3 },
      { random: randomSource(10) },
    );
    // Choices in the very proportions of equal shares: each product of a task is chosen by 100 respondents.
    const rows = choiceTasks(design).flatMap(({ products }) =>
      products.map((_, chosen) => ({ products, chosen })),
    );
    const fit = fitConditionalLogit(
      {
        set: rows.flatMap(({ products }, set) => products.map(() => set)),
        chosen: rows.flatMap(({ products, chosen }) => products.map((_, k) => k === chosen)),
        weight: rows.flatMap(({ products }) => products.map(() => 100)),
      },
      codeProfiles(
        attributes,
        rows.flatMap(({ products }) => products),
      ),
    );
    const expected = expectedStandardErrors(design, 300);
    for (const [name, error] of Object.entries(fit.standardErrors))
      expect(expected[name]).toBeCloseTo(error, 10);
  });

  it("draws priors from every stratum", () => {
    const draws = drawPriors(
      { price: -0.5, size: 1 },
      { price: 0.2 },
      { random: randomSource(11), draws: 200 },
    );
    const prices = draws.map(({ price }) => price as number);
    const mean = prices.reduce((sum, value) => sum + value, 0) / 200;
    const spread = Math.sqrt(prices.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 199);
    expect(mean).toBeCloseTo(-0.5, 2);
    expect(spread).toBeCloseTo(0.2, 1);
    expect(new Set(draws.map(({ size }) => size))).toEqual(new Set([1]));
    expect(() => drawPriors({ price: 1 }, { size: 1 }, { random: randomSource(1) })).toThrow(
      new RangeError('standardDeviations must be of price, got "size"'),
    );
  });
});
