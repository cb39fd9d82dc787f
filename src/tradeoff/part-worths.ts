import { requireLevel, requireOneOf, requireWhole } from "../core/arguments.js";
import { DataError } from "../core/errors.js";
import { describe } from "../core/table.js";
import { choleskyFactor, dot } from "../numeric/matrix.js";
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
 * @throws RangeError if there are fewer than two levels, one comes twice, the reference is none of them, or the coding is unknown.
 */
export function categoricalAttribute(
  attribute: string,
  levels: readonly (string | number)[],
  options: { readonly coding?: "dummy" | "effects"; readonly reference?: string | number } = {},
): AttributeLevels {
  const { coding = "dummy", reference = levels[0] } = options;
  requireOneOf("coding", coding, ["dummy", "effects"]);
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

/** Code of an amount, in a straight line between the levels beside it; none beyond the first and last level. */
export function codeBetween({ levels }: AttributeLevels, amount: number): AttributeLevel["code"] | undefined {
  const next = levels.findIndex(({ value }) => (value as number) >= amount);
  const [low, high] = [levels[next - 1], levels[next]];
  if (high?.value === amount) return high.code;
  if (!low || !high) return undefined;
  const weight = (amount - (low.value as number)) / ((high.value as number) - (low.value as number));
  const columns = new Set([...Object.keys(low.code), ...Object.keys(high.code)]);
  return Object.fromEntries(
    [...columns].map((column) => [
      column,
      (1 - weight) * (low.code[column] ?? 0) + weight * (high.code[column] ?? 0),
    ]),
  );
}

/** Label of the one respondent that stands for all. */
export const EVERYBODY = "all";

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
  return Object.freeze({ names, respondents: [EVERYBODY], values: [values], draws: drawn });
}

/**
 * Checks that part-worths are one finite number for each name and respondent.
 * @throws DataError naming a name that comes twice, or the respondent whose numbers are missing or bad.
 */
export function requirePartWorths({
  names,
  respondents,
  values,
}: Pick<PartWorths, "names" | "respondents" | "values">): void {
  const twice = names.find((name, place) => names.indexOf(name) < place);
  if (twice !== undefined)
    throw new DataError(`part-worths must have different names, got ${describe(twice)} twice`);
  if (values.length !== respondents.length)
    throw new DataError(
      `part-worths must have one row for each of the ${respondents.length} respondents, got ${values.length}`,
    );
  for (const [who, row] of values.entries()) {
    if (row.length !== names.length)
      throw new DataError(
        `part-worths of respondent ${describe(respondents[who])} must be one for each of the ${names.length} names, got ${row.length}`,
      );
    const bad = row.findIndex((value) => !Number.isFinite(value));
    if (bad !== -1)
      throw new DataError(
        `part-worth ${names[bad]} of respondent ${describe(respondents[who])} must be a finite number, got ${describe(row[bad])}`,
      );
  }
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
 * @throws DataError if a part-worth is missing or no finite number, they lack a column of an attribute, there are no
 * attributes, or one comes twice.
 */
export function levelUtilities(
  partWorths: Pick<PartWorths, "names" | "respondents" | "values">,
  attributes: readonly AttributeLevels[],
): LevelUtilities {
  requirePartWorths(partWorths);
  const { names, respondents, values } = partWorths;
  const codes = levelCodes(names, attributes);
  return Object.freeze({
    attributes: levelNames(attributes),
    respondents,
    values: values.map((row) => Float64Array.from(codes, (code) => dot(code, row))),
  });
}

const levelNames = (attributes: readonly AttributeLevels[]): LevelUtilities["attributes"] =>
  attributes.map(({ attribute, levels }) => ({ attribute, levels: levels.map(({ level }) => level) }));

/** Codes of all levels, a number for each coefficient. */
function levelCodes(names: readonly string[], attributes: readonly AttributeLevels[]): Float64Array[] {
  if (attributes.length === 0) throw new DataError("attributes must be at least one, got none");
  const all = attributes.map(({ attribute }) => attribute);
  const twice = all.find((name, place) => all.indexOf(name) < place);
  if (twice !== undefined)
    throw new DataError(`attributes must have different names, got ${describe(twice)} twice`);
  return attributes.flatMap(({ attribute, levels }) =>
    levels.map(({ code }) => codeRow(names, code, `attribute ${attribute}`)),
  );
}

/**
 * The draws of the part-worths, and how many of each they are.
 * @throws DataError if there are none, they are not of every respondent and part-worth, or one is no finite number.
 */
export function drawsOf({ names, respondents, draws }: PartWorths): {
  readonly draws: NonNullable<PartWorths["draws"]>;
  readonly count: number;
} {
  if (!draws)
    throw new DataError(
      "part-worths must have draws, as those of hierarchical Bayes, got point estimates only",
    );
  const [n, p] = [respondents.length, names.length];
  if (draws.length === 0 || draws.length % (n * p) !== 0)
    throw new DataError(
      `draws must be a multiple of ${n} respondents x ${p} part-worths, got ${draws.length}`,
    );
  for (let at = 0; at < draws.length; at++) {
    if (Number.isFinite(draws[at])) continue;
    const who = Math.floor(at / p) % n;
    throw new DataError(
      `draw ${Math.floor(at / (n * p)) + 1} of part-worth ${names[at % p]} of respondent ${describe(respondents[who])} must be a finite number, got ${describe(draws[at])}`,
    );
  }
  return { draws, count: draws.length / (n * p) };
}

/**
 * Calls `visit` with the utilities of all levels in every draw of the part-worths.
 * @throws as `drawsOf` and `levelUtilities`.
 */
export function eachDraw(
  partWorths: PartWorths,
  attributes: readonly AttributeLevels[],
  visit: (drawn: LevelUtilities, draw: number) => void,
): void {
  requirePartWorths(partWorths);
  const { names, respondents } = partWorths;
  const { draws, count } = drawsOf(partWorths);
  const codes = levelCodes(names, attributes);
  const frame = { attributes: levelNames(attributes), respondents };
  const p = names.length;
  for (let draw = 0; draw < count; draw++) {
    const values = respondents.map((_, who) => {
      const start = (draw * respondents.length + who) * p;
      const row = new Float64Array(codes.length);
      for (const [k, code] of codes.entries()) {
        let utility = 0;
        for (let j = 0; j < p; j++) utility += (code[j] as number) * (draws[start + j] as number);
        row[k] = utility;
      }
      return row;
    });
    visit({ ...frame, values }, draw);
  }
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

/** Best less worst utility of each attribute. */
export function rangesOf(
  { attributes }: Pick<LevelUtilities, "attributes">,
  row: Float64Array,
): Float64Array {
  const ranges = new Float64Array(attributes.length);
  let at = 0;
  for (const [attribute, { levels }] of attributes.entries()) {
    let [low, high] = [row[at] as number, row[at] as number];
    for (const end = at + levels.length; at < end; at++) {
      const utility = row[at] as number;
      if (utility < low) low = utility;
      if (utility > high) high = utility;
    }
    ranges[attribute] = high - low;
  }
  return ranges;
}

/** @throws DataError naming the respondent if all ranges are 0. */
export function sumOfRanges(ranges: Float64Array, respondent: unknown): number {
  let sum = 0;
  for (const range of ranges) sum += range;
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
      let from = 0;
      for (const { levels } of attributes) {
        const own = row.subarray(from, from + levels.length);
        const mean = own.reduce((sum, utility) => sum + utility, 0) / own.length;
        result.set(
          own.map((utility) => scale * (utility - mean)),
          from,
        );
        from += levels.length;
      }
      return result;
    }),
  });
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
 * Mean utility of every level over respondents with normal limits, as if their utilities were known: where a model gives
 * draws of them, see `posteriorLevels`.
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
 * Mean utility of every level over respondents from draws of their part-worths, respondents being drawn again with each: its
 * limits know how unsure part-worths are, which those of `summariseLevels` do not, and `spread` is that of the tastes, not of
 * estimates drawn together towards the mean.
 * `options.zeroCentred`: Make the respondents of each draw comparable first (see `zeroCentredDifferences`).
 * @throws DataError if there are no draws, or weights are bad; RangeError if level is not between 0 and 1.
 */
export function posteriorLevels(
  partWorths: PartWorths,
  attributes: readonly AttributeLevels[],
  options: Omit<ResamplingOptions, "resamples"> & { readonly zeroCentred?: boolean },
): readonly LevelSummary[] {
  const { random, level = 0.95, zeroCentred = false } = options;
  const { count } = drawsOf(partWorths);
  const weights = respondentWeights(options.weights, partWorths.respondents.length);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const source = random.stream("respondents");
  const names = attributes.flatMap(({ attribute, levels }) =>
    levels.map((one) => ({ attribute, level: one.level })),
  );
  const samples = names.map(() => new Float64Array(count));
  const [utility, variance] = [new Float64Array(names.length), new Float64Array(names.length)];
  eachDraw(partWorths, attributes, (drawn, draw) => {
    const { values } = zeroCentred ? zeroCentredDifferences(drawn) : drawn;
    const means = weightedMeans(values, weights);
    const again = weightedMeans(values, resampledWeights(weights, source));
    for (const [k, sample] of samples.entries()) {
      const mean = means[k] as number;
      const squares = values.reduce(
        (sum, row, who) => sum + (weights[who] as number) * ((row[k] as number) - mean) ** 2,
        0,
      );
      sample[draw] = again[k] as number;
      utility[k] = (utility[k] as number) + mean / count;
      variance[k] = (variance[k] as number) + squares / total / count;
    }
  });
  return names.map((name, k) =>
    Object.freeze({
      ...name,
      utility: utility[k] as number,
      ...spreadOf(samples[k] as Float64Array, level),
      spread: Math.sqrt(variance[k] as number),
    }),
  );
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
        (sum, value, i) => (value === 0 ? sum : sum + value * dot(row, covariance[i] as number[])),
        0,
      );
      const utility = dot(row, estimates);
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
  const checked = Float64Array.from(weights, (weight: unknown, place) => {
    if (typeof weight === "number" && weight >= 0 && Number.isFinite(weight)) return weight;
    throw new DataError(`${name}: number ${place + 1} must be a number from 0 up, got ${describe(weight)}`);
  });
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
