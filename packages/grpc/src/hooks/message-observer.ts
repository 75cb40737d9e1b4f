/** Is told of the messages of one call or attempt as they pass: bytes as they are sent, compressed or not, prefix and frames excluded. */
export interface MessageObserver {
  onSent(bytes: number, isCompressed: boolean): void;
  onReceived(bytes: number, isCompressed: boolean): void;
}

/** Tells one more. Who only keeps the books must not fail the connection whose reading it is called from, so what it throws is ignored. */
export function andObserver(earlier: MessageObserver | undefined, observer: MessageObserver): MessageObserver {
  return {
    onSent(bytes, isCompressed) {
      earlier?.onSent(bytes, isCompressed);
      try {
        observer.onSent(bytes, isCompressed);
      } catch {
        // Its own affair.
      }
    },
    onReceived(bytes, isCompressed) {
      earlier?.onReceived(bytes, isCompressed);
      try {
        observer.onReceived(bytes, isCompressed);
      } catch {
        // Its own affair.
      }
    },
  };
}
