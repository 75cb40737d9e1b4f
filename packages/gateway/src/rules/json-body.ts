import type { DescMessage, JsonValue, Message } from "@bufbuild/protobuf";
import { isFieldError } from "@bufbuild/protobuf/reflect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Codec } from "@tercel/grpc/codec";
import { findJsonPath } from "./json-path.ts";
import { findJsonProblem } from "./json-syntax.ts";
import { requestProblem } from "./request-problem.ts";

/** Deeper JSON is refused before it is read: reading it recurses. */
const maxDepth = 100;

/**
 * Reads a message from the JSON of a client.
 *
 * @param fieldPath where the message is within the request; empty for the request itself
 * @throws ConnectError InvalidArgument: with line and column where it is not JSON, with the field's path where a value does not fit
 */
export function decodeJsonBody(codec: Codec, schema: DescMessage, bytes: Uint8Array, fieldPath: string): Message {
  refuseDeep(bytes);
  try {
    return codec.decode(schema, bytes, Code.InvalidArgument);
  } catch (error) {
    throw explain(error, schema, bytes, fieldPath);
  }
}

/**
 * The same without a schema.
 *
 * @throws ConnectError InvalidArgument when it is not JSON
 */
export function parseJsonBody(bytes: Uint8Array): JsonValue {
  refuseDeep(bytes);
  try {
    return JSON.parse(textOf(bytes)) as JsonValue;
  } catch (error) {
    throw explain(error, undefined, bytes, "");
  }
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

/** What is wrong with a body, as well as it can be said. */
function explain(error: unknown, schema: DescMessage | undefined, bytes: Uint8Array, fieldPath: string): unknown {
  if (error instanceof ConnectError && error.code !== Code.InvalidArgument) return error;
  let text: string;
  try {
    text = textOf(bytes);
  } catch {
    return badBody(fieldPath, "the bytes are not UTF-8");
  }
  const problem = findJsonProblem(text);
  if (problem !== undefined) {
    return badBody(fieldPath, `line ${problem.line}, column ${problem.column}: expected ${problem.expected}`);
  }
  const cause = error instanceof ConnectError ? error.cause : error;
  const fieldError = cause instanceof Error ? cause.cause : undefined;
  if (schema === undefined || !isFieldError(fieldError)) return badBody(fieldPath, reasonOf(cause));
  const within = findJsonPath(schema, JSON.parse(text) as JsonValue, fieldError.field());
  return badBody(fieldPath === "" ? within : `${fieldPath}.${within}`, fieldError.message);
}

function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : "not JSON";
  return text.replace(/^cannot decode message (\S+) from JSON: /, "").slice(0, 300);
}

function badBody(fieldPath: string, description: string): ConnectError {
  const where = fieldPath === "" ? "the body" : fieldPath;
  return requestProblem(
    "INVALID_BODY",
    fieldPath === "" ? [] : [{ field: fieldPath, description }],
    `${where}: ${description}`,
  );
}

/** Counts brackets outside of strings. */
function refuseDeep(bytes: Uint8Array): void {
  if (bytes.length <= maxDepth) return;
  let depth = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === 0x22) {
      at++;
      while (at < bytes.length && bytes[at] !== 0x22) at += bytes[at] === 0x5c ? 2 : 1;
    } else if (byte === 0x7b || byte === 0x5b) {
      depth++;
      if (depth > maxDepth) throw badBody("", `JSON nested deeper than ${maxDepth} levels`);
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
}
