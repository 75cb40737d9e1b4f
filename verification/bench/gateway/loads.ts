import { toBinary } from "@bufbuild/protobuf";
import { create } from "@tercel/grpc";
import { GetUserRequestSchema } from "../../../examples/rest/gen/api/user/v1/user_pb.ts";
import { framed } from "../wire/grpc-body.ts";

/** One load: h2load sends the same request over and over. */
export interface GatewayLoad {
  readonly name: string;
  readonly version: "http/1.1" | "h2c";
  readonly path: string;
  readonly headers: readonly string[];
  /** Undefined for GET. */
  readonly body: Buffer | undefined;
  readonly connections: number;
  readonly streams: number;
  /** Responses that each request brings: messages of a stream. */
  readonly unitsPerRequest: number;
  /** What one of these is. */
  readonly per: "request" | "message";
  readonly leastResponseBytes: number;
  /** Who serves it besides Tercel: handlers by hand on Node's own servers, the least that a framework can cost. */
  readonly peers: readonly string[];
}

/** Messages of a stream, and what `events` sends. */
export const streamedMessages = 1000;

const json = "content-type: application/json";
const userBody = Buffer.from('{"email":"ada@example.com","displayName":"Ada Lovelace"}');
const getUser = Buffer.from('{"userId":"ada"}');
const method = "/api.user.v1.UserService/GetUser";
const plainPeers = ["node-http"];

const http1 = { version: "http/1.1", connections: 50, streams: 1, unitsPerRequest: 1, per: "request" } as const;
const http2 = { version: "h2c", connections: 10, streams: 10, unitsPerRequest: 1, per: "request" } as const;
const stream = { connections: 10, streams: 1, unitsPerRequest: streamedMessages, per: "message" } as const;

export const gatewayLoads: readonly GatewayLoad[] = [
  {
    ...http1,
    ...{ name: "rest-get-http1/50x1", path: "/v1/users/ada", headers: [], body: undefined },
    ...{ leastResponseBytes: 60, peers: plainPeers },
  },
  {
    ...http1,
    ...{ name: "rest-post-http1/50x1", path: "/v1/users", headers: [json], body: userBody },
    ...{ leastResponseBytes: 60, peers: plainPeers },
  },
  {
    ...http1,
    ...{ name: "rest-list-http1/50x1", path: "/v1/users?page_size=50", headers: [], body: undefined },
    ...{ leastResponseBytes: 3500, peers: plainPeers },
  },
  {
    ...http2,
    ...{ name: "rest-get-h2/10x10", path: "/v1/users/ada", headers: [], body: undefined },
    ...{ leastResponseBytes: 60, peers: ["node-http2"] },
  },
  {
    ...http1,
    ...{ name: "connect-unary-http1/50x1", path: method, headers: [json], body: getUser },
    ...{ leastResponseBytes: 60, peers: [] },
  },
  {
    ...http2,
    ...{ name: "connect-unary-h2/10x10", path: method, headers: [json], body: getUser },
    ...{ leastResponseBytes: 60, peers: [] },
  },
  {
    ...http2,
    ...{ name: "grpc-web-unary-h2/10x10", path: method, headers: ["content-type: application/grpc-web+proto"] },
    body: framed(Buffer.from(toBinary(GetUserRequestSchema, create(GetUserRequestSchema, { userId: "ada" })))),
    ...{ leastResponseBytes: 40, peers: [] },
  },
  {
    ...http2,
    ...{ name: "grpc-unary-h2/10x10", path: method, headers: ["content-type: application/grpc", "te: trailers"] },
    body: framed(Buffer.from(toBinary(GetUserRequestSchema, create(GetUserRequestSchema, { userId: "ada" })))),
    ...{ leastResponseBytes: 40, peers: [] },
  },
  {
    ...{ ...stream, version: "http/1.1", name: "ndjson-http1/10x1" },
    ...{ path: "/v1/users:events", headers: ["accept: application/x-ndjson"], body: undefined },
    ...{ leastResponseBytes: streamedMessages * 60, peers: plainPeers },
  },
  {
    ...{ ...stream, version: "http/1.1", name: "sse-http1/10x1" },
    ...{ path: "/v1/users:events", headers: ["accept: text/event-stream"], body: undefined },
    ...{ leastResponseBytes: streamedMessages * 60, peers: plainPeers },
  },
];
