import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomSource } from "../../src/numeric/random.js";
import { drawNormal } from "../../src/numeric/sampling.js";
import { constantRetentionValue } from "../../src/retention/value-arithmetic.js";
import {
  type BalanceSpec,
  balanceIntervals,
  balanceSummary,
  blattbergDeighton,
  equityPerProspect,
  marginalRate,
  rateAt,
  rateCurve,
  valueWhenAcquired,
  whatIf,
} from "../../src/strategy/balance.js";

const spec: BalanceSpec = {
  acquisition: { ceiling: 0.4, responsiveness: 0.1 },
  retention: { ceiling: 0.7, responsiveness: 0.05 },
  margin: 50,
  discountRate: 0.2,
};

const between = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const curve = fc.record({
  floor: between(0, 0.3),
  ceiling: between(0.35, 1),
  responsiveness: between(0.001, 1),
});
const market: fc.Arbitrary<BalanceSpec> = fc.record({
  acquisition: curve,
  retention: curve,
  margin: between(0.1, 1000),
  discountRate: between(0.01, 1),
});

describe("a curve of rates", () => {
  it("goes through the observed point, from its floor to its ceiling", () => {
    const observed = { ceiling: 0.4, spend: 5, rate: 0.15, floor: 0.02 };
    const fitted = rateCurve(observed);
    expect(rateAt(fitted, 5)).toBeCloseTo(0.15, 14);
    expect(rateAt(fitted, 0)).toBe(0.02);
    expect(rateAt(fitted, 1e6)).toBe(0.4);
    expect(rateCurve({ ceiling: 0.4, spend: 5, rate: 0.15 }).responsiveness).toBeCloseTo(
      Math.log(0.4 / 0.25) / 5,
      14,
    );
  });

  it("has the derivative of its rate", () => {
    fc.assert(
      fc.property(curve, between(0, 10), (any, spend) => {
        const step = 1e-4 / any.responsiveness;
        const difference = (rateAt(any, spend + step) - rateAt(any, spend)) / step;
        const middle = marginalRate(any, spend + step / 2);
        expect(difference / middle).toBeCloseTo(1, 7);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it("refuses percentages and points that no curve meets", () => {
    expect(() => rateCurve({ ceiling: 40, spend: 5, rate: 0.15 })).toThrow(
      new RangeError("ceiling must be a fraction from 0 to 1, got 40; a percentage must be divided by 100"),
    );
    expect(() => rateCurve({ ceiling: 0.4, spend: 5, rate: 0.4 })).toThrow(
      new RangeError("rate must be between floor 0 and ceiling 0.4, got 0.4"),
    );
    expect(() => rateCurve({ ceiling: 0.4, spend: 0, rate: 0.1 })).toThrow(
      new RangeError("spend must be a number above 0, got 0"),
    );
    expect(() => rateAt({ ceiling: 0.4, responsiveness: 0.1 }, -1)).toThrow(
      new RangeError("spend must be a number from 0 up, got -1"),
    );
    expect(() => marginalRate({ ceiling: 0.4, responsiveness: 0 }, 1)).toThrow(
      new RangeError("curve.responsiveness must be a number above 0, got 0"),
    );
    expect(() => rateAt({ floor: 0.5, ceiling: 0.4, responsiveness: 1 }, 1)).toThrow(
      new RangeError("curve.ceiling must be above the floor 0.5, got 0.4"),
    );
  });
});

describe("balance of acquisition and retention", () => {
  it("has the optimum of the worked example", () => {
    // Computed apart from the formula of Blattberg & Deighton (1996): research on lifetime value, section 2.5.
    const best = blattbergDeighton(spec);
    expect(best.acquisitionSpend).toBeCloseTo(7.7581, 4);
    expect(best.retentionSpend).toBeCloseTo(12.8456, 4);
    expect(best.acquisitionRate).toBeCloseTo(0.21587, 5);
    expect(best.retentionRate).toBeCloseTo(0.33174, 5);
    expect(best.equity).toBeCloseTo(3.96542, 5);
    expect(best.pays).toBe("acquisition and retention");
    expect(balanceSummary(best)).toBe(
      "spend 7.76 a prospect (21.6% acquired) and 12.85 a customer and period (33.2% retained): customer value 54.31, equity 3.97 a prospect",
    );
  });

  it("values a customer like the formula of the source, and without spend like constant retention", () => {
    fc.assert(
      fc.property(market, between(0.01, 50), (any, spend) => {
        const { margin: m, discountRate: d } = any;
        const r = rateAt(any.retention, spend);
        expect(valueWhenAcquired(any, spend) / m).toBeCloseTo(
          (m + ((m - spend / r) * r) / (1 + d - r)) / m,
          9,
        );
        const constant = { margin: m, retentionRate: rateAt(any.retention, 0), discountRate: d };
        expect(valueWhenAcquired(any, 0) / m).toBeCloseTo(
          constantRetentionValue(constant, "first payment now") / m,
          12,
        );
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  it("makes the marginal costs of acquisition and retention equal E(CLV), or above it where nothing is spent", () => {
    // Pfeifer (2005), J. Targeting, Measurement and Analysis for Marketing 13(2).
    const inside = { both: 0, edge: 0 };
    fc.assert(
      fc.property(market, (any) => {
        const best = blattbergDeighton(any);
        for (const [spend, cost] of [
          [best.acquisitionSpend, best.marginalAcquisitionCost],
          [best.retentionSpend, best.marginalRetentionCost],
        ] as const) {
          if (spend > 0) expect(cost / best.customerValue).toBeCloseTo(1, 12);
          else expect(cost).toBeGreaterThanOrEqual(best.customerValue * (1 - 1e-9));
        }
        inside[best.pays === "acquisition and retention" ? "both" : "edge"] += 1;
      }),
      { seed: 3, numRuns: 500 },
    );
    expect(Math.min(inside.both, inside.edge)).toBeGreaterThan(30); // both kinds of market were met
  });

  it("is beaten by no other spends", () => {
    fc.assert(
      fc.property(market, between(0, 3), between(0, 3), (any, across, up) => {
        const best = blattbergDeighton(any);
        const { acquisition, retention } = any;
        const near = {
          acquisitionSpend: across * best.acquisitionSpend,
          retentionSpend: up * best.retentionSpend,
        };
        const far = {
          acquisitionSpend: across / acquisition.responsiveness,
          retentionSpend: up / retention.responsiveness,
        };
        expect(equityPerProspect(any, best)).toBe(best.equity);
        for (const other of [near, far]) {
          expect(equityPerProspect(any, other)).toBeLessThanOrEqual(best.equity + 1e-12 * best.customerValue);
        }
      }),
      { seed: 4, numRuns: 500 },
    );
  });

  it("spends nothing where customers cost money, and on retention alone where nobody can be acquired for less", () => {
    const loss = blattbergDeighton({ ...spec, margin: -5 });
    expect(loss).toMatchObject({ acquisitionSpend: 0, retentionSpend: 0, equity: 0, pays: "neither" });
    expect(balanceSummary(loss)).toMatch(/^nothing pays: spend 0\.00 a prospect/);
    expect(blattbergDeighton({ ...spec, margin: 0 })).toMatchObject({ customerValue: 0, pays: "neither" });
    const dear = { ceiling: 0.01, responsiveness: 0.1 };
    expect(blattbergDeighton({ ...spec, acquisition: dear }).pays).toBe("retention only");
    expect(blattbergDeighton({ ...spec, retention: dear }).pays).toBe("acquisition only");
  });

  it("holds at the edges: ceilings of 1, no discounting, customers by the million", () => {
    // Without discounting and with a ceiling of 1, V = (m - R) e^(kR) is largest at R = m - 1/k.
    const edge = {
      ...spec,
      discountRate: 0,
      retention: { ceiling: 1, responsiveness: 0.05 },
      acquisition: { ceiling: 1, responsiveness: 3 },
    };
    const best = blattbergDeighton(edge);
    expect(best.retentionSpend).toBeCloseTo(50 - 20, 10);
    expect(best.customerValue).toBeCloseTo(20 * Math.exp(1.5), 10);
    const rich = blattbergDeighton({ ...spec, margin: 1e9 });
    expect(rich.marginalRetentionCost / rich.customerValue).toBeCloseTo(1, 12);
  });

  it("refuses percentages", () => {
    expect(() => blattbergDeighton({ ...spec, discountRate: 20 })).toThrow(
      new RangeError(
        "discountRate must be a fraction from 0 to 1, got 20; a percentage must be divided by 100",
      ),
    );
    expect(() => blattbergDeighton({ ...spec, retention: { ceiling: 70, responsiveness: 0.05 } })).toThrow(
      new RangeError(
        "retention.ceiling must be a fraction from 0 to 1, got 70; a percentage must be divided by 100",
      ),
    );
    expect(() => blattbergDeighton({ ...spec, margin: Number.NaN })).toThrow(
      new RangeError("margin must be a number, got NaN"),
    );
    expect(() => equityPerProspect(spec, { acquisitionSpend: -1, retentionSpend: 0 })).toThrow(
      new RangeError("acquisitionSpend must be a number from 0 up, got -1"),
    );
  });
});

describe("intervals of the balance", () => {
  const random = randomSource(8);
  const noisy = (size: number): BalanceSpec[] =>
    Array.from({ length: 2000 }, () => ({
      ...spec,
      margin: spec.margin * Math.exp(size * drawNormal(random)),
    }));

  it("are those of a known distribution where the optimum is monotone in what is uncertain", () => {
    const { acquisitionSpend, equity, equityAtOptimum, optimum } = balanceIntervals(spec, noisy(0.1));
    const at = (z: number) => blattbergDeighton({ ...spec, margin: 50 * Math.exp(0.1 * z) });
    // 5% quantile of a normal: -1.645; its standard error with 2,000 draws is .047 (sqrt(.05 x .95 / 2000) / density).
    for (const [end, z] of [
      ["low", -1.645],
      ["high", 1.645],
    ] as const) {
      expect(acquisitionSpend[end]).toBeGreaterThan(at(z - 0.15).acquisitionSpend);
      expect(acquisitionSpend[end]).toBeLessThan(at(z + 0.15).acquisitionSpend);
      expect(equity[end]).toBeGreaterThan(at(z - 0.15).equity);
      expect(equity[end]).toBeLessThan(at(z + 0.15).equity);
    }
    expect(equityAtOptimum.low).toBeLessThan(optimum.equity);
    expect(equityAtOptimum.high).toBeGreaterThan(optimum.equity);
  });

  it("lose nothing without doubt, and four times as much with twice the doubt", () => {
    const sure = Array.from({ length: 20 }, () => spec);
    const none = balanceIntervals(spec, sure);
    expect(none.expectedLoss).toBe(0);
    expect(none.retentionSpend).toEqual({
      low: none.optimum.retentionSpend,
      high: none.optimum.retentionSpend,
    });
    const [little, more] = [balanceIntervals(spec, noisy(0.02)), balanceIntervals(spec, noisy(0.04))];
    expect(little.expectedLoss).toBeGreaterThan(0);
    // The variance of 2,000 squared normals leaves the ratio a standard error of 4 x sqrt(4 / 2000) = .18.
    expect(Math.abs(more.expectedLoss / little.expectedLoss - 4)).toBeLessThan(3 * 0.18);
  });

  it("need draws and a level", () => {
    expect(() => balanceIntervals(spec, [spec])).toThrow(
      new RangeError("draws must hold at least 20 draws, got 1"),
    );
    expect(() => balanceIntervals(spec, noisy(0.1), { level: 90 })).toThrow(
      new RangeError("level must be between 0 and 1, got 90"),
    );
  });
});

describe("what-if", () => {
  it("gives the optimum of each combination", () => {
    const tried = whatIf(spec, { margin: [40, 50], retentionCeiling: [0.7, 0.8, 0.9] });
    expect(tried.numRows()).toBe(6);
    const best = blattbergDeighton({ ...spec, retention: { ...spec.retention, ceiling: 0.9 } });
    expect(tried.object(5)).toEqual({
      margin: 50,
      discount_rate: 0.2,
      acquisition_ceiling: 0.4,
      acquisition_responsiveness: 0.1,
      retention_ceiling: 0.9,
      retention_responsiveness: 0.05,
      acquisition_spend: best.acquisitionSpend,
      retention_spend: best.retentionSpend,
      acquisition_rate: best.acquisitionRate,
      retention_rate: best.retentionRate,
      customer_value: best.customerValue,
      equity: best.equity,
    });
    expect(() => whatIf(spec, { margin: [] })).toThrow(
      new RangeError("margin must hold at least one value, got none"),
    );
  });
});
