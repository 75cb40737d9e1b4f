import type { DescMethodServerStreaming, Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { defineMethod } from "../../call/method-definition.ts";
import { ClientCall, type ClientCallListener } from "../../transport/client/client-call.ts";
import {
  type ClientCallPlan,
  type ClientCallSettings,
  planCalls,
} from "../../transport/client/client-call-settings.ts";
import type { ClientConnection } from "../../transport/client/client-connection.ts";
import type { RequestHeads } from "../../transport/request-heads.ts";

export interface WatchEvents {
  onMessage(message: Message): void;
  /** The server has ended the stream, or it could not begin; exactly once, unless the watch was cancelled before. */
  onEnd(error: ConnectError | undefined): void;
}

/**
 * Begins a call on one connection, past the balancer, and returns what cancels it. The method answers with a stream. The call has
 * its place on the connection when this returns; neither event comes before.
 */
export type StartWatch = (
  connection: ClientConnection,
  method: DescMethodServerStreaming,
  request: Message,
  events: WatchEvents,
) => () => void;

/** Watches as the channel's other calls are made: same codec, limits and head. They have no deadline. */
export function createStartWatch(settings: ClientCallSettings, heads: RequestHeads): StartWatch {
  return (connection, method, request, events) => {
    const watch = new WatchCall(planCalls(defineMethod(method, settings.codec), settings), events);
    watch.begin(connection, heads, request);
    return () => watch.cancel();
  };
}

class WatchCall implements ClientCallListener {
  readonly deadlineAtMs = 0;
  readonly #call: ClientCall;
  readonly #events: WatchEvents;
  #isOver = false;

  constructor(plan: ClientCallPlan, events: WatchEvents) {
    this.#events = events;
    this.#call = new ClientCall(plan, this);
  }

  begin(connection: ClientConnection, heads: RequestHeads, request: Message): void {
    try {
      if (!connection.canStartCall)
        throw new ConnectError("concurrent call limit of the connection reached", Code.Unavailable);
      connection.start(this.#call, heads.of(this.#call.method.path), []);
      // It serves the channel's calls, and must not outlive them.
      this.#call.unref();
      const sent = this.#call.send(request, true);
      if (sent instanceof Promise) sent.catch((error) => this.#fail(error));
    } catch (error) {
      // Not at once: the caller must have the function that cancels the watch first.
      queueMicrotask(() => this.#fail(error));
    }
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#call.cancel(new ConnectError("no one watches any more", Code.Canceled));
  }

  onHead(): void {}

  onWritable(): void {}

  onReaderGone(): void {}

  onMessage(_call: ClientCall, message: object | Promise<object>): void {
    if (message instanceof Promise) {
      message.then(
        (made) => this.#pass(made),
        (error) => this.#fail(error),
      );
    } else {
      this.#pass(message);
    }
  }

  onEnd(_call: ClientCall, error: ConnectError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.onEnd(error);
  }

  /** Whoever watches says what it was for. */
  describeCall(): string {
    return "";
  }

  #pass(message: object): void {
    if (!this.#isOver) this.#events.onMessage(message as Message);
  }

  #fail(error: unknown): void {
    this.#call.cancel(ConnectError.from(error, Code.Internal));
  }
}
