import { describe, expect, it } from "vitest";
import { bdwRetentionRates, fitBetaDiscreteWeibull } from "../../src/clv/beta-discrete-weibull.js";
import { type ContractModel, fitPooledChurn, forecastCohorts } from "../../src/clv/contract-pooling.js";
import {
  fitShiftedBetaGeometric,
  sbgLogLikelihood,
  sbgSurvivalCurve,
} from "../../src/clv/shifted-beta-geometric.js";
import { DataError } from "../../src/core/errors.js";
import { type Random, randomSource } from "../../src/numeric/random.js";
import { drawBinomial } from "../../src/numeric/sampling.js";

// Fader & Hardie (2007), How to Project Customer Retention, table 1: 1,000 customers, years 0-7.
const highEnd = [1000, 869, 743, 653, 593, 551, 517, 491];
const regular = [1000, 631, 468, 382, 326, 289, 262, 241];

/** Survivors of a cohort whose customers draw their churn from Beta(alpha, beta). */
function simulated(
  random: Random,
  parameters: { readonly alpha: number; readonly beta: number; readonly c?: number },
  customers: number,
  renewals: number,
): number[] {
  const survivors = [customers];
  for (const rate of bdwRetentionRates({ c: 1, ...parameters }, renewals)) {
    survivors.push(drawBinomial(random, survivors.at(-1) as number, rate));
  }
  return survivors;
}

/** Parameters with the given mean churn and alpha + beta. */
const withMean = (churn: number, total: number) => ({ alpha: total * churn, beta: total * (1 - churn) });

describe("cohorts fitted at once", () => {
  it("tells the Regular from the High End customers", () => {
    // Fader & Hardie (2007): log-likelihoods -1680.265 and -1611.158 on their own.
    const { pooled, partial, separate, tests } = fitPooledChurn([regular, highEnd]);
    expect((separate[0]?.logLikelihood ?? 0) + (separate[1]?.logLikelihood ?? 0)).toBeCloseTo(-3291.423, 3);
    // Recomputed with SciPy: both cohorts under one sBG, and under two with the same alpha + beta.
    expect(pooled.logLikelihood).toBeCloseTo(-3393.402, 3);
    expect(partial.logLikelihood).toBeCloseTo(-3299.862, 3);
    expect(partial.parameters["alpha + beta"]).toBeCloseTo(2.5691, 4);
    expect(tests.pooledAgainstSeparate.degreesOfFreedom).toBe(2);
    expect(tests.pooledAgainstSeparate.statistic).toBeCloseTo(2 * (3393.402 - 3291.423), 2);
    expect(tests.pooledAgainstSeparate.pValue).toBeCloseTo(Math.exp(3291.423 - 3393.402), 46); // exp(-x / 2) on 2 degrees
    expect(tests.partialAgainstSeparate.pValue).toBeLessThan(1e-4); // nor do they differ as much from one another
    const { pooledAgainstPartial, partialAgainstSeparate, pooledAgainstSeparate } = tests;
    expect(pooledAgainstPartial.statistic + partialAgainstSeparate.statistic).toBeCloseTo(
      pooledAgainstSeparate.statistic,
      8,
    );
    const bdw = fitPooledChurn([regular, highEnd], "BdW");
    // Research on lifetime value, section 2.3: -1679.603 and -1605.314, recomputed.
    expect(bdw.separate[0]?.logLikelihood).toBeCloseTo(-1679.603, 3);
    expect(bdw.separate[1]?.logLikelihood).toBeCloseTo(-1605.314, 3);
    expect(bdw.pooled.logLikelihood).toBeCloseTo(-3390.77, 3);
    expect(bdw.partial.logLikelihood).toBeCloseTo(-3296.236, 3);
    expect(bdw.tests.pooledAgainstSeparate.degreesOfFreedom).toBe(3);
    expect(bdw.tests.pooledAgainstSeparate.pValue).toBeLessThan(1e-10);
  });

  it.each<ContractModel>(["sBG", "BdW"])("that are equal give the same %s whatever is pooled", (model) => {
    const { parameters, tests, pooled, partial } = fitPooledChurn([highEnd, highEnd, highEnd], model);
    const alone = model === "sBG" ? fitShiftedBetaGeometric(highEnd) : fitBetaDiscreteWeibull(highEnd);
    for (const pooling of ["pooled", "partial", "separate"] as const) {
      for (const cohort of parameters[pooling]) {
        for (const [name, value] of Object.entries(alone.parameters)) {
          expect(cohort[name as "alpha"] / value).toBeCloseTo(1, 4);
        }
      }
    }
    for (const { statistic, pValue } of Object.values(tests)) {
      expect(statistic).toBeCloseTo(0, 6);
      expect(pValue).toBeCloseTo(1, 3);
    }
    expect(partial.logLikelihood).toBeCloseTo(pooled.logLikelihood, 7);
    expect(pooled.observations).toBe(3000);
  });

  it("have log-likelihoods that rise with what each cohort has of its own, and parameters that give them", () => {
    const cohorts = [regular.slice(0, 4), highEnd, regular.slice(0, 2), highEnd.slice(0, 3)];
    const fit = fitPooledChurn(cohorts);
    for (const pooling of ["pooled", "partial", "separate"] as const) {
      const sum = cohorts.reduce((total, cohort, place) => {
        const { alpha = 0, beta = 0 } = fit.parameters[pooling][place] ?? {};
        return total + sbgLogLikelihood({ alpha, beta }, cohort);
      }, 0);
      const fitted =
        pooling === "separate"
          ? fit.separate.reduce((total, { logLikelihood }) => total + logLikelihood, 0)
          : fit[pooling].logLikelihood;
      expect(sum).toBeCloseTo(fitted, 7);
    }
    // Separately 2 + 2 + 1 + 2 parameters (one renewal tells one number), in part 1 + 4, pooled 2.
    expect(Object.values(fit.tests).map(({ degreesOfFreedom }) => degreesOfFreedom)).toEqual([3, 2, 5]);
    expect(fit.partial.logLikelihood).toBeGreaterThan(fit.pooled.logLikelihood);
  });

  it("recover what they share and what they do not, within their standard errors", () => {
    const random = randomSource(31);
    for (const c of [1, 1.4]) {
      const model = c === 1 ? "sBG" : "BdW";
      const churn = [0.15, 0.3, 0.45];
      const cohorts = churn.map((mean, place) =>
        simulated(random, { ...withMean(mean, 3), c }, 50_000, 9 - 2 * place),
      );
      const { partial, tests } = fitPooledChurn(cohorts, model);
      const truth = [3, ...(c === 1 ? [] : [c]), ...churn.map((mean) => mean / (1 - mean))];
      for (const [place, name] of Object.keys(partial.parameters).entries()) {
        const error = (partial.parameters[name] ?? 0) - (truth[place] ?? 0);
        expect(Math.abs(error)).toBeLessThan(4 * (partial.standardErrors[name] ?? 0));
        expect(partial.standardErrors[name]).toBeLessThan(0.1 * (truth[place] ?? 0));
      }
      expect(tests.pooledAgainstPartial.pValue).toBeLessThan(1e-10);
      expect(tests.partialAgainstSeparate.pValue).toBeGreaterThan(1e-4);
    }
  });

  it("have tests that reject what is true in 5% of worlds", () => {
    const random = randomSource(32);
    const worlds = 400;
    let [pooledRejected, partialRejected] = [0, 0];
    let meanStatistic = 0;
    for (let world = 0; world < worlds; world++) {
      const alike = [7, 5, 3].map((renewals) => simulated(random, { alpha: 0.8, beta: 2.4 }, 1000, renewals));
      const { pooledAgainstSeparate } = fitPooledChurn(alike).tests;
      meanStatistic += pooledAgainstSeparate.statistic / worlds;
      if (pooledAgainstSeparate.pValue < 0.05) pooledRejected++;
      const differing = [0.2, 0.3, 0.4].map((mean) => simulated(random, withMean(mean, 2), 1000, 6));
      if (fitPooledChurn(differing).tests.partialAgainstSeparate.pValue < 0.05) partialRejected++;
    }
    const bound = 4 * Math.sqrt((0.05 * 0.95) / worlds);
    expect(Math.abs(pooledRejected / worlds - 0.05)).toBeLessThan(bound);
    expect(Math.abs(partialRejected / worlds - 0.05)).toBeLessThan(bound);
    expect(Math.abs(meanStatistic - 4)).toBeLessThan(4 * Math.sqrt(8 / worlds)); // chi square with 4 degrees of freedom
  });

  it("have forecasts that go on from today's customers", () => {
    const fit = fitPooledChurn([regular, highEnd.slice(0, 4)]);
    const rows = forecastCohorts(fit, "separate", 5).objects() as Record<string, number>[];
    expect(rows.map((row) => row["cohort"])).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
    expect(rows.map((row) => row["renewals"])).toEqual([8, 9, 10, 11, 12, 4, 5, 6, 7, 8]);
    const curve = sbgSurvivalCurve(fitShiftedBetaGeometric(regular).parameters, 12);
    for (const [ahead, row] of rows.slice(0, 5).entries()) {
      expect(row["customers"]).toBeCloseTo((241 * (curve[8 + ahead] ?? 0)) / (curve[7] ?? 0), 8);
    }
    expect(forecastCohorts(fit, "pooled", 0).numRows()).toBe(0);
    const borrowed = forecastCohorts(fit, "partial", 4).objects() as Record<string, number>[];
    // Years 4 to 7 of the High End cohort, cut after year 3: 593, 551, 517, 491 in truth.
    const truth = [593, 551, 517, 491];
    for (const [ahead, row] of borrowed.slice(4).entries()) {
      expect(Math.abs((row["customers"] ?? 0) / (truth[ahead] ?? 1) - 1)).toBeLessThan(0.05);
    }
  });

  it("survive JSON and are frozen", () => {
    const fit = fitPooledChurn([regular, highEnd]);
    expect(JSON.parse(JSON.stringify(fit))).toEqual(fit);
    expect(Object.isFrozen(fit.cohorts[0])).toBe(true);
    expect(fit.parameters.pooled[0]?.c).toBe(1);
  });

  it("work where nobody left one cohort, with a warning", () => {
    const { separate, partial, tests } = fitPooledChurn([regular, [500, 500, 500]]);
    expect(separate[1]?.warnings[0]).toMatch(/nobody left/);
    expect(partial.warnings.join("; ")).toContain("churn odds of cohort 2");
    expect(tests.pooledAgainstPartial.pValue).toBeLessThan(1e-10);
  });

  it.each<[string, readonly number[]]>([
    ["all leave at once", [500, 0, 0, 0]],
    ["half leave at once, then nobody", [500, 250, 250, 250]],
    ["half leave later, at one renewal", [500, 500, 250, 250]],
    ["one customer leaves in the middle", [1, 1, 0, 0]],
    ["one customer stays", [1, 1, 1, 1]],
  ])("work with a cohort at the boundary: %s", (_, cohort) => {
    for (const model of ["sBG", "BdW"] as const) {
      const { separate, partial, pooled } = fitPooledChurn([regular, cohort], model);
      expect(separate[1]?.identification.weak).toBe(true);
      expect(separate[1]?.warnings.length).toBeGreaterThan(0);
      const together = separate.reduce((sum, { logLikelihood }) => sum + logLikelihood, 0);
      expect(partial.logLikelihood).toBeGreaterThan(pooled.logLikelihood - 1e-6);
      expect(together).toBeGreaterThan(partial.logLikelihood - 1e-3);
    }
  });

  it("say what the data show where a cohort has no maximum", () => {
    expect(() => fitPooledChurn([regular, [500, 500, 500, 0]], "BdW")).toThrow(
      /nobody left but at renewal 3/,
    );
  });

  it.each<[readonly (readonly number[])[], ContractModel, string]>([
    [[], "sBG", "cohorts must hold at least two with 2 renewals or more to compare sBG fits, got 0 of 0"],
    [
      [regular],
      "sBG",
      "cohorts must hold at least two with 2 renewals or more to compare sBG fits, got 1 of 1",
    ],
    [
      [regular, [100, 50, 40]],
      "BdW",
      "cohorts must hold at least two with 3 renewals or more to compare BdW fits, got 1 of 2",
    ],
    [
      [regular, [100, 50, 60]],
      "sBG",
      "survivors of cohort 2 must not rise, but they do in period 2: 100, 50, 60",
    ],
    [[regular, highEnd, [5]], "sBG", "survivors of cohort 3 must be at least two numbers, got [5]"],
    [
      [regular, [100, Number.NaN, 60]],
      "sBG",
      "survivors of cohort 2 must be numbers from 0 up, got NaN in period 1",
    ],
  ])("refuses %j under %s", (cohorts, model, message) => {
    expect(() => fitPooledChurn(cohorts, model)).toThrow(new DataError(message));
  });

  it("refuses periods that are none", () => {
    const fit = fitPooledChurn([regular, highEnd]);
    expect(() => forecastCohorts(fit, "pooled", 1.5)).toThrow(
      "periods must be a whole number from 0 up, got 1.5",
    );
  });
});
