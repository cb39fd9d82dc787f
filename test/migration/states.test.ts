import { table } from "arquero";
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.js";
import {
  type CustomerStates,
  statesByLabel,
  statesByRecency,
  statesBySpend,
} from "../../src/migration/states.js";

const log = (rows: readonly (readonly [string, string, number])[]) =>
  table({
    customer_key: rows.map(([customer]) => customer),
    ordered_on: rows.map(([, day]) => day),
    amount: rows.map(([, , amount]) => amount),
  });
const purchases = log([
  ["B", "2024-02-10", 29.9],
  ["A", "2024-01-05", 10.1],
  ["A", "2024-01-20", 19.9],
  ["A", "2024-03-01", 12],
  ["B", "2024-03-05", -40],
  ["B", "2024-05-30", 500],
  ["A", "2024-06-10", 9], // in a month that the end cuts
]);
const tiers = [
  { state: "low", from: 0 },
  { state: "high", from: 30 },
];
const history = ({ states, periods, stateAt }: CustomerStates, customer: number): string[] =>
  periods.map((_, period) => states[stateAt[customer * periods.length + period] as number] ?? "-");

describe("states by spend", () => {
  const states = statesBySpend(purchases, { by: "month", end: "2024-06-15", tiers });

  it("enter with the first purchase, add up the month and fall to inactive", () => {
    expect(states.states).toEqual(["inactive", "low", "high"]);
    expect(states.periods).toEqual(["2024-01", "2024-02", "2024-03", "2024-04", "2024-05"]);
    expect(states.customers).toEqual(["A", "B"]);
    expect(history(states, 0)).toEqual(["high", "inactive", "low", "inactive", "inactive"]); // 10.1 + 19.9 reaches 30
    expect(history(states, 1)).toEqual(["-", "low", "inactive", "inactive", "high"]);
  });

  it("take the last period when the end is its last day", () => {
    expect(statesBySpend(purchases, { by: "quarter", end: "2024-06-30", tiers }).periods).toEqual([
      "2024-Q1",
      "2024-Q2",
    ]);
    expect(statesBySpend(purchases, { by: "quarter", end: "2024-06-29", tiers }).periods).toEqual([
      "2024-Q1",
    ]);
    expect(statesBySpend(purchases, { by: "week", end: "2024-01-14", tiers }).periods).toEqual([
      "2024-01-01",
      "2024-01-08",
    ]);
  });

  it("refuse tiers without order and a log without a whole period", () => {
    expect(() =>
      statesBySpend(purchases, { by: "month", end: "2024-06-15", tiers: [{ state: "low", from: 5 }] }),
    ).toThrow(new RangeError("tiers: low must begin at 0, the first tier, got 5"));
    expect(() =>
      statesBySpend(purchases, {
        by: "month",
        end: "2024-06-15",
        tiers: [...tiers, { state: "top", from: 30 }],
      }),
    ).toThrow(new RangeError("tiers: top must begin at a number above 30, got 30"));
    expect(() =>
      statesBySpend(purchases, { by: "month", end: "2024-06-15", tiers: [{ state: "inactive", from: 0 }] }),
    ).toThrow(new DataError('states: names must differ, got "inactive" twice'));
    expect(() => statesBySpend(purchases, { by: "month", end: "2024-01-30", tiers })).toThrow(
      new DataError(
        "purchases: at least one whole month must lie between the first row and the end, got rows from month 2024-01 and the end 2024-01-30",
      ),
    );
    expect(() =>
      statesBySpend(log([["A", "5.1.2024", 1]]), { by: "month", end: "2024-01-31", tiers }),
    ).toThrow('purchases: ordered_on in row 1 must be a day such as "1997-09-30", got "5.1.2024"');
  });
});

describe("states by recency", () => {
  it("count the periods since the last purchase; a lapsed customer returns", () => {
    const states = statesByRecency(purchases, { by: "month", end: "2024-05-31", longest: 2 });
    expect(states.states).toEqual(["recency 1", "recency 2", "lapsed"]);
    expect(history(states, 0)).toEqual(["recency 1", "recency 2", "recency 1", "recency 2", "lapsed"]);
    const short = statesByRecency(purchases, { by: "month", end: "2024-05-31", longest: 1 });
    expect(history(short, 1)).toEqual(["-", "recency 1", "recency 1", "lapsed", "recency 1"]);
  });

  it("stay lapsed if asked, each customer for himself", () => {
    const states = statesByRecency(purchases, {
      by: "month",
      end: "2024-05-31",
      longest: 1,
      afterLapse: "stays-lapsed",
    });
    expect(history(states, 0)).toEqual(["recency 1", "lapsed", "lapsed", "lapsed", "lapsed"]);
    expect(history(states, 1)).toEqual(["-", "recency 1", "recency 1", "lapsed", "lapsed"]);
  });

  it("refuse a recency that is none", () => {
    expect(() => statesByRecency(purchases, { by: "month", end: "2024-05-31", longest: 0 })).toThrow(
      new RangeError("longest must be a whole number of periods from 1 up, got 0"),
    );
  });
});

describe("states by label", () => {
  const rows = table({
    customer_key: [2, 1, 1, 2, 10],
    period: [2023, 2023, 2025, 2024, 2024],
    state: ["gold", "silver", "gold", "gold", "silver"],
  });

  it("keep what was not observed apart", () => {
    const states = statesByLabel(rows);
    expect(states.customers).toEqual([1, 2, 10]);
    expect(states.periods).toEqual(["2023", "2024", "2025"]);
    expect([0, 1, 2].map((customer) => history(states, customer))).toEqual([
      ["silver", "-", "gold"],
      ["gold", "gold", "-"],
      ["-", "silver", "-"],
    ]);
  });

  it("give the absent a state from their first period on, in the order asked for", () => {
    const states = statesByLabel(rows, { states: ["silver", "gold"], absent: "lost" });
    expect(states.states).toEqual(["silver", "gold", "lost"]);
    expect([0, 1, 2].map((customer) => history(states, customer))).toEqual([
      ["silver", "lost", "gold"],
      ["gold", "gold", "lost"],
      ["-", "silver", "lost"],
    ]);
  });

  it("refuse unknown states, missing ones and two rows for a period", () => {
    expect(() => statesByLabel(rows, { states: ["silver", "bronze"] })).toThrow(
      new DataError('states: state in row 1 must be one of silver, bronze, got "gold"'),
    );
    expect(() => statesByLabel(table({ customer_key: [1], period: [1], state: [null] }))).toThrow(
      new DataError("states: state in row 1 must name a state, got null"),
    );
    expect(() => statesByLabel(rows.concat(rows))).toThrow(
      new DataError("states: customer 2 must have one row in period 2023, got another in row 6"),
    );
    expect(() => statesByLabel(table({ customer_key: [1], period: [1], state: ["a"] }))).toThrow(
      new DataError("states: at least two are needed, got a"),
    );
  });
});
