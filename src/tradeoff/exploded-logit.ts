import { requireWhole } from "../core/arguments.js";
import { requireLength } from "../core/columns.js";
import { DataError } from "../core/errors.js";
import { describe } from "../core/table.js";
import { chiSquareTail } from "../numeric/tail-probability.js";
import { type AttributeColumns, type ChoiceRows, endOfSet } from "./choice-data.js";
import {
  type ConditionalLogitFit,
  type ConditionalLogitOptions,
  fitConditionalLogit,
} from "./conditional-logit.js";

/** Rankings in the long form: one row for each alternative ranked, the rows of a ranking next to each other. */
export interface RankingRows extends Omit<ChoiceRows, "chosen"> {
  /** 1 for the best alternative of the ranking, 2 for the next, and so on; 0 for those left unranked, below all others. */
  readonly rank: ArrayLike<number>;
}

/** How deep to read rankings. */
export interface ExplosionOptions {
  /** Ranks that are read, from the best on; all unless given. */
  readonly depth?: number;
  /** The first rank that is read: 2 leaves out the choices of the best; 1 unless given. */
  readonly from?: number;
}

/** Choices that rankings stand for. */
export interface ExplodedChoices {
  readonly rows: ChoiceRows;
  /** Covariates of these rows. */
  readonly attributes: AttributeColumns;
}

/** How far the choices at a depth agree with those above it. */
export interface DepthTest {
  /** Rank that is decided, from 2 up. */
  readonly depth: number;
  /** Test by the likelihood of the same coefficients there and above. */
  readonly chiSquare: number;
  readonly degreesOfFreedom: number;
  /** Small if lower ranks are given with other tastes, or more by chance, than those above. */
  readonly p: number;
}

/**
 * Rankings as choices: the best among all, then the next among the rest, and so on, until one is left. The choice sets of a
 * ranking have one respondent. Any model of choices may be fitted to them.
 * @throws DataError naming the row if ranks are not 1, 2, 3 and so on, each once, or a ranking has less than two alternatives;
 * RangeError if `depth` or `from` is not a whole number from 1 up.
 * @see Chapman & Staelin (1982), Exploiting Rank Ordered Choice Set Data within the Stochastic Utility Model, J. Marketing
 * Research 19(3).
 */
export function explodedChoices(
  rankings: RankingRows,
  attributes: AttributeColumns,
  { depth = Number.MAX_SAFE_INTEGER, from = 1 }: ExplosionOptions = {},
): ExplodedChoices {
  requireWhole("depth", depth, 1);
  requireWhole("from", from, 1);
  const { set, respondent, weight } = rankings;
  const size = set.length;
  for (const [name, column] of Object.entries({ ...rankings, ...attributes }))
    requireLength(name, column, size);
  const source: number[] = [];
  const sets: string[] = [];
  const chosen: number[] = [];
  for (let start = 0; start < size; ) {
    const end = endOfSet(rankings, start);
    const { ranked, rest } = rankedRows(rankings, start, end);
    const last = Math.min(depth, ranked.length, ranked.length + rest.length - 1);
    for (let k = from - 1; k < last; k++) {
      for (const row of [...ranked.slice(k), ...rest]) {
        source.push(row);
        sets.push(`${set[row]} choice ${k + 1}`);
        chosen.push(Number(row === ranked[k]));
      }
    }
    start = end;
  }
  const of = <Value>(column: ArrayLike<Value>): Value[] => source.map((row) => column[row] as Value);
  return {
    rows: { set: sets, chosen, respondent: of(respondent ?? set), ...(weight ? { weight: of(weight) } : {}) },
    attributes: Object.fromEntries(Object.entries(attributes).map(([name, column]) => [name, of(column)])),
  };
}

/** Available rows of a ranking: those ranked, the best first, and the others. */
function rankedRows(
  { set, rank, available }: RankingRows,
  start: number,
  end: number,
): { ranked: number[]; rest: number[] } {
  const ranked: number[] = [];
  const rest: number[] = [];
  for (let row = start; row < end; row++) {
    const value: unknown = rank[row];
    const isRanked = value !== 0;
    if (isRanked && !(typeof value === "number" && Number.isInteger(value) && value > 0)) {
      throw new DataError(`rank in row ${row + 1} must be a whole number from 0 up, got ${describe(value)}`);
    }
    if (isRanked && available && Number(available[row]) === 0) {
      throw new DataError(
        `rank in row ${row + 1} must be 0, for the alternative was not available, got ${value}`,
      );
    }
    if (!isRanked) {
      if (!available || Number(available[row]) !== 0) rest.push(row);
      continue;
    }
    const place = value - 1;
    if (ranked[place] !== undefined) {
      throw new DataError(
        `rank must be ${place + 1} once in ranking ${describe(set[start])}, got it in rows ${ranked[place] + 1} and ${row + 1}`,
      );
    }
    ranked[place] = row;
  }
  const gap = Array.from(ranked).indexOf(undefined as unknown as number);
  if (gap !== -1 || ranked.length === 0) {
    throw new DataError(
      `rank must be ${Math.max(gap, 0) + 1} once in ranking ${describe(set[start])}, got it nowhere from row ${start + 1} on`,
    );
  }
  if (ranked.length + rest.length < 2) {
    throw new DataError(
      `ranking ${describe(set[start])} must have at least two alternatives, got one in row ${start + 1}`,
    );
  }
  return { ranked, rest };
}

/**
 * Rank-ordered (exploded) logit: a ranking is a chain of choices by the same tastes, each by a conditional logit among what is
 * left. Lower ranks are often given with less care: `depthTests` tells how deep to read.
 * @throws DataError, ConvergenceError and RangeError as `explodedChoices` and `fitConditionalLogit` do.
 * @see Beggs, Cardell & Hausman (1981), Assessing the Potential Demand for Electric Cars, J. Econometrics 17(1).
 */
export function fitExplodedLogit(
  rankings: RankingRows,
  attributes: AttributeColumns,
  options: ExplosionOptions & ConditionalLogitOptions = {},
): ConditionalLogitFit {
  const exploded = explodedChoices(rankings, attributes, options);
  return fitConditionalLogit(exploded.rows, exploded.attributes, options);
}

/**
 * Whether the choices at each depth follow the coefficients of those above: rankings may be read down to the depth before the
 * first small p value.
 * `options.depth`: Deepest rank to test; all that are decided unless given.
 * @throws DataError and RangeError as `explodedChoices` does; ConvergenceError if the choices at one depth alone are too few for
 * a fit.
 * @see Chapman & Staelin (1982); Hausman & Ruud (1987), Specifying and Testing Econometric Models for Rank-ordered Data,
 * J. Econometrics 34(1-2).
 */
export function depthTests(
  rankings: RankingRows,
  attributes: AttributeColumns,
  { depth: deepest = Number.MAX_SAFE_INTEGER }: Pick<ExplosionOptions, "depth"> = {},
): readonly DepthTest[] {
  const logLikelihood = (from: number, depth: number): number =>
    fitExplodedLogit(rankings, attributes, { from, depth }).logLikelihood;
  const degreesOfFreedom = Object.keys(attributes).length;
  const tests: DepthTest[] = [];
  let above = logLikelihood(1, 1);
  for (let depth = 2; depth <= deepest; depth++) {
    if (explodedChoices(rankings, attributes, { from: depth, depth }).rows.set.length === 0) break;
    const together = logLikelihood(1, depth);
    const chiSquare = 2 * (above + logLikelihood(depth, depth) - together);
    tests.push({ depth, chiSquare, degreesOfFreedom, p: chiSquareTail(chiSquare, degreesOfFreedom) });
    above = together;
  }
  return tests;
}
