import { describe, expect, it } from "vitest";
import { type Random, randomSource } from "../../src/numeric/random.js";
import {
  drawBernoulli,
  drawBeta,
  drawBinomial,
  drawExponential,
  drawGamma,
  drawInteger,
  drawItem,
  drawMultinomial,
  drawNormal,
  drawPoisson,
  drawRounded,
  drawWeighted,
} from "../../src/numeric/sampling.js";
import { regularisedBeta, regularisedGamma } from "../../src/numeric/special.js";

const n = 100_000;
const sample = (draw: (random: Random) => number, seed = 11): Float64Array => {
  const random = randomSource(seed);
  return Float64Array.from({ length: n }, () => draw(random));
};

/** Moments with their standard errors, the variance's from the fourth moment. */
function moments(values: Float64Array) {
  const mean = values.reduce((sum, x) => sum + x, 0) / n;
  const power = (k: number): number => values.reduce((sum, x) => sum + (x - mean) ** k, 0) / n;
  const variance = power(2);
  return {
    mean,
    meanError: Math.sqrt(variance / n),
    variance,
    varianceError: Math.sqrt((power(4) - variance ** 2) / n),
  };
}

/** Largest gap between the empirical distribution and a distribution function, times sqrt(n): Kolmogorov's statistic. */
function kolmogorov(values: Float64Array, cdf: (x: number) => number): number {
  const sorted = values.slice().sort();
  let gap = 0;
  for (let i = 0; i < n; i++) {
    const f = cdf(sorted[i] as number);
    gap = Math.max(gap, f - i / n, (i + 1) / n - f);
  }
  return gap * Math.sqrt(n);
}

describe("moments within four standard errors of the truth", () => {
  it.each([
    ["normal", drawNormal, 0, 1],
    ["exponential, rate 4", (r: Random) => drawExponential(r, 4), 1 / 4, 1 / 16],
    ["gamma(0.3, 2)", (r: Random) => drawGamma(r, 0.3, 2), 0.15, 0.075],
    ["gamma(1, 0.5)", (r: Random) => drawGamma(r, 1, 0.5), 2, 4],
    ["gamma(6, 3)", (r: Random) => drawGamma(r, 6, 3), 2, 2 / 3],
    ["gamma(150, 10)", (r: Random) => drawGamma(r, 150, 10), 15, 1.5],
    ["poisson(1.1)", (r: Random) => drawPoisson(r, 1.1), 1.1, 1.1],
    ["poisson(80)", (r: Random) => drawPoisson(r, 80), 80, 80],
    ["bernoulli(0.03)", (r: Random) => Number(drawBernoulli(r, 0.03)), 0.03, 0.0291],
    ["integer 3..8", (r: Random) => drawInteger(r, 3, 8), 5.5, 35 / 12],
    ["rounded 2.3", (r: Random) => drawRounded(r, 2.3), 2.3, 0.21],
    ["weighted 1:0:3", (r: Random) => drawWeighted(r, [1, 0, 3]), 1.5, 0.75],
  ])("%s", (_name, draw, mean, variance) => {
    const found = moments(sample(draw));
    expect(Math.abs(found.mean - mean) / found.meanError).toBeLessThan(4);
    expect(Math.abs(found.variance - variance) / found.varianceError).toBeLessThan(4);
    expect(found.meanError).toBeGreaterThan(0);
  });
});

describe("whole distributions, Kolmogorov's statistic below its 0.9999 quantile 2.23", () => {
  it("exponential", () => {
    const values = sample((r) => drawExponential(r, 2));
    expect(kolmogorov(values, (x) => 1 - Math.exp(-2 * x))).toBeLessThan(2.23);
    expect(kolmogorov(values, (x) => 1 - Math.exp(-2.05 * x))).toBeGreaterThan(2.23); // the test can fail
  });

  it("gamma with shape 1/2 is half a squared normal, with shape 3 an Erlang", () => {
    const half = sample((r) => drawGamma(r, 0.5, 1));
    const squares = sample((r) => drawNormal(r) ** 2 / 2, 12).sort();
    const rankOf = (x: number): number => {
      let low = 0;
      let high = n;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((squares[middle] as number) < x) low = middle + 1;
        else high = middle;
      }
      return low / n;
    };
    expect(kolmogorov(half, rankOf)).toBeLessThan(2.23 * Math.SQRT2); // two samples
    const erlang = sample((r) => drawGamma(r, 3, 1));
    expect(kolmogorov(erlang, (x) => 1 - Math.exp(-x) * (1 + x + (x * x) / 2))).toBeLessThan(2.23);
  });
});

/**
 * Probability of a larger chi-square of the sample's counts between the cuts than the one found. Cells that expect fewer
 * than ten are joined with the next.
 */
function chiSquareTail(values: Float64Array, cuts: readonly number[], cdf: (x: number) => number): number {
  const sorted = values.slice().sort();
  let statistic = 0;
  let cells = 0;
  let from = 0; // observed below the cell
  let expectedFrom = 0;
  let below = 0;
  for (const cut of [...cuts, Number.POSITIVE_INFINITY]) {
    while (below < n && (sorted[below] as number) <= cut) below++;
    const isLast = cut === Number.POSITIVE_INFINITY;
    const upTo = isLast ? 1 : cdf(cut);
    const expected = n * (upTo - expectedFrom);
    if (!isLast && (expected < 10 || n * (1 - upTo) < 10)) continue;
    statistic += (below - from - expected) ** 2 / expected;
    cells++;
    [from, expectedFrom] = [below, upTo];
  }
  expect(cells).toBeGreaterThan(1);
  return 1 - regularisedGamma((cells - 1) / 2, statistic / 2);
}

/** Cuts at each whole number, or at every eighth of a standard deviation if that is more than one. */
function cutsAround(mean: number, deviation: number): number[] {
  const step = Math.max(1, Math.floor(deviation / 8));
  const first = Math.max(0, Math.floor(mean - 5 * deviation));
  return Array.from({ length: Math.ceil((10 * deviation) / step) + 1 }, (_, i) => first + i * step);
}

describe("exact probabilities, chi-square within its central 99.99 %", () => {
  const expectPlausible = (tail: number): void => {
    expect(tail).toBeGreaterThan(5e-5);
    expect(tail).toBeLessThan(1 - 5e-5);
  };
  const binomialCdf = (trials: number, p: number) => (k: number) =>
    k >= trials ? 1 : regularisedBeta(1 - p, trials - k, k + 1);
  const poissonCdf = (mean: number) => (k: number) => 1 - regularisedGamma(k + 1, mean);

  it.each([
    [1, 0.3],
    [5, 0.5],
    [40, 0.02],
    [100, 0.93],
    [21, 0.5],
    [60, 0.35],
    [1e6, 0.4],
    [1e9, 1e-8],
    [1e9, 3e-7],
    [1e9, 0.999],
  ])("binomial(%d, %d)", (trials, p) => {
    const cuts = cutsAround(trials * p, Math.sqrt(trials * p * (1 - p)));
    const values = sample((r) => drawBinomial(r, trials, p));
    expectPlausible(chiSquareTail(values, cuts, binomialCdf(trials, p)));
  });

  it("binomial(60, 0.35) is told from binomial(60, 0.353)", () => {
    const values = sample((r) => drawBinomial(r, 60, 0.35));
    expect(chiSquareTail(values, cutsAround(21, 3.7), binomialCdf(60, 0.353))).toBeLessThan(5e-5);
  });

  it.each([0.2, 9, 120, 501, 2000, 1e6])("poisson(%d)", (mean) => {
    const values = sample((r) => drawPoisson(r, mean));
    expectPlausible(chiSquareTail(values, cutsAround(mean, Math.sqrt(mean)), poissonCdf(mean)));
  });

  it("a cell of a multinomial is binomial, two of them have covariance -n p q", () => {
    const weights = Float64Array.of(2, 0, 5, 1, 12);
    const random = randomSource(11);
    const draws = Array.from({ length: n }, () => drawMultinomial(random, 50, weights));
    for (const [cell, p] of [0.1, 0, 0.25, 0.05, 0.6].entries()) {
      const counts = Float64Array.from(draws, (draw) => draw[cell] as number);
      if (p === 0) expect(Math.max(...counts.slice(0, 1000))).toBe(0);
      else
        expectPlausible(
          chiSquareTail(counts, cutsAround(50 * p, Math.sqrt(50 * p * (1 - p))), binomialCdf(50, p)),
        );
    }
    const products = Float64Array.from(draws, (draw) => ((draw[0] ?? 0) - 5) * ((draw[4] ?? 0) - 30));
    const { mean, meanError } = moments(products);
    expect(Math.abs(mean - -50 * 0.1 * 0.6) / meanError).toBeLessThan(4);
  });
});

describe("counts too large for a table", () => {
  it.each([
    ["binomial(1e9, 0.37)", (r: Random) => drawBinomial(r, 1e9, 0.37), 3.7e8, 2.331e8],
    ["binomial(2^53 - 1, 0.5)", (r: Random) => drawBinomial(r, 2 ** 53 - 1, 0.5), 2 ** 52, 2 ** 51],
    ["poisson(1e9)", (r: Random) => drawPoisson(r, 1e9), 1e9, 1e9],
    ["poisson(1e12)", (r: Random) => drawPoisson(r, 1e12), 1e12, 1e12],
  ])("%s has its moments, and the quantiles of a normal", (_name, draw, mean, variance) => {
    const values = sample(draw).map((x) => (x - mean) / Math.sqrt(variance));
    const found = moments(values);
    expect(Math.abs(found.mean) / found.meanError).toBeLessThan(4);
    expect(Math.abs(found.variance - 1) / found.varianceError).toBeLessThan(4);
    const normalCdf = (x: number): number => 0.5 + (Math.sign(x) / 2) * regularisedGamma(0.5, (x * x) / 2);
    expect(kolmogorov(values, normalCdf)).toBeLessThan(2.23);
  });
});

describe("drawBeta", () => {
  it.each([
    [2, 3],
    [0.5, 0.5],
    [0.2, 4],
    [300, 2],
    [4000, 9000],
    [0.05, 6],
  ])("beta(%d, %d) has its distribution", (a, b) => {
    const values = sample((r) => drawBeta(r, a, b));
    expect(kolmogorov(values, (x) => regularisedBeta(x, a, b))).toBeLessThan(2.23);
  });

  it.each([
    [0.001, 0.003],
    [1e-6, 3e-6],
    [1e-300, 3e-300],
  ])("tiny parameters %d and %d leave the right share on either side", (a, b) => {
    const values = sample((r) => drawBeta(r, a, b));
    expect(values.every((x) => x >= 0 && x <= 1)).toBe(true);
    const low = values.filter((x) => x < 0.5).length / n;
    const expected = regularisedBeta(0.5, a, b); // close to b / (a + b)
    expect(Math.abs(low - expected)).toBeLessThan(4 * Math.sqrt((expected * (1 - expected)) / n));
  });
});

describe("edges", () => {
  it("draws the Poisson counts that the shipped data were made with", () => {
    const counts = (mean: number): number[] => {
      const random = randomSource(42);
      return Array.from({ length: 8 }, () => drawPoisson(random, mean));
    };
    expect(counts(1.1)).toEqual([2, 2, 4, 0, 1, 1, 2, 2]);
    expect(counts(80)).toEqual([71, 76, 88, 82, 65, 87, 78, 82]);
    expect(counts(500)).toEqual([485, 507, 454, 470, 492, 522, 499, 485]);
  });

  it("draws all or nothing where nothing is left to chance", () => {
    const random = randomSource(1);
    for (let i = 0; i < 100; i++) {
      expect(drawBinomial(random, 0, 0.5)).toBe(0);
      expect(drawBinomial(random, 1e9, 0)).toBe(0);
      expect(drawBinomial(random, 1e9, 1)).toBe(1e9);
      expect([...drawMultinomial(random, 7, [0, 3, 0])]).toEqual([0, 7, 0]);
      expect([...drawMultinomial(random, 0, [1, 3])]).toEqual([0, 0]);
      const counts = drawMultinomial(random, 1e9, [1e-9, 0.1, 1e6, 0.2]);
      expect(counts.reduce((sum, count) => sum + count)).toBe(1e9);
    }
  });

  it("never draws what has no weight, and always what alone has one", () => {
    const random = randomSource(1);
    for (let i = 0; i < 1000; i++) {
      expect(drawWeighted(random, [0, 5, 0])).toBe(1);
      expect(drawBernoulli(random, 0)).toBe(false);
      expect(drawBernoulli(random, 1)).toBe(true);
      expect(drawPoisson(random, 0)).toBe(0);
      expect(drawRounded(random, 3)).toBe(3);
      expect(drawInteger(random, -2, -2)).toBe(-2);
      expect(drawItem(random, ["only"])).toBe("only");
    }
  });

  it("reaches both bounds of an integer range and nothing beyond", () => {
    expect([...new Set(sample((r) => drawInteger(r, -1, 2)))].sort((a, b) => a - b)).toEqual([-1, 0, 1, 2]);
  });

  it("refuses parameters out of range, with the value", () => {
    const random = randomSource(1);
    expect(() => drawGamma(random, 0, 1)).toThrow(new RangeError("shape must be a number above 0, got 0"));
    expect(() => drawGamma(random, 1, Number.NaN)).toThrow("rate must be a number above 0, got NaN");
    expect(() => drawExponential(random, -1)).toThrow("rate must be a number above 0, got -1");
    expect(() => drawBernoulli(random, 80)).toThrow("probability must be between 0 and 1, got 80");
    expect(() => drawPoisson(random, -1)).toThrow("mean must be between 0 and 1000000000000, got -1");
    expect(() => drawPoisson(random, 1e13)).toThrow(RangeError);
    expect(() => drawBeta(random, 0, 1)).toThrow(new RangeError("a must be a number above 0, got 0"));
    expect(() => drawBeta(random, 1, Number.NaN)).toThrow("b must be a number above 0, got NaN");
    expect(() => drawBinomial(random, 1.5, 0.5)).toThrow("n must be a whole number from 0 up, got 1.5");
    expect(() => drawBinomial(random, -1, 0.5)).toThrow(RangeError);
    expect(() => drawBinomial(random, 5, 1.01)).toThrow("p must be between 0 and 1, got 1.01");
    expect(() => drawMultinomial(random, -1, [1])).toThrow("total must be a whole number from 0 up, got -1");
    expect(() => drawMultinomial(random, 5, [1, -1])).toThrow("weights must be from 0 up, got -1");
    expect(() => drawMultinomial(random, 5, [0, 0])).toThrow("at least one weight must be above 0");
    expect(() => drawMultinomial(random, 5, [])).toThrow(RangeError);
    expect(() => drawWeighted(random, [])).toThrow("at least one weight must be above 0");
    expect(() => drawWeighted(random, [1, -1])).toThrow("weights must be from 0 up, got -1");
    expect(() => drawInteger(random, 2, 1)).toThrow("bounds must be whole numbers in order, got 2 and 1");
    expect(() => drawItem(random, [])).toThrow(RangeError);
  });
});
