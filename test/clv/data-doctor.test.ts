import { existsSync } from "node:fs";
import { type ColumnTable, table } from "arquero";
import { describe, expect, it } from "vitest";
import {
  type DiagnoseOptions,
  diagnosePurchases,
  type PurchaseCheck,
  type PurchaseFinding,
} from "../../src/clv/data-doctor.js";
import { dayNumber, isoDay } from "../../src/core/day.js";
import { type Random, randomSource } from "../../src/numeric/random.js";
import { drawExponential, drawGamma } from "../../src/numeric/sampling.js";
import { referenceDir, referenceTable } from "../reference/case.js";

interface Row {
  readonly customer_key: number;
  readonly ordered_on: unknown;
  readonly amount: number;
}

/** What is planted into a log that is clean without it. */
interface Defects {
  readonly customers?: number;
  /** Regularity of the gaps. */
  readonly k?: number;
  /** Probability that a repeat purchase on a day takes place. */
  readonly season?: (day: string) => number;
  /** Days before the start of the log in which customers were acquired too; purchases of that time are cut off. */
  readonly acquiredBefore?: number;
  /** Share of customers who never come back, by day of the first purchase, 0 to 364. */
  readonly lost?: (arrival: number) => number;
  /** Factor on a purchase's amount, by the customer's buying rate a day. */
  readonly spend?: (rate: number) => number;
}

const start = dayNumber("2023-01-02");
const days = 728;
const options: DiagnoseOptions = { end: isoDay(start + days - 1), unit: "weeks" };

/**
 * Pareto/NBD buyers with Gamma-Gamma spend, acquired evenly over a year and observed for two. Buying rates are
 * Gamma(1.5, 60 days), dropout rates Gamma(2, 1500 days).
 */
function simulate(random: Random, defects: Defects = {}): Row[] {
  const { customers = 400, k = 1, season, acquiredBefore = 0, lost, spend = () => 1 } = defects;
  const rows: Row[] = [];
  for (let customer = 1; customer <= customers; customer++) {
    const birth = random.uniform() * (364 + acquiredBefore) - acquiredBefore;
    const rate = drawGamma(random, 1.5, 60);
    const life = drawExponential(random, 1) / drawGamma(random, 2, 1500);
    const money = 90 / drawGamma(random, 4, 1); // mean 30
    const isLost = lost !== undefined && random.uniform() < lost(birth);
    const buy = (time: number): void => {
      const day = start + Math.floor(birth + time);
      if (day < start || (time > 0 && season && random.uniform() > season(isoDay(day)))) return;
      const amount = Math.round(drawGamma(random, 6, 6) * money * spend(rate) * 100) / 100 + 0.01;
      rows.push({ customer_key: customer, ordered_on: isoDay(day), amount });
    };
    buy(0);
    if (isLost) continue;
    for (let time = gap(); time < life && birth + time < days; time += gap()) buy(time);
    function gap(): number {
      return drawGamma(random, k, k * rate);
    }
  }
  return rows;
}

const log = (rows: readonly Row[]): ColumnTable =>
  table({
    customer_key: rows.map(({ customer_key }) => customer_key),
    ordered_on: rows.map(({ ordered_on }) => ordered_on),
    amount: rows.map(({ amount }) => amount),
  });

const found = (
  rows: readonly Row[],
  check: PurchaseCheck,
  more: Partial<DiagnoseOptions> = {},
): PurchaseFinding => {
  const finding = diagnosePurchases(log(rows), { ...options, ...more }).findings.find(
    (each) => each.check === check,
  );
  if (!finding) throw new Error(`no finding for ${check}`);
  return finding;
};

const clean = (seed: number): Row[] => simulate(randomSource(seed));

/** The level on three logs: the same for all of them. */
const level = (check: PurchaseCheck, defects: Defects): string =>
  [...new Set([1, 2, 3].map((seed) => found(simulate(randomSource(seed), defects), check).level))].join();

describe("false alarms", () => {
  it("has the size of its tests on 100 logs without a defect", () => {
    const notOk = new Map<string, number>();
    const warnings = new Map<string, number>();
    for (let seed = 1; seed <= 100; seed++) {
      const rows = simulate(randomSource(seed), { customers: 250 });
      for (const finding of diagnosePurchases(log(rows), options).findings) {
        notOk.set(finding.check, (notOk.get(finding.check) ?? 0) + Number(finding.level !== "ok"));
        warnings.set(finding.check, (warnings.get(finding.check) ?? 0) + Number(finding.level === "warning"));
      }
    }
    expect(warnings.size).toBe(13);
    for (const [check, count] of warnings) expect(count, check).toBeLessThanOrEqual(3);
    // At the 1% level 6 of 100 or more have a probability of 0.05%.
    for (const check of [
      "left truncation",
      "spend and frequency",
      "regularity",
      "seasonality",
      "cohort mixing",
    ]) {
      expect(notOk.get(check), check).toBeLessThanOrEqual(5);
    }
  }, 30_000);
});

describe("a defect planted", () => {
  it("finds customers of before the log", () => {
    expect(level("left truncation", { acquiredBefore: 364, customers: 800 })).toBe("warning");
    const before = simulate(randomSource(4), { acquiredBefore: 364, customers: 800 });
    expect(found(before, "left truncation").evidence).toMatch(
      /^[0-9.]+ first purchases a week in the first 28 days, [0-9.]+ in the \d+ weeks after: [0-9.]+ times; p < 0.0001$/,
    );
  });

  it("finds spend that goes with frequency, either way", () => {
    expect(level("spend and frequency", { spend: (rate) => Math.sqrt(rate) })).toBe("warning");
    expect(level("spend and frequency", { spend: (rate) => 1 / Math.sqrt(rate) })).toBe("warning");
    expect(level("spend and frequency", {})).toBe("ok");
  });

  it("finds regular buying and bursts, and its interval holds the k of the data", () => {
    expect(level("regularity", { k: 3 })).toBe("warning");
    expect(level("regularity", { k: 0.4 })).toBe("warning");
    for (const k of [1, 3]) {
      const { evidence } = found(simulate(randomSource(8), { k, customers: 2000 }), "regularity");
      const [, low = Number.NaN, high = Number.NaN] = (
        /99% interval ([0-9.]+) to ([0-9.]+)/.exec(evidence) ?? []
      ).map(Number);
      expect(low, evidence).toBeLessThan(k);
      expect(high, evidence).toBeGreaterThan(k === 1 ? k : 0.9 * k); // whole days blur three gaps in a week a little
      expect(high - low).toBeLessThan(k);
    }
  });

  it("finds a season and names its month", () => {
    const season = (day: string): number => (day.slice(5, 7) === "12" ? 1 : 0.5);
    expect(level("seasonality", { season })).toBe("warning");
    const { evidence, remedy } = found(simulate(randomSource(1), { season }), "seasonality");
    expect(evidence).toMatch(
      /^strongest month 202[34]-12: \d+ repeat purchases where [0-9.]+ are expected \(\+/,
    );
    expect(remedy).toContain("same months");
  });

  it("does not take the ageing of one day's customers for a season", () => {
    const firsts = new Map<number, number>();
    const log = clean(3).map((row) => ({ ...row, day: dayNumber(String(row.ordered_on)) }));
    for (const { customer_key, day } of log) {
      firsts.set(customer_key, Math.min(day, firsts.get(customer_key) ?? day));
    }
    const rows = log.map(({ customer_key, day, amount }) => ({
      customer_key,
      ordered_on: day - (firsts.get(customer_key) ?? 0) + start,
      amount,
    }));
    expect(found(rows, "seasonality")).toMatchObject({
      level: "note",
      evidence: expect.stringMatching(
        /^not tested: \d+ repeat purchases: too few a month, or months differ only/,
      ) as string,
    });
  });

  it("finds cohorts that get worse and names the drift", () => {
    const lost = (arrival: number): number => arrival / 500;
    expect(level("cohort mixing", { lost })).toBe("warning");
    expect(found(simulate(randomSource(1), { lost }), "cohort mixing").evidence).toMatch(
      /by acquisition quarter: falling, from [0-9.]+% \(2023-Q4\) to [0-9.]+% \(2023-Q1\); chi-square/,
    );
  });

  it("finds a customer beyond any mixture of buyers", () => {
    const till = Array.from({ length: 600 }, (_, day) => ({
      customer_key: 999,
      ordered_on: isoDay(start + day),
      amount: 10,
    }));
    expect(found(clean(2), "very many purchases")).toMatchObject({ level: "ok", count: 0 });
    expect(found([...clean(2), ...till], "very many purchases")).toMatchObject({
      level: "warning",
      count: 1,
      evidence: expect.stringMatching(/the most are 599 in 727 days \(customer 999\)$/) as string,
    });
  });

  it("finds the one buyer among customers who never came back, but not somebody with a second purchase", () => {
    const once = Array.from({ length: 200 }, (_, row) => ({
      customer_key: row,
      ordered_on: isoDay(start + row),
      amount: 5,
    }));
    const again = (times: number): Row[] =>
      Array.from({ length: times }, (_, time) => ({
        customer_key: 7,
        ordered_on: isoDay(start + 250 + time),
        amount: 5,
      }));
    expect(found([...once, ...again(100)], "very many purchases").count).toBe(1);
    expect(found([...once, ...again(1)], "very many purchases").level).toBe("ok");
  });

  it("finds one-time buyers, whose P(alive) the BG/NBD fixes at 1", () => {
    const finding = found(simulate(randomSource(1), { lost: () => 0.7 }), "one-time buyers");
    expect(finding).toMatchObject({ level: "warning" });
    expect(finding.remedy).toContain("fitMbgNbd");
    expect(finding.count / finding.share).toBeCloseTo(400, 9);
    expect(found(simulate(randomSource(1), { lost: () => 0.2 }), "one-time buyers").level).toBe("note");
  });

  it("finds an observation too short, and one that ends after the log", () => {
    expect(found(clean(1), "short observation", { end: isoDay(start + 40) }).level).toBe("warning");
    expect(found(clean(1), "silence before the end", { end: isoDay(start + days + 20) })).toMatchObject({
      level: "warning",
      count: 21,
      evidence: expect.stringMatching(/^the last purchase is 3.0 weeks before the end/) as string,
    });
    const once = [1, 2, 3].map((customer_key) => ({ customer_key, ordered_on: isoDay(start), amount: 1 }));
    expect(found(once, "short observation").evidence).toMatch(/^nobody bought three times/);
  });
});

describe("counts", () => {
  const few: readonly Row[] = [
    { customer_key: 1, ordered_on: "2023-02-01", amount: 10 },
    { customer_key: 1, ordered_on: "2023-02-01", amount: 10 },
    { customer_key: 1, ordered_on: "2023-02-01", amount: 5 },
    { customer_key: 1, ordered_on: "2023-03-01", amount: 7 },
    { customer_key: 2, ordered_on: "2023-03-01", amount: 7 },
    { customer_key: 2, ordered_on: "2030-03-01", amount: -7 },
  ];

  it("counts duplicate rows and same-day orders up to the end", () => {
    expect(found(few, "duplicate rows")).toMatchObject({ level: "warning", count: 1, share: 1 / 5 });
    expect(found(few, "same-day orders")).toMatchObject({
      level: "warning",
      count: 2,
      share: 2 / 5,
      evidence: "5 orders fall on 3 days of customers: 2 merge with another",
    });
    expect(found(few, "returns and zero amounts").level).toBe("ok");
    expect(found(few.slice(3), "same-day orders")).toMatchObject({
      level: "ok",
      count: 0,
      consequence: "none",
    });
    expect(found(few.slice(3), "duplicate rows")).toMatchObject({ level: "ok", remedy: "none" });
  });

  it("tells what each rule makes of returns", () => {
    const rows = [...few.slice(3, 5), { customer_key: 2, ordered_on: "2023-03-01", amount: -7 }];
    expect(found(rows, "returns and zero amounts")).toMatchObject({
      level: "warning",
      count: 1,
      share: 1 / 3,
      evidence:
        '1 negative amounts and 0 of 0 in 3 rows; "drop" removes 0 days and 0 customers, 7.00 of returns set off ' +
        'against no purchase; "net" removes 1 days and 1 customers, 0.00 of returns set off against no purchase',
    });
    expect(found(rows, "returns and zero amounts", { returns: "net" }).level).toBe("note");
    expect(found(rows, "one-time buyers", { returns: "net" }).count).toBe(1);
    expect(found(rows, "one-time buyers").count).toBe(2);
  });

  it("sees times of day, and a local midnight in UTC", () => {
    const at = (times: readonly unknown[]): PurchaseFinding =>
      found(
        times.map((ordered_on, row) => ({ customer_key: row, ordered_on, amount: 1 })),
        "times of day",
      );
    expect(at([19_500, "2023-05-01", new Date("2023-05-01"), "2023-05-01T00:00:00Z"])).toMatchObject({
      count: 0,
    });
    expect(at(["2023-05-01T08:15:00", new Date("2023-05-02T09:00:00Z")])).toMatchObject({
      level: "note",
      count: 2,
    });
    expect(at([new Date("2023-05-01T22:00:00Z"), new Date("2023-05-07T22:00:00Z")])).toMatchObject({
      level: "warning",
      evidence: "all 2 rows have the time of day 22:00:00 UTC: most likely midnight elsewhere",
    });
  });

  it("says what it cannot test, always gives all findings, and makes a table of them", () => {
    const diagnosis = diagnosePurchases(log(few), options);
    const untested = diagnosis.findings.filter(({ evidence }) => evidence.startsWith("not tested: "));
    expect(untested.map(({ check }) => check)).toEqual([
      "left truncation",
      "very many purchases",
      "spend and frequency",
      "regularity",
      "seasonality",
      "cohort mixing",
    ]);
    expect(untested.every((finding) => finding.level === "note")).toBe(true);
    expect(diagnosis.table().objects()).toEqual(diagnosis.findings);
  });

  it("survives customers who all buy once", () => {
    const once = Array.from({ length: 200 }, (_, row) => ({
      customer_key: row,
      ordered_on: isoDay(start + row),
      amount: 5,
    }));
    expect(found(once, "one-time buyers")).toMatchObject({ level: "warning", share: 1 });
    expect(found(once, "very many purchases").count).toBe(0);
    expect(found(once, "cohort mixing").level).toBe("ok");
  });

  it.each([
    [{ end: "2023-13-01" }, 'end must be a day such as "1998-07-01", got "2023-13-01"'],
    [
      { end: "2022-12-31" },
      "purchases: nobody bought up to the end, 2022-12-31; the first day of the data is 2023-02-01, the last 2030-03-01",
    ],
    [{ customer: "who" }, "purchases: column who is missing"],
  ])("refuses %j", (wrong, message) => {
    expect(() => diagnosePurchases(log(few), { ...options, ...wrong })).toThrow(message);
  });
});

describe("CDNOW", () => {
  it("finds what is known of the sample of one quarter's customers", (context) => {
    if (!existsSync(referenceDir)) context.skip(`left out: no reference data in ${referenceDir}`);
    const { header, rows } = referenceTable("cdnow_sample.csv");
    const column = (name: string): string[] => rows.map((row) => row[header.indexOf(name)] ?? "");
    const purchases = table({
      customer_key: column("id").map(Number),
      ordered_on: column("date"),
      amount: column("amount").map(Number),
    });
    const findings = (end: string): Map<PurchaseCheck, PurchaseFinding> =>
      new Map(
        diagnosePurchases(purchases, { end, unit: "weeks" }).findings.map((finding) => [
          finding.check,
          finding,
        ]),
      );
    const calibration = findings("1997-09-30");
    // Fader, Hardie & Lee (2005): 2,357 customers of one quarter, 1,411 of them without a repeat purchase in 39 weeks.
    expect(calibration.get("cohort mixing")).toMatchObject({ level: "ok", count: 2357 });
    expect(calibration.get("cohort mixing")?.evidence).toMatch(
      /^one acquisition quarter, 1997-Q1: 2357 customers/,
    );
    expect(calibration.get("one-time buyers")).toMatchObject({ level: "warning", count: 1411 });
    expect(calibration.get("left truncation")?.level).toBe("ok");
    expect(calibration.get("very many purchases")?.level).toBe("ok");
    expect(calibration.get("silence before the end")).toMatchObject({ level: "ok", count: 0 });
    // 2,457 repeat purchases in 39 weeks (946 buyers' sum of x) make 2,357 + 2,457 days of 4,960 rows.
    expect(calibration.get("same-day orders")).toMatchObject({ level: "note", count: 4960 - 2357 - 2457 });
    expect(calibration.get("spend and frequency")?.evidence).toContain("mean spend 0.114");
    expect(calibration.get("regularity")?.level).toBe("ok");
    const all = findings("1998-06-30");
    expect(all.get("same-day orders")).toMatchObject({ count: 6919 - 6696, share: (6919 - 6696) / 6919 });
    expect(all.get("returns and zero amounts")).toMatchObject({ level: "note", count: 8 });
    expect(all.get("seasonality")?.level).toBe("warning");
  });
});
