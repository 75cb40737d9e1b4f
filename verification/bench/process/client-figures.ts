/** A client's report of its measured seconds. */
export interface ClientFigures {
  /** Calls or messages. */
  done: number;
  seconds: number;
  /** CPU time of the client's process. */
  cpuMicros: number;
}

/** Parses the last line of a client. Throws if it has no comparable figure. */
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
