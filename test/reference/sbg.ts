import { expect, it } from "vitest";
import { bdwSurvivalCurve, fitBetaDiscreteWeibull } from "../../src/clv/beta-discrete-weibull.js";
import {
  fitShiftedBetaGeometric,
  sbgDiscountedResidualLifetime,
  sbgLogLikelihood,
  sbgRetentionRates,
  sbgSurvivalCurve,
} from "../../src/clv/shifted-beta-geometric.js";
import { type Block, block, numbers, type ReferenceCase, referenceTable, toleranceOf } from "./case.js";

/** Holds the sBG and the BdW, their curves and residual lifetimes to one `sbg_` case. */
export function runSbgCase(reference: ReferenceCase): void {
  const result = block(reference.content["result"]);
  const alive = numbers(result["alive"]).length > 0 ? numbers(result["alive"]) : aliveColumn(reference);
  const survivors = alive.slice(0, Number(result["fitted_on_first"] ?? alive.length));
  const mle = block(result["mle"]);
  const parameters = { alpha: Number(mle["alpha"]), beta: Number(mle["beta"]) };
  const near = toleranceOf(reference.tolerance["curves"]);
  const nearParameters = toleranceOf(reference.tolerance["mle_params"]);
  const nearLikelihood = toleranceOf(reference.tolerance["loglik"]);

  it("reaches the peer's maximum of the likelihood, at its parameters", () => {
    const peer = Number(mle["loglik"]);
    const fit = fitShiftedBetaGeometric(survivors);
    expect(fit.logLikelihood).toBeGreaterThanOrEqual(peer - nearLikelihood);
    expect(Math.abs(sbgLogLikelihood(parameters, survivors) - peer)).toBeLessThanOrEqual(nearLikelihood);
    expect(Math.abs(fit.parameters.alpha / parameters.alpha - 1)).toBeLessThanOrEqual(nearParameters);
    expect(Math.abs(fit.parameters.beta / parameters.beta - 1)).toBeLessThanOrEqual(nearParameters);
  });

  for (const key of Object.keys(result)) {
    const [, from = "0", to = "0"] = /_(\d+)_(\d+)$/.exec(key) ?? [];
    if (/^survival_/.test(key)) {
      it(key, () => {
        const curve = sbgSurvivalCurve(parameters, Number(to)).slice(Number(from));
        allClose(curve, numbers(result[key]), near);
      });
    } else if (/^retention_rate_/.test(key)) {
      it(key, () => {
        const rates = sbgRetentionRates(parameters, Number(to)).slice(Number(from) - 1);
        allClose(rates, numbers(result[key]), near);
      });
    } else if (/^del_new_customer/.test(key)) {
      it(`${key}: the first period counts in full, then the residual lifetime`, () => {
        const discountRate = Number(/_d(\d*\.?\d+)$/.exec(key)?.[1]);
        const residual = sbgDiscountedResidualLifetime(parameters, { renewals: 0, discountRate });
        close(1 + residual / (1 + discountRate), Number(result[key]), near);
      });
    } else if (key === "drel") {
      it(key, () => {
        const peer = block(result[key]);
        const renewals = Number(peer["tenure_n"]) - 1;
        const ours = sbgDiscountedResidualLifetime(parameters, { renewals, discountRate: Number(peer["d"]) });
        close(ours, Number(peer["value"]), near);
      });
    } else if (/bdw$/i.test(key)) {
      it(`${key}: curves at its parameters, and a fit that is as likely`, () => {
        holdsBdw(block(result[key]), survivors, near);
      });
    }
  }
}

function holdsBdw(peer: Block, survivors: readonly number[], near: number): void {
  const [alpha = 0, beta = 0, c = 0] = numbers(peer["params"]);
  const expected = [...numbers(peer["fitted"]), ...numbers(peer["projected"])].map((share) => share / 100);
  allClose(bdwSurvivalCurve({ alpha, beta, c }, expected.length - 1), expected, near);
  const fit = fitBetaDiscreteWeibull(survivors);
  const theirs = bdwSurvivalCurve({ alpha, beta, c }, survivors.length - 1);
  expect(fit.logLikelihood).toBeGreaterThanOrEqual(logLikelihoodOf(theirs, survivors) - 1e-6);
}

/** Log-likelihood of survivors under any survival curve. */
function logLikelihoodOf(curve: Float64Array, survivors: readonly number[]): number {
  let value = (survivors.at(-1) ?? 0) * Math.log(curve.at(-1) ?? 0);
  for (let t = 1; t < survivors.length; t++) {
    const left = (survivors[t - 1] ?? 0) - (survivors[t] ?? 0);
    value += left * Math.log((curve[t - 1] ?? 0) - (curve[t] ?? 0));
  }
  return value;
}

/** Customers alive by period, from the case's data file. */
function aliveColumn(reference: ReferenceCase): readonly number[] {
  const { header, rows } = referenceTable(reference.data[0] ?? "");
  const place = header.findIndex((name) => /alive|surviv|customers|^n$/i.test(name));
  return rows.map((row) => Number(row[place]));
}

function close(ours: number, peer: number, tolerance: number): void {
  expect(Math.abs(ours - peer), `${ours} against ${peer}`).toBeLessThanOrEqual(tolerance);
}

function allClose(ours: ArrayLike<number>, peers: readonly number[], tolerance: number): void {
  expect(ours.length).toBe(peers.length);
  expect(peers.length).toBeGreaterThan(0);
  for (const [index, value] of Array.from(ours).entries())
    close(value, peers[index] ?? Number.NaN, tolerance);
}
