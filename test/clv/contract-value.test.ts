import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bdwDiscountedResidualLifetime, bdwSurvivalCurve } from "../../src/clv/beta-discrete-weibull.js";
import { bdwPresentPayments, type ContractTerms, sbgPresentPayments } from "../../src/clv/contract-value.js";
import { sbgDiscountedResidualLifetime, sbgSurvivalCurve } from "../../src/clv/shifted-beta-geometric.js";

const conventions = ["first payment now", "just acquired", "end of period"] as const;
const regular = { alpha: 0.764, beta: 1.296 }; // Fader & Hardie (2007), Regular cohort, first four years
const relative = (ours: number, theirs: number): number => Math.abs(ours / theirs - 1);

describe("contract value", () => {
  it.each([
    ["first payment now", 1.1 / 0.3],
    ["just acquired", 0.8 / 0.3],
    ["end of period", 1 / 0.3],
  ] as const)("of %s is the closed formula where all customers are alike", (convention, formula) => {
    // Fader & Hardie (2012): m (1 + d) / (1 + d - r), m r / (1 + d - r), m / (1 + d - r), here r .8 and d .1.
    const alike = { alpha: 0.2e9, beta: 0.8e9 };
    expect(relative(sbgPresentPayments(alike, { convention, discountRate: 0.1 }), formula)).toBeLessThan(
      1e-8,
    );
    const weibull = bdwPresentPayments({ ...alike, c: 1 }, { convention, discountRate: 0.1 });
    expect(relative(weibull, formula)).toBeLessThan(1e-8);
  });

  it("is the discounted sum of the survival curve, whatever the convention", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.3, max: 5, noNaN: true }),
        fc.double({ min: 0.3, max: 9, noNaN: true }),
        fc.double({ min: 0.5, max: 2, noNaN: true }),
        fc.integer({ min: 0, max: 9 }),
        fc.double({ min: 0.05, max: 0.6, noNaN: true }),
        (alpha, beta, c, renewals, discountRate) => {
          const models = [
            {
              curve: sbgSurvivalCurve({ alpha, beta }, 900),
              of: (terms: ContractTerms) => sbgPresentPayments({ alpha, beta }, terms),
            },
            {
              curve: bdwSurvivalCurve({ alpha, beta, c }, 900),
              of: (terms: ContractTerms) => bdwPresentPayments({ alpha, beta, c }, terms),
            },
          ];
          for (const { curve, of } of models) {
            const now = curve[renewals] as number;
            let [atRenewals, atEnds] = [0, 0];
            for (let t = 1; renewals + t < curve.length; t++) {
              const discount = (1 + discountRate) ** -t;
              atRenewals += (discount * (curve[renewals + t] as number)) / now;
              atEnds += (discount * (curve[renewals + t - 1] as number)) / now;
            }
            const sums = [1 + atRenewals, atRenewals, atEnds];
            for (const [index, convention] of conventions.entries()) {
              const value = of({ convention, discountRate, renewals });
              expect(relative(value, sums[index] as number)).toBeLessThan(1e-10);
            }
          }
        },
      ),
      { seed: 4, numRuns: 60 },
    );
  });

  it("under the BdW is the sBG's where the chance to leave does not change", () => {
    for (const renewals of [0, 1, 7]) {
      const sbg = sbgDiscountedResidualLifetime(regular, { renewals, discountRate: 0.1 });
      const bdw = bdwDiscountedResidualLifetime({ ...regular, c: 1 }, { renewals, discountRate: 0.1 });
      expect(relative(bdw, sbg)).toBeLessThan(1e-13);
    }
  });

  it("refuses what is not possible", () => {
    const terms = { convention: "just acquired", discountRate: 0 } as const;
    expect(() => sbgPresentPayments(regular, terms)).toThrow("discountRate must be");
    expect(() => bdwPresentPayments({ ...regular, c: 1 }, terms)).toThrow("discountRate must be");
    expect(() => bdwPresentPayments({ ...regular, c: -1 }, { ...terms, discountRate: 0.1 })).toThrow(
      "parameter c must be a number above 0, got -1",
    );
    expect(() =>
      bdwPresentPayments({ ...regular, c: 1 }, { ...terms, discountRate: 0.1, renewals: 0.5 }),
    ).toThrow("renewals must be a whole number from 0 up, got 0.5");
  });
});
