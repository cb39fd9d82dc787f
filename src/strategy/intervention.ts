import { type ColumnTable, table } from "arquero";
import { deepFreeze, fitPositive, type ModelFit, named } from "../clv/fit.js";
import { finiteColumn } from "../core/columns.js";
import { ConvergenceError, DataError } from "../core/errors.js";
import { quantileOf } from "../numeric/quantile.js";
import type { Random } from "../numeric/random.js";
import { drawBinomial } from "../numeric/sampling.js";
import { normalQuantile, regularisedBeta } from "../numeric/special.js";
import { chiSquareTail, twoSidedP } from "../numeric/tail-probability.js";
import { outcomeColumn } from "../scoring/logistic.js";
import { rankedGroups, wilsonInterval } from "../scoring/score-quality.js";

/** Customers who may get a retention offer, column by column. */
export interface OfferCandidates {
  /** Names of the customers; their row numbers from 1 unless given. */
  readonly customer?: ArrayLike<string | number>;
  /** Probability to stay without the offer. */
  readonly stay: ArrayLike<number>;
  /**
   * Probability to stay with the offer. Left out, nobody knows what the offer does: profits are then upper bounds, as if it
   * kept everybody who would have left and cost nothing for the others.
   */
  readonly stayWithOffer?: ArrayLike<number>;
  /** Probability to stay and take the offer; everybody who stays takes it unless given. */
  readonly accept?: ArrayLike<number>;
  /** Money that a stay is worth, before the cost of the offer. */
  readonly value: ArrayLike<number>;
}

/** What a retention offer costs, money. */
export interface OfferCosts {
  /** For everybody who is contacted. */
  readonly contactCost: number;
  /** For everybody who takes the offer, also those who would have stayed anyway. */
  readonly offerCost: number;
}

/** Who gets an offer, and what comes of it. */
export interface OfferPlan {
  /**
   * All customers, in the order in which they get offers. Columns: `rank`, `customer`, `uplift`, `value`, `cost` and
   * `profit` (expected, of an offer), `cumulative_profit` (of offers down to this rank) and `offer` (1 if the customer gets
   * one, else 0).
   */
  readonly list: ColumnTable;
  /** Customers who get an offer. */
  readonly offers: number;
  /** Expected profit of their offers. */
  readonly profit: number;
  /** Expected cost of their offers: contacts and offers taken. */
  readonly cost: number;
  readonly warnings: readonly string[];
}

const UPPER_BOUND =
  "no uplift is known: profits are upper bounds, as if the offer kept everybody who would have left and nobody else took it; measure the uplift in a trial before spending";

/**
 * Expected profit of an offer to each customer: uplift x value - contact cost - probability to take it x offer cost. The
 * uplift is the probability to stay with the offer minus the one without; it may be negative.
 * @throws DataError if a column is bad, or somebody takes the offer more often than they stay with it; RangeError if a cost
 * is negative.
 * @see Blattberg, Kim & Neslin (2008), Database Marketing, chapter 24; Neslin et al. (2006), Defection Detection, J. Marketing
 * Research 43(2).
 */
export const offerProfit = (candidates: OfferCandidates, costs: OfferCosts): Float64Array =>
  offerTerms(candidates, costs).profit;

/**
 * Who gets an offer: customers by expected profit, as long as it is above 0. With a `number` of offers, the best ones. With a
 * `budget` for expected cost, by profit per cost, each who still fits: less than one customer's profit from the best list.
 * @throws As `offerProfit`; RangeError if the number is no whole number from 0 up, the budget is negative, or both are given.
 */
export function whoGetsAnOffer(
  candidates: OfferCandidates,
  costs: OfferCosts,
  limit: { readonly number?: number; readonly budget?: number } = {},
): OfferPlan {
  const { number = Number.POSITIVE_INFINITY, budget = Number.POSITIVE_INFINITY } = limit;
  if (limit.number !== undefined && limit.budget !== undefined) {
    throw new RangeError(`limit must be a number or a budget, got both (${number} and ${budget})`);
  }
  if (limit.number !== undefined && !(Number.isSafeInteger(number) && number >= 0)) {
    throw new RangeError(`number must be a whole number from 0 up, got ${number}`);
  }
  if (!(budget >= 0)) throw new RangeError(`budget must be from 0 up, got ${budget}`);
  const { size, uplift, value, cost, profit } = offerTerms(candidates, costs);
  const merit =
    limit.budget === undefined
      ? profit
      : profit.map((gain, row) =>
          // Free offers come first where they gain and last where they lose.
          cost[row] === 0 ? gain * Number.MAX_SAFE_INTEGER : gain / (cost[row] as number),
        );
  const { order } = rankedGroups(merit, size);
  const ranked = (column: Float64Array): number[] => Array.from(order, (row) => column[row] as number);
  const sorted = { cost: ranked(cost), profit: ranked(profit) };
  let [offers, spent, gained] = [0, 0, 0];
  const offer = sorted.profit.map((gain, place) => {
    const price = sorted.cost[place] as number;
    if (!(gain > 0) || offers >= number || spent + price > budget) return 0;
    offers++;
    spent += price;
    gained += gain;
    return 1;
  });
  let running = 0;
  const { customer } = candidates;
  return Object.freeze({
    list: table({
      rank: sorted.profit.map((_, place) => place + 1),
      customer: Array.from(order, (row) => (customer ? (customer[row] as string | number) : row + 1)),
      uplift: ranked(uplift),
      value: ranked(value),
      cost: sorted.cost,
      profit: sorted.profit,
      cumulative_profit: sorted.profit.map((gain) => {
        running += gain;
        return running;
      }),
      offer,
    }),
    offers,
    profit: gained,
    cost: spent,
    warnings: Object.freeze(candidates.stayWithOffer ? [] : [UPPER_BOUND]),
  });
}

/** What a rule of targeting earns at best. */
export interface TargetingOptimum {
  /** Name of the rule. */
  readonly rule: string;
  /** Share of customers contacted, from 0 to 1, at which the rule earns most. */
  readonly share: number;
  /** Customers contacted there. */
  readonly customers: number;
  /** Expected profit there; 0 if contacting nobody is best. */
  readonly profit: number;
}

/** Expected profit of rival rules of whom to contact first. */
export interface TargetingComparison {
  /**
   * Columns: `share` of customers contacted (0 to 1 in equal steps) and cumulative expected profit by rule: "expected profit",
   * "uplift x value", "uplift", "churn risk x value", "churn risk", "at random".
   */
  readonly curves: ColumnTable;
  /** Best point of each rule, in the order of the columns. */
  readonly optima: readonly TargetingOptimum[];
}

/**
 * Ranking by churn score against ranking by what an offer changes. All rules are judged by the same expected profits; customers
 * whom a rule does not tell apart count with their mean.
 * @throws As `offerProfit`; DataError if the uplift is not known; RangeError if points is not a whole number from 1 up.
 * @see Ascarza (2018), Retention Futility: Targeting High-Risk Customers Might Be Ineffective, J. Marketing Research 55(1).
 */
export function compareTargeting(
  candidates: OfferCandidates,
  costs: OfferCosts,
  { points = 100 }: { readonly points?: number } = {},
): TargetingComparison {
  if (!(Number.isSafeInteger(points) && points >= 1)) {
    throw new RangeError(`points must be a whole number from 1 up, got ${points}`);
  }
  if (!candidates.stayWithOffer) {
    throw new DataError("stayWithOffer must be known to compare rules of targeting, got none");
  }
  const { size, stay, uplift, value, profit } = offerTerms(candidates, costs);
  const risk = stay.map((chance) => 1 - chance);
  const byValue = (column: Float64Array): Float64Array => column.map((x, row) => x * (value[row] as number));
  const rules: Readonly<Record<string, Float64Array>> = {
    "expected profit": profit,
    "uplift x value": byValue(uplift),
    uplift,
    "churn risk x value": byValue(risk),
    "churn risk": risk,
    "at random": new Float64Array(size),
  };
  const steps = Array.from({ length: points + 1 }, (_, point) => point / points);
  const cumulated = Object.entries(rules).map(([rule, merit]) => {
    const { order, ends } = rankedGroups(merit, size);
    const sums = new Float64Array(size + 1);
    let optimum = { rule, share: 0, customers: 0, profit: 0 };
    let start = 0;
    for (const end of ends) {
      const mean =
        order.subarray(start, end).reduce((sum, row) => sum + (profit[row] as number), 0) / (end - start);
      for (let place = start; place < end; place++) sums[place + 1] = (sums[place] as number) + mean;
      const reached = sums[end] as number;
      if (reached > optimum.profit) optimum = { rule, share: end / size, customers: end, profit: reached };
      start = end;
    }
    const curve = steps.map((share) => {
      const below = Math.floor(share * size);
      const [low, high] = [sums[below] as number, sums[Math.min(below + 1, size)] as number];
      return low + (share * size - below) * (high - low);
    });
    return { rule, curve, optimum: Object.freeze(optimum) };
  });
  return Object.freeze({
    curves: table({ share: steps, ...Object.fromEntries(cumulated.map(({ rule, curve }) => [rule, curve])) }),
    optima: Object.freeze(cumulated.map(({ optimum }) => optimum)),
  });
}

/** A retention campaign seen from the customers it contacts. */
export interface ContactedGroup {
  /** Share of the contacted who would leave without the offer. */
  readonly churners: number;
  /** Share of the would-be leavers whom the offer keeps. */
  readonly saved: number;
  /** Share of the others who take the offer. */
  readonly takers: number;
  /** By what share of its value the offer raises the value of those others who take it; 0 unless given. */
  readonly loyaltyGain?: number;
  /** Money that a customer kept is worth. */
  readonly value: number;
  /** Cost of the offer to each who takes it, money. */
  readonly offerCost: number;
  /** Cost of a contact, money. */
  readonly contactCost: number;
}

/**
 * Upside and downside of a contact, money each: upside = [churners x saved + others x takers x loyalty gain] x value,
 * downside = contact cost + [churners x saved + others x takers] x offer cost, profit = upside - downside.
 * @throws RangeError if a share is no fraction, or a cost negative.
 * @see Blattberg, Kim & Neslin (2008), Database Marketing, chapter 24.
 */
export function contactBalance(group: ContactedGroup): {
  readonly upside: number;
  readonly downside: number;
  readonly profit: number;
} {
  const { churners, saved, takers, loyaltyGain = 0, value, offerCost, contactCost } = group;
  requireFractions({ churners, saved, takers, loyaltyGain });
  requireAmounts({ value, offerCost, contactCost });
  const kept = churners * saved;
  const others = (1 - churners) * takers;
  const upside = (kept + others * loyaltyGain) * value;
  const downside = contactCost + (kept + others) * offerCost;
  return Object.freeze({ upside, downside, profit: upside - downside });
}

/** Money in a campaign that contacts the customers with the highest churn scores. */
export interface ChurnCampaign {
  /** Value of a customer kept; 200 in the reference. */
  readonly value: number;
  /** Cost of the offer to each who takes it, below the value; 10 in the reference. */
  readonly offerCost: number;
  /** Cost of a contact; 1 in the reference. */
  readonly contactCost: number;
}

/** Where to cut a list by churn score, and what it earns. */
export interface ProfitCutoff {
  /** Profit for each customer of the base, money; 0 if contacting nobody is best. */
  readonly profit: number;
  /** Share of the base contacted. */
  readonly share: number;
}

/**
 * Maximum profit of a churn score (MP): the cut-off at which a campaign earns most, if every would-be leaver takes the offer and
 * stays with probability `acceptance` and everybody else takes it. `outcomes` is 1 for those who left without an offer;
 * `score` is the lowest contacted one, undefined if nobody is.
 * @throws DataError if scores or outcomes are bad; RangeError if the acceptance is no fraction, or a cost is negative or not
 * below the value.
 * @see Verbeke et al. (2012), New Insights into Churn Prediction in the Telecommunication Sector: A Profit Driven Data Mining
 * Approach, European J. Operational Research 218(1).
 */
export function maximumProfitCutoff(
  scores: ArrayLike<number>,
  outcomes: ArrayLike<number>,
  terms: ChurnCampaign & { readonly acceptance: number },
): ProfitCutoff & { readonly score: number | undefined } {
  requireCampaign(terms);
  requireFractions({ acceptance: terms.acceptance });
  let best: ProfitCutoff & { readonly score: number | undefined } = { profit: 0, share: 0, score: undefined };
  for (const cut of cuts(scores, outcomes)) {
    const profit = campaignProfit(cut, terms, terms.acceptance);
    if (profit > best.profit) best = { profit, share: cut.leavers + cut.others, score: cut.score };
  }
  return Object.freeze(best);
}

/**
 * Expected maximum profit of a churn score (EMP): the acceptance is not known but Beta(alpha, beta) distributed (6 and 14 in
 * the reference), and the cut-off is chosen when it has been seen. Profit and share are means over it. Exact, by the convex
 * hull of the ROC curve.
 * @throws As `maximumProfitCutoff`; RangeError if alpha or beta is not above 0.
 * @see Verbraken, Verbeke & Baesens (2013), A Novel Profit Maximizing Metric for Measuring Classification Performance of
 * Customer Churn Prediction Models, IEEE Trans. Knowledge and Data Engineering 25(5).
 */
export function expectedMaximumProfit(
  scores: ArrayLike<number>,
  outcomes: ArrayLike<number>,
  terms: ChurnCampaign & { readonly alpha: number; readonly beta: number },
): ProfitCutoff {
  requireCampaign(terms);
  const { value, offerCost, contactCost, alpha, beta } = terms;
  const hull: Cut[] = [];
  for (const cut of cuts(scores, outcomes)) {
    while (hull.length > 1 && !turnsRight(hull.at(-2) as Cut, hull.at(-1) as Cut, cut)) hull.pop();
    hull.push(cut);
  }
  let profit = 0;
  let share = 0;
  let from = 0;
  for (const [place, cut] of hull.entries()) {
    // The next vertex takes over where the acceptance makes the customers between the two worth their cost.
    const next = hull[place + 1];
    const [leavers, others] = next ? [next.leavers - cut.leavers, next.others - cut.others] : [0, 0];
    const worth =
      ((offerCost + contactCost) * others + contactCost * leavers) / ((value - offerCost) * leavers);
    const to = next && worth < 1 ? Math.max(worth, from) : 1;
    const weight = regularisedBeta(to, alpha, beta) - regularisedBeta(from, alpha, beta);
    const mean = regularisedBeta(to, alpha + 1, beta) - regularisedBeta(from, alpha + 1, beta);
    const acceptance = (mean * alpha) / (alpha + beta); // integral of the acceptance itself
    profit += campaignProfit(cut, terms, 0) * weight + (value - offerCost) * cut.leavers * acceptance;
    share += (cut.leavers + cut.others) * weight;
    from = to;
    if (to === 1) break;
  }
  return Object.freeze({ profit, share });
}

/** The base down to a score: leavers and others in it as shares of all customers. */
interface Cut {
  readonly leavers: number;
  readonly others: number;
  readonly score: number | undefined;
}

/** Nobody, then down to each distinct score from the highest. */
function cuts(scores: ArrayLike<number>, outcomes: ArrayLike<number>): readonly Cut[] {
  const outcome = outcomeColumn(outcomes);
  const size = outcome.length;
  const { order, ends } = rankedGroups(scores, size);
  const found: Cut[] = [{ leavers: 0, others: 0, score: undefined }];
  let left = 0;
  let start = 0;
  for (const end of ends) {
    for (let place = start; place < end; place++) left += outcome[order[place] as number] as number;
    found.push({
      leavers: left / size,
      others: (end - left) / size,
      score: scores[order[start] as number],
    });
    start = end;
  }
  return found;
}

const campaignProfit = (
  { leavers, others }: Cut,
  { value, offerCost, contactCost }: ChurnCampaign,
  acceptance: number,
): number => (acceptance * (value - offerCost) - contactCost) * leavers - (offerCost + contactCost) * others;

const turnsRight = (a: Cut, b: Cut, c: Cut): boolean =>
  (b.others - a.others) * (c.leavers - b.leavers) < (b.leavers - a.leavers) * (c.others - b.others);

/** Customers of one arm of a retention trial, in one stratum. */
export interface TrialArm {
  /** Name of the arm. */
  readonly arm: string;
  /** Name of the stratum, for instance a plan; one for all unless given. */
  readonly stratum?: string;
  /** Customers who were assigned to it. */
  readonly customers: number;
  /** How many of them stayed. */
  readonly stayed: number;
}

/** A difference between shares with its limits. */
export interface Difference {
  /** Share of the arm minus share of the control. */
  readonly uplift: number;
  /** Lower limit. */
  readonly low: number;
  /** Upper limit. */
  readonly high: number;
}

/** What an arm of a trial did. */
export interface ArmUplift extends Difference {
  readonly arm: string;
  /** Customers. */
  readonly customers: number;
  /** Share of them who stayed. */
  readonly rate: number;
  /** Chance of a larger difference in either direction if the arm did nothing (score test of two proportions). */
  readonly p: number;
  /** Share of the would-be leavers whom the arm kept, with limits; negative if it drove customers away. */
  readonly saved: { readonly share: number; readonly low: number; readonly high: number };
  /** The difference within each stratum. */
  readonly strata: readonly (Difference & { readonly stratum: string })[];
  /** Mantel-Haenszel mean of the differences over the strata: holds if arms were mixed differently there. */
  readonly pooled: Difference & { readonly standardError: number };
  /** Whether the strata share one difference (Cochran's Q); undefined with a single stratum. */
  readonly heterogeneity:
    | { readonly chiSquare: number; readonly degreesOfFreedom: number; readonly p: number }
    | undefined;
}

/** What a randomised retention trial says. */
export interface UpliftTrial {
  /** The control arm. */
  readonly control: { readonly arm: string; readonly customers: number; readonly rate: number };
  /** The other arms in their order. */
  readonly arms: readonly ArmUplift[];
  /** Confidence level of all limits. */
  readonly level: number;
}

/**
 * Uplift of each arm of a randomised trial over the control: differences of two proportions with Newcombe's hybrid score
 * limits, over all and by stratum. The saved share is 1 - (leavers of the arm / leavers of the control), with limits from the
 * same score limits. Pooled: Mantel-Haenszel with the variance of Greenland & Robins for few large strata.
 * @throws DataError if counts are bad, a stratum lacks an arm, there is no control or no other arm, or nobody of the control
 * left; RangeError if the level is no fraction.
 * @see Newcombe (1998), Interval Estimation for the Difference between Independent Proportions, Statistics in Medicine 17,
 * method 10; Donner & Zou (2012), Closed-Form Confidence Intervals for Functions of the Normal Mean and Standard Deviation,
 * Statistical Methods in Medical Research 21(4), for ratios; Greenland & Robins (1985), Estimation of a Common Effect Parameter
 * from Sparse Follow-Up Data, Biometrics 41(1).
 */
export function upliftFromTrial(
  arms: readonly TrialArm[],
  { control = "control", level = 0.95 }: { readonly control?: string; readonly level?: number } = {},
): UpliftTrial {
  const groups = arms.map(({ arm, stratum = "all", customers, stayed }, row) => {
    requireStayers(`arm ${arm} in row ${row + 1}`, customers, stayed);
    return { arm, stratum, customers, stayed };
  });
  const names = [...new Set(groups.map(({ arm }) => arm))];
  if (!names.includes(control) || names.length < 2) {
    throw new DataError(`arms must be "${control}" and at least one other, got ${names.join(", ")}`);
  }
  const strata = [...new Set(groups.map(({ stratum }) => stratum))];
  const groupOf = (arm: string, stratum?: string): Group => {
    const own = groups.filter((one) => one.arm === arm && (stratum ?? one.stratum) === one.stratum);
    if (stratum !== undefined && own.length !== 1) {
      throw new DataError(`stratum ${stratum} must have arm ${arm} once, got ${own.length} rows`);
    }
    const sumOf = (count: (one: Group) => number): number => own.reduce((sum, one) => sum + count(one), 0);
    return { customers: sumOf(({ customers }) => customers), stayed: sumOf(({ stayed }) => stayed) };
  };
  const base = groupOf(control);
  if (base.stayed === base.customers) {
    throw new DataError(`arm ${control} must have customers who left, but all ${base.customers} stayed`);
  }
  const z = normalQuantile((1 + level) / 2);
  return deepFreeze({
    control: { arm: control, customers: base.customers, rate: rateOf(base) },
    arms: names
      .filter((name) => name !== control)
      .map((arm) => {
        const all = groupOf(arm);
        const pairs = strata.map((stratum) => [groupOf(arm, stratum), groupOf(control, stratum)] as const);
        return {
          arm,
          customers: all.customers,
          rate: rateOf(all),
          ...newcombeInterval(all, base, level),
          p: twoProportionP(all, base),
          saved: savedInterval(all, base, level),
          strata: pairs.map(([own, other], i) => ({
            stratum: strata[i] as string,
            ...newcombeInterval(own, other, level),
          })),
          pooled: mantelHaenszel(pairs, z),
          heterogeneity: pairs.length < 2 ? undefined : cochranQ(pairs),
        };
      }),
    level,
  });
}

/** How many customers, and how many of them stayed. */
interface Group {
  readonly customers: number;
  readonly stayed: number;
}

const rateOf = ({ customers, stayed }: Group): number => stayed / customers;

/** Newcombe's method 10: Wilson's limits of both shares, the distances to them combined as independent errors are. */
function newcombeInterval(arm: Group, control: Group, level: number): Difference {
  const [rate, base] = [rateOf(arm), rateOf(control)];
  const [low, high] = wilsonInterval(arm.stayed, arm.customers, level);
  const [baseLow, baseHigh] = wilsonInterval(control.stayed, control.customers, level);
  const uplift = rate - base;
  return {
    uplift,
    low: uplift - Math.hypot(rate - low, baseHigh - base),
    high: uplift + Math.hypot(high - rate, base - baseLow),
  };
}

/** One minus the ratio of leaving, with limits recovered from Wilson's of both shares. */
function savedInterval(arm: Group, control: Group, level: number): ArmUplift["saved"] {
  const [p, q] = [1 - rateOf(arm), 1 - rateOf(control)];
  const [low, high] = wilsonInterval(arm.customers - arm.stayed, arm.customers, level);
  const [baseLow, baseHigh] = wilsonInterval(control.customers - control.stayed, control.customers, level);
  const limit = (own: number, base: number, sign: 1 | -1): number => {
    const ends = own * base * (2 * p - own) * (2 * q - base);
    return (p * q + sign * Math.sqrt(Math.max((p * q) ** 2 - ends, 0))) / (base * (2 * q - base));
  };
  return { share: 1 - p / q, low: 1 - limit(high, baseLow, 1), high: 1 - limit(low, baseHigh, -1) };
}

/** Score test of equal proportions. */
function twoProportionP(arm: Group, control: Group): number {
  const customers = arm.customers + control.customers;
  const pooled = (arm.stayed + control.stayed) / customers;
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / arm.customers + 1 / control.customers));
  return twoSidedP((rateOf(arm) - rateOf(control)) / error);
}

/** Squared standard error of a share; of a share of 0 or 1 too if half a customer is added to both sides. */
function rateVariance({ customers, stayed }: Group, added = 0): number {
  const rate = (stayed + added) / (customers + 2 * added);
  return (rate * (1 - rate)) / customers;
}

function mantelHaenszel(pairs: readonly (readonly [Group, Group])[], z: number): ArmUplift["pooled"] {
  let [weights, sum, variance] = [0, 0, 0];
  for (const [arm, control] of pairs) {
    const weight = (arm.customers * control.customers) / (arm.customers + control.customers);
    weights += weight;
    sum += weight * (rateOf(arm) - rateOf(control));
    variance += weight ** 2 * (rateVariance(arm) + rateVariance(control));
  }
  const uplift = sum / weights;
  const standardError = Math.sqrt(variance) / weights;
  return { uplift, standardError, low: uplift - z * standardError, high: uplift + z * standardError };
}

function cochranQ(pairs: readonly (readonly [Group, Group])[]): NonNullable<ArmUplift["heterogeneity"]> {
  const strata = pairs.map(([arm, control]) => ({
    uplift: rateOf(arm) - rateOf(control),
    precision: 1 / (rateVariance(arm, 0.5) + rateVariance(control, 0.5)),
  }));
  const total = strata.reduce((sum, { precision }) => sum + precision, 0);
  const mean = strata.reduce((sum, { uplift, precision }) => sum + uplift * precision, 0) / total;
  const chiSquare = strata.reduce((sum, { uplift, precision }) => sum + precision * (uplift - mean) ** 2, 0);
  const degreesOfFreedom = pairs.length - 1;
  return { chiSquare, degreesOfFreedom, p: chiSquareTail(chiSquare, degreesOfFreedom) };
}

/** An arm of a trial in which customers get offers of different amounts. */
export interface AmountArm {
  /** Money of the offer, 0 for the control. */
  readonly amount: number;
  /** Customers who were assigned to it. */
  readonly customers: number;
  /** How many of them stayed. */
  readonly stayed: number;
}

type SavedCurveParameter = "baseRate" | "ceiling" | "k";

/** Parameters of the saved curve. */
export type SavedCurveParameters = Readonly<Record<SavedCurveParameter, number>>;

/** A fitted saved curve. */
export type SavedCurveFit = ModelFit<SavedCurveParameter>;

/**
 * Share of the would-be leavers whom an offer of an amount keeps: ceiling x (1 - exp(-k amount)).
 * @throws RangeError if the amount is negative, the ceiling no fraction or k negative.
 * @see Blattberg & Deighton (1996), Manage Marketing by the Customer Equity Test, Harvard Business Review 74(4), for the shape.
 */
export function savedShare({ ceiling, k }: Omit<SavedCurveParameters, "baseRate">, amount: number): number {
  requireFractions({ ceiling });
  requireAmounts({ k, amount });
  return -ceiling * Math.expm1(-k * amount);
}

/** Share who stay with an offer of an amount: base rate + (1 - base rate) x saved share. @throws As `savedShare`. */
export const stayRate = (parameters: SavedCurveParameters, amount: number): number =>
  parameters.baseRate + (1 - parameters.baseRate) * savedShare(parameters, amount);

/**
 * Saved curve by maximum likelihood: each arm's stayers are binomial with share base rate + (1 - base rate) x ceiling x
 * (1 - exp(-k amount)). `baseRate` is the share who stay without an offer, `ceiling` the share of the others that the largest
 * offer would keep, `k` is per unit of money. Where amounts do not reach the bend of the curve, ceiling and k are on a ridge,
 * which `identification` and `warnings` name by their odds.
 * @throws DataError if counts are bad or there are fewer than three different amounts; ConvergenceError as `fitPositive`.
 */
export function fitSavedCurve(arms: readonly AmountArm[]): SavedCurveFit {
  for (const [row, { amount, customers, stayed }] of arms.entries()) {
    requireAmounts({ [`amount in row ${row + 1}`]: amount });
    requireStayers(`arm in row ${row + 1}`, customers, stayed);
  }
  const amounts = [...new Set(arms.map(({ amount }) => amount))].sort((a, b) => a - b);
  if (amounts.length < 3) {
    throw new DataError(`arms must have at least three different amounts, got ${amounts.join(", ")}`);
  }
  const first = arms.filter(({ amount }) => amount === amounts[0]);
  const stayed = first.reduce((sum, arm) => sum + arm.stayed, 0.5);
  const odds = stayed / first.reduce((sum, arm) => sum + arm.customers - arm.stayed, 0.5);
  const middle = amounts[Math.floor(amounts.length / 2)] as number;
  const fit = fitPositive({
    model: "saved curve",
    names: ["odds of the base rate", "odds of the ceiling", "k"],
    starts: [0.3, 2].flatMap((ceiling) => [0.3, 1, 3].map((bend) => [odds, ceiling, bend / middle])),
    logLikelihood: (parameters, gradient) => savedCurveLikelihood(arms, parameters, gradient),
    observations: arms.reduce((sum, { customers }) => sum + customers, 0),
    simplerModel: "one uplift for each arm, upliftFromTrial",
  });
  const [base = 0, ceiling = 0, k = 0] = Object.values(fit.parameters);
  const slope = [(1 + base) ** -2, (1 + ceiling) ** -2, 1]; // of a share in its odds
  const names: readonly SavedCurveParameter[] = ["baseRate", "ceiling", "k"];
  const covariance = fit.covariance.map((row, i) =>
    row.map((value, j) => value * (slope[i] as number) * (slope[j] as number)),
  );
  const errors = covariance.map((row, i) => Math.sqrt(row[i] as number));
  return deepFreeze({
    ...fit,
    parameters: named(names, [base / (1 + base), ceiling / (1 + ceiling), k]),
    standardErrors: named(names, errors),
    covariance,
  });
}

/** Binomial log-likelihood at the odds of base rate and ceiling and k, with its gradient. */
function savedCurveLikelihood(
  arms: readonly AmountArm[],
  [baseOdds = 0, ceilingOdds = 0, k = 0]: ArrayLike<number> & Iterable<number>,
  gradient: Float64Array,
): number {
  const [base, ceiling] = [baseOdds / (1 + baseOdds), ceilingOdds / (1 + ceilingOdds)];
  gradient.fill(0);
  let logLikelihood = 0;
  for (const { amount, customers, stayed } of arms) {
    const reached = -Math.expm1(-k * amount);
    const leave = (1 - ceiling * reached) / (1 + baseOdds);
    const stay = base + (1 - base) * ceiling * reached;
    logLikelihood += stayed === 0 ? 0 : stayed * Math.log(stay);
    logLikelihood += stayed === customers ? 0 : (customers - stayed) * Math.log(leave);
    const slope =
      (stayed === 0 ? 0 : stayed / stay) - (stayed === customers ? 0 : (customers - stayed) / leave);
    const parts = [
      (1 - ceiling * reached) / (1 + baseOdds) ** 2,
      ((1 - base) * reached) / (1 + ceilingOdds) ** 2,
      (1 - base) * ceiling * amount * (1 - reached),
    ];
    for (const [i, part] of parts.entries()) gradient[i] = (gradient[i] as number) + slope * part;
  }
  return logLikelihood;
}

/** What may be asked of the bootstrap of a saved curve. */
export interface SavedCurveIntervalOptions {
  /** Amounts at which limits of the saved share are wanted, money. */
  readonly amounts: readonly number[];
  readonly random: Random;
  /** Simulated trials; 200 unless given. */
  readonly draws?: number;
  /** Level of the limits; 0.9 unless given. */
  readonly level?: number;
}

/** Bootstrap limits of a saved curve. */
export interface SavedCurveInterval {
  /** Limits of each parameter. */
  readonly parameters: Readonly<Record<SavedCurveParameter, readonly [low: number, high: number]>>;
  /** Limits of the saved share at each amount. */
  readonly curve: readonly { readonly amount: number; readonly low: number; readonly high: number }[];
  readonly level: number;
  /** Simulated trials that could be fitted. */
  readonly draws: number;
}

/**
 * Percentile limits by parametric bootstrap: trials of the same arms are simulated from the fitted curve and fitted again.
 * They hold where the standard errors do not, because ceiling and k lie on a ridge.
 * @throws RangeError if draws is not a whole number from 20 up, the level is no fraction or an amount negative;
 * ConvergenceError if more than a tenth of the simulated trials cannot be fitted.
 * @see Davison & Hinkley (1997), Bootstrap Methods and their Application, section 5.3.
 */
export function savedCurveInterval(
  fit: { readonly parameters: SavedCurveParameters },
  arms: readonly AmountArm[],
  { amounts, random, draws = 200, level = 0.9 }: SavedCurveIntervalOptions,
): SavedCurveInterval {
  if (!(Number.isSafeInteger(draws) && draws >= 20)) {
    throw new RangeError(`draws must be a whole number from 20 up, got ${draws}`);
  }
  if (!(level > 0 && level < 1)) throw new RangeError(`level must be between 0 and 1, got ${level}`);
  const refits: SavedCurveParameters[] = [];
  for (let draw = 0; draw < draws; draw++) {
    const simulated = arms.map((arm) => ({
      ...arm,
      stayed: drawBinomial(random, arm.customers, stayRate(fit.parameters, arm.amount)),
    }));
    try {
      refits.push(fitSavedCurve(simulated).parameters);
    } catch (error) {
      if (!(error instanceof ConvergenceError)) throw error;
    }
  }
  if (refits.length < 0.9 * draws) {
    throw new ConvergenceError(
      `saved curve: only ${refits.length} of ${draws} simulated trials could be fitted: the arms are too small for the curve`,
    );
  }
  const limits = (values: readonly number[]): readonly [number, number] => [
    quantileOf(values, (1 - level) / 2),
    quantileOf(values, (1 + level) / 2),
  ];
  const of = (name: SavedCurveParameter): readonly [number, number] => limits(refits.map((one) => one[name]));
  return deepFreeze({
    parameters: { baseRate: of("baseRate"), ceiling: of("ceiling"), k: of("k") },
    curve: amounts.map((amount) => {
      const [low, high] = limits(refits.map((one) => savedShare(one, amount)));
      return { amount, low, high };
    }),
    level,
    draws: refits.length,
  });
}

interface OfferTerms {
  readonly size: number;
  readonly stay: Float64Array;
  readonly uplift: Float64Array;
  readonly value: Float64Array;
  /** Expected cost of an offer. */
  readonly cost: Float64Array;
  readonly profit: Float64Array;
}

function offerTerms(candidates: OfferCandidates, { contactCost, offerCost }: OfferCosts): OfferTerms {
  requireAmounts({ contactCost, offerCost });
  const size = candidates.stay.length;
  if (size === 0) throw new DataError("candidates must have at least one row, got none");
  const shares = (name: string, values: ArrayLike<number>): Float64Array =>
    finiteColumn(name, values, size, (share) => share >= 0 && share <= 1, "a fraction from 0 to 1");
  const stay = shares("stay", candidates.stay);
  const value = finiteColumn("value", candidates.value, size);
  const known = candidates.stayWithOffer && shares("stayWithOffer", candidates.stayWithOffer);
  const withOffer = known ?? new Float64Array(size).fill(1);
  const uplift = withOffer.map((chance, row) => chance - (stay[row] as number));
  const accept = candidates.accept ? shares("accept", candidates.accept) : (known ?? uplift);
  const row = accept.findIndex((chance, i) => chance > (withOffer[i] as number));
  if (row !== -1) {
    throw new DataError(
      `accept in row ${row + 1} must be at most stayWithOffer ${withOffer[row]}, got ${accept[row]}`,
    );
  }
  if (candidates.customer && candidates.customer.length !== size) {
    throw new DataError(
      `customer must have one value for each of the ${size} rows, got ${candidates.customer.length}`,
    );
  }
  const cost = accept.map((chance) => contactCost + chance * offerCost);
  const profit = uplift.map((gain, i) => gain * (value[i] as number) - (cost[i] as number));
  return { size, stay, uplift, value, cost, profit };
}

function requireCampaign({ value, offerCost, contactCost }: ChurnCampaign): void {
  requireAmounts({ value, offerCost, contactCost });
  if (!(offerCost < value))
    throw new RangeError(`offerCost must be below the value ${value}, got ${offerCost}`);
}

function requireStayers(place: string, customers: number, stayed: number): void {
  if (!(Number.isSafeInteger(customers) && customers >= 1)) {
    throw new DataError(`${place}: customers must be a whole number from 1 up, got ${customers}`);
  }
  if (!(Number.isSafeInteger(stayed) && stayed >= 0 && stayed <= customers)) {
    throw new DataError(`${place}: stayed must be a whole number from 0 to ${customers}, got ${stayed}`);
  }
}

function requireFractions(shares: Readonly<Record<string, number>>): void {
  for (const [name, share] of Object.entries(shares)) {
    if (share >= 0 && share <= 1) continue;
    const hint = share > 1 ? "; a percentage must be divided by 100" : "";
    throw new RangeError(`${name} must be a fraction from 0 to 1, got ${share}${hint}`);
  }
}

function requireAmounts(amounts: Readonly<Record<string, number>>): void {
  for (const [name, amount] of Object.entries(amounts)) {
    if (!(amount >= 0 && Number.isFinite(amount))) {
      throw new RangeError(`${name} must be a finite number from 0 up, got ${amount}`);
    }
  }
}
