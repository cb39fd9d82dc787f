import { describe, expect, it } from "vitest";
import type { Figure } from "../../src/charts/figure.js";
import { migrationFlowFigure, stateForecastFigure, transitionFigure } from "../../src/charts/migration.js";
import { forecastStates } from "../../src/migration/forecast.js";
import { type TransitionCounts, transitionMatrix } from "../../src/migration/transitions.js";
import { randomSource } from "../../src/numeric/random.js";
import { describeFigures, titleOf } from "./describe-figures.js";

const states = ["inactive", "low", "high"];
const counts: TransitionCounts = {
  states,
  counts: [
    [900, 60, 40],
    [150, 40, 10],
    [10, 0, 10],
  ],
  periods: ["2024-Q1", "2024-Q2"],
  byPeriod: [
    [
      [400, 30, 20],
      [80, 20, 5],
      [5, 0, 5],
    ],
    [
      [500, 30, 20],
      [70, 20, 5],
      [5, 0, 5],
    ],
  ],
};
const estimate = transitionMatrix(counts);
const draw = () => ({
  transitions: {
    figure: transitionFigure(estimate, { source: "a shop" }),
    traces: ["share of the row's customers"],
  },
  flows: {
    figure: migrationFlowFigure(counts),
    traces: [
      "inactive to inactive",
      "inactive to low",
      "inactive to high",
      "low to inactive",
      "low to low",
      "low to high",
      "high to inactive",
      "high to high",
    ],
  },
  forecast: {
    figure: stateForecastFigure(
      forecastStates(estimate, { start: [575, 50, 30], periods: 4, random: randomSource(1), draws: 200 }),
      { unit: "quarters" },
    ),
    traces: ["inactive, 90% band", "inactive", "low, 90% band", "low", "high, 90% band", "high"],
  },
});
const figures: Readonly<Record<string, { readonly figure: Figure }>> = draw();
const figureNamed = (name: string): Figure => figures[name]?.figure as Figure;

describeFigures(draw);

describe("migration figures", () => {
  it("state the finding", () => {
    expect(titleOf(figureNamed("transitions"))).toBe(
      '90% of "inactive" stay; 75% of "low" move to "inactive"',
    );
    const titleAt = (matrix: number[][]): string => titleOf(transitionFigure({ ...estimate, matrix }));
    // A state that nobody leaves is left by nobody: no finding.
    expect(
      titleAt([
        [1, 0, 0],
        [0.3, 0.7, 0],
        [0, 0.6, 0.4],
      ]),
    ).toBe('70% of "low" stay; 60% of "high" move to "low"');
    expect(
      titleAt([
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ]),
    ).toBe("All customers stay in their state");
    // From 95 to 50.
    expect(titleOf(figureNamed("flows"))).toBe(
      '"low" loses 45 of 655 customers net from 2024-Q2 to the next period',
    );
    expect(titleOf(migrationFlowFigure(counts, { period: "2024-Q1" }))).toBe(
      '"low" loses 55 of 565 customers net from 2024-Q1 to the next period',
    );
    // 30, 40.5, 45.3, 47.5, 48.5 by hand.
    expect(titleOf(figureNamed("forecast"))).toMatch(
      /^"high" in 4 quarters: 48 customers \(\+62%\), 90% band [23]\d to [67]\d$/,
    );
  });

  it("speak of the living, not of a state that nobody leaves", () => {
    const moves = [
      [500, 0, 0],
      [70, 20, 5],
      [5, 0, 5],
    ];
    const lost = { ...counts, counts: moves, periods: ["2024-Q2"], byPeriod: [moves] };
    // "inactive" gains 75; "low" falls from 95 to 20, "high" stays at 10.
    expect(titleOf(migrationFlowFigure(lost))).toBe(
      '"low" loses 75 of 605 customers net from 2024-Q2 to the next period',
    );
    const asBefore = moves.map((row, from) => row.map((_, to) => (from === to ? 10 : 0)));
    expect(titleOf(migrationFlowFigure({ ...lost, counts: asBefore, byPeriod: [asBefore] }))).toBe(
      "All 30 customers stay in their state from 2024-Q2 to the next period",
    );
    const chain = transitionMatrix(lost);
    const forecast = (start: number[]) =>
      titleOf(stateForecastFigure(forecastStates(chain, { start, periods: 2, random: randomSource(2) })));
    // "inactive" grows twentyfold; 950 x (20 / 95)^2 of "low" are left: 42.
    expect(forecast([50, 950, 200])).toMatch(/^"low" in 2 periods: 42 customers \(-96%\), 90% band \d/);
    expect(forecast([50, 0, 0])).toBe('"inactive" in 2 periods: 50 customers (+0%), 90% band 50 to 50');
  });

  it("mark rows that rest on few moves", () => {
    const [heat] = figureNamed("transitions").data;
    expect(heat?.["text"]).toEqual([
      ["90%", "6.0%", "4.0%"],
      ["75%", "20%", "5.0%"],
      ["50%*", "0%*", "50%*"],
    ]);
    expect(JSON.stringify(figureNamed("transitions").layout)).toContain("* fewer than 30 moves");
  });

  it("draw ribbons as wide as the flows, that fill both sides", () => {
    const { data, layout } = figureNamed("flows");
    const scale = (1 - 0.04 * 2) / 655;
    const ends = data.map(({ y }) => {
      const edge = y as number[];
      const half = edge.length / 2;
      return [
        (edge[0] as number) - (edge[2 * half - 1] as number),
        (edge[half - 1] as number) - (edge[half] as number),
      ];
    });
    for (const [place, count] of [500, 30, 20, 70, 20, 5, 5, 5].entries()) {
      expect(ends[place]?.[0]).toBeCloseTo(count * scale, 12);
      expect(ends[place]?.[1]).toBeCloseTo(count * scale, 12);
    }
    const bars = layout["shapes"] as { y0: number; y1: number }[];
    expect(bars.map(({ y0, y1 }) => Math.round((y1 - y0) / scale))).toEqual([550, 95, 10, 575, 50, 30]);
    expect(bars[5]?.y0).toBeCloseTo(0, 12);
  });

  it("refuse periods that are none", () => {
    expect(() => migrationFlowFigure(counts, { period: "2025" })).toThrow(
      new RangeError('period must be one of 2024-Q1, 2024-Q2, got "2025"'),
    );
    const nobody = { ...counts, periods: ["2024"], byPeriod: [counts.counts.map((row) => row.map(() => 0))] };
    expect(() => migrationFlowFigure(nobody)).toThrow(
      new RangeError('period must have customers who are observed in the next one too, got "2024"'),
    );
    const now = forecastStates(estimate, { start: [1, 1, 1], periods: 0, random: randomSource(1) });
    expect(() => stateForecastFigure(now)).toThrow(
      new RangeError("forecast must have at least one period ahead, got none"),
    );
  });
});
