import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  dayNumber,
  firstDayOfMonth,
  isoDay,
  isoMonth,
  monthNumber,
  monthsBetween,
  monthsLater,
  parseIsoDay,
  weekday,
} from "../../src/core/day.js";

const MS_A_DAY = 86_400_000;
const anyDay = fc.integer({
  min: Date.parse("0001-01-01") / MS_A_DAY,
  max: Date.parse("9999-12-31") / MS_A_DAY,
});

describe("days", () => {
  it("count from 1970-01-01", () => {
    expect(["1970-01-01", "1969-12-31", "2000-02-29", "2024-01-01", "2025-12-31"].map(dayNumber)).toEqual([
      0, -1, 11_016, 19_723, 20_453,
    ]);
  });

  it("agree with the engine's calendar on every day of the years 1 to 9999", () => {
    fc.assert(
      fc.property(anyDay, (day) => {
        const iso = new Date(day * MS_A_DAY).toISOString().slice(0, 10);
        expect(isoDay(day)).toBe(iso);
        expect(dayNumber(iso)).toBe(day);
        expect(weekday(day)).toBe(new Date(day * MS_A_DAY).getUTCDay() || 7);
        expect(isoMonth(monthNumber(day))).toBe(iso.slice(0, 7));
      }),
      { seed: 7, numRuns: 2000 },
    );
  });

  it("number months so that neighbours differ by one, across the end of a year", () => {
    const months = ["2023-12-31", "2024-01-01", "2024-12-31", "2025-01-01"].map((iso) =>
      monthNumber(dayNumber(iso)),
    );
    expect(months).toEqual([24_288, 24_289, 24_300, 24_301]);
    expect(months.map(isoMonth)).toEqual(["2023-12", "2024-01", "2024-12", "2025-01"]);
  });

  it.each([
    "2023-02-29",
    "1900-02-29",
    "2024-02-30",
    "2024-04-31",
    "2024-13-01",
    "2024-00-10",
    "2024-01-00",
    "2024-1-1",
    "24-01-01",
    "01.01.2024",
    "2024/01/01",
    " 2024-01-1",
    "2024-01-01T",
    "0000-01-01",
    "2024-01-0x",
    "",
  ])("refuse %j", (text) => {
    expect(parseIsoDay(text)).toBeUndefined();
    expect(() => dayNumber(text)).toThrow(
      new RangeError(`a day must be written like 2024-12-31, got "${text}"`),
    );
  });

  it("know the leap years of a century", () => {
    expect(["2000-02-29", "2024-02-29", "2400-02-29"].map(dayNumber)).toEqual([11_016, 19_782, 157_113]);
  });
});

describe("monthsLater", () => {
  it.each([
    ["2024-01-31", 1, "2024-02-29"],
    ["2024-01-31", 2, "2024-03-31"],
    ["2024-01-31", 13, "2025-02-28"],
    ["2024-12-30", 2, "2025-02-28"],
    ["2024-12-01", 1, "2025-01-01"],
    ["2024-05-31", 0, "2024-05-31"],
  ])("is, from %s and %i months on, %s", (from, months, to) => {
    expect(isoDay(monthsLater(dayNumber(from), months))).toBe(to);
  });
});

describe("months", () => {
  it("begin on the first day of the calendar", () => {
    fc.assert(
      fc.property(anyDay, (day) => {
        expect(isoDay(firstDayOfMonth(monthNumber(day)))).toBe(`${isoMonth(monthNumber(day))}-01`);
      }),
    );
  });

  it("between two days are the inverse of monthsLater, and rise with every day", () => {
    const start = fc.integer({ min: 0, max: 30_000 });
    fc.assert(
      fc.property(start, fc.integer({ min: 0, max: 200 }), (day, months) => {
        expect(monthsBetween(day, monthsLater(day, months))).toBe(months);
      }),
    );
    fc.assert(
      fc.property(start, fc.integer({ min: 0, max: 4000 }), (day, later) => {
        const months = monthsBetween(day, day + later);
        const next = monthsBetween(day, day + later + 1);
        expect(next - months).toBeGreaterThanOrEqual(1 / 31 - 1e-12);
        expect(next - months).toBeLessThanOrEqual(1 / 28 + 1e-12);
      }),
    );
    expect(monthsBetween(dayNumber("2024-01-31"), dayNumber("2024-03-15"))).toBe(1 + 15 / 31);
  });
});
