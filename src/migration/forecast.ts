import { requireLevel, requireWhole } from "../core/arguments.js";
import { quantileOf } from "../numeric/quantile.js";
import type { Random } from "../numeric/random.js";
import { drawMultinomial } from "../numeric/sampling.js";
import { requireHorizon, type ShareMatrix } from "./chain.js";
import { drawTransitionMatrix, type TransitionMatrix } from "./transitions.js";

/** How customers in each state are forecast. */
export interface StateForecastOptions {
  /** Customers in each state now, whole numbers. */
  readonly start: readonly number[];
  /** Number of periods ahead. */
  readonly periods: number;
  /** Customers who join each state at the end of every period, whole numbers; nobody if left out. */
  readonly joining?: readonly number[];
  /** Seeded source of random numbers. */
  readonly random: Random;
  /** Number of simulated futures; default 1,000. */
  readonly draws?: number;
  /** Coverage of the bands; default 0.9. */
  readonly level?: number;
}

/** Customers in each state after 0, 1, ... periods: one row a period, one column a state. */
export interface StateForecast {
  /** Names of the states. */
  readonly states: readonly string[];
  /** Expected customers if the estimated matrix is right. */
  readonly expected: ShareMatrix;
  /** Lower end of the band. */
  readonly low: ShareMatrix;
  /** Upper end of the band. */
  readonly high: ShareMatrix;
  /** Coverage of the band for one period and state. */
  readonly level: number;
  /** States that nobody leaves, by the estimate. */
  readonly absorbing: readonly string[];
}

/**
 * How many customers will be in each state. The bands hold two things: how sure the matrix is (one draw from its posterior
 * for each future) and the chance of each customer's moves (multinomial). They do not hold that the matrix may change.
 * @throws RangeError if start or joining are not whole numbers from 0 up, one a state; periods is not from 0 up; there are
 * fewer than 20 draws; or the level is not between 0 and 1.
 */
export function forecastStates(estimate: TransitionMatrix, options: StateForecastOptions): StateForecast {
  const { states, matrix } = estimate;
  const { start, periods, joining = states.map(() => 0), random, draws = 1000, level = 0.9 } = options;
  requireHorizon("periods", periods);
  requireCustomers("start", states, start);
  requireCustomers("joining", states, joining);
  requireWhole("draws", draws, 20);
  requireLevel(level);
  const expected = path(start, periods, joining, (count, from) =>
    (matrix[from] as readonly number[]).map((share) => count * share),
  );
  const futures = Array.from({ length: draws }, () => {
    const drawn = drawTransitionMatrix(estimate, random);
    return path(start, periods, joining, (count, from) =>
      drawMultinomial(random, count, drawn[from] as number[]),
    );
  });
  const end = (p: number): number[][] =>
    expected.map((row, t) =>
      row.map((_, state) =>
        quantileOf(
          futures.map((future) => future[t]?.[state] as number),
          p,
        ),
      ),
    );
  const absorbing = states.filter((_, state) => matrix[state]?.[state] === 1);
  return Object.freeze({
    states,
    expected,
    low: end((1 - level) / 2),
    high: end((1 + level) / 2),
    level,
    absorbing,
  });
}

/** Customers in each state after 0 to `periods` periods, `spread` saying where those of one state go. */
function path(
  start: readonly number[],
  periods: number,
  joining: readonly number[],
  spread: (count: number, from: number) => ArrayLike<number>,
): number[][] {
  const rows = [[...start]];
  for (let t = 1; t <= periods; t++) {
    const next = [...joining];
    for (const [from, count] of (rows[t - 1] as number[]).entries()) {
      const moved = spread(count, from);
      for (let to = 0; to < next.length; to++) next[to] = (next[to] as number) + (moved[to] as number);
    }
    rows.push(next);
  }
  return rows;
}

function requireCustomers(name: string, states: readonly string[], customers: readonly number[]): void {
  if (
    customers.length === states.length &&
    customers.every((count) => Number.isSafeInteger(count) && count >= 0)
  )
    return;
  throw new RangeError(
    `${name} must be ${states.length} whole numbers of customers from 0 up, got ${customers.join(", ")}`,
  );
}
