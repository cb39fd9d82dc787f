import { overPanels } from "../numeric/quadrature.js";
import type { Random } from "../numeric/random.js";
import { drawBeta, drawGamma } from "../numeric/sampling.js";
import {
  logBeta,
  logGamma,
  logGammaRatio,
  logHypergeometric2F1,
  regularisedBeta,
} from "../numeric/special.js";
import { discountedSurvival } from "./discounting.js";
import { logNbd } from "./nbd.js";
import { discountedRenewals } from "./shifted-beta-geometric.js";

/**
 * What is believed of a customer of the BG/NBD family who is alive now: a buying rate Gamma(shape, rate), a dropout
 * probability Beta(a, b) after each further purchase, and `passed` of the k stages of the current gap.
 */
export interface LivingCustomer {
  readonly shape: number;
  readonly rate: number;
  readonly a: number;
  readonly b: number;
  readonly k: number;
  readonly passed: number;
}

const longestSum = 2000;

/**
 * Expected purchases within a horizon: over the number of events N of the buying process, P(N = n) times the purchases
 * that are still made if n events are due, C(i) = sum_{m<i} E[(1 - p)^m] with i = floor((n + passed) / k). All terms are
 * positive: nothing cancels, and no 2F1 is needed.
 */
export function livingPurchases(living: LivingCustomer, horizon: number): number {
  const { shape, rate, a, b, k, passed } = living;
  if (horizon === 0) return 0;
  if (k === 1 && reachOf(living, horizon) > longestSum) return purchasesByQuadrature(living, horizon);
  let [purchases, survival, made] = [0, 1, 0];
  return meanOverEvents({ shape, rate, horizon, least: k }, (n) => {
    if (n > 0 && (n + passed) % k === 0) {
      purchases += survival;
      survival *= (b + made) / (a + b + made);
      made++;
    }
    return purchases;
  });
}

/** Probability to be alive still after a time: E[(1 - p)^i] over the purchases i that fall due until then. */
export function livingAfter(living: LivingCustomer, time: number): number {
  const { shape, rate, a, b, k, passed } = living;
  if (time === 0) return 1;
  if (k === 1) {
    const share = time / (rate + time);
    return Math.exp(logHypergeometric2F1(shape, b, a + b, share) - shape * Math.log1p(time / rate));
  }
  let [survival, made] = [1, 0];
  return meanOverEvents({ shape, rate, horizon: time, least: k }, (n) => {
    if (n > 0 && (n + passed) % k === 0) {
      survival *= (b + made) / (a + b + made);
      made++;
    }
    return survival;
  });
}

/**
 * Expected purchases within a horizon (Infinity: all), discounted continuously. With k = 1, given p, purchases come at
 * the rate E[lambda e^(-lambda p t)] = shape / rate (1 + p t / rate)^-(shape + 1), an integral over p remains. With k > 1
 * all purchases to come are an integral over lambda, those within a horizon are integrated by parts:
 * e^(-d H) E[X(H)] + d times the integral of e^(-d t) E[X(t)].
 */
export function livingDiscounted(living: LivingCustomer, discountRate: number, horizon: number): number {
  if (horizon === 0) return 0;
  if (discountRate === 0) return livingPurchases(living, horizon);
  const { shape, rate, k } = living;
  if (k === 1) {
    const most = (shape / rate) * (-Math.expm1(-discountRate * horizon) / discountRate);
    const spread = 1 + Math.min(horizon, 1 / discountRate) / rate;
    return overDropout(living, { most, spread }, (p) => {
      const speed = p / rate;
      return (shape / p) * discountedSurvival(shape + 1, discountRate / speed, horizon * speed);
    });
  }
  if (horizon === Number.POSITIVE_INFINITY) return allDiscounted(living, discountRate);
  const end = Math.min(horizon, NEGLIGIBLE / discountRate);
  let sum = Math.exp(-discountRate * end) * livingPurchases(living, end);
  const first = Math.min(1 / shape, 1 / (discountRate * rate));
  overPanels({ length: Math.log1p(end / rate), first, widest: 0.5 }, (v, width) => {
    const t = rate * Math.expm1(v);
    sum += width * (rate + t) * discountRate * Math.exp(-discountRate * t) * livingPurchases(living, t);
  });
  return sum;
}

/**
 * All purchases to come, discounted. Given lambda the m-th one falls due after k m - passed stages, which discount it by
 * (lambda / (lambda + d)) each, and is made with chance E[(1 - p)^(m - 1)]: their sum is a renewal sum as of contracts. The
 * integral over lambda runs over its logarithm by the trapezoidal rule (see `overDropout`).
 */
export function allDiscounted(living: LivingCustomer, discountRate: number): number {
  const { shape, rate, a, b, k, passed } = living;
  const logScale = shape * Math.log(rate) - logGamma(shape);
  const integrand = (log: number): number => {
    const lambda = Math.exp(log);
    const gap = Math.log1p(discountRate / lambda); // minus the log discount of a stage
    const next = Math.exp(shape * log - rate * lambda + logScale - gap * (k - passed));
    if (next === 0) return 0;
    const later = Math.exp(-k * gap);
    return next * (1 + (later === 0 ? 0 : later * discountedRenewals(a, b, Math.expm1(k * gap))));
  };
  const low = Math.min(Math.log(shape / rate), Math.log(discountRate)) - NEGLIGIBLE;
  const high = Math.log((shape + 9 * Math.sqrt(shape) + 2 * NEGLIGIBLE) / rate);
  let steps = Math.ceil((high - low) / Math.min(1, 1 / Math.sqrt(shape)));
  let sum = 0;
  for (let at = 1; at <= steps; at++) sum += integrand(low + (at / steps) * (high - low));
  for (let halving = 0; halving < 12; halving++) {
    const before = sum;
    for (let at = 0; at < steps; at++) sum += integrand(low + ((at + 0.5) / steps) * (high - low));
    steps *= 2;
    if (Math.abs(sum / 2 - before) <= SETTLED * before) break;
  }
  return (sum * (high - low)) / steps;
}

/** Probabilities of 0, 1, …, `max` purchases within a horizon. */
export function livingDistribution(living: LivingCustomer, horizon: number, max: number): Float64Array {
  const { shape, rate, a, b, k, passed } = living;
  const distribution = new Float64Array(max + 1);
  const share = horizon / (rate + horizon);
  let atLeast = regularisedBeta(share, k * (max + 1) - passed, shape); // from the rare end: it only grows
  for (let x = max; x >= 0; x--) {
    let due = 0;
    for (let n = k * x + k - 1 - passed; n >= Math.max(0, k * x - passed); n--) {
      due += Math.exp(logNbd(n, shape, rate, horizon));
    }
    const survival = Math.exp(logGammaRatio(b, x) - logGammaRatio(a + b, x));
    const dropout = x === 0 ? 0 : (survival * a) / (b + x - 1);
    atLeast = x === 0 ? 1 : Math.min(1, atLeast + due);
    distribution[x] = survival * due + dropout * atLeast;
  }
  return distribution;
}

/** Draws the purchases within a horizon: one possible future. */
export function drawLivingPurchases(living: LivingCustomer, horizon: number, random: Random): number {
  const lambda = drawGamma(random, living.shape, living.rate);
  const dropout = drawBeta(random, living.a, living.b);
  let purchases = 0;
  let stages = living.k - living.passed;
  for (let time = 0; ; stages = living.k) {
    time += drawGamma(random, stages, 1) / lambda;
    if (!(time <= horizon)) return purchases;
    purchases++;
    if (random.uniform() < dropout) return purchases;
  }
}

/**
 * Probability of x purchases in a time of a new customer that begins `from` units after the first purchase: over p, alive
 * until then with (alpha / (alpha + p from))^r, the buying rate of those alive being Gamma(r, alpha + p from).
 */
export function laterDistribution(
  newcomer: LivingCustomer,
  from: number,
  length: number,
  max: number,
): Float64Array {
  const { shape, rate } = newcomer;
  const spread = (1 + shape) * (1 + (from + length) / rate);
  const [none = 0, ...some] = Array.from({ length: max + 1 }, (_, x) => {
    const most = Math.exp(logNbd(x, shape, rate, length));
    return overDropout(newcomer, { most, spread }, (p) => {
      const later = rate + p * from;
      const alive = Math.exp(-shape * Math.log1p((p * from) / rate));
      const exactly = Math.exp(logNbd(x, shape, later, length));
      if (x === 0) return alive * exactly;
      const atLeast = regularisedBeta(length / (later + length), x, shape);
      return alive * (1 - p) ** (x - 1) * ((1 - p) * exactly + p * atLeast);
    });
  });
  return Float64Array.of(none + 1 - livingAfter(newcomer, from), ...some);
}

const NEGLIGIBLE = 38; // e^-38 adds nothing in double precision

/** So many events are hardly ever exceeded. */
function reachOf({ shape, rate }: Pick<LivingCustomer, "shape" | "rate">, horizon: number): number {
  const mean = (shape * horizon) / rate;
  return mean + 8 * Math.sqrt(mean * (1 + horizon / rate)) + 40 / Math.log1p(rate / horizon);
}

/**
 * Mean of a function of the number of events n = 0, 1, … of a gamma mixture of Poisson processes, called in that order.
 * The function changes at least once in `least` events and grows by at most 1 an event.
 */
function meanOverEvents(
  process: {
    readonly shape: number;
    readonly rate: number;
    readonly horizon: number;
    readonly least: number;
  },
  valueAt: (n: number) => number,
): number {
  const { shape, rate, horizon, least } = process;
  if (reachOf(process, horizon) > 1e8) {
    throw new RangeError(
      `horizon must be below about 10^8 expected stages of a gap where k is above 1, got ${horizon}`,
    );
  }
  const share = horizon / (rate + horizon);
  let [weight, total, sum] = [1, 1, valueAt(0)];
  for (let n = 1; ; n++) {
    weight *= (share * (shape + n - 1)) / n;
    const value = valueAt(n);
    total += weight;
    sum += weight * value;
    const ratio = (share * (shape + n)) / (n + 1);
    const rest = weight / (1 - ratio);
    const settled = (rest * Math.max(value, 1e-300)) / (1 - ratio) <= 1e-17 * sum;
    if (ratio < 1 && n > least && rest <= 1e-17 * total && settled) break;
    if (total > 1e250) [weight, total, sum] = [weight * 1e-250, total * 1e-250, sum * 1e-250];
  }
  return sum / total;
}

/** Expected purchases as E[(1 - (1 + p t / rate)^-shape) / p] over p, where a sum over events would be long. */
function purchasesByQuadrature(living: LivingCustomer, horizon: number): number {
  const { shape, rate } = living;
  const growth = horizon / rate;
  return overDropout(
    living,
    { most: shape * growth, spread: 1 + growth },
    (p) => -Math.expm1(-shape * Math.log1p(p * growth)) / p,
  );
}

/**
 * Mean over p ~ Beta(a, b) of a positive function that does not rise with p and has the limit `most` as p falls to 0.
 * `spread` says how far below 1 / most it may still change. The integral runs over the logit of p by the trapezoidal rule,
 * which converges geometrically because the integrand is analytic around the real axis: the step is halved until that
 * changes nothing. Beyond both ends, where the integrand is exponential, the sums are geometric.
 * @see Trefethen & Weideman (2014), The Exponentially Convergent Trapezoidal Rule, SIAM Review 56(3).
 */
function overDropout(
  { a, b, shape }: LivingCustomer,
  { most, spread }: { readonly most: number; readonly spread: number },
  f: (p: number) => number,
): number {
  const logScale = logBeta(a, b);
  const integrand = (logit: number): number => {
    const e = Math.exp(-Math.abs(logit));
    const soft = Math.log(1 + e);
    const [logP, logQ] = logit > 0 ? [-soft, -logit - soft] : [logit - soft, -soft];
    const density = Math.exp(a * logP + b * logQ - logScale);
    const p = Math.exp(logP);
    return density === 0 ? 0 : density * (p > 1e-300 ? f(p) : most);
  };
  const peak = Math.log(a / b);
  const width = Math.sqrt(1 / a + 1 / b);
  const low = Math.min(peak, -Math.log1p(a + b) - Math.log1p(most) - Math.log(spread)) - NEGLIGIBLE;
  let step = Math.min(1, width);
  const reach = Math.min(NEGLIGIBLE, Math.max(NEGLIGIBLE / b, 9 * width));
  const steps = Math.ceil((Math.max(peak, Math.log1p(shape)) + reach - low) / step);
  const [left, right] = [integrand(low), integrand(low + steps * step)];
  let sum = left + right;
  for (let at = 1; at < steps; at++) sum += integrand(low + at * step);
  const total = (): number => step * (sum + left / Math.expm1(a * step) + right / Math.expm1(b * step));
  for (let halving = 0; halving < 12; halving++) {
    const before = total();
    for (let at = 0; at < steps * 2 ** halving; at++) sum += integrand(low + (at + 0.5) * step);
    step /= 2;
    if (Math.abs(total() - before) <= SETTLED * before) break;
  }
  return total();
}

/** Halving the step squares the relative error of the trapezoidal rule: after such a change it is below rounding. */
const SETTLED = 1e-8;
