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
  /** Shares of the respondents of the survey; nobody has two, and that of a part of the survey falls out where it was not asked. */
  readonly surveyShares: Readonly<Record<SurveyDefect, number>>;
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

/** What is wrong with a respondent's answers to the survey: two answer without care, one task is left out, or a row is added. */
export type SurveyDefect =
  | "speeder"
  | "straight_liner"
  | "missing_task"
  | "task_answered_twice"
  | "unknown_alternative"
  | "rating_above_scale"
  | "unknown_statement";

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

/** Customers who look for the same in a coffee subscription. */
export interface SurveySegment {
  readonly name: string;
  /**
   * A customer is in the segment with probability weight / sum of weights of the segments, where the weight is that of the
   * acquisition channel here times (mean budget of an order / `referenceBudget`)^budgetExponent.
   */
  readonly channelWeights: Readonly<Record<string, number>>;
  readonly budgetExponent: number;
  /**
   * Mean utilities by column: "coffee single origin" and so on against the first level of the attribute, an EUR a month up
   * to the kink and above it, "none" against a product of first levels that is free. Choices are a logit model of scale 1.
   */
  readonly partWorths: Readonly<Record<string, number>>;
  /** Mean utilities of the statements, against the last one. */
  readonly statements: Readonly<Record<string, number>>;
}

/** Places from 0 of the levels of a product, attribute after attribute, the price last: "010001". */
export type SurveyProduct = string;

/** The survey on a new subscription plan. */
export interface SurveyParameters {
  /** Days of the fieldwork, both included; who registered before the first one can be invited. */
  readonly firstDay: string;
  readonly lastDay: string;
  /** Share of those customers who are invited by lot, all of whom answer. */
  readonly share: number;
  /** What the plan may be like, and the levels of each; beside the price. */
  readonly attributes: readonly { readonly name: string; readonly levels: readonly string[] }[];
  /** Prices a month, EUR cents, and the one above which an EUR may weigh otherwise. */
  readonly priceCents: readonly number[];
  readonly kinkCents: number;
  /** Choice tasks: so many products and none of them. `versions` differ, but not in the holdout tasks. */
  readonly versions: number;
  readonly tasks: number;
  readonly alternatives: number;
  readonly holdouts: readonly { readonly task: number; readonly products: readonly SurveyProduct[] }[];
  /** Cards rated by a share of the respondents from 0 to 10: neutral + perUtility x (utility - utility of none) + noise. */
  readonly cards: readonly SurveyProduct[];
  readonly rating: {
    readonly share: number;
    readonly neutral: number;
    readonly perUtility: number;
    /** Standard deviation of the noise, normal. */
    readonly noise: number;
  };
  /** Statements on a coffee subscription: short name and words. */
  readonly statements: readonly { readonly name: string; readonly words: string }[];
  /** Places of the statements of the first best-worst question; the others follow in a circle, as many as statements. */
  readonly firstSet: readonly number[];
  readonly segments: readonly SurveySegment[];
  /** Mean budget of an order, EUR, at which the weights of the segments are those of the acquisition channel. */
  readonly referenceBudget: number;
  /**
   * How a respondent differs from the mean of the segment: standard deviations of utilities, normal; of the log of a factor
   * of the price utilities, whose mean is 1.
   */
  readonly spread: {
    readonly partWorth: number;
    readonly none: number;
    readonly logPrice: number;
    readonly statement: number;
  };
  /** Seconds a task: the median of careful respondents and of speeders, and the spread of logs over persons and tasks. */
  readonly seconds: {
    readonly careful: number;
    readonly speeder: number;
    readonly overPersons: number;
    readonly overTasks: number;
  };
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
  /** The survey on a new subscription plan. */
  readonly survey: SurveyParameters;
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
  survey: {
    firstDay: "2025-11-03",
    lastDay: "2025-11-23",
    share: 0.1,
    attributes: [
      { name: "coffee", levels: ["house blend", "single origin", "lot of the month"] },
      { name: "pack", levels: ["250 g", "500 g", "1 kg"] },
      { name: "delivery", levels: ["letterbox", "parcel", "store pick-up"] },
      { name: "commitment", levels: ["cancel any month", "six months"] },
      { name: "extras", levels: ["no extras", "tasting notes and visit"] },
    ],
    priceCents: [990, 1490, 1990, 2490, 2990],
    kinkCents: 1990,
    versions: 6,
    tasks: 12,
    alternatives: 3,
    holdouts: [
      { task: 4, products: ["010001", "100002", "201113"] },
      { task: 9, products: ["022002", "111003", "200012"] },
    ],
    cards:
      "000000 011012 022004 000112 011104 022100 101000 112002 120014 101104 112110 120102 202002 210004 221010 202114 210100 221102".split(
        " ",
      ),
    rating: { share: 0.5, neutral: 5, perUtility: 0.8, noise: 1 },
    statements: [
      { name: "taste", words: "The coffee tastes better than what I find elsewhere" },
      { name: "freshness", words: "It was roasted a few days before it reaches me" },
      { name: "low price", words: "It costs little" },
      { name: "origin", words: "I know the farm that it comes from" },
      { name: "variety", words: "There is something new every month" },
      { name: "never runs out", words: "I never run out of coffee" },
      { name: "fits the letterbox", words: "I need not be at home when it comes" },
      { name: "easy to cancel", words: "I can stop or pause at any time" },
      { name: "fair to growers", words: "The growers are paid well" },
      { name: "good advice", words: "Somebody tells me how to brew it" },
    ],
    firstSet: [0, 1, 4, 6],
    referenceBudget: 25,
    segments: [
      {
        name: "price-minded",
        channelWeights: { search: 1.2, social: 1, referral: 0.6, walk_in: 1 },
        budgetExponent: -1,
        partWorths: {
          "coffee single origin": 0.3,
          "coffee lot of the month": 0.1,
          "pack 500 g": 0.9,
          "pack 1 kg": 1.5,
          "delivery parcel": -0.2,
          "delivery store pick-up": 0.1,
          "commitment six months": -0.4,
          "extras tasting notes and visit": 0.1,
          "price to 19.9": -0.16,
          "price from 19.9": -0.32,
          none: -1.8,
        },
        statements: {
          taste: 1,
          freshness: 0.5,
          "low price": 2,
          origin: -0.4,
          variety: -0.2,
          "never runs out": 0.8,
          "fits the letterbox": 0.4,
          "easy to cancel": 1.2,
          "fair to growers": 0.1,
        },
      },
      {
        name: "connoisseur",
        channelWeights: { search: 0.8, social: 0.7, referral: 1.6, walk_in: 0.8 },
        budgetExponent: 1.2,
        partWorths: {
          "coffee single origin": 1.1,
          "coffee lot of the month": 1.5,
          "pack 500 g": 0.5,
          "pack 1 kg": 0.3,
          "delivery parcel": 0.1,
          "delivery store pick-up": -0.2,
          "commitment six months": -0.4,
          "extras tasting notes and visit": 0.8,
          "price to 19.9": -0.08,
          "price from 19.9": -0.08,
          none: -0.4,
        },
        statements: {
          taste: 2.2,
          freshness: 1.6,
          "low price": -0.6,
          origin: 1.4,
          variety: 1.2,
          "never runs out": 0.1,
          "fits the letterbox": -0.1,
          "easy to cancel": 0.2,
          "fair to growers": 0.9,
        },
      },
      {
        name: "convenience seeker",
        channelWeights: { search: 1, social: 1.3, referral: 0.8, walk_in: 1.2 },
        budgetExponent: 0,
        partWorths: {
          "coffee single origin": 0.4,
          "coffee lot of the month": 0.2,
          "pack 500 g": 0.6,
          "pack 1 kg": 0.5,
          "delivery parcel": -0.7,
          "delivery store pick-up": -1.3,
          "commitment six months": -0.9,
          "extras tasting notes and visit": 0.2,
          "price to 19.9": -0.1,
          "price from 19.9": -0.1,
          none: -1.4,
        },
        statements: {
          taste: 1.1,
          freshness: 0.8,
          "low price": 0.3,
          origin: -0.5,
          variety: -0.1,
          "never runs out": 1.6,
          "fits the letterbox": 1.9,
          "easy to cancel": 1.5,
          "fair to growers": 0.2,
        },
      },
    ],
    spread: { partWorth: 0.3, none: 0.5, logPrice: 0.25, statement: 0.4 },
    seconds: { careful: 14, speeder: 3, overPersons: 0.2, overTasks: 0.35 },
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
    surveyShares: {
      speeder: 0.025,
      straight_liner: 0.02,
      missing_task: 0.02,
      task_answered_twice: 0.02,
      unknown_alternative: 0.02,
      rating_above_scale: 0.03,
      unknown_statement: 0.02,
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
