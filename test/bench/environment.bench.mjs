import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { measure } from "./measure.mjs";

const project = fileURLToPath(new URL("../..", import.meta.url));
const cli = join(project, "dist/cli.js");

/** Starts a command, resolves with what it printed once `until` matches, or at its end. */
function start(args, until) {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: project,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const printed = new Promise((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (chunk) => {
      text += chunk;
      const found = until?.exec(text);
      if (found) resolve(found[0]);
    });
    child.on("exit", (code) =>
      code === 0 ? resolve(text) : reject(new Error(`${args.join(" ")} ended with ${code}`)),
    );
  });
  return { child, printed };
}

async function end(child) {
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGINT");
  await exited;
}

// The work is done by child processes: this process's own CPU time and memory say nothing.
const measureChild = async (...args) => {
  const { cpuSeconds, rssMB, ...row } = await measure(...args);
  return row;
};

/** From the command to a page that can be used, front end built before; and the executor on each study. */
export default async function environmentBenchmark() {
  const lab = ["lab", project, "--port", "0", "--no-browser"];
  const rows = [
    await measureChild("environment: command to address, warm", 1, async () => {
      const { child, printed } = start(lab, /http:\S+token=\S+/);
      await printed;
      await end(child);
    }),
  ];
  const studies = (await readdir(join(project, "notebooks")))
    .filter((name) => name.endsWith(".ipynb"))
    .sort();
  const browser = await chromium
    .launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu"],
    })
    .catch(() => undefined);
  if (browser) {
    rows.push(
      await measureChild(
        "environment: command to open notebook with kernel",
        1,
        async () => {
          const { child, printed } = start(lab, /http:\S+token=\S+/);
          const url = new URL(await printed);
          url.pathname = `/notebooks/notebooks/${studies[0]}`;
          const context = await browser.newContext();
          const page = await context.newPage();
          await page.goto(url.href);
          await page.waitForSelector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', {
            state: "attached",
            timeout: 60_000,
          });
          await context.close();
          await end(child);
        },
        { note: "headless Chromium, browser already running" },
      ),
    );
    await browser.close();
  }
  for (const study of studies) {
    rows.push(
      await measureChild(`executor: ${study}`, 1, () => start(["check", join("notebooks", study)]).printed, {
        note: "whole process, kernel start included",
      }),
    );
  }
  return rows;
}
