import { coefficientLines, testLine } from "../core/text.js";
import type { LogisticFit } from "./logistic.js";

/**
 * A logistic regression in a few aligned lines for a notebook: rows and events, every coefficient with standard error, odds
 * ratio, its 95% interval (Wald) and p, log-likelihood with and without covariates, tests of all covariates, warnings.
 */
export function logisticSummary(fit: LogisticFit): string {
  const { parameters, robust, observations, events, logLikelihood, nullLogLikelihood, penalty } = fit;
  const rows = `${observations.toLocaleString("en-US")} rows, ${events.toLocaleString("en-US")} events`;
  const errors = robust ? "robust standard errors" : "standard errors of the model";
  return [
    `logistic regression (${errors}${penalty > 0 ? `, ridge penalty ${penalty}` : ""}): ${rows}`,
    "",
    ...coefficientLines({ ...fit, coefficients: parameters }, { factor: "odds ratio" }),
    "",
    `log-likelihood ${logLikelihood.toFixed(2)}, ${nullLogLikelihood.toFixed(2)} without covariates`,
    testLine("likelihood-ratio", fit.likelihoodRatioTest),
    testLine("Wald", fit.waldTest),
    ...fit.warnings.map((text) => `warning: ${text}`),
  ].join("\n");
}
