import { type ColumnTable, table } from "arquero";
import { requireWhole } from "../core/arguments.js";
import { finiteColumn } from "../core/columns.js";
import { DataError } from "../core/errors.js";
import { kaplanMeier } from "./kaplan-meier.js";
import {
  countAtMost,
  riskTable,
  type SurvivalData,
  survivalColumns,
  uncensoredBefore,
} from "./survival-data.js";

/**
 * Do the predicted shares come true? Customers in groups of equal size by the predicted share still there at time `at`,
 * from those thought least likely to stay to the likeliest, beside the Kaplan-Meier share of the group.
 * @param predicted Share still there at `at`, for each row of the data, from 0 to 1.
 * @returns Columns group (1 is the lowest prediction), customers, predicted (mean), observed, low, high (its interval).
 * @throws DataError if the data are bad, a prediction is no share, or there are fewer customers than groups; RangeError if
 * `at` is after the last time at which a group was observed, or `groups` is not a whole number from 1 up.
 * @see Harrell (2015), Regression Modeling Strategies, 2nd ed., section 20.10.
 */
export function survivalCalibration(
  data: SurvivalData,
  predicted: ArrayLike<number>,
  {
    at,
    groups = 10,
    level = 0.95,
  }: { readonly at: number; readonly groups?: number; readonly level?: number },
): ColumnTable {
  requireWhole("groups", groups, 1);
  const { size, time, event, entry, weight } = survivalColumns(data);
  const shares = sharesOf(predicted, size);
  if (size < groups)
    throw new DataError(`survival data must have a row for each of ${groups} groups, got ${size}`);
  const order = Array.from(shares.keys()).sort((a, b) => (shares[a] as number) - (shares[b] as number));
  const rows = Array.from({ length: groups }, (_, group) => {
    const members = order.slice(
      Math.floor((group * size) / groups),
      Math.floor(((group + 1) * size) / groups),
    );
    const of = (column: ArrayLike<number>): number[] => members.map((row) => column[row] as number);
    const curve = kaplanMeier(
      { time: of(time), event: of(event), weight: of(weight), ...(entry ? { entry: of(entry) } : {}) },
      { confidence: "log-log", level },
    );
    const last = curve.times.at(-1) as number;
    if (at > last && (curve.survival.at(-1) as number) > 0) {
      throw new RangeError(
        `at must be at most ${last}, the last observed time of group ${group + 1}, got ${at}`,
      );
    }
    const place = countAtMost(curve.times, at) - 1;
    const atPlace = (column: Float64Array): number => (place < 0 ? 1 : (column[place] as number));
    const customers = of(weight).reduce((sum, one) => sum + one, 0);
    const mean = members.reduce((sum, row) => sum + (shares[row] as number) * (weight[row] as number), 0);
    return {
      group: group + 1,
      customers,
      predicted: mean / customers,
      observed: atPlace(curve.survival),
      low: atPlace(curve.low),
      high: atPlace(curve.high),
    };
  });
  const column = (name: keyof (typeof rows)[number]): number[] => rows.map((row) => row[name]);
  return table({
    group: column("group"),
    customers: column("customers"),
    predicted: column("predicted"),
    observed: column("observed"),
    low: column("low"),
    high: column("high"),
  });
}

/**
 * Brier score at a time: mean squared difference between "still there" (1 or 0) and the predicted share. Customers
 * censored before are made up for by weighting the others with one over their chance not to be censored (Kaplan-Meier of
 * the censoring). 0 is perfect; a prediction of one half for everybody gives 0.25.
 * @throws DataError if the data are bad, have entries, or a prediction is no share; RangeError if `at` is not above 0 or
 * after the last observed time.
 * @see Graf, Schmoor, Sauerbrei & Schumacher (1999), Statistics in Medicine 18.
 */
export function survivalBrierScore(data: SurvivalData, predicted: ArrayLike<number>, at: number): number {
  if (data.entry) throw new DataError("entry must not be given: the score needs customers seen from time 0");
  if (!(at > 0)) throw new RangeError(`at must be above 0, got ${at}`);
  const columns = survivalColumns(data);
  const { size, time, event, weight } = columns;
  const shares = sharesOf(predicted, size);
  const risks = riskTable(columns);
  const last = risks.times.at(-1) as number;
  if (at > last) throw new RangeError(`at must be at most the last observed time ${last}, got ${at}`);
  const chances = uncensoredBefore(risks);
  const after = chances[countAtMost(risks.times, at)] as number;
  let [sum, all] = [0, 0];
  for (let row = 0; row < size; row++) {
    const [seen, share, w] = [time[row] as number, shares[row] as number, weight[row] as number];
    all += w;
    if (seen > at) sum += (w * (1 - share) ** 2) / after;
    else if (event[row] === 1)
      sum += (w * share ** 2) / (chances[countAtMost(risks.times, seen) - 1] as number);
  }
  return sum / all;
}

const sharesOf = (predicted: ArrayLike<number>, size: number): Float64Array =>
  finiteColumn("predicted", predicted, size, (share) => share >= 0 && share <= 1, "a share from 0 to 1");
