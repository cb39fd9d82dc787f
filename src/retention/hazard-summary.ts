import { coefficientLines, fourDigits, testLine } from "../core/text.js";
import type { AcceleratedFailureFit } from "./accelerated-failure.js";
import type { FineGrayFit } from "./competing-risks.js";
import type { CoxFit } from "./cox.js";
import { normalScore } from "./kaplan-meier.js";

/** A fitted survival model with coefficients. */
export type SurvivalFit = CoxFit | FineGrayFit | AcceleratedFailureFit;

/** The effect of one covariate as a factor. */
export interface CovariateEffect {
  /** Name of the covariate. */
  readonly covariate: string;
  /** exp(coefficient): what one unit more multiplies the hazard by (Cox, Fine-Gray), or the lifetime (accelerated failure). */
  readonly factor: number;
  /** Lower confidence limit of the factor. */
  readonly low: number;
  /** Upper confidence limit of the factor. */
  readonly high: number;
  /** Two-sided p value of "no effect" (Wald). */
  readonly p: number;
}

/**
 * Effects of the covariates of a survival model as factors with Wald intervals, in the order of the covariates.
 * @throws RangeError if `level` is not between 0 and 1.
 */
export function covariateEffects(fit: SurvivalFit, level = 0.95): readonly CovariateEffect[] {
  const z = normalScore(level);
  return Object.entries(fit.coefficients)
    .filter(([covariate]) => covariate !== "intercept")
    .map(([covariate, coefficient]) => {
      const width = z * (fit.standardErrors[covariate] as number);
      return Object.freeze({
        covariate,
        factor: Math.exp(coefficient),
        low: Math.exp(coefficient - width),
        high: Math.exp(coefficient + width),
        p: fit.p[covariate] as number,
      });
    });
}

/**
 * A survival fit in a few aligned lines for a notebook: customers and events, log-likelihood, every coefficient with
 * standard error, factor, 95% interval and p, and the tests of all coefficients at once.
 */
export function survivalSummary(fit: SurvivalFit): string {
  const factor = fit.model === "accelerated failure time" ? "lifetime factor" : "hazard ratio";
  const { intercept: _, ...coefficients } = fit.coefficients;
  const lines = coefficientLines({ ...fit, coefficients }, { factor });
  return [heading(fit), "", ...lines, "", ...closingLines(fit)].join("\n");
}

function heading(fit: SurvivalFit): string {
  const rows = `${fit.observations.toLocaleString("en-US")} rows, ${fit.events.toLocaleString("en-US")} events`;
  if (fit.model === "accelerated failure time") return `${fit.model}, ${fit.distribution}: ${rows}`;
  const errors = fit.robust ? "robust standard errors" : "standard errors of the model";
  if (fit.model === "Cox") return `Cox (${fit.ties} ties, ${errors}): ${rows}`;
  const others = `${fit.competing.toLocaleString("en-US")} of other causes`;
  return `Fine-Gray, cause ${fit.cause} (${fit.ties} ties, ${errors}): ${rows}, ${others}`;
}

function closingLines(fit: SurvivalFit): string[] {
  if (fit.model === "accelerated failure time") {
    const { coefficients, scale, logLikelihood, aic } = fit;
    return [
      `intercept ${fourDigits(coefficients["intercept"] as number)}, scale ${fourDigits(scale)}`,
      `log-likelihood ${logLikelihood.toFixed(2)}, AIC ${aic.toFixed(2)}`,
    ];
  }
  const concordance = fit.model === "Cox" ? fit.concordance : undefined;
  return [
    `log partial likelihood ${fit.logLikelihood.toFixed(2)}, ${fit.nullLogLikelihood.toFixed(2)} without covariates`,
    testLine("likelihood-ratio", fit.likelihoodRatioTest),
    testLine("Wald", fit.waldTest),
    testLine("score", fit.scoreTest),
    ...(concordance
      ? [
          `concordance ${concordance.concordance.toFixed(3)}, standard error ${concordance.standardError.toFixed(3)}`,
        ]
      : []),
  ];
}
