import { table } from "arquero";
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.js";
import { numberColumn, textColumn } from "../../src/core/table.js";

const customers = table({ id: ["a", "b"], revenue: [10, 2.5], orders: Int32Array.of(1, 2), gap: [1, null] });

describe("typed columns", () => {
  it("come as copies: changing one leaves the table as it was", () => {
    const revenue = numberColumn(customers, "revenue");
    expect(revenue).toEqual(Float64Array.of(10, 2.5));
    revenue[0] = 99;
    expect(customers.get("revenue", 0)).toBe(10);
    expect(numberColumn(customers, "orders")).toEqual(Float64Array.of(1, 2));
    expect(textColumn(customers, "id")).toEqual(["a", "b"]);
  });

  it("follow the order of a sorted and filtered table", () => {
    const sorted = customers.orderby("revenue");
    expect(numberColumn(sorted, "revenue")).toEqual(Float64Array.of(2.5, 10));
    expect(textColumn(sorted, "id")).toEqual(["b", "a"]);
    expect(numberColumn(customers.filter("d => d.orders > 1"), "revenue")).toEqual(Float64Array.of(2.5));
  });

  it("name what is missing or of the wrong kind", () => {
    expect(() => numberColumn(customers, "revenu")).toThrow(
      new DataError("table: column revenu is missing, the columns are id, revenue, orders, gap"),
    );
    expect(() => numberColumn(customers, "gap")).toThrow("table: gap in row 2 must be a number, got null");
    expect(() => numberColumn(customers, "id")).toThrow('table: id in row 1 must be a number, got "a"');
    expect(() => textColumn(customers, "orders")).toThrow("table: orders in row 1 must be a text, got 1");
  });
});
