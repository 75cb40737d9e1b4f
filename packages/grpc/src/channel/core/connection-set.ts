import type { ClientConnection, Connect } from "../../transport/client/client-connection.ts";

/**
 * Knows every connection of a channel that is not closed yet, those included that only finish their calls and that no
 * subchannel remembers.
 */
export class ConnectionSet {
  readonly #open = new Set<ClientConnection>();
  #onEmpty: (() => void) | undefined;

  /** Wraps `connect` so that what it makes is in the set until it closes. */
  track(connect: Connect): Connect {
    return async (address, events, attempt) => {
      let isClosed = false;
      let connection: ClientConnection | undefined;
      const made = await connect(
        address,
        {
          onCapacity: () => events.onCapacity(),
          onGoaway: (info) => events.onGoaway(info),
          onClose: (error) => {
            isClosed = true;
            if (connection !== undefined) this.#remove(connection);
            events.onClose(error);
          },
        },
        attempt,
      );
      // The end may come in the same turn as the success, before its promise has resolved.
      if (!isClosed) {
        connection = made;
        this.#open.add(made);
      }
      return made;
    };
  }

  /** Calls that are still open fail with `reason`. */
  closeAll(reason: string): void {
    for (const connection of [...this.#open]) connection.close(reason);
  }

  /** Resolves when no connection is left. */
  whenEmpty(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  #remove(connection: ClientConnection): void {
    this.#open.delete(connection);
    if (this.#open.size === 0) this.#onEmpty?.();
  }
}
