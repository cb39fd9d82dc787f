/**
 * Kernel messages on a websocket, in Jupyter's binary protocol and in its older JSON form.
 * @module
 * @see https://jupyter-server.readthedocs.io/en/latest/developers/websocket-protocols.html
 */
import { type Channel, createHeader, type KernelMessage, type MessageHeader } from "../kernel/wire.js";
import { isRecord } from "../notebook/format.js";

/** Name of the binary protocol, offered by the browser and chosen by the server. */
export const BINARY_PROTOCOL = "v1.kernel.websocket.jupyter.org";

/** Something on a websocket that is not a kernel message. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

/**
 * One binary frame: the number of offsets and the offsets as 64-bit little-endian integers, then channel, header,
 * parent header, metadata, content and buffers end to end; the last offset is the end of the frame.
 */
export function encodeBinary(message: KernelMessage): Buffer {
  const json = [message.header, message.parent_header, message.metadata, message.content].map((part) =>
    Buffer.from(JSON.stringify(part)),
  );
  const parts: Uint8Array[] = [Buffer.from(message.channel), ...json, ...message.buffers];
  const table = Buffer.alloc(8 * (parts.length + 2));
  table.writeBigUInt64LE(BigInt(parts.length + 1));
  let offset = table.length;
  for (const [index, part] of [...parts, undefined].entries()) {
    table.writeBigUInt64LE(BigInt(offset), 8 * (index + 1));
    offset += part?.length ?? 0;
  }
  return Buffer.concat([table, ...parts]);
}

/**
 * The message in a binary frame.
 * @throws ProtocolError if the frame is malformed
 */
export function decodeBinary(frame: Buffer): KernelMessage {
  const offsets = readOffsets(frame, 8, (at) => Number(frame.readBigUInt64LE(at)));
  if (offsets.length < 6)
    throw new ProtocolError(`a frame must hold at least 6 offsets, got ${String(offsets.length)}`);
  const parts = slices(frame, offsets);
  const [channel, header, parent, metadata, content, ...buffers] = parts;
  return readMessage(
    {
      channel: channel?.toString(),
      header: parse(header),
      parent_header: parse(parent),
      metadata: parse(metadata),
      content: parse(content),
    },
    buffers,
  );
}

/** The JSON form: a text, or with buffers a frame of 32-bit big-endian offsets, the JSON and the buffers. */
export function encodeJson(message: KernelMessage): string | Buffer {
  const { buffers, ...rest } = message;
  if (buffers.length === 0) return JSON.stringify({ ...rest, buffers: [] });
  const parts = [Buffer.from(JSON.stringify(rest)), ...buffers];
  const table = Buffer.alloc(4 * (parts.length + 1));
  table.writeUInt32BE(parts.length);
  let offset = table.length;
  for (const [index, part] of parts.entries()) {
    table.writeUInt32BE(offset, 4 * (index + 1));
    offset += part.length;
  }
  return Buffer.concat([table, ...parts]);
}

/**
 * The message in a JSON text, or in a frame with buffers.
 * @throws ProtocolError if it is malformed
 */
export function decodeJson(data: string | Buffer): KernelMessage {
  if (typeof data === "string") return readMessage(parse(Buffer.from(data)), []);
  const offsets = readOffsets(data, 4, (at) => data.readUInt32BE(at));
  const [text, ...buffers] = slices(data, [...offsets, data.length]);
  return readMessage(parse(text), buffers);
}

/** The table at the start of a frame: a count, then as many offsets that rise and stay inside. */
function readOffsets(frame: Buffer, width: number, read: (at: number) => number): number[] {
  if (frame.length < width) throw new ProtocolError("a frame must begin with the number of its offsets");
  const count = read(0);
  if (count > frame.length / width - 1)
    throw new ProtocolError(`a frame of ${String(frame.length)} bytes cannot hold ${String(count)} offsets`);
  const offsets = Array.from({ length: count }, (_, index) => read(width * (index + 1)));
  let last = width * (count + 1);
  for (const offset of offsets) {
    if (offset < last || offset > frame.length)
      throw new ProtocolError(`offset ${String(offset)} points outside of the frame`);
    last = offset;
  }
  return offsets;
}

const slices = (frame: Buffer, offsets: readonly number[]): Buffer[] =>
  offsets.slice(0, -1).map((offset, index) => frame.subarray(offset, offsets[index + 1]));

function parse(part: Buffer | undefined): unknown {
  try {
    return JSON.parse(part?.toString() ?? "");
  } catch {
    throw new ProtocolError("a part of the message is not valid JSON");
  }
}

const CHANNELS: readonly string[] = ["shell", "control", "iopub", "stdin"] satisfies Channel[];

const isChannel = (value: unknown): value is Channel => typeof value === "string" && CHANNELS.includes(value);

function readMessage(value: unknown, buffers: readonly Uint8Array[]): KernelMessage {
  if (!isRecord(value)) throw new ProtocolError("a message must be an object");
  const { channel = "shell", header, parent_header: parent, metadata, content } = value;
  if (!isChannel(channel)) throw new ProtocolError(`channel must be one of ${CHANNELS.join(", ")}`);
  if (!isRecord(content)) throw new ProtocolError("content must be an object");
  return {
    channel,
    header: readHeader(header),
    parent_header: isRecord(parent) && parent["msg_id"] !== undefined ? readHeader(parent) : {},
    metadata: isRecord(metadata) ? metadata : {},
    content,
    buffers,
  };
}

function readHeader(value: unknown): MessageHeader {
  if (!isRecord(value)) throw new ProtocolError("header must be an object");
  const text = (name: string, fallback?: string): string => {
    const field = value[name] ?? fallback;
    if (typeof field !== "string") throw new ProtocolError(`header.${name} must be a string`);
    return field;
  };
  return {
    ...value, // a header may carry more, the id of a subshell for one
    msg_id: text("msg_id"),
    msg_type: text("msg_type"),
    session: text("session"),
    username: text("username", ""),
    date: text("date", ""),
    version: text("version", "5.3"),
  };
}

/** Id of the request a message answers, "" if it answers none. */
export const parentId = ({ parent_header: parent }: KernelMessage): string =>
  "msg_id" in parent ? parent.msg_id : "";

/** Session of the client whose request a message answers, undefined if it answers none. */
export const parentSession = ({ parent_header: parent }: KernelMessage): string | undefined =>
  "session" in parent ? parent.session : undefined;

/** A message the server itself publishes, in the name of the kernel session the client knows. */
export function publication(
  msgType: string,
  content: Record<string, unknown>,
  session: string,
  parent: KernelMessage["parent_header"] = {},
): KernelMessage {
  return {
    channel: "iopub",
    header: createHeader(msgType, session),
    parent_header: parent,
    metadata: {},
    content,
    buffers: [],
  };
}

/** A message on its way to several clients, encoded once per form. */
export class Outgoing {
  readonly message: KernelMessage;
  #binary: Buffer | undefined;
  #json: string | Buffer | undefined;

  constructor(message: KernelMessage) {
    this.message = message;
  }

  get binary(): Buffer {
    this.#binary ??= encodeBinary(this.message);
    return this.#binary;
  }

  get json(): string | Buffer {
    this.#json ??= encodeJson(this.message);
    return this.#json;
  }
}
