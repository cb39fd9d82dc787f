import { helpPlugin } from "./help.js";
import { logoPlugin } from "./logo.js";
import { tabPlugin } from "./tab.js";

/** What makes the application Clientele: its logo, the browser tab and the Help menu. */
export const brandingPlugins = [logoPlugin, tabPlugin, helpPlugin];
