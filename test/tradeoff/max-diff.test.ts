import { describe, expect, it } from "vitest";
// The chains of hierarchical Bayes run on threads, from the compiled program.
import { fitMaxDiffHierarchicalBayes } from "../../dist/tradeoff/max-diff.js";
import { quantileOf } from "../../src/numeric/quantile.js";
import { type Random, randomSource } from "../../src/numeric/random.js";
import { drawNormal, drawWeighted } from "../../src/numeric/sampling.js";
import {
  fitMaxDiff,
  type MaxDiffRows,
  maxDiffChoices,
  maxDiffCounts,
  preferenceShares,
} from "../../src/tradeoff/max-diff.js";

const items = ["price", "service", "range", "speed", "advice", "origin", "design", "returns"];

/** Answers of people with own utilities: the best of those shown, then the worst of the rest (or a pair by its difference). */
function simulatedAnswers(
  mean: readonly number[],
  { spread = 0, respondents = 300, questions = 12, shown = 4, model = "sequential", seed = 1 } = {},
): { readonly answers: MaxDiffRows; readonly utilities: readonly (readonly number[])[] } {
  const random: Random = randomSource(seed);
  const respondent: number[] = [];
  const columns = Array.from({ length: shown }, (): string[] => []);
  const [best, worst]: [string[], string[]] = [[], []];
  const utilities = Array.from({ length: respondents }, () =>
    mean.map((u) => u + spread * drawNormal(random)),
  );
  for (const [who, u] of utilities.entries()) {
    for (let question = 0; question < questions; question++) {
      const places: number[] = [];
      while (places.length < shown) {
        const place = Math.floor(mean.length * random.uniform());
        if (!places.includes(place)) places.push(place);
      }
      const like = (place: number | undefined): number => u[place as number] as number;
      let [top, bottom] = [0, 0];
      if (model === "sequential") {
        top = places[
          drawWeighted(
            random,
            places.map((place) => Math.exp(like(place))),
          )
        ] as number;
        const rest = places.filter((place) => place !== top);
        bottom = rest[
          drawWeighted(
            random,
            rest.map((place) => Math.exp(-like(place))),
          )
        ] as number;
      } else {
        const pairs = places.flatMap((a) => places.filter((b) => b !== a).map((b) => [a, b] as const));
        const weights = pairs.map(([a, b]) => Math.exp(like(a) - like(b)));
        [top, bottom] = pairs[drawWeighted(random, weights)] as readonly [number, number];
      }
      respondent.push(who);
      for (const [k, place] of places.entries()) columns[k]?.push(items[place] as string);
      best.push(items[top] as string);
      worst.push(items[bottom] as string);
    }
  }
  return { answers: { respondent, items: columns, best, worst }, utilities };
}

const truth = [1.4, 0.9, 0.4, 0, -0.2, -0.6, -0.9, -1];

describe("counts", () => {
  it("of three answers by hand", () => {
    const { counts, individual } = maxDiffCounts({
      respondent: ["ann", "ann", "bob"],
      items: [
        ["a", "b", "a"],
        ["b", "c", "b"],
        ["c", "d", "c"],
        [null, "a", ""],
      ],
      best: ["a", "b", "a"],
      worst: ["c", "c", "b"],
    });
    expect(counts).toEqual([
      { item: "a", shown: 3, best: 2, worst: 0, score: 2, standardisedScore: 2 / 3, sqrtRatio: undefined },
      { item: "b", shown: 3, best: 1, worst: 1, score: 0, standardisedScore: 0, sqrtRatio: 1 },
      { item: "c", shown: 3, best: 0, worst: 2, score: -2, standardisedScore: -2 / 3, sqrtRatio: 0 },
      { item: "d", shown: 1, best: 0, worst: 0, score: 0, standardisedScore: 0, sqrtRatio: undefined },
    ]);
    expect(individual).toEqual({
      names: ["a", "b", "c", "d"],
      respondents: ["ann", "bob"],
      values: [Float64Array.of(1, 1, -2, 0), Float64Array.of(1, -1, 0, 0)],
    });
  });

  it("scores add up to 0, and as many are best as there are questions", () => {
    const { counts } = maxDiffCounts(simulatedAnswers(truth, { respondents: 40 }).answers, { items });
    expect(counts.map(({ item }) => item)).toEqual(items);
    expect(counts.reduce((sum, { score }) => sum + score, 0)).toBe(0);
    expect(counts.reduce((sum, { best }) => sum + best, 0)).toBe(480);
    expect(counts.reduce((sum, { shown }) => sum + shown, 0)).toBe(4 * 480);
  });
});

describe("logit models of all respondents", () => {
  it.each(["paired", "sequential"] as const)("%s: recovers the utilities of its own world", (model) => {
    const { answers } = simulatedAnswers(truth, { respondents: 100, model, seed: 3 });
    const { utilities, shares, logit, reference } = fitMaxDiff(answers, { items, model });
    expect(reference).toBe("returns");
    expect(utilities["returns"]).toBe(0);
    for (const [place, item] of items.slice(0, -1).entries()) {
      const off = (utilities[item] as number) - ((truth[place] as number) + 1);
      expect(Math.abs(off)).toBeLessThan(3 * (logit.standardErrors[item] as number));
    }
    expect(Object.values(shares).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(logit.observations).toBe(model === "paired" ? 1200 : 2400);
  });

  it("has all pairs or first the best, then the worst of the rest, as choice sets", () => {
    const answers = { items: [["a"], ["b"], ["c"]], best: ["b"], worst: ["a"] };
    const paired = maxDiffChoices(answers);
    expect(paired.attributes).toEqual({ a: [1, 1, -1, 0, -1, 0], b: [-1, 0, 1, 1, 0, -1] });
    expect(paired.rows.chosen).toEqual([0, 0, 1, 0, 0, 0]);
    const sequential = maxDiffChoices(answers, { model: "sequential", reference: "a" });
    expect(sequential.attributes).toEqual({ b: [0, 1, 0, 0, 0], c: [0, 0, 1, 0, -1] });
    expect(sequential.rows.chosen).toEqual([0, 1, 0, 1, 0]);
    expect(sequential.rows.set).toEqual(["1 best", "1 best", "1 best", "1 worst", "1 worst"]);
  });

  it("does not depend on the reference", () => {
    const { answers } = simulatedAnswers(truth, { respondents: 30 });
    const one = fitMaxDiff(answers, { items });
    const other = fitMaxDiff(answers, { items, reference: "price" });
    expect(other.logit.logLikelihood).toBeCloseTo(one.logit.logLikelihood, 8);
    for (const item of items) {
      const difference = (one.utilities[item] as number) - (one.utilities["price"] as number);
      expect(other.utilities[item]).toBeCloseTo(difference, 8);
      expect(other.shares[item]).toBeCloseTo(one.shares[item] as number, 9);
    }
  });

  it("names an item that was always best, and takes a penalty against it", () => {
    const rows = {
      items: [
        ["a", "a"],
        ["b", "b"],
        ["c", "c"],
      ],
      best: ["a", "a"],
      worst: ["b", "c"],
    };
    expect(() => fitMaxDiff(rows)).toThrow("the coefficient of a has no finite maximum");
    expect(fitMaxDiff(rows, { penalty: 0.1 }).utilities["a"]).toBeGreaterThan(0);
  });
});

describe("hierarchical Bayes", () => {
  const world = simulatedAnswers(
    truth.map((u) => 2.5 * u),
    { spread: 1, shown: 5, seed: 8 },
  );
  const run = {
    items,
    model: "sequential",
    random: randomSource(2),
    chains: 2,
    warmup: 100,
    iterations: 150,
    keep: 100,
  } as const;

  it("recovers individual utilities of 300 people from 12 questions of five items: correlation at least .95", async () => {
    const fit = await fitMaxDiffHierarchicalBayes(world.answers, run);
    const centred = world.utilities.map((row) => {
      const mean = row.reduce((sum, u) => sum + u, 0) / row.length;
      return row.map((u) => u - mean);
    });
    let [own, other, both] = [0, 0, 0];
    for (const [who, row] of fit.individual.values.entries()) {
      expect(row.reduce((sum, u) => sum + u, 0)).toBeCloseTo(0, 10);
      for (const [place, u] of row.entries()) {
        const exact = centred[who]?.[place] as number; // both have mean 0
        own += u * u;
        other += exact * exact;
        both += u * exact;
      }
    }
    expect(both / Math.sqrt(own * other)).toBeGreaterThan(0.95);
    const shares = items.map(() => 0);
    for (const row of centred)
      for (const [place, share] of preferenceShares(row).entries())
        shares[place] = (shares[place] as number) + share / 300;
    for (const [place, item] of items.entries()) {
      const { mean, low, high } = fit.shares[item] as { mean: number; low: number; high: number };
      expect(Math.abs(mean - (shares[place] as number))).toBeLessThan(0.02);
      expect(low).toBeLessThan(mean);
      expect(high).toBeGreaterThan(mean);
    }
    expect(fit.individual.draws).toHaveLength(100 * 300 * 8);
    expect(fit.hierarchicalBayes.diagnostics.rHat).toBeLessThan(1.1);
  });

  it.each([0.5, 2])("leaves to the data how far people differ: %d", async (spread) => {
    let [ratio, covered, count] = [0, 0, 0];
    for (let seed = 1; seed <= 4; seed++) {
      const { answers, utilities } = simulatedAnswers(truth, { spread, respondents: 60, seed });
      const { individual, hierarchicalBayes } = await fitMaxDiffHierarchicalBayes(answers, {
        items,
        model: "sequential",
        random: randomSource(seed),
        chains: 1,
        warmup: 150,
        iterations: 300,
        keep: 300,
      });
      // Differences of two items have twice the variance of one.
      for (const { mean } of Object.values(hierarchicalBayes.heterogeneity))
        ratio += mean / (Math.SQRT2 * spread) / (4 * 7);
      const draws = individual.draws as Float32Array;
      for (const [who, row] of utilities.entries()) {
        const centre = row.reduce((sum, u) => sum + u / row.length, 0);
        for (const [place, u] of row.entries()) {
          const own = Float64Array.from(
            { length: 300 },
            (_, draw) => draws[(draw * 60 + who) * 8 + place] as number,
          );
          const inside = quantileOf(own, 0.05) <= u - centre && u - centre <= quantileOf(own, 0.95);
          covered += Number(inside);
          count++;
        }
      }
    }
    expect(ratio).toBeGreaterThan(0.85);
    expect(ratio).toBeLessThan(1.15);
    expect(covered / count).toBeGreaterThan(0.85);
    expect(covered / count).toBeLessThan(0.95);
  });

  it("treats items alike whichever is the reference, also where names are numbers", async () => {
    const { answers } = simulatedAnswers(truth, { respondents: 20, questions: 5, spread: 1, seed: 4 });
    const number = (item: unknown): number => 30 - 3 * items.indexOf(item as string);
    const renamed = {
      respondent: answers.respondent as number[],
      items: answers.items.map((column) => Array.from(column, number)),
      best: Array.from(answers.best, number),
      worst: Array.from(answers.worst, number),
    };
    const numbers = items.map(number);
    const options = { ...run, iterations: 500, keep: 500 };
    const one = await fitMaxDiffHierarchicalBayes(answers, options);
    const other = await fitMaxDiffHierarchicalBayes(renamed, {
      ...options,
      items: numbers,
      reference: numbers[0] as number,
      random: randomSource(5),
    });
    expect(other.individual.names).toEqual(numbers.map(String));
    for (const [place, item] of items.entries()) {
      const here = one.shares[item] as { mean: number; low: number; high: number };
      const there = other.shares[String(numbers[place])]?.mean as number;
      expect(Math.abs(here.mean - there)).toBeLessThan((here.high - here.low) / 5);
    }
  });
});

describe("answers that cannot be used", () => {
  const good = {
    items: [
      ["a", "b"],
      ["b", "c"],
      ["c", "d"],
    ],
    best: ["a", "b"],
    worst: ["b", "d"],
  };
  it.each<[string, MaxDiffRows, string]>([
    ["nothing", { items: [], best: [], worst: [] }, "answers must have at least one row, got none"],
    ["a short column", { ...good, worst: ["b"] }, "worst must have one value for each of the 2 rows, got 1"],
    [
      "a short column of items",
      { ...good, items: [["a"]] },
      "items[0] must have one value for each of the 2 rows, got 1",
    ],
    [
      "best is worst",
      { ...good, worst: ["b", "b"] },
      'worst in row 2 must differ from best, got "b" for both',
    ],
    [
      "not shown",
      { ...good, best: ["d", "b"] },
      'best in row 1 must be one of the items shown ("a", "b", "c"), got "d"',
    ],
    [
      "no answer",
      { ...good, worst: ["b", null as unknown as string] },
      'worst in row 2 must be one of the items shown ("b", "c", "d"), got null',
    ],
    [
      "twice",
      {
        ...good,
        items: [
          ["a", "b"],
          ["b", "c"],
          ["c", "c"],
        ],
      },
      'items in row 2 must be different, got "c" twice',
    ],
    [
      "too few",
      {
        ...good,
        items: [
          ["a", "b"],
          ["b", "c"],
          ["c", null],
        ],
      },
      "items in row 2 must be at least three, got 2",
    ],
    [
      "a respondent again",
      {
        respondent: [1, 2, 1],
        items: [
          ["a", "a", "a"],
          ["b", "b", "b"],
          ["c", "c", "c"],
        ],
        best: ["a", "a", "a"],
        worst: ["b", "b", "b"],
      },
      "rows of respondent 1 must stand together, but they come again in row 3",
    ],
  ])("%s", (_name, rows, message) => {
    expect(() => maxDiffCounts(rows)).toThrow(message);
  });

  it("items unknown or named twice, and no such reference or model", () => {
    expect(() => maxDiffChoices(good, { model: "pair" as "paired" })).toThrow(
      "model must be one of paired, sequential, got pair",
    );
    expect(() => maxDiffCounts(good, { items: ["a", "b", "c"] })).toThrow(
      'items in row 2 must be among "a", "b", "c", got "d"',
    );
    expect(() => maxDiffCounts(good, { items: ["a", "b", "c", "d", "a"] })).toThrow(
      'items must be different, got "a", "b", "c", "d", "a"',
    );
    expect(() => fitMaxDiff(good, { reference: "e" })).toThrow(
      'reference must be one of "a", "b", "c", "d", got "e"',
    );
  });
});
