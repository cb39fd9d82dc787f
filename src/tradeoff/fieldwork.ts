import { type ColumnTable, table } from "arquero";
import { requireRates, requireWhole } from "../core/arguments.js";
import { DataError } from "../core/errors.js";
import { describe } from "../core/table.js";
import { quantileOf } from "../numeric/quantile.js";
import { regularisedBeta } from "../numeric/special.js";
import { normalTail } from "../numeric/tail-probability.js";
import { type CodingOptions, codeProfiles, NONE, type Profile } from "./attributes.js";
import type { AttributeColumns, ChoiceRows } from "./choice-data.js";
import { type ChoiceTask, choiceTasks, type DesignRules, directionOf, type SurveyDesign } from "./design.js";
import { range } from "./design-profiles.js";
import { dominates, isSameTask } from "./design-tasks.js";

/** Answers to a survey, one row for each task answered. */
export interface SurveyAnswers {
  /** Any label; the answers of a respondent need not stand together. */
  readonly respondent: ArrayLike<string | number>;
  /** Version that the respondent got, from 1. */
  readonly version: ArrayLike<number>;
  /** Number of the task in the version, from 1. */
  readonly task: ArrayLike<number>;
  /** Position of the product chosen, from 1; 0 for none. */
  readonly choice: ArrayLike<number>;
  /** Time taken for the task, in seconds. */
  readonly seconds?: ArrayLike<number>;
}

/**
 * Checks answers and groups their rows by respondent, in the order in which they first come.
 * @throws DataError naming the row: no answers, columns of different length, a version, task or choice that the design does not
 * have, a respondent with two versions or two answers to one task, a time that is no number above 0.
 */
function answersByRespondent(design: SurveyDesign, answers: SurveyAnswers): Map<string | number, number[]> {
  const { respondent, version, seconds } = answers;
  const size = respondent.length;
  if (size === 0) throw new DataError("answers must have at least one row, got none");
  for (const [name, column] of Object.entries(answers as unknown as Record<string, ArrayLike<unknown>>))
    if (column.length !== size)
      throw new DataError(`${name} must have one value for each of the ${size} rows, got ${column.length}`);
  const rows = new Map<string | number, number[]>();
  for (let row = 0; row < size; row++) {
    const who: unknown = respondent[row];
    if ((typeof who !== "string" && typeof who !== "number") || who === "")
      throw new DataError(`respondent in row ${row + 1} must be a label, got ${describe(who)}`);
    requirePlace("version", answers.version, row, 1, design.versions);
    requirePlace("task", answers.task, row, 1, design.tasks);
    requirePlace("choice", answers.choice, row, design.attributes.none ? 0 : 1, design.alternatives);
    if (seconds && !((seconds[row] as number) > 0 && Number.isFinite(seconds[row])))
      throw new DataError(
        `seconds in row ${row + 1} must be a number above 0, got ${describe(seconds[row])}`,
      );
    const own = rows.get(who) ?? [];
    if (own.length > 0 && version[own[0] as number] !== version[row])
      throw new DataError(
        `version in row ${row + 1} must be ${version[own[0] as number]} as before for respondent ${describe(who)}, got ${version[row]}`,
      );
    const earlier = own.find((other) => answers.task[other] === answers.task[row]);
    if (earlier !== undefined)
      throw new DataError(
        `respondent ${describe(who)} must answer task ${answers.task[row]} once, got rows ${earlier + 1} and ${row + 1}`,
      );
    own.push(row);
    rows.set(who, own);
  }
  return rows;
}

function requirePlace(
  name: string,
  values: ArrayLike<number>,
  row: number,
  least: number,
  most: number,
): void {
  const value: unknown = values[row];
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return;
  throw new DataError(
    `${name} in row ${row + 1} must be a whole number from ${least} to ${most}, got ${describe(value)}`,
  );
}

/**
 * The answers as choices with coded attributes, ready for every choice model; none is the last alternative of each set.
 * `options.without`: Numbers of tasks that are left out, such as repeated ones and those held out for validation.
 * @throws DataError naming the row of an answer that the design does not have (see `checkFieldwork`); RangeError if an
 * interaction is not of two attributes.
 */
export function choicesFromAnswers(
  design: SurveyDesign,
  answers: SurveyAnswers,
  { without = [], ...options }: CodingOptions & { readonly without?: readonly number[] } = {},
): { readonly rows: ChoiceRows; readonly attributes: AttributeColumns } {
  const { attributes, tasks } = design;
  const shown = choiceTasks(design);
  const set: number[] = [];
  const chosen: number[] = [];
  const respondent: (string | number)[] = [];
  const profiles: (Profile | "none")[] = [];
  for (const [who, own] of answersByRespondent(design, answers)) {
    for (const row of own) {
      const task = answers.task[row] as number;
      if (without.includes(task)) continue;
      const place = ((answers.version[row] as number) - 1) * tasks + task - 1;
      const products = (shown[place] as ChoiceTask).products;
      for (const [k, profile] of [...products, ...(attributes.none ? ([NONE] as const) : [])].entries()) {
        profiles.push(profile);
        set.push(task);
        respondent.push(who);
        chosen.push(Number((answers.choice[row] as number) === (profile === NONE ? 0 : k + 1)));
      }
    }
  }
  return { rows: { set, chosen, respondent }, attributes: codeProfiles(attributes, profiles, options) };
}

/** Why a respondent's answers look odd. */
export type OddReason =
  | "speeder"
  | "straight-liner"
  | "always none"
  | "dominated choices"
  | "missing tasks"
  | "contradiction";

/** One thing that is odd about one respondent. */
export interface OddRespondent {
  readonly respondent: string | number;
  readonly reason: OddReason;
  /** What was seen, in words and numbers. */
  readonly evidence: string;
  /**
   * Probability that somebody who answers as the sample as a whole does would look at least as odd by chance: small if the
   * finding is not chance. Among many respondents some small ones are to be expected.
   */
  readonly p: number;
}

/** What to look for. */
export interface FieldworkOptions extends DesignRules {
  /** Who needs less than this share of the median time is a speeder; 0.4 unless given. */
  readonly speederShare?: number;
  /** Fewest tasks from which the same position throughout is odd; 4 unless given. */
  readonly fewestTasks?: number;
}

/** Quality of the answers to a survey. */
export interface FieldworkCheck {
  readonly respondents: number;
  /** Findings, respondent after respondent. */
  readonly odd: readonly OddRespondent[];
  /** Respondents with each reason. */
  readonly counts: Readonly<Record<OddReason, number>>;
  /** Median over respondents of the time for all tasks, in seconds, where times are given. */
  readonly medianSeconds?: number;
  /** What could not be checked, and why. */
  readonly unchecked: readonly string[];
}

/** A respondent's answers next to what was shown. */
interface Respondent {
  readonly label: string | number;
  /** Positions from 0 of the tasks answered in the design, and the choices. */
  readonly tasks: readonly number[];
  readonly choices: readonly number[];
  readonly seconds?: number;
}

/** A finding that still needs its probability: hits among opportunities, of which the whole sample has a rate. */
interface Count {
  readonly hits: number;
  readonly chances: number;
  readonly evidence: string;
}

/**
 * Looks for answers that were given without care: too fast (against the median respondent), always at the same position,
 * for products that another one of the task dominates, with tasks left out, or otherwise when a task was asked again. Nobody
 * is removed: see `keepRespondents`. Always choosing none may be an honest answer and is a reason of its own.
 * `options.preference`: Directions that everybody likes: needed for dominated choices.
 * @throws DataError naming the row: no answers, columns of different length, a version, task or choice that the design does not
 * have, a respondent with two versions or two answers to one task, a time that is no number above 0; RangeError if an option
 * is out of range.
 */
export function checkFieldwork(
  design: SurveyDesign,
  answers: SurveyAnswers,
  { preference, speederShare = 0.4, fewestTasks = 4 }: FieldworkOptions = {},
): FieldworkCheck {
  requireRates({ speederShare });
  requireWhole("fewestTasks", fewestTasks, 2);
  const people = respondentsOf(design, answers);
  const unchecked: string[] = [];
  const found: OddRespondent[] = [...straightLiners(people, design, fewestTasks)];
  found.push(...rareCounts("missing tasks", people, (person) => missingTasks(person, design)));
  if (answers.seconds) found.push(...speeders(people, speederShare));
  else unchecked.push("speeders: no seconds are given");
  if (preference) {
    const direction = directionOf(design.attributes, preference);
    const better = dominatedProducts(design, direction);
    if (better.every((task) => task.every((by) => by === -1)))
      unchecked.push("dominated choices: no task has a dominated product");
    else found.push(...rareCounts("dominated choices", people, (person) => dominatedChoices(person, better)));
  } else unchecked.push("dominated choices: no preference is given");
  const repeats = repeatedTasks(design);
  if (repeats.length === 0) unchecked.push("contradictions: no task is asked twice");
  else
    found.push(...rareCounts("contradiction", people, (person) => contradictions(person, design, repeats)));
  const place = new Map(people.map(({ label }, k) => [label, k]));
  const odd = found.sort((a, b) => (place.get(a.respondent) as number) - (place.get(b.respondent) as number));
  const medianSeconds = answers.seconds && quantileOf(secondsOf(people), 0.5);
  const count = (reason: OddReason): number => odd.filter((row) => row.reason === reason).length;
  return Object.freeze({
    respondents: people.length,
    odd,
    counts: {
      speeder: count("speeder"),
      "straight-liner": count("straight-liner"),
      "always none": count("always none"),
      "dominated choices": count("dominated choices"),
      "missing tasks": count("missing tasks"),
      contradiction: count("contradiction"),
    },
    ...(medianSeconds === undefined ? {} : { medianSeconds }),
    unchecked,
  });
}

/** The findings as a table: respondent, reason, evidence, p. */
export const oddRespondentsTable = ({ odd }: FieldworkCheck): ColumnTable =>
  table({
    respondent: odd.map(({ respondent }) => respondent),
    reason: odd.map(({ reason }) => reason),
    evidence: odd.map(({ evidence }) => evidence),
    p: odd.map(({ p }) => p),
  });

/**
 * The answers without those of respondents who are odd for one of the reasons and less likely so by chance than `below`.
 * `options.reasons`: What to leave out for.
 * `options.below`: Largest p; 1, whatever p, unless given.
 * @throws RangeError if `below` is not from 0 to 1; DataError if nobody would be left.
 */
export function keepRespondents(
  answers: SurveyAnswers,
  { odd }: FieldworkCheck,
  { reasons, below = 1 }: { readonly reasons: readonly OddReason[]; readonly below?: number },
): SurveyAnswers {
  requireRates({ below });
  const out = new Set(
    odd.filter(({ reason, p }) => reasons.includes(reason) && p <= below).map(({ respondent }) => respondent),
  );
  const rows = range(answers.respondent.length).filter((row) => !out.has(answers.respondent[row] as string));
  if (rows.length === 0)
    throw new DataError(`somebody must be left, but all respondents are odd for ${reasons.join(" or ")}`);
  const { seconds } = answers;
  return {
    respondent: rows.map((row) => answers.respondent[row] as string | number),
    version: rows.map((row) => answers.version[row] as number),
    task: rows.map((row) => answers.task[row] as number),
    choice: rows.map((row) => answers.choice[row] as number),
    ...(seconds ? { seconds: rows.map((row) => seconds[row] as number) } : {}),
  };
}

function respondentsOf(design: SurveyDesign, answers: SurveyAnswers): Respondent[] {
  return Array.from(answersByRespondent(design, answers), ([label, rows]) => ({
    label,
    tasks: rows.map(
      (row) => ((answers.version[row] as number) - 1) * design.tasks + (answers.task[row] as number) - 1,
    ),
    choices: rows.map((row) => answers.choice[row] as number),
    ...(answers.seconds
      ? { seconds: rows.reduce((sum, row) => sum + (answers.seconds?.[row] as number), 0) / rows.length }
      : {}),
  }));
}

const secondsOf = (people: readonly Respondent[]): number[] =>
  people.map(({ seconds, tasks }) => (seconds as number) * tasks.length);

/** Respondents much faster per task than the median one; p by a normal distribution of log times, its spread by quartiles. */
function speeders(people: readonly Respondent[], share: number): OddRespondent[] {
  const pace = people.map(({ seconds }) => seconds as number);
  const median = quantileOf(pace, 0.5);
  const logs = pace.map(Math.log);
  const spread = (quantileOf(logs, 0.75) - quantileOf(logs, 0.25)) / QUARTILES;
  return people.flatMap(({ label }, k) => {
    const own = pace[k] as number;
    if (own >= share * median) return [];
    const z = Math.log(median / own) / spread;
    return [
      {
        respondent: label,
        reason: "speeder" as const,
        evidence: `${own.toFixed(1)} s a task, ${(own / median).toFixed(2)} of the median ${median.toFixed(1)} s`,
        p: spread === 0 ? 0 : normalTail(z),
      },
    ];
  });
}

const QUARTILES = 1.3489795003921634; // from the first to the third quartile of a standard normal distribution

/** Respondents who chose one position in all tasks; p that somebody with the sample's shares of positions would, any of them. */
function straightLiners(
  people: readonly Respondent[],
  { attributes, alternatives }: SurveyDesign,
  fewest: number,
): OddRespondent[] {
  const counts = new Float64Array(alternatives + 1);
  for (const { choices } of people)
    for (const choice of choices) counts[choice] = (counts[choice] as number) + 1;
  const total = counts.reduce((sum, count) => sum + count, 0);
  return people.flatMap(({ label, choices }) => {
    const first = choices[0] as number;
    if (choices.length < fewest || choices.some((choice) => choice !== first)) return [];
    const isNone = attributes.none && first === 0;
    const positions = isNone ? counts.subarray(0, 1) : counts.subarray(1);
    return [
      {
        respondent: label,
        reason: isNone ? ("always none" as const) : ("straight-liner" as const),
        evidence: `${isNone ? "none" : `position ${first}`} in all ${choices.length} tasks`,
        p: positions.reduce((sum, count) => sum + (count / total) ** choices.length, 0),
      },
    ];
  });
}

/**
 * Respondents with hits; p that as many or more would come among their opportunities at the rate of the whole sample.
 */
function rareCounts(
  reason: OddReason,
  people: readonly Respondent[],
  countOf: (person: Respondent) => Count,
): OddRespondent[] {
  const counts = people.map(countOf);
  const chances = counts.reduce((sum, count) => sum + count.chances, 0);
  const rate = counts.reduce((sum, { hits }) => sum + hits, 0) / chances;
  return people.flatMap(({ label }, k) => {
    const { hits, chances: own, evidence } = counts[k] as Count;
    if (hits === 0) return [];
    return [{ respondent: label, reason, evidence, p: regularisedBeta(rate, hits, own - hits + 1) }]; // binomial tail
  });
}

function missingTasks({ tasks }: Respondent, design: SurveyDesign): Count {
  const answered = new Set(tasks.map((task) => task % design.tasks));
  const missing = range(design.tasks).filter((task) => !answered.has(task));
  return {
    hits: missing.length,
    chances: design.tasks,
    evidence: `no answer to ${listed(missing.map((task) => task + 1))}`,
  };
}

const listed = (tasks: readonly number[]): string =>
  `${tasks.length === 1 ? "task" : "tasks"} ${tasks.join(", ")}`;

/** For each task and product the position of a product that dominates it, or -1. */
function dominatedProducts(design: SurveyDesign, direction: readonly number[]): number[][] {
  const { levels, versions, tasks, alternatives } = design;
  const size = direction.length;
  return range(versions * tasks).map((task) => {
    const from = task * alternatives * size;
    return range(alternatives).map((k) =>
      range(alternatives).findIndex((other) =>
        dominates(direction, levels, from + other * size, from + k * size),
      ),
    );
  });
}

function dominatedChoices({ tasks, choices }: Respondent, better: readonly (readonly number[])[]): Count {
  const faced = range(tasks.length).filter((k) => better[tasks[k] as number]?.some((by) => by !== -1));
  const hits = faced.filter((k) => (better[tasks[k] as number]?.[(choices[k] as number) - 1] ?? -1) !== -1);
  return {
    hits: hits.length,
    chances: faced.length,
    evidence: `a dominated product in ${hits.length} of ${faced.length} tasks that have one`,
  };
}

/** Pairs of tasks of a version that show the same products, by position in the design. */
function repeatedTasks({
  attributes,
  levels,
  versions,
  tasks,
  alternatives,
}: SurveyDesign): [number, number][] {
  const size = attributes.attributes.length;
  const block = alternatives * size;
  return range(versions).flatMap((version) =>
    range(tasks).flatMap((task) =>
      range(task).flatMap((earlier) => {
        const [first, second] = [version * tasks + earlier, version * tasks + task];
        return isSameTask(levels, first * block, second * block, alternatives, size)
          ? [[first, second] as [number, number]]
          : [];
      }),
    ),
  );
}

function contradictions(
  { tasks, choices }: Respondent,
  { attributes, levels, alternatives, tasks: perVersion }: SurveyDesign,
  repeats: readonly (readonly [number, number])[],
): Count {
  const size = attributes.attributes.length;
  const productChosen = (task: number): string | undefined => {
    const choice = choices[tasks.indexOf(task)];
    if (choice === undefined || choice === 0) return choice === 0 ? NONE : undefined;
    const from = (task * alternatives + choice - 1) * size;
    return levels.slice(from, from + size).join(" ");
  };
  const answered = repeats.filter((pair) => pair.every((task) => tasks.includes(task)));
  const against = answered.filter(([first, second]) => productChosen(first) !== productChosen(second));
  const pairs = against.map(
    ([first, second]) => `${(first % perVersion) + 1} and ${(second % perVersion) + 1}`,
  );
  return {
    hits: against.length,
    chances: answered.length,
    evidence: `another product when asked again: tasks ${pairs.join(", ")}`,
  };
}
