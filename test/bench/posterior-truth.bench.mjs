import { fitHierarchicalBayes, randomSource } from "../../dist/index.js";

const STUDIES = 200;
const RESPONDENTS = 100;
const TASKS = 12;
const ALTERNATIVES = 3;
const NEW_PRODUCTS = 4;

const mean = { organic: 0.8, large: -0.4, fast: 0.5, gift: 0.2, price: -0.9 };
const spread = { organic: 1.5, large: 1, fast: 0.5, gift: 1, price: 0.7 };
const names = Object.keys(mean);

function normalOf(random) {
  return Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
}

function productOf(random) {
  return names.map((name) => (name === "price" ? 1 + 3 * random.uniform() : Number(random.uniform() < 0.5)));
}

const utilityOf = (product, taste) => product.reduce((sum, x, j) => sum + x * taste[j], 0);

/** Choices of people whose tastes are known, normal over them. */
function study(random) {
  const tastes = Array.from({ length: RESPONDENTS }, () =>
    names.map((name) => mean[name] + spread[name] * normalOf(random)),
  );
  const rows = { set: [], respondent: [], chosen: [] };
  const attributes = Object.fromEntries(names.map((name) => [name, []]));
  for (const [who, taste] of tastes.entries()) {
    for (let task = 0; task < TASKS; task++) {
      const products = Array.from({ length: ALTERNATIVES }, () => productOf(random));
      const utilities = products.map(
        (product) => utilityOf(product, taste) - Math.log(-Math.log(1 - random.uniform())),
      );
      const best = utilities.indexOf(Math.max(...utilities));
      for (const [k, product] of products.entries()) {
        rows.set.push(task);
        rows.respondent.push(who);
        rows.chosen.push(Number(k === best));
        for (const [j, name] of names.entries()) attributes[name].push(product[j]);
      }
    }
  }
  return { rows, attributes, tastes };
}

/** Mean shares of products over people, one taste after the other in a flat array. */
function sharesOf(products, tastes) {
  const shares = products.map(() => 0);
  const people = tastes.length / names.length;
  for (let who = 0; who < people; who++) {
    const taste = tastes.subarray(who * names.length, (who + 1) * names.length);
    const parts = products.map((product) => Math.exp(utilityOf(product, taste)));
    const sum = parts.reduce((a, b) => a + b, 0);
    for (const [k, part] of parts.entries()) shares[k] += part / sum / people;
  }
  return shares;
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

/**
 * Hierarchical Bayes against the truth, with default priors and two chains of 300 and 600 sweeps: how many of the 90% intervals of means and standard deviations
 * of the population cover it over 200 simulated studies, how far shares of four new products are off, and whether the chains
 * agree.
 */
export default async function hierarchicalBayesTruth() {
  const count = { means: 0, spreads: 0, agree: 0 };
  let [off, furthest, worst] = [0, 0, 0];
  const cpu = process.cpuUsage();
  const wall = performance.now();
  for (let seed = 1; seed <= STUDIES; seed++) {
    const random = randomSource(seed);
    const { rows, attributes, tastes } = study(random);
    const fit = await fitHierarchicalBayes(rows, attributes, {
      random,
      chains: 2,
      warmup: 300,
      iterations: 600,
    });
    for (const name of names) {
      const [mu, sd] = [fit.population[name], fit.heterogeneity[name]];
      count.means += Number(mu.low <= mean[name] && mean[name] <= mu.high);
      count.spreads += Number(sd.low <= spread[name] && spread[name] <= sd.high);
    }
    count.agree += Number(fit.converged);
    worst = Math.max(worst, fit.diagnostics.rHat);
    const products = Array.from({ length: NEW_PRODUCTS }, () => productOf(random));
    const truth = sharesOf(products, Float64Array.from(tastes.flat()));
    for (const [k, share] of sharesOf(products, fit.individual.draws).entries()) {
      const distance = Math.abs(share - truth[k]);
      off += distance / (STUDIES * NEW_PRODUCTS);
      furthest = Math.max(furthest, distance);
    }
  }
  const { user, system } = process.cpuUsage(cpu);
  const intervals = STUDIES * names.length;
  return [
    {
      name: `hierarchical Bayes: ${STUDIES} known truths`,
      n: STUDIES,
      cpuSeconds: (user + system) / 1e6,
      wallSeconds: (performance.now() - wall) / 1000,
      note: `90% intervals cover means ${percent(count.means / intervals)}, spreads ${percent(count.spreads / intervals)}; shares of new products off by ${(100 * off).toFixed(2)} points (at most ${(100 * furthest).toFixed(1)}); chains agree in ${count.agree} (R-hat at most ${worst.toFixed(3)})`,
    },
  ];
}
