import { requireRates } from "../core/arguments.js";
import { requireSpend } from "./balance.js";

/** A segment of customers and prospects, each with constant terms per period. */
export interface EquitySegment {
  /** Name that no other segment has. */
  readonly name: string;
  /** Prospects who are addressed now. */
  readonly prospects: number;
  /** Share of them who become customers, a fraction. */
  readonly acquisitionRate: number;
  /** Money spent per prospect. */
  readonly acquisitionSpend: number;
  /** Customers today, who have paid for this period. */
  readonly customers: number;
  /** Money that a customer brings per period before retention spend; may be below 0. */
  readonly margin: number;
  /** Share of customers who stay for another period, a fraction. */
  readonly retentionRate: number;
  /** Money spent per customer and period to keep it. */
  readonly retentionSpend: number;
  /** Sales beyond the margin to customers who stayed; none if left out. */
  readonly addOn?: {
    /** Add-on purchases per customer and period. */
    readonly purchases: number;
    /** Money that one of them brings. */
    readonly margin: number;
    /** Money spent per customer and period to offer them. */
    readonly spend: number;
  };
}

/** What customer equity is made of. */
export interface CustomerEquitySpec {
  readonly segments: readonly EquitySegment[];
  /** Discount rate per period, a fraction: 0.1, not 10. */
  readonly discountRate: number;
  /** Name of the money: "EUR". */
  readonly currency: string;
}

/** How the value of a node follows from its children; an input has none. */
export type EquityFormula = "input" | keyof typeof formulas;

/** A number with the numbers it is made of. */
export interface EquityNode {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly formula: EquityFormula;
  /** The numbers that the formula takes, in its order; none for an input. */
  readonly children: readonly EquityNode[];
}

const formulas = {
  "the sum": (...parts: readonly number[]): number => parts.reduce((sum, part) => sum + part, 0),
  "the product": (...parts: readonly number[]): number => parts.reduce((product, part) => product * part, 1),
  "the first less the second": (first = 0, second = 0): number => first - second,
  "r / (1 + d - r)": (r = 0, d = 0): number => r / (1 + d - r),
  "1 / (1 + d - r)": (r = 0, d = 0): number => 1 / (1 + d - r),
} as const;

/** The value that a node has by the formulas, computed from the inputs below it. */
export function nodeValue({ value, formula, children }: EquityNode): number {
  return formula === "input" ? value : formulas[formula](...children.map(nodeValue));
}

const derived = (
  name: string,
  unit: string,
  formula: keyof typeof formulas,
  children: readonly EquityNode[],
): EquityNode => ({
  name,
  value: formulas[formula](...children.map(({ value }) => value)),
  unit,
  formula,
  children,
});

/**
 * Customer equity taken apart: the sum over the segments of acquisition equity (new customers x first margin - prospects x
 * acquisition spend), retention equity (all customers x what later periods bring at a constant retention rate r and discount
 * rate d, margin r / (1 + d - r) less retention spend 1 / (1 + d - r)) and add-on selling equity (all customers x add-on margin
 * per period r / (1 + d - r)). Each node says from which numbers it follows and how; the leaves are the inputs.
 * @throws RangeError if there are no segments, two have one name, a rate is not a fraction, a number or spend is below 0, a
 * margin is no number, or the value is infinite because nobody leaves and money is not discounted.
 * @see Blattberg, Getz & Thomas (2001), Customer Equity, Harvard Business School Press, for the three parts;
 * Rust, Lemon & Zeithaml (2004), Return on Marketing: Using Customer Equity to Focus Marketing Strategy, J. Marketing 68(1).
 */
export function customerEquityTree(spec: CustomerEquitySpec): EquityNode {
  const { segments, discountRate, currency } = spec;
  requireEquitySpec(spec);
  const equity = derived(
    "customer equity",
    currency,
    "the sum",
    segments.map((segment) => segmentTree(segment, discountRate, currency)),
  );
  return Object.freeze(equity);
}

function segmentTree(segment: EquitySegment, discountRate: number, currency: string): EquityNode {
  const { addOn } = segment;
  const input = (name: string, value: number, unit: string): EquityNode => ({
    name,
    value,
    unit,
    formula: "input",
    children: [],
  });
  const perPeriod = `${currency} per customer and period`;
  const prospects = input("prospects", segment.prospects, "prospects");
  const margin = input("margin", segment.margin, perPeriod);
  const rates = [
    input("retention rate", segment.retentionRate, "share per period"),
    input("discount rate", discountRate, "share per period"),
  ];
  const renewals = derived("discounted renewals", "renewals per customer", "r / (1 + d - r)", rates);
  const efforts = derived("discounted retention efforts", "efforts per customer", "1 / (1 + d - r)", rates);
  const acquired = derived("new customers", "customers", "the product", [
    prospects,
    input("acquisition rate", segment.acquisitionRate, "share of prospects"),
  ]);
  const base = derived("all customers", "customers", "the sum", [
    input("customers today", segment.customers, "customers"),
    acquired,
  ]);
  const acquisition = derived("acquisition equity", currency, "the first less the second", [
    derived("first margins", currency, "the product", [acquired, margin]),
    derived("acquisition cost", currency, "the product", [
      prospects,
      input("acquisition spend", segment.acquisitionSpend, `${currency} per prospect`),
    ]),
  ]);
  const perCustomer = `${currency} per customer`;
  const retention = derived("retention equity", currency, "the product", [
    base,
    derived("value of later periods", perCustomer, "the first less the second", [
      derived("later margins", perCustomer, "the product", [margin, renewals]),
      derived("retention cost", perCustomer, "the product", [
        input("retention spend", segment.retentionSpend, perPeriod),
        efforts,
      ]),
    ]),
  ]);
  const selling =
    addOn &&
    derived("add-on selling equity", currency, "the product", [
      base,
      renewals,
      derived("add-on margin less spend", perPeriod, "the first less the second", [
        derived("add-on margins", perPeriod, "the product", [
          input("add-on purchases", addOn.purchases, "per customer and period"),
          input("add-on margin", addOn.margin, `${currency} per purchase`),
        ]),
        input("add-on spend", addOn.spend, perPeriod),
      ]),
    ]);
  const parts = [acquisition, retention, ...(selling ? [selling] : [])];
  return derived(segment.name, currency, "the sum", parts);
}

/** What a relative change of one input does to customer equity. */
export interface EquitySensitivity {
  /** Segment whose input changes; "all" if it changes in all at once. */
  readonly segment: string;
  /** Name of the input, as in the tree. */
  readonly input: string;
  /** Money that customer equity gains. */
  readonly effect: number;
  /** The gain as a share of customer equity, divided by the change: percent for one percent. */
  readonly elasticity: number;
}

/** What to change, and by how much. */
export interface SensitivityOptions {
  /** Relative change of an input; 0.01, a rise by one percent, if left out. */
  readonly change?: number;
  /** "each segment" by itself unless given; "all segments" changes an input in all of them at once. */
  readonly scope?: "each segment" | "all segments";
}

/** How each input is raised; the discount rate, which all segments share, apart. */
const raised: Readonly<Record<string, (segment: EquitySegment, by: number) => EquitySegment>> = {
  prospects: (segment, by) => ({ ...segment, prospects: segment.prospects * by }),
  "acquisition rate": (segment, by) => ({ ...segment, acquisitionRate: segment.acquisitionRate * by }),
  "acquisition spend": (segment, by) => ({ ...segment, acquisitionSpend: segment.acquisitionSpend * by }),
  "customers today": (segment, by) => ({ ...segment, customers: segment.customers * by }),
  margin: (segment, by) => ({ ...segment, margin: segment.margin * by }),
  "retention rate": (segment, by) => ({ ...segment, retentionRate: segment.retentionRate * by }),
  "retention spend": (segment, by) => ({ ...segment, retentionSpend: segment.retentionSpend * by }),
  "add-on purchases": withAddOn((addOn, by) => ({ ...addOn, purchases: addOn.purchases * by })),
  "add-on margin": withAddOn((addOn, by) => ({ ...addOn, margin: addOn.margin * by })),
  "add-on spend": withAddOn((addOn, by) => ({ ...addOn, spend: addOn.spend * by })),
};

type AddOn = NonNullable<EquitySegment["addOn"]>;

function withAddOn(raise: (addOn: AddOn, by: number) => AddOn) {
  return (segment: EquitySegment, by: number): EquitySegment =>
    segment.addOn ? { ...segment, addOn: raise(segment.addOn, by) } : segment;
}

/**
 * What a change of each input, all others kept, does to customer equity: the largest effect first. An acquisition or retention
 * rate changes without the spend that would be needed for it, so the effect is what such a rise may cost at most. Inputs
 * without any effect (those of an add-on that a segment does not have) are left out.
 * @throws RangeError as `customerEquityTree`, for the inputs before and after the change; if the change is 0 or not above -1;
 * or if customer equity is 0, of which no effect is a share.
 * @see Gupta, Lehmann & Stuart (2004), Valuing Customers, J. Marketing Research 41(1), for elasticities of customer value.
 */
export function equitySensitivities(
  spec: CustomerEquitySpec,
  options: SensitivityOptions = {},
): EquitySensitivity[] {
  const { change = 0.01, scope = "each segment" } = options;
  if (!(change > -1 && change !== 0 && Number.isFinite(change))) {
    throw new RangeError(`change must be a number above -1 other than 0, got ${change}`);
  }
  const { value: before } = customerEquityTree(spec);
  if (before === 0) throw new RangeError("customer equity must not be 0, got 0");
  const names = scope === "all segments" ? ["all"] : spec.segments.map(({ name }) => name);
  const cases = names.flatMap((segment) =>
    Object.entries(raised).map(([input, raise]) => {
      const segments = spec.segments.map((each) =>
        scope === "all segments" || each.name === segment ? raise(each, 1 + change) : each,
      );
      return { segment, input, changed: { ...spec, segments } };
    }),
  );
  const discounted = { ...spec, discountRate: spec.discountRate * (1 + change) };
  return [...cases, { segment: "all", input: "discount rate", changed: discounted }]
    .map(({ segment, input, changed }) => {
      const effect = customerEquityTree(changed).value - before;
      return { segment, input, effect, elasticity: effect / before / change };
    })
    .filter(({ effect }) => effect !== 0)
    .sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect));
}

function requireEquitySpec({ segments, discountRate }: CustomerEquitySpec): void {
  if (segments.length === 0) throw new RangeError("segments must hold at least one segment, got none");
  requireRates({ discountRate });
  for (const [place, segment] of segments.entries()) {
    const { name, acquisitionRate, retentionRate, addOn } = segment;
    if (segments.findIndex((other) => other.name === name) !== place) {
      throw new RangeError(`segments must have different names, got "${name}" twice`);
    }
    requireRates({
      [`acquisitionRate of "${name}"`]: acquisitionRate,
      [`retentionRate of "${name}"`]: retentionRate,
    });
    for (const field of ["prospects", "acquisitionSpend", "customers", "retentionSpend"] as const) {
      requireSpend(`${field} of "${name}"`, segment[field]);
    }
    requireSpend(`addOn.purchases of "${name}"`, addOn?.purchases ?? 0);
    requireSpend(`addOn.spend of "${name}"`, addOn?.spend ?? 0);
    for (const [field, margin] of Object.entries({
      margin: segment.margin,
      "addOn.margin": addOn?.margin ?? 0,
    })) {
      if (!Number.isFinite(margin))
        throw new RangeError(`${field} of "${name}" must be a number, got ${margin}`);
    }
    if (retentionRate === 1 && discountRate === 0) {
      throw new RangeError(
        `the value is infinite: retentionRate of "${name}" is 1 and discountRate 0, so nobody leaves and no money is discounted`,
      );
    }
  }
}
