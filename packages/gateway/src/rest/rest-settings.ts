import type { DescMethod, JsonValue, Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { Compression, HttpRequestHead } from "@tercel/grpc/protocols";
import type { UnknownQuery } from "../rules/bind-query.ts";
import type { WebSockets } from "../websocket/message-socket.ts";
import type { JsonHeads } from "./json-heads.ts";

/** The format of error bodies over REST, or a function that builds them. */
export type ErrorBody = "aip" | "status" | ((error: ConnectError, httpStatus: number) => JsonValue);

/** Settings of the REST API besides its HTTP rules. */
export interface RestSettings {
  readonly unknownQuery: UnknownQuery;
  readonly errorBody: ErrorBody;
  /** `ErrorInfo.domain` of the errors that this package creates. */
  readonly errorDomain: string;
  /** Format of a server stream when the client has no preference. */
  readonly defaultStream: "ndjson" | "array";
  /** Returns the id of a server-sent event; undefined for none. */
  idOf(message: Message): string | undefined;
  /** The HTTP status of a successful response: 200 unless the method sets another. */
  successStatusOf(method: DescMethod): number;
  /** Source of ETags. "field": the response's field `etag`. "body": that field, or else a hash of the response body. */
  readonly etag: "field" | "body";
  /** Timeout of a unary call when the client sends none. */
  readonly defaultTimeoutMs: number;
  /** Content codings of bodies, in order of preference. */
  readonly compressions: readonly Compression[];
  readonly jsonHeads: JsonHeads;
  /** Undefined: streaming methods cannot be called over WebSockets. */
  readonly webSockets: WebSockets | undefined;
  /** Whether a request comes from a web page of an origin that is not allowed. */
  isForeign(head: HttpRequestHead): boolean;
}
