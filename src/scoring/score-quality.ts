import { type ColumnTable, table } from "arquero";
import { requireLevel, requireWhole } from "../core/arguments.js";
import { finiteColumn } from "../core/columns.js";
import { DataError } from "../core/errors.js";
import { normalQuantile } from "../numeric/special.js";
import { fitLogistic, outcomeColumn } from "./logistic.js";

/** Area under the ROC curve of a score. */
export interface RocArea {
  /** Chance that a customer with the event has a higher score than one without; ties count half. */
  readonly auc: number;
  /** Standard error by DeLong; 0 where the score separates the two groups. */
  readonly standardError: number;
  /** Lower limit, not below 0. */
  readonly low: number;
  /** Upper limit, not above 1. */
  readonly high: number;
  /** Confidence level of the limits. */
  readonly level: number;
}

/** Brier score and what it is made of. */
export interface BrierScore {
  /** Mean squared difference between probability and outcome; 0 is perfect. */
  readonly score: number;
  /** The score of the base rate for everybody: base rate x (1 - base rate). */
  readonly uncertainty: number;
  /** Share of the uncertainty that the probabilities take away; below 0 they are worse than the base rate. */
  readonly skill: number;
}

/** Logistic recalibration: log odds of the outcome = intercept + slope x log odds of the prediction. */
export interface Calibration {
  /** 1 is ideal; below 1 predictions are too far apart, above 1 too close together. */
  readonly slope: number;
  /** Standard error of the slope. */
  readonly slopeError: number;
  /** Shift of the log odds at slope 1 (calibration in the large); 0 is ideal, above 0 there are more events than predicted. */
  readonly intercept: number;
  /** Standard error of the intercept. */
  readonly interceptError: number;
}

/** How good predicted probabilities are on customers whose outcome is known. */
export interface ScoreQuality {
  /** Customers. */
  readonly observations: number;
  /** Share of them with the event. */
  readonly baseRate: number;
  /** How well the score orders customers. */
  readonly roc: RocArea;
  /** Distance of the probabilities from the outcomes. */
  readonly brier: BrierScore;
  /** Mean of minus the log of the probability that was given to what happened. */
  readonly logLoss: number;
  /** Whether the probabilities are as high as they should be. */
  readonly calibration: Calibration;
}

/**
 * Area under the ROC curve with DeLong's standard error and a normal interval. `scores` may be on any scale, higher meaning
 * that the event is more likely; `outcomes` is 1 where it happened. One sort.
 * @throws DataError if a score or outcome is bad, or all outcomes are the same; RangeError if the level is no fraction.
 * @see DeLong, DeLong & Clarke-Pearson (1988), Comparing the Areas under Two or More Correlated ROC Curves, Biometrics
 * 44(3); Sun & Xu (2014), Fast Implementation of DeLong's Algorithm, IEEE Signal Processing Letters 21(11).
 */
export function rocArea(
  scores: ArrayLike<number>,
  outcomes: ArrayLike<number>,
  { level = 0.95 }: { readonly level?: number } = {},
): RocArea {
  requireLevel(level);
  const outcome = outcomeColumn(outcomes);
  const { order, ends } = rankedGroups(scores, outcome.length);
  const events = outcome.reduce((sum, value) => sum + value, 0);
  const others = outcome.length - events;
  // Placement of a customer: the share of the other group that it is ordered rightly against, ties counting half.
  let [eventsAbove, othersAbove, start] = [0, 0, 0];
  const placed = { sum: 0, squares: 0, otherSquares: 0 };
  for (const end of ends) {
    let here = 0;
    for (let place = start; place < end; place++) here += outcome[order[place] as number] as number;
    const tied = end - start - here;
    const ofEvent = (others - othersAbove - tied / 2) / others;
    const ofOther = (eventsAbove + here / 2) / events;
    placed.sum += here * ofEvent;
    placed.squares += here * ofEvent ** 2;
    placed.otherSquares += tied * ofOther ** 2;
    eventsAbove += here;
    othersAbove += tied;
    start = end;
  }
  const auc = placed.sum / events;
  const spread = (squares: number, n: number): number =>
    n === 1 ? 0 : Math.max(squares - n * auc ** 2, 0) / (n - 1) / n;
  const standardError = Math.sqrt(spread(placed.squares, events) + spread(placed.otherSquares, others));
  const reach = normalQuantile((1 + level) / 2) * standardError;
  return Object.freeze({
    auc,
    standardError,
    low: Math.max(auc - reach, 0),
    high: Math.min(auc + reach, 1),
    level,
  });
}

/**
 * Brier score of predicted probabilities against the one of the base rate.
 * @throws DataError if a probability or outcome is bad, or all outcomes are the same.
 * @see Brier (1950), Verification of Forecasts Expressed in Terms of Probability, Monthly Weather Review 78(1).
 */
export function brierScore(probabilities: ArrayLike<number>, outcomes: ArrayLike<number>): BrierScore {
  const outcome = outcomeColumn(outcomes);
  const chance = probabilityColumn(probabilities, outcome.length);
  const n = outcome.length;
  const score = outcome.reduce((sum, value, row) => sum + (value - (chance[row] as number)) ** 2, 0) / n;
  const baseRate = outcome.reduce((sum, value) => sum + value, 0) / n;
  const uncertainty = baseRate * (1 - baseRate);
  return Object.freeze({ score, uncertainty, skill: 1 - score / uncertainty });
}

/**
 * Log loss: the mean of minus the log of the probability given to what happened; minus the log-likelihood a customer.
 * @throws DataError if a probability or outcome is bad, all outcomes are the same, or something happened that was given
 * probability 0: then the loss is infinite.
 */
export function logLoss(probabilities: ArrayLike<number>, outcomes: ArrayLike<number>): number {
  const outcome = outcomeColumn(outcomes);
  const chance = probabilityColumn(probabilities, outcome.length);
  let sum = 0;
  for (let row = 0; row < outcome.length; row++) {
    const p = chance[row] as number;
    const happened = outcome[row] === 1;
    if (p === (happened ? 0 : 1)) {
      throw new DataError(
        `probability in row ${row + 1} must not be ${p} where the outcome is ${outcome[row]}: its log loss is infinite`,
      );
    }
    sum -= happened ? Math.log(p) : Math.log1p(-p);
  }
  return sum / outcome.length;
}

/**
 * Calibration slope and intercept by logistic recalibration of the predicted probabilities.
 * @throws DataError if a probability is not strictly between 0 and 1, an outcome is bad, or either does not vary;
 * ConvergenceError if the predictions separate the outcomes.
 * @see Cox (1958), Two Further Applications of a Model for Binary Regression, Biometrika 45(3/4); Van Calster et al. (2019),
 * Calibration: the Achilles Heel of Predictive Analytics, BMC Medicine 17.
 */
export function calibrationOf(probabilities: ArrayLike<number>, outcomes: ArrayLike<number>): Calibration {
  const chance = finiteColumn(
    "probability",
    probabilities,
    outcomes.length,
    (value) => value > 0 && value < 1,
    "strictly between 0 and 1",
  );
  const logOdds = chance.map((p) => Math.log(p) - Math.log1p(-p));
  const sloped = fitLogistic(outcomes, { prediction: logOdds });
  const shifted = fitLogistic(outcomes, {}, { offset: logOdds });
  return Object.freeze({
    slope: sloped.parameters["prediction"] as number,
    slopeError: sloped.standardErrors["prediction"] as number,
    intercept: shifted.parameters["intercept"] as number,
    interceptError: shifted.standardErrors["intercept"] as number,
  });
}

/**
 * Discrimination and calibration of predicted probabilities in one object. Lift and gains are `predictionDeciles` and
 * `gainsCurve`, which take probabilities and outcomes as they take counts.
 * @throws As `rocArea`, `logLoss` and `calibrationOf`.
 */
export function scoreQuality(
  probabilities: ArrayLike<number>,
  outcomes: ArrayLike<number>,
  options: { readonly level?: number } = {},
): ScoreQuality {
  const outcome = outcomeColumn(outcomes);
  return Object.freeze({
    observations: outcome.length,
    baseRate: outcome.reduce((sum, value) => sum + value, 0) / outcome.length,
    roc: rocArea(probabilities, outcome, options),
    brier: brierScore(probabilities, outcome),
    logLoss: logLoss(probabilities, outcome),
    calibration: calibrationOf(probabilities, outcome),
  });
}

/**
 * Reliability: observed against predicted share with the event in groups of about equal size by prediction; customers with
 * the same prediction stay together, so there may be fewer groups.
 * Columns: `group` (1 = highest prediction), `customers`, `predicted` (mean probability), `actual` (share with the event),
 * `low` and `high` (Wilson's limits of that share at `level`).
 * @throws DataError if a probability or outcome is bad; RangeError if groups is not a whole number from 1 up, or the level is
 * no fraction.
 * @see Wilson (1927), Probable Inference, the Law of Succession, and Statistical Inference, JASA 22(158).
 */
export function reliabilityTable(
  probabilities: ArrayLike<number>,
  outcomes: ArrayLike<number>,
  { groups = 10, level = 0.95 }: { readonly groups?: number; readonly level?: number } = {},
): ColumnTable {
  requireWhole("groups", groups, 1);
  const outcome = outcomeColumn(outcomes);
  const n = outcome.length;
  const chance = probabilityColumn(probabilities, n);
  const { order, ends } = rankedGroups(chance, n);
  const rows: { customers: number; predicted: number; actual: number; low: number; high: number }[] = [];
  let start = 0;
  for (const end of ends) {
    // A group is full when its last customer passes the next n / groups-th edge.
    if (end < n && Math.floor((end * groups) / n) === Math.floor((start * groups) / n)) continue;
    const places = order.subarray(start, end);
    const customers = end - start;
    const events = places.reduce((sum, row) => sum + (outcome[row] as number), 0);
    const [low, high] = wilsonInterval(events, customers, level);
    rows.push({
      customers,
      predicted: places.reduce((sum, row) => sum + (chance[row] as number), 0) / customers,
      actual: events / customers,
      low,
      high,
    });
    start = end;
  }
  return table({
    group: rows.map((_, index) => index + 1),
    customers: rows.map(({ customers }) => customers),
    predicted: rows.map(({ predicted }) => predicted),
    actual: rows.map(({ actual }) => actual),
    low: rows.map(({ low }) => low),
    high: rows.map(({ high }) => high),
  });
}

/**
 * Wilson's score limits of a proportion.
 * @throws RangeError if the level is no fraction.
 * @see Wilson (1927), Probable Inference, the Law of Succession, and Statistical Inference, JASA 22(158).
 */
export function wilsonInterval(
  count: number,
  size: number,
  level: number,
): readonly [low: number, high: number] {
  requireLevel(level);
  const z = normalQuantile((1 + level) / 2);
  const middle = count + z ** 2 / 2;
  const reach = z * Math.sqrt((count * (size - count)) / size + z ** 2 / 4);
  const limit = (value: number): number => value / (size + z ** 2);
  return [count === 0 ? 0 : limit(middle - reach), count === size ? 1 : limit(middle + reach)];
}

/** Rows from the highest score to the lowest, and where each group of equal scores ends. */
export function rankedGroups(
  scores: ArrayLike<number>,
  size: number,
): { readonly order: Uint32Array; readonly ends: readonly number[] } {
  const score = finiteColumn("score", scores, size);
  const order = Uint32Array.from({ length: size }, (_, row) => row);
  order.sort((i, j) => (score[j] as number) - (score[i] as number) || i - j);
  const ends: number[] = [];
  for (let place = 1; place <= size; place++) {
    if (place === size || score[order[place] as number] !== score[order[place - 1] as number])
      ends.push(place);
  }
  return { order, ends };
}

const probabilityColumn = (probabilities: ArrayLike<number>, size: number): Float64Array =>
  finiteColumn(
    "probability",
    probabilities,
    size,
    (value) => value >= 0 && value <= 1,
    "a fraction from 0 to 1",
  );
