import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.js";
import { randomSource } from "../../src/numeric/random.js";
import { drawBeta } from "../../src/numeric/sampling.js";
import {
  compareTargeting,
  contactBalance,
  expectedMaximumProfit,
  maximumProfitCutoff,
  offerProfit,
  whoGetsAnOffer,
} from "../../src/strategy/intervention.js";

const four = {
  customer: ["a", "b", "c", "d"],
  stay: [0.9, 0.5, 0.2, 0.6],
  stayWithOffer: [0.92, 0.7, 0.2, 0.5],
  value: [100, 100, 100, 100],
};
const costs = { contactCost: 1, offerCost: 10 };
const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((total, x) => total + x, 0);

describe("expected profit of an offer", () => {
  it("is uplift x value - contact - offer to all who take it", () => {
    // a: 2 - 1 - 9.2; b: 20 - 1 - 7; c: 0 - 1 - 2; d: -10 - 1 - 5.
    const expected = [-8.2, 12, -3, -16];
    for (const [row, profit] of offerProfit(four, costs).entries())
      expect(profit).toBeCloseTo(expected[row] as number, 12);
    const shy = offerProfit({ ...four, accept: [0.1, 0.2, 0, 0] }, costs);
    expect([...shy].map((profit) => profit.toFixed(6))).toEqual([
      "0.000000",
      "17.000000",
      "-1.000000",
      "-11.000000",
    ]);
  });

  it("goes to those who gain, best first", () => {
    const plan = whoGetsAnOffer(four, costs);
    expect(Array.from(plan.list.array("customer"))).toEqual(["b", "c", "a", "d"]);
    expect(Array.from(plan.list.array("offer"))).toEqual([1, 0, 0, 0]);
    expect(plan.offers).toBe(1);
    expect(plan.profit).toBeCloseTo(12, 12);
    expect(plan.cost).toBeCloseTo(8, 12);
    expect(plan.warnings).toEqual([]);
    const running = Array.from(plan.list.array("cumulative_profit")) as number[];
    expect(running.at(-1)).toBeCloseTo(-15.2, 12);
    expect(whoGetsAnOffer(four, costs, { number: 0 })).toMatchObject({ offers: 0, profit: 0, cost: 0 });
    expect(whoGetsAnOffer({ ...four, customer: undefined as never }, costs).list.array("customer")[0]).toBe(
      2,
    );
  });

  it("spends a budget on the best profit for the money, nearly as well as any list", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 10_000 }),
        fc.double({ min: 0, max: 40, noNaN: true }),
        (seed, budget) => {
          const random = randomSource(seed);
          const draw = (): number[] => Array.from({ length: 9 }, () => random.uniform());
          const stay = draw().map((x) => 0.5 * x);
          const stayWithOffer = stay.map((p) => p + (1 - p) * random.uniform());
          const people = { stay, stayWithOffer, value: draw().map((x) => 60 * x) };
          const plan = whoGetsAnOffer(people, { contactCost: 0.5, offerCost: 8 }, { budget });
          expect(plan.cost).toBeLessThanOrEqual(budget + 1e-9);
          const profit = offerProfit(people, { contactCost: 0.5, offerCost: 8 });
          const cost = stayWithOffer.map((p) => 0.5 + 8 * p);
          let best = 0;
          for (let set = 0; set < 2 ** 9; set++) {
            const chosen = cost.map((_, i) => (set >> i) & 1);
            const spent = sum(chosen.map((on, i) => on * (cost[i] as number)));
            if (spent <= budget)
              best = Math.max(best, sum(chosen.map((on, i) => on * (profit[i] as number))));
          }
          expect(plan.profit).toBeLessThanOrEqual(best + 1e-9);
          expect(best - plan.profit).toBeLessThan(Math.max(...profit) + 1e-9);
        },
      ),
      { seed: 1, numRuns: 60 },
    );
  });

  it("is an upper bound, and says so, where no uplift is known", () => {
    const { stay, value } = four;
    const bound = offerProfit({ stay, value }, costs);
    const plan = whoGetsAnOffer({ stay, value }, costs);
    expect(plan.warnings[0]).toMatch(/^no uplift is known: profits are upper bounds/);
    const random = randomSource(2);
    for (let run = 0; run < 200; run++) {
      const stayWithOffer = stay.map((p) => p + (1 - p) * random.uniform());
      // At the least those who are saved take the offer.
      const accept = stayWithOffer.map((p, i) => p - (stay[i] as number) * random.uniform());
      const profit = offerProfit({ stay, value, stayWithOffer, accept }, costs);
      for (const [row, gain] of profit.entries())
        expect(gain).toBeLessThanOrEqual((bound[row] as number) + 1e-9);
    }
  });

  it("refuses bad columns, costs and limits", () => {
    expect(() => offerProfit({ ...four, stay: [0.9, 50, 0.2, 0.6] }, costs)).toThrow(
      new DataError(
        "stay in row 2 must be a fraction from 0 to 1, got 50; a percentage must be divided by 100",
      ),
    );
    expect(() => offerProfit({ ...four, accept: [0.9, -0.1, 0, 0] }, costs)).toThrow(
      new DataError("accept in row 2 must be a fraction from 0 to 1, got -0.1"),
    );
    expect(() => whoGetsAnOffer({ ...four, stayWithOffer: [92, 0.7, 0.2, 0.5] }, costs)).toThrow(
      new DataError(
        "stayWithOffer in row 1 must be a fraction from 0 to 1, got 92; a percentage must be divided by 100",
      ),
    );
    expect(() => whoGetsAnOffer({ ...four, customer: ["a", "b", "c", "b"] }, costs)).toThrow(
      new DataError('customer in row 4 must be listed once, got "b" as in row 2'),
    );
    expect(() => offerProfit({ ...four, accept: [0.95, 0, 0, 0] }, costs)).toThrow(
      new DataError("accept in row 1 must be at most stayWithOffer 0.92, got 0.95"),
    );
    expect(() => offerProfit({ ...four, customer: ["a"] }, costs)).toThrow(
      new DataError("customer must have one value for each of the 4 rows, got 1"),
    );
    expect(() => offerProfit({ stay: [], value: [] }, costs)).toThrow(
      new DataError("candidates must have at least one row, got none"),
    );
    expect(() => offerProfit(four, { contactCost: -1, offerCost: 1 })).toThrow(
      new RangeError("contactCost must be a number from 0 up, got -1"),
    );
    expect(() => whoGetsAnOffer(four, costs, { number: 1, budget: 5 })).toThrow(
      new RangeError("limit must be a number or a budget, got both (1 and 5)"),
    );
    expect(() => whoGetsAnOffer(four, costs, { number: 1.5 })).toThrow(
      new RangeError("number must be a whole number from 0 up, got 1.5"),
    );
    expect(() => whoGetsAnOffer(four, costs, { budget: -5 })).toThrow(
      new RangeError("budget must be from 0 up, got -5"),
    );
  });
});

describe("rules of targeting", () => {
  it("end where everybody is contacted, and no rule beats the expected profit", () => {
    const random = randomSource(7);
    const stay = Array.from({ length: 500 }, () => drawBeta(random, 4, 1));
    const stayWithOffer = stay.map((p) => p + (1 - p) * 0.5 * random.uniform());
    const value = stay.map(() => 200 * random.uniform());
    const { curves, optima } = compareTargeting(
      { stay, stayWithOffer, value },
      { contactCost: 1, offerCost: 2 },
    );
    const names = curves.columnNames().slice(1);
    expect(names).toEqual(optima.map(({ rule }) => rule));
    const all = sum(offerProfit({ stay, stayWithOffer, value }, { contactCost: 1, offerCost: 2 }));
    const best = Array.from(curves.array("expected profit")) as number[];
    for (const [place, rule] of names.entries()) {
      const curve = Array.from(curves.array(rule)) as number[];
      expect(curve[0]).toBe(0);
      expect(curve.at(-1)).toBeCloseTo(all, 8);
      for (const [point, profit] of curve.entries())
        expect(profit).toBeLessThanOrEqual((best[point] as number) + 1e-9);
      expect(optima[place]?.profit).toBeLessThanOrEqual((optima[0]?.profit ?? 0) + 1e-9);
    }
    const plan = whoGetsAnOffer({ stay, stayWithOffer, value }, { contactCost: 1, offerCost: 2 });
    expect(optima[0]?.customers).toBe(plan.offers);
    expect(optima[0]?.profit).toBeCloseTo(plan.profit, 9);
    const random50 = (Array.from(curves.array("at random")) as number[])[50];
    expect(random50).toBeCloseTo(all / 2, 8);
  });

  it("by churn score pay for lost causes first", () => {
    // Ten lost causes with the highest risk, ten persuadable customers, ten sure ones.
    const rows = Array.from({ length: 30 }, (_, i) => i);
    const stay = rows.map((i) => (i < 10 ? 0.1 : i < 20 ? 0.6 : 0.99));
    const stayWithOffer = stay.map((p, i) => (i >= 10 && i < 20 ? p + 0.3 : p));
    const value = rows.map(() => 100);
    const { optima } = compareTargeting({ stay, stayWithOffer, value }, { contactCost: 2, offerCost: 10 });
    const profitOf = (rule: string): number => optima.find((one) => one.rule === rule)?.profit as number;
    expect(profitOf("uplift x value")).toBeCloseTo(10 * (30 - 2 - 9), 9);
    expect(profitOf("churn risk")).toBeCloseTo(10 * (30 - 2 - 9) - 10 * 3, 9);
    // Everybody: the ten sure ones cost 2 + 9.9 each.
    expect(profitOf("at random")).toBeCloseTo(190 - 30 - 119, 9);
    expect(() => compareTargeting({ stay, value }, costs)).toThrow(
      new DataError("stayWithOffer must be known to compare rules of targeting, got none"),
    );
    expect(() => compareTargeting({ stay, stayWithOffer, value }, costs, { points: 0 })).toThrow(
      new RangeError("points must be a whole number from 1 up, got 0"),
    );
  });
});

describe("balance of a contact", () => {
  it("is upside minus downside, and the offer profit of a group", () => {
    const group = { churners: 0.2, saved: 0.3, takers: 0.9, value: 100, offerCost: 5, contactCost: 1 };
    const { upside, downside, profit } = contactBalance(group);
    expect(upside).toBeCloseTo(6, 12);
    expect(downside).toBeCloseTo(1 + (0.06 + 0.72) * 5, 12);
    expect(profit).toBeCloseTo(upside - downside, 12);
    expect(contactBalance({ ...group, loyaltyGain: 0.1 }).upside).toBeCloseTo(6 + 0.72 * 10, 12);
    const same = offerProfit(
      { stay: [0.8], stayWithOffer: [0.86], accept: [0.78], value: [100] },
      { contactCost: 1, offerCost: 5 },
    );
    expect(same[0]).toBeCloseTo(profit, 12);
    expect(() => contactBalance({ ...group, saved: 30 })).toThrow(
      new RangeError("saved must be a fraction from 0 to 1, got 30; a percentage must be divided by 100"),
    );
  });
});

describe("maximum profit of a churn score", () => {
  const outcomes = [0, 1, 0, 1, 0, 1, 0, 1];
  const scores = [0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.8, 0.9];
  const terms = { value: 200, offerCost: 10, contactCost: 1 };

  it("is that of the documentation of empulse (mpc_score, empc_score), as of R's EMP", () => {
    const cutoff = maximumProfitCutoff(scores, outcomes, { ...terms, acceptance: 0.3 });
    expect(cutoff.profit).toBeCloseTo(23.875, 12);
    expect(cutoff).toMatchObject({ share: 0.875, score: 0.2 });
    const expected = expectedMaximumProfit(scores, outcomes, { ...terms, alpha: 6, beta: 14 });
    expect(expected.profit).toBeCloseTo(23.875593418348124, 12);
  });

  it("is the mean over the acceptance of the best cut-off for each", () => {
    const random = randomSource(21);
    const risk = Array.from({ length: 400 }, () => Math.round(20 * random.uniform()) / 20); // with ties
    const left = risk.map((p) => Number(random.uniform() < 0.1 + 0.4 * p));
    const { profit, share } = expectedMaximumProfit(risk, left, {
      ...terms,
      offerCost: 40,
      alpha: 2,
      beta: 5,
    });
    const draws = 4000;
    const best = Array.from({ length: draws }, () =>
      maximumProfitCutoff(risk, left, { ...terms, offerCost: 40, acceptance: drawBeta(random, 2, 5) }),
    );
    for (const [value, of] of [
      [profit, (one: (typeof best)[number]) => one.profit],
      [share, (one: (typeof best)[number]) => one.share],
    ] as const) {
      const mean = sum(best.map(of)) / draws;
      const error = Math.sqrt(sum(best.map((one) => (of(one) - mean) ** 2)) / draws / draws);
      expect(Math.abs(value - mean)).toBeLessThan(3 * error);
    }
  });

  it("is 0 if no contact pays, and everybody's profit if all do", () => {
    const dear = { value: 20, offerCost: 19, contactCost: 5 };
    expect(maximumProfitCutoff(scores, outcomes, { ...dear, acceptance: 0.1 })).toEqual({
      profit: 0,
      share: 0,
      score: undefined,
    });
    expect(expectedMaximumProfit(scores, outcomes, { ...dear, alpha: 6, beta: 14 })).toEqual({
      profit: 0,
      share: 0,
    });
    const free = { value: 100, offerCost: 0, contactCost: 0 };
    expect(expectedMaximumProfit(scores, outcomes, { ...free, alpha: 6, beta: 14 }).profit).toBeCloseTo(
      15,
      10,
    );
    expect(() =>
      maximumProfitCutoff(scores, outcomes, { ...terms, offerCost: 200, acceptance: 0.3 }),
    ).toThrow(new RangeError("offerCost must be below the value 200, got 200"));
    expect(() => expectedMaximumProfit(scores, outcomes, { ...terms, alpha: 0, beta: 14 })).toThrow(
      new RangeError("alpha must be a number above 0, got 0"),
    );
  });
});
