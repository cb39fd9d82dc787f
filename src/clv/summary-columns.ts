import type { ColumnTable } from "arquero";
import { DataError } from "../core/errors.js";
import { numberColumn } from "../core/table.js";
import type { MeanSpends } from "./gamma-gamma.js";
import type { ValuedCustomers } from "./value.js";

/**
 * The columns `x`, `recency`, `age` and `mean_spend` of a purchase summary, as models, forecasts and values take them.
 * @throws DataError if a column is missing or holds something else than numbers.
 */
export const historiesOf = (summary: ColumnTable): ValuedCustomers => ({
  x: numberColumn(summary, "x", "summary"),
  recency: numberColumn(summary, "recency", "summary"),
  age: numberColumn(summary, "age", "summary"),
  meanSpend: numberColumn(summary, "mean_spend", "summary"),
});

/**
 * Repeat purchases and mean spend of the repeat buyers of a purchase summary, as `fitGammaGamma` takes them.
 * @throws DataError if a column is missing or holds something else than numbers, or nobody bought again.
 */
export function repeatSpends(summary: ColumnTable): MeanSpends {
  const { x, meanSpend } = historiesOf(summary);
  const rows = Array.from(x, (count, row) => ({ count, row })).filter(({ count }) => count > 0);
  if (rows.length === 0) throw new DataError("summary must have repeat buyers, got none");
  return {
    x: Float64Array.from(rows, ({ count }) => count),
    meanSpend: Float64Array.from(rows, ({ row }) => meanSpend[row] as number),
  };
}
