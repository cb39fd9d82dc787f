import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomSource } from "../../src/numeric/random.js";
import { drawNormal } from "../../src/numeric/sampling.js";
import { type Market, marketOf } from "../../src/tradeoff/market.js";
import {
  priceElasticities,
  priceResponse,
  sensitivity,
  sourceOfVolume,
  tuneExponent,
} from "../../src/tradeoff/market-response.js";
import { linearAttribute, type PartWorths, pooledPartWorths } from "../../src/tradeoff/part-worths.js";
import { searchProductLine } from "../../src/tradeoff/product-line.js";
import { type ChoiceRule, type SimulationOptions, simulateMarket } from "../../src/tradeoff/simulator.js";
import { calibrateConstants } from "../../src/tradeoff/simulator-constants.js";
import { car, price, red, sharesOf, travel, travellers, trip, twin } from "./markets.js";

const quality = linearAttribute("quality", [0, 1, 2]);
const offer = (name: string, good: number, money: number) => ({
  name,
  levels: { quality: good, price: money },
});
const shop = marketOf([quality, price], [offer("ours", 1, 3), offer("rival", 2, 4), offer("cheap", 0, 1.5)], {
  price: "price",
  costs: { quality: { 0: 0.5, 1: 1, 2: 2 } },
});
const names = ["quality", "price", "none"];

/** Shoppers who differ, with draws around their part-worths where wanted. */
function shoppers(n: number, { seed = 3, draws = 0 } = {}): PartWorths {
  const random = randomSource(seed);
  const values = Array.from({ length: n }, () =>
    Float64Array.of(1 + drawNormal(random), -1 + 0.4 * drawNormal(random), 2 * drawNormal(random)),
  );
  const drawn = Array.from({ length: draws }, () =>
    values.flatMap((row) => Array.from(row, (value) => value + 0.5 * drawNormal(random))),
  );
  return {
    names,
    respondents: values.map((_, who) => who),
    values,
    ...(draws > 0 ? { draws: Float64Array.from(drawn.flat()) } : {}),
  };
}
const alternatives = [...shop.products, "none"];
const byName = (values: readonly number[]): Record<string, number> =>
  Object.fromEntries(alternatives.slice(0, values.length).map((name, j) => [name, values[j] as number]));
const none = { none: "none" };

describe("calibrated constants", () => {
  it("are logs of shares less differences of utility where buyers are alike", () => {
    const alike = { names: ["quality", "price"], respondents: [1], values: [Float64Array.of(1, -0.8)] };
    const known = { ours: 0.2, rival: 0.7, cheap: 0.1 };
    const { constants, base, shares } = calibrateConstants(alike, shop, known);
    const utility = { ours: 1 - 0.8 * 3, rival: 2 - 0.8 * 4, cheap: -0.8 * 1.5 };
    expect(base).toBe("ours");
    expect(constants["ours"]).toBe(0);
    for (const name of ["rival", "cheap"] as const)
      expect(constants[name]).toBeCloseTo(
        Math.log(known[name] / known.ours) - utility[name] + utility.ours,
        8,
      );
    expect(shares.map(({ product }) => product)).toEqual(shop.products);
    expect(shares.map((row) => row.before)).toEqual(
      sharesOf(alike, shop).map((s) => expect.closeTo(s, 14) as number),
    );
  });

  it("are those that made the shares, whatever base, weights, exponent and draws", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 3, maxLength: 3 }),
        fc.constantFrom(0.3, 1, 2.5),
        fc.boolean(),
        fc.boolean(),
        (seed, planted, exponent, withNone, fromDraws) => {
          const partWorths = shoppers(30, { seed, draws: 20 });
          const options: SimulationOptions = {
            exponent,
            weights: partWorths.values.map((_, who) => who % 4),
            from: fromDraws ? "draws" : "point estimates",
            ...(withNone ? none : {}),
          };
          const market = withNone ? shop : { ...shop, attributes: { ...shop.attributes, none: [0, 0, 0] } };
          const shift = withNone ? 0 : (planted[0] as number);
          const known = sharesOf(partWorths, market, { ...options, constants: byName(planted) });
          const found = calibrateConstants(partWorths, market, byName(known), options);
          for (const [j, own] of planted.entries())
            expect(found.constants[alternatives[j] as string]).toBeCloseTo(own - shift, 5);
          expect(found.constants[found.base]).toBe(0);
          expect(found.largestGap).toBeLessThan(1e-9);
          const again = sharesOf(partWorths, market, { ...options, constants: found.constants });
          for (const [j, share] of again.entries())
            expect(Math.abs(share - (known[j] as number))).toBeLessThan(1e-9);
        },
      ),
      { seed: 4, numRuns: 60 },
    );
  });

  it("reach shares far from the survey's, and those of products that few meet", () => {
    const partWorths = shoppers(60);
    for (const known of [
      [1e-6, 0.999, 1e-9, 0.001 - 1e-6 - 1e-9],
      [0.97, 0.01, 0.01, 0.01],
    ]) {
      const { constants } = calibrateConstants(partWorths, shop, byName(known), none);
      const shares = sharesOf(partWorths, shop, { ...none, constants });
      for (const [j, share] of shares.entries())
        expect(Math.abs(share - (known[j] as number))).toBeLessThan(1e-9);
    }
    const few = { ...shop, awareness: [0.5, 1, 0.8], distribution: [0.9, 0.4, 1] };
    const known = [0.2, 0.1, 0.3, 0.4];
    const { constants } = calibrateConstants(partWorths, few, byName(known), none);
    const shares = sharesOf(partWorths, few, { ...none, constants });
    for (const [j, share] of shares.entries()) expect(share).toBeCloseTo(known[j] as number, 9);
    const noNone = { ...few, attributes: { ...few.attributes, none: [0, 0, 0] } };
    const parts = { ours: 0.4, rival: 0.2, cheap: 0.4 };
    const bought = calibrateConstants(partWorths, noNone, parts);
    const { shares: all, unserved } = simulateMarket(partWorths, noNone, { constants: bought.constants });
    expect(unserved).toBeGreaterThan(0.05);
    for (const { product, share } of all)
      expect(share / (1 - unserved)).toBeCloseTo(parts[product as keyof typeof parts], 9);
  });

  it("meet shares of randomised first choice to half a tenth of a point, under the noise that is simulated", () => {
    const partWorths = travellers(200);
    const market = marketOf(travel, [car, red, trip("fine bus", "bus", "high", "blue")]);
    const options = {
      rule: "randomised first choice",
      random: randomSource(5),
      levels: travel,
      noiseDraws: 100,
    } as const;
    const known = { car: 0.5, "red bus": 0.3, "fine bus": 0.2 };
    const { constants, largestGap } = calibrateConstants(partWorths, market, known, options);
    expect(largestGap).toBeLessThan(5e-4);
    const shares = sharesOf(partWorths, market, { ...options, constants, resamples: 100 });
    for (const [j, share] of Object.values(known).entries())
      expect(Math.abs((shares[j] as number) - share)).toBeLessThan(5e-4);
    const few = { ...market, awareness: [0.6, 0.9, 0.7] };
    const met = calibrateConstants(partWorths, few, known, options);
    const simulated = simulateMarket(partWorths, few, {
      ...options,
      constants: met.constants,
      resamples: 100,
    });
    const served = simulated.shares.reduce((sum, { share }) => sum + share, 0);
    expect(served).toBeLessThan(0.995);
    for (const [j, share] of Object.values(known).entries())
      expect(Math.abs((simulated.shares[j]?.share as number) / served - share)).toBeLessThan(6e-4);
    const copies = marketOf(travel, [car, red, twin]);
    expect(() =>
      calibrateConstants(partWorths, copies, { car: 0.5, "red bus": 0.4, "red bus again": 0.1 }, options),
    ).toThrow(
      /^constants bring randomised first choice no nearer than 0\.\d+ to a known share: take more noiseDraws/,
    );
  });
});

describe("constants in simulations", () => {
  const partWorths = shoppers(40, { draws: 8 });
  const constants = { ours: 0.7, cheap: -1.2, none: 0.4 };
  /** The same constants as a part-worth of 1 for everybody. */
  const worthMore = (rows: Float64Array[]) => rows.map((row) => Float64Array.of(...row, 1));
  const drawRows = Array.from({ length: 8 * 40 }, (_, i) =>
    (partWorths.draws as Float64Array).slice(i * 3, i * 3 + 3),
  );
  const widened: PartWorths = {
    ...partWorths,
    names: [...names, "constant"],
    values: worthMore([...partWorths.values]),
    draws: Float64Array.from(worthMore(drawRows).flatMap((row) => Array.from(row))),
  };
  const widen = (market: Market, own: readonly number[]): Market => ({
    ...market,
    attributes: { ...market.attributes, constant: own },
  });
  const inMarket = { ours: 0.7, rival: 0.2, cheap: -1.2 };
  const wide = widen(shop, [0.7, 0.2, -1.2]);

  it("of 0 change nothing at all", () => {
    const rules: ChoiceRule[] = [
      "first choice",
      "share of preference",
      "randomised first choice",
      "purchase likelihood",
    ];
    const levels = [quality, price];
    for (const rule of rules)
      for (const from of ["draws", "point estimates"] as const) {
        const options = {
          ...none,
          rule,
          from,
          random: randomSource(2),
          levels,
          noiseDraws: 4,
          resamples: 100,
        };
        expect(simulateMarket(partWorths, shop, { ...options, constants: { ours: 0, none: 0 } })).toEqual(
          simulateMarket(partWorths, shop, options),
        );
      }
  });

  it("are what a part-worth of 1 for everybody would be, wherever shares are computed", () => {
    const bare = { ...none, from: "draws" } as const;
    const options = { ...bare, constants: inMarket };
    const expectSame = (own: unknown, other: unknown): void => {
      const round = (value: unknown): unknown =>
        JSON.parse(
          JSON.stringify(value, (_, one: unknown) =>
            typeof one === "number" ? Number(one.toFixed(9)) : one,
          ),
        );
      expect(round(own)).toEqual(round(other));
    };
    const prices = [2, 3, 4];
    const question = { product: "ours", attribute: price, prices };
    expectSame(simulateMarket(partWorths, shop, options), simulateMarket(widened, wide, bare));
    expectSame(
      priceResponse(partWorths, shop, question, options),
      priceResponse(widened, wide, question, bare),
    );
    expectSame(
      priceElasticities(partWorths, shop, price, options),
      priceElasticities(widened, wide, price, bare),
    );
    expectSame(
      sourceOfVolume(partWorths, shop, "cheap", options),
      sourceOfVolume(widened, wide, "cheap", bare),
    );
    expectSame(
      sensitivity(partWorths, shop, "ours", [quality], options),
      sensitivity(widened, wide, "ours", [quality], bare),
    );
    const known = byName([0.3, 0.3, 0.3, 0.1]);
    expectSame(tuneExponent(partWorths, shop, known, options), tuneExponent(widened, wide, known, bare));
    for (const rule of ["first choice", "share of preference", "randomised first choice"] as const) {
      const noise = { random: randomSource(4), levels: [quality, price], noiseDraws: 2 };
      const setting = { ...none, ...noise, rule, from: "draws" } as const;
      const search = { size: 2, search: "exhaustive" } as const;
      expectSame(
        searchProductLine(partWorths, { ...setting, candidates: shop, constants: inMarket }, search),
        searchProductLine(widened, { ...setting, candidates: wide }, search),
      );
    }
  });

  it("may be of none, and raise whatever has them", () => {
    const [, , , before] = sharesOf(partWorths, shop, none);
    const [, , , after] = sharesOf(partWorths, shop, { ...none, constants });
    const [, , , without] = sharesOf(partWorths, shop, { ...none, constants: { ...constants, none: 0 } });
    expect(after).toBeGreaterThan(without as number);
    expect(after).not.toBe(before);
  });

  it("have limits with those of the part-worths", () => {
    const fit = {
      coefficients: { quality: 1, price: -0.8 },
      covariance: [
        [0.01, 0],
        [0, 0.01],
      ],
    };
    const pooled = pooledPartWorths(fit, { random: randomSource(2), draws: 200 });
    const known = { ours: 0.5, rival: 0.2, cheap: 0.3 };
    const { constants: own } = calibrateConstants(pooled, shop, known, { from: "draws" });
    const { shares } = simulateMarket(pooled, shop, { from: "draws", constants: own });
    for (const { product, share, low, high } of shares) {
      expect(share).toBeCloseTo(known[product as keyof typeof known], 9);
      expect(low).toBeLessThan(share);
      expect(high).toBeGreaterThan(share);
    }
  });
});

describe("constants that cannot be", () => {
  const partWorths = shoppers(5);
  const calibrate =
    (known: readonly number[], options: SimulationOptions = {}) =>
    () =>
      calibrateConstants(partWorths, shop, byName(known), { ...none, ...options });
  it.each<[string, () => unknown, string | RegExp]>([
    [
      "a share of 0",
      calibrate([0, 0.5, 0.3, 0.2]),
      "known share of ours must be above 0 and below 1, got 0: no constant gives it, so leave the product out of the market",
    ],
    [
      "a share of 1",
      () =>
        calibrateConstants(
          { names: ["u"], respondents: [1], values: [Float64Array.of(1)] },
          { products: ["only"], attributes: { u: [1] } },
          { only: 1 },
        ),
      "known share of only must be above 0 and below 1, got 1: no constant gives it, so leave the product out of the market",
    ],
    [
      "percentages",
      calibrate([20, 30, 30, 20]),
      "known share of ours must be between 0 and 1, got 20; a percentage must be divided by 100",
    ],
    [
      "no share of none",
      calibrate([0.5, 0.3, 0.2]),
      "known share of none must be between 0 and 1, got undefined",
    ],
    [
      "shares of 0.9",
      calibrate([0.2, 0.3, 0.2, 0.2]),
      "known shares must add up to 1, got 0.8999999999999999",
    ],
    [
      "more buyers than meet a product",
      () =>
        calibrateConstants(
          partWorths,
          { ...shop, awareness: [0.2, 1, 1] },
          byName([0.3, 0.3, 0.2, 0.2]),
          none,
        ),
      "known share of ours must be below the share of buyers who meet it by awareness and distribution, got 0.3",
    ],
    [
      "more buyers than meet two products",
      () =>
        calibrateConstants(
          partWorths,
          { ...shop, awareness: [0.4, 0.4, 1] },
          byName([0.38, 0.38, 0.14, 0.1]),
          none,
        ),
      /^constants did not settle in 300 rounds: a share is 0.\d+ off, perhaps for want of buyers who meet the product$/,
    ],
    [
      "another rule",
      calibrate([0.2, 0.3, 0.3, 0.2], { rule: "first choice" }),
      "rule must be share of preference or randomised first choice, got first choice",
    ],
    [
      "an exponent of 0",
      calibrate([0.2, 0.3, 0.3, 0.2], { exponent: 0 }),
      "exponent must be above 0 for constants to matter, got 0",
    ],
    [
      "a stranger",
      () => simulateMarket(partWorths, shop, { ...none, constants: { theirs: 1 } }),
      'constants must be of ours, rival, cheap, none, got "theirs"',
    ],
    [
      "text",
      () => simulateMarket(partWorths, shop, { ...none, constants: { ours: "1" as unknown as number } }),
      'constant of ours must be a finite number, got "1"',
    ],
  ])("%s", (_name, act, message) => {
    expect(act).toThrow(message);
  });
});
