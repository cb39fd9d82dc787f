import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Minimum, minimise, minimiseFrom, type Objective } from "../../src/numeric/minimise.js";
import { randomSource } from "../../src/numeric/random.js";
import { drawNormal } from "../../src/numeric/sampling.js";

const infinity = Number.POSITIVE_INFINITY;

function expectAt(found: Minimum, x: readonly number[], within: number): void {
  expect(found.converged).toBe(true);
  for (const [i, value] of x.entries())
    expect(Math.abs((found.x[i] ?? Number.NaN) - value)).toBeLessThan(within);
}

/** Rosenbrock's chained valley: minimum 0 at (1, ..., 1). */
const rosenbrock: Objective = (x, gradient) => {
  let value = 0;
  gradient.fill(0);
  for (let i = 0; i + 1 < x.length; i++) {
    const [here = 0, next = 0] = [x[i], x[i + 1]];
    const rise = next - here * here;
    value += 100 * rise * rise + (1 - here) ** 2;
    gradient[i] = (gradient[i] ?? 0) - 400 * here * rise - 2 * (1 - here);
    gradient[i + 1] = 200 * rise;
  }
  return value;
};

describe("minimise", () => {
  it("solves Rosenbrock's valley from the published start within 60 evaluations", () => {
    const found = minimise(rosenbrock, [-1.2, 1]);
    expectAt(found, [1, 1], 1e-8);
    expect(found.evaluations).toBeLessThan(60);
    expect(found.method).toBe("bfgs");
    expectAt(minimise(rosenbrock, Array(10).fill(-0.5)), Array(10).fill(1), 1e-8);
  });

  it("solves quadratics of any scale", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.double({ min: -4, max: 4, noNaN: true }),
            fc.double({ min: -50, max: 50, noNaN: true }),
          ),
          {
            minLength: 1,
            maxLength: 6,
          },
        ),
        fc.double({ min: -1e5, max: 1e5, noNaN: true }),
        (terms, offset) => {
          const found = minimise((x, gradient) => {
            let value = offset;
            for (const [i, [exponent, centre]] of terms.entries()) {
              const gap = (x[i] ?? 0) - centre;
              value += (10 ** exponent * gap * gap) / 2;
              gradient[i] = 10 ** exponent * gap;
            }
            return value;
          }, Array<number>(terms.length).fill(0));
          expect(found.converged).toBe(true);
          // a value within rounding of the least one, and a gradient of zero
          const excess = terms.reduce(
            (sum, [e, c], i) => sum + (10 ** e * ((found.x[i] ?? 0) - c) ** 2) / 2,
            0,
          );
          expect(excess).toBeLessThan(1e-9 * Math.max(Math.abs(offset), 1));
        },
      ),
      { seed: 7, numRuns: 200 },
    );
  });

  it("does not stop early where the value is large: no further decrease is asked for too", () => {
    const found = minimise(
      (x, gradient) => {
        const a = (x[0] ?? 0) - 1;
        const b = (x[1] ?? 0) + 2;
        gradient.set([200 * a + 100 * b, 100 * a + 2000 * b]);
        return 1e5 + 100 * a * a + 100 * a * b + 1000 * b * b;
      },
      [50, -30],
    );
    expectAt(found, [1, -2], 1e-5);
  });

  it("reaches the Wood function's minimum, and Powell's singular one", () => {
    const wood: Objective = (x, gradient) => {
      const [a = 0, b = 0, c = 0, d = 0] = x;
      gradient[0] = -400 * a * (b - a * a) - 2 * (1 - a);
      gradient[1] = 200 * (b - a * a) + 20.2 * (b - 1) + 19.8 * (d - 1);
      gradient[2] = -360 * c * (d - c * c) - 2 * (1 - c);
      gradient[3] = 180 * (d - c * c) + 20.2 * (d - 1) + 19.8 * (b - 1);
      const valleys = 100 * (b - a * a) ** 2 + (1 - a) ** 2 + 90 * (d - c * c) ** 2 + (1 - c) ** 2;
      return valleys + 10.1 * ((b - 1) ** 2 + (d - 1) ** 2) + 19.8 * (b - 1) * (d - 1);
    };
    expectAt(minimise(wood, [-3, -1, -3, -1]), [1, 1, 1, 1], 1e-7);
    const powell: Objective = (x, gradient) => {
      const [a = 0, b = 0, c = 0, d = 0] = x;
      const [p, q, r, s] = [a + 10 * b, c - d, b - 2 * c, a - d];
      gradient.set([2 * p + 40 * s ** 3, 20 * p + 4 * r ** 3, 10 * q - 8 * r ** 3, -10 * q - 40 * s ** 3]);
      return p * p + 5 * q * q + r ** 4 + 10 * s ** 4;
    };
    expectAt(minimise(powell, [3, -1, 0, 1]), [0, 0, 0, 0], 1e-2); // its Hessian is singular there
  });

  it("settles on a flat ridge and says so", () => {
    const found = minimise(
      (x, gradient) => {
        const gap = (x[0] ?? 0) + (x[1] ?? 0) - 3;
        gradient.fill(2 * gap);
        return 7 + gap * gap;
      },
      [10, -4],
    );
    expect(found.converged).toBe(true);
    expect((found.x[0] ?? 0) + (found.x[1] ?? 0)).toBeCloseTo(3, 7);
  });

  it.each([
    ["Infinity", infinity],
    ["NaN", Number.NaN],
  ])("keeps out of a region of %s", (_, wall) => {
    const found = minimise(
      (x, gradient) => {
        const a = x[0] ?? 0;
        gradient[0] = a > 0 ? 1 - 0.001 / a : wall;
        return a > 0 ? a - 0.001 * Math.log(a) : wall;
      },
      [1000],
    );
    expectAt(found, [0.001], 1e-9);
  });

  it("gives an unsettled Infinity where nothing is finite", () => {
    const found = minimise(() => infinity, [1, 2]);
    expect(found).toMatchObject({ value: infinity, converged: false });
    expect([...found.x]).toEqual([1, 2]);
    expect(found.evaluations).toBeLessThan(1000);
  });

  it("finds its way out of an infinite start by looking around", () => {
    const found = minimise(
      (x, gradient) => {
        const a = x[0] ?? 0;
        gradient[0] = 2 * (a - 3);
        return a > 1.2 ? (a - 3) ** 2 : infinity;
      },
      [1],
    );
    expectAt(found, [3], 1e-6);
  });

  it("passes a kink by Nelder-Mead and does not call an edge settled", () => {
    // the gradient of |x| + |y - x| never vanishes: the rescue gets there, but nothing settles
    const found = minimise(
      (x, gradient) => {
        const [a = 0, b = 0] = x;
        gradient.set([Math.sign(a) - Math.sign(b - a), Math.sign(b - a)]);
        return 1 + Math.abs(a) + Math.abs(b - a);
      },
      [5.3, 3.1],
    );
    expect(found.value).toBeLessThan(1 + 1e-4);
    const edge = minimise(
      (x, gradient) => {
        gradient[0] = 1;
        return (x[0] ?? 0) >= 0.1 ? (x[0] ?? 0) : infinity;
      },
      [3],
    );
    expect(edge.converged).toBe(false);
    expect(edge.x[0]).toBeCloseTo(0.1, 6);
  });

  it("counts evaluations, keeps its limits and does not change the start", () => {
    let calls = 0;
    const start = [-1.2, 1];
    const counted: Objective = (x, gradient) => {
      calls++;
      return rosenbrock(x, gradient);
    };
    const found = minimise(counted, start);
    expect(found.evaluations).toBe(calls);
    expect(start).toEqual([-1.2, 1]);
    const gradient = new Float64Array(2);
    expect(rosenbrock(found.x, gradient)).toBe(found.value);
    expect(gradient).toEqual(found.gradient);
    const short = minimise(rosenbrock, start, { maxIterations: 2 });
    expect(short.iterations).toBeLessThanOrEqual(8); // two in each of at most four runs
  });

  it("refuses a start that is not finite", () => {
    expect(() => minimise(rosenbrock, [])).toThrow(RangeError);
    expect(() => minimise(rosenbrock, [1, Number.NaN])).toThrow(
      "start must be a list of finite numbers, got [1, NaN]",
    );
  });
});

describe("minimise by L-BFGS", () => {
  const limited = { method: "l-bfgs", maxIterations: 3000 } as const;

  it("solves Rosenbrock's valley in 2 and in 200 dimensions", () => {
    const plane = minimise(rosenbrock, [-1.2, 1], limited);
    expectAt(plane, [1, 1], 1e-8);
    expect(plane.method).toBe("l-bfgs");
    expect(plane.evaluations).toBeLessThan(60);
    const start = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? -1.2 : 1));
    expectAt(minimise(rosenbrock, start, limited), Array(200).fill(1), 1e-8);
  });

  it("fits a logistic regression with 300 parameters as BFGS does, to 1e-8", () => {
    const random = randomSource(5);
    const [rows, columns, penalty] = [600, 300, 1];
    const features = Array.from({ length: rows }, () =>
      Float64Array.from({ length: columns }, () => drawNormal(random)),
    );
    const truth = Array.from({ length: columns }, () => drawNormal(random) / 10);
    const outcomes = features.map((row) => {
      const logOdds = row.reduce((sum, x, j) => sum + x * (truth[j] ?? 0), 0);
      return Number(random.uniform() < 1 / (1 + Math.exp(-logOdds)));
    });
    const score = new Float64Array(columns); // X'(y - p)
    const logistic: Objective = (x, gradient) => {
      let value = 0;
      score.fill(0);
      for (const [i, row] of features.entries()) {
        let logOdds = 0;
        for (let j = 0; j < columns; j++) logOdds += (row[j] ?? 0) * (x[j] ?? 0);
        const outcome = outcomes[i] ?? 0;
        value += Math.max(logOdds, 0) + Math.log1p(Math.exp(-Math.abs(logOdds))) - outcome * logOdds;
        const residual = outcome - 1 / (1 + Math.exp(-logOdds));
        for (let j = 0; j < columns; j++) score[j] = (score[j] ?? 0) + (row[j] ?? 0) * residual;
      }
      for (let j = 0; j < columns; j++) {
        value += (penalty / 2) * (x[j] ?? 0) ** 2;
        gradient[j] = penalty * (x[j] ?? 0) - (score[j] ?? 0);
      }
      return value;
    };
    const start = Array<number>(columns).fill(0);
    const relativeTolerance = 1e-12; // at 1e-9 both stop within 3e-7
    const found = minimise(logistic, start, { ...limited, relativeTolerance });
    expectAt(found, [...minimise(logistic, start, { relativeTolerance }).x], 1e-8);
    logistic(found.x, new Float64Array(columns));
    for (const [j, x] of found.x.entries())
      expect(Math.abs((score[j] ?? 0) - penalty * x)).toBeLessThan(1e-6);
    expect(Math.max(...found.x.map(Math.abs))).toBeGreaterThan(0.1);
  });

  it("keeps out of an infinite region, and says so where nothing is finite", () => {
    const wall: Objective = (x, gradient) => {
      let value = 0;
      for (const [i, a] of x.entries()) {
        value += a > 0 ? a - 0.001 * Math.log(a) : infinity;
        gradient[i] = a > 0 ? 1 - 0.001 / a : Number.NaN;
      }
      return value;
    };
    expectAt(minimise(wall, [1000, 1, 0.5], limited), [0.001, 0.001, 0.001], 1e-9);
    const nowhere = minimise(() => infinity, [1, 2], limited);
    expect(nowhere).toMatchObject({ value: infinity, converged: false, evaluations: 1, method: "l-bfgs" });
    expect(() => minimise(rosenbrock, [infinity], limited)).toThrow(
      new RangeError("start must be a list of finite numbers, got [Infinity]"),
    );
  });
});

describe("minimiseFrom", () => {
  /** Two valleys: 0 at -2, and 1 at 3. */
  const valleys: Objective = (x, gradient) => {
    const a = x[0] ?? 0;
    const left = (a + 2) ** 2;
    const right = (a - 3) ** 2 + 1;
    gradient[0] = left < right ? 2 * (a + 2) : 2 * (a - 3);
    return Math.min(left, right);
  };

  it("keeps the best start", () => {
    expectAt(minimiseFrom(valleys, [[4], [-3]]), [-2], 1e-7);
    expectAt(minimiseFrom(valleys, [[-3], [4]]), [-2], 1e-7);
  });

  it("stops when two starts agree, and counts all evaluations", () => {
    const one = minimise(valleys, [4]).evaluations;
    const two = minimise(valleys, [5]).evaluations;
    const found = minimiseFrom(valleys, [[4], [5], [-3]]);
    expectAt(found, [3], 1e-7);
    expect(found.evaluations).toBe(one + two);
  });

  it("gets over a start where the function is not finite", () => {
    const half: Objective = (x, gradient) => ((x[0] ?? 0) > 100 ? infinity : valleys(x, gradient));
    expectAt(minimiseFrom(half, [[1000], [-3]]), [-2], 1e-7);
    expect(() => minimiseFrom(valleys, [])).toThrow(new RangeError("starts must hold at least one start"));
  });
});
