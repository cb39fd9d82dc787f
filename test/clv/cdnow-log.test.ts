import { describe, expect, it } from "vitest";
import { bgNbd } from "../../src/clv/bg-nbd.js";
import { purchaseCells } from "../../src/clv/cells.js";
import { paretoNbd } from "../../src/clv/pareto-nbd.js";
import { summarisePurchases } from "../../src/clv/purchase-summary.js";
import { historiesOf } from "../../src/clv/summary-columns.js";
import { numberColumn } from "../../src/core/table.js";
import { cdnowLog, cdnowSkip, hasCdnow } from "./cdnow.js";

const cellsUntil = (log: ReturnType<typeof cdnowLog>, end: string) =>
  purchaseCells(historiesOf(summarisePurchases(log, { end, unit: "weeks" })));
/** Every parameter rounds to the printed digits. */
const expectPrinted = (parameters: Readonly<Record<string, number>>, printed: readonly string[]): void => {
  expect(
    Object.values(parameters).map((value, i) => value.toFixed(printed[i]?.split(".")[1]?.length ?? 0)),
  ).toEqual(printed);
};

describe.skipIf(!hasCdnow)(`from CDNOW's log of purchases${cdnowSkip}`, () => {
  it("all 23,570 customers collapse into 8,685 cells, and both models reach the reference's maximum", () => {
    // Computed in R (BTYD, CLVTools) and Python on the same file, 39 weeks to 1997-09-30.
    const cells = cellsUntil(cdnowLog("cdnow_master.csv"), "1997-09-30");
    expect(cells.x.length).toBe(8685);
    expect(cells.x.reduce((sum, x, cell) => sum + x * (cells.weight[cell] as number), 0)).toBe(24_337);
    expect(Math.max(...cells.x)).toBe(80);
    const [bg, pareto] = [bgNbd.fit(cells), paretoNbd.fit(cells)];
    expect(bg.observations).toBe(23_570);
    expect(bg.logLikelihood).toBeCloseTo(-95_368.444, 3);
    expect(pareto.logLikelihood).toBeCloseTo(-95_415.119, 3);
    expectPrinted(bg.parameters, ["0.25162", "4.78894", "0.72343", "2.16109"]);
    // Printed .59742 11.58565 .52219 8.82777: the search behind them stopped 1e-5 short in alpha and beta.
    expectPrinted(pareto.parameters, ["0.59742", "11.5857", "0.52219", "8.8278"]);
  });

  it("a cut-off one day later is another data set: the end is explicit and included", () => {
    // CLVTools, split = 39: ends on 1997-10-01.
    const cells = cellsUntil(cdnowLog(), "1997-10-01");
    const [bg, pareto] = [bgNbd.fit(cells), paretoNbd.fit(cells)];
    expect(bg.logLikelihood).toBeCloseTo(-9602.861, 3);
    expect(pareto.logLikelihood).toBeCloseTo(-9615.242, 3);
    expectPrinted(bg.parameters, ["0.2419", "4.4018", "0.8031", "2.4619"]);
    const whole = summarisePurchases(cdnowLog(), { end: "1997-09-30", unit: "weeks" });
    expect(bgNbd.fit(purchaseCells(historiesOf(whole))).logLikelihood).toBeCloseTo(-9582.429, 3);
    expect(numberColumn(whole, "x").filter((x) => x > 0).length).toBe(946);
  });
});
