import { describe, expect, it } from "vitest";
import type { Figure } from "../../src/charts/figure.js";
import {
  reliabilityFigure,
  savedCurveFigure,
  targetingFigure,
  upliftFigure,
} from "../../src/charts/intervention.js";
import { randomSource } from "../../src/numeric/random.js";
import { reliabilityTable } from "../../src/scoring/score-quality.js";
import { compareTargeting } from "../../src/strategy/intervention.js";
import { fitSavedCurve, savedCurveInterval } from "../../src/strategy/saved-curve.js";
import { upliftFromTrial } from "../../src/strategy/trial-uplift.js";
import { describeFigures, titleOf } from "./describe-figures.js";

const random = randomSource(5);
const size = 600;
const column = (draw: (row: number) => number): number[] =>
  Array.from({ length: size }, (_, row) => draw(row));
const stay = column(() => 0.5 + 0.5 * random.uniform());
const value = column(() => 20 + 100 * random.uniform());
// The riskiest customers are lost causes: an offer does most for those in the middle.
const stayWithOffer = stay.map((p) => p + 1.4 * (p - 0.5) * (1 - p));
const outcomes = stay.map((p) => Number(random.uniform() > p));
const comparison = compareTargeting({ stay, stayWithOffer, value }, { contactCost: 0.5, offerCost: 4 });
const trial = upliftFromTrial([
  { arm: "control", customers: 80, stayed: 48 },
  { arm: "letter", customers: 75, stayed: 46 },
  { arm: "discount", customers: 70, stayed: 56 },
]);
const arms = [0, 5, 10, 20, 40].map((amount, i) => ({
  amount,
  customers: 4000,
  stayed: [3200, 3320, 3400, 3520, 3560][i] as number,
}));
const fit = fitSavedCurve(arms);

const draw = () => {
  const interval = savedCurveInterval(fit, arms, {
    amounts: [0, 5, 10, 15, 20, 30, 40],
    random: randomSource(2),
    draws: 50,
  });
  return {
    targeting: {
      figure: targetingFigure(comparison, { currency: "EUR", source: "a simulated base" }),
      traces: [
        "expected profit",
        "uplift x value",
        "uplift",
        "churn risk x value",
        "churn risk",
        "at random",
        "best share of each rule",
      ],
    },
    uplift: { figure: upliftFigure(trial, { source: "a trial" }), traces: ["95% interval", "uplift"] },
    saved: {
      figure: savedCurveFigure(fit, arms, { currency: "EUR", interval }),
      traces: ["90% band", "fitted curve", "arms of the trial"],
    },
    reliability: {
      figure: reliabilityFigure(
        reliabilityTable(
          stay.map((p) => 1 - p),
          outcomes,
        ),
      ),
      traces: ["as predicted", "interval of the observed share", "groups of customers"],
    },
  };
};
const figures: Readonly<Record<string, { readonly figure: Figure }>> = draw();
const figureNamed = (name: string): Figure => figures[name]?.figure as Figure;

describeFigures(draw);

describe("figures of interventions", () => {
  it("state the finding", () => {
    const best = (rule: string): string => {
      const optimum = comparison.optima.find((one) => one.rule === rule);
      return `${optimum?.profit.toFixed(0)} ${((optimum?.share ?? 0) * 100).toFixed(0)}`;
    };
    expect([best("expected profit"), best("churn risk")]).toEqual(["764 52", "553 74"]);
    expect(titleOf(figureNamed("targeting"))).toBe(
      "The offer earns most at 52% of customers by expected profit: 764 EUR; by churn risk at most 553 EUR at 74%",
    );
    // Newcombe (1998): .0524 to .3339.
    expect(titleOf(figureNamed("uplift"))).toBe(
      '"discount" keeps +20.0 points more than "control" (95% interval +5.2 to +33.4)',
    );
    expect(titleOf(figureNamed("saved"))).toBe(
      "Offers keep up to 48% of the would-be leavers; half of that takes 8.50 EUR",
    );
    expect(titleOf(figureNamed("reliability"))).toMatch(
      /^In (8|9|10) of 10 groups the observed share agrees with the predicted probability of leaving$/,
    );
  });

  it("say so if an offer loses on everybody, or an arm is not sure to help", () => {
    const poor = compareTargeting({ stay, stayWithOffer: stay, value }, { contactCost: 1, offerCost: 0 });
    const figure = targetingFigure(poor, { currency: "EUR" });
    expect(titleOf(figure)).toBe("The offer loses money on every customer, whatever the rule");
    expect(figure.data).toHaveLength(6);
    const letter = upliftFromTrial([
      { arm: "control", customers: 80, stayed: 48 },
      { arm: "letter", customers: 75, stayed: 46 },
    ]);
    expect(titleOf(upliftFigure(letter))).toMatch(/^"letter" may keep \+1\.3 points/);
  });

  it("put the curve through the parameters and the points at the saved shares", () => {
    const [band, curve, points] = savedCurveFigure(fit, arms, {
      currency: "EUR",
      interval: {
        parameters: { baseRate: [0, 1], ceiling: [0, 1], k: [0, 1] },
        curve: [
          { amount: 0, low: 0, high: 0.1 },
          { amount: 40, low: 0.2, high: 0.6 },
        ],
        level: 0.9,
        draws: 1,
      },
    }).data;
    expect(band?.["y"]).toEqual([0.1, 0.6, 0.2, 0]);
    const { baseRate, ceiling, k } = fit.parameters;
    const ends = [curve, points].map((trace) => [...((trace?.["y"] ?? []) as number[])].pop());
    expect(ends[0]).toBeCloseTo(ceiling * (1 - Math.exp(-k * 40)), 12);
    expect(ends[1]).toBeCloseTo(1 - 0.11 / (1 - baseRate), 12);
  });
});
