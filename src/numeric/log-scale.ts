import type { Objective } from "./minimise.js";

/**
 * A function of positive numbers as a function of their logs, times `factor` (-1 turns what is to be maximised into what
 * is to be minimised); the gradient follows by the chain rule.
 */
export function onLogScale(objective: Objective, factor: 1 | -1 = 1): Objective {
  let natural = new Float64Array(0);
  return (logs, gradient) => {
    if (natural.length !== logs.length) natural = new Float64Array(logs.length);
    for (let i = 0; i < logs.length; i++) natural[i] = Math.exp(logs[i] as number);
    const value = objective(natural, gradient);
    for (let i = 0; i < logs.length; i++) {
      gradient[i] = factor * (gradient[i] as number) * (natural[i] as number);
    }
    return factor * value;
  };
}
