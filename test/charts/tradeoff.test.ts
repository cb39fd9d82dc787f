import { describe, expect, it } from "vitest";
import type { Figure } from "../../src/charts/figure.js";
import {
  classChoiceFigure,
  importanceFigure,
  lineFrontierFigure,
  marketSharesFigure,
  partWorthsFigure,
  priceResponseFigure,
  utilitiesMapFigure,
  willingnessToPayFigure,
} from "../../src/charts/tradeoff.js";
import { randomSource } from "../../src/numeric/random.js";
import { drawNormal } from "../../src/numeric/sampling.js";
import { attributeImportance } from "../../src/tradeoff/importance.js";
import { marketOf } from "../../src/tradeoff/market.js";
import { priceResponse } from "../../src/tradeoff/market-response.js";
import {
  categoricalAttribute,
  levelUtilities,
  linearAttribute,
  type PartWorths,
  summariseLevels,
  zeroCentredDifferences,
} from "../../src/tradeoff/part-worths.js";
import { productLineFrontier } from "../../src/tradeoff/product-line.js";
import { simulateMarket } from "../../src/tradeoff/simulator.js";
import { willingnessToPay } from "../../src/tradeoff/willingness-to-pay.js";
import { describeFigures, titleOf } from "./describe-figures.js";

const price = linearAttribute("price", [8, 10, 12, 14]);
const attributes = [
  categoricalAttribute("roast", ["mild", "medium", "dark"]),
  categoricalAttribute("label", ["none", "organic"]),
  price,
];

/** 60 who like it dark and cheap, 60 who like it mild and organic. */
function tastes(): PartWorths {
  const random = randomSource(3);
  const means = [
    [0.5, 1.5, 0.2, -0.5],
    [-0.5, -1.5, 1.8, -0.2],
  ];
  const respondents = Array.from({ length: 120 }, (_, who) => `r${who + 1}`);
  return {
    names: ["roast medium", "roast dark", "label organic", "price"],
    respondents,
    values: respondents.map((_, who) =>
      Float64Array.from(
        means[who % 2] as number[],
        (mean, k) => mean + (k === 3 ? 0.05 : 0.4) * drawNormal(random),
      ),
    ),
  };
}

const partWorths = tastes();
const utilities = levelUtilities(partWorths, attributes);
const centred = zeroCentredDifferences(utilities);
const product = (name: string, ...[own, organic, money]: [string, string, number]) => ({
  name,
  levels: { roast: own, label: organic, price: money },
});
const market = marketOf(
  attributes,
  [
    product("ours", "dark", "none", 10),
    product("Bio", "mild", "organic", 12),
    product("Plain", "mild", "none", 8),
  ],
  { price: "price" },
);
const fit = {
  coefficients: { organic: 0.9, dark: 0.4, price: -0.3 },
  covariance: [
    [0.01, 0, 0],
    [0, 0.02, 0],
    [0, 0, 0.0009],
  ],
};
const costs = { roast: { mild: 3, medium: 3, dark: 3.5 }, label: { none: 0, organic: 2 } };
const candidates = marketOf(
  attributes,
  ["mild", "medium", "dark"].flatMap((own) =>
    ["none", "organic"].map((organic) => product(`${own} ${organic}`, own, organic, 12)),
  ),
  { price: "price", costs },
);

const draw = () => ({
  importance: {
    figure: importanceFigure(attributeImportance(utilities, { random: randomSource(1), resamples: 200 }), {
      source: "a survey",
    }),
    traces: ["importance", "90% limits"],
  },
  partWorths: {
    figure: partWorthsFigure(summariseLevels(centred), { unit: "zero-centred difference, points" }),
    traces: ["limits", "roast", "label", "price"],
  },
  willingness: {
    figure: willingnessToPayFigure(willingnessToPay(fit, { price: "price", random: randomSource(1) }), {
      currency: "EUR",
    }),
    traces: ["95% limits", "willingness to pay"],
  },
  shares: {
    figure: marketSharesFigure(
      simulateMarket(partWorths, market, { random: randomSource(2), resamples: 200 }),
      {
        own: "ours",
      },
    ),
    traces: ["share", "90% limits"],
  },
  plainShares: {
    figure: marketSharesFigure(simulateMarket(partWorths, market, { rule: "purchase likelihood" })),
    traces: ["purchase likelihood"],
  },
  price: {
    figure: priceResponseFigure(
      priceResponse(
        partWorths,
        market,
        {
          product: "ours",
          attribute: price,
          prices: [8, 9, 10, 11, 12, 13, 14],
          unitCost: 6,
          marketSize: 10_000,
        },
        { random: randomSource(2), resamples: 200 },
      ),
      { currency: "EUR" },
    ),
    traces: ["90% band of the share", "share", "revenue", "profit", "highest profit"],
  },
  priceOfSeveral: {
    figure: priceResponseFigure(
      priceResponse(partWorths, market, {
        product: "ours",
        attribute: price,
        prices: [8, 10, 12],
        ownMargins: { Bio: 3 },
      }),
      { currency: "EUR" },
    ),
    traces: ["share", "revenue", "profit with Bio", "highest profit"],
  },
  frontier: {
    figure: lineFrontierFigure(
      productLineFrontier(
        partWorths,
        { candidates, competitors: market, marketSize: 10_000, fixedCost: 4000 },
        { size: 4, search: "exhaustive" },
      ),
      { currency: "EUR" },
    ),
    traces: ["best line of each size"],
  },
  map: {
    figure: utilitiesMapFigure(centred, { segments: partWorths.respondents.map((_, who) => 1 + (who % 2)) }),
    traces: ["1", "2", "direction of a level"],
  },
  classes: {
    figure: classChoiceFigure([
      { classes: 1, bic: 5300 },
      { classes: 2, bic: 5146.2 },
      { classes: 3, bic: 5117.6 },
      { classes: 4, bic: 5129.9 },
    ]),
    traces: ["BIC"],
  },
});
const figures: Readonly<Record<string, { readonly figure: Figure }>> = draw();
const figureNamed = (name: string): Figure => figures[name]?.figure as Figure;

describeFigures(draw);

describe("trade-off figures", () => {
  it("state the finding", () => {
    const [organic] = willingnessToPay(fit, { price: "price", random: randomSource(1) }).values;
    const [low, high] = (organic?.krinskyRobb ?? []).map((limit) => limit.toFixed(2));
    expect(titleOf(figureNamed("willingness"))).toBe(
      `Respondents would pay 3.00 EUR for "organic" (95% limits ${low} to ${high})`,
    );
    expect(titleOf(figureNamed("importance"))).toMatch(
      /^"price" decides most: \d\d% of the importance, ahead of "roast" /,
    );
    const { shares } = simulateMarket(partWorths, market);
    const ours = `${(100 * (shares[0]?.share as number)).toFixed(0)}%`;
    expect(titleOf(figureNamed("shares"))).toMatch(
      new RegExp(`^"ours" takes ${ours} of purchases \\(90% limits`),
    );
    expect(titleOf(figureNamed("classes"))).toBe(
      "BIC is lowest with 3 classes: 5,117.6, 12.3 below the next best",
    );
    expect(titleOf(figureNamed("price"))).toMatch(/^"ours" earns most at \d+\.00 EUR \(90% limits /);
    expect(titleOf(figureNamed("priceOfSeveral"))).toMatch(
      /^"ours" with Bio earns most at \d+\.00 EUR, with /,
    );
    expect(titleOf(figureNamed("map"))).toMatch(
      /^Tastes differ most over "roast: (dark|mild)": two directions hold/,
    );
  });

  it("say how many products are enough, and when more were never tried", () => {
    const frontier = (fixedCost: number) =>
      titleOf(
        lineFrontierFigure(
          productLineFrontier(
            partWorths,
            { candidates, competitors: market, marketSize: 10_000, fixedCost },
            { size: 3, search: "exhaustive" },
          ),
          { currency: "EUR" },
        ),
      );
    expect(frontier(0)).toMatch(/^The longest line tried is the best: 3 products bring [\d,]+ EUR$/);
    expect(frontier(1e5)).toMatch(
      /^1 product is enough: (mild|medium|dark) (none|organic) brings -[\d,]+ EUR$/,
    );
  });

  it("take a title from outside", () => {
    expect(titleOf(classChoiceFigure([{ classes: 1, bic: 3 }], { title: "One class" }))).toBe("One class");
    expect(titleOf(classChoiceFigure([{ classes: 1, bic: 3 }]))).toBe("BIC is lowest with 1 class: 3.0");
  });

  it("put the most important attribute on top and the likeliest names beside the bars", () => {
    const [bars] = figureNamed("importance").data;
    const x = bars?.["x"] as number[];
    expect([...x].sort((a, b) => b - a)).toEqual(x);
    expect(x.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 12);
  });

  it("separate the two segments of the map along its first direction", () => {
    const [one, two] = figureNamed("map").data.map(({ x }) => x as number[]);
    const side = Math.sign((one as number[])[0] as number);
    expect(one?.every((value) => Math.sign(value) === side)).toBe(true);
    expect(two?.every((value) => Math.sign(value) === -side)).toBe(true);
  });

  it("refuse what cannot be drawn", () => {
    const few = { ...centred, values: centred.values.slice(0, 2) };
    expect(() => utilitiesMapFigure(few)).toThrow(
      "utilities must be of at least 3 respondents and 2 levels, got 2 and 9",
    );
    expect(() => utilitiesMapFigure(centred, { segments: [1] })).toThrow(
      "segments must be one for each of the 120 respondents, got 1",
    );
    expect(() => classChoiceFigure([])).toThrow("choices must be at least one, got none");
  });
});
