import cephes from "cephes";
import * as rmath from "lib-r-math.js";
import { beforeAll, describe, expect, it } from "vitest";
import { type Random, randomSource } from "../../src/numeric/random.js";
import {
  digamma,
  logBeta,
  logGamma,
  logHypergeometric2F1,
  normalQuantile,
  regularisedBeta,
  regularisedGamma,
  trigamma,
} from "../../src/numeric/special.js";

/*
 * Our special functions beside two libraries that share no code with them: Moshier's cephes, compiled to WebAssembly, and
 * the port of R's mathematics to JavaScript. Each bound is the largest difference found over 10,000 seeded points, rounded
 * up. At the worst points 60-digit arithmetic (mpmath 1.3) was asked who is right: the second part holds its values. Only
 * in the tail of regularisedGamma (values from 1e-121 up) is the larger part of a difference ours, 2e-14.
 */
beforeAll(() => cephes.compiled);

const POINTS = 10_000;

/** A number from 10^low to 10^high, evenly spread over the exponents. */
const magnitude = (random: Random, low: number, high: number): number =>
  10 ** (low + (high - low) * random.uniform());

/** Largest difference over random points, relative to the value or, where `floor` is larger, to that. */
function largestDifference<Point extends number[]>(
  draw: (random: Random) => Point,
  ours: (...point: Point) => number,
  theirs: (...point: Point) => number,
  floor = 0,
): number {
  const random = randomSource(7);
  let largest = 0;
  for (let k = 0; k < POINTS; k++) {
    const point = draw(random);
    const expected = theirs(...point);
    const difference = Math.abs(ours(...point) - expected) / Math.max(Math.abs(expected), floor);
    if (!(difference <= largest)) largest = difference; // NaN too
    if (Number.isNaN(difference)) throw new Error(`no number at ${point.join(", ")}`);
  }
  return largest;
}

type One = [number];
type Two = [number, number];
type Three = [number, number, number];
type Four = [number, number, number, number];

const wide = (random: Random): One => [magnitude(random, -8, 8)];
const pair =
  (low: number, high: number) =>
  (random: Random): Two => [magnitude(random, low, high), magnitude(random, low, high)];
/** Shape up to 10^high, and x from a fifth of it to three times it. */
const shapeAndNumber =
  (high: number) =>
  (random: Random): Two => {
    const shape = magnitude(random, -2, high);
    return [shape, shape * (0.2 + 2.8 * random.uniform())];
  };
const shareAndShapes = (random: Random): Three => [
  random.uniform(),
  magnitude(random, -1, 2),
  magnitude(random, -1, 2),
];
const probability = (random: Random): One => [
  random.uniform() < 0.5 ? random.uniform() : magnitude(random, -300, -1),
];
const hypergeometric = (random: Random): Four => [
  magnitude(random, -1.5, 1.5),
  magnitude(random, -1.5, 1.5),
  magnitude(random, -1.5, 1.5),
  random.uniform(),
];

describe("largest difference over 10,000 points", () => {
  it.each([
    ["cephes", cephes.lgam],
    ["lib-r-math.js", rmath.lgamma],
  ] as const)("logGamma, x from 1e-8 to 1e8, %s: 6e-16 of max(|value|, 1)", (_, theirs) => {
    expect(largestDifference(wide, logGamma, theirs, 1)).toBeLessThan(6e-16);
    // both lose relative digits at the zeros 1 and 2
    expect(largestDifference(wide, logGamma, theirs)).toBeLessThan(1e-12);
  });

  it.each([
    ["cephes", 2e-15, cephes.psi],
    ["lib-r-math.js", 5e-14, rmath.digamma],
  ] as const)("digamma, x from 1e-8 to 1e8, %s: %d of max(|value|, 1)", (_, bound, theirs) => {
    expect(largestDifference(wide, digamma, theirs, 1)).toBeLessThan(bound);
  });

  it.each([
    ["cephes (Hurwitz's zeta)", 2e-15, (x: number) => cephes.zeta(2, x)],
    ["lib-r-math.js", 2e-12, rmath.trigamma],
  ] as const)("trigamma, x from 1e-8 to 1e8, %s: %d", (_, bound, theirs) => {
    expect(largestDifference(wide, trigamma, theirs)).toBeLessThan(bound);
  });

  it.each([
    ["cephes", 1.5, 1e-14, cephes.lbeta], // above, cephes takes the difference of large numbers
    ["lib-r-math.js", 9, 1e-14, rmath.lbeta],
  ] as const)("logBeta, %s, a and b from 1e-3 to 10^%d: %d of max(|value|, 1)", (_, high, bound, theirs) => {
    expect(largestDifference(pair(-3, high), logBeta, theirs, 1)).toBeLessThan(bound);
  });

  it("regularisedBeta, a and b from 0.1 to 100, cephes: 5e-13", () => {
    const theirs = (x: number, a: number, b: number): number => cephes.incbet(a, b, x);
    expect(largestDifference(shareAndShapes, regularisedBeta, theirs)).toBeLessThan(5e-13);
  });

  it.each([
    ["cephes", 2, 2e-13, cephes.igam],
    ["lib-r-math.js", 2, 5e-14, (a: number, x: number) => rmath.pgamma(x, a)],
    ["lib-r-math.js", 2.9, 4e-13, (a: number, x: number) => rmath.pgamma(x, a)],
  ] as const)("regularisedGamma, %s, a from 0.01 to 10^%d, %d", (_, high, bound, theirs) => {
    expect(largestDifference(shapeAndNumber(high), regularisedGamma, theirs)).toBeLessThan(bound);
  });

  it("logHypergeometric2F1, a, b and c from 0.03 to 30, z from 0 to 1, cephes: 3e-14 of max(|value|, 1)", () => {
    const theirs = (...[a, b, c, z]: Four): number => Math.log(cephes.hyp2f1(a, b, c, z));
    expect(largestDifference(hypergeometric, logHypergeometric2F1, theirs, 1)).toBeLessThan(3e-14);
  });

  it.each([
    ["cephes", 1.5e-15, cephes.ndtri],
    ["lib-r-math.js", 5e-16, (p: number) => rmath.qnorm(p)],
  ] as const)("normalQuantile, p from 1e-300 to 1, %s: %d", (_, bound, theirs) => {
    expect(largestDifference(probability, normalQuantile, theirs)).toBeLessThan(bound);
  });
});

describe("where they differ more, 60-digit arithmetic is with us", () => {
  const off = (value: number, truth: number): number => Math.abs(value / truth - 1);

  it.each([
    [1.9976305515812562, -0.0009999543555582403, cephes.lgam],
    [2.00143034202703, 0.0006053857341646391, rmath.lgamma],
  ])("logGamma(%d), beside a zero", (x, truth, theirs) => {
    expect(off(logGamma(x), truth)).toBeLessThan(3e-16);
    expect(off(theirs(x), truth)).toBeGreaterThan(1e-13);
  });

  it("digamma and trigamma", () => {
    expect(off(digamma(2.0011141408651802), 0.42350263179625763)).toBeLessThan(3e-16);
    expect(off(trigamma(5.022910485177592), 0.2202107548835392)).toBeLessThan(3e-16);
    expect(off(rmath.trigamma(5.022910485177592), 0.2202107548835392)).toBeGreaterThan(9e-13);
  });

  it("logBeta(945556, 0.113): cephes loses half its digits", () => {
    const [a, b, truth] = [945556.3531244524, 0.11300867178145257, 0.5700803721114123];
    expect(off(logBeta(a, b), truth)).toBeLessThan(1e-15);
    expect(off(cephes.lbeta(a, b), truth)).toBeGreaterThan(1e-9);
  });

  it.each([
    [0.8583635057242422, 2.479796065283124, 0.26777629520348545, 0.23123694608829637],
    [0.849168825141467, 317.5566616360331, 54.05470204975516, 0.3724958855405768],
    [0.9977285327452776, 0.18755071219323285, 0.011868037968515396, 0.12223306974590552],
    [0.017325533917641023, 1.2112583572145796, 68.35780260912694, 0.6153547625689199],
  ])("regularisedBeta(%d, %d, %d): the port of R is off by more than 1e-9", (x, a, b, truth) => {
    expect(off(regularisedBeta(x, a, b), truth)).toBeLessThan(1e-14);
    expect(off(cephes.incbet(a, b, x), truth)).toBeLessThan(1e-12);
    expect(off(rmath.pbeta(x, a, b), truth)).toBeGreaterThan(1e-9);
  });

  it("regularisedBeta and regularisedGamma in far tails", () => {
    const [x, a, b] = [0.7956888141730064, 171.00303069092786, 0.021489575592463117];
    expect(off(regularisedBeta(x, a, b), 6.994716829779999e-21)).toBeLessThan(2e-14);
    expect(cephes.incbet(a, b, x)).toBe(0);
    expect(off(regularisedGamma(94.2953472967242, 29.130606487278342), 9.28240889738651e-22)).toBeLessThan(
      1e-14,
    );
    expect(
      off(regularisedGamma(525.6391576620357, 154.21150425417585), 5.7500220750169566e-121),
    ).toBeLessThan(1e-13);
  });

  it("logHypergeometric2F1 close to 0, where cephes has only the digits of a number close to 1", () => {
    const point: Four = [0.03625754854578125, 0.41799070917800724, 22.963517253920003, 0.004365807898174867];
    expect(off(logHypergeometric2F1(...point), 2.881700208021975e-6)).toBeLessThan(1e-15);
    expect(off(Math.log(cephes.hyp2f1(...point)), 2.881700208021975e-6)).toBeGreaterThan(1e-11);
  });
});
