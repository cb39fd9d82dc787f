import { table } from "arquero";
import { describe, expect, it } from "vitest";
import { bgCnbdK, bgNbd, fitBgCnbdK, mbgNbd } from "../../src/clv/bg-nbd.js";
import type { BuyingModel } from "../../src/clv/buying-model.js";
import { purchaseCells } from "../../src/clv/cells.js";
import {
  type Forecaster,
  hiatusRule,
  managerHeuristics,
  meanOfAll,
  ownPastRate,
} from "../../src/clv/heuristics.js";
import { nbd } from "../../src/clv/nbd.js";
import { paretoNbd } from "../../src/clv/pareto-nbd.js";
import {
  type HoldoutData,
  holdoutFromLog,
  holdoutFromTable,
  type RollingOriginOptions,
  rollingOrigin,
  type TournamentMetric,
  tournament,
} from "../../src/clv/tournament.js";
import { isoDay } from "../../src/core/day.js";
import { ConvergenceError } from "../../src/core/errors.js";
import { weeks } from "../../src/core/types.js";
import { type Random, randomSource } from "../../src/numeric/random.js";
import { drawExponential, drawGamma, drawPoisson } from "../../src/numeric/sampling.js";
import { cdnowLog, cdnowSkip, cdnowSummary, hasCdnow } from "./cdnow.js";

interface ScoreRow {
  readonly model: string;
  readonly metric: TournamentMetric;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly win_probability: number;
}
const models = [nbd, paretoNbd, bgNbd, mbgNbd];
const day = 20_000; // 2024-10-04

/** Buying at random, rates Gamma(1, 20 days), until an unseen dropout, rates Gamma(1, 100 days): a Pareto/NBD log. */
function simulatedLog(customers: number, random: Random) {
  const rows: { customer_key: number; ordered_on: number; amount: number }[] = [];
  for (let customer = 1; customer <= customers; customer++) {
    const rate = drawGamma(random, 1, 20);
    const first = day + Math.floor(random.uniform() * 180);
    const end = Math.min(day + 700, first + drawExponential(random, 1) / drawGamma(random, 1, 100));
    for (let time = first; time <= end; time += drawExponential(random, 1) / rate) {
      rows.push({ customer_key: customer, ordered_on: Math.floor(time), amount: 10 });
    }
  }
  const column = (name: "customer_key" | "ordered_on" | "amount"): number[] => rows.map((row) => row[name]);
  return table({
    customer_key: column("customer_key"),
    ordered_on: column("ordered_on"),
    amount: column("amount"),
  });
}

/** Poisson buyers whose rates are known; both periods have length 1. */
function poissonBuyers(customers: number, random: Random): HoldoutData & { readonly rates: Float64Array } {
  const rates = Float64Array.from({ length: customers }, () => drawGamma(random, 1, 1));
  const x = rates.map((rate) => drawPoisson(random, rate));
  const recency = x.map((count) => (count > 0 ? 0.5 : 0));
  const actual = rates.map((rate) => drawPoisson(random, rate));
  return { customers: { x, recency, age: new Float64Array(customers).fill(1) }, actual, horizon: 1, rates };
}

const oracle = (name: string, predicted: Float64Array): Forecaster => ({
  name,
  kind: "heuristic",
  predict: () => predicted,
});
const scoreRows = (result: { readonly scores: { objects(): object[] } }): readonly ScoreRow[] =>
  result.scores.objects() as ScoreRow[];

describe.skipIf(!hasCdnow)(`a tournament on CDNOW${cdnowSkip}`, () => {
  it("ranks models and rules on the same customers, likelihoods as published", () => {
    const rules = managerHeuristics.filter(({ name }) => name !== "hiatus rule");
    const { leaderboard, fits, forecasts } = tournament(holdoutFromTable(cdnowSummary(), 39), {
      models,
      heuristics: [...rules, hiatusRule(26)],
    });
    const row = (name: string): Record<string, unknown> =>
      (leaderboard.objects() as Record<string, unknown>[]).find(({ model }) => model === name) ?? {};
    // Fader, Hardie & Lee (2005), table 2; BTYDplus (NBD, MBG/NBD).
    expect(row("Pareto/NBD")["log_likelihood"]).toBeCloseTo(-9595.0, 1);
    expect(row("BG/NBD")["log_likelihood"]).toBeCloseTo(-9582.4, 1);
    expect(row("MBG/NBD")["log_likelihood"]).toBeCloseTo(-9582.136, 3);
    expect(row("NBD")["log_likelihood"]).toBeCloseTo(-9763.658, 3);
    expect(row("NBD")["aic"]).toBeCloseTo(2 * 9763.658 + 4, 2);
    expect(row("NBD")["bic"]).toBeCloseTo(2 * 9763.658 + 2 * Math.log(2357), 2);
    expect(row("own past rate")["mae"]).toBeCloseTo(1.0237, 4);
    expect(row("own past rate")["aic"]).toBeNull();
    expect(leaderboard.array("model").slice(0, 3)).toEqual(["Pareto/NBD", "MBG/NBD", "BG/NBD"]);
    const rmse = leaderboard.array("rmse") as number[];
    expect(rmse).toEqual([...rmse].sort((p, q) => p - q));
    expect(Object.keys(fits)).toEqual(["NBD", "Pareto/NBD", "BG/NBD", "MBG/NBD"]);
    expect(forecasts["hiatus rule"]).toHaveLength(2357);
  });

  it("adds the gaps that the likelihood of a CNBD-k model needs to compare", () => {
    const data = holdoutFromTable(cdnowSummary(), 39);
    const { fits } = tournament(data, { models: [bgCnbdK(2)] });
    const whole = fitBgCnbdK(purchaseCells(data.customers), { k: 2, logGaps: data.logGaps ?? Number.NaN });
    expect(fits["BG/CNBD-2"]?.logLikelihood).toBeCloseTo(whole.logLikelihood, 9);
    const { logGaps: _, ...without } = data;
    expect(() => tournament(without, { models: [bgCnbdK(2) as BuyingModel] })).toThrow(
      "customers: log_intervals must be known where BG/CNBD-2 takes part",
    );
  });

  it("reads the same from the log, and the last period, the rehearsal and the path besides", () => {
    const data = holdoutFromLog(cdnowLog(), { end: "1997-09-30", holdoutEnd: "1998-06-30", unit: "weeks" });
    expect(data.horizon).toBe(39);
    expect(data.customers.x).toHaveLength(2357);
    expect(data.customers.recent?.x).toEqual(data.customers.x); // all within 39 weeks
    expect(data.path?.map(({ time }) => time)).toEqual(
      [3.25, 6.5, 9.75, 13, 16.25, 19.5, 22.75, 26, 29.25, 32.5, 35.75, 39].map(
        (time) => Math.round(time * 7) / 7,
      ),
    );
    expect(data.path?.at(-1)?.actual).toEqual(data.actual);
    const later = Array.from(data.customers.rehearsal?.later ?? []);
    const early = Array.from(data.customers.rehearsal?.x ?? []);
    const sum = (values: ArrayLike<number>): number =>
      Array.from(values).reduce((total, value) => total + value, 0);
    // Half of 272 days: everybody was a customer by then, and all repeat purchases are before or after.
    expect(sum(later) + sum(early)).toBe(sum(data.customers.x));
    expect(Math.max(...Array.from(data.customers.rehearsal?.age ?? []))).toBeCloseTo(136 / 7, 12);
    const { leaderboard } = tournament(data, {
      models: [paretoNbd],
      heuristics: managerHeuristics,
    });
    expect(leaderboard.get("model", 0)).toBe("Pareto/NBD");
    expect(Math.min(...(leaderboard.array("tracking_error") as number[]))).toBe(
      leaderboard.get("tracking_error", 0),
    );
  });
});

describe("a tournament", () => {
  const log = table({
    customer_key: [1, 1, 1, 2, 2, 3, 4],
    ordered_on: [
      "2025-01-01",
      "2025-01-10",
      "2025-01-25",
      "2025-01-05",
      "2025-01-23",
      "2025-01-20",
      "2025-02-01",
    ],
    amount: [1, 1, 1, 1, 1, 1, 1],
  });

  it("measures the running total along the path", () => {
    const data = holdoutFromLog(log, { end: "2025-01-20", holdoutEnd: "2025-01-26", unit: "days" });
    // Customer 3 came on the last day, customer 4 later: neither is known.
    expect(data.customers).toMatchObject({ x: Float64Array.of(1, 0), age: Float64Array.of(19, 15) });
    expect(data.path?.map(({ time, actual }) => [time, ...Array.from(actual)])).toEqual([
      [1, 0, 0],
      [2, 0, 0],
      [3, 0, 1],
      [4, 0, 1],
      [5, 1, 1],
      [6, 1, 1],
    ]);
    expect(data.customers.recent).toEqual({ x: Float64Array.of(0, 0), length: 6 });
    // The rehearsal ends 6 days (less than half of 19) earlier.
    expect(data.customers.rehearsal).toMatchObject({
      age: Float64Array.of(13, 9),
      later: Float64Array.of(0, 0),
    });
    const uneven = { ...data, actual: Float64Array.of(1, 2) };
    const { scores } = tournament(uneven, { models: [], heuristics: [meanOfAll] });
    const error = scoreRows({ scores }).find(({ metric }) => metric === "tracking_error")?.value;
    const rate = 2 / 34; // both customers together, a day
    const actual = [0, 0, 1, 1, 2, 2];
    const misses = actual.map((sum, step) => Math.abs(sum - rate * (step + 1)));
    expect(error).toBeCloseTo(misses.reduce((total, miss) => total + miss, 0) / 6, 12);
  });

  it("leaves the path out where there is none", () => {
    const data = poissonBuyers(50, randomSource(1));
    const { scores, leaderboard } = tournament(data, { models: [], heuristics: [ownPastRate, meanOfAll] });
    expect(new Set(scores.array("metric")).has("tracking_error")).toBe(false);
    expect(leaderboard.columnNames()).not.toContain("tracking_error");
    expect(scores.columnNames()).toEqual(["model", "kind", "metric", "value"]);
  });

  it("gives equals the same chance to win, the better one nearly all", () => {
    const data = poissonBuyers(1000, randomSource(2));
    const noise = data.rates.map((rate) => 1 + 0.2 * (rate - 1));
    const { scores } = tournament(data, {
      models: [],
      heuristics: [oracle("truth", data.rates), oracle("again", data.rates), oracle("shrunk", noise)],
      bootstrap: { draws: 200, random: randomSource(3) },
    });
    for (const metric of new Set(scores.array("metric"))) {
      const chances = scoreRows({ scores })
        .filter((row) => row.metric === metric)
        .map((row) => row.win_probability);
      expect(chances.reduce((sum, chance) => sum + chance)).toBeCloseTo(1, 12);
      expect(chances[0]).toBe(chances[1]);
    }
    const chance = (metric: TournamentMetric): number | undefined =>
      scoreRows({ scores }).find((row) => row.model === "truth" && row.metric === metric)?.win_probability;
    expect(chance("rmse")).toBe(0.5);
    expect(chance("calibration_slope")).toBe(0.5);
    expect(chance("gini")).toBeCloseTo(1 / 3, 12); // the same order
  });

  it("covers the true score as often as it says", () => {
    const random = randomSource(4);
    const judged = (customers: number, draws?: number): readonly ScoreRow[] =>
      scoreRows(
        tournament(poissonBuyers(customers, random), {
          models: [],
          heuristics: [ownPastRate],
          ...(draws && { bootstrap: { draws, random: random.stream("bootstrap") } }),
        }),
      );
    // Own past rate of a Gamma(1, 1) Poisson buyer: x and y are independent given the rate, so E(x - y)^2 = 2 E(rate) = 2.
    const truth = {
      rmse: Math.SQRT2,
      bias: 0,
      mae: judged(100_000).find(({ metric }) => metric === "mae")?.value ?? 0,
    };
    const hits = { rmse: 0, bias: 0, mae: 0 };
    const rounds = 200;
    for (let round = 0; round < rounds; round++) {
      for (const { metric, low, high } of judged(300, 100)) {
        if (metric !== "rmse" && metric !== "bias" && metric !== "mae") continue;
        if (low <= truth[metric] && truth[metric] <= high) hits[metric]++;
      }
    }
    for (const [metric, count] of Object.entries(hits)) {
      // 90 % less what a percentile interval from 300 skewed customers lacks, and 2.5 standard errors of 200 rounds.
      expect(count / rounds, metric).toBeGreaterThan(0.83);
      expect(count / rounds, metric).toBeLessThan(0.955);
    }
  });

  it("widens the intervals with the level and is the same for the same seed", () => {
    const data = poissonBuyers(200, randomSource(5));
    const of = (level: number): readonly ScoreRow[] =>
      scoreRows(
        tournament(data, {
          models: [],
          heuristics: [ownPastRate],
          level,
          bootstrap: { draws: 100, random: randomSource(6) },
        }),
      );
    expect(of(0.5)).toEqual(of(0.5));
    for (const [place, wide] of of(0.95).entries()) {
      const narrow = of(0.5)[place];
      expect(wide.low).toBeLessThan(narrow?.low ?? 0);
      expect(wide.high).toBeGreaterThan(narrow?.high ?? 0);
      expect(wide.value).toBe(narrow?.value);
    }
  });

  it("goes on without a model that does not settle, and says so", () => {
    const stubborn: BuyingModel = {
      ...(nbd as BuyingModel),
      name: "stubborn",
      fit: () => {
        throw new ConvergenceError("stubborn did not settle");
      },
    };
    const data = poissonBuyers(100, randomSource(7));
    const { leaderboard, scores, fits } = tournament(data, { models: [stubborn, nbd] });
    expect(leaderboard.array("model")).toEqual(["NBD", "stubborn"]);
    expect(leaderboard.objects()[1]).toMatchObject({
      rmse: null,
      aic: null,
      warnings: "stubborn did not settle",
    });
    expect(new Set(scores.array("model"))).toEqual(new Set(["NBD"]));
    expect(Object.keys(fits)).toEqual(["NBD"]);
  });

  it("draws again where a resample has nothing to predict", () => {
    const data: HoldoutData = {
      customers: { x: [1, 0, 0], recency: [1, 0, 0], age: [2, 2, 2] },
      actual: [1, 0, 0],
      horizon: 1,
    };
    const bootstrap = { draws: 50, random: randomSource(8) };
    const rows = scoreRows(tournament(data, { models: [], heuristics: [ownPastRate], bootstrap }));
    expect(rows.every(({ low, high }) => Number.isFinite(low) && Number.isFinite(high))).toBe(true);
  });

  it("says what is not possible", () => {
    const data = poissonBuyers(20, randomSource(9));
    const of = (options: object): unknown =>
      tournament(data, { models: [], heuristics: [ownPastRate], ...options });
    const bootstrap = { draws: 100, random: randomSource(1) };
    expect(() => of({ heuristics: [] })).toThrow("models must name at least one model, got none");
    expect(() => of({ heuristics: [ownPastRate, ownPastRate] })).toThrow(
      "models must have different names, got own past rate twice",
    );
    expect(() => of({ bootstrap: { ...bootstrap, draws: 5 } })).toThrow(
      "draws must be a whole number from 20 up, got 5",
    );
    expect(() => of({ bootstrap, level: 1 })).toThrow("level must be between 0 and 1, got 1");
    const summary = { x: [1], recency: [1], age: [2], holdout_x: [0] };
    expect(() => holdoutFromTable(table(summary))).toThrow(
      "horizon must be given where the table has no holdout_length, got undefined",
    );
    expect(() => holdoutFromTable(table({ ...summary, holdout_length: [13] }), 91)).toThrow(
      "horizon must be the table's, 13, got 91",
    );
    expect(() => tournament({ ...data, actual: [1] }, { models: [], heuristics: [meanOfAll] })).toThrow(
      "predicted must have one value for each of 1 customers, got 20",
    );
    expect(() => holdoutFromTable(table({ x: [1] }), 1)).toThrow("customers: column recency is missing");
    expect(() => holdoutFromLog(log, { end: "2025-01-01", holdoutEnd: "2025-01-09", unit: "days" })).toThrow(
      "purchases: nobody became a customer before 2025-01-01",
    );
  });
});

describe("rolling origin", () => {
  const log = simulatedLog(1000, randomSource(10));
  const spec: RollingOriginOptions = {
    unit: "weeks",
    origins: [220, 290, 360].map((after) => isoDay(day + after)),
    horizon: weeks(13),
    lastDay: isoDay(day + 700),
    models: [paretoNbd, nbd],
    heuristics: managerHeuristics,
  };

  it("finds the true model on data that it made", async () => {
    const steps: string[] = [];
    const { scores, means, warnings } = await rollingOrigin(log, {
      ...spec,
      onProgress: (done, total) => steps.push(`${done}/${total}`),
    });
    expect(steps).toHaveLength(21);
    expect(steps.at(-1)).toBe("21/21");
    expect(scores.numRows()).toBe(3 * 7 * 8);
    expect(warnings).toEqual([]);
    for (const metric of ["rmse", "msle", "bias", "tracking_error"]) {
      const rows = (means.objects() as (ScoreRow & { wins: number; origins: number })[]).filter(
        (row) => row.metric === metric,
      );
      const best = rows.reduce((p, q) => (Math.abs(q.value) < Math.abs(p.value) ? q : p));
      expect(best.model, metric).toBe("Pareto/NBD");
      expect(rows.reduce((sum, { wins }) => sum + wins, 0)).toBeCloseTo(3, 12);
      expect(
        rows.every(({ origins, low, value, high }) => origins === 3 && low <= value && value <= high),
      ).toBe(true);
    }
  });

  it("knows at each origin only what happened until then", async () => {
    const origin = spec.origins[0] ?? "";
    const known = log.filter((row: { ordered_on: number }) => row.ordered_on <= 20_000 + 220 + 91);
    const only = { ...spec, origins: [origin], models: [], heuristics: managerHeuristics };
    const [whole, cut] = [await rollingOrigin(log, only), await rollingOrigin(known, only)];
    expect(cut.scores.objects()).toEqual(whole.scores.objects());
    const { customers } = holdoutFromLog(log, { end: origin, holdoutEnd: isoDay(day + 311), unit: "weeks" });
    const single = tournament(
      holdoutFromLog(log, { end: origin, holdoutEnd: isoDay(day + 311), unit: "weeks" }),
      only,
    );
    expect(whole.scores.array("value")).toEqual(single.scores.array("value"));
    expect(Math.max(...Array.from(customers.age)) * 7).toBeLessThanOrEqual(220);
  });

  it("stops between two fits when asked to", async () => {
    const controller = new AbortController();
    let done = 0;
    const running = rollingOrigin(log, {
      ...spec,
      models: [],
      signal: controller.signal,
      onProgress: (count) => {
        done = count;
        if (count === 2) controller.abort(new Error("enough"));
      },
    });
    await expect(running).rejects.toThrow("enough");
    expect(done).toBe(2);
  });

  it.each([
    [{ origins: [] }, "origins must name at least one day, got none"],
    [{ origins: ["soon"] }, 'origins must be a day such as "1998-07-01", got "soon"'],
    [{ horizon: weeks(0.5) }, "horizon must be a whole number of days from 1 up, got 3.5"],
    [
      { lastDay: isoDay(day + 450) },
      `origins must be at least 91 days before the last day, ${isoDay(day + 450)}, got ${isoDay(day + 360)}`,
    ],
  ])("refuses %j", async (wrong, message) => {
    await expect(rollingOrigin(log, { ...spec, ...wrong })).rejects.toThrow(message);
  });
});
