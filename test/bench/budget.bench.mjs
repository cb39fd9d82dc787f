import { randomSource } from "../../dist/numeric/random.js";
import {
  acquisitionUse,
  adbudgResponse,
  allocateBudget,
  rateResponse,
  retentionUse,
} from "../../dist/strategy/budget.js";
import { allocateJointly } from "../../dist/strategy/joint-budget.js";
import { measure } from "./measure.mjs";

const SEGMENTS = 20;
const CHANNELS = 5;

/** Divides a budget among 20 segments x 5 channels, with falling and with S-shaped returns, and among 20 joint segments. */
export default async function budgetBenchmark() {
  const random = randomSource(1);
  const between = (low, high) => low + (high - low) * random.uniform();
  const cells = Array.from({ length: SEGMENTS * CHANNELS }, (_, cell) => {
    const [segment, channel] = [Math.floor(cell / CHANNELS), cell % CHANNELS];
    return { name: `${segment}/${channel}`, segment: `segment ${segment}`, channel: `channel ${channel}` };
  });
  const concave = cells.map((cell, i) => {
    const response = rateResponse({ ceiling: between(0.05, 0.6), responsiveness: between(0.02, 0.5) });
    const [heads, worth] = [between(1e3, 1e5), between(20, 300)];
    return i % CHANNELS < 3
      ? acquisitionUse({ ...cell, prospects: heads, curve: response, valuePerCustomer: worth })
      : retentionUse({ ...cell, customers: heads, retention: response, valueOfRetained: worth });
  });
  const sShaped = cells.map((cell) => {
    const curve = adbudgResponse({
      ceiling: between(0.1, 0.5),
      halfway: between(1, 10),
      steepness: between(1, 4),
    });
    return acquisitionUse({
      ...cell,
      prospects: between(1e3, 1e4),
      curve,
      valuePerCustomer: between(20, 300),
    });
  });
  const segments = Array.from({ length: SEGMENTS }, (_, segment) => ({
    name: `segment ${segment}`,
    prospects: between(1e3, 1e5),
    customers: between(0, 1e5),
    acquisition: { ceiling: between(0.1, 0.6), responsiveness: between(0.02, 0.3) },
    retention: { ceiling: between(0.5, 0.95), responsiveness: between(0.02, 0.3) },
    margin: between(10, 100),
    discountRate: 0.1,
  }));
  const gap = ({ gap: open, netValue }) => ({ note: `gap ${((100 * open) / netValue).toExponential(1)}%` });
  const jobs = [
    ["budget: 100 concave uses", concave.length, () => allocateBudget(concave, 2e6)],
    ["budget: 100 S-shaped uses", sShaped.length, () => allocateBudget(sShaped, 4e5)],
    ["budget: 20 joint segments", SEGMENTS, () => allocateJointly(segments, 5e6)],
  ];
  const rows = [];
  for (const [name, n, job] of jobs) rows.push(await measure(name, n, job, { runs: 15, ...gap(job()) }));
  return rows;
}
