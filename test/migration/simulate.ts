import type { CustomerStates } from "../../src/migration/states.js";
import type { Random } from "../../src/numeric/random.js";
import { drawWeighted } from "../../src/numeric/sampling.js";

/** Customers of a chain who all start in the first state. `matrixOf` gives the matrix of a customer and period. */
export function simulateChain(
  random: Random,
  customers: number,
  periods: number,
  matrixOf: (customer: number, period: number) => readonly (readonly number[])[],
): CustomerStates {
  const states = matrixOf(0, 0).map((_, state) => `s${state + 1}`);
  const stateAt = new Int16Array(customers * periods);
  for (let customer = 0; customer < customers; customer++) {
    for (let period = 1; period < periods; period++) {
      const cell = customer * periods + period;
      const row = matrixOf(customer, period - 1)[stateAt[cell - 1] as number] as readonly number[];
      stateAt[cell] = drawWeighted(random, row);
    }
  }
  return {
    states,
    periods: Array.from({ length: periods }, (_, period) => String(period)),
    customers: Array.from({ length: customers }, (_, customer) => customer),
    stateAt,
  };
}
