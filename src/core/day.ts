/**
 * Days and months as integers, the only calendar the marts know: a `day` counts days since 1970-01-01 (UTC),
 * a `month` is year * 12 + month of the year (1 to 12). Integer arithmetic means the same on every engine.
 */

/**
 * Day number of an ISO day: `dayNumber("2024-01-01")` is 19723. Years 0001 to 9999.
 * @throws RangeError if the text is not an existing day written YYYY-MM-DD.
 */
export function dayNumber(text: string): number {
  const day = parseIsoDay(text);
  if (day === undefined) throw new RangeError(`a day must be written like 2024-12-31, got "${text}"`);
  return day;
}

/** ISO day of a day number: `isoDay(19723)` is "2024-01-01". */
export function isoDay(day: number): string {
  const { year, month, dayOfMonth } = calendarDay(day);
  return `${digits(year, 4)}-${digits(month, 2)}-${digits(dayOfMonth, 2)}`;
}

/** Month number of a day number, year * 12 + month: `monthNumber(dayNumber("2024-03-15"))` is 24291. */
export function monthNumber(day: number): number {
  const { year, month } = calendarDay(day);
  return year * 12 + month;
}

/** ISO month of a month number: `isoMonth(24291)` is "2024-03". */
export function isoMonth(month: number): string {
  const year = Math.floor((month - 1) / 12);
  return `${digits(year, 4)}-${digits(month - year * 12, 2)}`;
}

/** First day of a month, as a day number. */
export function firstDayOfMonth(month: number): number {
  const year = Math.floor((month - 1) / 12);
  return daysFromCivil(year, month - 12 * year, 1);
}

/**
 * The same day of the month so many months later, as a day number; where the month is too short, its last day. Always
 * count from the first day of all: from 31 January it is 29 February (28 in a common year), then 31 March again.
 */
export function monthsLater(day: number, months: number): number {
  const month = monthNumber(day);
  const first = firstDayOfMonth(month + months);
  return Math.min(first + day - firstDayOfMonth(month), firstDayOfMonth(month + months + 1) - 1);
}

/** Months from a day to a later one, as `monthsLater` counts them; days between two such days are a share of their month. */
export function monthsBetween(start: number, day: number): number {
  const reached = monthNumber(day) - monthNumber(start);
  const whole = monthsLater(start, reached) <= day ? reached : reached - 1;
  const last = monthsLater(start, whole);
  return whole + (day - last) / (monthsLater(start, whole + 1) - last);
}

/** Day of the week of a day number, ISO 8601: Monday is 1, Sunday is 7. */
export function weekday(day: number): number {
  return ((((day + 3) % 7) + 7) % 7) + 1;
}

/** Day number of text written YYYY-MM-DD, or undefined when the text is anything else or no existing day. */
export function parseIsoDay(text: string): number | undefined {
  if (text.length !== 10 || text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH) return undefined;
  const year = digitsAt(text, 0, 4);
  const month = digitsAt(text, 5, 7);
  const dayOfMonth = digitsAt(text, 8, 10);
  if (!(year >= 1 && month >= 1 && month <= 12 && dayOfMonth >= 1)) return undefined;
  return dayOfMonth <= daysInMonth(year, month) ? daysFromCivil(year, month, dayOfMonth) : undefined;
}

const DASH = 45;
const ZERO = 48;
const NINE = 57;

/** Number written in the digits of `text` from `start` to `end`, NaN if a character is not a digit. */
function digitsAt(text: string, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code < ZERO || code > NINE) return Number.NaN;
    value = value * 10 + (code - ZERO);
  }
  return value;
}

const digits = (value: number, width: number): string => String(value).padStart(width, "0");

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Proleptic Gregorian calendar. @see Hinnant (2013), chrono-Compatible Low-Level Date Algorithms. */
function daysFromCivil(year: number, month: number, dayOfMonth: number): number {
  const y = month <= 2 ? year - 1 : year; // the year starts in March, so that a leap day ends it
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + dayOfMonth - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function calendarDay(day: number): { year: number; month: number; dayOfMonth: number } {
  const date = new Date(day * 86_400_000);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, dayOfMonth: date.getUTCDate() };
}
