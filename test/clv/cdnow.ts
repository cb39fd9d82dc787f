import { existsSync } from "node:fs";
import { join } from "node:path";
import { type ColumnTable, table } from "arquero";
import { referenceDir, referenceTable } from "../reference/case.js";

const summaryFile = "cdnow_cbs.csv";
const logFile = "cdnow_sample.csv";

/** Whether CDNOW's 2,357 customers are among the reference data, and what a test says that is left out otherwise. */
export const hasCdnow = existsSync(join(referenceDir, "data", summaryFile));
export const cdnowSkip = hasCdnow ? "" : ` (skipped: no ${summaryFile} in ${referenceDir})`;

/** One row per purchase: customer_key, ordered_on, amount; of the sample, or of all 23,570 customers. */
export function cdnowLog(file: "cdnow_sample.csv" | "cdnow_master.csv" = logFile): ColumnTable {
  const { header, rows } = referenceTable(file);
  const column = (name: string): string[] => rows.map((row) => row[header.indexOf(name)] ?? "");
  return table({
    customer_key: column("id").map(Number),
    ordered_on: column("date"),
    amount: column("amount").map(Number),
  });
}

/**
 * Calibration 1997-01-01 to 1997-09-30 and holdout to 1998-06-30, in weeks; customers in the order of their numbers in the
 * master file of 23,570 customers.
 */
export function cdnowSummary(): ColumnTable {
  const { header, rows } = referenceTable(summaryFile);
  const log = referenceTable(logFile);
  const [master, id] = [log.header.indexOf("master_id"), log.header.indexOf("id")];
  const masterOf = new Map(log.rows.map((row) => [row[id], Number(row[master])]));
  const place = (row: readonly string[]): number => masterOf.get(row[header.indexOf("cust")]) ?? Number.NaN;
  const ordered = [...rows].sort((p, q) => place(p) - place(q));
  const column = (name: string): number[] => ordered.map((row) => Number(row[header.indexOf(name)]));
  return table({
    x: column("x"),
    recency: column("t.x"),
    age: column("T.cal"),
    log_intervals: column("litt"),
    holdout_x: column("x.star"),
  });
}
