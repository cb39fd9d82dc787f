/** What the sample company is made of. Every number here is a truth that a lesson can try to recover. */

/** How the customers won through one acquisition channel behave. */
export interface AcquisitionChannel {
  readonly channel_id: string;
  readonly name: string;
  /** Share of all new customers; the shares of the channels add to 1. */
  readonly share: number;
  /** What winning one customer cost, EUR cents. */
  readonly costCents: number;
  /** Customers won in a month by the money spent on the channel, in a company of `responseCustomers`. */
  readonly response: ChannelResponse;
  /**
   * Pareto/NBD process, time in weeks: purchase rates vary over customers as Gamma(r, alpha), lapse rates as
   * Gamma(s, beta), second argument a rate. @see Schmittlein, Morrison & Colombo (1987), Management Science 33(1).
   */
  readonly purchase: {
    readonly r: number;
    readonly alpha: number;
    readonly s: number;
    readonly beta: number;
  };
  /**
   * Gamma-gamma spend: an order's budget in EUR is Gamma(p, nu), nu varies over customers as Gamma(q, gamma).
   * Mean budget p gamma / (q - 1). @see Fader & Hardie (2013), The Gamma-Gamma Model of Monetary Value.
   */
  readonly spend: { readonly p: number; readonly q: number; readonly gamma: number };
}

/**
 * How many customers W a channel wins in a month, on average, with S EUR, in the form that `responseAt` takes:
 * - negative-exponential: W = ceiling (1 - exp(-rate S)), rate per EUR
 * - hill: W = ceiling S^exponent / (S^exponent + half^exponent), half in EUR
 * - log: W = scale ln(1 + S / threshold), threshold in EUR
 */
export type ChannelResponse =
  | {
      readonly shape: "negative-exponential";
      readonly parameters: { readonly ceiling: number; readonly rate: number };
    }
  | {
      readonly shape: "hill";
      readonly parameters: { readonly ceiling: number; readonly half: number; readonly exponent: number };
    }
  | { readonly shape: "log"; readonly parameters: { readonly scale: number; readonly threshold: number } };

/** Where an order is placed. */
export interface SalesChannel {
  readonly channel_id: string;
  readonly name: string;
}

/** A product with its list price at the start, and its unit cost, in EUR cents. */
export interface Product {
  readonly product_id: string;
  readonly name: string;
  readonly category: string;
  readonly priceCents: number;
  readonly costCents: number;
  /** How often it is picked, relative to the others. */
  readonly weight: number;
}

/** A sales region and its share of the customers. */
export interface Region {
  readonly region_id: string;
  readonly name: string;
  readonly country: string;
  readonly share: number;
  /** What winning a customer costs here, relative to the response curve of the channel. */
  readonly costFactor: number;
}

/** Shares of ordinary defects, and how many of each rare one are planted for every 1,000 customers. */
export interface Defects {
  /** Share of store visitors among the web customers who also hold a store card: a second record of the person. */
  readonly storeCardShare: number;
  /** Share of those cards without an email address, so that no rule on emails can merge them. */
  readonly storeCardWithoutEmailShare: number;
  readonly missingEmailShare: number;
  readonly missingRegionShare: number;
  readonly missingBirthYearShare: number;
  /** Share of customers with "n/a" for a birth year. */
  readonly birthYearTextShare: number;
  /** Share of order lines that come back in full 3 to 20 days later. */
  readonly returnShare: number;
  readonly perThousand: Readonly<Record<RareDefect, number>>;
  /** Likewise among the subscriptions; a defect falls out where the person has none. */
  readonly subscriptionPerThousand: Readonly<Record<SubscriptionDefect, number>>;
  /** Likewise among the members of the club and the offers they took. */
  readonly clubPerThousand: Readonly<Record<ClubDefect, number>>;
  /** Likewise among the service contacts; a defect falls out where the person has none. */
  readonly servicePerThousand: Readonly<Record<ServiceDefect, number>>;
}

/** Broken rows, each added beside the true ones: taking them all out leaves exactly the true purchases. */
export type RareDefect =
  | "exact_duplicate_row"
  | "amount_text"
  | "german_date"
  | "impossible_date"
  | "unknown_product"
  | "unknown_customer"
  | "future_date"
  | "zero_price"
  | "negative_price";

/** Broken rows of subscriptions.csv, each added beside the true ones. */
export type SubscriptionDefect =
  | "subscription_twice"
  | "ended_before_start"
  | "reason_while_running"
  | "unknown_plan"
  | "unknown_subscriber"
  | "fee_text";

/** Broken rows of club_members.csv and club.csv, each added beside the true ones. */
export type ClubDefect =
  | "member_twice"
  | "offer_twice"
  | "offer_before_joining"
  | "offer_in_mid_month"
  | "offer_to_stranger";

/** Broken rows of contacts.csv, each added beside the true ones. */
export type ServiceDefect =
  | "contact_twice"
  | "contact_of_stranger"
  | "contact_before_start"
  | "contact_on_impossible_day"
  | "contact_without_known_reason";

/** One plan of the coffee subscription. */
export interface SubscriptionPlan {
  /** Name, as the sources write it. */
  readonly name: string;
  /** Share of all subscriptions; the shares of the plans add to 1. */
  readonly share: number;
  /** What a month costs, EUR cents. */
  readonly feeCents: number;
  /**
   * Shifted-beta-geometric process: at every monthly renewal a subscriber leaves with a constant probability of their own,
   * which varies over subscribers as Beta(alpha, beta). @see Fader & Hardie (2007), J. Interactive Marketing 21(1).
   */
  readonly churn: { readonly alpha: number; readonly beta: number };
}

/** The coffee subscription: a contract, renewed every month. */
export interface SubscriptionParameters {
  /** Share of all persons who subscribe, once, some of them after the end of the data. */
  readonly share: number;
  /** Mean number of days from registration to the start; exponential, cut to whole days. */
  readonly meanDaysToStart: number;
  /** What one can subscribe to. */
  readonly plans: readonly SubscriptionPlan[];
  /** Share of the ended subscriptions that ended because a payment failed, whatever the plan or the time. */
  readonly paymentFailedShare: number;
}

/** The Roaster's Club: without a contract, every member is offered one limited lot a month. */
export interface ClubParameters {
  /** Share of the persons registered in time for an intake who join at the first one. */
  readonly share: number;
  /** First days of the months in which members are taken in, in order. */
  readonly intakes: readonly string[];
  /** First day of the month of the first lot; one in every month from then on. */
  readonly firstLot: string;
  /** What is offered, in turn. */
  readonly lots: readonly string[];
  /** Price of a lot, EUR cents. */
  readonly priceCents: number;
  /**
   * BG/BB process: an interested member takes an offer with a probability of their own, Beta(alpha, beta) over members.
   * @see Fader, Hardie & Shang (2010), Marketing Science 29(6).
   */
  readonly taking: { readonly alpha: number; readonly beta: number };
  /** Before every offer, the first included, interest ends for good with a probability of their own, Beta(gamma, delta). */
  readonly leaving: { readonly gamma: number; readonly delta: number };
}

/** Why a subscriber gets in touch with the service. */
export type ContactReason = "complaint" | "question" | "billing";

/** The service that answers the subscribers. */
export interface ServiceParameters {
  /** How a contact is made, and its share of all contacts; the shares add to 1. */
  readonly channels: readonly { readonly name: string; readonly share: number }[];
  /**
   * Mean number of contacts in a contract month, Poisson: if the subscription is cancelled at the end of the month, and if
   * it stays, which it also does where a payment fails. The log odds of a cancellation so rise by ln(leaving / staying) a
   * contact, by Bayes' rule.
   */
  readonly meanContacts: Readonly<
    Record<ContactReason, { readonly staying: number; readonly leaving: number }>
  >;
}

/** An experiment on the day after the data: every running subscription is offered money, by chance, to stay. */
export interface RetentionTrialParameters {
  /** Renewals to be made, all of them, to count as renewed. */
  readonly renewals: number;
  /** Value of the offer, EUR cents, and the share of the subscriptions that get it; the shares add to 1. */
  readonly arms: readonly { readonly offerCents: number; readonly share: number }[];
  /**
   * An offer of A EUR keeps a subscriber who would have left with probability ceiling (1 - exp(-k A)), k per EUR, and drives
   * nobody away. @see Blattberg & Deighton (1996), Harvard Business Review 74(4).
   */
  readonly saved: { readonly ceiling: number; readonly k: number };
}

/** All parameters of the sample company. */
export interface CompanyParameters {
  readonly company: string;
  readonly customers: number;
  /** First and last day of the data, both included. */
  readonly firstDay: string;
  readonly lastDay: string;
  readonly acquisition: readonly AcquisitionChannel[];
  /** Customers of the company for which the response curves hold; of another one, W and S grow in proportion. */
  readonly responseCustomers: number;
  readonly sales: readonly SalesChannel[];
  readonly products: readonly Product[];
  readonly regions: readonly Region[];
  /** Purchase intensity of each calendar month relative to the others, January first. */
  readonly season: readonly number[];
  /** A promotion multiplies the purchase intensity and takes a percentage off every price. */
  readonly promotion: {
    readonly firstDay: string;
    readonly lastDay: string;
    readonly intensity: number;
    readonly percentOff: number;
  };
  /** From this day on the products of these categories cost so many percent more. */
  readonly priceChange: {
    readonly from: string;
    readonly categories: readonly string[];
    readonly percentMore: number;
  };
  /** The coffee subscription. */
  readonly subscription: SubscriptionParameters;
  /** The Roaster's Club. */
  readonly club: ClubParameters;
  /** The subscribers' service. */
  readonly service: ServiceParameters;
  /** The experiment with retention offers. */
  readonly retentionTrial: RetentionTrialParameters;
  readonly defects: Defects;
}

/** The seed of the shipped data. */
export const sampleSeed = 20_240_101;

/** Brenkamp Coffee, a fictional roaster that opened on 1 January 2024, as shipped in `data/brenkamp`. */
export const brenkamp: CompanyParameters = {
  company: "Brenkamp Coffee",
  customers: 4000,
  firstDay: "2024-01-01",
  lastDay: "2025-12-31",
  acquisition: [
    {
      channel_id: "search",
      name: "Search engine",
      share: 0.3,
      costCents: 1800,
      response: { shape: "negative-exponential", parameters: { ceiling: 100, rate: 0.000835 } },
      purchase: { r: 0.9, alpha: 8, s: 0.8, beta: 14 },
      spend: { p: 6, q: 4.5, gamma: 19.8 },
    },
    {
      channel_id: "social",
      name: "Social media",
      share: 0.2,
      costCents: 2400,
      response: { shape: "hill", parameters: { ceiling: 70, half: 784, exponent: 1.5 } },
      purchase: { r: 0.7, alpha: 9, s: 1, beta: 9 },
      spend: { p: 6, q: 4.5, gamma: 16.3 },
    },
    {
      channel_id: "referral",
      name: "Friend's referral",
      share: 0.2,
      costCents: 900,
      response: { shape: "negative-exponential", parameters: { ceiling: 60, rate: 0.00297 } },
      purchase: { r: 1.4, alpha: 9, s: 0.6, beta: 22 },
      spend: { p: 6, q: 4.5, gamma: 23.3 },
    },
    {
      channel_id: "walk_in",
      name: "Walk-in",
      share: 0.3,
      costCents: 600,
      response: { shape: "log", parameters: { scale: 45.5, threshold: 138 } },
      purchase: { r: 1.1, alpha: 9, s: 0.7, beta: 18 },
      spend: { p: 6, q: 4.5, gamma: 15.2 },
    },
  ],
  responseCustomers: 4000,
  sales: [
    { channel_id: "web", name: "Web shop" },
    { channel_id: "store", name: "Store" },
    { channel_id: "phone", name: "Call centre" },
  ],
  products: [
    product("P001", "Harbour Blend 250 g", "filter coffee", 690, 310, 14),
    product("P002", "Lighthouse Filter 250 g", "filter coffee", 790, 360, 11),
    product("P003", "Ethiopia Guji 250 g", "filter coffee", 990, 480, 8),
    product("P004", "Colombia Huila 250 g", "filter coffee", 890, 420, 8),
    product("P005", "Night Ferry Espresso 250 g", "espresso", 750, 330, 13),
    product("P006", "Quay Espresso 250 g", "espresso", 850, 390, 9),
    product("P007", "Sumatra Espresso 250 g", "espresso", 950, 460, 5),
    product("P008", "Still Water Decaf 250 g", "decaf", 890, 430, 6),
    product("P009", "Low Tide Decaf Espresso 250 g", "decaf", 920, 440, 4),
    product("P010", "Drinking Chocolate 200 g", "chocolate and tea", 620, 250, 6),
    product("P011", "Earl Grey 100 g", "chocolate and tea", 540, 180, 4),
    product("P012", "Paper Filters, 100", "equipment", 420, 130, 7),
    product("P013", "Enamel Mug", "equipment", 990, 380, 3),
    product("P014", "Pour-over Dripper", "equipment", 1490, 620, 2),
  ],
  regions: [
    { region_id: "north", name: "North", country: "DE", share: 0.34, costFactor: 1 },
    { region_id: "west", name: "West", country: "DE", share: 0.28, costFactor: 1.1 },
    { region_id: "south", name: "South", country: "DE", share: 0.22, costFactor: 0.9 },
    { region_id: "alps", name: "Alps", country: "AT", share: 0.16, costFactor: 1.3 },
  ],
  season: [0.98, 0.95, 1, 0.97, 0.95, 0.88, 0.8, 0.84, 1, 1.05, 1.15, 1.35],
  promotion: { firstDay: "2024-11-25", lastDay: "2024-12-01", intensity: 2.5, percentOff: 20 },
  priceChange: { from: "2025-03-01", categories: ["filter coffee", "espresso", "decaf"], percentMore: 8 },
  subscription: {
    share: 0.62,
    meanDaysToStart: 30,
    plans: [
      { name: "Small", share: 0.6, feeCents: 890, churn: { alpha: 0.9, beta: 5.5 } },
      { name: "Large", share: 0.4, feeCents: 2690, churn: { alpha: 0.7, beta: 9 } },
    ],
    paymentFailedShare: 0.15,
  },
  club: {
    share: 0.5,
    intakes: ["2024-03-01", "2024-06-01", "2024-09-01", "2024-12-01", "2025-03-01", "2025-06-01"],
    firstLot: "2024-04-01",
    lots: [
      "Kenya Nyeri",
      "Panama Boquete",
      "Rwanda Huye",
      "Costa Rica Tarrazú",
      "Burundi Kayanza",
      "Yemen Haraz",
    ],
    priceCents: 1490,
    taking: { alpha: 0.9, beta: 2.4 },
    leaving: { gamma: 0.7, delta: 6.3 },
  },
  service: {
    channels: [
      { name: "phone", share: 0.5 },
      { name: "email", share: 0.35 },
      { name: "chat", share: 0.15 },
    ],
    meanContacts: {
      complaint: { staying: 0.04, leaving: 0.28 },
      question: { staying: 0.1, leaving: 0.1 },
      billing: { staying: 0.03, leaving: 0.06 },
    },
  },
  retentionTrial: {
    renewals: 3,
    arms: [
      { offerCents: 0, share: 0.4 },
      { offerCents: 300, share: 0.2 },
      { offerCents: 600, share: 0.2 },
      { offerCents: 1200, share: 0.2 },
    ],
    saved: { ceiling: 0.6, k: 0.25 },
  },
  defects: {
    storeCardShare: 0.25,
    storeCardWithoutEmailShare: 0.2,
    missingEmailShare: 0.05,
    missingRegionShare: 0.03,
    missingBirthYearShare: 0.08,
    birthYearTextShare: 0.01,
    returnShare: 0.03,
    perThousand: {
      exact_duplicate_row: 10,
      amount_text: 3,
      german_date: 2,
      impossible_date: 1,
      unknown_product: 2,
      unknown_customer: 2,
      future_date: 2,
      zero_price: 1,
      negative_price: 1,
    },
    subscriptionPerThousand: {
      subscription_twice: 4,
      ended_before_start: 3,
      reason_while_running: 2,
      unknown_plan: 2,
      unknown_subscriber: 2,
      fee_text: 3,
    },
    clubPerThousand: {
      member_twice: 3,
      offer_twice: 6,
      offer_before_joining: 6,
      offer_in_mid_month: 5,
      offer_to_stranger: 5,
    },
    servicePerThousand: {
      contact_twice: 5,
      contact_of_stranger: 4,
      contact_before_start: 4,
      contact_on_impossible_day: 3,
      contact_without_known_reason: 4,
    },
  },
};

function product(
  product_id: string,
  name: string,
  category: string,
  priceCents: number,
  costCents: number,
  weight: number,
): Product {
  return { product_id, name, category, priceCents, costCents, weight };
}
