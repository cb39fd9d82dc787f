import { join } from "node:path";
import { type ColumnRules, loadCsv, loadParquet } from "./load.js";
import type { QualityReport } from "./quality.js";
import {
  dayBetween,
  email,
  euros,
  integerBetween,
  nonZeroInteger,
  oneOf,
  optional,
  orMissing,
  personal,
  positiveEuros,
  references,
  text,
} from "./rules.js";
import type { Warehouse } from "./warehouse.js";

/** The sources a customer repository is built from, in the order they are loaded. */
export const sourceTables = ["regions", "channels", "products", "customers", "orders"] as const;

/** Name of a source table. */
export type SourceTable = (typeof sourceTables)[number];

/** First and last day that a date of the sources may have, written 2024-12-31. */
export interface Period {
  readonly first: string;
  readonly last: string;
}

/** One rule per column of every source, and the key of its rows. */
export function sourceRules({
  first,
  last,
}: Period): Readonly<Record<SourceTable, { readonly rules: ColumnRules; readonly key: readonly string[] }>> {
  const day = dayBetween(first, last);
  return {
    regions: { key: ["region_id"], rules: { region_id: text, name: text, country: text } },
    channels: {
      key: ["channel_id"],
      rules: {
        channel_id: text,
        name: text,
        kind: oneOf("acquisition", "sales"),
        acquisition_cost: optional(euros),
      },
    },
    products: {
      key: ["product_id"],
      rules: {
        product_id: text,
        name: text,
        category: text,
        list_price: positiveEuros,
        unit_cost: positiveEuros,
      },
    },
    customers: {
      key: ["customer_id"],
      rules: {
        customer_id: text,
        source: oneOf("web", "store", "phone"),
        name: personal(text),
        email: optional(email),
        birth_year: orMissing(optional(integerBetween(1900, 2020), "n/a")),
        region: optional(references("regions", "region_id")),
        acquisition_channel: references("channels", "channel_id"),
        registered_on: day,
      },
    },
    orders: {
      key: ["order_id", "line_no"],
      rules: {
        order_id: text,
        line_no: integerBetween(1, 9999),
        customer_id: references("customers", "customer_id"),
        ordered_on: day,
        sales_channel: references("channels", "channel_id"),
        product_id: references("products", "product_id"),
        quantity: nonZeroInteger,
        unit_price: positiveEuros,
        amount: euros,
        returned_order_id: optional(text),
      },
    },
  };
}

/** Reports by source table. */
export type SourceReports = Readonly<Record<SourceTable, QualityReport>>;

/**
 * Loads `regions`, `channels`, `products`, `customers` and `orders` from a folder of files of those names into tables of
 * those names, by `sourceRules`.
 * @throws DataError as `loadCsv`.
 */
export async function loadSources(
  warehouse: Warehouse,
  folder: string,
  period: Period,
  format: "csv" | "parquet" = "csv",
): Promise<SourceReports> {
  const rules = sourceRules(period);
  const load = format === "csv" ? loadCsv : loadParquet;
  const one = (table: SourceTable): Promise<QualityReport> =>
    load(warehouse, join(folder, `${table}.${format}`), { table, ...rules[table] });
  return {
    regions: await one("regions"), // one after the other: later sources refer to earlier ones
    channels: await one("channels"),
    products: await one("products"),
    customers: await one("customers"),
    orders: await one("orders"),
  };
}
