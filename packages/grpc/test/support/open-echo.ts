import { type ConnectRouter, createClient, type Interceptor, type ServiceImpl } from "@connectrpc/connect";
import { type CallOptions, createCallOpeners } from "@tercel/test-support/calls";
import { EchoService } from "../gen/tercel/grpc/test/v1/echo_pb.ts";

export { recordingLog } from "@tercel/test-support/calls";

export type EchoHandlers = Partial<ServiceImpl<typeof EchoService>>;

export interface EchoOptions extends CallOptions {
  serviceInterceptors?: Interceptor[];
}

export const { openInMemory, openOverSocket, overBothTransports } = createCallOpeners(
  (handlers: EchoHandlers, options: EchoOptions) => echoRoutes(handlers, options),
  (transport) => ({ client: createClient(EchoService, transport) }),
);

export function echoRoutes(handlers: EchoHandlers, options: EchoOptions = {}): (router: ConnectRouter) => void {
  const { serviceInterceptors } = options;
  return (router) =>
    router.service(
      EchoService,
      handlers,
      serviceInterceptors === undefined ? {} : { interceptors: serviceInterceptors },
    );
}
