/**
 * Header fields as text with one line each, as in messages of gRPC-Web and WebSockets. Uses no module of Node.js, because it also runs in browsers.
 */

/** Formats fields (name, value, name, value, …) as lines that end with CR LF. Values must be printable ASCII. */
export function formatFieldBlock(fields: readonly string[]): Uint8Array {
  let text = "";
  for (let at = 0; at < fields.length; at += 2) text += `${fields[at]}: ${fields[at + 1]}\r\n`;
  return new TextEncoder().encode(text);
}

/** Size limit of a received block. */
const maxBlockBytes = 16 * 1024;
const maxBlockFields = 100;

const fieldName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const fieldValue = /^[\x20-\x7e]*$/;

/** Parses a block of fields and converts names to lower case. Returns the problem of an invalid block. */
export function parseFieldBlock(bytes: Uint8Array): string[] | { readonly problem: string } {
  if (bytes.length > maxBlockBytes) return { problem: `header fields over ${maxBlockBytes} bytes` };
  const lines = new TextDecoder().decode(bytes).split("\r\n");
  if (lines.pop() !== "") return { problem: "a header field that does not end with a line break" };
  if (lines.length > maxBlockFields) return { problem: `more than ${maxBlockFields} header fields` };
  const fields: string[] = [];
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    const value = line.slice(colon + 1).replace(/^ +| +$/g, "");
    if (!fieldName.test(name) || !fieldValue.test(value)) return { problem: "an invalid header field" };
    fields.push(name, value);
  }
  return fields;
}
