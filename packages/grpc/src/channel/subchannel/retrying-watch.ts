import type { DescMethodServerStreaming, Message } from "@bufbuild/protobuf";
import { Code, type ConnectError } from "@connectrpc/connect";
import type { Clock } from "../../call/clock.ts";
import type { Backoff } from "../backoff.ts";
import type { Subchannel } from "./index.ts";
import type { StartWatch } from "./watch-stream.ts";

export interface WatchSettings {
  readonly startWatch: StartWatch;
  readonly clock: Clock;
  /** The pause before a watch that the server ended begins anew. */
  readonly backoff: Backoff;
}

export interface RetryingWatchEvents {
  onMessage(message: Message): void;
  /** The stream has ended; another one begins after a pause. */
  onInterrupted?(error: ConnectError | undefined): void;
  /** Another stream begins after the pause. */
  onRetry?(): void;
  /** The server does not offer the method: it will not be asked again. */
  onUnimplemented?(): void;
}

/**
 * Keeps a stream open on a subchannel's connection (gRFC A17, "Client Workflow"). Pauses count from the begin of the stream, and
 * a message shows that the server is well: after one the pauses begin small again.
 */
export class RetryingWatch {
  readonly #settings: WatchSettings;
  readonly #subchannel: Subchannel;
  readonly #method: DescMethodServerStreaming;
  readonly #request: Message;
  readonly #events: RetryingWatchEvents;
  #failures = 0;
  #isStopped = false;
  /** Of the stream, or of the pause until the next one. */
  #cancel: (() => void) | undefined;

  constructor(
    settings: WatchSettings,
    subchannel: Subchannel,
    method: DescMethodServerStreaming,
    request: Message,
    events: RetryingWatchEvents,
  ) {
    this.#settings = settings;
    this.#subchannel = subchannel;
    this.#method = method;
    this.#request = request;
    this.#events = events;
  }

  start(): void {
    const { startWatch, clock } = this.#settings;
    const { connection } = this.#subchannel;
    // Without a connection there is nothing to know; whoever watches stops with it.
    if (this.#isStopped || !connection?.isAcceptingCalls) return;
    const startedAtMs = clock.nowMs();
    this.#cancel = startWatch(connection, this.#method, this.#request, {
      onMessage: (message) => {
        this.#failures = 0;
        this.#events.onMessage(message);
      },
      onEnd: (error) => {
        this.#cancel = undefined;
        // The stream went with its connection, which says nothing of the server. There may be another (gRFC A105), once the
        // subchannel has heard of it too.
        if (!connection.isAcceptingCalls) queueMicrotask(() => this.start());
        else this.#onEnd(error, startedAtMs);
      },
    });
  }

  /** Ends it for good. */
  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #onEnd(error: ConnectError | undefined, startedAtMs: number): void {
    if (error?.code === Code.Unimplemented) {
      this.#events.onUnimplemented?.();
      return;
    }
    const { clock, backoff } = this.#settings;
    const pauseMs = Math.max(0, startedAtMs + backoff(this.#failures) - clock.nowMs());
    this.#failures += 1;
    this.#cancel = clock.after(pauseMs, () => {
      this.#events.onRetry?.();
      this.start();
    });
    this.#events.onInterrupted?.(error);
  }
}
