import { fileURLToPath } from "node:url";
import { type GrpcObject, loadPackageDefinition, type ServiceClientConstructor } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { toUser } from "../../users.ts";

const PROTO_FILE = fileURLToPath(new URL("../../../proto/echo.proto", import.meta.url));

/** Payloads are Buffers and fields are in camel case, the common settings of this loader. */
const definition = loadPackageDefinition(loadSync(PROTO_FILE, { defaults: true }));

/** grpc-js's client class of the echo service. Its `service` is the definition that a server registers. */
export const EchoService = at(at(at(definition, "bench"), "echo"), "v1").EchoService as ServiceClientConstructor;

function at(parent: GrpcObject, name: string): GrpcObject {
  return parent[name] as GrpcObject;
}

export interface EchoRequest {
  message: string;
  payload: Buffer;
}

export interface EchoResponse {
  message: string;
  payload: Buffer;
}

export interface StreamRequest {
  count: number;
  payloadSize: number;
}

export interface SummaryResponse {
  messages: number;
  payloadBytes: number;
}

export interface ListUsersRequest {
  pageSize: number;
}

export interface ListUsersResponse {
  users: ReturnType<typeof toUser>[];
  total: number;
}
