import { overPanels } from "../numeric/quadrature.js";
import { exponentialIntegral } from "../numeric/special.js";

/**
 * Integral of exp(-z w) (1 + w)^-s over w from 0 to `end` (Infinity: all): the discounted time of something that survives
 * like a Pareto number. All of it less what lies beyond the end; where they are nearly equal, by quadrature over
 * v = log(1 + w), in which all terms are positive and smooth.
 */
export function discountedSurvival(s: number, z: number, end: number): number {
  const all = exponentialIntegral(s, z);
  if (z * end > 1500) return all; // what lies beyond is 0 in double precision
  const rest = Math.exp((1 - s) * Math.log1p(end) - z * end) * exponentialIntegral(s, z * (1 + end));
  if (rest <= all / 2) return all - rest;
  let sum = 0;
  overPanels({ length: Math.log1p(end), first: 4 / (z + s + 2), widest: 2 }, (v, width) => {
    sum += width * Math.exp((1 - s) * v - z * Math.expm1(v));
  });
  return sum;
}

/** @throws RangeError if a discount rate per unit of time is not possible over a horizon. */
export function requireDiscountRate(discountRate: number, horizon: number): void {
  const lifetime = horizon === Number.POSITIVE_INFINITY;
  if (!(discountRate >= 0 && Number.isFinite(discountRate)) || (lifetime && discountRate === 0)) {
    const allowed = lifetime ? "above 0 (all future purchases are counted)" : "from 0 up";
    throw new RangeError(`discountRate must be a rate per unit of time ${allowed}, got ${discountRate}`);
  }
  if (!(horizon >= 0)) throw new RangeError(`horizon must be a number from 0 up, got ${horizon}`);
}
