import { requireFromZero, requireOneOf } from "../core/arguments.js";
import { DataError } from "../core/errors.js";
import { fitConcave, type LikelihoodAt } from "../numeric/concave-fit.js";
import { sandwichCovariance } from "../numeric/matrix.js";
import { chiSquareTail, twoSidedP } from "../numeric/tail-probability.js";
import {
  type AttributeColumns,
  type ChoiceDesign,
  type ChoiceRows,
  choiceDesign,
  selectColumns,
} from "./choice-data.js";

/** How to fit a conditional logit model. */
export interface ConditionalLogitOptions {
  /**
   * Standard errors: "model" if all choices are independent, "set" robust to a wrong model (sandwich), "respondent" robust
   * also to a respondent's choices depending on each other. "model" unless given.
   */
  readonly errors?: "model" | "set" | "respondent";
  /**
   * Ridge penalty from 0 up; 0 unless given. The log-likelihood loses penalty / 2 times the weight of all sets times the sum of
   * the squared coefficients of the covariates divided by their standard deviations within sets.
   */
  readonly penalty?: number;
}

/** Coefficients of utility with their uncertainty: what predictions and willingness to pay need. */
export interface UtilityCoefficients {
  /** Change of utility for one unit of each covariate. */
  readonly coefficients: Readonly<Record<string, number>>;
  /** Covariance of the coefficients, in their order. */
  readonly covariance: readonly (readonly number[])[];
}

/** A fitted conditional (multinomial) logit model. */
export interface ConditionalLogitFit extends UtilityCoefficients {
  readonly model: "conditional logit";
  /** Standard errors of the coefficients, of the kind asked for. */
  readonly standardErrors: Readonly<Record<string, number>>;
  /** Coefficient / standard error. */
  readonly z: Readonly<Record<string, number>>;
  /** Two-sided p values of z. */
  readonly p: Readonly<Record<string, number>>;
  /** Kind of the standard errors and the covariance. */
  readonly errors: "model" | "set" | "respondent";
  /** Log-likelihood, without the penalty. */
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
  /** Test of all coefficients at once against equal shares. */
  readonly likelihoodRatioTest: {
    readonly chiSquare: number;
    readonly degreesOfFreedom: number;
    readonly p: number;
  };
  /** Largest element of the gradient at the estimate, per unit of each scaled covariate. */
  readonly gradientNorm: number;
  /** Choices, weights counted. */
  readonly observations: number;
  /** Respondents. */
  readonly respondents: number;
  /** Ridge penalty. */
  readonly penalty: number;
  /** Newton steps taken. */
  readonly iterations: number;
}

/**
 * Conditional logit model (multinomial logit on attributes of the alternatives): in a set, an alternative of utility V is
 * chosen with probability exp(V) / (sum of exp(V) over the set), V being linear in the covariates. Maximum likelihood by
 * Newton's method with analytic gradient and Hessian; the likelihood is concave, so the maximum is the only one.
 * @throws DataError if the choices are bad (see `choiceDesign`), there is no covariate, or covariates do not vary within
 * sets or are linear combinations of each other; ConvergenceError naming covariates whose coefficient would be infinite;
 * RangeError if the penalty is negative, or errors by respondent are asked for without respondents.
 * @see McFadden (1974), Conditional Logit Analysis of Qualitative Choice Behavior; Train (2009), Discrete Choice Methods
 * with Simulation, 2nd ed., chapter 3.
 */
export function fitConditionalLogit(
  rows: ChoiceRows,
  attributes: AttributeColumns,
  options: ConditionalLogitOptions = {},
): ConditionalLogitFit {
  return fitSameTastes({ model: "conditional logit", penalisable: true }, rows, attributes, options);
}

/**
 * The conditional logit that another model begins with: messages name that model, and advise a penalty only if it takes one.
 * @throws as `fitConditionalLogit`.
 */
export function fitSameTastes(
  { model, penalisable }: { readonly model: string; readonly penalisable: boolean },
  rows: ChoiceRows,
  attributes: AttributeColumns,
  { errors = "model", penalty = 0 }: ConditionalLogitOptions = {},
): ConditionalLogitFit {
  requireFromZero({ penalty });
  requireOneOf("errors", errors, ["model", "set", "respondent"]);
  if (errors === "respondent" && !rows.respondent) {
    throw new RangeError('errors by "respondent" need the column respondent, got none');
  }
  const design = choiceDesign(rows, attributes);
  const { names, weight } = design;
  if (names.length === 0) throw new DataError("attributes must have at least one column, got none");
  const { scaled, scale, ranges } = scaledWithinSets(design);
  const total = weight.reduce((sum, value) => sum + value, 0);
  const { beta, state, start, inverse, iterations } = fitConcave({
    model,
    penalisable,
    names,
    likelihood: (at) => likelihoodAt(scaled, at),
    ranges,
    ridge: names.map(() => penalty * total),
    idle: "must vary within choice sets",
    separated: "some value of it is never chosen where there is another, or always",
  });
  const bread = inverse;
  const spread = errors === "model" ? bread : sandwich(scaled, beta, bread, errors);
  const covariance = spread.map((row, i) =>
    row.map((value, j) => value / ((scale[i] as number) * (scale[j] as number))),
  );
  const coefficients = Array.from(beta, (value, j) => value / (scale[j] as number));
  const standardErrors = covariance.map((row, j) => Math.sqrt(row[j] as number));
  const z = coefficients.map((value, j) => value / (standardErrors[j] as number));
  const byName = (values: readonly number[]): Readonly<Record<string, number>> =>
    Object.freeze(Object.fromEntries(names.map((name, j) => [name, values[j] as number])));
  const chiSquare = 2 * (state.logLikelihood - start.logLikelihood);
  return Object.freeze({
    model: "conditional logit",
    coefficients: byName(coefficients),
    standardErrors: byName(standardErrors),
    z: byName(z),
    p: byName(z.map(twoSidedP)),
    covariance,
    errors,
    logLikelihood: state.logLikelihood,
    nullLogLikelihood: start.logLikelihood,
    mcFaddenR2: 1 - state.logLikelihood / start.logLikelihood,
    rootLikelihood: Math.exp(state.logLikelihood / total),
    aic: 2 * names.length - 2 * state.logLikelihood,
    bic: names.length * Math.log(total) - 2 * state.logLikelihood,
    likelihoodRatioTest: Object.freeze({
      chiSquare,
      degreesOfFreedom: names.length,
      p: chiSquareTail(chiSquare, names.length),
    }),
    gradientNorm: Math.max(
      ...state.score.map((slope, j) => Math.abs(slope - penalty * total * (beta[j] as number))),
    ),
    observations: total,
    respondents: design.respondents.length,
    penalty,
    iterations,
  });
}

/** Covariates divided by their standard deviation around the mean of each set; it does not matter which, but for rounding. */
export function scaledWithinSets(design: ChoiceDesign): {
  readonly scaled: ChoiceDesign;
  readonly scale: readonly number[];
  readonly ranges: readonly number[];
} {
  const { names, x, setStart } = design;
  const p = names.length;
  const alternatives = x.length / p;
  const squares = new Float64Array(p);
  const ranges = new Float64Array(p);
  for (let set = 0; set + 1 < setStart.length; set++) {
    const [from, to] = [setStart[set] as number, setStart[set + 1] as number];
    for (let j = 0; j < p; j++) {
      const first = x[from * p + j] as number;
      let [low, high, sum] = [first, first, 0];
      for (let row = from; row < to; row++) {
        const value = x[row * p + j] as number;
        low = Math.min(low, value);
        high = Math.max(high, value);
        sum += value - first;
      }
      const mean = first + sum / (to - from);
      for (let row = from; row < to; row++)
        squares[j] = (squares[j] as number) + ((x[row * p + j] as number) - mean) ** 2;
      ranges[j] = Math.max(ranges[j] as number, high - low);
    }
  }
  const scale = Array.from(squares, (sum) => Math.sqrt(sum / alternatives) || 1);
  const scaledX = x.map((value, place) => value / (scale[place % p] as number));
  return {
    scaled: { ...design, x: scaledX },
    scale,
    ranges: Array.from(ranges, (range, j) => range / (scale[j] as number)),
  };
}

/** A logit's log-likelihood at some coefficients. */
export interface LogitAt extends LikelihoodAt {
  readonly score: Float64Array;
}

/** Log-likelihood, gradient and information of the coefficients; utilities are shifted by the largest of each set. */
export function likelihoodAt(design: ChoiceDesign, beta: Float64Array): LogitAt {
  const { x, setStart, choice, weight } = design;
  const p = beta.length;
  const score = new Float64Array(p);
  const packed = new Float64Array((p * (p + 1)) / 2);
  const mean = new Float64Array(p);
  let logLikelihood = 0;
  let lost = 0; // Kahan's sum
  let probabilities = new Float64Array(16);
  for (let set = 0; set < choice.length; set++) {
    const [from, to] = [setStart[set] as number, setStart[set + 1] as number];
    const w = weight[set] as number;
    if (w === 0) continue;
    if (to - from > probabilities.length) probabilities = new Float64Array(2 * (to - from));
    let largest = Number.NEGATIVE_INFINITY;
    for (let row = from; row < to; row++) {
      let utility = 0;
      for (let j = 0, at = row * p; j < p; j++, at++) utility += (x[at] as number) * (beta[j] as number);
      probabilities[row - from] = utility;
      if (utility > largest) largest = utility;
    }
    const chosen = choice[set] as number;
    const chosenUtility = (probabilities[chosen - from] as number) - largest;
    let sum = 0;
    for (let k = 0; k < to - from; k++)
      sum += probabilities[k] = Math.exp((probabilities[k] as number) - largest);
    const part = w * (chosenUtility - Math.log(sum)) - lost;
    const next = logLikelihood + part;
    lost = next - logLikelihood - part;
    logLikelihood = next;
    mean.fill(0);
    for (let row = from; row < to; row++) {
      const share = (probabilities[row - from] as number) / sum;
      for (let j = 0, at = row * p; j < p; j++, at++)
        mean[j] = (mean[j] as number) + share * (x[at] as number);
    }
    for (let j = 0; j < p; j++)
      score[j] = (score[j] as number) + w * ((x[chosen * p + j] as number) - (mean[j] as number));
    for (let row = from; row < to; row++) {
      const share = (w * (probabilities[row - from] as number)) / sum;
      const at = row * p;
      for (let i = 0, place = 0; i < p; i++) {
        const left = share * ((x[at + i] as number) - (mean[i] as number));
        for (let j = 0; j <= i; j++, place++)
          packed[place] = (packed[place] as number) + left * ((x[at + j] as number) - (mean[j] as number));
      }
    }
  }
  const information = Array.from({ length: p }, (_, i) =>
    Array.from({ length: p }, (_unused, j) => {
      const [row, column] = i >= j ? [i, j] : [j, i];
      return packed[(row * (row + 1)) / 2 + column] as number;
    }),
  );
  return { logLikelihood, score, information };
}

/** Inverse information times the squared scores, summed by set or respondent, times the inverse information. */
function sandwich(
  design: ChoiceDesign,
  beta: Float64Array,
  bread: readonly (readonly number[])[],
  by: "set" | "respondent",
): number[][] {
  const { choice, respondentStart } = design;
  const groups =
    by === "set" ? Uint32Array.from({ length: choice.length + 1 }, (_, i) => i) : respondentStart;
  return sandwichCovariance(bread, groupScores(design, beta, groups));
}

/** First derivatives of the log-likelihood of groups of sets that begin at `groups`, one group after the other. */
export function groupScores(design: ChoiceDesign, beta: Float64Array, groups: Uint32Array): Float64Array {
  const { x, setStart, choice, weight } = design;
  const p = beta.length;
  const shares = probabilitiesOf(design, beta);
  const scores = new Float64Array((groups.length - 1) * p);
  for (let group = 0; group + 1 < groups.length; group++) {
    for (let set = groups[group] as number; set < (groups[group + 1] as number); set++) {
      const w = weight[set] as number;
      for (let row = setStart[set] as number; row < (setStart[set + 1] as number); row++) {
        const residual = w * (Number(row === choice[set]) - (shares[row] as number));
        for (let j = 0, at = group * p; j < p; j++, at++)
          scores[at] = (scores[at] as number) + residual * (x[row * p + j] as number);
      }
    }
  }
  return scores;
}

/** Probability of every alternative of a design within its set. */
export function probabilitiesOf({ x, setStart }: ChoiceDesign, beta: ArrayLike<number>): Float64Array {
  const p = beta.length;
  const shares = new Float64Array(x.length / p);
  for (let set = 0; set + 1 < setStart.length; set++) {
    const [from, to] = [setStart[set] as number, setStart[set + 1] as number];
    let largest = Number.NEGATIVE_INFINITY;
    for (let row = from; row < to; row++) {
      let utility = 0;
      for (let j = 0; j < p; j++) utility += (x[row * p + j] as number) * (beta[j] as number);
      shares[row] = utility;
      largest = Math.max(largest, utility);
    }
    let sum = 0;
    for (let row = from; row < to; row++) sum += shares[row] = Math.exp((shares[row] as number) - largest);
    for (let row = from; row < to; row++) shares[row] = (shares[row] as number) / sum;
  }
  return shares;
}

/**
 * Probability of each row to be chosen within its set, in the order of the data; 0 for alternatives that are not
 * available. Nobody needs to have chosen: `chosen` is not read.
 * @throws DataError if a covariate of the model is missing or bad, or rows of a set do not stand together.
 */
export function choiceProbabilities(
  { coefficients }: Pick<UtilityCoefficients, "coefficients">,
  rows: Omit<ChoiceRows, "chosen">,
  attributes: AttributeColumns,
): Float64Array {
  const names = Object.keys(coefficients);
  const design = choiceDesign({ ...rows, chosen: firstOfEachSet(rows) }, selectColumns(attributes, names));
  const shares = probabilitiesOf(
    design,
    names.map((name) => coefficients[name] as number),
  );
  const result = new Float64Array(rows.set.length);
  for (const [place, row] of design.row.entries()) result[row] = shares[place] as number;
  return result;
}

/** A stand-in for choices nobody made: the first available alternative of each set. */
export function firstOfEachSet({ set, respondent, available }: Omit<ChoiceRows, "chosen">): Uint8Array {
  const chosen = new Uint8Array(set.length);
  let open = true;
  for (let row = 0; row < set.length; row++) {
    if (row === 0 || set[row] !== set[row - 1] || respondent?.[row] !== respondent?.[row - 1]) open = true;
    if (!open || (available && Number(available[row]) === 0)) continue;
    chosen[row] = 1;
    open = false;
  }
  return chosen;
}
