/** An AbortSignal that exists only once somebody asks for it: making one costs more than a whole small call. */
export class Cancellation {
  private controller: AbortController | undefined = undefined;
  private over = false;
  /** What it was aborted with. */
  reason: unknown = undefined;

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.over) this.controller.abort(this.reason);
    }
    return this.controller.signal;
  }

  /** Once; what comes later changes nothing. */
  abort(reason: unknown): void {
    if (this.over) return;
    this.over = true;
    this.reason = reason;
    this.controller?.abort(reason);
  }
}
