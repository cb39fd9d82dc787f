import { requireFinite, requireOneOf, requireRates } from "../core/arguments.js";

/** A customer who pays the same margin every period and renews at the end of each with the same probability. */
export interface ConstantCustomer {
  /** Money per period; below 0 if serving costs more than it brings. */
  readonly margin: number;
  /** Probability to renew, a fraction per period. */
  readonly retentionRate: number;
  /** Discount rate, a fraction per period. */
  readonly discountRate: number;
  /** Growth of the margin, a fraction per period; 0 if left out. */
  readonly growth?: number;
}

/** Which payments count, and when: see `constantRetentionValue`. */
export type PaymentConvention = "first payment now" | "just acquired" | "end of period";

/**
 * Lifetime value of a customer with a constant retention rate r, discount rate d and margin m:
 * "first payment now" m (1 + d) / (1 + d - r), the most that may be spent to acquire one; "just acquired"
 * m r / (1 + d - r), what is left after the first payment; "end of period" m / (1 + d - r), each payment a period later.
 * With growth g the margin of period t is m (1 + g)^t, so d becomes (d - g) / (1 + g).
 * @throws RangeError if a rate is not a fraction, the convention is none of these, or the value is infinite because the margin
 * grows faster than customers leave and money is discounted.
 * @see Fader & Hardie (2012), Reconciling and Clarifying CLV Formulas, note 024.
 */
export function constantRetentionValue(customer: ConstantCustomer, convention: PaymentConvention): number {
  const { margin, retentionRate, discountRate, growth = 0 } = customer;
  requireRates({ retentionRate, discountRate });
  if (!(growth > -1 && growth < 1)) {
    throw new RangeError(`growth must be a fraction between -1 and 1, got ${growth}`);
  }
  requireFinite({ margin });
  requireOneOf("convention", convention, ["first payment now", "just acquired", "end of period"]);
  const net = (discountRate - growth) / (1 + growth);
  if (!(1 + net > retentionRate)) {
    throw new RangeError(
      `the value is infinite: retentionRate ${retentionRate} x (1 + growth ${growth}) is not below 1 + discountRate ${discountRate}`,
    );
  }
  const all = (margin * (1 + net)) / (1 + net - retentionRate);
  if (convention === "first payment now") return all;
  return convention === "just acquired" ? all - margin : all / (1 + discountRate);
}

/**
 * Margin multiple r / (1 + d - r (1 + g)): how many margins of the first period a customer just acquired is worth. As in
 * the source the margin begins to grow with the second payment to come.
 * @throws RangeError as `constantRetentionValue`.
 * @see Gupta & Lehmann (2003), Customers as Assets, J. Interactive Marketing 17(1), table 1.
 */
export function marginMultiple(retentionRate: number, discountRate: number, growth = 0): number {
  const customer = { margin: 1, retentionRate, discountRate, growth };
  return constantRetentionValue(customer, "just acquired") / (1 + growth);
}

/**
 * What the expected lifetime would be worth if it were certain: an annuity of 1 / (1 - r) periods. It overstates the value,
 * because payments that come late are also those that come least likely: the expected-lifetime fallacy.
 * @throws RangeError if a rate is not a fraction, or the retention rate is 1.
 * @see Gupta, Lehmann & Stuart (2004), Valuing Customers, J. Marketing Research 41(1).
 */
export function expectedLifetimeAnnuity({ margin, retentionRate, discountRate }: ConstantCustomer): number {
  requireRates({ retentionRate, discountRate });
  requireFinite({ margin });
  if (retentionRate === 1) throw new RangeError("retentionRate must be below 1 for a finite lifetime, got 1");
  const lifetime = 1 / (1 - retentionRate);
  const years =
    discountRate === 0 ? lifetime : -Math.expm1(-lifetime * Math.log1p(discountRate)) / discountRate;
  return margin * years;
}

/**
 * What a change of the retention rate does to the value of a customer, as a share of the value before, below 0 if the value
 * falls (a customer who costs money costs it longer): the effect that Reichheld & Sasser quote for whole industries, computed
 * for one's own margin, retention and discount rate.
 * @throws RangeError as `constantRetentionValue`, for the rate before and after, or if the value before is 0.
 * @see Reichheld & Sasser (1990), Zero Defections: Quality Comes to Services, Harvard Business Review 68(5).
 */
export function retentionEffect(
  customer: ConstantCustomer,
  change: number,
  convention: PaymentConvention,
): number {
  const before = constantRetentionValue(customer, convention);
  if (before === 0) throw new RangeError("the value before the change must not be 0, got 0");
  const retentionRate = customer.retentionRate + change;
  const after = constantRetentionValue({ ...customer, retentionRate }, convention);
  return (after - before) / Math.abs(before);
}
