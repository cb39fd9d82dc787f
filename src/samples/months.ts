import { dayNumber, isoMonth, monthNumber } from "../core/day.js";

/** First day of a month, as a day number. */
export const firstDayOf = (month: number): number => dayNumber(`${isoMonth(month)}-01`);

/**
 * The same day of the month so many months later, as a day number; where the month is too short, its last day. Always
 * count from the first day of all: from 31 January it is 29 February (28 in a common year), then 31 March again.
 */
export function monthsLater(day: number, months: number): number {
  const month = monthNumber(day);
  const first = firstDayOf(month + months);
  const last = firstDayOf(month + months + 1) - 1;
  return Math.min(first + (day - firstDayOf(month)), last);
}
