import { type ListenAddress, type ServerOptions, watchTlsFiles } from "@tercel/grpc";
import type { Health } from "@tercel/grpc/services";
import type { OtlpTracing } from "@tercel/interceptors/otlp";
import { isClientNeed } from "../../client.ts";
import type { Lifecycle } from "../../lifecycle/lifecycle-contract.ts";
import type { Concern, Provider } from "../../provider.ts";
import { createServiceStack } from "../calls/call-stacks.ts";
import { keyProviderOf, openIdempotencyKeys } from "../calls/idempotency-keys.ts";
import { type ServedAddresses, serveCalls } from "../calls/serve-calls.ts";
import { openCountStores, sharedCacheOf } from "../calls/shared-counts.ts";
import type { Definition, Kit, Needs, Parts } from "../definition/definition.ts";
import type { LoadedDefinition } from "../definition/load-definition.ts";
import { recordRoutes } from "../definition/recorded-routes.ts";
import {
  dependencyOf,
  entryOf,
  type FindContext,
  type FoundServices,
  findServices,
} from "../dependencies/find-services.ts";
import { peerDependency } from "../dependencies/peer-dependency.ts";
import { createServiceHealth, type Dependency, providerDependency } from "../dependencies/service-health.ts";
import { addServiceMetrics } from "../observation/documented-metrics.ts";
import { observeService } from "../observation/observe-service.ts";
import { createSharedFamilies } from "../observation/shared-families.ts";
import { knownProviders } from "../providers/built-in-providers.ts";
import { type MetNeeds, meetNeeds, type PrepareClient } from "../providers/meet-needs.ts";
import type { OpenContext } from "../providers/open-provider.ts";
import { planNeeds, withProvider } from "../providers/plan-needs.ts";
import { followConfig } from "../run-config/follow-config.ts";
import { FollowedConfig } from "../run-config/reloaded-config.ts";
import type { RunConfig } from "../run-config/run-config.ts";
import { createSecrets } from "../run-config/service-secret.ts";
import { startBackgroundTasks } from "./background-tasks.ts";
import { explainPortTaken } from "./explain-port-taken.ts";
import type { Surroundings } from "./surroundings.ts";

/** A ready service. */
export interface ReadyService extends ServedAddresses {
  readonly health: Health;
}

/**
 * Starts a service step by step: tracing, providers, discovery and channels, routes, pages, background work, first checks, listener, registration. The
 * steps are undone in reverse at the end of the lifecycle or when a later step fails.
 */
export async function assembleService<N extends Needs, Settings>(
  life: Lifecycle,
  loaded: LoadedDefinition<N, Settings>,
  surroundings: Surroundings,
): Promise<ReadyService> {
  try {
    return await assemble(life, loaded, surroundings);
  } catch (error) {
    throw explainPortTaken(error, loaded.loaded.value.listeners);
  }
}

async function assemble<N extends Needs, Settings>(
  life: Lifecycle,
  loadedDefinition: LoadedDefinition<N, Settings>,
  surroundings: Surroundings,
): Promise<ReadyService> {
  const { definition, loaded, config } = loadedDefinition;
  const { log, clock, neighbours, loopDelay } = surroundings;
  const live = new FollowedConfig<Settings>(config);
  for (const warning of loaded.warnings) log.warn(warning);
  const needs: Needs = definition.needs ?? {};
  const shared = sharedCacheOf(config);
  const keyProvider = config.idempotency?.isEnabled === true ? keyProviderOf(config) : undefined;
  const own = [shared, keyProvider].filter((entry) => entry !== undefined);
  const concerns = new Set([...Object.values(needs), ...own].map(({ concern }) => concern));
  const known = await providersOf(definition, concerns);
  // Before anything opens, so that missing entries are reported at once.
  const planned = planNeeds(needs, config.providers, known);
  const plan = own.reduce((all, entry) => withProvider(all, entry, known), planned);
  const tracing = await startTracing(life, config, surroundings);
  const tls = await followCertificate(life, config, surroundings);
  const metrics = createSharedFamilies(surroundings.metrics);
  const context: FindContext = { config, live, neighbours, log, clock, metrics };
  const services = lookUpServices(life, definition, context, surroundings);
  const met = await meetNeeds(life, needs, plan, context, services.prepareClient);
  const found = await services.found();
  const stopping = new AbortController();
  const health = createServiceHealth(dependenciesOf(needs, met, found, context), { log, clock });
  const kit: Kit<Settings> = {
    config: loaded.value,
    settings: loaded.value.app,
    log,
    health: health.health,
    metrics,
    secret: createSecrets(config),
    stopping: stopping.signal,
    onConfigChange: (listener) => live.onReloaded(listener),
  };
  // The ports have the types that the needs declare.
  const parts = { ...met.ports, ...kit } as Parts<N, Settings>;
  const routes = await recordRoutes((router) => definition.routes(router, parts));
  health.serve(routes.services.map(({ typeName }) => typeName));
  const interceptors = definition.interceptors?.(parts) ?? {};
  const access = typeof definition.access === "function" ? definition.access(parts) : definition.access;
  const { validation } = definition;
  const { secret } = kit;
  const counts = await openCountStores(config, shared, met.providers);
  const keys = await openIdempotencyKeys(config, routes.services, met.providers, {
    log,
    clock,
    secret,
    signal: life.signal,
  });
  const stack = await life.start(
    "interceptors",
    () =>
      createServiceStack(
        live,
        { services: routes.services, access, own: interceptors, validation },
        { ...context, secret, counts, keys, loopDelay },
      ),
    (one) => one.close(),
  );
  if (config.metrics !== undefined) {
    await life.start(
      "metrics by service",
      () => addServiceMetrics(metrics),
      (end) => end(),
    );
  }
  const providers = [...met.providers, ...(found?.discovery === undefined ? [] : [found.discovery])];
  await followConfig(life, loadedDefinition, live, { health, providers, tracing }, surroundings);
  const pages = await observeService(life, config, health, surroundings);
  await met.begin();
  await startTasks(life, definition, parts, context);
  const pauseWork = async (): Promise<void> => {
    stopping.abort(new Error("the service is stopping"));
    await met.pause();
  };
  const { gateway } = definition;
  const served = { routes, stack, health: health.health, pages, gateway, found, tls, pauseWork };
  const addresses = await serveCalls(life, config, served, surroundings);
  const { address, httpAddress } = addresses;
  log.info("ready", {
    service: config.service.name,
    address: textOf(address),
    ...(httpAddress !== undefined && { http: textOf(httpAddress) }),
    services: routes.services.length,
  });
  return { ...addresses, health: health.health };
}

function providersOf(
  { providers }: Pick<Definition, "providers">,
  concerns: ReadonlySet<Concern>,
): Promise<readonly Provider[]> {
  return knownProviders(concerns, providers);
}

/** Starts tracing; undefined if it is not configured, or another service of this process has started it. */
async function startTracing(
  life: Lifecycle,
  { tracing, service }: RunConfig,
  { log, neighbours }: Surroundings,
): Promise<OtlpTracing | undefined> {
  if (tracing === undefined || neighbours?.claimTracing() === false) return undefined;
  const { startOtlpTracing } = await import("@tercel/interceptors/otlp");
  const { serviceName, ...options } = tracing;
  const version = service.version === "" ? {} : { version: service.version };
  return life.start(
    "tracing",
    () => startOtlpTracing({ service: serviceName, ...version, ...options }),
    async (started) => {
      try {
        await started.shutdown();
      } catch (error) {
        // An unavailable collector does not make the stop a failure.
        log.warn("cannot export the last spans", { error });
      }
    },
  );
}

/** Loads the server's certificate and reloads it when its files change. */
async function followCertificate(
  life: Lifecycle,
  { grpc: { certificate } }: RunConfig,
  { log, clock }: Surroundings,
): Promise<ServerOptions["tls"]> {
  if (certificate === undefined) return undefined;
  const { clientAuth, ...paths } = certificate;
  const files = await life.start(
    "certificate",
    () => watchTlsFiles({ ...paths, log, clock }),
    (watched) => watched.close(),
  );
  return { files, ...(clientAuth !== "none" && { requestCert: true, rejectUnauthorized: clientAuth === "required" }) };
}

/** Opens discovery when the first client needs it, or after the needs are met, to register the service. */
function lookUpServices(
  life: Lifecycle,
  definition: Pick<Definition, "providers">,
  context: FindContext,
  { clients }: Surroundings,
): { readonly prepareClient: PrepareClient; found(): Promise<FoundServices | undefined> } {
  let finding: Promise<FoundServices> | undefined;
  const find = (): Promise<FoundServices> => {
    finding ??= findServices(life, context, () => providersOf(definition, new Set(["discovery"])));
    return finding;
  };
  return {
    found: () => (clients === undefined ? find() : Promise.resolve(undefined)),
    async prepareClient(key, need) {
      if (!isClientNeed(need)) throw new TypeError(`needs.${key} is not a client, such as client(Service, "name")`);
      return { port: (clients ?? (await find())).client(need.descriptor, need.service) };
    },
  };
}

/** Returns the dependencies: providers, services with clients, and those in the configuration. */
function dependenciesOf(
  needs: Needs,
  met: MetNeeds,
  found: FoundServices | undefined,
  { config, live, metrics, clock }: FindContext,
): readonly Dependency[] {
  const opened = [...met.providers, ...(found?.discovery === undefined ? [] : [found.discovery])];
  const providers = opened.map((provider) => providerDependency(provider, metrics));
  if (found === undefined) return providers;
  const called = Object.values(needs)
    .filter(isClientNeed)
    .map(({ service }) => dependencyOf(config, service));
  const peers = new Map([...called, ...config.dependencies].map((one) => [one.name, one] as const));
  const { registry, channel, isNearby } = found;
  const isRequired = (name: string): boolean => entryOf(live.current, name)?.isRequired ?? false;
  const lookup = { registry, channel, isNearby, isRequired, clock };
  return [...providers, ...[...peers.values()].map((peer) => peerDependency(peer, lookup))];
}

async function startTasks<N extends Needs, Settings>(
  life: Lifecycle,
  { background = {} }: Definition<N, Settings>,
  parts: Parts<N, Settings>,
  { clock, log }: OpenContext,
): Promise<void> {
  const tasks = Object.entries(background).map(
    ([name, task]) => [name, (signal: AbortSignal) => task(parts, signal)] as const,
  );
  if (tasks.length === 0) return;
  await life.start(
    "background tasks",
    () => startBackgroundTasks(Object.fromEntries(tasks), { clock, log }),
    (started) => started.stop(),
  );
}

function textOf({ host, port, path }: ListenAddress): string {
  return path ?? `${host}:${port}`;
}
