import { type ColumnTable, table } from "arquero";
import { requireAbove, requireFromZero, requireRates, requireWhole } from "../core/arguments.js";
import { finiteColumn, requireLength } from "../core/columns.js";
import { DataError } from "../core/errors.js";
import { describe } from "../core/table.js";
import { regularisedBeta } from "../numeric/special.js";
import { outcomeColumn } from "../scoring/logistic.js";
import { rankedGroups } from "../scoring/score-quality.js";

/** Customers who may get a retention offer, column by column. */
export interface OfferCandidates {
  /** Names of the customers, each listed once; their row numbers from 1 unless given. */
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
 * @throws DataError if a column is bad, a customer is listed twice, or somebody takes the offer more often than they stay
 * with it; RangeError if a cost is negative.
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
  requireWhole("points", points, 1);
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
  requireRates({ churners, saved, takers, loyaltyGain });
  requireFromZero({ value, offerCost, contactCost });
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
  requireRates({ acceptance: terms.acceptance });
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
  requireAbove("alpha", alpha, 0);
  requireAbove("beta", beta, 0);
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
  requireFromZero({ contactCost, offerCost });
  const size = candidates.stay.length;
  if (size === 0) throw new DataError("candidates must have at least one row, got none");
  const shares = (name: string, values: ArrayLike<number>): Float64Array => {
    const column = finiteColumn(name, values, size);
    const row = column.findIndex((share) => !(share >= 0 && share <= 1));
    if (row === -1) return column;
    const hint = (column[row] as number) > 1 ? "; a percentage must be divided by 100" : "";
    throw new DataError(
      `${name} in row ${row + 1} must be a fraction from 0 to 1, got ${column[row]}${hint}`,
    );
  };
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
  if (candidates.customer) requireListedOnce(candidates.customer, size);
  const cost = accept.map((chance) => contactCost + chance * offerCost);
  const profit = uplift.map((gain, i) => gain * (value[i] as number) - (cost[i] as number));
  return { size, stay, uplift, value, cost, profit };
}

/** @throws DataError if customers are not one a row, or one of them has two rows: it would get two offers. */
function requireListedOnce(customers: ArrayLike<string | number>, size: number): void {
  requireLength("customer", customers, size);
  const rowOf = new Map<string | number, number>();
  for (let row = 0; row < size; row++) {
    const customer = customers[row] as string | number;
    const first = rowOf.get(customer);
    if (first !== undefined) {
      throw new DataError(
        `customer in row ${row + 1} must be listed once, got ${describe(customer)} as in row ${first + 1}`,
      );
    }
    rowOf.set(customer, row);
  }
}

function requireCampaign({ value, offerCost, contactCost }: ChurnCampaign): void {
  requireFromZero({ value, offerCost, contactCost });
  if (!(offerCost < value))
    throw new RangeError(`offerCost must be below the value ${value}, got ${offerCost}`);
}
