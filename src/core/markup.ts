/** What stands for the signs that mean something in HTML, SVG and XML. */
export const markupEntities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text that HTML, SVG and XML show as it is and never run. Control characters, which they do not allow, are left out. */
export const escapeMarkup = (text: string): string =>
  text.replace(/(?![\t\n\r])\p{Cc}/gu, "").replace(/[&<>"']/g, (sign) => markupEntities[sign] ?? sign);
