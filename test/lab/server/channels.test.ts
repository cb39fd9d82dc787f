import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { KernelMessage } from "../../../src/lab/kernel/wire.js";
import { BINARY_PROTOCOL, decodeBinary, encodeBinary } from "../../../src/lab/server/protocol.js";
import type { LabServer } from "../../../src/lab/server/server.js";
import { ask, askJson, FakeKernel, message, serve, until, workplace } from "./support.js";

interface Connection {
  readonly socket: WebSocket;
  readonly got: KernelMessage[];
  readonly closed: Promise<number>;
}

async function connect(server: LabServer, kernelId: string, session: string): Promise<Connection> {
  const address = `ws://127.0.0.1:${server.port}/api/kernels/${kernelId}/channels?session_id=${session}&token=${server.token}`;
  const socket = new WebSocket(address, [BINARY_PROTOCOL], { maxPayload: 1e9 });
  const got: KernelMessage[] = [];
  socket.on("message", (data: Buffer) => got.push(decodeBinary(data)));
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  return { socket, got, closed };
}

/** A server with one kernel that does what the test says. */
async function withKernel(
  limits: object = {},
): Promise<{ server: LabServer; kernel: FakeKernel; id: string }> {
  const kernel = new FakeKernel();
  const server = await serve(await workplace(), {
    limits,
    parts: { startKernel: () => Promise.resolve(kernel) },
  });
  const { body } = await askJson(server, "/api/kernels", { method: "POST", body: {} });
  const id = String(body["id"]);
  await expect
    .poll(async () => (await askJson(server, `/api/kernels/${id}`)).body["execution_state"])
    .toBe("idle");
  return { server, kernel, id };
}

describe("a websocket of a kernel", () => {
  it("does not let a browser that stops reading fill the memory, and keeps what matters for it", async () => {
    const { server, kernel, id } = await withKernel({ socketBytes: 2e6, displayCharacters: 1e9 });
    const { socket, got } = await connect(server, id, "slow");
    const quick = await connect(server, id, "quick");
    const asked = message("shell", "execute_request", {}, {}, "slow");
    socket.send(encodeBinary(asked));
    await until(() => kernel.sent.length === 1, "the request");
    socket.pause();
    const data = { "text/plain": "x".repeat(5e5) };
    for (let i = 0; i < 60; i++) {
      kernel.emit("message", message("iopub", "display_data", { data, i }, asked.header));
      await until(() => quick.got.length === i + 1, `display ${i} for the quick client`);
    }
    kernel.emit("message", message("iopub", "status", { execution_state: "idle" }, asked.header));
    kernel.emit("message", message("shell", "execute_reply", { status: "ok" }, asked.header));
    socket.resume();
    await until(() => got.some(({ header }) => header.msg_type === "execute_reply"), "the reply");
    const displays = got.filter(({ header }) => header.msg_type === "display_data");
    expect(displays.length).toBeGreaterThan(4);
    expect(displays.length).toBeLessThan(40); // the rest was dropped, beyond what sockets themselves hold
    expect(displays.map(({ content }) => content["i"])).toEqual(displays.map((_, i) => i));
    const notices = got
      .filter(({ header }) => header.msg_type === "stream")
      .map(({ content }) => content["text"]);
    expect(notices).toEqual(["\n[clientele] output dropped: the browser does not keep up\n"]);
    expect(got.some(({ content }) => content["execution_state"] === "idle")).toBe(true);
    socket.terminate();
    quick.socket.terminate();
  });

  it("closes on a message above the limit and on nonsense; the server goes on", async () => {
    const { server, kernel, id } = await withKernel({ frameBytes: 1000 });
    const large = await connect(server, id, "a");
    large.socket.send(encodeBinary(message("shell", "execute_request", { code: "x".repeat(2000) }, {}, "a")));
    expect(await large.closed).toBe(1009);
    const odd = await connect(server, id, "b");
    odd.socket.send(Buffer.alloc(100, 255));
    expect(await odd.closed).toBe(1007);
    expect(kernel.sent).toEqual([]);
    expect((await ask(server, "/api")).status).toBe(200);
  });

  it("passes requests on as they are, and none to iopub", async () => {
    const { server, kernel, id } = await withKernel();
    const { socket } = await connect(server, id, "a");
    const request = message("control", "debug_request", { a: [1, { b: null }] }, {}, "a");
    socket.send(encodeBinary(message("iopub", "status", {}, {}, "a")));
    socket.send(encodeBinary(request));
    await until(() => kernel.sent.length > 0, "the request");
    expect(kernel.sent).toEqual([request]);
    socket.terminate();
  });

  it("is told when the kernel ends, and closed", async () => {
    const { server, id } = await withKernel();
    const { closed, got } = await connect(server, id, "a");
    await ask(server, `/api/kernels/${id}`, { method: "DELETE" });
    expect(await closed).toBe(1000);
    expect(got.at(-1)?.content).toEqual({ execution_state: "dead" });
  });
});
