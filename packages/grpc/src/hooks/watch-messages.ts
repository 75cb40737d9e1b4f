/** Callbacks for the messages of a call. They must not throw: that would end the call. */
export interface MessageWatcher<T> {
  /** A message passes. */
  onMessage?(message: T): void;
  /** After the last message. */
  onEnd?(): void;
  /** The source failed. What this returns is thrown in its place. */
  onError?(error: unknown): unknown;
  /** The reader left before the end: the call was cancelled, timed out, or has its answer. */
  onLeave?(): void;
}

/** Runs a step of the source, for instance inside an async context; the default just runs it. */
export type RunStep = <R>(step: () => R) => R;

/**
 * The same messages, watched. Of `onEnd`, `onError` and `onLeave` one is called, once, and nothing after it. An iterator written
 * out instead of an async generator: that would cost every message two more promises.
 */
export function watchMessages<T>(
  messages: AsyncIterable<T>,
  watcher: MessageWatcher<T>,
  runStep?: RunStep,
): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]: () => {
      const open = (): AsyncIterator<T> => messages[Symbol.asyncIterator]();
      return new WatchedIterator(runStep === undefined ? open() : runStep(open), watcher, runStep);
    },
  };
}

class WatchedIterator<T> implements AsyncIterator<T> {
  private readonly source: AsyncIterator<T>;
  private readonly watcher: MessageWatcher<T>;
  private readonly runStep: RunStep | undefined;
  private isOver = false;

  constructor(source: AsyncIterator<T>, watcher: MessageWatcher<T>, runStep: RunStep | undefined) {
    this.source = source;
    this.watcher = watcher;
    this.runStep = runStep;
  }

  next(): Promise<IteratorResult<T>> {
    return this.step(() => this.source.next());
  }

  return(value?: unknown): Promise<IteratorResult<T>> {
    if (!this.isOver) {
      this.isOver = true;
      this.watcher.onLeave?.();
    }
    const { source } = this;
    if (source.return === undefined) return Promise.resolve({ done: true, value });
    return this.step(() => (source.return as NonNullable<AsyncIterator<T>["return"]>)(value));
  }

  throw(error?: unknown): Promise<IteratorResult<T>> {
    const { source } = this;
    return this.step(() => (source.throw === undefined ? Promise.reject(error) : source.throw(error)));
  }

  private step(take: () => Promise<IteratorResult<T>>): Promise<IteratorResult<T>> {
    try {
      return (this.runStep === undefined ? take() : this.runStep(take)).then(this.onResult, this.onError);
    } catch (error) {
      return Promise.reject(this.failed(error));
    }
  }

  private readonly onResult = (result: IteratorResult<T>): IteratorResult<T> => {
    if (this.isOver) return result;
    if (result.done === true) {
      this.isOver = true;
      this.watcher.onEnd?.();
    } else {
      this.watcher.onMessage?.(result.value);
    }
    return result;
  };

  private readonly onError = (error: unknown): never => {
    throw this.failed(error);
  };

  private failed(error: unknown): unknown {
    if (this.isOver) return error;
    this.isOver = true;
    return this.watcher.onError === undefined ? error : this.watcher.onError(error);
  }
}
