import { expect, it } from "vitest";
import { proportionSampleSize } from "../../src/strategy/holdout-design.js";
import { block, type ReferenceCase } from "./case.js";

/** Holds sample sizes to one `power_` case; its arguments stand in the text of R's call. */
export function runPowerCase(reference: ReferenceCase): void {
  const result = block(reference.content["result"]);
  const [control = 0, treated = 0, power = 0] = Array.from(
    (result["args"] as string).matchAll(/=\s*(\.\d+)/g),
    ([, number]) => Number(number),
  );

  it("customers in each group to tell two shares apart, rounded up", () => {
    const sizes = proportionSampleSize({ control, treated }, { power });
    const needed = Math.ceil(Number(result["power_prop_n_per_group"]));
    expect(sizes).toEqual({ control: needed, treated: needed });
  });

  it.todo("customers in each group to tell two means apart");
}
