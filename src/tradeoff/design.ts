import { requireOneOf, requireWhole } from "../core/arguments.js";
import { describe } from "../core/table.js";
import type { Random } from "../numeric/random.js";
import { type Profile, profileSpace, type SurveyAttributes } from "./attributes.js";
import { countUnprohibited, firstProfiles, type LevelPlaces } from "./design-profiles.js";
import { type DesignSize, drawTasks, levelUses, type Overlap, type TaskRules } from "./design-tasks.js";

/** The choice tasks of a survey. */
export interface SurveyDesign extends DesignSize {
  /** How it was made. */
  readonly method: string;
  /** What is shown; `attributes.none` says whether none can be chosen. */
  readonly attributes: SurveyAttributes;
  /**
   * Position from 0 of the level of each attribute, -1 if the product does not have it: version after version, within it task
   * after task, product after product, attribute after attribute.
   */
  readonly levels: readonly number[];
  /** What the design does not keep, such as levels that a version does not show. */
  readonly warnings: readonly string[];
}

/** What every way to make a design can keep to. */
export interface DesignRules {
  /**
   * Attributes of which all respondents like one direction of the declared levels: "rising" if the last level is liked most,
   * "falling" if the first is. No product is then shown that another of its task dominates. Without it any may be.
   */
  readonly preference?: Readonly<Record<string, "rising" | "falling">>;
}

const MOST_PROFILES = 100_000;

/**
 * All products that the attributes allow (full factorial), the last attribute changing fastest.
 * @param most Most products that are still of use; 100,000 unless given.
 * @throws RangeError naming their number if there are more.
 */
export function fullFactorial(survey: SurveyAttributes, most = MOST_PROFILES): Profile[] {
  requireWhole("most", most, 1);
  const space = profileSpace(survey);
  const profiles = firstProfiles(space, most + 1);
  if (profiles.length > most) {
    const count = countUnprohibited(space);
    throw new RangeError(
      `the full factorial must have at most ${most} products, got ${count}${survey.prohibitions.length > 0 ? " before prohibitions" : ""}: use an orthogonal, a random or an efficient design`,
    );
  }
  return profiles.map((levels) => profileAt(survey, levels, 0));
}

/** The product whose levels begin at `from`. */
export function profileAt(
  { attributes }: SurveyAttributes,
  levels: LevelPlaces | readonly number[],
  from: number,
): Profile {
  return Object.fromEntries(
    attributes.flatMap((attribute, k) => {
      const level = attribute.levels[levels[from + k] as number];
      return level === undefined ? [] : [[attribute.name, level]];
    }),
  );
}

/** A task as a respondent sees it. */
export interface ChoiceTask {
  /** From 1. */
  readonly version: number;
  /** From 1 in each version. */
  readonly task: number;
  /** The products, in the order shown. */
  readonly products: readonly Profile[];
}

/** The tasks of a design, version after version. */
export function choiceTasks({
  attributes,
  levels,
  versions,
  tasks,
  alternatives,
}: SurveyDesign): ChoiceTask[] {
  const size = attributes.attributes.length;
  return Array.from({ length: versions * tasks }, (_, place) => ({
    version: Math.floor(place / tasks) + 1,
    task: (place % tasks) + 1,
    products: Array.from({ length: alternatives }, (_unused, k) =>
      profileAt(attributes, levels, (place * alternatives + k) * size),
    ),
  }));
}

/**
 * Checks what a design is asked for.
 * @throws RangeError naming the argument.
 */
export function taskRules(
  survey: SurveyAttributes,
  { versions, tasks, alternatives }: DesignSize,
  { preference }: DesignRules,
): TaskRules {
  requireWhole("versions", versions, 1);
  requireWhole("tasks", tasks, 1);
  requireWhole("alternatives", alternatives, 2);
  const space = profileSpace(survey);
  const products = firstProfiles(space, alternatives).length;
  if (products < alternatives)
    throw new RangeError(
      `alternatives must be at most ${products}, the number of different products, got ${alternatives}`,
    );
  const size = { space, versions, tasks, alternatives };
  return preference === undefined ? size : { ...size, direction: directionOf(survey, preference) };
}

/**
 * The direction of preference of each attribute: 1, -1, or 0 if there is none.
 * @throws RangeError if a preference is of no attribute or no direction.
 */
export function directionOf(
  { attributes }: SurveyAttributes,
  preference: NonNullable<DesignRules["preference"]>,
): number[] {
  const names = attributes.map(({ name }) => name);
  for (const [name, way] of Object.entries<unknown>(preference)) {
    if (!names.includes(name))
      throw new RangeError(`preference must be for ${names.join(", ")}, got ${describe(name)}`);
    if (way !== "rising" && way !== "falling")
      throw new RangeError(`preference for ${name} must be "rising" or "falling", got ${describe(way)}`);
  }
  return names.map((name) => ({ rising: 1, falling: -1, none: 0 })[preference[name] ?? "none"]);
}

/**
 * A random design. With overlap "any" each product is drawn for itself. "minimal" uses all levels of an attribute equally
 * often in each version, keeps the products of a task as different as can be, and brings pairs of levels together equally
 * often. "balanced" does so too, but lets about half as many products of a task share a level as would by chance, which tells
 * more about interactions and about respondents who look at one attribute only.
 * @throws RangeError if the size is out of range, the overlap is unknown, or no task keeps to the rules.
 * @see Chrzan & Orme (2000), An Overview and Comparison of Design Strategies for Choice-Based Conjoint Analysis.
 */
export function randomDesign(
  survey: SurveyAttributes,
  size: DesignSize,
  {
    random,
    overlap = "balanced",
    ...rules
  }: DesignRules & { readonly random: Random; readonly overlap?: Overlap },
): SurveyDesign {
  requireOneOf("overlap", overlap, ["any", "minimal", "balanced"]);
  const checked = taskRules(survey, size, rules);
  return surveyDesign(`random, ${overlap} overlap`, survey, checked, drawTasks(checked, overlap, random));
}

/** The finished design, with warnings of levels that a version does not show. */
export function surveyDesign(
  method: string,
  attributes: SurveyAttributes,
  rules: TaskRules,
  levels: Int16Array,
): SurveyDesign {
  const { versions, tasks, alternatives } = rules;
  const unused = levelUses(rules, levels).flatMap((uses, version) =>
    uses.flatMap((own, k) =>
      Array.from(own).flatMap((times, level) => {
        const { name, levels: all } = attributes.attributes[k] as SurveyAttributes["attributes"][number];
        return times === 0 ? [`version ${version + 1} never shows ${name} ${all[level]}`] : [];
      }),
    ),
  );
  return Object.freeze({
    method,
    attributes,
    versions,
    tasks,
    alternatives,
    levels: Array.from(levels),
    warnings: unused,
  });
}

/**
 * The same design with a task of each version asked once more at its end, the products in reverse order: who answers it
 * otherwise contradicts himself (see `checkFieldwork`). Leave it out of fits (see `choicesFromAnswers`).
 * @param task Number of the task, from 1.
 * @throws RangeError if there is no such task.
 */
export function withRepeatedTask(design: SurveyDesign, task: number): SurveyDesign {
  const { attributes, versions, tasks, alternatives, levels } = design;
  requireWhole("task", task, 1, tasks);
  const size = attributes.attributes.length;
  const block = alternatives * size;
  const repeated = Array.from({ length: versions }, (_, version) => {
    const own = levels.slice(version * tasks * block, (version + 1) * tasks * block);
    const again = Array.from({ length: alternatives }, (_unused, k) => {
      const from = (task - 1) * block + (alternatives - 1 - k) * size;
      return own.slice(from, from + size);
    });
    return [...own, ...again.flat()];
  });
  return Object.freeze({ ...design, tasks: tasks + 1, levels: repeated.flat() });
}
