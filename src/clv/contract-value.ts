import { type BdwParameters, bdwDiscountedResidualLifetime } from "./beta-discrete-weibull.js";
import { type SbgParameters, sbgDiscountedResidualLifetime } from "./shifted-beta-geometric.js";

/** Terms on which a contract with one payment a period is worth something today. */
export interface ContractTerms {
  /**
   * Which payments count, and when; d is the discount rate, a renewal falls at the end of each period.
   * "first payment now": a payment today, then one at every renewal: what may be spent at most to acquire somebody, or
   * the value of a customer whose payment is due.
   * "just acquired": the same without the payment of today: the value that is left after it.
   * "end of period": payments at the ends of the periods, the first one certain: the first by (1 + d).
   */
  readonly convention: "first payment now" | "just acquired" | "end of period";
  /** Discount rate per period, a fraction above 0. */
  readonly discountRate: number;
  /** Renewals that the customer has passed; 0 if left out. */
  readonly renewals?: number;
}

/**
 * Discounted number of payments to come under the sBG: times the margin of a payment it is the customer lifetime value.
 * With a retention rate r that is the same for all it would be (1 + d) / (1 + d - r), r / (1 + d - r) and 1 / (1 + d - r).
 * @throws RangeError if a parameter or the discount rate is not above 0, or renewals is no whole number from 0 up.
 * @see Fader & Hardie (2012), Reconciling and Clarifying CLV Formulas; Fader & Hardie (2010), Customer-Base Valuation in a
 * Contractual Setting, Marketing Science 29(1).
 */
export function sbgPresentPayments(parameters: SbgParameters, terms: ContractTerms): number {
  const { renewals = 0, discountRate } = terms;
  return presentPayments(sbgDiscountedResidualLifetime(parameters, { renewals, discountRate }), terms);
}

/**
 * Discounted number of payments to come under the beta-discrete-Weibull.
 * @throws RangeError if a parameter or the discount rate is not above 0, or renewals is no whole number from 0 up.
 * @see Fader & Hardie (2012); Fader, Hardie, Liu, Davin & Steenburgh (2018), J. Interactive Marketing 43.
 */
export function bdwPresentPayments(parameters: BdwParameters, terms: ContractTerms): number {
  const { renewals = 0, discountRate } = terms;
  return presentPayments(bdwDiscountedResidualLifetime(parameters, { renewals, discountRate }), terms);
}

/** From the residual lifetime, in which the next renewal counts in full. */
function presentPayments(residualLifetime: number, { convention, discountRate }: ContractTerms): number {
  const later = residualLifetime / (1 + discountRate);
  if (convention === "just acquired") return later;
  return convention === "first payment now" ? 1 + later : (1 + later) / (1 + discountRate);
}
