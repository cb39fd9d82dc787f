import { table } from "arquero";
import { describe, expect, it } from "vitest";
import { cohortHeatMapFigure, cohortRevenueFigure } from "../../src/charts/cohorts.js";
import type { Figure } from "../../src/charts/figure.js";
import { cohortTable, cohortTriangle } from "../../src/retention/cohorts.js";
import { describeFigures, titleOf } from "./describe-figures.js";

/** Ten customers in each of three months; in the n-th month after, n fewer than the month before come back. */
const rows = [0, 1, 2].flatMap((cohort) =>
  [0, 1, 2, 3].slice(0, 4 - cohort).flatMap((age) =>
    Array.from({ length: age === 0 ? 10 : 5 - age - cohort }, (_, customer) => ({
      customer_key: `${cohort} ${customer}`,
      ordered_on: `2024-0${cohort + age + 1}-10`,
      amount: 20,
    })),
  ),
);
const log = table({
  customer_key: rows.map(({ customer_key }) => customer_key),
  ordered_on: rows.map(({ ordered_on }) => ordered_on),
  amount: rows.map(({ amount }) => amount),
});
const cohorts = cohortTable(log, { by: "month", end: "2024-04-15" });
const closed = cohortTable(log, { by: "month", end: "2024-03-31" });
const eur = { currency: "EUR" };
const draw = () => ({
  active: {
    figure: cohortHeatMapFigure(cohortTriangle(cohorts, "active_share"), {
      unit: "months",
      source: "a shop",
    }),
    traces: ["share of the cohort active"],
  },
  "repeat buying": {
    figure: cohortHeatMapFigure(cohortTriangle(cohorts, "repeat_buying_rate")),
    traces: ["repeat-buying rate"],
  },
  revenue: {
    figure: cohortHeatMapFigure(cohortTriangle(cohorts, "revenue", "calendar"), eur),
    traces: ["revenue"],
  },
  "cumulative revenue": {
    figure: cohortHeatMapFigure(cohortTriangle(cohorts, "cumulative_revenue"), { ...eur, unit: "months" }),
    traces: ["cumulative revenue a customer"],
  },
  C3: { figure: cohortRevenueFigure(cohorts, eur), traces: ["2024-01", "2024-02", "2024-03"] },
  "C3 of closed months": {
    figure: cohortRevenueFigure(closed, eur),
    traces: ["2024-01", "2024-02", "2024-03"],
  },
});
const figures: Readonly<Record<string, { readonly figure: Figure }>> = draw();
const traceOf = (name: string) => figures[name]?.figure.data[0] as Record<string, unknown>;

describeFigures(draw);

describe("cohort figures", () => {
  it("state the finding", () => {
    const title = (name: string): string => titleOf(figures[name]?.figure as Figure);
    // Observed to the end at age 1: 4 of 10 of January, 3 of February; at age 2 January alone.
    expect(title("active")).toBe(
      "Share of the cohort active 1 month after the first purchase: from 30% (2024-02) to 40% (2024-01)",
    );
    expect(title("revenue")).toBe("Revenue in 2024-03: from 60.00 EUR (2024-01) to 200 EUR (2024-03)");
    // March: 3 + 3 old customers and 10 new ones.
    expect(title("C3")).toBe("38% of the revenue in 2024-03 comes from customers acquired before");
    expect(title("C3 of closed months")).toBe(title("C3"));
    const triangle = cohortTriangle(cohorts, "active_share");
    const withShares = (values: (number | null)[][], complete = triangle.complete): string =>
      titleOf(cohortHeatMapFigure({ ...triangle, values, complete }, { unit: "months" }));
    const [one, two] = [
      [1, 0.4, null, null],
      [1, null, null, null],
    ];
    const first = triangle.values.map((_, y) => (y === 0 ? one : [null, null, null, null]));
    const everyMonth = triangle.complete.map((row) => row.map(() => true));
    expect(withShares(first, everyMonth)).toBe(
      "Share of the cohort active 1 month after the first purchase: 40% (2024-01)",
    );
    expect(
      withShares(
        triangle.values.map((_, y) => (y < 2 ? one : two)),
        everyMonth,
      ),
    ).toBe("Share of the cohort active 1 month after the first purchase: 40% in all 2 cohorts");
    const alike = triangle.values.map((_, y) => (y < 2 ? [1, 0.236 + 0.008 * y, null, null] : two));
    expect(withShares(alike, everyMonth)).toBe(
      "Share of the cohort active 1 month after the first purchase: 24% in all 2 cohorts",
    ); // 23.6% and 24.4%: not "from 24% to 24%"
    expect(
      withShares(
        first,
        triangle.complete.map((row) => row.map(() => false)),
      ),
    ).toBe("Share of the cohort active: no period of a cohort is over");
  });

  it("do without new customers", () => {
    const old = cohortTable(log, { by: "month", end: "2024-04-30" });
    expect(titleOf(cohortRevenueFigure(old, eur))).toBe(
      "Without new customers revenue in 2024-04 is 38% of the peak in 2024-03",
    ); // 2 + 2 + 2 customers after 3 + 3 + 10
  });

  it("mark periods that are not over, and leave their colours to later periods", () => {
    expect(traceOf("active")["text"]).toEqual([
      ["100%", "40%", "30%", "20%*"],
      ["100%", "30%", "20%*", ""],
      ["100%", "20%*", "", ""],
    ]);
    expect(traceOf("active")["zmax"]).toBe(0.4);
    expect(traceOf("revenue")["z"]).toEqual([
      [200, 80, 60, 40],
      [null, 200, 60, 40],
      [null, null, 200, 40],
    ]);
    expect(JSON.stringify(figures["active"]?.figure.layout)).toContain("* period not over");
    expect(JSON.stringify(cohortHeatMapFigure(cohortTriangle(closed, "active")).layout)).not.toContain("*");
  });

  it("never say retention where nobody is known to have left", () => {
    expect(JSON.stringify(figures)).not.toMatch(/retention|retained|churn/i);
  });

  it("stack revenue of periods that are over", () => {
    const [january, february] = figures["C3"]?.figure.data ?? [];
    expect(january?.["x"]).toEqual(["2024-01", "2024-02", "2024-03"]);
    expect(january?.["y"]).toEqual([200, 80, 60]);
    expect(february?.["y"]).toEqual([0, 200, 60]);
    expect(january?.["fillcolor"]).toBe("rgb(8,64,107)"); // the oldest is darkest
  });

  it("refuse money without a currency, and a log without a whole period", () => {
    expect(() => cohortHeatMapFigure(cohortTriangle(cohorts, "revenue"))).toThrow(
      new RangeError("currency must be given for revenue"),
    );
    const short = cohortTable(log, { by: "month", end: "2024-01-20" });
    expect(() => cohortRevenueFigure(short, eur)).toThrow(
      new RangeError("cohorts must have at least one period that is over, got none"),
    );
    expect(() => cohortHeatMapFigure(cohortTriangle(short, "repeat_buying_rate"))).toThrow(
      new RangeError("triangle must have at least one value, got none"),
    );
  });
});
