import type { ColumnTable } from "arquero";
import { DataError } from "../core/errors.js";
import type { Dialect } from "./dialect.js";
import { quoted } from "./sql.js";
import type { ColumnType, Warehouse } from "./warehouse.js";

/** A data mart: one SQL text, and what its columns hold. */
export interface Mart<Name extends string = string> {
  readonly name: string;
  /** Columns in order, with their types. */
  readonly columns: Readonly<Record<Name, ColumnType>>;
  /** Columns that identify a row, by which a reader sorts. */
  readonly key: readonly Name[];
  /** The query that makes it, from the star schema. */
  readonly sql: (dialect: Dialect) => string;
}

type CustomerDayColumn =
  | "customer_key"
  | "day"
  | "month"
  | "orders"
  | "units"
  | "sales_cents"
  | "returns_cents"
  | "revenue_cents"
  | "margin_cents";

/**
 * One row per customer and day: `orders` placed, `units` kept, `sales_cents` before returns, `returns_cents` (0 or more),
 * `revenue_cents` = sales - returns, `margin_cents` = revenue - cost of the goods kept. EUR cents. An order that came back
 * whole still counts as an order: the customer did buy.
 */
export const customerDay: Mart<CustomerDayColumn> = {
  name: "customer_day",
  columns: {
    customer_key: "integer",
    day: "integer",
    month: "integer",
    orders: "bigint",
    units: "bigint",
    sales_cents: "bigint",
    returns_cents: "bigint",
    revenue_cents: "bigint",
    margin_cents: "bigint",
  },
  key: ["customer_key", "day"],
  sql: ({ integerSum }) => `
    SELECT customer_key, day, month,
           COUNT(DISTINCT CASE WHEN is_return = 0 THEN order_id END) AS orders,
           ${integerSum("quantity")} AS units,
           ${integerSum("CASE WHEN is_return = 0 THEN amount_cents ELSE 0 END")} AS sales_cents,
           ${integerSum("CASE WHEN is_return = 1 THEN 0 - amount_cents ELSE 0 END")} AS returns_cents,
           ${integerSum("amount_cents")} AS revenue_cents,
           ${integerSum("amount_cents - cost_cents")} AS margin_cents
    FROM fact_transaction
    GROUP BY customer_key, day, month
    ORDER BY customer_key, day`,
};

type CustomerSummaryColumn =
  | "customer_key"
  | "customer_id"
  | "acquisition_channel"
  | "region"
  | "birth_year"
  | "orders"
  | "purchase_days"
  | "first_day"
  | "last_day"
  | "units"
  | "sales_cents"
  | "returns_cents"
  | "revenue_cents"
  | "margin_cents";

/**
 * One row per customer with at least one order: sums of `customer_day`, `purchase_days` (days with an order),
 * `first_day` and `last_day` of an order. `region` is "unknown" and `birth_year` NULL where no record tells.
 */
export const customerSummary: Mart<CustomerSummaryColumn> = {
  name: "customer_summary",
  columns: {
    customer_key: "integer",
    customer_id: "text",
    acquisition_channel: "text",
    region: "text",
    birth_year: "integer",
    orders: "bigint",
    purchase_days: "bigint",
    first_day: "integer",
    last_day: "integer",
    units: "bigint",
    sales_cents: "bigint",
    returns_cents: "bigint",
    revenue_cents: "bigint",
    margin_cents: "bigint",
  },
  key: ["customer_key"],
  sql: ({ integerSum }) => `
    WITH total AS (
      SELECT customer_key, ${integerSum("orders")} AS orders, COUNT(CASE WHEN orders > 0 THEN 1 END) AS purchase_days,
             MIN(CASE WHEN orders > 0 THEN day END) AS first_day, MAX(CASE WHEN orders > 0 THEN day END) AS last_day,
             ${integerSum("units")} AS units, ${integerSum("sales_cents")} AS sales_cents,
             ${integerSum("returns_cents")} AS returns_cents, ${integerSum("revenue_cents")} AS revenue_cents,
             ${integerSum("margin_cents")} AS margin_cents
      FROM customer_day GROUP BY customer_key
    )
    SELECT total.customer_key AS customer_key, customer.customer_id AS customer_id,
           customer.acquisition_channel AS acquisition_channel, customer.region AS region,
           customer.birth_year AS birth_year, total.orders AS orders, total.purchase_days AS purchase_days,
           total.first_day AS first_day, total.last_day AS last_day, total.units AS units,
           total.sales_cents AS sales_cents, total.returns_cents AS returns_cents,
           total.revenue_cents AS revenue_cents, total.margin_cents AS margin_cents
    FROM total JOIN dim_customer AS customer ON customer.customer_key = total.customer_key
    WHERE total.orders > 0
    ORDER BY customer_key`,
};

type SubscriptionColumn =
  | "subscription_id"
  | "customer_key"
  | "plan"
  | "started_on"
  | "started_month"
  | "ended_on"
  | "ended_month"
  | "ended"
  | "end_reason"
  | "monthly_fee_cents";

/**
 * One row per subscription: `started_on` and `ended_on` are days since 1970-01-01, `started_month` and `ended_month` are
 * year * 12 + month. `ended_on` is the monthly renewal date at which it was not renewed, so that `ended_month` -
 * `started_month` - 1 renewals were made; it is NULL and `ended` is 0 while the subscription runs. EUR cents.
 */
export const factSubscription: Mart<SubscriptionColumn> = {
  name: "fact_subscription",
  columns: {
    subscription_id: "text",
    customer_key: "integer",
    plan: "text",
    started_on: "integer",
    started_month: "integer",
    ended_on: "integer",
    ended_month: "integer",
    ended: "integer",
    end_reason: "text",
    monthly_fee_cents: "bigint",
  },
  key: ["customer_key", "subscription_id"],
  sql: ({ dayNumber, monthNumber }) => `
    SELECT subscription.subscription_id AS subscription_id, identity.customer_key AS customer_key,
           subscription.plan AS plan, ${dayNumber("subscription.started_on")} AS started_on,
           ${monthNumber("subscription.started_on")} AS started_month,
           ${dayNumber("subscription.ended_on")} AS ended_on, ${monthNumber("subscription.ended_on")} AS ended_month,
           CASE WHEN subscription.ended_on IS NULL THEN 0 ELSE 1 END AS ended,
           subscription.end_reason AS end_reason, subscription.monthly_fee_cents AS monthly_fee_cents
    FROM subscriptions AS subscription
    JOIN customer_identity AS identity ON identity.customer_id = subscription.customer_id
    ORDER BY customer_key, subscription_id`,
};

type ClubOfferColumn = "customer_key" | "joined_month" | "month" | "opportunity" | "price_cents" | "taken";

/**
 * One row per member of the club and lot offered after joining: `opportunity` counts a member's offers from 1, `taken` is 1
 * if the member took it, else 0. Months are year * 12 + month, EUR cents.
 */
export const factClubOffer: Mart<ClubOfferColumn> = {
  name: "fact_club_offer",
  columns: {
    customer_key: "integer",
    joined_month: "integer",
    month: "integer",
    opportunity: "integer",
    price_cents: "bigint",
    taken: "integer",
  },
  key: ["customer_key", "month"],
  sql: ({ monthNumber }) => `
    WITH member AS (
      SELECT identity.customer_key AS customer_key, MIN(${monthNumber("club_members.joined_month")}) AS joined_month
      FROM club_members JOIN customer_identity AS identity ON identity.customer_id = club_members.customer_id
      GROUP BY identity.customer_key
    ), lot AS (
      SELECT ${monthNumber("month")} AS month, price_cents FROM club_lots
    ), bought AS (
      SELECT identity.customer_key AS customer_key, ${monthNumber("club.month")} AS month
      FROM club JOIN customer_identity AS identity ON identity.customer_id = club.customer_id
      GROUP BY identity.customer_key, ${monthNumber("club.month")}
    )
    SELECT member.customer_key AS customer_key, member.joined_month AS joined_month, lot.month AS month,
           CAST(ROW_NUMBER() OVER (PARTITION BY member.customer_key ORDER BY lot.month) AS INTEGER) AS opportunity,
           lot.price_cents AS price_cents, CASE WHEN bought.month IS NULL THEN 0 ELSE 1 END AS taken
    FROM member CROSS JOIN lot
    LEFT JOIN bought ON bought.customer_key = member.customer_key AND bought.month = lot.month
    WHERE lot.month > member.joined_month
    ORDER BY customer_key, month`,
};

type ClubMemberColumn = "customer_key" | "joined_month" | "x" | "recency" | "opportunities";

/**
 * One row per member of the club who was offered a lot, as the BG/BB model takes it: `x` offers taken out of
 * `opportunities`, the last of them at opportunity number `recency`, 0 if none. `joined_month` is year * 12 + month.
 */
export const clubMember: Mart<ClubMemberColumn> = {
  name: "club_member",
  columns: {
    customer_key: "integer",
    joined_month: "integer",
    x: "bigint",
    recency: "integer",
    opportunities: "bigint",
  },
  key: ["customer_key"],
  sql: ({ integerSum }) => `
    SELECT customer_key, joined_month, ${integerSum("taken")} AS x,
           MAX(CASE WHEN taken = 1 THEN opportunity ELSE 0 END) AS recency, COUNT(*) AS opportunities
    FROM fact_club_offer
    GROUP BY customer_key, joined_month
    ORDER BY customer_key`,
};

type ContactColumn = "contact_id" | "customer_key" | "contacted_on" | "channel" | "reason";

/** One row per service contact of a subscriber: `contacted_on` is a day since 1970-01-01. */
export const factContact: Mart<ContactColumn> = {
  name: "fact_contact",
  columns: {
    contact_id: "text",
    customer_key: "integer",
    contacted_on: "integer",
    channel: "text",
    reason: "text",
  },
  key: ["customer_key", "contacted_on", "contact_id"],
  sql: ({ dayNumber }) => `
    SELECT contact.contact_id AS contact_id, identity.customer_key AS customer_key,
           ${dayNumber("contact.contacted_on")} AS contacted_on, contact.channel AS channel, contact.reason AS reason
    FROM contacts AS contact
    JOIN customer_identity AS identity ON identity.customer_id = contact.customer_id
    ORDER BY customer_key, contacted_on, contact_id`,
};

type AcquisitionColumn = "month" | "acquisition_channel" | "region" | "spend_cents" | "customers";

/**
 * One row per month, acquisition channel and region in which money was spent: `customers` is how many of that channel and
 * region registered in that month. `month` is year * 12 + month, EUR cents.
 */
export const acquisitionCell: Mart<AcquisitionColumn> = {
  name: "acquisition_cell",
  columns: {
    month: "integer",
    acquisition_channel: "text",
    region: "text",
    spend_cents: "bigint",
    customers: "bigint",
  },
  key: ["month", "acquisition_channel", "region"],
  sql: ({ monthNumber }) => `
    WITH won AS (
      SELECT registered_month AS month, acquisition_channel, region, COUNT(*) AS customers
      FROM dim_customer GROUP BY registered_month, acquisition_channel, region
    ), spent AS (
      SELECT ${monthNumber("month")} AS month, acquisition_channel, region, spend_cents FROM acquisition_spend
    )
    SELECT spent.month AS month, spent.acquisition_channel AS acquisition_channel, spent.region AS region,
           spent.spend_cents AS spend_cents, COALESCE(won.customers, 0) AS customers
    FROM spent
    LEFT JOIN won ON won.month = spent.month AND won.acquisition_channel = spent.acquisition_channel
      AND won.region = spent.region
    ORDER BY month, acquisition_channel, region`,
};

type RetentionTrialColumn =
  | "subscription_id"
  | "customer_key"
  | "plan"
  | "monthly_fee_cents"
  | "started_on"
  | "assigned_on"
  | "offer_value_cents"
  | "renewed";

/**
 * One row per subscription assigned to an arm of the experiment with retention offers: `offer_value_cents` is 0 in the
 * control group, `renewed` is 1 or 0. `started_on` and `assigned_on` are days since 1970-01-01, EUR cents.
 */
export const factRetentionTrial: Mart<RetentionTrialColumn> = {
  name: "fact_retention_trial",
  columns: {
    subscription_id: "text",
    customer_key: "integer",
    plan: "text",
    monthly_fee_cents: "bigint",
    started_on: "integer",
    assigned_on: "integer",
    offer_value_cents: "bigint",
    renewed: "integer",
  },
  key: ["customer_key", "subscription_id"],
  sql: ({ dayNumber }) => `
    SELECT trial.subscription_id AS subscription_id, subscription.customer_key AS customer_key,
           subscription.plan AS plan, subscription.monthly_fee_cents AS monthly_fee_cents,
           subscription.started_on AS started_on, ${dayNumber("trial.assigned_on")} AS assigned_on,
           trial.offer_value_cents AS offer_value_cents, trial.renewed AS renewed
    FROM retention_trial AS trial
    JOIN fact_subscription AS subscription ON subscription.subscription_id = trial.subscription_id
    ORDER BY customer_key, subscription_id`,
};

type ChoiceColumn = "customer_key" | "version" | "task" | "choice" | "seconds";

/**
 * One row per answer to a choice task of a survey: `version` of the questionnaire and `task` count from 1, `choice` is the
 * alternative chosen, 0 for none of them, `seconds` is the time taken.
 */
export const factChoice: Mart<ChoiceColumn> = {
  name: "fact_choice",
  columns: {
    customer_key: "integer",
    version: "integer",
    task: "integer",
    choice: "integer",
    seconds: "integer",
  },
  key: ["customer_key", "version", "task"],
  sql: () => `
    SELECT identity.customer_key AS customer_key, respondent.version AS version, answer.task AS task,
           answer.choice AS choice, answer.seconds AS seconds
    FROM survey_choices AS answer
    JOIN survey_respondents AS respondent ON respondent.customer_id = answer.customer_id
    JOIN customer_identity AS identity ON identity.customer_id = answer.customer_id
    ORDER BY customer_key, version, task`,
};

/**
 * Reads a mart, sorted by its key. Numbers arrive as numbers, text as text, NULL as null.
 * @throws DataError if the mart has not been built, or has more rows than the row budget.
 */
export async function readMart(warehouse: Warehouse, mart: Mart): Promise<ColumnTable> {
  const tables = await warehouse.tables();
  if (!tables.includes(mart.name)) {
    throw new DataError(`there is no mart ${mart.name}: load the sources and call buildRepository first`);
  }
  const columns = Object.keys(mart.columns).map(quoted).join(", ");
  return warehouse.query(
    `SELECT ${columns} FROM ${quoted(mart.name)} ORDER BY ${mart.key.map(quoted).join(", ")}`,
  );
}

/** Purchases of every customer on every day: see `customerDay` for the columns. @throws DataError as `readMart`. */
export const readCustomerDay = (warehouse: Warehouse): Promise<ColumnTable> =>
  readMart(warehouse, customerDay);

/** One row per customer: see `customerSummary` for the columns. @throws DataError as `readMart`. */
export const readCustomerSummary = (warehouse: Warehouse): Promise<ColumnTable> =>
  readMart(warehouse, customerSummary);

/** One row per subscription: see `factSubscription` for the columns. @throws DataError as `readMart`. */
export const readSubscriptions = (warehouse: Warehouse): Promise<ColumnTable> =>
  readMart(warehouse, factSubscription);

/** One row per member of the club: see `clubMember` for the columns. @throws DataError as `readMart`. */
export const readClub = (warehouse: Warehouse): Promise<ColumnTable> => readMart(warehouse, clubMember);

/** One row per service contact: see `factContact` for the columns. @throws DataError as `readMart`. */
export const readContacts = (warehouse: Warehouse): Promise<ColumnTable> => readMart(warehouse, factContact);

/** Customers won by the money spent on them. */
export interface AcquisitionCells {
  /** One row per month, acquisition channel and region: see `acquisitionCell` for the columns. */
  readonly cells: ColumnTable;
  /** Customers in no cell: no record names their region, or nothing was spent on their month, channel and region. */
  readonly customersElsewhere: number;
}

/**
 * Customers won by month, acquisition channel and region, with the money spent there. The customers of the cells and those
 * elsewhere are all customers of the repository.
 * @throws DataError as `readMart`.
 */
export async function readAcquisition(warehouse: Warehouse): Promise<AcquisitionCells> {
  const cells = await readMart(warehouse, acquisitionCell);
  const customersElsewhere = await warehouse.query(`
    SELECT (SELECT COUNT(*) FROM dim_customer) - (SELECT SUM(customers) FROM acquisition_cell) AS n`);
  return { cells, customersElsewhere: customersElsewhere.get("n", 0) as number };
}

/** One row per subscription in the trial: see `factRetentionTrial` for the columns. @throws DataError as `readMart`. */
export const readRetentionTrial = (warehouse: Warehouse): Promise<ColumnTable> =>
  readMart(warehouse, factRetentionTrial);

/** One row per answer to a choice task of a survey: see `factChoice` for the columns. @throws DataError as `readMart`. */
export const readChoices = (warehouse: Warehouse): Promise<ColumnTable> => readMart(warehouse, factChoice);
