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

/** The details that every client of Google's APIs knows. */
const knownDetails = createRegistry(...errorDetailFiles);

/** How the details of errors are written. */
export interface DetailTypes {
  /** Knows types of details that are the application's own. */
  readonly registry: Registry | undefined;
  /** The domain of an ErrorInfo that has none. */
  readonly errorDomain: string;
}

/** The JSON of an error as Google's APIs have it (AIP-193). */
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

/** The JSON of google.rpc.Status, as grpc-gateway and Envoy's transcoder have it. */
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

/** Undefined for a detail that does not fit its own schema: the error matters more. */
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

/** As ProtoJSON writes an Any: fields next to the type, or under "value" where the JSON of the type is not an object of fields. */
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
