import { DataError } from "../core/errors.js";
import type { Objective } from "../numeric/minimise.js";
import type { Random } from "../numeric/random.js";
import { drawBernoulli, drawGamma } from "../numeric/sampling.js";
import { requireParameters } from "./cells.js";
import { fitPositive, type ModelFit } from "./fit.js";
import { discountedRenewals, requireDiscountRate, requirePeriods } from "./shifted-beta-geometric.js";

/** Parameters of the BG/BB: chance to buy is Beta(alpha, beta), chance to die before an opportunity Beta(gamma, delta). */
export interface BgBbParameters {
  readonly alpha: number;
  readonly beta: number;
  readonly gamma: number;
  readonly delta: number;
}

/** One customer of the BG/BB: bought at `x` of `opportunities` n, last at number `recency` t_x (0 if never). */
export interface BgBbCustomer {
  readonly x: number;
  readonly recency: number;
  readonly opportunities: number;
}

/** Customers in columns; `weight` is how many customers a row stands for (1 if left out). */
export interface BgBbCustomers {
  readonly x: ArrayLike<number>;
  readonly recency: ArrayLike<number>;
  readonly opportunities: ArrayLike<number>;
  readonly weight?: ArrayLike<number>;
}

/**
 * Fits the beta-geometric / beta-Bernoulli model of discrete-time, non-contractual buying by maximum likelihood.
 * `x` counts purchases after the first one, at most one per opportunity; equal rows are collapsed before fitting.
 * A flat ridge of the likelihood is reported in `identification` and `warnings`, not as a failure.
 * @throws DataError if a value is not possible: it names the row (from 0), the value and what is allowed.
 * @throws ConvergenceError if the likelihood has no optimum the solver can reach.
 * @see Fader, Hardie & Shang (2010), Customer-Base Analysis in a Discrete-Time Noncontractual Setting, Marketing
 * Science 29(6).
 */
export function fitBgBb(customers: BgBbCustomers): ModelFit<"alpha" | "beta" | "gamma" | "delta"> {
  const cells = bgbbCells(customers);
  return fitPositive({
    model: "BG/BB",
    names: ["alpha", "beta", "gamma", "delta"],
    starts: [
      [1, 1, 1, 1],
      [1, 1, 0.5, 3],
      [0.5, 4, 1, 10],
    ],
    logLikelihood: (parameters, gradient) => bgbbLogLikelihoodAt(cells, parameters, gradient),
    observations: cells.customers,
    simplerModel: "beta-Bernoulli without death",
  });
}

/**
 * Log-likelihood of the BG/BB as a function of (alpha, beta, gamma, delta) that fills its gradient, for `posteriorDraws`.
 * @throws DataError as in fitBgBb.
 */
export function bgbbObjective(customers: BgBbCustomers): Objective {
  const cells = bgbbCells(customers);
  return (parameters, gradient) => bgbbLogLikelihoodAt(cells, parameters, gradient);
}

/**
 * Log-likelihood of the BG/BB, and its gradient by (alpha, beta, gamma, delta), written to `gradient` if given.
 * @throws DataError as in fitBgBb; RangeError if a parameter is not above 0.
 * @see Fader, Hardie & Shang (2010).
 */
export function bgbbLogLikelihood(
  parameters: BgBbParameters,
  customers: BgBbCustomers,
  gradient: Float64Array = new Float64Array(4),
): number {
  requireParameters(parameters);
  const { alpha, beta, gamma, delta } = parameters;
  return bgbbLogLikelihoodAt(bgbbCells(customers), [alpha, beta, gamma, delta], gradient);
}

/**
 * Chance that a customer is alive `after` opportunities later (default 0: at the last observed one). The paper's
 * P(alive at n + 1), which also survives the way to the next opportunity, is `after` 1.
 * @throws RangeError if the customer or a parameter is not possible.
 * @see Fader, Hardie & Shang (2010).
 */
export function bgbbProbabilityAlive(parameters: BgBbParameters, customer: BgBbCustomer, after = 0): number {
  requireParameters(parameters);
  requireCustomer(customer);
  requirePeriods(after, "after");
  const { alive, dead } = deathPaths(parameters, customer);
  return (alive / (alive + dead)) * survives(parameters, customer.opportunities, after);
}

/**
 * Expected purchases of a customer in the next `periods` opportunities.
 * @throws RangeError if the customer, the periods or a parameter is not possible.
 * @see Fader, Hardie & Shang (2010), summed over the opportunities so that gamma = 1 is no special case.
 */
export function bgbbExpectedPurchases(
  parameters: BgBbParameters,
  customer: BgBbCustomer,
  periods: number,
): number {
  const rate = buyingRateIfAlive(parameters, customer);
  requirePeriods(periods);
  return rate * aliveOpportunities(parameters, customer.opportunities, periods);
}

/**
 * Expected purchases of a new customer in the first `periods` opportunities.
 * @throws RangeError if the periods or a parameter is not possible.
 * @see Fader, Hardie & Shang (2010).
 */
export function bgbbNewCustomerPurchases(parameters: BgBbParameters, periods: number): number {
  requireParameters(parameters);
  requirePeriods(periods);
  const { alpha, beta } = parameters;
  return (alpha / (alpha + beta)) * aliveOpportunities(parameters, 0, periods);
}

/**
 * Chances that a new customer buys 0, 1, …, `periods` times in the first `periods` opportunities.
 * @throws RangeError if the periods or a parameter is not possible.
 * @see Fader, Hardie & Shang (2010).
 */
export function bgbbPurchaseDistribution(parameters: BgBbParameters, periods: number): Float64Array {
  requireParameters(parameters);
  requirePeriods(periods);
  const { alpha, beta, gamma, delta } = parameters;
  const distribution = new Float64Array(periods + 1);
  const given = new Float64Array(periods + 1); // beta-binomial chances after `lived` opportunities
  given[0] = 1;
  let survival = 1;
  for (let lived = 0; lived <= periods; lived++) {
    const dies = lived === periods ? 1 : gamma / (gamma + delta + lived);
    for (let x = 0; x <= lived; x++) {
      distribution[x] = (distribution[x] as number) + survival * dies * (given[x] as number);
    }
    survival *= 1 - dies;
    const all = alpha + beta + lived;
    for (let x = lived + 1; x >= 0 && lived < periods; x--) {
      const bought = x === 0 ? 0 : ((given[x - 1] as number) * (alpha + x - 1)) / all;
      given[x] = bought + ((given[x] as number) * (beta + lived - x)) / all;
    }
  }
  return distribution;
}

/**
 * Discounted expected residual transactions (DERT): all future purchases of a customer, one at the next opportunity
 * counted as 1 / (1 + discountRate). `discountRate` is a fraction per opportunity, above 0.
 * @throws RangeError if the customer, the rate or a parameter is not possible.
 * @see Fader, Hardie & Shang (2010); in ratios, so that large gamma and delta do not underflow.
 */
export function bgbbDiscountedPurchases(
  parameters: BgBbParameters,
  customer: BgBbCustomer,
  discountRate: number,
): number {
  const rate = buyingRateIfAlive(parameters, customer);
  requireDiscountRate(discountRate);
  const { gamma, delta } = parameters;
  return (
    (rate * discountedRenewals(gamma, delta + customer.opportunities, discountRate)) / (1 + discountRate)
  );
}

/**
 * Posterior mean of a customer's chance to buy at an opportunity while alive.
 * @throws RangeError if the customer or a parameter is not possible.
 * @see Fader, Hardie & Shang (2010).
 */
export function bgbbPosteriorBuyingProbability(parameters: BgBbParameters, customer: BgBbCustomer): number {
  requireParameters(parameters);
  requireCustomer(customer);
  const { alpha } = parameters;
  const { alive, dead, buyingSum } = deathPaths(parameters, customer);
  return ((alpha + customer.x) * buyingSum) / (alive + dead);
}

/**
 * Simulated customers of the BG/BB, one for every entry of `opportunities`.
 * @throws RangeError if a parameter is not above 0 or a number of opportunities is no whole number from 0 up.
 * @see Fader, Hardie & Shang (2010), section 2.1, whose assumptions it follows step by step.
 */
export function simulateBgBb(
  parameters: BgBbParameters,
  opportunities: ArrayLike<number>,
  random: Random,
): { readonly x: Float64Array; readonly recency: Float64Array; readonly opportunities: Float64Array } {
  requireParameters(parameters);
  const { alpha, beta, gamma, delta } = parameters;
  const offered = Float64Array.from(opportunities);
  const x = new Float64Array(offered.length);
  const recency = new Float64Array(offered.length);
  for (const [row, last] of offered.entries()) {
    requirePeriods(last, "opportunities");
    const buys = drawBeta(random, alpha, beta);
    const dies = drawBeta(random, gamma, delta);
    for (let now = 1; now <= last && !drawBernoulli(random, dies); now++) {
      if (!drawBernoulli(random, buys)) continue;
      x[row] = (x[row] as number) + 1;
      recency[row] = now;
    }
  }
  return { x, recency, opportunities: offered };
}

function drawBeta(random: Random, alpha: number, beta: number): number {
  const one = drawGamma(random, alpha, 1);
  const other = drawGamma(random, beta, 1);
  return one + other > 0 ? one / (one + other) : alpha / (alpha + beta);
}

/**
 * How a customer's silence since the last purchase came about, relative to death right after it: the weight of having
 * died at any opportunity since, of being alive, and the sum of weight / (alpha + beta + opportunities lived).
 */
function deathPaths(
  { alpha, beta, gamma, delta }: BgBbParameters,
  { x, recency, opportunities }: BgBbCustomer,
): { readonly alive: number; readonly dead: number; readonly buyingSum: number } {
  let weight = 1;
  let dead = 0;
  let buyingSum = 0;
  for (let lived = recency; lived < opportunities; lived++) {
    dead += weight;
    buyingSum += weight / (alpha + beta + lived);
    weight *= ((beta + lived - x) / (alpha + beta + lived)) * ((delta + lived) / (gamma + delta + 1 + lived));
  }
  const alive = weight * ((gamma + delta + opportunities) / gamma);
  return { alive, dead, buyingSum: buyingSum + alive / (alpha + beta + opportunities) };
}

/** P(alive) times the posterior mean chance to buy of those alive. */
function buyingRateIfAlive(parameters: BgBbParameters, customer: BgBbCustomer): number {
  const { alpha, beta } = parameters;
  const alive = bgbbProbabilityAlive(parameters, customer);
  return (alive * (alpha + customer.x)) / (alpha + beta + customer.opportunities);
}

/** Chance to survive `after` further opportunities of somebody alive at number `n`. */
function survives({ gamma, delta }: BgBbParameters, n: number, after: number): number {
  let chance = 1;
  for (let j = n; j < n + after; j++) chance *= (delta + j) / (gamma + delta + j);
  return chance;
}

/** Expected number of the next `periods` opportunities at which somebody alive at number `n` is still alive. */
function aliveOpportunities({ gamma, delta }: BgBbParameters, n: number, periods: number): number {
  let chance = 1;
  let sum = 0;
  for (let j = n; j < n + periods; j++) {
    chance *= (delta + j) / (gamma + delta + j);
    sum += chance;
  }
  return sum;
}

interface BgBbCells {
  readonly x: Float64Array;
  readonly recency: Float64Array;
  readonly opportunities: Float64Array;
  readonly weight: Float64Array;
  readonly most: number;
  readonly customers: number;
}

/** Distinct (x, t_x, n) in ascending order of n, t_x, x, with their weights. */
function bgbbCells({ x, recency, opportunities, weight }: BgBbCustomers): BgBbCells {
  const rows = x.length;
  for (const [name, column] of Object.entries({ recency, opportunities, ...(weight && { weight }) })) {
    if (column.length !== rows) {
      throw new DataError(`${name} must have as many rows as x, ${rows}, got ${column.length}`);
    }
  }
  if (rows === 0) throw new DataError("customers must have at least one row, got none");
  let most = 0;
  for (let row = 0; row < rows; row++) {
    const customer = customerAt({ x, recency, opportunities }, row);
    const wrong = customerError(customer, { newcomers: false });
    if (wrong) throw new DataError(`customers row ${row}: ${wrong}`);
    most = Math.max(most, customer.opportunities);
  }
  const base = most + 1;
  const weights = new Map<number, number>();
  for (let row = 0; row < rows; row++) {
    const count = weight ? (weight[row] as number) : 1;
    if (!(count > 0 && Number.isFinite(count))) {
      throw new DataError(`customers row ${row}: weight must be a number above 0, got ${count}`);
    }
    const customer = customerAt({ x, recency, opportunities }, row);
    const key = (customer.opportunities * base + customer.recency) * base + customer.x;
    weights.set(key, (weights.get(key) ?? 0) + count);
  }
  const keys = Float64Array.from(weights.keys()).sort();
  const cellWeights = keys.map((key) => weights.get(key) ?? 0);
  return {
    x: keys.map((key) => key % base),
    recency: keys.map((key) => Math.floor(key / base) % base),
    opportunities: keys.map((key) => Math.floor(key / base / base)),
    weight: cellWeights,
    most,
    customers: cellWeights.reduce((sum, count) => sum + count, 0),
  };
}

const customerAt = ({ x, recency, opportunities }: BgBbCustomers, row: number): BgBbCustomer => ({
  x: x[row] as number,
  recency: recency[row] as number,
  opportunities: opportunities[row] as number,
});

function requireCustomer(customer: BgBbCustomer): void {
  const wrong = customerError(customer, { newcomers: true });
  if (wrong) throw new RangeError(wrong);
}

/** What is not possible about a customer. */
function customerError(
  { x, recency, opportunities }: BgBbCustomer,
  { newcomers }: { newcomers: boolean },
): string | undefined {
  const least = newcomers ? 0 : 1;
  if (!(Number.isInteger(opportunities) && opportunities >= least && opportunities <= 100_000)) {
    return `opportunities must be a whole number from ${least} to 100000, got ${opportunities}`;
  }
  if (!(Number.isInteger(recency) && recency >= 0 && recency <= opportunities)) {
    return `recency must be a whole number from 0 to the ${opportunities} opportunities, got ${recency}`;
  }
  if (!(Number.isInteger(x) && x >= 0 && x <= recency)) {
    return `x must be a whole number from 0 to the recency ${recency}, got ${x}`;
  }
  if (x === 0 && recency !== 0) return `recency must be 0 where x is 0, got ${recency}`;
  return undefined;
}

/** For k = 0, 1, …, `most`: log of a (a + 1) … (a + k - 1), and its derivative by a. */
interface Rising {
  readonly log: Float64Array;
  readonly slope: Float64Array;
}

function risingFactorials(a: number, most: number): Rising {
  const log = new Float64Array(most + 1);
  const slope = new Float64Array(most + 1);
  for (let k = 0; k < most; k++) {
    log[k + 1] = (log[k] as number) + Math.log(a + k);
    slope[k + 1] = (slope[k] as number) + 1 / (a + k);
  }
  return { log, slope };
}

/**
 * Per cell: the term of death right after the last purchase, from rising factorials, times the sum of all ways to have
 * been silent since, relative to it. The sum has positive terms only, and its ratios carry the gradient along.
 */
function bgbbLogLikelihoodAt(
  cells: BgBbCells,
  parameters: ArrayLike<number>,
  gradient: Float64Array,
): number {
  const [alpha = 0, beta = 0, gamma = 0, delta = 0] = Array.from(parameters);
  const buy = risingFactorials(alpha, cells.most);
  const pass = risingFactorials(beta, cells.most);
  const either = risingFactorials(alpha + beta, cells.most);
  const live = risingFactorials(delta, cells.most);
  const fate = risingFactorials(gamma + delta, cells.most + 1);
  const at = (column: Float64Array, k: number): number => column[k] as number;
  let value = 0;
  gradient.fill(0);
  for (const [cell, customers] of cells.weight.entries()) {
    const x = at(cells.x, cell);
    const last = at(cells.recency, cell);
    const n = at(cells.opportunities, cell);
    let weight = 1;
    let ofBeta = 0; // derivatives of log weight
    let ofEither = 0;
    let ofDelta = 0;
    let ofFate = 0;
    let sum = 0; // sums over the deaths: weight, and weight times its log's derivatives
    let sumBeta = 0;
    let sumEither = 0;
    let sumDelta = 0;
    let sumFate = 0;
    for (let lived = last; lived <= n; lived++) {
      // alive at the end: not dying, gamma / (gamma + delta + n), is taken out of the last term
      const term = lived === n ? weight * ((gamma + delta + n) / gamma) : weight;
      const fateHere = lived === n ? ofFate + 1 / (gamma + delta + n) : ofFate;
      sum += term;
      sumBeta += term * ofBeta;
      sumEither += term * ofEither;
      sumDelta += term * ofDelta;
      sumFate += term * fateHere;
      const passes = beta + lived - x;
      const all = alpha + beta + lived;
      const lives = delta + lived;
      const fates = gamma + delta + 1 + lived;
      weight *= (passes / all) * (lives / fates);
      ofBeta += 1 / passes;
      ofEither -= 1 / all;
      ofDelta += 1 / lives;
      ofFate -= 1 / fates;
      if (lived === n) {
        gradient[2] = at(gradient, 2) - (customers * (term / gamma)) / sum; // from 1 / gamma of the last term
      }
    }
    value +=
      customers *
      (at(buy.log, x) +
        at(pass.log, last - x) -
        at(either.log, last) +
        Math.log(gamma) +
        at(live.log, last) -
        at(fate.log, last + 1) +
        Math.log(sum));
    const either1 = sumEither / sum - at(either.slope, last);
    const fate1 = sumFate / sum - at(fate.slope, last + 1);
    gradient[0] = at(gradient, 0) + customers * (at(buy.slope, x) + either1);
    gradient[1] = at(gradient, 1) + customers * (at(pass.slope, last - x) + sumBeta / sum + either1);
    gradient[2] = at(gradient, 2) + customers * (1 / gamma + fate1);
    gradient[3] = at(gradient, 3) + customers * (at(live.slope, last) + sumDelta / sum + fate1);
  }
  return value;
}
