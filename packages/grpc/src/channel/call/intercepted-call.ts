import type { DescMethod } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ContextValues,
  createContextValues,
  type Interceptor,
  type StreamRequest,
  type StreamResponse,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { maxCallTimeoutMs } from "../../call/call-timeout.ts";
import { traceCaller } from "../../call/caller-stack.ts";
import { Cancellation } from "../../call/cancellation.ts";
import { channelTarget } from "../../call/context/channel-target.ts";
import { applyInterceptors } from "../../call/interceptors.ts";
import type { MetadataInit } from "../../protocol/metadata.ts";
import type { DeadlineEntry } from "../../time/deadline-wheel.ts";
import { nextTurn } from "../../time/turn-share.ts";
import type { CallContext } from "./call-context.ts";
import { spreadable } from "./responses.ts";

/** What the caller gave, before interceptors. */
export interface CallInit {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number | undefined;
  readonly metadata: MetadataInit | undefined;
  readonly contextValues: ContextValues | undefined;
}

/** Starts the call itself, after the interceptors. */
export type StartCall = (
  request: UnaryRequest | StreamRequest,
  init: {
    signal: AbortSignal | undefined;
    timeoutMs: number | undefined;
    metadata: MetadataInit | undefined;
    /** The call's end, with its error; a streaming call ends long after its response object is there. */
    onOver: (error: ConnectError | undefined) => void;
  },
) => Promise<UnaryResponse | StreamResponse>;

/**
 * A call through a channel's interceptors. The request object they see creates its headers and its signal when they are read; the
 * deadline spans the whole chain, so an interceptor that calls twice does not get twice the time.
 */
export async function interceptedCall<R extends UnaryResponse | StreamResponse>(
  calls: CallContext,
  method: DescMethod,
  message: unknown,
  init: CallInit,
  start: StartCall,
): Promise<R> {
  const scope = new CallScope(calls, init);
  const request = makeRequest(calls, method, message, init, scope);
  const next = applyInterceptors(async (handed) => {
    const over = scope.callBegins();
    const untouched = handed === request;
    const starting = start(handed, {
      signal: untouched ? scope.untouchedSignal(init.signal) : handed.signal,
      timeoutMs: shorter(scope.remainingMs(), handed.contextValues.get(maxCallTimeoutMs)),
      metadata: untouched ? (scope.madeHeader ?? init.metadata) : handed.header,
      onOver: over,
    });
    const response = await starting.catch((error) => {
      over(error);
      scope.callError = error;
      throw error;
    });
    if (!response.stream) over(undefined);
    return spreadable(response);
  }, calls.interceptors as Interceptor[]);
  try {
    const response = (await next(request)) as R;
    scope.answered();
    return response;
  } catch (error) {
    scope.end(error);
    // One that the call failed with has the interceptors in its stack, which leave no room for the caller where they are many.
    if (error === scope.callError) traceCaller(error);
    // An interceptor refused it: as with a call that fails without I/O, not in this turn.
    if (!scope.hasCalled) await nextTurn();
    throw error;
  }
}

function makeRequest(
  calls: CallContext,
  method: DescMethod,
  message: unknown,
  init: CallInit,
  scope: CallScope,
): UnaryRequest | StreamRequest {
  const contextValues = init.contextValues ?? createContextValues();
  return {
    stream: method.methodKind !== "unary",
    service: method.parent,
    method,
    requestMethod: "POST",
    url: `${calls.baseUrl}/${method.parent.typeName}/${method.name}`,
    message,
    contextValues,
    [channelTarget]: calls.target,
    get header() {
      scope.madeHeader ??= new Headers(init.metadata);
      return scope.madeHeader;
    },
    get signal() {
      return scope.signal;
    },
  } as UnaryRequest | StreamRequest;
}

/** Signal and deadline of a whole chain. */
class CallScope implements DeadlineEntry {
  deadlineAtMs = 0;
  nextDeadline: DeadlineEntry | undefined = undefined;
  previousDeadline: DeadlineEntry | undefined = undefined;
  deadlineSlot = -1;
  madeHeader: Headers | undefined = undefined;
  private readonly calls: CallContext;
  private readonly given: AbortSignal | undefined;
  private readonly cancellation = new Cancellation();
  private isSignalMade = false;
  /** An interceptor may call more than once, to retry for instance. */
  private openCalls = 0;
  hasCalled = false;
  /** What a call failed with last. */
  callError: unknown = undefined;
  /** The interceptors have returned; a stream continues after them. */
  private hasAnswered = false;

  constructor(calls: CallContext, init: CallInit) {
    this.calls = calls;
    this.given = init.signal;
    if (init.timeoutMs === undefined) return;
    this.deadlineAtMs = calls.clock.nowMs() + init.timeoutMs;
  }

  get signal(): AbortSignal {
    if (!this.isSignalMade) {
      this.isSignalMade = true;
      if (this.given?.aborted) this.onAbort();
      else this.given?.addEventListener("abort", this.onAbort, { once: true });
      if (this.deadlineAtMs > 0) this.calls.deadlines.add(this);
    }
    return this.cancellation.signal;
  }

  /** Until an interceptor reads the signal, the caller's own is enough. */
  untouchedSignal(given: AbortSignal | undefined): AbortSignal | undefined {
    return this.isSignalMade ? this.signal : given;
  }

  remainingMs(): number | undefined {
    return this.deadlineAtMs === 0 ? undefined : Math.max(0, this.deadlineAtMs - this.calls.clock.nowMs());
  }

  onDeadline(): void {
    this.end(new ConnectError("the deadline has passed", Code.DeadlineExceeded));
  }

  /** Returns what to call once that call is over; more than once does no harm. */
  callBegins(): (error: ConnectError | undefined) => void {
    this.openCalls++;
    this.hasCalled = true;
    let isOpen = true;
    return (error) => {
      if (!isOpen) return;
      isOpen = false;
      this.openCalls--;
      if (this.hasAnswered && this.openCalls === 0) this.end(error);
    };
  }

  answered(): void {
    this.hasAnswered = true;
    if (this.openCalls === 0) this.end(undefined);
  }

  end(reason: unknown): void {
    this.given?.removeEventListener("abort", this.onAbort);
    this.calls.deadlines.remove(this);
    this.cancellation.abort(reason);
  }

  private readonly onAbort = (): void => {
    this.end(this.given?.reason);
  };
}

function shorter(given: number | undefined, most: number | undefined): number | undefined {
  if (given === undefined || most === undefined) return given ?? most;
  return Math.min(given, most);
}
