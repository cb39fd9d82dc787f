import { describe, expect, it } from "vitest";
import { checkGradient, hessianOf } from "../../src/numeric/derivatives.js";
import type { Objective } from "../../src/numeric/minimise.js";
import { gaussLegendre } from "../../src/numeric/quadrature.js";
import { randomSource } from "../../src/numeric/random.js";
import { choiceDesign } from "../../src/tradeoff/choice-data.js";
import { choiceProbabilities } from "../../src/tradeoff/conditional-logit.js";
import { mixedLogitProblem } from "../../src/tradeoff/mixed-logit.js";
import { type MixedLogitParameters, parameterList } from "../../src/tradeoff/mixed-logit-tastes.js";
import { truth } from "./mixed-studies.js";
import { simulatedStudy } from "./worlds.js";

const random = randomSource(1);

/** The likelihood of a model as a function to minimise, and the derivatives of the kernel. */
function kernelOf(parameters: MixedLogitParameters, correlated: boolean, draws: number, panel = true) {
  const small = simulatedStudy(truth, { respondents: 9, tasks: 8, seed: 5 });
  const problem = mixedLogitProblem(choiceDesign(small.rows, small.attributes), {
    ...parameters,
    correlated,
    panel,
    draws,
    random,
  });
  const kernel = problem.kernel(draws);
  const objective: Objective = (theta, slope) => {
    const { logLikelihood, gradient } = kernel.slope(theta);
    slope.set(gradient);
    return logLikelihood;
  };
  return { kernel, objective, theta: parameterList(parameters, problem.terms) };
}

describe("the simulated likelihood", () => {
  const location = { organic: 0.5, large: -0.3, price: -0.4 };
  const models: [string, MixedLogitParameters, boolean][] = [
    [
      "normal and log-normal, correlated",
      {
        location: { ...location, price: -0.9 },
        tastes: { organic: "normal", price: "negative log-normal", large: "normal" },
        spread: [[0.8], [0.3, 0.5], [-0.4, 0.2, 0.6]],
        price: null,
      },
      true,
    ],
    [
      "triangular, uniform and log-normal",
      {
        location: { ...location, large: -1 },
        tastes: { organic: "triangular", large: "log-normal", price: "uniform" },
        spread: [[0.8], [0, 0.4], [0, 0, 0.2]],
        price: null,
      },
      false,
    ],
    [
      "willingness to pay with a log-normal scale, correlated",
      {
        location: { organic: 1.3, large: -0.2, price: -0.5 },
        tastes: { price: "log-normal", organic: "normal", large: "log-normal" },
        spread: [[0.3], [0.4, 0.9], [0.1, -0.2, 0.5]],
        price: "price",
      },
      true,
    ],
    [
      "willingness to pay with the same scale for all",
      {
        location: { organic: 1.3, large: -0.2, price: 0.7 },
        tastes: { organic: "uniform" },
        spread: [[0.6]],
        price: "price",
      },
      false,
    ],
  ];

  it.each(models)("has the derivatives of finite differences: %s", (_name, parameters, correlated) => {
    for (const panel of [true, false]) {
      const { kernel, objective, theta } = kernelOf(parameters, correlated, 300, panel); // more than one block of draws
      expect(checkGradient(objective, theta)).toBeLessThan(1e-8);
      const { information, gradient, outer } = kernel.derivatives(Float64Array.from(theta));
      const numeric = hessianOf(objective, theta);
      const largest = Math.max(...numeric.flat().map(Math.abs));
      for (const [a, row] of information.entries())
        for (const [b, value] of row.entries())
          expect(Math.abs(value + (numeric[a]?.[b] as number)) / largest).toBeLessThan(1e-8);
      const scores = kernel.scores(Float64Array.from(theta));
      for (const [a, slope] of gradient.entries()) {
        expect(scores.reduce((sum, score) => sum + (score[a] as number), 0)).toBeCloseTo(slope, 9);
        expect(scores.reduce((sum, score) => sum + (score[a] as number) ** 2, 0)).toBeCloseTo(
          outer[a]?.[a] as number,
          8,
        );
      }
    }
  });

  it("neither overflows nor loses digits where utilities are thousands apart", () => {
    const parameters = {
      location: { organic: 900, large: -4000, price: -350 },
      tastes: {},
      spread: [],
      price: null,
    };
    const { kernel, theta } = kernelOf(parameters, false, 1);
    const small = simulatedStudy(truth, { respondents: 9, tasks: 8, seed: 5 });
    const utility = (row: number): number =>
      Object.entries(parameters.location).reduce(
        (sum, [name, b]) => sum + b * (small.attributes[name]?.[row] as number),
        0,
      );
    let expected = 0;
    for (let set = 0; set < 72; set++) {
      const rows = [3 * set, 3 * set + 1, 3 * set + 2];
      const largest = Math.max(...rows.map(utility));
      const mine = utility(rows.find((row) => small.rows.chosen[row]) as number);
      expected +=
        mine - largest - Math.log(rows.reduce((sum, row) => sum + Math.exp(utility(row) - largest), 0));
    }
    expect(expected).toBeLessThan(-10_000);
    expect(kernel.slope(Float64Array.from(theta)).logLikelihood / expected).toBeCloseTo(1, 13);
  });

  it("has the second derivatives of long panels, which only a few draws explain", () => {
    const parameters: MixedLogitParameters = {
      location: { organic: 0.8, large: -0.4, price: -0.6 },
      tastes: { organic: "normal", large: "normal" },
      spread: [[1], [0, 0.7]],
      price: null,
    };
    // So many choices that their probabilities are not kept between the passes; and fewer, where they are.
    for (const tasks of [3000, 600]) {
      const long = simulatedStudy(truth, { respondents: 1, tasks, seed: 5 });
      const options = { ...parameters, correlated: false, panel: true, draws: 400, random };
      const problem = mixedLogitProblem(choiceDesign(long.rows, long.attributes), options);
      const kernel = problem.kernel(400);
      const theta = Float64Array.from(parameterList(parameters, problem.terms));
      const { information } = kernel.derivatives(theta);
      // Along one direction, about a standard error of every parameter to a unit.
      const direction = theta.map((_, a) => 1 / Math.sqrt(Math.abs(information[a]?.[a] as number)));
      const h = 1e-5;
      const slopeAt = (shift: number): Float64Array =>
        kernel.slope(theta.map((value, a) => value + shift * (direction[a] as number))).gradient;
      const [above, below] = [slopeAt(h), slopeAt(-h)];
      for (const [a, row] of information.entries()) {
        const numeric = ((below[a] as number) - (above[a] as number)) / (2 * h);
        const exact = row.reduce((sum, value, b) => sum + value * (direction[b] as number), 0);
        expect(Math.abs(exact - numeric) * (direction[a] as number)).toBeLessThan(1e-5);
      }
    }
  });

  it("goes to Gauss's quadrature as draws go up, for one normal coefficient", () => {
    const parameters: MixedLogitParameters = {
      location: { organic: 0.8, large: -0.4, price: -0.6 },
      tastes: { organic: "normal" },
      spread: [[1.2]],
      price: null,
    };
    const { nodes, weights } = gaussLegendre(200);
    const small = simulatedStudy(truth, { respondents: 9, tasks: 8, seed: 5 });
    const likelihoods = Array.from({ length: 9 }, () => 0);
    for (const [i, node] of nodes.entries()) {
      const eta = 9 * node;
      const density = (9 * (weights[i] as number) * Math.exp((-eta * eta) / 2)) / Math.sqrt(2 * Math.PI);
      const coefficients = { ...parameters.location, organic: 0.8 + 1.2 * eta };
      const shares = choiceProbabilities({ coefficients }, small.rows, small.attributes);
      for (let who = 0; who < 9; who++) {
        let product = density;
        for (let row = 24 * who; row < 24 * (who + 1); row++)
          if (small.rows.chosen[row]) product *= shares[row] as number;
        likelihoods[who] = (likelihoods[who] as number) + product;
      }
    }
    const exact = likelihoods.reduce((sum, value) => sum + Math.log(value), 0);
    const errorAt = (draws: number): number => {
      const { kernel, theta } = kernelOf(parameters, false, draws);
      return Math.abs(kernel.slope(Float64Array.from(theta)).logLikelihood - exact);
    };
    expect(errorAt(64)).toBeLessThan(0.1);
    expect(errorAt(4096)).toBeLessThan(1e-3);
    expect(errorAt(65_536)).toBeLessThan(1e-5);
  });
});
