import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.js";
import { hessianOf } from "../../src/numeric/derivatives.js";
import { invertSymmetric } from "../../src/numeric/matrix.js";
import { randomSource } from "../../src/numeric/random.js";
import { drawBeta, drawBinomial } from "../../src/numeric/sampling.js";
import {
  compareTargeting,
  contactBalance,
  expectedMaximumProfit,
  fitSavedCurve,
  maximumProfitCutoff,
  offerProfit,
  savedCurveInterval,
  savedShare,
  stayRate,
  upliftFromTrial,
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
      new DataError("stay in row 2 must be a fraction from 0 to 1, got 50"),
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
      new RangeError("contactCost must be a finite number from 0 up, got -1"),
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
  });
});

describe("uplift of a trial", () => {
  const control = { arm: "control", customers: 80, stayed: 48 };

  it("has Newcombe's limits", () => {
    // Newcombe (1998), Statistics in Medicine 17, table II, method 10: 56/70 - 48/80, 9/10 - 3/10, 5/56 - 0/29.
    const { arms } = upliftFromTrial([control, { arm: "offer", customers: 70, stayed: 56 }]);
    expect(arms[0]?.uplift).toBeCloseTo(0.2, 12);
    expect(arms[0]?.low).toBeCloseTo(0.0524, 4);
    expect(arms[0]?.high).toBeCloseTo(0.3339, 4);
    const limits = (stayed: number, customers: number, base: number, size: number) => {
      const [arm] = upliftFromTrial([
        { arm: "control", customers: size, stayed: base },
        { arm: "offer", customers, stayed },
      ]).arms;
      return [arm?.low, arm?.high];
    };
    expect(limits(9, 10, 3, 10)[0]).toBeCloseTo(0.1705, 4);
    expect(limits(9, 10, 3, 10)[1]).toBeCloseTo(0.809, 4);
    expect(limits(5, 56, 0, 29)[0]).toBeCloseTo(-0.0381, 4);
    expect(limits(5, 56, 0, 29)[1]).toBeCloseTo(0.1926, 4);
  });

  it("covers uplift, pooled uplift and saved share as often as it says", () => {
    const random = randomSource(31);
    const runs = 500;
    const hits = [0, 0, 0, 0];
    for (let run = 0; run < runs; run++) {
      const { arms } = upliftFromTrial(
        [
          { arm: "control", stratum: "Small", customers: 120, stayed: drawBinomial(random, 120, 0.7) },
          { arm: "control", stratum: "Large", customers: 100, stayed: drawBinomial(random, 100, 0.85) },
          { arm: "offer", stratum: "Small", customers: 120, stayed: drawBinomial(random, 120, 0.76) },
          { arm: "offer", stratum: "Large", customers: 100, stayed: drawBinomial(random, 100, 0.91) },
        ],
        { level: 0.9 },
      );
      const [arm] = arms;
      if (!arm) throw new Error("an arm is missing");
      const leave = (small: number, large: number): number => (120 * small + 100 * large) / 220;
      const saved = 1 - leave(0.24, 0.09) / leave(0.3, 0.15);
      const covers = ({ low, high }: { low: number; high: number }, truth: number): number =>
        Number(low <= truth && truth <= high);
      hits[0] = (hits[0] as number) + covers(arm, 0.06);
      hits[1] = (hits[1] as number) + covers(arm.pooled, 0.06);
      hits[2] = (hits[2] as number) + covers(arm.saved, saved);
      hits[3] = (hits[3] as number) + Number((arm.heterogeneity?.p ?? 0) > 0.1);
    }
    // Pooled over unlike strata, the crude limits are a little wide: at most 2 points, beside the error of the count.
    const error = 3 * Math.sqrt(0.09 / runs);
    for (const count of hits) expect(Math.abs(count / runs - 0.9)).toBeLessThan(error + 0.02);
  });

  it("pools strata in which arms were mixed differently", () => {
    // Simpson: no effect in either stratum, but the offer went to the loyal one.
    const [arm] = upliftFromTrial([
      { arm: "control", stratum: "loyal", customers: 100, stayed: 90 },
      { arm: "control", stratum: "new", customers: 900, stayed: 450 },
      { arm: "offer", stratum: "loyal", customers: 900, stayed: 810 },
      { arm: "offer", stratum: "new", customers: 100, stayed: 50 },
    ]).arms;
    expect(arm?.uplift).toBeCloseTo(0.32, 12);
    expect(arm?.pooled.uplift).toBeCloseTo(0, 12);
    expect(arm?.strata.map(({ stratum, uplift }) => [stratum, uplift])).toEqual([
      ["loyal", 0],
      ["new", 0],
    ]);
    expect(arm?.heterogeneity?.chiSquare).toBeCloseTo(0, 12);
    const variance = (90 ** 2 * (0.09 / 900 + 0.09 / 100) + 90 ** 2 * (0.25 / 100 + 0.25 / 900)) / 180 ** 2;
    expect(arm?.pooled.standardError).toBeCloseTo(Math.sqrt(variance), 12);
  });

  it("finds strata that differ, and keeps one stratum simple", () => {
    const [arm] = upliftFromTrial([
      { arm: "control", stratum: "a", customers: 500, stayed: 400 },
      { arm: "offer", stratum: "a", customers: 500, stayed: 450 },
      { arm: "control", stratum: "b", customers: 500, stayed: 400 },
      { arm: "offer", stratum: "b", customers: 500, stayed: 380 },
    ]).arms;
    expect(arm?.heterogeneity).toMatchObject({ degreesOfFreedom: 1 });
    expect(arm?.heterogeneity?.p).toBeLessThan(0.001);
    const [alone] = upliftFromTrial([control, { arm: "offer", customers: 70, stayed: 70 }]).arms;
    expect(alone?.heterogeneity).toBeUndefined();
    expect(alone?.saved.share).toBe(1);
    expect(alone?.saved.high).toBeCloseTo(1, 12);
    expect(alone?.saved.low).toBeGreaterThan(0.8);
  });

  it("turns over with the sign of the answer", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 39 }), (a, b) => {
        const [arm] = upliftFromTrial([
          { arm: "control", customers: 40, stayed: b },
          { arm: "offer", customers: 40, stayed: a },
        ]).arms;
        expect(arm?.low).toBeLessThanOrEqual(arm?.uplift as number);
        expect(arm?.high).toBeGreaterThanOrEqual(arm?.uplift as number);
        expect(arm?.saved.low).toBeLessThanOrEqual((arm?.saved.share as number) + 1e-12);
        expect(arm?.saved.high).toBeGreaterThanOrEqual((arm?.saved.share as number) - 1e-12);
        expect(Math.sign(arm?.saved.share as number)).toBe(Math.sign((arm?.uplift as number) + 0));
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  it("refuses trials that are none", () => {
    expect(() => upliftFromTrial([control])).toThrow(
      new DataError('arms must be "control" and at least one other, got control'),
    );
    expect(() => upliftFromTrial([control, { arm: "offer", customers: 10, stayed: 11 }])).toThrow(
      new DataError("arm offer in row 2: stayed must be a whole number from 0 to 10, got 11"),
    );
    expect(() =>
      upliftFromTrial([control, { arm: "offer", stratum: "b", customers: 10, stayed: 1 }]),
    ).toThrow(new DataError("stratum all must have arm offer once, got 0 rows"));
    expect(() =>
      upliftFromTrial([
        { ...control, stayed: 80 },
        { arm: "offer", customers: 10, stayed: 1 },
      ]),
    ).toThrow(new DataError("arm control must have customers who left, but all 80 stayed"));
  });
});

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
    expect(fit.identification.ridge).toContain("ceiling");
    expect(fit.warnings.join(" ")).toMatch(/weakly identified/);
    // The curve itself is known all the same.
    expect(stayRate(fit.parameters, 2)).toBeCloseTo(0.808, 3);
  });

  it("refuses amounts and counts that say nothing", () => {
    expect(() => fitSavedCurve(exact.slice(0, 2))).toThrow(
      new DataError("arms must have at least three different amounts, got 0, 5"),
    );
    expect(() => fitSavedCurve([{ amount: -1, customers: 10, stayed: 1 }])).toThrow(
      new RangeError("amount in row 1 must be a finite number from 0 up, got -1"),
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
