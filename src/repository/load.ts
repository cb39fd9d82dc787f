import { DataError } from "../core/errors.js";
import { type CsvFormat, type CsvTotals, readCsv, type TakeRecord } from "./csv.js";
import {
  describeFinding,
  type Finding,
  type QualityReport,
  qualityReport,
  type RuleCount,
  shown,
} from "./quality.js";
import type { ColumnRule, DecimalMark } from "./rules.js";
import { quoted } from "./sql.js";
import type { AppendRows, TableSchema, Warehouse } from "./warehouse.js";

/** Rules by column name: the file must have exactly these columns, in any order. */
export type ColumnRules = Readonly<Record<string, ColumnRule>>;

/** What to load, and how it is written. */
export interface LoadOptions extends CsvFormat {
  /** Name of the table to create or replace. */
  readonly table: string;
  /** One rule per column. */
  readonly rules: ColumnRules;
  /** Columns that together identify a row; of rows with the same key the first is accepted. */
  readonly key?: readonly string[];
  /** Character before the decimals of numbers and amounts. Default ".". */
  readonly decimal?: DecimalMark;
  /** Largest share of rows that may be rejected before the file as a whole is refused. Default 0.1. */
  readonly rejectLimit?: number;
}

/**
 * Loads a CSV file into a table of the warehouse and reports on every row: accepted, or rejected with file, line, column,
 * value and what is allowed. The table gets a column `source_line` beside those of the rules. Nothing is dropped in silence
 * and nothing is guessed. The table appears whole or not at all.
 * @throws DataError for a file that is not what the options say: see `readCsv`; a wrong header; no rows; more rejected
 * rows than the limit. RangeError for a limit outside [0, 1] or a key column without a rule.
 */
export async function loadCsv(
  warehouse: Warehouse,
  path: string,
  options: LoadOptions,
): Promise<QualityReport> {
  return loadRecords(warehouse, path, options, async (take) => readCsv(path, options, take));
}

/**
 * Loads a Parquet file whose columns are text, such as `writeSample` writes, by the same rules as `loadCsv`. The report
 * counts rows from 2 on, as if there were a header in line 1.
 * @throws DataError as `loadCsv`.
 */
export async function loadParquet(
  warehouse: Warehouse,
  path: string,
  options: LoadOptions,
): Promise<QualityReport> {
  return loadRecords(warehouse, path, options, async (take) => {
    const source = "SELECT * FROM read_parquet($1)";
    let line = 1;
    for await (const { rows, columns } of warehouse.stream(source, [path])) {
      const names = Object.keys(columns);
      const values = Object.values(columns);
      if (line === 1) take(names, line);
      for (let i = 0; i < rows; i++) {
        line++;
        take(
          values.map((column) => String(column[i] ?? "")),
          line,
        );
      }
    }
    if (line === 1) throw new DataError(`${path} has no rows`);
    return { records: line, blankLines: 0 };
  });
}

/** Hands out the records of a source, the header first. */
type ReadSource = (take: TakeRecord) => Promise<CsvTotals>;

async function loadRecords(
  warehouse: Warehouse,
  path: string,
  options: LoadOptions,
  read: ReadSource,
): Promise<QualityReport> {
  const { table, key = [], rejectLimit = 0.1 } = options;
  if (!(rejectLimit >= 0 && rejectLimit <= 1)) {
    throw new RangeError(`rejectLimit must be a share between 0 and 1, got ${rejectLimit}`);
  }
  const rules = await resolvedRules(warehouse, options.rules);
  const incoming = `${table}__incoming`;
  const intake = rowIntake(path, rules, options);
  let totals: CsvTotals | undefined;
  try {
    await warehouse.load(incoming, schemaOf(options.rules), async (append) => {
      intake.appendTo(append);
      totals = await read(intake.take);
      intake.flush();
    });
    const { records = 0, blankLines = 0 } = totals ?? {};
    if (records === 0) throw new DataError(`${path} is empty: it must have a header line and rows`);
    if (records === 1) throw new DataError(`${path} has a header but no rows`);
    const repeats = key.length === 0 ? [] : await findRepeats(warehouse, path, incoming, rules, key);
    const stored = await countRows(warehouse, incoming);
    const report = intake.report(table, records - 1, stored - repeats.length, blankLines, repeats, key);
    refuseIfTooMany(report, rejectLimit);
    await moveIntoPlace(warehouse, incoming, table, repeats);
    return report;
  } finally {
    await warehouse.run(`DROP TABLE IF EXISTS ${quoted(incoming)}`);
  }
}

/** A rule with what it needs at hand: where its values go, and which are known. */
interface ResolvedRule extends ColumnRule {
  readonly column: string;
  readonly stored: string;
}

/** Looks up the allowed values of the rules that refer to tables. */
async function resolvedRules(warehouse: Warehouse, rules: ColumnRules): Promise<readonly ResolvedRule[]> {
  const resolved: ResolvedRule[] = [];
  for (const [column, rule] of Object.entries(rules)) {
    const stored = storedName(column, rule);
    if (rule.references === undefined) {
      resolved.push({ ...rule, column, stored });
      continue;
    }
    const known = await knownValues(warehouse, rule.references.table, rule.references.column);
    const parse: ColumnRule["parse"] = (text, decimal) => {
      const value = rule.parse(text, decimal);
      return typeof value !== "string" || known.has(value) ? value : undefined;
    };
    resolved.push({ ...rule, parse, column, stored });
  }
  return resolved;
}

async function knownValues(
  warehouse: Warehouse,
  table: string,
  column: string,
): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  const rows = warehouse.stream(`SELECT DISTINCT ${quoted(column)} AS value FROM ${quoted(table)}`);
  for await (const { columns } of rows) {
    for (const value of columns["value"] ?? []) if (value !== null) known.add(String(value));
  }
  return known;
}

const storedName = (column: string, rule: ColumnRule): string => `${column}${rule.suffix ?? ""}`;

function schemaOf(rules: ColumnRules): TableSchema {
  const columns = Object.entries(rules).map(
    ([column, rule]) => [storedName(column, rule), rule.type] as const,
  );
  return { ...Object.fromEntries(columns), source_line: "integer" };
}

interface RowIntake {
  appendTo(append: AppendRows): void;
  readonly take: TakeRecord;
  flush(): void;
  report(
    table: string,
    rows: number,
    accepted: number,
    blankLines: number,
    repeats: readonly Finding[],
    key: readonly string[],
  ): QualityReport;
}

const batchRows = 16_384;

/** Reads records by the rules, passes the accepted ones on in batches, and keeps account of the rest. */
function rowIntake(path: string, rules: readonly ResolvedRule[], options: LoadOptions): RowIntake {
  const decimal = options.decimal ?? ".";
  const counts = rules.map(() => ({ accepted: 0, rejected: 0, repaired: 0 }));
  const findings: Finding[] = [];
  const batch: unknown[][] = [...rules.map(() => []), []];
  const row: unknown[] = rules.map(() => null);
  let places: readonly number[] | undefined; // where each rule's column stands in the file
  let append: AppendRows | undefined;
  let raggedRows = 0;
  let rejectedRows = 0;

  const flush = (): void => {
    append?.(batch);
    for (const column of batch) column.length = 0;
  };

  function find(line: number, rule: ResolvedRule, value: string, action: Finding["action"]): void {
    const found = shown(value, rule.personal ?? false);
    findings.push({ file: path, line, column: rule.column, found, allowed: rule.allowed, action });
  }

  function takeRow(fields: readonly string[], line: number, order: readonly number[]): void {
    if (fields.length !== order.length) {
      raggedRows++;
      rejectedRows++;
      const allowed = `${order.length} fields`;
      findings.push({ file: path, line, column: "", found: `${fields.length}`, allowed, action: "rejected" });
      return;
    }
    let isAccepted = true;
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i] as ResolvedRule;
      const count = counts[i] as (typeof counts)[number];
      const text = fields[order[i] as number] as string;
      const value = rule.parse(text, decimal);
      if (value !== undefined) {
        row[i] = value;
        count.accepted++;
        if (rule.repairs?.(text)) count.repaired++;
      } else if (rule.orMissing) {
        row[i] = null;
        count.accepted++;
        count.repaired++;
        find(line, rule, text, "set to missing");
      } else {
        isAccepted = false;
        count.rejected++;
        find(line, rule, text, "rejected");
      }
    }
    if (!isAccepted) {
      rejectedRows++;
      return;
    }
    for (let i = 0; i < rules.length; i++) (batch[i] as unknown[]).push(row[i]);
    (batch[rules.length] as unknown[]).push(line);
    if ((batch[0] as unknown[]).length >= batchRows) flush();
  }

  return {
    appendTo(to) {
      append = to;
    },
    take(fields, line) {
      if (places === undefined) places = headerPlaces(path, rules, fields, options.delimiter ?? ",");
      else takeRow(fields, line, places);
    },
    flush,
    report(table, rows, accepted, blankLines, repeats, key) {
      const rejected = rejectedRows + repeats.length;
      if (rows !== accepted + rejected) {
        throw new DataError(
          `${path}: ${rows} rows were read, but ${accepted} accepted and ${rejected} rejected: rows must not get lost`,
        );
      }
      const ruleCounts: RuleCount[] = rules.map(({ column, allowed }, i) => ({
        column,
        allowed,
        ...(counts[i] as (typeof counts)[number]),
      }));
      const whole = (allowed: string, rejects: number): RuleCount[] =>
        rejects === 0
          ? []
          : [{ column: "", allowed, accepted: rows - rejects, rejected: rejects, repaired: 0 }];
      return qualityReport({
        file: path,
        table,
        rows,
        accepted,
        rejected,
        repaired: counts.reduce((sum, count) => sum + count.repaired, 0),
        blankLines,
        rules: [
          ...ruleCounts,
          ...whole(`${rules.length} fields`, raggedRows),
          ...whole(`the first with its ${key.join(", ")}`, repeats.length),
        ],
        findings: [...findings, ...repeats].sort((a, b) => a.line - b.line), // stable: columns stay in order
      });
    },
  };
}

/** Place of each rule's column in the file. @throws DataError if the header is not exactly the rules' columns. */
function headerPlaces(
  path: string,
  rules: readonly ResolvedRule[],
  header: readonly string[],
  delimiter: string,
): readonly number[] {
  const expected = rules.map(({ column }) => column);
  const extra = header.filter((name) => !expected.includes(name));
  const missing = expected.filter((name) => !header.includes(name));
  const twice = header.filter((name, i) => header.indexOf(name) !== i);
  const problems: string[] = [];
  const other = [",", ";", "\t", "|"].find(
    (mark) => mark !== delimiter && header.length === 1 && header[0]?.includes(mark),
  );
  if (other !== undefined && expected.length > 1) {
    problems.push(
      `fields seem to be separated by ${JSON.stringify(other)}: pass delimiter: ${JSON.stringify(other)}`,
    );
  } else if (missing.length === expected.length && !extra.some((name) => nearest(name, missing))) {
    problems.push("the first line has none of these names (not shown: it may be a row of data)");
  } else {
    for (const name of extra) {
      const near = nearest(name, missing);
      problems.push(`column ${JSON.stringify(name)} is not expected${near ? `: did you mean ${near}?` : ""}`);
    }
    for (const name of missing) problems.push(`column ${name} is missing`);
    for (const name of new Set(twice)) problems.push(`column ${name} appears twice`);
  }
  if (problems.length > 0) {
    throw new DataError(`${path}: the header must be ${expected.join(delimiter)}; ${problems.join("; ")}`);
  }
  return expected.map((name) => header.indexOf(name));
}

/** The candidate that differs from a name in case, blanks or at most two letters. */
function nearest(name: string, candidates: readonly string[]): string | undefined {
  const plain = (value: string): string => value.trim().toLowerCase().replaceAll(/[ -]/g, "_");
  return candidates.find((candidate) => editDistance(plain(name), plain(candidate)) <= 2);
}

/** Least number of letters to insert, delete or replace. @see Levenshtein (1966). */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[j] as number) + 1, (current[j - 1] as number) + 1));
    }
    previous = current;
  }
  return previous[b.length] as number;
}

/** Rows whose key a row before them has. */
async function findRepeats(
  warehouse: Warehouse,
  path: string,
  incoming: string,
  rules: readonly ResolvedRule[],
  key: readonly string[],
): Promise<Finding[]> {
  const keyRules = key.map((name) => {
    const rule = rules.find(({ column }) => column === name);
    if (rule === undefined) throw new RangeError(`key column ${name} has no rule`);
    return rule;
  });
  const names = keyRules.map(({ stored }) => quoted(stored)).join(", ");
  const matches = keyRules
    .map(({ stored }) => `repeated.${quoted(stored)} = incoming.${quoted(stored)}`)
    .join(" AND ");
  const repeats = await warehouse.query(`
    SELECT incoming.source_line AS line, repeated.first_line AS first_line
    FROM ${quoted(incoming)} AS incoming
    JOIN (
      SELECT ${names}, MIN(source_line) AS first_line FROM ${quoted(incoming)} GROUP BY ${names} HAVING COUNT(*) > 1
    ) AS repeated ON ${matches}
    WHERE incoming.source_line > repeated.first_line
    ORDER BY line`);
  const lines = repeats.array("line") as ArrayLike<number>;
  const firstLines = repeats.array("first_line") as ArrayLike<number>;
  return Array.from(lines, (line, i) => ({
    file: path,
    line,
    column: "",
    found: `a repeat of line ${firstLines[i]}`,
    allowed: `the first with its ${key.join(", ")}`,
    action: "rejected" as const,
  }));
}

async function countRows(warehouse: Warehouse, table: string): Promise<number> {
  const counted = await warehouse.query(`SELECT COUNT(*) AS row_count FROM ${quoted(table)}`);
  return counted.get("row_count", 0) as number;
}

/** Takes the repeats out of the loaded rows and gives them the name of the table. */
async function moveIntoPlace(
  warehouse: Warehouse,
  incoming: string,
  table: string,
  repeats: readonly Finding[],
): Promise<void> {
  if (repeats.length > 0) {
    const dropped = `${incoming}_repeats`;
    await warehouse.writeTable(dropped, { line: Int32Array.from(repeats, ({ line }) => line) });
    await warehouse.run(
      `DELETE FROM ${quoted(incoming)} WHERE source_line IN (SELECT line FROM ${quoted(dropped)})`,
    );
    await warehouse.run(`DROP TABLE ${quoted(dropped)}`);
  }
  await warehouse.rename(incoming, table);
}

function refuseIfTooMany(report: QualityReport, limit: number): void {
  if (report.rejected <= limit * report.rows) return;
  const first = report.findings.find(({ action }) => action === "rejected");
  const share = ((100 * report.rejected) / report.rows).toFixed(1);
  throw new DataError(
    `${report.file}: ${report.rejected} of ${report.rows} rows (${share}%) break a rule, more than rejectLimit ${limit} allows; the first: ${first ? describeFinding(first) : "none"}`,
  );
}
