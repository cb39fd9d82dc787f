import { DataError } from "../core/errors.js";
import { solve } from "../numeric/matrix.js";

/** Rows of shares: from a state (row) to a state (column). */
export type ShareMatrix = readonly (readonly number[])[];

/** A Markov chain of customers: where a customer in one state is a period later. */
export interface MarkovChain {
  /** Shares between 0 and 1 that move from the state of the row to that of the column; each row adds up to 1. */
  readonly matrix: ShareMatrix;
  /** Names of the states; "state 1", "state 2", ... if left out. */
  readonly states?: readonly string[];
}

/** Names of the states of a chain, in the order of the matrix. */
export const namesOf = ({ matrix, states }: MarkovChain): readonly string[] =>
  states ?? matrix.map((_, state) => `state ${state + 1}`);

const ROW_TOLERANCE = 1e-9;

/**
 * @throws DataError if the matrix is empty or not square, has another size than the names, a share is outside [0, 1], or
 * a row does not add up to 1.
 */
export function requireChain(chain: MarkovChain): void {
  const { matrix } = chain;
  const names = namesOf(chain);
  if (matrix.length === 0 || names.length !== matrix.length) {
    throw new DataError(
      `matrix: there must be a row for each state, got ${matrix.length} rows for ${names.length} states`,
    );
  }
  for (const [from, row] of matrix.entries()) {
    const place = `matrix: row ${from + 1} (${names[from]})`;
    if (row.length !== matrix.length) {
      throw new DataError(`${place} must have ${matrix.length} shares, got ${row.length}`);
    }
    const wrong = row.find((share) => !(share >= 0 && share <= 1));
    if (wrong !== undefined) {
      const percent = wrong > 1 ? "; 25 percent is 0.25" : "";
      throw new DataError(`${place} must have shares between 0 and 1${percent}, got ${wrong}`);
    }
    const sum = row.reduce((total, share) => total + share, 0);
    if (Math.abs(sum - 1) > ROW_TOLERANCE) throw new DataError(`${place} must add up to 1, got ${sum}`);
  }
}

/**
 * The share of customers in each state in the long run, whatever the start: pi = pi P. States that everybody leaves for
 * good have 0. By elimination without subtraction, so that small shares keep their digits.
 * @throws DataError if the matrix is no chain, or there are several groups of states that nobody leaves: then the long run
 * depends on the start.
 * @see Grassmann, Taksar & Heyman (1985), Regenerative Analysis and Steady State Distributions for Markov Chains,
 * Operations Research 33(5).
 */
export function stationaryDistribution(chain: MarkovChain): number[] {
  requireChain(chain);
  const closed = closedGroups(chain.matrix);
  if (closed.length > 1) {
    const names = namesOf(chain);
    const groups = closed.map((group) => `{${group.map((state) => names[state]).join(", ")}}`);
    throw new DataError(
      `matrix: there must be one group of states that nobody leaves, got ${closed.length}: ${groups.join(" and ")}`,
    );
  }
  const group = closed[0] as readonly number[];
  const a = group.map((from) => group.map((to) => chain.matrix[from]?.[to] as number));
  const at = (row: number, column: number): number => a[row]?.[column] as number;
  for (let last = a.length - 1; last > 0; last--) {
    const leaves = (a[last] as number[]).slice(0, last).reduce((total, share) => total + share, 0);
    for (let row = 0; row < last; row++) {
      const detour = at(row, last) / leaves;
      (a[row] as number[])[last] = detour;
      for (let column = 0; column < last; column++) {
        (a[row] as number[])[column] = at(row, column) + detour * at(last, column);
      }
    }
  }
  const weights = [1];
  for (let state = 1; state < a.length; state++) {
    weights.push(weights.reduce((total, weight, from) => total + weight * at(from, state), 0));
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = chain.matrix.map(() => 0);
  for (const [place, state] of group.entries()) shares[state] = (weights[place] as number) / total;
  return shares;
}

/** How long customers take to get from each state to one of interest. */
export interface FirstPassage {
  /** The state that is reached, a place in the chain. */
  readonly target: number;
  /** Probability that a customer of each state ever gets there (for the target itself: ever comes back). */
  readonly probability: readonly number[];
  /** Periods until then, on average; Infinity where some never get there. For the target itself: until the return. */
  readonly periods: readonly number[];
  /** `within[t]` has the probability of each state to get there in t periods or fewer, t from 0 to the horizon. */
  readonly within: readonly (readonly number[])[];
}

/**
 * First passage to a state: how sure it is, how long it takes, and how many are there after each period.
 * @throws DataError if the matrix is no chain.
 * @throws RangeError if the target is not the name of a state, or the horizon no whole number from 0 up.
 * @see Kemeny & Snell (1976), Finite Markov Chains, sections 3.3 and 4.4.
 */
export function firstPassage(chain: MarkovChain, target: string, horizon = 12): FirstPassage {
  requireChain(chain);
  requireHorizon("horizon", horizon);
  const { matrix } = chain;
  const goal = namesOf(chain).indexOf(target);
  if (goal === -1) {
    throw new RangeError(`target must be one of ${namesOf(chain).join(", ")}, got "${target}"`);
  }
  const stopped = matrix.map((row, from) => (from === goal ? row.map((_, to) => Number(to === goal)) : row));
  const reach = reachable(stopped);
  const places = [...matrix.keys()];
  const ways = places.filter((state) => state !== goal && reach[state]?.[goal]);
  const into = sumOfPowers(
    among(matrix, ways),
    ways.map((from) => [matrix[from]?.[goal] as number]),
  );
  const probability = places.map(() => 0);
  for (const [place, state] of ways.entries()) probability[state] = into[place]?.[0] as number;
  const mayMiss = (state: number): boolean => places.some((to) => reach[state]?.[to] && !reach[to]?.[goal]);
  const sure = ways.filter((state) => !mayMiss(state));
  const times = sumOfPowers(
    among(matrix, sure),
    sure.map(() => [1]),
  );
  const periods = places.map(() => Number.POSITIVE_INFINITY);
  for (const [place, state] of sure.entries()) {
    periods[state] = times[place]?.[0] as number;
    probability[state] = 1; // free of rounding
  }
  const home = matrix[goal] as readonly number[];
  const later = (values: readonly number[], state: number): number =>
    home[state] === 0 ? 0 : (home[state] as number) * (values[state] as number);
  probability[goal] = (home[goal] as number) + sumOf(ways.map((state) => later(probability, state)));
  periods[goal] = 1 + sumOf(places.filter((state) => state !== goal).map((state) => later(periods, state)));
  const within = [places.map(() => 0)];
  for (let t = 1; t <= horizon; t++) {
    const before = (within[t - 1] as number[]).map((share, state) => (state === goal ? 1 : share));
    within.push(matrix.map((row) => sumOf(row.map((share, to) => share * (before[to] as number)))));
  }
  return Object.freeze({ target: goal, probability, periods, within });
}

/** Where customers end who move until they come to a state that nobody leaves. */
export interface Absorption {
  /** Places of the states that customers leave for good, in the order of the rows below. */
  readonly transient: readonly number[];
  /** Places of the states that nobody leaves, in the order of the columns of `probability`. */
  readonly absorbing: readonly number[];
  /** Fundamental matrix: periods spent in a transient state (column), the first included, from another (row). */
  readonly visits: ShareMatrix;
  /** Periods until absorption from each transient state, on average. */
  readonly periods: readonly number[];
  /** Probability of ending in each absorbing state (column) from each transient one (row). */
  readonly probability: ShareMatrix;
}

/**
 * Absorption, lapsing for good say: time spent in each state before, time until it, and where it ends.
 * @throws DataError if the matrix is no chain, no state is absorbing (keeps all its customers), or customers of a state may
 * never come to one.
 * @see Kemeny & Snell (1976), Finite Markov Chains, section 3.2.
 */
export function absorption(chain: MarkovChain): Absorption {
  requireChain(chain);
  const { matrix } = chain;
  const names = namesOf(chain);
  const closed = closedGroups(matrix);
  const absorbing = closed.flatMap((group) => (group.length === 1 ? group : []));
  if (absorbing.length === 0) {
    throw new DataError(`matrix: a state must keep all its customers, but none of ${names.join(", ")} does`);
  }
  const trap = closed.find((group) => group.length > 1);
  if (trap) {
    throw new DataError(
      `matrix: customers must come to an absorbing state, but nobody leaves ${trap.map((state) => names[state]).join(", ")}`,
    );
  }
  const transient = [...matrix.keys()].filter((state) => !absorbing.includes(state));
  const unit = transient.map((_, row) => transient.map((__, column) => Number(row === column)));
  const visits = sumOfPowers(among(matrix, transient), unit);
  const probability = visits.map((row) =>
    absorbing.map((end) =>
      sumOf(row.map((time, place) => time * (matrix[transient[place] as number]?.[end] as number))),
    ),
  );
  return Object.freeze({ transient, absorbing, visits, periods: visits.map(sumOf), probability });
}

/** The part of the matrix among the given states. */
const among = (matrix: ShareMatrix, states: readonly number[]): number[][] =>
  states.map((from) => states.map((to) => matrix[from]?.[to] as number));

/**
 * (I - M)^-1 B: the sum of B, M B, M^2 B and so on, M being shares that stay or are discounted.
 * @throws DataError if there is no finite sum.
 */
export function sumOfPowers(shares: ShareMatrix, right: ShareMatrix): number[][] {
  const rest = shares.map((row, from) => row.map((share, to) => Number(from === to) - share));
  const sum = solve(rest, right);
  if (sum) return sum;
  throw new DataError(
    "matrix: customers stay in some states for ever to working accuracy, no finite sum exists",
  );
}

/** Groups of states that lead to each other and to no other: once in, nobody leaves. */
function closedGroups(matrix: ShareMatrix): readonly (readonly number[])[] {
  const reach = reachable(matrix);
  const places = [...matrix.keys()];
  const reached = (from: number): readonly number[] => places.filter((to) => reach[from]?.[to]);
  return places
    .filter((state) => reached(state).every((to) => reach[to]?.[state]))
    .map(reached)
    .filter(([first], place, groups) => groups.findIndex(([other]) => other === first) === place);
}

/** Whether a customer of the row can come to the state of the column, in any number of periods, 0 included. */
function reachable(matrix: ShareMatrix): readonly (readonly boolean[])[] {
  const reach = matrix.map((row, from) => row.map((share, to) => share > 0 || from === to));
  for (const [middle, beyond] of reach.entries()) {
    for (const row of reach) {
      if (row[middle]) for (const [to, isReached] of beyond.entries()) row[to] ||= isReached;
    }
  }
  return reach;
}

/** @throws RangeError if a number of periods is not a whole number from 0 up. */
export function requireHorizon(name: string, periods: number): void {
  if (!(Number.isSafeInteger(periods) && periods >= 0)) {
    throw new RangeError(`${name} must be a whole number of periods from 0 up, got ${periods}`);
  }
}

/** Sum of numbers. */
export const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
