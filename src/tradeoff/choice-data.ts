import { DataError } from "../core/errors.js";
import { describe } from "../core/table.js";

/** Choices in the long form: one row for each alternative of a choice set, the rows of a set next to each other. */
export interface ChoiceRows {
  /** Choice set of each row: any label, unique to the set within a respondent. */
  readonly set: ArrayLike<string | number>;
  /** 1 or true for the alternative chosen, 0 or false for the others: one a set. */
  readonly chosen: ArrayLike<number | boolean>;
  /** Who chose; the rows of a respondent stand together. Every set is its own respondent unless given. */
  readonly respondent?: ArrayLike<string | number>;
  /** 0 or false for an alternative that could not be chosen; all could unless given. */
  readonly available?: ArrayLike<number | boolean>;
  /** How many choices a set stands for, above 0, the same in all its rows; 1 unless given. */
  readonly weight?: ArrayLike<number>;
}

/** Columns of numbers by name, one value a row: coded attributes of the alternatives. */
export type AttributeColumns = Readonly<Record<string, ArrayLike<number>>>;

/** Checked choices: alternatives that could be chosen, set after set, respondent after respondent. */
export interface ChoiceDesign {
  /** Names of the covariates. */
  readonly names: readonly string[];
  /** Covariates of every available alternative, row after row. */
  readonly x: Float64Array;
  /** First alternative of each set, and their number as one element more. */
  readonly setStart: Uint32Array;
  /** Alternative chosen in each set. */
  readonly choice: Uint32Array;
  /** Weight of each set. */
  readonly weight: Float64Array;
  /** First set of each respondent, and the number of sets as one element more. */
  readonly respondentStart: Uint32Array;
  /** Labels of the respondents. */
  readonly respondents: readonly unknown[];
  /** Row of the data that each alternative comes from. */
  readonly row: Uint32Array;
}

/**
 * Checks choices and brings the available alternatives into typed columns.
 * @throws DataError naming row and value: no rows, columns of different length, a covariate that is no finite number, a
 * set with none or several chosen, with one alternative, or whose rows do not stand together, a chosen alternative that
 * was not available, weights that differ within a set or are not above 0.
 */
export function choiceDesign(rows: ChoiceRows, attributes: AttributeColumns): ChoiceDesign {
  const size = rows.set.length;
  if (size === 0) throw new DataError("choices must have at least one row, got none");
  const names = Object.keys(attributes);
  for (const [name, column] of Object.entries({
    chosen: rows.chosen,
    ...optionalColumns(rows),
    ...attributes,
  })) {
    if (column.length === size) continue;
    throw new DataError(`${name} must have one value for each of the ${size} rows, got ${column.length}`);
  }
  const row: number[] = [];
  const setStart: number[] = [];
  const choice: number[] = [];
  const weight: number[] = [];
  const respondentStart: number[] = [];
  const respondents: unknown[] = [];
  const seen = { respondents: new Set<unknown>(), sets: new Set<unknown>() };
  for (let start = 0; start < size; ) {
    const end = endOfSet(rows, start);
    const respondent = rows.respondent ? label("respondent", rows.respondent, start) : choice.length + 1;
    if (respondents.length === 0 || respondent !== respondents.at(-1)) {
      requireNew(seen.respondents, respondent, `respondent ${describe(respondent)}`, start);
      if (rows.respondent) seen.sets.clear();
      respondentStart.push(choice.length);
      respondents.push(respondent);
    }
    const set = label("set", rows.set, start);
    const where = rows.respondent
      ? `set ${describe(set)} of respondent ${describe(respondent)}`
      : `set ${describe(set)}`;
    requireNew(seen.sets, set, where, start);
    setStart.push(row.length);
    let chosen = -1;
    for (let place = start; place < end; place++) {
      const isChosen = flag("chosen", rows.chosen, place);
      if (rows.available && !flag("available", rows.available, place)) {
        if (!isChosen) continue;
        throw new DataError(
          `chosen in row ${place + 1} must be 0, for the alternative was not available, got 1`,
        );
      }
      if (isChosen && chosen !== -1) {
        throw new DataError(
          `chosen must be 1 once in ${where}, got it in rows ${chosen + 1} and ${place + 1}`,
        );
      }
      if (isChosen) {
        chosen = place;
        choice.push(row.length);
      }
      row.push(place);
    }
    if (chosen === -1)
      throw new DataError(
        `chosen must be 1 once in ${where}, got it nowhere from row ${start + 1} on: leave the set out, or add choosing none as an alternative`,
      );
    if (row.length - (setStart.at(-1) as number) < 2) {
      throw new DataError(
        `${where} must have at least two alternatives to choose from, got one in row ${start + 1}`,
      );
    }
    weight.push(weightOf(rows, start, end));
    start = end;
  }
  return {
    names,
    x: covariateRows(names, attributes, row),
    setStart: Uint32Array.from([...setStart, row.length]),
    choice: Uint32Array.from(choice),
    weight: Float64Array.from(weight),
    respondentStart: Uint32Array.from([...respondentStart, choice.length]),
    respondents,
    row: Uint32Array.from(row),
  };
}

/**
 * The columns of these names, in their order.
 * @param what Name of the columns in messages; "attributes" unless given.
 * @throws DataError naming one that is missing.
 */
export function selectColumns(
  columns: AttributeColumns,
  names: readonly string[],
  what = "attributes",
): AttributeColumns {
  return Object.fromEntries(
    names.map((name) => {
      const column = columns[name];
      if (column) return [name, column];
      throw new DataError(`${what} must contain ${name}, got ${Object.keys(columns).join(", ") || "none"}`);
    }),
  );
}

const optionalColumns = ({
  respondent,
  available,
  weight,
}: ChoiceRows): Record<string, ArrayLike<unknown>> => ({
  ...(respondent ? { respondent } : {}),
  ...(available ? { available } : {}),
  ...(weight ? { weight } : {}),
});

/** Row after the last one of the set that begins at `start`. */
export function endOfSet({ set, respondent }: Pick<ChoiceRows, "set" | "respondent">, start: number): number {
  let end = start + 1;
  while (end < set.length && set[end] === set[start] && respondent?.[end] === respondent?.[start]) end++;
  return end;
}

function label(name: string, values: ArrayLike<string | number>, row: number): string | number {
  const value: unknown = values[row];
  if ((typeof value === "string" && value !== "") || (typeof value === "number" && !Number.isNaN(value)))
    return value;
  throw new DataError(`${name} in row ${row + 1} must be a label, got ${describe(value)}`);
}

function flag(name: string, values: ArrayLike<number | boolean>, row: number): boolean {
  const value = values[row];
  if (value === 1 || value === true) return true;
  if (value === 0 || value === false) return false;
  throw new DataError(`${name} in row ${row + 1} must be 0 or 1, got ${describe(value)}`);
}

function requireNew(seen: Set<unknown>, value: unknown, name: string, row: number): void {
  if (seen.has(value))
    throw new DataError(`rows of ${name} must stand together, but it comes again in row ${row + 1}`);
  seen.add(value);
}

/** The covariates of some rows, row after row. */
function covariateRows(
  names: readonly string[],
  attributes: AttributeColumns,
  rows: readonly number[],
): Float64Array {
  const p = names.length;
  const x = new Float64Array(rows.length * p);
  for (const [j, name] of names.entries()) {
    const column = attributes[name] as ArrayLike<number>;
    for (let place = 0; place < rows.length; place++) {
      const row = rows[place] as number;
      const value: unknown = column[row];
      if (typeof value !== "number" || !Number.isFinite(value)) {
        throw new DataError(`${name} in row ${row + 1} must be a finite number, got ${describe(value)}`);
      }
      x[place * p + j] = value;
    }
  }
  return x;
}

function weightOf({ weight }: ChoiceRows, start: number, end: number): number {
  if (!weight) return 1;
  const first = weight[start] as number;
  for (let row = start; row < end; row++) {
    const value: unknown = weight[row];
    if (typeof value !== "number" || !(value > 0 && Number.isFinite(value))) {
      throw new DataError(`weight in row ${row + 1} must be a number above 0, got ${describe(value)}`);
    }
    if (value !== first) {
      throw new DataError(
        `weight in row ${row + 1} must be ${first} as in the rest of its set, got ${value}`,
      );
    }
  }
  return first;
}

/**
 * Weight of each unit of sets: of a respondent, or of a single choice.
 * @param start First set of each unit, and the number of sets as one element more.
 * @throws DataError if the weights of a unit's choices differ.
 */
export function unitWeights({ weight, respondents }: ChoiceDesign, start: Uint32Array): Float64Array {
  return Float64Array.from({ length: start.length - 1 }, (_, unit) => {
    const first = weight[start[unit] as number] as number;
    const other = weight.subarray(start[unit], start[unit + 1]).find((value) => value !== first);
    if (other === undefined) return first;
    throw new DataError(
      `weight must be the same in all choices of respondent ${describe(respondents[unit])}, got ${first} and ${other}`,
    );
  });
}
