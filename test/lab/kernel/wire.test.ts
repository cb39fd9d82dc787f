import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createHeader, decodeFrames, encodeFrames } from "../../../src/lab/kernel/wire.js";

const message = (content: Record<string, unknown>, buffers: Uint8Array[] = []) => ({
  header: createHeader("execute_request", "session"),
  parent_header: {},
  metadata: {},
  content,
  buffers,
});
const asBuffers = (frames: (string | Uint8Array)[]): Buffer[] =>
  frames.map((frame) => Buffer.from(frame as Uint8Array));

describe("wire format", () => {
  it("decodes what it encodes, identities and buffers included", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.uint8Array(),
        fc.string(),
        (content, buffer, key) => {
          // JSON knows no negative zero and no __proto__ as a key.
          const sent = message(JSON.parse(JSON.stringify(content)) as Record<string, unknown>, [buffer]);
          const frames = asBuffers(encodeFrames(sent, key, [Buffer.from("client")]));
          const { identities, message: received } = decodeFrames(frames, key, "shell");
          expect(identities.map(String)).toEqual(["client"]);
          expect(received.content).toEqual(sent.content);
          expect(received.header).toEqual(sent.header);
          expect([...(received.buffers[0] ?? [])]).toEqual([...buffer]);
        },
      ),
      { seed: 1, numRuns: 100 },
    );
  });

  it("refuses a message signed with another key, or changed on the way", () => {
    const frames = asBuffers(encodeFrames(message({ code: "1" }), "key"));
    expect(() => decodeFrames(frames, "other key", "shell")).toThrow(/signed with another key/);
    const changed = frames.map((frame, index) => (index === 5 ? Buffer.from('{"code":"2"}') : frame));
    expect(() => decodeFrames(changed, "key", "shell")).toThrow(/signed with another key/);
  });

  it("refuses frames that are no message", () => {
    expect(() => decodeFrames([], "key", "shell")).toThrow(/not a Jupyter message/);
    expect(() => decodeFrames([Buffer.from("<IDS|MSG>")], "key", "shell")).toThrow(/not a Jupyter message/);
  });
});
