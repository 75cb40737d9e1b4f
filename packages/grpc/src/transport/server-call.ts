// Not the global of that name: looking that up runs a getter.
import { performance } from "node:perf_hooks";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorCode, type Http2Error, type RequestHead, type Stream, type StreamListener } from "@tercel/http2";
import type { ClientTls, EndedCall, OnCallEnd } from "../call/call-info.ts";
import { Cancellation } from "../call/cancellation.ts";
import { compressionForMessage } from "../call/compress-messages.ts";
import type { MessageCodec } from "../call/message-codec.ts";
import { MessageQueue, type MessageSource } from "../call/message-queue.ts";
import type { ResponseMetadata } from "../call/response-metadata.ts";
import { copyBytes } from "../codec/index.ts";
import { createDebugError, withDebugInfo, withoutDebugInfo } from "../errors/debug-info.ts";
import { andObserver, type MessageObserver } from "../hooks/message-observer.ts";
import type { Log } from "../logging/log.ts";
import { printable } from "../logging/printable.ts";
import { inspectable, thrownText } from "../logging/thrown-text.ts";
import type { Compression } from "../protocol/compression.ts";
import { checkHeaderList, headerListBytes, headerListTooLarge } from "../protocol/header-list.ts";
import { MessageReader, type MessageSink, messagePrefixBytes } from "../protocol/message-framing.ts";
import {
  appendMetadata,
  appendTrailerMetadata,
  findMetadata,
  metadataToHeaders,
  type OnDropped,
} from "../protocol/metadata.ts";
import { appendRpcStatus } from "../protocol/rpc-status.ts";
import { appendStatusTrailers, hasExactStatus, statusOfError } from "../protocol/trailers.ts";
import type { Clock } from "../time/clock.ts";
import type { DeadlineEntry, DeadlineWheel } from "../time/deadline-wheel.ts";
import { type TurnShare, workOfMessage } from "../time/turn-share.ts";
import { decodeReceived, type ReceivingCall } from "./decode-received.ts";
import type { HandledCall } from "./handled-call.ts";
import { type MethodHandler, unknownResponseBytes } from "./method-handler.ts";
import { isOneMessage } from "./one-message.ts";
import type { RequestPlan } from "./request-plan.ts";
import { okTrailers, type ResponseHeads } from "./response-heads.ts";
import { isWorthIt, sendMessage, tooLargeToSend } from "./send-message.ts";
import { sendStatus } from "./send-status.ts";
import type { UnhandledCalls } from "./unhandled-calls.ts";

/** Interceptors look for a few headers, always the same. */
const maxLookedUp = 8;

/**
 * A client resets a call when its deadline passes, and counts from before it sent the request; we count from when we have read it. So its
 * reset may arrive before our own deadline, by the time that the request was on its way and waited to be read.
 */
const earlyResetMs = 100;

/** Not a field of calls: all would pay for what few ask. */
const compressedRequests = new WeakSet<ServerCall>();

/** What a handler threw by accident: it may be anything, undefined included. */
interface Fault {
  readonly thrown: unknown;
}

/** What all calls of a server share. */
export interface ServerCallSettings {
  /** Calls since the beginning, counted by the calls themselves. */
  readonly counts: { started: number; succeeded: number; failed: number };
  readonly compressMinBytes: number;
  readonly responseHeads: ResponseHeads;
  readonly deadlines: DeadlineWheel;
  readonly sendShare: TurnShare;
  readonly receiveShare: TurnShare;
  readonly clock: Clock;
  readonly log: Log;
  /** Errors keep google.rpc.DebugInfo, and accidents get one. */
  readonly exposeDebugInfo: boolean;
  readonly unhandled: UnhandledCalls;
}

/**
 * One call on the server: takes the request's messages from the stream, runs the handler, and sends what it answers.
 * Whatever ends the call first (the handler, the deadline, the peer, a broken request) decides its status; what comes
 * after is ignored.
 */
export class ServerCall
  implements StreamListener, MessageSink, DeadlineEntry, MessageSource<object>, ReceivingCall, HandledCall, EndedCall
{
  /** 0 as long as there is no deadline. */
  deadlineAtMs = 0;
  /** 0 where no one wants to know. */
  private arrivalMs = 0;
  /** The least time that the call was ever given. */
  private leastTimeoutMs = Number.POSITIVE_INFINITY;
  nextDeadline: DeadlineEntry | undefined = undefined;
  previousDeadline: DeadlineEntry | undefined = undefined;
  deadlineSlot = -1;

  readonly plan: RequestPlan;
  private readonly settings: ServerCallSettings;
  /** Undefined until the handler begins. */
  metadata: ResponseMetadata | undefined = undefined;
  private readonly stream: Stream;
  private readonly head: RequestHead;
  private readonly cancellation = new Cancellation();
  private reader: MessageReader | undefined = undefined;
  /**
   * The request of a method that takes one. A compressed one stays as it came until the client has ended the request: one that never ends
   * must not hold a thousand times what it sent.
   */
  private request: object | undefined = undefined;
  /** The requests of a method that takes a stream. */
  private readonly requests: MessageQueue<object> | undefined;
  headSent = false;
  /** Interceptors and handler have it, or had it. */
  private wasHandled = false;
  private over = false;
  sentMessageBytes = 0;
  receivedMessageBytes = 0;
  private observer: MessageObserver | undefined = undefined;
  private onOver: OnCallEnd | undefined = undefined;
  private wakeSender: (() => void) | undefined = undefined;

  constructor(settings: ServerCallSettings, stream: Stream, head: RequestHead, plan: RequestPlan) {
    this.settings = settings;
    this.stream = stream;
    this.head = head;
    this.plan = plan;
    this.requests = plan.handler.requestIsStream ? new MessageQueue<object>(this, settings.receiveShare) : undefined;
  }

  /** Call once, with the stream's listener set. */
  begin(): void {
    this.settings.counts.started++;
    const { timeoutMs, handler } = this.plan;
    if (handler.arrivals !== undefined || this.settings.unhandled.hasListener) {
      this.arrivalMs = performance.now();
      if (handler.desc !== undefined) handler.arrivals?.arrived(handler.desc);
    }
    if (timeoutMs !== undefined) {
      const nowMs = this.settings.clock.nowMs();
      this.deadlineAtMs = nowMs + timeoutMs;
      this.leastTimeoutMs = timeoutMs;
      if (timeoutMs <= 0) {
        this.onDeadline();
        return;
      }
      this.settings.deadlines.add(this, nowMs);
    }
    if (this.requests !== undefined) this.dispatch();
  }

  get arrivedAtMs(): number | undefined {
    return this.arrivalMs === 0 ? undefined : this.arrivalMs;
  }

  get isOver(): boolean {
    return this.over;
  }

  // ---- ContextSource

  get path(): string {
    return this.head.path;
  }

  get requestFields(): readonly string[] {
    return this.head.fields;
  }

  get url(): string {
    const { scheme, authority, path } = this.head;
    return `${scheme}://${authority ?? "localhost"}${path}`;
  }

  get signal(): AbortSignal {
    return this.cancellation.signal;
  }

  findRequestHeader(name: string): string | null {
    const { lookedUp } = this.plan;
    for (let at = 0; at < lookedUp.length; at += 2) {
      if (lookedUp[at] === name) return lookedUp[at + 1] as string | null;
    }
    const value = findMetadata(this.head.fields, name);
    if (lookedUp.length < 2 * maxLookedUp) lookedUp.push(name, value);
    return value;
  }

  get peerAddress(): string | undefined {
    return this.stream.peerAddress;
  }

  get peerTls(): ClientTls | undefined {
    return this.stream.peerTls;
  }

  get endedBy(): ConnectError | undefined {
    return this.cancellation.reason as ConnectError | undefined;
  }

  makeRequestHeader(): Headers {
    return metadataToHeaders(this.head.fields);
  }

  get hasDeadline(): boolean {
    return this.deadlineAtMs !== 0;
  }

  remainingMs(): number | undefined {
    if (this.deadlineAtMs === 0) return undefined;
    return Math.max(0, this.deadlineAtMs - this.settings.clock.nowMs());
  }

  shortenDeadline(timeoutMs: number): void {
    // What was given less before ends before.
    if (timeoutMs >= this.leastTimeoutMs) return;
    this.leastTimeoutMs = timeoutMs;
    const { clock, deadlines } = this.settings;
    const nowMs = clock.nowMs();
    const deadlineAtMs = nowMs + timeoutMs;
    if (this.over || (this.deadlineAtMs !== 0 && this.deadlineAtMs <= deadlineAtMs)) return;
    deadlines.remove(this);
    this.deadlineAtMs = deadlineAtMs;
    deadlines.add(this, nowMs);
  }

  whenOver(listener: OnCallEnd): void {
    if (this.over) {
      tellEnd(listener, this);
      return;
    }
    const earlier = this.onOver;
    this.onOver =
      earlier === undefined
        ? listener
        : (call) => {
            tellEnd(earlier, call);
            listener(call);
          };
  }

  watchMessages(observer: MessageObserver): number {
    const isolated = andObserver(undefined, observer);
    this.observer = this.observer === undefined ? isolated : andObserver(this.observer, observer);
    if (this.requests !== undefined) return this.requests.pushed;
    if (this.request !== undefined) isolated.onReceived(this.receivedMessageBytes, compressedRequests.has(this));
    return 0;
  }

  // ---- StreamListener

  onHead(): void {}

  onData(bytes: Uint8Array, start: number, end: number): void {
    if (this.over) {
      this.stream.consume(end - start);
      return;
    }
    this.requests?.received(end - start);
    if (this.reader === undefined && isOneMessage(bytes, start, end, this.plan.handler.maxReceiveMessageBytes)) {
      if (this.requests === undefined) this.stream.consume(end - start);
      this.onMessage(bytes, start + messagePrefixBytes, end, false, false);
    } else {
      // Held until the request has ended: whoever sends one message and no end must not have it held for nothing.
      if (this.requests === undefined) this.stream.lend(end - start);
      this.reader ??= new MessageReader(this, this.plan.handler.maxReceiveMessageBytes);
      const error = this.reader.push(bytes, start, end);
      if (error !== undefined) this.fail(error);
    }
    this.requests?.settle();
  }

  onMessage(bytes: Uint8Array, start: number, end: number, compressed: boolean, gathered: boolean): void {
    if (this.over) return;
    const { owner } = this.stream;
    owner.messages.received++;
    owner.turnWork.done += workOfMessage(end - start, compressed);
    this.receivedMessageBytes += end - start;
    if (compressed && this.requests === undefined) compressedRequests.add(this);
    this.observer?.onReceived(end - start, compressed);
    if (this.requests !== undefined) {
      this.requests.push(bytes, start, end, compressed, gathered);
    } else if (this.request !== undefined) {
      this.fail(new ConnectError("the method takes one message, but more came", Code.Unimplemented));
    } else {
      this.takeRequest(bytes, start, end, compressed, gathered);
    }
  }

  onTrailers(): void {}

  onEnd(): void {
    if (this.over) return;
    if (this.reader !== undefined && !this.reader.isBetweenMessages) {
      this.fail(new ConnectError("the request ended inside a message", Code.Internal));
    } else if (this.requests !== undefined) {
      this.requests.end();
    } else if (this.request === undefined) {
      this.fail(new ConnectError("the method takes one message, but none came", Code.Unimplemented));
    } else {
      this.dispatch();
    }
  }

  onReset(error: Http2Error): void {
    const message = error.scope === "connection" ? error.reason : "the call was cancelled";
    this.finish(new ConnectError(message, Code.Canceled));
  }

  /** It is answered, or was about to end by its deadline: a client that has many of these is not an attacker, but the server is slow. */
  isResetExpected(): boolean {
    if (this.over) return true;
    if (this.deadlineAtMs === 0) return false;
    const { clock, deadlines } = this.settings;
    return this.deadlineAtMs - clock.nowMs() <= earlyResetMs + deadlines.latenessMs;
  }

  onAdmitted(): void {
    if (!this.over) this.runHandler();
  }

  onWritable(): void {
    this.wakeSender?.();
    this.wakeSender = undefined;
  }

  onDeadline(): void {
    const error = new ConnectError("the deadline has passed", Code.DeadlineExceeded);
    if (this.over || this.stream.pendingBytes === 0) {
      this.fail(error);
      return;
    }
    // A status would wait behind data that the peer does not read; a reset takes the data with it.
    this.stream.reset(ErrorCode.cancel);
    this.finish(error);
  }

  // ---- ReceivingCall

  get receivedCodec(): MessageCodec {
    return this.plan.requestCodec;
  }

  get receivedCompression(): Compression | undefined {
    return this.plan.requestCompression;
  }

  get maxReceiveMessageBytes(): number {
    return this.plan.handler.maxReceiveMessageBytes;
  }

  get isCutOff(): boolean {
    return this.endedBy !== undefined;
  }

  takeRoom(bytes: number): Promise<void> | undefined {
    return this.stream.takeRoom(bytes);
  }

  keepRoom(bytes: number): void {
    this.stream.keepRoom(bytes);
  }

  // ---- MessageSource

  makeMessage(
    bytes: Uint8Array,
    start: number,
    end: number,
    compressed: boolean,
    isOwn: boolean,
  ): object | Promise<object> {
    try {
      const message = decodeReceived(this, bytes, start, end, compressed, isOwn);
      // The peer's fault, whatever the handler makes of it.
      if (message instanceof Promise) message.catch((error) => this.fail(error));
      return message;
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  consume(bytes: number): void {
    this.stream.consume(bytes);
  }

  lend(bytes: number): void {
    this.stream.lend(bytes);
  }

  messageComplete(): void {
    this.stream.messageComplete();
  }

  repay(bytes: number): void {
    this.stream.repay(bytes);
  }

  usedUp(): void {
    this.keepRoom(0);
  }

  takesNoMore(): void {
    this.reader?.halt();
  }

  // ---- HandledCall

  get responseCodec(): MessageCodec {
    return this.plan.responseCodec;
  }

  respond(message: object): Promise<void> | undefined {
    if (this.over) return undefined;
    const { plan, settings, metadata } = this;
    const bytes = plan.responseCodec.encode(message);
    const { maxSendMessageBytes } = plan.handler;
    if (bytes.length > maxSendMessageBytes) throw tooLargeToSend(bytes.length, maxSendMessageBytes);
    const { compressMinBytes } = settings;
    const compression = compressionForMessage(
      plan.responseCompression,
      bytes.length,
      compressMinBytes,
      metadata?.givenValues,
    );
    const payload = compression === undefined ? bytes : compression.compress(bytes);
    if (payload instanceof Promise) return payload.then((compressed) => this.writeSmaller(bytes, compressed));
    if (compression !== undefined) return this.writeSmaller(bytes, payload);
    return this.write(bytes, false, plan.responseCodec.ownsEncoded);
  }

  share(): Promise<void> | undefined {
    return this.settings.sendShare.take();
  }

  succeed(): void {
    if (this.over) return;
    const { metadata } = this;
    let refused = this.sendHead();
    const trailer = metadata?.givenTrailer;
    if (refused === undefined && trailer === undefined) {
      this.stream.sendTrailers(okTrailers);
    } else if (refused === undefined) {
      const fields: string[] = [];
      appendStatusTrailers(fields, undefined);
      if (trailer !== undefined) appendTrailerMetadata(fields, trailer, this.reportDropped());
      refused = checkHeaderList("response trailers", fields, this.stream.owner.peerMaxHeaderListBytes);
      // Next to the error they would not fit either.
      if (refused !== undefined && metadata !== undefined) metadata.givenTrailer = undefined;
      else this.stream.sendTrailers(fields);
    }
    if (refused === undefined) this.finish(undefined);
    else this.fail(refused);
  }

  handlerEnded(): void {
    this.stream.release();
  }

  handlerFailed(reason: unknown): void {
    const fault = this.endWith(reason);
    this.stream.release();
    this.logFault(fault);
  }

  // ---- within

  private fail(reason: unknown): void {
    this.logFault(this.endWith(reason));
  }

  /** Ends the call with what was thrown. Returns what must be logged once the call is answered, if anything. Never throws. */
  private endWith(reason: unknown): Fault | undefined {
    if (this.over) return undefined;
    let fault: Fault | undefined;
    try {
      const thrown = inspectable(reason);
      if (!(thrown instanceof ConnectError)) fault = { thrown };
      this.answerWith(this.toConnectError(thrown));
    } catch (problem) {
      // A ConnectError with a getter that throws, for instance, or details that are none.
      fault ??= { thrown: problem };
      this.answerWith(new ConnectError("internal error", Code.Internal));
    }
    return fault;
  }

  private logFault(fault: Fault | undefined): void {
    if (fault === undefined) return;
    const { thrown } = fault;
    const error = thrown instanceof Error ? thrown : thrownText(thrown);
    this.settings.log.error("a handler failed", { path: this.head.path, error });
  }

  private answerWith(error: ConnectError): void {
    // In a trailers-only response clients take all metadata for trailers; what the handler meant as headers goes ahead.
    const { metadata } = this;
    if (metadata?.hasResponseHeader === true && !this.headSent) this.sendHeadBefore(error);
    const fields = this.headSent ? [] : this.plainHeadFields();
    if (hasExactStatus(error) && this.plan.handler.desc === undefined) {
      appendRpcStatus(fields, statusOfError(error), this.reportDropped());
    } else {
      appendStatusTrailers(fields, error, this.reportDropped());
    }
    if (metadata?.givenTrailer !== undefined) {
      appendTrailerMetadata(fields, metadata.givenTrailer, this.reportDropped());
    }
    sendStatus(this.stream, fields, this.headSent);
    this.headSent = true;
    this.finish(error);
  }

  private takeRequest(bytes: Uint8Array, start: number, end: number, compressed: boolean, gathered: boolean): void {
    if (compressed) {
      this.request = new CompressedRequest(gathered ? bytes.subarray(start, end) : copyBytes(bytes, start, end));
      return;
    }
    try {
      this.request = this.makeMessage(bytes, start, end, false, gathered);
    } catch {
      // It has ended the call.
    }
  }

  private runCompressed({ bytes }: CompressedRequest): void {
    try {
      const message = this.makeMessage(bytes, 0, bytes.length, true, true);
      if (!(message instanceof Promise)) {
        this.run(message);
        return;
      }
      message.then(
        (made) => this.over || this.run(made),
        () => {},
      );
    } catch {
      // It has ended the call.
    }
  }

  /** The handler begins, now or once less waits that the client has not taken. */
  private dispatch(): void {
    if (this.stream.admit(this.plan.handler.expectedResponseBytes)) this.runHandler();
    else this.stream.messageComplete();
  }

  private runHandler(): void {
    if (this.requests !== undefined) {
      this.run(this.requests);
      return;
    }
    this.stream.repay();
    if (this.request instanceof CompressedRequest) this.runCompressed(this.request);
    else this.run(this.request as object);
  }

  private run(input: object): void {
    // The stream's place is taken until the handler ends, whatever becomes of the stream.
    this.stream.hold();
    this.wasHandled = true;
    this.plan.handler.invoke(this, input);
  }

  private toConnectError(reason: unknown): ConnectError {
    const { exposeDebugInfo } = this.settings;
    // Of a handler that passes on what another server has said.
    if (reason instanceof ConnectError && hasExactStatus(reason) && this.plan.handler.desc === undefined) return reason;
    if (reason instanceof ConnectError) return exposeDebugInfo ? withDebugInfo(reason) : withoutDebugInfo(reason);
    return exposeDebugInfo ? createDebugError(reason) : new ConnectError("internal error", Code.Internal);
  }

  private writeSmaller(plain: Uint8Array, compressed: Uint8Array): Promise<void> | undefined {
    if (isWorthIt(plain, compressed)) return this.write(compressed, true, true);
    return this.write(plain, false, this.plan.responseCodec.ownsEncoded);
  }

  private write(payload: Uint8Array, compressed: boolean, owned: boolean): Promise<void> | undefined {
    if (this.over) return undefined;
    const refused = this.sendHead();
    if (refused !== undefined) throw refused;
    this.sentMessageBytes += payload.length;
    expectResponse(this.plan.handler, payload.length);
    this.observer?.onSent(payload.length, compressed);
    if (sendMessage(this.stream, payload, compressed, false, owned)) return undefined;
    return new Promise((resolve) => {
      this.wakeSender = resolve;
    });
  }

  /** What gRPC writes itself or cannot carry is dropped. Only the name is told, because the value may be a secret. */
  private reportDropped(): OnDropped {
    return (name, reason) =>
      this.settings.log.debug("metadata was dropped", { path: this.head.path, name: printable(name), reason });
  }

  sendHead(): ConnectError | undefined {
    if (this.headSent) return undefined;
    const { plan, settings, metadata, stream } = this;
    if (metadata?.givenHeader !== undefined) {
      const fields = this.headFields();
      const refused = checkHeaderList("response headers", fields, stream.owner.peerMaxHeaderListBytes);
      if (refused !== undefined) return refused;
      this.headSent = true;
      stream.sendHeaders(fields);
      return undefined;
    }
    const head = settings.responseHeads.plain(plan.format, plan.responseCompression);
    const added = metadata?.plainHeader;
    if (added === undefined) {
      this.headSent = true;
      stream.sendHeaders(head);
      return undefined;
    }
    const bytes = head.listBytes + headerListBytes(added);
    const limitBytes = stream.owner.peerMaxHeaderListBytes;
    if (bytes > limitBytes) return headerListTooLarge("response headers", bytes, limitBytes);
    this.headSent = true;
    stream.sendHeaders(head, false, added);
    return undefined;
  }

  /** The head that goes before an error; metadata that the client does not accept must not hide the error. */
  private sendHeadBefore(error: ConnectError): void {
    const refused = this.sendHead();
    if (refused === undefined || refused.rawMessage === error.rawMessage) return;
    this.settings.log.warn("response metadata was left out", { path: this.head.path, error: refused });
  }

  private plainHeadFields(): string[] {
    const { plan, settings } = this;
    return settings.responseHeads.fields(plan.format, plan.responseCompression);
  }

  private headFields(): string[] {
    const { settings, metadata } = this;
    const fields = this.plainHeadFields();
    if (metadata?.givenHeader === undefined) return fields;
    const error = appendMetadata(fields, metadata.givenHeader, this.reportDropped());
    if (error !== undefined) settings.log.warn("response metadata was left out", { path: this.head.path, error });
    return fields;
  }

  private finish(error: ConnectError | undefined): void {
    if (this.over) return;
    this.over = true;
    this.settings.deadlines.remove(this);
    if (error === undefined) {
      this.settings.counts.succeeded++;
    } else {
      this.settings.counts.failed++;
      if (!this.wasHandled) this.tellUnhandled(error);
    }
    this.reader?.halt();
    if (error === undefined) this.requests?.end();
    else this.requests?.cutOff(error);
    this.cancellation.abort(error);
    if (error !== undefined && this.plan.requestCompression !== undefined) this.stream.leaveRoom();
    this.wakeSender?.();
    this.wakeSender = undefined;
    if (this.onOver !== undefined) tellEnd(this.onOver, this);
    // The answer is complete, so the rest of the request is of no use (gRPC over HTTP/2, "Responses").
    if (!this.stream.isClosed) this.stream.resetWhenSent(ErrorCode.noError);
  }

  private tellUnhandled({ code, rawMessage: reason }: ConnectError): void {
    const { peerAddress: peer, arrivalMs } = this;
    const { desc: method, arrivals } = this.plan.handler;
    const durationMs = arrivalMs === 0 ? 0 : performance.now() - arrivalMs;
    if (method !== undefined) arrivals?.unhandled(method, code, durationMs);
    this.settings.unhandled.tell({ path: this.head.path, peer, method, code, reason, durationMs });
  }
}

/** A larger response than before is what is expected at once; smaller ones change that little by little. */
function expectResponse(handler: MethodHandler, bytes: number): void {
  const expectedBytes = handler.expectedResponseBytes;
  if (bytes >= expectedBytes || expectedBytes === unknownResponseBytes) handler.expectedResponseBytes = bytes;
  else handler.expectedResponseBytes -= Math.ceil((expectedBytes - bytes) / 8);
}

class CompressedRequest {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** Who only keeps the books must not fail the connection whose reading it is called from. */
function tellEnd(listener: OnCallEnd, call: EndedCall): void {
  try {
    listener(call);
  } catch {
    // Its own affair.
  }
}
