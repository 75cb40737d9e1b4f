import type { OutputHolder, SharedOutput } from "../flow/shared-output.ts";
import type { FrameWriter } from "../frame-writer.ts";
import type { OutputLimits } from "../limits.ts";
import { WriteProgress } from "./write-progress.ts";

/**
 * Looks once a second at the data that waits for windows and the socket, which makes sending cost nothing. A peer may let any amount wait as
 * long as it takes enough of it; what one that does not may hold is bounded, on its connection and on all of a server's together.
 * Made when something waits, and ended when nothing does: an idle connection has none.
 */
export class OutputWatch {
  readonly #holder: OutputHolder;
  readonly #frames: FrameWriter;
  readonly #limits: OutputLimits;
  readonly #shared: SharedOutput;
  readonly #progress = new WriteProgress();

  constructor(holder: OutputHolder, frames: FrameWriter, limits: OutputLimits, shared: SharedOutput) {
    this.#holder = holder;
    this.#frames = frames;
    this.#limits = limits;
    this.#shared = shared;
  }

  /** Whether the connection has to end because too much of the `bytes` that wait has waited for too long. */
  isStalled(nowMs: number, bytes: number): boolean {
    const { unsentBytes, data } = this.#frames;
    const { maxStalledBytes, minBytesPerSecond, stallTimeoutMs } = this.#limits;
    const minBytes = (minBytesPerSecond * stallTimeoutMs) / 1000;
    // What the socket holds has not left.
    const stalledForMs = this.#progress.stalledForMs(nowMs, data.bytes - unsentBytes, bytes, minBytes);
    if (bytes > maxStalledBytes && stalledForMs >= stallTimeoutMs) return true;
    return this.#shared.report(this.#holder, bytes, stalledForMs);
  }

  end(): void {
    this.#shared.delete(this.#holder);
  }
}
