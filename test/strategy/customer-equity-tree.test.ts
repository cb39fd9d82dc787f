import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blattbergDeighton } from "../../src/strategy/balance.js";
import {
  type CustomerEquitySpec,
  customerEquityTree,
  type EquityNode,
  type EquitySegment,
  equitySensitivities,
  nodeValue,
} from "../../src/strategy/customer-equity-tree.js";

const subscribers: EquitySegment = {
  name: "subscribers",
  prospects: 20_000,
  acquisitionRate: 0.05,
  acquisitionSpend: 4,
  customers: 3000,
  margin: 120,
  retentionRate: 0.8,
  retentionSpend: 10,
  addOn: { purchases: 2, margin: 15, spend: 5 },
};
const shop: EquitySegment = {
  name: "web shop",
  prospects: 100_000,
  acquisitionRate: 0.03,
  acquisitionSpend: 1.5,
  customers: 9000,
  margin: 40,
  retentionRate: 0.55,
  retentionSpend: 3,
};
const spec: CustomerEquitySpec = { segments: [subscribers, shop], discountRate: 0.1, currency: "EUR" };

const everyNode = (node: EquityNode): EquityNode[] => [node, ...node.children.flatMap(everyNode)];
const childOf = (node: EquityNode, ...names: readonly string[]): EquityNode =>
  names.reduce((at, name) => at.children.find((child) => child.name === name) as EquityNode, node);

const positive = fc.integer({ min: 1, max: 1000 });
const rate = fc.integer({ min: 0, max: 99 }).map((points) => points / 100);
const segment = fc.record({
  name: fc.constantFrom("a", "b", "c", "d"),
  prospects: positive,
  acquisitionRate: rate,
  acquisitionSpend: positive,
  customers: positive,
  margin: fc.integer({ min: -100, max: 1000 }),
  retentionRate: rate,
  retentionSpend: positive,
  addOn: fc.record({ purchases: positive, margin: positive, spend: positive }),
});
const anySpec: fc.Arbitrary<CustomerEquitySpec> = fc.record({
  segments: fc.uniqueArray(segment, { minLength: 1, maxLength: 4, selector: ({ name }) => name }),
  discountRate: fc.double({ min: 0.01, max: 0.5, noNaN: true }),
  currency: fc.constant("EUR"),
});

describe("the tree of customer equity", () => {
  it("adds up as by hand", () => {
    const tree = customerEquityTree(spec);
    // 1,000 new customers at 120, less 20,000 at 4.
    expect(childOf(tree, "subscribers", "acquisition equity").value).toBeCloseTo(40_000, 8);
    // 4,000 customers x (120 x .8 - 10) / .3
    expect(childOf(tree, "subscribers", "retention equity").value).toBeCloseTo((4000 * 86) / 0.3, 6);
    // 4,000 customers x .8 / .3 x (2 x 15 - 5)
    expect(childOf(tree, "subscribers", "add-on selling equity").value).toBeCloseTo(
      (4000 * 0.8 * 25) / 0.3,
      6,
    );
    expect(childOf(tree, "web shop").children.map(({ name }) => name)).toEqual([
      "acquisition equity",
      "retention equity",
    ]);
    // 3,000 x 40 - 150,000, and 12,000 x (40 x .55 - 3) / .55
    expect(tree.value).toBeCloseTo(40_000 + 344_000 / 0.3 + 80_000 / 0.3 - 30_000 + 228_000 / 0.55, 6);
    expect(tree).toMatchObject({ name: "customer equity", unit: "EUR", formula: "the sum" });
    expect(JSON.parse(JSON.stringify(tree))).toEqual(tree);
  });

  it("is the equity of Blattberg & Deighton's model for prospects alone", () => {
    const market = {
      acquisition: { ceiling: 0.4, responsiveness: 0.1 },
      retention: { ceiling: 0.7, responsiveness: 0.05 },
      margin: 50,
      discountRate: 0.2,
    };
    const { acquisitionRate, acquisitionSpend, retentionRate, retentionSpend, equity } =
      blattbergDeighton(market);
    const one = { name: "all", prospects: 1000, customers: 0, margin: 50 };
    const tree = customerEquityTree({
      segments: [{ ...one, acquisitionRate, acquisitionSpend, retentionRate, retentionSpend }],
      discountRate: 0.2,
      currency: "EUR",
    });
    expect(tree.value).toBeCloseTo(1000 * equity, 9);
  });

  it("has at every node the value that its formula gives from its children", () => {
    fc.assert(
      fc.property(anySpec, (any) => {
        for (const node of everyNode(customerEquityTree(any))) {
          expect(nodeValue(node)).toBe(node.value);
          if (node.formula === "the sum") {
            expect(node.children.reduce((sum, { value }) => sum + value, 0)).toBe(node.value);
          }
          expect(node.children.length > 0).toBe(node.formula !== "input");
        }
      }),
      { seed: 6, numRuns: 100 },
    );
  });
});

describe("sensitivities of customer equity", () => {
  it("are elasticities: those of all amounts of money together are 1, of all heads together too", () => {
    // Customer equity is homogeneous of degree 1 in money and in heads (Euler), and linear in each of them.
    fc.assert(
      fc.property(anySpec, (any) => {
        const equity = customerEquityTree(any).value;
        const size = everyNode(customerEquityTree(any)).reduce(
          (most, { value, unit }) => (unit === "EUR" ? Math.max(most, Math.abs(value)) : most),
          0,
        );
        fc.pre(Math.abs(equity) > 1e-3 * size && size > 1);
        const all = equitySensitivities(any, { scope: "all segments" });
        const sumOf = (inputs: readonly string[]): number =>
          all
            .filter(({ input }) => inputs.includes(input))
            .reduce((sum, { elasticity }) => sum + elasticity, 0);
        const money = ["margin", "acquisition spend", "retention spend", "add-on margin", "add-on spend"];
        expect(sumOf(money)).toBeCloseTo(1, 7);
        expect(sumOf(["prospects", "customers today"])).toBeCloseTo(1, 7);
      }),
      { seed: 7, numRuns: 100 },
    );
  });

  it("are what a change of one input does, the largest first", () => {
    const list = equitySensitivities(spec);
    const before = customerEquityTree(spec).value;
    const raised = { ...spec, segments: [{ ...subscribers, retentionRate: 0.808 }, shop] };
    const effect = customerEquityTree(raised).value - before;
    expect(list[0]).toMatchObject({ segment: "subscribers", input: "retention rate" });
    expect(list[0]?.effect).toBeCloseTo(effect, 6);
    expect(list[0]?.elasticity).toBeCloseTo(effect / before / 0.01, 8);
    const sizes = list.map((each) => Math.abs(each.effect));
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    expect(
      list.filter(({ segment: name, input }) => name === "web shop" && input.startsWith("add-on")),
    ).toEqual([]);
    expect(list.filter(({ input }) => input === "discount rate")).toHaveLength(1);
    // Each input of each segment but the shop's three of an add-on, and the discount rate.
    expect(list).toHaveLength(10 + 7 + 1);
  });

  it("change one segment even if it is called all", () => {
    const named = { ...spec, segments: [{ ...subscribers, name: "all" }, shop] };
    const each = equitySensitivities(named).find(
      ({ segment: name, input }) => name === "all" && input === "margin",
    );
    const both = equitySensitivities(named, { scope: "all segments" }).find(
      ({ input }) => input === "margin",
    );
    expect(each?.effect).toBeLessThan(both?.effect ?? 0);
  });

  it("refuse what leaves the range of a rate, or has no share", () => {
    expect(() => equitySensitivities(spec, { change: 0.3 })).toThrow(
      /^retentionRate of "subscribers" must be a fraction from 0 to 1, got 1\.04/,
    );
    expect(() => equitySensitivities(spec, { change: 0 })).toThrow(
      new RangeError("change must be a number above -1 other than 0, got 0"),
    );
    const empty = { ...spec, segments: [{ ...shop, prospects: 0, customers: 0 }] };
    expect(() => equitySensitivities(empty)).toThrow(new RangeError("customer equity must not be 0, got 0"));
  });
});

describe("bad input", () => {
  const refused = (change: Partial<EquitySegment>, message: string): void =>
    expect(() => customerEquityTree({ ...spec, segments: [{ ...shop, ...change }] })).toThrow(
      new RangeError(message),
    );

  it("is named", () => {
    refused(
      { retentionRate: 55 },
      'retentionRate of "web shop" must be a fraction from 0 to 1, got 55; a percentage must be divided by 100',
    );
    refused({ prospects: -1 }, 'prospects of "web shop" must be a number from 0 up, got -1');
    refused({ margin: Number.NaN }, 'margin of "web shop" must be a number, got NaN');
    refused(
      { addOn: { purchases: -1, margin: 1, spend: 1 } },
      'addOn.purchases of "web shop" must be a number from 0 up, got -1',
    );
    refused(
      { addOn: { purchases: 1, margin: Number.POSITIVE_INFINITY, spend: 1 } },
      'addOn.margin of "web shop" must be a number, got Infinity',
    );
    expect(() => customerEquityTree({ ...spec, segments: [] })).toThrow(
      new RangeError("segments must hold at least one segment, got none"),
    );
    expect(() => customerEquityTree({ ...spec, segments: [shop, shop] })).toThrow(
      new RangeError('segments must have different names, got "web shop" twice'),
    );
    expect(() => customerEquityTree({ ...spec, discountRate: 10 })).toThrow(
      new RangeError(
        "discountRate must be a fraction from 0 to 1, got 10; a percentage must be divided by 100",
      ),
    );
    expect(() =>
      customerEquityTree({ ...spec, discountRate: 0, segments: [{ ...shop, retentionRate: 1 }] }),
    ).toThrow(
      new RangeError(
        'the value is infinite: retentionRate of "web shop" is 1 and discountRate 0, so nobody leaves and no money is discounted',
      ),
    );
  });
});
