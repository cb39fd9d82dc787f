import { type ColumnTable, table } from "arquero";
import { DataError } from "../core/errors.js";
import { numberColumn } from "../core/table.js";

/** Lowest and highest score, both included. */
export type ScoreRange = readonly [low: number, high: number];

/** A block of scores: every combination of the three ranges. */
export interface ScoreBlock {
  readonly r: ScoreRange;
  readonly f: ScoreRange;
  readonly m: ScoreRange;
}

/** A named group of customers: which scores belong to it and what to do with it. */
export interface Segment {
  readonly name: string;
  readonly advice: string;
  readonly blocks: readonly ScoreBlock[];
}

/** A checked set of segments: every combination of scores belongs to exactly one. */
export interface SegmentTable {
  readonly bins: number;
  readonly segments: readonly Segment[];
}

/**
 * Checks that the segments cover every combination of scores 1 to `bins` exactly once.
 * @throws DataError naming the combinations without a segment, or the two segments that claim the same one.
 * @throws RangeError if a range does not lie within 1 to `bins`.
 */
export function defineSegments(segments: readonly Segment[], bins = 5): SegmentTable {
  const owner = new Map<number, string>();
  for (const { name, blocks } of segments) {
    for (const score of blocks.flatMap((block) => combinations(name, block, bins))) {
      const other = owner.get(score);
      if (other !== undefined)
        throw new DataError(`segments: score ${score} belongs to both "${other}" and "${name}"`);
      owner.set(score, name);
    }
  }
  const all: ScoreRange = [1, bins];
  const gaps = combinations("all", { r: all, f: all, m: all }, bins).filter((score) => !owner.has(score));
  if (gaps.length > 0) {
    const shown = gaps.slice(0, 10).join(", ");
    throw new DataError(
      `segments: ${gaps.length} of ${bins ** 3} scores belong to no segment: ${shown}${gaps.length > 10 ? ", …" : ""}`,
    );
  }
  return Object.freeze({ bins, segments: Object.freeze([...segments]) });
}

function combinations(name: string, block: ScoreBlock, bins: number): readonly number[] {
  const scores = (["r", "f", "m"] as const).map((key) => {
    const [low, high] = block[key];
    if (!Number.isInteger(low) || !Number.isInteger(high) || low < 1 || high > bins || low > high) {
      throw new RangeError(
        `segment "${name}": ${key} must be a range within 1 to ${bins}, got ${low} to ${high}`,
      );
    }
    return Array.from({ length: high - low + 1 }, (_, index) => low + index);
  });
  const [rs = [], fs = [], ms = []] = scores;
  return rs.flatMap((r) => fs.flatMap((f) => ms.map((m) => 100 * r + 10 * f + m)));
}

const any: ScoreRange = [1, 5];
const low: ScoreRange = [1, 2];
const high: ScoreRange = [4, 5];

/**
 * Ten segments over five scores a measure. Recency and frequency decide; spend separates the best from the loyal and
 * the customers one cannot afford to lose from the others at risk.
 */
export const standardSegments: SegmentTable = defineSegments([
  {
    name: "Champions",
    advice: "Reward them, show them new products first, ask for referrals; no discounts needed.",
    blocks: [{ r: high, f: high, m: high }],
  },
  {
    name: "Loyal",
    advice: "They come often and spend little: offer larger packs or a subscription.",
    blocks: [{ r: high, f: high, m: [1, 3] }],
  },
  {
    name: "Potential loyalists",
    advice: "Bring them to the next order: second category, loyalty points.",
    blocks: [{ r: high, f: [2, 3], m: any }],
  },
  {
    name: "New",
    advice: "Make the start good: welcome series, help with the first product; no discount yet.",
    blocks: [{ r: high, f: [1, 1], m: any }],
  },
  {
    name: "Need attention",
    advice: "Remind them before the habit is gone: replenishment note, personal offer.",
    blocks: [{ r: [3, 3], f: [3, 5], m: any }],
  },
  {
    name: "About to sleep",
    advice: "A cheap reminder by e-mail; expect few to return.",
    blocks: [{ r: [3, 3], f: low, m: any }],
  },
  {
    name: "Cannot lose",
    advice: "Call them: they bought often and much, and have stopped. Ask why before any offer.",
    blocks: [{ r: low, f: high, m: high }],
  },
  {
    name: "At risk",
    advice: "Win back with a dated offer; stop when it costs more than they bring.",
    blocks: [
      { r: low, f: high, m: [1, 3] },
      { r: low, f: [3, 3], m: any },
    ],
  },
  {
    name: "Hibernating",
    advice: "Only the cheapest channel, a few times a year.",
    blocks: [{ r: [2, 2], f: low, m: any }],
  },
  {
    name: "Lost",
    advice: "No further contact cost; keep what consent and law allow.",
    blocks: [{ r: [1, 1], f: low, m: any }],
  },
]);

/**
 * Name of the segment of one combination of scores.
 * @throws RangeError if a score does not lie within 1 to the table's bins.
 */
export function segmentOf({ segments, bins }: SegmentTable, r: number, f: number, m: number): string {
  const inside = (score: number, [from, to]: ScoreRange): boolean => score >= from && score <= to;
  const found = segments.find(({ blocks }) =>
    blocks.some((block) => inside(r, block.r) && inside(f, block.f) && inside(m, block.m)),
  );
  if (!found || ![r, f, m].every(Number.isInteger)) {
    throw new RangeError(`scores must be whole numbers from 1 to ${bins}, got r ${r}, f ${f}, m ${m}`);
  }
  return found.name;
}

/**
 * Adds the column `segment` to customers scored with `r`, `f` and `m`.
 * @throws DataError if the table is empty, a column is missing or a score lies outside the segments' bins.
 */
export function assignSegments(scored: ColumnTable, segments: SegmentTable = standardSegments): ColumnTable {
  const [r, f, m] = ["r", "f", "m"].map((name) => numberColumn(scored, name, "scored customers", 1)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const names = new Map<number, string>();
  const segment = Array.from(r, (score, row) => {
    const [frequency = 0, monetary = 0] = [f[row], m[row]];
    const code = 100 * score + 10 * frequency + monetary;
    const name = names.get(code) ?? nameOrFail(segments, row, score, frequency, monetary);
    names.set(code, name);
    return name;
  });
  return scored.reify().assign(table({ segment }));
}

function nameOrFail(segments: SegmentTable, row: number, r: number, f: number, m: number): string {
  try {
    return segmentOf(segments, r, f, m);
  } catch (error) {
    throw new DataError(`scored customers: row ${row + 1}: ${(error as Error).message}`, { cause: error });
  }
}
