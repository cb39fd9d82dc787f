import { createRequire } from "node:module";
import { inspect } from "node:util";

/** One output in several forms; a front end shows the richest form it knows. */
export type MimeBundle = Readonly<Record<string, unknown>>;

/** Takes one output. */
export type Sink = (bundle: MimeBundle) => void;

/** Something that knows how it looks in a notebook. The last expression of a cell is printed as its plain text. */
export interface Renderable {
  readonly bundle: MimeBundle;
}

/** Adds the looks of a value without making them part of the data: JSON and comparisons see the value alone. */
export function renderable<Value extends object>(value: Value, bundle: MimeBundle): Value & Renderable {
  const plain = String(bundle["text/plain"]);
  return Object.freeze(
    Object.defineProperties(value, {
      bundle: { value: Object.freeze(bundle), enumerable: false },
      [inspect.custom]: { value: () => plain, enumerable: false },
    }),
  ) as Value & Renderable;
}

type WriteDisplayData = (
  message: { data: MimeBundle; metadata: object; transient: object },
  update: boolean,
) => void;

/**
 * Where `show` writes: the running notebook kernel (tslab) if there is one, else the console as plain text.
 * The kernel is found among the modules that Node has already loaded, so this package does not depend on it.
 */
export function defaultSink(): Sink {
  const loaded = Object.entries(createRequire(import.meta.url).cache);
  const kernel = loaded.find(([path]) => path.replaceAll("\\", "/").endsWith("tslab/dist/jupyter.js"))?.[1];
  const write = (kernel?.exports as { lastWriteDisplayData?: WriteDisplayData | null } | undefined)
    ?.lastWriteDisplayData;
  return (bundle) => {
    if (write) write({ data: bundle, metadata: {}, transient: {} }, false);
    else console.log(String(bundle["text/plain"]));
  };
}
