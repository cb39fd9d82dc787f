/**
 * Where SVG elements lie, computed from their attributes: what a browser's layout would answer to `getBBox` and
 * `getBoundingClientRect`, for the elements that Plotly draws.
 * @module
 */
import { type Point, pathChains } from "./svg-path.js";
import { lineExtent, type TextFont, textWidth } from "./text-width.js";

/** A rectangle by its edges, in pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Maps (x, y) to (a x + c y + e, b x + d y + f), as `matrix(a b c d e f)`. */
type Matrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

const identity: Matrix = [1, 0, 0, 1, 0, 0];
const undrawn = new Set(["defs", "clipPath", "title", "style", "mask", "pattern", "linearGradient"]);

/** The box of an element in its own coordinates, before its `transform`; undefined if it draws nothing. */
export function ownBox(element: Element): Box | undefined {
  if (undrawn.has(element.localName) || styleOf(element, "display") === "none") return undefined;
  switch (element.localName) {
    case "text":
      return textBox(element);
    case "rect":
    case "image":
      return rectangle(numberOf(element, "x"), numberOf(element, "y"), sizeOf(element));
    case "circle":
      return around(numberOf(element, "cx"), numberOf(element, "cy"), numberOf(element, "r"));
    case "line":
      return hull([
        [numberOf(element, "x1"), numberOf(element, "y1")],
        [numberOf(element, "x2"), numberOf(element, "y2")],
      ]);
    case "path":
      return hull(pathChains(element.getAttribute("d") ?? "").flat());
    default:
      return union(Array.from(element.children, outerBox));
  }
}

/** The box of an element as the page sees it: all transforms up to the root applied. An empty element is a point. */
export function pageBox(element: Element): Box {
  let box = outerBox(element) ?? { left: 0, top: 0, right: 0, bottom: 0 };
  for (let parent = element.parentElement; parent; parent = parent.parentElement) {
    box = transformed(box, matrixOf(parent));
  }
  return box;
}

/** Width of a text or text span in pixels, its longest line if it has several. */
export function textLength(element: Element): number {
  const lines = linesOf(element);
  if (lines.length > 0) return Math.max(...lines.map(runWidth));
  return runWidth(element);
}

/** The font of an element: its own style or that of the nearest element around it that sets one. */
export function fontOf(element: Element): TextFont {
  const weight = inherited(element, "font-weight");
  return {
    size: fontSize(element),
    bold: weight === "bold" || weight === "bolder" || Number(weight) >= 600,
    monospace: /mono|courier|consolas|menlo/i.test(inherited(element, "font-family")),
  };
}

/** Plotly writes one span of class "line" for each line of a text that has several. */
export const linesOf = (text: Element): readonly Element[] =>
  Array.from(text.children).filter((child) => child.getAttribute("class") === "line");

function outerBox(element: Element): Box | undefined {
  const box = ownBox(element);
  return box && transformed(box, matrixOf(element));
}

function textBox(text: Element): Box | undefined {
  if (text.textContent === "") return undefined;
  const lines = linesOf(text);
  return union((lines.length > 0 ? lines : [text]).map(lineBox));
}

function lineBox(line: Element): Box {
  const { size } = fontOf(line);
  const width = runWidth(line);
  const x = numberOf(line, "x");
  const anchor = inherited(line, "text-anchor");
  const left = anchor === "middle" ? x - width / 2 : anchor === "end" ? x - width : x;
  const baseline = numberOf(line, "y") + lengthOf(line.getAttribute("dy") ?? "0", size);
  return {
    left,
    right: left + width,
    top: baseline - lineExtent.ascent * size,
    bottom: baseline + lineExtent.descent * size,
  };
}

function runWidth(element: Element): number {
  const font = fontOf(element);
  return Array.from(element.childNodes).reduce((width, child) => {
    if (child.nodeType === child.TEXT_NODE) return width + textWidth(child.textContent ?? "", font);
    return isElement(child) ? width + runWidth(child) : width;
  }, 0);
}

const isElement = (node: Node): node is Element => node.nodeType === node.ELEMENT_NODE;

function fontSize(element: Element): number {
  const own = styleOf(element, "font-size");
  const around = (): number => (element.parentElement ? fontSize(element.parentElement) : 12);
  return own === ""
    ? around()
    : own.endsWith("%")
      ? (around() * Number.parseFloat(own)) / 100
      : lengthOf(own, 12);
}

/** "1.3em", "14px" or "14" in pixels. */
function lengthOf(text: string, em: number): number {
  const value = Number.parseFloat(text);
  if (Number.isNaN(value)) return 0;
  return text.trim().endsWith("em") ? value * em : value;
}

function inherited(element: Element, property: string): string {
  for (let at: Element | null = element; at; at = at.parentElement) {
    const value = styleOf(at, property);
    if (value !== "") return value;
  }
  return "";
}

/** One declaration of an element: from its `style`, else the attribute of that name. */
function styleOf(element: Element, property: string): string {
  for (const declaration of (element.getAttribute("style") ?? "").split(";")) {
    const colon = declaration.indexOf(":");
    if (declaration.slice(0, colon).trim() === property) return declaration.slice(colon + 1).trim();
  }
  return element.getAttribute(property)?.trim() ?? "";
}

const numberOf = (element: Element, name: string): number => {
  const value = Number.parseFloat(element.getAttribute(name) ?? "");
  return Number.isFinite(value) ? value : 0;
};

const sizeOf = (element: Element): readonly [number, number] => [
  numberOf(element, "width"),
  numberOf(element, "height"),
];

const rectangle = (left: number, top: number, [width, height]: readonly [number, number]): Box => ({
  left,
  top,
  right: left + width,
  bottom: top + height,
});

const around = (x: number, y: number, radius: number): Box => ({
  left: x - radius,
  top: y - radius,
  right: x + radius,
  bottom: y + radius,
});

function hull(points: readonly Point[]): Box | undefined {
  const [first, ...others] = points;
  if (first === undefined) return undefined;
  let [left, top] = first;
  let [right, bottom] = first;
  for (const [x, y] of others) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return { left, top, right, bottom };
}

function union(boxes: readonly (Box | undefined)[]): Box | undefined {
  const corners = boxes.flatMap((box): Point[] =>
    box ? [[box.left, box.top] as const, [box.right, box.bottom] as const] : [],
  );
  return hull(corners);
}

function transformed(box: Box, [a, b, c, d, e, f]: Matrix): Box {
  const corners = [
    [box.left, box.top],
    [box.right, box.top],
    [box.left, box.bottom],
    [box.right, box.bottom],
  ].map(([x = 0, y = 0]): Point => [a * x + c * y + e, b * x + d * y + f]);
  return hull(corners) ?? box;
}

function matrixOf(element: Element): Matrix {
  const own = parseTransform(element.getAttribute("transform") ?? "");
  if (element.localName !== "svg") return own;
  return product(own, [1, 0, 0, 1, numberOf(element, "x"), numberOf(element, "y")]);
}

function product(first: Matrix, second: Matrix): Matrix {
  const [a, b, c, d, e, f] = first;
  const [a2, b2, c2, d2, e2, f2] = second;
  return [
    a * a2 + c * b2,
    b * a2 + d * b2,
    a * c2 + c * d2,
    b * c2 + d * d2,
    a * e2 + c * f2 + e,
    b * e2 + d * f2 + f,
  ];
}

/** `translate(10,20) rotate(-90,0,5)` as one matrix. */
function parseTransform(text: string): Matrix {
  let matrix = identity;
  for (const [, name, list = ""] of text.matchAll(/(\w+)\s*\(([^)]*)\)/g)) {
    const values = list
      .split(/[\s,]+/)
      .filter(Boolean)
      .map(Number);
    matrix = product(matrix, matrixFor(name ?? "", values));
  }
  return matrix;
}

function matrixFor(name: string, [p = 0, q, r, s = 1, t = 0, u = 0]: readonly number[]): Matrix {
  if (name === "translate") return [1, 0, 0, 1, p, q ?? 0];
  if (name === "scale") return [p, 0, 0, q ?? p, 0, 0];
  if (name === "matrix") return [p, q ?? 0, r ?? 0, s, t, u];
  if (name !== "rotate") return identity;
  const angle = (p * Math.PI) / 180;
  const turn: Matrix = [Math.cos(angle), Math.sin(angle), -Math.sin(angle), Math.cos(angle), 0, 0];
  const [x, y] = [q ?? 0, r ?? 0];
  return product(product([1, 0, 0, 1, x, y], turn), [1, 0, 0, 1, -x, -y]);
}
