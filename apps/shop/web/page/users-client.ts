import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { UserService } from "../../src/gen/api/user/v1/user_pb.ts";

export type Protocol = "connect" | "grpc-web";
export type UsersClient = Client<typeof UserService>;

/** The timeout of unary calls, because a person waits for the response. */
const timeoutMs = 10_000;

/** Creates a client of the server of this page. */
export function createUsersClient(protocol: Protocol, token: string): UsersClient {
  const authorize: Interceptor = (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
  const options = { baseUrl: location.origin, interceptors: [authorize] };
  const transport = protocol === "connect" ? createConnectTransport(options) : createGrpcWebTransport(options);
  return createClient(UserService, transport);
}

export const callOptions = { timeoutMs } as const;
