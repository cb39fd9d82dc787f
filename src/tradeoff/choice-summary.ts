import { alignedColumns, coefficientLines, fourDigits, testLine } from "../core/text.js";
import type { ConditionalLogitFit } from "./conditional-logit.js";
import type { HierarchicalBayesFit, PosteriorSummary } from "./hierarchical-bayes.js";
import type { LatentClassFit } from "./latent-class.js";
import type { MixedLogitFit } from "./mixed-logit.js";
import type { NestedLogitFit } from "./nested-logit.js";

/** A model of choices fitted by maximum likelihood. */
type LikelihoodFit = ConditionalLogitFit | MixedLogitFit | NestedLogitFit | LatentClassFit;

/** A fitted model of choices. */
export type ChoiceFit = LikelihoodFit | HierarchicalBayesFit;

/**
 * A model of choices in a few aligned lines for a notebook: choices and respondents, every coefficient with standard error, 95%
 * interval (Wald) and p, class by class or with what else the model has, log-likelihood, criteria and warnings; of
 * hierarchical Bayes the posterior of means and spreads ("log" of the size where the sign is known), and whether its chains
 * agree.
 */
export function choiceSummary(fit: ChoiceFit): string {
  if (fit.model === "hierarchical Bayes logit") return posteriorSummary(fit);
  const { model, errors, logLikelihood, nullLogLikelihood } = fit;
  const kind = errors === "model" ? "standard errors of the model" : `robust standard errors by ${errors}`;
  return [
    `${model} (${kind}): ${sizeOf(fit)}`,
    "",
    ...estimates(fit),
    "",
    `log-likelihood ${logLikelihood.toFixed(2)}, ${nullLogLikelihood.toFixed(2)} with equal shares, McFadden's R2 ${fit.mcFaddenR2.toFixed(3)}`,
    `root likelihood ${fit.rootLikelihood.toFixed(3)}, AIC ${fit.aic.toFixed(2)}, BIC ${fit.bic.toFixed(2)}`,
    ...comparison(fit),
    ...("warnings" in fit ? fit.warnings.map((text) => `warning: ${text}`) : []),
  ].join("\n");
}

const sizeOf = ({ observations, respondents }: Pick<ChoiceFit, "observations" | "respondents">): string =>
  `${observations.toLocaleString("en-US")} choices of ${respondents.toLocaleString("en-US")} respondents`;

function posteriorSummary(fit: HierarchicalBayesFit): string {
  const { model, chains, iterations, level, diagnostics, logLikelihood, nullLogLikelihood, effects } = fit;
  const lines = (
    summaries: Readonly<Record<string, PosteriorSummary>>,
    label: (name: string) => string,
  ): string[][] =>
    Object.entries(summaries).map(([name, { mean, sd, low, high, rHat, essBulk }]) => [
      label(name),
      fourDigits(mean),
      fourDigits(sd),
      `${fourDigits(low)} to ${fourDigits(high)}`,
      rHat.toFixed(3),
      essBulk.toFixed(0),
    ]);
  const normal = (name: string): string => (name in fit.constraints ? `log ${name}` : name);
  return [
    `${model} (${chains} chains of ${iterations.toLocaleString("en-US")} sweeps): ${sizeOf(fit)}`,
    "",
    ...alignedColumns([
      ["covariate", "mean", "sd", `${Number((100 * level).toFixed(2))}% interval`, "R-hat", "ESS"],
      ...lines(fit.population, (name) => name),
      ...lines(fit.heterogeneity, (name) => `sd ${normal(name)}`),
      ...Object.entries(effects).flatMap(([covariate, own]) =>
        lines(own, (name) => `${covariate} on ${normal(name)}`),
      ),
    ]),
    "",
    `log-likelihood ${logLikelihood.toFixed(2)} on average, ${nullLogLikelihood.toFixed(2)} with equal shares`,
    `root likelihood ${fit.rootLikelihood.toFixed(3)}, hit rate ${(100 * fit.hitRate).toFixed(1)}%, both of the choices fitted`,
    `chains ${fit.converged ? "agree" : "do not agree"}: R-hat at most ${diagnostics.rHat.toFixed(3)}, ESS at least ${diagnostics.essBulk.toFixed(0)}, of limits ${diagnostics.essTail.toFixed(0)}`,
    ...fit.warnings.map((text) => `warning: ${text}`),
  ].join("\n");
}

function estimates(fit: LikelihoodFit): string[] {
  if (fit.model !== "latent class logit") return coefficientLines(fit);
  return fit.classes.flatMap((own, place) => [
    ...(place === 0 ? [] : [""]),
    `class ${place + 1}: ${(100 * own.share).toFixed(1)}% of respondents`,
    ...coefficientLines(own),
  ]);
}

/** What the model has besides coefficients, against the conditional logit. */
function comparison(fit: LikelihoodFit): string[] {
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
