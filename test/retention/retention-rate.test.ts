import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { retentionEffectBySegment, type SegmentEconomics } from "../../src/retention/retention-rate.js";
import { constantRetentionValue, retentionEffect } from "../../src/retention/value-arithmetic.js";

const gold = { segment: "Gold", customers: 1000, margin: 100, retentionRate: 0.9, discountRate: 0.1 };
const basic = { segment: "Basic", customers: 4000, margin: 20, retentionRate: 0.6, discountRate: 0.1 };
const conventions = ["first payment now", "just acquired", "end of period"] as const;
const rowsOf = (segments: readonly SegmentEconomics[], change?: number) =>
  retentionEffectBySegment(segments, "just acquired", change).bySegment.objects() as Record<string, number>[];

/** Period by period: newcomers and referred customers join, the others stay or leave; margins grow with tenure. */
function simulatedSteadyState(segment: SegmentEconomics, retentionRate: number) {
  const { customers, margin, marginGrowth = 0, referrals = 0 } = segment;
  const newcomers = customers * (1 - segment.retentionRate - referrals);
  let byTenure: number[] = [customers];
  const count = (): number => byTenure.reduce((sum, share) => sum + share, 0);
  for (let period = 0; period < 600; period++) {
    byTenure = [newcomers + referrals * count(), ...byTenure.map((n) => n * retentionRate)];
  }
  const contribution = byTenure.reduce(
    (sum, n, tenure) => sum + n * margin * (1 + marginGrowth) ** tenure,
    0,
  );
  return { customers: count(), contribution };
}

describe("effect of five points of retention by segment", () => {
  it("on value is that of the constant-rate formula", () => {
    for (const convention of conventions) {
      const rows = retentionEffectBySegment([gold, basic], convention).bySegment.objects() as Record<
        string,
        number
      >[];
      for (const [place, segment] of [gold, basic].entries()) {
        expect(rows[place]?.["value_before"]).toBeCloseTo(constantRetentionValue(segment, convention), 10);
        expect(rows[place]?.["value_effect"]).toBeCloseTo(retentionEffect(segment, 0.05, convention), 12);
      }
    }
  });

  it("doubles a base that loses 10%, so +125% of profit at MBNA needs a fixed cost of 20% of the contribution", () => {
    // Reichheld & Sasser (1990): MBNA's profit rises by 125% when defection falls from 10 to 5%. With as many newcomers,
    // customers and contribution double; 2 C - F = 2.25 (C - F) at F = 0.2 C.
    const { all, bySegment } = retentionEffectBySegment([{ ...gold, fixedCost: 20_000 }], "just acquired");
    const [row] = bySegment.objects() as Record<string, number>[];
    expect(row?.["customers_after"]).toBeCloseTo(2000, 8);
    expect(row?.["contribution_effect"]).toBeCloseTo(1, 10);
    expect(all.profitBefore).toBe(80_000);
    expect(all.profitAfter / all.profitBefore - 1).toBeCloseTo(1.25, 10);
  });

  it("adds up over the base", () => {
    const { all, bySegment } = retentionEffectBySegment([gold, basic], "just acquired");
    const rows = bySegment.objects() as Record<string, number>[];
    const total = (of: (row: Record<string, number>) => number): number =>
      rows.reduce((sum, row) => sum + of(row), 0);
    const before = total((row) => (row["customers"] as number) * (row["value_before"] as number));
    const after = total((row) => (row["customers"] as number) * (row["value_after"] as number));
    expect(all).toEqual({
      valueBefore: before,
      valueAfter: after,
      valueEffect: (after - before) / before,
      profitBefore: 1000 * 100 + 4000 * 20,
      profitAfter: total((row) => row["profit_after"] as number),
      customersAfter: total((row) => row["customers_after"] as number),
    });
    expect(rows[0]?.["value_effect"]).toBeGreaterThan(rows[1]?.["value_effect"] as number);
  });

  it("has the steady state that a base reaches period by period, with growing margins and referrals", () => {
    const loyal = { ...gold, retentionRate: 0.8, marginGrowth: 0.04, referrals: 0.08 };
    const [row] = rowsOf([loyal]);
    const before = simulatedSteadyState(loyal, 0.8);
    const after = simulatedSteadyState(loyal, 0.85);
    expect(before.customers).toBeCloseTo(1000, 6);
    expect(row?.["customers_after"]).toBeCloseTo(after.customers, 6);
    expect(row?.["profit_before"]).toBeCloseTo(before.contribution, 4);
    expect(row?.["profit_after"]).toBeCloseTo(after.contribution, 4);
    expect(row?.["contribution_effect"]).toBeCloseTo(after.contribution / before.contribution - 1, 10);
  });

  it("values a customer with referrals as the discounted payments of the tree that begins with it", () => {
    const loyal = { ...gold, retentionRate: 0.7, marginGrowth: 0.03, referrals: 0.15 };
    let byTenure = [1];
    let [now, later] = [0, 0];
    for (let t = 0; t < 800; t++) {
      const payment = byTenure.reduce((sum, n, tenure) => sum + n * 100 * 1.03 ** tenure, 0) / 1.1 ** t;
      now += payment;
      if (t > 0) later += payment;
      const referred = 0.15 * byTenure.reduce((sum, n) => sum + n, 0);
      byTenure = [referred, ...byTenure.map((n) => n * 0.7)];
    }
    const values = conventions.map((convention) => {
      const { bySegment } = retentionEffectBySegment([loyal], convention);
      return (bySegment.objects() as Record<string, number>[])[0]?.["value_before"];
    });
    expect(values[0]).toBeCloseTo(now, 8);
    expect(values[1]).toBeCloseTo(later, 8);
    expect(values[2]).toBeCloseTo(now / 1.1, 8);
  });

  it("grows with each of Reichheld and Sasser's reasons", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 0.8, noNaN: true }),
        fc.double({ min: 0.005, max: 0.05, noNaN: true }),
        fc.double({ min: 0.005, max: 0.1, noNaN: true }),
        (retentionRate, marginGrowth, referrals) => {
          const plain = { ...gold, retentionRate };
          const [without, growing, referring] = [
            plain,
            { ...plain, marginGrowth },
            { ...plain, referrals },
          ].map(
            (segment) =>
              retentionEffectBySegment([segment], "first payment now").bySegment.object() as Record<
                string,
                number
              >,
          );
          for (const column of ["value_effect", "contribution_effect"]) {
            expect(growing?.[column]).toBeGreaterThan(without?.[column] as number);
            expect(referring?.[column]).toBeGreaterThan(without?.[column] as number);
          }
        },
      ),
      { seed: 9, numRuns: 100 },
    );
  });

  it("of a segment that loses money is a greater loss, of no change is none", () => {
    const [row] = rowsOf([{ ...gold, margin: -10 }]);
    expect(row?.["value_after"]).toBeLessThan(row?.["value_before"] as number);
    expect(row?.["profit_after"]).toBeCloseTo(-20_000, 6);
    for (const column of ["value_effect", "contribution_effect"]) {
      const gain = rowsOf([gold])[0]?.[column] as number;
      expect(gain).toBeGreaterThan(0);
      expect(row?.[column]).toBeCloseTo(-gain, 12);
    }
    const { all } = retentionEffectBySegment([gold, basic], "end of period", 0);
    expect(all.valueEffect).toBe(0);
    expect(all.profitAfter).toBe(all.profitBefore);
  });

  it("needs different names", () => {
    expect(() => retentionEffectBySegment([gold, basic, gold], "end of period")).toThrow(
      new RangeError('segments must have different names, got "Gold" twice'),
    );
  });

  it.each<[Partial<SegmentEconomics>, string]>([
    [{ fixedCost: -1 }, "segment Gold: fixedCost must be a number from 0 up, got -1"],
    [{ retentionRate: 0.97 }, "segment Gold: retentionRate 0.97 cannot rise by 0.05: it would be above 1"],
    [
      { retentionRate: 90 },
      "segment Gold: retentionRate must be a fraction from 0 to 1, got 90; a percentage must be divided by 100",
    ],
    [
      { referrals: 0.05 },
      "segment Gold: retentionRate 0.9500000000000001 and referrals 0.05 must add up to less than 1: the base has no steady state",
    ],
    [
      { marginGrowth: 0.1 },
      "segment Gold: marginGrowth 0.1 outruns churn at retentionRate 0.9500000000000001: the mean margin has no steady state",
    ],
    [{ customers: -1 }, "segment Gold: customers must be a number from 0 up, got -1"],
    [{ margin: Number.NaN }, "segment Gold: margin must be a number, got NaN"],
    [
      { fixedCost: Number.POSITIVE_INFINITY },
      "segment Gold: fixedCost must be a number from 0 up, got Infinity",
    ],
    [{ referrals: -0.1 }, "segment Gold: referrals must be a number from 0 up, got -0.1"],
    [{ retentionRate: 0 }, "segment Gold: the value before the change must not be 0, got 0"],
  ])("refuses %j", (change, message) => {
    const segments = [basic, { ...gold, ...change }];
    expect(() => retentionEffectBySegment(segments, "just acquired")).toThrow(new RangeError(message));
  });

  it("refuses no segments, no change and no value", () => {
    expect(() => retentionEffectBySegment([], "just acquired")).toThrow(
      "segments must hold at least one segment, got none",
    );
    expect(() => retentionEffectBySegment([gold], "just acquired", Number.NaN)).toThrow(
      "change must be a number, got NaN",
    );
    expect(() => retentionEffectBySegment([{ ...gold, margin: 0 }], "just acquired")).toThrow(
      "the value of all segments before the change must not be 0, got 0",
    );
  });
});
