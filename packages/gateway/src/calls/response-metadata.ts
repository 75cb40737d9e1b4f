import type { ConnectError } from "@connectrpc/connect";
import { appendMetadata, appendTrailerMetadata, type GatewayHost, type ResponseMetadata } from "@tercel/grpc/protocols";

/** Whether a header is written by this package, or describes the body, which handlers do not see. */
function isOfProtocol(name: string): boolean {
  return (
    name.startsWith("content-") ||
    name.startsWith("connect-") ||
    name.startsWith("access-control-") ||
    protocolNames.has(name)
  );
}

const protocolNames: ReadonlySet<string> = new Set(["trailer", "te", "x-content-type-options", "date"]);
/** The headers among these that a REST response may set. */
const restNames: ReadonlySet<string> = new Set(["content-disposition", "content-language", "content-location"]);

const noFields: readonly string[] = [];

/** Returns the headers that a handler has set: name, value, name, value, … Those of the protocol itself, and invalid ones, are left out. */
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

/** Returns the trailers that a handler has set, and those of the error. */
export function trailerFields(metadata: ResponseMetadata | undefined, error?: ConnectError): readonly string[] {
  if (metadata?.givenTrailer === undefined && error === undefined) return noFields;
  const fields: string[] = [];
  if (metadata?.givenTrailer !== undefined) appendTrailerMetadata(fields, metadata.givenTrailer);
  if (error !== undefined) fields.push(...errorFields(error));
  return withoutProtocolFields(fields, false);
}

/** Returns the metadata of an error. Metadata of an error that another call has received is not passed on (Connect's rule). */
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
