import { type ColumnTable, table } from "arquero";
import { requireLevel, requireRates } from "../core/arguments.js";
import { quantileOf } from "../numeric/quantile.js";

/**
 * How a rate answers to spending: floor + (ceiling - floor)(1 - e^(-k spend)), with falling returns from the first unit of
 * money on.
 */
export interface RateCurve {
  /** Rate without any spending, a fraction; 0 if left out. */
  readonly floor?: number;
  /** Rate that no spending exceeds, a fraction above the floor. */
  readonly ceiling: number;
  /** k: how fast the rate nears its ceiling, per unit of money; above 0. */
  readonly responsiveness: number;
}

/** A market of prospects who are alike: how it answers to spending, and what its customers bring. */
export interface BalanceSpec {
  /** Share of prospects who become customers, by acquisition spend per prospect. */
  readonly acquisition: RateCurve;
  /** Share of customers who stay for another period, by retention spend per customer and period. */
  readonly retention: RateCurve;
  /** Money that a customer brings per period before retention spend, the first time when acquired; may be below 0. */
  readonly margin: number;
  /** Discount rate per period, a fraction: 0.1, not 10. */
  readonly discountRate: number;
}

/** How much is spent. */
export interface BalanceSpends {
  /** Money per prospect, once. */
  readonly acquisitionSpend: number;
  /** Money per customer and period. */
  readonly retentionSpend: number;
}

/** The best balance of acquisition and retention. */
export interface BalanceOptimum extends BalanceSpends {
  /** Share of prospects acquired. */
  readonly acquisitionRate: number;
  /** Share of customers retained per period. */
  readonly retentionRate: number;
  /** Expected lifetime value of a customer when acquired, after retention and before acquisition spend: E(CLV). */
  readonly customerValue: number;
  /** Customer equity per prospect: acquisition rate x customer value - acquisition spend. */
  readonly equity: number;
  /** Money that one customer more would cost to acquire. */
  readonly marginalAcquisitionCost: number;
  /** Money that one customer more would cost to retain. */
  readonly marginalRetentionCost: number;
  /** What pays: where the first unit of money costs more than it brings, nothing is spent. */
  readonly pays: "acquisition and retention" | "acquisition only" | "retention only" | "neither";
}

/**
 * The curve through one observed point: k = ln((ceiling - floor) / (ceiling - rate)) / spend. It answers the two questions
 * of the source: what do you spend and what rate does it give, and what rate would unlimited spending give?
 * @throws RangeError if a rate is not a fraction, the rate is not between floor and ceiling, or the spend not above 0.
 * @see Blattberg & Deighton (1996), Manage Marketing by the Customer Equity Test, Harvard Business Review 74(4).
 */
export function rateCurve(observed: {
  /** Rate that no spending exceeds, a fraction. */
  readonly ceiling: number;
  /** Money spent, per prospect or per customer and period. */
  readonly spend: number;
  /** Rate that was reached with it, a fraction. */
  readonly rate: number;
  /** Rate without any spending, a fraction; 0 if left out. */
  readonly floor?: number;
}): RateCurve {
  const { ceiling, spend, rate, floor = 0 } = observed;
  requireRates({ ceiling, rate, floor });
  if (!(rate > floor && rate < ceiling)) {
    throw new RangeError(`rate must be between floor ${floor} and ceiling ${ceiling}, got ${rate}`);
  }
  if (!(spend > 0 && Number.isFinite(spend))) {
    throw new RangeError(`spend must be a number above 0, got ${spend}`);
  }
  const responsiveness = Math.log((ceiling - floor) / (ceiling - rate)) / spend;
  return Object.freeze({ floor, ceiling, responsiveness });
}

/** The rate that a spend gives. @throws RangeError if the curve is not possible or the spend is below 0. */
export function rateAt(curve: RateCurve, spend: number): number {
  requireCurve("curve", curve);
  requireSpend("spend", spend);
  return rateOf(curve, spend);
}

/** What one more unit of money adds to the rate. @throws RangeError as `rateAt`. */
export function marginalRate(curve: RateCurve, spend: number): number {
  requireCurve("curve", curve);
  requireSpend("spend", spend);
  return slopeOf(curve, spend);
}

/** The rate; unlike 1 - `missingRate`, it keeps the digits of a small one. */
export const rateOf = ({ floor = 0, ceiling, responsiveness }: RateCurve, spend: number): number =>
  floor - (ceiling - floor) * Math.expm1(-responsiveness * spend);

/** 1 - rate: near a ceiling of 1 it keeps the digits that the rate itself loses. */
const missingRate = ({ floor = 0, ceiling, responsiveness }: RateCurve, spend: number): number =>
  1 - ceiling + (ceiling - floor) * Math.exp(-responsiveness * spend);

/** The derivative of the rate. */
export const slopeOf = ({ floor = 0, ceiling, responsiveness }: RateCurve, spend: number): number =>
  responsiveness * (ceiling - floor) * Math.exp(-responsiveness * spend);

/** The spend from which on one more unit of money adds less than 1 / value to the rate; 0 if none adds more. */
export function spendWorth(value: number, curve: RateCurve): number {
  const first = slopeOf(curve, 0) * value;
  return first > 1 ? Math.log(first) / curve.responsiveness : 0;
}

/**
 * Expected lifetime value of a customer when acquired, E(CLV) = m + (m r - R) / (1 + d - r) = (m (1 + d) - R) / (1 + d - r):
 * the first margin at once, then R spent a period to keep the share r.
 */
export const lifetimeValue = (
  { margin, discountRate, retention }: BalanceSpec,
  retentionSpend: number,
): number =>
  (margin * (1 + discountRate) - retentionSpend) / (discountRate + missingRate(retention, retentionSpend));

/**
 * Expected lifetime value of a customer when acquired, by what is spent per period to keep it:
 * E(CLV) = m + (m - R/r) r / (1 + d - r).
 * @throws RangeError if a rate is not a fraction, a curve is not possible, the margin no number, or the spend below 0.
 * @see Blattberg & Deighton (1996), Harvard Business Review 74(4); Pfeifer (2005), The Optimal Ratio of Acquisition and
 * Retention Costs, J. Targeting, Measurement and Analysis for Marketing 13(2).
 */
export function valueWhenAcquired(spec: BalanceSpec, retentionSpend: number): number {
  requireSpec(spec);
  requireSpend("retentionSpend", retentionSpend);
  return lifetimeValue(spec, retentionSpend);
}

/**
 * Customer equity per prospect at any spends: a m - A + a (m - R/r) r / (1 + d - r).
 * @throws RangeError as `valueWhenAcquired`.
 * @see Blattberg & Deighton (1996), Harvard Business Review 74(4).
 */
export function equityPerProspect(spec: BalanceSpec, spends: BalanceSpends): number {
  requireSpec(spec);
  requireSpend("acquisitionSpend", spends.acquisitionSpend);
  requireSpend("retentionSpend", spends.retentionSpend);
  return equityOf(spec, spends);
}

const equityOf = (spec: BalanceSpec, { acquisitionSpend, retentionSpend }: BalanceSpends): number =>
  0 - acquisitionSpend + rateOf(spec.acquisition, acquisitionSpend) * lifetimeValue(spec, retentionSpend); // never -0

/**
 * The spends that make the most customer equity of a prospect. The customer value obeys V = m + max over R of
 * (r(R) V - R) / (1 + d), a contraction, so its optimum is unique; policy iteration (Howard) finds it to the last digit:
 * at a value V retention pays up to 1 / r'(R) = V, and that spend gives the next V. Acquisition then pays up to
 * 1 / a'(A) = V. Hence at an interior optimum the marginal customer costs the same to acquire and to retain: E(CLV). Where
 * the first unit of money already costs more, nothing is spent; a margin of 0 or less always gives no spending.
 * @throws RangeError if a rate is not a fraction, a curve is not possible, or the margin is no number.
 * @see Blattberg & Deighton (1996), Harvard Business Review 74(4), for the model; Pfeifer (2005), J. Targeting,
 * Measurement and Analysis for Marketing 13(2), for the equality of the marginal costs.
 */
export function blattbergDeighton(spec: BalanceSpec): BalanceOptimum {
  requireSpec(spec);
  const { acquisition, retention } = spec;
  let customerValue = lifetimeValue(spec, 0);
  let retentionSpend = 0;
  for (;;) {
    retentionSpend = spendWorth(customerValue, retention);
    const value = lifetimeValue(spec, retentionSpend);
    if (!(value > customerValue)) break; // each step raises the value until rounding stops it
    customerValue = value;
  }
  const acquisitionSpend = spendWorth(customerValue, acquisition);
  const spends = { acquisitionSpend, retentionSpend };
  return Object.freeze({
    ...spends,
    acquisitionRate: rateOf(acquisition, acquisitionSpend),
    retentionRate: rateOf(retention, retentionSpend),
    customerValue,
    equity: equityOf(spec, spends),
    marginalAcquisitionCost: 1 / slopeOf(acquisition, acquisitionSpend),
    marginalRetentionCost: 1 / slopeOf(retention, retentionSpend),
    pays: whatPays(spends),
  });
}

function whatPays({ acquisitionSpend, retentionSpend }: BalanceSpends): BalanceOptimum["pays"] {
  if (acquisitionSpend > 0) return retentionSpend > 0 ? "acquisition and retention" : "acquisition only";
  return retentionSpend > 0 ? "retention only" : "neither";
}

/** One line: "spend 7.76 a prospect (21.6% acquired) and 12.85 a customer and period (33.2% retained): ...". */
export function balanceSummary(optimum: BalanceOptimum): string {
  const { acquisitionSpend, retentionSpend, acquisitionRate, retentionRate, pays } = optimum;
  const rate = (share: number): string => `${(100 * share).toFixed(1)}%`;
  return `${pays === "neither" ? "nothing pays: " : ""}spend ${acquisitionSpend.toFixed(2)} a prospect (${rate(acquisitionRate)} acquired) and ${retentionSpend.toFixed(2)} a customer and period (${rate(retentionRate)} retained): customer value ${optimum.customerValue.toFixed(2)}, equity ${optimum.equity.toFixed(2)} a prospect`;
}

/** Where a quantity lies under plausible parameters. */
export interface DrawnInterval {
  /** Lower end. */
  readonly low: number;
  /** Upper end. */
  readonly high: number;
}

/** The optimum, how sure it is, and what being unsure costs. */
export interface BalanceIntervals {
  /** The optimum of the point estimates. */
  readonly optimum: BalanceOptimum;
  /** Interval of the best acquisition spend. */
  readonly acquisitionSpend: DrawnInterval;
  /** Interval of the best retention spend. */
  readonly retentionSpend: DrawnInterval;
  /** Interval of the equity at the best spends of each draw. */
  readonly equity: DrawnInterval;
  /** Interval of the equity at the spends of `optimum`: what will probably come of spending them. */
  readonly equityAtOptimum: DrawnInterval;
  /**
   * Mean over the draws of the equity that is lost per prospect by spending as `optimum` says, not as is best for the draw:
   * the most that knowing the parameters exactly is worth to a company that would else spend so.
   */
  readonly expectedLoss: number;
  /** Coverage of the intervals. */
  readonly level: number;
  /** Number of draws. */
  readonly draws: number;
}

/**
 * How sure the optimum of `spec` is, over draws of plausible markets (of a posterior, a bootstrap, or a manager's range), and
 * the expected opportunity loss of using it: what better estimates could be worth at most.
 * @throws RangeError if a market is not possible, there are fewer than 20 draws, or the level is not between 0 and 1.
 * @see Raiffa & Schlaifer (1961), Applied Statistical Decision Theory, for the expected opportunity loss.
 */
export function balanceIntervals(
  spec: BalanceSpec,
  draws: readonly BalanceSpec[],
  options: { readonly level?: number } = {},
): BalanceIntervals {
  const { level = 0.9 } = options;
  requireDraws(draws.length, level);
  const optimum = blattbergDeighton(spec);
  const best = draws.map(blattbergDeighton);
  const reached = draws.map((draw) => equityOf(draw, optimum));
  const lost = best.map(({ equity }, draw) => equity - (reached[draw] as number));
  return Object.freeze({
    optimum,
    acquisitionSpend: intervalOf(
      best.map((each) => each.acquisitionSpend),
      level,
    ),
    retentionSpend: intervalOf(
      best.map((each) => each.retentionSpend),
      level,
    ),
    equity: intervalOf(
      best.map((each) => each.equity),
      level,
    ),
    equityAtOptimum: intervalOf(reached, level),
    expectedLoss: lost.reduce((sum, loss) => sum + loss, 0) / draws.length,
    level,
    draws: draws.length,
  });
}

/** The equal-tailed interval of drawn values. */
export function intervalOf(values: readonly number[], level: number): DrawnInterval {
  return { low: quantileOf(values, (1 - level) / 2), high: quantileOf(values, (1 + level) / 2) };
}

/** @throws RangeError if there are fewer than 20 draws or the level is not between 0 and 1. */
export function requireDraws(draws: number, level: number): void {
  if (draws < 20) throw new RangeError(`draws must hold at least 20 draws, got ${draws}`);
  requireLevel(level);
}

/** What may be varied: the values to try of each. */
export interface WhatIfGrid {
  /** Margins, money per customer and period. */
  readonly margin?: readonly number[];
  /** Discount rates, fractions per period. */
  readonly discountRate?: readonly number[];
  /** Ceilings of the acquisition rate, fractions. */
  readonly acquisitionCeiling?: readonly number[];
  /** Responsiveness of the acquisition rate, per unit of money. */
  readonly acquisitionResponsiveness?: readonly number[];
  /** Ceilings of the retention rate, fractions. */
  readonly retentionCeiling?: readonly number[];
  /** Responsiveness of the retention rate, per unit of money. */
  readonly retentionResponsiveness?: readonly number[];
}

/**
 * The optimum for each combination of the grid's values, all else as in `spec`. Columns: `margin`, `discount_rate`,
 * `acquisition_ceiling`, `acquisition_responsiveness`, `retention_ceiling`, `retention_responsiveness`, then
 * `acquisition_spend`, `retention_spend`, `acquisition_rate`, `retention_rate`, `customer_value`, `equity`.
 * @throws RangeError as `blattbergDeighton`, or if a list of values is empty.
 */
export function whatIf(spec: BalanceSpec, grid: WhatIfGrid): ColumnTable {
  for (const [name, values] of Object.entries(grid) as [string, readonly number[]][]) {
    if (values.length === 0) throw new RangeError(`${name} must hold at least one value, got none`);
  }
  const { acquisition, retention } = spec;
  const markets: BalanceSpec[] = [];
  for (const margin of grid.margin ?? [spec.margin])
    for (const discountRate of grid.discountRate ?? [spec.discountRate])
      for (const acquired of curves(acquisition, grid.acquisitionCeiling, grid.acquisitionResponsiveness))
        for (const retained of curves(retention, grid.retentionCeiling, grid.retentionResponsiveness))
          markets.push({ margin, discountRate, acquisition: acquired, retention: retained });
  const best = markets.map(blattbergDeighton);
  return table({
    margin: markets.map((market) => market.margin),
    discount_rate: markets.map((market) => market.discountRate),
    acquisition_ceiling: markets.map((market) => market.acquisition.ceiling),
    acquisition_responsiveness: markets.map((market) => market.acquisition.responsiveness),
    retention_ceiling: markets.map((market) => market.retention.ceiling),
    retention_responsiveness: markets.map((market) => market.retention.responsiveness),
    acquisition_spend: best.map((optimum) => optimum.acquisitionSpend),
    retention_spend: best.map((optimum) => optimum.retentionSpend),
    acquisition_rate: best.map((optimum) => optimum.acquisitionRate),
    retention_rate: best.map((optimum) => optimum.retentionRate),
    customer_value: best.map((optimum) => optimum.customerValue),
    equity: best.map((optimum) => optimum.equity),
  });
}

const curves = (
  curve: RateCurve,
  ceilings: readonly number[] = [curve.ceiling],
  responsivenesses: readonly number[] = [curve.responsiveness],
): RateCurve[] =>
  ceilings.flatMap((ceiling) =>
    responsivenesses.map((responsiveness) => ({ ...curve, ceiling, responsiveness })),
  );

function requireSpec(spec: BalanceSpec): void {
  requireCurve("acquisition", spec.acquisition);
  requireCurve("retention", spec.retention);
  requireRates({ discountRate: spec.discountRate });
  if (!Number.isFinite(spec.margin)) throw new RangeError(`margin must be a number, got ${spec.margin}`);
}

/** @throws RangeError if the curve is not possible. */
export function requireCurve(name: string, { floor = 0, ceiling, responsiveness }: RateCurve): void {
  requireRates({ [`${name}.floor`]: floor, [`${name}.ceiling`]: ceiling });
  if (!(ceiling > floor)) {
    throw new RangeError(`${name}.ceiling must be above the floor ${floor}, got ${ceiling}`);
  }
  if (!(responsiveness > 0 && Number.isFinite(responsiveness))) {
    throw new RangeError(`${name}.responsiveness must be a number above 0, got ${responsiveness}`);
  }
}

/** @throws RangeError if the spend is below 0 or not finite. */
export function requireSpend(name: string, spend: number): void {
  if (!(spend >= 0 && Number.isFinite(spend))) {
    throw new RangeError(`${name} must be a number from 0 up, got ${spend}`);
  }
}
