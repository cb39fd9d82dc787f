import { type KernelMessage, type KernelProcess, startKernel } from "../../../src/lab/kernel/client.js";

/** What one execution caused. */
export interface Execution {
  readonly status: string;
  readonly count: number;
  /** Messages on iopub but for status, in order. */
  readonly messages: readonly KernelMessage[];
  readonly stdout: string;
  readonly stderr: string;
  /** Text of the last expression, if it had a value. */
  readonly result: string | undefined;
  readonly traceback: readonly string[];
  readonly ename: string | undefined;
}

/** Runs code in a kernel and gathers what it said. */
export async function execute(kernel: KernelProcess, code: string, options: object = {}): Promise<Execution> {
  const messages: KernelMessage[] = [];
  const reply = await kernel.execute({ code, stop_on_error: true, ...options }, (message) => {
    if (message.channel === "iopub" && message.header.msg_type !== "status") messages.push(message);
  });
  const text = (name: string): string =>
    messages
      .filter(({ header, content }) => header.msg_type === "stream" && content["name"] === name)
      .map(({ content }) => String(content["text"]))
      .join("");
  const result = messages.find(({ header }) => header.msg_type === "execute_result");
  const error = messages.find(({ header }) => header.msg_type === "error");
  return {
    status: String(reply.content["status"]),
    count: Number(reply.content["execution_count"]),
    messages,
    stdout: text("stdout"),
    stderr: text("stderr"),
    result: result && (result.content["data"] as Record<string, string>)["text/plain"],
    traceback: error ? (error.content["traceback"] as string[]) : [],
    ename: error && String(error.content["ename"]),
  };
}

/** Starts a kernel, hands it over, and ends it whatever happens. */
export async function withKernel<T>(cwd: string, use: (kernel: KernelProcess) => Promise<T>): Promise<T> {
  const kernel = await startKernel({ cwd });
  try {
    return await use(kernel);
  } finally {
    await kernel.shutdown();
  }
}

/** Whether a process of that id is there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
