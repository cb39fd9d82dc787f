import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dayNumber } from "../../src/core/day.js";
import { DataError } from "../../src/core/errors.js";
import { open } from "../../src/repository/duckdb.js";
import {
  acquisitionCell,
  factContact,
  factRetentionTrial,
  readAcquisition,
  readContacts,
  readRetentionTrial,
} from "../../src/repository/marts.js";
import { nonNegativeEuros } from "../../src/repository/rules.js";
import { buildRepository } from "../../src/repository/schema.js";
import {
  type ActivityReports,
  activityRules,
  activityTables,
  loadActivities,
  loadProgrammes,
  loadSources,
} from "../../src/repository/sources.js";
import type { Warehouse } from "../../src/repository/warehouse.js";
import { expectConformance } from "./mart-conformance.js";
import { scratchFolder } from "./scratch.js";

const { folder, file } = scratchFolder();
const period = { first: "2024-01-01", last: "2024-12-31" };
const fill = (row: (i: number) => string): string => Array.from({ length: 40 }, (_, i) => row(i)).join("\n");
const files = {
  regions: "region_id,name,country\nnorth,North,DE\nwest,West,DE\n",
  channels: "channel_id,name,kind,acquisition_cost\nweb,Web,sales,\nsearch,Search,acquisition,18.00\n",
  products: "product_id,name,category,list_price,unit_cost\nP1,Blend,coffee,10.00,4.00\n",
  customers: `customer_id,source,name,email,birth_year,region,acquisition_channel,registered_on
a,web,A,x@example.com,,,search,2024-01-02
b,store,A,X@example.com,,north,search,2024-02-03
c,web,C,,,north,search,2024-01-31
d,web,D,,,,search,2024-02-01
e,web,E,,,west,search,2024-05-01
`,
  orders: `order_id,line_no,customer_id,ordered_on,sales_channel,product_id,quantity,unit_price,amount,returned_order_id
o1,1,a,2024-03-01,web,P1,2,10.00,20.00,
`,
  subscriptions: `subscription_id,customer_id,plan,started_on,ended_on,end_reason,monthly_fee
A1,a,Small,2024-01-31,2024-02-29,cancelled,8.90
A2,b,Large,2024-03-01,,,26.90
A3,c,Small,2024-02-01,,,8.90
A4,c,Large,2024-06-01,,,26.90
${fill((i) => `F${i},e,Small,2024-05-01,,,8.90`)}
`,
  club_lots: "month,lot,price\n2024-03-01,One,10.00\n",
  club_members: "customer_id,joined_month\na,2024-02-01\n",
  club: "customer_id,month\na,2024-03-01\n",
  contacts: `contact_id,customer_id,contacted_on,channel,reason
c3,c,2024-02-01,phone,complaint
c2,b,2024-03-01,email,billing
c1,a,2024-02-10,chat,question
x1,c,2024-01-31,phone,complaint
x2,d,2024-03-01,phone,complaint
${fill((i) => `f${i},e,2024-06-01,phone,question`)}
`,
  acquisition_spend: `month,acquisition_channel,region,spend
2024-02-01,search,north,10.5
2024-01-01,search,north,20.00
2024-01-01,search,west,0
`,
  retention_trial: `subscription_id,assigned_on,offer_value,renewed
A2,2025-01-01,6.00,1
A3,2024-02-01,0.00,0
A1,2024-02-29,3.00,1
A4,2024-05-31,3.00,1
${fill((i) => `F${i},2025-01-01,12.00,1`)}
`,
};

let warehouse: Warehouse;
let reports: ActivityReports;
beforeAll(async () => {
  for (const [name, content] of Object.entries(files)) file(`${name}.csv`, content);
  warehouse = await open(":memory:");
  await loadSources(warehouse, folder, period);
  await loadProgrammes(warehouse, folder, period);
  reports = await loadActivities(warehouse, folder, period);
  await buildRepository(warehouse);
});
afterAll(() => warehouse.close());

describe("loadActivities", () => {
  it("names every row that does not fit the subscriptions", () => {
    expect(Object.keys(reports)).toEqual([...activityTables]);
    expect(reports.contacts).toMatchObject({ rows: 45, accepted: 43, rejected: 2 });
    expect(reports.contacts.findings.map(({ line, found, allowed }) => [line, found, allowed])).toEqual([
      [5, '"2024-01-31"', "a day from started_on of the customer's first subscription on"],
      [6, '"d"', "a customer_id of table subscriptions"],
    ]);
    expect(reports.retention_trial).toMatchObject({ rows: 44, accepted: 42, rejected: 2 });
    expect(
      reports.retention_trial.findings.map(({ line, found, allowed }) => [line, found, allowed]),
    ).toEqual([
      [4, '"2024-02-29"', "a day on which the subscription runs"], // the day it ended
      [5, '"2024-05-31"', "a day on which the subscription runs"], // the day before it starts
    ]);
    expect(reports.acquisition_spend).toMatchObject({ rows: 3, accepted: 3, rejected: 0 });
  });

  it.each([
    ["contacts", "contacted_on", "2025-01-01"],
    ["contacts", "channel", "fax"],
    ["contacts", "reason", "praise"],
    ["acquisition_spend", "month", "2024-01-15"],
    ["acquisition_spend", "spend", "-0.01"],
    ["retention_trial", "assigned_on", "2025-02-29"],
    ["retention_trial", "offer_value", "-3.00"],
    ["retention_trial", "renewed", "2"],
  ] as const)("%s: refuses %s %s", (table, column, value) => {
    expect(activityRules(period)[table].rules[column]?.parse(value, ".")).toBeUndefined();
  });

  it("allows spending and offering nothing", () => {
    expect(nonNegativeEuros).toMatchObject({ type: "bigint", suffix: "_cents" });
    expect(nonNegativeEuros.parse("0.00", ".")).toBe(0);
    expect(nonNegativeEuros.parse("12.5", ".")).toBe(1250);
  });
});

describe("the readers of activities", () => {
  it("give contacts to the merged customer, by day", async () => {
    const contacts = (await readContacts(warehouse)).objects();
    expect(contacts.slice(0, 3)).toEqual([
      { contact_id: "c1", customer_key: 1, contacted_on: 19_763, channel: "chat", reason: "question" },
      { contact_id: "c2", customer_key: 1, contacted_on: 19_783, channel: "email", reason: "billing" },
      { contact_id: "c3", customer_key: 2, contacted_on: 19_754, channel: "phone", reason: "complaint" },
    ]);
    expect(contacts).toHaveLength(43);
  });

  it("count the customers won in a cell by the region any record names, and those elsewhere", async () => {
    const { cells, customersElsewhere } = await readAcquisition(warehouse);
    const cell = { acquisition_channel: "search" };
    expect(cells.objects()).toEqual([
      { ...cell, month: 24_289, region: "north", spend_cents: 2000, customers: 2 }, // a, whose store card names it, and c
      { ...cell, month: 24_289, region: "west", spend_cents: 0, customers: 0 },
      { ...cell, month: 24_290, region: "north", spend_cents: 1050, customers: 0 },
    ]);
    expect(customersElsewhere).toBe(2); // d without region, e in a month without spend
  });

  it("join the trial with the subscription", async () => {
    const trial = (await readRetentionTrial(warehouse)).objects();
    expect(trial).toHaveLength(42);
    expect(trial.slice(0, 2)).toEqual([
      {
        subscription_id: "A2",
        customer_key: 1,
        plan: "Large",
        monthly_fee_cents: 2690,
        started_on: dayNumber("2024-03-01"),
        assigned_on: dayNumber("2025-01-01"),
        offer_value_cents: 600,
        renewed: 1,
      },
      {
        subscription_id: "A3",
        customer_key: 2,
        plan: "Small",
        monthly_fee_cents: 890,
        started_on: dayNumber("2024-02-01"),
        assigned_on: dayNumber("2024-02-01"),
        offer_value_cents: 0,
        renewed: 0,
      },
    ]);
  });

  it.each([factContact, acquisitionCell, factRetentionTrial])(
    "$name has the columns it says, in SQL that means the same on every engine",
    (mart) => expectConformance(warehouse, mart),
  );

  it("say what to do where the activities are not loaded", async () => {
    const plain = await open(":memory:");
    await loadSources(plain, folder, period);
    await buildRepository(plain);
    expect(await plain.tables()).not.toContain("acquisition_cell");
    for (const [read, name] of [
      [readContacts, "fact_contact"],
      [readAcquisition, "acquisition_cell"],
      [readRetentionTrial, "fact_retention_trial"],
    ] as const) {
      await expect(read(plain)).rejects.toThrow(
        new DataError(`there is no mart ${name}: load the sources and call buildRepository first`),
      );
    }
    await plain.close();
  });

  it("refuse a trial whose subscription got lost", async () => {
    await warehouse.run("DELETE FROM subscriptions WHERE subscription_id = 'A2'");
    await expect(buildRepository(warehouse)).rejects.toThrow(
      new DataError(
        "fact_retention_trial must hold the 42 rows of its source, but holds 41: load it by activityRules",
      ),
    );
  });
});
