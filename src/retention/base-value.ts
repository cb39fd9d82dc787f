import { requireFinite, requireFromZero } from "../core/arguments.js";
import { ConvergenceError, DataError } from "../core/errors.js";
import { invertSymmetric, symmetricEigen } from "../numeric/matrix.js";
import { minimiseFrom } from "../numeric/minimise.js";
import { logHypergeometric2F1 } from "../numeric/special.js";
import { constantRetentionValue, type PaymentConvention } from "./value-arithmetic.js";

/** Customers acquired up to time t: alpha / (1 + exp(-beta - gamma t)), the model of technological substitution. */
export interface Diffusion {
  /** Customers in the end, above 0. */
  readonly alpha: number;
  /** Log odds of the share that has come at time 0. */
  readonly beta: number;
  /** Speed per period, above 0: how much the log odds of that share grow. */
  readonly gamma: number;
}

/**
 * Customers acquired up to each time, in periods on the clock of the diffusion.
 * @throws RangeError if a parameter or a time is not possible.
 * @see Gupta, Lehmann & Stuart (2004), Valuing Customers, J. Marketing Research 41(1).
 */
export function cumulativeCustomers(diffusion: Diffusion, times: readonly number[]): number[] {
  requireDiffusion(diffusion);
  const { alpha, beta, gamma } = diffusion;
  return times.map((time) => {
    requireFinite({ time });
    return alpha / (1 + Math.exp(-beta - gamma * time));
  });
}

/**
 * Customers acquired per period at each time, the slope of the cumulative customers:
 * alpha gamma exp(-beta - gamma t) / (1 + exp(-beta - gamma t))^2.
 * @throws RangeError if a parameter or a time is not possible.
 * @see Gupta, Lehmann & Stuart (2004).
 */
export function newCustomers(diffusion: Diffusion, times: readonly number[]): number[] {
  const { alpha, gamma } = diffusion;
  return cumulativeCustomers(diffusion, times).map((n) => gamma * n * (1 - n / alpha));
}

/** A customer base with all that its value depends on. Periods are those of the diffusion: quarters or years. */
export interface CustomerBase {
  /** How customers are acquired. */
  readonly diffusion: Diffusion;
  /** Time of the valuation on the clock of the diffusion: acquisitions after it are still to come. */
  readonly now: number;
  /** Customers present; those acquired up to now if left out. */
  readonly customers?: number;
  /** Money per customer and period; below 0 if serving costs more than it brings. */
  readonly margin: number;
  /** Money spent on each new customer, from 0 up. */
  readonly acquisitionCost: number;
  /** Probability to stay, a fraction per period. */
  readonly retentionRate: number;
  /** Discount rate, a fraction per period. */
  readonly discountRate: number;
}

/** A valuation of a customer base, money. */
export interface BaseValue {
  /** Value of the customers present. */
  readonly present: number;
  /** Value of the customers still to come, acquisition cost paid. */
  readonly future: number;
  /** Both together. */
  readonly total: number;
  /** Value of one customer, acquisition not counted. */
  readonly perCustomer: number;
  /** Customers still to come, each discounted to now. */
  readonly discountedNewCustomers: number;
}

/**
 * Value of a customer base: of the customers present, and of those still to come less what acquiring them costs.
 * "continuous" is the form of the source: customers come all the time, discounted by exp(-d t), and each is worth
 * m r / (1 + d - r). A payment convention asks for whole periods: those who come during a period are acquired at its end,
 * discounted by (1 + d)^-t, and customers, also those present, are worth what `constantRetentionValue` says under that
 * convention. The two tend to each other as periods get shorter.
 * @throws RangeError if a rate is not a fraction, another number is not possible, or the value is infinite.
 * @see Gupta, Lehmann & Stuart (2004), Valuing Customers, J. Marketing Research 41(1).
 */
export function customerBaseValue(base: CustomerBase, timing: PaymentConvention | "continuous"): BaseValue {
  const { diffusion, now, acquisitionCost, discountRate } = base;
  requireFinite({ now });
  const [acquired = 0] = cumulativeCustomers(diffusion, [now]);
  const { customers = acquired } = base;
  requireFromZero({ customers, acquisitionCost });
  const isContinuous = timing === "continuous";
  const perCustomer = constantRetentionValue(base, isContinuous ? "just acquired" : timing);
  const discountedNewCustomers = isContinuous
    ? newcomersAllTheTime(diffusion, now, discountRate)
    : newcomersByPeriod(diffusion, now, discountRate);
  const present = customers * perCustomer;
  const future = discountedNewCustomers * (perCustomer - acquisitionCost);
  return Object.freeze({ present, future, total: present + future, perCustomer, discountedNewCustomers });
}

/**
 * Integral of n(now + t) exp(-d t) over t from 0 up. With the odds y of not having come yet as variable it is
 * alpha y0^-a times that of y^a / (1 + y)^2 from 0 to y0, where a = d / gamma: Euler's integral of 2F1(2, 1; a + 2; .).
 * @see Olver et al. (2010), NIST Handbook of Mathematical Functions, 15.6.1 and 15.8.1.
 */
function newcomersAllTheTime({ alpha, beta, gamma }: Diffusion, now: number, discountRate: number): number {
  const a = discountRate / gamma;
  const logOdds = beta + gamma * now;
  const share = 1 / (1 + Math.exp(-logOdds));
  const toCome = 1 / (1 + Math.exp(logOdds));
  if (toCome === 0) return 0;
  if (share < 1e-12) {
    throw new RangeError(`now must be late enough for 1e-12 of all customers to have come, got ${now}`);
  }
  return ((alpha * share * toCome) / (a + 1)) * Math.exp(logHypergeometric2F1(2, 1, a + 2, toCome));
}

function newcomersByPeriod({ alpha, beta, gamma }: Diffusion, now: number, discountRate: number): number {
  const toCome = (t: number): number => alpha / (1 + Math.exp(beta + gamma * (now + t)));
  let sum = 0;
  let discount = 1;
  for (let t = 1; toCome(t - 1) * discount > NEGLIGIBLE * sum; t++) {
    if (t > MOST_PERIODS) {
      throw new RangeError(
        `gamma must let customers come within ${MOST_PERIODS} periods, got ${gamma}: use longer periods`,
      );
    }
    discount /= 1 + discountRate;
    sum += (toCome(t - 1) - toCome(t)) * discount;
  }
  return sum;
}

const NEGLIGIBLE = 1e-16; // share of those counted that all later ones may be
const MOST_PERIODS = 1_000_000;

/** Relative changes of the total value. */
export interface BaseElasticities {
  /** If the retention rate rises. */
  readonly retentionRate: number;
  /** If the margin rises. */
  readonly margin: number;
  /** If the acquisition cost rises: 0 or below. */
  readonly acquisitionCost: number;
  /** If the discount rate rises. */
  readonly discountRate: number;
}

/**
 * By which share the value of a customer base changes if the retention rate, the margin, the acquisition cost or the
 * discount rate rises by `change` of itself, 1% unless given (80% to 80.8%): 0.05 means 5% more value. Cost and discount
 * come out below 0 where the value is above 0. As the value is linear in margin and cost, those two add up to `change`.
 * @throws RangeError as `customerBaseValue`, before and after, if the value before is not above 0, or the change is none.
 * @see Gupta, Lehmann & Stuart (2004): 1% of retention is worth 2.45 to 6.75% of five firms' values, of margin 1.02 to
 * 1.32%, of acquisition cost .02 to .32%, of the discount rate .46 to 1.17%.
 */
export function baseValueElasticities(
  base: CustomerBase,
  timing: PaymentConvention | "continuous",
  change = 0.01,
): BaseElasticities {
  if (!(Math.abs(change) > 0 && change > -1 && change < 1)) {
    throw new RangeError(`change must be a fraction between -1 and 1 other than 0, got ${change}`);
  }
  const before = customerBaseValue(base, timing).total;
  if (!(before > 0)) {
    throw new RangeError(`the value before the change must be above 0 for shares of it, got ${before}`);
  }
  const effect = (name: keyof BaseElasticities): number =>
    customerBaseValue({ ...base, [name]: base[name] * (1 + change) }, timing).total / before - 1;
  const retained = base.retentionRate * (1 + change);
  if (retained > 1) {
    throw new RangeError(
      `retentionRate ${base.retentionRate} cannot rise by ${change} of itself: ${retained} is above 1`,
    );
  }
  return Object.freeze({
    retentionRate: effect("retentionRate"),
    margin: effect("margin"),
    acquisitionCost: effect("acquisitionCost"),
    discountRate: effect("discountRate"),
  });
}

/** A fitted diffusion. */
export interface DiffusionFit {
  readonly model: "technological substitution";
  /** Least-squares estimates. */
  readonly parameters: Diffusion;
  /** Of the parameters, from least squares with errors of equal variance. */
  readonly standardErrors: Diffusion;
  /** Of alpha, beta and gamma. */
  readonly covariance: readonly (readonly number[])[];
  /** Of normal errors with the variance estimated by maximum likelihood. */
  readonly logLikelihood: number;
  /** Standard deviation of the errors, customers: root of the residual sum of squares / (observations - 3). */
  readonly residualDeviation: number;
  /** Share of the variance explained, from 0 to 1. */
  readonly rSquared: number;
  /** Times observed. */
  readonly observations: number;
  /** True: a search that does not settle is an error. */
  readonly converged: boolean;
  /**
   * Weak if the standard error of alpha exceeds alpha. The condition is that of the information about log alpha, beta and
   * log gamma on the observed span of time.
   */
  readonly identification: { readonly conditionNumber: number; readonly weak: boolean };
  /** What to mind, in words. */
  readonly warnings: readonly string[];
}

/**
 * Fits the diffusion to customers acquired up to each time, by nonlinear least squares.
 * @throws DataError if there are fewer than four observations, times do not rise, or customers are no numbers from 0 up
 * or all alike.
 * @throws ConvergenceError if the data show no beginning saturation (customers still grow exponentially or faster, alpha
 * would be infinite), no growth, or a single jump.
 * @see Gupta, Lehmann & Stuart (2004), Valuing Customers, J. Marketing Research 41(1); Bates & Watts (1988), Nonlinear
 * Regression Analysis and Its Applications, section 2.2, for the standard errors.
 */
export function fitDiffusion(times: ArrayLike<number>, customers: ArrayLike<number>): DiffusionFit {
  const scaled = scaledObservations(times, customers);
  const best = minimiseFrom((x, gradient) => lossAt(scaled, x, gradient), startsOf(scaled));
  const [logShare = 0, shift = 0, logSpeed = 0] = best.x;
  const { size, top, centre, span } = scaled;
  if (
    !best.converged ||
    logShare > MOST_LOG_GROWTH ||
    logSpeed > MOST_LOG_SPEED ||
    logSpeed < -MOST_LOG_SPEED
  ) {
    throw new ConvergenceError(
      `diffusion: customers show no S-shaped growth towards a limit (best alpha ${(top * Math.exp(logShare)).toPrecision(3)}, ` +
        `gamma ${(Math.exp(logSpeed) / span).toPrecision(3)}); wait for more periods, or give alpha from the size of the market`,
    );
  }
  const alpha = top * Math.exp(logShare);
  const gamma = Math.exp(logSpeed) / span;
  const beta = shift - gamma * centre;
  const information = informationAt(scaled, best.x);
  const { values } = symmetricEigen(information);
  const conditionNumber = (values[2] as number) / (values[0] as number);
  const inverse = invertSymmetric(information);
  if (inverse === undefined || conditionNumber > SINGULAR) {
    throw new ConvergenceError(
      "diffusion: the observations do not tell alpha, beta and gamma apart: too few lie between the first and the last level",
    );
  }
  const residuals = Math.max(best.value * scaled.variation, size * Number.EPSILON ** 2); // no less than rounding
  const variance = residuals / (size - 3);
  const toNatural = [
    [alpha, 0, 0],
    [0, 1, -gamma * centre],
    [0, 0, gamma],
  ];
  const covariance = toNatural.map((left) =>
    toNatural.map((right) => {
      let sum = 0;
      for (const [i, row] of inverse.entries()) {
        for (const [j, value] of row.entries()) sum += (left[i] as number) * value * (right[j] as number);
      }
      return sum * variance;
    }),
  );
  const [alphaError, betaError, gammaError] = covariance.map((row, i) => Math.sqrt(row[i] as number));
  const weak = (alphaError as number) > alpha;
  const warnings: string[] = [];
  if (weak) warnings.push("diffusion: weakly identified, alpha rises while gamma falls");
  if (-beta / gamma > (times[size - 1] as number)) {
    warnings.push(
      `diffusion: growth still speeds up at the last observation, it should slow down from ${(-beta / gamma).toPrecision(4)} on: alpha is extrapolated`,
    );
  }
  return Object.freeze({
    model: "technological substitution",
    parameters: Object.freeze({ alpha, beta, gamma }),
    standardErrors: Object.freeze({
      alpha: alphaError as number,
      beta: betaError as number,
      gamma: gammaError as number,
    }),
    covariance: Object.freeze(covariance.map((row) => Object.freeze(row))),
    logLikelihood: (-size / 2) * (Math.log((2 * Math.PI * residuals * top ** 2) / size) + 1),
    residualDeviation: Math.sqrt(variance) * top,
    rSquared: 1 - best.value,
    observations: size,
    converged: best.converged,
    identification: Object.freeze({ conditionNumber, weak }),
    warnings: Object.freeze(warnings),
  });
}

const MOST_LOG_GROWTH = Math.log(1000); // alpha over the most customers seen: beyond, the curve is an exponential
const MOST_LOG_SPEED = Math.log(1000); // gamma times the observed span: beyond, a jump between two observations, or a line
const SINGULAR = 1e6; // condition of the information

/** Observations as shares of the most customers, over times from about -1/2 to 1/2. */
interface ScaledObservations {
  readonly size: number;
  readonly time: Float64Array;
  readonly share: Float64Array;
  /** Sum of squares of the shares around their mean. */
  readonly variation: number;
  readonly top: number;
  readonly centre: number;
  readonly span: number;
}

function scaledObservations(times: ArrayLike<number>, customers: ArrayLike<number>): ScaledObservations {
  const size = times.length;
  if (customers.length !== size) {
    throw new DataError(`customers must have as many rows as times, ${size}, got ${customers.length}`);
  }
  if (size < 4) throw new DataError(`a diffusion needs at least 4 observations, got ${size}`);
  let last = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < size; row++) {
    const [time, count] = [times[row] as number, customers[row] as number];
    if (!(time > last && Number.isFinite(time))) {
      throw new DataError(`times must be numbers that rise, got ${time} in row ${row + 1}`);
    }
    if (!(count >= 0 && Number.isFinite(count))) {
      throw new DataError(`customers must be numbers from 0 up, got ${count} in row ${row + 1}`);
    }
    last = time;
  }
  const span = last - (times[0] as number);
  const centre = (last + (times[0] as number)) / 2;
  const time = Float64Array.from(times, (at) => (at - centre) / span);
  const top = Array.from(customers).reduce((most, count) => Math.max(most, count), 0);
  const share = Float64Array.from(customers, (count) => count / (top || 1));
  const mean = share.reduce((sum, value) => sum + value, 0) / size;
  const variation = share.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  if (variation === 0) throw new DataError(`customers must grow, but all observations are ${top}`);
  return { size, time, share, variation, top, centre, span };
}

/** For each of some guesses of the final share, the line through the log odds of the shares. */
function startsOf({ size, time, share }: ScaledObservations): number[][] {
  return [1.05, 1.5, 4, 20].map((end) => {
    const logOdds = share.map((value) => {
      const reached = Math.max(value / end, 0.001);
      return Math.log(reached / (1 - reached));
    });
    const meanTime = time.reduce((sum, at) => sum + at, 0) / size;
    const meanOdds = logOdds.reduce((sum, odds) => sum + odds, 0) / size;
    let [across, along] = [0, 0];
    for (const [row, at] of time.entries()) {
      across += (at - meanTime) * ((logOdds[row] as number) - meanOdds);
      along += (at - meanTime) ** 2;
    }
    const speed = Math.max(across / along, 0.1);
    return [Math.log(end), meanOdds - speed * meanTime, Math.log(speed)];
  });
}

/** Curve at a scaled time, and its derivatives by log alpha, shift and log speed. */
function curveAt(x: ArrayLike<number>, time: number): readonly [number, number, number] {
  const speed = Math.exp(x[2] as number);
  const value = Math.exp(x[0] as number) / (1 + Math.exp(-(x[1] as number) - speed * time));
  const byShift = value / (1 + Math.exp((x[1] as number) + speed * time));
  return [value, byShift, byShift * speed * time];
}

/** Residual sum of squares as a share of the variation. */
function lossAt(
  { time, share, variation }: ScaledObservations,
  x: Float64Array,
  gradient: Float64Array,
): number {
  let sum = 0;
  gradient.fill(0);
  for (const [row, at] of time.entries()) {
    const slopes = curveAt(x, at);
    const residual = slopes[0] - (share[row] as number);
    sum += residual ** 2;
    for (const [i, slope] of slopes.entries()) {
      gradient[i] = (gradient[i] as number) + (2 * residual * slope) / variation;
    }
  }
  return sum / variation;
}

/** Sum over the observations of the products of the curve's derivatives. */
function informationAt({ time }: ScaledObservations, x: Float64Array): number[][] {
  const information = [0, 1, 2].map(() => [0, 0, 0]);
  for (const at of time) {
    const slopes = curveAt(x, at);
    for (const [i, row] of information.entries()) {
      for (const j of row.keys()) row[j] = (row[j] as number) + (slopes[i] as number) * (slopes[j] as number);
    }
  }
  return information;
}

function requireDiffusion({ alpha, beta, gamma }: Diffusion): void {
  for (const [name, value] of Object.entries({ alpha, gamma })) {
    if (!(value > 0 && Number.isFinite(value))) {
      throw new RangeError(`${name} must be a number above 0, got ${value}`);
    }
  }
  requireFinite({ beta });
}
