import { type ColumnTable, table } from "arquero";
import { DataError } from "../core/errors.js";
import type { Objective } from "../numeric/minimise.js";
import { chiSquareTail } from "../numeric/tail-probability.js";
import {
  type BdwParameters,
  bdwObjective,
  bdwRetentionRates,
  fitBetaDiscreteWeibull,
  type LikelihoodRatioTest,
} from "./beta-discrete-weibull.js";
import { deepFreeze, fitPositive, type ModelFit } from "./fit.js";
import {
  fitShiftedBetaGeometric,
  renewalCounts,
  requirePeriods,
  sbgObjective,
} from "./shifted-beta-geometric.js";

/** Churn model of a contract: the sBG is the BdW with c = 1. */
export type ContractModel = "sBG" | "BdW";

/**
 * What cohorts share. "pooled": all parameters. "partial": alpha + beta, which says how much customers differ, and the
 * BdW's c, while each cohort has its own mean churn. "separate": nothing.
 */
export type Pooling = "pooled" | "partial" | "separate";

/** Several cohorts fitted under each kind of pooling, and the tests between them. */
export interface PooledChurnFit {
  /** Churn model of each cohort. */
  readonly model: ContractModel;
  /** The data: for each cohort the customers alive after 0, 1, 2, … renewals. */
  readonly cohorts: readonly (readonly number[])[];
  /** One fit of all customers. */
  readonly pooled: ModelFit<string>;
  /** Its parameters: "alpha + beta", c (BdW), and for each cohort its "churn odds", alpha / beta. */
  readonly partial: ModelFit<string>;
  /** One fit a cohort. */
  readonly separate: readonly ModelFit<string>[];
  /** Parameters of each cohort under each kind of pooling; c is 1 under the sBG. */
  readonly parameters: Readonly<Record<Pooling, readonly BdwParameters[]>>;
  /**
   * Likelihood-ratio tests. A small p value of `pooledAgainstPartial` says that mean churn differs between cohorts, of
   * `partialAgainstSeparate` that more than the mean does, of `pooledAgainstSeparate` either.
   */
  readonly tests: Readonly<
    Record<"pooledAgainstPartial" | "partialAgainstSeparate" | "pooledAgainstSeparate", LikelihoodRatioTest>
  >;
}

/**
 * Fits the sBG or the BdW to several cohorts at once by maximum likelihood: pooled, partially pooled and separately. The
 * cohorts may be observed for different times. Young cohorts borrow from the old what they cannot show yet: a cohort with
 * one renewal tells its mean churn, not how it will fall. Degrees of freedom count for each cohort at most as many
 * parameters as it has had renewals. Where customers hardly differ (alpha + beta without end) the tests reject too rarely.
 * @throws DataError if there are not two cohorts with enough renewals to be fitted alone (2 for the sBG, 3 for the BdW),
 * or survivors rise, are negative or not finite, or are fewer than two numbers.
 * @throws ConvergenceError if a likelihood has no optimum the solver can reach.
 * @see Fader & Hardie (2007), How to Project Customer Retention, J. Interactive Marketing 21(1); Fader et al. (2018),
 * J. Interactive Marketing 43; Davison (2003), Statistical Models, section 4.5, for the tests.
 */
export function fitPooledChurn(
  cohorts: readonly (readonly number[])[],
  model: ContractModel = "sBG",
): PooledChurnFit {
  const size = model === "sBG" ? 2 : 3; // parameters of one cohort
  const long = cohorts.filter(({ length }) => length > size).length;
  if (long < 2) {
    throw new DataError(
      `cohorts must hold at least two with ${size} renewals or more to compare ${model} fits, got ${long} of ${cohorts.length}`,
    );
  }
  const fitSurvivors = model === "sBG" ? fitShiftedBetaGeometric : fitBetaDiscreteWeibull;
  const pooled: ModelFit<string> = fitSurvivors(cohorts);
  const separate: readonly ModelFit<string>[] = cohorts.map((cohort) => fitSurvivors(cohort));
  const partial = fitPartial(cohorts, model, pooled);
  const sharing = size - 1 + cohorts.length;
  const own = cohorts.reduce((sum, { length }) => sum + Math.min(length - 1, size), 0);
  const together = separate.reduce((sum, { logLikelihood }) => sum + logLikelihood, 0);
  return deepFreeze({
    model,
    cohorts: cohorts.map((cohort) => [...cohort]),
    pooled,
    partial,
    separate,
    parameters: {
      pooled: cohorts.map(() => contractParameters(pooled)),
      partial: cohorts.map((_, cohort) => cohortParameters(partial.parameters, cohort)),
      separate: separate.map(contractParameters),
    },
    tests: {
      pooledAgainstPartial: ratioTest(pooled.logLikelihood, partial.logLikelihood, sharing - size),
      partialAgainstSeparate: ratioTest(partial.logLikelihood, together, own - sharing),
      pooledAgainstSeparate: ratioTest(pooled.logLikelihood, together, own - size),
    },
  });
}

/**
 * Customers expected of each cohort in the next periods, given those alive today: a table with columns `cohort` (1 for the
 * first), `renewals` (since the cohort began) and `customers`.
 * @throws RangeError if periods is no whole number from 0 up.
 * @see Fader & Hardie (2007).
 */
export function forecastCohorts(
  { cohorts, parameters }: Pick<PooledChurnFit, "cohorts" | "parameters">,
  pooling: Pooling,
  periods: number,
): ColumnTable {
  requirePeriods(periods);
  const rows = cohorts.flatMap((survivors, place) => {
    const today = survivors.length - 1;
    let customers = survivors[today] as number;
    const rates = bdwRetentionRates(parameters[pooling][place] as BdwParameters, today + periods);
    return Array.from(rates.subarray(today), (rate, ahead) => {
      customers *= rate;
      return { cohort: place + 1, renewals: today + ahead + 1, customers };
    });
  });
  return table({
    cohort: rows.map(({ cohort }) => cohort),
    renewals: rows.map(({ renewals }) => renewals),
    customers: rows.map(({ customers }) => customers),
  });
}

const TOTAL = "alpha + beta";
const oddsOf = (cohort: number): string => `churn odds of cohort ${cohort + 1}`;

const contractParameters = ({ parameters }: ModelFit<string>): BdwParameters => ({
  alpha: parameters["alpha"] as number,
  beta: parameters["beta"] as number,
  c: parameters["c"] ?? 1,
});

/** Parameters of one cohort under partial pooling. */
function cohortParameters(shared: Readonly<Record<string, number>>, cohort: number): BdwParameters {
  const total = shared[TOTAL] as number;
  const odds = shared[oddsOf(cohort)] as number;
  return { alpha: (total * odds) / (1 + odds), beta: total / (1 + odds), c: shared["c"] ?? 1 };
}

function fitPartial(
  cohorts: readonly (readonly number[])[],
  model: ContractModel,
  pooled: ModelFit<string>,
): ModelFit<string> {
  const shared = model === "sBG" ? [TOTAL] : [TOTAL, "c"];
  const names = [...shared, ...cohorts.map((_, cohort) => oddsOf(cohort))];
  const objectives = cohorts.map((cohort) => (model === "sBG" ? sbgObjective(cohort) : bdwObjective(cohort)));
  const { alpha, beta, c } = contractParameters(pooled);
  const odds = cohorts.map(([start = 0, later = 0]) => (start - later + 0.5) / (later + 0.5)); // at the first renewal
  const starts = [Math.min(alpha + beta, 1000), 1, 30].map((total) => [
    total,
    ...(model === "sBG" ? [] : [c]),
    ...odds,
  ]);
  return fitPositive({
    model: `${model} with common alpha + beta`,
    names,
    starts,
    logLikelihood: partialLikelihood(objectives, shared.length),
    observations: renewalCounts(cohorts).customers,
    simplerModel: `the pooled ${model}`,
  });
}

/** Sum of the cohorts' log-likelihoods by (total, maybe c, odds …), the gradient by the chain rule. */
function partialLikelihood(objectives: readonly Objective[], shared: number): Objective {
  const own = new Float64Array(shared + 1);
  return (parameters, gradient) => {
    const total = parameters[0] as number;
    let value = 0;
    gradient.fill(0);
    for (const [cohort, objective] of objectives.entries()) {
      const odds = parameters[shared + cohort] as number;
      const churn = odds / (1 + odds);
      const stay = 1 / (1 + odds);
      value += objective(
        Float64Array.of(total * churn, total * stay, ...parameters.subarray(1, shared)),
        own,
      );
      const byAlpha = own[0] as number;
      const byBeta = own[1] as number;
      gradient[0] = (gradient[0] as number) + byAlpha * churn + byBeta * stay;
      for (let i = 1; i < shared; i++) gradient[i] = (gradient[i] as number) + (own[i + 1] as number);
      gradient[shared + cohort] = (byAlpha - byBeta) * total * stay ** 2;
    }
    return value;
  };
}

function ratioTest(nested: number, full: number, degreesOfFreedom: number): LikelihoodRatioTest {
  const statistic = Math.max(0, 2 * (full - nested));
  return { statistic, degreesOfFreedom, pValue: chiSquareTail(statistic, degreesOfFreedom) };
}
