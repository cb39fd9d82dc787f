import { DataError } from "../core/errors.js";
import { logHypergeometric2F1 } from "../numeric/special.js";
import { requireParameters } from "./cells.js";
import {
  requireDiscountRate,
  type SbgParameters,
  sbgDiscountedResidualLifetime,
} from "./shifted-beta-geometric.js";

/** A customer seen just before the next renewal, and what later money is worth today. */
export interface RenewalTerms {
  /** Renewals that the customer has passed; 0 if left out. */
  readonly renewals?: number;
  /** Discount rate per period, a fraction above 0. */
  readonly discountRate: number;
}

/**
 * Retention elasticity under the sBG: by how many percent the discounted expected residual lifetime (DERL) rises if every
 * customer's own retention rate rises by one percent of itself from now on. With S(j) the chance to pass j more renewals it
 * is the sum of j S(j) / (1 + d)^(j - 1) over j from 1 up, divided by DERL, which is the same sum without j. Where all have
 * the retention rate r it is (1 + d) / (1 + d - r).
 * @throws RangeError if a parameter or the discount rate is not above 0, or renewals is no whole number from 0 up.
 * @see Fader & Hardie (2010), Customer-Base Valuation in a Contractual Setting, Marketing Science 29(1).
 */
export function sbgRetentionElasticity(parameters: SbgParameters, terms: RenewalTerms): number {
  const { renewals = 0, discountRate } = terms;
  const derl = sbgDiscountedResidualLifetime(parameters, { renewals, discountRate });
  const a = parameters.alpha;
  const b = parameters.beta + renewals;
  // Sum of j S(j) z^(j - 1): the derivative of z times DERL's series, a 2F1 of positive terms
  const weighted = Math.exp(logHypergeometric2F1(2, b + 1, a + b + 1, 1 / (1 + discountRate)));
  return ((b / (a + b)) * weighted) / derl;
}

/**
 * Share by which the discounted expected residual lifetime (DERL) grows if the mean retention rate at the next renewal
 * rises by `points` (0.05: from 80 to 85%) at the same polarisation 1 / (alpha + beta + 1): churn gets rarer, customers
 * differ as much as before. For customers who have passed renewals the mean and the polarisation are those among them.
 * @throws RangeError if a parameter or the discount rate is not above 0, renewals is no whole number from 0 up, or the
 * retention rate does not stay between 0 and 1.
 * @see Fader & Hardie (2010); Sabavala & Morrison (1977), A Model of TV Show Loyalty, J. Advertising Research 17(6), for
 * the polarisation index.
 */
export function sbgRetentionEffect(parameters: SbgParameters, points: number, terms: RenewalTerms): number {
  const { renewals = 0, discountRate } = terms;
  const before = sbgDiscountedResidualLifetime(parameters, { renewals, discountRate });
  const beta = parameters.beta + renewals;
  const all = parameters.alpha + beta;
  const raised = beta / all + points;
  if (!(raised > 0 && raised < 1)) {
    throw new RangeError(
      `the mean retention rate must stay between 0 and 1, but ${(beta / all).toPrecision(4)} changed by ${points} is ${raised.toPrecision(4)}`,
    );
  }
  const after = { alpha: all * (1 - raised), beta: all * raised };
  return sbgDiscountedResidualLifetime(after, { renewals: 0, discountRate }) / before - 1;
}

/** Residual value of the customers of several cohorts, in payments of one period, two ways. */
export interface ContractBaseValue {
  /** Customers present. */
  readonly customers: number;
  /** Discounted renewals to come under the sBG, given how often each cohort has renewed. */
  readonly payments: number;
  /** Share of last period's customers who renewed, over all cohorts. */
  readonly retentionRate: number;
  /** Discounted renewals to come if all renewed at that rate for ever. */
  readonly paymentsAtConstantRate: number;
  /** Share of the payments that the constant rate misses; below 0 where it overstates. */
  readonly undervaluation: number;
  /** Retention elasticity of the payments: `sbgRetentionElasticity`, cohorts weighted by their payments. */
  readonly elasticity: number;
  /** Retention elasticity at the constant rate, (1 + d) / (1 + d - r). */
  readonly elasticityAtConstantRate: number;
}

/**
 * Residual value of a contractual customer base under the sBG, beside that of one constant retention rate, as textbooks
 * take it. `cohorts` are the customers of each cohort alive after 0, 1, 2, … renewals, up to today; a cohort that has just
 * been acquired is one number. The next renewal counts in full if it happens, the one after it by 1 / (1 + d); times the
 * net cash flow per period it is money. The constant rate misses that those who have renewed often are those who stay.
 * @throws DataError if cohorts are empty, rise, are negative or not finite, or none has had a renewal due.
 * @throws RangeError if a parameter or the discount rate is not above 0.
 * @see Fader & Hardie (2010): a single retention rate undervalues a base by 25 to 50%.
 */
export function sbgBaseValue(
  parameters: SbgParameters,
  cohorts: readonly (readonly number[])[],
  discountRate: number,
): ContractBaseValue {
  requireParameters(parameters);
  requireDiscountRate(discountRate);
  let [customers, payments, weightedElasticity, due, renewed] = [0, 0, 0, 0, 0];
  for (const [index, survivors] of cohorts.entries()) {
    requireCohort(index, survivors);
    const renewals = survivors.length - 1;
    const alive = survivors[renewals] as number;
    const terms = { renewals, discountRate };
    const worth = alive * sbgDiscountedResidualLifetime(parameters, terms);
    customers += alive;
    payments += worth;
    weightedElasticity += worth * sbgRetentionElasticity(parameters, terms);
    if (renewals > 0) {
      due += survivors[renewals - 1] as number;
      renewed += alive;
    }
  }
  if (!(due > 0))
    throw new DataError("cohorts must hold one with customers whose renewal has been due, got none");
  if (customers === 0) throw new DataError("cohorts must hold customers who are still there, got none");
  const retentionRate = renewed / due;
  const elasticityAtConstantRate = (1 + discountRate) / (1 + discountRate - retentionRate);
  const paymentsAtConstantRate = customers * retentionRate * elasticityAtConstantRate;
  return Object.freeze({
    customers,
    payments,
    retentionRate,
    paymentsAtConstantRate,
    undervaluation: 1 - paymentsAtConstantRate / payments,
    elasticity: weightedElasticity / payments,
    elasticityAtConstantRate,
  });
}

function requireCohort(index: number, survivors: readonly number[]): void {
  const fault = survivors.findIndex(
    (alive, t) => !(alive >= 0 && Number.isFinite(alive) && alive <= (survivors[t - 1] ?? alive)),
  );
  if (survivors.length > 0 && fault === -1) return;
  const got = survivors.length === 0 ? "none" : `${survivors[fault]} in period ${fault}`;
  throw new DataError(
    `survivors of cohort ${index + 1} must be numbers from 0 up that do not rise, got ${got}`,
  );
}
