import { setImmediate } from "node:timers/promises";
import { dot } from "../numeric/matrix.js";
import { type Random, randomSource } from "../numeric/random.js";
import { drawGamma, drawNormal } from "../numeric/sampling.js";

/** What all chains of a hierarchical logit share: data and priors on the scale of the sampler. */
export interface ChainSetup {
  /**
   * Covariates of each alternative that was not chosen, less those of the one that was. Respondent after respondent: the
   * first covariate of all their rows, then the second, and so on.
   */
  readonly x: Float64Array;
  /** First of these rows of each set, and their number as one element more. */
  readonly setStart: Uint32Array;
  /** Weight of each set. */
  readonly weight: Float64Array;
  /** First set of each respondent, and the number of sets as one element more. */
  readonly respondentStart: Uint32Array;
  /** Respondents' covariates, a constant first; respondent after respondent. */
  readonly z: Float64Array;
  /** For each coefficient 0 if free, else its sign: then the model is about the logarithm of its size. */
  readonly sign: Float64Array;
  /** Prior precision of the upper level's coefficients: constant first, each for all covariates of the choices. */
  readonly precision: Float64Array;
  /** What is believed of the heterogeneity. */
  readonly heterogeneity: InverseWishart | HalfT | CommonScale;
  /** Sweeps that adapt the sampler, and sweeps kept after them. */
  readonly warmup: number;
  readonly iterations: number;
  /** Every so many sweeps the individual coefficients are kept. */
  readonly thin: number;
  /** Seed of each chain. */
  readonly seeds: readonly number[];
  /** Shared memory: not 0 in the first element stops the chains; then the sweeps done of each chain. */
  readonly control: Int32Array;
}

/** An inverse Wishart distribution of a covariance. */
export interface InverseWishart {
  readonly freedom: number;
  /** Scale matrix, row after row. */
  readonly scale: Float64Array;
}

/**
 * A covariance whose standard deviations have half-t distributions with 2 degrees of freedom and whose correlations are all
 * equally likely: inverse Wishart with p + 1 degrees of freedom and scale 4 diag(1 / a), a_j being inverse gamma with shape
 * 1/2 and scale 1 / A_j^2. Without the a its density of a precision P has, in place of exp(-tr(V P) / 2), the product of
 * (2 P_jj + 1 / A_j^2)^(-(p + 2) / 2).
 * @see Huang & Wand (2013), Simple Marginally Noninformative Prior Distributions for Covariance Matrices, Bayesian Analysis
 * 8(2).
 */
export interface HalfT {
  /** The scales A of the standard deviations. */
  readonly scales: Float64Array;
}

/**
 * The same with one a for all, a matrix M that says how coefficients differ in scale and hang together, and 6 degrees of
 * freedom in place of 2, with which shapes far from M are rare: inverse Wishart with p + 5 degrees of freedom and scale
 * 12 M / a, a being inverse gamma with shape 1/2 and scale 1. Standard deviations have half-t distributions with the roots of
 * M's diagonal as scales. Without a, the density of a precision P has (6 tr(M P) + 1)^(-(p (p + 5) + 1) / 2).
 */
export interface CommonScale {
  /** M, row after row. */
  readonly guess: Float64Array;
}

/** What a chain has drawn, on the scale of the sampler. */
export interface ChainDraws {
  /** Sweep after sweep: coefficients of the upper level, then the lower triangle of the heterogeneity's covariance. */
  readonly population: Float64Array;
  /** Log-likelihood of the choices after each sweep. */
  readonly logLikelihood: Float64Array;
  /** Individual coefficients of the kept sweeps: draw, respondent, coefficient. */
  readonly individual: Float32Array;
  /** Sums and sums of squares of the individual coefficients (with their sign) over all sweeps. */
  readonly sum: Float64Array;
  readonly squares: Float64Array;
  /** Share of proposals accepted: of the respondents, and of the population. */
  readonly acceptance: { readonly individual: number; readonly population: number };
}

const T_FREEDOM = 2; // of the half-t prior: with 2, correlations of any size are equally likely
const COMMON_FREEDOM = 6; // of the half-t prior of a common scale
const INDIVIDUAL_LEAPS = 3; // of about 0.8
// Of about 0.5. Given the respondents' places the covariance is less certain than the curvature there tells, where people
// make few choices each: paths that would turn half round if it told the truth go far enough.
const POPULATION_LEAPS = 8;
const LONGEST_STEP = 1; // longer ones turn back
const ACCEPTANCE = 0.85;
const SCALE_MOVES = { common: 3, own: 1 }; // a sweep, by whether coefficients have a common scale or their own
const SCALE_ACCEPTANCE = 0.44; // best for moves in one dimension
const BETWEEN_CURVATURES = 10; // sweeps
const BETWEEN_PAUSES = 25; // sweeps

/**
 * One chain of a hierarchical logit model as a function of its number. A sweep draws (1) every respondent's coefficients by
 * a short Hamiltonian path, preconditioned by their own information and the heterogeneity; (2) the covariance of the
 * heterogeneity and (3) the upper level's coefficients from their exact conditional distributions; (4) the upper level's
 * coefficients and that covariance once more, taking the respondents with them (non-centred); (5) the size of that covariance,
 * respondents going half the way. Alternating (3) and (4) mixes well where either alone does not: with much and with little
 * data a respondent.
 * It runs in a worker thread (see `fitHierarchicalBayes`).
 * @see Rossi, Allenby & McCulloch (2005), Bayesian Statistics and Marketing, chapter 5; Neal (2011), MCMC Using Hamiltonian
 * Dynamics, Handbook of Markov Chain Monte Carlo, chapter 5; Yu & Meng (2011), To Center or Not to Center: That Is Not the
 * Question, J. Computational and Graphical Statistics 20(3).
 */
export function hierarchicalBayesWorker(setup: ChainSetup) {
  return async (chain: number): Promise<ChainDraws> => {
    const { control, warmup, iterations, seeds } = setup;
    const state = startOf(setup, randomSource(seeds[chain] as number));
    const record = recorder(setup, state);
    const scaleMoves = "guess" in setup.heterogeneity ? SCALE_MOVES.common : SCALE_MOVES.own;
    for (let sweep = 1; sweep <= warmup + iterations; sweep++) {
      const adapting = sweep <= warmup ? sweep : undefined;
      if (adapting !== undefined && sweep % BETWEEN_CURVATURES === 1) updateCurvature(setup, state, sweep);
      drawIndividuals(setup, state, adapting);
      drawHeterogeneity(setup, state);
      drawUpper(setup, state);
      drawUpperAndSpread(setup, state, adapting);
      for (let move = 0; move < scaleMoves; move++) drawScale(setup, state, adapting);
      if (sweep > warmup) record.add(sweep - warmup - 1);
      Atomics.store(control, chain + 1, sweep);
      if (sweep % BETWEEN_PAUSES === 0) await setImmediate(); // lets others run, who may stop it
      if (Atomics.load(control, 0) !== 0) break;
    }
    return record.draws;
  };
}

/** Where a chain is. Matrices are flat, row after row. */
interface ChainState {
  readonly random: Random;
  readonly likelihood: Likelihood;
  readonly respondents: number;
  /** Coefficients, covariates of a respondent (constant included). */
  readonly p: number;
  readonly m: number;
  /** Individual coefficients, the log-likelihood of each respondent's choices, and its gradient. */
  b: Float64Array;
  gradient: Float64Array;
  logLikelihood: Float64Array;
  /** Coefficients of the upper level, m x p, and the heterogeneity's precision and covariance, p x p. */
  readonly upper: Float64Array;
  readonly precision: Float64Array;
  readonly covariance: Float64Array;
  /** Information about each respondent's coefficients, averaged over the warm-up. */
  readonly information: Float64Array;
  /** With it, the slope of each respondent's log-likelihood at 0 if it were quadratic, averaged likewise. */
  readonly slopeAtZero: Float64Array;
  /** Curvature of the log density when upper level and covariance change and respondents move along, averaged; its factor. */
  readonly curvature: Float64Array;
  readonly curvatureFactor: Float64Array;
  /** Step of each respondent, and of the population. */
  readonly step: Float64Array;
  populationStep: number;
  /** Standard deviation of the logarithm of the factors proposed for all spreads together. */
  scaleStep: number;
  /** Acceptance probabilities added up over the sweeps after the warm-up. */
  accepted: { individual: number; population: number };
}

/** Twice the power, and the base, of what the prior of a common scale has in place of exp(-tr(V P) / 2). */
function commonScaleOf({ guess }: CommonScale, precision: Float64Array, p: number) {
  return { power: p * (p + COMMON_FREEDOM - 1) + 1, base: COMMON_FREEDOM * dot(guess, precision) + 1 };
}

const freedomOf = ({ heterogeneity: prior, sign }: ChainSetup): number =>
  "freedom" in prior ? prior.freedom : sign.length + ("guess" in prior ? COMMON_FREEDOM : T_FREEDOM) - 1;

/** Twice the part of the prior's minus log density that is not of the determinant. */
function pullOf({ heterogeneity: prior }: ChainSetup, precision: Float64Array, p: number): number {
  if ("freedom" in prior) return dot(prior.scale, precision);
  if ("guess" in prior) {
    const { power, base } = commonScaleOf(prior, precision, p);
    return power * Math.log(base);
  }
  return prior.scales.reduce(
    (sum, scale, j) =>
      sum + (p + T_FREEDOM) * Math.log(T_FREEDOM * (precision[j * (p + 1)] as number) + scale ** -2),
    0,
  );
}

/**
 * Scale matrix of the inverse Wishart prior, or of the one that is as steep as the prior at a precision; drawn given that
 * precision, if there is a source of randomness.
 */
function scaleAt(
  { heterogeneity: prior }: ChainSetup,
  precision: Float64Array,
  p: number,
  random?: Random,
): Float64Array {
  if ("freedom" in prior) return prior.scale.slice();
  if ("guess" in prior) {
    const { power, base } = commonScaleOf(prior, precision, p);
    const factor = (2 * COMMON_FREEDOM * (random ? drawGamma(random, power / 2, 1) : power / 2)) / base;
    return prior.guess.map((value) => factor * value);
  }
  const result = new Float64Array(p * p);
  for (const [j, scale] of prior.scales.entries()) {
    const rate = T_FREEDOM * (precision[j * (p + 1)] as number) + scale ** -2;
    const shape = (p + T_FREEDOM) / 2;
    result[j * (p + 1)] = (2 * T_FREEDOM * (random ? drawGamma(random, shape, 1) : shape)) / rate;
  }
  return result;
}

/**
 * About the second derivative of the prior's minus log density by the size of row j of L (see `drawUpperAndSpread`), given
 * the precision and the scale matrix there (`scaleAt`).
 */
function bendOf(
  { heterogeneity: prior, sign }: ChainSetup,
  precision: Float64Array,
  scale: Float64Array,
  j: number,
  size: number,
): number {
  const p = sign.length;
  const own = precision[j * (p + 1)] as number;
  if (!("scales" in prior)) return (2 * (scale[j * (p + 1)] as number) * own) / size ** 2;
  const width = (prior.scales[j] as number) ** -2;
  return ((p + T_FREEDOM) * width) / ((T_FREEDOM * own + width) * size ** 2);
}

/** Row j of a lower triangular matrix, in units of its diagonal, times the distances of a respondent. */
function rowTimes(lower: Float64Array, j: number, distance: Float64Array, who: number): number {
  const p = Math.sqrt(lower.length);
  let sum = 0;
  for (let k = 0; k <= j; k++) sum += (lower[j * p + k] as number) * (distance[who * p + k] as number);
  return sum / (lower[j * (p + 1)] as number);
}

/** Mean of a respondent's coefficients given the upper level. */
function meanOf(setup: ChainSetup, { upper, m, p }: ChainState, who: number, mean: Float64Array): void {
  mean.fill(0);
  for (let c = 0, at = 0; c < m; c++) {
    const z = setup.z[who * m + c] as number;
    for (let j = 0; j < p; j++, at++) mean[j] = (mean[j] as number) + z * (upper[at] as number);
  }
}

/** Chains start far from each other, so that those which agree have forgotten where. */
function startOf(setup: ChainSetup, random: Random): ChainState {
  const p = setup.sign.length;
  const respondents = setup.respondentStart.length - 1;
  const m = setup.z.length / respondents;
  const size = m * p + (p * (p + 1)) / 2;
  const identity = Float64Array.from({ length: p * p }, (_, at) => Number(at % (p + 1) === 0));
  const state: ChainState = {
    random,
    likelihood: respondentLikelihood(setup),
    respondents,
    p,
    m,
    b: new Float64Array(respondents * p),
    gradient: new Float64Array(respondents * p),
    logLikelihood: new Float64Array(respondents),
    upper: new Float64Array(m * p),
    precision: identity.slice(),
    covariance: identity,
    information: new Float64Array(respondents * p * p),
    slopeAtZero: new Float64Array(respondents * p),
    curvature: new Float64Array(size * size),
    curvatureFactor: new Float64Array(size * size),
    step: new Float64Array(respondents).fill(0.5),
    populationStep: 0.5,
    scaleStep: 0.5,
    accepted: { individual: 0, population: 0 },
  };
  for (let j = 0; j < p; j++) state.upper[j] = drawNormal(random);
  const mean = new Float64Array(p);
  for (let who = 0; who < respondents; who++) {
    meanOf(setup, state, who, mean);
    for (let j = 0; j < p; j++) state.b[who * p + j] = (mean[j] as number) + drawNormal(random);
    state.logLikelihood[who] = state.likelihood(who, state.b, state.gradient);
  }
  return state;
}

const MOST_PRODUCT = 1e250;

/** Log-likelihood of a respondent's choices at the coefficients in `b`; its gradient goes to the same place of `gradient`. */
type Likelihood = (who: number, b: Float64Array, gradient: Float64Array) => number;

/**
 * The alternative chosen has utility 0. Loops run along the columns of a respondent, and the sums of sets are multiplied up,
 * so that a logarithm is taken only now and then: nearly all of a fit's time is spent here.
 */
function respondentLikelihood({ x, setStart, weight, respondentStart, sign }: ChainSetup): Likelihood {
  const p = sign.length;
  const shares = new Float64Array(mostRows(setStart, respondentStart));
  return (who, b, gradient) => {
    const base = who * p;
    const firstSet = respondentStart[who] as number;
    const lastSet = respondentStart[who + 1] as number;
    const first = setStart[firstSet] as number;
    const rows = (setStart[lastSet] as number) - first;
    shares.fill(0, 0, rows);
    for (let j = 0, at = first * p; j < p; j++) {
      const value = b[base + j] as number;
      const s = sign[j] as number;
      const coefficient = s === 0 ? value : s * Math.exp(value);
      gradient[base + j] = s === 0 ? 1 : coefficient; // its change with b, for now
      for (let row = 0; row < rows; row++, at++)
        shares[row] = (shares[row] as number) + (x[at] as number) * coefficient;
    }
    let logLikelihood = 0;
    let productOfSums = 1;
    for (let set = firstSet, row = 0; set < lastSet; set++) {
      const end = (setStart[set + 1] as number) - first;
      let most = 0;
      for (let k = row; k < end; k++) if ((shares[k] as number) > most) most = shares[k] as number;
      let sum = most === 0 ? 1 : Math.exp(-most);
      for (let k = row; k < end; k++) sum += shares[k] = Math.exp((shares[k] as number) - most);
      const w = weight[set] as number;
      if (w === 1) {
        logLikelihood -= most;
        productOfSums *= sum;
        if (productOfSums > MOST_PRODUCT) {
          logLikelihood -= Math.log(productOfSums);
          productOfSums = 1;
        }
      } else logLikelihood -= w * (most + Math.log(sum));
      const factor = w / sum;
      for (; row < end; row++) shares[row] = (shares[row] as number) * factor;
    }
    for (let j = 0, at = first * p; j < p; j++) {
      let even = 0; // two sums: each addition waits for the last one of its own sum only
      let odd = 0;
      let row = 0;
      for (; row + 1 < rows; row += 2, at += 2) {
        even += (shares[row] as number) * (x[at] as number);
        odd += (shares[row + 1] as number) * (x[at + 1] as number);
      }
      if (row < rows) even += (shares[row] as number) * (x[at++] as number);
      gradient[base + j] = -(even + odd) * (gradient[base + j] as number);
    }
    return logLikelihood - Math.log(productOfSums);
  };
}

/** Rows of the respondent with most of them. */
function mostRows(setStart: Uint32Array, respondentStart: Uint32Array): number {
  const first = respondentStart.map((set) => setStart[set] as number);
  return first.reduce((most, row, who) => Math.max(most, row - (first[who - 1] ?? 0)), 0);
}

/** Adds `factor` times the information of a respondent's choices at `b` to the p x p matrix of the respondent in `to`. */
function addInformation(
  setup: ChainSetup,
  who: number,
  b: Float64Array,
  factor: number,
  to: Float64Array,
): void {
  const { x, setStart, weight, respondentStart, sign } = setup;
  const p = sign.length;
  const [firstSet, lastSet] = [respondentStart[who] as number, respondentStart[who + 1] as number];
  const first = setStart[firstSet] as number;
  const rows = (setStart[lastSet] as number) - first;
  const change = new Float64Array(p); // of the coefficient with b
  const column = (j: number): number => first * p + j * rows;
  const utilities = new Float64Array(rows);
  for (let j = 0; j < p; j++) {
    const value = b[who * p + j] as number;
    const coefficient = sign[j] === 0 ? value : (sign[j] as number) * Math.exp(value);
    change[j] = sign[j] === 0 ? 1 : coefficient;
    for (let row = 0; row < rows; row++)
      utilities[row] = (utilities[row] as number) + (x[column(j) + row] as number) * coefficient;
  }
  const mean = new Float64Array(p);
  for (let set = firstSet; set < lastSet; set++) {
    const [from, end] = [(setStart[set] as number) - first, (setStart[set + 1] as number) - first];
    const most = Math.max(0, ...utilities.subarray(from, end));
    let sum = Math.exp(-most);
    for (let row = from; row < end; row++)
      sum += utilities[row] = Math.exp((utilities[row] as number) - most);
    const w = factor * (weight[set] as number);
    for (let i = 0; i < p; i++) {
      mean[i] = 0;
      for (let row = from; row < end; row++)
        mean[i] = (mean[i] as number) + ((utilities[row] as number) / sum) * (x[column(i) + row] as number);
      for (let j = 0; j <= i; j++) {
        let second = -(mean[i] as number) * (mean[j] as number);
        for (let row = from; row < end; row++) {
          const share = (utilities[row] as number) / sum;
          second += share * (x[column(i) + row] as number) * (x[column(j) + row] as number);
        }
        const part = w * second * (change[i] as number) * (change[j] as number);
        const [above, below] = [(who * p + j) * p + i, (who * p + i) * p + j];
        to[below] = (to[below] as number) + part;
        if (above !== below) to[above] = (to[above] as number) + part;
      }
    }
  }
}

/** Averages the curvatures that shape the proposals over the warm-up, later sweeps counting more. */
function updateCurvature(setup: ChainSetup, state: ChainState, sweep: number): void {
  const { respondents, p, m, b, gradient, information, slopeAtZero, precision, covariance } = state;
  const { curvature, curvatureFactor } = state;
  const rate = 2 / (2 + (sweep - 1) / BETWEEN_CURVATURES);
  const informationTimesB = (at: number): number => {
    let sum = 0;
    for (let j = 0, first = at - (at % p); j < p; j++)
      sum += (information[at * p + j] as number) * (b[first + j] as number);
    return sum;
  };
  for (let at = 0; at < information.length; at++) information[at] = (1 - rate) * (information[at] as number);
  for (let at = 0; at < b.length; at++)
    slopeAtZero[at] =
      (1 - rate) * (slopeAtZero[at] as number) + rate * (gradient[at] as number) - informationTimesB(at);
  for (let who = 0; who < respondents; who++) addInformation(setup, who, b, rate, information);
  for (let at = 0; at < b.length; at++) slopeAtZero[at] = (slopeAtZero[at] as number) + informationTimesB(at);
  const size = m * p + (p * (p + 1)) / 2;
  const now = new Float64Array(size * size);
  const spread = lowerFactor(covariance, p);
  const distance = standardisedDistances(setup, state, spread);
  const direction = new Float64Array(size); // change of coefficient moved[a] of a respondent by unit a of the population
  const moved = Array.from({ length: m * p }, (_, at) => at % p);
  for (let j = 0; j < p; j++) for (let k = 0; k <= j; k++) moved.push(j);
  for (let who = 0; who < respondents; who++) {
    for (let c = 0; c < m; c++) direction.fill(setup.z[who * m + c] as number, c * p, (c + 1) * p);
    for (let j = 0, at = m * p; j < p; j++)
      for (let k = 0; k <= j; k++, at++)
        direction[at] =
          k === j
            ? rowTimes(spread, j, distance, who)
            : (spread[j * (p + 1)] as number) * (distance[who * p + k] as number);
    for (let a = 0; a < size; a++) {
      const row = (who * p + (moved[a] as number)) * p;
      for (let d = 0; d <= a; d++) {
        const h = information[row + (moved[d] as number)] as number;
        now[a * size + d] =
          (now[a * size + d] as number) + (direction[a] as number) * (direction[d] as number) * h;
      }
    }
  }
  for (let k = 0; k < m * p; k++)
    now[k * (size + 1)] = (now[k * (size + 1)] as number) + (setup.precision[k] as number);
  const inverse = invertedLower(spread, p);
  const scale = scaleAt(setup, precision, p);
  const prior = product(product(inverse, scale, p), transpose(inverse, p), p); // L^-1 V L'^-1
  for (let j = 0, at = m * p; j < p; j++) {
    const diagonal = spread[j * (p + 1)] as number;
    const own = diagonal ** 2 * (precision[j * (p + 1)] as number);
    for (let k = 0; k <= j; k++, at++) {
      const h = k === j ? bendOf(setup, precision, scale, j, diagonal) : own * (prior[k * (p + 1)] as number);
      now[at * (size + 1)] = (now[at * (size + 1)] as number) + h;
    }
  }
  for (let at = 0; at < now.length; at++)
    curvature[at] = (1 - rate) * (curvature[at] as number) + rate * (now[at] as number);
  curvatureFactor.set(curvature);
  factorise(curvatureFactor, size);
}

/** Distances of all respondents from their means, L^-1 (b - mean). */
function standardisedDistances(setup: ChainSetup, state: ChainState, spread: Float64Array): Float64Array {
  const { respondents, p, b } = state;
  const distances = new Float64Array(respondents * p);
  const own = new Float64Array(p);
  for (let who = 0; who < respondents; who++) {
    meanOf(setup, state, who, own);
    for (let j = 0; j < p; j++) own[j] = (b[who * p + j] as number) - (own[j] as number);
    solveLower(spread, p, own);
    distances.set(own, who * p);
  }
  return distances;
}

/** Moves every respondent by a Hamiltonian path of a few leaps, given the population. */
function drawIndividuals(setup: ChainSetup, state: ChainState, adapting: number | undefined): void {
  const { random, likelihood, respondents, p, b, gradient, logLikelihood, precision, information, step } =
    state;
  const mean = new Float64Array(p);
  const factor = new Float64Array(p * p);
  const [momentum, slope] = [new Float64Array(p), new Float64Array(p)];
  const [before, gradientBefore] = [new Float64Array(p), new Float64Array(p)];
  /** Half the squared distance from the mean; the slope of the whole potential, whitened, goes to `slope`. */
  const potential = (base: number): number => {
    let square = 0;
    for (let i = 0; i < p; i++) {
      let pull = 0;
      for (let j = 0; j < p; j++)
        pull += (precision[i * p + j] as number) * ((b[base + j] as number) - (mean[j] as number));
      square += pull * ((b[base + i] as number) - (mean[i] as number));
      slope[i] = pull - (gradient[base + i] as number);
    }
    solveLower(factor, p, slope);
    return square / 2;
  };
  for (let who = 0; who < respondents; who++) {
    const base = who * p;
    meanOf(setup, state, who, mean);
    for (let at = 0; at < p * p; at++)
      factor[at] = (information[base * p + at] as number) + (precision[at] as number);
    factorise(factor, p);
    const pace = (step[who] as number) * (0.8 + 0.4 * random.uniform());
    let start = potential(base) - (logLikelihood[who] as number);
    for (let j = 0; j < p; j++) {
      const value = drawNormal(random);
      momentum[j] = value;
      start += (value * value) / 2;
      before[j] = b[base + j] as number;
      gradientBefore[j] = gradient[base + j] as number;
    }
    let value = 0;
    let end = 0;
    for (let leap = 1; leap <= INDIVIDUAL_LEAPS; leap++) {
      for (let j = 0; j < p; j++)
        momentum[j] = (momentum[j] as number) - (leap === 1 ? pace / 2 : pace) * (slope[j] as number);
      slope.set(momentum);
      solveUpper(factor, p, slope);
      for (let j = 0; j < p; j++) b[base + j] = (b[base + j] as number) + pace * (slope[j] as number);
      value = likelihood(who, b, gradient);
      end = potential(base) - value;
    }
    for (let j = 0; j < p; j++) {
      const last = (momentum[j] as number) - (pace / 2) * (slope[j] as number);
      end += (last * last) / 2;
    }
    const probability = Math.min(1, Math.exp(start - end)) || 0; // not a number: the path ran away
    if (random.uniform() < probability) logLikelihood[who] = value;
    else {
      b.set(before, base);
      gradient.set(gradientBefore, base);
    }
    if (adapting === undefined) state.accepted.individual += probability / respondents;
    else step[who] = adaptedStep(step[who] as number, probability, adapting);
  }
}

const adaptedStep = (step: number, probability: number, sweep: number, aim = ACCEPTANCE): number =>
  Math.min(LONGEST_STEP, step * Math.exp((probability - aim) / Math.sqrt(sweep)));

/** Draws the covariance of the heterogeneity given all individual coefficients: inverse Wishart (Bartlett's decomposition). */
function drawHeterogeneity(setup: ChainSetup, state: ChainState): void {
  const { random, respondents, p, b, precision, covariance } = state;
  const scale = scaleAt(setup, precision, p, random);
  const mean = new Float64Array(p);
  for (let who = 0; who < respondents; who++) {
    meanOf(setup, state, who, mean);
    for (let j = 0; j < p; j++) mean[j] = (b[who * p + j] as number) - (mean[j] as number);
    for (let i = 0; i < p; i++)
      for (let j = 0; j <= i; j++)
        scale[i * p + j] = (scale[i * p + j] as number) + (mean[i] as number) * (mean[j] as number);
  }
  factorise(scale, p);
  // With scale = L L', the precision is (L'^-1 T)(L'^-1 T)' and its inverse (L T'^-1)(L T'^-1)', T being lower triangular.
  const bartlett = new Float64Array(p * p);
  for (let i = 0; i < p; i++) {
    for (let j = 0; j < i; j++) bartlett[i * p + j] = drawNormal(random);
    bartlett[i * p + i] = Math.sqrt(2 * drawGamma(random, (freedomOf(setup) + respondents - i) / 2, 1));
  }
  const root = new Float64Array(p * p);
  const column = new Float64Array(p);
  for (let j = 0; j < p; j++) {
    for (let i = 0; i < p; i++) column[i] = bartlett[i * p + j] as number;
    solveUpper(scale, p, column);
    for (let i = 0; i < p; i++) root[i * p + j] = column[i] as number;
  }
  precision.set(product(root, transpose(root, p), p));
  for (let i = 0; i < p; i++) {
    for (let j = 0; j < p; j++) column[j] = j <= i ? (scale[i * p + j] as number) : 0;
    solveLower(bartlett, p, column); // row i of L T'^-1 solves T y = (row i of L)'
    for (let j = 0; j < p; j++) root[i * p + j] = column[j] as number;
  }
  covariance.set(product(root, transpose(root, p), p));
}

/** Draws the upper level's coefficients given the individual ones: a regression with known covariance. */
function drawUpper(setup: ChainSetup, state: ChainState): void {
  const { random, respondents, p, m, b, precision, upper } = state;
  const size = m * p;
  const cross = new Float64Array(m * m);
  const sums = new Float64Array(size);
  for (let who = 0; who < respondents; who++) {
    for (let c = 0; c < m; c++) {
      const z = setup.z[who * m + c] as number;
      for (let d = 0; d < m; d++)
        cross[c * m + d] = (cross[c * m + d] as number) + z * (setup.z[who * m + d] as number);
      for (let j = 0; j < p; j++)
        sums[c * p + j] = (sums[c * p + j] as number) + z * (b[who * p + j] as number);
    }
  }
  const factor = new Float64Array(size * size);
  const right = new Float64Array(size);
  for (let c = 0; c < m; c++) {
    for (let i = 0; i < p; i++) {
      const row = c * p + i;
      for (let j = 0; j < p; j++) {
        const h = precision[i * p + j] as number;
        right[row] = (right[row] as number) + h * (sums[c * p + j] as number);
        for (let d = 0; d < m; d++) factor[row * size + d * p + j] = (cross[c * m + d] as number) * h;
      }
      factor[row * (size + 1)] = (factor[row * (size + 1)] as number) + (setup.precision[row] as number);
    }
  }
  factorise(factor, size);
  solveLower(factor, size, right);
  for (let k = 0; k < size; k++) right[k] = (right[k] as number) + drawNormal(random);
  solveUpper(factor, size, right);
  upper.set(right);
}

/**
 * Moves the upper level's coefficients and the covariance L L' of the heterogeneity by a Hamiltonian path, every respondent
 * keeping their place in the population: at the mean plus L times a standardised distance that stays as it is. Coordinates
 * are L's diagonal s and the elements of its rows in units of it. A path may lead an s through 0 to the other sign, which is
 * to say that the correlations of its coefficient change theirs: the half-t prior is smooth there, and standard deviations
 * that may be 0 are no trap. In these coordinates the inverse Wishart prior with v degrees of freedom and scale V has the log
 * density -(v + 1) times the sum of log |s_j| - tr(V (L L')^-1) / 2; for the half-t prior see there.
 */
function drawUpperAndSpread(setup: ChainSetup, state: ChainState, adapting: number | undefined): void {
  const { random, likelihood, respondents, p, m, upper, precision, covariance, curvatureFactor } = state;
  const size = m * p + (p * (p + 1)) / 2;
  const freedom = freedomOf(setup);
  const shift = new Float64Array(size); // of the upper level, then of L row by row
  const slope = new Float64Array(size);
  const momentum = new Float64Array(size);
  const before = upper.slice();
  const mean = new Float64Array(p);
  const spread = lowerFactor(covariance, p); // L
  const spreadBefore = spread.slice();
  let nextPrecision = precision;
  const distance = standardisedDistances(setup, state, spread);
  let b = state.b;
  let gradient = state.gradient;
  let logLikelihood = state.logLikelihood;
  /** Minus the log density; its slope, whitened, goes to `slope`. */
  const potential = (): number => {
    let value = 0;
    slope.fill(0);
    for (let who = 0; who < respondents; who++) {
      value -= logLikelihood[who] as number;
      for (let c = 0, at = 0; c < m; c++) {
        const z = setup.z[who * m + c] as number;
        for (let j = 0; j < p; j++, at++)
          slope[at] = (slope[at] as number) - z * (gradient[who * p + j] as number);
      }
      for (let j = 0, at = m * p; j < p; j++) {
        const up = gradient[who * p + j] as number;
        for (let k = 0; k <= j; k++, at++)
          slope[at] = (slope[at] as number) - up * (distance[who * p + k] as number); // by the element of L, for now
      }
    }
    for (let k = 0; k < m * p; k++) {
      const pull = (setup.precision[k] as number) * (upper[k] as number);
      slope[k] = (slope[k] as number) + pull;
      value += (pull * (upper[k] as number)) / 2;
    }
    const inverse = invertedLower(spread, p);
    nextPrecision = product(transpose(inverse, p), inverse, p);
    const pull = product(nextPrecision, scaleAt(setup, nextPrecision, p), p);
    value += pullOf(setup, nextPrecision, p) / 2;
    for (let j = 0, at = m * p; j < p; j++) {
      const diagonal = spread[j * (p + 1)] as number;
      value += (freedom + 1) * Math.log(Math.abs(diagonal));
      let growth = freedom + 1; // by the logarithm of row j's size
      for (let k = 0; k <= j; k++, at++) {
        // Element (j, k) of (L L')^-1 V L'^-1; row k of L^-1 ends at its diagonal.
        let sum = 0;
        for (let l = 0; l <= k; l++) sum += (pull[j * p + l] as number) * (inverse[k * p + l] as number);
        const own = (slope[at] as number) - sum;
        growth += own * (spread[j * p + k] as number);
        slope[at] = k === j ? growth / diagonal : own * diagonal;
      }
    }
    solveLower(curvatureFactor, size, slope);
    return value;
  };
  let start = potential();
  for (let k = 0; k < size; k++) {
    const value = drawNormal(random);
    momentum[k] = value;
    start += (value * value) / 2;
  }
  b = new Float64Array(b.length);
  gradient = new Float64Array(b.length);
  logLikelihood = new Float64Array(respondents);
  const pace = state.populationStep * (0.8 + 0.4 * random.uniform());
  let end = 0;
  for (let leap = 1; leap <= POPULATION_LEAPS; leap++) {
    for (let k = 0; k < size; k++)
      momentum[k] = (momentum[k] as number) - (leap === 1 ? pace / 2 : pace) * (slope[k] as number);
    slope.set(momentum);
    solveUpper(curvatureFactor, size, slope);
    for (let k = 0; k < size; k++) shift[k] = (shift[k] as number) + pace * (slope[k] as number);
    for (let k = 0; k < m * p; k++) upper[k] = (before[k] as number) + (shift[k] as number);
    for (let j = 0, at = m * p; j < p; at += ++j) {
      const from = spreadBefore[j * (p + 1)] as number;
      const diagonal = from + (shift[at + j] as number);
      for (let k = 0; k < j; k++)
        spread[j * p + k] =
          diagonal * ((spreadBefore[j * p + k] as number) / from + (shift[at + k] as number));
      spread[j * (p + 1)] = diagonal;
    }
    for (let who = 0; who < respondents; who++) {
      meanOf(setup, state, who, mean);
      for (let j = 0; j < p; j++) {
        let value = mean[j] as number;
        for (let k = 0; k <= j; k++)
          value += (spread[j * p + k] as number) * (distance[who * p + k] as number);
        b[who * p + j] = value;
      }
      logLikelihood[who] = likelihood(who, b, gradient);
    }
    end = potential();
  }
  for (let k = 0; k < size; k++) {
    const last = (momentum[k] as number) - (pace / 2) * (slope[k] as number);
    end += (last * last) / 2;
  }
  const probability = Math.min(1, Math.exp(start - end)) || 0;
  if (random.uniform() < probability) {
    Object.assign(state, { b, gradient, logLikelihood });
    precision.set(nextPrecision);
    covariance.set(product(spread, transpose(spread, p), p));
  } else upper.set(before);
  if (adapting === undefined) state.accepted.population += probability;
  else state.populationStep = adaptedStep(state.populationStep, probability, adapting);
}

/**
 * Multiplies all spreads by one factor. Respondents keep their place not in the population but in what is believed of them
 * given it: were their likelihoods quadratic, as on average over the warm-up, that would be normal, and spreads would be drawn
 * as if respondents were integrated out. So it moves far also where all spreads may be next to nothing.
 */
function drawScale(setup: ChainSetup, state: ChainState, adapting: number | undefined): void {
  const { random, likelihood, respondents, p, precision, covariance, information, slopeAtZero } = state;
  const logFactor = state.scaleStep * drawNormal(random);
  const square = Math.exp(2 * logFactor);
  const next = precision.map((value) => value / square);
  const b = new Float64Array(state.b.length);
  const gradient = new Float64Array(b.length);
  const logLikelihood = new Float64Array(respondents);
  const [mean, centre, place] = [new Float64Array(p), new Float64Array(p), new Float64Array(p)];
  const factor = new Float64Array(p * p);
  /** Centre of what is believed of a respondent, and the Cholesky factor of its precision. */
  const believe = (who: number, within: Float64Array): void => {
    for (let i = 0, at = 0; i < p; i++) {
      centre[i] = slopeAtZero[who * p + i] as number;
      for (let j = 0; j < p; j++, at++) {
        factor[at] = (information[who * p * p + at] as number) + (within[at] as number);
        centre[i] = (centre[i] as number) + (within[at] as number) * (mean[j] as number);
      }
    }
    factorise(factor, p);
    solveLower(factor, p, centre);
    solveUpper(factor, p, centre);
  };
  const squaredDistance = (who: number, values: Float64Array): number => {
    let sum = 0;
    for (let i = 0, at = 0; i < p; i++) {
      const own = (values[who * p + i] as number) - (mean[i] as number);
      for (let j = 0; j < p; j++, at++)
        sum += (precision[at] as number) * own * ((values[who * p + j] as number) - (mean[j] as number));
    }
    return sum;
  };
  // Log density of the covariance in the coordinates of `drawUpperAndSpread`, whose volume grows by the factor's power p.
  let gain =
    (pullOf(setup, precision, p) - pullOf(setup, next, p)) / 2 -
    (freedomOf(setup) + respondents) * p * logFactor;
  for (let who = 0; who < respondents; who++) {
    const base = who * p;
    meanOf(setup, state, who, mean);
    believe(who, precision);
    for (let j = 0; j < p; j++) {
      gain += Math.log(factor[j * (p + 1)] as number);
      place[j] = 0;
      for (let i = j; i < p; i++) {
        const distance = (state.b[base + i] as number) - (centre[i] as number);
        place[j] = (place[j] as number) + (factor[i * p + j] as number) * distance;
      }
    }
    believe(who, next);
    solveUpper(factor, p, place);
    for (let j = 0; j < p; j++) {
      gain -= Math.log(factor[j * (p + 1)] as number);
      b[base + j] = (centre[j] as number) + (place[j] as number);
    }
    logLikelihood[who] = likelihood(who, b, gradient);
    gain += (logLikelihood[who] as number) - (state.logLikelihood[who] as number);
    gain += (squaredDistance(who, state.b) - squaredDistance(who, b) / square) / 2;
  }
  const probability = Math.min(1, Math.exp(gain)) || 0;
  if (random.uniform() < probability) {
    Object.assign(state, { b, gradient, logLikelihood });
    precision.set(next);
    covariance.set(covariance.map((value) => value * square));
  }
  if (adapting !== undefined)
    state.scaleStep = adaptedStep(state.scaleStep, probability, adapting, SCALE_ACCEPTANCE);
}

/** Collects what a chain draws. */
function recorder({ sign, iterations, thin }: ChainSetup, state: ChainState) {
  const { p, m, respondents } = state;
  const width = m * p + (p * (p + 1)) / 2;
  const draws = {
    population: new Float64Array(iterations * width),
    logLikelihood: new Float64Array(iterations),
    individual: new Float32Array(Math.floor(iterations / thin) * respondents * p),
    sum: new Float64Array(respondents * p),
    squares: new Float64Array(respondents * p),
    acceptance: { individual: 0, population: 0 },
  };
  const add = (draw: number): void => {
    const { b, upper, covariance, logLikelihood, accepted } = state;
    draws.population.set(upper, draw * width);
    for (let i = 0, at = draw * width + m * p; i < p; i++)
      for (let j = 0; j <= i; j++, at++) draws.population[at] = covariance[i * p + j] as number;
    draws.logLikelihood[draw] = logLikelihood.reduce((sum, value) => sum + value, 0);
    const kept = (draw + 1) % thin === 0 ? ((draw + 1) / thin - 1) * b.length : -1;
    for (let at = 0; at < b.length; at++) {
      const s = sign[at % p] as number;
      const value = s === 0 ? (b[at] as number) : s * Math.exp(b[at] as number);
      draws.sum[at] = (draws.sum[at] as number) + value;
      draws.squares[at] = (draws.squares[at] as number) + value * value;
      if (kept !== -1) draws.individual[kept + at] = value;
    }
    draws.acceptance.individual = accepted.individual / (draw + 1);
    draws.acceptance.population = accepted.population / (draw + 1);
  };
  return { draws, add };
}

/** Replaces the lower triangle of a symmetric positive definite matrix by its Cholesky factor, without checks. */
function factorise(a: Float64Array, n: number): void {
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = a[i * n + j] as number;
      for (let k = 0; k < j; k++) sum -= (a[i * n + k] as number) * (a[j * n + k] as number);
      a[i * n + j] = i === j ? Math.sqrt(sum) : sum / (a[j * n + j] as number);
    }
  }
}

/** Solves L y = v in place; only the lower triangle is read. */
function solveLower(lower: Float64Array, n: number, v: Float64Array): void {
  for (let i = 0; i < n; i++) {
    let sum = v[i] as number;
    for (let k = 0; k < i; k++) sum -= (lower[i * n + k] as number) * (v[k] as number);
    v[i] = sum / (lower[i * n + i] as number);
  }
}

/** Solves L' y = v in place; only the lower triangle of L is read. */
function solveUpper(lower: Float64Array, n: number, v: Float64Array): void {
  for (let i = n - 1; i >= 0; i--) {
    let sum = v[i] as number;
    for (let k = i + 1; k < n; k++) sum -= (lower[k * n + i] as number) * (v[k] as number);
    v[i] = sum / (lower[i * n + i] as number);
  }
}

/** Inverse of a lower triangular matrix. */
function invertedLower(lower: Float64Array, n: number): Float64Array {
  const inverse = new Float64Array(n * n);
  const column = new Float64Array(n);
  for (let j = 0; j < n; j++) {
    column.fill(0);
    column[j] = 1;
    solveLower(lower, n, column);
    for (let i = j; i < n; i++) inverse[i * n + j] = column[i] as number;
  }
  return inverse;
}

/** The product of two matrices. */
function product(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const result = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      const left = a[i * n + k] as number;
      for (let j = 0; j < n; j++)
        result[i * n + j] = (result[i * n + j] as number) + left * (b[k * n + j] as number);
    }
  }
  return result;
}

const transpose = (a: Float64Array, n: number): Float64Array =>
  a.map((_, at) => a[(at % n) * n + Math.floor(at / n)] as number);

/** Cholesky factor of a matrix, 0 above the diagonal. */
function lowerFactor(matrix: Float64Array, n: number): Float64Array {
  const factor = matrix.map((value, at) => (at % n <= Math.floor(at / n) ? value : 0));
  factorise(factor, n);
  return factor;
}
