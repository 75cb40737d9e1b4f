/**
 * The same messages, each let through by `admit` first. When it throws or rejects, so does the reader's step, and the source is
 * left: the message and those after it go no further.
 */
export function gateMessages<T>(
  messages: AsyncIterable<T>,
  admit: (message: T) => void | Promise<void>,
): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: () => new GatedIterator(messages[Symbol.asyncIterator](), admit) };
}

class GatedIterator<T> implements AsyncIterator<T> {
  private readonly source: AsyncIterator<T>;
  private readonly admit: (message: T) => void | Promise<void>;

  constructor(source: AsyncIterator<T>, admit: (message: T) => void | Promise<void>) {
    this.source = source;
    this.admit = admit;
  }

  async next(): Promise<IteratorResult<T>> {
    const result = await this.source.next();
    if (result.done === true) return result;
    try {
      const admitted = this.admit(result.value);
      if (admitted !== undefined) await admitted;
      return result;
    } catch (error) {
      // How the source ends is of no interest any more, and may take any time.
      this.source.return?.().catch(() => {});
      throw error;
    }
  }

  return(value?: unknown): Promise<IteratorResult<T>> {
    return this.source.return?.(value) ?? Promise.resolve({ done: true, value });
  }

  throw(error?: unknown): Promise<IteratorResult<T>> {
    return this.source.throw?.(error) ?? Promise.reject(error);
  }
}
