import { describe, expect, it } from "vitest";
import {
  allocationFigure,
  balanceFigure,
  equityTornadoFigure,
  equityTreeFigure,
  frontierFigure,
} from "../../src/charts/balance.js";
import type { Figure } from "../../src/charts/figure.js";
import { thousands } from "../../src/charts/theme.js";
import { randomSource } from "../../src/numeric/random.js";
import { type BalanceSpec, balanceIntervals, equityPerProspect } from "../../src/strategy/balance.js";
import {
  acquisitionUse,
  allocateBudget,
  frontier,
  rateResponse,
  retentionUse,
  spendChanges,
} from "../../src/strategy/budget.js";
import { type CustomerEquitySpec, customerEquityTree } from "../../src/strategy/customer-equity-tree.js";
import { describeFigures, titleOf } from "./describe-figures.js";

const spec: BalanceSpec = {
  acquisition: { ceiling: 0.4, responsiveness: 0.1 },
  retention: { ceiling: 0.7, responsiveness: 0.05 },
  margin: 50,
  discountRate: 0.2,
};
const random = randomSource(5);
const near = (value: number): number => value * (0.85 + 0.3 * random.uniform());
const draws = Array.from(
  { length: 200 },
  (): BalanceSpec => ({
    ...spec,
    margin: near(50),
    acquisition: { ceiling: near(0.4), responsiveness: near(0.1) },
    retention: { ceiling: near(0.7), responsiveness: near(0.05) },
  }),
);
const intervals = balanceIntervals(spec, draws);

const curve = rateResponse(spec.acquisition);
const uses = [
  acquisitionUse({
    name: "search ads",
    segment: "new",
    channel: "search",
    prospects: 20_000,
    curve,
    valuePerCustomer: 54,
  }),
  acquisitionUse({
    name: "leaflets",
    segment: "new",
    channel: "mail",
    prospects: 50_000,
    curve,
    valuePerCustomer: 30,
  }),
  retentionUse({
    name: "loyalty calls",
    segment: "gold",
    channel: "calls",
    customers: 4000,
    retention: rateResponse({ floor: 0.4, ceiling: 0.9, responsiveness: 0.08 }),
    valueOfRetained: 160,
  }),
];
const current = { "search ads": 20_000, leaflets: 60_000, "loyalty calls": 20_000 };
const changes = spendChanges(uses, current, allocateBudget(uses, 100_000));
const budgets = frontier(
  uses,
  Array.from({ length: 21 }, (_, step) => step * 20_000),
);

const equity: CustomerEquitySpec = {
  discountRate: 0.1,
  currency: "EUR",
  segments: [
    {
      name: "subscribers",
      prospects: 20_000,
      acquisitionRate: 0.05,
      acquisitionSpend: 4,
      customers: 3000,
      margin: 120,
      retentionRate: 0.8,
      retentionSpend: 10,
      addOn: { purchases: 2, margin: 15, spend: 5 },
    },
    {
      name: "web shop",
      prospects: 100_000,
      acquisitionRate: 0.03,
      acquisitionSpend: 1.5,
      customers: 9000,
      margin: 40,
      retentionRate: 0.55,
      retentionSpend: 3,
    },
  ],
};

const draw = () => ({
  balance: {
    figure: balanceFigure(spec, { currency: "EUR", intervals, source: "a coffee roaster" }),
    traces: ["customer equity", "95% of the best or more", "best spends", "90% intervals"],
  },
  hopeless: {
    figure: balanceFigure({ ...spec, margin: -5 }, { currency: "EUR" }),
    traces: ["customer equity", "best spends"],
  },
  allocation: { figure: allocationFigure(changes, { currency: "EUR" }), traces: ["now", "best"] },
  frontier: { figure: frontierFigure(budgets, { currency: "EUR" }), traces: ["net value", "shadow price"] },
  tree: { figure: equityTreeFigure(customerEquityTree(equity)), traces: ["amount"] },
  tornado: { figure: equityTornadoFigure(equity), traces: ["1.0% more", "1.0% less"] },
});
const figures: Readonly<Record<string, { readonly figure: Figure }>> = draw();
const figureNamed = (name: string): Figure => figures[name]?.figure as Figure;

describeFigures(draw);

describe("figures of the balance of acquisition and retention", () => {
  it("state the finding", () => {
    // Optimum of the published model, as in test/strategy/balance.test.ts.
    expect(titleOf(figureNamed("balance"))).toBe(
      "Best: 7.76 EUR a prospect and 12.85 EUR a customer and period, for 3.97 EUR equity a prospect",
    );
    expect(titleOf(figureNamed("hopeless"))).toBe("No spending pays: equity 0.00 EUR a prospect without any");
    expect(titleOf(figureNamed("allocation"))).toBe(
      '"leaflets" should get 60,000 EUR less: there one more EUR brings 1.06 now', // 30 x .4 x .1 e^-0.12
    );
    // What is spent of a budget without end, not the first budget of the table that is enough.
    const { spend, netValue } = allocateBudget(uses, 1_000_000);
    expect(titleOf(figureNamed("frontier"))).toBe(
      `From ${thousands(spend)} EUR on more budget adds nothing: net value ${thousands(netValue)} EUR`,
    );
    // 4,000 customers x (120 x .8 - 10) / .3 of a total summed by hand: 40,000 + 1,146,667 + 266,667 - 30,000 + 414,545
    expect(titleOf(figureNamed("tree"))).toBe(
      'Customer equity is 1,837,879 EUR: most of it retention equity of "subscribers", 1,146,667 (62%)',
    );
    expect(titleOf(figureNamed("tornado"))).toMatch(
      /^subscribers: retention rate counts most: 1% more changes customer equity by 2\.9\d%$/,
    );
  });

  it("say so where nothing changes and where the budget is always short", () => {
    const best = allocateBudget(uses, 100_000);
    const same = Object.fromEntries(best.uses.map(({ name, spend }) => [name, spend]));
    expect(titleOf(allocationFigure(spendChanges(uses, same, best), { currency: "EUR" }))).toBe(
      "No money should move: each use already gets what is best",
    );
    const short = frontier(uses, [0, 10_000]);
    const { shadowPrice } = allocateBudget(uses, 10_000);
    expect(titleOf(frontierFigure(short, { currency: "EUR" }))).toBe(
      `At a budget of 10,000 EUR one more EUR still adds ${shadowPrice.toFixed(2)}`,
    );
    expect(() => allocationFigure([], { currency: "EUR" })).toThrow(
      new RangeError("changes must hold at least one use, got none"),
    );
  });

  it("outline exactly the spends that bring 95% of the best", () => {
    const [, outline, best] = figureNamed("balance").data;
    const [x, y] = [outline?.["x"] as number[], outline?.["y"] as number[]];
    const equityAt = (across: number, up: number): number =>
      equityPerProspect(spec, { acquisitionSpend: across, retentionSpend: up });
    const [[across = 0], [up = 0]] = [best?.["x"] as number[], best?.["y"] as number[]];
    const top = equityAt(across, up);
    for (const [place, edge] of x.entries()) {
      expect(equityAt(edge, y[place] as number) / top).toBeCloseTo(0.95, 9);
    }
    expect([x[0], y[0]]).toEqual([x.at(-1), y.at(-1)]);
  });

  it("let the parts of the tree add up: each level ends where its parent does", () => {
    const [bars] = figureNamed("tree").data;
    const [start, amount] = [bars?.["base"] as number[], bars?.["x"] as number[]];
    const ends = start.map((from, row) => from + (amount[row] as number));
    // Rows: equity, subscribers, its three parts (acquisition with two), web shop, its two parts.
    expect(start[0]).toBe(0);
    expect(ends[4]).toBeCloseTo(ends[2] as number, 6); // acquisition cost ends at acquisition equity
    expect(ends[6]).toBeCloseTo(ends[1] as number, 6); // add-on selling ends at subscribers
    expect(ends.at(-1)).toBeCloseTo(ends[0] as number, 6);
    expect(amount[4]).toBe(-80_000); // 20,000 prospects at 4
  });

  it("show the largest changes of many uses", () => {
    const many = Array.from({ length: 30 }, (_, i) => ({
      name: `use ${i}`,
      segment: "all",
      channel: "mail",
      from: 0,
      to: i,
      marginalBefore: 2,
      marginalAfter: 1,
    }));
    const figure = allocationFigure(many, { currency: "EUR" });
    expect(figure.data[1]?.["y"]).toEqual(Array.from({ length: 20 }, (_, rank) => `use ${29 - rank}`));
    expect(JSON.stringify(figure.layout["xaxis"])).toContain("10 uses with smaller changes are not shown");
  });
});
