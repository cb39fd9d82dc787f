import { JSDOM } from "jsdom";
import { describe, expect, it } from "vitest";
import {
  covariateEffectFigure,
  incidenceFigure,
  survivalCalibrationFigure,
  survivalFigure,
} from "../../src/charts/survival.js";
import { createFigureRenderer } from "../../src/lab/export/static-svg.js";
import { pageBox } from "../../src/lab/export/svg-boxes.js";
import { cumulativeIncidence } from "../../src/retention/competing-risks.js";
import { fitCox } from "../../src/retention/cox.js";
import { kaplanMeierByStratum } from "../../src/retention/kaplan-meier.js";
import { survivalCalibration } from "../../src/retention/survival-calibration.js";
import { remission, simulated } from "../retention/worlds.js";
import { describeFigures, titleOf } from "./describe-figures.js";

const strata = remission.placebo.map((is) => (is === 1 ? "placebo" : "6-MP"));
const groups = kaplanMeierByStratum({ ...remission, strata }, { confidence: "log-log" });
const cause = remission.event.map((left, i) => (left === 0 ? 0 : i % 3 === 0 ? "moved away" : "cancelled"));
const world = simulated(400, 5);
const fit = fitCox(world, world.covariates);
const predicted = world.time.map((_, i) => 0.3 + 0.4 * ((i % 10) / 10));
const plans = ["Gift", "Large plan, paid every month in advance"];
const crowd = {
  ...remission,
  weight: remission.time.map(() => 1234),
  strata: strata.map((name) => plans[Number(name === "placebo")] as string),
};
const crowdTraces = plans.flatMap((plan) => [`${plan}, 95% band`, plan]);
crowdTraces.push(...plans.map((plan) => `${plan}, at risk`));
const draw = () => ({
  curves: {
    figure: survivalFigure(groups, { unit: "weeks", source: "Freireich et al. (1963)" }),
    traces: ["6-MP, 95% band", "6-MP", "placebo, 95% band", "placebo", "6-MP, at risk", "placebo, at risk"],
  },
  "one curve": {
    figure: survivalFigure(groups.slice(1), { unit: "weeks" }),
    traces: ["placebo, 95% band", "placebo", "placebo, at risk"],
  },
  "long labels": {
    figure: survivalFigure(kaplanMeierByStratum(crowd), { unit: "weeks" }),
    traces: crowdTraces,
  },
  effects: {
    figure: covariateEffectFigure(fit),
    traces: ["95% interval", "estimate"],
  },
  incidence: {
    figure: incidenceFigure(cumulativeIncidence({ time: remission.time, cause }), { unit: "weeks" }),
    traces: ["cancelled", "moved away"],
  },
  calibration: {
    figure: survivalCalibrationFigure(survivalCalibration(world, predicted, { at: 8, groups: 5 })),
    traces: ["predictions come true", "interval of the observed share", "group of customers"],
  },
});

describeFigures(draw);

describe("titles of survival figures", () => {
  const figures = draw();
  it("tell the medians: 23 and 8 weeks of remission", () => {
    expect(titleOf(figures.curves.figure)).toBe(
      'Half have left: "6-MP" after 23 weeks, "placebo" after 8 weeks',
    );
    expect(titleOf(figures["one curve"].figure)).toBe("Half have left after 8 weeks");
  });

  it("name the strongest effect that is sure", () => {
    expect(titleOf(figures.effects.figure)).toMatch(
      /^"x" multiplies the hazard of leaving by [12]\.\d+ \(95% interval/,
    );
  });

  it("give the shares gone by cause and still there", () => {
    const { causes, survival } = cumulativeIncidence({ time: remission.time, cause });
    expect(titleOf(figures.incidence.figure)).toContain(
      `${((causes[0]?.incidence.at(-1) ?? 0) * 100).toFixed(0)}% gone for "cancelled"`,
    );
    expect(titleOf(figures.incidence.figure)).toContain(
      `${((survival.at(-1) ?? 0) * 100).toFixed(0)}% still there`,
    );
  });

  it("count the groups whose prediction misses", () => {
    expect(titleOf(figures.calibration.figure)).toMatch(
      /^Predictions (miss in \d of|come true in all) 5 groups/,
    );
  });

  it("shows numbers at risk below the curves: 21 patients each at the start", () => {
    const risk = figures.curves.figure.data.filter(({ name }) => String(name).endsWith("at risk"));
    expect(risk.map(({ text }) => (text as string[])[0])).toEqual(["21", "21"]);
  });

  it("keeps labels of groups off the first numbers at risk", async () => {
    const renderer = await createFigureRenderer();
    const svg = await renderer.render(figures["long labels"].figure);
    renderer.close();
    const { documentElement } = new JSDOM(svg, { contentType: "image/svg+xml" }).window.document;
    const texts = Array.from(documentElement.querySelectorAll("text"));
    const boxesOf = (says: RegExp) => texts.filter((text) => says.test(text.textContent)).map(pageBox);
    const [numbers, labels] = [boxesOf(/^25,914$/), boxesOf(/^Gift$|^Large plan, paid/)];
    expect(numbers).toHaveLength(2);
    const ends = labels.map(({ right }) => right).filter((right) => right < 200); // the others are in the legend
    expect(ends).toHaveLength(2);
    const gap = Math.min(...numbers.map(({ left }) => left)) - Math.max(...ends);
    expect(gap).toBeGreaterThan(4); // pixels
  });

  it("refuses no curve and more than six", () => {
    expect(() => survivalFigure([], { unit: "weeks" })).toThrow("groups must be 1 to 6, got 0");
  });
});
