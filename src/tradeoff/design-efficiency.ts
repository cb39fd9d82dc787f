import { requireFromZero, requireWhole } from "../core/arguments.js";
import { ConvergenceError } from "../core/errors.js";
import { describe } from "../core/table.js";
import { invertSymmetric } from "../numeric/matrix.js";
import type { Random } from "../numeric/random.js";
import { normalQuantile } from "../numeric/special.js";
import { type CodingOptions, codingOf, type ProfileCoding } from "./attributes.js";
import type { SurveyDesign } from "./design.js";
import { type LevelPlaces, shuffled } from "./design-profiles.js";

/** Coefficients of utility that are thought likely, by column; those left out are 0. */
export type PriorCoefficients = Readonly<Record<string, number>>;

/** How well a design tells the coefficients. */
export interface EfficiencyOptions extends CodingOptions {
  /**
   * Coefficients that the design is judged at: one set, or draws of them (Bayesian; see `drawPriors`). All 0 unless given, so
   * that every alternative is equally likely.
   */
  readonly priors?: PriorCoefficients | readonly PriorCoefficients[];
}

/** Information of a design. */
export interface DesignEfficiency {
  /** Columns that have a coefficient. */
  readonly names: readonly string[];
  /**
   * D-error det(I)^(-1/p) for p coefficients, smaller is better. I is the information of one respondent, who answers one
   * version, averaged over versions. It depends on the coding and the number of tasks: compare like with like. With draws of
   * priors it is the mean over them, D_B.
   */
  readonly dError: number;
  /** Information matrix of one respondent, in the order of the names; the mean over draws of priors. */
  readonly information: readonly (readonly number[])[];
}

/**
 * D-error and information of a design for a multinomial logit model.
 * @throws ConvergenceError if the tasks do not tell all coefficients apart; RangeError if a prior is of no column or not
 * finite.
 * @see Huber & Zwerina (1996), The Importance of Utility Balance in Efficient Choice Designs, J. Marketing Research 33(3);
 * Sándor & Wedel (2001), Designing Conjoint Choice Experiments Using Managers' Prior Beliefs, JMR 38(4), for D_B.
 */
export function designEfficiency(design: SurveyDesign, options: EfficiencyOptions = {}): DesignEfficiency {
  const coding = codingOf(design.attributes, options);
  const kernel = designKernel(coding, design.alternatives, priorVectors(coding, options.priors));
  const totals = totalInformation(kernel, Int16Array.from(design.levels), design.versions);
  const p = coding.names.length;
  const dError = meanDError(kernel, totals);
  if (dError === Number.POSITIVE_INFINITY)
    throw new ConvergenceError(
      `the design must tell ${p} coefficients apart, but ${design.versions * design.tasks} tasks of ${design.alternatives} alternatives do not: add tasks or versions, or leave interactions out`,
    );
  const information = Array.from({ length: p }, (_, i) =>
    Array.from({ length: p }, (_unused, j) => {
      const place = packedPlace(Math.max(i, j), Math.min(i, j));
      return totals.reduce((sum, total) => sum + (total[place] as number), 0) / totals.length;
    }),
  );
  return Object.freeze({ names: coding.names, dError, information });
}

/**
 * Standard errors of the coefficients that a study with so many respondents would give, from the design alone.
 * @param respondents How many answer, spread evenly over versions.
 * @throws as `designEfficiency`; RangeError if respondents is not a whole number from 1 up.
 */
export function expectedStandardErrors(
  design: SurveyDesign,
  respondents: number,
  options: EfficiencyOptions = {},
): Readonly<Record<string, number>> {
  requireWhole("respondents", respondents, 1);
  const { names, information } = designEfficiency(design, options);
  const inverse = invertSymmetric(information) as number[][]; // the D-error is finite, so there is one
  return Object.fromEntries(
    names.map((name, j) => [name, Math.sqrt((inverse[j]?.[j] as number) / respondents)]),
  );
}

/**
 * Draws of prior coefficients, independent and normal: for each coefficient one from every stratum of equal probability, so
 * that few draws stand for the whole distribution.
 * `options.draws`: 50 unless given.
 * @throws RangeError if a standard deviation is negative or of a coefficient without a mean, or draws is below 1.
 * @see Hess, Train & Polak (2006), On the Use of a Modified Latin Hypercube Sampling Method, Transportation Research B 40(2).
 */
export function drawPriors(
  means: PriorCoefficients,
  standardDeviations: Readonly<Record<string, number>>,
  { random, draws = 50 }: { readonly random: Random; readonly draws?: number },
): PriorCoefficients[] {
  requireWhole("draws", draws, 1);
  requireFromZero(standardDeviations);
  const stranger = Object.keys(standardDeviations).find((name) => !(name in means));
  if (stranger !== undefined)
    throw new RangeError(
      `standardDeviations must be of ${Object.keys(means).join(", ")}, got ${describe(stranger)}`,
    );
  const columns = Object.entries(means).map(([name, mean]) => {
    const shift = random.uniform();
    const strata = shuffled(
      Array.from({ length: draws }, (_, draw) => normalQuantile((draw + shift) / draws || Number.EPSILON)),
      random,
    );
    return [name, strata.map((z) => mean + (standardDeviations[name] ?? 0) * z)] as const;
  });
  return Array.from({ length: draws }, (_, draw) =>
    Object.fromEntries(columns.map(([name, values]) => [name, values[draw] as number])),
  );
}

/** Priors as one vector for each draw; none for coefficients of 0. */
export function priorVectors(
  { names }: ProfileCoding,
  priors: EfficiencyOptions["priors"],
): readonly Float64Array[] {
  const draws = priors === undefined ? [{}] : Array.isArray(priors) ? priors : [priors];
  if (draws.length === 0) throw new RangeError("priors must be at least one draw, got none");
  return (draws as readonly PriorCoefficients[]).map((draw) => {
    for (const [name, value] of Object.entries(draw)) {
      if (!names.includes(name))
        throw new RangeError(`priors must be of ${names.join(", ")}, got ${describe(name)}`);
      if (!Number.isFinite(value)) throw new RangeError(`prior of ${name} must be a number, got ${value}`);
    }
    return Float64Array.from(names, (name) => draw[name] ?? 0);
  });
}

/** All that the information of a task depends on but the task itself; plain data that threads can share. */
export interface DesignKernel {
  /** Coefficients. */
  readonly p: number;
  readonly attributes: number;
  /** Products of a task. */
  readonly alternatives: number;
  /** Column of choosing none, or -1. */
  readonly none: number;
  /** For each attribute its first column, the number of its columns, and the codes of its levels, one after the other. */
  readonly first: readonly number[];
  readonly width: readonly number[];
  readonly codes: readonly Float64Array[];
  /** Interacting attributes. */
  readonly interactions: readonly (readonly [number, number])[];
  /** Draws of the prior coefficients. */
  readonly priors: readonly Float64Array[];
}

/** The kernel of a coding. */
export function designKernel(
  coding: ProfileCoding,
  alternatives: number,
  priors: readonly Float64Array[],
): DesignKernel {
  const { names, own, levels, interactions, none } = coding;
  return {
    p: names.length,
    attributes: levels.length,
    alternatives,
    none,
    first: own.map((columns) => names.indexOf(columns[0] as string)),
    width: own.map((columns) => columns.length),
    codes: levels.map(({ levels: all }, k) =>
      Float64Array.from(
        all.flatMap(({ code }) => (own[k] as readonly string[]).map((name) => code[name] ?? 0)),
      ),
    ),
    interactions,
    priors,
  };
}

/** Writes the coded profile that begins at `from` into `x` from `at` on. */
export function codeRow(
  kernel: DesignKernel,
  levels: LevelPlaces,
  from: number,
  x: Float64Array,
  at: number,
): void {
  const { p, attributes, first, width, codes, interactions } = kernel;
  x.fill(0, at, at + p);
  let next = at;
  for (let k = 0; k < attributes; k++) {
    const wide = width[k] as number;
    const level = levels[from + k] as number;
    if (level >= 0) {
      const own = codes[k] as Float64Array;
      for (let j = 0; j < wide; j++) x[next + j] = own[level * wide + j] as number;
    }
    next += wide;
  }
  for (const [a, b] of interactions) {
    for (let i = 0; i < (width[a] as number); i++)
      for (let j = 0; j < (width[b] as number); j++, next++)
        x[next] = (x[at + (first[a] as number) + i] as number) * (x[at + (first[b] as number) + j] as number);
  }
}

/** Place of an element of the lower triangle, stored row after row. */
const packedPlace = (row: number, column: number): number => (row * (row + 1)) / 2 + column;

/** Computes the information of single tasks; keeps its working memory between calls. */
export function taskInformation(
  kernel: DesignKernel,
): (levels: LevelPlaces, from: number, into: readonly Float64Array[]) => void {
  const { p, attributes, alternatives, none, priors } = kernel;
  const size = alternatives + (none === -1 ? 0 : 1);
  const x = new Float64Array(size * p);
  if (none !== -1) x[alternatives * p + none] = 1;
  const share = new Float64Array(size);
  const mean = new Float64Array(p);
  return (levels, from, into) => {
    for (let k = 0; k < alternatives; k++) codeRow(kernel, levels, from + k * attributes, x, k * p);
    for (const [draw, beta] of priors.entries()) {
      const packed = into[draw] as Float64Array;
      packed.fill(0);
      sharesOf(x, beta, share);
      mean.fill(0);
      for (let k = 0, at = 0; k < size; k++)
        for (let j = 0; j < p; j++, at++)
          mean[j] = (mean[j] as number) + (share[k] as number) * (x[at] as number);
      for (let k = 0; k < size; k++) {
        for (let i = 0, place = 0; i < p; i++) {
          const left = (share[k] as number) * ((x[k * p + i] as number) - (mean[i] as number));
          if (left === 0) place += i + 1;
          else
            for (let j = 0; j <= i; j++, place++)
              packed[place] =
                (packed[place] as number) + left * ((x[k * p + j] as number) - (mean[j] as number));
        }
      }
    }
  };
}

/** Logit shares of the rows of x. */
function sharesOf(x: Float64Array, beta: Float64Array, share: Float64Array): void {
  const p = beta.length;
  let largest = Number.NEGATIVE_INFINITY;
  for (let k = 0, at = 0; k < share.length; k++) {
    let utility = 0;
    for (let j = 0; j < p; j++, at++) utility += (x[at] as number) * (beta[j] as number);
    share[k] = utility;
    if (utility > largest) largest = utility;
  }
  let sum = 0;
  for (let k = 0; k < share.length; k++) sum += share[k] = Math.exp((share[k] as number) - largest);
  for (let k = 0; k < share.length; k++) share[k] = (share[k] as number) / sum;
}

/** Empty information matrices, one for each draw of the priors, as lower triangles row after row. */
export const emptyInformation = ({ p, priors }: DesignKernel): Float64Array[] =>
  priors.map(() => new Float64Array(packedPlace(p, 0)));

/** Information of all tasks per version. */
export function totalInformation(
  kernel: DesignKernel,
  levels: LevelPlaces,
  versions: number,
): Float64Array[] {
  const compute = taskInformation(kernel);
  const totals = emptyInformation(kernel);
  const one = emptyInformation(kernel);
  for (let from = 0; from < levels.length; from += kernel.alternatives * kernel.attributes) {
    compute(levels, from, one);
    for (const [draw, total] of totals.entries())
      for (let place = 0; place < total.length; place++)
        total[place] = (total[place] as number) + ((one[draw] as Float64Array)[place] as number) / versions;
  }
  return totals;
}

/** Mean over the draws of det^(-1/p); infinite if a matrix is singular. */
export function meanDError({ p }: DesignKernel, totals: readonly Float64Array[]): number {
  let sum = 0;
  for (const total of totals) sum += Math.exp(-logDeterminant(total.slice(), p) / p);
  return sum / totals.length;
}

const SINGULAR = 1e-11; // a pivot of less than this share of its diagonal is rounding

/** Log determinant by Cholesky's factorisation, which overwrites the lower triangle; minus infinity if it is singular. */
export function logDeterminant(a: Float64Array, p: number): number {
  let product = 1;
  let sum = 0;
  for (let i = 0, row = 0; i < p; i++, row += i) {
    for (let j = 0, other = 0; j <= i; j++, other += j) {
      let value = a[row + j] as number;
      const own = value;
      for (let k = 0; k < j; k++) value -= (a[row + k] as number) * (a[other + k] as number);
      if (i === j) {
        if (!(value > SINGULAR * own)) return Number.NEGATIVE_INFINITY;
        a[row + j] = Math.sqrt(value);
        product *= value;
      } else a[row + j] = value / (a[other + j] as number);
    }
    if (product < 1e-200 || product > 1e200) {
      sum += Math.log(product);
      product = 1;
    }
  }
  return sum + Math.log(product);
}
