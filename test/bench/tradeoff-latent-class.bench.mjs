import { randomSource } from "../../dist/numeric/random.js";
import { fitLatentClassLogit } from "../../dist/tradeoff/latent-class.js";
import { measure } from "./measure.mjs";
import { simulated, worlds } from "./panels.mjs";

/**
 * Latent-class logit with errors and the default starts on a panel of the size of a published one (361 respondents, 4,308
 * sets of four, six covariates), in this thread, so that no second processor is counted out.
 */
export default async function latentClassBenchmark() {
  const { rows, attributes } = simulated(worlds.electricity);
  const results = [];
  for (const classes of [3, 4]) {
    const job = () => fitLatentClassLogit(rows, attributes, { classes, random: randomSource(1), workers: 0 });
    results.push(
      await measure(`latent-class logit, ${classes} classes, like electricity`, 4308, job, { runs: 2 }),
    );
  }
  return results;
}
