import { fileURLToPath } from "node:url";
import {
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  Client as GrpcClient,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
  type ServiceError,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

/** A message of @grpc/proto-loader, with 64-bit numbers as strings. */
// biome-ignore lint/suspicious/noExplicitAny: the client is dynamic, and the assertions check what is in a message
export type LooseMessage = Record<string, any>;

/** Metadata of a request. */
type Headers = Readonly<Record<string, string>>;

/** A client that shares no code with the services: grpc-js, with the proto files loaded at run time. */
export interface LooseClient {
  /** @param deadlineMs Default 15 s. */
  call(method: string, request: LooseMessage, headers?: Headers, deadlineMs?: number): Promise<LooseMessage>;
  stream(
    method: string,
    request: LooseMessage,
    headers?: Headers,
    deadlineMs?: number,
  ): ClientReadableStream<LooseMessage>;
  /** Sends the requests of a stream, and resolves to the response. */
  upload(method: string, requests: readonly LooseMessage[], headers?: Headers): Promise<LooseMessage>;
  both(method: string, headers?: Headers): ClientDuplexStream<LooseMessage, LooseMessage>;
  close(): void;
}

/** A deadline, so that a hanging call fails the test. */
const callDeadlineMs = 15_000;

/** The shop's protos, those of the standard services, and their imports. */
export const protoDirs = [
  "../proto",
  ...["grpc", "gateway", "interceptors"].map((name) => `../../../packages/${name}/proto`),
].map((dir) => fileURLToPath(new URL(dir, import.meta.url)));
const files = {
  "api.user.v1.UserService": "api/user/v1/user.proto",
  "user.UserService": "user/user.proto",
  "user.v1.UserService": "user/v1/user.proto",
  "shop.order.v1.OrderService": "shop/order/v1/order.proto",
  "shop.payment.v1.PaymentService": "shop/payment/v1/payment.proto",
  "shop.notification.v1.NotificationService": "shop/notification/v1/notification.proto",
  "grpc.health.v1.Health": "grpc/health/v1/health.proto",
  "grpc.reflection.v1.ServerReflection": "grpc/reflection/v1/reflection.proto",
};

/** Connects to a service by its full name, in cleartext, or with TLS if an authority is given. */
export function connect(service: keyof typeof files, address: string, authority?: Buffer): LooseClient {
  const definition = loadSync(files[service], {
    includeDirs: protoDirs,
    keepCase: true,
    longs: String,
    enums: String,
    defaults: true,
    oneofs: true,
  });
  let found: unknown = loadPackageDefinition(definition);
  for (const name of service.split(".")) found = (found as Record<string, unknown>)[name];
  const serviceClient = found as ServiceClientConstructor;
  const client = new GrpcClient(
    address,
    authority === undefined ? credentials.createInsecure() : credentials.createSsl(authority),
  );
  const descriptorOf = (method: string) => {
    const descriptor = serviceClient.service[method];
    if (descriptor === undefined) throw new Error(`${service} has no ${method}`);
    return descriptor;
  };
  return {
    call(method, request, headers, deadlineMs = callDeadlineMs) {
      const { path, requestSerialize, responseDeserialize } = descriptorOf(method);
      const options = { deadline: Date.now() + deadlineMs };
      return new Promise((resolve, reject) => {
        const settle = (error: ServiceError | null, response?: LooseMessage) => {
          if (error === null) resolve(response ?? {});
          else reject(error);
        };
        client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          metadataOf(headers),
          options,
          settle,
        );
      });
    },
    stream(method, request, headers, deadlineMs = callDeadlineMs) {
      const { path, requestSerialize, responseDeserialize } = descriptorOf(method);
      const options = { deadline: Date.now() + deadlineMs };
      return client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadataOf(headers),
        options,
      );
    },
    upload(method, requests, headers) {
      const { path, requestSerialize, responseDeserialize } = descriptorOf(method);
      const options = { deadline: Date.now() + callDeadlineMs };
      return new Promise((resolve, reject) => {
        const settle = (error: ServiceError | null, response?: LooseMessage) => {
          if (error === null) resolve(response ?? {});
          else reject(error);
        };
        const call = client.makeClientStreamRequest(
          path,
          requestSerialize,
          responseDeserialize,
          metadataOf(headers),
          options,
          settle,
        );
        for (const request of requests) call.write(request);
        call.end();
      });
    },
    both(method, headers) {
      const { path, requestSerialize, responseDeserialize } = descriptorOf(method);
      const options = { deadline: Date.now() + callDeadlineMs };
      return client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadataOf(headers), options);
    },
    close: () => client.close(),
  };
}

function metadataOf(headers: Headers = {}): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return metadata;
}
