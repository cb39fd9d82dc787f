import { table } from "arquero";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AttributionRule, attribute } from "../../src/acquisition/attribution.js";
import { type TouchPath, touchPaths } from "../../src/acquisition/touch-paths.js";
import { DataError } from "../../src/core/errors.js";

const rules: readonly AttributionRule[] = [
  { rule: "first touch" },
  { rule: "last touch" },
  { rule: "last non-direct", direct: "d" },
  { rule: "linear" },
  { rule: "time decay", halfLife: 7 },
  { rule: "position-based" },
  { rule: "Markov" },
  { rule: "Shapley" },
];
const anyPath = fc
  .record({
    channels: fc.array(fc.constantFrom("a", "b", "c", "d"), { minLength: 1, maxLength: 6 }),
    gaps: fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 6, maxLength: 6 }),
    converted: fc.integer({ min: 0, max: 9 }),
    lost: fc.integer({ min: 1, max: 9 }),
  })
  .map(({ channels, gaps, converted, lost }) => {
    let day = 0;
    return { channels, days: channels.map((_, touch) => (day += gaps[touch] as number)), converted, lost };
  });
const anyPaths = fc
  .array(anyPath, { minLength: 1, maxLength: 12 })
  .filter((paths) => paths.some(({ converted }) => converted > 0));
const one: TouchPath = {
  channels: ["a", "b", "c", "a", "d"],
  days: [0, 3, 7, 7, 14],
  converted: 10,
  lost: 0,
};

describe("rules of attribution", () => {
  it("divide a path by hand", () => {
    const credits = (rule: AttributionRule) => attribute([one], rule).credits;
    expect(credits({ rule: "first touch" })).toEqual({ a: 10, b: 0, c: 0, d: 0 });
    expect(credits({ rule: "last touch" })).toEqual({ a: 0, b: 0, c: 0, d: 10 });
    expect(credits({ rule: "last non-direct", direct: "d" })).toEqual({ a: 10, b: 0, c: 0, d: 0 });
    expect(credits({ rule: "linear" })).toEqual({ a: 4, b: 2, c: 2, d: 2 });
    // 40 % to a, 40 % to d, and b, c, a a third of 20 % each.
    const position = credits({ rule: "position-based" });
    expect(position["a"]).toBeCloseTo(4 + 2 / 3, 12);
    expect(position["b"]).toBeCloseTo(2 / 3, 12);
    expect(position["d"]).toBeCloseTo(4, 12);
    // Weights 1/4, 2^(-11/7), 1/2, 1/2 and 1 with a half-life of a week.
    const middle = 2 ** (-11 / 7);
    const all = 0.25 + middle + 0.5 + 0.5 + 1;
    const decay = credits({ rule: "time decay", halfLife: 7 });
    expect(decay["a"]).toBeCloseTo((10 * 0.75) / all, 12);
    expect(decay["b"]).toBeCloseTo((10 * middle) / all, 12);
    expect(decay["d"]).toBeCloseTo(10 / all, 12);
    expect(credits({ rule: "Shapley" })).toEqual({ a: 2.5, b: 2.5, c: 2.5, d: 2.5 });
  });

  it("credit a direct visit only if there is nothing else, and halves to two touches", () => {
    const direct = { channels: ["d", "d"], converted: 4, lost: 1 };
    expect(attribute([direct], { rule: "last non-direct", direct: "d" }).credits).toEqual({ d: 4 });
    const two = { channels: ["b", "a"], converted: 4, lost: 1 };
    expect(attribute([two], { rule: "position-based", ends: 0.3 }).credits).toEqual({ a: 2, b: 2 });
  });

  it.each(rules)("$rule: credits add up to the conversions, and are none below 0", (rule) => {
    fc.assert(
      fc.property(anyPaths, (paths) => {
        const { credits, conversions, assumption } = attribute(paths, rule);
        expect(conversions).toBe(paths.reduce((sum, { converted }) => sum + converted, 0));
        const total = Object.values(credits).reduce((sum, credit) => sum + credit, 0);
        expect(total / conversions).toBeCloseTo(1, 10);
        expect(Math.min(...Object.values(credits))).toBeGreaterThanOrEqual(0);
        expect(assumption).toContain("only an experiment can");
      }),
      { seed: 6, numRuns: 100 },
    );
  });

  it.each(rules)("$rule: a path of one touch credits its channel", (rule) => {
    const paths = ["a", "b", "d"].map((channel, index) => ({
      channels: [channel],
      days: [index],
      converted: index + 1,
      lost: 4,
    }));
    const { credits } = attribute(paths, rule);
    expect(credits["a"]).toBeCloseTo(1, 12);
    expect(credits["b"]).toBeCloseTo(2, 12);
    expect(credits["d"]).toBeCloseTo(3, 12);
  });
});

describe("Markov attribution", () => {
  it("reproduces worked examples of the removal effect", () => {
    // Puzyrov (2019), Markov Chain Attribution: Simple Explanation of Removal Effect: the chain converts 0.8; without ads
    // 0.2, without mailing 0.4, so the effects are 0.75 and 0.5, and the credits of 4 conversions 2.4 and 1.6.
    const ads = attribute(
      [
        { channels: ["ads"], converted: 2, lost: 1 },
        { channels: ["mailing"], converted: 1, lost: 0 },
        { channels: ["ads", "mailing"], converted: 1, lost: 0 },
      ],
      { rule: "Markov" },
    );
    expect(ads.removalEffects?.["ads"]).toBeCloseTo(0.75, 12);
    expect(ads.removalEffects?.["mailing"]).toBeCloseTo(0.5, 12);
    expect(ads.credits["ads"]).toBeCloseTo(2.4, 12);
    expect(ads.credits["mailing"]).toBeCloseTo(1.6, 12);
    // By hand: start to c1 2/3, to c2 1/3; c1 to c2 1/2; c2 to c3 1; c3 converts 1/2: 1/3 in all, 1/6 without c1.
    const three = attribute(
      [
        { channels: ["c1", "c2", "c3"], converted: 1, lost: 0 },
        { channels: ["c1"], converted: 0, lost: 1 },
        { channels: ["c2", "c3"], converted: 0, lost: 1 },
      ],
      { rule: "Markov" },
    );
    expect(three.removalEffects?.["c1"]).toBeCloseTo(0.5, 12);
    expect(three.removalEffects?.["c2"]).toBeCloseTo(1, 12);
    expect(three.removalEffects?.["c3"]).toBeCloseTo(1, 12);
    expect(three.credits["c1"]).toBeCloseTo(0.2, 12);
  });

  it("is what removing a channel from the chain does", () => {
    fc.assert(
      fc.property(anyPaths, (paths) => {
        const { removalEffects = {} } = attribute(paths, { rule: "Markov" });
        const all = conversionRate(paths);
        for (const [channel, effect] of Object.entries(removalEffects)) {
          expect(effect).toBeCloseTo(1 - conversionRate(paths, channel) / all, 8);
        }
      }),
      { seed: 9, numRuns: 40 },
    );
  });

  it("does not see repeated touches of one channel", () => {
    const repeated = { channels: ["a", "a", "a", "b"], converted: 3, lost: 2 };
    const others = [
      { channels: ["b", "a"], converted: 1, lost: 2 },
      { channels: ["a"], converted: 1, lost: 1 },
    ];
    const long = attribute([repeated, ...others], { rule: "Markov" });
    const short = attribute([{ ...repeated, channels: ["a", "b"] }, ...others], { rule: "Markov" });
    for (const channel of ["a", "b"]) {
      expect(long.credits[channel]).toBeCloseTo(short.credits[channel] as number, 10);
    }
  });
});

describe("Shapley attribution", () => {
  it("is the average over all orders in which channels may come", () => {
    fc.assert(
      fc.property(anyPaths, (paths) => {
        const { credits } = attribute(paths, { rule: "Shapley" });
        const channels = Object.keys(credits);
        const worth = (coalition: ReadonlySet<string>): number =>
          paths
            .filter((path) => path.channels.every((channel) => coalition.has(channel)))
            .reduce((sum, { converted }) => sum + converted, 0);
        const orders = permutations(channels);
        for (const channel of channels) {
          const gains = orders.map((order) => {
            const before = order.slice(0, order.indexOf(channel));
            return worth(new Set([...before, channel])) - worth(new Set(before));
          });
          const average = gains.reduce((sum, gain) => sum + gain, 0) / orders.length;
          expect(credits[channel]).toBeCloseTo(average, 10);
        }
      }),
      { seed: 10, numRuns: 60 },
    );
  });
});

describe("touch paths", () => {
  const log = {
    customer: [2, 1, 1, 2, 1],
    channel: ["mail", "search", "radio", "search", "mail"],
    day: ["2025-01-05", "2025-01-03", "2025-01-01", "2025-01-01", "2025-01-03"],
    converted: [false, true, true, false, true],
  };

  it("put the touches of each customer in order of the days, then of the rows", () => {
    const paths = touchPaths(table(log));
    expect(paths.map(({ channels }) => channels)).toEqual([
      ["search", "mail"],
      ["radio", "search", "mail"],
    ]);
    expect(paths.map(({ converted, lost }) => [converted, lost])).toEqual([
      [0, 1],
      [1, 0],
    ]);
    expect(paths[1]?.days?.map((day) => day - 20089)).toEqual([0, 2, 2]); // 2025-01-01 is day 20,089
  });

  it("refuse customers who convert and do not, and values that are neither", () => {
    expect(() => touchPaths(table({ ...log, converted: [false, true, false, false, true] }))).toThrow(
      new DataError("touches: converted in row 3 must be true as in the first row of customer 1, got false"),
    );
    expect(() => touchPaths(table({ ...log, converted: [1, 1, 1, 1, 1] }))).toThrow(
      new DataError("touches: converted in row 1 must be true or false, got 1"),
    );
    expect(() => touchPaths(table({ ...log, customer: [2, 1, null, 2, 1] }))).toThrow(
      new DataError("touches: customer in row 3 must name a customer, got null"),
    );
  });

  it("are refused by the rules if they are none", () => {
    const linear = { rule: "linear" } as const;
    expect(() => attribute([], linear)).toThrow(new DataError("paths: at least one is needed, got none"));
    expect(() => attribute([{ channels: [], converted: 1, lost: 0 }], linear)).toThrow(
      new DataError("paths: path 1 must have at least one touch, got none"),
    );
    expect(() => attribute([{ channels: ["a"], converted: 0.5, lost: 0 }], linear)).toThrow(
      new DataError("paths: path 1 must have a whole number of customers converted, got 0.5"),
    );
    expect(() => attribute([{ channels: ["a"], converted: 0, lost: 0 }], linear)).toThrow(
      new DataError("paths: path 1 must have at least one customer, got none"),
    );
    expect(() => attribute([{ channels: ["a"], converted: 0, lost: 3 }], linear)).toThrow(
      new DataError("paths: at least one customer must have converted, got none"),
    );
    expect(() => attribute([{ ...one, days: [0, 3, 2, 7, 14] }], linear)).toThrow(
      new DataError("paths: path 1 must have a day for each of 5 touches, in order, got 0, 3, 2, 7, 14"),
    );
    const timeless = { channels: ["a"], converted: 1, lost: 0 };
    expect(() => attribute([timeless], { rule: "time decay", halfLife: 7 })).toThrow(
      new DataError("paths: time decay needs the days of each path"),
    );
    expect(() => attribute([one], { rule: "time decay", halfLife: 0 })).toThrow(
      new RangeError("halfLife must be a number of days above 0, got 0"),
    );
    expect(() => attribute([one], { rule: "position-based", ends: 40 })).toThrow(
      new RangeError("ends must be a share from 0 to 0.5, got 40; a percentage must be divided by 100"),
    );
  });
});

/** Share of customers who convert by the chain of order 1, all who come to `removed` being lost, by stepping it. */
function conversionRate(paths: readonly TouchPath[], removed?: string): number {
  const moves = new Map<string, Map<string, number>>();
  for (const { channels, converted, lost } of paths) {
    const add = (from: string, to: string, count: number): void => {
      const row = moves.get(from) ?? new Map<string, number>();
      moves.set(from, row.set(to, (row.get(to) ?? 0) + count));
    };
    for (const [touch, channel] of ["START", ...channels].entries()) {
      const next = channels[touch];
      if (next !== undefined) add(channel, next, converted + lost);
      else {
        add(channel, "WON", converted);
        add(channel, "LOST", lost);
      }
    }
  }
  let won = 0;
  let present = new Map([["START", 1]]);
  for (let step = 0; step < 3000; step++) {
    const next = new Map<string, number>();
    for (const [from, mass] of present) {
      const row = moves.get(from) ?? new Map<string, number>();
      const all = [...row.values()].reduce((sum, count) => sum + count, 0);
      for (const [to, count] of row) {
        const moved = (mass * count) / all;
        if (to === "WON") won += moved;
        else if (to !== "LOST" && to !== removed) next.set(to, (next.get(to) ?? 0) + moved);
      }
    }
    present = next;
  }
  return won;
}

const permutations = (items: readonly string[]): string[][] =>
  items.length <= 1
    ? [[...items]]
    : items.flatMap((first) =>
        permutations(items.filter((item) => item !== first)).map((rest) => [first, ...rest]),
      );
