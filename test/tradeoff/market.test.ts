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
