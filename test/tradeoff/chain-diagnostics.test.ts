import { describe, expect, it } from "vitest";
import { randomSource } from "../../src/numeric/random.js";
import { drawNormal } from "../../src/numeric/sampling.js";
import { essBulk, essTail, rHat } from "../../src/tradeoff/chain-diagnostics.js";

/** Chains of x(t) = rho x(t-1) + noise, of variance 1, started from that distribution. */
function autoregressive(rho: number, draws: number, chains = 4, seed = 1): Float64Array[] {
  const random = randomSource(seed);
  return Array.from({ length: chains }, () => {
    let x = drawNormal(random);
    return Float64Array.from({ length: draws }, () => {
      const now = x;
      x = rho * x + Math.sqrt(1 - rho * rho) * drawNormal(random);
      return now;
    });
  });
}

describe("effective sample size", () => {
  it("of independent draws is their number", () => {
    const chains = autoregressive(0, 5000);
    expect(essBulk(chains) / 20_000).toBeGreaterThan(0.9);
    expect(essBulk(chains) / 20_000).toBeLessThan(1.1);
    expect(essTail(chains) / 20_000).toBeGreaterThan(0.9);
    expect(essTail(chains) / 20_000).toBeLessThan(1.1);
  });

  it.each([0.3, 0.6, 0.9])("of an autoregression with rho %d is n (1 - rho) / (1 + rho)", (rho) => {
    const draws = 40_000;
    const exact = (draws * 4 * (1 - rho)) / (1 + rho);
    expect(Math.abs(essBulk(autoregressive(rho, draws)) / exact - 1)).toBeLessThan(0.08);
  });

  it("of draws that alternate is more than their number, up to its common logarithm times it", () => {
    const exact = (40_000 * (1 + 0.3)) / (1 - 0.3);
    expect(Math.abs(essBulk(autoregressive(-0.3, 10_000)) / exact - 1)).toBeLessThan(0.08);
    expect(essBulk(autoregressive(-0.99, 1000))).toBeCloseTo(4000 * Math.log10(4000), 6);
  });

  it("tells what the mean of that many draws is off by", () => {
    const means = Array.from({ length: 200 }, (_, k) => {
      const [chain] = autoregressive(0.8, 500, 1, 100 + k);
      return (chain as Float64Array).reduce((sum, x) => sum + x, 0) / 500;
    });
    const variance = means.reduce((sum, value) => sum + value * value, 0) / 200;
    const worth = essBulk(autoregressive(0.8, 20_000)) / 80_000;
    expect(Math.abs(variance * 500 * worth - 1)).toBeLessThan(0.3); // 3 errors of a variance of 200 numbers
  });

  it("is tiny for chains that stay apart", () => {
    const apart = autoregressive(0, 1000).map((chain, c) => chain.map((x) => x + 10 * c));
    expect(essBulk(apart)).toBeLessThan(10);
  });

  it("exists for a few values, and where a tenth of the draws are the largest", () => {
    const random = randomSource(3);
    const coins = Array.from({ length: 4 }, () =>
      Float64Array.from({ length: 2000 }, () => Number(random.uniform() < 0.1)),
    );
    expect(essTail(coins) / 8000).toBeGreaterThan(0.85);
    expect(essBulk(coins) / 8000).toBeLessThan(1.15);
  });
});

describe("R-hat", () => {
  it("is 1 for chains that agree", () => {
    expect(rHat(autoregressive(0, 5000))).toBeLessThan(1.001);
    expect(rHat(autoregressive(0.9, 5000))).toBeLessThan(1.02);
  });

  it("sees another centre, another spread, a drift and a stuck chain", () => {
    const chains = autoregressive(0, 1000);
    const one = (change: (x: number, t: number) => number): Float64Array[] =>
      chains.map((chain, c) => (c === 0 ? chain.map(change) : chain));
    expect(rHat(one((x) => x + 2))).toBeGreaterThan(1.2);
    expect(rHat(one((x) => 4 * x))).toBeGreaterThan(1.1); // same mean: the folded ranks see it
    expect(rHat(chains.map((chain) => chain.map((x, t) => x + t / 250)))).toBeGreaterThan(1.2);
    expect(rHat(one(() => 0.7))).toBeGreaterThan(1.05);
    expect(rHat(chains.map((chain, c) => chain.map(() => c)))).toBeGreaterThan(1e6);
  });

  it("does not depend on the scale, not even a nonlinear one, as far as ranks go", () => {
    const chains = autoregressive(0.5, 1000);
    const bulk = essBulk(chains);
    expect(essBulk(chains.map((chain) => chain.map(Math.exp)))).toBe(bulk);
    expect(essTail(chains.map((chain) => chain.map((x) => 3 * x - 7)))).toBe(essTail(chains));
    const cauchy = autoregressive(0, 4000).map((chain) => chain.map((x) => Math.tan(x)));
    expect(rHat(cauchy)).toBeLessThan(1.01); // no variance, and none needed
  });

  it("of four draws by hand", () => {
    // Halves 1 2 | 3 4: normal scores of ranks (r - 3/8) / 4.25 are -1.0491, -0.2993, 0.2993, 1.0491.
    // Within: 0.7498^2 / 2 = 0.28110; between: 1.3484^2 / 2 = 0.90909; pooled: 0.14055 + 0.90909; folded ranks tie.
    expect(rHat([[1, 2, 3, 4]])).toBeCloseTo(Math.sqrt((0.281_1 / 2 + 0.909_09) / 0.281_1), 3);
  });
});

describe("draws that cannot be used", () => {
  it.each<[string, number[][], string]>([
    ["none", [], "chains must have at least four draws each, got 0"],
    ["three", [[1, 2, 3]], "chains must have at least four draws each, got 3"],
    [
      "unequal",
      [
        [1, 2, 3, 4],
        [1, 2, 3, 4, 5],
      ],
      "chains must be equally long, got 4 draws and 5 in chain 2",
    ],
    ["not a number", [[1, 2, Number.NaN, 4]], "draws must be finite, got NaN in chain 1 at 3"],
    ["all equal", [[2, 2, 2, 2]], "draws must differ, all are 2"],
  ])("%s", (_name, chains, message) => {
    for (const measure of [rHat, essBulk, essTail]) {
      expect(() => measure(chains)).toThrow(RangeError);
      expect(() => measure(chains)).toThrow(message);
    }
  });
});
