import { Code, ConnectError } from "@connectrpc/connect";
import { parseTimeout } from "@tercel/grpc/protocols";
import { findHeader, shortest } from "./read-fields.ts";

/** The time that a client gives its call. */
export interface RequestedTimeout {
  /** Undefined for a client that names none, and where the header cannot be read. */
  readonly timeoutMs: number | undefined;
  /** What is wrong with the header. */
  readonly error?: ConnectError;
}

type TimeoutHeader = "connect-timeout-ms" | "grpc-timeout" | "x-server-timeout";

interface TimeoutForm {
  readonly expected: string;
  /** Milliseconds; undefined for what is not of this form. */
  parse(text: string): number | undefined;
}

const forms: Readonly<Record<TimeoutHeader, TimeoutForm>> = {
  "connect-timeout-ms": {
    expected: "one to ten digits",
    parse: (text) => (/^[0-9]{1,10}$/.test(text) ? Number(text) : undefined),
  },
  "grpc-timeout": { expected: "one to eight digits and one of H M S m u n", parse: parseGrpcTimeout },
  "x-server-timeout": {
    expected: "seconds, such as 1.5",
    // Programs write as many digits as a floating-point number has.
    parse: (text) => (/^[0-9]{1,9}(\.[0-9]{1,20})?$/.test(text) ? Number(text) * 1000 : undefined),
  },
};

function parseGrpcTimeout(text: string): number | undefined {
  const parsed = parseTimeout(text);
  return "timeoutMs" in parsed ? parsed.timeoutMs : undefined;
}

/** Reads one of the headers. One without a value counts as none. */
export function readTimeout(fields: readonly string[], name: TimeoutHeader): RequestedTimeout {
  const text = findHeader(fields, name) ?? "";
  if (text === "") return { timeoutMs: undefined };
  const { expected, parse } = forms[name];
  const timeoutMs = parse(text);
  if (timeoutMs !== undefined) return { timeoutMs };
  const problem = `invalid ${name} ${JSON.stringify(text.slice(0, 32))}: expected ${expected}`;
  return { timeoutMs: undefined, error: new ConnectError(problem, Code.InvalidArgument) };
}

/**
 * The shortest timeout that a client names by any of the headers there are for it. A client whose header cannot be read means some deadline: its call is
 * refused, and does not run for as long as it may.
 */
export function shortestTimeout(fields: readonly string[]): RequestedTimeout {
  let timeoutMs: number | undefined;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    if (!isTimeoutHeader(name)) continue;
    const found = readTimeout(fields, name);
    if (found.error !== undefined) return found;
    timeoutMs = shortest(timeoutMs, found.timeoutMs);
  }
  return { timeoutMs };
}

function isTimeoutHeader(name: string): name is TimeoutHeader {
  return Object.hasOwn(forms, name);
}
