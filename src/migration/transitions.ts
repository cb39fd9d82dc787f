import { requireLevel, requireWhole } from "../core/arguments.js";
import { DataError } from "../core/errors.js";
import { betaQuantile, quantileOf } from "../numeric/quantile.js";
import type { Random } from "../numeric/random.js";
import { drawGamma, drawMultinomial } from "../numeric/sampling.js";
import { type MarkovChain, type ShareMatrix, sumOf } from "./chain.js";
import { type CustomerStates, stateNames } from "./states.js";

/** How many customers moved from each state to each, from one period to the next. */
export interface TransitionCounts {
  /** Names of the states. */
  readonly states: readonly string[];
  /** Moves from the state of the row to that of the column, all periods together. */
  readonly counts: ShareMatrix;
  /** The period that each matrix of `byPeriod` starts from. */
  readonly periods: readonly string[];
  /** The same from each period to the next; they add up to `counts`. */
  readonly byPeriod: readonly ShareMatrix[];
}

/**
 * Counts the moves of customers between states from each period to the next. A pair of periods counts if both are
 * observed.
 * @throws DataError if there are fewer than two periods.
 */
export function transitionCounts({ states, periods, stateAt }: CustomerStates): TransitionCounts {
  if (periods.length < 2) {
    throw new DataError(`states: at least two periods are needed for a move, got ${periods.join(", ")}`);
  }
  const byPeriod = periods.slice(1).map(() => states.map(() => states.map(() => 0)));
  for (let cell = 0; cell < stateAt.length - 1; cell++) {
    const period = cell % periods.length;
    const [from, to] = [stateAt[cell] as number, stateAt[cell + 1] as number];
    if (period === periods.length - 1 || from === -1 || to === -1) continue;
    const row = byPeriod[period]?.[from] as number[];
    row[to] = (row[to] as number) + 1;
  }
  const counts = states.map((_, from) =>
    states.map((__, to) => sumOf(byPeriod.map((matrix) => matrix[from]?.[to] as number))),
  );
  return Object.freeze({ states, counts, periods: periods.slice(0, -1), byPeriod });
}

/** How a transition matrix is estimated. */
export interface TransitionOptions {
  /**
   * Moves imagined before the data, the parameters of a Dirichlet prior: one number for all cells, or one a cell. With 0,
   * the default, the matrix is the observed shares, and a move never seen is held impossible.
   */
  readonly prior?: number | ShareMatrix;
  /** Coverage of the intervals; default 0.9. */
  readonly level?: number;
}

/** An estimated transition matrix. */
export interface TransitionMatrix extends MarkovChain {
  /** Names of the states. */
  readonly states: readonly string[];
  /** Lower end of the interval of each share. */
  readonly low: ShareMatrix;
  /** Upper end of the interval of each share. */
  readonly high: ShareMatrix;
  /** Coverage of the intervals. */
  readonly level: number;
  /** Observed moves. */
  readonly counts: ShareMatrix;
  /** Dirichlet parameters after the data, row by row: the observed moves and the imagined ones. */
  readonly posterior: ShareMatrix;
  /** Rows that rest on few moves, in words. */
  readonly warnings: readonly string[];
}

const FEW_MOVES = 30;

/**
 * Transition matrix with intervals: each row has a Dirichlet posterior, its shares are the means, its intervals the
 * quantiles. Where a move was never seen (or no other) and has no prior, the interval ends at the largest (smallest) share
 * that still gives such a sample with probability 1 - level, not at 0.
 * @throws DataError if counts are not whole numbers from 0 up, the sizes do not fit, or a state has neither moves nor
 * prior.
 * @throws RangeError if the level is not between 0 and 1, or a prior is below 0.
 * @see Lee, Judge & Zellner (1968), Maximum Likelihood and Bayesian Estimation of Transition Probabilities, JASA 63(324);
 * Hanley & Lippman-Hand (1983), If Nothing Goes Wrong, Is Everything All Right?, JAMA 249(13).
 */
export function transitionMatrix(
  { states, counts }: Pick<TransitionCounts, "states" | "counts">,
  { prior = 0, level = 0.9 }: TransitionOptions = {},
): TransitionMatrix {
  requireLevel(level);
  requireCounts(states, counts);
  const posterior = withPrior(states, counts, prior);
  const matrix = shares(states, posterior, "add it to another state or give a prior");
  const cells = (read: (alpha: number, rest: number) => number): number[][] =>
    posterior.map((row) => row.map((alpha) => read(alpha, sumOf(row) - alpha)));
  const tail = (1 - level) / 2;
  const warnings = counts.flatMap((row, from) => {
    const moves = sumOf(row);
    return moves < FEW_MOVES
      ? [`${states[from]}: only ${moves} moves observed, its shares are uncertain`]
      : [];
  });
  return Object.freeze({
    states,
    matrix,
    low: cells((alpha, rest) =>
      alpha === 0 ? 0 : rest === 0 ? (1 - level) ** (1 / alpha) : betaQuantile(tail, alpha, rest),
    ),
    high: cells((alpha, rest) =>
      rest === 0 ? 1 : alpha === 0 ? 1 - (1 - level) ** (1 / rest) : betaQuantile(1 - tail, alpha, rest),
    ),
    level,
    counts,
    posterior,
    warnings,
  });
}

/**
 * A transition matrix drawn from the posterior: what a prediction varies with over such draws is how sure it is.
 * A share with no observed and no imagined moves stays 0.
 */
export function drawTransitionMatrix({ posterior }: TransitionMatrix, random: Random): number[][] {
  return posterior.map((row) => {
    // Gamma(a) = Gamma(a + 1) U^(1/a) in logs: a number of tiny shape does not round to 0, nor a whole row with it.
    const logs = row.map((alpha) =>
      alpha === 0
        ? Number.NEGATIVE_INFINITY
        : Math.log(drawGamma(random, alpha + 1, 1)) + Math.log(1 - random.uniform()) / alpha,
    );
    const largest = Math.max(...logs);
    const weights = logs.map((log) => Math.exp(log - largest));
    const total = sumOf(weights);
    return weights.map((weight) => weight / total);
  });
}

/** How transition matrices are resampled. */
export interface BootstrapTransitionOptions extends TransitionOptions {
  /** Seeded source of random numbers. */
  readonly random: Random;
  /** Number of matrices; default 1,000. */
  readonly resamples?: number;
}

/** Transition matrices of resampled customers. */
export interface TransitionBootstrap {
  /** Names of the states. */
  readonly states: readonly string[];
  /** One matrix a resample. */
  readonly matrices: readonly ShareMatrix[];
  /** Lower end of the percentile interval of each share. */
  readonly low: ShareMatrix;
  /** Upper end of the percentile interval of each share. */
  readonly high: ShareMatrix;
  /** Coverage of the intervals. */
  readonly level: number;
}

/**
 * Bootstrap of the transition matrix by customers: all moves of a customer are drawn together, so the intervals hold where
 * customers differ or remember, which those of the Dirichlet posterior take for chance. Customers with the same moves are
 * one cell, and a resample is a multinomial draw of the cells' sizes.
 * @throws DataError if there are fewer than two periods, no moves, or a resample has no moves from a state and no prior is
 * given.
 * @throws RangeError if the level is not between 0 and 1, a prior is below 0, or fewer than 20 resamples are asked for.
 * @see Efron & Tibshirani (1993), An Introduction to the Bootstrap, sections 8.3 and 13.3.
 */
export function bootstrapTransitions(
  customers: CustomerStates,
  { random, resamples = 1000, prior = 0, level = 0.9 }: BootstrapTransitionOptions,
): TransitionBootstrap {
  requireWhole("resamples", resamples, 20);
  requireLevel(level);
  const { states } = customers;
  const cells = moveCells(customers);
  const redraw = cellSampler(cells.sizes, random);
  const matrices = Array.from({ length: resamples }, () => {
    const drawn = redraw();
    const counts = states.map(() => states.map(() => 0));
    for (const { from, to, cells: places, times } of cells.moves) {
      let sum = 0;
      for (let i = 0; i < places.length; i++) {
        sum += (drawn[places[i] as number] as number) * (times[i] as number);
      }
      (counts[from] as number[])[to] = sum;
    }
    return shares(
      states,
      withPrior(states, counts, prior),
      "it is too rare to resample: add it to another state or give a prior",
    );
  });
  const end = (p: number): number[][] =>
    states.map((_, from) =>
      states.map((__, to) =>
        quantileOf(
          matrices.map((matrix) => matrix[from]?.[to] as number),
          p,
        ),
      ),
    );
  return Object.freeze({ states, matrices, low: end((1 - level) / 2), high: end((1 + level) / 2), level });
}

const LARGE_CELL = 10; // customers; below, drawing each customer is faster than a binomial count for the cell

/**
 * Draws as many customers as the cells hold, with replacement, and says how many fell on each cell. The array is used again
 * by the next draw.
 */
function cellSampler(sizes: readonly number[], random: Random): () => Int32Array {
  const large = [...sizes.keys()].filter((cell) => (sizes[cell] as number) >= LARGE_CELL);
  const small = Int32Array.from(
    [...sizes.entries()].flatMap(([cell, size]) =>
      size < LARGE_CELL ? new Array<number>(size).fill(cell) : [],
    ),
  ); // the cell of each customer who is drawn alone
  const total = sumOf(sizes);
  const weights = [...large.map((cell) => sizes[cell] as number), small.length];
  const drawn = new Int32Array(sizes.length);
  const shift = Math.min(31, Math.clz32(small.length - 1)); // leaves as many random bits as a place needs
  return () => {
    drawn.fill(0);
    const counts = drawMultinomial(random, total, weights);
    for (const [place, cell] of large.entries()) drawn[cell] = counts[place] as number;
    for (let left = counts[large.length] as number; left > 0; left--) {
      let place = random.uint32() >>> shift;
      while (place >= small.length) place = random.uint32() >>> shift; // no bias
      const cell = small[place] as number;
      drawn[cell] = (drawn[cell] as number) + 1;
    }
    return drawn;
  };
}

/** Customers with the same moves, whatever their order, as one cell. */
interface MoveCells {
  /** Customers of each cell. */
  readonly sizes: readonly number[];
  /** For each move that occurs: the cells whose customers make it, and how many times each does. */
  readonly moves: readonly {
    readonly from: number;
    readonly to: number;
    readonly cells: Int32Array;
    readonly times: Int32Array;
  }[];
}

function moveCells({ states, periods, customers, stateAt }: CustomerStates): MoveCells {
  const cellOf = new Map<string, number>();
  const sizes: number[] = [];
  const moves = Array.from({ length: states.length ** 2 }, () => ({
    cells: [] as number[],
    times: [] as number[],
  }));
  for (let customer = 0; customer < customers.length; customer++) {
    const times = new Map<number, number>();
    for (let at = customer * periods.length; at < (customer + 1) * periods.length - 1; at++) {
      const [from, to] = [stateAt[at] as number, stateAt[at + 1] as number];
      const move = from * states.length + to;
      if (from !== -1 && to !== -1) times.set(move, (times.get(move) ?? 0) + 1);
    }
    if (times.size === 0) continue;
    const made = [...times].sort(([one], [other]) => one - other);
    const key = made.join(" ");
    const cell = cellOf.get(key) ?? sizes.length;
    sizes[cell] = (sizes[cell] ?? 0) + 1;
    if (cellOf.has(key)) continue;
    cellOf.set(key, cell);
    for (const [move, count] of made) {
      moves[move]?.cells.push(cell);
      moves[move]?.times.push(count);
    }
  }
  if (sizes.length === 0) {
    throw new DataError("states: somebody must be observed in two periods in a row, got nobody");
  }
  return {
    sizes,
    moves: moves.map(({ cells, times }, move) => ({
      from: Math.floor(move / states.length),
      to: move % states.length,
      cells: Int32Array.from(cells),
      times: Int32Array.from(times),
    })),
  };
}

/** @throws DataError if the counts do not fit the states or are no counts. */
export function requireCounts(states: readonly string[], counts: ShareMatrix): void {
  stateNames(states);
  requireSize("counts", states, counts);
  for (const [from, row] of counts.entries()) {
    const wrong = row.find((count) => !(Number.isSafeInteger(count) && count >= 0));
    if (wrong === undefined) continue;
    throw new DataError(
      `counts: row ${from + 1} (${states[from]}) must be whole numbers from 0 up, got ${wrong}`,
    );
  }
}

function requireSize(name: string, states: readonly string[], matrix: ShareMatrix): void {
  if (matrix.length !== states.length || matrix.some((row) => row.length !== states.length)) {
    throw new DataError(
      `${name}: there must be ${states.length} rows of ${states.length} numbers, got rows of ${matrix.map((row) => row.length).join(", ")}`,
    );
  }
}

function withPrior(states: readonly string[], counts: ShareMatrix, prior: number | ShareMatrix): number[][] {
  const imagined = typeof prior === "number" ? counts.map((row) => row.map(() => prior)) : prior;
  requireSize("prior", states, imagined);
  const wrong = imagined.flat().find((moves) => !(moves >= 0 && Number.isFinite(moves)));
  if (wrong !== undefined) throw new RangeError(`prior must be from 0 up, got ${wrong}`);
  return counts.map((row, from) => row.map((count, to) => count + (imagined[from]?.[to] as number)));
}

/** Rows divided by their sums. */
function shares(states: readonly string[], rows: ShareMatrix, remedy: string): number[][] {
  return rows.map((row, from) => {
    const total = sumOf(row);
    if (total > 0) return row.map((count) => count / total);
    throw new DataError(
      `counts: row ${from + 1} (${states[from]}) must have at least one move, got none; ${remedy}`,
    );
  });
}
