import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError, gini, lorenzCurve, revenueDeciles, topShare, topShareInterval } from "../../src/index.js";
import { randomSource } from "../../src/numeric/random.js";

const revenues = fc
  .array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 50 })
  .filter((all) => all.some((one) => one > 0));
const runs = { seed: 3, numRuns: 200 };

/** The middles of n equal slices of a Pareto distribution. */
const pareto = (alpha: number, n: number): number[] =>
  Array.from({ length: n }, (_, i) => (1 - (i + 0.5) / n) ** (-1 / alpha));

describe("gini", () => {
  it("is known for small cases", () => {
    expect(gini([7, 7, 7])).toBe(0);
    expect(gini([1, 2, 3, 4, 5])).toBeCloseTo(4 / 15, 14); // sum of |a - b| / (2 n² mean) = 40 / 150
    expect(gini([0, 0, 0, 1])).toBeCloseTo(0.75, 14); // 1 - 1/n: the population form
    expect(gini([42])).toBe(0);
  });

  it("recovers the Pareto distribution: Gini = 1 / (2 alpha - 1), top share = fraction^(1 - 1/alpha)", () => {
    const drawn = pareto(3, 20_000);
    expect(gini(drawn)).toBeCloseTo(1 / 5, 3);
    expect(topShare(drawn, 0.2)).toBeCloseTo(0.2 ** (2 / 3), 3);
  });

  it("does not change with currency or order, and lies in [0, 1)", () => {
    fc.assert(
      fc.property(revenues, fc.integer({ min: 1, max: 1000 }), (all, rate) => {
        const value = gini(all);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThan(1);
        expect(gini(all.map((one) => one * rate))).toBeCloseTo(value, 12);
        expect(gini([...all].reverse())).toBeCloseTo(value, 12);
      }),
      runs,
    );
  });

  it("takes weights as repetition", () => {
    const weighted = fc.array(
      fc.record({ value: fc.integer({ min: 1, max: 99 }), times: fc.integer({ min: 0, max: 4 }) }),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(
        weighted.filter((all) => all.some(({ times }) => times > 0)),
        (all) => {
          const repeated = all.flatMap(({ value, times }) => Array.from({ length: times }, () => value));
          const weights = all.map(({ times }) => times);
          const values = all.map(({ value }) => value);
          expect(gini(values, { weights })).toBeCloseTo(gini(repeated), 12);
          expect(topShare(values, 0.3, { weights })).toBeCloseTo(topShare(repeated, 0.3), 12);
        },
      ),
      runs,
    );
  });

  it("handles negative revenue by the named rule and leaves its input alone", () => {
    const values = Object.freeze([3, -1, 1]);
    expect(() => gini(values)).toThrow(
      new DataError(
        'revenue of customer 2 must be at least 0, got -1; negative: "zero" counts such customers as 0, ' +
          'negative: "drop" leaves them out',
      ),
    );
    expect(gini(values, { negative: "zero" })).toBeCloseTo(gini([3, 0, 1]), 14);
    expect(gini(values, { negative: "drop" })).toBeCloseTo(gini([3, 1]), 14);
  });

  it("rejects what has no concentration", () => {
    expect(() => gini([])).toThrow(
      "revenue must be above 0 for at least one customer, got 0 customers without",
    );
    expect(() => gini([0, 0])).toThrow("got 2 customers without");
    expect(() => gini([1, Number.NaN])).toThrow("revenue of customer 2 must be a number, got NaN");
    expect(() => gini([1, 2], { weights: [1] })).toThrow("weights: 2 are needed, one a revenue, got 1");
    expect(() => gini([1, 2], { weights: [1, -1] })).toThrow(
      "weight of customer 2 must be a number of at least 0, got -1",
    );
  });
});

describe("lorenzCurve", () => {
  it("runs from (0, 0) to (1, 1)", () => {
    expect(lorenzCurve([3, 1])).toEqual({ customerShare: [0, 0.5, 1], revenueShare: [0, 0.25, 1] });
  });

  it("never lies above the diagonal and bends upwards only", () => {
    fc.assert(
      fc.property(revenues, (all) => {
        const { customerShare: x, revenueShare: y } = lorenzCurve(all);
        const rises = y.slice(1).map((value, i) => value - (y[i] ?? 0));
        for (const [i, share] of y.entries()) expect(share).toBeLessThanOrEqual((x[i] ?? 0) + 1e-12);
        for (const [i, rise] of rises.slice(1).entries())
          expect(rise).toBeGreaterThanOrEqual((rises[i] ?? 0) - 1e-12);
        expect(y[y.length - 1]).toBe(1);
      }),
      runs,
    );
  });
});

describe("revenueDeciles", () => {
  it("adds up to all customers and all revenue, best first", () => {
    const deciles = revenueDeciles([5, 1, 4, 2, 3, 9, 7], { groups: 3 });
    expect(deciles.array("customers")).toEqual([2, 2, 3]);
    expect(deciles.array("revenue")).toEqual([16, 9, 6]);
    expect(deciles.get("cumulative_share", 2)).toBe(1);
    expect(() => revenueDeciles([1, 2])).toThrow(
      new RangeError("groups must be a whole number from 1 to 2 (the customers), got 10"),
    );
  });
});

describe("topShare", () => {
  it("interpolates between customers and knows the ends", () => {
    expect(topShare([1, 3], 0.5)).toBe(0.75);
    expect(topShare([1, 3], 0.25)).toBe(0.375);
    expect(topShare([1, 3], 0)).toBe(0);
    expect(topShare([1, 3], 1)).toBe(1);
    expect(() => topShare([1], 20)).toThrow(new RangeError("fraction must be between 0 and 1, got 20"));
  });
});

describe("topShareInterval", () => {
  const sample = pareto(2.5, 400);

  it("is the same for the same seed and holds the estimate", () => {
    const draw = (): object => topShareInterval(sample, 0.2, { random: randomSource(7), resamples: 200 });
    expect(draw()).toEqual(draw());
    const { estimate, low, high } = topShareInterval(sample, 0.2, {
      random: randomSource(7),
      resamples: 200,
    });
    expect(low).toBeLessThan(estimate);
    expect(high).toBeGreaterThan(estimate);
    expect(estimate).toBe(topShare(sample, 0.2));
  });

  it("narrows with more customers and widens with the level", () => {
    const width = (n: number, level: number): number => {
      const { low, high } = topShareInterval(pareto(2.5, n), 0.2, {
        random: randomSource(7),
        resamples: 300,
        level,
      });
      return high - low;
    };
    expect(width(3200, 0.9)).toBeLessThan(width(200, 0.9));
    expect(width(400, 0.99)).toBeGreaterThan(width(400, 0.5));
  });

  it("rejects too few resamples and an impossible level", () => {
    const random = randomSource(1);
    expect(() => topShareInterval(sample, 0.2, { random, resamples: 5 })).toThrow(
      "resamples must be a whole number from 20 up, got 5",
    );
    expect(() => topShareInterval(sample, 0.2, { random, level: 90 })).toThrow(
      "level must be between 0 and 1, got 90",
    );
  });
});
