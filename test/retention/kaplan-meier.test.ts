import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomSource } from "../../src/numeric/random.js";
import { drawExponential } from "../../src/numeric/sampling.js";
import {
  conditionalSurvival,
  kaplanMeier,
  kaplanMeierByStratum,
  medianSurvival,
  nelsonAalen,
  restrictedMeanSurvival,
  survivalAt,
  survivalQuantile,
} from "../../src/retention/kaplan-meier.js";
import { countAtMost } from "../../src/retention/survival-data.js";
import { arm, remission, repeated, simulated } from "./worlds.js";

const runs = { seed: 11, numRuns: 100 };
const rows = fc.array(
  fc.record({
    time: fc.integer({ min: 0, max: 12 }),
    event: fc.constantFrom(0, 1),
    weight: fc.integer({ min: 1, max: 4 }),
  }),
  {
    minLength: 1,
    maxLength: 40,
  },
);

describe("kaplanMeier", () => {
  it("reproduces the published curve of the 6-MP arm", () => {
    // Kleinbaum & Klein (2012), Survival Analysis, 3rd ed., chapter 2; Greenwood errors in Collett (2003).
    const curve = kaplanMeier(arm(0));
    const at = [6, 7, 10, 13, 16, 22, 23];
    const expected = [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482];
    for (const [k, share] of survivalAt(curve, at).entries()) expect(share).toBeCloseTo(expected[k] ?? 0, 4);
    const errors = [0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346];
    for (const [k, time] of at.entries()) {
      expect(curve.standardError[curve.times.indexOf(time)]).toBeCloseTo(errors[k] ?? 0, 4);
    }
    expect(medianSurvival(curve).time).toBe(23);
    expect(medianSurvival(kaplanMeier(arm(1))).time).toBe(8);
  });

  it("is the empirical share where nobody is censored, with the binomial standard error", () => {
    fc.assert(
      fc.property(rows, (data) => {
        const time = data.map((row) => row.time);
        const curve = kaplanMeier({ time, event: time.map(() => 1) });
        for (const [k, t] of curve.times.entries()) {
          const share = time.filter((other) => other > t).length / time.length;
          expect(curve.survival[k]).toBeCloseTo(share, 12);
          expect(curve.standardError[k]).toBeCloseTo(Math.sqrt((share * (1 - share)) / time.length), 12);
        }
        const mean = restrictedMeanSurvival(curve, 20);
        expect(mean.mean).toBeCloseTo(time.reduce((sum, t) => sum + t, 0) / time.length, 10);
      }),
      runs,
    );
  });

  it("takes weights as repeated rows", () => {
    fc.assert(
      fc.property(rows, (data) => {
        const [time, event, weight] = [
          data.map((r) => r.time),
          data.map((r) => r.event),
          data.map((r) => r.weight),
        ];
        const one = kaplanMeier({ time, event, weight });
        const other = kaplanMeier({ time: repeated(time, weight), event: repeated(event, weight) });
        for (const key of [
          "times",
          "atRisk",
          "events",
          "censored",
          "survival",
          "standardError",
          "low",
          "high",
        ] as const) {
          expect([...one[key]]).toEqual([...other[key]]);
        }
      }),
      runs,
    );
  });

  it("does not change if rows are cut into intervals, and limits stay in order within 0 and 1", () => {
    fc.assert(
      fc.property(rows, fc.constantFrom("log", "log-log", "plain"), (data, confidence) => {
        const time = data.map((r) => r.time + 2);
        const event = data.map((r) => r.event);
        const whole = kaplanMeier({ time, event }, { confidence });
        const parts = kaplanMeier(
          {
            time: [...time.map(() => 1.5), ...time],
            event: [...time.map(() => 0), ...event],
            entry: [...time.map(() => 0), ...time.map(() => 1.5)],
          },
          { confidence },
        );
        expect([...parts.survival.slice(1)]).toEqual([...whole.survival]);
        expect([...parts.low.slice(1)]).toEqual([...whole.low]);
        for (const [k, share] of whole.survival.entries()) {
          expect(whole.low[k]).toBeLessThanOrEqual(share);
          expect(whole.high[k]).toBeGreaterThanOrEqual(share);
          expect(whole.low[k]).toBeGreaterThanOrEqual(0);
          expect(whole.high[k]).toBeLessThanOrEqual(1);
        }
      }),
      runs,
    );
  });

  it("covers the true curve about as often as its level says", () => {
    const random = randomSource(5);
    let covered = 0;
    const worlds = 400;
    for (let world = 0; world < worlds; world++) {
      const lifetime = Array.from({ length: 80 }, () => drawExponential(random, 0.1));
      const horizon = lifetime.map(() => 25 * random.uniform());
      const curve = kaplanMeier(
        {
          time: lifetime.map((t, i) => Math.min(t, horizon[i] ?? 0)),
          event: lifetime.map((t, i) => (t < (horizon[i] ?? 0) ? 1 : 0)),
        },
        { confidence: "log-log", level: 0.9 },
      );
      const place = countAtMost(curve.times, 7) - 1;
      const truth = Math.exp(-0.7);
      if ((curve.low[place] ?? 1) <= truth && truth <= (curve.high[place] ?? 0)) covered++;
    }
    expect(Math.abs(covered / worlds - 0.9)).toBeLessThan(4 * Math.sqrt(0.09 / worlds));
  });

  it("keeps strata apart if asked, and pools them otherwise", () => {
    const { time, event, placebo } = remission;
    const curves = kaplanMeierByStratum({ time, event, strata: placebo });
    expect(curves.map(({ stratum }) => stratum)).toEqual(["0", "1"]);
    expect(curves[1]?.curve).toEqual(kaplanMeier(arm(1)));
    expect(kaplanMeier({ time, event, strata: placebo })).toEqual(kaplanMeier({ time, event }));
  });

  it("sorts a few and many rows alike", () => {
    const { time, event } = simulated(3000, 3);
    const many = kaplanMeier({ time, event });
    const order = time.map((_, i) => i).sort((a, b) => (time[a] ?? 0) - (time[b] ?? 0));
    const sorted = kaplanMeier({
      time: order.map((i) => time[i] ?? 0),
      event: order.map((i) => event[i] ?? 0),
    });
    expect(many).toEqual(sorted);
    expect([...many.times]).toEqual([...new Set(time)].sort((a, b) => a - b));
  });

  it("has clear values at the edges", () => {
    const nobodyLeft = kaplanMeier({ time: [3], event: [1] });
    expect([
      ...nobodyLeft.survival,
      ...nobodyLeft.standardError,
      ...nobodyLeft.low,
      ...nobodyLeft.high,
    ]).toEqual([0, 0, 0, 0]);
    const allStay = kaplanMeier({ time: [3, 4], event: [false, false] });
    expect([...allStay.survival, ...allStay.low, ...allStay.high]).toEqual([1, 1, 1, 1, 1, 1]);
    expect(medianSurvival(allStay)).toEqual({ time: undefined, low: undefined, high: undefined });
    expect(kaplanMeier({ time: [0, 1], event: [1, 0] }).survival[0]).toBe(0.5);
    expect(kaplanMeier({ time: [1, 2, 3], event: [1, 1, 1], weight: [0.1, 0.2, 0.3] }).survival[2]).toBe(0);
  });

  it("names what is wrong", () => {
    expect(() => kaplanMeier({ time: [], event: [] })).toThrow(
      "survival data must have at least one row, got none",
    );
    expect(() => kaplanMeier({ time: [1, -2], event: [1, 1] })).toThrow(
      "time in row 2 must be a finite number from 0 up, got -2",
    );
    expect(() => kaplanMeier({ time: [1, Number.NaN], event: [1, 1] })).toThrow(
      "time in row 2 must be a finite number from 0 up, got NaN",
    );
    expect(() => kaplanMeier({ time: [1, 2], event: [1] })).toThrow(
      "event must have one value for each of the 2 rows, got 1",
    );
    expect(() => kaplanMeier({ time: [1, 2], event: [1, 2] })).toThrow(
      "event in row 2 must be 0 or 1, got 2",
    );
    expect(() => kaplanMeier({ time: [1, 2], event: [1, 1], entry: [0, 2] })).toThrow(
      "entry in row 2 must be before its time 2, got 2",
    );
    expect(() => kaplanMeier({ time: [1], event: [1], weight: [0] })).toThrow(
      "weight in row 1 must be a finite number above 0, got 0",
    );
    expect(() => kaplanMeier({ time: [1], event: [1], strata: [""] })).toThrow(
      'strata in row 1 must be a label, got ""',
    );
    expect(() => kaplanMeier(remission, { level: 95 })).toThrow("level must be between 0 and 1, got 95");
  });
});

describe("nelsonAalen", () => {
  it("adds events over those at risk", () => {
    const { cumulativeHazard, standardError, low, high } = nelsonAalen(arm(0));
    // 3/21, 1/17, 1/15, 1/12, 1/11, 1/7, 1/6 at the seven event times
    const steps = [3 / 21, 1 / 17, 1 / 15, 1 / 12, 1 / 11, 1 / 7, 1 / 6];
    const total = steps.reduce((sum, step) => sum + step, 0);
    expect(cumulativeHazard.at(-1)).toBeCloseTo(total, 12);
    const variance = 3 / 21 ** 2 + [17, 15, 12, 11, 7, 6].reduce((sum, n) => sum + 1 / n ** 2, 0);
    expect(standardError.at(-1)).toBeCloseTo(Math.sqrt(variance), 12);
    expect((low.at(-1) ?? 0) * (high.at(-1) ?? 0)).toBeCloseTo(total ** 2, 12);
  });
});

describe("survivalQuantile", () => {
  it("takes the middle of a level stretch at exactly the share", () => {
    const curve = kaplanMeier({ time: [1, 2, 4, 8], event: [1, 1, 1, 1] });
    expect(medianSurvival(curve).time).toBe(3);
    expect(survivalQuantile(curve, 0.6).time).toBe(2);
    expect(survivalQuantile(kaplanMeier({ time: [1, 2], event: [1, 0] }), 0.5).time).toBe(1);
    expect(() => survivalQuantile(curve, 1)).toThrow("share must be between 0 and 1, got 1");
  });
});

describe("restrictedMeanSurvival", () => {
  it("is the area under the curve", () => {
    const curve = kaplanMeier({ time: [2, 4, 5], event: [1, 0, 1] });
    expect(restrictedMeanSurvival(curve, 3).mean).toBeCloseTo(2 + 2 / 3, 12);
    expect(restrictedMeanSurvival(curve, 1)).toEqual({ mean: 1, standardError: 0 });
    expect(restrictedMeanSurvival(curve, 9).mean).toBeCloseTo(2 + (3 * 2) / 3, 12);
    expect(() => restrictedMeanSurvival(kaplanMeier({ time: [2, 4], event: [1, 0] }), 9)).toThrow(
      "until must be at most the last observed time 4, got 9",
    );
    expect(() => restrictedMeanSurvival(curve, 0)).toThrow("until must be a number above 0, got 0");
  });

  it("is the mean residual lifetime of those still there, from a later time on", () => {
    // Those still there at 2 leave at 3, 4 and 6: within 5 they stay 1, 2 and 3 more.
    const curve = kaplanMeier({ time: [1, 2, 3, 4, 6], event: [1, 1, 1, 1, 1] });
    const residual = restrictedMeanSurvival(curve, 5, { from: 2 });
    expect(residual.mean).toBeCloseTo(2, 12);
    expect(residual.standardError).toBeCloseTo(Math.sqrt(2 / 9), 12); // variance 2 / 3 of three customers
    expect(restrictedMeanSurvival(curve, 5, { from: 2.5 }).mean).toBeCloseTo(1.5, 12);
    expect(restrictedMeanSurvival(curve, 2.9, { from: 2 })).toMatchObject({ standardError: 0 });
    // Half of those who are left at 2 leave at 3, one of two is censored: 1 + (1 / 2) x 2.
    const cut = kaplanMeier({ time: [1, 3, 4], event: [1, 1, 0] });
    expect(restrictedMeanSurvival(cut, 4, { from: 2 }).mean).toBeCloseTo(1.5, 12);
  });

  it("is from 0 the restricted mean, and from a time that of the customers who were there then", () => {
    fc.assert(
      fc.property(
        rows,
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 4 }),
        (data, from, more) => {
          const [time, event] = [data.map((row) => row.time), data.map((row) => row.event)];
          fc.pre(Math.max(...time) >= from + more);
          const curve = kaplanMeier({ time, event });
          const until = from + more;
          expect(restrictedMeanSurvival(curve, until, { from: 0 })).toEqual(
            restrictedMeanSurvival(curve, until),
          );
          const kept = data.filter((row) => row.time > from);
          fc.pre(survivalAt(curve, [from])[0] !== 0);
          const later = kaplanMeier({
            time: kept.map((row) => row.time - from),
            event: kept.map((row) => row.event),
          });
          const residual = restrictedMeanSurvival(curve, until, { from });
          const expected = restrictedMeanSurvival(later, more);
          expect(residual.mean).toBeCloseTo(expected.mean, 10);
          expect(residual.standardError).toBeCloseTo(expected.standardError, 10);
          // The mean within the horizon is that up to `from`, and of those still there the rest.
          const whole = restrictedMeanSurvival(curve, until).mean;
          const before = restrictedMeanSurvival(curve, from).mean;
          expect(whole).toBeCloseTo(before + (survivalAt(curve, [from])[0] ?? 0) * residual.mean, 10);
        },
      ),
      runs,
    );
  });

  it("covers the true mean residual lifetime about as often as its standard error says", () => {
    const random = randomSource(6);
    const worlds = 600;
    let covered = 0;
    for (let world = 0; world < worlds; world++) {
      const lifetime = Array.from({ length: 150 }, () => drawExponential(random, 0.1));
      const horizon = lifetime.map(() => 14 + 20 * random.uniform());
      const curve = kaplanMeier({
        time: lifetime.map((t, i) => Math.min(t, horizon[i] ?? 0)),
        event: lifetime.map((t, i) => (t < (horizon[i] ?? 0) ? 1 : 0)),
      });
      const { mean, standardError } = restrictedMeanSurvival(curve, 14, { from: 4 });
      const truth = 10 * (1 - Math.exp(-1)); // an exponential lifetime has no memory
      if (Math.abs(mean - truth) <= 1.6448536 * standardError) covered++;
    }
    expect(Math.abs(covered / worlds - 0.9)).toBeLessThan(4 * Math.sqrt(0.09 / worlds));
  });

  it("names what is wrong with the time it begins from", () => {
    const curve = kaplanMeier({ time: [1, 2], event: [1, 1] });
    expect(() => restrictedMeanSurvival(curve, 3, { from: 2 })).toThrow(
      new RangeError("from must be a time with customers left, got 2"),
    );
    expect(() => restrictedMeanSurvival(curve, 1, { from: 1 })).toThrow(
      new RangeError("until must be a number above 1, got 1"),
    );
    expect(() => restrictedMeanSurvival(curve, 1, { from: -1 })).toThrow(
      new RangeError("from must be a number from 0 up, got -1"),
    );
    expect(() => restrictedMeanSurvival(curve, Number.POSITIVE_INFINITY)).toThrow(
      new RangeError("until must be a number above 0, got Infinity"),
    );
  });
});

describe("conditionalSurvival", () => {
  it("is the curve of those who were there at the start", () => {
    const { time, event } = simulated(200, 8, { ties: true });
    const curve = kaplanMeier({ time, event });
    const kept = time.flatMap((t, i) => (t > 4 ? [i] : []));
    const later = kaplanMeier({ time: kept.map((i) => time[i] ?? 0), event: kept.map((i) => event[i] ?? 0) });
    const place = later.times.indexOf(10);
    const given = conditionalSurvival(curve, 4, 10);
    expect(given.survival).toBeCloseTo(later.survival[place] ?? 0, 12);
    expect(given.standardError).toBeCloseTo(later.standardError[place] ?? 0, 12);
    expect(given.low).toBeCloseTo(later.low[place] ?? 0, 12);
    expect(given.high).toBeCloseTo(later.high[place] ?? 0, 12);
  });

  it("names what is wrong", () => {
    const curve = kaplanMeier({ time: [1, 2], event: [1, 1] });
    expect(() => conditionalSurvival(curve, 3, 1)).toThrow("times must be 0 <= from <= to, got 3 and 1");
    expect(() => conditionalSurvival(curve, 2, 3)).toThrow("from must be a time with customers left, got 2");
    expect(() => survivalAt(curve, [-1])).toThrow("times must be from 0 up, got -1");
  });
});
