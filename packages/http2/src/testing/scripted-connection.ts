import { Connection } from "../connection/connection.ts";
import type { ConnectionOptions } from "../connection/connection-options.ts";
import type { Role } from "../connection/role.ts";
import { clientPreface } from "../connection/settings/client-preface.ts";
import type { HeaderFields } from "../stream/header-fields.ts";
import type { Http2Stream } from "../stream/http2-stream.ts";
import { FakeClock } from "./fake-clock.ts";
import { MemoryChannel } from "./memory-channel.ts";
import { RecordedEvents } from "./recorded-events.ts";
import { RecordedStream } from "./recorded-stream.ts";
import { ScriptedPeer } from "./scripted-peer.ts";

/** Turns of the event loop without any activity after which nothing will happen any more without the test's doing. */
const quietTurns = 8;
/** … and while the connection is at work on a chunk of many frames, of which nothing can be seen from outside. */
const quietTurnsWhilePaused = 200;

export interface ScriptedOptions extends Omit<ConnectionOptions, "clock"> {
  /** Server: runs for every new stream, with its recorder in place. */
  onStream?: (recorded: RecordedStream, stream: Http2Stream) => void;
  /** Of the channel to the peer, as of a socket. Default 65,536, as Node has it. */
  highWaterMark?: number;
}

/** A connection under test, in memory, on a clock that the test advances, and a peer that the test scripts. */
export interface ScriptedConnection {
  readonly peer: ScriptedPeer;
  readonly connection: Connection;
  readonly events: RecordedEvents;
  readonly channel: MemoryChannel;
  readonly clock: FakeClock;
  /** Resolves once nothing happens any more. */
  settle(): Promise<void>;
}

export interface ScriptedClient extends ScriptedConnection {
  /** Sends a request and returns the recorder of what comes back. */
  request(fields: HeaderFields, options?: { endStream?: boolean; extra?: readonly string[] }): RecordedStream;
}

/** A server's connection whose client is scripted. It begins after the client's preface, which sockets have checked by then. */
export function createScriptedServer(options: ScriptedOptions = {}): ScriptedConnection {
  return createScripted("server", options);
}

/** A client's connection whose server is scripted. */
export function createScriptedClient(options: ScriptedOptions = {}): ScriptedClient {
  const scripted = createScripted("client", options);
  const { connection } = scripted;
  return {
    ...scripted,
    request(fields, { endStream = false, extra = [] } = {}) {
      const recorded = new RecordedStream();
      recorded.stream = connection.request(fields, extra, endStream, recorded);
      return recorded;
    },
  };
}

function createScripted(role: Role, options: ScriptedOptions): ScriptedConnection {
  const { onStream, highWaterMark, ...connectionOptions } = options;
  const clock = new FakeClock();
  const events = new RecordedEvents(onStream);
  // A client's bytes begin with the preface, which is not a frame.
  let prefaceLeft = role === "client" ? clientPreface.length : 0;
  const channel = new MemoryChannel(
    {
      receive: (chunk) => connection.receive(chunk),
      drained: () => connection.drained(),
      closed: (cause) => {
        connection.socketClosed(cause);
        peer.closed();
      },
      peerReceives: (chunk) => {
        const skip = Math.min(prefaceLeft, chunk.length);
        prefaceLeft -= skip;
        if (skip < chunk.length) peer.receive(chunk.subarray(skip));
      },
    },
    highWaterMark,
  );
  const settle = async (): Promise<void> => {
    let quiet = 0;
    let seen = channel.activity;
    while (quiet < (channel.isPaused ? quietTurnsWhilePaused : quietTurns)) {
      await new Promise((resolve) => setImmediate(resolve));
      quiet = channel.activity === seen ? quiet + 1 : 0;
      seen = channel.activity;
    }
    if (channel.isEnded) peer.closed();
  };
  const peer = new ScriptedPeer({ send: (chunk) => channel.deliverChunk(chunk), settle });
  const connection: Connection = new Connection(role, channel, events, { ...connectionOptions, clock });
  return { peer, connection, events, channel, clock, settle };
}
