import { requireFromZero, requireOneOf, requireWhole } from "../core/arguments.js";
import { DataError } from "../core/errors.js";
import { describe } from "../core/table.js";
import type { Random } from "../numeric/random.js";
import { columnsOf } from "./attributes.js";
import { type Alternatives, alternativesOf, hasAttribute, type Market } from "./market.js";
import {
  type AttributeLevels,
  codeRow,
  drawsOf,
  type PartWorths,
  resampledMeans,
  resampledWeights,
  respondentWeights,
  spreadOf,
  weightedMeans,
} from "./part-worths.js";

/**
 * How utilities become purchases.
 *
 * - `first choice`: each respondent buys the product of highest utility; equal ones share.
 * - `share of preference`: logit, in proportion to exp(utility). A copy of a product takes shares from all.
 * - `randomised first choice`: first choices under noise that products of equal levels share, so that copies divide one share.
 *   Of an attribute that only some products have, the others have no noise, but more of that of their own attributes: all
 *   products have equal noise, and an attribute split in two, each for some products, changes nothing.
 * - `purchase likelihood`: each product alone against none, 1 / (1 + exp(-utility)): shares need not add up to 1.
 * - `Bradley-Terry-Luce`: in proportion to utility itself, for ratings; respondents with a utility below 0 are left out.
 */
export type ChoiceRule =
  | "first choice"
  | "share of preference"
  | "randomised first choice"
  | "purchase likelihood"
  | "Bradley-Terry-Luce";

/** How a market is simulated. */
export interface SimulationOptions {
  /** "share of preference" unless given. */
  readonly rule?: ChoiceRule;
  /** Factor of all utilities from 0 up (power of them for Bradley-Terry-Luce); 1 unless given. See `tuneExponent`. */
  readonly exponent?: number;
  /** How much each respondent counts, from 0 up; 1 unless given. */
  readonly weights?: ArrayLike<number>;
  /** Name of the part-worth of buying none: buying nothing is then one alternative more. */
  readonly none?: string;
  /** Utility that alternatives have beside their levels, by name ("none" for none); 0 unless named. See `calibrateConstants`. */
  readonly constants?: Readonly<Record<string, number>>;
  /**
   * "point estimates" unless given. From "draws", shares are means over the draws, with limits from them. Limits from draws
   * alone hold for these respondents; with `random` also for others like them.
   */
  readonly from?: "point estimates" | "draws";
  /** Draws respondents anew for limits, and noise for randomised first choice. The same source gives the same noise. */
  readonly random?: Random;
  /** Coverage of the limits; 0.9 unless given. */
  readonly level?: number;
  /** Resamples of the respondents where point estimates are simulated; 1,000 unless given. */
  readonly resamples?: number;
  /**
   * All attributes. Needed for randomised first choice: which products share levels; and wherever a product changes in an
   * attribute that only some products have, or that others depend on.
   */
  readonly levels?: readonly AttributeLevels[];
  /**
   * Randomised first choice: standard deviation of the noise of each attribute, in that of the logit's own noise (pi / sqrt 6).
   * 1 / sqrt(attributes) unless given: products without a level in common then differ by as much noise as in the logit. A
   * product with k of n attributes has sqrt(n / k) times as much in each.
   */
  readonly attributeNoise?: number;
  /** Randomised first choice: the same of the noise of each product alone; 0 unless given. */
  readonly productNoise?: number;
  /** Randomised first choice: first choices a respondent makes; 200 unless given, 1 for each draw. */
  readonly noiseDraws?: number;
}

/** Share of one alternative. */
export interface MarketShare {
  /** Name of the product, or "none". */
  readonly product: string;
  /** Share of purchases; purchase likelihood under that rule. */
  readonly share: number;
  readonly standardError?: number;
  readonly low?: number;
  readonly high?: number;
}

/** Shares of a simulated market. */
export interface MarketSimulation {
  readonly rule: ChoiceRule;
  readonly exponent: number;
  /** Shares in the order of the products, none last. */
  readonly shares: readonly MarketShare[];
  /** Coverage of the limits, where there are any. */
  readonly level?: number;
  /** Share of each alternative for each respondent: one row a respondent. */
  readonly individual: readonly Float64Array[];
  /** Resampled shares behind the limits: one row an alternative. */
  readonly samples?: readonly Float64Array[];
  /** Part of the purchases that no product reaches, for want of awareness and distribution. */
  readonly unserved: number;
  /** What makes the shares doubtful. */
  readonly warnings: readonly string[];
}

/**
 * Shares that products would have if the respondents were the market. With awareness or distribution below 1, a buyer meets
 * a random set of the products, and shares are expected over these sets; nothing of what a hidden product loses is invented.
 * @throws DataError if names repeat, a part-worth has no column, a value is bad, or no respondent can be simulated;
 * RangeError if an option is out of range or misses another.
 * @see Huber, Orme & Miller (1999), Dealing with Product Similarity in Conjoint Simulations; Orme & Huber (2000), Improving
 * the Value of Conjoint Simulations, Marketing Research 12(4); Orme (2010), Getting Started with Conjoint Analysis, chapter
 * 10.
 */
export function simulateMarket(
  partWorths: PartWorths,
  market: Market,
  options: SimulationOptions = {},
): MarketSimulation {
  const { rule = "share of preference", exponent = 1, from = "point estimates", level = 0.9 } = options;
  requireFromZero({ exponent });
  requireOneOf("from", from, SOURCES);
  const { values, respondents } = partWorths;
  const alternatives = alternativesOf(partWorths, market, options.none);
  const constants = constantsOf(alternatives.products, options.constants);
  const shown = rule === "purchase likelihood" ? market.products : alternatives.products;
  const weights = respondentWeights(options.weights, respondents.length);
  const makeKernel = (noiseDraws: number): ShareKernel =>
    shareKernel(rule, exponent, alternatives, partWorths.names, { noiseDraws, ...options });
  const sample: Sample = { ...options, size: shown.length, weights, ownUtilities: constants };
  const simulated =
    from === "draws"
      ? fromDraws(partWorths, alternatives.codes, makeKernel(1), sample)
      : fromPoints(values, alternatives.codes, makeKernel(200), sample);
  const { individual, means, samples, leftOut } = simulated;
  const unreached = alternatives.reach.reduce((missed, reach) => missed * (1 - reach), 1);
  return Object.freeze({
    rule,
    exponent,
    shares: shown.map((product, j) => ({
      product,
      share: means[j] as number,
      ...(samples ? spreadOf(samples[j] as Float64Array, level) : {}),
    })),
    ...(samples ? { level, samples } : {}),
    individual,
    unserved: rule === "purchase likelihood" ? 0 : unreached,
    warnings:
      leftOut === 0
        ? []
        : [
            `Bradley-Terry-Luce has no meaning for utilities below 0: ${leftOut} of ${respondents.length} respondents ${from === "draws" ? "left out in some draw" : "left out"}`,
          ],
  });
}

const SOURCES = ["point estimates", "draws"]; // of the part-worths

/**
 * Constant of every alternative, in their order.
 * @throws DataError if one is named that there is not, or a constant is no finite number.
 */
function constantsOf(
  products: readonly string[],
  constants: Readonly<Record<string, number>> = {},
): Float64Array {
  for (const [name, constant] of Object.entries(constants)) {
    if (!products.includes(name))
      throw new DataError(`constants must be of ${products.join(", ")}, got ${describe(name)}`);
    if (!Number.isFinite(constant))
      throw new DataError(`constant of ${name} must be a finite number, got ${describe(constant)}`);
  }
  return Float64Array.from(products, (name) => constants[name] ?? 0);
}

/** Turns the utilities of a respondent into shares; false if the rule has none for such utilities. */
type ShareKernel = (utilities: Float64Array, shares: Float64Array) => boolean;

/** What a rule of choice makes of utilities, with awareness and distribution of the alternatives. */
export function shareKernel(
  rule: ChoiceRule,
  exponent: number,
  alternatives: Alternatives,
  names: readonly string[],
  options: SimulationOptions & { readonly noiseDraws: number } = { noiseDraws: 1 },
): ShareKernel {
  const { reach } = alternatives;
  const weights = new Float64Array(reach.length);
  const certain = reach.every((chance) => chance === 1);
  const shareOut = (shares: Float64Array): boolean =>
    certain ? proportional(weights, shares) : expectedProportional(weights, reach, shares);
  switch (rule) {
    case "first choice":
      return certain ? bestOf : (utilities, shares) => expectedBest(utilities, reach, shares);
    case "randomised first choice":
      return randomisedFirstChoice(alternatives, names, exponent, options);
    case "share of preference":
      return (utilities, shares) => {
        const largest = largestOf(utilities);
        for (let j = 0; j < weights.length; j++)
          weights[j] = Math.exp(exponent * ((utilities[j] as number) - largest));
        return shareOut(shares);
      };
    case "Bradley-Terry-Luce":
      return (utilities, shares) => {
        for (let j = 0; j < weights.length; j++) {
          if ((utilities[j] as number) < 0) return false;
          weights[j] = (utilities[j] as number) ** exponent;
        }
        return weights.some((weight) => weight > 0) && shareOut(shares);
      };
    case "purchase likelihood": {
      const none = alternatives.none ? reach.length - 1 : -1;
      return (utilities, shares) => {
        const threshold = none === -1 ? 0 : (utilities[none] as number);
        for (let j = 0; j < shares.length; j++)
          shares[j] =
            (reach[j] as number) / (1 + Math.exp(exponent * (threshold - (utilities[j] as number))));
        return true;
      };
    }
    default:
      throw new RangeError(`rule must be a rule of choice, got ${describe(rule)}`);
  }
}

function largestOf(values: Float64Array): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const value of values) if (value > largest) largest = value;
  return largest;
}

/** Shares in proportion to the weights. */
function proportional(weights: Float64Array, shares: Float64Array): boolean {
  let sum = 0;
  for (const weight of weights) sum += weight;
  for (let j = 0; j < weights.length; j++) shares[j] = (weights[j] as number) / sum;
  return true;
}

const STEP = 0.35; // of the trapezoidal rule on a log scale: error about exp(-2 pi (pi / 2) / step), 1e-12

/**
 * Shares in proportion to the weights of those alternatives that a buyer meets, expected over random sets of them: every
 * alternative is met with its own chance. Waiting times of rates w are a race that each wins in proportion to its rate, so the
 * expectation is an integral over the time t of the win, of reach_j w_j exp(-w_j t) times, for every rival k, the chance
 * 1 - reach_k + reach_k exp(-w_k t) not to have come before.
 */
function expectedProportional(weights: Float64Array, reach: Float64Array, shares: Float64Array): boolean {
  shares.fill(0);
  const met = Array.from(weights.keys()).filter((j) => (weights[j] as number) * (reach[j] as number) > 0);
  if (met.length === 1) {
    const only = met[0] as number;
    shares[only] = reach[only] as number;
    return true;
  }
  const rates = met.map((j) => weights[j] as number);
  const chances = met.map((j) => reach[j] as number);
  const end = Math.log(40 / Math.min(...rates));
  const waiting = new Float64Array(met.length); // chance that each has not come yet, if it is met
  for (let x = Math.log(1e-14 / Math.max(...rates)); x < end; x += STEP) {
    const time = Math.exp(x);
    let nobody = 1;
    for (let k = 0; k < met.length; k++) {
      waiting[k] = Math.exp(-(rates[k] as number) * time);
      nobody *= 1 - (chances[k] as number) * (1 - (waiting[k] as number));
    }
    for (let k = 0; k < met.length; k++) {
      const [chance, wait] = [chances[k] as number, waiting[k] as number];
      const own = 1 - chance * (1 - wait);
      if (own === 0) continue;
      const j = met[k] as number;
      shares[j] = (shares[j] as number) + (STEP * time * chance * (rates[k] as number) * wait * nobody) / own;
    }
  }
  return true;
}

/** The best alternative has all; equally good ones have equal parts. */
function bestOf(utilities: Float64Array, shares: Float64Array): boolean {
  const best = largestOf(utilities);
  let count = 0;
  for (const utility of utilities) if (utility === best) count++;
  for (let j = 0; j < shares.length; j++) shares[j] = utilities[j] === best ? 1 / count : 0;
  return true;
}

/** The best alternative met has all; of equally good ones, those that are met have equal parts. */
function expectedBest(utilities: Float64Array, reach: Float64Array, shares: Float64Array): boolean {
  shares.fill(0);
  const parts = new Float64Array(shares.length);
  let open = 1; // chance that nothing better is met
  for (const level of new Set(Array.from(utilities).sort((a, b) => b - a))) {
    const isLevel = utilities.map((utility) => Number(utility === level));
    expectedProportional(isLevel, reach, parts);
    let missed = 1;
    for (let j = 0; j < shares.length; j++) {
      if (isLevel[j] === 0) continue;
      shares[j] = open * (parts[j] as number);
      missed *= 1 - (reach[j] as number);
    }
    open *= missed;
  }
  return true;
}

const EULER = 0.5772156649015329;

/** Noise of the logit: Gumbel with mean 0. */
const drawGumbel = (random: Random): number => -Math.log(-Math.log(1 - random.uniform())) - EULER;

/** First choices under noise of levels, shared by all products that have them, and noise of products. */
function randomisedFirstChoice(
  alternatives: Alternatives,
  names: readonly string[],
  exponent: number,
  options: SimulationOptions & { readonly noiseDraws: number },
): ShareKernel {
  const { noiseDraws } = options;
  const addNoise = noiseOf(alternatives, names, exponent, options);
  const noisy = new Float64Array(alternatives.products.length);
  const once = new Float64Array(noisy.length);
  return (utilities, shares) => {
    shares.fill(0);
    for (let draw = 0; draw < noiseDraws; draw++) {
      if (!addNoise(utilities, noisy)) continue;
      bestOf(noisy, once);
      for (let j = 0; j < shares.length; j++)
        shares[j] = (shares[j] as number) + (once[j] as number) / noiseDraws;
    }
    return true;
  };
}

/**
 * Draws the noise of randomised first choice: utilities times the exponent plus noise, minus infinity for what a buyer does
 * not meet; false if nothing is met.
 */
function noiseOf(
  { codes, reach, products, none }: Alternatives,
  names: readonly string[],
  exponent: number,
  options: SimulationOptions & { readonly noiseDraws: number },
): (utilities: Float64Array, noisy: Float64Array) => boolean {
  const { random, levels, productNoise = 0, noiseDraws } = options;
  if (!random) throw new RangeError("random must be given for randomised first choice, got none");
  if (!levels?.length) throw new RangeError("levels must be given for randomised first choice, got none");
  const { attributeNoise = 1 / Math.sqrt(levels.length) } = options;
  requireFromZero({ attributeNoise, productNoise });
  requireWhole("noiseDraws", noiseDraws, 1);
  const p = names.length;
  const real = products.length - Number(none);
  const mixes = Array.from({ length: real }, (_, j) =>
    levelMixes(codes.subarray(j * p, (j + 1) * p), names, levels, products[j] as string),
  );
  const factors = mixes.map((own) => Math.sqrt(levels.length / Math.max(1, own.length)));
  const levelCount = levels.reduce((sum, attribute) => sum + attribute.levels.length, 0);
  const noise = new Float64Array(levelCount);
  const certain = reach.every((chance) => chance === 1);
  const ofLevels = random.stream("noise of levels");
  const ofProducts = random.stream("noise of products");
  const ofReach = random.stream("products met");
  const noneNoise = Math.hypot(attributeNoise * Math.sqrt(levels.length), productNoise);
  return (utilities, noisy) => {
    for (let level = 0; level < levelCount; level++) noise[level] = attributeNoise * drawGumbel(ofLevels);
    for (let j = 0; j < real; j++) {
      let shared = 0;
      for (const { low, high, weight } of mixes[j] as LevelMix[])
        shared += (noise[low] as number) + weight * ((noise[high] as number) - (noise[low] as number));
      let sum = exponent * (utilities[j] as number) + (factors[j] as number) * shared;
      if (productNoise > 0) sum += productNoise * drawGumbel(ofProducts);
      noisy[j] = sum;
    }
    if (none) noisy[real] = exponent * (utilities[real] as number) + noneNoise * drawGumbel(ofProducts);
    if (certain) return true;
    let met = 0;
    for (let j = 0; j < reach.length; j++) {
      if (ofReach.uniform() < (reach[j] as number)) met++;
      else noisy[j] = Number.NEGATIVE_INFINITY;
    }
    return met > 0;
  };
}

/** Between which two levels (counted over all attributes) a product lies in an attribute, and how far from the first. */
interface LevelMix {
  readonly low: number;
  readonly high: number;
  readonly weight: number;
}

/**
 * Levels of a product: of each attribute that it has, one level or a point between two that follow each other. To lack an
 * attribute is not to have its reference level, though both may be coded by zeros.
 * @throws DataError if a level has a column that is no part-worth, or the product is none of the levels of an attribute.
 */
function levelMixes(
  code: Float64Array,
  names: readonly string[],
  attributes: readonly AttributeLevels[],
  product: string,
): LevelMix[] {
  let next = 0; // number of the next level, over all attributes
  const codeIn = (column: string): number => code[names.indexOf(column)] as number;
  return attributes.flatMap((attribute) => {
    const first = next;
    next += attribute.levels.length;
    const places = columnsOf(attribute).map((name) => names.indexOf(name));
    const codes = attribute.levels.map((level) =>
      codeRow(names, level.code, `attribute ${attribute.attribute}`),
    );
    if (!hasAttribute(attribute, attributes, codeIn, product)) return [];
    const exact = codes.findIndex((own) => places.every((k) => own[k] === code[k]));
    if (exact !== -1) return { low: first + exact, high: first + exact, weight: 0 };
    if (places.every((k) => code[k] === 0)) return []; // an attribute for some products that does not say for which
    for (const [level, high] of codes.slice(1).entries()) {
      const low = codes[level] as Float64Array;
      const weight = weightBetween(code, low, high, places);
      if (weight !== undefined) return { low: first + level, high: first + level + 1, weight };
    }
    throw new DataError(
      `${product} must have one of the levels of ${attribute.attribute}, but its code is of none`,
    );
  });
}

/** How far a code lies from one to another, 0 to 1; undefined if it does not lie on the line between them. */
function weightBetween(
  code: Float64Array,
  low: Float64Array,
  high: Float64Array,
  places: readonly number[],
): number | undefined {
  const from = (k: number): number => low[k] as number;
  const step = (k: number): number => (high[k] as number) - from(k);
  const widest = places.reduce((best, k) => (Math.abs(step(k)) > Math.abs(step(best)) ? k : best));
  const weight = ((code[widest] as number) - from(widest)) / step(widest);
  const isOn = places.every(
    (k) => Math.abs((code[k] as number) - from(k) - weight * step(k)) <= 1e-9 * Math.abs(step(widest)),
  );
  return isOn && weight > 0 && weight < 1 ? weight : undefined;
}

interface Simulated {
  readonly individual: Float64Array[];
  readonly means: Float64Array;
  readonly samples: readonly Float64Array[] | undefined;
  readonly leftOut: number;
}

/** Utilities of all alternatives for one respondent: their own constants and those of their levels. */
function utilitiesInto(
  utilities: Float64Array,
  constants: Float64Array,
  codes: Float64Array,
  coefficients: Float64Array,
): void {
  const p = coefficients.length;
  for (let j = 0, place = 0; j < utilities.length; j++) {
    let sum = constants[j] as number;
    for (let k = 0; k < p; k++, place++) sum += (codes[place] as number) * (coefficients[k] as number);
    utilities[j] = sum;
  }
}

interface Sample extends SimulationOptions {
  /** Number of shares. */
  readonly size: number;
  /** Weights of the respondents; those who cannot be simulated get 0. */
  readonly weights: Float64Array;
  /** Constant of every alternative. */
  readonly ownUtilities: Float64Array;
}

function fromPoints(
  values: readonly Float64Array[],
  codes: Float64Array,
  kernel: ShareKernel,
  { size, weights, ownUtilities, random, resamples = 1000 }: Sample,
): Simulated {
  const p = values[0]?.length ?? 0;
  const utilities = new Float64Array(codes.length / p);
  let leftOut = 0;
  const individual = values.map((row, who) => {
    utilitiesInto(utilities, ownUtilities, codes, row);
    const shares = new Float64Array(size);
    if (kernel(utilities, shares)) return shares;
    weights[who] = 0;
    leftOut++;
    return shares;
  });
  requireSomebody(weights);
  return random && individual.length > 1
    ? { individual, leftOut, ...resampledMeans(individual, weights, { random, resamples }) }
    : { individual, leftOut, means: weightedMeans(individual, weights), samples: undefined };
}

function requireSomebody(weights: Float64Array): void {
  if (weights.some((weight) => weight > 0)) return;
  throw new DataError("no respondent can be simulated: every one who counts has a utility below 0");
}

/** Shares of every draw; means over the draws for each respondent and over all. */
function fromDraws(
  partWorths: PartWorths,
  codes: Float64Array,
  kernel: ShareKernel,
  { size, weights, ownUtilities, random }: Sample,
): Simulated {
  const { values } = partWorths;
  const [n, p] = [values.length, partWorths.names.length];
  const { draws, count } = drawsOf(partWorths);
  const respondents = random?.stream("respondents");
  const row = new Float64Array(p);
  const utilities = new Float64Array(codes.length / p);
  const shares = new Float64Array(size);
  const sums = values.map(() => new Float64Array(size));
  const simulated = new Uint32Array(n);
  const samples = Array.from({ length: size }, () => new Float64Array(count));
  const mean = new Float64Array(size);
  for (let draw = 0; draw < count; draw++) {
    const counted = respondents && n > 1 ? resampledWeights(weights, respondents) : weights;
    let total = 0;
    mean.fill(0);
    for (let who = 0; who < n; who++) {
      for (let k = 0; k < p; k++) row[k] = draws[(draw * n + who) * p + k] as number;
      utilitiesInto(utilities, ownUtilities, codes, row);
      if (!kernel(utilities, shares)) continue;
      simulated[who] = (simulated[who] as number) + 1;
      const weight = counted[who] as number;
      const own = sums[who] as Float64Array;
      total += weight;
      for (let j = 0; j < size; j++) {
        own[j] = (own[j] as number) + (shares[j] as number);
        mean[j] = (mean[j] as number) + weight * (shares[j] as number);
      }
    }
    requireSomebody(Float64Array.of(total));
    for (const [j, own] of samples.entries()) own[draw] = (mean[j] as number) / total;
  }
  const individual = sums.map((own, who) => own.map((sum) => sum / Math.max(1, simulated[who] as number)));
  for (const [who, times] of simulated.entries()) if (times === 0) weights[who] = 0;
  return {
    individual,
    means: weightedMeans(individual, weights),
    samples,
    leftOut: simulated.filter((times) => times < count).length,
  };
}

/** How utilities are kept for many markets: what `simulateMarket` would use, with fewer draws if wanted. */
export interface UtilityOptions
  extends Pick<
    SimulationOptions,
    | "rule"
    | "exponent"
    | "weights"
    | "constants"
    | "from"
    | "random"
    | "levels"
    | "attributeNoise"
    | "productNoise"
    | "noiseDraws"
  > {
  /** Number of draws used, evenly spaced; all unless given. */
  readonly draws?: number;
}

const MOST_UTILITIES = 1e8; // 0.8 GB

/**
 * Utilities of all alternatives times the exponent, and the same noise as in `simulateMarket`: an array an alternative, an
 * element for every respondent, draw and noise; weights of these, adding up to 1. Each first choice among them, or logit,
 * is then one of those that make its shares. What is not met is minus infinity under randomised first choice.
 * @throws as `simulateMarket`; RangeError if it would be too much to keep, or there are fewer draws.
 */
export function utilitiesOf(
  partWorths: PartWorths,
  alternatives: Alternatives,
  options: UtilityOptions,
): { readonly utilities: readonly Float64Array[]; readonly weights: Float64Array } {
  const { rule = "share of preference", exponent = 1, from = "point estimates" } = options;
  requireFromZero({ exponent });
  requireOneOf("from", from, SOURCES);
  const { names, values } = partWorths;
  const [n, p] = [values.length, names.length];
  const { products, codes } = alternatives;
  const constants = constantsOf(products, options.constants);
  const weights = respondentWeights(options.weights, n);
  const drawn = from === "draws" ? drawsOf(partWorths) : undefined;
  const available = drawn?.count ?? 1;
  const { draws = available } = options;
  requireWhole("draws", draws, 1, available);
  const isNoisy = rule === "randomised first choice";
  const { noiseDraws = drawn ? 1 : 200 } = options;
  const noises = isNoisy ? noiseDraws : 1;
  const factor = rule === "first choice" ? 1 : exponent;
  const addNoise = isNoisy
    ? noiseOf(alternatives, names, exponent, { ...options, noiseDraws })
    : (own: Float64Array, scaled: Float64Array): void => {
        for (let j = 0; j < own.length; j++) scaled[j] = factor * (own[j] as number);
      };
  const rows = draws * n * noises;
  if (rows * products.length > MOST_UTILITIES)
    throw new RangeError(
      `draws or noiseDraws must be fewer: ${rows} utilities of each of ${products.length} alternatives are more than ${MOST_UTILITIES} together`,
    );
  const utilities = products.map(() => new Float64Array(rows));
  const rowWeights = new Float64Array(rows);
  const sum = weights.reduce((before, weight) => before + weight, 0) * draws * noises;
  const row = new Float64Array(p);
  const own = new Float64Array(products.length);
  const noisy = new Float64Array(products.length);
  let place = 0;
  for (let draw = 0; draw < draws; draw++) {
    const first = Math.floor((draw * available) / draws) * n;
    for (let who = 0; who < n; who++) {
      row.set(
        drawn?.draws.subarray((first + who) * p, (first + who + 1) * p) ?? (values[who] as Float64Array),
      );
      utilitiesInto(own, constants, codes, row);
      for (let noise = 0; noise < noises; noise++, place++) {
        addNoise(own, noisy);
        rowWeights[place] = (weights[who] as number) / sum;
        for (let j = 0; j < noisy.length; j++) (utilities[j] as Float64Array)[place] = noisy[j] as number;
      }
    }
  }
  return { utilities, weights: rowWeights };
}
