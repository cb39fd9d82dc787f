import { join } from "node:path";
import { type ColumnRules, loadCsv, loadParquet } from "./load.js";
import { type QualityReport, qualityReport, shown } from "./quality.js";
import {
  dayBetween,
  email,
  euros,
  integerBetween,
  isoDate,
  monthBetween,
  nonNegativeEuros,
  nonZeroInteger,
  oneOf,
  optional,
  orMissing,
  personal,
  positiveEuros,
  references,
  text,
} from "./rules.js";
import { quoted } from "./sql.js";
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

/** The sources of the customer programmes, a subscription and a club, in the order they are loaded. */
export const programmeTables = ["subscriptions", "club_lots", "club_members", "club"] as const;

/** Name of a source table of the customer programmes. */
export type ProgrammeTable = (typeof programmeTables)[number];

/** A rule on what the values of a row say together. */
export interface RowRule {
  /** Column that the report names. */
  readonly column: string;
  /** What is allowed, in words that follow "must be". */
  readonly allowed: string;
  /** Query for the loaded rows that break the rule: `line`, their source_line, and `found`, the value of the column. */
  readonly broken: string;
}

/** Rules of one source: one a column, on rows as a whole, and the key. */
export interface TableRules {
  readonly rules: ColumnRules;
  /** Columns that together identify a row. */
  readonly key: readonly string[];
  readonly rowRules: readonly RowRule[];
}

/** Rules of the sources of the customer programmes. */
export function programmeRules({ first, last }: Period): Readonly<Record<ProgrammeTable, TableRules>> {
  const day = dayBetween(first, last);
  const month = monthBetween(first, last);
  return {
    subscriptions: {
      key: ["subscription_id"],
      rules: {
        subscription_id: text,
        customer_id: references("customers", "customer_id"),
        plan: oneOf("Small", "Large"),
        started_on: day,
        ended_on: optional(day),
        end_reason: optional(oneOf("cancelled", "payment_failed")),
        monthly_fee: positiveEuros,
      },
      rowRules: [
        {
          column: "ended_on",
          allowed: "a day after started_on",
          broken:
            "SELECT source_line AS line, ended_on AS found FROM subscriptions WHERE ended_on <= started_on",
        },
        {
          column: "end_reason",
          allowed: "empty while the subscription runs",
          broken: `SELECT source_line AS line, end_reason AS found FROM subscriptions
            WHERE ended_on IS NULL AND end_reason IS NOT NULL`,
        },
      ],
    },
    club_lots: { key: ["month"], rules: { month, lot: text, price: positiveEuros }, rowRules: [] },
    club_members: {
      key: ["customer_id"],
      rules: { customer_id: references("customers", "customer_id"), joined_month: month },
      rowRules: [],
    },
    club: {
      key: ["customer_id", "month"],
      rules: { customer_id: references("club_members", "customer_id"), month },
      rowRules: [
        {
          column: "month",
          allowed: "a month after joined_month of table club_members",
          broken: `SELECT club.source_line AS line, club.month AS found FROM club
            JOIN club_members AS member ON member.customer_id = club.customer_id WHERE club.month <= member.joined_month`,
        },
        {
          column: "month",
          allowed: "a month of table club_lots",
          broken: `SELECT club.source_line AS line, club.month AS found FROM club
            LEFT JOIN club_lots AS lot ON lot.month = club.month WHERE lot.month IS NULL`,
        },
      ],
    },
  };
}

/** Reports by source table of the customer programmes. */
export type ProgrammeReports = Readonly<Record<ProgrammeTable, QualityReport>>;

/**
 * Loads `subscriptions`, `club_lots`, `club_members` and `club` from a folder of files of those names into tables of those
 * names, by `programmeRules`. Call `loadSources` first: they refer to `customers`.
 * @throws DataError as `loadCsv`.
 */
export async function loadProgrammes(
  warehouse: Warehouse,
  folder: string,
  period: Period,
  format: "csv" | "parquet" = "csv",
): Promise<ProgrammeReports> {
  const rules = programmeRules(period);
  const one = (table: ProgrammeTable): Promise<QualityReport> =>
    loadChecked(warehouse, folder, format, table, rules[table]);
  return {
    subscriptions: await one("subscriptions"),
    club_lots: await one("club_lots"),
    club_members: await one("club_members"), // one after the other: the offers taken refer to lots and members
    club: await one("club"),
  };
}

/** The sources on what the company does about its customers: service, acquisition and offers to stay. */
export const activityTables = ["contacts", "acquisition_spend", "retention_trial"] as const;

/** Name of a source table of the company's activities. */
export type ActivityTable = (typeof activityTables)[number];

/**
 * Rules of the sources of the company's activities. `contacts`: a subscriber gets in touch with the service.
 * `acquisition_spend`: EUR spent by month, acquisition channel and region. `retention_trial`: a running subscription is
 * assigned an offer to stay, EUR 0 in the control group, and is renewed (1) or not (0).
 */
export function activityRules({ first, last }: Period): Readonly<Record<ActivityTable, TableRules>> {
  return {
    contacts: {
      key: ["contact_id"],
      rules: {
        contact_id: text,
        customer_id: references("subscriptions", "customer_id"),
        contacted_on: dayBetween(first, last),
        channel: oneOf("phone", "email", "chat"),
        reason: oneOf("complaint", "question", "billing"),
      },
      rowRules: [
        {
          column: "contacted_on",
          allowed: "a day from started_on of the customer's first subscription on",
          broken: `SELECT contact.source_line AS line, contact.contacted_on AS found FROM contacts AS contact
            JOIN (SELECT customer_id, MIN(started_on) AS started_on FROM subscriptions GROUP BY customer_id) AS subscriber
            ON subscriber.customer_id = contact.customer_id WHERE contact.contacted_on < subscriber.started_on`,
        },
      ],
    },
    acquisition_spend: {
      key: ["month", "acquisition_channel", "region"],
      rules: {
        month: monthBetween(first, last),
        acquisition_channel: references("channels", "channel_id"),
        region: references("regions", "region_id"),
        spend: nonNegativeEuros,
      },
      rowRules: [],
    },
    retention_trial: {
      key: ["subscription_id"],
      rules: {
        subscription_id: references("subscriptions", "subscription_id"),
        assigned_on: isoDate, // may be after the period: a trial comes after the data that chose its customers
        offer_value: nonNegativeEuros,
        renewed: integerBetween(0, 1),
      },
      rowRules: [
        {
          column: "assigned_on",
          allowed: "a day on which the subscription runs",
          broken: `SELECT trial.source_line AS line, trial.assigned_on AS found FROM retention_trial AS trial
            JOIN subscriptions AS subscription ON subscription.subscription_id = trial.subscription_id
            WHERE trial.assigned_on < subscription.started_on OR trial.assigned_on >= subscription.ended_on`,
        },
      ],
    },
  };
}

/** Reports by source table of the company's activities. */
export type ActivityReports = Readonly<Record<ActivityTable, QualityReport>>;

/**
 * Loads `contacts`, `acquisition_spend` and `retention_trial` from a folder of files of those names into tables of those
 * names, by `activityRules`. Call `loadSources` and `loadProgrammes` first: they refer to channels, regions and
 * subscriptions.
 * @throws DataError as `loadCsv`.
 */
export async function loadActivities(
  warehouse: Warehouse,
  folder: string,
  period: Period,
  format: "csv" | "parquet" = "csv",
): Promise<ActivityReports> {
  const rules = activityRules(period);
  const one = (table: ActivityTable): Promise<QualityReport> =>
    loadChecked(warehouse, folder, format, table, rules[table]);
  return {
    contacts: await one("contacts"),
    acquisition_spend: await one("acquisition_spend"),
    retention_trial: await one("retention_trial"),
  };
}

/**
 * Loads one source of the folder, the file of the table's name, by its rules on columns, then by those on whole rows.
 * @throws DataError as `loadCsv`.
 */
export async function loadChecked(
  warehouse: Warehouse,
  folder: string,
  format: "csv" | "parquet",
  table: string,
  { rules, key, rowRules }: TableRules,
): Promise<QualityReport> {
  const load = format === "csv" ? loadCsv : loadParquet;
  const report = await load(warehouse, join(folder, `${table}.${format}`), { table, rules, key });
  return rejectRows(warehouse, report, rowRules);
}

/** Takes the rows that break a rule on whole rows out of a loaded table, and adds them to its report. */
async function rejectRows(
  warehouse: Warehouse,
  report: QualityReport,
  rowRules: readonly RowRule[],
): Promise<QualityReport> {
  let { accepted, rejected } = report;
  const rules = [...report.rules];
  const findings = [...report.findings];
  for (const { column, allowed, broken } of rowRules) {
    const rows = await warehouse.query(`SELECT line, found FROM (${broken}) AS broken ORDER BY line`);
    await warehouse.run(
      `DELETE FROM ${quoted(report.table)} WHERE source_line IN (SELECT line FROM (${broken}) AS broken)`,
    );
    for (const { line, found } of rows.objects() as { line: number; found: string }[]) {
      const { file } = report;
      findings.push({ file, line, column, found: shown(found, false), allowed, action: "rejected" });
    }
    accepted -= rows.numRows();
    rejected += rows.numRows();
    rules.push({ column, allowed, accepted, rejected: rows.numRows(), repaired: 0 });
  }
  findings.sort((a, b) => a.line - b.line); // stable: columns stay in order
  return qualityReport({ ...report, accepted, rejected, rules, findings });
}
