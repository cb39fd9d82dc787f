import { describe, expect, it } from "vitest";
import { payback, valueToCost } from "../../src/acquisition/payback.js";
import { randomSource } from "../../src/numeric/random.js";
import { drawNormal, drawPoisson } from "../../src/numeric/sampling.js";

describe("payback", () => {
  it("counts periods until the margin added up reaches the cost", () => {
    expect(payback({ cost: 25, marginByAge: [10, 10, 10, 10] })).toEqual({
      status: "paid back",
      periods: 3,
      balance: [-25, -15, -5, 5, 15],
    });
    expect(payback({ cost: 0, marginByAge: [10] })).toMatchObject({ status: "paid back", periods: 0 });
    expect(payback({ cost: 10, marginByAge: [10] })).toMatchObject({ status: "paid back", periods: 1 });
  });

  it("does not miss the period by rounding", () => {
    expect(payback({ cost: 1, marginByAge: new Array<number>(20).fill(0.1) })).toMatchObject({ periods: 10 });
  });

  it("discounts all periods but the first", () => {
    // 10 + 10 / 1.25 + 10 / 1.25^2 = 24.4: without discounting 25 would be reached in the third period.
    const result = payback({ cost: 25, marginByAge: [10, 10, 10, 10], discountRate: 0.25 });
    expect(result).toMatchObject({ status: "paid back", periods: 4 });
    expect(result.balance[3]).toBeCloseTo(-0.6, 12);
  });

  it("says what is missing if the margins given do not reach the cost", () => {
    expect(payback({ cost: 30, marginByAge: [20, -5] })).toEqual({
      status: "never",
      horizon: 2,
      missing: 15,
      balance: [-30, -10, -15],
    });
  });

  it("refuses bad input", () => {
    expect(() => payback({ cost: -1, marginByAge: [1] })).toThrow(
      new RangeError("cost must be a number from 0 up, got -1"),
    );
    expect(() => payback({ cost: 1, marginByAge: [] })).toThrow(
      new RangeError("marginByAge must have at least one period, got none"),
    );
    expect(() => payback({ cost: 1, marginByAge: [1, Number.NaN] })).toThrow(
      new RangeError("marginByAge must be numbers, got NaN in period 2"),
    );
    expect(() => payback({ cost: 1, marginByAge: [1], discountRate: 2 })).toThrow(
      new RangeError(
        "discountRate must be a fraction from 0 to below 1, got 2; a percentage must be divided by 100",
      ),
    );
  });
});

describe("value by cost", () => {
  const value = { estimate: 120, low: 100, high: 144, level: 0.9 };
  const terms = { value, convention: "first payment now", spend: 6000, won: 100 } as const;

  it("is the value by the average cost, with the error of both", () => {
    const { ratio, low, high, verdict, warnings } = valueToCost(terms);
    expect(ratio).toBe(2);
    // Standard errors of the logs: ln(1.44) / (2 x 1.6449) = 0.1108 and 1 / sqrt(100) = 0.1, together 0.1493.
    expect(low).toBeCloseTo(2 * Math.exp(-1.6449 * 0.1493), 3);
    expect(high).toBeCloseTo(2 * Math.exp(1.6449 * 0.1493), 3);
    expect(verdict).toBe("pays back");
    expect(warnings[0]).toMatch(/^the ratio is an average/);
    expect(valueToCost({ ...terms, spend: 12000 }).verdict).toBe("not sure");
    expect(valueToCost({ ...terms, spend: 24000 }).verdict).toBe("does not pay back");
  });

  it("gives about the same from draws, and takes values below 0", () => {
    const random = randomSource(1);
    const draws = Array.from({ length: 20_000 }, () => 120 * Math.exp(0.1108 * drawNormal(random)));
    const fromDraws = valueToCost({ ...terms, value: { draws } }, { random });
    const { low, high } = valueToCost(terms);
    expect(Math.abs(fromDraws.low / low - 1)).toBeLessThan(0.02);
    expect(Math.abs(fromDraws.high / high - 1)).toBeLessThan(0.02);
    const losing = valueToCost({ ...terms, value: { draws: draws.map((worth) => worth - 125) } }, { random });
    expect(losing.low).toBeLessThan(0);
    expect(losing.verdict).toBe("does not pay back");
  });

  it("covers the true ratio", () => {
    const random = randomSource(3);
    const worlds = 1000;
    let hits = 0;
    for (let world = 0; world < worlds; world++) {
      const error = 0.1;
      const estimate = 120 * Math.exp(error * drawNormal(random));
      const reach = Math.exp(1.6448536 * error);
      const own = { estimate, low: estimate / reach, high: estimate * reach, level: 0.9 };
      const { low, high } = valueToCost({ ...terms, value: own, won: drawPoisson(random, 60) });
      if (low <= 1.2 && high >= 1.2) hits++; // 120 x 60 / 6,000
    }
    expect(Math.abs(hits / worlds - 0.9)).toBeLessThan(3 * Math.sqrt((0.9 * 0.1) / worlds));
  });

  it("refuses a value by another convention, and bad numbers", () => {
    expect(() => valueToCost({ ...terms, convention: "just acquired" })).toThrow(
      new RangeError(
        'convention must be "first payment now", the value of a customer not yet won, got "just acquired": it leaves out what the spend has bought',
      ),
    );
    expect(() => valueToCost({ ...terms, won: 0 })).toThrow(
      new RangeError("won must be a whole number of 1 or more, got 0"),
    );
    expect(() => valueToCost({ ...terms, spend: 0 })).toThrow(
      new RangeError("spend must be a number above 0, got 0"),
    );
    expect(() => valueToCost({ ...terms, value: { ...value, low: -1 } })).toThrow(
      new RangeError(
        "value must have 0 < low <= estimate <= high, got low -1, estimate 120, high 144; give draws if it may be below 0",
      ),
    );
    expect(() => valueToCost({ ...terms, value: { draws: [1, 2] } }, { random: randomSource(1) })).toThrow(
      new RangeError("draws must be at least 20 numbers, got 2"),
    );
    expect(() => valueToCost({ ...terms, value: { draws: [1, 2] } })).toThrow(
      new RangeError("random must be given with draws, got none"),
    );
  });
});
