import { finiteColumn } from "../core/columns.js";
import { DataError } from "../core/errors.js";
import { invertDetermined } from "../numeric/determined-inverse.js";
import { congruence, dot, type Matrix, quadraticForm, sandwichCovariance } from "../numeric/matrix.js";
import { twoSidedP } from "../numeric/tail-probability.js";
import type { AttributeColumns } from "./choice-data.js";
import { likelihoodAt, type UtilityCoefficients } from "./conditional-logit.js";
import {
  type ClassPlace,
  classPlaces,
  type Expectation,
  type LatentClassProblem,
  observedInformation,
  priorsAt,
} from "./latent-class-likelihood.js";
import type { LatentClassSearch } from "./latent-class-search.js";

const VANISHED = 1e-6; // of the information of pooled respondents: the likelihood has gone flat

/** Name of the log odds where all covariates of respondents are 0. */
export const INTERCEPT = "intercept";

/** What predictions need to know of a class. */
export interface ClassParameters {
  /** Change of utility for one unit of each covariate. */
  readonly coefficients: Readonly<Record<string, number>>;
  /** Log odds of membership against the first class: "intercept" and the change for one unit of each covariate of respondents. */
  readonly membership: Readonly<Record<string, number>>;
}

/** A class of respondents with the same tastes. */
export interface ChoiceClass extends ClassParameters, UtilityCoefficients {
  /** Share of the respondents. */
  readonly share: number;
  /** Standard error of the share, for these covariates of respondents; undetermined parameters count as known. */
  readonly shareError: number;
  /** Standard errors of the coefficients; undetermined ones have none. */
  readonly standardErrors: Readonly<Record<string, number>>;
  /** Coefficient / standard error. */
  readonly z: Readonly<Record<string, number>>;
  /** Two-sided p values of z. */
  readonly p: Readonly<Record<string, number>>;
  /** Standard errors of the log odds; undetermined ones, and those of the first class, have none. */
  readonly membershipErrors: Readonly<Record<string, number>>;
}

/** Covariates of membership: centred and divided by their standard deviation, a constant before them. */
export interface MembershipColumns {
  readonly names: readonly string[];
  readonly centre: readonly number[];
  readonly scale: readonly number[];
  readonly rows: readonly Float64Array[];
}

/** @throws DataError if a column has another length or a bad number, or is the same for all. */
export function membershipColumns(covariates: AttributeColumns, respondents: number): MembershipColumns {
  const columns = Object.entries(covariates).map(([name, column]) => {
    const values = finiteColumn(name, column, respondents);
    const centre = values.reduce((sum, value) => sum + value, 0) / respondents;
    const scale = Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / respondents);
    if (scale === 0) throw new DataError(`${name} must differ between respondents, got ${values[0]} for all`);
    return { name, values, centre, scale };
  });
  return {
    names: columns.map(({ name }) => name),
    centre: columns.map(({ centre }) => centre),
    scale: columns.map(({ scale }) => scale),
    rows: Array.from({ length: respondents }, (_, who) =>
      Float64Array.of(
        1,
        ...columns.map(({ values, centre, scale }) => ((values[who] as number) - centre) / scale),
      ),
    ),
  };
}

/** Share of respondents in each class. */
function sharesOf({ classes, weight }: LatentClassProblem, prior: Float64Array): number[] {
  const total = weight.reduce((sum, w) => sum + w, 0);
  return Array.from(
    { length: classes },
    (_, q) => weight.reduce((sum, w, who) => sum + w * (prior[who * classes + q] as number), 0) / total,
  );
}

/** The same classes, the largest first. */
export function inOrder(problem: LatentClassProblem, theta: Float64Array): Float64Array {
  const places = classPlaces(problem);
  const shares = sharesOf(problem, priorsAt(problem, theta));
  const order = places.map((_, q) => q).sort((q, r) => (shares[r] as number) - (shares[q] as number));
  const oddsOf = ({ odds, utility }: ClassPlace): Float64Array =>
    odds < 0 ? new Float64Array(utility - odds) : theta.slice(odds, utility);
  const base = oddsOf(places[order[0] as number] as ClassPlace);
  const result = new Float64Array(theta.length);
  for (const [q, { odds, utility }] of places.entries()) {
    const from = places[order[q] as number] as ClassPlace;
    const against = oddsOf(from).map((value, i) => value - (base[i] as number));
    if (odds >= 0) result.set(against, odds);
    result.set(theta.subarray(from.utility, from.end), utility);
  }
  return result;
}

/** Covariance of the searched parameters; `lost` are those that the data do not determine. */
function covarianceOf(
  { problem, pooled }: LatentClassSearch,
  state: Expectation,
  errors: "model" | "respondent",
): { covariance: Matrix; lost: readonly number[]; conditionNumber: number } {
  const { information, scores } = observedInformation(problem, state);
  const most = likelihoodAt(problem.design, pooled).information;
  const isFlat = information.map(() => false);
  for (const { utility, end } of classPlaces(problem))
    for (let i = utility; i < end; i++) {
      const whole = most[i - utility]?.[i - utility] as number;
      isFlat[i] = !((information[i]?.[i] as number) > VANISHED * whole);
    }
  const kept = information.map((row, i) => row.map((value, j) => (isFlat[i] || isFlat[j] ? 0 : value)));
  const { inverse, lost, conditionNumber } = invertDetermined(kept);
  return {
    covariance: errors === "model" ? inverse : sandwichCovariance(inverse, scores),
    lost,
    conditionNumber,
  };
}

/** Reported parameters as linear functions of the searched ones: in the units of the covariates. */
function reportedTransform(
  problem: LatentClassProblem,
  scale: readonly number[],
  { centre, scale: spread }: MembershipColumns,
): number[][] {
  const places = classPlaces(problem);
  const size = places.at(-1)?.end as number;
  const rows = Array.from({ length: size }, () => Array.from({ length: size }, () => 0));
  for (const { odds, utility } of places) {
    for (const [j, unit] of scale.entries()) (rows[utility + j] as number[])[utility + j] = 1 / unit;
    if (odds < 0) continue;
    const intercept = rows[odds] as number[];
    intercept[odds] = 1;
    for (const [j, unit] of spread.entries()) {
      intercept[odds + 1 + j] = -(centre[j] as number) / unit;
      (rows[odds + 1 + j] as number[])[odds + 1 + j] = 1 / unit;
    }
  }
  return rows;
}

function termNames({ design, classes }: LatentClassProblem, covariates: readonly string[]): string[] {
  return Array.from({ length: classes }, (_, q) => [
    ...(q === 0
      ? []
      : [`class ${q + 1} membership`, ...covariates.map((name) => `class ${q + 1} membership ${name}`)]),
    ...design.names.map((name) => `class ${q + 1} ${name}`),
  ]).flat();
}

/** What a fit says of its classes. */
export interface ClassReport {
  readonly classes: readonly ChoiceClass[];
  /** Names of all parameters. */
  readonly terms: readonly string[];
  /** Covariance of all parameters; 0 for undetermined ones. */
  readonly covariance: Matrix;
  readonly identification: { readonly conditionNumber: number; readonly undetermined: readonly string[] };
}

/**
 * Estimates and errors in the units of the data.
 * @param scale What the covariates of the alternatives were divided by.
 */
export function classReport(
  search: LatentClassSearch,
  state: Expectation,
  scale: readonly number[],
  membership: MembershipColumns,
  errors: "model" | "respondent",
): ClassReport {
  const { problem } = search;
  const { names } = problem.design;
  const searched = covarianceOf(search, state, errors);
  const transform = reportedTransform(problem, scale, membership);
  const estimates = transform.map((row) => dot(row, state.theta));
  const covariance = congruence(transform, searched.covariance);
  const terms = termNames(problem, membership.names);
  const isLost = transform.map((row) => searched.lost.some((i) => row[i] !== 0));
  for (const [i, row] of covariance.entries())
    for (const j of row.keys()) if (isLost[i] || isLost[j]) row[j] = 0;
  const errorOf = (i: number): number => Math.sqrt(covariance[i]?.[i] as number);
  const zOf = (i: number): number => (estimates[i] as number) / errorOf(i);
  const recordOf = (
    keys: readonly string[],
    from: number,
    value: (i: number) => number,
    isKept: (i: number) => boolean,
  ): Readonly<Record<string, number>> =>
    Object.freeze(
      Object.fromEntries(
        keys.flatMap((key, j) => (isKept(from + j) ? [[key, value(from + j)] as const] : [])),
      ),
    );
  const all = (): boolean => true;
  const determined = (i: number): boolean => isLost[i] === false;
  const odds = [INTERCEPT, ...membership.names];
  const shares = sharesOf(problem, state.prior);
  return {
    classes: classPlaces(problem).map(({ odds: first, utility, end }, q) =>
      Object.freeze({
        share: shares[q] as number,
        shareError: Math.sqrt(quadraticForm(searched.covariance, shareSlopes(problem, state.prior, q))),
        coefficients: recordOf(names, utility, (i) => estimates[i] as number, all),
        standardErrors: recordOf(names, utility, errorOf, determined),
        z: recordOf(names, utility, zOf, determined),
        p: recordOf(names, utility, (i) => twoSidedP(zOf(i)), determined),
        covariance: covariance.slice(utility, end).map((row) => row.slice(utility, end)),
        membership: recordOf(odds, first, (i) => estimates[i] ?? 0, all), // the first class has none
        membershipErrors: recordOf(odds, first, errorOf, determined),
      }),
    ),
    terms,
    covariance,
    identification: Object.freeze({
      conditionNumber: searched.conditionNumber,
      undetermined: terms.filter((_, i) => isLost[i]),
    }),
  };
}

/** Derivatives of the share of a class by the searched parameters. */
function shareSlopes(problem: LatentClassProblem, prior: Float64Array, q: number): Float64Array {
  const { classes, weight, membership } = problem;
  const places = classPlaces(problem);
  const total = weight.reduce((sum, w) => sum + w, 0);
  const slopes = new Float64Array(places.at(-1)?.end as number);
  for (const [who, z] of membership.entries()) {
    const own = prior[who * classes + q] as number;
    for (const [r, { odds }] of places.entries()) {
      if (odds < 0) continue;
      const factor =
        ((weight[who] as number) / total) * own * (Number(q === r) - (prior[who * classes + r] as number));
      for (const [i, value] of z.entries()) slopes[odds + i] = (slopes[odds + i] as number) + factor * value;
    }
  }
  return slopes;
}

/** 1 less the mean entropy of the membership of respondents over that of equal shares. */
export function entropyR2({ classes, weight }: LatentClassProblem, posterior: Float64Array): number {
  if (classes === 1) return 1;
  let [sum, total] = [0, 0];
  for (const [who, w] of weight.entries()) {
    total += w;
    for (const share of posterior.subarray(who * classes, (who + 1) * classes))
      if (share > 0) sum -= w * share * Math.log(share);
  }
  return 1 - sum / (total * Math.log(classes));
}
