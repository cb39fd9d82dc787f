import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KernelMessage } from "../../../src/lab/kernel/wire.js";
import {
  decodeBinary,
  decodeJson,
  encodeBinary,
  encodeJson,
  ProtocolError,
} from "../../../src/lab/server/protocol.js";

const object = fc.dictionary(
  fc.string().filter((key) => key !== "__proto__"),
  fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown),
  {
    noNullPrototype: true,
  },
);
const header = fc.record({
  msg_id: fc.string(),
  msg_type: fc.string(),
  session: fc.string(),
  username: fc.string(),
  date: fc.string(),
  version: fc.string(),
});
const messages: fc.Arbitrary<KernelMessage> = fc.record({
  channel: fc.constantFrom("shell", "control", "iopub", "stdin"),
  header,
  parent_header: fc.oneof(header, fc.constant({})),
  metadata: object,
  content: object,
  buffers: fc.array(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    { maxLength: 3 },
  ),
});

describe("websocket codec", () => {
  it("gives back every message in the binary form", () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(decodeBinary(encodeBinary(message))).toEqual(message);
      }),
      { seed: 1 },
    );
  });

  it("gives back every message in the JSON form", () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(decodeJson(encodeJson(message))).toEqual(message);
      }),
      { seed: 2 },
    );
  });

  it("lays the binary form out as the protocol says", () => {
    const frame = encodeBinary({
      channel: "shell",
      header: { msg_id: "1", msg_type: "t", session: "s", username: "", date: "", version: "5.3" },
      parent_header: {},
      metadata: {},
      content: { code: "é" },
      buffers: [Buffer.from([7, 8])],
    });
    const offsets = Array.from({ length: 7 }, (_, i) => Number(frame.readBigUInt64LE(8 * (i + 1))));
    expect(Number(frame.readBigUInt64LE(0))).toBe(7);
    expect(offsets[0]).toBe(64);
    expect(frame.subarray(offsets[0], offsets[1]).toString()).toBe("shell");
    expect(frame.subarray(offsets[4], offsets[5]).toString()).toBe('{"code":"é"}');
    expect([...frame.subarray(offsets[5], offsets[6])]).toEqual([7, 8]);
    expect(offsets[6]).toBe(frame.length);
  });

  it("refuses anything else with a ProtocolError, whatever the bytes", () => {
    const good = encodeBinary({
      channel: "iopub",
      header: { msg_id: "1", msg_type: "t", session: "s", username: "", date: "", version: "" },
      parent_header: {},
      metadata: {},
      content: {},
      buffers: [],
    });
    const damaged = fc
      .tuple(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(good.length))
      .map(([at, flip, length]) => {
        const bytes = Buffer.from(good);
        bytes.writeUInt8(bytes.readUInt8(at) ^ flip, at);
        return bytes.subarray(0, length);
      });
    const bytes = fc.oneof(
      damaged,
      fc.uint8Array({ maxLength: 100 }).map((raw) => Buffer.from(raw)),
    );
    fc.assert(
      fc.property(bytes, fc.constantFrom(decodeBinary, decodeJson), (frame, decode) => {
        try {
          decode(frame);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
      { seed: 3, numRuns: 1000 },
    );
    for (const text of [
      "",
      "null",
      "[]",
      '{"channel":"x"}',
      '{"channel":"shell","header":{},"content":{}}',
    ]) {
      expect(() => decodeJson(text)).toThrow(ProtocolError);
    }
  });
});
