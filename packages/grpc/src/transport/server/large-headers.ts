import { Code, ConnectError } from "@connectrpc/connect";
import { parseContentType } from "../../protocol/content-type.ts";
import { fieldValue } from "../../protocol/find-field.ts";
import { appendStatusTrailers } from "../../protocol/trailers.ts";
import { findHandler, type PlanSettings } from "./request-plan.ts";

/**
 * The response to a request whose header list is over the limit: a status for gRPC's clients, which would make UNKNOWN of HTTP's 431, because the
 * mapping of statuses has no line for that. Undefined for any other client: HTTP's 431 (RFC 6585 §5).
 *
 * @param fields those before the first that did not fit
 */
export function respondToLargeHeaders(settings: PlanSettings, fields: readonly string[]): string[] | undefined {
  if (!isGrpc(settings, fields)) return undefined;
  const response = [":status", "200", "content-type", "application/grpc"];
  appendStatusTrailers(
    response,
    new ConnectError("the request's metadata is over the limit of this server", Code.ResourceExhausted),
  );
  return response;
}

/** Some clients send their metadata before the content-type, which did not fit then: the path of a method stands for it. */
function isGrpc(settings: PlanSettings, fields: readonly string[]): boolean {
  const contentType = fieldValue(fields, "content-type");
  if (contentType !== undefined) return parseContentType(contentType) !== undefined;
  const path = fieldValue(fields, ":path");
  return fieldValue(fields, ":method") === "POST" && path !== undefined && findHandler(settings, path) !== undefined;
}
