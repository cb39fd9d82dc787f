import { describe, expect, it } from "vitest";
import { fitAcceleratedFailure } from "../../src/retention/accelerated-failure.js";
import { fitFineGray } from "../../src/retention/competing-risks.js";
import { fitCox } from "../../src/retention/cox.js";
import { covariateEffects, survivalSummary } from "../../src/retention/hazard-summary.js";
import { remission } from "./worlds.js";

const { placebo } = remission;
const fit = fitCox(remission, { placebo }, { ties: "breslow" });

describe("summary of a survival model", () => {
  it("tells the hazard ratio of Cox (1972): coefficient 1.509, standard error 0.410, with Breslow's ties", () => {
    const [effect] = covariateEffects(fit);
    expect(effect?.factor).toBeCloseTo(4.523, 3); // printed by R's survival for these data
    expect(effect?.low).toBeCloseTo(2.027, 3);
    expect(effect?.high).toBeCloseTo(10.094, 3);
    const text = survivalSummary(fit);
    expect(text).toContain("Cox (breslow ties, standard errors of the model): 42 rows, 30 events");
    expect(text).toMatch(/^placebo +1\.509 +0\.4096 +4\.523 +2\.027 to 10\.09 +<0\.001$/m);
    expect(text).toMatch(/likelihood-ratio test: chi-squared 15\.21 on 1 degree of freedom/);
    expect(text).toMatch(/concordance 0\.690, standard error 0\.041$/);
  });

  it("gives lifetimes instead of hazards for an accelerated failure model, the intercept apart", () => {
    const weibull = fitAcceleratedFailure(remission, { placebo });
    expect(covariateEffects(weibull).map(({ covariate }) => covariate)).toEqual(["placebo"]);
    const text = survivalSummary(weibull);
    expect(text).toContain("accelerated failure time, weibull: 42 rows, 30 events");
    expect(text).toContain("lifetime factor");
    expect(text).toMatch(/^intercept 3\.516, scale 0\.7322$/m); // Kalbfleisch & Prentice's data, as R prints them
    expect(text).not.toContain("concordance");
  });

  it("names cause and competing events of a Fine-Gray model", () => {
    const cause = remission.event.map((left, i) => (left === 0 ? 0 : i % 3 === 0 ? "moved" : "cancelled"));
    const text = survivalSummary(
      fitFineGray({ time: remission.time, cause }, { placebo }, { cause: "cancelled" }),
    );
    const moved = cause.filter((one) => one === "moved").length;
    expect(text).toContain(`Fine-Gray, cause cancelled (efron ties, robust standard errors): 42 rows`);
    expect(text).toContain(`${moved} of other causes`);
  });

  it("widens with the level, and refuses a level in percent", () => {
    const [narrow] = covariateEffects(fit, 0.5);
    expect(narrow?.high).toBeLessThan(covariateEffects(fit, 0.9)[0]?.high ?? 0);
    expect(() => covariateEffects(fit, 95)).toThrow("level must be between 0 and 1, got 95");
  });
});
