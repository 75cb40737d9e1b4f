import type { Clock } from "@tercel/grpc";

/** Many proxies close connections after a minute without data. */
const intervalMs = 30_000;
/** Pings and pongs that a client may send within one interval without a message between them. */
const maxControlFrames = 100;

/** Pings the client to detect a dead connection, and limits the pings of the client. */
export class SocketKeepalive {
  readonly #clock: Clock;
  readonly #ping: () => void;
  readonly #onDead: () => void;
  #cancel: (() => void) | undefined = undefined;
  #hasReceived = true;
  #controlFrames = 0;

  /** Starts immediately. Calls `onDead` when nothing is received within an interval after a ping. */
  constructor(clock: Clock, ping: () => void, onDead: () => void) {
    this.#clock = clock;
    this.#ping = ping;
    this.#onDead = onDead;
    this.#checkLater();
  }

  onMessage(): void {
    this.#hasReceived = true;
    this.#controlFrames = 0;
  }

  /** Counts a ping or pong. False: the client sends too many. */
  onControl(): boolean {
    this.#hasReceived = true;
    this.#controlFrames++;
    return this.#controlFrames <= maxControlFrames;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #checkLater(): void {
    this.#cancel = this.#clock.after(intervalMs, () => {
      if (!this.#hasReceived) {
        this.#cancel = undefined;
        this.#onDead();
        return;
      }
      this.#hasReceived = false;
      this.#controlFrames = 0;
      this.#ping();
      this.#checkLater();
    });
  }
}
