import { requireWhole } from "../core/arguments.js";
import { dot, type Matrix, quadraticForm } from "../numeric/matrix.js";
import { minimiseNewton } from "../numeric/newton.js";
import { type Random, randomSource } from "../numeric/random.js";
import { drawInteger, drawWeighted } from "../numeric/sampling.js";
import { runInWorkers } from "../numeric/worker-pool.js";
import { groupScores } from "./conditional-logit.js";
import {
  classPlaces,
  completeDerivatives,
  type Expectation,
  emStep,
  expectation,
  type LatentClassProblem,
  observedInformation,
} from "./latent-class-likelihood.js";

/** What all searches share. */
export interface LatentClassSearch {
  readonly problem: LatentClassProblem;
  /** Coefficients if all respondents are alike, and the inverse of their information. */
  readonly pooled: Float64Array;
  readonly inverse: Matrix;
}

/** Where a search ended. */
export interface FoundClasses {
  readonly theta: Float64Array;
  /** (Penalised) log-likelihood. */
  readonly value: number;
  readonly converged: boolean;
}

/** How to search. */
export interface LatentClassSearchOptions {
  /** Source of the starting places. */
  readonly random: Random;
  /** Searches begun from different places; 20 unless given. The best five are carried to the end. */
  readonly starts?: number;
  /** Worker threads; as many as the machine runs at once unless given, 0 for none. */
  readonly workers?: number;
  /** Called after each search with the number of searches done, and of all. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends the work early: the call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

const STARTS = 20;
const FINALISTS = 5;
const SHORT = 15; // EM iterations after which searches are compared
const LONG = 300; // EM iterations before Newton's method at most
const SLOW = 0.02; // gain of an EM iteration from which on Newton's method is faster
const SAME = 1e-3; // difference of log-likelihood between searches that found the same
const HALF = 0.5; // respondents: a class with fewer is empty

/**
 * All searches, on worker threads: short runs of EM from many places, the best of them to the end. A search that
 * leaves a class without respondents comes after all that do not; `occupied` counts the classes that have some.
 * @throws RangeError if `starts` or `workers` is out of range; the signal's reason.
 */
export async function searchClasses(
  search: LatentClassSearch,
  { random, starts = STARTS, workers, onProgress, signal }: LatentClassSearchOptions,
): Promise<{ best: FoundClasses & { occupied: number }; finished: number; agreed: number }> {
  requireWhole("starts", starts, 1);
  const { problem } = search;
  const isOne = problem.classes === 1;
  const begun = isOne ? 1 : starts;
  const searches = isOne ? 1 : Math.min(FINALISTS, starts);
  const run = (tasks: readonly (number | Float64Array)[], before: number): Promise<FoundClasses[]> =>
    runInWorkers<number | Float64Array, FoundClasses>({
      module: new URL("./latent-class-worker.js", import.meta.url),
      exportName: "latentClassWorker",
      shared: search,
      tasks,
      ...(workers === undefined ? {} : { workers }),
      ...(onProgress ? { onProgress: (done) => onProgress(before + done, begun + searches) } : {}),
      ...(signal ? { signal } : {}),
    });
  const source = random.stream("start");
  const seeds = Array.from({ length: begun }, () => source.uint32());
  const short = (await run(seeds, 0)).sort((a, b) => b.value - a.value);
  const ends = await run(
    short.slice(0, searches).map(({ theta }) => theta),
    begun,
  );
  const found = ends
    .map((end) => {
      const occupied = classMembers(problem, end.theta).filter((members) => members >= HALF).length;
      return { ...end, occupied };
    })
    .sort((a, b) => b.occupied - a.occupied || b.value - a.value);
  const best = found[0] as (typeof found)[number];
  const isSame = ({ occupied, value }: typeof best): boolean =>
    occupied === best.occupied && value > best.value - SAME;
  return { best, finished: searches, agreed: found.filter(isSame).length };
}

/** Respondents in each class; they count by their weight, in the mean 1. */
export function classMembers(problem: LatentClassProblem, theta: Float64Array): number[] {
  const { classes, weight } = problem;
  const { posterior } = expectation(problem, theta);
  const mean = weight.reduce((sum, w) => sum + w, 0) / weight.length;
  return Array.from(
    { length: classes },
    (_, q) => weight.reduce((sum, w, who) => sum + w * (posterior[who * classes + q] as number), 0) / mean,
  );
}

/**
 * A short search from a random place: respondents are gathered around some of them far from each other (k-means++), by what
 * one scoring step from the pooled coefficients says of each one's tastes; then EM.
 * @see Arthur & Vassilvitskii (2007), k-means++: The Advantages of Careful Seeding; Biernacki, Celeux & Govaert (2003),
 * Choosing Starting Values for the EM Algorithm, Computational Statistics & Data Analysis 41.
 */
export function searchFrom({ problem, pooled, inverse }: LatentClassSearch, seed: number): FoundClasses {
  const { design, classes } = problem;
  const p = pooled.length;
  const random = randomSource(seed);
  const all = groupScores(design, pooled, design.respondentStart);
  const scores = Array.from({ length: all.length / p }, (_, who) => all.subarray(who * p, (who + 1) * p));
  const distance = (a: Float64Array, b: Float64Array): number =>
    quadraticForm(
      inverse,
      a.map((value, j) => value - (b[j] as number)),
    );
  const centres = [scores[drawInteger(random, 0, scores.length - 1)] as Float64Array];
  while (centres.length < classes) {
    const apart = scores.map((score) => Math.min(...centres.map((centre) => distance(score, centre))));
    const isSame = !apart.some((value) => value > 0);
    centres.push(scores[drawWeighted(random, isSame ? apart.map(() => 1) : apart)] as Float64Array);
  }
  const sums = centres.map(() => new Float64Array(p));
  const counts = centres.map(() => 0);
  for (const score of scores) {
    const apart = centres.map((centre) => distance(score, centre));
    const q = apart.indexOf(Math.min(...apart));
    counts[q] = (counts[q] as number) + 1;
    const sum = sums[q] as Float64Array;
    for (let j = 0; j < p; j++) sum[j] = (sum[j] as number) + (score[j] as number);
  }
  const places = classPlaces(problem);
  const theta = new Float64Array(places.at(-1)?.end as number);
  for (const [q, { utility }] of places.entries()) {
    const share = scores.length / ((counts[q] as number) + 1); // as if one respondent more had the pooled tastes
    const step = inverse.map((row) => share * dot(row, sums[q] as Float64Array));
    theta.set(
      pooled.map((value, j) => value + (step[j] as number)),
      utility,
    );
  }
  const end = climb(problem, theta, SHORT, 0);
  return { theta: end.theta, value: end.value, converged: false };
}

/** A search carried to the end: EM while it is quick, then Newton's method. */
export function searchToEnd({ problem }: LatentClassSearch, start: Float64Array): FoundClasses {
  let here = climb(problem, start, LONG, SLOW);
  const at = (x: Float64Array): Expectation => {
    if (x.some((value, i) => value !== here.theta[i])) here = expectation(problem, x.slice());
    return here;
  };
  const { x, value, converged } = minimiseNewton(
    (place, gradient) => {
      const { score } = completeDerivatives(problem, at(place));
      for (const [i, slope] of score.entries()) gradient[i] = -slope;
      return -at(place).value;
    },
    (place) => observedInformation(problem, at(place)).information,
    Array.from(here.theta),
  );
  return { theta: x, value: -value, converged };
}

/** EM for so many iterations, or until one gains too little. */
function climb(problem: LatentClassProblem, start: Float64Array, most: number, enough: number): Expectation {
  let here = expectation(problem, start);
  for (let k = 0; k < most; k++) {
    const next = emStep(problem, here);
    const gain = next.value - here.value;
    here = next;
    if (gain <= enough) break;
  }
  return here;
}
