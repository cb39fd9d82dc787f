import { type ColumnTable, desc, table } from "arquero";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assignSegments, DataError, quantileType7, rfmTable, scoreRfm } from "../../src/index.js";

const orders = table({
  customer_key: [7, 3, 3, 7, 12],
  ordered_on: ["2025-12-01", "2025-06-30", "2025-11-15", "2025-12-31", "2024-01-01"],
  amount: [10.1, 20, 5.5, 0, 100],
});

const column = (from: ColumnTable, name: string): unknown[] =>
  Array.from(from.array(name) as ArrayLike<unknown>);

const customersOf = (rows: readonly { r: number; f: number; m: number }[]): ColumnTable =>
  table({
    customer_key: rows.map((_, index) => index + 1),
    recency_days: rows.map(({ r }) => r),
    frequency: rows.map(({ f }) => f),
    monetary: rows.map(({ m }) => m),
  });

const customer = fc.record({
  r: fc.nat(400),
  f: fc.integer({ min: 1, max: 12 }),
  m: fc.integer({ min: 0, max: 900 }),
});
const manyCustomers = fc.array(customer, { minLength: 1, maxLength: 60 });
const runs = { seed: 11, numRuns: 100 };

describe("rfmTable", () => {
  it("counts days from the last purchase, orders and spend of every customer, customers ascending", () => {
    expect(rfmTable(orders, { analysisDate: "2025-12-31" }).objects()).toEqual([
      { customer_key: 3, recency_days: 46, frequency: 2, monetary: 25.5 },
      { customer_key: 7, recency_days: 0, frequency: 2, monetary: 10.1 },
      { customer_key: 12, recency_days: 730, frequency: 1, monetary: 100 },
    ]);
  });

  it("reads days given as Date, day number or time stamp alike, and other column names", () => {
    const days = [new Date("2025-12-30T23:59:00Z"), 20_452, "2025-12-30T08:00:00Z", 20_452n];
    for (const day of days) {
      const one = table({ buyer: ["a"], bought: [day], paid: [3] });
      const result = rfmTable(one, {
        analysisDate: "2025-12-31",
        customer: "buyer",
        date: "bought",
        amount: "paid",
      });
      expect(result.objects()).toEqual([{ buyer: "a", recency_days: 1, frequency: 1, monetary: 3 }]);
    }
  });

  it("sums spend without rounding drift", () => {
    const tenCents = table({
      customer_key: Array.from({ length: 1000 }, () => 1),
      ordered_on: Array.from({ length: 1000 }, () => "2025-01-01"),
      amount: Array.from({ length: 1000 }, () => 0.1),
    });
    expect(rfmTable(tenCents, { analysisDate: "2025-01-01" }).get("monetary", 0)).toBe(100);
  });

  it("does not depend on the order of the rows", () => {
    const reversed = orders.reify([4, 3, 2, 1, 0]);
    const options = { analysisDate: "2025-12-31" };
    expect(rfmTable(reversed, options).objects()).toEqual(rfmTable(orders, options).objects());
  });

  it("handles returns by the named rule", () => {
    const withReturn = table({
      customer_key: [1, 1, 2],
      ordered_on: ["2025-01-01", "2025-02-01", "2025-01-15"],
      amount: [50, -20, 5],
    });
    const at = { analysisDate: "2025-03-01" };
    expect(() => rfmTable(withReturn, at)).toThrow(
      new DataError(
        'orders: amount in row 2 must be at least 0, got -20; returns: "net" subtracts returns from the spend, ' +
          'returns: "ignore" leaves them out',
      ),
    );
    const first = (returns: "net" | "ignore"): unknown => rfmTable(withReturn, { ...at, returns }).object(0);
    expect(first("net")).toEqual({ customer_key: 1, recency_days: 59, frequency: 1, monetary: 30 });
    expect(first("ignore")).toEqual({ customer_key: 1, recency_days: 59, frequency: 1, monetary: 50 });
  });

  it.each([
    [
      "an empty table",
      table({ customer_key: [], ordered_on: [], amount: [] }),
      "orders: at least one row is needed, got an empty table",
    ],
    [
      "a missing column",
      table({ customer_key: [1], amount: [1] }),
      "orders: column ordered_on is missing, the columns are customer_key, amount",
    ],
    [
      "an amount that is text",
      orders.assign(table({ amount: [1, "n/a", 1, 1, 1] })),
      'orders: amount in row 2 must be a number, got "n/a"',
    ],
    [
      "an amount that is NaN",
      orders.assign(table({ amount: [1, 1, Number.NaN, 1, 1] })),
      "orders: amount in row 3 must be a number, got NaN",
    ],
    [
      "no customer",
      orders.assign(table({ customer_key: [1, null, 1, 1, 1] })),
      "orders: customer_key in row 2 must name a customer, got null",
    ],
    [
      "a day that does not exist",
      orders.assign(table({ ordered_on: ["2025-02-30", 1, 1, 1, 1] })),
      'orders: ordered_on in row 1 must be a day such as "1998-07-01", a Date or an integer day number, got "2025-02-30"',
    ],
    [
      "a date written as a number",
      orders.assign(table({ ordered_on: [20_251_231, 1, 1, 1, 1] })),
      "orders: ordered_on in row 1 must be a day such as",
    ],
  ])("rejects %s", (_, bad, message) => {
    expect(() => rfmTable(bad, { analysisDate: "2025-12-31" })).toThrow(message);
    expect(() => rfmTable(bad, { analysisDate: "2025-12-31" })).toThrow(DataError);
  });

  it("rejects customers who only returned, and an analysis date before a purchase or that is no day", () => {
    const onlyReturn = table({
      customer_key: [1, 9],
      ordered_on: ["2025-01-01", "2025-01-01"],
      amount: [5, -5],
    });
    expect(() => rfmTable(onlyReturn, { analysisDate: "2025-03-01", returns: "net" })).toThrow(
      "orders: customer 9 has returns but no purchase, so no recency",
    );
    expect(() => rfmTable(orders, { analysisDate: "2025-12-30" })).toThrow(
      new RangeError("analysisDate must not be before the purchase of 2025-12-31 in row 4, got 2025-12-30"),
    );
    expect(() => rfmTable(orders, { analysisDate: "31.12.2025" })).toThrow(
      new RangeError('analysisDate must be a day such as "1998-07-01", got "31.12.2025"'),
    );
  });
});

describe("scoreRfm", () => {
  const five = customersOf([1, 2, 3, 4, 5].map((i) => ({ r: 10 * i, f: i, m: 100 * i })));

  it("gives the most recent, most frequent, highest spending customer the top scores", () => {
    for (const scoring of [
      { convention: "ntile", tiesBy: "customer_key" } as const,
      {
        convention: "custom",
        bounds: { recency: [11, 21, 31, 41], frequency: [2, 3, 4, 5], monetary: [150, 250, 350, 450] },
      } as const,
    ]) {
      const scores = scoreRfm(five, scoring);
      expect(column(scores.table, "score")).toEqual([511, 422, 333, 244, 155]);
      expect(scores.warnings).toEqual([]);
    }
  });

  it("cuts like dplyr: ntile of eight values in three groups is 1 1 1 2 2 2 3 3", () => {
    const eight = customersOf(Array.from({ length: 8 }, (_, i) => ({ r: i, f: i + 1, m: i })));
    const scores = scoreRfm(eight, { convention: "ntile", bins: 3, tiesBy: "customer_key" });
    expect(column(scores.table, "f")).toEqual([1, 1, 1, 2, 2, 2, 3, 3]);
    expect(column(scores.table, "r")).toEqual([3, 3, 3, 2, 2, 2, 1, 1]);
    expect(column(scores.thresholds, "frequency_lower")).toEqual([1, 4, 7]);
    expect(column(scores.thresholds, "frequency_upper")).toEqual([3, 6, 8]);
  });

  it("puts a value on a bound above it, and the quantile bounds are type 7 plus 1", () => {
    const scores = scoreRfm(five);
    expect(column(scores.thresholds, "monetary_lower")).toEqual([100, 181, 261, 341, 421]);
    expect(column(scores.thresholds, "monetary_upper")).toEqual([181, 261, 341, 421, 501]);
    const custom = scoreRfm(five, {
      convention: "custom",
      bounds: { recency: [30], frequency: [3], monetary: [300] },
    });
    expect(column(custom.table, "score")).toEqual([211, 211, 122, 122, 122]);
  });

  it("says in words where ties bend the scores", () => {
    const once = customersOf(
      Array.from({ length: 10 }, (_, i) => ({ r: i * 40, f: i < 7 ? 1 : 2, m: i * 100 })),
    );
    expect(scoreRfm(once).warnings).toEqual([
      "frequency has 2 distinct values for 5 bins",
      "frequency: nobody scores 2, 3, 5",
    ]);
    expect(scoreRfm(once, { convention: "ntile", tiesBy: "customer_key" }).warnings).toEqual([
      "frequency has 2 distinct values for 5 bins",
      "frequency: customers with equal values get different scores, for example 1 scores 1, 2, 3, 4",
    ]);
  });

  it("scores one customer, and keeps the other columns", () => {
    const one = customersOf([{ r: 5, f: 1, m: 10 }]).assign(table({ city: ["Graz"] }));
    const scores = scoreRfm(one, { convention: "ntile", tiesBy: "customer_key" });
    expect(scores.table.object(0)).toMatchObject({ city: "Graz", r: 5, f: 1, m: 1 });
    expect(scores.thresholds.get("monetary_lower", 4)).toBeNull();
  });

  it("scores the rows of a filtered and ordered table, in its order", () => {
    const view = five.filter((d: { frequency: number }) => d.frequency > 1).orderby(desc("frequency"));
    const scored = scoreRfm(view, { convention: "ntile", bins: 2, tiesBy: "customer_key" }).table;
    expect(column(scored, "customer_key")).toEqual([5, 4, 3, 2]);
    expect(column(assignSegments(scored), "f")).toEqual([2, 2, 1, 1]);
    expect(column(scored, "r")).toEqual([1, 1, 2, 2]);
  });

  it("leaves its input as it was and freezes its result", () => {
    const before = JSON.stringify(five.objects());
    const scores = scoreRfm(five);
    expect(JSON.stringify(five.objects())).toBe(before);
    expect(Object.isFrozen(scores)).toBe(true);
    expect(five.columnNames()).not.toContain("r");
  });

  it("never scores a better customer lower (quantile bounds and custom)", () => {
    const bounds = { recency: [30, 200], frequency: [2, 5], monetary: [50, 400] };
    fc.assert(
      fc.property(manyCustomers, (rows) => {
        for (const scoring of [
          { convention: "quantile-bounds" },
          { convention: "custom", bounds },
        ] as const) {
          const scored = scoreRfm(customersOf(rows), scoring).table.objects() as {
            r: number;
            f: number;
            m: number;
          }[];
          for (const [i, a] of scored.entries()) {
            for (const [j, b] of scored.entries()) {
              const [x, y] = [rows[i], rows[j]];
              if (!x || !y) continue;
              if (x.r <= y.r) expect(a.r).toBeGreaterThanOrEqual(b.r);
              if (x.f >= y.f) expect(a.f).toBeGreaterThanOrEqual(b.f);
              if (x.m >= y.m) expect(a.m).toBeGreaterThanOrEqual(b.m);
            }
          }
        }
      }),
      { ...runs, numRuns: 20 },
    );
  });

  it("does not depend on the order of customers (quantile bounds)", () => {
    fc.assert(
      fc.property(manyCustomers, fc.integer(), (rows, seed) => {
        const straight = column(scoreRfm(customersOf(rows)).table, "score");
        const order = rows
          .map((_, i) => i)
          .sort((a, b) => ((a * 7919 + seed) % 101) - ((b * 7919 + seed) % 101));
        const shuffled = column(
          scoreRfm(customersOf(order.map((i) => rows[i] as (typeof rows)[0]))).table,
          "score",
        );
        expect(shuffled).toEqual(order.map((i) => straight[i]));
      }),
      runs,
    );
  });

  it("makes groups of equal size (ntile): sizes differ by at most one", () => {
    fc.assert(
      fc.property(manyCustomers, fc.integer({ min: 2, max: 9 }), (rows, bins) => {
        const { table: scored } = scoreRfm(customersOf(rows), {
          convention: "ntile",
          bins,
          tiesBy: "customer_key",
        });
        for (const name of ["r", "f", "m"]) {
          const sizes = Array.from(
            { length: bins },
            (_, i) => column(scored, name).filter((score) => score === i + 1).length,
          );
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        }
      }),
      runs,
    );
  });

  it("rejects unusable bins, bounds and values", () => {
    expect(() => scoreRfm(five, { convention: "quantile-bounds", bins: 1 })).toThrow(
      "bins must be a whole number from 2 to 9, got 1",
    );
    expect(() =>
      scoreRfm(five, {
        convention: "custom",
        bounds: { recency: [2, 1], frequency: [1, 2], monetary: [1, 2] },
      }),
    ).toThrow("bounds.recency must be 2 ascending numbers (as many as bounds.recency), got 2, 1");
    expect(() =>
      scoreRfm(five, { convention: "custom", bounds: { recency: [1, 2], frequency: [1], monetary: [1, 2] } }),
    ).toThrow("bounds.frequency must be 2 ascending numbers");
    expect(() => scoreRfm(five, { convention: "ntile", tiesBy: "name" })).toThrow(
      "customers: column name is missing",
    );
    expect(() => scoreRfm(five.assign(table({ recency_days: [1, -2, 3, 4, 5] })))).toThrow(
      new DataError("customers: recency_days in row 2 must be a number of at least 0, got -2"),
    );
  });
});

describe("quantileType7", () => {
  it("interpolates between order statistics like R", () => {
    expect(quantileType7([1, 2, 3, 4, 10], 0.25)).toBe(2);
    expect(quantileType7([1, 2, 3, 4], 0.25)).toBe(1.75);
    expect(quantileType7([5], 0.9)).toBe(5);
    expect(() => quantileType7([1], 1.5)).toThrow(new RangeError("p must be between 0 and 1, got 1.5"));
    expect(() => quantileType7([], 0.5)).toThrow("sorted must hold at least one value, got none");
  });
});
