import { describe, expect, it } from "vitest";
import { bgCnbdK, bgNbd, fitBgCnbdK, mbgNbd, simulateBgNbd } from "../../src/clv/bg-nbd.js";
import type { BuyingModel } from "../../src/clv/buying-model.js";
import { type PurchaseCells, purchaseCells } from "../../src/clv/cells.js";
import { explainFit, likelihoodSurface, profileInterval } from "../../src/clv/convergence-doctor.js";
import { fitWithCovariates } from "../../src/clv/covariates.js";
import { fitPositive, type ModelFit } from "../../src/clv/fit.js";
import { nbd } from "../../src/clv/nbd.js";
import { paretoNbd } from "../../src/clv/pareto-nbd.js";
import { randomSource } from "../../src/numeric/random.js";

/** CDNOW's published parameters: Fader, Hardie & Lee (2005), Marketing Science 24(2), table 2. */
const cdnowBg = { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 };
const cdnowPareto = { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 };
const agesOf = (customers: number): number[] =>
  Array.from({ length: customers }, (_, i) => 27 + (i % 84) / 7);

const bgCells = purchaseCells(simulateBgNbd(cdnowBg, agesOf(800), randomSource(5)));
const bgFit = bgNbd.fit(bgCells);
/** Buying that never ends: without dropout to find. */
const nbdCells = purchaseCells(nbd.simulate({ r: 0.8, alpha: 6 }, agesOf(400), randomSource(1)));

/** A model whose log-likelihood is a quadratic in the log parameters, with this information and its maximum at (1, 2, 4). */
const information = [
  [50, 20, 5],
  [20, 40, -10],
  [5, -10, 30],
];
const centre = [1, 2, 4].map(Math.log);
const quadratic: BuyingModel<"p" | "q" | "v"> = {
  ...(nbd as unknown as BuyingModel<"p" | "q" | "v">),
  name: "Quadratic",
  parameterNames: ["p", "q", "v"],
  regularity: 2,
  fit: (cells) =>
    fitPositive({
      model: "Quadratic",
      names: ["p", "q", "v"],
      starts: [[2, 2, 2]],
      logLikelihood: quadratic.objective(cells),
      observations: 1,
    }),
  objective: () => (parameters, gradient) => {
    const d = Array.from(parameters, (value, i) => Math.log(value) - (centre[i] as number));
    let value = -1000;
    for (const [i, row] of information.entries()) {
      const slope = row.reduce((sum, element, j) => sum + element * (d[j] as number), 0);
      gradient[i] = -slope / (parameters[i] as number);
      value -= (slope * (d[i] as number)) / 2;
    }
    return value;
  },
};
const oneCell = purchaseCells({ x: [1], recency: [1], age: [2] });
const quadraticFit = quadratic.fit(oneCell);
/** Variance of the log of p, and of those of p and q together: of the inverse information. */
const determinant = 50 * (40 * 30 - 100) - 20 * (20 * 30 + 50) + 5 * (-200 - 200);
const variancePp = (40 * 30 - 100) / determinant;

describe("likelihoodSurface", () => {
  it("falls by half the chi-squared distance on a quadratic, with the third parameter at its best", () => {
    const surface = likelihoodSurface(quadratic, oneCell, quadraticFit, ["p", "q"], { points: 5, span: 2 });
    for (const [i, factor] of [0.5, Math.SQRT1_2, 1, Math.SQRT2, 2].entries()) {
      expect((surface.a[i] ?? 0) / surface.estimate.a).toBeCloseTo(factor, 12);
    }
    // information about p and q alone: of the third parameter's Schur complement
    const [pp, pq, qq] = [50 - 25 / 30, 20 + 50 / 30, 40 - 100 / 30];
    for (const [row, q] of surface.b.entries()) {
      for (const [column, p] of surface.a.entries()) {
        const [dp, dq] = [Math.log(p) - Math.log(1), Math.log(q) - Math.log(2)];
        const drop = (pp * dp * dp + 2 * pq * dp * dq + qq * dq * dq) / 2;
        expect(surface.logLikelihood[row]?.[column]).toBeCloseTo(-1000 - drop, 6);
      }
    }
    expect(surface.estimate.logLikelihood).toBeCloseTo(-1000, 9);
  });

  it("reaches a thousandfold where the data determine nothing", () => {
    const fit = paretoNbd.fit(nbdCells);
    const { a, estimate, ridge } = likelihoodSurface(paretoNbd, nbdCells, fit, ["s", "beta"], { points: 3 });
    expect(fit.identification.undetermined).toEqual(["s", "beta"]);
    expect((a[2] ?? 0) / estimate.a).toBeCloseTo(1000, 6);
    expect(ridge).toContain("s and beta rise together");
  });

  it("holds the others fixed in a slice, which falls faster", () => {
    const options = { points: 5, span: 2 };
    const slice = likelihoodSurface(quadratic, oneCell, quadraticFit, ["p", "q"], {
      ...options,
      slice: true,
    });
    const dp = Math.log(2);
    expect(slice.logLikelihood[2]?.[4]).toBeCloseTo(-1000 - (50 * dp * dp) / 2, 6);
    const profile = likelihoodSurface(bgNbd, bgCells, bgFit, ["a", "b"], options);
    const ofBg = likelihoodSurface(bgNbd, bgCells, bgFit, ["a", "b"], { ...options, slice: true });
    for (const [row, values] of profile.logLikelihood.entries()) {
      for (const [column, value] of values.entries()) {
        expect(value).toBeGreaterThanOrEqual((ofBg.logLikelihood[row]?.[column] ?? 0) - 1e-6);
      }
    }
  });

  it.each([
    ["BG/NBD", bgNbd, bgCells, ["a", "b"]],
    ["BG/NBD", bgNbd, bgCells, ["r", "b"]],
    [
      "Pareto/NBD",
      paretoNbd,
      purchaseCells(paretoNbd.simulate(cdnowPareto, agesOf(300), randomSource(2))),
      ["s", "beta"],
    ],
    ["NBD", nbd, nbdCells, ["r", "alpha"]],
  ] as [string, BuyingModel, PurchaseCells, [string, string]][])(
    "of the %s has its maximum at the estimate, in the middle",
    (_, model, cells, names) => {
      const fit = model.fit(cells);
      const surface = likelihoodSurface(model, cells, fit, names, { points: 7 });
      expect([surface.aName, surface.bName]).toEqual(names);
      expect(surface.a[3]).toBe(fit.parameters[names[0]]);
      expect(surface.b[3]).toBe(fit.parameters[names[1]]);
      expect(surface.estimate.logLikelihood).toBeCloseTo(fit.logLikelihood, 7);
      expect(surface.logLikelihood[3]?.[3]).toBeCloseTo(fit.logLikelihood, 5);
      for (const [row, values] of surface.logLikelihood.entries()) {
        for (const [column, value] of values.entries()) {
          if (row !== 3 || column !== 3) expect(value).toBeLessThan(fit.logLikelihood);
        }
      }
      expect(surface.logLikelihood.flat().every(Number.isFinite)).toBe(true);
    },
  );

  it("refuses what it cannot draw", () => {
    const of =
      (names: readonly ["r" | "a", "r" | "a"], options = {}) =>
      () =>
        likelihoodSurface(bgNbd, bgCells, bgFit, names, options);
    expect(of(["a", "a"])).toThrow(new RangeError("names must be two different parameters, got a twice"));
    expect(of(["r", "s" as "a"])).toThrow(new RangeError("name must be one of r, alpha, a, b, got s"));
    expect(of(["r", "a"], { points: 4 })).toThrow(
      new RangeError("points must be an odd whole number from 3 to 101, got 4"),
    );
    expect(of(["r", "a"], { span: 1 })).toThrow(new RangeError("span must be a number above 1, got 1"));
  });
});

describe("profileInterval", () => {
  it("is estimate times exp(±1.96 standard errors of the log) on a quadratic", () => {
    const { low, high, text } = profileInterval(quadratic, oneCell, quadraticFit, "p");
    const width = 1.959963984540054 * Math.sqrt(variancePp);
    expect(Math.log(high)).toBeCloseTo(width, 5);
    expect(Math.log(low)).toBeCloseTo(-width, 5);
    expect(text).toMatch(/^95% of p: 0\.\d+ to 1\.\d+$/);
    const wide = profileInterval(quadratic, oneCell, quadraticFit, "p", 0.99);
    expect(Math.log(wide.high)).toBeCloseTo(2.5758293035489 * Math.sqrt(variancePp), 5);
  });

  it("ends where the log-likelihood with the other parameters at their best is 1.92 lower", () => {
    // the NBD with equal ages: for a given r the best alpha is r age / mean x
    const cells = purchaseCells(
      nbd.simulate({ r: 0.8, alpha: 6 }, new Array<number>(300).fill(30), randomSource(4)),
    );
    const fit = nbd.fit(cells);
    const mean = cells.x.reduce((sum, x, cell) => sum + x * (cells.weight[cell] ?? 0), 0) / 300;
    const { low, high } = profileInterval(nbd, cells, fit, "r");
    for (const r of [low, high]) {
      const value = nbd.objective(cells)(Float64Array.of(r, (r * 30) / mean), new Float64Array(2));
      expect(fit.logLikelihood - value).toBeCloseTo(3.841458820694124 / 2, 3);
    }
    expect(low < fit.parameters.r && fit.parameters.r < high).toBe(true);
  });

  it("says where the data set no limit", () => {
    const fit = paretoNbd.fit(nbdCells);
    const { low, high, text } = profileInterval(paretoNbd, nbdCells, fit, "s");
    expect(low).toBe(0);
    expect(high).toBe(Number.POSITIVE_INFINITY);
    expect(text).toMatch(
      /^95% of s: 0 to Infinity; no lower limit: at the edge of the search the log-likelihood is only \d\.\d\d below its maximum; no upper limit: /,
    );
    const buying = profileInterval(paretoNbd, nbdCells, fit, "r");
    expect(buying.low > 0.5 && buying.high < 1.3).toBe(true); // true r: 0.8
  });

  it("refuses an impossible level, and a fit of other customers or another model", () => {
    const of = (fit: ModelFit<"r" | "alpha" | "a" | "b">, level?: number) => () =>
      profileInterval(bgNbd, bgCells, fit, "r", level);
    expect(of(bgFit, 1)).toThrow(new RangeError("level must be between 0 and 1, got 1"));
    expect(of(mbgNbd.fit(bgCells))).toThrow(
      new RangeError("fit must be of the BG/NBD, got one of the MBG/NBD"),
    );
    expect(of({ ...bgFit, observations: 7 })).toThrow(
      new RangeError("fit must be of the 800 customers given, got one of 7"),
    );
    const histories = simulateBgNbd(cdnowBg, agesOf(800), randomSource(6));
    const group = agesOf(800).map((_, i) => i % 2);
    expect(of(fitWithCovariates(bgNbd, histories, { purchase: { group } }))).toThrow(
      new RangeError("fit must be of the BG/NBD, got one of the BG/NBD with covariates"),
    );
  });
});

describe("explainFit", () => {
  it("calls data like CDNOW's sound, and the NBD worse", () => {
    const { verdict, simpler, profile, advice, limits, text } = explainFit(bgNbd, bgCells, bgFit);
    expect(verdict).toBe("sound");
    expect(limits).toEqual([]);
    expect(advice).toEqual(["Nothing to mend: every parameter is determined by the data."]);
    expect(profile.map(({ name }) => name)).toEqual(["r", "alpha", "a", "b"]);
    for (const { name, low, high } of profile) {
      expect(low < bgFit.parameters[name] && bgFit.parameters[name] < high).toBe(true);
      expect(low < cdnowBg[name] && cdnowBg[name] < high).toBe(true);
    }
    expect(simpler?.model).toBe("NBD");
    expect(simpler?.likelihoodRatio.statistic).toBeCloseTo(
      2 * (bgFit.logLikelihood - nbd.fit(bgCells).logLikelihood),
      8,
    );
    expect(text).toMatch(/^BG\/NBD: sound\nidentification: condition number [\d.]+\n95% of r: /);
    expect(text).toContain("the NBD, in which nobody drops out, fits worse");
  });

  it.each([bgNbd, mbgNbd, paretoNbd] as BuyingModel[])(
    "finds that nobody drops out of NBD data: %#",
    (model) => {
      const fit = model.fit(nbdCells);
      const { verdict, limits, simpler, advice } = explainFit(model, nbdCells, fit);
      expect(verdict).toBe("limiting case");
      expect(limits.join()).toMatch(/(b|beta) runs to \de\+\d+: nobody drops out$/);
      expect(fit.logLikelihood - (simpler?.logLikelihood ?? 0)).toBeCloseTo(0, 2);
      expect(simpler?.likelihoodRatio).toMatchObject({ degreesOfFreedom: 2 });
      expect(advice.join("\n")).toContain("prefer the NBD");
    },
  );

  // four customers whose P(alive) was NaN in BTYD and in CLVTools (its issue 100), and their model
  const frequent = {
    x: [221, 254, 161, 204],
    recency: [103.42857, 97.14286, 94.71429, 98.57143],
    age: [103.57143, 97.28571, 98, 99.42857],
  };
  const others = paretoNbd.simulate(
    { r: 0.5143, alpha: 2.8845, s: 0.2856, beta: 14.1087 },
    agesOf(300),
    randomSource(7),
  );

  it("names the very frequent buyers who decide", () => {
    const cells = purchaseCells({
      x: [...others.x, ...frequent.x],
      recency: [...others.recency, ...frequent.recency],
      age: [...others.age, ...frequent.age],
    });
    const { influentialCells, direction, text } = explainFit(nbd, cells, nbd.fit(cells));
    const sizes = influentialCells.map(({ shift }) => Math.abs(shift));
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    expect(influentialCells.slice(0, 2).map(({ label }) => label)).toEqual([
      "x = 254, t_x = 97.14, T = 97.29 (1 customer)",
      "x = 221, t_x = 103.4, T = 103.6 (1 customer)",
    ]);
    expect(influentialCells.map(({ x }) => x)).toEqual(expect.arrayContaining(frequent.x));
    expect(text).toContain("\nwithout x = 254, t_x = 97.14, T = 97.29 (1 customer): 0.");
    expect(Math.hypot(direction.r, direction.alpha)).toBeCloseTo(1, 12);
    const pareto = explainFit(paretoNbd, cells, paretoNbd.fit(cells));
    expect(pareto.verdict).toBe("sound");
    for (const { low, high } of pareto.profile) expect(low > 0 && Number.isFinite(high)).toBe(true);
  });

  it("finds that those four alone say nothing about dropout", () => {
    const cells = purchaseCells(frequent);
    const { verdict, influentialCells, profile, advice } = explainFit(paretoNbd, cells, paretoNbd.fit(cells));
    expect(verdict).toBe("limiting case");
    expect(influentialCells).toEqual([]);
    expect(profile.map(({ low, high }) => [low, high]).slice(2)).toEqual([
      [0, Number.POSITIVE_INFINITY],
      [0, Number.POSITIVE_INFINITY],
    ]);
    expect(advice.join("\n")).toContain("prefer the NBD");
  });

  it("tells how far leaving a cell out moves the estimate along the weakest direction", () => {
    const { influentialCells, direction } = explainFit(bgNbd, bgCells, bgFit);
    const along = (parameters: Readonly<Record<string, number>>): number =>
      bgNbd.parameterNames.reduce(
        (sum, name) => sum + direction[name] * Math.log(parameters[name] as number),
        0,
      );
    const variance = bgNbd.parameterNames.reduce(
      (sum, left, i) =>
        sum +
        bgNbd.parameterNames.reduce((part, right, j) => {
          const { [left]: own, [right]: other } = bgFit.parameters;
          return (
            part + (direction[left] * direction[right] * (bgFit.covariance[i]?.[j] ?? 0)) / (own * other)
          );
        }, 0),
      0,
    );
    for (const { x, recency, age, shift } of influentialCells.slice(0, 2)) {
      const kept = Array.from(bgCells.x.keys()).filter(
        (cell) => bgCells.x[cell] !== x || bgCells.recency[cell] !== recency || bgCells.age[cell] !== age,
      );
      const pick = (column: Float64Array): number[] => kept.map((cell) => column[cell] as number);
      const without = bgNbd.fit(
        purchaseCells({
          x: pick(bgCells.x),
          recency: pick(bgCells.recency),
          age: pick(bgCells.age),
          weight: pick(bgCells.weight),
        }),
      );
      const moved = (along(without.parameters) - along(bgFit.parameters)) / Math.sqrt(variance);
      expect(shift / moved).toBeGreaterThan(0.75); // a first-order step against the full refit
      expect(shift / moved).toBeLessThan(1.25);
    }
  });

  it("compares no likelihoods that do not compare, and says when the search stopped short", () => {
    const fit = fitBgCnbdK(bgCells, { k: 2 });
    expect(explainFit(bgCnbdK(2), bgCells, fit).simpler).toBeUndefined();
    const { verdict, advice } = explainFit(nbd, nbdCells, { ...nbd.fit(nbdCells), converged: false });
    expect(verdict).toBe("not settled");
    expect(advice[0]).toBe(
      "The search stopped short of the maximum: do not use the standard errors, and check the data first.",
    );
    const short = { ...bgFit, logLikelihood: nbd.fit(bgCells).logLikelihood - 1 }; // below a model nested in it
    expect(explainFit(bgNbd, bgCells, short).verdict).toBe("not settled");
  });

  it("explains customers who all buy at the same rate", () => {
    // counts that differ less than Poisson counts do: the NBD's r and alpha run away together
    const cells = purchaseCells({ x: [3, 4, 3, 4], recency: [20, 25, 28, 29], age: [30, 30, 30, 30] });
    const { verdict, limits } = explainFit(nbd, cells, nbd.fit(cells));
    expect(verdict).toBe("limiting case");
    expect(limits.join()).toMatch(
      /^r runs to \de\+\d+, alpha runs to \de\+\d+: all customers buy at the same rate$/,
    );
  });
});
