import { defineAttributes, type SurveyAttributes } from "../../src/tradeoff/attributes.js";

/** Attributes a0, a1, ... with so many levels l0, l1, ... each. */
export const survey = (...sizes: number[]): SurveyAttributes =>
  defineAttributes(
    sizes.map((size, k) => ({
      name: `a${k}`,
      levels: Array.from({ length: size }, (_, level) => `l${level}`),
    })),
  );
