import { type Duration, inDays, inWeeks, type TimeUnit } from "../core/types.js";
import type { BuyingModel, ParameterValues } from "./buying-model.js";
import type { PurchaseCustomer, PurchaseHistories } from "./cells.js";
import { expectationsOf } from "./forecast.js";
import { type GammaGammaParameters, gammaGammaExpectedSpend } from "./gamma-gamma.js";

/** Terms on which the purchases to come are worth something today: a lifetime value without them is no number. */
export type ValueTerms = {
  /** Unit of the times in the data and in the parameters. */
  readonly unit: TimeUnit;
  /** Effective discount rate, a fraction: one euro due after `per` is worth 1 / (1 + rate) today. */
  readonly discount: { readonly rate: number; readonly per: Duration };
  /** Contribution margin as a share of spend; 1 if left out: then it is the value of revenue, not of profit. */
  readonly margin?: number;
} & (
  | {
      /**
       * "just acquired": the purchases to come, each discounted from the moment it is made; for a customer of today the
       * residual value, for a new one without the purchase that won him.
       * "first payment now": the same and, undiscounted, the purchase that makes somebody a customer, for new customers
       * only (age 0): what may be spent at most to acquire one.
       */
      readonly convention: "just acquired" | "first payment now";
      /** How far ahead; "lifetime" counts all purchases to come. */
      readonly horizon: Duration | "lifetime";
    }
  | {
      /** Purchases to come, each discounted from the end of its period, as `lifetimes` and PyMC-Marketing do with months. */
      readonly convention: "end of period";
      readonly period: Duration;
      /** How many periods count. */
      readonly periods: number;
    }
);

/** Customers to be valued: their histories, and the mean spend of their repeat purchases (any number where x is 0). */
export interface ValuedCustomers extends PurchaseHistories {
  /** Money per repeat purchase. */
  readonly meanSpend: ArrayLike<number>;
}

/**
 * Discounted number of purchases to come, one number a row: lifetime value per unit of money spent at a purchase.
 * @throws RangeError if the terms or a parameter are not possible, or a customer does not fit them (it names the values).
 * @see Fader & Hardie (2012), Reconciling and Clarifying CLV Formulas; Fader, Hardie & Lee (2005), RFM and CLV: Using
 * Iso-Value Curves, J. Marketing Research 42(4).
 */
export function presentPurchases<P extends string>(
  model: BuyingModel<P>,
  parameters: ParameterValues<P>,
  customers: PurchaseHistories,
  terms: ValueTerms,
): Float64Array {
  const ofCustomer = presentPurchasesOf(model, parameters, terms);
  const [present = new Float64Array(0)] = expectationsOf(model, parameters, customers, [
    ofCustomer,
  ]).expectations;
  if (terms.convention !== "first payment now") return present;
  return present.map((purchases, row) => {
    const age = customers.age[row] as number;
    if (age === 0) return 1 + purchases;
    throw new RangeError(`"first payment now" is for new customers, of age 0, but row ${row} has age ${age}`);
  });
}

/**
 * Customer lifetime value, one number a row: margin x expected spend per purchase (Gamma-Gamma) x discounted purchases to
 * come, in the money of the spend parameters. Purchases and spend are independent by the assumption of both models.
 * @throws RangeError if the terms or a parameter are not possible, or a customer does not fit them.
 * @see Fader, Hardie & Lee (2005), RFM and CLV: Using Iso-Value Curves, J. Marketing Research 42(4).
 */
export function customerLifetimeValues<P extends string>(
  model: BuyingModel<P>,
  parameters: ParameterValues<P>,
  spendParameters: GammaGammaParameters,
  customers: ValuedCustomers,
  terms: ValueTerms,
): Float64Array {
  const { margin = 1 } = terms;
  return presentPurchases(model, parameters, customers, terms).map((purchases, row) => {
    const x = customers.x[row] as number;
    const meanSpend = customers.meanSpend[row] as number;
    return margin * gammaGammaExpectedSpend(spendParameters, { x, meanSpend }) * purchases;
  });
}

/** Discounted purchases to come of one customer, the purchase of today left out. */
function presentPurchasesOf<P extends string>(
  model: BuyingModel<P>,
  parameters: ParameterValues<P>,
  terms: ValueTerms,
): (customer: PurchaseCustomer) => number {
  const inUnit = (time: Duration): number => (terms.unit === "weeks" ? inWeeks(time) : inDays(time)).length;
  const rate = discountRate(terms, inUnit);
  if (terms.convention !== "end of period") {
    const horizon = terms.horizon === "lifetime" ? Number.POSITIVE_INFINITY : inUnit(terms.horizon);
    return (customer) => model.discountedPurchases(parameters, customer, rate, horizon);
  }
  const { periods } = terms;
  const period = inUnit(terms.period);
  if (!(period > 0)) throw new RangeError(`period must be a length of time above 0, got ${period}`);
  if (!(Number.isSafeInteger(periods) && periods >= 1)) {
    throw new RangeError(`periods must be a whole number of 1 or more, got ${periods}`);
  }
  return (customer) => {
    let present = 0;
    let before = 0;
    for (let count = 1; count <= periods; count++) {
      const until = model.expectedPurchases(parameters, customer, count * period);
      present += Math.exp(-rate * count * period) * (until - before);
      before = until;
    }
    return present;
  };
}

/** The discount as a continuous rate per unit of time; checks the margin too. */
function discountRate({ discount, margin = 1 }: ValueTerms, inUnit: (time: Duration) => number): number {
  const per = inUnit(discount.per);
  if (!(discount.rate >= 0 && discount.rate < 1)) {
    throw new RangeError(
      `discount.rate must be a fraction from 0 to below 1, not a percentage, got ${discount.rate}`,
    );
  }
  if (!(per > 0)) throw new RangeError(`discount.per must be a length of time above 0, got ${per}`);
  if (!(margin > 0 && margin <= 1)) {
    throw new RangeError(`margin must be a share of spend above 0 and up to 1, got ${margin}`);
  }
  return Math.log1p(discount.rate) / per;
}
