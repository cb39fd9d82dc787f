import { table } from "arquero";
import { describe, expect, it } from "vitest";
import { benefitSegments, customerValues, productsBySegment } from "../../src/tradeoff/benefit-segments.js";
import {
  categoricalAttribute,
  levelUtilities,
  zeroCentredDifferences,
} from "../../src/tradeoff/part-worths.js";
import { simulateMarket } from "../../src/tradeoff/simulator.js";

const organic = categoricalAttribute("label", ["none", "organic"]);
const roast = categoricalAttribute("roast", ["mild", "dark"]);
const partWorths = {
  names: ["label organic", "roast dark"],
  respondents: ["ann", "bea", "cyd", "dan"],
  values: [Float64Array.of(2, 0), Float64Array.of(1, 1), Float64Array.of(-1, 1), Float64Array.of(0, 3)],
};
const utilities = levelUtilities(partWorths, [organic, roast]);
const segments = ["green", "green", "dark", "dark"];
const market = {
  products: ["Bio", "Espresso"],
  attributes: { "label organic": [1, 0], "roast dark": [0, 1] },
};
const values = [100, 300, 50, 150];

describe("benefit segments", () => {
  it("are profiled by mean zero-centred differences, size and value", () => {
    const [dark, green] = benefitSegments(utilities, segments, values);
    expect([dark?.segment, green?.segment]).toEqual(["dark", "green"]);
    expect(green?.respondents).toBe(2);
    expect(green?.share).toBe(0.5);
    expect(green?.valueShare).toBeCloseTo(400 / 600, 14);
    expect(green?.meanValue).toBe(200);
    // ann: organic +-100, roast 0; bea: both +-50.
    expect(green?.levels).toEqual([
      { attribute: "label", level: "none", utility: -75 },
      { attribute: "label", level: "organic", utility: 75 },
      { attribute: "roast", level: "mild", utility: -25 },
      { attribute: "roast", level: "dark", utility: 25 },
    ]);
  });

  it("do not change if the utilities are zero-centred already, and need no values", () => {
    const [dark] = benefitSegments(utilities, segments);
    const [again] = benefitSegments(zeroCentredDifferences(utilities), segments);
    expect(again).toEqual(dark);
    expect(dark).not.toHaveProperty("valueShare");
  });
});

describe("products by segment", () => {
  it("weigh shares by customer value", () => {
    const simulation = simulateMarket(partWorths, market, { rule: "first choice" });
    const rows = productsBySegment(simulation, segments, values);
    // ann takes Bio, bea either, cyd and dan Espresso.
    expect(rows).toEqual([
      { segment: "dark", product: "Bio", share: 0, valueWeightedShare: 0, value: 0, preferred: false },
      { segment: "dark", product: "Espresso", share: 1, valueWeightedShare: 1, value: 200, preferred: true },
      {
        segment: "green",
        product: "Bio",
        share: 0.75,
        valueWeightedShare: 0.625,
        value: 250,
        preferred: true,
      },
      {
        segment: "green",
        product: "Espresso",
        share: 0.25,
        valueWeightedShare: 0.375,
        value: 150,
        preferred: false,
      },
    ]);
    const total = rows.reduce((sum, { value }) => sum + (value ?? 0), 0);
    expect(total).toBeCloseTo(600, 12);
  });

  it("add up to the market's shares where segments are weighted by size", () => {
    const simulation = simulateMarket(partWorths, market);
    const rows = productsBySegment(simulation, segments);
    const bio = rows
      .filter(({ product }) => product === "Bio")
      .reduce((sum, { share }) => sum + share / 2, 0);
    expect(bio).toBeCloseTo(simulation.shares[0]?.share as number, 14);
    expect(rows[0]).not.toHaveProperty("value");
  });

  it("can turn by value: the few who are worth much decide", () => {
    const simulation = simulateMarket(partWorths, market, { rule: "first choice" });
    const preferred = (own: readonly number[]) =>
      productsBySegment(simulation, [1, 1, 1, 1], own).find((row) => row.preferred)?.product;
    expect(preferred([1, 1, 1, 1])).toBe("Espresso");
    expect(preferred([10, 1, 1, 1])).toBe("Bio");
  });

  it("do not count who cannot be simulated", () => {
    const ratings = {
      ...partWorths,
      values: [...partWorths.values.slice(0, 2), Float64Array.of(-1, 1), Float64Array.of(1, 3)],
    };
    const simulation = simulateMarket(ratings, market, { rule: "Bradley-Terry-Luce" });
    const dark = productsBySegment(simulation, segments, values).filter(({ segment }) => segment === "dark");
    expect(dark.map(({ share }) => share)).toEqual([0.25, 0.75]);
    expect(dark.map(({ value }) => value)).toEqual([37.5, 112.5]);
  });
});

describe("values of customers", () => {
  it("are looked up by name, in the order of the respondents", () => {
    const customers = table({ customer_id: ["dan", "ann", "eve"], clv: [7, 1.5, 9] });
    expect(Array.from(customerValues(["ann", "dan"], customers))).toEqual([1.5, 7]);
    const other = table({ id: [1, 2], worth: [3, 4] });
    expect(Array.from(customerValues([2], other, { customer: "id", value: "worth" }))).toEqual([4]);
  });

  const simulation = simulateMarket(partWorths, market);
  it.each<[string, () => unknown, string]>([
    [
      "an unknown respondent",
      () => customerValues(["zoe"], table({ customer_id: ["ann"], clv: [1] })),
      'customers: respondent "zoe" must be in column customer_id, but is not',
    ],
    [
      "a customer twice",
      () => customerValues(["ann"], table({ customer_id: ["ann", "ann"], clv: [1, 2] })),
      'customers: "ann" must come once, but comes again in row 2',
    ],
    [
      "a text",
      () => customerValues(["ann"], table({ customer_id: ["ann"], clv: ["1"] })),
      'customers: clv in row 1 must be a number, got "1"',
    ],
    [
      "short segments",
      () => benefitSegments(utilities, ["a"]),
      "segments must be one for each of the 4 respondents, got 1",
    ],
    [
      "an empty label",
      () => benefitSegments(utilities, ["a", "", "a", "a"]),
      'segments: number 2 must be a label, got ""',
    ],
    [
      "a negative value",
      () => productsBySegment(simulation, segments, [1, -1, 1, 1]),
      "values of customers: number 2 must be a number from 0 up, got -1",
    ],
    [
      "a segment without value",
      () => productsBySegment(simulation, segments, [0, 0, 1, 1]),
      'segment "green" must have customers of some value who buy, got none',
    ],
  ])("refuse %s", (_name, act, message) => {
    expect(act).toThrow(message);
  });
});
