import { setTimeout as sleep } from "node:timers/promises";
import { createServer } from "nice-grpc";
import { announce, portArgument } from "../../serve.ts";
import { toUser, userRows } from "../../users.ts";
import { EchoServiceDefinition, type EchoServiceImplementation } from "./gen/echo.ts";

const rows = userRows();
const echoService: EchoServiceImplementation = {
  unary: async (request) => ({ message: request.message, payload: request.payload }),
  async *serverStream(request) {
    const response = { payload: Buffer.alloc(request.payloadSize) };
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
    return { message: request.message, payload: request.payload };
  },
  listUsers: async ({ pageSize }) => ({ users: rows.slice(0, pageSize).map(toUser), total: rows.length }),
};

const server = createServer();
server.add(EchoServiceDefinition, echoService);
const port = await server.listen(`127.0.0.1:${portArgument()}`);
announce(port, () => server.forceShutdown());
