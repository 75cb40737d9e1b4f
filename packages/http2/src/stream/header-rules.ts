/**
 * What a header field may look like (RFC 9113 §8.2). Each function returns what is wrong, or undefined.
 * Strings hold one byte per character.
 */

/** RFC 9110 §5.6.2 token characters without the capitals, which HTTP/2 forbids in names. */
const nameBytes = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") nameBytes[char.charCodeAt(0)] = 1;

/** Fields that belong to one HTTP/1.1 hop (§8.2.2). */
const connectionFields = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]);

export function fieldError(name: string, value: string): string | undefined {
  if (name.length === 0) return "empty field name";
  for (let i = 0; i < name.length; i++) {
    if (nameBytes[name.charCodeAt(i)] !== 1) return "a field name has a character that names may not have";
  }
  if (connectionFields.has(name)) return `the field ${name} belongs to HTTP/1.1`;
  if (name === "te" && value !== "trailers") return 'the field te is not "trailers"';
  return valueError(value);
}

/** No NUL, CR or LF (they could end a field for an HTTP/1.1 hop after us), no white space at the edges (§8.2.1). */
export function valueError(value: string): string | undefined {
  const { length } = value;
  if (length === 0) return undefined;
  if (isBlank(value.charCodeAt(0)) || isBlank(value.charCodeAt(length - 1))) {
    return "a field value begins or ends with white space";
  }
  for (let i = 0; i < length; i++) {
    const byte = value.charCodeAt(i);
    if (byte === 0 || byte === 10 || byte === 13) return "a field value has a NUL, CR or LF";
  }
  return undefined;
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09;
}

/** The number that a content-length field or a status gives in digits, or -1 when it is none. */
export function parseDigits(value: string): number {
  if (value.length === 0 || value.length > 15) return -1;
  for (let i = 0; i < value.length; i++) {
    const byte = value.charCodeAt(i);
    if (byte < 0x30 || byte > 0x39) return -1;
  }
  return Number(value);
}

/** Checks the fields after the pseudo-header fields; returns the content length (-1: none) or what is wrong. */
export function checkRegularFields(fields: readonly string[]): number | string {
  let contentLength = -1;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    const value = fields[i + 1] as string;
    if (name.charCodeAt(0) === 0x3a) return "pseudo-header field after a regular field or in trailers";
    const error = fieldError(name, value);
    if (error !== undefined) return error;
    if (name === "content-length") {
      const length = parseDigits(value);
      if (length === -1) return "invalid content-length";
      if (contentLength !== -1 && contentLength !== length) return "conflicting content-length";
      contentLength = length;
    }
  }
  return contentLength;
}

/** How many entries of the flat list belong to pseudo-header fields. */
export function pseudoEntries(fields: readonly string[]): number {
  let at = 0;
  while (at < fields.length && (fields[at] as string).charCodeAt(0) === 0x3a) at += 2;
  return at;
}
