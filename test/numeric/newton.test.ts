import { describe, expect, it } from "vitest";
import type { Matrix } from "../../src/numeric/matrix.js";
import { type Minimum, minimise, type Objective } from "../../src/numeric/minimise.js";
import { minimiseNewton } from "../../src/numeric/newton.js";
import { randomSource } from "../../src/numeric/random.js";
import { drawNormal } from "../../src/numeric/sampling.js";

function expectAt(found: Minimum, x: readonly number[], within: number): void {
  expect(found.converged).toBe(true);
  for (const [i, value] of x.entries())
    expect(Math.abs((found.x[i] ?? Number.NaN) - value)).toBeLessThan(within);
}

const rosenbrock: Objective = (x, gradient) => {
  const [a = 0, b = 0] = x;
  const rise = b - a * a;
  gradient.set([-400 * a * rise - 2 * (1 - a), 200 * rise]);
  return 100 * rise * rise + (1 - a) ** 2;
};
const rosenbrockHessian = ([a = 0, b = 0]: Float64Array): Matrix => [
  [1200 * a * a - 400 * b + 2, -400 * a],
  [-400 * a, 200],
];

describe("minimiseNewton", () => {
  it("solves Rosenbrock's valley from the published start in fewer evaluations than BFGS", () => {
    const found = minimiseNewton(rosenbrock, rosenbrockHessian, [-1.2, 1]);
    expectAt(found, [1, 1], 1e-10);
    expect(found.method).toBe("newton");
    expect(found.evaluations).toBeLessThan(minimise(rosenbrock, [-1.2, 1]).evaluations);
  });

  it("needs one step on a quadratic, however ill scaled", () => {
    const quadratic: Objective = (x, gradient) => {
      const a = (x[0] ?? 0) - 3;
      const b = (x[1] ?? 0) + 2;
      gradient.set([2e6 * a + 0.5 * b, 0.5 * a + 2e-6 * b]);
      return 1e6 * a * a + 0.5 * a * b + 1e-6 * b * b;
    };
    const hessian = (): Matrix => [
      [2e6, 0.5],
      [0.5, 2e-6],
    ];
    const found = minimiseNewton(quadratic, hessian, [0, 0]);
    expectAt(found, [3, -2], 1e-9);
    expect(found.iterations).toBeLessThanOrEqual(2);
  });

  it("fits a logistic regression as BFGS does, to 1e-8, in at most 8 iterations", () => {
    const random = randomSource(3);
    const features = Array.from({ length: 500 }, () => [1, drawNormal(random), 100 * drawNormal(random)]);
    const outcomes = features.map(([, a = 0, b = 0]) =>
      Number(random.uniform() < 1 / (1 + Math.exp(1 - a - 0.01 * b))),
    );
    const logOdds = (x: Float64Array, row: readonly number[]) =>
      row.reduce((sum, value, j) => sum + value * (x[j] ?? 0), 0);
    const objective: Objective = (x, gradient) => {
      gradient.fill(0);
      return features.reduce((total, row, i) => {
        const z = logOdds(x, row);
        const residual = 1 / (1 + Math.exp(-z)) - (outcomes[i] ?? 0);
        for (const [j, value] of row.entries()) gradient[j] = (gradient[j] ?? 0) + residual * value;
        return total + Math.log1p(Math.exp(z)) - (outcomes[i] ?? 0) * z;
      }, 0);
    };
    const hessian = (x: Float64Array): Matrix =>
      [0, 1, 2].map((j) =>
        [0, 1, 2].map((k) =>
          features.reduce((sum, row) => {
            const chance = 1 / (1 + Math.exp(-logOdds(x, row)));
            return sum + chance * (1 - chance) * (row[j] ?? 0) * (row[k] ?? 0);
          }, 0),
        ),
      );
    const found = minimiseNewton(objective, hessian, [0, 0, 0]);
    expectAt(found, [...minimise(objective, [0, 0, 0]).x], 1e-8);
    expect(found.iterations).toBeLessThanOrEqual(8);
  });

  it("goes downhill where the Hessian is indefinite or zero", () => {
    // a saddle at the origin, minima at a = 1 and a = -1
    const saddle: Objective = (x, gradient) => {
      const [a = 0, b = 0] = x;
      gradient.set([a ** 3 - a, 2 * b]);
      return a ** 4 / 4 - (a * a) / 2 + b * b;
    };
    const saddleHessian = ([a = 0]: Float64Array): Matrix => [
      [3 * a * a - 1, 0],
      [0, 2],
    ];
    expectAt(minimiseNewton(saddle, saddleHessian, [0.01, 1]), [1, 0], 1e-8);
    expectAt(minimiseNewton(saddle, saddleHessian, [-0.01, 1]), [-1, 0], 1e-8);
    const tilted: Objective = (x, gradient) => {
      const a = x[0] ?? 0;
      gradient[0] = 4 * (a - 2) ** 3;
      return (a - 2) ** 4;
    };
    const flat = minimiseNewton(tilted, () => [[0]], [2.5]);
    expectAt(flat, [2], 1e-2);
    expectAt(
      minimiseNewton(tilted, ([a = 0]) => [[12 * (a - 2) ** 2]], [5]),
      [2],
      1e-2,
    );
  });

  it("keeps out of an infinite region", () => {
    const wall: Objective = (x, gradient) => {
      const a = x[0] ?? 0;
      gradient[0] = a > 0 ? 1 - 0.001 / a : Number.NaN;
      return a > 0 ? a - 0.001 * Math.log(a) : Number.POSITIVE_INFINITY;
    };
    expectAt(
      minimiseNewton(wall, ([a = 0]) => [[0.001 / (a * a)]], [1000]),
      [0.001],
      1e-6,
    );
    expect(minimiseNewton(() => Number.NaN, rosenbrockHessian, [1, 2])).toMatchObject({
      value: Number.POSITIVE_INFINITY,
      converged: false,
    });
  });

  it("refuses a start that is not finite, and a Hessian that is not one", () => {
    expect(() => minimiseNewton(rosenbrock, rosenbrockHessian, [Number.NaN, 1])).toThrow(
      new RangeError("start must be a list of finite numbers, got [NaN, 1]"),
    );
    expect(() => minimiseNewton(rosenbrock, () => [[1]], [2, 2])).toThrow(
      new RangeError("hessian must have 2 rows, got 1"),
    );
    const broken = (): Matrix => [
      [1, 0],
      [0, Number.NaN],
    ];
    expect(() => minimiseNewton(rosenbrock, broken, [2, 2])).toThrow(
      new RangeError("matrix elements must be finite, row 1 has NaN"),
    );
  });
});
