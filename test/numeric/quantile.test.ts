import { expect, it } from "vitest";
import { quantileOf } from "../../src/numeric/quantile.js";

it("quantiles are those of type 7", () => {
  expect([0, 0.25, 0.5, 1].map((p) => quantileOf([4, 1, 3, 2], p))).toEqual([1, 1.75, 2.5, 4]);
});
