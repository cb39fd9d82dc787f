import { type ColumnTable, table } from "arquero";
import { requireLevel, requireWhole } from "../core/arguments.js";
import { DataError } from "../core/errors.js";
import { compareIds, numberColumn, valueColumn } from "../core/table.js";
import { ExactSum, gammaQuantile } from "../numeric/quantile.js";

/** How costs are counted. */
export interface AcquisitionCostOptions {
  /** Column of the money spent; default "spend". */
  readonly spend?: string;
  /** Column of the customers won; default "won". */
  readonly won?: string;
  /** Coverage of the intervals; default 0.9. */
  readonly level?: number;
}

/** What can be said of the cost of a customer. */
export type CostStatus = "paid" | "organic" | "nobody won" | "no activity";

/**
 * What a new customer cost on average, by any columns of the table ("month", "channel", "region"); with none, in all.
 *
 * Columns out: those of `by`; `spend`; `won`; `status`; `cost` = spend / won; `cost_low` and `cost_high`, its interval, as
 * the number won is Poisson and the spend certain. The status says which of them exist, the others are null:
 * "paid" all; "nobody won" (spend, but no customers) only the lower end, for more customers than the data allow would have
 * cost less each; "organic" (customers, but no spend) and "no activity" none. Rows in the order of `by`.
 *
 * The average is what customers did cost. What one more would cost is the marginal cost: see `marginalCost`.
 * @throws DataError if the table is empty, a column is missing, a spend is below 0 or customers are not whole numbers.
 * @throws RangeError if the level is not between 0 and 1, or `by` names a column twice or one of those above.
 * @see Garwood (1936), Fiducial Limits for the Poisson Distribution, Biometrika 28.
 */
export function acquisitionCosts(
  spends: ColumnTable,
  by: readonly string[],
  options: AcquisitionCostOptions = {},
): ColumnTable {
  const { spend: spendColumn = "spend", won: wonColumn = "won", level = 0.9 } = options;
  requireLevel(level);
  const taken = ["spend", "won", "status", "cost", "cost_low", "cost_high"];
  for (const [place, name] of by.entries()) {
    if (!taken.includes(name) && by.indexOf(name) === place) continue;
    throw new RangeError(
      `by must name other columns than ${taken.join(", ")}, and each once, got ${by.join(", ")}`,
    );
  }
  const spend = numberColumn(spends, spendColumn, "spends", 0);
  const won = numberColumn(spends, wonColumn, "spends", 0);
  const row = won.findIndex((count) => !Number.isSafeInteger(count));
  if (row !== -1) {
    throw new DataError(`spends: ${wonColumn} in row ${row + 1} must be a whole number, got ${won[row]}`);
  }
  const keys = by.map((name) => valueColumn(spends, name, "spends"));
  const cells = new Map<
    string,
    { readonly key: readonly unknown[]; readonly spend: ExactSum; won: number }
  >();
  for (const [place, money] of spend.entries()) {
    const key = keys.map((column) => column[place]);
    const id = JSON.stringify(key.map(String));
    const cell = cells.get(id) ?? { key, spend: new ExactSum(), won: 0 };
    cells.set(id, cell);
    cell.spend.add(money);
    cell.won += won[place] as number;
  }
  const sorted = [...cells.values()].sort((a, b) => compareKeys(a.key, b.key));
  const costs = sorted.map((cell) => costOf(cell.spend.total, cell.won, level));
  return table({
    ...Object.fromEntries(by.map((name, k) => [name, sorted.map(({ key }) => key[k])])),
    spend: sorted.map((cell) => cell.spend.total),
    won: sorted.map((cell) => cell.won),
    status: costs.map(({ status }) => status),
    cost: costs.map(({ cost }) => cost),
    cost_low: costs.map(({ low }) => low),
    cost_high: costs.map(({ high }) => high),
  });
}

interface Cost {
  readonly status: CostStatus;
  readonly cost: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

function costOf(spend: number, won: number, level: number): Cost {
  if (spend === 0)
    return { status: won === 0 ? "no activity" : "organic", cost: null, low: null, high: null };
  const { low, high } = poissonInterval(won, level);
  if (won === 0) return { status: "nobody won", cost: null, low: spend / high, high: null };
  return { status: "paid", cost: spend / won, low: spend / high, high: spend / low };
}

/**
 * Exact interval of the mean of a Poisson count: the means under which a count as large, or as small, has at least a
 * probability of (1 - level) / 2. It covers with at least the given level.
 * @throws RangeError if the count is no whole number from 0 up, or the level is not between 0 and 1.
 * @see Garwood (1936), Fiducial Limits for the Poisson Distribution, Biometrika 28.
 */
export function poissonInterval(count: number, level = 0.9): { readonly low: number; readonly high: number } {
  requireLevel(level);
  requireWhole("count", count, 0);
  const tail = (1 - level) / 2;
  const low = count === 0 ? 0 : gammaQuantile(tail, count);
  return Object.freeze({ low, high: gammaQuantile(1 - tail, count + 1) });
}

function compareKeys(a: readonly unknown[], b: readonly unknown[]): number {
  for (const [k, value] of a.entries()) {
    const order = compareIds(value, b[k]);
    if (order !== 0) return order;
  }
  return 0;
}
