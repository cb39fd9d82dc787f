import { expect, it } from "vitest";
import type { CalendarPeriod } from "../../src/core/period.js";
import { stationaryDistribution } from "../../src/migration/chain.js";
import { statesBySpend } from "../../src/migration/states.js";
import { transitionCounts, transitionMatrix } from "../../src/migration/transitions.js";
import { markovValue } from "../../src/migration/value.js";
import { block, numbers, type ReferenceCase, toleranceOf } from "./case.js";
import { lastDay, readPurchases } from "./cohort.js";

const periods: Readonly<Record<string, CalendarPeriod>> = { W: "week", M: "month", Q: "quarter" };

/** Holds states, transitions, the stationary distribution and Markov-chain values to one `migration_` case. */
export function runMigrationCase(reference: ReferenceCase): void {
  const result = block(reference.content["result"]);
  const near = toleranceOf(reference.tolerance["matrix"]);
  const names = result["states"] as string[];
  // "low (<30)", "high (>=30)": the first tier begins at 0, each other at the first number in its name.
  const tiers = names
    .slice(1)
    .map((state, place) => ({ state, from: place === 0 ? 0 : Number(/\d+(?:\.\d+)?/.exec(state)?.[0]) }));
  const purchases = readPurchases(reference);
  const by = periods[String(result["freq"])[0] ?? ""] ?? "quarter";
  const customers = statesBySpend(purchases, {
    customer: "id",
    date: "date",
    amount: "amount",
    by,
    end: lastDay(purchases),
    tiers,
    inactive: names[0] ?? "inactive",
  });
  const moves = transitionCounts(customers);
  const estimate = transitionMatrix(moves);

  it("finds the states of every period", () => {
    expect(customers.periods.map((period) => period.replace("-Q", "Q"))).toEqual(result["periods"]);
    const occupancy = customers.periods.map((_, period) =>
      names.map(
        (__, state) =>
          customers.stateAt.filter((at, cell) => at === state && cell % customers.periods.length === period)
            .length,
      ),
    );
    expect(occupancy).toEqual(result["state_occupancy_by_period"]);
  });

  it("counts the transitions, in all and from each period to the next", () => {
    expect(moves.counts).toEqual(result["transition_counts"]);
    expect(moves.byPeriod).toEqual(result["per_period_counts"]);
  });

  it("reproduces the transition matrix and the stationary distribution", () => {
    for (const [from, row] of (result["transition_matrix"] as number[][]).entries()) {
      allNear(estimate.matrix[from], row, near);
    }
    allNear(stationaryDistribution(estimate), numbers(result["stationary"]), near);
  });

  const value = block(result["mcm_clv"]);
  const discountRate = Number(/d=(\d*\.?\d+)/.exec(String(value["definition"]))?.[1]);
  for (const key of Object.keys(value).filter((name) => /^(infinite|horizon_)/.test(name))) {
    it(`mcm_clv ${key}`, () => {
      const last = /_(\d+)$/.exec(key)?.[1];
      const ours = markovValue({
        ...estimate,
        reward: numbers(value["R"]),
        discountRate,
        ...(last === undefined ? {} : { horizon: Number(last) }),
      });
      // Values of hundreds carry the matrix's tolerance relative to their size.
      const expected = numbers(value[key]);
      allNear(ours, expected, near * Math.max(1, ...expected.map(Math.abs)));
    });
  }
}

function allNear(ours: readonly number[] | undefined, expected: readonly number[], near: number): void {
  expect(ours?.length).toBe(expected.length);
  for (const [place, value] of expected.entries()) {
    expect(Math.abs((ours?.[place] ?? Number.NaN) - value)).toBeLessThanOrEqual(near);
  }
}
