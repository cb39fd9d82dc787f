import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gaussLegendre } from "../../src/numeric/quadrature.js";

/** Integral over [-1, 1] by the rule of n nodes. */
function integral(n: number, f: (x: number) => number): number {
  const { nodes, weights } = gaussLegendre(n);
  return nodes.reduce((sum, x, i) => sum + (weights[i] ?? Number.NaN) * f(x), 0);
}

describe("gaussLegendre", () => {
  it("agrees with Abramowitz & Stegun table 25.4", () => {
    expect([...gaussLegendre(1).nodes, ...gaussLegendre(1).weights]).toEqual([0, 2]);
    expect(gaussLegendre(2).nodes[1]).toBeCloseTo(Math.sqrt(1 / 3), 15);
    expect(gaussLegendre(3).weights[1]).toBeCloseTo(8 / 9, 15);
    expect(gaussLegendre(5).nodes[4]).toBeCloseTo(0.906179845938664, 15);
    expect(gaussLegendre(5).weights[4]).toBeCloseTo(0.236926885056189, 14);
    expect(gaussLegendre(96).nodes[95]).toBeCloseTo(0.999689503883231, 14);
    expect(gaussLegendre(96).weights[95]).toBeCloseTo(0.000796792065552, 14);
  });

  it("is exact for polynomials up to degree 2n - 1, and not beyond", () => {
    for (const n of [1, 2, 3, 4, 7, 8, 16, 20, 33]) {
      for (let degree = 0; degree < 2 * n; degree++) {
        const exact = degree % 2 === 0 ? 2 / (degree + 1) : 0;
        expect(Math.abs(integral(n, (x) => x ** degree) - exact)).toBeLessThan(1e-15);
      }
      // DLMF 3.5.19 with x^(2n): the error is (n!)^4 2^(2n+1) / ((2n+1) (2n)!^2)
      let error = 2 / (2 * n + 1);
      for (let k = 1; k <= n; k++) error *= ((2 * k) / (n + k)) ** 2 * (k / (2 * k)) ** 2 * 1;
      if (error > 1e-12) {
        expect((2 / (2 * n + 1) - integral(n, (x) => x ** (2 * n))) / error).toBeCloseTo(2 ** (2 * n), 1);
      }
    }
  });

  it("integrates random polynomials exactly", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 }),
        (coefficients) => {
          const exact = coefficients.reduce((sum, c, k) => sum + (k % 2 === 0 ? (2 * c) / (k + 1) : 0), 0);
          const value = integral(20, (x) => coefficients.reduceRight((sum, c) => sum * x + c, 0));
          expect(Math.abs(value - exact)).toBeLessThan(5e-15);
        },
      ),
      { seed: 7, numRuns: 200 },
    );
  });

  it("has ascending symmetric nodes and positive weights of sum 2, up to 1000", () => {
    for (const n of [10, 101, 1000]) {
      const { nodes, weights } = gaussLegendre(n);
      for (let i = 0; i < n; i++) {
        expect((nodes[i] ?? Number.NaN) + (nodes[n - 1 - i] ?? Number.NaN)).toBe(0);
        expect(nodes[i]).toBeGreaterThan(nodes[i - 1] ?? -1);
        expect(weights[i]).toBeGreaterThan(0);
      }
      expect(weights.reduce((sum, w) => sum + w, 0)).toBeCloseTo(2, 13);
      expect(integral(n, Math.exp)).toBeCloseTo(Math.E - 1 / Math.E, 13);
    }
  });

  it("is computed once and refuses other sizes", () => {
    expect(gaussLegendre(16)).toBe(gaussLegendre(16));
    for (const n of [0, 1.5, 1001]) {
      expect(() => gaussLegendre(n)).toThrow(
        new RangeError(`n must be a whole number from 1 to 1000, got ${n}`),
      );
    }
  });
});
