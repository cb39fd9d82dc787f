import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  digamma,
  exponentialIntegral,
  logAddExp,
  logBeta,
  logGamma,
  logGammaRatio,
  logHypergeometric2F1,
  logSubExp,
  normalQuantile,
  regularisedBeta,
  regularisedGamma,
  trigamma,
} from "../../src/numeric/special.js";

const runs = { seed: 7, numRuns: 500 };
/** A number from 10^low to 10^high, evenly spread over the exponents. */
const magnitude = (low: number, high: number) =>
  fc.double({ min: low, max: high, noNaN: true }).map((exponent) => 10 ** exponent);
const share = fc.double({ min: 1e-200, max: 1, noNaN: true, maxExcluded: true });

/** Holds a value to a relative tolerance; `scale` where the value is a difference of larger numbers. */
function expectClose(actual: number, expected: number, relative: number, scale = Math.abs(expected)): void {
  const error = Math.abs(actual - expected);
  if (!(error <= relative * scale))
    throw new Error(`got ${actual}, want ${expected} within ${relative * scale}`);
}

describe("logGamma", () => {
  it("agrees with the values of Abramowitz & Stegun 6.1 and of 25-digit arithmetic", () => {
    expectClose(logGamma(0.5), Math.log(Math.PI) / 2, 2e-16); // 6.1.8
    expectClose(logGamma(1 / 3), 0.9854206469277671, 3e-16); // 6.1.13: Gamma(1/3) = 2.6789385347
    expectClose(logGamma(1e-10), 23.025850929882736, 3e-16);
    expectClose(logGamma(2.5), 0.2846828704729192, 4e-16);
    expectClose(logGamma(7.999), 8.523145786158915, 1e-15, 8.5);
    expectClose(logGamma(1e8), 1742068066.1038346, 3e-16);
  });

  it("is the log of the factorial", () => {
    let logFactorial = 0;
    for (let n = 1; n <= 170; n++) {
      expectClose(logGamma(n), logFactorial, 1e-14);
      logFactorial += Math.log(n);
    }
    expect([logGamma(1), logGamma(2)]).toEqual([0, 0]);
  });

  it("keeps its relative digits at the zeros 1 and 2", () => {
    for (const e of [2 ** -10, -(2 ** -17), 2 ** -30, -(2 ** -40)]) {
      // log Gamma(1 + e) = -gamma e + pi^2/12 e^2 - zeta(3)/3 e^3 + zeta(4)/4 e^4 ...
      const atOne = (k: number) => e * (-0.5772156649015329 + e * (0.8224670334241132 + e * k));
      const cubic = -0.4006856343865314 + e * (0.2705808084277845 - e * 0.20738555102867398);
      expectClose(logGamma(1 + e), atOne(cubic), 1e-15);
      expectClose(logGamma(2 + e), atOne(cubic) + Math.log1p(e), 1e-15);
    }
  });

  it("obeys the recurrence and the duplication formula", () => {
    fc.assert(
      fc.property(magnitude(-8, 8), (x) => {
        const step = logGamma(x + 1) - logGamma(x);
        // x + 1 rounds by up to half a unit, which the slope digamma(x) magnifies
        const rounding = (Math.abs(logGamma(x)) + 1 + (x + 1) * Math.abs(digamma(x + 1))) * 2;
        expectClose(step, Math.log(x), 4e-16, rounding + Math.abs(Math.log(x)));
        const twice = logGamma(x) + logGamma(x + 0.5) + (2 * x - 1) * Math.LN2 - 0.5 * Math.log(Math.PI);
        expectClose(logGamma(2 * x), twice, 2e-15, Math.abs(logGamma(x)) + x + 1);
      }),
      runs,
    );
  });

  it("obeys the reflection formula", () => {
    fc.assert(
      fc.property(share, (x) => {
        fc.pre(x > 0.5);
        const rest = 1 - x; // exact
        expectClose(logGamma(x) + logGamma(rest), Math.log(Math.PI / Math.sin(Math.PI * rest)), 2e-15);
      }),
      runs,
    );
  });

  it("knows its ends", () => {
    expect([0, Number.POSITIVE_INFINITY].map(logGamma)).toEqual([
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
    expect(logGamma(-1)).toBeNaN();
    expect(logGamma(Number.NaN)).toBeNaN();
  });
});

describe("digamma and trigamma", () => {
  it("agree with their closed forms", () => {
    const euler = 0.5772156649015329;
    expectClose(digamma(1), -euler, 3e-16);
    expectClose(digamma(0.5), -euler - 2 * Math.LN2, 3e-16); // A&S 6.3.3
    expectClose(digamma(0.25), -euler - Math.PI / 2 - 3 * Math.LN2, 4e-16);
    expectClose(digamma(10), 2.251752589066721, 3e-16);
    expectClose(digamma(1e6), 13.815510057964191, 3e-16);
    expectClose(digamma(1.4616321449683622), -9.241265521729427e-17, 3e-16, 1); // its root
    expectClose(trigamma(1), Math.PI ** 2 / 6, 5e-16);
    expectClose(trigamma(0.5), Math.PI ** 2 / 2, 5e-16); // A&S 6.4.4
    expectClose(trigamma(0.25), Math.PI ** 2 + 8 * 0.915965594177219, 5e-16); // Catalan's constant
    expectClose(trigamma(1e6), 1.0000005000001667e-6, 5e-16);
  });

  it("obey their recurrences and duplication formulas", () => {
    fc.assert(
      fc.property(magnitude(-6, 8), (x) => {
        expectClose(digamma(x + 1), digamma(x) + 1 / x, 2e-15, 1 + Math.abs(digamma(x)) + 1 / x);
        expectClose(
          digamma(2 * x),
          (digamma(x) + digamma(x + 0.5)) / 2 + Math.LN2,
          2e-15,
          1 + Math.abs(digamma(x)),
        );
        expectClose(trigamma(x), trigamma(x + 1) + 1 / (x * x), 1e-15);
        expectClose(trigamma(2 * x), (trigamma(x) + trigamma(x + 0.5)) / 4, 1e-15);
      }),
      runs,
    );
  });

  it("are the derivatives of logGamma and digamma", () => {
    fc.assert(
      fc.property(magnitude(-2, 4), (x) => {
        const h = x * 1e-3;
        const slope = (f: (x: number) => number) =>
          (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h);
        expectClose(
          slope(logGamma),
          digamma(x),
          1e-11,
          Math.abs(digamma(x)) + 1 / x + Math.abs(logGamma(x)) / x,
        );
        expectClose(slope(digamma), trigamma(x), 1e-10);
      }),
      runs,
    );
  });

  it("give no number below 0", () => {
    expect([digamma(-1), trigamma(-1), digamma(Number.NaN), trigamma(Number.NaN)]).toEqual(
      Array(4).fill(Number.NaN),
    );
    expect([digamma(0), trigamma(0)]).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });
});

describe("logBeta and logGammaRatio", () => {
  it("know whole-number cases exactly", () => {
    expectClose(logBeta(1, 1e9), -Math.log(1e9), 4e-16); // B(1, b) = 1/b
    expectClose(logBeta(2, 1e12), -Math.log(1e12) - Math.log(1e12 + 1), 4e-16);
    expectClose(logBeta(0.5, 0.5), Math.log(Math.PI), 1e-15);
    expectClose(logBeta(5e5, 5e5), -693152.4762292606, 1e-15);
    expectClose(logGammaRatio(1e15, 3), 3 * Math.log(1e15), 4e-16, 103.7);
    expectClose(logGammaRatio(20_000, 1), Math.log(20_000), 4e-16);
    expectClose(logGammaRatio(20_001, -1), -Math.log(20_000), 4e-16);
  });

  it("keep the digits of a tiny step: the slope is digamma", () => {
    fc.assert(
      fc.property(magnitude(-3, 9), magnitude(-14, -9), (x, relative) => {
        fc.pre(Math.abs(digamma(x)) > 0.01);
        const d = x * relative;
        const expected = d * (digamma(x) + (d / 2) * trigamma(x));
        expectClose(logGammaRatio(x, d), expected, 1e-12);
      }),
      runs,
    );
  });

  it("obey the recurrences and chain over wide ranges", () => {
    fc.assert(
      fc.property(magnitude(-4, 8), magnitude(-4, 8), (a, b) => {
        const ab = logBeta(a, b);
        expect(logBeta(b, a)).toBe(ab);
        // a / (a + b) from B(a, b) to B(a + 1, b); adding 1 rounds, which the slope magnifies
        const rounding = 1 + Math.abs(ab) + (a + 1) * Math.abs(digamma(a + 1) - digamma(a + 1 + b));
        expectClose(logBeta(a + 1, b) - ab, -Math.log1p(b / a), 2e-15, rounding);
        expectClose(
          logGammaRatio(a, b),
          logGamma(a + b) - logGamma(a),
          3e-15,
          logGamma(a + b) + Math.abs(logGamma(a)) + 1,
        );
        const middle = logGammaRatio(a, b / 2) + logGammaRatio(a + b / 2, b / 2);
        expectClose(logGammaRatio(a, b), middle, 2e-15, 1 + (a + b) * (1 + Math.abs(Math.log(a + b))));
      }),
      runs,
    );
  });
});

describe("logAddExp and logSubExp", () => {
  it("undo each other and do not overflow", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e4, max: 1e4, noNaN: true }),
        fc.double({ min: 1e-6, max: 30, noNaN: true }),
        (a, gap) => {
          const sum = logAddExp(a, a - gap);
          expect(logAddExp(a - gap, a)).toBe(sum);
          expectClose(logSubExp(sum, a - gap), a, 4e-16, Math.abs(a) + 1);
        },
      ),
      runs,
    );
    expectClose(logAddExp(1000, 1000), 1000 + Math.LN2, 2e-16);
    expectClose(logSubExp(0, -1e-10), Math.log(1e-10) - 5e-11, 2e-16);
    expectClose(logSubExp(0, -50), -Math.exp(-50), 2e-16);
  });

  it("treat -Infinity as the log of 0", () => {
    const zero = Number.NEGATIVE_INFINITY;
    expect([logAddExp(zero, 3), logAddExp(3, zero), logAddExp(zero, zero)]).toEqual([3, 3, zero]);
    expect([logSubExp(3, zero), logSubExp(3, 3), logSubExp(zero, zero)]).toEqual([3, zero, zero]);
    expect(logSubExp(1, 2)).toBeNaN();
  });
});

describe("regularisedBeta", () => {
  it("is the binomial tail for whole numbers", () => {
    // I_x(k, n - k + 1) = P(Binomial(n, x) >= k), DLMF 8.17.5: 1 - .7^5 and .3^5 and by hand between
    expectClose(regularisedBeta(0.3, 1, 5), 1 - 0.7 ** 5, 1e-15);
    expectClose(regularisedBeta(0.3, 5, 1), 0.3 ** 5, 1e-15);
    expectClose(regularisedBeta(0.3, 2, 4), 1 - 0.7 ** 5 - 5 * 0.3 * 0.7 ** 4, 1e-15);
    expectClose(regularisedBeta(0.5, 1234.5, 1234.5), 0.5, 1e-14);
    expectClose(regularisedBeta(0.25, 0.5, 0.5), 1 / 3, 1e-15); // arcsine law
  });

  it("agrees with 50-digit arithmetic", () => {
    expectClose(regularisedBeta(0.095, 1000, 10_000), 0.9308098188297486, 1e-13);
    expectClose(
      regularisedBeta(0.999999999999, 2.167243261296383, 0.045943963491937426),
      0.7047435731916391,
      1e-14,
    );
  });

  it("is symmetric, rises in x and obeys its recurrence", () => {
    fc.assert(
      fc.property(share, magnitude(-2, 4), magnitude(-2, 4), (x, a, b) => {
        const y = 1 - x;
        fc.pre(1 - y === x);
        const value = regularisedBeta(x, a, b);
        expectClose(value + regularisedBeta(y, b, a), 1, 1e-13);
        const drop = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - Math.log(a) - logBeta(a, b)); // DLMF 8.17.20
        expectClose(value - regularisedBeta(x, a + 1, b), drop, 1e-12, 1e-2 * value + drop);
        expect(regularisedBeta(x * 0.999, a, b)).toBeLessThanOrEqual(value);
      }),
      runs,
    );
  });

  it("knows its ends and refuses others", () => {
    expect([regularisedBeta(0, 2, 3), regularisedBeta(1, 2, 3)]).toEqual([0, 1]);
    expect(() => regularisedBeta(1.1, 2, 3)).toThrow(new RangeError("x must be between 0 and 1, got 1.1"));
    expect(() => regularisedBeta(0.5, 0, 3)).toThrow(new RangeError("a must be a number above 0, got 0"));
    expect(() => regularisedBeta(0.5, 1, Number.NaN)).toThrow(
      new RangeError("b must be a number above 0, got NaN"),
    );
  });
});

describe("regularisedGamma", () => {
  it("agrees with closed forms", () => {
    expectClose(regularisedGamma(1, 0.3), -Math.expm1(-0.3), 1e-15);
    expectClose(regularisedGamma(3, 5), 1 - Math.exp(-5) * (1 + 5 + 12.5), 1e-15);
    expectClose(regularisedGamma(0.5, 0.5), 0.6826894921370859, 1e-15); // the normal's share within one sigma
    expectClose(regularisedGamma(0.5, 2), 0.9544997361036416, 1e-15); // two sigma
    expectClose(regularisedGamma(10_000, 10_000), 0.5013298083399552, 1e-13);
  });

  it("rises in x and obeys its recurrence", () => {
    fc.assert(
      fc.property(magnitude(-2, 4), fc.double({ min: 0.2, max: 3, noNaN: true }), (a, ratio) => {
        const x = a * ratio;
        const value = regularisedGamma(a, x);
        const drop = Math.exp(a * Math.log(x) - x - logGamma(a + 1)); // DLMF 8.8.5
        const rounding = 1e-14 * value + 4e-15 * (a + x) * drop * Math.log(a + 3);
        expectClose(value - regularisedGamma(a + 1, x), drop, 1, 1e-13 * drop + rounding);
        expect(regularisedGamma(a, x * 0.999)).toBeLessThanOrEqual(value);
      }),
      runs,
    );
  });

  it("knows its ends and refuses others", () => {
    expect([regularisedGamma(2, 0), regularisedGamma(2, Number.POSITIVE_INFINITY)]).toEqual([0, 1]);
    expect(() => regularisedGamma(-1, 1)).toThrow(new RangeError("a must be a number above 0, got -1"));
    expect(() => regularisedGamma(1, -1)).toThrow(new RangeError("x must be from 0 up, got -1"));
  });
});

describe("logHypergeometric2F1", () => {
  const nearOne = fc.oneof(
    share,
    magnitude(-9, -1).map((rest) => 1 - rest),
  );

  it("agrees with its elementary cases over all z", () => {
    fc.assert(
      fc.property(nearOne, magnitude(-2, 4), magnitude(-2, 4), (z, a, b) => {
        const log = Math.log(-Math.log1p(-z) / z);
        expectClose(logHypergeometric2F1(1, 1, 2, z), log, 1e-12, log + 1e-3); // DLMF 15.4.1
        const root = Math.sqrt(z);
        fc.pre(root < 1);
        const atanh = Math.log(Math.atanh(root) / root);
        expectClose(
          logHypergeometric2F1(0.5, 1, 1.5, root * root),
          atanh,
          1e-12,
          Math.abs(atanh) + 1e-3 / (1 - root),
        ); // 15.4.2
        expectClose(logHypergeometric2F1(a, b, b, z), -a * Math.log1p(-z), 1e-14); // 15.4.6
        // 15.4.18 with 2a = 1 + d: F(a, a + 1/2; 2a; z) = (1 - z)^(-1/2) ((1 + sqrt(1 - z)) / 2)^(1 - 2a)
        const w = Math.sqrt(1 - z);
        const sizes = [-0.5 * Math.log1p(-z), (1 - 2 * a) * Math.log1p((w - 1) / 2)];
        const expected = (sizes[0] as number) + (sizes[1] as number);
        expectClose(logHypergeometric2F1(a, a + 0.5, 2 * a, z), expected, 1e-12, Math.abs(expected) + 1);
      }),
      runs,
    );
  });

  it("keeps the relative digits of a small value", () => {
    fc.assert(
      fc.property(magnitude(-200, -6), magnitude(-2, 2), magnitude(-2, 2), (z, a, b) => {
        const c = a + b;
        const first = ((a * b) / c) * z;
        const second = ((((first * (a + 1)) / (c + 1)) * (b + 1)) / 2) * z;
        const third = ((((second * (a + 2)) / (c + 2)) * (b + 2)) / 3) * z;
        expectClose(logHypergeometric2F1(a, b, c, z), Math.log1p(first + second + third), 1e-14);
      }),
      runs,
    );
  });

  it("obeys Euler's transformation", () => {
    fc.assert(
      fc.property(nearOne, magnitude(-2, 4), magnitude(-2, 4), magnitude(-2, 4), (z, a, b, more) => {
        const c = Math.max(a, b) + more; // so that c - a and c - b are above 0
        const left = logHypergeometric2F1(a, b, c, z);
        const power = (c - a - b) * Math.log1p(-z);
        const right = logHypergeometric2F1(c - a, c - b, c, z);
        expectClose(left, power + right, 1e-12, left + Math.abs(power) + right + 1);
        expect(logHypergeometric2F1(b, a, c, z)).toBe(left);
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  it("obeys the recurrence in c, also where c is below a and b", () => {
    fc.assert(
      fc.property(nearOne, magnitude(0, 3), magnitude(0, 3), magnitude(-1, 3), (z, a, b, c) => {
        fc.pre(z > 0.01 && c + 1 < a + b);
        const [low, middle, high] = [c, c + 1, c + 2].map((k) => logHypergeometric2F1(a, b, k, z)) as [
          number,
          number,
          number,
        ];
        const d = c + 1; // DLMF 15.5.18 at d
        const own = d * ((d - 1) * (1 - z) + (a + b - d) * z);
        const other = (d - a) * (d - b) * z * Math.exp(high - middle);
        const expected = d * (d - 1) * (1 - z) * Math.exp(low - middle);
        expectClose(own + other, expected, 1e-11, (Math.abs(own) + Math.abs(other)) * (1 + low * 0.01));
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  it("agrees with 50-digit arithmetic where others overflow or lose digits", () => {
    expectClose(logHypergeometric2F1(20000, 2.5, 20001, 0.5), 1.7327429717067144, 1e-13);
    expectClose(logHypergeometric2F1(20000.2, 1.6, 20001.2, 0.999), 10.978690994593697, 1e-13);
    expectClose(logHypergeometric2F1(0.05, 20000, 3, 0.99), 92058.35738864838, 1e-13);
    expectClose(logHypergeometric2F1(1500.2, 1502.4, 1503.2, 0.99), 6904.993760001348, 1e-13);
    expectClose(logHypergeometric2F1(5.2, 7.4, 3.1, 0.99999), 111.02544465923657, 1e-13);
    expectClose(logHypergeometric2F1(0.3, 0.2, 0.6, 0.999999), 0.6119080477314451, 1e-13);
  });

  it("refuses what is outside its domain", () => {
    expect(logHypergeometric2F1(3, 2, 1, 0)).toBe(0);
    expect(() => logHypergeometric2F1(1, 1, 1, 1)).toThrow(
      new RangeError("z must be from 0 to below 1, got 1"),
    );
    expect(() => logHypergeometric2F1(1, 1, 0, 0.5)).toThrow(
      new RangeError("c must be a number above 0, got 0"),
    );
    expect(() => logHypergeometric2F1(1, 1, 2, -0.5)).toThrow(RangeError);
  });
});

describe("exponentialIntegral", () => {
  it("agrees with the tables of Abramowitz & Stegun 5.1", () => {
    expect(exponentialIntegral(1, 1) / Math.E).toBeCloseTo(0.219383934, 9); // E_1(1)
    expect(10 * exponentialIntegral(1, 10)).toBeCloseTo(0.915633339, 9); // x e^x E_1(x)
  });

  it.each([
    // mpmath 1.3 with 120 digits: exp(z) * gammainc(1 - n, z) * z**(n - 1); the integral itself for n or z above 1000
    [1e-6, 1e-12, 999972946561.3223],
    [0.001, 0.5, 1.9981553595335002],
    [0.5, 1e-6, 1770.4556220269194],
    [1, 1e-12, 27.05380545105507],
    [1, 1.5, 0.448256669291583],
    [1 + 2 ** -40, 1e-3, 6.337874070306498],
    [2, 1.4999, 0.3276270607188115],
    [2.5, 0.75, 0.3837545839455444],
    [2.9999999, 1e-8, 0.5000000200000013],
    [7.5, 1, 0.13078027427397723],
    [1.3, 1.51, 0.4031473892230243],
    [30, 0.2, 0.034238263763405156],
    [12.25, 20, 0.03136342770810246],
    [0.606, 2.0592, 0.397322187619713],
    [99999.5, 1e-3, 1.0000149902246034e-5],
    [1e5, 1e6, 9.090909842222712e-7],
    [0.25, 1e6, 9.999997500003125e-7],
  ])("agrees with 120-digit arithmetic at n = %d, z = %d", (n, z, expected) => {
    expectClose(exponentialIntegral(n, z), expected, 5e-15);
  });

  it("obeys its recurrence, and its bounds, over the whole range", () => {
    fc.assert(
      fc.property(magnitude(-6, 5), magnitude(-12, 6), (n, z) => {
        const value = exponentialIntegral(n, z);
        fc.pre(n + 1 - n === 1 && n > 1e-3);
        expectClose(n * exponentialIntegral(n + 1, z) + z * value, 1, 2e-14); // DLMF 8.19.12
        expect(value).toBeGreaterThan((1 / (z + n)) * (1 - 1e-14)); // DLMF 8.19.21
        if (n > 1) expect(value).toBeLessThan((1 / (z + n - 1)) * (1 + 1e-14));
      }),
      { seed: 7, numRuns: 3000 },
    );
  });

  it("runs smoothly through whole n, where the terms of the series have poles", () => {
    for (const z of [1e-9, 1e-3, 0.3, 1.5]) {
      for (const n of [1, 2, 3, 10]) {
        const gaps = [-1e-5, -1e-9, -1e-13, 0, 1e-13, 1e-9, 1e-5].map((d) => exponentialIntegral(n + d, z));
        for (let k = 1; k < gaps.length; k++) expect(gaps[k]).toBeLessThanOrEqual(gaps[k - 1] ?? 0);
        const [wideLeft = 0, , , at = 0, , , wideRight = 0] = gaps;
        expectClose(at, (wideLeft + wideRight) / 2, 1e-7);
      }
    }
  });

  it("has the derivative of an exponential integral", () => {
    fc.assert(
      fc.property(magnitude(0.1, 3), magnitude(-3, 4), (n, z) => {
        const h = z * 1e-3;
        const at = (k: number) => exponentialIntegral(n, z + k * h);
        const slope = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h);
        const [value, before] = [exponentialIntegral(n, z), exponentialIntegral(n - 1, z)];
        expectClose(slope, value - before, 1e-10, before + value / z); // DLMF 8.19.13
      }),
      runs,
    );
  });

  it("refuses what is outside its domain", () => {
    expect(() => exponentialIntegral(0, 1)).toThrow(new RangeError("n must be a number above 0, got 0"));
    expect(() => exponentialIntegral(1, 0)).toThrow(new RangeError("z must be a number above 0, got 0"));
    expect(() => exponentialIntegral(1, Number.NaN)).toThrow("z must be a number above 0, got NaN");
  });
});

describe("normalQuantile", () => {
  it.each([
    // mpmath 1.3 with 120 digits: sqrt(2) * erfinv(2 p - 1), and the root of log(erfc(-x / sqrt(2)) / 2) = log p
    [0.3, -0.5244005127080408],
    [0.975, 1.9599639845400538],
    [0.9999, 3.7190164854557084],
    [0.075, -1.439531470938456],
    [0.0749, -1.4402382675279637],
    [1e-5, -4.264890793922825],
    [1e-11, -6.706023155495136],
    [1.3e-11, -6.667611456510741],
    [1e-100, -21.273453560965326],
    [1e-300, -37.0470962993612],
  ])("agrees with 120-digit arithmetic at %d", (p, expected) => {
    expectClose(normalQuantile(p), expected, 1e-15);
  });

  it("is odd around the median, and undoes the distribution function", () => {
    fc.assert(
      fc.property(magnitude(-15, -0.31), (p) => {
        const rest = 1 - p;
        const x = normalQuantile(1 - rest);
        expect(normalQuantile(rest)).toBe(-x);
        expectClose((1 - regularisedGamma(0.5, (x * x) / 2)) / 2, 1 - rest, 1e-12, 1 - rest + 1e-4);
      }),
      runs,
    );
  });

  it("knows its ends and refuses others", () => {
    expect([normalQuantile(0), normalQuantile(0.5), normalQuantile(1)]).toEqual([
      Number.NEGATIVE_INFINITY,
      0,
      Number.POSITIVE_INFINITY,
    ]);
    expect(() => normalQuantile(1.1)).toThrow(new RangeError("p must be between 0 and 1, got 1.1"));
    expect(() => normalQuantile(Number.NaN)).toThrow(RangeError);
  });
});
