import { alignedColumns, chance, fourDigits } from "../core/text.js";
import { normalQuantile } from "../numeric/special.js";
import { chiSquareTail } from "../numeric/tail-probability.js";
import type { LikelihoodRatioTest } from "./beta-discrete-weibull.js";
import type { Coefficient } from "./covariates.js";
import type { ModelFit } from "./fit.js";

/** What can be summarised: a fit of any model, with what only some of them have. */
export interface FitToSummarise extends ModelFit<string> {
  /** Regularity of a CNBD-k model. */
  readonly k?: number;
  /** Of the covariates, by name. */
  readonly coefficients?: Readonly<Record<string, Coefficient>>;
  /** Of the BdW against the sBG. */
  readonly testOfSbg?: LikelihoodRatioTest;
}

/** Fit per number of parameters: of models of the same data the one with the lowest value is to be preferred. */
export interface InformationCriteria {
  /** Akaike's: 2 parameters - 2 log-likelihood. */
  readonly aic: number;
  /** Bayesian (Schwarz): parameters log(customers) - 2 log-likelihood. */
  readonly bic: number;
  /** Parameters estimated: coefficients and the k of a CNBD-k model included. */
  readonly parameters: number;
}

/**
 * AIC and BIC of a fit. They compare fits whose log-likelihoods are of the same data in the same time unit.
 * @see Akaike (1974), A New Look at the Statistical Model Identification, IEEE Trans. Automatic Control 19(6);
 * Schwarz (1978), Estimating the Dimension of a Model, Annals of Statistics 6(2).
 */
export function informationCriteria(fit: FitToSummarise): InformationCriteria {
  const coefficients = Object.keys(fit.coefficients ?? {}).length;
  const parameters = Object.keys(fit.parameters).length + coefficients + (fit.k === undefined ? 0 : 1);
  return {
    aic: 2 * parameters - 2 * fit.logLikelihood,
    bic: parameters * Math.log(fit.observations) - 2 * fit.logLikelihood,
    parameters,
  };
}

/**
 * Likelihood-ratio test of a model against one nested in it, both fitted to the same customers: the p-value is the
 * chance of so large a statistic if the restricted model is true (chi-squared). Where the restricted
 * model is a limit of the full one (the NBD of the Pareto/NBD) the true p-value is smaller.
 * @throws RangeError if the customers differ, the full model has no more parameters, or fits worse, which no model does
 * in which the other is nested.
 * @see Wilks (1938), The Large-Sample Distribution of the Likelihood Ratio, Annals of Mathematical Statistics 9(1).
 */
export function likelihoodRatioTest(restricted: FitToSummarise, full: FitToSummarise): LikelihoodRatioTest {
  if (restricted.observations !== full.observations) {
    const got = `${restricted.observations} and ${full.observations}`;
    throw new RangeError(`both fits must be of the same customers, got ${got}`);
  }
  const degreesOfFreedom = informationCriteria(full).parameters - informationCriteria(restricted).parameters;
  if (degreesOfFreedom < 1) {
    throw new RangeError(
      `the full model must have more parameters than the restricted one, got ${degreesOfFreedom} more`,
    );
  }
  const gain = full.logLikelihood - restricted.logLikelihood;
  if (gain < -1e-6 * Math.abs(full.logLikelihood)) {
    throw new RangeError(
      `the restricted model must be nested in the full one, but its log-likelihood is higher by ${-gain}`,
    );
  }
  const statistic = Math.max(2 * gain, 0);
  return Object.freeze({ statistic, degreesOfFreedom, pValue: chiSquareTail(statistic, degreesOfFreedom) });
}

/**
 * A fit in a few aligned lines for a notebook: log-likelihood, AIC and BIC, every parameter with standard error and 95%
 * interval, identification, warnings. Intervals are exp(log estimate ± 1.96 standard errors of the log), as the
 * parameters are above 0; those of coefficients are symmetric and come with z and p (Wald).
 */
export function summary(fit: FitToSummarise): string {
  const { aic, bic, parameters } = informationCriteria(fit);
  const coefficients = Object.entries(fit.coefficients ?? {});
  const kind = coefficients.length > 0 ? `${fit.model} with covariates` : fit.model;
  const rows = [
    ["parameter", "estimate", "std. error", "95% interval", ...(coefficients.length > 0 ? ["z", "p"] : [])],
    ...Object.keys(fit.parameters).map((name) => parameterRow(fit, name)),
    ...(fit.k === undefined ? [] : [["k", String(fit.k), "", "whole number"]]),
    ...coefficients.map(([name, coefficient]) => coefficientRow(fit, name, coefficient)),
  ];
  const lines = [
    `${kind}, ${fit.observations.toLocaleString("en-US")} customers`,
    `log-likelihood ${fit.logLikelihood.toFixed(2)}, AIC ${aic.toFixed(2)}, BIC ${bic.toFixed(2)} (${parameters} parameters)`,
    "",
    ...alignedColumns(rows),
    "",
    identificationLine(fit),
  ];
  if (fit.testOfSbg) {
    const { statistic, pValue } = fit.testOfSbg;
    lines.push(
      `test of the sBG (c = 1): chi-squared ${fourDigits(statistic)}, 1 degree of freedom, p ${chance(pValue)}`,
    );
  }
  return [...lines, ...fit.warnings.map((text) => `warning: ${text}`)].join("\n");
}

const Z95 = normalQuantile(0.975);

function parameterRow(fit: FitToSummarise, name: string): string[] {
  const value = fit.parameters[name] as number;
  const error = fit.standardErrors[name] as number;
  const spread = Math.exp((Z95 * error) / value);
  return [name, fourDigits(value), ...precision(fit, name, error, value / spread, value * spread)];
}

function coefficientRow(fit: FitToSummarise, name: string, coefficient: Coefficient): string[] {
  const { estimate, standardError, z, pValue } = coefficient;
  const width = Z95 * standardError;
  const limits = precision(fit, name, standardError, estimate - width, estimate + width);
  return [name, fourDigits(estimate), ...limits, z.toFixed(2), chance(pValue)];
}

/** Standard error and interval, where the data determine them. */
const precision = (fit: FitToSummarise, name: string, error: number, low: number, high: number): string[] =>
  fit.identification.undetermined.includes(name)
    ? ["", "not determined"]
    : [fourDigits(error), `${fourDigits(low)} to ${fourDigits(high)}`];

function identificationLine({ identification: { conditionNumber, weak, ridge } }: FitToSummarise): string {
  const condition = `condition number ${fourDigits(conditionNumber)}`;
  return weak ? `weakly identified: ${ridge} (${condition})` : `well identified (${condition})`;
}
