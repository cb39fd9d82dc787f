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

/**
 * Poisson count with the given mean, by counting exponential gaps: for means up to about 500.
 * @throws RangeError if the mean is negative or above 500.
 */
export function drawPoisson(random: Random, mean: number): number {
  if (!(mean >= 0 && mean <= 500)) throw new RangeError(`mean must be between 0 and 500, got ${mean}`);
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random.uniform(); product > limit; product *= random.uniform()) count++;
  return count;
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
