import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomSource } from "../../src/numeric/random.js";
import { attributeImportance, pooledImportance } from "../../src/tradeoff/importance.js";
import {
  categoricalAttribute,
  levelUtilities,
  linearAttribute,
  pooledLevels,
  pooledPartWorths,
  resampledMeans,
  respondentWeights,
  summariseLevels,
  zeroCentredDifferences,
} from "../../src/tradeoff/part-worths.js";
import { names, partWorths, price, seats } from "./seat-studies.js";

describe("level utilities", () => {
  it("are coefficients times codes, 0 for the reference of dummies", () => {
    const { values, attributes } = levelUtilities(partWorths, [seats, price]);
    expect(attributes.map(({ levels }) => levels)).toEqual([
      ["6", "7", "8"],
      ["30", "35", "40"],
    ]);
    expect(Array.from(values[0] as Float64Array)).toEqual([0, -1, 2, -6, -7, -8]);
  });

  it("are minus the sum for the reference of effects", () => {
    const effects = categoricalAttribute("seats", ["6", "7", "8"], { coding: "effects", reference: "8" });
    const { values } = levelUtilities(
      { names: ["seats 6", "seats 7"], respondents: [1], values: [Float64Array.of(0.3, 0.5)] },
      [effects],
    );
    expect(values[0]?.[2]).toBeCloseTo(-0.8, 15);
  });

  it("keep the amounts of numeric levels, for prices as part-worths", () => {
    const levels = categoricalAttribute("price", [30, 35]).levels.map(({ level, value }) => [level, value]);
    expect(levels).toEqual([
      ["30", 30],
      ["35", 35],
    ]);
  });
});

describe("zero-centred differences", () => {
  it("follow the published rule by hand", () => {
    const { values } = zeroCentredDifferences(levelUtilities(partWorths, [seats, price]));
    // Ranges 3 and 2: m = 100 x 2 / 5 = 40; means 1/3 and -7.
    const expected = [-1 / 3, -4 / 3, 5 / 3, 1, 0, -1].map((value) => 40 * value);
    for (const [place, value] of expected.entries()) expect(values[0]?.[place]).toBeCloseTo(value, 12);
  });

  it("have mean 0 within attributes and mean range 100, whatever the scale and origin of utilities", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 3, maxLength: 3 }),
        fc.double({ min: 0.01, max: 50, noNaN: true }),
        (row, scale) => {
          fc.pre(Math.max(...row.map(Math.abs)) > 1e-3);
          const of = (factor: number) =>
            zeroCentredDifferences(
              levelUtilities(
                { names, respondents: [1], values: [Float64Array.from(row, (value) => factor * value)] },
                [seats, price],
              ),
            ).values[0] as Float64Array;
          const own = of(1);
          const parts = [own.subarray(0, 3), own.subarray(3)];
          let ranges = 0;
          for (const part of parts) {
            expect(part.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 9);
            ranges += Math.max(...part) - Math.min(...part);
          }
          expect(ranges / 2).toBeCloseTo(100, 9);
          for (const [place, value] of of(scale).entries())
            expect(value).toBeCloseTo(own[place] as number, 7);
        },
      ),
      { seed: 5, numRuns: 200 },
    );
  });

  it("name who likes everything alike", () => {
    const flat = { ...partWorths, values: [Float64Array.of(1, 0, 0), new Float64Array(3)] };
    expect(() => zeroCentredDifferences(levelUtilities(flat, [seats, price]))).toThrow(
      'respondent "b" must like some level more than another, but all utilities are equal',
    );
  });
});

describe("summaries of levels", () => {
  it("are mean, standard error and spread of respondents", () => {
    const [, seven] = summariseLevels(levelUtilities(partWorths, [seats]));
    // -1 and 3: mean 1, standard deviation sqrt 8, error sqrt(8 / 2).
    expect(seven?.utility).toBe(1);
    expect(seven?.spread).toBeCloseTo(Math.sqrt(8), 14);
    expect(seven?.standardError).toBeCloseTo(2, 14);
    expect(seven?.high).toBeCloseTo(1 + 1.959963985 * 2, 8);
  });

  it("come from the covariance for a pooled fit: also for the reference of effects", () => {
    const effects = categoricalAttribute("seats", ["6", "7", "8"], { coding: "effects" });
    const covariance = [
      [0.04, 0.01],
      [0.01, 0.09],
    ];
    const levels = pooledLevels({ coefficients: { "seats 7": 0.5, "seats 8": -0.2 }, covariance }, [effects]);
    expect(levels.map(({ utility }) => utility)).toEqual([-0.3, 0.5, -0.2]);
    // Var(-a - b) = 0.04 + 0.09 + 2 x 0.01.
    expect(levels[0]?.standardError).toBeCloseTo(Math.sqrt(0.15), 14);
    expect(levels[1]?.standardError).toBeCloseTo(0.2, 14);
  });

  it("agree with draws of the pooled coefficients, which have their covariance", () => {
    const fit = {
      coefficients: { "seats 7": 0.5, "seats 8": -0.2, price: -0.1 },
      covariance: [
        [0.04, 0.01, 0],
        [0.01, 0.09, 0.002],
        [0, 0.002, 0.0004],
      ],
    };
    const { draws } = pooledPartWorths(fit, { random: randomSource(2), draws: 20_000 });
    const column = (k: number) =>
      Float64Array.from({ length: 20_000 }, (_, draw) => draws[3 * draw + k] as number);
    const [eight, money] = [column(1), column(2)];
    const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const [center, cheap] = [mean(eight), mean(money)];
    expect(Math.abs(center + 0.2)).toBeLessThan(3 * Math.sqrt(0.09 / 20_000));
    const joint = mean(eight.map((value, draw) => (value - center) * ((money[draw] as number) - cheap)));
    // Standard error of a covariance: sqrt((s11 s22 + s12^2) / n).
    expect(Math.abs(joint - 0.002)).toBeLessThan(3 * Math.sqrt((0.09 * 0.0004 + 0.002 ** 2) / 20_000));
    const pooled = pooledImportance(fit, [seats, price], { random: randomSource(2) });
    // Ranges 0.7 and 1.
    expect(pooled.attributes[0]?.importance).toBeCloseTo(0.7 / 1.7, 14);
    expect(pooled.attributes[0]?.low).toBeLessThan(0.7 / 1.7);
    expect(pooled.warnings[0]).toContain("importance from pooled part-worths: opposite tastes cancel");
  });
});

describe("resampled means", () => {
  it("have the bootstrap's standard error and are the same for a seed", () => {
    const rows = Array.from({ length: 50 }, (_, i) => Float64Array.of(i, -i));
    const weights = respondentWeights(undefined, 50);
    const { means, samples } = resampledMeans(rows, weights, { random: randomSource(4), resamples: 4000 });
    expect(Array.from(means)).toEqual([24.5, -24.5]);
    const error = Math.sqrt((50 ** 2 - 1) / 12 / 50);
    const [one, other] = samples as [Float64Array, Float64Array];
    const spread = Math.sqrt(one.reduce((sum, value) => sum + (value - 24.5) ** 2, 0) / 4000);
    // Relative error of a standard deviation from 4,000 draws: 1 / sqrt(8,000) = 1.1%.
    expect(Math.abs(spread / error - 1)).toBeLessThan(0.034);
    expect(Array.from(other)).toEqual(Array.from(one, (value) => -value));
    const again = resampledMeans(rows, weights, { random: randomSource(4), resamples: 4000 });
    expect(again.samples).toEqual(samples);
  });
});

describe("what cannot be used", () => {
  const utilities = levelUtilities(partWorths, [seats, price]);
  const one = levelUtilities({ ...partWorths, respondents: [1], values: [Float64Array.of(1, 2, 3)] }, [
    seats,
  ]);
  const random = randomSource(1);
  const twoOfThree = {
    coefficients: { a: 1, b: 1 },
    covariance: [
      [1, 1],
      [1, 1],
    ],
  };
  it.each<[string, () => unknown, string]>([
    [
      "one level",
      () => categoricalAttribute("seats", ["6"]),
      "levels of seats must be at least two different ones, got 6",
    ],
    [
      "a level twice",
      () => categoricalAttribute("seats", ["6", 6]),
      "levels of seats must be at least two different ones, got 6, 6",
    ],
    [
      "an unknown reference",
      () => categoricalAttribute("seats", ["6", "7"], { reference: "5" }),
      'reference of seats must be one of 6, 7, got "5"',
    ],
    [
      "an unknown coding",
      () => categoricalAttribute("seats", ["6", "7"], { coding: "effect" as "effects" }),
      "coding must be one of dummy, effects, got effect",
    ],
    [
      "falling amounts",
      () => linearAttribute("price", [3, 2]),
      "values of price must be at least two that rise, got 3, 2",
    ],
    [
      "a missing column",
      () => levelUtilities({ ...partWorths, names: ["seats 7", "x", "price"] }, [seats]),
      'attribute seats: column "seats 8" must be one of the part-worths, got seats 7, x, price',
    ],
    ["no attributes", () => levelUtilities(partWorths, []), "attributes must be at least one, got none"],
    [
      "an attribute twice",
      () => levelUtilities(partWorths, [seats, price, seats]),
      'attributes must have different names, got "seats" twice',
    ],
    [
      "a name twice",
      () => levelUtilities({ ...partWorths, names: ["seats 7", "price", "price"] }, [price]),
      'part-worths must have different names, got "price" twice',
    ],
    [
      "too few rows",
      () => levelUtilities({ ...partWorths, values: partWorths.values.slice(1) }, [price]),
      "part-worths must have one row for each of the 2 respondents, got 1",
    ],
    [
      "an infinite part-worth",
      () =>
        levelUtilities({ ...partWorths, values: partWorths.values.map((row) => row.map(() => Infinity)) }, [
          price,
        ]),
      'part-worth seats 7 of respondent "a" must be a finite number, got Infinity',
    ],
    [
      "one respondent",
      () => attributeImportance(one, { random }),
      "importance with limits needs at least two respondents, got 1",
    ],
    ["a mean of one", () => summariseLevels(one), "a mean with limits needs at least two respondents, got 1"],
    [
      "short weights",
      () => attributeImportance(utilities, { random, weights: [1] }),
      "weights must be one for each of the 2 respondents, got 1",
    ],
    [
      "negative weights",
      () => summariseLevels(utilities, { weights: [1, -1] }),
      "weights: number 2 must be a number from 0 up, got -1",
    ],
    [
      "weights as text",
      () => summariseLevels(utilities, { weights: [1, "2" as unknown as number] }),
      'weights: number 2 must be a number from 0 up, got "2"',
    ],
    ["weights of 0", () => summariseLevels(utilities, { weights: [0, 0] }), "weights must not all be 0"],
    [
      "a level of 90",
      () => summariseLevels(utilities, { level: 90 }),
      "level must be between 0 and 1, got 90",
    ],
    [
      "few resamples",
      () => attributeImportance(utilities, { random, resamples: 10 }),
      "resamples must be a whole number from 100 up, got 10",
    ],
    [
      "a singular covariance",
      () => pooledPartWorths(twoOfThree, { random }),
      "covariance of the coefficients must be positive definite, but it is not",
    ],
    [
      "no draws",
      () => pooledPartWorths(twoOfThree, { random, draws: 0 }),
      "draws must be a whole number from 1 up, got 0",
    ],
  ])("%s", (_name, act, message) => {
    expect(act).toThrow(message);
  });
});
