import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Random, randomSource } from "../../src/numeric/random.js";
import { drawNormal } from "../../src/numeric/sampling.js";
import type { Market } from "../../src/tradeoff/market.js";
import { marketValue } from "../../src/tradeoff/market-response.js";
import { linearAttribute, type PartWorths } from "../../src/tradeoff/part-worths.js";
import {
  type LineCandidate,
  type LineObjective,
  type LineProblem,
  type LineRule,
  type LineSearchOptions,
  productLineFrontier,
  searchProductLine,
} from "../../src/tradeoff/product-line.js";
import { simulateMarket } from "../../src/tradeoff/simulator.js";

const names = ["a", "b", "c", "d"];

function people(n: number, random: Random): PartWorths {
  return {
    names,
    respondents: Array.from({ length: n }, (_, who) => who),
    values: Array.from({ length: n }, () => Float64Array.from(names, () => 1.5 * drawNormal(random))),
  };
}

function goods(prefix: string, n: number, random: Random): Market {
  const prices = Array.from({ length: n }, () => 5 + 5 * random.uniform());
  return {
    products: Array.from({ length: n }, (_, j) => `${prefix}${j + 1}`),
    attributes: Object.fromEntries(
      names.map((name) => [name, Array.from({ length: n }, () => Math.floor(3 * random.uniform()))]),
    ),
    prices,
    unitCosts: prices.map((price) => price * (0.3 + 0.4 * random.uniform())),
  };
}

function world(seed: number, candidates = 9): { partWorths: PartWorths; problem: LineProblem } {
  const random = randomSource(seed);
  return {
    partWorths: people(40, random),
    problem: {
      candidates: goods("c", candidates, random),
      competitors: goods("r", 2, random),
      marketSize: 1000,
      fixedCost: 20,
    },
  };
}

/** The candidates of a line together with its rivals, as a market for the simulator. */
function marketWith({ candidates, competitors }: LineProblem, line: readonly string[]): Market {
  const places = line.map((name) => candidates.products.indexOf(name));
  const rivals = competitors as Market;
  const join = (own: ArrayLike<number>, other: ArrayLike<number>) => [
    ...places.map((j) => own[j] as number),
    ...Array.from(other),
  ];
  return {
    products: [...line, ...rivals.products],
    attributes: Object.fromEntries(
      names.map((name) => [name, join(candidates.attributes[name] ?? [], rivals.attributes[name] ?? [])]),
    ),
    prices: join(candidates.prices ?? [], rivals.prices ?? []),
    unitCosts: join(candidates.unitCosts ?? [], rivals.unitCosts ?? []),
  };
}

/** Every choice of k out of the names. */
const subsets = (of: readonly string[], k: number): string[][] =>
  k === 0
    ? [[]]
    : of.flatMap((name, place) => subsets(of.slice(place + 1), k - 1).map((rest) => [name, ...rest]));

describe("exhaustive search", () => {
  it("finds the best of all lines as the simulator values them, for every objective and rule", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.constantFrom<LineObjective>("share", "revenue", "profit"),
        fc.constantFrom("first choice" as const, "share of preference" as const),
        (seed, objective, rule) => {
          const { partWorths, problem } = world(seed, 6);
          const weights = partWorths.respondents.map((_, who) => who % 3);
          const values = subsets(problem.candidates.products, 3).map((line) => {
            const market = marketWith(problem, line);
            const simulation = simulateMarket(partWorths, market, { rule, weights });
            if (objective === "share")
              return simulation.shares.slice(0, 3).reduce((sum, { share }) => sum + share, 0);
            const rows = marketValue(simulation, market, { marketSize: 1000 }).slice(0, 3);
            return rows.reduce((sum, row) => sum + row[objective], objective === "profit" ? -60 : 0);
          });
          const found = searchProductLine(
            partWorths,
            { ...problem, objective, rule, weights },
            { size: 3, search: "exhaustive" },
          );
          expect(found.value).toBeCloseTo(Math.max(...values), 8);
          expect(found.evaluated).toBe(20);
          const best = marketWith(
            problem,
            found.products.map(({ product }) => product),
          );
          const own = simulateMarket(partWorths, best, { rule, weights }).shares;
          for (const [place, { share }] of found.products.entries())
            expect(share).toBeCloseTo(own[place]?.share as number, 12);
          const key = objective === "share" ? found.share : (found[objective] as number);
          expect(key).toBeCloseTo(found.value, 8);
        },
      ),
      { seed: 1, numRuns: 60 },
    );
  });

  it("reports what each product takes from the rest of its line", () => {
    const { partWorths, problem } = world(5);
    const { products, share } = searchProductLine(partWorths, problem, { size: 3, search: "exhaustive" });
    for (const { product, incremental, cannibalised, share: own } of products) {
      const rest = products.flatMap((other) => (other.product === product ? [] : [other.product]));
      const without = simulateMarket(partWorths, marketWith(problem, rest)).shares.slice(0, 2);
      const left = without.reduce((sum, one) => sum + one.share, 0);
      expect(incremental).toBeCloseTo(share - left, 12);
      expect(cannibalised).toBeCloseTo(1 - (share - left) / own, 10);
      expect(cannibalised).toBeGreaterThan(0);
      expect(cannibalised).toBeLessThan(1);
    }
    const [single] = searchProductLine(partWorths, problem, { size: 1, starts: 0 }).products;
    expect(single?.cannibalised).toBeCloseTo(0, 12);
  });

  it("splits ties of first choice between the line and its rivals", () => {
    const alike = { products: ["x"], attributes: { a: [1] } };
    const found = searchProductLine(
      { names: ["a"], respondents: [1], values: [Float64Array.of(2)] },
      {
        candidates: { products: ["p", "q", "worse"], attributes: { a: [1, 1, 0] } },
        competitors: alike,
        rule: "first choice",
        objective: "share",
      },
      { size: 2, search: "exhaustive" },
    );
    expect(found.products.map(({ product, share }) => [product, share])).toEqual([
      ["p", 1 / 3],
      ["q", 1 / 3],
    ]);
  });
});

describe("heuristic searches", () => {
  const searches: LineSearchOptions["search"][] = ["exchange", "genetic"];

  it.each(searches)("%s finds the exhaustive optimum of small cases", (search) => {
    for (let seed = 1; seed <= 40; seed++) {
      const { partWorths, problem } = world(seed, 12);
      const rule = seed % 2 === 0 ? ("first choice" as const) : ("share of preference" as const);
      const best = searchProductLine(partWorths, { ...problem, rule }, { size: 4, search: "exhaustive" });
      const found = searchProductLine(
        partWorths,
        { ...problem, rule },
        { size: 4, ...(search ? { search } : {}), random: randomSource(seed) },
      );
      expect(found.value).toBeCloseTo(best.value, 8);
      expect(found.products).toEqual(best.products);
    }
  });

  it("greedy is never better than exchange, nor exchange than exhaustive, and all say how much they tried", () => {
    for (let seed = 50; seed < 80; seed++) {
      const { partWorths, problem } = world(seed, 11);
      const of = (search: "greedy" | "exchange" | "exhaustive") =>
        searchProductLine(
          partWorths,
          { ...problem, rule: "first choice" },
          { size: 4, search, random: randomSource(1) },
        );
      const [greedy, exchange, all] = [of("greedy"), of("exchange"), of("exhaustive")];
      expect(greedy.value).toBeLessThanOrEqual(exchange.value + 1e-9);
      expect(exchange.value).toBeLessThanOrEqual(all.value + 1e-9);
      expect(greedy.evaluated).toBe(11 + 10 + 9 + 8);
      expect(all.evaluated).toBe(330);
    }
  });

  it("keep what must be kept, and are the same for a seed", () => {
    const { partWorths, problem } = world(3, 12);
    for (const search of ["exhaustive", "greedy", "exchange", "genetic"] as const) {
      const of = () =>
        searchProductLine(
          partWorths,
          { ...problem, kept: ["c7", "c2"] },
          { size: 4, search, random: randomSource(4) },
        );
      const found = of();
      expect(found.products.map(({ product }) => product)).toEqual(expect.arrayContaining(["c2", "c7"]));
      expect(found.products).toHaveLength(4);
      expect(of()).toEqual(found);
    }
  });
});

describe("frontier", () => {
  it("has the best line of every size: shares rise, and profit peaks where a product more costs too much", () => {
    const { partWorths, problem } = world(8);
    const share = productLineFrontier(
      partWorths,
      { ...problem, objective: "share" },
      { size: 9, search: "exhaustive" },
    );
    const values = share.lines.map(({ value }) => value);
    for (const [place, value] of values.slice(1).entries())
      expect(value).toBeGreaterThan(values[place] as number);
    expect(share.bestSize).toBe(9);
    const costly = productLineFrontier(
      partWorths,
      { ...problem, fixedCost: 150 },
      { size: 6, search: "exhaustive" },
    );
    expect(costly.bestSize).toBeLessThan(6);
    expect(costly.lines.map(({ products }) => products.length)).toEqual([1, 2, 3, 4, 5, 6]);
    const free = productLineFrontier(
      partWorths,
      { ...problem, fixedCost: 0 },
      { size: 6, search: "exhaustive" },
    );
    for (const [place, { value }] of costly.lines.entries())
      expect(value).toBeCloseTo((free.lines[place]?.value as number) - 150 * (place + 1), 8);
  });

  it("counts buying none as a rival", () => {
    const { partWorths, problem } = world(9);
    const withNone = {
      ...partWorths,
      names: [...names, "none"],
      values: partWorths.values.map((row) => Float64Array.of(...row, 2)),
    };
    const { candidates } = problem;
    const found = searchProductLine(
      withNone,
      { candidates, none: "none", objective: "share" },
      { size: 2, search: "exhaustive" },
    );
    const pick = found.products.map(({ product }) => candidates.products.indexOf(product));
    const market = {
      products: found.products.map(({ product }) => product),
      attributes: Object.fromEntries(
        names.map((name) => [name, pick.map((j) => candidates.attributes[name]?.[j] as number)]),
      ),
    };
    const { shares } = simulateMarket(withNone, market, { none: "none" });
    expect(found.share).toBeCloseTo(1 - (shares[2]?.share as number), 12);
  });
});

describe("rules, draws and costs of lines", () => {
  const levels = names.map((name) => linearAttribute(name, [0, 1, 2]));

  it("have the shares of the simulator under randomised first choice, none and draws included", () => {
    for (const from of ["point estimates", "draws"] as const) {
      const { partWorths, problem } = world(12, 7);
      const random = randomSource(6);
      const drawn = Array.from({ length: 30 }, () =>
        partWorths.values.flatMap((row) => [
          ...Array.from(row, (value) => value + 0.4 * drawNormal(random)),
          1,
        ]),
      );
      const withNone = {
        ...partWorths,
        names: [...names, "none"],
        values: partWorths.values.map((row) => Float64Array.of(...row, 1)),
        draws: Float64Array.from(drawn.flat()),
      };
      const setting = {
        rule: "randomised first choice",
        from,
        none: "none",
        exponent: 0.8,
        constants: { r1: 0.3, none: -0.2 },
        random: randomSource(7),
        levels,
        noiseDraws: 3,
      } as const;
      const values = subsets(problem.candidates.products, 2).map((line) => {
        const market = marketWith(problem, line);
        const simulation = simulateMarket(withNone, market, { ...setting, resamples: 100 });
        const rows = marketValue(simulation, market, { marketSize: 1000 }).slice(0, 2);
        return rows.reduce((sum, row) => sum + row.profit, -40);
      });
      const found = searchProductLine(
        withNone,
        { ...problem, ...setting },
        { size: 2, search: "exhaustive" },
      );
      expect(found.value).toBeCloseTo(Math.max(...values), 8);
      expect(found.profit).toBeCloseTo(found.value, 8);
    }
  });

  it("are means over draws, some of them where fewer are asked for", () => {
    const { partWorths, problem } = world(13, 6);
    const random = randomSource(6);
    const drawn = Array.from({ length: 20 }, () =>
      partWorths.values.flatMap((row) => Array.from(row, (value) => value + drawNormal(random))),
    );
    const withDraws = { ...partWorths, draws: Float64Array.from(drawn.flat()) };
    const everyFifth = {
      ...partWorths,
      draws: Float64Array.from([0, 5, 10, 15].flatMap((i) => drawn[i] as number[])),
    };
    for (const rule of ["first choice", "share of preference"] as const) {
      const draws = { ...problem, rule, from: "draws" } as const;
      const found = searchProductLine(withDraws, draws, { size: 3, search: "exhaustive" });
      const line = found.products.map(({ product }) => product);
      const { shares } = simulateMarket(withDraws, marketWith(problem, line), { rule, from: "draws" });
      for (const [place, { share }] of found.products.entries())
        expect(share).toBeCloseTo(shares[place]?.share as number, 12);
      expect(searchProductLine(withDraws, { ...draws, draws: 4 }, { size: 3, search: "exhaustive" })).toEqual(
        searchProductLine(everyFifth, draws, { size: 3, search: "exhaustive" }),
      );
    }
  });

  it("charge the fixed cost to new products alone if asked to", () => {
    const { partWorths, problem } = world(3, 10);
    const kept = ["c2", "c7"];
    for (const search of ["exhaustive", "greedy", "exchange", "genetic"] as const) {
      const of = (change: Partial<LineProblem>, size = 4) =>
        searchProductLine(
          partWorths,
          { ...problem, kept, ...change },
          { size, search, random: randomSource(4) },
        );
      const [all, fresh] = [of({}), of({ fixedCostOf: "new products" })];
      expect(fresh.products).toEqual(all.products);
      expect(fresh.value).toBeCloseTo(all.value + 2 * 20, 9);
      expect(fresh.profit).toBeCloseTo(fresh.value, 9);
      expect(of({ fixedCostOf: "new products" }, 2).value).toBeCloseTo(of({ fixedCost: 0 }, 2).value, 9);
    }
  });

  it("take unit costs by name or by a rule, in place of those of the candidates", () => {
    const { partWorths, problem } = world(14, 6);
    const { candidates } = problem;
    const { unitCosts, prices, ...unpriced } = candidates as Required<Market>;
    const dear = Array.from(unitCosts, (cost, j) => cost + (candidates.attributes["a"]?.[j] === 0 ? 0 : 3));
    const search = { size: 3, search: "exhaustive" } as const;
    const of = (change: Partial<LineProblem>) =>
      searchProductLine(partWorths, { ...problem, ...change }, search);
    const expected = of({ candidates: { ...candidates, unitCosts: dear } });
    expect(expected.value).not.toBe(of({}).value);
    const table = Object.fromEntries(candidates.products.map((name, j) => [name, dear[j] as number]));
    expect(of({ candidates: { ...unpriced, prices }, unitCosts: table })).toEqual(expected);
    const seen: LineCandidate[] = [];
    const rule = (candidate: LineCandidate): number => {
      seen.push(candidate);
      return (candidate.unitCost ?? 0) + (candidate.attributes["a"] === 0 ? 0 : 3);
    };
    expect(of({ unitCosts: rule })).toEqual(expected);
    expect(seen[1]).toEqual({
      product: "c2",
      attributes: Object.fromEntries(names.map((name) => [name, candidates.attributes[name]?.[1]])),
      price: prices[1],
      unitCost: unitCosts[1],
    });
    const bare = of({
      candidates: unpriced,
      objective: "share",
      unitCosts: ({ price = -1, unitCost = -2 }) => price * unitCost,
    });
    expect(bare.profit).toBeUndefined();
  });
});

describe("lines that cannot be searched", () => {
  const { partWorths, problem } = world(1);
  const search =
    (change: Partial<LineProblem>, options: Partial<LineSearchOptions> = {}) =>
    () =>
      searchProductLine(partWorths, { ...problem, ...change }, { size: 2, starts: 0, ...options });
  const { competitors: unused, ...without } = problem;
  const many = goods("m", 40, randomSource(1));
  const { prices: alsoUnused, ...unpriced } = problem.candidates;
  it.each<[string, () => unknown, string]>([
    ["too long a line", search({}, { size: 10 }), "size must be at most the 9 candidates, got 10"],
    ["a line of none", search({}, { size: 0 }), "size must be a whole number from 1 up, got 0"],
    [
      "fewer than those kept",
      search({ kept: ["c1", "c2", "c3"] }),
      "size must be a whole number from 3 up, got 2",
    ],
    ["unknown kept ones", search({ kept: ["x"] }), 'kept products must be different candidates, got "x"'],
    ["no prices", search({ candidates: unpriced }), "price of c1 must be a finite number, got undefined"],
    [
      "no rival",
      () => searchProductLine(partWorths, without, { size: 2 }),
      "a line needs competitors or a none option: without them its share is always 1",
    ],
    [
      "too many lines",
      search({ candidates: many }, { size: 8, search: "exhaustive" }),
      'exhaustive search would try 7.69e+7 lines of 8 products, more than 2000000: search by "exchange" or "genetic"',
    ],
    ["no source for starts", search({}, { starts: 3 }), "random must be given for this search, got none"],
    [
      "no source for breeding",
      search({}, { search: "genetic" }),
      "random must be given for this search, got none",
    ],
    ["a market of no size", search({ marketSize: 0 }), "marketSize must be a number above 0, got 0"],
    [
      "another rule",
      search({ rule: "purchase likelihood" as LineRule }),
      "rule must be one of first choice, share of preference, randomised first choice, got purchase likelihood",
    ],
    [
      "another objective",
      search({ objective: "profits" as "profit" }),
      "objective must be one of share, revenue, profit, got profits",
    ],
    [
      "another search",
      search({}, { search: "best" as "greedy" }),
      "search must be one of exhaustive, greedy, exchange, genetic, got best",
    ],
    [
      "a rival named as a candidate",
      search({ competitors: { ...(problem.competitors as Market), products: ["x", "c2"] } }),
      'competitors must have names other than those of the candidates, got "c2"',
    ],
    [
      "fixed costs of others",
      search({ fixedCostOf: "old products" as "new products" }),
      "fixedCostOf must be one of all products, new products, got old products",
    ],
    [
      "noise without a source",
      search({ rule: "randomised first choice" }),
      "random must be given for randomised first choice, got none",
    ],
    [
      "no draws",
      search({ from: "draws" }),
      "part-worths must have draws, as those of hierarchical Bayes, got point estimates only",
    ],
    ["more draws than there are", search({ draws: 2 }), "draws must be a whole number from 1 to 1, got 2"],
    [
      "more noise than can be kept",
      search({
        rule: "randomised first choice",
        random: randomSource(1),
        levels: names.map((name) => linearAttribute(name, [0, 1, 2])),
        noiseDraws: 1e6,
      }),
      "draws or noiseDraws must be fewer: 40000000 utilities of each of 11 alternatives are more than 100000000 together",
    ],
    ["constants of strangers", search({ constants: { x: 1 } }), "constants must be of c1, c2,"],
    ["costs of strangers", search({ unitCosts: { x: 1 } }), 'unitCosts must be of candidates, got "x"'],
    [
      "costs of some",
      search({ unitCosts: { c1: 1 } }),
      "unit cost of c2 must be a finite number, got undefined",
    ],
    [
      "a rule that gives no cost",
      search({ unitCosts: () => Number.NaN }),
      "unit cost of c1 must be a finite number, got NaN",
    ],
    ["negative fixed costs", search({ fixedCost: -1 }), "fixedCost must be a number from 0 up, got -1"],
    [
      "awareness",
      search({ competitors: { ...(problem.competitors as Market), awareness: [1, 0.5] } }),
      "lines are searched as if everybody met every product: leave out awareness and distribution",
    ],
    [
      "a missing column",
      search({ candidates: { ...problem.candidates, attributes: { a: [1, 2, 3, 4, 5, 6, 7, 8, 9] } } }),
      'attributes must have a column for each part-worth, but "b" is missing among a',
    ],
  ])("%s", (_name, act, message) => {
    expect(act).toThrow(message);
  });
});
