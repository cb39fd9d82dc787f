import { dayNumber, isoDay, monthsLater } from "../core/day.js";
import type { Random } from "../numeric/random.js";
import { drawInteger, drawPoisson, drawWeighted } from "../numeric/sampling.js";
import { dueOn } from "./defects.js";
import type { CompanyParameters, ContactReason, ServiceDefect } from "./parameters.js";
import type { Contract } from "./subscription.js";

/** A row of contacts.csv as text: a subscriber gets in touch with the service. */
export interface ContactRow {
  readonly contact_id: string;
  readonly customer_id: string;
  readonly contacted_on: string;
  readonly channel: string;
  readonly reason: string;
}

/**
 * The service contacts of a subscriber until the end of the data, and the broken rows that fall due on them. In every
 * contract month, from a payment to the day before the next renewal date, contacts are Poisson by reason; the mean depends
 * on whether the subscription is cancelled at the end of that month, also where that end comes after the data.
 */
export function generateContacts(
  parameters: CompanyParameters,
  index: number,
  contract: Contract | undefined,
  random: Random,
): { readonly rows: readonly ContactRow[]; readonly planted: readonly ServiceDefect[] } {
  if (contract === undefined) return { rows: [], planted: [] };
  const { service, defects } = parameters;
  const lastDay = dayNumber(parameters.lastDay);
  const shares = service.channels.map(({ share }) => share);
  const reasons = Object.keys(service.meanContacts) as ContactReason[];
  const contacts: { day: number; reason: ContactReason; channel: string }[] = [];
  for (let month = 0; month <= contract.renewals; month++) {
    const paidOn = monthsLater(contract.startDay, month);
    if (paidOn > lastDay) break;
    const renewalOn = monthsLater(contract.startDay, month + 1);
    const outcome = month === contract.renewals && !contract.paymentFails ? "leaving" : "staying";
    for (const reason of reasons) {
      for (let left = drawPoisson(random, service.meanContacts[reason][outcome]); left > 0; left--) {
        const day = drawInteger(random, paidOn, renewalOn - 1);
        const channel = service.channels[drawWeighted(random, shares)]?.name as string;
        if (day <= lastDay) contacts.push({ day, reason, channel });
      }
    }
  }
  contacts.sort((a, b) => a.day - b.day); // stable: the order of one day is the order of the draws
  const rows = contacts.map(({ day, reason, channel }, i) => ({
    contact_id: `${contract.subscriptionId.replace("A", "C")}-${String(i + 1).padStart(3, "0")}`,
    customer_id: contract.customerId,
    contacted_on: isoDay(day),
    channel,
    reason,
  }));
  const [model] = rows;
  if (model === undefined) return { rows, planted: [] };
  const planted = dueOn(defects.servicePerThousand, index + 750); // other persons than those with other broken rows
  const dayBefore = isoDay(contract.startDay - 1);
  return { rows: [...rows, ...planted.map((defect) => brokenRow(defect, model, dayBefore))], planted };
}

function brokenRow(defect: ServiceDefect, row: ContactRow, dayBeforeStart: string): ContactRow {
  const extra = { ...row, contact_id: row.contact_id.replace("C", "X") };
  switch (defect) {
    case "contact_twice":
      return row;
    case "contact_of_stranger":
      return { ...extra, customer_id: "9999999" };
    case "contact_before_start":
      return { ...extra, contacted_on: dayBeforeStart };
    case "contact_on_impossible_day":
      return { ...extra, contacted_on: `${row.contacted_on.slice(0, 4)}-02-30` };
    case "contact_without_known_reason":
      return { ...extra, reason: "other" };
  }
}
