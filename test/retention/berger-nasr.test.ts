import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { markovValue } from "../../src/migration/value.js";
import { type BergerNasrCase, bergerNasrValue, recencyChain } from "../../src/retention/berger-nasr.js";
import { constantRetentionValue } from "../../src/retention/value-arithmetic.js";

const insurer = {
  case: 1,
  contribution: 260,
  promotion: 50,
  retentionRate: 0.75,
  discountRate: 0.2,
  years: 10,
} as const;
const rate = fc.double({ min: 0, max: 1, noNaN: true });
const years = fc.integer({ min: 1, max: 30 });
const runs = { seed: 8, numRuns: 100 };
const profit = { start: 20, acceleration: 3, turn: 4, rise: 30 };

describe("Berger & Nasr's case 1", () => {
  it("comes to 568.78", () => {
    // Inputs as recalled from the paper, value recomputed: research on lifetime value, section 2.5.
    expect(bergerNasrValue(insurer)).toBeCloseTo(568.78, 2);
  });

  it("over many years is the contract of the first payment now, less promotion half a year before each renewal", () => {
    const value = bergerNasrValue({ ...insurer, years: 200 });
    const contribution = constantRetentionValue({ margin: 260, ...insurer }, "first payment now");
    const promotion = constantRetentionValue({ margin: 50, ...insurer }, "end of period") * Math.sqrt(1.2);
    expect(value).toBeCloseTo(contribution - promotion, 8);
  });
});

describe("Berger & Nasr's case 2", () => {
  it("with one sale a year, or a sale every year, is case 1", () => {
    fc.assert(
      fc.property(rate, rate, years, (retentionRate, discountRate, horizon) => {
        const terms = { ...insurer, retentionRate, discountRate, years: horizon };
        const yearly = bergerNasrValue(terms);
        expect(bergerNasrValue({ ...terms, case: "2a", salesPerYear: 1 })).toBe(yearly);
        expect(bergerNasrValue({ ...terms, case: "2b", yearsPerSale: 1 })).toBe(yearly);
      }),
      runs,
    );
  });

  it("2a is case 1 by the half-year, except that promotion is paid by the year", () => {
    const { contribution, retentionRate } = insurer;
    const twice = { ...insurer, case: "2a", salesPerYear: 2, years: 4, promotion: 0 } as const;
    const halfYearly = {
      contribution,
      promotion: 0,
      retentionRate,
      discountRate: Math.sqrt(1.2) - 1,
      years: 8,
    };
    expect(bergerNasrValue(twice)).toBeCloseTo(bergerNasrValue({ case: 1, ...halfYearly }), 10);
    // 0.75^2 a year of promotion: case 1 without contribution at that retention rate.
    const promoted = bergerNasrValue({ ...twice, promotion: 50 }) - bergerNasrValue(twice);
    const yearly = { ...insurer, contribution: 0, retentionRate: 0.75 ** 2, years: 4 };
    expect(promoted).toBeCloseTo(bergerNasrValue(yearly), 10);
  });

  it("2b counts the sales that fall within the years, and promotion every year", () => {
    // A car every 3 years, 30% come back; by hand: sales now and in years 3, 6, 9, 12.
    const car = {
      case: "2b",
      contribution: 7000,
      promotion: 95,
      retentionRate: 0.3,
      discountRate: 0.2,
      years: 12,
      yearsPerSale: 3,
    } as const;
    const sales = [0, 3, 6, 9, 12].map((year, sale) => 7000 * 0.3 ** sale * 1.2 ** -year);
    const promotions = Array.from({ length: 12 }, (_, year) => 95 * 0.3 ** (year / 3) * 1.2 ** -(year + 0.5));
    const byHand = [...sales, ...promotions.map((cost) => -cost)].reduce((sum, money) => sum + money, 0);
    expect(bergerNasrValue(car)).toBeCloseTo(byHand, 8);
    const unpromoted = { ...car, promotion: 0 };
    expect(bergerNasrValue({ ...unpromoted, years: 14 })).toBe(bergerNasrValue(unpromoted));
  });
});

describe("Berger & Nasr's cases 3 and 4", () => {
  it("3 with the same profit for ever is case 1 without promotion", () => {
    fc.assert(
      fc.property(rate, rate, years, fc.nat(40), (retentionRate, discountRate, horizon, turn) => {
        const terms = { retentionRate, discountRate, years: horizon };
        const level = { start: 7, acceleration: 0, turn, rise: 0 };
        const yearly = bergerNasrValue({ case: 1, contribution: 7, promotion: 0, ...terms });
        expect(bergerNasrValue({ case: 3, profit: level, ...terms }) / yearly).toBeCloseTo(1, 12);
      }),
      runs,
    );
  });

  it("3 is the sum by hand over the turn", () => {
    // 20, 23, 32, 47, 68 to year 4, then 68 + 30 (1 - e^-1) and 68 + 30 (1 - e^-2).
    const path = [20, 23, 32, 47, 68, 68 + 30 * (1 - Math.exp(-1)), 68 + 30 * (1 - Math.exp(-2))];
    const byHand = path.reduce((sum, money, t) => sum + money * (0.8 / 1.1) ** t, 0);
    const value = bergerNasrValue({ case: 3, profit, retentionRate: 0.8, discountRate: 0.1, years: 6 });
    expect(value).toBeCloseTo(byHand, 10);
  });

  it("4 has the closed form of its integral", () => {
    // Over r^t / (1 + d)^t = exp(-k t): v (1 - e^-kn) / k for a constant, and by parts for h t^2.
    fc.assert(
      fc.property(
        fc.double({ min: 0.05, max: 0.99, noNaN: true }),
        rate,
        fc.double({ min: 0.5, max: 30, noNaN: true }),
        (retentionRate, discountRate, horizon) => {
          const k = Math.log((1 + discountRate) / retentionRate);
          const n = horizon;
          const terms = { case: 4, retentionRate, discountRate, years: n } as const;
          const level = bergerNasrValue({
            ...terms,
            profit: { start: 7, acceleration: 0, turn: 0, rise: 0 },
          });
          expect(level).toBeCloseTo((-7 * Math.expm1(-k * n)) / k, 9);
          const rising = bergerNasrValue({
            ...terms,
            profit: { start: 0, acceleration: 3, turn: n, rise: 9 },
          });
          const decay = Math.exp(-k * n);
          const byParts = (3 * (2 - decay * ((k * n) ** 2 + 2 * k * n + 2))) / k ** 3;
          expect(Math.abs(rising - byParts)).toBeLessThan(1e-9 + (1e-14 * 6) / k ** 3); // the form cancels at small k
          const late = bergerNasrValue({ ...terms, profit: { start: 0, acceleration: 0, turn: 0, rise: 9 } });
          const saturating = (-9 * Math.expm1(-k * n)) / k + (9 * Math.expm1(-(k + 1) * n)) / (k + 1);
          expect(late).toBeCloseTo(saturating, 9);
        },
      ),
      runs,
    );
  });

  it("4 without churn and discount is the sum of the profit, also across the turn", () => {
    // 20 x 6 + 3 x 4^3 / 3 + 2 x 48 + 30 (2 - (1 - e^-2))
    const value = bergerNasrValue({ case: 4, profit, retentionRate: 1, discountRate: 0, years: 6 });
    expect(value).toBeCloseTo(120 + 64 + 96 + 30 * (1 + Math.exp(-2)), 10);
    expect(bergerNasrValue({ case: 4, profit, retentionRate: 0, discountRate: 0.1, years: 6 })).toBe(0);
  });

  it("4 is the limit of case 2a for more and more sales a year, and of case 3 for shorter and shorter years", () => {
    const terms = { retentionRate: 0.8, discountRate: 0.1, years: 6 };
    const level = { start: 20, acceleration: 0, turn: 0, rise: 0 };
    const whole = bergerNasrValue({ case: 4, profit: level, ...terms });
    const gap = (p: number): number => {
      const often = { ...terms, contribution: 20 / p, promotion: 0, retentionRate: 0.8 ** (1 / p) };
      return bergerNasrValue({ case: "2a", salesPerYear: p, ...often }) - whole;
    };
    expect(gap(2000) * 2000).toBeCloseTo(gap(1000) * 1000, 2); // falls as 1 / p
    expect(2 * gap(2000) - gap(1000)).toBeCloseTo(0, 5);
    const curved = bergerNasrValue({ case: 4, profit, ...terms });
    const fine = (p: number): number => {
      let sum = 0; // trapezoidal rule by case 3's terms, p a year
      for (let i = 0; i <= 6 * p; i++) {
        const t = i / p;
        const rise = t <= 4 ? 3 * t ** 2 : 48 + 30 * (1 - Math.exp(4 - t));
        sum += ((i === 0 || i === 6 * p ? 0.5 : 1) * (20 + rise) * (0.8 / 1.1) ** t) / p;
      }
      return sum;
    };
    expect(curved).toBeCloseTo((4 * fine(2000) - fine(1000)) / 3, 8);
  });
});

describe("Berger & Nasr's case 5", () => {
  /** Pfeifer & Carraway (2000); the inputs go back to Berger & Nasr's and Dwyer's mail-order firm. */
  const mailOrder = { purchaseProbability: [0.3, 0.2, 0.15, 0.05], contribution: 40, promotion: 4 };
  const discount = fc.double({ min: 0, max: 0.99, noNaN: true });
  const probabilities = fc.array(rate, { minLength: 1, maxLength: 6 });

  it("is Pfeifer and Carraway's chain with their values", () => {
    const chain = recencyChain(mailOrder);
    expect(chain).toEqual({
      states: ["recency 1", "recency 2", "recency 3", "recency 4", "lost"],
      matrix: [
        [0.3, 0.7, 0, 0, 0],
        [0.2, 0, 0.8, 0, 0],
        [0.15, 0, 0, 0.85, 0],
        [0.05, 0, 0, 0, 0.95],
        [0, 0, 0, 0, 1],
      ],
      reward: [36, -4, -4, -4, 0],
    });
    const rounded = (values: readonly number[]): string[] => values.map((value) => value.toFixed(3));
    expect(rounded(markovValue({ ...chain, discountRate: 0.2, horizon: 4 })).slice(0, 4)).toEqual([
      "50.115",
      "4.220",
      "0.592",
      "-1.980",
    ]);
    expect(rounded(markovValue({ ...chain, discountRate: 0.2 })).slice(0, 4)).toEqual([
      "52.320",
      "5.554",
      "1.251",
      "-1.820",
    ]);
  });

  it("is that chain with promotion in the middle of the year, and none after the last", () => {
    fc.assert(
      fc.property(probabilities, discount, years, (purchaseProbability, discountRate, horizon) => {
        const value = (contribution: number, promotion: number, last: number): number =>
          markovValue({
            ...recencyChain({ purchaseProbability, contribution, promotion }),
            discountRate,
            horizon: last,
          })[0] as number;
        const spec = { case: 5, ...mailOrder, purchaseProbability, discountRate, years: horizon } as const;
        const byChain = value(40, 0, horizon) + value(0, 4, horizon - 1) / Math.sqrt(1 + discountRate);
        expect(bergerNasrValue(spec)).toBeCloseTo(byChain, 9);
      }),
      runs,
    );
  });

  it("with customers who never pause is case 1", () => {
    fc.assert(
      fc.property(rate, rate, years, (retentionRate, discountRate, horizon) => {
        const terms = { contribution: 40, promotion: 4, discountRate, years: horizon };
        const migration = bergerNasrValue({ case: 5, purchaseProbability: [retentionRate], ...terms });
        expect(migration).toBeCloseTo(bergerNasrValue({ case: 1, retentionRate, ...terms }), 9);
      }),
      runs,
    );
  });

  it("has the buyers of the paper's recursion", () => {
    // C_i = sum over j of C_(i-j) P_j (1 - P_1) … (1 - P_(j-1)), here by hand for three years.
    const [p1, p2, p3] = [0.3, 0.2, 0.15];
    const c1 = p1;
    const c2 = c1 * p1 + (1 - p1) * p2;
    const c3 = c2 * p1 + c1 * (1 - p1) * p2 + (1 - p1) * (1 - p2) * p3;
    const terms = { case: 5, ...mailOrder, promotion: 0, discountRate: 0, years: 3 } as const;
    expect(bergerNasrValue(terms)).toBeCloseTo(40 * (1 + c1 + c2 + c3), 10);
  });
});

describe("Berger & Nasr's cases refuse", () => {
  const several = { ...insurer, case: "2a", salesPerYear: 2 } as const;
  const rare = { ...insurer, case: "2b", yearsPerSale: 3 } as const;
  const growing = { case: 4, profit, retentionRate: 0.8, discountRate: 0.1, years: 6 } as const;
  const migrating = {
    case: 5,
    purchaseProbability: [0.3, 0.2],
    contribution: 40,
    promotion: 4,
    discountRate: 0.2,
    years: 4,
  } as const;
  it.each<[BergerNasrCase, string]>([
    [{ ...insurer, years: 0 }, "years must be a whole number of 1 or more, got 0"],
    [{ ...insurer, years: 2.5 }, "years must be a whole number of 1 or more, got 2.5"],
    [
      { ...insurer, retentionRate: 75 },
      "retentionRate must be a fraction from 0 to 1, got 75; a percentage must be divided by 100",
    ],
    [
      { ...several, discountRate: 20 },
      "discountRate must be a fraction from 0 to 1, got 20; a percentage must be divided by 100",
    ],
    [{ ...insurer, contribution: Number.NaN }, "contribution must be a number, got NaN"],
    [{ ...insurer, promotion: Number.POSITIVE_INFINITY }, "promotion must be a number, got Infinity"],
    [{ ...several, salesPerYear: 0.5 }, "salesPerYear must be a whole number of 1 or more, got 0.5"],
    [{ ...rare, yearsPerSale: 0 }, "yearsPerSale must be a whole number of 1 or more, got 0"],
    [{ ...growing, case: 3, years: 2.5 }, "years must be a whole number of 1 or more, got 2.5"],
    [{ ...growing, years: 0 }, "years must be a number above 0, got 0"],
    [{ ...growing, profit: { ...profit, turn: -1 } }, "turn must be a number from 0 up, got -1"],
    [{ ...growing, profit: { ...profit, rise: Number.NaN } }, "rise must be a number, got NaN"],
    [
      { ...migrating, purchaseProbability: [] },
      "purchaseProbability must hold at least one probability, got none",
    ],
    [
      { ...migrating, purchaseProbability: [0.3, 20] },
      "purchaseProbability of recency 2 must be a fraction from 0 to 1, got 20; a percentage must be divided by 100",
    ],
  ])("%j", (spec, message) => {
    expect(() => bergerNasrValue(spec)).toThrow(new RangeError(message));
  });

  it("a chain that is none", () => {
    expect(() => recencyChain({ ...migrating, purchaseProbability: [-0.1] })).toThrow(
      "purchaseProbability of recency 1 must be a fraction from 0 to 1, got -0.1",
    );
    expect(() => recencyChain({ ...migrating, promotion: Number.NaN })).toThrow(
      "promotion must be a number, got NaN",
    );
  });
});
