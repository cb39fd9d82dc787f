import { expect, it } from "vitest";
import { fitLogistic } from "../../src/scoring/logistic.js";
import { logisticSummary } from "../../src/scoring/logistic-summary.js";

// 30 of 100 and 60 of 100: an odds ratio of (60/40) / (30/70) = 3.5, its log 1.253 with Woolf's standard error 0.2988.
const outcomes = [1, 0, 1, 0];
const weights = [30, 70, 60, 40];
const offered = [0, 0, 1, 1];

it("tells odds ratios, tests and the kind of the errors in lines of a notebook", () => {
  const lines = logisticSummary(fitLogistic(outcomes, { offered }, { weights })).split("\n");
  expect(lines[0]).toBe("logistic regression (standard errors of the model): 200 rows, 90 events");
  expect(lines[2]).toBe("covariate  coefficient  std. error  odds ratio      95% interval       p");
  expect(lines[3]).toBe("intercept      -0.8473      0.2182      0.4286  0.2794 to 0.6573  <0.001");
  expect(lines[4]).toBe("offered          1.253      0.2988       3.500    1.949 to 6.287  <0.001");
  expect(lines[6]).toBe("log-likelihood -128.39, -137.63 without covariates");
  expect(lines[7]).toMatch(/^likelihood-ratio test: chi-squared 18\.48 on 1 degree of freedom, p <0\.001$/);
});

it("says what was asked of the fit", () => {
  const text = logisticSummary(fitLogistic(outcomes, { offered }, { weights, penalty: 0.01, robust: true }));
  expect(text).toContain("(robust standard errors, ridge penalty 0.01)");
});
