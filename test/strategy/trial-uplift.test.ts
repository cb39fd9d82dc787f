import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.js";
import { randomSource } from "../../src/numeric/random.js";
import { drawBinomial } from "../../src/numeric/sampling.js";
import { upliftFromTrial } from "../../src/strategy/trial-uplift.js";

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
