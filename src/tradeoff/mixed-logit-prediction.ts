import { requireLevel, requireWhole } from "../core/arguments.js";
import { DataError } from "../core/errors.js";
import { quantileType7 } from "../numeric/quantile.js";
import type { Random } from "../numeric/random.js";
import { type AttributeColumns, type ChoiceRows, choiceDesign, selectColumns } from "./choice-data.js";
import { firstOfEachSet } from "./conditional-logit.js";
import { type MixedLogitProblem, mixedLogitProblem } from "./mixed-logit.js";
import {
  type DrawOptions,
  isCorrelated,
  linkOf,
  type MixedLogitParameters,
  parameterList,
  standardDraws,
  termsOf,
} from "./mixed-logit-tastes.js";
import type { PartWorths } from "./part-worths.js";

/** How to predict with a mixed logit. */
export interface MixedLogitPredictionOptions extends DrawOptions {
  /** Whether a respondent has the same tastes in all choices; true unless given, if respondents are. */
  readonly panel?: boolean;
}

/** Coefficients of respondents, with how sure they are. */
export interface MixedLogitPartWorths extends PartWorths {
  /** Standard deviations of the coefficients given the choices, in the shape of `values`. */
  readonly standardDeviations: readonly Float64Array[];
}

/** Willingness to pay over the population of respondents. */
export interface MixedWillingnessToPay {
  /** Name of the covariate. */
  readonly attribute: string;
  /** Median respondent's, in the unit of the price. */
  readonly median: number;
  /** Quartiles of the respondents. */
  readonly quartiles: readonly [low: number, high: number];
  /** Limits between which respondents are, a share `level` of them. */
  readonly limits: readonly [low: number, high: number];
  /** Share of respondents who would pay something. */
  readonly shareAboveZero: number;
}

/** Willingness to pay for every covariate but the price. */
export interface MixedWillingnessToPayResult {
  readonly price: string;
  /** Share of respondents between the limits. */
  readonly level: number;
  readonly values: readonly MixedWillingnessToPay[];
  /** What makes the numbers doubtful: respondents who like a higher price. */
  readonly warnings: readonly string[];
}

/**
 * Probability of each row to be chosen within its set, in the order of the data; 0 for alternatives that are not available.
 * Given "nothing" it is the average over all respondents, and `chosen` may be missing. Given "earlier choices" it is that
 * of this respondent after the choices in the sets before: with the data, draws and random source of the fit, the
 * logarithms of the probabilities of what was chosen then add up to its log-likelihood. Without panel both are the same.
 * @throws DataError if a covariate of the model is missing or bad, or rows of a set do not stand together.
 */
export function mixedLogitProbabilities(
  parameters: MixedLogitParameters,
  rows: Omit<ChoiceRows, "chosen"> & Partial<ChoiceRows>,
  attributes: AttributeColumns,
  options: MixedLogitPredictionOptions & { readonly given?: "nothing" | "earlier choices" },
): Float64Array {
  const { given = "nothing" } = options;
  if (given === "earlier choices" && rows.chosen === undefined) {
    throw new DataError("rows must have the column chosen, for probabilities given earlier choices");
  }
  const chosen = rows.chosen && given === "earlier choices" ? rows.chosen : firstOfEachSet(rows);
  const problem = problemOf(parameters, { ...rows, chosen }, attributes, options);
  const { design, units, names, size } = problem;
  const result = new Float64Array(rows.set.length);
  const theta = Float64Array.from(parameterList(parameters, problem.terms));
  const weights = new Float64Array(size);
  let odds = new Float64Array(0);
  problem.kernel(size).eachPosterior(theta, (unit, coefficients) => {
    weights.fill(1 / size);
    for (let set = units.start[unit] as number; set < (units.start[unit + 1] as number); set++) {
      const [from, to] = [design.setStart[set] as number, design.setStart[set + 1] as number];
      if (odds.length < (to - from) * size) odds = new Float64Array((to - from) * size);
      fillProbabilities(odds, design.x.subarray(from * names.length, to * names.length), coefficients, size);
      for (let row = from; row < to; row++) {
        let share = 0;
        for (let i = 0, at = (row - from) * size; i < size; i++, at++)
          share += (weights[i] as number) * (odds[at] as number);
        result[design.row[row] as number] = share;
      }
      if (given === "nothing") continue;
      const pick = design.choice[set] as number;
      const seen = result[design.row[pick] as number] as number;
      for (let i = 0, at = (pick - from) * size; i < size; i++, at++)
        weights[i] = ((weights[i] as number) * (odds[at] as number)) / seen;
    }
  });
  return result;
}

/** Probabilities of the alternatives of a set at each draw, alternative after alternative. */
function fillProbabilities(
  odds: Float64Array,
  x: Float64Array,
  coefficients: Float64Array,
  size: number,
): void {
  const k = coefficients.length / size;
  const alternatives = x.length / k;
  for (let i = 0; i < size; i++) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let row = 0; row < alternatives; row++) {
      let utility = 0;
      for (let j = 0; j < k; j++)
        utility += (x[row * k + j] as number) * (coefficients[j * size + i] as number);
      odds[row * size + i] = utility;
      largest = Math.max(largest, utility);
    }
    let sum = 0;
    for (let at = i; at < alternatives * size; at += size)
      sum += odds[at] = Math.exp((odds[at] as number) - largest);
    for (let at = i; at < alternatives * size; at += size) odds[at] = (odds[at] as number) / sum;
  }
}

/**
 * Coefficients of utility of each respondent, given what he chose: the mean of the tastes over the draws, weighted by how well
 * each explains the choices. They spread less than tastes do in the population, the less the fewer the choices. In
 * willingness-to-pay space, too, these are coefficients of utility (scale times willingness to pay, and minus the scale).
 * `options.keep`: Draws from the distribution given the choices to keep for each respondent; none unless given.
 * @throws DataError if the choices are bad; RangeError if `keep` is not a whole number from 0 up.
 * @see Revelt & Train (2000), Customer-Specific Taste Parameters and Mixed Logit; Train (2009), chapter 11.
 */
export function individualCoefficients(
  parameters: MixedLogitParameters,
  rows: ChoiceRows,
  attributes: AttributeColumns,
  options: DrawOptions & { readonly keep?: number },
): MixedLogitPartWorths {
  const { keep = 0, random } = options;
  requireWhole("keep", keep, 0);
  const problem = problemOf(parameters, rows, attributes, { ...options, panel: true });
  const { names, size, design } = problem;
  const k = names.length;
  const count = design.respondents.length;
  const values: Float64Array[] = [];
  const standardDeviations: Float64Array[] = [];
  const draws = new Float64Array(keep * count * k);
  const theta = Float64Array.from(parameterList(parameters, problem.terms));
  problem.kernel(size).eachPosterior(theta, (unit, coefficients, weights) => {
    const momentOf = (j: number, of: (value: number) => number): number => {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += (weights[i] as number) * of(coefficients[j * size + i] as number);
      return sum;
    };
    const mean = Float64Array.from(names, (_, j) => momentOf(j, (value) => value));
    values.push(mean);
    standardDeviations.push(
      mean.map((centre, j) => Math.sqrt(momentOf(j, (value) => (value - centre) ** 2))),
    );
    for (const [draw, i] of weightedPicks(weights, keep, random.stream("keep").stream(unit)).entries()) {
      for (let j = 0; j < k; j++) draws[(draw * count + unit) * k + j] = coefficients[j * size + i] as number;
    }
  });
  return Object.freeze({
    names,
    respondents: design.respondents,
    values,
    standardDeviations,
    ...(keep > 0 ? { draws } : {}),
  });
}

/** Places drawn in proportion to weights that add up to 1. */
function weightedPicks(weights: Float64Array, count: number, random: Random): number[] {
  if (count === 0) return [];
  let sum = 0;
  const upTo = weights.map((weight) => (sum += weight));
  return Array.from({ length: count }, () => {
    const target = random.uniform() * sum;
    let [low, high] = [0, upTo.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((upTo[middle] as number) > target) high = middle;
      else low = middle + 1;
    }
    return low;
  });
}

/**
 * Coefficients of utility of simulated respondents: a column for each covariate, in any space.
 * @param count Respondents to draw, up to 2^20.
 */
export function drawTastes(
  parameters: MixedLogitParameters,
  count: number,
  { random, sequence = "sobol" }: Omit<DrawOptions, "draws">,
): Readonly<Record<string, Float64Array>> {
  const { location, tastes, price } = parameters;
  const names = Object.keys(location);
  const draws = standardDraws(1, tastes, { random, sequence, draws: count });
  const terms = termsOf(names, tastes, isCorrelated(parameters));
  const list = parameterList(parameters, terms);
  const columns = names.map(() => new Float64Array(count));
  for (const [a, { covariate, draw }] of terms.entries()) {
    const column = columns[covariate] as Float64Array;
    for (let i = 0; i < count; i++)
      column[i] =
        (column[i] as number) + (list[a] as number) * (draw === -1 ? 1 : (draws[draw * count + i] as number));
  }
  for (const [j, name] of names.entries()) {
    const link = linkOf(tastes[name]);
    if (link === "identity") continue;
    const column = columns[j] as Float64Array;
    for (let i = 0; i < count; i++) column[i] = (link === "exp" ? 1 : -1) * Math.exp(column[i] as number);
  }
  if (price !== null) {
    const scale = columns[names.indexOf(price)] as Float64Array;
    for (const column of columns) {
      if (column === scale) continue;
      for (let i = 0; i < count; i++) column[i] = (column[i] as number) * (scale[i] as number);
    }
    for (let i = 0; i < count; i++) scale[i] = -(scale[i] as number);
  }
  return Object.freeze(Object.fromEntries(names.map((name, j) => [name, columns[j] as Float64Array])));
}

/**
 * Willingness to pay of the population: quantiles of minus the coefficient over that of the price, over simulated
 * respondents. Quantiles alone have a meaning where the price coefficient comes near 0 for some: the mean may not exist.
 * `options.draws`: Simulated respondents; 10,000 unless given.
 * `options.level`: Share of respondents between the limits; 0.9 unless given.
 * @throws RangeError if there is no such covariate, or level is out of range.
 */
export function mixedWillingnessToPay(
  parameters: MixedLogitParameters,
  options: DrawOptions & { readonly price: string; readonly level?: number },
): MixedWillingnessToPayResult {
  const { price, draws = 10_000, level = 0.9 } = options;
  const names = Object.keys(parameters.location);
  if (!names.includes(price))
    throw new RangeError(`price must be one of ${names.join(", ")}, got "${price}"`);
  requireLevel(level);
  const tastes = drawTastes(parameters, draws, options);
  const slope = tastes[price] as Float64Array;
  const values = names
    .filter((name) => name !== price)
    .map((attribute) => {
      const column = tastes[attribute] as Float64Array;
      const worth = column.map((value, i) => -value / (slope[i] as number)).sort();
      const at = (p: number): number => quantileType7(worth, p);
      return Object.freeze({
        attribute,
        median: at(0.5),
        quartiles: [at(0.25), at(0.75)] as const,
        limits: [at((1 - level) / 2), at((1 + level) / 2)] as const,
        shareAboveZero: worth.filter((value) => value > 0).length / draws,
      });
    });
  const positive = slope.filter((value) => value >= 0).length / draws;
  const warnings =
    positive === 0
      ? []
      : [
          `${(100 * positive).toPrecision(2)}% of respondents have a positive coefficient of ${price}, they like a higher one: ` +
            "their willingness to pay has no meaning; a negative log-normal price or willingness-to-pay space rules them out",
        ];
  return Object.freeze({ price, level, values, warnings });
}

/** The model on data, with the draws of a fit by the same random source. */
function problemOf(
  parameters: MixedLogitParameters,
  rows: ChoiceRows,
  attributes: AttributeColumns,
  options: MixedLogitPredictionOptions,
): MixedLogitProblem {
  const names = Object.keys(parameters.location);
  return mixedLogitProblem(choiceDesign(rows, selectColumns(attributes, names)), {
    ...options,
    tastes: parameters.tastes,
    price: parameters.price,
    correlated: isCorrelated(parameters),
    panel: options.panel ?? rows.respondent !== undefined,
  });
}
