import { type ColumnTable, table } from "arquero";
import { expect, it } from "vitest";
import type { CalendarPeriod } from "../../src/core/period.js";
import { type CohortMeasure, cohortTable, cohortTriangle } from "../../src/retention/cohorts.js";
import { block, type ReferenceCase, referenceTable, toleranceOf } from "./case.js";

const periods: Readonly<Record<string, CalendarPeriod>> = { W: "week", M: "month", Q: "quarter" };

/** Holds cohort sizes, active customers and revenue by age to one `cohort_` case. */
export function runCohortCase(reference: ReferenceCase): void {
  const result = block(reference.content["result"]);
  const purchases = readPurchases(reference);
  const by = periods[String(result["freq"])[0] ?? ""] ?? "month";
  const cohorts = cohortTable(purchases, {
    customer: "id",
    date: "date",
    amount: "amount",
    by,
    end: lastDay(purchases),
  });
  const listed = (result["cohorts"] as string[]).map((name) => name.replace(/(\d)Q/, "$1-Q"));

  it("finds the cohorts and their sizes", () => {
    expect(cohortTriangle(cohorts, "active").cohorts).toEqual(listed);
    const first = cohortTriangle(cohorts, "active").values.map(([size]) => size);
    expect(first).toEqual(result["cohort_size"]);
  });

  for (const [key, measure, tolerance] of [
    ["active_customers", "active", reference.tolerance["counts"]],
    ["revenue", "revenue", reference.tolerance["revenue"]],
  ] as const satisfies readonly (readonly [string, CohortMeasure, unknown])[]) {
    it(`${key} by age`, () => {
      const { values } = cohortTriangle(cohorts, measure);
      const peer = result[key] as number[][];
      expect(values.length).toBe(peer.length);
      for (const [row, expected] of peer.entries()) {
        // The peer writes 0 where a cohort is not that old yet.
        const ours = expected.map((_, age) => values[row]?.[age] ?? 0);
        const distances = ours.map((value, age) => Math.abs(value - (expected[age] as number)));
        expect(Math.max(...distances)).toBeLessThanOrEqual(toleranceOf(tolerance));
      }
    });
  }
}

/** The rows of a case's log: columns id, date and amount. */
export function readPurchases({ data: [file = ""] }: ReferenceCase): ColumnTable {
  const { header, rows } = referenceTable(file);
  const column = (pattern: RegExp): string[] => {
    const place = header.findIndex((name) => pattern.test(name));
    return rows.map((row) => row[place] ?? "");
  };
  return table({
    id: column(/^(id|customer.*|cust.*)$/i),
    date: column(/date|day/i),
    amount: column(/amount|revenue|spend|sales/i).map(Number),
  });
}

/** The last day of the month of the last purchase: what peers take for the end. */
export function lastDay(purchases: ColumnTable): string {
  const last = (purchases.array("date") as string[]).reduce((late, day) => (day > late ? day : late));
  const [year = 0, month = 0] = last.split("-").map(Number);
  return new Date(Date.UTC(year, month, 0)).toISOString().slice(0, 10);
}
