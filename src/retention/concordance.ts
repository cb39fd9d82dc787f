import type { RiskDesign } from "./risk-sets.js";
import { ascendingOrder } from "./survival-data.js";

/** How well a score orders customers by who leaves first. */
export interface Concordance {
  /** Share of comparable pairs in which the higher risk left first; ties of the score count half. */
  readonly concordance: number;
  /** Its standard error, by the infinitesimal jackknife. */
  readonly standardError: number;
}

/**
 * Harrell's concordance of a risk score (by position) with survival, within strata: two rows are comparable if one leaves
 * while the other is at risk and stays on. Undefined if no two are. Rows of one `cluster` (by row) move together in the
 * standard error. O(n log n).
 * @see Harrell, Lee & Mark (1996), Statistics in Medicine 15; Therneau & Watson (2017), The concordance statistic and the
 * Cox model, for the variance.
 */
export function concordanceOf(
  design: RiskDesign,
  score: Float64Array,
  cluster?: Uint32Array,
): Concordance | undefined {
  const { size, weight } = design;
  const { ranks, count } = denseRanks(score);
  const pairs: Pairs = {
    concordant: new Float64Array(size),
    tied: new Float64Array(size),
    discordant: new Float64Array(size),
  };
  for (let s = 0; s + 1 < design.stratumStart.length; s++) addStratum(pairs, design, ranks, count, s);
  let won = 0;
  let all = 0; // every pair counts from both its ends
  for (let q = 0; q < size; q++) {
    won += (weight[q] as number) * wonBy(pairs, q);
    all += (weight[q] as number) * partnersOf(pairs, q);
  }
  if (all === 0) return undefined;
  const concordance = won / all;
  const influence = new Float64Array(
    cluster ? cluster.reduce((most, code) => Math.max(most, code), 0) + 1 : size,
  );
  for (let q = 0; q < size; q++) {
    const place = cluster ? (cluster[design.row[q] as number] as number) : q;
    const effect = wonBy(pairs, q) - concordance * partnersOf(pairs, q);
    influence[place] = (influence[place] as number) + (2 * (weight[q] as number) * effect) / all;
  }
  return { concordance, standardError: Math.sqrt(influence.reduce((sum, value) => sum + value * value, 0)) };
}

/** Weight of each position's comparable partners, by whether who left first had the higher, the same or the lower score. */
interface Pairs {
  readonly concordant: Float64Array;
  readonly tied: Float64Array;
  readonly discordant: Float64Array;
}

const wonBy = ({ concordant, tied }: Pairs, q: number): number =>
  (concordant[q] as number) + (tied[q] as number) / 2;

const partnersOf = ({ concordant, tied, discordant }: Pairs, q: number): number =>
  (concordant[q] as number) + (tied[q] as number) + (discordant[q] as number);

function addStratum(
  pairs: Pairs,
  design: RiskDesign,
  ranks: Uint32Array,
  count: number,
  stratum: number,
): void {
  const { time, event, weight, entry, entryOrder, groupStart, group, stratumStart } = design;
  const start = stratumStart[stratum] as number;
  const end = stratumStart[stratum + 1] as number;
  if (start === end) return;
  const firstGroup = group[start] as number;
  const lastGroup = group[end - 1] as number;
  const staying = new RankSums(count);
  let nextEntry = end - 1;
  // Backwards: those who leave meet those at risk who stay on, censored ones of the same time included.
  for (let g = lastGroup; g >= firstGroup; g--) {
    const first = groupStart[g] as number;
    const last = groupStart[g + 1] as number;
    for (let q = first; q < last; q++)
      if (event[q] === 0) staying.add(ranks[q] as number, weight[q] as number);
    if (entry) {
      for (; nextEntry >= start; nextEntry--) {
        const q = entryOrder[nextEntry] as number;
        if ((entry[q] as number) < (time[first] as number)) break;
        staying.add(ranks[q] as number, -(weight[q] as number));
      }
    }
    for (let q = first; q < last; q++) if (event[q] === 1) meet(pairs, staying, ranks, q, 1, false);
    for (let q = first; q < last; q++)
      if (event[q] === 1) staying.add(ranks[q] as number, weight[q] as number);
  }
  // Forwards: everyone meets those who left while it was at risk.
  const gone = new RankSums(count);
  const byEntry = entry ? entryOrder.subarray(start, end) : undefined;
  let next = 0;
  for (let g = firstGroup; g <= lastGroup; g++) {
    const first = groupStart[g] as number;
    const last = groupStart[g + 1] as number;
    if (entry && byEntry) {
      for (; next < byEntry.length; next++) {
        const q = byEntry[next] as number;
        if ((entry[q] as number) >= (time[first] as number)) break;
        meet(pairs, gone, ranks, q, -1, true);
      }
    }
    for (let q = first; q < last; q++) if (event[q] === 1) meet(pairs, gone, ranks, q, 1, true);
    for (let q = first; q < last; q++) if (event[q] === 1) gone.add(ranks[q] as number, weight[q] as number);
    for (let q = first; q < last; q++) if (event[q] === 0) meet(pairs, gone, ranks, q, 1, true);
  }
}

/** Adds, or with sign -1 takes away, the partners of a position by the order of their scores. */
function meet(
  pairs: Pairs,
  partners: RankSums,
  ranks: Uint32Array,
  q: number,
  sign: 1 | -1,
  partnersLeft: boolean,
): void {
  const rank = ranks[q] as number;
  const lower = partners.below(rank);
  const level = partners.at(rank);
  const higher = partners.total - lower - level;
  const [concordant, discordant] = partnersLeft ? [higher, lower] : [lower, higher];
  pairs.concordant[q] = (pairs.concordant[q] as number) + sign * concordant;
  pairs.tied[q] = (pairs.tied[q] as number) + sign * level;
  pairs.discordant[q] = (pairs.discordant[q] as number) + sign * discordant;
}

/** Weights by rank with sums of all below a rank in O(log n): a Fenwick tree. */
class RankSums {
  total = 0;
  private readonly single: Float64Array;
  private readonly tree: Float64Array;
  constructor(count: number) {
    this.single = new Float64Array(count);
    this.tree = new Float64Array(count + 1);
  }
  add(rank: number, weight: number): void {
    this.total += weight;
    this.single[rank] = (this.single[rank] as number) + weight;
    for (let i = rank + 1; i < this.tree.length; i += i & -i)
      this.tree[i] = (this.tree[i] as number) + weight;
  }
  at(rank: number): number {
    return this.single[rank] as number;
  }
  below(rank: number): number {
    let sum = 0;
    for (let i = rank; i > 0; i -= i & -i) sum += this.tree[i] as number;
    return sum;
  }
}

function denseRanks(values: Float64Array): { readonly ranks: Uint32Array; readonly count: number } {
  const order = ascendingOrder(values);
  const ranks = new Uint32Array(values.length);
  let rank = 0;
  for (let i = 0; i < order.length; i++) {
    if (i > 0 && values[order[i] as number] !== values[order[i - 1] as number]) rank++;
    ranks[order[i] as number] = rank;
  }
  return { ranks, count: rank + 1 };
}
