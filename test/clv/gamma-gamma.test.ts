import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  fitGammaGamma,
  gammaGammaExpectedSpend,
  gammaGammaLogLikelihood,
  gammaGammaObjective,
  simulateGammaGamma,
} from "../../src/clv/gamma-gamma.js";
import { checkGradient } from "../../src/numeric/derivatives.js";
import { onLogScale } from "../../src/numeric/log-scale.js";
import { randomSource } from "../../src/numeric/random.js";

// Fader & Hardie (2013), note 025: CDNOW, 946 repeat buyers.
const published = { p: 6.25, q: 3.74, gamma: 15.44 };
const anyParameter = fc.double({ min: -6, max: 6, noNaN: true }).map(Math.exp);

describe("Gamma-Gamma", () => {
  it("gives the published expected spend of the first customers", () => {
    // Note 025: 24.66, 18.91 and, without a repeat purchase, 35.17 at the estimates before rounding.
    const estimates = { p: 6.2493492, q: 3.7442563, gamma: 15.4443067 };
    expect(gammaGammaExpectedSpend(estimates, { x: 2, meanSpend: 22.35 })).toBeCloseTo(24.66, 2);
    expect(gammaGammaExpectedSpend(estimates, { x: 1, meanSpend: 11.77 })).toBeCloseTo(18.91, 2);
    expect(gammaGammaExpectedSpend(estimates, { x: 0 })).toBeCloseTo(35.17, 2);
    expect(gammaGammaExpectedSpend(published, { x: 0 })).toBeCloseTo(35.22, 2);
  });

  it("lies between the customer's mean and the population's", () => {
    const population = gammaGammaExpectedSpend(published, { x: 0 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20_000 }),
        fc.double({ min: 0.01, max: 1e6, noNaN: true }),
        (x, z) => {
          const expected = gammaGammaExpectedSpend(published, { x, meanSpend: z });
          expect(expected).toBeGreaterThanOrEqual(Math.min(z, population) * (1 - 1e-12));
          expect(expected).toBeLessThanOrEqual(Math.max(z, population) * (1 + 1e-12));
        },
      ),
      { seed: 5, numRuns: 200 },
    );
  });

  it("recovers the parameters that generated the data, in any money unit", () => {
    const truth = { p: 4, q: 3, gamma: 20 };
    const counts = Float64Array.from({ length: 20_000 }, (_, row) => 1 + (row % 7));
    const spends = simulateGammaGamma(truth, counts, randomSource(8));
    const fit = fitGammaGamma(spends);
    expect(fit.converged).toBe(true);
    for (const name of ["p", "q", "gamma"] as const) {
      expect(Math.abs(fit.parameters[name] - truth[name])).toBeLessThan(4 * fit.standardErrors[name]);
    }
    const cents = fitGammaGamma({ x: spends.x, meanSpend: spends.meanSpend.map((spend) => 100 * spend) });
    expect(cents.parameters.gamma / fit.parameters.gamma).toBeCloseTo(100, 3);
    expect(cents.parameters.q).toBeCloseTo(fit.parameters.q, 4);
  });

  it("has the gradient of its likelihood, and counts weights as repetition", () => {
    fc.assert(
      fc.property(anyParameter, anyParameter, anyParameter, (p, q, gamma) => {
        const once = { x: [1, 2, 2, 40], meanSpend: [3.5, 20, 20, 7] };
        const weighted = { x: [1, 2, 40], meanSpend: [3.5, 20, 7], weight: [1, 2, 1] };
        expect(
          checkGradient(onLogScale(gammaGammaObjective(once)), [p, q, gamma].map(Math.log)),
        ).toBeLessThan(1e-6);
        const likelihood = gammaGammaLogLikelihood({ p, q, gamma }, weighted);
        expect(likelihood / gammaGammaLogLikelihood({ p, q, gamma }, once)).toBeCloseTo(1, 12);
      }),
      { seed: 5, numRuns: 200 },
    );
  });

  it("warns where the population mean is infinite, and says so where it is asked for", () => {
    // lifetimes 0.10.1 added q_constraint for this; an infinite mean is a fact about the fit, not a failure.
    const spends = simulateGammaGamma(
      { p: 3, q: 0.6, gamma: 10 },
      new Float64Array(3000).fill(3),
      randomSource(2),
    );
    const fit = fitGammaGamma(spends);
    expect(fit.warnings.join()).toMatch(/q is 0\.\d+: with q of 1 or less the mean spend .* is infinite/);
    expect(() => gammaGammaExpectedSpend(fit.parameters, { x: 0 })).toThrow(
      /the population mean needs q above 1, got 0\.\d+: it is infinite/,
    );
    expect(gammaGammaExpectedSpend(fit.parameters, { x: 3, meanSpend: 10 })).toBeGreaterThan(0);
  });

  it("names the row, the value and what is allowed", () => {
    const fitTo = (x: number, meanSpend: number) => fitGammaGamma({ x: [1, x], meanSpend: [5, meanSpend] });
    expect(() => fitTo(0, 5)).toThrow(
      "spends row 1: x must be a whole number of 1 or more (repeat buyers only), got 0",
    );
    expect(() => fitTo(2, -3)).toThrow("spends row 1: meanSpend must be a number above 0, got -3");
    expect(() => fitGammaGamma({ x: [1], meanSpend: [5], weight: [0] })).toThrow(
      "spends row 0: weight must be a number above 0, got 0",
    );
    expect(() => fitTo(2, 5)).toThrow("spends must differ between customers, got 5 for all 2");
    expect(() => fitGammaGamma({ x: [], meanSpend: [] })).toThrow("at least one repeat buyer, got none");
    expect(() => fitGammaGamma({ x: [1], meanSpend: [5, 6] })).toThrow("as many rows as x, 1, got 2");
    expect(() => gammaGammaExpectedSpend(published, { x: 1 })).toThrow(
      "meanSpend must be a number above 0 where x is 1",
    );
    expect(() => gammaGammaExpectedSpend(published, { x: -1 })).toThrow(
      "x must be a whole number from 0 up, got -1",
    );
    expect(() => simulateGammaGamma(published, [0.5], randomSource(1))).toThrow(
      "x of row 0 must be a whole number",
    );
    expect([...simulateGammaGamma(published, [0], randomSource(1)).meanSpend]).toEqual([0]);
  });
});
