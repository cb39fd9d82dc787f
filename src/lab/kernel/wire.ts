import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";

/** The four message channels of the Jupyter protocol. */
export type Channel = "shell" | "control" | "iopub" | "stdin";

/** Header of a Jupyter message, as sent. */
export interface MessageHeader {
  readonly msg_id: string;
  readonly msg_type: string;
  readonly session: string;
  readonly username: string;
  readonly date: string;
  readonly version: string;
}

/** A Jupyter message without its signature. */
export interface KernelMessage {
  readonly channel: Channel;
  readonly header: MessageHeader;
  readonly parent_header: MessageHeader | Record<string, never>;
  readonly metadata: Record<string, unknown>;
  readonly content: Record<string, unknown>;
  readonly buffers: readonly Uint8Array[];
}

/** What a Jupyter connection file holds. */
export interface ConnectionInfo {
  readonly transport: string;
  readonly ip: string;
  readonly shell_port: number;
  readonly iopub_port: number;
  readonly stdin_port: number;
  readonly control_port: number;
  readonly hb_port: number;
  readonly key: string;
  readonly signature_scheme: string;
  readonly kernel_name?: string;
}

/** Jupyter messaging protocol spoken here. */
export const PROTOCOL_VERSION = "5.3";

const DELIMITER = "<IDS|MSG>";

/** A fresh header for a message of this type. */
export function createHeader(msgType: string, session: string, username = "clientele"): MessageHeader {
  return {
    msg_id: randomUUID(),
    msg_type: msgType,
    session,
    username,
    date: new Date().toISOString(),
    version: PROTOCOL_VERSION,
  };
}

function signature(key: string, parts: readonly (string | Uint8Array)[]): string {
  const hmac = createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest("hex");
}

/** The signed ZeroMQ frames of a message, routed to `identities` when there are any. */
export function encodeFrames(
  message: Omit<KernelMessage, "channel">,
  key: string,
  identities: readonly Uint8Array[] = [],
): (string | Uint8Array)[] {
  const parts = [message.header, message.parent_header, message.metadata, message.content].map((part) =>
    JSON.stringify(part),
  );
  return [...identities, DELIMITER, signature(key, parts), ...parts, ...message.buffers];
}

/**
 * A message read from its ZeroMQ frames, with the identities to route a reply to.
 * @throws Error if the frames are not a Jupyter message or its signature is wrong.
 */
export function decodeFrames(
  frames: readonly Buffer[],
  key: string,
  channel: Channel,
): { identities: readonly Buffer[]; message: KernelMessage } {
  const delimiter = frames.findIndex((frame) => frame.toString("latin1") === DELIMITER);
  const [sent, header, parent, metadata, content] = frames.slice(delimiter + 1, delimiter + 6);
  if (delimiter === -1 || !sent || !header || !parent || !metadata || !content) {
    throw new Error(`not a Jupyter message: ${String(frames.length)} frames without header and content`);
  }
  const expected = Buffer.from(signature(key, [header, parent, metadata, content]));
  if (sent.length !== expected.length || !timingSafeEqual(sent, expected)) {
    throw new Error("a Jupyter message was signed with another key");
  }
  return {
    identities: frames.slice(0, delimiter),
    message: {
      channel,
      header: JSON.parse(header.toString()) as MessageHeader,
      parent_header: JSON.parse(parent.toString()) as MessageHeader | Record<string, never>,
      metadata: JSON.parse(metadata.toString()) as Record<string, unknown>,
      content: JSON.parse(content.toString()) as Record<string, unknown>,
      buffers: frames.slice(delimiter + 6),
    },
  };
}
