import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.js";
import { open } from "../../src/repository/duckdb.js";
import { type LoadOptions, loadCsv, loadParquet } from "../../src/repository/load.js";
import { requireClean } from "../../src/repository/quality.js";
import {
  email,
  euros,
  integer,
  isoDate,
  oneOf,
  optional,
  orMissing,
  personal,
  positiveEuros,
  positiveNumber,
  references,
  text,
} from "../../src/repository/rules.js";
import type { Warehouse } from "../../src/repository/warehouse.js";
import { scratchFolder } from "./scratch.js";

const { folder, file } = scratchFolder();
let warehouse: Warehouse;
beforeAll(async () => {
  warehouse = await open(":memory:");
});
afterAll(() => warehouse.close());

const orders: LoadOptions = {
  table: "orders",
  rules: { customer_id: text, ordered_on: isoDate, amount: positiveEuros },
  rejectLimit: 0.5,
};
const header = "customer_id,ordered_on,amount\n";
const rows = async (sql: string): Promise<unknown[]> => (await warehouse.query(sql)).objects();
const load = (content: string | Uint8Array, options: LoadOptions = orders) =>
  loadCsv(warehouse, file("orders.csv", content), options);

describe("loadCsv", () => {
  it("stores accepted rows with types, leading zeros and the line they came from", async () => {
    const report = await load(`${header}007,2024-01-31,12.50\n0008,2024-02-29,3\n`);
    expect(await rows("SELECT * FROM orders ORDER BY source_line")).toEqual([
      { customer_id: "007", ordered_on: "2024-01-31", amount_cents: 1250, source_line: 2 },
      { customer_id: "0008", ordered_on: "2024-02-29", amount_cents: 300, source_line: 3 },
    ]);
    expect(report).toMatchObject({ rows: 2, accepted: 2, rejected: 0, repaired: 0, findings: [] });
    expect(requireClean(report)).toBe(report);
  });

  it("reports every rejected value with line, column, value and what is allowed, and counts add up", async () => {
    const report = await load(
      `${header}1,2024-01-01,5\n2,31.12.2024,5\n\n"3\n3",2024-01-01,n/a\n4,2024-02-30,-1\n5,2024-01-01\n6,2024-01-01,7\n7,2024-01-02,8\n8,2024-01-02,9\n`,
    );
    expect(report.toTable().objects()).toEqual([
      finding(3, "ordered_on", '"31.12.2024"', "a day like 2024-12-31"),
      finding(5, "amount", '"n/a"', "an amount in EUR above 0 with at most two decimals"),
      finding(7, "ordered_on", '"2024-02-30"', "a day like 2024-12-31"),
      finding(7, "amount", '"-1"', "an amount in EUR above 0 with at most two decimals"),
      finding(8, "", "2", "3 fields"),
    ]);
    expect(report).toMatchObject({ rows: 8, accepted: 4, rejected: 4, blankLines: 1 });
    expect(report.rows).toBe(report.accepted + report.rejected);
    expect(report.rules.map(({ column, accepted, rejected }) => [column, accepted, rejected])).toEqual([
      ["customer_id", 7, 0],
      ["ordered_on", 5, 2],
      ["amount", 5, 2],
      ["", 7, 1],
    ]);
    expect(report.summary()).toBe(
      `${folder}/orders.csv: 8 rows = 4 accepted + 4 rejected; 0 values repaired
  blank lines skipped: 1
  ordered_on: 2 not a day like 2024-12-31
  amount: 2 not an amount in EUR above 0 with at most two decimals
  row: 1 not 3 fields
  e.g. ${folder}/orders.csv: ordered_on in line 3 must be a day like 2024-12-31, got "31.12.2024"
  e.g. ${folder}/orders.csv: amount in line 5 must be an amount in EUR above 0 with at most two decimals, got "n/a"
  e.g. ${folder}/orders.csv: ordered_on in line 7 must be a day like 2024-12-31, got "2024-02-30"`,
    );
    expect(await rows("SELECT customer_id FROM orders ORDER BY source_line")).toEqual(
      ["1", "6", "7", "8"].map((customer_id) => ({ customer_id })),
    );
    expect(() => requireClean(report)).toThrow(
      new DataError(
        `${folder}/orders.csv: ordered_on in line 3 must be a day like 2024-12-31, got "31.12.2024" (the first of 4 rejected rows)`,
      ),
    );
  });

  it("accepts the first of rows with the same key and names it for the others", async () => {
    const report = await load(
      `${header}1,2024-01-01,5\n2,2024-01-01,5\n1,2024-01-01,6\n1,2024-01-02,5\n1,2024-01-01,5\n2,2024-01-01,x\n`,
      { ...orders, key: ["customer_id", "ordered_on"] },
    );
    const allowed = "the first with its customer_id, ordered_on";
    expect(report.toTable().objects()).toEqual([
      finding(4, "", "a repeat of line 2", allowed),
      finding(6, "", "a repeat of line 2", allowed),
      finding(7, "amount", '"x"', "an amount in EUR above 0 with at most two decimals"),
    ]);
    expect(report).toMatchObject({ rows: 6, accepted: 3, rejected: 3 });
    expect(await rows("SELECT source_line FROM orders ORDER BY source_line")).toEqual(
      [2, 3, 5].map((source_line) => ({ source_line })),
    );
  });

  it("treats rows with a missing part of the key as different", async () => {
    const rules = { id: optional(text), n: integer };
    const report = await load("id,n\n,1\n,1\na,1\na,1\n", {
      table: "keyed",
      rules,
      key: ["id", "n"],
      rejectLimit: 0.5,
    });
    expect(report).toMatchObject({ accepted: 3, rejected: 1 });
  });

  it("takes columns in any order, and stores them in the order of the rules", async () => {
    await load("amount,customer_id,ordered_on\n1.00,a,2024-01-01\n");
    expect(await rows("SELECT * FROM orders")).toEqual([
      { customer_id: "a", ordered_on: "2024-01-01", amount_cents: 100, source_line: 2 },
    ]);
  });

  it("repairs only what a rule names, counts and lists it", async () => {
    const rules = { id: text, email: optional(email), year: orMissing(optional(integer, "n/a")) };
    const report = await load("id,email,year\n1, A@B.de ,n/a\n2,a@b.de,198o\n3,,1980\n", {
      table: "people",
      rules,
    });
    expect(await rows("SELECT id, email, year FROM people ORDER BY id")).toEqual([
      { id: "1", email: "a@b.de", year: null },
      { id: "2", email: "a@b.de", year: null },
      { id: "3", email: null, year: 1980 },
    ]);
    expect(report).toMatchObject({ rows: 3, accepted: 3, rejected: 0, repaired: 3 });
    expect(report.rules.map(({ column, repaired }) => [column, repaired])).toEqual([
      ["id", 0],
      ["email", 1],
      ["year", 2],
    ]);
    expect(report.findings).toEqual([
      { ...finding(3, "year", '"198o"', "a whole number, or empty"), action: "set to missing" },
    ]);
    expect(() => requireClean(report)).not.toThrow();
  });

  it("never shows a personal value, in the report or in an error", async () => {
    const rules = { name: personal(oneOf("Erika Musterfrau")), email, n: integer };
    const content =
      "name,email,n\nMax Secret,max.secret@@example.com,1\nErika Musterfrau,erika@example.com,2\n";
    const report = await load(content, { table: "people", rules, rejectLimit: 1 });
    expect(report.toTable().array("found")).toEqual([
      "a personal value of 10 characters",
      "a personal value of 23 characters",
    ]);
    expect(`${report.summary()}${JSON.stringify(report)}`).not.toMatch(/secret/i);
    const failure = load(content, { table: "people", rules, rejectLimit: 0 });
    await expect(failure).rejects.toThrow("got a personal value of 10 characters");
    await expect(failure).rejects.not.toThrow(/secret/i);
  });

  it("refuses values of a table that is referred to", async () => {
    await warehouse.writeTable("products", { product_id: ["P1", "P2"] });
    const rules = {
      product_id: references("products", "product_id"),
      also: optional(references("products", "product_id")),
    };
    const report = await load("product_id,also\nP1,P2\nP9,\nP2,\n", {
      table: "lines",
      rules,
      rejectLimit: 1,
    });
    expect(report.toTable().objects()).toEqual([
      finding(3, "product_id", '"P9"', "a product_id of table products"),
    ]);
    await expect(load("a\n1\n", { table: "x", rules: { a: references("absent", "b") } })).rejects.toThrow(
      /Table with name absent does not exist/,
    );
  });

  it("reads semicolons, decimal commas and latin-1 when told so", async () => {
    const rules = { name: text, weight: positiveNumber, amount: euros };
    const bytes = Buffer.from("name;weight;amount\nGrün;0,25;-12,50\n", "latin1");
    await load(bytes, { table: "european", rules, delimiter: ";", decimal: ",", encoding: "latin-1" });
    expect(await rows("SELECT name, weight, amount_cents FROM european")).toEqual([
      { name: "Grün", weight: 0.25, amount_cents: -1250 },
    ]);
  });

  it("shortens long values", async () => {
    const report = await load(`${header}1,${"9".repeat(100)},1\n`, { ...orders, rejectLimit: 1 });
    expect(report.findings[0]?.found).toBe(`"${"9".repeat(40)}..."`);
  });

  function finding(line: number, column: string, found: string, allowed: string) {
    return { file: `${folder}/orders.csv`, line, column, found, allowed, action: "rejected" };
  }
});

describe("a file that is not what the options say", () => {
  const expected = "the header must be customer_id,ordered_on,amount";
  it.each([
    [
      "a misspelt column",
      "customer_id,orderd_on,amount\n1,2024-01-01,5\n",
      `${expected}; column "orderd_on" is not expected: did you mean ordered_on?; column ordered_on is missing`,
    ],
    [
      "another case",
      "Customer ID,ordered_on,amount\n1,2024-01-01,5\n",
      `${expected}; column "Customer ID" is not expected: did you mean customer_id?; column customer_id is missing`,
    ],
    ["a missing column", "customer_id,amount\n1,5\n", `${expected}; column ordered_on is missing`],
    [
      "an extra column",
      "customer_id,ordered_on,amount,coupon\n1,2024-01-01,5,x\n",
      `${expected}; column "coupon" is not expected`,
    ],
    [
      "no header",
      "anna@example.com,2024-01-01,5\n",
      `${expected}; the first line has none of these names (not shown: it may be a row of data)`,
    ],
    [
      "a column twice",
      "customer_id,ordered_on,amount,amount\n1,2024-01-01,5,5\n",
      `${expected}; column amount appears twice`,
    ],
    [
      "semicolons",
      "customer_id;ordered_on;amount\n1;2024-01-01;5\n",
      `${expected}; fields seem to be separated by ";": pass delimiter: ";"`,
    ],
    ["a header only", header, "has a header but no rows"],
    ["blank lines only", "\n\n\n", "is empty: it must have a header line and rows"],
    ["nothing", "", "is empty: it must have a header line and rows"],
    ["an unclosed quote", `${header}1,"2024-01-01,5\n`, "the quote opened in line 2 is never closed"],
    ["latin-1 bytes", Buffer.from(`${header}Grün,2024-01-01,5\n`, "latin1"), "line 2 is not UTF-8"],
    [
      "a text for an amount in most rows",
      `${header}1,2024-01-01,n/a\n2,2024-01-01,n/a\n3,2024-01-01,1\n`,
      "2 of 3 rows (66.7%) break a rule, more than rejectLimit 0.5 allows; the first: ",
    ],
    [
      "a second date format in most rows",
      `${header}1,31.12.2024,5\n2,2024-12-31,5\n3,30.12.2024,5\n`,
      'must be a day like 2024-12-31, got "31.12.2024"',
    ],
    [
      "decimal commas",
      `${header}1,2024-12-31,"5,00"\n`,
      'amount in line 2 must be an amount in EUR above 0 with at most two decimals, got "5,00"',
    ],
  ])("%s: fails with its name, and leaves the table of before alone", async (_name, content, message) => {
    await load(`${header}before,2024-01-01,1\n`);
    const tables = await warehouse.tables();
    const failure = load(content);
    await expect(failure).rejects.toThrow(DataError);
    await expect(failure).rejects.toThrow(`${folder}/orders.csv`);
    await expect(failure).rejects.toThrow(message);
    expect(await rows("SELECT customer_id FROM orders")).toEqual([{ customer_id: "before" }]);
    expect(await warehouse.tables()).toEqual(tables);
  });

  it("is refused at the limit, not below it", async () => {
    const content = `${header}1,2024-01-01,5\n2,2024-01-01,x\n`;
    await expect(load(content, { ...orders, rejectLimit: 0.49 })).rejects.toThrow("1 of 2 rows (50.0%)");
    expect((await load(content, { ...orders, rejectLimit: 0.5 })).accepted).toBe(1);
    await expect(load(content, { table: "orders", rules: orders.rules })).rejects.toThrow("rejectLimit 0.1");
    await expect(load(content, { ...orders, rejectLimit: 5 })).rejects.toThrow(RangeError);
  });

  it("is named when it does not exist", async () => {
    await expect(loadCsv(warehouse, `${folder}/absent.csv`, orders)).rejects.toThrow(
      new DataError(`${folder}/absent.csv cannot be read: there is no such file`),
    );
    await expect(loadParquet(warehouse, `${folder}/absent.parquet`, orders)).rejects.toThrow(
      /absent\.parquet/,
    );
  });

  it("needs a rule for every part of the key", async () => {
    await expect(load(`${header}1,2024-01-01,5\n`, { ...orders, key: ["order_id"] })).rejects.toThrow(
      new RangeError("key column order_id has no rule"),
    );
  });
});

describe("loadParquet", () => {
  it("gives the rows and the report of the CSV file with the same text", async () => {
    const lines = Array.from(
      { length: 150_000 },
      (_, i) => `${i % 7 === 0 ? "" : i},2024-01-01,${i % 1000 === 0 ? "n/a" : i + 1}`,
    );
    const options = {
      ...orders,
      rules: { ...orders.rules, customer_id: optional(text) },
      key: ["customer_id"],
    };
    const csv = file("twin.csv", `${header}${lines.join("\n")}\n`);
    const parquet = `${folder}/twin.parquet`;
    await warehouse.export(parquet, "SELECT * FROM read_csv($1, all_varchar = true)", [csv]);
    const fromCsv = await loadCsv(warehouse, csv, { ...options, table: "a" });
    const fromParquet = await loadParquet(warehouse, parquet, { ...options, table: "b" });
    expect(fromParquet.rows).toBe(150_000);
    expect(fromParquet.findings).toEqual(fromCsv.findings.map((found) => ({ ...found, file: parquet })));
    expect(
      await rows(
        "(SELECT * FROM a EXCEPT SELECT * FROM b) UNION ALL (SELECT * FROM b EXCEPT SELECT * FROM a)",
      ),
    ).toEqual([]);
    await expect(
      loadParquet(warehouse, parquet, { table: "c", rules: { customer_id: text } }),
    ).rejects.toThrow('the header must be customer_id; column "ordered_on" is not expected');
  });
});
