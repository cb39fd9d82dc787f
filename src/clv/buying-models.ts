import { bgCnbdK, bgNbd, mbgCnbdK, mbgNbd } from "./bg-nbd.js";
import type { BuyingModel } from "./buying-model.js";
import { nbd } from "./nbd.js";
import { paretoNbd } from "./pareto-nbd.js";

const byName: Readonly<Record<string, BuyingModel>> = {
  [nbd.name]: nbd,
  [bgNbd.name]: bgNbd,
  [mbgNbd.name]: mbgNbd,
  [paretoNbd.name]: paretoNbd,
};
const regular = /^(M?)BG\/CNBD-(\d+)$/;

/**
 * The buying model of a name, as a fit stores it: "NBD", "BG/NBD", "MBG/NBD", "Pareto/NBD", "BG/CNBD-2", "MBG/CNBD-3", …
 * @throws RangeError if no model has the name.
 */
export function buyingModel(name: string): BuyingModel {
  const [, modified, k] = regular.exec(name) ?? [];
  const model = k === undefined ? byName[name] : (modified ? mbgCnbdK : bgCnbdK)(Number(k));
  if (model !== undefined) return model;
  const known = [...Object.keys(byName), "BG/CNBD-k", "MBG/CNBD-k"].join(", ");
  throw new RangeError(`name must be one of ${known}, got ${name}`);
}
