import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  DataError,
  fitShiftedBetaGeometric,
  sbgDiscountedResidualLifetime,
  sbgLogLikelihood,
  sbgRetentionRates,
  sbgSurvivalCurve,
} from "../../src/index.js";

// Fader & Hardie (2007), How to Project Customer Retention, table 1: 1,000 customers, years 0-12.
const highEnd = [1000, 869, 743, 653, 593, 551, 517, 491, 468, 445, 427, 409, 394];
const regular = [1000, 631, 468, 382, 326, 289, 262, 241, 223, 207, 194, 183, 173];

const parameter = fc.double({ min: -3, max: 3, noNaN: true }).map(Math.exp);
const runs = { seed: 7, numRuns: 100 };

/** Log-likelihood of the best constant churn rate. */
const constantChurn = (left: number, stayed: number): number =>
  left * Math.log(left / (left + stayed)) + stayed * Math.log(stayed / (left + stayed));

describe("fitShiftedBetaGeometric", () => {
  it("reproduces the published estimates on seven years", () => {
    const regularFit = fitShiftedBetaGeometric(regular.slice(0, 8));
    expect(regularFit.parameters.alpha).toBeCloseTo(0.704, 3);
    expect(regularFit.parameters.beta).toBeCloseTo(1.182, 3);
    expect(regularFit.logLikelihood).toBeCloseTo(-1680.265, 3);
    expect(regularFit.standardErrors.alpha).toBeCloseTo(0.0656, 4);
    expect(regularFit.standardErrors.beta).toBeCloseTo(0.1525, 4);
    const highEndFit = fitShiftedBetaGeometric(highEnd.slice(0, 8));
    // The body of the paper prints .688 for alpha, its appendix .668: the likelihood has its maximum at the latter.
    expect(highEndFit.parameters.alpha).toBeCloseTo(0.668, 3);
    expect(highEndFit.parameters.beta).toBeCloseTo(3.806, 3);
    expect(highEndFit.logLikelihood).toBeCloseTo(-1611.158, 3);
    expect(highEndFit.standardErrors.alpha).toBeCloseTo(0.1037, 4);
    expect(highEndFit.standardErrors.beta).toBeCloseTo(0.7855, 4);
    expect(highEndFit).toMatchObject({ model: "sBG", observations: 1000, converged: true, warnings: [] });
    const misprint = sbgLogLikelihood({ alpha: 0.688, beta: 3.806 }, highEnd.slice(0, 8));
    expect(misprint).toBeLessThan(highEndFit.logLikelihood - 0.1);
  });

  it("reproduces the published estimates on four years", () => {
    // Fader & Hardie, A Spreadsheet-Literate Non-Statistician's Guide to the Beta-Geometric Model.
    const fit = fitShiftedBetaGeometric(regular.slice(0, 5));
    expect(fit.parameters.alpha).toBeCloseTo(0.764, 3);
    expect(fit.parameters.beta).toBeCloseTo(1.296, 3);
  });

  it("pools cohorts, also of different length: two equal ones double the likelihood, not the parameters", () => {
    const one = fitShiftedBetaGeometric(highEnd.slice(0, 8));
    const two = fitShiftedBetaGeometric([highEnd.slice(0, 8), highEnd.slice(0, 8)]);
    expect(two.parameters.alpha).toBeCloseTo(one.parameters.alpha, 6);
    expect(two.logLikelihood).toBeCloseTo(2 * one.logLikelihood, 6);
    expect(two.observations).toBe(2000);
    const mixed = [highEnd.slice(0, 4), highEnd.slice(0, 8)];
    const parts = mixed.map((cohort) => sbgLogLikelihood({ alpha: 0.7, beta: 4 }, cohort));
    expect(sbgLogLikelihood({ alpha: 0.7, beta: 4 }, mixed)).toBeCloseTo(
      (parts[0] ?? 0) + (parts[1] ?? 0),
      8,
    );
  });

  it("recovers the parameters that generated the data", () => {
    fc.assert(
      fc.property(parameter, parameter, (alpha, beta) => {
        const survivors = [...sbgSurvivalCurve({ alpha, beta }, 8)].map((share) => share * 1e6);
        const fit = fitShiftedBetaGeometric(survivors);
        expect(fit.parameters.alpha / alpha).toBeCloseTo(1, 3);
        expect(fit.parameters.beta / beta).toBeCloseTo(1, 3);
      }),
      { seed: 7, numRuns: 50 },
    );
  });

  it("warns where nobody or everybody left", () => {
    expect(fitShiftedBetaGeometric([100, 100, 100]).warnings[0]).toMatch(/^nobody left/);
    expect(fitShiftedBetaGeometric([100, 0]).warnings[0]).toMatch(/^everybody left at the first renewal/);
    expect(fitShiftedBetaGeometric([100, 60, 0]).warnings[0]).toMatch(/^everybody left by the last period/);
    expect(fitShiftedBetaGeometric([100, 100, 100]).identification.weak).toBe(true);
  });

  // Survivors, the first warning, and the log-likelihood of the limit that the parameters run to.
  it.each([
    ["nobody leaves", [100, 100, 100, 100], /^nobody left/, 0],
    ["one customer stays", [1, 1], /^nobody left/, 0],
    ["all leave at once", [100, 0], /^everybody left at the first renewal/, 0],
    ["all leave at once, and years are left", [100, 0, 0], /^everybody left at the first renewal/, 0],
    ["one customer leaves", [1, 0], /^everybody left at the first renewal/, 0],
    ["one customer leaves at the last renewal", [1, 1, 0], /^everybody left by the last/, 2 * Math.log(0.5)],
    ["all leave at the last renewal", [100, 100, 0], /^everybody left by the last/, 200 * Math.log(0.5)],
    ["half leave at once, then nobody", [100, 50, 50, 50], /weakly identified/, 100 * Math.log(0.5)],
    ["churn rises", [100, 90, 60, 20], /weakly identified/, constantChurn(80, 170)],
    ["one renewal only", [100, 80], /weakly identified/, constantChurn(20, 80)],
  ])("fits at the edge and says what is wrong: %s", (_, survivors, warning, logLikelihood) => {
    const fit = fitShiftedBetaGeometric(survivors);
    expect(fit.warnings[0]).toMatch(warning);
    expect(fit).toMatchObject({ converged: true, identification: { weak: true } });
    expect(fit.logLikelihood).toBeCloseTo(logLikelihood, 4);
    expect(fit.logLikelihood).toBeLessThanOrEqual(logLikelihood + 1e-9);
    for (const value of [...Object.values(fit.parameters), ...Object.values(fit.standardErrors)]) {
      expect(value).toBeGreaterThan(0);
      expect(value).toBeLessThan(Number.POSITIVE_INFINITY);
    }
    for (const [t, share] of sbgSurvivalCurve(fit.parameters, survivors.length - 1).entries()) {
      expect(share).toBeGreaterThanOrEqual(0);
      expect(share).toBeLessThanOrEqual(t === 0 ? 1 : 1 + 1e-12);
    }
  });

  it.each([
    [[1000, 900, 950], "survivors must not rise, but they do in period 2: 1000, 900, 950"],
    [[1000], "survivors must be at least two numbers, got [1000]"],
    [[], "survivors must be at least two numbers, got []"],
    [[1000, -1], "survivors must be numbers from 0 up, got -1 in period 1"],
    [[1000, Number.NaN], "survivors must be numbers from 0 up, got NaN in period 1"],
    [[0, 0], "survivors must begin above 0, got 0, 0"],
  ])("refuses survivors %j", (survivors, message) => {
    expect(() => fitShiftedBetaGeometric(survivors)).toThrow(new DataError(message));
  });

  it("names the cohort with the wrong number", () => {
    expect(() => fitShiftedBetaGeometric([highEnd, [10, 11]])).toThrow(
      "survivors of cohort 2 must not rise, but they do in period 1: 10, 11",
    );
  });
});

describe("sBG at given parameters", () => {
  it("reproduces the published log-likelihoods", () => {
    // Fader & Hardie (2007).
    expect(sbgLogLikelihood({ alpha: 1, beta: 1 }, highEnd.slice(0, 8))).toBeCloseTo(-2115.5, 1);
    expect(sbgLogLikelihood({ alpha: 0.01, beta: 0.01 }, highEnd.slice(0, 8))).toBeCloseTo(-2741.7, 1);
  });

  it("projects years 8-12", () => {
    const shares = (curve: Float64Array): number[] => [...curve.slice(8)].map((share) => 100 * share);
    const projections = [
      { survivors: regular, expected: [22.0, 20.4, 19.1, 18.0, 17.0] },
      { survivors: highEnd, expected: [46.0, 43.6, 41.4, 39.5, 37.8] },
    ];
    for (const { survivors, expected } of projections) {
      const { parameters } = fitShiftedBetaGeometric(survivors.slice(0, 8));
      for (const [year, share] of shares(sbgSurvivalCurve(parameters, 12)).entries()) {
        expect(share).toBeCloseTo(expected[year] ?? 0, 1);
      }
    }
  });

  it("reproduces published residual lifetimes", () => {
    const lifetime = sbgDiscountedResidualLifetime;
    expect(lifetime({ alpha: 0.668, beta: 3.806 }, { renewals: 7, discountRate: 0.1 })).toBeCloseTo(7.53, 3);
    // Fader & Hardie (2015), Reconciling and Clarifying CLV Formulas: $100 a period, after periods 1, 2 and 5.
    const values = [0, 1, 4].map(
      (renewals) => 100 * lifetime({ alpha: 0.764, beta: 1.296 }, { renewals, discountRate: 0.1 }),
    );
    expect(values.map(Math.round)).toEqual([288, 394, 568]);
  });

  it("gives retention rates that rise", () => {
    const rates = [...sbgRetentionRates({ alpha: 3.8, beta: 15.2 }, 4)];
    expect(rates.map((rate) => rate.toFixed(3))).toEqual(["0.800", "0.810", "0.819", "0.827"]);
  });

  it("agrees with the sum over renewals, at low discount rates too", () => {
    fc.assert(
      fc.property(parameter, parameter, fc.nat(20), (alpha, beta, renewals) => {
        for (const discountRate of [0.02, 0.3, 2]) {
          let chance = 1;
          let sum = 0;
          for (let t = 0; t < 3000; t++) {
            chance *= (beta + renewals + t) / (alpha + beta + renewals + t);
            sum += chance / (1 + discountRate) ** t;
          }
          const ours = sbgDiscountedResidualLifetime({ alpha, beta }, { renewals, discountRate });
          expect(ours / sum).toBeCloseTo(1, 10);
        }
      }),
      runs,
    );
  });

  it("has curves that fall from 1 and rates that rise, all between 0 and 1", () => {
    fc.assert(
      fc.property(parameter, parameter, (alpha, beta) => {
        const curve = sbgSurvivalCurve({ alpha, beta }, 30);
        const rates = sbgRetentionRates({ alpha, beta }, 30);
        expect(curve[0]).toBe(1);
        for (let t = 1; t <= 30; t++) {
          expect(curve[t]).toBeLessThan(curve[t - 1] ?? 0);
          expect(curve[t]).toBeGreaterThan(0);
          if (t > 1) expect(rates[t - 1]).toBeGreaterThan(rates[t - 2] ?? 1);
        }
      }),
      runs,
    );
  });

  it("refuses what is not possible", () => {
    const parameters = { alpha: 1, beta: 1 };
    expect(() => sbgSurvivalCurve({ alpha: 0, beta: 1 }, 3)).toThrow(
      "parameter alpha must be a number above 0",
    );
    expect(() => sbgSurvivalCurve(parameters, 2.5)).toThrow(
      "periods must be a whole number from 0 up, got 2.5",
    );
    expect(() => sbgDiscountedResidualLifetime(parameters, { renewals: -1, discountRate: 0.1 })).toThrow(
      "renewals must be a whole number from 0 up, got -1",
    );
    expect(() => sbgDiscountedResidualLifetime(parameters, { renewals: 1, discountRate: 0 })).toThrow(
      "discountRate must be a fraction per period above 0, such as 0.1, got 0",
    );
  });
});
