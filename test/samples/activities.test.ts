import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { marginalResponse, responseAt } from "../../src/acquisition/response-curve.js";
import { fitResponseCurve } from "../../src/acquisition/response-fit.js";
import { dayNumber, isoDay, monthsLater } from "../../src/core/day.js";
import { DataError } from "../../src/core/errors.js";
import { open } from "../../src/repository/duckdb.js";
import {
  type AcquisitionCells,
  readAcquisition,
  readContacts,
  readRetentionTrial,
  readSubscriptions,
} from "../../src/repository/marts.js";
import { buildRepository, type RepositoryReport } from "../../src/repository/schema.js";
import type { ActivityReports } from "../../src/repository/sources.js";
import type { Warehouse } from "../../src/repository/warehouse.js";
import { acquisitionSpend } from "../../src/samples/acquisition.js";
import { generateCompany, generateCustomers } from "../../src/samples/company.js";
import { loadCompany, loadRetentionTrialTruth, loadSubscriptionTruth } from "../../src/samples/load.js";
import { brenkamp } from "../../src/samples/parameters.js";
import { fitLogistic } from "../../src/scoring/logistic.js";

const readme = readFileSync("data/brenkamp/README.md", "utf8").replaceAll("\n", " ");
const firstDay = dayNumber(brenkamp.firstDay);
const lastDay = dayNumber(brenkamp.lastDay);
const { service, retentionTrial, regions, acquisition } = brenkamp;
const reasons = ["complaint", "question", "billing"] as const;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const saved = (offer: number): number =>
  retentionTrial.saved.ceiling * (1 - Math.exp(-retentionTrial.saved.k * offer));

/** Distance of a count from a share of trials in standard errors. */
const shareDistance = (count: number, of: number, share: number): number =>
  Math.abs(count / of - share) / Math.sqrt((share * (1 - share)) / of);

/** What can be seen of a subscription: day numbers, no end while it runs. */
interface SeenSubscription {
  readonly customer: unknown;
  readonly start: number;
  readonly end: number | null;
  readonly cancelled: boolean;
}

/** What can be seen of a contact. */
interface SeenContact {
  readonly customer: unknown;
  readonly day: number;
  readonly reason: string;
}

/** Contract months that are over by the last day, with their contacts and whether a cancellation ended them. */
function contractMonths(subscriptions: readonly SeenSubscription[], contacts: readonly SeenContact[]) {
  const daysOf = new Map<string, number[]>();
  for (const { customer, reason, day } of contacts) {
    const key = `${String(customer)} ${reason}`;
    daysOf.set(key, [...(daysOf.get(key) ?? []), day]);
  }
  const months: { cancelled: number; complaint: number; question: number; billing: number }[] = [];
  for (const { customer, start, end, cancelled } of subscriptions) {
    for (let paidOn = start, month = 1; paidOn !== end; month++) {
      const renewalOn = monthsLater(start, month);
      if (renewalOn > lastDay) break;
      const count = (reason: string): number =>
        (daysOf.get(`${String(customer)} ${reason}`) ?? []).filter((day) => day >= paidOn && day < renewalOn)
          .length;
      const [complaint, question, billing] = [count("complaint"), count("question"), count("billing")];
      months.push({ cancelled: Number(renewalOn === end && cancelled), complaint, question, billing });
      paidOn = renewalOn;
    }
  }
  return months;
}

const logisticOf = (months: ReturnType<typeof contractMonths>) =>
  fitLogistic(
    months.map(({ cancelled }) => cancelled),
    Object.fromEntries(reasons.map((reason) => [reason, months.map((month) => month[reason])])),
  );

/** Spend and customers of one channel as a response curve takes them. */
const responseData = (rows: readonly { region: string; spend: number; won: number }[]) => ({
  spend: rows.map(({ spend }) => spend),
  won: rows.map(({ won }) => won),
  segment: rows.map(({ region }) => region),
  exposure: rows.map(({ region }) => regions.find(({ region_id }) => region_id === region)?.share ?? 0),
});

describe("the activities of the shipped data", () => {
  let warehouse: Warehouse;
  let reports: ActivityReports;
  let built: RepositoryReport;
  let won: AcquisitionCells;
  const { planted: p, retentionTrialArms: arms } = generateCompany();
  beforeAll(async () => {
    warehouse = await open(":memory:");
    reports = await loadCompany(warehouse, "data/brenkamp");
    await loadSubscriptionTruth(warehouse, "data/brenkamp");
    expect(await loadRetentionTrialTruth(warehouse, "data/brenkamp")).toMatchObject({ rejected: 0 });
    built = await buildRepository(warehouse);
    won = await readAcquisition(warehouse);
  });
  afterAll(() => warehouse.close());
  const rows = async <Row>(sql: string): Promise<Row[]> => (await warehouse.query(sql)).objects() as Row[];

  it("lose exactly the planted rows, each to its rule", () => {
    const rejectedBy = reports.contacts.rules.filter(({ rejected }) => rejected > 0);
    expect(rejectedBy.map(({ column, allowed, rejected }) => [column, allowed, rejected])).toEqual([
      ["customer_id", "a customer_id of table subscriptions", p.contact_of_stranger],
      ["contacted_on", "a day from 2024-01-01 to 2025-12-31 written like 2025-12-31", 4],
      ["reason", 'one of "complaint", "question", "billing"', p.contact_without_known_reason],
      ["", "the first with its contact_id", p.contact_twice],
      ["contacted_on", "a day from started_on of the customer's first subscription on", 4],
    ]);
    expect([p.contact_on_impossible_day, p.contact_before_start]).toEqual([4, 4]);
    for (const name of ["acquisition_spend", "retention_trial"] as const)
      expect(reports[name]).toMatchObject({ rejected: 0, accepted: reports[name].rows });
    const { rows: contacts, accepted, rejected } = reports.contacts;
    expect(readme).toContain(`${rejected} of the ${contacts} contacts are rejected and ${accepted} remain`);
  });

  it("let contacts tell of a cancellation as the README says", async () => {
    const subscriptions = (await readSubscriptions(warehouse)).objects() as Record<string, unknown>[];
    const contacts = (await readContacts(warehouse)).objects() as Record<string, unknown>[];
    const months = contractMonths(
      subscriptions.map((row) => ({
        customer: row["customer_key"],
        start: Number(row["started_on"]),
        end: row["ended_on"] === null ? null : Number(row["ended_on"]),
        cancelled: row["end_reason"] === "cancelled",
      })),
      contacts.map((row) => ({
        customer: row["customer_key"],
        day: Number(row["contacted_on"]),
        reason: String(row["reason"]),
      })),
    );
    const fit = logisticOf(months);
    expect(readme).toContain(`estimate (standard error) on ${months.length} contract months`);
    for (const reason of reasons) {
      const { staying, leaving } = service.meanContacts[reason];
      const truth = Math.log(leaving / staying);
      const [estimate = Number.NaN, error = Number.NaN] = [
        fit.parameters[reason],
        fit.standardErrors[reason],
      ];
      expect(Math.abs(estimate - truth) / error).toBeLessThan(2.5);
      const written = [staying.toFixed(2), leaving.toFixed(2), truth.toFixed(3)];
      expect(readme).toContain(
        `| ${reason} | ${written.join(" | ")} | ${estimate.toFixed(3)} (${error.toFixed(3)}) |`,
      );
    }
  });

  it("spend what channels.csv says a customer costs, within 0.1%, and what the README says", async () => {
    const mix = sum(regions.map(({ share, costFactor }) => share * costFactor));
    const formulas: Record<string, string> = {
      search: "100 (1 - exp(-0.000835 S))",
      social: "70 S^1.5 / (S^1.5 + 784^1.5)",
      referral: "60 (1 - exp(-0.00297 S))",
      walk_in: "45.5 ln(1 + S / 138)",
    };
    for (const { channel_id: id, share, costCents, response } of acquisition) {
      const [total] = await rows<{ cents: number }>(
        `SELECT SUM(spend_cents) AS cents FROM acquisition_spend WHERE acquisition_channel = '${id}'`,
      );
      const cents = total?.cents ?? 0;
      expect(Math.abs(cents / (brenkamp.customers * share) / costCents - 1)).toBeLessThan(0.001);
      const wonInMonth = (brenkamp.customers * share) / 24;
      let [low, high] = [0, 10_000]; // the spend of an average month by bisection, without the inverse under test
      for (let step = 0; step < 100; step++) {
        const middle = (low + high) / 2;
        if (responseAt(response, middle) < wonInMonth) low = middle;
        else high = middle;
      }
      const figures = [
        wonInMonth.toFixed(1),
        ((mix * low) / wonInMonth).toFixed(2),
        (mix / marginalResponse(response, low)).toFixed(2),
        (cents / 100).toFixed(2),
        (cents / 100 / (brenkamp.customers * share)).toFixed(2),
      ];
      expect(readme).toContain(`| ${id} | ${formulas[id]} | ${figures.join(" | ")} |`);
    }
  });

  it("count every customer once in the cells, or elsewhere", () => {
    const { cells, customersElsewhere } = won;
    expect(cells.numRows()).toBe(24 * 4 * 4);
    const inCells = sum(Array.from(cells.array("customers") as ArrayLike<number>));
    expect(inCells + customersElsewhere).toBe(built.customers);
    expect(readme).toContain(
      `Of the ${built.customers} customers ${inCells} are in a cell of the spend by month, channel and region; no record names the region of the other ${customersElsewhere}.`,
    );
  });

  it("tell the ceilings of the curves as vaguely as the README says, and that of social not at all", () => {
    const cells = won.cells.objects() as Record<string, unknown>[];
    for (const { channel_id, response } of acquisition) {
      if (response.shape === "log") continue;
      const own = cells
        .filter((row) => row["acquisition_channel"] === channel_id)
        .map((row) => ({
          region: String(row["region"]),
          spend: Number(row["spend_cents"]) / 100,
          won: Number(row["customers"]),
        }));
      expect(own).toHaveLength(24 * 4);
      const fit = fitResponseCurve(responseData(own), { shape: response.shape, errors: "Poisson" });
      const { ceiling: error = Number.NaN } = fit.standardErrors;
      expect(error / response.parameters.ceiling).toBeGreaterThan(0.2);
      expect(fit.identification.undetermined.includes("ceiling")).toBe(channel_id === "social");
    }
  });

  it("hold every running subscription once in the experiment, renewed as the truth says", async () => {
    const trial = (await readRetentionTrial(warehouse)).objects() as Record<string, unknown>[];
    const running = await rows<{ id: string }>(
      "SELECT subscription_id AS id FROM fact_subscription WHERE ended = 0 ORDER BY customer_key, subscription_id",
    );
    expect(trial.map((row) => row["subscription_id"])).toEqual(running.map(({ id }) => id));
    expect(new Set(trial.map((row) => row["assigned_on"]))).toEqual(new Set([dayNumber("2026-01-01")]));
    const truth = new Map(
      (
        await rows<{ id: string; without: number; least: number | null; renewals: number; p: number }>(`
          SELECT trial.subscription_id AS id, trial.renewed_without AS without, trial.least_offer_cents AS least,
                 subscription.renewals AS renewals, subscription.churn_probability AS p
          FROM retention_trial_truth AS trial
          JOIN subscription_truth AS subscription ON subscription.subscription_id = trial.subscription_id`)
      ).map((row) => [row.id, row] as const),
    );
    for (const row of trial) {
      const own = truth.get(String(row["subscription_id"]));
      if (own === undefined) throw new Error("no truth");
      const end = monthsLater(Number(row["started_on"]), own.renewals + 1);
      expect(own.without).toBe(Number(isoDay(end) > "2026-03-31"));
      expect(own.least === 0).toBe(own.without === 1);
      const enough = own.least !== null && Number(row["offer_value_cents"]) >= own.least;
      expect(row["renewed"]).toBe(Number(enough));
    }
    const all = [...truth.values()];
    const without = sum(all.map((row) => row.without));
    const expected = sum(all.map((row) => (1 - row.p) ** 3)) / all.length;
    expect(shareDistance(without, all.length, expected)).toBeLessThan(4);
    const share = without / all.length;
    expect(readme).toContain(`R0 is ${without} / ${all.length} = ${share.toFixed(4)} among`);
    expect(readme).toContain(`own chances let expect ${expected.toFixed(4)}.`);
    for (const arm of arms) {
      const offered = trial.filter((row) => row["offer_value_cents"] === 100 * arm.offerValue);
      expect(offered).toHaveLength(arm.subscriptions);
      expect(sum(offered.map((row) => Number(row["renewed"])))).toBe(arm.renewed);
      const own = offered.map((row) => truth.get(String(row["subscription_id"]))?.without ?? Number.NaN);
      expect(sum(own)).toBe(arm.renewedWithout);
      const kept = share + (1 - share) * saved(arm.offerValue);
      expect(readme).toContain(
        `| ${arm.offerValue} | ${arm.subscriptions} | ${arm.renewed} | ${arm.renewedWithout} | ${kept.toFixed(4)} |`,
      );
    }
    expect(arms.map(({ offerValue }) => offerValue)).toEqual([0, 3, 6, 12]);
  });
});

describe("the generator of activities", () => {
  const larger = {
    ...brenkamp,
    customers: 12_000,
    defects: {
      ...brenkamp.defects,
      missingRegionShare: 0,
      servicePerThousand: {
        contact_twice: 0,
        contact_of_stranger: 0,
        contact_before_start: 0,
        contact_on_impossible_day: 0,
        contact_without_known_reason: 0,
      },
    },
  };
  const persons = [...generateCustomers(larger, 5)];
  const contracts = persons.flatMap(({ subscriptions: [row], subscription_truth: [truth], contacts }) => {
    if (row === undefined || truth === undefined) return [];
    const [start, renewals] = [dayNumber(row.started_on), Number(truth.renewals)];
    const end = monthsLater(start, renewals + 1);
    const seen = contacts.map(({ contacted_on, channel, reason }) => ({
      customer: row.customer_id,
      day: dayNumber(contacted_on),
      channel,
      reason,
    }));
    return [{ row, start, renewals, end, contacts: seen }];
  });
  const contacts = contracts.flatMap((contract) => contract.contacts);

  it("draws contacts with the means of the parameters, in months that stay, are cancelled or fail to pay", () => {
    for (const reason of reasons) {
      for (const outcome of ["staying", "leaving"] as const) {
        const mean = service.meanContacts[reason][outcome];
        let [months, found] = [0, 0];
        for (const { row, start, end, contacts: own } of contracts) {
          if (row.ended_on === "") continue;
          const lastPaid = monthsLater(start, monthsBetween(start, end) - 1);
          const leaves = row.end_reason === "cancelled";
          const isLast = (day: number): boolean => day >= lastPaid;
          const counted = own.filter(
            (contact) =>
              contact.reason === reason && (leaves && isLast(contact.day)) === (outcome === "leaving"),
          );
          found += counted.length;
          months += outcome === "leaving" ? Number(leaves) : monthsBetween(start, end) - Number(leaves);
        }
        expect(months).toBeGreaterThan(1800);
        expect(Math.abs(found - mean * months) / Math.sqrt(mean * months)).toBeLessThan(4);
      }
    }
  });

  it("knows in the month that still runs whether it will be cancelled, up to the last day of the data", () => {
    // Those whose next renewal date is not made may leave or fail to pay; of their ends 85% are cancellations.
    let [mean, found] = [0, 0];
    for (const { row, start, end, renewals, contacts: own } of contracts) {
      const paidOn = monthsLater(start, renewals);
      if (row.ended_on !== "" || paidOn > lastDay) continue;
      const { staying, leaving } = service.meanContacts.complaint;
      const seen = (lastDay + 1 - paidOn) / (end - paidOn);
      mean += seen * (0.15 * staying + 0.85 * leaving);
      found += own.filter(({ reason, day }) => reason === "complaint" && day >= paidOn).length;
    }
    expect(mean).toBeGreaterThan(20);
    expect(Math.abs(found - mean) / Math.sqrt(mean)).toBeLessThan(4);
  });

  it("spreads contacts evenly over the month and over the channels of the service, in order of time", () => {
    const misplaced = contracts.filter(({ start, end, contacts: own }) => {
      const days = own.map(({ day }) => day);
      const sorted = days.every((day, i) => day >= (days[i - 1] ?? start));
      return !(sorted && days.every((day) => day < Math.min(end, lastDay + 1)));
    });
    expect(misplaced).toEqual([]);
    const places = contracts
      .filter(({ row }) => row.ended_on !== "")
      .flatMap(({ start, contacts: own }) =>
        own.map(({ day }) => {
          let month = 0;
          while (monthsLater(start, month + 1) <= day) month++;
          const paidOn = monthsLater(start, month);
          return (day + 0.5 - paidOn) / (monthsLater(start, month + 1) - paidOn);
        }),
      );
    const mean = sum(places) / places.length;
    expect(Math.abs(mean - 0.5) / Math.sqrt(1 / 12 / places.length)).toBeLessThan(4);
    for (const { name, share } of service.channels) {
      const own = contacts.filter(({ channel }) => channel === name).length;
      expect(shareDistance(own, contacts.length, share)).toBeLessThan(4);
    }
  });

  it("gives ln(leaving / staying) back to a logistic regression on contract months", () => {
    const fit = logisticOf(
      contractMonths(
        contracts.map(({ row, start, end }) => ({
          customer: row.customer_id,
          start,
          end: row.ended_on === "" ? null : end,
          cancelled: row.end_reason === "cancelled",
        })),
        contacts,
      ),
    );
    for (const reason of reasons) {
      const { staying, leaving } = service.meanContacts[reason];
      const [estimate = Number.NaN, error = Number.NaN] = [
        fit.parameters[reason],
        fit.standardErrors[reason],
      ];
      expect(Math.abs(estimate - Math.log(leaving / staying)) / error).toBeLessThan(2.5);
      expect(error).toBeLessThan(0.09);
    }
  });

  it("spends what the curve needs for the customers of the month, channel and region, in whole cents", () => {
    const { weights, total } = busyWeights();
    const rows = acquisitionSpend(brenkamp);
    expect(rows).toHaveLength(24 * 4 * 4);
    for (const { month, acquisition_channel, region, spend } of rows) {
      const channel = acquisition.find(({ channel_id }) => channel_id === acquisition_channel);
      const place = regions.find(({ region_id }) => region_id === region);
      if (channel === undefined || place === undefined) throw new Error("no such channel or region");
      const mean = (4000 * channel.share * place.share * (weights.get(month.slice(0, 7)) ?? 0)) / total;
      const pool = place.share * place.costFactor;
      const curve = (euros: number): number => place.share * trueCurve(acquisition_channel, euros / pool);
      const euros = Number(spend);
      expect(spend).toMatch(/^\d+\.\d\d$/);
      expect(curve(euros - 0.0051)).toBeLessThan(mean); // half a cent less would not be enough, half a cent more too much
      expect(curve(euros + 0.0051)).toBeGreaterThan(mean);
    }
  });

  it("lets a company ten times as large spend ten times as much", () => {
    const ten = acquisitionSpend({ ...brenkamp, customers: 40_000 });
    for (const [i, { spend, ...cell }] of acquisitionSpend(brenkamp).entries()) {
      expect(ten[i]).toMatchObject(cell);
      expect(Math.abs(Number(ten[i]?.spend) - 10 * Number(spend))).toBeLessThan(0.056); // half a cent, ten times and once
    }
  });

  it("wins persons by chance around the curve, and gives the curves of two parameters back to a fit", () => {
    const cellOf = (month: string, channel: string, region: string): string =>
      `${month} ${channel} ${region}`;
    const found = new Map<string, number>();
    for (const {
      customers: [record],
    } of persons) {
      if (record === undefined) throw new Error("no record");
      const { registered_on, acquisition_channel, region } = record;
      const cell = cellOf(registered_on.slice(0, 7), acquisition_channel, region);
      found.set(cell, (found.get(cell) ?? 0) + 1);
    }
    const { weights, total } = busyWeights();
    const spent = acquisitionSpend(larger);
    const size = larger.customers / brenkamp.responseCustomers;
    let chiSquare = 0;
    for (const { channel_id, share, response } of acquisition) {
      const own = spent
        .filter((row) => row.acquisition_channel === channel_id)
        .map(({ month, region, spend }) => ({
          month: month.slice(0, 7),
          region,
          spend: Number(spend),
          won: found.get(cellOf(month.slice(0, 7), channel_id, region)) ?? 0,
        }));
      for (const { month, region, won } of own) {
        const regionShare = regions.find(({ region_id }) => region_id === region)?.share ?? 0;
        const mean = (larger.customers * share * regionShare * (weights.get(month) ?? 0)) / total;
        chiSquare += (won - mean) ** 2 / mean;
      }
      if (response.shape === "hill") continue; // its three parameters need more than the calendar's spread of spends
      const fit = fitResponseCurve(responseData(own), { shape: response.shape, errors: "Poisson" });
      for (const [name, truth] of Object.entries(response.parameters)) {
        const grown = ["ceiling", "scale", "half", "threshold"].includes(name)
          ? size
          : name === "rate"
            ? 1 / size
            : 1;
        const log = Math.log((fit.parameters[name] ?? Number.NaN) / (truth * grown));
        const error = (fit.standardErrors[name] ?? Number.NaN) / (fit.parameters[name] ?? Number.NaN);
        expect(Math.abs(log) / error, `${channel_id} ${name}`).toBeLessThan(2.5);
        expect(error).toBeLessThan(0.4);
      }
    }
    // Given the persons of a month, its 16 cells are multinomial: 15 degrees of freedom in each of 24 months.
    expect(Math.abs(chiSquare - 360) / Math.sqrt(2 * 360)).toBeLessThan(4);
  });

  it("refuses a curve that cannot reach the customers of a month", () => {
    const [search, ...others] = acquisition;
    if (search === undefined) throw new Error("no channel");
    const response = { shape: "hill", parameters: { ceiling: 50, half: 500, exponent: 1 } } as const;
    const parameters = { ...brenkamp, acquisition: [{ ...search, response }, ...others] };
    expect(() => acquisitionSpend(parameters)).toThrow(DataError);
    expect(() => acquisitionSpend(parameters)).toThrow(
      /^response of search in 2024-03-01 must win 50\.\d+ customers, but its ceiling is 50$/,
    );
  });

  it("assigns running subscriptions alone, by chance, and keeps those who would leave as the parameters say", () => {
    const trial = persons.flatMap(
      ({ subscriptions: [row], retention_trial: [assigned], retention_trial_truth: [truth] }) => {
        expect(assigned !== undefined).toBe(row !== undefined && row.ended_on === "");
        return assigned && truth ? [{ ...assigned, ...truth }] : [];
      },
    );
    for (const { offerCents, share } of retentionTrial.arms) {
      const own = trial.filter((row) => Number(row.offer_value) === offerCents / 100);
      expect(shareDistance(own.length, trial.length, share)).toBeLessThan(4);
    }
    const leavers = trial.filter((row) => row.renewed_without === "0");
    expect(leavers.length).toBeGreaterThan(500);
    for (const offer of [1, 3, 4.5, 6, 12, 1000]) {
      const kept = leavers.filter((row) => row.least_offer !== "" && Number(row.least_offer) <= offer).length;
      expect(shareDistance(kept, leavers.length, saved(offer))).toBeLessThan(4);
    }
    for (const { offerCents } of retentionTrial.arms) {
      const own = leavers.filter((row) => Number(row.offer_value) === offerCents / 100);
      const kept = own.filter((row) => row.renewed === "1").length;
      if (offerCents === 0) expect(kept).toBe(0);
      else expect(shareDistance(kept, own.length, saved(offerCents / 100))).toBeLessThan(4);
    }
    for (const row of trial) if (row.renewed_without === "1") expect(row.renewed).toBe("1");
  });

  it("counts the renewals due where the data end within a month", () => {
    const shorter = { ...brenkamp, customers: 1000, lastDay: "2025-12-15" };
    let assigned = 0;
    for (const {
      subscriptions,
      retention_trial,
      retention_trial_truth,
      subscription_truth,
    } of generateCustomers(shorter, 2)) {
      const [row, truth] = [subscriptions[0], subscription_truth[0]];
      expect(retention_trial).toHaveLength(row?.ended_on === "" ? 1 : 0);
      if (row === undefined || retention_trial[0] === undefined) continue;
      assigned++;
      expect(retention_trial[0].assigned_on).toBe("2025-12-16");
      const start = dayNumber(row.started_on);
      const dates = [1, 2, 3].map((month) => monthsLater(start, nextDue(start) + month));
      const end = monthsLater(start, Number(truth?.renewals) + 1);
      expect(retention_trial_truth[0]?.renewed_without).toBe(dates.includes(end) ? "0" : "1");
    }
    expect(assigned).toBeGreaterThan(200);

    function nextDue(start: number): number {
      let made = 0;
      while (monthsLater(start, made + 1) <= dayNumber("2025-12-15")) made++;
      return made;
    }
  });

  it("has random streams of its own: other activities change no subscription, and each other neither", () => {
    const few = { ...brenkamp, customers: 300 };
    const busier = {
      ...few,
      service: {
        ...service,
        meanContacts: { ...service.meanContacts, question: { staying: 1, leaving: 1 } },
      },
      acquisition: acquisition.map((channel) => ({
        ...channel,
        response: { shape: "log", parameters: { scale: 100, threshold: 100 } } as const,
      })),
    };
    const [tables, others] = [generateCompany(few).tables, generateCompany(busier).tables];
    expect(others.contacts).not.toEqual(tables.contacts);
    expect(others.acquisition_spend).not.toEqual(tables.acquisition_spend);
    for (const name of ["customers", "orders", "subscriptions", "club", "retention_trial"] as const)
      expect(others[name]).toEqual(tables[name]);
  });

  /** Renewal periods from a start to an end on a renewal date. */
  function monthsBetween(start: number, end: number): number {
    let months = 1;
    while (monthsLater(start, months) < end) months++;
    return months;
  }

  /** Weight of every month in the busy calendar, day by day from season and promotion, and their sum. */
  function busyWeights(): { weights: Map<string, number>; total: number } {
    const { promotion, season } = brenkamp;
    const weights = new Map<string, number>();
    for (let day = firstDay; day <= lastDay; day++) {
      const iso = isoDay(day);
      const busy = iso >= promotion.firstDay && iso <= promotion.lastDay ? promotion.intensity : 1;
      const month = iso.slice(0, 7);
      weights.set(month, (weights.get(month) ?? 0) + busy * (season[Number(iso.slice(5, 7)) - 1] ?? 0));
    }
    return { weights, total: sum([...weights.values()]) };
  }

  /** The curves as the README writes them. */
  function trueCurve(channel: string, euros: number): number {
    switch (channel) {
      case "search":
        return 100 * (1 - Math.exp(-0.000835 * euros));
      case "social":
        return (70 * euros ** 1.5) / (euros ** 1.5 + 784 ** 1.5);
      case "referral":
        return 60 * (1 - Math.exp(-0.00297 * euros));
      default:
        return 45.5 * Math.log(1 + euros / 138);
    }
  }
});
