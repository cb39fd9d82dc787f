import { join } from "node:path";
import { decimalText } from "../core/types.js";
import { type Random, randomSource } from "../numeric/random.js";
import { open } from "../repository/duckdb.js";
import { openTextSink, type TextSink, writeFolderAtomically } from "../repository/files.js";
import { literal } from "../repository/sql.js";
import { acquisitionSpend } from "./acquisition.js";
import { busyCalendar } from "./calendar.js";
import { clubLots } from "./club.js";
import { type GeneratedCustomer, generateCustomer } from "./customer.js";
import { brenkamp, type CompanyParameters, sampleSeed } from "./parameters.js";
import {
  itemColumns,
  questionRows,
  type SurveyQuestions,
  statementColumns,
  surveyAttributes,
  surveyQuestions,
  utilityColumns,
} from "./survey.js";
import { type CompanyTally, startTally } from "./tally.js";

/** The tables of the company, in the order they must be loaded. */
export const companyTables = [
  "regions",
  "channels",
  "products",
  "customers",
  "orders",
  "truth",
  "subscriptions",
  "subscription_truth",
  "club_lots",
  "club_members",
  "club",
  "club_truth",
  "contacts",
  "acquisition_spend",
  "retention_trial",
  "retention_trial_truth",
  "survey_profiles",
  "survey_cards",
  "survey_bestworst_sets",
  "survey_respondents",
  "survey_choices",
  "survey_ratings",
  "survey_bestworst",
  "survey_truth",
] as const;

/** Name of one table of the company. */
export type CompanyTable = (typeof companyTables)[number];

/** A table as a source system exports it: every value is text. */
export type TextColumns = Readonly<Record<string, readonly string[]>>;

/** A whole company: its tables, how often each defect was planted, and what became of its customers. */
export interface Company extends CompanyTally {
  readonly tables: Readonly<Record<CompanyTable, TextColumns>>;
}

/** Names of the columns of each table. */
const companyColumns: Readonly<Record<CompanyTable, readonly string[]>> = {
  regions: ["region_id", "name", "country"],
  channels: ["channel_id", "name", "kind", "acquisition_cost"],
  products: ["product_id", "name", "category", "list_price", "unit_cost"],
  customers: [
    "customer_id",
    "source",
    "name",
    "email",
    "birth_year",
    "region",
    "acquisition_channel",
    "registered_on",
  ],
  orders: [
    "order_id",
    "line_no",
    "customer_id",
    "ordered_on",
    "sales_channel",
    "product_id",
    "quantity",
    "unit_price",
    "amount",
    "returned_order_id",
  ],
  truth: [
    "customer_id",
    "acquisition_channel",
    "purchase_rate",
    "lapse_rate",
    "lapsed_on",
    "mean_budget",
    "orders",
  ],
  subscriptions: [
    "subscription_id",
    "customer_id",
    "plan",
    "started_on",
    "ended_on",
    "end_reason",
    "monthly_fee",
  ],
  subscription_truth: ["subscription_id", "churn_probability", "renewals"],
  club_lots: ["month", "lot", "price"],
  club_members: ["customer_id", "joined_month"],
  club: ["customer_id", "month"],
  club_truth: ["customer_id", "taking_probability", "leaving_probability", "left_month"],
  contacts: ["contact_id", "customer_id", "contacted_on", "channel", "reason"],
  acquisition_spend: ["month", "acquisition_channel", "region", "spend"],
  retention_trial: ["subscription_id", "assigned_on", "offer_value", "renewed"],
  retention_trial_truth: ["subscription_id", "renewed_without", "least_offer"],
  survey_profiles: ["version", "task", "alternative", ...surveyAttributes(brenkamp.survey)],
  survey_cards: ["card", ...surveyAttributes(brenkamp.survey)],
  survey_bestworst_sets: ["set", ...itemColumns(brenkamp.survey)],
  survey_respondents: ["customer_id", "version", "asked_on"],
  survey_choices: ["customer_id", "task", "choice", "seconds"],
  survey_ratings: ["customer_id", "card", "rating"],
  survey_bestworst: ["customer_id", "set", "best", "worst"],
  survey_truth: [
    "customer_id",
    "benefit_segment",
    "manner",
    ...utilityColumns(brenkamp.survey),
    ...statementColumns(brenkamp.survey),
  ],
};

/** Tables without rows of persons. */
const fixedTables = [
  "regions",
  "channels",
  "products",
  "club_lots",
  "acquisition_spend",
  "survey_profiles",
  "survey_cards",
  "survey_bestworst_sets",
] as const;

/** The questions of the survey belong to the seed, not to the number of customers. */
const questionsOf = ({ survey }: CompanyParameters, random: Random): SurveyQuestions =>
  surveyQuestions(survey, random.stream("survey questions"));

/**
 * The customers of a company one after the other, in order of registration. Each comes from a random stream of their own,
 * so memory does not grow with their number.
 */
export function* generateCustomers(
  parameters: CompanyParameters,
  seed: number,
): Generator<GeneratedCustomer> {
  const calendar = busyCalendar(parameters);
  const lots = clubLots(parameters);
  const random = randomSource(seed);
  const questions = questionsOf(parameters, random);
  for (let index = 0; index < parameters.customers; index++) {
    yield generateCustomer(parameters, calendar, lots, questions, index, random);
  }
}

/** A whole company in memory, as text columns: up to about 100,000 customers; beyond that use `writeSample`. */
export function generateCompany(
  parameters: CompanyParameters = brenkamp,
  seed: number = sampleSeed,
): Company {
  const tally = startTally(parameters);
  const rows: Record<CompanyTable, TextRow[]> = perTable(() => []);
  const fixed = fixedRows(parameters, seed);
  for (const name of fixedTables) rows[name].push(...fixed[name]);
  for (const person of generateCustomers(parameters, seed)) {
    for (const [name, more] of personRows(person)) rows[name].push(...more);
    tally.add(person);
  }
  const columns = (name: CompanyTable): TextColumns =>
    Object.fromEntries(
      companyColumns[name].map((column) => [column, rows[name].map((row) => row[column] ?? "")]),
    );
  return { tables: perTable(columns), ...tally.result() };
}

/** What to write: how many customers, from which seed, where, and how to follow or stop it. */
export interface SampleOptions {
  /** Folder to write to; files of the same names are replaced, others stay. */
  readonly out: string;
  readonly customers?: number;
  readonly seed?: number;
  /** File formats. Default: Parquet alone. */
  readonly formats?: readonly ("csv" | "parquet")[];
  /** All other parameters of the company. Default: Brenkamp Coffee. */
  readonly parameters?: CompanyParameters;
  /** Told how many customers are done, about once in 1,000. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops the work; nothing of it stays on the disk. */
  readonly signal?: AbortSignal;
}

/** What was written. */
export interface SampleResult extends CompanyTally {
  readonly files: readonly string[];
  readonly rows: Readonly<Record<CompanyTable, number>>;
}

/**
 * Writes a company of any size: customer by customer as CSV text, which DuckDB then turns into Parquet. Memory stays
 * bounded; about 75 bytes of disk an order line are needed meanwhile. All files appear together at the end or not at all.
 * @throws RangeError if the number of customers is not a whole number from 1 to 9,999,999; the signal's reason.
 */
export async function writeSample(options: SampleOptions): Promise<SampleResult> {
  const { out, seed = sampleSeed, formats = ["parquet"], onProgress, signal } = options;
  const base = options.parameters ?? brenkamp;
  const parameters = { ...base, customers: options.customers ?? base.customers };
  if (
    !(
      Number.isInteger(parameters.customers) &&
      parameters.customers >= 1 &&
      parameters.customers <= 9_999_999
    )
  ) {
    throw new RangeError(`customers must be a whole number from 1 to 9999999, got ${parameters.customers}`);
  }
  const tally = startTally(parameters);
  const rows: Record<CompanyTable, number> = perTable(() => 0);
  const files = await writeFolderAtomically(out, async (folder) => {
    await writeTexts(
      folder,
      async (append) => {
        const fixed = fixedRows(parameters, seed);
        for (const name of fixedTables) await append(name, fixed[name]);
        let done = 0;
        for (const person of generateCustomers(parameters, seed)) {
          for (const [name, more] of personRows(person)) await append(name, more);
          tally.add(person);
          if (++done % 1000 === 0 || done === parameters.customers) {
            onProgress?.(done, parameters.customers);
            await new Promise(setImmediate); // lets a signal or a key press through
            signal?.throwIfAborted();
          }
        }
      },
      rows,
    );
    const truth = openTextSink(join(folder, "truth.json"));
    await truth.write(`${JSON.stringify({ seed, rows, ...tally.result(), parameters }, null, 2)}\n`);
    await truth.close();
    if (formats.includes("parquet")) await writeParquet(folder, signal);
    const endings = (["csv", "parquet"] as const).filter((format) => formats.includes(format));
    return [...companyTables.flatMap((name) => endings.map((ending) => `${name}.${ending}`)), "truth.json"];
  });
  return { files, rows, ...tally.result() };
}

/** Writes the shipped company to a folder, as CSV and Parquet. */
export const writeCompany = (out: string): Promise<SampleResult> =>
  writeSample({ out, formats: ["csv", "parquet"] });

type TextRow = Readonly<Record<string, string>>;

/** The rows of the generator are plain records of text; the compiler only lacks the index signature. */
const asTextRow = <Row extends { readonly [Key in keyof Row]: string }>(row: Row): TextRow => ({ ...row });

/** What a person adds to each table. */
const personRows = (person: GeneratedCustomer): readonly (readonly [CompanyTable, readonly TextRow[]])[] => [
  ["customers", person.customers.map(asTextRow)],
  ["orders", person.orders.map(asTextRow)],
  ["truth", [asTextRow(person.truth)]],
  ["subscriptions", person.subscriptions.map(asTextRow)],
  ["subscription_truth", person.subscription_truth.map(asTextRow)],
  ["club_members", person.club_members.map(asTextRow)],
  ["club", person.club.map(asTextRow)],
  ["club_truth", person.club_truth.map(asTextRow)],
  ["contacts", person.contacts.map(asTextRow)],
  ["retention_trial", person.retention_trial.map(asTextRow)],
  ["retention_trial_truth", person.retention_trial_truth.map(asTextRow)],
  ["survey_respondents", person.survey_respondents],
  ["survey_choices", person.survey_choices],
  ["survey_ratings", person.survey_ratings],
  ["survey_bestworst", person.survey_bestworst],
  ["survey_truth", person.survey_truth],
];

/** A value for every table. */
const perTable = <Value>(of: (name: CompanyTable) => Value): Record<CompanyTable, Value> =>
  Object.fromEntries(companyTables.map((name) => [name, of(name)])) as Record<CompanyTable, Value>;

/** Rows of the small tables. */
function fixedRows(
  parameters: CompanyParameters,
  seed: number,
): Record<(typeof fixedTables)[number], readonly TextRow[]> {
  return {
    regions: parameters.regions.map(({ region_id, name, country }) => ({ region_id, name, country })),
    channels: [
      ...parameters.acquisition.map(({ channel_id, name, costCents }) => ({
        channel_id,
        name,
        kind: "acquisition",
        acquisition_cost: decimalText(costCents),
      })),
      ...parameters.sales.map(({ channel_id, name }) => ({
        channel_id,
        name,
        kind: "sales",
        acquisition_cost: "",
      })),
    ],
    products: parameters.products.map(({ product_id, name, category, priceCents, costCents }) => ({
      product_id,
      name,
      category,
      list_price: decimalText(priceCents),
      unit_cost: decimalText(costCents),
    })),
    club_lots: clubLots(parameters).map(asTextRow),
    acquisition_spend: acquisitionSpend(parameters).map(asTextRow),
    ...questionRows(parameters.survey, questionsOf(parameters, randomSource(seed))),
  };
}

/** Opens one CSV file a table, lets `fill` append rows, closes them all, also when it fails. */
async function writeTexts(
  folder: string,
  fill: (append: (name: CompanyTable, rows: readonly TextRow[]) => Promise<void>) => Promise<void>,
  counts: Record<CompanyTable, number>,
): Promise<void> {
  const sinks = new Map<CompanyTable, { sink: TextSink; waiting: string }>();
  try {
    for (const name of companyTables) {
      const sink = openTextSink(join(folder, `${name}.csv`));
      sinks.set(name, { sink, waiting: csvLine(companyColumns[name]) });
    }
    await fill(async (name, rows) => {
      const target = sinks.get(name);
      if (target === undefined) throw new RangeError(`no table ${name}`);
      const columns = companyColumns[name];
      for (const row of rows) target.waiting += csvLine(columns.map((column) => row[column] ?? ""));
      counts[name] += rows.length;
      if (target.waiting.length < 65_536) return;
      const text = target.waiting;
      target.waiting = "";
      await target.sink.write(text);
    });
    for (const { sink, waiting } of sinks.values()) await sink.write(waiting);
  } finally {
    for (const { sink } of sinks.values()) await sink.close();
  }
}

const csvLine = (values: readonly string[]): string => `${values.map(csvField).join(",")}\n`;

const csvField = (value: string): string =>
  /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;

/** Twins of the CSV files: the same text, column by column. */
async function writeParquet(folder: string, signal: AbortSignal | undefined): Promise<void> {
  const warehouse = await open(":memory:", { memoryLimit: "512MB" });
  try {
    for (const name of companyTables) {
      signal?.throwIfAborted();
      const columns = companyColumns[name].map((column) => `${literal(column)}: 'VARCHAR'`).join(", ");
      const source = `read_csv(${literal(join(folder, `${name}.csv`))}, auto_detect = false, header = true, delim = ',',
        quote = '"', escape = '"', nullstr = '', columns = {${columns}})`;
      await warehouse.export(join(folder, `${name}.parquet`), `SELECT * FROM ${source}`);
    }
  } finally {
    await warehouse.close();
  }
}
