import { onLogScale } from "../numeric/log-scale.js";
import { minimiseFrom } from "../numeric/minimise.js";
import { gaussLegendre, overPanels } from "../numeric/quadrature.js";
import type { Random } from "../numeric/random.js";
import { drawExponential, drawGamma } from "../numeric/sampling.js";
import { digamma, logGammaRatio } from "../numeric/special.js";
import type { BuyingModel, CustomerRates, SimulatedCustomers } from "./buying-model.js";
import {
  cellCustomers,
  distinctValues,
  type PurchaseCells,
  type PurchaseCustomer,
  requireCustomer,
  requireHorizon,
  requireMax,
  requireParameters,
} from "./cells.js";
import { discountedSurvival, requireDiscountRate } from "./discounting.js";
import { fitPositive, type ModelFit } from "./fit.js";
import { logNbd, purchaseRate } from "./nbd.js";

/**
 * Parameters of the Pareto/NBD: buying rates are gamma distributed with shape r and rate alpha, dropout rates with shape
 * s and rate beta; alpha and beta are in the time unit of the data.
 */
export interface ParetoNbdParameters {
  readonly r: number;
  readonly alpha: number;
  readonly s: number;
  readonly beta: number;
}

/**
 * Fits the Pareto/NBD by maximum likelihood: customers buy at random times until they drop out unseen.
 * @throws ConvergenceError if the likelihood has no optimum the solver can reach.
 * @see Schmittlein, Morrison & Colombo (1987), Counting Your Customers, Management Science 33(1).
 */
export function fitParetoNbd(cells: PurchaseCells): ModelFit<"r" | "alpha" | "s" | "beta"> {
  return fitPositive({
    model: "Pareto/NBD",
    names: ["r", "alpha", "s", "beta"] as const,
    starts: startsFor(cells),
    logLikelihood: paretoNbdObjective(cells),
    observations: cellCustomers(cells),
    simplerModel: "NBD",
  });
}

/**
 * Log-likelihood of the Pareto/NBD, and its gradient by (r, alpha, s, beta), written to `gradient` if given.
 * @throws RangeError if a parameter is not above 0.
 * @see Fader & Hardie (2005), A Note on Deriving the Pareto/NBD Model and Related Expressions; the integral over
 * the unseen time of dropout is done by Gauss quadrature, where the closed form cancels.
 */
export function paretoNbdLogLikelihood(
  parameters: ParetoNbdParameters,
  cells: PurchaseCells,
  gradient: Float64Array = new Float64Array(4),
): number {
  requireParameters(parameters);
  const { r, alpha, s, beta } = parameters;
  return paretoNbdObjective(cells)(Float64Array.of(r, alpha, s, beta), gradient);
}

/**
 * Probability that a customer is still active `after` units of time beyond the observed age (default 0: now).
 * @throws RangeError if a parameter, the customer or the time is not possible.
 * @see Schmittlein, Morrison & Colombo (1987).
 */
export function paretoNbdProbabilityAlive(
  parameters: ParetoNbdParameters,
  customer: PurchaseCustomer,
  after = 0,
): number {
  requireParameters(parameters);
  requireCustomer(customer);
  requireHorizon(after);
  const { s, beta } = parameters;
  return aliveNow(parameters, customer) * Math.exp(-s * Math.log1p(after / (beta + customer.age)));
}

/**
 * Expected purchases of a customer in the next `horizon` units of time.
 * @throws RangeError if a parameter, the customer or the horizon is not possible.
 * @see Schmittlein, Morrison & Colombo (1987); s = 1 is its limit, not a special case here.
 */
export function paretoNbdExpectedPurchases(
  parameters: ParetoNbdParameters,
  customer: PurchaseCustomer,
  horizon: number,
): number {
  requireHorizon(horizon);
  const { s, beta } = parameters;
  return rateIfAlive(parameters, customer) * activeTime(s, beta + customer.age, horizon);
}

/**
 * Expected repeat purchases of a new customer in the first `horizon` units of time.
 * @throws RangeError if a parameter or the horizon is not possible.
 * @see Schmittlein, Morrison & Colombo (1987).
 */
export function paretoNbdNewCustomerPurchases(parameters: ParetoNbdParameters, horizon: number): number {
  return paretoNbdExpectedPurchases(parameters, { x: 0, recency: 0, age: 0 }, horizon);
}

/**
 * Probabilities of 0, 1, …, `max` repeat purchases of a new customer in the first `horizon` units of time.
 * @throws RangeError if a parameter, the horizon or max is not possible.
 * @see Fader & Hardie (2006), Deriving an Expression for P(X(t) = x) Under the Pareto/NBD Model; as the mixture of NBD
 * counts over the time of dropout.
 */
export function paretoNbdPurchaseDistribution(
  parameters: ParetoNbdParameters,
  horizon: number,
  max: number,
): Float64Array {
  requireParameters(parameters);
  requireHorizon(horizon);
  requireMax(max);
  const { r, alpha, s, beta } = parameters;
  const stays = Math.exp(-s * Math.log1p(horizon / beta));
  const chances = Float64Array.from({ length: max + 1 }, (_, x) => stays * chance(x, r, alpha, horizon));
  const scale = Math.min(alpha, beta); // the time of dropout u runs over log((scale + u) / scale), smooth at both ends
  const length = Math.log1p(horizon / scale);
  const widest = Math.min(0.5, 3 / Math.sqrt(r + 1));
  overPanels({ length, first: 1 / (r + s + 2), widest }, (v, width) => {
    const dropout = scale * Math.expm1(v);
    const density = (s / (beta + dropout)) * Math.exp(-s * Math.log1p(dropout / beta));
    const mass = width * density * (scale + dropout);
    for (let x = 0; x <= max; x++) {
      chances[x] = (chances[x] as number) + mass * chance(x, r, alpha, dropout);
    }
  });
  return chances;
}

/**
 * Discounted expected transactions in the next `horizon` units of time, continuously at `discountRate` per unit of time
 * (15 % a year is ln(1.15) / 52 = 0.0027 a week). Without a horizon all future purchases count: the discounted expected
 * residual transactions (DERT), for which the rate must be above 0.
 * @throws RangeError if a parameter, the customer, the rate or the horizon is not possible.
 * @see Fader, Hardie & Lee (2005), RFM and CLV: Using Iso-Value Curves, J. Marketing Research 42(4).
 */
export function paretoNbdDiscountedPurchases(
  parameters: ParetoNbdParameters,
  customer: PurchaseCustomer,
  discountRate: number,
  horizon = Number.POSITIVE_INFINITY,
): number {
  requireDiscountRate(discountRate, horizon);
  if (discountRate === 0) return paretoNbdExpectedPurchases(parameters, customer, horizon);
  const { s, beta } = parameters;
  const scale = beta + customer.age;
  return (
    rateIfAlive(parameters, customer) * scale * discountedSurvival(s, discountRate * scale, horizon / scale)
  );
}

/**
 * Probabilities of 0, 1, …, `max` purchases of a customer in the next `horizon` units of time, given what was observed.
 * @throws RangeError if a parameter, the customer, the horizon or max is not possible.
 * @see Fader & Hardie (2014), Deriving the Conditional PMF of the Pareto/NBD Model, note 028: a living customer is a new
 * one with the parameters r + x, alpha + T, s and beta + T.
 */
function futurePurchaseDistribution(
  parameters: ParetoNbdParameters,
  customer: PurchaseCustomer,
  horizon: number,
  max: number,
): Float64Array {
  const alive = paretoNbdProbabilityAlive(parameters, customer);
  const chances = paretoNbdPurchaseDistribution(livingParameters(parameters, customer), horizon, max);
  return chances.map((chance, x) => alive * chance + (x === 0 ? 1 - alive : 0));
}

/**
 * Probabilities of 0, 1, …, `max` purchases of a new customer in the `length` units of time that begin `from` units after
 * the first purchase.
 * @throws RangeError if a parameter, a time or max is not possible.
 * @see Fader & Hardie (2006), Deriving an Expression for P(X(t, t + tau) = x) Under the Pareto/NBD Model.
 */
function intervalDistribution(
  parameters: ParetoNbdParameters,
  { from, length }: { readonly from: number; readonly length: number },
  max: number,
): Float64Array {
  requireParameters(parameters);
  requireHorizon(from);
  const alive = Math.exp(-parameters.s * Math.log1p(from / parameters.beta));
  const later = { ...parameters, beta: parameters.beta + from };
  const chances = paretoNbdPurchaseDistribution(later, length, max);
  return chances.map((chance, x) => alive * chance + (x === 0 ? 1 - alive : 0));
}

/**
 * Posterior means of a customer's own rates, whether still a customer or not: purchases and dropouts per unit of time.
 * @throws RangeError if a parameter or the customer is not possible.
 * @see Schmittlein, Morrison & Colombo (1987); Fader & Hardie (2005), A Note on Deriving the Pareto/NBD Model.
 */
function customerRates(parameters: ParetoNbdParameters, customer: PurchaseCustomer): CustomerRates {
  requireParameters(parameters);
  requireCustomer(customer);
  const { r, alpha, s, beta } = parameters;
  const { x, recency, age } = customer;
  const since = newSilence();
  silence(since, r + x, alpha, s, beta, recency, age);
  return {
    purchaseRate: (r + x) * since.inverseBuy,
    dropout: (since.alive * s) / (beta + age) + (s + 1) * since.inverseDropped,
  };
}

/** Draws the purchases of a customer in the next `horizon` units of time: one possible future. */
function drawFuturePurchases(
  parameters: ParetoNbdParameters,
  customer: PurchaseCustomer,
  horizon: number,
  random: Random,
): number {
  requireHorizon(horizon);
  if (random.uniform() >= paretoNbdProbabilityAlive(parameters, customer)) return 0;
  const { r, alpha, s, beta } = livingParameters(parameters, customer);
  const rate = drawGamma(random, r, alpha);
  const end = Math.min(horizon, drawExponential(random, 1) / drawGamma(random, s, beta));
  for (let purchases = 0, time = 0; ; purchases++) {
    time += drawExponential(random, 1) / rate;
    if (!(time <= end)) return purchases;
  }
}

/** What is believed of a customer who is alive: parameters like those of a new one. */
const livingParameters = (
  { r, alpha, s, beta }: ParetoNbdParameters,
  { x, age }: PurchaseCustomer,
): ParetoNbdParameters => ({ r: r + x, alpha: alpha + age, s, beta: beta + age });

/**
 * Draws customers who are observed for the given ages. The result is columns for `purchaseCells`.
 * @throws RangeError if a parameter is not above 0.
 * @see Schmittlein, Morrison & Colombo (1987), assumptions 1-5.
 */
export function simulateParetoNbd(
  parameters: ParetoNbdParameters,
  ages: ArrayLike<number>,
  random: Random,
): SimulatedCustomers {
  requireParameters(parameters);
  const { r, alpha, s, beta } = parameters;
  const age = Float64Array.from(ages);
  const x = new Float64Array(age.length);
  const recency = new Float64Array(age.length);
  for (const [row, observed] of age.entries()) {
    const rate = drawGamma(random, r, alpha);
    const end = Math.min(observed, drawExponential(random, 1) / drawGamma(random, s, beta));
    for (;;) {
      const time = (recency[row] as number) + drawExponential(random, 1) / rate;
      if (!(time <= end)) break;
      x[row] = (x[row] as number) + 1;
      recency[row] = time;
    }
  }
  return { x, recency, age };
}

/** The Pareto/NBD behind the face of all buying models. @see Schmittlein, Morrison & Colombo (1987). */
export const paretoNbd: BuyingModel<"r" | "alpha" | "s" | "beta"> = Object.freeze({
  name: "Pareto/NBD",
  parameterNames: ["r", "alpha", "s", "beta"] as const,
  regularity: 1,
  fit: fitParetoNbd,
  objective: paretoNbdObjective,
  probabilityAlive: paretoNbdProbabilityAlive,
  expectedPurchases: paretoNbdExpectedPurchases,
  discountedPurchases: paretoNbdDiscountedPurchases,
  purchaseDistribution: futurePurchaseDistribution,
  intervalDistribution,
  customerRates,
  drawFuturePurchases,
  simulate: simulateParetoNbd,
});

/** Probability of x purchases of somebody who is active for a time. */
const chance = (x: number, r: number, alpha: number, time: number): number =>
  time > 0 ? Math.exp(logNbd(x, r, alpha, time)) : Number(x === 0);

function aliveNow({ r, alpha, s, beta }: ParetoNbdParameters, customer: PurchaseCustomer): number {
  const since = newSilence();
  silence(since, r + customer.x, alpha, s, beta, customer.recency, customer.age);
  return since.alive;
}

/** P(alive) times the posterior mean buying rate of those alive. */
function rateIfAlive(parameters: ParetoNbdParameters, customer: PurchaseCustomer): number {
  const alive = paretoNbdProbabilityAlive(parameters, customer);
  return (alive * (parameters.r + customer.x)) / (parameters.alpha + customer.age);
}

/** Expected active time within a horizon of somebody active now: integral of (scale / (scale + t))^s. */
function activeTime(s: number, scale: number, horizon: number): number {
  const growth = Math.log1p(horizon / scale);
  const power = (1 - s) * growth;
  return scale * growth * (Math.abs(power) < 1e-300 ? 1 : Math.expm1(power) / power);
}

const MANY_CELLS = 20_000;

/** Where the search starts; with many cells one point, the optimum of a regular sample of about 2,000 of them. */
function startsFor(cells: PurchaseCells): readonly (readonly number[])[] {
  const step = Math.floor(cells.x.length / 2000);
  const isSampled = (_: number, cell: number): boolean => cell % step === 0;
  const rate = purchaseRate(cells);
  const age = meanAge(cells);
  const starts = [
    [1, 0.5 / rate, 1, age],
    [0.5, 0.3 / rate, 0.5, age / 3],
    [3, 3 / rate, 3, 10 * age],
  ];
  if (cells.x.length < MANY_CELLS) return starts;
  const logLikelihood = paretoNbdObjective({
    x: cells.x.filter(isSampled),
    recency: cells.recency.filter(isSampled),
    age: cells.age.filter(isSampled),
    weight: cells.weight.filter(isSampled),
  });
  const onLogs = onLogScale(logLikelihood, -1);
  const best = minimiseFrom(
    (logs, gradient) =>
      logs.some((log) => Math.abs(log) > 15) ? Number.POSITIVE_INFINITY : onLogs(logs, gradient),
    starts.map((start) => start.map(Math.log)),
  );
  return best.converged ? [Array.from(best.x, Math.exp)] : starts;
}

function meanAge({ age, weight }: PurchaseCells): number {
  let time = 0;
  let customers = 0;
  for (let cell = 0; cell < age.length; cell++) {
    time += (weight[cell] as number) * (age[cell] as number);
    customers += weight[cell] as number;
  }
  return time / customers;
}

/**
 * What the silence since the last purchase says: the customer was active at u = T, or dropped out at a u before. Means are
 * over both, with their likelihoods as weights.
 */
interface Silence {
  /** Log of the likelihood of the silence, relative to (alpha + t_x)^-(r + x) (beta + t_x)^-s. */
  log: number;
  /** Probability that the customer is active. */
  alive: number;
  /** Mean of log((alpha + u) / (alpha + t_x)), of 1 / (alpha + u), and of u / (alpha + u). */
  logBuy: number;
  inverseBuy: number;
  shareBuy: number;
  /** Mean of log((beta + u) / (beta + t_x)), of u / (beta + u), and of 1 / (beta + u) where dropped out, else 0. */
  logDrop: number;
  shareDrop: number;
  inverseDropped: number;
}

const newSilence = (): Silence => ({
  log: 0,
  alive: 0,
  logBuy: 0,
  inverseBuy: 0,
  shareBuy: 0,
  logDrop: 0,
  shareDrop: 0,
  inverseDropped: 0,
});

/** Dropout this much less likely, in logs, than right after the last purchase adds nothing in double precision. */
const NEGLIGIBLE = 38;

/**
 * Fills `out` for one customer; n = r + x. With a = alpha + t_x and b = beta + t_x the likelihood of dropping out at u is
 * s (a / (alpha + u))^n (b / (beta + u))^s du / (beta + u): positive, so nothing cancels. It is integrated over
 * v = log(1 + (u - t_x) / m), m the smaller of a and b, in which it is log-concave and its singularities are at least pi
 * away from the real axis; where it has fallen by e^-38 it is cut off.
 */
function silence(
  out: Silence,
  n: number,
  alpha: number,
  s: number,
  beta: number,
  recency: number,
  age: number,
): void {
  const a = alpha + recency;
  const b = beta + recency;
  const rest = age - recency;
  const logBuy = Math.log1p(rest / a);
  const logDrop = Math.log1p(rest / b);
  const active = Math.exp(-n * logBuy - s * logDrop);

  const dropFirst = b <= a;
  const near = dropFirst ? b : a; // m
  const far = dropFirst ? a : b;
  const ratio = near / far;
  const nearPower = dropFirst ? s : n - 1;
  const farPower = dropFirst ? n : s + 1;
  const front = dropFirst ? s : s * ratio;
  const whole = dropFirst ? logDrop : logBuy;
  const fall = nearPower * whole + farPower * (dropFirst ? logBuy : logDrop);
  const length = fall > NEGLIGIBLE ? cutOff(nearPower, farPower, ratio, whole) : whole;
  const depth = Math.min(Math.abs(fall), NEGLIGIBLE);

  let panels = 1;
  let rule = RULES.wide;
  if (depth < 0.6 && length < 0.3) rule = RULES.narrow;
  else if (depth < 4 && length < 1) rule = RULES.middle;
  else panels = Math.max(1, Math.ceil(length / 1.6), Math.ceil(depth / 16));
  const { nodes, weights } = rule();
  const half = length / (2 * panels);

  let dropped = 0;
  let sumNear = 0;
  let sumFar = 0;
  let sumInverseNear = 0;
  let sumInverseFar = 0;
  let sumShareNear = 0;
  let sumShareFar = 0;
  for (let panel = 0; panel < panels && length > 0; panel++) {
    const middle = (2 * panel + 1) * half;
    for (let node = 0; node < nodes.length; node++) {
      const v = middle + half * (nodes[node] as number);
      const growth = Math.expm1(v);
      const logFar = Math.log1p(ratio * growth);
      const term = (weights[node] as number) * Math.exp(-nearPower * v - farPower * logFar);
      dropped += term;
      sumNear += term * v;
      sumFar += term * logFar;
      const u = recency + near * growth;
      const byNear = term / (1 + growth);
      const byFar = term / (1 + ratio * growth);
      sumInverseNear += byNear;
      sumInverseFar += byFar;
      sumShareNear += byNear * u;
      sumShareFar += byFar * u;
    }
  }
  const scale = front * half;
  dropped *= scale;
  const all = active + dropped;
  const logBuySum = scale * (dropFirst ? sumFar : sumNear);
  const logDropSum = scale * (dropFirst ? sumNear : sumFar);
  const inverseBuySum = (scale * (dropFirst ? sumInverseFar : sumInverseNear)) / a;
  const inverseDropSum = (scale * (dropFirst ? sumInverseNear : sumInverseFar)) / b;
  out.log = Math.log(all);
  out.alive = active / all;
  out.logBuy = (active * logBuy + logBuySum) / all;
  out.inverseBuy = (active / (alpha + age) + inverseBuySum) / all;
  out.logDrop = (active * logDrop + logDropSum) / all;
  out.shareBuy =
    (active * (age / (alpha + age)) + (scale * (dropFirst ? sumShareFar : sumShareNear)) / a) / all;
  out.shareDrop =
    (active * (age / (beta + age)) + (scale * (dropFirst ? sumShareNear : sumShareFar)) / b) / all;
  out.inverseDropped = inverseDropSum / all;
}

const RULES = {
  narrow: () => gaussLegendre(5),
  middle: () => gaussLegendre(7),
  wide: () => gaussLegendre(12),
};

/** Where p v + q log(1 + ratio (e^v - 1)), convex in v, reaches NEGLIGIBLE: Newton from the right, so never too early. */
function cutOff(p: number, q: number, ratio: number, whole: number): number {
  const slopeAtZero = p + q * ratio;
  let v = slopeAtZero > 0 ? Math.min(whole, NEGLIGIBLE / slopeAtZero) : whole;
  for (let step = 0; step < 30; step++) {
    const grown = ratio * Math.exp(v);
    const farGrowth = 1 - ratio + grown;
    const excess = p * v + q * Math.log(farGrowth) - NEGLIGIBLE;
    if (excess < 2) break;
    v -= excess / (p + (q * grown) / farGrowth);
  }
  return v;
}

/** Log-likelihood and its gradient at (r, alpha, s, beta); what depends on x alone is computed once per distinct x. */
function paretoNbdObjective(
  cells: PurchaseCells,
): (parameters: Float64Array, gradient: Float64Array) => number {
  const { x, recency, age, weight } = cells;
  const count = distinctValues(x);
  const customers = new Float64Array(count.values.length);
  for (const [cell, value] of weight.entries()) {
    const place = count.index[cell] as number;
    customers[place] = (customers[place] as number) + value;
  }
  const since = newSilence();
  return (parameters, gradient) => {
    const [r = 0, alpha = 0, s = 0, beta = 0] = parameters;
    const digammaR = digamma(r);
    let value = 0;
    let byR = 0;
    let byAlpha = 0;
    let byS = 0;
    let byBeta = 0;
    for (const [place, purchases] of count.values.entries()) {
      if (purchases === 0) continue;
      const many = customers[place] as number;
      value += many * logGammaRatio(r, purchases);
      byR += many * (digamma(r + purchases) - digammaR);
    }
    for (let cell = 0; cell < x.length; cell++) {
      const purchases = x[cell] as number;
      const last = recency[cell] as number;
      const many = weight[cell] as number;
      const n = r + purchases;
      silence(since, n, alpha, s, beta, last, age[cell] as number);
      const logBuy = last === 0 ? 0 : Math.log1p(last / alpha);
      const logDrop = last === 0 ? 0 : Math.log1p(last / beta);
      const bought = purchases === 0 ? 0 : purchases * Math.log(alpha + last);
      value += many * (since.log - r * logBuy - s * logDrop - bought);
      byR -= many * (logBuy + since.logBuy);
      byAlpha += many * ((r / alpha) * since.shareBuy - purchases * since.inverseBuy);
      byS += many * ((1 - since.alive) / s - logDrop - since.logDrop);
      byBeta += many * ((s / beta) * since.shareDrop - since.inverseDropped);
    }
    gradient[0] = byR;
    gradient[1] = byAlpha;
    gradient[2] = byS;
    gradient[3] = byBeta;
    return value;
  };
}
