import { describe, expect, it } from "vitest";
import { type Random, randomSource } from "../../src/numeric/random.js";
import { blattbergDeighton, rateAt, valueWhenAcquired } from "../../src/strategy/balance.js";
import { acquisitionUse, allocateBudget, rateResponse } from "../../src/strategy/budget.js";
import { allocateJointly, type JointSegment } from "../../src/strategy/joint-budget.js";

const uniform = (random: Random, low: number, high: number): number => low + (high - low) * random.uniform();

const segmentOf = (random: Random, name: string, customers = uniform(random, 10, 500)): JointSegment => ({
  name,
  prospects: uniform(random, 50, 1000),
  customers,
  acquisition: { ceiling: uniform(random, 0.1, 0.6), responsiveness: uniform(random, 0.02, 0.3) },
  retention: { ceiling: uniform(random, 0.5, 0.95), responsiveness: uniform(random, 0.02, 0.3) },
  margin: uniform(random, 10, 100),
  discountRate: uniform(random, 0.05, 0.2),
});

/** Net value of a segment at spends a head, straight from the definition. */
function netOf(segment: JointSegment, acquisitionSpend: number, retentionSpend: number): number {
  const { prospects, customers = 0 } = segment;
  const value = valueWhenAcquired(segment, retentionSpend);
  const acquired = prospects * (rateAt(segment.acquisition, acquisitionSpend) * value - acquisitionSpend);
  return acquired + customers * (rateAt(segment.retention, retentionSpend) * value - retentionSpend);
}

/** The best net value of a segment by amount of money, over a fine grid of its retention spend. */
function bruteForce(segment: JointSegment, money: number): number {
  const { prospects, customers = 0 } = segment;
  const best = blattbergDeighton(segment);
  let most = Number.NEGATIVE_INFINITY;
  for (let step = 0; step <= 100; step++) {
    const retentionSpend = (step / 100) * best.retentionSpend;
    const left = money - customers * retentionSpend;
    if (left < 0) break;
    for (let part = 0; part <= 10; part++) {
      most = Math.max(most, netOf(segment, ((part / 10) * left) / prospects, retentionSpend));
    }
  }
  return most;
}

describe("a budget divided among segments whose acquisition and retention interact", () => {
  it("gives each the balance of Blattberg & Deighton if there is money enough", () => {
    const random = randomSource(1);
    const segments = Array.from({ length: 6 }, (_, i) => segmentOf(random, `segment ${i}`));
    const free = allocateJointly(segments, 1e9);
    expect(free).toMatchObject({ shadowPrice: 0, gap: 0 });
    expect(free.slack).toBeCloseTo(1e9 - free.spend, 5);
    for (const [i, segment] of segments.entries()) {
      const best = blattbergDeighton(segment);
      const got = free.segments[i];
      expect(got?.acquisitionSpend).toBeCloseTo(best.acquisitionSpend, 9);
      expect(got?.retentionSpend).toBeCloseTo(best.retentionSpend, 9);
      expect(got?.customerValue).toBeCloseTo(best.customerValue, 9);
    }
  });

  it("is the division among separate uses where there is nobody to retain yet", () => {
    const random = randomSource(2);
    const segments = Array.from({ length: 4 }, (_, i) => segmentOf(random, `segment ${i}`, 0));
    const uses = segments.map((segment) =>
      acquisitionUse({
        name: segment.name,
        segment: segment.name,
        channel: "all",
        prospects: segment.prospects,
        curve: rateResponse(segment.acquisition),
        valuePerCustomer: blattbergDeighton(segment).customerValue,
      }),
    );
    const [joint, apart] = [allocateJointly(segments, 5000), allocateBudget(uses, 5000)];
    expect(joint.netValue).toBeCloseTo(apart.netValue, 7);
    expect(joint.shadowPrice).toBeCloseTo(apart.shadowPrice, 9);
    for (const [i, { spend }] of joint.segments.entries())
      expect(spend).toBeCloseTo(apart.uses[i]?.spend ?? 0, 6);
  });

  it("is as good as brute force, and its gap bounds what could be missing", () => {
    for (let seed = 0; seed < 6; seed++) {
      const random = randomSource(seed);
      const segments = [segmentOf(random, "a"), segmentOf(random, "b")] as const;
      const budget = uniform(random, 50, 10_000);
      const best = allocateJointly(segments, budget);
      let most = Number.NEGATIVE_INFINITY;
      for (let step = 0; step <= 20; step++) {
        const money = (step / 20) * budget;
        most = Math.max(most, bruteForce(segments[0], money) + bruteForce(segments[1], budget - money));
      }
      expect(best.netValue).toBeGreaterThanOrEqual(most - 1e-9 * most);
      expect(best.gap).toBeLessThanOrEqual(1e-9 * best.netValue);
      expect(best.spend).toBeLessThanOrEqual(budget * (1 + 1e-12));
      // What is reported is what the definition says.
      const net = best.segments.reduce(
        (sum, { acquisitionSpend, retentionSpend }, i) =>
          sum + netOf(segments[i] as JointSegment, acquisitionSpend, retentionSpend),
        0,
      );
      expect(best.netValue / net).toBeCloseTo(1, 12);
      expect(best.value - best.spend).toBeCloseTo(best.netValue, 6);
    }
  });

  it("finds the jump of a retention that pays only in earnest", () => {
    // V(R) is convex at first if k (2 CR - 1 - d) m > 2: little retention money brings less per unit than much.
    const loyal: JointSegment = {
      name: "loyal",
      prospects: 0,
      customers: 100,
      acquisition: { ceiling: 0.1, responsiveness: 0.1 },
      retention: { ceiling: 0.98, responsiveness: 0.1 },
      margin: 100,
      discountRate: 0.1,
    };
    const twin = { ...loyal, name: "twin" };
    const { retentionSpend } = blattbergDeighton(loyal);
    for (const share of [0.3, 0.9, 1.1, 1.5]) {
      const budget = share * 100 * retentionSpend;
      const best = allocateJointly([loyal, twin], budget);
      let most = Number.NEGATIVE_INFINITY;
      for (let step = 0; step <= 2000; step++) {
        const first = (step / 2000) * Math.min(budget / 100, retentionSpend);
        const second = Math.min(retentionSpend, budget / 100 - first);
        most = Math.max(most, netOf(loyal, 0, first) + netOf(twin, 0, second));
      }
      expect(best.netValue).toBeGreaterThanOrEqual(most * (1 - 1e-9));
      expect(best.netValue).toBeLessThanOrEqual(most * (1 + 1e-4)); // the grid's own coarseness
      expect(best.gap).toBeLessThanOrEqual(1e-9 * best.netValue);
    }
  });

  it("grows with the budget at the shadow price", () => {
    const random = randomSource(9);
    const segments = Array.from({ length: 3 }, (_, i) => segmentOf(random, `segment ${i}`));
    const [below, at, above] = [3999, 4000, 4001].map((budget) => allocateJointly(segments, budget));
    expect(at?.gap).toBeLessThan(1e-6);
    const slopes = [
      (above?.netValue ?? 0) - (at?.netValue ?? 0),
      (at?.netValue ?? 0) - (below?.netValue ?? 0),
    ];
    expect(slopes[0]).toBeLessThan(at?.shadowPrice ?? 0);
    expect(slopes[1]).toBeGreaterThan(at?.shadowPrice ?? 0);
  });

  it("spends nothing without a budget, or on customers who cost money", () => {
    const random = randomSource(4);
    const segments = [segmentOf(random, "a"), segmentOf(random, "b")];
    expect(allocateJointly(segments, 0)).toMatchObject({ spend: 0, netValue: 0, gap: 0 });
    expect(allocateJointly(segments, 0).shadowPrice).toBeGreaterThan(0);
    const loss = segments.map((segment) => ({ ...segment, margin: -1 }));
    expect(allocateJointly(loss, 100)).toMatchObject({ spend: 0, slack: 100, shadowPrice: 0 });
  });

  it("refuses what is no segment", () => {
    const [a] = [segmentOf(randomSource(1), "a")];
    expect(() => allocateJointly([], 1)).toThrow(
      new RangeError("segments must hold at least one segment, got none"),
    );
    expect(() => allocateJointly([a, a], 1)).toThrow(
      new RangeError('segments must have different names, got "a" twice'),
    );
    expect(() => allocateJointly([a], -1)).toThrow(
      new RangeError("budget must be a number from 0 up, got -1"),
    );
    expect(() => allocateJointly([{ ...a, prospects: -1 }], 1)).toThrow(
      new RangeError('prospects of "a" must be a number from 0 up, got -1'),
    );
    expect(() => allocateJointly([{ ...a, discountRate: 12 }], 1)).toThrow(
      "discountRate must be a fraction from 0 to 1, got 12; a percentage must be divided by 100",
    );
  });
});
