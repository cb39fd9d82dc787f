import { describe, expect, it } from "vitest";
import { ConvergenceError } from "../../src/core/errors.js";
import { randomSource } from "../../src/numeric/random.js";
import { chooseClasses, fitLatentClassLogit, type LatentClassFit } from "../../src/tradeoff/latent-class.js";
import { classWorld } from "./class-studies.js";
import { simulatedStudy } from "./worlds.js";

const random = randomSource(1);

describe("weak data", () => {
  it("warn of coefficients without a finite maximum by class and name, and a penalty mends them", async () => {
    const small = classWorld({ respondents: 60, tasks: 12, seed: 3 });
    // Respondents of the second kind never take a product with the badge, the others do not care.
    const source = randomSource(2);
    const badge = small.rows.respondent.map((who, row) =>
      small.kind[who] === 1 && small.rows.chosen[row] ? 0 : Number(source.uniform() < 0.5),
    );
    const attributes = { ...small.attributes, badge };
    const options = { classes: 2, random, workers: 0, starts: 5 };
    const found = await fitLatentClassLogit(small.rows, attributes, options);
    const which = found.identification.undetermined;
    expect(which).toHaveLength(1);
    expect(which[0]).toMatch(/^class [12] badge$/);
    expect(found.warnings[0]).toBe(
      `latent class logit: the data do not determine ${which[0]}: the likelihood rises for ever with them, or does not depend on them; they have no standard errors: fit fewer classes, or set a penalty such as 0.01`,
    );
    const own = found.classes[Number((which[0] as string)[6]) - 1] as LatentClassFit["classes"][number];
    expect(own.coefficients["badge"]).toBeLessThan(-5);
    expect(Object.keys(own.standardErrors)).toEqual(["organic", "large", "price"]);
    expect(found.covariance.flat().every(Number.isFinite)).toBe(true);
    const mended = await fitLatentClassLogit(small.rows, attributes, { ...options, penalty: 0.01 });
    expect(mended.identification.undetermined).toEqual([]);
    expect(mended.logLikelihood).toBeLessThan(found.logLikelihood);
  });

  it("warn of small classes and of single choices", async () => {
    const tiny = classWorld({ respondents: 8, tasks: 12, seed: 2 });
    const found = await fitLatentClassLogit(tiny.rows, tiny.attributes, {
      classes: 3,
      random,
      workers: 0,
      starts: 5,
      penalty: 0.05,
    });
    expect(found.warnings.join("\n")).toMatch(
      /class 3 has [\d.]+ respondents for 3 coefficients: fit fewer classes/,
    );
    const small = classWorld({ respondents: 60, tasks: 10, seed: 5 });
    const set = Array.from(small.rows.set, (_, row) => Math.floor(row / 3));
    const single = await fitLatentClassLogit({ set, chosen: small.rows.chosen }, small.attributes, {
      classes: 2,
      random,
      workers: 0,
      starts: 2,
      penalty: 0.01,
    });
    expect(single.warnings.join("\n")).toContain(
      "latent class logit: every respondent chose once only: classes are told apart by the form of the model alone",
    );
  });

  it("of respondents who choose by chance leave a class empty: that is an error, and a row of the choice of classes", async () => {
    const source = randomSource(1);
    const rows = { set: [] as number[], respondent: [] as number[], chosen: [] as number[] };
    const x: number[] = [];
    for (let who = 0; who < 5; who++)
      for (let task = 0; task < 3; task++) {
        const pick = Math.floor(3 * source.uniform());
        for (let k = 0; k < 3; k++) {
          rows.set.push(task);
          rows.respondent.push(who);
          rows.chosen.push(Number(k === pick));
          x.push(source.uniform());
        }
      }
    const options = { random, workers: 0, starts: 5, penalty: 0.2 };
    await expect(fitLatentClassLogit(rows, { x }, { ...options, classes: 3 })).rejects.toThrow(
      new ConvergenceError(
        "latent class logit: only 1 of 3 classes have respondents (half a one or more) in the best of 5 searches: fit fewer classes",
      ),
    );
    const { counts, best } = await chooseClasses(rows, { x }, { ...options, upTo: 3 });
    expect(counts[2]?.failure).toContain("only 1 of 3 classes have respondents");
    expect(counts[2]?.fit).toBeUndefined();
    expect(best).toEqual({ aic: 1, bic: 1, caic: 1 });
  });

  it("of respondents who are all the same leave classes that cannot be told apart, or none", async () => {
    const one = simulatedStudy({ mean: { a: 0.5, price: -0.3 } }, { respondents: 1, tasks: 12, seed: 2 });
    const copies = 6;
    const repeat = <Value>(column: ArrayLike<Value>): Value[] =>
      Array.from({ length: copies }, () => Array.from(column)).flat();
    const rows = {
      set: repeat(one.rows.set),
      chosen: repeat(one.rows.chosen),
      respondent: repeat(one.rows.set).map((_, row) => Math.floor(row / 36)),
    };
    const attributes = Object.fromEntries(
      Object.entries(one.attributes).map(([name, column]) => [name, repeat(column)]),
    );
    const found = await fitLatentClassLogit(rows, attributes, { classes: 2, random, workers: 0, starts: 2 });
    expect(found.logLikelihood).toBeCloseTo(found.sameTastesLogLikelihood, 6);
    expect(found.identification.undetermined).toContain("class 2 membership");
  });
});
