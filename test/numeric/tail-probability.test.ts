import { describe, expect, it } from "vitest";
import {
  chiSquareTail,
  logNormalTail,
  normalHazard,
  normalTail,
  twoSidedP,
} from "../../src/numeric/tail-probability.js";

describe("tails of distributions", () => {
  it("reproduce tabulated values, far out as well", () => {
    // Abramowitz & Stegun table 26.2 (Q(x) and -log10 Q(x)), table 26.8 (chi-square).
    expect(normalTail(1.96)).toBeCloseTo(0.0249978951482, 12);
    expect(-logNormalTail(10) / Math.LN10).toBeCloseTo(23.11805, 5);
    expect(-logNormalTail(40) / Math.LN10).toBeCloseTo(349.43701, 5);
    expect(chiSquareTail(3.841458820694124, 1)).toBeCloseTo(0.05, 12);
    expect(chiSquareTail(18.307038053275146, 10)).toBeCloseTo(0.05, 12);
    expect(chiSquareTail(0, 3)).toBe(1);
    expect(twoSidedP(-2.5758293035489)).toBeCloseTo(0.01, 12);
  });

  it("join without a step, and agree among themselves", () => {
    for (const z of [-3, -0.5, 0, 1.3, 2 - 1e-9, 2, 2.7, 8]) {
      expect(Math.exp(logNormalTail(z)) / normalTail(z)).toBeCloseTo(1, 12);
      expect(chiSquareTail(z * z, 1) / twoSidedP(z)).toBeCloseTo(1, 12);
      const density = Math.exp(-(z * z) / 2) / Math.sqrt(2 * Math.PI);
      expect((normalHazard(z) * normalTail(z)) / density).toBeCloseTo(1, 12);
    }
    expect(normalTail(2 - 1e-12) / normalTail(2)).toBeCloseTo(1, 10);
  });
});
