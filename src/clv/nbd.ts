import type { Objective } from "../numeric/minimise.js";
import type { Random } from "../numeric/random.js";
import { drawExponential, drawGamma, drawPoisson } from "../numeric/sampling.js";
import { digamma, logGammaRatio } from "../numeric/special.js";
import type { BuyingModel, SimulatedCustomers } from "./buying-model.js";
import {
  cellCustomers,
  distinctValues,
  type PurchaseCells,
  type PurchaseCustomer,
  requireCustomer,
  requireHorizon,
  requireMax,
  requireParameters,
} from "./cells.js";
import { requireDiscountRate } from "./discounting.js";
import { fitPositive, type ModelFit } from "./fit.js";

/** Parameters of the NBD: buying rates are gamma distributed with shape r and rate alpha (in the time unit of the data). */
export interface NbdParameters {
  readonly r: number;
  readonly alpha: number;
}

/**
 * Fits the NBD, buying that never ends, by maximum likelihood: the yardstick that models with dropout must beat.
 * @see Ehrenberg (1959), The Pattern of Consumer Purchases, Applied Statistics 8(1).
 */
export function fitNbd(cells: PurchaseCells): ModelFit<"r" | "alpha"> {
  return fitPositive({
    model: "NBD",
    names: ["r", "alpha"] as const,
    starts: [0.3, 1, 3].map((r) => [r, r / purchaseRate(cells)]),
    logLikelihood: nbdObjective(cells),
    observations: cellCustomers(cells),
  });
}

/**
 * Log-likelihood of the times of all purchases (not of the counts alone), so that it compares with the BG/NBD's and the
 * Pareto/NBD's: log of Gamma(r + x) / Gamma(r) alpha^r / (alpha + T)^(r + x).
 * @throws RangeError if a parameter is not above 0.
 */
export function nbdLogLikelihood(parameters: NbdParameters, cells: PurchaseCells): number {
  requireParameters(parameters);
  return nbdObjective(cells)(Float64Array.of(parameters.r, parameters.alpha), new Float64Array(2));
}

/**
 * Expected purchases of a customer in the next `horizon` units of time: (r + x) / (alpha + T) horizon.
 * @throws RangeError if a parameter, the customer or the horizon is not possible.
 */
export function nbdExpectedPurchases(
  parameters: NbdParameters,
  customer: PurchaseCustomer,
  horizon: number,
): number {
  requireParameters(parameters);
  requireCustomer(customer);
  requireHorizon(horizon);
  return ((parameters.r + customer.x) / (parameters.alpha + customer.age)) * horizon;
}

/**
 * Expected repeat purchases of a new customer in `horizon` units of time.
 * @throws RangeError if a parameter or the horizon is not possible.
 */
export function nbdNewCustomerPurchases(parameters: NbdParameters, horizon: number): number {
  return nbdExpectedPurchases(parameters, { x: 0, recency: 0, age: 0 }, horizon);
}

/**
 * Probabilities of 0, 1, …, `max` repeat purchases of a new customer in `horizon` units of time.
 * @throws RangeError if a parameter, the horizon or max is not possible.
 */
export function nbdPurchaseDistribution(
  parameters: NbdParameters,
  horizon: number,
  max: number,
): Float64Array {
  requireParameters(parameters);
  requireHorizon(horizon);
  requireMax(max);
  const { r, alpha } = parameters;
  return Float64Array.from({ length: max + 1 }, (_, x) => Math.exp(logNbd(x, r, alpha, horizon)));
}

/** Log-probability of x events in a time of a gamma mixture of Poisson processes. */
export function logNbd(x: number, shape: number, rate: number, time: number): number {
  const none = -shape * Math.log1p(time / rate);
  return x === 0 ? none : none - x * Math.log1p(rate / time) + logGammaRatio(shape, x) - logGammaRatio(1, x);
}

/**
 * Draws customers who are observed for the given ages. The result is columns for `purchaseCells`.
 * @throws RangeError if a parameter is not above 0.
 */
export function simulateNbd(
  parameters: NbdParameters,
  ages: ArrayLike<number>,
  random: Random,
): SimulatedCustomers {
  requireParameters(parameters);
  const age = Float64Array.from(ages);
  const x = new Float64Array(age.length);
  const recency = new Float64Array(age.length);
  for (const [row, end] of age.entries()) {
    const rate = drawGamma(random, parameters.r, parameters.alpha);
    for (;;) {
      const time = (recency[row] as number) + drawExponential(random, 1) / rate;
      if (!(time <= end)) break;
      x[row] = (x[row] as number) + 1;
      recency[row] = time;
    }
  }
  return { x, recency, age };
}

/** Repeat purchases per unit of time, and not quite 0 where nobody bought again: where the search starts. */
export function purchaseRate({ x, age, weight }: PurchaseCells): number {
  let purchases = 0.5;
  let time = 0;
  for (let cell = 0; cell < x.length; cell++) {
    purchases += (weight[cell] as number) * (x[cell] as number);
    time += (weight[cell] as number) * (age[cell] as number);
  }
  return purchases / time;
}

/** Log-likelihood and its gradient at (r, alpha). */
function nbdObjective(cells: PurchaseCells): Objective {
  const count = distinctValues(cells.x);
  const time = distinctValues(cells.age);
  const customers = new Float64Array(count.values.length); // with each x
  const observed = new Float64Array(time.values.length); // with each age, and their purchases
  const purchases = new Float64Array(time.values.length);
  for (const [cell, weight] of cells.weight.entries()) {
    const x = count.index[cell] as number;
    const age = time.index[cell] as number;
    customers[x] = (customers[x] as number) + weight;
    observed[age] = (observed[age] as number) + weight;
    purchases[age] = (purchases[age] as number) + weight * (cells.x[cell] as number);
  }
  return (parameters, gradient) => {
    const [r = 0, alpha = 0] = parameters;
    const digammaR = digamma(r);
    let value = 0;
    let byR = 0;
    let byAlpha = 0;
    for (const [place, x] of count.values.entries()) {
      if (x === 0) continue;
      value += (customers[place] as number) * logGammaRatio(r, x);
      byR += (customers[place] as number) * (digamma(r + x) - digammaR);
    }
    for (const [place, age] of time.values.entries()) {
      const all = observed[place] as number;
      const bought = purchases[place] as number;
      const logShrink = -Math.log1p(age / alpha);
      value += all * r * logShrink - bought * Math.log(alpha + age);
      byR += all * logShrink;
      byAlpha += ((all * r * age) / alpha - bought) / (alpha + age);
    }
    gradient[0] = byR;
    gradient[1] = byAlpha;
    return value;
  };
}

/** What is believed of a customer: parameters like those of a new one. */
const posterior = ({ r, alpha }: NbdParameters, customer: PurchaseCustomer): NbdParameters => {
  requireCustomer(customer);
  return { r: r + customer.x, alpha: alpha + customer.age };
};

/** The NBD behind the face of all buying models: nobody ever drops out. @see Ehrenberg (1959), Applied Statistics 8(1). */
export const nbd: BuyingModel<"r" | "alpha"> = Object.freeze({
  name: "NBD",
  parameterNames: ["r", "alpha"] as const,
  regularity: 1,
  fit: fitNbd,
  objective: nbdObjective,
  probabilityAlive: (parameters, customer, after = 0) => {
    requireParameters(parameters);
    requireCustomer(customer);
    requireHorizon(after);
    return 1;
  },
  expectedPurchases: nbdExpectedPurchases,
  discountedPurchases: (parameters, customer, discountRate, horizon = Number.POSITIVE_INFINITY) => {
    requireDiscountRate(discountRate, horizon);
    const time = discountRate === 0 ? horizon : -Math.expm1(-discountRate * horizon) / discountRate;
    return nbdExpectedPurchases(parameters, customer, time);
  },
  purchaseDistribution: (parameters, customer, horizon, max) =>
    nbdPurchaseDistribution(posterior(parameters, customer), horizon, max),
  intervalDistribution: (parameters, { from, length }, max) => {
    requireHorizon(from);
    return nbdPurchaseDistribution(parameters, length, max);
  },
  customerRates: (parameters, customer) => {
    requireParameters(parameters);
    const { r, alpha } = posterior(parameters, customer);
    return { purchaseRate: r / alpha, dropout: 0 };
  },
  drawFuturePurchases: (parameters, customer, horizon, random) => {
    requireParameters(parameters);
    requireHorizon(horizon);
    const { r, alpha } = posterior(parameters, customer);
    return drawPoisson(random, drawGamma(random, r, alpha) * horizon);
  },
  simulate: simulateNbd,
} satisfies BuyingModel<"r" | "alpha">);
