import { Code, ConnectError } from "@connectrpc/connect";
import type { Clock } from "@tercel/grpc";
import { FailoverClient } from "../http/failover-client.ts";
import { HttpClient, type HttpRequest, type HttpResponse, statusError } from "../http/http-client.ts";
import { readAdapterOptions } from "../port/adapter-options.ts";
import { follow } from "../port/follow.ts";
import { checkServiceName, createInstance, type ServiceInstance } from "../port/instance.ts";
import { type Lease, RegistrationKeeper } from "../port/keep-registered.ts";
import type { Registry } from "../port/registry.ts";
import { WatchHub } from "../port/watch-hub.ts";
import type { WatchSink } from "../port/watched-service.ts";
import { type ConsulCheckOptions, type ConsulRegistryOptions, checkConsulOptions } from "./consul-options.ts";
import { checkIdOf, readHealthEntries, toRegistration } from "./consul-service.ts";

/** After Consul's state has gone back, services need so long to notice and register again. */
const settleMs = 30_000;
/** How long an entry may take from the agent to the catalog that others read. */
const syncMs = 2000;

/**
 * Consul, by the HTTP API of its agent. Instances are checked by the agent; watches are blocking queries.
 *
 * @throws TypeError or RangeError that says which option is wrong, Error when a TLS file cannot be read
 */
export function createConsulRegistry(options: ConsulRegistryOptions = {}): Registry {
  checkConsulOptions(options);
  const settings = readAdapterOptions("createConsulRegistry", options);
  const { clock, backoff } = settings;
  const { address = "http://127.0.0.1:8500" } = options;
  const baseUrls = (typeof address === "string" ? [address] : address).map((one) => new URL(one));
  if (baseUrls.length === 0) throw new TypeError("createConsulRegistry: address is empty");
  const description = `consul at ${baseUrls.map(({ origin }) => origin).join(", ")}`;
  const http = new FailoverClient(
    baseUrls.map(
      (baseUrl) =>
        new HttpClient({
          baseUrl,
          clock,
          headers: () => tokenHeader(options.token),
          ...(options.tls !== undefined && { tls: options.tls }),
        }),
    ),
  );
  const api = new ConsulApi(http, options);
  const kept = new RegistrationKeeper({ ...settings, description });
  const hub = new WatchHub(clock, (name, sink) => {
    return follow(createBlockingQuery(api, name, sink, clock), sink, { clock, backoff, description });
  });
  return {
    description,
    canRegister: true,
    async register(registration) {
      const instance = createInstance(registration);
      return kept.register(instance, createLease(api, options.check ?? {}, clock));
    },
    deregister: (id) => kept.deregister(id),
    async getService(name) {
      checkServiceName("getService", name);
      return (await api.readService(name)).instances;
    },
    watch: (name, listener, watchOptions) => hub.watch(name, listener, watchOptions),
    async close() {
      hub.close();
      await kept.close();
      http.close();
    },
  };
}

function tokenHeader(token: ConsulRegistryOptions["token"]): Record<string, string> {
  if (token === undefined) return {};
  return { "x-consul-token": typeof token === "string" ? token : token() };
}

interface ServiceAnswer {
  readonly instances: ServiceInstance[];
  readonly index: number;
}

/** The requests that are needed of Consul's API. */
class ConsulApi {
  readonly #http: FailoverClient;
  readonly #timeoutMs: number;
  readonly #waitMs: number;
  readonly #query: string;

  constructor(http: FailoverClient, options: ConsulRegistryOptions) {
    this.#http = http;
    this.#timeoutMs = options.timeoutMs ?? 5000;
    this.#waitMs = options.waitMs ?? 60_000;
    const { consistency = "default", datacenter } = options;
    const parts = [
      ...(datacenter === undefined ? [] : [`dc=${encodeURIComponent(datacenter)}`]),
      ...(consistency === "default" ? [] : [consistency]),
    ];
    this.#query = parts.join("&");
  }

  async put(path: string, body?: unknown, signal?: AbortSignal): Promise<HttpResponse> {
    return this.#send({
      method: "PUT",
      path,
      body,
      timeoutMs: this.#timeoutMs,
      ...(signal !== undefined && { signal }),
    });
  }

  /** The agent in use at present. */
  get agent(): number {
    return this.#http.current;
  }

  /** Asks this agent and no other. */
  putAt(agent: number, path: string): Promise<HttpResponse> {
    return this.#http.at(agent, { method: "PUT", path, timeoutMs: this.#timeoutMs });
  }

  async get(path: string, signal?: AbortSignal): Promise<HttpResponse> {
    return this.#send({ path, timeoutMs: this.#timeoutMs, ...(signal !== undefined && { signal }) });
  }

  /** The instances; with `after` once something has changed since that index, or the wait is over. */
  async readService(name: string, after = 0, signal?: AbortSignal, waitMs = this.#waitMs): Promise<ServiceAnswer> {
    const wait = after === 0 ? "" : `index=${after}&wait=${waitMs}ms`;
    const query = [this.#query, wait].filter((part) => part !== "").join("&");
    const path = `/v1/health/service/${encodeURIComponent(name)}${query === "" ? "" : `?${query}`}`;
    // Consul adds up to a sixteenth to the wait, so that not all return at once.
    const timeoutMs = after === 0 ? this.#timeoutMs : waitMs + waitMs / 16 + this.#timeoutMs;
    // With a signal the request is that of a watch.
    const background = signal === undefined ? {} : { signal, keepsProcessAlive: false };
    const response = await this.#send({ path, timeoutMs, ...background });
    if (response.status !== 200) throw statusError(`reading ${name}`, response);
    // A blocking query that the agent serves from its stream of events never names a leader, even if one exists.
    const isFromStream = response.headers["x-consul-query-backend"] === "streaming";
    if (response.headers["x-consul-knownleader"] === "false" && !isFromStream) {
      throw new ConnectError("its cluster has no leader", Code.Unavailable);
    }
    const index = Number(response.headers["x-consul-index"] ?? 0);
    return { instances: readHealthEntries(response.text), index: Number.isSafeInteger(index) ? index : 0 };
  }

  /** Waits, within reason, until the catalog has the instance, or does not have it any more. */
  async untilSynced(name: string, id: string, isThere: boolean, clock: Clock): Promise<void> {
    const deadlineMs = clock.nowMs() + syncMs;
    let index = 0;
    for (let leftMs = syncMs; leftMs > 0; leftMs = deadlineMs - clock.nowMs()) {
      const answer = await this.readService(name, index, undefined, Math.ceil(leftMs));
      if (answer.instances.some((one) => one.id === id) === isThere) return;
      index = Math.max(1, answer.index);
    }
  }

  #send(request: HttpRequest): Promise<HttpResponse> {
    return this.#http.request(request);
  }
}

function createLease(api: ConsulApi, check: ConsulCheckOptions, clock: Clock): Lease {
  const isTtl = check.kind === "ttl";
  const renewAfterMs = isTtl ? (check.ttlMs ?? 15_000) / 3 : (check.intervalMs ?? 10_000);
  /** An agent keeps what was registered with it, also when another one is used since. */
  const placedAt = new Set<number>();
  return {
    async place(instance, signal) {
      const body = toRegistration(instance, check);
      expectSuccess(
        "registering",
        await api.put("/v1/agent/service/register?replace-existing-checks=true", body, signal),
      );
      placedAt.add(api.agent);
      const enable = instance.health === "not_serving";
      const path = `/v1/agent/service/maintenance/${encodeURIComponent(instance.id)}?enable=${enable}`;
      expectSuccess("setting maintenance", await api.put(`${path}&reason=wants+no+calls`, undefined, signal));
      await api.untilSynced(instance.name, instance.id, true, clock);
      return { renewAfterMs };
    },
    async renew({ id }, signal) {
      const escaped = encodeURIComponent(id);
      const response = isTtl
        ? await api.put(`/v1/agent/check/pass/${encodeURIComponent(checkIdOf(id))}`, undefined, signal)
        : await api.get(`/v1/agent/service/${escaped}`, signal);
      // Before 1.11 an unknown check was a 500.
      if (response.status === 404 || /unknown check/i.test(response.text)) return false;
      expectSuccess("renewing", response);
      return true;
    },
    async remove({ id, name }) {
      const response = await api.put(`/v1/agent/service/deregister/${encodeURIComponent(id)}`);
      if (response.status !== 404) expectSuccess("deregistering", response);
      placedAt.delete(api.agent);
      // Those that were used before: one that is gone does not respond, and its entry ends with its check.
      const path = `/v1/agent/service/deregister/${encodeURIComponent(id)}`;
      await Promise.allSettled([...placedAt].map((agent) => api.putAt(agent, path)));
      placedAt.clear();
      await api.untilSynced(name, id, false, clock);
    },
  };
}

function expectSuccess(what: string, response: HttpResponse): void {
  if (response.status !== 200) throw statusError(what, response);
}

/**
 * One blocking query after the other, as Consul's documentation requires: the index is opaque, has to be more than 0, and begins
 * again when it goes back, because the state it belongs to has been replaced.
 */
function createBlockingQuery(api: ConsulApi, name: string, sink: WatchSink, clock: Clock) {
  let index = 0;
  let hasToBlock = false;
  let settledMs = 0;
  return async (signal: AbortSignal, onProgress: () => void): Promise<void> => {
    // A query must not wait beyond the moment when instances that have not come back are removed.
    const untilSettledMs = settledMs === 0 ? undefined : Math.max(1, Math.ceil(settledMs - clock.nowMs()));
    // After a failure the first response must come at once, or a recovery would go unnoticed until the next change.
    const after = hasToBlock ? index : 0;
    hasToBlock = false;
    const answer = await api.readService(name, after, signal, untilSettledMs);
    onProgress();
    const hasGoneBack = answer.index < index;
    if (hasGoneBack) settledMs = clock.nowMs() + settleMs;
    const isSettling = settledMs > clock.nowMs();
    if (!isSettling && settledMs !== 0) {
      settledMs = 0;
      sink.replace(answer.instances);
    } else if (after !== 0 && answer.index === index) sink.confirm();
    else sink.replace(answer.instances, { isSettling });
    index = Math.max(1, answer.index);
    hasToBlock = true;
  };
}
