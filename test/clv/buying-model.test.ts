import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bgCnbdK, bgNbd, mbgCnbdK, mbgNbd } from "../../src/clv/bg-nbd.js";
import { allDiscounted, type LivingCustomer, livingDiscounted } from "../../src/clv/bg-nbd-living.js";
import type { BuyingModel } from "../../src/clv/buying-model.js";
import { buyingModel } from "../../src/clv/buying-models.js";
import type { PurchaseCustomer } from "../../src/clv/cells.js";
import { nbd } from "../../src/clv/nbd.js";
import { paretoNbd } from "../../src/clv/pareto-nbd.js";
import { overPanels } from "../../src/numeric/quadrature.js";
import { randomSource } from "../../src/numeric/random.js";

// CDNOW, time in weeks: Fader, Hardie & Lee (2005), table 2; fitted NBD.
const bg = { r: 0.2426, alpha: 4.4135, a: 0.7929, b: 2.4258 };
const pareto = { r: 0.5533, alpha: 10.5776, s: 0.6062, beta: 11.6679 };
const grid: readonly {
  readonly model: BuyingModel;
  readonly parameters: Readonly<Record<string, number>>;
}[] = [
  { model: nbd, parameters: { r: 0.385, alpha: 12.07 } },
  { model: bgNbd, parameters: bg },
  { model: mbgNbd, parameters: bg },
  { model: bgCnbdK(3), parameters: bg },
  { model: mbgCnbdK(2), parameters: bg },
  { model: paretoNbd, parameters: pareto },
];
const newcomer = { x: 0, recency: 0, age: 0 };
const customers: readonly PurchaseCustomer[] = [
  newcomer,
  { x: 0, recency: 0, age: 38.86 },
  { x: 2, recency: 30.43, age: 38.86 },
  { x: 26, recency: 30.857, age: 31 },
  { x: 300, recency: 30, age: 31 },
];
const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
const mean = (chances: Float64Array): number => chances.reduce((total, chance, x) => total + x * chance, 0);
const relative = (ours: number, theirs: number): number => Math.abs(ours / theirs - 1);

describe.each(grid)("$model.name behind the face of all buying models", ({ model, parameters }) => {
  it.each(customers)("discounts the flow of purchases ($x by $age)", (customer) => {
    // Integration by parts: sum of e^(-d t) dE[X(t)] = e^(-d h) E[X(h)] + d x integral of e^(-d t) E[X(t)].
    const [rate, horizon] = [0.0027, 200];
    let parts = Math.exp(-rate * horizon) * model.expectedPurchases(parameters, customer, horizon);
    overPanels({ length: horizon, first: 0.1, widest: 20 }, (t, weight) => {
      parts += weight * rate * Math.exp(-rate * t) * model.expectedPurchases(parameters, customer, t);
    });
    expect(relative(model.discountedPurchases(parameters, customer, rate, horizon), parts)).toBeLessThan(
      1e-11,
    );
    const undiscounted = model.discountedPurchases(parameters, customer, 0, horizon);
    expect(undiscounted).toBe(model.expectedPurchases(parameters, customer, horizon));
  });

  it.each(customers)("counts all future purchases without a horizon ($x by $age)", (customer) => {
    const all = model.discountedPurchases(parameters, customer, 0.027);
    const long = model.discountedPurchases(parameters, customer, 0.027, 1400); // e^-37.8 lies beyond
    expect(relative(long, all)).toBeLessThan(1e-11);
  });

  it.each(customers)(
    "has a distribution of future purchases with the expected mean ($x by $age)",
    (customer) => {
      const chances = model.purchaseDistribution(parameters, customer, 10, 600);
      expect(sum(chances)).toBeCloseTo(1, 12);
      expect(relative(mean(chances), model.expectedPurchases(parameters, customer, 10))).toBeLessThan(1e-10);
      expect(Math.min(...chances)).toBeGreaterThanOrEqual(0);
    },
  );

  it.each(customers)("draws futures with that distribution ($x by $age)", (customer) => {
    const random = randomSource(11).stream(model.name).stream(customer.x);
    const draws = 20_000;
    const counts = new Float64Array(6);
    for (let draw = 0; draw < draws; draw++) {
      const bought = Math.min(model.drawFuturePurchases(parameters, customer, 10, random), 5);
      counts[bought] = (counts[bought] as number) + 1;
    }
    const chances = model.purchaseDistribution(parameters, customer, 10, 4);
    for (const [x, chance] of [...chances, 1 - sum(chances)].entries()) {
      const spread = Math.sqrt((chance * (1 - chance)) / draws);
      expect(Math.abs((counts[x] as number) / draws - chance)).toBeLessThanOrEqual(4.5 * spread + 1e-12);
    }
  });

  it("has customers who are alive less and less likely, as simulated", () => {
    const customer = { x: 2, recency: 30.43, age: 38.86 };
    const chances = [0, 1, 10, 52, 520].map((after) => model.probabilityAlive(parameters, customer, after));
    expect(chances[0]).toBe(model.probabilityAlive(parameters, customer));
    for (const [index, chance] of chances.slice(1).entries()) {
      expect(chance).toBeLessThanOrEqual(chances[index] as number);
      expect(chance).toBeGreaterThan(0);
    }
    // Who is dead buys nothing: the expected purchases per time, far ahead, are at most the chance to be alive times a rate.
    const flow =
      model.expectedPurchases(parameters, customer, 521) - model.expectedPurchases(parameters, customer, 520);
    const { purchaseRate } = model.customerRates(parameters, customer);
    expect(flow).toBeLessThan((chances[4] as number) * purchaseRate * 1.5);
  });

  it("has posterior rates whose mean over new customers is the prior's", () => {
    // Law of total expectation: average the posterior means over simulated histories.
    const ages = new Float64Array(40_000).fill(30);
    const drawn = model.simulate(parameters, ages, randomSource(4).stream(model.name));
    const prior = model.customerRates(parameters, newcomer);
    const rates = Array.from(drawn.x, (x, row) =>
      model.customerRates(parameters, { x, recency: drawn.recency[row] as number, age: 30 }),
    );
    for (const what of ["purchaseRate", "dropout"] as const) {
      const values = rates.map((rate) => rate[what]);
      const average = values.reduce((total, value) => total + value, 0) / values.length;
      const variance = values.reduce((total, value) => total + (value - average) ** 2, 0) / values.length;
      expect(Math.abs(average - prior[what])).toBeLessThanOrEqual(4.5 * Math.sqrt(variance / values.length));
    }
  });

  it("is found by its name", () => {
    expect(buyingModel(model.name).name).toBe(model.name);
    const customer = { x: 2, recency: 30.43, age: 38.86 };
    expect(buyingModel(model.name).expectedPurchases(parameters, customer, 39)).toBe(
      model.expectedPurchases(parameters, customer, 39),
    );
  });

  it("refuses what is not possible", () => {
    const customer = { x: 2, recency: 30.43, age: 38.86 };
    expect(() => model.discountedPurchases(parameters, customer, -0.1, 5)).toThrow(
      "discountRate must be a rate per unit of time from 0 up, got -0.1",
    );
    expect(() => model.discountedPurchases(parameters, customer, 0)).toThrow(
      "discountRate must be a rate per unit of time above 0 (all future purchases are counted), got 0",
    );
    expect(() => model.discountedPurchases(parameters, customer, 0.1, -1)).toThrow(
      "horizon must be a number from 0 up, got -1",
    );
    expect(() => model.probabilityAlive(parameters, { ...customer, recency: 40 })).toThrow(
      "recency must be from 0 to the age 38.86, got 40",
    );
    expect(() => model.purchaseDistribution(parameters, customer, 10, -1)).toThrow(
      "max must be a whole number from 0 up, got -1",
    );
  });
});

const from = (min: number) => fc.double({ min, max: 40, noNaN: true });

describe("all purchases to come, discounted", () => {
  it("come to the same over the buying rate as over the dropout probability", () => {
    // With k = 1 the integral over p and the renewal sums integrated over lambda are two ways to one number.
    fc.assert(
      fc.property(
        fc.record({ shape: from(0.1), rate: from(0.5), a: from(0.1), b: from(0.3) }),
        fc.double({ min: 0.001, max: 0.5, noNaN: true }),
        (belief, discountRate) => {
          const living: LivingCustomer = { ...belief, k: 1, passed: 0 };
          const overDropout = livingDiscounted(living, discountRate, Number.POSITIVE_INFINITY);
          expect(relative(allDiscounted(living, discountRate), overDropout)).toBeLessThan(1e-11);
        },
      ),
      { seed: 6, numRuns: 200 },
    );
  });
});

describe("dropout probabilities near 0 and 1", () => {
  // As a and b fall to 0, p is 0 or 1: purchases go on for ever with chance b / (a + b), else stop after the first.
  it.each([
    [1e-10, 1.7e-6],
    [1e-10, 1e-8],
    [1e-8, 1e-10],
    [1e-200, 1e-8],
  ])("leave the expectation of both limits (a %d, b %d)", (a, b) => {
    const parameters = { r: 0.31, alpha: 0.99, a, b };
    const always = (0.31 / 0.99) * 52;
    const once = 1 - (1 + 52 / 0.99) ** -0.31;
    const both = (b * always + a * once) / (a + b);
    expect(relative(bgNbd.expectedPurchases(parameters, newcomer, 52), both)).toBeLessThan(1e-8);
    expect(bgNbd.discountedPurchases(parameters, newcomer, 1e-9, 52)).toBeCloseTo(both, 5);
  });
});

describe("purchases of a new customer in a later interval", () => {
  const memoryless = grid.filter(({ model }) => model.regularity === 1);

  it.each(memoryless)("have a distribution with the expected mean ($model.name)", ({ model, parameters }) => {
    const chances = model.intervalDistribution(parameters, { from: 20, length: 10 }, 400);
    const until = (time: number): number => model.expectedPurchases(parameters, newcomer, time);
    expect(sum(chances)).toBeCloseTo(1, 12);
    expect(relative(mean(chances), until(30) - until(20))).toBeLessThan(1e-10);
    const atOnce = model.intervalDistribution(parameters, { from: 0, length: 10 }, 20);
    const fresh = model.purchaseDistribution(parameters, newcomer, 10, 20);
    for (const [x, chance] of atOnce.entries()) expect(chance).toBeCloseTo(fresh[x] as number, 13);
  });

  it("are refused where gaps are regular, since the state of the gap is not known", () => {
    expect(() => bgCnbdK(3).intervalDistribution(bg, { from: 20, length: 10 }, 5)).toThrow(
      "parameter k must be 1 for counts of a later interval, got 3",
    );
  });
});

it("refuses the name of a model that is not here", () => {
  expect(() => buyingModel("Pareto/GGG")).toThrow(
    "name must be one of NBD, BG/NBD, MBG/NBD, Pareto/NBD, BG/CNBD-k, MBG/CNBD-k, got Pareto/GGG",
  );
});
