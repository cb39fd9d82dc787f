import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Random, randomSource, xoshiro128 } from "../../src/numeric/random.js";

const draw = (random: Random, n: number): number[] => Array.from({ length: n }, () => random.uint32());

describe("xoshiro128**", () => {
  it("reproduces the published sequence from state 1, 2, 3, 4", () => {
    // Blackman & Vigna, xoshiro128starstar.c; the vector that rand_xoshiro 0.7 (Rust) pins.
    const next = xoshiro128([1, 2, 3, 4]);
    expect(Array.from({ length: 10 }, next)).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });
});

describe("randomSource", () => {
  it("gives the same numbers for the same seed, today and on every machine", () => {
    expect(draw(randomSource(42), 3)).toEqual(draw(randomSource(42), 3));
    expect(draw(randomSource(42), 3)).toMatchInlineSnapshot(`
      [
        3620498165,
        3539273157,
        1795397597,
      ]
    `);
    expect(draw(randomSource(42).stream("customer").stream(7), 3)).toMatchInlineSnapshot(`
      [
        367602563,
        1988158371,
        1583962993,
      ]
    `);
  });

  it("has streams that depend on seed and name alone, not on what was drawn before", () => {
    const random = randomSource(1);
    const before = draw(random.stream("spend"), 5);
    draw(random, 1000);
    expect(draw(random.stream("spend"), 5)).toEqual(before);
  });

  it("has different streams for different names, numbers and seeds", () => {
    fc.assert(
      fc.property(fc.nat(0xffff), fc.nat(10_000), fc.nat(10_000), (seed, a, b) => {
        fc.pre(a !== b);
        const random = randomSource(seed);
        const first = draw(random.stream(a), 2);
        expect(draw(random.stream(b), 2)).not.toEqual(first);
        expect(draw(randomSource(seed + 1).stream(a), 2)).not.toEqual(first);
        expect(draw(random.stream(String(a)), 2)).not.toEqual(first);
        expect(draw(random.stream(a).stream(b), 2)).not.toEqual(draw(random.stream(b).stream(a), 2));
      }),
      { seed: 7, numRuns: 500 },
    );
  });

  it("has no equal first numbers among 100,000 neighbouring streams, beyond chance", () => {
    const random = randomSource(3).stream("customer");
    const firsts = new Set<string>();
    for (let i = 0; i < 100_000; i++) firsts.add(draw(random.stream(i), 2).join());
    expect(firsts.size).toBe(100_000); // 64 bits: chance 3e-10 of one collision
  });

  it("is uniform: along a stream and across the first numbers of streams", () => {
    const along = randomSource(5);
    const across = randomSource(5);
    const cells = 100;
    const n = 200_000;
    const counts = [new Float64Array(cells), new Float64Array(cells)];
    for (let i = 0; i < n; i++) {
      count(counts[0], along.uniform());
      count(counts[1], across.stream(i).uniform());
    }
    for (const observed of counts) {
      const chiSquare = observed.reduce((sum, o) => sum + (o - n / cells) ** 2 / (n / cells), 0);
      expect(chiSquare).toBeGreaterThan(51); // 99 degrees of freedom: 0.00001 and 0.99999 quantiles
      expect(chiSquare).toBeLessThan(168);
    }
    function count(cellCounts: Float64Array | undefined, u: number): void {
      if (cellCounts) cellCounts[Math.floor(u * cells)] = (cellCounts[Math.floor(u * cells)] ?? 0) + 1;
    }
  });

  it("draws in [0, 1) with 53 bits", () => {
    const random = randomSource(9);
    let usesLowBits = false;
    for (let i = 0; i < 1000; i++) {
      const u = random.uniform();
      expect(u).toBeGreaterThanOrEqual(0);
      expect(u).toBeLessThan(1);
      expect(Number.isInteger(u * 2 ** 53)).toBe(true);
      usesLowBits ||= (u * 2 ** 53) % 2 === 1;
    }
    expect(usesLowBits).toBe(true);
  });

  it.each([-1, 1.5, 2 ** 32, Number.NaN])("refuses the seed %d", (seed) => {
    expect(() => randomSource(seed)).toThrow(`seed must be a whole number from 0 to 4294967295, got ${seed}`);
  });

  it("takes the smallest and the largest seed", () => {
    expect(draw(randomSource(0), 4)).not.toEqual(draw(randomSource(0xffff_ffff), 4));
    expect(draw(randomSource(0), 4).every((bits) => bits === 0)).toBe(false);
  });
});
