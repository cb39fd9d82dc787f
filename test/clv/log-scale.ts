import type { Objective } from "../../src/numeric/minimise.js";

/** An objective as a function of the log parameters, so that finite differences suit parameters of any size. */
export const onLogScale =
  (objective: Objective): Objective =>
  (logs, gradient) => {
    const parameters = logs.map(Math.exp);
    const value = objective(parameters, gradient);
    for (const [index, parameter] of parameters.entries()) {
      gradient[index] = (gradient[index] as number) * parameter;
    }
    return value;
  };
