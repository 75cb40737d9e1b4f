/** Text that comes line by line, and can be waited for. */
export class LineLog {
  #text = "";
  readonly #waiting = new Set<{ readonly pattern: RegExp; resolve(line: string): void }>();

  get text(): string {
    return this.#text;
  }

  add(text: string): void {
    this.#text += text;
    for (const waiter of this.#waiting) {
      const line = this.#find(waiter.pattern);
      if (line === undefined) continue;
      this.#waiting.delete(waiter);
      waiter.resolve(line);
    }
  }

  /** Resolves to the first whole line that matches, which may have come already. */
  waitFor(pattern: RegExp): Promise<string> {
    const line = this.#find(pattern);
    if (line !== undefined) return Promise.resolve(line);
    return new Promise((resolve) => this.#waiting.add({ pattern, resolve }));
  }

  #find(pattern: RegExp): string | undefined {
    return this.#text
      .split("\n")
      .slice(0, -1)
      .find((line) => pattern.test(line));
  }
}
