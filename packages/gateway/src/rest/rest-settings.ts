import type { DescMethod, JsonValue, Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { Compression, HttpRequestHead } from "@tercel/grpc/protocols";
import type { UnknownQuery } from "../rules/bind-query.ts";
import type { WebSockets } from "../websocket/message-socket.ts";
import type { JsonHeads } from "./json-heads.ts";

/** The form of an error's body over REST, or a function that makes it. */
export type ErrorBody = "aip" | "status" | ((error: ConnectError, httpStatus: number) => JsonValue);

/** What of a REST API is not in its rules. */
export interface RestSettings {
  readonly unknownQuery: UnknownQuery;
  readonly errorBody: ErrorBody;
  /** The domain of the ErrorInfo of this package's own errors. */
  readonly errorDomain: string;
  /** What a server stream is without a preference of the client. */
  readonly defaultStream: "ndjson" | "array";
  /** The id of a server-sent event; undefined for none. */
  idOf(message: Message): string | undefined;
  /** The status of a success; 200 unless the method has another. */
  successStatusOf(method: DescMethod): number;
  /** How ETags are made: of the response's field `etag`, or of its bytes where it has none. */
  readonly etag: "field" | "body";
  /** For a unary call whose client names none. */
  readonly defaultTimeoutMs: number;
  /** Codings of bodies, those that are preferred first. */
  readonly compressions: readonly Compression[];
  readonly jsonHeads: JsonHeads;
  /** Streams may be called over WebSockets. */
  readonly webSockets: WebSockets | undefined;
  /** Whether a request comes from a web page that may not call. */
  isForeign(head: HttpRequestHead): boolean;
}
