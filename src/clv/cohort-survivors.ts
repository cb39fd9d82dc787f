import { DataError } from "../core/errors.js";

/**
 * Survivors of the cohorts of a contract: for each period of start, customers alive after 0, 1, 2, … renewals due, up to
 * the last period, as `fitShiftedBetaGeometric` takes them. Periods are whole numbers, such as year * 12 + month; the
 * period of the end is the one of the renewal that was not made, null while the contract runs. Cohorts by rising start;
 * those that no renewal was due for yet are left out.
 * @throws DataError if a row has no start or end that is possible (it names the row, from 0), or no cohort is left.
 * @see Fader & Hardie (2007), How to Project Customer Retention, J. Interactive Marketing 21(1).
 */
export function survivorsByCohort(
  started: ArrayLike<number>,
  ended: ArrayLike<number | null>,
  lastPeriod: number,
): number[][] {
  if (ended.length !== started.length) {
    throw new DataError(`ended must have as many rows as started, ${started.length}, got ${ended.length}`);
  }
  const cohorts = new Map<number, number[]>();
  for (let row = 0; row < started.length; row++) {
    const start = started[row] as number;
    const end = ended[row] ?? Number.POSITIVE_INFINITY;
    if (!(Number.isSafeInteger(start) && start <= lastPeriod)) {
      throw new DataError(`started in row ${row} must be a whole number up to ${lastPeriod}, got ${start}`);
    }
    if (!(end > start))
      throw new DataError(`ended in row ${row} must be after the start ${start}, got ${end}`);
    const survivors = cohorts.get(start) ?? new Array<number>(lastPeriod - start + 1).fill(0);
    for (let renewals = 0; renewals < survivors.length && start + renewals < end; renewals++) {
      survivors[renewals] = (survivors[renewals] as number) + 1;
    }
    cohorts.set(start, survivors);
  }
  const observed = [...cohorts]
    .sort(([one], [other]) => one - other)
    .map(([, survivors]) => survivors)
    .filter(({ length }) => length > 1);
  if (observed.length === 0) throw new DataError(`no cohort has had a renewal due up to ${lastPeriod}`);
  return observed;
}
