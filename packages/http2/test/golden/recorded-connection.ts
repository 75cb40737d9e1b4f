import type { Http2Stream } from "@tercel/http2";
import {
  createScriptedClient,
  createScriptedServer,
  type ScriptedClient,
  type ScriptedConnection,
  type ScriptedOptions,
  type SettingsValues,
} from "@tercel/http2/testing";
import { recordWrites, type Transcript } from "@tercel/test-support/golden";

/** A connection under test, whose bytes and whose peer's are written down. */
export type Recorded<Scripted extends ScriptedConnection> = Scripted & {
  /** Runs a step of the script, writes `what` above it, and resolves once nothing happens any more. */
  step(what: string, act: () => void): Promise<void>;
  /** Waits until nothing happens any more, and verifies that no rule of senders was broken. */
  settle(): Promise<void>;
  /** What the peer sends in `send` arrives as one chunk. */
  together(send: () => void): void;
  /** The side under test's end of a stream. Throws when there is none. */
  stream(id: number): Http2Stream;
  /** Moves the clock on. */
  later(ms: number): Promise<void>;
};

/** A server that is recorded from its first byte. */
export function recordServer(transcript: Transcript, options: ScriptedOptions = {}): Recorded<ScriptedConnection> {
  return record(createScriptedServer(options), transcript);
}

/** A client that is recorded from its first byte. */
export function recordClient(transcript: Transcript, options: ScriptedOptions = {}): Recorded<ScriptedClient> {
  return record(createScriptedClient(options), transcript);
}

/** A server that is recorded from the end of the handshake on. */
export async function openServer(
  transcript: Transcript,
  options: ScriptedOptions = {},
  settings: SettingsValues = {},
): Promise<Recorded<ScriptedConnection>> {
  return open(createScriptedServer(options), transcript, settings);
}

/** A client that is recorded from the end of the handshake on. */
export async function openClient(
  transcript: Transcript,
  options: ScriptedOptions = {},
  settings: SettingsValues = {},
): Promise<Recorded<ScriptedClient>> {
  return open(createScriptedClient(options), transcript, settings);
}

async function open<Scripted extends ScriptedConnection>(
  scripted: Scripted,
  transcript: Transcript,
  settings: SettingsValues,
): Promise<Recorded<Scripted>> {
  await scripted.peer.shakeHands(settings);
  if (settings.maxFrameSize !== undefined) scripted.peer.maxFrameBytes = settings.maxFrameSize;
  await scripted.settle();
  return record(scripted, transcript);
}

function record<Scripted extends ScriptedConnection>(scripted: Scripted, transcript: Transcript): Recorded<Scripted> {
  const { peer, channel, clock } = scripted;
  // The peer's decoder sees the same bytes: it throws here for what no sender may send.
  const settle = async (): Promise<void> => {
    await scripted.settle();
    while (peer.unread.length > 0) await peer.nextFrame();
    await peer.expectNothingMore();
  };
  recordWrites(channel, transcript);
  const deliver = channel.deliverChunk.bind(channel);
  const destroy = channel.destroy.bind(channel);
  let collected: Uint8Array[] | undefined;
  channel.deliverChunk = (chunk) => {
    if (collected !== undefined) {
      collected.push(chunk);
      return;
    }
    transcript.write("<", [chunk]);
    deliver(chunk);
  };
  channel.destroy = (error) => {
    if (!channel.isDestroyed) transcript.event(">", "the socket is destroyed");
    destroy(error);
  };
  return {
    ...scripted,
    settle,
    async step(what, act) {
      transcript.note(what);
      act();
      await settle();
    },
    together(send) {
      collected = [];
      send();
      const chunk = Buffer.concat(collected);
      collected = undefined;
      channel.deliverChunk(chunk);
    },
    stream(id) {
      const { stream } = scripted.events.stream(id);
      if (stream === undefined) throw new Error(`stream ${id} has no end on this side`);
      return stream;
    },
    async later(ms) {
      transcript.note(`${ms} ms later`);
      clock.advance(ms);
      await settle();
    },
  };
}
