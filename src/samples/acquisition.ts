import { firstDayOfMonth, isoDay, monthNumber } from "../core/day.js";
import { DataError } from "../core/errors.js";
import { decimalText } from "../core/types.js";
import { busyCalendar } from "./calendar.js";
import type { ChannelResponse, CompanyParameters } from "./parameters.js";

/** A row of acquisition_spend.csv as text: money spent on winning customers. */
export interface AcquisitionSpendRow {
  /** First day of the month. */
  readonly month: string;
  readonly acquisition_channel: string;
  readonly region: string;
  readonly spend: string;
}

/**
 * The money spent by month, channel and region: what the response curve needs to win, on average, the customers whom the
 * busy calendar, the channel's share and the region's share bring in that month. The persons of a cell so are a random
 * count with the mean `curve(spend)`. A region with share q and cost factor f wins q W(S / (q f)) with S EUR.
 * @throws DataError if a curve cannot reach the customers of a month.
 */
export function acquisitionSpend(parameters: CompanyParameters): readonly AcquisitionSpendRow[] {
  const { customers, acquisition, regions, responseCustomers } = parameters;
  const calendar = busyCalendar(parameters);
  const { firstDay, lastDay } = calendar;
  const innerTimeAt = (day: number): number =>
    calendar.innerTime(Math.min(Math.max(day, firstDay), lastDay + 1) - firstDay);
  const rows: AcquisitionSpendRow[] = [];
  for (let month = monthNumber(firstDay); month <= monthNumber(lastDay); month++) {
    const monthShare =
      (innerTimeAt(firstDayOfMonth(month + 1)) - innerTimeAt(firstDayOfMonth(month))) / calendar.length;
    const iso = isoDay(firstDayOfMonth(month));
    for (const { channel_id, share, response } of acquisition) {
      const won = responseCustomers * share * monthShare;
      const spend = (spendToWin(response, won, `${channel_id} in ${iso}`) * customers) / responseCustomers;
      for (const { region_id, share: regionShare, costFactor } of regions) {
        const cents = Math.round(100 * spend * regionShare * costFactor);
        rows.push({
          month: iso,
          acquisition_channel: channel_id,
          region: region_id,
          spend: decimalText(cents),
        });
      }
    }
  }
  return rows;
}

/** EUR a month that win so many customers on average: the inverse of the response curve. */
function spendToWin(curve: ChannelResponse, won: number, place: string): number {
  if (curve.shape === "log") return curve.parameters.threshold * Math.expm1(won / curve.parameters.scale);
  const { ceiling } = curve.parameters;
  if (!(won < ceiling)) {
    throw new DataError(`response of ${place} must win ${won} customers, but its ceiling is ${ceiling}`);
  }
  const share = won / ceiling;
  if (curve.shape === "negative-exponential") return -Math.log1p(-share) / curve.parameters.rate;
  return curve.parameters.half * (share / (1 - share)) ** (1 / curve.parameters.exponent);
}
