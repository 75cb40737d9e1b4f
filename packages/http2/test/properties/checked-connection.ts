import type {
  ConnectionLimitOptions,
  Goaway,
  Http2Error,
  Http2Stream,
  RequestHead,
  StreamListener,
} from "../../src/index.ts";
import { createConnection, type FedConnection } from "../../src/internal.ts";
import { FakeClock, MemoryChannel, WireDecoder, type WireFrame } from "../../src/testing/index.ts";
import { CheckedListener, conducts, describeRequest, type ListenerHost } from "./checked-listener.ts";
import { buildPing, scanFrames } from "./frame-scan.ts";
import { inTurns, type Turns } from "./turns.ts";

/** Turns of the event loop without activity after which nothing is under way, also while the connection reads in turns. */
const quietTurns = 3;
const quietTurnsWhilePaused = 40;

/** Longer than every time-out of a connection that is ending, shorter than those of a living one. */
const goawayFlushMs = 3000;

const prefaceBytes = 24;
const initialMaxFrameBytes = 16_384;
const largestFrameBytes = 2 ** 24 - 1;
const settingsType = 4;
const maxFrameSizeSetting = 5;

const requestFields = [":method", "POST", ":scheme", "http", ":path", "/scripted", ":authority", "a.example"];

/** Stands in until a request's stream exists, for which its listener waits; nothing is told before. */
const idle: StreamListener = {
  onHead() {},
  onData() {},
  onTrailers() {},
  onEnd() {},
  onReset() {},
  onWritable() {},
};

export interface CheckedOptions {
  role: "server" | "client";
  /** Decides how the application acts on each stream, and, for a client, what it requests. */
  script: Uint8Array;
  limits?: ConnectionLimitOptions;
}

/**
 * A connection in memory that is fed any bytes while the promises are watched that hold whatever a peer sends: nothing is
 * thrown, no one is told anything after the end, what is written keeps the protocol, and the connection is either alive or
 * says GOAWAY and closes.
 */
export class CheckedConnection implements ListenerHost {
  readonly role: "server" | "client";
  readonly connection: FedConnection;
  readonly channel: MemoryChannel;
  readonly clock = new FakeClock();
  /** Every call to the layer above, in order. */
  readonly events: string[] = [];
  /** Everything the connection wrote. */
  readonly wire: Buffer[] = [];
  readonly frames: WireFrame[] = [];
  private readonly script: Uint8Array;
  private readonly listeners: CheckedListener[] = [];
  private readonly objections: string[] = [];
  private readonly received: Uint8Array[] = [];
  private readonly decoder = new WireDecoder((frame) => this.frames.push(frame));
  private prefaceLeft: number;
  private closes = 0;
  private goaways = 0;

  constructor({ role, script, limits }: CheckedOptions) {
    this.role = role;
    this.script = script;
    this.prefaceLeft = role === "client" ? prefaceBytes : 0;
    this.channel = new MemoryChannel({
      receive: (chunk) => this.guard("receive", () => this.connection.receive(chunk)),
      drained: () => this.guard("drained", () => this.connection.drained()),
      closed: (cause) => this.guard("socketClosed", () => this.connection.socketClosed(cause)),
      peerReceives: (chunk) => this.peerReceives(chunk),
    });
    this.connection = createConnection(
      role,
      this.channel,
      {
        onStream: (stream, head) => this.opened(stream, head),
        onReady: () => this.tell("ready"),
        onGoaway: (goaway) => this.goaway(goaway),
        onCapacity: () => this.tell("capacity"),
        onClose: (error) => this.closed(error),
      },
      { clock: this.clock, ...(limits === undefined ? {} : { limits }) },
    );
    this.decoder.referee.maxFrameBytes = largestFrameBytes;
    if (role === "client") this.sendRequests();
  }

  /** Bytes from the peer, as one chunk. */
  deliver(chunk: Uint8Array): void {
    this.received.push(chunk);
    this.channel.deliverChunk(chunk);
  }

  /** Resolves once nothing is under way any more. */
  async settle(): Promise<void> {
    await inTurns([this.settling()]);
  }

  /** Ends the connection from the peer's side, whatever state it is in, and throws when a promise was broken. */
  async finish(): Promise<void> {
    await inTurns([this.finishing()]);
  }

  *settling(): Turns {
    let quiet = 0;
    let seen = this.channel.activity;
    while (quiet < (this.channel.isPaused ? quietTurnsWhilePaused : quietTurns)) {
      yield;
      quiet = this.channel.activity === seen ? quiet + 1 : 0;
      seen = this.channel.activity;
    }
  }

  get isOver(): boolean {
    return this.channel.isEnded || this.channel.isDestroyed;
  }

  /** The code of the last GOAWAY that was written; undefined without one. */
  get goawayCode(): number | undefined {
    const last = this.frames.findLast((frame) => frame.type === "GOAWAY");
    return last?.type === "GOAWAY" ? last.code : undefined;
  }

  *finishing(): Turns {
    yield* this.settling();
    if (!this.isOver) yield* this.expectAlive();
    if (this.isOver && this.goawayCode === undefined && this.goaways === 0) this.object("it ended without a GOAWAY");
    if (!this.isOver) this.channel.closeByPeer();
    yield* this.settling();
    this.clock.advance(goawayFlushMs);
    yield* this.settling();
    if (!this.channel.isDestroyed) this.object("the socket is still open");
    if (this.closes !== 1) this.object(`onClose was called ${this.closes} times`);
    if (!this.connection.isClosed) this.object("the connection calls itself open");
    if (this.connection.openStreams > 0) this.object(`${this.connection.openStreams} streams are left`);
    if (this.clock.pendingTimers > 0) this.object(`${this.clock.pendingTimers} timers are left`);
    this.checkFrameSizes();
    for (const listener of this.listeners) {
      if (!listener.isOver) this.object(`stream ${listener.stream.id} was never told of its end`);
    }
    if (this.objections.length > 0) throw new Error(this.objections.join("\n"));
  }

  // ---- for the listeners

  tell(event: string): void {
    this.events.push(event);
    if (this.closes > 0 && !event.startsWith("close")) this.object(`"${event}" was told after the close`);
  }

  object(objection: string): void {
    this.objections.push(objection);
  }

  // ---- within

  /** No frame is larger than the peer ever allowed; when it did so is not watched. */
  private checkFrameSizes(): void {
    let allowed = initialMaxFrameBytes;
    for (const { type, payload } of scanFrames(Buffer.concat(this.received)).frames) {
      if (type !== settingsType) continue;
      for (let at = 0; at + 6 <= payload.length; at += 6) {
        const entry = Buffer.from(payload.buffer, payload.byteOffset + at, 6);
        if (entry.readUInt16BE(0) === maxFrameSizeSetting) allowed = Math.max(allowed, entry.readUInt32BE(2));
      }
    }
    const written = Buffer.concat(this.wire).subarray(this.role === "client" ? prefaceBytes : 0);
    for (const { payload } of scanFrames(written).frames) {
      if (payload.length > allowed) this.object(`a frame of ${payload.length} bytes was sent; ${allowed} may be`);
    }
  }

  /** A PING has to be answered, if what came so far leaves room for one. */
  private *expectAlive(): Turns {
    const { frames, isBetweenFrames, isBetweenBlocks } = scanFrames(Buffer.concat(this.received));
    if (frames.length === 0 || !isBetweenFrames || !isBetweenBlocks) return;
    const payload = "74657263656c2121";
    this.deliver(buildPing(payload));
    yield* this.settling();
    const isAnswered = this.frames.some((frame) => frame.type === "PING" && frame.ack && frame.payload === payload);
    if (!isAnswered && !this.isOver) this.object("it neither answered a PING nor ended");
  }

  private guard(name: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.object(`${name} threw ${(error as Error).stack}`);
    }
  }

  private peerReceives(chunk: Uint8Array): void {
    this.wire.push(Buffer.from(chunk));
    const skip = Math.min(this.prefaceLeft, chunk.length);
    this.prefaceLeft -= skip;
    try {
      if (skip < chunk.length) this.decoder.receive(chunk.subarray(skip));
    } catch (error) {
      this.object(`it wrote what it must not: ${(error as Error).message}`);
    }
  }

  private opened(stream: Http2Stream, head: RequestHead): void {
    this.tell(`${stream.id} ${describeRequest(head)}`);
    const listener = this.listen(stream);
    stream.listener = listener;
    listener.begin();
  }

  private listen(stream: Http2Stream): CheckedListener {
    const byte = this.script[(stream.id >>> 1) % Math.max(this.script.length, 1)] ?? 0;
    const listener = new CheckedListener(this, stream, conducts[byte % conducts.length] as (typeof conducts)[number]);
    this.listeners.push(listener);
    return listener;
  }

  private sendRequests(): void {
    for (const byte of this.script.subarray(0, 8)) {
      if (!this.connection.canOpenStream) return;
      const body = byte >= 0x80;
      const fields = (byte & 0x40) === 0 ? requestFields : [":method", "HEAD", ...requestFields.slice(2)];
      const stream = this.connection.request(fields, [], !body, idle);
      const listener = this.listen(stream);
      stream.listener = listener;
      listener.begin();
      if (body && stream.isWritable) stream.sendData(Buffer.alloc(byte & 0x3f, "b"), (byte & 0x20) === 0);
    }
  }

  private goaway(goaway: Goaway): void {
    this.goaways++;
    this.tell(`goaway ${JSON.stringify(goaway)}`);
  }

  private closed(error: Http2Error | undefined): void {
    this.closes++;
    this.tell(`close ${error?.message ?? "in good order"}`);
  }
}
