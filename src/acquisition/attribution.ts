import { requireOneOf } from "../core/arguments.js";
import { DataError } from "../core/errors.js";
import { compareIds } from "../core/table.js";
import { solve } from "../numeric/matrix.js";
import { requirePaths, type TouchPath } from "./touch-paths.js";

/** Who gets the credit for a conversion. */
export type AttributionRule =
  | { readonly rule: "first touch" | "last touch" | "linear" | "Markov" | "Shapley" }
  | {
      readonly rule: "last non-direct";
      /** Channel of customers who come by themselves. */
      readonly direct: string;
    }
  | {
      readonly rule: "time decay";
      /** Days after which a touch counts half as much. */
      readonly halfLife: number;
    }
  | {
      readonly rule: "position-based";
      /** Share of the first touch, default 0.4; that of the last one is the same, the others share the rest. */
      readonly ends?: number;
    };

/** Conversions by the channel that gets the credit. */
export interface Attribution {
  /** Name of the rule. */
  readonly rule: AttributionRule["rule"];
  /** Conversions credited to each channel, in the order of their names; they add up to `conversions`. */
  readonly credits: Readonly<Record<string, number>>;
  /** Customers who converted. */
  readonly conversions: number;
  /** What must be true for the credits to be what each channel brought. None of it can be seen in the paths. */
  readonly assumption: string;
  /** Only "Markov": share of the conversions that would be lost without each channel, by the chain. */
  readonly removalEffects?: Readonly<Record<string, number>>;
}

const CAUTION = "; paths cannot show who would have converted anyway: only an experiment can";

const assumptions: Readonly<Record<AttributionRule["rule"], string>> = {
  "first touch":
    "the first touch alone makes a customer convert; all later ones would have happened without effect",
  "last touch": "the last touch alone makes a customer convert; all earlier ones had no effect",
  "last non-direct":
    "the last touch other than a direct visit alone makes a customer convert; direct visits are its effect",
  linear: "each touch of a customer who converts has the same effect",
  "time decay": "a touch has an effect that halves with each half-life before the last touch",
  "position-based":
    "the first and the last touch have a fixed share of the effect, those between share the rest",
  Markov:
    "the next touch depends on the last one alone, and without a channel customers who would have come to it are lost, not won by another",
  Shapley:
    "a customer converts only if all channels of the path were there, in whatever order and number; customers who did not convert say nothing",
};

/**
 * Credits conversions to the channels on the way to them.
 *
 * - "first touch", "last touch", "linear" (equal parts by touch);
 * - "last non-direct": the last touch that is not direct; the direct one if there is no other;
 * - "time decay": parts in proportion to 2^(-days before the last touch / half-life);
 * - "position-based": 40 % each to the first and last touch and 20 % to those between; halves if there are two;
 * - "Markov": in proportion to the removal effects in a Markov chain of order 1 over start, channels, conversion and loss:
 *   the share of its conversions that pass through the channel;
 * - "Shapley": Shapley values of the game in which a set of channels is worth the conversions of paths within it. Exact:
 *   it splits each conversion equally over the different channels of its path.
 * @throws DataError if a path is not as described, nobody converted, or "time decay" has a path without days.
 * @throws RangeError if the half-life is not above 0, or the share of the ends not from 0 to 0.5.
 * @see Anderl, Becker, von Wangenheim & Schumann (2016), Mapping the Customer Journey, Int. J. of Research in Marketing 33(3);
 * Zhao, Mahboobi & Bagheri (2018), Shapley Value Methods for Attribution Modeling in Online Advertising, arXiv:1804.05327.
 */
export function attribute(paths: readonly TouchPath[], rule: AttributionRule): Attribution {
  requirePaths(paths);
  requireOneOf("rule", rule.rule, Object.keys(assumptions));
  const conversions = paths.reduce((sum, { converted }) => sum + converted, 0);
  if (conversions === 0) throw new DataError("paths: at least one customer must have converted, got none");
  const channels = [...new Set(paths.flatMap((path) => path.channels))].sort(compareIds);
  const removal = rule.rule === "Markov" ? removalEffects(paths, channels) : undefined;
  const credits = removal
    ? inProportion(removal, conversions)
    : creditsByTouch(paths, channels, touchWeights(rule));
  return Object.freeze({
    rule: rule.rule,
    credits: byChannel(channels, credits),
    conversions,
    assumption: assumptions[rule.rule] + CAUTION,
    ...(removal === undefined ? {} : { removalEffects: byChannel(channels, removal) }),
  });
}

/** Parts of a conversion for the touches of a path, in any proportion. */
type TouchWeights = (path: TouchPath) => readonly number[];

function touchWeights(rule: AttributionRule): TouchWeights {
  switch (rule.rule) {
    case "first touch":
      return ({ channels }) => channels.map((_, touch) => (touch === 0 ? 1 : 0));
    case "last touch":
      return ({ channels }) => onlyAt(channels, channels.length - 1);
    case "last non-direct":
      return ({ channels }) => {
        const touch = channels.map((channel) => channel !== rule.direct).lastIndexOf(true);
        return onlyAt(channels, touch === -1 ? channels.length - 1 : touch);
      };
    case "time decay":
      return decayWeights(rule.halfLife);
    case "position-based":
      return positionWeights(rule.ends ?? 0.4);
    case "Shapley":
      return ({ channels }) =>
        channels.map((channel, touch) => (channels.indexOf(channel) === touch ? 1 : 0));
    default:
      return ({ channels }) => channels.map(() => 1);
  }
}

const onlyAt = (channels: readonly string[], place: number): number[] =>
  channels.map((_, touch) => (touch === place ? 1 : 0));

function decayWeights(halfLife: number): TouchWeights {
  if (!(halfLife > 0 && halfLife < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`halfLife must be a number of days above 0, got ${halfLife}`);
  }
  return ({ days }) => {
    if (days === undefined) throw new DataError("paths: time decay needs the days of each path");
    const last = days.at(-1) as number;
    return days.map((day) => 2 ** ((day - last) / halfLife));
  };
}

function positionWeights(ends: number): TouchWeights {
  if (!(ends >= 0 && ends <= 0.5)) {
    const hint = ends > 1 ? "; a percentage must be divided by 100" : "";
    throw new RangeError(`ends must be a share from 0 to 0.5, got ${ends}${hint}`);
  }
  return ({ channels: { length } }) => {
    if (length <= 2) return new Array<number>(length).fill(1);
    return Array.from({ length }, (_, touch) =>
      touch === 0 || touch === length - 1 ? ends : (1 - 2 * ends) / (length - 2),
    );
  };
}

function creditsByTouch(
  paths: readonly TouchPath[],
  names: readonly string[],
  weightsOf: TouchWeights,
): number[] {
  const place = new Map(names.map((name, index) => [name, index]));
  const credits = names.map(() => 0);
  for (const path of paths) {
    const parts = inProportion(weightsOf(path), path.converted);
    for (const [touch, part] of parts.entries()) {
      const index = place.get(path.channels[touch] as string) as number;
      credits[index] = (credits[index] as number) + part;
    }
  }
  return credits;
}

/** Shares of a total in proportion to weights. */
function inProportion(weights: readonly number[], total: number): number[] {
  const sum = weights.reduce((all, weight) => all + weight, 0);
  return weights.map((weight) => (total * weight) / sum);
}

/**
 * Share of the chain's conversions that pass through each channel: the chance to visit it from the start, times the chance
 * to convert from it, by the chance to convert.
 */
function removalEffects(paths: readonly TouchPath[], names: readonly string[]): number[] {
  const size = names.length;
  const place = new Map(names.map((name, index) => [name, index]));
  const moves = names.map(() => new Float64Array(size));
  const starts = new Float64Array(size);
  const conversions = new Float64Array(size);
  const leaving = new Float64Array(size);
  const add = (counts: Float64Array, index: number, count: number): void => {
    counts[index] = (counts[index] as number) + count;
  };
  for (const { channels, converted, lost } of paths) {
    const visits = channels.map((channel) => place.get(channel) as number);
    const customers = converted + lost;
    add(starts, visits[0] as number, customers);
    for (const [touch, index] of visits.entries()) {
      add(leaving, index, customers);
      const next = visits[touch + 1];
      if (next === undefined) add(conversions, index, converted);
      else add(moves[index] as Float64Array, next, customers);
    }
  }
  const flow = moves.map((row, from) => row.map((count) => count / (leaving[from] as number)));
  const visits = expectedVisits(flow);
  const entered = starts.reduce((sum, count) => sum + count, 0);
  const fromStart = names.map((_, to) =>
    starts.reduce((sum, count, from) => sum + (count / entered) * (visits[from]?.[to] as number), 0),
  );
  const converting = names.map((_, from) =>
    conversions.reduce(
      (sum, count, at) => sum + (visits[from]?.[at] as number) * (count / (leaving[at] as number)),
      0,
    ),
  );
  const all = starts.reduce((sum, count, from) => sum + (count / entered) * (converting[from] as number), 0);
  return names.map((_, channel) => {
    const everVisited = (fromStart[channel] as number) / (visits[channel]?.[channel] as number);
    return (everVisited * (converting[channel] as number)) / all;
  });
}

/** Expected visits of each state (column) from each state (row), (I - Q)^-1; every path ends, so it exists. */
function expectedVisits(flow: readonly Float64Array[]): number[][] {
  const unit = flow.map((row, from) => Array.from(row, (_, to) => Number(from === to)));
  const staying = flow.map((row, from) => Array.from(row, (share, to) => Number(from === to) - share));
  return solve(staying, unit) as number[][];
}

const byChannel = (names: readonly string[], values: readonly number[]): Readonly<Record<string, number>> =>
  Object.freeze(Object.fromEntries(names.map((name, index) => [name, values[index] as number])));
