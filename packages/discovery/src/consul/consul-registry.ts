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

/** After Consul has lost its state, instances get this long to notice and register again. */
const settleMs = 30_000;
/** How long to wait until an agent's change has reached the catalog that clients read. */
const syncMs = 2000;

/**
 * Creates a registry that uses the HTTP API of a Consul agent. The agent checks the instances; watches are blocking queries.
 *
 * @throws TypeError or RangeError that names the invalid option, Error when a TLS file cannot be read
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

interface ServiceResponse {
  readonly instances: ServiceInstance[];
  readonly index: number;
}

/** The requests of Consul's API that the registry uses. */
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

  /** The index of the agent in use. */
  get agent(): number {
    return this.#http.current;
  }

  /** Sends a request to this agent only. */
  putAt(agent: number, path: string): Promise<HttpResponse> {
    return this.#http.at(agent, { method: "PUT", path, timeoutMs: this.#timeoutMs });
  }

  async get(path: string, signal?: AbortSignal): Promise<HttpResponse> {
    return this.#send({ path, timeoutMs: this.#timeoutMs, ...(signal !== undefined && { signal }) });
  }

  /** Returns the instances: at once, or with `after`, when they have changed since that index or the wait is over. */
  async readService(name: string, after = 0, signal?: AbortSignal, waitMs = this.#waitMs): Promise<ServiceResponse> {
    const wait = after === 0 ? "" : `index=${after}&wait=${waitMs}ms`;
    const query = [this.#query, wait].filter((part) => part !== "").join("&");
    const path = `/v1/health/service/${encodeURIComponent(name)}${query === "" ? "" : `?${query}`}`;
    // Consul adds up to a sixteenth to the wait, so that clients do not return all at once.
    const timeoutMs = after === 0 ? this.#timeoutMs : waitMs + waitMs / 16 + this.#timeoutMs;
    // Only watches pass a signal.
    const background = signal === undefined ? {} : { signal, keepsProcessAlive: false };
    const response = await this.#send({ path, timeoutMs, ...background });
    if (response.status !== 200) throw statusError(`reading ${name}`, response);
    // A blocking query that the agent serves from its event stream never reports a leader, even if one exists.
    const isFromStream = response.headers["x-consul-query-backend"] === "streaming";
    if (response.headers["x-consul-knownleader"] === "false" && !isFromStream) {
      throw new ConnectError("its cluster has no leader", Code.Unavailable);
    }
    const index = Number(response.headers["x-consul-index"] ?? 0);
    return { instances: readHealthEntries(response.text), index: Number.isSafeInteger(index) ? index : 0 };
  }

  /** Waits, at most `syncMs`, until the catalog has the instance, or no longer has it. */
  async untilSynced(name: string, id: string, isThere: boolean, clock: Clock): Promise<void> {
    const deadlineMs = clock.nowMs() + syncMs;
    let index = 0;
    for (let leftMs = syncMs; leftMs > 0; leftMs = deadlineMs - clock.nowMs()) {
      const response = await this.readService(name, index, undefined, Math.ceil(leftMs));
      if (response.instances.some((one) => one.id === id) === isThere) return;
      index = Math.max(1, response.index);
    }
  }

  #send(request: HttpRequest): Promise<HttpResponse> {
    return this.#http.request(request);
  }
}

function createLease(api: ConsulApi, check: ConsulCheckOptions, clock: Clock): Lease {
  const isTtl = check.kind === "ttl";
  const renewAfterMs = isTtl ? (check.ttlMs ?? 15_000) / 3 : (check.intervalMs ?? 10_000);
  /** The agents that have the instance: an agent keeps it after the registry has switched to another agent. */
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
      expectSuccess("setting maintenance", await api.put(`${path}&reason=not+serving`, undefined, signal));
      await api.untilSynced(instance.name, instance.id, true, clock);
      return { renewAfterMs };
    },
    async renew({ id }, signal) {
      const escaped = encodeURIComponent(id);
      const response = isTtl
        ? await api.put(`/v1/agent/check/pass/${encodeURIComponent(checkIdOf(id))}`, undefined, signal)
        : await api.get(`/v1/agent/service/${escaped}`, signal);
      // Before 1.11, Consul reported an unknown check with status 500.
      if (response.status === 404 || /unknown check/i.test(response.text)) return false;
      expectSuccess("renewing", response);
      return true;
    },
    async remove({ id, name }) {
      const response = await api.put(`/v1/agent/service/deregister/${encodeURIComponent(id)}`);
      if (response.status !== 404) expectSuccess("deregistering", response);
      placedAt.delete(api.agent);
      // The agents used before. One that does not respond does no harm: its entry ends with its check.
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
 * Runs one blocking query after another by the rules of Consul's documentation: the index is opaque and must be greater than 0. An index
 * that goes backwards means that the state was replaced, and starts again.
 */
function createBlockingQuery(api: ConsulApi, name: string, sink: WatchSink, clock: Clock) {
  let index = 0;
  let hasToBlock = false;
  let settledMs = 0;
  return async (signal: AbortSignal, onProgress: () => void): Promise<void> => {
    // A query must not wait past the moment when instances that have not returned are removed.
    const untilSettledMs = settledMs === 0 ? undefined : Math.max(1, Math.ceil(settledMs - clock.nowMs()));
    // After a failure the first query does not block, or the recovery would go unnoticed until the next change.
    const after = hasToBlock ? index : 0;
    hasToBlock = false;
    const response = await api.readService(name, after, signal, untilSettledMs);
    onProgress();
    const hasGoneBack = response.index < index;
    if (hasGoneBack) settledMs = clock.nowMs() + settleMs;
    const isSettling = settledMs > clock.nowMs();
    if (!isSettling && settledMs !== 0) {
      settledMs = 0;
      sink.replace(response.instances);
    } else if (after !== 0 && response.index === index) sink.confirm();
    else sink.replace(response.instances, { isSettling });
    index = Math.max(1, response.index);
    hasToBlock = true;
  };
}
