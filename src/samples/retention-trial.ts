import { dayNumber, isoDay, monthNumber, monthsLater } from "../core/day.js";
import { decimalText } from "../core/types.js";
import type { Random } from "../numeric/random.js";
import { drawWeighted } from "../numeric/sampling.js";
import type { CompanyParameters } from "./parameters.js";
import type { Contract } from "./subscription.js";

/** A row of retention_trial.csv as text. */
export interface RetentionTrialRow {
  readonly subscription_id: string;
  /** The day after the data. */
  readonly assigned_on: string;
  /** EUR offered for staying, "0.00" in the control group. */
  readonly offer_value: string;
  /** "1" if all renewals followed were made, else "0". */
  readonly renewed: string;
}

/** A row of retention_trial_truth.csv: what the subscriber would have done at any offer. */
export interface RetentionTrialTruthRow {
  readonly subscription_id: string;
  /** "1" if all renewals followed are made without an offer, else "0". */
  readonly renewed_without: string;
  /** The least offer at which they are made, EUR: "0.00" without any, empty if no offer is large enough. */
  readonly least_offer: string;
}

/**
 * A subscription in the experiment: if it runs at the end of the data, it is assigned to an arm by chance on the day after,
 * whatever else is known of it. A subscriber who would have left stays from an amount of their own on, which
 * `retentionTrial.saved` is the distribution function of.
 */
export function generateTrial(
  parameters: CompanyParameters,
  contract: Contract | undefined,
  random: Random,
): { readonly rows: readonly RetentionTrialRow[]; readonly truth: readonly RetentionTrialTruthRow[] } {
  const { renewals, arms, saved } = parameters.retentionTrial;
  const lastDay = dayNumber(parameters.lastDay);
  if (contract === undefined) return { rows: [], truth: [] };
  const due = renewalsDue(contract.startDay, lastDay);
  if (contract.renewals < due) return { rows: [], truth: [] }; // ended

  const arm = drawWeighted(
    random,
    arms.map(({ share }) => share),
  );
  const offerCents = arms[arm]?.offerCents as number;
  const rank = random.uniform() / saved.ceiling; // 1 and above: no offer is large enough
  const renewsAnyway = contract.renewals >= due + renewals;
  const leastCents = renewsAnyway ? 0 : Math.ceil((-100 * Math.log1p(-Math.min(rank, 1))) / saved.k);
  const subscription_id = contract.subscriptionId;
  return {
    rows: [
      {
        subscription_id,
        assigned_on: isoDay(lastDay + 1),
        offer_value: decimalText(offerCents),
        renewed: offerCents >= leastCents ? "1" : "0",
      },
    ],
    truth: [
      {
        subscription_id,
        renewed_without: renewsAnyway ? "1" : "0",
        least_offer: Number.isFinite(leastCents) ? decimalText(leastCents) : "",
      },
    ],
  };
}

/** Renewal dates from the start to a day, both included. */
function renewalsDue(startDay: number, day: number): number {
  const months = monthNumber(day) - monthNumber(startDay);
  return monthsLater(startDay, months) <= day ? months : months - 1;
}
