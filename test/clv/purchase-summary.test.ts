import { existsSync } from "node:fs";
import { table } from "arquero";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { returnCounts, summarisePurchases } from "../../src/clv/purchase-summary.js";
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

  it("counts times on a clock, and nothing else differently", () => {
    const weights = [1, 3, ...new Array<number>(10).fill(1)];
    const clock = {
      monthWeights: weights,
      events: [{ name: "sale", first: "2025-01-10", last: "2025-01-11", factor: 2 }],
    };
    const options = { end: "2025-01-29", unit: "days", holdoutEnd: "2025-02-12" } as const;
    const plain = summarisePurchases(log, options).objects();
    const summary = summarisePurchases(log, { ...options, clock }).objects();
    const onClock = [
      { recency: 30, age: 30, log_intervals: Math.log(16) + Math.log(14), holdout_length: 2 + 36 },
      { recency: 0, age: 23, log_intervals: 0, holdout_length: 2 + 36 },
    ];
    expect(summary).toEqual(plain.map((row, at) => ({ ...row, ...onClock[at] })));
    const ones = { monthWeights: new Array<number>(12).fill(1), events: [] };
    for (const unit of ["days", "weeks"] as const) {
      const calendar = summarisePurchases(log, { ...options, unit }).objects();
      expect(summarisePurchases(log, { ...options, unit, clock: ones }).objects()).toEqual(calendar);
    }
    expect(() => summarisePurchases(log, { ...options, clock: { monthWeights: [], events: [] } })).toThrow(
      "monthWeights must be 12 numbers, got 0",
    );
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
    [
      { end: "2024-12-31" },
      "purchases: nobody bought up to the end, 2024-12-31; the first day of the data is 2025-01-01, the last 2025-02-13",
    ],
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

  it("includes the first order in the mean spend if told to, and says how many purchases it is the mean of", () => {
    const summary = summarisePurchases(log, { end: "2025-01-29", unit: "weeks", firstOrder: "include" });
    expect(summary.select("x", "mean_spend", "spend_count").objects()).toEqual([
      { x: 2, mean_spend: 140 / 3, spend_count: 3 }, // 100 + (10 + 5) + 25
      { x: 0, mean_spend: 7, spend_count: 1 },
    ]);
    const excluded = summarisePurchases(log, { end: "2025-01-29", unit: "weeks", firstOrder: "exclude" });
    expect(excluded.objects()).toEqual(
      summarisePurchases(log, { end: "2025-01-29", unit: "weeks" }).objects(),
    );
  });

  it("takes one currency and names the rows of others", () => {
    const options = { end: "2025-12-31", unit: "weeks", currency: "currency" } as const;
    const withCurrencies = (currencies: readonly unknown[]) => log.assign(table({ currency: currencies }));
    const euros = withCurrencies(new Array(7).fill("EUR"));
    expect(summarisePurchases(euros, options).numRows()).toBe(3);
    expect(() =>
      summarisePurchases(withCurrencies(["EUR", "EUR", "USD", "EUR", "EUR", "EUR", "EUR"]), options),
    ).toThrow(
      'purchases: currency must be the same in all rows, got "EUR" in rows 1, 2, 4, 5, 6 and 1 more; "USD" in row 3',
    );
    expect(() =>
      summarisePurchases(withCurrencies(["EUR", null, "EUR", "EUR", "EUR", "EUR", "EUR"]), options),
    ).toThrow("purchases: currency in row 2 must be a text, got null");
  });

  describe("returns", () => {
    const returned = table({
      customer_key: [1, 1, 1, 1, 1, 2, 2, 3],
      ordered_on: [
        "2025-01-01",
        "2025-01-08",
        "2025-01-08",
        "2025-01-15",
        "2025-01-22",
        "2025-01-01",
        "2025-01-01",
        "2025-01-05",
      ],
      amount: [50, 30.3, -10.1, -20, 0, 20.2, -20.2, 9],
    });
    const summary = (returns: "drop" | "net") =>
      summarisePurchases(returned, { end: "2025-02-01", unit: "weeks", returns })
        .select("customer_key", "x", "recency", "mean_spend")
        .objects();

    it("refuses negative amounts unless told what to do, and names their rows", () => {
      expect(() => summarisePurchases(returned, { end: "2025-02-01", unit: "weeks" })).toThrow(
        "purchases: amount in row 3 must be a number of at least 0, got -10.1 (as in rows 3, 4, 7); " +
          'returns: "drop" leaves such rows out, returns: "net" sets them off against the purchases of the day',
      );
    });

    it("leaves rows out, or sets them off against the purchases of the day", () => {
      expect(summary("drop")).toEqual([
        { customer_key: 1, x: 1, recency: 1, mean_spend: 30.3 },
        { customer_key: 2, x: 0, recency: 0, mean_spend: 0 },
        { customer_key: 3, x: 0, recency: 0, mean_spend: 0 },
      ]);
      expect(summary("net")).toEqual([
        { customer_key: 1, x: 1, recency: 1, mean_spend: 30.3 - 10.1 },
        { customer_key: 3, x: 0, recency: 0, mean_spend: 0 },
      ]);
    });

    it("counts what a rule did", () => {
      const counts = { rows: 4, amount: -10.1 - 20 - 20.2, customers: 2 };
      expect(returnCounts(returned, { returns: "drop" })).toEqual({
        ...counts,
        rule: "drop",
        daysRemoved: 2,
        customersRemoved: 0,
        amountLeftOut: counts.amount,
      });
      expect(returnCounts(returned, { returns: "net" })).toEqual({
        ...counts,
        rule: "net",
        daysRemoved: 3,
        customersRemoved: 1,
        amountLeftOut: -20,
      });
    });

    it("takes what rounding leaves of a day for nothing", () => {
      const cents = table({
        customer_key: [1, 1, 1, 2],
        ordered_on: new Array(4).fill("2025-01-01"),
        amount: [10.1, 20.2, -30.3, 1], // 3.6e-15
      });
      const customers = summarisePurchases(cents, { end: "2025-02-01", unit: "days", returns: "net" });
      expect(customers.array("customer_key")).toEqual([2]);
    });

    it("keeps purchases of 0 unless told otherwise, and changes nothing where all amounts are above 0", () => {
      const free = table({ customer_key: [1, 1], ordered_on: ["2025-01-01", "2025-01-08"], amount: [5, 0] });
      const x = (returns: "reject" | "drop" | "net"): unknown =>
        summarisePurchases(free, { end: "2025-02-01", unit: "weeks", returns }).get("x", 0);
      expect([x("reject"), x("drop"), x("net")]).toEqual([1, 0, 0]);
      const plain = summarisePurchases(log, { end: "2025-02-13", unit: "weeks" }).objects();
      for (const returns of ["reject", "drop", "net"] as const) {
        expect(summarisePurchases(log, { end: "2025-02-13", unit: "weeks", returns }).objects()).toEqual(
          plain,
        );
        expect(returnCounts(log, { returns })).toMatchObject({
          rows: 0,
          daysRemoved: 0,
          customersRemoved: 0,
        });
      }
    });
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
