import type { Random } from "../numeric/random.js";
import { drawGamma } from "../numeric/sampling.js";
import type { BuyingModel } from "./buying-model.js";
import type { GammaGammaParameters } from "./gamma-gamma.js";
import { equalTailed, type ParameterDraws, type QuantityInterval } from "./uncertainty.js";
import type { ValuedCustomers } from "./value.js";

/** Possible futures of customers: what each buys within a horizon in each of many simulated worlds. */
export interface CustomerOutcomes {
  readonly customers: number;
  readonly worlds: number;
  /** Purchases of customer c in world w at [c * worlds + w]. */
  readonly purchases: Float64Array;
  /** Money spent, in the unit of the spend parameters, likewise; empty without spend draws. */
  readonly spend: Float64Array;
}

/**
 * Draws possible futures: each world takes one draw of the parameters, so that what is not known about the model moves all
 * customers together, and then each customer's own fate. This answers what a forecast of a single customer cannot: in which
 * range the outcome will lie, and who comes out above whom.
 * @throws RangeError if the horizon or a customer is not possible, or the spend draws are not as many as the parameter draws.
 * @see Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., section 6.3 (predictive distribution); Fader & Hardie (2013),
 * note 025, for the customer's own spend.
 */
export function drawOutcomes<P extends string>(
  model: BuyingModel<P>,
  draws: ParameterDraws<P>,
  customers: ValuedCustomers,
  options: {
    /** Length of time ahead, in the unit of the data. */
    readonly horizon: number;
    readonly random: Random;
    /** Draws of the spend model, one for each draw of the parameters. */
    readonly spend?: ParameterDraws<keyof GammaGammaParameters>;
  },
): CustomerOutcomes {
  const { horizon, random, spend: spendDraws } = options;
  const worlds = draws.parameters.length;
  const count = customers.x.length;
  if (spendDraws && spendDraws.parameters.length !== worlds) {
    throw new RangeError(
      `spend must have as many draws as the parameters, ${worlds}, got ${spendDraws.parameters.length}`,
    );
  }
  const purchases = new Float64Array(count * worlds);
  const spend = new Float64Array(spendDraws ? count * worlds : 0);
  for (let customer = 0; customer < count; customer++) {
    const history = {
      x: customers.x[customer] as number,
      recency: customers.recency[customer] as number,
      age: customers.age[customer] as number,
    };
    const past = history.x * (history.x > 0 ? (customers.meanSpend[customer] as number) : 0);
    for (const [world, parameters] of draws.parameters.entries()) {
      const at = customer * worlds + world;
      const bought = model.drawFuturePurchases(parameters, history, horizon, random);
      purchases[at] = bought;
      const own = spendDraws?.parameters[world];
      if (own === undefined || bought === 0) continue;
      const rate = drawGamma(random, own.q + own.p * history.x, own.gamma + past);
      spend[at] = drawGamma(random, own.p * bought, rate);
    }
  }
  return { customers: count, worlds, purchases, spend };
}

/** How sure a customer's place among the others is. */
export interface RankCertainty {
  /** Outcome (purchases or money) of the customer. */
  readonly outcome: QuantityInterval;
  /** Place among all customers, 1 for the best; ties share the mean of their places. */
  readonly rank: QuantityInterval;
  /** Probability to be among the best `topShare` of the customers. */
  readonly topProbability: number;
}

/**
 * How sure the ranking of customers by outcome is, one entry a customer.
 * @param values Outcomes, customer by customer, as in `CustomerOutcomes`: `outcomes.purchases` or `outcomes.spend`.
 * @throws RangeError if topShare or the level is not between 0 and 1.
 */
export function rankCertainty(
  { customers, worlds }: CustomerOutcomes,
  values: Float64Array,
  { topShare = 0.1, level = 0.9 }: { readonly topShare?: number; readonly level?: number } = {},
): RankCertainty[] {
  if (!(topShare > 0 && topShare < 1))
    throw new RangeError(`topShare must be between 0 and 1, got ${topShare}`);
  const places = new Float64Array(customers * worlds);
  const order = Uint32Array.from({ length: customers }, (_, customer) => customer);
  for (let world = 0; world < worlds; world++) {
    const of = (customer: number): number => values[customer * worlds + world] as number;
    order.sort((a, b) => of(b) - of(a));
    for (let from = 0; from < customers; ) {
      let to = from + 1;
      while (to < customers && of(order[to] as number) === of(order[from] as number)) to++;
      for (let place = from; place < to; place++) {
        places[(order[place] as number) * worlds + world] = (from + 1 + to) / 2;
      }
      from = to;
    }
  }
  const top = Math.max(1, Math.round(topShare * customers));
  return Array.from({ length: customers }, (_, customer) => {
    const own = places.subarray(customer * worlds, (customer + 1) * worlds);
    return {
      outcome: equalTailed(values.subarray(customer * worlds, (customer + 1) * worlds), level),
      rank: equalTailed(own, level),
      topProbability: own.reduce((sum, place) => sum + Number(place <= top), 0) / worlds,
    };
  });
}

/**
 * Probability that one customer's outcome is above another's; equal outcomes count half.
 * @param values Outcomes as in `CustomerOutcomes`. Customers are numbered from 0.
 * @throws RangeError if a customer's number is not possible.
 */
export function probabilityAbove(
  { customers, worlds }: CustomerOutcomes,
  values: Float64Array,
  one: number,
  other: number,
): number {
  for (const customer of [one, other]) {
    if (!(Number.isInteger(customer) && customer >= 0 && customer < customers)) {
      throw new RangeError(`customer must be a row from 0 to ${customers - 1}, got ${customer}`);
    }
  }
  let above = 0;
  for (let world = 0; world < worlds; world++) {
    const lead = (values[one * worlds + world] as number) - (values[other * worlds + world] as number);
    above += lead > 0 ? 1 : lead === 0 ? 0.5 : 0;
  }
  return above / worlds;
}
