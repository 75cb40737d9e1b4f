import { Code, ConnectError } from "@connectrpc/connect";
import { appendSendableField, type FieldList, type OnDropped, receivedMetadata } from "./metadata.ts";
import { isBinaryValue } from "./metadata-field.ts";
import { decodeGrpcMessage, encodeGrpcMessage } from "./percent-encoding.ts";

/** How a call ended, as it travels in trailers. Below typed errors, so that nothing is lost that a program does not know. */
export interface RpcStatus {
  /** 0 is OK. Any other whole number passes, also one that gRPC has not defined. */
  readonly code: number;
  /** Empty without a message. */
  readonly message: string;
  /** The other fields of the trailers: name, value, name, value, … `grpc-status-details-bin` is among them, in base64. */
  readonly fields: readonly string[];
}

export const detailsName = "grpc-status-details-bin";

/** Codes are small; more digits than these are not a code. */
const maxCodeDigits = 9;

/** What trailers say of a status, still as text. */
export interface StatusTexts {
  status: string | undefined;
  /** Percent-encoded. */
  message: string;
  details: string | undefined;
}

/** Finds the status in trailers. Two different codes are the peer's error. */
export function findStatus(trailers: readonly string[]): StatusTexts | ConnectError {
  const found: StatusTexts = { status: undefined, message: "", details: undefined };
  for (let at = 0; at < trailers.length; at += 2) {
    const value = trailers[at + 1] as string;
    switch (trailers[at]) {
      case "grpc-status":
        if (found.status !== undefined && found.status !== value) {
          return new ConnectError("protocol error: two different values of grpc-status", Code.Internal);
        }
        found.status = value;
        break;
      case "grpc-message":
        found.message = value;
        break;
      case detailsName:
        found.details = value;
        break;
    }
  }
  return found;
}

/** Returns the status in trailers as it came; undefined where they hold none, or two. */
export function readRpcStatus(trailers: readonly string[]): RpcStatus | undefined {
  const found = findStatus(trailers);
  if (found instanceof ConnectError || found.status === undefined) return undefined;
  const fields = receivedMetadata(trailers);
  const { status, message, details } = found;
  if (details !== undefined && isBinaryValue(details)) fields.push(detailsName, details);
  return { code: parseAnyCode(status), message: decodeGrpcMessage(message), fields };
}

/** Appends a status to trailers. Fields that gRPC writes itself or cannot carry are left out and reported. */
export function appendRpcStatus(fields: FieldList, status: RpcStatus, onDropped?: OnDropped): void {
  fields.push("grpc-status", formatAnyCode(status.code));
  const message = encodeGrpcMessage(status.message);
  if (message !== "") fields.push("grpc-message", message);
  for (let at = 0; at + 1 < status.fields.length; at += 2) {
    const name = status.fields[at] as string;
    const value = status.fields[at + 1] as string;
    if (name !== detailsName) appendSendableField(fields, name, value, onDropped);
    else if (isBinaryValue(value)) fields.push(name, value);
    else onDropped?.(name, "illegal");
  }
}

function parseAnyCode(text: string): number {
  return /^\d+$/.test(text) && text.length <= maxCodeDigits ? Number(text) : Code.Unknown;
}

function formatAnyCode(code: number): string {
  return Number.isInteger(code) && code >= 0 && code < 10 ** maxCodeDigits ? String(code) : String(Code.Unknown);
}
