import { mean } from "simple-statistics";
import { requireWhole } from "../core/arguments.js";
import type { Random } from "../numeric/random.js";

/** How a bootstrap interval is drawn. */
export interface BootstrapOptions {
  /** Seeded source of random numbers. */
  readonly random: Random;
  /** Number of resamples; default 1,000. */
  readonly resamples?: number;
  /** Coverage; default 0.9. */
  readonly level?: number;
}

/** An estimate with the interval in which it would fall if other customers of the same kind had been drawn. */
export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
  readonly level: number;
  readonly resamples: number;
}

/**
 * Percentile bootstrap interval: `draw` computes the estimate from one resample.
 * @throws RangeError if the level is outside [0, 1] or fewer than 20 resamples are asked for.
 * @see Efron & Tibshirani (1993), An Introduction to the Bootstrap, section 13.3.
 */
export function percentileInterval(
  estimate: number,
  draw: () => number,
  options: BootstrapOptions,
): Interval {
  const { resamples = 1000, level = 0.9 } = options;
  requireFraction("level", level);
  requireWhole("resamples", resamples, 20);
  const draws = Float64Array.from({ length: resamples }, draw).sort();
  const edge = (p: number): number => draws[Math.min(resamples - 1, Math.floor(p * resamples))] ?? Number.NaN;
  return Object.freeze({
    estimate,
    low: edge((1 - level) / 2),
    high: edge((1 + level) / 2),
    level,
    resamples,
  });
}

/**
 * Mean with a percentile bootstrap interval.
 * @throws RangeError as `percentileInterval`, or if there are no values.
 */
export function meanInterval(values: ArrayLike<number>, options: BootstrapOptions): Interval {
  const n = values.length;
  if (n === 0) throw new RangeError("values must hold at least one value, got none");
  const draw = (): number => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[Math.floor(options.random.uniform() * n)] ?? 0;
    return sum / n;
  };
  return percentileInterval(mean(Array.from(values)), draw, options);
}

/** @throws RangeError if the value is no fraction. */
export function requireFraction(name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new RangeError(`${name} must be between 0 and 1, got ${value}`);
}
