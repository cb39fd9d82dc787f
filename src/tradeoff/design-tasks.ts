import type { Random } from "../numeric/random.js";
import { drawInteger } from "../numeric/sampling.js";
import { type ProfileSpace, randomProfile, range, searchProfile, shuffled } from "./design-profiles.js";

/** How many questionnaires, of how many tasks, of how many products a design has. */
export interface DesignSize {
  /** Different questionnaires (blocks); respondents are spread evenly over them. */
  readonly versions: number;
  /** Choice tasks of each version. */
  readonly tasks: number;
  /** Products of each task; choosing none is not counted. */
  readonly alternatives: number;
}

/** What a task must keep to, beside the prohibitions of the profiles: no product twice, and perhaps none dominated. */
export interface TaskRules extends DesignSize {
  readonly space: ProfileSpace;
  /**
   * For each attribute 1 if later levels are liked more, -1 if less, 0 if tastes differ; absent if products may be dominated.
   */
  readonly direction?: readonly number[];
}

/** How alike the products of a task may be: see `randomDesign`. */
export type Overlap = "any" | "balanced" | "minimal";

/**
 * Whether the product at `one` is at least as good as that at `other` in every attribute and better in one, whatever the
 * respondent's taste: attributes without a direction must be equal.
 */
export function dominates(
  direction: readonly number[],
  levels: ArrayLike<number>,
  one: number,
  other: number,
): boolean {
  let better = false;
  for (let k = 0; k < direction.length; k++) {
    const [a, b] = [levels[one + k] as number, levels[other + k] as number];
    if (a === b) continue;
    if (a === -1 || b === -1 || (a - b) * (direction[k] as number) <= 0) return false;
    better = true;
  }
  return better;
}

const isSame = (levels: ArrayLike<number>, one: number, other: number, size: number): boolean => {
  for (let k = 0; k < size; k++) if (levels[one + k] !== levels[other + k]) return false;
  return true;
};

/** Whether product number k of the task that begins at `from` is one before it, or dominates or is dominated by one. */
function isUnfit({ space, direction }: TaskRules, levels: Int16Array, from: number, k: number): boolean {
  const size = space.sizes.length;
  const one = from + k * size;
  for (let other = from; other < one; other += size) {
    if (isSame(levels, one, other, size)) return true;
    if (direction && (dominates(direction, levels, one, other) || dominates(direction, levels, other, one)))
      return true;
  }
  return false;
}

/** Whether the task that begins at `from` has a product twice, or a dominated one where that matters. */
export function isFaulty(rules: TaskRules, levels: Int16Array, from: number): boolean {
  for (let k = 1; k < rules.alternatives; k++) if (isUnfit(rules, levels, from, k)) return true;
  return false;
}

/** Whether two tasks show the same products, in whatever order. */
export function isSameTask(
  levels: ArrayLike<number>,
  one: number,
  other: number,
  alternatives: number,
  size: number,
): boolean {
  for (let a = 0; a < alternatives; a++) {
    let found = false;
    for (let b = 0; b < alternatives && !found; b++)
      found = isSame(levels, one + a * size, other + b * size, size);
    if (!found) return false;
  }
  return true;
}

/** Whether the version has the task that begins at `from` once more, among tasks before `end`. */
export function isRepeated(rules: TaskRules, levels: Int16Array, from: number, end = levels.length): boolean {
  const { tasks, alternatives, space } = rules;
  const block = alternatives * space.sizes.length;
  const start = from - (from % (block * tasks));
  const stop = Math.min(end, start + block * tasks);
  for (let other = start; other < stop; other += block)
    if (other !== from && isSameTask(levels, from, other, alternatives, space.sizes.length)) return true;
  return false;
}

/** Uses of each level in each version: `uses[version][attribute][level]`. */
export function levelUses({ space, versions }: TaskRules, levels: ArrayLike<number>): Int32Array[][] {
  const attributes = space.sizes.length;
  const uses = Array.from({ length: versions }, () => space.sizes.map((size) => new Int32Array(size)));
  for (let at = 0; at < levels.length; at++) {
    const level = levels[at] as number;
    if (level === -1) continue;
    const own = uses[Math.floor((at * versions) / levels.length)]?.[at % attributes] as Int32Array;
    own[level] = (own[level] as number) + 1;
  }
  return uses;
}

const MOST_TRIES = 1000; // of a task
const DISTINCT_TRIES = 500; // of them without a task twice in a version
const PRODUCT_TRIES = 60; // of a product next to those before it
const ORDERLY_TRIES = 20; // of them by balance, the others at random

/**
 * Tasks at random, or such that levels come equally often in a version, alone and in pairs.
 * @throws RangeError if no task keeps to the rules.
 */
export function drawTasks(rules: TaskRules, overlap: Overlap, random: Random): Int16Array {
  const { space, versions, tasks, alternatives } = rules;
  const attributes = space.sizes.length;
  const block = alternatives * attributes;
  const levels = new Int16Array(versions * tasks * block);
  const tally = emptyTally(space);
  /** Writes a product that fits to those before it in the task; false if none is found. */
  const drawProduct = (from: number, k: number, free: readonly boolean[]): boolean => {
    const at = from + k * attributes;
    for (let tries = 0; tries < PRODUCT_TRIES; tries++) {
      const orderly = overlap !== "any" && tries < ORDERLY_TRIES;
      const shown = levels.subarray(from, at);
      levels.set(orderly ? leastUsed(space, tally, shown, free, random) : randomProfile(space, random), at);
      if (!isUnfit(rules, levels, from, k)) return true;
    }
    return false;
  };
  for (let task = 0; task < versions * tasks; task++) {
    if (task % tasks === 0) tally.version.fill(0);
    const from = task * block;
    for (let tries = 0; ; tries++) {
      if (tries === MOST_TRIES) throw new RangeError(noTask(rules));
      const free = space.sizes.map(() => overlap === "balanced" && random.uniform() < 0.5);
      if (!range(alternatives).every((k) => drawProduct(from, k, free))) continue;
      if (tries >= DISTINCT_TRIES || !isRepeated(rules, levels, from, from)) break;
    }
    for (let k = from; k < from + block; k += attributes) count(tally, levels.subarray(k, k + attributes));
  }
  return levels;
}

const noTask = ({ alternatives, direction }: TaskRules): string =>
  `${MOST_TRIES} tries found no task of ${alternatives} different products${direction ? " of which none is dominated" : ""}: ` +
  `allow fewer alternatives or prohibit less${direction ? ", or give a preference for fewer attributes" : ""}`;

/** Counts of levels in the version and of pairs of levels in the design, while it is drawn. */
interface LevelTally {
  /** Place of the first level of each attribute. */
  readonly offset: readonly number[];
  /** Number of levels of all attributes. */
  readonly size: number;
  readonly version: Int32Array;
  readonly pairs: Int32Array;
}

function emptyTally({ sizes }: ProfileSpace): LevelTally {
  const offset = sizes.map((_, k) => sizes.slice(0, k).reduce((sum, size) => sum + size, 0));
  const size = sizes.reduce((sum, own) => sum + own, 0);
  return { offset, size, version: new Int32Array(size), pairs: new Int32Array(size * size) };
}

/** Counts the levels of a profile. */
function count({ offset, size, version, pairs }: LevelTally, profile: Int16Array): void {
  for (let a = 0; a < profile.length; a++) {
    if (profile[a] === -1) continue;
    const one = (offset[a] as number) + (profile[a] as number);
    version[one] = (version[one] as number) + 1;
    for (let b = 0; b < profile.length; b++) {
      if (profile[b] === -1) continue;
      const pair = one * size + (offset[b] as number) + (profile[b] as number);
      pairs[pair] = (pairs[pair] as number) + 1;
    }
  }
}

/**
 * A profile of levels that the version has used least, that differ from those already in the task, and that were seldom
 * together. Attributes that are free may repeat a level of the task, and use one once more than the least used.
 */
function leastUsed(
  space: ProfileSpace,
  { offset, size, version, pairs }: LevelTally,
  shown: Int16Array,
  free: readonly boolean[],
  random: Random,
): Int16Array {
  const attributes = space.sizes.length;
  const preferred = (attribute: number, profile: Int16Array): readonly number[] => {
    const first = offset[attribute] as number;
    const levels = shuffled(range(space.sizes[attribute] as number), random);
    const own = new Int32Array(levels.length); // uses in this task
    for (let at = attribute; at < shown.length; at += attributes)
      if (shown[at] !== -1) own[shown[at] as number] = (own[shown[at] as number] as number) + 1;
    const uses = levels.map((_, level) => (version[first + level] as number) + (own[level] as number));
    const least = Math.min(...uses);
    const together = levels.map((_, level) =>
      profile.reduce(
        (sum, other, b) =>
          other === -1 || b === attribute
            ? sum
            : sum + (pairs[(first + level) * size + (offset[b] as number) + other] as number),
        0,
      ),
    );
    const keys = levels.map((_, level) =>
      free[attribute]
        ? [Math.max(0, (uses[level] as number) - least - 1), 0, 0]
        : [own[level] as number, uses[level] as number, together[level] as number],
    );
    return levels.sort((a, b) => {
      const [left, right] = [keys[a] as number[], keys[b] as number[]];
      const differing = left.findIndex((key, place) => key !== right[place]);
      return differing === -1 ? 0 : (left[differing] as number) - (right[differing] as number);
    });
  };
  const order = shuffled(range(attributes), random);
  return searchProfile(space, preferred, undefined, dependentLast(space, order)) as Int16Array; // some profile is allowed
}

/** The attributes in the given order, but each after the one it depends on. */
function dependentLast({ parent }: ProfileSpace, order: readonly number[]): number[] {
  const result: number[] = [];
  const place = (attribute: number): void => {
    if (result.includes(attribute)) return;
    if (parent[attribute] !== -1) place(parent[attribute] as number);
    result.push(attribute);
  };
  for (const attribute of order) place(attribute);
  return result;
}

const MOST_PARTNERS = 60; // tasks that each is tried to be exchanged with in a round
const MOST_ROUNDS = 5;

/**
 * Exchanges tasks between versions while that makes levels come more equally often in each; tasks are not changed, so the
 * information of the design stays. No version gets a task twice.
 */
export function balanceVersions(rules: TaskRules, levels: Int16Array, random: Random): void {
  const { space, versions, tasks, alternatives } = rules;
  const attributes = space.sizes.length;
  const block = alternatives * attributes;
  if (versions === 1) return;
  const uses = levelUses(rules, levels);
  const shift = (version: number, from: number, by: number): void => {
    for (let at = 0; at < block; at++) {
      const level = levels[from + at] as number;
      if (level === -1) continue;
      const own = uses[version]?.[at % attributes] as Int32Array;
      own[level] = (own[level] as number) + by;
    }
  };
  const squares = (version: number): number =>
    (uses[version] as Int32Array[]).reduce(
      (sum, own) => own.reduce((inner, number) => inner + number * number + (number === 0 ? 1e6 : 0), sum),
      0,
    );
  const swap = (one: number, other: number): void => {
    const kept = levels.slice(one, one + block);
    levels.copyWithin(one, other, other + block);
    levels.set(kept, other);
  };
  const exchange = (one: number, other: number): boolean => {
    const [first, second] = [one, other].map((task) => Math.floor(task / tasks)) as [number, number];
    if (first === second) return false;
    const [here, there] = [one * block, other * block];
    const before = squares(first) + squares(second);
    const move = (): void => {
      shift(first, here, -1);
      shift(second, there, -1);
      swap(here, there);
      shift(first, here, 1);
      shift(second, there, 1);
    };
    move();
    if (
      squares(first) + squares(second) < before &&
      !isRepeated(rules, levels, here) &&
      !isRepeated(rules, levels, there)
    )
      return true;
    move();
    return false;
  };
  const all = versions * tasks;
  for (let round = 0, improved = true; improved && round < MOST_ROUNDS; round++) {
    improved = false;
    for (let one = 0; one < all; one++) {
      if (all <= MOST_PARTNERS)
        for (let other = 0; other < one; other++) improved = exchange(one, other) || improved;
      else
        for (let tries = 0; tries < MOST_PARTNERS; tries++)
          improved = exchange(one, drawInteger(random, 0, all - 1)) || improved;
    }
  }
}
