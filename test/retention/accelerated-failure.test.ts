import { describe, expect, it } from "vitest";
import { randomSource } from "../../src/numeric/random.js";
import { drawExponential, drawNormal } from "../../src/numeric/sampling.js";
import {
  acceleratedQuantile,
  acceleratedSurvival,
  fitAcceleratedFailure,
  type LifetimeDistribution,
  simulateLifetimes,
} from "../../src/retention/accelerated-failure.js";
import { remission, repeated, simulated } from "./worlds.js";

const distributions: readonly LifetimeDistribution[] = [
  "weibull",
  "exponential",
  "log-normal",
  "log-logistic",
];

describe("fitAcceleratedFailure", () => {
  it("reproduces the published models of 6-MP against placebo", () => {
    // Venables & Ripley (2002), Modern Applied Statistics with S, section 13.2: treat is 1 for the controls.
    const weibull = fitAcceleratedFailure(remission, { placebo: remission.placebo });
    expect(weibull.coefficients["intercept"]).toBeCloseTo(3.516, 3);
    expect(weibull.coefficients["placebo"]).toBeCloseTo(-1.267, 3);
    expect(weibull.scale).toBeCloseTo(0.732, 3);
    expect(weibull.logLikelihood).toBeCloseTo(-106.6, 1);
    const exponential = fitAcceleratedFailure(
      remission,
      { placebo: remission.placebo },
      { distribution: "exponential" },
    );
    expect(exponential.coefficients["placebo"]).toBeCloseTo(-1.527, 3);
    expect(exponential.standardErrors["placebo"]).toBeCloseTo(0.398, 3);
    expect(exponential.logLikelihood).toBeCloseTo(-108.5, 1);
  });

  it("is events over exposure for an exponential without covariates, also with late entry", () => {
    const { time, event } = simulated(60, 3);
    const entry = time.map((t, i) => (i % 2 === 0 ? t / 3 : 0));
    const fit = fitAcceleratedFailure({ time, event, entry }, {}, { distribution: "exponential" });
    const exposure = time.reduce((sum, t, i) => sum + t - (entry[i] ?? 0), 0);
    expect(Math.exp(fit.coefficients["intercept"] ?? 0)).toBeCloseTo(exposure / fit.events, 9);
    expect(fit.standardErrors["intercept"]).toBeCloseTo(1 / Math.sqrt(fit.events), 9);
  });

  it.each(distributions)(
    "recovers the parameters that generated the data, with honest errors (%s)",
    (distribution) => {
      const random = randomSource(4);
      const noise = (): number => {
        if (distribution === "log-normal") return drawNormal(random);
        if (distribution === "log-logistic") {
          const u = random.uniform();
          return Math.log(u) - Math.log1p(-u);
        }
        return Math.log(drawExponential(random, 1));
      };
      const scale = distribution === "exponential" ? 1 : 0.6;
      const worlds = 120;
      let covered = 0;
      for (let world = 0; world < worlds; world++) {
        const x = Array.from({ length: 150 }, () => drawNormal(random));
        const lifetime = x.map((value) => Math.exp(2 + 0.5 * value + scale * noise()));
        const horizon = x.map(() => 25 * random.uniform() + 0.5);
        const data = {
          time: lifetime.map((t, i) => Math.min(t, horizon[i] ?? 0)),
          event: lifetime.map((t, i) => t < (horizon[i] ?? 0)),
        };
        const fit = fitAcceleratedFailure(data, { x }, { distribution });
        if (Math.abs((fit.coefficients["x"] ?? 0) - 0.5) < 1.96 * (fit.standardErrors["x"] ?? 0)) covered++;
      }
      expect(Math.abs(covered / worlds - 0.95)).toBeLessThan(4 * Math.sqrt(0.0475 / worlds));
    },
  );

  it.each(distributions)(
    "takes weights as repeated rows, and rows cut into intervals as whole ones (%s)",
    (distribution) => {
      const { time, event, covariates } = simulated(60, 5);
      const weight = time.map((_, i) => 1 + (i % 3));
      const whole = { time: repeated(time, weight), event: repeated(event, weight) };
      const x = repeated(covariates.x, weight);
      const many = fitAcceleratedFailure(whole, { x }, { distribution });
      const one = fitAcceleratedFailure({ time, event, weight }, { x: covariates.x }, { distribution });
      const cut = fitAcceleratedFailure(
        {
          time: [...time.map((t) => t / 2), ...time],
          event: [...time.map(() => 0), ...event],
          entry: [...time.map(() => 0), ...time.map((t) => t / 2)],
          weight: [...weight, ...weight],
        },
        { x: [...covariates.x, ...covariates.x] },
        { distribution },
      );
      for (const fit of [one, cut]) {
        expect(fit.logLikelihood).toBeCloseTo(many.logLikelihood, 8);
        expect(fit.coefficients["x"]).toBeCloseTo(many.coefficients["x"] ?? 0, 7);
        expect(fit.standardErrors["x"]).toBeCloseTo(many.standardErrors["x"] ?? 0, 7);
        expect(fit.scale).toBeCloseTo(many.scale, 7);
      }
    },
  );

  it("moves only its intercept if times change their unit", () => {
    const { time, event, covariates } = simulated(80, 6);
    const weeks = fitAcceleratedFailure({ time, event }, covariates);
    const days = fitAcceleratedFailure({ time: time.map((t) => 7 * t), event }, covariates);
    expect((days.coefficients["intercept"] ?? 0) - (weeks.coefficients["intercept"] ?? 0)).toBeCloseTo(
      Math.log(7),
      8,
    );
    expect(days.coefficients["x"]).toBeCloseTo(weeks.coefficients["x"] ?? 0, 8);
    expect(days.logLikelihood).toBeCloseTo(weeks.logLikelihood - weeks.events * Math.log(7), 8);
  });

  it("names what is wrong", () => {
    const { time, event, covariates } = simulated(60, 7);
    expect(() => fitAcceleratedFailure({ time: [0, 1], event: [1, 1] }, {})).toThrow(
      "time in row 1 must be above 0, got 0",
    );
    expect(() => fitAcceleratedFailure({ time, event, strata: event }, {})).toThrow(
      "strata must not be given: use a covariate for each stratum but one",
    );
    expect(() => fitAcceleratedFailure({ time, event }, { intercept: time })).toThrow(
      "a covariate must not be named intercept: rename the column",
    );
    const { x } = covariates;
    expect(() => fitAcceleratedFailure({ time, event }, { x, z: x.map((value) => 1 - value) })).toThrow(
      "covariates x, z must not be linear combinations of each other",
    );
    const never = event.map((e, i) => (e === 0 && i % 2 === 0 ? 1 : 0));
    for (const distribution of distributions) {
      expect(() => fitAcceleratedFailure({ time, event }, { x, never }, { distribution })).toThrow(
        `accelerated failure time: the ${distribution} likelihood has no maximum that Newton's method could reach, the coefficient of never grows for ever`,
      );
    }
  });
});

describe("predictions", () => {
  it("follow the closed forms from published parameters", () => {
    const weibull = {
      distribution: "weibull",
      coefficients: { intercept: 3.516, placebo: -1.267 },
      scale: 0.732,
    } as const;
    const [treated, placebo] = acceleratedSurvival(weibull, { placebo: [0, 1] }, [0, 10]);
    expect(treated?.[0]).toBe(1);
    expect(treated?.[1]).toBeCloseTo(Math.exp(-((10 / Math.exp(3.516)) ** (1 / 0.732))), 12);
    expect(placebo?.[1]).toBeCloseTo(Math.exp(-((10 / Math.exp(3.516 - 1.267)) ** (1 / 0.732))), 12);
    expect(acceleratedQuantile(weibull, { placebo: [1] })[0]).toBeCloseTo(
      Math.exp(2.249) * Math.log(2) ** 0.732,
      10,
    );
  });

  it.each(distributions)("have quantiles that undo the curve (%s)", (distribution) => {
    const model = { distribution, coefficients: { intercept: 2, x: 0.4 }, scale: 0.8 };
    for (const share of [0.001, 0.2, 0.5, 0.9, 0.999]) {
      const [time = 0] = acceleratedQuantile(model, { x: [-1] }, share);
      expect((acceleratedSurvival(model, { x: [-1] }, [time])[0]?.[0] ?? 0) / share).toBeCloseTo(1, 10);
    }
    expect(() => acceleratedQuantile(model, { x: [1] }, 0)).toThrow("share must be between 0 and 1, got 0");
    expect(() => acceleratedSurvival(model, { x: [1] }, [-1])).toThrow("times must be from 0 up, got -1");
    expect(() => acceleratedSurvival(model, { y: [1] }, [1])).toThrow("covariates must contain x, got y");
  });
});

describe("simulated lifetimes", () => {
  const model = { coefficients: { intercept: 2, x: 0.5 }, scale: 0.6 };
  it.each(["weibull", "exponential", "log-normal", "log-logistic"] as const)(
    "give the parameters back that drew them: %s",
    (distribution) => {
      const random = randomSource(11);
      const x = Array.from({ length: 6000 }, () => drawNormal(random));
      const until = x.map(() => 4 + 30 * random.uniform());
      const scale = distribution === "exponential" ? 1 : model.scale;
      const data = simulateLifetimes({ ...model, distribution, scale }, { x }, random, { until });
      expect(data.event.includes(0)).toBe(true);
      const fit = fitAcceleratedFailure(data, { x }, { distribution });
      const off = (name: "intercept" | "x"): number =>
        Math.abs((fit.coefficients[name] as number) - model.coefficients[name]) /
        (fit.standardErrors[name] as number);
      expect(Math.max(off("intercept"), off("x"))).toBeLessThan(3);
      expect(Math.abs(fit.scale - scale)).toBeLessThan(0.03);
    },
  );

  it("name a row whose end is missing or not above 0", () => {
    const of = (until: number[]) => () =>
      simulateLifetimes({ ...model, distribution: "weibull" }, { x: [0, 1] }, randomSource(1), { until });
    expect(of([1, 0])).toThrow("until in row 2 must be a finite number above 0, got 0");
    expect(of([1])).toThrow("until must have one value for each of the 2 rows, got 1");
  });
});
