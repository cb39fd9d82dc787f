import { expect, it } from "vitest";
import { fitLogistic, predictProbability } from "../../src/scoring/logistic.js";
import { brierScore, logLoss, rocArea } from "../../src/scoring/score-quality.js";
import { block, numbers, type ReferenceCase, referenceTable, toleranceOf } from "./case.js";

/** Holds logistic regression and the quality of its scores to one `logit_` case, fitted by the formula of the case. */
export function runLogitCase(reference: ReferenceCase): void {
  const peer = block(reference.content["r_glm"]);
  const [outcomeName = "", right = ""] = (peer["formula"] as string).split("~").map((side) => side.trim());
  const { header, rows } = referenceTable(reference.data[0] ?? "");
  const column = (name: string): number[] => rows.map((row) => Number(row[header.indexOf(name)]));
  const outcomes = column(outcomeName);
  const names = right.split("+").map((name) => name.trim());
  const covariates = Object.fromEntries(names.map((name) => [name, column(name)]));
  const fit = fitLogistic(outcomes, covariates);
  const ours = (name: string): string => (name === "(Intercept)" ? "intercept" : name);
  const within = (key: string, distance: number): void => {
    expect(Math.abs(distance)).toBeLessThanOrEqual(toleranceOf(reference.tolerance[key]));
  };

  it("coefficients, standard errors, log-likelihood", () => {
    for (const [name, value] of Object.entries(block(peer["coef"])))
      within("coef", (fit.parameters[ours(name)] as number) - Number(value));
    for (const [name, value] of Object.entries(block(peer["se"])))
      within("se", (fit.standardErrors[ours(name)] as number) / Number(value) - 1);
    within("loglik", fit.logLikelihood - Number(peer["loglik"]));
  });

  it("probabilities and the quality of their order and size", () => {
    const probabilities = predictProbability(fit, covariates);
    for (const [row, value] of numbers(peer["fitted_first20"]).entries())
      expect(probabilities[row]).toBeCloseTo(value, 9);
    within("auc", rocArea(probabilities, outcomes).auc - Number(peer["auc"]));
    expect(brierScore(probabilities, outcomes).score).toBeCloseTo(Number(peer["brier"]), 10);
    expect(logLoss(probabilities, outcomes)).toBeCloseTo(Number(peer["log_loss"]), 10);
  });

  it.todo("Kolmogorov-Smirnov distance and deciles of scores");
}
