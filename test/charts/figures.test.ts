import { table } from "arquero";
import { describe, expect, it } from "vitest";
import { figureOf, percent, thousands } from "../../src/charts/theme.js";
import {
  assignSegments,
  DataError,
  dataQualityFigure,
  decileFigure,
  type Figure,
  gini,
  lorenzCurve,
  lorenzFigure,
  monthlyRevenueFigure,
  profileSegments,
  revenueDeciles,
  rfmDistributionFigure,
  scoreRfm,
  segmentChannelFigure,
  segmentMapFigure,
  segmentShareFigure,
  servingValueFigure,
  topShareFigure,
  topShareInterval,
  waterfallFigure,
  wrapTitle,
} from "../../src/index.js";
import { randomSource } from "../../src/numeric/random.js";

const n = 120;
const people = Array.from({ length: n }, (_, i) => i);
const customers = table({
  customer_key: people.map((i) => i + 1),
  recency_days: people.map((i) => (i * 37) % 365),
  frequency: people.map((i) => 1 + ((i * i) % 9)),
  monetary: people.map((i) => 10 + ((i * 53) % 400)),
});
const scored = assignSegments(scoreRfm(customers).table);
const profile = profileSegments(scored);
const revenue = customers.array("monetary") as number[];
const money = { currency: "EUR" };
const interval = topShareInterval(revenue, 0.2, { random: randomSource(7), resamples: 50 });

const draw = (): Readonly<
  Record<string, { readonly figure: Figure; readonly traces: readonly string[] }>
> => ({
  segmentMap: { figure: segmentMapFigure(scored, money), traces: ["customers"] },
  segmentShare: { figure: segmentShareFigure(profile), traces: ["share of customers", "share of revenue"] },
  lorenz: {
    figure: lorenzFigure(lorenzCurve(revenue), gini(revenue)),
    traces: ["customers", "all bring the same"],
  },
  decile: { figure: decileFigure(revenueDeciles(revenue)), traces: ["share of revenue", "running total"] },
  distribution: {
    figure: rfmDistributionFigure(customers, money),
    traces: ["recency", "frequency", "monetary"],
  },
  topShare: { figure: topShareFigure([{ fraction: 0.2, interval }]), traces: ["share of revenue"] },
  channel: {
    figure: segmentChannelFigure(
      table({ segment: ["New", "New", "Lost"], channel: ["web", "store", "web"], share: [0.7, 0.3, null] }),
    ),
    traces: ["share of customers"],
  },
  monthly: {
    figure: monthlyRevenueFigure(table({ month: ["2025-01", "2025-02", "2025-03"], revenue: [10, 40, 11] }), {
      ...money,
      highlights: { "2025-02": "promotion" },
    }),
    traces: ["revenue"],
  },
  quality: {
    figure: dataQualityFigure(table({ outcome: ["accepted", "no date"], rows: [9999, 1] })),
    traces: ["rejected rows"],
  },
  waterfall: {
    figure: waterfallFigure(
      [
        { label: "margin", amount: 900 },
        { label: "contact", amount: -300.5 },
        { label: "net", total: true },
      ],
      money,
    ),
    traces: ["expected value"],
  },
  serving: {
    figure: servingValueFigure(
      table({ segment: ["New", "Lost"], value: [3, -1], low: [1, -2], high: [5, 0] }),
      money,
    ),
    traces: ["expected net value"],
  },
});
const figures = draw();

describe.each(Object.entries(figures))("%s figure", (_, { figure, traces }) => {
  it("survives JSON unchanged and names its traces", () => {
    expect(JSON.parse(JSON.stringify(figure))).toEqual(figure);
    expect(figure.data.map(({ name }) => name)).toEqual(traces);
  });

  it("has a title that fits 700 pixels and an axis title wherever the numbers need one", () => {
    for (const line of figure.layout.title.text.split("<br>")) expect(line.length).toBeLessThanOrEqual(72);
    expect(figure.layout.title.text).not.toMatch(/NaN|undefined|Infinity/);
    expect(figure.layout).toMatchObject({
      xaxis: { automargin: true },
      yaxis: { title: {} },
      paper_bgcolor: "#FFFFFF",
    });
  });

  it("is the same every time", () => {
    expect(JSON.stringify(draw())).toBe(JSON.stringify(figures));
  });
});

describe("titles state the finding", () => {
  it("computed from the data, or the caller's own", () => {
    expect(figures["monthly"]?.figure.layout.title.text).toBe(
      "2025-02 was the best month: 40 EUR, 3.6 times the median month",
    );
    expect(figures["quality"]?.figure.layout.title.text).toBe("1 of 10,000 raw rows were rejected: 0.01%");
    expect(figures["waterfall"]?.figure.layout.title.text).toBe("Expected net value: 600 EUR");
    expect(figures["serving"]?.figure.layout.title.text).toBe("Serving pays in 1 of 2 segments: New");
    expect(figures["channel"]?.figure.layout.title.text).toBe("web holds 70% of the customers of New");
    const own = decileFigure(revenueDeciles(revenue), { title: "Few bring much", source: "sample shop" });
    expect(own.layout.title.text).toBe("Few bring much");
    expect(JSON.stringify(own.layout)).toContain("Source: sample shop");
  });

  it("break between words", () => {
    expect(wrapTitle("one two three four", 9)).toBe("one two<br>three<br>four");
    expect(wrapTitle("  a   b ", 9)).toBe("a b");
  });
});

describe("segment map", () => {
  it("counts every customer in one cell and leaves empty cells blank", () => {
    const few = table({ r: [5, 5, 1], f: [5, 5, 2], monetary: [10, 30, 5] });
    const [trace] = segmentMapFigure(few, money).data;
    expect(trace?.["z"]).toEqual([
      [null, null, null, null, null],
      [5, null, null, null, null],
      [null, null, null, null, null],
      [null, null, null, null, null],
      [null, null, null, null, 20],
    ]);
  });
});

describe("distributions", () => {
  it("count every customer once, whatever lies far out", () => {
    const wild = table({ recency_days: [0, 1, 2, 3], frequency: [1, 1, 2, 500], monetary: [0.5, 1, 2, 1e6] });
    for (const trace of rfmDistributionFigure(wild, money).data) {
      expect((trace["y"] as number[]).reduce((a, b) => a + b, 0)).toBe(4);
    }
    const same = table({ recency_days: [7], frequency: [1], monetary: [0] });
    expect(rfmDistributionFigure(same, money).data).toHaveLength(3);
  });
});

describe("figures reject", () => {
  it("missing columns, empty tables, values that are no numbers, unknown months", () => {
    expect(() => decileFigure(table({ decile: [1] }))).toThrow(
      new DataError("revenue deciles: column customers is missing, the columns are decile"),
    );
    expect(() => segmentShareFigure(profile.filter(() => false))).toThrow(
      "segment shares: at least one row is needed, got an empty table",
    );
    expect(() => dataQualityFigure(table({ outcome: ["accepted"], rows: [Number.NaN] }))).toThrow(
      "data quality: rows in row 1 must be a number, got NaN",
    );
    expect(() =>
      monthlyRevenueFigure(table({ month: ["2025-01"], revenue: [1] }), {
        ...money,
        highlights: { "2024-12": "sale" },
      }),
    ).toThrow("monthly revenue: highlighted month must be one of 2025-01 to 2025-01, got 2024-12");
    expect(() => waterfallFigure([{ label: "margin" }], money)).toThrow(
      'waterfall: step "margin" must have an amount, got undefined',
    );
    expect(() => waterfallFigure([], money)).toThrow("waterfall: at least one step is needed, got none");
  });

  it("what JSON would lose", () => {
    const broken =
      (value: unknown): (() => Figure) =>
      () =>
        figureOf([{ type: "bar", y: [value] }], { title: "t", axes: {} });
    expect(broken(Number.NaN)).toThrow(new RangeError("figure.data.0.y.0 must be a finite number, got NaN"));
    expect(broken(undefined)).toThrow("figure.data.0.y.0 must be JSON-safe, got undefined");
    expect(broken(new Float64Array(1))).toThrow(
      "figure.data.0.y.0 must be an ordinary array, got Float64Array",
    );
  });
});

describe("number texts", () => {
  it("write shares and thousands the same on every machine", () => {
    expect([0, 0.004, 0.0951, 0.0996, 0.4213, 1].map(percent)).toEqual([
      "0%",
      "0.4%",
      "9.5%",
      "10%",
      "42%",
      "100%",
    ]);
    expect([0, 999, 1234567.8, -1234.5, -0.2].map((value) => thousands(value))).toEqual([
      "0",
      "999",
      "1,234,568",
      "-1,235",
      "0",
    ]);
    expect(thousands(1234.5, 2)).toBe("1,234.50");
  });
});
