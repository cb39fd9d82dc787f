import { decimalText } from "../core/types.js";
import type { GeneratedCustomer, PlantedDefect } from "./customer.js";
import type { CompanyParameters } from "./parameters.js";

/** The persons of one quarter of acquisition: how many there are, and how many truly are still active at the last day. */
export interface AcquisitionCohort {
  /** Quarter of the first order, like "2024-Q1". */
  readonly quarter: string;
  /** Persons by acquisition channel. */
  readonly customers: Readonly<Record<string, number>>;
  /** Those of them who have not lapsed by the last day of the data. */
  readonly active: Readonly<Record<string, number>>;
  /** Share still active over all channels, to four decimals. */
  readonly activeShare: number;
}

/** The members of one intake of the club, and how many truly still care for the offers after the last one. */
export interface ClubIntake {
  /** First day of the month of joining. */
  readonly joinedMonth: string;
  /** Persons who joined. */
  readonly members: number;
  /** Those of them whose interest outlasts the last offer of the data. */
  readonly interested: number;
}

/** One arm of the experiment with retention offers. */
export interface RetentionTrialArm {
  /** EUR offered for staying. */
  readonly offerValue: number;
  /** Subscriptions assigned to the arm. */
  readonly subscriptions: number;
  /** Those of them that made all renewals followed. */
  readonly renewed: number;
  /** Those of them that would have made them without an offer, which nobody can see. */
  readonly renewedWithout: number;
}

/** The respondents of the survey in one benefit segment. */
export interface SurveyedSegment {
  readonly segment: string;
  readonly respondents: number;
  /** Those of them who answer with care. */
  readonly careful: number;
}

/** What is counted over all persons of a company, from the truth and not from what the company knows. */
export interface CompanyTally {
  /** How often each defect was planted. */
  readonly planted: Readonly<Record<PlantedDefect, number>>;
  /** By quarter of acquisition, in order. */
  readonly cohorts: readonly AcquisitionCohort[];
  /** By month of joining the club, in order. */
  readonly clubIntakes: readonly ClubIntake[];
  /** By offer of the experiment with retention offers. */
  readonly retentionTrialArms: readonly RetentionTrialArm[];
  /** By benefit segment. */
  readonly surveyedSegments: readonly SurveyedSegment[];
}

/** Counts persons one by one; memory does not grow with their number. */
export function startTally({ acquisition, club, retentionTrial, survey }: CompanyParameters): {
  readonly add: (person: GeneratedCustomer) => void;
  readonly result: () => CompanyTally;
} {
  const none = (): Record<string, number> =>
    Object.fromEntries(acquisition.map(({ channel_id }) => [channel_id, 0]));
  const planted = nothingPlanted();
  const cohorts = new Map<string, { customers: Record<string, number>; active: Record<string, number> }>();
  const intakes = new Map(club.intakes.map((month) => [month, { members: 0, interested: 0 }]));
  const arms = new Map(
    retentionTrial.arms.map(({ offerCents }) => [
      decimalText(offerCents),
      { offerValue: offerCents / 100, subscriptions: 0, renewed: 0, renewedWithout: 0 },
    ]),
  );

  const segments = new Map(survey.segments.map(({ name }) => [name, { respondents: 0, careful: 0 }]));

  function add(person: GeneratedCustomer): void {
    const { truth, planted: defects } = person;
    const [record, member, membership] = [person.customers[0], person.club_members[0], person.club_truth[0]];
    const [trial, trialTruth] = [person.retention_trial[0], person.retention_trial_truth[0]];
    for (const defect of defects) planted[defect]++;
    const quarter = quarterOf(record?.registered_on ?? "");
    const cohort = cohorts.get(quarter) ?? { customers: none(), active: none() };
    cohorts.set(quarter, cohort);
    addOne(cohort.customers, truth.acquisition_channel);
    if (truth.lapsed_on === "") addOne(cohort.active, truth.acquisition_channel);
    const intake = intakes.get(member?.joined_month ?? "");
    if (intake) intake.members++;
    if (intake && membership?.left_month === "") intake.interested++;
    const arm = arms.get(trial?.offer_value ?? "");
    if (arm) arm.subscriptions++;
    if (arm) arm.renewed += Number(trial?.renewed);
    if (arm) arm.renewedWithout += Number(trialTruth?.renewed_without);
    const [respondent] = person.survey_truth;
    const segment = segments.get(respondent?.["benefit_segment"] ?? "");
    if (segment) segment.respondents++;
    if (segment && respondent?.["manner"] === "careful") segment.careful++;
  }

  const result = (): CompanyTally => ({
    planted,
    cohorts: [...cohorts].map(([quarter, { customers, active }]) => ({
      quarter,
      customers,
      active,
      activeShare: Number((total(active) / total(customers)).toFixed(4)),
    })),
    clubIntakes: [...intakes].map(([joinedMonth, intake]) => ({ joinedMonth, ...intake })),
    retentionTrialArms: [...arms.values()],
    surveyedSegments: [...segments].map(([segment, counts]) => ({ segment, ...counts })),
  });
  return { add, result };
}

/** Quarter of an ISO day: "2024-Q3" of "2024-07-31". */
const quarterOf = (isoDay: string): string =>
  `${isoDay.slice(0, 4)}-Q${Math.ceil(Number(isoDay.slice(5, 7)) / 3)}`;

const addOne = (counts: Record<string, number>, name: string): void => {
  counts[name] = (counts[name] ?? 0) + 1;
};

const total = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

const nothingPlanted = (): Record<PlantedDefect, number> => ({
  exact_duplicate_row: 0,
  amount_text: 0,
  german_date: 0,
  impossible_date: 0,
  unknown_product: 0,
  unknown_customer: 0,
  future_date: 0,
  zero_price: 0,
  negative_price: 0,
  returned_line: 0,
  store_card: 0,
  store_card_without_email: 0,
  missing_email: 0,
  missing_region: 0,
  missing_birth_year: 0,
  birth_year_text: 0,
  subscription_twice: 0,
  ended_before_start: 0,
  reason_while_running: 0,
  unknown_plan: 0,
  unknown_subscriber: 0,
  fee_text: 0,
  member_twice: 0,
  offer_twice: 0,
  offer_before_joining: 0,
  offer_in_mid_month: 0,
  offer_to_stranger: 0,
  contact_twice: 0,
  contact_of_stranger: 0,
  contact_before_start: 0,
  contact_on_impossible_day: 0,
  contact_without_known_reason: 0,
  speeder: 0,
  straight_liner: 0,
  missing_task: 0,
  task_answered_twice: 0,
  unknown_alternative: 0,
  rating_above_scale: 0,
  unknown_statement: 0,
});
