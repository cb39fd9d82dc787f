import type { Matrix } from "../numeric/matrix.js";
import type { ChoiceDesign } from "./choice-data.js";

/** How a coefficient comes from its latent number: as it is, exp of it, or minus exp of it. */
export type Link = "identity" | "exp" | "minus exp";

/** One parameter of the model: latent number k moves by 1 (draw -1), or by the draws of a dimension. */
export interface Term {
  /** Covariate whose latent number the parameter moves. */
  readonly covariate: number;
  /** Dimension of the draws it is multiplied by, -1 for none. */
  readonly draw: number;
}

/** A mixed logit model on data, with its draws. */
export interface KernelProblem {
  readonly design: ChoiceDesign;
  /** First set of each unit, whose sets share their tastes, and the number of sets as one element more. */
  readonly unitStart: Uint32Array;
  /** Weight of each unit. */
  readonly weight: Float64Array;
  /** Link of each covariate. */
  readonly links: readonly Link[];
  /** Parameters, in their order. */
  readonly terms: readonly Term[];
  /** Covariate that is minus the price of utility, if the others are willingness to pay; -1 for none. */
  readonly price: number;
  /** Standard draws: unit after unit, in it dimension after dimension. */
  readonly draws: Float64Array;
  readonly dimensions: number;
  /** Draws of a unit in each dimension. */
  readonly size: number;
}

/** A log-likelihood with its slope. */
export interface Slope {
  readonly logLikelihood: number;
  readonly gradient: Float64Array;
  /** Squares and products of the first derivatives of each unit, summed: near the maximum about the information. */
  readonly outer: Matrix;
}

/** A log-likelihood with its derivatives. */
export interface Derivatives extends Slope {
  /** Minus the second derivatives. */
  readonly information: Matrix;
}

/** What can be computed of a mixed logit at some parameters; arrays handed out are overwritten by the next call. */
export interface MixedLogitKernel {
  /** Simulated log-likelihood with first derivatives. */
  slope(theta: Float64Array): Slope;
  /**
   * The same with second derivatives: about twice the work. All derivatives leave out draws that have together less than
   * 1e-10 of the posterior weight of a unit: often half of them.
   */
  derivatives(theta: Float64Array): Derivatives;
  /** First derivatives of the weighted log-likelihood of each unit. */
  scores(theta: Float64Array): Float64Array[];
  /** Calls with each unit, its coefficients (covariate after covariate, draw by draw) and the weights of its draws. */
  eachPosterior(
    theta: Float64Array,
    use: (unit: number, coefficients: Float64Array, weights: Float64Array) => void,
  ): void;
}

const BLOCK = 256; // draws at a time: so many numbers of each array stay in the fastest memory
const NEGLIGIBLE = 1e-10; // posterior weight of all draws that are left out of derivatives
const MOST_KEPT = 2 ** 21; // probabilities of a unit's choices that are kept for second derivatives
const LOG_EVERY = 6; // sets whose sums of exponentials are multiplied before the logarithm is taken
const LARGEST = 300; // latent number whose exponential still gives finite utilities: far beyond any coefficient
const SAFE = 100; // largest difference of utilities for the fast way: (alternatives * e^100)^6 is still finite

/**
 * Simulated likelihood of the mixed logit model with its analytic derivatives. The probability of all choices of a unit is
 * averaged over the draws; utilities are taken as differences from that of the alternative chosen, logarithms and the
 * largest draw keep long panels from underflow. `useDraws` of each unit's draws are used: the first ones, an even set by
 * themselves if it is a power of two.
 * @see Revelt & Train (1998), Review of Economics and Statistics 80(4); Train (2009), Discrete Choice Methods with
 * Simulation, 2nd ed., sections 6.7 and 8.
 */
export function mixedLogitKernel(problem: KernelProblem, useDraws = problem.size): MixedLogitKernel {
  const { unitStart, weight, links, terms, price, draws, dimensions, size } = problem;
  const k = links.length;
  const units = weight.length;
  const r = useDraws;
  const data = differences(problem.design);
  const pairs = (k * (k + 1)) / 2;
  let used = r; // draws of the unit at hand, at the front of each row
  // One row of r numbers for each dimension, covariate, or pair of covariates.
  const standard = new Float64Array(dimensions * r);
  const latent = new Float64Array(k * r); // later the derivative of the coefficient by it
  const bend = new Float64Array(k * r); // second derivative
  const coefficients = new Float64Array(k * r);
  const slopes = new Float64Array(k * r); // minus the derivative of the log probability
  let curvature = new Float64Array(0); // minus its second derivatives
  const logProbability = new Float64Array(r);
  const posterior = new Float64Array(r);
  const likely = new Uint32Array(r); // draws that have most of the posterior weight
  const mostRows = weight.reduce((most, _, unit) => Math.max(most, rowsOf(unit)), 0);
  const areKept = mostRows * r <= MOST_KEPT; // probabilities of all sets of a unit, or of one set at a time
  const odds = new Float64Array((areKept ? mostRows : data.most) * r);
  const sums = new Float64Array(BLOCK);
  const products = new Float64Array(BLOCK);
  const means = new Float64Array(k * BLOCK);
  const factors = new Float64Array(Math.max(k, data.most));
  const places = new Uint32Array(Math.max(k, data.most));

  /** Alternatives that a unit did not choose, over all sets. */
  function rowsOf(unit: number): number {
    return (data.start[unitStart[unit + 1] as number] as number) - firstRow(unit);
  }

  function firstRow(unit: number): number {
    return data.start[unitStart[unit] as number] as number;
  }

  /** Latent numbers of a unit's draws, then coefficients and their derivatives. */
  function setTastes(unit: number, theta: Float64Array): void {
    used = r;
    for (let dimension = 0; dimension < dimensions; dimension++) {
      const from = (unit * dimensions + dimension) * size;
      standard.set(draws.subarray(from, from + r), dimension * r);
    }
    latent.fill(0);
    for (const [a, { covariate, draw }] of terms.entries()) {
      const value = theta[a] as number;
      const at = covariate * r;
      if (draw === -1) for (let i = at; i < at + r; i++) latent[i] = (latent[i] as number) + value;
      else {
        const from = draw * r - at;
        for (let i = at; i < at + r; i++)
          latent[i] = (latent[i] as number) + value * (standard[from + i] as number);
      }
    }
    for (const [covariate, link] of links.entries()) {
      const at = covariate * r;
      if (link === "identity") {
        for (let i = at; i < at + r; i++) coefficients[i] = latent[i] as number;
        latent.fill(1, at, at + r);
        bend.fill(0, at, at + r);
      } else {
        const sign = link === "exp" ? 1 : -1;
        for (let i = at; i < at + r; i++)
          coefficients[i] = latent[i] = bend[i] = sign * Math.exp(Math.min(latent[i] as number, LARGEST));
      }
    }
    if (price === -1) return;
    const scale = price * r;
    for (let covariate = 0; covariate < k; covariate++) {
      if (covariate === price) continue;
      for (let i = 0, at = covariate * r; i < r; i++, at++)
        coefficients[at] = (coefficients[at] as number) * (coefficients[scale + i] as number);
    }
    for (let i = scale; i < scale + r; i++) coefficients[i] = -(coefficients[i] as number);
  }

  /** Log probability of a unit's choices at each draw, or its derivatives by the coefficients, or both. */
  function passSets(unit: number, goal: "value" | "slope" | "curvature"): void {
    const withCurvature = goal === "curvature";
    slopes.fill(0);
    logProbability.fill(0);
    if (withCurvature) {
      if (curvature.length === 0) curvature = new Float64Array(pairs * r);
      curvature.fill(0);
    }
    const first = unitStart[unit] as number;
    const last = unitStart[unit + 1] as number;
    const isAgain = withCurvature && areKept;
    for (let from = 0; from < used; from += BLOCK) {
      const count = Math.min(BLOCK, used - from);
      products.fill(1, 0, count);
      for (let set = first, since = 0; set < last; set++) {
        const at = areKept ? ((data.start[set] as number) - firstRow(unit)) * r : 0;
        if (!isAgain && passSet(set, at + from, from, count)) since++;
        if (since === LOG_EVERY || (set === last - 1 && since > 0)) {
          for (let i = 0; i < count; i++)
            logProbability[from + i] = (logProbability[from + i] as number) - Math.log(products[i] as number);
          products.fill(1, 0, count);
          since = 0;
        }
        if (goal !== "value") addMeans(set, at + from, from, count, withCurvature);
        if (withCurvature) addCurvature(set, at + from, from, count);
      }
    }
  }

  /** Fills the probabilities of what was not chosen; true if the sums were multiplied into the products. */
  function passSet(set: number, to: number, from: number, count: number): boolean {
    const begin = data.start[set] as number;
    const others = (data.start[set + 1] as number) - begin;
    let largest = 0;
    for (let other = 0; other < others; other++) {
      let filled = 0;
      for (let covariate = 0, at = (begin + other) * k; covariate < k; covariate++, at++) {
        const difference = data.x[at] as number;
        if (difference === 0) continue;
        factors[filled] = difference;
        places[filled++] = covariate * r + from;
      }
      const at = to + other * r;
      odds.fill(0, at, at + count);
      addRows(odds, at, coefficients, count, factors, places, filled);
      for (let i = at; i < at + count; i++) if ((odds[i] as number) > largest) largest = odds[i] as number;
    }
    if (!(largest <= SAFE)) {
      shiftedProbabilities(others, to, from, count);
      return false;
    }
    sums.fill(1, 0, count);
    for (let other = 0; other < others; other++) exponentials(odds, to + other * r, count, sums);
    for (let i = 0; i < count; i++) {
      const sum = sums[i] as number;
      products[i] = (products[i] as number) * sum;
      sums[i] = 1 / sum;
    }
    for (let other = 0; other < others; other++) {
      for (let i = 0, at = to + other * r; i < count; i++, at++)
        odds[at] = (odds[at] as number) * (sums[i] as number);
    }
    return true;
  }

  /** The same for utilities so far apart that their exponentials would overflow. */
  function shiftedProbabilities(others: number, to: number, from: number, count: number): void {
    for (let i = 0; i < count; i++) {
      let most = 0;
      for (let other = 0; other < others; other++) most = Math.max(most, odds[to + other * r + i] as number);
      let sum = Math.exp(-most);
      for (let other = 0; other < others; other++) {
        const at = to + other * r + i;
        sum += odds[at] = Math.exp((odds[at] as number) - most);
      }
      for (let other = 0; other < others; other++)
        odds[to + other * r + i] = (odds[to + other * r + i] as number) / sum;
      logProbability[from + i] = (logProbability[from + i] as number) - most - Math.log(sum);
    }
  }

  /** Adds the mean difference of each covariate in a set, over the probabilities: minus the score; keeps them if asked to. */
  function addMeans(set: number, source: number, from: number, count: number, keep: boolean): void {
    const begin = data.start[set] as number;
    const others = (data.start[set + 1] as number) - begin;
    for (let covariate = 0; covariate < k; covariate++) {
      let filled = 0;
      for (let other = 0; other < others; other++) {
        const difference = data.x[(begin + other) * k + covariate] as number;
        if (difference === 0) continue;
        factors[filled] = difference;
        places[filled++] = source + other * r;
      }
      const to = covariate * r + from;
      if (!keep) {
        addRows(slopes, to, odds, count, factors, places, filled);
        continue;
      }
      const at = covariate * BLOCK;
      means.fill(0, at, at + count);
      addRows(means, at, odds, count, factors, places, filled);
      for (let i = 0; i < count; i++) slopes[to + i] = (slopes[to + i] as number) + (means[at + i] as number);
    }
  }

  /** Covariances of the differences in a set, over the probabilities: minus the second derivatives. */
  function addCurvature(set: number, source: number, from: number, count: number): void {
    const begin = data.start[set] as number;
    const others = (data.start[set + 1] as number) - begin;
    for (let row = 0, pair = 0; row < k; row++) {
      for (let column = 0; column <= row; column++, pair++) {
        let filled = 0;
        for (let other = 0; other < others; other++) {
          const at = (begin + other) * k;
          const product = (data.x[at + row] as number) * (data.x[at + column] as number);
          if (product === 0) continue;
          factors[filled] = product;
          places[filled++] = source + other * r;
        }
        const to = pair * r + from;
        addCovariances(
          curvature,
          to,
          odds,
          count,
          factors,
          places,
          filled,
          means,
          row * BLOCK,
          column * BLOCK,
        );
      }
    }
  }

  /** Posterior weights of a unit's draws; gives the log of the mean probability. */
  function weighDraws(): number {
    let most = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < r; i++) most = Math.max(most, logProbability[i] as number);
    let sum = 0;
    for (let i = 0; i < r; i++) sum += posterior[i] = Math.exp((logProbability[i] as number) - most);
    for (let i = 0; i < r; i++) posterior[i] = (posterior[i] as number) / sum;
    return most + Math.log(sum / r);
  }

  /**
   * Turns derivatives by the coefficients into those by the latent numbers: `slopes` into plain derivatives of the log
   * probability, `curvature` into plain second derivatives.
   */
  function toLatent(withCurvature: boolean): void {
    for (let i = 0; i < slopes.length; i++) slopes[i] = -(slopes[i] as number);
    if (withCurvature) for (let i = 0; i < curvature.length; i++) curvature[i] = -(curvature[i] as number);
    if (price !== -1) toWillingness(withCurvature);
    if (withCurvature) {
      for (let row = 0, pair = 0; row < k; row++) {
        for (let column = 0; column <= row; column++, pair++) {
          for (let i = 0; i < used; i++) {
            const a = row * r + i;
            const product = (latent[a] as number) * (latent[column * r + i] as number);
            let value = (curvature[pair * r + i] as number) * product;
            if (row === column) value += (slopes[a] as number) * (bend[a] as number);
            curvature[pair * r + i] = value;
          }
        }
      }
    }
    for (let i = 0; i < slopes.length; i++) slopes[i] = (slopes[i] as number) * (latent[i] as number);
  }

  /** From derivatives by coefficients -s and s w (scale s, willingness to pay w) to those by s and w. */
  function toWillingness(withCurvature: boolean): void {
    const pairOf = (a: number, b: number): number =>
      (a < b ? (b * (b + 1)) / 2 + a : (a * (a + 1)) / 2 + b) * r;
    const byScale = new Float64Array(k); // derivative of each coefficient by the scale: -1 or w
    const mixed = new Float64Array(k);
    for (let i = 0; i < used; i++) {
      const scale = -(coefficients[price * r + i] as number);
      let slope = 0;
      for (let a = 0; a < k; a++) {
        byScale[a] = a === price ? -1 : (coefficients[a * r + i] as number) / scale;
        slope += (byScale[a] as number) * (slopes[a * r + i] as number);
      }
      if (withCurvature) {
        let twice = 0;
        for (let a = 0; a < k; a++) {
          let sum = 0;
          for (let b = 0; b < k; b++) sum += (curvature[pairOf(a, b) + i] as number) * (byScale[b] as number);
          mixed[a] = scale * sum + (slopes[a * r + i] as number);
          twice += sum * (byScale[a] as number);
        }
        for (let a = 0; a < k; a++) {
          for (let b = 0; b <= a; b++) {
            const at = pairOf(a, b) + i;
            if (a === price && b === price) curvature[at] = twice;
            else if (a === price) curvature[at] = mixed[b] as number;
            else if (b === price) curvature[at] = mixed[a] as number;
            else curvature[at] = scale * scale * (curvature[at] as number);
          }
        }
      }
      for (let a = 0; a < k; a++)
        slopes[a * r + i] = a === price ? slope : scale * (slopes[a * r + i] as number);
    }
  }

  /** Moves the likely draws to the front of each row. */
  function gather(rows: Float64Array, length: number): void {
    for (let at = 0; at < length; at += r)
      for (let i = 0; i < used; i++) rows[at + i] = rows[at + (likely[i] as number)] as number;
  }

  /** Derivatives of one unit at theta, draw by draw, second ones at likely draws only; gives its log-likelihood. */
  function visit(unit: number, theta: Float64Array, withCurvature: boolean): number {
    setTastes(unit, theta);
    passSets(unit, withCurvature ? "value" : "slope");
    const value = weighDraws();
    if (withCurvature) {
      keepLikely(unit);
      passSets(unit, "curvature");
    }
    toLatent(withCurvature);
    return value;
  }

  /** Leaves the draws that the choices of a unit make likely. */
  function keepLikely(unit: number): void {
    used = 0;
    for (let i = 0; i < r; i++) if ((posterior[i] as number) * r > NEGLIGIBLE) likely[used++] = i;
    if (used === r) return;
    for (const rows of [standard, latent, bend, coefficients, posterior]) gather(rows, rows.length);
    if (areKept) gather(odds, rowsOf(unit) * r);
  }

  /** Fills the first derivatives of a unit's log-likelihood. */
  function unitScore(score: Float64Array): void {
    for (const [a, { covariate, draw }] of terms.entries()) {
      const at = covariate * r;
      let sum = 0;
      if (draw === -1)
        for (let i = 0; i < used; i++) sum += (posterior[i] as number) * (slopes[at + i] as number);
      else {
        const from = draw * r;
        for (let i = 0; i < used; i++)
          sum += (posterior[i] as number) * (slopes[at + i] as number) * (standard[from + i] as number);
      }
      score[a] = sum;
    }
  }

  const score = new Float64Array(terms.length);
  const both = new Float64Array(r);
  const termsOfCovariate = links.map((_, covariate) =>
    terms.flatMap((term, a) => (term.covariate === covariate ? [a] : [])),
  );

  return {
    slope: (theta) => sumUnits(theta, false).slope,

    derivatives(theta) {
      const { slope, information } = sumUnits(theta, true);
      return { ...slope, information };
    },

    scores(theta) {
      return Array.from(weight, (w, unit) => {
        visit(unit, theta, false);
        unitScore(score);
        return score.map((value) => w * value);
      });
    },

    eachPosterior(theta, use) {
      for (let unit = 0; unit < units; unit++) {
        setTastes(unit, theta);
        passSets(unit, "value");
        weighDraws();
        use(unit, coefficients, posterior);
      }
    },
  };

  /** Sums over the units, with second derivatives or without. */
  function sumUnits(theta: Float64Array, withCurvature: boolean): { slope: Slope; information: Matrix } {
    const gradient = new Float64Array(terms.length);
    const outer = terms.map(() => terms.map(() => 0));
    const information = terms.map(() => terms.map(() => 0));
    let logLikelihood = 0;
    for (let unit = 0; unit < units; unit++) {
      const w = weight[unit] as number;
      logLikelihood += w * visit(unit, theta, withCurvature);
      unitScore(score);
      for (const [a, row] of outer.entries()) {
        const slope = w * (score[a] as number);
        gradient[a] = (gradient[a] as number) + slope;
        for (let b = 0; b < row.length; b++) row[b] = (row[b] as number) + slope * (score[b] as number);
      }
      if (withCurvature) addInformation(w, information);
    }
    return { slope: { logLikelihood, gradient, outer }, information: symmetric(information, terms) };
  }

  /** Adds a unit's information: square of the mean score, less mean square of the scores and mean second derivative. */
  function addInformation(w: number, information: number[][]): void {
    for (let row = 0, pair = 0; row < k; row++) {
      for (let column = 0; column <= row; column++, pair++) {
        for (let i = 0; i < used; i++) {
          const squared = (slopes[row * r + i] as number) * (slopes[column * r + i] as number);
          both[i] = (posterior[i] as number) * (squared + (curvature[pair * r + i] as number));
        }
        for (const a of termsOfCovariate[row] as number[]) {
          const target = information[a] as number[];
          for (const b of termsOfCovariate[column] as number[]) {
            if (row === column && b > a) continue;
            const sum = sumOver(both, drawsOf(a), drawsOf(b));
            target[b] = (target[b] as number) + w * ((score[a] as number) * (score[b] as number) - sum);
          }
        }
      }
    }
  }

  /** Place of the draws that parameter a is multiplied by, -1 for none. */
  function drawsOf(a: number): number {
    const { draw } = terms[a] as Term;
    return draw === -1 ? -1 : draw * r;
  }

  /** Sum of values times the draws from two places on. */
  function sumOver(values: Float64Array, one: number, other: number): number {
    let sum = 0;
    if (one === -1 && other === -1) for (let i = 0; i < used; i++) sum += values[i] as number;
    else if (one === -1 || other === -1) {
      const from = Math.max(one, other);
      for (let i = 0; i < used; i++) sum += (values[i] as number) * (standard[from + i] as number);
    } else {
      for (let i = 0; i < used; i++)
        sum += (values[i] as number) * (standard[one + i] as number) * (standard[other + i] as number);
    }
    return sum;
  }
}

/** The element of each pair of parameters that was filled, in both triangles. */
function symmetric(matrix: Matrix, terms: readonly Term[]): number[][] {
  const isFilled = (a: number, b: number): boolean => {
    const [row, column] = [(terms[a] as Term).covariate, (terms[b] as Term).covariate];
    return row > column || (row === column && a >= b);
  };
  return terms.map((_, a) =>
    terms.map((_term, b) => (isFilled(a, b) ? matrix[a]?.[b] : matrix[b]?.[a]) as number),
  );
}

/** Covariates of the alternatives not chosen minus those of the one chosen, set after set. */
function differences({ names, x, setStart, choice }: ChoiceDesign): {
  readonly x: Float64Array;
  /** First row of each set, and their number as one element more. */
  readonly start: Uint32Array;
  /** Most rows of a set. */
  readonly most: number;
} {
  const k = names.length;
  const sets = choice.length;
  const start = Uint32Array.from(setStart, (row, set) => row - set);
  const rows = new Float64Array((start[sets] as number) * k);
  let most = 0;
  for (let set = 0, to = 0; set < sets; set++) {
    const chosen = choice[set] as number;
    for (let row = setStart[set] as number; row < (setStart[set + 1] as number); row++) {
      if (row === chosen) continue;
      for (let j = 0; j < k; j++, to++) rows[to] = (x[row * k + j] as number) - (x[chosen * k + j] as number);
    }
    most = Math.max(most, (start[set + 1] as number) - (start[set] as number));
  }
  return { x: rows, start, most };
}

/** Adds multiples of some rows of `source`, each from its place on, to `count` numbers of `target`. */
function addRows(
  target: Float64Array,
  to: number,
  source: Float64Array,
  count: number,
  factors: Float64Array,
  places: Uint32Array,
  used: number,
): void {
  let next = 0;
  for (; next + 3 <= used; next += 3) {
    const [f0, f1, f2] = [factors[next] as number, factors[next + 1] as number, factors[next + 2] as number];
    const [p0, p1, p2] = [places[next] as number, places[next + 1] as number, places[next + 2] as number];
    for (let i = 0; i < count; i++)
      target[to + i] =
        (target[to + i] as number) +
        f0 * (source[p0 + i] as number) +
        f1 * (source[p1 + i] as number) +
        f2 * (source[p2 + i] as number);
  }
  const [f0, f1] = [factors[next] as number, factors[next + 1] as number];
  const [p0, p1] = [places[next] as number, places[next + 1] as number];
  if (used === next + 2) {
    for (let i = 0; i < count; i++)
      target[to + i] =
        (target[to + i] as number) + f0 * (source[p0 + i] as number) + f1 * (source[p1 + i] as number);
  } else if (used === next + 1) {
    for (let i = 0; i < count; i++)
      target[to + i] = (target[to + i] as number) + f0 * (source[p0 + i] as number);
  }
}

/** The same, less the products of two rows of means. */
function addCovariances(
  target: Float64Array,
  to: number,
  source: Float64Array,
  count: number,
  factors: Float64Array,
  places: Uint32Array,
  used: number,
  means: Float64Array,
  row: number,
  column: number,
): void {
  const [f0, f1] = [factors[0] as number, factors[1] as number];
  const [p0, p1] = [places[0] as number, places[1] as number];
  if (used === 1) {
    for (let i = 0; i < count; i++)
      target[to + i] =
        (target[to + i] as number) +
        f0 * (source[p0 + i] as number) -
        (means[row + i] as number) * (means[column + i] as number);
  } else if (used === 2) {
    for (let i = 0; i < count; i++)
      target[to + i] =
        (target[to + i] as number) +
        f0 * (source[p0 + i] as number) +
        f1 * (source[p1 + i] as number) -
        (means[row + i] as number) * (means[column + i] as number);
  } else {
    addRows(target, to, source, count, factors, places, used);
    for (let i = 0; i < count; i++)
      target[to + i] =
        (target[to + i] as number) - (means[row + i] as number) * (means[column + i] as number);
  }
}

const STEPS = 32; // of the table, for each factor of 2
const LOWEST = -700;
const PER_STEP = STEPS / Math.LN2;
const STEP = Math.LN2 / STEPS;
const STEP_HIGH = Math.fround(STEP); // its product with a whole number below 2^29 is exact
const STEP_LOW = STEP - STEP_HIGH;
const TABLE_START = Math.floor(LOWEST * PER_STEP) - 1;
const POWERS = Float64Array.from(
  { length: Math.ceil(SAFE * PER_STEP) + 2 - TABLE_START },
  (_, i) => 2 ** ((TABLE_START + i) / STEPS),
);
const ROUND = 1.5 * 2 ** 52; // added and taken away again, leaves a whole number

/**
 * Replaces numbers up to 100 by their exponentials, to a relative error below 1e-14, and adds those to the sums: a table of
 * the 32nd roots of powers of 2, and Taylor's series for the rest, which is below 0.011. Numbers below -700 count as -700.
 */
function exponentials(values: Float64Array, from: number, count: number, sums: Float64Array): void {
  for (let i = 0; i < count; i++) {
    const value = values[from + i] as number;
    const x = value > LOWEST ? value : LOWEST;
    const step = x * PER_STEP + ROUND - ROUND;
    const rest = x - step * STEP_HIGH - step * STEP_LOW;
    const series = 1 + rest * (1 + rest * (1 / 2 + rest * (1 / 6 + rest * (1 / 24 + rest * (1 / 120)))));
    const power = (POWERS[(step - TABLE_START) | 0] as number) * series;
    values[from + i] = power;
    sums[i] = (sums[i] as number) + power;
  }
}
