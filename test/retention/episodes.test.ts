import { type ColumnTable, from, table } from "arquero";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dayNumber, isoDay } from "../../src/core/day.js";
import { DataError } from "../../src/core/errors.js";
import { type Random, randomSource } from "../../src/numeric/random.js";
import { drawExponential } from "../../src/numeric/sampling.js";
import { fitCox } from "../../src/retention/cox.js";
import { type EpisodeOptions, runningCounts, survivalEpisodes } from "../../src/retention/episodes.js";
import { kaplanMeier } from "../../src/retention/kaplan-meier.js";
import type { SurvivalData } from "../../src/retention/survival-data.js";

const contracts = table({
  customer_key: ["a", "b", "c"],
  started_on: ["2024-01-01", "2024-01-11", "2024-01-31"],
  ended_on: ["2024-01-31", null, "2024-03-31"],
  plan: [1, 2, 3],
  cancelled: [1, 0, 0],
  seen_from: [null, "2024-02-10", null],
});
const contacts = table({
  customer_key: ["a", "b", "a", "a", "b", "b", "x"],
  contacted_on: [
    "2024-01-11",
    "2024-02-20",
    "2024-01-21",
    "2024-01-21",
    "2024-01-16",
    "2024-02-20",
    "2024-02-01",
  ],
  reason: ["complaint", "complaint", "complaint", "complaint", "complaint", "question", "complaint"],
});
const counts = runningCounts(contacts, { day: "contacted_on", kind: "reason" });
const options: EpisodeOptions = {
  lastDay: "2024-03-01",
  unit: "days",
  initial: { plan: "plan", complaint: 0, question: 0 },
};
const columnsOf = ({ entry, time, event }: SurvivalData) =>
  Array.from(time, (t, row) => [entry?.[row], t, event[row]]);
const change = (rows: readonly (readonly [string, string, string, number])[]): ColumnTable =>
  table({
    customer_key: rows.map(([customer]) => customer),
    changed_on: rows.map(([, day]) => day),
    covariate: rows.map(([, , covariate]) => covariate),
    value: rows.map(([, , , value]) => value),
  });

describe("runningCounts", () => {
  it("counts the rows of each kind so far, those of one day as one change", () => {
    expect(
      counts
        .objects()
        .map((row) => ({ ...row, changed_on: isoDay((row as { changed_on: number }).changed_on) })),
    ).toEqual([
      { customer_key: "a", changed_on: "2024-01-11", covariate: "complaint", value: 1 },
      { customer_key: "b", changed_on: "2024-01-16", covariate: "complaint", value: 1 },
      { customer_key: "a", changed_on: "2024-01-21", covariate: "complaint", value: 3 },
      { customer_key: "x", changed_on: "2024-02-01", covariate: "complaint", value: 1 },
      { customer_key: "b", changed_on: "2024-02-20", covariate: "complaint", value: 2 },
      { customer_key: "b", changed_on: "2024-02-20", covariate: "question", value: 1 },
    ]);
  });

  it("names what is wrong", () => {
    expect(() => runningCounts(contacts, { day: "reason", kind: "reason" })).toThrow(
      new DataError('log: reason in row 1 must be a day such as "1997-09-30", got "complaint"'),
    );
  });
});

describe("survivalEpisodes", () => {
  it("cuts contracts where a covariate changes", () => {
    const episodes = survivalEpisodes(contracts, counts, options);
    expect(columnsOf(episodes)).toEqual([
      [0, 10, 0],
      [10, 20, 0],
      [20, 30, 1], // a left on the day before the last known one
      [0, 5, 0],
      [5, 40, 0],
      [40, 50, 0], // b runs, both changes of a day are one cut
      [0, 30, 0], // c left after the last day
    ]);
    expect(episodes.customer).toEqual(["a", "a", "a", "b", "b", "b", "c"]);
    expect([...episodes.contract]).toEqual([0, 0, 0, 1, 1, 1, 2]);
    expect(Object.keys(episodes.covariates)).toEqual(["plan", "complaint", "question"]);
    const { plan, complaint, question } = episodes.covariates;
    expect(Array.from(plan ?? [])).toEqual([1, 1, 1, 2, 2, 2, 3]);
    expect(Array.from(complaint ?? [])).toEqual([0, 1, 3, 0, 1, 2, 0]);
    expect(Array.from(question ?? [])).toEqual([0, 0, 0, 0, 0, 1, 0]);
  });

  it("begins where a contract was first observed, with the values known by then", () => {
    const episodes = survivalEpisodes(contracts, counts, { ...options, observedFrom: "seen_from" });
    expect(columnsOf(episodes).slice(3)).toEqual([
      [30, 40, 0],
      [40, 50, 0],
      [0, 30, 0],
    ]);
    expect(Array.from(episodes.covariates["complaint"] ?? []).slice(3)).toEqual([1, 2, 0]);
    const late = contracts.derive({ seen_from: () => "2024-02-10" });
    expect(survivalEpisodes(late, counts, { ...options, observedFrom: "seen_from" }).customer).toEqual([
      "b",
      "b",
      "c",
    ]);
  });

  it("takes an end for leaving only where the flag says so", () => {
    const long = { ...options, lastDay: "2024-12-31", event: "cancelled" };
    expect(columnsOf(survivalEpisodes(contracts, counts, long)).filter(([, , left]) => left === 1)).toEqual([
      [20, 30, 1],
    ]);
  });

  it("leaves the value of an end's day to the row before, and what changes later or not at all out", () => {
    const one = (rows: Parameters<typeof change>[0]) =>
      survivalEpisodes(contracts, change(rows), { ...options, initial: { tier: 1 } });
    const atEnd = one([
      ["a", "2024-01-31", "tier", 2],
      ["a", "2024-02-02", "tier", 3],
      ["b", "2024-03-01", "tier", 2],
      ["c", "2024-02-10", "tier", 1],
    ]);
    expect(columnsOf(atEnd)).toEqual([
      [0, 30, 1],
      [0, 50, 0],
      [0, 30, 0],
    ]);
    expect(Array.from(atEnd.covariates["tier"] ?? [])).toEqual([1, 1, 1]);
    const before = one([
      ["a", "2023-06-01", "tier", 7],
      ["b", "2024-01-11", "tier", 8],
    ]);
    expect(Array.from(before.covariates["tier"] ?? [])).toEqual([7, 8, 1]);
  });

  it("counts time in weeks, and in months from renewal to renewal", () => {
    const rows = table({
      customer_key: [1, 2, 3, 4],
      started_on: ["2024-01-31", "2024-01-15", "2023-12-31", "2023-11-30"],
      ended_on: ["2024-02-29", "2024-04-15", "2024-03-31", "2024-02-14"],
    });
    const timesIn = (unit: EpisodeOptions["unit"]) => [
      ...survivalEpisodes(rows, undefined, { lastDay: "2024-12-31", unit }).time,
    ];
    expect(timesIn("weeks")).toEqual([29, 91, 91, 76].map((days) => days / 7));
    // The last began a month on 30 January that would have ended on 29 February.
    expect(timesIn("months")).toEqual([1, 3, 3, 2 + 15 / 30]);
    fc.assert(
      fc.property(
        fc.integer({ min: 15_000, max: 25_000 }),
        fc.integer({ min: 1, max: 900 }),
        (start, size) => {
          const days = Array.from({ length: size }, (_, i) => start + i + 1);
          const { time } = survivalEpisodes(
            table({ customer_key: days, started_on: days.map(() => start), ended_on: days }),
            undefined,
            { lastDay: "2099-12-31", unit: "months" },
          );
          for (const [i, months] of time.entries()) {
            const step = months - (time[i - 1] ?? 0);
            expect(step).toBeGreaterThan(1 / 32);
            expect(step).toBeLessThan(1 / 27);
          }
        },
      ),
      { seed: 4, numRuns: 30 },
    );
  });

  it("keeps the time at risk, the events and the survival curve of the uncut contracts", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.constantFrom("days", "weeks", "months"),
        (seed, unit) => {
          const { contracts: base, changes } = world(randomSource(seed), 30, 0.5);
          const settings = { lastDay, unit, initial: { complaints: 0, x: "x" } };
          const whole = survivalEpisodes(base, undefined, settings);
          const cut = survivalEpisodes(base, changes, settings);
          const sum = (values: ArrayLike<number>) =>
            Array.from(values).reduce((total, value) => total + value, 0);
          expect(cut.time.length).toBeGreaterThan(whole.time.length);
          expect(sum(cut.time) - sum(cut.entry)).toBeCloseTo(sum(whole.time) - sum(whole.entry), 8);
          expect(sum(cut.event)).toBe(sum(whole.event));
          for (const [row, entry] of cut.entry.entries()) {
            const follows = cut.contract[row] === cut.contract[row - 1];
            if (follows) expect(entry).toBe(cut.time[row - 1]);
            else expect(entry).toBe(0);
          }
          const [one, other] = [kaplanMeier(whole), kaplanMeier(cut)];
          for (const [k, time] of one.times.entries()) {
            expect(other.survival[other.times.indexOf(time)]).toBeCloseTo(one.survival[k] ?? Number.NaN, 12);
          }
        },
      ),
      { seed: 8, numRuns: 60 },
    );
  });

  it("gives Cox what the uncut contracts give where nothing changes, or only what is not in the model", () => {
    const { contracts: base, changes } = world(randomSource(3), 400, 0.5);
    const settings: EpisodeOptions = { lastDay, unit: "days", initial: { x: "x", complaints: 0 } };
    const still = survivalEpisodes(base, undefined, settings);
    const { time, event, covariates } = still;
    const x = covariates["x"] ?? [];
    const uncut = fitCox({ time, event }, { x });
    expect(fitCox(still, { x }).coefficients["x"]).toBeCloseTo(uncut.coefficients["x"] ?? Number.NaN, 10);
    const cut = survivalEpisodes(base, changes, settings);
    expect(cut.time.length).toBeGreaterThan(600);
    const again = fitCox(cut, { x: cut.covariates["x"] ?? [] });
    expect(again.coefficients["x"]).toBeCloseTo(uncut.coefficients["x"] ?? Number.NaN, 8);
    expect(again.standardErrors["x"]).toBeCloseTo(uncut.standardErrors["x"] ?? Number.NaN, 8);
  });

  it("recovers the effect of complaints so far, that of the total of a life does not tell it", () => {
    const [effect, ofX] = [0.6, -0.5];
    const { contracts: base, changes } = world(randomSource(12), 4000, effect, ofX);
    const episodes = survivalEpisodes(base, changes, {
      lastDay,
      unit: "months",
      initial: { x: "x", complaints: 0 },
    });
    const fit = fitCox(episodes, episodes.covariates, { cluster: episodes.customer });
    const off = (name: string, truth: number) =>
      Math.abs((fit.coefficients[name] ?? Number.NaN) - truth) / (fit.standardErrors[name] ?? Number.NaN);
    expect(off("complaints", effect)).toBeLessThan(3);
    expect(off("x", ofX)).toBeLessThan(3);
    expect(fit.standardErrors["complaints"]).toBeLessThan(0.05);
    // Who stays long has time to complain: complaints of the whole life look harmless.
    const total = new Map<string, number>();
    for (const [row, name] of episodes.customer.entries()) {
      total.set(name, episodes.covariates["complaints"]?.[row] ?? 0);
    }
    const whole = survivalEpisodes(base, undefined, { lastDay, unit: "months" });
    const naive = fitCox(whole, { complaints: whole.customer.map((name) => total.get(name) ?? 0) });
    expect(naive.coefficients["complaints"]).toBeLessThan(0.2);
  });

  it("matches customers as text, gives several contracts of one the same changes", () => {
    const two = table({
      customer_key: [7, 7],
      started_on: [0, 100],
      ended_on: [50, null],
    });
    const log = table({
      customer_key: ["7", "7"],
      changed_on: [20, 120],
      covariate: ["n", "n"],
      value: [1n, 2n],
    });
    const episodes = survivalEpisodes(two, log, { lastDay: isoDay(150), unit: "days", initial: { n: 0 } });
    expect(columnsOf(episodes)).toEqual([
      [0, 20, 0],
      [20, 50, 1],
      [0, 20, 0],
      [20, 50, 0],
    ]);
    expect(Array.from(episodes.covariates["n"] ?? [])).toEqual([0, 1, 1, 2]);
  });

  it("names what is wrong", () => {
    const cut =
      (rows: Parameters<typeof change>[0], more: Partial<EpisodeOptions> = {}) =>
      () =>
        survivalEpisodes(contracts, change(rows), { ...options, initial: {}, ...more });
    expect(cut([["a", "2024-01-05", "tier", 1]])).toThrow(
      new DataError(
        'changes: tier of customer "a" must have a value on 2024-01-01, the first day of the contract in row 1, got none: give one in initial, or a change up to that day',
      ),
    );
    expect(
      cut([
        ["a", "2024-01-05", "tier", 1],
        ["b", "2024-01-05", "tier", 1],
        ["a", "2024-01-05", "fee", 1],
        ["a", "2024-01-05", "tier", 2],
      ]),
    ).toThrow(
      new DataError('changes: tier of customer "a" must change once on 2024-01-05, got 1 and, in row 4, 2'),
    );
    expect(cut([["z", "2024-01-05", "tier", 1]])).toThrow(
      new DataError(
        'changes: some customer must have a contract, but none has; changes name "z", contracts "a"',
      ),
    );
    expect(cut([["a", "5.1.2024", "tier", 1]])).toThrow(
      new DataError('changes: changed_on in row 1 must be a day such as "1997-09-30", got "5.1.2024"'),
    );
    expect(cut([["a", "2024-01-05", "tier", Number.NaN]])).toThrow(
      new DataError("changes: value in row 1 must be a number, got NaN"),
    );
    expect(cut([["a", "2024-01-05", "tier", 1]], { initial: { tier: Number.NaN } })).toThrow(
      new RangeError("initial.tier must be a number, got NaN"),
    );
    expect(cut([["a", "2024-01-05", "tier", 1]], { initial: { tier: "grade" } })).toThrow(
      /^contracts: column grade is missing/,
    );
    expect(cut([["a", "2024-01-05", "tier", 1]], { unit: "years" as never })).toThrow(
      new RangeError("unit must be one of days, weeks, months, got years"),
    );
    const bad =
      (row: Readonly<Record<string, unknown>>, more: Partial<EpisodeOptions> = {}) =>
      () => {
        const one = { customer_key: 1, started_on: "2024-01-01", ended_on: null, ...row };
        return survivalEpisodes(from([one]), undefined, {
          ...options,
          initial: {},
          ...more,
        });
      };
    expect(bad({ ended_on: "2024-01-01" })).toThrow(
      new DataError("contracts: ended_on in row 1 must be after started_on 2024-01-01, got 2024-01-01"),
    );
    expect(bad({ ended_on: "soon" })).toThrow(
      new DataError('contracts: ended_on in row 1 must be a day such as "1997-09-30", or null, got "soon"'),
    );
    expect(bad({ left: 1 }, { event: "left" })).toThrow(
      new DataError("contracts: left in row 1 must be 0 while the contract runs, got 1"),
    );
    expect(bad({ left: 2, ended_on: "2024-02-01" }, { event: "left" })).toThrow(
      new DataError("contracts: left in row 1 must be 0 or 1, got 2"),
    );
    expect(bad({ started_on: "2024-03-01" })).toThrow(
      new DataError("contracts: at least one must have been at risk by 2024-03-01, got none"),
    );
    expect(bad({ customer_key: null })).toThrow(
      new DataError("contracts: customer_key in row 1 must name a customer, got null"),
    );
    expect(bad({}, { lastDay: "1.3.2024" })).toThrow(
      new RangeError('lastDay must be a day such as "1998-07-01", got "1.3.2024"'),
    );
  });
});

const lastDay = "2024-12-31";

/** Contracts whose hazard a complaint multiplies by exp(effect) from its day on, and x by exp(ofX). */
function world(random: Random, size: number, effect: number, ofX = 0) {
  const last = dayNumber(lastDay);
  const lives = Array.from({ length: size }, (_, customer) => {
    const start = last - 1 - Math.floor(1000 * random.uniform());
    const x = Number(random.uniform() < 0.5);
    const complaints: number[] = [];
    let hazard = 0.001 * Math.exp(ofX * x);
    let time = 0;
    for (;;) {
      const complains = Math.ceil(time + drawExponential(random, 1 / 300));
      const leaves = time + drawExponential(random, hazard);
      if (leaves <= complains || complains > 1000) {
        const end = start + Math.ceil(leaves);
        return { customer, start, x, end: end <= last ? end : null, complaints };
      }
      complaints.push(start + complains);
      hazard *= Math.exp(effect);
      time = complains;
    }
  });
  const complaints = lives.flatMap(({ customer, complaints: days }) =>
    days.map((day) => ({ customer, day })),
  );
  return {
    contracts: table({
      customer_key: lives.map(({ customer }) => customer),
      started_on: lives.map(({ start }) => start),
      ended_on: lives.map(({ end }) => end),
      x: lives.map(({ x }) => x),
    }),
    changes: runningCounts(
      table({
        customer_key: complaints.map(({ customer }) => customer),
        day: complaints.map(({ day }) => day),
        kind: complaints.map(() => "complaints"),
      }),
      { day: "day", kind: "kind" },
    ),
  };
}
