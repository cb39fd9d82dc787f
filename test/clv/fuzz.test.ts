import { describe, expect, it } from "vitest";
import { bgCnbdK, bgNbd, mbgNbd } from "../../src/clv/bg-nbd.js";
import type { BuyingModel } from "../../src/clv/buying-model.js";
import { type PurchaseCustomer, purchaseCells } from "../../src/clv/cells.js";
import { nbd } from "../../src/clv/nbd.js";
import { paretoNbd } from "../../src/clv/pareto-nbd.js";
import { onLogScale } from "../../src/numeric/log-scale.js";
import { type Random, randomSource } from "../../src/numeric/random.js";

// Ten thousand points from the edges of the world: parameters e^-6 to e^6, up to 20,000 purchases in up to 100,000 units.
const models: readonly BuyingModel[] = [nbd, bgNbd, mbgNbd, paretoNbd, bgCnbdK(2)];
const points = 2000;

interface Point {
  readonly parameters: Record<string, number>;
  readonly customer: PurchaseCustomer;
  readonly horizon: number;
}

function drawPoint(model: BuyingModel, random: Random): Point {
  const between = (low: number, high: number): number => low + (high - low) * random.uniform();
  const age = Math.exp(between(-2, Math.log(1e5)));
  const x = random.uniform() < 0.25 ? 0 : Math.round(Math.exp(between(0, Math.log(20_000))));
  const share = random.uniform() < 0.2 ? 1 : random.uniform() < 0.2 ? 1e-6 : between(1e-3, 1);
  return {
    parameters: Object.fromEntries(model.parameterNames.map((name) => [name, Math.exp(between(-6, 6))])),
    customer: { x, recency: x === 0 ? 0 : age * share, age },
    horizon: Math.exp(between(-2, 7)),
  };
}

describe.each(models)("$name at 2,000 random points", (model) => {
  const random = randomSource(2026).stream(model.name);
  const drawn = Array.from({ length: points }, () => drawPoint(model, random));
  /** Runs a check at every point and says where it failed first. */
  const everywhere = (check: (point: Point) => boolean, step = 1): void => {
    const failing = drawn.filter((_, index) => index % step === 0).find((point) => !check(point));
    expect(failing).toBeUndefined();
  };

  it("has a finite likelihood whose gradient is that of finite differences", () => {
    everywhere(({ parameters, customer }) => {
      const cells = purchaseCells({ x: [customer.x], recency: [customer.recency], age: [customer.age] });
      const objective = onLogScale(model.objective(cells));
      const logs = Float64Array.from(model.parameterNames, (name) => Math.log(parameters[name] as number));
      const gradient = new Float64Array(logs.length);
      const value = objective(logs, gradient);
      const scratch = new Float64Array(logs.length);
      return (
        Number.isFinite(value) &&
        logs.every((log, i) => {
          const at = (step: number): number =>
            objective(
              logs.map((other, j) => (i === j ? log + step : other)),
              scratch,
            );
          const slope = (h: number): number => (at(h) - at(-h)) / (2 * h);
          const h = 1e-3;
          const difference = (4 * slope(h / 2) - slope(h)) / 3; // error of order h^4, rounding |value| 1e-16 / h
          const room = 1e-6 * Math.max(Math.abs(difference), Math.abs(value) * 1e-4, 1);
          return Math.abs((gradient[i] as number) - difference) <= room;
        })
      );
    });
  });

  it("has probabilities between 0 and 1 that fall with time", () => {
    everywhere(({ parameters, customer, horizon }) => {
      const now = model.probabilityAlive(parameters, customer);
      const later = model.probabilityAlive(parameters, customer, horizon);
      return now >= 0 && now <= 1 && later >= 0 && later <= now * (1 + 1e-12);
    });
  });

  it("expects finitely many purchases: discounted fewer, later more, dead none", () => {
    everywhere(
      ({ parameters, customer, horizon }) => {
        const expected = model.expectedPurchases(parameters, customer, horizon);
        const discounted = model.discountedPurchases(parameters, customer, 0.01, horizon);
        const all =
          model.regularity === 1 ? model.discountedPurchases(parameters, customer, 0.01) : discounted;
        const most = expected * (1 + 1e-11);
        const least = expected * Math.exp(-0.01 * horizon) * (1 - 1e-11);
        return (
          expected >= 0 &&
          discounted <= most &&
          discounted >= least &&
          all >= discounted * (1 - 1e-11) &&
          all < 1e300
        );
      },
      model.regularity === 1 ? 1 : 20,
    );
  });

  it("has posterior rates that are finite and not negative", () => {
    everywhere(({ parameters, customer }) => {
      const { purchaseRate, dropout } = model.customerRates(parameters, customer);
      return purchaseRate >= 0 && purchaseRate < 1e300 && dropout >= 0 && dropout < 1e300;
    });
  });

  it("has counts that sum to 1", () => {
    everywhere(({ parameters, customer, horizon }) => {
      const expected = model.expectedPurchases(parameters, customer, horizon);
      const chances = model.purchaseDistribution(parameters, customer, horizon, 60);
      const total = chances.reduce((sum, chance) => sum + chance, 0);
      const beyond = Math.min(1, expected / 61); // Markov's bound on what is left out
      return chances.every((chance) => chance >= 0) && total <= 1 + 1e-9 && total >= 1 - beyond - 1e-9;
    }, 4);
  });
});
