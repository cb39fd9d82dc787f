/**
 * Plotly's SVG written again as plain, small and harmless markup: only elements that draw, numbers of two decimals,
 * ids that follow from the content, no classes, scripts, links or outside files.
 * @module
 */
import { escapeMarkup } from "../../core/markup.js";
import type { Painting } from "./plotly-window.js";
import { fontOf, linesOf, textLength } from "./svg-boxes.js";
import { withContentIds } from "./svg-ids.js";
import { isExactWidth } from "./text-width.js";

/** Elements that are kept with the attributes that each may have, beside those of `commonAttributes`. */
const drawing: Readonly<Record<string, readonly string[]>> = {
  circle: ["cx", "cy", "r"],
  clipPath: [],
  defs: [],
  g: [],
  image: ["x", "y", "width", "height", "href", "preserveAspectRatio"],
  line: ["x1", "x2", "y1", "y2"],
  linearGradient: ["x1", "x2", "y1", "y2", "gradientUnits"],
  path: ["d"],
  pattern: ["x", "y", "width", "height", "patternUnits", "patternTransform"],
  radialGradient: ["cx", "cy", "r", "gradientUnits"],
  rect: ["x", "y", "width", "height", "rx", "ry"],
  stop: ["offset", "stop-color", "stop-opacity"],
  svg: ["x", "y", "width", "height", "viewBox"],
  text: ["x", "y", "dy", "text-anchor"],
  tspan: ["x", "y", "dx", "dy"],
};
const commonAttributes = ["id", "transform", "clip-path", "fill", "shape-rendering", "style"];

/** Elements that draw nothing when they hold nothing. */
const containers = new Set(["g", "defs", "svg", "text"]);

const definitions = new Set(["clipPath", "linearGradient", "pattern", "radialGradient"]);

/** Declarations of Plotly's that say what holds anyway. */
const idle = new Set([
  "fill-opacity:1",
  "font-style:normal",
  "font-variant:normal",
  "font-weight:normal",
  "opacity:1",
  "stroke-dasharray:none",
  "stroke-opacity:1",
  "stroke-width:1px",
  "text-transform:none",
  "vector-effect:none",
  "white-space:pre",
]);
const lookProperties = new Set([
  "display",
  "dominant-baseline",
  "fill",
  "fill-opacity",
  "fill-rule",
  "font-family",
  "font-size",
  "font-style",
  "font-variant",
  "font-weight",
  "mix-blend-mode",
  "opacity",
  "paint-order",
  "stop-color",
  "stop-opacity",
  "stroke",
  "stroke-dasharray",
  "stroke-linejoin",
  "stroke-miterlimit",
  "stroke-opacity",
  "stroke-width",
  "text-anchor",
  "text-decoration",
]);

/** How the picture is named and set. */
export interface MarkupOptions {
  readonly width: number;
  readonly height: number;
  /** For readers who do not see it. */
  readonly label: string;
  readonly fontFamily: string;
  readonly paintingOf: (address: string) => Painting | undefined;
}

/** The whole picture as one `<svg>` element on white paper. */
export function svgMarkup(root: Element, options: MarkupOptions): string {
  const { width, height, label, fontFamily } = options;
  const used = new Set(Array.from(root.outerHTML.matchAll(/url\([^#)]*#([\w-]+)/g), ([, id = ""]) => id));
  const body = contentMarkup(root, { paintingOf: options.paintingOf, used });
  const head =
    `xmlns="http://www.w3.org/2000/svg" width="${String(width)}" height="${String(height)}" ` +
    `viewBox="0 0 ${String(width)} ${String(height)}" role="img" aria-label="${escapeMarkup(label)}" ` +
    `font-family="${escapeMarkup(fontFamily)}" font-size="12"`;
  const paper = `<rect width="${String(width)}" height="${String(height)}" fill="#fff"/>`;
  return withContentIds(`<svg ${head}>${paper}${body}</svg>`);
}

/** What is known of the whole picture while one element is written. */
interface Picture {
  readonly paintingOf: (address: string) => Painting | undefined;
  /** Ids that something refers to; a definition nobody uses is left out. */
  readonly used: ReadonlySet<string>;
}

function elementMarkup(element: Element, picture: Picture): string {
  const name = element.localName;
  if (name === "a") return contentMarkup(element, picture); // a picture links nowhere
  const own = drawing[name];
  if (own === undefined || isInvisible(element)) return "";
  if (definitions.has(name) && !picture.used.has(element.id)) return "";
  if (name === "image") return imageMarkup(element, picture);
  const content = contentMarkup(element, picture);
  if (content === "" && (containers.has(name) || (name === "tspan" && element.textContent === ""))) return "";
  const attributes = [...own, ...commonAttributes].map((attribute) => attributeMarkup(element, attribute));
  const start = `<${name}${attributes.join("")}${fittedLength(element)}`;
  if (start === "<g") return content;
  return content === "" ? `${start}/>` : `${start}>${content}</${name}>`;
}

function contentMarkup(element: Element, picture: Picture): string {
  const isText = element.localName === "text" || element.localName === "tspan" || element.localName === "a";
  return Array.from(element.childNodes, (child) => {
    if (isElement(child)) return elementMarkup(child, picture);
    return isText ? escapeMarkup(child.textContent ?? "") : "";
  }).join("");
}

const isElement = (node: Node): node is Element => node.nodeType === node.ELEMENT_NODE;

/** Empty paths, and the transparent areas that only catch the mouse. */
function isInvisible(element: Element): boolean {
  const style = element.getAttribute("style") ?? "";
  if (/display:\s*none/.test(style)) return true;
  const path = element.getAttribute("d");
  if (element.localName === "path" && (path === null || /^(M0,0)?Z?$/.test(path))) return true;
  return (
    element.localName === "rect" && /fill-opacity:\s*0;/.test(style) && !/stroke-width:\s*[1-9]/.test(style)
  );
}

function attributeMarkup(element: Element, name: string): string {
  const value = element.getAttribute(name);
  if (value === null || value === "") return "";
  if (name === "style") {
    const style = styleMarkup(value, element);
    return style === "" ? "" : ` style="${escapeMarkup(style)}"`;
  }
  if ((name === "x" || name === "y") && Number(value) === 0 && element.localName !== "tspan") return "";
  return ` ${name}="${escapeMarkup(name === "id" ? value : rounded(value))}"`;
}

/** Only declarations that change the look; addresses only of parts of this picture. */
function styleMarkup(style: string, element: Element): string {
  const declarations = style.split(";").flatMap((declaration) => {
    const colon = declaration.indexOf(":");
    const property = declaration.slice(0, colon).trim();
    const value = shortColors(rounded(declaration.slice(colon + 1).trim()));
    if (!lookProperties.has(property) || /url\((?!["']?#)/.test(value)) return [];
    if (property === "font-family") return fontOf(element).monospace ? ["font-family:monospace"] : [];
    const kept = `${property}:${value.replace(/url\(["']?(#[\w-]+)["']?\)/g, "url($1)")}`;
    return idle.has(kept) && element.localName !== "tspan" ? [] : [kept];
  });
  return declarations.join(";");
}

const hex = (value: string): string => Number(value).toString(16).padStart(2, "0");

const shortColors = (value: string): string =>
  value.replace(/rgb\((\d+), (\d+), (\d+)\)/g, (_, red: string, green: string, blue: string) => {
    const color = `#${hex(red)}${hex(green)}${hex(blue)}`;
    return color.replace(/^#(.)\1(.)\2(.)\3$/, "#$1$2$3");
  });

/** Numbers with more than two decimals, to two: finer than a screen, and the same on every processor. */
const rounded = (value: string): string =>
  value.replace(/-?\d*\.\d{3,}(?:e[-+]?\d+)?/g, (number) => decimal(Number(number)));

/** Long lines get their width told, so that they fit wherever the reader's font is a wider one. */
function fittedLength(element: Element): string {
  const isLine =
    element.getAttribute("class") === "line" ||
    (element.localName === "text" && linesOf(element).length === 0);
  const text = element.textContent;
  if (!isLine || text.length < 3 || !isExactWidth(text)) return "";
  return ` textLength="${String(Math.round(textLength(element)))}" lengthAdjust="spacingAndGlyphs"`;
}

/** Heat map cells as shapes, embedded bitmaps as they are, images from elsewhere not at all. */
function imageMarkup(image: Element, { paintingOf }: Picture): string {
  const address = image.getAttribute("href") ?? image.getAttribute("xlink:href") ?? "";
  const [x = 0, y = 0, width = 0, height = 0] = ["x", "y", "width", "height"].map((name) =>
    Number(image.getAttribute(name)),
  );
  const painting = paintingOf(address);
  if (painting) return cellsMarkup(painting, { x, y, width, height });
  if (!/^data:image\/(?:png|jpeg|gif|webp);base64,[\w+/=]*$/.test(address)) return "";
  const place = `x="${decimal(x)}" y="${decimal(y)}" width="${decimal(width)}" height="${decimal(height)}"`;
  return `<image ${place} preserveAspectRatio="none" href="${address}"/>`;
}

interface Frame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** One path for each colour. */
function cellsMarkup(painting: Painting, frame: Frame): string {
  const scaleX = frame.width / painting.width;
  const scaleY = frame.height / painting.height;
  const paths = new Map<string, string>();
  for (const { x, y, width, height, color } of painting.cells) {
    const [left, top] = [decimal(frame.x + x * scaleX), decimal(frame.y + y * scaleY)];
    const [right, bottom] = [frame.x + (x + width) * scaleX, frame.y + (y + height) * scaleY].map(decimal);
    paths.set(color, `${paths.get(color) ?? ""}M${left},${top}H${right ?? ""}V${bottom ?? ""}H${left}Z`);
  }
  const drawn = Array.from(paths, ([color, d]) =>
    isClear(color) ? "" : `<path fill="${opaque(color)}" d="${d}"/>`,
  );
  return `<g shape-rendering="crispEdges">${drawn.join("")}</g>`;
}

const decimal = (value: number): string => String(Number(value.toFixed(2)));

const isClear = (color: string): boolean => /,\s*0\)$/.test(color);

/** `rgba(1,2,3,1)` as `#010203`. */
const opaque = (color: string): string =>
  shortColors(color.replace(/^rgba\((\d+),(\d+),(\d+),1\)$/, "rgb($1, $2, $3)"));
