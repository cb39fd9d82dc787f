import { requireFinite, requireFromZero, requireRates } from "../core/arguments.js";
import { overPanels } from "../numeric/quadrature.js";

/** What all of Berger & Nasr's cases need to know. */
interface Horizon {
  /** Discount rate, a fraction a year. */
  readonly discountRate: number;
  /** Years after the first sale, which happens now and counts in full. */
  readonly years: number;
}

/** Sales that bring the same contribution every time, and promotion that costs the same every year. */
interface SteadySales extends Horizon {
  /** Gross contribution of a sale, money. */
  readonly contribution: number;
  /** Promotion cost a customer and year, money; spent in the middle of each year on those who are still customers. */
  readonly promotion: number;
}

/** Case 1: one sale a year. */
export interface YearlySales extends SteadySales {
  /** The case of the paper. */
  readonly case: 1;
  /** Probability to buy again, a fraction a year. */
  readonly retentionRate: number;
}

/** Case 2a: several sales a year. */
export interface SeveralSalesAYear extends SteadySales {
  /** The case of the paper. */
  readonly case: "2a";
  /** Sales a year, a whole number. */
  readonly salesPerYear: number;
  /** Probability to buy again, a fraction from one sale to the next. */
  readonly retentionRate: number;
}

/** Case 2b: a sale every few years. */
export interface SaleEveryFewYears extends SteadySales {
  /** The case of the paper. */
  readonly case: "2b";
  /** Years from one sale to the next, a whole number. */
  readonly yearsPerSale: number;
  /** Probability to buy again, a fraction from one sale to the next. */
  readonly retentionRate: number;
}

/**
 * Profit of a customer by tenure t in years, promotion paid: `start` + `acceleration` t^2 up to the year `turn`, then
 * towards a ceiling `rise` above the profit of that year, which it nears by 1 - exp(turn - t).
 */
export interface ProfitByTenure {
  /** Profit a year of a new customer, money; below 0 if it costs more than it brings. */
  readonly start: number;
  /** Growth of the profit, money a year per squared year. */
  readonly acceleration: number;
  /** Tenure from which growth slows down, years from 0 up. */
  readonly turn: number;
  /** What the profit can still gain after the turn, money a year. */
  readonly rise: number;
}

/** Case 3 and 4: profit that changes with tenure, received once a year or without pause. */
export interface ChangingProfit extends Horizon {
  /** 3: the profit of tenure t comes once, t years from now; 4: at that rate a year all the time. */
  readonly case: 3 | 4;
  /** Profit by tenure. */
  readonly profit: ProfitByTenure;
  /** Probability to stay, a fraction a year. */
  readonly retentionRate: number;
}

/** Case 5: customers who pause may come back; the longer the pause, the less likely. */
export interface CustomerMigration extends SteadySales {
  /** The case of the paper. */
  readonly case: 5;
  /** Probability to buy in a year by years since the last purchase: 1, 2, …; after the last one a customer is lost. */
  readonly purchaseProbability: readonly number[];
}

/** Any of Berger & Nasr's five cases. */
export type BergerNasrCase =
  | YearlySales
  | SeveralSalesAYear
  | SaleEveryFewYears
  | ChangingProfit
  | CustomerMigration;

/**
 * Customer lifetime value in the five cases of Berger & Nasr, per customer who buys now. With retention rate r and
 * discount rate d, sale number i counts r^i / (1 + d)^(its year). Promotion falls in the middle of a year and counts for the
 * share of customers left at its beginning; in case 2b, k years after a sale, that is a further r^(k / `yearsPerSale`).
 * Case 3 adds up, and case 4 integrates, profit(t) r^t / (1 + d)^t for t from 0 to `years`. In case 5 the share who buy
 * follows from the shares who bought before (see `recencyChain`), and promotion goes to all who are not lost.
 * @throws RangeError if a rate or probability is not a fraction, money is not finite, or a number of years or sales is
 * not a whole number of 1 or more (case 4: years above 0).
 * @see Berger & Nasr (1998), Customer Lifetime Value: Marketing Models and Applications, J. Interactive Marketing 12(1).
 */
export function bergerNasrValue(spec: BergerNasrCase): number {
  requireRates({ discountRate: spec.discountRate });
  switch (spec.case) {
    case 1:
      return valueOfSales(spec);
    case "2a":
      return valueOfSales(spec, { salesPerYear: spec.salesPerYear });
    case "2b":
      return valueOfSales(spec, { yearsPerSale: spec.yearsPerSale });
    case 3:
    case 4:
      return valueOfProfit(spec);
    case 5:
      return valueOfMigration(spec);
  }
}

function valueOfSales(
  {
    contribution,
    promotion,
    retentionRate,
    discountRate,
    years,
  }: SteadySales & { readonly retentionRate: number },
  {
    salesPerYear = 1,
    yearsPerSale = 1,
  }: { readonly salesPerYear?: number; readonly yearsPerSale?: number } = {},
): number {
  requireRates({ retentionRate });
  requireFinite({ contribution, promotion });
  for (const [name, count] of Object.entries({ years, salesPerYear, yearsPerSale }))
    requireCount(name, count);
  const cycle = yearsPerSale / salesPerYear;
  let value = 0;
  for (let sale = 0; sale <= Math.floor((years * salesPerYear) / yearsPerSale); sale++) {
    value += contribution * retentionRate ** sale * (1 + discountRate) ** (-sale * cycle);
  }
  for (let year = 1; year <= years; year++) {
    value -= promotion * retentionRate ** ((year - 1) / cycle) * (1 + discountRate) ** (0.5 - year);
  }
  return value;
}

function valueOfProfit({ case: which, profit, retentionRate, discountRate, years }: ChangingProfit): number {
  requireRates({ retentionRate });
  const { start, acceleration, turn, rise } = profit;
  requireFinite({ start, acceleration, rise });
  requireFromZero({ turn });
  const present = (t: number): number => profitAt(profit, t) * (retentionRate / (1 + discountRate)) ** t;
  if (which === 3) {
    requireCount("years", years);
    let value = 0;
    for (let year = 0; year <= years; year++) value += present(year);
    return value;
  }
  if (!(years > 0 && Number.isFinite(years))) {
    throw new RangeError(`years must be a number above 0, got ${years}`);
  }
  if (retentionRate === 0) return 0; // everybody leaves before a rate of profit has brought anything
  const first = 1 / (1 + Math.log((1 + discountRate) / retentionRate)); // where the integrand has fallen by a factor e
  const bend = Math.min(turn, years); // a corner of the profit: the quadrature must not run across it
  let value = 0;
  overPanels({ length: bend, first, widest: 4 }, (t, width) => {
    value += width * present(t);
  });
  overPanels({ length: years - bend, first, widest: 4 }, (t, width) => {
    value += width * present(bend + t);
  });
  return value;
}

function profitAt({ start, acceleration, turn, rise }: ProfitByTenure, t: number): number {
  const grown = start + acceleration * Math.min(t, turn) ** 2;
  return t <= turn ? grown : grown - rise * Math.expm1(turn - t);
}

function valueOfMigration(spec: CustomerMigration): number {
  const { contribution, promotion, discountRate, years, purchaseProbability } = spec;
  requireProbabilities(purchaseProbability);
  requireFinite({ contribution, promotion });
  requireCount("years", years);
  let recency = purchaseProbability.map((_, last) => Number(last === 0)); // shares by years since the last purchase
  let value = contribution;
  for (let year = 1; year <= years; year++) {
    const customers = recency.reduce((sum, share) => sum + share, 0);
    const buyers = recency.reduce(
      (sum, share, last) => sum + share * (purchaseProbability[last] as number),
      0,
    );
    value += contribution * buyers * (1 + discountRate) ** -year;
    value -= promotion * customers * (1 + discountRate) ** (0.5 - year);
    const paused = recency.map((share, last) => share * (1 - (purchaseProbability[last] as number)));
    recency = [buyers, ...paused.slice(0, -1)];
  }
  return value;
}

/** Customer migration as a Markov chain: what `markovValue` takes. */
export interface RecencyChain {
  /** "recency 1", "recency 2", … (years since the last purchase) and "lost". */
  readonly states: readonly string[];
  /** Shares that move from the state of the row to that of the column in a year. */
  readonly matrix: readonly (readonly number[])[];
  /** Contribution less promotion in the year of a purchase, less promotion in every other year, 0 once lost. */
  readonly reward: readonly number[];
}

/**
 * Berger & Nasr's case 5 as Pfeifer & Carraway's chain, in which the promotion of a year is spent at its beginning, on all who
 * are not lost, in the last year too.
 * @throws RangeError if a probability is not a fraction, there is none, or money is not finite.
 * @see Pfeifer & Carraway (2000), Modeling Customer Relationships as Markov Chains, J. Interactive Marketing 14(2).
 */
export function recencyChain({
  purchaseProbability,
  contribution,
  promotion,
}: Pick<CustomerMigration, "purchaseProbability" | "contribution" | "promotion">): RecencyChain {
  requireProbabilities(purchaseProbability);
  requireFinite({ contribution, promotion });
  const count = purchaseProbability.length;
  const move = (probability: number, last: number): number[] => {
    const row = new Array<number>(count + 1).fill(0);
    row[0] = probability;
    row[last + 1] = 1 - probability;
    return row;
  };
  const stayLost = purchaseProbability.map(() => 0).concat(1);
  return {
    states: [...purchaseProbability.map((_, last) => `recency ${last + 1}`), "lost"],
    matrix: [...purchaseProbability.map(move), stayLost],
    reward: [...purchaseProbability.map((_, last) => (last === 0 ? contribution : 0) - promotion), 0],
  };
}

function requireProbabilities(purchaseProbability: readonly number[]): void {
  if (purchaseProbability.length === 0) {
    throw new RangeError("purchaseProbability must hold at least one probability, got none");
  }
  requireRates(
    Object.fromEntries(
      purchaseProbability.map((p, last) => [`purchaseProbability of recency ${last + 1}`, p]),
    ),
  );
}

function requireCount(name: string, count: number): void {
  if (!(Number.isSafeInteger(count) && count >= 1)) {
    throw new RangeError(`${name} must be a whole number of 1 or more, got ${count}`);
  }
}
