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

/** How a protocol writes the result of a handler. */
export interface ResponseForm {
  /** Encodes the messages. */
  readonly sender: MessageSender;
  /** Sends or stores an encoded message. The promise, if any, resolves when there is room for another. */
  put(payload: Payload): Promise<void> | undefined;
  succeed(): void;
  fail(error: ConnectError): void;
}

/**
 * One call over a protocol other than gRPC: runs the handler, and sends its result with a form. The first event that ends the call (the handler,
 * the deadline, the client, an invalid request) determines its status; later events are ignored.
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
  /** Called when the call is over, to stop reading the request. */
  onRequestUnneeded: ((error: ConnectError | undefined) => void) | undefined = undefined;

  constructor(plan: CallPlan, exchange: CallExchange) {
    super(plan, exchange);
    this.#account = new CallAccount(plan.host, plan.handler);
  }

  /** Must be called once. Returns false if the call has already ended. */
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

  /** Starts the handler, now or when the client has read more of its responses. */
  run(input: object): void {
    if (this.isOver) return;
    const { expectedResponseBytes } = this.plan.handler;
    if (this.exchange.admit(expectedResponseBytes, () => this.#invoke(input))) this.#invoke(input);
  }

  /** Reports a received request message. */
  received(bytes: number, compressed: boolean): void {
    this.receivedMessageBytes += bytes;
    this.#observer?.onReceived(bytes, compressed);
  }

  /** Reports a sent response message. */
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

  /** The client has disconnected. */
  onClose(reason: string): void {
    this.#finish(new ConnectError(reason, Code.Canceled));
  }

  // ---- HandledCall

  /** False, because the head is sent with the first message or the status. */
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

  /** Ends the call with a thrown value. Never throws. */
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
      // For example a ConnectError with a getter that throws, or with invalid details.
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

  // ---- private

  /** Sends a plain error. If the form fails again, for example in the application's `errorBody`, the response is reset. */
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

/** Calls a listener, whose errors must not fail the connection. */
function notifyEnd(listener: OnCallEnd, call: EndedCall): void {
  try {
    listener(call);
  } catch {
    // Errors of listeners are ignored.
  }
}
