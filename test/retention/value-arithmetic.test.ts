import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sbgPresentPayments } from "../../src/clv/contract-value.js";
import {
  constantRetentionValue,
  expectedLifetimeAnnuity,
  marginMultiple,
  retentionEffect,
} from "../../src/retention/value-arithmetic.js";

const gupta = { margin: 100, retentionRate: 0.8, discountRate: 0.12 }; // Gupta, Lehmann & Stuart (2004)

describe("value of a customer with a constant retention rate", () => {
  it("is 250 for 100 a year, 80% and 12%, not the 360 of a five-year annuity", () => {
    expect(constantRetentionValue(gupta, "just acquired")).toBeCloseTo(250, 10);
    expect(expectedLifetimeAnnuity(gupta)).toBeCloseTo(360, 0);
    expect(expectedLifetimeAnnuity(gupta) / 250 - 1).toBeCloseTo(0.44, 2);
  });

  it("has the margin multiples of the table", () => {
    // Gupta & Lehmann (2003), table 1: retention 60 to 90%, discount 10, 12, 14, 16%.
    const table = [0.6, 0.7, 0.8, 0.9].map((r) =>
      [0.1, 0.12, 0.14, 0.16].map((d) => marginMultiple(r, d).toFixed(2)),
    );
    expect(table).toEqual([
      ["1.20", "1.15", "1.11", "1.07"],
      ["1.75", "1.67", "1.59", "1.52"],
      ["2.67", "2.50", "2.35", "2.22"],
      ["4.50", "4.09", "3.75", "3.46"],
    ]);
    const grown = [0, 0.02, 0.04, 0.06, 0.08].map((g) => marginMultiple(0.9, 0.12, g).toFixed(2));
    expect(grown).toEqual(["4.09", "4.46", "4.89", "5.42", "6.08"]);
  });

  it("is the sum of its payments under each convention", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 0.95, noNaN: true }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        fc.double({ min: -0.3, max: 0, noNaN: true }),
        (retentionRate, discountRate, growth) => {
          const customer = { margin: 7, retentionRate, discountRate, growth };
          const payments = Array.from(
            { length: 2000 },
            (_, t) => 7 * ((retentionRate * (1 + growth)) / (1 + discountRate)) ** t,
          );
          const now = payments.reduce((sum, payment) => sum + payment, 0);
          expect(constantRetentionValue(customer, "first payment now")).toBeCloseTo(now, 8);
          expect(constantRetentionValue(customer, "just acquired")).toBeCloseTo(now - 7, 8);
          expect(constantRetentionValue(customer, "end of period")).toBeCloseTo(now / (1 + discountRate), 8);
        },
      ),
      { seed: 2, numRuns: 200 },
    );
  });

  it("is the limit of customers who are all alike", () => {
    for (const convention of ["first payment now", "just acquired", "end of period"] as const) {
      const alike = sbgPresentPayments({ alpha: 0.2e9, beta: 0.8e9 }, { convention, discountRate: 0.12 });
      expect(100 * alike).toBeCloseTo(constantRetentionValue(gupta, convention), 4);
    }
  });

  it("refuses percentages, and values without end", () => {
    expect(() => constantRetentionValue({ ...gupta, retentionRate: 80 }, "just acquired")).toThrow(
      "retentionRate must be a fraction from 0 to 1, got 80; a percentage must be divided by 100",
    );
    expect(() => constantRetentionValue({ ...gupta, discountRate: -0.1 }, "just acquired")).toThrow(
      "discountRate must be a fraction from 0 to 1, got -0.1",
    );
    expect(() => constantRetentionValue({ ...gupta, growth: 0.5 }, "just acquired")).toThrow(
      "the value is infinite: retentionRate 0.8 x (1 + growth 0.5) is not below 1 + discountRate 0.12",
    );
    expect(() => expectedLifetimeAnnuity({ ...gupta, retentionRate: 1 })).toThrow(
      "retentionRate must be below 1 for a finite lifetime, got 1",
    );
    expect(() => constantRetentionValue({ ...gupta, margin: Number.NaN }, "just acquired")).toThrow(
      "margin must be a number, got NaN",
    );
    expect(() => expectedLifetimeAnnuity({ ...gupta, margin: Number.POSITIVE_INFINITY })).toThrow(
      "margin must be a number, got Infinity",
    );
  });
});

describe("effect of retention", () => {
  it("of five points is 26% at a rate of 80%, and 41% at 92%", () => {
    // (r + c) / (1 + d - r - c) against r / (1 + d - r), by hand: .85/.27 to .8/.32, .97/.15 to .92/.2
    expect(retentionEffect(gupta, 0.05, "just acquired")).toBeCloseTo(0.85 / 0.27 / (0.8 / 0.32) - 1, 12);
    const loyal = retentionEffect({ ...gupta, retentionRate: 0.92 }, 0.05, "just acquired");
    expect(loyal).toBeCloseTo(0.97 / 0.15 / (0.92 / 0.2) - 1, 12);
    expect(retentionEffect(gupta, 0, "end of period")).toBe(0);
  });

  it("refuses a rate beyond 1 and a customer without value", () => {
    expect(() => retentionEffect(gupta, 0.3, "just acquired")).toThrow(
      "retentionRate must be a fraction from 0 to 1, got 1.1",
    );
    expect(() => retentionEffect({ ...gupta, margin: 0 }, 0.05, "just acquired")).toThrow(
      "the value before the change must not be 0, got 0",
    );
  });

  it("is below 0 where more retention costs money", () => {
    // -10 / (1.1 - 0.8) = -33.3 falls to -10 / (1.1 - 0.85) = -40: by a fifth.
    const loss = { margin: -10, retentionRate: 0.8, discountRate: 0.1 };
    expect(retentionEffect(loss, 0.05, "end of period")).toBeCloseTo(-0.2, 12);
  });
});
