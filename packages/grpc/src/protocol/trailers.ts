import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Status, StatusSchema } from "../gen/google/rpc/status_pb.ts";
import { findField } from "./find-field.ts";
import { headerListBytes } from "./header-list.ts";
import { appendTrailerMetadata, type FieldList, metadataToHeaders, type OnDropped } from "./metadata.ts";
import { decodeBinaryValue, encodeBinaryValue, isBinaryValue } from "./metadata-value.ts";
import { cutEncoded, decodeGrpcMessage, encodeGrpcMessage } from "./percent-encoding.ts";
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
    if (details === undefined) onDropped?.("grpc-status-details-bin", "illegal");
    else fields.push("grpc-status-details-bin", details);
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
  let status: string | undefined;
  let message = "";
  let details: string | undefined;
  for (let at = 0; at < trailers.length; at += 2) {
    const value = trailers[at + 1] as string;
    switch (trailers[at]) {
      case "grpc-status":
        if (status !== undefined && status !== value) {
          return new ConnectError("protocol error: two different values of grpc-status", Code.Internal);
        }
        status = value;
        break;
      case "grpc-message":
        message = value;
        break;
      case "grpc-status-details-bin":
        details = value;
        break;
    }
  }
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

/**
 * Makes a list with a status fit into `maxListBytes`, as RFC 9113 §6.5.2 counts them: the details go first, then the text is cut,
 * then it goes, and then what the application added behind the status. False: not even the status alone fits.
 */
export function fitStatus(fields: FieldList, maxListBytes: number): boolean {
  let over = headerListBytes(fields) - maxListBytes;
  if (over <= 0) return true;
  over -= removeField(fields, "grpc-status-details-bin");
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
