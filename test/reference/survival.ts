import { expect, it } from "vitest";
import type { CovariateColumns } from "../../src/core/covariates.js";
import {
  acceleratedQuantile,
  acceleratedSurvival,
  fitAcceleratedFailure,
  type LifetimeDistribution,
} from "../../src/retention/accelerated-failure.js";
import {
  type CoxFit,
  type CoxOptions,
  fitCox,
  predictCumulativeHazard,
  predictSurvival,
} from "../../src/retention/cox.js";
import { proportionalHazardsTest } from "../../src/retention/cox-diagnostics.js";
import {
  type ConfidenceScale,
  kaplanMeier,
  kaplanMeierByStratum,
  medianSurvival,
  nelsonAalen,
  restrictedMeanSurvival,
  survivalAt,
} from "../../src/retention/kaplan-meier.js";
import { logRankTest } from "../../src/retention/log-rank.js";
import { countAtMost, type SurvivalData } from "../../src/retention/survival-data.js";
import { type Block, block, numbers, type ReferenceCase, referenceTable, toleranceOf } from "./case.js";

/** Holds survival curves, tests, Cox and accelerated failure models to one `survival_` case. */
export function runSurvivalCase(reference: ReferenceCase): void {
  const peer = block(reference.content["r_survival"]);
  const lifelines = block(reference.content["lifelines"]);
  const near = (key: string): number => toleranceOf(reference.tolerance[key]);
  const { data, group, covariates, complete } = readCase(reference, peer);

  it("reproduces the Kaplan-Meier and Nelson-Aalen curves of R", () => {
    holdsCurves(data, block(peer["km"]), near("km"));
  });

  it("reproduces the first part of lifelines' curve with its log-log limits", () => {
    const timeline = numbers(lifelines["timeline"]);
    const curve = kaplanMeier(data, { confidence: "log-log" });
    allClose(survivalAt(curve, timeline), numbers(lifelines["survival"]), near("km"));
    holdsMedian(medianSurvival(curve).time, lifelines["median"]);
    for (const [k, [low, high]] of (lifelines["ci"] as [number, number][]).entries()) {
      const place = countAtMost(curve.times, timeline[k] ?? 0) - 1;
      close(curve.low[place] ?? 1, low, near("km"));
      close(curve.high[place] ?? 1, high, near("km"));
    }
  });

  it("reproduces the median of every group", () => {
    const groups = block(peer["km_by_group"]);
    const curves = kaplanMeierByStratum({ ...data, strata: group });
    expect(curves.map(({ stratum }) => stratum)).toEqual(groups["levels"]);
    for (const [k, { curve }] of curves.entries()) {
      holdsMedian(medianSurvival(curve).time, (groups["median"] as unknown[])[k]);
    }
  });

  it("reproduces the log-rank and Peto-Peto tests", () => {
    const theirs = block(peer["logrank"]);
    const ours = logRankTest(data, group);
    expect(ours.groups).toEqual(theirs["groups"]);
    expect(ours.size).toEqual(theirs["n"]);
    expect(ours.observed).toEqual(theirs["observed"]);
    expect(ours.degreesOfFreedom).toBe(theirs["df"]);
    allRelativelyClose(ours.expected, numbers(theirs["expected"]), near("logrank"));
    relativelyClose(ours.chiSquare, theirs["chisq"], near("logrank"));
    relativelyClose(ours.p, theirs["p"], near("logrank"));
    const petoPeto = logRankTest(data, group, { weights: "peto-peto" });
    relativelyClose(petoPeto.chiSquare, block(peer["peto_peto_rho1"])["chisq"], near("logrank"));
  });

  for (const ties of ["efron", "breslow"] as const) {
    const theirs = block(peer[`cox_${ties}`]);
    it(`reproduces R's Cox model with ${ties} ties, its tests, baseline and concordance`, () => {
      expect(complete.data.time.length).toBe(theirs["n_used"]);
      holdsCox(complete, { ties }, theirs, near);
    });
  }

  it("reproduces lifelines' Cox model and its survival curves, which take Breslow's baseline", () => {
    const theirs = block(lifelines["cox"]);
    const fit = fitCox(complete.data, covariates, { baselineTies: "breslow" });
    holdsRecord(fit.coefficients, block(theirs["coef"]), near("cox_coef"));
    holdsRecord(fit.standardErrors, block(theirs["se"]), near("cox_se"));
    close(fit.logLikelihood, theirs["loglik"], near("loglik"));
    close(fit.concordance?.concordance, theirs["concordance"], near("concordance"));
    const predicted = block(lifelines["predict_survival_first5"]);
    const expected = predicted["values"] as number[][];
    const curves = predictSurvival(fit, firstRows(covariates, expected.length), numbers(predicted["times"]));
    for (const [row, curve] of curves.entries()) allClose(curve, expected[row] ?? [], near("cox_coef"));
  });

  for (const key of Object.keys(lifelines).filter((name) => name.startsWith("cox_ridge_"))) {
    it(`reaches the maximum that lifelines' ${key} stops short of`, () => {
      const theirs = block(lifelines[key]);
      const penalty = Number(key.replace("cox_ridge_", ""));
      const { coefficients, logLikelihood, observations } = fitCox(complete.data, covariates, { penalty });
      const squares = Object.entries(covariates).map(([name, values]) => {
        return ((coefficients[name] ?? Number.NaN) * standardDeviation(Array.from(values))) ** 2;
      });
      const loss = (penalty / 2) * observations * squares.reduce((sum, value) => sum + value, 0);
      close(logLikelihood - loss, theirs["loglik"], near("loglik"));
      expect(logLikelihood - loss).toBeGreaterThanOrEqual(Number(theirs["loglik"]));
      // Its search ends when a step gains less than 1e-9 of the likelihood, which leaves a few 1e-6 in the coefficients.
      holdsRecord(coefficients, block(theirs["coef"]), 10 * near("cox_coef"));
    });
  }

  for (const [key, distribution] of Object.entries(distributions)) {
    it(`reproduces R's ${key}`, () => {
      holdsAcceleratedFailure(complete, distribution, block(peer[key]), near("aft"));
    });
  }

  it("reproduces lifelines' Weibull model", () => {
    const theirs = block(lifelines["weibull_aft"]);
    const fit = fitAcceleratedFailure(complete.data, covariates);
    for (const [name, value] of Object.entries(block(theirs["params"]))) {
      const [, part, covariate = ""] = /\('(\w+)', '(.+)'\)/.exec(name) ?? [];
      const ours =
        part === "rho_"
          ? -Math.log(fit.scale)
          : fit.coefficients[covariate.replace("Intercept", "intercept")];
      close(ours, value, near("aft"));
    }
    close(fit.logLikelihood, theirs["loglik"], near("aft"));
    const [median = 0] = acceleratedQuantile(fit, firstRows(covariates, 1));
    close(acceleratedSurvival(fit, firstRows(covariates, 1), [median])[0]?.[0], 0.5, 1e-12);
  });
}

const distributions: Readonly<Record<string, LifetimeDistribution>> = {
  aft_weibull: "weibull",
  aft_exponential: "exponential",
  aft_lognormal: "log-normal",
  aft_loglogistic: "log-logistic",
};

interface Rows {
  readonly data: SurvivalData;
  readonly covariates: CovariateColumns;
}

/** The case's columns: all rows for curves and tests, those without missing covariates for models. */
function readCase(
  reference: ReferenceCase,
  peer: Block,
): Rows & { readonly group: readonly string[]; readonly complete: Rows } {
  const { header, rows } = referenceTable(reference.data[0] ?? "");
  const column = (name: unknown, from = rows): readonly string[] => {
    const place = header.indexOf(String(name));
    expect(place, `column ${String(name)}`).not.toBe(-1);
    return from.map((row) => row[place] ?? "");
  };
  const names = peer["covariates"] as string[];
  const full = rows.filter((row) =>
    names.every((name) => !["", "NA", "NaN"].includes(row[header.indexOf(name)] ?? "")),
  );
  const dataOf = (from: readonly string[][]): SurvivalData => {
    const status = column(peer["event"], from).map(Number);
    const gone = Math.max(...status); // coded 0 and 1, or 1 and 2
    return { time: column(peer["time"], from).map(Number), event: status.map((value) => value === gone) };
  };
  const covariates = Object.fromEntries(names.map((name) => [name, column(name, full).map(Number)]));
  return {
    data: dataOf(rows),
    group: column(peer["group"]),
    covariates,
    complete: { data: dataOf(full), covariates },
  };
}

function holdsCurves(data: SurvivalData, theirs: Block, near: number): void {
  const curve = kaplanMeier(data);
  allClose(curve.times, numbers(theirs["time"]), near);
  allClose(curve.atRisk, numbers(theirs["n_risk"]), near);
  allClose(curve.events, numbers(theirs["n_event"]), near);
  allClose(curve.censored, numbers(theirs["n_censor"]), near);
  allClose(curve.survival, numbers(theirs["surv"]), near);
  allClose(curve.standardError, numbers(theirs["std_err_greenwood"]), near);
  holdsMedian(medianSurvival(curve).time, theirs["median"]);
  allClose(nelsonAalen(data).cumulativeHazard, numbers(theirs["cumhaz_nelson_aalen"]), near);
  const mean = restrictedMeanSurvival(curve, curve.times.at(-1) ?? 0);
  close(mean.mean, theirs["rmean"], near);
  close(mean.standardError, theirs["rmean_se"], near);
  const limits = { "": theirs["conf_type"], _loglog: "log-log" } as Readonly<Record<string, ConfidenceScale>>;
  for (const [suffix, confidence] of Object.entries(limits)) {
    const { low, high } = kaplanMeier(data, { confidence });
    allClose(low, numbers(theirs[`lower${suffix}`]), near);
    allClose(high, numbers(theirs[`upper${suffix}`]), near);
  }
}

function holdsCox(
  { data, covariates }: Rows,
  options: CoxOptions,
  theirs: Block,
  near: (key: string) => number,
): void {
  const fit = fitCox(data, covariates, options);
  holdsRecord(fit.coefficients, block(theirs["coef"]), near("cox_coef"));
  holdsRecord(fit.standardErrors, block(theirs["se"]), near("cox_se"));
  holdsRecord(fit.p, block(theirs["p"]), near("cox_coef"));
  for (const [name, value] of Object.entries(block(theirs["z"])))
    relativelyClose(fit.z[name], value, near("cox_coef"));
  close(fit.nullLogLikelihood, theirs["loglik_null"], near("loglik"));
  close(fit.logLikelihood, theirs["loglik"], near("loglik"));
  close(fit.likelihoodRatioTest.chiSquare, theirs["lr_test"], near("loglik"));
  close(fit.scoreTest.chiSquare, theirs["score_test"], near("loglik"));
  close(fit.waldTest.chiSquare, theirs["wald_test"], 0.005 + 1e-9); // R rounds it to two decimals
  close(fit.concordance?.concordance, theirs["concordance"], near("concordance"));
  close(fit.concordance?.standardError, theirs["concordance_se"], near("concordance"));
  const predictors = numbers(theirs["linear_predictor_first10"]);
  allClose(fit.linearPredictors.slice(0, predictors.length), predictors, near("cox_coef") * 10);
  holdsBaseline(fit, covariates, block(theirs["baseline_cumhaz"]));
  holdsDrift(fit, { data, covariates }, block(theirs["zph_km"]));
}

/** R gives the baseline of a customer whose covariates are all 0. */
function holdsBaseline(fit: CoxFit, covariates: CovariateColumns, theirs: Block): void {
  const zeros = Object.fromEntries(Object.keys(covariates).map((name) => [name, [0]]));
  const [hazard] = predictCumulativeHazard(fit, zeros, numbers(theirs["time"]));
  allRelativelyClose(hazard ?? [], numbers(theirs["hazard"]), 1e-6);
}

function holdsDrift(fit: CoxFit, { data, covariates }: Rows, theirs: Block): void {
  const ours = proportionalHazardsTest(fit, data, covariates);
  const terms = theirs["term"] as string[];
  const tests = terms.map((term) => (term === "GLOBAL" ? ours.global : ours.covariates[term]));
  allRelativelyClose(
    tests.map((test) => test?.chiSquare ?? Number.NaN),
    numbers(theirs["chisq"]),
    1e-6,
  );
  allRelativelyClose(
    tests.map((test) => test?.p ?? Number.NaN),
    numbers(theirs["p"]),
    1e-5,
  );
}

function holdsAcceleratedFailure(
  { data, covariates }: Rows,
  distribution: LifetimeDistribution,
  theirs: Block,
  near: number,
): void {
  const fit = fitAcceleratedFailure(data, covariates, { distribution });
  holdsRecord(fit.coefficients, block(theirs["coef"]), near);
  holdsRecord(fit.standardErrors, block(theirs["se"]), near);
  close(fit.scale, theirs["scale"], near);
  close(fit.logLikelihood, theirs["loglik"], near);
  const nothing = fitAcceleratedFailure(data, {}, { distribution });
  const expected = block(theirs["null"]);
  close(nothing.coefficients["intercept"], expected["intercept"], near);
  close(nothing.scale, expected["scale"], near);
  close(nothing.logLikelihood, expected["loglik"], near);
}

const firstRows = (covariates: CovariateColumns, count: number): CovariateColumns =>
  Object.fromEntries(
    Object.entries(covariates).map(([name, values]) => [name, Array.from(values).slice(0, count)]),
  );

function holdsMedian(ours: number | undefined, theirs: unknown): void {
  expect(ours).toBe(theirs ?? undefined);
}

function holdsRecord(ours: Readonly<Record<string, number>>, theirs: Block, near: number): void {
  const named = Object.entries(theirs).map(([name, value]) => [peerName(name), value] as const);
  expect(Object.keys(ours).sort()).toEqual(named.map(([name]) => name).sort());
  for (const [name, value] of named) close(ours[name], value, near);
}

function standardDeviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

const peerName = (name: string): string =>
  ({ "(Intercept)": "intercept", "Log(scale)": "log(scale)" })[name] ?? name;

function close(ours: number | undefined, peer: unknown, tolerance: number): void {
  expect(
    Math.abs((ours ?? Number.NaN) - (peer as number)),
    `${ours} against ${String(peer)}`,
  ).toBeLessThanOrEqual(tolerance);
}

function relativelyClose(ours: number | undefined, peer: unknown, tolerance: number): void {
  close(ours, peer, tolerance * Math.abs(peer as number) + Number.MIN_VALUE);
}

/** Where the peer gives no number (limits where nobody is left), there is nothing to compare. */
function allClose(ours: ArrayLike<number>, peers: readonly (number | null)[], tolerance: number): void {
  expect(ours.length).toBe(peers.length);
  expect(peers.length).toBeGreaterThan(0);
  for (const [index, peer] of peers.entries()) if (peer !== null) close(ours[index], peer, tolerance);
}

function allRelativelyClose(ours: ArrayLike<number>, peers: readonly number[], tolerance: number): void {
  expect(ours.length).toBe(peers.length);
  expect(peers.length).toBeGreaterThan(0);
  for (const [index, peer] of peers.entries()) relativelyClose(ours[index], peer, tolerance);
}
