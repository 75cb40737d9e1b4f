import { once } from "node:events";
import { connect, createServer as createTcpServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { type Client, createClient } from "@connectrpc/connect";
import {
  type Channel,
  type ChannelOptions,
  createChannel,
  createServer,
  type Server,
  type ServerOptions,
} from "@tercel/grpc";
import { createFakeClock, type FakeClock } from "@tercel/grpc/testing";
import type { SettingsValues } from "@tercel/http2/testing";
import type { Transcript } from "@tercel/test-support/golden";
import { EchoService } from "../gen/tercel/grpc/test/v1/echo_pb.ts";
import { recordingLog } from "../support/open-echo.ts";
import { createRecordedPeer, nextSocket, type RecordedPeer, SocketRecording } from "./recorded-socket.ts";

/** Whether the first bytes of both sides are recorded. Default: from the end of the handshake on. */
export interface RecordingOptions {
  readonly fromFirstByte?: boolean;
  /** What the peer's SETTINGS say. */
  readonly settings?: SettingsValues;
}

export interface RecordedServer extends RecordedPeer {
  readonly clock: FakeClock;
  readonly server: Server;
}

/** A server under test, and a scripted client that is connected to it. */
export async function openServer(
  test: TestContext,
  transcript: Transcript,
  options: ServerOptions,
  { fromFirstByte = false, settings = {} }: RecordingOptions = {},
): Promise<RecordedServer> {
  const recording = new SocketRecording(transcript);
  if (fromFirstByte) recording.start();
  const clock = createFakeClock();
  const server = createServer({ log: recordingLog().log, clock, ...options });
  const { port } = await server.listen({ port: 0, host: "127.0.0.1" });
  const accepted = nextSocket("net.server.socket", recording);
  const theirs = connect({ port, host: "127.0.0.1", noDelay: true });
  const [ours] = await Promise.all([accepted, once(theirs, "connect")]);
  test.after(async () => {
    theirs.destroy();
    await server.close({ deadlineMs: 0 });
  });
  const recorded = createRecordedPeer(recording, theirs, ours, "server");
  const { peer, step } = recorded;
  await step("the client's first bytes", () => {
    peer.sendPreface();
    peer.sendSettings(settings);
  });
  await step("it acknowledges ours", () => peer.sendSettingsAck());
  recording.start();
  return { ...recorded, clock, server };
}

export interface RecordedClient extends RecordedPeer {
  readonly clock: FakeClock;
  readonly channel: Channel;
  readonly client: Client<typeof EchoService>;
  /** The scripted end of the connection that the channel makes next, recorded from its first byte in a part of its own. */
  nextConnection(): Promise<RecordedPeer>;
}

/** A client under test, connected to a scripted server. */
export async function openClient(
  test: TestContext,
  transcript: Transcript,
  options: ChannelOptions = {},
  { fromFirstByte = false, settings = {} }: RecordingOptions = {},
): Promise<RecordedClient> {
  const listener = createTcpServer({ noDelay: true });
  const sockets: Socket[] = [];
  listener.on("connection", (socket: Socket) => sockets.push(socket));
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as { port: number };
  const clock = createFakeClock();
  // The port is another in each run.
  const authority = "echo.example:443";
  const channel = createChannel(`127.0.0.1:${port}`, { log: recordingLog().log, clock, authority, ...options });
  test.after(async () => {
    await channel.close({ deadlineMs: 0 });
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => listener.close(resolve));
  });
  const accept = async (recording: SocketRecording): Promise<RecordedPeer> => {
    const accepted = once(listener, "connection");
    const [ours, [theirs]] = await Promise.all([nextSocket("net.client.socket", recording), accepted]);
    return createRecordedPeer(recording, theirs, ours, "client");
  };
  const recording = new SocketRecording(transcript);
  if (fromFirstByte) recording.start();
  const accepted = accept(recording);
  void channel.connect();
  const recorded = await accepted;
  await shakeHands(recorded, settings);
  recording.start();
  return {
    ...recorded,
    clock,
    channel,
    client: createClient(EchoService, channel),
    nextConnection() {
      const recordingOfNext = new SocketRecording(transcript.part("the next connection"));
      recordingOfNext.start();
      return accept(recordingOfNext);
    },
  };
}

/** Sends what a server responds to the first bytes of a client with. */
export async function shakeHands({ peer, step }: RecordedPeer, settings: SettingsValues = {}): Promise<void> {
  await step("the client's first bytes", () => {});
  await step("the server's, and its acknowledgement", () => {
    peer.sendSettings(settings);
    peer.sendSettingsAck();
  });
}
