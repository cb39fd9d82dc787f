import { table } from "arquero";
import { describe, expect, it } from "vitest";
import {
  calibrationHistogramFigure,
  calibrationSlopeFigure,
  gainsFigure,
  holdoutByFrequencyFigure,
  leaderboardFigure,
  trackingFigure,
} from "../../src/charts/clv-validation.js";
import { DataError, type Figure } from "../../src/index.js";
import { describeFigures, titleOf } from "./describe-figures.js";

const purchases = ["0", "1", "2", "3", "4", "5", "6", "7+"];
const customers = [1411, 439, 214, 100, 62, 38, 29, 64];
const histogram = table({
  purchases,
  actual: customers,
  NBD: [1371, 479, 214, 100, 62, 38, 29, 64],
  "BG/NBD": [1421, 439, 204, 100, 62, 38, 29, 64],
});
// Mean holdout purchases of CDNOW customers, by their purchases in weeks 1-39: BTYD walkthrough.
const holdout = table({
  purchases,
  customers,
  actual: [0.237, 0.697, 1.393, 1.56, 2.532, 2.947, 3.862, 6.359],
  "Pareto/NBD": [0.138, 0.6, 1.196, 1.714, 2.399, 2.907, 3.819, 6.403],
  "BG/NBD": [0.2251, 0.5231, 1.0441, 1.5203, 2.1638, 2.6538, 3.504, 6.157],
});
const weekly = table({
  time: [1, 2, 3, 4],
  actual: [10, 12, 8, 12],
  NBD: [10, 12, 14, 16],
  "BG/NBD": [11, 11, 9, 11],
});
const totals = table({
  time: [1, 2, 3, 4],
  actual: [10, 22, 30, 40],
  NBD: [10, 22, 36, 50],
  "BG/NBD": [11, 22, 31, 39],
});
// Mean absolute error of four models on the CDNOW holdout, with intervals made up for the test.
const scores = table({
  model: ["NBD", "Pareto/NBD", "BG/NBD", "MBG/NBD"],
  value: [1.041, 0.7545, 0.7855, 0.7648],
  low: [0.98, 0.71, 0.81, 0.72],
  high: [1.1, 0.8, 0.83, 0.81],
});
const deciles = table({
  decile: [1, 2, 3],
  customers: [236, 236, 235],
  predicted: [3.2, 0.2, 0.1],
  actual: [3.76, 0.15, 0.1],
});
const gains = table({
  customers: [0, 0.2, 0.6, 1],
  perfect: [0, 0.8, 1, 1],
  NBD: [0, 0.4, 0.8, 1],
  "BG/NBD": [0, 0.6, 0.9, 1],
});
const byWeek = { cumulative: false, calibrationEnd: 2, unit: "weeks" as const };
const absoluteError = { metric: "mean absolute error (purchases)", better: "lower" as const };

const draw = (): Readonly<
  Record<string, { readonly figure: Figure; readonly traces: readonly string[] }>
> => ({
  "calibration histogram": {
    figure: calibrationHistogramFigure(histogram),
    traces: ["actual", "NBD", "BG/NBD"],
  },
  "holdout by frequency": {
    figure: holdoutByFrequencyFigure(holdout),
    traces: ["actual", "Pareto/NBD", "BG/NBD"],
  },
  "weekly tracking": { figure: trackingFigure(weekly, byWeek), traces: ["actual", "NBD", "BG/NBD"] },
  "cumulative tracking": {
    figure: trackingFigure(totals, { ...byWeek, cumulative: true }),
    traces: ["actual", "NBD", "BG/NBD"],
  },
  leaderboard: {
    figure: leaderboardFigure(scores, absoluteError),
    traces: ["interval", "mean absolute error (purchases)"],
  },
  calibration: {
    figure: calibrationSlopeFigure(deciles, { slope: 1.0849 }),
    traces: ["as predicted", "groups of customers (1 = highest prediction)"],
  },
  gains: {
    figure: gainsFigure(gains),
    traces: ["perfect", "NBD (0.412)", "BG/NBD (0.706)", "at random"],
  },
});
const figures = draw();
const figure = (name: string): Figure => figures[name]?.figure as Figure;
const axisTitles = ({ layout }: Figure): unknown[] =>
  [layout["xaxis"], layout["yaxis"]].map((axis) => (axis as { title: { text: string } }).title.text);

describeFigures(draw);

describe("titles state the finding", () => {
  it("computed from the data", () => {
    // Differences of the BG/NBD: 10 too many in one class, 10 too few in another: 10 of 2,357 customers.
    expect(titleOf(figure("calibration histogram"))).toBe(
      "BG/NBD comes closest: 0.4% of 2,357 customers in a wrong class",
    );
    // Weighted by customers, of 2,357: Pareto/NBD 253.66 purchases, BG/NBD 229.05.
    expect(titleOf(figure("holdout by frequency"))).toBe(
      "BG/NBD comes closest: off by 0.0972 holdout purchases a customer",
    );
    // After week 2: 20 purchases, the BG/NBD is off by 1 and 1, the NBD by 6 and 4.
    expect(titleOf(figure("weekly tracking"))).toBe(
      "BG/NBD comes closest: off by 10% per holdout week on average",
    );
    expect(titleOf(figure("cumulative tracking"))).toBe(
      "BG/NBD comes closest: 2.5% below the actual total at the end",
    );
    expect(titleOf(figure("leaderboard"))).toBe(
      "Pareto/NBD is best (0.754); 1 of 3 other intervals overlap its own",
    );
    expect(titleOf(figure("calibration"))).toBe(
      "The top group made 3.76 purchases a customer, predicted 3.2; calibration slope 1.08",
    );
    // Half of the way to the top 20%: half of 60%. Areas above the diagonal: perfect 0.34, BG/NBD 0.24, NBD 0.14.
    expect(titleOf(figure("gains"))).toBe(
      "The top 10% of customers by BG/NBD account for 30% of the holdout purchases: normalised Gini 0.706",
    );
    const leavers = gainsFigure(gains, { outcome: "leavers" });
    expect(titleOf(leavers)).toContain("account for 30% of the leavers");
    expect(JSON.stringify(leavers)).toContain('"share of leavers"');
    expect(JSON.stringify(leavers)).not.toContain("purchases");
  });

  it("where there is one model, or nothing to compare", () => {
    expect(titleOf(calibrationHistogramFigure(histogram.select("purchases", "actual", "NBD")))).toBe(
      "NBD: 1.7% of 2,357 customers in a wrong class",
    );
    const high = trackingFigure(totals.select("time", "actual", "NBD"), { ...byWeek, cumulative: true });
    expect(titleOf(high)).toBe("NBD: 25% above the actual total at the end");
    const alone = leaderboardFigure(scores.slice(0, 1), absoluteError);
    expect(titleOf(alone)).toBe("NBD: mean absolute error (purchases) 1.04");
    expect(titleOf(leaderboardFigure(scores.slice(0, 2), absoluteError))).toBe(
      "Pareto/NBD is best (0.754); no other interval overlaps its own",
    );
    expect(titleOf(calibrationSlopeFigure(deciles))).toBe(
      "The top group made 3.76 purchases a customer, predicted 3.2",
    );
  });

  it("or the caller's own, with the source", () => {
    const text = { title: "Mine", source: "sample shop" };
    for (const own of [
      calibrationHistogramFigure(histogram, text),
      holdoutByFrequencyFigure(holdout, text),
      trackingFigure(weekly, { ...byWeek, ...text }),
      leaderboardFigure(scores, { ...absoluteError, ...text }),
      calibrationSlopeFigure(deciles, text),
      gainsFigure(gains, text),
    ]) {
      expect(own.layout.title).toMatchObject({ text: "Mine", subtitle: { text: "Source: sample shop" } });
    }
  });
});

describe("axes", () => {
  it("name what they show and its unit", () => {
    expect(Object.values(figures).map(({ figure }) => axisTitles(figure))).toEqual([
      ["repeat purchases in the calibration period", "customers"],
      ["repeat purchases in the calibration period (customers in brackets)", "mean holdout purchases"],
      ["time (weeks)", "purchases a week"],
      ["time (weeks)", "purchases so far"],
      ["mean absolute error (purchases), lower is better", "model"],
      ["mean holdout purchases, predicted", "mean holdout purchases, actual"],
      ["share of customers, highest prediction first", "share of holdout purchases"],
    ]);
  });

  it("tell how many customers a class has, and where the calibration period ends", () => {
    expect(figure("holdout by frequency").layout["xaxis"]).toMatchObject({
      ticktext: expect.arrayContaining(["0<br>(1,411)", "7+<br>(64)"]) as unknown,
    });
    expect(figure("weekly tracking").layout["shapes"]).toMatchObject([{ x0: 2, x1: 2 }]);
  });
});

describe("legends", () => {
  it("stand above the plot as long as they fit into one row, else on its right", () => {
    const six = Object.fromEntries(
      ["NBD", "Pareto/NBD", "BG/NBD", "MBG/NBD", "MBG/CNBD-k", "x/T"].map((name) => [name, [1, 2]]),
    );
    const many = [
      trackingFigure(table({ time: [1, 2], actual: [1, 2], ...six }), { ...byWeek, calibrationEnd: 1 }),
      calibrationHistogramFigure(table({ purchases: ["0", "1+"], actual: [1, 2], ...six })),
      holdoutByFrequencyFigure(table({ purchases: ["0", "1+"], customers: [1, 1], actual: [1, 2], ...six })),
    ];
    for (const { layout } of many)
      expect([layout["showlegend"], layout["legend"]]).toEqual([true, undefined]);
    for (const name of ["weekly tracking", "calibration histogram", "holdout by frequency"]) {
      expect(figure(name).layout).toMatchObject({ showlegend: true, legend: { orientation: "h", y: 1 } });
    }
  });
});

describe("traces carry the data", () => {
  it("column by column", () => {
    for (const [name, source, columns] of [
      ["calibration histogram", histogram, ["actual", "NBD", "BG/NBD"]],
      ["holdout by frequency", holdout, ["actual", "Pareto/NBD", "BG/NBD"]],
      ["weekly tracking", weekly, ["actual", "NBD", "BG/NBD"]],
      ["cumulative tracking", totals, ["actual", "NBD", "BG/NBD"]],
      ["gains", gains, ["perfect", "NBD", "BG/NBD", "customers"]],
    ] as const) {
      expect(figure(name).data.map(({ y }) => y)).toEqual(
        columns.map((column) => Array.from<unknown>(source.array(column))),
      );
    }
    expect(figure("weekly tracking").data[1]?.["x"]).toEqual([1, 2, 3, 4]);
    expect(figure("calibration").data[1]).toMatchObject({ x: [3.2, 0.2, 0.1], y: [3.76, 0.15, 0.1] });
  });

  it("with models told apart by colour and by dash", () => {
    const lines = figure("gains").data.map(({ line }) => line as { color: string; dash?: string });
    expect(new Set(lines.map(({ color }) => color)).size).toBe(4);
    expect(lines[1]?.dash).not.toBe(lines[2]?.dash);
  });

  it("of a leaderboard, the best on top whichever way is better", () => {
    const rows = ({ layout }: Figure): unknown =>
      (layout["yaxis"] as { categoryarray: unknown }).categoryarray;
    expect(rows(figure("leaderboard"))).toEqual(["Pareto/NBD", "MBG/NBD", "BG/NBD", "NBD"]);
    const higher = leaderboardFigure(scores, { metric: "top-decile lift", better: "higher" });
    expect(rows(higher)).toEqual(["NBD", "BG/NBD", "MBG/NBD", "Pareto/NBD"]);
    expect(titleOf(higher)).toBe("NBD is best (1.04); no other interval overlaps its own");
    expect(higher.data[0]?.["x"]).toEqual([
      0.98,
      1.1,
      null,
      0.71,
      0.8,
      null,
      0.81,
      0.83,
      null,
      0.72,
      0.81,
      null,
    ]);
    expect(higher.layout["shapes"]).toMatchObject([{ x0: 0.98, x1: 1.1 }]);
  });

  it("of deciles, labelled where there is room", () => {
    expect(figure("calibration").data[1]?.["text"]).toEqual(["1", "2", ""]);
  });
});

describe("figures reject", () => {
  it("tables without a column, a row or a model, or with too many models", () => {
    expect(() => calibrationHistogramFigure(histogram.select("purchases", "NBD"))).toThrow(
      new DataError("calibration histogram: column actual is missing, the columns are purchases, NBD"),
    );
    expect(() => holdoutByFrequencyFigure(holdout.filter(() => false))).toThrow(
      "holdout by frequency: at least one row is needed, got an empty table",
    );
    expect(() => trackingFigure(weekly.select("time", "actual"), byWeek)).toThrow(
      new DataError("tracking: 1 to 6 columns of models are needed beside time, actual, got 0"),
    );
    const seven = Object.fromEntries(Array.from({ length: 7 }, (_, index) => [`model ${index}`, [1]]));
    expect(() => calibrationHistogramFigure(table({ purchases: ["0"], actual: [1], ...seven }))).toThrow(
      "calibration histogram: 1 to 6 columns of models are needed beside purchases, actual, got 7",
    );
    expect(() => calibrationSlopeFigure(deciles.select("decile"))).toThrow(
      "calibration by decile: column customers is missing, the columns are decile",
    );
    expect(() => leaderboardFigure(table({ model: ["NBD"], value: ["x"] }), absoluteError)).toThrow(
      'leaderboard: value in row 1 must be a number, got "x"',
    );
  });

  it("a slope that is none", () => {
    expect(() => calibrationSlopeFigure(deciles, { slope: Number.NaN })).toThrow(
      new RangeError("slope must be a number, got NaN"),
    );
  });

  it("nobody and nothing", () => {
    expect(() => calibrationHistogramFigure(table({ purchases: ["0"], actual: [0], NBD: [1] }))).toThrow(
      new DataError("calibration histogram: actual must add up to more than 0, got 0"),
    );
    const silent = table({ time: [1, 2, 3], actual: [1, 1, 0], NBD: [1, 1, 1] });
    expect(() => trackingFigure(silent, byWeek)).toThrow(
      "tracking: actual after the calibration period must add up to more than 0, got 0",
    );
  });

  it("times that do not rise or are not split by the calibration period", () => {
    const back = table({ time: [1, 3, 2], actual: [1, 1, 1], NBD: [1, 1, 1] });
    expect(() => trackingFigure(back, byWeek)).toThrow(
      "tracking: time must be rising numbers from 0 up, got 2 in place 3",
    );
    for (const calibrationEnd of [0, 4]) {
      expect(() => trackingFigure(weekly, { ...byWeek, calibrationEnd })).toThrow(
        new RangeError(`calibrationEnd must be from 1 to less than 4, got ${calibrationEnd}`),
      );
    }
  });

  it("intervals upside down, and gains that are none", () => {
    expect(() =>
      leaderboardFigure(table({ model: ["NBD"], value: [2], low: [3], high: [1] }), absoluteError),
    ).toThrow(new DataError("leaderboard: high in row 1 must be at least low, 3, got 1"));
    const short = table({ customers: [0, 1], perfect: [0, 1], NBD: [0.1, 1] });
    expect(() => gainsFigure(short)).toThrow(
      new DataError("cumulative gains: NBD must run from 0 to 1, got 0.1 to 1"),
    );
    expect(() => gainsFigure(table({ customers: [0, 1], perfect: [0, 1], NBD: [0, 1] }))).toThrow(
      "cumulative gains: perfect must be above the diagonal, got an area of 0",
    );
  });
});
