import { expect, it } from "vitest";
import type { PurchaseCustomer } from "../../src/clv/cells.js";
import {
  fitParetoNbd,
  type ParetoNbdParameters,
  paretoNbdDiscountedPurchases,
  paretoNbdExpectedPurchases,
  paretoNbdLogLikelihood,
  paretoNbdNewCustomerPurchases,
  paretoNbdProbabilityAlive,
  paretoNbdPurchaseDistribution,
} from "../../src/clv/pareto-nbd.js";
import { type Block, block, numbers } from "./case.js";

/** The Pareto/NBD's functions as the runner of `clv_` cases calls a buying model's. */
export const paretoModel = {
  fit: fitParetoNbd,
  logLikelihood: paretoNbdLogLikelihood,
  alive: paretoNbdProbabilityAlive,
  expected: paretoNbdExpectedPurchases,
  newcomer: paretoNbdNewCustomerPurchases,
  distribution: paretoNbdPurchaseDistribution,
};

/** A block of Pareto/NBD parameters, with the customers its values are about. */
interface ParetoBlock {
  readonly path: string;
  readonly block: Block;
  readonly customers: readonly PurchaseCustomer[];
}

/** Continuous rate per unit of time that CLVTools' values stand for; its block does not state it, the values do. */
const CLVTOOLS_RATE = 0.1;

/** Holds what only the Pareto/NBD has to a peer's block: discounted expected residual transactions. */
export function runParetoBlock(at: ParetoBlock, near: number): void {
  const parameters = block(at.block["params"]) as unknown as ParetoNbdParameters;
  const hold = (customers: readonly PurchaseCustomer[], rate: number, peers: readonly number[]): void => {
    expect(customers.length).toBe(peers.length);
    for (const [index, customer] of customers.entries()) {
      const [ours, peer = Number.NaN] = [
        paretoNbdDiscountedPurchases(parameters, customer, rate),
        peers[index],
      ];
      expect(Math.abs(ours / peer - 1), `${ours} against ${peer}`).toBeLessThanOrEqual(near);
    }
  };
  for (const [key, value] of Object.entries(at.block)) {
    const rate = Number(/^dert_d(\d*\.?\d+)$/.exec(key)?.[1]);
    if (rate) it(`${at.path}.${key}`, () => hold(at.customers, rate, numbers(value)));
  }
  const predicted = block(at.block["pred"]);
  if (Array.isArray(predicted["dert"])) {
    it(`${at.path}.pred.dert at a continuous rate of ${CLVTOOLS_RATE}`, () => {
      const customers = numbers(predicted["x"]).map((x, row) => ({
        x,
        recency: numbers(predicted["t_x"])[row] ?? Number.NaN,
        age: numbers(predicted["T"])[row] ?? Number.NaN,
      }));
      hold(customers, CLVTOOLS_RATE, numbers(predicted["dert"]));
    });
  }
}
