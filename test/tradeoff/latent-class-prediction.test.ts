import { beforeAll, describe, expect, it } from "vitest";
import { randomSource } from "../../src/numeric/random.js";
import type { LatentClassFit } from "../../src/tradeoff/latent-class.js";
import {
  classMembership,
  classPartWorths,
  latentClassProbabilities,
} from "../../src/tradeoff/latent-class-prediction.js";
import { willingnessToPay } from "../../src/tradeoff/willingness-to-pay.js";
import { classWorld, fitClasses } from "./class-studies.js";
import { logOfChosen } from "./mixed-studies.js";

const random = randomSource(1);
const world = classWorld();
let fit: LatentClassFit;

beforeAll(async () => {
  fit = await fitClasses(world, 4);
});

describe("predictions", () => {
  it("given earlier choices add up to the log-likelihood, and shares to 1", () => {
    const { classes } = fit;
    const told = latentClassProbabilities(classes, world.rows, world.attributes, {
      given: "earlier choices",
    });
    expect(logOfChosen(told, world.rows)).toBeCloseTo(fit.logLikelihood, 7);
    const blind = latentClassProbabilities(classes, world.rows, world.attributes);
    for (let row = 0; row < 90; row += 3)
      expect(blind.subarray(row, row + 3).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(logOfChosen(blind, world.rows)).toBeLessThan(fit.logLikelihood);
    const { set, respondent } = world.rows;
    expect(latentClassProbabilities(classes, { set, respondent }, world.attributes)).toEqual(blind);
  });

  it("put nearly all respondents in their own class, with tastes between those of the classes", () => {
    const members = classMembership(fit.classes, world.rows, world.attributes);
    const right = world.kind.filter((kind, who) => members.likeliest[who] === kind + 1).length;
    expect(right / 300).toBeGreaterThan(0.9);
    const price = members.names.indexOf("price");
    const prices = fit.classes.map(({ coefficients }) => coefficients["price"] as number);
    for (const values of members.values) {
      expect(values[price]).toBeLessThanOrEqual(Math.max(...prices) + 1e-12);
      expect(values[price]).toBeGreaterThanOrEqual(Math.min(...prices) - 1e-12);
    }
    expect(members.respondents).toHaveLength(300);
    expect(classPartWorths(fit.classes)).toMatchObject({
      names: ["organic", "large", "price"],
      respondents: ["class 1", "class 2", "class 3"],
    });
    const { values } = willingnessToPay(fit.classes[0] as LatentClassFit["classes"][number], {
      price: "price",
      random,
      draws: 100,
    });
    expect(values[0]?.value).toBeCloseTo(
      -(fit.classes[0]?.coefficients["organic"] as number) /
        (fit.classes[0]?.coefficients["price"] as number),
      9,
    );
  });
});
