/** A status line is shorter; a server that sends no line end is not waited for. */
const maxLineBytes = 256;

/** Of a protocol that is not known, this much is shown. */
const maxShownBytes = 32;

/** TLS records of an alert and of a handshake, which are what a TLS server sends first (RFC 8446 §5.1). */
const tlsRecordTypes: readonly (number | undefined)[] = [0x15, 0x16];

/**
 * Says what a server speaks that is not HTTP/2, by the first bytes that it sends. "http2" for bytes that may begin a frame: no first frame
 * is of 64 KiB, so its first byte is 0, and no text begins so. "more" while the line that says it is not complete.
 */
export function readGreeting(head: Uint8Array, hasEnded: boolean): "http2" | "more" | { readonly reason: string } {
  const [first, second] = head;
  if (first === 0 || first === undefined) return "http2";
  if (tlsRecordTypes.includes(first) && (second === 3 || second === undefined)) {
    return { reason: "the server responded with TLS: it does not accept cleartext on this port" };
  }
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, maxLineBytes)).toString("latin1");
  const lineEnd = text.search(/[\r\n]/);
  if (lineEnd === -1 && text.length < maxLineBytes && !hasEnded) return "more";
  const line = lineEnd === -1 ? text : text.slice(0, lineEnd);
  const version = /^HTTP\/1\.[0-9]/.exec(line)?.[0];
  if (version !== undefined) return { reason: `the server responded with ${version} (${printableAscii(line)})` };
  return { reason: `the server does not speak HTTP/2: it sent "${printableAscii(text.slice(0, maxShownBytes))}"` };
}

function printableAscii(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?");
}
