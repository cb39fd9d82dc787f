import { requireLevel, requireWhole } from "../core/arguments.js";
import { ConvergenceError } from "../core/errors.js";
import { choleskyFactor } from "../numeric/matrix.js";
import { quantileOf } from "../numeric/quantile.js";
import type { Random } from "../numeric/random.js";
import { drawNormal } from "../numeric/sampling.js";
import { normalQuantile } from "../numeric/special.js";
import type { UtilityCoefficients } from "./conditional-logit.js";

/** What respondents would pay for one unit more of an attribute, in the unit of the price. */
export interface WillingnessToPay {
  /** Name of the covariate. */
  readonly attribute: string;
  /** Minus its coefficient over that of the price. */
  readonly value: number;
  /** Standard error by the delta method. */
  readonly standardError: number;
  /** Limits by the delta method: symmetric, wrong where the price coefficient is uncertain. */
  readonly delta: readonly [low: number, high: number];
  /** Limits of Krinsky and Robb: quantiles over coefficients drawn from their normal distribution. */
  readonly krinskyRobb: readonly [low: number, high: number];
}

/** Willingness to pay for every covariate but the price. */
export interface WillingnessToPayResult {
  /** Name of the price covariate. */
  readonly price: string;
  /** Confidence level of all limits. */
  readonly level: number;
  /** One element a covariate, in the order of the coefficients. */
  readonly values: readonly WillingnessToPay[];
  /** What makes the numbers doubtful: a price coefficient near 0. */
  readonly warnings: readonly string[];
}

const NEAR_ZERO = 3; // standard errors: below, ratios have no usable moments

/**
 * Willingness to pay, -b / b_price, with limits by the delta method and by simulation. A price coefficient that is positive
 * or less than three standard errors below 0 is warned of: then some draws divide by nearly nothing, and only quantiles mean
 * anything, not means or standard errors.
 * `options.draws`: Simulated coefficients; 10,000 unless given.
 * @throws RangeError if there is no such covariate, or level or draws are out of range; ConvergenceError if the price
 * coefficient is 0 or the covariance is not positive definite.
 * @see Krinsky & Robb (1986), Review of Economics and Statistics 68(4); Hole (2007), Health Economics 16(8), for the
 * comparison of both.
 */
export function willingnessToPay(
  { coefficients, covariance }: UtilityCoefficients,
  options: {
    readonly price: string;
    readonly random: Random;
    readonly draws?: number;
    readonly level?: number;
  },
): WillingnessToPayResult {
  const { price, random, draws = 10_000, level = 0.95 } = options;
  const names = Object.keys(coefficients);
  const place = names.indexOf(price);
  if (place === -1) throw new RangeError(`price must be one of ${names.join(", ")}, got "${price}"`);
  requireLevel(level);
  requireWhole("draws", draws, 100);
  const b = names.map((name) => coefficients[name] as number);
  const slope = b[place] as number;
  const factor = choleskyFactor(covariance);
  if (slope === 0 || !factor) {
    throw new ConvergenceError(
      `willingness to pay: the coefficient of ${price} must not be 0 and the covariance positive definite, got ${slope}`,
    );
  }
  const ratios = names.map(() => new Float64Array(draws));
  for (let draw = 0; draw < draws; draw++) {
    const noise = names.map(() => drawNormal(random));
    const drawn = b.map(
      (value, i) => value + noise.reduce((sum, z, j) => sum + (factor[i]?.[j] as number) * z, 0),
    );
    for (const [i, column] of ratios.entries())
      column[draw] = -(drawn[i] as number) / (drawn[place] as number);
  }
  const z = normalQuantile((1 + level) / 2);
  const element = (i: number, j: number): number => covariance[i]?.[j] as number;
  const values = names.flatMap((attribute, i) => {
    if (i === place) return [];
    const value = -(b[i] as number) / slope;
    // Gradient of -b_i / b_p: -1 / b_p with respect to b_i, and -value / b_p with respect to b_p.
    const variance =
      (element(i, i) + 2 * value * element(i, place) + value ** 2 * element(place, place)) / slope ** 2;
    const standardError = Math.sqrt(variance);
    const column = ratios[i] as Float64Array;
    return [
      Object.freeze({
        attribute,
        value,
        standardError,
        delta: [value - z * standardError, value + z * standardError] as const,
        krinskyRobb: [quantileOf(column, (1 - level) / 2), quantileOf(column, (1 + level) / 2)] as const,
      }),
    ];
  });
  return Object.freeze({
    price,
    level,
    values,
    warnings: warningsOf(price, slope, Math.sqrt(element(place, place))),
  });
}

function warningsOf(price: string, slope: number, error: number): string[] {
  if (slope > 0)
    return [
      `the coefficient of ${price} is positive (${slope.toPrecision(3)}): a higher price is liked more, so willingness to pay has no meaning`,
    ];
  if (-slope >= NEAR_ZERO * error) return [];
  return [
    `the coefficient of ${price} is only ${(-slope / error).toFixed(1)} standard errors below 0: ratios to it have no mean, look at the quantiles alone`,
  ];
}
