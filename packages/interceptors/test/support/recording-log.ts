export interface LoggedFields {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** A destination for logs that records the lines, and reports new ones. */
export interface RecordedLines {
  readonly destination: { write(line: string): void };
  readonly raw: readonly string[];
  readonly lines: readonly LoggedFields[];
  /** Resolves when this many lines have been written. */
  reached(count: number): Promise<void>;
}

/** For the log's options. */
export function to(recorded: RecordedLines): { readonly destination: RecordedLines["destination"] } {
  return { destination: recorded.destination };
}

export function recordLines(): RecordedLines {
  const raw: string[] = [];
  const lines: LoggedFields[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  return {
    raw,
    lines,
    destination: {
      write(line) {
        raw.push(line);
        lines.push(JSON.parse(line) as LoggedFields);
        for (const one of waiting) if (lines.length >= one.count) one.resolve();
      },
    },
    reached(count) {
      if (lines.length >= count) return Promise.resolve();
      return new Promise((resolve) => waiting.push({ count, resolve }));
    },
  };
}
