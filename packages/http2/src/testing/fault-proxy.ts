import { connect, createServer, type Server, type Socket } from "node:net";
import { type Clock, systemClock } from "../connection/time/clock.ts";
import type { ListenAddress } from "../socket/server-options.ts";

/** What becomes of the bytes of one direction. Nothing that is left out happens. */
export interface Faults {
  /** How much later everything arrives. */
  latencyMs?: number;
  /** Up to this much later still, differing from piece to piece; their order stays. */
  jitterMs?: number;
  /** Most bytes per second. */
  bytesPerSecond?: number;
  /** Most bytes per write, each in a turn of the event loop of its own. The kernel may still join what is read late. */
  sliceBytes?: number;
  /** What happens, once, after this number of bytes has been passed on. */
  after?: {
    bytes: number;
    /**
     * "reset" ends both sides with an RST; "half-close" ends this direction in good order and drops the rest; "black hole"
     * passes nothing on any more in this direction and reads nothing, as when packets get lost.
     */
    fault: "reset" | "half-close" | "black hole";
  };
}

export interface FaultProxyOptions {
  /** Where connections are passed on to. */
  target: ListenAddress;
  /** From client to server. Read again for each connection. */
  toServer?: Faults;
  /** From server to client. Read again for each connection. */
  toClient?: Faults;
  /** Where delays come from. Default: the system's. */
  clock?: Clock;
  /** From 0 up to 1, for jitter. Default: `Math.random`. */
  random?: () => number;
}

/** Bytes that wait in one direction before its source is paused, not counting those that are on their way. */
const maxWaitingBytes = 262_144;

/** A TCP proxy on the loopback address that does to connections what networks do. */
export class FaultProxy {
  /** May be changed at any time; connections that exist keep what they began with. */
  readonly options: FaultProxyOptions;
  /** Connections that clients have opened so far. */
  accepted = 0;
  private readonly server: Server;
  private readonly links = new Set<Link>();
  private isHeld = false;

  constructor(options: FaultProxyOptions) {
    this.options = options;
    // A half-closed connection is one of the faults, so neither side ends on its own.
    this.server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => this.accept(client));
  }

  get address(): { host: string; port: number } {
    const address = this.server.address();
    if (address === null || typeof address === "string") throw new Error("the proxy does not listen");
    return { host: address.address, port: address.port };
  }

  /** Connections that exist. */
  get open(): number {
    return this.links.size;
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(0, "127.0.0.1", resolve);
    });
  }

  /** Ends every connection with an RST now. New ones are still taken. */
  resetAll(): void {
    for (const link of this.links) link.reset();
  }

  /** From now on nothing is passed on in either direction of the connections that exist. */
  blackHoleAll(): void {
    for (const link of this.links) link.blackHole();
  }

  /**
   * From now on nothing moves, on connections that come later neither, until `release`: as when the server's process is stopped
   * and then continues. What was sent in the meantime arrives then.
   */
  hold(): void {
    this.isHeld = true;
    for (const link of this.links) link.hold();
  }

  /** Ends a `hold`. */
  release(): void {
    this.isHeld = false;
    for (const link of this.links) link.release();
  }

  /** Stops listening and ends every connection; resolves when the last one is gone. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.resetAll();
    });
  }

  private accept(client: Socket): void {
    this.accepted++;
    const link = new Link(client, this.options, () => this.links.delete(link));
    this.links.add(link);
    if (this.isHeld) link.hold();
  }
}

/** Starts a {@link FaultProxy} on a free port. */
export async function createFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const proxy = new FaultProxy(options);
  await proxy.listen();
  return proxy;
}

/** One connection: the client's socket, the server's, and a lane for each direction. */
class Link {
  private readonly client: Socket;
  private readonly server: Socket;
  private readonly lanes: readonly Lane[];
  private socketsLeft = 2;

  constructor(client: Socket, options: FaultProxyOptions, onGone: () => void) {
    this.client = client;
    this.server = connect({ ...options.target, noDelay: true, allowHalfOpen: true } as Parameters<typeof connect>[0] &
      object);
    const clock = options.clock ?? systemClock;
    const random = options.random ?? Math.random;
    const reset = (): void => this.reset();
    this.lanes = [
      new Lane(client, this.server, options.toServer ?? {}, clock, random, reset),
      new Lane(this.server, client, options.toClient ?? {}, clock, random, reset),
    ];
    for (const socket of [client, this.server]) {
      // An error of one side is an RST for the other.
      socket.on("error", reset);
      socket.on("close", () => {
        this.socketsLeft--;
        if (this.socketsLeft === 0) onGone();
        else if (socket.errored !== null) this.reset();
      });
    }
  }

  reset(): void {
    for (const lane of this.lanes) lane.stop();
    for (const socket of [this.client, this.server]) {
      if (socket.destroyed) continue;
      // libuv does not reset a socket that is about to send its end: Node.js reports EINVAL, and the socket never closes.
      if (socket.writableEnded && !socket.writableFinished) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  blackHole(): void {
    for (const lane of this.lanes) lane.stop();
  }

  hold(): void {
    for (const lane of this.lanes) lane.hold();
  }

  release(): void {
    for (const lane of this.lanes) lane.release();
  }
}

/** One direction of a connection. */
class Lane {
  private readonly source: Socket;
  private readonly sink: Socket;
  private readonly faults: Faults;
  private readonly clock: Clock;
  private readonly random: () => number;
  private readonly reset: () => void;
  private readonly maxQueuedBytes: number;
  /** Pieces that are not due yet, or wait for those before them; undefined means the end. */
  private readonly queue: { bytes: Uint8Array | undefined; dueMs: number }[] = [];
  private queuedBytes = 0;
  private passedBytes = 0;
  private lineFreeMs = 0;
  private isWaiting = false;
  private cancel: (() => void) | undefined;
  private stopped = false;
  private isHeld = false;

  constructor(source: Socket, sink: Socket, faults: Faults, clock: Clock, random: () => number, reset: () => void) {
    this.source = source;
    this.sink = sink;
    this.faults = faults;
    this.clock = clock;
    this.random = random;
    this.reset = reset;
    // A line of some length holds what was sent and has not arrived: without room for that it would have no bandwidth.
    const onTheWay = ((faults.bytesPerSecond ?? 0) * (faults.latencyMs ?? 0)) / 1000;
    this.maxQueuedBytes = maxWaitingBytes + onTheWay;
    source.on("data", (chunk: Uint8Array) => this.take(chunk));
    source.on("end", () => this.enqueue(undefined));
    sink.on("drain", () => this.resumeSource());
  }

  /** Nothing is passed on or read from here on. */
  stop(): void {
    this.stopped = true;
    this.cancel?.();
    this.queue.length = 0;
    this.source.pause();
  }

  hold(): void {
    this.isHeld = true;
  }

  release(): void {
    this.isHeld = false;
    this.proceed();
  }

  private take(chunk: Uint8Array): void {
    const slice = Math.max(this.faults.sliceBytes ?? chunk.length, 1);
    for (let at = 0; at < chunk.length; at += slice) this.enqueue(chunk.subarray(at, at + slice));
  }

  private enqueue(bytes: Uint8Array | undefined): void {
    if (this.stopped) return;
    const { latencyMs = 0, jitterMs = 0, bytesPerSecond } = this.faults;
    let dueMs = this.clock.nowMs() + latencyMs + this.random() * jitterMs;
    if (bytesPerSecond !== undefined && bytes !== undefined) {
      this.lineFreeMs = Math.max(this.lineFreeMs, this.clock.nowMs()) + (bytes.length * 1000) / bytesPerSecond;
      dueMs += this.lineFreeMs - this.clock.nowMs();
    }
    this.queue.push({ bytes, dueMs });
    this.queuedBytes += bytes?.length ?? 0;
    if (this.queuedBytes >= this.maxQueuedBytes) this.source.pause();
    this.proceed();
  }

  /** Passes on what is due, one piece per turn when pieces are to stay apart. */
  private proceed(): void {
    while (!this.isWaiting && !this.stopped && !this.isHeld) {
      const next = this.queue[0];
      if (next === undefined) return;
      const delayMs = next.dueMs - this.clock.nowMs();
      if (delayMs > 0) {
        this.isWaiting = true;
        this.cancel = this.clock.after(delayMs, this.goOn);
        return;
      }
      this.queue.shift();
      if (next.bytes === undefined) this.sink.end();
      else this.pass(next.bytes);
      if (this.faults.sliceBytes === undefined) continue;
      this.isWaiting = true;
      setImmediate(this.goOn);
    }
  }

  private readonly goOn = (): void => {
    this.isWaiting = false;
    this.proceed();
  };

  private pass(bytes: Uint8Array): void {
    const { after } = this.faults;
    this.queuedBytes -= bytes.length;
    const left = after === undefined ? Number.POSITIVE_INFINITY : after.bytes - this.passedBytes;
    const passed = bytes.subarray(0, left);
    this.passedBytes += passed.length;
    const isTaken = this.sink.destroyed || this.sink.writableEnded || this.sink.write(passed);
    if (after !== undefined && bytes.length >= left) this.fail(after.fault);
    else if (isTaken) this.resumeSource();
  }

  private fail(how: "reset" | "half-close" | "black hole"): void {
    this.stop();
    // What was passed on has to arrive before the end does.
    if (how === "reset") this.sink.write("", () => this.reset());
    if (how !== "half-close") return;
    this.sink.end();
    // The source must not notice, so it is read on.
    this.source.resume();
  }

  private resumeSource(): void {
    if (this.stopped || this.queuedBytes >= this.maxQueuedBytes || this.sink.writableNeedDrain) return;
    this.source.resume();
  }
}
