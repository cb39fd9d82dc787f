import { expect } from "vitest";
import { duckDbDialect } from "../../src/repository/dialect.js";
import type { Mart } from "../../src/repository/marts.js";
import type { Warehouse } from "../../src/repository/warehouse.js";

const TYPES: Readonly<Record<string, string>> = { INTEGER: "integer", BIGINT: "bigint", VARCHAR: "text" };

/** A mart has the columns that it says, in SQL that means the same on every engine: sums and differences have a stated type. */
export async function expectConformance(warehouse: Warehouse, mart: Mart): Promise<void> {
  const sql = mart.sql(duckDbDialect).replaceAll(/CAST\((date_diff|SUM)\(/g, "");
  expect(sql).not.toMatch(
    /GROUP BY ALL|QUALIFY|INTERVAL|date_diff|ROUND\(|AVG\(|\bSUM\(|LEAD\(|LAG\(|hash\(|\/|SELECT \*/i,
  );
  const described = await warehouse.query(
    `SELECT column_name AS c, column_type AS t FROM (DESCRIBE ${mart.name})`,
  );
  const stored = described.objects() as { c: string; t: string }[];
  expect(Object.fromEntries(stored.map(({ c, t }) => [c, TYPES[t]]))).toEqual(mart.columns);
}
