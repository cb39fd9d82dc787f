import { requireWhole } from "../core/arguments.js";
import { DataError } from "../core/errors.js";
import { minimiseFrom, type Objective } from "../numeric/minimise.js";
import { requireParameters } from "./cells.js";
import { fitPositive, type ModelFit } from "./fit.js";

/** Parameters of the sBG: a customer's chance to leave at any renewal is Beta(alpha, beta) distributed. */
export interface SbgParameters {
  readonly alpha: number;
  readonly beta: number;
}

/** Customers alive after 0, 1, 2, … periods of one cohort, or of several cohorts, which are pooled. */
export type Survivors = readonly number[] | readonly (readonly number[])[];

/** Per renewal t = 1, 2, …: how many left and how many stayed, over all cohorts; all that the likelihoods need. */
export interface RenewalCounts {
  readonly left: Float64Array;
  readonly stayed: Float64Array;
  readonly customers: number;
}

/**
 * Fits the shifted-beta-geometric model of a contractual customer base by maximum likelihood: `survivors` are the
 * customers alive after 0, 1, 2, … periods. Several cohorts are pooled, they may be observed for different times.
 * @throws DataError if survivors rise, are negative or not finite, or are fewer than two numbers.
 * @throws ConvergenceError if the likelihood has no optimum the solver can reach.
 * @see Fader & Hardie (2007), How to Project Customer Retention, J. Interactive Marketing 21(1).
 */
export function fitShiftedBetaGeometric(survivors: Survivors): ModelFit<"alpha" | "beta"> {
  const counts = renewalCounts(survivors);
  const fit = fitPositive({
    model: "sBG",
    names: ["alpha", "beta"],
    starts: STARTS,
    logLikelihood: ([alpha = 0, beta = 0], gradient) => sbgLogLikelihoodAt(counts, alpha, beta, gradient),
    observations: counts.customers,
    simplerModel: "a constant retention rate",
  });
  return withExtremes(fit, counts);
}

/**
 * Log-likelihood of the sBG as a function of (alpha, beta) that fills its gradient, for `posteriorDraws`.
 * @throws DataError as in fitShiftedBetaGeometric.
 */
export function sbgObjective(survivors: Survivors): Objective {
  const counts = renewalCounts(survivors);
  return ([alpha = 0, beta = 0], gradient) => sbgLogLikelihoodAt(counts, alpha, beta, gradient);
}

/**
 * Log-likelihood of the sBG for the survivors of one or several cohorts.
 * @throws DataError as in fitShiftedBetaGeometric; RangeError if a parameter is not above 0.
 * @see Fader & Hardie (2007).
 */
export function sbgLogLikelihood(parameters: SbgParameters, survivors: Survivors): number {
  requireParameters(parameters);
  return sbgLogLikelihoodAt(renewalCounts(survivors), parameters.alpha, parameters.beta, new Float64Array(2));
}

/**
 * Share of a cohort alive after 0, 1, …, `periods` periods; the first is 1.
 * @throws RangeError if a parameter is not above 0 or `periods` is no whole number from 0 up.
 * @see Fader & Hardie (2007).
 */
export function sbgSurvivalCurve(parameters: SbgParameters, periods: number): Float64Array {
  const rates = sbgRetentionRates(parameters, periods);
  const curve = new Float64Array(periods + 1).fill(1);
  for (const [period, rate] of rates.entries()) curve[period + 1] = (curve[period] as number) * rate;
  return curve;
}

/**
 * Retention rates of renewals 1 to `periods`: the share of those still there who renew. They rise with time although
 * nobody changes, because the customers most likely to leave leave first.
 * @throws RangeError if a parameter is not above 0 or `periods` is no whole number from 0 up.
 * @see Fader & Hardie (2007).
 */
export function sbgRetentionRates(parameters: SbgParameters, periods: number): Float64Array {
  requireParameters(parameters);
  requirePeriods(periods);
  const { alpha, beta } = parameters;
  return Float64Array.from({ length: periods }, (_, t) => (beta + t) / (alpha + beta + t));
}

/**
 * Discounted expected residual lifetime (DERL) of a customer who has renewed `renewals` times, in periods, seen just
 * before the next renewal: the next renewal counts in full if it happens, the one after it by 1 / (1 + discountRate).
 * Times the net cash flow per period it is the residual value. `discountRate` is a fraction per period, above 0.
 * @throws RangeError if a parameter or the discount rate is not above 0, or renewals is no whole number from 0 up.
 * @see Fader & Hardie (2010), Customer-Base Valuation in a Contractual Setting, Marketing Science 29(1).
 */
export function sbgDiscountedResidualLifetime(
  parameters: SbgParameters,
  { renewals, discountRate }: { readonly renewals: number; readonly discountRate: number },
): number {
  requireParameters(parameters);
  requirePeriods(renewals, "renewals");
  requireDiscountRate(discountRate);
  return discountedRenewals(parameters.alpha, parameters.beta + renewals, discountRate);
}

/**
 * Sum over j >= 1 of S(j) / (1 + d)^(j - 1), where S(j) is the beta-geometric chance to pass j renewals:
 * b / (a + b) 2F1(1, b + 1; a + b + 1; 1 / (1 + d)). Gauss's continued fraction, whose neighbours bracket the value,
 * by Lentz's method.
 * @see Olver et al. (2010), NIST Handbook of Mathematical Functions, 15.7.
 */
export function discountedRenewals(a: number, b: number, discountRate: number): number {
  const z = 1 / (1 + discountRate);
  const upper = b + 1;
  const c = a + b; // 2F1(upper, 1; c + 1; z) = 1 / (1 + d1 z / (1 + d2 z / …)), all d < 0
  let front = 0; // ratios of neighbouring denominators and numerators
  let back = 1;
  let value = 1;
  for (let k = 1; k < 200_000; k++) {
    const n = k >> 1;
    const d =
      k % 2 === 1
        ? -((upper + n) * (c + n)) / ((c + 2 * n) * (c + 2 * n + 1))
        : -(n * (c - upper + n)) / ((c + 2 * n - 1) * (c + 2 * n));
    front = 1 / (1 + d * z * front);
    back = 1 + (d * z) / back;
    const change = front * back;
    value *= change;
    if (Math.abs(change - 1) < 1e-16) break;
  }
  return b / c / value;
}

/**
 * The best sBG and its log-likelihood, also where churn does not fall with tenure: then the best is the limit of ever
 * more equal customers, a constant churn rate, which no finite alpha and beta reach.
 */
export function bestSbg(counts: RenewalCounts): SbgParameters & { readonly logLikelihood: number } {
  const onLogScale = (x: Float64Array, gradient: Float64Array): number => {
    if (x.some((log) => Math.abs(log) > 15)) return Number.POSITIVE_INFINITY;
    const [alpha = 0, beta = 0] = x.map(Math.exp);
    const value = sbgLogLikelihoodAt(counts, alpha, beta, gradient);
    gradient[0] = -(gradient[0] as number) * alpha;
    gradient[1] = -(gradient[1] as number) * beta;
    return -value;
  };
  const best = minimiseFrom(
    onLogScale,
    STARTS.map((start) => start.map(Math.log)),
  );
  const [alpha = 0, beta = 0] = best.x.map(Math.exp);
  const left = total(counts.left);
  const stayed = total(counts.stayed);
  const churn = left / (left + stayed);
  const constant = (left > 0 ? left * Math.log(churn) : 0) + (stayed > 0 ? stayed * Math.log1p(-churn) : 0);
  return { alpha, beta, logLikelihood: Math.max(-best.value, constant) };
}

const STARTS = [
  [1, 1],
  [0.5, 5],
  [10, 30],
] as const;

const total = (counts: Float64Array): number => counts.reduce((sum, count) => sum + count, 0);

/** Renewal decisions of one or several cohorts, added up; checks the survivors. */
export function renewalCounts(survivors: Survivors): RenewalCounts {
  const cohorts = (Array.isArray(survivors[0]) ? survivors : [survivors]) as readonly (readonly number[])[];
  for (const [index, cohort] of cohorts.entries()) {
    requireSurvivors(cohorts.length > 1 ? `survivors of cohort ${index + 1}` : "survivors", cohort);
  }
  const renewals = Math.max(...cohorts.map((cohort) => cohort.length)) - 1;
  const left = new Float64Array(renewals);
  const stayed = new Float64Array(renewals);
  for (const cohort of cohorts) {
    for (const [t, alive] of cohort.slice(1).entries()) {
      left[t] = (left[t] as number) + (cohort[t] as number) - alive;
      stayed[t] = (stayed[t] as number) + alive;
    }
  }
  const customers = cohorts.reduce((sum, [first = 0]) => sum + first, 0);
  return { left, stayed, customers };
}

/** The fit with a warning where the data say nothing about how customers differ: nobody left, or everybody. */
export function withExtremes<P extends string>(fit: ModelFit<P>, counts: RenewalCounts): ModelFit<P> {
  const warning = extremeWarning(counts);
  return warning ? Object.freeze({ ...fit, warnings: Object.freeze([warning, ...fit.warnings]) }) : fit;
}

function extremeWarning({ left, stayed }: RenewalCounts): string | undefined {
  if (left.every((count) => count === 0)) {
    return "nobody left: the survivors only say that churn is low, the parameters are not identified";
  }
  if (stayed.every((count) => count === 0)) {
    return "everybody left at the first renewal: the parameters are not identified";
  }
  if (stayed.at(-1) === 0) {
    return "everybody left by the last period: survival beyond it is extrapolated from the churn before";
  }
  return undefined;
}

/** Each renewal is a draw with the sBG's retention rate: no special function and no cancellation. */
function sbgLogLikelihoodAt(
  { left, stayed }: RenewalCounts,
  alpha: number,
  beta: number,
  gradient: Float64Array,
): number {
  let value = 0;
  let byAlpha = 0;
  let byBeta = 0;
  for (const [t, leavers] of left.entries()) {
    const stayers = stayed[t] as number;
    const all = alpha + beta + t;
    const both = (leavers + stayers) / all;
    if (leavers > 0) value += leavers * Math.log(alpha / all);
    if (stayers > 0) value += stayers * Math.log1p(-alpha / all);
    byAlpha += leavers / alpha - both;
    byBeta += stayers / (beta + t) - both;
  }
  gradient[0] = byAlpha;
  gradient[1] = byBeta;
  return value;
}

function requireSurvivors(name: string, cohort: readonly number[]): void {
  const shown = cohort.slice(0, 12).join(", ");
  if (cohort.length < 2) throw new DataError(`${name} must be at least two numbers, got [${shown}]`);
  const odd = cohort.findIndex((alive) => !(alive >= 0 && Number.isFinite(alive)));
  if (odd !== -1) {
    throw new DataError(`${name} must be numbers from 0 up, got ${cohort[odd]} in period ${odd}`);
  }
  const rise = cohort.findIndex((alive, t) => alive > (cohort[t - 1] ?? Number.POSITIVE_INFINITY));
  if (rise !== -1) {
    throw new DataError(`${name} must not rise, but they do in period ${rise}: ${shown}`);
  }
  if (cohort[0] === 0) throw new DataError(`${name} must begin above 0, got ${shown}`);
}

/** @throws RangeError if a number of periods is no whole number from 0 up. */
export function requirePeriods(periods: number, name = "periods"): void {
  requireWhole(name, periods, 0);
}

/** @throws RangeError if a discount rate is not above 0. */
export function requireDiscountRate(discountRate: number): void {
  if (!(discountRate > 0 && Number.isFinite(discountRate))) {
    throw new RangeError(
      `discountRate must be a fraction per period above 0, such as 0.1, got ${discountRate}`,
    );
  }
}
