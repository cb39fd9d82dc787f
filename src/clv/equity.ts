import { type ColumnTable, table } from "arquero";
import { DataError } from "../core/errors.js";
import type { BuyingModel } from "./buying-model.js";
import type { ModelFit } from "./fit.js";
import type { GammaGammaParameters } from "./gamma-gamma.js";
import { equalTailed, type ParameterDraws } from "./uncertainty.js";
import { customerLifetimeValues, type ValuedCustomers, type ValueTerms } from "./value.js";

/** What customer equity is computed from. */
export interface EquityInput<P extends string> {
  readonly model: BuyingModel<P>;
  readonly fit: ModelFit<P>;
  readonly spendFit: ModelFit<keyof GammaGammaParameters>;
  readonly customers: ValuedCustomers;
  /** Segment of each customer. */
  readonly segment: readonly string[];
  readonly terms: ValueTerms;
  /** Plausible parameters, for intervals; as many of one model as of the other. */
  readonly draws: ParameterDraws<P>;
  readonly spendDraws: ParameterDraws<keyof GammaGammaParameters>;
  /** Level of the intervals; 0.9 if left out. */
  readonly level?: number;
}

/**
 * Customer equity, the lifetime values of all customers together, by segment and for the whole base: columns `segment`
 * (the last row is "all"), `customers`, `value` (money, the mean of the segment) with its interval `low` to `high`, `equity`
 * (money, all customers of it) with `equity_low` to `equity_high`, and `share` of the whole. The intervals are of the
 * expectation: over the parameters that are plausible after the data; chance of single customers averages out in a
 * segment. Segments by falling equity.
 * @throws DataError if the segments are not one a customer. @throws RangeError if draws or terms are not possible.
 * @see Blattberg & Deighton (1996), Manage Marketing by the Customer Equity Test, Harvard Business Review 74(4);
 * Rust, Lemon & Zeithaml (2004), Return on Marketing, J. Marketing 68(1).
 */
export function customerEquity<P extends string>(input: EquityInput<P>): ColumnTable {
  const { model, fit, spendFit, customers, segment, terms, draws, spendDraws, level } = input;
  if (segment.length !== customers.x.length) {
    throw new DataError(
      `segment must have one entry for each of ${customers.x.length} customers, got ${segment.length}`,
    );
  }
  if (draws.parameters.length !== spendDraws.parameters.length) {
    throw new RangeError(
      `spendDraws must be as many as the draws, ${draws.parameters.length}, got ${spendDraws.parameters.length}`,
    );
  }
  const names = [...new Set(segment)].sort();
  const place = new Map(names.map((name, index) => [name, index]));
  const places = Uint32Array.from(segment, (name) => place.get(name) as number);
  const sizes = new Float64Array(names.length + 1);
  for (const at of places) sizes[at] = (sizes[at] as number) + 1;
  sizes[names.length] = segment.length;
  const totals = (values: Float64Array): Float64Array => {
    const sums = new Float64Array(names.length + 1);
    for (const [row, value] of values.entries()) {
      const at = places[row] as number;
      sums[at] = (sums[at] as number) + value;
      sums[names.length] = (sums[names.length] as number) + value;
    }
    return sums;
  };
  const equity = totals(customerLifetimeValues(model, fit.parameters, spendFit.parameters, customers, terms));
  const byDraw = draws.parameters.map((parameters, draw) => {
    const spend = spendDraws.parameters[draw] as GammaGammaParameters;
    return totals(customerLifetimeValues(model, parameters, spend, customers, terms));
  });
  const rows = [...names, "all"].map((name, at) => {
    const { low, high } = equalTailed(
      byDraw.map((sums) => sums[at] as number),
      level,
    );
    return { name, customers: sizes[at] as number, equity: equity[at] as number, low, high };
  });
  const whole = rows.pop() as (typeof rows)[number];
  rows.sort((a, b) => b.equity - a.equity).push(whole);
  return table({
    segment: rows.map(({ name }) => name),
    customers: rows.map((row) => row.customers),
    value: rows.map((row) => row.equity / row.customers),
    low: rows.map((row) => row.low / row.customers),
    high: rows.map((row) => row.high / row.customers),
    equity: rows.map((row) => row.equity),
    equity_low: rows.map(({ low }) => low),
    equity_high: rows.map(({ high }) => high),
    share: rows.map((row) => row.equity / whole.equity),
  });
}
