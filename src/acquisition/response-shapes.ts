/** Names of the response curves that can be fitted. */
export type ResponseShape = "log" | "negative-exponential" | "hill" | "power" | "adbudg";

/** A curve at one spend: customers won, customers won by one more unit of money, and how both change with the parameters. */
export interface CurvePoint {
  /** Customers won. */
  value: number;
  /** Derivative of the value by the spend. */
  slope: number;
  /** Derivative of the value by each searched parameter. */
  readonly byParameter: Float64Array;
  /** Derivative of the log slope by each searched parameter; only for spends above 0. */
  readonly logSlopeByParameter: Float64Array;
  /** Derivative of the log slope by the log spend; only for spends above 0. */
  logSlopeByLogSpend: number;
}

/** How one shape is computed. The first parameter is always a factor of the whole curve. */
interface Shape {
  /** Names of the parameters; all are above 0. `floorShare` is searched as log odds, the others as logs. */
  readonly names: readonly string[];
  /** Fills the point at a spend from 0 up. */
  readonly evaluate: (parameters: ArrayLike<number>, spend: number, point: CurvePoint) => void;
  /** Spend at which so many customers are won; undefined if no spend wins as many, or every spend wins more. */
  readonly inverse: (parameters: ArrayLike<number>, won: number) => number | undefined;
  /** Parameters other than the first to start a search from, for spends around `spend`. */
  readonly starts: (spend: number) => readonly (readonly number[])[];
}

/** A point to be filled for a shape with this many parameters. */
export const emptyPoint = (size: number): CurvePoint => ({
  value: 0,
  slope: 0,
  byParameter: new Float64Array(size),
  logSlopeByParameter: new Float64Array(size),
  logSlopeByLogSpend: 0,
});

const at = (values: ArrayLike<number>, index: number): number => values[index] as number;

/** Every pair of an element of each list. */
const pairs = (a: readonly number[], b: readonly number[]): number[][] =>
  a.flatMap((x) => b.map((y) => [x, y]));

const log: Shape = {
  names: ["scale", "threshold"],
  evaluate(parameters, spend, point) {
    const [scale, threshold] = [at(parameters, 0), at(parameters, 1)];
    const share = spend / (threshold + spend);
    point.value = scale * Math.log1p(spend / threshold);
    point.slope = scale / (threshold + spend);
    point.byParameter[0] = point.value;
    point.byParameter[1] = -scale * share;
    point.logSlopeByParameter[0] = 1;
    point.logSlopeByParameter[1] = share - 1;
    point.logSlopeByLogSpend = -share;
  },
  inverse: (parameters, won) => at(parameters, 1) * Math.expm1(won / at(parameters, 0)),
  starts: (spend) => [0.01, 0.1, 1, 10].map((part) => [part * spend]),
};

const negativeExponential: Shape = {
  names: ["ceiling", "rate"],
  evaluate(parameters, spend, point) {
    const [ceiling, rate] = [at(parameters, 0), at(parameters, 1)];
    const exponent = rate * spend;
    const left = Math.exp(-exponent);
    point.value = -ceiling * Math.expm1(-exponent);
    point.slope = ceiling * rate * left;
    point.byParameter[0] = point.value;
    point.byParameter[1] = ceiling * exponent * left;
    point.logSlopeByParameter[0] = 1;
    point.logSlopeByParameter[1] = 1 - exponent;
    point.logSlopeByLogSpend = -exponent;
  },
  inverse(parameters, won) {
    const share = won / at(parameters, 0);
    return share < 1 ? -Math.log1p(-share) / at(parameters, 1) : undefined;
  },
  starts: (spend) => [0.1, 0.5, 2, 8].map((times) => [times / spend]),
};

const power: Shape = {
  names: ["scale", "exponent"],
  evaluate(parameters, spend, point) {
    const [scale, exponent] = [at(parameters, 0), at(parameters, 1)];
    const logSpend = Math.log(spend);
    point.value = scale * spend ** exponent;
    point.slope = exponent * scale * spend ** (exponent - 1);
    point.byParameter[0] = point.value;
    point.byParameter[1] = spend === 0 ? 0 : point.value * exponent * logSpend;
    point.logSlopeByParameter[0] = 1;
    point.logSlopeByParameter[1] = 1 + exponent * logSpend;
    point.logSlopeByLogSpend = exponent - 1;
  },
  inverse: (parameters, won) => (won / at(parameters, 0)) ** (1 / at(parameters, 1)),
  starts: () => [0.25, 0.5, 1].map((exponent) => [exponent]),
};

/** ceiling (floorShare + (1 - floorShare) p), p = S^h / (S^h + half^h), with the parameters ceiling, half, h, floorShare. */
function evaluateSigmoid(
  parameters: ArrayLike<number>,
  spend: number,
  point: CurvePoint,
  floor: number,
): void {
  const [ceiling, half, exponent] = [at(parameters, 0), at(parameters, 1), at(parameters, 2)];
  const rise = ceiling * (1 - floor);
  const odds = exponent * Math.log(spend / half);
  const share = 1 / (1 + Math.exp(-odds));
  const bend = spend === 0 ? 0 : rise * share * (1 - share); // derivative by the log odds
  point.value = ceiling * floor + rise * share;
  point.slope = spend === 0 ? slopeAtZero(rise / half, exponent) : (bend * exponent) / spend;
  point.byParameter[0] = point.value;
  point.byParameter[1] = -bend * exponent;
  point.byParameter[2] = spend === 0 ? 0 : bend * odds;
  point.logSlopeByParameter[0] = 1;
  point.logSlopeByParameter[1] = -exponent * (1 - 2 * share);
  point.logSlopeByParameter[2] = 1 + (1 - 2 * share) * odds;
  point.logSlopeByLogSpend = exponent * (1 - 2 * share) - 1;
}

function slopeAtZero(slope: number, exponent: number): number {
  if (exponent === 1) return slope;
  return exponent > 1 ? 0 : Number.POSITIVE_INFINITY;
}

/** Spend at which the sigmoid has risen by a share. */
function sigmoidInverse(parameters: ArrayLike<number>, share: number): number | undefined {
  if (!(share >= 0 && share < 1)) return undefined;
  return at(parameters, 1) * (share / (1 - share)) ** (1 / at(parameters, 2));
}

const sigmoidStarts = (spend: number): number[][] =>
  pairs(
    [0.2, 0.6, 2].map((part) => part * spend),
    [0.7, 1.5, 3],
  );

const hill: Shape = {
  names: ["ceiling", "half", "exponent"],
  evaluate(parameters, spend, point) {
    evaluateSigmoid(parameters, spend, point, 0);
  },
  inverse: (parameters, won) => sigmoidInverse(parameters, won / at(parameters, 0)),
  starts: sigmoidStarts,
};

const adbudg: Shape = {
  names: ["ceiling", "half", "exponent", "floorShare"],
  evaluate(parameters, spend, point) {
    const [ceiling, floor] = [at(parameters, 0), at(parameters, 3)];
    evaluateSigmoid(parameters, spend, point, floor);
    point.byParameter[3] = floor * (ceiling - point.value); // ceiling (1 - p) floor (1 - floor)
    point.logSlopeByParameter[3] = -floor;
  },
  inverse(parameters, won) {
    const [ceiling, floor] = [at(parameters, 0), at(parameters, 3)];
    return sigmoidInverse(parameters, (won / ceiling - floor) / (1 - floor));
  },
  starts: (spend) => sigmoidStarts(spend).flatMap((start) => [0.1, 0.4].map((floor) => [...start, floor])),
};

/** The response curves by name. */
export const shapes: Readonly<Record<ResponseShape, Shape>> = {
  log,
  "negative-exponential": negativeExponential,
  hill,
  power,
  adbudg,
};

/** Names of the shapes, the simple ones first. */
export const shapeNames = Object.keys(shapes) as readonly ResponseShape[];

/** A searched parameter as it is reported: logs and log odds are undone. */
export const natural = (name: string, searched: number): number =>
  name === "floorShare" ? 1 / (1 + Math.exp(-searched)) : Math.exp(searched);

/** A reported parameter as it is searched. */
export const searched = (name: string, value: number): number =>
  name === "floorShare" ? Math.log(value) - Math.log1p(-value) : Math.log(value);

/** Derivative of a reported parameter by the searched one. */
export const naturalSlope = (name: string, value: number): number =>
  name === "floorShare" ? value * (1 - value) : value;
