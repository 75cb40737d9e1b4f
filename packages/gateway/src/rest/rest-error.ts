import type { JsonValue } from "@bufbuild/protobuf";
import { Code, type ConnectError } from "@connectrpc/connect";
import { readRetryAfterMs } from "@tercel/grpc/errors";
import type { GatewayHost } from "@tercel/grpc/protocols";
import type { Responder } from "../calls/responder.ts";
import { errorFields } from "../calls/response-metadata.ts";
import { aipErrorBody, statusErrorBody } from "../rules/error-body.ts";
import { httpStatusOfError } from "../rules/http-status.ts";
import type { RestSettings } from "./rest-settings.ts";

/** The JSON of an error's body. */
export function restErrorJson(
  error: ConnectError,
  host: GatewayHost,
  settings: RestSettings,
  status: number,
): JsonValue {
  const { errorBody, errorDomain } = settings;
  const types = { registry: host.registry, errorDomain };
  if (errorBody === "aip") return aipErrorBody(error, types, status);
  return errorBody === "status" ? statusErrorBody(error, types) : errorBody(error, status);
}

/** The whole response of a call, or of a request without one, that failed. */
export function sendRestError(
  responder: Responder,
  error: ConnectError,
  { host, settings }: { readonly host: GatewayHost; readonly settings: RestSettings },
  more: { readonly status?: number | undefined; readonly fields?: readonly string[] } = {},
): void {
  const status = more.status ?? httpStatusOfError(error);
  const fields = ["content-type", "application/json", "cache-control", "no-store", ...(more.fields ?? [])];
  const ownFields = errorFields(error).filter((_, at, all) => all[at - (at % 2)] !== "cache-control");
  fields.push(...ownFields);
  const retryAfterMs = status === 429 || status === 503 ? readRetryAfterMs(error) : undefined;
  // Rounded up: a client that comes back a little early is refused again.
  if (retryAfterMs !== undefined) fields.push("retry-after", String(Math.ceil(retryAfterMs / 1000)));
  if (error.code === Code.Unauthenticated && !fields.includes("www-authenticate"))
    fields.push("www-authenticate", "Bearer");
  const json = restErrorJson(error, host, settings, status);
  responder.send(status, fields, Buffer.from(`${JSON.stringify(json)}\n`));
}
