import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { KernelOptions } from "../../../src/lab/kernel/client.js";
import type { KernelMessage } from "../../../src/lab/kernel/wire.js";
import {
  type Kernel,
  type KernelClient,
  type KernelHandle,
  KernelManager,
} from "../../../src/lab/server/kernels.js";
import { DEFAULT_LIMITS, type Limits } from "../../../src/lab/server/limits.js";
import type { Outgoing } from "../../../src/lab/server/protocol.js";
import { asHandle, FakeKernel, message, temporaryFolder, until } from "./support.js";

interface Setup {
  readonly manager: KernelManager;
  readonly started: FakeKernel[];
  readonly options: KernelOptions[];
  readonly folder: string;
}

/** Kernels from `next`, by default one fake after another that is ready at once. */
async function setup(
  settings: {
    spare?: boolean;
    limits?: Partial<Limits>;
    next?: (kernel: FakeKernel) => Promise<KernelHandle>;
  } = {},
): Promise<Setup> {
  const folder = await temporaryFolder();
  const started: FakeKernel[] = [];
  const options: KernelOptions[] = [];
  const manager = new KernelManager({
    start: (given) => {
      const kernel = new FakeKernel();
      started.push(kernel);
      options.push(given);
      return settings.next?.(kernel) ?? Promise.resolve(asHandle(kernel));
    },
    kernel: {},
    limits: { ...DEFAULT_LIMITS, ...settings.limits },
    spareCwd: settings.spare === true ? folder : undefined,
    log: () => undefined,
  });
  onTestFinished(() => manager.close());
  return { manager, started, options, folder };
}

class Client implements KernelClient {
  readonly got: KernelMessage[] = [];
  closed: number | undefined;

  constructor(readonly sessionId: string) {}

  deliver(outgoing: Outgoing): void {
    this.got.push(outgoing.message);
  }

  close(code: number): void {
    this.closed = code;
  }

  get states(): unknown[] {
    return this.got.map((sent) => sent.content["execution_state"]).filter((state) => state !== undefined);
  }

  get types(): string[] {
    return this.got.map((sent) => sent.header.msg_type);
  }
}

const request = (session: string): KernelMessage => message("shell", "execute_request", {}, {}, session);

async function idle(kernel: Kernel): Promise<void> {
  await kernel.settled();
  expect(kernel.state).toBe("idle");
}

describe("a kernel of the server", () => {
  it("is there at once, and what it is sent while it starts arrives in order", async () => {
    let ready = (): void => undefined;
    const { manager, started, folder } = await setup({
      next: (kernel) => new Promise((resolve) => (ready = () => resolve(asHandle(kernel)))),
    });
    const kernel = manager.create("tslab", folder);
    const client = new Client("s");
    kernel.attach(client);
    expect(kernel.model().execution_state).toBe("starting");
    expect(client.states).toEqual(["starting"]);
    const requests = [request("s"), request("s")];
    for (const sent of requests) kernel.receive(sent);
    await until(() => started.length === 1, "the start");
    ready();
    await idle(kernel);
    expect(started[0]?.sent).toEqual(requests);
  });

  it("sends publications to every client and replies to the one that asked", async () => {
    const { manager, started, folder } = await setup();
    const kernel = manager.create("tslab", folder);
    await idle(kernel);
    const [a, b] = [new Client("a"), new Client("b")];
    kernel.attach(a);
    kernel.attach(b);
    const asked = request("a");
    kernel.receive(asked);
    started[0]?.emit("message", message("iopub", "display_data", {}, asked.header));
    started[0]?.emit("message", message("shell", "execute_reply", {}, asked.header));
    expect(a.types).toEqual(["display_data", "execute_reply"]);
    expect(b.types).toEqual(["display_data"]);
  });

  it("does not pass on answers to questions no client asked", async () => {
    const { manager, started, folder } = await setup();
    const kernel = manager.create("tslab", folder);
    await idle(kernel);
    const client = new Client("a");
    kernel.attach(client);
    started[0]?.emit("message", message("shell", "kernel_info_reply", {}, request("probe").header));
    started[0]?.emit(
      "message",
      message("iopub", "status", { execution_state: "busy" }, request("probe").header),
    );
    expect(client.got).toEqual([]);
    expect(kernel.state).toBe("idle");
  });

  it("keeps messages for a client that lost its connection, in order and once", async () => {
    const { manager, started, folder } = await setup();
    const kernel = manager.create("tslab", folder);
    await idle(kernel);
    const before = new Client("a");
    kernel.attach(before);
    const asked = request("a");
    kernel.receive(asked);
    kernel.detach(before);
    for (const text of ["1\n", "2\n"]) {
      started[0]?.emit("message", message("iopub", "stream", { name: "stdout", text }, asked.header));
    }
    started[0]?.emit("message", message("shell", "execute_reply", {}, asked.header));
    const stranger = new Client("b");
    kernel.attach(stranger);
    expect(stranger.got).toEqual([]);
    const after = new Client("a");
    kernel.attach(after);
    expect(after.got.map((sent) => sent.content["text"] ?? sent.header.msg_type)).toEqual([
      "1\n2\n",
      "execute_reply",
    ]);
    expect(before.got).toEqual([]);
    kernel.detach(after);
    const again = new Client("a");
    kernel.attach(again);
    expect(again.got).toEqual([]);
  });

  it("bounds what it keeps for an absent client, the newest last", async () => {
    const { manager, started, folder } = await setup({ limits: { replayBytes: 5000 } });
    const kernel = manager.create("tslab", folder);
    await idle(kernel);
    const client = new Client("a");
    kernel.attach(client);
    const asked = request("a");
    kernel.receive(asked);
    kernel.detach(client);
    for (let i = 0; i < 50; i++)
      started[0]?.emit("message", message("iopub", "display_data", { i }, asked.header));
    const after = new Client("a");
    kernel.attach(after);
    expect(after.got.length).toBeGreaterThan(2);
    expect(after.got.length).toBeLessThan(25);
    expect(after.got.at(-1)?.content).toEqual({ i: 49 });
  });

  it("replaces the connection of a client that comes back before it was seen to be gone", async () => {
    const { manager, folder } = await setup();
    const kernel = manager.create("tslab", folder);
    await idle(kernel);
    const [first, second] = [new Client("a"), new Client("a")];
    kernel.attach(first);
    kernel.attach(second);
    expect(first.closed).toBe(4000);
    expect(kernel.model().connections).toBe(1);
  });

  it("starts another process when one dies, and tells the clients", async () => {
    const { manager, started, folder } = await setup();
    const kernel = manager.create("tslab", folder);
    await idle(kernel);
    const client = new Client("a");
    kernel.attach(client);
    started[0]?.die();
    await until(() => started.length === 2, "another process");
    await idle(kernel);
    expect(client.states).toEqual(["restarting", "idle"]);
    const sent = request("a");
    kernel.receive(sent);
    expect(started[1]?.sent).toEqual([sent]);
    expect(started[0]?.sent).toEqual([]);
  });

  it("gives up after five deaths in a short time, and begins anew on request", async () => {
    const { manager, started, folder } = await setup();
    const kernel = manager.create("tslab", folder);
    const client = new Client("a");
    kernel.attach(client);
    for (let death = 1; death <= 5; death++) {
      await idle(kernel);
      expect(started).toHaveLength(death);
      started.at(-1)?.die();
      await kernel.settled();
    }
    expect(kernel.state).toBe("dead");
    expect(client.states.at(-1)).toBe("dead");
    expect(kernel.model().reason).toBe("the kernel died 5 times within a minute");
    expect(started).toHaveLength(5);
    await kernel.restart();
    expect(kernel.state).toBe("idle");
    expect(started).toHaveLength(6);
  });

  it("is dead with the reason when it cannot start", async () => {
    const { manager, folder } = await setup({ next: () => Promise.reject(new Error("no launcher")) });
    const kernel = manager.create("tslab", folder);
    const client = new Client("a");
    kernel.attach(client);
    await kernel.settled();
    expect(kernel.model()).toMatchObject({ execution_state: "dead", reason: "no launcher" });
    expect(client.states).toEqual(["starting", "dead"]);
    await expect(kernel.restart()).rejects.toThrow("the kernel did not restart: no launcher");
  });

  it("does not come back to life when it is deleted, not even while it starts", async () => {
    let ready = (): void => undefined;
    const { manager, started, options, folder } = await setup({
      next: (kernel) => new Promise((resolve) => (ready = () => resolve(asHandle(kernel)))),
    });
    const kernel = manager.create("tslab", folder);
    const client = new Client("a");
    kernel.attach(client);
    await until(() => started.length === 1, "the start");
    const removed = manager.remove(kernel.id);
    expect(manager.list()).toEqual([]);
    expect(options[0]?.signal?.aborted).toBe(true);
    ready();
    await removed;
    expect(started[0]?.alive).toBe(false);
    expect(client.states.at(-1)).toBe("dead");
    expect(client.closed).toBe(1000);
    started[0]?.die();
    await kernel.settled();
    expect(started).toHaveLength(1);
  });
});

describe("the spare kernel", () => {
  it("is used for a kernel in its folder, also by a restart, and not in another folder", async () => {
    const { manager, started, options, folder } = await setup({ spare: true });
    expect(started).toHaveLength(1);
    await mkdir(join(folder, "other"));
    const elsewhere = manager.create("tslab", join(folder, "other"));
    await idle(elsewhere);
    expect(options.map((given) => given.cwd)).toEqual([folder, join(folder, "other")]);
    const kernel = manager.create("tslab", folder);
    await idle(kernel);
    expect(started).toHaveLength(2);
    kernel.receive(request("a"));
    expect(started[0]?.sent).toHaveLength(1);
  });

  it("is passed over when it has died", async () => {
    const { manager, started, folder } = await setup({ spare: true });
    started[0]?.die();
    const kernel = manager.create("tslab", folder);
    await idle(kernel);
    expect(started).toHaveLength(2);
  });

  it("ends with the server", async () => {
    const { manager, started } = await setup({ spare: true });
    await manager.close();
    expect(started.map((kernel) => kernel.alive)).toEqual([false]);
    expect(() => manager.create("tslab", "/")).toThrow("shutting down");
  });
});
