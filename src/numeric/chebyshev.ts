/**
 * Interpolates a smooth function on [low, high] at n Chebyshev points: for an analytic function the error falls
 * geometrically with n. The function is called n times, the result as often as one likes.
 * @throws RangeError if low is not below high, or n is not a whole number of 2 or more.
 * @see Berrut & Trefethen (2004), Barycentric Lagrange Interpolation, SIAM Review 46(3), eq. 4.2 and 5.4.
 */
export function chebyshevInterpolant(
  f: (at: number) => number,
  { low, high, n }: { readonly low: number; readonly high: number; readonly n: number },
): (at: number) => number {
  if (!(low < high && Number.isFinite(high - low))) {
    throw new RangeError(`low must be below high, got ${low} and ${high}`);
  }
  if (!(Number.isInteger(n) && n >= 2))
    throw new RangeError(`n must be a whole number of 2 or more, got ${n}`);
  const middle = (low + high) / 2;
  const half = (high - low) / 2;
  const points = Float64Array.from(
    { length: n },
    (_, i) => middle - half * Math.cos((Math.PI * i) / (n - 1)),
  );
  points[0] = low;
  points[n - 1] = high;
  const values = points.map(f);
  return (at) => {
    let top = 0;
    let bottom = 0;
    for (let i = 0; i < n; i++) {
      const distance = at - (points[i] as number);
      if (distance === 0) return values[i] as number;
      const end = i === 0 || i === n - 1 ? 2 : 1;
      const weight = (i % 2 === 0 ? 1 : -1) / (end * distance);
      top += weight * (values[i] as number);
      bottom += weight;
    }
    return top / bottom;
  };
}
