import { dot, invertSymmetric, type Matrix } from "../numeric/matrix.js";
import type { ChoiceDesign } from "./choice-data.js";
import { groupScores, likelihoodAt, probabilitiesOf } from "./conditional-logit.js";

/**
 * What a latent-class logit is made of. Its parameters stand class after class: first the log odds of membership against the
 * first class (which has none), then the coefficients of utility.
 */
export interface LatentClassProblem {
  /** Choices, each counted once. */
  readonly design: ChoiceDesign;
  readonly classes: number;
  /** How often each respondent counts. */
  readonly weight: Float64Array;
  /** Covariates of membership, a row for each respondent; the first is 1. */
  readonly membership: readonly Float64Array[];
  /** The log-likelihood loses ridge / 2 times the sum of the squared coefficients of utility. */
  readonly ridge: number;
}

const NOTHING = 1e-14; // product of shares of a respondent that is not worth computing with
const HARDLY = 1e-3; // share of a respondent that EM passes over
const FLATTEST = 1e-6; // information added for each choice, where a class has none
const SHORTEST = 1e-6; // share of a step

/** Where the parameters of a class begin: log odds, then coefficients. */
export interface ClassPlace {
  /** Of the log odds; below 0 for the first class. */
  readonly odds: number;
  readonly utility: number;
  readonly end: number;
}

/** Places of the parameters of every class. */
export function classPlaces({ design, classes, membership }: LatentClassProblem): ClassPlace[] {
  const p = design.names.length;
  const m = (membership[0] as Float64Array).length;
  return Array.from({ length: classes }, (_, q) => {
    const odds = q * (m + p) - m;
    return { odds, utility: odds + m, end: odds + m + p };
  });
}

/** Respondents divided over the classes, at some parameters. */
export interface Expectation {
  readonly theta: Float64Array;
  /** Without the penalty. */
  readonly logLikelihood: number;
  /** With the penalty: what is maximised. */
  readonly value: number;
  /** Probability of each class before the choices are known, class after class within a respondent. */
  readonly prior: Float64Array;
  /** The same given the choices. */
  readonly posterior: Float64Array;
}

/** Log-likelihood and membership at some parameters: the E step. */
export function expectation(problem: LatentClassProblem, theta: Float64Array): Expectation {
  const { design, classes, weight, membership, ridge } = problem;
  const { choice, respondentStart } = design;
  const places = classPlaces(problem);
  const prior = priorsAt(problem, theta);
  const joint = prior.map(Math.log);
  let penalty = 0;
  for (const [q, { utility, end }] of places.entries()) {
    const beta = theta.subarray(utility, end);
    penalty += (ridge / 2) * dot(beta, beta);
    const shares = probabilitiesOf(design, beta);
    for (let who = 0; who < weight.length; who++) {
      let sum = joint[who * classes + q] as number;
      for (let set = respondentStart[who] as number; set < (respondentStart[who + 1] as number); set++)
        sum += Math.log(shares[choice[set] as number] as number);
      joint[who * classes + q] = sum;
    }
  }
  const posterior = new Float64Array(joint.length);
  let logLikelihood = 0;
  for (let who = 0; who < membership.length; who++)
    logLikelihood += (weight[who] as number) * fillShares(posterior, joint, who * classes, classes);
  return { theta, logLikelihood, value: logLikelihood - penalty, prior, posterior };
}

/** Probability of each class for every respondent by covariates alone, class after class within a respondent. */
export function priorsAt(problem: LatentClassProblem, theta: Float64Array): Float64Array {
  const { classes, membership } = problem;
  const places = classPlaces(problem);
  const odds = new Float64Array(membership.length * classes);
  for (const [who, z] of membership.entries())
    for (let q = 1; q < classes; q++) {
      const { odds: from, utility: to } = places[q] as ClassPlace;
      odds[who * classes + q] = dot(z, theta.subarray(from, to));
    }
  const prior = new Float64Array(odds.length);
  for (let at = 0; at < odds.length; at += classes) fillShares(prior, odds, at, classes);
  return prior;
}

/** Shares in proportion to exp(logs) for `count` elements from `at`; gives the logarithm of the sum. */
function fillShares(shares: Float64Array, logs: Float64Array, at: number, count: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let k = at; k < at + count; k++) largest = Math.max(largest, logs[k] as number);
  let sum = 0;
  for (let k = at; k < at + count; k++) sum += shares[k] = Math.exp((logs[k] as number) - largest);
  for (let k = at; k < at + count; k++) shares[k] = (shares[k] as number) / sum;
  return largest + Math.log(sum);
}

/** Slope of the (penalised) log-likelihood, and minus its curvature if the classes of the respondents were known. */
export interface CompleteDerivatives {
  readonly score: Float64Array;
  readonly information: number[][];
}

/**
 * Derivatives with the classes as if known by the posterior: what the M step needs. The slope is that of the likelihood itself.
 * `least`: Respondents are passed over in a class that has no larger share of them.
 */
export function completeDerivatives(
  problem: LatentClassProblem,
  at: Expectation,
  least = 0,
): CompleteDerivatives {
  const { design, classes, weight, membership, ridge } = problem;
  const { theta, prior, posterior } = at;
  const score = new Float64Array(theta.length);
  const information = Array.from(theta, () => Array.from(theta, () => 0));
  for (const [q, { odds, utility, end }] of classPlaces(problem).entries()) {
    const beta = theta.subarray(utility, end);
    const own = likelihoodAt({ ...design, weight: classWeights(problem, posterior, q, least) }, beta);
    for (const [i, row] of own.information.entries()) {
      score[utility + i] = (own.score[i] as number) - ridge * (beta[i] as number);
      const target = information[utility + i] as number[];
      for (const [j, value] of row.entries()) target[utility + j] = i === j ? value + ridge : value;
    }
    if (odds < 0) continue;
    for (const [who, z] of membership.entries()) {
      const w = weight[who] as number;
      const place = who * classes + q;
      const surplus = w * ((posterior[place] as number) - (prior[place] as number));
      for (const [i, value] of z.entries()) score[odds + i] = (score[odds + i] as number) + surplus * value;
    }
  }
  addSpread(information, problem, prior, 1, (who) =>
    Array.from({ length: classes }, () => membership[who] as Float64Array),
  );
  return { score, information };
}

/**
 * One iteration of EM, whose M step is one Newton step for each class, shortened until the likelihood rises; the same place if
 * it does not.
 * @see Lange (1995), A Gradient Algorithm Locally Equivalent to the EM Algorithm, JRSS B 57(2); Train (2008), EM Algorithms
 * for Nonparametric Estimation of Mixing Distributions, Journal of Choice Modelling 1(1).
 */
export function emStep(problem: LatentClassProblem, here: Expectation): Expectation {
  const { score, information } = completeDerivatives(problem, here, HARDLY);
  const floor = FLATTEST * problem.design.choice.length;
  const inverse = invertSymmetric(
    information.map((row, i) => row.map((value, j) => (i === j ? value + floor : value))),
  );
  if (!inverse) return here;
  const step = inverse.map((row) => dot(row, score));
  for (let factor = 1; factor > SHORTEST; factor /= 2) {
    const theta = here.theta.map((value, i) => value + factor * (step[i] as number));
    const next = expectation(problem, theta);
    if (next.value >= here.value) return next;
  }
  return here;
}

/** Weight of every set: that of the respondent, as far as he is in the class. */
function classWeights(
  { design, classes, weight }: LatentClassProblem,
  posterior: Float64Array,
  q: number,
  least: number,
): Float64Array {
  const { respondentStart, choice } = design;
  const result = new Float64Array(choice.length);
  for (const [who, w] of weight.entries()) {
    const share = posterior[who * classes + q] as number;
    if (share > least) result.fill(w * share, respondentStart[who], respondentStart[who + 1]);
  }
  return result;
}

/**
 * Minus the second derivatives of the (penalised) log-likelihood, and the first of each respondent's log-likelihood, one
 * respondent after the other: the information that known classes would give, less what is missing because they are not known.
 * @see Louis (1982), Finding the Observed Information Matrix when Using the EM Algorithm, JRSS B 44(2).
 */
export function observedInformation(
  problem: LatentClassProblem,
  at: Expectation,
): { readonly information: Matrix; readonly scores: Float64Array } {
  const { design, classes, weight, membership } = problem;
  const { theta, prior, posterior } = at;
  const { information } = completeDerivatives(problem, at);
  const places = classPlaces(problem);
  const p = design.names.length;
  const slopes = places.map(({ utility, end }) =>
    groupScores(design, theta.subarray(utility, end), design.respondentStart),
  );
  addSpread(information, problem, posterior, -1, (who) => {
    const z = membership[who] as Float64Array;
    return slopes.map((slope) => Float64Array.of(...z, ...slope.subarray(who * p, (who + 1) * p)));
  });
  const scores = new Float64Array(membership.length * theta.length);
  for (const [q, { odds, utility }] of places.entries()) {
    for (const [who, row] of membership.entries()) {
      const from = who * theta.length;
      const place = who * classes + q;
      const w = weight[who] as number;
      const own = posterior[place] as number;
      if (odds >= 0)
        for (const [i, value] of row.entries())
          scores[from + odds + i] = w * (own - (prior[place] as number)) * value;
      for (let j = 0; j < p; j++)
        scores[from + utility + j] = w * own * ((slopes[q] as Float64Array)[who * p + j] as number);
    }
  }
  return { information, scores };
}

/**
 * Adds the covariance, over the classes of a respondent, of a vector that each class has, times `sign` and the weight of the
 * respondent, for all respondents. The elements of a vector belong to the parameters of its class from the first on.
 */
function addSpread(
  matrix: number[][],
  problem: LatentClassProblem,
  shares: Float64Array,
  sign: 1 | -1,
  vectorsOf: (who: number) => readonly Float64Array[],
): void {
  const { classes, weight } = problem;
  const places = classPlaces(problem);
  for (const [who, w] of weight.entries()) {
    const vectors = vectorsOf(who);
    for (const [q, left] of vectors.entries()) {
      const share = shares[who * classes + q] as number;
      const from = (places[q] as ClassPlace).odds;
      for (const [r, right] of vectors.entries()) {
        const factor = sign * w * share * (Number(q === r) - (shares[who * classes + r] as number));
        if (Math.abs(factor) < NOTHING) continue;
        const to = (places[r] as ClassPlace).odds;
        for (let i = Math.max(0, -from); i < left.length; i++) {
          const row = matrix[from + i] as number[];
          const value = factor * (left[i] as number);
          for (let j = Math.max(0, -to); j < right.length; j++)
            row[to + j] = (row[to + j] as number) + value * (right[j] as number);
        }
      }
    }
  }
}
