import { ConvergenceError } from "../core/errors.js";
import { onLogScale } from "../numeric/log-scale.js";
import { minimise } from "../numeric/minimise.js";
import { randomSource } from "../numeric/random.js";
import { drawMultinomial } from "../numeric/sampling.js";
import { buyingModel } from "./buying-models.js";
import { cellCustomers, type PurchaseCells } from "./cells.js";

/** What all refits of a bootstrap share. */
export interface BootstrapSetup {
  /** Name of the buying model. */
  readonly model: string;
  readonly cells: PurchaseCells;
  /** The estimate, in the order of the model's parameters: where the refits start. */
  readonly start: readonly number[];
}

/**
 * The refit of one bootstrap sample, as a function of its seed: the parameters, or undefined if it does not settle. It runs
 * in a worker thread (see `bootstrapDraws`).
 */
export function bootstrapWorker({ model: name, cells, start }: BootstrapSetup) {
  const model = buyingModel(name);
  const customers = cellCustomers(cells);
  const logStart = start.map(Math.log);
  return (seed: number): readonly number[] | undefined => {
    const sample = nonEmpty(cells, drawMultinomial(randomSource(seed), customers, cells.weight));
    const found = minimise(onLogScale(model.objective(sample), -1), logStart);
    if (found.converged) return Array.from(found.x, Math.exp);
    try {
      const { parameters } = model.fit(sample);
      return model.parameterNames.map((parameter) => parameters[parameter] as number);
    } catch (error) {
      if (error instanceof ConvergenceError) return undefined;
      throw error;
    }
  };
}

function nonEmpty({ x, recency, age }: PurchaseCells, weight: Float64Array): PurchaseCells {
  const isDrawn = (_: number, cell: number): boolean => (weight[cell] as number) > 0;
  return {
    x: x.filter(isDrawn),
    recency: recency.filter(isDrawn),
    age: age.filter(isDrawn),
    weight: weight.filter(isDrawn),
  };
}
