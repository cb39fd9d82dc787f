import { describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.js";
import { type Random, randomSource } from "../../src/numeric/random.js";
import { drawNormal } from "../../src/numeric/sampling.js";
import { attributeImportance, posteriorImportance } from "../../src/tradeoff/importance.js";
import {
  categoricalAttribute,
  levelUtilities,
  type PartWorths,
  posteriorLevels,
  summariseLevels,
} from "../../src/tradeoff/part-worths.js";
import { names, partWorths, price, seats } from "./seat-studies.js";

describe("attribute importance", () => {
  it("averages the shares of individuals: opposite tastes do not cancel, and it says so", () => {
    const opposite = {
      names: ["seats 7", "seats 8", "price"],
      respondents: [1, 2],
      values: [Float64Array.of(2, 4, -0.1), Float64Array.of(-2, -4, -0.1)],
    };
    const { attributes, individual, warnings } = attributeImportance(
      levelUtilities(opposite, [seats, price]),
      { random: randomSource(1) },
    );
    expect(attributes.map(({ importance }) => importance)).toEqual([0.8, 0.2]);
    expect(attributes.map(({ ofMeanUtilities }) => ofMeanUtilities)).toEqual([0, 1]);
    expect(individual.map((row) => Array.from(row))).toEqual([
      [0.8, 0.2],
      [0.8, 0.2],
    ]);
    expect(warnings[0]).toBe(
      "mean utilities would give seats 0% instead of 80%: tastes differ, so read the importance of individuals",
    );
  });

  it("has limits that cover the mean of the population as often as they say", () => {
    const random = randomSource(8);
    const draw = () => Float64Array.of(1 + 0.5 * drawNormal(random), 0, -0.1 - 0.02 * random.uniform());
    const sample = (n: number) =>
      levelUtilities(
        {
          names,
          respondents: Array.from({ length: n }, (_, i) => i),
          values: Array.from({ length: n }, draw),
        },
        [seats, price],
      );
    const options = { random: randomSource(1), resamples: 200 };
    const truth = attributeImportance(sample(20_000), { ...options, resamples: 100 }).attributes[0]
      ?.importance;
    let covered = 0;
    for (let study = 0; study < 200; study++) {
      const [seat] = attributeImportance(sample(60), { ...options, random: randomSource(study) }).attributes;
      if (seat && seat.low <= (truth as number) && (truth as number) <= seat.high) covered++;
    }
    // 90% of 200 within three standard errors (0.021 each).
    expect(covered / 200).toBeGreaterThan(0.83);
    expect(covered / 200).toBeLessThan(0.97);
  });

  it("counts weighted respondents as if they were repeated", () => {
    const utilities = levelUtilities(partWorths, [seats, price]);
    const twice = levelUtilities(
      {
        names,
        respondents: ["a", "a2", "b"],
        values: [0, 0, 1].map((who) => partWorths.values[who] as Float64Array),
      },
      [seats, price],
    );
    const [weighted, repeated] = [
      attributeImportance(utilities, { random: randomSource(1), weights: [2, 1] }),
      attributeImportance(twice, { random: randomSource(1) }),
    ].map(({ attributes }) => attributes[0]?.importance as number);
    expect(weighted).toBeCloseTo(repeated as number, 14);
  });
});

const extra = categoricalAttribute("extra", ["no", "yes"]);
const people = Array.from({ length: 60 }, (_, i) => i);
const taste = { "extra yes": { mean: 0.8, sd: 0.8, error: 1 }, price: { mean: -0.1, sd: 0.04, error: 0.05 } };
const trueNames = Object.keys(taste);
const tasteOf = (random: Random): Float64Array =>
  Float64Array.from(Object.values(taste), ({ mean, sd }) => mean + sd * drawNormal(random));

/** A study whose posterior is known: tastes and errors of estimates are normal, their variances known, the means not. */
function knownPosterior(seed: number): PartWorths & { readonly draws: Float64Array } {
  const random = randomSource(seed);
  const about = Object.values(taste);
  const estimates = people.map(() =>
    tasteOf(random).map((value, j) => value + (about[j]?.error as number) * drawNormal(random)),
  );
  const weight = about.map(({ sd, error }) => sd ** 2 / (sd ** 2 + error ** 2));
  const middle = about.map((_, j) => estimates.reduce((sum, own) => sum + (own[j] as number), 0) / 60);
  const pulled = (own: Float64Array, means: readonly number[]): Float64Array =>
    own.map((value, j) => (weight[j] as number) * value + (1 - (weight[j] as number)) * (means[j] as number));
  const draws = Array.from({ length: 200 }, () => {
    const means = about.map(
      ({ sd, error }, j) =>
        (middle[j] as number) + Math.sqrt((sd ** 2 + error ** 2) / 60) * drawNormal(random),
    );
    return estimates.map((own) =>
      pulled(own, means).map(
        (value, j) =>
          value + Math.sqrt(weight[j] as number) * (about[j]?.error as number) * drawNormal(random),
      ),
    );
  });
  return {
    names: trueNames,
    respondents: people,
    values: estimates.map((own) => pulled(own, middle)),
    draws: Float64Array.from(draws.flatMap((rows) => rows.flatMap((row) => Array.from(row)))),
  };
}

describe("from draws", () => {
  const attributes = [extra, price];
  const studies = Array.from({ length: 100 }, (_, seed) => knownPosterior(seed));
  const within = (low: number, high: number, truth: number): number => Number(low <= truth && truth <= high);

  it("limits of importance cover the truth in about 90%, those of point estimates do not", () => {
    const random = randomSource(5);
    const everybody = Array.from({ length: 20_000 }, () => tasteOf(random));
    const truth = attributeImportance(
      levelUtilities({ names: trueNames, respondents: everybody, values: everybody }, attributes),
      { random, resamples: 100 },
    ).attributes[0]?.importance as number;
    const covered = [0, 0];
    for (const [seed, study] of studies.entries()) {
      const options = { random: randomSource(seed), resamples: 100 };
      const [known] = posteriorImportance(study, attributes, options).attributes;
      const [points] = attributeImportance(levelUtilities(study, attributes), options).attributes;
      for (const [i, one] of [known, points].entries())
        covered[i] = (covered[i] as number) + within(one?.low as number, one?.high as number, truth);
    }
    // 90% of 100 within three standard errors (3 each).
    expect(covered[0]).toBeGreaterThanOrEqual(81);
    expect(covered[0]).toBeLessThanOrEqual(99);
    expect(covered[1]).toBeLessThan(60);
  });

  it("limits of mean utilities do too, and spreads are those of the tastes", () => {
    const covered = [0, 0];
    const spreads = [0, 0];
    for (const [seed, study] of studies.entries()) {
      const rows = [
        posteriorLevels(study, attributes, { random: randomSource(seed), level: 0.9 })[1],
        summariseLevels(levelUtilities(study, attributes), { level: 0.9 })[1],
      ];
      for (const [i, one] of rows.entries()) {
        covered[i] = (covered[i] as number) + within(one?.low as number, one?.high as number, 0.8);
        spreads[i] = (spreads[i] as number) + (one?.spread as number) / 100;
      }
    }
    expect(covered[0]).toBeGreaterThanOrEqual(81);
    expect(covered[0]).toBeLessThanOrEqual(99);
    expect(covered[1]).toBeLessThan(75);
    // Of the tastes 0.8; of estimates the root of its share of the variance, 0.64 / 1.64, times that.
    expect(Math.abs((spreads[0] as number) - 0.8)).toBeLessThan(0.03);
    expect(Math.abs((spreads[1] as number) - 0.8 * Math.sqrt(0.64 / 1.64))).toBeLessThan(0.03);
  });

  it("are the point estimates if all draws are", () => {
    const still = {
      ...partWorths,
      draws: Float64Array.from(partWorths.values.flatMap((row) => Array.from(row))),
    };
    const options = { random: randomSource(1), weights: [2, 1] };
    const utilities = levelUtilities(partWorths, [seats, price]);
    expect(posteriorImportance(still, [seats, price], options).individual).toEqual(
      attributeImportance(utilities, options).individual,
    );
    const means = (rows: readonly { readonly utility: number }[]): number[] =>
      rows.map(({ utility }) => utility);
    expect(means(posteriorLevels(still, [seats, price], options))).toEqual(
      means(summariseLevels(utilities, options)),
    );
  });

  it("zero-centred, each draw counts its respondents alike", () => {
    const [study] = studies as [PartWorths];
    const rows = posteriorLevels(study, attributes, { random: randomSource(1), zeroCentred: true });
    expect((rows[0]?.utility as number) + (rows[1]?.utility as number)).toBeCloseTo(0, 10);
    expect(rows[1]?.utility).toBeGreaterThan(0);
  });

  it("names what is missing", () => {
    const random = randomSource(1);
    const message = "part-worths must have draws, as those of hierarchical Bayes, got point estimates only";
    expect(() => posteriorImportance(partWorths, [seats, price], { random })).toThrow(message);
    expect(() => posteriorLevels(partWorths, [seats, price], { random })).toThrow(message);
  });

  it("warns of limits from few draws", () => {
    const drawn = (count: number): PartWorths => ({
      ...partWorths,
      draws: Float64Array.from(
        { length: 6 * count },
        (_, at) => partWorths.values[Math.floor(at / 3) % 2]?.[at % 3] as number,
      ),
    });
    const warningsOf = (count: number): readonly string[] =>
      posteriorImportance(drawn(count), [seats, price], { random: randomSource(1) }).warnings;
    const warning = "limits are of 99 draws only: have 100 or more kept";
    expect(warningsOf(99)).toContain(warning);
    expect(warningsOf(100)).toEqual(warningsOf(99).filter((text) => text !== warning));
  });

  it("refuses draws of another size, or that are no numbers", () => {
    const random = randomSource(1);
    const short = { ...partWorths, draws: new Float64Array(11).fill(1) };
    const gap = { ...partWorths, draws: new Float64Array(12).fill(1).fill(Number.NaN, -1) };
    for (const read of [posteriorImportance, posteriorLevels]) {
      expect(() => read(short, [seats, price], { random })).toThrow(
        new DataError("draws must be a multiple of 2 respondents x 3 part-worths, got 11"),
      );
      expect(() => read(gap, [seats, price], { random })).toThrow(
        new DataError('draw 2 of part-worth price of respondent "b" must be a finite number, got NaN'),
      );
    }
  });
});
