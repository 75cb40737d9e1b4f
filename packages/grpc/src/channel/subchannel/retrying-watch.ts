import type { DescMethodServerStreaming, Message } from "@bufbuild/protobuf";
import { Code, type ConnectError } from "@connectrpc/connect";
import type { Clock } from "../../time/clock.ts";
import type { ClientConnection } from "../../transport/client/client-connection.ts";
import type { Backoff } from "../retry/backoff.ts";
import type { Subchannel } from "./index.ts";
import type { StartWatch } from "./watch-stream.ts";

export interface WatchSettings {
  readonly startWatch: StartWatch;
  readonly clock: Clock;
  /** The pause before a watch that the server ended starts again. */
  readonly backoff: Backoff;
  /** The server does not offer the health service, and counts as healthy. */
  readonly onHealthUnimplemented?: (subchannel: Subchannel) => void;
}

export interface RetryingWatchEvents {
  onMessage(message: Message): void;
  /** The stream has ended; another one begins after a pause. */
  onInterrupted?(error: ConnectError | undefined): void;
  /** Another stream begins after the pause. */
  onRetry?(): void;
  /** The server does not offer the method: it will not be called again. */
  onUnimplemented?(): void;
}

/**
 * Keeps a stream open on a subchannel's connection (gRFC A17, "Client Workflow"). Pauses count from the start of the stream, and
 * a message shows that the server is well: after one the pauses begin small again.
 *
 * Which connection carries the stream says nothing of the server (gRFC A105): where one stops taking calls the stream moves to
 * another, so that the first can close, and where all are full it waits for a place as a call does. Neither is reported.
 */
export class RetryingWatch {
  readonly #settings: WatchSettings;
  readonly #subchannel: Subchannel;
  readonly #method: DescMethodServerStreaming;
  readonly #request: Message;
  readonly #events: RetryingWatchEvents;
  #failures = 0;
  #isStopped = false;
  /** Of the stream, or of the pause until the next one; undefined while the stream waits for a connection with a place. */
  #cancel: (() => void) | undefined;
  /** Carries the stream. */
  #connection: ClientConnection | undefined;
  #endConnectionWatch: (() => void) | undefined;

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
    this.#endConnectionWatch = this.#subchannel.watchConnections?.(() => this.#onConnections());
    this.#open();
  }

  #open(): void {
    const { startWatch, clock } = this.#settings;
    const { connection } = this.#subchannel;
    // Without a connection the state is unknown; the watch ends with the connection.
    if (this.#isStopped || this.#cancel !== undefined || !connection?.isAcceptingCalls) return;
    if (!connection.canStartCall) {
      this.#subchannel.ensureCapacity();
      return;
    }
    const startedAtMs = clock.nowMs();
    this.#connection = connection;
    this.#cancel = startWatch(connection, this.#method, this.#request, {
      onMessage: (message) => {
        this.#failures = 0;
        this.#events.onMessage(message);
      },
      onEnd: (error) => {
        this.#cancel = undefined;
        this.#connection = undefined;
        // The stream went with its connection. There may be another once the subchannel has been notified too.
        if (!connection.isAcceptingCalls) queueMicrotask(() => this.#open());
        else this.#onEnd(error, startedAtMs);
      },
    });
  }

  /** Ends it for good. */
  stop(): void {
    this.#isStopped = true;
    this.#endConnectionWatch?.();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #onConnections(): void {
    if (this.#connection?.isAcceptingCalls === false) {
      this.#connection = undefined;
      this.#cancel?.();
      this.#cancel = undefined;
    }
    this.#open();
  }

  #onEnd(error: ConnectError | undefined, startedAtMs: number): void {
    if (error?.code === Code.Unimplemented) {
      this.stop();
      this.#events.onUnimplemented?.();
      return;
    }
    const { clock, backoff } = this.#settings;
    const pauseMs = Math.max(0, startedAtMs + backoff(this.#failures) - clock.nowMs());
    this.#failures += 1;
    this.#cancel = clock.after(pauseMs, () => {
      this.#cancel = undefined;
      this.#events.onRetry?.();
      this.#open();
    });
    this.#events.onInterrupted?.(error);
  }
}
