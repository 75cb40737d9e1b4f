import assert from "node:assert/strict";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { create } from "@tercel/grpc";
import { GetUserRequestSchema, UserSchema } from "../../../examples/rest/gen/api/user/v1/user_pb.ts";
import { framed } from "../wire/grpc-body.ts";
import type { SubjectName } from "./subjects.ts";
import { streamedMessages, user, users } from "./values.ts";

/** A request, and the response that it must have. */
export interface LoadRequest {
  readonly version: "http/1.1" | "h2c";
  readonly path: string;
  readonly headers: readonly string[];
  /** Undefined for GET. */
  readonly body: Buffer | undefined;
  /** @throws AssertionError for a body that is not the right one: what answers wrongly is not measured */
  check(body: Buffer): void;
}

/** Who serves a load besides Tercel. */
export interface Rival {
  readonly subject: SubjectName;
  /** What it is asked for; the same as Tercel where it is left out. */
  readonly request?: LoadRequest;
  /** The goal: Tercel's gateway serves at least so many times as many with the same CPU time. */
  readonly leastTimes?: number;
}

/** One load: h2load sends the same request over and over. */
export interface GatewayLoad {
  readonly name: string;
  readonly own: SubjectName;
  readonly request: LoadRequest;
  readonly connections: number;
  readonly streams: number;
  /** Responses that each request brings: messages of a stream. */
  readonly unitsPerRequest: number;
  /** What one of these is. */
  readonly per: "request" | "message";
  readonly rivals: readonly Rival[];
  /** The goal for each second of CPU time, of such units. */
  readonly leastPerSecond?: number;
}

const json = "content-type: application/json";
const userBody = Buffer.from('{"email":"ada@example.com","displayName":"Ada Lovelace"}');
const method = "/api.user.v1.UserService/GetUser";
const requestMessage = framed(
  Buffer.from(toBinary(GetUserRequestSchema, create(GetUserRequestSchema, { userId: "ada" }))),
);
const prefixBytes = 5;

function isJson(expected: unknown): (body: Buffer) => void {
  return (body) => assert.deepEqual(JSON.parse(body.toString()), expected);
}

/** The first message of a body in gRPC's frames. */
function isUserMessage(body: Buffer): void {
  const { userId, email, displayName } = fromBinary(
    UserSchema,
    body.subarray(prefixBytes, prefixBytes + body.readUInt32BE(1)),
  );
  assert.deepEqual({ userId, email, displayName }, user);
}

/** As JSON, an event after the other. */
function areEvents(texts: readonly string[]): void {
  assert.equal(texts.length, streamedMessages);
  texts.forEach((text, at) => {
    assert.deepEqual(JSON.parse(text), { resumeToken: String(at), user });
  });
}

const http1 = { version: "http/1.1", headers: [], body: undefined } as const;
const http2 = { version: "h2c", headers: [], body: undefined } as const;

const getUser = { ...http1, path: "/v1/users/ada", check: isJson(user) };
const createUser = { ...http1, path: "/v1/users", headers: [json], body: userBody, check: isJson(user) };
const listUsers = { ...http1, path: "/v1/users?page_size=50", check: isJson({ users }) };
const connectCall = { path: method, headers: [json], body: Buffer.from('{"userId":"ada"}'), check: isJson(user) };
const webCall = { path: method, headers: ["content-type: application/grpc-web+proto"], body: requestMessage };
const grpcCall: LoadRequest = {
  ...http2,
  ...{ path: method, headers: ["content-type: application/grpc", "te: trailers"], body: requestMessage },
  check: isUserMessage,
};
const lines: LoadRequest = {
  ...http1,
  ...{ path: "/v1/users:events", headers: ["accept: application/x-ndjson"] },
  check: (body) =>
    areEvents(
      body
        .toString()
        .trimEnd()
        .split("\n")
        .map((line) => JSON.stringify((JSON.parse(line) as { result: unknown }).result)),
    ),
};
const events: LoadRequest = {
  ...http1,
  ...{ path: "/v1/users:events", headers: ["accept: text/event-stream"] },
  check: (body) =>
    areEvents(Array.from(body.toString().matchAll(/^data: (.*"resumeToken".*)$/gm), ([, text = ""]) => text)),
};

const fifty = { own: "tercel", connections: 50, streams: 1, unitsPerRequest: 1, per: "request" } as const;
const tenByTen = { own: "tercel", connections: 10, streams: 10, unitsPerRequest: 1, per: "request" } as const;
const stream = {
  ...({ own: "tercel", connections: 10, streams: 1, per: "message" } as const),
  ...{ unitsPerRequest: streamedMessages, leastPerSecond: 400_000 },
};
/** The protocols that browsers speak, next to gRPC on the same server. */
const ownGrpc = { subject: "tercel-grpc", request: grpcCall } as const;

export const gatewayLoads: readonly GatewayLoad[] = [
  {
    ...{ ...tenByTen, name: "grpc-unary-h2/10x10", request: grpcCall },
    rivals: [{ subject: "tercel-grpc", leastTimes: 0.98 }],
  },
  {
    ...{ ...fifty, name: "rest-get-http1/50x1", request: getUser },
    rivals: [{ subject: "fastify", leastTimes: 1.3 }, { subject: "node-http" }],
  },
  {
    ...{ ...fifty, name: "rest-post-http1/50x1", request: createUser },
    rivals: [{ subject: "fastify", leastTimes: 1.6 }, { subject: "node-http" }],
  },
  {
    ...{ ...fifty, name: "rest-list-http1/50x1", request: listUsers },
    rivals: [{ subject: "fastify", leastTimes: 1 }, { subject: "node-http" }],
  },
  {
    ...{ ...tenByTen, name: "rest-get-h2/10x10", request: { ...getUser, version: "h2c" } },
    rivals: [{ subject: "fastify-http2", leastTimes: 4 }, { subject: "node-http2" }],
  },
  {
    ...{ ...fifty, name: "connect-unary-http1/50x1", request: { ...http1, ...connectCall } },
    rivals: [{ subject: "connect-node", leastTimes: 10 }],
  },
  {
    ...{ ...tenByTen, name: "connect-unary-h2/10x10", request: { ...http2, ...connectCall } },
    rivals: [
      { subject: "connect-node-http2", leastTimes: 20 },
      { ...ownGrpc, leastTimes: 0.7 },
    ],
  },
  {
    ...{ ...tenByTen, name: "grpc-web-unary-h2/10x10", request: { ...http2, ...webCall, check: isUserMessage } },
    rivals: [{ ...ownGrpc, leastTimes: 0.8 }],
  },
  {
    ...{ ...stream, name: "ndjson-http1/10x1", request: lines },
    rivals: [{ subject: "fastify", leastTimes: 5 }, { subject: "node-http" }],
  },
  {
    ...{ ...stream, name: "sse-http1/10x1", request: events },
    rivals: [{ subject: "fastify", leastTimes: 5 }, { subject: "node-http" }],
  },
  {
    ...{ ...fifty, own: "tercel-forward", name: "forward-get-http1/50x1", request: getUser },
    rivals: [
      { subject: "grpc-gateway", leastTimes: 1.5 },
      { subject: "vanguard-go", leastTimes: 1.5 },
      { subject: "envoy", leastTimes: 1 },
    ],
  },
];
