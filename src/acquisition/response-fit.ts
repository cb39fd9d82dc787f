import { ConvergenceError, DataError } from "../core/errors.js";
import { type Matrix, symmetricEigen } from "../numeric/matrix.js";
import { type Minimum, minimise, type Objective } from "../numeric/minimise.js";
import { minimiseNewton } from "../numeric/newton.js";
import type { Random } from "../numeric/random.js";
import { drawGamma, drawPoisson } from "../numeric/sampling.js";
import { logGamma } from "../numeric/special.js";
import { type ResponseCurve, responseAt } from "./response-curve.js";
import {
  emptyPoint,
  natural,
  naturalSlope,
  type ResponseShape,
  searched,
  shapeNames,
  shapes,
} from "./response-shapes.js";

/** Spends and what they won, one element a row (a month, a campaign, a region in a month). */
export interface ResponseData {
  /** Money spent, from 0 up. */
  readonly spend: readonly number[];
  /** Customers won by it, whole numbers; organic customers taken away unless the shape has a floor. */
  readonly won: readonly number[];
  /** Size of the pool of possible customers of each row, above 0; 1 if left out. */
  readonly exposure?: readonly number[];
  /** Segment of each row: segments share one curve but for a cost factor; one segment if left out. */
  readonly segment?: readonly string[];
}

/** How a response curve is fitted. */
export interface ResponseFitOptions {
  /** The formula. */
  readonly shape: ResponseShape;
  /**
   * "quasi-Poisson", the default, widens the standard errors by the dispersion that the residuals show; "Poisson" trusts
   * the counts to vary no more than by chance.
   */
  readonly errors?: "quasi-Poisson" | "Poisson";
}

/** A fitted response curve. */
export interface ResponseFit extends ResponseCurve {
  readonly model: "response curve";
  /** How its standard errors were computed. */
  readonly errors: "quasi-Poisson" | "Poisson";
  /** Of the parameters and, under "cost factor NAME", of the cost factors but the first, on their own scales. */
  readonly standardErrors: Readonly<Record<string, number>>;
  /** Covariance in the order of `standardErrors`. */
  readonly covariance: readonly (readonly number[])[];
  /** Pearson's chi-square by degree of freedom, but at least 1; 1 for "Poisson". */
  readonly dispersion: number;
  /** Poisson log-likelihood. */
  readonly logLikelihood: number;
  /** Rows that say something: all but those without spend, unless the shape has a floor. */
  readonly observations: number;
  readonly converged: boolean;
  readonly iterations: number;
  readonly identification: {
    /** Of the information about the logs of the parameters, scaled to a unit diagonal. */
    readonly conditionNumber: number;
    /** True if some parameter is hardly determined: the curve may be sound within the data, its parameters are not. */
    readonly weak: boolean;
    /** What is wrong, in words; "" if nothing. */
    readonly ridge: string;
    /**
     * Parameters that the data do not hold: the standard error of the log (log odds of a floor) is above 1, or the profile
     * likelihood lets the parameter be 7.4 times as large or as small within two standard errors. Do not read them.
     */
    readonly undetermined: readonly string[];
  };
  readonly warnings: readonly string[];
  /** The data, for figures and profile intervals. */
  readonly data: ResponseData;
}

const EDGE = 1000; // the search ends smoothly where the curve bends by less than a part in a thousand over the data
const LOOSE = 1; // standard error of a log from which a parameter counts as not determined
const TIGHT = 0.2; // standard error of a log below which the likelihood is followed only if another parameter is open
const REACH = 2; // how far a log is followed: a factor of e^2 = 7.4
const LET = 2 ** 2; // fall of twice the log-likelihood, in dispersions, that counts as none: two standard errors
const SEARCHES = 3;
const FLATTEST = 1e-12; // eigenvalue of the scaled information that counts as none

/**
 * Response curve by maximum likelihood: customers won W as a function of spend S, Poisson around
 *
 * - "log": scale ln(1 + S / threshold), which never saturates;
 * - "negative-exponential": ceiling (1 - e^(-rate S));
 * - "hill": ceiling S^h / (S^h + half^h), h = exponent, S-shaped if it is above 1;
 * - "power": scale S^exponent;
 * - "adbudg": floor + (ceiling - floor) S^h / (S^h + half^h) with floor = floorShare ceiling.
 *
 * With pools of different size q and segments r that share the curve but for a cost factor f (1 in the first one), a row
 * wins q W(S / (q f)). Fisher scoring on the log parameters from several starts. A curve seen on its straight part has no
 * ceiling: then `identification.undetermined` names the parameters that mean nothing, and a warning says why.
 *
 * The curve describes spends that varied for reasons which have nothing to do with demand. If budgets follow the season
 * (more is spent when more would buy anyhow), it takes the season for the effect of the spend.
 * @throws DataError if rows differ in number, a spend is below 0, customers are not whole numbers from 0 up, an exposure is
 * not above 0, customers were won without spend (but for "adbudg"), a segment won nobody, or there are fewer different
 * spends than parameters.
 * @throws ConvergenceError if no search settles.
 * @see Little (1970), Management Science 16(8), for "adbudg"; Blattberg & Deighton (1996), Harvard Business Review 74(4),
 * for "negative-exponential"; McCullagh & Nelder (1989), Generalized Linear Models, for the quasi-likelihood.
 */
export function fitResponseCurve(data: ResponseData, options: ResponseFitOptions): ResponseFit {
  const { shape, errors = "quasi-Poisson" } = options;
  if (!shapeNames.includes(shape)) {
    throw new RangeError(`shape must be one of ${shapeNames.join(", ")}, got ${shape}`);
  }
  const { names } = shapes[shape];
  const rows = readRows(data, shape);
  const { segments } = rows;
  const likelihood = responseLikelihood(rows, shape);
  const best = search(likelihood, startsOf(rows, shape), shape);
  const parameters = names.map((name, k) => natural(name, best.x[k] as number));
  const factors = segments.map((_, r) => (r === 0 ? 1 : Math.exp(best.x[names.length + r - 1] as number)));
  const { information, pearson } = likelihood.at(best.x);
  const freedom = rows.size - best.x.length;
  const dispersion = errors === "quasi-Poisson" && freedom > 0 ? Math.max(1, pearson / freedom) : 1;
  const { inverse, conditionNumber } = invertInformation(information);
  const scale = [...names.map((name, k) => naturalSlope(name, parameters[k] as number)), ...factors.slice(1)];
  const labels = [...names, ...segments.slice(1).map((segment) => `cost factor ${segment}`)];
  const covariance = inverse.map((row, i) =>
    row.map((value, j) => dispersion * value * (scale[i] as number) * (scale[j] as number)),
  );
  const standardErrors = covariance.map((row, i) => Math.sqrt(row[i] as number));
  // The scale of a power curve is its value at a spend of 1, mostly far outside the data: loose, but no ridge.
  const judged = [...labels.keys()].filter((i) => !(shape === "power" && labels[i] === "scale"));
  const open = openParameters(likelihood, best.x, { judged, inverse, dispersion });
  const undetermined = labels.filter((_, i) => open.includes(i));
  const ridge = ridgeInWords(undetermined, rows);
  const warnings = [
    ...(ridge === "" ? [] : [ridge]),
    ...(errors === "quasi-Poisson" && freedom <= 0
      ? ["as many parameters as rows: the dispersion cannot be estimated and is taken as 1"]
      : []),
    ...(dispersion > 2
      ? [
          `the numbers won vary ${dispersion.toFixed(1)} times as much as by chance: something beside the spend moves them`,
        ]
      : []),
    ...(best.converged ? [] : ["the search stopped before its gradient was at its limit"]),
  ];
  return Object.freeze({
    model: "response curve",
    shape,
    errors,
    parameters: byName(names, parameters),
    ...(data.segment === undefined ? {} : { costFactors: byName(segments, factors) }),
    standardErrors: byName(labels, standardErrors),
    covariance: Object.freeze(covariance.map((row) => Object.freeze(row))),
    dispersion,
    logLikelihood: -likelihood.negative(best.x, new Float64Array(best.x.length)),
    observations: rows.size,
    converged: best.converged,
    iterations: best.iterations,
    identification: Object.freeze({
      conditionNumber,
      weak: undetermined.length > 0,
      ridge,
      undetermined: Object.freeze(undetermined),
    }),
    warnings: Object.freeze(warnings),
    data: Object.freeze({ ...data }),
  });
}

/** One line: `"hill" ceiling=312 half=10400 exponent=1.42 LL=-118.3 dispersion=1.08`; "?" marks what is not determined. */
export function responseSummary(fit: ResponseFit): string {
  const values = { ...fit.parameters, ...fit.costFactors };
  const text = Object.entries(values).map(([name, value]) => {
    const isLoose =
      fit.identification.undetermined.includes(name) ||
      fit.identification.undetermined.includes(`cost factor ${name}`);
    return `${name}=${isLoose ? "?" : Number(value.toPrecision(4))}`;
  });
  return `"${fit.shape}" ${text.join(" ")} LL=${fit.logLikelihood.toFixed(1)} dispersion=${fit.dispersion.toFixed(2)}`;
}

/** One shape among others. */
export interface ShapeComparison {
  /** The shapes that fitted, the best first. */
  readonly shapes: readonly {
    readonly shape: ResponseShape;
    /** Akaike's criterion divided by the dispersion (QAIC); smaller is better. */
    readonly qaic: number;
    /** Difference to the best one. */
    readonly difference: number;
    /** Share of the evidence: the weights add to 1. */
    readonly weight: number;
    readonly fit: ResponseFit;
  }[];
  /** Shapes that could not be fitted, and why. */
  readonly failed: readonly { readonly shape: ResponseShape; readonly reason: string }[];
  /** Dispersion that all share: the least of the fits. */
  readonly dispersion: number;
}

/**
 * Fits several shapes and weighs them by Akaike's criterion, QAIC = -2 LL / dispersion + 2 parameters, with one dispersion
 * for all: the least of the fits, for a curve that does not fit takes misfit for chance. Weights say which shape predicts
 * such data best within the spends observed; they say nothing about spends beyond.
 * @throws DataError or ConvergenceError as `fitResponseCurve` if the first shape, the simplest one, cannot be fitted.
 * @throws RangeError if there are no candidates.
 * @see Burnham & Anderson (2002), Model Selection and Multimodel Inference, sections 2.5 and 2.9.
 */
export function compareResponseShapes(
  data: ResponseData,
  candidates: readonly ResponseShape[] = ["power", "log", "negative-exponential", "hill"],
): ShapeComparison {
  if (candidates.length === 0) throw new RangeError("candidates must hold at least one shape, got none");
  const fits: ResponseFit[] = [];
  const failed: { readonly shape: ResponseShape; readonly reason: string }[] = [];
  for (const shape of candidates) {
    try {
      fits.push(fitResponseCurve(data, { shape }));
    } catch (error) {
      const isOfShape = error instanceof ConvergenceError || error instanceof DataError;
      if (!isOfShape || shape === candidates[0]) throw error; // the first one needs the least: bad data, not a bad shape
      failed.push({ shape, reason: error.message });
    }
  }
  const dispersion = Math.min(...fits.map((fit) => fit.dispersion));
  const scored = fits.map((fit) => ({
    fit,
    qaic: (-2 * fit.logLikelihood) / dispersion + 2 * fit.covariance.length,
  }));
  const least = Math.min(...scored.map(({ qaic }) => qaic));
  const evidence = scored.map(({ qaic }) => Math.exp((least - qaic) / 2));
  const total = evidence.reduce((sum, value) => sum + value, 0);
  const ranked = scored
    .map(({ fit, qaic }, i) => ({
      shape: fit.shape,
      qaic,
      difference: qaic - least,
      weight: (evidence[i] as number) / total,
      fit,
    }))
    .sort((a, b) => a.qaic - b.qaic);
  return Object.freeze({ shapes: ranked, failed, dispersion });
}

/**
 * Customers won by given spends if the curve is true: Poisson, or with a dispersion above 1 negative binomial with a
 * variance of that many times the mean.
 * @throws RangeError as `responseAt`, or if the dispersion is below 1.
 */
export function simulateResponse(
  curve: ResponseCurve,
  { spend, exposure, segment }: Omit<ResponseData, "won">,
  options: {
    /** Seeded source of random numbers. */
    readonly random: Random;
    /** Variance by mean; default 1. */
    readonly dispersion?: number;
  },
): ResponseData {
  const { random, dispersion = 1 } = options;
  if (!(dispersion >= 1)) throw new RangeError(`dispersion must be 1 or more, got ${dispersion}`);
  const won = spend.map((money, row) => {
    const name = segment?.[row];
    const mean = responseAt(curve, money, {
      exposure: exposure?.[row] ?? 1,
      ...(name === undefined ? {} : { segment: name }),
    });
    if (dispersion === 1 || mean === 0) return drawPoisson(random, mean);
    return drawPoisson(random, drawGamma(random, mean / (dispersion - 1), 1 / (dispersion - 1)));
  });
  return { spend, won, ...(exposure ? { exposure } : {}), ...(segment ? { segment } : {}) };
}

/** Rows that say something about the curve. */
interface ResponseRows {
  readonly size: number;
  readonly spend: Float64Array;
  readonly won: Float64Array;
  readonly exposure: Float64Array;
  /** Place of each row's segment among the segments. */
  readonly segmentOf: Int32Array;
  readonly segments: readonly string[];
}

/**
 * Checks the data and drops rows that say nothing.
 * @throws DataError as `fitResponseCurve`.
 */
export function readRows(
  { spend, won, exposure, segment }: ResponseData,
  shape: ResponseShape,
): ResponseRows {
  if (spend.length === 0) throw new DataError("response data: at least one row is needed, got none");
  for (const [name, column] of Object.entries({ won, exposure, segment })) {
    if (column === undefined || column.length === spend.length) continue;
    throw new DataError(
      `response data: ${name} must have ${spend.length} rows like spend, got ${column.length}`,
    );
  }
  // In the order of an object's keys (numbers come first), because the cost factors are one.
  const segments = Object.keys(Object.fromEntries((segment ?? [""]).map((name) => [name, true])));
  const used = [...spend.keys()].filter((row) => {
    const [money, customers, pool] = [spend[row] as number, won[row] as number, exposure?.[row] ?? 1];
    const bad = (name: string, allowed: string, value: number): never => {
      throw new DataError(`response data: ${name} in row ${row + 1} must be ${allowed}, got ${value}`);
    };
    if (!(money >= 0 && Number.isFinite(money))) bad("spend", "a number from 0 up", money);
    if (!(customers >= 0 && Number.isSafeInteger(customers)))
      bad("won", "a whole number from 0 up", customers);
    if (!(pool > 0 && Number.isFinite(pool))) bad("exposure", "a number above 0", pool);
    if (money > 0 || shape === "adbudg") return true;
    if (customers === 0) return false;
    const advice = 'leave organic customers out, or use the shape "adbudg", which has a floor';
    throw new DataError(
      `response data: won in row ${row + 1} must be 0 where nothing is spent, got ${customers}: ${advice}`,
    );
  });
  const rows: ResponseRows = {
    size: used.length,
    spend: Float64Array.from(used, (row) => spend[row] as number),
    won: Float64Array.from(used, (row) => won[row] as number),
    exposure: Float64Array.from(used, (row) => exposure?.[row] ?? 1),
    segmentOf: Int32Array.from(used, (row) => segments.indexOf(segment?.[row] ?? "")),
    segments,
  };
  requireInformation(rows, shape);
  return rows;
}

function requireInformation(rows: ResponseRows, shape: ResponseShape): void {
  const { segments, segmentOf, spend, exposure, won } = rows;
  for (const [place, segment] of segments.entries()) {
    if (won.some((customers, row) => customers > 0 && segmentOf[row] === place)) continue;
    const where = segments.length === 1 ? "" : ` in segment ${segment}`;
    throw new DataError(`response data: at least one customer must be won${where}, got none`);
  }
  const different = new Set(spend.map((money, row) => money / (exposure[row] as number)));
  const cells = new Set(
    Array.from(spend, (money, row) => `${segmentOf[row]} ${money / (exposure[row] as number)}`),
  );
  const { names } = shapes[shape];
  const needed = names.length + segments.length - 1;
  if (different.size >= 2 && cells.size >= needed) return;
  const spends = segments.length === 1 ? "different spends" : "different spends over the segments";
  throw new DataError(
    `response data: at least ${needed} ${spends} are needed for ${names.join(", ")}, got ${different.size < 2 ? different.size : cells.size}`,
  );
}

/** Likelihood of searched parameters: logs (log odds of a floor), then logs of the cost factors but the first. */
interface ResponseLikelihood {
  /** Minus the log-likelihood with its gradient. */
  readonly negative: Objective;
  /** The same with a penalty far beyond the data, so that a search ends there. */
  readonly penalised: Objective;
  /** Expected information and Pearson's chi-square. */
  readonly at: (x: ArrayLike<number>) => { readonly information: number[][]; readonly pearson: number };
  /** Expected information and the curvature of the penalty. */
  readonly hessian: (x: Float64Array) => Matrix;
}

/** Poisson likelihood of the rows under a shape. */
export function responseLikelihood(rows: ResponseRows, shape: ResponseShape): ResponseLikelihood {
  const { names, evaluate } = shapes[shape];
  const { size, spend, won, exposure, segmentOf, segments } = rows;
  const count = names.length + segments.length - 1;
  const parameters = new Float64Array(names.length);
  const point = emptyPoint(names.length);
  const slopes = new Float64Array(count);
  const edges = edgesOf(rows, shape);
  let saturated = 0; // log-likelihood if each mean were what was won
  for (const customers of won) {
    saturated +=
      (customers === 0 ? 0 : customers * Math.log(customers)) - customers - logGamma(customers + 1);
  }
  /** Calls `visit` with each row's mean; its derivatives by the searched parameters are in `slopes`. */
  const forEachRow = (x: ArrayLike<number>, visit: (mean: number, customers: number) => void): void => {
    for (let k = 0; k < names.length; k++) parameters[k] = natural(names[k] as string, x[k] as number);
    for (let row = 0; row < size; row++) {
      const pool = exposure[row] as number;
      const place = names.length - 1 + (segmentOf[row] as number);
      const factor = segmentOf[row] === 0 ? 1 : Math.exp(x[place] as number);
      const money = (spend[row] as number) / (pool * factor);
      evaluate(parameters, money, point);
      slopes.fill(0);
      for (let k = 0; k < names.length; k++) slopes[k] = pool * (point.byParameter[k] as number);
      if (segmentOf[row] !== 0 && money > 0) slopes[place] = -pool * point.slope * money;
      visit(pool * point.value, won[row] as number);
    }
  };
  const negative: Objective = (x, gradient) => {
    let sum = saturated;
    gradient.fill(0);
    forEachRow(x, (mean, customers) => {
      // As a difference to the saturated model: its terms are small, so that rounding does not stall the search.
      const excess = mean - customers;
      sum += (customers === 0 ? 0 : customers * Math.log1p(excess / customers)) - excess;
      const pull = customers === 0 ? 1 : 1 - customers / mean;
      for (let k = 0; k < count; k++) gradient[k] = (gradient[k] as number) + pull * (slopes[k] as number);
    });
    return -sum;
  };
  const penalised: Objective = (x, gradient) => {
    let value = negative(x, gradient);
    for (const { k, low, high } of edges) {
      const beyond = Math.max(0, (x[k] as number) - high) + Math.min(0, (x[k] as number) - low);
      value += beyond ** 2;
      gradient[k] = (gradient[k] as number) + 2 * beyond;
    }
    return value;
  };
  const at = (x: ArrayLike<number>): { information: number[][]; pearson: number } => {
    const information = Array.from({ length: count }, () => new Array<number>(count).fill(0));
    let pearson = 0;
    forEachRow(x, (mean, customers) => {
      if (mean === 0) return; // an S-shaped curve at a tiny spend: nobody expected, nobody won
      pearson += (customers - mean) ** 2 / mean;
      for (let i = 0; i < count; i++) {
        const line = information[i] as number[];
        for (let j = 0; j < count; j++) {
          line[j] = (line[j] as number) + ((slopes[i] as number) * (slopes[j] as number)) / mean;
        }
      }
    });
    return { information, pearson };
  };
  const hessian = (x: Float64Array): Matrix => {
    const { information } = at(x);
    for (const { k, low, high } of edges) {
      const value = x[k] as number;
      const line = information[k] as number[];
      if (value > high || value < low) line[k] = (line[k] as number) + 2;
    }
    return information;
  };
  return { negative, penalised, at, hessian };
}

/** Bounds of searched parameters beyond which the curve does not change within the data. */
function edgesOf(
  { spend, exposure }: ResponseRows,
  shape: ResponseShape,
): { readonly k: number; readonly low: number; readonly high: number }[] {
  const used = Array.from(spend, (money, row) => money / (exposure[row] as number)).filter((x) => x > 0);
  const [least, most] = [Math.log(Math.min(...used) / EDGE), Math.log(Math.max(...used) * EDGE)];
  const bounds: Readonly<Record<string, readonly [number, number]>> = {
    threshold: [least, most],
    half: [least, most],
    rate: [-most, -least],
    exponent: [Math.log(1 / 50), Math.log(50)],
    floorShare: [Math.log(1 / EDGE), Math.log(EDGE)],
  };
  return shapes[shape].names.flatMap((name, k) => {
    const bound = bounds[name];
    return bound === undefined ? [] : [{ k, low: bound[0], high: bound[1] }];
  });
}

/** Starting values on the searched scale: for each shape of the curve, the height that gives the total won. */
export function startsOf(rows: ResponseRows, shape: ResponseShape): number[][] {
  const { names, evaluate, starts } = shapes[shape];
  const { size, spend, won, exposure, segments } = rows;
  const point = emptyPoint(names.length);
  const used = Array.from(spend, (money, row) => money / (exposure[row] as number));
  const customers = won.reduce((sum, value) => sum + value, 0);
  return starts(Math.max(...used)).map((start) => {
    let expected = 0;
    for (let row = 0; row < size; row++) {
      evaluate([1, ...start], used[row] as number, point);
      expected += (exposure[row] as number) * point.value;
    }
    const parameters = [customers / expected, ...start];
    return [
      ...parameters.map((value, k) => searched(names[k] as string, value)),
      ...segments.slice(1).map(() => 0),
    ];
  });
}

/** The best of the searches from the most likely starts. */
function search(
  { penalised, hessian }: ResponseLikelihood,
  starts: readonly (readonly number[])[],
  shape: ResponseShape,
): Minimum {
  const scratch = new Float64Array(starts[0]?.length ?? 0);
  const ranked = starts
    .map((start) => ({ start, value: penalised(Float64Array.from(start), scratch) }))
    .sort((a, b) => a.value - b.value)
    .slice(0, SEARCHES);
  const [best, ...others] = ranked.map(({ start }) => minimiseNewton(penalised, hessian, start));
  const lowest = others.reduce((low, next) => (next.value < low.value ? next : low), best as Minimum);
  const steepest = Math.max(...lowest.gradient.map(Math.abs));
  if (Number.isFinite(lowest.value) && (lowest.converged || steepest < 1e-3)) return lowest;
  throw new ConvergenceError(
    `response curve "${shape}" did not settle: ${ranked.length} searches, log-likelihood ${-lowest.value}, gradient ${steepest.toExponential(1)} left; a simpler shape may fit: "power"`,
  );
}

/**
 * Places of the parameters that are not determined, among those judged. A standard error knows the curvature at the
 * estimate only; it promises too much where the likelihood levels off farther out, as for an exponent so large that the
 * curve is a step between two spends, or for a ceiling far above the data. So the profile likelihood is followed out: of
 * all but the tight parameters, and of these too if one is open, for then the estimate may be one of several.
 */
function openParameters(
  likelihood: ResponseLikelihood,
  estimate: Float64Array,
  {
    judged,
    inverse,
    dispersion,
  }: { readonly judged: readonly number[]; readonly inverse: Matrix; readonly dispersion: number },
): number[] {
  const errorOf = (i: number): number => Math.sqrt(dispersion * (inverse[i]?.[i] as number));
  const isOpen = (i: number): boolean =>
    errorOf(i) > LOOSE ||
    [REACH, -REACH].some((step) =>
      canMove(
        likelihood,
        estimate,
        { moved: i, step, along: inverse[i] as readonly number[] },
        LET * dispersion,
      ),
    );
  const open = judged.filter((i) => errorOf(i) > TIGHT && isOpen(i));
  return open.length === 0 ? [] : [...open, ...judged.filter((i) => errorOf(i) <= TIGHT && isOpen(i))];
}

/**
 * Whether one searched parameter can be moved by a step so that twice the log-likelihood falls by less than allowed, while
 * the others make the best of it. `along` is its row of the covariance, the direction in which they do at first.
 */
function canMove(
  { negative, penalised }: ResponseLikelihood,
  estimate: Float64Array,
  {
    moved,
    step,
    along,
  }: { readonly moved: number; readonly step: number; readonly along: readonly number[] },
  allowed: number,
): boolean {
  const others = [...estimate.keys()].filter((k) => k !== moved);
  const full = estimate.slice();
  const slopes = new Float64Array(full.length);
  const most = negative(full, slopes) + allowed / 2;
  full[moved] = (estimate[moved] as number) + step;
  const ownPenalty = penalised(full, slopes) - negative(full, slopes);
  const constrained: Objective = (x, gradient) => {
    for (const [i, k] of others.entries()) full[k] = x[i] as number;
    const value = penalised(full, slopes) - ownPenalty;
    const isEnough = value < most; // the function is flat from there on, so that the search ends
    for (const [i, k] of others.entries()) gradient[i] = isEnough ? 0 : (slopes[k] as number);
    return isEnough ? most : value;
  };
  return [1, 0].some((share) => {
    const start = others.map(
      (k) => (estimate[k] as number) + (share * step * (along[k] as number)) / (along[moved] as number),
    );
    return (
      minimise(constrained, start, { method: "l-bfgs", relativeTolerance: 1e-6, maxIterations: 100 })
        .value === most
    );
  });
}

function ridgeInWords(undetermined: readonly string[], { spend }: ResponseRows): string {
  if (undetermined.length === 0) return "";
  const range = `over the spends observed, ${Math.min(...spend)} to ${Math.max(...spend)}`;
  const names = undetermined.join(", ");
  if (undetermined.includes("ceiling")) {
    return `${names} not determined: ${range}, the curve shows no sign of a ceiling; it holds within them only`;
  }
  if (undetermined.includes("scale")) {
    return `${names} not determined: ${range}, the curve is almost straight; it holds within them only`;
  }
  return `${names} not determined ${range}`;
}

/**
 * Inverse of the information, scaled to a unit diagonal, with eigenvalues of at least FLATTEST: a direction that the data
 * say nothing about gets a huge variance, not an error. And the condition number of the scaled matrix.
 */
function invertInformation(information: Matrix): { inverse: number[][]; conditionNumber: number } {
  const scale = information.map((row, i) => Math.sqrt(row[i] as number) || 1);
  const scaled = information.map((row, i) =>
    row.map((value, j) => value / ((scale[i] as number) * (scale[j] as number))),
  );
  const { values, vectors } = symmetricEigen(scaled);
  const sizes = values.map((value) => Math.max(value, FLATTEST));
  const inverse = scaled.map((row, i) =>
    row.map((_, j) => {
      let sum = 0;
      for (const [k, vector] of vectors.entries()) {
        sum += ((vector[i] as number) * (vector[j] as number)) / (sizes[k] as number);
      }
      return sum / ((scale[i] as number) * (scale[j] as number));
    }),
  );
  return { inverse, conditionNumber: Math.max(...sizes) / Math.min(...sizes) };
}

const byName = (names: readonly string[], values: readonly number[]): Readonly<Record<string, number>> =>
  Object.freeze(Object.fromEntries(names.map((name, i) => [name, values[i] as number])));
