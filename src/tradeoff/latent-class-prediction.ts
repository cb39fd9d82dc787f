import { finiteColumn } from "../core/columns.js";
import { DataError } from "../core/errors.js";
import {
  type AttributeColumns,
  type ChoiceRows,
  choiceDesign,
  selectColumns,
  unitWeights,
} from "./choice-data.js";
import { firstOfEachSet, probabilitiesOf } from "./conditional-logit.js";
import { classPlaces, expectation, type LatentClassProblem, priorsAt } from "./latent-class-likelihood.js";
import { type ClassParameters, INTERCEPT } from "./latent-class-report.js";
import type { PartWorths } from "./part-worths.js";

/** How to predict with latent classes. */
export interface LatentClassPredictionOptions {
  /** The covariates of membership: columns with one value for each respondent, in the order they come. */
  readonly covariates?: AttributeColumns;
}

/** Respondents in the classes, given what they chose; the values are their mean coefficients. */
export interface ClassMembers extends PartWorths {
  /** Probability of each class: one row a respondent. */
  readonly probabilities: readonly Float64Array[];
  /** Number of the likeliest class of each respondent, from 1 up. */
  readonly likeliest: Uint32Array;
}

/**
 * Membership of respondents given what they chose, by Bayes' rule, and their coefficients: those of the classes, weighted by
 * the probabilities. They may be others than those of the fit.
 * @throws DataError if the choices are bad, or a covariate is missing or bad.
 * @see Kamakura & Russell (1989).
 */
export function classMembership(
  classes: readonly ClassParameters[],
  rows: ChoiceRows,
  attributes: AttributeColumns,
  options: LatentClassPredictionOptions = {},
): ClassMembers {
  const { problem, theta } = predictionProblem(classes, rows, attributes, options);
  const { names, respondents } = problem.design;
  const { posterior } = expectation(problem, theta);
  const betas = classPlaces(problem).map(({ utility, end }) => theta.subarray(utility, end));
  const probabilities = respondents.map((_, who) =>
    posterior.slice(who * classes.length, (who + 1) * classes.length),
  );
  return {
    names,
    respondents,
    values: probabilities.map((shares) =>
      Float64Array.from(names, (_, j) =>
        betas.reduce((sum, beta, q) => sum + (shares[q] as number) * (beta[j] as number), 0),
      ),
    ),
    probabilities,
    likeliest: Uint32Array.from(probabilities, (shares) => shares.indexOf(Math.max(...shares)) + 1),
  };
}

/**
 * Probability of each row to be chosen within its set, in the order of the data; 0 for alternatives that are not available.
 * Given "nothing", unless said, it is the average over the classes, and `chosen` may be missing. Given "earlier choices" it is
 * that of this respondent after the choices in the sets before: the logarithms of the probabilities of what was chosen then
 * add up to the log-likelihood.
 * @throws DataError if a covariate is missing or bad, rows of a set do not stand together, or choices are needed and missing.
 */
export function latentClassProbabilities(
  classes: readonly ClassParameters[],
  rows: Omit<ChoiceRows, "chosen"> & Partial<ChoiceRows>,
  attributes: AttributeColumns,
  options: LatentClassPredictionOptions & { readonly given?: "nothing" | "earlier choices" } = {},
): Float64Array {
  const { given = "nothing" } = options;
  if (given === "earlier choices" && rows.chosen === undefined) {
    throw new DataError("rows must have the column chosen, for probabilities given earlier choices");
  }
  const chosen = rows.chosen && given === "earlier choices" ? rows.chosen : firstOfEachSet(rows);
  const { problem, theta } = predictionProblem(classes, { ...rows, chosen }, attributes, options);
  const { setStart, choice, respondentStart, row: rowOf } = problem.design;
  const shares = classPlaces(problem).map(({ utility, end }) =>
    probabilitiesOf(problem.design, theta.subarray(utility, end)),
  );
  const result = new Float64Array(rows.set.length);
  const membership = priorsAt(problem, theta);
  for (let who = 0; who + 1 < respondentStart.length; who++) {
    const odds = membership.subarray(who * classes.length, (who + 1) * classes.length);
    for (let set = respondentStart[who] as number; set < (respondentStart[who + 1] as number); set++) {
      const of = (place: number): number =>
        shares.reduce((sum, own, q) => sum + (odds[q] as number) * (own[place] as number), 0);
      for (let place = setStart[set] as number; place < (setStart[set + 1] as number); place++)
        result[rowOf[place] as number] = of(place);
      if (given === "nothing") continue;
      const pick = choice[set] as number;
      const seen = of(pick);
      for (const [q, own] of shares.entries()) odds[q] = ((odds[q] as number) * (own[pick] as number)) / seen;
    }
  }
  return result;
}

/**
 * The classes as if each were a respondent, for the market simulator: give it the shares of the classes as weights.
 */
export const classPartWorths = (classes: readonly Pick<ClassParameters, "coefficients">[]): PartWorths => {
  const names = Object.keys(classes[0]?.coefficients ?? {});
  return {
    names,
    respondents: classes.map((_, q) => `class ${q + 1}`),
    values: classes.map(({ coefficients }) =>
      Float64Array.from(names, (name) => coefficients[name] as number),
    ),
  };
};

/** The likelihood on data in their own units, and the parameters of the classes. */
function predictionProblem(
  classes: readonly ClassParameters[],
  rows: ChoiceRows,
  attributes: AttributeColumns,
  { covariates = {} }: LatentClassPredictionOptions,
): { problem: LatentClassProblem; theta: Float64Array } {
  const [first = { coefficients: {}, membership: {} }] = classes;
  const names = Object.keys(first.coefficients);
  const design = choiceDesign(rows, selectColumns(attributes, names));
  const respondents = design.respondents.length;
  const kept = Object.keys(first.membership).filter((name) => name !== INTERCEPT);
  const columns = Object.entries(selectColumns(covariates, kept, "covariates")).map(([name, column]) =>
    finiteColumn(name, column, respondents),
  );
  const problem = {
    design: { ...design, weight: design.weight.map(() => 1) },
    classes: classes.length,
    weight: unitWeights(design, design.respondentStart),
    membership: Array.from({ length: respondents }, (_, who) =>
      Float64Array.of(1, ...columns.map((column) => column[who] as number)),
    ),
    ridge: 0,
  };
  const places = classPlaces(problem);
  const theta = new Float64Array(places.at(-1)?.end ?? 0);
  for (const [q, { coefficients, membership }] of classes.entries()) {
    const { odds, utility } = places[q] as (typeof places)[number];
    if (odds >= 0)
      theta.set(
        [INTERCEPT, ...kept].map((name) => membership[name] as number),
        odds,
      );
    theta.set(
      names.map((name) => coefficients[name] as number),
      utility,
    );
  }
  return { problem, theta };
}
