import type { Objective } from "./minimise.js";

const HESSIAN_STEP = Number.EPSILON ** (1 / 5); // balances the h^4 left by one Richardson step against rounding
const GRADIENT_STEP = Number.EPSILON ** (1 / 7); // likewise for the h^6 left by two

/**
 * Matrix of second derivatives at x: central differences of the analytic gradient at two step sizes, combined by
 * Richardson's extrapolation, made symmetric. Relative error about 1e-10 for smooth functions of order 1 scale; steps
 * are proportional to max(|x_i|, 1) and shrink where the function is not finite.
 * @throws RangeError if the gradient is not finite around x.
 * @see Abramowitz & Stegun 25.3.21; Richardson (1911).
 */
export function hessianOf(objective: Objective, x: Float64Array | readonly number[]): number[][] {
  const point = Float64Array.from(x);
  const n = point.length;
  const rows = Array.from(point, (_, i) => gradientSlope(objective, point, i));
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const a = rows[i] as Float64Array;
      const b = rows[j] as Float64Array;
      a[j] = b[i] = ((a[j] as number) + (b[i] as number)) / 2;
    }
  }
  return rows.map((row) => [...row]);
}

/** Derivative of the gradient along coordinate i. */
function gradientSlope(objective: Objective, point: Float64Array, i: number): Float64Array {
  const size = Math.max(Math.abs(point[i] as number), 1);
  for (let step = HESSIAN_STEP * size; step > 1e-8 * size; step /= 8) {
    const wide = centralSlope(objective, point, i, step);
    const narrow = centralSlope(objective, point, i, step / 2);
    const slope = narrow.map((value, j) => value + (value - (wide[j] as number)) / 3);
    if (slope.every(Number.isFinite)) return slope;
  }
  throw new RangeError(
    `the gradient must be finite around x, but is not along element ${i} of ${point.join(", ")}`,
  );
}

function centralSlope(objective: Objective, point: Float64Array, i: number, step: number): Float64Array {
  const centre = point[i] as number;
  const above = new Float64Array(point.length);
  const below = new Float64Array(point.length);
  const high = centre + step;
  const low = centre - step;
  const moved = point.slice();
  moved[i] = high;
  const highValue = objective(moved, above);
  moved[i] = low;
  const lowValue = objective(moved, below);
  if (!(Number.isFinite(highValue) && Number.isFinite(lowValue))) return above.fill(Number.NaN);
  return above.map((value, j) => (value - (below[j] as number)) / (high - low));
}

/**
 * Largest difference between the analytic gradient and finite differences of the value, relative to
 * max(|derivative|, max(|value|, 1) / 1000), below which finite differences say little. For tests: 1e-8 is a good
 * gradient, 1e-2 a wrong one.
 * @throws RangeError if x is empty.
 */
export function checkGradient(objective: Objective, x: readonly number[]): number {
  if (x.length === 0) throw new RangeError("x must have at least one element");
  const point = Float64Array.from(x);
  const gradient = new Float64Array(point.length);
  const scratch = new Float64Array(point.length);
  const floor = Math.max(Math.abs(objective(point, gradient)), 1) / 1000;
  let worst = 0;
  for (const [i, centre] of x.entries()) {
    const slope = (step: number): number => {
      const high = centre + step;
      const low = centre - step;
      const moved = point.slice();
      moved[i] = high;
      const above = objective(moved, scratch);
      moved[i] = low;
      return (above - objective(moved, scratch)) / (high - low);
    };
    const step = GRADIENT_STEP * Math.max(Math.abs(centre), 1);
    const [wide, middle, narrow] = [slope(step), slope(step / 2), slope(step / 4)];
    const first = middle + (middle - wide) / 3;
    const second = narrow + (narrow - middle) / 3;
    const numeric = second + (second - first) / 15;
    const analytic = gradient[i] as number;
    const scale = Math.max(Math.abs(analytic), Math.abs(numeric), floor);
    const difference = Math.abs(analytic - numeric) / scale;
    worst = Math.max(worst, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
  }
  return worst;
}
