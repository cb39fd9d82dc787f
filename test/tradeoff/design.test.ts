import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomSource } from "../../src/numeric/random.js";
import { defineAttributes, type Profile, type SurveyAttributes } from "../../src/tradeoff/attributes.js";
import {
  choiceTasks,
  fullFactorial,
  randomDesign,
  type SurveyDesign,
  withRepeatedTask,
} from "../../src/tradeoff/design.js";
import { efficientDesign } from "../../src/tradeoff/design-search.js";
import { survey } from "./surveys.js";

/** Surveys of 2 to 5 attributes with prohibitions of pairs, that leave a product for every level. */
const surveys = fc
  .record({
    sizes: fc.array(fc.integer({ min: 2, max: 4 }), { minLength: 2, maxLength: 5 }),
    pairs: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.nat()), { maxLength: 4 }),
    none: fc.boolean(),
    dependent: fc.boolean(),
  })
  .map(({ sizes, pairs, none, dependent }): SurveyAttributes | undefined => {
    const { attributes } = survey(...sizes);
    const prohibitions = pairs.flatMap(([a, b, i, j]) => {
      const [first, second] = [a % sizes.length, b % sizes.length];
      const pair = {
        [`a${first}`]: `l${i % (sizes[first] as number)}`,
        [`a${second}`]: `l${j % (sizes[second] as number)}`,
      };
      return first === second ? [] : [pair];
    });
    const more = dependent
      ? [{ name: "d", levels: ["x", "y", "z"], only: { attribute: "a0", level: "l1" } }]
      : [];
    try {
      return defineAttributes([...attributes, ...more], { prohibitions, none });
    } catch (error) {
      if (error instanceof RangeError) return undefined; // nothing is left
      throw error;
    }
  })
  .filter((result) => result !== undefined);

const isProhibited = ({ prohibitions }: SurveyAttributes, product: Profile): boolean =>
  prohibitions.some((pair) => Object.entries(pair).every(([name, level]) => product[name] === level));

/** What must hold of every design. */
function expectLawful(design: SurveyDesign): void {
  const { attributes, versions, tasks, alternatives } = design;
  const all = choiceTasks(design);
  expect(all).toHaveLength(versions * tasks);
  for (const { products } of all) {
    expect(products).toHaveLength(alternatives);
    expect(new Set(products.map((product) => JSON.stringify(product))).size).toBe(alternatives);
    for (const product of products) {
      expect(isProhibited(attributes, product)).toBe(false);
      for (const { name, levels, only } of attributes.attributes) {
        const isThere = !only || product[only.attribute] === only.level;
        expect(isThere ? levels.includes(product[name] as string) : product[name] === undefined).toBe(true);
      }
    }
  }
}

const manyProducts = (attributes: SurveyAttributes, least: number): boolean =>
  fullFactorial(attributes).length >= least;

describe("designs", () => {
  it("never show a prohibited product nor one twice in a task: 10,000 designs of random surveys", () => {
    fc.assert(
      fc.property(surveys, fc.constantFrom("any", "balanced", "minimal"), (attributes, overlap) => {
        if (!manyProducts(attributes, 3)) return;
        const size = { versions: 1, tasks: 2, alternatives: 2 };
        for (let seed = 0; seed < 40; seed++) {
          const design = randomDesign(attributes, size, { random: randomSource(seed), overlap });
          for (const { products } of choiceTasks(design)) {
            if (products.some((product) => isProhibited(attributes, product))) throw new Error("prohibited");
            if (JSON.stringify(products[0]) === JSON.stringify(products[1])) throw new Error("twice");
          }
        }
      }),
      { seed: 1, numRuns: 250 },
    );
  });

  it("keep all rules, whatever the survey", async () => {
    await fc.assert(
      fc.asyncProperty(surveys, fc.nat(), async (attributes, seed) => {
        if (!manyProducts(attributes, 6)) return;
        const size = { versions: 2, tasks: 6, alternatives: 3 };
        const random = randomSource(seed >>> 0);
        for (const overlap of ["any", "balanced", "minimal"] as const)
          expectLawful(randomDesign(attributes, size, { random, overlap }));
        expectLawful(await efficientDesign(attributes, { ...size, tasks: 8 }, { random, starts: 1 }));
      }),
      { seed: 2, numRuns: 20 },
    );
  });

  it("use every level equally often in each version with minimal overlap", () => {
    const attributes = survey(2, 3, 3, 4);
    const design = randomDesign(
      attributes,
      { versions: 5, tasks: 12, alternatives: 3 },
      { random: randomSource(3), overlap: "minimal" },
    );
    const perVersion = 12 * 3;
    for (let version = 0; version < 5; version++)
      for (const [k, size] of [2, 3, 3, 4].entries())
        for (let level = 0; level < size; level++) {
          const own = design.levels.slice(version * perVersion * 4, (version + 1) * perVersion * 4);
          const uses = own.filter((shown, at) => at % 4 === k && shown === level).length;
          expect(Math.abs(uses - perVersion / size)).toBeLessThanOrEqual(1);
        }
    expect(design.warnings).toEqual([]);
  });

  it("overlap about half as often when balanced as at random", () => {
    const attributes = survey(2, 3, 4, 3);
    const same = (overlap: "any" | "balanced" | "minimal"): number => {
      const design = randomDesign(
        attributes,
        { versions: 100, tasks: 10, alternatives: 2 },
        { random: randomSource(4), overlap },
      );
      const pairs = choiceTasks(design).flatMap(({ products: [one, other] }) =>
        attributes.attributes.map(({ name }) => Number(one?.[name] === other?.[name])),
      );
      return pairs.reduce((sum, value) => sum + value, 0) / pairs.length;
    };
    const chance = (1 / 2 + 1 / 3 + 1 / 4 + 1 / 3) / 4;
    expect(same("minimal")).toBeLessThan(0.01);
    expect(Math.abs(same("any") / chance - 1)).toBeLessThan(0.08); // four standard errors of 4,000 pairs
    expect(same("balanced") / chance).toBeGreaterThan(0.35);
    expect(same("balanced") / chance).toBeLessThan(0.65);
  });

  it("show no dominated product if preferences are known", async () => {
    const attributes = defineAttributes([
      { name: "quality", levels: ["low", "middle", "high"] },
      { name: "price", levels: [10, 20, 30], as: "linear" },
      { name: "colour", levels: ["red", "blue"] },
    ]);
    const preference = { quality: "rising", price: "falling" } as const;
    const size = { versions: 2, tasks: 8, alternatives: 2 };
    const random = randomSource(5);
    const dominated = (design: SurveyDesign): number =>
      choiceTasks(design).filter(({ products: [a, b] }) => {
        if (!a || !b || a["colour"] !== b["colour"]) return false;
        const rank = ({ quality }: Profile): number => ["low", "middle", "high"].indexOf(quality as string);
        const [better, cheaper] = [rank(a) - rank(b), Number(b["price"]) - Number(a["price"])];
        return (better >= 0 && cheaper >= 0) || (better <= 0 && cheaper <= 0);
      }).length;
    expect(
      dominated(randomDesign(attributes, { ...size, versions: 20 }, { random, overlap: "any" })),
    ).toBeGreaterThan(10);
    for (const overlap of ["any", "balanced", "minimal"] as const)
      expect(dominated(randomDesign(attributes, size, { random, overlap, preference }))).toBe(0);
    expect(dominated(await efficientDesign(attributes, size, { random, preference, starts: 3 }))).toBe(0);
    expect(() => randomDesign(attributes, size, { random, overlap: "minimum" as "minimal" })).toThrow(
      new RangeError("overlap must be one of any, minimal, balanced, got minimum"),
    );
    expect(() => randomDesign(attributes, size, { random, preference: { size: "rising" } })).toThrow(
      new RangeError('preference must be for quality, price, colour, got "size"'),
    );
  });

  it("show all products in every task if asked to", () => {
    const size = { versions: 1, tasks: 2, alternatives: 12 };
    for (const overlap of ["any", "balanced", "minimal"] as const)
      expectLawful(randomDesign(survey(3, 4), size, { random: randomSource(8), overlap }));
  });

  it("refuse sizes out of range and rules that nothing keeps", () => {
    const random = randomSource(6);
    const draw = (versions: number, tasks: number, alternatives: number) =>
      randomDesign(survey(2, 2), { versions, tasks, alternatives }, { random });
    expect(() => draw(0, 1, 2)).toThrow(new RangeError("versions must be a whole number from 1 up, got 0"));
    expect(() => draw(1, 0.5, 2)).toThrow(new RangeError("tasks must be a whole number from 1 up, got 0.5"));
    expect(() => draw(1, 1, 1)).toThrow(
      new RangeError("alternatives must be a whole number from 2 up, got 1"),
    );
    expect(() => draw(1, 1, 5)).toThrow(
      new RangeError("alternatives must be at most 4, the number of different products, got 5"),
    );
    const price = defineAttributes([{ name: "price", levels: [1, 2, 3], as: "linear" }]);
    expect(() =>
      randomDesign(
        price,
        { versions: 1, tasks: 1, alternatives: 2 },
        { random, preference: { price: "falling" } },
      ),
    ).toThrow(
      new RangeError(
        "1000 tries found no task of 2 different products of which none is dominated: allow fewer alternatives or prohibit less, or give a preference for fewer attributes",
      ),
    );
  });

  it("repeat a task with the products reversed", () => {
    const design = randomDesign(
      survey(2, 3, 3),
      { versions: 2, tasks: 4, alternatives: 3 },
      { random: randomSource(7) },
    );
    const repeated = withRepeatedTask(design, 2);
    const tasks = choiceTasks(repeated);
    expect(tasks).toHaveLength(10);
    for (const version of [1, 2]) {
      const own = tasks.filter((task) => task.version === version);
      expect(own[4]?.products).toEqual([...(own[1]?.products ?? [])].reverse());
      expect(own.slice(0, 4)).toEqual(choiceTasks(design).filter((task) => task.version === version));
    }
    expect(() => withRepeatedTask(design, 5)).toThrow(
      new RangeError("task must be a whole number from 1 to 4, got 5"),
    );
  });
});

describe("full factorial", () => {
  it("counts products with prohibitions and dependent attributes", () => {
    expect(fullFactorial(survey(2, 3, 4))).toHaveLength(24);
    const dependent = defineAttributes(
      [
        { name: "engine", levels: ["gas", "electric"] },
        { name: "range", levels: [200, 400, 600], only: { attribute: "engine", level: "electric" } },
        { name: "seats", levels: [5, 7] },
      ],
      { prohibitions: [{ range: 600, seats: 7 }] },
    );
    const products = fullFactorial(dependent); // gas 2, electric 3 x 2 - 1
    expect(products).toHaveLength(7);
    expect(products[0]).toEqual({ engine: "gas", seats: 5 });
    expect(products[2]).toEqual({ engine: "electric", range: 200, seats: 5 });
  });

  it("refuses absurd sizes, naming the number", () => {
    expect(() => fullFactorial(survey(...Array<number>(20).fill(4)))).toThrow(
      new RangeError(
        "the full factorial must have at most 100000 products, got 1099511627776: use an orthogonal, a random or an efficient design",
      ),
    );
    expect(() => fullFactorial(survey(3, 3), 8)).toThrow(/at most 8 products, got 9:/);
  });
});
