import { requireAbove, requireFromZero, requireLevel } from "../core/arguments.js";
import { ExactSum, quantileOf } from "../numeric/quantile.js";
import type { Random } from "../numeric/random.js";
import { drawGamma } from "../numeric/sampling.js";
import { normalQuantile } from "../numeric/special.js";

/** What a customer cost, and brings by age. */
export interface PaybackTerms {
  /** What it cost to win the customer, money from 0 up. */
  readonly cost: number;
  /**
   * Expected margin of a customer won in each period after it: the first element is that of the first period. Survival
   * is in it already: it is the margin of all who were won, lost ones included, by their number at the start.
   */
  readonly marginByAge: readonly number[];
  /** Discount rate, a fraction per period; default 0. The first period is not discounted. */
  readonly discountRate?: number;
}

/** When a customer has brought back what winning one cost. */
export type Payback = {
  /** Margin less cost after each period, discounted; the first element is before any margin, -cost. */
  readonly balance: readonly number[];
} & (
  | {
      readonly status: "paid back";
      /** Periods until the balance first reaches 0. */
      readonly periods: number;
    }
  | {
      readonly status: "never";
      /** Periods looked at: the length of the margins. */
      readonly horizon: number;
      /** What is still missing at the end, money. */
      readonly missing: number;
    }
);

/**
 * Payback time: periods until the expected margin of a customer won, added up, reaches the cost of winning one. "never"
 * means not within the margins given. It looks no farther than that time: a customer who pays back late may be worth more.
 * @throws RangeError if the cost is below 0, a margin is no number, there are none, or the discount rate is not a fraction.
 */
export function payback({ cost, marginByAge, discountRate = 0 }: PaybackTerms): Payback {
  requireFromZero({ cost });
  if (!(discountRate >= 0 && discountRate < 1)) {
    const hint = discountRate >= 1 ? "; a percentage must be divided by 100" : "";
    throw new RangeError(`discountRate must be a fraction from 0 to below 1, got ${discountRate}${hint}`);
  }
  if (marginByAge.length === 0) throw new RangeError("marginByAge must have at least one period, got none");
  const sum = new ExactSum();
  sum.add(-cost);
  const balance = [sum.total];
  for (const [age, margin] of marginByAge.entries()) {
    if (!Number.isFinite(margin)) {
      throw new RangeError(`marginByAge must be numbers, got ${margin} in period ${age + 1}`);
    }
    sum.add(margin / (1 + discountRate) ** age);
    balance.push(sum.total);
  }
  const periods = balance.findIndex((money) => money >= 0);
  return Object.freeze(
    periods === -1
      ? { status: "never", horizon: marginByAge.length, missing: -sum.total, balance }
      : { status: "paid back", periods, balance },
  );
}

/** What customers of a channel or segment are worth, and what winning them cost. */
export interface ValueToCostTerms {
  /**
   * Lifetime value of a customer won: an estimate with its interval, or draws of the mean value from a posterior or a
   * bootstrap.
   */
  readonly value:
    | { readonly estimate: number; readonly low: number; readonly high: number; readonly level: number }
    | { readonly draws: readonly number[] };
  /**
   * Which payments the value counts. Only "first payment now" compares with the cost: the value of a customer not yet won,
   * the first purchase included. The value of one "just acquired" leaves out that purchase, which the spend has bought too.
   */
  readonly convention: "first payment now" | "just acquired" | "end of period";
  /** Money spent, above 0. */
  readonly spend: number;
  /** Customers won by it, a whole number from 1 up. */
  readonly won: number;
}

/** Lifetime value by cost of acquisition. */
export interface ValueToCost {
  /** Value / cost: above 1, an average customer is worth more than winning one cost. */
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  /** Coverage of the interval. */
  readonly level: number;
  /** "not sure" if the interval holds 1. */
  readonly verdict: "pays back" | "does not pay back" | "not sure";
  /** What to mind, in words. */
  readonly warnings: readonly string[];
}

const AVERAGE_WARNING =
  "the ratio is an average: more spend wins dearer customers, so it does not say that more spend pays; compare the marginal cost";

/**
 * Lifetime value by acquisition cost (CLV:CAC) with its interval. From an interval of the value, which must be above 0, by
 * the delta method on the log scale: its variance is that of the log value and, as customers won are Poisson, 1 / won. From
 * draws: each one by a cost whose number of customers is drawn from its posterior, Gamma(won + 1/2).
 * @throws RangeError if the convention is not "first payment now", a number is not as described, there are fewer than 20
 * draws, or draws are given without a random source.
 * @see Fader & Hardie (2012), Reconciling and Clarifying CLV Formulas, note 024, for the convention.
 */
export function valueToCost(
  terms: ValueToCostTerms,
  options: { readonly level?: number; readonly random?: Random } = {},
): ValueToCost {
  const { value, convention, spend, won } = terms;
  const { level = 0.9, random } = options;
  requireLevel(level);
  if (convention !== "first payment now") {
    throw new RangeError(
      `convention must be "first payment now", the value of a customer not yet won, got "${convention}": it leaves out what the spend has bought`,
    );
  }
  requireAbove("spend", spend, 0);
  if (!(Number.isSafeInteger(won) && won >= 1)) {
    throw new RangeError(`won must be a whole number of 1 or more, got ${won}`);
  }
  const { ratio, low, high } =
    "draws" in value
      ? ratioOfDraws(value.draws, spend, won, level, random)
      : ratioOfInterval(value, spend, won, level);
  const verdict = low > 1 ? "pays back" : high < 1 ? "does not pay back" : "not sure";
  return Object.freeze({ ratio, low, high, level, verdict, warnings: Object.freeze([AVERAGE_WARNING]) });
}

interface Ratio {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
}

function ratioOfInterval(
  value: { readonly estimate: number; readonly low: number; readonly high: number; readonly level: number },
  spend: number,
  won: number,
  level: number,
): Ratio {
  const { estimate, low, high } = value;
  if (!(low > 0 && low <= estimate && estimate <= high && high < Number.POSITIVE_INFINITY)) {
    throw new RangeError(
      `value must have 0 < low <= estimate <= high, got low ${low}, estimate ${estimate}, high ${high}; give draws if it may be below 0`,
    );
  }
  requireLevel(value.level);
  const valueError = Math.log(high / low) / (2 * normalQuantile((1 + value.level) / 2));
  const reach = Math.exp(normalQuantile((1 + level) / 2) * Math.sqrt(valueError ** 2 + 1 / won));
  const ratio = (estimate * won) / spend;
  return { ratio, low: ratio / reach, high: ratio * reach };
}

function ratioOfDraws(
  draws: readonly number[],
  spend: number,
  won: number,
  level: number,
  random: Random | undefined,
): Ratio {
  if (random === undefined) throw new RangeError("random must be given with draws, got none");
  if (!(draws.length >= 20 && draws.every(Number.isFinite))) {
    throw new RangeError(`draws must be at least 20 numbers, got ${draws.length}`);
  }
  const ratios = draws.map((value) => (value * drawGamma(random, won + 0.5, 1)) / spend);
  const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
  return {
    ratio: (mean * won) / spend,
    low: quantileOf(ratios, (1 - level) / 2),
    high: quantileOf(ratios, (1 + level) / 2),
  };
}
