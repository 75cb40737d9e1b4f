/** `server.ts SUBJECT [UPSTREAM] PORT`: the users by one of the subjects; keeps the contract of every measured server. */
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo, Server as NetServer } from "node:net";
import type { ServiceImpl } from "@connectrpc/connect";
import { createGateway, forward } from "@tercel/gateway";
import { create, createChannel, createServer, type ServerOptions } from "@tercel/grpc";
import {
  ListUsersResponseSchema,
  UserEventSchema,
  UserSchema,
  UserService,
} from "../../../examples/rest/gen/api/user/v1/user_pb.ts";
import { announce } from "../peers/serve.ts";
import { streamedMessages, user, users } from "./values.ts";

const [subject = "", ...rest] = process.argv.slice(2);
const port = Number(rest.at(-1));

/** What a server does for one request, by hand: the least that it can be. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const send = (value: unknown): void => {
    const body = JSON.stringify(value);
    response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
    response.end(body);
  };
  if (request.method === "POST") {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    send({ userId: "ada", ...(JSON.parse(Buffer.concat(chunks).toString()) as object) });
  } else if (request.url?.startsWith("/v1/users?")) send({ users });
  else if (request.url === "/v1/users:events") await stream(request, response);
  else send(user);
}

async function stream({ headers }: IncomingMessage, response: ServerResponse): Promise<void> {
  const isEvents = headers.accept === "text/event-stream";
  response.writeHead(200, { "content-type": isEvents ? "text/event-stream" : "application/x-ndjson" });
  for (let at = 0; at < streamedMessages; at++) {
    const text = JSON.stringify({ resumeToken: String(at), user });
    const hasRoom = response.write(isEvents ? `id: ${at}\ndata: ${text}\n\n` : `{"result":${text}}\n`);
    if (!hasRoom) await new Promise((resolve) => response.once("drain", resolve));
  }
  response.end();
}

const one = create(UserSchema, user);
const list = create(ListUsersResponseSchema, { users: users.map((each) => create(UserSchema, each)) });

const service: Partial<ServiceImpl<typeof UserService>> = {
  getUser: () => one,
  listUsers: () => list,
  createUser: ({ user: given = create(UserSchema) }) => {
    given.userId = "ada";
    return given;
  },
  async *streamUserEvents({ resumeToken }, { signal }) {
    const count = resumeToken === "hold" ? 1 : streamedMessages;
    for (let at = 0; at < count; at++) yield create(UserEventSchema, { resumeToken: String(at), user: one });
    if (resumeToken === "hold" && !signal.aborted) await once(signal, "abort");
  },
};

async function startTercel(options: ServerOptions, whenClosed: () => unknown = () => {}): Promise<void> {
  const server = createServer(options);
  const address = await server.listen({ port });
  announce(address.port, async () => {
    await server.close({ deadlineMs: 1000 });
    await whenClosed();
  });
}

function listen(server: NetServer | Server): void {
  server.listen(port, "127.0.0.1", () => {
    announce((server.address() as AddressInfo).port, async () => void server.close());
  });
}

const routes: ServerOptions["routes"] = (router) => router.service(UserService, service);
if (subject === "tercel") await startTercel({ routes, gateway: createGateway() });
else if (subject === "tercel-grpc") await startTercel({ routes });
else if (subject === "tercel-forward") {
  const channel = createChannel(`127.0.0.1:${rest[0]}`);
  const forwarded = { routes: (router: Parameters<typeof forward>[0]) => forward(router, UserService, channel) };
  await startTercel({ ...forwarded, gateway: createGateway() }, () => channel.close());
} else if (subject === "node-http") listen(createHttpServer((request, response) => void answer(request, response)));
else if (subject === "node-http2") {
  // Its compatibility layer has the interface of node:http.
  const serve = (request: unknown, response: unknown) =>
    void answer(request as IncomingMessage, response as ServerResponse);
  listen(createHttp2Server(serve));
} else throw new Error(`there is no subject ${subject}`);
