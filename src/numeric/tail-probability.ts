import { logGamma, regularisedGamma } from "./special.js";

const LOG_ROOT_TWO_PI = 0.9189385332046727;
const FRACTION_FROM = 2; // below, the complement loses less than two digits

/** Chance that a standard normal number exceeds z. Relative error about 1e-14, also far out. */
export function normalTail(z: number): number {
  if (z < 0) return 1 - normalTail(-z);
  if (z < FRACTION_FROM) return (1 - regularisedGamma(0.5, (z * z) / 2)) / 2;
  return millsFraction(z) * Math.exp(-(z * z) / 2 - LOG_ROOT_TWO_PI);
}

/** Log of `normalTail(z)`, finite for every finite z. */
export function logNormalTail(z: number): number {
  if (z < 0) return Math.log1p(-normalTail(-z));
  if (z < FRACTION_FROM) return Math.log(normalTail(z));
  return Math.log(millsFraction(z)) - (z * z) / 2 - LOG_ROOT_TWO_PI;
}

/** Hazard of the standard normal distribution at z: density / tail. */
export function normalHazard(z: number): number {
  if (z >= FRACTION_FROM) return 1 / millsFraction(z);
  return Math.exp(-(z * z) / 2 - LOG_ROOT_TWO_PI) / normalTail(z);
}

/** Both tails beyond |z|: the p value of a z statistic. */
export const twoSidedP = (z: number): number => 2 * normalTail(Math.abs(z));

/**
 * Chance that a chi-square number with a whole number of degrees of freedom exceeds x: a sum of positive terms, so small
 * p values keep their digits.
 * @see Abramowitz & Stegun 26.4.4 and 26.4.5.
 */
export function chiSquareTail(x: number, degreesOfFreedom: number): number {
  const half = Math.max(x, 0) / 2;
  const odd = degreesOfFreedom % 2 === 1;
  let tail = odd ? 2 * normalTail(Math.sqrt(2 * half)) : Math.exp(-half);
  if (half === 0) return 1;
  for (let a = odd ? 0.5 : 1; a < degreesOfFreedom / 2; a++) {
    tail += Math.exp(a * Math.log(half) - half - logGamma(a + 1));
  }
  return Math.min(tail, 1);
}

/** Tail / density of the standard normal distribution: Laplace's continued fraction, by Lentz's method. */
function millsFraction(z: number): number {
  let c = z;
  let d = 0;
  let fraction = z;
  for (let k = 1; k < 1000; k++) {
    d = 1 / (z + k * d);
    c = z + k / c;
    fraction *= c * d;
    if (Math.abs(c * d - 1) < 1e-16) break;
  }
  return 1 / fraction;
}
