import type { Objective } from "../numeric/minimise.js";
import type { Random } from "../numeric/random.js";
import type { PurchaseCells, PurchaseCustomer } from "./cells.js";
import type { ModelFit } from "./fit.js";

/** Values of a model's parameters by name. */
export type ParameterValues<P extends string = string> = Readonly<Record<P, number>>;

/** Posterior means of a customer's own parameters. */
export interface CustomerRates {
  /** Purchases per unit of time while a customer. */
  readonly purchaseRate: number;
  /** Pareto/NBD: dropouts per unit of time; BG/NBD and its relatives: probability after a purchase; NBD: 0. */
  readonly dropout: number;
}

/** Customers drawn from a model, in columns for `purchaseCells`. */
export interface SimulatedCustomers {
  readonly x: Float64Array;
  readonly recency: Float64Array;
  readonly age: Float64Array;
}

/**
 * A model of repeat buying behind one face: scoring, intervals, comparisons and figures need not know which one it is.
 * All times are in the unit of the data it was fitted to.
 */
export interface BuyingModel<P extends string = string> {
  /** "BG/NBD". */
  readonly name: string;
  /** In the order of `objective`. */
  readonly parameterNames: readonly P[];
  /** Regularity k of the gaps between purchases (Erlang-k); at 1, what is believed of a living customer depends on x and age alone. */
  readonly regularity: number;
  /** Fits the model by maximum likelihood. */
  fit(cells: PurchaseCells): ModelFit<P>;
  /** Log-likelihood as a function of the parameters (all above 0, in the order of `parameterNames`), which fills its gradient. */
  objective(cells: PurchaseCells): Objective;
  /** Probability that a customer is still one, `after` units of time beyond the observed age; now if left out. */
  probabilityAlive(parameters: ParameterValues<P>, customer: PurchaseCustomer, after?: number): number;
  /** Expected purchases of a customer in the next `horizon` units of time. */
  expectedPurchases(parameters: ParameterValues<P>, customer: PurchaseCustomer, horizon: number): number;
  /**
   * Expected purchases in the next `horizon` units of time (all future ones if left out), discounted continuously at
   * `discountRate` per unit of time.
   */
  discountedPurchases(
    parameters: ParameterValues<P>,
    customer: PurchaseCustomer,
    discountRate: number,
    horizon?: number,
  ): number;
  /** Probabilities of 0, 1, …, `max` purchases of a customer in the next `horizon` units of time. */
  purchaseDistribution(
    parameters: ParameterValues<P>,
    customer: PurchaseCustomer,
    horizon: number,
    max: number,
  ): Float64Array;
  /**
   * Probabilities of 0, 1, …, `max` purchases of a new customer in the `length` units of time that begin `from` units
   * after the first purchase.
   */
  intervalDistribution(
    parameters: ParameterValues<P>,
    interval: { readonly from: number; readonly length: number },
    max: number,
  ): Float64Array;
  /** Posterior means of what drives a customer, whether still one or not. */
  customerRates(parameters: ParameterValues<P>, customer: PurchaseCustomer): CustomerRates;
  /** Draws the number of purchases of a customer in the next `horizon` units of time: one possible future. */
  drawFuturePurchases(
    parameters: ParameterValues<P>,
    customer: PurchaseCustomer,
    horizon: number,
    random: Random,
  ): number;
  /** Draws customers who are observed for the given ages. */
  simulate(parameters: ParameterValues<P>, ages: ArrayLike<number>, random: Random): SimulatedCustomers;
}
