import { describe, expect, it } from "vitest";
import {
  cents,
  customerKey,
  days,
  decimalText,
  formatEuros,
  inDays,
  inWeeks,
  weeks,
} from "../../src/core/types.js";

describe("money", () => {
  it("is exact text at every size and sign", () => {
    expect([0, 5, -5, 50, 100, -1234, 123_450, Number.MAX_SAFE_INTEGER].map(decimalText)).toEqual([
      "0.00",
      "0.05",
      "-0.05",
      "0.50",
      "1.00",
      "-12.34",
      "1234.50",
      "90071992547409.91",
    ]);
    expect(formatEuros(cents(123_450))).toBe("1234.50 EUR");
  });

  it("comes in whole cents only", () => {
    expect(() => cents(0.5)).toThrow(new RangeError("cents must be a whole number, got 0.5"));
    expect(() => cents(2 ** 53)).toThrow(RangeError);
  });
});

describe("customer keys", () => {
  it("are whole numbers from 1 up", () => {
    expect(customerKey(1)).toBe(1);
    for (const bad of [0, -1, 1.5, Number.NaN, 2 ** 53]) {
      expect(() => customerKey(bad)).toThrow(`customer key must be a whole number from 1 up, got ${bad}`);
    }
  });
});

describe("durations", () => {
  it("convert between days and weeks", () => {
    expect(inDays(weeks(39))).toEqual({ unit: "days", length: 273 });
    expect(inWeeks(days(273))).toEqual({ unit: "weeks", length: 39 });
    expect(inWeeks(weeks(39))).toEqual(weeks(39));
    expect(inDays(days(3))).toEqual(days(3));
  });

  it("are frozen, finite and not negative", () => {
    expect(Object.isFrozen(weeks(1))).toBe(true);
    expect(() => weeks(-1)).toThrow(new RangeError("weeks must be a finite number from 0 up, got -1"));
    expect(() => days(Number.POSITIVE_INFINITY)).toThrow(
      "days must be a finite number from 0 up, got Infinity",
    );
    expect(() => days(Number.NaN)).toThrow(RangeError);
  });
});
