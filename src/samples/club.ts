import { dayNumber, firstDayOfMonth, isoDay, monthNumber } from "../core/day.js";
import { decimalText } from "../core/types.js";
import type { Random } from "../numeric/random.js";
import { drawBernoulli, drawBeta } from "../numeric/sampling.js";
import { dueOn } from "./defects.js";
import type { ClubDefect, CompanyParameters } from "./parameters.js";
import type { Person } from "./people.js";

/** A row of club_lots.csv as text: what is offered to every member in a month. */
export interface ClubLotRow {
  /** First day of the month. */
  readonly month: string;
  readonly lot: string;
  readonly price: string;
}

/** A row of club_members.csv as text. */
export interface ClubMemberRow {
  readonly customer_id: string;
  /** First day of the month of joining; the first offer comes in the month after. */
  readonly joined_month: string;
}

/** A row of club.csv as text: an offer that a member took. */
export interface ClubRow {
  readonly customer_id: string;
  /** First day of the month of the offer. */
  readonly month: string;
}

/** A row of club_truth.csv: what the company does not know about a member. Probabilities have four decimals. */
export interface ClubTruthRow {
  readonly customer_id: string;
  /** The member's own chance to take an offer while interested. */
  readonly taking_probability: string;
  /** The member's own chance to lose interest for good before any offer. */
  readonly leaving_probability: string;
  /** First day of the month before whose offer interest was lost; empty: still interested at the last offer. */
  readonly left_month: string;
}

/** What the data say about one person in the club, and what only the truth knows. */
export interface Membership {
  readonly members: readonly ClubMemberRow[];
  readonly taken: readonly ClubRow[];
  readonly truth: readonly ClubTruthRow[];
  readonly planted: readonly ClubDefect[];
}

/** The lots of the club: one in every month from the first to the last of the data. */
export function clubLots({ club, lastDay }: CompanyParameters): readonly ClubLotRow[] {
  const first = monthNumber(dayNumber(club.firstLot));
  const lots = Math.max(monthNumber(dayNumber(lastDay)) - first + 1, 0);
  return Array.from({ length: lots }, (_, i) => ({
    month: isoDay(firstDayOfMonth(first + i)),
    lot: club.lots[i % club.lots.length] as string,
    price: decimalText(club.priceCents),
  }));
}

/**
 * A person in the club, who joins at the first intake after registration or never. Before every offer a member may lose
 * interest for good, otherwise takes it or not; both chances are the member's own and Beta distributed over members, which is
 * the BG/BB model.
 * @see Fader, Hardie & Shang (2010), Customer-Base Analysis in a Discrete-Time Noncontractual Setting, Marketing
 * Science 29(6).
 */
export function generateMembership(
  parameters: CompanyParameters,
  lots: readonly ClubLotRow[],
  { index, customerId, registeredDay }: Person,
  random: Random,
): Membership {
  const { club, defects } = parameters;
  const registeredMonth = isoDay(firstDayOfMonth(monthNumber(registeredDay)));
  const joinedMonth = club.intakes.find((month) => month >= registeredMonth); // ISO days sort as text
  if (joinedMonth === undefined || !drawBernoulli(random, club.share)) return noMembership;

  const takes = drawBeta(random, club.taking.alpha, club.taking.beta);
  const leaves = drawBeta(random, club.leaving.gamma, club.leaving.delta);
  const taken: ClubRow[] = [];
  let leftMonth = "";
  for (const { month } of lots) {
    if (month <= joinedMonth) continue;
    if (drawBernoulli(random, leaves)) {
      leftMonth = month;
      break;
    }
    if (drawBernoulli(random, takes)) taken.push({ customer_id: customerId, month });
  }
  const member = { customer_id: customerId, joined_month: joinedMonth };
  const planted = dueOn(defects.clubPerThousand, index + 250).filter(
    (defect) => defect !== "offer_twice" || taken.length > 0,
  );
  return {
    members: [member, ...planted.filter((defect) => defect === "member_twice").map(() => member)],
    taken: [...taken, ...planted.flatMap((defect) => brokenOffer(defect, member, taken))],
    truth: [
      {
        customer_id: customerId,
        taking_probability: takes.toFixed(4),
        leaving_probability: leaves.toFixed(4),
        left_month: leftMonth,
      },
    ],
    planted,
  };
}

const noMembership: Membership = { members: [], taken: [], truth: [], planted: [] };

/** The broken row of a defect among the offers taken; none for a defect among the members. */
function brokenOffer(
  defect: ClubDefect,
  { customer_id, joined_month: month }: ClubMemberRow,
  taken: readonly ClubRow[],
): readonly ClubRow[] {
  switch (defect) {
    case "offer_twice":
      return taken.slice(0, 1);
    case "offer_before_joining":
      return [{ customer_id, month }];
    case "offer_in_mid_month":
      return [{ customer_id, month: `${month.slice(0, 8)}15` }];
    case "offer_to_stranger":
      return [{ customer_id: "9999999", month }];
    case "member_twice":
      return [];
  }
}
