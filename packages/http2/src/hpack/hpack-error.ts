/**
 * The peer's header block cannot be decoded. The table is out of step from here on, so the connection has to end with
 * COMPRESSION_ERROR (RFC 9113 §4.3); the decoder that threw must not be used again.
 */
export class HpackError extends Error {
  override readonly name = "HpackError";
}
