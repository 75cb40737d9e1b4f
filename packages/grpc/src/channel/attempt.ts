import type { DescMethod, Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { DeferredMessage } from "../call/deferred-message.ts";
import { ClientCall, type ClientCallListener } from "../transport/client-call.ts";
import type { ClientConnection } from "../transport/client-connection.ts";
import type { Http2ClientConnection } from "../transport/http2-client-connection.ts";
import type { PickInfo } from "./balancer/index.ts";
import type { ChannelCalls } from "./channel-calls.ts";
import type { CallWaiter, WaiterQueue } from "./waiter-queue.ts";

/**
 * A call on its way: waits for a connection, sends the head, and hands on what comes back. Both kinds of call build on it.
 * The deadline and the caller's signal count from the beginning, the wait included.
 */
export abstract class Attempt implements CallWaiter, ClientCallListener {
  readonly waitForReady: boolean;
  /** The call as it is on the wire; another one after a transparent retry. */
  call: ClientCall;
  /** Told of the call's end after everybody else. */
  onOver: ((error: ConnectError | undefined) => void) | undefined = undefined;
  protected readonly calls: ChannelCalls;
  protected readonly method: DescMethod;
  private readonly fields: readonly string[];
  private readonly signal: AbortSignal | undefined;
  private wasRetried = false;
  // Links of the channel's queue.
  readonly pickInfo: PickInfo | undefined = undefined;
  queue: WaiterQueue | undefined = undefined;
  previousWaiter: CallWaiter | undefined = undefined;
  nextWaiter: CallWaiter | undefined = undefined;

  constructor(calls: ChannelCalls, method: DescMethod, signal: AbortSignal | undefined, fields: readonly string[]) {
    this.calls = calls;
    this.method = method;
    this.fields = fields;
    this.signal = signal;
    this.waitForReady = calls.waitForReady;
    this.call = new ClientCall(calls.settings, method, this);
  }

  begin(timeoutMs: number | undefined): void {
    const { core } = this.calls;
    core.callStarted();
    if (this.signal !== undefined) {
      if (this.signal.aborted) {
        this.onAbort();
        return;
      }
      this.signal.addEventListener("abort", this.onAbort, { once: true });
    }
    if (timeoutMs !== undefined) {
      this.call.setDeadline(timeoutMs);
      if (this.call.isOver) return;
    }
    this.seekConnection();
  }

  // ---- CallWaiter

  onConnection(connection: ClientConnection): void {
    if (this.call.isOver) return;
    try {
      (connection as Http2ClientConnection).start(this.call, this.calls.heads.of(this.method), this.fields);
      this.sendRequest();
    } catch (error) {
      this.call.cancel(ConnectError.from(error, Code.Internal));
    }
  }

  onFail(error: ConnectError): void {
    this.call.cancel(error);
  }

  // ---- ClientCallListener

  abstract onHead(): void;
  abstract onMessage(message: Message | DeferredMessage<Message>, octets: number): void;
  abstract onWritable(): void;

  onEnd(error: ConnectError | undefined): void {
    if (error !== undefined && !this.wasRetried && this.canRepeat && ClientCall.isUnprocessed(error)) {
      this.repeat();
      return;
    }
    if (this.queue !== undefined) this.calls.core.remove(this);
    this.signal?.removeEventListener("abort", this.onAbort);
    this.calls.core.callEnded();
    this.settle(error);
    this.onOver?.(error);
  }

  describeWait(): string {
    return this.calls.core.describeWait();
  }

  // ---- what the kinds of call add

  protected abstract sendRequest(): void;
  protected abstract settle(error: ConnectError | undefined): void;
  /** Whether the request can be sent once more: it is still here, and nothing of a response has been handed on. */
  protected abstract readonly canRepeat: boolean;

  /**
   * The server has not seen the call, so sending it once more is safe whatever the method does (gRFC A6, transparent retry).
   * Once only: a server that refuses again is overloaded.
   */
  private repeat(): void {
    const earlier = this.call;
    this.wasRetried = true;
    this.call = new ClientCall(this.calls.settings, this.method, this);
    this.call.inheritDeadline(earlier);
    this.seekConnection();
  }

  private seekConnection(): void {
    const { core } = this.calls;
    const connection = core.tryPick();
    if (connection !== undefined) {
      this.onConnection(connection);
    } else {
      core.enqueue(this);
    }
  }

  private readonly onAbort = (): void => {
    this.call.cancel(abortError(this.signal?.reason));
  };
}

/** What a caller's signal says, as a ConnectError: Canceled, unless its reason is one already or a time-out. */
function abortError(reason: unknown): ConnectError {
  if (reason instanceof ConnectError) return reason;
  if (reason instanceof Error && reason.name === "TimeoutError") {
    return new ConnectError("the deadline has passed", Code.DeadlineExceeded, undefined, undefined, reason);
  }
  return ConnectError.from(reason ?? "the call was cancelled", Code.Canceled);
}
