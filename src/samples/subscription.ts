import { dayNumber, isoDay, monthsLater } from "../core/day.js";
import { decimalText } from "../core/types.js";
import type { Random } from "../numeric/random.js";
import { drawBernoulli, drawBeta, drawExponential, drawWeighted } from "../numeric/sampling.js";
import { dueOn } from "./defects.js";
import type { CompanyParameters, SubscriptionDefect, SubscriptionPlan } from "./parameters.js";
import type { Person } from "./people.js";

/** A row of subscriptions.csv as text. */
export interface SubscriptionRow {
  readonly subscription_id: string;
  readonly customer_id: string;
  readonly plan: string;
  /** Day of the first payment. */
  readonly started_on: string;
  /** The renewal date at which it was not renewed, empty while it runs. */
  readonly ended_on: string;
  readonly end_reason: string;
  readonly monthly_fee: string;
}

/** A row of subscription_truth.csv: what the company does not know about a subscription. */
export interface SubscriptionTruthRow {
  readonly subscription_id: string;
  /** The subscriber's own chance to leave at any renewal. */
  readonly churn_probability: string;
  /** Renewals made until the subscription ends, also those after the end of the data; at most `longestLife`. */
  readonly renewals: string;
}

/** A subscription as the rest of the company meets it, with how it truly ends. */
export interface Contract {
  readonly subscriptionId: string;
  readonly customerId: string;
  /** Day of the first payment; the k-th renewal date is k months later. */
  readonly startDay: number;
  /** Renewals made until the end, also those after the end of the data. */
  readonly renewals: number;
  /** Whether the end is a payment that fails, and no cancellation. */
  readonly paymentFails: boolean;
}

/** Renewals after which a subscription is no longer followed: 50 years. */
export const longestLife = 600;

/**
 * The subscription of a person, if there is one, and the broken rows that fall due on it: a constant chance to leave at
 * every renewal, Beta distributed over the subscribers of a plan, which is the shifted-beta-geometric model.
 * @see Fader & Hardie (2007), How to Project Customer Retention, J. Interactive Marketing 21(1).
 */
export function generateSubscription(
  parameters: CompanyParameters,
  { index, customerId, registeredDay }: Person,
  random: Random,
): {
  readonly rows: readonly SubscriptionRow[];
  readonly truth: readonly SubscriptionTruthRow[];
  /** The subscription of `rows`, undefined where there is none. */
  readonly contract: Contract | undefined;
  readonly planted: readonly SubscriptionDefect[];
} {
  const { subscription, defects } = parameters;
  const lastDay = dayNumber(parameters.lastDay);
  const subscribes = drawBernoulli(random, subscription.share);
  const startDay = registeredDay + Math.floor(drawExponential(random, 1 / subscription.meanDaysToStart));
  if (!subscribes || startDay > lastDay) return { rows: [], truth: [], contract: undefined, planted: [] };

  const plan = drawPlan(subscription.plans, random);
  const churn = drawBeta(random, plan.churn.alpha, plan.churn.beta);
  let renewals = 0;
  while (renewals < longestLife && !drawBernoulli(random, churn)) renewals++;
  const endDay = monthsLater(startDay, renewals + 1);
  const paymentFails = drawBernoulli(random, subscription.paymentFailedShare);
  const row: SubscriptionRow = {
    subscription_id: `A${String(index + 1).padStart(7, "0")}`,
    customer_id: customerId,
    plan: plan.name,
    started_on: isoDay(startDay),
    ended_on: endDay > lastDay ? "" : isoDay(endDay),
    end_reason: endDay > lastDay ? "" : paymentFails ? "payment_failed" : "cancelled",
    monthly_fee: decimalText(plan.feeCents),
  };
  const planted = dueOn(defects.subscriptionPerThousand, index + 500); // other persons than those with broken orders
  return {
    rows: [row, ...planted.map((defect) => brokenRow(defect, row, isoDay(monthsLater(startDay, 1))))],
    truth: [
      {
        subscription_id: row.subscription_id,
        churn_probability: churn.toFixed(6),
        renewals: String(renewals),
      },
    ],
    contract: { subscriptionId: row.subscription_id, customerId, startDay, renewals, paymentFails },
    planted,
  };
}

function drawPlan(plans: readonly SubscriptionPlan[], random: Random): SubscriptionPlan {
  const drawn = drawWeighted(
    random,
    plans.map(({ share }) => share),
  );
  return plans[drawn] as SubscriptionPlan;
}

function brokenRow(defect: SubscriptionDefect, row: SubscriptionRow, firstRenewal: string): SubscriptionRow {
  const extra = { ...row, subscription_id: row.subscription_id.replace("A", "X") };
  switch (defect) {
    case "subscription_twice":
      return row;
    case "ended_before_start":
      return { ...extra, started_on: firstRenewal, ended_on: row.started_on, end_reason: "cancelled" };
    case "reason_while_running":
      return { ...extra, ended_on: "", end_reason: "cancelled" };
    case "unknown_plan":
      return { ...extra, plan: "Medium" };
    case "unknown_subscriber":
      return { ...extra, customer_id: "9999999" };
    case "fee_text":
      return { ...extra, monthly_fee: "n/a" };
  }
}
