import { type Random, randomSource } from "../../src/numeric/random.js";
import { drawExponential, drawNormal } from "../../src/numeric/sampling.js";

/**
 * Freireich et al. (1963), 6-mercaptopurine against placebo, weeks of remission of 21 patients each; 0 in `event` means
 * still in remission. Printed in Cox (1972) and most textbooks of survival analysis.
 */
export const remission = {
  time: [
    6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35, 1, 1, 2, 2, 3, 4, 4, 5, 5,
    8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23,
  ],
  event: [
    1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1,
  ],
  placebo: Array.from({ length: 42 }, (_, i) => (i < 21 ? 0 : 1)),
};

/** The rows of one arm. */
export const arm = (placebo: 0 | 1): { time: number[]; event: number[] } => ({
  time: remission.time.filter((_, i) => remission.placebo[i] === placebo),
  event: remission.event.filter((_, i) => remission.placebo[i] === placebo),
});

/** Simulated customers with hazard exp(0.7 x - 0.4 y) / 10, censored at random; times whole numbers if `ties`. */
export function simulated(size: number, seed: number, { ties = false, effect = [0.7, -0.4] } = {}) {
  const random: Random = randomSource(seed);
  const x = Array.from({ length: size }, () => drawNormal(random));
  const y = Array.from({ length: size }, () => (random.uniform() < 0.4 ? 1 : 0));
  const lifetime = x.map((value, i) =>
    drawExponential(random, Math.exp((effect[0] ?? 0) * value + (effect[1] ?? 0) * (y[i] ?? 0)) / 10),
  );
  const horizon = x.map(() => 30 * random.uniform() + 0.5);
  const seen = lifetime.map((t, i) => Math.min(t, horizon[i] ?? 0));
  return {
    time: ties ? seen.map(Math.ceil) : seen,
    event: lifetime.map((t, i) => (t <= (horizon[i] ?? 0) ? 1 : 0)),
    covariates: { x, y },
  };
}

/** Rows repeated by whole weights. */
export const repeated = <Item>(items: readonly Item[], times: readonly number[]): Item[] =>
  items.flatMap((item, i) => new Array<Item>(times[i] ?? 0).fill(item));
