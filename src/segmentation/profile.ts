import { type ColumnTable, table } from "arquero";
import { mean } from "simple-statistics";
import { DataError } from "../core/errors.js";
import { numberColumn, valueColumn } from "../core/table.js";
import { quantileType7, total } from "../numeric/quantile.js";
import { gini, type NegativeRule } from "./concentration.js";
import { type SegmentTable, standardSegments } from "./segments.js";

/**
 * What each segment is and brings: one row per segment that has customers, in the order of the segment table.
 *
 * Columns: `segment`, `customers`, `customer_share`, `revenue`, `revenue_share`, mean and median of `recency_days`,
 * `frequency` and `monetary`, `gini` of revenue within the segment (0 where nobody spent), `advice`.
 * @throws DataError if the table is empty, a column is missing, a segment is unknown or the revenue is not above 0 in total.
 */
export function profileSegments(
  customers: ColumnTable,
  segments: SegmentTable = standardSegments,
  options: { readonly negative?: NegativeRule } = {},
): ColumnTable {
  const names = valueColumn(customers, "segment", "customers");
  const recency = numberColumn(customers, "recency_days", "customers", 0);
  const frequency = numberColumn(customers, "frequency", "customers", 0);
  const monetary = numberColumn(customers, "monetary", "customers");
  const revenueOfAll = total(monetary);
  if (revenueOfAll <= 0)
    throw new DataError(`customers: monetary must sum to more than 0, got ${revenueOfAll}`);

  const known = new Set(segments.segments.map(({ name }) => name));
  const stranger = names.findIndex((name) => !known.has(String(name)));
  if (stranger !== -1) {
    throw new DataError(
      `customers: segment in row ${stranger + 1} must be one of ${[...known].join(", ")}, got "${String(names[stranger])}"`,
    );
  }

  const rowsOf = new Map<unknown, number[]>();
  for (const [row, name] of names.entries()) {
    const own = rowsOf.get(name);
    if (own) own.push(row);
    else rowsOf.set(name, [row]);
  }
  const rows = segments.segments
    .map(({ name, advice }) => ({ name, advice, members: rowsOf.get(name) ?? [] }))
    .filter(({ members }) => members.length > 0)
    .map(({ name, advice, members }) => {
      const spend = pick(monetary, members);
      const revenue = total(spend);
      return {
        segment: name,
        customers: members.length,
        customer_share: members.length / names.length,
        revenue,
        revenue_share: revenue / revenueOfAll,
        ...averages("recency_days", pick(recency, members)),
        ...averages("frequency", pick(frequency, members)),
        ...averages("monetary", spend),
        gini: spend.some((money) => money > 0) ? gini(spend, options) : 0,
        advice,
      };
    });
  const columns = Object.keys(rows[0] ?? {}) as (keyof (typeof rows)[number])[];
  return table(Object.fromEntries(columns.map((column) => [column, rows.map((row) => row[column])])));
}

const pick = (values: Float64Array, rows: readonly number[]): number[] =>
  rows.map((row) => values[row] ?? Number.NaN);

function averages<Name extends string>(
  name: Name,
  values: number[],
): Record<`mean_${Name}` | `median_${Name}`, number> {
  const sorted = Float64Array.from(values).sort();
  return { [`mean_${name}`]: mean(values), [`median_${name}`]: quantileType7(sorted, 0.5) } as Record<
    `mean_${Name}` | `median_${Name}`,
    number
  >;
}
