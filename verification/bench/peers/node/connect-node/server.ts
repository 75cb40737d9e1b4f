import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { announce, portArgument } from "../../serve.ts";
import { toUser, userRows } from "../../users.ts";
import { EchoResponseSchema, EchoService } from "./gen/echo_pb.ts";

const rows = userRows();
const server = createServer(
  connectNodeAdapter({
    routes: (router) =>
      router.service(EchoService, {
        unary: (request) => create(EchoResponseSchema, { message: request.message, payload: request.payload }),
        async *serverStream(request) {
          const response = create(EchoResponseSchema, { payload: new Uint8Array(request.payloadSize) });
          for (let sent = 0; sent < request.count; sent++) yield response;
        },
        async clientStream(requests) {
          let messages = 0;
          let payloadBytes = 0;
          for await (const request of requests) {
            messages++;
            payloadBytes += request.payload.length;
          }
          return { messages, payloadBytes };
        },
        async unaryLater(request) {
          await sleep(1);
          return create(EchoResponseSchema, { message: request.message, payload: request.payload });
        },
        listUsers: ({ pageSize }) => ({ users: rows.slice(0, pageSize).map(toUser), total: rows.length }),
      }),
  }),
);

server.listen(portArgument(), "127.0.0.1", () => {
  announce((server.address() as AddressInfo).port, () => server.close());
});
