import type { ColumnTable } from "arquero";
import { DataError } from "../core/errors.js";
import { describe, numberColumn, valueColumn } from "../core/table.js";
import {
  type CodingOptions,
  codeProfilesAt,
  type Level,
  NONE,
  type Profile,
  type SurveyAttributes,
} from "./attributes.js";
import type { AttributeColumns, ChoiceRows } from "./choice-data.js";

/** Where the choices of a wide table stand. */
export interface WideChoiceOptions extends CodingOptions {
  /** Column that names who chose. */
  readonly respondent: string;
  /** Column that names the choice set, unique within a respondent; sets are numbered as they come unless given. */
  readonly set?: string;
  /** Column with the alternative chosen, as `alternatives` or `none` name it. */
  readonly choice: string;
  /** The products that could be chosen, in any words or numbers. */
  readonly alternatives: readonly Level[];
  /** Column of an attribute of an alternative, such as `alt1_speed`. */
  readonly column: (alternative: Level, attribute: string) => string;
  /** What the column of choices says of none, where none can be chosen; 0 unless given. */
  readonly none?: Level;
  /** Column that says how many choices a row stands for, above 0; 1 unless given. */
  readonly weight?: string;
}

/**
 * Choices of a wide table, one row a choice set with columns for each alternative, as choices with coded attributes: ready for
 * every choice model. Rows of a respondent need not stand together. An alternative whose attributes are all empty was not shown
 * in that row; none, where it can be chosen, is the last alternative of each set.
 * @throws DataError naming the row: a column that is missing, a respondent or set without a name, a set of a respondent twice, a
 * choice of no alternative shown, a level that is unknown, missing or prohibited (see `codeProfiles`).
 * RangeError if two alternatives have one name, or as `codeProfiles`.
 * @see `choicesFromAnswers` for answers to a design, whose products need not be in the data.
 */
export function choicesFromWide(
  survey: SurveyAttributes,
  table: ColumnTable,
  { respondent, set, choice, alternatives, column, none = 0, weight, ...coding }: WideChoiceOptions,
): { readonly rows: ChoiceRows; readonly attributes: AttributeColumns } {
  const labels = [...alternatives, ...(survey.none ? [none] : [])].map(String);
  const twice = labels.find((label, k) => labels.indexOf(label) !== k);
  if (twice !== undefined)
    throw new RangeError(`alternatives and none must have different names, got ${twice} twice`);
  const who = labelColumn(table, respondent);
  const sets = set === undefined ? undefined : labelColumn(table, set);
  const answers = valueColumn(table, choice);
  const weights = weight === undefined ? undefined : numberColumn(table, weight);
  const columns = alternatives.map((alternative) =>
    survey.attributes.map(({ name }) => [name, valueColumn(table, column(alternative, name))] as const),
  );
  const out = {
    set: [] as Level[],
    chosen: [] as number[],
    respondent: [] as Level[],
    weight: [] as number[],
  };
  const profiles: (Profile | typeof NONE)[] = [];
  const places: string[] = [];
  for (const [person, own] of rowsByRespondent(who, sets)) {
    for (const [count, row] of own.entries()) {
      const shown = alternatives.flatMap((label, k): { label: Level; profile: Profile | typeof NONE }[] => {
        const profile = profileIn(columns[k] as (typeof columns)[number], row);
        return Object.keys(profile).length === 0 ? [] : [{ label, profile }];
      });
      if (survey.none) shown.push({ label: none, profile: NONE });
      const chosen = shown.findIndex(({ label }) => String(label) === String(answers[row]));
      if (chosen === -1)
        throw new DataError(
          `${choice} in row ${row + 1} must be one of the alternatives shown, ${shown.map(({ label }) => label).join(", ") || "of which there is none"}, got ${describe(answers[row])}`,
        );
      for (const [k, { label, profile }] of shown.entries()) {
        profiles.push(profile);
        places.push(`row ${row + 1}, alternative ${label},`);
        out.set.push(sets ? (sets[row] as Level) : count + 1);
        out.chosen.push(Number(k === chosen));
        out.respondent.push(person);
        if (weights) out.weight.push(weights[row] as number);
      }
    }
  }
  const { weight: repeated, ...rows } = out;
  return {
    rows: weights ? { ...rows, weight: repeated } : rows,
    attributes: codeProfilesAt(survey, profiles, coding, (place) => places[place] as string),
  };
}

/** Levels of the alternative that a row shows; attributes that are empty are left out. */
const profileIn = (columns: readonly (readonly [string, readonly unknown[]])[], row: number): Profile =>
  Object.fromEntries(
    columns.flatMap(([name, values]) => {
      const value = values[row];
      return value === null || value === undefined || value === "" ? [] : [[name, value as Level]];
    }),
  );

/** Rows of each respondent, in the order in which respondents first come. */
function rowsByRespondent(who: readonly Level[], sets: readonly Level[] | undefined): Map<Level, number[]> {
  const rows = new Map<Level, number[]>();
  for (const [row, person] of who.entries()) {
    const own = rows.get(person) ?? [];
    const earlier = sets && own.find((other) => sets[other] === sets[row]);
    if (earlier !== undefined)
      throw new DataError(
        `respondent ${describe(person)} must have set ${describe(sets?.[row])} once, got rows ${earlier + 1} and ${row + 1}`,
      );
    own.push(row);
    rows.set(person, own);
  }
  return rows;
}

function labelColumn(table: ColumnTable, name: string): readonly Level[] {
  return valueColumn(table, name).map((value, row) => {
    if ((typeof value === "string" && value !== "") || (typeof value === "number" && !Number.isNaN(value)))
      return value;
    throw new DataError(`${name} in row ${row + 1} must be a label, got ${describe(value)}`);
  });
}
