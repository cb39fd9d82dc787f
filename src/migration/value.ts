import { type ColumnTable, table } from "arquero";
import { requireLevel, requireWhole } from "../core/arguments.js";
import { ConvergenceError } from "../core/errors.js";
import { dot } from "../numeric/matrix.js";
import { quantileOf } from "../numeric/quantile.js";
import type { Random } from "../numeric/random.js";
import {
  type MarkovChain,
  namesOf,
  requireChain,
  requireHorizon,
  type ShareMatrix,
  sumOfPowers,
} from "./chain.js";
import { drawTransitionMatrix, type TransitionMatrix } from "./transitions.js";

/** What customers in each state are worth a period, and what later money is worth today. */
export interface MarkovTerms {
  /** Money that a customer in each state brings in a period, less what is spent on it; received as the period begins. */
  readonly reward: readonly number[];
  /** Discount rate per period, a fraction from 0 to below 1: 0.02, not 2. */
  readonly discountRate: number;
  /** Last period that counts, the present being 0; all future periods if left out. */
  readonly horizon?: number;
}

/**
 * Lifetime value of a customer who is in each state now: the rewards of this period and all later ones, discounted,
 * V = (I - P / (1 + d))^-1 R, or the sum of (P / (1 + d))^t R for t from 0 to the horizon.
 * @throws DataError if the matrix is no chain.
 * @throws RangeError if there is not one finite reward a state, the discount rate is no such fraction (for all future
 * periods above 0), or the horizon no whole number from 0 up.
 * @see Pfeifer & Carraway (2000), Modeling Customer Relationships as Markov Chains, J. Interactive Marketing 14(2).
 */
export function markovValue({
  reward,
  discountRate,
  horizon,
  ...chain
}: MarkovChain & MarkovTerms): number[] {
  requireChain(chain);
  requireReward("reward", chain, reward);
  const forever = horizon === undefined;
  requireDiscountRate(discountRate, forever);
  const discounted = chain.matrix.map((row) => row.map((share) => share / (1 + discountRate)));
  if (forever) return presentValue(discounted, reward);
  requireHorizon("horizon", horizon);
  let value = [...reward];
  for (let t = 1; t <= horizon; t++) {
    const later = value;
    value = discounted.map((row, from) => (reward[from] as number) + dot(row, later));
  }
  return value;
}

/** Lifetime value of each state with its interval. */
export interface MarkovValueInterval {
  /** Names of the states. */
  readonly states: readonly string[];
  /** Value under the estimated matrix. */
  readonly value: readonly number[];
  /** Lower end of the interval. */
  readonly low: readonly number[];
  /** Upper end of the interval. */
  readonly high: readonly number[];
  /** Coverage of the intervals. */
  readonly level: number;
}

/**
 * Lifetime value by state with intervals: how sure the mean value of a customer in each state is, given how sure the
 * transition matrix is. One customer's outcome varies much more.
 * @throws RangeError as `markovValue`, if there are fewer than 20 draws, or the level is not between 0 and 1.
 */
export function markovValueInterval(
  estimate: TransitionMatrix,
  terms: MarkovTerms,
  options: { readonly random: Random; readonly draws?: number; readonly level?: number },
): MarkovValueInterval {
  const { random, draws = 1000, level = 0.9 } = options;
  requireWhole("draws", draws, 20);
  requireLevel(level);
  const { states, matrix } = estimate;
  const value = markovValue({ states, matrix, ...terms });
  const drawn = Array.from({ length: draws }, () =>
    markovValue({ states, matrix: drawTransitionMatrix(estimate, random), ...terms }),
  );
  const end = (p: number): number[] =>
    states.map((_, state) =>
      quantileOf(
        drawn.map((values) => values[state] as number),
        p,
      ),
    );
  return Object.freeze({ states, value, low: end((1 - level) / 2), high: end((1 + level) / 2), level });
}

/**
 * Value of moving one customer from a state to another: the most that may be spent to do it. Columns: `from`, `to`, `gain`
 * if the customer is in the new state before this period's reward, `gain_later` if only what comes after it differs. One
 * row for each ordered pair of states. The gain is causal only if moved customers behave like those found in the state.
 * @throws DataError if the matrix is no chain.
 * @throws RangeError as `markovValue`.
 */
export function valueOfMove(terms: MarkovChain & MarkovTerms): ColumnTable {
  const value = markovValue(terms);
  const states = namesOf(terms);
  const gain =
    (worth: readonly number[]) =>
    ([from, to]: readonly [number, number]): number =>
      (worth[to] as number) - (worth[from] as number);
  const pairs = [...states.keys()].flatMap((from) =>
    [...states.keys()].filter((to) => to !== from).map((to) => [from, to] as const),
  );
  const later = value.map((worth, state) => worth - (terms.reward[state] as number));
  return table({
    from: pairs.map(([from]) => states[from]),
    to: pairs.map(([, to]) => states[to]),
    gain: pairs.map(gain(value)),
    gain_later: pairs.map(gain(later)),
  });
}

/** What can be done with customers in any state: where they go then, and what it brings. */
export interface MarkovAction {
  /** Shares that move from the state of the row to that of the column if this is done. */
  readonly matrix: ShareMatrix;
  /** Money a customer in each state brings in a period in which this is done, less its cost. */
  readonly reward: readonly number[];
}

/** What to do in each state, from a list of actions. */
export interface PolicyProblem {
  /** Names of the states; "state 1", "state 2", ... if left out. */
  readonly states?: readonly string[];
  /** Actions by name; each is possible in each state. */
  readonly actions: Readonly<Record<string, MarkovAction>>;
  /** Discount rate per period, a fraction above 0 and below 1: 0.02, not 2. */
  readonly discountRate: number;
}

/** The best thing to do in each state. */
export interface BestPolicy {
  /** Names of the states. */
  readonly states: readonly string[];
  /** Name of the best action in each state. */
  readonly policy: readonly string[];
  /** Lifetime value of a customer in each state under it. */
  readonly value: readonly number[];
  /** What each action is worth in each state if the best is done ever after: one list of states an action. */
  readonly actionValues: Readonly<Record<string, readonly number[]>>;
  /** Improvements until no action was better. */
  readonly iterations: number;
}

/**
 * Lifetime value of a customer in each state if the policy, one action name a state, is followed for ever.
 * @throws DataError if a matrix is no chain.
 * @throws RangeError if there is no action, an action in the policy is none, or as `markovValue`.
 */
export function policyValue(problem: PolicyProblem, policy: readonly string[]): number[] {
  const actions = readActions(problem);
  if (policy.length !== actions.states.length) {
    throw new RangeError(`policy must name ${actions.states.length} actions, got ${policy.length}`);
  }
  return policyWorth(policy.map(actions.called), problem.discountRate);
}

/**
 * The best action in each state, by policy iteration: value a policy, take in each state the action that is best if that
 * value follows, until nothing changes. It answers "after which recency should mailing stop?".
 * @throws DataError if a matrix is no chain.
 * @throws RangeError if there is no action, there is not one finite reward a state, or the discount rate is no such fraction.
 * @throws ConvergenceError if the policy still changes after 1,000 improvements.
 * @see Howard (1960), Dynamic Programming and Markov Processes, MIT Press; Pfeifer & Carraway (2000), J. Interactive
 * Marketing 14(2).
 */
export function bestPolicy(problem: PolicyProblem): BestPolicy {
  const { names, states, called } = readActions(problem);
  const { discountRate } = problem;
  let policy = states.map(() => names[0] as string);
  for (let iterations = 1; iterations <= MOST_IMPROVEMENTS; iterations++) {
    const value = policyWorth(policy.map(called), discountRate);
    const actionValues = Object.fromEntries(
      names.map((name) => {
        const { matrix, reward } = called(name);
        return [
          name,
          matrix.map((row, state) => (reward[state] as number) + dot(row, value) / (1 + discountRate)),
        ];
      }),
    );
    const better = policy.map((kept, state) => {
      const worth = (name: string): number => actionValues[name]?.[state] as number;
      const margin = 1e-12 * (1 + Math.abs(worth(kept))); // rounding alone must not change a policy
      return names.reduce((best, name) => (worth(name) > worth(best) + margin ? name : best), kept);
    });
    if (better.every((name, state) => name === policy[state])) {
      return Object.freeze({ states, policy, value, actionValues, iterations });
    }
    policy = better;
  }
  throw new ConvergenceError(`policy iteration did not settle in ${MOST_IMPROVEMENTS} improvements`);
}

const MOST_IMPROVEMENTS = 1000;

/** The value of acting in state s as `actions[s]` says. */
const policyWorth = (actions: readonly MarkovAction[], discountRate: number): number[] =>
  presentValue(
    actions.map(({ matrix }, state) =>
      (matrix[state] as readonly number[]).map((share) => share / (1 + discountRate)),
    ),
    actions.map(({ reward }, state) => reward[state] as number),
  );

function readActions({ states, actions, discountRate }: PolicyProblem): {
  readonly names: readonly string[];
  readonly states: readonly string[];
  readonly called: (name: string) => MarkovAction;
} {
  const names = Object.keys(actions);
  const [first] = Object.values(actions);
  if (first === undefined) throw new RangeError("actions must hold at least one action, got none");
  requireDiscountRate(discountRate, true);
  const chainStates = states ?? namesOf(first);
  for (const [name, { matrix, reward }] of Object.entries(actions)) {
    requireChain({ matrix, states: chainStates });
    requireReward(`reward of ${name}`, { matrix }, reward);
  }
  const called = (name: string): MarkovAction => {
    const action = actions[name];
    if (action === undefined)
      throw new RangeError(`policy must name actions (${names.join(", ")}), got "${name}"`);
    return action;
  };
  return { names, states: chainStates, called };
}

/** (I - M)^-1 R for a matrix M of discounted shares. */
const presentValue = (discounted: ShareMatrix, reward: readonly number[]): number[] =>
  sumOfPowers(
    discounted,
    reward.map((money) => [money]),
  ).map(([value]) => value as number);

function requireReward(name: string, { matrix }: MarkovChain, reward: readonly number[]): void {
  if (reward.length === matrix.length && reward.every(Number.isFinite)) return;
  throw new RangeError(`${name} must be ${matrix.length} numbers, one a state, got ${reward.join(", ")}`);
}

function requireDiscountRate(discountRate: number, forever: boolean): void {
  if (discountRate >= 0 && discountRate < 1 && !(forever && discountRate === 0)) return;
  const least = forever ? "above 0 (all future periods are counted)" : "from 0 up";
  throw new RangeError(
    `discountRate must be a fraction per period ${least}, below 1 (2 percent is 0.02), got ${discountRate}`,
  );
}
