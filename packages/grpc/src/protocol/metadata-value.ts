const beyondAscii = /[^\x20-\x7e]/;

/** Whether `value` is an ASCII-Value of gRPC over HTTP/2: space and printable ASCII, so never CR, LF or NUL. */
export function isAsciiValue(value: string): boolean {
  // Tokens are hundreds of characters long; there the regular expression takes a third of the loop's time.
  return !beyondAscii.test(value);
}

/** Takes spaces and tabs off both ends: they are no part of an HTTP/2 field value (RFC 9113 section 8.2.1). */
export function stripEdges(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value.charCodeAt(start))) start++;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--;
  return end - start === value.length ? value : value.slice(start, end);
}

/**
 * Whether `value` is a list of base64 values, separated by commas, each padded or not (RFC 4648 section 4). Node decodes
 * whatever it is given, the URL alphabet included, so the alphabet is checked here. An empty value is no bytes.
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
  // One digit alone holds six bits, which is no byte.
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
