import { Code, ConnectError, type ContextValues } from "@connectrpc/connect";
import type { EndedCall, OnCallEnd } from "@tercel/grpc/hooks";
import {
  andObserver,
  errorToSend,
  expectResponse,
  type HandledCall,
  inspectable,
  logFault,
  type MessageCodec,
  type MessageObserver,
  type MessageSender,
  type Payload,
  type ResponseMetadata,
  startDeadline,
} from "@tercel/grpc/protocols";
import { CallAccount } from "./call-account.ts";
import { type CallExchange, type CallPlan, CallView } from "./call-view.ts";
import { splitTarget } from "./read-fields.ts";

/** How a protocol writes what a handler returns. */
export interface ResponseForm {
  /** Makes the bytes of each message. */
  readonly sender: MessageSender;
  /** Sends or keeps the bytes of a message. The promise, if any, resolves when there is room for another. */
  put(payload: Payload): Promise<void> | undefined;
  succeed(): void;
  fail(error: ConnectError): void;
}

/**
 * One call over a protocol other than gRPC: runs the handler, and has a form send what it returns. Whatever ends the call first (the handler,
 * the deadline, the client, a broken request) decides its status; what comes after is ignored.
 */
export class GatewayCall extends CallView implements HandledCall, EndedCall {
  metadata: ResponseMetadata | undefined = undefined;
  sentMessageBytes = 0;
  receivedMessageBytes = 0;
  readonly #account: CallAccount;
  #form: ResponseForm | undefined = undefined;
  #isHandled = false;
  #observer: MessageObserver | undefined = undefined;
  #onOver: OnCallEnd | undefined = undefined;
  #wake: (() => void) | undefined = undefined;
  /** Called when the call is over, to stop what reads the request. */
  onRequestUnneeded: ((error: ConnectError | undefined) => void) | undefined = undefined;

  constructor(plan: CallPlan, exchange: CallExchange) {
    super(plan, exchange);
    this.#account = new CallAccount(plan.host, plan.handler);
  }

  /** Call once. False: the call has ended already. */
  begin(form: ResponseForm): boolean {
    this.#form = form;
    const { timeoutMs } = this.plan;
    if (!this.#account.open(this.exchange.countsCalls)) {
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
    if (this.isOver) return;
    const { expectedResponseBytes } = this.plan.handler;
    if (this.exchange.admit(expectedResponseBytes, () => this.#invoke(input))) this.#invoke(input);
  }

  /** A request message has come. */
  received(bytes: number, compressed: boolean): void {
    this.receivedMessageBytes += bytes;
    this.#observer?.onReceived(bytes, compressed);
  }

  /** A response message was sent. */
  sent(bytes: number, compressed: boolean): void {
    this.sentMessageBytes += bytes;
    expectResponse(this.plan.handler, bytes);
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

  /** The head leaves with the first message, or with the status. */
  get headSent(): boolean {
    return false;
  }

  sendHead(): undefined {
    return undefined;
  }

  get responseCodec(): MessageCodec {
    return this.plan.responseCodec;
  }

  get sender(): MessageSender {
    // The handler runs after `begin`.
    return (this.#form as ResponseForm).sender;
  }

  get sendValues(): ContextValues | undefined {
    return this.metadata?.givenValues;
  }

  put(payload: Payload): Promise<void> | undefined {
    return this.isOver ? undefined : this.#form?.put(payload);
  }

  share(): Promise<void> | undefined {
    return this.settings.sendShare.take();
  }

  succeed(): void {
    if (this.isOver) return;
    try {
      this.#form?.succeed();
      this.#finish(undefined);
    } catch (error) {
      this.fail(error);
    }
  }

  handlerEnded(): void {
    this.exchange.handlerEnded();
    this.#account.releaseCapacity();
  }

  handlerFailed(reason: unknown): void {
    this.fail(reason);
    this.handlerEnded();
  }

  /** Ends the call with what was thrown. Never throws. */
  fail(reason: unknown): void {
    if (this.isOver) return;
    let fault: { readonly thrown: unknown } | undefined;
    let error: ConnectError;
    try {
      const thrown = inspectable(reason);
      if (!(thrown instanceof ConnectError)) fault = { thrown };
      error = errorToSend(thrown, this.settings.exposeDebugInfo);
      this.#form?.fail(error);
    } catch (problem) {
      // A ConnectError with a getter that throws, for instance, or details that are none.
      fault ??= { thrown: problem };
      error = new ConnectError("internal error", Code.Internal);
      this.#failPlainly(error);
    }
    this.#finish(error);
    if (fault !== undefined) logFault(this.settings.log, splitTarget(this.path).path, fault);
  }

  // ---- ContextSource

  get arrivedAtMs(): number | undefined {
    return this.#account.arrivedAtMs;
  }

  onDeadline(): void {
    this.fail(new ConnectError("the deadline has passed", Code.DeadlineExceeded));
  }

  whenOver(listener: OnCallEnd): void {
    if (this.isOver) {
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
    if (this.receivedMessageBytes > 0 && !this.plan.handler.requestIsStream) {
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
      this.exchange.reset();
    }
  }

  #invoke(input: object): void {
    if (this.isOver) return;
    this.#isHandled = true;
    this.exchange.handlerBegan();
    this.plan.handler.invoke(this, input);
  }

  #finish(error: ConnectError | undefined): void {
    if (this.isOver) return;
    this.setOver(error);
    this.#account.ended(error);
    if (error !== undefined && !this.#isHandled) {
      this.#account.endedUnhandled(error, this.path, this.peerAddress);
    }
    this.onRequestUnneeded?.(error);
    this.abortSignal();
    this.onWritable();
    if (!this.#isHandled) this.#account.releaseCapacity();
    if (this.#onOver !== undefined) notifyEnd(this.#onOver, this);
  }
}

/** A listener that only counts must not fail the connection that it is called from. */
function notifyEnd(listener: OnCallEnd, call: EndedCall): void {
  try {
    listener(call);
  } catch {
    // Its own affair.
  }
}
