import { dayNumber, monthNumber } from "../core/day.js";
import type { CompanyParameters } from "./parameters.js";

/**
 * The company's calendar: purchases run by an inner clock that goes faster in busy months and in the promotion, and
 * keeps real time on average. On that clock every customer buys at a constant rate.
 */
export interface BusyCalendar {
  readonly firstDay: number;
  readonly lastDay: number;
  /** Inner time, in days, passed at the moment `time` (days since the start, fractions allowed). */
  innerTime(time: number): number;
  /** Moment (days since the start) at which the inner clock shows `inner`; Infinity after the end. */
  momentAt(inner: number): number;
  /** Days in the calendar, also the inner time at its end. */
  readonly length: number;
  isPromotion(day: number): boolean;
  isAfterPriceChange(day: number): boolean;
}

export function busyCalendar(parameters: CompanyParameters): BusyCalendar {
  const firstDay = dayNumber(parameters.firstDay);
  const lastDay = dayNumber(parameters.lastDay);
  const length = lastDay - firstDay + 1;
  const promotionFrom = dayNumber(parameters.promotion.firstDay);
  const promotionTo = dayNumber(parameters.promotion.lastDay);
  const priceChangeFrom = dayNumber(parameters.priceChange.from);
  const isPromotion = (day: number): boolean => day >= promotionFrom && day <= promotionTo;

  const passed = new Float64Array(length + 1); // inner time at the start of each day
  for (let i = 0; i < length; i++) {
    const day = firstDay + i;
    const seasonal = parameters.season[(monthNumber(day) - 1) % 12] ?? 1;
    passed[i + 1] = at(passed, i) + seasonal * (isPromotion(day) ? parameters.promotion.intensity : 1);
  }
  const total = at(passed, length);
  for (let i = 0; i <= length; i++) passed[i] = (at(passed, i) / total) * length;

  const innerTime = (time: number): number => {
    const day = Math.min(Math.floor(time), length - 1);
    return at(passed, day) + (time - day) * (at(passed, day + 1) - at(passed, day));
  };
  const momentAt = (inner: number): number => {
    if (inner >= length) return Number.POSITIVE_INFINITY;
    let low = 0;
    let high = length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (at(passed, middle) <= inner) low = middle;
      else high = middle;
    }
    return low + (inner - at(passed, low)) / (at(passed, low + 1) - at(passed, low));
  };
  const isAfterPriceChange = (day: number): boolean => day >= priceChangeFrom;
  return { firstDay, lastDay, length, innerTime, momentAt, isPromotion, isAfterPriceChange };
}

const at = (values: Float64Array, index: number): number => values[index] as number;
