import { readFileSync } from "node:fs";
import { createFileRegistry, type FileRegistry, fromBinary, type Message } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type {
  ClientCompatRequest,
  ClientCompatResponse,
  ConformanceService,
  Payload,
  RequestInfo,
  ServerCompatRequest,
  ServerCompatResponse,
} from "./messages.ts";

/** The suite's schemas, with the types of `messages.ts`. */
export interface Schemas {
  readonly registry: FileRegistry;
  readonly service: ConformanceService;
  readonly requestInfo: GenMessage<RequestInfo>;
  readonly payload: GenMessage<Payload>;
  readonly serverCompatRequest: GenMessage<ServerCompatRequest>;
  readonly serverCompatResponse: GenMessage<ServerCompatResponse>;
  readonly clientCompatRequest: GenMessage<ClientCompatRequest>;
  readonly clientCompatResponse: GenMessage<ClientCompatResponse>;
}

/** Reads the descriptor set of `compileProtos`. */
export function loadSchemas(descriptorSetFile: string): Schemas {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptorSetFile)));
  const service = registry.getService("connectrpc.conformance.v1.ConformanceService");
  if (service === undefined) throw new Error(`${descriptorSetFile} has no ConformanceService`);
  const message = <T extends Message>(name: T["$typeName"]): GenMessage<T> => {
    const schema = registry.getMessage(name);
    if (schema === undefined) throw new Error(`${descriptorSetFile} has no ${name}`);
    return schema as unknown as GenMessage<T>;
  };
  return {
    registry,
    service: service as unknown as ConformanceService,
    requestInfo: message<RequestInfo>("connectrpc.conformance.v1.ConformancePayload.RequestInfo"),
    payload: message<Payload>("connectrpc.conformance.v1.ConformancePayload"),
    serverCompatRequest: message<ServerCompatRequest>("connectrpc.conformance.v1.ServerCompatRequest"),
    serverCompatResponse: message<ServerCompatResponse>("connectrpc.conformance.v1.ServerCompatResponse"),
    clientCompatRequest: message<ClientCompatRequest>("connectrpc.conformance.v1.ClientCompatRequest"),
    clientCompatResponse: message<ClientCompatResponse>("connectrpc.conformance.v1.ClientCompatResponse"),
  };
}
