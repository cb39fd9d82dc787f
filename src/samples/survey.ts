import { dayNumber, isoDay } from "../core/day.js";
import { decimalText } from "../core/types.js";
import type { Random } from "../numeric/random.js";
import { drawBernoulli, drawInteger, drawNormal, drawWeighted } from "../numeric/sampling.js";
import type {
  CompanyParameters,
  SurveyDefect,
  SurveyParameters,
  SurveyProduct,
  SurveySegment,
} from "./parameters.js";
import type { Person } from "./people.js";

/** A row as text, with the columns that the survey's parameters name. */
type SurveyRow = Readonly<Record<string, string>>;

/** A product that is shown: its levels by attribute, as text, and its value in each of the columns of `utilityColumns`. */
interface ShownProduct {
  readonly levels: SurveyRow;
  readonly code: readonly number[];
}

/** What is asked in the survey. */
export interface SurveyQuestions {
  /** Products of each task of each version. */
  readonly versions: readonly (readonly (readonly ShownProduct[])[])[];
  /** Products to be rated. */
  readonly cards: readonly ShownProduct[];
  /** Statements of each best-worst question. */
  readonly sets: readonly (readonly string[])[];
}

/** A respondent, as the survey meets the person. */
export interface SurveyedPerson extends Person {
  readonly acquisitionChannel: string;
  /** Mean budget of an order, EUR. */
  readonly meanBudget: number;
}

/** What the survey says about one person, and what only the truth knows: rows of the tables of these names, as text. */
export interface SurveyPart {
  readonly survey_respondents: readonly SurveyRow[];
  readonly survey_choices: readonly SurveyRow[];
  readonly survey_ratings: readonly SurveyRow[];
  readonly survey_bestworst: readonly SurveyRow[];
  readonly survey_truth: readonly SurveyRow[];
  readonly planted: readonly SurveyDefect[];
}

/** Names of the attributes, the price last. */
export const surveyAttributes = ({ attributes }: SurveyParameters): string[] => [
  ...attributes.map(({ name }) => name),
  "price",
];

/** Columns of utility: each level but the first of an attribute, EUR up to the kink and above it, choosing none. */
export function utilityColumns({ attributes, kinkCents }: SurveyParameters): string[] {
  const levels = attributes.flatMap(({ name, levels: own }) =>
    own.slice(1).map((level) => `${name} ${level}`),
  );
  return [...levels, `price to ${kinkCents / 100}`, `price from ${kinkCents / 100}`, "none"];
}

/** Columns of the statements' utility: all but the last one, which is 0 to everybody. */
export const statementColumns = ({ statements }: SurveyParameters): string[] =>
  statements.slice(0, -1).map(({ name }) => name);

/** Columns of the statements of a best-worst question. */
export const itemColumns = ({ firstSet }: SurveyParameters): string[] =>
  firstSet.map((_, place) => `item_${place + 1}`);

/**
 * What is asked. Choice tasks: each attribute is arranged over the products of a task in every way that repeats a level as
 * little as can be, each way equally often over the versions, in an order of its own by lot; so levels, and places of a
 * level in a task, are exactly balanced, and all attributes are arranged independently. Whole numbers alone are drawn.
 */
export function surveyQuestions(survey: SurveyParameters, random: Random): SurveyQuestions {
  const { attributes, priceCents, versions, tasks, alternatives, holdouts, statements, firstSet } = survey;
  const sizes = [...attributes.map(({ levels }) => levels.length), priceCents.length];
  const drawn = versions * (tasks - holdouts.length);
  const arranged = sizes.map((size, k) => {
    const ways = arrangements(size, alternatives);
    const all = Array.from({ length: drawn }, (_, task) => ways[task % ways.length] as readonly number[]);
    return shuffled(all, random.stream(k));
  });
  let next = 0;
  const taskProducts = (task: number): readonly ShownProduct[] => {
    const fixed = holdouts.find((holdout) => holdout.task === task);
    if (fixed) return fixed.products.map((product) => shownProduct(survey, product));
    const own = arranged.map((ways) => ways[next] as readonly number[]);
    next++;
    return range(alternatives).map((k) => shownProduct(survey, own.map((way) => way[k]).join("")));
  };
  return {
    versions: range(versions).map(() => range(tasks).map((task) => taskProducts(task + 1))),
    cards: survey.cards.map((card) => shownProduct(survey, card)),
    sets: range(statements.length).map((shift) =>
      firstSet.map((place) => statements[(place + shift) % statements.length]?.name as string),
    ),
  };
}

/** All ways to give so many products one of the levels each, with as many different levels as can be. */
function arrangements(levels: number, products: number): readonly (readonly number[])[] {
  const all = range(levels ** products).map((number) =>
    range(products).map((k) => Math.floor(number / levels ** k) % levels),
  );
  return all.filter((way) => new Set(way).size === Math.min(levels, products));
}

/** The items in an order by lot. @see Durstenfeld (1964), Algorithm 235: Random Permutation, Comm. ACM 7(7). */
function shuffled<Item>(items: readonly Item[], random: Random): readonly Item[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const place = drawInteger(random, 0, last);
    [result[last], result[place]] = [result[place] as Item, result[last] as Item];
  }
  return result;
}

const range = (size: number): number[] => Array.from({ length: size }, (_, k) => k);

function shownProduct(survey: SurveyParameters, product: SurveyProduct): ShownProduct {
  const { attributes, priceCents, kinkCents } = survey;
  const places = Array.from(product, Number);
  const levels = attributes.map(({ levels: own }, k) => own[places[k] as number] as string);
  const cents = priceCents[places.at(-1) as number] as number;
  const chosen = new Set(attributes.map(({ name }, k) => `${name} ${levels[k]}`));
  const code = utilityColumns(survey).map((column) => Number(chosen.has(column)));
  code[code.length - 3] = Math.min(cents, kinkCents) / 100;
  code[code.length - 2] = Math.max(cents - kinkCents, 0) / 100;
  const names = surveyAttributes(survey);
  const texts = [...levels, decimalText(cents)];
  return { levels: Object.fromEntries(names.map((name, k) => [name, texts[k] as string])), code };
}

/** The rows of the questionnaire's tables, the same for every respondent. */
export function questionRows(
  survey: SurveyParameters,
  { versions, cards, sets }: SurveyQuestions,
): Readonly<Record<"survey_profiles" | "survey_cards" | "survey_bestworst_sets", readonly SurveyRow[]>> {
  const items = itemColumns(survey);
  return {
    survey_profiles: versions.flatMap((tasks, version) =>
      tasks.flatMap((products, task) =>
        products.map(({ levels }, k) => ({
          version: String(version + 1),
          task: String(task + 1),
          alternative: String(k + 1),
          ...levels,
        })),
      ),
    ),
    survey_cards: cards.map(({ levels }, card) => ({ card: String(card + 1), ...levels })),
    survey_bestworst_sets: sets.map((set, place) => ({
      set: String(place + 1),
      ...Object.fromEntries(items.map((item, k) => [item, set[k] as string])),
    })),
  };
}

/** Chance of a customer to be in each of the segments, in their order. */
export function benefitSegmentChances(
  { segments, referenceBudget }: SurveyParameters,
  acquisitionChannel: string,
  meanBudget: number,
): number[] {
  const weights = segments.map(
    ({ channelWeights, budgetExponent }) =>
      (channelWeights[acquisitionChannel] as number) * (meanBudget / referenceBudget) ** budgetExponent,
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** How a respondent answers: with care, as fast as can be and by chance, or the same to everything. */
type Manner = "careful" | "speeder" | "straight_liner";

/** What the rows of a respondent are made of. */
interface Respondent {
  readonly customerId: string;
  readonly manner: Manner;
  /** Utilities in the order of `utilityColumns`, exactly as survey_truth.csv has them. */
  readonly partWorths: readonly number[];
  /** Utilities by statement, the last one included. */
  readonly statements: Readonly<Record<string, number>>;
}

/**
 * The answers of a person to the survey, if invited, with the defects that fall on them. Utilities are normal around the mean
 * of the person's benefit segment, those of the price log-normal, so that nobody likes to pay. Choices are logit, best and
 * worst statements are chosen as a pair by the difference of their utilities.
 * @see McFadden (1974), Conditional Logit Analysis of Qualitative Choice Behavior; Marley & Louviere (2005), Some
 * Probabilistic Models of Best, Worst, and Best-Worst Choices, J. Mathematical Psychology 49(6).
 */
export function generateSurvey(
  { survey, defects }: CompanyParameters,
  questions: SurveyQuestions,
  { customerId, registeredDay, acquisitionChannel, meanBudget }: SurveyedPerson,
  random: Random,
): SurveyPart {
  const [firstDay, lastDay] = [dayNumber(survey.firstDay), dayNumber(survey.lastDay)];
  const lot = random.stream("lot");
  if (!drawBernoulli(lot, survey.share) || registeredDay >= firstDay) return notInvited;

  const version = drawInteger(lot, 1, survey.versions);
  const day = drawInteger(lot, firstDay, lastDay);
  const rates = drawBernoulli(lot, survey.rating.share);
  const defect = drawDefect(defects.surveyShares, random.stream("defect"));
  const manner = defect === "speeder" || defect === "straight_liner" ? defect : "careful";
  const tastes = random.stream("tastes");
  const segment = survey.segments[
    drawWeighted(tastes, benefitSegmentChances(survey, acquisitionChannel, meanBudget))
  ] as SurveySegment;
  const respondent: Respondent = { customerId, manner, ...drawUtilities(survey, segment, tastes) };
  const tasks = questions.versions[version - 1] as readonly (readonly ShownProduct[])[];
  const choices = choiceRows(survey, respondent, tasks, random.stream("choices"));
  const ratings = rates ? ratingRows(survey, respondent, questions.cards, random.stream("ratings")) : [];
  const bestWorst = bestWorstRows(respondent, questions.sets, random.stream("best and worst"));
  const planted = defect === undefined || (defect === "rating_above_scale" && !rates) ? [] : [defect];
  const broken = brokenRows(planted[0], survey, { choices, ratings, bestWorst }, random.stream("broken row"));
  const [columns, items] = [utilityColumns(survey), statementColumns(survey)];
  return {
    survey_respondents: [{ customer_id: customerId, version: String(version), asked_on: isoDay(day) }],
    survey_choices: broken.choices,
    survey_ratings: broken.ratings,
    survey_bestworst: broken.bestWorst,
    survey_truth: [
      {
        customer_id: customerId,
        benefit_segment: segment.name,
        manner,
        ...Object.fromEntries(columns.map((column, k) => [column, String(respondent.partWorths[k])])),
        ...Object.fromEntries(items.map((item) => [item, String(respondent.statements[item])])),
      },
    ],
    planted,
  };
}

const notInvited: SurveyPart = {
  survey_respondents: [],
  survey_choices: [],
  survey_ratings: [],
  survey_bestworst: [],
  survey_truth: [],
  planted: [],
};

/** The one defect of a respondent, mostly none. */
function drawDefect(
  shares: Readonly<Record<SurveyDefect, number>>,
  random: Random,
): SurveyDefect | undefined {
  const names = Object.keys(shares) as SurveyDefect[];
  const own = names.map((name) => shares[name]);
  return names[drawWeighted(random, [...own, 1 - own.reduce((sum, share) => sum + share, 0)])];
}

/** A respondent's own utilities, rounded as the truth states them. */
function drawUtilities(
  survey: SurveyParameters,
  { partWorths, statements }: SurveySegment,
  random: Random,
): Pick<Respondent, "partWorths" | "statements"> {
  const { spread } = survey;
  const priceFactor = Math.exp(spread.logPrice * drawNormal(random) - spread.logPrice ** 2 / 2);
  const own = utilityColumns(survey).map((column) => {
    const mean = partWorths[column] as number;
    if (column.startsWith("price ")) return rounded(mean * priceFactor);
    return rounded(mean + (column === "none" ? spread.none : spread.partWorth) * drawNormal(random));
  });
  const items = statementColumns(survey).map((name) => {
    const mean = statements[name] as number;
    return [name, rounded(mean + spread.statement * drawNormal(random))] as const;
  });
  const last = survey.statements.at(-1)?.name as string;
  return { partWorths: own, statements: { ...Object.fromEntries(items), [last]: 0 } };
}

const rounded = (utility: number): number => Math.round(10_000 * utility) / 10_000;

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, k) => sum + value * (b[k] as number), 0);

const noneUtility = ({ partWorths }: Respondent): number => partWorths.at(-1) as number;

function choiceRows(
  { alternatives, seconds }: SurveyParameters,
  respondent: Respondent,
  tasks: readonly (readonly ShownProduct[])[],
  random: Random,
): SurveyRow[] {
  const { customerId, manner, partWorths } = respondent;
  const median = manner === "speeder" ? seconds.speeder : seconds.careful;
  const pace = median * Math.exp(seconds.overPersons * drawNormal(random));
  const choose = (products: readonly ShownProduct[]): number => {
    if (manner === "straight_liner") return 1;
    if (manner === "speeder") return drawInteger(random, 0, alternatives);
    const utilities = [noneUtility(respondent), ...products.map(({ code }) => dot(partWorths, code))];
    return drawWeighted(random, utilities.map(Math.exp));
  };
  return tasks.map((products, task) => ({
    customer_id: customerId,
    task: String(task + 1),
    choice: String(choose(products)),
    seconds: String(Math.max(1, Math.round(pace * Math.exp(seconds.overTasks * drawNormal(random))))),
  }));
}

function ratingRows(
  { rating }: SurveyParameters,
  respondent: Respondent,
  cards: readonly ShownProduct[],
  random: Random,
): SurveyRow[] {
  const { customerId, manner, partWorths } = respondent;
  const rate = ({ code }: ShownProduct): number => {
    if (manner === "straight_liner") return rating.neutral;
    if (manner === "speeder") return drawInteger(random, 0, 10);
    const above = dot(partWorths, code) - noneUtility(respondent);
    const exact = rating.neutral + rating.perUtility * above + rating.noise * drawNormal(random);
    return Math.min(Math.max(Math.round(exact), 0), 10);
  };
  return cards.map((card, place) => ({
    customer_id: customerId,
    card: String(place + 1),
    rating: String(rate(card)),
  }));
}

function bestWorstRows(
  { customerId, manner, statements }: Respondent,
  sets: readonly (readonly string[])[],
  random: Random,
): SurveyRow[] {
  return sets.map((set, place) => {
    const pairs = set.flatMap((best) => set.filter((item) => item !== best).map((worst) => [best, worst]));
    const weights = pairs.map(([best = "", worst = ""]) =>
      manner === "careful" ? Math.exp((statements[best] as number) - (statements[worst] as number)) : 1,
    );
    const [best = "", worst = ""] =
      manner === "straight_liner"
        ? [set[0], set.at(-1)]
        : (pairs[drawWeighted(random, weights)] as readonly string[]);
    return { customer_id: customerId, set: String(place + 1), best, worst };
  });
}

/** The rows of a respondent, by part of the survey. */
interface AnswerRows {
  readonly choices: readonly SurveyRow[];
  readonly ratings: readonly SurveyRow[];
  readonly bestWorst: readonly SurveyRow[];
}

/** The answers with a task left out or a broken row added, where that is the respondent's defect. */
function brokenRows(
  defect: SurveyDefect | undefined,
  { alternatives, holdouts }: SurveyParameters,
  rows: AnswerRows,
  random: Random,
): AnswerRows {
  const { choices, ratings, bestWorst } = rows;
  const own = choices.filter(({ task }) => !holdouts.some((holdout) => String(holdout.task) === task));
  const choice = own[drawInteger(random, 0, own.length - 1)] as SurveyRow;
  switch (defect) {
    case "missing_task":
      return { ...rows, choices: choices.filter((row) => row !== choice) };
    case "task_answered_twice": {
      const other = (Number(choice["choice"]) + 1) % (alternatives + 1);
      return { ...rows, choices: [...choices, { ...choice, choice: String(other) }] };
    }
    case "unknown_alternative":
      return { ...rows, choices: [...choices, { ...choice, choice: "7" }] };
    case "rating_above_scale":
      return { ...rows, ratings: [...ratings, { ...ratings[0], rating: "11" }] };
    case "unknown_statement":
      return { ...rows, bestWorst: [...bestWorst, { ...bestWorst[0], worst: "nice colour" }] };
    default:
      return rows;
  }
}
