import { join } from "node:path";
import { type ColumnRules, type LoadOptions, loadCsv, loadParquet } from "../repository/load.js";
import type { QualityReport } from "../repository/quality.js";
import {
  dayBetween,
  integerBetween,
  monthBetween,
  nonNegativeEuros,
  number,
  oneOf,
  optional,
  positiveEuros,
  positiveNumber,
  references,
} from "../repository/rules.js";
import {
  type ActivityReports,
  loadActivities,
  loadChecked,
  loadProgrammes,
  loadSources,
  type ProgrammeReports,
  type SourceReports,
  type TableRules,
} from "../repository/sources.js";
import type { Warehouse } from "../repository/warehouse.js";
import { brenkamp } from "./parameters.js";
import { longestLife } from "./subscription.js";
import { itemColumns, statementColumns, utilityColumns } from "./survey.js";

const period = { first: brenkamp.firstDay, last: brenkamp.lastDay };

/**
 * Loads the sources of Brenkamp Coffee, of its subscription and its club, and of its service, acquisition and retention
 * offers, and of its survey, from a folder that `writeSample` or `writeCompany` wrote, such as `data/brenkamp`.
 * @throws DataError as `loadCsv`; a company of a few customers may have no subscription, no member or no answers to a part of
 * the survey, which is an error.
 */
export async function loadCompany(
  warehouse: Warehouse,
  folder: string,
  format: "csv" | "parquet" = "csv",
): Promise<SourceReports & ProgrammeReports & ActivityReports & SurveyReports> {
  return {
    ...(await loadSources(warehouse, folder, period, format)), // one after the other: later sources refer to earlier ones
    ...(await loadProgrammes(warehouse, folder, period, format)),
    ...(await loadActivities(warehouse, folder, period, format)),
    ...(await loadSurvey(warehouse, folder, format)),
  };
}

/**
 * Loads what no company knows about its customers, into the table `truth`: to compare an estimate with the truth. Call
 * `loadCompany` first.
 * @throws DataError as `loadCsv`.
 */
export function loadTruth(
  warehouse: Warehouse,
  folder: string,
  format: "csv" | "parquet" = "csv",
): Promise<QualityReport> {
  return loadTruthOf(warehouse, folder, format, {
    table: "truth",
    key: ["customer_id"],
    rules: {
      customer_id: references("customers", "customer_id"),
      acquisition_channel: references("channels", "channel_id"),
      purchase_rate: number,
      lapse_rate: number,
      lapsed_on: optional(dayBetween(period.first, period.last)),
      mean_budget: positiveEuros,
      orders: integerBetween(1, 10_000),
    },
  });
}

/**
 * Loads what no company knows about its subscribers, into the table `subscription_truth`: each one's chance to leave at a
 * renewal, and the renewals made until the end, also those after the last day of the data. Call `loadCompany` first.
 * @throws DataError as `loadCsv`.
 */
export function loadSubscriptionTruth(
  warehouse: Warehouse,
  folder: string,
  format: "csv" | "parquet" = "csv",
): Promise<QualityReport> {
  return loadTruthOf(warehouse, folder, format, {
    table: "subscription_truth",
    key: ["subscription_id"],
    rules: {
      subscription_id: references("subscriptions", "subscription_id"),
      churn_probability: number,
      renewals: integerBetween(0, longestLife),
    },
  });
}

/**
 * Loads what no company knows about the members of the club, into the table `club_truth`: each one's chances to take an
 * offer and to lose interest, and when that happened. Call `loadCompany` first.
 * @throws DataError as `loadCsv`.
 */
export function loadClubTruth(
  warehouse: Warehouse,
  folder: string,
  format: "csv" | "parquet" = "csv",
): Promise<QualityReport> {
  return loadTruthOf(warehouse, folder, format, {
    table: "club_truth",
    key: ["customer_id"],
    rules: {
      customer_id: references("club_members", "customer_id"),
      taking_probability: number,
      leaving_probability: number,
      left_month: optional(monthBetween(period.first, period.last)),
    },
  });
}

/**
 * Loads what no company knows about the subscribers of the experiment, into the table `retention_trial_truth`: whether each
 * would have renewed without an offer, and the least offer at which each renews. Call `loadCompany` first.
 * @throws DataError as `loadCsv`.
 */
export function loadRetentionTrialTruth(
  warehouse: Warehouse,
  folder: string,
  format: "csv" | "parquet" = "csv",
): Promise<QualityReport> {
  return loadTruthOf(warehouse, folder, format, {
    table: "retention_trial_truth",
    key: ["subscription_id"],
    rules: {
      subscription_id: references("retention_trial", "subscription_id"),
      renewed_without: integerBetween(0, 1),
      least_offer: optional(nonNegativeEuros),
    },
  });
}

/** The tables of the survey, in the order they are loaded: what was asked, whom, and the answers. */
export const surveyTables = [
  "survey_profiles",
  "survey_cards",
  "survey_bestworst_sets",
  "survey_respondents",
  "survey_choices",
  "survey_ratings",
  "survey_bestworst",
] as const;

/** Name of a table of the survey. */
export type SurveyTable = (typeof surveyTables)[number];

/** Reports by table of the survey. */
export type SurveyReports = Readonly<Record<SurveyTable, QualityReport>>;

/**
 * Rules of the tables of the survey on a new subscription plan. Prices are numbers of EUR, as the models take them. Answers
 * must be by respondents, to questions that were asked, among the answers that could be given, and once.
 */
export function surveyRules(): Readonly<Record<SurveyTable, TableRules>> {
  const { survey } = brenkamp;
  const levels = Object.fromEntries(survey.attributes.map(({ name, levels: own }) => [name, oneOf(...own)]));
  const product: ColumnRules = { ...levels, price: positiveNumber };
  const statement = oneOf(...survey.statements.map(({ name }) => name));
  const task = integerBetween(1, survey.tasks);
  const version = integerBetween(1, survey.versions);
  const set = integerBetween(1, survey.statements.length);
  const customer_id = references("survey_respondents", "customer_id");
  const items = itemColumns(survey);
  const brokenAnswer = (column: string, condition: string): string =>
    `SELECT answer.source_line AS line, answer.${column} AS found FROM survey_bestworst AS answer
      JOIN survey_bestworst_sets AS question ON question."set" = answer."set" WHERE ${condition}`;
  const shown = items.map((item) => `question.${item}`).join(", ");
  return {
    survey_profiles: {
      key: ["version", "task", "alternative"],
      rules: { version, task, alternative: integerBetween(1, survey.alternatives), ...product },
      rowRules: [],
    },
    survey_cards: {
      key: ["card"],
      rules: { card: integerBetween(1, survey.cards.length), ...product },
      rowRules: [],
    },
    survey_bestworst_sets: {
      key: ["set"],
      rules: { set, ...Object.fromEntries(items.map((item) => [item, statement])) },
      rowRules: [],
    },
    survey_respondents: {
      key: ["customer_id"],
      rules: {
        customer_id: references("customers", "customer_id"),
        version,
        asked_on: dayBetween(survey.firstDay, survey.lastDay),
      },
      rowRules: [],
    },
    survey_choices: {
      key: ["customer_id", "task"],
      rules: {
        customer_id,
        task,
        choice: integerBetween(0, survey.alternatives),
        seconds: integerBetween(1, 3600),
      },
      rowRules: [],
    },
    survey_ratings: {
      key: ["customer_id", "card"],
      rules: { customer_id, card: integerBetween(1, survey.cards.length), rating: integerBetween(0, 10) },
      rowRules: [],
    },
    survey_bestworst: {
      key: ["customer_id", "set"],
      rules: { customer_id, set, best: statement, worst: statement },
      rowRules: [
        {
          column: "best",
          allowed: "a statement of the set",
          broken: brokenAnswer("best", `answer.best NOT IN (${shown})`),
        },
        {
          column: "worst",
          allowed: "another statement of the set than the best",
          broken: brokenAnswer("worst", `answer.worst = answer.best OR answer.worst NOT IN (${shown})`),
        },
      ],
    },
  };
}

/**
 * Loads the survey on a new subscription plan into tables of the names `surveyTables`, by `surveyRules`. Call `loadSources`
 * first: respondents are customers.
 * @throws DataError as `loadCsv`.
 */
export async function loadSurvey(
  warehouse: Warehouse,
  folder: string,
  format: "csv" | "parquet" = "csv",
): Promise<SurveyReports> {
  const rules = surveyRules();
  const one = (table: SurveyTable): Promise<QualityReport> =>
    loadChecked(warehouse, folder, format, table, rules[table]);
  return {
    survey_profiles: await one("survey_profiles"),
    survey_cards: await one("survey_cards"),
    survey_bestworst_sets: await one("survey_bestworst_sets"),
    survey_respondents: await one("survey_respondents"), // one after the other: answers refer to respondents
    survey_choices: await one("survey_choices"),
    survey_ratings: await one("survey_ratings"),
    survey_bestworst: await one("survey_bestworst"),
  };
}

/**
 * Loads what no company knows about the respondents of its survey, into the table `survey_truth`: the benefit segment, whether
 * they answer with care, and their utilities in columns named as `codeProfiles` and `fitMaxDiff` name them. Call `loadSurvey`
 * first.
 * @throws DataError as `loadCsv`.
 */
export function loadSurveyTruth(
  warehouse: Warehouse,
  folder: string,
  format: "csv" | "parquet" = "csv",
): Promise<QualityReport> {
  const { survey } = brenkamp;
  const utilities = [...utilityColumns(survey), ...statementColumns(survey)];
  return loadTruthOf(warehouse, folder, format, {
    table: "survey_truth",
    key: ["customer_id"],
    rules: {
      customer_id: references("survey_respondents", "customer_id"),
      benefit_segment: oneOf(...survey.segments.map(({ name }) => name)),
      manner: oneOf("careful", "speeder", "straight_liner"),
      ...Object.fromEntries(utilities.map((name) => [name, number])),
    },
  });
}

const loadTruthOf = (
  warehouse: Warehouse,
  folder: string,
  format: "csv" | "parquet",
  options: LoadOptions,
): Promise<QualityReport> =>
  (format === "csv" ? loadCsv : loadParquet)(warehouse, join(folder, `${options.table}.${format}`), options);
