import type { Random } from "../numeric/random.js";
import { drawInteger } from "../numeric/sampling.js";

/**
 * The products that a survey can show, as numbers: a profile has the position of a level for each attribute, from 0, or -1
 * for an attribute that it does not have.
 */
export interface ProfileSpace {
  /** Number of levels of each attribute. */
  readonly sizes: readonly number[];
  /** For each attribute the earlier attribute it depends on, or -1; it is there only with the level `parentLevel`. */
  readonly parent: readonly number[];
  readonly parentLevel: readonly number[];
  /** Levels that no profile may have together: pairs of attribute and level. */
  readonly prohibitions: readonly (readonly (readonly [attribute: number, level: number])[])[];
}

/** Levels of profiles one after the other. */
export type LevelPlaces = Int16Array | number[];

/** Whether the attribute is there, given the levels of the attributes before it. */
export const isShown = (
  { parent, parentLevel }: ProfileSpace,
  levels: LevelPlaces,
  from: number,
  attribute: number,
): boolean => {
  const on = parent[attribute] as number;
  return on === -1 || levels[from + on] === parentLevel[attribute];
};

/** Whether the profile that begins at `from` has no prohibited levels together. */
export function isAllowed({ prohibitions }: ProfileSpace, levels: LevelPlaces, from: number): boolean {
  for (const pairs of prohibitions) {
    let matched = 0;
    while (matched < pairs.length) {
      const [attribute, level] = pairs[matched] as readonly [number, number];
      if (levels[from + attribute] !== level) break;
      matched++;
    }
    if (matched === pairs.length) return false;
  }
  return true;
}

/** Number of profiles if nothing were prohibited. */
export function countUnprohibited({ sizes, parent, parentLevel }: ProfileSpace): number {
  const below = (attribute: number, level: number): number =>
    sizes.reduce(
      (product, _, child) =>
        parent[child] === attribute && (attribute === -1 || parentLevel[child] === level)
          ? product * ways(child)
          : product,
      1,
    );
  const ways = (attribute: number): number => {
    let sum = 0;
    for (let level = 0; level < (sizes[attribute] as number); level++) sum += below(attribute, level);
    return sum;
  };
  return below(-1, 0);
}

/**
 * Goes through profiles attribute by attribute, in the order of preference of levels, and back where levels are prohibited
 * together; ends when `visit` is content. The profile visited changes afterwards.
 * @param preferred Levels of an attribute to be tried, the best first, given the levels of the attributes before it in `order`.
 * @param order All attributes, those others depend on first.
 * @returns The profile `visit` was content with, or undefined.
 */
export function searchProfile(
  space: ProfileSpace,
  preferred: (attribute: number, profile: Int16Array) => readonly number[],
  visit: (profile: Int16Array) => boolean = () => true,
  order: readonly number[] = space.sizes.map((_, attribute) => attribute),
): Int16Array | undefined {
  const profile = new Int16Array(space.sizes.length).fill(-1);
  const extend = (depth: number): boolean => {
    if (depth === order.length) return visit(profile);
    const attribute = order[depth] as number;
    if (!isShown(space, profile, 0, attribute)) return extend(depth + 1);
    for (const level of preferred(attribute, profile)) {
      profile[attribute] = level;
      if (isAllowed(space, profile, 0) && extend(depth + 1)) return true;
    }
    profile[attribute] = -1;
    return false;
  };
  return extend(0) ? profile : undefined;
}

/** What a profile with the level must have: that level, and those that the attribute depends on; -1 where it is free. */
export function levelsNeeded(
  { sizes, parent, parentLevel }: ProfileSpace,
  attribute: number,
  level: number,
): Int16Array {
  const needed = new Int16Array(sizes.length).fill(-1);
  needed[attribute] = level;
  for (let k = attribute; parent[k] !== -1; k = parent[k] as number)
    needed[parent[k] as number] = parentLevel[k] as number;
  return needed;
}

/** Levels from 0 up. */
export const range = (size: number): number[] => Array.from({ length: size }, (_, place) => place);

/** The first profiles, up to `most`, the last attribute changing fastest. */
export function firstProfiles(space: ProfileSpace, most: number): Int16Array[] {
  const levels = space.sizes.map(range);
  const profiles: Int16Array[] = [];
  searchProfile(
    space,
    (attribute) => levels[attribute] as readonly number[],
    (profile) => profiles.push(profile.slice()) === most,
  );
  return profiles;
}

const MOST_REJECTED = 200;

/**
 * A random profile: levels equally likely, among profiles that are allowed.
 * @throws RangeError if no profile is allowed.
 */
export function randomProfile(space: ProfileSpace, random: Random): Int16Array {
  const profile = new Int16Array(space.sizes.length);
  for (let tries = 0; tries < MOST_REJECTED; tries++) {
    for (const [attribute, size] of space.sizes.entries())
      profile[attribute] = isShown(space, profile, 0, attribute) ? drawInteger(random, 0, size - 1) : -1;
    if (isAllowed(space, profile, 0)) return profile;
  }
  const found = searchProfile(space, (attribute) =>
    shuffled(range(space.sizes[attribute] as number), random),
  );
  if (!found) throw new RangeError("prohibitions must leave at least one profile, but leave none");
  return found;
}

/** The items in random order. */
export function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = drawInteger(random, 0, last);
    [result[last], result[other]] = [result[other] as Item, result[last] as Item];
  }
  return result;
}
