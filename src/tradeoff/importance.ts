import { DataError } from "../core/errors.js";
import type { Random } from "../numeric/random.js";
import type { UtilityCoefficients } from "./conditional-logit.js";
import {
  type AttributeLevels,
  drawsOf,
  EVERYBODY,
  eachDraw,
  type LevelUtilities,
  levelUtilities,
  type PartWorths,
  pooledPartWorths,
  type ResamplingOptions,
  rangesOf,
  resampledMeans,
  resampledWeights,
  respondentWeights,
  spreadOf,
  sumOfRanges,
  weightedMeans,
} from "./part-worths.js";

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

const FEW_DRAWS = 100; // as few as resamples may be
const CANCELLED = 0.05; // difference of shares from which the mean utilities are called misleading

/**
 * Importance of attributes: the range of an attribute's utilities over the sum of all ranges, for each respondent, then
 * averaged. It depends on the levels that were shown: an attribute with a wider range of levels is more important. Limits by
 * bootstrap of the respondents, as if their utilities were known: where a model gives draws of them, `posteriorImportance`
 * knows that they are not.
 * @throws DataError if there are fewer than two respondents (see `pooledImportance`), the utilities of one are all equal,
 * or weights are bad; RangeError if level or resamples are out of range.
 * @see Orme (2010), Getting Started with Conjoint Analysis, 2nd ed., chapter 9: individual, then averaged.
 */
export function attributeImportance(
  utilities: LevelUtilities,
  options: ResamplingOptions,
): AttributeImportance {
  const weights = severalRespondents(utilities, options);
  const individual = utilities.values.map((row, who) =>
    sharesOfRanges(utilities, row, utilities.respondents[who]),
  );
  const { samples } = resampledMeans(individual, weights, options);
  return importanceOf(utilities, weights, { individual, samples, level: options.level });
}

/**
 * The same from draws of the individual part-worths, which know how unsure these are. Point estimates are drawn together
 * towards the mean, and ranges of noise are never negative, so that importance from them is neither unbiased nor surely within
 * their limits; here every draw gives an importance, with respondents drawn again, and the limits are the quantiles of all.
 * Ranges of levels (and `ofMeanUtilities`) are those of `attributeImportance`.
 * @throws DataError if there are no draws, fewer than two respondents, or weights are bad; RangeError if level is out of
 * range.
 */
export function posteriorImportance(
  partWorths: PartWorths,
  attributes: readonly AttributeLevels[],
  options: Omit<ResamplingOptions, "resamples">,
): AttributeImportance {
  const utilities = levelUtilities(partWorths, attributes);
  const weights = severalRespondents(utilities, options);
  const { count } = drawsOf(partWorths);
  const individual = utilities.values.map(() => new Float64Array(attributes.length));
  const samples = attributes.map(() => new Float64Array(count));
  const source = options.random.stream("respondents");
  eachDraw(partWorths, attributes, (drawn, draw) => {
    const shares = drawn.values.map((row, who) => sharesOfRanges(drawn, row, drawn.respondents[who]));
    for (const [who, own] of individual.entries())
      for (const [k, share] of (shares[who] as Float64Array).entries())
        own[k] = (own[k] as number) + share / count;
    const again = weightedMeans(shares, resampledWeights(weights, source));
    for (const [k, sample] of samples.entries()) sample[draw] = again[k] as number;
  });
  const result = importanceOf(utilities, weights, { individual, samples, level: options.level });
  if (count >= FEW_DRAWS) return result;
  const few = `limits are of ${count} draws only: have ${FEW_DRAWS} or more kept`;
  return Object.freeze({ ...result, warnings: [...result.warnings, few] });
}

function severalRespondents({ values }: LevelUtilities, { weights }: ResamplingOptions): Float64Array {
  if (values.length < 2)
    throw new DataError(`importance with limits needs at least two respondents, got ${values.length}`);
  return respondentWeights(weights, values.length);
}

/** Means of individual importance, with limits from samples of them: a row for each attribute. */
function importanceOf(
  utilities: LevelUtilities,
  weights: Float64Array,
  {
    individual,
    samples,
    level = 0.9,
  }: {
    readonly individual: readonly Float64Array[];
    readonly samples: readonly Float64Array[];
    readonly level?: number | undefined;
  },
): AttributeImportance {
  const means = weightedMeans(individual, weights);
  const ofMean = rangesOf(utilities, weightedMeans(utilities.values, weights));
  const sum = ofMean.reduce((before, range) => before + range, 0);
  const result = utilities.attributes.map(({ attribute }, place) => ({
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
  const shares = rangesOf(utilities, row);
  const sum = sumOfRanges(shares, respondent);
  for (let k = 0; k < shares.length; k++) shares[k] = (shares[k] as number) / sum;
  return shares;
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
  const { names, values, draws } = pooledPartWorths(fit, options);
  const p = names.length;
  const drawn = Array.from({ length: draws.length / p }, (_, draw) =>
    draws.subarray(draw * p, (draw + 1) * p),
  );
  const rows = [...values, ...drawn];
  const utilities = levelUtilities(
    { names, respondents: rows.map(() => EVERYBODY), values: rows },
    attributes,
  );
  const [own = new Float64Array(), ...others] = utilities.values.map((row) =>
    sharesOfRanges(utilities, row, EVERYBODY),
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
