import type { CovariateColumns } from "../core/covariates.js";
import { DataError } from "../core/errors.js";
import { congruence, invertSymmetric, type Matrix } from "../numeric/matrix.js";
import type { Objective } from "../numeric/minimise.js";
import { twoSidedP } from "../numeric/tail-probability.js";
import type { BuyingModel, ParameterValues } from "./buying-model.js";
import { cellCustomers, type PurchaseHistories, purchaseCells } from "./cells.js";
import { deepFreeze, fitByLikelihood, type ModelFit, named } from "./fit.js";

/** What is known of customers besides their purchases and does not change over time, by the process it may act on. */
export interface Covariates {
  /** May change how often a customer buys. */
  readonly purchase?: CovariateColumns;
  /** May change how soon a customer drops out. */
  readonly dropout?: CovariateColumns;
}

/** The covariates of one customer, named as in the fit. */
export interface CovariateValues {
  readonly purchase?: Readonly<Record<string, number>>;
  readonly dropout?: Readonly<Record<string, number>>;
}

/** The effect of a covariate on the log of a parameter. */
export interface Coefficient {
  readonly process: "purchase" | "dropout";
  /** Name of the covariate. */
  readonly covariate: string;
  /** The parameter that it scales: "alpha", "beta", "a" or "b". */
  readonly parameter: string;
  /** Per unit of the covariate as given. */
  readonly estimate: number;
  readonly standardError: number;
  /** Estimate over standard error; 0 where the data do not determine the coefficient. */
  readonly z: number;
  /** Probability of a z of this size or more if there is no effect (Wald, two-sided), to an absolute error of 1e-15. */
  readonly pValue: number;
}

/**
 * A buying model fitted with covariates. `parameters` are those of a customer whose covariates are all 0; those of any
 * other customer are given by `parametersFor`. `covariance` is in the order of `parameters`, then `coefficients`.
 */
export interface CovariateFit<P extends string = string> extends ModelFit<P> {
  /** By name: "purchase.gender", "dropout.gender"; of the BG/NBD and relatives "dropout.a.gender", "dropout.b.gender". */
  readonly coefficients: Readonly<Record<string, Coefficient>>;
}

/** Which parameters the covariates of a process scale, and the sign of the exponent. */
const SCALED: Readonly<Record<Coefficient["process"], Readonly<Record<string, 1 | -1>>>> = {
  purchase: { alpha: -1 },
  dropout: { beta: -1, a: 1, b: 1 },
};
const PROCESSES = ["purchase", "dropout"] as const;

const COLLINEAR = 1e-10; // share of a column's variance left by the others, below which nothing tells them apart
const START_RANGE = 1e6; // of the parameters without covariates, which may have run to a limit

/**
 * Fits a buying model whose customers differ by what is known of them (time-invariant covariates), by maximum likelihood.
 * Covariates z scale the buying rates, covariates w the dropout of a customer i:
 *
 *   all models             alpha_i = alpha exp(-gamma' z_i)   a coefficient above 0: buys more often
 *   Pareto/NBD             beta_i = beta exp(-delta' w_i)     a coefficient above 0: drops out sooner
 *   BG/NBD and relatives   a_i = a exp(delta_a' w_i), b_i = b exp(delta_b' w_i)   sooner where delta_a is above delta_b
 *
 * The BG/NBD has two coefficients for each dropout covariate, as in the source. With one for both (as in CLVTools) the
 * mean dropout probability a / (a + b) could not depend on a covariate.
 *
 * Customers with equal covariates and histories count as one cell. The search, `identification` and `warnings` see the
 * covariates centred and in standard deviations, so that their units do not matter; parameters and coefficients are
 * those of the covariates as given.
 * @throws DataError if a history or a covariate is not possible, or a column is constant or follows from others of its
 * process: it is named.
 * @throws RangeError if there is no column, or dropout covariates for a model without dropout.
 * @throws ConvergenceError if the likelihood has no optimum the solver can reach, with or without covariates.
 * @see Fader & Hardie (2007), Incorporating Time-Invariant Covariates into the Pareto/NBD and BG/NBD Models, note 019.
 */
export function fitWithCovariates<P extends string>(
  model: BuyingModel<P>,
  histories: PurchaseHistories,
  covariates: Covariates,
): CovariateFit<P> {
  const cells = purchaseCells(histories);
  const effects = effectsOf(model, histories, covariates);
  const pooled = model.fit(cells);
  const start = model.parameterNames.map((name) =>
    Math.min(Math.max(pooled.parameters[name], 1 / START_RANGE), START_RANGE),
  );
  const fit = fitByLikelihood({
    model: model.name,
    positive: model.parameterNames,
    free: effects.map(({ name }) => name),
    starts: [[...start, ...effects.map(() => 0)]],
    logLikelihood: covariateObjective(model, histories, effects),
    observations: cellCustomers(cells),
    simplerModel: `${model.name} without covariates`,
  });
  return asGiven(model, effects, fit);
}

/**
 * The parameters of a customer with these covariates: with them every prediction of the model works unchanged.
 * @throws RangeError if a covariate of the fit is missing, is not a finite number or is not one of the fit.
 */
export function parametersFor<P extends string>(
  fit: CovariateFit<P>,
  values: CovariateValues,
): ParameterValues<P> {
  const coefficients = Object.values(fit.coefficients);
  for (const process of PROCESSES) {
    for (const name of Object.keys(values[process] ?? {})) {
      if (!coefficients.some((one) => one.process === process && one.covariate === name)) {
        throw new RangeError(
          `covariate ${process}.${name} must be one of the fit, which has none of that name`,
        );
      }
    }
  }
  const parameters: Record<string, number> = { ...fit.parameters };
  for (const { process, covariate, parameter, estimate } of coefficients) {
    const value = values[process]?.[covariate];
    if (value === undefined || !Number.isFinite(value)) {
      throw new RangeError(`covariate ${process}.${covariate} must be a finite number, got ${value}`);
    }
    const exponent = (SCALED[process][parameter] as number) * estimate * value;
    parameters[parameter] = (parameters[parameter] as number) * Math.exp(exponent);
  }
  return parameters as Record<P, number>;
}

/** A coefficient to estimate, and the column it belongs to. */
interface Effect {
  readonly name: string;
  readonly process: Coefficient["process"];
  readonly covariate: string;
  /** Place among the model's parameters. */
  readonly place: number;
  readonly sign: number;
  readonly column: StandardColumn;
}

interface StandardColumn {
  readonly mean: number;
  readonly deviation: number;
  /** Centred and in standard deviations. */
  readonly values: Float64Array;
}

function effectsOf(
  { name: model, parameterNames }: BuyingModel,
  histories: PurchaseHistories,
  covariates: Covariates,
): Effect[] {
  const effects = PROCESSES.flatMap((process) => {
    const columns = Object.entries(covariates[process] ?? {}).map(
      ([covariate, values]) =>
        [covariate, standardised(`${process}.${covariate}`, values, histories)] as const,
    );
    const scaled = Object.entries(SCALED[process]).filter(([name]) => parameterNames.includes(name));
    if (columns.length > 0 && scaled.length === 0) {
      throw new RangeError(`${process} covariates need a model with ${process}, which the ${model} is not`);
    }
    requireIndependent(process, columns, histories.weight);
    return scaled.flatMap(([parameter, sign]) =>
      columns.map(([covariate, column]) => ({
        name: [process, ...(scaled.length > 1 ? [parameter] : []), covariate].join("."),
        process,
        covariate,
        place: parameterNames.indexOf(parameter),
        sign,
        column,
      })),
    );
  });
  if (effects.length === 0) throw new RangeError("covariates must have at least one column, got none");
  return effects;
}

function standardised(
  name: string,
  column: ArrayLike<number>,
  { x, weight }: PurchaseHistories,
): StandardColumn {
  if (column.length !== x.length) {
    throw new DataError(`covariate ${name} must have as many rows as x, ${x.length}, got ${column.length}`);
  }
  const values = Float64Array.from(column);
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong !== -1) {
    throw new DataError(`covariate ${name} row ${wrong} must be a finite number, got ${column[wrong]}`);
  }
  const mean = weightedMean(values, weight);
  const deviation = Math.sqrt(
    weightedMean(
      values.map((value) => (value - mean) ** 2),
      weight,
    ),
  );
  if (!(deviation > 1e-12 * Math.abs(mean))) {
    throw new DataError(`covariate ${name} must differ between customers, but is ${values[0]} for all`);
  }
  return { mean, deviation, values: values.map((value) => (value - mean) / deviation) };
}

function weightedMean(values: Float64Array, weight: ArrayLike<number> | undefined): number {
  let sum = 0;
  let total = 0;
  for (const [row, value] of values.entries()) {
    const w = weight?.[row] ?? 1;
    sum += w * value;
    total += w;
  }
  return sum / total;
}

/** @throws DataError if a column is a linear combination of those before it. */
function requireIndependent(
  process: string,
  columns: readonly (readonly [string, StandardColumn])[],
  weight: ArrayLike<number> | undefined,
): void {
  const correlation = columns.map(([, { values: left }]) =>
    columns.map(([, { values: right }]) =>
      weightedMean(
        left.map((value, row) => value * (right[row] as number)),
        weight,
      ),
    ),
  );
  for (let size = 1; size < columns.length; size++) {
    const own = correlation[size] as number[];
    const inverse = invertSymmetric(correlation.slice(0, size).map((row) => row.slice(0, size))) as Matrix;
    const shares = inverse.map((row) => row.reduce((sum, value, j) => sum + value * (own[j] as number), 0));
    const explained = shares.reduce((sum, share, i) => sum + share * (own[i] as number), 0);
    if (1 - explained > COLLINEAR) continue;
    const others = shares.flatMap((share, i) => (Math.abs(share) > 1e-6 ? [columns[i]?.[0]] : []));
    throw new DataError(
      `covariate ${process}.${columns[size]?.[0]} must not follow from others, but does from ${others.join(", ")}`,
    );
  }
}

/** The log-likelihood, and its gradient by the parameters at the covariates' means and by the coefficients per deviation. */
function covariateObjective(
  model: BuyingModel,
  histories: PurchaseHistories,
  effects: readonly Effect[],
): Objective {
  const groups = groupsOf(model, histories, effects);
  const size = model.parameterNames.length;
  const own = new Float64Array(size);
  const ownGradient = new Float64Array(size);
  const factors = new Float64Array(size);
  return (parameters, gradient) => {
    let value = 0;
    gradient.fill(0);
    for (const { logLikelihood, values } of groups) {
      factors.fill(0);
      for (let e = 0; e < effects.length; e++) {
        const { place, sign } = effects[e] as Effect;
        factors[place] =
          (factors[place] as number) + sign * (values[e] as number) * (parameters[size + e] as number);
      }
      for (let p = 0; p < size; p++) {
        factors[p] = Math.exp(factors[p] as number);
        own[p] = (parameters[p] as number) * (factors[p] as number);
      }
      value += logLikelihood(own, ownGradient);
      for (let p = 0; p < size; p++) {
        gradient[p] = (gradient[p] as number) + (factors[p] as number) * (ownGradient[p] as number);
      }
      for (let e = 0; e < effects.length; e++) {
        const { place, sign } = effects[e] as Effect;
        const slope = (own[place] as number) * (ownGradient[place] as number); // by the log of the customers' parameter
        gradient[size + e] = (gradient[size + e] as number) + sign * (values[e] as number) * slope;
      }
    }
    return value;
  };
}

/** Customers with equal covariates: their log-likelihood as a function of their own parameters. */
interface Group {
  readonly logLikelihood: Objective;
  /** Standardised covariate of each effect. */
  readonly values: Float64Array;
}

function groupsOf(model: BuyingModel, histories: PurchaseHistories, effects: readonly Effect[]): Group[] {
  const { x, recency, age, weight } = histories;
  const members = new Map<string, number[]>();
  for (let row = 0; row < x.length; row++) {
    const pattern = effects.map(({ column }) => column.values[row]).join();
    const rows = members.get(pattern);
    if (rows) rows.push(row);
    else members.set(pattern, [row]);
  }
  return Array.from(members.values(), (rows) => {
    const of = (column: ArrayLike<number>): Float64Array =>
      Float64Array.from(rows, (row) => column[row] as number);
    const cells = purchaseCells({
      x: of(x),
      recency: of(recency),
      age: of(age),
      ...(weight && { weight: of(weight) }),
    });
    const first = rows[0] as number;
    return {
      logLikelihood: model.objective(cells),
      values: Float64Array.from(effects, ({ column }) => column.values[first] as number),
    };
  });
}

/** The fit in terms of the covariates as given: parameters at covariates of 0, coefficients per unit. */
function asGiven<P extends string>(
  model: BuyingModel<P>,
  effects: readonly Effect[],
  fit: ModelFit<string>,
): CovariateFit<P> {
  const size = model.parameterNames.length;
  const slopes = effects.map(({ name, column }) => (fit.parameters[name] as number) / column.deviation);
  const parameters = model.parameterNames.map((name, place) => {
    let log = Math.log(fit.parameters[name] as number);
    for (const [e, effect] of effects.entries()) {
      if (effect.place === place) log -= effect.sign * (slopes[e] as number) * effect.column.mean;
    }
    const value = Math.exp(log);
    if (value > 0 && Number.isFinite(value)) return value;
    const far = effects.filter((effect) => effect.place === place).map((effect) => effect.name);
    throw new DataError(
      `covariates must not be so far from 0 that ${name} at 0 is no number: subtract the means of ${far.join(", ")}`,
    );
  });
  const change = fit.covariance.map((row, i) =>
    row.map((_, j) => {
      if (i >= size) return i === j ? 1 / (effects[i - size] as Effect).column.deviation : 0;
      const value = parameters[i] as number;
      if (j < size) return i === j ? value / (fit.parameters[model.parameterNames[i] as P] as number) : 0;
      const { place, sign, column } = effects[j - size] as Effect;
      return place === i ? (-sign * value * column.mean) / column.deviation : 0;
    }),
  ); // derivatives of what is reported by what was searched
  const covariance = congruence(change, fit.covariance);
  const errors = covariance.map((row, i) => Math.sqrt(Math.max(row[i] as number, 0)));
  const coefficients = effects.map((effect, e): [string, Coefficient] => {
    const estimate = slopes[e] as number;
    const standardError = errors[size + e] as number;
    const z = fit.identification.undetermined.includes(effect.name) ? 0 : estimate / standardError;
    const { process, covariate, place } = effect;
    const parameter = model.parameterNames[place] as P;
    const pValue = twoSidedP(z);
    return [effect.name, { process, covariate, parameter, estimate, standardError, z, pValue }];
  });
  return deepFreeze({
    ...fit,
    parameters: named(model.parameterNames, parameters),
    standardErrors: named(model.parameterNames, errors),
    covariance,
    coefficients: Object.fromEntries(coefficients),
  });
}
