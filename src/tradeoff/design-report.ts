import { requireFinite, requireLevel, requireWhole } from "../core/arguments.js";
import { ConvergenceError } from "../core/errors.js";
import type { Random } from "../numeric/random.js";
import { normalQuantile } from "../numeric/special.js";
import { normalTail } from "../numeric/tail-probability.js";
import { runInWorkers } from "../numeric/worker-pool.js";
import { type CodingOptions, codingOf, profileSpace } from "./attributes.js";
import { randomDesign, type SurveyDesign } from "./design.js";
import { designEfficiency, type EfficiencyOptions, expectedStandardErrors } from "./design-efficiency.js";
import type { PowerSetup, StudyResult } from "./design-power-worker.js";
import { range } from "./design-profiles.js";

/** How often a level is shown. */
export interface LevelBalance {
  readonly attribute: string;
  readonly level: string;
  /** Products with the level, over all versions. */
  readonly count: number;
  /** Share of the products that have the attribute. */
  readonly share: number;
  /** The same if all levels came equally often. */
  readonly expectedShare: number;
  /** Versions that never show the level. */
  readonly versionsWithout: number;
}

/** How often two levels come together in a product. */
export interface PairBalance {
  readonly attributes: readonly [string, string];
  readonly levels: readonly [string, string];
  readonly count: number;
  /** What independent attributes would give, from how often each level comes. */
  readonly expected: number;
}

/** How alike the products of a task are in an attribute. */
export interface LevelOverlap {
  readonly attribute: string;
  /** Share of pairs of products within a task that have the same level, of those that both have the attribute. */
  readonly overlap: number;
  /** The least that so many products with the attribute and so many levels allow. */
  readonly leastOverlap: number;
  /** Share of tasks in which all products have the same level, so that the attribute cannot matter. */
  readonly tasksWithoutContrast: number;
}

/** What a design is like before anybody is asked. */
export interface DesignReport {
  readonly levels: readonly LevelBalance[];
  readonly pairs: readonly PairBalance[];
  readonly overlap: readonly LevelOverlap[];
  /** D-error: see `DesignEfficiency`. */
  readonly dError: number;
  /** Median D-error of random designs of the same size, infinite ones counted; absent if most cannot tell all coefficients. */
  readonly randomDError?: number;
  /** Share of the respondents that this design needs for the precision of a random one: dError / randomDError. */
  readonly respondentsOfRandom?: number;
  /** Respondents that the standard errors are for. */
  readonly respondents: number;
  /** Standard error of each coefficient to be expected. */
  readonly standardErrors: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
}

const RANDOM_DESIGNS = 21;

/**
 * Balance, overlap and precision of a design.
 * `options.respondents`: For the standard errors; 300 unless given.
 * `options.random`: Source of the random designs it is compared with.
 * @throws as `designEfficiency`; RangeError if respondents is not a whole number from 1 up.
 */
export function designReport(
  design: SurveyDesign,
  options: EfficiencyOptions & { readonly random: Random; readonly respondents?: number },
): DesignReport {
  const { random, respondents = 300 } = options;
  const { dError } = designEfficiency(design, options);
  const errors = Array.from({ length: RANDOM_DESIGNS }, () =>
    dErrorOrInfinity(randomDesign(design.attributes, design, { random, overlap: "any" }), options),
  ).sort((a, b) => a - b);
  const randomDError = errors[(RANDOM_DESIGNS - 1) / 2] as number;
  return Object.freeze({
    levels: levelBalance(design),
    pairs: pairBalance(design),
    overlap: levelOverlap(design),
    dError,
    ...(Number.isFinite(randomDError) ? { randomDError, respondentsOfRandom: dError / randomDError } : {}),
    respondents,
    standardErrors: expectedStandardErrors(design, respondents, options),
    warnings: design.warnings,
  });
}

function dErrorOrInfinity(design: SurveyDesign, options: EfficiencyOptions): number {
  try {
    return designEfficiency(design, options).dError;
  } catch (error) {
    if (error instanceof ConvergenceError) return Number.POSITIVE_INFINITY;
    throw error;
  }
}

function levelBalance({ attributes: { attributes }, levels, versions }: SurveyDesign): LevelBalance[] {
  const size = attributes.length;
  return attributes.flatMap(({ name, levels: all }, k) => {
    const counts = all.map(() => new Int32Array(versions));
    for (let at = k; at < levels.length; at += size) {
      const own = counts[levels[at] as number];
      const version = Math.floor((at * versions) / levels.length);
      if (own) own[version] = (own[version] as number) + 1;
    }
    const sums = counts.map((own) => own.reduce((sum, count) => sum + count, 0));
    const total = sums.reduce((sum, count) => sum + count, 0);
    return all.map((level, place) => ({
      attribute: name,
      level: String(level),
      count: sums[place] as number,
      share: total === 0 ? 0 : (sums[place] as number) / total,
      expectedShare: 1 / all.length,
      versionsWithout: (counts[place] as Int32Array).filter((count) => count === 0).length,
    }));
  });
}

function pairBalance({ attributes: { attributes }, levels }: SurveyDesign): PairBalance[] {
  const size = attributes.length;
  return attributes.flatMap((first, a) =>
    attributes.slice(a + 1).flatMap((second, after) => {
      const b = a + 1 + after;
      const table = first.levels.map(() => second.levels.map(() => 0));
      let both = 0;
      for (let from = 0; from < levels.length; from += size) {
        const row = table[levels[from + a] as number];
        const column = levels[from + b] as number;
        if (!row || column === -1) continue;
        row[column] = (row[column] as number) + 1;
        both++;
      }
      const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
      const columns = second.levels.map((_, j) => sum(table.map((row) => row[j] as number)));
      return first.levels.flatMap((left, i) =>
        second.levels.map((right, j) => ({
          attributes: [first.name, second.name] as const,
          levels: [String(left), String(right)] as const,
          count: table[i]?.[j] as number,
          expected: both === 0 ? 0 : (sum(table[i] as number[]) * (columns[j] as number)) / both,
        })),
      );
    }),
  );
}

function levelOverlap({
  attributes: { attributes },
  levels,
  versions,
  tasks,
  alternatives,
}: SurveyDesign): LevelOverlap[] {
  const size = attributes.length;
  const block = alternatives * size;
  return attributes.map(({ name, levels: all }, k) => {
    let [pairs, same, least, flat] = [0, 0, 0, 0];
    for (let from = k; from < levels.length; from += block) {
      const shown = range(alternatives).map((place) => levels[from + place * size] as number);
      const distinct = new Set(shown);
      if (distinct.size === 1) flat++;
      const own = shown.filter((level) => level !== -1); // of the products that have the attribute
      for (const [place, level] of own.entries())
        for (const other of own.slice(0, place)) {
          pairs++;
          same += Number(level === other);
        }
      const [each, rest] = [Math.floor(own.length / all.length), own.length % all.length];
      least += (rest * (each + 1) * each + (all.length - rest) * each * (each - 1)) / 2;
    }
    return {
      attribute: name,
      overlap: pairs === 0 ? 0 : same / pairs,
      leastOverlap: pairs === 0 ? 0 : least / pairs,
      tasksWithoutContrast: flat / (versions * tasks),
    };
  });
}

/**
 * Orme's rule of thumb for the respondents of a choice survey: 500 c / (t a) for t tasks of a alternatives, none not counted,
 * where c is the largest number of levels of an attribute (or of pairs of levels that interact). It only makes each level be
 * shown 500 times in all: it knows nothing of the utilities, of segments to be compared, or of what must be decided. Prefer
 * `powerBySimulation`.
 * @returns A whole number of respondents.
 * @throws RangeError as `codingOf`.
 * @see Orme (2010), Getting Started with Conjoint Analysis, 2nd ed., chapter 7.
 */
export function ruleOfThumbRespondents(
  { attributes, tasks, alternatives }: SurveyDesign,
  options: CodingOptions = {},
): number {
  const { sizes } = profileSpace(attributes);
  const pairs = codingOf(attributes, options).interactions.map(
    ([a, b]) => (sizes[a] as number) * (sizes[b] as number),
  );
  return Math.ceil((500 * Math.max(...sizes, ...pairs)) / (tasks * alternatives));
}

/** How power is simulated. */
export interface PowerOptions extends CodingOptions {
  /** Numbers of respondents to be tried, rising. */
  readonly respondents: readonly number[];
  readonly random: Random;
  /** Studies simulated for each number of respondents; 200 unless given. */
  readonly simulations?: number;
  /** Confidence level of tests and intervals; 0.95 unless given. */
  readonly level?: number;
  /** Share of studies that should find an effect; 0.8 unless given. */
  readonly target?: number;
  /** Threads; as many as the machine has processors if left out, 0 for none beside this one. */
  readonly workers?: number;
  /** Told how many studies are done. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends the simulation early: the promise is rejected with its reason. */
  readonly signal?: AbortSignal;
}

/** Power for one number of respondents. */
export interface PowerPoint {
  readonly respondents: number;
  /** Share of simulated studies in which the coefficient is significantly different from 0; failed ones count as not. */
  readonly power: number;
  /** The same by the standard error of the design and the normal distribution. */
  readonly analyticPower: number;
  /** Mean width of the confidence interval over the studies that could be fitted; absent if none could. */
  readonly intervalWidth?: number;
  /** Standard error to be expected from the design. */
  readonly standardError: number;
}

/** Power for one coefficient. */
export interface CoefficientPower {
  readonly coefficient: string;
  /** The coefficient that respondents are given. */
  readonly value: number;
  readonly points: readonly PowerPoint[];
  /** Fewest of the respondents tried whose power, and that of all more, reaches the target; absent if none does. */
  readonly enough?: number;
  /** Fewest respondents by the standard error of the design; absent for a coefficient of 0. */
  readonly analyticRespondents?: number;
}

/** Power of a survey. */
export interface PowerAnalysis {
  readonly simulations: number;
  readonly level: number;
  readonly target: number;
  readonly coefficients: readonly CoefficientPower[];
  /** For each number of respondents, the studies in which some coefficient could not be estimated. */
  readonly failed: readonly { readonly respondents: number; readonly studies: number }[];
  readonly warnings: readonly string[];
}

/**
 * How many respondents? Simulates studies: respondents, spread evenly over the versions, choose by a logit model with the
 * coefficients given, and the model is fitted to their choices. All respondents are alike here and their choices independent;
 * where tastes differ, more respondents are needed.
 * @param coefficients One for each column of the coded attributes. Take the smallest effects worth knowing, not hoped-for ones.
 * @throws RangeError if a coefficient is missing or strange or an option out of range; ConvergenceError as `designEfficiency`;
 * the signal's reason.
 */
export async function powerBySimulation(
  design: SurveyDesign,
  coefficients: Readonly<Record<string, number>>,
  options: PowerOptions,
): Promise<PowerAnalysis> {
  const { respondents, random, simulations = 200, level = 0.95, target = 0.8 } = options;
  requireWhole("simulations", simulations, 1);
  requireLevel(level);
  if (!(target > 0 && target < 1))
    throw new RangeError(`target must be a share of studies between 0 and 1, got ${target}`);
  if (respondents.length === 0) throw new RangeError("respondents must be at least one number, got none");
  for (const [place, number] of respondents.entries())
    requireWhole(`respondents[${place}]`, number, 1 + (respondents[place - 1] ?? 0));
  const { names } = codingOf(design.attributes, options);
  for (const name of names) {
    if (!(name in coefficients))
      throw new RangeError(
        `coefficients must have ${names.join(", ")}, got ${Object.keys(coefficients).join(", ")}`,
      );
  }
  requireFinite(coefficients);
  const errorsOfOne = expectedStandardErrors(design, 1, { ...options, priors: coefficients });
  const { coding = "dummy", interactions = [] } = options;
  const studies = await runInWorkers<PowerTask, StudyResult>({
    module: new URL("./design-power-worker.js", import.meta.url),
    exportName: "powerWorker",
    shared: { design, coefficients, coding: { coding, interactions } } satisfies PowerSetup,
    tasks: respondents.flatMap((number) =>
      Array.from({ length: simulations }, () => ({ respondents: number, seed: random.uint32() })),
    ),
    ...(options.workers === undefined ? {} : { workers: options.workers }),
    ...(options.onProgress ? { onProgress: options.onProgress } : {}),
    ...(options.signal ? { signal: options.signal } : {}),
  });
  const groups = respondents.map((_, place) =>
    studies.slice(place * simulations, (place + 1) * simulations).filter((study) => study !== undefined),
  );
  const failed = respondents.map((number, place) => ({
    respondents: number,
    studies: simulations - (groups[place] as unknown[]).length,
  }));
  const z = normalQuantile((1 + level) / 2);
  const lost = failed.filter((row) => row.studies > 0);
  return Object.freeze({
    simulations,
    level,
    target,
    coefficients: names.map((name, j) =>
      coefficientPower(name, coefficients[name] as number, errorsOfOne[name] as number, {
        respondents,
        fits: groups.map((group) =>
          group.map((fit) => [fit.estimates[j], fit.standardErrors[j]] as [number, number]),
        ),
        simulations,
        z,
        target,
      }),
    ),
    failed,
    warnings: lost.map(
      (row) =>
        `with ${row.respondents} respondents ${row.studies} of ${simulations} studies could not estimate some coefficient: they count as not significant`,
    ),
  });
}

interface PowerTask {
  readonly respondents: number;
  readonly seed: number;
}

/** Power of one coefficient from the estimates and standard errors of all studies. */
function coefficientPower(
  coefficient: string,
  value: number,
  errorOfOne: number,
  {
    respondents,
    fits,
    simulations,
    z,
    target,
  }: {
    readonly respondents: readonly number[];
    readonly fits: readonly (readonly [estimate: number, standardError: number][])[];
    readonly simulations: number;
    readonly z: number;
    readonly target: number;
  },
): CoefficientPower {
  const points = respondents.map((number, place) => {
    const own = fits[place] as readonly [number, number][];
    const standardError = errorOfOne / Math.sqrt(number);
    const effect = Math.abs(value) / standardError;
    return {
      respondents: number,
      power: own.filter(([estimate, error]) => Math.abs(estimate) > z * error).length / simulations,
      analyticPower: normalTail(z - effect) + normalTail(z + effect),
      ...(own.length === 0
        ? {}
        : { intervalWidth: (2 * z * own.reduce((sum, [, error]) => sum + error, 0)) / own.length }),
      standardError,
    };
  });
  const enough = points.find((_, place) => points.slice(place).every(({ power }) => power >= target));
  const needed = ((z + normalQuantile(target)) * errorOfOne) / Math.abs(value);
  return {
    coefficient,
    value,
    points,
    ...(enough === undefined ? {} : { enough: enough.respondents }),
    ...(value === 0 ? {} : { analyticRespondents: Math.max(1, Math.ceil(needed ** 2)) }),
  };
}
