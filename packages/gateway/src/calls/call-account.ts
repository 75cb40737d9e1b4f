import { performance } from "node:perf_hooks";
import type { ConnectError } from "@connectrpc/connect";
import type { GatewayHost, MethodHandler } from "@tercel/grpc/protocols";

/** What a server's books say of one call: that it was begun, takes one of the places that calls share, and how it ended. */
export class CallAccount {
  readonly #host: GatewayHost;
  readonly #handler: MethodHandler;
  #arrivalMs = 0;
  #holdsCapacity = false;

  constructor(host: GatewayHost, handler: MethodHandler) {
    this.#host = host;
    this.#handler = handler;
  }

  /** When the call arrived; undefined while no one asks for such times. */
  get arrivedAtMs(): number | undefined {
    return this.#arrivalMs === 0 ? undefined : this.#arrivalMs;
  }

  /** @param isCounted the connection counts its calls against the server's limit. False: the server has no capacity for another call */
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

  /** The call has ended, with an error or without. */
  ended(error: ConnectError | undefined): void {
    const { counts } = this.#host;
    if (error === undefined) counts.succeeded++;
    else counts.failed++;
  }

  /** The call has ended before its handler began. */
  endedUnhandled({ code, rawMessage: reason }: ConnectError, path: string, peer: string | undefined): void {
    const durationMs = this.#arrivalMs === 0 ? 0 : performance.now() - this.#arrivalMs;
    const { desc: method, arrivals } = this.#handler;
    if (method !== undefined) arrivals?.unhandled(method, code, durationMs);
    this.#host.unhandled.report({ path, peer, method, code, reason, durationMs });
  }

  /** Its handler has ended, or will not begin. */
  releaseCapacity(): void {
    const { callLimit } = this.#host;
    if (!this.#holdsCapacity || callLimit === undefined) return;
    this.#holdsCapacity = false;
    callLimit.taken--;
  }
}
