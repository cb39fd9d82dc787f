import { DataError } from "../core/errors.js";
import type { Objective } from "../numeric/minimise.js";
import { gaussLegendre } from "../numeric/quadrature.js";
import type { Random } from "../numeric/random.js";
import { drawGamma } from "../numeric/sampling.js";
import { digamma, logBeta, logGammaRatio, regularisedBeta } from "../numeric/special.js";
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
import { fitPositive, type ModelFit } from "./fit.js";
import { logNbd, purchaseRate } from "./nbd.js";

/*
 * The family of models in which a customer may drop out right after a purchase, with the same probability p each time.
 * Buying rates are Gamma(r, alpha) and dropout probabilities Beta(a, b) across customers. Two switches make four models:
 *
 *                              dropout after the first purchase?   gaps between purchases
 *   BG/NBD                     no                                  exponential (k = 1)
 *   MBG/NBD                    yes                                 exponential (k = 1)
 *   BG/CNBD-k, MBG/CNBD-k      no, yes                             Erlang-k: more regular as k grows
 *
 * With c = x (BG) or x + 1 (MBG) chances to drop out that x repeat purchases have given, n = k x, s(c) = E[(1 - p)^c] and
 * q = (T - t_x) / (alpha + T), the likelihood of a history is
 *
 *   Gamma(r + n) / Gamma(r) alpha^r (alpha + T)^-(r + n) s(c)
 *     [ sum_{j<k} q^j (r + n)_j / j!  +  a / (b + c - 1) ((alpha + T) / (alpha + t_x))^(r + n) ]
 *       still a customer                 dropped out at t_x (not possible where c = 0)
 */
interface Variant {
  readonly name: string;
  /** Chances to drop out before any repeat purchase: 0 for the BG models, 1 for the MBG models. */
  readonly firstChances: 0 | 1;
}
const bg: Variant = { name: "BG", firstChances: 0 };
const mbg: Variant = { name: "MBG", firstChances: 1 };

/**
 * Parameters of the BG/NBD and its relatives: buying rates are gamma distributed with shape r and rate alpha (in the time
 * unit of the data), dropout probabilities after a purchase beta distributed with a and b. `k` is the regularity of the
 * gaps between purchases (Erlang-k) in the CNBD-k models, 1 if left out.
 */
export interface BgNbdParameters {
  readonly r: number;
  readonly alpha: number;
  readonly a: number;
  readonly b: number;
  readonly k?: number;
}

/** A fit of the BG/NBD or a relative. */
export type BgNbdFit = ModelFit<"r" | "alpha" | "a" | "b">;

/** A fit of a CNBD-k model: k is part of the parameters that predictions need, `{ ...fit.parameters, k: fit.k }`. */
export type CnbdKFit = BgNbdFit & { readonly k: number };

/** Regularity of a CNBD-k model: k itself, or the largest k to try. */
export interface CnbdKOptions {
  /** Regularity to fit; without it the k from 1 to `kMax` with the best likelihood is taken. */
  readonly k?: number;
  /** Largest k to try, 12 if left out. */
  readonly kMax?: number;
  /**
   * Sum over all customers' repeat purchases of the log of the gap before each, in the time unit of the data. The
   * likelihoods of different k compare only with it; for a given k it only shifts the log-likelihood.
   */
  readonly logGaps?: number;
}

/** Customers drawn from a model, in columns for `purchaseCells`. */
export interface SimulatedCustomers {
  readonly x: Float64Array;
  readonly recency: Float64Array;
  readonly age: Float64Array;
}

/**
 * Fits the BG/NBD by maximum likelihood: a customer may drop out after every repeat purchase.
 * @see Fader, Hardie & Lee (2005), Counting Your Customers the Easy Way, Marketing Science 24(2), eq. 6.
 */
export const fitBgNbd = (cells: PurchaseCells): BgNbdFit => fitVariant(bg, cells, 1);

/**
 * Fits the MBG/NBD by maximum likelihood: a customer may drop out after every purchase, the first one too.
 * @see Batislam, Denizel & Filiztekin (2007), Empirical validation and comparison of models for customer base analysis,
 * International Journal of Research in Marketing 24(3).
 */
export const fitMbgNbd = (cells: PurchaseCells): BgNbdFit => fitVariant(mbg, cells, 1);

/**
 * Fits the BG/CNBD-k: the BG/NBD with gaps of Erlang-k shape, for customers who buy more regularly than at random.
 * @throws RangeError if k or kMax is not a whole number from 1 to 50, or logGaps is missing where k is to be chosen.
 * @see Reutterer, Platzer & Schröder (2021), Leveraging purchase regularity for predicting customer behavior the easy
 * way, International Journal of Research in Marketing 38(1).
 */
export const fitBgCnbdK = (cells: PurchaseCells, options: CnbdKOptions): CnbdKFit =>
  fitRegular(bg, cells, options);

/**
 * Fits the MBG/CNBD-k: the MBG/NBD with gaps of Erlang-k shape.
 * @throws RangeError if k or kMax is not a whole number from 1 to 50, or logGaps is missing where k is to be chosen.
 * @see Reutterer, Platzer & Schröder (2021), Leveraging purchase regularity for predicting customer behavior the easy
 * way, International Journal of Research in Marketing 38(1).
 */
export const fitMbgCnbdK = (cells: PurchaseCells, options: CnbdKOptions): CnbdKFit =>
  fitRegular(mbg, cells, options);

/**
 * Regularity k of the gaps between purchases, estimated from two successive gaps of each customer: under Erlang-k gaps
 * the share M of the first in both has a beta distribution with variance 1 / (4 (2 k + 1)), whatever the customer's
 * rate. 1 means purchases at random, less than 1 bursts, more than 1 regular buying. Take the same two gaps of every
 * customer, the first two or the last two; customers with fewer are left out.
 * @throws DataError if there are fewer than two customers, a gap is not above 0 (it names the row, from 0), or the shares
 * do not differ.
 * @see Wheat & Morrison (1990), Estimating Purchase Regularity with Two Interpurchase Times, J. Marketing Research 27(1).
 */
export function purchaseRegularity(gaps: ArrayLike<number>, nextGaps: ArrayLike<number>): number {
  const customers = gaps.length;
  if (customers < 2 || nextGaps.length !== customers) {
    throw new DataError(
      `gaps and nextGaps must have one row for each of two customers or more, got ${customers} and ${nextGaps.length}`,
    );
  }
  const shares = Float64Array.from(gaps, (gap, row) => {
    const next = nextGaps[row] as number;
    for (const value of [gap, next]) {
      if (!(value > 0 && Number.isFinite(value))) {
        throw new DataError(`gaps row ${row}: a gap must be a number above 0, got ${value}`);
      }
    }
    return gap / (gap + next);
  });
  const mean = shares.reduce((sum, share) => sum + share, 0) / customers;
  const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / (customers - 1);
  if (variance === 0) throw new DataError("gaps must differ between customers: the shares of all are equal");
  return (1 - 4 * variance) / (8 * variance);
}

/**
 * Log-likelihood of purchase histories under the BG/NBD (without the log gaps' constant where k is above 1).
 * @throws RangeError if a parameter is not above 0.
 * @see Fader, Hardie & Lee (2005), eq. 6.
 */
export const bgNbdLogLikelihood = (parameters: BgNbdParameters, cells: PurchaseCells): number =>
  variantLogLikelihood(bg, parameters, cells);

/**
 * Log-likelihood of purchase histories under the MBG/NBD (without the log gaps' constant where k is above 1).
 * @throws RangeError if a parameter is not above 0.
 */
export const mbgNbdLogLikelihood = (parameters: BgNbdParameters, cells: PurchaseCells): number =>
  variantLogLikelihood(mbg, parameters, cells);

/**
 * Probability that a customer has not dropped out; under the BG/NBD it is 1 by definition without a repeat purchase.
 * @throws RangeError if a parameter or the customer is not possible.
 * @see Fader, Hardie & Lee (2005), from eq. 6.
 */
export const bgNbdProbabilityAlive = (parameters: BgNbdParameters, customer: PurchaseCustomer): number =>
  probabilityAlive(bg, parameters, customer);

/**
 * Probability that a customer has not dropped out; under the MBG/NBD below 1 without a repeat purchase too.
 * @throws RangeError if a parameter or the customer is not possible.
 */
export const mbgNbdProbabilityAlive = (parameters: BgNbdParameters, customer: PurchaseCustomer): number =>
  probabilityAlive(mbg, parameters, customer);

/**
 * Expected purchases of a customer in the next `horizon` units of time, given what was observed.
 * @throws RangeError if a parameter, the customer or the horizon is not possible.
 * @see Fader, Hardie & Lee (2005), eq. 10; computed as a sum of positive terms, so a = 1 is a number like any other.
 */
export const bgNbdExpectedPurchases = (
  parameters: BgNbdParameters,
  customer: PurchaseCustomer,
  horizon: number,
): number => expectedPurchases(bg, parameters, customer, horizon);

/**
 * Expected purchases of a customer in the next `horizon` units of time under the MBG/NBD, given what was observed.
 * @throws RangeError if a parameter, the customer or the horizon is not possible.
 */
export const mbgNbdExpectedPurchases = (
  parameters: BgNbdParameters,
  customer: PurchaseCustomer,
  horizon: number,
): number => expectedPurchases(mbg, parameters, customer, horizon);

/**
 * Expected repeat purchases of a new customer in `horizon` units of time.
 * @throws RangeError if a parameter or the horizon is not possible.
 * @see Fader, Hardie & Lee (2005), eq. 9.
 */
export const bgNbdNewCustomerPurchases = (parameters: BgNbdParameters, horizon: number): number =>
  expectedPurchases(bg, parameters, newCustomer, horizon);

/**
 * Expected repeat purchases of a new customer in `horizon` units of time under the MBG/NBD.
 * @throws RangeError if a parameter or the horizon is not possible.
 */
export const mbgNbdNewCustomerPurchases = (parameters: BgNbdParameters, horizon: number): number =>
  expectedPurchases(mbg, parameters, newCustomer, horizon);

/**
 * Probabilities of 0, 1, …, `max` repeat purchases of a new customer in `horizon` units of time.
 * @throws RangeError if a parameter, the horizon or max is not possible.
 * @see Fader, Hardie & Lee (2005), eq. 8.
 */
export const bgNbdPurchaseDistribution = (
  parameters: BgNbdParameters,
  horizon: number,
  max: number,
): Float64Array => purchaseDistribution(bg, parameters, horizon, max);

/**
 * Probabilities of 0, 1, …, `max` repeat purchases of a new customer in `horizon` units of time under the MBG/NBD.
 * @throws RangeError if a parameter, the horizon or max is not possible.
 */
export const mbgNbdPurchaseDistribution = (
  parameters: BgNbdParameters,
  horizon: number,
  max: number,
): Float64Array => purchaseDistribution(mbg, parameters, horizon, max);

/**
 * Draws customers of the BG/NBD who are observed for the given ages.
 * @throws RangeError if a parameter is not possible.
 */
export const simulateBgNbd = (
  parameters: BgNbdParameters,
  ages: ArrayLike<number>,
  random: Random,
): SimulatedCustomers => simulate(bg, parameters, ages, random);

/**
 * Draws customers of the MBG/NBD who are observed for the given ages.
 * @throws RangeError if a parameter is not possible.
 */
export const simulateMbgNbd = (
  parameters: BgNbdParameters,
  ages: ArrayLike<number>,
  random: Random,
): SimulatedCustomers => simulate(mbg, parameters, ages, random);

const newCustomer: PurchaseCustomer = { x: 0, recency: 0, age: 0 };

function fitVariant(variant: Variant, cells: PurchaseCells, k: number): BgNbdFit {
  const rate = k * purchaseRate(cells);
  return fitPositive({
    model: k === 1 ? `${variant.name}/NBD` : `${variant.name}/CNBD-${k}`,
    names: ["r", "alpha", "a", "b"] as const,
    starts: [
      [0.5, 0.3 / rate, 0.8, 2.5],
      [1, 0.5 / rate, 1, 5],
      [2, 1.5 / rate, 0.3, 1],
    ],
    logLikelihood: bgObjective(variant, cells, k),
    observations: cellCustomers(cells),
    simplerModel: k === 1 ? "NBD" : `${variant.name}/NBD`,
  });
}

function fitRegular(
  variant: Variant,
  cells: PurchaseCells,
  { k: given, kMax = 12, logGaps }: CnbdKOptions,
): CnbdKFit {
  if (given === undefined && logGaps === undefined) {
    throw new RangeError("logGaps must be given where k is to be chosen: likelihoods of different k need it");
  }
  requireRegularity("kMax", kMax);
  let purchases = 0;
  for (const [cell, x] of cells.x.entries()) purchases += x * (cells.weight[cell] as number);
  const fitFor = (k: number): CnbdKFit => {
    requireRegularity("k", k);
    const fit = fitVariant(variant, cells, k);
    const constant = (k - 1) * (logGaps ?? 0) - purchases * logGammaRatio(1, k - 1);
    return Object.freeze({ ...fit, k, logLikelihood: fit.logLikelihood + constant });
  };
  let best = fitFor(given ?? 1);
  for (let k = 2; given === undefined && k <= kMax; k++) {
    const next = fitFor(k);
    if (next.logLikelihood > best.logLikelihood) best = next;
    else if (k > best.k + 1) break; // the likelihood has one peak in k
  }
  return best;
}

function variantLogLikelihood(variant: Variant, parameters: BgNbdParameters, cells: PurchaseCells): number {
  const { r, alpha, a, b, k } = known(parameters);
  return bgObjective(variant, cells, k)(Float64Array.of(r, alpha, a, b), new Float64Array(4));
}

/** Log-likelihood of the BG/NBD with Erlang-k gaps as a function to maximise: value and gradient at (r, alpha, a, b). */
export const bgNbdObjective = (cells: PurchaseCells, k: number): Objective => bgObjective(bg, cells, k);

/** The same for the MBG/NBD. */
export const mbgNbdObjective = (cells: PurchaseCells, k: number): Objective => bgObjective(mbg, cells, k);

/**
 * Log-likelihood and its gradient at (r, alpha, a, b). Gamma functions are computed once for every distinct x, logs once
 * for every distinct time; what is left for a cell is the odds of having dropped out.
 */
function bgObjective({ firstChances }: Variant, cells: PurchaseCells, k: number): Objective {
  const size = cells.x.length;
  const count = distinctValues(cells.x);
  const times = new Float64Array(2 * size);
  times.set(cells.recency);
  times.set(cells.age, size);
  const time = distinctValues(times);
  const customers = new Float64Array(count.values.length); // with each x
  const observed = new Float64Array(time.values.length); // until each time, and their events k x
  const events = new Float64Array(time.values.length);
  for (let cell = 0; cell < size; cell++) {
    const weight = cells.weight[cell] as number;
    const place = count.index[cell] as number;
    const age = time.index[size + cell] as number;
    customers[place] = (customers[place] as number) + weight;
    observed[age] = (observed[age] as number) + weight;
    events[age] = (events[age] as number) + weight * k * (cells.x[cell] as number);
  }
  const logGrowth = new Float64Array(time.values.length); // log((alpha + t) / alpha)
  const inverse = new Float64Array(time.values.length); // 1 / (alpha + t)
  const logOdds = new Float64Array(count.values.length);
  const dropped = new Float64Array(count.values.length); // expected customers with each x who dropped out

  return (parameters, gradient) => {
    const [r = 0, alpha = 0, a = 0, b = 0] = parameters;
    const [digammaR, digammaB, digammaAb] = [digamma(r), digamma(b), digamma(a + b)];
    const logAlpha = Math.log(alpha);
    let [value, byR, byAlpha, byA, byB] = [0, 0, 0, 0, 0];

    for (let place = 0; place < time.values.length; place++) {
      const t = time.values[place] as number;
      const growth = Math.log1p(t / alpha);
      logGrowth[place] = growth;
      inverse[place] = 1 / (alpha + t);
      const all = observed[place] as number;
      if (all === 0) continue;
      const bought = events[place] as number;
      value -= all * r * growth + bought * (logAlpha + growth);
      byR -= all * growth;
      byAlpha += ((all * r * t) / alpha - bought) / (alpha + t);
    }
    for (let place = 0; place < count.values.length; place++) {
      const x = count.values[place] as number;
      const all = customers[place] as number;
      const chances = x + firstChances;
      dropped[place] = 0;
      logOdds[place] = chances === 0 ? Number.NEGATIVE_INFINITY : Math.log(a / (b + chances - 1));
      if (x > 0) {
        value += all * logGammaRatio(r, k * x);
        byR += all * (digamma(r + k * x) - digammaR);
      }
      if (chances > 0) {
        value += all * (logGammaRatio(b, chances) - logGammaRatio(a + b, chances));
        const both = digamma(a + b + chances) - digammaAb;
        byA -= all * both;
        byB += all * (digamma(b + chances) - digammaB - both);
      }
    }
    let part = 0; // sums of few cells first: hundreds of thousands one by one would blur the value for the search
    for (let cell = 0; cell < size; cell++) {
      if (cell % 256 === 0) {
        value += part;
        part = 0;
      }
      const place = count.index[cell] as number;
      const odds = logOdds[place] as number;
      if (odds === Number.NEGATIVE_INFINITY && k === 1) continue;
      const weight = cells.weight[cell] as number;
      const shape = r + k * (cells.x[cell] as number);
      const last = time.index[cell] as number;
      const end = time.index[size + cell] as number;
      const silence = (logGrowth[end] as number) - (logGrowth[last] as number);
      let u = odds + shape * silence; // log-odds of having dropped out against still being a customer
      let stages: Stages | undefined;
      if (k > 1) {
        const idle = (cells.age[cell] as number) - (cells.recency[cell] as number);
        stages = stagesSince(k, shape, idle * (inverse[end] as number));
        u -= stages.log;
        part += weight * stages.log;
      }
      const e = Math.exp(-Math.abs(u));
      const gone = u > 0 ? 1 / (1 + e) : e / (1 + e);
      part += weight * ((u > 0 ? u : 0) + Math.log(1 + e)); // log1p is slower, and no digit of the sum would change
      byR += weight * gone * silence;
      byAlpha += weight * gone * shape * ((inverse[end] as number) - (inverse[last] as number));
      dropped[place] = (dropped[place] as number) + weight * gone;
      if (stages) {
        const here = u > 0 ? e / (1 + e) : 1 / (1 + e);
        byR += weight * here * stages.byShape;
        byAlpha -= weight * here * stages.mean * (inverse[end] as number);
      }
    }
    value += part;
    for (let place = 0; place < count.values.length; place++) {
      const gone = dropped[place] as number;
      if (gone === 0) continue;
      byA += gone / a;
      byB -= gone / (b + (count.values[place] as number) + firstChances - 1);
    }
    gradient[0] = byR;
    gradient[1] = byAlpha;
    gradient[2] = byA;
    gradient[3] = byB;
    return value;
  };
}

/** How many of the k stages of an Erlang gap may have passed in silence: sum over j < k of share^j (shape)_j / j!. */
interface Stages {
  /** Probability of each j, up to the common factor exp(log). */
  readonly terms: readonly number[];
  readonly log: number;
  /** Derivative of the log by the shape. */
  readonly byShape: number;
  /** Mean number of stages passed. */
  readonly mean: number;
}

function stagesSince(k: number, shape: number, share: number): Stages {
  const terms = [1];
  let [term, sum, mean, harmonic, byShape] = [1, 1, 0, 0, 0];
  for (let j = 1; j < k; j++) {
    term *= (share * (shape + j - 1)) / j;
    harmonic += 1 / (shape + j - 1);
    terms.push(term);
    sum += term;
    mean += j * term;
    byShape += harmonic * term;
  }
  return { terms, log: Math.log(sum), byShape: byShape / sum, mean: mean / sum };
}

function probabilityAlive(variant: Variant, parameters: BgNbdParameters, customer: PurchaseCustomer): number {
  const { r, alpha, a, b, k } = known(parameters);
  requireCustomer(customer);
  const { x, recency, age } = customer;
  const chances = x + variant.firstChances;
  if (chances === 0) return 1;
  const shape = r + k * x;
  const silence = Math.log1p((age - recency) / (alpha + recency));
  const stages = stagesSince(k, shape, (age - recency) / (alpha + age));
  return 1 / (1 + Math.exp(Math.log(a / (b + chances - 1)) + shape * silence - stages.log));
}

function expectedPurchases(
  variant: Variant,
  parameters: BgNbdParameters,
  customer: PurchaseCustomer,
  horizon: number,
): number {
  const { r, alpha, a, b, k } = known(parameters);
  requireHorizon(horizon);
  const alive = probabilityAlive(variant, parameters, customer);
  if (alive === 0 || horizon === 0) return 0;
  const { x, recency, age } = customer;
  const stages = stagesSince(k, r + k * x, (age - recency) / (alpha + age));
  let purchases = 0;
  for (const [passed, term] of stages.terms.entries()) {
    purchases +=
      term *
      purchasesWhileAlive(
        { shape: r + k * x + passed, rate: alpha + age, a, b: b + x + variant.firstChances },
        horizon,
        k,
        passed,
      );
  }
  return (alive * purchases) / Math.exp(stages.log);
}

/** What is believed of a living customer: buying rate Gamma(shape, rate), dropout probability Beta(a, b). */
interface Belief {
  readonly shape: number;
  readonly rate: number;
  readonly a: number;
  readonly b: number;
}

const longestSum = 2000;

/**
 * Expected purchases of a customer who is alive now, `passed` of k stages into a gap: over the number of events N of the
 * buying process, P(N = n) times the purchases that are still made if n events are due, C(i) = sum_{m<i} E[(1 - p)^m]
 * with i = floor((n + passed) / k). All terms are positive: nothing cancels, and no 2F1 is needed.
 */
function purchasesWhileAlive(belief: Belief, horizon: number, k: number, passed: number): number {
  const { shape, rate, a, b } = belief;
  const share = horizon / (rate + horizon);
  const mean = (shape * horizon) / rate;
  const reach = mean + 8 * Math.sqrt(mean * (1 + horizon / rate)) + 40 / Math.log1p(rate / horizon);
  if (k === 1 && reach > longestSum) return purchasesByQuadrature(belief, horizon);
  if (reach > 1e8) {
    throw new RangeError(
      `horizon must be below about 10^8 expected stages of a gap where k is above 1, got ${horizon}`,
    );
  }
  let [weight, total, sum, survival, purchases] = [1, 1, 0, 1, 0];
  for (let n = 1, made = 0; ; n++) {
    weight *= (share * (shape + n - 1)) / n;
    if ((n + passed) % k === 0) {
      purchases += survival;
      survival *= (b + made) / (a + b + made);
      made++;
    }
    total += weight;
    sum += weight * purchases;
    const ratio = (share * (shape + n)) / (n + 1);
    const rest = weight / (1 - ratio);
    if (ratio < 1 && n > k && rest <= 1e-17 * total && (rest * purchases) / (1 - ratio) <= 1e-17 * sum) break;
    if (total > 1e250) [weight, total, sum] = [weight * 1e-250, total * 1e-250, sum * 1e-250];
  }
  return sum / total;
}

/**
 * The same expectation as an integral over the dropout probability p ~ Beta(a, b): E[(1 - (1 + p t / rate)^-shape) / p].
 * For horizons so long that a sum over purchases would be long. The integral runs over the logit of p, with what is
 * outside of the bounds added in closed form (the integrand is exponential there).
 */
function purchasesByQuadrature({ shape, rate, a, b }: Belief, horizon: number): number {
  const growth = horizon / rate;
  const most = shape * growth;
  const logScale = logBeta(a, b);
  const integrand = (logit: number): number => {
    const p = 1 / (1 + Math.exp(-logit));
    const density = Math.exp(-a * Math.log1p(Math.exp(-logit)) - b * Math.log1p(Math.exp(logit)) - logScale);
    return p > 1e-300 ? density * (-Math.expm1(-shape * Math.log1p(p * growth)) / p) : density * most;
  };
  const low = -Math.log1p(a + b) - Math.log1p(most) - Math.log1p(growth) - 40;
  const high = Math.log1p(a + b + shape) + 40;
  const left = (Math.exp(a * low - logScale) * most) / a;
  const right = (Math.exp(-b * high - logScale) * -Math.expm1(-shape * Math.log1p(growth))) / b;
  const peak = Math.log(a / b);
  const width = Math.sqrt(1 / a + 1 / b);
  const breaks = [-Math.log1p(most), peak - 9 * width, peak - width, peak, peak + width, peak + 9 * width, 0]
    .filter((at) => at > low && at < high)
    .sort((one, other) => one - other);
  return left + right + integral(integrand, [low, ...breaks, high]);
}

/** Integral of a positive function over panels, each halved until its halves agree with it. Gauss-Legendre. */
function integral(f: (at: number) => number, bounds: readonly number[]): number {
  const { nodes, weights } = gaussLegendre(16);
  const panel = (from: number, to: number): number => {
    const [middle, half] = [(from + to) / 2, (to - from) / 2];
    let sum = 0;
    for (const [index, node] of nodes.entries()) sum += (weights[index] as number) * f(middle + half * node);
    return sum * half;
  };
  const panels = bounds.slice(1).map((to, index) => {
    const from = bounds[index] as number;
    return { from, to, whole: panel(from, to) };
  });
  let scale = panels.reduce((sum, { whole }) => sum + whole, 0);
  const refined = (from: number, to: number, whole: number, depth: number): number => {
    const middle = (from + to) / 2;
    const [left, right] = [panel(from, middle), panel(middle, to)];
    scale = Math.max(scale, left + right);
    if (Math.abs(left + right - whole) <= 1e-13 * scale || depth === 0) return left + right;
    return refined(from, middle, left, depth - 1) + refined(middle, to, right, depth - 1);
  };
  return panels.reduce((sum, { from, to, whole }) => sum + refined(from, to, whole, 30), 0);
}

function purchaseDistribution(
  variant: Variant,
  parameters: BgNbdParameters,
  horizon: number,
  max: number,
): Float64Array {
  const { r, alpha, a, b, k } = known(parameters);
  requireHorizon(horizon);
  requireMax(max);
  const distribution = new Float64Array(max + 1);
  const share = horizon / (alpha + horizon);
  let atLeast = regularisedBeta(share, k * (max + 1), r); // P(x + 1 purchases are due), from the rare end: it only grows
  for (let x = max; x >= 0; x--) {
    let due = 0;
    for (let n = k * x + k - 1; n >= k * x; n--) due += Math.exp(logNbd(n, r, alpha, horizon));
    const chances = x + variant.firstChances;
    const survival = Math.exp(logGammaRatio(b, chances) - logGammaRatio(a + b, chances));
    const dropout = chances === 0 ? 0 : (survival * a) / (b + chances - 1);
    atLeast = x === 0 ? 1 : Math.min(1, atLeast + due);
    distribution[x] = survival * due + dropout * atLeast;
  }
  return distribution;
}

function simulate(
  variant: Variant,
  parameters: BgNbdParameters,
  ages: ArrayLike<number>,
  random: Random,
): SimulatedCustomers {
  const { r, alpha, a, b, k } = known(parameters);
  const age = Float64Array.from(ages);
  const x = new Float64Array(age.length);
  const recency = new Float64Array(age.length);
  for (const [row, end] of age.entries()) {
    const rate = drawGamma(random, r, alpha);
    const dropout = drawShare(random, a, b);
    if (variant.firstChances === 1 && random.uniform() < dropout) continue;
    do {
      const next = (recency[row] as number) + drawGamma(random, k, 1) / rate;
      if (!(next <= end)) break;
      x[row] = (x[row] as number) + 1;
      recency[row] = next;
    } while (random.uniform() >= dropout);
  }
  return { x, recency, age };
}

/** A beta number as the share of one of two gamma numbers; where both are too small for a double, 0 or 1. */
function drawShare(random: Random, a: number, b: number): number {
  const [one, other] = [drawGamma(random, a, 1), drawGamma(random, b, 1)];
  return one + other > 0 ? one / (one + other) : Number(random.uniform() < a / (a + b));
}

function known(parameters: BgNbdParameters): Required<BgNbdParameters> {
  requireParameters(parameters);
  const { r, alpha, a, b, k = 1 } = parameters;
  requireRegularity("parameter k", k);
  return { r, alpha, a, b, k };
}

function requireRegularity(name: string, k: number): void {
  if (!(Number.isInteger(k) && k >= 1 && k <= 50)) {
    throw new RangeError(`${name} must be a whole number from 1 to 50, got ${k}`);
  }
}
