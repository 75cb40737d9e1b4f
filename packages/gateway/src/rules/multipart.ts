import type { BodyPart } from "./bind-parts.ts";
import { requestProblem } from "./request-problem.ts";

/** Limits the objects that a form creates: each part takes a few. */
const maxParts = 100;
const maxPartHeadBytes = 4 * 1024;
const maxPartFields = 16;

/** RFC 2046 §5.1.1. */
const boundaryPattern = /^[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]$/;
const fieldName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: no field has them.
const controlCharacter = /[\x00-\x08\x0a-\x1f\x7f]/;
const parameterPattern = /;[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^";\s]*))/g;
const plainEncodings: ReadonlySet<string> = new Set(["7bit", "8bit", "binary"]);

/**
 * Parses a complete multipart form (RFC 7578) lazily, so that parsing stops at a part that is refused. The data of the parts are views of the body.
 *
 * @throws ConnectError InvalidArgument for an invalid form, and for more than 100 parts
 */
export function* parseMultipart(contentType: string, body: Uint8Array): Generator<BodyPart, void> {
  const boundary = parametersOf(contentType).get("boundary");
  if (boundary === undefined || !boundaryPattern.test(boundary)) throw badForm("a form without a boundary");
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  const delimiter = Buffer.from(`\r\n--${boundary}`, "latin1");
  const first = delimiter.subarray(2);
  if (!bytes.subarray(0, first.length).equals(first)) throw badForm("not a form of this boundary");
  let at = first.length;
  let parts = 0;
  while (bytes.toString("latin1", at, at + 2) !== "--") {
    if (++parts > maxParts) throw badForm(`the form has more than ${maxParts} parts`);
    if (bytes.toString("latin1", at, at + 2) !== "\r\n") throw badForm("the form ends inside a part");
    const dataStart = findDataStart(bytes, at);
    const dataEnd = bytes.indexOf(delimiter, dataStart);
    if (dataEnd === -1) throw badForm("the form ends inside a part");
    const head = bytes.toString("utf8", at + 2, Math.max(at + 2, dataStart - 4));
    yield { ...parsePartHead(head), data: body.subarray(dataStart, dataEnd) };
    at = dataEnd + delimiter.length;
  }
}

function findDataStart(bytes: Buffer, at: number): number {
  const end = bytes.indexOf("\r\n\r\n", at, "latin1");
  if (end === -1) throw badForm("the form ends inside a part");
  if (end - at > maxPartHeadBytes) throw badForm(`the head of a part is over ${maxPartHeadBytes} bytes`);
  return end + 4;
}

function parsePartHead(head: string): Pick<BodyPart, "name" | "contentType"> {
  const lines = head === "" ? [] : head.split("\r\n");
  if (lines.length > maxPartFields) throw badForm(`a part has more than ${maxPartFields} header fields`);
  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon));
    if (!fieldName.test(name) || controlCharacter.test(line)) throw badForm("a part has an invalid header field");
    fields.set(name.toLowerCase(), line.slice(colon + 1).trim());
  }
  const disposition = fields.get("content-disposition") ?? "";
  const name = /^form-data[ \t]*;/i.test(disposition) ? parametersOf(disposition).get("name") : undefined;
  if (name === undefined) throw badForm("a part without a name");
  const encoding = fields.get("content-transfer-encoding")?.trim().toLowerCase() ?? "binary";
  if (!plainEncodings.has(encoding)) throw badForm("a part with a content-transfer-encoding");
  const [type = ""] = (fields.get("content-type") ?? "text/plain").split(";", 1);
  return { name: unescapeName(name), contentType: type.trim().toLowerCase() };
}

/** The parameters of a field by their lower-case names. */
function parametersOf(value: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const [, name = "", quoted, plain = ""] of value.matchAll(parameterPattern)) {
    const key = name.toLowerCase();
    if (parameters.has(key)) throw badForm(`the parameter ${key} occurs twice`);
    parameters.set(key, quoted?.replace(/\\(["\\])/g, "$1") ?? plain);
  }
  return parameters;
}

/** Reverts the escapes of browsers for quotes and line breaks in names (HTML standard, "multipart/form-data"). */
function unescapeName(name: string): string {
  return name.replace(/%(22|0D|0A)/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

function badForm(problem: string) {
  return requestProblem("INVALID_BODY", [], `the body: ${problem}`);
}
