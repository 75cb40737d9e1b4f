import { findHeader } from "../calls/read-fields.ts";
import type { Responder } from "../calls/responder.ts";
import { parseConnectContentType } from "../connect/connect-content-type.ts";
import { parseGrpcWebContentType } from "../grpc-web/serve-grpc-web.ts";

/** Whether a request comes from a client of gRPC-Web or Connect that calls a method. */
export function isCall(fields: readonly string[]): boolean {
  const contentType = findHeader(fields, "content-type") ?? "";
  if (parseGrpcWebContentType(contentType) !== undefined) return true;
  const isConnect = parseConnectContentType(contentType) !== undefined;
  return (
    isConnect && (findHeader(fields, "connect-protocol-version") !== undefined || /proto|connect/i.test(contentType))
  );
}

/** Clients of gRPC-Web and Connect read JSON as an error in Connect's form, and anything else by its HTTP status. */
export function refuseCall(responder: Responder, status: number, text: string, fields: readonly string[] = []): void {
  responder.send(status, ["content-type", "text/plain; charset=utf-8", ...fields], Buffer.from(`${text}\n`));
}
