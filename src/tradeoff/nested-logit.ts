import { labelCodes } from "../core/columns.js";
import { ConvergenceError, DataError } from "../core/errors.js";
import { describe } from "../core/table.js";
import { invertDetermined } from "../numeric/determined-inverse.js";
import { congruence, type Matrix, sandwichCovariance } from "../numeric/matrix.js";
import { minimise, type Objective } from "../numeric/minimise.js";
import { minimiseNewton } from "../numeric/newton.js";
import { chiSquareTail, twoSidedP } from "../numeric/tail-probability.js";
import {
  type AttributeColumns,
  type ChoiceDesign,
  type ChoiceRows,
  choiceDesign,
  selectColumns,
} from "./choice-data.js";
import {
  firstOfEachSet,
  fitSameTastes,
  scaledWithinSets,
  type UtilityCoefficients,
} from "./conditional-logit.js";

/** How to fit a nested logit. */
export interface NestedLogitOptions {
  /** Nest of each row's alternative: a label. */
  readonly nests: ArrayLike<string | number>;
  /** Whether all nests have the same dissimilarity; false unless given. */
  readonly sharedDissimilarity?: boolean;
  /** Standard errors: "model" unless given; "set" robust to a wrong model (sandwich), "respondent" also to dependent choices. */
  readonly errors?: "model" | "set" | "respondent";
}

/** What predictions need. */
export interface NestedLogitParameters {
  /** Change of utility for one unit of each covariate. */
  readonly coefficients: Readonly<Record<string, number>>;
  /** Dissimilarity of the alternatives of each nest: 1 if they are as different as those of other nests, 0 if they are the same. */
  readonly dissimilarities: Readonly<Record<string, number>>;
}

/** A fitted nested logit. */
export interface NestedLogitFit extends NestedLogitParameters, UtilityCoefficients {
  readonly model: "nested logit";
  /** Standard errors of the coefficients; undetermined ones have none. */
  readonly standardErrors: Readonly<Record<string, number>>;
  /** Coefficient / standard error. */
  readonly z: Readonly<Record<string, number>>;
  /** Two-sided p values of z. */
  readonly p: Readonly<Record<string, number>>;
  /** Standard errors of the dissimilarities; nests that never hold two alternatives of a set, and undetermined ones, have none. */
  readonly dissimilarityErrors: Readonly<Record<string, number>>;
  /** Whether all nests have the same dissimilarity. */
  readonly sharedDissimilarity: boolean;
  /** Names of all parameters, and their covariance in that order: coefficients, then dissimilarities; 0 for what is undetermined. */
  readonly terms: readonly string[];
  readonly fullCovariance: Matrix;
  /** Kind of the standard errors and the covariance. */
  readonly errors: "model" | "set" | "respondent";
  /** Log-likelihood. */
  readonly logLikelihood: number;
  /** Log-likelihood if all alternatives of a set were equally likely. */
  readonly nullLogLikelihood: number;
  /** 1 - log-likelihood / that of equal shares (McFadden). */
  readonly mcFaddenR2: number;
  /** Root likelihood: geometric mean of the probabilities of what was chosen. */
  readonly rootLikelihood: number;
  /** Akaike's criterion. */
  readonly aic: number;
  /** Schwarz's criterion, with the number of choices. */
  readonly bic: number;
  /** Test of all dissimilarities being 1 (the conditional logit, independence of irrelevant alternatives) by the likelihood. */
  readonly independenceTest: {
    readonly chiSquare: number;
    readonly degreesOfFreedom: number;
    readonly p: number;
  };
  /** Choices, weights counted. */
  readonly observations: number;
  /** Respondents. */
  readonly respondents: number;
  /** Always true: a fit that does not settle is an error. */
  readonly converged: true;
  /** How well the data tell the parameters apart. */
  readonly identification: {
    /** Of the information, scaled to a unit diagonal. */
    readonly conditionNumber: number;
    /** Parameters that the data do not determine. */
    readonly undetermined: readonly string[];
  };
  /** What makes the numbers doubtful. */
  readonly warnings: readonly string[];
}

/** Choices in nests. The parameters are the coefficients, then the dissimilarities. */
interface NestedProblem {
  readonly design: ChoiceDesign;
  /** Nest of each alternative of the design. */
  readonly nest: Uint32Array;
  readonly labels: readonly (string | number)[];
  /** Number of the dissimilarity of each nest; -1 if it never holds two alternatives of a set, and has none. */
  readonly dissimilarity: Int32Array;
}

const STARTS = [1, 0.4]; // dissimilarities to search from
const QUICK = 30; // iterations of L-BFGS, which does for most
const PATIENT = 150; // iterations of Newton's method, for narrow ridges
const NEARLY_SAME = 1e-3; // dissimilarity that counts as 0

/**
 * Two-level nested logit: alternatives of a nest are closer substitutes. With utility V and dissimilarity d of its nest, an
 * alternative is chosen within the nest with probability exp(V / d) / (sum of exp(V / d) over the nest) = exp(V / d - I), and
 * the nest with probability exp(d I) / (sum of exp(d I) over the nests): I is its inclusive value. Maximum likelihood with
 * analytic derivatives, from the conditional logit and several dissimilarities. Dissimilarities from 0 to 1 agree with the
 * maximisation of utility for all values of the covariates; larger ones are given with a warning.
 * @throws DataError if the choices are bad, no set has alternatives in two nests, or no nest ever two alternatives of a set;
 * ConvergenceError if the search does not settle.
 * @see McFadden (1978), Modelling the Choice of Residential Location; Hensher & Greene (2002), Specification and Estimation of
 * the Nested Logit Model, Transportation Research B 36(1); Train (2009), Discrete Choice Methods with Simulation, 2nd ed.,
 * chapter 4.
 */
export function fitNestedLogit(
  rows: ChoiceRows,
  attributes: AttributeColumns,
  { nests, sharedDissimilarity = false, errors = "model" }: NestedLogitOptions,
): NestedLogitFit {
  const simple = fitSameTastes({ model: "nested logit", penalisable: false }, rows, attributes, { errors });
  const { scaled, scale } = scaledWithinSets(choiceDesign(rows, attributes));
  const problem = nestedProblem(scaled, rows.set.length, nests, sharedDissimilarity);
  const { design, labels, dissimilarity } = problem;
  const { names, choice, respondentStart } = design;
  const p = names.length;
  const count = p + Math.max(...dissimilarity) + 1;
  if (count === p) {
    throw new DataError(
      `nests must hold two alternatives of some choice set, but ${labels.map(describe).join(", ")} never do: fit a conditional logit`,
    );
  }
  const whole = Uint32Array.of(0, choice.length);
  const objective: Objective = (theta, gradient) => {
    if (theta.subarray(p).some((d) => d <= 0)) return Number.POSITIVE_INFINITY;
    const value = -likelihoodOf(problem, theta, whole, gradient);
    for (const [i, slope] of gradient.entries()) gradient[i] = -slope;
    return value;
  };
  // In the logarithms of the dissimilarities, which may go to 0.
  const inLogs: Objective = (logs, gradient) => {
    const theta = logs.map((value, i) => (i < p ? value : Math.exp(value)));
    const value = objective(theta, gradient);
    for (let i = p; i < count; i++) gradient[i] = (gradient[i] as number) * (theta[i] as number);
    return value;
  };
  const information = (theta: Float64Array): Matrix => informationOf(problem, theta);
  const begin = names.map((name, j) => (simple.coefficients[name] as number) * (scale[j] as number));
  const ends = STARTS.map((start) => {
    const logs = Array.from({ length: count - p }, () => Math.log(start));
    const quick = minimise(inLogs, [...begin, ...logs], { method: "l-bfgs", maxIterations: QUICK });
    const x = quick.x.map((value, i) => (i < p ? value : Math.exp(value)));
    if (quick.converged) return { ...quick, x };
    // Where coefficients and dissimilarities grow in proportion the likelihood has a ridge: straight without logarithms.
    return minimiseNewton(objective, information, [...x], { maxIterations: PATIENT });
  });
  const found = ends.reduce((best, end) => (end.value < best.value ? end : best));
  const { x: theta, value } = found;
  const dissimilarities = labels.map((_, m) => dissimilarityOf(problem, theta, m));
  const described = labels.map((label, m) => `${label}=${(dissimilarities[m] as number).toPrecision(3)}`);
  if (!found.converged) {
    throw new ConvergenceError(
      `nested logit did not settle in ${found.iterations} iterations: log-likelihood ${(-value).toPrecision(8)} at the dissimilarities ${described.join(" ")}; other nests may fit, or sharedDissimilarity`,
    );
  }
  const { inverse, lost, conditionNumber } = invertDetermined(information(theta));
  let spread: Matrix = inverse;
  if (errors !== "model") {
    const groups =
      errors === "set" ? Uint32Array.from({ length: choice.length + 1 }, (_, i) => i) : respondentStart;
    const scores = new Float64Array((groups.length - 1) * count);
    likelihoodOf(problem, theta, groups, scores);
    spread = sandwichCovariance(inverse, scores);
  }
  // What is reported: coefficients in the units of the data, and the dissimilarity of every nest that has one.
  const nested = labels.flatMap((_, m) => (dissimilarity[m] === -1 ? [] : [m]));
  const transform = [
    ...scale.map((unit, j) => unitRow(count, j, 1 / unit)),
    ...nested.map((m) => unitRow(count, p + (dissimilarity[m] as number), 1)),
  ];
  const covariance = congruence(transform, spread);
  const terms = [...names, ...nested.map((m) => `dissimilarity ${labels[m]}`)];
  const isLost = transform.map((row) => lost.some((i) => row[i] !== 0));
  const errorOf = (i: number): number => Math.sqrt(covariance[i]?.[i] as number);
  const coefficientOf = (j: number): number => (theta[j] as number) / (scale[j] as number);
  const byName = (of: (j: number) => number): Readonly<Record<string, number>> =>
    Object.freeze(
      Object.fromEntries(names.flatMap((name, j) => (isLost[j] ? [] : [[name, of(j)] as const]))),
    );
  const dissimilarityErrors = Object.fromEntries(
    nested.flatMap((m, i) => (isLost[p + i] ? [] : [[String(labels[m]), errorOf(p + i)] as const])),
  );
  const undetermined = terms.filter((_, i) => isLost[i]);
  const logLikelihood = -value;
  const total = simple.observations;
  const chiSquare = Math.max(0, 2 * (logLikelihood - simple.logLikelihood));
  return Object.freeze({
    model: "nested logit",
    coefficients: Object.freeze(Object.fromEntries(names.map((name, j) => [name, coefficientOf(j)]))),
    standardErrors: byName(errorOf),
    z: byName((j) => coefficientOf(j) / errorOf(j)),
    p: byName((j) => twoSidedP(coefficientOf(j) / errorOf(j))),
    covariance: covariance.slice(0, p).map((row) => row.slice(0, p)),
    dissimilarities: Object.freeze(
      Object.fromEntries(labels.map((label, m) => [String(label), dissimilarities[m] as number])),
    ),
    dissimilarityErrors: Object.freeze(dissimilarityErrors),
    sharedDissimilarity,
    terms,
    fullCovariance: covariance,
    errors,
    logLikelihood,
    nullLogLikelihood: simple.nullLogLikelihood,
    mcFaddenR2: 1 - logLikelihood / simple.nullLogLikelihood,
    rootLikelihood: Math.exp(logLikelihood / total),
    aic: 2 * count - 2 * logLikelihood,
    bic: count * Math.log(total) - 2 * logLikelihood,
    independenceTest: Object.freeze({
      chiSquare,
      degreesOfFreedom: count - p,
      p: chiSquareTail(chiSquare, count - p),
    }),
    observations: total,
    respondents: simple.respondents,
    converged: true,
    identification: Object.freeze({ conditionNumber, undetermined }),
    warnings: [
      ...(undetermined.length > 0
        ? [`the data do not determine ${undetermined.join(", ")}: they have no standard errors`]
        : []),
      ...dissimilarities.flatMap((own, m) =>
        boundaryWarning(String(labels[m]), own, dissimilarityErrors[String(labels[m])]),
      ),
    ].map((text) => `nested logit: ${text}`),
  });
}

const unitRow = (size: number, place: number, value: number): number[] =>
  Array.from({ length: size }, (_, i) => (i === place ? value : 0));

function boundaryWarning(nest: string, dissimilarity: number, error: number | undefined): string[] {
  if (dissimilarity < NEARLY_SAME)
    return [
      `the dissimilarity of ${nest} is near 0: its alternatives are perfect substitutes, its error means nothing`,
    ];
  if (dissimilarity <= 1) return [];
  const near = error !== undefined && dissimilarity - 1 < 2 * error ? " within two standard errors" : "";
  return [
    `the dissimilarity of ${nest} is ${dissimilarity.toPrecision(3)}, above 1${near}: its alternatives are less alike than those of different nests, which agrees with the maximisation of utility for some values of the covariates at most; other nests may fit`,
  ];
}

/** @throws DataError if a nest is no label, or no set has alternatives in two nests. */
function nestedProblem(
  design: ChoiceDesign,
  size: number,
  nests: ArrayLike<string | number>,
  isShared: boolean,
): NestedProblem {
  const { row, setStart } = design;
  const { codes, labels } = labelCodes("nests", nests, size);
  const nest = Uint32Array.from(row, (place) => codes[place] as number);
  const isNested = labels.map(() => false);
  let differ = false;
  for (let set = 0; set + 1 < setStart.length; set++) {
    const own = nest.subarray(setStart[set], setStart[set + 1]);
    for (const [k, m] of own.entries()) if (own.indexOf(m) < k) isNested[m] = true;
    differ ||= own.some((m) => m !== own[0]);
  }
  if (!differ) {
    throw new DataError(
      `nests must differ within some choice set, but each set has one only, of ${labels.map(describe).join(", ")}`,
    );
  }
  const nested = labels.flatMap((_, m) => (isNested[m] ? [m] : []));
  return {
    design,
    nest,
    labels,
    dissimilarity: Int32Array.from(labels, (_, m) => (isShared && isNested[m] ? 0 : nested.indexOf(m))),
  };
}

/** Dissimilarity of a nest; 1 where it has none. */
function dissimilarityOf({ design, dissimilarity }: NestedProblem, theta: Float64Array, m: number): number {
  const place = dissimilarity[m] as number;
  return place === -1 ? 1 : (theta[design.names.length + place] as number);
}

/** What the model says of one choice set. */
interface NestedSet {
  /** Utility of each alternative of the set. */
  readonly utility: Float64Array;
  /** Probability of each alternative within its nest. */
  readonly within: Float64Array;
  /** Probability, inclusive value and mean utility of each nest. */
  readonly share: Float64Array;
  readonly inclusive: Float64Array;
  readonly mean: Float64Array;
}

/** Utilities and probabilities of a set; the arrays are used again for the next. */
function nestedSets(
  { design, nest, labels }: Pick<NestedProblem, "design" | "nest" | "labels">,
  beta: Float64Array,
  dissimilarities: readonly number[],
): (set: number) => NestedSet {
  const { x, setStart } = design;
  const p = beta.length;
  const most = setStart.reduce((size, from, set) => Math.max(size, (setStart[set + 1] ?? from) - from), 0);
  const [utility, within] = [new Float64Array(most), new Float64Array(most)];
  const perNest = (): Float64Array => new Float64Array(labels.length);
  const [share, inclusive, mean, top] = [perNest(), perNest(), perNest(), perNest()];
  return (set) => {
    const [from, to] = [setStart[set] as number, setStart[set + 1] as number];
    top.fill(Number.NEGATIVE_INFINITY);
    share.fill(0);
    mean.fill(0);
    for (let row = from; row < to; row++) {
      let value = 0;
      for (let j = 0, place = row * p; j < p; j++, place++)
        value += (x[place] as number) * (beta[j] as number);
      utility[row - from] = value;
      const m = nest[row] as number;
      top[m] = Math.max(top[m] as number, value / (dissimilarities[m] as number));
    }
    for (let row = from; row < to; row++) {
      const m = nest[row] as number;
      const odds = Math.exp(
        (utility[row - from] as number) / (dissimilarities[m] as number) - (top[m] as number),
      );
      within[row - from] = odds;
      share[m] = (share[m] as number) + odds;
    }
    for (let row = from; row < to; row++) {
      const m = nest[row] as number;
      const part = (within[row - from] as number) / (share[m] as number);
      within[row - from] = part;
      mean[m] = (mean[m] as number) + part * (utility[row - from] as number);
    }
    let largest = Number.NEGATIVE_INFINITY;
    for (let m = 0; m < share.length; m++) {
      inclusive[m] = (top[m] as number) + Math.log(share[m] as number); // -Infinity: the set has none of this nest
      largest = Math.max(largest, (inclusive[m] as number) * (dissimilarities[m] as number));
    }
    let sum = 0;
    for (let m = 0; m < share.length; m++)
      sum += share[m] = Math.exp((inclusive[m] as number) * (dissimilarities[m] as number) - largest);
    for (let m = 0; m < share.length; m++) share[m] = (share[m] as number) / sum;
    return { utility, within, share, inclusive, mean };
  };
}

/**
 * Log-likelihood; the slopes of the groups of sets that begin at `groups` go into `slopes`, one group after the other.
 */
function likelihoodOf(
  problem: NestedProblem,
  theta: Float64Array,
  groups: Uint32Array,
  slopes: Float64Array,
): number {
  const { design, nest, labels, dissimilarity } = problem;
  const { x, setStart, choice, weight, names } = design;
  const p = names.length;
  const dissimilarities = labels.map((_, m) => dissimilarityOf(problem, theta, m));
  const at = nestedSets(problem, theta.subarray(0, p), dissimilarities);
  slopes.fill(0);
  let logLikelihood = 0;
  for (let group = 0; group + 1 < groups.length; group++) {
    const begin = group * theta.length;
    for (let set = groups[group] as number; set < (groups[group + 1] as number); set++) {
      const { utility, within, share, inclusive, mean } = at(set);
      const [from, chosen, w] = [setStart[set] as number, choice[set] as number, weight[set] as number];
      const c = nest[chosen] as number;
      const own = dissimilarities[c] as number;
      logLikelihood += w * (Math.log(within[chosen - from] as number) + Math.log(share[c] as number));
      for (let row = from; row < (setStart[set + 1] as number); row++) {
        const m = nest[row] as number;
        const part = within[row - from] as number;
        const pull =
          Number(row === chosen) / own + (m === c ? part * (1 - 1 / own) : 0) - part * (share[m] as number);
        for (let j = 0; j < p; j++)
          slopes[begin + j] = (slopes[begin + j] as number) + w * pull * (x[row * p + j] as number);
      }
      for (const [m, place] of dissimilarity.entries()) {
        if (place === -1 || share[m] === 0) continue;
        const d = dissimilarities[m] as number;
        const entropy = (inclusive[m] as number) - (mean[m] as number) / d;
        const shift =
          m === c ? entropy + ((mean[m] as number) - (utility[chosen - from] as number)) / d ** 2 : 0;
        const slot = begin + p + place;
        slopes[slot] = (slopes[slot] as number) + w * (shift - (share[m] as number) * entropy);
      }
    }
  }
  return logLikelihood;
}

/**
 * Minus the second derivatives of the log-likelihood. The log of the sum over nests is convex in d I, and d I in coefficients
 * and d: their second derivatives are covariances, between nests of the slopes of d I, and within a nest of (x, -V / d),
 * divided by d.
 */
function informationOf(problem: NestedProblem, theta: Float64Array): number[][] {
  const { design, nest, labels, dissimilarity } = problem;
  const { x, setStart, choice, weight, names } = design;
  const p = names.length;
  const dissimilarities = labels.map((_, m) => dissimilarityOf(problem, theta, m));
  const at = nestedSets(problem, theta.subarray(0, p), dissimilarities);
  const sum = Array.from(theta, () => new Float64Array(theta.length));
  const addSquare = (factor: number, vector: Float64Array): void => {
    for (let i = 0; i < vector.length; i++) {
      const multiple = factor * (vector[i] as number);
      const row = sum[i] as Float64Array;
      if (multiple !== 0)
        for (let j = 0; j <= i; j++) row[j] = (row[j] as number) + multiple * (vector[j] as number);
    }
  };
  const [own, centre] = [theta.slice(), theta.slice()];
  const means = labels.map(() => theta.slice());
  for (const [set, w] of weight.entries()) {
    const { utility, within, share, inclusive, mean } = at(set);
    const [from, to, chosen] = [setStart[set] as number, setStart[set + 1] as number, choice[set] as number];
    const c = nest[chosen] as number;
    // (x, -V / d) of an alternative.
    const describeRow = (row: number): void => {
      own.fill(0);
      own.set(x.subarray(row * p, (row + 1) * p));
      const m = nest[row] as number;
      const place = dissimilarity[m] as number;
      if (place !== -1) own[p + place] = -(utility[row - from] as number) / (dissimilarities[m] as number);
    };
    const bend = (m: number): number => {
      const d = dissimilarities[m] as number;
      return (w * ((share[m] as number) - (m === c ? 1 - 1 / d : 0))) / d;
    };
    for (const sums of means) sums.fill(0);
    for (let row = from; row < to; row++) {
      const m = nest[row] as number;
      const part = within[row - from] as number;
      describeRow(row);
      addSquare(bend(m) * part, own);
      const sums = means[m] as Float64Array;
      for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + part * (own[i] as number);
    }
    describeRow(chosen);
    const slot = p + (dissimilarity[c] as number);
    if (slot >= p) {
      const factor = w / (dissimilarities[c] as number) ** 2;
      for (const [i, value] of own.entries()) {
        const off = factor * (value - (means[c]?.[i] as number));
        const row = sum[Math.max(i, slot)] as Float64Array;
        const column = Math.min(i, slot);
        row[column] = (row[column] as number) + (i === slot ? 2 : 1) * off;
      }
    }
    centre.fill(0);
    for (const [m, sums] of means.entries()) {
      const weightOf = share[m] as number;
      if (weightOf === 0) continue;
      addSquare(-bend(m), sums);
      const place = dissimilarity[m] as number;
      if (place !== -1)
        sums[p + place] = (inclusive[m] as number) - (mean[m] as number) / (dissimilarities[m] as number);
      addSquare(w * weightOf, sums);
      for (let i = 0; i < sums.length; i++)
        centre[i] = (centre[i] as number) + weightOf * (sums[i] as number);
    }
    addSquare(-w, centre);
  }
  return sum.map((row, i) => Array.from(row, (value, j) => (j <= i ? value : (sum[j]?.[i] as number))));
}

/**
 * Probability of each row to be chosen within its set, in the order of the data; 0 for alternatives that are not available.
 * Nobody needs to have chosen: `chosen` is not read.
 * @throws DataError if a covariate or the dissimilarity of a nest is missing, or rows of a set do not stand together.
 */
export function nestedLogitProbabilities(
  { coefficients, dissimilarities }: NestedLogitParameters,
  rows: Omit<ChoiceRows, "chosen">,
  attributes: AttributeColumns,
  { nests }: Pick<NestedLogitOptions, "nests">,
): Float64Array {
  const names = Object.keys(coefficients);
  const design = choiceDesign({ ...rows, chosen: firstOfEachSet(rows) }, selectColumns(attributes, names));
  const size = rows.set.length;
  const { codes, labels } = labelCodes("nests", nests, size);
  const values = labels.map((label) => {
    const value = dissimilarities[label];
    if (value !== undefined) return value;
    throw new DataError(
      `nests must be among ${Object.keys(dissimilarities).join(", ")}, got ${describe(label)}`,
    );
  });
  const nest = Uint32Array.from(design.row, (row) => codes[row] as number);
  const at = nestedSets(
    { design, nest, labels },
    Float64Array.from(names, (name) => coefficients[name] as number),
    values,
  );
  const result = new Float64Array(size);
  for (let set = 0; set < design.choice.length; set++) {
    const { within, share } = at(set);
    const from = design.setStart[set] as number;
    for (let place = from; place < (design.setStart[set + 1] as number); place++)
      result[design.row[place] as number] =
        (within[place - from] as number) * (share[nest[place] as number] as number);
  }
  return result;
}
