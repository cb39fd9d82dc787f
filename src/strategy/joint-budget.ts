import {
  type BalanceSpec,
  blattbergDeighton,
  lifetimeValue,
  rateOf,
  requireSpend,
  slopeOf,
  spendWorth,
} from "./balance.js";

/** A segment in which acquisition and retention interact: what keeps customers makes each new one worth more. */
export interface JointSegment extends BalanceSpec {
  /** Name that no other segment has. */
  readonly name: string;
  /** Prospects who may be acquired now. */
  readonly prospects: number;
  /** Customers who are up for renewal now; 0 if left out. */
  readonly customers?: number;
}

/** What one segment gets. */
export interface JointSegmentAllocation {
  readonly name: string;
  /** Money per prospect. */
  readonly acquisitionSpend: number;
  /** Money per customer and period. */
  readonly retentionSpend: number;
  /** Money out of this budget: for all prospects and all customers up for renewal now. */
  readonly spend: number;
  /** Share of prospects acquired. */
  readonly acquisitionRate: number;
  /** Share of customers retained per period. */
  readonly retentionRate: number;
  /** Expected lifetime value of a customer when acquired or renewed, under this retention spend. */
  readonly customerValue: number;
  /** Value of the customers acquired and retained, before the spend. */
  readonly value: number;
}

/** The best division of a budget among segments, each with its balance of acquisition and retention. */
export interface JointAllocation {
  readonly segments: readonly JointSegmentAllocation[];
  readonly budget: number;
  /** Money spent. */
  readonly spend: number;
  /** Money left, because the next unit would not pay. */
  readonly slack: number;
  /** Money that the spend brings, before the spend. */
  readonly value: number;
  /** Value less spend. */
  readonly netValue: number;
  /** What one more unit of budget adds to the net value; 0 if money is left. */
  readonly shadowPrice: number;
  /** How much more net value any division can have at most. */
  readonly gap: number;
}

const MOST_BRANCHES = 200;
const CLOSE_ENOUGH = 1e-10; // of the net value: branches stop when no division can be better by more

/**
 * Divides one budget among the acquisition and retention of several segments in which the two interact: the retention spend R
 * is kept up for every later renewal (paid by the customer's own margin), so a new customer is worth V(R), and the division
 * maximises, over the segments, prospects x (a(A) V(R) - A) + customers x (r(R) V(R) - R) with the sum of prospects x A +
 * customers x R within the budget. With money enough, each segment has the balance of `blattbergDeighton`.
 *
 * The sum need not be concave in R. So each segment answers to a price of money by exact search (A in closed form given R, R
 * among all stationary points), and the price is bisected; that is the concave envelope of the problem, whose value bounds
 * every division. Where an answer jumps at the price, so that the budget falls between two answers, one segment takes the
 * difference, and branch and bound on R closes the gap: to 1e-10 of the net value, or, where 200 branches do not suffice, with
 * the remaining `gap` stated.
 * @throws RangeError if there are no segments, two have one name, one is not possible, or the budget is below 0.
 * @see Blattberg & Deighton (1996), Harvard Business Review 74(4), for the model; Everett (1963), Generalized Lagrange
 * Multiplier Method for Solving Problems of Optimum Allocation of Resources, Operations Research 11(3), for the price.
 */
export function allocateJointly(segments: readonly JointSegment[], budget: number): JointAllocation {
  requireSpend("budget", budget);
  const markets = readSegments(segments);
  const root = relaxed(markets, budget);
  let best = root;
  let open = [root];
  let gap = 0;
  for (let branches = 0; ; branches++) {
    const [first] = open;
    if (first === undefined) break;
    const top = open.reduce((most, each) => (each.bound > most.bound ? each : most), first);
    gap = top.bound - best.net;
    if (gap <= CLOSE_ENOUGH * Math.abs(best.net) || branches === MOST_BRANCHES) break;
    gap = 0;
    const halves = split(top)
      .filter((parts) => parts.reduce((sum, part) => sum + part.customers * part.low, 0) <= budget)
      .map((parts) => relaxed(parts, budget));
    best = halves.reduce((most, each) => (each.net > most.net ? each : most), best);
    open = [...open.filter((each) => each !== top), ...halves].filter(({ bound }) => bound > best.net);
  }
  const spend = spendOf(best.plans);
  return Object.freeze({
    segments: best.plans.map((plan, i) => described(markets[i] as Market, plan)),
    budget,
    spend,
    slack: best.price === 1 ? Math.max(0, budget - spend) : 0,
    value: best.net + spend,
    netValue: best.net,
    shadowPrice: best.price - 1,
    gap: Math.max(0, gap),
  });
}

/** A segment with the range in which its retention spend is looked for; at first up to what would be best without a budget. */
interface Market extends JointSegment {
  readonly customers: number;
  readonly low: number;
  readonly high: number;
}

/** Spends of one segment, what they cost now, and what they bring net. */
interface Plan {
  readonly acquisitionSpend: number;
  readonly retentionSpend: number;
  readonly spend: number;
  readonly net: number;
}

/** The best division found within the ranges of the segments, and what no division within them exceeds. */
interface Relaxed {
  readonly markets: readonly Market[];
  readonly plans: readonly Plan[];
  readonly net: number;
  readonly bound: number;
  readonly price: number;
  /** The answers just above and just below the price. */
  readonly few: readonly Plan[];
  readonly more: readonly Plan[];
}

const spendOf = (plans: readonly Plan[]): number => plans.reduce((sum, { spend }) => sum + spend, 0);
const netOf = (plans: readonly Plan[]): number => plans.reduce((sum, { net }) => sum + net, 0);

function relaxed(markets: readonly Market[], budget: number): Relaxed {
  const answer = (price: number): Plan[] => markets.map((market) => answerTo(market, price));
  let [low, high] = [1, 1];
  let few = answer(high);
  let more = few;
  while (spendOf(few) > budget) {
    [low, more, high] = [high, few, 2 * high];
    few = answer(high);
  }
  for (;;) {
    const price = (low + high) / 2;
    if (!(price > low && price < high)) break;
    const plans = answer(price);
    if (spendOf(plans) > budget) [low, more] = [price, plans];
    else [high, few] = [price, plans];
  }
  const bound = netOf(few) + (high - 1) * (budget - spendOf(few));
  const adjusted = [few, more].flatMap((plans) =>
    markets.map((market, place) => {
      const own = (plans[place] as Plan).spend + budget - spendOf(plans);
      if (own < market.customers * market.low) return few;
      return plans.map((plan, i) => (i === place ? bestWithin(market, own) : plan));
    }),
  );
  const plans = adjusted.reduce<readonly Plan[]>(
    (most, each) => (netOf(each) > netOf(most) ? each : most),
    few,
  );
  return { markets, plans, net: netOf(plans), bound, price: high, few, more };
}

/** Halves the range of the segment whose answer jumps the most, between its two answers. */
function split({ markets, few, more }: Relaxed): (readonly Market[])[] {
  const jumps = few.map(({ spend }, i) => Math.abs((more[i] as Plan).spend - spend));
  const place = jumps.indexOf(Math.max(...jumps));
  const middle = ((few[place] as Plan).retentionSpend + (more[place] as Plan).retentionSpend) / 2;
  return [{ high: middle }, { low: middle }].map((half) =>
    markets.map((market, i) => (i === place ? { ...market, ...half } : market)),
  );
}

/** The spends that are best for a segment if a unit of money costs so much. */
const answerTo = (market: Market, price: number): Plan =>
  bestRetention(market, { top: market.high, moneyPrice: price }, (retentionSpend) => ({
    acquisitionSpend: acquisitionAt(market, retentionSpend, price),
    price,
  }));

/** The spends that are best for a segment with so much money and no more. */
function bestWithin(market: Market, money: number): Plan {
  const { prospects, customers, acquisition, high } = market;
  const most = customers > 0 ? money / customers : Number.POSITIVE_INFINITY;
  const search = { top: Math.min(high, most), moneyPrice: 1 };
  return bestRetention(market, search, (retentionSpend) => {
    const left = Math.max(0, money - customers * retentionSpend);
    const wanted = acquisitionAt(market, retentionSpend, 1);
    if (prospects * wanted <= left) return { acquisitionSpend: wanted, price: 1 };
    const acquisitionSpend = left / prospects;
    const price = slopeOf(acquisition, acquisitionSpend) * lifetimeValue(market, retentionSpend);
    return { acquisitionSpend, price };
  });
}

const acquisitionAt = (market: Market, retentionSpend: number, price: number): number =>
  market.prospects > 0 ? spendWorth(lifetimeValue(market, retentionSpend) / price, market.acquisition) : 0;

const LOOKS = 64; // retention spends between which the slope is looked at

/**
 * The best retention spend from the low end of the range to `top`, with the acquisition spend that belongs to it: among the ends and the stationary
 * points, which lie where the slope of the surplus (value less `moneyPrice` times spend) turns from above 0 to below.
 * `acquire` gives the acquisition spend, and what a unit of money is worth there: that price, or more where money is short.
 */
function bestRetention(
  market: Market,
  { top, moneyPrice }: { readonly top: number; readonly moneyPrice: number },
  acquire: (retentionSpend: number) => { readonly acquisitionSpend: number; readonly price: number },
): Plan {
  const { prospects, customers, acquisition, retention, discountRate, low } = market;
  const planOf = (retentionSpend: number) => {
    const { acquisitionSpend, price } = acquire(retentionSpend);
    const customerValue = lifetimeValue(market, retentionSpend);
    const retained = rateOf(retention, retentionSpend);
    const kept = slopeOf(retention, retentionSpend) * customerValue; // value kept by one more unit of money
    const served = prospects * rateOf(acquisition, acquisitionSpend) + customers * retained;
    const spend = prospects * acquisitionSpend + customers * retentionSpend;
    const net = served * customerValue - spend;
    const slope = (served * (kept - 1)) / (1 + discountRate - retained) + customers * (kept - price);
    return { acquisitionSpend, retentionSpend, spend, net, slope, surplus: net - (moneyPrice - 1) * spend };
  };
  const looks = Array.from({ length: LOOKS + 1 }, (_, look) => planOf(low + ((top - low) * look) / LOOKS));
  const turns = looks.slice(1).flatMap((right, place) => {
    let [from, to] = [looks[place] as typeof right, right];
    if (!(from.slope > 0 && to.slope < 0)) return [];
    for (;;) {
      const middle = (from.retentionSpend + to.retentionSpend) / 2;
      if (!(middle > from.retentionSpend && middle < to.retentionSpend)) return [to];
      const plan = planOf(middle);
      if (plan.slope > 0) from = plan;
      else to = plan;
    }
  });
  return [...looks, ...turns].reduceRight((most, plan) => (plan.surplus > most.surplus ? plan : most));
}

function described(market: Market, plan: Plan): JointSegmentAllocation {
  const { name, acquisition, retention } = market;
  const { acquisitionSpend, retentionSpend, spend, net } = plan;
  return {
    name,
    acquisitionSpend,
    retentionSpend,
    spend,
    acquisitionRate: rateOf(acquisition, acquisitionSpend),
    retentionRate: rateOf(retention, retentionSpend),
    customerValue: lifetimeValue(market, retentionSpend),
    value: net + spend,
  };
}

function readSegments(segments: readonly JointSegment[]): Market[] {
  if (segments.length === 0) throw new RangeError("segments must hold at least one segment, got none");
  return segments.map((segment, place) => {
    const { name, prospects, customers = 0 } = segment;
    if (segments.findIndex((other) => other.name === name) !== place) {
      throw new RangeError(`segments must have different names, got "${name}" twice`);
    }
    requireSpend(`prospects of "${name}"`, prospects);
    requireSpend(`customers of "${name}"`, customers);
    return { ...segment, customers, low: 0, high: blattbergDeighton(segment).retentionSpend };
  });
}
