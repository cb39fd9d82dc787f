import { deepFreeze, fitPositive, type ModelFit, named } from "../clv/fit.js";
import { requireFromZero, requireLevel, requireRates, requireWhole } from "../core/arguments.js";
import { ConvergenceError, DataError } from "../core/errors.js";
import { quantileOf } from "../numeric/quantile.js";
import type { Random } from "../numeric/random.js";
import { drawBinomial } from "../numeric/sampling.js";
import { requireStayers } from "./trial-uplift.js";

/** An arm of a trial in which customers get offers of different amounts. */
export interface AmountArm {
  /** Money of the offer, 0 for the control. */
  readonly amount: number;
  /** Customers who were assigned to it. */
  readonly customers: number;
  /** How many of them stayed. */
  readonly stayed: number;
}

type SavedCurveParameter = "baseRate" | "ceiling" | "k";

/** Parameters of the saved curve. */
export type SavedCurveParameters = Readonly<Record<SavedCurveParameter, number>>;

/** A fitted saved curve. */
export type SavedCurveFit = ModelFit<SavedCurveParameter>;

/**
 * Share of the would-be leavers whom an offer of an amount keeps: ceiling x (1 - exp(-k amount)).
 * @throws RangeError if the amount is negative, the ceiling no fraction or k negative.
 * @see Blattberg & Deighton (1996), Manage Marketing by the Customer Equity Test, Harvard Business Review 74(4), for the shape.
 */
export function savedShare({ ceiling, k }: Omit<SavedCurveParameters, "baseRate">, amount: number): number {
  requireRates({ ceiling });
  requireFromZero({ k, amount });
  return -ceiling * Math.expm1(-k * amount);
}

/** Share who stay with an offer of an amount: base rate + (1 - base rate) x saved share. @throws As `savedShare`. */
export const stayRate = (parameters: SavedCurveParameters, amount: number): number =>
  parameters.baseRate + (1 - parameters.baseRate) * savedShare(parameters, amount);

/**
 * Saved curve by maximum likelihood: each arm's stayers are binomial with share base rate + (1 - base rate) x ceiling x
 * (1 - exp(-k amount)). `baseRate` is the share who stay without an offer, `ceiling` the share of the others that the largest
 * offer would keep, `k` is per unit of money. Where amounts do not reach the bend of the curve, ceiling and k are on a ridge,
 * which `identification` and `warnings` name.
 * @throws DataError if counts are bad or there are fewer than three different amounts; ConvergenceError as `fitPositive`.
 */
export function fitSavedCurve(arms: readonly AmountArm[]): SavedCurveFit {
  for (const [row, { amount, customers, stayed }] of arms.entries()) {
    requireFromZero({ [`amount in row ${row + 1}`]: amount });
    requireStayers(`arm in row ${row + 1}`, customers, stayed);
  }
  const amounts = [...new Set(arms.map(({ amount }) => amount))].sort((a, b) => a - b);
  if (amounts.length < 3) {
    throw new DataError(`arms must have at least three different amounts, got ${amounts.join(", ")}`);
  }
  const first = arms.filter(({ amount }) => amount === amounts[0]);
  const stayed = first.reduce((sum, arm) => sum + arm.stayed, 0.5);
  const odds = stayed / first.reduce((sum, arm) => sum + arm.customers - arm.stayed, 0.5);
  const middle = amounts[Math.floor(amounts.length / 2)] as number;
  const fit = fitPositive({
    model: "saved curve",
    names: ["odds of the base rate", "odds of the ceiling", "k"],
    starts: [0.3, 2].flatMap((ceiling) => [0.3, 1, 3].map((bend) => [odds, ceiling, bend / middle])),
    logLikelihood: (parameters, gradient) => savedCurveLikelihood(arms, parameters, gradient),
    observations: arms.reduce((sum, { customers }) => sum + customers, 0),
    simplerModel: "one uplift for each arm, upliftFromTrial",
  });
  const [base = 0, ceiling = 0, k = 0] = Object.values(fit.parameters);
  const slope = [(1 + base) ** -2, (1 + ceiling) ** -2, 1]; // of a share in its odds
  const names: readonly SavedCurveParameter[] = ["baseRate", "ceiling", "k"];
  const covariance = fit.covariance.map((row, i) =>
    row.map((value, j) => value * (slope[i] as number) * (slope[j] as number)),
  );
  const errors = covariance.map((row, i) => Math.sqrt(row[i] as number));
  const parameters = named(names, [base / (1 + base), ceiling / (1 + ceiling), k]);
  const { identification, warnings } = fit;
  const isFlat = savedShare(parameters, amounts.at(-1) as number) < FLAT;
  return deepFreeze({
    ...fit,
    parameters,
    standardErrors: named(names, errors),
    covariance,
    identification: {
      ...identification,
      ridge: byShares(identification.ridge),
      undetermined: identification.undetermined.map(byShares),
    },
    warnings: isFlat
      ? [
          "saved curve: larger offers keep no more customers, so that ceiling and k, and their errors, say nothing",
        ]
      : warnings.map(byShares),
  });
}

const FLAT = 1e-4; // of the leavers, saved by the largest offer

/** Names of the parameters searched for as those reported. */
const byShares = (text: string): string =>
  text.replaceAll("odds of the base rate", "baseRate").replaceAll("odds of the ceiling", "ceiling");

/** Binomial log-likelihood at the odds of base rate and ceiling and k, with its gradient. */
function savedCurveLikelihood(
  arms: readonly AmountArm[],
  [baseOdds = 0, ceilingOdds = 0, k = 0]: ArrayLike<number> & Iterable<number>,
  gradient: Float64Array,
): number {
  const [base, ceiling] = [baseOdds / (1 + baseOdds), ceilingOdds / (1 + ceilingOdds)];
  gradient.fill(0);
  let logLikelihood = 0;
  for (const { amount, customers, stayed } of arms) {
    const reached = -Math.expm1(-k * amount);
    const leave = (1 - ceiling * reached) / (1 + baseOdds);
    const stay = base + (1 - base) * ceiling * reached;
    logLikelihood += stayed === 0 ? 0 : stayed * Math.log(stay);
    logLikelihood += stayed === customers ? 0 : (customers - stayed) * Math.log(leave);
    const slope =
      (stayed === 0 ? 0 : stayed / stay) - (stayed === customers ? 0 : (customers - stayed) / leave);
    const parts = [
      (1 - ceiling * reached) / (1 + baseOdds) ** 2,
      ((1 - base) * reached) / (1 + ceilingOdds) ** 2,
      (1 - base) * ceiling * amount * (1 - reached),
    ];
    for (const [i, part] of parts.entries()) gradient[i] = (gradient[i] as number) + slope * part;
  }
  return logLikelihood;
}

/** What may be asked of the bootstrap of a saved curve. */
export interface SavedCurveIntervalOptions {
  /** Amounts at which limits of the saved share are wanted, money. */
  readonly amounts: readonly number[];
  readonly random: Random;
  /** Simulated trials; 200 unless given. */
  readonly draws?: number;
  /** Level of the limits; 0.9 unless given. */
  readonly level?: number;
}

/** Bootstrap limits of a saved curve. */
export interface SavedCurveInterval {
  /** Limits of each parameter. */
  readonly parameters: Readonly<Record<SavedCurveParameter, readonly [low: number, high: number]>>;
  /** Limits of the saved share at each amount. */
  readonly curve: readonly { readonly amount: number; readonly low: number; readonly high: number }[];
  readonly level: number;
  /** Simulated trials that could be fitted. */
  readonly draws: number;
}

/**
 * Percentile limits by parametric bootstrap: trials of the same arms are simulated from the fitted curve and fitted again.
 * They hold where the standard errors do not, because ceiling and k lie on a ridge.
 * @throws RangeError if draws is not a whole number from 20 up, the level is no fraction or an amount negative;
 * ConvergenceError if more than a tenth of the simulated trials cannot be fitted.
 * @see Davison & Hinkley (1997), Bootstrap Methods and their Application, section 5.3.
 */
export function savedCurveInterval(
  fit: { readonly parameters: SavedCurveParameters },
  arms: readonly AmountArm[],
  { amounts, random, draws = 200, level = 0.9 }: SavedCurveIntervalOptions,
): SavedCurveInterval {
  requireWhole("draws", draws, 20);
  requireLevel(level);
  const refits: SavedCurveParameters[] = [];
  for (let draw = 0; draw < draws; draw++) {
    const simulated = arms.map((arm) => ({
      ...arm,
      stayed: drawBinomial(random, arm.customers, stayRate(fit.parameters, arm.amount)),
    }));
    try {
      refits.push(fitSavedCurve(simulated).parameters);
    } catch (error) {
      if (!(error instanceof ConvergenceError)) throw error;
    }
  }
  if (refits.length < 0.9 * draws) {
    throw new ConvergenceError(
      `saved curve: only ${refits.length} of ${draws} simulated trials could be fitted: the arms are too small for the curve`,
    );
  }
  const limits = (values: readonly number[]): readonly [number, number] => [
    quantileOf(values, (1 - level) / 2),
    quantileOf(values, (1 + level) / 2),
  ];
  const of = (name: SavedCurveParameter): readonly [number, number] => limits(refits.map((one) => one[name]));
  return deepFreeze({
    parameters: { baseRate: of("baseRate"), ceiling: of("ceiling"), k: of("k") },
    curve: amounts.map((amount) => {
      const [low, high] = limits(refits.map((one) => savedShare(one, amount)));
      return { amount, low, high };
    }),
    level,
    draws: refits.length,
  });
}
