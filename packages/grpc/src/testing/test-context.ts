import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { Cancellation } from "../call/cancellation.ts";
import type { ClientTls, OnCallEnd } from "../call/context/call-info.ts";
import { CallContext, type ContextSource } from "../call/context/handler-context.ts";
import { checkWholeNumber, refuseUnknownOptions } from "../options/check-options.ts";
import { formatMethodPath } from "../protocol/method-path.ts";
import { type Clock, systemClock } from "../time/clock.ts";

export interface TestContextOptions {
  /** Metadata that the client has sent. */
  header?: Headers | Readonly<Record<string, string>>;
  /** The time the call has from now on; its signal is aborted when that is over. Default: no deadline. */
  timeoutMs?: number;
  /** `host:port` of the client, for `callInfo`. Default: none, as in memory. */
  peerAddress?: string;
  /** What TLS knows about the client, for `callInfo`. Default: undefined, as in cleartext. */
  peerTls?: ClientTls;
  /** Where the time comes from. Default: the system. */
  clock?: Clock;
}

/** What a handler is handed, with the client's side in the hands of the test. */
export interface TestContext extends HandlerContext {
  /** Ends the call as a client does that goes away: the signal is aborted. Default: with CANCELLED. */
  cancel(reason?: ConnectError): void;
}

/**
 * A context to call a handler with, as a function and without a server: `handlers.getUser(request, createTestContext(method))`. It is the
 * server's own, so what handlers find in it is what they find there. Context values that interceptors would set are set by
 * `context.values.set`; response metadata is read from it afterwards.
 *
 * @throws TypeError for an unknown option, RangeError for a time that is none
 */
export function createTestContext(method: DescMethod, options: TestContextOptions = {}): TestContext {
  const where = "createTestContext";
  refuseUnknownOptions(where, options, ["header", "timeoutMs", "peerAddress", "peerTls", "clock"]);
  checkWholeNumber(where, "timeoutMs", options.timeoutMs, 0, Number.MAX_SAFE_INTEGER);
  const { clock = systemClock } = options;
  const cancellation = new Cancellation();
  const header = new Headers(options.header);
  let deadlineAtMs: number | undefined;
  let stopTimer = (): void => {};

  function shortenDeadline(timeoutMs: number): void {
    const atMs = clock.nowMs() + timeoutMs;
    if (deadlineAtMs !== undefined && deadlineAtMs <= atMs) return;
    deadlineAtMs = atMs;
    stopTimer();
    const passed = (): void => cancel(new ConnectError("the deadline has passed", Code.DeadlineExceeded));
    if (timeoutMs <= 0) passed();
    else stopTimer = clock.after(timeoutMs, passed);
  }

  function cancel(reason = new ConnectError("the call was cancelled", Code.Canceled)): void {
    stopTimer();
    cancellation.abort(reason);
  }

  /** Nothing is sent here, and what the handler returns goes to the test: the call is over when the client ends it. */
  function whenOver(listener: OnCallEnd): void {
    const { signal } = cancellation;
    const tell = (): void =>
      listener({ endedBy: signal.reason as ConnectError, sentMessageBytes: 0, receivedMessageBytes: 0 });
    if (signal.aborted) tell();
    else signal.addEventListener("abort", tell, { once: true });
  }

  const source: ContextSource = {
    url: `http://localhost${formatMethodPath(method.parent.typeName, method.name)}`,
    get signal() {
      return cancellation.signal;
    },
    get endedBy() {
      return cancellation.reason as ConnectError | undefined;
    },
    peerAddress: options.peerAddress,
    peerTls: options.peerTls,
    arrivedAtMs: undefined,
    makeRequestHeader: () => header,
    findRequestHeader: (name) => header.get(name),
    get hasDeadline() {
      return deadlineAtMs !== undefined;
    },
    remainingMs: () => (deadlineAtMs === undefined ? undefined : Math.max(0, deadlineAtMs - clock.nowMs())),
    shortenDeadline,
    whenOver,
    // Nothing is sent here.
    watchMessages: () => 0,
  };
  const context = new CallContext(source, method);
  if (options.timeoutMs !== undefined) shortenDeadline(options.timeoutMs);
  return Object.assign(context, { cancel });
}
