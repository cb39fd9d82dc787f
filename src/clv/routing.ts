/** What is known about the relationship with customers, before any number is computed. */
export interface CustomerSetting {
  /** Whether customers are bound until they leave, so that the seller learns when they do (subscription, insurance). */
  readonly contractual: boolean;
  /** Whether customers can buy, or leave, only at fixed times (renewal dates, yearly events, mailings). */
  readonly discrete: boolean;
  /** Whether the day on which a customer left is in the data; default: as `contractual`. */
  readonly churnObserved?: boolean;
  /** Regularity k of the times between purchases, from `purchaseRegularity`: from 1.5 up models with k come first. */
  readonly regularity?: number;
}

/** Which models fit a setting, where to start, and which words describe its customers. */
export interface ModelRouting {
  /** Names of the models that the setting admits, as in the literature. */
  readonly models: readonly string[];
  /** The model to try first. */
  readonly start: string;
  /** Why, in one sentence. */
  readonly why: string;
  /** The words of the setting. */
  readonly words: {
    /** What may be reported. */
    readonly right: readonly string[];
    /** What must not be reported, because it was not observed. */
    readonly avoid: readonly string[];
  };
  /** Where the classification is from. */
  readonly source: string;
}

type Quadrant = Pick<ModelRouting, "models" | "start" | "why">;

const quadrants: Readonly<
  Record<`${"contractual" | "noncontractual"} ${"discrete" | "continuous"}`, Quadrant>
> = {
  "noncontractual continuous": {
    models: ["Pareto/NBD", "BG/NBD", "MBG/NBD", "BG/CNBD-k", "MBG/CNBD-k", "NBD"],
    start: "MBG/NBD",
    why: "customers may buy on any day and leave without a word: the MBG/NBD fits as simply as the BG/NBD, and lets people leave who bought only once",
  },
  "noncontractual discrete": {
    models: ["BG/BB"],
    start: "BG/BB",
    why: "customers may buy at each of a few occasions and leave without a word: the BG/BB counts the occasions used and the last of them",
  },
  "contractual discrete": {
    models: ["sBG", "BdW"],
    start: "sBG",
    why: "customers renew or leave on fixed dates: the sBG has two parameters; take the BdW where single customers' chance to leave changes with time",
  },
  "contractual continuous": {
    models: ["exponential-gamma (survival models)"],
    start: "exponential-gamma (survival models)",
    why: "customers may end the contract on any day, and the day is known: a time to an event, censored for those still here",
  },
};

const contractualWords = {
  right: ["retention rate", "churn rate", "survival", "renewal", "active customers"],
  avoid: ["P(alive)", "repeat-buying rate"],
};
const noncontractualWords = {
  right: ["repeat-buying rate", "P(alive)", "active share", "expected purchases"],
  avoid: ["retention", "churn", "survival", "renewal"],
};

/** Where CNBD-2 is nearer to the data than k = 1. */
const REGULAR = 1.5;

/**
 * Which models of customer lifetime a setting admits: two questions, whether leaving is observed (contractual) and
 * whether buying or leaving has fixed times (discrete), make four quadrants with a family of models each.
 * @throws RangeError if the answers contradict each other (a contract whose end is not observed, or no contract and
 * leaving observed all the same), or the regularity is not above 0.
 * @see Fader & Hardie (2009), Probability Models for Customer-Base Analysis, J. Interactive Marketing 23(1), after
 * Schmittlein, Morrison & Colombo (1987), Counting Your Customers, Management Science 33(1).
 */
export function admissibleModels(setting: CustomerSetting): ModelRouting {
  const { contractual, discrete, churnObserved = contractual, regularity } = setting;
  if (contractual && !churnObserved) {
    throw new RangeError(
      "churnObserved must be true where contractual is true: a contract has an end that is on record. " +
        "Get the days of cancellation, or, if customers can stop without telling, say contractual: false",
    );
  }
  if (!contractual && churnObserved) {
    throw new RangeError(
      "churnObserved must be false where contractual is false: without a contract nobody sees a customer leave. " +
        "If the day of leaving is on record, say contractual: true; a rule such as no purchase in a year is no record",
    );
  }
  if (regularity !== undefined && !(regularity > 0 && Number.isFinite(regularity))) {
    throw new RangeError(`regularity must be a number above 0, got ${regularity}`);
  }
  const name =
    `${contractual ? "contractual" : "noncontractual"} ${discrete ? "discrete" : "continuous"}` as const;
  const regular = !contractual && !discrete && regularity !== undefined && regularity >= REGULAR;
  return Object.freeze({
    ...quadrants[name],
    ...(regular && {
      start: "MBG/CNBD-k",
      why: `customers may buy on any day and leave without a word, and buy more regularly than at random (k = ${regularity.toFixed(1)}): the MBG/CNBD-k takes silence of a regular buyer as an earlier sign`,
    }),
    words: contractual ? contractualWords : noncontractualWords,
    source:
      "Fader & Hardie (2009), Probability Models for Customer-Base Analysis, J. Interactive Marketing 23(1), after Schmittlein, Morrison & Colombo (1987)",
  });
}

/**
 * Passes a heading or label on, or refuses it if it claims what the setting does not observe, such as "Retention by
 * cohort" where customers leave without a word.
 * @throws RangeError naming the word and the right ones.
 * @see Fader & Hardie (2009), as for `admissibleModels`.
 */
export function requireRightWords(text: string, setting: CustomerSetting): string {
  const { right, avoid } = admissibleModels(setting).words;
  const wrong = avoid.find((word) => text.toLowerCase().includes(word.toLowerCase()));
  if (wrong === undefined) return text;
  const reason = setting.contractual
    ? "leaving is observed here, nothing of it needs to be inferred"
    : "leaving is not observed here";
  throw new RangeError(`"${text}" must not say ${wrong}: ${reason}; say ${right.join(", ")}`);
}
