import { fitHierarchicalBayes, randomSource, simulateMarket } from "../../dist/index.js";
import { simulated } from "./panels.mjs";

const STUDIES = 200;
const NEW_PRODUCTS = 4;

const yesOrNo = (random) => Number(random.uniform() < 0.5);
const profile = (random) => ({
  organic: yesOrNo(random),
  large: yesOrNo(random),
  fast: yesOrNo(random),
  gift: yesOrNo(random),
  price: 1 + 3 * random.uniform(),
});
const mean = { organic: 0.8, large: -0.4, fast: 0.5, gift: 0.2, price: -0.9 };
const spread = { organic: 1.5, large: 1, fast: 0.5, gift: 1, price: 0.7 };
const world = { respondents: 100, sets: 1200, alternatives: 3, mean, spread, profile };
const names = Object.keys(mean);

/** Products as a market that all tastes of the world can judge. */
const asMarket = (products) => ({
  products: products.map((_, k) => `product ${k + 1}`),
  attributes: Object.fromEntries(names.map((name) => [name, products.map((product) => product[name])])),
});

const percent = (share) => `${(100 * share).toFixed(1)} %`;

/**
 * Hierarchical Bayes against the truth, with default priors and two chains of 300 and 600 sweeps: how many of the 90%
 * intervals of means and standard deviations of the population cover it over 200 simulated studies, how far shares of four
 * new products are off, and whether the chains agree.
 */
export default async function hierarchicalBayesTruth() {
  const count = { means: 0, spreads: 0, shares: 0, agree: 0 };
  let [off, furthest, worst] = [0, 0, 0];
  const cpu = process.cpuUsage();
  const wall = performance.now();
  for (let seed = 1; seed <= STUDIES; seed++) {
    const random = randomSource(seed);
    const { rows, attributes, people } = simulated(world, random);
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
    const market = asMarket(Array.from({ length: NEW_PRODUCTS }, () => profile(random)));
    const values = people.map((taste) => Float64Array.from(taste));
    const truth = simulateMarket({ names, respondents: people.map((_, who) => who), values }, market);
    const { shares } = simulateMarket(fit.individual, market, { from: "draws" });
    for (const [k, { share, low, high }] of shares.entries()) {
      const exact = truth.shares[k].share;
      const distance = Math.abs(share - exact);
      count.shares += Number(low <= exact && exact <= high);
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
      note: `90% intervals cover means ${percent(count.means / intervals)}, spreads ${percent(count.spreads / intervals)}, shares of new products ${percent(count.shares / (STUDIES * NEW_PRODUCTS))}; these are off by ${(100 * off).toFixed(2)} points (at most ${(100 * furthest).toFixed(1)}); chains agree in ${count.agree} (R-hat at most ${worst.toFixed(3)})`,
    },
  ];
}
