import type { DescMethod } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { MessageObserver } from "./message-observer.ts";

/** What is known of an attempt when it begins: before it has a connection, and before the name is resolved perhaps. */
export interface StartedAttempt {
  readonly method: DescMethod;
  /** The channel's target as a URI. */
  readonly target: string;
  /** The metadata of its call. To be read; it is made when asked for. */
  readonly header: Headers;
  /** Attempts of the same call that a server has seen before this one. */
  readonly earlierAttempts: number;
  /** The attempt before it was certainly not seen by a server, and counts for nothing (gRFC A6). */
  readonly isTransparent: boolean;
}

/** What is told about one attempt to make a call. What any of it throws is ignored. */
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

/** Hears of each attempt that begins. Undefined leaves it unobserved. */
export type OnAttempt = (attempt: StartedAttempt) => AttemptObserver | undefined;

/** All who observe one attempt. Who only keeps the books must not fail the connection whose reading they are called from. */
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
        // Its own affair.
      }
    }
    return observers.length === 0 ? undefined : new AttemptObservers(observers);
  }

  /** Most have none. */
  get metadata(): readonly Headers[] {
    return this.observers.flatMap(({ metadata }) => metadata ?? []);
  }

  onResolutionEnd(): void {
    this.tell((observer) => observer.onResolutionEnd?.());
  }

  onPick(address: string, hasWaited: boolean): void {
    this.tell((observer) => observer.onPick?.(address, hasWaited));
  }

  onSent(bytes: number, isCompressed: boolean): void {
    this.tell((observer) => observer.onSent?.(bytes, isCompressed));
  }

  onReceived(bytes: number, isCompressed: boolean): void {
    this.tell((observer) => observer.onReceived?.(bytes, isCompressed));
  }

  onEnd(error: ConnectError | undefined): void {
    this.tell((observer) => observer.onEnd?.(error));
  }

  private tell(step: (observer: AttemptObserver) => void): void {
    for (const observer of this.observers) {
      try {
        step(observer);
      } catch {
        // Its own affair.
      }
    }
  }
}
