import { createRegistry, fromBinary, type JsonObject, type JsonValue, type Registry, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { explainError } from "@tercel/grpc";
import { errorDetailFiles } from "@tercel/grpc/errors";
import type { CallExplanation } from "@tercel/grpc/hooks";
import { printable, statusNames } from "@tercel/grpc/internal";
import { exitCodes, statusExitCode } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { escapeControls } from "../json/print-message.ts";

/** Longer messages of a server are cut off. */
const maxMessageLength = 4096;

/** Converts a failed call to a failure with its status, its decoded details and where its time went. Returns other errors unchanged. */
export function callFailure(error: unknown, registry?: Registry): unknown {
  if (!(error instanceof ConnectError)) return error;
  const explanation = explainError(error);
  const status = statusNames[error.code] ?? String(error.code);
  const message = printable(error.rawMessage, maxMessageLength);
  const details = readDetails(error, registry);
  return new CommandFailure(exitCodeOf(error, explanation), `${status}: ${message}`, {
    hint: hintFor(error, explanation),
    lines: [
      ...details.map(({ type, value }) => `${type} ${escapeControls(JSON.stringify(value))}`),
      ...(explanation === undefined ? [] : [printable(explanation.line, maxMessageLength)]),
    ],
    json: {
      status,
      ...(details.length > 0 && { details: details.map(({ type, value }) => ({ "@type": type, value })) }),
      ...(explanation !== undefined && { explanation: explanation as unknown as JsonObject }),
    },
    cause: error,
  });
}

/** Whether the call never reached a server. */
function isUnconnected(error: ConnectError, explanation: CallExplanation | undefined): boolean {
  if (error.code !== Code.Unavailable || explanation === undefined) return false;
  return explanation.attempts.every(({ endpoint }) => endpoint === undefined);
}

function exitCodeOf(error: ConnectError, explanation: CallExplanation | undefined): number {
  return isUnconnected(error, explanation) ? exitCodes.noConnection : statusExitCode(error.code);
}

function hintFor(error: ConnectError, explanation: CallExplanation | undefined): string | undefined {
  if (isUnconnected(error, explanation)) return "name the server with --target HOST:PORT; add --tls if it uses TLS";
  if (error.code === Code.Unauthenticated) return `send a token: -H 'authorization: Bearer \${TOKEN}'`;
  return undefined;
}

interface ReadDetail {
  readonly type: string;
  readonly value: JsonValue;
}

/** Decodes the details of an error. Details of unknown types are shown as base64. */
function readDetails(error: ConnectError, registry: Registry | undefined): ReadDetail[] {
  const known = createRegistry(...errorDetailFiles, ...(registry === undefined ? [] : [registry]));
  return error.details.map((detail) => {
    if (!("type" in detail)) return { type: detail.desc.typeName, value: {} };
    const schema = known.getMessage(detail.type);
    const type = printable(detail.type);
    try {
      if (schema !== undefined)
        return { type, value: toJson(schema, fromBinary(schema, detail.value), { registry: known }) };
    } catch {
      // Invalid bytes are shown like those of an unknown type.
    }
    return { type, value: Buffer.from(detail.value).toString("base64") };
  });
}
