import { expect, it } from "vitest";
import { betaQuantile, gammaQuantile, quantileOf } from "../../src/numeric/quantile.js";

it("quantiles are those of type 7", () => {
  expect([0, 0.25, 0.5, 1].map((p) => quantileOf([4, 1, 3, 2], p))).toEqual([1, 1.75, 2.5, 4]);
});

it("quantiles of Gamma and Beta invert their distributions, in the tails too", () => {
  expect(gammaQuantile(1 - Math.exp(-2), 1)).toBeCloseTo(2, 12); // exponential
  expect(gammaQuantile(0.95, 5)).toBeCloseTo(18.307038053275146 / 2, 12); // chi-squared with 10 degrees of freedom
  expect(betaQuantile(0.25, 2, 1)).toBeCloseTo(0.5, 12); // the distribution function is x squared
  expect(betaQuantile(1e-6, 1, 1e6) / -Math.expm1(Math.log1p(-1e-6) / 1e6)).toBeCloseTo(1, 9);
});
