import type { ClientConnection, ClientConnectionEvents } from "../../transport/client/client-connection.ts";

/** Longest part of a peer's GOAWAY text that an error message repeats. */
const maxDebugLength = 200;

/** What a connection reports to its subchannel. */
export interface SubchannelConnectionOwner {
  onConnectionCapacity(link: SubchannelConnection): void;
  /** The connection no longer takes new calls. `closedWhileActive` as in Subchannel. */
  onConnectionLost(link: SubchannelConnection, error: Error, closedWhileActive: boolean): void;
  /** Its connection is gone. */
  onConnectionClosed(link: SubchannelConnection): void;
}

/** Listens to one attempt and the connection it leads to, and reports to the subchannel with itself as the source. */
export class SubchannelConnection implements ClientConnectionEvents {
  readonly giveUp = new AbortController();
  /** Undefined while the attempt is under way. */
  connection: ClientConnection | undefined;
  /** The server sent GOAWAY before the promise of the connection resolved. */
  lostEarly: Error | undefined;
  readonly #owner: SubchannelConnectionOwner;

  constructor(owner: SubchannelConnectionOwner) {
    this.#owner = owner;
  }

  onCapacity(): void {
    this.#owner.onConnectionCapacity(this);
  }

  onGoaway({ code, debug }: { readonly code: number; readonly debug: string }): void {
    // Quoted and cut: the text is the peer's.
    const quoted = debug === "" ? "" : ` ${JSON.stringify(debug.slice(0, maxDebugLength))}`;
    // A connection that ends because of its age says nothing against its server. Calls in flight show that more are to come.
    const closedWhileActive = code === 0 && (debug === "max_age" || (this.connection?.openCalls ?? 0) > 0);
    this.#lose(new Error(`the server sent GOAWAY with error code ${code}${quoted}`), closedWhileActive);
  }

  onClose(error: Error | undefined): void {
    this.#lose(error ?? new Error("the connection was closed"), false);
    this.#owner.onConnectionClosed(this);
  }

  #lose(error: Error, closedWhileActive: boolean): void {
    if (this.connection === undefined) this.lostEarly ??= error;
    else this.#owner.onConnectionLost(this, error, closedWhileActive);
  }
}
