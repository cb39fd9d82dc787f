import { describe, expect, it } from "vitest";
import { randomSource } from "../../src/numeric/random.js";
import { fitConditionalLogit } from "../../src/tradeoff/conditional-logit.js";
import { willingnessToPay } from "../../src/tradeoff/willingness-to-pay.js";
import { simulatedStudy } from "./worlds.js";

const taste = { mean: { organic: 0.8, price: -0.6 } };
const wtp = (fit: Parameters<typeof willingnessToPay>[0], draws = 10_000) =>
  willingnessToPay(fit, { price: "price", random: randomSource(2), draws });

describe("willingness to pay", () => {
  it("recovers 0.8 / 0.6, with limits of both kinds that agree where the price is well determined", () => {
    const { rows, attributes } = simulatedStudy(taste, { respondents: 400, seed: 6 });
    const { values, warnings } = wtp(fitConditionalLogit(rows, attributes));
    const [organic] = values;
    expect(warnings).toEqual([]);
    expect(values.map(({ attribute }) => attribute)).toEqual(["organic"]);
    expect(Math.abs((organic?.value ?? 0) - 0.8 / 0.6) / (organic?.standardError ?? 0)).toBeLessThan(3);
    for (const end of [0, 1] as const)
      expect(Math.abs((organic?.krinskyRobb[end] ?? 0) - (organic?.delta[end] ?? 0))).toBeLessThan(
        0.15 * (organic?.standardError ?? 0),
      );
  });

  it("is Fieller's interval in the limit of many draws, where delta's is not", () => {
    // b = (1, -0.4), independent with errors 0.1: by Fieller the ratio's 95% limits solve (1 - w 0.4)^2 = z^2 0.01 (1 + w^2).
    const fit = {
      coefficients: { organic: 1, price: -0.4 },
      covariance: [
        [0.01, 0],
        [0, 0.01],
      ],
    };
    const z2 = 1.959963984540054 ** 2 * 0.01;
    const [a, b, c] = [0.16 - z2, -0.8, 1 - z2];
    const root = Math.sqrt(b * b - 4 * a * c);
    const { krinskyRobb = [0, 0], delta = [0, 0] } = wtp(fit, 200_000).values[0] ?? {};
    expect(krinskyRobb[0]).toBeCloseTo((-b - root) / (2 * a), 1.5);
    expect(Math.abs(krinskyRobb[1] / ((-b + root) / (2 * a)) - 1)).toBeLessThan(0.01);
    expect(delta[1]).toBeLessThan(krinskyRobb[1]);
  });

  it("warns of a price that hardly matters, and of one that is liked", () => {
    const of = (price: number) => ({
      coefficients: { organic: 1, price },
      covariance: [
        [0.01, 0],
        [0, 0.01],
      ],
    });
    expect(wtp(of(-0.2), 100).warnings[0]).toContain("only 2.0 standard errors below 0");
    expect(wtp(of(0.2), 100).warnings[0]).toContain("is positive (0.200)");
    expect(() => wtp(of(0), 100)).toThrow("the coefficient of price must not be 0");
  });

  it("refuses an unknown price, a level in percent and too few draws", () => {
    const fit = {
      coefficients: { organic: 1, price: -1 },
      covariance: [
        [0.01, 0],
        [0, 0.01],
      ],
    };
    const random = randomSource(1);
    expect(() => willingnessToPay(fit, { price: "cost", random })).toThrow(
      'price must be one of organic, price, got "cost"',
    );
    expect(() => willingnessToPay(fit, { price: "price", random, level: 95 })).toThrow(
      "level must be between 0 and 1, got 95",
    );
    expect(() => wtp(fit, 10)).toThrow("draws must be a whole number from 100 up, got 10");
  });
});
