import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chebyshevInterpolant } from "../../src/numeric/chebyshev.js";

describe("chebyshevInterpolant", () => {
  it("gives back polynomials of a degree below n", () => {
    const at = chebyshevInterpolant((x) => 3 * x ** 4 - x + 7, { low: -1, high: 3, n: 5 });
    for (const x of [-1, -0.3, 0.5, 2.9, 3]) expect(at(x)).toBeCloseTo(3 * x ** 4 - x + 7, 11);
  });

  it("converges geometrically for an analytic function", () => {
    // Trefethen (2013), Approximation Theory, theorem 8.2: the error of 1 / (1 + x) on [0, 2] falls by 2 + sqrt(3) a point.
    const worst = (n: number): number => {
      const at = chebyshevInterpolant((x) => 1 / (1 + x), { low: 0, high: 2, n });
      const grid = Array.from({ length: 401 }, (_, i) => i / 200);
      return Math.max(...grid.map((x) => Math.abs(at(x) - 1 / (1 + x))));
    };
    expect((Math.log(worst(8)) - Math.log(worst(16))) / 8).toBeCloseTo(Math.log(2 + Math.sqrt(3)), 1);
    expect(worst(28)).toBeLessThan(1e-14);
  });

  it("agrees with the function at its points, which include both ends", () => {
    fc.assert(
      fc.property(fc.double({ min: -5, max: 5, noNaN: true }), (low) => {
        const at = chebyshevInterpolant(Math.exp, { low, high: low + 2, n: 9 });
        expect(at(low)).toBe(Math.exp(low));
        expect(at(low + 2)).toBe(Math.exp(low + 2));
      }),
      { seed: 3, numRuns: 50 },
    );
  });

  it("names what is wrong", () => {
    expect(() => chebyshevInterpolant(Math.exp, { low: 2, high: 2, n: 5 })).toThrow(
      "low must be below high, got 2 and 2",
    );
    expect(() => chebyshevInterpolant(Math.exp, { low: 0, high: 2, n: 1 })).toThrow(
      "n must be a whole number of 2 or more, got 1",
    );
  });
});
