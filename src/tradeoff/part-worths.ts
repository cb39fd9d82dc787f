import { requireLevel, requireWhole } from "../core/arguments.js";
import { DataError } from "../core/errors.js";
import { describe } from "../core/table.js";
import { choleskyFactor } from "../numeric/matrix.js";
import { quantileOf } from "../numeric/quantile.js";
import type { Random } from "../numeric/random.js";
import { drawNormal } from "../numeric/sampling.js";
import { normalQuantile } from "../numeric/special.js";
import type { UtilityCoefficients } from "./conditional-logit.js";

/** Coefficients of utility for every respondent. */
export interface PartWorths {
  /** Names of the coefficients: the columns of the coded attributes. */
  readonly names: readonly string[];
  /** Labels of the respondents. */
  readonly respondents: readonly unknown[];
  /** Point estimates: one row a respondent, one element a name. */
  readonly values: readonly Float64Array[];
  /**
   * Draws from the distribution of the coefficients, where the model gives them: draw after draw, within a draw respondent
   * after respondent, within a respondent name after name.
   */
  readonly draws?: Float32Array | Float64Array;
}

/** A level of an attribute and how it is coded. */
export interface AttributeLevel {
  /** Name of the level. */
  readonly level: string;
  /** Value of each column the level is coded by; a column left out is 0, so that a reference level of dummies is `{}`. */
  readonly code: Readonly<Record<string, number>>;
  /** The amount, for a level that is one, such as a price in money. */
  readonly value?: number;
}

/** How the levels of an attribute stand in the columns of a model, whatever the coding. */
export interface AttributeLevels {
  readonly attribute: string;
  /** Levels in the order to be shown; amounts rise. */
  readonly levels: readonly AttributeLevel[];
  /** The level of another attribute that a product must have to have this one; all products have it unless given. */
  readonly only?: { readonly attribute: string; readonly level: string };
}

/**
 * An attribute of levels, a column each but for the reference: columns are named by attribute and level, "seats 7". Dummies
 * measure from the reference, effects from the mean of the levels.
 * @param levels Names, or amounts in rising order.
 * @throws RangeError if there are fewer than two levels, one comes twice, or the reference is none of them.
 */
export function categoricalAttribute(
  attribute: string,
  levels: readonly (string | number)[],
  options: { readonly coding?: "dummy" | "effects"; readonly reference?: string | number } = {},
): AttributeLevels {
  const { coding = "dummy", reference = levels[0] } = options;
  if (levels.length < 2 || new Set(levels.map(String)).size < levels.length) {
    throw new RangeError(
      `levels of ${attribute} must be at least two different ones, got ${levels.join(", ")}`,
    );
  }
  const others = levels.filter((level) => level !== reference);
  if (others.length === levels.length)
    throw new RangeError(
      `reference of ${attribute} must be one of ${levels.join(", ")}, got ${describe(reference)}`,
    );
  const column = (level: string | number): string => `${attribute} ${level}`;
  const minusAll = Object.fromEntries(others.map((level) => [column(level), -1]));
  const referenceCode = coding === "effects" ? minusAll : {};
  return Object.freeze({
    attribute,
    levels: levels.map((level) => ({
      level: String(level),
      code: level === reference ? referenceCode : { [column(level)]: 1 },
      ...(typeof level === "number" ? { value: level } : {}),
    })),
  });
}

/**
 * An attribute of amounts with one coefficient for a unit: one column, named as the attribute.
 * @throws RangeError if there are fewer than two amounts, or they do not rise.
 */
export function linearAttribute(attribute: string, values: readonly number[]): AttributeLevels {
  const rises = values.every((value, place) => place === 0 || value > (values[place - 1] as number));
  if (values.length < 2 || !rises || !values.every(Number.isFinite)) {
    throw new RangeError(`values of ${attribute} must be at least two that rise, got ${values.join(", ")}`);
  }
  return Object.freeze({
    attribute,
    levels: values.map((value) => ({ level: String(value), code: { [attribute]: value }, value })),
  });
}

/**
 * The same coefficients for everybody, as if all respondents were one, with draws from their normal distribution: the
 * part-worths of a pooled model.
 * `options.draws`: Simulated coefficients; 1,000 unless given.
 * @throws RangeError if draws is not a whole number from 1 up; DataError if the covariance is not positive definite.
 */
export function pooledPartWorths(
  { coefficients, covariance }: UtilityCoefficients,
  { random, draws = 1000 }: { readonly random: Random; readonly draws?: number },
): PartWorths & { readonly draws: Float64Array } {
  requireWhole("draws", draws, 1);
  const names = Object.keys(coefficients);
  const values = Float64Array.from(Object.values(coefficients));
  const factor = choleskyFactor(covariance);
  if (!factor) throw new DataError("covariance of the coefficients must be positive definite, but it is not");
  const drawn = new Float64Array(draws * names.length);
  for (let draw = 0; draw < draws; draw++) {
    const noise = factor.map(() => drawNormal(random));
    for (const [i, row] of factor.entries())
      drawn[draw * names.length + i] =
        (values[i] as number) + noise.reduce((sum, z, j) => sum + (row[j] as number) * z, 0);
  }
  return Object.freeze({ names, respondents: ["all"], values: [values], draws: drawn });
}

/** Utilities of the levels of all attributes for every respondent. */
export interface LevelUtilities {
  /** The attributes and their levels. */
  readonly attributes: readonly { readonly attribute: string; readonly levels: readonly string[] }[];
  /** Labels of the respondents. */
  readonly respondents: readonly unknown[];
  /** One row a respondent: the utilities of the levels, attribute after attribute. */
  readonly values: readonly Float64Array[];
}

/**
 * Utility of every level for every respondent: the coefficients times the code of the level.
 * @throws DataError if the part-worths lack a column of an attribute, or there are no attributes.
 */
export function levelUtilities(
  { names, respondents, values }: Pick<PartWorths, "names" | "respondents" | "values">,
  attributes: readonly AttributeLevels[],
): LevelUtilities {
  if (attributes.length === 0) throw new DataError("attributes must be at least one, got none");
  const codes = attributes.flatMap(({ attribute, levels }) =>
    levels.map(({ code }) => codeRow(names, code, `attribute ${attribute}`)),
  );
  return Object.freeze({
    attributes: attributes.map(({ attribute, levels }) => ({
      attribute,
      levels: levels.map(({ level }) => level),
    })),
    respondents,
    values: values.map((row) => Float64Array.from(codes, (code) => innerProduct(code, row))),
  });
}

/**
 * A code as one number for each coefficient.
 * @throws DataError if it has a column that is no coefficient, or a value that is no finite number.
 */
export function codeRow(
  names: readonly string[],
  code: Readonly<Record<string, number>>,
  place: string,
): Float64Array {
  const row = new Float64Array(names.length);
  for (const [column, value] of Object.entries(code)) {
    const at = names.indexOf(column);
    if (at === -1) {
      throw new DataError(
        `${place}: column ${describe(column)} must be one of the part-worths, got ${names.join(", ")}`,
      );
    }
    if (!Number.isFinite(value))
      throw new DataError(`${place}: ${column} must be a finite number, got ${describe(value)}`);
    row[at] = value;
  }
  return row;
}

const innerProduct = (a: Float64Array, b: ArrayLike<number>): number =>
  a.reduce((sum, value, j) => sum + value * (b[j] as number), 0);

/** Calls `visit` with the first level and the level after the last one of each attribute. */
function eachAttribute(
  { attributes }: Pick<LevelUtilities, "attributes">,
  visit: (from: number, to: number, attribute: number) => void,
): void {
  let from = 0;
  for (const [place, { levels }] of attributes.entries()) {
    visit(from, from + levels.length, place);
    from += levels.length;
  }
}

/** Best less worst utility of each attribute. */
function rangesOf(utilities: Pick<LevelUtilities, "attributes">, row: Float64Array): Float64Array {
  const ranges = new Float64Array(utilities.attributes.length);
  eachAttribute(utilities, (from, to, attribute) => {
    const own = row.subarray(from, to);
    ranges[attribute] = Math.max(...own) - Math.min(...own);
  });
  return ranges;
}

/** @throws DataError naming the respondent if all ranges are 0. */
function sumOfRanges(ranges: Float64Array, respondent: unknown): number {
  const sum = ranges.reduce((before, range) => before + range, 0);
  if (sum > 0) return sum;
  throw new DataError(
    `respondent ${describe(respondent)} must like some level more than another, but all utilities are equal`,
  );
}

/**
 * Zero-centred differences, which make respondents comparable: within each attribute the utilities have mean 0, and the
 * ranges of the attributes have mean 100 for every respondent, so that nobody counts more for answering more surely.
 * @throws DataError naming a respondent whose utilities are all equal.
 * @see Orme (2010), Getting Started with Conjoint Analysis, 2nd ed., chapter 9.
 */
export function zeroCentredDifferences(utilities: LevelUtilities): LevelUtilities {
  const { attributes, respondents, values } = utilities;
  return Object.freeze({
    attributes,
    respondents,
    values: values.map((row, who) => {
      const scale = (100 * attributes.length) / sumOfRanges(rangesOf(utilities, row), respondents[who]);
      const result = new Float64Array(row.length);
      eachAttribute(utilities, (from, to) => {
        const mean = row.subarray(from, to).reduce((sum, utility) => sum + utility, 0) / (to - from);
        for (let level = from; level < to; level++) result[level] = scale * ((row[level] as number) - mean);
      });
      return result;
    }),
  });
}

/** How sure the importance of attributes is. */
export interface AttributeImportance {
  /** Coverage of the limits. */
  readonly level: number;
  /** One element an attribute, in their order. */
  readonly attributes: readonly {
    readonly attribute: string;
    /** Share of the sum of ranges, averaged over respondents; the attributes add up to 1. */
    readonly importance: number;
    readonly standardError: number;
    readonly low: number;
    readonly high: number;
    /** The same share from the mean utilities, where opposite tastes cancel. */
    readonly ofMeanUtilities: number;
  }[];
  /** Importance of the attributes for each respondent: one row each. */
  readonly individual: readonly Float64Array[];
  /** What makes the numbers doubtful. */
  readonly warnings: readonly string[];
}

/** How respondents count and are drawn again. */
export interface ResamplingOptions {
  /** Seeded source of random numbers. */
  readonly random: Random;
  /** How much each respondent counts, from 0 up; 1 unless given. */
  readonly weights?: ArrayLike<number>;
  /** Coverage of the limits; 0.9 unless given. */
  readonly level?: number;
  /** Resamples of the respondents; 1,000 unless given. */
  readonly resamples?: number;
}

const CANCELLED = 0.05; // difference of shares from which the mean utilities are called misleading

/**
 * Importance of attributes: the range of an attribute's utilities over the sum of all ranges, for each respondent, then
 * averaged. It depends on the levels that were shown: an attribute with a wider range of levels is more important. Limits by
 * bootstrap of the respondents.
 * @throws DataError if there are fewer than two respondents (see `pooledImportance`), the utilities of one are all equal,
 * or weights are bad; RangeError if level or resamples are out of range.
 * @see Orme (2010), Getting Started with Conjoint Analysis, 2nd ed., chapter 9: individual, then averaged.
 */
export function attributeImportance(
  utilities: LevelUtilities,
  options: ResamplingOptions,
): AttributeImportance {
  const { attributes, respondents, values } = utilities;
  const { level = 0.9 } = options;
  if (values.length < 2) {
    throw new DataError(`importance with limits needs at least two respondents, got ${values.length}`);
  }
  const weights = respondentWeights(options.weights, values.length);
  const individual = values.map((row, who) => sharesOfRanges(utilities, row, respondents[who]));
  const { means, samples } = resampledMeans(individual, weights, options);
  const average = weightedMeans(values, weights);
  const ofMean = rangesOf(utilities, average);
  const sum = ofMean.reduce((before, range) => before + range, 0);
  const result = attributes.map(({ attribute }, place) => ({
    attribute,
    importance: means[place] as number,
    ...spreadOf(samples[place] as Float64Array, level),
    ofMeanUtilities: sum > 0 ? (ofMean[place] as number) / sum : 0,
  }));
  const off = result.filter(
    ({ importance, ofMeanUtilities }) => Math.abs(importance - ofMeanUtilities) > CANCELLED,
  );
  return Object.freeze({
    level,
    attributes: result,
    individual,
    warnings: off.map(
      ({ attribute, importance, ofMeanUtilities }) =>
        `mean utilities would give ${attribute} ${percentOf(ofMeanUtilities)} instead of ${percentOf(importance)}: tastes differ, so read the importance of individuals`,
    ),
  });
}

const percentOf = (share: number): string => `${(100 * share).toFixed(0)}%`;

function sharesOfRanges(utilities: LevelUtilities, row: Float64Array, respondent: unknown): Float64Array {
  const ranges = rangesOf(utilities, row);
  const sum = sumOfRanges(ranges, respondent);
  return ranges.map((range) => range / sum);
}

/**
 * Importance of attributes from one set of coefficients for all, with limits from their normal distribution. It is always
 * warned of: where some like a level and others dislike it, the attribute looks unimportant.
 * @throws as `pooledPartWorths` and `levelUtilities`.
 */
export function pooledImportance(
  fit: UtilityCoefficients,
  attributes: readonly AttributeLevels[],
  options: { readonly random: Random; readonly draws?: number; readonly level?: number },
): AttributeImportance {
  const { level = 0.9 } = options;
  const { names, respondents, values, draws } = pooledPartWorths(fit, options);
  const p = names.length;
  const drawn = Array.from({ length: draws.length / p }, (_, draw) =>
    draws.subarray(draw * p, (draw + 1) * p),
  );
  const utilities = levelUtilities({ names, respondents, values: [...values, ...drawn] }, attributes);
  const [own = new Float64Array(), ...others] = utilities.values.map((row) =>
    sharesOfRanges(utilities, row, "all"),
  );
  return Object.freeze({
    level,
    attributes: attributes.map(({ attribute }, place) => ({
      attribute,
      importance: own[place] as number,
      ...spreadOf(
        Float64Array.from(others, (shares) => shares[place] as number),
        level,
      ),
      ofMeanUtilities: own[place] as number,
    })),
    individual: [own],
    warnings: [
      "importance from pooled part-worths: opposite tastes cancel, so it may describe nobody; estimate individual part-worths",
    ],
  });
}

/** The utility of a level with its uncertainty. */
export interface LevelSummary {
  readonly attribute: string;
  readonly level: string;
  /** Mean over respondents, or the pooled estimate. */
  readonly utility: number;
  readonly standardError: number;
  readonly low: number;
  readonly high: number;
  /** Standard deviation over respondents, where there are several. */
  readonly spread?: number;
}

/**
 * Mean utility of every level over respondents with normal limits.
 * @throws DataError if there are fewer than two respondents (see `pooledLevels`) or weights are bad; RangeError if level is
 * not between 0 and 1.
 */
export function summariseLevels(
  { attributes, values }: LevelUtilities,
  { weights: given, level = 0.95 }: { readonly weights?: ArrayLike<number>; readonly level?: number } = {},
): readonly LevelSummary[] {
  const n = values.length;
  if (n < 2) throw new DataError(`a mean with limits needs at least two respondents, got ${n}`);
  const z = normalLimit(level);
  const weights = respondentWeights(given, n);
  const sum = weights.reduce((before, weight) => before + weight, 0);
  const means = weightedMeans(values, weights);
  const names = attributes.flatMap(({ attribute, levels }) => levels.map((name) => [attribute, name]));
  return names.map(([attribute, name], place) => {
    const utility = means[place] as number;
    let [squares, weightedSquares] = [0, 0];
    for (const [who, row] of values.entries()) {
      const square = ((row[place] as number) - utility) ** 2;
      squares += (weights[who] as number) * square;
      weightedSquares += (weights[who] as number) ** 2 * square;
    }
    const standardError = Math.sqrt((weightedSquares * n) / (n - 1)) / sum;
    return Object.freeze({
      attribute: attribute as string,
      level: name as string,
      utility,
      ...limits(utility, standardError, z),
      spread: Math.sqrt((squares / sum) * (n / (n - 1))),
    });
  });
}

/**
 * Utility of every level from one set of coefficients for all, with errors from their covariance.
 * @throws DataError if the coefficients lack a column of an attribute; RangeError if level is not between 0 and 1.
 */
export function pooledLevels(
  { coefficients, covariance }: UtilityCoefficients,
  attributes: readonly AttributeLevels[],
  { level = 0.95 }: { readonly level?: number } = {},
): readonly LevelSummary[] {
  const z = normalLimit(level);
  const names = Object.keys(coefficients);
  const estimates = Object.values(coefficients);
  return attributes.flatMap(({ attribute, levels }) =>
    levels.map(({ level: name, code }) => {
      const row = codeRow(names, code, `attribute ${attribute}`);
      const variance = row.reduce(
        (sum, value, i) => (value === 0 ? sum : sum + value * innerProduct(row, covariance[i] as number[])),
        0,
      );
      const utility = innerProduct(row, estimates);
      return Object.freeze({ attribute, level: name, utility, ...limits(utility, Math.sqrt(variance), z) });
    }),
  );
}

const limits = (
  utility: number,
  standardError: number,
  z: number,
): Pick<LevelSummary, "standardError" | "low" | "high"> => ({
  standardError,
  low: utility - z * standardError,
  high: utility + z * standardError,
});

function normalLimit(level: number): number {
  requireLevel(level);
  return normalQuantile((1 + level) / 2);
}

/**
 * Weights of respondents, 1 each if none are given.
 * @param name What they are called in messages.
 * @throws DataError if they are not one number from 0 up for each respondent, or all are 0.
 */
export function respondentWeights(
  weights: ArrayLike<number> | undefined,
  respondents: number,
  name = "weights",
): Float64Array {
  if (!weights) return new Float64Array(respondents).fill(1);
  if (weights.length !== respondents)
    throw new DataError(
      `${name} must be one for each of the ${respondents} respondents, got ${weights.length}`,
    );
  const checked = Float64Array.from(weights);
  const bad = checked.findIndex((weight) => !(weight >= 0 && Number.isFinite(weight)));
  if (bad !== -1)
    throw new DataError(
      `${name}: number ${bad + 1} must be a number from 0 up, got ${describe(weights[bad])}`,
    );
  if (!checked.some((weight) => weight > 0)) throw new DataError(`${name} must not all be 0`);
  return checked;
}

/** Weighted mean of each column. */
export function weightedMeans(rows: readonly Float64Array[], weights: ArrayLike<number>): Float64Array {
  const means = new Float64Array(rows[0]?.length ?? 0);
  let sum = 0;
  for (const [who, row] of rows.entries()) {
    const weight = weights[who] as number;
    sum += weight;
    for (let j = 0; j < row.length; j++) means[j] = (means[j] as number) + weight * (row[j] as number);
  }
  return means.map((mean) => mean / sum);
}

/**
 * Weighted means over respondents, and the same over respondents drawn with replacement: `samples` has a row for each
 * column, a value for each resample. The respondents drawn depend on the seed alone, so that two quantities resampled from
 * one source can be compared resample by resample.
 * @throws RangeError if resamples is not a whole number from 100 up.
 */
export function resampledMeans(
  rows: readonly Float64Array[],
  weights: Float64Array,
  { random, resamples = 1000 }: Pick<ResamplingOptions, "random" | "resamples">,
): { readonly means: Float64Array; readonly samples: readonly Float64Array[] } {
  requireWhole("resamples", resamples, 100);
  const means = weightedMeans(rows, weights);
  const samples = Array.from(means, () => new Float64Array(resamples));
  const source = random.stream("respondents");
  for (let resample = 0; resample < resamples; resample++) {
    const again = weightedMeans(rows, resampledWeights(weights, source));
    for (const [column, values] of samples.entries()) values[resample] = again[column] as number;
  }
  return { means, samples };
}

/** Weights of one bootstrap sample: how often a respondent is drawn times the weight; never all 0. */
export function resampledWeights(weights: Float64Array, random: Random): Float64Array {
  const n = weights.length;
  for (;;) {
    const drawn = new Float64Array(n);
    for (let draw = 0; draw < n; draw++) {
      const who = Math.floor(random.uniform() * n);
      drawn[who] = (drawn[who] as number) + (weights[who] as number);
    }
    if (drawn.some((weight) => weight > 0)) return drawn;
  }
}

/**
 * Standard deviation of resampled estimates and the quantiles that cover `level` of them.
 * @throws RangeError if level is not between 0 and 1.
 */
export function spreadOf(
  samples: Float64Array,
  level: number,
): { readonly standardError: number; readonly low: number; readonly high: number } {
  requireLevel(level);
  const mean = samples.reduce((sum, value) => sum + value, 0) / samples.length;
  const squares = samples.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    standardError: Math.sqrt(squares / Math.max(1, samples.length - 1)),
    low: quantileOf(samples, (1 - level) / 2),
    high: quantileOf(samples, (1 + level) / 2),
  };
}
