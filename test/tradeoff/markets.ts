import { randomSource } from "../../src/numeric/random.js";
import { drawNormal } from "../../src/numeric/sampling.js";
import type { Market } from "../../src/tradeoff/market.js";
import { categoricalAttribute, linearAttribute, type PartWorths } from "../../src/tradeoff/part-worths.js";
import { type SimulationOptions, simulateMarket } from "../../src/tradeoff/simulator.js";

/** Shares of the alternatives of a simulated market. */
export const sharesOf = (partWorths: PartWorths, market: Market, options: SimulationOptions = {}): number[] =>
  simulateMarket(partWorths, market, options).shares.map(({ share }) => share);

const vehicle = categoricalAttribute("vehicle", ["car", "bus"]);
export const comfort = categoricalAttribute("comfort", ["low", "high"]);
const color = categoricalAttribute("colour", ["grey", "red", "blue"]);
export const price = linearAttribute("price", [1, 2, 3, 4, 5]);
export const travel = [vehicle, comfort, color];

/** Travellers who differ, but not in their liking of colours. */
export function travellers(n: number): PartWorths {
  const random = randomSource(11);
  return {
    names: ["vehicle bus", "comfort high", "colour red", "colour blue"],
    respondents: Array.from({ length: n }, (_, who) => who),
    values: Array.from({ length: n }, () =>
      Float64Array.of(1.5 * drawNormal(random), 1 + 0.5 * drawNormal(random), 0, 0),
    ),
  };
}
export const trip = (name: string, own: string, high: string, paint: string) => ({
  name,
  levels: { vehicle: own, comfort: high, colour: paint },
});
export const car = trip("car", "car", "low", "grey");
export const red = trip("red bus", "bus", "low", "red");
export const twin = trip("red bus again", "bus", "low", "red");
