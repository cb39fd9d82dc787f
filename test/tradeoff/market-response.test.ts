import { describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.js";
import { randomSource } from "../../src/numeric/random.js";
import { drawNormal } from "../../src/numeric/sampling.js";
import { attributeLevels, codingOf, defineAttributes, type Profile } from "../../src/tradeoff/attributes.js";
import { fullFactorial } from "../../src/tradeoff/design.js";
import { marketOf } from "../../src/tradeoff/market.js";
import {
  marketValue,
  priceElasticities,
  priceResponse,
  sensitivity,
  sourceOfVolume,
  tuneExponent,
} from "../../src/tradeoff/market-response.js";
import {
  type AttributeLevels,
  categoricalAttribute,
  linearAttribute,
  pooledPartWorths,
} from "../../src/tradeoff/part-worths.js";
import { type ChoiceRule, simulateMarket } from "../../src/tradeoff/simulator.js";
import { car, price, red, sharesOf, travel, travellers, trip, twin } from "./markets.js";

const homogeneous = { names: ["quality", "price"], respondents: [1], values: [Float64Array.of(1, -0.8)] };
const quality = linearAttribute("quality", [0, 1, 2]);
const offer = (name: string, good: number, money: number) => ({
  name,
  levels: { quality: good, price: money },
});
const shop = marketOf([quality, price], [offer("ours", 1, 3), offer("rival", 2, 4), offer("cheap", 0, 1.5)], {
  price: "price",
  costs: { quality: { 0: 0.5, 1: 1, 2: 2 } },
});

describe("money", () => {
  it("is units times price, less costs", () => {
    const simulation = simulateMarket(homogeneous, shop);
    const rows = marketValue(simulation, shop, { marketSize: 1000, fixedCosts: [100, 0, 0] });
    const share = simulation.shares[0]?.share as number;
    expect(rows[0]).toEqual({
      product: "ours",
      units: share * 1000,
      revenue: share * 1000 * 3,
      profit: expect.closeTo(share * 1000 * 2 - 100, 9) as number,
    });
    const sure = simulateMarket(travellers(50), marketOf(travel, [car, red]), { random: randomSource(1) });
    const losing = { ...marketOf(travel, [car, red]), prices: [1, 1], unitCosts: [2, 0] };
    const [loss, gain] = marketValue(sure, losing, { marketSize: 10 });
    expect(loss?.low).toBeCloseTo(-10 * (sure.shares[0]?.high as number), 12);
    expect(gain?.high).toBeCloseTo(10 * (sure.shares[1]?.high as number), 12);
  });

  it("finds the optimal price: margin 1 / (b (1 - share)) in a market of one kind of buyer", () => {
    const prices = Array.from({ length: 401 }, (_, i) => 1 + i / 100);
    const { bestProfit, points, warnings } = priceResponse(homogeneous, shop, {
      product: "ours",
      attribute: price,
      prices,
      unitCost: 1,
      marketSize: 100,
    });
    const { share } = points.find((point) => point.price === bestProfit.price) as { share: number };
    expect(Math.abs(bestProfit.price - 1 - 1 / (0.8 * (1 - share)))).toBeLessThan(0.02);
    expect(bestProfit.value).toBeCloseTo(100 * share * (bestProfit.price - 1), 9);
    expect(warnings.every((text) => text.includes("revenue"))).toBe(true);
    for (const [i, point] of points.slice(1).entries())
      expect(point.share).toBeLessThan(points[i]?.share as number);
    const [first, second] = points as [(typeof points)[0], (typeof points)[0]];
    const arc = ((second.share - first.share) / (second.share + first.share)) * ((1.01 + 1) / 0.01);
    expect(first.arcElasticity).toBeCloseTo(arc, 8);
  });

  it("counts what other own products lose to a low price, so that the best price is higher", () => {
    const prices = Array.from({ length: 41 }, (_, i) => 1 + i / 10);
    const question = { product: "ours", attribute: price, prices, unitCost: 1, marketSize: 100 };
    const alone = priceResponse(homogeneous, shop, question);
    const line = priceResponse(homogeneous, shop, { ...question, ownMargins: { cheap: 1, rival: 2 } });
    for (const [i, { profit, revenue, price: paid }] of line.points.entries()) {
      const market = marketOf(
        [quality, price],
        [offer("ours", 1, paid), offer("rival", 2, 4), offer("cheap", 0, 1.5)],
      );
      const [own, rival, cheap] = sharesOf(homogeneous, market) as [number, number, number];
      expect(profit).toBeCloseTo(100 * (own * (paid - 1) + 2 * rival + cheap), 9);
      expect(revenue).toBe(alone.points[i]?.revenue);
    }
    expect(line.bestProfit.price).toBeGreaterThan(alone.bestProfit.price);
    expect(line.bestProfit.value).toBe(Math.max(...line.points.map(({ profit }) => profit)));
    expect(line.bestRevenue).toEqual(alone.bestRevenue);
    expect(priceResponse(homogeneous, shop, { ...question, ownMargins: { cheap: 0 } })).toEqual({
      ...alone,
      alsoOwn: ["cheap"],
    });
  });

  it("has limits of the price that is best for all own products", () => {
    const fit = {
      coefficients: { quality: 1, price: -0.8 },
      covariance: [
        [0.04, 0],
        [0, 0.01],
      ],
    };
    const pooled = pooledPartWorths(fit, { random: randomSource(2), draws: 300 });
    const prices = Array.from({ length: 17 }, (_, i) => 1 + i / 4);
    const question = { product: "ours", attribute: price, prices, unitCost: 1 };
    const limits = (ownMargins: Record<string, number>) =>
      priceResponse(pooled, shop, { ...question, ownMargins }, { from: "draws" }).bestProfit;
    const [alone, line] = [limits({}), limits({ rival: 2 })];
    expect(line.low).toBeGreaterThan(alone.low as number);
    expect(line.high).toBeGreaterThan(alone.high as number);
    expect(line.low).toBeLessThan(line.price);
  });

  it("warns where the best price is an end of those tried, and has limits from samples", () => {
    const fit = {
      coefficients: { quality: 1, price: -0.8 },
      covariance: [
        [0.04, 0],
        [0, 0.01],
      ],
    };
    const pooled = pooledPartWorths(fit, { random: randomSource(2), draws: 300 });
    const question = { product: "ours", attribute: price, prices: [1, 2, 3, 4, 5], unitCost: 1 };
    const { bestProfit, level } = priceResponse(pooled, shop, question, { from: "draws" });
    expect(level).toBe(0.9);
    expect(bestProfit.low).toBeLessThanOrEqual(bestProfit.price);
    expect(bestProfit.high).toBeGreaterThanOrEqual(bestProfit.price);
    const dear = priceResponse(homogeneous, shop, { ...question, unitCost: 4.9 });
    expect(dear.warnings).toContain(
      "the highest profit is at 5, an end of the prices tried: the best price may lie beyond",
    );
  });

  it("has the elasticities of the logit: b p (1 - share), and -b p share alike for all rivals", () => {
    const { point, arc, products } = priceElasticities(homogeneous, shop, price, { change: 0.02 });
    const shares = sharesOf(homogeneous, shop);
    for (const [j] of products.entries()) {
      const money = shop.prices?.[j] as number;
      for (const [k] of products.entries()) {
        const exact = -0.8 * money * (Number(j === k) - (shares[j] as number));
        expect(point?.[j]?.[k]).toBeCloseTo(exact, 7);
        expect(Math.abs((arc[j]?.[k] as number) - exact)).toBeLessThan(0.005);
      }
    }
    expect(priceElasticities(homogeneous, shop, price, { rule: "share of preference" }).point).toBeDefined();
    const random = randomSource(2);
    const values = Array.from({ length: 200 }, () =>
      Float64Array.of(2 * drawNormal(random), -1 + 0.5 * drawNormal(random)),
    );
    const mixed = { names: ["quality", "price"], respondents: values.map((_, who) => who), values };
    const duel = marketOf([quality, price], [offer("ours", 2, 3), offer("cheap", 0, 2)], { price: "price" });
    const first = priceElasticities(mixed, duel, price, { change: 0.4, rule: "first choice" });
    expect(first.point).toBeUndefined();
    expect(first.arc[0]?.[0]).toBeLessThan(0);
    expect(first.arc[0]?.[1]).toBeGreaterThan(0);
  });
});

describe("changes of a market", () => {
  it("take volume in proportion from all in a market of one kind of buyer", () => {
    const { share, sources } = sourceOfVolume(homogeneous, shop, "ours");
    expect(sources.map(({ product }) => product)).toEqual(["rival", "cheap"]);
    for (const { before, part } of sources) expect(part).toBeCloseTo(before, 12);
    expect(share).toBeCloseTo(sharesOf(homogeneous, shop)[0] as number, 14);
  });

  it("take all volume from the twin where buyers choose first, with limits of the loss", () => {
    const { sources } = sourceOfVolume(travellers(200), marketOf(travel, [car, red, twin]), "red bus again", {
      rule: "first choice",
      random: randomSource(3),
    });
    expect(sources.map(({ part }) => part)).toEqual([0, 1]);
    expect(sources[0]?.high).toBe(0);
    expect(sources[1]?.low).toBeGreaterThan(0.15);
  });

  it("tell what every other level would bring", () => {
    const rows = sensitivity(homogeneous, shop, "ours", [quality, price]);
    expect(rows.map(({ attribute, level }) => `${attribute} ${level}`)).toEqual([
      ...["quality 0", "quality 1", "quality 2"],
      ...["price 1", "price 2", "price 3", "price 4", "price 5"],
    ]);
    expect(rows.filter(({ current }) => current).map(({ level, change }) => [level, change])).toEqual([
      ["1", 0],
      ["3", 0],
    ]);
    const better = marketOf(
      [quality, price],
      [offer("ours", 2, 3), offer("rival", 2, 4), offer("cheap", 0, 1.5)],
    );
    expect(rows[2]?.share).toBeCloseTo(sharesOf(homogeneous, better)[0] as number, 14);
  });

  it("interpolate prices that are part-worths", () => {
    const levels = categoricalAttribute("price", [10, 20, 40]);
    const partWorths = {
      names: ["price 20", "price 40"],
      respondents: [1],
      values: [Float64Array.of(-1, -4)],
    };
    const market = marketOf(
      [levels],
      [
        { name: "a", levels: { price: 30 } },
        { name: "b", levels: { price: 10 } },
      ],
      {
        price: "price",
      },
    );
    expect(market.prices).toEqual([30, 10]);
    // Between 20 and 40: -2.5.
    expect(sharesOf(partWorths, market)[0]).toBeCloseTo(1 / (1 + Math.exp(2.5)), 14);
  });
});

describe("attributes of some products only, and interactions", () => {
  const survey = defineAttributes([
    { name: "line", levels: ["cable", "fibre"] },
    { name: "fitting", levels: ["self", "engineer"], only: { attribute: "line", level: "fibre" } },
    { name: "hours", levels: [1, 2], as: "linear", only: { attribute: "fitting", level: "engineer" } },
    { name: "price", levels: [20, 30, 40], as: "linear" },
  ]);
  const interactions = [
    ["line", "price"],
    ["fitting", "hours"],
  ] as const;
  const gained = { fitting: "engineer", hours: 1.5 };
  const rival = { name: "rival", levels: { line: "fibre", fitting: "self", price: 30 } };

  /** Levels of a product that has another level of one attribute. */
  function changedTo(levels: Profile, attribute: string, level: string): Profile {
    const {
      line,
      fitting = gained.fitting,
      hours = gained.hours,
      price: paid,
    } = {
      ...levels,
      [attribute]: attribute === "price" || attribute === "hours" ? Number(level) : level,
    } as Record<string, string | number>;
    return {
      line: line as string,
      price: paid as number,
      ...(line === "fibre" ? { fitting } : {}),
      ...(line === "fibre" && fitting === "engineer" ? { hours } : {}),
    };
  }

  it.each(["dummy", "effects"] as const)("change with the levels that bring them, coded by %s", (coding) => {
    const attributes = attributeLevels(survey, coding);
    const make = (levels: Profile) =>
      marketOf(attributes, [{ name: "ours", levels }, rival], { price: "price", interactions });
    const names = codingOf(survey, { coding, interactions }).names;
    const source = randomSource(4);
    const tastes = {
      names,
      respondents: [1, 2, 3],
      values: [1, 2, 3].map(() => Float64Array.from(names, () => 0.1 * drawNormal(source))),
    };
    for (const profile of fullFactorial(survey)) {
      const rows = sensitivity(tastes, make(profile), "ours", attributes, { gained });
      expect([...new Set(rows.map(({ attribute }) => attribute))].sort()).toEqual(
        Object.keys(profile).sort(), // those that the product has
      );
      const now = sharesOf(tastes, make(profile))[0] as number;
      for (const { attribute, level, share, change, current, ...also } of rows) {
        const then = changedTo(profile, attribute, level);
        expect(share).toBeCloseTo(sharesOf(tastes, make(then))[0] as number, 13);
        expect(change).toBeCloseTo(share - now, 14);
        expect(current).toBe(String(profile[attribute]) === level);
        const come = Object.entries(then).filter(([name]) => !(name in profile));
        expect(also.gained ?? {}).toEqual(Object.fromEntries(come));
        expect(also.lost ?? []).toEqual(Object.keys(profile).filter((name) => !(name in then)));
      }
      const { points } = priceResponse(tastes, make(profile), {
        product: "ours",
        attribute: attributes[3] as AttributeLevels,
        prices: [20, 26, 40],
      });
      for (const { price: paid, share } of points)
        expect(share).toBeCloseTo(sharesOf(tastes, make({ ...profile, price: paid }))[0] as number, 13);
    }
  });

  const plain = attributeLevels(survey);
  const names = codingOf(survey).names;
  const one = { names, respondents: [1], values: [new Float64Array(names.length)] };
  const cable = { name: "ours", levels: { line: "cable", price: 20 } };
  const market = marketOf(plain, [cable, rival], { price: "price" });
  it.each<[string, () => unknown, Error]>([
    [
      "a gained attribute without a level",
      () => sensitivity(one, market, "ours", plain),
      new DataError(
        "ours would have fitting with line fibre and needs a level of it, one of self, engineer: give it as gained, or simulate the changed product as a market of its own",
      ),
    ],
    [
      "a gained attribute with another gained one without a level",
      () => sensitivity(one, market, "ours", plain, { gained: { fitting: "engineer" } }),
      new DataError(
        "ours would have hours with fitting engineer and needs a level of it, one of 1, 2: give it as gained, or simulate the changed product as a market of its own",
      ),
    ],
    [
      "an unknown gained level",
      () => sensitivity(one, market, "ours", plain, { gained: { fitting: "x" } }),
      new DataError('ours: fitting must be one of self, engineer, got "x"'),
    ],
    [
      "an unknown gained attribute",
      () => sensitivity(one, market, "ours", plain, { gained: { x: 1 } }),
      new DataError('gained: attribute must be one of line, fitting, hours, price, got "x"'),
    ],
    [
      "an attribute without the one it depends on",
      () => sensitivity(one, market, "ours", plain.slice(1)),
      new RangeError(
        "levels of line must be given with fibre, for only that has fitting, got attributes fitting, hours, price",
      ),
    ],
    [
      "codes of an attribute that a product lacks",
      () => {
        const codes = { ...market.attributes, "fitting engineer": [1, 0] };
        return sensitivity(one, { ...market, attributes: codes }, "ours", plain);
      },
      new DataError("fitting engineer of ours must be 0, for only line fibre has fitting, got 1"),
    ],
    [
      "prices of an attribute that the product lacks",
      () =>
        priceResponse(
          one,
          market,
          { product: "ours", attribute: plain[2] as AttributeLevels, prices: [1, 2] },
          { levels: plain },
        ),
      new DataError("ours must have hours for it to be changed, but only fitting engineer has it"),
    ],
    [
      "elasticities of a price that a product lacks",
      () => priceElasticities(one, market, plain[2] as AttributeLevels, { levels: plain }),
      new DataError("ours must have a price for an elasticity, but has none of hours"),
    ],
  ])("refuse %s", (_name, act, error) => {
    expect(act).toThrow(error);
  });

  it("take the others from `levels` where one alone is varied", () => {
    const rows = sensitivity(one, market, "rival", plain.slice(0, 1), { levels: plain });
    expect(rows.map(({ level, lost }) => [level, lost])).toEqual([
      ["cable", ["fitting"]],
      ["fibre", undefined],
    ]);
    expect(sensitivity(one, market, "ours", plain.slice(1, 3), { levels: plain })).toEqual([]);
  });

  it("have the logit's elasticities where products have prices of their own", () => {
    const modes = defineAttributes([
      { name: "mode", levels: ["bus", "train"] },
      { name: "bus fare", levels: [1, 5], as: "linear", only: { attribute: "mode", level: "bus" } },
      { name: "train fare", levels: [1, 9], as: "linear", only: { attribute: "mode", level: "train" } },
    ]);
    const levels = attributeLevels(modes);
    const trips = marketOf(
      levels,
      [
        { name: "bus", levels: { mode: "bus", "bus fare": 2 } },
        { name: "train", levels: { mode: "train", "train fare": 6 } },
      ],
      { price: ["bus fare", "train fare"] },
    );
    const taste = {
      names: ["mode train", "bus fare", "train fare"],
      respondents: [1],
      values: [Float64Array.of(1.3, -0.9, -0.4)],
    };
    const { point } = priceElasticities(taste, trips, levels.slice(1), { levels });
    const [bus, train] = sharesOf(taste, trips) as [number, number];
    const exact = [-0.9 * 2 * (1 - bus), 0.9 * 2 * bus, 0.4 * 6 * train, -0.4 * 6 * (1 - train)];
    for (const [k, value] of (point ?? []).flat().entries()) expect(value).toBeCloseTo(exact[k] as number, 7);
    expect((point ?? []).flat()).toHaveLength(4);
  });
});

describe("exponent", () => {
  const market = marketOf(travel, [car, red, trip("fine bus", "bus", "high", "grey")]);
  const partWorths = travellers(200);
  const known = (exponent: number, rule: ChoiceRule = "share of preference") =>
    Object.fromEntries(
      simulateMarket(partWorths, market, { exponent, rule }).shares.map(({ product, share }) => [
        product,
        share,
      ]),
    );

  it("is found again from the shares it made", () => {
    for (const exponent of [0.05, 0.4, 1, 3]) {
      const tuned = tuneExponent(partWorths, market, known(exponent));
      expect(tuned.exponent / exponent).toBeCloseTo(1, 5);
      expect(tuned.meanAbsoluteError).toBeLessThan(1e-6);
      expect(tuned.warnings).toEqual([]);
    }
  });

  it("warns where no exponent makes the known shares", () => {
    const { warnings, exponent } = tuneExponent(partWorths, market, {
      car: 0.3,
      "red bus": 0.6,
      "fine bus": 0.1,
    });
    expect(exponent).toBeLessThan(0.01);
    expect(warnings).toEqual([
      "no exponent from 0.001 to 1000 fits: utilities do not order the known shares",
    ]);
  });
});

describe("questions without an answer", () => {
  const partWorths = { names: ["u"], respondents: [1], values: [Float64Array.of(1)] };
  const market = { products: ["p1", "p2"], attributes: { u: [1, 2] } };
  const woven = {
    names: ["price", "x", "price x x"],
    respondents: [1],
    values: [Float64Array.of(1, 1, 1)],
  };
  const wovenMarket = { products: ["a", "b"], attributes: { price: [1, 2], x: [1, 0], "price x x": [1, 2] } };
  it.each<[string, () => unknown, string]>([
    [
      "an unknown product",
      () => sourceOfVolume(homogeneous, shop, "x"),
      'product must be one of ours, rival, cheap, got "x"',
    ],
    [
      "volume of likelihoods",
      () => sourceOfVolume(homogeneous, shop, "ours", { rule: "purchase likelihood" }),
      "source of volume needs a rule by which products compete, got purchase likelihood",
    ],
    [
      "prices beyond those shown",
      () => priceResponse(homogeneous, shop, { product: "ours", attribute: price, prices: [4, 6] }),
      "price must be between the levels that were shown, 1 to 5, got 6",
    ],
    [
      "the priced product among the others",
      () =>
        priceResponse(homogeneous, shop, {
          product: "ours",
          attribute: price,
          prices: [3, 4],
          ownMargins: { ours: 1 },
        }),
      "ownMargins must be of products other than ours, whose margin is its price less unitCost",
    ],
    [
      "an own product that is not there",
      () =>
        priceResponse(homogeneous, shop, {
          product: "ours",
          attribute: price,
          prices: [3, 4],
          ownMargins: { x: 1 },
        }),
      'product must be one of ours, rival, cheap, got "x"',
    ],
    [
      "a margin that is none",
      () =>
        priceResponse(homogeneous, shop, {
          product: "ours",
          attribute: price,
          prices: [3, 4],
          ownMargins: { cheap: Number.NaN },
        }),
      "margin of cheap must be a number, got NaN",
    ],
    [
      "falling prices",
      () => priceResponse(homogeneous, shop, { product: "ours", attribute: price, prices: [4, 3] }),
      "prices must be at least two that rise, got 4, 3",
    ],
    [
      "no prices",
      () => marketValue(simulateMarket(partWorths, market), market, { marketSize: 1 }),
      "price of p1 must be a finite number, got undefined",
    ],
    [
      "products in another order",
      () =>
        marketValue(
          simulateMarket(partWorths, market),
          { ...market, products: ["p2", "p1"] },
          { marketSize: 1 },
        ),
      "simulation must be of the products p2, p1, got p1, p2",
    ],
    [
      "known shares in percent",
      () => tuneExponent(partWorths, market, { p1: 40, p2: 60 }),
      "known share of p1 must be between 0 and 1, got 40; a percentage must be divided by 100",
    ],
    [
      "known shares of another",
      () => tuneExponent(partWorths, market, { p1: 0.4, p2: 0.6, x: 0 }),
      'known shares must be of p1, p2, got "x"',
    ],
    [
      "known shares that miss some",
      () => tuneExponent(partWorths, market, { p1: 0.4, p2: 0.5 }),
      "known shares must add up to 1, got 0.9",
    ],
    [
      "an exponent of first choices",
      () => tuneExponent(partWorths, market, { p1: 0.4, p2: 0.6 }, { rule: "first choice" }),
      "rule must be one whose shares add up and depend on the exponent, got first choice",
    ],
    [
      "a change of 10",
      () => priceElasticities(homogeneous, shop, price, { change: 10 }),
      "change must be between 0 and 1, got 10",
    ],
    [
      "an interaction that is not the product of its columns",
      () => priceResponse(woven, wovenMarket, { product: "a", attribute: price, prices: [1, 2] }),
      'column "price x x" must be the product of two others for one of them to be changed, but it is not: simulate the changed product as a market of its own',
    ],
  ])("%s", (_name, act, message) => {
    expect(act).toThrow(message);
  });
});
