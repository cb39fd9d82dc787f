import { requireWhole } from "../core/arguments.js";
import { haltonPoints, SOBOL_DIMENSIONS, scrambledSobol } from "../numeric/quasi-random.js";
import type { Random } from "../numeric/random.js";
import { normalQuantile } from "../numeric/special.js";
import { normalTail } from "../numeric/tail-probability.js";
import type { Link, Term } from "./mixed-logit-kernel.js";

/** Distribution of a coefficient over respondents; a log-normal one is above 0 for all, a negative one below 0. */
export type TasteDistribution = "normal" | "log-normal" | "negative log-normal" | "triangular" | "uniform";

/** What respondents want, and how they differ: what predictions of a mixed logit need. */
export interface MixedLogitParameters {
  /** Coefficient of each covariate: of all respondents, or the mean over them; of log-normal ones the mean of the logarithm. */
  readonly location: Readonly<Record<string, number>>;
  /** Distribution of each coefficient that differs between respondents. */
  readonly tastes: Readonly<Record<string, TasteDistribution>>;
  /**
   * Lower triangle, rows and columns in the order of `tastes`: a respondent's number is the location plus the row times
   * independent draws of mean 0 and variance 1. A diagonal of standard deviations if tastes are not correlated; their
   * signs mean nothing. Of log-normal coefficients it belongs to the logarithm.
   */
  readonly spread: readonly (readonly number[])[];
  /**
   * In willingness-to-pay space the price: its location and distribution are those of the scale, minus the coefficient of the
   * price, all others those of willingness to pay. null in preference space.
   */
  readonly price: string | null;
}

/** A coefficient over the population of respondents. */
export interface TastePopulation {
  readonly distribution: TasteDistribution;
  readonly mean: number;
  readonly standardDeviation: number;
  /** Share of respondents with a number above 0. */
  readonly shareAboveZero: number;
}

/** How to draw tastes. */
export interface DrawOptions {
  /** Source of the draws. The same source gives the same draws, however much was drawn from it. */
  readonly random: Random;
  /** Draws for each respondent; 1,000 unless given. Powers of two are the most even. */
  readonly draws?: number;
  /** Owen-scrambled Sobol points, a new scrambling for each respondent (default), or shifted Halton points, in pieces. */
  readonly sequence?: "sobol" | "halton";
}

/** Unit variance: a triangle over +-sqrt(6), a uniform distribution over +-sqrt(3). */
const TRIANGLE = Math.sqrt(6);
const UNIFORM = Math.sqrt(3);
const HALTON_SKIP = 100; // its first points go together in all dimensions

export const DISTRIBUTIONS: readonly TasteDistribution[] = [
  "normal",
  "log-normal",
  "negative log-normal",
  "triangular",
  "uniform",
];

export const linkOf = (distribution: TasteDistribution | undefined): Link =>
  distribution === "log-normal" ? "exp" : distribution === "negative log-normal" ? "minus exp" : "identity";

/** Parameters of a model: the location of each covariate, then the spread row by row. */
export function termsOf(
  names: readonly string[],
  tastes: Readonly<Record<string, TasteDistribution>>,
  correlated: boolean,
): Term[] {
  const spread = Object.keys(tastes).flatMap((name, row) => {
    const covariate = names.indexOf(name);
    const columns = correlated ? Array.from({ length: row + 1 }, (_, column) => column) : [row];
    return columns.map((draw) => ({ covariate, draw }));
  });
  return [...names.map((_, covariate) => ({ covariate, draw: -1 })), ...spread];
}

/** The parameters as one list, in the order of the terms. */
export function parameterList(
  { location, tastes, spread }: MixedLogitParameters,
  terms: readonly Term[],
): number[] {
  const names = Object.keys(location);
  const rows = Object.keys(tastes);
  return terms.map(({ covariate, draw }) => {
    const name = names[covariate] as string;
    return (draw === -1 ? location[name] : spread[rows.indexOf(name)]?.[draw]) as number;
  });
}

/** True if the spread has anything beside its diagonal. */
export const isCorrelated = ({ spread }: MixedLogitParameters): boolean =>
  spread.some((row, i) => row.some((value, j) => j < i && value !== 0));

/**
 * Standard draws for so many units: unit after unit, in it one row of numbers for each distribution.
 * @throws RangeError if draws are not a whole number from 1 to 2^20, or there are more distributions than dimensions.
 */
export function standardDraws(
  units: number,
  tastes: Readonly<Record<string, TasteDistribution>>,
  { random, draws = 1000, sequence = "sobol" }: DrawOptions,
): Float64Array {
  const kinds = Object.values(tastes);
  const dimensions = kinds.length;
  requireWhole("draws", draws, 1, 2 ** 20);
  if (dimensions > SOBOL_DIMENSIONS) {
    throw new RangeError(`tastes must be at most ${SOBOL_DIMENSIONS}, got ${dimensions}`);
  }
  const result = new Float64Array(units * dimensions * draws);
  if (dimensions === 0) return result;
  const rowsOf = (unit: number): Float64Array[] =>
    kinds.map((_, row) =>
      result.subarray((unit * dimensions + row) * draws, (unit * dimensions + row + 1) * draws),
    );
  if (sequence === "sobol") {
    const fill = scrambledSobol(draws, dimensions);
    for (let unit = 0; unit < units; unit++) fill(random.stream(unit), rowsOf(unit));
  } else {
    const points = haltonPoints(units * draws, dimensions, HALTON_SKIP);
    const shifts = kinds.map((_, row) => random.stream("shift").stream(row).uniform());
    for (let unit = 0; unit < units; unit++) {
      for (const [row, column] of rowsOf(unit).entries()) {
        const piece = (points[row] as Float64Array).subarray(unit * draws, (unit + 1) * draws);
        for (let i = 0; i < draws; i++)
          column[i] = Math.max(((piece[i] as number) + (shifts[row] as number)) % 1, 2 ** -54);
      }
    }
  }
  for (let unit = 0; unit < units; unit++) {
    for (const [row, column] of rowsOf(unit).entries()) {
      const quantile = quantileFunction(kinds[row] as TasteDistribution);
      for (let i = 0; i < draws; i++) column[i] = quantile(column[i] as number);
    }
  }
  return result;
}

/** Quantile of the distribution of variance 1 that a coefficient, or its logarithm, is drawn from. */
function quantileFunction(distribution: TasteDistribution): (u: number) => number {
  if (distribution === "uniform") return (u) => UNIFORM * (2 * u - 1);
  if (distribution === "triangular")
    return (u) => TRIANGLE * (u < 0.5 ? Math.sqrt(2 * u) - 1 : 1 - Math.sqrt(2 - 2 * u));
  return normalQuantile;
}

/** Mean, standard deviation and share above 0 of a coefficient of that location and spread. */
export function tastePopulation(
  distribution: TasteDistribution,
  location: number,
  spread: number,
): TastePopulation {
  const population = (mean: number, standardDeviation: number, above: number): TastePopulation =>
    Object.freeze({ distribution, mean, standardDeviation, shareAboveZero: above });
  if (distribution === "log-normal" || distribution === "negative log-normal") {
    const sign = distribution === "log-normal" ? 1 : -1;
    const mean = Math.exp(location + spread ** 2 / 2);
    return population(sign * mean, mean * Math.sqrt(Math.expm1(spread ** 2)), sign === 1 ? 1 : 0);
  }
  return population(location, spread, shareAboveZero(distribution, location, spread));
}

function shareAboveZero(distribution: TasteDistribution, mean: number, deviation: number): number {
  if (deviation === 0) return Number(mean > 0);
  if (distribution === "normal") return normalTail(-mean / deviation);
  const width = deviation * (distribution === "uniform" ? UNIFORM : TRIANGLE);
  const place = Math.min(Math.max(mean / width, -1), 1);
  if (distribution === "uniform") return (1 + place) / 2;
  return place < 0 ? (1 + place) ** 2 / 2 : 1 - (1 - place) ** 2 / 2;
}
