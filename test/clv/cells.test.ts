import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bgNbd } from "../../src/clv/bg-nbd.js";
import { cellCustomers, purchaseCells } from "../../src/clv/cells.js";
import { nbd } from "../../src/clv/nbd.js";
import { paretoNbd } from "../../src/clv/pareto-nbd.js";

const histories = fc.array(
  fc.record({
    x: fc.integer({ min: 0, max: 3 }),
    recency: fc.integer({ min: 1, max: 4 }),
    age: fc.integer({ min: 4, max: 6 }),
    weight: fc.double({ min: 0.1, max: 3, noNaN: true }),
  }),
  { minLength: 1, maxLength: 40 },
);
type History = { x: number; recency: number; age: number; weight: number };
const columns = (rows: readonly History[]) => ({
  x: rows.map((row) => row.x),
  recency: rows.map((row) => (row.x === 0 ? 0 : row.recency)),
  age: rows.map((row) => row.age),
  weight: rows.map((row) => row.weight),
});

describe("purchase cells", () => {
  it("collapse equal histories and are sorted by x, recency, age", () => {
    const cells = purchaseCells({ x: [2, 0, 2, 0, 1], recency: [3, 0, 3, 0, 3], age: [9, 9, 9, 8, 9] });
    expect([...cells.x]).toEqual([0, 0, 1, 2]);
    expect([...cells.recency]).toEqual([0, 0, 3, 3]);
    expect([...cells.age]).toEqual([8, 9, 9, 9]);
    expect([...cells.weight]).toEqual([1, 1, 1, 2]);
  });

  it("do not depend on the order of the customers, and keep all of them", () => {
    fc.assert(
      fc.property(histories, fc.integer(), (rows, seed) => {
        const other = [...rows].sort((a, b) => Math.sin(seed + a.weight) - Math.sin(seed + b.weight));
        const cells = purchaseCells(columns(rows));
        expect(purchaseCells(columns(other))).toEqual(cells);
        expect(cellCustomers(cells)).toBeCloseTo(
          rows.reduce((sum, { weight }) => sum + weight, 0),
          10,
        );
        const keys = Array.from(cells.x, (x, cell) => `${x} ${cells.recency[cell]} ${cells.age[cell]}`);
        expect(new Set(keys).size).toBe(keys.length);
      }),
      { seed: 3, numRuns: 200 },
    );
  });

  it("take customers of the last day, who change nothing", () => {
    const known = { x: [0, 3, 1], recency: [0, 8, 2], age: [9, 10, 10] };
    const newcomer = { x: [...known.x, 0], recency: [...known.recency, 0], age: [...known.age, 0] };
    for (const model of [nbd, bgNbd, paretoNbd]) {
      const at = Float64Array.of(0.7, 5, 0.8, 9).slice(0, model.parameterNames.length);
      const [gradient, other] = [new Float64Array(at.length), new Float64Array(at.length)];
      const value = model.objective(purchaseCells(newcomer))(at, gradient);
      expect(value).toBeCloseTo(model.objective(purchaseCells(known))(at, other), 13);
      for (const [i, slope] of gradient.entries()) expect(slope).toBeCloseTo(other[i] as number, 13);
    }
  });

  it("name the row, the value and what is allowed", () => {
    const row = (x: number, recency: number, age: number, weight?: number) =>
      purchaseCells({
        x: [0, x],
        recency: [0, recency],
        age: [1, age],
        ...(weight === undefined ? {} : { weight: [1, weight] }),
      });
    expect(() => row(1.5, 1, 2)).toThrow("customers row 1: x must be a whole number from 0 up, got 1.5");
    expect(() => row(-1, 1, 2)).toThrow("customers row 1: x must be a whole number from 0 up, got -1");
    expect(() => row(1, 3, 2)).toThrow("customers row 1: recency must be from 0 to the age 2, got 3");
    expect(() => row(1, -1, 2)).toThrow("customers row 1: recency must be from 0 to the age 2, got -1");
    expect(() => row(0, 0, -1)).toThrow("customers row 1: age must be a number from 0 up, got -1");
    expect(() => row(0, 0, Number.NaN)).toThrow("customers row 1: age must be a number from 0 up, got NaN");
    expect(() => purchaseCells({ x: [0, 0], recency: [0, 0], age: [0, 0] })).toThrow(
      "age must be above 0 for some of the 2 customers, got 0 for all",
    );
    expect(() => row(0, 1, 2)).toThrow("customers row 1: recency must be 0 where x is 0, got 1");
    expect(() => row(1, 0, 2)).toThrow("customers row 1: recency must be above 0 where x is 1, got 0");
    expect(() => row(1, 1, 2, 0)).toThrow("customers row 1: weight must be a number above 0, got 0");
    expect(() => purchaseCells({ x: [], recency: [], age: [] })).toThrow("at least one row, got none");
    expect(() => purchaseCells({ x: [1], recency: [1, 2], age: [3] })).toThrow(
      "recency must have as many rows as x, 1, got 2",
    );
  });
});
