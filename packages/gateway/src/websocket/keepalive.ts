import type { Clock } from "@tercel/grpc";

/** Proxies close connections that are silent for a minute. */
const intervalMs = 30_000;
/** Pings and pongs that a client may send within one interval without a message among them. */
const maxControlFrames = 100;

/** Finds out that a client is gone whose connection never said so, and one that sends pings instead of messages. */
export class SocketKeepalive {
  readonly #clock: Clock;
  readonly #ping: () => void;
  readonly #onDead: () => void;
  #cancel: (() => void) | undefined = undefined;
  #hasHeard = true;
  #controlFrames = 0;

  /** Begins at once. `onDead` is called when nothing has come for an interval after a ping. */
  constructor(clock: Clock, ping: () => void, onDead: () => void) {
    this.#clock = clock;
    this.#ping = ping;
    this.#onDead = onDead;
    this.#checkLater();
  }

  onMessage(): void {
    this.#hasHeard = true;
    this.#controlFrames = 0;
  }

  /** False: there are too many. */
  onControl(): boolean {
    this.#hasHeard = true;
    this.#controlFrames++;
    return this.#controlFrames <= maxControlFrames;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #checkLater(): void {
    this.#cancel = this.#clock.after(intervalMs, () => {
      if (!this.#hasHeard) {
        this.#cancel = undefined;
        this.#onDead();
        return;
      }
      this.#hasHeard = false;
      this.#controlFrames = 0;
      this.#ping();
      this.#checkLater();
    });
  }
}
