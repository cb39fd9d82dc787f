import hljs from "highlight.js/lib/core";
import typescript from "highlight.js/lib/languages/typescript";

hljs.registerLanguage("typescript", typescript);

/** TypeScript as HTML with its words marked; everything in it is escaped. */
export const highlighted = (code: string): string => hljs.highlight(code, { language: "typescript" }).value;
