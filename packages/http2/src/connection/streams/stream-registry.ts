import { ErrorCode } from "../../errors/error-code.ts";
import type { Http2Error } from "../../errors/http2-error.ts";
import type { TurnWork } from "../../frame/turn-work.ts";
import { PreparedHeaders } from "../../hpack/index.ts";
import type { HeaderFields } from "../../stream/header-fields.ts";
import { isHeadRequest } from "../../stream/is-head-request.ts";
import type { RequestHead } from "../../stream/request-head.ts";
import { mayReceive, StreamState } from "../../stream/state.ts";
import { Stream } from "../../stream/stream.ts";
import type { StreamHome, StreamPeer } from "../../stream/stream-home.ts";
import type { StreamListener } from "../../stream/stream-listener.ts";
import type { Budgets } from "../abuse/budgets.ts";
import type { ConnectionCredit } from "../flow/connection-credit.ts";
import type { MessageMemory } from "../flow/message-memory.ts";
import type { FrameWriter } from "../frame-writer.ts";
import type { Outbound } from "../outbound.ts";
import type { Role } from "../role.ts";
import type { PeerSettings } from "../settings/peer-settings.ts";
import type { Activity, MessageCounts } from "../time/activity.ts";
import type { ConnectionTimers } from "../time/connection-timers.ts";
import type { StreamOpener } from "./header-reception.ts";
import { RequestGate, type RequestGateParts } from "./request-gate.ts";
import { StreamAdmission, type StreamAdmissionParts } from "./stream-admission.ts";

/** RFC 6585 §5. */
const tooLargeHeaders = new PreparedHeaders([":status", "431", "content-length", "0"]);

/** What a registry reports, and who ends the connection for it. */
export interface StreamRegistryOwner {
  /** Server: a request has begun. */
  streamOpened(stream: Stream, head: RequestHead): void;
  /** A stream's place is free. */
  slotFreed(): void;
  /** The number of streams that keep the process alive has become one, or none. */
  referencesChanged(isReferenced: boolean): void;
  fail(error: Http2Error): void;
  /** What was thrown on behalf of a stream, or of none (0). */
  failed(error: unknown, streamId: number): void;
}

export interface StreamRegistryParts extends StreamAdmissionParts, RequestGateParts {
  readonly role: Role;
  readonly frames: FrameWriter;
  readonly outbound: Outbound;
  readonly credit: ConnectionCredit;
  readonly memory: MessageMemory;
  readonly peerSettings: PeerSettings;
  readonly budgets: Budgets;
  readonly activity: Activity;
  readonly phases: ConnectionTimers;
  readonly turnWork: TurnWork;
  /** Server: makes the response to a request whose header list is over the limit. Default: status 431. */
  readonly respondToLargeHeaders: ((fields: readonly string[]) => HeaderFields | undefined) | undefined;
  readonly connection: StreamRegistryOwner & StreamPeer;
}

/** Opens the streams of a connection, ends them, and knows what they share. Frames that come are for it, and streams report to it. */
export class StreamRegistry implements StreamHome<Stream>, StreamOpener {
  readonly role: Role;
  readonly frames: FrameWriter;
  readonly output: Outbound;
  readonly credit: ConnectionCredit;
  readonly memory: MessageMemory;
  /** Undefined before the first request of which a handler may begin. */
  requestGate: RequestGate | undefined = undefined;
  private readonly parts: StreamRegistryParts;
  private readonly admission: StreamAdmission;
  /** Open streams that keep the process alive. */
  private referencedStreams = 0;
  private nextStreamId = 1;

  constructor(parts: StreamRegistryParts) {
    this.parts = parts;
    this.role = parts.role;
    this.frames = parts.frames;
    this.output = parts.outbound;
    this.credit = parts.credit;
    this.memory = parts.memory;
    this.admission = new StreamAdmission(parts);
  }

  /** Client: whether there is an identifier for another stream. */
  get hasStreamId(): boolean {
    return this.nextStreamId <= this.parts.limits.streams.maxId;
  }

  /** Client: opens a stream and sends the request's head. */
  request(fields: HeaderFields, extra: readonly string[], endStream: boolean, listener: StreamListener): Stream {
    const { streams, phases, connection } = this.parts;
    const stream = new Stream(this.nextStreamId, this);
    this.nextStreamId += 2;
    stream.isHead = isHeadRequest(fields);
    streams.lastStreamId = stream.id;
    stream.listener = listener;
    this.admission.add(stream);
    phases.busy();
    if (++this.referencedStreams === 1) connection.referencesChanged(true);
    stream.sendHeaders(fields, endStream, extra);
    return stream;
  }

  /** Ends one stream for the peer's fault, or for a listener that threw. */
  failStream(streamId: number, error: Http2Error): void {
    const { streams, frames, budgets, limitNotifier, connection } = this.parts;
    try {
      if (error.blame === "peer") budgets.causedReset();
    } catch (exhausted) {
      connection.fail(exhausted as Http2Error);
      return;
    }
    if (error.limit !== undefined) limitNotifier.tell(error.limit, "reset", streamId, error.message);
    const stream = streams.find(streamId);
    if (stream !== undefined) {
      this.resetStream(stream, error);
      return;
    }
    streams.endedLocally(streamId, undefined);
    frames.rstStream(streamId, error.code);
  }

  /** Ends a stream on both sides. Its listener sees the error. */
  resetStream(stream: Stream, error: Http2Error): void {
    this.sendReset(stream, error.code);
    stream.abort(error);
  }

  // ---- StreamOpener

  refuses(streamId: number): boolean {
    return this.admission.refuses(streamId);
  }

  openStream(streamId: number, head: RequestHead): Stream {
    const stream = new Stream(streamId, this);
    this.admission.add(stream);
    this.parts.phases.busy();
    this.parts.connection.streamOpened(stream, head);
    return stream;
  }

  ignoreRest(streamId: number): void {
    this.parts.streams.endedLocally(streamId, this.initialReceiveAllowance);
  }

  lateFrame(): void {
    this.parts.budgets.causedReset();
  }

  refuseHeaderList(streamId: number, endStream: boolean, fields: readonly string[]): void {
    const { budgets, limitNotifier, respondToLargeHeaders } = this.parts;
    budgets.glitch();
    const stream = new Stream(streamId, this);
    this.admission.add(stream);
    limitNotifier.tell("header_list", "refused", streamId, "the request's header list is over the limit");
    stream.sendHeaders(respondToLargeHeaders?.(fields) ?? tooLargeHeaders, true);
    if (endStream) stream.endReceived();
    else stream.reset(ErrorCode.noError);
  }

  // ---- StreamHome

  get peer(): StreamPeer {
    return this.parts.connection;
  }

  get messages(): MessageCounts {
    return this.parts.activity.messages;
  }

  get turnWork(): TurnWork {
    return this.parts.turnWork;
  }

  get streamBufferBytes(): number {
    return this.parts.limits.output.streamBufferBytes;
  }

  get initialSendBytes(): number {
    return this.parts.peerSettings.initialWindowBytes;
  }

  get initialReceiveBytes(): number {
    return this.parts.ownSettings.streamWindowBytes;
  }

  get initialReceiveAllowance(): number {
    return this.parts.ownSettings.streamAllowanceBytes;
  }

  admit(stream: Stream, expectedBytes: number): boolean {
    this.requestGate ??= new RequestGate(this.parts);
    return this.requestGate.admits(stream, expectedBytes);
  }

  sendReset(stream: Stream, code: number): void {
    const { streams, frames } = this.parts;
    streams.endedLocally(stream.id, mayReceive(stream.state) ? stream.receive.availableBytes : undefined);
    frames.rstStream(stream.id, code);
  }

  streamClosed(stream: Stream, inGoodOrder: boolean, before: StreamState): void {
    const { activity, streams, budgets } = this.parts;
    const answered = this.role === "client" ? StreamState.halfClosedRemote : StreamState.halfClosedLocal;
    if (inGoodOrder || before === answered) activity.streamsSucceeded++;
    else activity.streamsFailed++;
    streams.delete(stream);
    if (stream.isReferenced) this.streamUnreferenced();
    if (stream.send.isQueued) this.output.dequeue(stream);
    this.requestGate?.forget(stream);
    if (!inGoodOrder) return;
    streams.endedByPeer(stream.id, "end");
    budgets.streamCompleted();
  }

  streamUnreferenced(): void {
    if (this.role === "client" && --this.referencedStreams === 0) this.parts.connection.referencesChanged(false);
  }

  slotReleased(stream: Stream): void {
    this.memory.release(stream);
    this.admission.release();
    this.parts.connection.slotFreed();
  }

  listenerThrew(stream: Stream, error: unknown): void {
    this.parts.connection.failed(error, stream.id);
  }

  headersTooLarge(): void {
    try {
      this.parts.budgets.glitch();
    } catch (exhausted) {
      this.parts.connection.failed(exhausted, 0);
    }
  }
}
