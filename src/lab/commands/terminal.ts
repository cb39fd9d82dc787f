/** Where a command writes: results to `out`, progress and problems to `err`. */
export interface Terminal {
  out(line: string): void;
  err(line: string): void;
  /** A line that the next one replaces; on a pipe a line of its own, unless it says the same `step` as the last. */
  progress(line: string, step?: string): void;
}

/** The process's own terminal. */
export function processTerminal(): Terminal {
  const { stdout, stderr } = process;
  let open = false;
  let lastStep: string | undefined;
  const close = (): void => {
    if (open) stderr.write("\r\u001b[K");
    open = false;
  };
  return {
    out: (line) => {
      close();
      stdout.write(`${line}\n`);
    },
    err: (line) => {
      close();
      stderr.write(`${line}\n`);
    },
    progress: (line, step) => {
      if (!stderr.isTTY) {
        if (step === undefined || step !== lastStep) stderr.write(`${line}\n`);
        lastStep = step;
        return;
      }
      stderr.write(`\r\u001b[K${line.slice(0, stderr.columns - 1)}`);
      open = true;
    },
  };
}

/** Seconds with one decimal: "3.2 s". */
export const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;
