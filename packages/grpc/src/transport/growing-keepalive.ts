import { ErrorCode, type Keepalive } from "@tercel/http2";

/** The channel's keepalive, which becomes rarer each time a server finds it too frequent (gRFC A8). */
export class GrowingKeepalive {
  #current: Keepalive | undefined;

  constructor(initial: Keepalive | undefined) {
    this.#current = initial;
  }

  /** For the next connection; undefined without keepalive. */
  get current(): Keepalive | undefined {
    return this.#current;
  }

  /** Doubles the time between pings if it was their number that made the server end the connection. */
  onGoaway({ code, debug }: { readonly code: number; readonly debug: string }): void {
    if (this.#current === undefined) return;
    if (code !== ErrorCode.enhanceYourCalm || debug !== "too_many_pings") return;
    this.#current = { ...this.#current, timeMs: this.#current.timeMs * 2 };
  }
}
