import type { Clock } from "../../time/clock.ts";
import type { Subchannel } from "../subchannel/index.ts";

/** RFC 8305 §5, "Connection Attempt Delay", as recommended there and in gRFC A61. */
const attemptDelayMs = 250;

/**
 * One pass over the addresses (gRFC A61, "Happy Eyeballs"): each is tried in its order, as soon as the attempt before it has
 * failed or has taken a quarter of a second. An attempt that continues may still win.
 */
export class ConnectingPass {
  readonly #subchannels: readonly Subchannel[];
  readonly #clock: Clock;
  readonly #onFailed: () => void;
  readonly #failed = new Set<Subchannel>();
  /** Those before it have been tried in this pass. */
  #next = 0;
  #latest: Subchannel | undefined;
  #cancelDelay: (() => void) | undefined;
  #isOver = false;

  /** `onFailed` is called once every address has failed. */
  constructor(subchannels: readonly Subchannel[], clock: Clock, onFailed: () => void) {
    this.#subchannels = subchannels;
    this.#clock = clock;
    this.#onFailed = onFailed;
  }

  start(): void {
    for (const subchannel of this.#subchannels) {
      // One that still pauses has failed already.
      if (subchannel.state === "transient_failure") this.#failed.add(subchannel);
    }
    this.#tryNext();
  }

  onAttemptFailed(subchannel: Subchannel): void {
    if (this.#isOver) return;
    this.#failed.add(subchannel);
    // The failure of an earlier one changes nothing for those that come after the latest.
    if (subchannel === this.#latest || this.#failed.size === this.#subchannels.length) this.#tryNext();
  }

  stop(): void {
    this.#isOver = true;
    this.#cancelDelay?.();
    this.#cancelDelay = undefined;
  }

  #tryNext(): void {
    this.#cancelDelay?.();
    this.#cancelDelay = undefined;
    while (this.#next < this.#subchannels.length) {
      const subchannel = this.#subchannels[this.#next] as Subchannel;
      this.#next += 1;
      if (this.#failed.has(subchannel)) continue;
      this.#latest = subchannel;
      if (this.#next < this.#subchannels.length) {
        this.#cancelDelay = this.#clock.after(attemptDelayMs, () => this.#tryNext());
      }
      subchannel.connect();
      return;
    }
    if (this.#failed.size < this.#subchannels.length) return;
    this.stop();
    this.#onFailed();
  }
}
