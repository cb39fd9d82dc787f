import { describe, expect, it } from "vitest";
import { ConvergenceError } from "../../src/core/errors.js";
import { randomSource } from "../../src/numeric/random.js";
import { normalQuantile } from "../../src/numeric/special.js";
import { defineAttributes } from "../../src/tradeoff/attributes.js";
import { randomDesign, type SurveyDesign } from "../../src/tradeoff/design.js";
import { expectedStandardErrors } from "../../src/tradeoff/design-efficiency.js";
import { shiftedDesign } from "../../src/tradeoff/design-orthogonal.js";
import {
  type CoefficientPower,
  designReport,
  powerBySimulation,
  ruleOfThumbRespondents,
} from "../../src/tradeoff/design-report.js";
import { efficientDesign } from "../../src/tradeoff/design-search.js";
import { survey } from "./surveys.js";

/** Two versions of one task of two products, by hand: a0 l0/l1 against l1/l1, then l0 against l0. */
const small: SurveyDesign = {
  method: "by hand",
  attributes: survey(2, 2),
  versions: 2,
  tasks: 1,
  alternatives: 2,
  levels: [0, 0, 1, 1, 0, 1, 0, 0],
  warnings: [],
};

describe("design report", () => {
  it("counts levels, pairs and overlap", () => {
    const { levels, pairs, overlap } = designReport(small, { random: randomSource(1) });
    expect(levels).toEqual([
      { attribute: "a0", level: "l0", count: 3, share: 0.75, expectedShare: 0.5, versionsWithout: 0 },
      { attribute: "a0", level: "l1", count: 1, share: 0.25, expectedShare: 0.5, versionsWithout: 1 },
      { attribute: "a1", level: "l0", count: 2, share: 0.5, expectedShare: 0.5, versionsWithout: 0 },
      { attribute: "a1", level: "l1", count: 2, share: 0.5, expectedShare: 0.5, versionsWithout: 0 },
    ]);
    expect(pairs.map(({ levels: both, count, expected }) => [...both, count, expected])).toEqual([
      ["l0", "l0", 2, 1.5],
      ["l0", "l1", 1, 1.5],
      ["l1", "l0", 0, 0.5],
      ["l1", "l1", 1, 0.5],
    ]);
    expect(overlap).toEqual([
      { attribute: "a0", overlap: 0.5, leastOverlap: 0, tasksWithoutContrast: 0.5 },
      { attribute: "a1", overlap: 0, leastOverlap: 0, tasksWithoutContrast: 0 },
    ]);
  });

  it("finds an orthogonal design balanced, without overlap, and better than random ones", () => {
    const design = shiftedDesign(survey(3, 3, 3), { alternatives: 3, random: randomSource(2) });
    const report = designReport(design, { random: randomSource(3), coding: "effects", respondents: 100 });
    for (const { share } of report.levels) expect(share).toBeCloseTo(1 / 3, 12);
    for (const { count, expected } of report.pairs) expect(count).toBeCloseTo(expected, 12);
    for (const row of report.overlap) expect(row.overlap).toBe(0);
    expect(report.respondentsOfRandom).toBeLessThan(0.75);
    expect(report.standardErrors).toEqual(expectedStandardErrors(design, 100, { coding: "effects" }));
  });

  it("knows the least overlap of four products with three levels", () => {
    const design = randomDesign(
      survey(3, 4),
      { versions: 1, tasks: 6, alternatives: 4 },
      { random: randomSource(4), overlap: "minimal" },
    );
    const [three, four] = designReport(design, { random: randomSource(5) }).overlap;
    expect(three?.leastOverlap).toBeCloseTo(1 / 6, 12); // one pair of six
    expect(four?.leastOverlap).toBe(0);
    expect(three?.overlap).toBeGreaterThanOrEqual(1 / 6);
  });

  it("counts the overlap of an attribute among the products that have it", () => {
    const fibre = defineAttributes([
      { name: "line", levels: ["cable", "fibre"] },
      { name: "fitting", levels: ["self", "engineer"], only: { attribute: "line", level: "fibre" } },
    ]);
    const design: SurveyDesign = {
      method: "by hand",
      attributes: fibre,
      versions: 1,
      tasks: 2,
      alternatives: 3,
      levels: [0, -1, 1, 0, 1, 1, 1, 0, 1, 0, 1, 1], // a cable and two fibres, then three fibres
      warnings: [],
    };
    const [line, fitting] = designReport(design, { random: randomSource(1) }).overlap;
    expect(line).toEqual({
      attribute: "line",
      overlap: 4 / 6,
      leastOverlap: 2 / 6,
      tasksWithoutContrast: 0.5,
    });
    expect(fitting).toEqual({
      attribute: "fitting",
      overlap: 1 / 4, // of one pair of fibres and of three
      leastOverlap: 1 / 4,
      tasksWithoutContrast: 0,
    });
  });

  it("refuses a design that does not tell the coefficients apart", () => {
    expect(() =>
      designReport({ ...small, versions: 1, levels: small.levels.slice(0, 4) }, { random: randomSource(1) }),
    ).toThrow(ConvergenceError);
  });

  it("knows Orme's rule of thumb", () => {
    // 500 c / (t a): 4 levels, 10 tasks of 3.
    const design = randomDesign(
      survey(2, 3, 4),
      { versions: 1, tasks: 10, alternatives: 3 },
      { random: randomSource(6) },
    );
    expect(ruleOfThumbRespondents(design)).toBe(67);
    expect(ruleOfThumbRespondents(design, { interactions: [["a1", "a2"]] })).toBe(200);
  });
});

describe("power by simulation", () => {
  const attributes = defineAttributes(
    [
      { name: "size", levels: ["small", "middle", "large"] },
      { name: "price", levels: [10, 20, 30], as: "linear" },
    ],
    { none: true },
  );
  const coefficients = { "size middle": 0.2, "size large": 0.5, price: -0.04, none: -1 };
  const size = { versions: 2, tasks: 6, alternatives: 2 };
  const design = efficientDesign(attributes, size, { random: randomSource(1), starts: 3 });

  it("agrees with the standard errors of the design", async () => {
    const simulations = 400;
    const {
      coefficients: power,
      failed,
      warnings,
    } = await powerBySimulation(await design, coefficients, {
      respondents: [50, 100, 200],
      simulations,
      random: randomSource(2),
      workers: 0,
    });
    expect([warnings, failed.map(({ studies }) => studies)]).toEqual([[], [0, 0, 0]]);
    expect(power.map(({ coefficient }) => coefficient)).toEqual(Object.keys(coefficients));
    for (const { points } of power)
      for (const { power: share, analyticPower, standardError, intervalWidth = 0 } of points) {
        const error = Math.sqrt((analyticPower * (1 - analyticPower)) / simulations);
        expect(Math.abs(share - analyticPower)).toBeLessThan(4 * error + 0.01);
        expect(Math.abs(intervalWidth / (2 * normalQuantile(0.975) * standardError) - 1)).toBeLessThan(0.05);
      }
  });

  it("finds an effect that does not exist as often as the level says", async () => {
    const { coefficients: power } = await powerBySimulation(
      await design,
      { ...coefficients, "size large": 0 },
      { respondents: [150], simulations: 1000, level: 0.9, random: randomSource(3), workers: 0 },
    );
    const none = power[1] as CoefficientPower;
    expect(Math.abs((none.points[0]?.power as number) - 0.1)).toBeLessThan(4 * Math.sqrt(0.09 / 1000));
    expect(none.points[0]?.analyticPower).toBeCloseTo(0.1, 12);
    expect(none).not.toHaveProperty("analyticRespondents");
  });

  it("says how many respondents are enough", async () => {
    const { coefficients: power } = await powerBySimulation(await design, coefficients, {
      respondents: [40, 80, 160, 320, 640],
      simulations: 200,
      random: randomSource(4),
      workers: 0,
    });
    for (const { enough = Number.POSITIVE_INFINITY, analyticRespondents = 0, value, coefficient } of power) {
      const [{ [coefficient]: error = 0 }, z] = [
        expectedStandardErrors(await design, analyticRespondents, { priors: coefficients }),
        normalQuantile(0.975),
      ];
      expect(Math.abs(value) / error).toBeGreaterThanOrEqual(z + normalQuantile(0.8));
      expect(enough).toBeLessThan(3 * analyticRespondents + 40);
      expect(enough).toBeGreaterThan(analyticRespondents / 2);
    }
  });

  it("counts studies that cannot be estimated", async () => {
    const {
      failed,
      warnings,
      coefficients: power,
    } = await powerBySimulation(
      await design,
      { ...coefficients, none: -12 },
      { respondents: [2], simulations: 20, random: randomSource(5), workers: 0 },
    );
    expect(failed).toEqual([{ respondents: 2, studies: 20 }]);
    expect(warnings).toEqual([
      "with 2 respondents 20 of 20 studies could not estimate some coefficient: they count as not significant",
    ]);
    expect(power[0]?.points[0]).not.toHaveProperty("intervalWidth");
  });

  it("tells its progress, can be stopped, and refuses bad arguments", async () => {
    const steps: number[] = [];
    const options = { respondents: [20], simulations: 3, random: randomSource(6), workers: 0 };
    await powerBySimulation(await design, coefficients, {
      ...options,
      onProgress: (done) => steps.push(done),
    });
    expect(steps).toEqual([1, 2, 3]);
    const stop = AbortSignal.abort(new Error("enough"));
    await expect(powerBySimulation(await design, coefficients, { ...options, signal: stop })).rejects.toThrow(
      "enough",
    );
    const refusal = async (changes: object, given: Record<string, number> = coefficients): Promise<string> =>
      powerBySimulation(await design, given, { ...options, ...changes }).then(
        () => "",
        (error: unknown) => (error as Error).message,
      );
    expect(await refusal({ respondents: [100, 50] })).toBe(
      "respondents[1] must be a whole number from 101 up, got 50",
    );
    expect(await refusal({ respondents: [] })).toBe("respondents must be at least one number, got none");
    expect(await refusal({ level: 95 })).toBe("level must be between 0 and 1, got 95");
    expect(await refusal({ target: 1 })).toBe("target must be a share of studies between 0 and 1, got 1");
    expect(await refusal({}, { price: -1 })).toBe(
      "coefficients must have size middle, size large, price, none, got price",
    );
  });
});
