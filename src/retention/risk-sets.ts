import { type CovariateColumns, covariateColumns, covariateSpread, type Spread } from "../core/covariates.js";
import { DataError } from "../core/errors.js";
import { ascendingOrder, countAtMost, rowsByCode, type SurvivalColumns } from "./survival-data.js";

/** How tied events share a risk set. */
export type Ties = "efron" | "breslow";

/**
 * Rows that stay in the risk sets after their own time, although a competing event has taken them away, with a weight that
 * falls as censoring would have taken them (subdistribution hazards).
 */
export interface Lingering {
  /** 1 for a row that lingers, by position. */
  readonly stays: Uint8Array;
  /** Chance to be uncensored just before the row's own time, by position. */
  readonly uncensored: Float64Array;
}

/**
 * Rows sorted by stratum and time, with covariates centred and scaled. A position is a place in that order; a group is the
 * run of positions of one stratum and one time.
 */
export interface RiskDesign {
  readonly names: readonly string[];
  readonly size: number;
  /** Row of the data at each position. */
  readonly row: Uint32Array;
  readonly time: Float64Array;
  readonly event: Uint8Array;
  readonly weight: Float64Array;
  readonly entry: Float64Array | undefined;
  /** Positions by stratum and ascending entry; empty without entries. */
  readonly entryOrder: Uint32Array;
  /** Covariates by position, row after row. */
  readonly x: Float64Array;
  /** Mean, standard deviation and range of each covariate. */
  readonly centre: readonly number[];
  readonly scale: readonly number[];
  readonly range: readonly number[];
  /** First position of each stratum, and the end. */
  readonly stratumStart: Uint32Array;
  readonly strata: readonly string[];
  /** First position of each group, and the end. */
  readonly groupStart: Uint32Array;
  /** Group of each position. */
  readonly group: Uint32Array;
  readonly lingering?: Lingering;
}

/**
 * Sorts and scales survival data with their covariates.
 * @throws DataError if there are no covariates, or one has another length, a value that is not finite, or no variation.
 */
export function riskDesign(columns: SurvivalColumns, covariates: CovariateColumns): RiskDesign {
  const names = Object.keys(covariates);
  if (names.length === 0) throw new DataError("covariates must name at least one column, got none");
  const { size, strata } = columns;
  const columnsOf = covariateColumns(covariates, size);
  const { row, stratumStart } = byStratum(columns, columns.time);
  const time = Float64Array.from(row, (r) => columns.time[r] as number);
  const spreads = columnsOf.map((column, j) => covariateSpread(names[j] as string, column));
  return {
    names,
    size,
    row,
    time,
    event: Uint8Array.from(row, (r) => columns.event[r] as number),
    weight: Float64Array.from(row, (r) => columns.weight[r] as number),
    ...entriesOf(columns, row),
    x: scaledRows(columnsOf, spreads, row),
    centre: spreads.map(({ centre }) => centre),
    scale: spreads.map(({ scale }) => scale),
    range: spreads.map(({ range }) => range),
    stratumStart,
    strata,
    ...groupsOf(time, stratumStart),
  };
}

/** Centred and scaled covariates, row after row in an order; written in row order first, for the sake of the cache. */
function scaledRows(
  columns: readonly Float64Array[],
  spreads: readonly Spread[],
  order: Uint32Array,
): Float64Array {
  const p = columns.length;
  const rows = new Float64Array(order.length * p);
  for (const [j, column] of columns.entries()) {
    const { centre, scale } = spreads[j] as Spread;
    for (let r = 0, at = j; r < order.length; r++, at += p)
      rows[at] = ((column[r] as number) - centre) / scale;
  }
  const x = new Float64Array(rows.length);
  for (let q = 0, at = 0; q < order.length; q++) {
    const from = (order[q] as number) * p;
    for (let j = 0; j < p; j++, at++) x[at] = rows[from + j] as number;
  }
  return x;
}

/** Rows by stratum, then ascending by a value. */
function byStratum(
  { size, stratum, strata }: SurvivalColumns,
  values: Float64Array,
): { readonly row: Uint32Array; readonly stratumStart: Uint32Array } {
  const ordered = ascendingOrder(values);
  const parts = rowsByCode(
    ordered.map((r) => stratum[r] as number),
    strata.length,
  );
  const row = new Uint32Array(size);
  const stratumStart = new Uint32Array(strata.length + 1);
  for (const [code, places] of parts.entries()) {
    const start = stratumStart[code] as number;
    row.set(
      places.map((place) => ordered[place] as number),
      start,
    );
    stratumStart[code + 1] = start + places.length;
  }
  return { row, stratumStart };
}

function entriesOf(columns: SurvivalColumns, row: Uint32Array): Pick<RiskDesign, "entry" | "entryOrder"> {
  const { entry } = columns;
  if (!entry) return { entry, entryOrder: new Uint32Array(0) };
  const position = new Uint32Array(row.length);
  for (let q = 0; q < row.length; q++) position[row[q] as number] = q;
  return {
    entry: Float64Array.from(row, (r) => entry[r] as number),
    entryOrder: byStratum(columns, entry).row.map((r) => position[r] as number),
  };
}

function groupsOf(time: Float64Array, stratumStart: Uint32Array): Pick<RiskDesign, "groupStart" | "group"> {
  const group = new Uint32Array(time.length);
  const starts: number[] = [];
  let stratum = 0;
  for (let q = 0; q < time.length; q++) {
    let fresh = q === 0 || time[q] !== time[q - 1];
    while (q >= (stratumStart[stratum + 1] as number)) {
      stratum++;
      fresh = true;
    }
    if (fresh) starts.push(q);
    group[q] = starts.length - 1;
  }
  return { groupStart: Uint32Array.from([...starts, time.length]), group };
}

/** Sums over those at risk at one event time, and over those who leave there. One object is used for all times. */
export interface RiskSet {
  /** Group of the design. */
  group: number;
  stratum: number;
  /** Rows that leave, and their weight. */
  leaving: number;
  leavingWeight: number;
  /** Chance to be uncensored just before this time, for subdistribution hazards; 1 otherwise. */
  uncensored: number;
  /** Weighted sum of the covariates of those who leave. */
  readonly leavingX: Float64Array;
  /** Sum of weight times relative risk r: of r, r x and r x x' (lower triangle, row by row). */
  readonly all: Sums;
  /** Likewise of those who leave; zeros if it is only one. */
  readonly left: Sums;
  /** Mean covariates at risk, filled by the step at hand. */
  readonly mean: Float64Array;
}

interface Sums {
  zero: number;
  readonly one: Float64Array;
  readonly two: Float64Array;
}

const sumsOf = (p: number): Sums => ({
  zero: 0,
  one: new Float64Array(p),
  two: new Float64Array((p * (p + 1)) / 2),
});

/** Log relative risk of each position. */
export function logRisks({ size, x, names }: RiskDesign, beta: ArrayLike<number>): Float64Array {
  const p = names.length;
  const values = new Float64Array(size);
  for (let q = 0, at = 0; q < size; q++) {
    let sum = 0;
    for (let j = 0; j < p; j++) sum += (x[at++] as number) * (beta[j] as number);
    values[q] = sum;
  }
  return values;
}

/**
 * Visits every event time of every stratum, from the last to the first, with its risk set. Rows join as time runs back to
 * their own time and go as it passes their entry, so one pass costs O(n p^2); O(n p) without the second moments.
 */
export function visitRiskSets(
  design: RiskDesign,
  logRisk: Float64Array,
  visit: (set: RiskSet) => void,
  { moments = 2 }: { readonly moments?: 1 | 2 } = {},
): void {
  const { names, x, time, event, weight, entry, entryOrder, stratumStart, groupStart, group, lingering } =
    design;
  const p = names.length;
  const present = sumsOf(p); // at risk in their own right
  const gone = sumsOf(p); // taken away by a competing event, and lingering
  const set: RiskSet = {
    group: 0,
    stratum: 0,
    leaving: 0,
    leavingWeight: 0,
    uncensored: 1,
    leavingX: new Float64Array(p),
    all: lingering ? sumsOf(p) : present,
    left: sumsOf(p),
    mean: new Float64Array(p),
  };
  const add = moments === 2 ? addRow : addRowMean;
  for (let stratum = 0; stratum + 1 < stratumStart.length; stratum++) {
    const start = stratumStart[stratum] as number;
    const end = stratumStart[stratum + 1] as number;
    if (start === end) continue;
    clear(present);
    clear(gone);
    if (lingering) {
      for (let q = start; q < end; q++) {
        if (lingering.stays[q] === 1) add(gone, x, q * p, lingeringRisk(lingering, weight, logRisk, q));
      }
    }
    let nextEntry = end - 1;
    let atRisk = 0;
    for (let g = group[end - 1] as number; g >= (group[start] as number); g--) {
      const first = groupStart[g] as number;
      const last = (groupStart[g + 1] as number) - 1;
      startLeaving(set, countEvents(event, first, last));
      for (let q = first; q <= last; q++) {
        const risk = (weight[q] as number) * Math.exp(logRisk[q] as number);
        add(present, x, q * p, risk);
        if (event[q] === 1) {
          if (set.leaving > 1) add(set.left, x, q * p, risk);
          set.leavingWeight += weight[q] as number;
          for (let j = 0; j < p; j++) {
            set.leavingX[j] = (set.leavingX[j] as number) + (weight[q] as number) * (x[q * p + j] as number);
          }
        }
        if (lingering?.stays[q] === 1) add(gone, x, q * p, -lingeringRisk(lingering, weight, logRisk, q));
      }
      atRisk += last - first + 1;
      if (entry) {
        const now = time[first] as number;
        for (; nextEntry >= start; nextEntry--) {
          const q = entryOrder[nextEntry] as number;
          if ((entry[q] as number) < now) break;
          add(present, x, q * p, -(weight[q] as number) * Math.exp(logRisk[q] as number));
          if (--atRisk === 0) clear(present); // leaves no rounding behind
        }
      }
      if (set.leaving === 0) continue;
      set.group = g;
      set.stratum = stratum;
      if (lingering) {
        set.uncensored = lingering.uncensored[first] as number;
        combine(set.all, present, gone, set.uncensored);
      }
      visit(set);
    }
  }
}

const lingeringRisk = (
  { uncensored }: Lingering,
  weight: Float64Array,
  logRisk: Float64Array,
  q: number,
): number => ((weight[q] as number) * Math.exp(logRisk[q] as number)) / (uncensored[q] as number);

/** Adds a row's moments; two functions, so that the inner loop has no choice to make. */
function addRow(sums: Sums, x: Float64Array, from: number, risk: number): void {
  const { one, two } = sums;
  sums.zero += risk;
  for (let i = 0, at = 0; i < one.length; i++) {
    const part = risk * (x[from + i] as number);
    one[i] = (one[i] as number) + part;
    for (let j = 0; j <= i; j++, at++) two[at] = (two[at] as number) + part * (x[from + j] as number);
  }
}

function addRowMean(sums: Sums, x: Float64Array, from: number, risk: number): void {
  const { one } = sums;
  sums.zero += risk;
  for (let i = 0; i < one.length; i++) one[i] = (one[i] as number) + risk * (x[from + i] as number);
}

function countEvents(event: Uint8Array, first: number, last: number): number {
  let count = 0;
  for (let q = first; q <= last; q++) count += event[q] as number;
  return count;
}

function startLeaving(set: RiskSet, leaving: number): void {
  if (set.leaving > 1) clear(set.left);
  set.leaving = leaving;
  set.leavingWeight = 0;
  for (let j = 0; j < set.leavingX.length; j++) set.leavingX[j] = 0; // `fill` is slow for few elements
}

function clear(sums: Sums): void {
  sums.zero = 0;
  sums.one.fill(0);
  sums.two.fill(0);
}

function combine(into: Sums, present: Sums, gone: Sums, factor: number): void {
  into.zero = present.zero + factor * gone.zero;
  for (let j = 0; j < into.one.length; j++) {
    into.one[j] = (present.one[j] as number) + factor * (gone.one[j] as number);
  }
  for (let j = 0; j < into.two.length; j++) {
    into.two[j] = (present.two[j] as number) + factor * (gone.two[j] as number);
  }
}

/**
 * Splits the events of one time into steps: Efron takes each tied event from a risk set that has lost a growing share of
 * those who leave, Breslow takes them all from the whole one. Calls `step` with that share, the sum of the risks, and the
 * weight of the events in the step.
 */
function forEachStep(
  { leaving, leavingWeight, all, left }: RiskSet,
  ties: Ties,
  step: (share: number, risk: number, weight: number) => void,
): void {
  const steps = ties === "efron" ? leaving : 1;
  for (let k = 0; k < steps; k++) {
    const share = k / steps;
    step(share, all.zero - share * left.zero, leavingWeight / steps);
  }
}

/** Log partial likelihood with its gradient and the negative of its Hessian, in the scaled covariates. */
export interface PartialLikelihood {
  readonly logLikelihood: number;
  readonly score: Float64Array;
  readonly information: readonly (readonly number[])[];
}

/** The log partial likelihood at scaled coefficients. */
export function partialLikelihood(
  design: RiskDesign,
  beta: ArrayLike<number>,
  ties: Ties,
): PartialLikelihood {
  const p = design.names.length;
  const score = new Float64Array(p);
  const packed = new Float64Array((p * (p + 1)) / 2);
  const logRisk = logRisks(design, beta);
  let logLikelihood = 0;
  visitRiskSets(design, logRisk, (set) => {
    for (let j = 0; j < p; j++) {
      logLikelihood += (set.leavingX[j] as number) * (beta[j] as number);
      score[j] = (score[j] as number) + (set.leavingX[j] as number);
    }
    forEachStep(set, ties, (share, risk, weight) => {
      logLikelihood -= weight * Math.log(risk);
      addMoments(set, share, risk, weight, score, packed);
    });
  });
  return { logLikelihood, score, information: unpacked(packed, p) };
}

/** Mean covariates of the risk set that a share of those who leave has left. */
function fillMean({ all, left, mean }: RiskSet, share: number, risk: number): void {
  for (let j = 0; j < mean.length; j++) {
    mean[j] = ((all.one[j] as number) - share * (left.one[j] as number)) / risk;
  }
}

/** Takes weight times the mean covariates from the score and adds weight times their covariance to the information. */
function addMoments(
  set: RiskSet,
  share: number,
  risk: number,
  weight: number,
  score: Float64Array,
  packed: Float64Array,
): void {
  fillMean(set, share, risk);
  const { mean } = set;
  const all = set.all.two;
  const left = set.left.two;
  const factor = weight / risk;
  for (let i = 0, at = 0; i < mean.length; i++) {
    const part = weight * (mean[i] as number);
    score[i] = (score[i] as number) - part;
    for (let j = 0; j <= i; j++, at++) {
      const square = (all[at] as number) - share * (left[at] as number);
      packed[at] = (packed[at] as number) + factor * square - part * (mean[j] as number);
    }
  }
}

/** Difference between the covariates of those who leave and of those at risk, and the covariance of the latter. */
export function riskSetMoments(
  set: RiskSet,
  ties: Ties,
): { readonly difference: Float64Array; readonly covariance: Float64Array } {
  const difference = set.leavingX.slice();
  const covariance = new Float64Array(set.all.two.length);
  forEachStep(set, ties, (share, risk, weight) => {
    addMoments(set, share, risk, weight, difference, covariance);
  });
  return { difference, covariance };
}

/** A symmetric matrix from its lower triangle. */
export function unpacked(packed: Float64Array, p: number): number[][] {
  return Array.from({ length: p }, (_, i) =>
    Array.from({ length: p }, (_unused, j) => {
      const [high, low] = i >= j ? [i, j] : [j, i];
      return packed[(high * (high + 1)) / 2 + low] as number;
    }),
  );
}

/** Hazard of every group of positions, for a customer with average covariates; see `hazards`. */
export interface Hazards {
  /** Cumulative hazard up to and with each group, within its stratum. */
  readonly cumulative: Float64Array;
  /** Likewise of the hazard times the mean covariates at risk, `p` numbers a group. */
  readonly cumulativeX: Float64Array;
  /** Part of the group's hazard that those who leave in it do not bear (Efron); 0 for Breslow. */
  readonly spared: Float64Array;
  /** Likewise times the mean covariates. */
  readonly sparedX: Float64Array;
  /** Mean covariates at risk at the group's events; zeros for a group without events. */
  readonly mean: Float64Array;
  /** Hazard times the chance to be uncensored, summed from the stratum's start; only for subdistribution hazards. */
  readonly cumulativeUncensored: Float64Array;
  readonly cumulativeUncensoredX: Float64Array;
}

/** Baseline hazards at scaled coefficients, by group, with what residuals need. */
export function hazards(design: RiskDesign, logRisk: Float64Array, ties: Ties): Hazards {
  const p = design.names.length;
  const groups = design.groupStart.length - 1;
  const column = (width: number): Float64Array => new Float64Array(groups * width);
  const lingers = design.lingering ? 1 : 0;
  const result: Hazards = {
    cumulative: column(1),
    cumulativeX: column(p),
    spared: column(1),
    sparedX: column(p),
    mean: column(p),
    cumulativeUncensored: column(lingers),
    cumulativeUncensoredX: column(lingers * p),
  };
  visitRiskSets(
    design,
    logRisk,
    (set) => {
      const g = set.group;
      forEachStep(set, ties, (share, risk, weight) => {
        const hazard = weight / risk;
        fillMean(set, share, risk);
        plus(result.cumulative, g, hazard);
        plus(result.spared, g, share * hazard);
        if (lingers) plus(result.cumulativeUncensored, g, set.uncensored * hazard);
        for (let j = 0; j < p; j++) {
          const mean = set.mean[j] as number;
          plus(result.mean, g * p + j, (mean * weight) / set.leavingWeight);
          plus(result.cumulativeX, g * p + j, hazard * mean);
          plus(result.sparedX, g * p + j, share * hazard * mean);
          if (lingers) plus(result.cumulativeUncensoredX, g * p + j, set.uncensored * hazard * mean);
        }
      });
    },
    { moments: 1 },
  );
  for (const [start, end] of stratumGroups(design)) {
    accumulate(result.cumulative, 1, start, end);
    accumulate(result.cumulativeX, p, start, end);
    if (lingers) {
      accumulate(result.cumulativeUncensored, 1, start, end);
      accumulate(result.cumulativeUncensoredX, p, start, end);
    }
  }
  return result;
}

const plus = (column: Float64Array, place: number, value: number): void => {
  column[place] = (column[place] as number) + value;
};

function accumulate(column: Float64Array, width: number, start: number, end: number): void {
  for (let i = (start + 1) * width; i < end * width; i++) plus(column, i, column[i - width] as number);
}

/** First group of each stratum and the group after its last. */
export function stratumGroups({
  stratumStart,
  group,
  groupStart,
}: RiskDesign): [start: number, end: number][] {
  const groups = groupStart.length - 1;
  const firstOf = (position: number): number => group[position] ?? groups;
  return Array.from({ length: stratumStart.length - 1 }, (_, s) => [
    firstOf(stratumStart[s] as number),
    firstOf(stratumStart[s + 1] as number),
  ]);
}

/** Martingale residuals and score residuals (n x p, scaled covariates) by position. */
export interface PositionResiduals {
  readonly martingale: Float64Array;
  readonly score: Float64Array;
}

/**
 * What each row contributes: events less expected events, and its share of the score.
 * @see Therneau & Grambsch (2000), Modeling Survival Data, sections 4.2, 4.6 and 7.1.
 */
export function positionResiduals(design: RiskDesign, logRisk: Float64Array, ties: Ties): PositionResiduals {
  const { size, x, event, group, entry, groupStart, lingering } = design;
  const p = design.names.length;
  const h = hazards(design, logRisk, ties);
  const groupTimes = Float64Array.from(groupStart.subarray(0, -1), (q) => design.time[q] as number);
  const martingale = new Float64Array(size);
  const score = new Float64Array(size * p);
  for (const [start, end] of stratumGroups(design)) {
    const last = end - 1;
    for (let q = groupStart[start] ?? size; q < (groupStart[end] as number); q++) {
      const g = group[q] as number;
      const before = entry ? countAtMost(groupTimes, entry[q] as number, start, end) - 1 : start - 1;
      const since = (column: Float64Array, width: number, j: number): number =>
        (column[g * width + j] as number) - (before >= start ? (column[before * width + j] as number) : 0);
      const left = event[q] as number;
      const risk = Math.exp(logRisk[q] as number);
      const lingers = lingering?.stays[q] === 1 ? 1 / (lingering.uncensored[q] as number) : 0;
      const later = (column: Float64Array, width: number, j: number): number =>
        lingers === 0
          ? 0
          : lingers * ((column[last * width + j] as number) - (column[g * width + j] as number));
      const borne =
        since(h.cumulative, 1, 0) - left * (h.spared[g] as number) + later(h.cumulativeUncensored, 1, 0);
      martingale[q] = left - risk * borne;
      for (let j = 0; j < p; j++) {
        const value = x[q * p + j] as number;
        const borneX =
          since(h.cumulativeX, p, j) -
          left * (h.sparedX[g * p + j] as number) +
          later(h.cumulativeUncensoredX, p, j);
        score[q * p + j] = left * (value - (h.mean[g * p + j] as number)) - risk * (value * borne - borneX);
      }
    }
  }
  return { martingale, score };
}
