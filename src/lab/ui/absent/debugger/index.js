import { Token } from "@lumino/coreutils";
export const IDebuggerSidebar = new Token("@jupyterlab/debugger:IDebuggerSidebar");
