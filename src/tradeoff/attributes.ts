import { requireOneOf } from "../core/arguments.js";
import { DataError } from "../core/errors.js";
import { describe } from "../core/table.js";
import { levelsNeeded, type ProfileSpace, range, searchProfile } from "./design-profiles.js";
import { type AttributeLevels, categoricalAttribute, codeBetween, linearAttribute } from "./part-worths.js";

/** A level of an attribute: a name, or an amount such as a price. */
export type Level = string | number;

/** An attribute of products and the levels a survey shows. */
export interface AttributeDeclaration {
  readonly name: string;
  /** Names, or amounts from 0 up that rise; at least two. */
  readonly levels: readonly Level[];
  /**
   * How utility depends on the level: "part-worth" freely, "linear" in proportion to the amount, "piecewise" along lines
   * between breakpoints. "part-worth" unless given.
   */
  readonly as?: "part-worth" | "linear" | "piecewise";
  /** Inner levels at which the slope may change, rising; for "piecewise". */
  readonly breakpoints?: readonly number[];
  /** Level without a column of its own; the first unless given. */
  readonly reference?: Level;
  /** For an attribute that only some products have: the level of an earlier attribute that comes with it. */
  readonly only?: { readonly attribute: string; readonly level: Level };
}

/** Checked attributes of a survey. */
export interface SurveyAttributes {
  readonly attributes: readonly AttributeDeclaration[];
  /** Levels that no product can have together, by attribute. */
  readonly prohibitions: readonly Readonly<Record<string, Level>>[];
  /** Whether respondents may choose none of the products. */
  readonly none: boolean;
}

/** A product: its level of every attribute; attributes that it does not have are left out. */
export type Profile = Readonly<Record<string, Level>>;

/** Dummies measure from the reference level, effects from the mean of the levels. */
export type LevelCoding = "dummy" | "effects";

/** How profiles become columns of numbers. */
export interface CodingOptions {
  /** Coding of part-worths; "dummy" unless given. */
  readonly coding?: LevelCoding;
  /** Pairs of attributes whose effects depend on each other: products of their columns are columns too. */
  readonly interactions?: readonly (readonly [string, string])[];
}

/** Name of the alternative, and of its column, of choosing none of the products. */
export const NONE = "none";

/**
 * Declares the attributes of a survey once, for design, questionnaire, coding and reading of the results.
 * `options.prohibitions`: Levels that no product can have together: `{ seats: "8", engine: "electric" }`.
 * `options.none`: Whether respondents may choose none of the products; false unless given.
 * @throws RangeError naming the attribute: a name twice or empty, fewer than two levels, a level twice, amounts that do not
 * rise or are negative, breakpoints or a reference that are none of the levels, `only` or a prohibition of something unknown,
 * prohibitions that leave no product with some level.
 */
export function defineAttributes(
  attributes: readonly AttributeDeclaration[],
  {
    prohibitions = [],
    none = false,
  }: { readonly prohibitions?: readonly Readonly<Record<string, Level>>[]; readonly none?: boolean } = {},
): SurveyAttributes {
  if (attributes.length === 0) throw new RangeError("attributes must be at least one, got none");
  for (const [place, attribute] of attributes.entries()) requireAttribute(attributes, attribute, place);
  for (const [place, prohibition] of prohibitions.entries()) {
    if (Object.keys(prohibition).length < 2)
      throw new RangeError(
        `prohibition ${place + 1} must name at least two attributes, got ${JSON.stringify(prohibition)}`,
      );
    for (const [name, level] of Object.entries(prohibition))
      requireLevel(attributes, name, level, `prohibition ${place + 1}`);
  }
  const survey = Object.freeze({ attributes, prohibitions, none });
  codingOf(survey);
  requireProfiles(survey);
  return survey;
}

function requireAttribute(
  all: readonly AttributeDeclaration[],
  attribute: AttributeDeclaration,
  place: number,
): void {
  const { name, levels, as = "part-worth", breakpoints, reference, only } = attribute;
  if (name === "" || name === NONE)
    throw new RangeError(
      `attribute ${place + 1} must have a name other than "${NONE}", got ${describe(name)}`,
    );
  const first = all.findIndex((other) => other.name === name);
  if (first !== place)
    throw new RangeError(
      `attributes must have different names, got ${describe(name)} at ${first + 1} and ${place + 1}`,
    );
  requireOneOf(`as of ${name}`, as, ["part-worth", "linear", "piecewise"]);
  const amounts = levels.filter((level) => typeof level === "number");
  if (levels.some((level: unknown) => typeof level !== "string" && typeof level !== "number"))
    throw new RangeError(
      `levels of ${name} must be names or amounts, got ${levels.map(describe).join(", ")}`,
    );
  const rise = amounts.every((amount, k) => amount >= 0 && (k === 0 || amount > (amounts[k - 1] as number)));
  if (as !== "part-worth" && amounts.length < levels.length)
    throw new RangeError(
      `levels of ${name} must be numbers to be ${as}, got ${levels.map(describe).join(", ")}`,
    );
  if (amounts.length === levels.length && !(rise && amounts.every(Number.isFinite)))
    throw new RangeError(
      `levels of ${name} must be amounts from 0 up that rise, got ${levels.map(describe).join(", ")}`,
    );
  if ((breakpoints !== undefined) !== (as === "piecewise"))
    throw new RangeError(`${name} must have breakpoints if it is piecewise and only then, got as "${as}"`);
  if (breakpoints && !areInner(breakpoints, amounts))
    throw new RangeError(
      `breakpoints of ${name} must be levels between the first and the last that rise, got ${breakpoints.join(", ")}`,
    );
  if (reference !== undefined && as !== "part-worth")
    throw new RangeError(`${name} must be a part-worth to have a reference, got as "${as}"`);
  levelsOf(attribute, "dummy"); // refuses fewer than two levels, one twice and an unknown reference
  if (only) requireLevel(all.slice(0, place), only.attribute, only.level, `only of ${name}`);
}

const areInner = (breakpoints: readonly number[], amounts: readonly number[]): boolean =>
  breakpoints.length > 0 &&
  breakpoints.every(
    (point, place) =>
      amounts.slice(1, -1).includes(point) && (place === 0 || point > (breakpoints[place - 1] as number)),
  );

/** @throws RangeError if there is no such attribute, or it has no such level. */
function requireLevel(
  attributes: readonly AttributeDeclaration[],
  name: string,
  level: Level,
  place: string,
): void {
  const attribute = attributes.find((other) => other.name === name);
  if (!attribute)
    throw new RangeError(
      `${place} must name one of the attributes ${attributes.map((other) => other.name).join(", ")}, got ${describe(name)}`,
    );
  if (placeOfLevel(attribute, level) === -1)
    throw new RangeError(
      `${place}: ${name} must be one of ${attribute.levels.join(", ")}, got ${describe(level)}`,
    );
}

/** Position of a level from 0, or -1; the number 7 and the text "7" are one level. */
const placeOfLevel = ({ levels }: AttributeDeclaration, level: unknown): number =>
  levels.findIndex((other) => other === level || String(other) === level || other === String(level));

/** The attributes as numbers, for designs. */
export function profileSpace({ attributes, prohibitions }: SurveyAttributes): ProfileSpace {
  const place = (name: string): number => attributes.findIndex((attribute) => attribute.name === name);
  const levelPlace = (name: string, level: Level): number =>
    placeOfLevel(attributes[place(name)] as AttributeDeclaration, level);
  return {
    sizes: attributes.map(({ levels }) => levels.length),
    parent: attributes.map(({ only }) => (only ? place(only.attribute) : -1)),
    parentLevel: attributes.map(({ only }) => (only ? levelPlace(only.attribute, only.level) : -1)),
    prohibitions: prohibitions.map((prohibition) =>
      Object.entries(prohibition).map(([name, level]) => [place(name), levelPlace(name, level)] as const),
    ),
  };
}

/** @throws RangeError naming a level that no product can have. */
function requireProfiles(survey: SurveyAttributes): void {
  const space = profileSpace(survey);
  for (const [wanted, { name, levels }] of survey.attributes.entries()) {
    for (const [only, level] of levels.entries()) {
      const needed = levelsNeeded(space, wanted, only);
      const found = searchProfile(space, (attribute) =>
        needed[attribute] === -1 ? range(space.sizes[attribute] as number) : [needed[attribute] as number],
      );
      if (!found)
        throw new RangeError(
          `prohibitions must leave a product for every level, but leave none with ${name} ${level}`,
        );
    }
  }
}

/** The attributes as products are coded and part-worths are read: see `levelUtilities`, `pooledLevels`, `simulateMarket`. */
export const attributeLevels = (
  { attributes }: SurveyAttributes,
  coding: LevelCoding = "dummy",
): AttributeLevels[] =>
  attributes.map((attribute) => {
    const { only } = attribute;
    const levels = levelsOf(attribute, coding);
    if (!only) return levels;
    return Object.freeze({ ...levels, only: { attribute: only.attribute, level: String(only.level) } });
  });

function levelsOf(
  { name, levels, as, breakpoints = [], reference }: AttributeDeclaration,
  coding: LevelCoding,
): AttributeLevels {
  if (as === "linear") return linearAttribute(name, levels as readonly number[]);
  if (as !== "piecewise")
    return categoricalAttribute(name, levels, { coding, ...(reference === undefined ? {} : { reference }) });
  const edges = [0, ...breakpoints, Number.POSITIVE_INFINITY];
  const codeOf = (amount: number): Record<string, number> =>
    Object.fromEntries(
      edges.slice(1).map((to, place) => {
        const from = edges[place] as number;
        const limits = `${place === 0 ? "" : ` from ${from}`}${to === Number.POSITIVE_INFINITY ? "" : ` to ${to}`}`;
        return [`${name}${limits}`, Math.max(0, Math.min(amount, to) - from)];
      }),
    );
  return Object.freeze({
    attribute: name,
    levels: (levels as readonly number[]).map((value) => ({
      level: String(value),
      code: codeOf(value),
      value,
    })),
  });
}

/** Columns of coded profiles and where they come from. */
export interface ProfileCoding {
  /** Names of the columns: attribute after attribute, interactions, none. */
  readonly names: readonly string[];
  /** The columns of each attribute. */
  readonly own: readonly (readonly string[])[];
  readonly levels: readonly AttributeLevels[];
  /** Pairs of attributes, by position. */
  readonly interactions: readonly (readonly [number, number])[];
  /** Position of the column of choosing none, or -1. */
  readonly none: number;
}

/** Columns that the levels of an attribute are coded by. */
export const columnsOf = ({ levels }: AttributeLevels): string[] => [
  ...new Set(levels.flatMap(({ code }) => Object.keys(code))),
];

/** Name of the column of two columns' product. */
export const productName = (left: string, right: string): string => `${left} x ${right}`;

/**
 * Columns that profiles of a survey are coded in.
 * @throws RangeError if an interaction is not of two attributes, or two columns would have one name.
 */
export const codingOf = (
  survey: SurveyAttributes,
  { coding = "dummy", interactions = [] }: CodingOptions = {},
): ProfileCoding => codingOfLevels(attributeLevels(survey, coding), { interactions, none: survey.none });

/** The same of attributes whose levels are coded already. */
export function codingOfLevels(
  levels: readonly AttributeLevels[],
  { interactions = [], none = false }: Pick<CodingOptions, "interactions"> & { readonly none?: boolean },
): ProfileCoding {
  const own = levels.map(columnsOf);
  const pairs = interactions.map((pair) => {
    const places = pair.map((name) => levels.findIndex(({ attribute }) => attribute === name));
    if (places.includes(-1) || places[0] === places[1])
      throw new RangeError(
        `interactions must be of two of the attributes ${levels.map(({ attribute }) => attribute).join(", ")}, got ${pair.join(" and ")}`,
      );
    return places as [number, number];
  });
  const products = pairs.flatMap(([a, b]) =>
    (own[a] as string[]).flatMap((left) => (own[b] as string[]).map((right) => productName(left, right))),
  );
  const names = [...own.flat(), ...products, ...(none ? [NONE] : [])];
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  if (twice !== undefined)
    throw new RangeError(
      `columns must have different names, got ${describe(twice)} twice: rename an attribute`,
    );
  return { names, own, levels, interactions: pairs, none: none ? names.length - 1 : -1 };
}

/** Adds the products of interacting columns to the codes of a profile's own columns. */
export function withInteractions(
  { own, interactions }: ProfileCoding,
  code: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  if (interactions.length === 0) return code;
  const result: Record<string, number> = { ...code };
  for (const [a, b] of interactions) {
    for (const left of own[a] as readonly string[])
      for (const right of own[b] as readonly string[])
        result[productName(left, right)] = (code[left] ?? 0) * (code[right] ?? 0);
  }
  return result;
}

/**
 * Codes products as columns of numbers, the same columns whatever the products: "seats 7" for a part-worth, "price" for a
 * linear attribute, "price to 30" and "price from 30" for a piecewise one, "seats 7 x price" for an interaction, "none".
 * Amounts that are linear or piecewise may lie between the levels.
 * @param profiles Products, or "none" for choosing none of them.
 * @throws DataError naming the row: a level that is unknown, missing, or of an attribute that the product does not have; levels
 * that are prohibited together; "none" where it cannot be chosen. RangeError as `codingOf`.
 */
export const codeProfiles = (
  survey: SurveyAttributes,
  profiles: readonly (Profile | "none")[],
  options: CodingOptions = {},
): Record<string, Float64Array> => codeProfilesAt(survey, profiles, options, (row) => `row ${row + 1}`);

/** The same, with the words that errors have for the place of a profile. */
export function codeProfilesAt(
  survey: SurveyAttributes,
  profiles: readonly (Profile | "none")[],
  options: CodingOptions,
  placeOf: (row: number) => string,
): Record<string, Float64Array> {
  const coding = codingOf(survey, options);
  const space = profileSpace(survey);
  const columns = Object.fromEntries(coding.names.map((name) => [name, new Float64Array(profiles.length)]));
  for (const [row, profile] of profiles.entries()) {
    const place = (): string => placeOf(row);
    if (profile === NONE) {
      if (!survey.none)
        throw new DataError(`${place()} must be a product, for none cannot be chosen, got "none"`);
      (columns[NONE] as Float64Array)[row] = 1;
      continue;
    }
    const code = withInteractions(coding, codeOfProfile(survey, space, coding, profile, place));
    for (const [name, value] of Object.entries(code)) (columns[name] as Float64Array)[row] = value;
  }
  return columns;
}

function codeOfProfile(
  { attributes, prohibitions }: SurveyAttributes,
  { parent, parentLevel }: ProfileSpace,
  { levels }: ProfileCoding,
  profile: Profile,
  place: () => string,
): Record<string, number> {
  const places: number[] = [];
  const code: Record<string, number> = {};
  for (const [k, attribute] of attributes.entries()) {
    const { name, only, as = "part-worth" } = attribute;
    const value: unknown = profile[name];
    places[k] = placeOfLevel(attribute, value);
    if (only && places[parent[k] as number] !== parentLevel[k]) {
      if (value === undefined || value === null) continue;
      throw new DataError(
        `${name} in ${place()} must be left out, for only ${only.attribute} ${only.level} has it, got ${describe(value)}`,
      );
    }
    if (as === "part-worth") {
      const level = levels[k]?.levels[places[k]];
      if (!level)
        throw new DataError(
          `${name} in ${place()} must be one of ${attribute.levels.join(", ")}, got ${describe(value)}`,
        );
      Object.assign(code, level.code);
      continue;
    }
    const amounts = levels[k] as AttributeLevels;
    const between = typeof value === "number" ? codeBetween(amounts, value) : undefined;
    if (!between)
      throw new DataError(
        `${name} in ${place()} must be a number from ${amounts.levels[0]?.value} to ${amounts.levels.at(-1)?.value}, got ${describe(value)}`,
      );
    Object.assign(code, between);
  }
  const broken = prohibitions.find((prohibition) =>
    Object.entries(prohibition).every(([name, level]) => {
      const k = attributes.findIndex((attribute) => attribute.name === name);
      return places[k] === placeOfLevel(attributes[k] as AttributeDeclaration, level);
    }),
  );
  if (!broken) return code;
  const together = Object.entries(broken).map(([name, level]) => `${name} ${level}`);
  throw new DataError(`${place()} must not have ${together.join(" with ")}: they are prohibited together`);
}

/** Utility of one level, or of two interacting ones beyond their own. */
export interface LevelUtility {
  /** The attribute; two interacting ones as "seats x engine". */
  readonly attribute: string;
  readonly level: string;
  readonly utility: number;
}

/**
 * Reads coefficients back as utilities of levels: that of a reference level is 0 by dummies, and minus the sum of the others by
 * effects. For errors see `pooledLevels`, for individuals `levelUtilities`, both of `attributeLevels`.
 * @throws DataError if the coefficient of a column is missing or not finite; RangeError as `codingOf`.
 */
export function decodePartWorths(
  survey: SurveyAttributes,
  coefficients: Readonly<Record<string, number>>,
  options: CodingOptions = {},
): LevelUtility[] {
  const { names, own, levels, interactions } = codingOf(survey, options);
  for (const name of names) {
    if (!Number.isFinite(coefficients[name]))
      throw new DataError(`coefficients must have a number for ${name}, got ${describe(coefficients[name])}`);
  }
  const at = (name: string): number => coefficients[name] as number;
  const main = levels.flatMap(({ attribute, levels: all }) =>
    all.map(({ level, code }) => ({
      attribute,
      level,
      utility: Object.entries(code).reduce((sum, [name, value]) => sum + value * at(name), 0),
    })),
  );
  const joint = interactions.flatMap(([a, b]) => {
    const [first, second] = [levels[a] as AttributeLevels, levels[b] as AttributeLevels];
    return first.levels.flatMap((left) =>
      second.levels.map((right) => ({
        attribute: productName(first.attribute, second.attribute),
        level: productName(left.level, right.level),
        utility: (own[a] as readonly string[]).reduce(
          (sum, x) =>
            (own[b] as readonly string[]).reduce(
              (inner, y) => inner + (left.code[x] ?? 0) * (right.code[y] ?? 0) * at(productName(x, y)),
              sum,
            ),
          0,
        ),
      })),
    );
  });
  return [...main, ...joint, ...(survey.none ? [{ attribute: NONE, level: NONE, utility: at(NONE) }] : [])];
}
