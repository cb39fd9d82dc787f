/** Units that the compiler keeps apart: a customer's key, money in cents, a length of time. */

declare const unit: unique symbol;

/** A plain number at run time that the compiler takes for nothing but a `Name`. */
type Branded<Name extends string> = number & { readonly [unit]: Name };

/** Integer surrogate key of a customer in the warehouse; it carries no personal data. */
export type CustomerKey = Branded<"CustomerKey">;

/** Integer cents of the euro, the one currency of the warehouse. Sums of cents are exact. */
export type Cents = Branded<"EUR cents">;

/**
 * Checks and brands a customer key.
 * @throws RangeError if it is not a whole number from 1 up.
 */
export function customerKey(value: number): CustomerKey {
  if (!(Number.isSafeInteger(value) && value >= 1)) {
    throw new RangeError(`customer key must be a whole number from 1 up, got ${value}`);
  }
  return value as CustomerKey;
}

/**
 * Checks and brands an amount of whole cents.
 * @throws RangeError if it is not a whole number.
 */
export function cents(value: number): Cents {
  if (!Number.isSafeInteger(value)) throw new RangeError(`cents must be a whole number, got ${value}`);
  return value as Cents;
}

/** Euros as text with two decimals and no thousands separator: `formatEuros(cents(123450))` is "1234.50 EUR". */
export function formatEuros(amount: Cents): string {
  return `${decimalText(amount)} EUR`;
}

/** Hundredths as decimal text, exact: 1234 is "12.34", -5 is "-0.05". */
export function decimalText(hundredths: number): string {
  const digits = String(Math.abs(hundredths)).padStart(3, "0");
  return `${hundredths < 0 ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** Units of time a model can count in. */
export type TimeUnit = "days" | "weeks";

/** A length of time in one unit. `Duration<"weeks">` and `Duration<"days">` do not mix: the compiler refuses. */
export interface Duration<Unit extends TimeUnit = TimeUnit> {
  readonly unit: Unit;
  readonly length: number;
}

/**
 * A length of time in days.
 * @throws RangeError if it is negative or not finite.
 */
export const days = (length: number): Duration<"days"> => duration("days", length);

/**
 * A length of time in weeks.
 * @throws RangeError if it is negative or not finite.
 */
export const weeks = (length: number): Duration<"weeks"> => duration("weeks", length);

/** The same length of time counted in days. */
export const inDays = (time: Duration): Duration<"days"> =>
  days(time.unit === "weeks" ? time.length * 7 : time.length);

/** The same length of time counted in weeks. */
export const inWeeks = (time: Duration): Duration<"weeks"> =>
  weeks(time.unit === "days" ? time.length / 7 : time.length);

function duration<Unit extends TimeUnit>(unitName: Unit, length: number): Duration<Unit> {
  if (!(length >= 0 && Number.isFinite(length))) {
    throw new RangeError(`${unitName} must be a finite number from 0 up, got ${length}`);
  }
  return Object.freeze({ unit: unitName, length });
}
