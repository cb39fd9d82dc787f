import { regularisedBeta, regularisedGamma } from "./special.js";
/**
 * Quantile by linear interpolation between order statistics, h = (n - 1) p (type 7, the default of R and NumPy).
 * `sorted` ascends and holds at least one value; `p` is a fraction in [0, 1].
 * @throws RangeError if p is outside [0, 1] or there are no values.
 * @see Hyndman & Fan (1996), Sample Quantiles in Statistical Packages, The American Statistician 50(4).
 */
export function quantileType7(sorted: ArrayLike<number>, p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`p must be between 0 and 1, got ${p}`);
  if (sorted.length === 0) throw new RangeError("sorted must hold at least one value, got none");
  const position = (sorted.length - 1) * p;
  const below = Math.floor(position);
  const rest = position - below;
  const low = sorted[below] ?? 0;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? 0;
  return rest === 0 ? low : (1 - rest) * low + rest * high;
}

/** The same of values in any order. */
export const quantileOf = (values: ArrayLike<number>, p: number): number =>
  quantileType7(Float64Array.from(values).sort(), p);

/** A sum without rounding drift: the error of every addition is carried along (Neumaier 1974). */
export class ExactSum {
  #sum = 0;
  #lost = 0;

  add(value: number): void {
    const next = this.#sum + value;
    this.#lost +=
      Math.abs(this.#sum) >= Math.abs(value) ? this.#sum - next + value : value - next + this.#sum;
    this.#sum = next;
  }

  get total(): number {
    return this.#sum + this.#lost;
  }
}

/** Sum of all values, free of rounding drift. */
export function total(values: Iterable<number>): number {
  const sum = new ExactSum();
  for (const value of values) sum.add(value);
  return sum.total;
}

/**
 * Quantile of the Gamma distribution with rate 1, to rounding.
 * @throws RangeError as `regularisedGamma`.
 */
export function gammaQuantile(p: number, shape: number): number {
  let high = shape + 1;
  while (regularisedGamma(shape, high) < p) high *= 2;
  return bisected((x) => regularisedGamma(shape, x) < p, high);
}

/**
 * Quantile of the Beta(a, b) distribution, to rounding.
 * @throws RangeError as `regularisedBeta`.
 */
export const betaQuantile = (p: number, a: number, b: number): number =>
  bisected((x) => regularisedBeta(x, a, b) < p, 1);

/** Where a condition that holds from 0 on ceases to hold, by halving the interval up to `high`. */
function bisected(below: (x: number) => boolean, high: number): number {
  let [from, to] = [0, high];
  for (;;) {
    const middle = (from + to) / 2;
    if (middle === from || middle === to || to - from < 1e-14 * to) return middle;
    if (below(middle)) from = middle;
    else to = middle;
  }
}
