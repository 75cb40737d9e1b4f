// Not the global of that name: looking that up runs a getter.
import { performance } from "node:perf_hooks";
import { Code, ConnectError, type ContextValues } from "@connectrpc/connect";
import { ErrorCode, type Http2Error, type Http2Stream, type RequestHead, type StreamListener } from "@tercel/http2";
import { andListener, tellEnd } from "../../call/call-end.ts";
import { Cancellation } from "../../call/cancellation.ts";
import type { ClientTls, EndedCall, OnCallEnd } from "../../call/context/call-info.ts";
import type { ResponseMetadata } from "../../call/context/response-metadata.ts";
import type { MessageCodec } from "../../call/messages/message-codec.ts";
import { MessageQueue } from "../../call/messages/message-queue.ts";
import { andObserver, type MessageObserver } from "../../hooks/message-observer.ts";
import { metadataToHeaders } from "../../protocol/metadata.ts";
import type { Payload } from "../../protocol/payload.ts";
import type { DeadlineEntry } from "../../time/deadline-wheel.ts";
import type { HandledCall } from "../handler/handled-call.ts";
import { endWith, type FailingCall, logFault } from "../handler/handler-fault.ts";
import { expectResponse } from "../handler/method-handler.ts";
import { MessageReceiver, type MessageReceiverOwner } from "../messages/message-receiver.ts";
import type { MessageSender } from "../messages/message-sender.ts";
import { sendMessage } from "../messages/send-message.ts";
import { shortenDeadline, startDeadline, type TimedCall } from "./call-deadline.ts";
import { sendHead, sendSuccess } from "./call-response.ts";
import { CompressedRequest } from "./compressed-request.ts";
import { lookUpHeader, type RequestPlan } from "./request-plan.ts";
import type { ServerCallSettings } from "./server-call-settings.ts";

/**
 * A client resets a call when its deadline passes, and counts from before it sent the request; we count from when we have read it. So its
 * reset may arrive before our own deadline, by the time that the request was on its way and waited to be read.
 */
const earlyResetMs = 100;

/** Not a field of calls: all would pay for what few read. */
const compressedRequests = new WeakSet<ServerCall>();

/**
 * One call on the server: takes the request's messages from the stream, runs the handler, and sends what it answers.
 * Whatever ends the call first (the handler, the deadline, the peer, a broken request) decides its status; what comes
 * after is ignored.
 */
export class ServerCall
  implements StreamListener, TimedCall, MessageReceiverOwner, FailingCall, HandledCall, EndedCall
{
  /** 0 without a deadline. */
  deadlineAtMs = 0;
  /** 0 where no one wants to know. */
  private arrivalMs = 0;
  /** The least time that the call was ever given. */
  leastTimeoutMs = Number.POSITIVE_INFINITY;
  nextDeadline: DeadlineEntry | undefined = undefined;
  previousDeadline: DeadlineEntry | undefined = undefined;
  deadlineSlot = -1;

  readonly plan: RequestPlan;
  readonly settings: ServerCallSettings;
  readonly stream: Http2Stream;
  /** Undefined until the handler begins. */
  metadata: ResponseMetadata | undefined = undefined;
  private readonly head: RequestHead;
  private readonly receiver: MessageReceiver;
  /** Undefined until the signal is first read. */
  private cancellation: Cancellation | undefined = undefined;
  endedBy: ConnectError | undefined = undefined;
  /** The request of a method that takes one, or what will be made one. */
  private request: object | undefined = undefined;
  headSent = false;
  /** Interceptors and handler have it, or had it. */
  private wasHandled = false;
  isOver = false;
  sentMessageBytes = 0;
  private onOver: OnCallEnd | undefined = undefined;
  private wakeSender: (() => void) | undefined = undefined;

  constructor(settings: ServerCallSettings, stream: Http2Stream, head: RequestHead, plan: RequestPlan) {
    this.settings = settings;
    this.stream = stream;
    this.head = head;
    this.plan = plan;
    const receiver = new MessageReceiver(this, plan.receive, stream);
    receiver.receivedCompression = plan.requestCompression;
    if (plan.handler.requestIsStream) receiver.queue = new MessageQueue<object>(receiver, settings.receiveShare);
    this.receiver = receiver;
  }

  /** Call once, with the stream's listener set. */
  begin(): void {
    this.settings.counts.started++;
    const { timeoutMs, handler } = this.plan;
    if (handler.arrivals !== undefined || this.settings.unhandled.hasListener) {
      this.arrivalMs = performance.now();
      if (handler.desc !== undefined) handler.arrivals?.arrived(handler.desc);
    }
    if (timeoutMs !== undefined && !startDeadline(this, timeoutMs)) {
      this.onDeadline();
      return;
    }
    if (this.receiver.queue !== undefined) this.dispatch();
  }

  get arrivedAtMs(): number | undefined {
    return this.arrivalMs === 0 ? undefined : this.arrivalMs;
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
    if (this.cancellation === undefined) {
      this.cancellation = new Cancellation();
      if (this.isOver) this.cancellation.abort(this.endedBy);
    }
    return this.cancellation.signal;
  }

  findRequestHeader(name: string): string | null {
    return lookUpHeader(this.plan, this.head, name);
  }

  get peerAddress(): string | undefined {
    return this.stream.peerAddress;
  }

  get peerTls(): ClientTls | undefined {
    return this.stream.peerTls;
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
    shortenDeadline(this, timeoutMs);
  }

  whenOver(listener: OnCallEnd): void {
    if (this.isOver) {
      tellEnd(listener, this);
      return;
    }
    this.onOver = andListener(this.onOver, listener);
  }

  watchMessages(observer: MessageObserver): number {
    const isolated = andObserver(undefined, observer);
    const { receiver } = this;
    receiver.observer = receiver.observer === undefined ? isolated : andObserver(receiver.observer, observer);
    if (receiver.queue !== undefined) return receiver.queue.pushed;
    if (this.request !== undefined) isolated.onReceived(receiver.receivedBytes, compressedRequests.has(this));
    return 0;
  }

  // ---- StreamListener

  onHead(): void {}

  onData(bytes: Uint8Array, start: number, end: number): void {
    this.receiver.onData(bytes, start, end);
  }

  onTrailers(): void {}

  onEnd(): void {
    if (this.isOver) return;
    const { queue, isBetweenMessages } = this.receiver;
    if (!isBetweenMessages) {
      this.fail(new ConnectError("the request ended inside a message", Code.Internal));
    } else if (queue !== undefined) {
      queue.end();
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
    if (this.isOver) return true;
    if (this.deadlineAtMs === 0) return false;
    const { clock, deadlines } = this.settings;
    return this.deadlineAtMs - clock.nowMs() <= earlyResetMs + deadlines.latenessMs;
  }

  onAdmitted(): void {
    if (!this.isOver) this.runHandler();
  }

  onWritable(): void {
    this.wakeSender?.();
    this.wakeSender = undefined;
  }

  onDeadline(): void {
    const error = new ConnectError("the deadline has passed", Code.DeadlineExceeded);
    if (this.isOver || this.stream.pendingBytes === 0) {
      this.fail(error);
      return;
    }
    // A status would wait after data that the peer does not read; a reset takes the data with it.
    this.stream.reset(ErrorCode.cancel);
    this.finish(error);
  }

  // ---- MessageReceiverOwner

  onMessage(payload: Payload): void {
    if (payload.compressed) compressedRequests.add(this);
    if (this.request !== undefined) {
      this.fail(new ConnectError("the method takes one message, but more came", Code.Unimplemented));
    } else {
      this.takeRequest(payload);
    }
  }

  /** The peer's fault, whatever the handler makes of it. */
  onBadMessage(error: unknown): unknown {
    this.fail(error);
    return error;
  }

  onReaderGone(): void {
    this.receiver.ignoreRest();
  }

  // ---- HandledCall

  get responseCodec(): MessageCodec {
    return this.plan.responseCodec;
  }

  get sender(): MessageSender {
    return this.plan.sender;
  }

  get receivedMessageBytes(): number {
    return this.receiver.receivedBytes;
  }

  get sendValues(): ContextValues | undefined {
    return this.metadata?.givenValues;
  }

  sendHead(): ConnectError | undefined {
    return sendHead(this);
  }

  put(payload: Payload): Promise<void> | undefined {
    if (this.isOver) return undefined;
    const refused = sendHead(this);
    if (refused !== undefined) throw refused;
    const { length } = payload;
    this.sentMessageBytes += length;
    expectResponse(this.plan.handler, length);
    this.receiver.observer?.onSent(length, payload.compressed);
    if (sendMessage(this.stream, payload, false)) return undefined;
    return new Promise((resolve) => {
      this.wakeSender = resolve;
    });
  }

  share(): Promise<void> | undefined {
    return this.settings.sendShare.take();
  }

  succeed(): void {
    if (this.isOver) return;
    const refused = sendSuccess(this);
    if (refused === undefined) this.finish(undefined);
    else this.fail(refused);
  }

  handlerEnded(): void {
    this.stream.release();
  }

  handlerFailed(reason: unknown): void {
    const fault = endWith(this, reason);
    this.stream.release();
    if (fault !== undefined) logFault(this.settings.log, this.path, fault);
  }

  private fail(reason: unknown): void {
    const fault = endWith(this, reason);
    if (fault !== undefined) logFault(this.settings.log, this.path, fault);
  }

  private takeRequest(payload: Payload): void {
    try {
      this.request = payload.compressed ? new CompressedRequest(payload) : this.receiver.makeMessage(payload);
    } catch {
      // It has ended the call.
    }
  }

  private runCompressed(request: CompressedRequest): void {
    let message: object | Promise<object>;
    try {
      message = this.receiver.makeMessage(request.payload);
    } catch {
      // It has ended the call.
      return;
    }
    const run = (made: object): unknown => this.isOver || this.run(made);
    // A failure has ended the call.
    if (message instanceof Promise) message.then(run, () => {});
    else run(message);
  }

  /** The handler begins, now or once less waits that the client has not taken. */
  private dispatch(): void {
    if (this.stream.admit(this.plan.handler.expectedResponseBytes)) this.runHandler();
    else this.stream.messageComplete();
  }

  private runHandler(): void {
    const { queue } = this.receiver;
    if (queue !== undefined) {
      this.run(queue);
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

  finish(error: ConnectError | undefined): void {
    if (this.isOver) return;
    this.isOver = true;
    this.endedBy = error;
    this.settings.deadlines.remove(this);
    if (error === undefined) {
      this.settings.counts.succeeded++;
    } else {
      this.settings.counts.failed++;
      if (!this.wasHandled) this.tellUnhandled(error);
    }
    const { receiver } = this;
    receiver.isCutOff = error !== undefined;
    receiver.halt();
    if (error === undefined) receiver.queue?.end();
    else receiver.queue?.cutOff(error);
    this.cancellation?.abort(error);
    if (error !== undefined && this.plan.requestCompression !== undefined) this.stream.leaveRoom();
    this.wakeSender?.();
    this.wakeSender = undefined;
    if (this.onOver !== undefined) tellEnd(this.onOver, this);
    // The answer is complete, so the rest of the request is not needed (gRPC over HTTP/2, "Responses").
    if (!this.stream.isClosed) this.stream.resetWhenSent(ErrorCode.noError);
  }

  private tellUnhandled({ code, rawMessage: reason }: ConnectError): void {
    const { peerAddress: peer, arrivalMs } = this;
    const { desc: method, arrivals } = this.plan.handler;
    const durationMs = arrivalMs === 0 ? 0 : performance.now() - arrivalMs;
    if (method !== undefined) arrivals?.unhandled(method, code, durationMs);
    this.settings.unhandled.report({ path: this.head.path, peer, method, code, reason, durationMs });
  }
}
