import { dayNumber, isoDay, parseIsoDay } from "../core/day.js";
import type { ColumnType } from "./warehouse.js";

/** What a column may hold: a rule reads one text at a time and never guesses. */

/** Character before the decimals: "." as in 12.50 or "," as in 12,50. */
export type DecimalMark = "." | ",";

/** A value read from text; undefined means: not allowed. */
export type Parsed = string | number | null | undefined;

/** The rule of one column. */
export interface ColumnRule {
  /** How the value is stored. */
  readonly type: ColumnType;
  /** What is allowed, in words that follow "must be": "a day like 2024-12-31". */
  readonly allowed: string;
  /** Reads a text. */
  readonly parse: (text: string, decimal: DecimalMark) => Parsed;
  /** Whether reading this allowed text changed what it says: such values are counted as repaired. */
  readonly repairs?: (text: string) => boolean;
  /** Whether a text that is not allowed becomes a missing value, counted and listed, instead of rejecting its row. */
  readonly orMissing?: boolean;
  /** Whether the values are personal, so that no report may show them. */
  readonly personal?: boolean;
  /** Added to the name of the stored column, so that it says its unit: amounts in cents end in "_cents". */
  readonly suffix?: string;
  /** The stored column whose values are the allowed ones. */
  readonly references?: { readonly table: string; readonly column: string };
}

/** Any text but the empty one, kept as it is: leading zeros and blanks stay. */
export const text: ColumnRule = {
  type: "text",
  allowed: "a text that is not empty",
  parse: (value) => (value === "" ? undefined : value),
};

/** A whole number, like -12; no sign "+", no leading zeros, no thousands separator. Up to 2^31 - 1. */
export const integer: ColumnRule = {
  type: "integer",
  allowed: "a whole number",
  parse: (value) => {
    if (!/^(0|-?[1-9]\d{0,9})$/.test(value)) return undefined;
    const number = Number(value);
    return Math.abs(number) <= 2_147_483_647 ? number : undefined;
  },
};

/**
 * A whole number from `low` to `high`, both included.
 * @throws RangeError if the bounds are not whole numbers in order.
 */
export function integerBetween(low: number, high: number): ColumnRule {
  if (!(Number.isSafeInteger(low) && Number.isSafeInteger(high) && low <= high)) {
    throw new RangeError(`bounds must be whole numbers in order, got ${low} and ${high}`);
  }
  return restricted(
    integer,
    `a whole number from ${low} to ${high}`,
    (value) => value >= low && value <= high,
  );
}

/** A whole number other than 0: a quantity, negative for a return. */
export const nonZeroInteger: ColumnRule = restricted(
  integer,
  "a whole number other than 0",
  (value) => value !== 0,
);

/** A number like -12.5, with the decimal mark of the file; no thousands separator, no exponent. */
export const number: ColumnRule = {
  type: "double",
  allowed: "a number",
  parse: (value, decimal) => {
    const pattern = decimal === "." ? /^-?\d+(\.\d+)?$/ : /^-?\d+(,\d+)?$/;
    return pattern.test(value) ? Number(decimal === "." ? value : value.replace(",", ".")) : undefined;
  },
};

/** A number above 0. */
export const positiveNumber: ColumnRule = restricted(number, "a number above 0", (value) => value > 0);

/** An amount of EUR with at most two decimals, stored as whole cents in a column named `<name>_cents`. */
export const euros: ColumnRule = {
  type: "bigint",
  suffix: "_cents",
  allowed: "an amount in EUR with at most two decimals",
  parse: parseCents,
};

/** An amount of EUR above 0, stored like `euros`. */
export const positiveEuros: ColumnRule = restricted(
  euros,
  "an amount in EUR above 0 with at most two decimals",
  (value) => value > 0,
);

/** An amount of EUR from 0 up, stored like `euros`. */
export const nonNegativeEuros: ColumnRule = restricted(
  euros,
  "an amount in EUR from 0 up with at most two decimals",
  (value) => value >= 0,
);

/** An existing day written 2024-12-31, stored as a DATE. */
export const isoDate: ColumnRule = {
  type: "day",
  allowed: "a day like 2024-12-31",
  parse: parseIsoDay,
};

const DAY_PARTS: Readonly<Record<string, string>> = {
  YYYY: "(?<year>\\d{4})",
  MM: "(?<month>\\d{2})",
  DD: "(?<day>\\d{2})",
  M: "(?<month>\\d{1,2})",
  D: "(?<day>\\d{1,2})",
};

/** One digit or two, with nothing between it and the next part: 1112024 could be two days. */
const TOUCHING = /(?<!D)D[MY]|[MY]D(?!D)|(?<!M)M[DY]|[DY]M(?!M)/;

/**
 * An existing day written in another form, stored as a DATE like `isoDate`: `dayWritten("DD.MM.YYYY")` reads 31.12.2024,
 * `dayWritten("M/D/YYYY")` reads 3/7/2024 and 12/31/2024. YYYY is the year, MM and DD have two digits, M and D one or two;
 * everything else stands for itself. Years of two digits are not read: nobody knows their century.
 * @throws RangeError if the format does not hold year, month and day once each.
 */
export function dayWritten(format: string): ColumnRule {
  const parts = format.split(/(Y+|M+|D+)/).map((part) => DAY_PARTS[part] ?? escapeRegExp(part));
  const kinds = parts.map((part) => /<(\w+)>/.exec(part)?.[1]).filter((kind) => kind !== undefined);
  const isComplete = [...kinds].sort().join(" ") === "day month year" && !/[YMD]/.test(parts.join(""));
  if (!isComplete || TOUCHING.test(format)) {
    throw new RangeError(
      `format must hold YYYY, MM or M, and DD or D once each, M and D set apart, such as "DD.MM.YYYY", got ${JSON.stringify(format)}`,
    );
  }
  const pattern = new RegExp(`^${parts.join("")}$`);
  const example = format.replace("YYYY", "2024").replace(/MM?/, "12").replace(/DD?/, "31");
  return {
    type: "day",
    allowed: `a day written ${format}, like ${example}`,
    parse: (value) => {
      const { year = "", month = "", day = "" } = pattern.exec(value)?.groups ?? {};
      return parseIsoDay(`${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`);
    },
  };
}

const escapeRegExp = (plain: string): string => plain.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");

/**
 * An existing day from `first` to `last`, both included and written 2024-12-31.
 * @throws RangeError if a bound is no such day, or they are out of order.
 */
export function dayBetween(first: string, last: string): ColumnRule {
  const from = dayNumber(first);
  const to = dayNumber(last);
  if (from > to) throw new RangeError(`the first day ${first} must not be after the last day ${last}`);
  const allowed = `a day from ${isoDay(from)} to ${isoDay(to)} written like ${isoDay(to)}`;
  return restricted(isoDate, allowed, (value) => value >= from && value <= to);
}

/**
 * The first day of a month, from `first` to `last`, both included and written 2024-12-01: how sources name a month.
 * @throws RangeError as `dayBetween`.
 */
export function monthBetween(first: string, last: string): ColumnRule {
  const allowed = `the first day of a month from ${first} to ${last}`;
  return restricted(dayBetween(first, last), allowed, (value) => isoDay(value).endsWith("-01"));
}

/**
 * One of the given texts, exactly.
 * @throws RangeError if none is given.
 */
export function oneOf(...values: readonly string[]): ColumnRule {
  if (values.length === 0) throw new RangeError("oneOf needs at least one value");
  const known = new Set(values);
  const allowed =
    values.length === 1 ? `"${values[0]}"` : `one of ${values.map((value) => `"${value}"`).join(", ")}`;
  return { type: "text", allowed, parse: (value) => (known.has(value) ? value : undefined) };
}

/** A value that a column of a table already loaded holds: `references("products", "product_id")`. */
export function references(table: string, column: string): ColumnRule {
  return { ...text, allowed: `a ${column} of table ${table}`, references: { table, column } };
}

/**
 * An email address of the simplest kind, something@domain.tld. Capitals and blanks around it are repaired: the same
 * address is then the same text. Personal.
 */
export const email: ColumnRule = {
  type: "text",
  allowed: "an email address",
  personal: true,
  parse: (value) => {
    const normal = value.trim().toLowerCase();
    return /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/.test(normal) ? normal : undefined;
  },
  repairs: (value) => value !== value.trim().toLowerCase(),
};

/** A rule whose value may be missing: the empty text, or one of `missing`, which then counts as repaired. */
export function optional(rule: ColumnRule, ...missing: readonly string[]): ColumnRule {
  const tokens = new Set(missing);
  const isMissing = (value: string): boolean => value === "" || tokens.has(value);
  return {
    ...rule,
    allowed: `${rule.allowed}, or empty`,
    parse: (value, decimal) => (isMissing(value) ? null : rule.parse(value, decimal)),
    repairs: (value) => (isMissing(value) ? value !== "" : (rule.repairs?.(value) ?? false)),
  };
}

/** A rule that keeps the row of a value that is not allowed: the value becomes missing, counted and listed as repaired. */
export const orMissing = (rule: ColumnRule): ColumnRule => ({ ...rule, orMissing: true });

/** A rule for values that identify a person: reports say that one is wrong, never what it is. */
export const personal = (rule: ColumnRule): ColumnRule => ({ ...rule, personal: true });

/** A rule that allows less. */
function restricted(rule: ColumnRule, allowed: string, accepts: (value: number) => boolean): ColumnRule {
  return {
    ...rule,
    allowed,
    parse: (value, decimal) => {
      const parsed = rule.parse(value, decimal);
      return typeof parsed === "number" && accepts(parsed) ? parsed : undefined;
    },
  };
}

const MINUS = 45;
const ZERO = 48;
const NINE = 57;

/** Whole cents of "12", "12.5" or "-12.50"; exact, no floating point. Up to 13 digits before the decimal mark. */
function parseCents(value: string, decimal: DecimalMark): number | undefined {
  const mark = decimal.charCodeAt(0);
  const start = value.charCodeAt(0) === MINUS ? 1 : 0;
  let amount = 0;
  let decimals = -1; // -1 until the decimal mark
  for (let i = start; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code === mark && decimals === -1 && i > start) decimals = 0;
    else if (code >= ZERO && code <= NINE) {
      amount = amount * 10 + (code - ZERO);
      if (decimals !== -1) decimals++;
    } else return undefined;
  }
  const isWhole = decimals === -1;
  const isWellFormed = value.length > start && decimals !== 0 && decimals <= 2;
  if (!isWellFormed || value.length - start > 17) return undefined;
  const inCents = isWhole ? amount * 100 : decimals === 1 ? amount * 10 : amount;
  if (!Number.isSafeInteger(inCents)) return undefined;
  return start === 1 && inCents !== 0 ? -inCents : inCents;
}
