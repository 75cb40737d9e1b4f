import type { JsonValue, Message } from "@bufbuild/protobuf";
import { Code, type ConnectError } from "@connectrpc/connect";
import { statusNames } from "@tercel/grpc/internal";

/** How a stream of messages is written as one body. */
export interface StreamFormat {
  readonly contentType: string;
  readonly headFields: readonly string[];
  /** Before the first message. */
  readonly opening: string;
  /** A message whose JSON is given. */
  item(json: string, message: Message, index: number): string;
  /** After the last message. Undefined: the response has to be cut off, or it would look complete. */
  closing(error: ConnectError | undefined, errorJson: () => JsonValue, trailers: readonly string[]): string | undefined;
  /** What is sent when nothing else is, so that proxies keep the connection. Undefined for none. */
  readonly heartbeat: string | undefined;
}

/** Lines of JSON: `{"result":…}`, and `{"error":…}` as the last one of a stream that failed. */
export const ndjsonFormat: StreamFormat = {
  contentType: "application/x-ndjson",
  headFields: ["cache-control", "no-store"],
  opening: "",
  item: (json) => `{"result":${json}}\n`,
  closing: (error, errorJson) => (error === undefined ? "" : `${JSON.stringify(asError(errorJson()))}\n`),
  heartbeat: undefined,
};

/** A JSON array that is sent as it grows. There is no place in it for an error. */
export const arrayFormat: StreamFormat = {
  contentType: "application/json",
  headFields: ["cache-control", "no-store"],
  opening: "[",
  item: (json, _message, index) => (index === 0 ? json : `,${json}`),
  closing: (error) => (error === undefined ? "]\n" : undefined),
  heartbeat: undefined,
};

/** An EventSource that sends this as its last id has seen the end of the stream: it is told to stop. */
export const endOfEventsId = "$end";

/** After these a client does well to try again; the others say that it would see the same again. */
const passingCodes: ReadonlySet<Code> = new Set([
  Code.Unavailable,
  Code.ResourceExhausted,
  Code.Aborted,
  Code.DeadlineExceeded,
  Code.Canceled,
]);

/** Server-sent events. The last one, `status`, says how the stream ended; browsers reconnect after one that may pass. */
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

/** As the field of a line or event, whatever form the errors have. */
export function asError(json: JsonValue): { readonly error: JsonValue } {
  const isWrapped = typeof json === "object" && json !== null && !Array.isArray(json) && "error" in json;
  return { error: isWrapped ? (json.error as JsonValue) : json };
}

function toObject(fields: readonly string[]): Record<string, string> {
  const entries: [string, string][] = [];
  for (let at = 0; at < fields.length; at += 2) entries.push([fields[at] as string, fields[at + 1] as string]);
  return Object.fromEntries(entries);
}
