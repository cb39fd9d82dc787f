import { ConvergenceError, DataError } from "../core/errors.js";
import { dot, invertSymmetric, type Matrix } from "./matrix.js";

/** A log-likelihood at some coefficients. */
export interface LikelihoodAt {
  readonly logLikelihood: number;
  /** First derivatives. */
  readonly score: ArrayLike<number>;
  /** Minus the second derivatives. */
  readonly information: Matrix;
}

/** A concave log-likelihood of named coefficients, on scaled covariates. */
export interface ConcaveProblem<State extends LikelihoodAt> {
  /** Name of the model for messages. */
  readonly model: string;
  /** Names of the coefficients. */
  readonly names: readonly string[];
  /** The likelihood, its slope and its curvature. */
  readonly likelihood: (beta: Float64Array) => State;
  /** Range of each covariate, in the units of its scale; 0 for one that is never to blame, as the intercept's. */
  readonly ranges: readonly number[];
  /** For each coefficient: the log-likelihood loses ridge / 2 times its square; 0 for none. */
  readonly ridge: readonly number[];
  /** Coefficients to begin from; 0 unless given. */
  readonly begin?: Float64Array;
  /** What a covariate without information must do, for messages: "must vary within choice sets". */
  readonly idle: string;
  /** Why a coefficient may have no finite maximum, for messages. */
  readonly separated: string;
  /** Whether messages may advise a penalty, as the model takes one; they do unless told not to. */
  readonly penalisable?: boolean;
}

/** Where a concave log-likelihood is largest. */
export interface ConcaveFit<State extends LikelihoodAt> {
  readonly beta: Float64Array;
  /** The likelihood there. */
  readonly state: State;
  /** The likelihood where it began. */
  readonly start: State;
  /** Inverse of the (penalised) information there. */
  readonly inverse: Matrix;
  /** Newton steps taken. */
  readonly iterations: number;
}

const MAX_ITERATIONS = 30;
const SETTLED = 1e-18; // Newton decrement: the step is 1e-9 standard errors long
const STALLED = 1e-10; // below it, a decrement that no longer falls is the rounding of sums over many rows
const ROUNDING = 1e-11; // of the likelihood, summed over many rows: a fall by less is none
const VANISHED = 1e-8; // of the information at the beginning: the likelihood has gone flat
const MOVING = 0.01; // change of the log odds or log hazard over a covariate's range in the last step

/**
 * Maximum of a concave (penalised) log-likelihood by Newton's method with step halving.
 * @throws DataError naming coefficients without information, or whose covariates are linear combinations of others;
 * ConvergenceError naming coefficients that grow for ever.
 */
export function fitConcave<State extends LikelihoodAt>(problem: ConcaveProblem<State>): ConcaveFit<State> {
  const { names, ridge, likelihood, begin = new Float64Array(names.length) } = problem;
  const start = likelihood(begin);
  if (!ridge.some((penalty) => penalty > 0)) requireIndependent(problem, start.information);
  let beta = begin;
  let state = start;
  let before = Number.POSITIVE_INFINITY;
  for (let iterations = 0; ; iterations++) {
    const information = state.information.map((row, i) =>
      row.map((value, j) => (i === j ? value + (ridge[j] as number) : value)),
    );
    const inverse = invertSymmetric(information);
    if (!inverse) throw separated(problem, beta);
    const slope = Array.from(state.score, (value, j) => value - (ridge[j] as number) * (beta[j] as number));
    const step = Float64Array.from(inverse, (row) => dot(row, slope));
    const decrement = dot(step, slope);
    if (decrement < SETTLED || (decrement < STALLED && decrement >= before)) {
      const flat = names.filter(
        (_, j) => diagonal(information, j) < VANISHED * diagonal(start.information, j),
      );
      if (flat.length > 0) throw separation(problem, flat);
      return { beta, state, start, inverse, iterations };
    }
    if (iterations === MAX_ITERATIONS) throw separated(problem, step);
    [beta, state] = improved(problem, beta, state, step);
    before = decrement;
  }
}

const diagonal = (matrix: Matrix, j: number): number => matrix[j]?.[j] as number;

/** The Newton step, halved until the penalised likelihood does not fall. */
function improved<State extends LikelihoodAt>(
  { likelihood, ridge }: ConcaveProblem<State>,
  beta: Float64Array,
  state: State,
  step: Float64Array,
): [Float64Array, State] {
  const penalised = (at: State, x: Float64Array): number =>
    at.logLikelihood - x.reduce((sum, value, j) => sum + (ridge[j] as number) * value * value, 0) / 2;
  const value = penalised(state, beta);
  for (let factor = 1; ; factor /= 2) {
    const candidate = beta.map((x, j) => x + factor * (step[j] as number));
    const next = likelihood(candidate);
    const rises = penalised(next, candidate) >= value - ROUNDING * Math.abs(value);
    if (rises || factor < 1e-10) return [candidate, next];
  }
}

/** Cholesky's factorisation of the scaled information, column by column: a pivot of 0 is a column that others give. */
function requireIndependent(
  {
    model,
    names,
    idle,
    penalisable,
  }: Pick<ConcaveProblem<LikelihoodAt>, "model" | "names" | "idle" | "penalisable">,
  information: Matrix,
): void {
  const lower: number[][] = [];
  const most = Math.max(...names.map((_, j) => diagonal(information, j)));
  for (const [j, name] of names.entries()) {
    const own = diagonal(information, j);
    if (!(own > 1e-10 * most)) {
      throw new DataError(`${model}: covariate ${name} ${idle}, but does not: leave it out`);
    }
    const row: number[] = [];
    for (let i = 0; i < j; i++) {
      const other = lower[i] as number[];
      let sum = (information[j]?.[i] as number) / Math.sqrt(own * diagonal(information, i));
      for (let k = 0; k < i; k++) sum -= (row[k] as number) * (other[k] as number);
      row.push(sum / (other[i] as number));
    }
    const pivot = 1 - row.reduce((sum, value) => sum + value * value, 0);
    if (!(pivot > 1e-10)) {
      const sources = combination(lower, row).flatMap((value, i) =>
        Math.abs(value) > 1e-4 ? [names[i] as string] : [],
      );
      throw new DataError(
        `${model}: covariate ${name} must not be a linear combination of ${sources.join(", ")}: leave one of them out${penalisable === false ? "" : ", or set a penalty"}`,
      );
    }
    lower.push([...row, Math.sqrt(pivot)]);
  }
}

/** Coefficients of the earlier columns in a later one: solves L' c = row. */
function combination(lower: Matrix, row: readonly number[]): number[] {
  const solution = [...row];
  for (let i = row.length - 1; i >= 0; i--) {
    let sum = row[i] as number;
    for (let k = i + 1; k < row.length; k++) sum -= (lower[k]?.[i] as number) * (solution[k] as number);
    solution[i] = sum / (lower[i]?.[i] as number);
  }
  return solution;
}

type Named = Pick<ConcaveProblem<LikelihoodAt>, "model" | "names" | "ranges" | "separated" | "penalisable">;

/** Error about the covariates that still move (or have run far) in scaled coefficients. */
function separated(problem: Named, movement: Float64Array): ConvergenceError {
  const { names, ranges } = problem;
  const moving = names.filter((_, j) => Math.abs(movement[j] as number) * (ranges[j] as number) > MOVING);
  return separation(problem, moving.length > 0 ? moving : names);
}

const separation = (
  { model, separated: why, penalisable }: Named,
  names: readonly string[],
): ConvergenceError =>
  new ConvergenceError(
    `${model}: the coefficient of ${names.join(", ")} has no finite maximum, the likelihood rises for ever: ` +
      `${why}. Merge levels${penalisable === false ? " or leave it out" : ", leave it out, or set a penalty such as 0.01"}`,
  );
