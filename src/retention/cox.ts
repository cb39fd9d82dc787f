import { requireFromZero } from "../core/arguments.js";
import { labelCodes } from "../core/columns.js";
import { type CovariateColumns, linearPredictor } from "../core/covariates.js";
import { type Concordance, concordanceOf } from "./concordance.js";
import { fitPartialLikelihood, type HazardCoefficients } from "./partial-likelihood-fit.js";
import { hazards, logRisks, type RiskDesign, riskDesign, stratumGroups, type Ties } from "./risk-sets.js";
import { countAtMost, requireEvents, type SurvivalData, survivalColumns } from "./survival-data.js";

export type { ChiSquareTest, HazardCoefficients } from "./partial-likelihood-fit.js";
export type { Concordance, Ties };

/** How to fit a Cox model. */
export interface CoxOptions {
  /** How tied events share a risk set: "efron" unless given. */
  readonly ties?: Ties;
  /** True for standard errors that hold if the model is not quite right (sandwich). */
  readonly robust?: boolean;
  /** Which rows belong together, for instance the intervals of one customer; robust standard errors follow. */
  readonly cluster?: ArrayLike<string | number>;
  /**
   * Ridge penalty from 0 up; 0 unless given. The log partial likelihood loses penalty / 2 times the weight of all rows times
   * the sum of the squared coefficients of the covariates divided by their standard deviations (the convention of lifelines).
   */
  readonly penalty?: number;
  /** How ties enter the baseline hazard: as in `ties` unless given. */
  readonly baselineTies?: Ties;
}

/** Cumulative hazard of a customer with average covariates; one element for each time with events. */
export interface BaselineHazard {
  /** Name of the stratum; "all" without strata. */
  readonly stratum: string;
  /** Distinct times of events, ascending. */
  readonly times: Float64Array;
  /** Cumulative hazard up to and with each time. */
  readonly cumulativeHazard: Float64Array;
  /** Last time at which anybody of the stratum was observed. */
  readonly lastTime: number;
}

/** A fitted model of proportional hazards: what predictions need. */
export interface ProportionalHazards {
  /** Change of the log hazard for one unit of each covariate. */
  readonly coefficients: Readonly<Record<string, number>>;
  /** Mean of each covariate over the rows: the baseline belongs to a customer with these values. */
  readonly centre: Readonly<Record<string, number>>;
  /** Baseline of every stratum. */
  readonly baseline: readonly BaselineHazard[];
}

/** A fitted Cox model. */
export interface CoxFit extends HazardCoefficients, ProportionalHazards {
  readonly model: "Cox";
  /** How ties were treated. */
  readonly ties: Ties;
  /** Ridge penalty. */
  readonly penalty: number;
  /** Rows. */
  readonly observations: number;
  /** Rows with an event. */
  readonly events: number;
  /** Coefficients times covariates for each row, not centred. */
  readonly linearPredictors: Float64Array;
  /** How well the linear predictor orders customers; undefined if no two rows can be compared. */
  readonly concordance: Concordance | undefined;
}

/**
 * Cox's proportional hazards model: a covariate multiplies the hazard of leaving by a factor that does not change with
 * time. Rows may be intervals (entry, time] of one customer with covariates that change; every stratum of the data has its
 * own baseline. Newton's method on centred and scaled covariates, one pass over the sorted rows each step.
 * @throws DataError if the data or covariates are bad, nobody left, or covariates are constant or linear combinations of
 * others; ConvergenceError naming covariates whose coefficient would be infinite; RangeError if the penalty is negative.
 * @see Cox (1972), JRSS B 34(2); Efron (1977), JASA 72; Therneau & Grambsch (2000), Modeling Survival Data.
 */
export function fitCox(data: SurvivalData, covariates: CovariateColumns, options: CoxOptions = {}): CoxFit {
  const {
    ties = "efron",
    penalty = 0,
    cluster,
    robust = cluster !== undefined,
    baselineTies = ties,
  } = options;
  requireFromZero({ penalty });
  const columns = survivalColumns(data);
  requireEvents(columns.event);
  const clusters = cluster && labelCodes("cluster", cluster, columns.size).codes;
  const design = riskDesign(columns, covariates);
  const { beta, result } = fitPartialLikelihood(design, {
    model: "Cox",
    ties,
    penalty,
    robust: robust ? (clusters ?? true) : false,
  });
  const logRisk = logRisks(design, beta);
  const offset = design.names.reduce(
    (sum, name, j) => sum + (result.coefficients[name] as number) * (design.centre[j] as number),
    0,
  );
  const linearPredictors = new Float64Array(design.size);
  for (let q = 0; q < design.size; q++)
    linearPredictors[design.row[q] as number] = (logRisk[q] as number) + offset;
  return Object.freeze({
    model: "Cox",
    ...result,
    ties,
    penalty,
    observations: design.size,
    events: design.event.reduce((sum, value) => sum + value, 0),
    centre: byName(design.names, design.centre),
    baseline: baselineHazards(design, logRisk, baselineTies),
    linearPredictors,
    concordance: concordanceOf(design, logRisk, clusters),
  });
}

/** Numbers by name, frozen. */
export const byName = (
  names: readonly string[],
  values: readonly number[],
): Readonly<Record<string, number>> =>
  Object.freeze(Object.fromEntries(names.map((name, j) => [name, values[j] as number])));

/** Cumulative hazards of every stratum at its event times, for average covariates. */
export function baselineHazards(
  design: RiskDesign,
  logRisk: Float64Array,
  ties: Ties,
): readonly BaselineHazard[] {
  const { cumulative } = hazards(design, logRisk, ties);
  return stratumGroups(design).map(([start, end], s) => {
    const times: number[] = [];
    const cumulativeHazard: number[] = [];
    for (let g = start; g < end; g++) {
      const hazard = cumulative[g] as number;
      if (hazard === (cumulativeHazard.at(-1) ?? 0)) continue; // nobody left
      times.push(design.time[design.groupStart[g] as number] as number);
      cumulativeHazard.push(hazard);
    }
    return Object.freeze({
      stratum: design.strata[s] as string,
      times: Float64Array.from(times),
      cumulativeHazard: Float64Array.from(cumulativeHazard),
      lastTime: design.time[(design.stratumStart[s + 1] as number) - 1] as number,
    });
  });
}

/** Whose stratum predictions are for. */
export interface StratumChoice {
  /** Name of the stratum; needed if the model has several. */
  readonly stratum?: string | number;
}

/**
 * Log relative hazard of each row of covariates against a customer with average covariates.
 * @throws DataError if a covariate of the model is missing, has another length or a value that is not finite.
 */
export function relativeLogHazard(fit: ProportionalHazards, covariates: CovariateColumns): Float64Array {
  const [first] = Object.keys(fit.coefficients);
  const size = covariates[first as string]?.length ?? 0;
  return linearPredictor(fit.coefficients, covariates, size, fit.centre);
}

/**
 * Cumulative hazard of each row of covariates (outer) at each time (inner).
 * @throws DataError if a covariate is missing or bad; RangeError if the stratum is unknown or not given though there are
 * several, or a time is negative or after the last observed one.
 */
export function predictCumulativeHazard(
  fit: ProportionalHazards,
  covariates: CovariateColumns,
  times: ArrayLike<number>,
  choice: StratumChoice = {},
): readonly Float64Array[] {
  const baseline = baselineOf(fit, choice);
  const hazard = Float64Array.from(times, (time) => {
    if (!(time >= 0 && time <= baseline.lastTime)) {
      throw new RangeError(
        `times must be from 0 to the last observed time ${baseline.lastTime}, got ${time}`,
      );
    }
    return baseline.cumulativeHazard[countAtMost(baseline.times, time) - 1] ?? 0;
  });
  return Array.from(relativeLogHazard(fit, covariates), (value) => hazard.map((h) => h * Math.exp(value)));
}

/**
 * Share of customers like each row of covariates (outer) still there at each time (inner): exp(-cumulative hazard).
 * @throws As predictCumulativeHazard.
 */
export const predictSurvival = (
  fit: ProportionalHazards,
  covariates: CovariateColumns,
  times: ArrayLike<number>,
  choice: StratumChoice = {},
): readonly Float64Array[] =>
  predictCumulativeHazard(fit, covariates, times, choice).map((row) =>
    row.map((hazard) => Math.exp(-hazard)),
  );

function baselineOf({ baseline }: ProportionalHazards, { stratum }: StratumChoice): BaselineHazard {
  const found = stratum === undefined ? baseline : baseline.filter((one) => one.stratum === String(stratum));
  if (found.length === 1) return found[0] as BaselineHazard;
  const known = baseline.map((one) => one.stratum).join(", ");
  throw new RangeError(`stratum must be one of ${known}, got ${stratum === undefined ? "none" : stratum}`);
}
