import { DataError } from "../core/errors.js";
import { describe } from "../core/table.js";
import {
  type CodingOptions,
  codingOfLevels,
  columnsOf,
  NONE,
  productName,
  withInteractions,
} from "./attributes.js";
import type { AttributeColumns } from "./choice-data.js";
import {
  type AttributeLevel,
  type AttributeLevels,
  codeBetween,
  type PartWorths,
  requirePartWorths,
} from "./part-worths.js";

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
  /** Attribute of amounts that is the price; several where some products have a price of their own, each product one. */
  readonly price?: string | readonly string[];
  /**
   * Cost that a level adds to a unit, in money, by attribute and level; 0 for what is not named. Or the cost of a unit by all
   * levels of the product, for costs that do not add up or depend on amounts between levels.
   */
  readonly costs?:
    | Readonly<Record<string, Readonly<Record<string, number>>>>
    | ((levels: ProductSpec["levels"]) => number);
}

/** How products that are put together from levels are coded, and their money. */
export interface MarketOptions extends LevelMoney, Pick<CodingOptions, "interactions"> {}

/**
 * Products given by their levels as a market: codes, and prices and unit costs where money is given.
 * @throws DataError naming product and attribute if a level is missing or unknown, or of an attribute that the product cannot
 * have, or a cost is missing or bad; RangeError if an interaction is not of two attributes, two columns would have one name, or
 * an attribute depends on one that is not given.
 */
export function marketOf(
  attributes: readonly AttributeLevels[],
  products: readonly ProductSpec[],
  { price, costs, interactions = [] }: MarketOptions = {},
): Market {
  const names = attributes.map(({ attribute }) => attribute);
  for (const { name, levels } of products)
    requireKnownNames(`${name}: attribute`, Object.keys(levels), names);
  const priceNames = [price ?? []].flat();
  requireKnownNames("price", priceNames, names);
  const coding = codingOfLevels(attributes, { interactions });
  const columns = Object.fromEntries(coding.names.map((name) => [name, new Float64Array(products.length)]));
  for (const [j, { name, levels }] of products.entries()) {
    const own = attributes.map((attribute) =>
      hasLevel(attribute, attributes, levels, name)
        ? codeOf(attribute, levels[attribute.attribute], name)
        : {},
    );
    const code = withInteractions(coding, Object.assign({}, ...own) as Record<string, number>);
    for (const [column, value] of Object.entries(code)) (columns[column] as Float64Array)[j] = value;
  }
  const costOf = costs && unitCostBy(costs, attributes);
  const ofPrice = attributes.filter(({ attribute }) => priceNames.includes(attribute));
  return Object.freeze({
    products: products.map(({ name }) => name),
    attributes: columns,
    ...(ofPrice.length > 0 ? { prices: products.map((product) => priceOf(ofPrice, product)) } : {}),
    ...(costOf ? { unitCosts: products.map(costOf) } : {}),
  });
}

/**
 * Whether a product has an attribute that may be for some only, by the levels given.
 * @throws DataError if it has not, but a level is given; RangeError as `needOf`.
 */
function hasLevel(
  attribute: AttributeLevels,
  attributes: readonly AttributeLevels[],
  levels: ProductSpec["levels"],
  product: string,
): boolean {
  const need = needOf(attribute, attributes);
  if (!need || String(levels[need.parent.attribute]) === need.level.level) return true;
  const given = levels[attribute.attribute];
  if (given === undefined) return false;
  throw new DataError(
    `${product}: ${attribute.attribute} must be left out, for only ${need.parent.attribute} ${need.level.level} has it, got ${describe(given)}`,
  );
}

/**
 * The level of another attribute that a product must have to have this one, if it needs any.
 * @throws RangeError if that is not among the attributes.
 */
function needOf(
  { attribute, only }: AttributeLevels,
  attributes: readonly AttributeLevels[],
): { readonly parent: AttributeLevels; readonly level: AttributeLevel } | undefined {
  if (!only) return undefined;
  const parent = attributes.find((other) => other.attribute === only.attribute);
  const level = parent?.levels.find((one) => one.level === only.level);
  if (parent && level) return { parent, level };
  throw new RangeError(
    `levels of ${only.attribute} must be given with ${only.level}, for only that has ${attribute}, got attributes ${attributes.map((other) => other.attribute).join(", ")}`,
  );
}

/** Code of a product in a column; a DataError if there is no finite number for it. */
export const codesOf =
  ({ products, attributes }: Market, j: number) =>
  (column: string): number =>
    numberOf(column, attributes[column], j, products[j] as string);

/** Whether a product is coded as a level of an attribute, by its code in a column. */
export const hasCode = (
  attribute: AttributeLevels,
  code: AttributeLevel["code"],
  codeIn: (column: string) => number,
): boolean => columnsOf(attribute).every((column) => codeIn(column) === (code[column] ?? 0));

/**
 * Whether a coded product has an attribute that may be for some only.
 * @param codeIn Code of the product in a column.
 * @throws DataError if it has not, but is coded otherwise than by zeros; RangeError if `attributes` lack what decides.
 */
export function hasAttribute(
  attribute: AttributeLevels,
  attributes: readonly AttributeLevels[],
  codeIn: (column: string) => number,
  product: string,
): boolean {
  const need = needOf(attribute, attributes);
  if (!need) return true;
  const { parent, level } = need;
  if (hasAttribute(parent, attributes, codeIn, product) && hasCode(parent, level.code, codeIn)) return true;
  const odd = columnsOf(attribute).find((column) => codeIn(column) !== 0);
  if (odd === undefined) return false;
  throw new DataError(
    `${odd} of ${product} must be 0, for only ${parent.attribute} ${level.level} has ${attribute.attribute}, got ${describe(codeIn(odd))}`,
  );
}

/** @throws DataError naming one that is not among the known ones. */
export function requireKnownNames(place: string, names: readonly string[], known: readonly string[]): void {
  const stranger = names.find((name) => !known.includes(name));
  if (stranger !== undefined)
    throw new DataError(`${place} must be one of ${known.join(", ")}, got ${describe(stranger)}`);
}

/** @throws DataError if the product does not have one of the attributes, or not as an amount. */
function priceOf(attributes: readonly AttributeLevels[], product: ProductSpec): number {
  const [own, other] = attributes.filter(({ attribute }) => product.levels[attribute] !== undefined);
  if (!own || other)
    throw new DataError(
      `${product.name} must have one price among ${attributes.map(({ attribute }) => attribute).join(", ")}, got ${own ? "more" : "none"}`,
    );
  const given = product.levels[own.attribute];
  const amount = typeof given === "number" ? given : own.levels.find(({ level }) => level === given)?.value;
  if (amount !== undefined) return amount;
  throw new DataError(
    `${product.name}: ${own.attribute} must be an amount to be the price, got ${describe(given)}`,
  );
}

/**
 * Cost of a unit of a product by its levels.
 * @throws DataError if costs are of unknown attributes or levels, or no finite numbers.
 */
function unitCostBy(
  costs: NonNullable<LevelMoney["costs"]>,
  attributes: readonly AttributeLevels[],
): (product: ProductSpec) => number {
  if (typeof costs === "function")
    return ({ name, levels }) => numberOf("unit cost", [costs(levels)], 0, name);
  requireKnownNames(
    "costs: attribute",
    Object.keys(costs),
    attributes.map(({ attribute }) => attribute),
  );
  const tables = attributes.flatMap(({ attribute, levels }) => {
    const byLevel = costs[attribute];
    if (!byLevel) return [];
    const known = levels.map(({ level }) => level);
    requireKnownNames(`costs: level of ${attribute}`, Object.keys(byLevel), known);
    for (const [level, cost] of Object.entries(byLevel)) numberOf(`cost of ${attribute}`, [cost], 0, level);
    return [{ attribute, byLevel, known }];
  });
  return ({ name, levels }) =>
    tables.reduce((sum, { attribute, byLevel, known }) => {
      const level = levels[attribute];
      if (level === undefined) return sum; // a product without this attribute
      if (known.includes(String(level))) return sum + (byLevel[String(level)] ?? 0);
      throw new DataError(
        `${name}: ${attribute} must be one of ${known.join(", ")} to have a cost by level, got ${describe(level)}: give costs as a function of the levels`,
      );
    }, 0);
}

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
export function codeAt(attribute: AttributeLevels, amount: number): AttributeLevel["code"] {
  const { levels } = attribute;
  if (levels.some(({ value }) => value === undefined))
    throw new RangeError(
      `${attribute.attribute} must be an attribute of amounts, got levels ${levels.map(({ level }) => level).join(", ")}`,
    );
  const code = codeBetween(attribute, amount);
  if (code) return code;
  throw new RangeError(
    `${attribute.attribute} must be between the levels that were shown, ${levels[0]?.value} to ${levels.at(-1)?.value}, got ${amount}`,
  );
}

/** A market where one product has another level, and with it other attributes. */
interface ChangedMarket {
  readonly market: Market;
  /** Attributes that the product has with its new level and had not before, with their levels. */
  readonly gained: ProductSpec["levels"];
  /** Attributes that it no longer has. */
  readonly lost: readonly string[];
}

/**
 * The market with another code of an attribute for one product. Attributes that only the old level had go with it; those
 * that only the new one has come at the levels of `gained`. Interactions change with their attributes.
 * @param attributes All attributes of which some product may have only some, and those they depend on.
 * @throws DataError if the product does not have the attribute, a level that it gains is missing or unknown, or a column of
 * an interaction is not the product of two others; RangeError if `attributes` lack one that another depends on.
 */
export function withCode(
  market: Market,
  j: number,
  attribute: AttributeLevels,
  code: AttributeLevel["code"],
  attributes: readonly AttributeLevels[],
  gained: ProductSpec["levels"] = {},
): ChangedMarket {
  const product = market.products[j] as string;
  const codeIn = codesOf(market, j);
  const has = (one: AttributeLevels): boolean => hasAttribute(one, attributes, codeIn, product);
  if (!has(attribute))
    throw new DataError(
      `${product} must have ${attribute.attribute} for it to be changed, but only ${attribute.only?.attribute} ${attribute.only?.level} has it`,
    );
  const changes: Record<string, number> = {};
  const gains: Record<string, string | number> = {};
  const lost: string[] = [];
  const change = (one: AttributeLevels, own: AttributeLevel["code"] | undefined): void => {
    for (const column of columnsOf(one)) changes[column] = own?.[column] ?? 0;
    for (const child of attributes) {
      const need = needOf(child, attributes);
      if (need?.parent.attribute !== one.attribute) continue;
      const will = own !== undefined && hasCode(one, need.level.code, (column) => own[column] ?? 0);
      const had = has(child);
      if (had && !will) {
        lost.push(child.attribute);
        change(child, undefined);
      } else if (will && !had) {
        const level = gained[child.attribute];
        if (level === undefined)
          throw new DataError(
            `${product} would have ${child.attribute} with ${one.attribute} ${need.level.level} and needs a level of it, one of ${child.levels.map((other) => other.level).join(", ")}: give it as gained, or simulate the changed product as a market of its own`,
          );
        gains[child.attribute] = level;
        change(child, codeOf(child, level, product));
      }
    }
  };
  change(attribute, code);
  return { market: { ...market, attributes: recoded(market.attributes, j, changes) }, gained: gains, lost };
}

/**
 * Columns with other codes of one product, and with them the products of columns that interact.
 * @throws DataError if a column is named as such a product, but is not one.
 */
function recoded(
  attributes: AttributeColumns,
  j: number,
  changes: Readonly<Record<string, number>>,
): AttributeColumns {
  const own = Object.keys(changes);
  const result: Record<string, ArrayLike<number>> = { ...attributes };
  const replace = (name: string, value: number): void => {
    const column = Float64Array.from(attributes[name] ?? []);
    column[j] = value;
    result[name] = column;
  };
  for (const [name, value] of Object.entries(changes)) replace(name, value);
  for (const [name, column] of Object.entries(attributes)) {
    if (name in changes || !own.some((part) => ` x ${name} x `.includes(` x ${part} x `))) continue;
    const factors = own
      .flatMap((part) => Object.keys(attributes).map((other) => [part, other] as const))
      .find(([part, other]) => productName(part, other) === name || productName(other, part) === name);
    const productIn = (columns: AttributeColumns, place: number): number =>
      factors?.reduce((product, factor) => product * (columns[factor]?.[place] as number), 1) ?? Number.NaN;
    const isProduct = Array.from(column).every((value, place) => {
      const product = productIn(attributes, place);
      return Math.abs(value - product) <= 1e-9 * Math.abs(product);
    });
    if (!isProduct)
      throw new DataError(
        `column ${describe(name)} must be the product of two others for one of them to be changed, but it is not: simulate the changed product as a market of its own`,
      );
    replace(name, productIn(result, j));
  }
  return result;
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
 * @throws DataError naming respondent, or product and column; RangeError if none is no part-worth.
 */
export function alternativesOf(
  partWorths: PartWorths,
  market: Market,
  none: string | undefined,
): Alternatives {
  requirePartWorths(partWorths);
  const { names } = partWorths;
  const { products, attributes, awareness, distribution } = market;
  const n = products.length;
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
    for (let j = 0; column && j < n; j++) codes[j * p + k] = numberOf(name, column, j, products[j] as string);
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

/** @throws DataError naming product and value if there is no finite number for it in the column. */
export function numberOf(
  name: string,
  column: ArrayLike<number> | undefined,
  j: number,
  product: string,
): number {
  const value: unknown = column?.[j];
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new DataError(`${name} of ${product} must be a finite number, got ${describe(value)}`);
}
