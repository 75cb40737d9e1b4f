/**
 * Header fields as text, a line each, as gRPC-Web and WebSockets carry them inside of messages. Free of Node's modules: browsers use it too.
 */

/** Name, value, name, value, … as lines that end with CR LF. Values are printable ASCII. */
export function formatFieldBlock(fields: readonly string[]): Uint8Array {
  let text = "";
  for (let at = 0; at < fields.length; at += 2) text += `${fields[at]}: ${fields[at + 1]}\r\n`;
  return new TextEncoder().encode(text);
}

/** What a peer may send in one block. */
const maxBlockBytes = 16 * 1024;
const maxBlockFields = 100;

const fieldName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const fieldValue = /^[\x20-\x7e]*$/;

/** Reads such lines; names in lower case. Returns what is wrong with a block that is not one. */
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
