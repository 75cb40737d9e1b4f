import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** A request and the response of the gateway. */
export interface Row {
  /** A unique name. */
  readonly name: string;
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
  readonly response: Expected;
}

export interface Expected {
  readonly status: number;
  /** The JSON of a successful response. */
  readonly json?: JsonValue;
  /** The bytes, as Latin-1, of a successful response that is not JSON. */
  readonly text?: string;
  /** Expected headers, in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The error of the handler. */
  readonly error?: { readonly code: number; readonly message: string };
}

/** The parts of a request besides its target. */
export interface Sent {
  /** A JSON body. */
  readonly json?: JsonValue;
  /** A raw body with the content type `type`. */
  readonly raw?: string | Uint8Array;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that reaches the method `called`, whose handler returns these fields. */
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
