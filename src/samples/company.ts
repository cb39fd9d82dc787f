import { join } from "node:path";
import { decimalText } from "../core/types.js";
import { randomSource } from "../numeric/random.js";
import { open } from "../repository/duckdb.js";
import { openTextSink, type TextSink, writeFolderAtomically } from "../repository/files.js";
import { literal } from "../repository/sql.js";
import { busyCalendar } from "./calendar.js";
import { type GeneratedCustomer, generateCustomer, type PlantedDefect } from "./customer.js";
import { brenkamp, type CompanyParameters, sampleSeed } from "./parameters.js";

/** The tables of the company, in the order they must be loaded. */
export const companyTables = ["regions", "channels", "products", "customers", "orders", "truth"] as const;

/** Name of one table of the company. */
export type CompanyTable = (typeof companyTables)[number];

/** A table as a source system exports it: every value is text. */
export type TextColumns = Readonly<Record<string, readonly string[]>>;

/** A whole company: its tables, and how often each defect was planted. */
export interface Company {
  readonly tables: Readonly<Record<CompanyTable, TextColumns>>;
  readonly planted: Readonly<Record<PlantedDefect, number>>;
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
};

/**
 * The customers of a company one after the other, in order of registration. Each comes from a random stream of their own,
 * so memory does not grow with their number.
 */
export function* generateCustomers(
  parameters: CompanyParameters,
  seed: number,
): Generator<GeneratedCustomer> {
  const calendar = busyCalendar(parameters);
  const random = randomSource(seed);
  for (let index = 0; index < parameters.customers; index++) {
    yield generateCustomer(parameters, calendar, index, random);
  }
}

/** A whole company in memory, as text columns: up to about 100,000 customers; beyond that use `writeSample`. */
export function generateCompany(
  parameters: CompanyParameters = brenkamp,
  seed: number = sampleSeed,
): Company {
  const planted = nothingPlanted();
  const customers: TextRow[] = [];
  const orders: TextRow[] = [];
  const truth: TextRow[] = [];
  for (const person of generateCustomers(parameters, seed)) {
    customers.push(...person.customers.map(asTextRow));
    orders.push(...person.orders.map(asTextRow));
    truth.push(asTextRow(person.truth));
    for (const defect of person.planted) planted[defect]++;
  }
  const rows = { ...fixedRows(parameters), customers, orders, truth };
  const columns = (name: CompanyTable): TextColumns =>
    Object.fromEntries(
      companyColumns[name].map((column) => [column, rows[name].map((row) => row[column] ?? "")]),
    );
  const tables = {
    regions: columns("regions"),
    channels: columns("channels"),
    products: columns("products"),
    customers: columns("customers"),
    orders: columns("orders"),
    truth: columns("truth"),
  };
  return { tables, planted };
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
export interface SampleResult {
  readonly files: readonly string[];
  readonly rows: Readonly<Record<CompanyTable, number>>;
  readonly planted: Readonly<Record<PlantedDefect, number>>;
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
  const planted = nothingPlanted();
  const rows: Record<CompanyTable, number> = {
    regions: 0,
    channels: 0,
    products: 0,
    customers: 0,
    orders: 0,
    truth: 0,
  };
  const files = await writeFolderAtomically(out, async (folder) => {
    await writeTexts(
      folder,
      async (append) => {
        for (const [name, fixed] of Object.entries(fixedRows(parameters)))
          await append(name as CompanyTable, fixed);
        let done = 0;
        for (const person of generateCustomers(parameters, seed)) {
          await append("customers", person.customers.map(asTextRow));
          await append("orders", person.orders.map(asTextRow));
          await append("truth", [asTextRow(person.truth)]);
          for (const defect of person.planted) planted[defect]++;
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
    await truth.write(`${JSON.stringify({ seed, rows, planted, parameters }, null, 2)}\n`);
    await truth.close();
    if (formats.includes("parquet")) await writeParquet(folder, signal);
    const endings = (["csv", "parquet"] as const).filter((format) => formats.includes(format));
    return [...companyTables.flatMap((name) => endings.map((ending) => `${name}.${ending}`)), "truth.json"];
  });
  return { files, rows, planted };
}

/** Writes the shipped company to a folder, as CSV and Parquet. */
export const writeCompany = (out: string): Promise<SampleResult> =>
  writeSample({ out, formats: ["csv", "parquet"] });

type TextRow = Readonly<Record<string, string>>;

/** The rows of the generator are plain records of text; the compiler only lacks the index signature. */
const asTextRow = <Row extends { readonly [Key in keyof Row]: string }>(row: Row): TextRow => ({ ...row });

/** Rows of the small tables. */
function fixedRows(
  parameters: CompanyParameters,
): Record<"regions" | "channels" | "products", readonly TextRow[]> {
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

const nothingPlanted = (): Record<PlantedDefect, number> => ({
  exact_duplicate_row: 0,
  amount_text: 0,
  german_date: 0,
  impossible_date: 0,
  unknown_product: 0,
  unknown_customer: 0,
  future_date: 0,
  zero_price: 0,
  negative_price: 0,
  returned_line: 0,
  store_card: 0,
  store_card_without_email: 0,
  missing_email: 0,
  missing_region: 0,
  missing_birth_year: 0,
  birth_year_text: 0,
});
