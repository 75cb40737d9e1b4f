import { Code, ConnectError, type ContextValues } from "@connectrpc/connect";
import type { EndedCall, OnCallEnd } from "@tercel/grpc/hooks";
import {
  andObserver,
  Cancellation,
  type DeadlineEntry,
  errorToSend,
  expectResponse,
  findMetadata,
  type GatewayHost,
  type HandledCall,
  type HttpExchange,
  inspectable,
  logFault,
  type MessageCodec,
  type MessageObserver,
  type MessageSender,
  type MethodHandler,
  metadataToHeaders,
  type Payload,
  type ResponseMetadata,
  shortenDeadline,
  startDeadline,
  type TimedCall,
} from "@tercel/grpc/protocols";
import { CallAccount } from "./call-account.ts";
import { splitTarget, urlOf } from "./read-fields.ts";

/** How a protocol writes what a handler returns. */
export interface ResponseForm {
  /** Makes the bytes of each message. */
  readonly sender: MessageSender;
  /** Sends or keeps the bytes of a message. The promise, if any, resolves when there is room for another. */
  put(payload: Payload): Promise<void> | undefined;
  succeed(): void;
  fail(error: ConnectError): void;
}

/** What a call needs of the request that it was made by. */
export type CallExchange = Pick<
  HttpExchange,
  "head" | "peerAddress" | "peerTls" | "countsCalls" | "admit" | "handlerBegan" | "handlerEnded" | "reset"
>;

/** What a call is made of, whatever its protocol. */
export interface CallParts {
  readonly host: GatewayHost;
  readonly exchange: CallExchange;
  readonly handler: MethodHandler;
  readonly responseCodec: MessageCodec;
  /** As Connect names it: "connect", "grpc-web"; or "rest", or "websocket". */
  readonly protocolName: string;
  /** Undefined for a call without a deadline. */
  readonly timeoutMs: number | undefined;
}

/**
 * One call over a protocol other than gRPC: runs the handler, and has a form send what it returns. Whatever ends the call first (the handler,
 * the deadline, the client, a broken request) decides its status; what comes after is ignored.
 */
export class GatewayCall implements HandledCall, TimedCall, EndedCall {
  deadlineAtMs = 0;
  leastTimeoutMs = Number.POSITIVE_INFINITY;
  nextDeadline: DeadlineEntry | undefined = undefined;
  previousDeadline: DeadlineEntry | undefined = undefined;
  deadlineSlot = -1;
  metadata: ResponseMetadata | undefined = undefined;
  sentMessageBytes = 0;
  receivedMessageBytes = 0;
  readonly #parts: CallParts;
  readonly #account: CallAccount;
  readonly #cancellation = new Cancellation();
  #form: ResponseForm | undefined = undefined;
  #isOver = false;
  #isHandled = false;
  #observer: MessageObserver | undefined = undefined;
  #onOver: OnCallEnd | undefined = undefined;
  #wake: (() => void) | undefined = undefined;
  /** Called when the call is over, to stop what reads the request. */
  onRequestUnneeded: ((error: ConnectError | undefined) => void) | undefined = undefined;

  constructor(parts: CallParts) {
    this.#parts = parts;
    this.#account = new CallAccount(parts.host, parts.handler);
  }

  /** Call once. False: the call has ended already. */
  begin(form: ResponseForm): boolean {
    this.#form = form;
    const { exchange, timeoutMs } = this.#parts;
    if (!this.#account.open(exchange.countsCalls)) {
      this.fail(new ConnectError("concurrent call limit reached", Code.Unavailable));
      return false;
    }
    if (timeoutMs !== undefined && !startDeadline(this, timeoutMs)) {
      this.onDeadline();
      return false;
    }
    return true;
  }

  /** The handler begins, now or once less waits that the client has not taken. */
  run(input: object): void {
    if (this.#isOver) return;
    const { exchange, handler } = this.#parts;
    if (exchange.admit(handler.expectedResponseBytes, () => this.#invoke(input))) this.#invoke(input);
  }

  /** A request message has come. */
  received(bytes: number, compressed: boolean): void {
    this.receivedMessageBytes += bytes;
    this.#observer?.onReceived(bytes, compressed);
  }

  /** A response message was sent. */
  sent(bytes: number, compressed: boolean): void {
    this.sentMessageBytes += bytes;
    expectResponse(this.#parts.handler, bytes);
    this.#observer?.onSent(bytes, compressed);
  }

  /** Resolves when there is room for more data, or the call is over. */
  whenWritable(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  onWritable(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  /** The client has left. */
  onClose(reason: string): void {
    this.#finish(new ConnectError(reason, Code.Canceled));
  }

  // ---- HandledCall

  get settings(): GatewayHost {
    return this.#parts.host;
  }

  get path(): string {
    return this.#parts.exchange.head.path;
  }

  get requestFields(): readonly string[] {
    return this.#parts.exchange.head.fields;
  }

  /** The head leaves with the first message, or with the status. */
  get headSent(): boolean {
    return false;
  }

  sendHead(): undefined {
    return undefined;
  }

  get responseCodec(): MessageCodec {
    return this.#parts.responseCodec;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get sender(): MessageSender {
    // The handler runs after `begin`.
    return (this.#form as ResponseForm).sender;
  }

  get sendValues(): ContextValues | undefined {
    return this.metadata?.givenValues;
  }

  put(payload: Payload): Promise<void> | undefined {
    return this.#isOver ? undefined : this.#form?.put(payload);
  }

  share(): Promise<void> | undefined {
    return this.#parts.host.sendShare.take();
  }

  succeed(): void {
    if (this.#isOver) return;
    try {
      this.#form?.succeed();
      this.#finish(undefined);
    } catch (error) {
      this.fail(error);
    }
  }

  handlerEnded(): void {
    this.#parts.exchange.handlerEnded();
    this.#account.releaseCapacity();
  }

  handlerFailed(reason: unknown): void {
    this.fail(reason);
    this.handlerEnded();
  }

  /** Ends the call with what was thrown. Never throws. */
  fail(reason: unknown): void {
    if (this.#isOver) return;
    let fault: { readonly thrown: unknown } | undefined;
    let error: ConnectError;
    try {
      const thrown = inspectable(reason);
      if (!(thrown instanceof ConnectError)) fault = { thrown };
      error = errorToSend(thrown, this.#parts.host.exposeDebugInfo);
      this.#form?.fail(error);
    } catch (problem) {
      // A ConnectError with a getter that throws, for instance, or details that are none.
      fault ??= { thrown: problem };
      error = new ConnectError("internal error", Code.Internal);
      this.#failPlainly(error);
    }
    this.#finish(error);
    if (fault !== undefined) logFault(this.#parts.host.log, splitTarget(this.path).path, fault);
  }

  // ---- ContextSource

  get protocolName(): string {
    return this.#parts.protocolName;
  }

  get requestMethod(): string {
    return this.#parts.exchange.head.method;
  }

  get url(): string {
    return urlOf(this.#parts.exchange.head);
  }

  get signal(): AbortSignal {
    return this.#cancellation.signal;
  }

  get peerAddress(): string | undefined {
    return this.#parts.exchange.peerAddress;
  }

  get peerTls() {
    return this.#parts.exchange.peerTls;
  }

  get endedBy(): ConnectError | undefined {
    const { reason } = this.#cancellation;
    return reason === completed ? undefined : (reason as ConnectError | undefined);
  }

  get arrivedAtMs(): number | undefined {
    return this.#account.arrivedAtMs;
  }

  makeRequestHeader(): Headers {
    return metadataToHeaders(this.#parts.exchange.head.fields);
  }

  findRequestHeader(name: string): string | null {
    return findMetadata(this.#parts.exchange.head.fields, name);
  }

  get hasDeadline(): boolean {
    return this.deadlineAtMs !== 0;
  }

  remainingMs(): number | undefined {
    if (this.deadlineAtMs === 0) return undefined;
    return Math.max(0, this.deadlineAtMs - this.#parts.host.clock.nowMs());
  }

  shortenDeadline(timeoutMs: number): void {
    shortenDeadline(this, timeoutMs);
  }

  onDeadline(): void {
    this.fail(new ConnectError("the deadline has passed", Code.DeadlineExceeded));
  }

  whenOver(listener: OnCallEnd): void {
    if (this.#isOver) {
      notifyEnd(listener, this);
      return;
    }
    const earlier = this.#onOver;
    this.#onOver =
      earlier === undefined
        ? listener
        : (call) => {
            notifyEnd(earlier, call);
            listener(call);
          };
  }

  watchMessages(observer: MessageObserver): number {
    const isolated = andObserver(undefined, observer);
    this.#observer = this.#observer === undefined ? isolated : andObserver(this.#observer, observer);
    if (this.receivedMessageBytes > 0 && !this.#parts.handler.requestIsStream) {
      isolated.onReceived(this.receivedMessageBytes, false);
    }
    return 0;
  }

  // ---- within

  /** What the form needs may be what has failed: the application's `errorBody`, for instance. Then the response is cut off. */
  #failPlainly(error: ConnectError): void {
    try {
      this.#form?.fail(error);
    } catch {
      this.#parts.exchange.reset();
    }
  }

  #invoke(input: object): void {
    if (this.#isOver) return;
    const { exchange, handler } = this.#parts;
    this.#isHandled = true;
    exchange.handlerBegan();
    handler.invoke(this, input);
  }

  #finish(error: ConnectError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { host, exchange } = this.#parts;
    host.deadlines.remove(this);
    this.#account.ended(error);
    if (error !== undefined && !this.#isHandled) {
      this.#account.endedUnhandled(error, exchange.head.path, exchange.peerAddress);
    }
    this.onRequestUnneeded?.(error);
    this.#cancellation.abort(error ?? completed);
    this.onWritable();
    if (!this.#isHandled) this.#account.releaseCapacity();
    if (this.#onOver !== undefined) notifyEnd(this.#onOver, this);
  }
}

/** Why the signal of a call aborts that went well. One for all: Node makes one, with its stack, for each signal that has none. */
const completed = new DOMException("the call has ended", "AbortError");

/** A listener that only counts must not fail the connection that it is called from. */
function notifyEnd(listener: OnCallEnd, call: EndedCall): void {
  try {
    listener(call);
  } catch {
    // Its own affair.
  }
}
