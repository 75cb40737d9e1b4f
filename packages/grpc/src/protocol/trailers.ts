import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Status, StatusSchema } from "../gen/google/rpc/status_pb.ts";
import { findField } from "./find-field.ts";
import { headerListBytes } from "./header-list.ts";
import { appendTrailerMetadata, type FieldList, metadataToHeaders, type OnDropped } from "./metadata.ts";
import { decodeBinaryValue, encodeBinaryValue, isBinaryValue } from "./metadata-field.ts";
import { cutEncoded, decodeGrpcMessage, encodeGrpcMessage } from "./percent-encoding.ts";
import { detailsName, findStatus, type RpcStatus, readRpcStatus } from "./rpc-status.ts";
import { formatStatusCode, okStatusText, parseStatusCode } from "./status.ts";

/**
 * Longest grpc-status-details-bin that is sent, in base64. Peers commonly cap all trailers at 8 KiB and reset the call beyond;
 * then the status would be lost with the details, so the details go alone.
 */
export const maxDetailsBytes = 8192;

/**
 * Appends the status of a call to its trailers: grpc-status, and for an error grpc-message, grpc-status-details-bin and the
 * error's own metadata. Never fails: details that cannot be encoded or are too long and metadata that gRPC cannot carry are
 * left out and reported.
 *
 * The metadata of an error that came over the wire itself is not passed on. It belongs to the other call (Connect's rule).
 */
export function appendStatusTrailers(fields: FieldList, error: ConnectError | undefined, onDropped?: OnDropped): void {
  if (error === undefined) {
    fields.push("grpc-status", okStatusText);
    return;
  }
  fields.push("grpc-status", formatStatusCode(error.code));
  const message = encodeGrpcMessage(error.rawMessage);
  if (message !== "") fields.push("grpc-message", message);
  if (error.details.length > 0) {
    const details = encodeDetails(error);
    if (details === undefined) onDropped?.(detailsName, "illegal");
    else fields.push(detailsName, details);
  }
  if (!error.isWireError) appendTrailerMetadata(fields, error.metadata, onDropped);
}

/**
 * Reads the status of a call from its trailers, or from the only header block of a trailers-only response: `undefined` for OK.
 *
 * Trailers without grpc-status are Internal (the peer broke the protocol), as are two that differ. grpc-status and
 * grpc-message decide; details are taken only from a status message that agrees with that code, and unreadable details are
 * ignored rather than hiding the status. The error's metadata is what the application may see of the trailers and of
 * `headers`, the header block before them.
 */
export function readStatusTrailers(
  trailers: readonly string[],
  headers: readonly string[] = noFields,
): ConnectError | undefined {
  const found = findStatus(trailers);
  if (found instanceof ConnectError) return found;
  const { status, message, details } = found;
  if (status === okStatusText) return undefined;

  const metadata = metadataToHeaders(trailers);
  metadataToHeaders(headers).forEach((value, name) => {
    metadata.append(name, value);
  });
  if (status === undefined) return new ConnectError("protocol error: missing grpc-status", Code.Internal, metadata);

  const code = parseStatusCode(status) ?? Code.Unknown;
  const error = new ConnectError(decodeGrpcMessage(message), code, metadata);
  if (details !== undefined) error.details = decodeDetails(details, code);
  error.isWireError = true;
  return error;
}

/** The same for a call whose messages are bytes: the error keeps the status as it came, see `statusOfError`. */
export function readStatusAsError(trailers: readonly string[]): ConnectError | undefined {
  const status = readRpcStatus(trailers);
  // What is wrong with these, the other way says.
  if (status === undefined) return readStatusTrailers(trailers);
  if (status.code === 0) return undefined;
  return errorOfStatus(status);
}

const exactStatuses = new WeakMap<ConnectError, RpcStatus>();

/**
 * Returns an error for a status other than OK. Its code is Unknown where gRPC has not defined the number; `statusOfError` returns the status
 * itself.
 *
 * @throws TypeError for OK
 */
export function errorOfStatus(status: RpcStatus): ConnectError {
  if (status.code === 0) throw new TypeError("a status of OK is not an error");
  const error = new ConnectError(status.message, knownCode(status.code), metadataToHeaders(status.fields));
  const at = findField(status.fields, detailsName);
  if (at !== -1) error.details = decodeDetails(status.fields[at + 1] as string, error.code);
  error.isWireError = true;
  exactStatuses.set(error, status);
  return error;
}

/** Whether the error was made of a status, which then goes out as it is. */
export function hasExactStatus(error: unknown): error is ConnectError {
  return error instanceof ConnectError && exactStatuses.has(error);
}

/** Returns the status that an error was made of, or the status of its code. */
export function statusOfError(error: ConnectError): RpcStatus {
  const exact = exactStatuses.get(error);
  if (exact !== undefined) return exact;
  const fields: FieldList = [];
  appendStatusTrailers(fields, error);
  const code = parseStatusCode(fields[1] as string) ?? Code.Unknown;
  const rest = fields[2] === "grpc-message" ? 4 : 2;
  return { code, message: error.rawMessage, fields: fields.slice(rest) };
}

/**
 * Makes a list with a status fit into `maxListBytes`, as RFC 9113 §6.5.2 counts them: the details go first, then the text is cut,
 * then it goes, and then what the application added after the status. False: not even the status alone fits.
 */
export function fitStatus(fields: FieldList, maxListBytes: number): boolean {
  let over = headerListBytes(fields) - maxListBytes;
  if (over <= 0) return true;
  over -= removeField(fields, detailsName);
  if (over <= 0) return true;
  const at = findField(fields, "grpc-message");
  if (at !== -1) {
    const text = fields[at + 1] as string;
    if (text.length > over) {
      fields[at + 1] = cutEncoded(text, text.length - over);
      return true;
    }
    over -= removeField(fields, "grpc-message");
    if (over <= 0) return true;
  }
  fields.length = findField(fields, "grpc-status") + 2;
  return headerListBytes(fields) <= maxListBytes;
}

function removeField(fields: FieldList, name: string): number {
  const at = findField(fields, name);
  return at === -1 ? 0 : headerListBytes(fields.splice(at, 2));
}

const noFields: readonly string[] = [];

function knownCode(code: number): Code {
  return parseStatusCode(String(code)) ?? Code.Unknown;
}

type IncomingDetail = Extract<ConnectError["details"][number], { type: string }>;

function encodeDetails(error: ConnectError): string | undefined {
  try {
    const init: MessageInitShape<typeof StatusSchema> = {
      code: error.code,
      message: error.rawMessage,
      details: error.details.map((detail) =>
        "desc" in detail
          ? anyPack(detail.desc, create(detail.desc, detail.value))
          : { typeUrl: `type.googleapis.com/${detail.type}`, value: detail.value },
      ),
    };
    const text = encodeBinaryValue(toBinary(StatusSchema, create(StatusSchema, init)));
    return text.length <= maxDetailsBytes ? text : undefined;
  } catch {
    // A detail that does not fit its own schema. The error it belongs to matters more.
    return undefined;
  }
}

function decodeDetails(text: string, code: Code): IncomingDetail[] {
  if (text.includes(",") || !isBinaryValue(text)) return [];
  let status: Status;
  try {
    status = fromBinary(StatusSchema, new Uint8Array(decodeBinaryValue(text)));
  } catch {
    return [];
  }
  if (status.code !== code) return [];
  return status.details.map((any) => ({
    type: any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1),
    value: any.value,
  }));
}
