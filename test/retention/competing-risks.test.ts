import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomSource } from "../../src/numeric/random.js";
import { drawExponential, drawNormal } from "../../src/numeric/sampling.js";
import { cumulativeIncidence, fitFineGray, predictIncidence } from "../../src/retention/competing-risks.js";
import { fitCox } from "../../src/retention/cox.js";
import { kaplanMeier } from "../../src/retention/kaplan-meier.js";
import { countAtMost } from "../../src/retention/survival-data.js";
import { remission, repeated } from "./worlds.js";

const rows = fc
  .array(
    fc.record({
      time: fc.integer({ min: 1, max: 10 }),
      cause: fc.constantFrom(0, 1, 2),
      weight: fc.integer({ min: 1, max: 3 }),
    }),
    { minLength: 2, maxLength: 40 },
  )
  .filter((data) => data.some(({ cause }) => cause > 0));

/**
 * Customers who leave for cause 1 with the subdistribution of Fine & Gray (1999), section 5: share 1 - (1 - p (1 - e^-t))^r
 * for cause 1 with log r = beta x, else for cause 2; censored uniformly.
 */
function fineGrayWorld(size: number, seed: number, beta: number, { whole = false } = {}) {
  const random = randomSource(seed);
  const p = 0.6;
  const time: number[] = [];
  const cause: number[] = [];
  const x = Array.from({ length: size }, () => drawNormal(random));
  for (const value of x) {
    const r = Math.exp(beta * value);
    const u = random.uniform();
    const lasts = u < 1 - (1 - p) ** r;
    const lifetime = lasts ? -Math.log(1 - (1 - (1 - u) ** (1 / r)) / p) : drawExponential(random, r);
    const horizon = 3 * random.uniform();
    time.push(whole ? Math.ceil(5 * Math.min(lifetime, horizon)) : Math.min(lifetime, horizon));
    cause.push(lifetime > horizon ? 0 : lasts ? 1 : 2);
  }
  return { data: { time, cause }, covariates: { x } };
}

describe("cumulativeIncidence", () => {
  it("is one minus Kaplan-Meier with Greenwood's error if there is one cause", () => {
    const curve = kaplanMeier(remission);
    const { causes, times } = cumulativeIncidence({
      time: remission.time,
      cause: remission.event.map((e) => (e === 1 ? "relapse" : 0)),
    });
    expect(causes.map(({ cause }) => cause)).toEqual(["relapse"]);
    expect([...times]).toEqual([...curve.times]);
    for (const [k, share] of curve.survival.entries()) {
      expect(causes[0]?.incidence[k]).toBeCloseTo(1 - share, 12);
      expect(causes[0]?.standardError[k]).toBeCloseTo(curve.standardError[k] ?? 0, 10);
    }
  });

  it("adds up to 1 with those still there, and takes weights as repeated rows", () => {
    fc.assert(
      fc.property(rows, (data) => {
        const [time, cause, weight] = [
          data.map((r) => r.time),
          data.map((r) => r.cause),
          data.map((r) => r.weight),
        ];
        const one = cumulativeIncidence({ time, cause, weight });
        const other = cumulativeIncidence({ time: repeated(time, weight), cause: repeated(cause, weight) });
        for (const [k, survival] of one.survival.entries()) {
          const gone = one.causes.reduce((sum, { incidence }) => sum + (incidence[k] ?? 0), 0);
          expect(survival + gone).toBeCloseTo(1, 12);
        }
        for (const [c, curve] of one.causes.entries()) {
          expect([...curve.incidence]).toEqual([...(other.causes[c]?.incidence ?? [])]);
          expect([...curve.standardError]).toEqual([...(other.causes[c]?.standardError ?? [])]);
        }
      }),
      { seed: 5, numRuns: 100 },
    );
  });

  it("is the share of each cause with its binomial error where nobody is censored", () => {
    const time = [1, 1, 2, 3, 3, 4, 5, 6, 6, 7];
    const cause = ["a", "b", "a", "b", "b", "a", "a", "b", "a", "a"];
    const [a] = cumulativeIncidence({ time, cause }).causes;
    const share = 3 / 10; // of a, up to time 4
    expect(a?.incidence[3]).toBeCloseTo(share, 12);
    expect(a?.standardError[3]).toBeCloseTo(Math.sqrt((share * (1 - share)) / 10), 12);
    expect(a?.incidence.at(-1)).toBeCloseTo(0.6, 12);
  });

  it("covers the true incidence about as often as its level says", () => {
    const worlds = 300;
    let covered = 0;
    for (let seed = 0; seed < worlds; seed++) {
      const { data } = fineGrayWorld(120, seed, 0);
      const { times, causes } = cumulativeIncidence(data, { level: 0.9 });
      const place = countAtMost(times, 1) - 1;
      const truth = 0.6 * (1 - Math.exp(-1));
      if ((causes[0]?.low[place] ?? 1) <= truth && truth <= (causes[0]?.high[place] ?? 0)) covered++;
    }
    expect(Math.abs(covered / worlds - 0.9)).toBeLessThan(4 * Math.sqrt(0.09 / worlds));
  });

  it("names what is wrong", () => {
    expect(() => cumulativeIncidence({ time: [1, 2], cause: [0, 0] })).toThrow(
      "at least one row must have a cause, got 2 censored rows",
    );
    expect(() => cumulativeIncidence({ time: [1, 2], cause: ["price", ""] })).toThrow(
      'cause in row 2 must be a label, or 0 for censored, got ""',
    );
    expect(() => cumulativeIncidence({ time: [1, -2], cause: [0, 1] })).toThrow(
      "time in row 2 must be a finite number from 0 up, got -2",
    );
  });
});

describe("fitFineGray", () => {
  it("is Cox's model with competing rows kept for ever where nobody is censored", () => {
    const { data, covariates } = fineGrayWorld(200, 1, 0.5);
    const cause = data.cause.map((value) => (value === 0 ? 2 : value));
    const fit = fitFineGray({ time: data.time, cause }, covariates, { cause: 1 });
    const kept = {
      time: data.time.map((t, i) => (cause[i] === 1 ? t : 1000)),
      event: cause.map((value) => (value === 1 ? 1 : 0)),
    };
    const cox = fitCox(kept, covariates, { robust: true });
    expect(fit.coefficients["x"]).toBeCloseTo(cox.coefficients["x"] ?? 0, 9);
    expect(fit.standardErrors["x"]).toBeCloseTo(cox.standardErrors["x"] ?? 0, 9);
    expect(fit.logLikelihood).toBeCloseTo(cox.logLikelihood, 8);
  });

  it.each(["efron", "breslow"] as const)(
    "is Cox's model on rows weighted by the chance to be uncensored (%s)",
    (ties) => {
      const { data, covariates } = fineGrayWorld(150, 2, 0.5, { whole: true });
      const { time, cause } = data;
      const censoring = (t: number): number => {
        // Chance to be uncensored just before t; those who leave at a time go before those censored then.
        let share = 1;
        for (const s of new Set(time.filter((one, i) => one < t && cause[i] === 0))) {
          const lost = time.filter((one, i) => one === s && cause[i] === 0).length;
          share *= 1 - lost / (lost + time.filter((one) => one > s).length);
        }
        return share;
      };
      const last = Math.max(...time);
      const expanded = {
        time: [] as number[],
        event: [] as number[],
        entry: [] as number[],
        weight: [] as number[],
      };
      const row: number[] = [];
      const push = (i: number, from: number, to: number, event: number, weight: number): void => {
        row.push(i);
        expanded.entry.push(from);
        expanded.time.push(to);
        expanded.event.push(event);
        expanded.weight.push(weight);
      };
      for (const [i, t] of time.entries()) {
        push(i, -1, t, cause[i] === 1 ? 1 : 0, 1);
        if (cause[i] !== 2) continue;
        for (let s = t; s < last && censoring(s + 1) > 0; s++)
          push(i, s, s + 1, 0, censoring(s + 1) / censoring(t));
      }
      const x = row.map((i) => covariates.x[i] ?? 0);
      const cox = fitCox(expanded, { x }, { ties, cluster: row });
      const fit = fitFineGray(data, covariates, { cause: 1, ties });
      expect(fit.coefficients["x"]).toBeCloseTo(cox.coefficients["x"] ?? 0, 8);
      expect(fit.standardErrors["x"]).toBeCloseTo(cox.standardErrors["x"] ?? 0, 8);
      expect(fit.logLikelihood).toBeCloseTo(cox.logLikelihood, 8);
    },
  );

  it("recovers the effect and the incidence that generated the data, with honest errors", () => {
    const worlds = 150;
    let covered = 0;
    for (let seed = 0; seed < worlds; seed++) {
      const { data, covariates } = fineGrayWorld(200, seed, 0.5);
      const fit = fitFineGray(data, covariates, { cause: 1 });
      if (Math.abs((fit.coefficients["x"] ?? 0) - 0.5) < 1.96 * (fit.standardErrors["x"] ?? 0)) covered++;
    }
    expect(Math.abs(covered / worlds - 0.95)).toBeLessThan(4 * Math.sqrt(0.0475 / worlds));
    const { data, covariates } = fineGrayWorld(20_000, 99, 0.5);
    const fit = fitFineGray(data, covariates, { cause: 1 });
    const [share] = predictIncidence(fit, { x: [1] }, [1])[0] ?? [];
    const truth = 1 - (1 - 0.6 * (1 - Math.exp(-1))) ** Math.exp(0.5);
    expect(Math.abs((share ?? 0) - truth)).toBeLessThan(0.02);
    expect(fit.events + fit.competing).toBe(data.cause.filter((value) => value !== 0).length);
  });

  it("names what is wrong", () => {
    const { data, covariates } = fineGrayWorld(50, 3, 0);
    expect(() => fitFineGray(data, covariates, { cause: "price" })).toThrow(
      'cause must be one of 1, 2, got "price"',
    );
    expect(() => fitFineGray({ ...data, entry: data.time.map(() => -1) }, covariates, { cause: 1 })).toThrow(
      "entry must not be given: the Fine-Gray model needs customers seen from time 0",
    );
    const never = data.cause.map((value, i) => (value !== 1 && i % 2 === 0 ? 1 : 0));
    expect(() => fitFineGray(data, { never }, { cause: 1 })).toThrow(
      "Fine-Gray: the coefficient of never has no finite maximum",
    );
  });
});
