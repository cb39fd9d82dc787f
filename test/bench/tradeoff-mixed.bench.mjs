import { randomSource } from "../../dist/numeric/random.js";
import { fitMixedLogit } from "../../dist/tradeoff/mixed-logit.js";
import { measure } from "./measure.mjs";
import { simulated, worlds } from "./panels.mjs";

/** Mixed logits with standard errors. Peers: whole fits on the published panels themselves, on a machine of two cores. */
export default async function mixedLogitBenchmark() {
  const results = [];
  for (const [name, draws, peer, peerCpuSeconds, note] of [
    ["yogurt", 500, "xlogit", 8.6, "logitr (R): 36.1 s"],
    ["electricity", 600, "xlogit", 23.7, undefined],
  ]) {
    const { rows, attributes } = simulated(worlds[name]);
    const tastes = Object.fromEntries(Object.keys(worlds[name].spread).map((key) => [key, "normal"]));
    const job = () => fitMixedLogit(rows, attributes, { tastes, draws, random: randomSource(1) });
    const title = `mixed logit, ${Object.keys(tastes).length} normal tastes, ${draws} draws, like ${name}`;
    results.push({
      ...(await measure(title, worlds[name].sets, job, { ...(note && { note }) })),
      peer,
      peerCpuSeconds,
    });
  }
  return results;
}
