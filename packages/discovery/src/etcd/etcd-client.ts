import { type Client, Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { type Channel, type ChannelOptions, type Clock, createChannel } from "@tercel/grpc";
import { Auth, KV, Lease, Watch } from "../gen/etcd/api/etcdserverpb/rpc_pb.ts";

export interface EtcdClientOptions {
  readonly endpoints: readonly string[];
  readonly user?: string;
  readonly password?: string | (() => string);
  readonly tls?: NonNullable<ChannelOptions["tls"]>;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** Clients for the services of etcd that the registry uses. Every call carries the token. */
export interface EtcdClient {
  readonly kv: Client<typeof KV>;
  readonly watch: Client<typeof Watch>;
  readonly lease: Client<typeof Lease>;
  /** Makes the next call request a new token: etcd has rejected this one in a response, not by a status. */
  forgetToken(): void;
  close(): Promise<void>;
}

/**
 * Calls are spread over the members, so that a member without a leader does not get every call. Only reads are retried here: a lease
 * request that is retried could grant two leases, and `RegistrationKeeper` retries registrations.
 */
const serviceConfig = {
  loadBalancingConfig: [{ round_robin: {} }],
  methodConfig: [
    {
      name: [{ service: KV.typeName, method: "Range" }],
      retryPolicy: {
        maxAttempts: 4,
        initialBackoff: "0.1s",
        maxBackoff: "1s",
        backoffMultiplier: 2,
        retryableStatusCodes: ["UNAVAILABLE"],
      },
    },
  ],
};

/** Makes etcd end a stream with UNAVAILABLE when its member loses the cluster; without it, the stream would just stay silent. */
export const requireLeader: Readonly<Record<string, string>> = { hasleader: "true" };

/**
 * Watches send nothing, so only pings detect a dead member. 10 s is the minimum in gRPC, and more than etcd's required minimum of 5 s
 * between pings.
 */
const keepalive = { timeMs: 10_000, timeoutMs: 5000 };

export function createEtcdClient(options: EtcdClientOptions): EtcdClient {
  const { endpoints, user, password, tls, timeoutMs, clock } = options;
  const common: ChannelOptions = { clock, keepalive, serviceConfig, ...(tls !== undefined && { tls }) };
  const target = `static:///${endpoints.join(",")}`;
  // Authentication must not use the interceptor, which waits for the token.
  const plain = createChannel(target, common);
  const auth = createClient(Auth, plain);
  let token: Promise<string> | undefined;

  async function authenticate(): Promise<string> {
    const secret = typeof password === "function" ? password() : (password ?? "");
    return (await auth.authenticate({ name: user ?? "", password: secret }, { timeoutMs })).token;
  }

  /** All calls that wait for a token share one request. A failed request is not kept. */
  function currentToken(): Promise<string> {
    if (token !== undefined) return token;
    const asked = authenticate();
    token = asked;
    asked.catch(() => {
      if (token === asked) token = undefined;
    });
    return asked;
  }

  const withToken: Interceptor = (next) => async (request) => {
    const used = currentToken();
    request.header.set("token", await used);
    try {
      return await next(request);
    } catch (error) {
      if (!isAboutToken(error)) throw error;
      if (token === used) token = undefined;
      // The requests of a stream may already be consumed. The caller of a stream retries it anyway.
      if (request.stream) throw error;
      request.header.set("token", await currentToken());
      return await next(request);
    }
  };

  const channel: Channel = user === undefined ? plain : createChannel(target, { ...common, interceptors: [withToken] });
  return {
    kv: createClient(KV, channel),
    watch: createClient(Watch, channel),
    lease: createClient(Lease, channel),
    forgetToken() {
      token = undefined;
    },
    async close() {
      await Promise.all([plain.close(), channel.close()]);
    },
  };
}

/** A token expires after five minutes, and becomes invalid when users or roles change. */
function isAboutToken(error: unknown): boolean {
  const { code, rawMessage } = ConnectError.from(error);
  return code === Code.Unauthenticated || /auth(entication)? (token|failed)|auth.* revision/.test(rawMessage);
}
