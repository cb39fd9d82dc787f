import { firstDayOfMonth, isoDay, isoMonth, monthNumber } from "./day.js";

/** Length of calendar periods; weeks begin on Monday. */
export type CalendarPeriod = "week" | "month" | "quarter";

/** Weeks, months and quarters as integers: what period a day is in, what it is called, its first day. */
export const calendar: Readonly<
  Record<
    CalendarPeriod,
    {
      readonly of: (day: number) => number;
      readonly label: (period: number) => string;
      readonly firstDay: (period: number) => number;
    }
  >
> = {
  week: {
    of: (day) => Math.floor((day + 3) / 7), // day 0 was a Thursday
    label: (week) => isoDay(week * 7 - 3),
    firstDay: (week) => week * 7 - 3,
  },
  month: { of: monthNumber, label: isoMonth, firstDay: firstDayOfMonth },
  quarter: {
    of: (day) => Math.floor((monthNumber(day) - 1) / 3),
    label: (quarter) => `${isoMonth(quarter * 3 + 1).slice(0, 4)}-Q${(quarter % 4) + 1}`,
    firstDay: (quarter) => firstDayOfMonth(quarter * 3 + 1),
  },
};
