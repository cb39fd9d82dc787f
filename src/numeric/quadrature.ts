import { requireWhole } from "../core/arguments.js";

/** Nodes and weights of an integration rule on [-1, 1]. */
interface QuadratureRule {
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

const rules = new Map<number, QuadratureRule>();

/**
 * Gauss-Legendre rule with n nodes on [-1, 1], ascending: exact for polynomials up to degree 2 n - 1.
 * Computed once for each n and then shared: do not write into it.
 * @throws RangeError if n is not a whole number from 1 to 1000.
 * @see DLMF 3.5.15-3.5.22; Newton's method from Tricomi's estimate of the zeros.
 */
export function gaussLegendre(n: number): { nodes: Float64Array; weights: Float64Array } {
  requireWhole("n", n, 1, 1000);
  let rule = rules.get(n);
  if (rule === undefined) {
    rule = computeRule(n);
    rules.set(n, rule);
  }
  return rule;
}

/**
 * Calls with every node and weight of a Gauss-Legendre rule on panels over [0, length]: their lengths double from `first`
 * up to `widest`. For functions that change fast at 0 and slowly far from it.
 */
export function overPanels(
  { length, first, widest }: { readonly length: number; readonly first: number; readonly widest: number },
  use: (at: number, weight: number) => void,
): void {
  const { nodes, weights } = gaussLegendre(20);
  let left = 0;
  let step = Math.min(first, widest);
  while (left < length) {
    const half = Math.min(step, length - left) / 2;
    for (let node = 0; node < nodes.length; node++) {
      use(left + half * (1 + (nodes[node] as number)), half * (weights[node] as number));
    }
    left = length - left <= step ? length : left + step;
    step = Math.min(2 * step, widest);
  }
}

function computeRule(n: number): QuadratureRule {
  const nodes = new Float64Array(n);
  const weights = new Float64Array(n);
  for (let i = 0; i < Math.ceil(n / 2); i++) {
    let x =
      2 * i + 1 === n ? 0 : (1 - (1 - 1 / n) / (8 * n * n)) * Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
    let slope = legendre(n, x).slope;
    for (let step = 0; step < 10; step++) {
      const change = legendre(n, x).value / slope;
      x -= change;
      slope = legendre(n, x).slope;
      if (Math.abs(change) <= 1e-16) break;
    }
    const weight = 2 / ((1 - x * x) * slope * slope);
    nodes[i] = -x;
    nodes[n - 1 - i] = x;
    weights[n - 1 - i] = weights[i] = weight;
  }
  return { nodes, weights };
}

/** Legendre's polynomial of degree n and its derivative, by the three-term recurrence. */
function legendre(n: number, x: number): { value: number; slope: number } {
  let previous = 1;
  let value = x;
  for (let k = 2; k <= n; k++) {
    const next = ((2 * k - 1) * x * value - (k - 1) * previous) / k;
    previous = value;
    value = next;
  }
  return { value, slope: (n * (previous - x * value)) / (1 - x * x) };
}
