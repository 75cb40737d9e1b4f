/**
 * Messages that the streams of a server or a channel send together before they let the event loop go on. About a millisecond's work, and
 * so much that the turn it costs is lost in it.
 */
const messagesPerTurn = 1024;

/**
 * Keeps generators that never wait from having the event loop for themselves: what they yield comes by microtasks alone, and a window
 * has room for hundreds of thousands of tiny messages. Without this, timers and other connections would wait until it is full.
 */
export class TurnShare {
  private left = messagesPerTurn;
  private nextTurn: Promise<void> | undefined = undefined;

  /** Call for each message that was sent. A promise: the share is used up, go on when it is kept. */
  take(): Promise<void> | undefined {
    if (--this.left > 0) return undefined;
    this.nextTurn ??= nextTurn().then(() => {
      this.left = messagesPerTurn;
      this.nextTurn = undefined;
    });
    return this.nextTurn;
  }
}

/** Kept in a later turn of the event loop: timers and sockets come first. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
