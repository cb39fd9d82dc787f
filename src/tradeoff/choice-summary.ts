import { coefficientLines, fourDigits, testLine } from "../core/text.js";
import type { ConditionalLogitFit } from "./conditional-logit.js";
import type { LatentClassFit } from "./latent-class.js";
import type { MixedLogitFit } from "./mixed-logit.js";
import type { NestedLogitFit } from "./nested-logit.js";

/** A fitted model of choices. */
export type ChoiceFit = ConditionalLogitFit | MixedLogitFit | NestedLogitFit | LatentClassFit;

/**
 * A model of choices in a few aligned lines for a notebook: choices and respondents, every coefficient with standard error, 95%
 * interval (Wald) and p, class by class or with what else the model has, log-likelihood, criteria and warnings.
 */
export function choiceSummary(fit: ChoiceFit): string {
  const { model, observations, respondents, errors, logLikelihood, nullLogLikelihood } = fit;
  const size = `${observations.toLocaleString("en-US")} choices of ${respondents.toLocaleString("en-US")} respondents`;
  const kind = errors === "model" ? "standard errors of the model" : `robust standard errors by ${errors}`;
  return [
    `${model} (${kind}): ${size}`,
    "",
    ...estimates(fit),
    "",
    `log-likelihood ${logLikelihood.toFixed(2)}, ${nullLogLikelihood.toFixed(2)} with equal shares, McFadden's R2 ${fit.mcFaddenR2.toFixed(3)}`,
    `root likelihood ${fit.rootLikelihood.toFixed(3)}, AIC ${fit.aic.toFixed(2)}, BIC ${fit.bic.toFixed(2)}`,
    ...comparison(fit),
    ...("warnings" in fit ? fit.warnings.map((text) => `warning: ${text}`) : []),
  ].join("\n");
}

function estimates(fit: ChoiceFit): string[] {
  if (fit.model !== "latent class logit") return coefficientLines(fit);
  return fit.classes.flatMap((own, place) => [
    ...(place === 0 ? [] : [""]),
    `class ${place + 1}: ${(100 * own.share).toFixed(1)}% of respondents`,
    ...coefficientLines(own),
  ]);
}

/** What the model has besides coefficients, against the conditional logit. */
function comparison(fit: ChoiceFit): string[] {
  switch (fit.model) {
    case "conditional logit":
      return [testLine("likelihood-ratio", fit.likelihoodRatioTest)];
    case "nested logit": {
      const dissimilarities = Object.entries(fit.dissimilarities).map(([nest, value]) => {
        const error = fit.dissimilarityErrors[nest];
        return `${nest} ${fourDigits(value)}${error === undefined ? "" : ` (standard error ${fourDigits(error)})`}`;
      });
      return [
        `dissimilarities: ${dissimilarities.join(", ")}`,
        testLine("independence", fit.independenceTest),
      ];
    }
    case "mixed logit":
      return [
        `${fit.sameTastesLogLikelihood.toFixed(2)} if all had the same tastes; ${fit.draws} ${fit.sequence} draws${fit.panel ? " a respondent" : " a choice"}`,
      ];
    case "latent class logit":
      return [
        `${fit.sameTastesLogLikelihood.toFixed(2)} if all had the same tastes; entropy R2 ${fit.entropyR2.toFixed(3)}; ${fit.searches.agreed} of ${fit.searches.finished} searches agree`,
      ];
  }
}
