import { describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.js";
import { attributeLevels, codeProfiles, defineAttributes } from "../../src/tradeoff/attributes.js";
import { fullFactorial } from "../../src/tradeoff/design.js";
import { marketOf } from "../../src/tradeoff/market.js";

const survey = defineAttributes([
  { name: "line", levels: ["cable", "fibre"] },
  { name: "fitting", levels: ["self", "engineer"], only: { attribute: "line", level: "fibre" } },
  { name: "hours", levels: [1, 2], as: "linear", only: { attribute: "fitting", level: "engineer" } },
  { name: "price", levels: [20, 30, 40], as: "linear" },
]);
const labelled = defineAttributes([
  { name: "mode", levels: ["walk", "bus", "train"] },
  { name: "bus fare", levels: [2, 3], as: "linear", only: { attribute: "mode", level: "bus" } },
  { name: "train fare", levels: [5, 8], as: "linear", only: { attribute: "mode", level: "train" } },
]);

describe("marketOf", () => {
  it.each(["dummy", "effects"] as const)(
    "codes products by %s as the survey does, also those without an attribute",
    (coding) => {
      const profiles = fullFactorial(survey);
      expect(profiles).toHaveLength(12); // cable, fibre self, fibre engineer 1 and 2, at three prices
      const { attributes, prices } = marketOf(
        attributeLevels(survey, coding),
        profiles.map((levels, k) => ({ name: `product ${k}`, levels })),
        { price: "price" },
      );
      expect(attributes).toEqual(codeProfiles(survey, profiles, { coding }));
      expect(prices).toEqual(profiles.map(({ price }) => price));
    },
  );

  it.each(["dummy", "effects"] as const)("codes interactions by %s as the survey does", (coding) => {
    const profiles = fullFactorial(survey);
    const interactions = [
      ["line", "price"],
      ["fitting", "price"],
      ["fitting", "line"],
    ] as const;
    const { attributes } = marketOf(
      attributeLevels(survey, coding),
      profiles.map((levels, k) => ({ name: `product ${k}`, levels })),
      { interactions },
    );
    expect(attributes).toEqual(codeProfiles(survey, profiles, { coding, interactions }));
    expect(attributes["line fibre x price"]?.[3]).toBe(20);
  });

  it("costs products by a rule for all their levels, or adds up those of the levels they have", () => {
    const products = [
      { name: "basic", levels: { line: "cable", price: 25 } },
      { name: "best", levels: { line: "fibre", fitting: "engineer", hours: 1.5, price: 40 } },
    ];
    const byRule = marketOf(attributeLevels(survey), products, {
      costs: ({ line, hours = 0, price }) =>
        (line === "fibre" ? 10 * 1.2 ** (hours as number) : 4) + 0.02 * (price as number),
    });
    expect(byRule.unitCosts?.[0]).toBeCloseTo(4.5, 12);
    expect(byRule.unitCosts?.[1]).toBeCloseTo(10 * 1.2 ** 1.5 + 0.8, 12);
    const costs = { line: { cable: 4, fibre: 10 }, fitting: { engineer: 3 } };
    expect(marketOf(attributeLevels(survey), products, { costs }).unitCosts).toEqual([4, 13]);
    expect(() => marketOf(attributeLevels(survey), products, { costs: { hours: { 1: 5 } } })).toThrow(
      new DataError(
        "best: hours must be one of 1, 2 to have a cost by level, got 1.5: give costs as a function of the levels",
      ),
    );
    expect(() => marketOf(attributeLevels(survey), products, { costs: () => Number.NaN })).toThrow(
      new DataError("unit cost of basic must be a finite number, got NaN"),
    );
  });

  it("takes the price from the attribute that a product has", () => {
    const modes = attributeLevels(labelled);
    const price = ["bus fare", "train fare"];
    const bus = { name: "bus", levels: { mode: "bus", "bus fare": 2.5 } };
    const train = { name: "train", levels: { mode: "train", "train fare": 7 } };
    expect(marketOf(modes, [train, bus], { price }).prices).toEqual([7, 2.5]);
    const walk = { name: "walk", levels: { mode: "walk" } };
    expect(() => marketOf(modes, [train, walk], { price })).toThrow(
      new DataError("walk must have one price among bus fare, train fare, got none"),
    );
    expect(() => marketOf(modes, [bus, train], { price: ["bus fare", "mode"] })).toThrow(
      new DataError("bus must have one price among mode, bus fare, got more"),
    );
  });

  it("refuses interactions and dependence of attributes that are not given", () => {
    const levels = attributeLevels(survey);
    expect(() => marketOf(levels.slice(0, 1), [], { interactions: [["line", "price"]] })).toThrow(
      new RangeError("interactions must be of two of the attributes line, got line and price"),
    );
    expect(() => marketOf(levels.slice(1, 2), [{ name: "a", levels: {} }])).toThrow(
      new RangeError(
        "levels of line must be given with fibre, for only that has fitting, got attributes fitting",
      ),
    );
  });

  it.each([
    [
      { line: "cable", fitting: "self", price: 20 },
      'a: fitting must be left out, for only line fibre has it, got "self"',
    ],
    [{ line: "fibre", price: 20 }, "a: fitting must be one of self, engineer, got undefined"],
    [{ line: "cable", price: 45 }, "a: price must be between the levels that were shown, 20 to 40, got 45"],
    [{ line: "cable" }, "a: price must be one of 20, 30, 40, got undefined"],
  ])("refuses %j", (levels, message) => {
    expect(() => marketOf(attributeLevels(survey), [{ name: "a", levels: levels }])).toThrow(
      new DataError(message),
    );
  });
});
