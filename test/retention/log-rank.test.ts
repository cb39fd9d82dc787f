import { describe, expect, it } from "vitest";
import { fitCox } from "../../src/retention/cox.js";
import { logRankTest } from "../../src/retention/log-rank.js";
import { remission, repeated, simulated } from "./worlds.js";

describe("logRankTest", () => {
  it("reproduces the published tests of 6-MP against placebo", () => {
    // Kleinbaum & Klein (2012), Survival Analysis, 3rd ed., chapter 2: log-rank 16.79, Wilcoxon (Gehan) 13.46.
    const test = logRankTest(remission, remission.placebo);
    expect(test.chiSquare).toBeCloseTo(16.79, 2);
    expect(test).toMatchObject({
      groups: ["0", "1"],
      size: [21, 21],
      observed: [9, 21],
      degreesOfFreedom: 1,
    });
    expect(test.expected[0]).toBeCloseTo(19.25, 2);
    expect(test.expected[1]).toBeCloseTo(10.75, 2);
    expect(logRankTest(remission, remission.placebo, { weights: "gehan-breslow" }).chiSquare).toBeCloseTo(
      13.46,
      2,
    );
  });

  it("knows its families: FH(0, 0) is the log-rank test, FH(1, 0) is Peto's", () => {
    const { placebo } = remission;
    const chi = (weights: Parameters<typeof logRankTest>[2]): number =>
      logRankTest(remission, placebo, weights).chiSquare;
    expect(chi({ weights: { p: 0, q: 0 } })).toBeCloseTo(chi({}), 12);
    expect(chi({ weights: { p: 1, q: 0 } })).toBeCloseTo(chi({ weights: "peto-peto" }), 12);
    expect(chi({ weights: { p: 0, q: 1 } })).not.toBeCloseTo(chi({}), 2);
  });

  it("is Cox's score test where nothing is tied, also with strata and late entry", () => {
    const { time, event, covariates } = simulated(150, 2);
    const strata = time.map((_, i) => i % 3);
    const entry = time.map((t, i) => (i % 4 === 0 ? t / 2 : 0));
    for (const data of [
      { time, event },
      { time, event, strata },
      { time, event, strata, entry },
    ]) {
      const score = fitCox(data, { y: covariates.y }).scoreTest;
      const test = logRankTest(data, covariates.y);
      expect(test.chiSquare).toBeCloseTo(score.chiSquare, 9);
      expect(test.p).toBeCloseTo(score.p, 9);
    }
  });

  it("takes weights as repeated rows", () => {
    const { time, event, covariates } = simulated(60, 4, { ties: true });
    const weight = time.map((_, i) => 1 + (i % 3));
    const one = logRankTest({ time, event, weight }, covariates.y, { weights: { p: 1, q: 1 } });
    const other = logRankTest(
      { time: repeated(time, weight), event: repeated(event, weight) },
      repeated(covariates.y, weight),
      { weights: { p: 1, q: 1 } },
    );
    expect(one.chiSquare).toBeCloseTo(other.chiSquare, 10);
    expect(one.size).toEqual(other.size);
  });

  it("rejects a true hypothesis about as often as it should", () => {
    let rejected = 0;
    const worlds = 400;
    for (let seed = 0; seed < worlds; seed++) {
      const { time, event } = simulated(60, seed, { ties: true, effect: [0, 0] });
      if (
        logRankTest(
          { time, event },
          time.map((_, i) => i % 3),
        ).p < 0.05
      )
        rejected++;
    }
    expect(Math.abs(rejected / worlds - 0.05)).toBeLessThan(4 * Math.sqrt(0.0475 / worlds));
  });

  it("leaves out groups that were never at risk with others, and says if none is left", () => {
    const test = logRankTest({ time: [1, 2, 3, 4, 0.5], event: [1, 1, 1, 1, 0] }, ["a", "b", "a", "b", "c"]);
    expect(test.degreesOfFreedom).toBe(1);
    expect(() =>
      logRankTest(
        remission,
        remission.placebo.map(() => "all"),
      ),
    ).toThrow("groups must be at risk together at some event, all never are");
    expect(() => logRankTest({ time: [1, 2], event: [0, 0] }, ["a", "b"])).toThrow(
      "at least one row must have an event of 1, got 2 censored rows",
    );
    expect(() => logRankTest(remission, ["a"])).toThrow(
      "group must have one value for each of the 42 rows, got 1",
    );
    expect(() => logRankTest(remission, remission.placebo, { weights: { p: -1, q: 0 } })).toThrow(
      "p and q must be from 0 up, got -1 and 0",
    );
  });
});
