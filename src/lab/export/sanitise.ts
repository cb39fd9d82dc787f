/**
 * HTML and SVG from notebooks made harmless: nothing runs, nothing is fetched, nothing reaches outside its own place
 * on the page.
 * @module
 */
import createPurifier from "dompurify";
import { JSDOM } from "jsdom";
import { withContentIds } from "./svg-ids.js";

/** Cleans markup that nobody has vouched for. */
export interface Sanitiser {
  /** HTML and MathML, as a piece of a document that can be worked on. */
  html(markup: string): DocumentFragment;
  /** One picture, its ids made its own; empty if nothing of it may stay. */
  svg(markup: string): string;
  /** The markup of a piece of a document. */
  write(fragment: DocumentFragment): string;
  /** Frees the document it works in. */
  close(): void;
}

const keptClass = /^(?:hljs|language-|katex|math|task)/;

/** Everything that would load, send, capture input or replace the page's own parts. */
const forbidden = {
  FORBID_TAGS: [
    "style",
    "form",
    "input",
    "button",
    "select",
    "textarea",
    "option",
    "dialog",
    "audio",
    "video",
    "source",
  ],
  FORBID_ATTR: [
    "srcset",
    "poster",
    "background",
    "ping",
    "target",
    "name",
    "for",
    "tabindex",
    "accesskey",
    "cite",
  ],
  ALLOW_DATA_ATTR: false,
  ADD_FORBID_CONTENTS: ["annotation"],
} as const;

/** Declarations an element may bring along: how it looks, not where on the page it stands. */
const keptProperty =
  /^(?:(?:background-)?color|background|(?:min-|max-)?(?:width|height)|(?:border|padding|font|text|fill|stroke|stop)(?:-[a-z-]+)?|border|padding|margin|opacity|vertical-align|white-space|display|dominant-baseline|paint-order|mix-blend-mode)$/;

/** The end of a shape that holds nothing, as HTML writes it. */
const emptyShape = /><\/(?:circle|ellipse|image|line|path|polygon|polyline|rect|stop|use)>/g;

/** Opens a sanitiser. Close it when the page is written. */
export function createSanitiser(): Sanitiser {
  const { window } = new JSDOM("");
  const purifier = createPurifier(window);
  purifier.addHook("uponSanitizeAttribute", (element, attribute) => {
    const kept = keptValue(element, attribute.attrName, attribute.attrValue);
    if (kept === undefined) attribute.keepAttr = false;
    else attribute.attrValue = kept;
  });
  return {
    html: (markup) =>
      purifier.sanitize(markup, {
        ...mutable(forbidden),
        USE_PROFILES: { html: true, mathMl: true },
        RETURN_DOM_FRAGMENT: true,
      }),
    svg: (markup) => {
      const clean = purifier.sanitize(markup, {
        ...mutable(forbidden),
        USE_PROFILES: { svg: true },
        ADD_TAGS: ["use"],
        ADD_ATTR: ["role"],
      });
      const [picture] = /<svg[\s>].*<\/svg>/s.exec(clean) ?? [];
      return picture === undefined ? "" : withContentIds(picture.replace(emptyShape, "/>"));
    },
    write: (fragment) => {
      const holder = window.document.createElement("div");
      holder.append(fragment);
      return holder.innerHTML;
    },
    close: () => {
      window.close();
    },
  };
}

const mutable = ({ FORBID_TAGS, FORBID_ATTR, ADD_FORBID_CONTENTS, ...rest }: typeof forbidden) => ({
  ...rest,
  FORBID_TAGS: [...FORBID_TAGS],
  FORBID_ATTR: [...FORBID_ATTR],
  ADD_FORBID_CONTENTS: [...ADD_FORBID_CONTENTS],
});

/** The value an attribute may keep, undefined if none. */
function keptValue(element: Element, name: string, value: string): string | undefined {
  const isPicture = element.namespaceURI === "http://www.w3.org/2000/svg";
  switch (name) {
    case "id":
      return isPicture ? value : undefined;
    case "role":
      return isPicture && value === "img" ? value : undefined;
    case "class":
      return (
        value
          .split(/\s+/)
          .filter((part) => keptClass.test(part))
          .join(" ") || undefined
      );
    case "style":
      return keptStyle(value) || undefined;
    case "src":
      return isEmbeddedImage(value) ? value : undefined;
    case "href":
    case "xlink:href":
      if (isPicture) return isPictureAddress(element, value) ? value : undefined;
      return element.localName === "a" ? linkAddress(value) : undefined;
    default:
      return /url\s*\((?!\s*["']?#)/i.test(value) ? undefined : value;
  }
}

function keptStyle(style: string): string {
  return style
    .split(";")
    .map((declaration) => declaration.trim())
    .filter((declaration) => {
      const [property = "", value = ""] = declaration.split(/:(.*)/s);
      return (
        keptProperty.test(property.trim().toLowerCase()) &&
        !/url\s*\((?!\s*["']?#)|[\\@<]|expression/i.test(value)
      );
    })
    .join(";");
}

const isEmbeddedImage = (address: string): boolean =>
  /^data:image\/(?:png|jpeg|gif|webp|svg\+xml)[;,]/i.test(address);

/** Inside a picture: its own parts, and bitmaps it brings along. */
const isPictureAddress = (element: Element, address: string): boolean =>
  address.startsWith("#") || (element.localName === "image" && isEmbeddedImage(address));

/** Where a link may lead: the web, mail, this page, or a file beside it. A study's notebook is there as a page. */
function linkAddress(address: string): string | undefined {
  if (/^(?:https?:\/\/|mailto:|#)/i.test(address)) return address;
  if (/^[a-z][\w+.-]*:|^\/\/|^\\/i.test(address)) return undefined;
  return address.replace(/\.ipynb(?=$|[?#])/, ".html");
}
