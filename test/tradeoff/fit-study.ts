// The chains run on threads, from the compiled program, and so does all that they are compared with.
import { randomSource } from "../../dist/numeric/random.js";
import {
  fitHierarchicalBayes,
  type HierarchicalBayesFit,
  type HierarchicalBayesOptions,
} from "../../dist/tradeoff/hierarchical-bayes.js";
import type { AttributeColumns, ChoiceRows } from "../../src/tradeoff/choice-data.js";

/** Two short chains in the calling thread, unless asked otherwise. */
export const fitStudy = (
  { rows, attributes }: { readonly rows: ChoiceRows; readonly attributes: AttributeColumns },
  options: Partial<HierarchicalBayesOptions> = {},
): Promise<HierarchicalBayesFit> =>
  fitHierarchicalBayes(rows, attributes, {
    random: randomSource(1),
    chains: 2,
    warmup: 200,
    iterations: 400,
    workers: 0,
    ...options,
  });
