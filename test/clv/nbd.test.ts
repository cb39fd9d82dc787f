import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { purchaseCells } from "../../src/clv/cells.js";
import {
  fitNbd,
  nbd,
  nbdExpectedPurchases,
  nbdLogLikelihood,
  nbdNewCustomerPurchases,
  nbdPurchaseDistribution,
  simulateNbd,
} from "../../src/clv/nbd.js";
import { checkGradient } from "../../src/numeric/derivatives.js";
import { onLogScale } from "../../src/numeric/log-scale.js";
import { randomSource } from "../../src/numeric/random.js";

const anyParameter = fc.double({ min: -6, max: 6, noNaN: true }).map(Math.exp);

describe("NBD", () => {
  it("recovers the parameters that generated the data", () => {
    const truth = { r: 0.4, alpha: 12 };
    const ages = Float64Array.from({ length: 20_000 }, (_, row) => 27 + (row % 85) / 7);
    const fit = fitNbd(purchaseCells(simulateNbd(truth, ages, randomSource(11))));
    expect(fit.converged).toBe(true);
    expect(fit.observations).toBe(20_000);
    for (const name of ["r", "alpha"] as const) {
      expect(Math.abs(fit.parameters[name] - truth[name])).toBeLessThan(4 * fit.standardErrors[name]);
    }
  });

  it("has the gradient of its likelihood, and counts weights as repetition", () => {
    fc.assert(
      fc.property(anyParameter, anyParameter, (r, alpha) => {
        const once = { x: [0, 3, 150, 3], recency: [0, 5, 80.5, 5], age: [10, 30, 90, 30] };
        const cells = purchaseCells(once);
        expect(checkGradient(onLogScale(nbd.objective(cells)), [Math.log(r), Math.log(alpha)])).toBeLessThan(
          1e-6,
        );
        const weighted = purchaseCells({
          x: [0, 3, 150],
          recency: [0, 5, 80.5],
          age: [10, 30, 90],
          weight: [1, 2, 1],
        });
        expect(nbdLogLikelihood({ r, alpha }, weighted)).toBe(nbdLogLikelihood({ r, alpha }, cells));
      }),
      { seed: 5, numRuns: 100 },
    );
  });

  it("has a distribution that sums to 1 with the expected mean", () => {
    const parameters = { r: 0.7, alpha: 5 };
    const distribution = nbdPurchaseDistribution(parameters, 20, 400);
    expect(distribution.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
    const mean = distribution.reduce((sum, p, x) => sum + x * p, 0);
    expect(mean).toBeCloseTo(nbdNewCustomerPurchases(parameters, 20), 10);
  });

  it("expects a weighted mean of the customer's own rate and the population's", () => {
    expect(nbdExpectedPurchases({ r: 1, alpha: 10 }, { x: 4, recency: 8, age: 15 }, 5)).toBe(1);
    expect(() => nbdExpectedPurchases({ r: 0, alpha: 10 }, { x: 4, recency: 8, age: 15 }, 5)).toThrow(
      "parameter r must be a number above 0, got 0",
    );
    expect(() => nbdNewCustomerPurchases({ r: 1, alpha: 10 }, -1)).toThrow(
      "horizon must be a number from 0 up, got -1",
    );
    expect(() => nbdPurchaseDistribution({ r: 1, alpha: 10 }, 1, 1.5)).toThrow(
      "max must be a whole number from 0 up, got 1.5",
    );
  });
});
