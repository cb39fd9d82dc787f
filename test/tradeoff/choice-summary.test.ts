import { expect, it } from "vitest";
import { randomSource } from "../../src/numeric/random.js";
import { choiceSummary } from "../../src/tradeoff/choice-summary.js";
import { fitConditionalLogit } from "../../src/tradeoff/conditional-logit.js";
import { fitLatentClassLogit } from "../../src/tradeoff/latent-class.js";
import { fitMixedLogit } from "../../src/tradeoff/mixed-logit.js";
import { fitNestedLogit } from "../../src/tradeoff/nested-logit.js";
import { fitStudy } from "./fit-study.js";
import { simulatedStudy } from "./worlds.js";

const { rows, attributes } = simulatedStudy(
  { mean: { price: -0.5, fast: 1 }, spread: { fast: 1 } },
  { respondents: 60, tasks: 8, seed: 3 },
);
const size = "480 choices of 60 respondents";

it("tells coefficients, fit and test of a conditional logit", () => {
  // Ten choose the first of two alternatives, thirty the other: log odds of ln 3, with an error of sqrt(1/10 + 1/30).
  const chosen = Array.from({ length: 40 }, (_, set) => (set < 10 ? [1, 0] : [0, 1])).flat();
  const set = chosen.map((_, row) => Math.floor(row / 2));
  const lines = choiceSummary(
    fitConditionalLogit({ set, chosen }, { second: chosen.map((_, row) => row % 2) }),
  ).split("\n");
  expect(lines[0]).toBe("conditional logit (standard errors of the model): 40 choices of 40 respondents");
  expect(lines[2]).toBe("covariate  coefficient  std. error     95% interval      p");
  expect(lines[3]).toBe("second           1.099      0.3651  0.3829 to 1.814  0.003");
  expect(lines[5]).toBe("log-likelihood -22.49, -27.73 with equal shares, McFadden's R2 0.189");
  expect(lines[6]).toBe("root likelihood 0.570, AIC 46.99, BIC 48.68");
  expect(lines[7]).toBe("likelihood-ratio test: chi-squared 10.46 on 1 degree of freedom, p 0.001");
  expect(lines).toHaveLength(8);
});

it("adds what only some models have", async () => {
  const nests = Array.from(rows.set, (_, row) => ["a", "a", "b"][row % 3] as string);
  const nested = choiceSummary(fitNestedLogit(rows, attributes, { nests, errors: "respondent" }));
  expect(nested).toContain(`nested logit (robust standard errors by respondent): ${size}`);
  expect(nested).toMatch(/^dissimilarities: a [\d.]+ \(standard error [\d.]+\), b 1\.000$/m);
  expect(nested).toMatch(/^independence test: chi-squared [\d.]+ on 1 degree of freedom, p [\d.<]+$/m);

  const mixed = fitMixedLogit(rows, attributes, {
    tastes: { fast: "normal" },
    draws: 64,
    random: randomSource(1),
  });
  expect(choiceSummary(mixed)).toMatch(/^sd fast +[\d.]+ +[\d.]+ +[\d.]+ to [\d.]+ +[\d.<]+$/m);
  expect(choiceSummary(mixed)).toMatch(/^-[\d.]+ if all had the same tastes; 64 sobol draws a respondent$/m);

  const classes = await fitLatentClassLogit(rows, attributes, {
    classes: 2,
    random: randomSource(1),
    workers: 0,
  });
  const text = choiceSummary(classes);
  expect(text).toContain(`class 2: ${(100 * (classes.classes[1]?.share ?? 0)).toFixed(1)}% of respondents`);
  expect(text.match(/^price /gm)).toHaveLength(2);
  expect(text).toMatch(/entropy R2 0\.\d{3}; \d+ of \d+ searches agree$/m);
});

it("tells posterior and agreement of the chains of hierarchical Bayes", async () => {
  const age = Array.from({ length: 60 }, (_, who) => 20 + who);
  const fit = await fitStudy(
    { rows, attributes },
    { warmup: 100, iterations: 200, covariates: { age }, constraints: { fast: "positive" } },
  );
  const text = choiceSummary(fit);
  const { mean = 0, rHat = 0 } = fit.population["fast"] ?? {};
  expect(text).toContain(`hierarchical Bayes logit (2 chains of 200 sweeps): ${size}`);
  expect(text).toMatch(/^covariate +mean +sd +90% interval +R-hat +ESS$/m);
  expect(text).toMatch(
    new RegExp(`^fast +${mean.toPrecision(4)} +[\\d.]+ +[\\d.]+ to [\\d.]+ +${rHat.toFixed(3)} +\\d+$`, "m"),
  );
  expect(text.match(/^sd /gm)).toHaveLength(2);
  expect(text.match(/^age on /gm)).toHaveLength(2);
  expect(text.match(/^(sd|age on) log fast +/gm)).toHaveLength(2);
  expect(text).toMatch(/^chains (do not )?agree: R-hat at most 1\.\d{3}, ESS at least \d+, of limits \d+$/m);
});

it("says what is not determined instead of a number", () => {
  const fit = fitConditionalLogit(rows, attributes);
  const { fast: _, ...standardErrors } = fit.standardErrors;
  expect(choiceSummary({ ...fit, standardErrors })).toMatch(/^fast +[\d.]+ +not determined$/m);
});
