import { Code, ConnectError } from "@connectrpc/connect";
import {
  isAsciiValue,
  isBinaryName,
  isBinaryValue,
  isHiddenName,
  isMetadataName,
  isReservedName,
  stripEdges,
} from "./metadata-field.ts";

/**
 * A header list as the HTTP/2 engine takes and gives it: name, value, name, value, … Names are in lower case, values hold one
 * byte per character.
 */
export type FieldList = string[];

/** Metadata as an application may give it: whatever `new Headers()` takes. */
export type MetadataInit = NonNullable<ConstructorParameters<typeof Headers>[0]>;

/** Told the name of each field of the application's that is not sent, and why. Meant for a debug log. */
export type OnDropped = (name: string, reason: "reserved" | "illegal") => void;

/**
 * Appends an application's metadata to a field list. Reserved names are left out and reported. The first name or value that
 * gRPC cannot carry ends the work and is returned as an error, with `fields` as they were before: dropping it silently would
 * lose data.
 *
 * The code is Internal, as in grpc-go: the call was made wrongly by the program itself, whatever its request says.
 */
export function appendMetadata(
  fields: FieldList,
  metadata: MetadataInit,
  onDropped?: OnDropped,
): ConnectError | undefined {
  const lengthBefore = fields.length;
  let failure: ConnectError | undefined;
  forEachField(metadata, (name, value) => {
    failure ??= appendField(fields, name, value, onDropped);
  });
  if (failure !== undefined) fields.length = lengthBefore;
  return failure;
}

/**
 * The same for trailers, where nothing may prevent the status from being sent: what gRPC cannot carry is left out and reported.
 */
export function appendTrailerMetadata(fields: FieldList, metadata: MetadataInit, onDropped?: OnDropped): void {
  forEachField(metadata, (name, value) => appendSendableField(fields, name, value, onDropped));
}

/**
 * Looks for a "-bin" field whose value is not base64. The caller fails that one call with the returned error and continues with
 * the connection: through a proxy it is shared with others.
 */
export function findMetadataError(fields: readonly string[]): ConnectError | undefined {
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    if (isBinaryName(name) && !isBinaryValue(fields[at + 1] as string)) {
      return new ConnectError(`value of ${name} is not base64`, Code.Internal);
    }
  }
  return undefined;
}

/**
 * What the application sees of received fields: every value, in order, without the fields that carry the call itself.
 * Binary values stay base64 text, as everywhere in Connect's API (`decodeBinaryHeader` reads them).
 *
 * Never fails. A value beyond printable ASCII, legal in HTTP but not in gRPC, is left out: so whatever an application sees,
 * it may send on. The same applies to a malformed binary value.
 */
export function metadataToHeaders(fields: readonly string[]): Headers {
  const headers = new Headers();
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    const value = fields[at + 1] as string;
    if (isHiddenName(name) || !isMetadataName(name) || !isAsciiValue(value)) continue;
    if (isBinaryName(name) && !isBinaryValue(value)) continue;
    headers.append(name, value);
  }
  return headers;
}

/** The same as a flat list, without the names that gRPC writes itself: whatever is here may be sent on as it is. */
export function receivedMetadata(fields: readonly string[]): FieldList {
  const metadata: FieldList = [];
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    const value = fields[at + 1] as string;
    if (isHiddenName(name) || isReservedName(name) || !isMetadataName(name) || !isAsciiValue(value)) continue;
    if (isBinaryName(name) && !isBinaryValue(value)) continue;
    metadata.push(name, value);
  }
  return metadata;
}

/** Appends one field of trailers. What gRPC writes itself or cannot carry is left out and reported. */
export function appendSendableField(fields: FieldList, name: string, value: string, onDropped?: OnDropped): void {
  if (appendField(fields, name, value, onDropped) !== undefined) onDropped?.(name, "illegal");
}

/** A flat list as the pairs that an application would give. */
export function fieldPairs(fields: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) pairs.push([fields[at] as string, fields[at + 1] as string]);
  return pairs;
}

/** What {@link metadataToHeaders} would have under a name (in lower case), without making it. */
export function findMetadata(fields: readonly string[], name: string): string | null {
  let found: string | null = null;
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at] !== name || isHiddenName(name) || !isMetadataName(name)) continue;
    const value = fields[at + 1] as string;
    if (!isAsciiValue(value) || (isBinaryName(name) && !isBinaryValue(value))) continue;
    // Optional whitespace around a value belongs to no one (RFC 9110 §5.5).
    const plain = stripEdges(value);
    found = found === null ? plain : `${found}, ${plain}`;
  }
  return found;
}

function appendField(
  fields: FieldList,
  givenName: string,
  givenValue: string,
  onDropped: OnDropped | undefined,
): ConnectError | undefined {
  const name = givenName.toLowerCase();
  if (isReservedName(name)) {
    onDropped?.(name, "reserved");
    return undefined;
  }
  if (!isMetadataName(name)) {
    return new ConnectError(
      `metadata name ${quote(name)} has characters other than digits, letters, "-", "_" and "."`,
      Code.Internal,
    );
  }
  const value = stripEdges(givenValue);
  if (isBinaryName(name) ? !isBinaryValue(value) : !isAsciiValue(value)) {
    // The value itself may be a secret, so only the name is reported.
    return new ConnectError(
      `metadata value of ${name} is not ${isBinaryName(name) ? "base64" : "printable ASCII"}`,
      Code.Internal,
    );
  }
  fields.push(name, value);
  return undefined;
}

/** Goes over metadata in each form that an application may use, without making a Headers object of it first. */
function forEachField(metadata: MetadataInit, visit: (name: string, value: string) => void): void {
  // Naming Headers loads what Node makes it of, which takes 20 ms: a short program may never need it.
  if (!(Symbol.iterator in metadata)) {
    for (const [name, value] of Object.entries(metadata)) visit(name, String(value));
  } else if (metadata instanceof Headers) {
    metadata.forEach((value, name) => {
      visit(name, value);
    });
  } else {
    for (const [name, value] of metadata) visit(String(name), String(value));
  }
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}
