/**
 * SVG paths as chains of short straight lines, to measure them.
 * @module
 * @see https://www.w3.org/TR/SVG11/paths.html and its appendix F.6 for arcs
 */

export type Point = readonly [x: number, y: number];

const pieces = 16; // straight lines for one curve: off by less than a tenth of a pixel on the marks Plotly draws

/** How many numbers each command takes; the last two say where it ends. */
const arity: Readonly<Record<string, number>> = { M: 2, L: 2, T: 2, H: 1, V: 1, C: 6, S: 4, Q: 4, A: 7 };

/** The path's pieces, each from one `M` to the next, as the points they pass through. */
export function pathChains(d: string): readonly (readonly Point[])[] {
  const chains: Point[][] = [];
  let chain: Point[] = [];
  let at: Point = [0, 0];
  let handle: Point | undefined; // the last curve's second control point, which S and T mirror
  for (const { command, values } of segments(d)) {
    if (command.toUpperCase() === "Z") {
      at = chain[0] ?? at;
      chain.push(at);
      handle = undefined;
      continue;
    }
    const points = absolute(command, values, at);
    const end = points[points.length - 1] ?? at;
    if (command.toUpperCase() === "M") {
      chain = [end];
      chains.push(chain);
    } else {
      if (chain.length === 0) {
        chain = [at];
        chains.push(chain);
      }
      chain.push(...curve(command.toUpperCase(), at, points, values, handle));
    }
    handle = /[CSQT]/i.test(command) ? controlOf(command.toUpperCase(), at, points, handle) : undefined;
    at = end;
  }
  return chains;
}

/** Length of a path in pixels. */
export function pathLength(d: string): number {
  return lines(d).reduce((sum, [from, to]) => sum + distance(from, to), 0);
}

/** The point of a path that lies `length` pixels after its start; its ends for lengths beyond them. */
export function pointAlong(d: string, length: number): Point {
  let left = Math.max(0, length);
  let end: Point = pathChains(d)[0]?.[0] ?? [0, 0];
  for (const [from, to] of lines(d)) {
    const step = distance(from, to);
    if (left <= step && step > 0) return between(from, to, left / step);
    left -= step;
    end = to;
  }
  return end;
}

interface Segment {
  readonly command: string;
  readonly values: readonly number[];
}

function segments(d: string): Segment[] {
  return Array.from(d.matchAll(/([a-zA-Z])([^a-zA-Z]*)/g)).flatMap(([, letter = "", list = ""]) => {
    const count = arity[letter.toUpperCase()];
    if (count === undefined) return letter.toUpperCase() === "Z" ? [{ command: letter, values: [] }] : [];
    const numbers = (list.match(/[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?/gi) ?? []).map(Number);
    return Array.from({ length: Math.floor(numbers.length / count) }, (_, index) => ({
      command: index > 0 && letter.toUpperCase() === "M" ? (letter === "M" ? "L" : "l") : letter,
      values: numbers.slice(index * count, (index + 1) * count),
    }));
  });
}

/** The points a command names, control points first, in coordinates of the picture. */
function absolute(command: string, values: readonly number[], [x, y]: Point): Point[] {
  const letter = command.toUpperCase();
  const [dx, dy] = command === letter ? [0, 0] : [x, y];
  const [first = 0] = values;
  if (letter === "H") return [[first + dx, y]];
  if (letter === "V") return [[x, first + dy]];
  const named = letter === "A" ? values.slice(5) : values;
  return Array.from({ length: named.length / 2 }, (_, index) => [
    (named[2 * index] ?? 0) + dx,
    (named[2 * index + 1] ?? 0) + dy,
  ]);
}

function controlOf(letter: string, at: Point, points: readonly Point[], handle: Point | undefined): Point {
  if (letter === "T") return mirrored(handle ?? at, at);
  return points[points.length - 2] ?? at;
}

const mirrored = ([x, y]: Point, [centreX, centreY]: Point): Point => [2 * centreX - x, 2 * centreY - y];

function curve(
  letter: string,
  at: Point,
  points: readonly Point[],
  values: readonly number[],
  handle: Point | undefined,
): readonly Point[] {
  const [first = at, second = first, third = second] = points;
  switch (letter) {
    case "C":
      return bezier([at, first, second, third]);
    case "S":
      return bezier([at, mirrored(handle ?? at, at), first, second]);
    case "Q":
      return bezier([at, first, second]);
    case "T":
      return bezier([at, mirrored(handle ?? at, at), first]);
    case "A":
      return arc(at, first, values);
    default:
      return [first];
  }
}

/** Points of a Bézier curve by de Casteljau's algorithm, its start left out. */
function bezier(control: readonly Point[]): readonly Point[] {
  return Array.from({ length: pieces }, (_, index) => {
    let points = control;
    while (points.length > 1) {
      points = points
        .slice(1)
        .map((point, place) => between(points[place] ?? point, point, (index + 1) / pieces));
    }
    return points[0] ?? [0, 0];
  });
}

/** Points of an elliptical arc, its start left out. */
function arc(
  from: Point,
  to: Point,
  [rx = 0, ry = 0, rotation = 0, large = 0, sweep = 0]: readonly number[],
): readonly Point[] {
  if (rx === 0 || ry === 0) return [to];
  const turn = (rotation * Math.PI) / 180;
  const [halfX, halfY] = rotated([(from[0] - to[0]) / 2, (from[1] - to[1]) / 2], -turn);
  const stretch = Math.max(1, Math.hypot(halfX / rx, halfY / ry));
  const [a, b] = [Math.abs(rx) * stretch, Math.abs(ry) * stretch];
  const reach = (halfX / a) ** 2 + (halfY / b) ** 2;
  const offset = (large === sweep ? -1 : 1) * Math.sqrt(Math.max(0, 1 / reach - 1));
  const centre: Point = [(offset * a * halfY) / b, (-offset * b * halfX) / a];
  const [shiftX, shiftY] = rotated(centre, turn);
  const start = Math.atan2((halfY - centre[1]) / b, (halfX - centre[0]) / a);
  const end = Math.atan2((-halfY - centre[1]) / b, (-halfX - centre[0]) / a);
  const full = 2 * Math.PI;
  const angle =
    sweep === 0 ? -((((start - end) % full) + full) % full) : (((end - start) % full) + full) % full;
  return Array.from({ length: pieces }, (_, index) => {
    const t = start + (angle * (index + 1)) / pieces;
    const [x, y] = rotated([a * Math.cos(t), b * Math.sin(t)], turn);
    return [x + shiftX + (from[0] + to[0]) / 2, y + shiftY + (from[1] + to[1]) / 2];
  });
}

const rotated = ([x, y]: Point, angle: number): Point => [
  x * Math.cos(angle) - y * Math.sin(angle),
  x * Math.sin(angle) + y * Math.cos(angle),
];

function lines(d: string): readonly (readonly [Point, Point])[] {
  return pathChains(d).flatMap((chain) =>
    chain.slice(1).map((to, index) => [chain[index] ?? to, to] as const),
  );
}

const distance = (from: Point, to: Point): number => Math.hypot(to[0] - from[0], to[1] - from[1]);

const between = (from: Point, to: Point, share: number): Point => [
  from[0] + (to[0] - from[0]) * share,
  from[1] + (to[1] - from[1]) * share,
];
