import { DataError } from "../core/errors.js";

/** One row of a log of purchases: who, on which day (since 1970-01-01), how much money. */
export interface PurchaseRow {
  readonly id: unknown;
  readonly day: number;
  readonly money: number;
}

/**
 * What to do with rows whose amount is not above 0.
 *
 * - `reject`: a negative amount is an error; an amount of 0 is a purchase that cost nothing.
 * - `drop`: rows with an amount of 0 or less are left out, so that purchases keep their full amounts.
 * - `net`: the amounts of a customer on one day are added; a day that comes to 0 or less is no purchase.
 */
export type ReturnRule = "reject" | "drop" | "net";

/** What a rule for returns does to a log of purchases. */
export interface ReturnCounts {
  /** The rule that did it. */
  readonly rule: ReturnRule;
  /** Rows with an amount of 0 or less. */
  readonly rows: number;
  /** The money of these rows, 0 or less. */
  readonly amount: number;
  /** Customers who have such rows. */
  readonly customers: number;
  /** Days of customers that are no purchase by the rule. */
  readonly daysRemoved: number;
  /** Customers who have no purchase left. */
  readonly customersRemoved: number;
  /** Returned money, 0 or less, for which no purchase is smaller: mean spend is too high by it. */
  readonly amountLeftOut: number;
}

/** Money of every customer by day; a customer's days are in the order of the rows. */
export type SpendByDay = Map<unknown, Map<number, number>>;

/** Adds the money of every customer by day. */
export function spendByDay(rows: Iterable<PurchaseRow>): SpendByDay {
  const customers: SpendByDay = new Map();
  for (const { id, day, money } of rows) {
    const days = customers.get(id) ?? new Map<number, number>();
    customers.set(id, days.set(day, (days.get(day) ?? 0) + money));
  }
  return customers;
}

/** How many days with purchases all customers have together. */
export function purchaseDayCount(customers: SpendByDay): number {
  let days = 0;
  for (const own of customers.values()) days += own.size;
  return days;
}

/** Sums of cents in binary leave rests such as 10.1 + 20.2 - 30.3 = 3.6e-15: that is 0, not a purchase. */
const ROUNDING = 1e-12;

/**
 * Purchases by customer and day with returns treated by a rule, and what the rule did.
 * @throws DataError under `reject` if an amount is negative: it names the rows (from 1).
 */
export function treatReturns(
  rows: readonly PurchaseRow[],
  rule: ReturnRule,
  amountColumn: string,
): { readonly customers: SpendByDay; readonly counts: ReturnCounts } {
  if (rule === "reject") requireNoReturns(rows, amountColumn);
  const returned = rows.filter(({ money }) => money <= 0);
  const all = spendByDay(rows);
  const customers = returned.length === 0 || rule === "reject" ? all : keep[rule](rows);
  const amount = moneyOf(returned);
  const counts = Object.freeze({
    rule,
    rows: returned.length,
    amount,
    customers: new Set(returned.map(({ id }) => id)).size,
    daysRemoved: purchaseDayCount(all) - purchaseDayCount(customers),
    customersRemoved: all.size - customers.size,
    amountLeftOut:
      rule === "net" ? moneyOf(rows.filter(({ id, day }) => !customers.get(id)?.has(day))) : amount,
  });
  return { customers, counts };
}

const keep = {
  drop: (rows: readonly PurchaseRow[]): SpendByDay => spendByDay(rows.filter(({ money }) => money > 0)),
  net: (rows: readonly PurchaseRow[]): SpendByDay => {
    const turnover = spendByDay(rows.map((row) => ({ ...row, money: Math.abs(row.money) })));
    const customers: SpendByDay = new Map();
    for (const [id, days] of spendByDay(rows)) {
      const bought = [...days].filter(([day, net]) => net > ROUNDING * (turnover.get(id)?.get(day) ?? 0));
      if (bought.length > 0) customers.set(id, new Map(bought));
    }
    return customers;
  },
};

const moneyOf = (rows: readonly PurchaseRow[]): number => rows.reduce((sum, { money }) => sum + money, 0);

function requireNoReturns(rows: readonly PurchaseRow[], amountColumn: string): void {
  const negative: number[] = [];
  for (const [row, { money }] of rows.entries()) if (money < 0) negative.push(row);
  const [first] = negative;
  if (first === undefined) return;
  const others = negative.length === 1 ? "" : ` (as in ${rowList(negative)})`;
  throw new DataError(
    `purchases: ${amountColumn} in row ${first + 1} must be a number of at least 0, got ${rows[first]?.money}${others}; ` +
      `returns: "drop" leaves such rows out, returns: "net" sets them off against the purchases of the day`,
  );
}

/** "row 3", or "rows 1, 2, 4, 5, 6 and 12 more": row numbers from 1 as an error message prints them. */
export function rowList(rows: readonly number[]): string {
  const shown = rows.slice(0, 5).map((row) => row + 1);
  const rest = rows.length > shown.length ? ` and ${rows.length - shown.length} more` : "";
  return `${rows.length === 1 ? "row" : "rows"} ${shown.join(", ")}${rest}`;
}
