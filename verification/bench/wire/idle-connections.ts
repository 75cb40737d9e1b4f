import { connect, type Socket } from "node:net";

/** HTTP/2 connections that are idle after their handshake. */
export interface IdleConnections {
  close(): void;
}

const FRAME_HEADER_BYTES = 9;
const FRAME_DATA = 0x0;
const FRAME_HEADERS = 0x1;
const FLAG_END_HEADERS = 0x4;
const FLAG_END_STREAM = 0x1;
const FRAME_SETTINGS = 0x4;
const FRAME_PING = 0x6;
const FLAG_ACK = 0x1;
const SETTINGS_ACK = Buffer.from([0, 0, 0, FRAME_SETTINGS, FLAG_ACK, 0, 0, 0, 0]);
/** The preface and empty SETTINGS. */
const OPENING = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  Buffer.from([0, 0, 0, FRAME_SETTINGS, 0, 0, 0, 0, 0]),
]);
/** Sent last. Its acknowledgement proves that the server has processed everything before as HTTP/2. */
const PING = Buffer.concat([Buffer.from([0, 0, 8, FRAME_PING, 0, 0, 0, 0, 0]), Buffer.alloc(8)]);
/** An empty message. */
const MESSAGE = Buffer.alloc(5);

/** The number of calls that are started on each connection, with one empty message. */
export interface Calls {
  each: number;
  path: string;
  /** Whether the request ends after the message and the response is awaited. Otherwise the method must have a request stream. */
  isEnded?: true;
}
/** The number of connections opened at once, below every listener's backlog, so that none waits for a repeated SYN. */
const OPENED_TOGETHER = 50;
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Opens `count` connections to the local port. Resolves when the server has responded on each. */
export async function openIdleConnections(
  port: number,
  count: number,
  calls: Calls = { each: 0, path: "" },
): Promise<IdleConnections> {
  const bytes = Buffer.concat([OPENING, ...requests(calls), PING]);
  const answers = calls.isEnded ? calls.each : 0;
  const sockets: Socket[] = [];
  const close = () => {
    for (const socket of sockets) socket.destroy();
  };
  try {
    while (sockets.length < count) {
      const opening: Promise<void>[] = [];
      for (let i = 0; i < OPENED_TOGETHER && sockets.length < count; i++) {
        const socket = connect({ host: "127.0.0.1", port });
        sockets.push(socket);
        opening.push(handshake(socket, bytes, answers));
      }
      await Promise.all(opening);
    }
  } catch (error) {
    close();
    throw error;
  }
  return { close };
}

/** Resolves when the server's SETTINGS and the PING are acknowledged, and this many calls have got a message. */
function handshake(socket: Socket, bytes: Uint8Array, answers: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0);
    let settingsSeen = false;
    let pingAnswered = false;
    let messageBytes = 0;
    let ends = 0;
    const fail = (why: string) => {
      socket.destroy();
      reject(new Error(`an idle connection ${why}`));
    };
    socket.setNoDelay(true);
    socket.setTimeout(HANDSHAKE_TIMEOUT_MS, () => fail("got no response to its handshake"));
    socket.on("error", (error) => fail(`failed: ${error.message}`));
    // After the handshake this has no effect, because the promise is settled.
    socket.on("close", () => fail("was closed by the server"));
    socket.write(bytes);
    socket.on("data", (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      for (;;) {
        if (received.length < FRAME_HEADER_BYTES) return;
        const frameBytes = FRAME_HEADER_BYTES + received.readUIntBE(0, 3);
        if (received.length < frameBytes) return;
        const type = received[3];
        const acknowledges = ((received[4] ?? 0) & FLAG_ACK) !== 0;
        const endsStream = ((received[4] ?? 0) & FLAG_END_STREAM) !== 0;
        received = received.subarray(frameBytes);
        if (type === FRAME_SETTINGS && !acknowledges) {
          settingsSeen = true;
          socket.write(SETTINGS_ACK);
        }
        if (type === FRAME_PING && acknowledges) pingAnswered = true;
        if (type === FRAME_DATA) messageBytes += frameBytes - FRAME_HEADER_BYTES;
        if (type === FRAME_HEADERS && endsStream && ++ends === answers && messageBytes < answers * MESSAGE.length) {
          fail("got no message for its calls");
        }
        if (settingsSeen && pingAnswered && ends >= answers) {
          socket.setTimeout(0);
          resolve();
        }
      }
    });
  });
}

function requests({ each, path, isEnded }: Calls): Buffer[] {
  const fields = [":method", "POST", ":scheme", "http", ":path", path, ":authority", "bench", "te", "trailers"];
  const block = literals([...fields, "content-type", "application/grpc"]);
  return Array.from({ length: each }, (_, index) => {
    const streamId = 2 * index + 1;
    return Buffer.concat([
      frame(FRAME_HEADERS, FLAG_END_HEADERS, streamId, block),
      frame(FRAME_DATA, isEnded ? FLAG_END_STREAM : 0, streamId, MESSAGE),
    ]);
  });
}

/** A header block without indexing or Huffman code (RFC 7541 §6.2.2). Names and values stay below 127 bytes. */
function literals(fields: readonly string[]): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const [name = "", value = ""] = fields.slice(at, at + 2);
    parts.push(Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value));
  }
  return Buffer.concat(parts);
}

function frame(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, payload]);
}
