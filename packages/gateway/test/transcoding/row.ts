import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** A request, and what the gateway answers. */
export interface Row {
  /** Says which row it is. */
  readonly name: string;
  readonly method: string;
  /** With the query, as it is sent. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
  readonly response: Expected;
}

export interface Expected {
  readonly status: number;
  /** Of a response that succeeded: its JSON. */
  readonly json?: JsonValue;
  /** Of a response that succeeded and is not JSON: its bytes, as Latin-1. */
  readonly text?: string;
  /** Headers that it has, in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a call that failed in its handler. */
  readonly error?: { readonly code: number; readonly message: string };
}

/** What a request has besides its target. */
export interface Sent {
  /** A body of JSON. */
  readonly json?: JsonValue;
  /** A body as it is, with `type` as its content-type. */
  readonly raw?: string | Uint8Array;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that reaches the method `called`, which returns these fields. */
export function ok(request: string, called: string, fields: JsonObject = {}, sent: Sent = {}): Row {
  return row(request, sent, { status: 200, json: { method: called, ...fields } });
}

/** A request that reaches no handler. */
export function refused(request: string, status: number, sent: Sent = {}): Row {
  return row(request, sent, { status });
}

export function row(request: string, { json, raw, type, headers = {} }: Sent, response: Expected): Row {
  const [method = "", target = ""] = request.split(" ");
  const body = json === undefined ? raw : JSON.stringify(json);
  const contentType = json === undefined ? type : (type ?? "application/json");
  const details = [
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(contentType === undefined || contentType === "application/json" ? [] : [contentType]),
    ...(body === undefined ? [] : [typeof body === "string" ? body : `${body.length} bytes`]),
  ];
  return {
    ...{ name: [request, ...details].join(" | "), method, target, response },
    headers: { ...headers, ...(contentType !== undefined && { "content-type": contentType }) },
    body: typeof body === "string" ? Buffer.from(body) : body,
  };
}
