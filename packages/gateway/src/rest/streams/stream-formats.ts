import type { JsonValue, Message } from "@bufbuild/protobuf";
import { Code, type ConnectError } from "@connectrpc/connect";
import { statusNames } from "@tercel/grpc/internal";

/** Writes a stream of messages as one response body. */
export interface StreamFormat {
  readonly contentType: string;
  readonly headFields: readonly string[];
  /** Text before the first message. */
  readonly opening: string;
  /** Returns the text of a message. */
  item(json: string, message: Message, index: number): string;
  /** Returns the text after the last message. Undefined: the format cannot express the error, so the response must be reset. */
  closing(error: ConnectError | undefined, errorJson: () => JsonValue, trailers: readonly string[]): string | undefined;
  /** Text sent while the stream is idle, so that proxies keep the connection open. Undefined for none. */
  readonly heartbeat: string | undefined;
}

/** One JSON object per line: `{"result":…}` for each message, and `{"error":…}` as the last line of a failed stream. */
export const ndjsonFormat: StreamFormat = {
  contentType: "application/x-ndjson",
  headFields: ["cache-control", "no-store"],
  opening: "",
  item: (json) => `{"result":${json}}\n`,
  closing: (error, errorJson) => (error === undefined ? "" : `${JSON.stringify(asError(errorJson()))}\n`),
  heartbeat: undefined,
};

/** A JSON array of the messages, sent incrementally. It cannot contain an error. */
export const arrayFormat: StreamFormat = {
  contentType: "application/json",
  headFields: ["cache-control", "no-store"],
  opening: "[",
  item: (json, _message, index) => (index === 0 ? json : `,${json}`),
  closing: (error) => (error === undefined ? "]\n" : undefined),
  heartbeat: undefined,
};

/** Id of the last event of a stream. An EventSource that reconnects with it gets status 204, so that it stops. */
export const endOfEventsId = "$end";

/** Codes after which a retry can succeed. */
const passingCodes: ReadonlySet<Code> = new Set([
  Code.Unavailable,
  Code.ResourceExhausted,
  Code.Aborted,
  Code.DeadlineExceeded,
  Code.Canceled,
]);

/** Server-sent events. The last event, `status`, contains the status of the call; browsers reconnect after an error that a retry can fix. */
export function createEventFormat(idOf: (message: Message) => string | undefined): StreamFormat {
  return {
    contentType: "text/event-stream",
    headFields: ["cache-control", "no-store, no-transform", "x-accel-buffering", "no"],
    opening: "",
    item(json, message) {
      const id = idOf(message);
      const isFit = id !== undefined && id !== "" && !/[\r\n\0]/.test(id);
      return `${isFit ? `id: ${id}\n` : ""}data: ${json}\n\n`;
    },
    closing(error, errorJson, trailers) {
      const status = {
        code: error === undefined ? 0 : error.code,
        status: error === undefined ? "OK" : (statusNames[error.code] ?? "UNKNOWN"),
        ...(error === undefined ? {} : asError(errorJson())),
        ...(trailers.length === 0 ? {} : { trailers: toObject(trailers) }),
      };
      const isDefinite = error === undefined || !passingCodes.has(error.code);
      return `event: status\n${isDefinite ? `id: ${endOfEventsId}\n` : ""}data: ${JSON.stringify(status)}\n\n`;
    },
    heartbeat: ": \n\n",
  };
}

/** Wraps an error body in `{"error":…}` unless it already has that form. */
export function asError(json: JsonValue): { readonly error: JsonValue } {
  const isWrapped = typeof json === "object" && json !== null && !Array.isArray(json) && "error" in json;
  return { error: isWrapped ? (json.error as JsonValue) : json };
}

function toObject(fields: readonly string[]): Record<string, string> {
  const entries: [string, string][] = [];
  for (let at = 0; at < fields.length; at += 2) entries.push([fields[at] as string, fields[at + 1] as string]);
  return Object.fromEntries(entries);
}
