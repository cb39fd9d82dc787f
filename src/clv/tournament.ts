import { type ColumnTable, table } from "arquero";
import { requireLevel, requireWhole } from "../core/arguments.js";
import { isoDay } from "../core/day.js";
import { ConvergenceError, DataError } from "../core/errors.js";
import { requireDay } from "../core/read-day.js";
import { numberColumn, valueColumn } from "../core/table.js";
import { type Duration, inDays } from "../core/types.js";
import type { Random } from "../numeric/random.js";
import { logGammaRatio } from "../numeric/special.js";
import { forecastScorer, type TieRule } from "./accuracy.js";
import type { BuyingModel } from "./buying-model.js";
import { type PurchaseCells, purchaseCells } from "./cells.js";
import type { ModelFit } from "./fit.js";
import { type Forecaster, type KnownCustomers, modelForecaster, type Rehearsal } from "./heuristics.js";
import { type PurchaseSummaryOptions, readPurchases, summarisePurchases } from "./purchase-summary.js";
import { treatReturns } from "./returns.js";
import { informationCriteria } from "./summary.js";

/** What was known of customers at the end of the calibration period, and what they bought in the holdout period. */
export interface HoldoutData {
  /** What was known at the end of the calibration period. */
  readonly customers: KnownCustomers;
  /** Purchases of each customer in the holdout period. */
  readonly actual: ArrayLike<number>;
  /** Length of the holdout period, in the unit of the customers' times. */
  readonly horizon: number;
  /** Sum of the logarithms of all times between purchases; likelihoods of CNBD-k models need it. */
  readonly logGaps?: number;
  /** The way through the holdout period: at each time the purchases of every customer so far. */
  readonly path?: readonly { readonly time: number; readonly actual: ArrayLike<number> }[];
}

/**
 * Holdout data from a summary with one row a customer: columns `x`, `recency`, `age` and `holdout_x`, and where they are
 * there `log_intervals` and `holdout_length`. The horizon is the length of the holdout in the unit of the table.
 * @throws DataError if a column is missing or a value is not a number from 0 up.
 * @throws RangeError if there is neither a horizon nor its column, or they differ.
 */
export function holdoutFromTable(summary: ColumnTable, horizon?: number): HoldoutData {
  const column = (name: string): Float64Array => numberColumn(summary, name, "customers", 0);
  const has = (name: string): boolean => summary.columnIndex(name) !== -1;
  const length = has("holdout_length") ? column("holdout_length")[0] : horizon;
  if (length === undefined || (horizon !== undefined && horizon !== length)) {
    const wanted =
      length === undefined ? "given where the table has no holdout_length" : `the table's, ${length}`;
    throw new RangeError(`horizon must be ${wanted}, got ${String(horizon)}`);
  }
  return {
    customers: { x: column("x"), recency: column("recency"), age: column("age") },
    actual: column("holdout_x"),
    horizon: length,
    ...(has("log_intervals") && { logGaps: total(numberColumn(summary, "log_intervals", "customers")) }),
  };
}

const PATH_STEPS = 12;

/**
 * Holdout data from a log of purchases: besides what the summary holds, the purchases of the last stretch of the
 * calibration period as long as the holdout, that stretch (at most half of the calibration period) as a rehearsal, and the
 * way through the holdout period in twelve steps of whole days. Who became a customer on the last day of calibration is
 * left out: nothing is known of them.
 * @throws DataError as `summarisePurchases`, or if nobody became a customer before the end.
 * @throws RangeError as `summarisePurchases`.
 */
export function holdoutFromLog(
  purchases: ColumnTable,
  options: Omit<PurchaseSummaryOptions, "firstOrder"> & { readonly holdoutEnd: string },
): HoldoutData {
  const { customer = "customer_key", amount = "amount", unit, returns = "reject" } = options;
  const end = requireDay("end", options.end);
  const length = requireDay("holdoutEnd", options.holdoutEnd) - end;
  const summary = knownBefore(summarisePurchases(purchases, options), options.end);
  const ages = numberColumn(summary, "age", "customers");
  const unitDays = inDays({ unit, length: 1 }).length;
  const longest = Math.round(ages.reduce((most, age) => Math.max(most, age)) * unitDays);

  const log = treatReturns(readPurchases(purchases, options), returns, amount).customers;
  const repeats = valueColumn(summary, customer, "customers").map((id) => {
    const days = [...(log.get(id)?.keys() ?? [])];
    const first = Math.min(...days);
    return days.filter((day) => day > first);
  });
  const countWithin = (after: number, until: number): Float64Array =>
    Float64Array.from(repeats, (days) => days.filter((day) => day > after && day <= until).length);

  const steps = Array.from({ length: PATH_STEPS }, (_, step) =>
    Math.round(((step + 1) * length) / PATH_STEPS),
  );
  const held = holdoutFromTable(summary);
  const rehearsal = rehearse(purchases, options, end, Math.min(length, Math.floor(longest / 2)));
  return {
    ...held,
    customers: {
      ...held.customers,
      recent: { x: countWithin(end - length, end), length: held.horizon },
      ...(rehearsal && { rehearsal }),
    },
    path: [...new Set(steps)]
      .filter((days) => days > 0)
      .map((days) => ({ time: days / unitDays, actual: countWithin(end, end + days) })),
  };
}

/** The last days of the calibration period as a holdout; none if there is no day. */
function rehearse(
  purchases: ColumnTable,
  options: Omit<PurchaseSummaryOptions, "firstOrder">,
  end: number,
  length: number,
): Rehearsal | undefined {
  if (length < 1) return undefined;
  const start = isoDay(end - length);
  const earlier = holdoutFromTable(
    knownBefore(summarisePurchases(purchases, { ...options, end: start, holdoutEnd: options.end }), start),
  );
  return { ...earlier.customers, later: earlier.actual };
}

/** The rows of a summary whose customers were observed for some time. */
function knownBefore(summary: ColumnTable, end: string): ColumnTable {
  const age = numberColumn(summary, "age", "customers");
  const rows = [...age.keys()].filter((row) => (age[row] as number) > 0);
  if (rows.length === 0) throw new DataError(`purchases: nobody became a customer before ${end}`);
  return rows.length === age.length ? summary : summary.reify(rows);
}

/** What the forecasts of a tournament are judged by, and how far a value is from the best one. */
const metrics = {
  mae: (value: number) => value,
  rmse: (value: number) => value,
  msle: (value: number) => value,
  bias: (value: number) => Math.abs(value),
  gini: (value: number) => 1 - value,
  top_decile_lift: (value: number) => -value,
  calibration_slope: (value: number) => Math.abs(value - 1),
  tracking_error: (value: number) => value,
} as const;

/** A measure of a tournament: see `ForecastScores`; `tracking_error` is told at `tournament`. */
export type TournamentMetric = keyof typeof metrics;

/** Who takes part in a tournament and how it is judged. */
export interface TournamentOptions {
  /** Models to fit, such as `bgNbd` and `mbgCnbdK(2)`. */
  readonly models: readonly BuyingModel[];
  /** Rules of thumb, such as `managerHeuristics`. */
  readonly heuristics?: readonly Forecaster[];
  /** Intervals and chances to win from resamples of the customers; none are given without. */
  readonly bootstrap?: { readonly draws: number; readonly random: Random };
  /** Coverage of the intervals; default 0.9. */
  readonly level?: number;
  /** Order of customers with equal predictions; default "average". */
  readonly ties?: TieRule;
}

/** The outcome of a tournament. */
export interface TournamentResult {
  /**
   * One row for each who took part, the least rmse first: `model`, `kind`, `parameters` (how many), `log_likelihood`, `aic`,
   * `bic` (null for rules), the measures, and `warnings` of the fit. Who could not be fitted comes last, without measures.
   */
  readonly leaderboard: ColumnTable;
  /**
   * One row for each forecast and measure: `model`, `kind`, `metric`, `value` and with a bootstrap `low`, `high` and
   * `win_probability`, the share of resamples in which it is best.
   */
  readonly scores: ColumnTable;
  /** The fits of the models by name. */
  readonly fits: Readonly<Record<string, ModelFit<string>>>;
  /** Predicted purchases of each customer in the holdout period, by the name of who forecasts. */
  readonly forecasts: Readonly<Record<string, Float64Array>>;
}

/**
 * Fits models to the calibration period and holds their forecasts of the holdout period, and those of rules of thumb,
 * against what happened.
 *
 * Log-likelihoods are of the times of all purchases, the constant of CNBD-k models included, so that AIC and BIC compare
 * (k is taken as given and not counted as a parameter). `tracking_error` is the mean absolute error of the running total of
 * all customers' holdout purchases along the path, over the mean running total; only data from a log have a path.
 *
 * Intervals are percentile intervals of a paired bootstrap of customers: the same resample judges all. The fits stay as
 * they are, so the intervals say how the scores would come out with other customers of the same kind, not how the fits
 * would. Resamples in which all bought the same are drawn again.
 * @throws DataError if two have the same name, a value is not allowed, there is nothing to predict, or the log gaps of a
 * CNBD-k model are missing.
 * @throws RangeError if nobody takes part, draws is not a whole number from 20 up or the level is not between 0 and 1.
 * @see Efron & Tibshirani (1993), An Introduction to the Bootstrap, section 13.3; Wübben & von Wangenheim (2008), J.
 * Marketing 72(3), for models against rules of thumb.
 */
export function tournament(data: HoldoutData, options: TournamentOptions): TournamentResult {
  const cells = purchaseCells(data.customers);
  const entrants = [
    ...options.models.map((model) => enterModel(model, data, cells)),
    ...(options.heuristics ?? []).map((rule) => enter(rule, data)),
  ];
  return judge(data, entrants, options);
}

/** Where and how a rolling-origin evaluation looks ahead. */
export interface RollingOriginOptions
  extends Omit<PurchaseSummaryOptions, "end" | "holdoutEnd" | "firstOrder">,
    Omit<TournamentOptions, "bootstrap" | "level"> {
  /** Days at whose end a forecast is made, such as "2024-12-31". */
  readonly origins: readonly string[];
  /** How far each forecast looks ahead: whole days. */
  readonly horizon: Duration;
  /** Last day that the log covers; no forecast looks beyond. */
  readonly lastDay: string;
  /** Called after each fit or forecast. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends the work between two fits. */
  readonly signal?: AbortSignal;
}

/** The outcome of a rolling-origin evaluation. */
export interface RollingOriginResult {
  /** One row for each origin, forecast and measure: `origin`, `model`, `kind`, `metric`, `value`. */
  readonly scores: ColumnTable;
  /**
   * One row for each forecast and measure: `model`, `kind`, `metric`, `value` (mean over origins), `low`, `high` (the least
   * and the largest), `origins` (how many have a value) and `wins` (at how many it is best, shared by equals).
   */
  readonly means: ColumnTable;
  /** What the fits warn of, with the origin. */
  readonly warnings: readonly string[];
}

/**
 * Holds forecasts against what happened from several points in time: at each origin the models are fitted anew to what was
 * known then, and predict the purchases within the horizon of those who were customers by then.
 * @throws DataError as `holdoutFromLog` and `tournament`.
 * @throws RangeError if an origin is no day, there is none, the horizon is not a whole number of days from 1 up, or it
 * reaches beyond the last day.
 * @see Tashman (2000), Out-of-sample tests of forecasting accuracy, International J. of Forecasting 16(4).
 */
export async function rollingOrigin(
  purchases: ColumnTable,
  options: RollingOriginOptions,
): Promise<RollingOriginResult> {
  const { models, heuristics = [], origins, onProgress, signal } = options;
  const length = requireOrigins(options);
  const rounds: { readonly origin: string; readonly result: TournamentResult }[] = [];
  let done = 0;
  const pause = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  };
  const all = origins.length * (models.length + heuristics.length);
  for (const origin of origins) {
    await pause();
    const holdoutEnd = isoDay(requireDay("origins", origin) + length);
    const data = holdoutFromLog(purchases, { ...options, end: origin, holdoutEnd });
    const cells = purchaseCells(data.customers);
    const entrants: Entrant[] = [];
    for (const next of [
      ...models.map((model) => () => enterModel(model, data, cells)),
      ...heuristics.map((rule) => () => enter(rule, data)),
    ]) {
      entrants.push(next());
      onProgress?.(++done, all);
      await pause();
    }
    const { ties } = options;
    rounds.push({ origin, result: judge(data, entrants, { models, heuristics, ...(ties && { ties }) }) });
  }
  return summariseRounds(rounds);
}

/** Who takes part: its forecasts, or why there are none. */
interface Entrant {
  readonly name: string;
  readonly kind: Forecaster["kind"];
  readonly fit?: ModelFit<string>;
  readonly predicted?: Float64Array;
  /** Predictions at each time of the path. */
  readonly path: readonly Float64Array[];
  readonly warnings: readonly string[];
}

function enterModel(model: BuyingModel, data: HoldoutData, cells: PurchaseCells): Entrant {
  const constant = logGapsConstant(model, data);
  try {
    const fit = model.fit(cells);
    const full = { ...fit, logLikelihood: fit.logLikelihood + constant };
    return { ...enter(modelForecaster(model, fit.parameters), data), fit: full, warnings: fit.warnings };
  } catch (error) {
    if (!(error instanceof ConvergenceError)) throw error;
    return { name: model.name, kind: "model", path: [], warnings: [error.message] };
  }
}

function enter(forecaster: Forecaster, { customers, horizon, path = [] }: HoldoutData): Entrant {
  return {
    name: forecaster.name,
    kind: forecaster.kind,
    predicted: forecaster.predict(customers, horizon),
    path: path.map(({ time }) => forecaster.predict(customers, time)),
    warnings: [],
  };
}

/** What the log-likelihood of an Erlang-k model has besides the part that its parameters change. */
function logGapsConstant(model: BuyingModel, { customers, logGaps }: HoldoutData): number {
  const k = model.regularity;
  if (k === 1) return 0;
  if (logGaps === undefined) {
    throw new DataError(`customers: log_intervals must be known where ${model.name} takes part`);
  }
  return (k - 1) * logGaps - total(customers.x) * logGammaRatio(1, k - 1);
}

type Scores = Readonly<Partial<Record<TournamentMetric, number>>>;
type Scorer = (weights: ArrayLike<number>, bought: readonly number[]) => Scores;

/** A row of the scores: one forecast by one measure. */
interface ScoreRow extends Partial<Spread> {
  readonly model: string;
  readonly kind: Forecaster["kind"];
  readonly metric: TournamentMetric;
  readonly value: number;
}

/** How a score varies over resamples. */
interface Spread {
  readonly low: number;
  readonly high: number;
  readonly win_probability: number;
}

function judge(
  data: HoldoutData,
  entrants: readonly Entrant[],
  { bootstrap, level = 0.9, ties }: TournamentOptions,
): TournamentResult {
  requireEntrants(entrants);
  const judged = entrants.flatMap((entrant) => {
    const { predicted } = entrant;
    return predicted ? [{ ...entrant, predicted, score: scorerOf(predicted, entrant.path, data, ties) }] : [];
  });
  const everybody = new Float64Array(data.actual.length).fill(1);
  const bought = boughtAlong(data, everybody);
  const scores = new Map(judged.map(({ name, score }) => [name, score(everybody, bought)]));
  const names = metricNames.filter((metric) => metric !== "tracking_error" || data.path);
  const spread = bootstrap && resample(data, judged, names, bootstrap, level);
  const rows = names.flatMap((metric) =>
    judged.map(
      ({ name: model, kind }, place): ScoreRow => ({
        model,
        kind,
        metric,
        value: scores.get(model)?.[metric] as number,
        ...spread?.get(metric)?.[place],
      }),
    ),
  );
  const rmse = (name: string): number => scores.get(name)?.rmse ?? Number.POSITIVE_INFINITY;
  const ranked = [...entrants].sort((p, q) => {
    const [ours, others] = [rmse(p.name), rmse(q.name)];
    return Number(ours > others) - Number(ours < others);
  });
  return Object.freeze({
    leaderboard: leaderboardOf(ranked, scores, names),
    scores: tableOf(rows),
    fits: Object.fromEntries(judged.flatMap(({ name, fit }) => (fit ? [[name, fit]] : []))),
    forecasts: Object.fromEntries(judged.map(({ name, predicted }) => [name, predicted])),
  });
}

const metricNames = Object.keys(metrics) as TournamentMetric[];

/** The scores of a forecast by how often each customer counts and what all bought along the path. */
function scorerOf(
  predicted: Float64Array,
  steps: readonly Float64Array[],
  { actual, path }: HoldoutData,
  ties: TieRule | undefined,
): Scorer {
  const accuracy = forecastScorer(predicted, actual, ties);
  return (weights, bought) => {
    const { mae, rmse, msle, bias, gini, topDecileLift, calibrationSlope } = accuracy(weights);
    let error = 0;
    for (const [step, sum] of bought.entries()) {
      error += Math.abs(weightedSum(steps[step] as Float64Array, weights) - sum);
    }
    return {
      mae,
      rmse,
      msle,
      bias,
      gini,
      top_decile_lift: topDecileLift,
      calibration_slope: calibrationSlope,
      ...(path && { tracking_error: error / total(bought) }),
    };
  };
}

/** What all customers bought so far at each time of the path. */
const boughtAlong = ({ path = [] }: HoldoutData, weights: ArrayLike<number>): number[] =>
  path.map(({ actual }) => weightedSum(actual, weights));

/** Percentile intervals and chances to win of all scores, from the same resamples of customers. */
function resample(
  data: HoldoutData,
  judged: readonly { readonly score: Scorer }[],
  names: readonly TournamentMetric[],
  { draws, random }: { readonly draws: number; readonly random: Random },
  level: number,
): Map<TournamentMetric, Spread[]> {
  requireWhole("draws", draws, 20);
  requireLevel(level);
  const drawn = Array.from({ length: draws }, (): readonly Scores[] => {
    const times = drawTimes(data.actual, random);
    const bought = boughtAlong(data, times);
    return judged.map(({ score }) => score(times, bought));
  });
  return new Map(
    names.map((metric) => {
      const values = drawn.map((scores) => scores.map((score) => score[metric] as number));
      const wins = values.map((round) => winsOf(metric, round));
      const spreads = judged.map((_, place): Spread => {
        const sorted = Float64Array.from(values, (round) => round[place] as number).sort();
        const edge = (p: number): number => sorted[Math.min(draws - 1, Math.floor(p * draws))] as number;
        return {
          low: edge((1 - level) / 2),
          high: edge((1 + level) / 2),
          win_probability: total(wins.map((round) => round[place] as number)) / draws,
        };
      });
      return [metric, spreads];
    }),
  );
}

/** How often each customer is in a resample of as many customers, not all of whom bought the same. */
function drawTimes(actual: ArrayLike<number>, random: Random): Float64Array {
  const size = actual.length;
  for (;;) {
    const times = new Float64Array(size);
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let draw = 0; draw < size; draw++) {
      const row = Math.floor(random.uniform() * size);
      times[row] = (times[row] as number) + 1;
      least = Math.min(least, actual[row] as number);
      most = Math.max(most, actual[row] as number);
    }
    if (least < most) return times;
  }
}

/** 1 for the forecast that is best by a measure, shared by equals, 0 for the others. */
function winsOf(metric: TournamentMetric, values: readonly number[]): number[] {
  const misses = values.map(metrics[metric]);
  const least = Math.min(...misses);
  const winners = misses.filter((miss) => miss === least).length;
  return misses.map((miss) => (miss === least ? 1 / winners : 0));
}

function leaderboardOf(
  ranked: readonly Entrant[],
  scores: ReadonlyMap<string, Scores>,
  names: readonly TournamentMetric[],
): ColumnTable {
  return tableOf(
    ranked.map(({ name, kind, fit, warnings }) => {
      const criteria = fit && informationCriteria(fit);
      return {
        model: name,
        kind,
        parameters: criteria?.parameters ?? null,
        log_likelihood: fit?.logLikelihood ?? null,
        aic: criteria?.aic ?? null,
        bic: criteria?.bic ?? null,
        ...Object.fromEntries(names.map((metric) => [metric, scores.get(name)?.[metric] ?? null])),
        warnings: warnings.join("; "),
      };
    }),
  );
}

/** Scores of all origins, and what they come to for each forecast and measure. */
function summariseRounds(
  rounds: readonly { readonly origin: string; readonly result: TournamentResult }[],
): RollingOriginResult {
  const scores = rounds.flatMap(({ origin, result }) =>
    (result.scores.objects() as ScoreRow[]).map((row) => ({ origin, ...row })),
  );
  const groups = new Map<string, { readonly row: ScoreRow; readonly values: number[]; wins: number }>();
  for (const { origin } of rounds) {
    for (const metric of metricNames) {
      const rows = scores.filter((row) => row.origin === origin && row.metric === metric);
      const wins = winsOf(
        metric,
        rows.map(({ value }) => value),
      );
      for (const [place, row] of rows.entries()) {
        const key = `${metric} ${row.model}`;
        const group = groups.get(key) ?? { row, values: [], wins: 0 };
        group.values.push(row.value);
        group.wins += wins[place] as number;
        groups.set(key, group);
      }
    }
  }
  const means = [...groups.values()].map(({ row: { model, kind, metric }, values, wins }) => ({
    model,
    kind,
    metric,
    value: total(values) / values.length,
    low: Math.min(...values),
    high: Math.max(...values),
    origins: values.length,
    wins,
  }));
  const warnings = rounds.flatMap(({ origin, result }) =>
    (result.leaderboard.objects() as { readonly warnings: string }[]).flatMap(({ warnings: text }) =>
      text === "" ? [] : [`${origin}: ${text}`],
    ),
  );
  return Object.freeze({ scores: tableOf(scores), means: tableOf(means), warnings });
}

/** A table of rows with the same keys. */
function tableOf(rows: readonly object[]): ColumnTable {
  const names = Object.keys(rows[0] ?? {});
  return table(
    Object.fromEntries(
      names.map((name) => [name, rows.map((row) => (row as Record<string, unknown>)[name])]),
    ),
  );
}

function weightedSum(values: ArrayLike<number>, weights: ArrayLike<number>): number {
  let sum = 0;
  for (let row = 0; row < values.length; row++) sum += (values[row] as number) * (weights[row] as number);
  return sum;
}

function total(values: ArrayLike<number>): number {
  let sum = 0;
  for (let row = 0; row < values.length; row++) sum += values[row] as number;
  return sum;
}

function requireEntrants(entrants: readonly Entrant[]): void {
  if (entrants.length === 0) throw new RangeError("models must name at least one model, got none");
  const names = entrants.map(({ name }) => name);
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  if (twice !== undefined) throw new DataError(`models must have different names, got ${twice} twice`);
}

/** The length of the horizon in days, if the log covers it from all origins. */
function requireOrigins({ origins, horizon, lastDay }: RollingOriginOptions): number {
  const length = inDays(horizon).length;
  if (!(Number.isInteger(length) && length >= 1)) {
    throw new RangeError(`horizon must be a whole number of days from 1 up, got ${length}`);
  }
  if (origins.length === 0) throw new RangeError("origins must name at least one day, got none");
  const latest = requireDay("lastDay", lastDay) - length;
  for (const origin of origins) {
    if (requireDay("origins", origin) <= latest) continue;
    throw new RangeError(
      `origins must be at least ${length} days before the last day, ${lastDay}, got ${origin}`,
    );
  }
  return length;
}
