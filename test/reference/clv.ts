import { expect, it } from "vitest";
import {
  type BgNbdParameters,
  bgNbd,
  bgNbdExpectedPurchases,
  bgNbdLogLikelihood,
  bgNbdNewCustomerPurchases,
  bgNbdProbabilityAlive,
  bgNbdPurchaseDistribution,
  fitBgCnbdK,
  fitBgNbd,
  fitMbgCnbdK,
  fitMbgNbd,
  mbgNbd,
  mbgNbdExpectedPurchases,
  mbgNbdLogLikelihood,
  mbgNbdNewCustomerPurchases,
  mbgNbdProbabilityAlive,
  mbgNbdPurchaseDistribution,
} from "../../src/clv/bg-nbd.js";
import type { BuyingModel as BuyingModelFace } from "../../src/clv/buying-model.js";
import { type PurchaseCells, type PurchaseCustomer, purchaseCells } from "../../src/clv/cells.js";
import {
  fitGammaGamma,
  type GammaGammaParameters,
  gammaGammaExpectedSpend,
  gammaGammaLogLikelihood,
} from "../../src/clv/gamma-gamma.js";
import {
  fitNbd,
  type NbdParameters,
  nbdExpectedPurchases,
  nbdLogLikelihood,
  nbdNewCustomerPurchases,
  nbdPurchaseDistribution,
} from "../../src/clv/nbd.js";
import { paretoNbd } from "../../src/clv/pareto-nbd.js";
import { customerLifetimeValues } from "../../src/clv/value.js";
import { weeks } from "../../src/core/types.js";
import { type Block, block, numbers, type ReferenceCase, referenceTable } from "./case.js";
import { paretoModel, runParetoBlock } from "./clv-pareto.js";

/**
 * Holds buying models and the spend model to one `clv_` case. The blocks of a case are found by what they hold: a block
 * with `params` under a model's key is a set of parameters with the values a peer computed at them; if it has a `ll` of
 * its own outside of a block named `fixed`, it is a peer's maximum, which our fit must reach.
 */
export function runClvCase(reference: ReferenceCase): void {
  const histories = readHistories(reference);
  const near = firstNumber(reference.tolerance["fixed_params_functions"]) ?? 1e-9;
  const nearLikelihood = firstNumber(reference.tolerance["loglik_at_fixed_params"]) ?? 1e-6;
  const found = modelBlocks(reference.content);

  for (const at of found) {
    const model = models[at.key];
    if (model) checkBuyingModel(at, model, histories, near, nearLikelihood);
    else if (spendKey.test(at.key)) {
      checkSpendModel(at, histories, near, nearLikelihood);
      checkLifetimeValues(at, histories, near);
    } else it.todo(at.path);
    if (at.key === "pnbd") runParetoBlock(at, near);
  }

  for (const key of new Set(found.filter((at) => at.isMaximum).map((at) => at.key))) {
    const model = models[key];
    const peers = found.filter((at) => at.isMaximum && at.key === key);
    if (model) checkBuyingFit(key, peers, model, histories, reference.tolerance);
    else if (spendKey.test(key)) checkSpendFit(peers, histories, reference.tolerance);
  }

  const holdout = block(reference.content["holdout_accuracy"]);
  for (const [key, value] of Object.entries(holdout)) {
    const model = models[key];
    const total = block(value)["total"];
    const horizon = holdout["T_star"];
    if (!model || typeof total !== "number" || typeof horizon !== "number") continue;
    it(`${key}: expected purchases of all customers in the holdout time`, () => {
      // A peer's total is at its own estimates of one of the case's tables.
      const totals = histories.map(({ cells }) => {
        const fit = model.fit(cells, {});
        return sumOver(cells, (customer) => model.expected(fit.parameters, customer, horizon));
      });
      expect(Math.min(...totals.map((ours) => Math.abs(ours / total - 1)))).toBeLessThan(1e-3);
    });
  }
}

interface FitResult {
  readonly parameters: never;
  readonly logLikelihood: number;
  readonly standardErrors: Readonly<Record<string, number>>;
}

interface BuyingModel {
  readonly fit: (cells: PurchaseCells, options: { k?: number; logGaps?: number }) => FitResult;
  readonly logLikelihood: (parameters: never, cells: PurchaseCells) => number;
  readonly alive: (parameters: never, customer: PurchaseCustomer) => number;
  readonly expected: (parameters: never, customer: PurchaseCustomer, horizon: number) => number;
  readonly newcomer: (parameters: never, horizon: number) => number;
  readonly distribution: (parameters: never, horizon: number, max: number) => Float64Array;
}

const bg = {
  logLikelihood: (parameters: BgNbdParameters, cells: PurchaseCells) => bgNbdLogLikelihood(parameters, cells),
  alive: bgNbdProbabilityAlive,
  expected: bgNbdExpectedPurchases,
  newcomer: bgNbdNewCustomerPurchases,
  distribution: bgNbdPurchaseDistribution,
};
const mbg = {
  logLikelihood: (parameters: BgNbdParameters, cells: PurchaseCells) =>
    mbgNbdLogLikelihood(parameters, cells),
  alive: mbgNbdProbabilityAlive,
  expected: mbgNbdExpectedPurchases,
  newcomer: mbgNbdNewCustomerPurchases,
  distribution: mbgNbdPurchaseDistribution,
};
const models: Readonly<Record<string, BuyingModel>> = {
  bgnbd: { ...bg, fit: (cells) => fitBgNbd(cells) as unknown as FitResult },
  mbgnbd: { ...mbg, fit: (cells) => fitMbgNbd(cells) as unknown as FitResult },
  bgcnbd: { ...bg, fit: (cells, options) => fitBgCnbdK(cells, options) as unknown as FitResult },
  mbgcnbd: { ...mbg, fit: (cells, options) => fitMbgCnbdK(cells, options) as unknown as FitResult },
  pnbd: { ...paretoModel, fit: (cells) => paretoModel.fit(cells) as unknown as FitResult },
  nbd: {
    fit: (cells) => fitNbd(cells) as unknown as FitResult,
    logLikelihood: (parameters: NbdParameters, cells: PurchaseCells) => nbdLogLikelihood(parameters, cells),
    alive: () => 1,
    expected: nbdExpectedPurchases,
    newcomer: nbdNewCustomerPurchases,
    distribution: nbdPurchaseDistribution,
  },
};
const spendKey = /^gg$|gamma.?gamma/;
const modelKey = /^(m?bgc?nbd|nbd|pnbd|ggomnbd|gg|gamma.?gamma)$/;

/** A block with parameters of a model, where it stands, and the blocks around it. */
interface ModelBlock {
  readonly path: string;
  readonly key: string;
  readonly block: Block;
  readonly around: Block;
  readonly isMaximum: boolean;
  readonly customers: readonly PurchaseCustomer[];
  /** A key that the block has itself, or the block of the same model that comes with its own customers. */
  readonly value: (name: string) => unknown;
}

function modelBlocks(content: Block): readonly ModelBlock[] {
  const found: { path: string; key: string; block: Block; around: Block }[] = [];
  const visit = (around: Block, path: string): void => {
    for (const [key, value] of Object.entries(around)) {
      const inner = block(value);
      if (Array.isArray(value)) continue;
      const here = path === "" ? key : `${path}.${key}`;
      if (modelKey.test(key) && "params" in inner) found.push({ path: here, key, block: inner, around });
      else visit(inner, here);
    }
  };
  visit(content, "");
  return found.map((at) => {
    const sibling = found.find(({ key, around }) => key === at.key && "customers" in around);
    const listed = (at.around["customers"] ?? sibling?.around["customers"] ?? []) as Block[];
    return {
      ...at,
      isMaximum: typeof at.block["ll"] === "number" && !/fixed/.test(at.path),
      customers: listed.map((row) => ({
        x: row["x"] as number,
        recency: row["t_x"] as number,
        age: row["T"] as number,
      })),
      value: (name: string) =>
        at.block[name] ?? sibling?.block[name] ?? found.find(({ block }) => name in block)?.block[name],
    };
  });
}

function checkBuyingModel(
  at: ModelBlock,
  model: BuyingModel,
  histories: readonly Histories[],
  near: number,
  nearLikelihood: number,
): void {
  const parameters = block(at.block["params"]) as never;
  it(`${at.path}: functions at the given parameters`, () => {
    const checked = checkFunctions(at, model, parameters, near);
    const likelihood = at.block["ll"];
    if (typeof likelihood === "number") {
      const ours = histories.map(
        ({ cells, logGaps }) =>
          model.logLikelihood(parameters, cells) + gapsConstant(parameters, cells, logGaps),
      );
      expect(Math.min(...ours.map((value) => Math.abs(value - likelihood)))).toBeLessThanOrEqual(
        nearLikelihood,
      );
    }
    expect(checked + Number(typeof likelihood === "number")).toBeGreaterThan(0);
  });
}

function checkFunctions(at: ModelBlock, model: BuyingModel, parameters: never, near: number): number {
  let checked = 0;
  const hold = (ours: readonly number[], peers: unknown): void => {
    allClose(ours, numbers(peers), near);
    checked++;
  };
  for (const [key, value] of Object.entries(at.block)) {
    const horizon = /^cond_exp_(\d+)$/.exec(key)?.[1];
    if (horizon)
      hold(
        at.customers.map((customer) => model.expected(parameters, customer, Number(horizon))),
        value,
      );
    if (key === "p_alive")
      hold(
        at.customers.map((customer) => model.alive(parameters, customer)),
        value,
      );
    // BTYDplus truncates the series of the MBG models: the case says to take the block that lists its own times.
    if (key === "uncond_exp" && ("uncond_t" in at.block || !/^mbg/.test(at.key))) {
      hold(
        numbers(at.value("uncond_t")).map((horizon) => model.newcomer(parameters, horizon)),
        value,
      );
    }
    const max = /^pmf_0_(\d+)$/.exec(key)?.[1];
    if (max) hold([...model.distribution(parameters, Number(at.value("pmf_t")), Number(max))], value);
  }
  const predicted = block(at.block["pred"]);
  if (Array.isArray(predicted["x"])) {
    const customers = numbers(predicted["x"]).map((x, row) => ({
      x,
      recency: numbers(predicted["t_x"])[row] as number,
      age: numbers(predicted["T"])[row] as number,
    }));
    const horizon = predicted["period_weeks"] as number;
    hold(
      customers.map((customer) => model.alive(parameters, customer)),
      predicted["p_alive"],
    );
    hold(
      customers.map((customer) => model.expected(parameters, customer, horizon)),
      predicted["cet"],
    );
  }
  return checked;
}

function checkBuyingFit(
  key: string,
  peers: readonly ModelBlock[],
  model: BuyingModel,
  histories: readonly Histories[],
  tolerance: Block,
): void {
  for (const { file, cells, logGaps } of histories) {
    const ofThese = peers.filter((at) => {
      const parameters = block(at.block["params"]) as never;
      const ours = model.logLikelihood(parameters, cells) + gapsConstant(parameters, cells, logGaps);
      return Math.abs(ours - (at.block["ll"] as number)) < 1e-4;
    });
    if (ofThese.length === 0) continue;
    it(`${key}: maximum likelihood on ${file} reaches the peers' (${ofThese.length})`, () => {
      const k = Math.max(...ofThese.map((at) => Number(block(at.block["params"])["k"] ?? 1)));
      const fit = model.fit(cells, { k, ...(logGaps === undefined ? {} : { logGaps }) });
      holdsFit(fit, ofThese, tolerance);
    });
  }
}

/** At least the best peer's likelihood less the tolerance, its parameters, and its standard errors to two digits. */
function holdsFit(fit: FitResult, peers: readonly ModelBlock[], tolerance: Block): void {
  const short = Number(/-\s*(\d*\.?\d+)\s*$/.exec(String(tolerance["mle_loglik"]))?.[1] ?? 0.01);
  const best = [...peers].sort((a, b) => Number(b.block["ll"]) - Number(a.block["ll"]))[0];
  if (!best) throw new Error("no peer to compare with");
  expect(fit.logLikelihood).toBeGreaterThanOrEqual((best.block["ll"] as number) - short);
  const { v, k: _, ...named } = block(best.block["params"]);
  const expected = v === undefined ? named : { ...named, gamma: v };
  const near = firstNumber(tolerance["mle_params"]) ?? 1e-2;
  for (const [name, value] of Object.entries(expected)) {
    close((fit.parameters as Record<string, number>)[name], value, near);
  }
  for (const [name, value] of peers.flatMap((at) => Object.entries(block(at.block["se"])))) {
    close((fit.standardErrors as Record<string, number>)[name], value, near);
  }
}

function checkSpendModel(
  at: ModelBlock,
  histories: readonly Histories[],
  near: number,
  nearLikelihood: number,
): void {
  const parameters = spendParameters(at.block);
  it(`${at.path}: functions at the given parameters`, () => {
    const peers = numbers(at.block["cond_exp_avg_profit"]);
    const rows = numbers(at.value("customer_rows"));
    const spends = numbers(at.value("zbar"));
    const likelihood = at.block["ll"];
    const tables = histories.filter(({ zbar }) => zbar);
    if (peers.length > 0) {
      const x = tables[0]?.x ?? new Float64Array();
      const ours = rows.map((row, place) =>
        gammaGammaExpectedSpend(parameters, { x: x[row] as number, meanSpend: spends[place] as number }),
      );
      allClose(ours, peers, near);
    }
    if (typeof likelihood === "number") {
      const ours = tables.map((table) => gammaGammaLogLikelihood(parameters, repeatSpends(table)));
      expect(Math.min(...ours.map((value) => Math.abs(value - likelihood)))).toBeLessThanOrEqual(
        nearLikelihood,
      );
    }
    expect(peers.length > 0 || typeof likelihood === "number").toBe(true);
  });
}

const valueKey = /^clv_(m?bgnbd|pnbd)_(\d+)m_d([\d.]+)_(?:monthly_)?freqW$/;
const lifetimesMonth = weeks(4.345);

/** Lifetime values as `lifetimes` defines them: weekly data, months of 4.345 weeks, discounted from their ends. */
function checkLifetimeValues(at: ModelBlock, histories: readonly Histories[], near: number): void {
  for (const [key, value] of Object.entries(at.block)) {
    const [, name = "", months, rate] = valueKey.exec(key) ?? [];
    const model = { bgnbd: bgNbd, mbgnbd: mbgNbd, pnbd: paretoNbd }[name] as BuyingModelFace | undefined;
    const parameters = block(at.around[name])["params"] as Readonly<Record<string, number>> | undefined;
    if (!model || !parameters) continue;
    it(`${at.path}.${key}`, () => {
      const table = histories.find(({ zbar }) => zbar);
      const rows = numbers(at.value("customer_rows"));
      const pick = (column: ArrayLike<number>): number[] => rows.map((row) => column[row] as number);
      const { x, recency, age } = table as Histories;
      const customers = {
        x: pick(x),
        recency: pick(recency),
        age: pick(age),
        meanSpend: numbers(at.value("zbar")),
      };
      const discount = { rate: Number(rate), per: lifetimesMonth };
      const ours = customerLifetimeValues(model, parameters, spendParameters(at.block), customers, {
        unit: "weeks",
        convention: "end of period",
        period: lifetimesMonth,
        periods: Number(months),
        discount,
      });
      allClose(Array.from(ours), numbers(value), near);
    });
  }
}

function checkSpendFit(
  peers: readonly ModelBlock[],
  histories: readonly Histories[],
  tolerance: Block,
): void {
  for (const table of histories.filter(({ zbar }) => zbar)) {
    const spends = repeatSpends(table);
    const ofThese = peers.filter((at) => {
      const ours = gammaGammaLogLikelihood(spendParameters(at.block), spends);
      return Math.abs(ours - (at.block["ll"] as number)) < 1e-4;
    });
    if (ofThese.length === 0) continue;
    it(`${peers[0]?.key}: maximum likelihood on ${table.file} reaches the peers' (${ofThese.length})`, () => {
      holdsFit(fitGammaGamma(spends) as unknown as FitResult, ofThese, tolerance);
    });
  }
}

const spendParameters = (at: Block): GammaGammaParameters => {
  const { p, q, v, gamma = v } = block(at["params"]) as Partial<Record<string, number>>;
  return { p: p as number, q: q as number, gamma: gamma as number };
};

/** A table of the case's customers. */
interface Histories {
  readonly file: string;
  readonly x: Float64Array;
  readonly recency: Float64Array;
  readonly age: Float64Array;
  readonly zbar: Float64Array | undefined;
  readonly logGaps: number | undefined;
  readonly cells: PurchaseCells;
}

/** The case's tables with one row per customer: columns x, t_x, T, and where they are there mean spend and log gaps. */
function readHistories(reference: ReferenceCase): readonly Histories[] {
  return reference.data.flatMap((file) => {
    const { header, rows } = referenceTable(file);
    const column = (...patterns: readonly RegExp[]): Float64Array | undefined => {
      const place = patterns
        .map((pattern) => header.findIndex((name) => pattern.test(name)))
        .find((at) => at >= 0);
      return place === undefined ? undefined : Float64Array.from(rows, (row) => Number(row[place]));
    };
    const x = column(/^(x|frequency)$/i);
    const recency = column(/^(t[._]?x|recency)$/);
    const age = column(/^(T|T[._]cal|age)$/);
    if (!x || !recency || !age) return [];
    const repeatSpend = column(/^sales[._]x$/);
    const zbar =
      column(/^(zbar|m[._]?x|monetary.*|mean.?spend)$/i) ??
      repeatSpend?.map((sales, row) => ((x[row] as number) > 0 ? sales / (x[row] as number) : 0));
    const logGaps = column(/^litt$/)?.reduce((sum, value) => sum + value, 0);
    return [{ file, x, recency, age, zbar, logGaps, cells: purchaseCells({ x, recency, age }) }];
  });
}

function repeatSpends({ x, zbar }: Histories): { x: number[]; meanSpend: number[] } {
  const rows = [...x.keys()].filter((row) => (x[row] as number) > 0 && (zbar?.[row] ?? 0) > 0);
  return { x: rows.map((row) => x[row] as number), meanSpend: rows.map((row) => zbar?.[row] as number) };
}

/** What a likelihood of CNBD-k has besides what depends on the parameters: the gaps themselves. 0 where k is 1. */
function gapsConstant(parameters: Block, cells: PurchaseCells, logGaps: number | undefined): number {
  const k = Number(parameters["k"] ?? 1);
  let logFactorial = 0;
  for (let i = 2; i < k; i++) logFactorial += Math.log(i);
  const purchases = sumOver(cells, ({ x }) => x);
  return k === 1 ? 0 : (k - 1) * (logGaps ?? 0) - purchases * logFactorial;
}

function sumOver(cells: PurchaseCells, value: (customer: PurchaseCustomer) => number): number {
  let sum = 0;
  for (const [cell, weight] of cells.weight.entries()) {
    const [x, recency, age] = [cells.x[cell], cells.recency[cell], cells.age[cell]] as [
      number,
      number,
      number,
    ];
    sum += weight * value({ x, recency, age });
  }
  return sum;
}

/** The first number in a tolerance such as "rel 1e-9 (peers agree to 1e-13)". */
function firstNumber(tolerance: unknown): number | undefined {
  const found = /\d+(?:\.\d+)?(?:e[-+]?\d+)?/i.exec(
    typeof tolerance === "string" || typeof tolerance === "number" ? String(tolerance) : "",
  )?.[0];
  return found === undefined ? undefined : Number(found);
}

function close(ours: unknown, peers: unknown, tolerance: number): void {
  const difference =
    peers === 0 ? Math.abs(ours as number) : Math.abs((ours as number) / (peers as number) - 1);
  expect(difference, `${String(ours)} against ${String(peers)}`).toBeLessThanOrEqual(tolerance);
}

function allClose(ours: readonly number[], peers: readonly number[], tolerance: number): void {
  expect(ours.length).toBe(peers.length);
  expect(ours.length).toBeGreaterThan(0);
  for (const [index, value] of ours.entries()) close(value, peers[index], tolerance);
}
