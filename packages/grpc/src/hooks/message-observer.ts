/** Called for each message of one call or attempt: `bytes` as sent, compressed or not, without prefix and frames. */
export interface MessageObserver {
  onSent(bytes: number, isCompressed: boolean): void;
  onReceived(bytes: number, isCompressed: boolean): void;
}

/** Adds an observer. It must not fail the connection whose reading calls it, so what it throws is ignored. */
export function andObserver(earlier: MessageObserver | undefined, observer: MessageObserver): MessageObserver {
  return {
    onSent(bytes, isCompressed) {
      earlier?.onSent(bytes, isCompressed);
      try {
        observer.onSent(bytes, isCompressed);
      } catch {
        // An observer's failure must not end the call.
      }
    },
    onReceived(bytes, isCompressed) {
      earlier?.onReceived(bytes, isCompressed);
      try {
        observer.onReceived(bytes, isCompressed);
      } catch {
        // An observer's failure must not end the call.
      }
    },
  };
}
