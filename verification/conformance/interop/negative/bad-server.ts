import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { createSocketPeer, type ScriptedPeer, type SettingsValues } from "@tercel/http2/testing";
import { SimpleResponseSchema } from "../gen/grpc/testing/messages_pb.ts";

/** Called with a complete request. */
export type Answer = (connection: BadConnection, streamId: number) => Promise<void> | void;

export interface BadServer {
  readonly port: number;
  /** All connections so far, in order. */
  readonly connections: readonly BadConnection[];
  close(): Promise<void>;
}

/** Large enough for every request of the tests, so that the client never waits for the server. */
const clientWindow = 2 ** 30;
const windowSetting = 4;
/** The initial window of both sides (RFC 9113 §6.9.2). */
const firstWindow = 65_535;

/** A server for the negative HTTP/2 cases. It writes frames by hand, and respects the client's windows. */
export async function startBadServer(answer: Answer, settings: SettingsValues = {}): Promise<BadServer> {
  const connections: BadConnection[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const connection = new BadConnection(createSocketPeer(socket, "server"), answer);
    connections.push(connection);
    void connection.serve(settings);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the port of a TCP server is missing");
  return {
    port: address.port,
    connections,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** A connection of a client, with methods for the frames of a response. */
export class BadConnection {
  /** The maximum number of requests that were open at the same time. */
  mostOpenStreams = 0;
  pingsSent = 0;
  pingsAnswered = 0;
  readonly streamIds: number[] = [];
  readonly peer: ScriptedPeer;
  private readonly answer: Answer;
  private readonly open = new Set<number>();
  private initialWindow = firstWindow;
  private connectionWindow = firstWindow;
  private readonly streamWindows = new Map<number, number>();
  private waiting: (() => void)[] = [];

  constructor(peer: ScriptedPeer, answer: Answer) {
    this.peer = peer;
    this.answer = answer;
  }

  /** Reads until the client disconnects. */
  async serve(settings: SettingsValues): Promise<void> {
    const { peer } = this;
    peer.sendSettings({ initialWindowSize: clientWindow, ...settings });
    peer.sendWindowUpdate(0, clientWindow);
    for (;;) {
      const frame = await peer.nextFrame().catch(() => undefined);
      if (frame === undefined) return;
      switch (frame.type) {
        case "SETTINGS":
          if (!frame.ack) this.acceptSettings(frame.entries);
          break;
        case "HEADERS":
          this.streamIds.push(frame.streamId);
          this.open.add(frame.streamId);
          this.streamWindows.set(frame.streamId, this.initialWindow);
          this.mostOpenStreams = Math.max(this.mostOpenStreams, this.open.size);
          break;
        case "DATA":
          if (frame.endStream) void this.answer(this, frame.streamId);
          break;
        case "WINDOW_UPDATE":
          this.addWindow(frame.streamId, frame.increment);
          break;
        case "PING":
          if (frame.ack) this.pingsAnswered++;
          break;
      }
      this.wake();
    }
  }

  sendHead(streamId: number): void {
    this.peer.sendHeaders(streamId, [":status", "200", "content-type", "application/grpc"]);
  }

  /** Sends bytes in DATA frames within the client's windows, in which padding counts (RFC 9113 §6.9.1). */
  async sendBytes(streamId: number, bytes: Uint8Array, frameBytes = 16_384, padding?: number): Promise<void> {
    const options = padding === undefined ? {} : { padding };
    for (let at = 0; at < bytes.length; at += frameBytes) {
      const chunk = bytes.subarray(at, at + frameBytes);
      const cost = chunk.length + (padding === undefined ? 0 : padding + 1);
      await this.until(() => this.connectionWindow >= cost && this.streamWindow(streamId) >= cost);
      this.connectionWindow -= cost;
      this.streamWindows.set(streamId, this.streamWindow(streamId) - cost);
      this.peer.sendData(streamId, chunk, options);
    }
  }

  sendOk(streamId: number): void {
    this.over(streamId);
    this.peer.sendHeaders(streamId, ["grpc-status", "0"], { endStream: true });
  }

  sendReset(streamId: number, code: number): void {
    this.over(streamId);
    this.peer.sendReset(streamId, code);
  }

  sendPing(): void {
    this.pingsSent++;
    this.peer.sendPing(this.pingsSent.toString(16).padStart(16, "0"));
  }

  /** Resolves when a frame of the client has made the condition true. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  /** Counts the stream as closed before the client can see that, so a client that respects the limit never exceeds it. */
  private over(streamId: number): void {
    this.open.delete(streamId);
  }

  private streamWindow(streamId: number): number {
    return this.streamWindows.get(streamId) ?? 0;
  }

  private acceptSettings(entries: readonly (readonly [setting: number, value: number])[]): void {
    for (const [setting, value] of entries) if (setting === windowSetting) this.initialWindow = value;
    this.peer.sendSettingsAck();
  }

  private addWindow(streamId: number, increment: number): void {
    if (streamId === 0) this.connectionWindow += increment;
    else this.streamWindows.set(streamId, this.streamWindow(streamId) + increment);
  }

  private wake(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** Returns the message of a unary response with its prefix. */
export function responseBytes(payloadBytes: number): Buffer {
  const message = create(SimpleResponseSchema, { payload: { body: new Uint8Array(payloadBytes) } });
  const encoded = toBinary(SimpleResponseSchema, message);
  const framed = Buffer.alloc(5 + encoded.length);
  framed.writeUInt32BE(encoded.length, 1);
  framed.set(encoded, 5);
  return framed;
}
