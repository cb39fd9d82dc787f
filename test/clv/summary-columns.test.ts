import { table } from "arquero";
import { expect, it } from "vitest";
import { historiesOf, repeatSpends } from "../../src/clv/summary-columns.js";

const summary = table({ x: [0, 2, 1], recency: [0, 5, 1], age: [9, 8, 7], mean_spend: [0, 3.5, 2] });

it("hands the columns of a purchase summary to the models", () => {
  expect(Array.from(historiesOf(summary).recency)).toEqual([0, 5, 1]);
  const { x, meanSpend } = repeatSpends(summary);
  expect([...Array.from(x), ...Array.from(meanSpend)]).toEqual([2, 1, 3.5, 2]);
});

it("names the column that is missing, and asks for repeat buyers", () => {
  expect(() => historiesOf(table({ x: [1] }))).toThrow("recency");
  expect(() => repeatSpends(summary.filter((d: { x: number }) => d.x === 0))).toThrow(
    "summary must have repeat buyers, got none",
  );
});
