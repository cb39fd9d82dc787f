import type { ColumnTable } from "arquero";
import { DataError } from "../core/errors.js";
import { compareIds, describe, idColumn, numberColumn } from "../core/table.js";
import {
  type LevelUtilities,
  respondentWeights,
  weightedMeans,
  zeroCentredDifferences,
} from "./part-worths.js";
import type { MarketSimulation } from "./simulator.js";

/** Respondents who want the same things. */
export interface BenefitSegment {
  readonly segment: string | number;
  readonly respondents: number;
  /** Share of all respondents. */
  readonly share: number;
  /** Share of the value of all respondents as customers, where values are given. */
  readonly valueShare?: number;
  /** Mean value of a respondent as a customer, in money, where values are given. */
  readonly meanValue?: number;
  /** What they want: mean zero-centred difference of each level, attribute after attribute. */
  readonly levels: readonly {
    readonly attribute: string;
    readonly level: string;
    readonly utility: number;
  }[];
}

/**
 * What each segment of respondents wants and what it is worth. The segments may come from a latent-class logit or from
 * clustering the zero-centred differences; the mean differences say what makes each of them.
 * @param segments Segment of each respondent.
 * @param values Value of each respondent as a customer, from 0 up (see `customerValues`).
 * @throws DataError if segments or values do not fit the respondents, a value is below 0, or all utilities of a respondent
 * are equal.
 * @see Haley (1968), Benefit Segmentation: A Decision-oriented Research Tool, J. Marketing 32(3).
 */
export function benefitSegments(
  utilities: LevelUtilities,
  segments: ArrayLike<string | number>,
  values?: ArrayLike<number>,
): readonly BenefitSegment[] {
  const n = utilities.respondents.length;
  const centred = zeroCentredDifferences(utilities).values;
  const worth = values && valuesOf(values, n);
  const total = worth?.reduce((sum, value) => sum + value, 0) ?? 0;
  const levels = utilities.attributes.flatMap(({ attribute, levels: names }) =>
    names.map((level) => ({ attribute, level })),
  );
  return membersOf(segments, n).map(({ segment, members }) => {
    const means = weightedMeans(
      members.map((who) => centred[who] as Float64Array),
      new Float64Array(members.length).fill(1),
    );
    const own = members.reduce((sum, who) => sum + (worth?.[who] ?? 0), 0);
    return Object.freeze({
      segment,
      respondents: members.length,
      share: members.length / n,
      ...(worth ? { valueShare: own / total, meanValue: own / members.length } : {}),
      levels: levels.map((level, place) => ({ ...level, utility: means[place] as number })),
    });
  });
}

/** How a segment would buy. */
export interface SegmentProduct {
  readonly segment: string | number;
  readonly product: string;
  /** Share of the segment's purchases. */
  readonly share: number;
  /** The same if each respondent counts by value as a customer, where values are given. */
  readonly valueWeightedShare?: number;
  /** Value of the segment's customers times their shares of this product, in money, where values are given. */
  readonly value?: number;
  /** Whether no other product (or none) has more of the segment, by value where values are given. */
  readonly preferred: boolean;
}

/**
 * Shares of every product in every segment: which product for which, and how valuable, customers.
 * @param segments Segment of each respondent of the simulation.
 * @param values Value of each respondent as a customer, from 0 up; a segment without value has none of the valued columns'
 * sense and is refused.
 * @throws DataError if segments or values do not fit the respondents, or a segment has no value at all.
 */
export function productsBySegment(
  { shares, individual }: MarketSimulation,
  segments: ArrayLike<string | number>,
  values?: ArrayLike<number>,
): readonly SegmentProduct[] {
  const worth = values && valuesOf(values, individual.length);
  return membersOf(segments, individual.length).flatMap(({ segment, members }) => {
    const buyers = members.filter((who) => individual[who]?.some((share) => share > 0)); // others are left out by the rule
    const rows = buyers.map((who) => individual[who] as Float64Array);
    const plain = weightedMeans(rows, new Float64Array(rows.length).fill(1));
    const weights = worth && Float64Array.from(buyers, (who) => worth[who] as number);
    const total = weights?.reduce((sum, value) => sum + value, 0) ?? rows.length;
    if (total === 0)
      throw new DataError(`segment ${describe(segment)} must have customers of some value who buy, got none`);
    const valued = weights && weightedMeans(rows, weights);
    const most = Math.max(...(valued ?? plain));
    return shares.map(({ product }, j) => {
      const weighted = valued?.[j];
      return Object.freeze({
        segment,
        product,
        share: plain[j] as number,
        ...(weighted === undefined ? {} : { valueWeightedShare: weighted, value: weighted * total }),
        preferred: (valued ?? plain)[j] === most,
      });
    });
  });
}

/**
 * Value of each respondent as a customer, looked up by name in a table of customers.
 * @param columns Names of the columns; "customer_id" and "clv" unless given.
 * @throws DataError if a column is missing or bad, a customer comes twice, or a respondent is no customer.
 */
export function customerValues(
  respondents: readonly unknown[],
  customers: ColumnTable,
  { customer = "customer_id", value = "clv" }: { readonly customer?: string; readonly value?: string } = {},
): Float64Array {
  const ids = idColumn(customers, customer, "customers");
  const values = numberColumn(customers, value, "customers");
  const byId = new Map<unknown, number>();
  for (const [row, id] of ids.entries()) {
    if (byId.has(id))
      throw new DataError(`customers: ${describe(id)} must come once, but comes again in row ${row + 1}`);
    byId.set(id, values[row] as number);
  }
  return Float64Array.from(respondents, (respondent) => {
    const found = byId.get(respondent);
    if (found === undefined)
      throw new DataError(
        `customers: respondent ${describe(respondent)} must be in column ${customer}, but is not`,
      );
    return found;
  });
}

/** Places of the respondents of each segment, in the order of the labels. */
function membersOf(
  segments: ArrayLike<string | number>,
  respondents: number,
): { readonly segment: string | number; readonly members: readonly number[] }[] {
  if (segments.length !== respondents)
    throw new DataError(
      `segments must be one for each of the ${respondents} respondents, got ${segments.length}`,
    );
  const members = new Map<string | number, number[]>();
  for (let who = 0; who < respondents; who++) {
    const segment: unknown = segments[who];
    if (
      (typeof segment !== "string" && typeof segment !== "number") ||
      segment === "" ||
      Number.isNaN(segment)
    )
      throw new DataError(`segments: number ${who + 1} must be a label, got ${describe(segment)}`);
    const own = members.get(segment);
    if (own) own.push(who);
    else members.set(segment, [who]);
  }
  return [...members]
    .sort(([a], [b]) => compareIds(a, b))
    .map(([segment, own]) => ({ segment, members: own }));
}

const valuesOf = (values: ArrayLike<number>, respondents: number): Float64Array =>
  respondentWeights(values, respondents, "values of customers");
