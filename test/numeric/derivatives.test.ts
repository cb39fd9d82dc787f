import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkGradient, hessianOf } from "../../src/numeric/derivatives.js";
import type { Objective } from "../../src/numeric/minimise.js";

/** f = exp(x0 x1) + log(x1) x2^2, with its gradient. */
const mixed: Objective = (x, gradient) => {
  const [a = 0, b = 0, c = 0] = x;
  const e = Math.exp(a * b);
  gradient.set([b * e, a * e + (c * c) / b, 2 * c * Math.log(b)]);
  return e + Math.log(b) * c * c;
};

function mixedHessian(a: number, b: number, c: number): number[][] {
  const e = Math.exp(a * b);
  const cross = e * (1 + a * b);
  return [
    [b * b * e, cross, 0],
    [cross, a * a * e - (c * c) / (b * b), (2 * c) / b],
    [0, (2 * c) / b, 2 * Math.log(b)],
  ];
}

const unit = fc.double({ min: 0.5, max: 2, noNaN: true });

describe("hessianOf", () => {
  it("finds known second derivatives", () => {
    fc.assert(
      fc.property(unit, unit, unit, (a, b, c) => {
        const hessian = hessianOf(mixed, [a, b, c]);
        const scale = Math.exp(a * b) * 5;
        for (const [i, row] of mixedHessian(a, b, c).entries()) {
          for (const [j, exact] of row.entries()) {
            expect(Math.abs((hessian[i]?.[j] ?? Number.NaN) - exact)).toBeLessThan(2e-11 * scale);
            expect(hessian[j]?.[i]).toBe(hessian[i]?.[j]);
          }
        }
      }),
      { seed: 7, numRuns: 100 },
    );
  });

  it("is exact for a quadratic, at large coordinates too", () => {
    const quadratic: Objective = (x, gradient) => {
      const [a = 0, b = 0] = x;
      gradient.set([6 * a + 2 * b, 2 * a + 8 * b]);
      return 3 * a * a + 2 * a * b + 4 * b * b;
    };
    const hessian = hessianOf(quadratic, Float64Array.of(1e6, -3));
    expect(hessian.flat().map((value, k) => Math.abs(value - ([6, 2, 2, 8][k] ?? 0)) < 1e-6)).toEqual(
      Array(4).fill(true),
    );
  });

  it("steps less far beside a wall and says where there is no room", () => {
    const walled: Objective = (x, gradient) => {
      const a = x[0] ?? 0;
      gradient[0] = 1 / a;
      return a > 1 - 1e-5 ? Math.log(a) : Number.POSITIVE_INFINITY;
    };
    expect(hessianOf(walled, [1])[0]?.[0]).toBeCloseTo(-1, 8);
    expect(() => hessianOf(walled, [1 - 1e-5])).toThrow("the gradient must be finite around x");
  });
});

describe("checkGradient", () => {
  it("passes a right gradient and catches a wrong one", () => {
    const wrong: Objective = (x, gradient) => {
      const value = mixed(x, gradient);
      gradient[1] = (gradient[1] ?? 0) * 1.001;
      return value;
    };
    const missing: Objective = (x, gradient) => {
      const value = mixed(x, gradient);
      gradient[0] = Number.NaN;
      return value;
    };
    expect(checkGradient(mixed, [0.7, 1.3, 2])).toBeLessThan(1e-10);
    expect(checkGradient(wrong, [0.7, 1.3, 2])).toBeCloseTo(0.001, 5);
    expect(checkGradient(missing, [0.7, 1.3, 2])).toBe(Number.POSITIVE_INFINITY);
    expect(() => checkGradient(mixed, [])).toThrow(new RangeError("x must have at least one element"));
  });
});
