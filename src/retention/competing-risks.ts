import { requireOneOf } from "../core/arguments.js";
import type { CovariateColumns } from "../core/covariates.js";
import { DataError } from "../core/errors.js";
import { compareIds, describe } from "../core/table.js";
import { baselineHazards, byName, type ProportionalHazards, predictCumulativeHazard } from "./cox.js";
import {
  type ConfidenceScale,
  greenwoodTerm,
  type IntervalOptions,
  intervalOf,
  normalScore,
} from "./kaplan-meier.js";
import { fitPartialLikelihood, type HazardCoefficients } from "./partial-likelihood-fit.js";
import { type Lingering, logRisks, type RiskDesign, riskDesign, type Ties } from "./risk-sets.js";
import {
  countAtMost,
  riskTable,
  type SurvivalColumns,
  survivalColumns,
  uncensoredBefore,
} from "./survival-data.js";

/** Who was observed how long, and why they left. */
export interface CompetingRisksData {
  /** When the customer left or was last seen, from 0 up, in any one unit. */
  readonly time: ArrayLike<number>;
  /** Why the customer left: any label but 0; 0 if still there (censored). */
  readonly cause: ArrayLike<string | number>;
  /** When observation of the row began (left truncation): before `time`; 0 unless given. */
  readonly entry?: ArrayLike<number>;
  /** How many customers a row stands for, above 0; 1 unless given. */
  readonly weight?: ArrayLike<number>;
}

/** Share of customers that one cause has taken; one element for each time of the result it belongs to. */
export interface CauseIncidence {
  /** Name of the cause. */
  readonly cause: string;
  /** Weight that leaves for this cause at each time. */
  readonly events: Float64Array;
  /** Share gone for this cause up to and with each time. */
  readonly incidence: Float64Array;
  /** Standard error of the share. */
  readonly standardError: Float64Array;
  /** Lower pointwise confidence limit. */
  readonly low: Float64Array;
  /** Upper pointwise confidence limit. */
  readonly high: Float64Array;
}

/** Cumulative incidence of every cause; with `survival` they add up to 1 at every time. */
export interface CumulativeIncidence {
  /** Distinct times, ascending. */
  readonly times: Float64Array;
  /** Weight at risk just before each time. */
  readonly atRisk: Float64Array;
  /** Share still there after each time. */
  readonly survival: Float64Array;
  /** One curve for each cause, by name. */
  readonly causes: readonly CauseIncidence[];
  /** Scale of the intervals. */
  readonly confidence: ConfidenceScale;
  /** Confidence level of the intervals. */
  readonly level: number;
}

/**
 * Aalen-Johansen estimate of the cumulative incidence: the share of customers that each cause has taken by each time,
 * given that the other causes are at work as well. One minus Kaplan-Meier of one cause alone would overstate it. Limits are
 * on the scale of log(-log) unless given; the variance is of Greenwood's kind, by the delta method.
 * @throws DataError if the data are bad or nobody left; RangeError if `level` is not between 0 and 1.
 * @see Aalen & Johansen (1978), Scand. J. Statistics 5; Marubini & Valsecchi (1995), Analysing Survival Data from Clinical
 * Trials and Observational Studies, chapter 10, for the variance.
 */
export function cumulativeIncidence(
  data: CompetingRisksData,
  { confidence = "log-log", level = 0.95 }: IntervalOptions = {},
): CumulativeIncidence {
  requireOneOf("confidence", confidence, ["log", "log-log", "plain"]);
  const z = normalScore(level);
  const { columns, codes, causes } = competingColumns(data);
  const { times, atRisk, events } = riskTable(columns);
  const counts = causes.map(() => new Float64Array(times.length));
  for (const [row, code] of codes.entries()) {
    const column = counts[code - 1];
    if (!column) continue;
    const k = countAtMost(times, columns.time[row] as number) - 1;
    column[k] = (column[k] as number) + (columns.weight[row] as number);
  }
  const before = new Float64Array(times.length); // share there just before each time
  const survival = new Float64Array(times.length);
  let share = 1;
  for (let k = 0; k < times.length; k++) {
    before[k] = share;
    const staying = (atRisk[k] as number) - (events[k] as number);
    if ((events[k] as number) > 0)
      share *= staying <= 1e-12 * (atRisk[k] as number) ? 0 : staying / (atRisk[k] as number);
    survival[k] = share;
  }
  return Object.freeze({
    times,
    atRisk,
    survival,
    causes: causes.map((cause, c) => {
      const own = counts[c] as Float64Array;
      const curve = incidenceOf(own, { atRisk, events, before });
      const limits = Array.from(curve.incidence, (value, k) =>
        intervalOf(value, curve.standardError[k] as number, z, confidence),
      );
      return Object.freeze({
        cause,
        events: own,
        ...curve,
        low: Float64Array.from(limits, ([low]) => low),
        high: Float64Array.from(limits, ([, high]) => high),
      });
    }),
    confidence,
    level,
  });
}

/**
 * Incidence of one cause and its standard error. The variance at t is the sum over earlier times i of
 * (I(t) - I(i))^2 d / (n (n - d)) + S(i-)^2 (n - e) e / n^3 - 2 (I(t) - I(i)) S(i-) e / n^2, with e of the d events from this
 * cause; sums of its powers of I(t) make it one pass.
 */
function incidenceOf(
  own: Float64Array,
  all: { readonly atRisk: Float64Array; readonly events: Float64Array; readonly before: Float64Array },
): Pick<CauseIncidence, "incidence" | "standardError"> {
  const incidence = new Float64Array(own.length);
  const standardError = new Float64Array(own.length);
  let gone = 0;
  let [square, linear, constant] = [0, 0, 0]; // variance = square I^2 - 2 linear I + constant
  for (let k = 0; k < own.length; k++) {
    const n = all.atRisk[k] as number;
    const e = own[k] as number;
    const s = all.before[k] as number;
    if ((all.events[k] as number) > 0 && s > 0) {
      gone += (s * e) / n;
      const spread = greenwoodTerm(all.events[k] as number, n);
      const mixed = (s * e) / n ** 2;
      square += spread;
      linear += spread * gone + mixed;
      constant += spread * gone ** 2 + 2 * mixed * gone + (s ** 2 * Math.max(n - e, 0) * e) / n ** 3;
    }
    incidence[k] = gone;
    standardError[k] = Math.sqrt(Math.max(square * gone ** 2 - 2 * linear * gone + constant, 0));
  }
  return { incidence, standardError };
}

interface CompetingColumns {
  /** With an event of any cause. */
  readonly columns: SurvivalColumns;
  /** 0 for censored rows, 1 for the first cause, … */
  readonly codes: Uint32Array;
  readonly causes: readonly string[];
}

function competingColumns({ cause, ...data }: CompetingRisksData): CompetingColumns {
  const values = Array.from(cause);
  for (const [row, value] of values.entries()) {
    const label: unknown = value;
    if ((typeof label === "string" && label !== "") || (typeof label === "number" && Number.isFinite(label)))
      continue;
    throw new DataError(`cause in row ${row + 1} must be a label, or 0 for censored, got ${describe(label)}`);
  }
  const labels = [...new Set(values)].filter((value) => value !== 0).sort(compareIds);
  if (labels.length === 0)
    throw new DataError(`at least one row must have a cause, got ${values.length} censored rows`);
  const codeOf = new Map<string | number, number>([
    [0, 0],
    ...labels.map((label, i) => [label, i + 1] as const),
  ]);
  const codes = Uint32Array.from(values, (value) => codeOf.get(value) as number);
  const columns = survivalColumns({ ...data, event: codes.map((code) => Math.min(code, 1)) });
  return { columns, codes, causes: labels.map(String) };
}

/** How to fit a Fine-Gray model. */
export interface FineGrayOptions {
  /** The cause of interest, a label of the data. */
  readonly cause: string | number;
  /** How tied events share a risk set: "efron" unless given. */
  readonly ties?: Ties;
}

/** A fitted Fine-Gray model; `baseline` is the subdistribution hazard. */
export interface FineGrayFit extends HazardCoefficients, ProportionalHazards {
  readonly model: "Fine-Gray";
  /** Cause of interest. */
  readonly cause: string;
  /** How ties were treated. */
  readonly ties: Ties;
  /** Rows. */
  readonly observations: number;
  /** Rows that left for the cause of interest. */
  readonly events: number;
  /** Rows that left for another cause. */
  readonly competing: number;
}

/**
 * Fine and Gray's model of the cumulative incidence of one cause: covariates multiply its subdistribution hazard, so a
 * positive coefficient means that more customers leave for this cause, whatever the other causes do. Those whom another
 * cause took stay in the risk sets with weights that fall as censoring goes on; time and memory stay O(n). Standard errors
 * are robust; they take the censoring weights as known.
 * @throws DataError if the data or covariates are bad, entries are given, or nobody left for the cause; ConvergenceError
 * naming covariates whose coefficient would be infinite.
 * @see Fine & Gray (1999), JASA 94(446); Kawaguchi et al. (2021), The R Journal 12(2), for the linear-time sums.
 */
export function fitFineGray(
  data: CompetingRisksData,
  covariates: CovariateColumns,
  { cause, ties = "efron" }: FineGrayOptions,
): FineGrayFit {
  if (data.entry)
    throw new DataError("entry must not be given: the Fine-Gray model needs customers seen from time 0");
  const { columns, codes, causes } = competingColumns(data);
  const code = causes.indexOf(String(cause)) + 1;
  if (code === 0) throw new DataError(`cause must be one of ${causes.join(", ")}, got ${describe(cause)}`);
  const sorted = riskDesign(
    { ...columns, event: Uint8Array.from(codes, (c) => (c === code ? 1 : 0)) },
    covariates,
  );
  const design: RiskDesign = { ...sorted, lingering: lingeringOf(sorted, columns, codes) };
  const { beta, result } = fitPartialLikelihood(design, {
    model: "Fine-Gray",
    ties,
    penalty: 0,
    robust: true,
  });
  const events = design.event.reduce((sum, value) => sum + value, 0);
  return Object.freeze({
    model: "Fine-Gray",
    ...result,
    cause: String(cause),
    ties,
    observations: design.size,
    events,
    competing: columns.event.reduce((sum, value) => sum + value, 0) - events,
    centre: byName(design.names, design.centre),
    baseline: baselineHazards(design, logRisks(design, beta), ties),
  });
}

/** Who lingers, and the chance to be uncensored just before each position's time (Kaplan-Meier of censoring). */
function lingeringOf(design: RiskDesign, columns: SurvivalColumns, codes: Uint32Array): Lingering {
  const risks = riskTable(columns);
  const chances = uncensoredBefore(risks);
  return {
    stays: Uint8Array.from(design.row, (row, q) => (codes[row] !== 0 && design.event[q] === 0 ? 1 : 0)),
    uncensored: design.time.map((time) => chances[countAtMost(risks.times, time) - 1] as number),
  };
}

/**
 * Share of customers like each row of covariates (outer) that the cause has taken by each time (inner).
 * @throws DataError if a covariate is missing or bad; RangeError if a time is negative or after the last observed one.
 */
export const predictIncidence = (
  fit: FineGrayFit,
  covariates: CovariateColumns,
  times: ArrayLike<number>,
): readonly Float64Array[] =>
  predictCumulativeHazard(fit, covariates, times).map((row) => row.map((hazard) => -Math.expm1(-hazard)));
