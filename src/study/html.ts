const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text that HTML shows as it is and never runs. */
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (sign) => entities[sign] ?? sign);

/** Text that Markdown shows as it is: no emphasis, links, code, formulas or HTML. */
export const escapeMarkdown = (text: string): string =>
  text.replace(/[&<>"'\\`*_[\]#|~!$]/g, (sign) => entities[sign] ?? `\\${sign}`);
