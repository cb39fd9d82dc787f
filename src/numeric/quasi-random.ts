import { requireWhole } from "../core/arguments.js";
import type { Random } from "./random.js";

/**
 * Sobol's sequence from dimension 2 on: the primitive polynomial as a binary number, then the direction numbers to start
 * from. Dimension 1 is van der Corput's sequence.
 * @see Joe & Kuo (2008), Constructing Sobol Sequences with Better Two-Dimensional Projections, SIAM J. Sci. Comput. 30(5),
 * file new-joe-kuo-6.
 */
const DIRECTIONS: readonly (readonly number[])[] = [
  [3, 1],
  [7, 1, 3],
  [11, 1, 3, 1],
  [13, 1, 1, 1],
  [19, 1, 1, 3, 3],
  [25, 1, 3, 5, 13],
  [37, 1, 1, 5, 5, 17],
  [41, 1, 1, 5, 5, 5],
  [47, 1, 1, 7, 11, 19],
  [55, 1, 1, 5, 1, 1],
  [59, 1, 1, 1, 3, 11],
  [61, 1, 3, 5, 5, 31],
  [67, 1, 3, 3, 9, 7, 49],
  [91, 1, 1, 1, 15, 21, 21],
  [97, 1, 3, 1, 13, 27, 49],
  [103, 1, 1, 1, 15, 7, 5],
  [109, 1, 3, 1, 15, 13, 25],
  [115, 1, 1, 5, 5, 19, 61],
  [131, 1, 3, 7, 11, 23, 15, 103],
  [137, 1, 3, 7, 13, 13, 15, 69],
  [143, 1, 1, 3, 13, 7, 35, 63],
  [145, 1, 3, 5, 9, 1, 25, 53],
  [157, 1, 3, 1, 13, 9, 35, 107],
  [167, 1, 3, 1, 5, 27, 61, 31],
  [171, 1, 1, 5, 11, 19, 41, 61],
  [185, 1, 3, 5, 3, 3, 13, 69],
  [191, 1, 1, 7, 13, 1, 19, 1],
  [193, 1, 3, 7, 5, 13, 19, 59],
  [203, 1, 1, 3, 9, 25, 29, 41],
  [211, 1, 3, 5, 13, 23, 1, 55],
  [213, 1, 3, 7, 3, 13, 59, 17],
  [229, 1, 3, 1, 3, 5, 53, 69],
  [239, 1, 1, 5, 5, 23, 33, 13],
  [241, 1, 1, 7, 7, 1, 61, 123],
  [247, 1, 1, 7, 9, 13, 61, 49],
  [253, 1, 3, 3, 5, 3, 55, 33],
  [285, 1, 3, 1, 15, 31, 13, 49, 245],
  [299, 1, 3, 5, 15, 31, 59, 63, 97],
  [301, 1, 3, 1, 11, 11, 11, 77, 249],
  [333, 1, 3, 1, 11, 27, 43, 71, 9],
  [351, 1, 1, 7, 15, 21, 11, 81, 45],
  [355, 1, 3, 7, 3, 25, 31, 65, 79],
  [357, 1, 3, 1, 1, 19, 11, 3, 205],
  [361, 1, 1, 5, 9, 19, 21, 29, 157],
  [369, 1, 3, 7, 11, 1, 33, 89, 185],
  [391, 1, 3, 3, 3, 15, 9, 79, 71],
  [397, 1, 3, 7, 11, 15, 39, 119, 27],
  [425, 1, 1, 3, 1, 11, 31, 97, 225],
  [451, 1, 1, 1, 3, 23, 43, 57, 177],
  [463, 1, 3, 7, 7, 17, 17, 37, 71],
  [487, 1, 3, 1, 5, 27, 63, 123, 213],
];

/** Largest number of dimensions of Sobol's sequence here. */
export const SOBOL_DIMENSIONS = DIRECTIONS.length + 1;

const BITS = 32;

/**
 * Points of Sobol's sequence from the first, the origin, on, in the order of Gray's code: one column of numbers in [0, 1) for
 * each dimension. The first 2^m points have exactly one in each of the 2^m equal parts of every axis.
 * @throws RangeError if count is not a whole number from 1 to 2^31, or dimensions not one from 1 to 52.
 * @see Antonov & Saleev (1979), An Economic Method of Computing LP-tau Sequences; Joe & Kuo (2008).
 */
export function sobolPoints(count: number, dimensions: number): Float64Array[] {
  requireWhole("count", count, 1, 2 ** 31);
  requireWhole("dimensions", dimensions, 1, SOBOL_DIMENSIONS);
  return Array.from({ length: dimensions }, (_, dimension) => {
    const direction = directionsOf(dimension);
    const column = new Float64Array(count);
    let bits = 0;
    for (let point = 1; point < count; point++) {
      bits ^= direction[31 - Math.clz32(point & -point)] as number; // the lowest bit of the point's number
      column[point] = (bits >>> 0) / 2 ** BITS;
    }
    return column;
  });
}

/** Direction numbers as binary fractions of 32 digits, by the recurrence of the primitive polynomial. */
function directionsOf(dimension: number): Uint32Array {
  const direction = new Uint32Array(BITS);
  const [polynomial = 1, ...start] = dimension === 0 ? [] : (DIRECTIONS[dimension - 1] as number[]);
  const degree = start.length;
  for (let k = 0; k < BITS; k++) {
    if (k < degree || degree === 0) {
      direction[k] = (start[k] ?? 1) << (BITS - 1 - k);
      continue;
    }
    const before = direction[k - degree] as number;
    let bits = before ^ (before >>> degree);
    for (let j = 1; j < degree; j++)
      if ((polynomial >>> (degree - j)) & 1) bits ^= direction[k - j] as number;
    direction[k] = bits;
  }
  return direction;
}

/** Random versions of the first points of Sobol's sequence, one after the other. */
export type ScrambledSobol = (random: Random, columns: readonly Float64Array[]) => void;

/**
 * Owen's nested uniform scrambling of the first points of Sobol's sequence. The result is a function that fills columns, one
 * a dimension, with numbers strictly between 0 and 1; each call is a new scrambling, independent of the others if its
 * random source is. Every number is uniform, and the points stay as even as before, so that means of smooth functions over
 * them have errors far below those of independent draws. Powers of two are the most even counts.
 * @throws RangeError if count is not a whole number from 1 to 2^20, or dimensions not one from 1 to 52.
 * @see Owen (1995), Randomly Permuted (t,m,s)-Nets and (t,s)-Sequences; Owen (1997), SIAM J. Numer. Anal. 34(5).
 */
export function scrambledSobol(count: number, dimensions: number): ScrambledSobol {
  requireWhole("count", count, 1, 2 ** 20);
  const depth = Math.ceil(Math.log2(count));
  const parts = 2 ** depth;
  // No two points share their first `depth` digits: below those, scrambled digits are independent of everything.
  const places = sobolPoints(count, dimensions).map((column) => Uint32Array.from(column, (x) => x * parts));
  const scrambled = new Uint32Array(parts);
  return (random, columns) => {
    for (const [dimension, place] of places.entries()) {
      scramble(random, scrambled, depth);
      const column = columns[dimension] as Float64Array;
      for (let point = 0; point < count; point++) {
        const within = (random.uint32() + 0.5) / 2 ** 32;
        column[point] = ((scrambled[place[point] as number] as number) + within) / parts;
      }
    }
  };
}

/** A random permutation of 0 ... 2^depth - 1 in which each binary digit is flipped or not by all digits before it. */
function scramble(random: Random, permutation: Uint32Array, depth: number): void {
  let coins = 0;
  let left = 0;
  permutation[0] = 0;
  for (let digit = 0; digit < depth; digit++) {
    // From the last prefix back, so that its two children do not overwrite prefixes still to come.
    for (let prefix = 2 ** digit - 1; prefix >= 0; prefix--) {
      if (left === 0) {
        coins = random.uint32();
        left = 32;
      }
      const flip = coins & 1;
      coins >>>= 1;
      left--;
      const image = 2 * (permutation[prefix] as number);
      permutation[2 * prefix] = image + flip;
      permutation[2 * prefix + 1] = image + 1 - flip;
    }
  }
}

/**
 * Points of Halton's sequence, one column of numbers in (0, 1) for each dimension: the radical inverse of the point's number in
 * the dimension's prime. Beyond some ten dimensions its points are far from even: use Sobol's.
 * @param first Number of the first point; 1 unless given, as point 0 is the origin.
 * @throws RangeError if count or first is not a whole number from 1 up, or dimensions not one from 1 to 52.
 * @see Halton (1960), Numerische Mathematik 2; Train (2009), Discrete Choice Methods with Simulation, 2nd ed., section 9.3.3.
 */
export function haltonPoints(count: number, dimensions: number, first = 1): Float64Array[] {
  requireWhole("count", count, 1, 2 ** 31);
  requireWhole("first", first, 1, 2 ** 31);
  requireWhole("dimensions", dimensions, 1, SOBOL_DIMENSIONS);
  return primes(dimensions).map((prime) =>
    Float64Array.from({ length: count }, (_, point) => radicalInverse(first + point, prime)),
  );
}

/** The digits of a number in some base, mirrored at the point: 6 = 110 in base 2 gives 0.011 = 0.375. */
function radicalInverse(number: number, base: number): number {
  let mirrored = 0;
  let scale = 1;
  for (let rest = number; rest > 0; rest = Math.floor(rest / base)) {
    mirrored = mirrored * base + (rest % base);
    scale *= base;
  }
  return mirrored / scale;
}

function primes(count: number): number[] {
  const found: number[] = [];
  for (let number = 2; found.length < count; number++)
    if (found.every((prime) => number % prime !== 0)) found.push(number);
  return found;
}
