import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bgNbd, bgNbdExpectedPurchases } from "../../src/clv/bg-nbd.js";
import {
  bestHiatus,
  hiatusRule,
  type KnownCustomers,
  lastPeriodRepeats,
  managerHeuristics,
  meanOfAll,
  modelForecaster,
  ownPastRate,
  type Rehearsal,
  topDecileRule,
} from "../../src/clv/heuristics.js";

const customers: KnownCustomers = { x: [4, 0, 1], recency: [8, 0, 2], age: [10, 10, 5] };

describe("rules of thumb", () => {
  it("forecasts the mean rate of all: purchases over time, times the horizon", () => {
    expect([...meanOfAll.predict(customers, 10)]).toEqual([2, 2, 2]); // 5 purchases in 25 units of time
  });

  it("forecasts everybody's own rate, none for who was never observed", () => {
    const known = { x: [4, 0, 1, 0], recency: [8, 0, 2, 0], age: [10, 10, 5, 0] };
    expect([...ownPastRate.predict(known, 20)]).toEqual([8, 0, 4, 0]);
  });

  it("takes who has been idle for longer than the threshold for gone", () => {
    expect([...hiatusRule(3).predict(customers, 10)]).toEqual([4, 0, 2]); // idle for 2, 10, 3
    expect([...hiatusRule(2.9).predict(customers, 10)]).toEqual([4, 0, 0]);
    const weeks = { x: [1], recency: [197 / 7], age: [267 / 7] };
    expect(267 / 7 - 197 / 7).toBeGreaterThan(10); // rounding, yet these are the 10 weeks of the threshold
    expect(hiatusRule(10).predict(weeks, 267 / 7)[0]).toBeCloseTo(1, 12);
  });

  it("keeps a threshold of whole days, in weeks, whichever way it rounds", () => {
    for (let days = 1; days < 300; days++) {
      const known = { x: [1], recency: [10 / 7], age: [(10 + days) / 7] };
      expect(hiatusRule(days / 7).predict(known, 1)[0]).toBeGreaterThan(0);
      expect(hiatusRule((days - 1) / 7).predict(known, 1)[0]).toBe(0);
    }
  });

  it("learns the threshold from the rehearsal", () => {
    const rehearsal: Rehearsal = {
      x: [1, 1, 1, 1, 1],
      recency: [9, 7, 5, 3, 1],
      age: [10, 10, 10, 10, 10],
      later: [2, 0, 1, 0, 0],
    };
    expect(bestHiatus(rehearsal)).toBe(1); // equally good: up to 1 or up to 5; the shorter one
    expect(bestHiatus({ ...rehearsal, later: [2, 1, 1, 0, 0] })).toBe(5);
    const learned = hiatusRule().predict(
      { ...customers, rehearsal: { ...rehearsal, later: [1, 1, 0, 0, 0] } },
      10,
    );
    expect([...learned]).toEqual([...hiatusRule(3).predict(customers, 10)]);
  });

  it("finds the threshold that tells most customers rightly", () => {
    const row = fc.record({ idle: fc.nat(8), later: fc.nat(1) });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 30 }), (rows) => {
        const told = (threshold: number): number =>
          rows.filter(({ idle, later }) => idle <= threshold === later > 0).length;
        const best = bestHiatus({
          x: rows.map(() => 0),
          recency: rows.map(() => 0),
          age: rows.map(({ idle }) => idle),
          later: rows.map(({ later }) => later),
        });
        const others = rows.map(({ idle }) => told(idle));
        expect(told(best)).toBe(Math.max(...others));
        expect(rows.filter(({ idle }) => idle < best).every(({ idle }) => told(idle) < told(best))).toBe(
          true,
        );
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it("keeps the best tenth on top, whoever equals the last of them included", () => {
    const twenty = Array.from({ length: 20 }, (_, row) => row);
    const known = {
      x: twenty.map((row) => (row < 2 ? 5 : 1)),
      recency: twenty.map((row) => (row < 2 ? 9 : 1)),
      age: twenty.map(() => 10),
    };
    expect([...topDecileRule.predict(known, 10)]).toEqual(twenty.map((row) => (row < 2 ? 5 : 1)));
    // Three equal customers at the edge of two: all three are in, and the order of the rows does not matter.
    const three = { ...known, x: known.x.map((x, row) => (row === 19 ? 5 : x)) };
    const equal = { ...three, recency: known.recency.map((time, row) => (row === 19 ? 9 : time)) };
    expect([...topDecileRule.predict(equal, 10)].filter((value) => value === 5)).toHaveLength(3);
    expect([...topDecileRule.predict(three, 10)].filter((value) => value === 5)).toHaveLength(2);
  });

  it("repeats the last period", () => {
    const known = { ...customers, recent: { x: [3, 0, 1], length: 6 } };
    expect([...lastPeriodRepeats.predict(known, 6)]).toEqual([3, 0, 1]);
    expect([...lastPeriodRepeats.predict(known, 12)]).toEqual([6, 0, 2]);
    expect([...lastPeriodRepeats.predict(customers, 10)]).toEqual([4, 0, 1]); // nobody is older than the period
    expect(() => lastPeriodRepeats.predict(customers, 6)).toThrow(
      "customers row 0: recent must be known where the age is above the horizon 6, got 10",
    );
  });

  it("forecasts nothing for no time, and in proportion to time", () => {
    const rehearsal = { x: [1], recency: [3], age: [5], later: [1] };
    const known = { ...customers, rehearsal, recent: { x: [3, 0, 1], length: 6 } };
    for (const rule of managerHeuristics) {
      expect([...rule.predict(known, 0)], rule.name).toEqual([0, 0, 0]);
      const [once, thrice] = [rule.predict(known, 6), rule.predict(known, 18)];
      for (const [row, value] of once.entries()) expect(thrice[row], rule.name).toBeCloseTo(3 * value, 12);
    }
    expect(new Set(managerHeuristics.map(({ name }) => name)).size).toBe(5);
  });

  it("says what is missing", () => {
    expect(() => hiatusRule().predict(customers, 5)).toThrow(
      "customers: a rehearsal is needed where the hiatus rule has no threshold; a log of purchases gives one",
    );
    expect(() => hiatusRule(-1)).toThrow("threshold must be a number from 0 up, got -1");
    expect(() => meanOfAll.predict(customers, -1)).toThrow("horizon must be a number from 0 up, got -1");
    const nobody = { x: [], recency: [], age: [] };
    expect(() => topDecileRule.predict(nobody, 1)).toThrow("customers must have at least one row, got none");
    expect(() => bestHiatus({ ...nobody, later: [] })).toThrow(
      "rehearsal must have at least one customer, got none",
    );
  });
});

describe("a model as a forecaster", () => {
  it("gives the model's expectations of each customer", () => {
    const parameters = { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 };
    const forecaster = modelForecaster(bgNbd, parameters);
    const known = { x: [2], recency: [30.43], age: [38.86] };
    // Fader, Hardie & Lee (2005), Implementing the BG/NBD Model in Excel: 1.226.
    expect(forecaster.predict(known, 39)[0]).toBeCloseTo(1.226, 3);
    for (const [row, value] of forecaster.predict(customers, 7).entries()) {
      const [x, recency, age] = [customers.x[row], customers.recency[row], customers.age[row]] as [
        number,
        number,
        number,
      ];
      expect(value).toBeCloseTo(bgNbdExpectedPurchases(parameters, { x, recency, age }, 7), 12);
    }
    expect([forecaster.name, forecaster.kind]).toEqual(["BG/NBD", "model"]);
  });
});
