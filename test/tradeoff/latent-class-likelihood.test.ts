import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkGradient, hessianOf } from "../../src/numeric/derivatives.js";
import { choiceDesign } from "../../src/tradeoff/choice-data.js";
import { scaledWithinSets } from "../../src/tradeoff/conditional-logit.js";
import {
  completeDerivatives,
  emStep,
  expectation,
  type LatentClassProblem,
  observedInformation,
} from "../../src/tradeoff/latent-class-likelihood.js";
import { classWorld } from "./class-studies.js";

const world = classWorld({ respondents: 40 });

describe("the likelihood", () => {
  const design = choiceDesign(world.rows, world.attributes);
  const few = 40;
  const sets = design.respondentStart[few] as number;
  const part = {
    ...scaledWithinSets(design).scaled,
    choice: design.choice.slice(0, sets),
    setStart: design.setStart.slice(0, sets + 1),
    x: scaledWithinSets(design).scaled.x.slice(0, (design.setStart[sets] as number) * 3),
    respondentStart: design.respondentStart.slice(0, few + 1),
  };
  const problem: LatentClassProblem = {
    design: part,
    classes: 3,
    weight: Float64Array.from({ length: few }, (_, who) => 1 + (who % 2)),
    membership: Array.from({ length: few }, (_, who) => Float64Array.of(1, Math.sin(who))),
    ridge: 0.5,
  };
  const parameters = 3 * 3 + 2 * 2;
  const theta = fc.array(fc.double({ min: -1.5, max: 1.5, noNaN: true }), {
    minLength: parameters,
    maxLength: parameters,
  });
  const objective = (x: Float64Array, gradient: Float64Array): number => {
    const here = expectation(problem, x.slice());
    gradient.set(completeDerivatives(problem, here).score);
    return here.value;
  };

  it("has the slope and the curvature of finite differences", () => {
    fc.assert(
      fc.property(theta, (x) => {
        expect(checkGradient(objective, x)).toBeLessThan(1e-7);
        const { information, scores } = observedInformation(
          problem,
          expectation(problem, Float64Array.from(x)),
        );
        const numeric = hessianOf(objective, x);
        const scale = Math.max(...numeric.flat().map(Math.abs));
        for (const [i, row] of information.entries())
          for (const [j, value] of row.entries())
            expect(Math.abs(value + (numeric[i]?.[j] as number)) / scale).toBeLessThan(1e-7);
        // Scores of respondents add up to the slope, but for the penalty.
        const first = Float64Array.from(x, () => 0);
        for (const [place, value] of scores.entries())
          first[place % parameters] = (first[place % parameters] as number) + value;
        const unpenalised = { ...problem, ridge: 0 };
        const { score } = completeDerivatives(unpenalised, expectation(unpenalised, Float64Array.from(x)));
        for (const [i, value] of score.entries()) expect(first[i]).toBeCloseTo(value, 9);
      }),
      { numRuns: 8, seed: 3 },
    );
  });

  it("never falls in EM, and posteriors add up to 1", () => {
    fc.assert(
      fc.property(theta, (x) => {
        let here = expectation(
          problem,
          Float64Array.from(x, (value) => 2 * value),
        );
        for (let k = 0; k < 8; k++) {
          const next = emStep(problem, here);
          expect(next.value).toBeGreaterThanOrEqual(here.value);
          here = next;
        }
        for (let who = 0; who < few; who++)
          expect(here.posterior.subarray(3 * who, 3 * who + 3).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
      }),
      { numRuns: 15, seed: 4 },
    );
  });

  it("does not depend on the order of the classes", () => {
    const plain = { ...problem, ridge: 0.5 };
    const [a, b, c] = [
      [0.3, -0.2, 1],
      [1, 0.5, -0.4],
      [-0.8, 0.1, 0.2],
    ];
    const [u, v] = [
      [0.4, -1],
      [-0.3, 0.6],
    ] as const;
    const one = expectation(plain, Float64Array.of(...a, ...u, ...b, ...v, ...c));
    const against = v.map((value, i) => value - (u[i] as number));
    const other = expectation(
      plain,
      Float64Array.of(...b, ...u.map((value) => -value), ...a, ...against, ...c),
    );
    expect(other.value).toBeCloseTo(one.value, 9);
    expect(other.posterior[0]).toBeCloseTo(one.posterior[1] as number, 12);
  });
});
