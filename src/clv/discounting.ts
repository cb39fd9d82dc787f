import { overPanels } from "../numeric/quadrature.js";

const NEGLIGIBLE = 38; // e^-38 adds nothing in double precision

/**
 * Integral of exp(-z w) (1 + w)^-s over w from 0 to `end` (Infinity: all): the discounted time of something that survives
 * like a Pareto number. Over v = log(1 + w), in which it is smooth; all terms are positive.
 */
export function discountedSurvival(s: number, z: number, end: number): number {
  const length = Math.min(Math.log1p(NEGLIGIBLE / z), NEGLIGIBLE / s, Math.log1p(end));
  let sum = 0;
  overPanels({ length, first: 4 / (z + s + 2), widest: 2 }, (v, width) => {
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
