import { requireAbove, requireFromZero } from "../core/arguments.js";
import { emptyPoint, type ResponseShape, shapes } from "./response-shapes.js";

/** Customers won as a function of spend: all that predictions need, fitted or published. */
export interface ResponseCurve {
  /** Name of the formula: see `fitResponseCurve`. */
  readonly shape: ResponseShape;
  /** Its parameters by name. */
  readonly parameters: Readonly<Record<string, number>>;
  /**
   * How many times as much it costs in each segment to win the same share of the pool as in the first one, which has 1;
   * left out if all customers come from one pool.
   */
  readonly costFactors?: Readonly<Record<string, number>>;
}

/** Which of several pools of possible customers is meant. */
export interface Pool {
  /** Segment with a cost factor; needed if the curve has any. */
  readonly segment?: string;
  /** Size of the pool in the unit that the curve was fitted with; default 1. */
  readonly exposure?: number;
}

/** A response curve as an optimiser of budgets takes it. */
export interface ResponseFunctions {
  /** Customers won at a spend. */
  readonly response: (spend: number) => number;
  /** Customers won by one more unit of money at a spend: see `marginalResponse`. */
  readonly marginal: (spend: number) => number;
  /** Spend up to which returns increase, Infinity if they do without end; left out if they never do. See `curveForm`. */
  readonly inflection?: number;
}

/**
 * Customers won at a spend, from 0 up, in the period of the data that the curve was fitted to.
 * @throws RangeError if a parameter is missing or not allowed, the spend is below 0, the pool is unknown or not above 0.
 */
export const responseAt = (curve: ResponseCurve, spend: number, pool: Pool = {}): number =>
  responseFunctions(curve, pool).response(spend);

/**
 * Customers won by one more unit of money at a spend: the derivative of the response. At 0 it is 0 for an S-shaped curve,
 * and Infinity for a "power" or "hill" curve with an exponent below 1.
 * @throws RangeError as `responseAt`.
 */
export const marginalResponse = (curve: ResponseCurve, spend: number, pool: Pool = {}): number =>
  responseFunctions(curve, pool).marginal(spend);

/**
 * The response of one pool and its derivative as functions of the spend, with the inflection: what the allocation of a budget
 * takes.
 * @throws RangeError as `responseAt`; so do the functions for a spend below 0.
 */
export function responseFunctions(curve: ResponseCurve, pool: Pool = {}): ResponseFunctions {
  const { evaluate } = shapes[curve.shape];
  const parameters = parameterList(curve);
  const { exposure, factor } = readPool(curve, pool);
  const inflection = inflectionOf(curve.parameters);
  const point = emptyPoint(parameters.length);
  const at = (spend: number): typeof point => {
    requireFromZero({ spend });
    evaluate(parameters, spend / (exposure * factor), point);
    return point;
  };
  return {
    response: (spend) => exposure * at(spend).value,
    marginal: (spend) => at(spend).slope / factor,
    ...(inflection > 0 && { inflection: inflection * exposure * factor }),
  };
}

/** Spend up to which a curve is convex, in a pool of size and cost factor 1; 0 if it is concave. */
function inflectionOf({ exponent = 0, half }: ResponseCurve["parameters"]): number {
  if (half === undefined) return exponent >= 1 ? Number.POSITIVE_INFINITY : 0;
  return exponent > 1 ? half * ((exponent - 1) / (exponent + 1)) ** (1 / exponent) : 0;
}

/**
 * Spend at which so many customers are won: the inverse of `responseAt`.
 * @throws RangeError as `responseAt`, or if no spend wins as many, or (with a floor) as few.
 */
export function spendFor(curve: ResponseCurve, won: number, pool: Pool = {}): number {
  const { exposure, factor } = readPool(curve, pool);
  requireFromZero({ won });
  const parameters = parameterList(curve);
  const spend = shapes[curve.shape].inverse(parameters, won / exposure);
  if (spend !== undefined) return spend * exposure * factor;
  const { ceiling = 0, floorShare = 0 } = curve.parameters;
  const floor = floorShare * ceiling * exposure;
  const from = floor === 0 ? "below" : `from the floor ${floor} to below`;
  throw new RangeError(`won must be ${from} the ceiling ${ceiling * exposure}, got ${won}`);
}

/** Where a curve bends up and where down. */
export type CurveForm =
  /** Each unit of money wins less than the one before: the first one is the cheapest. */
  | { readonly form: "concave" }
  /** Each unit of money wins at least as much as the one before, without end: outside the data hardly believable. */
  | { readonly form: "convex" }
  /** Convex up to the inflection, concave from there on. */
  | {
      readonly form: "S-shaped";
      /** Spend at which one more customer costs least. */
      readonly inflection: number;
      /** What one more customer costs there: the least marginal cost of all spends. */
      readonly marginalCost: number;
    };

/**
 * Whether a curve is concave or S-shaped, and where its marginal cost is lowest: half ((h - 1) / (h + 1))^(1 / h) for a
 * "hill" or "adbudg" curve with an exponent h above 1.
 * @throws RangeError as `responseAt`.
 */
export function curveForm(curve: ResponseCurve, pool: Pool = {}): CurveForm {
  const { marginal, inflection } = responseFunctions(curve, pool);
  if (inflection === undefined) return { form: "concave" };
  if (inflection === Number.POSITIVE_INFINITY) return { form: "convex" };
  return { form: "S-shaped", inflection, marginalCost: 1 / marginal(inflection) };
}

/**
 * Blattberg & Deighton's curve from one observed point and a judged ceiling: W = ceiling (1 - e^(-rate S)) with
 * rate = ln(ceiling / (ceiling - won)) / spend. Customers won may also be shares of the prospects.
 * @throws RangeError if the spend or won is not above 0, or the ceiling is not above won.
 * @see Blattberg & Deighton (1996), Manage Marketing by the Customer Equity Test, Harvard Business Review 74(4).
 */
export function curveFromCeiling(point: {
  /** Customers won however much is spent: a judgement. */
  readonly ceiling: number;
  /** Money spent. */
  readonly spend: number;
  /** Customers won by it. */
  readonly won: number;
}): ResponseCurve {
  const { ceiling, spend, won } = point;
  requireAbove("spend", spend, 0);
  requireAbove("won", won, 0);
  requireAbove("ceiling", ceiling, won);
  const rate = -Math.log1p(-won / ceiling) / spend;
  return Object.freeze({ shape: "negative-exponential", parameters: Object.freeze({ ceiling, rate }) });
}

/** Four answers of a manager who knows the market. */
export interface ResponseJudgement {
  /** Customers won without spending, from 0 up. */
  readonly atZero: number;
  /** Customers won however much is spent. */
  readonly atSaturation: number;
  /** What is spent today, and wins. */
  readonly today: { readonly spend: number; readonly won: number };
  /** What would be won by another spend, say half as much again. */
  readonly other: { readonly spend: number; readonly won: number };
}

/**
 * Decision calculus: the curve through four judged answers, W = floor + (ceiling - floor) S^h / (S^h + half^h), exactly:
 * "adbudg", or "hill" if nothing is won without spending. (Little writes delta for half^h and gamma for h.)
 * @throws RangeError if the answers do not rise with the spend from `atZero` to `atSaturation`.
 * @see Little (1970), Models and Managers: The Concept of a Decision Calculus, Management Science 16(8).
 */
export function decisionCalculus({ atZero, atSaturation, today, other }: ResponseJudgement): ResponseCurve {
  requireFromZero({ atZero });
  const [less, more] = today.spend < other.spend ? [today, other] : [other, today];
  requireAbove("spend", less.spend, 0);
  requireAbove("the larger spend", more.spend, less.spend);
  requireAbove("won at the smaller spend", less.won, atZero);
  requireAbove("won at the larger spend", more.won, less.won);
  requireAbove("atSaturation", atSaturation, more.won);
  const logOdds = ({ won }: { readonly won: number }): number =>
    Math.log((won - atZero) / (atSaturation - won));
  const exponent = (logOdds(more) - logOdds(less)) / Math.log(more.spend / less.spend);
  const half = less.spend * Math.exp(-logOdds(less) / exponent);
  const hill = { ceiling: atSaturation, half, exponent };
  return atZero === 0
    ? Object.freeze({ shape: "hill", parameters: Object.freeze(hill) })
    : Object.freeze({
        shape: "adbudg",
        parameters: Object.freeze({ ...hill, floorShare: atZero / atSaturation }),
      });
}

/** Parameters in the order of the shape. */
export function parameterList({ shape, parameters }: ResponseCurve): number[] {
  return shapes[shape].names.map((name) => {
    const value = parameters[name];
    const isShare = name === "floorShare";
    if (value !== undefined && value > 0 && value < (isShare ? 1 : Number.POSITIVE_INFINITY)) return value;
    const allowed = isShare ? "a share between 0 and 1" : "a number above 0";
    throw new RangeError(`parameter ${name} of shape ${shape} must be ${allowed}, got ${value}`);
  });
}

/** Size and cost factor of a pool, and where the factor stands (0 for the first segment). */
export function readPool(
  { costFactors = {} }: ResponseCurve,
  { segment, exposure = 1 }: Pool,
): { readonly exposure: number; readonly factor: number; readonly place: number } {
  requireAbove("exposure", exposure, 0);
  const segments = Object.keys(costFactors);
  if (segments.length === 0 && segment === undefined) return { exposure, factor: 1, place: 0 };
  const place = segments.indexOf(segment ?? "");
  const factor = costFactors[segment ?? ""];
  if (factor === undefined) {
    const allowed = segments.length === 0 ? "left out for a curve without cost factors" : segments.join(", ");
    throw new RangeError(
      `segment must be ${segments.length === 0 ? "" : "one of "}${allowed}, got ${segment ?? "none"}`,
    );
  }
  requireAbove(`cost factor of ${segment}`, factor, 0);
  return { exposure, factor, place };
}
