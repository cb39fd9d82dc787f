import { isoDay } from "../core/day.js";
import { requireDay } from "../core/read-day.js";
import { inDays, type TimeUnit } from "../core/types.js";

/** Days on which purchases run faster or slower than their months, a promotion say. */
export interface ClockEvent {
  /** Events of the same name are one thing at several times: they share a factor. */
  readonly name: string;
  /** First day, such as "2024-11-25". */
  readonly first: string;
  /** Last day, included. */
  readonly last: string;
}

/** How fast purchases run at each time of the calendar: a customer buys at a constant rate on this clock. */
export interface PurchaseClock {
  /** Speed in each month of the year, January first, the same in all years. */
  readonly monthWeights: readonly number[];
  /** What speed is multiplied by on the days of events, which must not overlap. */
  readonly events: readonly (ClockEvent & { readonly factor: number })[];
}

/**
 * Clock time at the end of a day, in days since a fixed origin: strictly rising, and with weights and factors of 1 equal to
 * days of the calendar. Only differences mean something: from one purchase to another, or from a purchase to the end.
 * `day` is in days since 1970-01-01, in the years 1 to 9999.
 * @throws RangeError if the day is none, there are not 12 weights above 0, a factor is not above 0, or events are not
 * possible: a day is none, one ends before it starts, or two overlap.
 */
export function clockDay({ monthWeights, events }: PurchaseClock, day: number): number {
  if (!(Number.isInteger(day) && day >= FIRST_DAY && day <= LAST_DAY)) {
    throw new RangeError(`day must be a whole number from ${FIRST_DAY} to ${LAST_DAY}, got ${day}`);
  }
  requireAboveZero("monthWeights", monthWeights);
  if (monthWeights.length !== 12)
    throw new RangeError(`monthWeights must be 12 numbers, got ${monthWeights.length}`);
  let time = seasonDay(monthWeights, day);
  for (const [place, { name, first, last }] of eventPeriods(events).entries()) {
    const { factor } = events[place] as { readonly factor: number };
    requireAboveZero(`factor of ${name}`, [factor]);
    if (day < first) continue;
    const passed = seasonDay(monthWeights, Math.min(day, last)) - seasonDay(monthWeights, first - 1);
    time += (factor - 1) * passed;
  }
  return time;
}

/**
 * How long a period of the calendar is on the clock: from the end of the day `from` to the end of the day `to`. The horizon
 * to give to a model for the forecast from the end of observation to a later day.
 * @throws RangeError as `clockDay`, or if `from` or `to` is no day or `to` lies before `from`.
 */
export function clockLength(clock: PurchaseClock, from: string, to: string, unit: TimeUnit): number {
  const [start, end] = [requireDay("from", from), requireDay("to", to)];
  if (end < start) throw new RangeError(`to must not be before from, ${from}, got ${to}`);
  return (clockDay(clock, end) - clockDay(clock, start)) / inDays({ unit, length: 1 }).length;
}

/** An event in days since 1970-01-01, the last one included. */
export interface EventPeriod {
  readonly name: string;
  readonly first: number;
  readonly last: number;
}

/**
 * Events in days since 1970-01-01, in their order.
 * @throws RangeError if a first or last day is none, an event ends before it starts, or two overlap.
 */
export function eventPeriods(events: readonly ClockEvent[]): readonly EventPeriod[] {
  const periods = events.map(({ name, ...event }) => {
    const first = requireDay(`first day of ${name}`, event.first);
    const last = requireDay(`last day of ${name}`, event.last);
    if (last >= first) return { name, first, last };
    throw new RangeError(`event ${name} must not end before it starts, ${event.first}, got ${event.last}`);
  });
  for (const [place, one] of periods.entries()) {
    const other = periods.slice(place + 1).find(({ first, last }) => first <= one.last && one.first <= last);
    if (other === undefined) continue;
    const days = ({ name, first, last }: EventPeriod): string =>
      `${name} (${isoDay(first)} to ${isoDay(last)})`;
    throw new RangeError(`events must not overlap, got ${days(one)} and ${days(other)}`);
  }
  return periods;
}

/** Days of the months in a year of 365 days, January first. */
export const MONTH_LENGTHS: readonly number[] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const FIRST_DAY = -719_162; // 0001-01-01
const LAST_DAY = 2_932_896; // 9999-12-31

/** Days from the end of 1969 to the end of a day, each counted with the weight of its month. */
function seasonDay(weights: readonly number[], day: number): number {
  const [year = 0, month = 0, dayOfMonth = 0] = isoDay(day).split("-").map(Number);
  const untilMonth = (months: readonly number[]): number =>
    (year - 1970) * sumOf(months) + sumOf(months.slice(0, month - 1));
  const leapDays = day - dayOfMonth + 1 - untilMonth(MONTH_LENGTHS);
  const weighted = MONTH_LENGTHS.map((days, place) => days * (weights[place] as number));
  return (
    untilMonth(weighted) + leapDays * (weights[1] as number) + dayOfMonth * (weights[month - 1] as number)
  );
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

function requireAboveZero(name: string, values: readonly number[]): void {
  if (values.every((value) => value > 0 && Number.isFinite(value))) return;
  throw new RangeError(`${name} must be above 0, got ${values.join(", ")}`);
}
