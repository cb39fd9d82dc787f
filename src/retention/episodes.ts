import { type ColumnTable, table } from "arquero";
import { requireFinite, requireOneOf } from "../core/arguments.js";
import type { CovariateColumns } from "../core/covariates.js";
import { isoDay, monthsBetween } from "../core/day.js";
import { DataError } from "../core/errors.js";
import { dayColumn, dayOf, requireDay } from "../core/read-day.js";
import { describe, idColumn, numberColumn, textColumn, valueColumn } from "../core/table.js";
import { ascendingOrder, type SurvivalData } from "./survival-data.js";

/** How to cut contracts into episodes. */
export interface EpisodeOptions {
  /** Last day that is known, for instance "2025-12-31": ends and changes after it are as if they had not happened yet. */
  readonly lastDay: string;
  /** What time since the start is counted in; months are those of the calendar: see `survivalEpisodes`. */
  readonly unit: "days" | "weeks" | "months";
  /**
   * Value of each covariate until its first change: one number for all contracts (0 for a running count), or the column of
   * the contracts that holds it. Covariates that never change are named here, too.
   */
  readonly initial?: Readonly<Record<string, number | string>>;
  /** Column of the contracts that is 1 where the end counts as leaving, else 0; every end does unless given. */
  readonly event?: string;
  /**
   * Column of the contracts with the first day from which each was observed (left truncation): only ends after it are known;
   * a missing value stands for the start. All are observed from their start unless given.
   */
  readonly observedFrom?: string;
  /** Column that names the customer in both tables; "customer_key" unless given. */
  readonly customer?: string;
}

/** Contracts cut where a covariate changes: rows (entry, time], by contract, then time. */
export interface SurvivalEpisodes extends SurvivalData {
  readonly time: Float64Array;
  readonly event: Uint8Array;
  readonly entry: Float64Array;
  /** Covariates by name, with the values that hold in each row. */
  readonly covariates: CovariateColumns;
  /** Customer of each row as text: the `cluster` of robust standard errors. */
  readonly customer: readonly string[];
  /** Row of the contract in its table, from 0: picks strata and weights. */
  readonly contract: Uint32Array;
}

/**
 * Episodes of contracts for models with covariates that change over time: each contract is cut into rows (entry, time] in
 * which all covariates are constant, time counted from its start. `fitCox(episodes, episodes.covariates)` takes them.
 *
 * `contracts` has a row for each contract: the customer, `started_on` and `ended_on` (days; null while it runs). `changes`
 * has a row for each change: the customer, `changed_on`, `covariate` (its name) and `value`; see `runningCounts`. A value
 * holds from the end of its day until the next change: an end on the day of a change still belongs to the value before,
 * so that what the leaving itself sets off does not predict it. Changes up to the first observed day give the value there.
 * Changes after the end or the last day, and changes of customers without a contract, are left out; so are contracts that
 * were not at risk between their first observed and the last day.
 *
 * A month ends on the day of the month on which the contract started (the last one where a month is too short), so that a
 * contract which ends at its third monthly renewal has the time 3; days between count as shares of their month.
 * @throws DataError if a column is missing or a value is bad, a contract does not end after its start, one that runs has an
 * event, a covariate changes twice on one day or has no value at the start, no contract was at risk, or no change is of a
 * customer with a contract; RangeError if the last day is no day, the unit is unknown, or an initial value is no number.
 * @see Andersen & Gill (1982), Annals of Statistics 10(4); Therneau & Grambsch (2000), Modeling Survival Data, chapter 3.
 */
export function survivalEpisodes(
  contracts: ColumnTable,
  changes: ColumnTable | undefined,
  options: EpisodeOptions,
): SurvivalEpisodes {
  const { unit } = options;
  requireOneOf("unit", unit, Object.keys(timeSince));
  const time = timeSince[unit];
  const observed = readContracts(contracts, options);
  const { names, byCustomer } = readChanges(changes, options);
  if (byCustomer.size > 0 && !observed.some(({ customer }) => byCustomer.has(customer))) {
    const [stranger] = byCustomer.keys();
    throw new DataError(
      `changes: some customer must have a contract, but none has; changes name ${describe(stranger)}, contracts ${describe(observed[0]?.customer)}`,
    );
  }
  const valuesBefore = initialValues(contracts, names, options.initial);
  const episodes = {
    time: [] as number[],
    event: [] as number[],
    entry: [] as number[],
    customer: [] as string[],
    contract: [] as number[],
  };
  const columns = names.map((): number[] => []);
  for (const { row, customer, start, from, end, left } of observed) {
    const values = valuesBefore(row);
    const own = byCustomer.get(customer) ?? [];
    for (const { day, covariate, value } of own) if (day <= from) values[covariate] = value;
    const unknown = values.indexOf(undefined);
    if (unknown !== -1) {
      throw new DataError(
        `changes: ${names[unknown]} of customer ${describe(customer)} must have a value on ${isoDay(from)}, the first day of the contract in row ${row + 1}, got none: give one in initial, or a change up to that day`,
      );
    }
    const add = (entry: number, until: number, event: number): void => {
      episodes.entry.push(time(start, entry));
      episodes.time.push(time(start, until));
      episodes.event.push(event);
      episodes.customer.push(customer);
      episodes.contract.push(row);
      for (const [j, column] of columns.entries()) column.push(values[j] as number);
    };
    let entry = from;
    for (const { day, covariate, value } of own) {
      if (day <= from || day >= end || value === values[covariate]) continue;
      if (day > entry) add(entry, day, 0);
      entry = day;
      values[covariate] = value;
    }
    add(entry, end, left);
  }
  return Object.freeze({
    time: Float64Array.from(episodes.time),
    event: Uint8Array.from(episodes.event),
    entry: Float64Array.from(episodes.entry),
    covariates: Object.freeze(
      Object.fromEntries(names.map((name, j) => [name, Float64Array.from(columns[j] as number[])])),
    ),
    customer: Object.freeze(episodes.customer),
    contract: Uint32Array.from(episodes.contract),
  });
}

/**
 * Changes of running counts, for `survivalEpisodes`: how many rows of a log each customer has had so far, one covariate for
 * each kind of row. `runningCounts(contacts, { day: "contacted_on", kind: "reason" })` counts the contacts so far for
 * each reason; those of a customer on one day are one change.
 * @throws DataError if a column is missing or a value is bad.
 */
export function runningCounts(
  log: ColumnTable,
  options: {
    /** Column of the day. */
    readonly day: string;
    /** Column of the kind of the row, a text: the name of the covariate. */
    readonly kind: string;
    /** Column that names the customer; "customer_key" unless given. */
    readonly customer?: string;
  },
): ColumnTable {
  const { day, kind, customer = "customer_key" } = options;
  const ids = idColumn(log, customer, "log");
  const days = dayColumn(log, day, "log");
  const kinds = textColumn(log, kind, "log");
  const counts = new Map<string, number>();
  const last = new Map<string, number>();
  const rows = {
    customer: [] as unknown[],
    changed_on: [] as number[],
    covariate: [] as string[],
    value: [] as number[],
  };
  for (const row of ascendingOrder(Float64Array.from(days))) {
    const key = JSON.stringify([String(ids[row]), kinds[row]]);
    const value = (counts.get(key) ?? 0) + 1;
    counts.set(key, value);
    const before = last.get(key);
    if (before !== undefined && rows.changed_on[before] === days[row]) {
      rows.value[before] = value;
      continue;
    }
    last.set(key, rows.value.length);
    rows.customer.push(ids[row]);
    rows.changed_on.push(days[row] as number);
    rows.covariate.push(kinds[row] as string);
    rows.value.push(value);
  }
  const { customer: names, ...rest } = rows;
  return table({ [customer]: names, ...rest });
}

/** Time from a start to a later day, by unit. */
const timeSince: Readonly<Record<EpisodeOptions["unit"], (start: number, day: number) => number>> = {
  days: (start, day) => day - start,
  weeks: (start, day) => (day - start) / 7,
  months: monthsBetween,
};

/** A contract as it was observed: at risk on the days after `from` up to and with `end`. */
interface Contract {
  /** Row in the table, from 0. */
  readonly row: number;
  readonly customer: string;
  readonly start: number;
  readonly from: number;
  readonly end: number;
  /** 1 if the customer left at the end. */
  readonly left: number;
}

/** Contracts that were at risk. */
function readContracts(contracts: ColumnTable, options: EpisodeOptions): readonly Contract[] {
  const { customer = "customer_key", event, observedFrom } = options;
  const place = "contracts";
  const lastDay = requireDay("lastDay", options.lastDay);
  const customers = idColumn(contracts, customer, place);
  const starts = dayColumn(contracts, "started_on", place);
  const ends = optionalDays(contracts, "ended_on");
  const firsts = observedFrom === undefined ? [] : optionalDays(contracts, observedFrom);
  const flags =
    event === undefined
      ? ends.map((end) => Number(end !== undefined))
      : numberColumn(contracts, event, place);
  const observed = starts.flatMap((start, row) => {
    const [ended, flag] = [ends[row] ?? Number.POSITIVE_INFINITY, flags[row] as number];
    if (ended <= start) {
      throw new DataError(
        `${place}: ended_on in row ${row + 1} must be after started_on ${isoDay(start)}, got ${isoDay(ended)}`,
      );
    }
    if (!(flag === 0 || (flag === 1 && Number.isFinite(ended)))) {
      const allowed = Number.isFinite(ended) ? "0 or 1" : "0 while the contract runs";
      throw new DataError(`${place}: ${event} in row ${row + 1} must be ${allowed}, got ${flag}`);
    }
    const from = Math.max(start, firsts[row] ?? start);
    const end = Math.min(ended, lastDay);
    if (from >= end) return [];
    return [{ row, customer: String(customers[row]), start, from, end, left: end === ended ? flag : 0 }];
  });
  if (observed.length > 0) return observed;
  throw new DataError(`${place}: at least one must have been at risk by ${options.lastDay}, got none`);
}

/** Day numbers of a column of the contracts, undefined where a value is missing. */
const optionalDays = (contracts: ColumnTable, name: string): readonly (number | undefined)[] =>
  valueColumn(contracts, name, "contracts").map((value, row) => {
    if (value === null || value === undefined) return undefined;
    const day = dayOf(value);
    if (day !== undefined) return day;
    throw new DataError(
      `contracts: ${name} in row ${row + 1} must be a day such as "1997-09-30", or null, got ${describe(value)}`,
    );
  });

/** One covariate of a customer gets a new value. */
interface Change {
  readonly day: number;
  /** Place of the covariate among the names. */
  readonly covariate: number;
  readonly value: number;
}

/** All covariates, those with an initial value first, and the changes of each customer by day. */
function readChanges(
  changes: ColumnTable | undefined,
  { initial = {}, customer = "customer_key" }: EpisodeOptions,
): { readonly names: readonly string[]; readonly byCustomer: ReadonlyMap<string, readonly Change[]> } {
  const place = "changes";
  const codes = new Map(Object.keys(initial).map((name, code) => [name, code]));
  const byCustomer = new Map<string, Change[]>();
  if (!changes) return { names: [...codes.keys()], byCustomer };
  const customers = idColumn(changes, customer, place);
  const days = dayColumn(changes, "changed_on", place);
  const covariates = textColumn(changes, "covariate", place);
  const values = numberColumn(changes, "value", place);
  for (const name of covariates) if (!codes.has(name)) codes.set(name, codes.size);
  for (const row of ascendingOrder(Float64Array.from(days))) {
    const [day, value] = [days[row] as number, values[row] as number];
    const covariate = codes.get(covariates[row] as string) as number;
    const own = byCustomer.get(String(customers[row])) ?? [];
    byCustomer.set(String(customers[row]), own);
    for (let i = own.length - 1; own[i]?.day === day; i--) {
      if (own[i]?.covariate !== covariate) continue;
      throw new DataError(
        `${place}: ${covariates[row]} of customer ${describe(customers[row])} must change once on ${isoDay(day)}, got ${own[i]?.value} and, in row ${row + 1}, ${value}`,
      );
    }
    own.push({ day, covariate, value });
  }
  return { names: [...codes.keys()], byCustomer };
}

/** Values of the covariates in a row of the contracts before any change; undefined where only a change can tell. */
function initialValues(
  contracts: ColumnTable,
  names: readonly string[],
  initial: Readonly<Record<string, number | string>> = {},
): (row: number) => (number | undefined)[] {
  const columns = names.map((name) => {
    const value = initial[name];
    if (typeof value === "string") return numberColumn(contracts, value, "contracts");
    requireFinite({ [`initial.${name}`]: value ?? 0 });
    return value;
  });
  return (row) => columns.map((column) => (typeof column === "object" ? column[row] : column));
}
