import { ErrorCode, type Keepalive } from "@tercel/http2";
import type { Log } from "../../logging/log.ts";

/** The channel's keepalive, which becomes rarer each time a server finds it too frequent (gRFC A8). */
export class GrowingKeepalive {
  #current: Keepalive | undefined;
  readonly #log: Log;

  constructor(initial: Keepalive | undefined, log: Log) {
    this.#current = initial;
    this.#log = log;
  }

  /** For the next connection; undefined without keepalive. */
  get current(): Keepalive | undefined {
    return this.#current;
  }

  /** Doubles the time between pings if it was their number that made the server at `address` end the connection. */
  onGoaway({ code, debug }: { readonly code: number; readonly debug: string }, address: string): void {
    if (code !== ErrorCode.enhanceYourCalm || debug !== "too_many_pings") return;
    if (this.#current !== undefined) this.#current = { ...this.#current, timeMs: this.#current.timeMs * 2 };
    this.#log.warn("the server ended a connection because of too many pings", {
      server: address,
      ...(this.#current !== undefined && { keepaliveTimeMs: this.#current.timeMs }),
    });
  }
}
