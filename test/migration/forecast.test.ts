import { describe, expect, it } from "vitest";
import { forecastStates } from "../../src/migration/forecast.js";
import { transitionCounts, transitionMatrix } from "../../src/migration/transitions.js";
import { randomSource } from "../../src/numeric/random.js";
import { simulateChain } from "./simulate.js";

const truth = [
  [0.8, 0.2],
  [0.4, 0.6],
];
const estimate = transitionMatrix({
  states: ["a", "b"],
  counts: [
    [80, 20],
    [40, 60],
  ],
});

describe("forecast of states", () => {
  it("expects the start times the powers of the matrix, and who joins", () => {
    const { expected } = forecastStates(estimate, { start: [100, 0], periods: 2, random: randomSource(1) });
    expect(expected.map((row) => row.map((count) => Number(count.toFixed(9))))).toEqual([
      [100, 0],
      [80, 20],
      [72, 28],
    ]);
    const grown = forecastStates(estimate, {
      start: [100, 0],
      periods: 2,
      joining: [10, 5],
      random: randomSource(1),
    });
    expect(grown.expected[1]).toEqual([90, 25]);
    expect(grown.expected[2]?.[0]).toBeCloseTo(90 * 0.8 + 25 * 0.4 + 10, 12);
  });

  it("has bands around the expectation that grow from nothing, and is the same for the same seed", () => {
    const draw = () => forecastStates(estimate, { start: [1000, 1000], periods: 3, random: randomSource(4) });
    const { expected, low, high } = draw();
    expect([low[0], high[0]]).toEqual([expected[0], expected[0]]);
    for (const t of [1, 2, 3]) {
      expect(low[t]?.[0]).toBeLessThan(expected[t]?.[0] as number);
      expect(high[t]?.[0]).toBeGreaterThan(expected[t]?.[0] as number);
      expect((low[t]?.[0] as number) + (high[t]?.[1] as number)).toBe(2000); // nobody is lost
    }
    expect(draw()).toEqual(draw());
  });

  it("has bands as wide as chance and ignorance together", () => {
    const { low, high } = forecastStates(estimate, {
      start: [100, 0],
      periods: 1,
      random: randomSource(2),
      draws: 20_000,
    });
    // Beta-binomial(100; 80, 20): variance n p q (1 + (n - 1) / (80 + 20 + 1)); a normal band of 90%.
    const deviation = Math.sqrt(100 * 0.8 * 0.2 * (1 + 99 / 101));
    expect(((high[1]?.[0] as number) - (low[1]?.[0] as number)) / (2 * 1.645 * deviation)).toBeCloseTo(1, 1);
  });

  it("covers what happens as often as it says", () => {
    let inside = 0;
    const worlds = 150;
    for (let seed = 0; seed < worlds; seed++) {
      const random = randomSource(seed);
      const past = simulateChain(random.stream("past"), 100, 3, () => truth);
      const future = simulateChain(random.stream("future"), 200, 4, () => truth);
      const forecast = forecastStates(transitionMatrix(transitionCounts(past), { prior: 0.5 }), {
        start: [200, 0],
        periods: 3,
        random: random.stream("bands"),
        draws: 300,
      });
      const inA = future.stateAt.filter((state, cell) => cell % 4 === 3 && state === 0).length;
      if ((forecast.low[3]?.[0] as number) <= inA && inA <= (forecast.high[3]?.[0] as number)) inside++;
    }
    expect(inside / worlds).toBeGreaterThan(0.83); // 90% with a standard error of 2.4 points
    expect(inside / worlds).toBeLessThan(0.97);
  });

  it("refuses what cannot be forecast", () => {
    const options = { start: [100, 0], periods: 2, random: randomSource(1) };
    expect(() => forecastStates(estimate, { ...options, start: [0.5, 0.5] })).toThrow(
      new RangeError("start must be 2 whole numbers of customers from 0 up, got 0.5, 0.5"),
    );
    expect(() => forecastStates(estimate, { ...options, joining: [1] })).toThrow(
      new RangeError("joining must be 2 whole numbers of customers from 0 up, got 1"),
    );
    expect(() => forecastStates(estimate, { ...options, periods: -1 })).toThrow(
      new RangeError("periods must be a whole number of periods from 0 up, got -1"),
    );
    expect(() => forecastStates(estimate, { ...options, draws: 3 })).toThrow(
      new RangeError("draws must be a whole number from 20 up, got 3"),
    );
    expect(() => forecastStates(estimate, { ...options, level: 95 })).toThrow(
      "level must be between 0 and 1, got 95",
    );
  });
});
