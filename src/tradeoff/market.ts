import { DataError } from "../core/errors.js";
import { describe } from "../core/table.js";
import { NONE } from "./attributes.js";
import type { AttributeColumns } from "./choice-data.js";
import type { AttributeLevel, AttributeLevels, PartWorths } from "./part-worths.js";

/** Products that compete, a value each in every column. */
export interface Market {
  /** Names of the products, each once. */
  readonly products: readonly string[];
  /** Coded attributes: a column for every part-worth (but that of the none option). */
  readonly attributes: AttributeColumns;
  /** Share of buyers who know the product, 0 to 1; 1 unless given. */
  readonly awareness?: ArrayLike<number>;
  /** Share of buyers who can get the product, 0 to 1, independent of awareness and of other products; 1 unless given. */
  readonly distribution?: ArrayLike<number>;
  /** Price of a unit in money. */
  readonly prices?: ArrayLike<number>;
  /** Cost of a unit in money. */
  readonly unitCosts?: ArrayLike<number>;
}

/** A product to be coded. */
export interface ProductSpec {
  readonly name: string;
  /**
   * Level of every attribute that the product has, by its name; an amount between two levels for an attribute of amounts.
   */
  readonly levels: Readonly<Record<string, string | number>>;
}

/** Money of products that are put together from levels. */
export interface LevelMoney {
  /** Attribute of amounts that is the price. */
  readonly price?: string;
  /** Cost that a level adds to a unit, in money, by attribute and level; 0 for what is not named. */
  readonly costs?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/**
 * Products given by their levels as a market: codes, and prices and unit costs where money is given.
 * @throws DataError naming product and attribute if a level is missing or unknown, or of an attribute that the product cannot
 * have.
 */
export function marketOf(
  attributes: readonly AttributeLevels[],
  products: readonly ProductSpec[],
  money: LevelMoney = {},
): Market {
  const { price, costs } = money;
  const names = attributes.map(({ attribute }) => attribute);
  for (const { name, levels } of products)
    requireKnownNames(`${name}: attribute`, Object.keys(levels), names);
  requireKnownNames("costs: attribute", Object.keys(costs ?? {}), names);
  if (price !== undefined) requireKnownNames("price", [price], names);
  const columns: Record<string, Float64Array> = {};
  for (const attribute of attributes) {
    requireKnownNames(
      `costs: level of ${attribute.attribute}`,
      Object.keys(costs?.[attribute.attribute] ?? {}),
      attribute.levels.map(({ level }) => level),
    );
    for (const column of columnsOf(attribute)) columns[column] = new Float64Array(products.length);
    for (const [j, { name, levels }] of products.entries()) {
      if (!hasAttribute(attribute, levels, name)) continue;
      const code = codeOf(attribute, levels[attribute.attribute], name);
      for (const [column, value] of Object.entries(code)) (columns[column] as Float64Array)[j] = value;
    }
  }
  const priced = attributes.find(({ attribute }) => attribute === price);
  return Object.freeze({
    products: products.map(({ name }) => name),
    attributes: columns,
    ...(priced ? { prices: products.map(({ name, levels }) => amountOf(priced, levels, name)) } : {}),
    ...(costs ? { unitCosts: products.map(({ levels }) => costOf(costs, levels)) } : {}),
  });
}

/**
 * Whether a product has an attribute that may be for some only.
 * @throws DataError if it has not, but a level is given.
 */
function hasAttribute(
  { attribute, only }: AttributeLevels,
  levels: ProductSpec["levels"],
  product: string,
): boolean {
  if (!only || String(levels[only.attribute]) === only.level) return true;
  if (levels[attribute] === undefined) return false;
  throw new DataError(
    `${product}: ${attribute} must be left out, for only ${only.attribute} ${only.level} has it, got ${describe(levels[attribute])}`,
  );
}

/** @throws DataError naming one that is not among the known ones. */
function requireKnownNames(place: string, names: readonly string[], known: readonly string[]): void {
  const stranger = names.find((name) => !known.includes(name));
  if (stranger !== undefined)
    throw new DataError(`${place} must be one of ${known.join(", ")}, got ${describe(stranger)}`);
}

function amountOf(
  { attribute, levels }: AttributeLevels,
  product: ProductSpec["levels"],
  name: string,
): number {
  const given = product[attribute];
  const amount = typeof given === "number" ? given : levels.find(({ level }) => level === given)?.value;
  if (amount !== undefined) return amount;
  throw new DataError(`${name}: ${attribute} must be an amount to be the price, got ${describe(given)}`);
}

const costOf = (costs: NonNullable<LevelMoney["costs"]>, levels: ProductSpec["levels"]): number =>
  Object.entries(costs).reduce(
    (sum, [attribute, byLevel]) => sum + (byLevel[String(levels[attribute])] ?? 0),
    0,
  );

/** Columns that the levels of an attribute are coded by. */
export const columnsOf = ({ levels }: AttributeLevels): string[] => [
  ...new Set(levels.flatMap(({ code }) => Object.keys(code))),
];

/** Code of a level by name, or of an amount between two levels: in a straight line from one to the next. */
function codeOf(
  attribute: AttributeLevels,
  level: string | number | undefined,
  product: string,
): Readonly<Record<string, number>> {
  const { levels } = attribute;
  const exact = levels.find((one) => one.level === String(level));
  if (exact) return exact.code;
  if (typeof level === "number" && levels.every(({ value }) => value !== undefined)) {
    const [first, last] = [levels[0]?.value as number, levels.at(-1)?.value as number];
    if (level >= first && level <= last) return codeAt(attribute, level);
    throw new DataError(
      `${product}: ${attribute.attribute} must be between the levels that were shown, ${first} to ${last}, got ${level}`,
    );
  }
  throw new DataError(
    `${product}: ${attribute.attribute} must be one of ${levels.map((one) => one.level).join(", ")}, got ${describe(level)}`,
  );
}

/**
 * Code of an amount, in a straight line between the levels beside it.
 * @throws RangeError if the attribute has no amounts, or the amount is beyond those that were shown.
 */
export function codeAt(
  { attribute, levels }: AttributeLevels,
  amount: number,
): Readonly<Record<string, number>> {
  const amounts = levels.map(({ value }) => {
    if (value === undefined)
      throw new RangeError(
        `${attribute} must be an attribute of amounts, got levels ${levels.map(({ level }) => level).join(", ")}`,
      );
    return value;
  });
  const next = amounts.findIndex((value) => value >= amount);
  if (next === -1 || amount < (amounts[0] as number)) {
    throw new RangeError(
      `${attribute} must be between the levels that were shown, ${amounts[0]} to ${amounts.at(-1)}, got ${amount}`,
    );
  }
  if (amounts[next] === amount) return (levels[next] as AttributeLevel).code;
  const [low, high] = [levels[next - 1] as AttributeLevel, levels[next] as AttributeLevel];
  const weight = (amount - (low.value as number)) / ((high.value as number) - (low.value as number));
  const columns = new Set([...Object.keys(low.code), ...Object.keys(high.code)]);
  return Object.fromEntries(
    [...columns].map((column) => [
      column,
      (1 - weight) * (low.code[column] ?? 0) + weight * (high.code[column] ?? 0),
    ]),
  );
}

/**
 * The market with another code of an attribute for one product.
 * @throws DataError if the attribute interacts with others: their products would have to change too.
 */
export function withCode(
  market: Market,
  j: number,
  attribute: AttributeLevels,
  code: Readonly<Record<string, number>>,
): Market {
  const columns = columnsOf(attribute);
  const woven = Object.keys(market.attributes).find(
    (name) => !columns.includes(name) && name.split(" x ").some((part) => columns.includes(part)),
  );
  if (woven !== undefined)
    throw new DataError(
      `${attribute.attribute} must not interact with others to be changed alone, got column ${describe(woven)}: simulate the changed product as a market of its own`,
    );
  const changed = columns.map((name) => {
    const column = Float64Array.from(market.attributes[name] ?? []);
    column[j] = code[name] ?? 0;
    return [name, column] as const;
  });
  return { ...market, attributes: { ...market.attributes, ...Object.fromEntries(changed) } };
}

/** @throws RangeError if there is no such product. */
export function placeOf({ products }: Market, product: string): number {
  const j = products.indexOf(product);
  if (j === -1)
    throw new RangeError(`product must be one of ${products.join(", ")}, got ${describe(product)}`);
  return j;
}

/** What respondents choose among: products and perhaps none, coded for the part-worths. */
export interface Alternatives {
  readonly products: readonly string[];
  /** Codes row after row, a value for each part-worth. */
  readonly codes: Float64Array;
  /** Chance that a buyer knows and finds each alternative. */
  readonly reach: Float64Array;
  /** Whether the last alternative is buying none. */
  readonly none: boolean;
}

/**
 * The alternatives of a market, checked.
 * @throws DataError naming product and column; RangeError if none is no part-worth.
 */
export function alternativesOf(
  { names, respondents, values }: PartWorths,
  market: Market,
  none: string | undefined,
): Alternatives {
  const { products, attributes, awareness, distribution } = market;
  const n = products.length;
  const odd = values.findIndex((row) => row.length !== names.length);
  if (odd !== -1)
    throw new DataError(
      `part-worths of respondent ${describe(respondents[odd])} must be one for each of the ${names.length} names, got ${values[odd]?.length}`,
    );
  if (n === 0) throw new DataError("products must be at least one, got none");
  const repeated = products.find((name, place) => products.indexOf(name) < place || name === NONE);
  if (repeated !== undefined)
    throw new DataError(
      `products must have names of their own, other than "none", got ${describe(repeated)}`,
    );
  if (none !== undefined && !names.includes(none))
    throw new RangeError(`none must be one of ${names.join(", ")}, got ${describe(none)}`);
  for (const [name, column] of Object.entries({ ...attributes, ...sharesOf(market) })) {
    if (column.length !== n)
      throw new DataError(`${name} must have one value for each of the ${n} products, got ${column.length}`);
  }
  const missing = names.find((name) => name !== none && !(name in attributes));
  if (missing !== undefined) {
    throw new DataError(
      `attributes must have a column for each part-worth, but ${describe(missing)} is missing among ${Object.keys(attributes).join(", ")}`,
    );
  }
  const p = names.length;
  const codes = new Float64Array((n + Number(none !== undefined)) * p);
  for (const [k, name] of names.entries()) {
    const column = attributes[name];
    for (let j = 0; column && j < n; j++) {
      const value: unknown = column[j];
      if (typeof value !== "number" || !Number.isFinite(value))
        throw new DataError(`${name} of ${products[j]} must be a finite number, got ${describe(value)}`);
      codes[j * p + k] = value;
    }
    if (name === none) codes[n * p + k] = 1;
  }
  const reach = Float64Array.from(products, (_, j) =>
    [awareness, distribution].reduce((chance, column) => chance * (column?.[j] ?? 1), 1),
  );
  for (const [name, column] of Object.entries(sharesOf(market))) requireFractions(name, column, products);
  return none === undefined
    ? { products, codes, reach, none: false }
    : { products: [...products, NONE], codes, reach: Float64Array.of(...reach, 1), none: true };
}

const sharesOf = ({ awareness, distribution }: Market): AttributeColumns => ({
  ...(awareness ? { awareness } : {}),
  ...(distribution ? { distribution } : {}),
});

function requireFractions(name: string, column: ArrayLike<number>, products: readonly string[]): void {
  for (const [j, product] of products.entries()) {
    const value = column[j] as number;
    if (value >= 0 && value <= 1) continue;
    const hint = value > 1 ? "; a percentage must be divided by 100" : "";
    throw new DataError(`${name} of ${product} must be between 0 and 1, got ${describe(value)}${hint}`);
  }
}

/** @throws DataError naming product and value if there is no finite number for it. */
export function moneyOf(
  name: string,
  column: ArrayLike<number> | undefined,
  j: number,
  product: string,
): number {
  const value: unknown = column?.[j];
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new DataError(`${name} of ${product} must be a finite number, got ${describe(value)}`);
}
