import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConvergenceError, DataError } from "../../src/core/errors.js";
import { randomSource } from "../../src/numeric/random.js";
import { drawNormal } from "../../src/numeric/sampling.js";
import {
  baseValueElasticities,
  cumulativeCustomers,
  customerBaseValue,
  fitDiffusion,
  newCustomers,
} from "../../src/retention/base-value.js";
import { marginMultiple } from "../../src/retention/value-arithmetic.js";

/** A young firm: 7% of its customers have come, each brings 20 a year for 40. Millions and dollars, made up. */
const young = {
  diffusion: { alpha: 60, beta: -2.5, gamma: 0.5 },
  now: 0,
  margin: 20,
  acquisitionCost: 40,
  retentionRate: 0.8,
  discountRate: 0.12,
} as const;
const share = fc.double({ min: 0.01, max: 0.95, noNaN: true });

describe("diffusion of customers", () => {
  it("begins at alpha / (1 + exp(-beta)), ends at alpha, and its slope is the new customers", () => {
    const { alpha, beta } = young.diffusion;
    expect(cumulativeCustomers(young.diffusion, [0, 1000])).toEqual([alpha / (1 + Math.exp(-beta)), alpha]);
    for (const time of [-3, 0, 5, 12]) {
      const [before = 0, after = 0] = cumulativeCustomers(young.diffusion, [time - 1e-4, time + 1e-4]);
      expect(newCustomers(young.diffusion, [time])[0]).toBeCloseTo((after - before) / 2e-4, 6);
    }
    expect(newCustomers(young.diffusion, [5])[0]).toBeCloseTo((alpha * 0.5) / 4, 12); // the peak, at -beta / gamma
  });

  it("refuses parameters that are not possible", () => {
    expect(() => cumulativeCustomers({ ...young.diffusion, alpha: 0 }, [0])).toThrow(
      "alpha must be a number above 0, got 0",
    );
    expect(() => newCustomers({ ...young.diffusion, gamma: -1 }, [0])).toThrow(
      "gamma must be a number above 0, got -1",
    );
    expect(() => newCustomers({ ...young.diffusion, beta: Number.NaN }, [0])).toThrow(
      "beta must be a number, got NaN",
    );
    expect(() => cumulativeCustomers(young.diffusion, [Number.POSITIVE_INFINITY])).toThrow(
      "time must be a number, got Infinity",
    );
  });
});

describe("value of a customer base", () => {
  it("of present customers is customers times margin times the margin multiple", () => {
    // Gupta, Lehmann & Stuart (2004): $100 a year, 80% retention and 12% discount are worth $250 a customer.
    const grown = { ...young, now: 200, margin: 100 };
    for (const timing of ["continuous", "just acquired"] as const) {
      const value = customerBaseValue(grown, timing);
      expect(value.perCustomer).toBeCloseTo(250, 10);
      expect(value.total).toBeCloseTo(60 * 250, 8);
      expect(value.future).toBeCloseTo(0, 8);
    }
    const counted = customerBaseValue({ ...young, customers: 10 }, "just acquired");
    expect(counted.present).toBeCloseTo(10 * 20 * marginMultiple(0.8, 0.12), 10);
  });

  it("counts those still to come: their number without discount, and the sum or integral with it", () => {
    const all = customerBaseValue({ ...young, discountRate: 0 }, "just acquired").discountedNewCustomers;
    const [present = 0] = cumulativeCustomers(young.diffusion, [0]);
    expect(all).toBeCloseTo(60 - present, 10);
    expect(customerBaseValue({ ...young, discountRate: 0 }, "continuous").discountedNewCustomers).toBeCloseTo(
      60 - present,
      10,
    );
    let [sum, integral] = [0, 0];
    const step = 1e-3;
    for (let t = 1; t <= 200; t++) {
      const [before = 0, after = 0] = cumulativeCustomers(young.diffusion, [t - 1, t]);
      sum += (after - before) / 1.12 ** t;
    }
    const midpoints = Array.from({ length: 100_000 }, (_, i) => (i + 0.5) * step);
    for (const [i, rate] of newCustomers(young.diffusion, midpoints).entries()) {
      integral += rate * Math.exp(-0.12 * (midpoints[i] ?? 0)) * step;
    }
    expect(customerBaseValue(young, "just acquired").discountedNewCustomers).toBeCloseTo(sum, 10);
    expect(customerBaseValue(young, "continuous").discountedNewCustomers).toBeCloseTo(integral, 5);
  });

  it("by shorter and shorter periods tends to the continuous form", () => {
    // One n-th of a year: rates, margin and speed are one n-th, so the difference falls as 1 / n.
    const gap = (n: number): number => {
      const short = {
        ...young,
        diffusion: { ...young.diffusion, gamma: young.diffusion.gamma / n },
        margin: young.margin / n,
        retentionRate: 1 - 0.2 / n,
        discountRate: 0.12 / n,
      };
      const byPeriod = customerBaseValue(short, "first payment now").total;
      return byPeriod / customerBaseValue(short, "continuous").total - 1;
    };
    expect(Math.abs(gap(10_000))).toBeLessThan(1e-4);
    expect(gap(1000) / gap(2000)).toBeCloseTo(2, 2);
    expect(gap(1000) / gap(10_000)).toBeCloseTo(10, 1);
  });

  it("falls where new customers cost more than they bring, and can be negative", () => {
    const dear = customerBaseValue({ ...young, acquisitionCost: 51 }, "just acquired");
    expect(dear.perCustomer).toBeCloseTo(50, 10);
    expect(dear.future).toBeCloseTo(-dear.discountedNewCustomers, 10);
    expect(customerBaseValue({ ...young, margin: -1 }, "just acquired").total).toBeLessThan(0);
    const fleeting = customerBaseValue({ ...young, retentionRate: 0 }, "just acquired");
    expect(fleeting.total).toBeCloseTo(-40 * fleeting.discountedNewCustomers, 10);
  });

  it.each([
    [
      { retentionRate: 80 },
      "retentionRate must be a fraction from 0 to 1, got 80; a percentage must be divided by 100",
    ],
    [{ discountRate: Number.NaN }, "discountRate must be a fraction from 0 to 1, got NaN"],
    [{ margin: Number.POSITIVE_INFINITY }, "margin must be a number, got Infinity"],
    [{ acquisitionCost: -1 }, "acquisitionCost must be a number from 0 up, got -1"],
    [{ customers: -1 }, "customers must be a number from 0 up, got -1"],
    [{ now: Number.NaN }, "now must be a number, got NaN"],
    [{ now: -1000 }, "now must be late enough for 1e-12 of all customers to have come, got -1000"],
  ])("refuses %j", (change, message) => {
    expect(() => customerBaseValue({ ...young, ...change }, "continuous")).toThrow(new RangeError(message));
  });

  it("refuses a value without end", () => {
    expect(() => customerBaseValue({ ...young, retentionRate: 1, discountRate: 0 }, "just acquired")).toThrow(
      "the value is infinite",
    );
  });
});

describe("elasticities of the value of a customer base", () => {
  it("are those of the margin multiple where nobody is to come", () => {
    const grown = { ...young, now: 200 };
    const { retentionRate, margin, acquisitionCost, discountRate } = baseValueElasticities(
      grown,
      "continuous",
    );
    expect(retentionRate).toBeCloseTo(marginMultiple(0.808, 0.12) / marginMultiple(0.8, 0.12) - 1, 10);
    expect(discountRate).toBeCloseTo(marginMultiple(0.8, 0.1212) / marginMultiple(0.8, 0.12) - 1, 10);
    expect(margin).toBeCloseTo(0.01, 12);
    expect(acquisitionCost).toBeCloseTo(0, 12);
  });

  it("of margin and acquisition cost add up to the change, as in the paper", () => {
    // Gupta, Lehmann & Stuart (2004): 1.02 to 1.32% for the margin, .02 to .32% for the cost: 1.02 - .02 = 1.32 - .32.
    fc.assert(
      fc.property(
        share,
        share,
        fc.double({ min: 0, max: 40, noNaN: true }),
        (retentionRate, discountRate, now) => {
          const base = { ...young, acquisitionCost: 1, retentionRate, discountRate, now };
          fc.pre(customerBaseValue(base, "just acquired").total > 1);
          const { margin, acquisitionCost } = baseValueElasticities(base, "just acquired");
          expect(margin + acquisitionCost).toBeCloseTo(0.01, 10);
          expect(acquisitionCost).toBeLessThanOrEqual(0);
        },
      ),
      { seed: 5, numRuns: 100 },
    );
  });

  it("show retention far ahead of the discount rate", () => {
    // The paper: 1% of retention does almost five times as much as 1% of the discount rate.
    const cheap = { ...young, acquisitionCost: 5 };
    const { retentionRate, discountRate } = baseValueElasticities(cheap, "continuous");
    expect(retentionRate / -discountRate).toBeGreaterThan(4);
    expect(100 * retentionRate).toBeGreaterThan(2.45); // the range over the five firms
    expect(100 * retentionRate).toBeLessThan(6.75);
  });

  it("refuse a retention rate beyond 1, no value, and no change", () => {
    expect(() => baseValueElasticities({ ...young, retentionRate: 0.995 }, "continuous")).toThrow(
      new RangeError("retentionRate 0.995 cannot rise by 0.01 of itself: 1.00495 is above 1"),
    );
    expect(() => baseValueElasticities({ ...young, margin: -1 }, "continuous")).toThrow(
      "the value before the change must be above 0 for shares of it, got -",
    );
    expect(() => baseValueElasticities(young, "continuous", 0)).toThrow(
      "change must be a fraction between -1 and 1 other than 0, got 0",
    );
  });
});

describe("fitDiffusion", () => {
  // R's data set ChickWeight, chick 1: grams by day. Growth in place of diffusion, the same curve.
  const days = [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 21];
  const grams = [42, 51, 59, 64, 76, 93, 106, 125, 149, 171, 199, 205];

  it("agrees with R's SSlogis on chick 1", () => {
    // R's help page of SSlogis: Asym 937.03 (465.86), xmid 35.223 (8.312), scal 11.405 (0.905), residual standard error
    // 2.919 on 9 degrees of freedom; gamma = 1 / scal, beta = -xmid / scal. SciPy's least squares end at 937.02.
    const { parameters, standardErrors, residualDeviation, warnings, converged } = fitDiffusion(days, grams);
    expect(parameters.alpha).toBeCloseTo(937.0, 1);
    expect(1 / parameters.gamma).toBeCloseTo(11.405, 3);
    expect(-parameters.beta / parameters.gamma).toBeCloseTo(35.223, 3);
    expect(standardErrors.alpha).toBeCloseTo(465.86, 2);
    expect(standardErrors.gamma / parameters.gamma ** 2).toBeCloseTo(0.905, 3);
    expect(residualDeviation).toBeCloseTo(2.919, 3);
    expect(converged).toBe(true);
    expect(warnings).toEqual([
      "diffusion: growth still speeds up at the last observation, it should slow down from 35.22 on: alpha is extrapolated",
    ]);
  });

  it("recovers the parameters that generated the data, whatever the units", () => {
    const log = (low: number, high: number) =>
      fc.double({ min: Math.log(low), max: Math.log(high), noNaN: true }).map(Math.exp);
    fc.assert(
      fc.property(
        log(0.01, 1e8),
        log(1e-3, 1e3),
        fc.double({ min: -3, max: 1, noNaN: true }),
        (alpha, unit, beta) => {
          const truth = { alpha, beta, gamma: 0.5 / unit };
          const times = Array.from({ length: 20 }, (_, t) => t * unit);
          const { parameters, rSquared } = fitDiffusion(times, cumulativeCustomers(truth, times));
          expect(parameters.alpha / alpha).toBeCloseTo(1, 6);
          expect(parameters.beta).toBeCloseTo(beta, 6);
          expect(parameters.gamma / truth.gamma).toBeCloseTo(1, 6);
          expect(rSquared).toBeCloseTo(1, 10);
        },
      ),
      { seed: 3, numRuns: 50 },
    );
  });

  it("has standard errors that are the spread of its estimates", () => {
    const truth = { alpha: 60, beta: -2.5, gamma: 0.5 };
    const times = Array.from({ length: 16 }, (_, t) => t);
    const curve = cumulativeCustomers(truth, times);
    const random = randomSource(11);
    const worlds = 400;
    const z = { alpha: 0, beta: 0, gamma: 0 };
    for (let world = 0; world < worlds; world++) {
      const { parameters, standardErrors } = fitDiffusion(
        times,
        curve.map((n) => n + 0.5 * drawNormal(random)),
      );
      for (const name of ["alpha", "beta", "gamma"] as const) {
        z[name] += ((parameters[name] - truth[name]) / standardErrors[name]) ** 2 / worlds;
      }
    }
    // Squares of t numbers with 13 degrees of freedom: mean 13 / 11, standard deviation 1.97, of 400 of them 0.1.
    for (const mean of Object.values(z)) expect(Math.abs(mean - 13 / 11)).toBeLessThan(4 * 0.1);
  });

  it("has the covariance and likelihood of its numbers, frozen and safe for JSON", () => {
    const fit = fitDiffusion(days, grams);
    expect(Math.sqrt(fit.covariance[1]?.[1] ?? 0)).toBe(fit.standardErrors.beta);
    const residuals = cumulativeCustomers(fit.parameters, days).map((value, i) => value - (grams[i] ?? 0));
    const squares = residuals.reduce((sum, residual) => sum + residual ** 2, 0);
    expect(fit.residualDeviation).toBeCloseTo(Math.sqrt(squares / 9), 10);
    expect(fit.logLikelihood).toBeCloseTo(-6 * (Math.log((2 * Math.PI * squares) / 12) + 1), 8);
    expect(JSON.parse(JSON.stringify(fit))).toEqual(fit);
    expect(Object.isFrozen(fit.parameters)).toBe(true);
  });

  it("refuses growth without a sign of an end", () => {
    const times = [0, 1, 2, 3, 4, 5];
    const exponential = times.map((t) => 1.5 ** t);
    expect(() => fitDiffusion(times, exponential)).toThrow(ConvergenceError);
    expect(() => fitDiffusion(times, exponential)).toThrow("no S-shaped growth towards a limit");
    expect(() => fitDiffusion(times, [6, 5, 4, 3, 2, 1])).toThrow(ConvergenceError);
    expect(() => fitDiffusion(times, [0, 0, 0, 9, 9, 9])).toThrow("do not tell alpha, beta and gamma apart");
  });

  it.each([
    [[0, 1, 2], [1, 2, 3], "a diffusion needs at least 4 observations, got 3"],
    [[0, 1, 1, 2], [1, 2, 3, 4], "times must be numbers that rise, got 1 in row 3"],
    [[0, 1, 2, 3], [1, 2, Number.NaN, 4], "customers must be numbers from 0 up, got NaN in row 3"],
    [[0, 1, 2, 3], [1, 2, 3], "customers must have as many rows as times, 4, got 3"],
    [[0, 1, 2, 3], [5, 5, 5, 5], "customers must grow, but all observations are 5"],
    [[0, 1, 2, 3], [0, 0, 0, 0], "customers must grow, but all observations are 0"],
  ])("refuses times %j with customers %j", (times, customers, message) => {
    expect(() => fitDiffusion(times, customers)).toThrow(new DataError(message));
  });
});
