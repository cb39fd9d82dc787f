import { type Random, randomSource } from "../numeric/random.js";
import { drawInteger } from "../numeric/sampling.js";
import {
  codeRow,
  type DesignKernel,
  emptyInformation,
  logDeterminant,
  meanDError,
  taskInformation,
  totalInformation,
} from "./design-efficiency.js";
import {
  firstProfiles,
  isAllowed,
  isShown,
  levelsNeeded,
  type ProfileSpace,
  randomProfile,
  range,
  searchProfile,
  shuffled,
} from "./design-profiles.js";
import { drawTasks, isFaulty, isRepeated, levelUses, type TaskRules } from "./design-tasks.js";

/** What all starts of a search for an efficient design share. */
export interface SearchSetup {
  readonly rules: TaskRules;
  readonly kernel: DesignKernel;
}

/** A design found from one start. */
export interface SearchResult {
  readonly levels: Int16Array;
  readonly dError: number;
}

/**
 * The search from one start, as a function of its seed: a balanced random design, improved by coordinate exchange. It runs in
 * a worker thread (see `efficientDesign`).
 */
export function designSearchWorker({ rules, kernel }: SearchSetup) {
  const few = firstProfiles(rules.space, FEW_PROFILES + 1);
  const all = few.length > FEW_PROFILES ? undefined : few;
  return (seed: number): SearchResult => {
    const random = randomSource(seed);
    const levels = drawTasks(rules, "minimal", random);
    coverLevels(rules, levels, random);
    improve(rules, kernel, levels, all, random);
    return { levels, dError: meanDError(kernel, totalInformation(kernel, levels, rules.versions)) };
  };
}

const FEW_PROFILES = 64; // up to here each product is exchanged for every other one
const RANDOM_PROFILES = 8; // else for so many random ones
const MOST_PASSES = 60;
const GAIN = 1e-9; // relative improvement that counts
const PASS_GAIN = 1e-4; // of a pass over the design, to make another one
const RIDGE = 1e-6; // of the information at the start, so that a singular design can be improved

/**
 * Coordinate exchange: every level of every product, and whole products, are exchanged for the one that makes the D-error
 * smallest, until that gains little. A version keeps every level it has.
 * @see Meyer & Nachtsheim (1995), The Coordinate-Exchange Algorithm for Constructing Exact Optimal Experimental Designs,
 * Technometrics 37(1).
 */
function improve(
  rules: TaskRules,
  kernel: DesignKernel,
  levels: Int16Array,
  all: readonly Int16Array[] | undefined,
  random: Random,
): void {
  const { space, tasks, alternatives } = rules;
  const attributes = space.sizes.length;
  const block = alternatives * attributes;
  const judge = productJudge(kernel, levels);
  const uses = levelUses(rules, levels);
  const kept = new Int16Array(attributes);
  let error = judge.error();
  /** Puts the best of the candidates in the place of the product at `at`, if it improves the design. */
  const exchange = (
    own: readonly Int32Array[],
    from: number,
    at: number,
    candidates: readonly Int16Array[],
  ): void => {
    kept.set(levels.subarray(at, at + attributes));
    let best: Int16Array | undefined;
    for (const candidate of candidates) {
      const next = judge.errorWith(candidate);
      if (next >= error * (1 - GAIN) || losesLevel(own, kept, candidate)) continue;
      levels.set(candidate, at);
      const isWelcome = !isFaulty(rules, levels, from) && !isRepeated(rules, levels, from);
      levels.set(kept, at);
      if (!isWelcome) continue;
      error = next;
      best = candidate;
    }
    if (!best) return;
    count(own, kept, -1);
    count(own, best, 1);
    levels.set(best, at);
  };
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    const before = error;
    for (let from = 0; from < levels.length; from += block) {
      const own = uses[Math.floor(from / (block * tasks))] as Int32Array[];
      judge.takeOut(from);
      for (let at = from; at < from + block; at += attributes) {
        judge.leaveOut(from, at);
        for (let k = 0; k < attributes; k++)
          exchange(own, from, at, withOtherLevel(space, levels.subarray(at, at + attributes), k, random));
        const others = all ?? Array.from({ length: RANDOM_PROFILES }, () => randomProfile(space, random));
        exchange(own, from, at, others);
      }
      judge.putBack(from);
    }
    if (error > before * (1 - (all ? GAIN : PASS_GAIN))) return;
  }
}

/** Sums over the products of a task but one, with logit weights exp(utility - shift), for one draw of the priors. */
interface OtherProducts {
  shift: number;
  weight: number;
  readonly first: Float64Array;
  readonly second: Float64Array;
}

/**
 * Judges a design with one product exchanged. The weighted moments of the other products of its task are kept, so that a
 * candidate adds one row to them: the cost does not depend on the number of tasks or products.
 */
function productJudge(kernel: DesignKernel, levels: Int16Array) {
  const { p, attributes, alternatives, none, priors } = kernel;
  const totals = totalInformation(kernel, levels, 1);
  for (const total of totals)
    for (let j = 0, at = 0; j < p; j++, at += j + 1) total[at] = (total[at] as number) * (1 + RIDGE) || RIDGE;
  const compute = taskInformation(kernel);
  const own = emptyInformation(kernel);
  const trial = new Float64Array((p * (p + 1)) / 2);
  const x = new Float64Array((alternatives + 1) * p);
  const others: OtherProducts[] = priors.map(() => ({
    shift: 0,
    weight: 0,
    first: new Float64Array(p),
    second: new Float64Array(trial.length),
  }));
  const addTask = (from: number, sign: number): void => {
    compute(levels, from, own);
    for (const [draw, total] of totals.entries())
      for (let at = 0; at < total.length; at++)
        total[at] = (total[at] as number) + sign * ((own[draw] as Float64Array)[at] as number);
  };
  return {
    /** D-error of the design as it is. */
    error: () => meanDError(kernel, totals),
    /** Takes the task that begins at `from` out of the design, to be judged with other products. */
    takeOut: (from: number) => addTask(from, -1),
    putBack: (from: number) => addTask(from, 1),
    /** Keeps the sums over the products of the task but the one at `at`. */
    leaveOut(from: number, at: number): void {
      let rows = 0;
      for (let product = from; product < from + alternatives * attributes; product += attributes)
        if (product !== at) codeRow(kernel, levels, product, x, rows++ * p);
      if (none !== -1) {
        x.fill(0, rows * p, (rows + 1) * p);
        x[rows++ * p + none] = 1;
      }
      for (const [draw, beta] of priors.entries()) sumProducts(x, rows, beta, others[draw] as OtherProducts);
    },
    /** D-error with the profile in the place of the product left out. */
    errorWith(profile: Int16Array): number {
      codeRow(kernel, profile, 0, x, 0);
      let sum = 0;
      for (const [draw, beta] of priors.entries()) {
        const { shift, weight, first, second } = others[draw] as OtherProducts;
        const total = totals[draw] as Float64Array;
        const w = Math.exp(utilityOf(x, 0, beta) - shift);
        const all = weight + w;
        for (let i = 0, at = 0; i < p; i++) {
          const wx = w * (x[i] as number);
          const mean = ((first[i] as number) + wx) / all;
          for (let j = 0; j <= i; j++, at++) {
            const xj = x[j] as number;
            trial[at] =
              (total[at] as number) +
              ((second[at] as number) + wx * xj - mean * ((first[j] as number) + w * xj)) / all;
          }
        }
        sum += Math.exp(-logDeterminant(trial, p) / p);
      }
      return sum / priors.length;
    },
  };
}

function utilityOf(x: Float64Array, from: number, beta: Float64Array): number {
  let utility = 0;
  for (let j = 0; j < beta.length; j++) utility += (x[from + j] as number) * (beta[j] as number);
  return utility;
}

/** Weights, first and second moments of the first rows of x, written into `into`. */
function sumProducts(x: Float64Array, rows: number, beta: Float64Array, into: OtherProducts): void {
  const p = beta.length;
  const { first, second } = into;
  first.fill(0);
  second.fill(0);
  into.weight = 0;
  into.shift = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < rows; k++) into.shift = Math.max(into.shift, utilityOf(x, k * p, beta));
  for (let k = 0; k < rows; k++) {
    const w = Math.exp(utilityOf(x, k * p, beta) - into.shift);
    into.weight += w;
    for (let i = 0, at = 0; i < p; i++) {
      const wx = w * (x[k * p + i] as number);
      first[i] = (first[i] as number) + wx;
      if (wx === 0) at += i + 1;
      else
        for (let j = 0; j <= i; j++, at++)
          second[at] = (second[at] as number) + wx * (x[k * p + j] as number);
    }
  }
}

/** Whether the exchange takes a level out of its version. */
const losesLevel = (uses: readonly Int32Array[], now: Int16Array, next: Int16Array): boolean =>
  now.some((level, k) => level !== -1 && level !== next[k] && uses[k]?.[level] === 1);

function count(uses: readonly Int32Array[], profile: Int16Array, by: number): void {
  for (const [k, level] of profile.entries()) {
    if (level === -1) continue;
    const own = uses[k] as Int32Array;
    own[level] = (own[level] as number) + by;
  }
}

/** Allowed profiles that differ in the level of one attribute; those that depend on it come with random levels or go. */
function withOtherLevel(
  space: ProfileSpace,
  profile: Int16Array,
  attribute: number,
  random: Random,
): Int16Array[] {
  const now = profile[attribute] as number;
  if (now === -1) return [];
  return range(space.sizes[attribute] as number).flatMap((level) => {
    if (level === now) return [];
    const other = profile.slice();
    other[attribute] = level;
    for (let k = attribute + 1; k < other.length; k++) {
      if (!isShown(space, other, 0, k)) other[k] = -1;
      else if (other[k] === -1) other[k] = drawInteger(random, 0, (space.sizes[k] as number) - 1);
    }
    return isAllowed(space, other, 0) ? [other] : [];
  });
}

/** Brings levels that a version does not show into it, where that costs it no other level. */
function coverLevels(rules: TaskRules, levels: Int16Array, random: Random): void {
  const { space, tasks, alternatives } = rules;
  const attributes = space.sizes.length;
  const block = alternatives * attributes;
  for (const [version, uses] of levelUses(rules, levels).entries()) {
    for (const [attribute, own] of uses.entries())
      for (let level = 0; level < own.length; level++) {
        if (own[level] !== 0) continue;
        for (const place of shuffled(range(tasks * alternatives), random)) {
          const from = version * tasks * block + place * attributes;
          if (putLevel(rules, levels, from, attribute, level, uses, random)) break;
        }
      }
  }
}

/** Tries profiles with the level in the place of the product at `from`. */
function putLevel(
  rules: TaskRules,
  levels: Int16Array,
  from: number,
  attribute: number,
  level: number,
  uses: readonly Int32Array[],
  random: Random,
): boolean {
  const { space, alternatives } = rules;
  const attributes = space.sizes.length;
  const kept = levels.slice(from, from + attributes);
  const task = from - (from % (alternatives * attributes));
  const needed = levelsNeeded(space, attribute, level);
  for (let tries = 0; tries < 10; tries++) {
    const stays = tries === 0 ? 1 : 0.7; // of the other levels
    const candidate = searchProfile(space, (k) => {
      if (needed[k] !== -1) return [needed[k] as number];
      const others = shuffled(range(space.sizes[k] as number), random);
      const now = kept[k] as number;
      return now !== -1 && random.uniform() < stays
        ? [now, ...others.filter((other) => other !== now)]
        : others;
    });
    if (!candidate) return false;
    if (losesLevel(uses, kept, candidate)) continue;
    levels.set(candidate, from);
    if (isFaulty(rules, levels, task) || isRepeated(rules, levels, task)) levels.set(kept, from);
    else {
      count(uses, kept, -1);
      count(uses, candidate, 1);
      return true;
    }
  }
  return false;
}
