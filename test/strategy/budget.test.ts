import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Random, randomSource } from "../../src/numeric/random.js";
import { blattbergDeighton, valueWhenAcquired } from "../../src/strategy/balance.js";
import {
  type Allocation,
  acquisitionUse,
  adbudgResponse,
  allocateBudget,
  frontier,
  nextEuros,
  rateResponse,
  retentionUse,
  spendChanges,
  type Use,
} from "../../src/strategy/budget.js";

const uniform = (random: Random, low: number, high: number): number => low + (high - low) * random.uniform();

/** A concave use with random bounds. */
function concaveUse(random: Random, name: string): Use {
  const lower = random.uniform() < 0.3 ? uniform(random, 0, 50) : 0;
  const terms = {
    name,
    segment: `segment ${name}`,
    channel: "mail",
    lower,
    ...(random.uniform() < 0.4 && { upper: lower + uniform(random, 0, 500) }),
  };
  const ceiling = uniform(random, 0.05, 0.9);
  const size = uniform(random, 10, 500);
  const worth = uniform(random, 1, 100);
  if (random.uniform() < 0.5) {
    const curve = rateResponse({ ceiling, responsiveness: uniform(random, 0.05, 2) });
    return acquisitionUse({ ...terms, prospects: size, curve, valuePerCustomer: worth });
  }
  const retention = adbudgResponse({ ceiling, halfway: uniform(random, 0.5, 5), steepness: 1 });
  return retentionUse({ ...terms, customers: size, retention, valueOfRetained: worth });
}

/** An S-shaped use without bounds. */
const sShapedUse = (random: Random, name: string): Use =>
  acquisitionUse({
    name,
    segment: "all",
    channel: name,
    prospects: uniform(random, 10, 50),
    curve: adbudgResponse({
      ceiling: uniform(random, 0.1, 0.9),
      halfway: uniform(random, 0.5, 4),
      steepness: uniform(random, 1.2, 5),
    }),
    valuePerCustomer: uniform(random, 5, 50),
  });

const problem = (seed: number, size: number): { uses: Use[]; least: number; random: Random } => {
  const random = randomSource(seed);
  const uses = Array.from({ length: size }, (_, i) => concaveUse(random, `use ${i}`));
  return { uses, least: uses.reduce((sum, { lower = 0 }) => sum + lower, 0), random };
};

const worthOf = (uses: readonly Use[], spends: readonly number[], unit: number): number =>
  uses.reduce((sum, use, i) => sum + use.value(spends[i] as number) - unit * (spends[i] as number), 0);
const goalOf = ({ objective, netValue, value }: Allocation): number =>
  objective === "value" ? value : netValue;
const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

describe("a budget divided among uses with falling returns", () => {
  it("has the solution of two uses in closed form", () => {
    // Values 100 ln(1 + x) and 50 ln(1 + x): marginal values 100 / (1 + x) = 50 / (1 + y), x + y = 13, so x = 9, y = 4.
    const log = (name: string, scale: number): Use => ({
      name,
      segment: "all",
      channel: name,
      value: (spend) => scale * Math.log1p(spend),
      marginal: (spend) => scale / (1 + spend),
    });
    const uses = [log("a", 100), log("b", 50)];
    const best = allocateBudget(uses, 13);
    expect(best.uses[0]?.spend).toBeCloseTo(9, 12);
    expect(best.uses[1]?.spend).toBeCloseTo(4, 12);
    expect(best.shadowPrice).toBeCloseTo(10 - 1, 12);
    expect(allocateBudget(uses, 13, { objective: "value" }).shadowPrice).toBeCloseTo(10, 12);
    expect(best).toMatchObject({ slack: 0, stoppedBy: "the budget", gap: 0 });
    // Unlimited money goes where it brings back 1: spends of 99 and 49.
    const rich = allocateBudget(uses, 1000);
    expect(rich.spend).toBeCloseTo(148, 10);
    expect(rich).toMatchObject({ shadowPrice: 0, stoppedBy: "more would not pay" });
    expect(rich.slack).toBeCloseTo(852, 10);
    const bounded = uses.map((use) => ({ ...use, upper: 20 }));
    expect(allocateBudget(bounded, 1000)).toMatchObject({ spend: 40, stoppedBy: "upper bounds", slack: 960 });
  });

  it("meets the conditions of Karush, Kuhn and Tucker", () => {
    fc.assert(
      fc.property(
        fc.nat(1e6),
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom("net value" as const, "value" as const),
        fc.double({ min: 0, max: 1500, noNaN: true }),
        (seed, size, objective, more) => {
          const { uses, least } = problem(seed, size);
          const best = allocateBudget(uses, least + more, { objective });
          const price = best.shadowPrice + (objective === "net value" ? 1 : 0);
          for (const [i, { spend, marginal, bound }] of best.uses.entries()) {
            const { lower = 0, upper = Number.POSITIVE_INFINITY } = uses[i] as Use;
            expect(spend).toBeGreaterThanOrEqual(lower);
            expect(spend).toBeLessThanOrEqual(upper);
            if (bound === "none") expect(Math.abs(marginal - price)).toBeLessThanOrEqual(1e-10 * price);
            else if (upper > lower && bound === "lower")
              expect(marginal).toBeLessThanOrEqual(price * (1 + 1e-12));
            else if (upper > lower) expect(marginal).toBeGreaterThanOrEqual(price * (1 - 1e-12));
          }
          expect(best.spend).toBeLessThanOrEqual((least + more) * (1 + 1e-12));
          if (best.stoppedBy === "the budget") expect(best.spend).toBeCloseTo(least + more, 9);
          else expect(best.shadowPrice).toBe(0);
        },
      ),
      { seed: 11, numRuns: 150 },
    );
  });

  it("is beaten by none of 1,000 random divisions", () => {
    for (const objective of ["net value", "value"] as const) {
      const { uses, least, random } = problem(3, 8);
      const budget = least + 600;
      const best = allocateBudget(uses, budget, { objective });
      const unit = objective === "net value" ? 1 : 0;
      let possible = 0;
      for (let trial = 0; trial < 1000; trial++) {
        const near = trial % 2 === 0; // half of them move money about the best division, half are from anywhere
        const weights = uses.map((use, i) =>
          near
            ? (best.uses[i]?.spend as number) * uniform(random, 0.9, 1.1)
            : uniform(random, 0, use.upper ?? budget),
        );
        const scale = Math.min(1, budget / sumOf(weights));
        const spends = uses.map(({ lower = 0, upper = Number.POSITIVE_INFINITY }, i) =>
          Math.min(upper, Math.max(lower, scale * (weights[i] as number))),
        );
        if (sumOf(spends) > budget) continue;
        possible += 1;
        expect(worthOf(uses, spends, unit)).toBeLessThanOrEqual(goalOf(best) * (1 + 1e-12));
      }
      expect(possible).toBeGreaterThan(200);
    }
  });

  it("grows with the budget at the shadow price", () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.double({ min: 1, max: 800, noNaN: true }), (seed, more) => {
        const { uses, least } = problem(seed, 6);
        const budget = least + more;
        const step = 1e-4 * more;
        const [below, at, above] = [budget - step, budget, budget + step].map((money) =>
          allocateBudget(uses, money, { objective: "value" }),
        ) as [Allocation, Allocation, Allocation];
        expect(above.value).toBeGreaterThanOrEqual(at.value - 1e-12 * at.value);
        // The value is concave in the budget, so its slope lies between the differences on both sides.
        const rounding = (1e-12 * at.value) / step;
        expect((above.value - at.value) / step).toBeLessThanOrEqual(at.shadowPrice + rounding);
        expect((at.value - below.value) / step).toBeGreaterThanOrEqual(at.shadowPrice - rounding);
        for (const [i, { spend }] of at.uses.entries()) {
          expect(above.uses[i]?.spend).toBeGreaterThanOrEqual(spend * (1 - 1e-12));
        }
      }),
      { seed: 12, numRuns: 60 },
    );
  });

  it("agrees with one market's optimum when acquisition and retention are uses", () => {
    const spec = {
      acquisition: { ceiling: 0.4, responsiveness: 0.1 },
      retention: { ceiling: 0.7, responsiveness: 0.05 },
      margin: 50,
      discountRate: 0.2,
    };
    const best = blattbergDeighton(spec);
    const worth = valueWhenAcquired(spec, best.retentionSpend);
    const money = allocateBudget(
      [
        acquisitionUse({
          name: "acquire",
          segment: "all",
          channel: "a",
          prospects: 7,
          curve: rateResponse(spec.acquisition),
          valuePerCustomer: worth,
        }),
        retentionUse({
          name: "retain",
          segment: "all",
          channel: "r",
          customers: 3,
          retention: rateResponse(spec.retention),
          valueOfRetained: worth,
        }),
      ],
      1000,
    );
    expect(money.uses[0]?.spend).toBeCloseTo(7 * best.acquisitionSpend, 9);
    expect(money.uses[1]?.spend).toBeCloseTo(3 * best.retentionSpend, 9);
  });

  it("divides what linear uses of one slope share, and holds at the edges", () => {
    const line = (name: string, slope: number, upper = Number.POSITIVE_INFINITY): Use => ({
      name,
      segment: "all",
      channel: name,
      upper,
      value: (spend) => slope * spend,
      marginal: () => slope,
    });
    const tied = allocateBudget([line("a", 3), line("b", 3), line("c", 5, 4)], 10);
    expect(tied.spend).toBeCloseTo(10, 12);
    expect(tied.uses[2]).toMatchObject({ spend: 4, bound: "upper" });
    expect(tied.netValue).toBeCloseTo(2 * 6 + 4 * 4, 12);
    expect(tied.shadowPrice).toBeCloseTo(2, 12);
    expect(allocateBudget([line("a", 3)], 0)).toMatchObject({
      spend: 0,
      netValue: 0,
      stoppedBy: "the budget",
    });
    expect(allocateBudget([line("a", 3), line("b", 4)], 0).shadowPrice).toBeCloseTo(3, 12);
    expect(allocateBudget([line("a", 0.9)], 10)).toMatchObject({ spend: 0, stoppedBy: "more would not pay" });
    expect(allocateBudget([line("a", -2)], 10, { objective: "value" }).spend).toBe(0);
  });
});

describe("groups with bounds", () => {
  const { uses } = problem(21, 6);
  const grouped = uses.map((use, i) => ({ ...use, lower: 0, group: i < 3 ? "online" : "offline" }));
  const onlineSpend = ({ uses: rows }: Allocation): number =>
    sumOf(rows.slice(0, 3).map(({ spend }) => spend));
  const budget = 400;
  const free = allocateBudget(grouped, budget, { groups: { online: {}, offline: {} } });

  it("change nothing where they do not bind", () => {
    const { uses: rows } = allocateBudget(
      grouped.map(({ group, ...use }) => use),
      budget,
    );
    expect(free.uses).toEqual(rows);
    expect(free.groups.map(({ bound }) => bound)).toEqual(["none", "none"]);
    expect(free.groups[0]?.spend).toBeCloseTo(onlineSpend(free), 10);
  });

  it("make of each group a budget of its own where they bind", () => {
    for (const [bounds, bound] of [
      [{ upper: 0.6 * onlineSpend(free) }, "upper"],
      [{ lower: 1.3 * onlineSpend(free) }, "lower"],
    ] as const) {
      const held = allocateBudget(grouped, budget, { groups: { online: bounds, offline: {} } });
      const limit = "upper" in bounds ? bounds.upper : bounds.lower;
      const inside = allocateBudget(grouped.slice(0, 3), limit, {
        groups: { online: { lower: limit } },
      });
      const outside = allocateBudget(grouped.slice(3), budget - limit, { groups: { offline: {} } });
      expect(held.groups[0]).toMatchObject({ name: "online", bound });
      expect(held.groups[0]?.spend).toBeCloseTo(limit, 9);
      expect(held.netValue).toBeCloseTo(inside.netValue + outside.netValue, 8);
      expect(held.shadowPrice).toBeCloseTo(outside.shadowPrice, 10);
      const dearer = held.groups[0]?.shadowPrice as number;
      if (bound === "upper") expect(dearer).toBeGreaterThan(held.shadowPrice);
      else expect(dearer).toBeLessThan(held.shadowPrice);
      const inner = held.uses.slice(0, 3).filter((use) => use.bound === "none");
      expect(inner.length).toBeGreaterThan(0);
      for (const { marginal } of inner) {
        expect(marginal - 1).toBeCloseTo(dearer, 9);
      }
      expect(held.netValue).toBeLessThan(free.netValue);
    }
  });
});

describe("S-shaped uses", () => {
  it("are divided as well as by brute force", () => {
    const steps = 40;
    for (let seed = 0; seed < 15; seed++) {
      const random = randomSource(seed);
      const uses = [sShapedUse(random, "a"), sShapedUse(random, "b"), sShapedUse(random, "c")];
      const budget = uniform(random, 10, 250);
      const best = allocateBudget(uses, budget);
      let most = Number.NEGATIVE_INFINITY;
      for (let a = 0; a <= steps; a++) {
        for (let b = 0; a + b <= steps; b++) {
          for (let c = 0; a + b + c <= steps; c++) {
            const spends = [a, b, c].map((part) => (part / steps) * budget);
            most = Math.max(most, worthOf(uses, spends, 1));
          }
        }
      }
      expect(best.netValue).toBeGreaterThanOrEqual(most - 1e-9 * Math.abs(most));
      expect(best.gap).toBeLessThanOrEqual(1e-9 * (Math.abs(best.netValue) + best.spend));
      expect(best.spend).toBeLessThanOrEqual(budget * (1 + 1e-12));
    }
  });

  it("may get all or nothing where concave uses would share", () => {
    const curve = adbudgResponse({ ceiling: 1, halfway: 10, steepness: 4 });
    const twin = (name: string): Use =>
      acquisitionUse({ name, segment: "all", channel: name, prospects: 1, curve, valuePerCustomer: 100 });
    const best = allocateBudget([twin("a"), twin("b")], 14);
    expect(best.uses.map(({ spend }) => spend).sort((a, b) => a - b)).toEqual([0, expect.closeTo(14, 9)]);
    // Shared, 7 each would bring 100 x 2 x .7^4 / (1 + .7^4); alone, 14 bring 100 x 1.4^4 / (1 + 1.4^4).
    expect(best.value).toBeCloseTo((100 * 1.4 ** 4) / (1 + 1.4 ** 4), 8);
  });

  it("have the inflection that their marginal values turn at", () => {
    const { inflection = 0, marginal, response } = adbudgResponse({ ceiling: 2, halfway: 3, steepness: 2.5 });
    expect(marginal(inflection)).toBeGreaterThan(marginal(inflection * 0.99));
    expect(marginal(inflection)).toBeGreaterThan(marginal(inflection * 1.01));
    expect(response(3)).toBe(1);
    expect([response(0), marginal(0), response(1e200), marginal(1e200)]).toEqual([0, 0, 2, 0]);
    expect((response(2.0001) - response(1.9999)) / 0.0002).toBeCloseTo(marginal(2), 8);
    expect(() => adbudgResponse({ ceiling: 1, halfway: 1, steepness: 0.5 })).toThrow(
      new RangeError("steepness must be a number from 1 up, got 0.5"),
    );
    expect(() => adbudgResponse({ ceiling: 1, halfway: 0, steepness: 2 })).toThrow(
      new RangeError("halfway must be a number above 0, got 0"),
    );
  });
});

describe("the frontier", () => {
  it("gives value and price by budget", () => {
    const { uses, least } = problem(5, 4);
    const budgets = [least, least + 100, least + 200];
    const table = frontier(uses, budgets);
    expect(table.columnNames()).toEqual(["budget", "spend", "value", "net_value", "shadow_price", "gap"]);
    for (const [row, budget] of budgets.entries()) {
      const best = allocateBudget(uses, budget);
      expect(table.get("net_value", row)).toBe(best.netValue);
      expect(table.get("shadow_price", row)).toBe(best.shadowPrice);
    }
    expect(() => frontier(uses, [])).toThrow(
      new RangeError("budgets must hold at least one budget, got none"),
    );
  });
});

describe("the next euros", () => {
  const { uses } = problem(31, 5);
  const open = uses.map(({ upper, ...use }) => ({ ...use, lower: 0 }));
  const current = Object.fromEntries(open.map(({ name }, i) => [name, 20 + 10 * i]));

  it("go where they bring most, nothing being taken away", () => {
    const next = nextEuros(open, current, 50, { objective: "value" });
    expect(next.spent).toBeCloseTo(50, 10);
    const added = next.uses.map(({ from, to }) => to - from);
    expect(Math.min(...added)).toBeGreaterThanOrEqual(0);
    for (const { from, to, marginalBefore, marginalAfter } of next.uses) {
      if (to > from) expect(marginalAfter).toBeCloseTo(next.shadowPrice, 9);
      else expect([marginalAfter, marginalBefore <= next.shadowPrice]).toEqual([marginalBefore, true]);
    }
    const from = next.uses.map((use) => use.from);
    const to = next.uses.map((use) => use.to);
    const scaled = from.map((spend) => spend * (1 + 50 / sumOf(from)));
    expect(next.gain).toBeCloseTo(worthOf(open, to, 0) - worthOf(open, from, 0), 10);
    expect(next.gainOverProportional).toBeCloseTo(worthOf(open, to, 0) - worthOf(open, scaled, 0), 10);
    expect(next.gainOverProportional).toBeGreaterThan(0);
    expect(next.gain).toBeGreaterThan(next.gainOverProportional);
    const nothing = Object.fromEntries(open.map(({ name }) => [name, 0]));
    expect(nextEuros(open, nothing, 50).gain).toBeCloseTo(
      allocateBudget(open, 50).netValue - worthOf(open, [0, 0, 0, 0, 0], 0),
      10,
    );
  });

  it("have intervals over draws", () => {
    const random = randomSource(2);
    const scaled = (factor: number): Use[] =>
      open.map((use) => ({
        ...use,
        value: (spend) => factor * use.value(spend),
        marginal: (spend) => factor * use.marginal(spend),
      }));
    const draws = Array.from({ length: 100 }, () => scaled(uniform(random, 0.8, 1.2)));
    const next = nextEuros(open, current, 50, { objective: "value", draws });
    // Only the scale is uncertain: the division is not, and the gain scales with it.
    for (const { to, interval } of next.uses) {
      expect(interval?.low).toBeCloseTo(to, 8);
      expect(interval?.high).toBeCloseTo(to, 8);
    }
    expect((next.gainInterval?.low ?? 0) / next.gain).toBeGreaterThan(0.8);
    expect((next.gainInterval?.low ?? 0) / next.gain).toBeLessThan(0.9);
    expect((next.gainOverProportionalInterval?.high ?? 0) / next.gainOverProportional).toBeGreaterThan(1.1);
    expect(() => nextEuros(open, current, 50, { draws: draws.slice(0, 3) })).toThrow(
      new RangeError("draws must hold at least 20 draws, got 3"),
    );
    const other = draws.map((drawn) => drawn.slice(0, 1));
    expect(() => nextEuros(open, current, 50, { draws: other })).toThrow(
      new RangeError("draws must hold the uses use 0, use 1, use 2, use 3, use 4, got use 0"),
    );
  });

  it("need to know what is spent now", () => {
    expect(() => nextEuros(open, { ...current, "use 2": -1 }, 50)).toThrow(
      new RangeError('current spend of "use 2" must be a number from 0 to Infinity, got -1'),
    );
    expect(() => spendChanges(open, {}, allocateBudget(open, 10))).toThrow(
      new RangeError('current spend of "use 0" must be a number from 0 to Infinity, got undefined'),
    );
  });
});

describe("bad input", () => {
  const good: Use = {
    name: "mail",
    segment: "all",
    channel: "mail",
    value: (spend) => 10 * Math.log1p(spend),
    marginal: (spend) => 10 / (1 + spend),
  };
  const refused = (uses: readonly Use[], budget: number, message: string, groups = {}): void =>
    expect(() => allocateBudget(uses, budget, { groups })).toThrow(new RangeError(message));

  it("is named", () => {
    refused([good], -1, "budget must be a number from 0 up, got -1");
    refused([], 1, "uses must hold at least one use, got none");
    refused([good, good], 1, 'uses must have different names, got "mail" twice');
    refused([{ ...good, lower: 5 }], 3, "budget must be at least the lower bounds together, 5, got 3");
    refused(
      [{ ...good, lower: 5, upper: 4 }],
      9,
      'upper of use "mail" must be a number from its lower 5 up, got 4',
    );
    refused(
      [{ ...good, group: "web" }],
      9,
      'group of use "mail" must be one of the groups (shops), got "web"',
      { shops: {} },
    );
    refused(
      [{ ...good, upper: 5, group: "web" }],
      9,
      'group "web" must have bounds that its uses can meet: they take 0 to 5, got 6 to Infinity',
      { web: { lower: 6 } },
    );
    expect(() =>
      acquisitionUse({
        name: "ads",
        segment: "all",
        channel: "ads",
        prospects: 0,
        curve: rateResponse({ ceiling: 0.4, responsiveness: 1 }),
        valuePerCustomer: 10,
      }),
    ).toThrow(new RangeError('prospects of "ads" must be a number above 0, got 0'));
    expect(() =>
      retentionUse({
        name: "calls",
        segment: "all",
        channel: "calls",
        customers: 5,
        retention: rateResponse({ ceiling: 0.4, responsiveness: 1 }),
        valueOfRetained: Number.NaN,
      }),
    ).toThrow(new RangeError('valueOfRetained of "calls" must be a number from 0 up, got NaN'));
    const ads = { name: "ads", segment: "all", channel: "ads", prospects: 10 };
    const curve = rateResponse({ ceiling: 0.4, responsiveness: 1 });
    expect(() => acquisitionUse({ ...ads, curve, valuePerCustomer: -5 })).toThrow(
      new RangeError(
        'valuePerCustomer of "ads" must be a number from 0 up, got -5: nothing spent on it pays, leave it out',
      ),
    );
    expect(() => rateResponse({ ceiling: 40, responsiveness: 1 })).toThrow(
      "curve.ceiling must be a fraction from 0 to 1, got 40; a percentage must be divided by 100",
    );
  });

  it("such as a convex use that is called concave, a false derivative or an infinite one, is found", () => {
    const convex = { ...good, value: (x: number) => x * x, marginal: (x: number) => 2 * x };
    expect(() => allocateBudget([good, { ...convex, name: "tv" }], 10)).toThrow(
      /^use "tv" must have a marginal value that falls from a spend of 0 on \(name the inflection of an S-shaped use\), got 0 at 0 and /,
    );
    expect(() => allocateBudget([{ ...good, inflection: 5 }], 10)).toThrow(
      /^use "mail" must have a marginal value that rises up to its inflection 5, got 10 at 0 and /,
    );
    expect(() => allocateBudget([{ ...good, marginal: (x) => 11 / (1 + x) }], 10)).toThrow(
      /^marginal of use "mail" must be the derivative of its value: between spends of 0 and /,
    );
    const root = { ...good, value: Math.sqrt, marginal: (x: number) => 0.5 / Math.sqrt(x) };
    refused(
      [root],
      10,
      'use "mail" must have a finite value and marginal value, got 0 and Infinity at a spend of 0: give it a lower bound above that, such as 1',
    );
    expect(allocateBudget([{ ...root, lower: 1 }], 10, { objective: "value" }).spend).toBe(10);
  });
});
