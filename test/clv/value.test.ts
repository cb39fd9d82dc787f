import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bgCnbdK, bgNbd, mbgNbd } from "../../src/clv/bg-nbd.js";
import type { BuyingModel } from "../../src/clv/buying-model.js";
import { forecastCustomers } from "../../src/clv/forecast.js";
import { nbd } from "../../src/clv/nbd.js";
import { paretoNbd } from "../../src/clv/pareto-nbd.js";
import { customerLifetimeValues, presentPurchases, type ValueTerms } from "../../src/clv/value.js";
import { days, weeks } from "../../src/core/types.js";
import { randomSource } from "../../src/numeric/random.js";

// CDNOW in weeks, rounded estimates; the first customer of the data: 2 repeat purchases of 22.35 on average.
const bg = { r: 0.2426, alpha: 4.4135, a: 0.7929, b: 2.4258 };
const pareto = { r: 0.5533, alpha: 10.5776, s: 0.6062, beta: 11.6679 };
const spend = { p: 6.2488, q: 3.7446, gamma: 15.4477 };
const first = { x: [2], recency: [30.43], age: [38.86], meanSpend: [22.35] };
const month = weeks(4.345);
const monthly: ValueTerms = {
  unit: "weeks",
  convention: "end of period",
  period: month,
  periods: 12,
  discount: { rate: 0.01, per: month },
};
const lifetime: ValueTerms = {
  unit: "weeks",
  convention: "just acquired",
  horizon: "lifetime",
  discount: { rate: 0.15, per: weeks(52) },
};
const newcomer = { x: [0], recency: [0], age: [0], meanSpend: [0] };
const relative = (ours: number, theirs: number): number => Math.abs(ours / theirs - 1);

describe("customer lifetime value", () => {
  it("of 12 months is 36.28, not the published 140.10, which counts 12 times 30 weeks", () => {
    // lifetimes 0.11.3, Quickstart, prints 140.096211 for this customer: weekly data taken for daily, a month as 30 of them.
    expect(customerLifetimeValues(bgNbd, bg, spend, first, monthly)[0]).toBeCloseTo(36.278443781828436, 11);
    const thirty = weeks(30);
    const mistaken = { ...monthly, period: thirty, discount: { rate: 0.01, per: thirty } };
    expect(customerLifetimeValues(bgNbd, bg, spend, first, mistaken)[0]).toBeCloseTo(140.1, 1);
  });

  it("is the discounted purchases times spend times margin", () => {
    const [value = 0] = customerLifetimeValues(paretoNbd, pareto, spend, first, { ...lifetime, margin: 0.3 });
    const [purchases = 0] = presentPurchases(paretoNbd, pareto, first, lifetime);
    const expectedSpend = (spend.p * (spend.gamma + 2 * 22.35)) / (2 * spend.p + spend.q - 1);
    expect(relative(value, 0.3 * expectedSpend * purchases)).toBeLessThan(1e-14);
    // BTYD's DERT of this customer at a continuous 0.0027 a week.
    const rate = Math.expm1(0.0027 * 52);
    const [dert] = presentPurchases(paretoNbd, pareto, first, {
      ...lifetime,
      discount: { rate, per: weeks(52) },
    });
    expect(dert).toBeCloseTo(6.48244818778409, 11);
  });

  it("does not depend on the unit of time", () => {
    const inDays = { ...bg, alpha: bg.alpha * 7 };
    const daily = { ...first, recency: [30.43 * 7], age: [38.86 * 7] };
    const [byWeek = 0] = presentPurchases(bgNbd, bg, first, lifetime);
    const [byDay = 0] = presentPurchases(bgNbd, inDays, daily, { ...lifetime, unit: "days" });
    expect(relative(byDay, byWeek)).toBeLessThan(1e-12);
    const perDay = { ...lifetime, discount: { rate: 0.15, per: days(364) } };
    expect(relative(presentPurchases(bgNbd, bg, first, perDay)[0] ?? 0, byWeek)).toBeLessThan(1e-14);
  });

  it("orders the conventions as their payments come", () => {
    const models: readonly { model: BuyingModel; parameters: Readonly<Record<string, number>> }[] = [
      { model: bgNbd, parameters: bg },
      { model: mbgNbd, parameters: bg },
      { model: paretoNbd, parameters: pareto },
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...models),
        fc.integer({ min: 1, max: 30 }),
        fc.double({ min: 0.02, max: 0.9, noNaN: true }),
        ({ model, parameters }, periods, rate) => {
          const discount = { rate, per: weeks(52) };
          const present = (terms: ValueTerms): number =>
            presentPurchases(model, parameters, newcomer, terms)[0] as number;
          const horizon = weeks(periods * 8);
          const asTheyCome = present({ unit: "weeks", convention: "just acquired", horizon, discount });
          const toWin = present({ unit: "weeks", convention: "first payment now", horizon, discount });
          const period = weeks(8);
          const late = present({ unit: "weeks", convention: "end of period", period, periods, discount });
          const all = present({ unit: "weeks", convention: "just acquired", horizon: "lifetime", discount });
          expect(toWin).toBeCloseTo(1 + asTheyCome, 12);
          expect(late).toBeLessThan(asTheyCome);
          expect(late * (1 + rate) ** (8 / 52)).toBeGreaterThan(asTheyCome);
          expect(all).toBeGreaterThan(asTheyCome);
        },
      ),
      { seed: 8, numRuns: 40 },
    );
  });

  it("refuses terms that are not possible, and a first payment of somebody who is a customer", () => {
    const value = (terms: ValueTerms): Float64Array => presentPurchases(bgNbd, bg, first, terms);
    expect(() => value({ ...lifetime, convention: "first payment now" })).toThrow(
      '"first payment now" is for new customers, of age 0, but row 0 has age 38.86',
    );
    expect(() => value({ ...lifetime, discount: { rate: 15, per: weeks(52) } })).toThrow(
      "discount.rate must be a fraction from 0 to below 1, not a percentage, got 15",
    );
    expect(() => value({ ...lifetime, discount: { rate: 0, per: weeks(52) } })).toThrow(
      "discountRate must be a rate per unit of time above 0 (all future purchases are counted), got 0",
    );
    expect(() => value({ ...lifetime, discount: { rate: 0.1, per: weeks(0) } })).toThrow(
      "discount.per must be a length of time above 0, got 0",
    );
    expect(() => value({ ...lifetime, margin: 30 })).toThrow(
      "margin must be a share of spend above 0 and up to 1, got 30",
    );
    expect(() => value({ ...monthly, periods: 1.5 })).toThrow(
      "periods must be a whole number of 1 or more, got 1.5",
    );
    expect(() => value({ ...monthly, period: weeks(0) })).toThrow(
      "period must be a length of time above 0, got 0",
    );
  });
});

describe("forecastCustomers", () => {
  const grid: readonly {
    readonly model: BuyingModel;
    readonly parameters: Readonly<Record<string, number>>;
  }[] = [
    { model: nbd, parameters: { r: 0.385, alpha: 12.07 } },
    { model: bgNbd, parameters: bg },
    { model: mbgNbd, parameters: bg },
    { model: bgCnbdK(2), parameters: bg },
    { model: paretoNbd, parameters: pareto },
  ];

  it.each(grid)("of many customers equals that of each alone ($model.name)", ({ model, parameters }) => {
    const random = randomSource(2).stream(model.name);
    const ages = Float64Array.from(
      { length: model.regularity === 1 ? 3000 : 60 },
      () => 1 + 103 * random.uniform(),
    );
    const customers = model.simulate(parameters, ages, random);
    const many = forecastCustomers(model, parameters, customers, { horizon: 52, discount: { rate: 0.0027 } });
    for (const [row, x] of customers.x.entries()) {
      const customer = { x, recency: customers.recency[row] as number, age: ages[row] as number };
      expect(many.alive[row]).toBe(model.probabilityAlive(parameters, customer));
      const purchases = model.expectedPurchases(parameters, customer, 52);
      expect(Math.abs((many.purchases[row] as number) - purchases)).toBeLessThanOrEqual(3e-11 * purchases);
      if (row % 10 !== 0) continue;
      const discounted = model.discountedPurchases(parameters, customer, 0.0027);
      expect(Math.abs((many.discounted[row] as number) - discounted)).toBeLessThanOrEqual(3e-11 * discounted);
    }
  });

  it("gives nothing to somebody who is certainly gone, and no discounted column unless asked", () => {
    const gone = { x: [5000], recency: [1], age: [1e5] };
    const { alive, purchases, discounted } = forecastCustomers(bgNbd, bg, gone, { horizon: 52 });
    expect([alive[0], purchases[0], discounted.length]).toEqual([0, 0, 0]);
  });

  it("names a customer who is not possible", () => {
    expect(() => forecastCustomers(bgNbd, bg, { x: [1], recency: [9], age: [8] }, { horizon: 52 })).toThrow(
      "recency must be from 0 to the age 8, got 9",
    );
  });
});
