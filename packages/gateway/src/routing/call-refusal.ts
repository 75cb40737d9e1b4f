import { findHeader } from "../calls/read-fields.ts";
import type { Responder } from "../calls/responder.ts";
import { parseConnectContentType } from "../connect/connect-content-type.ts";
import { parseGrpcWebContentType } from "../grpc-web/serve-grpc-web.ts";

/** Whether a request is a call of a gRPC-Web or Connect client, by its headers. */
export function isCall(fields: readonly string[]): boolean {
  const contentType = findHeader(fields, "content-type") ?? "";
  if (parseGrpcWebContentType(contentType) !== undefined) return true;
  const isConnect = parseConnectContentType(contentType) !== undefined;
  return (
    isConnect && (findHeader(fields, "connect-protocol-version") !== undefined || /proto|connect/i.test(contentType))
  );
}

/** Responds with plain text: gRPC-Web and Connect clients would read JSON as a Connect error, and use the HTTP status for other types. */
export function refuseCall(responder: Responder, status: number, text: string, fields: readonly string[] = []): void {
  responder.send(status, ["content-type", "text/plain; charset=utf-8", ...fields], Buffer.from(`${text}\n`));
}
