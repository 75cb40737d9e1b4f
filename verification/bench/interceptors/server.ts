/** `server.ts STACK PORT`: the echo service with one of the stacks. Follows the contract of every measured server. */
import { create } from "@bufbuild/protobuf";
import { createServer } from "@tercel/grpc";
import { announce } from "../peers/serve.ts";
import { EchoResponseSchema } from "../peers/tercel/gen/echo_pb.ts";
import { guardedEcho } from "./guarded-echo.ts";
import { createStack } from "./stacks.ts";

const [stack = "", port = ""] = process.argv.slice(2);
const service = guardedEcho();
const server = createServer({
  interceptors: await createStack(stack, service),
  routes: (router) =>
    router.service(service, {
      unary: (request) => create(EchoResponseSchema, { message: request.message, payload: request.payload }),
      async *serverStream(request) {
        const response = create(EchoResponseSchema, { payload: new Uint8Array(request.payloadSize) });
        for (let sent = 0; sent < request.count; sent++) yield response;
      },
    }),
});

const address = await server.listen({ host: "127.0.0.1", port: Number(port) });
announce(address.port, () => server.close({ deadlineMs: 1000 }));
