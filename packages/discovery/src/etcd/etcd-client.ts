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

/** The services of etcd that are needed, with its tokens on every call. */
export interface EtcdClient {
  readonly kv: Client<typeof KV>;
  readonly watch: Client<typeof Watch>;
  readonly lease: Client<typeof Lease>;
  /** The next call requests a new token: etcd said in a response, not as a status, that it refuses this one. */
  forgetToken(): void;
  close(): Promise<void>;
}

/**
 * Calls go round the members, so that a member without a leader does not get every call. Only reads are
 * repeated here: a lease that is requested twice would be granted twice, and registrations are repeated above.
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

/** Streams end with UNAVAILABLE when their member loses its cluster; without this they would only fall silent. */
export const requireLeader: Readonly<Record<string, string>> = { hasleader: "true" };

/**
 * Pings find out that a member is gone which watches only listen to. 10 s is the least that gRPC allows, and more than the 5 s
 * between pings on which etcd insists.
 */
const keepalive = { timeMs: 10_000, timeoutMs: 5000 };

export function createEtcdClient(options: EtcdClientOptions): EtcdClient {
  const { endpoints, user, password, tls, timeoutMs, clock } = options;
  const common: ChannelOptions = { clock, keepalive, serviceConfig, ...(tls !== undefined && { tls }) };
  const target = `static:///${endpoints.join(",")}`;
  // Without the interceptor, as that waits for this one.
  const plain = createChannel(target, common);
  const auth = createClient(Auth, plain);
  let token: Promise<string> | undefined;

  async function authenticate(): Promise<string> {
    const secret = typeof password === "function" ? password() : (password ?? "");
    return (await auth.authenticate({ name: user ?? "", password: secret }, { timeoutMs })).token;
  }

  /** One request for all calls that wait for a token; one that failed is not kept. */
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
      // A stream's requests may be used up; its caller repeats it anyway.
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

/** A token runs out after five minutes, and whenever users or roles change. */
function isAboutToken(error: unknown): boolean {
  const { code, rawMessage } = ConnectError.from(error);
  return code === Code.Unauthenticated || /auth(entication)? (token|failed)|auth.* revision/.test(rawMessage);
}
