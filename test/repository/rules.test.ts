import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dayNumber, isoDay } from "../../src/core/day.js";
import { decimalText } from "../../src/core/types.js";
import { open } from "../../src/repository/duckdb.js";
import { loadCsv } from "../../src/repository/load.js";
import { requireClean } from "../../src/repository/quality.js";
import {
  type ColumnRule,
  dayBetween,
  dayWritten,
  email,
  euros,
  integer,
  integerBetween,
  isoDate,
  nonZeroInteger,
  number,
  oneOf,
  optional,
  orMissing,
  personal,
  positiveEuros,
  positiveNumber,
  text,
} from "../../src/repository/rules.js";
import { scratchFolder } from "./scratch.js";

const parse = (rule: ColumnRule, values: readonly string[], decimal: "." | "," = ".") =>
  values.map((value) => rule.parse(value, decimal));
const none = (n: number) => Array.from({ length: n }, () => undefined);

describe("rules", () => {
  it("text keeps what it finds, and refuses nothing but nothing", () => {
    expect(parse(text, ["007", " a ", "n/a", ""])).toEqual(["007", " a ", "n/a", undefined]);
  });

  it("integer takes whole numbers in plain digits", () => {
    expect(parse(integer, ["0", "-12", "2147483647", "-2147483647"])).toEqual([
      0, -12, 2_147_483_647, -2_147_483_647,
    ]);
    const refused = [
      "",
      "007",
      "+1",
      "1.0",
      "1,000",
      "1e3",
      " 1",
      "1 ",
      "-",
      "-0",
      "2147483648",
      "99999999999",
      "x",
      "٣",
    ];
    expect(parse(integer, refused)).toEqual(none(refused.length));
    expect(parse(integerBetween(1, 4), ["0", "1", "4", "5", "x"])).toEqual([
      undefined,
      1,
      4,
      undefined,
      undefined,
    ]);
    expect(parse(nonZeroInteger, ["0", "-1", "1"])).toEqual([undefined, -1, 1]);
  });

  it("number takes one decimal mark, the one it is told", () => {
    expect(parse(number, ["0", "-1.5", "12.50", "007.5"])).toEqual([0, -1.5, 12.5, 7.5]);
    expect(parse(number, ["0", "-1,5", "12,50"], ",")).toEqual([0, -1.5, 12.5]);
    const refused = [
      "",
      "1,5",
      "1e3",
      ".5",
      "5.",
      "1.2.3",
      "n/a",
      "NaN",
      "Infinity",
      " 1",
      "1 000",
      "0x10",
      "1.234,5",
    ];
    expect(parse(number, refused)).toEqual(none(refused.length));
    expect(parse(number, ["1.5", "1.234,50"], ",")).toEqual(none(2));
    expect(parse(positiveNumber, ["0", "-1", "0.01", "n/a"])).toEqual([
      undefined,
      undefined,
      0.01,
      undefined,
    ]);
  });

  it("euros are whole cents, exactly, up to 2^53", () => {
    expect(parse(euros, ["0", "12", "12.5", "12.50", "-0.05", "0.29", "90071992547409.91"])).toEqual([
      0, 1200, 1250, 1250, -5, 29, 9_007_199_254_740_991,
    ]);
    expect(parse(euros, ["12,5", "1,00"], ",")).toEqual([1250, 100]);
    const refused = [
      "",
      "-",
      ".",
      "1.",
      ".5",
      "1.234",
      "1,50",
      "n/a",
      "1e2",
      "12.5 EUR",
      "90071992547409.92",
      "--1",
      "1.-5",
    ];
    expect(parse(euros, refused)).toEqual(none(refused.length));
    expect(parse(positiveEuros, ["0.00", "-8.90", "0.01"])).toEqual([undefined, undefined, 1]);
    fc.assert(
      fc.property(fc.maxSafeInteger(), (amount) => {
        expect(euros.parse(decimalText(amount), ".")).toBe(amount);
        expect(euros.parse(decimalText(amount).replace(".", ","), ",")).toBe(amount);
      }),
      { seed: 7, numRuns: 1000 },
    );
  });

  it("days lie within their bounds, both included", () => {
    expect(parse(isoDate, ["1970-01-02", "31.12.2024", "2024-02-30"])).toEqual([1, undefined, undefined]);
    const days = dayBetween("2024-01-01", "2025-12-31");
    expect(parse(days, ["2023-12-31", "2024-01-01", "2025-12-31", "2026-01-01"])).toEqual([
      undefined,
      19_723,
      20_453,
      undefined,
    ]);
    expect(days.allowed).toBe("a day from 2024-01-01 to 2025-12-31 written like 2025-12-31");
    expect(() => dayBetween("2025-01-01", "2024-01-01")).toThrow(RangeError);
    expect(() => dayBetween("2024-02-30", "2025-01-01")).toThrow(RangeError);
  });

  it("oneOf is exact", () => {
    expect(parse(oneOf("web", "store"), ["web", "Web", "store ", ""])).toEqual([
      "web",
      undefined,
      undefined,
      undefined,
    ]);
    expect(oneOf("web", "store").allowed).toBe('one of "web", "store"');
    expect(() => oneOf()).toThrow(RangeError);
  });

  it("emails become one text for one address, and tell that they were changed", () => {
    expect(
      parse(email, ["a@b.de", " Anna.K@Example.COM ", "a@b", "a b@c.de", "@b.de", "a@@b.de", "a@b..de", ""]),
    ).toEqual(["a@b.de", "anna.k@example.com", ...none(6)]);
    expect(["a@b.de", "A@b.de", "a@b.de "].map((value) => email.repairs?.(value))).toEqual([
      false,
      true,
      true,
    ]);
    expect(email.personal).toBe(true);
  });

  it("optional takes the empty text and the words it is told, and keeps the rule's other marks", () => {
    const year = optional(integerBetween(1900, 2020), "n/a", "unknown");
    expect(parse(year, ["", "n/a", "unknown", "N/A", "1980", "80"])).toEqual([
      null,
      null,
      null,
      undefined,
      1980,
      undefined,
    ]);
    expect(["", "n/a", "1980"].map((value) => year.repairs?.(value))).toEqual([false, true, false]);
    expect(year.allowed).toBe("a whole number from 1900 to 2020, or empty");
    expect(optional(email).personal).toBe(true);
    expect(optional(email).repairs?.(" a@b.de")).toBe(true);
    expect(orMissing(personal(text))).toMatchObject({
      personal: true,
      orMissing: true,
      allowed: text.allowed,
    });
  });

  it("days in another form need the form, and are days as isoDate reads them", () => {
    const german = dayWritten("DD.MM.YYYY");
    const us = dayWritten("M/D/YYYY");
    expect(parse(german, ["31.12.2024", "29.02.2024"])).toEqual(parse(isoDate, ["2024-12-31", "2024-02-29"]));
    expect(parse(us, ["12/31/2024", "03/07/2024", "3/7/2024"])).toEqual(
      parse(isoDate, ["2024-12-31", "2024-03-07", "2024-03-07"]),
    );
    expect(parse(dayWritten("YYYYMMDD"), ["20241231"])).toEqual(parse(isoDate, ["2024-12-31"]));
    expect(parse(dayWritten("YYYY+(MM) DD"), ["2024+(12) 31", "20244(12) 31"])).toEqual([
      ...parse(isoDate, ["2024-12-31"]),
      undefined,
    ]);
    const refused = [
      "",
      "2024-12-31",
      "31.12.24",
      "1.2.2024",
      "31/12/2024",
      "29.02.2023",
      "31.13.2024",
      " 31.12.2024",
    ];
    expect(parse(german, refused)).toEqual(none(refused.length));
    expect(parse(us, ["31/12/2024", "13/1/2024", "003/7/2024", "3/7/24", "x"])).toEqual(none(5));
    expect([german.allowed, us.allowed, german.type]).toEqual([
      "a day written DD.MM.YYYY, like 31.12.2024",
      "a day written M/D/YYYY, like 12/31/2024",
      "day",
    ]);
    fc.assert(
      fc.property(fc.integer({ min: dayNumber("0001-01-01"), max: dayNumber("9999-12-31") }), (day) => {
        const [year, month, dayOfMonth] = isoDay(day).split("-");
        expect(german.parse(`${dayOfMonth}.${month}.${year}`, ".")).toBe(day);
        expect(us.parse(`${Number(month)}/${Number(dayOfMonth)}/${year}`, ".")).toBe(day);
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it("days in another form are stored as dates; an error names line, value and format", async () => {
    const { folder, file } = scratchFolder();
    const warehouse = await open(":memory:");
    const orders = { table: "orders", rules: { ordered_on: dayWritten("DD.MM.YYYY") }, rejectLimit: 0.5 };
    const report = await loadCsv(
      warehouse,
      file("orders.csv", "ordered_on\n31.12.2024\n12/31/2024\n"),
      orders,
    );
    const stored = await warehouse.query("SELECT ordered_on FROM orders");
    expect(stored.objects()).toEqual([{ ordered_on: "2024-12-31" }]);
    expect(() => requireClean(report)).toThrow(
      `${folder}/orders.csv: ordered_on in line 3 must be a day written DD.MM.YYYY, like 31.12.2024, got "12/31/2024"`,
    );
    await warehouse.close();
  });

  it.each([
    "DD.MM.YY",
    "MM/YYYY",
    "DD.MM.YYYY DD",
    "D.M.M.YYYY",
    "DD MMM YYYY",
    "DMYYYY",
    "YYYYMD",
    "YYYYMMD",
    "",
  ])("refuses the format %j", (format) => {
    expect(() => dayWritten(format)).toThrow(
      new RangeError(
        `format must hold YYYY, MM or M, and DD or D once each, M and D set apart, such as "DD.MM.YYYY", got ${JSON.stringify(format)}`,
      ),
    );
  });
});
