import { DataError } from "../core/errors.js";
import { chiSquareTail } from "../numeric/tail-probability.js";
import { type ShareMatrix, sumOf } from "./chain.js";
import type { CustomerStates } from "./states.js";
import { requireCounts, type TransitionCounts } from "./transitions.js";

/** A test of one Markov chain against a richer one. */
export interface ChainTest {
  /** Likelihood-ratio statistic, twice the gain in log-likelihood. */
  readonly likelihoodRatio: number;
  /** Pearson's chi-square, near to it in large samples. */
  readonly chiSquare: number;
  /** Parameters that the richer chain has more, counting only rows and columns that were observed. */
  readonly degreesOfFreedom: number;
  /** Probability of a likelihood ratio at least this large if the simple chain held; 1 without degrees of freedom. */
  readonly pValue: number;
  /** Share of the cells with an expected count below 5: beyond 0.2 the p-value is rough (Cochran 1954). */
  readonly thinCells: number;
}

/** Whether all periods share one transition matrix. */
export interface StationarityTest extends ChainTest {
  /** The same test for the moves from each state alone; they add up to the whole. */
  readonly rows: readonly (ChainTest & { readonly state: string })[];
  /** The largest distance of a period's share from that of all periods together: how much, not only how surely. */
  readonly largestShift: {
    readonly from: string;
    readonly to: string;
    readonly period: string;
    readonly share: number;
    readonly pooled: number;
  };
}

/**
 * Do the periods share one transition matrix? For each state the moves of all periods are a table of periods by states,
 * tested for equal rows; statistics and degrees of freedom add up. In a large base every difference is significant:
 * `largestShift` says how large it is.
 * @throws DataError if there are fewer than two periods, counts are not whole numbers from 0 up, or sizes do not fit.
 * @see Anderson & Goodman (1957), Statistical Inference about Markov Chains, Annals of Mathematical Statistics 28(1);
 * Bickenbach & Bode (2003), Evaluating the Markov Property in Studies of Economic Convergence, International Regional
 * Science Review 26(3), for the degrees of freedom with empty cells.
 */
export function stationarityTest({ states, periods, byPeriod }: TransitionCounts): StationarityTest {
  if (byPeriod.length < 2 || periods.length !== byPeriod.length) {
    throw new DataError(
      `counts: at least two periods are needed, with a matrix each, got ${byPeriod.length} matrices of ${periods.length} periods`,
    );
  }
  for (const counts of byPeriod) requireCounts(states, counts);
  const tables = states.map((_, from) => byPeriod.map((counts) => counts[from] as readonly number[]));
  const rows = states.map((state, from) => ({ state, ...independence([tables[from] as ShareMatrix]) }));
  const shifts = tables.flatMap((table, from) => {
    const total = sumOf(table.flat());
    return table.flatMap((row, period) => {
      const moves = sumOf(row);
      return row.flatMap((count, to) =>
        moves === 0
          ? []
          : [
              {
                from: states[from] as string,
                to: states[to] as string,
                period: periods[period] as string,
                share: count / moves,
                pooled: sumOf(table.map((other) => other[to] as number)) / total,
              },
            ],
      );
    });
  });
  const [first, ...more] = shifts;
  if (first === undefined) throw new DataError("counts: there must be at least one move, got none");
  const size = (shift: typeof first): number => Math.abs(shift.share - shift.pooled);
  const largestShift = more.reduce((most, shift) => (size(shift) > size(most) ? shift : most), first);
  return Object.freeze({ ...independence(tables), rows, largestShift });
}

/** How far back a customer's history matters. */
export interface OrderTest {
  /** Order 0 (the state now says nothing about the next) against order 1. */
  readonly zeroAgainstFirst: ChainTest;
  /** Order 1 (only the state now matters) against order 2 (the one before matters too). */
  readonly firstAgainstSecond: ChainTest;
  /** Bayesian information criterion of orders 0, 1 and 2 on the same moves, less that of order 2: the lowest is best. */
  readonly bic: readonly [number, number, number];
  /** Moves with a known state before: what all three are computed from. */
  readonly observations: number;
}

/**
 * Does the state now matter, and does the one before it matter too? Likelihood-ratio tests on triples of periods in a row,
 * the same for all orders. Customers who differ look like a chain with a memory: a rejected first order may mean that
 * segments should be modelled apart.
 * @throws DataError if nobody is observed in three periods in a row.
 * @see Anderson & Goodman (1957), Statistical Inference about Markov Chains, Annals of Mathematical Statistics 28(1);
 * Katz (1981), On Some Criteria for Estimating the Order of a Markov Chain, Technometrics 23(3).
 */
export function orderTest({ states, periods, stateAt }: CustomerStates): OrderTest {
  const now = states.map(() => states.map(() => states.map(() => 0))); // [now][before][next]
  let observations = 0;
  for (let cell = 0; cell + 2 < stateAt.length; cell++) {
    if (cell % periods.length > periods.length - 3) continue;
    const [before, middle, next] = [stateAt[cell], stateAt[cell + 1], stateAt[cell + 2]] as [
      number,
      number,
      number,
    ];
    if (before === -1 || middle === -1 || next === -1) continue;
    const row = now[middle]?.[before] as number[];
    row[next] = (row[next] as number) + 1;
    observations++;
  }
  if (observations === 0) {
    throw new DataError("states: somebody must be observed in three periods in a row, got nobody");
  }
  const pairs = now.map((table) => states.map((_, next) => sumOf(table.map((row) => row[next] as number))));
  const zeroAgainstFirst = independence([pairs]);
  const firstAgainstSecond = independence(now);
  const penalty = (test: ChainTest): number =>
    test.likelihoodRatio - test.degreesOfFreedom * Math.log(observations);
  const first = penalty(firstAgainstSecond);
  const bic = [first + penalty(zeroAgainstFirst), first, 0] as const;
  return Object.freeze({ zeroAgainstFirst, firstAgainstSecond, bic, observations });
}

/** Independence of rows and columns in all tables at once; empty rows and columns count for nothing. */
function independence(tables: readonly ShareMatrix[]): ChainTest {
  let [likelihoodRatio, chiSquare, degreesOfFreedom, filled, thin] = [0, 0, 0, 0, 0];
  for (const table of tables) {
    const rowSums = table.map(sumOf);
    const columnSums = (table[0] ?? []).map((_, column) => sumOf(table.map((row) => row[column] as number)));
    const total = sumOf(rowSums);
    const present = (sums: readonly number[]): number => sums.filter((sum) => sum > 0).length;
    degreesOfFreedom += Math.max(0, present(rowSums) - 1) * Math.max(0, present(columnSums) - 1);
    for (const [row, cells] of table.entries()) {
      for (const [column, count] of cells.entries()) {
        const expected = ((rowSums[row] as number) * (columnSums[column] as number)) / total;
        if (!(expected > 0)) continue;
        if (count > 0) likelihoodRatio += 2 * count * Math.log(count / expected);
        chiSquare += (count - expected) ** 2 / expected;
        filled++;
        if (expected < 5) thin++;
      }
    }
  }
  return {
    likelihoodRatio: Math.max(0, likelihoodRatio), // equal rows leave a rounding error of either sign
    chiSquare,
    degreesOfFreedom,
    pValue: degreesOfFreedom === 0 ? 1 : chiSquareTail(likelihoodRatio, degreesOfFreedom),
    thinCells: filled === 0 ? 0 : thin / filled,
  };
}
