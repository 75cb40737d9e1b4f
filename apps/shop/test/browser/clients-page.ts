// Runs in a browser and calls the shop with different clients. The test bundles it, and calls its functions from outside.

import { type Client, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { GrpcWebClientBase, MethodDescriptor, type RpcError } from "grpc-web";
import { UserService } from "../../src/gen/api/user/v1/user_pb.ts";
import { GetUserRequest, StreamUserEventsRequest, User, UserEvent } from "./printed-client/generated/user_pb.js";
import { ForbiddenError, NotFoundError, UnauthorizedError, UserClient } from "./printed-client/user-client.ts";

/** The address of the shop, and the client. */
export interface Place {
  readonly url: string;
  readonly token: string;
}

export type ClientName =
  | "printed"
  | "official text"
  | "official binary"
  | "connect-web connect"
  | "connect-web grpc-web";

/** A user or an error, from any of the clients. */
export interface Outcome {
  readonly name?: string;
  readonly email?: string;
  /** A class, or a code. */
  readonly failure?: string;
}

interface PageClient {
  get(userId: string): Promise<Outcome>;
  /** Calls back with the ids of created users. Returns a function that ends the stream. */
  follow(onCreated: (userId: string) => void): () => void;
}

const state = { created: [] as string[], reconnects: 0, end: (): void => {} };

/** Called after each created user. */
const observers = new Set<() => void>();

const clients: Record<ClientName, (place: Place) => PageClient> = {
  printed({ url, token }) {
    const client = new UserClient(url);
    client.authToken = token;
    return {
      async get(userId) {
        try {
          const user = await client.getUser(userId);
          return { name: user.getDisplayName(), email: user.getEmail() };
        } catch (error) {
          const classes = { NotFoundError, ForbiddenError, UnauthorizedError };
          const found = Object.entries(classes).find(([, one]) => error instanceof one)?.[0];
          return { failure: found ?? String(error) };
        }
      },
      follow(onCreated) {
        const stop = client.streamUserEvents((event) => {
          state.reconnects = client.reconnects;
          const userId = event.getUserCreated()?.getUser()?.getUserId();
          if (userId !== undefined) onCreated(userId);
        });
        return stop;
      },
    };
  },
  "official text": (place) => officialClient(place, "text"),
  "official binary": (place) => officialClient(place, "binary"),
  "connect-web connect": ({ url: baseUrl, token }) =>
    connectClient(createClient(UserService, createConnectTransport({ baseUrl, fetch: withCookies })), token),
  "connect-web grpc-web": ({ url: baseUrl, token }) =>
    connectClient(createClient(UserService, createGrpcWebTransport({ baseUrl, fetch: withCookies })), token),
};

const withCookies: typeof fetch = (input, init) => fetch(input, { ...init, credentials: "include" });

function connectClient(client: Client<typeof UserService>, token: string): PageClient {
  const headers = { authorization: `Bearer ${token}` };
  return {
    async get(userId) {
      try {
        const { displayName: name, email } = await client.getUser({ userId }, { headers });
        return { name, email };
      } catch (error) {
        return { failure: String(ConnectError.from(error).code) };
      }
    },
    follow(onCreated) {
      const leaving = new AbortController();
      void (async () => {
        try {
          for await (const { event } of client.streamUserEvents({}, { headers, signal: leaving.signal })) {
            if (event.case === "userCreated") onCreated(event.value.user?.userId ?? "");
          }
        } catch (error) {
          if (!leaving.signal.aborted) throw error;
        }
      })();
      return () => leaving.abort();
    },
  };
}

/** The official client of gRPC-Web, with the methods as in the code of protoc-gen-grpc-web. It streams in text mode only. */
function officialClient({ url, token }: Place, format: "text" | "binary"): PageClient {
  const client = new GrpcWebClientBase({ format, withCredentials: true });
  const metadata = { authorization: `Bearer ${token}` };
  const path = (method: string) => `/${UserService.typeName}/${method}`;
  const getUser = new MethodDescriptor(
    ...([path("GetUser"), "unary", GetUserRequest, User] as const),
    (request: GetUserRequest) => request.serializeBinary(),
    User.deserializeBinary,
  );
  const streamUserEvents = new MethodDescriptor(
    ...([path("StreamUserEvents"), "server_streaming", StreamUserEventsRequest, UserEvent] as const),
    (request: StreamUserEventsRequest) => request.serializeBinary(),
    UserEvent.deserializeBinary,
  );
  return {
    async get(userId) {
      const request = new GetUserRequest();
      request.setUserId(userId);
      try {
        const user = await client.unaryCall(`${url}${path("GetUser")}`, request, metadata, getUser);
        return { name: user.getDisplayName(), email: user.getEmail() };
      } catch (error) {
        return { failure: String((error as RpcError).code) };
      }
    },
    follow(onCreated) {
      const request = new StreamUserEventsRequest();
      const stream = client.serverStreaming(`${url}${path("StreamUserEvents")}`, request, metadata, streamUserEvents);
      stream.on("data", (event) => {
        const userId = event.getUserCreated()?.getUser()?.getUserId();
        if (userId !== undefined) onCreated(userId);
      });
      return () => stream.cancel();
    },
  };
}

/** The functions that the test calls. */
const page = {
  get: (name: ClientName, place: Place, userId: string): Promise<Outcome> => clients[name](place).get(userId),
  follow(name: ClientName, place: Place): void {
    state.created = [];
    state.reconnects = 0;
    state.end = clients[name](place).follow((userId) => {
      state.created.push(userId);
      for (const observe of observers) observe();
    });
  },
  /** Resolves with all created users, when this is the last one. */
  untilCreated: (userId: string): Promise<readonly string[]> =>
    new Promise((resolve) => {
      const observe = (): void => {
        if (state.created.at(-1) !== userId) return;
        observers.delete(observe);
        resolve(state.created);
      };
      observers.add(observe);
      observe();
    }),
  seen: (): { readonly created: readonly string[]; readonly reconnects: number } => ({
    created: state.created,
    reconnects: state.reconnects,
  }),
  end: (): void => state.end(),
};

export type ClientsPage = typeof page;

Object.assign(globalThis, { page });
