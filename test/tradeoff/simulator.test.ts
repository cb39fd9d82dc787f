import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomSource } from "../../src/numeric/random.js";
import { type Market, marketOf, type ProductSpec } from "../../src/tradeoff/market.js";
import {
  type AttributeLevels,
  categoricalAttribute,
  linearAttribute,
  type PartWorths,
  pooledPartWorths,
} from "../../src/tradeoff/part-worths.js";
import { type ChoiceRule, type SimulationOptions, simulateMarket } from "../../src/tradeoff/simulator.js";
import { car, comfort, price, red, sharesOf, travel, travellers, trip, twin } from "./markets.js";

/** One respondent whose utilities of products are given directly. */
const alone = (...utilities: number[]): { partWorths: PartWorths; market: Market } => ({
  partWorths: { names: ["u"], respondents: [1], values: [Float64Array.of(1)] },
  market: { products: utilities.map((_, j) => `p${j + 1}`), attributes: { u: utilities } },
});

describe("rules of choice", () => {
  it("are logit, Bradley-Terry-Luce, first choice and purchase likelihood by hand", () => {
    const { partWorths, market } = alone(Math.log(2), Math.log(6), 0);
    const of = (rule: ChoiceRule) => sharesOf(partWorths, market, { rule });
    const expectShares = (rule: ChoiceRule, expected: readonly number[]) => {
      for (const [j, share] of of(rule).entries()) expect(share).toBeCloseTo(expected[j] as number, 14);
    };
    expectShares("share of preference", [2 / 9, 6 / 9, 1 / 9]);
    const sum = Math.log(2) + Math.log(6);
    expectShares("Bradley-Terry-Luce", [Math.log(2) / sum, Math.log(6) / sum, 0]);
    expectShares("purchase likelihood", [2 / 3, 6 / 7, 1 / 2]);
    expect(of("first choice")).toEqual([0, 1, 0]);
    const tied = alone(1, 3, 3);
    expect(sharesOf(tied.partWorths, tied.market, { rule: "first choice" })).toEqual([0, 0.5, 0.5]);
  });

  it("survive utilities of any size", () => {
    const { partWorths, market } = alone(2000, 1999, -2000);
    const [one, two, three] = sharesOf(partWorths, market);
    expect(one).toBeCloseTo(1 / (1 + Math.exp(-1)), 14);
    expect((one as number) + (two as number)).toBeCloseTo(1, 14);
    expect(three).toBe(0);
  });

  it("count none as one alternative more, for purchase likelihood as its threshold", () => {
    const partWorths = { names: ["u", "nothing"], respondents: [1], values: [Float64Array.of(1, 0.5)] };
    const market = { products: ["a"], attributes: { u: [1.5] } };
    const shares = simulateMarket(partWorths, market, { none: "nothing" }).shares;
    expect(shares.map(({ product }) => product)).toEqual(["a", "none"]);
    expect(shares[0]?.share).toBeCloseTo(1 / (1 + Math.exp(-1)), 14);
    const likelihood = simulateMarket(partWorths, market, { none: "nothing", rule: "purchase likelihood" });
    expect(likelihood.shares.map(({ product }) => product)).toEqual(["a"]);
    expect(likelihood.shares[0]?.share).toBeCloseTo(1 / (1 + Math.exp(-1)), 14);
  });

  it("leave respondents with a utility below 0 out of Bradley-Terry-Luce, and say so", () => {
    const partWorths = {
      names: ["u"],
      respondents: [1, 2],
      values: [Float64Array.of(1), Float64Array.of(-1)],
    };
    const market = { products: ["a", "b"], attributes: { u: [1, 3] } };
    const { shares, warnings } = simulateMarket(partWorths, market, { rule: "Bradley-Terry-Luce" });
    expect(shares.map(({ share }) => share)).toEqual([0.25, 0.75]);
    expect(warnings).toEqual([
      "Bradley-Terry-Luce has no meaning for utilities below 0: 1 of 2 respondents left out",
    ]);
  });

  it("weigh respondents", () => {
    const partWorths = {
      names: ["u"],
      respondents: [1, 2],
      values: [Float64Array.of(1), Float64Array.of(-1)],
    };
    const market = { products: ["a", "b"], attributes: { u: [1, 3] } };
    expect(sharesOf(partWorths, market, { rule: "first choice", weights: [3, 1] })).toEqual([0.25, 0.75]);
  });

  it("go from equal shares to first choices as the exponent grows", () => {
    const partWorths = travellers(50);
    const market = marketOf(travel, [car, red]);
    const first = sharesOf(partWorths, market, { rule: "first choice" });
    for (const share of sharesOf(partWorths, market, { exponent: 0 })) expect(share).toBe(0.5);
    for (const [j, share] of sharesOf(partWorths, market, { exponent: 1e6 }).entries())
      expect(share).toBeCloseTo(first[j] as number, 6);
  });
});

describe("similar products: red bus and blue bus", () => {
  const partWorths = travellers(400);
  const options = { random: randomSource(1), levels: travel, noiseDraws: 400 };
  /** Points that the buses gain together when a copy of the bus is put beside it. */
  const inflation = (rule: ChoiceRule, copy = twin): number => {
    const [one] = sharesOf(partWorths, marketOf(travel, [car, red]), { rule, ...options });
    const [other] = sharesOf(partWorths, marketOf(travel, [car, red, copy]), { rule, ...options });
    return 100 * ((one as number) - (other as number));
  };

  it("inflates share of preference by over 10 points, randomised first choice by under 2, first choice not at all", () => {
    expect(inflation("share of preference")).toBeGreaterThan(10);
    expect(Math.abs(inflation("randomised first choice"))).toBeLessThan(2);
    expect(inflation("first choice")).toBe(0);
  });

  it("holds for a copy in another colour in part: it shares two of three levels", () => {
    const blue = trip("blue bus", "bus", "low", "blue");
    const part = inflation("randomised first choice", blue);
    expect(part).toBeGreaterThan(0);
    expect(part).toBeLessThan(inflation("share of preference", blue) * 0.75);
  });

  it("shrinks as products get noise of their own, up to that of the logit", () => {
    const market = marketOf(travel, [car, red, twin]);
    const logit = sharesOf(partWorths, market);
    const own = sharesOf(partWorths, market, {
      rule: "randomised first choice",
      ...options,
      attributeNoise: 0,
      productNoise: 1,
    });
    // 400 x 400 first choices: a standard error of 0.0013 at most.
    for (const [j, share] of own.entries())
      expect(Math.abs(share - (logit[j] as number))).toBeLessThan(0.004);
  });

  it("is the logit where one attribute tells all products apart", () => {
    const one = { names: ["comfort high"], respondents: [1], values: [Float64Array.of(0.8)] };
    const market = marketOf(
      [comfort],
      [
        { name: "a", levels: { comfort: "low" } },
        { name: "b", levels: { comfort: "high" } },
      ],
    );
    const [, high] = sharesOf(one, market, {
      rule: "randomised first choice",
      random: randomSource(3),
      levels: [comfort],
      noiseDraws: 40_000,
    });
    const share = 1 / (1 + Math.exp(-0.8));
    expect(Math.abs((high as number) - share)).toBeLessThan(3 * Math.sqrt((share * (1 - share)) / 40_000));
  });

  it("treats neighbouring prices as similar", () => {
    const buyers = { names: ["price"], respondents: [1], values: [Float64Array.of(0)] };
    const pair = (second: number) =>
      sharesOf(
        buyers,
        marketOf(
          [price],
          [
            { name: "a", levels: { price: 1 } },
            { name: "b", levels: { price: 3 } },
            { name: "c", levels: { price: second } },
          ],
        ),
        { rule: "randomised first choice", random: randomSource(5), levels: [price], noiseDraws: 20_000 },
      )[0] as number;
    // Alone against a copy 1/2, against another level 1/3, between them in between.
    expect(pair(3)).toBeCloseTo(0.5, 1);
    expect(pair(3.25)).toBeLessThan(pair(3));
    expect(pair(3.25)).toBeGreaterThan(pair(4));
    expect(Math.abs(pair(4) - 1 / 3)).toBeLessThan(0.01);
  });

  it("knows prices between levels however they are coded, and products without an attribute", () => {
    const share = (attribute: AttributeLevels, names: readonly string[]) => {
      const market = marketOf(
        [attribute],
        [
          { name: "a", levels: { price: 10 } },
          { name: "b", levels: { price: 25 } },
        ],
      );
      const values = [new Float64Array(names.length)];
      const options = { rule: "randomised first choice", random: randomSource(5), noiseDraws: 500 } as const;
      return sharesOf({ names, respondents: [1], values }, market, { ...options, levels: [attribute] });
    };
    const linear = share(linearAttribute("price", [10, 20, 40]), ["price"]);
    const levels = share(categoricalAttribute("price", [10, 20, 40]), ["price 20", "price 40"]);
    for (const [j, own] of levels.entries()) expect(own).toBeCloseTo(linear[j] as number, 12);
    const plain = { products: ["a", "b"], attributes: { price: [0, 0] } };
    const without = sharesOf({ names: ["price"], respondents: [1], values: [Float64Array.of(-1)] }, plain, {
      rule: "randomised first choice",
      random: randomSource(5),
      levels: [linearAttribute("price", [10, 20])],
    });
    expect(without[0]).toBeCloseTo(0.5, 12);
  });

  describe("where some products only have an attribute", () => {
    const rule = "randomised first choice";
    const vehicleOf = categoricalAttribute("vehicle", ["car", "bus"]);
    const only = { attribute: "vehicle", level: "bus" };
    const seatOf = (coding: "dummy" | "effects"): AttributeLevels => ({
      ...categoricalAttribute("seat", ["standing", "sitting"], { coding }),
      only,
    });
    const carOf = (name: string, high: string) => ({ name, levels: { vehicle: "car", comfort: high } });
    const busOf = (name: string, high: string, seat: string) => ({
      name,
      levels: { vehicle: "bus", comfort: high, seat },
    });
    const [lowCar, highCar] = [carOf("car", "low"), carOf("fine car", "high")];
    const lowBus = busOf("bus", "low", "standing");
    const shares = (
      levels: readonly AttributeLevels[],
      products: readonly ProductSpec[],
      names: readonly string[],
      utilities: readonly number[],
      noiseDraws = 40_000,
    ): number[] => {
      const values = [Float64Array.from(utilities)];
      const options = { rule, random: randomSource(8), levels, noiseDraws } as const;
      return sharesOf({ names, respondents: [1], values }, marketOf(levels, products), options);
    };
    const within = (share: number | undefined, expected: number): void =>
      expect(Math.abs((share as number) - expected)).toBeLessThan(
        4 * Math.sqrt((2 * expected * (1 - expected)) / 40_000),
      );

    it("a copy shares with its like, whether they have it or not", () => {
      const columns = ["vehicle bus", "comfort high", "seat sitting"];
      const levels = [vehicleOf, comfort, seatOf("dummy")];
      const share = (...products: ProductSpec[]): number[] =>
        shares(levels, products, columns, [0.4, 0.5, 0.2], 500);
      const [one, bus] = share(lowCar, lowBus) as [number, number];
      const [first, second, other] = share(lowCar, { ...lowCar, name: "copy" }, lowBus);
      expect([first, second, other].map((value) => (value as number).toFixed(9))).toEqual(
        [one / 2, one / 2, bus].map((value) => value.toFixed(9)),
      );
      const copied = share(lowCar, lowBus, { ...lowBus, name: "copy" });
      expect(copied.map((value) => value.toFixed(9))).toEqual(
        [one, bus / 2, bus / 2].map((value) => value.toFixed(9)),
      );
    });

    it("shares do not depend on whether it is coded by dummies or effects", () => {
      // Seats add 0.3 for sitting, -0.3 for standing; by dummies the bus has the -0.3.
      const products = [lowCar, highCar, lowBus, busOf("fine bus", "high", "sitting")];
      const byEffects = shares(
        [vehicleOf, comfort, seatOf("effects")],
        products,
        ["vehicle bus", "comfort high", "seat sitting"],
        [0.4, 0.5, 0.3],
      );
      const byDummies = shares(
        [vehicleOf, comfort, seatOf("dummy")],
        products,
        ["vehicle bus", "comfort high", "seat sitting"],
        [0.1, 0.5, 0.6],
      );
      for (const [j, share] of byDummies.entries()) expect(share).toBeCloseTo(byEffects[j] as number, 12);
    });

    it("products without a level in common differ as in the logit, however many attributes each has", () => {
      const [, bus] = shares(
        [vehicleOf, seatOf("dummy")],
        [
          { name: "car", levels: { vehicle: "car" } },
          { name: "bus", levels: { vehicle: "bus", seat: "standing" } },
        ],
        ["vehicle bus", "seat sitting"],
        [1.5, 0],
      );
      // A sum of two Gumbel is not quite Gumbel: the logit within a point. With noise of half the variance, 0.87.
      expect(Math.abs((bus as number) - 1 / (1 + Math.exp(-1.5)))).toBeLessThan(0.012);
    });

    it("shares are those of one attribute for all where it is split in one for each kind", () => {
      const fares = linearAttribute("fare", [1, 2, 4]);
      const [cars, buses] = [
        { ...linearAttribute("car fare", [1, 2, 4]), only: { attribute: "vehicle", level: "car" } },
        { ...linearAttribute("bus fare", [1, 2, 4]), only },
      ];
      const offers = [
        ["car", 1],
        ["car", 4],
        ["bus", 2],
      ] as const;
      const joint = shares(
        [vehicleOf, fares],
        offers.map(([vehicle, fare]) => ({ name: `${vehicle} ${fare}`, levels: { vehicle, fare } })),
        ["vehicle bus", "fare"],
        [0.2, -0.3],
      );
      const split = shares(
        [vehicleOf, cars, buses],
        offers.map(([vehicle, fare]) => ({
          name: `${vehicle} ${fare}`,
          levels: { vehicle, [`${vehicle} fare`]: fare },
        })),
        ["vehicle bus", "car fare", "bus fare"],
        [0.2, -0.3, -0.3],
      );
      for (const [j, share] of split.entries()) within(share, joint[j] as number);
    });

    it("the one it depends on must be known", () => {
      const market = marketOf(
        [vehicleOf, seatOf("dummy")],
        [{ name: "bus", levels: { vehicle: "bus", seat: "standing" } }],
      );
      const partWorths = {
        names: ["vehicle bus", "seat sitting"],
        respondents: [1],
        values: [Float64Array.of(1, 1)],
      };
      expect(() =>
        simulateMarket(partWorths, market, { rule, random: randomSource(1), levels: [seatOf("dummy")] }),
      ).toThrow(
        new RangeError(
          "levels of vehicle must be given with bus, for only that has seat, got attributes seat",
        ),
      );
    });
  });

  it("is the same for a seed, whatever was drawn before", () => {
    const market = marketOf(travel, [car, red, twin]);
    const random = randomSource(9);
    const of = () =>
      sharesOf(partWorths, market, {
        rule: "randomised first choice",
        random,
        levels: travel,
        noiseDraws: 5,
      });
    const before = of();
    random.uniform();
    expect(of()).toEqual(before);
  });
});

describe("awareness and distribution", () => {
  const fraction = fc.double({ min: 0, max: 1, noNaN: true });
  const rules: ChoiceRule[] = ["share of preference", "first choice", "Bradley-Terry-Luce"];

  it("give shares expected over all sets of products that a buyer may meet", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fraction), { minLength: 1, maxLength: 5 }),
        fc.constantFrom(...rules),
        (products, rule) => {
          const reach = products.map(([, chance]) => chance);
          const { partWorths, market } = alone(...products.map(([utility]) => utility));
          fc.pre(rule !== "Bradley-Terry-Luce" || products.some(([utility]) => utility > 0));
          const expected = products.map(() => 0);
          for (let set = 1; set < 2 ** products.length; set++) {
            const met = products.map((_, j) => (set >> j) & 1);
            const chance = reach.reduce((product, own, j) => product * (met[j] ? own : 1 - own), 1);
            const kept = products.flatMap((_, j) => (met[j] ? [j] : []));
            if (rule === "Bradley-Terry-Luce" && kept.every((j) => products[j]?.[0] === 0)) continue;
            const part = alone(...kept.map((j) => products[j]?.[0] as number));
            for (const [place, share] of sharesOf(part.partWorths, part.market, { rule }).entries()) {
              const j = kept[place] as number;
              expected[j] = (expected[j] as number) + chance * share;
            }
          }
          const own = simulateMarket(partWorths, { ...market, awareness: reach }, { rule });
          for (const [j, { share }] of own.shares.entries())
            expect(share).toBeCloseTo(expected[j] as number, 10);
          expect(own.unserved).toBeCloseTo(
            reach.reduce((product, chance) => product * (1 - chance), 1),
            12,
          );
        },
      ),
      { seed: 12, numRuns: 300 },
    );
  });

  it("multiply, and are met by chance under randomised first choice", () => {
    const { partWorths, market } = alone(0, 3);
    const half = { ...market, awareness: [1, 0.5], distribution: [1, 0.5] };
    expect(sharesOf(partWorths, half, { rule: "first choice" })).toEqual([0.75, 0.25]);
    const level = categoricalAttribute("kind", ["a", "b"]);
    const two = marketOf(
      [level],
      [
        { name: "a", levels: { kind: "a" } },
        { name: "b", levels: { kind: "b" } },
      ],
    );
    const [, drawn] = sharesOf(
      { names: ["kind b"], respondents: [1], values: [Float64Array.of(30)] },
      { ...two, distribution: [1, 0.25] },
      { rule: "randomised first choice", random: randomSource(2), levels: [level], noiseDraws: 20_000 },
    );
    expect(Math.abs((drawn as number) - 0.25)).toBeLessThan(3 * Math.sqrt((0.25 * 0.75) / 20_000));
  });
});

describe("limits", () => {
  const market = marketOf(travel, [car, red]);

  it("of respondents have the standard error of a mean of shares", () => {
    const { shares, individual, level } = simulateMarket(travellers(300), market, {
      random: randomSource(4),
      resamples: 4000,
    });
    const own = individual.map((row) => row[0] as number);
    const mean = own.reduce((sum, value) => sum + value, 0) / 300;
    const error = Math.sqrt(own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 300 / 300);
    expect(shares[0]?.share).toBeCloseTo(mean, 14);
    expect(level).toBe(0.9);
    expect(Math.abs((shares[0]?.standardError as number) / error - 1)).toBeLessThan(0.034);
    expect(Math.abs(((shares[0]?.high as number) - mean) / error - 1.645)).toBeLessThan(0.15);
  });

  it("of a pooled fit have the error of the delta method", () => {
    const fit = { coefficients: { u: 0.7 }, covariance: [[0.01]] };
    const pooled = pooledPartWorths(fit, { random: randomSource(5), draws: 5000 });
    const [one] = simulateMarket(
      pooled,
      { products: ["a", "b"], attributes: { u: [1, 0] } },
      { from: "draws" },
    ).shares;
    const share = 1 / (1 + Math.exp(-0.7));
    expect(Math.abs((one?.share as number) - share)).toBeLessThan(0.002);
    expect(Math.abs((one?.standardError as number) / (0.1 * share * (1 - share)) - 1)).toBeLessThan(0.04);
  });

  it("of draws that do not vary are the point estimates, and respondents widen them", () => {
    const partWorths = travellers(100);
    const once = partWorths.values.flatMap((row) => Array.from(row));
    const still = { ...partWorths, draws: Float64Array.from(Array.from({ length: 400 }, () => once).flat()) };
    const [points, draws] = [simulateMarket(still, market), simulateMarket(still, market, { from: "draws" })];
    for (const [j, { share, low, high }] of draws.shares.entries()) {
      expect(share).toBeCloseTo(points.shares[j]?.share as number, 14);
      expect(low).toBeCloseTo(share, 14);
      expect(high).toBeCloseTo(share, 14);
    }
    expect(draws.individual[7]?.[0]).toBeCloseTo(points.individual[7]?.[0] as number, 14);
    const wide = simulateMarket(still, market, { from: "draws", random: randomSource(1) });
    const respondents = simulateMarket(still, market, { random: randomSource(1), resamples: 400 });
    expect(wide.shares[0]?.standardError).toBeCloseTo(respondents.shares[0]?.standardError as number, 12);
    expect(wide.shares[0]?.share).toBeCloseTo(points.shares[0]?.share as number, 14);
    expect(points.shares[0]).toEqual({ product: "car", share: points.shares[0]?.share });
  });
});

describe("what cannot be simulated", () => {
  const { partWorths, market } = alone(1, 2);
  const simulate =
    (change: Partial<Market>, options: SimulationOptions = {}) =>
    () =>
      simulateMarket(partWorths, { ...market, ...change }, options);
  const random = randomSource(1);
  const rfc = "randomised first choice" as const;
  it.each<[string, () => unknown, string]>([
    ["no products", simulate({ products: [] }), "products must be at least one, got none"],
    [
      "a name twice",
      simulate({ products: ["a", "a"] }),
      'products must have names of their own, other than "none", got "a"',
    ],
    ["a product named none", simulate({ products: ["a", "none"] }), 'other than "none", got "none"'],
    [
      "a short column",
      simulate({ attributes: { u: [1] } }),
      "u must have one value for each of the 2 products, got 1",
    ],
    [
      "a missing column",
      simulate({ attributes: { v: [1, 2] } }),
      'attributes must have a column for each part-worth, but "u" is missing among v',
    ],
    [
      "text",
      simulate({ attributes: { u: [1, "2" as unknown as number] } }),
      'u of p2 must be a finite number, got "2"',
    ],
    [
      "a percentage",
      simulate({ awareness: [1, 40] }),
      "awareness of p2 must be between 0 and 1, got 40; a percentage must be divided by 100",
    ],
    ["an unknown none", simulate({}, { none: "x" }), 'none must be one of u, got "x"'],
    ["a negative exponent", simulate({}, { exponent: -1 }), "exponent must be a number from 0 up, got -1"],
    [
      "an unknown rule",
      simulate({}, { rule: "best" as ChoiceRule }),
      'rule must be a rule of choice, got "best"',
    ],
    [
      "noise without a source",
      simulate({}, { rule: rfc }),
      "random must be given for randomised first choice, got none",
    ],
    [
      "noise without levels",
      simulate({}, { rule: rfc, random }),
      "levels must be given for randomised first choice, got none",
    ],
    [
      "a level that is none",
      simulate({}, { rule: rfc, random, levels: [linearAttribute("u", [1.5, 3])] }),
      "p1 must have one of the levels of u, but its code is of none",
    ],
    [
      "levels of unknown columns",
      simulate({}, { rule: rfc, random, levels: [linearAttribute("v", [1, 2])] }),
      'attribute v: column "v" must be one of the part-worths, got u',
    ],
    [
      "part-worths too few",
      () => simulateMarket({ ...partWorths, values: [Float64Array.of(1, 2)] }, market),
      "part-worths of respondent 1 must be one for each of the 1 names, got 2",
    ],
    [
      "negative noise",
      simulate({}, { rule: rfc, random, levels: [linearAttribute("u", [1, 2])], productNoise: -1 }),
      "productNoise must be a number from 0 up, got -1",
    ],
    [
      "no draws",
      simulate({}, { from: "draws" }),
      "part-worths must have draws, as those of hierarchical Bayes, got point estimates only",
    ],
    [
      "part-worths from elsewhere",
      simulate({}, { from: "draw" as "draws" }),
      "from must be one of point estimates, draws, got draw",
    ],
    [
      "a draw that is no number",
      () =>
        simulateMarket({ ...partWorths, draws: Float64Array.of(1, 2, Number.NaN) }, market, {
          from: "draws",
        }),
      "draw 3 of part-worth u of respondent 1 must be a finite number, got NaN",
    ],
    [
      "a part-worth that is no number",
      () => simulateMarket({ ...partWorths, values: [Float64Array.of(Number.NaN)] }, market),
      "part-worth u of respondent 1 must be a finite number, got NaN",
    ],
    [
      "nobody for Bradley-Terry-Luce",
      simulate({ attributes: { u: [-1, 1] } }, { rule: "Bradley-Terry-Luce" }),
      "no respondent can be simulated: every one who counts has a utility below 0",
    ],
    [
      "an unknown level",
      () => marketOf([comfort], [{ name: "a", levels: { comfort: "x" } }]),
      'a: comfort must be one of low, high, got "x"',
    ],
    [
      "an unknown attribute",
      () => marketOf([comfort], [{ name: "a", levels: { comfort: "low", x: 1 } }]),
      'a: attribute must be one of comfort, got "x"',
    ],
    [
      "costs of an unknown level",
      () => marketOf([comfort], [], { costs: { comfort: { x: 1 } } }),
      'costs: level of comfort must be one of low, high, got "x"',
    ],
    [
      "costs as text",
      () => marketOf([comfort], [], { costs: { comfort: { high: "5" as unknown as number } } }),
      'cost of comfort of high must be a finite number, got "5"',
    ],
    [
      "a price without amounts",
      () => marketOf([comfort], [{ name: "a", levels: { comfort: "low" } }], { price: "comfort" }),
      'a: comfort must be an amount to be the price, got "low"',
    ],
  ])("%s", (_name, act, message) => {
    expect(act).toThrow(message);
  });
});
