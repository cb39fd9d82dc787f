import { randomSource } from "../../dist/numeric/random.js";
import { drawNormal } from "../../dist/numeric/sampling.js";

const flag = (random, chance) => Number(random.uniform() < chance);

/** Worlds of the size of two published panels, with tastes like those estimated there. */
export const worlds = {
  yogurt: {
    respondents: 100,
    sets: 2412,
    mean: { price: -0.46, feat: 0.8, hiland: -6, weight: -2.5, yoplait: 0.5 },
    spread: { feat: 0.6, hiland: 4, weight: 3, yoplait: 2.5 },
    profile: (random, k) => ({
      price: 6 + 4 * random.uniform(),
      feat: flag(random, 0.1),
      hiland: Number(k === 1),
      weight: Number(k === 2),
      yoplait: Number(k === 3),
    }),
  },
  electricity: {
    respondents: 361,
    sets: 4308,
    mean: { pf: -0.99, cl: -0.21, loc: 2.3, wk: 1.6, tod: -9.5, seas: -9.7 },
    spread: { pf: 0.22, cl: 0.4, loc: 1.8, wk: 1.2, tod: 2.3, seas: 1.6 },
    profile: (random) => {
      const tariff = Math.floor(3 * random.uniform());
      return {
        pf: tariff === 0 ? 7 + 2 * flag(random, 0.5) : 0,
        cl: [0, 1, 5][Math.floor(3 * random.uniform())],
        loc: flag(random, 0.3),
        wk: flag(random, 0.3),
        tod: Number(tariff === 1),
        seas: Number(tariff === 2),
      };
    },
  },
};

/** Choices of people of known tastes, each the same number of sets. */
export function simulated(
  { respondents, sets, alternatives = 4, mean, spread, profile },
  random = randomSource(2),
) {
  const names = Object.keys(mean);
  const rows = { set: [], respondent: [], chosen: [] };
  const attributes = Object.fromEntries(names.map((name) => [name, []]));
  const people = Array.from({ length: respondents }, () =>
    names.map((name) => mean[name] + (spread[name] ?? 0) * drawNormal(random)),
  );
  for (let set = 0; set < sets; set++) {
    const who = Math.floor((set * respondents) / sets);
    const utilities = [];
    for (let k = 0; k < alternatives; k++) {
      const x = profile(random, k);
      let utility = -Math.log(-Math.log(1 - random.uniform()));
      for (const [j, name] of names.entries()) {
        attributes[name].push(x[name]);
        utility += people[who][j] * x[name];
      }
      utilities.push(utility);
      rows.set.push(set);
      rows.respondent.push(who);
    }
    const best = utilities.indexOf(Math.max(...utilities));
    rows.chosen.push(...utilities.map((_, k) => Number(k === best)));
  }
  return { rows, attributes, people };
}
