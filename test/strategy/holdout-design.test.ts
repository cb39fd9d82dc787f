import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomSource } from "../../src/numeric/random.js";
import { drawBinomial, drawNormal } from "../../src/numeric/sampling.js";
import {
  holdoutProfit,
  holdoutSize,
  minimumDetectableEffect,
  proportionPower,
  proportionSampleSize,
  testAndRoll,
} from "../../src/strategy/holdout-design.js";

describe("sample size of two proportions", () => {
  it("is that of published examples", () => {
    // R's help page of power.prop.test: power 0.740 for n = 50, n = 76.7 for power .90.
    expect(proportionPower({ control: 0.5, treated: 0.75 }, { control: 50, treated: 50 })).toBeCloseTo(
      0.74,
      3,
    );
    expect(proportionSampleSize({ control: 0.5, treated: 0.75 }, { power: 0.9 })).toEqual({
      control: 77,
      treated: 77,
    });
    // Fleiss (1981), Statistical Methods for Rates and Proportions, 2nd ed., section 3.2: 827 in each group.
    const test = { alpha: 0.01, power: 0.95, method: "continuity" } as const;
    expect(proportionSampleSize({ control: 0.6, treated: 0.7 }, test)).toEqual({
      control: 827,
      treated: 827,
    });
    // Cohen (1988), exercise 6.1, as printed by R's pwr: h = .3, n = 80, one-sided: power 0.5996777.
    const half = Math.PI / 4;
    const shares = { control: Math.sin(half) ** 2, treated: Math.sin(half + 0.15) ** 2 };
    const arcsine = { method: "arcsine", sides: 1 } as const;
    expect(proportionPower(shares, { control: 80, treated: 80 }, arcsine)).toBeCloseTo(0.5996777, 7);
    // Cohen (1988), exercise 6.3, likewise: n = 80 and 245: power 0.7532924.
    expect(proportionPower(shares, { control: 80, treated: 245 }, arcsine)).toBeCloseTo(0.7532924, 7);
  });

  it("is the smallest that has the power, for every method and allocation", () => {
    const share = fc.double({ min: 0.02, max: 0.98, noNaN: true });
    fc.assert(
      fc.property(
        share,
        share,
        fc.constantFrom("normal", "continuity", "arcsine"),
        fc.constantFrom(0.25, 1, 4),
        fc.constantFrom(1, 2),
        (control, treated, method, ratio, sides) => {
          fc.pre(Math.abs(control - treated) > 0.01);
          const test = { method, sides, alpha: 0.05 } as const;
          const size = proportionSampleSize({ control, treated }, { ...test, ratio, power: 0.8 });
          const powerAt = (n: number): number =>
            proportionPower({ control, treated }, { control: n, treated: n * ratio }, test);
          expect(powerAt(size.control)).toBeGreaterThanOrEqual(0.8 - 1e-9);
          if (size.control > 1) expect(powerAt(size.control - 1)).toBeLessThan(0.8 + 1e-9);
          expect(size.treated).toBeGreaterThanOrEqual(size.control * ratio - ratio - 1);
        },
      ),
      { seed: 9, numRuns: 300 },
    );
  });

  it("is right in simulation", () => {
    const rates = { control: 0.8, treated: 0.85 };
    const size = proportionSampleSize(rates, { ratio: 2, power: 0.8 });
    const random = randomSource(12);
    const runs = 4000;
    let seen = 0;
    for (let run = 0; run < runs; run++) {
      const a = drawBinomial(random, size.control, rates.control);
      const b = drawBinomial(random, size.treated, rates.treated);
      const pooled = (a + b) / (size.control + size.treated);
      const error = Math.sqrt(pooled * (1 - pooled) * (1 / size.control + 1 / size.treated));
      seen += Number((b / size.treated - a / size.control) / error > 1.959964);
    }
    expect(Math.abs(seen / runs - 0.8)).toBeLessThan(3 * Math.sqrt(0.16 / runs) + 0.005); // and the approximation
  });

  it("inverts into the smallest effect that is seen", () => {
    for (const method of ["normal", "continuity", "arcsine"] as const) {
      const sizes = { control: 400, treated: 1200 };
      const effect = minimumDetectableEffect(0.8, sizes, { method, power: 0.9 });
      expect(proportionPower({ control: 0.8, treated: 0.8 + effect }, sizes, { method })).toBeCloseTo(0.9, 9);
    }
  });

  it("refuses what it cannot answer", () => {
    expect(() => proportionSampleSize({ control: 80, treated: 0.9 })).toThrow(
      new RangeError(
        "control must be a fraction strictly between 0 and 1, got 80; a percentage must be divided by 100",
      ),
    );
    expect(() => proportionSampleSize({ control: 0.8, treated: 0.8 })).toThrow(
      new RangeError("rates must differ, got 0.8 and 0.8"),
    );
    expect(() => proportionSampleSize({ control: 0.8, treated: 0.9 }, { ratio: 0 })).toThrow(
      new RangeError("ratio must be above 0, got 0"),
    );
    expect(() => proportionPower({ control: 0.8, treated: 0.9 }, { control: 0, treated: 9 })).toThrow(
      new RangeError("control must be above 0 customers, got 0"),
    );
    expect(() => minimumDetectableEffect(0.9, { control: 10, treated: 10 })).toThrow(
      /^sizes 10 and 10 are too small: even a rise from 0.9 to 1 is seen with a power of 0\.\d\d only, not 0.8$/,
    );
  });
});

const website = { mean: 0.68, sd: 0.03, responseSd: Math.sqrt(0.68 * 0.32) };

describe("profit-maximising test", () => {
  it("is that of the published website example", () => {
    // Feit & Berman (2019), Test & Roll: N = 100,000, mu .68, sigma .03: 2,284 in each group.
    const plan = testAndRoll(100_000, website, website);
    expect(plan.control).toBeCloseTo(2284, 0);
    expect(plan.treated).toBe(plan.control);
    expect(plan.profitWithoutTest).toBeCloseTo(68_000, 6);
    // Better of two normal means: mu + sigma / sqrt(pi).
    expect(plan.profitIfKnown).toBeCloseTo(100_000 * (0.68 + 0.03 / Math.sqrt(Math.PI)), 6);
  });

  it("finds the closed form by search, also as a prior on the difference", () => {
    const closed = testAndRoll(100_000, website, website);
    const searched = testAndRoll(100_000, website, { ...website, sd: 0.03 * (1 + 1e-12) });
    expect(searched.control / closed.control).toBeCloseTo(1, 5);
    expect(searched.profit).toBeCloseTo(closed.profit, 4);
    const holdout = holdoutSize(100_000, { mean: 0, sd: 0.03 * Math.SQRT2, responseSd: website.responseSd });
    expect(holdout.control / closed.control).toBeCloseTo(1, 5);
    expect(holdout.treated / closed.treated).toBeCloseTo(1, 5);
    expect(holdout.profit).toBeCloseTo(closed.profit - 68_000, 4);
  });

  it("keeps a small holdout where the offer is believed to pay: the catalogue example", () => {
    // Feit & Berman (2019), catalogue holdout tests: priors of 19.39 and 30.06 - 0.80 for the cost of the catalogue.
    const control = { mean: 19.39, sd: 20.97, responseSd: 87.69 };
    const plan = testAndRoll(100_000, control, { mean: 29.26, sd: 13.48, responseSd: 179.36 });
    expect(plan.control).toBeGreaterThan(500);
    expect(plan.control).toBeLessThan(plan.treated / 3);
  });

  it("cannot be improved by other sizes", () => {
    const uplift = { mean: 1, sd: 2, responseSd: 40 };
    const plan = holdoutSize(50_000, uplift);
    expect(holdoutProfit(50_000, uplift, plan)).toBeCloseTo(plan.profit, 6);
    for (const a of [0.5, 0.9, 0.99, 1.01, 1.1, 2])
      for (const b of [0.5, 0.9, 0.99, 1.01, 1.1, 2]) {
        const sizes = { control: a * plan.control, treated: b * plan.treated };
        expect(holdoutProfit(50_000, uplift, sizes)).toBeLessThan(plan.profit);
      }
    expect(plan.profit).toBeLessThan(plan.profitIfKnown);
    expect(plan.profit).toBeGreaterThan(plan.profitWithoutTest);
  });

  it("earns in simulation what it promises", () => {
    const uplift = { mean: 0.5, sd: 2, responseSd: 30 };
    const customers = 20_000;
    const sizes = { control: 600, treated: 900 };
    const random = randomSource(3);
    const runs = 20_000;
    const profits = Array.from({ length: runs }, () => {
      const truth = uplift.mean + uplift.sd * drawNormal(random);
      const noise = uplift.responseSd ** 2 * (1 / sizes.control + 1 / sizes.treated);
      const seen = truth + Math.sqrt(noise) * drawNormal(random);
      const posterior = uplift.mean + (uplift.sd ** 2 / (uplift.sd ** 2 + noise)) * (seen - uplift.mean);
      return sizes.treated * truth + (posterior > 0 ? customers - 1500 : 0) * truth;
    });
    const mean = profits.reduce((sum, x) => sum + x, 0) / runs;
    const sd = Math.sqrt(profits.reduce((sum, x) => sum + (x - mean) ** 2, 0) / runs);
    expect(Math.abs(holdoutProfit(customers, uplift, sizes) - mean)).toBeLessThan((3 * sd) / Math.sqrt(runs));
  });

  it("is no test where none pays", () => {
    const sure = holdoutSize(1000, { mean: 10, sd: 1, responseSd: 100 });
    expect(sure).toMatchObject({ control: 0, treated: 0, profit: 10_000, profitWithoutTest: 10_000 });
    const hopeless = holdoutSize(1000, { mean: -10, sd: 1, responseSd: 100 });
    expect(hopeless).toMatchObject({ control: 0, treated: 0, profit: 0 });
  });

  it("refuses impossible beliefs", () => {
    expect(() => testAndRoll(2, website, website)).toThrow(
      new RangeError("customers must be a number above 2, got 2"),
    );
    expect(() => testAndRoll(100, website, { ...website, sd: 0 })).toThrow(
      new RangeError("sd of the treated arm must be a number above 0, got 0"),
    );
    expect(() => holdoutSize(100, { ...website, mean: Number.NaN })).toThrow(
      new RangeError("mean of the uplift must be a number, got NaN"),
    );
    expect(() => holdoutProfit(100, website, { control: 60, treated: 60 })).toThrow(
      new RangeError("sizes must be at most 100 together, got 60 and 60"),
    );
  });
});
