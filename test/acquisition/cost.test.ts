import { table } from "arquero";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { acquisitionCosts, poissonInterval } from "../../src/acquisition/cost.js";
import { DataError } from "../../src/core/errors.js";
import { randomSource } from "../../src/numeric/random.js";
import { drawPoisson } from "../../src/numeric/sampling.js";

const spends = table({
  month: ["2025-02", "2025-01", "2025-01", "2025-02", "2025-01", "2025-02"],
  channel: ["search", "search", "radio", "radio", "referral", "referral"],
  spend: [1000, 500, 300, 0, 0, 0],
  won: [20, 10, 0, 0, 7, 5],
});

describe("acquisition costs", () => {
  it("give spend, customers and average by channel, with a status where there is none", () => {
    const { low, high } = poissonInterval(30);
    expect(acquisitionCosts(spends, ["channel"]).objects()).toEqual([
      {
        channel: "radio",
        spend: 300,
        won: 0,
        status: "nobody won",
        cost: null,
        cost_low: 300 / poissonInterval(0).high,
        cost_high: null,
      },
      {
        channel: "referral",
        spend: 0,
        won: 12,
        status: "organic",
        cost: null,
        cost_low: null,
        cost_high: null,
      },
      {
        channel: "search",
        spend: 1500,
        won: 30,
        status: "paid",
        cost: 50,
        cost_low: 1500 / high,
        cost_high: 1500 / low,
      },
    ]);
  });

  it("go by several columns in their order, and by none to the total", () => {
    const cells = acquisitionCosts(spends, ["month", "channel"]);
    expect(cells.select("month", "channel", "status").objects()).toEqual([
      { month: "2025-01", channel: "radio", status: "nobody won" },
      { month: "2025-01", channel: "referral", status: "organic" },
      { month: "2025-01", channel: "search", status: "paid" },
      { month: "2025-02", channel: "radio", status: "no activity" },
      { month: "2025-02", channel: "referral", status: "organic" },
      { month: "2025-02", channel: "search", status: "paid" },
    ]);
    const all = acquisitionCosts(spends, []);
    expect(all.objects()).toMatchObject([{ spend: 1800, won: 42, status: "paid" }]);
    expect(all.get("cost", 0)).toBeCloseTo(1800 / 42, 12);
  });

  it("read other columns and add amounts without rounding drift", () => {
    const cents = table({ cost: new Array<number>(10).fill(0.1), customers: new Array<number>(10).fill(1) });
    const costs = acquisitionCosts(cents, [], { spend: "cost", won: "customers" });
    expect(costs.get("spend", 0)).toBe(1);
  });

  it("refuse bad data with the place and the value", () => {
    const costs = (columns: Record<string, unknown[]>, by: string[] = []) =>
      acquisitionCosts(table(columns), by);
    expect(() => costs({ spend: [1], won: [2.5] })).toThrow(
      new DataError("spends: won in row 1 must be a whole number, got 2.5"),
    );
    expect(() => costs({ spend: [1, -1], won: [2, 2] })).toThrow(
      new DataError("spends: spend in row 2 must be a number of at least 0, got -1"),
    );
    expect(() => costs({ spend: [1], won: [2] }, ["channel"])).toThrow(
      new DataError("spends: column channel is missing, the columns are spend, won"),
    );
    expect(() => costs({ spend: [1], won: [2] }, ["spend"])).toThrow(
      new RangeError(
        "by must name other columns than spend, won, status, cost, cost_low, cost_high, and each once, got spend",
      ),
    );
    expect(() => acquisitionCosts(spends, [], { level: 90 })).toThrow(
      new RangeError("level must be between 0 and 1, got 90"),
    );
  });
});

describe("interval of a Poisson count", () => {
  it("agrees with Garwood's limits", () => {
    // 95 % limits as tabled since Garwood (1936): 0: 3.69; 1: 0.0253, 5.57; 5: 1.62, 11.67; 10: 4.80, 18.39.
    const limits = (count: number) => poissonInterval(count, 0.95);
    expect(limits(0).low).toBe(0);
    expect(limits(0).high).toBeCloseTo(3.69, 2);
    expect(limits(1).low).toBeCloseTo(0.0253, 4);
    expect(limits(1).high).toBeCloseTo(5.57, 2);
    expect(limits(5).low).toBeCloseTo(1.62, 2);
    expect(limits(5).high).toBeCloseTo(11.67, 2);
    expect(limits(10).low).toBeCloseTo(4.8, 2);
    expect(limits(10).high).toBeCloseTo(18.39, 2);
  });

  it("is -ln(tail) for nobody, and holds the count", () => {
    expect(poissonInterval(0, 0.9).high).toBeCloseTo(-Math.log(0.05), 12);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), (count) => {
        const { low, high } = poissonInterval(count);
        expect(low).toBeLessThan(count);
        expect(high).toBeGreaterThan(count);
      }),
      { seed: 4, numRuns: 50 },
    );
  });

  it("covers the true mean with at least its level", () => {
    const random = randomSource(8);
    const draws = 2000;
    for (const mean of [0.5, 3, 20]) {
      const hits = Array.from({ length: draws }, () => poissonInterval(drawPoisson(random, mean))).filter(
        ({ low, high }) => low <= mean && mean <= high,
      ).length;
      expect(hits / draws).toBeGreaterThan(0.9 - 3 * Math.sqrt((0.9 * 0.1) / draws));
    }
  });

  it("refuses counts and levels that are none", () => {
    expect(() => poissonInterval(1.5)).toThrow(
      new RangeError("count must be a whole number from 0 up, got 1.5"),
    );
    expect(() => poissonInterval(1, 1)).toThrow(new RangeError("level must be between 0 and 1, got 1"));
  });
});
