import { type Random, randomSource } from "../../src/numeric/random.js";
import { drawNormal } from "../../src/numeric/sampling.js";
import type { AttributeColumns, ChoiceRows } from "../../src/tradeoff/choice-data.js";

/** What respondents of a simulated study want. */
export interface Taste {
  /** Mean coefficients by attribute. */
  readonly mean: Readonly<Record<string, number>>;
  /** Standard deviations over respondents, independent; 0 unless given. */
  readonly spread?: Readonly<Record<string, number>>;
}

/** A simulated study: rows, attributes, and the coefficients of every respondent. */
export interface SimulatedStudy {
  readonly rows: ChoiceRows & { readonly respondent: number[] };
  readonly attributes: AttributeColumns;
  readonly tastes: readonly Readonly<Record<string, number>>[];
}

/** Choices among random profiles: attributes named price are 1, 2, 3 or 4, all others 0 or 1. */
export function simulatedStudy(
  { mean, spread = {} }: Taste,
  { respondents = 200, tasks = 10, alternatives = 3, seed = 1 } = {},
): SimulatedStudy {
  const random: Random = randomSource(seed);
  const names = Object.keys(mean);
  const set: number[] = [];
  const respondent: number[] = [];
  const chosen: number[] = [];
  const columns: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]));
  const tastes = Array.from({ length: respondents }, () =>
    Object.fromEntries(
      names.map((name) => [name, (mean[name] ?? 0) + (spread[name] ?? 0) * drawNormal(random)]),
    ),
  );
  for (const [who, taste] of tastes.entries()) {
    for (let task = 0; task < tasks; task++) {
      const utilities: number[] = [];
      for (let k = 0; k < alternatives; k++) {
        let utility = -Math.log(-Math.log(1 - random.uniform())); // Gumbel noise makes logit choices
        for (const name of names) {
          const value =
            name === "price" ? 1 + Math.floor(4 * random.uniform()) : Number(random.uniform() < 0.5);
          columns[name]?.push(value);
          utility += value * (taste[name] ?? 0);
        }
        utilities.push(utility);
        set.push(task);
        respondent.push(who);
      }
      const best = utilities.indexOf(Math.max(...utilities));
      chosen.push(...utilities.map((_, k) => Number(k === best)));
    }
  }
  return { rows: { set, respondent, chosen }, attributes: columns, tastes };
}
