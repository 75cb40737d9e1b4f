import type { ConnectError } from "@connectrpc/connect";
import { appendMetadata, appendTrailerMetadata, type GatewayHost, type ResponseMetadata } from "@tercel/grpc/protocols";

/** Headers that this package writes itself, or that describe a body which a handler does not see. */
function isOfProtocol(name: string): boolean {
  return (
    name.startsWith("content-") ||
    name.startsWith("connect-") ||
    name.startsWith("access-control-") ||
    protocolNames.has(name)
  );
}

const protocolNames: ReadonlySet<string> = new Set(["trailer", "te", "x-content-type-options", "date"]);
/** What of these a REST response may set. */
const restNames: ReadonlySet<string> = new Set(["content-disposition", "content-language", "content-location"]);

const noFields: readonly string[] = [];

/** The headers that a handler has set: name, value, name, value, … What the protocol writes itself, or cannot carry, is left out. */
export function headerFields(
  host: GatewayHost,
  metadata: ResponseMetadata | undefined,
  isRest = false,
): readonly string[] {
  if (metadata?.hasResponseHeader !== true) return noFields;
  const fields: string[] = [...(metadata.plainHeader ?? [])];
  if (metadata.givenHeader !== undefined) {
    const error = appendMetadata(fields, metadata.givenHeader);
    if (error !== undefined) host.log.warn("response metadata was left out", { error });
  }
  return withoutProtocolFields(fields, isRest);
}

/** The trailers that a handler has set, and those of the error. */
export function trailerFields(metadata: ResponseMetadata | undefined, error?: ConnectError): readonly string[] {
  if (metadata?.givenTrailer === undefined && error === undefined) return noFields;
  const fields: string[] = [];
  if (metadata?.givenTrailer !== undefined) appendTrailerMetadata(fields, metadata.givenTrailer);
  if (error !== undefined) fields.push(...errorFields(error));
  return withoutProtocolFields(fields, false);
}

/** The metadata of an error. That of an error which another call ended with stays with that call (Connect's rule). */
export function errorFields(error: ConnectError): string[] {
  const fields: string[] = [];
  if (!error.isWireError) appendTrailerMetadata(fields, error.metadata);
  return withoutProtocolFields(fields, false);
}

function withoutProtocolFields(fields: string[], isRest: boolean): string[] {
  const kept: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    if (isOfProtocol(name) && !(isRest && restNames.has(name))) continue;
    kept.push(name, fields[at + 1] as string);
  }
  return kept;
}
