import { randomSource } from "../../src/numeric/random.js";
import type { ChoiceRows } from "../../src/tradeoff/choice-data.js";
import { type SimulatedStudy, simulatedStudy } from "./worlds.js";

/** Tastes of the studies that mixed logits are tried on: price is the same for all. */
export const truth = { mean: { organic: 0.8, large: -0.4, price: -0.6 }, spread: { organic: 1, large: 0.7 } };

/** Choices of 100 respondents with these tastes. */
export const study = simulatedStudy(truth, { respondents: 100, tasks: 10, seed: 2 });
/** The distributions they have. */
export const tastes = { organic: "normal", large: "normal" } as const;

/** Sum of the logarithms of the probabilities of what was chosen. */
export const logOfChosen = (shares: Float64Array, { chosen }: ChoiceRows): number =>
  shares.reduce((sum, share, row) => sum + (chosen[row] ? Math.log(share) : 0), 0);

/** Choices of the largest utility with Gumbel noise, among the profiles of a study in sets of three. */
export function chooseAgain({ rows }: SimulatedStudy, utility: (row: number) => number): number[] {
  const source = randomSource(99);
  const noisy = Array.from(rows.set, (_, row) => utility(row) - Math.log(-Math.log(1 - source.uniform())));
  return noisy.map((value, row) => {
    const first = row - (row % 3);
    return Number(value === Math.max(...noisy.slice(first, first + 3)));
  });
}
