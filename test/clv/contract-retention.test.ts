import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  sbgBaseValue,
  sbgRetentionEffect,
  sbgRetentionElasticity,
} from "../../src/clv/contract-retention.js";
import { sbgDiscountedResidualLifetime, sbgSurvivalCurve } from "../../src/clv/shifted-beta-geometric.js";
import { DataError } from "../../src/core/errors.js";

const regular = { alpha: 0.764, beta: 1.296 }; // Fader & Hardie (2007), Regular cohort, first four years
const parameter = fc.double({ min: -3, max: 3, noNaN: true }).map(Math.exp);
const discount = fc.double({ min: 0.02, max: 1, noNaN: true });
const runs = { seed: 12, numRuns: 100 };

describe("retention elasticity under the sBG", () => {
  it("is the weighted sum over renewals", () => {
    fc.assert(
      fc.property(parameter, parameter, fc.nat(10), discount, (alpha, beta, renewals, discountRate) => {
        let [chance, lifetime, weighted] = [1, 0, 0];
        for (let j = 1; j < 4000; j++) {
          chance *=
            (beta + renewals + j - 1) / (alpha + beta + renewals + j - 1) / (j > 1 ? 1 + discountRate : 1);
          lifetime += chance;
          weighted += j * chance;
        }
        const elasticity = sbgRetentionElasticity({ alpha, beta }, { renewals, discountRate });
        expect(elasticity / (weighted / lifetime)).toBeCloseTo(1, 9);
      }),
      runs,
    );
  });

  it("is (1 + d) / (1 + d - r) where all customers are alike", () => {
    const alike = sbgRetentionElasticity({ alpha: 0.2e7, beta: 0.8e7 }, { discountRate: 0.1 });
    expect(alike).toBeCloseTo(1.1 / 0.3, 5);
  });

  it("is greater than that of the mean retention rate where customers differ", () => {
    fc.assert(
      fc.property(parameter, parameter, fc.nat(10), discount, (alpha, beta, renewals, discountRate) => {
        const mean = (beta + renewals) / (alpha + beta + renewals);
        const elasticity = sbgRetentionElasticity({ alpha, beta }, { renewals, discountRate });
        expect(elasticity).toBeGreaterThan((1 + discountRate) / (1 + discountRate - mean));
      }),
      runs,
    );
  });

  it("refuses what is not possible", () => {
    expect(() => sbgRetentionElasticity({ alpha: 0, beta: 1 }, { discountRate: 0.1 })).toThrow(
      "parameter alpha must be a number above 0, got 0",
    );
    expect(() => sbgRetentionElasticity(regular, { discountRate: 0 })).toThrow(
      "discountRate must be a fraction per period above 0, such as 0.1, got 0",
    );
    expect(() => sbgRetentionElasticity(regular, { renewals: -1, discountRate: 0.1 })).toThrow(
      "renewals must be a whole number from 0 up, got -1",
    );
  });
});

describe("points of retention under the sBG", () => {
  it("raise the mean and leave the polarisation", () => {
    // alpha + beta stays 2.06, the mean retention rate rises from 62.9 to 67.9%.
    const raised = { alpha: 0.764 - 0.05 * 2.06, beta: 1.296 + 0.05 * 2.06 };
    const lifetime = (parameters: typeof regular): number =>
      sbgDiscountedResidualLifetime(parameters, { renewals: 0, discountRate: 0.1 });
    expect(sbgRetentionEffect(regular, 0.05, { discountRate: 0.1 })).toBeCloseTo(
      lifetime(raised) / lifetime(regular) - 1,
      12,
    );
    expect(sbgRetentionEffect(regular, 0, { renewals: 3, discountRate: 0.1 })).toBeCloseTo(0, 12);
  });

  it("do what they do to a constant rate where all are alike", () => {
    // r / (1 + d - r) from .8 to .85 at d = .1
    const alike = { alpha: 0.2e7, beta: 0.8e7 };
    expect(sbgRetentionEffect(alike, 0.05, { discountRate: 0.1 })).toBeCloseTo(
      0.85 / 0.25 / (0.8 / 0.3) - 1,
      5,
    );
  });

  it("add more, the more points", () => {
    fc.assert(
      fc.property(parameter, parameter, fc.nat(10), discount, (alpha, beta, renewals, discountRate) => {
        const churn = alpha / (alpha + beta + renewals);
        const effect = (points: number): number =>
          sbgRetentionEffect({ alpha, beta }, points, { renewals, discountRate });
        expect(effect(churn / 4)).toBeGreaterThan(0);
        expect(effect(churn / 2)).toBeGreaterThan(2 * effect(churn / 4)); // convex, as in the constant-rate formula
      }),
      runs,
    );
  });

  it("cannot take the rate beyond 1", () => {
    expect(() => sbgRetentionEffect(regular, 0.4, { discountRate: 0.1 })).toThrow(
      new RangeError("the mean retention rate must stay between 0 and 1, but 0.6291 changed by 0.4 is 1.029"),
    );
    expect(() => sbgRetentionEffect(regular, Number.NaN, { discountRate: 0.1 })).toThrow(
      "changed by NaN is NaN",
    );
  });
});

describe("residual lifetime and value of a contractual base", () => {
  it("of one customer rises with renewals where a constant rate stays at $343", () => {
    // Fader & Hardie (2015): $100 a period after periods 1, 2 and 5, against a retention rate of 83.3%.
    const values = [0, 1, 4].map((renewals) =>
      Math.round(100 * sbgDiscountedResidualLifetime(regular, { renewals, discountRate: 0.1 })),
    );
    expect(values).toEqual([288, 394, 568]);
    expect(Math.round((100 * 0.833 * 1.1) / (1.1 - 0.833))).toBe(343);
    const highEnd = sbgDiscountedResidualLifetime(
      { alpha: 0.668, beta: 3.806 },
      { renewals: 7, discountRate: 0.1 },
    );
    expect(highEnd).toBeCloseTo(7.53, 3);
  });

  it("is undervalued by 25 to 50% by one retention rate, as Fader and Hardie say", () => {
    // Fader & Hardie (2010). Here five cohorts of 10,000, one a year, at both published sets of parameters.
    for (const parameters of [regular, { alpha: 0.668, beta: 3.806 }]) {
      const curve = [...sbgSurvivalCurve(parameters, 4)].map((share) => 10_000 * share);
      const cohorts = [1, 2, 3, 4, 5].map((length) => curve.slice(0, length));
      const value = sbgBaseValue(parameters, cohorts, 0.1);
      expect(value.undervaluation).toBeGreaterThan(0.25);
      expect(value.undervaluation).toBeLessThan(0.5);
      expect(value.elasticity).toBeGreaterThan(value.elasticityAtConstantRate);
    }
  });

  it("adds up over customers, and takes the rate of the last period", () => {
    // Fader & Hardie's teaching example, as recalled: $100 a year at one retention rate are worth $4,945,049.
    const counts = [10_000, 6334, 4367, 3264, 2604];
    const cohorts = [5, 4, 3, 2, 1].map((length) => counts.slice(0, length));
    const value = sbgBaseValue(regular, cohorts, 0.1);
    expect(value.customers).toBe(26_569);
    expect(value.retentionRate).toBe((6334 + 4367 + 3264 + 2604) / (10_000 + 6334 + 4367 + 3264));
    expect(Math.round(100 * value.paymentsAtConstantRate)).toBe(4_945_049);
    const byHand = counts.reduce(
      (sum, alive, renewals) =>
        sum + alive * sbgDiscountedResidualLifetime(regular, { renewals, discountRate: 0.1 }),
      0,
    );
    expect(value.payments).toBeCloseTo(byHand, 6);
    expect(value.undervaluation).toBeCloseTo(1 - value.paymentsAtConstantRate / byHand, 10);
  });

  it("is the same both ways where all customers are alike", () => {
    const counts = [1000, 800, 640, 512];
    const value = sbgBaseValue({ alpha: 0.2e7, beta: 0.8e7 }, [counts, counts.slice(0, 2), [1000]], 0.1);
    expect(value.retentionRate).toBeCloseTo(0.8, 12);
    expect(value.undervaluation).toBeCloseTo(0, 5);
    expect(value.elasticity).toBeCloseTo(value.elasticityAtConstantRate, 4);
  });

  it.each<[number[][], string]>([
    [[[10, 8], []], "survivors of cohort 2 must be numbers from 0 up that do not rise, got none"],
    [[[10, 12]], "survivors of cohort 1 must be numbers from 0 up that do not rise, got 12 in period 1"],
    [
      [[10, Number.NaN]],
      "survivors of cohort 1 must be numbers from 0 up that do not rise, got NaN in period 1",
    ],
    [[[10]], "cohorts must hold one with customers whose renewal has been due, got none"],
    [[[10, 0]], "cohorts must hold customers who are still there, got none"],
  ])("refuses %j", (cohorts, message) => {
    expect(() => sbgBaseValue(regular, cohorts, 0.1)).toThrow(new DataError(message));
  });
});
