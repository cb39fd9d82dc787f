import { finiteColumn, labelCodes, requireLength, weightColumn } from "../core/columns.js";
import { DataError } from "../core/errors.js";
import { describe } from "../core/table.js";

/** Who was observed how long: one row a customer, or one row an interval (entry, time] of a customer. */
export interface SurvivalData {
  /** When the customer left or was last seen, from 0 up, in any one unit. */
  readonly time: ArrayLike<number>;
  /** 1 or true if the customer left at that time, 0 or false if still there (censored). */
  readonly event: ArrayLike<number | boolean>;
  /** When observation of the row began (left truncation, start of an interval): before `time`; 0 unless given. */
  readonly entry?: ArrayLike<number>;
  /** How many customers a row stands for, above 0; 1 unless given. */
  readonly weight?: ArrayLike<number>;
  /** Stratum of each row: every stratum has its own baseline. */
  readonly strata?: ArrayLike<string | number>;
}

/** Checked survival data; `stratum` are codes into `strata`. */
export interface SurvivalColumns {
  readonly size: number;
  readonly time: Float64Array;
  readonly event: Uint8Array;
  readonly entry: Float64Array | undefined;
  readonly weight: Float64Array;
  readonly stratum: Uint32Array;
  readonly strata: readonly string[];
}

/** Distinct times, ascending, with the weights at risk just before, leaving at, and censored at each. */
export interface RiskTable {
  readonly times: Float64Array;
  readonly atRisk: Float64Array;
  readonly events: Float64Array;
  readonly censored: Float64Array;
}

/**
 * Checks survival data and brings them into typed columns.
 * @throws DataError naming the row and value: no rows, columns of different length, a time that is negative or not
 * finite, an event other than 0 and 1, an entry that is not before its time, a weight not above 0.
 */
export function survivalColumns(data: SurvivalData): SurvivalColumns {
  const size = data.time.length;
  const time = observedTimes(data.time);
  requireLength("event", data.event, size);
  const event = Uint8Array.from({ length: size }, (_, row) => {
    const value = data.event[row];
    if (value === 1 || value === true) return 1;
    if (value === 0 || value === false) return 0;
    throw new DataError(`event in row ${row + 1} must be 0 or 1, got ${describe(value)}`);
  });
  const { codes, labels } = data.strata
    ? labelCodes("strata", data.strata, size)
    : { codes: new Uint32Array(size), labels: ["all"] };
  return {
    size,
    time,
    event,
    entry: data.entry && entryTimes(data.entry, time),
    weight: weightColumn(data.weight, size),
    stratum: codes,
    strata: labels.map(String),
  };
}

/** Finite times from 0 up, at least one. */
function observedTimes(values: ArrayLike<number>): Float64Array {
  if (values.length === 0) throw new DataError("survival data must have at least one row, got none");
  return finiteColumn("time", values, values.length, (value) => value >= 0, "a finite number from 0 up");
}

function entryTimes(values: ArrayLike<number>, time: Float64Array): Float64Array {
  const entry = finiteColumn("entry", values, time.length);
  const row = entry.findIndex((start, i) => !(start < (time[i] as number)));
  if (row === -1) return entry;
  throw new DataError(`entry in row ${row + 1} must be before its time ${time[row]}, got ${entry[row]}`);
}

/** @throws DataError if nobody left: then no hazard can be told. */
export function requireEvents(event: Uint8Array): void {
  if (event.includes(1)) return;
  throw new DataError(`at least one row must have an event of 1, got ${event.length} censored rows`);
}

/** The rows of one stratum or group. */
export function selectRows(columns: SurvivalColumns, rows: Uint32Array): SurvivalColumns {
  const pick = <Column extends Float64Array | Uint8Array | Uint32Array>(column: Column): Column => {
    const picked = column.slice(0, rows.length) as Column;
    for (let i = 0; i < rows.length; i++) picked[i] = column[rows[i] as number] as number;
    return picked;
  };
  return {
    size: rows.length,
    time: pick(columns.time),
    event: pick(columns.event),
    entry: columns.entry && pick(columns.entry),
    weight: pick(columns.weight),
    stratum: pick(columns.stratum),
    strata: columns.strata,
  };
}

/** Row numbers of every code, in row order. */
export function rowsByCode(codes: Uint32Array, count: number): readonly Uint32Array[] {
  const sizes = new Uint32Array(count);
  for (const code of codes) sizes[code] = (sizes[code] as number) + 1;
  const rows = Array.from(sizes, (size) => new Uint32Array(size));
  sizes.fill(0);
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row] as number;
    const place = sizes[code] as number;
    (rows[code] as Uint32Array)[place] = row;
    sizes[code] = place + 1;
  }
  return rows;
}

/** Who is at risk, leaves and is censored at every distinct time, over all strata. */
export function riskTable({ size, time, event, entry, weight }: SurvivalColumns): RiskTable {
  const order = ascendingOrder(time);
  const times = new Float64Array(size);
  const events = new Float64Array(size);
  const censored = new Float64Array(size);
  let last = -1;
  for (const row of order) {
    if (last === -1 || times[last] !== time[row]) times[++last] = time[row] as number;
    const column = event[row] === 1 ? events : censored;
    column[last] = (column[last] as number) + (weight[row] as number);
  }
  const count = last + 1;
  const atRisk = new Float64Array(count);
  const entryOrder = entry && ascendingOrder(entry);
  let next = size - 1;
  let staying = 0;
  let toCome = 0;
  for (let k = last; k >= 0; k--) {
    staying += (events[k] as number) + (censored[k] as number);
    if (entry && entryOrder) {
      for (; next >= 0; next--) {
        const row = entryOrder[next] as number;
        if ((entry[row] as number) < (times[k] as number)) break;
        toCome += weight[row] as number;
      }
    }
    atRisk[k] = staying - toCome;
  }
  return {
    times: times.slice(0, count),
    atRisk,
    events: events.slice(0, count),
    censored: censored.slice(0, count),
  };
}

const RADIX_FROM = 500; // rows from which counting passes beat comparisons

/**
 * Chance not to be censored before each time of the table, and, as one more element, before ever after: Kaplan-Meier of the
 * censoring, with the events of a time before its censorings.
 */
export function uncensoredBefore({ times, atRisk, events, censored }: RiskTable): Float64Array {
  const chances = new Float64Array(times.length + 1).fill(1);
  for (let k = 0; k < times.length; k++) {
    const lost = censored[k] as number;
    const stays = lost > 0 ? 1 - lost / ((atRisk[k] as number) - (events[k] as number)) : 1;
    chances[k + 1] = (chances[k] as number) * Math.max(stays, 0);
  }
  return chances;
}

/** Row numbers in ascending order of finite values; rows of equal value keep their order. O(n) for many rows. */
export function ascendingOrder(values: Float64Array): Uint32Array {
  const size = values.length;
  const order = Uint32Array.from({ length: size }, (_, row) => row);
  if (size < RADIX_FROM) {
    return order.sort((a, b) => (values[a] as number) - (values[b] as number) || a - b);
  }
  const { low, high } = sortableBits(values);
  let from: Keyed = { row: order, low, high };
  let to: Keyed = { row: new Uint32Array(size), low: new Uint32Array(size), high: new Uint32Array(size) };
  for (const word of ["low", "high"] as const) {
    for (let shift = 0; shift < 32; shift += 8) {
      if (!countingPass(from, to, word, shift)) continue; // all have the same digit
      [from, to] = [to, from];
    }
  }
  return from.row;
}

/** Rows with 64-bit keys, sorted by one digit of 8 bits after the other. */
interface Keyed {
  readonly row: Uint32Array;
  readonly low: Uint32Array;
  readonly high: Uint32Array;
}

function countingPass(from: Keyed, to: Keyed, word: "low" | "high", shift: number): boolean {
  const keys = from[word];
  const size = keys.length;
  const starts = new Uint32Array(257);
  for (let i = 0; i < size; i++) {
    const digit = (((keys[i] as number) >>> shift) & 255) + 1;
    starts[digit] = (starts[digit] as number) + 1;
  }
  if (starts.includes(size)) return false;
  for (let digit = 1; digit < 257; digit++) {
    starts[digit] = (starts[digit] as number) + (starts[digit - 1] as number);
  }
  for (let i = 0; i < size; i++) {
    const digit = ((keys[i] as number) >>> shift) & 255;
    const place = starts[digit] as number;
    starts[digit] = place + 1;
    to.row[place] = from.row[i] as number;
    to.low[place] = from.low[i] as number;
    to.high[place] = from.high[i] as number;
  }
  return true;
}

/** 64-bit keys in the order of the values, negative ones included. */
function sortableBits(values: Float64Array): Omit<Keyed, "row"> {
  const view = new DataView(new ArrayBuffer(8));
  const low = new Uint32Array(values.length);
  const high = new Uint32Array(values.length);
  for (let row = 0; row < values.length; row++) {
    view.setFloat64(0, (values[row] as number) + 0); // -0 becomes 0
    const top = view.getUint32(0);
    const flip = top >>> 31 === 1 ? 0xffff_ffff : 0;
    high[row] = top ^ (flip | 0x8000_0000);
    low[row] = view.getUint32(4) ^ flip;
  }
  return { low, high };
}

/** Number of leading elements of an ascending list, between two places, that are at most a value. */
export function countAtMost(sorted: Float64Array, value: number, from = 0, to = sorted.length): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
