import { paretoNbd, randomSource } from "../../dist/index.js";

const TRUTH = { r: 0.55, alpha: 10.58, s: 0.61, beta: 11.67 };

/** Customers of up to two years who buy on days, times in weeks: Pareto/NBD with about CDNOW's parameters. */
export function drawCustomers(count) {
  const random = randomSource(1);
  const ages = Float64Array.from({ length: count }, () => Math.ceil(730 * random.uniform()) / 7);
  const { x, recency, age } = paretoNbd.simulate(TRUTH, ages, random.stream("purchases"));
  for (let row = 0; row < count; row += 1) recency[row] = Math.min(Math.ceil(recency[row] * 7) / 7, age[row]);
  return { x, recency, age };
}
