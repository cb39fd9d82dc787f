import { requireWhole } from "../core/arguments.js";
import { DataError } from "../core/errors.js";
import type { Objective } from "../numeric/minimise.js";
import type { Random } from "../numeric/random.js";
import { drawBeta, drawGamma, drawWeighted } from "../numeric/sampling.js";
import { digamma, logGammaRatio } from "../numeric/special.js";
import {
  drawLivingPurchases,
  type LivingCustomer,
  laterDistribution,
  livingAfter,
  livingDiscounted,
  livingDistribution,
  livingPurchases,
} from "./bg-nbd-living.js";
import type { BuyingModel, SimulatedCustomers } from "./buying-model.js";
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
import { requireDiscountRate } from "./discounting.js";
import { fitPositive, type ModelFit } from "./fit.js";
import { purchaseRate } from "./nbd.js";

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
): Float64Array => futurePurchaseDistribution(bg, parameters, newCustomer, horizon, max);

/**
 * Probabilities of 0, 1, …, `max` repeat purchases of a new customer in `horizon` units of time under the MBG/NBD.
 * @throws RangeError if a parameter, the horizon or max is not possible.
 */
export const mbgNbdPurchaseDistribution = (
  parameters: BgNbdParameters,
  horizon: number,
  max: number,
): Float64Array => futurePurchaseDistribution(mbg, parameters, newCustomer, horizon, max);

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

/** The BG/NBD behind the face of all buying models. @see Fader, Hardie & Lee (2005), Marketing Science 24(2). */
export const bgNbd: BuyingModel<"r" | "alpha" | "a" | "b"> = modelOf(bg, 1);

/** The MBG/NBD behind the face of all buying models. @see Batislam, Denizel & Filiztekin (2007), IJRM 24(3). */
export const mbgNbd: BuyingModel<"r" | "alpha" | "a" | "b"> = modelOf(mbg, 1);

/**
 * The BG/CNBD-k of a given regularity behind the face of all buying models. Its log-likelihood leaves the log gaps out, so
 * it compares with another model's only together with (k - 1) times their sum (see `fitBgCnbdK`).
 * @throws RangeError if k is not a whole number from 1 to 50.
 */
export const bgCnbdK = (k: number): BuyingModel<"r" | "alpha" | "a" | "b"> => modelOf(bg, k);

/**
 * The MBG/CNBD-k of a given regularity behind the face of all buying models; for its log-likelihood see `bgCnbdK`.
 * @throws RangeError if k is not a whole number from 1 to 50.
 */
export const mbgCnbdK = (k: number): BuyingModel<"r" | "alpha" | "a" | "b"> => modelOf(mbg, k);

function nameOf({ name }: Variant, k: number): string {
  return k === 1 ? `${name}/NBD` : `${name}/CNBD-${k}`;
}

function modelOf(variant: Variant, k: number): BuyingModel<"r" | "alpha" | "a" | "b"> {
  requireRegularity("k", k);
  return Object.freeze({
    name: nameOf(variant, k),
    parameterNames: ["r", "alpha", "a", "b"] as const,
    regularity: k,
    fit: (cells) => fitVariant(variant, cells, k),
    objective: (cells) => bgObjective(variant, cells, k),
    probabilityAlive: (parameters, customer, after) =>
      probabilityAlive(variant, { ...parameters, k }, customer, after),
    expectedPurchases: (parameters, customer, horizon) =>
      expectedPurchases(variant, { ...parameters, k }, customer, horizon),
    discountedPurchases: (parameters, customer, discountRate, horizon) =>
      discountedPurchases(variant, { ...parameters, k }, customer, discountRate, horizon),
    purchaseDistribution: (parameters, customer, horizon, max) =>
      futurePurchaseDistribution(variant, { ...parameters, k }, customer, horizon, max),
    intervalDistribution: (parameters, interval, max) =>
      intervalDistribution(variant, { ...parameters, k }, interval, max),
    customerRates: (parameters, customer) => customerRates(variant, { ...parameters, k }, customer),
    drawFuturePurchases: (parameters, customer, horizon, random) =>
      drawFuture(variant, { ...parameters, k }, customer, horizon, random),
    simulate: (parameters, ages, random) => simulate(variant, { ...parameters, k }, ages, random),
  } satisfies BuyingModel<"r" | "alpha" | "a" | "b">);
}

const newCustomer: PurchaseCustomer = { x: 0, recency: 0, age: 0 };

function fitVariant(variant: Variant, cells: PurchaseCells, k: number): BgNbdFit {
  const rate = k * purchaseRate(cells);
  return fitPositive({
    model: nameOf(variant, k),
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

function probabilityAlive(
  variant: Variant,
  parameters: BgNbdParameters,
  customer: PurchaseCustomer,
  after = 0,
): number {
  requireHorizon(after);
  return Math.min(
    1,
    overLiving(variant, parameters, customer, (living) => livingAfter(living, after)),
  ); // rounding
}

function expectedPurchases(
  variant: Variant,
  parameters: BgNbdParameters,
  customer: PurchaseCustomer,
  horizon: number,
): number {
  requireHorizon(horizon);
  return overLiving(variant, parameters, customer, (living) => livingPurchases(living, horizon));
}

function discountedPurchases(
  variant: Variant,
  parameters: BgNbdParameters,
  customer: PurchaseCustomer,
  discountRate: number,
  horizon = Number.POSITIVE_INFINITY,
): number {
  requireDiscountRate(discountRate, horizon);
  return overLiving(variant, parameters, customer, (living) =>
    livingDiscounted(living, discountRate, horizon),
  );
}

function futurePurchaseDistribution(
  variant: Variant,
  parameters: BgNbdParameters,
  customer: PurchaseCustomer,
  horizon: number,
  max: number,
): Float64Array {
  requireHorizon(horizon);
  requireMax(max);
  const { alive, states } = stateOf(variant, parameters, customer);
  const chances = new Float64Array(max + 1);
  chances[0] = 1 - alive;
  for (const { living, share } of states) {
    for (const [x, chance] of livingDistribution(living, horizon, max).entries()) {
      chances[x] = (chances[x] as number) + alive * share * chance;
    }
  }
  return chances;
}

function intervalDistribution(
  variant: Variant,
  parameters: BgNbdParameters,
  { from, length }: { readonly from: number; readonly length: number },
  max: number,
): Float64Array {
  requireHorizon(from);
  requireHorizon(length);
  requireMax(max);
  const { alive, states } = stateOf(variant, parameters, newCustomer);
  const { living } = states[0] as LivingState;
  if (living.k > 1)
    throw new RangeError(`parameter k must be 1 for counts of a later interval, got ${living.k}`);
  const chances = laterDistribution(living, from, length, max);
  return chances.map((chance, x) => alive * chance + (x === 0 ? 1 - alive : 0));
}

function drawFuture(
  variant: Variant,
  parameters: BgNbdParameters,
  customer: PurchaseCustomer,
  horizon: number,
  random: Random,
): number {
  requireHorizon(horizon);
  const { alive, states } = stateOf(variant, parameters, customer);
  if (random.uniform() >= alive) return 0;
  const shares = states.map(({ share }) => share);
  const { living } = states[shares.length === 1 ? 0 : drawWeighted(random, shares)] as LivingState;
  return drawLivingPurchases(living, horizon, random);
}

/** A customer who dropped out did so at the last purchase: one dropout among the chances, no purchases since. */
function customerRates(
  variant: Variant,
  parameters: BgNbdParameters,
  customer: PurchaseCustomer,
): { readonly purchaseRate: number; readonly dropout: number } {
  const { r, alpha, a, b, k } = known(parameters);
  const { alive, states } = stateOf(variant, parameters, customer);
  const chances = customer.x + variant.firstChances;
  let events = (1 - alive) * ((r + k * customer.x) / (alpha + customer.recency));
  for (const { living, share } of states) events += (alive * share * living.shape) / living.rate;
  return { purchaseRate: events / k, dropout: (a + 1 - alive) / (a + b + chances) };
}

/** What is known of a customer: the probability to be one still, and what such a one is like by the stages passed. */
interface CustomerState {
  readonly alive: number;
  readonly states: readonly LivingState[];
}

interface LivingState {
  readonly living: LivingCustomer;
  /** Probability of this state of a living customer. */
  readonly share: number;
}

function stateOf(variant: Variant, parameters: BgNbdParameters, customer: PurchaseCustomer): CustomerState {
  const { r, alpha, a, b, k } = known(parameters);
  requireCustomer(customer);
  const { x, recency, age } = customer;
  const chances = x + variant.firstChances;
  const shape = r + k * x;
  const stages = stagesSince(k, shape, (age - recency) / (alpha + age));
  const silence = Math.log1p((age - recency) / (alpha + recency));
  const logOdds = chances === 0 ? Number.NEGATIVE_INFINITY : Math.log(a / (b + chances - 1));
  return {
    alive: 1 / (1 + Math.exp(logOdds + shape * silence - stages.log)),
    states: stages.terms.map((term, passed) => ({
      living: { shape: shape + passed, rate: alpha + age, a, b: b + chances, k, passed },
      share: term / Math.exp(stages.log),
    })),
  };
}

/** P(alive) times the mean of a function of what a living customer is like. */
function overLiving(
  variant: Variant,
  parameters: BgNbdParameters,
  customer: PurchaseCustomer,
  f: (living: LivingCustomer) => number,
): number {
  const { alive, states } = stateOf(variant, parameters, customer);
  if (alive === 0) return 0;
  let mean = 0;
  for (const { living, share } of states) mean += share * f(living);
  return alive * mean;
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
    const dropout = drawBeta(random, a, b);
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

function known(parameters: BgNbdParameters): Required<BgNbdParameters> {
  requireParameters(parameters);
  const { r, alpha, a, b, k = 1 } = parameters;
  requireRegularity("parameter k", k);
  return { r, alpha, a, b, k };
}

function requireRegularity(name: string, k: number): void {
  requireWhole(name, k, 1, 50);
}
