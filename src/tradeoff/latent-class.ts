import { requireOneOf, requireWhole } from "../core/arguments.js";
import { ConvergenceError } from "../core/errors.js";
import type { Matrix } from "../numeric/matrix.js";
import { type AttributeColumns, type ChoiceRows, choiceDesign, unitWeights } from "./choice-data.js";
import { fitSameTastes, scaledWithinSets } from "./conditional-logit.js";
import { expectation, type LatentClassProblem } from "./latent-class-likelihood.js";
import {
  type ChoiceClass,
  classReport,
  entropyR2,
  inOrder,
  membershipColumns,
} from "./latent-class-report.js";
import { classMembers, type LatentClassSearchOptions, searchClasses } from "./latent-class-search.js";

/** How to fit a latent-class logit. */
export interface LatentClassOptions extends LatentClassSearchOptions {
  /** Number of classes. */
  readonly classes: number;
  /** What membership depends on, besides chance: columns with one value for each respondent, in the order they come. */
  readonly covariates?: AttributeColumns;
  /**
   * Ridge penalty from 0 up; 0 unless given. The log-likelihood loses penalty / 2 times the weight of all sets times the mean over
   * the classes of the sum of the squared coefficients of the covariates divided by their standard deviations within sets.
   */
  readonly penalty?: number;
  /** Standard errors: "model" unless given, or "respondent", robust to a wrong model (sandwich over respondents). */
  readonly errors?: "model" | "respondent";
}

/** A fitted latent-class logit. */
export interface LatentClassFit {
  readonly model: "latent class logit";
  /** The classes, the largest first. */
  readonly classes: readonly ChoiceClass[];
  /** Names of all parameters, class after class: log odds of membership (but for the first class), then coefficients. */
  readonly terms: readonly string[];
  /** Covariance of all parameters, in that order; 0 for what is undetermined. */
  readonly covariance: Matrix;
  /** Kind of the standard errors and the covariance. */
  readonly errors: "model" | "respondent";
  /** Log-likelihood, without the penalty. */
  readonly logLikelihood: number;
  /** Log-likelihood if all alternatives of a set were equally likely. */
  readonly nullLogLikelihood: number;
  /** Log-likelihood if all respondents had the same tastes (conditional logit). */
  readonly sameTastesLogLikelihood: number;
  /** 1 - log-likelihood / that of equal shares (McFadden). */
  readonly mcFaddenR2: number;
  /** Root likelihood: geometric mean of the probabilities of what was chosen. */
  readonly rootLikelihood: number;
  /** Akaike's criterion. */
  readonly aic: number;
  /** Schwarz's criterion, with the number of respondents. */
  readonly bic: number;
  /** Bozdogan's consistent form of Akaike's criterion, with the number of respondents. */
  readonly caic: number;
  /** How sure the membership of respondents is: from 0 (all classes equally likely) to 1; 1 if there is one class. */
  readonly entropyR2: number;
  /** Choices, weights counted. */
  readonly observations: number;
  /** Respondents, weights counted. */
  readonly respondents: number;
  /** Ridge penalty. */
  readonly penalty: number;
  /** Searches carried to the end, and how many of them found this likelihood. */
  readonly searches: { readonly finished: number; readonly agreed: number };
  /** Always true: a fit that does not settle is an error. */
  readonly converged: true;
  /** How well the data tell the parameters apart. */
  readonly identification: {
    /** Of the information, scaled to a unit diagonal. */
    readonly conditionNumber: number;
    /** Parameters that the data do not determine. */
    readonly undetermined: readonly string[];
  };
  /** What makes the numbers doubtful. */
  readonly warnings: readonly string[];
}

/**
 * Latent-class logit: respondents belong to classes that are not seen, each with its own tastes (a conditional logit), and
 * choose by the tastes of their class in all choice sets. Membership may depend on covariates of the respondent (multinomial
 * logit). Maximum likelihood by EM from many places, then Newton's method on the likelihood itself, whose curvature gives the
 * errors. The likelihood has several maxima: the best found is given, and `searches` tells how often it was.
 * @throws DataError if the choices or covariates are bad, or weights differ between the choices of a respondent; RangeError if
 * an option is out of range; ConvergenceError if a class is left without respondents in every search, or the best does not settle.
 * @see Kamakura & Russell (1989), A Probabilistic Choice Model for Market Segmentation and Elasticity Structure, J. Marketing
 * Research 26(4); Bhat (1997), An Endogenous Segmentation Mode Choice Model, Transportation Science 31(1); Train (2008), EM
 * Algorithms for Nonparametric Estimation of Mixing Distributions, Journal of Choice Modelling 1(1).
 */
export async function fitLatentClassLogit(
  rows: ChoiceRows,
  attributes: AttributeColumns,
  options: LatentClassOptions,
): Promise<LatentClassFit> {
  const { classes, covariates = {}, penalty = 0, errors = "model" } = options;
  requireOneOf("errors", errors, ["model", "respondent"]);
  const pooled = fitSameTastes({ model: "latent class logit", penalisable: true }, rows, attributes, {
    penalty,
  });
  const design = choiceDesign(rows, attributes);
  const { names } = design;
  requireWhole("classes", classes, 1, design.respondents.length);
  const { scaled, scale } = scaledWithinSets(design);
  const membership = membershipColumns(covariates, design.respondents.length);
  const problem: LatentClassProblem = {
    design: { ...scaled, weight: scaled.weight.map(() => 1) },
    classes,
    weight: unitWeights(design, design.respondentStart),
    membership: membership.rows,
    ridge: (penalty * pooled.observations) / classes,
  };
  const search = {
    problem,
    pooled: Float64Array.from(
      names,
      (name, j) => (pooled.coefficients[name] as number) * (scale[j] as number),
    ),
    inverse: pooled.covariance.map((row, i) =>
      row.map((value, j) => value * (scale[i] as number) * (scale[j] as number)),
    ),
  };
  const { best, finished, agreed } = await searchClasses(search, options);
  if (best.occupied < classes) {
    throw new ConvergenceError(
      `latent class logit: only ${best.occupied} of ${classes} classes have respondents (half a one or more) in the best of ${finished} searches: fit fewer classes`,
    );
  }
  if (!best.converged) {
    throw new ConvergenceError(
      `latent class logit did not settle with ${classes} classes at the log-likelihood ${best.value.toPrecision(8)}: fit fewer classes, or set a penalty such as 0.01`,
    );
  }
  const state = expectation(problem, inOrder(problem, best.theta));
  const { theta, logLikelihood, posterior } = state;
  const report = classReport(search, state, scale, membership, errors);
  const count = theta.length;
  const people = problem.weight.reduce((sum, w) => sum + w, 0);
  const searches = Object.freeze({ finished, agreed });
  return Object.freeze({
    model: "latent class logit",
    ...report,
    errors,
    logLikelihood,
    nullLogLikelihood: pooled.nullLogLikelihood,
    sameTastesLogLikelihood: pooled.logLikelihood,
    mcFaddenR2: 1 - logLikelihood / pooled.nullLogLikelihood,
    rootLikelihood: Math.exp(logLikelihood / pooled.observations),
    aic: 2 * count - 2 * logLikelihood,
    bic: count * Math.log(people) - 2 * logLikelihood,
    caic: count * (Math.log(people) + 1) - 2 * logLikelihood,
    entropyR2: entropyR2(problem, posterior),
    observations: pooled.observations,
    respondents: people,
    penalty,
    searches,
    converged: true,
    warnings: warningsOf(problem, theta, report.identification.undetermined, searches),
  });
}

function warningsOf(
  problem: LatentClassProblem,
  theta: Float64Array,
  undetermined: readonly string[],
  { finished, agreed }: LatentClassFit["searches"],
): string[] {
  const { design, classes } = problem;
  const p = design.names.length;
  const warnings: string[] = [];
  if (undetermined.length > 0) {
    warnings.push(
      `the data do not determine ${undetermined.join(", ")}: the likelihood rises for ever with them, or does not depend on them; they have no standard errors: fit fewer classes, or set a penalty such as 0.01`,
    );
  }
  for (const [q, size] of classMembers(problem, theta).entries())
    if (size < p)
      warnings.push(
        `class ${q + 1} has ${size.toFixed(1)} respondents for ${p} coefficients: fit fewer classes`,
      );
  if (finished > 1 && agreed === 1) {
    warnings.push(
      `only one of ${finished} searches found this likelihood: there may be a better one, try more starts`,
    );
  }
  if (classes > 1 && design.choice.length === design.respondents.length)
    warnings.push("every respondent chose once only: classes are told apart by the form of the model alone");
  return warnings.map((text) => `latent class logit: ${text}`);
}

/** What one number of classes gives. */
export interface ClassCount {
  readonly classes: number;
  /** The fit; none if there was none. */
  readonly fit?: LatentClassFit;
  /** Why there is no fit. */
  readonly failure?: string;
}

/** Fits with different numbers of classes. */
export interface ClassChoice {
  /** One for each number of classes. */
  readonly counts: readonly ClassCount[];
  /** Number of classes that each criterion finds best; the smallest value is. */
  readonly best: { readonly aic: number; readonly bic: number; readonly caic: number };
}

/**
 * Latent-class logits with 1, 2 and more classes, to choose their number by information criteria. BIC and CAIC count
 * respondents; AIC tends to too many classes. A number of classes that cannot be fitted is reported, and not chosen.
 * @throws RangeError if `upTo` is not a whole number from 1 up to the number of respondents; DataError as the fit does.
 * @see Andrews & Currim (2003), A Comparison of Segment Retention Criteria for Finite Mixture Logit Models, J. Marketing
 * Research 40(2).
 */
export async function chooseClasses(
  rows: ChoiceRows,
  attributes: AttributeColumns,
  {
    upTo,
    ...options
  }: Omit<LatentClassOptions, "classes"> & {
    /** Largest number of classes. */
    readonly upTo: number;
  },
): Promise<ClassChoice> {
  requireWhole("upTo", upTo, 1);
  const counts: ClassCount[] = [];
  for (let classes = 1; classes <= upTo; classes++) {
    try {
      counts.push({ classes, fit: await fitLatentClassLogit(rows, attributes, { ...options, classes }) });
    } catch (error) {
      if (!(error instanceof ConvergenceError)) throw error;
      counts.push({ classes, failure: error.message });
    }
  }
  const bestBy = (criterion: "aic" | "bic" | "caic"): number => {
    const value = ({ fit }: ClassCount): number => fit?.[criterion] ?? Number.POSITIVE_INFINITY;
    return counts.reduce((best, count) => (value(count) < value(best) ? count : best)).classes;
  };
  return Object.freeze({
    counts,
    best: Object.freeze({ aic: bestBy("aic"), bic: bestBy("bic"), caic: bestBy("caic") }),
  });
}
