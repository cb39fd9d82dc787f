/** A function to minimise: gives its value at x and fills its gradient; Infinity or NaN means "not here". */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

/** Where a search ended. */
export interface Minimum {
  readonly x: Float64Array;
  readonly value: number;
  readonly gradient: Float64Array;
  readonly iterations: number;
  /** Calls of the objective. */
  readonly evaluations: number;
  /** True if the gradient settled at zero, relative to the value (see `minimise`). */
  readonly converged: boolean;
  /** What found the last improvement: "nelder-mead" if the rescue did and the method asked for could not go on. */
  readonly method: "bfgs" | "l-bfgs" | "newton" | "nelder-mead";
}

/** Limits of a search. */
export interface SearchLimits {
  /** Iterations of one run; 500 unless given. */
  readonly maxIterations?: number;
  /** Largest relative gradient, max |g_i| max(|x_i|, 1) / max(|f|, 1), that counts as zero; 1e-9 unless given. */
  readonly relativeTolerance?: number;
}

/** How to search, and how long. */
interface MinimiseOptions extends SearchLimits {
  /** "bfgs" unless given; "l-bfgs" for a hundred parameters and more. */
  readonly method?: "bfgs" | "l-bfgs";
}

/** What a search knows of the function's curvature: it turns gradients into directions. */
export interface Curvature {
  readonly method: Exclude<Minimum["method"], "nelder-mead">;
  /** Forgets what steps have taught, so that the next direction is minus the gradient; false if none teaches it. */
  reset(): boolean;
  /** Fills the direction: minus the inverse Hessian at x, or an estimate of it, times the gradient. */
  direct(direction: Float64Array, gradient: Float64Array, x: Float64Array): void;
  /** Learns from a step and the change of the gradient along it; `fresh` says that it is the first after a reset. */
  learn(step: Float64Array, change: Float64Array, fresh: boolean): void;
}

const SUFFICIENT_DECREASE = 1e-4;
const CURVATURE = 0.9;
const ROUNDING = 1e-14; // of the value: a smaller change is not a change
const NOISE_GRADIENT = 1e-6; // relative gradient that counts as zero where rounding allows no further decrease
const MAX_LINE_STEPS = 40;
const MAX_RESCUES = 3;
const MEMORY = 10; // steps that L-BFGS remembers

/**
 * Local minimum of a smooth function: BFGS with a strong-Wolfe line search. It has settled when the relative gradient
 * max |g_i| max(|x_i|, 1) / max(|f|, 1) is within the tolerance and the next step promises less than 1e-14 of the
 * value; or when rounding allows no further decrease and the relative gradient is within 1e-6. If BFGS stalls elsewhere,
 * Nelder-Mead looks around and BFGS starts again from what it found.
 *
 * The method "l-bfgs" keeps the last 10 steps in place of a matrix: time and memory grow with the number of parameters,
 * not with its square. It settles by the same rule, but has no rescue: a simplex is of no use in so many dimensions.
 *
 * Regions where the function is Infinity or NaN are avoided; nothing is thrown for them, not even at the start, but
 * then `value` is Infinity and `converged` false.
 * @throws RangeError if the start is empty or not finite.
 * @see Nocedal & Wright (2006), Numerical Optimization, 2nd ed., algorithms 3.5, 3.6, 6.1, 7.4 and 7.5;
 * Hager & Zhang (2005), SIAM J. Optim. 16(1), for the Wolfe condition at the limit of rounding.
 */
export function minimise(
  objective: Objective,
  start: readonly number[],
  options: MinimiseOptions = {},
): Minimum {
  const n = start.length;
  return options.method === "l-bfgs"
    ? minimiseAlong(limitedBfgs(n), objective, start, options, 0)
    : minimiseAlong(bfgs(n), objective, start, options);
}

/** The search of `minimise` along directions of any kind, with at most so many rescues by Nelder-Mead. */
export function minimiseAlong(
  curvature: Curvature,
  objective: Objective,
  start: readonly number[],
  limits: SearchLimits,
  rescues = MAX_RESCUES,
): Minimum {
  if (start.length === 0 || !start.every(Number.isFinite)) {
    throw new RangeError(`start must be a list of finite numbers, got [${start.join(", ")}]`);
  }
  const maxIterations = limits.maxIterations ?? 500;
  const tolerance = limits.relativeTolerance ?? 1e-9;
  const search = new Search(objective, curvature, Float64Array.from(start));
  let converged = search.descend(maxIterations, tolerance);
  let method: Minimum["method"] = curvature.method;
  for (let rescue = 0; rescue < rescues && !converged; rescue++) {
    const before = search.value;
    if (search.nelderMead(200 * (start.length + 1))) method = "nelder-mead";
    if (!Number.isFinite(search.value)) break;
    const reached = search.value;
    converged = search.descend(maxIterations, tolerance);
    if (converged || search.value < reached) method = curvature.method;
    if (!(search.value < before - ROUNDING * Math.abs(before))) break;
  }
  return {
    x: search.x,
    value: search.value,
    gradient: search.gradient,
    iterations: search.iterations,
    evaluations: search.evaluations,
    converged,
    method,
  };
}

/**
 * Best minimum from several starts, tried in order; stops early when two settled runs agree on the value to 1e-9.
 * `iterations` and `evaluations` count all runs.
 * @throws RangeError if there are no starts, or one is empty or not finite.
 */
export function minimiseFrom(
  objective: Objective,
  starts: readonly (readonly number[])[],
  options: MinimiseOptions = {},
): Minimum {
  let best: Minimum | undefined;
  let iterations = 0;
  let evaluations = 0;
  for (const start of starts) {
    const next = minimise(objective, start, options);
    iterations += next.iterations;
    evaluations += next.evaluations;
    const agreed = best?.converged && next.converged && agree(best.value, next.value);
    if (best === undefined || isBetter(next, best)) best = next;
    if (agreed) break;
  }
  if (best === undefined) throw new RangeError("starts must hold at least one start");
  return { ...best, iterations, evaluations };
}

const agree = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), 1);

/** Lower, or as low and settled while the other is not. */
function isBetter(next: Minimum, best: Minimum): boolean {
  if (next.converged !== best.converged && agree(next.value, best.value)) return next.converged;
  return next.value < best.value || Number.isNaN(best.value);
}

/** The inverse Hessian as a full matrix, updated after each step; a fresh one is first scaled to the step's curvature. */
function bfgs(n: number): Curvature {
  const inverseHessian = new Float64Array(n * n);
  const product = new Float64Array(n);
  return {
    method: "bfgs",
    reset() {
      inverseHessian.fill(0);
      for (let i = 0; i < n; i++) inverseHessian[i * n + i] = 1;
      return true;
    },
    direct(direction, gradient) {
      multiply(inverseHessian, gradient, direction);
      for (let i = 0; i < n; i++) direction[i] = -(direction[i] as number);
    },
    learn(step, change, fresh) {
      const slopeChange = dot(step, change);
      if (!isCurved(step, change, slopeChange)) return;
      if (fresh) {
        const scale = slopeChange / dot(change, change);
        for (let i = 0; i < n; i++) inverseHessian[i * n + i] = scale;
      }
      multiply(inverseHessian, change, product);
      updateInverse(inverseHessian, step, product, slopeChange, dot(product, change));
    },
  };
}

/** Fills the product of a square matrix, by rows, and a vector. */
function multiply(matrix: Float64Array, vector: Float64Array, product: Float64Array): void {
  const n = vector.length;
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += (matrix[i * n + j] as number) * (vector[j] as number);
    product[i] = sum;
  }
}

/** H + (1 + y'Hy / s'y) ss' / s'y - (Hy s' + s y'H) / s'y, where s is the step and Hy the product. */
function updateInverse(
  inverseHessian: Float64Array,
  step: Float64Array,
  product: Float64Array,
  slopeChange: number,
  quadratic: number,
): void {
  const n = step.length;
  const factor = (1 + quadratic / slopeChange) / slopeChange;
  for (let i = 0; i < n; i++) {
    const si = step[i] as number;
    const pi = product[i] as number;
    for (let j = 0; j < n; j++) {
      const sj = step[j] as number;
      const cross = (pi * sj + si * (product[j] as number)) / slopeChange;
      inverseHessian[i * n + j] = (inverseHessian[i * n + j] as number) + factor * si * sj - cross;
    }
  }
}

/** A step that L-BFGS remembers. */
interface RememberedStep {
  readonly step: Float64Array;
  readonly change: Float64Array;
  /** step' change, above 0. */
  readonly slopeChange: number;
}

/** BFGS updates of a scaled identity by the last steps, applied to the gradient without forming a matrix. */
function limitedBfgs(n: number): Curvature {
  let memory: RememberedStep[] = []; // oldest first
  const shares = new Float64Array(MEMORY);
  return {
    method: "l-bfgs",
    reset() {
      memory = [];
      return true;
    },
    direct(direction, gradient) {
      for (let i = 0; i < n; i++) direction[i] = -(gradient[i] as number);
      for (let k = memory.length - 1; k >= 0; k--) {
        const { step, change, slopeChange } = memory[k] as RememberedStep;
        const share = dot(step, direction) / slopeChange;
        shares[k] = share;
        addMultiple(direction, -share, change);
      }
      const last = memory.at(-1);
      if (last === undefined) return;
      const scale = last.slopeChange / dot(last.change, last.change);
      for (let i = 0; i < n; i++) direction[i] = scale * (direction[i] as number);
      for (const [k, { step, change, slopeChange }] of memory.entries()) {
        addMultiple(direction, (shares[k] as number) - dot(change, direction) / slopeChange, step);
      }
    },
    learn(step, change) {
      const slopeChange = dot(step, change);
      if (!isCurved(step, change, slopeChange)) return;
      if (memory.length === MEMORY) memory.shift();
      memory.push({ step: step.slice(), change: change.slice(), slopeChange });
    },
  };
}

/** Whether the gradient rose along the step by more than rounding, as an update needs. */
const isCurved = (step: Float64Array, change: Float64Array, slopeChange: number): boolean =>
  slopeChange > 1e-12 * Math.sqrt(dot(step, step) * dot(change, change));

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

function addMultiple(target: Float64Array, factor: number, other: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) + factor * (other[i] as number);
}

/** A corner of the simplex of Nelder-Mead. */
interface Vertex {
  readonly x: Float64Array;
  readonly value: number;
}

/** The state of one search: the best point so far and the buffers around it. */
class Search {
  readonly gradient: Float64Array;
  value: number;
  iterations = 0;
  evaluations = 0;
  private readonly n: number;
  private readonly trialX: Float64Array;
  private readonly trialGradient: Float64Array;
  private readonly direction: Float64Array;
  private readonly step: Float64Array;
  private readonly change: Float64Array;
  private trialSlope = 0;

  constructor(
    private readonly objective: Objective,
    private readonly curvature: Curvature,
    readonly x: Float64Array,
  ) {
    this.n = x.length;
    this.gradient = new Float64Array(this.n);
    this.trialX = new Float64Array(this.n);
    this.trialGradient = new Float64Array(this.n);
    this.direction = new Float64Array(this.n);
    this.step = new Float64Array(this.n);
    this.change = new Float64Array(this.n);
    this.value = this.evaluate(x, this.gradient);
  }

  /** Value at a point; Infinity if the value or the gradient is not finite there. */
  private evaluate(x: Float64Array, gradient: Float64Array): number {
    this.evaluations++;
    const value = this.objective(x, gradient);
    return Number.isFinite(value) && gradient.every(Number.isFinite) ? value : Number.POSITIVE_INFINITY;
  }

  private relativeGradient(): number {
    let largest = 0;
    for (let i = 0; i < this.n; i++) {
      const size = Math.abs(this.gradient[i] as number) * Math.max(Math.abs(this.x[i] as number), 1);
      if (size > largest) largest = size;
    }
    return largest / Math.max(Math.abs(this.value), 1);
  }

  /** Follows directions of descent from the current point; true if the gradient settled. */
  descend(maxIterations: number, tolerance: number): boolean {
    if (!Number.isFinite(this.value)) return false;
    const { curvature, step, change } = this;
    let fresh = curvature.reset();
    for (let iteration = 0; iteration < maxIterations; iteration++) {
      let slope = this.chooseDirection();
      const gain = -slope / 2; // what a quadratic model expects of the step
      if (this.relativeGradient() <= tolerance && gain <= ROUNDING * Math.max(Math.abs(this.value), 1))
        return true;
      if (!(slope < 0)) {
        fresh = curvature.reset();
        slope = this.chooseDirection();
        if (!(slope < 0)) break;
      }
      const before = this.value;
      if (!this.lineSearch(slope, fresh)) {
        if (fresh || !curvature.reset()) break;
        fresh = true;
        continue;
      }
      this.iterations++;
      curvature.learn(step, change, fresh);
      fresh = false;
      const decrease = before - this.value;
      if (decrease <= ROUNDING * Math.abs(this.value) && this.relativeGradient() <= 100 * tolerance)
        return true;
    }
    return this.relativeGradient() <= Math.max(tolerance, NOISE_GRADIENT);
  }

  /** Fills the direction; gives the slope of the value along it. */
  private chooseDirection(): number {
    const { curvature, gradient, direction, x } = this;
    curvature.direct(direction, gradient, x);
    return dot(direction, gradient);
  }

  /** Value at x + alpha direction; leaves the point, its gradient and slope in the trial buffers. */
  private tryStep(alpha: number): number {
    const { n, x, direction, trialX, trialGradient } = this;
    for (let i = 0; i < n; i++) trialX[i] = (x[i] as number) + alpha * (direction[i] as number);
    const value = this.evaluate(trialX, trialGradient);
    this.trialSlope = dot(trialGradient, direction);
    return value;
  }

  /** Moves to a point along the direction that meets the strong Wolfe conditions; false if there is none. */
  private lineSearch(slope0: number, fresh: boolean): boolean {
    const value0 = this.value;
    const noise = ROUNDING * Math.max(Math.abs(value0), Number.MIN_VALUE);
    let low = 0;
    let lowValue = value0;
    let lowSlope = slope0;
    let high = Number.POSITIVE_INFINITY;
    let highValue = Number.POSITIVE_INFINITY;
    let highSlope = Number.NaN;
    let bestAlpha = 0; // lowest value seen that decreases enough, if the curvature condition is never met
    let alpha = this.firstStep(fresh);
    for (let k = 0; k < MAX_LINE_STEPS; k++) {
      const value = this.tryStep(alpha);
      const slope = this.trialSlope;
      if (this.isAcceptable(value, slope, alpha, value0, slope0, noise)) {
        this.accept(value);
        return true;
      }
      if (!(value <= value0 + SUFFICIENT_DECREASE * alpha * slope0) || value >= lowValue) {
        high = alpha;
        highValue = value;
        highSlope = slope;
      } else {
        if (slope * (high - low) >= 0) {
          high = low;
          highValue = lowValue;
          highSlope = lowSlope;
        }
        low = bestAlpha = alpha;
        lowValue = value;
        lowSlope = slope;
      }
      if (!Number.isFinite(high)) {
        alpha *= 4;
        continue;
      }
      if (Math.abs(high - low) <= 1e-12 * Math.max(Math.abs(high), Math.abs(low))) break;
      alpha = between(low, lowValue, lowSlope, high, highValue, highSlope);
    }
    if (bestAlpha === 0) return false;
    this.accept(this.tryStep(bestAlpha));
    return this.value < value0;
  }

  /** The quasi-Newton step, but a fresh start moves no coordinate by more than a tenth of max(|x_i|, 1). */
  private firstStep(fresh: boolean): number {
    const limit = fresh ? 0.1 : 1000;
    let alpha = 1;
    for (let i = 0; i < this.n; i++) {
      const size = Math.abs(this.direction[i] as number);
      alpha = Math.min(alpha, (limit * Math.max(Math.abs(this.x[i] as number), 1)) / size);
    }
    return alpha;
  }

  private isAcceptable(
    value: number,
    slope: number,
    alpha: number,
    value0: number,
    slope0: number,
    noise: number,
  ): boolean {
    if (!Number.isFinite(value)) return false;
    if (value <= value0 + SUFFICIENT_DECREASE * alpha * slope0) return Math.abs(slope) <= -CURVATURE * slope0;
    // at the limit of rounding values say nothing; slopes still do
    return (
      value <= value0 + noise &&
      slope >= CURVATURE * slope0 &&
      slope <= (2 * SUFFICIENT_DECREASE - 1) * slope0
    );
  }

  /** Makes the trial point the current one and notes the step and the change of the gradient. */
  private accept(value: number): void {
    const { n, x, gradient, trialX, trialGradient, step, change } = this;
    for (let i = 0; i < n; i++) {
      step[i] = (trialX[i] as number) - (x[i] as number);
      change[i] = (trialGradient[i] as number) - (gradient[i] as number);
    }
    x.set(trialX);
    gradient.set(trialGradient);
    this.value = value;
  }

  /**
   * Nelder-Mead with parameters for the dimension, around the current point; true if it found a lower one.
   * @see Gao & Han (2012), Implementing the Nelder-Mead simplex algorithm with adaptive parameters.
   */
  nelderMead(maxEvaluations: number): boolean {
    const { n } = this;
    const before = this.value;
    const limit = this.evaluations + maxEvaluations;
    const expand = 1 + 2 / Math.max(n, 2);
    const contract = 0.75 - 1 / (2 * Math.max(n, 2));
    const shrink = 1 - 1 / Math.max(n, 2);
    const at = (x: Float64Array): Vertex => ({ x, value: this.evaluate(x, this.trialGradient) });
    const simplex: Vertex[] = [{ x: this.x.slice(), value: this.value }];
    for (let i = 0; i < n; i++) {
      const x = this.x.slice();
      x[i] = (x[i] as number) + 0.5 * Math.max(Math.abs(x[i] as number), 1) * (i % 2 === 0 ? 1 : -1);
      simplex.push(at(x));
    }
    while (this.evaluations < limit) {
      simplex.sort((a, b) => compare(a.value, b.value));
      const best = simplex[0] as Vertex;
      const worst = simplex[n] as Vertex;
      const second = simplex[Math.max(n - 1, 0)] as Vertex;
      if (worst.value - best.value <= 1e-12 * Math.max(Math.abs(best.value), 1)) break;
      const centre = new Float64Array(n);
      for (let i = 0; i < n; i++) {
        for (let k = 0; k < n; k++)
          centre[i] = (centre[i] as number) + ((simplex[k] as Vertex).x[i] as number) / n;
      }
      const along = (t: number): Vertex => at(centre.map((c, i) => c + t * ((worst.x[i] as number) - c)));
      const reflected = along(-1);
      let next = reflected;
      if (reflected.value < best.value) {
        const expanded = along(-expand);
        if (expanded.value < reflected.value) next = expanded;
      } else if (!(reflected.value < second.value)) {
        next = along(reflected.value < worst.value ? -contract : contract);
      }
      if (next.value < Math.min(worst.value, reflected.value) || reflected.value < second.value) {
        simplex[n] = next;
        continue;
      }
      for (let k = 1; k <= n; k++) {
        const vertex = simplex[k] as Vertex;
        simplex[k] = at(vertex.x.map((v, i) => (best.x[i] as number) + shrink * (v - (best.x[i] as number))));
      }
    }
    simplex.sort((a, b) => compare(a.value, b.value));
    const found = simplex[0] as Vertex;
    if (!(found.value < before)) return false;
    this.x.set(found.x);
    this.value = this.evaluate(this.x, this.gradient);
    return true;
  }
}

const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);

/** Minimum of the cubic through two values and slopes, kept well inside; the middle where it is not to be had. */
function between(
  low: number,
  lowValue: number,
  lowSlope: number,
  high: number,
  highValue: number,
  highSlope: number,
): number {
  const width = high - low;
  if (!Number.isFinite(highValue) || !Number.isFinite(highSlope)) return low + 0.3 * width;
  const d1 = lowSlope + highSlope - (3 * (highValue - lowValue)) / width;
  const root = Math.sqrt(d1 * d1 - lowSlope * highSlope);
  const d2 = width > 0 ? root : -root;
  const share = 1 - (highSlope + d2 - d1) / (highSlope - lowSlope + 2 * d2);
  return (
    low + (share > 0.05 && share < 0.95 ? share : share >= 0.95 ? 0.9 : share <= 0.05 ? 0.1 : 0.5) * width
  );
}
