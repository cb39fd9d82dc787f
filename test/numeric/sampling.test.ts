import { describe, expect, it } from "vitest";
import { type Random, randomSource } from "../../src/numeric/random.js";
import {
  drawBernoulli,
  drawExponential,
  drawGamma,
  drawInteger,
  drawItem,
  drawNormal,
  drawPoisson,
  drawRounded,
  drawWeighted,
} from "../../src/numeric/sampling.js";

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

describe("edges", () => {
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
    expect(() => drawPoisson(random, 501)).toThrow("mean must be between 0 and 500, got 501");
    expect(() => drawWeighted(random, [])).toThrow("at least one weight must be above 0");
    expect(() => drawWeighted(random, [1, -1])).toThrow("weights must be from 0 up, got -1");
    expect(() => drawInteger(random, 2, 1)).toThrow("bounds must be whole numbers in order, got 2 and 1");
    expect(() => drawItem(random, [])).toThrow(RangeError);
  });
});
