import { table } from "arquero";
import { describe, expect, it } from "vitest";
import {
  aliveHistoryFigure,
  customerEquityLorenzFigure,
  forecastIntervalFigure,
  frequencyRecencyFigure,
  heterogeneityFigure,
  likelihoodContourFigure,
  probabilityAliveFigure,
  segmentEquityFigure,
} from "../../src/charts/clv.js";
import type { LikelihoodSurface } from "../../src/clv/convergence-doctor.js";
import type { CustomerMatrix } from "../../src/clv/validation.js";
import { DataError, type Figure } from "../../src/index.js";
import { describeFigures, titleOf } from "./describe-figures.js";

const expectedMatrix = {
  x: [0, 2, 26],
  recency: [0, 15, 30.857],
  values: [
    [0.2, null, null],
    [null, 0.9, 0.0003583685],
    [null, 1.4, 25.45647],
  ],
  unit: "weeks" as const,
  horizon: 52,
};
const aliveMatrix: CustomerMatrix = {
  ...expectedMatrix,
  values: [
    [1, 7, 7], // what stands in an impossible cell is not looked at
    [Number.NaN, 0.4, 0.0001],
    [null, 0.8, 0.9688523],
  ],
};
const history = {
  time: [0, 10, 20, 39],
  alive: [1, 0.6, 0.9, 0.234],
  purchases: [0, 20],
  unit: "weeks",
} as const;
const traits = [
  { name: "buying rate", unit: "purchases per week", x: [0.01, 0.1, 0.2], density: [9, 3, 1], mean: 0.055 },
  { name: "dropout probability", x: [0.1, 0.5, 0.9], density: [2, 1, 0.1], mean: 0.6 },
];
/** A log-likelihood with its maximum of -100 at (2, 3), steeper along b. */
const surface: LikelihoodSurface = {
  ridge: "",
  aName: "r",
  bName: "alpha",
  a: [1, 2, 3, 4],
  b: [2, 3, 4],
  logLikelihood: [2, 3, 4].map((b) => [1, 2, 3, 4].map((a) => -100 - (a - 2) ** 2 - 3 * (b - 3) ** 2)),
  estimate: { a: 2, b: 3, logLikelihood: -100 },
};
const values = Array.from({ length: 100 }, (_, index) => (index < 80 ? 1 : 16));
const segments = table({
  segment: ["Champions", "New", "Lost"],
  customers: [10, 30, 60],
  value: [400, 50, 5],
  low: [350, 40, 4],
  high: [460, 61, 6.5],
});
const forecasts = table({
  customer: ["C1", "C2", "C3"],
  expected: [3.2, 25.45647, 0.1],
  low: [2.9, 24.1, 0.08],
  high: [3.6, 26.9, 0.13],
  outcome_low: [0, 17, 0],
  outcome_high: [7, 35, 1],
});
const eur = { currency: "EUR" };
const year = { horizon: 52, unit: "weeks" as const };

const draw = (): Readonly<
  Record<string, { readonly figure: Figure; readonly traces: readonly string[] }>
> => ({
  "frequency and recency": { figure: frequencyRecencyFigure(expectedMatrix), traces: ["expected purchases"] },
  "P(alive)": { figure: probabilityAliveFigure(aliveMatrix), traces: ["P(alive)", "50%"] },
  "alive history": { figure: aliveHistoryFigure(history), traces: ["P(alive)", "purchase"] },
  heterogeneity: { figure: heterogeneityFigure(traits), traces: ["buying rate", "dropout probability"] },
  "likelihood contours": {
    figure: likelihoodContourFigure(surface),
    traces: ["1.92 (95%, one parameter)", "3 (95%, both)", "10", "50", "estimate"],
  },
  "customer equity": {
    figure: customerEquityLorenzFigure(values, eur),
    traces: ["customers", "all bring the same"],
  },
  "segment equity": { figure: segmentEquityFigure(segments, eur), traces: ["interval", "value a customer"] },
  forecasts: {
    figure: forecastIntervalFigure(forecasts, year),
    traces: ["what may happen (90%)", "expectation (90%)", "expected"],
  },
});
const figures = draw();
const figure = (name: string): Figure => figures[name]?.figure as Figure;
const axisTitles = ({ layout }: Figure): unknown[] =>
  Object.entries(layout)
    .filter(([name]) => /^[xy]axis/.test(name))
    .map(([, axis]) => (axis as { title: { text: string } }).title.text);

describeFigures(draw);

describe("titles state the finding", () => {
  it("computed from the data", () => {
    expect(titleOf(figure("frequency and recency"))).toBe(
      "26 repeat purchases: 25.5 more expected if the last was in week 30.9, under 0.01 if in week 15",
    );
    expect(titleOf(figure("P(alive)"))).toBe(
      "26 repeat purchases: P(alive) 97% if the last was in week 30.9, under 0.1% if in week 15",
    );
    expect(titleOf(figure("alive history"))).toBe(
      "P(alive) is 23% in week 39, 19 weeks after the last purchase",
    );
    expect(titleOf(figure("heterogeneity"))).toBe(
      "Customers differ; on average: buying rate 0.055 purchases per week, dropout probability 0.6",
    );
    // 80 customers of 1 and 20 of 16 EUR: 320 of 400 EUR.
    expect(titleOf(figure("customer equity"))).toBe(
      "The top 20% of customers hold 80% of the customer equity of 400 EUR",
    );
    // 10 x 400 + 30 x 50 + 60 x 5 = 5,800; 4,000 of it.
    expect(titleOf(figure("segment equity"))).toBe(
      "Champions: 10% of customers, 69% of customer equity (5,800 EUR)",
    );
    expect(titleOf(figure("forecasts"))).toBe(
      "C2: 25.5 purchases expected (90% interval 24.1 to 26.9), 17 to 35 may happen",
    );
  });

  it("of likelihood contours: the regions, open at the edge of the grid, or the ridge", () => {
    // Falls along a: 1, 0, 1, 4; along b: 3, 0, 3. Within 1.92 are a from 1 (the edge) to 3 and b = 3 alone.
    expect(titleOf(figure("likelihood contours"))).toBe(
      "95% regions on this grid: r below 1.0 to 3.0, alpha 3.0 to 3.0",
    );
    expect(titleOf(likelihoodContourFigure({ ...surface, ridge: "r and alpha rise together" }))).toBe(
      "Hardly determined by the data: r and alpha rise together",
    );
    expect(titleOf(likelihoodContourFigure({ ...surface, ridge: "" }))).toContain("95% regions");
  });

  it("where there is less to say", () => {
    const one = { ...expectedMatrix, x: [2], recency: [30], values: [[1.4]] };
    expect(titleOf(frequencyRecencyFigure(one))).toBe(
      "2 repeat purchases: 1.4 more expected if the last was in week 30",
    );
    const none = aliveHistoryFigure({ ...history, purchases: [], unit: "days" });
    expect(titleOf(none)).toBe("P(alive) is 23% on day 39");
  });

  it("or the caller's own, with the source", () => {
    const text = { title: "Mine", source: "sample shop" };
    for (const own of [
      frequencyRecencyFigure(expectedMatrix, text),
      probabilityAliveFigure(aliveMatrix, text),
      aliveHistoryFigure(history, text),
      heterogeneityFigure(traits, text),
      likelihoodContourFigure(surface, text),
      customerEquityLorenzFigure(values, { ...eur, ...text }),
      segmentEquityFigure(segments, { ...eur, ...text }),
      forecastIntervalFigure(forecasts, { ...year, ...text }),
    ]) {
      expect(own.layout.title).toMatchObject({ text: "Mine", subtitle: { text: "Source: sample shop" } });
    }
  });
});

describe("axes", () => {
  it("name what they show and its unit", () => {
    expect(axisTitles(figure("frequency and recency"))).toEqual([
      "repeat purchases",
      "last purchase (weeks after the first)",
    ]);
    expect(figure("frequency and recency").data[0]).toMatchObject({
      colorbar: { title: { text: "expected purchases in the next 52 weeks" } },
    });
    expect(axisTitles(figure("alive history"))).toEqual([
      "time since the first purchase (weeks)",
      "P(alive)",
    ]);
    expect(axisTitles(figure("heterogeneity"))).toEqual([
      "buying rate (purchases per week)",
      "density over customers",
      "dropout probability",
      "",
    ]);
    expect(axisTitles(figure("likelihood contours"))).toEqual(["r (log scale)", "alpha (log scale)"]);
    expect(axisTitles(figure("customer equity"))).toEqual([
      "share of customers, lowest value first",
      "share of customer equity",
    ]);
    expect(axisTitles(figure("segment equity"))).toEqual(["lifetime value a customer (EUR)", "segment"]);
    expect(axisTitles(figure("forecasts"))).toEqual(["purchases in the next 52 weeks", "customer"]);
  });

  it("of likelihoods have ticks that a reader of logarithms expects", () => {
    const ticks = (a: readonly number[]): unknown => {
      const logLikelihood = surface.b.map(() => a.map(() => -101));
      const { layout } = likelihoodContourFigure({ ...surface, a, logLikelihood });
      return (layout["xaxis"] as { tickvals?: unknown }).tickvals;
    };
    expect(ticks([0.15, 6])).toEqual([0.2, 0.5, 1, 2, 5]);
    expect(ticks([0.0005, 2000])).toEqual([0.001, 0.01, 0.1, 1, 10, 100, 1000]);
    expect(ticks([0.21, 0.26])).toBeUndefined(); // Plotly's own
  });
});

describe("traces carry the data", () => {
  it("of a grid, with impossible customers left blank", () => {
    expect(figure("frequency and recency").data[0]).toMatchObject({
      x: [0, 2, 26],
      y: [0, 15, 30.857],
      z: expectedMatrix.values,
    });
    const z = [
      [1, null, null],
      [null, 0.4, 0.0001],
      [null, 0.8, 0.9688523],
    ];
    for (const trace of figure("P(alive)").data) expect(trace["z"]).toEqual(z);
  });

  it("of a customer's history", () => {
    const [line, marks] = figure("alive history").data;
    expect([line?.["x"], line?.["y"], marks?.["x"]]).toEqual([history.time, history.alive, [0, 20]]);
  });

  it("of densities, with a line at each mean", () => {
    const { data, layout } = figure("heterogeneity");
    expect(data.map(({ x, y }) => [x, y])).toEqual(traits.map(({ x, density }) => [x, density]));
    expect(layout["shapes"]).toMatchObject([
      { x0: 0.055, x1: 0.055, xref: "x" },
      { x0: 0.6, x1: 0.6, xref: "x2" },
    ]);
  });

  it("of a likelihood, as falls from the maximum, with one level a trace", () => {
    const { data } = figure("likelihood contours");
    for (const trace of data.slice(0, 4)) {
      expect(trace["z"]).toEqual([
        [-4, -3, -4, -7],
        [-1, 0, -1, -4],
        [-4, -3, -4, -7],
      ]);
    }
    expect(data.slice(0, 4).map(({ contours }) => (contours as { start: number }).start)).toEqual([
      -1.92, -3, -10, -50,
    ]);
    expect(data[4]).toMatchObject({ x: [2], y: [3] });
  });

  it("of segments: values, intervals and totals", () => {
    const { data, layout } = figure("segment equity");
    expect(data[0]?.["x"]).toEqual([350, 460, null, 40, 61, null, 4, 6.5, null]);
    expect(data[1]).toMatchObject({ x: [400, 50, 5], y: ["Champions", "New", "Lost"] });
    expect((layout["annotations"] as { text: string }[]).map(({ text }) => text)).toEqual([
      "total (EUR)",
      "4,000 (69%)",
      "1,500 (26%)",
      "300 (5.2%)",
    ]);
  });

  it("of forecasts, highest expectation on top", () => {
    const { data, layout } = figure("forecasts");
    expect(data[0]?.["x"]).toEqual([0, 7, null, 17, 35, null, 0, 1, null]);
    expect(data[1]?.["x"]).toEqual([2.9, 3.6, null, 24.1, 26.9, null, 0.08, 0.13, null]);
    expect(data[2]?.["x"]).toEqual([3.2, 25.45647, 0.1]);
    expect(layout["yaxis"]).toMatchObject({ categoryarray: ["C2", "C1", "C3"] });
  });
});

describe("figures reject", () => {
  it("matrices that are none", () => {
    const broken = (matrix: Partial<CustomerMatrix>) => () =>
      frequencyRecencyFigure({ ...expectedMatrix, ...matrix });
    const place = "purchases by frequency and recency: ";
    expect(broken({ x: [] })).toThrow(new DataError(`${place}x must have at least one value, got none`));
    expect(broken({ x: [0, 26, 2] })).toThrow(`${place}x must be rising numbers from 0 up, got 2 in place 3`);
    expect(broken({ recency: [-1, 0, 1] })).toThrow(
      `${place}recency must be rising numbers from 0 up, got -1 in place 1`,
    );
    expect(broken({ values: [] })).toThrow(`${place}there must be 3 rows, one for each recency, got 0`);
    expect(broken({ values: [[0.2], [], []] })).toThrow(
      `${place}value at x 2, recency 15 must be a number, got undefined`,
    );
    expect(broken({ x: [0], recency: [1], values: [[1]] })).toThrow(
      `${place}the largest x must go with a recency, got x 0 and recency 1`,
    );
  });

  it("horizons and levels that are none", () => {
    expect(() => frequencyRecencyFigure({ ...expectedMatrix, horizon: 0 })).toThrow(
      new RangeError("horizon must be a number above 0, got 0"),
    );
    expect(() => forecastIntervalFigure(forecasts, { ...year, horizon: Number.NaN })).toThrow(
      new RangeError("horizon must be a number above 0, got NaN"),
    );
    expect(() => forecastIntervalFigure(forecasts, { ...year, level: 90 })).toThrow(
      new RangeError("level must be between 0 and 1, got 90"),
    );
  });

  it("probabilities beyond 0 and 1", () => {
    const values = [[1.1, null, null], ...aliveMatrix.values.slice(1)];
    expect(() => probabilityAliveFigure({ ...aliveMatrix, values })).toThrow(
      new DataError("P(alive) by frequency and recency: P(alive) must be a number from 0 to 1, got 1.1"),
    );
    expect(() => aliveHistoryFigure({ ...history, alive: [1, 0.5, -0.1, 0] })).toThrow(
      "P(alive) history: alive must be a number from 0 to 1, got -0.1",
    );
  });

  it("histories and traits that do not fit together", () => {
    expect(() => aliveHistoryFigure({ ...history, alive: [1] })).toThrow(
      new DataError("P(alive) history: alive must have 4 values, got 1"),
    );
    expect(() => aliveHistoryFigure({ ...history, purchases: [40] })).toThrow(
      "P(alive) history: purchases must lie from week 0 to 39, got 40",
    );
    expect(() => heterogeneityFigure([])).toThrow("heterogeneity: at least one trait is needed, got none");
    const trait = { name: "buying rate", x: [0, 1], density: [Number.POSITIVE_INFINITY, 1], mean: 0.5 };
    expect(() => heterogeneityFigure([trait])).toThrow(
      new DataError("heterogeneity: buying rate: density at 0 must be a number from 0 up, got Infinity"),
    );
    expect(() => heterogeneityFigure([{ ...trait, density: [1, 1], mean: Number.NaN }])).toThrow(
      "heterogeneity: buying rate: mean must be a number, got NaN",
    );
  });

  it("likelihoods above their maximum, and parameters without a logarithm", () => {
    expect(() =>
      likelihoodContourFigure({ ...surface, estimate: { a: 1, b: 3, logLikelihood: -101 } }),
    ).toThrow(
      new DataError(
        "likelihood contours: log-likelihood at r 2, alpha 3 must be at most that of the estimate, -101, got -100",
      ),
    );
    expect(() => likelihoodContourFigure({ ...surface, a: [0, 1, 2, 3] })).toThrow(
      "likelihood contours: r must be rising numbers above 0, got 0 in place 1",
    );
    expect(() => likelihoodContourFigure({ ...surface, logLikelihood: [] })).toThrow(
      "likelihood contours: there must be 3 rows, one for each alpha, got 0",
    );
  });

  it("tables without a column or a row, intervals upside down, equity that is none", () => {
    expect(() => segmentEquityFigure(segments.select("segment", "customers"), eur)).toThrow(
      new DataError("equity by segment: column value is missing, the columns are segment, customers"),
    );
    expect(() =>
      forecastIntervalFigure(
        forecasts.filter(() => false),
        year,
      ),
    ).toThrow("forecast intervals: at least one row is needed, got an empty table");
    const upsideDown = table({ segment: ["New"], customers: [1], value: [2], low: [3], high: [1] });
    expect(() => segmentEquityFigure(upsideDown, eur)).toThrow(
      new DataError("equity by segment: high in row 1 must be at least low, 3, got 1"),
    );
    const worthless = table({ segment: ["New"], customers: [1], value: [0], low: [0], high: [1] });
    expect(() => segmentEquityFigure(worthless, eur)).toThrow(
      "equity by segment: customers times value must add up to more than 0, got 0",
    );
    expect(() => customerEquityLorenzFigure([1, -1], eur)).toThrow(DataError);
  });
});
