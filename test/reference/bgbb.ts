import { expect, it } from "vitest";
import {
  type BgBbCustomer,
  type BgBbParameters,
  bgbbDiscountedPurchases,
  bgbbExpectedPurchases,
  bgbbLogLikelihood,
  bgbbNewCustomerPurchases,
  bgbbPosteriorBuyingProbability,
  bgbbProbabilityAlive,
  bgbbPurchaseDistribution,
  fitBgBb,
} from "../../src/clv/bg-bb.js";
import { type Block, block, numbers, type ReferenceCase, referenceTable, toleranceOf } from "./case.js";

/** lifetimes stops its P(alive) at about 1e-12 of its own sums. */
const ROUNDING = 1e-11;

/**
 * Holds the BG/BB to one `bgbb_` case: every block with `params` is a set of parameters with the values a peer computed
 * at them for the rows of the case's data; the likelihoods outside of blocks named `fixed` are maxima to reach.
 */
export function runBgBbCase(reference: ReferenceCase): void {
  const { customers, rows } = readCustomers(reference);
  const near = toleranceOf(reference.tolerance["fixed"]);
  const short = Number(/-\s*(\d*\.?\d+)\s*$/.exec(String(reference.tolerance["mle_loglik"]))?.[1] ?? 0.01);
  const found = parameterBlocks(reference.content, "");

  for (const { path, at } of found) {
    it(`${path}: functions at the given parameters`, () => {
      const parameters = block(at["params"]) as unknown as BgBbParameters;
      const listed = listedRows(at) ?? rows;
      let checked = 0;
      for (const [key, value] of Object.entries(at)) {
        const ours = valuesFor(key, parameters, listed);
        if (!ours) continue;
        const scale = /^expected_freq/.test(key) ? weightOf(customers) : 1;
        allClose(
          ours,
          numbers(value).map((peer) => peer / scale),
          near,
        );
        checked++;
      }
      if (typeof at["ll"] === "number") {
        // a peer prints its likelihood to double precision, at parameters rounded in the last digits
        const ours = bgbbLogLikelihood(parameters, customers);
        expect(Math.abs(ours / at["ll"] - 1)).toBeLessThanOrEqual(near);
        checked++;
      }
      expect(checked).toBeGreaterThan(0);
    });
  }

  const maxima = found.filter(({ path, at }) => !/fixed/.test(path) && typeof at["ll"] === "number");
  it(`maximum likelihood reaches the peers' (${maxima.map(({ path }) => path).join(", ")})`, () => {
    const best = Math.max(...maxima.map(({ at }) => at["ll"] as number));
    expect(fitBgBb(customers).logLikelihood).toBeGreaterThanOrEqual(best - short);
  });
}

/** Our values for a key of a peer's block, or undefined if the key names none of our functions. */
function valuesFor(
  key: string,
  parameters: BgBbParameters,
  rows: readonly BgBbCustomer[],
): readonly number[] | undefined {
  const horizon = Number(/^cond_exp_(\d+)$/.exec(key)?.[1]);
  if (horizon) return rows.map((row) => bgbbExpectedPurchases(parameters, row, horizon));
  if (key === "p_alive_end") return rows.map((row) => bgbbProbabilityAlive(parameters, row, 1));
  if (/^p_alive_at_\d+$/.test(key)) {
    const after = Number(/\d+$/.exec(key)?.[0]);
    return rows.map((row) => bgbbProbabilityAlive(parameters, row, after - row.opportunities));
  }
  const discountRate = Number(/^dert_d(\d*\.?\d+)$/.exec(key)?.[1]);
  if (discountRate) return rows.map((row) => bgbbDiscountedPurchases(parameters, row, discountRate));
  if (key === "post_mean_p") return rows.map((row) => bgbbPosteriorBuyingProbability(parameters, row));
  const [, from = 0, to = 0] = /^uncond_exp_(\d+)_(\d+)$/.exec(key)?.map(Number) ?? [];
  if (to) {
    return Array.from({ length: to - from + 1 }, (_, n) => bgbbNewCustomerPurchases(parameters, from + n));
  }
  const periods = Number(/^(?:pmf_n|expected_freq_n_0_)(\d+)$/.exec(key)?.[1]);
  return periods ? [...bgbbPurchaseDistribution(parameters, periods)] : undefined;
}

/** Every block that has parameters, with its path; blocks of a maximum without other values too. */
function parameterBlocks(content: Block, path: string): { readonly path: string; readonly at: Block }[] {
  return Object.entries(content).flatMap(([key, value]) => {
    if (Array.isArray(value)) return [];
    const at = block(value);
    const here = path === "" ? key : `${path}.${key}`;
    const hasNames = ["alpha", "beta", "gamma", "delta"].every((name) => name in block(at["params"]));
    return [...(hasNames ? [{ path: here, at }] : []), ...parameterBlocks(at, here)];
  });
}

/** The rows that a block lists for itself. */
function listedRows(at: Block): readonly BgBbCustomer[] | undefined {
  if (!Array.isArray(at["rows"])) return undefined;
  return (at["rows"] as Block[]).map((row) => ({
    x: Number(row["frequency"] ?? row["x"]),
    recency: Number(row["recency"] ?? row["t_x"]),
    opportunities: Number(row["periods"] ?? row["n"]),
  }));
}

interface Columns {
  readonly x: readonly number[];
  readonly recency: readonly number[];
  readonly opportunities: readonly number[];
  readonly weight: readonly number[];
}

const weightOf = ({ weight }: Columns): number => weight.reduce((sum, value) => sum + value, 0);

/** The case's data: columns named as by lifetimes or BTYD. */
function readCustomers(reference: ReferenceCase): { customers: Columns; rows: readonly BgBbCustomer[] } {
  const { header, rows } = referenceTable(reference.data[0] ?? "");
  const column = (pattern: RegExp): readonly number[] | undefined => {
    const place = header.findIndex((name) => pattern.test(name));
    return place === -1 ? undefined : rows.map((row) => Number(row[place]));
  };
  const customers = {
    x: column(/^(frequency|x)$/i) ?? [],
    recency: column(/^(recency|t[._]?x)$/i) ?? [],
    opportunities: column(/^(periods|n|n[._]cal|opportunities)$/i) ?? [],
    weight: column(/^(weights?|count|custs|customers|num.*)$/i) ?? rows.map(() => 1),
  };
  const listed = customers.x.map((x, row) => ({
    x,
    recency: customers.recency[row] ?? Number.NaN,
    opportunities: customers.opportunities[row] ?? Number.NaN,
  }));
  return { customers, rows: listed };
}

function allClose(ours: readonly number[], peers: readonly number[], tolerance: number): void {
  expect(ours.length).toBe(peers.length);
  for (const [index, value] of ours.entries()) {
    const peer = peers[index] ?? Number.NaN;
    const limit = Math.max(tolerance, ROUNDING);
    expect(Math.abs(value / peer - 1), `${value} against ${peer}`).toBeLessThanOrEqual(limit);
  }
}
