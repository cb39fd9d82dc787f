import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BgBbCustomer, bgbbLogLikelihood, fitBgBb } from "../../src/clv/bg-bb.js";
import { survivorsByCohort } from "../../src/clv/cohort-survivors.js";
import { fitShiftedBetaGeometric, sbgLogLikelihood } from "../../src/clv/shifted-beta-geometric.js";
import { dayNumber, isoDay, monthNumber, monthsLater } from "../../src/core/day.js";
import { DataError } from "../../src/core/errors.js";
import { numberColumn } from "../../src/core/table.js";
import { open } from "../../src/repository/duckdb.js";
import {
  clubMember,
  factClubOffer,
  factSubscription,
  readClub,
  readMart,
  readSubscriptions,
} from "../../src/repository/marts.js";
import type { QualityReport } from "../../src/repository/quality.js";
import { monthBetween } from "../../src/repository/rules.js";
import { buildRepository } from "../../src/repository/schema.js";
import { loadProgrammes, loadSources, type ProgrammeReports } from "../../src/repository/sources.js";
import type { Warehouse } from "../../src/repository/warehouse.js";
import { generateCompany, generateCustomers } from "../../src/samples/company.js";
import { loadClubTruth, loadCompany, loadSubscriptionTruth } from "../../src/samples/load.js";
import { brenkamp } from "../../src/samples/parameters.js";
import { longestLife } from "../../src/samples/subscription.js";
import { expectConformance } from "../repository/mart-conformance.js";
import { scratchFolder } from "../repository/scratch.js";

const { folder, file } = scratchFolder();
const { planted: p } = generateCompany();
const lastMonth = monthNumber(dayNumber(brenkamp.lastDay));

interface SubscriptionRow {
  customer_key: number;
  plan: string;
  started_on: number;
  started_month: number;
  ended_on: number | null;
  ended_month: number | null;
  ended: number;
  end_reason: string | null;
  monthly_fee_cents: number;
}

/** Survivors of the monthly cohorts of a plan. */
function survivorsOf(
  subscriptions: readonly Pick<SubscriptionRow, "plan" | "started_month" | "ended_month">[],
  plan: string,
): number[][] {
  const own = subscriptions.filter((row) => row.plan === plan);
  return survivorsByCohort(
    own.map((row) => row.started_month),
    own.map((row) => row.ended_month),
    lastMonth,
  );
}

/** Distances of estimates from the truth in standard errors. */
const distances = <P extends string>(
  fit: { readonly parameters: Record<P, number>; readonly standardErrors: Record<P, number> },
  truth: Readonly<Record<P, number>>,
): number[] =>
  (Object.keys(truth) as P[]).map((name) =>
    Math.abs((fit.parameters[name] - truth[name]) / fit.standardErrors[name]),
  );

const { taking, leaving } = brenkamp.club;
const clubTruth = { ...taking, ...leaving };

async function clubCustomers(warehouse: Warehouse) {
  const members = await readClub(warehouse);
  const column = (name: string): Float64Array => numberColumn(members, name);
  return { x: column("x"), recency: column("recency"), opportunities: column("opportunities") };
}

describe("the subscription and the club of the shipped data", () => {
  let warehouse: Warehouse;
  let reports: ProgrammeReports;
  let subscriptions: SubscriptionRow[];
  beforeAll(async () => {
    warehouse = await open(":memory:");
    reports = await loadCompany(warehouse, "data/brenkamp");
    await loadSubscriptionTruth(warehouse, "data/brenkamp");
    await loadClubTruth(warehouse, "data/brenkamp");
    await buildRepository(warehouse);
    subscriptions = (await readSubscriptions(warehouse)).objects() as SubscriptionRow[];
  });
  afterAll(() => warehouse.close());

  /** Rejected rows by column, "" for repeats. */
  const rejectedBy = (report: QualityReport): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { column, rejected } of report.rules)
      if (rejected > 0) counts[column] = (counts[column] ?? 0) + rejected;
    return counts;
  };

  it("lose exactly the planted rows, each to its rule", async () => {
    expect(rejectedBy(reports.subscriptions)).toEqual({
      customer_id: p.unknown_subscriber,
      plan: p.unknown_plan,
      monthly_fee: p.fee_text,
      ended_on: p.ended_before_start,
      end_reason: p.reason_while_running,
      "": p.subscription_twice,
    });
    expect(rejectedBy(reports.club_lots)).toEqual({});
    expect(rejectedBy(reports.club_members)).toEqual({ "": p.member_twice });
    expect(rejectedBy(reports.club)).toEqual({
      customer_id: p.offer_to_stranger,
      month: p.offer_in_mid_month + p.offer_before_joining,
      "": p.offer_twice,
    });
    for (const report of Object.values(reports)) {
      expect(report.rows).toBe(report.accepted + report.rejected);
      expect(report.findings).toHaveLength(report.rejected);
    }
    const kept = await warehouse.query("SELECT subscription_id AS id FROM subscriptions ORDER BY id");
    const truth = await warehouse.query("SELECT subscription_id AS id FROM subscription_truth ORDER BY id");
    expect(kept.array("id")).toEqual(truth.array("id"));
    const members = await warehouse.query("SELECT customer_id AS id FROM club_members ORDER BY id");
    const known = await warehouse.query("SELECT customer_id AS id FROM club_truth ORDER BY id");
    expect(members.array("id")).toEqual(known.array("id"));
  });

  it("have one subscription a customer, which ends as the truth says if the data last that long", async () => {
    const rows = (
      await warehouse.query(`
        SELECT subscription.started_on AS started_on, subscription.ended_on AS ended_on, truth.renewals AS renewals
        FROM subscriptions AS subscription
        JOIN subscription_truth AS truth ON truth.subscription_id = subscription.subscription_id`)
    ).objects() as { started_on: string; ended_on: string | null; renewals: number }[];
    expect(rows).toHaveLength(subscriptions.length);
    for (const { started_on, ended_on, renewals } of rows) {
      const end = isoDay(monthsLater(dayNumber(started_on), renewals + 1));
      expect(ended_on).toBe(end > brenkamp.lastDay ? null : end);
    }
    expect(new Set(subscriptions.map((row) => row.customer_key)).size).toBe(subscriptions.length);
    expect(Math.max(...rows.map(({ renewals }) => renewals))).toBe(longestLife);
  });

  it("start no subscription or membership before registration, and offer lots after joining", async () => {
    const early = await warehouse.query(`
      SELECT COUNT(*) AS n FROM fact_subscription AS subscription
      JOIN dim_customer AS customer ON customer.customer_key = subscription.customer_key
      WHERE subscription.started_on < customer.registered_day`);
    expect(early.get("n", 0)).toBe(0);
    const offers = (
      await warehouse.query(`
        SELECT offer.joined_month AS joined_month, MIN(offer.month - offer.joined_month) AS first_after,
               MIN(offer.joined_month - customer.registered_month) AS after_registration,
               MAX(offer.opportunity) AS opportunities
        FROM fact_club_offer AS offer JOIN dim_customer AS customer ON customer.customer_key = offer.customer_key
        GROUP BY offer.joined_month ORDER BY offer.joined_month`)
    ).objects();
    expect(offers).toEqual(
      brenkamp.club.intakes.map((month) => ({
        joined_month: monthNumber(dayNumber(month)),
        first_after: 1,
        after_registration: 0,
        opportunities: lastMonth - monthNumber(dayNumber(month)),
      })),
    );
  });

  it("let a member take no offer once interest is lost", async () => {
    const late = await warehouse.query(`
      SELECT COUNT(*) AS n FROM club JOIN club_truth AS truth ON truth.customer_id = club.customer_id
      WHERE club.month >= truth.left_month`);
    expect(late.get("n", 0)).toBe(0);
  });

  it.each(brenkamp.subscription.plans)(
    "give the churn of plan $name back to an sBG fit",
    ({ name, churn }) => {
      const cohorts = survivorsOf(subscriptions, name);
      expect(cohorts.map((cohort) => cohort.length)).toEqual(Array.from({ length: 23 }, (_, i) => 24 - i));
      const fit = fitShiftedBetaGeometric(cohorts);
      for (const distance of distances(fit, churn)) expect(distance).toBeLessThan(2.5);
      // As the README says: twice the gain in log likelihood over the truth.
      const gain = 2 * (fit.logLikelihood - sbgLogLikelihood(churn, cohorts));
      expect(gain).toBeCloseTo(name === "Small" ? 0.6 : 1.3, 1);
    },
  );

  it("give the parameters of the club back to a BG/BB fit", async () => {
    const customers = await clubCustomers(warehouse);
    expect(customers.x.filter((x) => x === 0).length).toBeGreaterThan(300); // members who never take one are there
    const fit = fitBgBb(customers);
    for (const distance of distances(fit, clubTruth)) expect(distance).toBeLessThan(2.5);
    expect(fit.warnings).toEqual([]);
    const gain = 2 * (fit.logLikelihood - bgbbLogLikelihood(clubTruth, customers));
    expect(gain).toBeCloseTo(3.6, 1);
  });

  it("are read with days, months, cents and missing values", () => {
    const running = subscriptions.find((row) => row.ended === 0);
    expect(running).toMatchObject({ ended_on: null, ended_month: null, end_reason: null });
    for (const { started_on, started_month, ended_on, ended_month, ended, end_reason } of subscriptions) {
      expect(monthNumber(started_on)).toBe(started_month);
      expect(ended).toBe(Number(ended_on !== null));
      expect(ended_month).toBe(ended_on === null ? null : monthNumber(ended_on));
      expect(end_reason !== null).toBe(ended === 1);
    }
    const fees = new Set(subscriptions.map(({ plan, monthly_fee_cents: fee }) => `${plan} ${fee}`));
    expect([...fees].sort()).toEqual(["Large 2690", "Small 890"]);
  });

  it.each([factSubscription, factClubOffer, clubMember])(
    "$name has the columns it says, in SQL that means the same on every engine",
    (mart) => expectConformance(warehouse, mart),
  );
});

describe("the generator of subscriptions and memberships", () => {
  const persons = [...generateCustomers({ ...brenkamp, customers: 20_000 }, 5)];

  it("keeps shares, start and reasons to the parameters", () => {
    const { share, meanDaysToStart, plans, paymentFailedShare } = brenkamp.subscription;
    const year = persons.filter(({ customers: [record] }) => (record?.registered_on ?? "") < "2025-01-01");
    const own = year.flatMap(({ customers: [record], subscriptions: [row] }) =>
      row && record ? [{ row, record }] : [],
    );
    const expectShare = (count: number, of: number, truth: number): void => {
      expect(Math.abs(count / of - truth) / Math.sqrt((truth * (1 - truth)) / of)).toBeLessThan(4);
    };
    expectShare(own.length, year.length, share); // a year or more is long enough for all but exp(-365 / 30)
    for (const plan of plans)
      expectShare(own.filter(({ row }) => row.plan === plan.name).length, own.length, plan.share);
    const ended = own.filter(({ row }) => row.ended_on !== "");
    expectShare(
      ended.filter(({ row }) => row.end_reason === "payment_failed").length,
      ended.length,
      paymentFailedShare,
    );
    const waits = own.map(({ row, record }) => dayNumber(row.started_on) - dayNumber(record.registered_on));
    const mean = waits.reduce((sum, days) => sum + days, 0) / waits.length;
    const whole = 1 / (Math.exp(1 / meanDaysToStart) - 1); // mean of an exponential cut to whole days
    expect(Math.abs(mean - whole) / (meanDaysToStart / Math.sqrt(waits.length))).toBeLessThan(4);
  });

  it("takes half of the persons registered up to an intake into the club, and none after the last one", () => {
    const { share, intakes } = brenkamp.club;
    const inTime = persons.filter(({ customers: [record] }) => (record?.registered_on ?? "") < "2025-07-01");
    const members = inTime.filter(({ club_truth }) => club_truth.length === 1);
    const z = (members.length / inTime.length - share) / Math.sqrt((share * (1 - share)) / inTime.length);
    expect(Math.abs(z)).toBeLessThan(4);
    expect(persons.filter(({ club_truth }) => club_truth.length === 1)).toHaveLength(members.length);
    for (const { customers, club_members } of members) {
      const registered = customers[0]?.registered_on.slice(0, 7) ?? "";
      expect(club_members[0]?.joined_month).toBe(intakes.find((month) => month.slice(0, 7) >= registered));
    }
  });

  it("follows the sBG and the BG/BB closely in a larger company", () => {
    const month = (iso: string): number => monthNumber(dayNumber(iso));
    const subscriptions = persons.flatMap(({ subscriptions: [row] }) =>
      row
        ? [
            {
              plan: row.plan,
              started_month: month(row.started_on),
              ended_month: row.ended_on === "" ? null : month(row.ended_on),
            },
          ]
        : [],
    );
    for (const { name, churn } of brenkamp.subscription.plans) {
      const fit = fitShiftedBetaGeometric(survivorsOf(subscriptions, name));
      for (const distance of distances(fit, churn)) expect(distance).toBeLessThan(2.5);
      expect(fit.standardErrors.alpha / churn.alpha).toBeLessThan(0.1);
    }
    const opportunities = persons.flatMap(({ club_members: [member], club }) => {
      if (!member) return [];
      const joined = month(member.joined_month);
      const own = club.filter(
        ({ customer_id: id, month: on }) => id === member.customer_id && on.endsWith("-01"),
      );
      const taken = new Set(own.map((row) => month(row.month) - joined).filter((number) => number > 0));
      return [{ x: taken.size, recency: Math.max(0, ...taken), opportunities: lastMonth - joined }];
    });
    const column = (name: keyof BgBbCustomer): number[] => opportunities.map((row) => row[name]);
    const fit = fitBgBb({
      x: column("x"),
      recency: column("recency"),
      opportunities: column("opportunities"),
    });
    for (const distance of distances(fit, clubTruth)) expect(distance).toBeLessThan(2.5);
    expect(fit.standardErrors.alpha / clubTruth.alpha).toBeLessThan(0.06);
  });

  it("has random streams of its own: other programmes change no order and no customer", () => {
    const other = { ...brenkamp, customers: 200, subscription: { ...brenkamp.subscription, share: 0.1 } };
    const few = generateCompany({ ...other, club: { ...brenkamp.club, share: 1 } }).tables;
    const same = generateCompany({ ...brenkamp, customers: 200 }).tables;
    expect(few.subscriptions).not.toEqual(same.subscriptions);
    expect(few.club).not.toEqual(same.club);
    for (const name of ["customers", "orders", "truth"] as const) expect(few[name]).toEqual(same[name]);
  });
});

describe("monthBetween", () => {
  it("allows the first days of months alone", () => {
    const rule = monthBetween("2024-01-01", "2025-12-31");
    expect(rule).toMatchObject({
      type: "day",
      allowed: "the first day of a month from 2024-01-01 to 2025-12-31",
    });
    expect(rule.parse("2024-02-01", ".")).toBe(dayNumber("2024-02-01"));
    for (const text of ["2024-02-02", "2023-12-01", "2026-01-01", "2024-02", ""])
      expect(rule.parse(text, "."), text).toBeUndefined();
  });
});

describe("programmes of a small company", () => {
  const period = { first: "2024-01-01", last: "2024-12-31" };
  const sources = {
    regions: "region_id,name,country\nnorth,North,DE\n",
    channels: "channel_id,name,kind,acquisition_cost\nweb,Web,sales,\nsearch,Search,acquisition,18.00\n",
    products: "product_id,name,category,list_price,unit_cost\nP1,Blend,coffee,10.00,4.00\n",
    customers: `customer_id,source,name,email,birth_year,region,acquisition_channel,registered_on
a,web,A,x@example.com,,,search,2024-01-02
b,store,A,X@example.com,,,search,2024-01-03
c,web,C,,,,search,2024-01-02
d,web,D,,,,search,2024-01-02
`,
    orders: `order_id,line_no,customer_id,ordered_on,sales_channel,product_id,quantity,unit_price,amount,returned_order_id
o1,1,a,2024-03-01,web,P1,2,10.00,20.00,
`,
  };
  const manySubscriptions = Array.from(
    { length: 30 },
    (_, i) => `s${i},c,Small,2024-01-31,2024-02-29,cancelled,8.90`,
  );
  const programmes = {
    subscriptions: `subscription_id,customer_id,plan,started_on,ended_on,end_reason,monthly_fee
A1,a,Small,2024-01-31,2024-02-29,cancelled,8.90
A2,b,Large,2024-03-01,,,26.90
X1,c,Small,2024-03-01,2024-03-01,cancelled,8.90
X2,c,Small,2024-03-01,,cancelled,8.90
${manySubscriptions.join("\n")}
`,
    club_lots: "month,lot,price\n2024-02-01,One,10.00\n2024-03-01,Two,10.00\n2024-05-01,Three,12.00\n",
    club_members: "customer_id,joined_month\na,2024-02-01\nb,2024-01-01\nc,2024-01-01\nd,2024-05-01\n",
    club: "customer_id,month\na,2024-03-01\nb,2024-03-01\nb,2024-05-01\na,2024-02-01\na,2024-04-01\n",
  };
  let warehouse: Warehouse;
  let reports: ProgrammeReports;
  beforeAll(async () => {
    for (const [name, content] of Object.entries({ ...sources, ...programmes })) file(`${name}.csv`, content);
    warehouse = await open(":memory:");
    await loadSources(warehouse, folder, period);
    reports = await loadProgrammes(warehouse, folder, period);
  });
  afterAll(() => warehouse.close());

  it("name every row that breaks a rule on the row as a whole", () => {
    expect(reports.subscriptions).toMatchObject({ rows: 34, accepted: 32, rejected: 2 });
    expect(reports.subscriptions.summary()).toContain(
      `subscriptions.csv: ended_on in line 4 must be a day after started_on, got "2024-03-01"`,
    );
    expect(reports.subscriptions.summary()).toContain(
      `subscriptions.csv: end_reason in line 5 must be empty while the subscription runs, got "cancelled"`,
    );
    expect(reports.club).toMatchObject({ rows: 5, accepted: 3, rejected: 2 });
    expect(reports.club.findings.map(({ line, found, allowed }) => [line, found, allowed])).toEqual([
      [5, '"2024-02-01"', "a month after joined_month of table club_members"],
      [6, '"2024-04-01"', "a month of table club_lots"],
    ]);
  });

  it("belong to the merged person, who is a member from the first joining on", async () => {
    await buildRepository(warehouse);
    const subscriptions = (await readSubscriptions(warehouse)).objects() as SubscriptionRow[];
    expect(subscriptions.slice(0, 2)).toMatchObject([
      { customer_key: 1, plan: "Small", started_month: 24_289, ended_month: 24_290, ended: 1 },
      { customer_key: 1, plan: "Large", ended_on: null, monthly_fee_cents: 2690 },
    ]);
    expect((await readMart(warehouse, factClubOffer)).objects().slice(0, 3)).toMatchObject([
      { customer_key: 1, joined_month: 24_289, month: 24_290, opportunity: 1, price_cents: 1000, taken: 0 },
      { customer_key: 1, joined_month: 24_289, month: 24_291, opportunity: 2, price_cents: 1000, taken: 1 },
      { customer_key: 1, joined_month: 24_289, month: 24_293, opportunity: 3, price_cents: 1200, taken: 1 },
    ]);
    expect((await readClub(warehouse)).objects()).toEqual([
      { customer_key: 1, joined_month: 24_289, x: 2, recency: 3, opportunities: 3 },
      { customer_key: 2, joined_month: 24_289, x: 0, recency: 0, opportunities: 3 },
    ]); // d joined in the month of the last lot: no offer yet
  });

  it("are refused where an offer taken has no member or lot", async () => {
    await warehouse.run("DELETE FROM club_lots WHERE lot = 'Three'");
    await expect(buildRepository(warehouse)).rejects.toThrow(
      new DataError(
        "fact_club_offer must hold the 2 rows of its source, but holds 1: load it by programmeRules",
      ),
    );
  });

  it("are left out where they are not loaded", async () => {
    const plain = await open(":memory:");
    await loadSources(plain, folder, period);
    await buildRepository(plain);
    expect(await plain.tables()).not.toContain("fact_subscription");
    await expect(readClub(plain)).rejects.toThrow(
      new DataError("there is no mart club_member: load the sources and call buildRepository first"),
    );
    await plain.close();
  });
});
