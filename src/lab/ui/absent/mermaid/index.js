import { Token } from "@lumino/coreutils";
export const IMermaidMarkdown = new Token("@jupyterlab/mermaid:IMermaidMarkdown");
