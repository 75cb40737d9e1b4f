import { Code, ConnectError } from "@connectrpc/connect";
import type { HttpRequestHead } from "@tercel/grpc/protocols";
import { findCompression } from "../calls/choose-compression.ts";
import { findHeader } from "../calls/read-fields.ts";
import { bodyTooLarge } from "../calls/requests/body-collector.ts";
import { isRawBody } from "../rules/http-body.ts";
import { withHttpStatus } from "../rules/http-status.ts";
import { type ProblemReason, requestProblem } from "../rules/request-problem.ts";
import type { RestBinding } from "../rules/rest-binding.ts";
import type { RestRoute } from "./rest-route.ts";

/** Why a request is refused by its head alone. The error's metadata becomes headers. */
export function findHeadProblem(route: RestRoute, head: HttpRequestHead): ConnectError | undefined {
  const { binding, handler, settings } = route;
  const { fields, method } = head;
  const kind = binding.method.methodKind;
  if (kind === "bidi_streaming") {
    const others = "gRPC, gRPC-Web or Connect";
    const ways = settings.webSockets === undefined ? others : `a WebSocket, ${others}`;
    const text = `the method streams both ways, which REST has no form for: call it over ${ways}`;
    const error = new ConnectError(text, Code.Unimplemented);
    return settings.webSockets === undefined ? error : withHttpStatus(error, 426);
  }
  if (method === "HEAD" && kind !== "unary") {
    const text = "the method streams, and HEAD has no use for it";
    return refuse("METHOD_NOT_ALLOWED", 405, text, { allow: binding.httpMethod });
  }
  const length = findHeader(fields, "content-length");
  const isTooLarge = length !== undefined && Number(length) > handler.maxReceiveMessageBytes;
  if (isTooLarge && kind === "unary") return bodyTooLarge(handler.maxReceiveMessageBytes);
  const hasBody = findHeader(fields, "transfer-encoding") !== undefined || (length !== undefined && length !== "0");
  // Of a stream the first line must not be read before its type is known.
  return hasBody || (kind === "client_streaming" && length === undefined) ? findBodyProblem(route, head) : undefined;
}

/** Why a request's body is refused, whatever it holds. The error's metadata becomes headers. */
export function findBodyProblem({ binding, settings }: RestRoute, head: HttpRequestHead): ConnectError | undefined {
  const { compressions } = settings;
  if ("error" in findCompression(findHeader(head.fields, "content-encoding"), compressions)) {
    const names = compressions.map((one) => one.name).join(", ");
    const text = `the content-encoding has to be one of: identity, ${names}`;
    return refuse("UNSUPPORTED_MEDIA_TYPE", 415, text, { "accept-encoding": names });
  }
  if (binding.body === undefined || isRawBody(binding.method.input, binding.body)) return undefined;
  const problem = findTypeProblem(binding, findHeader(head.fields, "content-type"));
  if (problem !== undefined || !isMultipart(head.fields) || !settings.isForeign(head)) return problem;
  return new ConnectError("pages of this origin may not send forms here", Code.PermissionDenied);
}

/** The body is the parts of a form. */
export function isMultipart(fields: readonly string[]): boolean {
  return /^multipart\/form-data(?:;|$)/i.test(findHeader(fields, "content-type") ?? "");
}

/**
 * A page of another origin can send a form without asking first, and a form is not JSON: so a body has to say that it is. Multipart forms are
 * judged by their origin instead.
 */
function findTypeProblem(binding: RestBinding, contentType: string | undefined): ConnectError | undefined {
  if (contentType === "application/json" && binding.method.methodKind !== "client_streaming") return undefined;
  const expected = acceptedTypes(binding);
  const [type = "", ...parameters] = (contentType ?? "")
    .toLowerCase()
    .split(";")
    .map((one) => one.trim());
  const charset = parameters.find((one) => one.startsWith("charset="));
  const isUtf8 = charset === undefined || /^charset="?utf-?8"?$/.test(charset);
  if (expected.includes(type) && isUtf8) return undefined;
  const hint =
    contentType === undefined ? "the request has a body without a content-type" : "the content-type is not supported";
  const text = `${hint}; send ${expected.join(" or ")} in UTF-8`;
  return refuse("UNSUPPORTED_MEDIA_TYPE", 415, text, { accept: expected.join(", ") });
}

function acceptedTypes({ method, httpMethod, body }: RestBinding): string[] {
  if (method.methodKind === "client_streaming") return ["application/x-ndjson", "application/jsonl"];
  if (httpMethod === "PATCH") return ["application/json", "application/merge-patch+json"];
  const takesParts = body === "*" || body?.fieldKind === "message";
  return takesParts ? ["application/json", "multipart/form-data"] : ["application/json"];
}

function refuse(
  reason: ProblemReason,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>>,
): ConnectError {
  const error = withHttpStatus(requestProblem(reason, [], text), status);
  for (const [name, value] of Object.entries(headers)) error.metadata.set(name, value);
  return error;
}
