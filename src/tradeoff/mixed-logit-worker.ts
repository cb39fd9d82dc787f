import { randomSource } from "../numeric/random.js";
import { type AttributeColumns, type ChoiceRows, choiceDesign } from "./choice-data.js";
import { fitMixedLogit, type MixedLogitOptions, mixedLogitProblem } from "./mixed-logit.js";
import { isCorrelated, type MixedLogitParameters, parameterList } from "./mixed-logit-tastes.js";

/** What all repetitions share. */
export interface StabilitySetup {
  readonly rows: ChoiceRows;
  readonly attributes: AttributeColumns;
  readonly options: Omit<MixedLogitOptions, "random" | "onProgress" | "signal" | "from">;
  /** The estimate. */
  readonly parameters: MixedLogitParameters;
  readonly refit: boolean;
}

/** One repetition. */
export interface StabilityResult {
  readonly logLikelihood: number;
  readonly coefficients: Readonly<Record<string, number>> | null;
}

/** The likelihood of an estimate, or the fit from it, with the draws of a seed. It runs in a worker thread. */
export function mixedLogitWorker({ rows, attributes, options, parameters, refit }: StabilitySetup) {
  return (seed: number): StabilityResult => {
    const random = randomSource(seed);
    if (refit) {
      const fit = fitMixedLogit(rows, attributes, { ...options, random, from: parameters });
      return { logLikelihood: fit.logLikelihood, coefficients: fit.coefficients };
    }
    const problem = mixedLogitProblem(choiceDesign(rows, attributes), {
      ...options,
      random,
      correlated: isCorrelated(parameters),
      price: parameters.price,
      panel: options.panel ?? rows.respondent !== undefined,
    });
    const theta = Float64Array.from(parameterList(parameters, problem.terms));
    return { logLikelihood: problem.kernel(problem.size).slope(theta).logLikelihood, coefficients: null };
  };
}
