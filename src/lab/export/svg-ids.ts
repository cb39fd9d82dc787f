import { createHash } from "node:crypto";

/**
 * The picture with ids that follow from its content, so that it is the same in every process and two different
 * pictures on one page never share an id.
 */
export function withContentIds(svg: string): string {
  const ids = [...new Set(Array.from(svg.matchAll(/\sid="([^"]*)"/g), ([, id = ""]) => id))];
  const numbered = renameIds(svg, new Map(ids.map((id, index) => [id, String(index)])));
  const prefix = `f${createHash("sha256").update(numbered).digest("hex").slice(0, 8)}`;
  return renameIds(svg, new Map(ids.map((id, index) => [id, `${prefix}-${String(index)}`])));
}

function renameIds(svg: string, names: ReadonlyMap<string, string>): string {
  const renamed = (id: string): string => names.get(id) ?? id;
  return svg
    .replace(/(\sid=")([^"]*)(")/g, (_, start: string, id: string, end: string) => start + renamed(id) + end)
    .replace(/(url\((?:&quot;|['"])?#)([^)"'&]*)/g, (_, start: string, id: string) => start + renamed(id))
    .replace(/(href="#)([^"]*)/g, (_, start: string, id: string) => start + renamed(id));
}
