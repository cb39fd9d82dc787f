import { requireAbove, requireFinite, requireOneOf } from "../core/arguments.js";
import { minimise } from "../numeric/minimise.js";
import { normalQuantile } from "../numeric/special.js";
import { normalTail } from "../numeric/tail-probability.js";

/** Formula for the size and power of a comparison of two proportions. */
export type ProportionMethod =
  /** Normal approximation: pooled error if there is no difference, unpooled if there is. */
  | "normal"
  /** The same for a test with continuity correction, or Fisher's exact test. */
  | "continuity"
  /** Normal approximation on the arcsine scale (Cohen's h). */
  | "arcsine";

/** How a comparison of two proportions is tested. */
export interface TestOptions {
  /** "normal" unless given. */
  readonly method?: ProportionMethod;
  /** Chance to see a difference where there is none; 0.05 unless given. */
  readonly alpha?: number;
  /** 2 unless given: differences in both directions count. */
  readonly sides?: 1 | 2;
}

/** Customers in each group. */
export interface GroupSizes {
  /** Customers who get no offer. */
  readonly control: number;
  /** Customers who get one. */
  readonly treated: number;
}

/** Shares to tell apart. */
export interface TwoRates {
  /** Share of the control who stay. */
  readonly control: number;
  /** Share of the treated who stay. */
  readonly treated: number;
}

/**
 * Customers needed in each group to see the difference of two shares with the given power, rounded up. `ratio` is the
 * number of treated customers for each of the control; 1 unless given.
 * @throws RangeError if a share, alpha or power is no fraction strictly between 0 and 1, the shares are equal, or the ratio is
 * not above 0.
 * @see Fleiss, Levin & Paik (2003), Statistical Methods for Rates and Proportions, 3rd ed., chapter 4; Fleiss, Tytun & Ury
 * (1980), A Simple Approximation for Calculating Sample Sizes for Comparing Independent Proportions, Biometrics 36(2); Cohen
 * (1988), Statistical Power Analysis for the Behavioral Sciences, 2nd ed., chapter 6.
 */
export function proportionSampleSize(
  rates: TwoRates,
  {
    power = 0.8,
    ratio = 1,
    ...test
  }: TestOptions & { readonly power?: number; readonly ratio?: number } = {},
): GroupSizes {
  requireInside({ ...rates, power });
  if (rates.control === rates.treated) {
    throw new RangeError(`rates must differ, got ${rates.control} and ${rates.treated}`);
  }
  if (!(ratio > 0 && Number.isFinite(ratio))) throw new RangeError(`ratio must be above 0, got ${ratio}`);
  const method = methodOf(test);
  const size = uncorrectedSize(rates, method, criticalValue(test), normalQuantile(power), ratio);
  const corrected =
    method === "continuity"
      ? (size / 4) * (1 + Math.sqrt(1 + (4 * continuity(rates, ratio)) / size)) ** 2
      : size;
  return { control: Math.ceil(corrected), treated: Math.ceil(corrected * ratio) };
}

/** The formula asked for. */
function methodOf({ method = "normal" }: TestOptions): ProportionMethod {
  requireOneOf("method", method, ["normal", "continuity", "arcsine"]);
  return method;
}

/**
 * Power of a comparison of two shares: the chance to see their difference, in its direction, with groups of these sizes.
 * @throws RangeError if a share or alpha is no fraction strictly between 0 and 1, or a size is not above 0.
 * @see As `proportionSampleSize`.
 */
export function proportionPower(rates: TwoRates, sizes: GroupSizes, test: TestOptions = {}): number {
  requireInside({ ...rates });
  requireSizes(sizes);
  const { control, treated } = rates;
  const method = methodOf(test);
  const critical = criticalValue(test);
  const ratio = sizes.treated / sizes.control;
  if (method === "arcsine") {
    const error = Math.sqrt(1 / sizes.control + 1 / sizes.treated);
    return normalTail(critical - Math.abs(arcsine(treated) - arcsine(control)) / error);
  }
  const difference = Math.abs(treated - control);
  const lost = method === "continuity" && difference > 0 ? continuity(rates, ratio) : 0;
  const usable = Math.max(sizes.control - lost, 0) / Math.sqrt(sizes.control); // root of the size without correction
  const { pooled, unpooled } = errors(rates, ratio);
  return normalTail((critical * pooled - usable * Math.sqrt(ratio) * difference) / unpooled);
}

/**
 * Smallest rise of the share who stay that is seen with the given power in groups of these sizes.
 * @throws RangeError as `proportionPower`, or if even a rise to 1 would be seen less often than that.
 */
export function minimumDetectableEffect(
  control: number,
  sizes: GroupSizes,
  { power = 0.8, ...test }: TestOptions & { readonly power?: number } = {},
): number {
  requireInside({ control, power });
  let [low, high] = [control, 1 - Number.EPSILON];
  const powerAt = (treated: number): number => proportionPower({ control, treated }, sizes, test);
  if (powerAt(high) < power) {
    throw new RangeError(
      `sizes ${sizes.control} and ${sizes.treated} are too small: even a rise from ${control} to 1 is seen with a power of ${powerAt(high).toFixed(2)} only, not ${power}`,
    );
  }
  while (high - low > 1e-14) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (powerAt(middle) < power) low = middle;
    else high = middle;
  }
  return high - control;
}

/** Size of the control group before any correction. */
function uncorrectedSize(
  rates: TwoRates,
  method: ProportionMethod,
  critical: number,
  powerQuantile: number,
  ratio: number,
): number {
  const { control, treated } = rates;
  if (method === "arcsine") {
    const h = arcsine(treated) - arcsine(control);
    return ((critical + powerQuantile) / h) ** 2 * (1 + 1 / ratio);
  }
  const { pooled, unpooled } = errors(rates, ratio);
  return (critical * pooled + powerQuantile * unpooled) ** 2 / (ratio * (treated - control) ** 2);
}

/** Errors of the difference if there is none and if there is, times the root of (control size x ratio). */
function errors({ control, treated }: TwoRates, ratio: number): { pooled: number; unpooled: number } {
  const mean = (control + ratio * treated) / (ratio + 1);
  return {
    pooled: Math.sqrt((ratio + 1) * mean * (1 - mean)),
    unpooled: Math.sqrt(ratio * control * (1 - control) + treated * (1 - treated)),
  };
}

/** Customers of the control that the continuity correction costs, about. */
const continuity = ({ control, treated }: TwoRates, ratio: number): number =>
  (ratio + 1) / (2 * ratio * Math.abs(treated - control));

const arcsine = (share: number): number => 2 * Math.asin(Math.sqrt(share));

function criticalValue({ alpha = 0.05, sides = 2 }: TestOptions): number {
  requireInside({ alpha });
  return normalQuantile(1 - alpha / sides);
}

/** What is believed of an arm, or of the difference of two, before the test: money a customer. */
export interface ArmPrior {
  /** Mean of the prior of the profit. */
  readonly mean: number;
  /** Standard deviation of the prior: how far off its mean may be. */
  readonly sd: number;
  /** Standard deviation of the profit between customers of an arm. */
  readonly responseSd: number;
}

/** How many customers to test on before the better arm is rolled out to the rest. */
export interface TestPlan {
  /** Customers of the test who get the first arm (no offer). */
  readonly control: number;
  /** Customers of the test who get the second arm (the offer). */
  readonly treated: number;
  /** Expected profit of test and roll-out over all customers. */
  readonly profit: number;
  /** Expected profit without a test: everybody gets the arm with the higher prior mean. */
  readonly profitWithoutTest: number;
  /** Expected profit if the better arm were known. */
  readonly profitIfKnown: number;
}

/**
 * Test size that maximises profit if the responses of the two arms and the beliefs about their means are normal and
 * independent: n each, n = sqrt(N/4 (s/sigma)^2 + (3/4 (s/sigma)^2)^2) - 3/4 (s/sigma)^2 where both arms are alike; else by
 * search. Not rounded. The arm with the higher posterior mean is rolled out to the N - n1 - n2 others. Sizes of 0 mean that no
 * test pays.
 * @throws RangeError if customers is not above 2, or a standard deviation is not above 0.
 * @see Feit & Berman (2019), Test & Roll: Profit-Maximizing A/B Tests, Marketing Science 38(6).
 */
export function testAndRoll(customers: number, control: ArmPrior, treated: ArmPrior): TestPlan {
  requireCustomers(customers);
  for (const [name, { mean, sd, responseSd }] of Object.entries({ control, treated })) {
    requireFinite({ [`mean of the ${name} arm`]: mean });
    requireAbove(`sd of the ${name} arm`, sd, 0);
    requireAbove(`responseSd of the ${name} arm`, responseSd, 0);
  }
  const shrunk = ({ sd, responseSd }: ArmPrior, size: number): number =>
    sd ** 4 / (sd ** 2 + responseSd ** 2 / size);
  const problem: TestProblem = {
    customers,
    base: control.mean,
    gain: treated.mean - control.mean,
    known: Math.hypot(control.sd, treated.sd),
    learned: (sizes) => Math.sqrt(shrunk(control, sizes.control) + shrunk(treated, sizes.treated)),
  };
  const isAlike =
    control.mean === treated.mean && control.sd === treated.sd && control.responseSd === treated.responseSd;
  const noise = (control.responseSd / control.sd) ** 2;
  const size = Math.sqrt((customers / 4) * noise + (0.75 * noise) ** 2) - 0.75 * noise;
  return isAlike ? planOf(problem, { control: size, treated: size }) : bestPlan(problem);
}

/**
 * Control group that maximises the expected profit of a campaign whose uplift is uncertain: the profit of an offer over no
 * offer is believed normal with `mean` and `sd` (money a customer, all costs paid), whatever customers do without it. The
 * offer goes to the `treated` first; after comparing them with the `control`, it goes to all others if it pays. Profits are
 * counted from nobody getting the offer.
 * @throws RangeError as `testAndRoll`.
 * @see Feit & Berman (2019), Test & Roll: Profit-Maximizing A/B Tests, Marketing Science 38(6), whose decision this is with a
 * prior on the difference alone.
 */
export const holdoutSize = (customers: number, uplift: ArmPrior): TestPlan =>
  bestPlan(upliftProblem(customers, uplift));

/**
 * Expected profit of a test of given sizes, under the beliefs of `holdoutSize`.
 * @throws RangeError as `holdoutSize`, or if a size is not above 0 or both together are more than the customers.
 */
export function holdoutProfit(customers: number, uplift: ArmPrior, sizes: GroupSizes): number {
  const problem = upliftProblem(customers, uplift);
  requireSizes(sizes);
  if (sizes.control + sizes.treated > customers) {
    throw new RangeError(
      `sizes must be at most ${customers} together, got ${sizes.control} and ${sizes.treated}`,
    );
  }
  return planProfit(problem, sizes);
}

interface TestProblem {
  readonly customers: number;
  /** Prior mean of the control. */
  readonly base: number;
  /** Prior mean of the difference. */
  readonly gain: number;
  /** Standard deviation of the true difference. */
  readonly known: number;
  /** Standard deviation of the posterior mean of the difference, before the test. */
  readonly learned: (sizes: GroupSizes) => number;
}

function upliftProblem(customers: number, { mean, sd, responseSd }: ArmPrior): TestProblem {
  requireCustomers(customers);
  requireFinite({ "mean of the uplift": mean });
  requireAbove("sd of the uplift", sd, 0);
  requireAbove("responseSd of the uplift", responseSd, 0);
  return {
    customers,
    base: 0,
    gain: mean,
    known: sd,
    learned: (sizes) =>
      sd ** 2 / Math.sqrt(sd ** 2 + responseSd ** 2 * (1 / sizes.control + 1 / sizes.treated)),
  };
}

/** Mean of a normal number where it is above 0, and 0 elsewhere. */
const positivePart = (mean: number, sd: number): number =>
  mean * normalTail(-mean / sd) + (sd * Math.exp(-((mean / sd) ** 2) / 2)) / Math.sqrt(2 * Math.PI);

const planProfit = ({ customers, base, gain, learned }: TestProblem, sizes: GroupSizes): number =>
  customers * base +
  sizes.treated * gain +
  (customers - sizes.control - sizes.treated) * positivePart(gain, learned(sizes));

function planOf(problem: TestProblem, sizes: GroupSizes): TestPlan {
  const { customers, base, gain, known } = problem;
  const profitWithoutTest = customers * (base + Math.max(gain, 0));
  const profit = sizes.control > 0 ? planProfit(problem, sizes) : profitWithoutTest;
  return Object.freeze({
    ...(profit > profitWithoutTest ? sizes : { control: 0, treated: 0 }),
    profit: Math.max(profit, profitWithoutTest),
    profitWithoutTest,
    profitIfKnown: customers * (base + positivePart(gain, known)),
  });
}

/** Best sizes by search on their logs, from a grid: small tests teach so little that there may be a dip before the peak. */
function bestPlan(problem: TestProblem): TestPlan {
  const { customers } = problem;
  const sizesAt = (x: ArrayLike<number>): GroupSizes => {
    // Shares of control, treated and rest in proportion to e^x0, e^x1 and 1: always within the customers.
    const [control, treated] = [Math.exp(x[0] as number), Math.exp(x[1] as number)];
    const all = 1 + control + treated;
    return { control: (customers * control) / all, treated: (customers * treated) / all };
  };
  const scale = customers * problem.known;
  const loss = (x: ArrayLike<number>): number =>
    (customers * problem.base - planProfit(problem, sizesAt(x))) / scale;
  const objective = (x: Float64Array, gradient: Float64Array): number => {
    for (let i = 0; i < x.length; i++) {
      const moved = (step: number): number => loss(x.map((value, j) => (j === i ? value + step : value)));
      const step = 1e-4;
      gradient[i] = (8 * (moved(step) - moved(-step)) - (moved(2 * step) - moved(-2 * step))) / (12 * step);
    }
    return loss(x);
  };
  const grid = Array.from({ length: 12 }, (_, i) => -i * (Math.log(customers) / 11));
  const corners = grid.flatMap((a) => grid.map((b) => [a, b]));
  const start = corners.reduce((best, corner) => (loss(corner) < loss(best) ? corner : best));
  return planOf(problem, sizesAt(minimise(objective, start).x));
}

function requireInside(shares: Readonly<Record<string, number>>): void {
  for (const [name, share] of Object.entries(shares)) {
    if (share > 0 && share < 1) continue;
    const hint = share > 1 ? "; a percentage must be divided by 100" : "";
    throw new RangeError(`${name} must be a fraction strictly between 0 and 1, got ${share}${hint}`);
  }
}

function requireSizes(sizes: GroupSizes): void {
  for (const [name, size] of Object.entries(sizes)) {
    if (!(size > 0 && Number.isFinite(size)))
      throw new RangeError(`${name} must be above 0 customers, got ${size}`);
  }
}

function requireCustomers(customers: number): void {
  if (!(customers > 2 && Number.isFinite(customers))) {
    throw new RangeError(`customers must be a number above 2, got ${customers}`);
  }
}
