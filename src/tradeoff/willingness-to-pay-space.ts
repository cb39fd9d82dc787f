import { requireLevel } from "../core/arguments.js";
import { ConvergenceError } from "../core/errors.js";
import { congruence } from "../numeric/matrix.js";
import { normalQuantile } from "../numeric/special.js";
import type { AttributeColumns, ChoiceRows } from "./choice-data.js";
import {
  type ConditionalLogitFit,
  type ConditionalLogitOptions,
  fitConditionalLogit,
} from "./conditional-logit.js";

/** A conditional logit in willingness-to-pay space: utility is scale * (w'x - price). */
export interface WillingnessToPaySpaceFit {
  readonly model: "conditional logit in willingness-to-pay space";
  /** Name of the price. */
  readonly price: string;
  /** Scale of utility by the name of the price (minus its coefficient), and willingness to pay for one unit of the others. */
  readonly coefficients: Readonly<Record<string, number>>;
  readonly standardErrors: Readonly<Record<string, number>>;
  /** Limits of each estimate. */
  readonly intervals: Readonly<Record<string, readonly [low: number, high: number]>>;
  /** Confidence level of the limits. */
  readonly level: number;
  /** Covariance of the coefficients, in their order. */
  readonly covariance: readonly (readonly number[])[];
  /** The same model in preference space. */
  readonly preference: ConditionalLogitFit;
  readonly logLikelihood: number;
  /** A positive price coefficient. */
  readonly warnings: readonly string[];
}

/**
 * Conditional logit with willingness to pay as coefficients. It is the same model in other parameters, so its maximum is
 * computed from that of `fitConditionalLogit`, exactly: scale -b_price, willingness to pay -b / b_price, covariance by the
 * derivatives of these.
 * @throws as `fitConditionalLogit` does; RangeError if there is no such price or level is out of range; ConvergenceError if the
 * coefficient of the price is 0.
 * @see Train & Weeks (2005), Discrete Choice Models in Preference Space and Willingness-to-Pay Space.
 */
export function fitWillingnessToPaySpace(
  rows: ChoiceRows,
  attributes: AttributeColumns,
  {
    price,
    level = 0.95,
    ...options
  }: ConditionalLogitOptions & { readonly price: string; readonly level?: number },
): WillingnessToPaySpaceFit {
  const names = Object.keys(attributes);
  const place = names.indexOf(price);
  if (place === -1) throw new RangeError(`price must be one of ${names.join(", ")}, got "${price}"`);
  requireLevel(level);
  const preference = fitConditionalLogit(rows, attributes, options);
  const slope = preference.coefficients[price] as number;
  if (slope === 0) {
    throw new ConvergenceError(`willingness to pay: the coefficient of ${price} must not be 0, got 0`);
  }
  const values = names.map((name) =>
    name === price ? -slope : -(preference.coefficients[name] as number) / slope,
  );
  const jacobian = names.map((name, i) =>
    names.map((_, j) => {
      if (name === price) return j === place ? -1 : 0;
      return j === i ? -1 / slope : j === place ? -(values[i] as number) / slope : 0;
    }),
  );
  const covariance = congruence(jacobian, preference.covariance);
  const errors = covariance.map((row, i) => Math.sqrt(row[i] as number));
  const z = normalQuantile((1 + level) / 2);
  const byName = <T>(of: (i: number) => T): Readonly<Record<string, T>> =>
    Object.freeze(Object.fromEntries(names.map((name, i) => [name, of(i)])));
  return Object.freeze({
    model: "conditional logit in willingness-to-pay space",
    price,
    coefficients: byName((i) => values[i] as number),
    standardErrors: byName((i) => errors[i] as number),
    intervals: byName((i) => {
      const half = z * (errors[i] as number);
      return [(values[i] as number) - half, (values[i] as number) + half] as const;
    }),
    level,
    covariance,
    preference,
    logLikelihood: preference.logLikelihood,
    warnings:
      slope > 0
        ? [
            `the coefficient of ${price} is positive (${slope.toPrecision(3)}): a higher price is liked more, so willingness to pay has no meaning`,
          ]
        : [],
  });
}
