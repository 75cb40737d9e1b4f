import { fileURLToPath } from "node:url";
import type { ServiceError } from "@grpc/grpc-js";
import { loadSync, type MessageTypeDefinition } from "@grpc/proto-loader";
import type { LooseMessage } from "./grpc-client.ts";

const options = {
  includeDirs: [fileURLToPath(new URL("../../../packages/grpc/proto", import.meta.url))],
  keepCase: true,
  longs: String,
  enums: String,
  defaults: true,
};
const types = {
  ...loadSync("google/rpc/status.proto", options),
  ...loadSync("google/rpc/error_details.proto", options),
  ...loadSync("common/v1/errors.proto", options),
};

function decode(type: string, bytes: Uint8Array): LooseMessage {
  const definition = types[type] as MessageTypeDefinition<object, object> | undefined;
  if (definition === undefined) throw new Error(`there is no message ${type}`);
  return definition.deserialize(Buffer.from(bytes));
}

/** Returns the details of an error by type, parsed from `grpc-status-details-bin` without Tercel's code. */
export function detailsOf(error: ServiceError): Record<string, LooseMessage> {
  const [status] = error.metadata.get("grpc-status-details-bin");
  if (!Buffer.isBuffer(status)) return {};
  const { details } = decode("google.rpc.Status", status) as { details: { type_url: string; value: Uint8Array }[] };
  return Object.fromEntries(
    details.map(({ type_url, value }) => {
      const type = type_url.slice(type_url.lastIndexOf("/") + 1);
      return [type, decode(type, value)];
    }),
  );
}
