import { performance } from "node:perf_hooks";
import type { ConnectError } from "@connectrpc/connect";
import type { GatewayHost, MethodHandler } from "@tercel/grpc/protocols";

/** Counts one call in the server's statistics, and holds its share of the server's call limit. */
export class CallAccount {
  readonly #host: GatewayHost;
  readonly #handler: MethodHandler;
  #arrivalMs = 0;
  #holdsCapacity = false;

  constructor(host: GatewayHost, handler: MethodHandler) {
    this.#host = host;
    this.#handler = handler;
  }

  /** When the call arrived; undefined if nothing needs arrival times. */
  get arrivedAtMs(): number | undefined {
    return this.#arrivalMs === 0 ? undefined : this.#arrivalMs;
  }

  /**
   * Counts the start of the call, and takes capacity. Returns false if the server's call limit is reached.
   *
   * @param isCounted whether the connection counts its calls against the limit itself
   */
  open(isCounted: boolean): boolean {
    const { counts, callLimit, unhandled } = this.#host;
    const { arrivals, desc } = this.#handler;
    counts.started++;
    if (arrivals !== undefined || unhandled.hasListener) {
      this.#arrivalMs = performance.now();
      if (desc !== undefined) arrivals?.arrived(desc);
    }
    if (isCounted || callLimit === undefined) return true;
    if (callLimit.isFull) return false;
    callLimit.taken++;
    this.#holdsCapacity = true;
    return true;
  }

  /** Counts the end of the call. */
  ended(error: ConnectError | undefined): void {
    const { counts } = this.#host;
    if (error === undefined) counts.succeeded++;
    else counts.failed++;
  }

  /** Reports the end of a call whose handler was not started. */
  endedUnhandled({ code, rawMessage: reason }: ConnectError, path: string, peer: string | undefined): void {
    const durationMs = this.#arrivalMs === 0 ? 0 : performance.now() - this.#arrivalMs;
    const { desc: method, arrivals } = this.#handler;
    if (method !== undefined) arrivals?.unhandled(method, code, durationMs);
    this.#host.unhandled.report({ path, peer, method, code, reason, durationMs });
  }

  /** Releases the capacity, when the handler has ended or will not start. */
  releaseCapacity(): void {
    const { callLimit } = this.#host;
    if (!this.#holdsCapacity || callLimit === undefined) return;
    this.#holdsCapacity = false;
    callLimit.taken--;
  }
}
