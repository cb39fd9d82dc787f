import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkGradient } from "../../src/numeric/derivatives.js";
import { randomSource } from "../../src/numeric/random.js";
import { drawExponential } from "../../src/numeric/sampling.js";
import { type CoxFit, fitCox, predictCumulativeHazard, predictSurvival } from "../../src/retention/cox.js";
import {
  coxResiduals,
  proportionalHazardsTest,
  schoenfeldResiduals,
} from "../../src/retention/cox-diagnostics.js";
import { nelsonAalen } from "../../src/retention/kaplan-meier.js";
import { partialLikelihood, riskDesign, type Ties } from "../../src/retention/risk-sets.js";
import { survivalColumns } from "../../src/retention/survival-data.js";
import { remission, repeated, simulated } from "./worlds.js";

const bothTies: readonly Ties[] = ["efron", "breslow"];

function sameEstimates(one: CoxFit, other: CoxFit, digits = 8): void {
  for (const name of Object.keys(one.coefficients)) {
    expect(one.coefficients[name]).toBeCloseTo(other.coefficients[name] ?? Number.NaN, digits);
    expect(one.standardErrors[name]).toBeCloseTo(other.standardErrors[name] ?? Number.NaN, digits);
  }
}

/** Rows cut at a time into two intervals. */
function cutAt(at: number, time: readonly number[], event: readonly number[]) {
  const cut = time.flatMap((t, i) => (t > at ? [i] : []));
  return {
    rows: [...time.map((_, i) => i), ...cut],
    time: [...time.map((t) => Math.min(t, at)), ...cut.map((i) => time[i] ?? 0)],
    event: [...event.map((e, i) => ((time[i] ?? 0) > at ? 0 : e)), ...cut.map((i) => event[i] ?? 0)],
    entry: [...time.map(() => -1), ...cut.map(() => at)],
  };
}

describe("fitCox", () => {
  it("reproduces the published estimates for 6-MP against placebo", () => {
    // Venables & Ripley (2002), Modern Applied Statistics with S, section 13.3 (Efron); Kalbfleisch & Prentice (Breslow).
    const efron = fitCox(remission, { placebo: remission.placebo });
    expect(efron.coefficients["placebo"]).toBeCloseTo(1.572, 3);
    expect(efron.standardErrors["placebo"]).toBeCloseTo(0.412, 3);
    expect(efron.likelihoodRatioTest.chiSquare).toBeCloseTo(16.35, 2);
    const breslow = fitCox(remission, { placebo: remission.placebo }, { ties: "breslow" });
    expect(breslow.coefficients["placebo"]).toBeCloseTo(1.509, 3);
    expect(breslow.standardErrors["placebo"]).toBeCloseTo(0.4096, 4);
  });

  it.each(bothTies)("has a gradient and a Hessian that finite differences confirm (%s)", (ties) => {
    const { time, event, covariates } = simulated(80, 1, { ties: true });
    const columns = survivalColumns({
      time,
      event,
      entry: time.map((t, i) => (i % 3 === 0 ? t / 3 : 0)),
      weight: time.map((_, i) => 0.5 + (i % 4)),
      strata: time.map((_, i) => i % 2),
    });
    const design = riskDesign(columns, covariates);
    const objective = (x: Float64Array, gradient: Float64Array): number => {
      const { logLikelihood, score } = partialLikelihood(design, x, ties);
      gradient.set(score);
      return logLikelihood;
    };
    for (const at of [
      [0, 0],
      [0.8, -1.3],
    ]) {
      expect(checkGradient(objective, at)).toBeLessThan(1e-8);
      const { information } = partialLikelihood(design, at, ties);
      const slope = (x: Float64Array, gradient: Float64Array): number => {
        const state = partialLikelihood(design, x, ties);
        for (let j = 0; j < 2; j++) gradient[j] = -(state.information[0]?.[j] ?? 0);
        return state.score[0] ?? 0;
      };
      expect(information[0]?.[0]).toBeGreaterThan(0);
      expect(checkGradient(slope, at)).toBeLessThan(1e-8);
    }
  });

  it.each(bothTies)("does not change if rows are cut into intervals (%s)", (ties) => {
    const { time, event, covariates } = simulated(120, 3, { ties: true });
    const whole = fitCox({ time, event }, covariates, { ties });
    const { rows, ...data } = cutAt(4, time, event);
    const cut = { x: rows.map((i) => covariates.x[i] ?? 0), y: rows.map((i) => covariates.y[i] ?? 0) };
    const parts = fitCox(data, cut, { ties, cluster: rows });
    const byCustomer = fitCox({ time, event }, covariates, { ties, robust: true });
    sameEstimates(parts, byCustomer);
    expect(parts.logLikelihood).toBeCloseTo(whole.logLikelihood, 9);
    expect(parts.concordance?.concordance).toBeCloseTo(whole.concordance?.concordance ?? 0, 12);
    expect(parts.concordance?.standardError).toBeCloseTo(whole.concordance?.standardError ?? 0, 12);
    expect(parts.modelCovariance[0]?.[1]).toBeCloseTo(whole.modelCovariance[0]?.[1] ?? 0, 10);
  });

  it("takes weights as repeated rows (Breslow; Efron's share of a tie depends on the number of rows)", () => {
    const { time, event, covariates } = simulated(70, 5);
    const weight = time.map((_, i) => 1 + (i % 3));
    const one = fitCox({ time, event, weight }, covariates, { ties: "breslow" });
    const many = { x: repeated(covariates.x, weight), y: repeated(covariates.y, weight) };
    const other = fitCox({ time: repeated(time, weight), event: repeated(event, weight) }, many, {
      ties: "breslow",
    });
    sameEstimates(one, other);
    expect(one.logLikelihood).toBeCloseTo(other.logLikelihood, 8);
    expect(one.concordance?.concordance).toBeCloseTo(other.concordance?.concordance ?? 0, 10);
  });

  it("depends on the order of times only, and on the scale of covariates as it must", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), (seed) => {
        const { time, event, covariates } = simulated(60, seed, { ties: true });
        const fit = fitCox({ time, event }, covariates);
        const stretched = time.map((t) => Math.exp(t / 4));
        const moved = { x: covariates.x.map((x) => 2000 + x / 100), y: covariates.y };
        const other = fitCox({ time: stretched, event }, moved);
        expect((other.coefficients["x"] ?? 0) / 100).toBeCloseTo(fit.coefficients["x"] ?? 0, 7);
        expect(other.coefficients["y"]).toBeCloseTo(fit.coefficients["y"] ?? 0, 7);
        expect(other.logLikelihood).toBeCloseTo(fit.logLikelihood, 8);
      }),
      { seed: 3, numRuns: 25 },
    );
  });

  it("adds up independent strata", () => {
    const a = simulated(60, 6);
    const b = simulated(50, 7);
    const x = [...a.covariates.x, ...b.covariates.x];
    const data = {
      time: [...a.time, ...b.time],
      event: [...a.event, ...b.event],
      strata: x.map((_, i) => (i < 60 ? "a" : "b")),
    };
    const fit = fitCox(data, { x });
    const at = (world: typeof a, beta: number): number => {
      const design = riskDesign(survivalColumns(world), { x: world.covariates.x });
      return partialLikelihood(design, [beta * (design.scale[0] ?? 0)], "efron").logLikelihood;
    };
    const beta = fit.coefficients["x"] ?? 0;
    expect(fit.logLikelihood).toBeCloseTo(at(a, beta) + at(b, beta), 9);
    expect(fit.baseline.map(({ stratum }) => stratum)).toEqual(["a", "b"]);
    const curves = ["a", "b"].map((stratum) => predictSurvival(fit, { x: [0] }, [3], { stratum })[0]?.[0]);
    expect(curves[0]).not.toBe(curves[1]);
    expect(() => predictSurvival(fit, { x: [0] }, [3])).toThrow("stratum must be one of a, b, got none");
  });

  it("covers the true effects about as often as 95% says, by model and by robust errors", () => {
    const covered = { model: 0, robust: 0 };
    const worlds = 250;
    for (let seed = 0; seed < worlds; seed++) {
      const { time, event, covariates } = simulated(150, seed);
      const fit = fitCox({ time, event }, covariates, { robust: true });
      const miss = Math.abs((fit.coefficients["x"] ?? 0) - 0.7);
      if (miss < 1.96 * Math.sqrt(fit.modelCovariance[0]?.[0] ?? 0)) covered.model++;
      if (miss < 1.96 * (fit.standardErrors["x"] ?? 0)) covered.robust++;
    }
    expect(Math.abs(covered.model / worlds - 0.95)).toBeLessThan(4 * Math.sqrt(0.0475 / worlds));
    expect(Math.abs(covered.robust / worlds - 0.94)).toBeLessThan(4 * Math.sqrt(0.0564 / worlds)); // a little short in small samples
  });

  it("counts concordant pairs as the definition says", () => {
    const { time, event, covariates } = simulated(60, 9, { ties: true });
    const x = covariates.x.map((value) => Math.round(value)); // ties of the score as well
    const entry = time.map((t, i) => (i % 3 === 0 ? t - 1 : -1));
    const fit = fitCox({ time, event, entry }, { x });
    const score = fit.linearPredictors;
    let [won, all] = [0, 0];
    for (const [i, t] of time.entries()) {
      if (event[i] === 0) continue;
      for (const [j, other] of time.entries()) {
        const staysOn = other > t || (other === t && event[j] === 0);
        if (i === j || !staysOn || (entry[j] ?? 0) >= t) continue;
        all++;
        won += (score[i] ?? 0) > (score[j] ?? 0) ? 1 : (score[i] ?? 0) === (score[j] ?? 0) ? 0.5 : 0;
      }
    }
    expect(fit.concordance?.concordance).toBeCloseTo(won / all, 12);
  });

  it("has Nelson and Aalen's hazard as baseline where covariates have no effect", () => {
    const { time, event } = simulated(100, 10, { ties: true });
    const mirrored = { time: [...time, ...time], event: [...event, ...event] };
    const x = [...time.map(() => 0), ...time.map(() => 1)];
    const fit = fitCox(mirrored, { x }, { ties: "breslow" });
    expect(fit.coefficients["x"]).toBeCloseTo(0, 12);
    const { times, cumulativeHazard } = nelsonAalen(mirrored);
    const ours = predictCumulativeHazard(fit, { x: [0.3] }, times)[0] ?? [];
    for (const [k, hazard] of cumulativeHazard.entries()) expect(ours[k]).toBeCloseTo(hazard, 12);
  });

  it("shrinks with the penalty, which also settles what has no maximum", () => {
    const x = [0, 0, 0, 1, 1, 1];
    const data = { time: [4, 5, 6, 1, 2, 3], event: [0, 0, 0, 1, 1, 1] };
    const soft = fitCox(data, { x }, { penalty: 0.01 }).coefficients["x"] ?? 0;
    const hard = fitCox(data, { x }, { penalty: 1 }).coefficients["x"] ?? 0;
    expect(soft).toBeGreaterThan(hard);
    expect(hard).toBeGreaterThan(0);
    const twins = fitCox(remission, { a: remission.placebo, b: remission.placebo }, { penalty: 0.1 });
    expect(twins.coefficients["a"]).toBeCloseTo(twins.coefficients["b"] ?? 0, 10);
  });

  it("names the covariates that cannot be estimated, and the remedy", () => {
    const { time, event, covariates } = simulated(60, 12);
    const { x, y } = covariates;
    expect(() => fitCox({ time, event }, { x, flat: x.map(() => 3) })).toThrow(
      "covariate flat must vary, but is 3 in every row: leave it out",
    );
    const sum = x.map((value, i) => 2 * value - 3 * (y[i] ?? 0));
    const noise = x.map((_, i) => Math.sin(i * i));
    expect(() => fitCox({ time, event }, { x, noise, y, sum })).toThrow(
      "Cox: covariate sum must not be a linear combination of x, y: leave one of them out, or set a penalty",
    );
    const never = event.map((e, i) => (e === 0 && i % 2 === 0 ? 1 : 0));
    expect(() => fitCox({ time, event }, { x, never })).toThrow(
      /^Cox: the coefficient of never has no finite maximum, the likelihood rises for ever: .* set a penalty such as 0.01$/,
    );
    const strata = y;
    expect(() => fitCox({ time, event, strata }, { x, y })).toThrow(
      "Cox: covariate y must vary among those at risk when somebody leaves, but does not: leave it out",
    );
  });

  it("names what else is wrong", () => {
    const { time, event, covariates } = simulated(20, 13);
    expect(() => fitCox({ time, event }, {})).toThrow("covariates must name at least one column, got none");
    expect(() => fitCox({ time, event: event.map(() => 0) }, covariates)).toThrow(
      "at least one row must have an event of 1, got 20 censored rows",
    );
    expect(() => fitCox({ time, event }, { x: [1] })).toThrow(
      "covariate x must have one value for each of the 20 rows, got 1",
    );
    expect(() => fitCox({ time, event }, { x: time.map((_, i) => (i === 3 ? Number.NaN : i)) })).toThrow(
      "covariate x in row 4 must be a finite number, got NaN",
    );
    expect(() => fitCox({ time, event }, covariates, { penalty: -1 })).toThrow(
      "penalty must be a number from 0 up, got -1",
    );
    const fit = fitCox({ time, event }, covariates);
    expect(() => predictSurvival(fit, { x: [1] }, [1])).toThrow("covariates must contain y, got x");
    expect(() => predictSurvival(fit, { x: [1], y: [0] }, [1000])).toThrow(
      /^times must be from 0 to the last observed time .*, got 1000$/,
    );
  });
});

describe("proportionalHazardsTest", () => {
  it("rejects a true hypothesis about as often as it should, and finds an effect that turns round", () => {
    let rejected = 0;
    const worlds = 200;
    for (let seed = 0; seed < worlds; seed++) {
      const { time, event, covariates } = simulated(120, seed);
      const fit = fitCox({ time, event }, covariates);
      const transform = (["km", "identity", "rank", "log"] as const)[seed % 4] ?? "km";
      if (proportionalHazardsTest(fit, { time, event }, covariates, { transform }).global.p < 0.05)
        rejected++;
    }
    expect(Math.abs(rejected / worlds - 0.05)).toBeLessThan(4 * Math.sqrt(0.0475 / worlds));
    // Half the customers leave three times as fast as the rest until time 4, and three times as slowly after it.
    const random = randomSource(17);
    const early = Array.from({ length: 300 }, (_, i) => i % 2);
    const other = early.map(() => random.uniform());
    const time = early.map((first) => {
      const hazard = drawExponential(random, 1);
      if (first === 0) return hazard / 0.1;
      return hazard < 1.2 ? hazard / 0.3 : 4 + (hazard - 1.2) / 0.033;
    });
    const data = { time, event: time.map(() => 1) };
    const test = proportionalHazardsTest(fitCox(data, { early, other }), data, { early, other });
    expect(test.covariates["early"]?.p).toBeLessThan(1e-6);
    expect(test.covariates["other"]?.p).toBeGreaterThan(0.001);
  });

  it("refuses the log of time 0", () => {
    const data = { time: [0, 1, 2, 3], event: [1, 1, 1, 0] };
    const x = [1, 3, 2, 2.5];
    expect(() => proportionalHazardsTest(fitCox(data, { x }), data, { x }, { transform: "log" })).toThrow(
      'transform must not be "log" with an event at time 0',
    );
  });
});

describe("residuals", () => {
  const { time, event, covariates } = simulated(90, 20, { ties: true });
  const data = {
    time,
    event,
    entry: time.map((t, i) => (i % 3 === 0 ? t / 2 - 0.2 : -1)),
    weight: time.map((_, i) => 1 + (i % 2)),
  };

  it.each(bothTies)("add up to zero at the optimum (%s)", (ties) => {
    const fit = fitCox(data, covariates, { ties });
    const { martingale, deviance, dfbeta } = coxResiduals(fit, data, covariates);
    const schoenfeld = schoenfeldResiduals(fit, data, covariates);
    expect(martingale.reduce((sum, value, i) => sum + value * (data.weight[i] ?? 0), 0)).toBeCloseTo(0, 9);
    for (const name of ["x", "y"]) {
      expect(dfbeta[name]?.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 9);
      const parts = Array.from(
        schoenfeld.residuals[name] ?? [],
        (value, k) => value * (data.weight[schoenfeld.row[k] ?? 0] ?? 0),
      );
      expect(parts.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 7);
    }
    for (const [i, value] of martingale.entries()) {
      expect(value).toBeLessThanOrEqual(event[i] ?? 0);
      expect(Math.sign(deviance[i] ?? 0)).toBe(Math.sign(value));
    }
    expect(schoenfeld.row.length).toBe(fit.events);
    expect([...schoenfeld.time]).toEqual(Array.from(schoenfeld.row, (row) => time[row]));
  });

  it("dfbeta is the slope of the estimates by each row's weight", () => {
    const fit = fitCox(data, covariates, { ties: "breslow" });
    const { dfbeta } = coxResiduals(fit, data, covariates);
    for (const row of [0, 1, 2, 30]) {
      const step = 1e-4;
      const moved = [1, -1].map((sign) => {
        const weight = data.weight.map((w, i) => (i === row ? w + sign * step : w));
        return fitCox({ ...data, weight }, covariates, { ties: "breslow" }).coefficients["x"] ?? 0;
      });
      const slope = ((moved[0] ?? 0) - (moved[1] ?? 0)) / (2 * step);
      expect((dfbeta["x"]?.[row] ?? 0) / (data.weight[row] ?? 0)).toBeCloseTo(slope, 6);
    }
  });

  it("need the rows of the fit", () => {
    const fit = fitCox(data, covariates);
    const { time, event } = data;
    const fewer = { time: time.slice(1), event: event.slice(1) };
    for (const diagnose of [proportionalHazardsTest, coxResiduals, schoenfeldResiduals]) {
      expect(() => diagnose(fit, fewer, covariates)).toThrow(
        `data must be those of the fit with ${time.length} rows, got ${time.length - 1} rows`,
      );
    }
  });
});
