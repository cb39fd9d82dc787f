import { type ColumnTable, table } from "arquero";
import { requireFinite, requireFromZero, requireRates } from "../core/arguments.js";
import { constantRetentionValue, type PaymentConvention } from "./value-arithmetic.js";

/** Economics of a segment of customers per period; the last two are Reichheld & Sasser's reasons, where data show them. */
export interface SegmentEconomics {
  /** Name of the segment. */
  readonly segment: string;
  /** Customers now; taken as the steady state of today's retention rate. */
  readonly customers: number;
  /** Money a customer brings in the first period, less than 0 if serving costs more than it brings. */
  readonly margin: number;
  /** Probability to stay, a fraction per period below 1. */
  readonly retentionRate: number;
  /** Discount rate, a fraction per period. */
  readonly discountRate: number;
  /** Costs of the segment per period that do not depend on its customers, acquisition included; 0 if left out. */
  readonly fixedCost?: number;
  /**
   * Growth of a customer's margin with each period of tenure, a fraction; 0 if left out. It stands for what loyal
   * customers buy more, cost less to serve, and pay for not shopping around.
   */
  readonly marginGrowth?: number;
  /** New customers that a customer brings per period, a number from 0 up; 0 if left out. */
  readonly referrals?: number;
}

/** Sums over the segments; values and profits are money. */
export interface BaseEffect {
  /** Value of as many new customers as there are today, at today's retention rates. */
  readonly valueBefore: number;
  /** The same at the new retention rates. */
  readonly valueAfter: number;
  /** Share by which the value changes. */
  readonly valueEffect: number;
  /** Profit per period in today's steady state, fixed costs paid. */
  readonly profitBefore: number;
  /** Profit per period in the new steady state, fixed costs paid. */
  readonly profitAfter: number;
  /** Customers in the steady state after the change. */
  readonly customersAfter: number;
}

/** What a change of the retention rate does, by segment and for the whole base. */
export interface RetentionEffects {
  /**
   * A row a segment: `segment`, `customers`, `retention_before`, `retention_after`; `value_before`, `value_after` of a
   * new customer, and `value_effect`, the share by which it changes; `customers_after`, `profit_before` and `profit_after` per
   * period in the steady state, and `contribution_effect`, the share by which contribution changes before fixed costs. Both
   * shares are below 0 where money is lost.
   */
  readonly bySegment: ColumnTable;
  /** The whole base. */
  readonly all: BaseEffect;
}

/**
 * What `change` of the retention rate, +5 points unless given, does to the value of a customer and to the profit of the
 * steady state: Reichheld & Sasser's effect, computed from a firm's own margins and rates in place of an industry's.
 *
 * Value: the margin of period t is m (1 + g)^t with margin growth g. With referrals f a customer also brings, at the end
 * of each period, f others who are worth as much and bring others in turn: f / (1 + d - r - f) times the value of one who
 * joins, whose first payment is still to come.
 * Steady state: as many customers come without referral as today, (1 - r - f) times today's customers; they become that
 * number / (1 - r' - f), and contribution follows their tenure, which also grows. It is reached only after years.
 * @throws RangeError that names the segment if a rate is not possible before or after the change (the steady state is
 * without end where retention and referrals reach 1, the margin where growth outruns churn), or no segment is given.
 * @see Reichheld & Sasser (1990), Zero Defections: Quality Comes to Services, Harvard Business Review 68(5).
 */
export function retentionEffectBySegment(
  segments: readonly SegmentEconomics[],
  convention: PaymentConvention,
  change = 0.05,
): RetentionEffects {
  if (segments.length === 0) throw new RangeError("segments must hold at least one segment, got none");
  const names = segments.map(({ segment }) => segment);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new RangeError(`segments must have different names, got "${twice}" twice`);
  requireFinite({ change });
  const rows = segments.map((economics) => {
    const { segment, customers, retentionRate, fixedCost = 0 } = economics;
    const retentionAfter = retentionRate + change;
    const [before, after] = naming(segment, () => {
      requireFromZero({ customers, fixedCost });
      requireFinite({ margin: economics.margin });
      const now = perCustomer(economics, retentionRate, convention);
      if (now.value === 0) throw new RangeError("the value before the change must not be 0, got 0");
      if (retentionAfter > 1) {
        throw new RangeError(`retentionRate ${retentionRate} cannot rise by ${change}: it would be above 1`);
      }
      return [now, perCustomer(economics, retentionAfter, convention)];
    });
    const sign = Math.sign(economics.margin); // where a customer costs money, more of it is a loss
    const grown = before.newcomers / after.newcomers; // of the customers, as the same number comes unreferred
    return {
      segment,
      customers,
      retentionBefore: retentionRate,
      retentionAfter,
      valueBefore: economics.margin * before.value,
      valueAfter: economics.margin * after.value,
      valueEffect: sign * (after.value / before.value - 1),
      customersAfter: customers * grown,
      profitBefore: customers * economics.margin * before.meanMargin - fixedCost,
      profitAfter: customers * grown * economics.margin * after.meanMargin - fixedCost,
      contributionEffect: sign * ((grown * after.meanMargin) / before.meanMargin - 1),
    };
  });
  const sum = (each: (row: (typeof rows)[number]) => number): number =>
    rows.reduce((total, row) => total + each(row), 0);
  const valueBefore = sum((row) => row.customers * row.valueBefore);
  const valueAfter = sum((row) => row.customers * row.valueAfter);
  if (valueBefore === 0)
    throw new RangeError("the value of all segments before the change must not be 0, got 0");
  const column = <K extends keyof (typeof rows)[number]>(key: K): (typeof rows)[number][K][] =>
    rows.map((row) => row[key]);
  return Object.freeze({
    bySegment: table({
      segment: column("segment"),
      customers: column("customers"),
      retention_before: column("retentionBefore"),
      retention_after: column("retentionAfter"),
      value_before: column("valueBefore"),
      value_after: column("valueAfter"),
      value_effect: column("valueEffect"),
      customers_after: column("customersAfter"),
      profit_before: column("profitBefore"),
      profit_after: column("profitAfter"),
      contribution_effect: column("contributionEffect"),
    }),
    all: Object.freeze({
      valueBefore,
      valueAfter,
      valueEffect: (valueAfter - valueBefore) / Math.abs(valueBefore),
      profitBefore: sum((row) => row.profitBefore),
      profitAfter: sum((row) => row.profitAfter),
      customersAfter: sum((row) => row.customersAfter),
    }),
  });
}

/** What a customer of a segment is at a retention rate, in units of the first period's margin. */
interface PerCustomer {
  readonly value: number;
  /** Margin of the average customer in the steady state. */
  readonly meanMargin: number;
  /** New customers without referral that each customer of the steady state stands for, per period. */
  readonly newcomers: number;
}

function perCustomer(
  { discountRate, marginGrowth: growth = 0, referrals = 0 }: SegmentEconomics,
  retentionRate: number,
  convention: PaymentConvention,
): PerCustomer {
  requireRates({ retentionRate, discountRate });
  requireFromZero({ referrals });
  const newcomers = 1 - retentionRate - referrals;
  if (!(newcomers > 0)) {
    throw new RangeError(
      `retentionRate ${retentionRate} and referrals ${referrals} must add up to less than 1: the base has no steady state`,
    );
  }
  const customer = { margin: 1, retentionRate, discountRate, growth };
  const own = constantRetentionValue(customer, convention);
  const joining = convention === "just acquired" ? "first payment now" : convention;
  const brought = (referrals / (discountRate + newcomers)) * constantRetentionValue(customer, joining);
  if (!(retentionRate * (1 + growth) < 1)) {
    throw new RangeError(
      `marginGrowth ${growth} outruns churn at retentionRate ${retentionRate}: the mean margin has no steady state`,
    );
  }
  const meanMargin = (1 - retentionRate) / (1 - retentionRate * (1 + growth));
  return { value: own + brought, meanMargin, newcomers };
}

/** Runs a computation; its RangeError gets the segment's name. */
function naming<Result>(segment: string, compute: () => Result): Result {
  try {
    return compute();
  } catch (error) {
    if (error instanceof RangeError) throw new RangeError(`segment ${segment}: ${error.message}`);
    throw error;
  }
}
