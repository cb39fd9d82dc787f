import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.js";
import { open } from "../../src/repository/duckdb.js";
import { factChoice, readChoices } from "../../src/repository/marts.js";
import { buildRepository } from "../../src/repository/schema.js";
import { loadSources } from "../../src/repository/sources.js";
import type { Warehouse } from "../../src/repository/warehouse.js";
import { expectConformance } from "./mart-conformance.js";
import { scratchFolder } from "./scratch.js";

const { folder, file } = scratchFolder();
const period = { first: "2024-01-01", last: "2024-12-31" };
const files = {
  regions: "region_id,name,country\nnorth,North,DE\n",
  channels: "channel_id,name,kind,acquisition_cost\nweb,Web,sales,\nsearch,Search,acquisition,18.00\n",
  products: "product_id,name,category,list_price,unit_cost\nP1,Blend,coffee,10.00,4.00\n",
  customers: `customer_id,source,name,email,birth_year,region,acquisition_channel,registered_on
a,web,A,x@example.com,,north,search,2024-01-02
b,store,A,X@example.com,,north,search,2024-02-03
c,web,C,,,north,search,2024-01-31
`,
  orders: `order_id,line_no,customer_id,ordered_on,sales_channel,product_id,quantity,unit_price,amount,returned_order_id
o1,1,a,2024-03-01,web,P1,2,10.00,20.00,
`,
};
const respondents = { customer_id: ["c", "b"], version: Int32Array.of(2, 1) };
const choices = {
  customer_id: ["c", "b", "b"],
  task: Int32Array.of(1, 2, 1),
  choice: Int32Array.of(0, 3, 1),
  seconds: Int32Array.of(14, 9, 20),
};

let warehouse: Warehouse;
beforeAll(async () => {
  for (const [name, content] of Object.entries(files)) file(`${name}.csv`, content);
  warehouse = await open(":memory:");
  await loadSources(warehouse, folder, period);
});
afterAll(() => warehouse.close());

describe("readChoices", () => {
  it("says what to do where no survey is loaded", async () => {
    await buildRepository(warehouse);
    await expect(readChoices(warehouse)).rejects.toThrow(
      new DataError("there is no mart fact_choice: load the sources and call buildRepository first"),
    );
  });

  it("gives answers to the merged customer, with the version of the questionnaire, task after task", async () => {
    await warehouse.writeTable("survey_respondents", respondents);
    await warehouse.writeTable("survey_choices", choices);
    await buildRepository(warehouse);
    expect((await readChoices(warehouse)).objects()).toEqual([
      { customer_key: 1, version: 1, task: 1, choice: 1, seconds: 20 }, // b is the store card of a
      { customer_key: 1, version: 1, task: 2, choice: 3, seconds: 9 },
      { customer_key: 2, version: 2, task: 1, choice: 0, seconds: 14 },
    ]);
  });

  it("has the columns it says, in SQL that means the same on every engine", () =>
    expectConformance(warehouse, factChoice));

  it("refuses an answer whose respondent got lost", async () => {
    await warehouse.run("DELETE FROM survey_respondents WHERE customer_id = 'c'");
    await expect(buildRepository(warehouse)).rejects.toThrow(
      new DataError("fact_choice must hold the 3 rows of its source, but holds 2: load it by surveyRules"),
    );
  });
});
