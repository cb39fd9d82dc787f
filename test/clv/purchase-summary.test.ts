import { existsSync } from "node:fs";
import { table } from "arquero";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { summarisePurchases } from "../../src/clv/purchase-summary.js";
import { referenceDir, referenceTable } from "../reference/case.js";

const log = table({
  customer_key: [2, 1, 1, 1, 1, 1, 3],
  ordered_on: [
    "2025-01-08",
    "2025-01-01",
    "2025-01-15",
    "2025-01-15",
    "2025-01-29",
    "2025-02-12",
    "2025-02-13",
  ],
  amount: [7, 100, 10, 5, 25, 40, 1],
});

describe("summary of purchases", () => {
  it("counts repeat purchase days from the first purchase to an included end", () => {
    const summary = summarisePurchases(log, { end: "2025-01-29", unit: "weeks", holdoutEnd: "2025-02-12" });
    expect(summary.objects()).toEqual([
      {
        customer_key: 1,
        x: 2,
        recency: 4,
        age: 4,
        mean_spend: 20,
        log_intervals: 2 * Math.log(14) - 2 * Math.log(7),
        holdout_x: 1,
        holdout_spend: 40,
        holdout_length: 2,
      },
      {
        customer_key: 2,
        x: 0,
        recency: 0,
        age: 3,
        mean_spend: 0,
        log_intervals: 0,
        holdout_x: 0,
        holdout_spend: 0,
        holdout_length: 2,
      },
    ]);
  });

  it("moves by one purchase when the end moves by one day", () => {
    const x = (end: string): number => summarisePurchases(log, { end, unit: "days" }).get("x", 0) as number;
    expect([x("2025-01-28"), x("2025-01-29")]).toEqual([1, 2]);
  });

  it("does not depend on the order of the rows, and counts weeks as seventh parts of days", () => {
    const days = summarisePurchases(log, { end: "2025-02-13", unit: "days" });
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6], { minLength: 7, maxLength: 7 }), (order) => {
        const shuffled = table(
          Object.fromEntries(
            log.columnNames().map((name) => [name, order.map((row) => log.get(name, row) as unknown)]),
          ),
        );
        const again = summarisePurchases(shuffled, { end: "2025-02-13", unit: "days" });
        expect(again.objects()).toEqual(days.objects());
      }),
      { seed: 5, numRuns: 30 },
    );
    const weeks = summarisePurchases(log, { end: "2025-02-13", unit: "weeks" });
    expect((weeks.array("age") as number[]).map((age) => Math.round(age * 7))).toEqual(days.array("age"));
  });

  it.each([
    [{ end: "1.2.2025" }, 'end must be a day such as "1998-07-01", got "1.2.2025"'],
    [
      { end: "2025-02-01", holdoutEnd: "2025-02-01" },
      "holdoutEnd must be after end, 2025-02-01, got 2025-02-01",
    ],
    [{ end: "2024-12-31" }, "nobody bought up to the end, 2024-12-31"],
    [{ end: "2025-02-01", amount: "sum" }, "column sum is missing"],
  ])("refuses %j", (options, message) => {
    expect(() => summarisePurchases(log, { unit: "weeks", ...options })).toThrow(message);
  });

  it("names a row that cannot be counted", () => {
    const broken = (column: string, value: unknown) =>
      summarisePurchases(log.reify().assign(table({ [column]: [value, 1, 1, 1, 1, 1, 1] })), {
        end: "2025-12-31",
        unit: "weeks",
      });
    expect(() => broken("customer_key", null)).toThrow(
      "purchases: customer_key in row 1 must name a customer, got null",
    );
    expect(() => broken("amount", -5)).toThrow(
      "purchases: amount in row 1 must be a number of at least 0, got -5",
    );
    expect(() => broken("ordered_on", "8.1.")).toThrow(
      'purchases: ordered_on in row 1 must be a day such as "1997-09-30", got "8.1."',
    );
  });

  it("gives BTYDplus's summary of the CDNOW sample", (context) => {
    if (!existsSync(referenceDir)) context.skip(`left out: no reference data in ${referenceDir}`);
    const { header, rows } = referenceTable("cdnow_sample.csv");
    const column = (name: string): string[] => rows.map((row) => row[header.indexOf(name)] ?? "");
    const purchases = table({
      customer_key: column("id").map(Number),
      ordered_on: column("date"),
      amount: column("amount").map(Number),
    });
    const summary = summarisePurchases(purchases, {
      end: "1997-09-30",
      unit: "weeks",
      holdoutEnd: "1998-06-30",
    });
    const peer = referenceTable("cdnow_cbs.csv");
    const expected = (name: string): number[] =>
      peer.rows.map((row) => Number(row[peer.header.indexOf(name)]));
    const order = expected("cust")
      .map((_, index) => index)
      .sort((a, b) => (expected("cust")[a] ?? 0) - (expected("cust")[b] ?? 0));
    const sorted = (name: string): number[] => {
      const values = expected(name);
      return order.map((index) => values[index] ?? Number.NaN);
    };
    const ours = (name: string): number[] => summary.array(name) as number[];
    expect(ours("customer_key")).toEqual(sorted("cust"));
    expect(ours("x")).toEqual(sorted("x"));
    expect(ours("holdout_x")).toEqual(sorted("x.star"));
    const repeatSpend = ours("mean_spend").map((mean, index) => mean * (ours("x")[index] ?? 0));
    for (const [name, values] of [
      ["t.x", ours("recency")],
      ["T.cal", ours("age")],
      ["litt", ours("log_intervals")],
      ["sales.x", repeatSpend],
      ["sales.star", ours("holdout_spend")],
    ] as const) {
      const wanted = sorted(name);
      const worst = Math.max(
        ...values.map((value, index) => Math.abs(value - (wanted[index] ?? Number.NaN))),
      );
      expect(worst, name).toBeLessThan(1e-6);
    }
  });
});
