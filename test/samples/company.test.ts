import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { dayNumber } from "../../src/core/day.js";
import { open } from "../../src/repository/duckdb.js";
import { buildRepository } from "../../src/repository/schema.js";
import { busyCalendar } from "../../src/samples/calendar.js";
import {
  companyTables,
  generateCompany,
  generateCustomers,
  type TextColumns,
  writeCompany,
  writeSample,
} from "../../src/samples/company.js";
import { loadCompany, loadTruth } from "../../src/samples/load.js";
import { brenkamp, sampleSeed } from "../../src/samples/parameters.js";
import { scratchFolder } from "../repository/scratch.js";

const { folder } = scratchFolder();
const company = generateCompany();
const { customers, orders, truth, subscriptions, club_members, club, contacts } = company.tables;
const { survey_choices, survey_ratings, survey_bestworst } = company.tables;

const rowsOf = (columns: TextColumns): Record<string, string>[] => {
  const names = Object.keys(columns);
  const length = columns[names[0] ?? ""]?.length ?? 0;
  return Array.from({ length }, (_, i) =>
    Object.fromEntries(names.map((name) => [name, columns[name]?.[i] ?? ""])),
  );
};
const orderRows = rowsOf(orders);
const customerRows = rowsOf(customers);
const truthRows = rowsOf(truth);
const subscriptionRows = rowsOf(subscriptions);
const memberRows = rowsOf(club_members);
const offerRows = rowsOf(club);
const contactRows = rowsOf(contacts);
const choiceRows = rowsOf(survey_choices);

describe("the shipped data", () => {
  it("come out of the generator again, byte by byte, and the Parquet twins hold the same text", async () => {
    const out = join(folder, "company");
    const { files } = await writeCompany(out);
    expect([...files].sort()).toEqual(
      [...companyTables.flatMap((name) => [`${name}.csv`, `${name}.parquet`]), "truth.json"].sort(),
    );
    for (const name of files.filter((name) => !name.endsWith(".parquet"))) {
      expect(readFileSync(join(out, name)).equals(readFileSync(`data/brenkamp/${name}`)), name).toBe(true);
    }
    const warehouse = await open(":memory:");
    for (const name of companyTables) {
      const stored = await warehouse.query("SELECT * FROM read_parquet($1)", [
        `data/brenkamp/${name}.parquet`,
      ]);
      const texts = stored.columnNames().map((column) => {
        const values = stored.array(column) as (string | null)[];
        return [column, values.map((value) => value ?? "")];
      });
      expect(Object.fromEntries(texts)).toEqual(company.tables[name]);
    }
    await warehouse.close();
  });

  it("have a README that states the seed, every count of rows and defects and every parameter", () => {
    const readme = readFileSync("data/brenkamp/README.md", "utf8");
    expect(readme).toContain(`**${sampleSeed}**`);
    for (const [defect, count] of Object.entries(company.planted))
      expect(readme).toContain(`| ${defect} | ${count} |`);
    const rows = companyTables.map((name) => [name, rowsOf(company.tables[name]).length] as const);
    for (const [name, count] of rows)
      expect(readme).toMatch(new RegExp(`^\\| ${name}\\.csv \\|.*\\| ${count} \\|$`, "m"));
    for (const { channel_id, share, costCents, purchase, spend } of brenkamp.acquisition) {
      const { r, alpha, s, beta } = purchase;
      const { p, q, gamma } = spend;
      const mean = ((p * gamma) / (q - 1)).toFixed(2);
      expect(readme).toContain(
        `| ${channel_id} | ${share.toFixed(2)} | ${(costCents / 100).toFixed(2)} | ${r} | ${alpha} | ${s === 1 ? "1.0" : s} | ${beta} | ${p} | ${q} | ${gamma} | ${mean} |`,
      );
    }
    for (const { name, share, feeCents, churn } of brenkamp.subscription.plans) {
      const { alpha, beta } = churn;
      const mean = (alpha / (alpha + beta)).toFixed(3);
      expect(readme).toContain(
        `| ${name} | ${share.toFixed(2)} | ${(feeCents / 100).toFixed(2)} | ${alpha} | ${beta} | ${mean} |`,
      );
    }
    const { taking, leaving } = brenkamp.club;
    expect(readme).toContain(
      `| all members | ${taking.alpha} | ${taking.beta} | ${leaving.gamma} | ${leaving.delta} |`,
    );
    for (const { quarter, customers: persons, active, activeShare } of company.cohorts) {
      const all = Object.values(persons).reduce((sum, count) => sum + count, 0);
      const cells = brenkamp.acquisition.map(({ channel_id: id }) => {
        const [won = 0, left = 0] = [persons[id], active[id]];
        return `${won} (${(left / won).toFixed(3)})`;
      });
      expect(readme).toContain(`| ${quarter} | ${all} | ${cells.join(" | ")} | ${activeShare.toFixed(4)} |`);
    }
    for (const { joinedMonth, members, interested } of company.clubIntakes)
      expect(readme).toContain(`| ${joinedMonth.slice(0, 7)} | ${members} | ${interested} |`);
  });

  it("take no more than 4 MB", () => {
    const bytes = readdirSync("data/brenkamp").reduce(
      (sum, name) => sum + readFileSync(`data/brenkamp/${name}`).length,
      0,
    );
    expect(bytes).toBeLessThan(4_000_000);
  });
});

describe("what is planted", () => {
  const count = (rows: Record<string, string>[], is: (row: Record<string, string>) => boolean): number =>
    rows.filter(is).length;
  const field = (name: string, pattern: RegExp) => (row: Record<string, string>) =>
    pattern.test(row[name] ?? "");

  it("is in the data exactly as often as stated, counted a second way", () => {
    const key = (row: Record<string, string>): string => Object.values(row).join("|");
    const firsts = customerRows.filter((row) => truth["customer_id"]?.includes(row["customer_id"] ?? ""));
    const cards = customerRows.filter((row) => !firsts.includes(row));
    const ownOffers = offerRows.filter((row) => row["customer_id"] !== "9999999");
    const startedOn = new Map(
      subscriptionRows
        .filter(field("subscription_id", /^A/))
        .map((row) => [row["customer_id"] ?? "", row["started_on"] ?? ""]),
    );
    const joinedMonth = new Map(
      memberRows.map((row) => [row["customer_id"] ?? "", row["joined_month"] ?? ""]),
    );
    const respondents = new Map<string, Record<string, string>[]>();
    for (const row of choiceRows) {
      const { customer_id: id = "" } = row;
      respondents.set(id, [...(respondents.get(id) ?? []), row]);
    }
    const answers = [...respondents.values()];
    const seconds = (rows: Record<string, string>[]): number =>
      rows.reduce((sum, row) => sum + Number(row["seconds"]), 0) / rows.length;
    const tasks = (rows: Record<string, string>[]): number => new Set(rows.map((row) => row["task"])).size;
    expect({
      exact_duplicate_row: orderRows.length - new Set(orderRows.map(key)).size,
      amount_text: count(orderRows, field("amount", /^n\/a$/)),
      german_date: count(orderRows, field("ordered_on", /^\d\d\.\d\d\.\d{4}$/)),
      impossible_date: count(orderRows, field("ordered_on", /-02-30$/)),
      unknown_product: count(orderRows, field("product_id", /^P999$/)),
      unknown_customer: count(
        orderRows,
        (row) => !customers["customer_id"]?.includes(row["customer_id"] ?? ""),
      ),
      future_date: count(orderRows, field("ordered_on", /^2042-/)),
      zero_price: count(orderRows, field("unit_price", /^0\.00$/)),
      negative_price: count(orderRows, field("unit_price", /^-/)),
      returned_line: count(orderRows, field("order_id", /^R/)),
      store_card: cards.length,
      store_card_without_email: count(cards, field("email", /^$/)),
      missing_email: count(firsts, field("email", /^$/)),
      missing_region: count(firsts, field("region", /^$/)),
      missing_birth_year: count(firsts, field("birth_year", /^$/)),
      birth_year_text: count(firsts, field("birth_year", /^n\/a$/)),
      subscription_twice: subscriptionRows.length - new Set(subscriptionRows.map(key)).size,
      ended_before_start: count(
        subscriptionRows,
        ({ started_on = "", ended_on = "" }) => ended_on !== "" && ended_on < started_on,
      ),
      reason_while_running: count(
        subscriptionRows,
        ({ ended_on, end_reason }) => ended_on === "" && end_reason !== "",
      ),
      unknown_plan: count(subscriptionRows, field("plan", /^Medium$/)),
      unknown_subscriber: count(subscriptionRows, field("customer_id", /^9999999$/)),
      fee_text: count(subscriptionRows, field("monthly_fee", /^n\/a$/)),
      member_twice: memberRows.length - new Set(memberRows.map(key)).size,
      offer_twice: ownOffers.length - new Set(ownOffers.map(key)).size,
      offer_before_joining: count(
        ownOffers,
        ({ customer_id: id = "", month = "" }) =>
          month.endsWith("-01") && month <= (joinedMonth.get(id) ?? ""),
      ),
      offer_in_mid_month: count(offerRows, field("month", /-15$/)),
      offer_to_stranger: count(offerRows, field("customer_id", /^9999999$/)),
      contact_twice: contactRows.length - new Set(contactRows.map(key)).size,
      contact_of_stranger: count(contactRows, field("customer_id", /^9999999$/)),
      contact_before_start: count(
        contactRows,
        ({ customer_id: id = "", contacted_on = "" }) =>
          !contacted_on.endsWith("-02-30") && contacted_on < (startedOn.get(id) ?? ""),
      ),
      contact_on_impossible_day: count(contactRows, field("contacted_on", /-02-30$/)),
      contact_without_known_reason: count(contactRows, field("reason", /^other$/)),
      speeder: answers.filter((rows) => seconds(rows) < 5.5).length,
      straight_liner: answers.filter((rows) => rows.every(({ choice }) => choice === "1")).length,
      missing_task: answers.filter((rows) => tasks(rows) < 12).length,
      task_answered_twice: answers.filter(
        (rows) => rows.length > tasks(rows) && rows.every(({ choice }) => choice !== "7"),
      ).length,
      unknown_alternative: count(choiceRows, field("choice", /^7$/)),
      rating_above_scale: count(rowsOf(survey_ratings), field("rating", /^11$/)),
      unknown_statement: count(rowsOf(survey_bestworst), field("worst", /^nice colour$/)),
    }).toEqual(company.planted);
    for (const [defect, times] of Object.entries(company.planted)) expect(times, defect).toBeGreaterThan(0);
  });

  it("links every return to a line of an order of before, in full", () => {
    const sold = new Map(
      orderRows.filter(field("order_id", /^B/)).map((row) => [`${row["order_id"]} ${row["line_no"]}`, row]),
    );
    for (const row of orderRows.filter(field("order_id", /^R/))) {
      const original = sold.get(`${row["returned_order_id"]} ${row["line_no"]}`);
      expect(original).toMatchObject({
        customer_id: row["customer_id"],
        product_id: row["product_id"],
        unit_price: row["unit_price"],
        quantity: String(-Number(row["quantity"])),
      });
      const after = dayNumber(row["ordered_on"] ?? "") - dayNumber(original?.["ordered_on"] ?? "");
      expect(after).toBeGreaterThanOrEqual(3);
      expect(after).toBeLessThanOrEqual(20);
    }
  });

  it("leaves exactly the true purchases once what breaks a rule is rejected", async () => {
    const warehouse = await open(":memory:");
    const reports = await loadCompany(warehouse, "data/brenkamp");
    const truthReport = await loadTruth(warehouse, "data/brenkamp");
    await buildRepository(warehouse);
    expect(truthReport).toMatchObject({ rows: 4000, rejected: 0 });
    const p = company.planted;
    const broken =
      p.exact_duplicate_row +
      p.amount_text +
      p.german_date +
      p.impossible_date +
      p.unknown_product +
      p.unknown_customer +
      p.future_date +
      p.zero_price +
      p.negative_price;
    expect(reports.orders).toMatchObject({ rows: orderRows.length, rejected: broken, repaired: 0 });
    expect(reports.customers).toMatchObject({
      rows: customerRows.length,
      rejected: 0,
      repaired: p.birth_year_text + p.store_card - p.store_card_without_email,
    });
    const wrong = await warehouse.query(`
      SELECT truth.customer_id AS customer_id FROM truth
      JOIN (
        SELECT SUBSTR(order_id, 2, 7) AS number, COUNT(DISTINCT order_id) AS orders FROM fact_transaction
        WHERE is_return = 0 GROUP BY SUBSTR(order_id, 2, 7)
      ) AS placed ON placed.number = RIGHT(truth.customer_id, 7)
      WHERE placed.orders <> truth.orders`);
    expect(wrong.numRows()).toBe(0);
    await warehouse.close();
  });

  it("gives store cards the email of their owner in another spelling, and no two people one email", () => {
    const normal = customerRows
      .map((row) => (row["email"] ?? "").trim().toLowerCase())
      .filter((email) => email !== "");
    const merged = normal.length - new Set(normal).size;
    expect(merged).toBe(company.planted.store_card - company.planted.store_card_without_email);
    const raw = (customers["email"] ?? []).filter((email) => email !== "");
    expect(new Set(raw).size).toBe(raw.length); // as they stand, no two are equal
    expect(raw.every((email) => /@example\.com$/i.test(email.trim()))).toBe(true);
  });
});

describe("the purchase process", () => {
  const first = dayNumber(brenkamp.firstDay);
  const calendar = busyCalendar(brenkamp);
  const big = [...generateCustomers({ ...brenkamp, customers: 40_000 }, 5)].map(
    ({ truth: t, customers: c }) => ({
      channel: t.acquisition_channel,
      rate: Number(t.purchase_rate),
      lapse: Number(t.lapse_rate),
      budget: Number(t.mean_budget),
      repeats: Number(t.orders) - 1,
      start: dayNumber(c[0]?.registered_on ?? "") - first,
      end: t.lapsed_on === "" ? calendar.length : dayNumber(t.lapsed_on) - first,
    }),
  );

  /** Distance of a sample mean from the truth in standard errors. */
  function z(values: readonly number[], expected: number): number {
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
    return Math.abs(mean - expected) / Math.sqrt(variance / values.length);
  }

  it.each(brenkamp.acquisition)(
    "has the rates, lapses, budgets and share of $channel_id that the parameters say",
    (channel) => {
      const own = big.filter((row) => row.channel === channel.channel_id);
      const { r, alpha, s, beta } = channel.purchase;
      const { p, q, gamma } = channel.spend;
      expect(
        z(
          own.map((row) => row.rate),
          r / alpha,
        ),
      ).toBeLessThan(4);
      expect(
        z(
          own.map((row) => (row.rate - r / alpha) ** 2),
          r / alpha ** 2,
        ),
      ).toBeLessThan(4);
      expect(
        z(
          own.map((row) => row.lapse),
          s / beta,
        ),
      ).toBeLessThan(4);
      expect(
        z(
          own.map((row) => (row.lapse - s / beta) ** 2),
          s / beta ** 2,
        ),
      ).toBeLessThan(4);
      expect(
        z(
          own.map((row) => row.budget),
          (p * gamma) / (q - 1),
        ),
      ).toBeLessThan(4);
      expect(
        z(
          big.map((row) => Number(row.channel === channel.channel_id)),
          channel.share,
        ),
      ).toBeLessThan(4);
    },
  );

  it("repeats at the person's own rate on the inner clock until the person lapses", () => {
    // Given rate and time, repeats are Poisson with mean rate x weeks; days are cut to whole ones: half a day each end.
    const means = big.map(({ rate, start, end }) => {
      const from = calendar.innerTime(start + 0.5);
      const to = calendar.innerTime(Math.min(end + (end < calendar.length ? 0.5 : 0), calendar.length));
      return (rate * Math.max(to - from, 0)) / 7;
    });
    const expected = means.reduce((sum, mean) => sum + mean, 0);
    const found = big.reduce((sum, { repeats }) => sum + repeats, 0);
    expect(Math.abs(found - expected) / Math.sqrt(expected)).toBeLessThan(5);
    const chiSquare =
      big.reduce((sum, { repeats }, i) => sum + (repeats - (means[i] ?? 0)) ** 2, 0) / expected;
    expect(chiSquare).toBeGreaterThan(0.95); // variance equals mean: neither clumped nor regular
    expect(chiSquare).toBeLessThan(1.05);
  });

  it("lapses at the person's own rate", () => {
    // P(lapsed in the first 26 weeks) = 1 - exp(-26 rate), for those seen that long; whole days shift it by half a day.
    const seen = big.filter(({ start }) => start + 26 * 7 <= calendar.length - 1);
    const excess = seen.map(
      ({ start, end, lapse }) => Number(end - start < 26 * 7) - (1 - Math.exp(-26 * lapse)),
    );
    expect(z(excess, 0)).toBeLessThan(4);
  });

  it("spends the budgets, up to whole packs", () => {
    const budgets = truthRows.reduce(
      (sum, row) => sum + Number(row["mean_budget"]) * Number(row["orders"]),
      0,
    );
    const sold = orderRows
      .filter((row) => /^B.*/.test(row["order_id"] ?? "") && row["line_no"] !== "9")
      .reduce((sum, row) => sum + Number(row["amount"]), 0);
    expect(sold / budgets).toBeGreaterThan(0.98);
    expect(sold / budgets).toBeLessThan(1.03);
  });

  it("keeps the inner clock and the calendar together at both ends, and inverts one into the other", () => {
    expect(calendar.length).toBe(731);
    expect(calendar.innerTime(0)).toBe(0);
    expect(calendar.innerTime(731)).toBeCloseTo(731, 9);
    expect(calendar.momentAt(731)).toBe(Number.POSITIVE_INFINITY);
    for (let t = 0; t < 731; t += 0.37) expect(calendar.momentAt(calendar.innerTime(t))).toBeCloseTo(t, 9);
    const speed = (iso: string): number => {
      const day = dayNumber(iso) - first;
      return calendar.innerTime(day + 1) - calendar.innerTime(day);
    };
    expect(speed("2024-12-01") / speed("2024-12-02")).toBeCloseTo(2.5, 9);
    expect(speed("2025-12-24") / speed("2025-07-24")).toBeCloseTo(1.35 / 0.8, 9);
  });

  it("charges 20% less in the promotion and 8% more after the price change, in whole cents", () => {
    const prices = (id: string, from: string, to: string): string[] => [
      ...new Set(
        orderRows
          .filter(
            (row) =>
              row["product_id"] === id &&
              (row["ordered_on"] ?? "") >= from &&
              (row["ordered_on"] ?? "") <= to,
          )
          .filter((row) => row["line_no"] !== "9" && !row["order_id"]?.startsWith("R"))
          .map((row) => row["unit_price"] ?? ""),
      ),
    ];
    expect(prices("P001", "2024-01-01", "2024-11-24")).toEqual(["6.90"]);
    expect(prices("P001", "2024-11-25", "2024-12-01")).toEqual(["5.52"]);
    expect(prices("P001", "2025-03-01", "2025-12-31")).toEqual(["7.45"]);
    expect(prices("P012", "2025-03-01", "2025-12-31")).toEqual(["4.20"]);
  });
});

describe("the cohorts of the truth", () => {
  it("count every person once, by quarter and channel, and those whose lapse is not in the data", () => {
    const start = new Map(customerRows.map((row) => [row["customer_id"], row["registered_on"] ?? ""]));
    const expected = new Map<string, number[]>();
    for (const row of truthRows) {
      const day = start.get(row["customer_id"]) ?? "";
      const quarter = `${day.slice(0, 4)}-Q${1 + Math.floor((Number(day.slice(5, 7)) - 1) / 3)}`;
      const cell = `${quarter} ${row["acquisition_channel"]}`;
      const [persons = 0, active = 0] = expected.get(cell) ?? [];
      expected.set(cell, [persons + 1, active + Number(row["lapsed_on"] === "")]);
    }
    expect(company.cohorts.map(({ quarter }) => quarter)).toEqual(
      [2024, 2025].flatMap((year) => [1, 2, 3, 4].map((quarter) => `${year}-Q${quarter}`)),
    );
    for (const { quarter, customers: persons, active, activeShare } of company.cohorts) {
      const cells = Object.keys(persons).map((channel) => expected.get(`${quarter} ${channel}`));
      expect(cells).toEqual(Object.keys(persons).map((channel) => [persons[channel], active[channel]]));
      const [all = 0, left = 0] = [0, 1].map((i) => cells.reduce((sum, cell) => sum + (cell?.[i] ?? 0), 0));
      expect(activeShare).toBeCloseTo(left / all, 4);
    }
    const stored: unknown = JSON.parse(readFileSync("data/brenkamp/truth.json", "utf8"));
    expect(stored).toMatchObject({ cohorts: company.cohorts, clubIntakes: company.clubIntakes });
  });
});

describe("generateCompany", () => {
  it("gives each customer a stream of their own: another number of orders before changes nothing", () => {
    const [, , third] = [...generateCustomers({ ...brenkamp, customers: 3 }, 1)];
    const calm = { ...brenkamp, customers: 3, promotion: { ...brenkamp.promotion, intensity: 1 } };
    const [, , thirdAgain] = [...generateCustomers(calm, 1)];
    expect(thirdAgain?.truth.purchase_rate).toBe(third?.truth.purchase_rate);
    expect(thirdAgain?.customers[0]?.email).toBe(third?.customers[0]?.email);
  });

  it("differs for another seed", () => {
    const other = generateCompany({ ...brenkamp, customers: 50 }, sampleSeed + 1);
    const same = generateCompany({ ...brenkamp, customers: 50 });
    expect(other.tables.truth).not.toEqual(same.tables.truth);
    expect(generateCompany({ ...brenkamp, customers: 50 }, sampleSeed)).toEqual(same);
  });
});

describe("writeSample", () => {
  it("writes what generateCompany gives, tells how far it is, and counts alike", async () => {
    const seen: number[] = [];
    const out = join(folder, "small");
    const result = await writeSample({
      out,
      customers: 2500,
      seed: 3,
      onProgress: (done) => seen.push(done),
    });
    const same = generateCompany({ ...brenkamp, customers: 2500 }, 3);
    expect(result.planted).toEqual(same.planted);
    expect(result.rows.orders).toBe(same.tables.orders["order_id"]?.length);
    expect(seen).toEqual([1000, 2000, 2500]);
    expect(readdirSync(out).sort()).toEqual(
      [...companyTables.map((name) => `${name}.parquet`), "truth.json"].sort(),
    );
    const warehouse = await open(":memory:");
    const reports = await loadCompany(warehouse, out, "parquet");
    expect(reports.orders.rows).toBe(result.rows.orders);
    await warehouse.close();
  });

  it.each(["at once", "half way", "at the very end"])(
    "leaves nothing behind when stopped %s, nor touches what was there",
    async (when) => {
      const out = join(folder, `stopped ${when}`);
      mkdirSync(out);
      writeFileSync(join(out, "orders.parquet"), "before");
      const controller = new AbortController();
      if (when === "at once") controller.abort(new Error("no longer wanted"));
      const onProgress = (done: number): void => {
        if (done === (when === "half way" ? 2000 : 4000)) controller.abort(new Error("no longer wanted"));
      };
      const work = writeSample({ out, customers: 4000, signal: controller.signal, onProgress });
      await expect(work).rejects.toThrow("no longer wanted");
      expect(readdirSync(out)).toEqual(["orders.parquet"]);
      expect(readFileSync(join(out, "orders.parquet"), "utf8")).toBe("before");
      expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    },
  );

  it("refuses numbers of customers out of range, before it writes", async () => {
    const out = join(folder, "none");
    for (const customers of [0, 1.5, 10_000_000, Number.NaN]) {
      await expect(writeSample({ out, customers })).rejects.toThrow(
        `customers must be a whole number from 1 to 9999999, got ${customers}`,
      );
    }
    expect(existsSync(out)).toBe(false);
  });

  it("manages a single customer", async () => {
    const result = await writeSample({ out: join(folder, "one"), customers: 1, formats: ["csv"] });
    expect(result.rows.truth).toBe(1);
    expect(result.files).toContain("orders.csv");
    expect(result.files).not.toContain("orders.parquet");
  });
});
