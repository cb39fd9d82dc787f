import { requireOneOf } from "../core/arguments.js";
import type { CovariateColumns } from "../core/covariates.js";
import { DataError } from "../core/errors.js";
import { invertSymmetric, quadraticForm } from "../numeric/matrix.js";
import { chiSquareTail } from "../numeric/tail-probability.js";
import type { CoxFit } from "./cox.js";
import type { ChiSquareTest } from "./partial-likelihood-fit.js";
import {
  logRisks,
  positionResiduals,
  type RiskDesign,
  riskDesign,
  riskSetMoments,
  unpacked,
  visitRiskSets,
} from "./risk-sets.js";
import {
  countAtMost,
  riskTable,
  type SurvivalColumns,
  type SurvivalData,
  survivalColumns,
} from "./survival-data.js";

/** On which scale of time effects might drift: one less the survival, time itself, the rank of the event, log time. */
export type TimeTransform = "km" | "identity" | "rank" | "log";

/** Tests whether the effects of covariates change with time. */
export interface ProportionalHazardsTest {
  /** Scale of time. */
  readonly transform: TimeTransform;
  /** One test for each covariate: a small p says that its effect drifts. */
  readonly covariates: Readonly<Record<string, ChiSquareTest>>;
  /** All covariates at once. */
  readonly global: ChiSquareTest;
}

/**
 * Test of proportional hazards: the score test of an interaction of each covariate with a function of time, at the
 * fitted model (scaled Schoenfeld residuals drift with time if it fails). Give the data of the fit.
 * @throws DataError if the data are bad or have not the rows of the fit; RangeError if the transform is none of these, or is
 * "log" and an event is at time 0.
 * @see Grambsch & Therneau (1994), Biometrika 81(3); the exact score test of R's survival package from version 3.
 */
export function proportionalHazardsTest(
  fit: CoxFit,
  data: SurvivalData,
  covariates: CovariateColumns,
  { transform = "km" }: { readonly transform?: TimeTransform } = {},
): ProportionalHazardsTest {
  requireOneOf("transform", transform, ["km", "identity", "rank", "log"]);
  const { columns, design, beta } = refit(fit, data, covariates);
  const p = design.names.length;
  const scaleOf = timeScale(columns, transform);
  const packed = (p * (p + 1)) / 2;
  const information = new Float64Array(packed);
  const mixed = new Float64Array(packed);
  const drifting = new Float64Array(packed);
  const score = new Float64Array(p);
  visitRiskSets(design, logRisks(design, beta), (set) => {
    const g = scaleOf(design.time[design.groupStart[set.group] as number] as number);
    const { difference, covariance } = riskSetMoments(set, fit.ties);
    for (let j = 0; j < p; j++) score[j] = (score[j] as number) + g * (difference[j] as number);
    for (let k = 0; k < packed; k++) {
      const value = covariance[k] as number;
      information[k] = (information[k] as number) + value;
      mixed[k] = (mixed[k] as number) + g * value;
      drifting[k] = (drifting[k] as number) + g * g * value;
    }
  });
  const [a, b, c] = [information, mixed, drifting].map((column) => unpacked(column, p)) as [Rows, Rows, Rows];
  const inverse = invertSymmetric(a) ?? [];
  const remaining = c.map((row, i) =>
    row.map((value, j) => value - bilinear(b[i] ?? [], inverse, b[j] ?? [])),
  );
  const single = design.names.map((_, j) => (score[j] as number) ** 2 / (remaining[j]?.[j] as number));
  const all = invertSymmetric(remaining);
  return Object.freeze({
    transform,
    covariates: Object.freeze(
      Object.fromEntries(design.names.map((name, j) => [name, testOf(single[j] as number, 1)])),
    ),
    global: testOf(all ? quadraticForm(all, score) : Number.POSITIVE_INFINITY, p),
  });
}

type Rows = number[][];

const testOf = (chiSquare: number, degreesOfFreedom: number): ChiSquareTest =>
  Object.freeze({ chiSquare, degreesOfFreedom, p: chiSquareTail(chiSquare, degreesOfFreedom) });

const bilinear = (x: readonly number[], matrix: Rows, y: readonly number[]): number =>
  x.reduce(
    (sum, value, i) =>
      sum + value * y.reduce((part, other, j) => part + (matrix[i]?.[j] as number) * other, 0),
    0,
  );

/** The function of time, centred over the events so that sums of squares keep their digits. */
function timeScale(columns: SurvivalColumns, transform: TimeTransform): (time: number) => number {
  const { times, atRisk, events } = riskTable({ ...columns, weight: new Float64Array(columns.size).fill(1) });
  const values = new Float64Array(times.length);
  let survival = 1;
  let earlier = 0;
  for (const [k, time] of times.entries()) {
    const leaving = events[k] as number;
    if (transform === "log" && leaving > 0 && time === 0) {
      throw new RangeError('transform must not be "log" with an event at time 0');
    }
    if (transform === "km") values[k] = 1 - survival;
    else if (transform === "rank") values[k] = earlier + (leaving + 1) / 2;
    else if (transform === "identity") values[k] = time;
    else values[k] = leaving > 0 ? Math.log(time) : 0;
    if (leaving > 0) survival *= 1 - leaving / (atRisk[k] as number);
    earlier += leaving;
  }
  const mean = values.reduce((sum, value, k) => sum + value * (events[k] as number), 0) / earlier;
  return (time) => (values[countAtMost(times, time) - 1] as number) - mean;
}

/** Residuals of a Cox model; one element for each row of the data. */
export interface CoxResiduals {
  /** Events less expected events: positive if the customer left sooner than the model says. */
  readonly martingale: Float64Array;
  /** Martingale residuals made more symmetric. */
  readonly deviance: Float64Array;
  /** About how much each coefficient would change without the row, times the row's weight. */
  readonly dfbeta: Readonly<Record<string, Float64Array>>;
}

/**
 * Residuals of each row. Give the data of the fit.
 * @throws DataError if the data are bad or have not the rows of the fit.
 * @see Therneau & Grambsch (2000), Modeling Survival Data, chapter 4.
 */
export function coxResiduals(fit: CoxFit, data: SurvivalData, covariates: CovariateColumns): CoxResiduals {
  const { design, beta } = refit(fit, data, covariates);
  const { names, scale, row, size, event, weight } = design;
  const p = names.length;
  const { martingale, score } = positionResiduals(design, logRisks(design, beta), fit.ties);
  const byRow = (valueAt: (position: number) => number): Float64Array => {
    const values = new Float64Array(size);
    for (let q = 0; q < size; q++) values[row[q] as number] = valueAt(q);
    return values;
  };
  const dfbeta = fit.modelCovariance.map((covariances) =>
    byRow((q) => {
      let sum = 0;
      for (let j = 0; j < p; j++)
        sum += (covariances[j] as number) * (scale[j] as number) * (score[q * p + j] as number);
      return sum * (weight[q] as number);
    }),
  );
  return Object.freeze({
    martingale: byRow((q) => martingale[q] as number),
    deviance: byRow((q) => devianceOf(martingale[q] as number, event[q] as number)),
    dfbeta: Object.freeze(Object.fromEntries(names.map((name, j) => [name, dfbeta[j] as Float64Array]))),
  });
}

function devianceOf(martingale: number, event: number): number {
  const expected = event - martingale;
  const drop = event === 0 ? -martingale : -martingale - Math.log(expected);
  return Math.sign(martingale) * Math.sqrt(2 * Math.max(drop, 0));
}

/** Schoenfeld residuals; one element for each event, by stratum and time. */
export interface SchoenfeldResiduals {
  /** Row of the data, from 0. */
  readonly row: Uint32Array;
  /** Time of the event. */
  readonly time: Float64Array;
  /** Covariate of who left less its mean over those at risk. */
  readonly residuals: Readonly<Record<string, Float64Array>>;
  /** Residuals times covariance times events, plus the coefficient: a local estimate of the coefficient at that time. */
  readonly scaled: Readonly<Record<string, Float64Array>>;
}

/**
 * Schoenfeld residuals: plotted against time, the scaled ones show how the effect of a covariate drifts. Give the data of
 * the fit.
 * @throws DataError if the data are bad or have not the rows of the fit.
 * @see Schoenfeld (1982), Biometrika 69(1); Grambsch & Therneau (1994), Biometrika 81(3).
 */
export function schoenfeldResiduals(
  fit: CoxFit,
  data: SurvivalData,
  covariates: CovariateColumns,
): SchoenfeldResiduals {
  const { design, beta } = refit(fit, data, covariates);
  const { names, scale, x, event, groupStart } = design;
  const p = names.length;
  const means = new Map<number, Float64Array>();
  visitRiskSets(design, logRisks(design, beta), (set) => {
    const { difference } = riskSetMoments(set, fit.ties);
    means.set(
      set.group,
      difference.map((value, j) => ((set.leavingX[j] as number) - value) / set.leavingWeight),
    );
  });
  const positions: number[] = [];
  for (let q = 0; q < design.size; q++) if (event[q] === 1) positions.push(q);
  const residuals = names.map((_, j) =>
    Float64Array.from(positions, (q) => {
      const mean = means.get(design.group[q] as number) as Float64Array;
      return (scale[j] as number) * ((x[q * p + j] as number) - (mean[j] as number));
    }),
  );
  const scaled = fit.modelCovariance.map((covariances, i) =>
    Float64Array.from(positions, (_, k) => {
      const step = covariances.reduce((sum, value, j) => sum + value * (residuals[j]?.[k] as number), 0);
      return step * positions.length + (fit.coefficients[names[i] as string] as number);
    }),
  );
  const named = (columns: readonly Float64Array[]): Readonly<Record<string, Float64Array>> =>
    Object.freeze(Object.fromEntries(names.map((name, j) => [name, columns[j] as Float64Array])));
  return Object.freeze({
    row: Uint32Array.from(positions, (q) => design.row[q] as number),
    time: Float64Array.from(
      positions,
      (q) => design.time[groupStart[design.group[q] as number] as number] as number,
    ),
    residuals: named(residuals),
    scaled: named(scaled),
  });
}

interface Refit {
  readonly columns: SurvivalColumns;
  readonly design: RiskDesign;
  readonly beta: Float64Array;
}

/** The sorted rows of a fit and its coefficients on their scale. */
function refit(fit: CoxFit, data: SurvivalData, covariates: CovariateColumns): Refit {
  const names = Object.keys(fit.coefficients);
  const columns = survivalColumns(data);
  if (columns.size !== fit.observations) {
    throw new DataError(
      `data must be those of the fit with ${fit.observations} rows, got ${columns.size} rows`,
    );
  }
  const chosen = Object.fromEntries(names.map((name) => [name, covariates[name] ?? []]));
  const design = riskDesign(columns, chosen);
  const beta = Float64Array.from(
    names,
    (name, j) => (fit.coefficients[name] as number) * (design.scale[j] as number),
  );
  return { columns, design, beta };
}
