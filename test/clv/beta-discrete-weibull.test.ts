import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConvergenceError } from "../../src/core/errors.js";
import {
  bdwLogLikelihood,
  bdwRetentionRates,
  bdwSurvivalCurve,
  fitBetaDiscreteWeibull,
  sbgLogLikelihood,
  sbgSurvivalCurve,
} from "../../src/index.js";
import { checkGradient } from "../../src/numeric/derivatives.js";

// Fader & Hardie (2007), How to Project Customer Retention, table 1: 1,000 customers, years 0-7.
const highEnd = [1000, 869, 743, 653, 593, 551, 517, 491];
const regular = [1000, 631, 468, 382, 326, 289, 262, 241];

const parameter = fc.double({ min: -1.5, max: 1.5, noNaN: true }).map(Math.exp);
const runs = { seed: 7, numRuns: 100 };

describe("fitBetaDiscreteWeibull", () => {
  it("reproduces R's estimates, projections and likelihood-ratio tests on seven years", () => {
    // foretell 0.3 and R's optim on the same data.
    const regularFit = fitBetaDiscreteWeibull(regular);
    expect(regularFit.parameters.alpha).toBeCloseTo(0.4556, 4);
    expect(regularFit.parameters.beta).toBeCloseTo(0.7793, 4);
    expect(regularFit.parameters.c).toBeCloseTo(1.2835, 3);
    expect(regularFit.logLikelihood).toBeCloseTo(-1679.603, 3);
    expect(regularFit.testOfSbg.statistic).toBeCloseTo(1.32, 2);
    expect(regularFit.testOfSbg.pValue).toBeCloseTo(0.25, 2);
    const highEndFit = fitBetaDiscreteWeibull(highEnd);
    expect(highEndFit.parameters.alpha).toBeCloseTo(0.2143, 4);
    expect(highEndFit.parameters.beta).toBeCloseTo(1.4266, 3);
    expect(highEndFit.parameters.c).toBeCloseTo(1.7236, 3);
    expect(highEndFit.logLikelihood).toBeCloseTo(-1605.314, 3);
    expect(highEndFit.testOfSbg.statistic).toBeCloseTo(11.69, 2);
    expect(highEndFit.testOfSbg.pValue).toBeCloseTo(0.0006, 4);
    expect(highEndFit).toMatchObject({ model: "BdW", observations: 1000, converged: true, warnings: [] });
    const projections = [
      { fit: regularFit, expected: [22.3, 20.9, 19.7, 18.6, 17.7] },
      { fit: highEndFit, expected: [46.8, 44.8, 43.2, 41.7, 40.4] },
    ];
    for (const { fit, expected } of projections) {
      for (const [year, share] of bdwSurvivalCurve(fit.parameters, 12).slice(8).entries()) {
        expect(100 * share).toBeCloseTo(expected[year] ?? 0, 1);
      }
    }
  });

  it("pools cohorts", () => {
    const two = fitBetaDiscreteWeibull([regular, regular]);
    expect(two.parameters.c).toBeCloseTo(1.2835, 3);
    expect(two.observations).toBe(2000);
  });

  it("recovers the parameters that generated the data", () => {
    fc.assert(
      fc.property(parameter, parameter, parameter, (alpha, beta, c) => {
        const survivors = [...bdwSurvivalCurve({ alpha, beta, c }, 12)].map((share) => share * 1e9);
        const fit = fitBetaDiscreteWeibull(survivors);
        const known = bdwLogLikelihood({ alpha, beta, c }, survivors);
        expect(fit.logLikelihood / known).toBeCloseTo(1, 8);
        if (!fit.identification.weak) expect(fit.parameters.c / c).toBeCloseTo(1, 1);
      }),
      { seed: 7, numRuns: 30 },
    );
  });

  it("warns where nobody or everybody left, and where two numbers cannot tell three parameters", () => {
    expect(fitBetaDiscreteWeibull([100, 100, 100]).warnings[0]).toMatch(/^nobody left/);
    expect(fitBetaDiscreteWeibull([100, 0]).warnings[0]).toMatch(/^everybody left/);
    expect(fitBetaDiscreteWeibull([100, 50]).identification.weak).toBe(true);
  });

  it.each<[string, readonly number[]]>([
    ["nobody leaves", [100, 100, 100, 100]],
    ["all leave at once", [100, 0, 0, 0]],
    ["half leave at once, then nobody", [100, 50, 50, 50]],
    ["all but one leave at once, then nobody", [100, 1, 1, 1]],
    ["half leave later, at one renewal", [100, 100, 50, 50]],
    ["half leave at the last renewal", [100, 100, 100, 50]],
    ["one customer stays", [1, 1, 1, 1]],
    ["one customer leaves at the last renewal", [1, 1, 0]],
    ["one customer leaves in the middle", [1, 1, 0, 0]],
    ["one renewal", [100, 50]],
  ])("fits a cohort at the boundary, %s, with a warning and finite predictions", (_, survivors) => {
    for (const cohorts of [survivors, [survivors, survivors]] as const) {
      const fit = fitBetaDiscreteWeibull(cohorts);
      expect(fit.identification.weak).toBe(true);
      expect(fit.warnings.length).toBeGreaterThan(0);
      const copies = fit.observations / (survivors[0] as number);
      const curve = bdwSurvivalCurve(fit.parameters, 60);
      const rates = bdwRetentionRates(fit.parameters, 60);
      for (const [t, rate] of rates.entries()) {
        expect(rate).toBeGreaterThanOrEqual(0);
        expect(rate).toBeLessThanOrEqual(1);
        expect((curve[t] as number) * rate).toBeCloseTo(curve[t + 1] as number, 6);
      }
      // No model fits better than the observed share of leavers at each renewal.
      let saturated = 0;
      for (const [t, stayed] of survivors.slice(1).entries()) {
        const before = survivors[t] as number;
        if (stayed > 0) saturated += stayed * Math.log(stayed / before);
        if (stayed < before) saturated += (before - stayed) * Math.log(1 - stayed / before);
      }
      expect(fit.logLikelihood / copies).toBeLessThan(saturated + 1e-6);
    }
  });

  it("says what the data show where there is no maximum", () => {
    expect(() => fitBetaDiscreteWeibull([100, 100, 100, 0])).toThrow(ConvergenceError);
    expect(() => fitBetaDiscreteWeibull([100, 100, 100, 0])).toThrow(
      /^BdW has no maximum: .*; nobody left but at renewal 3, so that the data show no course of churn over time; a simpler model may fit: sBG$/,
    );
  });

  it("refuses survivors that rise", () => {
    expect(() => fitBetaDiscreteWeibull([10, 12])).toThrow(
      "survivors must not rise, but they do in period 1",
    );
  });
});

describe("BdW at given parameters", () => {
  it("tends to a power of time where t^c overflows", () => {
    // Gamma(x + alpha) / Gamma(x) tends to x^alpha: retention (t / (t + 1))^(c alpha), whatever beta.
    const parameters = { alpha: 0.01, beta: 2, c: 700 };
    const rates = bdwRetentionRates(parameters, 8);
    for (const t of [2, 3, 7]) expect(rates[t]).toBeCloseTo((t / (t + 1)) ** 7, 12);
    const curve = bdwSurvivalCurve(parameters, 8);
    expect((curve[8] as number) / (curve[4] as number)).toBeCloseTo(0.5 ** 7, 12);
    const survivors = [100, 60, 30, 20, 15, 12, 11, 11, 10];
    const objective = (x: Float64Array, gradient: Float64Array): number => {
      const [alpha = 0, beta = 0, c = 0] = x;
      return bdwLogLikelihood({ alpha, beta, c }, survivors, gradient);
    };
    expect(checkGradient(objective, [0.3, 2, 700])).toBeLessThan(1e-6);
    expect(checkGradient(objective, [0.5, 2, 150])).toBeLessThan(1e-6);
  });

  it("is the sBG at c = 1", () => {
    fc.assert(
      fc.property(parameter, parameter, (alpha, beta) => {
        const ours = bdwSurvivalCurve({ alpha, beta, c: 1 }, 20);
        for (const [t, share] of sbgSurvivalCurve({ alpha, beta }, 20).entries()) {
          expect((ours[t] ?? 0) / share).toBeCloseTo(1, 12);
        }
        const likelihood = bdwLogLikelihood({ alpha, beta, c: 1 }, highEnd);
        expect(likelihood / sbgLogLikelihood({ alpha, beta }, highEnd)).toBeCloseTo(1, 12);
      }),
      runs,
    );
  });

  it("has a gradient that equals finite differences", () => {
    fc.assert(
      fc.property(parameter, parameter, parameter, (alpha, beta, c) => {
        const objective = (x: Float64Array, gradient: Float64Array): number => {
          const [a = 0, b = 0, power = 0] = x;
          return bdwLogLikelihood({ alpha: a, beta: b, c: power }, highEnd, gradient);
        };
        expect(checkGradient(objective, [alpha, beta, c])).toBeLessThan(1e-6);
      }),
      runs,
    );
  });

  it("has survival curves that fall and retention rates that are their ratios", () => {
    fc.assert(
      fc.property(parameter, parameter, parameter, (alpha, beta, c) => {
        const curve = bdwSurvivalCurve({ alpha, beta, c }, 20);
        for (const [t, rate] of bdwRetentionRates({ alpha, beta, c }, 20).entries()) {
          expect(rate).toBeGreaterThan(0);
          expect(rate).toBeLessThanOrEqual(1);
          expect((curve[t + 1] ?? 0) / (curve[t] ?? 0) / rate).toBeCloseTo(1, 10);
        }
      }),
      runs,
    );
  });
});
