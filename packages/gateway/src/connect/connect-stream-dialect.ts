import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { errorToJson } from "@connectrpc/connect/protocol-connect";
import type { Compression, GatewayHost, MessageFormat } from "@tercel/grpc/protocols";
import { type EnvelopeDialect, frameEnvelope } from "../calls/enveloped-response.ts";
import type { GatewayCall } from "../calls/gateway-call.ts";
import { trailerFields } from "../calls/response-metadata.ts";

const endFlag = 0b10;
/** The end of a stream without error and trailers, as most have. */
const plainEnd = frameEnvelope(endFlag, Buffer.from("{}"));

/** Creates the dialect of streams in the Connect protocol: the last envelope has JSON with the error, if any, and the trailers. */
export function createConnectStreamDialect(
  host: GatewayHost,
  format: MessageFormat,
  compression: Compression | undefined,
): EnvelopeDialect {
  const headFields = ["content-type", `application/connect+${format}`];
  if (host.compressions.length > 0) {
    headFields.push("connect-accept-encoding", host.compressions.map((one) => one.name).join(","));
  }
  if (compression !== undefined) headFields.push("connect-content-encoding", compression.name);
  return {
    headFields,
    isText: false,
    endEnvelope: (call, error) =>
      error === undefined && call.metadata?.givenTrailer === undefined
        ? plainEnd
        : frameEnvelope(endFlag, Buffer.from(JSON.stringify(endOfStream(host, call, error)))),
  };
}

function endOfStream(host: GatewayHost, call: GatewayCall, error: ConnectError | undefined): JsonObject {
  const json: JsonObject = {};
  if (error !== undefined) {
    json.error = errorToJson(error, host.registry === undefined ? {} : { registry: host.registry }) as JsonValue;
  }
  const fields = trailerFields(call.metadata, error);
  if (fields.length === 0) return json;
  const metadata = new Map<string, JsonValue[]>();
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    metadata.set(name, [...(metadata.get(name) ?? []), fields[at + 1] as string]);
  }
  json.metadata = Object.fromEntries(metadata);
  return json;
}
