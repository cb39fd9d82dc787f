import { requireWhole } from "../core/arguments.js";
import { DataError } from "../core/errors.js";
import type { Random } from "../numeric/random.js";
import { type Profile, profileSpace, type SurveyAttributes } from "./attributes.js";
import { profileAt, type SurveyDesign, surveyDesign } from "./design.js";
import { isAllowed, range } from "./design-profiles.js";
import { balanceVersions } from "./design-tasks.js";

/** A column of an orthogonal array: the level of each run. */
interface ArrayColumn {
  readonly size: number;
  readonly levels: readonly number[];
}

/** An orthogonal array: in every two columns all pairs of levels come equally often. */
interface OrthogonalArray {
  readonly name: string;
  readonly runs: number;
  /** Sizes of the columns, the largest first. */
  readonly sizes: readonly number[];
  readonly build: () => readonly ArrayColumn[];
}

/** Products that tell the main effects of all attributes apart. */
export interface OrthogonalPlan {
  /** Name of the array, such as "L18". */
  readonly array: string;
  /** The products, one for each run. */
  readonly profiles: readonly Profile[];
  /** Position of the level of each attribute, run after run. */
  readonly levels: readonly (readonly number[])[];
  /** Attributes with fewer levels than their column: some levels come more often than others, still uncorrelated. */
  readonly collapsed: readonly string[];
  /** Correlation between attributes (Cramér's V, 0 to 1), in their order; 0 off the diagonal. */
  readonly correlation: readonly (readonly number[])[];
}

/**
 * The smallest orthogonal main-effects plan: a fraction of the full factorial in which all attributes are uncorrelated. Out
 * of the arrays L4, L8, L9, L12, L16, L18, L25, L27, L32 and L36 with mixed columns, the first in which every attribute has a
 * column of as many levels; if there is none, or with `collapse`, the first with a column of at least as many, whose surplus
 * levels stand for the first ones once more.
 * `options.runs`: Takes the array with so many runs.
 * `options.collapse`: Takes fewer runs at the price of unequal frequencies; false unless given.
 * @throws RangeError if no array fits, or an attribute is there for some products only; DataError if a run is prohibited.
 * @see Hedayat, Sloane & Stufken (1999), Orthogonal Arrays: Theory and Applications; Addelman (1962), Orthogonal Main-Effect
 * Plans for Asymmetrical Factorial Experiments, Technometrics 4(1), for collapsing.
 */
export function orthogonalPlan(
  survey: SurveyAttributes,
  { runs, collapse = false }: { readonly runs?: number; readonly collapse?: boolean } = {},
): OrthogonalPlan {
  const { attributes } = survey;
  const space = profileSpace(survey);
  const conditional = attributes.find(({ only }) => only);
  if (conditional)
    throw new RangeError(
      `orthogonal plans need attributes that all products have, but ${conditional.name} is only for some: use an efficient design`,
    );
  const candidates = catalogue.filter((array) => runs === undefined || array.runs === runs);
  const fitting = (exactly: boolean) => {
    for (const array of candidates) {
      const places = columnsFor(space.sizes, array.sizes, exactly);
      if (places) return { array, places };
    }
    return undefined;
  };
  const found = (collapse ? undefined : fitting(true)) ?? fitting(false);
  if (!found)
    throw new RangeError(
      `${runs === undefined ? "no array has" : `no array of ${runs} runs has`} columns for attributes of ${space.sizes.join(", ")} levels: use an efficient design`,
    );
  const { array, places: chosen } = found;
  const columns = array.build();
  const levels = range(array.runs).map((run) =>
    chosen.map((column, k) => (columns[column]?.levels[run] as number) % (space.sizes[k] as number)),
  );
  const profiles = levels.map((places) => profileAt(survey, places, 0));
  const broken = levels.findIndex((places) => !isAllowed(space, places, 0));
  if (broken !== -1)
    throw new DataError(
      `${array.name} has all pairs of levels, also prohibited ones, such as ${JSON.stringify(profiles[broken])}: use an efficient design`,
    );
  return Object.freeze({
    array: array.name,
    profiles,
    levels,
    collapsed: attributes.flatMap(({ name }, k) =>
      columns[chosen[k] as number]?.size === space.sizes[k] ? [] : [name],
    ),
    correlation: attributes.map((_, a) =>
      attributes.map((_unused, b) => cramersV(levels, a, b, space.sizes)),
    ),
  });
}

/** A column for each attribute, the smallest that is left for the largest first; undefined if they do not suffice. */
function columnsFor(
  wanted: readonly number[],
  sizes: readonly number[],
  exactly: boolean,
): number[] | undefined {
  const result: number[] = wanted.map(() => -1);
  const free = new Set(range(sizes.length));
  for (const k of range(wanted.length).sort((a, b) => (wanted[b] as number) - (wanted[a] as number))) {
    const need = wanted[k] as number;
    const fits = [...free].filter((column) =>
      exactly ? sizes[column] === need : (sizes[column] as number) >= need,
    );
    const smallest = fits.sort((a, b) => (sizes[a] as number) - (sizes[b] as number))[0];
    if (smallest === undefined) return undefined;
    free.delete(smallest);
    result[k] = smallest;
  }
  return result;
}

/** Cramér's V: the square root of chi-square over its largest possible value. */
function cramersV(
  levels: readonly (readonly number[])[],
  a: number,
  b: number,
  sizes: readonly number[],
): number {
  const [rows, columns] = [sizes[a] as number, sizes[b] as number];
  const count = (first: number, second: number): number =>
    levels.filter((run) => (first === -1 || run[a] === first) && (second === -1 || run[b] === second)).length;
  let chiSquare = 0;
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const expected = (count(i, -1) * count(-1, j)) / levels.length;
      chiSquare += (count(i, j) - expected) ** 2 / expected;
    }
  return Math.sqrt(chiSquare / levels.length / (Math.min(rows, columns) - 1));
}

/**
 * A choice design out of an orthogonal plan: each run is the first product of a task, the next ones shift every level by one
 * more, around the circle. Main effects are uncorrelated, levels overlap as little as they can, and without collapsed
 * attributes all levels are equally frequent: with attributes of as many levels as there are alternatives it is optimal for
 * respondents without preferences.
 * `options.versions`: Equal parts of the runs; 1 unless given.
 * @throws as `orthogonalPlan`; RangeError if there are more alternatives than levels of the largest attribute, or the runs
 * cannot be divided into the versions; DataError if a shifted product is prohibited.
 * @see Bunch, Louviere & Anderson (1996), A Comparison of Experimental Design Strategies for Multinomial Logit Models.
 */
export function shiftedDesign(
  survey: SurveyAttributes,
  options: {
    readonly alternatives: number;
    readonly random: Random;
    readonly versions?: number;
    readonly runs?: number;
    readonly collapse?: boolean;
  },
): SurveyDesign {
  const { alternatives, random, versions = 1 } = options;
  const plan = orthogonalPlan(survey, options);
  const space = profileSpace(survey);
  const largest = Math.max(...space.sizes);
  if (!(Number.isInteger(alternatives) && alternatives >= 2 && alternatives <= largest))
    throw new RangeError(
      `alternatives must be a whole number from 2 to ${largest}, the levels of the largest attribute, got ${alternatives}`,
    );
  requireWhole("versions", versions, 1);
  const runs = plan.levels.length;
  if (runs % versions !== 0)
    throw new RangeError(
      `versions must divide the ${runs} runs of ${plan.array} into equal parts, got ${versions}`,
    );
  const levels = Int16Array.from(
    plan.levels.flatMap((run) =>
      range(alternatives).flatMap((shift) =>
        run.map((level, k) => (level + shift) % (space.sizes[k] as number)),
      ),
    ),
  );
  for (let from = 0; from < levels.length; from += space.sizes.length)
    if (!isAllowed(space, levels, from))
      throw new DataError(
        `shifting ${plan.array} gives prohibited products, such as ${JSON.stringify(profileAt(survey, levels, from))}: use an efficient design`,
      );
  const rules = { space, versions, tasks: runs / versions, alternatives };
  balanceVersions(rules, levels, random);
  return surveyDesign(`${plan.array}, shifted`, survey, rules, levels);
}

/** A column from the level of each run. */
const columnOf = (size: number, runs: number, level: (run: number) => number): ArrayColumn => ({
  size,
  levels: range(runs).map(level),
});

const parity = (bits: number): number => {
  let odd = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) odd ^= 1;
  return odd;
};

/**
 * 2^k runs: a column of two levels for each nonzero vector of k bits; three vectors of which one is the sum of the others make
 * way for a column of four levels.
 */
function binaryArray(bits: number, ofFour: number): OrthogonalArray {
  const runs = 2 ** bits;
  const ofTwo = runs - 1 - 3 * ofFour;
  const build = (): ArrayColumn[] => {
    const lines = disjointLines(runs, ofFour);
    const used = new Set(lines.flat());
    return [
      ...lines.map(([a, b]) => columnOf(4, runs, (run) => 2 * parity(a & run) + parity(b & run))),
      ...range(runs).flatMap((vector) =>
        vector === 0 || used.has(vector) ? [] : [columnOf(2, runs, (run) => parity(vector & run))],
      ),
    ];
  };
  return {
    name: `L${runs}`,
    runs,
    sizes: [...Array<number>(ofFour).fill(4), ...Array<number>(ofTwo).fill(2)],
    build,
  };
}

/** Triples of vectors of bits, each the sum of the other two, none with a vector in common; found by backtracking. */
function disjointLines(vectors: number, count: number): [number, number, number][] {
  const lines: [number, number, number][] = [];
  const used = new Set<number>([0]);
  const extend = (least: number): boolean => {
    if (lines.length === count) return true;
    for (let a = least; a < vectors; a++) {
      if (used.has(a)) continue;
      for (let b = a + 1; b < vectors; b++) {
        const sum = a ^ b;
        if (sum < b || used.has(b) || used.has(sum)) continue;
        lines.push([a, b, sum]);
        for (const vector of [a, b, sum]) used.add(vector);
        if (extend(a + 1)) return true;
        lines.pop();
        for (const vector of [a, b, sum]) used.delete(vector);
      }
    }
    return false;
  };
  extend(1);
  return lines;
}

/** base^digits runs for a prime base: a column for each direction in the space of vectors (Rao & Hamming). */
function primeArray(base: number, digits: number): OrthogonalArray {
  const runs = base ** digits;
  const digit = (number: number, place: number): number => Math.floor(number / base ** place) % base;
  const directions = range(runs).filter((vector) => {
    const first = range(digits).find((place) => digit(vector, place) !== 0);
    return first !== undefined && digit(vector, first) === 1;
  });
  return {
    name: `L${runs}`,
    runs,
    sizes: directions.map(() => base),
    build: () =>
      directions.map((vector) =>
        columnOf(
          base,
          runs,
          (run) =>
            range(digits).reduce((sum, place) => sum + digit(vector, place) * digit(run, place), 0) % base,
        ),
      ),
  };
}

/** Twelve runs of eleven columns of two levels: the squares modulo 11, shifted around. See Plackett & Burman (1946). */
const plackettBurman = [1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0];
const twelveRuns = (column: number, run: number): number =>
  run === 11 ? 0 : (plackettBurman[(run + column) % 11] as number);

/** Rows whose differences modulo 3 have each value equally often. */
const differences6 = ["000000", "001122", "010212", "012021", "021201", "022110"];
const differences12 = [
  "000000000000",
  "000011112222",
  "000102221112",
  "001220120121",
  "010221202011",
  "012012020211",
  "012120012102",
  "012202111020",
  "021020211210",
  "021102102201",
  "021211021002",
  "022111200120",
];

/**
 * Three runs for each column of a difference scheme, shifted by 0, 1 and 2: its rows become columns of three levels, and the
 * columns of another array can be repeated for the three.
 */
function differenceArray(
  scheme: readonly string[],
  others: readonly { readonly size: number; readonly level: (column: number) => number }[],
): OrthogonalArray {
  const runs = 3 * scheme.length;
  return {
    name: `L${runs}`,
    runs,
    sizes: [...others.map(({ size }) => size), ...scheme.map(() => 3)],
    build: () => [
      ...others.map(({ size, level }) => columnOf(size, runs, (run) => level(Math.floor(run / 3)))),
      ...scheme.map((row) => columnOf(3, runs, (run) => (Number(row[Math.floor(run / 3)]) + run) % 3)),
    ],
  };
}

/** Fewest runs first; of equal runs the one with most columns. */
const catalogue: readonly OrthogonalArray[] = [
  binaryArray(2, 0),
  ...range(2).map((ofFour) => binaryArray(3, ofFour)),
  primeArray(3, 2),
  {
    name: "L12",
    runs: 12,
    sizes: Array<number>(11).fill(2),
    build: () => range(11).map((column) => columnOf(2, 12, (run) => twelveRuns(column, run))),
  },
  ...range(6).map((ofFour) => binaryArray(4, ofFour)),
  differenceArray(differences6, [
    { size: 2, level: (column) => column % 2 },
    { size: 3, level: (column) => Math.floor(column / 2) },
  ]),
  differenceArray(differences6, [{ size: 6, level: (column) => column }]),
  primeArray(5, 2),
  primeArray(3, 3),
  ...range(10).map((ofFour) => binaryArray(5, ofFour)),
  differenceArray(
    differences12,
    range(11).map((column) => ({ size: 2, level: (run: number) => twelveRuns(column, run) })),
  ),
  differenceArray(differences12, [
    { size: 4, level: (column) => column % 4 },
    { size: 3, level: (column) => Math.floor(column / 4) },
  ]),
  differenceArray(differences12, [{ size: 12, level: (column) => column }]),
];
