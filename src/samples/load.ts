import { join } from "node:path";
import { type LoadOptions, loadCsv, loadParquet } from "../repository/load.js";
import type { QualityReport } from "../repository/quality.js";
import {
  dayBetween,
  integerBetween,
  monthBetween,
  nonNegativeEuros,
  number,
  optional,
  positiveEuros,
  references,
} from "../repository/rules.js";
import {
  type ActivityReports,
  loadActivities,
  loadProgrammes,
  loadSources,
  type ProgrammeReports,
  type SourceReports,
} from "../repository/sources.js";
import type { Warehouse } from "../repository/warehouse.js";
import { brenkamp } from "./parameters.js";
import { longestLife } from "./subscription.js";

const period = { first: brenkamp.firstDay, last: brenkamp.lastDay };

/**
 * Loads the sources of Brenkamp Coffee, of its subscription and its club, and of its service, acquisition and retention
 * offers from a folder that `writeSample` or `writeCompany` wrote, such as `data/brenkamp`.
 * @throws DataError as `loadCsv`; a company of a few customers may have no subscription or no member, which is an error.
 */
export async function loadCompany(
  warehouse: Warehouse,
  folder: string,
  format: "csv" | "parquet" = "csv",
): Promise<SourceReports & ProgrammeReports & ActivityReports> {
  return {
    ...(await loadSources(warehouse, folder, period, format)), // one after the other: later sources refer to earlier ones
    ...(await loadProgrammes(warehouse, folder, period, format)),
    ...(await loadActivities(warehouse, folder, period, format)),
  };
}

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
  return loadTruthOf(warehouse, folder, format, {
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

/**
 * Loads what no company knows about its subscribers, into the table `subscription_truth`: each one's chance to leave at a
 * renewal, and the renewals made until the end, also those after the last day of the data. Call `loadCompany` first.
 * @throws DataError as `loadCsv`.
 */
export function loadSubscriptionTruth(
  warehouse: Warehouse,
  folder: string,
  format: "csv" | "parquet" = "csv",
): Promise<QualityReport> {
  return loadTruthOf(warehouse, folder, format, {
    table: "subscription_truth",
    key: ["subscription_id"],
    rules: {
      subscription_id: references("subscriptions", "subscription_id"),
      churn_probability: number,
      renewals: integerBetween(0, longestLife),
    },
  });
}

/**
 * Loads what no company knows about the members of the club, into the table `club_truth`: each one's chances to take an
 * offer and to lose interest, and when that happened. Call `loadCompany` first.
 * @throws DataError as `loadCsv`.
 */
export function loadClubTruth(
  warehouse: Warehouse,
  folder: string,
  format: "csv" | "parquet" = "csv",
): Promise<QualityReport> {
  return loadTruthOf(warehouse, folder, format, {
    table: "club_truth",
    key: ["customer_id"],
    rules: {
      customer_id: references("club_members", "customer_id"),
      taking_probability: number,
      leaving_probability: number,
      left_month: optional(monthBetween(period.first, period.last)),
    },
  });
}

/**
 * Loads what no company knows about the subscribers of the experiment, into the table `retention_trial_truth`: whether each
 * would have renewed without an offer, and the least offer at which each renews. Call `loadCompany` first.
 * @throws DataError as `loadCsv`.
 */
export function loadRetentionTrialTruth(
  warehouse: Warehouse,
  folder: string,
  format: "csv" | "parquet" = "csv",
): Promise<QualityReport> {
  return loadTruthOf(warehouse, folder, format, {
    table: "retention_trial_truth",
    key: ["subscription_id"],
    rules: {
      subscription_id: references("retention_trial", "subscription_id"),
      renewed_without: integerBetween(0, 1),
      least_offer: optional(nonNegativeEuros),
    },
  });
}

const loadTruthOf = (
  warehouse: Warehouse,
  folder: string,
  format: "csv" | "parquet",
  options: LoadOptions,
): Promise<QualityReport> =>
  (format === "csv" ? loadCsv : loadParquet)(warehouse, join(folder, `${options.table}.${format}`), options);
