import { describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.js";
import { randomSource } from "../../src/numeric/random.js";
import type { AttributeColumns, ChoiceRows } from "../../src/tradeoff/choice-data.js";
import { holdoutAccuracy, holdoutShares } from "../../src/tradeoff/holdout.js";
import { type PartWorths, pooledPartWorths } from "../../src/tradeoff/part-worths.js";
import { simulatedStudy } from "./worlds.js";

const names = ["organic", "large", "price"];
const random = randomSource(1);

/** Part-worths with the true tastes of a simulated study. */
const truthOf = (tastes: readonly Readonly<Record<string, number>>[]): PartWorths => ({
  names,
  respondents: tastes.map((_, who) => who),
  values: tastes.map((taste) => Float64Array.from(names, (name) => taste[name] as number)),
});
const taste = {
  mean: { organic: 1.6, large: -0.8, price: -1.2 },
  spread: { organic: 1, large: 1, price: 0.5 },
};
const study = simulatedStudy(taste, { respondents: 300, tasks: 8, seed: 21 });
const truth = truthOf(study.tastes);

/** Fixed tasks that all answer by their true utilities and Gumbel noise. */
function fixedTasks(tasks: readonly (readonly (readonly number[])[])[], seed: number) {
  const source = randomSource(seed);
  const rows = { set: [] as number[], respondent: [] as number[], chosen: [] as number[] };
  const columns: number[][] = names.map(() => []);
  for (const [who, beta] of truth.values.entries()) {
    for (const [task, alternatives] of tasks.entries()) {
      const utilities = alternatives.map(
        (code) =>
          code.reduce((sum, value, k) => sum + value * (beta[k] as number), 0) -
          Math.log(-Math.log(1 - source.uniform())),
      );
      for (const [k, code] of alternatives.entries()) {
        rows.set.push(task + 1);
        rows.respondent.push(who);
        rows.chosen.push(Number(utilities[k] === Math.max(...utilities)));
        for (const [j, value] of code.entries()) columns[j]?.push(value);
      }
    }
  }
  return { rows, attributes: Object.fromEntries(names.map((name, j) => [name, columns[j] as number[]])) };
}
const tasks = [
  [
    [1, 0, 3],
    [0, 1, 2],
    [0, 0, 1],
  ],
  [
    [1, 1, 2],
    [0, 0, 2],
  ],
];

describe("hit rate and root likelihood", () => {
  it("are those of the choices by hand, with ties in parts and chances of sets of two and three", () => {
    const rows: ChoiceRows = {
      respondent: ["a", "a", "a", "b", "b"],
      set: [1, 1, 1, 1, 1],
      chosen: [1, 0, 0, 0, 1],
    };
    const partWorths = {
      names: ["x"],
      respondents: ["b", "a"],
      values: [Float64Array.of(-1), Float64Array.of(1)],
    };
    const result = holdoutAccuracy(partWorths, rows, { x: [2, 2, 0, 1, 3] }, { random });
    // a: tie of two, hit 1/2, probability 1 / (2 + e^-2); b: likes 1 more than 3, probability e^-2 / (1 + e^-2).
    expect(result.hitRate.value).toBe(0.25);
    expect(result.hitRate.chance).toBeCloseTo((1 / 3 + 1 / 2) / 2, 14);
    const e = Math.exp(-2);
    expect(result.rootLikelihood.value).toBeCloseTo(Math.sqrt((1 / (2 + e)) * (e / (1 + e))), 14);
    expect(result.rootLikelihood.chance).toBeCloseTo(Math.sqrt(1 / 6), 14);
    expect(result.choices).toBe(2);
    expect(result.respondents).toBe(2);
  });

  it("are best for the truth, at chance for part-worths of others turned round", () => {
    const own = holdoutAccuracy(truth, study.rows, study.attributes, { random });
    const means = { ...truth, values: truth.values.map(() => Float64Array.of(1.6, -0.8, -1.2)) };
    const pooled = holdoutAccuracy(means, study.rows, study.attributes, { random });
    expect(own.hitRate.value).toBeGreaterThan(pooled.hitRate.high);
    expect(own.rootLikelihood.value).toBeGreaterThan(pooled.rootLikelihood.high);
    expect(own.hitRate.chance).toBeCloseTo(1 / 3, 14);
    const indifferent = { ...truth, values: truth.values.map(() => new Float64Array(3)) };
    const blind = holdoutAccuracy(indifferent, study.rows, study.attributes, { random });
    expect(blind.hitRate.value).toBeCloseTo(1 / 3, 12);
    expect(blind.rootLikelihood.value).toBeCloseTo(1 / 3, 12);
    expect(blind.rootLikelihood.standardError).toBeLessThan(1e-12);
  });

  it("has an expected hit rate equal to the mean highest probability where part-worths are true", () => {
    const { hitRate, choices } = holdoutAccuracy(truth, study.rows, study.attributes, { random });
    let expected = 0;
    const x = names.map((name) => study.attributes[name] as number[]);
    for (let row = 0; row < study.rows.set.length; row += 3) {
      const beta = truth.values[study.rows.respondent[row] as number] as Float64Array;
      const weights = [0, 1, 2].map((k) =>
        Math.exp(x.reduce((sum, column, j) => sum + (column[row + k] as number) * (beta[j] as number), 0)),
      );
      expected += Math.max(...weights) / weights.reduce((sum, weight) => sum + weight, 0) / choices;
    }
    expect(Math.abs(hitRate.value - expected)).toBeLessThan(3 * hitRate.standardError);
  });

  it("of pooled part-worths are those of copies for everybody, whoever answers", () => {
    const coefficients = { organic: 1.6, large: -0.8, price: -1.2 };
    const covariance = [
      [0.01, 0, 0],
      [0, 0.01, 0],
      [0, 0, 0.01],
    ];
    const pooled = pooledPartWorths({ coefficients, covariance }, { random, draws: 1 });
    const copies = { ...truth, values: truth.values.map(() => Float64Array.of(1.6, -0.8, -1.2)) };
    expect(holdoutAccuracy(pooled, study.rows, study.attributes, { random })).toEqual(
      holdoutAccuracy(copies, study.rows, study.attributes, { random }),
    );
    const fixed = fixedTasks(tasks, 5);
    expect(holdoutShares(pooled, fixed.rows, fixed.attributes, { random })).toEqual(
      holdoutShares(copies, fixed.rows, fixed.attributes, { random }),
    );
    const onePerson = { ...pooled, respondents: [0] };
    expect(() => holdoutAccuracy(onePerson, study.rows, study.attributes, { random })).toThrow(
      new DataError("respondent 1 has holdout choices but no part-worths"),
    );
  });

  it("has a root likelihood of 0 rather than none for a choice that cannot happen", () => {
    const partWorths = { names: ["x"], respondents: [1], values: [Float64Array.of(1)] };
    const rows = { respondent: [1, 1], set: [1, 1], chosen: [0, 1] };
    const { rootLikelihood } = holdoutAccuracy(partWorths, rows, { x: [5000, 0] }, { random });
    expect(rootLikelihood.value).toBe(0);
    expect(rootLikelihood.low).toBe(0);
  });
});

describe("shares of fixed tasks", () => {
  const { rows, attributes } = fixedTasks(tasks, 5);

  it("are predicted within their limits by the truth, and better than by chance", () => {
    const { shares, meanAbsoluteError } = holdoutShares(truth, rows, attributes, { random, level: 0.99 });
    expect(shares.map(({ task, alternative }) => [task, alternative])).toEqual([
      [1, 1],
      [1, 2],
      [1, 3],
      [2, 1],
      [2, 2],
    ]);
    for (const { observed, low, high, shareOfPreference } of shares) {
      expect(low).toBeLessThan(observed);
      expect(shareOfPreference).toBeGreaterThan(low);
      expect(shareOfPreference).toBeLessThan(high);
    }
    expect(meanAbsoluteError.shareOfPreference).toBeLessThan(0.03);
    expect(meanAbsoluteError.firstChoice).toBeGreaterThan(meanAbsoluteError.shareOfPreference);
    expect(meanAbsoluteError.chance).toBeGreaterThan(0.1);
  });

  it("count choices and first choices", () => {
    const { shares, meanAbsoluteError } = holdoutShares(truth, rows, attributes, { random });
    const first = rows.chosen.filter((chosen, row) => chosen === 1 && row % 5 === 0).length / 300;
    expect(shares[0]?.observed).toBeCloseTo(first, 14);
    expect(shares.slice(0, 3).reduce((sum, { firstChoice }) => sum + firstChoice, 0)).toBeCloseTo(1, 12);
    const errors = shares.map(({ observed, shareOfPreference }) => Math.abs(observed - shareOfPreference));
    expect(meanAbsoluteError.shareOfPreference).toBeCloseTo(
      errors.reduce((sum, one) => sum + one, 0) / 5,
      14,
    );
  });

  it("come near the first choices as the exponent grows", () => {
    const { shares } = holdoutShares(truth, rows, attributes, { random, exponent: 1e4 });
    for (const { shareOfPreference, firstChoice } of shares)
      expect(shareOfPreference).toBeCloseTo(firstChoice, 2);
  });
});

describe("holdout choices that cannot be used", () => {
  const partWorths = {
    names: ["x"],
    respondents: ["a", "b"],
    values: [Float64Array.of(1), Float64Array.of(1)],
  };
  const rows = { respondent: ["a", "a", "b", "b"], set: [1, 1, 1, 1], chosen: [1, 0, 0, 1] };
  const judge =
    (change: Partial<ChoiceRows>, attributes: AttributeColumns, exponent = 1) =>
    () =>
      holdoutShares(partWorths, { ...rows, ...change }, attributes, { random, exponent });
  const { respondent: unused, ...anonymous } = rows;
  it.each<[string, () => unknown, string]>([
    [
      "tasks that differ",
      judge({}, { x: [1, 2, 1, 3] }),
      'task 1 must show everybody the same alternatives, but respondent "b" saw others',
    ],
    ["a missing column", judge({}, { y: [1, 2, 1, 2] }), "attributes must contain x, got y"],
    [
      "a stranger",
      judge({ respondent: ["a", "a", "c", "c"] }, { x: [1, 2, 1, 2] }),
      'respondent "c" has holdout choices but no part-worths',
    ],
    [
      "a part-worth that is no number",
      () =>
        holdoutAccuracy(
          { ...partWorths, values: partWorths.values.map((row) => row.map(() => Number.NaN)) },
          anonymous,
          { x: [1, 2, 1, 2] },
          { random },
        ),
      'part-worth x of respondent "a" must be a finite number, got NaN',
    ],
    [
      "no respondents",
      () => holdoutAccuracy(partWorths, anonymous, { x: [1, 2, 1, 2] }, { random }),
      "holdout choices need the column respondent, got none",
    ],
    ["two chosen", judge({ chosen: [1, 1, 0, 1] }, { x: [1, 2, 1, 2] }), "chosen must be 1 once in set 1"],
    [
      "a negative exponent",
      judge({}, { x: [1, 2, 1, 2] }, -1),
      "exponent must be a number from 0 up, got -1",
    ],
  ])("%s", (_name, act, message) => {
    expect(act).toThrow(message);
  });
});
