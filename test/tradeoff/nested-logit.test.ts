import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomSource } from "../../src/numeric/random.js";
import { drawWeighted } from "../../src/numeric/sampling.js";
import type { AttributeColumns, ChoiceRows } from "../../src/tradeoff/choice-data.js";
import { choiceProbabilities, fitConditionalLogit } from "../../src/tradeoff/conditional-logit.js";
import { fitNestedLogit, nestedLogitProbabilities } from "../../src/tradeoff/nested-logit.js";
import { willingnessToPay } from "../../src/tradeoff/willingness-to-pay.js";
import { logOfChosen } from "./mixed-studies.js";

const NESTS = ["bus", "bus", "car", "car", "walk"] as const;

const truth = {
  coefficients: { comfort: 0.8, cost: -0.5 },
  dissimilarities: { bus: 0.4, car: 0.7, walk: 1 },
};

interface NestedWorld {
  readonly rows: ChoiceRows;
  readonly attributes: AttributeColumns;
  readonly nests: string[];
}

/** Choices among two buses, two cars and walking, by these parameters. */
function nestedWorld({ sets = 2000, seed = 1, parameters = truth } = {}): NestedWorld {
  const random = randomSource(seed);
  const set = Array.from({ length: sets * NESTS.length }, (_, row) => Math.floor(row / NESTS.length));
  const nests = set.map((_, row) => NESTS[row % NESTS.length] as string);
  const attributes = {
    comfort: set.map(() => 4 * random.uniform()),
    cost: set.map(() => 6 * random.uniform()),
  };
  const shares = nestedLogitProbabilities(parameters, { set }, attributes, { nests });
  const chosen = set.map(() => 0);
  for (let first = 0; first < chosen.length; first += NESTS.length)
    chosen[first + drawWeighted(random, [...shares.subarray(first, first + NESTS.length)])] = 1;
  return { rows: { set, chosen }, attributes, nests };
}

const world = nestedWorld();
const fit = fitNestedLogit(world.rows, world.attributes, { nests: world.nests });

describe("the fit", () => {
  it("recovers tastes and dissimilarities, within three standard errors", () => {
    for (const [name, value] of Object.entries(truth.coefficients)) {
      const off = ((fit.coefficients[name] as number) - value) / (fit.standardErrors[name] as number);
      expect(Math.abs(off), name).toBeLessThan(3);
    }
    for (const nest of ["bus", "car"] as const) {
      const off = (fit.dissimilarities[nest] as number) - truth.dissimilarities[nest];
      expect(Math.abs(off) / (fit.dissimilarityErrors[nest] as number), nest).toBeLessThan(3);
    }
    expect(fit.warnings).toEqual([]);
    expect(fit.independenceTest.degreesOfFreedom).toBe(2);
    expect(fit.independenceTest.p).toBeLessThan(1e-10);
  });

  it("gives a nest of one alternative no dissimilarity of its own", () => {
    expect(fit.dissimilarities["walk"]).toBe(1);
    expect(Object.keys(fit.dissimilarityErrors)).toEqual(["bus", "car"]);
    expect(fit.terms).toEqual(["comfort", "cost", "dissimilarity bus", "dissimilarity car"]);
  });

  it.each([false, true])(
    "has the likelihood of its probabilities, which no nearby place beats, and errors of its curvature: shared dissimilarity %s",
    (sharedDissimilarity) => {
      const found = fitNestedLogit(world.rows, world.attributes, { nests: world.nests, sharedDissimilarity });
      const at = (change: Readonly<Record<string, number>>): number => {
        const moved = (record: Readonly<Record<string, number>>): Record<string, number> =>
          Object.fromEntries(
            Object.entries(record).map(([name, value]) => [name, value + (change[name] ?? 0)]),
          );
        const { bus, car, ...others } = found.dissimilarities as Record<string, number>;
        const nested = moved({ bus: bus as number, car: car as number });
        if (sharedDissimilarity) nested["car"] = nested["bus"] as number;
        const parameters = {
          coefficients: moved(found.coefficients),
          dissimilarities: { ...others, ...nested },
        };
        return logOfChosen(
          nestedLogitProbabilities(parameters, world.rows, world.attributes, { nests: world.nests }),
          world.rows,
        );
      };
      expect(at({})).toBeCloseTo(found.logLikelihood, 8);
      const names = ["comfort", "cost", "bus", ...(sharedDissimilarity ? [] : ["car"])];
      const h = 1e-3;
      const information = names.map((a) =>
        names.map((b) => {
          const shift = (s: number, t: number): number =>
            a === b ? at({ [a]: s + t }) : at({ [a]: s, [b]: t });
          return -(shift(h, h) - shift(h, -h) - shift(-h, h) + shift(-h, -h)) / (4 * h * h);
        }),
      );
      for (const name of names)
        expect(Math.abs(at({ [name]: h }) - at({ [name]: -h })) / (2 * h)).toBeLessThan(0.01);
      // Information times covariance is the unit matrix.
      for (const [i, row] of information.entries())
        for (const j of row.keys()) {
          const element = row.reduce(
            (sum, value, k) => sum + value * (found.fullCovariance[k]?.[j] as number),
            0,
          );
          expect(element).toBeCloseTo(Number(i === j), 3);
        }
    },
  );

  it("settles where alternatives of a nest are as alike as can be, and says so", () => {
    const alike = { coefficients: truth.coefficients, dissimilarities: { bus: 1e-4, car: 0.5, walk: 1 } };
    const same = nestedWorld({ sets: 500, seed: 8, parameters: alike });
    const found = fitNestedLogit(same.rows, same.attributes, { nests: same.nests });
    expect(found.dissimilarities["bus"]).toBeLessThan(1e-3);
    expect(Math.abs((found.dissimilarities["car"] as number) - 0.5)).toBeLessThan(
      3 * (found.dissimilarityErrors["car"] as number),
    );
    expect(found.warnings.join("\n")).toContain(
      "nested logit: the dissimilarity of bus is near 0: its alternatives are perfect substitutes",
    );
  });

  it("has errors that hold what they promise: 90% intervals over 50 studies cover 85% to 95%", () => {
    let [covered, all] = [0, 0];
    for (let seed = 1; seed <= 50; seed++) {
      const one = nestedWorld({ sets: 300, seed: 50 + seed });
      const found = fitNestedLogit(one.rows, one.attributes, { nests: one.nests });
      for (const [values, errors, own] of [
        [found.coefficients, found.standardErrors, truth.coefficients],
        [found.dissimilarities, found.dissimilarityErrors, { bus: 0.4, car: 0.7 }],
      ] as const)
        for (const [name, value] of Object.entries(own)) {
          all++;
          if (Math.abs((values[name] as number) - value) < 1.6448536 * (errors[name] as number)) covered++;
        }
    }
    expect(all).toBe(200);
    expect(covered / all).toBeGreaterThan(0.85);
    expect(covered / all).toBeLessThan(0.95);
  });

  it("finds a shared dissimilarity, and dissimilarities of 1 where choices are independent", () => {
    const shared = nestedWorld({
      seed: 3,
      parameters: { coefficients: truth.coefficients, dissimilarities: { bus: 0.5, car: 0.5, walk: 1 } },
    });
    const one = fitNestedLogit(shared.rows, shared.attributes, {
      nests: shared.nests,
      sharedDissimilarity: true,
    });
    expect(one.dissimilarities["bus"]).toBe(one.dissimilarities["car"]);
    expect(one.dissimilarityErrors["bus"]).toBe(one.dissimilarityErrors["car"]);
    expect(Math.abs((one.dissimilarities["bus"] as number) - 0.5)).toBeLessThan(
      3 * (one.dissimilarityErrors["bus"] as number),
    );
    expect(one.independenceTest.degreesOfFreedom).toBe(1);
    const free = fitNestedLogit(shared.rows, shared.attributes, { nests: shared.nests });
    expect(free.logLikelihood).toBeGreaterThanOrEqual(one.logLikelihood);
    const plain = nestedWorld({
      seed: 4,
      parameters: { coefficients: truth.coefficients, dissimilarities: { bus: 1, car: 1, walk: 1 } },
    });
    const found = fitNestedLogit(plain.rows, plain.attributes, { nests: plain.nests });
    const simple = fitConditionalLogit(plain.rows, plain.attributes);
    expect(found.independenceTest.chiSquare).toBeCloseTo(2 * (found.logLikelihood - simple.logLikelihood), 9);
    expect(found.independenceTest.p).toBeGreaterThan(0.01);
    for (const nest of ["bus", "car"])
      expect(Math.abs((found.dissimilarities[nest] as number) - 1)).toBeLessThan(
        3 * (found.dissimilarityErrors[nest] as number),
      );
    expect(found.dissimilarities["car"]).toBeGreaterThan(1); // by chance
    expect(found.warnings.at(-1)).toMatch(
      /the dissimilarity of car is 1\.\d+, above 1 within two standard errors: /,
    );
  });

  it("warns of a dissimilarity above 1 by the nest", () => {
    const unlike = { coefficients: truth.coefficients, dissimilarities: { bus: 2, car: 0.5, walk: 1 } };
    const odd = nestedWorld({ sets: 1000, seed: 5, parameters: unlike });
    const found = fitNestedLogit(odd.rows, odd.attributes, { nests: odd.nests });
    expect(found.dissimilarities["bus"]).toBeGreaterThan(1);
    expect(found.warnings[0]).toMatch(
      /^nested logit: the dissimilarity of bus is \d\.\d+, above 1: its alternatives are less alike than those of different nests/,
    );
    expect(found.warnings).toHaveLength(1);
  });

  it("takes weights for repeated sets, gives robust errors, does not depend on units, and is JSON-safe", () => {
    const small = nestedWorld({ sets: 200, seed: 6 });
    const { set, chosen } = small.rows;
    const weighted = fitNestedLogit({ ...small.rows, weight: Array.from(set, () => 2) }, small.attributes, {
      nests: small.nests,
    });
    const twice = <Value>(column: ArrayLike<Value>): Value[] => [
      ...Array.from(column),
      ...Array.from(column),
    ];
    const doubled = fitNestedLogit(
      { set: twice(set).map((s, row) => `${s} ${Number(row >= set.length)}`), chosen: twice(chosen) },
      Object.fromEntries(Object.entries(small.attributes).map(([name, column]) => [name, twice(column)])),
      { nests: twice(small.nests) },
    );
    expect(weighted.logLikelihood).toBeCloseTo(doubled.logLikelihood, 8);
    expect(weighted.dissimilarityErrors["bus"]).toBeCloseTo(doubled.dissimilarityErrors["bus"] as number, 7);
    const cents = Array.from(world.attributes["cost"] as number[], (x) => 100 * x + 7);
    const other = fitNestedLogit(world.rows, { ...world.attributes, cost: cents }, { nests: world.nests });
    expect((other.coefficients["cost"] as number) * 100).toBeCloseTo(fit.coefficients["cost"] as number, 8);
    expect(other.dissimilarities["bus"]).toBeCloseTo(fit.dissimilarities["bus"] as number, 8);
    const robust = fitNestedLogit(world.rows, world.attributes, { nests: world.nests, errors: "set" });
    for (const name of ["comfort", "cost"]) {
      const ratio = (robust.standardErrors[name] as number) / (fit.standardErrors[name] as number);
      expect(Math.abs(ratio - 1)).toBeLessThan(0.15); // the model is right
    }
    const grouped = {
      ...world.rows,
      respondent: Array.from(world.rows.set, (_, row) => Math.floor(row / 50)),
    };
    const clustered = fitNestedLogit(grouped, world.attributes, { nests: world.nests, errors: "respondent" });
    expect(clustered.standardErrors["cost"]).not.toBe(robust.standardErrors["cost"]);
    expect(JSON.parse(JSON.stringify(fit))).toEqual(fit);
    const { values } = willingnessToPay(fit, { price: "cost", random: randomSource(1), draws: 100 });
    expect(values[0]?.value).toBeCloseTo(
      -(fit.coefficients["comfort"] as number) / (fit.coefficients["cost"] as number),
      9,
    );
  });
});

describe("probabilities", () => {
  const utilities = fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: 5, maxLength: 5 });
  const dissimilarity = fc.double({ min: 0.05, max: 1, noNaN: true });
  const sharesAt = (x: readonly number[], bus: number, car: number): Float64Array =>
    nestedLogitProbabilities(
      { coefficients: { x: 1 }, dissimilarities: { bus, car, walk: 1 } },
      { set: x.map(() => 1) },
      { x },
      { nests: NESTS },
    );

  it("add up to 1, are those of the conditional logit where all dissimilarities are 1, and do not depend on the level of utility", () => {
    fc.assert(
      fc.property(utilities, dissimilarity, dissimilarity, (x, bus, car) => {
        const shares = sharesAt(x, bus, car);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
        const shifted = sharesAt(
          x.map((value) => value + 5),
          bus,
          car,
        );
        for (const [k, share] of shares.entries()) expect(shifted[k]).toBeCloseTo(share, 10);
        const plain = choiceProbabilities({ coefficients: { x: 1 } }, { set: x.map(() => 1) }, { x });
        for (const [k, share] of sharesAt(x, 1, 1).entries())
          expect(share).toBeCloseTo(plain[k] as number, 12);
      }),
      { seed: 5, numRuns: 100 },
    );
  });

  it("fall more, relatively, for alternatives in the nest of one that becomes better than for others, and alike for all others", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 5, maxLength: 5 }),
        fc.double({ min: 0.1, max: 0.9, noNaN: true }),
        dissimilarity,
        (x, bus, car) => {
          const better = [(x[0] as number) + 0.5, ...x.slice(1)];
          const [before, after] = [sharesAt(x, bus, car), sharesAt(better, bus, car)];
          const change = (k: number): number => Math.log((after[k] as number) / (before[k] as number));
          expect(change(1)).toBeLessThan(change(2));
          expect(change(2)).toBeCloseTo(change(3), 10);
          expect(change(2)).toBeCloseTo(change(4), 10);
        },
      ),
      { seed: 6, numRuns: 100 },
    );
  });

  it("of two equal buses as alike as can be are half each of one bus (red bus, blue bus)", () => {
    const [red, blue, car] = nestedLogitProbabilities(
      { coefficients: { x: 1 }, dissimilarities: { bus: 1e-6, car: 1 } },
      { set: [1, 1, 1] },
      { x: [0.3, 0.3, 0.3] },
      { nests: ["bus", "bus", "car"] },
    ) as unknown as [number, number, number];
    expect(red).toBeCloseTo(0.25, 6);
    expect(blue).toBeCloseTo(0.25, 6);
    expect(car).toBeCloseTo(0.5, 6);
  });
});

describe("bad input", () => {
  const { rows, attributes, nests } = nestedWorld({ sets: 30 });
  it.each([
    [nests.map(() => "all"), 'nests must differ within some choice set, but each set has one only, of "all"'],
    [
      nests.map((_, row) => row % 5),
      "nests must hold two alternatives of some choice set, but 0, 1, 2, 3, 4 never do: fit a conditional logit",
    ],
    [nests.slice(1), "nests must have one value for each of the 150 rows, got 149"],
    [nests.map((nest, row) => (row === 3 ? "" : nest)), 'nests in row 4 must be a label, got ""'],
  ])("%#", (bad, message) => {
    expect(() => fitNestedLogit(rows, attributes, { nests: bad })).toThrow(message);
  });

  it("an unknown nest in a prediction", () => {
    expect(() =>
      nestedLogitProbabilities(truth, rows, attributes, { nests: nests.map(() => "train") }),
    ).toThrow('nests must be among bus, car, walk, got "train"');
  });
});
