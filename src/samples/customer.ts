import { isoDay } from "../core/day.js";
import { decimalText } from "../core/types.js";
import type { Random } from "../numeric/random.js";
import {
  drawBernoulli,
  drawExponential,
  drawGamma,
  drawInteger,
  drawPoisson,
  drawRounded,
  drawWeighted,
} from "../numeric/sampling.js";
import type { BusyCalendar } from "./calendar.js";
import {
  type ClubLotRow,
  type ClubMemberRow,
  type ClubRow,
  type ClubTruthRow,
  generateMembership,
} from "./club.js";
import { dueOn } from "./defects.js";
import type {
  AcquisitionChannel,
  ClubDefect,
  CompanyParameters,
  Product,
  RareDefect,
  ServiceDefect,
  SubscriptionDefect,
  SurveyDefect,
} from "./parameters.js";
import { drawName, emailOf, keyedEmail } from "./people.js";
import { generateTrial, type RetentionTrialRow, type RetentionTrialTruthRow } from "./retention-trial.js";
import { type ContactRow, generateContacts } from "./service.js";
import { generateSubscription, type SubscriptionRow, type SubscriptionTruthRow } from "./subscription.js";
import { generateSurvey, type SurveyPart, type SurveyQuestions } from "./survey.js";

/** A row of customers.csv as text, the way a source system exports it. */
export interface CustomerRow {
  readonly customer_id: string;
  readonly source: string;
  readonly name: string;
  readonly email: string;
  readonly birth_year: string;
  readonly region: string;
  readonly acquisition_channel: string;
  readonly registered_on: string;
}

/** A row of orders.csv as text: one line of an order, or of a return. */
export interface OrderRow {
  readonly order_id: string;
  readonly line_no: string;
  readonly customer_id: string;
  readonly ordered_on: string;
  readonly sales_channel: string;
  readonly product_id: string;
  readonly quantity: string;
  readonly unit_price: string;
  readonly amount: string;
  readonly returned_order_id: string;
}

/** A row of truth.csv: what no company ever knows about its customer. */
export interface TruthRow {
  readonly customer_id: string;
  readonly acquisition_channel: string;
  /** Orders a week while active, on the company's inner clock. */
  readonly purchase_rate: string;
  /** Lapses a week. */
  readonly lapse_rate: string;
  /** Day of the lapse, empty if still active at the end of the data. */
  readonly lapsed_on: string;
  /** Mean budget of an order, EUR. */
  readonly mean_budget: string;
  /** Orders placed in the data, the first one included. */
  readonly orders: string;
}

/** Everything the data say about one person. */
export interface GeneratedCustomer extends Omit<SurveyPart, "planted"> {
  readonly customers: readonly CustomerRow[];
  readonly orders: readonly OrderRow[];
  readonly truth: TruthRow;
  readonly subscriptions: readonly SubscriptionRow[];
  readonly subscription_truth: readonly SubscriptionTruthRow[];
  readonly club_members: readonly ClubMemberRow[];
  readonly club: readonly ClubRow[];
  readonly club_truth: readonly ClubTruthRow[];
  readonly contacts: readonly ContactRow[];
  readonly retention_trial: readonly RetentionTrialRow[];
  readonly retention_trial_truth: readonly RetentionTrialTruthRow[];
  readonly planted: readonly PlantedDefect[];
}

/** What was planted in the data; each is counted in truth.json. */
export type PlantedDefect =
  | RareDefect
  | SubscriptionDefect
  | ClubDefect
  | ServiceDefect
  | SurveyDefect
  | "returned_line"
  | "store_card"
  | "store_card_without_email"
  | "missing_email"
  | "missing_region"
  | "missing_birth_year"
  | "birth_year_text";

/** The person with the given index (0, 1, ...), from the person's own random streams. */
export function generateCustomer(
  parameters: CompanyParameters,
  calendar: BusyCalendar,
  lots: readonly ClubLotRow[],
  questions: SurveyQuestions,
  index: number,
  seed: Random,
): GeneratedCustomer {
  const random = seed.stream("customer").stream(index);
  const planted: PlantedDefect[] = [];
  const channel = drawChannel(parameters, random.stream("channel"));
  const history = drawHistory(parameters, calendar, channel, index, random.stream("history"));
  const records = customerRecords(parameters, channel, index, history, random.stream("record"), planted);
  const orders = orderRows(parameters, calendar, index, history, records, random.stream("basket"), planted);
  plantBrokenRows(parameters, index, orders, planted);
  const person = { index, customerId: records.ownId, registeredDay: history.startDay };
  const subscription = generateSubscription(parameters, person, seed.stream("subscription").stream(index));
  const membership = generateMembership(parameters, lots, person, seed.stream("club").stream(index));
  const { contract } = subscription;
  const service = generateContacts(parameters, index, contract, seed.stream("service").stream(index));
  const trial = generateTrial(parameters, contract, seed.stream("retention trial").stream(index));
  const meanBudget = history.meanBudget.toFixed(2);
  const surveyed = { ...person, acquisitionChannel: channel.channel_id, meanBudget: Number(meanBudget) };
  const survey = generateSurvey(parameters, questions, surveyed, seed.stream("survey").stream(index));
  return {
    customers: records.rows,
    orders,
    subscriptions: subscription.rows,
    subscription_truth: subscription.truth,
    club_members: membership.members,
    club: membership.taken,
    club_truth: membership.truth,
    contacts: service.rows,
    retention_trial: trial.rows,
    retention_trial_truth: trial.truth,
    ...survey,
    planted: [
      ...planted,
      ...subscription.planted,
      ...membership.planted,
      ...service.planted,
      ...survey.planted,
    ],
    truth: {
      customer_id: records.ownId,
      acquisition_channel: channel.channel_id,
      purchase_rate: history.purchaseRate.toFixed(6),
      lapse_rate: history.lapseRate.toFixed(6),
      lapsed_on: history.lapseDay > calendar.lastDay ? "" : isoDay(history.lapseDay),
      mean_budget: meanBudget,
      orders: String(history.orders.length),
    },
  };
}

/** What a person does: when and where orders are placed, and with what budget. */
interface History {
  /** Day of acquisition, registration and the first order. */
  readonly startDay: number;
  readonly purchaseRate: number;
  readonly lapseRate: number;
  readonly lapseDay: number;
  readonly meanBudget: number;
  readonly orders: readonly {
    readonly day: number;
    readonly budget: number;
    readonly salesChannel: string;
  }[];
}

const drawChannel = (parameters: CompanyParameters, random: Random): AcquisitionChannel =>
  picked(
    parameters.acquisition,
    drawWeighted(
      random,
      parameters.acquisition.map((channel) => channel.share),
    ),
  );

/** Buying until lapse: exponential gaps on the inner clock from the first order on, cut at an exponential lapse. */
function drawHistory(
  parameters: CompanyParameters,
  calendar: BusyCalendar,
  channel: AcquisitionChannel,
  index: number,
  random: Random,
): History {
  const { r, alpha, s, beta } = channel.purchase;
  const { p, q, gamma } = channel.spend;
  const purchaseRate = drawGamma(random, r, alpha);
  const lapseRate = drawGamma(random, s, beta);
  const nu = drawGamma(random, q, gamma);
  const start = calendar.momentAt((calendar.length * (index + random.uniform())) / parameters.customers);
  const lapse = start + 7 * drawExponential(random, lapseRate);
  const orders: { day: number; budget: number; salesChannel: string }[] = [];
  let inner = calendar.innerTime(start);
  for (let moment = start; moment < lapse && moment < calendar.length; moment = calendar.momentAt(inner)) {
    orders.push({
      day: calendar.firstDay + Math.floor(moment),
      budget: drawGamma(random, p, nu),
      salesChannel: drawSalesChannel(channel.channel_id, random),
    });
    inner += 7 * drawExponential(random, purchaseRate);
  }
  const lapseDay = calendar.firstDay + Math.floor(Math.min(lapse, calendar.length));
  const startDay = calendar.firstDay + Math.floor(start);
  return { startDay, purchaseRate, lapseRate, lapseDay, meanBudget: p / nu, orders };
}

function drawSalesChannel(acquisitionChannel: string, random: Random): string {
  const weights = acquisitionChannel === "walk_in" ? [15, 80, 5] : [80, 12, 8];
  return picked(["web", "store", "phone"], drawWeighted(random, weights));
}

/** The one or two records of a person, and which of them an order is booked on. */
interface Records {
  readonly rows: readonly CustomerRow[];
  readonly ownId: string;
  idFor(salesChannel: string): string;
}

function customerRecords(
  parameters: CompanyParameters,
  channel: AcquisitionChannel,
  index: number,
  history: History,
  random: Random,
  planted: PlantedDefect[],
): Records {
  const { defects, regions } = parameters;
  const number = index + 1;
  const name = drawName(random);
  const email = emailOf(name, number);
  const walkIn = channel.channel_id === "walk_in";
  const ownId = walkIn ? storeId(number) : webId(number);
  const birthYear = String(drawInteger(random, 1946, 2006));
  const region = picked(
    regions,
    drawWeighted(
      random,
      regions.map(({ share }) => share),
    ),
  ).region_id;
  const plant = (defect: PlantedDefect, share: number): boolean => {
    const planting = drawBernoulli(random, share);
    if (planting) planted.push(defect);
    return planting;
  };
  const own: CustomerRow = {
    customer_id: ownId,
    source: walkIn ? "store" : "web",
    name: name.written,
    email: plant("missing_email", defects.missingEmailShare) ? "" : email,
    birth_year: plant("missing_birth_year", defects.missingBirthYearShare)
      ? ""
      : plant("birth_year_text", defects.birthYearTextShare)
        ? "n/a"
        : birthYear,
    region: plant("missing_region", defects.missingRegionShare) ? "" : region,
    acquisition_channel: channel.channel_id,
    registered_on: isoDay(history.startDay),
  };
  const firstStoreOrder = history.orders.find(({ salesChannel }) => salesChannel === "store");
  const mayHoldCard = !walkIn && own.email !== "" && firstStoreOrder !== undefined;
  if (!mayHoldCard || !plant("store_card", defects.storeCardShare)) {
    return { rows: [own], ownId, idFor: () => ownId };
  }
  const card: CustomerRow = {
    customer_id: storeId(number),
    source: "store",
    name: name.keyed,
    email: plant("store_card_without_email", defects.storeCardWithoutEmailShare)
      ? ""
      : keyedEmail(email, random),
    birth_year: birthYear,
    region,
    acquisition_channel: channel.channel_id,
    registered_on: isoDay(firstStoreOrder.day),
  };
  const idFor = (salesChannel: string): string => (salesChannel === "store" ? card.customer_id : ownId);
  return { rows: [own, card], ownId, idFor };
}

const webId = (number: number): string => String(number).padStart(7, "0");
const storeId = (number: number): string => `S${webId(number)}`;

function orderRows(
  parameters: CompanyParameters,
  calendar: BusyCalendar,
  index: number,
  history: History,
  records: Records,
  random: Random,
  planted: PlantedDefect[],
): OrderRow[] {
  const favourite = drawProduct(parameters, random);
  const rows: OrderRow[] = [];
  for (const [i, order] of history.orders.entries()) {
    const lines = basket(parameters, calendar, order.day, order.budget, favourite, random);
    const orderId = `B${webId(index + 1)}-${String(i + 1).padStart(3, "0")}`;
    const sold = lines.map((line, k) =>
      orderRow(line, {
        order_id: orderId,
        line_no: String(k + 1),
        customer_id: records.idFor(order.salesChannel),
        ordered_on: isoDay(order.day),
        sales_channel: order.salesChannel,
        returned_order_id: "",
      }),
    );
    rows.push(...sold);
    rows.push(...returnRows(parameters, calendar, order.day, lines, sold, random, planted));
  }
  return rows;
}

interface BasketLine {
  readonly product: Product;
  readonly quantity: number;
  readonly unitPriceCents: number;
}

function orderRow(
  line: BasketLine,
  head: Omit<OrderRow, "product_id" | "quantity" | "unit_price" | "amount">,
): OrderRow {
  return {
    order_id: head.order_id,
    line_no: head.line_no,
    customer_id: head.customer_id,
    ordered_on: head.ordered_on,
    sales_channel: head.sales_channel,
    product_id: line.product.product_id,
    quantity: String(line.quantity),
    unit_price: decimalText(line.unitPriceCents),
    amount: decimalText(line.quantity * line.unitPriceCents),
    returned_order_id: head.returned_order_id,
  };
}

/** Spends the budget on one to four products in whole packs; rounding is by chance, so that it is right on average. */
function basket(
  parameters: CompanyParameters,
  calendar: BusyCalendar,
  day: number,
  budget: number,
  favourite: Product,
  random: Random,
): BasketLine[] {
  const chosen = new Set<Product>([
    drawBernoulli(random, 0.65) ? favourite : drawProduct(parameters, random),
  ]);
  for (let extra = Math.min(drawPoisson(random, 1.1), 3); extra > 0; extra--)
    chosen.add(drawProduct(parameters, random));
  const shares = [...chosen].map(() => 0.25 + random.uniform());
  const total = shares.reduce((sum, share) => sum + share, 0);
  const lines: BasketLine[] = [];
  for (const [k, item] of [...chosen].entries()) {
    const unitPriceCents = priceOn(parameters, calendar, item, day);
    const quantity = drawRounded(random, (100 * budget * picked(shares, k)) / total / unitPriceCents);
    if (quantity > 0) lines.push({ product: item, quantity, unitPriceCents });
  }
  if (lines.length > 0) return lines;
  return [{ product: favourite, quantity: 1, unitPriceCents: priceOn(parameters, calendar, favourite, day) }];
}

const drawProduct = (parameters: CompanyParameters, random: Random): Product =>
  picked(
    parameters.products,
    drawWeighted(
      random,
      parameters.products.map(({ weight }) => weight),
    ),
  );

/** Price of a product on a day, in whole cents, rounded half up. */
function priceOn(parameters: CompanyParameters, calendar: BusyCalendar, item: Product, day: number): number {
  const { priceChange, promotion } = parameters;
  const raised = calendar.isAfterPriceChange(day) && priceChange.categories.includes(item.category);
  const list = raised ? percentOf(item.priceCents, 100 + priceChange.percentMore) : item.priceCents;
  return calendar.isPromotion(day) ? percentOf(list, 100 - promotion.percentOff) : list;
}

const percentOf = (amountCents: number, percent: number): number =>
  Math.floor((amountCents * percent + 50) / 100);

/** Returned lines of one order: its own document, negative quantity, linked to the order. */
function returnRows(
  parameters: CompanyParameters,
  calendar: BusyCalendar,
  orderDay: number,
  lines: readonly BasketLine[],
  sold: readonly OrderRow[],
  random: Random,
  planted: PlantedDefect[],
): OrderRow[] {
  const returnDay = orderDay + drawInteger(random, 3, 20);
  const rows: OrderRow[] = [];
  for (const [k, line] of lines.entries()) {
    const comesBack = drawBernoulli(random, parameters.defects.returnShare) && returnDay <= calendar.lastDay;
    if (!comesBack) continue;
    planted.push("returned_line");
    const original = picked(sold, k);
    rows.push(
      orderRow(
        { ...line, quantity: -line.quantity },
        {
          ...original,
          order_id: original.order_id.replace("B", "R"),
          ordered_on: isoDay(returnDay),
          returned_order_id: original.order_id,
        },
      ),
    );
  }
  return rows;
}

/** Adds the broken rows that fall due on this customer. They copy the first line of the first order. */
function plantBrokenRows(
  parameters: CompanyParameters,
  index: number,
  orders: OrderRow[],
  planted: PlantedDefect[],
): void {
  const model = orders[0];
  if (model === undefined) return;
  for (const defect of dueOn(parameters.defects.perThousand, index)) {
    orders.push(brokenRow(defect, model));
    planted.push(defect);
  }
}

function brokenRow(defect: RareDefect, model: OrderRow): OrderRow {
  const extra = { ...model, line_no: "9" }; // baskets have four lines at most: line 9 is free
  const [year = "", month = "", day = ""] = model.ordered_on.split("-");
  switch (defect) {
    case "exact_duplicate_row":
      return { ...model };
    case "amount_text":
      return { ...extra, amount: "n/a" };
    case "german_date":
      return { ...extra, ordered_on: `${day}.${month}.${year}` };
    case "impossible_date":
      return { ...extra, ordered_on: `${year}-02-30` };
    case "unknown_product":
      return { ...extra, product_id: "P999" };
    case "unknown_customer":
      return { ...extra, order_id: model.order_id.replace("B", "X"), customer_id: "9999999" };
    case "future_date":
      return { ...extra, ordered_on: `2042-${month}-${day === "29" ? "28" : day}` };
    case "zero_price":
      return { ...extra, unit_price: "0.00", amount: "0.00" };
    case "negative_price":
      return { ...extra, unit_price: `-${model.unit_price}`, amount: `-${model.amount}` };
  }
}

/** The item at a place known to exist. */
function picked<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new RangeError(`no item ${index} among ${items.length}`);
  return item;
}
