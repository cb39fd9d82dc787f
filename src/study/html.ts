import { markupEntities } from "../core/markup.js";

/** Text that Markdown shows as it is: no emphasis, links, code, formulas or HTML. */
export const escapeMarkdown = (text: string): string =>
  text.replace(/[&<>"'\\`*_[\]#|~!$]/g, (sign) => markupEntities[sign] ?? `\\${sign}`);
