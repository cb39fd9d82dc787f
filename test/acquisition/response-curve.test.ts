import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  curveForm,
  curveFromCeiling,
  decisionCalculus,
  marginalResponse,
  type ResponseCurve,
  responseAt,
  responseFunctions,
  spendFor,
} from "../../src/acquisition/response-curve.js";

const curves: Readonly<Record<string, ResponseCurve>> = {
  log: { shape: "log", parameters: { scale: 80, threshold: 4000 } },
  "negative-exponential": { shape: "negative-exponential", parameters: { ceiling: 300, rate: 1e-4 } },
  "S-shaped hill": { shape: "hill", parameters: { ceiling: 300, half: 9000, exponent: 1.8 } },
  "concave hill": { shape: "hill", parameters: { ceiling: 300, half: 9000, exponent: 0.8 } },
  "hill of exponent 1": { shape: "hill", parameters: { ceiling: 300, half: 9000, exponent: 1 } },
  power: { shape: "power", parameters: { scale: 1, exponent: 0.55 } },
  adbudg: { shape: "adbudg", parameters: { ceiling: 300, half: 9000, exponent: 2.5, floorShare: 0.2 } },
};
const hill = curves["S-shaped hill"] as ResponseCurve;
const pools = [{}, { exposure: 3 }, { exposure: 0.5, segment: "south" }];
const inPools = Object.entries(curves).flatMap(([name, curve]) =>
  pools.map((pool) => ({
    name: `${name} ${JSON.stringify(pool)}`,
    curve: "segment" in pool ? { ...curve, costFactors: { north: 1, south: 1.7 } } : curve,
    pool,
  })),
);
const spends = fc.double({ min: 50, max: 60_000, noNaN: true });

describe("response curves", () => {
  it("are the formulas", () => {
    expect(responseAt(curves["log"] as ResponseCurve, 4000)).toBeCloseTo(80 * Math.log(2), 10);
    expect(responseAt(curves["negative-exponential"] as ResponseCurve, 10_000)).toBeCloseTo(
      300 * (1 - Math.exp(-1)),
      10,
    );
    expect(responseAt(hill, 9000)).toBeCloseTo(150, 10);
    expect(responseAt(curves["power"] as ResponseCurve, 100)).toBeCloseTo(100 ** 0.55, 10);
    expect(responseAt(curves["adbudg"] as ResponseCurve, 9000)).toBeCloseTo(60 + 240 / 2, 10);
    const pooled = { ...hill, costFactors: { north: 1, south: 1.7 } };
    // q W(S / (q f)): a pool of 2 with a cost factor of 1.7 needs 3.4 times the spend for twice the customers.
    expect(responseAt(pooled, 3.4 * 9000, { exposure: 2, segment: "south" })).toBeCloseTo(300, 10);
  });

  it("begin at 0, or at their floor, with the right slope", () => {
    const marginal = (name: string): number => marginalResponse(curves[name] as ResponseCurve, 0);
    for (const [name, curve] of Object.entries(curves)) {
      expect(responseAt(curve, 0)).toBe(name === "adbudg" ? 60 : 0);
    }
    expect(marginal("log")).toBeCloseTo(80 / 4000, 12);
    expect(marginal("negative-exponential")).toBeCloseTo(0.03, 12);
    expect(marginal("S-shaped hill")).toBe(0);
    expect(marginal("concave hill")).toBe(Number.POSITIVE_INFINITY);
    expect(marginal("hill of exponent 1")).toBeCloseTo(300 / 9000, 12);
    expect(marginal("power")).toBe(Number.POSITIVE_INFINITY);
  });

  describe.each(inPools)("$name", ({ curve, pool }) => {
    const { response, marginal } = responseFunctions(curve, pool);

    it("rises with the spend, and its slope is that of its values", () => {
      fc.assert(
        fc.property(spends, (spend) => {
          const step = 1e-4 * spend;
          const difference = (response(spend + step) - response(spend - step)) / (2 * step);
          expect(difference).toBeGreaterThan(0);
          // The error of the difference is of the order of the step squared, and rounding.
          expect(Math.abs(difference - marginal(spend))).toBeLessThan(
            1e-6 * marginal(spend) + (1e-13 * response(spend)) / step,
          );
        }),
        { seed: 2, numRuns: 100 },
      );
    });

    it("finds the spend for what a spend wins", () => {
      fc.assert(
        fc.property(spends, (spend) => {
          const found = spendFor(curve, response(spend), pool);
          // A rounding of the customers won moves the spend by that much over the slope.
          const rounding = (1e-14 * response(spend)) / marginal(spend);
          expect(Math.abs(found - spend)).toBeLessThan(1e-12 * spend + rounding);
        }),
        { seed: 3, numRuns: 100 },
      );
    });
  });

  it("name their form, and an S-shaped one where a customer costs least", () => {
    expect(curveForm(curves["log"] as ResponseCurve)).toEqual({ form: "concave" });
    expect(curveForm(curves["power"] as ResponseCurve)).toEqual({ form: "concave" });
    expect(curveForm({ shape: "power", parameters: { scale: 1, exponent: 1.2 } })).toEqual({
      form: "convex",
    });
    expect(curveForm(curves["hill of exponent 1"] as ResponseCurve)).toEqual({ form: "concave" });
    expect(responseFunctions(curves["log"] as ResponseCurve)).not.toHaveProperty("inflection");
    const convex: ResponseCurve = { shape: "power", parameters: { scale: 2, exponent: 1.5 } };
    expect(responseFunctions(convex).inflection).toBe(Number.POSITIVE_INFINITY);
    for (const name of ["S-shaped hill", "adbudg"]) {
      const curve = { ...(curves[name] as ResponseCurve), costFactors: { north: 1, south: 1.7 } };
      const pool = { segment: "south", exposure: 2 };
      const form = curveForm(curve, pool);
      if (form.form !== "S-shaped") throw new Error(form.form);
      const { marginal, inflection } = responseFunctions(curve, pool);
      expect(inflection).toBe(form.inflection); // so that `allocateBudget` takes the functions as they are
      expect(form.marginalCost).toBe(1 / marginal(form.inflection));
      for (const other of [0.3, 0.9, 0.99, 1.01, 1.1, 3]) {
        expect(1 / marginal(other * form.inflection)).toBeGreaterThan(form.marginalCost);
      }
    }
  });

  it("refuse what they cannot answer", () => {
    expect(() => responseAt(hill, -1)).toThrow(new RangeError("spend must be a number from 0 up, got -1"));
    expect(() => responseAt(hill, 1, { segment: "south" })).toThrow(
      new RangeError("segment must be left out for a curve without cost factors, got south"),
    );
    const pooled = { ...hill, costFactors: { north: 1, south: 1.7 } };
    expect(() => responseAt(pooled, 1, { segment: "east" })).toThrow(
      new RangeError("segment must be one of north, south, got east"),
    );
    expect(() => responseAt(pooled, 1)).toThrow(
      new RangeError("segment must be one of north, south, got none"),
    );
    expect(() => responseAt(hill, 1, { exposure: 0 })).toThrow(
      new RangeError("exposure must be a number above 0, got 0"),
    );
    expect(() => responseAt({ shape: "hill", parameters: { ceiling: 300, half: -1 } }, 1)).toThrow(
      new RangeError("parameter half of shape hill must be a number above 0, got -1"),
    );
    const percent = {
      shape: "adbudg",
      parameters: { ceiling: 300, half: 1, exponent: 1, floorShare: 20 },
    } as const;
    expect(() => responseAt(percent, 1)).toThrow(
      new RangeError("parameter floorShare of shape adbudg must be a share between 0 and 1, got 20"),
    );
    expect(() => spendFor(hill, 300)).toThrow(new RangeError("won must be below the ceiling 300, got 300"));
    expect(() => spendFor(curves["adbudg"] as ResponseCurve, 30)).toThrow(
      new RangeError("won must be from the floor 60 to below the ceiling 300, got 30"),
    );
  });
});

describe("curve from a ceiling", () => {
  it("is Blattberg & Deighton's, through the observed point", () => {
    // k = ln(CR / (CR - a)) / A: a ceiling of 0.4 and 0.4 (1 - e^-1) won by 10 give k = 0.1.
    const curve = curveFromCeiling({ ceiling: 0.4, spend: 10, won: 0.4 * (1 - Math.exp(-1)) });
    expect(curve.parameters["rate"]).toBeCloseTo(0.1, 14);
    expect(responseAt(curve, 10)).toBeCloseTo(0.4 * (1 - Math.exp(-1)), 14);
  });

  it("refuses a ceiling that is reached", () => {
    expect(() => curveFromCeiling({ ceiling: 40, spend: 10, won: 40 })).toThrow(
      new RangeError("ceiling must be a number above 40, got 40"),
    );
    expect(() => curveFromCeiling({ ceiling: 40, spend: 0, won: 4 })).toThrow(
      new RangeError("spend must be a number above 0, got 0"),
    );
  });
});

describe("decision calculus", () => {
  const answers = {
    atZero: 100,
    atSaturation: 500,
    today: { spend: 1000, won: 200 },
    other: { spend: 2000, won: 300 },
  };

  it("solves the four answers by hand", () => {
    // Odds of the rise: 100 / 300 and 200 / 200, so 2^h = 3 and the rise is half at 2,000.
    const { shape, parameters } = decisionCalculus(answers);
    expect(shape).toBe("adbudg");
    expect(parameters["exponent"]).toBeCloseTo(Math.log2(3), 12);
    expect(parameters["half"]).toBeCloseTo(2000, 9);
    expect(parameters["floorShare"]).toBe(0.2);
  });

  it("gives the answers back, S-shaped or concave, in either order", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 10_000 }), { minLength: 4, maxLength: 4 }),
        fc.double({ min: 1.05, max: 5, noNaN: true }),
        fc.boolean(),
        (numbers, times, turned) => {
          const [atZero, low, high, atSaturation] = [...numbers].sort((a, b) => a - b) as [
            number,
            number,
            number,
            number,
          ];
          const points = [
            { spend: 1000, won: low },
            { spend: 1000 * times, won: high },
          ] as const;
          const [today, other] = turned ? [points[1], points[0]] : points;
          const curve = decisionCalculus({ atZero, atSaturation, today, other });
          expect(curve.shape).toBe(atZero === 0 ? "hill" : "adbudg");
          expect(responseAt(curve, 0)).toBeCloseTo(atZero, 8);
          for (const { spend, won } of points)
            expect(Math.abs(responseAt(curve, spend) / won - 1)).toBeLessThan(1e-9);
        },
      ),
      { seed: 5, numRuns: 200 },
    );
    expect(curveForm(decisionCalculus(answers)).form).toBe("S-shaped");
    const flat = { ...answers, other: { spend: 2000, won: 220 } };
    expect(curveForm(decisionCalculus(flat)).form).toBe("concave");
  });

  it("refuses answers that do not rise", () => {
    expect(() => decisionCalculus({ ...answers, atSaturation: 300 })).toThrow(
      new RangeError("atSaturation must be a number above 300, got 300"),
    );
    expect(() => decisionCalculus({ ...answers, atZero: 200 })).toThrow(
      new RangeError("won at the smaller spend must be a number above 200, got 200"),
    );
    expect(() => decisionCalculus({ ...answers, other: { spend: 2000, won: 150 } })).toThrow(
      new RangeError("won at the larger spend must be a number above 200, got 150"),
    );
    expect(() => decisionCalculus({ ...answers, other: { spend: 1000, won: 300 } })).toThrow(
      new RangeError("the larger spend must be a number above 1000, got 1000"),
    );
  });
});
