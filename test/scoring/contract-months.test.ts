import { type ColumnTable, table } from "arquero";
import { describe, expect, it } from "vitest";
import { dayNumber, isoDay } from "../../src/core/day.js";
import { DataError } from "../../src/core/errors.js";
import { randomSource } from "../../src/numeric/random.js";
import { drawBernoulli, drawPoisson } from "../../src/numeric/sampling.js";
import { churnScores, contractMonths, fitChurnScore } from "../../src/scoring/contract-months.js";

const subscriptions = (
  rows: readonly (readonly [id: string, from: string, to: string | null, reason?: string])[],
) =>
  table({
    subscription_id: rows.map(([id]) => id),
    customer_key: rows.map((_, i) => i + 1),
    plan: rows.map(([id]) => (id < "A3" ? "Small" : "Large")),
    started_on: rows.map(([, from]) => from),
    ended_on: rows.map(([, , to]) => to),
    end_reason: rows.map(([, , , reason]) => reason ?? null),
  });

const column = (rows: ColumnTable, name: string): unknown[] =>
  Array.from(rows.array(name) as ArrayLike<unknown>);
const days = (rows: ColumnTable, name: string): string[] => (column(rows, name) as number[]).map(isoDay);

const options = { lastDay: "2024-06-15" };

describe("contract months", () => {
  it("are one row for each renewal due, and the month that runs", () => {
    const months = contractMonths(
      subscriptions([
        ["A1", "2024-03-10", "2024-05-10", "cancelled"],
        ["A2", "2024-05-20", null],
      ]),
      undefined,
      options,
    );
    expect(column(months, "subscription_id")).toEqual(["A1", "A1", "A2"]);
    expect(column(months, "customer")).toEqual([1, 1, 2]);
    expect(column(months, "age")).toEqual([1, 2, 1]);
    expect(days(months, "from")).toEqual(["2024-03-10", "2024-04-10", "2024-05-20"]);
    expect(days(months, "renewal")).toEqual(["2024-04-10", "2024-05-10", "2024-06-20"]);
    expect(column(months, "left")).toEqual([0, 1, null]);
    expect(column(months, "end_reason")).toEqual([null, "cancelled", null]);
  });

  it("renew on the same day of each month, or its last, counted from the start", () => {
    const months = contractMonths(subscriptions([["A1", "2024-01-31", null]]), undefined, options);
    expect(days(months, "renewal")).toEqual([
      "2024-02-29",
      "2024-03-31",
      "2024-04-30",
      "2024-05-31",
      "2024-06-30",
    ]);
    const common = contractMonths(subscriptions([["A1", "2022-12-30", "2023-03-30"]]), undefined, options);
    expect(days(common, "renewal")).toEqual(["2023-01-30", "2023-02-28", "2023-03-30"]);
  });

  it("begin where the data do, and keep the age of older contracts", () => {
    const rows = subscriptions([
      ["A1", "2023-12-10", "2024-05-10", "cancelled"],
      ["A2", "2024-05-20", null],
    ]);
    const contacts = table({
      customer_key: [1, 1],
      contacted_on: ["2024-04-02", "2024-04-20"], // the first one in a month that the first day cuts
      reason: ["question", "question"],
    });
    const months = contractMonths(rows, contacts, { ...options, firstDay: "2024-04-01" });
    expect(column(months, "age")).toEqual([5, 1]);
    expect(days(months, "from")).toEqual(["2024-04-10", "2024-05-20"]);
    expect(column(months, "left")).toEqual([1, null]);
    expect(column(months, "contacts_question")).toEqual([1, 0]);
    expect(() => contractMonths(rows, undefined, { ...options, firstDay: "2024-06-16" })).toThrow(
      new RangeError("firstDay must not be after lastDay 2024-06-15, got 2024-06-16"),
    );
    expect(() => contractMonths(rows, undefined, { ...options, firstDay: "2024-06-01" })).toThrow(
      new DataError(
        "subscriptions: at least one must have started by 2024-06-15 and run through a month that began from 2024-06-01 on, got none",
      ),
    );
  });

  it("know a renewal that is due on the last day, and nothing after it", () => {
    const rows = subscriptions([
      ["A1", "2024-05-15", "2024-06-15", "cancelled"],
      ["A2", "2024-05-15", null],
      ["A3", "2024-05-16", "2024-06-16", "cancelled"],
      ["A4", "2024-06-16", null],
    ]);
    const months = contractMonths(rows, undefined, options);
    expect(column(months, "subscription_id")).toEqual(["A1", "A2", "A2", "A3"]);
    expect(column(months, "left")).toEqual([1, 0, null, null]);
    expect(column(months, "end_reason")).toEqual(["cancelled", null, null, null]);
  });

  it("count contacts from a payment to the day before the next renewal date", () => {
    const contacts = table({
      customer_key: [1, 1, 1, 1, 1, 2, 3],
      contacted_on: [
        "2024-03-09",
        "2024-03-10",
        "2024-04-09",
        "2024-04-10",
        "2024-05-10",
        "2024-06-15",
        "2024-06-01",
      ],
      reason: ["complaint", "complaint", "question", "complaint", "complaint", "question", "complaint"],
    });
    const rows = subscriptions([
      ["A1", "2024-03-10", "2024-05-10", "cancelled"],
      ["A2", "2024-05-20", null],
    ]);
    const months = contractMonths(rows, contacts, options);
    expect(column(months, "contacts_complaint")).toEqual([1, 1, 0]);
    expect(column(months, "contacts_question")).toEqual([1, 0, 1]);
    const chosen = contractMonths(rows, contacts, { ...options, reasons: ["question", "delivery"] });
    expect(chosen.columnNames().slice(-2)).toEqual(["contacts_question", "contacts_delivery"]);
    expect(column(chosen, "contacts_delivery")).toEqual([0, 0, 0]);
    expect(column(contractMonths(rows, contacts, { lastDay: "2024-06-14" }), "contacts_question")).toEqual([
      1, 0, 0,
    ]);
  });

  it("refuse ends that are no renewal dates, and what is missing", () => {
    expect(() =>
      contractMonths(subscriptions([["A1", "2024-01-31", "2024-03-01"]]), undefined, options),
    ).toThrow(
      new DataError(
        "subscriptions: ended_on in row 1 must be a renewal date of the contract started on 2024-01-31, such as 2024-03-31, got 2024-03-01",
      ),
    );
    expect(() => contractMonths(subscriptions([["A1", "2024-01-31", "soon"]]), undefined, options)).toThrow(
      new DataError('subscriptions: ended_on in row 1 must be a day, or null while it runs, got "soon"'),
    );
    const twice = subscriptions([
      ["A1", "2024-01-31", null],
      ["A1", "2024-02-01", null],
    ]);
    expect(() => contractMonths(twice, undefined, options)).toThrow(
      new DataError('subscriptions: subscription_id in row 2 must stand in one row only, got "A1" again'),
    );
    expect(() => contractMonths(subscriptions([["A1", "2024-07-01", null]]), undefined, options)).toThrow(
      new DataError("subscriptions: at least one must have started by 2024-06-15, got none"),
    );
    expect(() =>
      contractMonths(subscriptions([["A1", "2024-01-31", null]]), undefined, { lastDay: "now" }),
    ).toThrow(new RangeError('lastDay must be a day such as "1998-07-01", got "now"'));
    const strangers = table({ customer_key: ["0001"], contacted_on: ["2024-03-09"], reason: ["complaint"] });
    expect(() => contractMonths(subscriptions([["A1", "2024-01-31", null]]), strangers, options)).toThrow(
      new DataError(
        'contacts: some customer must have a subscription, but none has; contacts name "0001", subscriptions "1"',
      ),
    );
  });
});

/** Contracts that end with a chance by age and plan; Poisson complaints whose mean tells who leaves at the month's end. */
function simulate(seed: number, n: number) {
  const random = randomSource(seed);
  const lastDay = dayNumber("2025-12-31");
  const rows: [string, number, number, string, number, number | null, string | null][] = [];
  const contacts: [number, number][] = [];
  for (let customer = 0; customer < n; customer++) {
    const start = dayNumber(`2025-0${1 + Math.floor(random.uniform() * 8)}-05`);
    const large = customer % 3 === 0;
    let end: number | null = null;
    let reason: string | null = null;
    const firstMonth = Number(isoDay(start).slice(5, 7)) - 1;
    const month = (age: number): number => Date.UTC(2025, firstMonth + age, 5) / 86_400_000;
    for (let age = 1; end === null && month(age - 1) <= lastDay; age++) {
      const odds = (age === 1 ? 0.25 : 0.1) * (large ? 0.5 : 1);
      const leaves = drawBernoulli(random, odds / (1 + odds));
      for (let k = drawPoisson(random, leaves ? 0.28 : 0.04); k > 0; k--) {
        contacts.push([
          customer,
          month(age - 1) + Math.floor(random.uniform() * (month(age) - month(age - 1))),
        ]);
      }
      if (leaves && month(age) <= lastDay) {
        end = month(age);
        reason = random.uniform() < 0.2 ? "payment_failed" : "cancelled";
      }
    }
    rows.push([`A${customer}`, customer, customer, large ? "Large" : "Small", start, end, reason]);
  }
  const at = (i: number): unknown[] => rows.map((row) => row[i]);
  return {
    subscriptions: table({
      subscription_id: at(0),
      customer_key: at(1),
      plan: at(3),
      started_on: at(4),
      ended_on: at(5),
      end_reason: at(6),
    }),
    contacts: table({
      customer_key: contacts.map(([customer]) => customer),
      contacted_on: contacts.map(([, day]) => day),
      reason: contacts.map(() => "complaint"),
    }),
  };
}

describe("churn score", () => {
  const world = simulate(6, 6000);
  const months = contractMonths(world.subscriptions, world.contacts, { lastDay: "2025-12-31" });
  const fit = fitChurnScore(months, { ageBands: [1, 2] });

  it("finds the hazard by age and plan, and ln 7 a complaint", () => {
    // Poisson counts with means .28 and .04: the log odds of leaving rise by ln(.28 / .04) each, and fall by .24 for all.
    const truth = {
      intercept: Math.log(0.125) - 0.24,
      "age=2+": Math.log(0.4),
      "plan=Small": Math.log(2),
      contacts_complaint: Math.log(7),
    };
    expect(Object.keys(fit.parameters)).toEqual(Object.keys(truth));
    for (const [name, value] of Object.entries(truth)) {
      const error = fit.standardErrors[name] as number;
      expect(Math.abs((fit.parameters[name] as number) - value)).toBeLessThan(3 * error);
      expect(error).toBeLessThan(0.07);
    }
    expect(fit.robust).toBe(true);
    expect(fit.plans).toEqual(["Large", "Small"]);
  });

  it("scores the contracts that run, highest first", () => {
    const scores = churnScores(fit, months);
    const open = column(months, "left").filter((value) => value === null).length;
    expect(scores.numRows()).toBe(open);
    const probability = column(scores, "probability") as number[];
    expect(probability).toEqual([...probability].sort((a, b) => b - a));
    // The first one by hand, from its row of months.
    const [id] = column(scores, "subscription_id");
    const row = (months.objects() as Record<string, number | string | null>[]).find(
      (one) => one["subscription_id"] === id && one["left"] === null,
    );
    const b = fit.parameters as Record<string, number>;
    const logOdds =
      (b["intercept"] as number) +
      (Number(row?.["age"]) >= 2 ? (b["age=2+"] as number) : 0) +
      (row?.["plan"] === "Small" ? (b["plan=Small"] as number) : 0) +
      Number(row?.["contacts_complaint"]) * (b["contacts_complaint"] as number);
    expect(probability[0]).toBeCloseTo(1 / (1 + Math.exp(-logOdds)), 12);
  });

  it("can count one end reason only", () => {
    const cancelled = fitChurnScore(months, { ageBands: [1, 2], endReason: "cancelled" });
    const reasons = column(months, "end_reason");
    expect(cancelled.events).toBe(reasons.filter((reason) => reason === "cancelled").length);
    expect(fit.events).toBe(reasons.filter((reason) => reason !== null).length);
    expect(cancelled.observations).toBe(fit.observations);
  });

  it("merges bands of ages in which nobody left or nobody was", () => {
    const bands = fitChurnScore(months).ageBands; // nobody is older than 12 months
    expect(bands).toEqual([1, 2, 3, 4, 7]);
    const names = Object.keys(fitChurnScore(months).parameters).filter((name) => name.startsWith("age="));
    expect(names).toEqual(["age=2", "age=3", "age=4-6", "age=7+"]);
    expect(fitChurnScore(months, { ageBands: [1, 40] }).ageBands).toEqual([1]);
  });

  it("refuses plans it does not know, and bases in which nothing runs", () => {
    const open = contractMonths(subscriptions([["A1", "2025-12-01", null]]), undefined, {
      lastDay: "2025-12-31",
    });
    const known = fitChurnScore(contractMonths(world.subscriptions, undefined, { lastDay: "2025-12-31" }));
    expect(churnScores(known, open).numRows()).toBe(1);
    expect(() => churnScores({ ...known, plans: ["Large"] }, open)).toThrow(
      new DataError('contract months: plan in row 1 must be one of Large, got "Small"'),
    );
    const ended = contractMonths(
      subscriptions([["A1", "2025-11-01", "2025-12-01", "cancelled"]]),
      undefined,
      {
        lastDay: "2025-12-31",
      },
    );
    expect(() => churnScores(known, ended)).toThrow(
      new DataError("contract months: at least one contract must run, got none"),
    );
    expect(() => churnScores(fit, open)).toThrow(
      new DataError(
        `contract months: column contacts_complaint is missing, the columns are ${open.columnNames().join(", ")}`,
      ),
    );
    expect(() => fitChurnScore(months, { ageBands: [2, 1] })).toThrow(
      new RangeError("ageBands must be rising whole numbers from 1, got 2, 1"),
    );
  });
});
