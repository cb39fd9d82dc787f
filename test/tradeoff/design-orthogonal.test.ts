import { describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.js";
import { randomSource } from "../../src/numeric/random.js";
import { defineAttributes } from "../../src/tradeoff/attributes.js";
import { designEfficiency } from "../../src/tradeoff/design-efficiency.js";
import { orthogonalPlan, shiftedDesign } from "../../src/tradeoff/design-orthogonal.js";
import { survey } from "./surveys.js";

const times = (count: number, size: number): number[] => Array<number>(count).fill(size);

describe("orthogonal plans", () => {
  // Published arrays: Hedayat, Sloane & Stufken (1999), tables 12.1 and 12.3.
  it.each<[string, number[]]>([
    ["L4", times(3, 2)],
    ["L8", times(7, 2)],
    ["L8", [4, ...times(4, 2)]],
    ["L9", times(4, 3)],
    ["L12", times(11, 2)],
    ["L16", times(15, 2)],
    ["L16", times(5, 4)],
    ["L16", [...times(3, 4), ...times(6, 2)]],
    ["L18", [2, ...times(7, 3)]],
    ["L18", [6, ...times(6, 3)]],
    ["L25", times(6, 5)],
    ["L27", times(13, 3)],
    ["L32", times(31, 2)],
    ["L32", [...times(9, 4), ...times(4, 2)]],
    ["L36", [...times(12, 3), ...times(11, 2)]],
    ["L36", [4, ...times(13, 3)]],
    ["L36", [12, ...times(12, 3)]],
  ])("%s has columns of %j levels, all pairs of levels equally often", (name, sizes) => {
    const { array, levels, collapsed, correlation } = orthogonalPlan(survey(...sizes));
    expect(array).toBe(name);
    expect(collapsed).toEqual([]);
    for (const [a, first] of sizes.entries())
      for (const [b, second] of sizes.slice(0, a).entries()) {
        const counts = new Map<string, number>();
        for (const run of levels) {
          const pair = `${run[a]} ${run[b]}`;
          counts.set(pair, (counts.get(pair) ?? 0) + 1);
        }
        expect(counts.size).toBe(first * second);
        expect(new Set(counts.values())).toEqual(new Set([levels.length / (first * second)]));
        expect(correlation[a]?.[b]).toBe(0);
      }
  });

  it("takes more runs or unequal frequencies, as asked", () => {
    const mixed = survey(3, 3, 3, 2, 2);
    expect(orthogonalPlan(mixed)).toMatchObject({ array: "L36", collapsed: [] });
    const { array, levels, collapsed, correlation } = orthogonalPlan(mixed, { collapse: true });
    expect([array, collapsed]).toEqual(["L16", ["a0", "a1", "a2"]]);
    expect([0, 1, 2].map((level) => levels.filter(([first]) => first === level).length)).toEqual([8, 4, 4]);
    for (const [a, row] of correlation.entries())
      for (const [b, value] of row.entries()) expect(value).toBeCloseTo(Number(a === b), 12);
    expect(orthogonalPlan(survey(2, 2, 2), { runs: 8 }).levels).toHaveLength(8);
    expect(orthogonalPlan(survey(5, 3))).toMatchObject({ array: "L18", collapsed: ["a0"] });
    expect(orthogonalPlan(survey(5, 5))).toMatchObject({ array: "L25", collapsed: [] });
  });

  it("says when there is none", () => {
    expect(() => orthogonalPlan(survey(13, 2))).toThrow(
      new RangeError("no array has columns for attributes of 13, 2 levels: use an efficient design"),
    );
    expect(() => orthogonalPlan(survey(3, 3), { runs: 8 })).toThrow(
      new RangeError("no array of 8 runs has columns for attributes of 3, 3 levels: use an efficient design"),
    );
    const { attributes } = survey(2, 2, 2);
    expect(() =>
      orthogonalPlan(defineAttributes(attributes, { prohibitions: [{ a0: "l1", a1: "l1" }] })),
    ).toThrow(DataError);
    const conditional = defineAttributes([
      ...attributes,
      { name: "b", levels: ["x", "y"], only: { attribute: "a0", level: "l0" } },
    ]);
    expect(() => orthogonalPlan(conditional)).toThrow(
      new RangeError(
        "orthogonal plans need attributes that all products have, but b is only for some: use an efficient design",
      ),
    );
  });
});

describe("shifted designs", () => {
  const random = randomSource(1);

  it("are optimal without preferences: 3^3 in 9 sets of 3 has D-error 0.192", () => {
    // Huber & Zwerina (1996): the 3^3/3/9 design. By hand: each attribute has information (2 1; 1 2) x 3, so 27^(-1/2).
    const design = shiftedDesign(survey(3, 3, 3), { alternatives: 3, random });
    const { dError } = designEfficiency(design, { coding: "effects" });
    expect(dError).toBeCloseTo(0.192, 3);
    expect(dError).toBeCloseTo(27 ** -0.5, 12);
  });

  it("divide the runs into versions as balanced as they can be", () => {
    const design = shiftedDesign(survey(3, 3, 3, 3), { alternatives: 3, versions: 3, random });
    expect([design.versions, design.tasks, design.warnings]).toEqual([3, 3, []]);
    expect(() => shiftedDesign(survey(3, 3), { alternatives: 3, versions: 2, random })).toThrow(
      new RangeError("versions must divide the 9 runs of L9 into equal parts, got 2"),
    );
    expect(() => shiftedDesign(survey(2, 3), { alternatives: 4, random })).toThrow(
      new RangeError(
        "alternatives must be a whole number from 2 to 3, the levels of the largest attribute, got 4",
      ),
    );
  });
});
