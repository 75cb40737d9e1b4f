import { Code, ConnectError } from "@connectrpc/connect";
import { invalidArgument } from "@tercel/grpc/errors";
import { bodyTooLarge } from "../calls/body-collector.ts";
import { findCompression } from "../calls/choose-compression.ts";
import { findHeader } from "../calls/read-fields.ts";
import { isRawBody } from "../rules/http-body.ts";
import { withHttpStatus } from "../rules/http-status.ts";
import type { RestBinding } from "../rules/rest-binding.ts";
import type { RestParts } from "./rest-unary-response.ts";

/** Why a request is refused by its head alone. The error's metadata becomes headers. */
export function findHeadProblem(parts: RestParts): ConnectError | undefined {
  const { binding, responder, handler } = parts;
  const { fields, method } = responder.head;
  const kind = binding.method.methodKind;
  if (kind === "bidi_streaming") {
    const text = "the method streams both ways, which REST has no form for: call it over gRPC, gRPC-Web or Connect";
    return new ConnectError(text, Code.Unimplemented);
  }
  if (method === "HEAD" && kind !== "unary") {
    return refuse(405, "the method streams, and HEAD has no use for it", "allow", binding.httpMethod);
  }
  const length = findHeader(fields, "content-length");
  const isTooLarge = length !== undefined && Number(length) > handler.maxReceiveMessageBytes;
  if (isTooLarge && kind === "unary") return bodyTooLarge(handler.maxReceiveMessageBytes);
  const hasBody = findHeader(fields, "transfer-encoding") !== undefined || (length !== undefined && length !== "0");
  // Of a stream the first line must not be read before its type is known.
  return hasBody || (kind === "client_streaming" && length === undefined) ? findBodyProblem(parts) : undefined;
}

/** Why a request's body is refused, whatever it holds. The error's metadata becomes headers. */
export function findBodyProblem({ binding, responder, host }: RestParts): ConnectError | undefined {
  const { fields } = responder.head;
  if ("error" in findCompression(findHeader(fields, "content-encoding"), host.compressions)) {
    const names = host.compressions.map((one) => one.name).join(", ");
    return refuse(415, `the content-encoding has to be one of: identity, ${names}`, "accept-encoding", names);
  }
  const isTyped = binding.body === undefined || isRawBody(binding.method.input, binding.body);
  return isTyped ? undefined : findTypeProblem(binding, findHeader(fields, "content-type"));
}

/** A page of another origin can send a form without asking first, and a form is not JSON: so a body has to say that it is. */
function findTypeProblem(binding: RestBinding, contentType: string | undefined): ConnectError | undefined {
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
  return refuse(415, `${hint}; send ${expected.join(" or ")} in UTF-8`, "accept", expected.join(", "));
}

function acceptedTypes({ method, httpMethod }: RestBinding): string[] {
  if (method.methodKind === "client_streaming") return ["application/x-ndjson", "application/jsonl"];
  return httpMethod === "PATCH" ? ["application/json", "application/merge-patch+json"] : ["application/json"];
}

function refuse(status: number, text: string, header: string, value: string): ConnectError {
  const error = withHttpStatus(invalidArgument(text), status);
  error.metadata.set(header, value);
  return error;
}
