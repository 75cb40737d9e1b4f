/** Longest name that is looked at. HTTP/2 peers cap the whole header list at a few KiB. */
const maxNameBytes = 1024;

/**
 * Names that gRPC or HTTP/2 writes itself. An application that sets them would contradict the transport, so they are not sent.
 * The connection-specific ones are malformed in HTTP/2 (RFC 9113 section 8.2.2).
 */
const reservedNames: ReadonlySet<string> = new Set([
  "te",
  "content-type",
  "content-length",
  "user-agent",
  "host",
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Names under "grpc-" that are metadata all the same: retry pushback and the attempt count (gRFC A6) are set above the
 * transport, the other two by tracing interceptors.
 */
const sendableGrpcNames: ReadonlySet<string> = new Set([
  "grpc-retry-pushback-ms",
  "grpc-previous-rpc-attempts",
  "grpc-trace-bin",
  "grpc-tags-bin",
]);

/** Received fields that carry the call itself. They are over once the transport has read them. */
const hiddenNames: ReadonlySet<string> = new Set([
  "te",
  "grpc-status",
  "grpc-message",
  "grpc-status-details-bin",
  "grpc-encoding",
  "grpc-accept-encoding",
  "grpc-timeout",
]);

/** Whether an application may not send a field of this name. `name` is in lower case. */
export function isReservedName(name: string): boolean {
  return reservedNames.has(name) || name.startsWith(":") || (name.startsWith("grpc-") && !sendableGrpcNames.has(name));
}

/**
 * Whether a received field stays out of the application's sight: pseudo-headers and what belongs to the call's own protocol.
 * `content-type` and `user-agent` stay visible, because handlers log them and choose by them. (Connect's own transports show
 * the protocol's fields as well; hiding them lets a handler copy request metadata into its answer.)
 */
export function isHiddenName(name: string): boolean {
  return name.charCodeAt(0) === 0x3a || hiddenNames.has(name);
}

/** Whether `name` is a Header-Name of gRPC over HTTP/2: digits, lower-case letters, "_", "-" and ".", at least one. */
export function isMetadataName(name: string): boolean {
  if (name.length === 0 || name.length > maxNameBytes) return false;
  for (let at = 0; at < name.length; at++) {
    const unit = name.charCodeAt(at);
    const isAllowed =
      (unit >= 0x61 && unit <= 0x7a) ||
      (unit >= 0x30 && unit <= 0x39) ||
      unit === 0x2d ||
      unit === 0x2e ||
      unit === 0x5f;
    if (!isAllowed) return false;
  }
  return true;
}

/** Whether the values of this field are bytes in base64. */
export function isBinaryName(name: string): boolean {
  return name.endsWith("-bin");
}

const beyondAscii = /[^\x20-\x7e]/;

/** Whether `value` is an ASCII-Value of gRPC over HTTP/2: space and printable ASCII, so never CR, LF or NUL. */
export function isAsciiValue(value: string): boolean {
  // Tokens are hundreds of characters long; there the regular expression takes a third of the loop's time.
  return !beyondAscii.test(value);
}

/** Takes spaces and tabs off both ends: they are not part of an HTTP/2 field value (RFC 9113 section 8.2.1). */
export function stripEdges(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value.charCodeAt(start))) start++;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--;
  return end - start === value.length ? value : value.slice(start, end);
}

/**
 * Whether `value` is a list of base64 values, separated by commas, each padded or not (RFC 4648 section 4). Node decodes
 * whatever it is given, the URL alphabet included, so the alphabet is checked here. An empty value gives zero bytes.
 */
export function isBinaryValue(value: string): boolean {
  let start = 0;
  while (start <= value.length) {
    let comma = value.indexOf(",", start);
    if (comma < 0) comma = value.length;
    if (!isBase64(value, start, comma)) return false;
    start = comma + 1;
  }
  return true;
}

/** The bytes of one base64 value that `isBinaryValue` accepted. */
export function decodeBinaryValue(value: string): Buffer {
  return Buffer.from(value, "base64");
}

/** Base64 without padding, as gRPC over HTTP/2 recommends for sending. */
export function encodeBinaryValue(bytes: Uint8Array): string {
  const padded = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  const padding = padded.endsWith("==") ? 2 : padded.endsWith("=") ? 1 : 0;
  return padding === 0 ? padded : padded.slice(0, -padding);
}

function isBlank(unit: number): boolean {
  return unit === 0x20 || unit === 0x09;
}

function isBase64(value: string, start: number, end: number): boolean {
  while (start < end && isBlank(value.charCodeAt(start))) start++;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--;

  let digitsEnd = end;
  while (digitsEnd > start && end - digitsEnd < 2 && value.charCodeAt(digitsEnd - 1) === 0x3d) digitsEnd--;
  // Padding, where there is any, has to complete the last group of four.
  if (digitsEnd < end && (end - start) % 4 !== 0) return false;
  // One digit alone holds six bits, less than a byte.
  if ((digitsEnd - start) % 4 === 1) return false;

  for (let at = start; at < digitsEnd; at++) {
    const unit = value.charCodeAt(at);
    const isDigit =
      (unit >= 0x61 && unit <= 0x7a) ||
      (unit >= 0x41 && unit <= 0x5a) ||
      (unit >= 0x30 && unit <= 0x39) ||
      unit === 0x2b ||
      unit === 0x2f;
    if (!isDigit) return false;
  }
  return true;
}
