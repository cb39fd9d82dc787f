import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dayNumber, monthNumber } from "../../src/core/day.js";
import { DataError } from "../../src/core/errors.js";
import { open } from "../../src/repository/duckdb.js";
import {
  customerDay,
  customerSummary,
  readCustomerDay,
  readCustomerSummary,
  readMart,
} from "../../src/repository/marts.js";
import { buildRepository, type RepositoryReport } from "../../src/repository/schema.js";
import { loadSources, type SourceReports } from "../../src/repository/sources.js";
import type { Warehouse } from "../../src/repository/warehouse.js";
import { expectConformance } from "./mart-conformance.js";
import { scratchFolder } from "./scratch.js";

const period = { first: "2024-01-01", last: "2025-12-31" };
const { folder, file } = scratchFolder();

/** Rows of one of the shipped files; a quoted field there holds a comma, but no quote and no line break. */
function shipped(name: string): Record<string, string>[] {
  const [header = "", ...lines] = readFileSync(`data/brenkamp/${name}.csv`, "utf8").trimEnd().split("\n");
  const names = header.split(",");
  return lines.map((line) =>
    Object.fromEntries(
      line
        .replace(/"(.*),(.*)"/, "$1;$2")
        .split(",")
        .map((value, i) => [names[i] ?? "", value]),
    ),
  );
}

/** The marts computed a second time, plainly, from the text of the files: to the cent. */
function recomputed(returns: "order-day" | "return-day") {
  const products = new Map(shipped("products").map((row) => [row["product_id"], Number(row["unit_cost"])]));
  const records = shipped("customers");
  const known = new Set(records.map((row) => row["customer_id"]));

  const personOf = new Map<string, string>(); // customer id -> email in small letters, or the id itself
  for (const row of records) {
    personOf.set(
      row["customer_id"] ?? "",
      (row["email"] ?? "").trim().toLowerCase() || (row["customer_id"] ?? ""),
    );
  }
  const people = new Map<string, Record<string, string>[]>();
  for (const row of records) {
    const person = personOf.get(row["customer_id"] ?? "") ?? "";
    people.set(person, [...(people.get(person) ?? []), row]);
  }
  const byAge = (a: Record<string, string>, b: Record<string, string>): number =>
    compare(`${a["registered_on"]} ${a["customer_id"]}`, `${b["registered_on"]} ${b["customer_id"]}`);
  for (const rows of people.values()) rows.sort(byAge);
  const firstIds = [...people].map(([person, rows]) => ({ person, id: rows[0]?.["customer_id"] ?? "" }));
  firstIds.sort((a, b) => compare(a.id, b.id));
  const keyOf = new Map(firstIds.map(({ person }, i) => [person, i + 1]));

  const seen = new Set<string>();
  const lines = shipped("orders").filter((row) => {
    const key = `${row["order_id"]} ${row["line_no"]}`;
    const good =
      /^202[45]-(0[1-9]|1[0-2])-\d\d$/.test(row["ordered_on"] ?? "") &&
      !/-02-30$/.test(row["ordered_on"] ?? "") &&
      Number(row["unit_price"]) > 0 &&
      Number.isFinite(Number(row["amount"])) &&
      products.has(row["product_id"]) &&
      known.has(row["customer_id"] ?? "") &&
      !seen.has(key);
    if (good) seen.add(key);
    return good;
  });
  const saleDay = new Map(
    lines
      .filter((row) => Number(row["quantity"]) > 0)
      .map((row) => [row["order_id"], row["ordered_on"] ?? ""]),
  );

  const days = new Map<string, { key: number; day: number; orders: Set<string>; sums: number[] }>();
  for (const row of lines) {
    const quantity = Number(row["quantity"]);
    const amount = Math.round(100 * Number(row["amount"]));
    const cost = quantity * Math.round(100 * (products.get(row["product_id"]) ?? Number.NaN));
    const isReturn = quantity < 0;
    const bookedOn =
      isReturn && returns === "order-day" ? saleDay.get(row["returned_order_id"]) : row["ordered_on"];
    const day = dayNumber(bookedOn ?? "");
    const key = keyOf.get(personOf.get(row["customer_id"] ?? "") ?? "") ?? 0;
    const entry = days.get(`${key} ${day}`) ?? { key, day, orders: new Set<string>(), sums: [0, 0, 0, 0, 0] };
    if (!isReturn) entry.orders.add(row["order_id"] ?? "");
    const added = [quantity, isReturn ? 0 : amount, isReturn ? -amount : 0, amount, amount - cost];
    entry.sums = entry.sums.map((sum, i) => sum + (added[i] ?? 0));
    days.set(`${key} ${day}`, entry);
  }
  const names = ["units", "sales_cents", "returns_cents", "revenue_cents", "margin_cents"];
  const customerDays = [...days.values()]
    .sort((a, b) => a.key - b.key || a.day - b.day)
    .map(({ key, day, orders, sums }) => ({
      customer_key: key,
      day,
      month: monthNumber(day),
      orders: orders.size,
      ...Object.fromEntries(names.map((name, i) => [name, sums[i] ?? 0])),
    }));

  const summaries = firstIds.flatMap(({ person, id }, i) => {
    const own = customerDays.filter(({ customer_key }) => customer_key === i + 1);
    const buying = own.filter(({ orders }) => orders > 0).map(({ day }) => day);
    if (buying.length === 0) return [];
    const rows = people.get(person) ?? [];
    const birthYear = rows.map((row) => Number(row["birth_year"])).find((year) => year > 0);
    const total = (name: string): number =>
      own.reduce((sum, row) => sum + ((row as Record<string, number>)[name] ?? 0), 0);
    return [
      {
        customer_key: i + 1,
        customer_id: id,
        acquisition_channel: rows[0]?.["acquisition_channel"],
        region: rows.map((row) => row["region"]).find((region) => region !== "") ?? "unknown",
        birth_year: birthYear ?? null,
        orders: total("orders"),
        purchase_days: buying.length,
        first_day: Math.min(...buying),
        last_day: Math.max(...buying),
        ...Object.fromEntries(names.map((name) => [name, total(name)])),
      },
    ];
  });
  return { customerDays, summaries, people: people.size, lines: lines.length };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

describe("the repository of the sample company", () => {
  let warehouse: Warehouse;
  let reports: SourceReports;
  let report: RepositoryReport;
  const truth = recomputed("order-day");
  beforeAll(async () => {
    warehouse = await open(":memory:");
    reports = await loadSources(warehouse, "data/brenkamp", period);
    report = await buildRepository(warehouse);
  });
  afterAll(() => warehouse.close());

  it("holds customer_day as a plain recomputation from the files has it, every row to the cent", async () => {
    expect((await readCustomerDay(warehouse)).objects()).toEqual(truth.customerDays);
    expect(truth.customerDays.length).toBeGreaterThan(16_000);
  });

  it("holds customer_summary as a plain recomputation from the files has it, every row to the cent", async () => {
    const summary = await readCustomerSummary(warehouse);
    expect(summary.objects()).toEqual(truth.summaries);
    expect(truth.summaries.length).toBeGreaterThan(4000);
    expect(summary.data()).toMatchObject({
      customer_key: expect.any(Int32Array) as unknown,
      revenue_cents: expect.any(Float64Array) as unknown,
      first_day: expect.any(Int32Array) as unknown,
    });
  });

  it("books returns on their own day when told so", async () => {
    await buildRepository(warehouse, { returns: "return-day" });
    expect((await readCustomerDay(warehouse)).objects()).toEqual(recomputed("return-day").customerDays);
    await buildRepository(warehouse);
    expect((await readCustomerDay(warehouse)).objects()).toEqual(truth.customerDays);
  });

  it("accounts for every row of every source", () => {
    for (const source of Object.values(reports)) expect(source.rows).toBe(source.accepted + source.rejected);
    expect(reports.orders).toMatchObject({ rows: 29_479, accepted: truth.lines, rejected: 96 });
    expect(report).toMatchObject({
      records: 4213,
      customers: truth.people,
      merged: 4213 - truth.people,
      transactions: truth.lines,
      returns: 821,
      unlinkedReturns: 0,
      revenueCents: truth.customerDays.reduce(
        (sum, row) => sum + ((row as Record<string, number>)["revenue_cents"] ?? 0),
        0,
      ),
    });
    expect(report.summary()).toBe(
      "29383 transactions of 4051 customers (4213 records, 162 merged by email); 821 returned lines, 0 of them without a known order",
    );
  });

  it("has a date dimension without gaps that knows leap years and weekdays", async () => {
    const dates = await warehouse.query("SELECT * FROM dim_date ORDER BY day");
    expect(dates.numRows()).toBe(366 + 365);
    expect(dates.filter("d => d.iso_day === '2024-02-29'").objects()).toEqual([
      { day: 19_782, iso_day: "2024-02-29", month: 24_290, year: 2024, month_of_year: 2, weekday: 4 },
    ]);
  });

  it("keeps names and emails out of everything but the sources", async () => {
    const columns = await warehouse.query(
      "SELECT DISTINCT table_name AS t FROM information_schema.columns WHERE column_name IN ('email', 'name') ORDER BY t",
    );
    expect(columns.array("t")).toEqual([
      "channels",
      "customers",
      "dim_channel",
      "dim_product",
      "products",
      "regions",
    ]);
  });

  it("is the same from Parquet", async () => {
    const other = await open(":memory:");
    try {
      await loadSources(other, "data/brenkamp", period, "parquet");
      await buildRepository(other);
      expect((await readCustomerSummary(other)).objects()).toEqual(truth.summaries);
    } finally {
      await other.close();
    }
  });
});

describe("buildRepository", () => {
  const small = {
    regions: "region_id,name,country\nnorth,North,DE\n",
    channels: "channel_id,name,kind,acquisition_cost\nweb,Web,sales,\nsearch,Search,acquisition,18.00\n",
    products: "product_id,name,category,list_price,unit_cost\nP1,Blend,coffee,10.00,4.00\n",
    customers: `customer_id,source,name,email,birth_year,region,acquisition_channel,registered_on
b,web,B,x@example.com,,,search,2024-02-01
a,store,B,X@Example.com ,1980,north,search,2024-02-02
c,web,C,,,,search,2024-02-01
d,web,C,,,,search,2024-02-01
`,
    orders: `order_id,line_no,customer_id,ordered_on,sales_channel,product_id,quantity,unit_price,amount,returned_order_id
o1,1,b,2024-03-01,web,P1,2,10.00,20.00,
o2,1,a,2024-03-01,web,P1,1,10.00,10.00,
r1,1,a,2024-04-01,web,P1,-1,10.00,-10.00,o1
r2,1,c,2024-05-01,web,P1,-1,10.00,-10.00,absent
o3,1,c,2024-05-02,web,P1,1,10.00,10.00,o1
`,
  };
  let warehouse: Warehouse;
  let report: RepositoryReport;
  beforeAll(async () => {
    for (const [name, content] of Object.entries(small)) file(`${name}.csv`, content);
    warehouse = await open(":memory:");
    await loadSources(warehouse, folder, period);
    report = await buildRepository(warehouse);
  });
  afterAll(() => warehouse.close());

  it("merges records with one email and leaves those without apart", async () => {
    const identity = await warehouse.query(
      "SELECT customer_id, customer_key FROM customer_identity ORDER BY customer_id",
    );
    expect(identity.objects()).toEqual([
      { customer_id: "a", customer_key: 1 },
      { customer_id: "b", customer_key: 1 },
      { customer_id: "c", customer_key: 2 },
      { customer_id: "d", customer_key: 3 },
    ]);
    expect(report).toMatchObject({ records: 4, customers: 3, merged: 1, returns: 2, unlinkedReturns: 1 });
  });

  it("lets the earliest record stand for a person and fills its gaps from the others", async () => {
    const dim = await warehouse.query(
      "SELECT customer_key, customer_id, region, birth_year, records FROM dim_customer ORDER BY customer_key",
    );
    expect(dim.objects()).toEqual([
      { customer_key: 1, customer_id: "b", region: "north", birth_year: 1980, records: 2 },
      { customer_key: 2, customer_id: "c", region: "unknown", birth_year: null, records: 1 },
      { customer_key: 3, customer_id: "d", region: "unknown", birth_year: null, records: 1 },
    ]);
  });

  it("nets a return on the day of its order; one without a known order counts on its own day, never as an order", async () => {
    const days = await readCustomerDay(warehouse);
    expect(
      days
        .select("customer_key", "day", "orders", "units", "returns_cents", "revenue_cents", "margin_cents")
        .objects(),
    ).toEqual([
      {
        customer_key: 1,
        day: dayNumber("2024-03-01"),
        orders: 2,
        units: 2,
        returns_cents: 1000,
        revenue_cents: 2000,
        margin_cents: 1200,
      },
      {
        customer_key: 2,
        day: dayNumber("2024-05-01"),
        orders: 0,
        units: -1,
        returns_cents: 1000,
        revenue_cents: -1000,
        margin_cents: -600,
      },
      {
        customer_key: 2,
        day: dayNumber("2024-05-02"),
        orders: 1,
        units: 1,
        returns_cents: 0,
        revenue_cents: 1000,
        margin_cents: 600,
      },
    ]);
  });

  it("counts first and last day by orders alone, and leaves out who never ordered", async () => {
    const summary = await readCustomerSummary(warehouse);
    expect(
      summary
        .select("customer_key", "orders", "purchase_days", "first_day", "last_day", "revenue_cents")
        .objects(),
    ).toEqual([
      {
        customer_key: 1,
        orders: 2,
        purchase_days: 1,
        first_day: 19_783,
        last_day: 19_783,
        revenue_cents: 2000,
      },
      { customer_key: 2, orders: 1, purchase_days: 1, first_day: 19_845, last_day: 19_845, revenue_cents: 0 },
    ]);
  });

  it("says what is missing", async () => {
    const empty = await open(":memory:");
    await expect(buildRepository(empty)).rejects.toThrow(/customers does not exist/);
    await expect(readMart(empty, customerSummary)).rejects.toThrow(
      new DataError("there is no mart customer_summary: load the sources and call buildRepository first"),
    );
    await empty.close();
  });
});

describe("the SQL of the marts", () => {
  it.each([customerDay, customerSummary])(
    "$name keeps to the subset that means the same on every engine",
    async (mart) => {
      const warehouse = await open(":memory:");
      await loadSources(warehouse, folder, period);
      await buildRepository(warehouse);
      await expectConformance(warehouse, mart);
      await warehouse.close();
    },
  );
});
