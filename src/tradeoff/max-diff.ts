import { requireOneOf } from "../core/arguments.js";
import { DataError } from "../core/errors.js";
import { compareIds, describe } from "../core/table.js";
import { quantileOf } from "../numeric/quantile.js";
import type { AttributeColumns, ChoiceRows } from "./choice-data.js";
import {
  type ConditionalLogitFit,
  type ConditionalLogitOptions,
  fitConditionalLogit,
} from "./conditional-logit.js";
import {
  fitHierarchicalBayes,
  type HierarchicalBayesFit,
  type HierarchicalBayesOptions,
} from "./hierarchical-bayes.js";
import type { PartWorths } from "./part-worths.js";

/** An item's name. */
export type Item = string | number;

/** Best-worst (MaxDiff) answers: one row a question. */
export interface MaxDiffRows {
  /** Who answered; the rows of a respondent stand together. Every question is its own respondent unless given. */
  readonly respondent?: ArrayLike<string | number>;
  /** The items shown, a column each place; null or an empty text where a question showed fewer. */
  readonly items: readonly ArrayLike<Item | null>[];
  /** The item chosen as best, and as worst. */
  readonly best: ArrayLike<Item>;
  readonly worst: ArrayLike<Item>;
}

/** How answers are read. */
export interface MaxDiffOptions {
  /** All items in the order of the results; those found, sorted, unless given. */
  readonly items?: readonly Item[];
}

/** How answers become choices. */
export interface MaxDiffModelOptions extends MaxDiffOptions {
  /**
   * "paired": the pair of best and worst is chosen among all ordered pairs by its difference of utility (the maxdiff model);
   * "sequential": first the best among all, then the worst among the rest. "paired" unless given.
   */
  readonly model?: "paired" | "sequential";
  /** The item whose utility is 0; the last one unless given. */
  readonly reference?: Item;
}

/** How often an item was shown and chosen. */
export interface MaxDiffCount {
  readonly item: Item;
  readonly shown: number;
  readonly best: number;
  readonly worst: number;
  /** best - worst. */
  readonly score: number;
  /** score / shown: from -1 to 1; undefined if never shown. */
  readonly standardisedScore: number | undefined;
  /** Square root of best / worst, near proportional to the share of preference; undefined if never worst. */
  readonly sqrtRatio: number | undefined;
}

/** Answers checked, as places in the list of items. */
interface Questions {
  readonly items: readonly Item[];
  readonly respondents: readonly unknown[];
  /** Respondent of each question. */
  readonly who: readonly number[];
  readonly shown: readonly (readonly number[])[];
  readonly best: readonly number[];
  readonly worst: readonly number[];
}

/** @throws DataError naming row and value. */
function checkedQuestions(
  { respondent, items: columns, best, worst }: MaxDiffRows,
  { items: given }: MaxDiffOptions,
): Questions {
  const size = best.length;
  if (size === 0) throw new DataError("answers must have at least one row, got none");
  const lengths: [string, number][] = [["worst", worst.length]];
  for (const [k, column] of columns.entries()) lengths.push([`items[${k}]`, column.length]);
  if (respondent) lengths.push(["respondent", respondent.length]);
  for (const [name, length] of lengths)
    if (length !== size)
      throw new DataError(`${name} must have one value for each of the ${size} rows, got ${length}`);
  const isItem = (value: unknown): value is Item =>
    (typeof value === "string" && value !== "") || (typeof value === "number" && Number.isFinite(value));
  const found = new Set(columns.flatMap((column) => Array.from(column)).filter(isItem));
  const items = given ?? [...found].sort(compareIds);
  const placeOf = new Map(items.map((item, place) => [item, place]));
  if (new Set(items.map(String)).size < items.length)
    throw new RangeError(`items must be different, got ${items.map(describe).join(", ")}`);
  const shown: number[][] = [];
  const chosen: { best: number[]; worst: number[] } = { best: [], worst: [] };
  const who: number[] = [];
  const respondents: unknown[] = [];
  const seen = new Set<unknown>();
  for (let row = 0; row < size; row++) {
    const places: number[] = [];
    for (const column of columns) {
      const value: unknown = column[row];
      if (value === null || value === undefined || value === "") continue;
      const place = isItem(value) ? placeOf.get(value) : undefined;
      if (place === undefined)
        throw new DataError(
          `items in row ${row + 1} must be among ${items.map(describe).join(", ")}, got ${describe(value)}`,
        );
      if (places.includes(place))
        throw new DataError(`items in row ${row + 1} must be different, got ${describe(value)} twice`);
      places.push(place);
    }
    if (places.length < 3)
      throw new DataError(`items in row ${row + 1} must be at least three, got ${places.length}`);
    for (const [name, answers] of [
      ["best", best],
      ["worst", worst],
    ] as const) {
      const value = answers[row];
      const place = isItem(value) ? placeOf.get(value) : undefined;
      if (place === undefined || !places.includes(place))
        throw new DataError(
          `${name} in row ${row + 1} must be one of the items shown (${places.map((at) => describe(items[at])).join(", ")}), got ${describe(value)}`,
        );
      chosen[name].push(place);
    }
    if (chosen.best[row] === chosen.worst[row])
      throw new DataError(
        `worst in row ${row + 1} must differ from best, got ${describe(best[row])} for both`,
      );
    shown.push(places);
    const label = respondent ? respondent[row] : row + 1;
    if (row === 0 || label !== respondents.at(-1)) {
      if (seen.has(label))
        throw new DataError(
          `rows of respondent ${describe(label)} must stand together, but they come again in row ${row + 1}`,
        );
      seen.add(label);
      respondents.push(label);
    }
    who.push(respondents.length - 1);
  }
  return { items, respondents, who, shown, ...chosen };
}

/**
 * Counts of best and worst choices by item, and the scores made of them, over all respondents and for each.
 * @throws DataError naming row and value: best or worst not shown or the same, an item twice, fewer than three items.
 * @see Louviere, Flynn & Marley (2015), Best-Worst Scaling: Theory, Methods and Applications.
 */
export function maxDiffCounts(
  rows: MaxDiffRows,
  options: MaxDiffOptions = {},
): { readonly counts: readonly MaxDiffCount[]; readonly individual: PartWorths } {
  const { items, respondents, who, shown, best, worst } = checkedQuestions(rows, options);
  const totals = items.map(() => ({ shown: 0, best: 0, worst: 0 }));
  const values = respondents.map(() => new Float64Array(items.length));
  const add = (place: number, kind: "shown" | "best" | "worst"): void => {
    (totals[place] as (typeof totals)[number])[kind]++;
  };
  for (const [question, places] of shown.entries()) {
    const [top, bottom] = [best[question] as number, worst[question] as number];
    for (const place of places) add(place, "shown");
    add(top, "best");
    add(bottom, "worst");
    const own = values[who[question] as number] as Float64Array;
    own[top] = (own[top] as number) + 1;
    own[bottom] = (own[bottom] as number) - 1;
  }
  const counts = totals.map((total, place) => {
    const score = total.best - total.worst;
    return Object.freeze({
      item: items[place] as Item,
      ...total,
      score,
      standardisedScore: total.shown === 0 ? undefined : score / total.shown,
      sqrtRatio: total.worst === 0 ? undefined : Math.sqrt(total.best / total.worst),
    });
  });
  return { counts, individual: { names: items.map(String), respondents, values } };
}

/**
 * Best-worst answers as choices among alternatives, for any choice model: one column an item but for the reference, in the
 * form of `fitConditionalLogit` and its neighbours.
 * @throws DataError as `maxDiffCounts`; RangeError if the reference is not among the items, or the model is unknown.
 * @see Finn & Louviere (1992), J. Public Policy & Marketing 11(2); Marley & Louviere (2005), Some Probabilistic Models of Best,
 * Worst, and Best-Worst Choices, J. Mathematical Psychology 49(6).
 */
export function maxDiffChoices(
  rows: MaxDiffRows,
  options: MaxDiffModelOptions = {},
): { readonly rows: ChoiceRows; readonly attributes: AttributeColumns; readonly reference: Item } {
  const { items, respondents, who, shown, best, worst } = checkedQuestions(rows, options);
  const { model = "paired", reference = items.at(-1) } = options;
  requireOneOf("model", model, ["paired", "sequential"]);
  if (reference === undefined || !items.includes(reference))
    throw new RangeError(
      `reference must be one of ${items.map(describe).join(", ")}, got ${describe(reference)}`,
    );
  const set: string[] = [];
  const respondent: (string | number)[] = [];
  const chosen: number[] = [];
  const columns = items.map((): number[] => []);
  const alternative = (question: number, part: string, up: number, down: number, is: boolean): void => {
    set.push(`${question + 1} ${part}`);
    respondent.push(respondents[who[question] as number] as string | number);
    chosen.push(Number(is));
    for (const [place, column] of columns.entries())
      column.push(Number(place === up) - Number(place === down));
  };
  for (const [question, places] of shown.entries()) {
    const [top, bottom] = [best[question] as number, worst[question] as number];
    if (model === "sequential") {
      for (const place of places) alternative(question, "best", place, -1, place === top);
      for (const place of places)
        if (place !== top) alternative(question, "worst", -1, place, place === bottom);
    } else {
      for (const up of places)
        for (const down of places)
          if (up !== down) alternative(question, "pair", up, down, up === top && down === bottom);
    }
  }
  const attributes = Object.fromEntries(
    items.flatMap((item, place) => (item === reference ? [] : [[String(item), columns[place] as number[]]])),
  );
  return { rows: { set, respondent, chosen }, attributes, reference };
}

/** Utilities of items from best-worst answers of all respondents together. */
export interface MaxDiffFit {
  readonly model: "paired MaxDiff" | "sequential MaxDiff";
  /** The item whose utility is 0. */
  readonly reference: Item;
  /** Utility of each item; standard errors of all but the reference are in `logit`. */
  readonly utilities: Readonly<Record<string, number>>;
  /** Share of preference: how often each item would be best if all were shown. */
  readonly shares: Readonly<Record<string, number>>;
  /** The logit model underneath, with its likelihood and tests. */
  readonly logit: ConditionalLogitFit;
}

/**
 * Utilities of items by a logit model of best-worst answers, all respondents alike.
 * @throws DataError as `maxDiffCounts`, or for items never shown together with others; ConvergenceError naming items that were
 * always best or worst; RangeError if the reference is not among the items.
 * @see Finn & Louviere (1992); Marley & Louviere (2005).
 */
export function fitMaxDiff(
  answers: MaxDiffRows,
  { errors, penalty, ...options }: MaxDiffModelOptions & ConditionalLogitOptions = {},
): MaxDiffFit {
  const { rows, attributes, reference } = maxDiffChoices(answers, options);
  const logit = fitConditionalLogit(rows, attributes, {
    ...(errors === undefined ? {} : { errors }),
    ...(penalty === undefined ? {} : { penalty }),
  });
  const { items } = checkedQuestions(answers, options);
  const names = items.map(String);
  const utilities = names.map((name) => logit.coefficients[name] ?? 0);
  const byName = (values: ArrayLike<number>): Readonly<Record<string, number>> =>
    Object.freeze(Object.fromEntries(names.map((name, place) => [name, values[place] as number])));
  return Object.freeze({
    model: `${options.model ?? "paired"} MaxDiff` as const,
    reference,
    utilities: byName(utilities),
    shares: byName(preferenceShares(utilities)),
    logit,
  });
}

/** Shares of preference of items of these utilities: exp(u) over the sum of all. */
export function preferenceShares(utilities: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(utilities);
  const most = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const parts = values.map((value) => Math.exp(value - most));
  const sum = parts.reduce((a, b) => a + b, 0);
  return parts.map((part) => part / sum);
}

/** Utilities of items for every respondent, from best-worst answers. */
export interface MaxDiffHierarchicalBayesFit {
  readonly model: "paired MaxDiff, hierarchical Bayes" | "sequential MaxDiff, hierarchical Bayes";
  /** Utilities of all items for every respondent, less their mean over items: posterior means, and draws. */
  readonly individual: PartWorths;
  /** Mean over respondents of their shares of preference: posterior mean and limits of the level asked for. */
  readonly shares: Readonly<
    Record<string, { readonly mean: number; readonly low: number; readonly high: number }>
  >;
  /** The model underneath, its coefficients measured from the reference item. */
  readonly hierarchicalBayes: HierarchicalBayesFit;
}

/**
 * Individual utilities of items by a hierarchical Bayes logit of best-worst answers. The prior of the heterogeneity treats all
 * items alike, whichever is the reference: differences of any two have variance 4 (or what `priors.heterogeneity` says) times
 * one factor left to the data, or no factor if `priors.freedom` is given.
 * @throws DataError as `maxDiffCounts`; RangeError as `fitHierarchicalBayes`.
 * @see Rossi, Allenby & McCulloch (2005), Bayesian Statistics and Marketing, chapter 5; Marley & Louviere (2005).
 */
export async function fitMaxDiffHierarchicalBayes(
  answers: MaxDiffRows,
  {
    model = "paired",
    items: given,
    reference: zero,
    ...options
  }: MaxDiffModelOptions & HierarchicalBayesOptions,
): Promise<MaxDiffHierarchicalBayesFit> {
  const { items } = checkedQuestions(answers, given ? { items: given } : {});
  const { rows, attributes } = maxDiffChoices(answers, {
    model,
    items,
    ...(zero === undefined ? {} : { reference: zero }),
  });
  const others = Object.keys(attributes);
  const variance = options.priors?.heterogeneity ?? 4;
  // Columns run from -1 to 1, so the coefficients of the sampler are twice the utilities and have four times their variance.
  const heterogeneity =
    typeof variance === "number"
      ? others.map((_, i) => others.map((__, j) => 4 * variance * (i === j ? 1 : 0.5)))
      : variance;
  const fit = await fitHierarchicalBayes(rows, attributes, {
    ...options,
    priors: { ...options.priors, heterogeneity },
  });
  const names = items.map(String);
  const columnOf = names.map((name) => others.indexOf(name)); // -1 for the reference
  const k = names.length;
  /** Utilities of all items out of coefficients that leave out the reference, centred. */
  const centred = (coefficients: ArrayLike<number>, start: number, to: Float64Array): void => {
    let sum = 0;
    for (const [place, column] of columnOf.entries()) {
      const value = column === -1 ? 0 : (coefficients[start + column] as number);
      to[place] = value;
      sum += value;
    }
    for (let place = 0; place < k; place++) to[place] = (to[place] as number) - sum / k;
  };
  const values = fit.individual.values.map((row) => {
    const utilities = new Float64Array(k);
    centred(row, 0, utilities);
    return utilities;
  });
  const drawn = fit.individual.draws as Float32Array;
  const people = values.length;
  const count = drawn.length / (people * (k - 1));
  const draws = new Float32Array(count * people * k);
  const shares = names.map(() => new Float64Array(count));
  const utilities = new Float64Array(k);
  for (let row = 0; row < count * people; row++) {
    centred(drawn, row * (k - 1), utilities);
    draws.set(utilities, row * k);
    const draw = Math.floor(row / people);
    for (const [place, share] of preferenceShares(utilities).entries()) {
      const column = shares[place] as Float64Array;
      column[draw] = (column[draw] as number) + share / people;
    }
  }
  return Object.freeze({
    model: `${model} MaxDiff, hierarchical Bayes` as const,
    individual: { names, respondents: fit.individual.respondents, values, draws },
    shares: Object.freeze(
      Object.fromEntries(
        names.map((name, place) => {
          const column = shares[place] as Float64Array;
          return [
            name,
            {
              mean: column.reduce((sum, share) => sum + share, 0) / count,
              low: quantileOf(column, (1 - fit.level) / 2),
              high: quantileOf(column, (1 + fit.level) / 2),
            },
          ];
        }),
      ),
    ),
    hierarchicalBayes: fit,
  });
}
