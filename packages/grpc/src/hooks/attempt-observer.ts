import type { DescMethod } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { MessageObserver } from "./message-observer.ts";

/** What is known of an attempt when it begins: before it has a connection, and before the name is resolved perhaps. */
export interface StartedAttempt {
  readonly method: DescMethod;
  /** The channel's target as a URI. */
  readonly target: string;
  /** The metadata of its call, read-only; created when it is first read. */
  readonly header: Headers;
  /** Attempts of the same call that a server has seen before this one. */
  readonly earlierAttempts: number;
  /** The attempt before it was certainly not seen by a server, and counts for nothing (gRFC A6). */
  readonly isTransparent: boolean;
}

/** Callbacks for one attempt of a call. What they throw is ignored. */
export interface AttemptObserver extends Partial<MessageObserver> {
  /** Metadata of this attempt alone; of names that its call has, too, these values go out. Read when the attempt has its connection. */
  readonly metadata?: Headers;
  /** The attempt had to wait until the channel's name was resolved; it was now, or could not be. Before `onPick`. */
  onResolutionEnd?(): void;
  /** It has its place on a connection to this address, `host:port` or `unix:path`. `hasWaited`: not at once. */
  onPick?(address: string, hasWaited: boolean): void;
  /** The attempt is over, always exactly once; of hedged attempts those that lost end with Canceled. */
  onEnd?(error: ConnectError | undefined): void;
}

/** Called for each attempt that begins. Returns undefined to leave it unobserved. */
export type OnAttempt = (attempt: StartedAttempt) => AttemptObserver | undefined;

/** All observers of one attempt. They must not fail the connection whose reading calls them. */
export class AttemptObservers implements MessageObserver {
  private readonly observers: readonly AttemptObserver[];

  private constructor(observers: readonly AttemptObserver[]) {
    this.observers = observers;
  }

  /** Undefined where no one wants to observe it. */
  static begin(listeners: readonly OnAttempt[], attempt: StartedAttempt): AttemptObservers | undefined {
    const observers: AttemptObserver[] = [];
    for (const listener of listeners) {
      try {
        const observer = listener(attempt);
        if (observer !== undefined) observers.push(observer);
      } catch {
        // An observer's failure must not end the call.
      }
    }
    return observers.length === 0 ? undefined : new AttemptObservers(observers);
  }

  /** Most have none. */
  get metadata(): readonly Headers[] {
    return this.observers.flatMap(({ metadata }) => metadata ?? []);
  }

  onResolutionEnd(): void {
    this.notify((observer) => observer.onResolutionEnd?.());
  }

  onPick(address: string, hasWaited: boolean): void {
    this.notify((observer) => observer.onPick?.(address, hasWaited));
  }

  onSent(bytes: number, isCompressed: boolean): void {
    this.notify((observer) => observer.onSent?.(bytes, isCompressed));
  }

  onReceived(bytes: number, isCompressed: boolean): void {
    this.notify((observer) => observer.onReceived?.(bytes, isCompressed));
  }

  onEnd(error: ConnectError | undefined): void {
    this.notify((observer) => observer.onEnd?.(error));
  }

  private notify(step: (observer: AttemptObserver) => void): void {
    for (const observer of this.observers) {
      try {
        step(observer);
      } catch {
        // An observer's failure must not end the call.
      }
    }
  }
}
