import { desc, table } from "arquero";
import { describe, expect, it } from "vitest";
import { backtestSegments, DataError, meanInterval, randomSource, segmentValues } from "../../src/index.js";

const purchases = table({
  customer_key: [1, 1, 2, 2, 3, 1],
  ordered_on: ["2025-01-01", "2025-06-30", "2025-03-01", "2025-07-01", "2025-08-01", "2026-01-01"],
  amount: [10, 20, 5, 40, 7, 99],
  margin: [4, 8, 2, 16, 3, 50],
});
const options = { asOf: "2025-06-30", until: "2025-12-31" };

describe("backtestSegments", () => {
  it("segments by what was known on the day and adds what came after it, up to the last day", () => {
    const result = backtestSegments(purchases, { ...options, value: "margin" });
    expect(
      result
        .select("customer_key", "recency_days", "frequency", "monetary", "next_value", "next_purchases")
        .objects(),
    ).toEqual([
      { customer_key: 1, recency_days: 0, frequency: 2, monetary: 30, next_value: 0, next_purchases: 0 },
      { customer_key: 2, recency_days: 121, frequency: 1, monetary: 5, next_value: 16, next_purchases: 1 },
    ]);
    expect(result.columnNames()).toContain("segment");
  });

  it("does not let the future change the segments", () => {
    const past = purchases.reify([0, 1, 2]);
    const columns = ["customer_key", "r", "f", "m", "segment"];
    expect(backtestSegments(purchases, options).select(columns).objects()).toEqual(
      backtestSegments(past, options).select(columns).objects(),
    );
  });

  it("takes a table that is filtered and ordered", () => {
    const years = purchases.assign(table({ year: [2025, 2025, 2025, 2025, 2025, 2026] }));
    const view = years.filter((d: { year: number }) => d.year === 2025).orderby(desc("amount"));
    expect(backtestSegments(view, options).objects()).toEqual(backtestSegments(years, options).objects());
  });

  it("rejects days that are none, a future that is not after the past, and an empty past", () => {
    expect(() => backtestSegments(purchases, { ...options, asOf: "June" })).toThrow(
      'asOf must be a day such as "1998-07-01", got "June"',
    );
    expect(() => backtestSegments(purchases, { ...options, until: "2025-06-30" })).toThrow(
      new RangeError("until must be after asOf (2025-06-30), got 2025-06-30"),
    );
    expect(() => backtestSegments(purchases, { ...options, asOf: "2020-01-01" })).toThrow(
      new DataError("purchases: at least one is needed up to 2020-01-01, got none"),
    );
    const bad = purchases.assign(table({ ordered_on: ["soon", 1, 1, 1, 1, 1] }));
    expect(() => backtestSegments(bad, options)).toThrow(
      'purchases: ordered_on in row 1 must be a day, got "soon"',
    );
  });
});

describe("segmentValues", () => {
  const brought = table({
    segment: ["Lost", "New", "New", "New", "Lost"],
    next_value: [0, 10, 20, 0, 2],
    next_purchases: [0, 1, 2, 0, 1],
  });

  it("averages by segment, highest first, with an interval that holds the mean", () => {
    const rows = segmentValues(brought, { random: randomSource(7) }).objects() as Record<string, number>[];
    expect(rows).toMatchObject([
      { segment: "New", customers: 3, active_share: 2 / 3, value: 10 },
      { segment: "Lost", customers: 2, active_share: 0.5, value: 1 },
    ]);
    for (const { low = 0, value = 0, high = 0 } of rows) expect(low <= value && value <= high).toBe(true);
  });

  it("is the same for the same seed, whatever the order of customers' segments", () => {
    const draw = (): object[] => segmentValues(brought, { random: randomSource(7) }).objects();
    expect(draw()).toEqual(draw());
  });
});

describe("meanInterval", () => {
  it("is about mean plus or minus 1.645 standard errors for many values", () => {
    const random = randomSource(3);
    const values = Array.from({ length: 2000 }, () => random.uniform());
    const { estimate, low, high } = meanInterval(values, { random, resamples: 2000 });
    const halfWidth = (1.645 * Math.sqrt(1 / 12)) / Math.sqrt(2000);
    expect(high - estimate).toBeCloseTo(halfWidth, 3);
    expect(estimate - low).toBeCloseTo(halfWidth, 3);
  });

  it("rejects an empty list", () => {
    expect(() => meanInterval([], { random: randomSource(1) })).toThrow(
      "values must hold at least one value, got none",
    );
  });
});
