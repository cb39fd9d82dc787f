import { describe, expect, it } from "vitest";
import { admissibleModels, requireRightWords } from "../../src/clv/routing.js";

describe("model routing", () => {
  it.each([
    // Fader & Hardie (2009), figure 1, and the model they give for each quadrant.
    [false, false, "Pareto/NBD", "MBG/NBD"],
    [false, true, "BG/BB", "BG/BB"],
    [true, false, "exponential-gamma (survival models)", "exponential-gamma (survival models)"],
    [true, true, "sBG", "sBG"],
  ])("contractual %s, discrete %s: %s is admitted, %s comes first", (contractual, discrete, model, start) => {
    const routing = admissibleModels({ contractual, discrete });
    expect(routing.models).toContain(model);
    expect(routing.start).toBe(start);
    expect(routing.source).toContain("Fader & Hardie (2009)");
  });

  it("admits no model in two quadrants, and starts with an admitted one", () => {
    const settings = [true, false].flatMap((contractual) =>
      [true, false].map((discrete) => ({ contractual, discrete })),
    );
    const models = settings.flatMap((setting) => admissibleModels(setting).models);
    expect(new Set(models).size).toBe(models.length);
    for (const setting of settings) {
      for (const regularity of [0.8, 2.5]) {
        const { models: admitted, start } = admissibleModels({ ...setting, regularity });
        expect(admitted).toContain(start);
      }
    }
  });

  it("starts with Erlang gaps where buying is regular, and only there", () => {
    const setting = { contractual: false, discrete: false };
    expect(admissibleModels({ ...setting, regularity: 1.8 })).toMatchObject({
      start: "MBG/CNBD-k",
      why: expect.stringContaining("(k = 1.8)") as string,
    });
    expect(admissibleModels({ ...setting, regularity: 1.1 }).start).toBe("MBG/NBD");
    expect(admissibleModels({ contractual: true, discrete: true, regularity: 1.8 }).start).toBe("sBG");
  });

  it("gives each setting its words, and refuses those that claim more than was observed", () => {
    const shop = { contractual: false, discrete: false };
    const club = { contractual: true, discrete: true };
    expect(admissibleModels(club).words.right).toContain("retention rate");
    expect(admissibleModels(shop).words.right).toContain("repeat-buying rate");
    expect(requireRightWords("Retention rate by cohort", club)).toBe("Retention rate by cohort");
    expect(requireRightWords("Repeat-buying rate by cohort", shop)).toBe("Repeat-buying rate by cohort");
    expect(() => requireRightWords("Retention rate by cohort", shop)).toThrow(
      new RangeError(
        '"Retention rate by cohort" must not say retention: leaving is not observed here; ' +
          "say repeat-buying rate, P(alive), active share, expected purchases",
      ),
    );
    expect(() => requireRightWords("p(alive) of members", club)).toThrow("leaving is observed here");
    for (const setting of [shop, club]) {
      for (const word of admissibleModels(setting).words.right) {
        expect(requireRightWords(word, setting)).toBe(word);
      }
    }
  });

  it.each([
    [
      { contractual: true, discrete: true, churnObserved: false },
      "churnObserved must be true where contractual is true: a contract has an end that is on record. " +
        "Get the days of cancellation, or, if customers can stop without telling, say contractual: false",
    ],
    [
      { contractual: false, discrete: false, churnObserved: true },
      "churnObserved must be false where contractual is false: without a contract nobody sees a customer leave. " +
        "If the day of leaving is on record, say contractual: true; a rule such as no purchase in a year is no record",
    ],
    [{ contractual: false, discrete: false, regularity: 0 }, "regularity must be a number above 0, got 0"],
  ])("refuses %j", (setting, message) => {
    expect(() => admissibleModels(setting)).toThrow(new RangeError(message));
  });
});
