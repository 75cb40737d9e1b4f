import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { createServer } from "@tercel/grpc";
import { announce, portArgument } from "../serve.ts";
import { tlsFiles } from "../tls-files.ts";
import { toUser, userRows } from "../users.ts";
import { EchoResponseSchema, EchoService } from "./gen/echo_pb.ts";

const tls = tlsFiles();
const rows = userRows();
const server = createServer({
  ...(tls === undefined ? {} : { tls }),
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
});

const address = await server.listen({ host: "127.0.0.1", port: portArgument() });
// The type allows a Unix socket, which was not requested.
if (!("port" in address)) throw new Error("The server listens on no port.");
announce(address.port, () => server.close({ deadlineMs: 1000 }));
