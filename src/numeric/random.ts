import { requireWhole } from "../core/arguments.js";
/**
 * A seeded source of random numbers. It is a value that is passed on, never a global: the same seed gives the same
 * numbers on every machine, because only 32-bit integer arithmetic is used.
 */
export interface Random {
  /** The next 32 random bits as an integer from 0 to 2^32 - 1. */
  uint32(): number;
  /** A number in [0, 1) with 53 random bits. */
  uniform(): number;
  /**
   * An independent source for one part of the work, named by a text or a number: `random.stream("spend")`.
   * It depends on the seed and the names alone, not on how many numbers were drawn before.
   */
  stream(name: string | number): Random;
}

/**
 * Random source of a seed: xoshiro128** (period 2^128 - 1), its state filled from the seed by splitmix32.
 * @throws RangeError if the seed is not a whole number from 0 to 2^32 - 1.
 * @see Blackman & Vigna (2021), Scrambled Linear Pseudorandom Number Generators, ACM TOMS 47(4).
 */
export function randomSource(seed: number): Random {
  requireWhole("seed", seed, 0, 0xffff_ffff);
  return sourceOf(seedHash(seed));
}

/** xoshiro128** from an explicit state of four 32-bit words; for tests against the published sequence. */
export function xoshiro128(state: readonly [number, number, number, number]): () => number {
  let [s0, s1, s2, s3] = state;
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
    const t = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= t;
    s3 = rotateLeft(s3, 11);
    return result;
  };
}

/** Two 32-bit words that identify a stream; a name is mixed in to get a stream of it. */
interface StreamId {
  readonly high: number;
  readonly low: number;
}

function sourceOf(id: StreamId): Random {
  const first = splitmix32(id.high);
  const second = splitmix32(id.low);
  const uint32 = xoshiro128([first(), second(), first() ^ second(), second() | 1]); // never all zero
  return Object.freeze({
    uint32,
    uniform: () => ((uint32() >>> 5) * 0x400_0000 + (uint32() >>> 6)) / 0x20_0000_0000_0000,
    stream: (name: string | number) => sourceOf(nameHash(id, name)),
  });
}

const seedHash = (seed: number): StreamId => ({
  high: mix(seed ^ 0x9e37_79b9),
  low: mix(seed ^ 0x85eb_ca6b),
});

/** Hash of a stream and a name under it, FNV-like over the characters with a full mix of each. */
function nameHash(id: StreamId, name: string | number): StreamId {
  const text = typeof name === "number" ? `#${name}` : name;
  let { high, low } = id;
  for (let i = 0; i < text.length; i++) {
    high = mix(high ^ text.charCodeAt(i));
    low = mix(Math.imul(low, 0x0100_0193) ^ (text.charCodeAt(i) + 0x9e37));
  }
  return { high: mix(high ^ text.length), low: mix(low + high) };
}

/** Finaliser of MurmurHash3: every input bit changes every output bit with probability near one half. */
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e37_79b9) | 0;
    return mix(state);
  };
}

const rotateLeft = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));
