import { join } from "node:path";
import { loadCsv, loadParquet } from "../repository/load.js";
import type { QualityReport } from "../repository/quality.js";
import {
  dayBetween,
  integerBetween,
  number,
  optional,
  positiveEuros,
  references,
} from "../repository/rules.js";
import { loadSources, type SourceReports } from "../repository/sources.js";
import type { Warehouse } from "../repository/warehouse.js";
import { brenkamp } from "./parameters.js";

const period = { first: brenkamp.firstDay, last: brenkamp.lastDay };

/**
 * Loads the sources of Brenkamp Coffee from a folder that `writeSample` or `writeCompany` wrote, such as `data/brenkamp`.
 * @throws DataError as `loadCsv`.
 */
export const loadCompany = (
  warehouse: Warehouse,
  folder: string,
  format: "csv" | "parquet" = "csv",
): Promise<SourceReports> => loadSources(warehouse, folder, period, format);

/**
 * Loads what no company knows about its customers, into the table `truth`: to compare an estimate with the truth. Call
 * `loadCompany` first.
 * @throws DataError as `loadCsv`.
 */
export function loadTruth(
  warehouse: Warehouse,
  folder: string,
  format: "csv" | "parquet" = "csv",
): Promise<QualityReport> {
  const load = format === "csv" ? loadCsv : loadParquet;
  return load(warehouse, join(folder, `truth.${format}`), {
    table: "truth",
    key: ["customer_id"],
    rules: {
      customer_id: references("customers", "customer_id"),
      acquisition_channel: references("channels", "channel_id"),
      purchase_rate: number,
      lapse_rate: number,
      lapsed_on: optional(dayBetween(period.first, period.last)),
      mean_budget: positiveEuros,
      orders: integerBetween(1, 10_000),
    },
  });
}
