import { table } from "arquero";
import { describe, expect, it } from "vitest";
import { acquisitionCosts } from "../../src/acquisition/cost.js";
import { marginalCost } from "../../src/acquisition/marginal-cost.js";
import { payback } from "../../src/acquisition/payback.js";
import { fitResponseCurve, simulateResponse } from "../../src/acquisition/response-fit.js";
import {
  acquisitionCostFigure,
  monthlyAcquisitionCostFigure,
  paybackFigure,
  responseCurveFigure,
} from "../../src/charts/acquisition.js";
import type { Figure } from "../../src/charts/figure.js";
import { DataError } from "../../src/core/errors.js";
import { randomSource } from "../../src/numeric/random.js";
import { describeFigures, titleOf } from "./describe-figures.js";

const spend = Array.from({ length: 36 }, (_, row) => 2000 + 800 * ((row * 7) % 36));
const segment = spend.map((_, row) => (row % 2 === 0 ? "north" : "south"));
const curve = {
  shape: "negative-exponential",
  parameters: { ceiling: 300, rate: 1e-4 },
  costFactors: { north: 1, south: 1.4 },
} as const;
const fit = fitResponseCurve(simulateResponse(curve, { spend, segment }, { random: randomSource(2) }), {
  shape: "negative-exponential",
});

const byChannel = table({
  channel: ["search", "social", "radio", "referral", "posters"],
  spend: [20000, 9000, 300, 0, 15000],
  won: [400, 60, 0, 80, 60],
});
const costs = acquisitionCosts(byChannel, ["channel"]);
const worth = {
  search: { value: 110, low: 100, high: 120 },
  social: { value: 140, low: 110, high: 175 },
  radio: { value: 90, low: 70, high: 115 },
  posters: { value: 95, low: 80, high: 115 },
};
const byMonth = table({
  month: Array.from({ length: 18 }, (_, month) =>
    month < 12 ? `2024-${String(month + 1).padStart(2, "0")}` : `2025-${String(month - 11).padStart(2, "0")}`,
  ),
  spend: Array.from({ length: 18 }, (_, month) => 3000 + 250 * month),
  won: Array.from({ length: 18 }, (_, month) => (month === 8 ? 0 : 110 - 2 * month)),
});
const margins = Array.from({ length: 24 }, (_, age) => 9 * 0.93 ** age);

const draw = () => ({
  response: {
    figure: responseCurveFigure(fit, {
      currency: "EUR",
      segment: "south",
      worth: 250,
      period: "month",
      source: "a shop",
    }),
    traces: [
      "90% band of the curve",
      "observed",
      '"negative-exponential" curve',
      "90% band of the cost",
      "cost of one more customer",
      "worth of a customer",
    ],
  },
  costs: {
    figure: acquisitionCostFigure(costs, worth, { currency: "EUR", by: ["channel"] }),
    traces: ["interval of the cost", "interval of the worth", "cost of a customer", "worth of a customer"],
  },
  months: {
    figure: monthlyAcquisitionCostFigure(acquisitionCosts(byMonth, ["month"]), { currency: "EUR" }),
    traces: ["interval", "average cost of a customer", "spend"],
  },
  payback: {
    figure: paybackFigure(
      {
        search: payback({ cost: 50, marginByAge: margins }),
        posters: payback({ cost: 250, marginByAge: margins }),
      },
      { currency: "EUR", unit: "months" },
    ),
    traces: ["search", "posters"],
  },
});
const figures: Readonly<Record<string, { readonly figure: Figure }>> = draw();
const figureNamed = (name: string): Figure => figures[name]?.figure as Figure;

describeFigures(draw);

describe("acquisition figures", () => {
  it("state the finding", () => {
    expect(titleOf(figureNamed("costs"))).toBe(
      "search clearly earns back what a customer costs; posters does not",
    );
    expect(titleOf(figureNamed("months"))).toBe("A customer cost 95 EUR in 2025-06, up from 27 in 2024-01");
    // 9 (1 - 0.93^t) / 0.07 reaches 50 between t = 6 (45.4) and t = 7 (51.2), and never 128.6.
    expect(titleOf(figureNamed("payback"))).toBe(
      "Paid back: search after 7 months, posters not within 24 months",
    );
    const soon = paybackFigure(
      {
        search: payback({ cost: 5, marginByAge: margins }),
        posters: payback({ cost: 50, marginByAge: [9] }),
      },
      { currency: "EUR", unit: "months" },
    );
    expect(titleOf(soon)).toBe("Paid back: search after 1 month, posters not within 1 month");
    expect(titleOf(figureNamed("response"))).toMatch(
      /^At 30,000 EUR a month a customer costs 1\d\d EUR on average, one more costs \d{3} \(90% interval \d{3} to \d{3}\)$/,
    );
  });

  it("draw the cost of one more customer of the segment that is asked for", () => {
    const trace = figureNamed("response").data.find(({ name }) => name === "cost of one more customer");
    const [x, y] = [trace?.["x"] as number[], trace?.["y"] as number[]];
    for (const place of [0, 30, 60]) {
      const { value } = marginalCost(fit, x[place] as number, { segment: "south", method: "delta" });
      expect(y[place]).toBe(value);
    }
    const seen = figureNamed("response").data.find(({ name }) => name === "observed");
    expect(seen?.["x"]).toEqual(spend.filter((_, row) => row % 2 === 1));
  });

  it("show the least possible cost where nobody was won, and name groups without spend", () => {
    const dots = figureNamed("costs").data.find(({ name }) => name === "cost of a customer");
    // Rows in the order of the names: posters, radio, search, social; referral had no spend.
    const radio = -300 / Math.log(0.05);
    expect((dots?.["x"] as number[] | undefined)?.[1]).toBeCloseTo(radio, 8);
    expect((dots?.["marker"] as { symbol: string[] } | undefined)?.symbol).toEqual([
      "circle",
      "triangle-right",
      "circle",
      "circle",
    ]);
    expect(JSON.stringify(figureNamed("costs").layout)).toContain("without spend: referral");
  });

  it("leave a gap where a month won nobody", () => {
    const [, average] = figureNamed("months").data;
    expect((average?.["y"] as (number | null)[] | undefined)?.indexOf(null)).toBe(8);
  });

  it("refuse what they cannot draw", () => {
    expect(() => acquisitionCostFigure(costs, {}, { currency: "EUR", by: ["channel"] })).toThrow(
      new DataError('acquisition costs: worth must have an entry for each group, "posters" has none'),
    );
    const organic = acquisitionCosts(table({ month: ["2025-01"], spend: [0], won: [3] }), ["month"]);
    expect(() => acquisitionCostFigure(organic, {}, { currency: "EUR", by: ["month"] })).toThrow(
      new DataError("acquisition costs: at least one group must have had spend"),
    );
    expect(() => monthlyAcquisitionCostFigure(organic, { currency: "EUR" })).toThrow(
      new DataError("acquisition costs: at least one month must have an average cost"),
    );
    expect(() => paybackFigure({}, { currency: "EUR" })).toThrow(
      new RangeError("curves must be 1 to 6, got 0"),
    );
    expect(() => responseCurveFigure(fit, { currency: "EUR", segment: "south", spend: 99999 })).toThrow(
      new DataError(
        "response figure: spend must be between two different ones observed, 2800 and 30000, got 99999",
      ),
    );
    expect(() => responseCurveFigure(fit, { currency: "EUR" })).toThrow(
      new RangeError("segment must be one of north, south, got none"),
    );
  });
});
