import { table } from "arquero";
import { describe, expect, it } from "vitest";
import { attribute } from "../../src/acquisition/attribution.js";
import { marginalCost } from "../../src/acquisition/marginal-cost.js";
import { fitResponseCurve } from "../../src/acquisition/response-fit.js";
import { requireOneOf } from "../../src/core/arguments.js";
import { statesByRecency } from "../../src/migration/states.js";
import { fitAcceleratedFailure } from "../../src/retention/accelerated-failure.js";
import { cohortTable } from "../../src/retention/cohorts.js";
import { cumulativeIncidence } from "../../src/retention/competing-risks.js";
import { fitCox } from "../../src/retention/cox.js";
import { proportionalHazardsTest } from "../../src/retention/cox-diagnostics.js";
import { kaplanMeier } from "../../src/retention/kaplan-meier.js";
import { logRankTest } from "../../src/retention/log-rank.js";
import { constantRetentionValue } from "../../src/retention/value-arithmetic.js";
import { allocateBudget } from "../../src/strategy/budget.js";
import { proportionPower, proportionSampleSize } from "../../src/strategy/holdout-design.js";

/** A text that the types would refuse, as a caller without types gives it. */
const odd = "odd" as never;

const data = { time: [1, 2, 3, 4, 5], event: [1, 0, 1, 1, 0] };
const covariates = { x: [2, 1, 3, 0, 1] };
const log = table({ customer_key: [1], ordered_on: ["2024-01-01"], amount: [1] });
const month = { by: "month", end: "2024-03-31" } as const;
const rates = { control: 0.8, treated: 0.85 };
const curve = fitResponseCurve({ spend: [100, 200, 400, 800], won: [10, 18, 30, 40] }, { shape: "log" });
const use = {
  name: "mail",
  segment: "all",
  channel: "mail",
  value: Math.log1p,
  marginal: (x: number) => 1 / (1 + x),
};

const callers: readonly (readonly [message: string, call: () => unknown])[] = [
  [
    "convention must be one of first payment now, just acquired, end of period, got odd",
    () => constantRetentionValue({ margin: 1, retentionRate: 0.8, discountRate: 0.1 }, odd),
  ],
  ["ties must be one of efron, breslow, got odd", () => fitCox(data, covariates, { ties: odd })],
  [
    "transform must be one of km, identity, rank, log, got odd",
    () => proportionalHazardsTest(fitCox(data, covariates), data, covariates, { transform: odd }),
  ],
  ["confidence must be one of log, log-log, plain, got odd", () => kaplanMeier(data, { confidence: odd })],
  [
    "confidence must be one of log, log-log, plain, got odd",
    () => cumulativeIncidence({ time: data.time, cause: data.event }, { confidence: odd }),
  ],
  [
    "weights must be log-rank, peto-peto, gehan-breslow or powers p and q, got odd",
    () => logRankTest(data, ["a", "a", "b", "b", "b"], { weights: odd }),
  ],
  [
    "distribution must be one of weibull, exponential, log-normal, log-logistic, got odd",
    () => fitAcceleratedFailure(data, covariates, { distribution: odd }),
  ],
  ["method must be one of profile, delta, got odd", () => marginalCost(curve, 200, { method: odd })],
  [
    "rule must be one of first touch, last touch, last non-direct, linear, time decay, position-based, Markov, Shapley, got odd",
    () => attribute([{ channels: ["web"], converted: 1, lost: 0 }], { rule: odd }),
  ],
  ["objective must be one of net value, value, got odd", () => allocateBudget([use], 1, { objective: odd })],
  [
    "method must be one of normal, continuity, arcsine, got odd",
    () => proportionSampleSize(rates, { method: odd }),
  ],
  [
    "method must be one of normal, continuity, arcsine, got odd",
    () => proportionPower(rates, { control: 10, treated: 10 }, { method: odd }),
  ],
  [
    "afterLapse must be one of returns, stays-lapsed, got odd",
    () => statesByRecency(log, { ...month, longest: 2, afterLapse: odd }),
  ],
  [
    "by must be one of week, month, quarter, got odd",
    () => statesByRecency(log, { ...month, by: odd, longest: 2 }),
  ],
  ["by must be one of week, month, quarter, got odd", () => cohortTable(log, { ...month, by: odd })],
];

describe("an option in words", () => {
  it("is one of those allowed", () => {
    expect(() => {
      requireOneOf("ties", "efron", ["efron", "breslow"]);
    }).not.toThrow();
  });

  it.each(callers)("else: %s", (message, call) => {
    expect(call).toThrow(new RangeError(message));
  });
});
