import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomSource } from "../../src/numeric/random.js";
import { drawNormal } from "../../src/numeric/sampling.js";
import { marketOf } from "../../src/tradeoff/market.js";
import { categoricalAttribute, levelUtilities, linearAttribute } from "../../src/tradeoff/part-worths.js";
import { fitRatingsConjoint, type RatingRows } from "../../src/tradeoff/ratings-conjoint.js";

const size = categoricalAttribute("size", ["small", "middle", "large"], {
  coding: "effects",
  reference: "large",
});
const price = linearAttribute("price", [1, 2, 3, 4]);
const attributes = [size, price];

/** All twelve profiles, once for each respondent. */
const profiles = price.levels.flatMap(({ value }) =>
  size.levels.map(({ level }) => ({
    name: `${level} ${value}`,
    levels: { size: level, price: value as number },
  })),
);
const columns = marketOf(attributes, profiles).attributes;
const repeat = (times: number) =>
  Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [
      name,
      Array.from({ length: times }, () => Array.from(column)).flat(),
    ]),
  );

/** Ratings from known coefficients (intercept, small, middle, price) and normal noise. */
function rated(truth: readonly (readonly number[])[], noise: number, seed = 1): RatingRows {
  const random = randomSource(seed);
  const [small, middle, money] = ["size small", "size middle", "price"].map(
    (name) => columns[name] as Float64Array,
  );
  return {
    respondent: truth.flatMap((_, who) => profiles.map(() => who + 1)),
    rating: truth.flatMap(([a = 0, b = 0, c = 0, d = 0]) =>
      profiles.map(
        (_, row) =>
          a +
          b * (small?.[row] as number) +
          c * (middle?.[row] as number) +
          d * (money?.[row] as number) +
          noise * drawNormal(random),
      ),
    ),
  };
}

describe("ratings conjoint", () => {
  it("returns the part-worths of ratings without noise, each respondent's own", () => {
    const truth = [
      [5, -1, 0.5, -0.7],
      [3, 2, -1, 0.1],
    ];
    const { partWorths, respondents, pooled } = fitRatingsConjoint(rated(truth, 0), repeat(2));
    expect(partWorths.names).toEqual(["intercept", "size small", "size middle", "price"]);
    for (const [who, own] of truth.entries())
      for (const [k, value] of own.entries()) expect(partWorths.values[who]?.[k]).toBeCloseTo(value, 12);
    expect(respondents.map(({ r2 }) => r2)).toEqual([expect.closeTo(1, 12), expect.closeTo(1, 12)]);
    expect(pooled.coefficients["size small"]).toBeCloseTo(0.5, 12);
    expect(levelUtilities(partWorths, [size]).values[0]?.[2]).toBeCloseTo(0.5, 12);
  });

  it("is the least-squares line by hand, with its errors and p values", () => {
    // 1, 2, 2, 4 at 1, 2, 3, 4: slope 0.9, intercept 0, residuals .1 .2 -.7 .4: sum of squares 0.7.
    const fit = fitRatingsConjoint({ respondent: [1, 1, 1, 1], rating: [1, 2, 2, 4] }, { x: [1, 2, 3, 4] });
    expect(fit.pooled.coefficients["x"]).toBeCloseTo(0.9, 14);
    expect(fit.pooled.coefficients["intercept"]).toBeCloseTo(0, 14);
    expect(fit.pooled.standardErrors["x"]).toBeCloseTo(Math.sqrt(0.35 / 5), 14);
    expect(fit.pooled.r2).toBeCloseTo(1 - 0.7 / 4.75, 14);
    expect(fit.pooled.adjustedR2).toBeCloseTo(1 - 0.35 / (4.75 / 3), 14);
    // Student with 2 degrees of freedom in closed form: p = 1 - t / sqrt(2 + t^2).
    const t = 0.9 / Math.sqrt(0.07);
    expect(fit.pooled.p["x"]).toBeCloseTo(1 - t / Math.sqrt(2 + t * t), 13);
    expect(fit.respondents[0]?.residualStandardError).toBeCloseTo(Math.sqrt(0.35), 14);
  });

  it("has pooled errors that hold what they promise: 90% intervals over 400 studies cover 86% to 94%", () => {
    let covered = 0;
    for (let seed = 1; seed <= 400; seed++) {
      const { pooled } = fitRatingsConjoint(rated([[5, -1, 0.5, -0.7]], 1, seed), columns);
      // t quantile of 8 degrees of freedom: 1.8595.
      const off =
        ((pooled.coefficients["price"] as number) + 0.7) / (pooled.standardErrors["price"] as number);
      if (Math.abs(off) < 1.8595) covered++;
    }
    expect(covered / 400).toBeGreaterThan(0.855);
    expect(covered / 400).toBeLessThan(0.945);
  });

  it("turns ranks round: the best of n counts n", () => {
    const order = [3, 1, 2, 5, 4, 6, 9, 8, 7, 12, 11, 10];
    const ranks = fitRatingsConjoint({ respondent: order.map(() => "a"), rating: order }, columns, {
      scale: "rank",
    });
    const scores = fitRatingsConjoint(
      { respondent: order.map(() => "a"), rating: order.map((rank) => 13 - rank) },
      columns,
    );
    expect(ranks.partWorths.values).toEqual(scores.partWorths.values);
    expect(ranks.pooled.coefficients["price"]).toBeLessThan(0);
  });

  it("leaves out respondents who cannot be estimated, by name and reason", () => {
    const few = {
      respondent: [
        "few",
        "few",
        "flat",
        ...Array.from({ length: 11 }, () => "flat"),
        ...profiles.map(() => "good"),
      ],
      rating: [
        5,
        6,
        ...Array.from({ length: 12 }, () => 7),
        ...(rated([[5, -1, 0.5, -0.7]], 0.5).rating as number[]),
      ],
    };
    const pick = Object.fromEntries(
      Object.entries(columns).map(([name, column]) => [
        name,
        [column[0] as number, column[1] as number, ...Array.from(column), ...Array.from(column)],
      ]),
    );
    const fit = fitRatingsConjoint(few, pick);
    expect(fit.leftOut).toEqual([
      { respondent: "few", reason: "2 profiles are too few for 4 coefficients" },
      { respondent: "flat", reason: "all profiles are rated alike" },
    ]);
    expect(fit.partWorths.respondents).toEqual(["good"]);
    expect(fit.observations).toBe(26);
    expect(fit.warnings).toEqual(["2 of 3 respondents have no part-worths: see leftOut"]);
  });
});

describe("monotone part-worths", () => {
  const order = [{ attribute: size, order: "rising" as const }];
  const utilitiesOf = (rating: readonly number[], options = {}) =>
    fitRatingsConjoint({ respondent: rating.map(() => 1), rating }, columns, options);

  it("are untouched where the order holds already", () => {
    const rating = rated([[5, -1, 0.2, -0.7]], 0.1).rating as number[];
    const [free, bound] = [utilitiesOf(rating), utilitiesOf(rating, { monotone: order })];
    expect(bound.partWorths.values).toEqual(free.partWorths.values);
    expect(bound.respondents[0]?.constrained).toBe(false);
    expect(bound.warnings).toEqual([]);
  });

  it("are the isotonic regression of level means in a balanced design", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 10, noNaN: true }), { minLength: 12, maxLength: 12 }),
        (rating) => {
          fc.pre(Math.max(...rating) - Math.min(...rating) > 1e-6);
          const fit = utilitiesOf(rating, { monotone: order });
          const all = rating.reduce((sum, value) => sum + value, 0) / 12;
          const means = [0, 1, 2].map(
            (level) => [0, 1, 2, 3].reduce((sum, k) => sum + (rating[3 * k + level] as number), 0) / 4 - all,
          );
          const own = levelUtilities(fit.partWorths, [size]).values[0] as Float64Array;
          for (const [level, value] of pooled(means).entries()) expect(own[level]).toBeCloseTo(value, 9);
        },
      ),
      { seed: 3, numRuns: 300 },
    );
  });

  it("are optimal: no feasible point nearby has a smaller error", () => {
    const rating = [9, 7, 8, 4, 6, 3, 5, 2, 4, 6, 1, 1];
    const both = [...order, { attribute: price, order: "rising" as const }];
    const fit = utilitiesOf(rating, { monotone: both });
    const best = fit.partWorths.values[0] as Float64Array;
    const x = profiles.map((_, row) => [
      1,
      ...["size small", "size middle", "price"].map((name) => columns[name]?.[row] as number),
    ]);
    const error = (beta: ArrayLike<number>) =>
      x.reduce(
        (sum, own, row) =>
          sum +
          ((rating[row] as number) - own.reduce((fit2, value, k) => fit2 + value * (beta[k] as number), 0)) **
            2,
        0,
      );
    const feasible = ([, small, middle, money]: readonly number[]) => {
      const large = -(small as number) - (middle as number);
      return (
        (middle as number) >= (small as number) - 1e-12 &&
        large >= (middle as number) - 1e-12 &&
        (money as number) >= -1e-12
      );
    };
    expect(feasible(Array.from(best))).toBe(true);
    expect(best[3]).toBeCloseTo(0, 12);
    const random = randomSource(6);
    let tried = 0;
    while (tried < 500) {
      const other = Array.from(best, (value) => value + 0.1 * drawNormal(random));
      if (other[3] !== undefined && other[3] < 0) other[3] = 0;
      if (!feasible(other)) continue;
      tried++;
      expect(error(other)).toBeGreaterThanOrEqual(error(best) - 1e-9);
    }
    expect(fit.respondents[0]?.constrained).toBe(true);
    expect(fit.warnings).toEqual(["1 of 1 respondents had an order imposed on their part-worths"]);
  });
});

/** Pool adjacent violators, equal weights. */
function pooled(means: readonly number[]): number[] {
  const blocks: { sum: number; count: number }[] = [];
  for (const mean of means) {
    blocks.push({ sum: mean, count: 1 });
    for (;;) {
      const [last, before] = [blocks.at(-1), blocks.at(-2)];
      if (!last || !before || before.sum / before.count <= last.sum / last.count) break;
      blocks.splice(-2, 2, { sum: before.sum + last.sum, count: before.count + last.count });
    }
  }
  return blocks.flatMap(({ sum, count }) => Array.from({ length: count }, () => sum / count));
}

describe("ratings that cannot be used", () => {
  const good = rated([[5, -1, 0.5, -0.7]], 0.5);
  const ranks = Array.from({ length: 12 }, (_, row) => row + 1);
  it.each<[string, () => unknown, string]>([
    [
      "no rows",
      () => fitRatingsConjoint({ respondent: [], rating: [] }, {}),
      "ratings must have at least one row, got none",
    ],
    [
      "a short column",
      () => fitRatingsConjoint(good, { x: [1] }),
      "x must have one value for each of the 12 rows, got 1",
    ],
    [
      "text",
      () => fitRatingsConjoint({ ...good, rating: ["9" as unknown as number, ...ranks.slice(1)] }, columns),
      'rating in row 1 must be a finite number, got "9"',
    ],
    [
      "a torn respondent",
      () => fitRatingsConjoint({ respondent: [1, 2, 1], rating: [1, 2, 3] }, { x: [1, 2, 3] }),
      "rows of respondent 1 must stand together, but it comes again in row 3",
    ],
    [
      "another scale",
      () => fitRatingsConjoint(good, columns, { scale: "ranks" as "rank" }),
      "scale must be one of rating, rank, got ranks",
    ],
    [
      "another order",
      () =>
        fitRatingsConjoint(good, columns, {
          monotone: [{ attribute: linearAttribute("price", [1, 2]), order: "up" as "rising" }],
        }),
      "order of price must be one of rising, falling, got up",
    ],
    [
      "a rank twice",
      () =>
        fitRatingsConjoint({ respondent: ranks.map(() => 1), rating: [1, ...ranks.slice(0, -1)] }, columns, {
          scale: "rank",
        }),
      "rating in row 2 must be a rank from 1 to 12 that the respondent gives once, got 1",
    ],
    [
      "collinear columns",
      () =>
        fitRatingsConjoint(good, {
          ...columns,
          again: Array.from(columns["price"] as Float64Array, (value) => 2 * value + 1),
        }),
      'column "again" must not be a linear combination of intercept, size small, size middle, price',
    ],
    [
      "as many coefficients as ratings",
      () => fitRatingsConjoint({ respondent: [1, 1], rating: [1, 2] }, { x: [1, 2] }),
      "ratings must be more than the 2 coefficients, got 2",
    ],
    [
      "nobody with enough",
      () => fitRatingsConjoint({ respondent: [1, 2, 3], rating: [1, 2, 2] }, { x: [1, 2, 3] }),
      "no respondent can be estimated alone; the first, 1: 1 profiles are too few for 2 coefficients",
    ],
    [
      "an order of unknown columns",
      () =>
        fitRatingsConjoint(good, columns, {
          monotone: [{ attribute: linearAttribute("size", [1, 2]), order: "rising" }],
        }),
      'monotone attribute size: column "size" must be one of the part-worths',
    ],
  ])("%s", (_name, act, message) => {
    expect(act).toThrow(message);
  });
});
