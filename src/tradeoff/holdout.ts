import { requireFromZero } from "../core/arguments.js";
import { DataError } from "../core/errors.js";
import { describe } from "../core/table.js";
import {
  type AttributeColumns,
  type ChoiceDesign,
  type ChoiceRows,
  choiceDesign,
  selectColumns,
} from "./choice-data.js";
import {
  EVERYBODY,
  type PartWorths,
  type ResamplingOptions,
  requirePartWorths,
  resampledMeans,
  spreadOf,
} from "./part-worths.js";

/** How holdout choices are predicted and how sure the result is. */
export interface HoldoutOptions extends Omit<ResamplingOptions, "weights"> {
  /** Factor of all utilities from 0 up; 1 unless given. */
  readonly exponent?: number;
}

/** A measure of accuracy with its limits by bootstrap of the respondents. */
export interface HoldoutMeasure {
  readonly value: number;
  readonly standardError: number;
  readonly low: number;
  readonly high: number;
  /** What equal chances for all alternatives of a set would give. */
  readonly chance: number;
}

/** How well part-worths predict choices that they were not estimated from. */
export interface HoldoutAccuracy {
  /** Choices, weights counted. */
  readonly choices: number;
  /** Respondents. */
  readonly respondents: number;
  /** Share of choices that fell on the alternative of highest utility; of n equally high ones each counts 1 / n. */
  readonly hitRate: HoldoutMeasure;
  /** Geometric mean of the logit probabilities of what was chosen. */
  readonly rootLikelihood: HoldoutMeasure;
  /** Coverage of the limits. */
  readonly level: number;
}

/**
 * Hit rate and root likelihood of part-worths on choices of the same respondents. The one row of `pooledPartWorths` predicts
 * everybody, so that one taste for all and individual tastes can be compared; so can choices of new respondents be predicted.
 * @throws DataError if the choices are bad (see `choiceDesign`), lack a part-worth's column, or a respondent has no
 * part-worths; RangeError if an option is out of range.
 * @see Orme (2010), Getting Started with Conjoint Analysis, 2nd ed., on holdout tasks and root likelihood.
 */
export function holdoutAccuracy(
  partWorths: PartWorths,
  rows: ChoiceRows,
  attributes: AttributeColumns,
  options: HoldoutOptions,
): HoldoutAccuracy {
  const { level = 0.9 } = options;
  const { design, values } = holdoutDesign(partWorths, rows, attributes, options);
  const { setStart, choice, weight, respondentStart, respondents } = design;
  const logs = logShares(design, values, options.exponent ?? 1);
  const sums = respondents.map((_, who) => {
    const sum = new Float64Array(5); // choices, hits, their chance, log probabilities, their chance
    for (let set = respondentStart[who] as number; set < (respondentStart[who + 1] as number); set++) {
      const [from, to] = [setStart[set] as number, setStart[set + 1] as number];
      const own = logs.subarray(from, to);
      const chosen = (choice[set] as number) - from;
      const parts = [
        1,
        firstChoices(own)[chosen] as number,
        1 / own.length,
        own[chosen] as number,
        -Math.log(own.length),
      ];
      for (const [k, part] of parts.entries()) sum[k] = (sum[k] as number) + (weight[set] as number) * part;
    }
    return sum;
  });
  const { means, samples } = resampledMeans(sums, new Float64Array(sums.length).fill(1), options);
  const measure = (at: 1 | 3, of: (mean: number) => number): HoldoutMeasure => {
    const [all, own] = [samples[0] as Float64Array, samples[at] as Float64Array];
    const ratio = (k: number): number => of((means[k] as number) / (means[0] as number));
    return {
      value: ratio(at),
      ...spreadOf(
        own.map((sum, draw) => of(sum / (all[draw] as number))),
        level,
      ),
      chance: ratio(at + 1),
    };
  };
  return Object.freeze({
    choices: weight.reduce((sum, value) => sum + value, 0),
    respondents: respondents.length,
    hitRate: measure(1, (mean) => mean),
    rootLikelihood: measure(3, Math.exp),
    level,
  });
}

/** An alternative of a holdout task that everybody answered. */
export interface HoldoutShare {
  /** Label of the task. */
  readonly task: string | number;
  /** Place of the alternative in its task, from 1. */
  readonly alternative: number;
  /** Share of respondents who chose it, with its limits by bootstrap of the respondents. */
  readonly observed: number;
  readonly low: number;
  readonly high: number;
  /** Mean logit probability. */
  readonly shareOfPreference: number;
  /** Share of respondents for whom it has the highest utility. */
  readonly firstChoice: number;
}

/** How near predicted shares of fixed holdout tasks come to the observed ones. */
export interface HoldoutShares {
  readonly shares: readonly HoldoutShare[];
  /** Mean absolute difference between predicted and observed shares, as a fraction. */
  readonly meanAbsoluteError: {
    readonly shareOfPreference: number;
    readonly firstChoice: number;
    /** What equal shares for all alternatives of a task would give. */
    readonly chance: number;
  };
  /** Coverage of the limits. */
  readonly level: number;
}

/**
 * Shares of holdout tasks that all respondents answered alike, observed and predicted. Those answering count equally.
 * @param rows Choices; `set` labels the task, the same for all respondents.
 * @throws as `holdoutAccuracy`; DataError if a task shows other alternatives to some respondent.
 */
export function holdoutShares(
  partWorths: PartWorths,
  rows: ChoiceRows,
  attributes: AttributeColumns,
  options: HoldoutOptions,
): HoldoutShares {
  const { level = 0.9 } = options;
  const { design, values } = holdoutDesign(partWorths, rows, attributes, options);
  const { setStart, choice, respondentStart, respondents, row } = design;
  const logs = logShares(design, values, options.exponent ?? 1);
  const tasks = new Map<string | number, { readonly first: number; readonly answers: Float64Array[] }>();
  for (const [who, respondent] of respondents.entries()) {
    for (let set = respondentStart[who] as number; set < (respondentStart[who + 1] as number); set++) {
      const [from, to] = [setStart[set] as number, setStart[set + 1] as number];
      const label = rows.set[row[from] as number] as string | number;
      const task = tasks.get(label) ?? { first: set, answers: [] };
      tasks.set(label, task);
      requireSameSet(design, task.first, set, label, respondent);
      const own = logs.subarray(from, to);
      task.answers.push(
        Float64Array.of(
          ...Array.from(own, (_, k) => Number(choice[set] === from + k)),
          ...own.map(Math.exp),
          ...firstChoices(own),
        ),
      );
    }
  }
  const shares = [...tasks].flatMap(([task, { answers }]) => {
    const { means, samples } = resampledMeans(answers, new Float64Array(answers.length).fill(1), options);
    const size = means.length / 3;
    return Array.from({ length: size }, (_, k): HoldoutShare => {
      const { low, high } = spreadOf(samples[k] as Float64Array, level);
      return {
        task,
        alternative: k + 1,
        observed: means[k] as number,
        low,
        high,
        shareOfPreference: means[size + k] as number,
        firstChoice: means[2 * size + k] as number,
      };
    });
  });
  const sizes = new Map(
    [...tasks].map(([task, { answers }]) => [task, (answers[0] as Float64Array).length / 3]),
  );
  const error = (predicted: (share: HoldoutShare) => number): number =>
    shares.reduce((sum, share) => sum + Math.abs(predicted(share) - share.observed), 0) / shares.length;
  return Object.freeze({
    shares,
    meanAbsoluteError: {
      shareOfPreference: error((share) => share.shareOfPreference),
      firstChoice: error((share) => share.firstChoice),
      chance: error(({ task }) => 1 / (sizes.get(task) as number)),
    },
    level,
  });
}

/** Choices with the part-worths of those who made them. */
function holdoutDesign(
  partWorths: PartWorths,
  rows: ChoiceRows,
  attributes: AttributeColumns,
  { exponent = 1 }: HoldoutOptions,
): { readonly design: ChoiceDesign; readonly values: readonly Float64Array[] } {
  requireFromZero({ exponent });
  requirePartWorths(partWorths);
  const { names, respondents } = partWorths;
  if (!rows.respondent) throw new DataError("holdout choices need the column respondent, got none");
  const design = choiceDesign(rows, selectColumns(attributes, names));
  const placeOf = new Map(respondents.map((respondent, place) => [respondent, place]));
  const isPooled = respondents.length === 1 && respondents[0] === EVERYBODY;
  const values = design.respondents.map((respondent) => {
    const place = isPooled ? 0 : placeOf.get(respondent);
    if (place === undefined)
      throw new DataError(`respondent ${describe(respondent)} has holdout choices but no part-worths`);
    return partWorths.values[place] as Float64Array;
  });
  return { design, values };
}

/** Log of the logit probability of every alternative within its set, by the part-worths of the respondent. */
function logShares(
  { x, setStart, respondentStart }: ChoiceDesign,
  values: readonly Float64Array[],
  exponent: number,
): Float64Array {
  const p = values[0]?.length ?? 0;
  const logs = new Float64Array(x.length / p);
  for (const [who, beta] of values.entries()) {
    for (let set = respondentStart[who] as number; set < (respondentStart[who + 1] as number); set++) {
      const own = logs.subarray(setStart[set], setStart[set + 1]);
      const first = (setStart[set] as number) * p;
      for (let k = 0; k < own.length; k++)
        own[k] = exponent * beta.reduce((sum, value, j) => sum + value * (x[first + k * p + j] as number), 0);
      const largest = Math.max(...own);
      const sum = own.reduce((before, utility) => before + Math.exp(utility - largest), 0);
      for (let k = 0; k < own.length; k++) own[k] = (own[k] as number) - largest - Math.log(sum);
    }
  }
  return logs;
}

/** 1 for the highest, or equal parts of it for several. */
function firstChoices(values: Float64Array): Float64Array {
  const best = Math.max(...values);
  const ties = values.filter((value) => value === best).length;
  return values.map((value) => (value === best ? 1 / ties : 0));
}

function requireSameSet(
  { x, setStart, names }: ChoiceDesign,
  first: number,
  set: number,
  task: unknown,
  respondent: unknown,
): void {
  const codes = (of: number): Float64Array =>
    x.subarray((setStart[of] as number) * names.length, (setStart[of + 1] as number) * names.length);
  const [own, theirs] = [codes(first), codes(set)];
  if (own.length === theirs.length && own.every((value, j) => value === theirs[j])) return;
  throw new DataError(
    `task ${describe(task)} must show everybody the same alternatives, but respondent ${describe(respondent)} saw others`,
  );
}
