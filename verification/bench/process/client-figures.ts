/** What a client reports of its measured seconds. */
export interface ClientFigures {
  /** Calls or messages. */
  done: number;
  seconds: number;
  /** CPU time of the client's own process. */
  cpuMicros: number;
}

/** Reads the last line of a client. Throws when it is not a figure that can be compared. */
export function parseClientFigures(line: string): ClientFigures {
  const fields: unknown = parseJson(line);
  if (typeof fields === "object" && fields !== null) {
    const { calls, messages, seconds, cpuMicros } = fields as Record<string, unknown>;
    const done = calls ?? messages;
    if (isPositive(done) && isPositive(seconds) && isPositive(cpuMicros)) return { done, seconds, cpuMicros };
  }
  throw new Error(`the client reported no figures but "${line}"`);
}

function isPositive(value: unknown): value is number {
  return typeof value === "number" && value > 0 && Number.isFinite(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
