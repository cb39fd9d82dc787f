import { randomSource } from "../../src/numeric/random.js";
import type { AttributeColumns, ChoiceRows } from "../../src/tradeoff/choice-data.js";
import { fitLatentClassLogit, type LatentClassFit } from "../../src/tradeoff/latent-class.js";
import { simulatedStudy } from "./worlds.js";

/** Tastes of three kinds of respondents, and how many there are of each. */
export const kinds = [
  { share: 0.5, taste: { organic: 2, large: -1, price: -0.5 } },
  { share: 0.3, taste: { organic: -1, large: 1.5, price: -1.5 } },
  { share: 0.2, taste: { organic: 0, large: 0, price: 1 } },
] as const;

/** A simulated study of such respondents. */
export interface ClassWorld {
  readonly rows: ChoiceRows & { readonly respondent: number[] };
  readonly attributes: AttributeColumns;
  /** Kind of each respondent. */
  readonly kind: readonly number[];
}

/** Choices of respondents of these kinds, mixed in turn. */
export function classWorld({ respondents = 300, tasks = 12, seed = 1 } = {}): ClassWorld {
  const [base, ...others] = kinds.map(({ taste }) =>
    simulatedStudy({ mean: taste }, { respondents, tasks, seed }),
  );
  const source = randomSource(seed).stream("kinds");
  const kind = Array.from({ length: respondents }, () => {
    const u = source.uniform();
    return u < 0.5 ? 0 : u < 0.8 ? 1 : 2;
  });
  const studies = [base, ...others] as (typeof base)[];
  const { rows, attributes } = base as NonNullable<typeof base>;
  // The same profiles and noise in all studies: a respondent's choices come from the study of his kind.
  const chosen = rows.respondent.map((who, row) => Number(studies[kind[who] as number]?.rows.chosen[row]));
  return { rows: { ...rows, chosen }, attributes, kind };
}

/** Three classes fitted to such choices, in the calling thread. */
export const fitClasses = ({ rows, attributes }: ClassWorld, starts: number): Promise<LatentClassFit> =>
  fitLatentClassLogit(rows, attributes, { classes: 3, random: randomSource(1), workers: 0, starts });
