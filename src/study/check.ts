import { escapeMarkup } from "../core/markup.js";
import { type MimeBundle, type Renderable, renderable } from "./mime.js";

/** How far a number may be off: an absolute amount (also as a plain number), or a fraction of the expected value. */
export type Tolerance = number | { readonly absolute: number } | { readonly relative: number };

/** What is accepted: a value, or a test of the answer. */
export type Expected<Value> = Value | ((answer: Value) => boolean);

/** A plausible wrong answer and what to tell who gives it. */
export interface Mistake<Value> {
  readonly value: Expected<Value>;
  readonly hint: string;
}

/** What a right answer is, and how to help towards it. */
export interface CheckSpec<Value> {
  readonly expected: Expected<Value>;
  /** Tolerance of numbers, also inside arrays; default a relative 1e-9. */
  readonly within?: Tolerance;
  /** Arrays equal in any order; sets always are. */
  readonly anyOrder?: boolean;
  readonly hint: string;
  readonly mistakes?: readonly Mistake<Value>[];
}

/** Three outcomes, not two: an empty answer is no wrong answer. */
export type Outcome = "not tried" | "not yet" | "right";

/** The outcome of one exercise. `show` draws it; as the last expression of a cell it prints as one line. */
export interface CheckResult {
  readonly outcome: Outcome;
  readonly message: string;
}

/**
 * Checks the answer to an exercise: not tried (undefined), not yet (with a hint), or right.
 * @throws RangeError if the tolerance is not a number of at least 0.
 */
export function check<Value>(answer: Value | undefined, spec: CheckSpec<Value>): CheckResult & Renderable {
  const tolerance = requireTolerance(spec.within ?? { relative: 1e-9 });
  const equal = (expected: Expected<Value>): boolean =>
    accepts(answer as Value, expected, tolerance, spec.anyOrder ?? false);
  if (answer === undefined)
    return result("not tried", "give your answer a value in the cell above, then run this one again");
  if (isPromise(answer)) return result("not yet", "got a Promise: write await before the call");
  if (equal(spec.expected)) return result("right", describe(answer));
  const mistake = spec.mistakes?.find(({ value }) => equal(value));
  return result("not yet", `got ${describe(answer)}. ${mistake?.hint ?? spec.hint}`);
}

type AcceptsNumber = (answer: number, expected: number) => boolean;

function requireTolerance(within: Tolerance): AcceptsNumber {
  const { absolute = 0, relative = 0 } = (typeof within === "number" ? { absolute: within } : within) as {
    absolute?: number;
    relative?: number;
  };
  if (!(absolute >= 0) || !(relative >= 0)) {
    throw new RangeError(`within must be a number of at least 0, got ${JSON.stringify(within)}`);
  }
  return (answer, expected) =>
    answer === expected || Math.abs(answer - expected) <= Math.max(absolute, relative * Math.abs(expected));
}

function accepts<Value>(
  answer: Value,
  expected: Expected<Value>,
  close: AcceptsNumber,
  anyOrder: boolean,
): boolean {
  if (typeof expected !== "function") return same(answer, expected, close, anyOrder);
  try {
    return (expected as (answer: Value) => boolean)(answer);
  } catch {
    return false; // the answer is of another kind than the test expects: not yet
  }
}

function same(answer: unknown, expected: unknown, close: AcceptsNumber, anyOrder: boolean): boolean {
  if (typeof answer === "number" && typeof expected === "number") return close(answer, expected);
  if (typeof answer === "string" && typeof expected === "string") return answer.trim() === expected.trim();
  if (isSequence(answer) && isSequence(expected)) {
    if (answer instanceof Set !== expected instanceof Set) return false;
    return sameItems([...answer], [...expected], close, anyOrder || expected instanceof Set);
  }
  if (isRecord(answer) && isRecord(expected)) {
    const keys = Object.keys(expected);
    return (
      keys.length === Object.keys(answer).length &&
      keys.every((key) => same(answer[key], expected[key], close, anyOrder))
    );
  }
  return Object.is(answer, expected);
}

function sameItems(answer: unknown[], expected: unknown[], close: AcceptsNumber, anyOrder: boolean): boolean {
  if (answer.length !== expected.length) return false;
  if (!anyOrder) return answer.every((item, index) => same(item, expected[index], close, anyOrder));
  const left = [...expected];
  return answer.every((item) => {
    const found = left.findIndex((candidate) => same(item, candidate, close, anyOrder));
    if (found !== -1) left.splice(found, 1);
    return found !== -1;
  });
}

const isSequence = (value: unknown): value is Iterable<unknown> =>
  Array.isArray(value) || value instanceof Set || (ArrayBuffer.isView(value) && Symbol.iterator in value);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !isSequence(value) && !(value instanceof Date);

const isPromise = (value: unknown): boolean =>
  typeof (value as { then?: unknown } | null)?.then === "function";

/** The value and its kind, short: `0.85 (number)`, `"Loyal" (text)`, `[1, 2, 3] (array of 3)`. */
function describe(value: unknown): string {
  if (typeof value === "string") return `${JSON.stringify(shorten(value))} (text)`;
  if (typeof value === "number") return `${Number(value.toPrecision(6))} (number)`;
  if (typeof value === "boolean" || typeof value === "bigint") return `${String(value)} (${typeof value})`;
  if (isSequence(value)) {
    const items = [...value];
    const kind = value instanceof Set ? "set" : "array";
    const first = items
      .slice(0, 5)
      .map((item) => (typeof item === "number" ? Number(item.toPrecision(6)) : item));
    return `${shorten(`[${first.map(String).join(", ")}${items.length > 5 ? ", …" : ""}]`)} (${kind} of ${items.length})`;
  }
  if (value === null) return "null";
  if (typeof value === "object") return `${shorten(`{${Object.keys(value).join(", ")}}`)} (object)`;
  return typeof value;
}

const shorten = (text: string): string => (text.length > 80 ? `${text.slice(0, 79)}…` : text);

const looks: Readonly<
  Record<Outcome, { readonly sign: string; readonly word: string; readonly color: string }>
> = {
  right: { sign: "✓", word: "Right", color: "#009E73" },
  "not yet": { sign: "✗", word: "Not yet", color: "#D55E00" },
  "not tried": { sign: "○", word: "Not tried", color: "#767676" },
};

function result(outcome: Outcome, message: string): CheckResult & Renderable {
  const { sign, word, color } = looks[outcome];
  const bundle: MimeBundle = {
    "application/vnd.clientele.check+json": { outcome },
    "text/html":
      `<div style="border-left:4px solid ${color};padding:4px 10px">` +
      `<strong>${sign} ${word}:</strong> ${escapeMarkup(message)}</div>`,
    "text/plain": `${sign} ${word}: ${message}`,
  };
  return renderable({ outcome, message }, bundle);
}
