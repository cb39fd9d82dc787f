import type { ColumnTable } from "arquero";
import { isoDay, monthNumber } from "../core/day.js";
import { ConvergenceError, DataError } from "../core/errors.js";
import { requireDay } from "../core/read-day.js";
import { chebyshevInterpolant } from "../numeric/chebyshev.js";
import { congruence, dot, invertSymmetric, product, transposed } from "../numeric/matrix.js";
import { mbgNbd } from "./bg-nbd.js";
import type { BuyingModel, ParameterValues } from "./buying-model.js";
import { type PurchaseCells, type PurchaseCustomer, purchaseCells } from "./cells.js";
import {
  type ClockEvent,
  type EventPeriod,
  eventPeriods,
  MONTH_LENGTHS,
  type PurchaseClock,
} from "./clock.js";
import { deepFreeze, type ModelFit } from "./fit.js";
import { type PurchaseColumns, readPurchases, spanOf } from "./purchase-summary.js";
import { type ReturnRule, treatReturns } from "./returns.js";

/** What the clock is estimated from. */
export interface SeasonalClockOptions extends PurchaseColumns {
  /** Last day that is observed, included; later rows are left out. */
  readonly end: string;
  /**
   * Days that differ from their month, such as a promotion. Of every name at least one event must have days that were
   * observed; its factor then also holds for those that are planned.
   */
  readonly events?: readonly ClockEvent[];
  /** Model of buying on the clock; default the MBG/NBD. */
  readonly model?: BuyingModel;
  /** What to do with amounts that are not above 0; default "reject". */
  readonly returns?: ReturnRule;
}

/** An estimated clock; it survives JSON. */
export interface SeasonalClock extends PurchaseClock {
  /** Model of buying on the clock with which it was estimated. */
  readonly model: string;
  /** Mean 1 over the days of a year of 365 days, so that a year without events is as long as in the calendar. */
  readonly monthWeights: readonly number[];
  /** Standard errors of the weights, in their order; about 1 where a month was not observed. */
  readonly monthErrors: readonly number[];
  /** The events as given, each with the factor of its name and the factor's standard error. */
  readonly events: readonly (ClockEvent & { readonly factor: number; readonly standardError: number })[];
  /** Repeat purchases it was estimated from. */
  readonly purchases: number;
  /** Rounds until the weights stood still. */
  readonly iterations: number;
  /** What is not to be taken at face value, in words. */
  readonly warnings: readonly string[];
}

const LEAST_PURCHASES = 30;
const SETTLED = 1e-6; // largest change of a weight or factor in a round
const MOST_ROUNDS = 200;
/** Purchases: every month and event is taken to have one purchase more where one more is expected, so that none has speed 0. */
const PRIOR = 1;
const POINTS = 48; // of the interpolation of expected purchases in log time: to 1e-8, mostly to the last bit
const STEP = 1e-4; // of a log speed or parameter in a difference quotient
const MONTHS = "January,February,March,April,May,June,July,August,September,October,November,December".split(
  ",",
);

/**
 * Estimates the clock on which customers buy at constant rates: faster in busy months, slower in quiet ones, with a factor
 * of its own for every event. A clock is a change of time: on it the models of repeat buying hold as they are, so give it
 * to `summarisePurchases`, fit any model, and forecast with `clockLength` as the horizon. The MBG/NBD and its relatives,
 * in which customers drop out at purchases, are thereby exact models of buying with a season; under the Pareto/NBD dropout
 * is taken to run on the same clock.
 *
 * The speeds are a fixed point: on the current clock the model is fitted, and the purchases that it expects of all
 * customers as new ones, from the first purchase of each on, are compared with the actual ones by month of the year
 * (outside of events) and by event; speeds are multiplied by actual / expected until they stand still. Months and events
 * count as if they had one purchase more where one more was expected: it keeps sparse ones near 1, and a month without
 * an observed day at 1. Standard errors are those of estimating equations with the customers' own contributions
 * (sandwich); they include the errors of the model's parameters, which matter most in the first year of a log, where season
 * and growth are hard to tell apart.
 * @throws DataError as `summarisePurchases`, or if there are fewer than 30 repeat purchases outside of events.
 * @throws RangeError if `end` or a day of an event is none, an event ends before it starts, overlaps another, or has no
 * observed day under its name, or events leave no day of the log without one.
 * @throws ConvergenceError if the model cannot be fitted or the speeds do not settle.
 * @see Lawless (1987), Regression Methods for Poisson Process Data, JASA 82(399), for counts of heterogeneous customers;
 * Fader, Hardie & Lee (2005), Marketing Science 24(2), for the expected purchases of a base of customers.
 */
export function seasonalClock(purchases: ColumnTable, options: SeasonalClockOptions): SeasonalClock {
  const { model = mbgNbd, events = [] } = options;
  const periods = eventPeriods(events);
  const log = observedLog(purchases, options);
  const calendar = calendarOf(log, periods);
  let speeds: Speeds = new Float64Array(12 + calendar.eventNames.length).fill(1);
  for (let iterations = 1; iterations <= MOST_ROUNDS; iterations++) {
    const fit = model.fit(purchaseCells(historiesOn(clockTimes(calendar, speeds), log)));
    const expected = totalOf(log, expectedByCohort(model, fit.parameters, log, calendar, speeds));
    const next = nextSpeeds(calendar, speeds, expected);
    const isSettled = next.every((speed, place) => Math.abs(speed - (speeds[place] as number)) < SETTLED);
    speeds = next;
    if (!isSettled) continue;
    const errors = standardErrors(model, fit, log, calendar, speeds);
    const of = (name: string): number => 12 + calendar.eventNames.indexOf(name);
    return deepFreeze({
      model: model.name,
      monthWeights: Array.from(speeds.subarray(0, 12)),
      monthErrors: Array.from(errors.subarray(0, 12)),
      events: events.map(({ name, first, last }) => ({
        name,
        first,
        last,
        factor: speeds[of(name)] as number,
        standardError: errors[of(name)] as number,
      })),
      purchases: log.purchases,
      iterations,
      warnings: [...warningsOf(log, expected), ...fit.warnings],
    });
  }
  throw new ConvergenceError(
    `seasonal clock: the speeds of the months did not settle in ${MOST_ROUNDS} rounds of the ${model.name}; ` +
      "fewer events, or another model, may",
  );
}

/** Speeds of the 12 months, then the factors of the events by name. */
type Speeds = Float64Array<ArrayBuffer>;

/** Purchases up to the end by day of the first purchase; days are counted from the first one of the log. */
interface ObservedLog {
  readonly start: number;
  /** Days from the first one of the log to the end. */
  readonly length: number;
  readonly cohorts: readonly Cohort[];
  /** Repeat purchases. */
  readonly purchases: number;
}

interface Cohort {
  readonly first: number;
  /** Days of the repeat purchases of each customer, ascending. */
  readonly customers: readonly (readonly number[])[];
}

function observedLog(purchases: ColumnTable, options: SeasonalClockOptions): ObservedLog {
  const end = requireDay("end", options.end);
  const rows = readPurchases(purchases, options);
  const { customers } = treatReturns(rows, options.returns ?? "reject", options.amount ?? "amount");
  const byFirst = new Map<number, number[][]>();
  let repeats = 0;
  for (const own of customers.values()) {
    const [first, ...later] = [...own.keys()].filter((day) => day <= end).sort((a, b) => a - b);
    if (first === undefined) continue;
    repeats += later.length;
    const cohort = byFirst.get(first);
    if (cohort) cohort.push(later);
    else byFirst.set(first, [later]);
  }
  requirePurchases(repeats, `up to the end, ${options.end}; ${spanOf(rows)}`);
  const start = [...byFirst.keys()].reduce((least, day) => Math.min(least, day));
  const cohorts = [...byFirst]
    .map(([first, days]) => ({
      first: first - start,
      customers: days.map((own) => own.map((day) => day - start)),
    }))
    .sort((a, b) => a.first - b.first);
  return { start, length: end - start + 1, cohorts, purchases: repeats };
}

function requirePurchases(count: number, where: string): void {
  if (count >= LEAST_PURCHASES) return;
  throw new DataError(
    `purchases: a seasonal clock needs at least ${LEAST_PURCHASES} repeat purchases, got ${count} ${where}`,
  );
}

/** Which speeds each observed day has. A place is a month of the year (0 to 11) or 12 + the number of an event's name. */
interface Calendar {
  readonly month: readonly number[];
  readonly place: readonly number[];
  /** Days that end a run of days of one place. */
  readonly ends: readonly number[];
  readonly eventNames: readonly string[];
  /** Repeat purchases by place. */
  readonly actual: Float64Array;
}

function calendarOf(log: ObservedLog, events: readonly EventPeriod[]): Calendar {
  const days = Array.from({ length: log.length }, (_, day) => log.start + day);
  const eventNames = [...new Set(events.map(({ name }) => name))];
  const month = days.map((day) => (monthNumber(day) - 1) % 12);
  const place = days.map((day, at) => {
    const event = events.find(({ first, last }) => first <= day && day <= last);
    return event === undefined ? (month[at] as number) : 12 + eventNames.indexOf(event.name);
  });
  const repeatDays = place.slice(1); // nobody buys again on the first day
  const span = `repeat purchases are observed from ${isoDay(log.start + 1)} to ${isoDay(log.start + log.length - 1)}`;
  const outside = eventNames.find((_, event) => !repeatDays.includes(12 + event));
  if (outside !== undefined) throw new RangeError(`event ${outside} must have an observed day; ${span}`);
  if (repeatDays.every((at) => at >= 12)) throw new RangeError(`events must leave days without one; ${span}`);
  const actual = new Float64Array(12 + eventNames.length);
  for (const { customers } of log.cohorts) addCounts(actual, place, customers.flat());
  requirePurchases(sumOf(actual.subarray(0, 12)), "outside of events");
  return {
    month,
    place,
    ends: [...place.keys()].filter((day) => place[day] !== place[day + 1]),
    eventNames,
    actual,
  };
}

/** Clock time at the end of each observed day. */
function clockTimes({ month, place }: Calendar, speeds: Speeds): Float64Array {
  let time = 0;
  return Float64Array.from(place, (at, day) => {
    time += (speeds[month[day] as number] as number) * (at < 12 ? 1 : (speeds[at] as number));
    return time;
  });
}

/** Histories of all customers, or of one, with times on the clock. */
function historiesOn(
  times: Float64Array,
  { cohorts, length }: Pick<ObservedLog, "cohorts" | "length">,
): PurchaseCells {
  const column = (of: (first: number, days: readonly number[]) => number): Float64Array =>
    Float64Array.from(cohorts.flatMap(({ first, customers }) => customers.map((days) => of(first, days))));
  const since = (first: number, day: number): number => (times[day] as number) - (times[first] as number);
  return {
    x: column((_, days) => days.length),
    recency: column((first, days) => since(first, days.at(-1) ?? first)),
    age: column((first) => since(first, length - 1)),
    weight: column(() => 1),
  };
}

/** Repeat purchases that the model expects of one customer of each cohort, by place. */
function expectedByCohort(
  model: BuyingModel,
  parameters: ParameterValues,
  { cohorts, length }: ObservedLog,
  calendar: Calendar,
  speeds: Speeds,
): readonly Float64Array[] {
  const times = clockTimes(calendar, speeds);
  const longest = Math.log1p((times[length - 1] as number) - (times[0] as number));
  const inLogTime = chebyshevInterpolant(
    (log) => model.expectedPurchases(parameters, newCustomer, Math.expm1(log)),
    { low: 0, high: longest, n: POINTS },
  );
  return cohorts.map(({ first }) => {
    const expected = new Float64Array(speeds.length);
    let before = 0;
    for (const end of calendar.ends) {
      if (end <= first) continue;
      const until = inLogTime(Math.log1p((times[end] as number) - (times[first] as number)));
      add(expected, calendar.place[end] as number, until - before);
      before = until;
    }
    return expected;
  });
}

const newCustomer: PurchaseCustomer = { x: 0, recency: 0, age: 0 };

/** Sums over all customers what is expected of one customer of each cohort. */
function totalOf({ cohorts }: ObservedLog, expected: readonly Float64Array[]): Float64Array {
  const total = new Float64Array(expected[0]?.length ?? 0);
  for (const [cohort, { customers }] of cohorts.entries()) {
    for (const [place, mean] of (expected[cohort] as Float64Array).entries()) {
      add(total, place, customers.length * mean);
    }
  }
  return total;
}

/** Actual over expected purchases outside of events: a likelihood does not make it quite 1. */
const levelOf = (actual: Float64Array, expected: Float64Array): number =>
  sumOf(actual.subarray(0, 12)) / sumOf(expected.subarray(0, 12));

/** Speeds times actual over expected purchases; those of the observed months with mean 1, of the others 1. */
function nextSpeeds({ actual }: Calendar, speeds: Speeds, expected: Float64Array): Speeds {
  const level = levelOf(actual, expected);
  const next = speeds.map((speed, place) => {
    const atSpeedOne = (level * (expected[place] as number)) / speed;
    return ((actual[place] as number) + PRIOR) / (atSpeedOne + PRIOR);
  });
  const observed = [...MONTH_LENGTHS.keys()].filter((month) => (expected[month] as number) > 0);
  const days = sumOf(observed.map((month) => MONTH_LENGTHS[month] as number));
  const mean =
    sumOf(observed.map((month) => (MONTH_LENGTHS[month] as number) * (next[month] as number))) / days;
  for (const month of MONTH_LENGTHS.keys()) {
    next[month] = observed.includes(month) ? (next[month] as number) / mean : 1;
  }
  return next;
}

/**
 * Standard errors of the speeds. Speeds and parameters solve estimating equations together: purchases less expected ones
 * of each place, and the model's score. To first order, an error of the score moves the parameters by `covariance` times
 * it, these the expected purchases; what is left are equations of the speeds alone, to which each customer contributes.
 * One month is the yardstick, for only ratios of speeds are determined.
 * @see Newey & McFadden (1994), Large Sample Estimation and Hypothesis Testing, Handbook of Econometrics 4, section 6.
 */
function standardErrors(
  model: BuyingModel,
  fit: ModelFit<string>,
  log: ObservedLog,
  calendar: Calendar,
  speeds: Speeds,
): Float64Array {
  const { actual } = calendar;
  const { parameters, covariance } = fit;
  const values = Float64Array.from(model.parameterNames, (name) => parameters[name] as number);
  const scoreOf = (cells: PurchaseCells): Float64Array => {
    const gradient = new Float64Array(values.length);
    model.objective(cells)(values, gradient);
    return gradient;
  };
  const residualsOf = (means: Float64Array, at: Speeds): Float64Array => {
    const level = levelOf(actual, means);
    return means.map(
      (mean, place) => (actual[place] as number) - level * mean + PRIOR * (1 - (at[place] as number)),
    );
  };
  const expected = expectedByCohort(model, parameters, log, calendar, speeds);
  const means = totalOf(log, expected);
  const residuals = residualsOf(means, speeds);
  const times = clockTimes(calendar, speeds);
  const score = scoreOf(historiesOn(times, log));
  const slope = (to: Float64Array, from: Float64Array, step: number): number[] =>
    Array.from(to, (value, place) => (value - (from[place] as number)) / step);

  const yardstick = actual.indexOf(Math.max(...actual.subarray(0, 12)));
  const free = [...speeds.keys()].filter((place) => place !== yardstick);
  const bySpeed = free.map((place) => {
    const at = speeds.slice();
    at[place] = (at[place] as number) * Math.exp(STEP);
    const moved = totalOf(log, expectedByCohort(model, parameters, log, calendar, at));
    return {
      residuals: slope(residualsOf(moved, at), residuals, STEP),
      score: slope(scoreOf(historiesOn(clockTimes(calendar, at), log)), score, STEP),
    };
  });
  const byParameter = model.parameterNames.map((name, index) => {
    const step = STEP * (values[index] as number);
    const at = { ...parameters, [name]: (values[index] as number) + step };
    return slope(
      residualsOf(totalOf(log, expectedByCohort(model, at, log, calendar, speeds)), speeds),
      residuals,
      step,
    );
  });
  // how the residuals of the free places answer to the score, by way of the parameters
  const answer = free.map((place) =>
    covariance.map((row) =>
      sumOf(row.map((value, index) => value * (byParameter[index]?.[place] as number))),
    ),
  );
  const jacobian = free.map((place, row) =>
    bySpeed.map((moved) => (moved.residuals[place] as number) + dot(answer[row] as number[], moved.score)),
  );

  const scatter = free.map((place, row) =>
    free.map((_, column) => (row === column ? PRIOR * (speeds[place] as number) : 0)),
  );
  const level = levelOf(actual, means);
  const outside = sumOf(means.subarray(0, 12));
  for (const [cohort, { first, customers }] of log.cohorts.entries()) {
    for (const days of customers) {
      const own = (expected[cohort] as Float64Array).map((mean) => -level * mean);
      addCounts(own, calendar.place, days);
      const all = sumOf(own.subarray(0, 12));
      const ownScore = scoreOf(
        historiesOn(times, { cohorts: [{ first, customers: [days] }], length: log.length }),
      );
      const influence = free.map(
        (place, row) =>
          (own[place] as number) -
          ((means[place] as number) / outside) * all +
          dot(answer[row] as number[], ownScore),
      );
      for (const [row, value] of influence.entries()) {
        const line = scatter[row] as number[];
        for (const [column, other] of influence.entries())
          line[column] = (line[column] as number) + value * other;
      }
    }
  }
  const inverse = invertSymmetric(product(transposed(jacobian), jacobian));
  if (inverse === undefined) {
    throw new ConvergenceError(
      `seasonal clock: the purchases do not determine the speeds under the ${model.name}; fewer events may`,
    );
  }
  const solution = product(inverse, transposed(jacobian));
  const ofLogs = congruence(solution, scatter);

  const days = MONTH_LENGTHS.map((length, month) =>
    (means[month] as number) > 0 ? length * (speeds[month] as number) : 0,
  );
  const year = sumOf(days);
  return speeds.map((speed, place) => {
    // months are relative to the mean of the year, events to their months
    const weights = free.map(
      (other) => (other === place ? 1 : 0) - (place < 12 && other < 12 ? (days[other] as number) / year : 0),
    );
    return (
      speed *
      Math.sqrt(
        dot(
          weights,
          ofLogs.map((row) => dot(row, weights)),
        ),
      )
    );
  });
}

function warningsOf({ length }: ObservedLog, expected: Float64Array): string[] {
  const unseen = MONTHS.filter((_, month) => expected[month] === 0);
  const warnings: string[] = [];
  if (length < 365) {
    warnings.push(
      `seasonal clock: the log covers ${length} days, less than a year: a season and growth are hard to tell apart`,
    );
  }
  if (unseen.length > 0) {
    warnings.push(`seasonal clock: no day of ${unseen.join(", ")} was observed outside of events: weight 1`);
  }
  return warnings;
}

function addCounts(to: Float64Array, place: readonly number[], days: readonly number[]): void {
  for (const day of days) add(to, place[day] as number, 1);
}

function add(to: Float64Array, place: number, value: number): void {
  to[place] = (to[place] as number) + value;
}

const sumOf = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + value, 0);
