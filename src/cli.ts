#!/usr/bin/env node
/**
 * The command `clientele`.
 * @module
 */
import { parseArgs } from "node:util";
import { DataError } from "./core/errors.js";
import { processTerminal } from "./lab/commands/terminal.js";

const USAGE = `clientele COMMAND [options]

  lab [DIR]               open the notebook environment on DIR (default: here)
                          --port N, --no-browser
  run NOTEBOOK…           run notebooks in fresh kernels and store their outputs
                          -p NAME=VALUE, --out FILE, --html FILE, --timeout SECONDS, --junit FILE
  check [NOTEBOOK…]       run again and compare with the stored outputs (default: all in notebooks/)
                          --timeout SECONDS, --junit FILE
  export [NOTEBOOK…]      self-contained HTML files and an index of them
                          --out DIR (default: reports), --static, --code folded|hidden|shown
  learner [NOTEBOOK…]     the edition without solutions
                          --out DIR (default: learner)
  kernelspec install      install the kernel for JupyterLab or VS Code on this machine
                          --force
  sample                  generate the sample company's data
                          --out DIR, --customers N, --seed N, --csv (beside Parquet)
`;

/** A mistake in the command line: exit code 2, as opposed to 1 for a study that failed. */
class UsageError extends Error {}

const terminal = processTerminal();
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    stop.abort(new Error("cancelled"));
  });
}

function number(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0)
    throw new UsageError(`--${name} must be a number from 0, got "${text}"`);
  return value;
}

/** The options that are set, so that an absent one stays absent. */
function present<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

function assignments(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const place = text.indexOf("=");
      if (place < 1) throw new UsageError(`-p takes NAME=VALUE, got "${text}"`);
      return [text.slice(0, place), text.slice(place + 1)];
    }),
  );
}

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;

const commands: Record<string, (args: string[]) => Promise<boolean>> = {
  async lab(args) {
    const options = { port: text, "no-browser": flag };
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const { labCommand } = await import("./lab/commands/lab.js");
    const port = number("port", values.port);
    const browser = values["no-browser"] !== true && process.env["CI"] === undefined && process.stdout.isTTY;
    const lab = { root: positionals[0] ?? ".", browser, signal: stop.signal };
    await labCommand({ ...lab, ...(port !== undefined && { port }) }, terminal);
    return true;
  },
  async run(args) {
    const options = {
      param: { ...text, short: "p", multiple: true },
      out: text,
      html: text,
      timeout: text,
      junit: text,
    } as const;
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    if (positionals.length === 0) throw new UsageError("run needs a notebook");
    const { runCommand } = await import("./lab/commands/run.js");
    const { out, html, junit, param } = values;
    const timeout = number("timeout", values.timeout);
    const settings = present({
      out,
      html,
      junit,
      timeoutMs: timeout === undefined ? undefined : timeout * 1000,
    });
    return runCommand(
      positionals,
      { ...settings, parameters: assignments(param ?? []), signal: stop.signal },
      terminal,
    );
  },
  async check(args) {
    const { values, positionals } = parseArgs({
      args,
      options: { timeout: text, junit: text },
      allowPositionals: true,
    });
    const { checkCommand } = await import("./lab/commands/check.js");
    const timeout = number("timeout", values.timeout);
    const settings = present({
      junit: values.junit,
      timeoutMs: timeout === undefined ? undefined : timeout * 1000,
    });
    return checkCommand(positionals, { ...settings, signal: stop.signal }, terminal);
  },
  async export(args) {
    const options = { out: text, static: flag, code: text };
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const code = values.code ?? "folded";
    if (code !== "folded" && code !== "hidden" && code !== "shown") {
      throw new UsageError(`--code must be folded, hidden or shown, got "${code}"`);
    }
    const { exportCommand } = await import("./lab/commands/export.js");
    const figures = values.static === true ? "static" : "interactive";
    return exportCommand(positionals, { out: values.out ?? "reports", figures, code }, terminal);
  },
  async learner(args) {
    const { values, positionals } = parseArgs({ args, options: { out: text }, allowPositionals: true });
    const { learnerCommand } = await import("./lab/commands/learner.js");
    return learnerCommand(positionals, values.out ?? "learner", terminal);
  },
  async sample(args) {
    const options = { customers: text, seed: text, out: text, csv: flag };
    const { values } = parseArgs({ args, options });
    if (values.out === undefined) throw new UsageError("sample needs --out DIR");
    const { writeSample } = await import("./samples/index.js");
    const settings = present({
      customers: number("customers", values.customers),
      seed: number("seed", values.seed),
      formats: values.csv === true ? (["csv", "parquet"] as const) : undefined,
    });
    const { rows } = await writeSample({
      ...settings,
      out: values.out,
      signal: stop.signal,
      onProgress: (done, total) =>
        terminal.progress(`${done.toLocaleString("en")} of ${total.toLocaleString("en")} customers`),
    });
    terminal.out(`${values.out}: ${rows.customers} customer records, ${rows.orders} order lines`);
    return true;
  },
  async kernelspec(args) {
    const { values, positionals } = parseArgs({ args, options: { force: flag }, allowPositionals: true });
    if (positionals[0] !== "install") throw new UsageError("kernelspec knows one action: install");
    const { installKernelSpec } = await import("./lab/kernel/kernelspec.js");
    terminal.out(`Kernel installed: ${await installKernelSpec({ force: values.force === true })}`);
    return true;
  },
};

async function main([name = "", ...args]: string[]): Promise<number> {
  if (name === "" || name === "help" || [name, ...args].includes("--help")) {
    terminal.out(USAGE);
    return name === "" ? 2 : 0;
  }
  const command = commands[name];
  try {
    if (!command) throw new UsageError(`no command "${name}"`);
    return (await command(args)) ? 0 : 1;
  } catch (error) {
    if (
      error instanceof UsageError ||
      (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS") === true
    ) {
      terminal.err(`clientele: ${(error as Error).message}\n\n${USAGE}`);
      return 2;
    }
    if (error instanceof DataError || error instanceof RangeError)
      terminal.err(`clientele: ${error.message}`);
    else
      terminal.err(`clientele: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return stop.signal.aborted ? 130 : 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
