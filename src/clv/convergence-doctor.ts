import { requireLevel } from "../core/arguments.js";
import { chance } from "../core/text.js";
import { hessianOf } from "../numeric/derivatives.js";
import { onLogScale } from "../numeric/log-scale.js";
import { symmetricEigen } from "../numeric/matrix.js";
import { minimise } from "../numeric/minimise.js";
import { normalQuantile } from "../numeric/special.js";
import type { LikelihoodRatioTest } from "./beta-discrete-weibull.js";
import type { BuyingModel, ParameterValues } from "./buying-model.js";
import { cellCustomers, type PurchaseCells } from "./cells.js";
import { LOG_EDGE, type ModelFit, named, withEdge } from "./fit.js";
import { nbd } from "./nbd.js";
import { likelihoodRatioTest } from "./summary.js";

/** The log-likelihood of a model over two of its parameters, for a contour figure. */
export interface LikelihoodSurface {
  readonly aName: string;
  readonly bName: string;
  /** Values of the first parameter, rising by equal factors; the estimate is the middle one. */
  readonly a: readonly number[];
  /** Values of the second parameter, likewise. */
  readonly b: readonly number[];
  /** A row for each b, a value for each a: the largest log-likelihood over the other parameters, or a slice. */
  readonly logLikelihood: readonly (readonly number[])[];
  readonly estimate: { readonly a: number; readonly b: number; readonly logLikelihood: number };
  /** What moves together along a ridge, as the fit says; "" if nothing does. */
  readonly ridge: string;
}

/** Size and kind of a likelihood surface. */
export interface SurfaceOptions {
  /** Values of each parameter, an odd number from 3 to 101; 21 if left out. */
  readonly points?: number;
  /** Factor, above 1, from the estimate to each end of the grid; if left out four standard errors, from 1.5 to 1000. */
  readonly span?: number;
  /** True to hold the other parameters at their estimates; such regions are too small. False if left out. */
  readonly slice?: boolean;
}

/** An interval of a parameter by the likelihood ratio. */
export interface ProfileInterval<P extends string = string> {
  readonly name: P;
  /** Probability that such intervals cover the true value: 0.95. */
  readonly level: number;
  readonly estimate: number;
  /** 0 if the data set no lower limit. */
  readonly low: number;
  /** Infinity if the data set no upper limit. */
  readonly high: number;
  /** The interval in words, with the log-likelihood at an open end. */
  readonly text: string;
}

/** A purchase history that moves the estimate along the direction that the data determine least. */
export interface InfluentialCell {
  readonly x: number;
  readonly recency: number;
  readonly age: number;
  readonly customers: number;
  /** "x = 254, t_x = 97.14, T = 97.29 (1 customer)". */
  readonly label: string;
  /** How far leaving these customers out moves the estimate along `direction`, in its standard errors; one Newton step. */
  readonly shift: number;
}

/** The model without dropout, fitted to the same customers. */
export interface SimplerFit {
  readonly model: string;
  readonly logLikelihood: number;
  /** As the simpler model is a limit of the fitted one, the true p-value is smaller. */
  readonly likelihoodRatio: LikelihoodRatioTest;
}

/** What is the matter with a fit, and what to do about it. */
export interface FitExplanation<P extends string = string> {
  readonly model: string;
  /**
   * The worst that holds. "not settled": the search stopped short of the maximum; "limiting case": parameters run to a
   * limit; "weakly identified": the fit says so, or an interval is open.
   */
  readonly verdict: "sound" | "weakly identified" | "limiting case" | "not settled";
  /** Which parameters move together along the ridge, as the fit says; "" if none. */
  readonly ridge: string;
  /** The direction in the logs of the parameters that the data determine least, of length 1. */
  readonly direction: ParameterValues<P>;
  /** What the parameters that run away mean: "b runs to 1e+10: nobody drops out". */
  readonly limits: readonly string[];
  /** The 95% interval of each parameter. */
  readonly profile: readonly ProfileInterval<P>[];
  /** The five with the largest shifts, largest first; none where no customer says anything about the direction. */
  readonly influentialCells: readonly InfluentialCell[];
  /** Left out where no simpler model has a comparable likelihood. */
  readonly simpler?: SimplerFit;
  readonly advice: readonly string[];
  /** All of it in a few lines for a notebook. */
  readonly text: string;
}

const FAR = 1e4; // a pure number this large, or its inverse this small, has run away
const HARDLY = 1e-3; // a share or probability that counts as none
const LOST = 1e-10; // share of the largest curvature below which one is rounding
const MAX_INFLUENTIAL = 5;
const MAX_ROOT_STEPS = 30;
const ROOT_TOLERANCE = 1e-5; // of the root of the likelihood ratio: 1e-5 of a standard error

/**
 * Explains a fit that is weakly identified, or shows that it is sound: which parameters the data do not tell apart, how
 * far each may go (profile likelihood), which customers decide, whether the model without dropout would do, and what to
 * do. It takes hundreds of evaluations of the likelihood, on a ridge thousands.
 * @throws RangeError if the fit is not of this model and these customers.
 * @see Venzon & Moolgavkar (1988), A Method for Computing Profile-Likelihood-Based Confidence Intervals, Applied
 * Statistics 37(1); Cook (1986), Assessment of Local Influence, J. Royal Statistical Society B 48(2).
 */
export function explainFit<P extends string>(
  model: BuyingModel<P>,
  cells: PurchaseCells,
  fit: ModelFit<P>,
): FitExplanation<P> {
  requireFitOf(model, cells, fit);
  const profile = model.parameterNames.map((name) => profileInterval(model, cells, fit, name));
  const { vector, curvature } = weakestDirection(model, cells, fit);
  const limits = limitsInWords(fit.parameters, cells);
  const influentialCells = influence(model, cells, fit, vector, curvature);
  const simpler = simplerFit(model, cells, fit);
  const verdict = verdictOn(fit, limits, profile, simpler);
  const { ridge, conditionNumber } = fit.identification;
  const advice = adviceFor(verdict, limits, influentialCells, simpler);
  const lines = [
    `${model.name}: ${verdict}`,
    `identification: condition number ${brief(conditionNumber)}${ridge === "" ? "" : `; ${ridge}`}`,
    ...limits,
    ...profile.map(({ text }) => text),
    ...influentialCells.map(
      ({ label, shift }) =>
        `without ${label}: ${shift.toPrecision(2)} standard errors along the weakest direction`,
    ),
    ...(simpler ? [comparisonWith(simpler)] : []),
    ...advice.map((sentence) => `- ${sentence}`),
  ];
  return {
    model: model.name,
    verdict,
    ridge,
    direction: named(model.parameterNames, vector),
    limits,
    profile,
    influentialCells,
    ...(simpler && { simpler }),
    advice,
    text: lines.join("\n"),
  };
}

/**
 * Log-likelihood over a grid of two parameters around the estimate, with the others at their best for each point (profile
 * likelihood) unless `slice` is true. A fall by 1.92 bounds the 95% interval of one parameter, by 3.00 the 95% region of both.
 * @throws RangeError if the fit is not of this model and these customers, or a name or option is not possible.
 * @see Venzon & Moolgavkar (1988), Applied Statistics 37(1).
 */
export function likelihoodSurface<P extends string>(
  model: BuyingModel<P>,
  cells: PurchaseCells,
  fit: ModelFit<P>,
  [aName, bName]: readonly [P, P],
  { points = 21, span, slice = false }: SurfaceOptions = {},
): LikelihoodSurface {
  requireFitOf(model, cells, fit);
  if (aName === bName) throw new RangeError(`names must be two different parameters, got ${aName} twice`);
  const places = [placeOf(model, aName), placeOf(model, bName)] as const;
  if (!(Number.isInteger(points) && points % 2 === 1 && points >= 3 && points <= 101)) {
    throw new RangeError(`points must be an odd whole number from 3 to 101, got ${points}`);
  }
  if (span !== undefined && !(span > 1 && Number.isFinite(span))) {
    throw new RangeError(`span must be a number above 1, got ${span}`);
  }
  const centre = (points - 1) / 2;
  const valuesOf = (name: P): number[] => {
    const estimate = fit.parameters[name];
    const isKnown = !fit.identification.undetermined.includes(name);
    const error = isKnown ? fit.standardErrors[name] / estimate : Number.POSITIVE_INFINITY;
    const reach = Math.log(span ?? Math.min(Math.max(Math.exp(4 * error), 1.5), 1000));
    return Array.from({ length: points }, (_, i) =>
      i === centre ? estimate : estimate * Math.exp((reach * (i - centre)) / centre),
    );
  };
  const [a, b] = [valuesOf(aName), valuesOf(bName)];
  const estimates = logEstimates(model, fit);
  const bestAt = profileLikelihood(model, cells, slice ? model.parameterNames.map((_, i) => i) : places);
  const solutions: Float64Array[][] = b.map(() => []);
  const logLikelihood = b.map(() => new Array<number>(points).fill(0));
  const outward = Array.from({ length: points }, (_, i) => centre + (i % 2 === 0 ? -i : i + 1) / 2);
  for (const row of outward) {
    for (const column of outward) {
      const inner = (i: number): number => i + Math.sign(centre - i);
      const neighbour = solutions[column === centre ? inner(row) : row]?.[inner(column)]; // solved before this point
      const start = (slice ? estimates : (neighbour ?? estimates)).slice();
      start[places[0]] = Math.log(a[column] as number);
      start[places[1]] = Math.log(b[row] as number);
      const best = bestAt(start);
      (solutions[row] as Float64Array[])[column] = best.logs;
      (logLikelihood[row] as number[])[column] = best.logLikelihood;
    }
  }
  const top = logLikelihoodOf(model, cells, fit);
  return {
    aName,
    bName,
    a,
    b,
    logLikelihood,
    estimate: { a: fit.parameters[aName], b: fit.parameters[bName], logLikelihood: top },
    ridge: fit.identification.ridge,
  };
}

/**
 * Interval of a parameter by the likelihood ratio: the values at which the log-likelihood, with the other parameters at
 * their best, is less than half the chi-squared quantile below that of the fit (1.92 for 95%). Unlike estimate ± 1.96
 * standard errors it holds on curved ridges, and says where the data set no limit: an end is open if this or another
 * parameter gets to 1e-10 or 1e10 on the way.
 * @throws RangeError if the fit is not of this model and these customers, or the name or level is not possible.
 * @see Venzon & Moolgavkar (1988), Applied Statistics 37(1).
 */
export function profileInterval<P extends string>(
  model: BuyingModel<P>,
  cells: PurchaseCells,
  fit: ModelFit<P>,
  name: P,
  level = 0.95,
): ProfileInterval<P> {
  requireFitOf(model, cells, fit);
  requireLevel(level);
  const place = placeOf(model, name);
  const target = normalQuantile((1 + level) / 2);
  const estimate = fit.parameters[name];
  const walk: ProfileWalk = {
    place,
    estimates: logEstimates(model, fit),
    bestAt: profileLikelihood(model, cells, [place]),
    top: logLikelihoodOf(model, cells, fit),
    target,
    firstStep: Math.min(Math.max(fit.standardErrors[name] / estimate, 0.01), 2) * target,
  };
  const [below, above] = [profileEnd(walk, -1), profileEnd(walk, 1)];
  const low = "log" in below ? Math.exp(below.log) : 0;
  const high = "log" in above ? Math.exp(above.log) : Number.POSITIVE_INFINITY;
  const open = [
    ...("why" in below ? [`no lower limit: ${below.why}`] : []),
    ...("why" in above ? [`no upper limit: ${above.why}`] : []),
  ];
  const range = `${brief(level * 100)}% of ${name}: ${brief(low)} to ${brief(high)}`;
  return { name, level, estimate, low, high, text: [range, ...open].join("; ") };
}

/** What it takes to find an end of a profile interval. */
interface ProfileWalk {
  /** Of the parameter. */
  readonly place: number;
  /** Logs of the parameters at the maximum. */
  readonly estimates: Float64Array;
  readonly bestAt: Profile;
  /** Log-likelihood at the maximum. */
  readonly top: number;
  /** Root of the likelihood ratio at the ends. */
  readonly target: number;
  /** How far to look first, in the log of the parameter. */
  readonly firstStep: number;
}

/** A step of the walk. */
interface ProfilePoint {
  /** From the estimate, in the log of the parameter. */
  readonly distance: number;
  /** Root of the likelihood ratio, nearly proportional to the distance, less the target. */
  readonly excess: number;
  readonly logs: Float64Array;
}

/** The log of the parameter at one end of its interval, or why this is open. */
function profileEnd(
  { place, estimates, bestAt, top, target, firstStep }: ProfileWalk,
  side: 1 | -1,
): { readonly log: number } | { readonly why: string } {
  const centre = estimates[place] as number;
  const furthest = Math.max(LOG_EDGE - side * centre, 0);
  const pointAt = (distance: number, { logs }: ProfilePoint): ProfilePoint => {
    const start = logs.slice();
    start[place] = centre + side * distance;
    const best = bestAt(start);
    const excess = Math.sqrt(Math.max(2 * (top - best.logLikelihood), 0)) - target;
    return { distance, excess, logs: best.logs };
  };
  const isAtEdge = ({ logs }: ProfilePoint): boolean => logs.some((log) => Math.abs(log) >= LOG_EDGE);
  let near: ProfilePoint = { distance: 0, excess: -target, logs: estimates };
  let far = near;
  for (let step = firstStep; far.excess < 0; step *= 2) {
    if (far.distance >= furthest || isAtEdge(far)) {
      const fall = ((far.excess + target) ** 2 / 2).toFixed(2);
      return { why: `at the edge of the search the log-likelihood is only ${fall} below its maximum` };
    }
    near = far;
    far = pointAt(Math.min(step, furthest), near);
  }
  let [below, above] = [near.excess, far.excess]; // an end kept twice is halved, so that the other one moves (Illinois)
  let point = far;
  for (let step = 0; step < MAX_ROOT_STEPS && Math.abs(point.excess) > ROOT_TOLERANCE; step++) {
    const last = point;
    const share = below / (below - above);
    point = pointAt(near.distance + share * (far.distance - near.distance), near);
    const isRepeated = point.excess < 0 === last.excess < 0;
    if (point.excess < 0) {
      near = point;
      below = point.excess;
      if (isRepeated) above /= 2;
    } else {
      far = point;
      above = point.excess;
      if (isRepeated) below /= 2;
    }
  }
  return isAtEdge(point)
    ? { why: "another parameter goes to the edge of the search with it" }
    : { log: centre + side * point.distance };
}

/** The log-likelihood that others compare with; that of a CNBD-k fit also has the log gaps' constant. */
const logLikelihoodOf = <P extends string>(model: BuyingModel<P>, cells: PurchaseCells, fit: ModelFit<P>) =>
  model.objective(cells)(
    Float64Array.from(model.parameterNames, (name) => fit.parameters[name]),
    new Float64Array(model.parameterNames.length),
  );

/** The best log-likelihood, and where, near the logs of the parameters given, with some of these held as they are. */
type Profile = (logs: Float64Array) => { readonly logs: Float64Array; readonly logLikelihood: number };

/** The profile with the parameters at the given places held. */
function profileLikelihood(model: BuyingModel, cells: PurchaseCells, held: readonly number[]): Profile {
  const objective = onLogScale(model.objective(cells), -1);
  const moving = model.parameterNames.flatMap((_, i) => (held.includes(i) ? [] : [i]));
  const gradient = new Float64Array(model.parameterNames.length);
  return (start) => {
    const logs = start.slice();
    const place = (x: Float64Array): void => {
      for (const [k, i] of moving.entries()) logs[i] = x[k] as number;
    };
    if (moving.length > 0) {
      const best = minimise(
        withEdge((x, slope) => {
          place(x);
          const value = objective(logs, gradient);
          for (const [k, i] of moving.entries()) slope[k] = gradient[i] as number;
          return value;
        }),
        moving.map((i) => start[i] as number),
        { method: "l-bfgs", maxIterations: 100 }, // no rescue: the start is near, and along a ridge a simplex only wanders
      );
      place(best.x);
    }
    return { logs, logLikelihood: -objective(logs, gradient) };
  };
}

/** The direction in the log parameters in which the log-likelihood is flattest, and its curvature there: 0 if rounding. */
function weakestDirection<P extends string>(
  model: BuyingModel<P>,
  cells: PurchaseCells,
  fit: ModelFit<P>,
): { readonly vector: number[]; readonly curvature: number } {
  const information = hessianOf(onLogScale(model.objective(cells), -1), logEstimates(model, fit));
  const { values, vectors } = symmetricEigen(information);
  const [smallest, largest] = [values[0] as number, values.at(-1) as number];
  return { vector: vectors[0] as number[], curvature: smallest > LOST * largest ? smallest : 0 };
}

/** What leaving out each cell does, to first order: minus the inverse information times the cell's gradient. */
function influence<P extends string>(
  model: BuyingModel<P>,
  cells: PurchaseCells,
  fit: ModelFit<P>,
  vector: readonly number[],
  curvature: number,
): InfluentialCell[] {
  if (curvature === 0) return [];
  const estimates = logEstimates(model, fit);
  const gradient = new Float64Array(vector.length);
  const shifts = Float64Array.from(cells.x, (x, cell) => {
    const one = {
      x: Float64Array.of(x),
      recency: cells.recency.slice(cell, cell + 1),
      age: cells.age.slice(cell, cell + 1),
      weight: cells.weight.slice(cell, cell + 1),
    };
    onLogScale(model.objective(one))(estimates, gradient);
    return -vector.reduce((sum, part, i) => sum + part * (gradient[i] as number), 0) / Math.sqrt(curvature);
  });
  const order = Array.from(shifts.keys()).sort(
    (i, j) => Math.abs(shifts[j] as number) - Math.abs(shifts[i] as number),
  );
  return order.slice(0, MAX_INFLUENTIAL).map((cell) => {
    const [x, recency, age] = [cells.x[cell], cells.recency[cell], cells.age[cell]] as [
      number,
      number,
      number,
    ];
    const customers = cells.weight[cell] as number;
    const who = `${customers.toLocaleString("en-US")} ${customers === 1 ? "customer" : "customers"}`;
    const label = `x = ${x}, t_x = ${brief(recency)}, T = ${brief(age)} (${who})`;
    return { x, recency, age, customers, label, shift: shifts[cell] as number };
  });
}

/** The NBD, where the model becomes it without dropout and the log-likelihoods compare. */
function simplerFit<P extends string>(
  model: BuyingModel<P>,
  cells: PurchaseCells,
  fit: ModelFit<P>,
): SimplerFit | undefined {
  if (model.regularity > 1 || model.parameterNames.length <= nbd.parameterNames.length) return undefined;
  const restricted = nbd.fit(cells);
  return {
    model: nbd.name,
    logLikelihood: restricted.logLikelihood,
    likelihoodRatio: likelihoodRatioTest(restricted, {
      ...fit,
      logLikelihood: Math.max(fit.logLikelihood, restricted.logLikelihood), // lower only if not settled
    }),
  };
}

/** What parameters far from 1 mean; those in units of time are compared with the mean time observed. */
function limitsInWords(parameters: ParameterValues, cells: PurchaseCells): string[] {
  const { r = 1, alpha = 1, s, beta, a, b } = parameters;
  let time = 0;
  for (const [cell, age] of cells.age.entries()) time += (cells.weight[cell] as number) * age;
  time /= cellCustomers(cells);
  const limits: string[] = [];
  /** Names those of the numbers that have run away, or all of them where nobody drops out. */
  const note = (numbers: Readonly<Record<string, number>>, meaning: string, isLimit: boolean): void => {
    const far = Object.keys(numbers).filter((name) => {
      const size = Math.abs(Math.log(numbers[name] as number));
      return isLimit || size > Math.log(FAR);
    });
    if (far.length === 0) return;
    const values = far.map((name) => `${name} runs to ${(parameters[name] as number).toExponential(0)}`);
    limits.push(`${values.join(", ")}: ${meaning}`);
  };
  note(
    { r, alpha: alpha / time },
    r > 1 ? "all customers buy at the same rate" : "most never buy again",
    false,
  );
  if (a !== undefined && b !== undefined) {
    const mean = a / (a + b);
    let meaning =
      a + b > 1 ? "all drop out with the same probability" : "customers drop out at once or never";
    if (mean < HARDLY) meaning = "nobody drops out";
    if (mean > 1 - HARDLY) meaning = "everybody drops out at the first chance";
    note({ a, b }, meaning, mean < HARDLY || mean > 1 - HARDLY);
  }
  if (s !== undefined && beta !== undefined) {
    const dropped = -Math.expm1(-s * Math.log1p(time / beta));
    let meaning = s > 1 ? "all drop out at the same rate" : "customers drop out at once or hardly ever";
    if (dropped < HARDLY) meaning = "nobody drops out";
    note({ s, beta: beta / time }, meaning, dropped < HARDLY);
  }
  return limits;
}

function verdictOn(
  fit: ModelFit<string>,
  limits: readonly string[],
  profile: readonly ProfileInterval[],
  simpler: SimplerFit | undefined,
): FitExplanation["verdict"] {
  const shortfall = (simpler?.logLikelihood ?? Number.NEGATIVE_INFINITY) - fit.logLikelihood;
  if (!fit.converged || shortfall > 1e-6 * Math.abs(fit.logLikelihood)) return "not settled";
  if (limits.length > 0) return "limiting case";
  const isOpen = profile.some(({ low, high }) => low === 0 || high === Number.POSITIVE_INFINITY);
  return fit.identification.weak || isOpen ? "weakly identified" : "sound";
}

function adviceFor(
  verdict: FitExplanation["verdict"],
  limits: readonly string[],
  [strongest]: readonly InfluentialCell[],
  simpler: SimplerFit | undefined,
): string[] {
  const isEnough = simpler !== undefined && simpler.likelihoodRatio.pValue > 0.05;
  const advice: string[] = [];
  if (verdict === "not settled") {
    advice.push(
      "The search stopped short of the maximum: do not use the standard errors, and check the data first.",
    );
  }
  if (limits.length > 0) {
    advice.push(
      "The data want a limiting case: predictions are those of the limit, the parameters themselves mean nothing.",
    );
  }
  if (verdict === "weakly identified") {
    advice.push(
      "Predictions may be sound although single parameters are not: give predictions with intervals, and do not read the parameters one by one.",
      "More customers, or the same ones observed for longer, would tell the parameters apart.",
    );
  }
  if (isEnough) {
    advice.push(
      `The data do not call for dropout: prefer the ${simpler.model} unless it is known otherwise to happen.`,
    );
  }
  if (strongest && Math.abs(strongest.shift) > 1) {
    advice.push(
      `Check the customers with ${strongest.label}: without them the estimate moves by more than a standard error.`,
    );
  }
  return advice.length > 0 ? advice : ["Nothing to mend: every parameter is determined by the data."];
}

function comparisonWith({ model, logLikelihood, likelihoodRatio }: SimplerFit): string {
  const { statistic, pValue } = likelihoodRatio;
  const fits = pValue > 0.05 ? "as well" : "worse";
  const difference = (statistic / 2).toPrecision(2);
  const found = `log-likelihood ${logLikelihood.toFixed(2)}, difference ${difference} (p ${chance(pValue)})`;
  return `the ${model}, in which nobody drops out, fits ${fits}: ${found}`;
}

const logEstimates = <P extends string>(model: BuyingModel<P>, fit: ModelFit<P>): Float64Array =>
  Float64Array.from(model.parameterNames, (name) => Math.log(fit.parameters[name]));

function placeOf<P extends string>(model: BuyingModel<P>, name: P): number {
  const place = model.parameterNames.indexOf(name);
  if (place !== -1) return place;
  throw new RangeError(`name must be one of ${model.parameterNames.join(", ")}, got ${name}`);
}

function requireFitOf(model: BuyingModel, cells: PurchaseCells, fit: ModelFit<string>): void {
  if (fit.model !== model.name || "coefficients" in fit) {
    const got = `${fit.model}${"coefficients" in fit ? " with covariates" : ""}`;
    throw new RangeError(`fit must be of the ${model.name}, got one of the ${got}`);
  }
  const customers = cellCustomers(cells);
  if (fit.observations !== customers) {
    throw new RangeError(`fit must be of the ${customers} customers given, got one of ${fit.observations}`);
  }
}

/** Four significant digits at most, without zeros at the end. */
const brief = (value: number): string =>
  value >= 1e6 && Number.isFinite(value) ? value.toExponential(1) : String(Number(value.toPrecision(4)));
