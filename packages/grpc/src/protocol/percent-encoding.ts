/**
 * Longest grpc-message that is sent, in bytes after encoding. Peers commonly cap all trailers at 8 KiB, so a longer text
 * would cost the status itself.
 */
export const maxEncodedMessageBytes = 4096;

/**
 * Encodes the text of an error for grpc-message: UTF-8, with %XX for bytes outside printable ASCII and for "%". A space at
 * either end is escaped too, because HTTP/2 field values must not begin or end with one (RFC 9113 section 8.2.1). What would
 * go beyond `maxEncodedMessageBytes` is left out, in whole characters.
 */
export function encodeGrpcMessage(text: string): string {
  return isPlain(text) ? text : encodeCharacters(text);
}

/** The first `maxBytes` of an encoded text or a little less, so that no character is cut in two and no space ends it. */
export function cutEncoded(encoded: string, maxBytes: number): string {
  let end = maxBytes;
  // An escape is three bytes long, a character up to four escapes; all but a character's first begin with %8 to %B.
  for (let back = 1; back <= 2; back++) if (encoded.charCodeAt(end - back) === percent) end -= back;
  while (end > 0 && /^%[89AB]/.test(encoded.slice(end, end + 2))) end -= 3;
  return encoded.slice(0, Math.max(0, end)).trimEnd();
}

/**
 * Decodes a received grpc-message. Never fails: an escape that is none stays as it is, and bytes that are not UTF-8 become
 * U+FFFD (gRPC over HTTP/2: an invalid value must not cost the message). `text` holds one byte per character.
 */
export function decodeGrpcMessage(text: string): string {
  let at = 0;
  while (at < text.length && text.charCodeAt(at) < 0x80 && text.charCodeAt(at) !== percent) at++;
  if (at === text.length) return text;

  const bytes = Buffer.allocUnsafe(text.length);
  let length = 0;
  for (at = 0; at < text.length; at++) {
    const byte = text.charCodeAt(at);
    if (byte === percent && at + 2 < text.length) {
      const high = hexValue(text.charCodeAt(at + 1));
      const low = hexValue(text.charCodeAt(at + 2));
      if (high >= 0 && low >= 0) {
        bytes[length++] = (high << 4) | low;
        at += 2;
        continue;
      }
    }
    bytes[length++] = byte;
  }
  return bytes.toString("utf8", 0, length);
}

const percent = 0x25;
const space = 0x20;
const hexDigits = "0123456789ABCDEF";

function isPlain(text: string): boolean {
  const length = text.length;
  if (length > maxEncodedMessageBytes) return false;
  for (let at = 0; at < length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x20 || unit > 0x7e || unit === percent) return false;
  }
  return length === 0 || (text.charCodeAt(0) !== space && text.charCodeAt(length - 1) !== space);
}

function encodeCharacters(text: string): string {
  let encoded = "";
  // Each character gives at least one byte, so what follows the cap cannot matter.
  for (const character of text.slice(0, maxEncodedMessageBytes)) {
    const next = encoded + encodeCharacter(character, encoded.length === 0);
    if (next.length > maxEncodedMessageBytes) break;
    encoded = next;
  }
  if (!encoded.endsWith(" ")) return encoded;
  // A trailing space grows by two bytes; where these do not fit it may as well go.
  const withoutSpace = encoded.slice(0, -1);
  return withoutSpace.length + 3 <= maxEncodedMessageBytes ? `${withoutSpace}%20` : withoutSpace.trimEnd();
}

function encodeCharacter(character: string, isFirst: boolean): string {
  const point = character.codePointAt(0) as number;
  if (point >= 0x20 && point <= 0x7e && point !== percent && !(isFirst && point === space)) return character;
  let escapes = "";
  // Half a surrogate pair becomes U+FFFD here.
  for (const byte of Buffer.from(character, "utf8")) {
    escapes += `%${hexDigits.charAt(byte >> 4)}${hexDigits.charAt(byte & 15)}`;
  }
  return escapes;
}

function hexValue(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
  const letter = unit | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
