import { describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.js";
import { hessianOf } from "../../src/numeric/derivatives.js";
import { invertSymmetric } from "../../src/numeric/matrix.js";
import { randomSource } from "../../src/numeric/random.js";
import { drawBinomial } from "../../src/numeric/sampling.js";
import { fitSavedCurve, savedCurveInterval, savedShare, stayRate } from "../../src/strategy/saved-curve.js";

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((total, x) => total + x, 0);

describe("saved curve", () => {
  const truth = { baseRate: 0.8, ceiling: 0.5, k: 0.1 };
  const amounts = [0, 5, 10, 20, 40];
  const exact = amounts.map((amount) => ({
    amount,
    customers: 1_000_000,
    stayed: Math.round(1e6 * stayRate(truth, amount)),
  }));

  it("finds the curve behind exact shares, with errors from the Hessian of its likelihood", () => {
    const fit = fitSavedCurve(exact);
    expect(fit.parameters.baseRate).toBeCloseTo(0.8, 5);
    expect(fit.parameters.ceiling).toBeCloseTo(0.5, 4);
    expect(fit.parameters.k).toBeCloseTo(0.1, 4);
    const logLikelihood = ([baseRate = 0, ceiling = 0, k = 0]: number[]): number =>
      sum(
        exact.map(({ amount, customers, stayed }) => {
          const rate = stayRate({ baseRate, ceiling, k }, amount);
          return stayed * Math.log(rate) + (customers - stayed) * Math.log(1 - rate);
        }),
      );
    const at = Object.values(fit.parameters);
    expect(fit.logLikelihood).toBeCloseTo(logLikelihood(at), 4);
    const objective = (x: Float64Array, gradient: Float64Array): number => {
      for (let i = 0; i < 3; i++) {
        const step = 1e-5;
        const moved = (by: number): number =>
          -logLikelihood([...x].map((value, j) => value + (i === j ? by : 0)));
        gradient[i] = (8 * (moved(step) - moved(-step)) - moved(2 * step) + moved(-2 * step)) / (12 * step);
      }
      return -logLikelihood([...x]);
    };
    const inverse = invertSymmetric(hessianOf(objective, at)) as number[][];
    for (const [i, error] of Object.values(fit.standardErrors).entries())
      expect(error / Math.sqrt(inverse[i]?.[i] as number)).toBeCloseTo(1, 3);
  });

  it("recovers its parameters within their errors and bootstrap limits", () => {
    const random = randomSource(17);
    const arms = exact.map(({ amount }) => ({
      amount,
      customers: 5000,
      stayed: drawBinomial(random, 5000, stayRate(truth, amount)),
    }));
    const fit = fitSavedCurve(arms);
    for (const [name, value] of Object.entries(truth)) {
      const key = name as keyof typeof truth;
      expect(Math.abs(fit.parameters[key] - value)).toBeLessThan(3 * fit.standardErrors[key]);
    }
    expect(fit.identification.weak).toBe(false);
    const interval = savedCurveInterval(fit, arms, { amounts: [0, 10, 40], random, draws: 100 });
    for (const [name, [low, high]] of Object.entries(interval.parameters)) {
      const key = name as keyof typeof truth;
      expect(low).toBeLessThan(fit.parameters[key]);
      expect(high).toBeGreaterThan(fit.parameters[key]);
      // 90% limits are 3.3 standard errors apart.
      expect((high - low) / fit.standardErrors[key]).toBeGreaterThan(2.4);
      expect((high - low) / fit.standardErrors[key]).toBeLessThan(4.4);
    }
    expect(interval.curve[0]).toEqual({ amount: 0, low: 0, high: 0 });
    expect(interval.draws).toBe(100);
    expect(JSON.parse(JSON.stringify(interval))).toEqual(interval);
  });

  it("names the ridge where amounts stay below the bend", () => {
    const straight = [0, 1, 2].map((amount) => ({
      amount,
      customers: 2000,
      stayed: 1600 + 8 * amount,
    }));
    const fit = fitSavedCurve(straight);
    expect(fit.identification.weak).toBe(true);
    expect(fit.identification.ridge).toBe("ceiling alone is not determined");
    expect(fit.identification.undetermined).toEqual(["ceiling"]);
    expect(fit.warnings.join(" ")).toMatch(/weakly identified/);
    // The curve itself is known all the same.
    expect(stayRate(fit.parameters, 2)).toBeCloseTo(0.808, 3);
  });

  it("says so where larger offers keep nobody", () => {
    const harmful = [0, 5, 10].map((amount) => ({ amount, customers: 1000, stayed: 800 - 4 * amount }));
    const fit = fitSavedCurve(harmful);
    expect(stayRate(fit.parameters, 10)).toBeCloseTo(0.78, 6); // all arms together
    expect(fit.identification.undetermined).toEqual(["ceiling", "k"]);
    expect(fit.warnings).toEqual([
      "saved curve: larger offers keep no more customers, so that ceiling and k, and their errors, say nothing",
    ]);
  });

  it("refuses amounts and counts that say nothing", () => {
    expect(() => fitSavedCurve(exact.slice(0, 2))).toThrow(
      new DataError("arms must have at least three different amounts, got 0, 5"),
    );
    expect(() => fitSavedCurve([{ amount: -1, customers: 10, stayed: 1 }])).toThrow(
      new RangeError("amount in row 1 must be a number from 0 up, got -1"),
    );
    expect(() => savedShare({ ceiling: 50, k: 1 }, 1)).toThrow(
      new RangeError("ceiling must be a fraction from 0 to 1, got 50; a percentage must be divided by 100"),
    );
    const random = randomSource(1);
    expect(() =>
      savedCurveInterval({ parameters: truth }, exact, { amounts: [1], random, draws: 5 }),
    ).toThrow(new RangeError("draws must be a whole number from 20 up, got 5"));
    expect(() =>
      savedCurveInterval({ parameters: truth }, exact, { amounts: [1], random, level: 90 }),
    ).toThrow(new RangeError("level must be between 0 and 1, got 90"));
  });
});
