import {
  create,
  createRegistry,
  type DescMessage,
  fromBinary,
  type JsonObject,
  type JsonValue,
  type Registry,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import type { ConnectError } from "@connectrpc/connect";
import { errorDetailFiles } from "@tercel/grpc/errors";
import { statusNames } from "@tercel/grpc/internal";
import { httpStatusOf } from "./http-status.ts";

type Detail = ConnectError["details"][number];

/** The standard error details of google.rpc. */
const knownDetails = createRegistry(...errorDetailFiles);

/** Options for encoding error details. */
export interface DetailTypes {
  /** Registry with the application's own detail types. */
  readonly registry: Registry | undefined;
  /** Domain for an ErrorInfo without one. */
  readonly errorDomain: string;
}

/** Returns an error body in the format of Google's APIs (AIP-193). */
export function aipErrorBody(error: ConnectError, types: DetailTypes, status = httpStatusOf(error.code)): JsonObject {
  return {
    error: {
      code: status,
      message: error.rawMessage,
      status: statusNames[error.code] ?? "UNKNOWN",
      details: detailsOf(error, types),
    },
  };
}

/** Returns an error body as the JSON of google.rpc.Status, like grpc-gateway and Envoy's transcoder. */
export function statusErrorBody(error: ConnectError, types: DetailTypes): JsonObject {
  return { code: error.code, message: error.rawMessage, details: detailsOf(error, types) };
}

function detailsOf(error: ConnectError, types: DetailTypes): JsonValue[] {
  const details: JsonValue[] = [];
  for (const detail of error.details) {
    const json = detailToJson(detail, types);
    if (json !== undefined) details.push(json);
  }
  return details;
}

/** Undefined for a detail that cannot be decoded: the error is sent without it. */
function detailToJson(detail: Detail, types: DetailTypes): JsonObject | undefined {
  try {
    if ("desc" in detail) return describe(detail.desc, toBinary(detail.desc, create(detail.desc, detail.value)), types);
    const schema = knownDetails.getMessage(detail.type) ?? types.registry?.getMessage(detail.type);
    if (schema !== undefined) return describe(schema, detail.value, types);
    return { "@type": `type.googleapis.com/${detail.type}`, value: base64Encode(detail.value) };
  } catch {
    return undefined;
  }
}

/** Encodes a detail as ProtoJSON of Any: fields next to "@type", or under "value" for types with special JSON. */
function describe(schema: DescMessage, bytes: Uint8Array, { registry, errorDomain }: DetailTypes): JsonObject {
  const type = `type.googleapis.com/${schema.typeName}`;
  const json = toJson(schema, fromBinary(schema, bytes), registry === undefined ? {} : { registry });
  if (schema.typeName === "google.rpc.ErrorInfo")
    return { "@type": type, domain: errorDomain, ...(json as JsonObject) };
  const isPlain = typeof json === "object" && json !== null && !Array.isArray(json);
  return isPlain && !schema.typeName.startsWith("google.protobuf.")
    ? { "@type": type, ...json }
    : { "@type": type, value: json };
}
