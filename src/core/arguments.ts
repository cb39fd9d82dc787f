/**
 * Checks rates that are fractions per period.
 * @throws RangeError that names the rate which is not from 0 to 1.
 */
export function requireRates(rates: Readonly<Record<string, number>>): void {
  for (const [name, rate] of Object.entries(rates)) {
    if (rate >= 0 && rate <= 1) continue;
    const hint = rate > 1 ? "; a percentage must be divided by 100" : "";
    throw new RangeError(`${name} must be a fraction from 0 to 1, got ${rate}${hint}`);
  }
}

/**
 * Checks amounts of money and other numbers of either sign.
 * @throws RangeError that names the number which is not finite.
 */
export function requireFinite(numbers: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isFinite(value)) throw new RangeError(`${name} must be a number, got ${value}`);
  }
}

/**
 * Checks amounts that cannot be negative.
 * @throws RangeError that names the number which is not finite and 0 or more.
 */
export function requireFromZero(numbers: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (!(value >= 0 && Number.isFinite(value))) {
      throw new RangeError(`${name} must be a number from 0 up, got ${value}`);
    }
  }
}

/** @throws RangeError if a level of coverage is not between 0 and 1. */
export function requireLevel(level: number): void {
  if (!(level > 0 && level < 1)) throw new RangeError(`level must be between 0 and 1, got ${level}`);
}

/** @throws RangeError if an argument is not one of the texts allowed, as callers without types may give it. */
export function requireOneOf(name: string, value: string, allowed: readonly string[]): void {
  if (allowed.includes(value)) return;
  throw new RangeError(`${name} must be one of ${allowed.join(", ")}, got ${value}`);
}

/** @throws RangeError if an argument is not a finite number above the least one. */
export function requireAbove(name: string, value: number, least: number): void {
  if (value > least && value < Number.POSITIVE_INFINITY) return;
  throw new RangeError(`${name} must be a number above ${least}, got ${value}`);
}

/** @throws RangeError if an argument is not a whole number from `least` to `most` (any size unless given). */
export function requireWhole(
  name: string,
  value: number,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  const end = most === Number.MAX_SAFE_INTEGER ? "up" : `to ${most}`;
  throw new RangeError(`${name} must be a whole number from ${least} ${end}, got ${value}`);
}
