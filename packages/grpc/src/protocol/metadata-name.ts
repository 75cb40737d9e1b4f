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
