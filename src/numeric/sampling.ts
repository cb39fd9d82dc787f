import { requireWhole } from "../core/arguments.js";
import type { Random } from "./random.js";

/** Draws from the distributions the sample company and the simulations need. All take the random source as an argument. */

/**
 * A whole number from `low` to `high`, both included, without modulo bias.
 * @throws RangeError if the bounds are not whole numbers in order, or span more than 2^32 values.
 */
export function drawInteger(random: Random, low: number, high: number): number {
  const span = high - low + 1;
  if (!(Number.isSafeInteger(low) && Number.isSafeInteger(high) && span >= 1 && span <= 0x1_0000_0000)) {
    throw new RangeError(`bounds must be whole numbers in order, got ${low} and ${high}`);
  }
  const limit = 0x1_0000_0000 - (0x1_0000_0000 % span);
  let bits = random.uint32();
  while (bits >= limit) bits = random.uint32();
  return low + (bits % span);
}

/**
 * True with the given probability.
 * @throws RangeError if the probability is outside [0, 1].
 */
export function drawBernoulli(random: Random, probability: number): boolean {
  if (!(probability >= 0 && probability <= 1)) {
    throw new RangeError(`probability must be between 0 and 1, got ${probability}`);
  }
  return random.uniform() < probability;
}

/** One of the items, each equally likely. @throws RangeError if there are none. */
export function drawItem<Item>(random: Random, items: readonly Item[]): Item {
  return items[drawInteger(random, 0, items.length - 1)] as Item;
}

/**
 * Index drawn in proportion to the weights.
 * @throws RangeError if a weight is negative or not finite, or all are zero.
 */
export function drawWeighted(random: Random, weights: readonly number[]): number {
  let total = 0;
  for (const weight of weights) {
    if (!(weight >= 0 && Number.isFinite(weight)))
      throw new RangeError(`weights must be from 0 up, got ${weight}`);
    total += weight;
  }
  if (total === 0) throw new RangeError("at least one weight must be above 0");
  let rest = random.uniform() * total;
  let last = 0; // rounding may leave a rest after the last weight: then the last index with a weight is meant
  for (const [index, weight] of weights.entries()) {
    if (weight === 0) continue;
    last = index;
    rest -= weight;
    if (rest < 0) break;
  }
  return last;
}

/** A standard normal number, by the polar method. @see Marsaglia & Bray (1964), SIAM Review 6(3). */
export function drawNormal(random: Random): number {
  for (;;) {
    const u = 2 * random.uniform() - 1;
    const v = 2 * random.uniform() - 1;
    const s = u * u + v * v;
    if (s > 0 && s < 1) return u * Math.sqrt((-2 * Math.log(s)) / s);
  }
}

/**
 * Exponential waiting time with the given rate (mean 1 / rate).
 * @throws RangeError if the rate is not above 0.
 */
export function drawExponential(random: Random, rate: number): number {
  requirePositive("rate", rate);
  return -Math.log(1 - random.uniform()) / rate;
}

/**
 * Gamma number with shape and rate (mean shape / rate, variance shape / rate^2).
 * @throws RangeError if shape or rate is not above 0.
 * @see Marsaglia & Tsang (2000), A Simple Method for Generating Gamma Variables, ACM TOMS 26(3).
 */
export function drawGamma(random: Random, shape: number, rate: number): number {
  requirePositive("shape", shape);
  requirePositive("rate", rate);
  if (shape < 1) {
    const boost = Math.log(1 - random.uniform()) / shape; // Gamma(a) = Gamma(a + 1) U^(1/a)
    return drawGamma(random, shape + 1, rate) * Math.exp(boost);
  }
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = drawNormal(random);
    const t = 1 + c * x;
    if (t <= 0) continue;
    const v = t * t * t;
    if (Math.log(1 - random.uniform()) < (x * x) / 2 + d - d * v + d * Math.log(v)) return (d * v) / rate;
  }
}

const SMALL_SHAPE = 0.1; // gamma numbers of a smaller shape can be too small for a double

/**
 * Share between 0 and 1 with a Beta(a, b) distribution (mean a / (a + b)): one of two gamma numbers over their sum. Tiny
 * parameters are safe: the share is then 0 or 1 to the accuracy of a double, with the right probabilities.
 * @throws RangeError if a or b is not above 0.
 * @see Devroye (1986), Non-Uniform Random Variate Generation, section IX.4.
 */
export function drawBeta(random: Random, a: number, b: number): number {
  requirePositive("a", a);
  requirePositive("b", b);
  if (Math.min(a, b) < SMALL_SHAPE) {
    const logOne = drawLogGamma(random, a);
    return 1 / (1 + Math.exp(drawLogGamma(random, b) - logOne));
  }
  const one = drawGamma(random, a, 1);
  return one / (one + drawGamma(random, b, 1));
}

/** The log of a gamma number with rate 1, from the same random numbers as the gamma number itself. */
function drawLogGamma(random: Random, shape: number): number {
  if (shape >= 1) return Math.log(drawGamma(random, shape, 1));
  const boost = Math.log(1 - random.uniform()) / shape;
  return Math.log(drawGamma(random, shape + 1, 1)) + boost;
}

const MOST_SEARCHED = 10; // a binomial count of this mean or less is searched for from 0 up

/**
 * Binomial count: how many of n independent trials succeed, each with probability p. Exact for any n: while many successes
 * are expected, n uniform numbers are split at the one of about that rank, which a beta number gives, so that the mean
 * left to draw falls to its square root; a small rest is drawn by inversion.
 * @throws RangeError if n is not a whole number from 0 up, or p is outside [0, 1].
 * @see Relles (1972), A Simple Algorithm for Generating Binomial Random Variables when N is Large, JASA 67(339);
 * Devroye (1986), Non-Uniform Random Variate Generation, section X.4.
 */
export function drawBinomial(random: Random, n: number, p: number): number {
  requireWhole("n", n, 0);
  if (!(p >= 0 && p <= 1)) throw new RangeError(`p must be between 0 and 1, got ${p}`);
  let count = 0;
  let sign = 1; // -1 while failures are counted
  let trials = n;
  let chance = p;
  for (;;) {
    if (chance > 0.5) {
      count += sign * trials;
      sign = -sign;
      chance = 1 - chance;
    }
    if (trials * chance <= MOST_SEARCHED) return count + sign * searchBinomial(random, trials, chance);
    const rank = Math.floor((trials + 1) * chance);
    const split = drawBeta(random, rank, trials + 1 - rank); // the uniform number of that rank among the trials
    if (split <= chance) {
      count += sign * rank;
      trials -= rank;
      chance = (chance - split) / (1 - split);
    } else {
      trials = rank - 1;
      count += sign * trials;
      sign = -sign;
      chance = (split - chance) / split;
    }
  }
}

/** A binomial count of mean 10 at most, p up to 1/2: the distribution function is summed until it passes a uniform number. */
function searchBinomial(random: Random, n: number, p: number): number {
  const odds = p / (1 - p);
  for (;;) {
    let rest = random.uniform();
    let chance = Math.exp(n * Math.log1p(-p));
    for (let count = 0; chance > 1e-18; count++) {
      if (rest < chance) return count;
      rest -= chance;
      chance *= (odds * (n - count)) / (count + 1);
    } // rounding left a rest beyond the tail: another number is drawn
  }
}

const MOST_GAPS = 500; // a Poisson count of this mean or less counts exponential gaps
const LARGEST_MEAN = 1e12;

/**
 * Poisson count with the given mean, exact for any mean: up to 500 by counting exponential gaps; above, a gamma number
 * says when about that many events have happened, so that the mean left to draw falls to its square root.
 * @throws RangeError if the mean is negative or above 1e12.
 * @see Ahrens & Dieter (1974), Computer Methods for Sampling from Gamma, Beta, Poisson and Binomial Distributions,
 * Computing 12(3).
 */
export function drawPoisson(random: Random, mean: number): number {
  if (!(mean >= 0 && mean <= LARGEST_MEAN)) {
    throw new RangeError(`mean must be between 0 and ${LARGEST_MEAN}, got ${mean}`);
  }
  let count = 0;
  let rest = mean;
  while (rest > MOST_GAPS) {
    const events = Math.floor(rest);
    const time = drawGamma(random, events, 1); // of the last of these events
    if (time > rest) return count + drawBinomial(random, events - 1, rest / time);
    count += events;
    rest -= time;
  }
  const limit = Math.exp(-rest);
  for (let product = random.uniform(); product > limit; product *= random.uniform()) count++;
  return count;
}

/**
 * Multinomial counts: how `total` independent trials fall on cells with probabilities in proportion to the weights. With
 * the cells' sizes as weights and their sum as total, the counts are a bootstrap sample of the cells.
 * @throws RangeError if total is not a whole number from 0 up, a weight is negative or not finite, or all are zero.
 * @see Davis (1993), The Computer Generation of Multinomial Random Variates, Computational Statistics & Data Analysis
 * 16(2): one binomial count a cell, given those before.
 */
export function drawMultinomial(random: Random, total: number, weights: ArrayLike<number>): Float64Array {
  requireWhole("total", total, 0);
  const counts = new Float64Array(weights.length);
  const weightFrom = new Float64Array(weights.length + 1); // of a cell and all after it
  for (let cell = weights.length - 1; cell >= 0; cell--) {
    const weight = weights[cell] as number;
    if (!(weight >= 0 && Number.isFinite(weight))) {
      throw new RangeError(`weights must be from 0 up, got ${weight}`);
    }
    weightFrom[cell] = weight + (weightFrom[cell + 1] as number);
  }
  if (!((weightFrom[0] as number) > 0)) throw new RangeError("at least one weight must be above 0");
  let left = total;
  for (let cell = 0; left > 0; cell++) {
    const count = drawBinomial(random, left, (weights[cell] as number) / (weightFrom[cell] as number));
    counts[cell] = count;
    left -= count;
  }
  return counts;
}

/** A whole number with the given mean: the floor, or one more with the probability of the fraction. */
export function drawRounded(random: Random, mean: number): number {
  const floor = Math.floor(mean);
  return floor + (random.uniform() < mean - floor ? 1 : 0);
}

function requirePositive(name: string, value: number): void {
  if (!(value > 0 && Number.isFinite(value)))
    throw new RangeError(`${name} must be a number above 0, got ${value}`);
}
