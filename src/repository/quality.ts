import { type ColumnTable, table } from "arquero";
import { DataError } from "../core/errors.js";

/** A value that broke a rule: the row was rejected, or the value was set to missing. */
export interface Finding {
  readonly file: string;
  /** Physical line of the file the row starts on, the header being line 1. For Parquet: number of the row. */
  readonly line: number;
  /** Name of the column; "" when the row as a whole is wrong. */
  readonly column: string;
  /** The value found, in quotes; personal values masked. */
  readonly found: string;
  /** What is allowed, in words that follow "must be". */
  readonly allowed: string;
  readonly action: "rejected" | "set to missing";
}

/** What one rule saw. */
export interface RuleCount {
  readonly column: string;
  readonly allowed: string;
  /** Values that follow the rule, repaired ones among them. */
  readonly accepted: number;
  readonly rejected: number;
  readonly repaired: number;
}

/** What happened to every row of a source. rows = accepted + rejected. */
export interface QualityReport {
  readonly file: string;
  readonly table: string;
  readonly rows: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly repaired: number;
  readonly blankLines: number;
  readonly rules: readonly RuleCount[];
  /** Every rejected value, and every value set to missing, in order of line and column. */
  readonly findings: readonly Finding[];
  /** A few lines of text for a reader. */
  summary(): string;
  /** The findings as a table: file, line, column, found, allowed, action. */
  toTable(): ColumnTable;
}

/** One finding as a sentence: `data/orders.csv: amount in line 2 must be a number above 0, got "n/a"`. */
export function describeFinding({ file, line, column, found, allowed }: Finding): string {
  return column === ""
    ? `${file}: line ${line} must be ${allowed}, got ${found}`
    : `${file}: ${column} in line ${line} must be ${allowed}, got ${found}`;
}

/** A value as a report may show it: cut at 40 characters; of a personal one only its length. */
export function shown(value: string, isPersonal: boolean): string {
  if (value === "") return "nothing";
  if (isPersonal) return `a personal value of ${value.length} characters`;
  const cut = value.length > 40 ? `${value.slice(0, 40)}...` : value;
  return JSON.stringify(Buffer.from(cut).toString()); // a copy: a slice would keep a megabyte of file alive
}

/** Adds the views of a report to its facts. */
export function qualityReport(facts: Omit<QualityReport, "summary" | "toTable">): QualityReport {
  return Object.freeze({
    ...facts,
    summary: () => summaryOf(facts),
    toTable: () => findingsTable(facts.findings),
  });
}

/**
 * Passes a report on, or fails on its first rejected row: for data that must be clean.
 * @throws DataError naming the first rejected value and how many there are.
 */
export function requireClean(report: QualityReport): QualityReport {
  const first = report.findings.find(({ action }) => action === "rejected");
  if (first === undefined) return report;
  const others = report.rejected === 1 ? "" : ` (the first of ${report.rejected} rejected rows)`;
  throw new DataError(`${describeFinding(first)}${others}`);
}

function summaryOf(facts: Omit<QualityReport, "summary" | "toTable">): string {
  const { file, rows, accepted, rejected, repaired, blankLines, rules, findings } = facts;
  const lines = [
    `${file}: ${rows} rows = ${accepted} accepted + ${rejected} rejected; ${repaired} values repaired`,
  ];
  if (blankLines > 0) lines.push(`  blank lines skipped: ${blankLines}`);
  for (const rule of rules) {
    if (rule.rejected > 0) lines.push(`  ${rule.column || "row"}: ${rule.rejected} not ${rule.allowed}`);
    if (rule.repaired > 0) lines.push(`  ${rule.column}: ${rule.repaired} repaired`);
  }
  const examples = findings.slice(0, 3).map((finding) => `  e.g. ${describeFinding(finding)}`);
  return [...lines, ...examples].join("\n");
}

function findingsTable(findings: readonly Finding[]): ColumnTable {
  return table({
    file: findings.map(({ file }) => file),
    line: Int32Array.from(findings, ({ line }) => line),
    column: findings.map(({ column }) => column),
    found: findings.map(({ found }) => found),
    allowed: findings.map(({ allowed }) => allowed),
    action: findings.map(({ action }) => action),
  });
}
