import type { KernelMessage } from "../kernel/wire.js";
import type { Limits } from "./limits.js";
import { parentId, publication } from "./protocol.js";

/** How long printed text is collected before it is sent, in milliseconds. */
const FLUSH_MS = 30;
/** Text that is sent without waiting. */
const FLUSH_CHARACTERS = 256 * 1024;
/** Executions whose totals are remembered. */
const REMEMBERED = 100;

interface Totals {
  characters: number;
  lines: number;
  displays: number;
  displayCharacters: number;
  printingStopped: boolean;
  displayingStopped: boolean;
}

interface PendingText {
  readonly first: KernelMessage;
  readonly parts: string[];
  characters: number;
}

type OutputLimits = Pick<Limits, "outputCharacters" | "outputLines" | "displays" | "displayCharacters">;

const DISPLAYS = new Set(["display_data", "update_display_data"]);

/**
 * What a kernel publishes, made fit for a browser: printed text is joined for a moment, and a cell that prints or
 * displays without end is cut off with one notice. The order of messages stays.
 */
export class OutputGate {
  readonly #emit: (message: KernelMessage) => void;
  readonly #limits: OutputLimits;
  readonly #totals = new Map<string, Totals>();
  #pending: PendingText | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(emit: (message: KernelMessage) => void, limits: OutputLimits) {
    this.#emit = emit;
    this.#limits = limits;
  }

  /** Takes a message from the kernel. */
  push(message: KernelMessage): void {
    const type = message.channel === "iopub" ? message.header.msg_type : "";
    if (type === "stream") {
      this.#print(message);
      return;
    }
    this.flush();
    if (DISPLAYS.has(type) && !this.#mayDisplay(message)) return;
    this.#emit(message);
  }

  /** Sends the text that waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const pending = this.#pending;
    this.#pending = undefined;
    if (!pending) return;
    const text = pending.parts.length === 1 ? pending.parts[0] : pending.parts.join("");
    this.#emit({ ...pending.first, content: { ...pending.first.content, text } });
  }

  /** Forgets all executions, for a kernel that begins anew. */
  reset(): void {
    this.flush();
    this.#totals.clear();
  }

  #print(message: KernelMessage): void {
    const totals = this.#totalsOf(message);
    if (totals.printingStopped) return;
    const text = String(message.content["text"]);
    const kept = this.#allowed(text, totals);
    if (kept !== "") this.#join(message, kept);
    if (kept.length === text.length) return;
    totals.printingStopped = true;
    const { outputLines, outputCharacters } = this.#limits;
    const amount =
      totals.lines >= outputLines
        ? `${outputLines.toLocaleString("en")} lines`
        : `${outputCharacters.toLocaleString("en")} characters`;
    this.#notice(message, `output truncated after ${amount}`);
  }

  /** The part of the text that the cell may still print, counted in its totals. */
  #allowed(text: string, totals: Totals): string {
    const { outputCharacters, outputLines } = this.#limits;
    let end = totals.lines < outputLines ? Math.min(text.length, outputCharacters - totals.characters) : 0;
    for (let at = text.indexOf("\n"); at !== -1 && at < end; at = text.indexOf("\n", at + 1)) {
      totals.lines++;
      if (totals.lines >= outputLines) end = at + 1;
    }
    if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end--; // never half a character
    totals.characters += end;
    return end === text.length ? text : text.slice(0, end);
  }

  #join(message: KernelMessage, text: string): void {
    const pending = this.#pending;
    if (
      pending &&
      pending.first.content["name"] === message.content["name"] &&
      parentId(pending.first) === parentId(message)
    ) {
      pending.parts.push(text);
      pending.characters += text.length;
    } else {
      this.flush();
      this.#pending = { first: message, parts: [text], characters: text.length };
    }
    if ((this.#pending?.characters ?? 0) >= FLUSH_CHARACTERS) this.flush();
    else
      this.#timer ??= setTimeout(() => {
        this.flush();
      }, FLUSH_MS);
  }

  #mayDisplay(message: KernelMessage): boolean {
    const totals = this.#totalsOf(message);
    if (totals.displayingStopped) return false;
    totals.displays++;
    totals.displayCharacters += sizeOf(message.content["data"]);
    const { displays, displayCharacters } = this.#limits;
    if (totals.displays <= displays && totals.displayCharacters <= displayCharacters) return true;
    totals.displayingStopped = true;
    const amount =
      totals.displays > displays
        ? `${displays.toLocaleString("en")} displays`
        : `${displayCharacters.toLocaleString("en")} characters of displays`;
    this.#notice(message, `output truncated after ${amount}`);
    return false;
  }

  #notice(message: KernelMessage, text: string): void {
    this.flush();
    const content = { name: "stderr", text: `\n[clientele] ${text}; write long results to a file instead\n` };
    this.#emit(publication("stream", content, message.header.session, message.parent_header));
  }

  #totalsOf(message: KernelMessage): Totals {
    const execution = parentId(message);
    let totals = this.#totals.get(execution);
    if (!totals) {
      totals = {
        characters: 0,
        lines: 0,
        displays: 0,
        displayCharacters: 0,
        printingStopped: false,
        displayingStopped: false,
      };
      this.#totals.set(execution, totals);
      const [oldest] = this.#totals.keys();
      if (this.#totals.size > REMEMBERED && oldest !== undefined) this.#totals.delete(oldest);
    }
    return totals;
  }
}

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;

/** Length of all texts in a MIME bundle; a JSON value counts as its text. */
function sizeOf(data: unknown): number {
  if (typeof data !== "object" || data === null) return 0;
  return Object.values(data)
    .map((value) => (typeof value === "string" ? value.length : JSON.stringify(value).length))
    .reduce((sum, length) => sum + length, 0);
}
