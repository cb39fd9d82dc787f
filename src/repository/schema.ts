import { dayNumber, isoDay, monthNumber, weekday } from "../core/day.js";
import { DataError } from "../core/errors.js";
import type { Dialect } from "./dialect.js";
import {
  acquisitionCell,
  clubMember,
  customerDay,
  customerSummary,
  factChoice,
  factClubOffer,
  factContact,
  factRetentionTrial,
  factSubscription,
  type Mart,
} from "./marts.js";
import type { Warehouse } from "./warehouse.js";

/** Where a returned line is booked: on the day of the order it takes back, or on the day the goods came back. */
export type ReturnsBooking = "order-day" | "return-day";

/** Rules of the star schema. */
export interface RepositoryOptions {
  /**
   * Default "order-day": the order is netted, so that an order's value is what the customer kept. A return that names no
   * known order is booked on its own day, and counted.
   */
  readonly returns?: ReturnsBooking;
}

/** What became of the sources. */
export interface RepositoryReport {
  /** Customer records in the sources. */
  readonly records: number;
  /** Customers after the merge: records with the same email are one person. Records without email stay apart. */
  readonly customers: number;
  /** records - customers. */
  readonly merged: number;
  /** Lines in fact_transaction: all accepted order lines. */
  readonly transactions: number;
  readonly returns: number;
  /** Returns that name no known order. */
  readonly unlinkedReturns: number;
  /** Sum of all lines, returns subtracted, EUR cents. */
  readonly revenueCents: number;
  /** One line of text for a reader. */
  summary(): string;
}

/**
 * Builds the star schema from the loaded sources: `dim_customer`, `dim_product`, `dim_channel`, `dim_date`,
 * `fact_transaction`, the map `customer_identity` from source ids to customer keys, and the marts `customer_day` and
 * `customer_summary`; where the sources of the programmes are loaded, also `fact_subscription`, `fact_club_offer` and the
 * mart `club_member`; where those of the activities are, `fact_contact`, `fact_retention_trial` and the mart
 * `acquisition_cell`; where answers to choice tasks are, `fact_choice`. Money is in integer EUR cents; `day` counts from
 * 1970-01-01, `month` is year * 12 + month. Names and emails stay in the sources.
 * @throws DataError if a source table is missing, the lines or their sum do not survive unchanged, or a row of a
 * programme, an activity or a survey gets lost.
 */
export async function buildRepository(
  warehouse: Warehouse,
  options: RepositoryOptions = {},
): Promise<RepositoryReport> {
  const { dialect } = warehouse;
  await warehouse.materialise("customer_identity", identitySql);
  await warehouse.materialise("dim_customer", customerSql(dialect));
  await warehouse.materialise("dim_product", productSql);
  await warehouse.materialise("dim_channel", channelSql);
  await warehouse.materialise("fact_transaction", transactionSql(dialect, options.returns ?? "order-day"));
  await writeDates(warehouse);
  await writeMart(warehouse, customerDay);
  await writeMart(warehouse, customerSummary);
  await writeProgrammes(warehouse);
  await writeActivities(warehouse);
  return reconciled(warehouse);
}

const writeMart = (warehouse: Warehouse, { name, sql }: Mart): Promise<void> =>
  warehouse.materialise(name, sql(warehouse.dialect));

/** Facts and marts of those customer programmes whose sources are loaded. @throws DataError if a row gets lost. */
async function writeProgrammes(warehouse: Warehouse): Promise<void> {
  const loaded = await warehouse.tables();
  if (loaded.includes("subscriptions")) {
    await writeMart(warehouse, factSubscription);
    await requireAll(warehouse, "fact_subscription", "subscriptions", "fact_subscription", "programmeRules");
  }
  if (["club_lots", "club_members", "club"].every((name) => loaded.includes(name))) {
    await writeMart(warehouse, factClubOffer);
    const bought = `(SELECT DISTINCT customer_key, month FROM club
      JOIN customer_identity AS identity ON identity.customer_id = club.customer_id) AS bought`;
    await requireAll(
      warehouse,
      "fact_club_offer",
      bought,
      "fact_club_offer WHERE taken = 1",
      "programmeRules",
    );
    await writeMart(warehouse, clubMember);
  }
}

/** Facts and marts of the activities and of the survey, where their sources are loaded. @throws DataError if a row gets lost. */
async function writeActivities(warehouse: Warehouse): Promise<void> {
  const loaded = await warehouse.tables();
  const sources = {
    contacts: [factContact, "activityRules"],
    acquisition_spend: [acquisitionCell, "activityRules"],
    retention_trial: [factRetentionTrial, "activityRules"],
    survey_choices: [factChoice, "surveyRules"],
  } as const;
  for (const [source, [mart, rules]] of Object.entries(sources)) {
    if (!loaded.includes(source)) continue;
    await writeMart(warehouse, mart);
    await requireAll(warehouse, mart.name, source, mart.name, rules);
  }
}

/** @throws DataError if a fact does not hold as many rows as what it is made from. */
async function requireAll(
  warehouse: Warehouse,
  name: string,
  source: string,
  fact: string,
  rules: "programmeRules" | "activityRules" | "surveyRules",
): Promise<void> {
  const expected = await count(warehouse, source);
  const held = await count(warehouse, fact);
  if (expected !== held) {
    throw new DataError(
      `${name} must hold the ${expected} rows of its source, but holds ${held}: load it by ${rules}`,
    );
  }
}

async function count(warehouse: Warehouse, from: string): Promise<number> {
  return (await warehouse.query(`SELECT COUNT(*) AS n FROM ${from}`)).get("n", 0) as number;
}

/** Rule "same email": all records with one email address are one person; the earliest record stands for the person. */
const identitySql = `
  WITH record AS (
    SELECT customer_id, source, registered_on,
           CASE WHEN email IS NULL THEN customer_id ELSE '' END AS lone_id,
           COALESCE(email, '') AS email
    FROM customers
  ), ranked AS (
    SELECT customer_id, source, lone_id, email,
           ROW_NUMBER() OVER (PARTITION BY lone_id, email ORDER BY registered_on, customer_id) AS place
    FROM record
  ), person AS (
    SELECT lone_id, email, ROW_NUMBER() OVER (ORDER BY customer_id) AS customer_key
    FROM ranked WHERE place = 1
  )
  SELECT ranked.customer_id AS customer_id, CAST(person.customer_key AS INTEGER) AS customer_key,
         ranked.source AS source, CAST(ranked.place AS INTEGER) AS place
  FROM ranked JOIN person ON person.lone_id = ranked.lone_id AND person.email = ranked.email
  ORDER BY customer_id`;

/** One row a person; of region and birth year the first one known counts. */
const customerSql = (dialect: Dialect): string => `
  WITH record AS (
    SELECT identity.customer_key AS customer_key, identity.place AS place, customers.customer_id AS customer_id,
           customers.source AS source, customers.acquisition_channel AS acquisition_channel,
           customers.region AS region, customers.birth_year AS birth_year, customers.registered_on AS registered_on
    FROM customers JOIN customer_identity AS identity ON identity.customer_id = customers.customer_id
  ), known AS (
    SELECT customer_key, CAST(COUNT(*) AS INTEGER) AS records,
           MIN(CASE WHEN region IS NOT NULL THEN place END) AS region_place,
           MIN(CASE WHEN birth_year IS NOT NULL THEN place END) AS birth_year_place
    FROM record GROUP BY customer_key
  )
  SELECT first.customer_key AS customer_key, first.customer_id AS customer_id, first.source AS source,
         first.acquisition_channel AS acquisition_channel, COALESCE(placed.region, 'unknown') AS region,
         born.birth_year AS birth_year, known.records AS records,
         ${dialect.dayNumber("first.registered_on")} AS registered_day,
         ${dialect.monthNumber("first.registered_on")} AS registered_month
  FROM record AS first
  JOIN known ON known.customer_key = first.customer_key
  LEFT JOIN record AS placed ON placed.customer_key = known.customer_key AND placed.place = known.region_place
  LEFT JOIN record AS born ON born.customer_key = known.customer_key AND born.place = known.birth_year_place
  WHERE first.place = 1
  ORDER BY customer_key`;

const productSql = `
  SELECT CAST(ROW_NUMBER() OVER (ORDER BY product_id) AS INTEGER) AS product_key, product_id, name, category,
         list_price_cents, unit_cost_cents
  FROM products ORDER BY product_key`;

const channelSql = `
  SELECT CAST(ROW_NUMBER() OVER (ORDER BY channel_id) AS INTEGER) AS channel_key, channel_id, name, kind,
         acquisition_cost_cents
  FROM channels ORDER BY channel_key`;

/** One row per accepted order line. A returned line has negative quantity, amount and cost. */
const transactionSql = (dialect: Dialect, returns: ReturnsBooking): string => `
  WITH sale AS (
    SELECT order_id, MIN(ordered_on) AS ordered_on FROM orders WHERE quantity > 0 GROUP BY order_id
  ), entry AS (
    SELECT order_id, line_no, customer_id, sales_channel, product_id, quantity, unit_price_cents, amount_cents,
           ordered_on, CASE WHEN quantity < 0 THEN 1 ELSE 0 END AS is_return,
           CASE WHEN quantity < 0 THEN returned_order_id END AS taken_back
    FROM orders
  ), line AS (
    SELECT entry.order_id AS order_id, entry.line_no AS line_no, entry.customer_id AS customer_id,
           entry.sales_channel AS sales_channel, entry.product_id AS product_id, entry.quantity AS quantity,
           entry.unit_price_cents AS unit_price_cents, entry.amount_cents AS amount_cents,
           entry.is_return AS is_return, sale.order_id AS returned_order_id,
           ${returns === "order-day" ? "COALESCE(sale.ordered_on, entry.ordered_on)" : "entry.ordered_on"} AS booked_on,
           entry.ordered_on AS entered_on
    FROM entry LEFT JOIN sale ON sale.order_id = entry.taken_back
  )
  SELECT line.order_id AS order_id, line.line_no AS line_no, identity.customer_key AS customer_key,
         product.product_key AS product_key, channel.channel_key AS channel_key,
         ${dialect.dayNumber("line.booked_on")} AS day, ${dialect.monthNumber("line.booked_on")} AS month,
         ${dialect.dayNumber("line.entered_on")} AS entered_day, line.quantity AS quantity,
         line.unit_price_cents AS unit_price_cents, line.amount_cents AS amount_cents,
         line.quantity * product.unit_cost_cents AS cost_cents, line.is_return AS is_return,
         line.returned_order_id AS returned_order_id
  FROM line
  JOIN customer_identity AS identity ON identity.customer_id = line.customer_id
  JOIN dim_product AS product ON product.product_id = line.product_id
  JOIN dim_channel AS channel ON channel.channel_id = line.sales_channel
  ORDER BY order_id, line_no`;

/** One row a day, from the first day of any year with a transaction to the last. */
async function writeDates(warehouse: Warehouse): Promise<void> {
  const bounds = await warehouse.query("SELECT MIN(day) AS first, MAX(day) AS last FROM fact_transaction");
  const first = bounds.get("first", 0) as number | null;
  const last = bounds.get("last", 0) as number | null;
  if (first === null || last === null) throw new DataError("table orders has no rows: nothing to build from");
  const from = dayNumber(`${isoDay(first).slice(0, 4)}-01-01`);
  const to = dayNumber(`${isoDay(last).slice(0, 4)}-12-31`);
  const days = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const texts = days.map(isoDay);
  await warehouse.writeTable("dim_date", {
    day: Int32Array.from(days),
    iso_day: texts,
    month: Int32Array.from(days, monthNumber),
    year: Int32Array.from(texts, (iso) => Number(iso.slice(0, 4))),
    month_of_year: Int32Array.from(texts, (iso) => Number(iso.slice(5, 7))),
    weekday: Int32Array.from(days, weekday),
  });
}

/** Counts sources and star side by side. @throws DataError if they differ. */
async function reconciled(warehouse: Warehouse): Promise<RepositoryReport> {
  const sum = (value: string): string => warehouse.dialect.integerSum(value);
  const number = async (sql: string): Promise<number> => (await warehouse.query(sql)).get("n", 0) as number;
  const lines = await number("SELECT COUNT(*) AS n FROM orders");
  const amount = await number(`SELECT ${sum("amount_cents")} AS n FROM orders`);
  const transactions = await number("SELECT COUNT(*) AS n FROM fact_transaction");
  const revenueCents = await number(`SELECT ${sum("amount_cents")} AS n FROM fact_transaction`);
  if (lines !== transactions || amount !== revenueCents) {
    throw new DataError(
      `fact_transaction must hold the ${lines} lines of orders with a sum of ${amount} cents, but holds ${transactions} with ${revenueCents}`,
    );
  }
  const records = await number("SELECT COUNT(*) AS n FROM customers");
  const customers = await number("SELECT COUNT(*) AS n FROM dim_customer");
  const returns = await number("SELECT COUNT(*) AS n FROM fact_transaction WHERE is_return = 1");
  const unlinkedReturns = await number(
    "SELECT COUNT(*) AS n FROM fact_transaction WHERE is_return = 1 AND returned_order_id IS NULL",
  );
  const merged = records - customers;
  return Object.freeze({
    records,
    customers,
    merged,
    transactions,
    returns,
    unlinkedReturns,
    revenueCents,
    summary: () =>
      `${transactions} transactions of ${customers} customers (${records} records, ${merged} merged by email); ` +
      `${returns} returned lines, ${unlinkedReturns} of them without a known order`,
  });
}
