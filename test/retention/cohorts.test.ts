import { table } from "arquero";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dayNumber, isoDay } from "../../src/core/day.js";
import { DataError } from "../../src/core/errors.js";
import {
  type CohortMeasure,
  cohortTable,
  cohortTriangle,
  compareCohorts,
} from "../../src/retention/cohorts.js";

type Purchase = readonly [customer: string, day: string, amount: number];

const logOf = (rows: readonly Purchase[]) =>
  table({
    customer_key: rows.map(([customer]) => customer),
    ordered_on: rows.map(([, day]) => day),
    amount: rows.map(([, , amount]) => amount),
  });

/** A and B come in January, C in February, nobody in March. */
const log = logOf([
  ["A", "2024-01-31", 10],
  ["A", "2024-01-31", 5], // the same day: one purchase
  ["B", "2024-01-02", 20],
  ["A", "2024-02-01", 8],
  ["A", "2024-02-20", 2],
  ["C", "2024-02-29", 0], // free, yet a purchase
  ["A", "2024-03-09", 1],
  ["B", "2024-03-10", 7],
  ["B", "2024-03-11", -27], // a return
  ["A", "2024-04-02", 100], // after the end
]);
const byMonth = cohortTable(log, { by: "month", end: "2024-03-15" });
const valuesOf = (measure: CohortMeasure, alignedBy?: "age" | "calendar") =>
  cohortTriangle(byMonth, measure, alignedBy).values;

describe("cohort table", () => {
  it("counts by hand", () => {
    expect(byMonth.array("cohort")).toEqual(["2024-01", "2024-01", "2024-01", "2024-02", "2024-02"]);
    expect(byMonth.array("period")).toEqual(["2024-01", "2024-02", "2024-03", "2024-02", "2024-03"]);
    expect(valuesOf("active")).toEqual([
      [2, 1, 2],
      [1, 0, null],
    ]);
    expect(valuesOf("active_share")[0]).toEqual([1, 0.5, 1]);
    expect(valuesOf("purchases")).toEqual([
      [2, 2, 2],
      [1, 0, null],
    ]);
    expect(valuesOf("revenue")).toEqual([
      [35, 10, -19],
      [0, 0, null],
    ]);
    expect(valuesOf("cumulative_revenue")[0]).toEqual([17.5, 22.5, 13]);
    // In February one of two; in March A, the one of February, again.
    expect(valuesOf("repeat_buying_rate")[0]).toEqual([null, 0.5, 1]);
  });

  it("aligns by the calendar, and says which periods are not over", () => {
    const calendar = cohortTriangle(byMonth, "active", "calendar");
    expect(calendar.columns).toEqual(["2024-01", "2024-02", "2024-03"]);
    expect(calendar.values).toEqual([
      [2, 1, 2],
      [null, 1, 0],
    ]);
    expect(calendar.complete).toEqual([
      [true, true, false],
      [false, true, false],
    ]);
    const whole = cohortTable(log, { by: "month", end: "2024-03-31" });
    expect(cohortTriangle(whole, "active", "calendar").complete[0]).toEqual([true, true, true]);
  });

  it("sorts ages as numbers", () => {
    const long = cohortTable(logOf([["A", "2023-01-01", 1]]), { by: "month", end: "2024-01-31" });
    expect(cohortTriangle(long, "active").columns.slice(8, 12)).toEqual(["8", "9", "10", "11"]);
  });

  it.each([
    ["week", "2024-12-31", "2024-12-30"], // the Monday, in a week that crosses the year
    ["month", "2024-12-31", "2024-12"],
    ["quarter", "2024-12-31", "2024-Q4"],
    ["quarter", "1969-03-31", "1969-Q1"],
    ["week", "1969-12-31", "1969-12-29"],
  ] as const)("the %s of %s is called %s", (by, day, label) => {
    expect(cohortTable(logOf([["A", day, 1]]), { by, end: day }).get("cohort", 0)).toBe(label);
  });

  it("never calls silence the end of a customer", () => {
    expect(byMonth.columnNames().join()).not.toMatch(/retention|churn|alive/);
  });

  it("adds up to the log whatever the periods, in any order of rows", () => {
    const day = fc.integer({ min: 0, max: 500 }).map((late) => isoDay(dayNumber("2023-01-01") + late));
    const purchase = fc.tuple(fc.constantFrom("A", "B", "C", "D"), day, fc.integer({ min: 0, max: 99 }));
    fc.assert(
      fc.property(
        fc.array(purchase, { minLength: 1, maxLength: 40 }),
        fc.constantFrom("week" as const, "month" as const, "quarter" as const),
        (rows, by) => {
          const options = { by, end: "2024-06-30" };
          const cohorts = cohortTable(logOf(rows), options);
          const sum = (name: string): number => (cohorts.array(name) as number[]).reduce((a, b) => a + b, 0);
          expect(sum("revenue")).toBe(rows.reduce((total, [, , amount]) => total + amount, 0));
          expect(sum("purchases")).toBe(new Set(rows.map(([customer, when]) => customer + when)).size);
          const atStart = cohorts.filter((row: { age: number }) => row.age === 0);
          expect(atStart.array("active")).toEqual(atStart.array("customers"));
          const size = (atStart.array("customers") as number[]).reduce((a, b) => a + b, 0);
          expect(size).toBe(new Set(rows.map(([customer]) => customer)).size);
          expect(cohortTable(logOf([...rows].reverse()), options).objects()).toEqual(cohorts.objects());
        },
      ),
      { seed: 11, numRuns: 60 },
    );
  });

  it.each([
    [
      "a day that does not exist",
      [["A", "2024-02-30", 1]],
      'purchases: ordered_on in row 1 must be a day such as "1997-09-30", got "2024-02-30"',
    ],
    ["no amount", [["A", "2024-02-01", Number.NaN]], "purchases: amount in row 1 must be a number, got NaN"],
    ["no customer", [["", "2024-02-01", 1]], 'purchases: customer_key in row 1 must name a customer, got ""'],
    ["nobody in time", [["A", "2024-04-01", 1]], "purchases: nobody bought up to the end, 2024-03-31"],
    [
      "a return out of nothing",
      [
        ["B", "2024-01-02", 5],
        ["A", "2024-01-01", -5],
        ["A", "2024-01-02", 5],
      ],
      "purchases: amount in row 2 must not be a return before the customer's first purchase, got -5 on 2024-01-01",
    ],
  ] as const satisfies readonly (readonly [string, readonly Purchase[], string])[])(
    "refuses %s",
    (_, rows, message) => {
      expect(() => cohortTable(logOf(rows), { by: "month", end: "2024-03-31" })).toThrow(
        new DataError(message),
      );
    },
  );

  it("refuses an end that is no day, and a cell that occurs twice", () => {
    expect(() => cohortTable(log, { by: "month", end: "2024-03" })).toThrow(
      new RangeError('end must be a day such as "1998-07-01", got "2024-03"'),
    );
    expect(() => cohortTriangle(byMonth.concat(byMonth), "active")).toThrow(
      new DataError("cohorts: cohort 2024-01, age 0 must occur once, got it again after row 1"),
    );
  });
});

const cells = (
  rows: readonly (readonly [cohort: string, customers: number, active: number, complete?: boolean])[],
) =>
  table({
    cohort: rows.map(([cohort]) => cohort),
    age: rows.map(() => 3),
    customers: rows.map(([, customers]) => customers),
    active: rows.map(([, , active]) => active),
    complete: rows.map(([, , , complete = true]) => complete),
  });

describe("comparison of cohorts", () => {
  it("is the chi-square of a fourfold table", () => {
    // Heart attacks under placebo and aspirin: Agresti (2007), An Introduction to Categorical Data Analysis, table 2.3.
    const test = compareCohorts(
      cells([
        ["2024-01", 11034, 189],
        ["2024-02", 11037, 104],
      ]),
      { age: 3 },
    );
    const difference = 189 * (11037 - 104) - 104 * (11034 - 189);
    const expected = (22071 * difference ** 2) / (11034 * 11037 * 293 * (22071 - 293));
    expect(test.statistic / expected).toBeCloseTo(1, 12);
    expect(test.degreesOfFreedom).toBe(1);
    expect(test.pValue / 5.7e-7).toBeCloseTo(1, 1); // normal tails beyond 5.001
    expect(test.groups.map(({ share }) => share)).toEqual([189 / 11034, 104 / 11037]);
  });

  it("pools cohorts that are too small with their neighbours, and leaves out what is not over", () => {
    const test = compareCohorts(
      cells([
        ["c", 10, 2],
        ["a", 100, 30],
        ["b", 10, 8],
        ["d", 200, 50],
        ["e", 5, 5],
        ["f", 900, 0, false],
      ]),
      { age: 3 },
    );
    // 95 of 325 are active: 5 are expected among 17.1.
    expect(test.groups.map(({ cohorts }) => cohorts)).toEqual([["a"], ["b", "c"], ["d", "e"]]);
    expect(test.groups[1]).toEqual({ cohorts: ["b", "c"], customers: 20, active: 10, share: 0.5 });
    expect(test.degreesOfFreedom).toBe(2);
  });

  it("refuses what cannot be compared", () => {
    const two = cells([
      ["a", 100, 30],
      ["b", 6, 2],
    ]);
    expect(() => compareCohorts(two, { age: 0 })).toThrow(
      new RangeError("age must be a whole number from 1 up, got 0"),
    );
    expect(() => compareCohorts(two, { age: 4 })).toThrow(
      "cohorts: at age 4 some customers must be active and some not, got no cohort that was observed to its end",
    );
    expect(() => compareCohorts(two, { age: 3 })).toThrow(
      "cohorts: at age 3 two groups are needed with 5 active",
    );
    expect(() => compareCohorts(cells([["a", 10, 11]]), { age: 3 })).toThrow(
      "cohorts: active in row 1 must be at most customers, 10, got 11",
    );
    expect(() =>
      compareCohorts(
        cells([
          ["a", 10, 0],
          ["b", 20, 0],
        ]),
        { age: 3 },
      ),
    ).toThrow("got a share of 0 in all cohorts");
  });
});
