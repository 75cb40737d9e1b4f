/**
 * The end of a turn of the event loop, which those that wait for it share: what they begin then leaves together, where it would be a write each if they
 * began it as the requests came, from a connection each.
 */
export class TurnEnd {
  #reached: Promise<void> | undefined = undefined;

  /** Resolves when the sockets that are readable now have been read. */
  reached(): Promise<void> {
    this.#reached ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#reached = undefined;
        resolve();
      });
    });
    return this.#reached;
  }
}
