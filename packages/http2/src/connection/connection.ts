import { ErrorCode } from "../errors/error-code.ts";
import { callerError, type Http2Error } from "../errors/http2-error.ts";
import type { Goaway } from "../frame/goaway.ts";
import type { HeaderFields } from "../stream/header-fields.ts";
import type { PeerTls } from "../stream/peer-tls.ts";
import type { RequestHead } from "../stream/request-head.ts";
import type { Stream } from "../stream/stream.ts";
import type { StreamListener } from "../stream/stream-listener.ts";
import { addressText } from "./address-text.ts";
import type { ByteChannel } from "./byte-channel.ts";
import { Drain } from "./closing/drain.ts";
import { Shutdown } from "./closing/shutdown.ts";
import type { ConnectionEvents, ConnectionOptions } from "./connection-options.ts";
import { type ConnectionParts, createParts, type PartsOwner } from "./connection-parts.ts";
import type { FedConnection } from "./http2-connection.ts";
import type { ConnectionLimits } from "./limits.ts";
import type { Role } from "./role.ts";
import { clientPreface } from "./settings/client-preface.ts";
import type { ConnectionStatus } from "./time/activity.ts";

/**
 * One HTTP/2 connection, either role (RFC 9113): made of what writes frames, what reads them, and the streams between. It is fed by `receive` and
 * writes to a byte channel; sockets and TLS are the business of the folder `socket`.
 */
export class Connection implements FedConnection, PartsOwner {
  readonly role: Role;
  readonly limits: ConnectionLimits;
  readonly peerTls: PeerTls | undefined;
  private readonly events: ConnectionEvents;
  private readonly parts: ConnectionParts;
  private readonly unrefWhenIdle: boolean;
  /** Undefined before either side wants an end. */
  private drainBegun: Drain | undefined = undefined;
  private shutdownBegun: Shutdown | undefined = undefined;
  private knownPeer: string | undefined = undefined;

  constructor(role: Role, socket: ByteChannel, events: ConnectionEvents, options: ConnectionOptions = {}) {
    this.role = role;
    this.events = events;
    this.peerTls = options.peerTls;
    this.unrefWhenIdle = role === "client" && options.unrefWhenIdle === true;
    this.parts = createParts(this, socket, events, options);
    const { limits, frames, ownSettings, ticker } = this.parts;
    this.limits = limits;
    if (this.unrefWhenIdle) socket.unref?.();
    if (role === "client") frames.raw(Buffer.from(clientPreface, "latin1"));
    ownSettings.announce(role);
    ticker.add(this);
  }

  // ---- what users of a connection call

  get peerAddress(): string | undefined {
    this.knownPeer ??= addressText(this.parts.socket.remoteAddress, this.parts.socket.remotePort);
    return this.knownPeer;
  }

  get remoteAddress(): string | undefined {
    return this.parts.socket.remoteAddress;
  }

  get isClosed(): boolean {
    return this.shutdownBegun?.isClosed === true;
  }

  get peerMaxHeaderListBytes(): number {
    return this.parts.peerSettings.maxHeaderListBytes;
  }

  status(): ConnectionStatus {
    return {
      ...this.parts.activity.describe(this.parts.clock.nowMs(), this.parts.streams.size, this.parts.socket),
      sendWindowBytes: this.parts.outbound.window.available,
      receiveWindowBytes: this.parts.credit.window.availableBytes,
      ...(this.role === "client" &&
        this.parts.peerSettings.received && { peerMaxConcurrentStreams: this.parts.peerSettings.maxConcurrentStreams }),
    };
  }

  get openStreams(): number {
    return this.parts.streams.size;
  }

  get canOpenStream(): boolean {
    return this.isAcceptingRequests && this.parts.streams.size < this.parts.peerSettings.maxConcurrentStreams;
  }

  get isAcceptingRequests(): boolean {
    return !this.isEnding && this.parts.registry.hasStreamId;
  }

  request(fields: HeaderFields, extra: readonly string[], endStream: boolean, listener: StreamListener): Stream {
    if (this.role !== "client") throw callerError("a server cannot send requests");
    if (!this.canOpenStream) throw callerError("concurrent stream limit reached");
    const stream = this.parts.registry.request(fields, extra, endStream, listener);
    // After the head, so that the peer sees a ping of a connection with streams.
    if (this.parts.keepalive?.isDormant === true) this.parts.timeLimits.wake(this.parts.clock.nowMs());
    return stream;
  }

  ping(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.parts.pings.send((error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  drain(reason = ""): void {
    this.draining.begin(reason);
  }

  close(code: number = ErrorCode.noError, reason = "", message?: string): void {
    const text = reason === "" ? "the connection was closed" : `the connection was closed: ${reason}`;
    this.shutdown.close(code, reason, message ?? text);
  }

  // ---- what the socket's owner calls

  receive(chunk: Uint8Array, isReused = false): boolean {
    this.parts.keepalive?.onBytes();
    if (this.shutdownBegun !== undefined) this.shutdownBegun.discarded(chunk.length);
    return this.parts.intake.receive(chunk, isReused);
  }

  drained(): void {
    this.parts.outbound.drained();
    this.parts.intake.drained();
  }

  socketClosed(cause?: Error): void {
    this.shutdown.socketClosed(cause);
  }

  tick(nowMs: number): void {
    if (this.isClosed) return;
    this.parts.activity.observe(nowMs, this.parts.streams.size);
    this.parts.timeLimits.enforce(nowMs);
    this.onLessWaiting();
    this.parts.memory.enforce(nowMs);
  }

  // ---- StreamRegistryOwner

  streamOpened(stream: Stream, head: RequestHead): void {
    this.events.onStream?.(stream, head, this);
  }

  slotFreed(): void {
    if (this.isClosed) return;
    if (this.isEnding) this.drainBegun?.endWhenIdle();
    else if (this.role === "client") this.notifyCapacity();
  }

  referencesChanged(isReferenced: boolean): void {
    if (!this.unrefWhenIdle) return;
    if (isReferenced) this.parts.socket.ref?.();
    else this.parts.socket.unref?.();
  }

  failed(error: unknown, streamId: number): void {
    this.parts.inbound.failed(error, streamId);
  }

  // ---- ControlFramesOwner

  settingsReceived(isFirst: boolean): void {
    if (isFirst) this.events.onReady?.();
    else this.notifyCapacity();
  }

  tableAcknowledged(): void {
    this.parts.inbound.setMaxTableBytes(this.limits.headers.tableBytes);
  }

  goawayReceived(goaway: Goaway): void {
    this.draining.peerGoesAway(goaway);
    this.parts.activity.receivedGoawayCode = goaway.code;
    this.events.onGoaway?.(goaway);
    this.draining.abortUnprocessed(goaway);
    this.draining.endWhenIdle();
  }

  // ---- how it ends

  fail(error: Http2Error): void {
    this.shutdown.fail(error, error.reason);
  }

  /** As `fail`, for a peer that does not read or respond. */
  abandon(error: Http2Error): void {
    this.shutdown.abandon(error);
  }

  // ---- FrameWriterOwner

  get hasWaitingData(): boolean {
    return this.parts.outbound.hasWaiting;
  }

  onLessWaiting(): void {
    this.parts.registry.requestGate?.onLessWaiting();
  }

  backlogGrew(bytes: number): void {
    if (this.shutdownBegun?.isFailing === true || this.isClosed) return;
    const error = this.parts.guard.backlogGrew(bytes);
    if (error !== undefined) this.abandon(error);
  }

  // ---- within

  /** No new streams: we have said so, or the peer has, or the connection is about to close. */
  private get isEnding(): boolean {
    const { drainBegun, shutdownBegun } = this;
    return drainBegun?.hasBegun === true || shutdownBegun?.isFailing === true || shutdownBegun?.isClosed === true;
  }

  private get draining(): Drain {
    this.drainBegun ??= new Drain({
      role: this.role,
      clock: this.parts.clock,
      streams: this.parts.streams,
      frames: this.parts.frames,
      pings: this.parts.pings,
      shutdown: this.shutdown,
    });
    return this.drainBegun;
  }

  private get shutdown(): Shutdown {
    this.shutdownBegun ??= new Shutdown({
      role: this.role,
      socket: this.parts.socket,
      clock: this.parts.clock,
      streams: this.parts.streams,
      frames: this.parts.frames,
      outbound: this.parts.outbound,
      stopReading: () => this.parts.intake.stop(),
      windowBytes: () => this.parts.credit.window.availableBytes,
      peerGoaway: () => this.drainBegun?.peerGoaway,
      onFailing: (error) => {
        if (error.limit !== undefined) this.parts.limitNotifier.notify(error.limit, "closed", 0, error.message);
      },
      onGone: (reported, streamsSee) => this.gone(reported, streamsSee),
    });
    return this.shutdownBegun;
  }

  /** May be called while a stream ends, which must be reported even when a listener throws here. */
  private notifyCapacity(): void {
    try {
      this.events.onCapacity?.();
    } catch (error) {
      this.parts.inbound.failed(error, 0);
    }
  }

  private gone(reported: Http2Error | undefined, streamsSaw: Http2Error): void {
    this.parts.ticker.delete(this);
    this.parts.timeLimits.end();
    this.parts.inbound.end();
    this.parts.credit.end();
    this.parts.memory.end();
    this.parts.pings.endAll(streamsSaw);
    try {
      this.events.onClose?.(reported, this);
    } catch {
      // Nothing is left that could fail for it, and the socket's event that led here must not end the process.
    }
  }
}
