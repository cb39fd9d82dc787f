import { describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.js";
import {
  type AttributeDeclaration,
  attributeLevels,
  codeProfiles,
  decodePartWorths,
  defineAttributes,
  type Profile,
} from "../../src/tradeoff/attributes.js";
import { levelUtilities } from "../../src/tradeoff/part-worths.js";

const seats: AttributeDeclaration = { name: "seats", levels: ["6", "7", "8"] };
const engine: AttributeDeclaration = { name: "engine", levels: ["gas", "electric"] };
const price: AttributeDeclaration = { name: "price", levels: [30, 35, 40], as: "linear" };
const minivans = defineAttributes([seats, engine, price], {
  prohibitions: [{ seats: "8", engine: "electric" }],
  none: true,
});
const columns = (coded: Record<string, Float64Array>): Record<string, number[]> =>
  Object.fromEntries(Object.entries(coded).map(([name, column]) => [name, Array.from(column)]));

describe("coding of profiles", () => {
  const profiles = [
    { seats: "6", engine: "electric", price: 30 },
    { seats: "8", engine: "gas", price: 36.5 },
    "none",
  ] as const;

  it("measures from the reference level by dummies, and from the mean by effects", () => {
    expect(columns(codeProfiles(minivans, profiles))).toEqual({
      "seats 7": [0, 0, 0],
      "seats 8": [0, 1, 0],
      "engine electric": [1, 0, 0],
      price: [30, 36.5, 0],
      none: [0, 0, 1],
    });
    expect(columns(codeProfiles(minivans, profiles, { coding: "effects" }))).toEqual({
      "seats 7": [-1, 0, 0],
      "seats 8": [-1, 1, 0],
      "engine electric": [1, -1, 0],
      price: [30, 36.5, 0],
      none: [0, 0, 1],
    });
  });

  it("multiplies the columns of interacting attributes", () => {
    const { "seats 8 x price": product, "seats 7 x price": other } = codeProfiles(minivans, profiles, {
      interactions: [["seats", "price"]],
    });
    expect(Array.from(product as Float64Array)).toEqual([0, 36.5, 0]);
    expect(Array.from(other as Float64Array)).toEqual([0, 0, 0]);
  });

  it("gives each piece of a piecewise amount its own slope, also between levels", () => {
    const survey = defineAttributes([
      { name: "price", levels: [10, 20, 40], as: "piecewise", breakpoints: [20] },
    ]);
    expect(
      columns(codeProfiles(survey, [{ price: 10 }, { price: 15 }, { price: 20 }, { price: 32 }])),
    ).toEqual({
      "price to 20": [10, 15, 20, 20],
      "price from 20": [0, 0, 0, 12],
    });
  });

  it("leaves attributes that a product does not have at 0", () => {
    const survey = defineAttributes([
      engine,
      { name: "range", levels: [200, 400], as: "linear", only: { attribute: "engine", level: "electric" } },
    ]);
    expect(columns(codeProfiles(survey, [{ engine: "gas" }, { engine: "electric", range: 400 }]))).toEqual({
      "engine electric": [0, 1],
      range: [0, 400],
    });
    const empty = { engine: "gas", range: null } as unknown as Profile; // as a table has it
    expect(columns(codeProfiles(survey, [empty]))).toEqual({ "engine electric": [0], range: [0] });
    expect(() => codeProfiles(survey, [{ engine: "gas", range: 200 }])).toThrow(
      new DataError("range in row 1 must be left out, for only engine electric has it, got 200"),
    );
    expect(() => codeProfiles(survey, [{ engine: "electric" }])).toThrow(
      new DataError("range in row 1 must be a number from 200 to 400, got undefined"),
    );
  });

  it('takes 7 and "7" for one level, but no text for an amount', () => {
    expect(codeProfiles(minivans, [{ seats: 7, engine: "gas", price: 30 }])["seats 7"]?.[0]).toBe(1);
    expect(() => codeProfiles(minivans, [{ seats: "7", engine: "gas", price: "30" }])).toThrow(
      new DataError('price in row 1 must be a number from 30 to 40, got "30"'),
    );
  });

  it.each([
    [
      [
        { seats: "6", engine: "gas", price: 30 },
        { seats: "9", engine: "gas", price: 30 },
      ],
      'seats in row 2 must be one of 6, 7, 8, got "9"',
    ],
    [[{ engine: "gas", price: 30 }], "seats in row 1 must be one of 6, 7, 8, got undefined"],
    [[{ seats: "6", engine: "gas", price: 41 }], "price in row 1 must be a number from 30 to 40, got 41"],
    [
      [{ seats: "8", engine: "electric", price: 30 }],
      "row 1 must not have seats 8 with engine electric: they are prohibited together",
    ],
  ])("refuses %j", (bad, message) => {
    expect(() => codeProfiles(minivans, bad)).toThrow(new DataError(message));
  });

  it("refuses none where it cannot be chosen, and interactions of nothing", () => {
    expect(() => codeProfiles(defineAttributes([seats]), ["none"])).toThrow(
      new DataError('row 1 must be a product, for none cannot be chosen, got "none"'),
    );
    expect(() => codeProfiles(minivans, [], { interactions: [["seats", "colour"]] })).toThrow(
      new RangeError(
        "interactions must be of two of the attributes seats, engine, price, got seats and colour",
      ),
    );
  });
});

describe("decoding of part-worths", () => {
  const coefficients = { "seats 7": 0.5, "seats 8": -0.2, "engine electric": 0.3, price: -0.1, none: -4 };

  it("gives the reference level 0 by dummies and minus the sum by effects", () => {
    const utilities = (coding: "dummy" | "effects") =>
      decodePartWorths(minivans, coefficients, { coding }).map(({ utility }) => utility);
    expect(utilities("dummy")).toEqual([0, 0.5, -0.2, 0, 0.3, -3, -3.5, -4, -4]);
    expect(utilities("effects")).toEqual([-0.3, 0.5, -0.2, -0.3, 0.3, -3, -3.5, -4, -4]);
    expect(decodePartWorths(minivans, coefficients)[1]).toEqual({
      attribute: "seats",
      level: "7",
      utility: 0.5,
    });
  });

  it("agrees with the utilities of levels of individuals", () => {
    const levels = attributeLevels(minivans, "effects");
    const { values } = levelUtilities(
      {
        names: Object.keys(coefficients),
        respondents: ["all"],
        values: [Float64Array.from(Object.values(coefficients))],
      },
      levels,
    );
    const decoded = decodePartWorths(minivans, coefficients, { coding: "effects" });
    expect(Array.from(values[0] as Float64Array)).toEqual(decoded.slice(0, -1).map(({ utility }) => utility));
  });

  it("tabulates interactions: each row and column adds up to 0 by effects", () => {
    const survey = defineAttributes([seats, engine]);
    const rows = decodePartWorths(
      survey,
      {
        "seats 7": 0,
        "seats 8": 0,
        "engine electric": 0,
        "seats 7 x engine electric": 0.4,
        "seats 8 x engine electric": -0.1,
      },
      { coding: "effects", interactions: [["seats", "engine"]] },
    ).filter(({ attribute }) => attribute === "seats x engine");
    expect(rows.map(({ level }) => level)).toEqual([
      "6 x gas",
      "6 x electric",
      "7 x gas",
      "7 x electric",
      "8 x gas",
      "8 x electric",
    ]);
    for (const [place, expected] of [0.3, -0.3, -0.4, 0.4, 0.1, -0.1].entries())
      expect(rows[place]?.utility).toBeCloseTo(expected, 14);
  });

  it("refuses a missing coefficient", () => {
    expect(() => decodePartWorths(minivans, { "seats 7": 1 })).toThrow(
      new DataError("coefficients must have a number for seats 8, got undefined"),
    );
  });
});

describe("declarations", () => {
  it.each<[string, readonly AttributeDeclaration[], Parameters<typeof defineAttributes>[1]]>([
    ["attributes must be at least one, got none", [], {}],
    ["levels of a must be at least two different ones, got 1", [{ name: "a", levels: [1] }], {}],
    ["levels of a must be at least two different ones, got x, x", [{ name: "a", levels: ["x", "x"] }], {}],
    [
      "levels of price must be amounts from 0 up that rise, got 20, 10",
      [{ name: "price", levels: [20, 10], as: "linear" }],
      {},
    ],
    [
      "levels of price must be amounts from 0 up that rise, got -5, 10",
      [{ name: "price", levels: [-5, 10] }],
      {},
    ],
    [
      "as of price must be one of part-worth, linear, piecewise, got quadratic",
      [{ name: "price", levels: [10, 20], as: "quadratic" as "linear" }],
      {},
    ],
    [
      "levels of price must be names or amounts, got 10, 20",
      [{ name: "price", levels: [10n, 20n] as unknown as number[] }],
      {},
    ],
    [
      'levels of price must be numbers to be linear, got "10", 20',
      [{ name: "price", levels: ["10", 20], as: "linear" }],
      {},
    ],
    [
      "breakpoints of price must be levels between the first and the last that rise, got 10",
      [{ name: "price", levels: [10, 20, 30], as: "piecewise", breakpoints: [10] }],
      {},
    ],
    [
      'price must have breakpoints if it is piecewise and only then, got as "piecewise"',
      [{ name: "price", levels: [10, 20, 30], as: "piecewise" }],
      {},
    ],
    [
      'reference of engine must be one of gas, electric, got "diesel"',
      [{ ...engine, reference: "diesel" }],
      {},
    ],
    ['attributes must have different names, got "engine" at 1 and 2', [engine, engine], {}],
    ['attribute 1 must have a name other than "none", got "none"', [{ name: "none", levels: [1, 2] }], {}],
    [
      'only of range must name one of the attributes seats, got "engine"',
      [seats, { name: "range", levels: [1, 2], only: { attribute: "engine", level: "gas" } }],
      {},
    ],
    [
      'prohibition 1 must name one of the attributes seats, engine, got "colour"',
      [seats, engine],
      { prohibitions: [{ seats: "8", colour: "red" }] },
    ],
    [
      'prohibition 1: seats must be one of 6, 7, 8, got "9"',
      [seats, engine],
      { prohibitions: [{ seats: "9", engine: "gas" }] },
    ],
    [
      'prohibition 1 must name at least two attributes, got {"seats":"8"}',
      [seats, engine],
      { prohibitions: [{ seats: "8" }] },
    ],
    [
      "prohibitions must leave a product for every level, but leave none with seats 8",
      [seats, engine],
      {
        prohibitions: [
          { seats: "8", engine: "gas" },
          { seats: "8", engine: "electric" },
        ],
      },
    ],
    [
      'columns must have different names, got "seats 7" twice: rename an attribute',
      [seats, { name: "seats 7", levels: [1, 2], as: "linear" }],
      {},
    ],
  ])("refuse: %s", (message, attributes, options) => {
    expect(() => defineAttributes(attributes, options)).toThrow(new RangeError(message));
  });
});
