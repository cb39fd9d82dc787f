import { type ColumnTable, table } from "arquero";
import { expect, it } from "vitest";
import { quantileType7, total } from "../../src/numeric/quantile.js";
import { gini, revenueDeciles } from "../../src/segmentation/concentration.js";
import { type RfmScores, rfmTable, scoreRfm } from "../../src/segmentation/rfm.js";
import {
  type Block,
  block,
  keyLike,
  numbers,
  type ReferenceCase,
  referenceTable,
  toleranceOf,
} from "./case.js";

/** Holds RFM tables, scores under both conventions, quantiles, deciles and Gini to one `rfm_` case. */
export function runRfmCase(reference: ReferenceCase): void {
  const result = block(reference.content["result"]);
  const near = toleranceOf(reference.tolerance["values"]);
  const sample = block(result["customers"]);
  const idKey = Object.keys(sample)[0] ?? "id";
  const { orders, customer } = readOrders(reference, result, idKey);
  const analysisDate = String(result["analysis_date"]);
  const customers = rfmTable(orders, { analysisDate, customer, date: "date", amount: "amount" });
  const rowOf = new Map((customers.array(customer) as unknown[]).map((id, row) => [String(id), row]));
  const rows = (sample[idKey] as unknown[]).map((id) => rowOf.get(String(id)) ?? -1);
  const sampled = (from: ColumnTable, column: string): number[] =>
    rows.map((row) => from.get(column, row) as number);

  it("counts customers and sums their spend", () => {
    if ("n_customers" in result) expect(customers.numRows()).toBe(result["n_customers"]);
    if ("sum_amount" in result) close(total(columnOf(customers, "monetary")), result["sum_amount"], near);
  });

  it("gives the sampled customers the peer's recency, frequency and spend", () => {
    const listed = Object.entries(sample).filter(([key]) => key !== idKey);
    expect(listed.length).toBeGreaterThan(0);
    for (const [key, values] of listed) allClose(sampled(customers, measureOf(key)), numbers(values), near);
  });

  it("reproduces the type 7 quantiles", () => {
    for (const [key, values] of Object.entries(block(result["quantiles_type7"]))) {
      const sorted = columnOf(customers, measureOf(key)).sort();
      const cuts = numbers(values).map((_, index, all) =>
        quantileType7(sorted, (index + 1) / (all.length + 1)),
      );
      allClose(cuts, numbers(values), near);
    }
  });

  it("reproduces the revenue deciles and the Gini coefficient", () => {
    const monetary = columnOf(customers, "monetary");
    const deciles = numbers(result["deciles_of_revenue_share"]);
    if (deciles.length > 0) {
      allClose(
        [...columnOf(revenueDeciles(monetary, { groups: deciles.length }), "revenue_share")],
        deciles,
        near,
      );
    }
    if ("gini" in result) close(gini(monetary), result["gini"], near);
  });

  const boundKey = keyLike(result, /rfm/);
  if (boundKey) {
    it(`scores by quantile bounds like ${boundKey}`, () => {
      const peer = block(result[boundKey]);
      const scores = scoreRfm(customers, { convention: "quantile-bounds", bins: binsOf(peer) });
      holdsScores(scores, peer, sampled);
      for (const [index, thresholds] of ((peer["thresholds"] ?? []) as Block[]).entries()) {
        for (const [name, value] of Object.entries(thresholds))
          close(scores.thresholds.get(name, index), value, near);
      }
    });
  }

  const rankKey = keyLike(result, /ntile/);
  if (rankKey) {
    it(`scores by ntile like ${rankKey}`, () => {
      const peer = block(result[rankKey]);
      holdsScores(
        scoreRfm(customers, { convention: "ntile", bins: binsOf(peer), tiesBy: customer }),
        peer,
        sampled,
      );
    });
  }
}

/** Scores are exact under the named convention: the sampled customers', and how many customers have each. */
function holdsScores(
  scores: RfmScores,
  peer: Block,
  sampled: (from: ColumnTable, column: string) => number[],
): void {
  for (const [column, pattern] of [
    ["r", /^r/],
    ["f", /^f/],
    ["m", /^m/],
  ] as const) {
    const key = keyLike(peer, pattern);
    expect(key).toBeDefined();
    expect(sampled(scores.table, column)).toEqual(peer[key ?? ""]);
  }
  const counted: Record<string, number> = {};
  for (const score of columnOf(scores.table, "score"))
    counted[String(score)] = (counted[String(score)] ?? 0) + 1;
  expect(counted).toEqual(peer[keyLike(peer, /count/) ?? ""]);
}

/** As many bins as thresholds, or as the best score that anybody has. */
function binsOf(peer: Block): number {
  const thresholds = (peer["thresholds"] ?? []) as Block[];
  const scores = Object.keys(block(peer[keyLike(peer, /count/) ?? ""])).flatMap((score) =>
    Array.from(score, Number),
  );
  return thresholds.length || Math.max(...scores);
}

/** Which of our columns a case's key speaks of. */
function measureOf(key: string): "recency_days" | "frequency" | "monetary" {
  if (/^rec/.test(key)) return "recency_days";
  return /freq|trans|count|orders|^n/.test(key) ? "frequency" : "monetary";
}

/**
 * Order rows of the case's data. The columns are found by what they hold: the customer column has the listed customers
 * and as many distinct values as the case counts (its own key first), the date column holds days, the money column is
 * the numeric one with the case's sum (a name that says so first).
 */
function readOrders(
  reference: ReferenceCase,
  result: Block,
  idKey: string,
): { orders: ColumnTable; customer: string } {
  const ids = (block(result["customers"])[idKey] as unknown[]).map(String);
  for (const file of reference.data) {
    const { header, rows } = referenceTable(file);
    const column = (name: string): string[] => rows.map((row) => row[header.indexOf(name)] ?? "");
    const preferred = (...patterns: readonly RegExp[]): readonly string[] =>
      [...header].sort((a, b) => rank(a, patterns) - rank(b, patterns));

    const date = preferred(/date|day/i).find((name) =>
      column(name).every((text) => isoOf(text) !== undefined),
    );
    const customer = preferred(
      new RegExp(`^${idKey}$`),
      /^(customer|cust|client)(_?id|_?key)?$/i,
      /id$/i,
    ).find((name) => {
      const distinct = new Set(column(name));
      return (
        ids.every((id) => distinct.has(id)) && distinct.size === (result["n_customers"] ?? distinct.size)
      );
    });
    const money = preferred(/amount|revenue|spend|sales|price/i).find((name) => {
      if (name === date || name === customer) return false;
      const sum = total(column(name).map(Number));
      return "sum_amount" in result
        ? Math.abs(sum - (result["sum_amount"] as number)) < 0.005
        : Number.isFinite(sum);
    });
    if (!date || !customer || !money) continue;
    const numericIds = column(customer).every(
      (text) => /^-?\d{1,15}$/.test(text) && String(Number(text)) === text,
    );
    return {
      customer,
      orders: table({
        [customer]: numericIds ? column(customer).map(Number) : column(customer),
        date: column(date).map((text) => isoOf(text) ?? text),
        amount: column(money).map(Number),
      }),
    };
  }
  throw new Error(
    `${reference.name}: none of ${reference.data.join(", ")} has a customer, a date and a money column of this case`,
  );
}

const rank = (name: string, patterns: readonly RegExp[]): number => {
  const found = patterns.findIndex((pattern) => pattern.test(name));
  return found === -1 ? patterns.length : found;
};

/** "1997-01-18", "19970118", "1997/01/18" or a time stamp as ISO day. */
function isoOf(text: string): string | undefined {
  const [, year, month, day] = /^(\d{4})[-/]?(\d{2})[-/]?(\d{2})(?:[T ].*)?$/.exec(text) ?? [];
  const iso = `${year}-${month}-${day}`;
  return Number.isNaN(Date.parse(iso)) ? undefined : iso;
}

const columnOf = (from: ColumnTable, name: string): Float64Array =>
  Float64Array.from(from.array(name) as number[]);

/** Equal to the case's tolerance, relative to numbers above 1. */
function close(actual: unknown, expected: unknown, tolerance: number): void {
  const [ours, peers] = [actual as number, expected as number];
  expect(Math.abs(ours - peers), `${ours} against ${peers}`).toBeLessThanOrEqual(
    tolerance * Math.max(1, Math.abs(peers)),
  );
}

function allClose(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  for (const [index, value] of actual.entries()) close(value, expected[index], tolerance);
}
