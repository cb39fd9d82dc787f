import { expect, it } from "vitest";
import { survivorsByCohort } from "../../src/clv/cohort-survivors.js";
import { fitShiftedBetaGeometric } from "../../src/clv/shifted-beta-geometric.js";

it("gives the published survivors back from single customers", () => {
  // Fader & Hardie (2007), High End: 1,000 customers, years 0-7.
  const survivors = [1000, 869, 743, 653, 593, 551, 517, 491];
  const ended = survivors.flatMap((alive, year) => {
    const next = survivors[year + 1];
    return next === undefined
      ? new Array<null>(alive).fill(null)
      : new Array<number>(alive - next).fill(year + 1);
  });
  const started = new Array<number>(1000).fill(0);
  expect(survivorsByCohort(started, ended, 7)).toEqual([survivors]);
  const fit = fitShiftedBetaGeometric(survivorsByCohort(started, ended, 7));
  expect(fit.parameters.alpha).toBeCloseTo(0.668, 3);
});

it("keeps cohorts apart, of different lengths, and leaves out those without a renewal due", () => {
  expect(survivorsByCohort([5, 3, 3, 7, 5], [null, 5, null, null, 6], 7)).toEqual([
    [2, 2, 1, 1, 1],
    [2, 1, 1],
  ]);
});

it("names the row that is not possible", () => {
  expect(() => survivorsByCohort([8], [null], 7)).toThrow(
    "started in row 0 must be a whole number up to 7, got 8",
  );
  expect(() => survivorsByCohort([1, 4], [null, 4], 7)).toThrow(
    "ended in row 1 must be after the start 4, got 4",
  );
  expect(() => survivorsByCohort([1], [], 7)).toThrow("ended must have as many rows as started, 1, got 0");
  expect(() => survivorsByCohort([7], [null], 7)).toThrow("no cohort has had a renewal due up to 7");
});
