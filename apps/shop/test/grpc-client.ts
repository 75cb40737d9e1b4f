import { fileURLToPath } from "node:url";
import {
  type ClientReadableStream,
  credentials,
  Client as GrpcClient,
  loadPackageDefinition,
  type ServiceClientConstructor,
  type ServiceError,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

/** A message as @grpc/proto-loader presents it, with numbers of 64 bits as strings. */
// biome-ignore lint/suspicious/noExplicitAny: the client is dynamic, and the assertions check what is in a message
export type LooseMessage = Record<string, any>;

/** A client that shares no code with the services: grpc-js, with the proto files loaded at run time. */
export interface LooseClient {
  call(method: string, request: LooseMessage): Promise<LooseMessage>;
  stream(method: string, request: LooseMessage): ClientReadableStream<LooseMessage>;
  close(): void;
}

/** A call that hangs must fail the test and not stop it. */
const callDeadlineMs = 15_000;

const protoDir = fileURLToPath(new URL("../proto", import.meta.url));
const files = { "user.UserService": "user/user.proto", "shop.order.v1.OrderService": "shop/order/v1/order.proto" };

/** Connects to a service by its full name. */
export function connect(service: keyof typeof files, address: string): LooseClient {
  const definition = loadSync(files[service], {
    includeDirs: [protoDir],
    keepCase: true,
    longs: String,
    enums: String,
    defaults: true,
  });
  let found: unknown = loadPackageDefinition(definition);
  for (const name of service.split(".")) found = (found as Record<string, unknown>)[name];
  const serviceClient = found as ServiceClientConstructor;
  const client = new GrpcClient(address, credentials.createInsecure());
  const descriptorOf = (method: string) => {
    const descriptor = serviceClient.service[method];
    if (descriptor === undefined) throw new Error(`${service} has no ${method}`);
    return descriptor;
  };
  return {
    call(method, request) {
      const { path, requestSerialize, responseDeserialize } = descriptorOf(method);
      const options = { deadline: Date.now() + callDeadlineMs };
      return new Promise((resolve, reject) => {
        const settle = (error: ServiceError | null, response?: LooseMessage) => {
          if (error === null) resolve(response ?? {});
          else reject(error);
        };
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, options, settle);
      });
    },
    stream(method, request) {
      const { path, requestSerialize, responseDeserialize } = descriptorOf(method);
      const options = { deadline: Date.now() + callDeadlineMs };
      return client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, options);
    },
    close: () => client.close(),
  };
}
