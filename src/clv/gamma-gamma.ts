import { requireWhole } from "../core/arguments.js";
import { DataError } from "../core/errors.js";
import type { Objective } from "../numeric/minimise.js";
import type { Random } from "../numeric/random.js";
import { drawGamma } from "../numeric/sampling.js";
import { digamma, logBeta } from "../numeric/special.js";
import { distinctValues, requireParameters } from "./cells.js";
import { fitPositive, type ModelFit } from "./fit.js";

/** Parameters of the Gamma-Gamma spend model: shapes p and q without unit, gamma in the money unit of the data. */
export interface GammaGammaParameters {
  readonly p: number;
  readonly q: number;
  readonly gamma: number;
}

/** Mean spend per repeat purchase and the number of repeat purchases it is the mean of, in columns. */
export interface MeanSpends {
  /** Repeat purchases, 1 or more. */
  readonly x: ArrayLike<number>;
  /** Mean money per repeat purchase, above 0. */
  readonly meanSpend: ArrayLike<number>;
  /** How many customers a row stands for; 1 if left out. */
  readonly weight?: ArrayLike<number>;
}

/**
 * Fits the Gamma-Gamma model of spend per purchase by maximum likelihood on repeat buyers: spend varies around a
 * customer's own mean, and the means vary between customers, independently of how often they buy.
 * A fit with q of 1 or less carries a warning: its population mean is infinite.
 * @throws DataError if x is not a whole number of 1 or more, or spend or weight is not above 0: it names the row (from 0).
 * @throws DataError if all spends are equal: the likelihood then has no maximum.
 * @throws ConvergenceError if the search does not settle.
 * @see Fader & Hardie (2013), The Gamma-Gamma Model of Monetary Value, note 025, eq. 1a.
 */
export function fitGammaGamma(spends: MeanSpends): ModelFit<"p" | "q" | "gamma"> {
  requireSpends(spends);
  let customers = 0;
  let logMean = 0;
  for (let row = 0; row < spends.x.length; row++) {
    const weight = spends.weight?.[row] ?? 1;
    customers += weight;
    logMean += weight * Math.log(spends.meanSpend[row] as number);
  }
  const typical = Math.exp(logMean / customers);
  if (distinctValues(spends.meanSpend).values.length === 1) {
    throw new DataError(
      `spends must differ between customers, got ${spends.meanSpend[0]} for all ${spends.x.length}`,
    );
  }
  const fit = fitPositive({
    model: "Gamma-Gamma",
    names: ["p", "q", "gamma"] as const,
    starts: [
      [3, 3, typical],
      [1, 2, typical],
      [10, 5, typical / 2],
    ],
    logLikelihood: gammaGammaObjective(spends),
    observations: customers,
  });
  if (fit.parameters.q > 1) return fit;
  const warning = `q is ${fit.parameters.q}: with q of 1 or less the mean spend of the population is infinite`;
  return Object.freeze({ ...fit, warnings: [...fit.warnings, warning] });
}

/**
 * Log-likelihood of mean spends, the density of the mean itself included (as in the published -4055.9 for CDNOW).
 * @throws RangeError if a parameter is not above 0. @throws DataError if a row is not possible.
 * @see Fader & Hardie (2013), note 025, eq. 1a.
 */
export function gammaGammaLogLikelihood(parameters: GammaGammaParameters, spends: MeanSpends): number {
  requireParameters(parameters);
  requireSpends(spends);
  return gammaGammaObjective(spends)(
    Float64Array.of(parameters.p, parameters.q, parameters.gamma),
    new Float64Array(3),
  );
}

/**
 * Expected mean spend per purchase of a customer with x repeat purchases of mean `meanSpend`: between the customer's
 * mean and the population's. With x of 0 it is the population mean p gamma / (q - 1), and `meanSpend` is not used.
 * @throws RangeError if a parameter is not above 0, x or meanSpend is not possible, or the mean is infinite (p x + q of 1 or less).
 * @see Fader & Hardie (2013), note 025, the conditional expectation.
 */
export function gammaGammaExpectedSpend(
  parameters: GammaGammaParameters,
  { x, meanSpend = 0 }: { readonly x: number; readonly meanSpend?: number },
): number {
  requireParameters(parameters);
  const { p, q, gamma } = parameters;
  requireWhole("x", x, 0);
  if (x > 0 && !(meanSpend > 0 && Number.isFinite(meanSpend))) {
    throw new RangeError(`meanSpend must be a number above 0 where x is ${x}, got ${meanSpend}`);
  }
  if (p * x + q <= 1) {
    throw new RangeError(
      x === 0
        ? `the population mean needs q above 1, got ${q}: it is infinite`
        : `the expected spend needs p x + q above 1, got ${p * x + q}: it is infinite`,
    );
  }
  return (p * (gamma + x * (x > 0 ? meanSpend : 0))) / (p * x + q - 1);
}

/**
 * Draws mean spends of customers with the given numbers of repeat purchases; customers with none get a mean of 0.
 * @throws RangeError if a parameter is not above 0 or a count is not a whole number from 0 up.
 */
export function simulateGammaGamma(
  parameters: GammaGammaParameters,
  x: ArrayLike<number>,
  random: Random,
): { readonly x: Float64Array; readonly meanSpend: Float64Array } {
  requireParameters(parameters);
  const { p, q, gamma } = parameters;
  const counts = Float64Array.from(x);
  const meanSpend = counts.map((count, row) => {
    if (!(Number.isSafeInteger(count) && count >= 0)) {
      throw new RangeError(`x of row ${row} must be a whole number from 0 up, got ${count}`);
    }
    if (count === 0) return 0;
    const rate = drawGamma(random, q, gamma);
    return drawGamma(random, p * count, 1) / (rate * count);
  });
  return { x: counts, meanSpend };
}

/** Log-likelihood and its gradient at (p, q, gamma). Gamma functions are computed once for every distinct x. */
export function gammaGammaObjective(spends: MeanSpends): Objective {
  const { x: counts, meanSpend, weight } = spends;
  const { values, index } = distinctValues(counts);
  const rows = counts.length;
  const total = new Float64Array(values.length); // customers with each x
  let logSpends = 0;
  for (let row = 0; row < rows; row++) {
    const w = weight?.[row] ?? 1;
    const place = index[row] as number;
    total[place] = (total[place] as number) + w;
    logSpends += w * Math.log(meanSpend[row] as number);
  }
  return (parameters, gradient) => {
    const [p = 0, q = 0, gamma = 0] = parameters;
    const digammaQ = digamma(q);
    let value = -logSpends;
    let byP = 0;
    let byQ = 0;
    let byGamma = 0;
    for (const [place, x] of values.entries()) {
      const customers = total[place] as number;
      const both = digamma(p * x + q);
      value -= customers * logBeta(p * x, q);
      byP += customers * x * (both - digamma(p * x));
      byQ += customers * (both - digammaQ);
    }
    for (let row = 0; row < rows; row++) {
      const w = weight?.[row] ?? 1;
      const x = counts[row] as number;
      const spend = x * (meanSpend[row] as number);
      const logOwn = -Math.log1p(gamma / spend); // share of the customer's own spend, and of the population's, in logs
      const logPopulation = -Math.log1p(spend / gamma);
      value += w * (q * logPopulation + p * x * logOwn);
      byP += w * x * logOwn;
      byQ += w * logPopulation;
      byGamma += (w * ((q * spend) / gamma - p * x)) / (gamma + spend);
    }
    gradient[0] = byP;
    gradient[1] = byQ;
    gradient[2] = byGamma;
    return value;
  };
}

function requireSpends({ x, meanSpend, weight }: MeanSpends): void {
  if (x.length === 0) throw new DataError("spends must have at least one repeat buyer, got none");
  if (meanSpend.length !== x.length || (weight && weight.length !== x.length)) {
    throw new DataError(
      `meanSpend and weight must have as many rows as x, ${x.length}, got ${meanSpend.length} and ${weight?.length ?? x.length}`,
    );
  }
  for (let row = 0; row < x.length; row++) {
    const count = x[row] as number;
    if (!(Number.isSafeInteger(count) && count >= 1)) {
      throw new DataError(
        `spends row ${row}: x must be a whole number of 1 or more (repeat buyers only), got ${count}`,
      );
    }
    for (const [name, value] of [
      ["meanSpend", meanSpend[row] as number],
      ["weight", weight ? (weight[row] as number) : 1],
    ] as const) {
      if (!(value > 0 && Number.isFinite(value))) {
        throw new DataError(`spends row ${row}: ${name} must be a number above 0, got ${value}`);
      }
    }
  }
}
