import { describe, expect, it } from "vitest";
import { fitBetaDiscreteWeibull } from "../../src/clv/beta-discrete-weibull.js";
import { fitBgBb } from "../../src/clv/bg-bb.js";
import { bgCnbdK, fitBgCnbdK, fitBgNbd, simulateBgNbd } from "../../src/clv/bg-nbd.js";
import { purchaseCells } from "../../src/clv/cells.js";
import { fitWithCovariates } from "../../src/clv/covariates.js";
import type { ModelFit } from "../../src/clv/fit.js";
import { fitGammaGamma, simulateGammaGamma } from "../../src/clv/gamma-gamma.js";
import { fitNbd, nbd } from "../../src/clv/nbd.js";
import { fitShiftedBetaGeometric } from "../../src/clv/shifted-beta-geometric.js";
import { informationCriteria, likelihoodRatioTest, summary } from "../../src/clv/summary.js";
import { randomSource } from "../../src/numeric/random.js";

/** Fader & Hardie (2007), How to Project Customer Retention: the High End cohort, 1,000 customers, years 0-7. */
const highEnd = [1000, 869, 743, 653, 593, 551, 517, 491];
const ages = Array.from({ length: 300 }, (_, i) => 27 + (i % 84) / 7);
const cells = purchaseCells(
  simulateBgNbd({ r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 }, ages, randomSource(3)),
);

/** A fit written by hand, so that every figure of its summary can be checked by hand. */
const written: ModelFit<string> = {
  model: "Example",
  parameters: { r: 0.5, alpha: 12345.6 },
  standardErrors: { r: 0.05, alpha: 12345.6 },
  covariance: [
    [0.0025, 0],
    [0, 12345.6 ** 2],
  ],
  logLikelihood: -100,
  observations: 1234,
  converged: true,
  evaluations: 10,
  identification: { conditionNumber: 2e7, weak: true, ridge: "r rises while alpha falls", undetermined: [] },
  warnings: ["Example: of something"],
};

describe("summary", () => {
  it("aligns parameters, errors and intervals, and ends with identification and warnings", () => {
    // intervals: 0.5 exp(±1.959964 0.1) and 12345.6 exp(±1.959964): e^1.959964 = 7.09907
    expect(summary(written)).toBe(
      [
        "Example, 1,234 customers",
        "log-likelihood -100.00, AIC 204.00, BIC 214.24 (2 parameters)",
        "",
        "parameter  estimate  std. error      95% interval",
        "r            0.5000     0.05000  0.4110 to 0.6083",
        "alpha         12346       12346     1739 to 87642",
        "",
        "weakly identified: r rises while alpha falls (condition number 2.000e+7)",
        "warning: Example: of something",
      ].join("\n"),
    );
  });

  it("gives no error or interval where the data determine none", () => {
    const identification = { ...written.identification, undetermined: ["alpha"] };
    const [, , , , r, alpha] = summary({ ...written, identification }).split("\n");
    expect(r).toMatch(/^r +0.5000 +0.05000 +0.4110 to 0.6083$/);
    expect(alpha).toMatch(/^alpha +12346 +not determined$/);
  });

  it("shows the published estimates and errors of the sBG", () => {
    // Fader & Hardie (2007), High End: .668, 3.806, LL -1611.158; standard errors .1037 and .7855 (scipy)
    const text = summary(fitShiftedBetaGeometric(highEnd));
    expect(text).toContain(
      "sBG, 1,000 customers\nlog-likelihood -1611.16, AIC 3226.32, BIC 3236.13 (2 parameters)",
    );
    expect(text).toMatch(/^alpha +0\.668\d +0\.103\d /m);
    expect(text).toMatch(/^beta +3\.80\d +0\.785\d /m);
    expect(text).toMatch(/well identified \(condition number [\d.]+\)$/);
  });

  it("adds the test of the sBG to a BdW", () => {
    const fit = fitBetaDiscreteWeibull(highEnd);
    const { statistic, pValue } = fit.testOfSbg;
    expect(pValue).toBeLessThan(0.001);
    expect(summary(fit)).toContain(
      `test of the sBG (c = 1): chi-squared ${statistic.toPrecision(4)}, 1 degree of freedom, p <0.001`,
    );
    expect(likelihoodRatioTest(fitShiftedBetaGeometric(highEnd), fit).statistic).toBeCloseTo(statistic, 5);
  });

  it("counts the regularity k among the parameters", () => {
    const fit = fitBgCnbdK(cells, { k: 2 });
    expect(summary(fit)).toMatch(/^k +2 +whole number$/m);
    expect(informationCriteria(fit).parameters).toBe(5);
    expect(informationCriteria(bgCnbdK(2).fit(cells)).parameters).toBe(4);
  });

  it("takes the fits of the other models", () => {
    const spends = simulateGammaGamma(
      { p: 6.25, q: 3.74, gamma: 15.44 },
      Array.from({ length: 200 }, (_, i) => 1 + (i % 4)),
      randomSource(1),
    );
    expect(summary(fitGammaGamma(spends))).toMatch(/^Gamma-Gamma, 200 customers\n/);
    const donors = {
      x: [0, 1, 2, 1, 3],
      recency: [0, 1, 3, 2, 3],
      opportunities: [3, 3, 3, 3, 3],
      weight: [60, 25, 20, 15, 30],
    };
    expect(summary(fitBgBb(donors))).toMatch(/^BG\/BB, 150 customers\n/);
  });

  it("gives coefficients symmetric intervals on their own scale, with z and p", () => {
    const group = ages.map((_, i) => i % 2);
    const histories = nbd.simulate({ r: 1, alpha: 5 }, ages, randomSource(9));
    const fit = fitWithCovariates(nbd, histories, { purchase: { group } });
    const { estimate, standardError, z, pValue } = fit.coefficients["purchase.group"] ?? expect.fail();
    const text = summary(fit);
    expect(text).toContain("NBD with covariates, 300 customers");
    expect(text).toContain("(3 parameters)");
    const row = text.split("\n").find((line) => line.startsWith("purchase.group")) ?? "";
    const [, shown, error, low, , high, shownZ, shownP] = row.split(/ +/).map(Number);
    expect(shown).toBeCloseTo(estimate, 4);
    expect(error).toBeCloseTo(standardError, 4);
    expect(low).toBeCloseTo(estimate - 1.959964 * standardError, 3);
    expect(high).toBeCloseTo(estimate + 1.959964 * standardError, 3);
    expect(shownZ).toBeCloseTo(z, 2);
    expect(shownP).toBeCloseTo(pValue, 3);
  });
});

describe("informationCriteria", () => {
  it("is twice the parameters, or their number times log n, less twice the log-likelihood", () => {
    expect(informationCriteria(written)).toEqual({ aic: 204, bic: 2 * Math.log(1234) + 200, parameters: 2 });
  });

  it("prefers the model that made the data", () => {
    expect(informationCriteria(fitBgNbd(cells)).aic).toBeLessThan(informationCriteria(fitNbd(cells)).aic);
  });
});

describe("likelihoodRatioTest", () => {
  const of = (logLikelihood: number, size: number, observations = 50): ModelFit<string> => ({
    ...written,
    logLikelihood,
    observations,
    parameters: Object.fromEntries(Array.from({ length: size }, (_, i) => [`p${i}`, 1])),
  });

  it.each([
    [1, 3.841458820694124, 0.05],
    [1, 6.634896601021213, 0.01],
    [2, 5.991464547107979, 0.05],
    [3, 11.344866730144373, 0.01],
  ])("agrees with the chi-squared table: %i degrees of freedom, %f", (df, statistic, p) => {
    // quantiles of R's qchisq
    const test = likelihoodRatioTest(of(-100, 1), of(-100 + statistic / 2, df + 1));
    expect(test.degreesOfFreedom).toBe(df);
    expect(test.statistic).toBeCloseTo(statistic, 10);
    expect(test.pValue).toBeCloseTo(p, 10);
  });

  it("is 0 with p 1 where rounding puts the full model below", () => {
    expect(likelihoodRatioTest(of(-100, 1), of(-100.00001, 2))).toEqual({
      statistic: 0,
      degreesOfFreedom: 1,
      pValue: 1,
    });
  });

  it("refuses fits that do not compare", () => {
    expect(() => likelihoodRatioTest(of(-100, 1), of(-90, 2, 51))).toThrow(
      new RangeError("both fits must be of the same customers, got 50 and 51"),
    );
    expect(() => likelihoodRatioTest(of(-100, 2), of(-90, 2))).toThrow(
      new RangeError("the full model must have more parameters than the restricted one, got 0 more"),
    );
    expect(() => likelihoodRatioTest(of(-90, 1), of(-100, 2))).toThrow(
      new RangeError(
        "the restricted model must be nested in the full one, but its log-likelihood is higher by 10",
      ),
    );
  });
});
