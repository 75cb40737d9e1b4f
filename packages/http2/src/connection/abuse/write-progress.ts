/**
 * Whether what waits to be sent leaves fast enough. A trickle is not enough: within each period, as many bytes have to leave as `minBytes`
 * says, or all that waited at its start. It begins again as soon as they have. Made when something waits, and dropped when nothing does.
 */
export class WriteProgress {
  #sinceMs: number | undefined = undefined;
  #goalBytes = 0;

  /** How long too little has left. `leftBytes` counts all bytes that have left so far, `waitingBytes` those that have not. */
  stalledForMs(nowMs: number, leftBytes: number, waitingBytes: number, minBytes: number): number {
    if (this.#sinceMs === undefined || leftBytes >= this.#goalBytes) {
      this.#sinceMs = nowMs;
      this.#goalBytes = leftBytes + Math.max(1, Math.min(waitingBytes, minBytes));
    }
    return nowMs - this.#sinceMs;
  }
}
