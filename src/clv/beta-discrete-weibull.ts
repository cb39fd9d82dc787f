import type { Objective } from "../numeric/minimise.js";
import { digamma, logGammaRatio } from "../numeric/special.js";
import { chiSquareTail } from "../numeric/tail-probability.js";
import { requireParameters } from "./cells.js";
import { fitPositive, type ModelFit } from "./fit.js";
import {
  bestSbg,
  type RenewalCounts,
  renewalCounts,
  requireDiscountRate,
  requirePeriods,
  type Survivors,
  withExtremes,
} from "./shifted-beta-geometric.js";

/** Parameters of the BdW: the sBG's, and c, above 1 if a customer's own chance to leave grows with tenure. */
export interface BdwParameters {
  readonly alpha: number;
  readonly beta: number;
  readonly c: number;
}

/** A likelihood-ratio test of a model against one nested in it. */
export interface LikelihoodRatioTest {
  readonly statistic: number;
  readonly degreesOfFreedom: number;
  readonly pValue: number;
}

/** A fit of the BdW with the test of the sBG, which is the BdW with c = 1. */
export interface BdwFit extends ModelFit<"alpha" | "beta" | "c"> {
  readonly testOfSbg: LikelihoodRatioTest;
}

/**
 * Fits the beta-discrete-Weibull model of a contractual customer base by maximum likelihood, and tests it against the
 * sBG nested in it (c = 1). `survivors` are the customers alive after 0, 1, 2, … periods; several cohorts are pooled.
 * @throws DataError if survivors rise, are negative or not finite, or are fewer than two numbers.
 * @throws ConvergenceError if the likelihood has no optimum the solver can reach.
 * @see Fader, Hardie, Liu, Davin & Steenburgh (2018), "How to Project Customer Retention" Revisited: The Role of
 * Duration Dependence, J. Interactive Marketing 43.
 */
export function fitBetaDiscreteWeibull(survivors: Survivors): BdwFit {
  const counts = renewalCounts(survivors);
  const nested = bestSbg(counts);
  const [alpha, beta] = moderate(nested.alpha, nested.beta);
  const fit = fitPositive({
    model: "BdW",
    names: ["alpha", "beta", "c"],
    starts: [
      [alpha, beta, 1],
      [alpha / 2, beta / 2, 1.5],
      [1, 1, 0.7],
    ],
    logLikelihood: (parameters, gradient) => bdwLogLikelihoodAt(counts, parameters, gradient),
    observations: counts.customers,
    simplerModel: "sBG",
    boundary: boundaryOf(counts),
  });
  const statistic = Math.max(0, 2 * (fit.logLikelihood - nested.logLikelihood));
  const testOfSbg = Object.freeze({ statistic, degreesOfFreedom: 1, pValue: chiSquareTail(statistic, 1) });
  return Object.freeze({ ...withExtremes(fit, counts), testOfSbg });
}

/**
 * Log-likelihood of the BdW as a function of (alpha, beta, c) that fills its gradient, for `posteriorDraws`.
 * @throws DataError as in fitBetaDiscreteWeibull.
 */
export function bdwObjective(survivors: Survivors): Objective {
  const counts = renewalCounts(survivors);
  return (parameters, gradient) => bdwLogLikelihoodAt(counts, parameters, gradient);
}

/**
 * Log-likelihood of the BdW for the survivors of one or several cohorts, and its gradient by (alpha, beta, c), written
 * to `gradient` if given.
 * @throws DataError as in fitBetaDiscreteWeibull; RangeError if a parameter is not above 0.
 * @see Fader et al. (2018).
 */
export function bdwLogLikelihood(
  parameters: BdwParameters,
  survivors: Survivors,
  gradient: Float64Array = new Float64Array(3),
): number {
  requireParameters(parameters);
  const { alpha, beta, c } = parameters;
  return bdwLogLikelihoodAt(renewalCounts(survivors), [alpha, beta, c], gradient);
}

/**
 * Share of a cohort alive after 0, 1, …, `periods` periods: B(alpha, beta + t^c) / B(alpha, beta).
 * @throws RangeError if a parameter is not above 0 or `periods` is no whole number from 0 up.
 * @see Fader et al. (2018).
 */
export function bdwSurvivalCurve(parameters: BdwParameters, periods: number): Float64Array {
  requireParameters(parameters);
  requirePeriods(periods);
  const { alpha, beta, c } = parameters;
  return Float64Array.from({ length: periods + 1 }, (_, t) =>
    Math.exp(
      t ** c < HUGE ? logStaying(beta, t ** c, alpha) : logRise(0, parameters) - logRise(t, parameters),
    ),
  );
}

/**
 * Retention rates of renewals 1 to `periods` under the BdW; they may fall before they rise.
 * @throws RangeError if a parameter is not above 0 or `periods` is no whole number from 0 up.
 * @see Fader et al. (2018).
 */
export function bdwRetentionRates(parameters: BdwParameters, periods: number): Float64Array {
  requireParameters(parameters);
  requirePeriods(periods);
  return Float64Array.from({ length: periods }, (_, t) => Math.exp(logRetention(t, parameters)));
}

/**
 * Discounted expected residual lifetime (DERL) of a customer who has renewed `renewals` times, in periods, seen just before
 * the next renewal, which counts in full if it happens. `discountRate` is a fraction per period, above 0.
 * @throws RangeError if a parameter or the discount rate is not above 0, or renewals is no whole number from 0 up.
 * @see Fader & Hardie (2010), Customer-Base Valuation in a Contractual Setting, Marketing Science 29(1), with the BdW's
 * retention rates.
 */
export function bdwDiscountedResidualLifetime(
  parameters: BdwParameters,
  { renewals, discountRate }: { readonly renewals: number; readonly discountRate: number },
): number {
  requireParameters(parameters);
  requirePeriods(renewals, "renewals");
  requireDiscountRate(discountRate);
  let lifetime = 0;
  let term = 1 + discountRate;
  for (let t = renewals; term > NEGLIGIBLE * discountRate * lifetime; t++) {
    term *= Math.exp(logRetention(t, parameters)) / (1 + discountRate);
    lifetime += term;
  }
  return lifetime;
}

/** In words, if all who left did so at one renewal: there is no course of churn to fit. */
function boundaryOf({ left }: RenewalCounts): string | undefined {
  const renewals = [...left.keys()].filter((t) => (left[t] as number) > 0);
  const [only] = renewals;
  if (only === undefined || renewals.length > 1) return undefined;
  return `nobody left but at renewal ${only + 1}, so that the data show no course of churn over time`;
}

const NEGLIGIBLE = 1e-17; // of the sum; what is left out is at most the last term / discountRate

/** The pair at the same churn but off the end of a ridge, where a search could not start. */
function moderate(alpha: number, beta: number): readonly [number, number] {
  const shrink = Math.min(1, 1000 / Math.max(alpha, beta));
  return [Math.max(alpha * shrink, 1e-3), Math.max(beta * shrink, 1e-3)];
}

/**
 * Log of B(alpha, from + step) / B(alpha, from), a chance to stay. Of the two ways to pair the four gamma functions the
 * one with the smaller terms is taken, as they nearly cancel.
 */
function logStaying(from: number, step: number, alpha: number): number {
  return alpha <= step
    ? logGammaRatio(from, alpha) - logGammaRatio(from + step, alpha)
    : logGammaRatio(from, step) - logGammaRatio(from + alpha, step);
}

const HUGE = 1e100; // of t^c: from here on the gamma functions are powers to the last digit
const FAR = 1e8; // of beta + t^c by 1 + alpha: the next term of the series is a share of 1e-17

/** Log of the retention rate at renewal t + 1, the chance to stay of those who have renewed t times. */
function logRetention(t: number, parameters: BdwParameters): number {
  const { alpha, beta, c } = parameters;
  const [from, to] = [t ** c, (t + 1) ** c];
  if (to >= HUGE) return logRise(t, parameters) - logRise(t + 1, parameters);
  return logStaying(beta + from, to - from, alpha);
}

/** Log of Gamma(alpha + beta + t^c) / Gamma(beta + t^c), also where t^c overflows: there it is c alpha ln t. */
const logRise = (t: number, { alpha, beta, c }: BdwParameters): number =>
  t ** c < HUGE ? logGammaRatio(beta + t ** c, alpha) : c * alpha * Math.log(t);

/** Derivatives of `logRise` by alpha, beta and c. */
function riseSlopes(t: number, { alpha, beta, c }: BdwParameters): readonly [number, number, number] {
  const power = t ** c;
  const logTime = t === 0 ? 0 : Math.log(t);
  if (power >= HUGE) return [c * logTime, 0, alpha * logTime];
  const own = beta + power;
  const all = digamma(alpha + own);
  // Far out the two digammas agree in all their digits, and their difference is a derivative times alpha.
  const rest = own > FAR * (1 + alpha) ? alpha / (own + (alpha - 1) / 2) : all - digamma(own);
  return [all, rest, rest * power * logTime];
}

/** Each renewal t is a draw with retention rate S(t) / S(t - 1). */
function bdwLogLikelihoodAt(
  { left, stayed }: RenewalCounts,
  parameters: ArrayLike<number>,
  gradient: Float64Array,
): number {
  const [alpha = 0, beta = 0, c = 0] = Array.from(parameters);
  const at = { alpha, beta, c };
  let value = 0;
  gradient.fill(0);
  for (const [t, leavers] of left.entries()) {
    const stayers = stayed[t] as number;
    if (leavers + stayers === 0) continue;
    const logStay = logRetention(t, at);
    const leave = Math.max(-Math.expm1(logStay), Number.MIN_VALUE);
    if (stayers > 0) value += stayers * logStay;
    if (leavers > 0) value += leavers * Math.log(leave);
    // d log-likelihood by log retention, then the chain rule through the four digammas
    const slope = stayers - (leavers > 0 ? (leavers * Math.exp(logStay)) / leave : 0);
    const [from, to] = [riseSlopes(t, at), riseSlopes(t + 1, at)];
    for (const [k, rise] of from.entries()) {
      gradient[k] = (gradient[k] as number) + slope * (rise - (to[k] as number));
    }
  }
  return value;
}
