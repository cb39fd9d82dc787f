import { describe, expect, it } from "vitest";
import { levelBalanceFigure, levelOverlapFigure, powerFigure } from "../../src/charts/design.js";
import type { Figure } from "../../src/charts/figure.js";
import { thousands } from "../../src/charts/theme.js";
import { randomSource } from "../../src/numeric/random.js";
import { defineAttributes } from "../../src/tradeoff/attributes.js";
import { randomDesign, type SurveyDesign } from "../../src/tradeoff/design.js";
import { shiftedDesign } from "../../src/tradeoff/design-orthogonal.js";
import { designReport, type PowerAnalysis, powerBySimulation } from "../../src/tradeoff/design-report.js";
import { survey } from "../tradeoff/surveys.js";
import { describeFigures, titleOf } from "./describe-figures.js";

const attributes = defineAttributes(
  [
    { name: "delivery", levels: ["weekly", "fortnightly", "monthly"] },
    { name: "origin", levels: ["single estate", "blend"] },
    { name: "price", levels: [12, 15, 18], as: "linear" },
  ],
  { none: true },
);
const design: SurveyDesign = randomDesign(
  attributes,
  { versions: 2, tasks: 3, alternatives: 3 },
  { random: randomSource(3), overlap: "any" },
);
const coefficients = {
  "delivery fortnightly": 0.2,
  "delivery monthly": 0.5,
  "origin blend": -0.6,
  price: -0.12,
  none: -2,
};
const study = (respondents: number[]): Promise<PowerAnalysis> =>
  powerBySimulation(design, coefficients, {
    respondents,
    simulations: 100,
    random: randomSource(1),
    workers: 0,
  });
const power = await study([50, 100, 200, 400, 800]);
const names = ["delivery fortnightly", "delivery monthly", "price", "origin blend", "none"];
const draw = () => {
  const report = designReport(design, { random: randomSource(2) });
  return {
    balance: {
      figure: levelBalanceFigure(report, { source: "questionnaire" }),
      traces: ["shown, relative to equally often"],
    },
    overlap: { figure: levelOverlapFigure(report), traces: ["this design", "least possible"] },
    power: {
      figure: powerFigure(power),
      traces: [...power.coefficients]
        .sort((a, b) => (b.analyticRespondents ?? 0) - (a.analyticRespondents ?? 0))
        .flatMap(({ coefficient }) => [`${coefficient}, from the design`, coefficient]),
    },
  };
};
const figures: Readonly<Record<string, { readonly figure: Figure }>> = draw();

describeFigures(draw);

describe("design figures", () => {
  it("state the finding", async () => {
    const report = designReport(design, { random: randomSource(2) });
    const [worst] = [...report.levels].sort((a, b) => {
      const distance = ({ share, expectedShare }: typeof a): number => Math.abs(share / expectedShare - 1);
      return distance(b) - distance(a);
    });
    expect(titleOf(figures["balance"]?.figure as Figure)).toMatch(
      new RegExp(
        `^"${worst?.attribute} ${worst?.level}" is furthest from equally often: \\d\\.\\d\\d times as often`,
      ),
    );
    expect(titleOf(figures["overlap"]?.figure as Figure)).toMatch(
      /^Two products of a task have the same (delivery|origin|price) in \d+% of cases, \d+% would be least$/,
    );
    const hardest = power.coefficients.find(({ coefficient }) => coefficient === names[0]);
    expect(titleOf(powerFigure(power))).toBe(
      hardest?.enough === undefined
        ? `800 respondents find "delivery fortnightly" with ${Math.round(100 * (hardest?.points[4]?.power as number))}% power only: 80% needs about ${thousands(hardest?.analyticRespondents as number)}`
        : `${hardest.enough} respondents find every effect with 80% power; "delivery fortnightly" is hardest`,
    );
    expect(titleOf(powerFigure(await study([30])))).toMatch(
      /^30 respondents find "delivery fortnightly" with \d+(\.\d)?% power only: 80% needs about [\d,]+$/,
    );
  });

  it("write counts beside the axes, where no line crosses them", () => {
    const { data, layout } = levelBalanceFigure(designReport(design, { random: randomSource(2) }));
    const { annotations } = layout as unknown as {
      annotations: { text: string; xref: string; x: number; y: string }[];
    };
    expect(annotations.map(({ y }) => y)).toEqual(data[0]?.["y"]);
    for (const { text, xref, x } of annotations) {
      expect(text).toMatch(/^\d+ \(\d+(\.\d)?%\)$/);
      expect([xref, x > 1]).toEqual(["paper", true]);
    }
    expect(data[0]?.["text"]).toBeUndefined();
  });

  it("say so when nothing could be better", () => {
    const report = designReport(
      shiftedDesign(survey(3, 3, 3), { alternatives: 3, random: randomSource(1) }),
      {
        random: randomSource(1),
      },
    );
    expect(titleOf(levelBalanceFigure(report))).toBe("Every level is shown equally often");
    expect(titleOf(levelOverlapFigure(report))).toBe("Products of a task differ as much as they can");
  });

  it("draw the six coefficients that are hardest to find, and none of 0", async () => {
    const many = survey(4, 4, 3);
    const analysis = await powerBySimulation(
      randomDesign(many, { versions: 2, tasks: 8, alternatives: 3 }, { random: randomSource(4) }),
      {
        "a0 l1": 0.1,
        "a0 l2": 0.2,
        "a0 l3": 0.3,
        "a1 l1": 0.4,
        "a1 l2": 0.5,
        "a1 l3": 0.6,
        "a2 l1": 0.7,
        "a2 l2": 0,
      },
      { respondents: [100], simulations: 20, random: randomSource(5), workers: 0 },
    );
    const { data, layout } = powerFigure(analysis);
    expect(data).toHaveLength(12);
    expect(data.map(({ name }) => name)).not.toContain("a2 l2");
    expect(JSON.stringify(layout)).toContain("not drawn: 1 easier effect)");
    const nothing = { ...analysis, coefficients: analysis.coefficients.filter(({ value }) => value === 0) };
    expect(() => powerFigure(nothing)).toThrow(
      new RangeError("coefficients must not all be 0 for a figure of power"),
    );
  });
});
