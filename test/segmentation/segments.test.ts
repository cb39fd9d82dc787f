import { table } from "arquero";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  assignSegments,
  DataError,
  defineSegments,
  profileSegments,
  type Segment,
  segmentOf,
  standardSegments,
} from "../../src/index.js";

const all = [1, 2, 3, 4, 5].flatMap((r) =>
  [1, 2, 3, 4, 5].flatMap((f) => [1, 2, 3, 4, 5].map((m) => [r, f, m] as const)),
);

const whole = (name: string, r: readonly [number, number]): Segment => ({
  name,
  advice: "",
  blocks: [{ r, f: [1, 5], m: [1, 5] }],
});

describe("standardSegments", () => {
  it("gives each of the 125 score combinations exactly one segment", () => {
    const inside = (score: number, [low, high]: readonly [number, number]): boolean =>
      score >= low && score <= high;
    for (const [r, f, m] of all) {
      const owners = standardSegments.segments.filter(({ blocks }) =>
        blocks.some((block) => inside(r, block.r) && inside(f, block.f) && inside(m, block.m)),
      );
      expect(owners.length, `score ${r}${f}${m}`).toBe(1);
      expect(segmentOf(standardSegments, r, f, m)).toBe(owners[0]?.name);
    }
  });

  it("names the corners as a marketer would, with an advice each", () => {
    expect(segmentOf(standardSegments, 5, 5, 5)).toBe("Champions");
    expect(segmentOf(standardSegments, 5, 1, 1)).toBe("New");
    expect(segmentOf(standardSegments, 1, 5, 5)).toBe("Cannot lose");
    expect(segmentOf(standardSegments, 1, 1, 1)).toBe("Lost");
    expect(standardSegments.segments.every(({ advice }) => advice.length > 20)).toBe(true);
  });
});

describe("defineSegments", () => {
  it("accepts a user's own table, also for other numbers of bins", () => {
    const own = defineSegments([whole("cold", [1, 3]), whole("warm", [4, 5])]);
    expect(segmentOf(own, 4, 1, 1)).toBe("warm");
    const three = defineSegments(
      [{ name: "all", advice: "", blocks: [{ r: [1, 3], f: [1, 3], m: [1, 3] }] }],
      3,
    );
    expect(segmentOf(three, 2, 2, 2)).toBe("all");
  });

  it("names the overlap, the gap and the range that is out of bounds", () => {
    expect(() => defineSegments([whole("cold", [1, 3]), whole("warm", [3, 5])])).toThrow(
      new DataError('segments: score 311 belongs to both "cold" and "warm"'),
    );
    expect(() => defineSegments([whole("cold", [1, 3]), whole("hot", [5, 5])])).toThrow(
      new DataError(
        "segments: 25 of 125 scores belong to no segment: 411, 412, 413, 414, 415, 421, 422, 423, 424, 425, …",
      ),
    );
    expect(() => defineSegments([whole("cold", [0, 5])])).toThrow(
      new RangeError('segment "cold": r must be a range within 1 to 5, got 0 to 5'),
    );
    expect(() => defineSegments([whole("cold", [5, 1])])).toThrow(RangeError);
  });
});

const scored = table({
  customer_key: [1, 2, 3, 4],
  recency_days: [3, 5, 300, 400],
  frequency: [9, 8, 1, 1],
  monetary: [500, 300, 150, 50],
  r: [5, 5, 1, 1],
  f: [5, 5, 1, 1],
  m: [5, 4, 3, 1],
});

describe("assignSegments", () => {
  it("adds the segment and leaves its input as it was", () => {
    expect(assignSegments(scored).array("segment")).toEqual(["Champions", "Champions", "Lost", "Lost"]);
    expect(scored.columnNames()).not.toContain("segment");
  });

  it("gives every customer exactly one segment, so that the profile adds up", () => {
    const score = fc.integer({ min: 1, max: 5 });
    const person = fc.record({
      r: score,
      f: score,
      m: score,
      days: fc.nat(500),
      orders: fc.nat(30),
      spend: fc.integer({ min: 1, max: 999 }),
    });
    fc.assert(
      fc.property(fc.array(person, { minLength: 1, maxLength: 40 }), (people) => {
        const customers = table({
          r: people.map((one) => one.r),
          f: people.map((one) => one.f),
          m: people.map((one) => one.m),
          recency_days: people.map((one) => one.days),
          frequency: people.map((one) => one.orders),
          monetary: people.map((one) => one.spend),
        });
        const profile = profileSegments(assignSegments(customers));
        const sum = (name: string): number => (profile.array(name) as number[]).reduce((a, b) => a + b, 0);
        expect(sum("customers")).toBe(people.length);
        expect(sum("customer_share")).toBeCloseTo(1, 12);
        expect(sum("revenue_share")).toBeCloseTo(1, 12);
      }),
      { seed: 5, numRuns: 50 },
    );
  });

  it("names the row whose score no segment knows", () => {
    expect(() => assignSegments(scored.assign(table({ f: [5, 7, 1, 1] })))).toThrow(
      new DataError("scored customers: row 2: scores must be whole numbers from 1 to 5, got r 5, f 7, m 4"),
    );
    expect(() => assignSegments(scored.select("r", "f"))).toThrow("scored customers: column m is missing");
  });
});

describe("profileSegments", () => {
  it("counts, sums and averages each segment that has customers", () => {
    const [first, second, ...rest] = profileSegments(assignSegments(scored)).objects() as Record<
      string,
      unknown
    >[];
    expect(rest).toEqual([]);
    expect(first).toMatchObject({
      segment: "Champions",
      customers: 2,
      customer_share: 0.5,
      revenue: 800,
      revenue_share: 0.8,
      mean_recency_days: 4,
      median_recency_days: 4,
      mean_frequency: 8.5,
      median_monetary: 400,
      gini: 0.125,
    });
    expect(second).toMatchObject({
      segment: "Lost",
      customers: 2,
      revenue: 200,
      revenue_share: 0.2,
      gini: 0.25,
    });
  });

  it("rejects unknown segments and revenue that does not add up to anything", () => {
    const strange = assignSegments(scored).assign(table({ segment: ["Champions", "VIP", "Lost", "Lost"] }));
    expect(() => profileSegments(strange)).toThrow(
      /segment in row 2 must be one of Champions, .*, got "VIP"/,
    );
    const unpaid = assignSegments(scored).assign(table({ monetary: [0, 0, 0, 0] }));
    expect(() => profileSegments(unpaid)).toThrow(
      new DataError("customers: monetary must sum to more than 0, got 0"),
    );
  });
});
