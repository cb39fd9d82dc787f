import { categoricalAttribute, linearAttribute } from "../../src/tradeoff/part-worths.js";

/** Two attributes of a car, and the part-worths of two respondents. */
export const seats = categoricalAttribute("seats", ["6", "7", "8"]);
export const price = linearAttribute("price", [30, 35, 40]);
export const names = ["seats 7", "seats 8", "price"];
export const partWorths = {
  names,
  respondents: ["a", "b"],
  values: [Float64Array.of(-1, 2, -0.2), Float64Array.of(3, 1, -0.1)],
};
