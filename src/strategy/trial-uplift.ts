import { deepFreeze } from "../clv/fit.js";
import { DataError } from "../core/errors.js";
import { normalQuantile } from "../numeric/special.js";
import { chiSquareTail, twoSidedP } from "../numeric/tail-probability.js";
import { wilsonInterval } from "../scoring/score-quality.js";

/** Customers of one arm of a retention trial, in one stratum. */
export interface TrialArm {
  /** Name of the arm. */
  readonly arm: string;
  /** Name of the stratum, for instance a plan; one for all unless given. */
  readonly stratum?: string;
  /** Customers who were assigned to it. */
  readonly customers: number;
  /** How many of them stayed. */
  readonly stayed: number;
}

/** A difference between shares with its limits. */
export interface Difference {
  /** Share of the arm minus share of the control. */
  readonly uplift: number;
  /** Lower limit. */
  readonly low: number;
  /** Upper limit. */
  readonly high: number;
}

/** What an arm of a trial did. */
export interface ArmUplift extends Difference {
  readonly arm: string;
  /** Customers. */
  readonly customers: number;
  /** Share of them who stayed. */
  readonly rate: number;
  /** Chance of a larger difference in either direction if the arm did nothing (score test of two proportions). */
  readonly p: number;
  /** Share of the would-be leavers whom the arm kept, with limits; negative if it drove customers away. */
  readonly saved: { readonly share: number; readonly low: number; readonly high: number };
  /** The difference within each stratum. */
  readonly strata: readonly (Difference & { readonly stratum: string })[];
  /** Mantel-Haenszel mean of the differences over the strata: holds if arms were mixed differently there. */
  readonly pooled: Difference & { readonly standardError: number };
  /** Whether the strata share one difference (Cochran's Q); undefined with a single stratum. */
  readonly heterogeneity:
    | { readonly chiSquare: number; readonly degreesOfFreedom: number; readonly p: number }
    | undefined;
}

/** What a randomised retention trial says. */
export interface UpliftTrial {
  /** The control arm. */
  readonly control: { readonly arm: string; readonly customers: number; readonly rate: number };
  /** The other arms in their order. */
  readonly arms: readonly ArmUplift[];
  /** Confidence level of all limits. */
  readonly level: number;
}

/**
 * Uplift of each arm of a randomised trial over the control: differences of two proportions with Newcombe's hybrid score
 * limits, over all and by stratum. The saved share is 1 - (leavers of the arm / leavers of the control), with limits from the
 * same score limits. Pooled: Mantel-Haenszel with the variance of Greenland & Robins for few large strata.
 * @throws DataError if counts are bad, a stratum lacks an arm, there is no control or no other arm, or nobody of the control
 * left; RangeError if the level is no fraction.
 * @see Newcombe (1998), Interval Estimation for the Difference between Independent Proportions, Statistics in Medicine 17,
 * method 10; Donner & Zou (2012), Closed-Form Confidence Intervals for Functions of the Normal Mean and Standard Deviation,
 * Statistical Methods in Medical Research 21(4), for ratios; Greenland & Robins (1985), Estimation of a Common Effect Parameter
 * from Sparse Follow-Up Data, Biometrics 41(1).
 */
export function upliftFromTrial(
  arms: readonly TrialArm[],
  { control = "control", level = 0.95 }: { readonly control?: string; readonly level?: number } = {},
): UpliftTrial {
  const groups = arms.map(({ arm, stratum = "all", customers, stayed }, row) => {
    requireStayers(`arm ${arm} in row ${row + 1}`, customers, stayed);
    return { arm, stratum, customers, stayed };
  });
  const names = [...new Set(groups.map(({ arm }) => arm))];
  if (!names.includes(control) || names.length < 2) {
    throw new DataError(`arms must be "${control}" and at least one other, got ${names.join(", ")}`);
  }
  const strata = [...new Set(groups.map(({ stratum }) => stratum))];
  const groupOf = (arm: string, stratum?: string): Group => {
    const own = groups.filter((one) => one.arm === arm && (stratum ?? one.stratum) === one.stratum);
    if (stratum !== undefined && own.length !== 1) {
      throw new DataError(`stratum ${stratum} must have arm ${arm} once, got ${own.length} rows`);
    }
    const sumOf = (count: (one: Group) => number): number => own.reduce((sum, one) => sum + count(one), 0);
    return { customers: sumOf(({ customers }) => customers), stayed: sumOf(({ stayed }) => stayed) };
  };
  const base = groupOf(control);
  if (base.stayed === base.customers) {
    throw new DataError(`arm ${control} must have customers who left, but all ${base.customers} stayed`);
  }
  const z = normalQuantile((1 + level) / 2);
  return deepFreeze({
    control: { arm: control, customers: base.customers, rate: rateOf(base) },
    arms: names
      .filter((name) => name !== control)
      .map((arm) => {
        const all = groupOf(arm);
        const pairs = strata.map((stratum) => [groupOf(arm, stratum), groupOf(control, stratum)] as const);
        return {
          arm,
          customers: all.customers,
          rate: rateOf(all),
          ...newcombeInterval(all, base, level),
          p: twoProportionP(all, base),
          saved: savedInterval(all, base, level),
          strata: pairs.map(([own, other], i) => ({
            stratum: strata[i] as string,
            ...newcombeInterval(own, other, level),
          })),
          pooled: mantelHaenszel(pairs, z),
          heterogeneity: pairs.length < 2 ? undefined : cochranQ(pairs),
        };
      }),
    level,
  });
}

/** How many customers, and how many of them stayed. */
interface Group {
  readonly customers: number;
  readonly stayed: number;
}

const rateOf = ({ customers, stayed }: Group): number => stayed / customers;

/** Newcombe's method 10: Wilson's limits of both shares, the distances to them combined as independent errors are. */
function newcombeInterval(arm: Group, control: Group, level: number): Difference {
  const [rate, base] = [rateOf(arm), rateOf(control)];
  const [low, high] = wilsonInterval(arm.stayed, arm.customers, level);
  const [baseLow, baseHigh] = wilsonInterval(control.stayed, control.customers, level);
  const uplift = rate - base;
  return {
    uplift,
    low: uplift - Math.hypot(rate - low, baseHigh - base),
    high: uplift + Math.hypot(high - rate, base - baseLow),
  };
}

/** One minus the ratio of leaving, with limits recovered from Wilson's of both shares. */
function savedInterval(arm: Group, control: Group, level: number): ArmUplift["saved"] {
  const [p, q] = [1 - rateOf(arm), 1 - rateOf(control)];
  const [low, high] = wilsonInterval(arm.customers - arm.stayed, arm.customers, level);
  const [baseLow, baseHigh] = wilsonInterval(control.customers - control.stayed, control.customers, level);
  const limit = (own: number, base: number, sign: 1 | -1): number => {
    const ends = own * base * (2 * p - own) * (2 * q - base);
    return (p * q + sign * Math.sqrt(Math.max((p * q) ** 2 - ends, 0))) / (base * (2 * q - base));
  };
  return { share: 1 - p / q, low: 1 - limit(high, baseLow, 1), high: 1 - limit(low, baseHigh, -1) };
}

/** Score test of equal proportions. */
function twoProportionP(arm: Group, control: Group): number {
  const customers = arm.customers + control.customers;
  const pooled = (arm.stayed + control.stayed) / customers;
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / arm.customers + 1 / control.customers));
  return twoSidedP((rateOf(arm) - rateOf(control)) / error);
}

/** Squared standard error of a share; of a share of 0 or 1 too if half a customer is added to both sides. */
function rateVariance({ customers, stayed }: Group, added = 0): number {
  const rate = (stayed + added) / (customers + 2 * added);
  return (rate * (1 - rate)) / customers;
}

function mantelHaenszel(pairs: readonly (readonly [Group, Group])[], z: number): ArmUplift["pooled"] {
  let [weights, sum, variance] = [0, 0, 0];
  for (const [arm, control] of pairs) {
    const weight = (arm.customers * control.customers) / (arm.customers + control.customers);
    weights += weight;
    sum += weight * (rateOf(arm) - rateOf(control));
    variance += weight ** 2 * (rateVariance(arm) + rateVariance(control));
  }
  const uplift = sum / weights;
  const standardError = Math.sqrt(variance) / weights;
  return { uplift, standardError, low: uplift - z * standardError, high: uplift + z * standardError };
}

function cochranQ(pairs: readonly (readonly [Group, Group])[]): NonNullable<ArmUplift["heterogeneity"]> {
  const strata = pairs.map(([arm, control]) => ({
    uplift: rateOf(arm) - rateOf(control),
    precision: 1 / (rateVariance(arm, 0.5) + rateVariance(control, 0.5)),
  }));
  const total = strata.reduce((sum, { precision }) => sum + precision, 0);
  const mean = strata.reduce((sum, { uplift, precision }) => sum + uplift * precision, 0) / total;
  const chiSquare = strata.reduce((sum, { uplift, precision }) => sum + precision * (uplift - mean) ** 2, 0);
  const degreesOfFreedom = pairs.length - 1;
  return { chiSquare, degreesOfFreedom, p: chiSquareTail(chiSquare, degreesOfFreedom) };
}

/** @throws DataError if customers or those of them who stayed are no counts. */
export function requireStayers(place: string, customers: number, stayed: number): void {
  if (!(Number.isSafeInteger(customers) && customers >= 1)) {
    throw new DataError(`${place}: customers must be a whole number from 1 up, got ${customers}`);
  }
  if (!(Number.isSafeInteger(stayed) && stayed >= 0 && stayed <= customers)) {
    throw new DataError(`${place}: stayed must be a whole number from 0 to ${customers}, got ${stayed}`);
  }
}
