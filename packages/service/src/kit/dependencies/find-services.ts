import type { Transport } from "@connectrpc/connect";
import type { Registry } from "@tercel/discovery";
import { createChannel, createClient } from "@tercel/grpc";
import { parse } from "valibot";
import type { ServiceClients } from "../../client.ts";
import type { DependencySection } from "../../config/index.ts";
import { dependencySection } from "../../config/service-schema/dependencies-section.ts";
import type { Lifecycle } from "../../lifecycle/lifecycle-contract.ts";
import type { Provider } from "../../provider.ts";
import { createChannelInterceptors, type StackParts } from "../calls/call-stacks.ts";
import { type OpenContext, type OpenProvider, openProvider } from "../providers/open-provider.ts";
import { providerFor } from "../providers/plan-needs.ts";
import type { LiveConfig, RunConfig } from "../run-config/run-config.ts";
import { dependencyChannelOptions, targetOf, withDefaultTimeout } from "./dependency-channel.ts";
import { inMemoryOptions, type Neighbours } from "./neighbours.ts";

/** Finds other services and registers this one. */
export interface FoundServices extends ServiceClients {
  /** The configured discovery; undefined if there is none. */
  readonly discovery: OpenProvider | undefined;
  readonly registry: Registry | undefined;
  /** Returns the channel to a service, which is created on first use. */
  channel(dependency: DependencySection): Transport;
  /** Whether a service runs in this process and is called in memory. */
  isNearby(dependency: DependencySection): boolean;
}

/** The context of `findServices`. */
export interface FindContext extends OpenContext, StackParts {
  readonly live: LiveConfig;
  /** Services in the same process. Default: none. */
  readonly neighbours: Neighbours | undefined;
}

const concern = "discovery";
/** The type for no discovery, with which an overlay can disable that of another file. */
const none = "none";

/** Opens the configured discovery, and channels on demand; all are closed at the end of the lifecycle. */
export async function findServices(
  life: Lifecycle,
  context: FindContext,
  loadProviders: () => Promise<readonly Provider[]>,
): Promise<FoundServices> {
  const { config, live, neighbours, log, clock } = context;
  const discovery = await openDiscovery(life, context, loadProviders);
  const registry = discovery?.opened.port as Registry | undefined;
  const interceptorsOf = await createChannelInterceptors(config, context);
  const channels = await life.start(
    "channels",
    () => new Map<string, Transport & { close(): Promise<void> }>(),
    (open) => Promise.all([...open.values()].map((channel) => channel.close())),
  );

  const isNearby = ({ name, version, target }: DependencySection): boolean =>
    target === undefined && neighbours?.has(name, version) === true;

  function open(dependency: DependencySection): Transport & { close(): Promise<void> } {
    const { name, target } = dependency;
    const interceptors = interceptorsOf(dependency);
    const { clientKeepalive: keepalive } = config.grpc;
    const options = dependencyChannelOptions(dependency, { registry, interceptors, keepalive, log, clock });
    if (neighbours !== undefined && isNearby(dependency)) {
      return neighbours.channel(config.service.name, name, inMemoryOptions(name, options));
    }
    if (registry === undefined && target === undefined) throw new NoWayToService(name);
    return createChannel(targetOf(dependency), options);
  }

  function channel(dependency: DependencySection): Transport {
    const { name } = dependency;
    const known = channels.get(name);
    if (known !== undefined) return known;
    const opened = open(dependency);
    const timed = withDefaultTimeout(opened, () => entryOf(live.current, name)?.timeoutMs ?? dependency.timeoutMs);
    channels.set(name, { ...timed, close: () => opened.close() });
    return timed;
  }

  return {
    discovery,
    registry,
    channel,
    isNearby,
    client: (descriptor, service) => createClient(descriptor, channel(dependencyOf(config, service))),
  };
}

/** Thrown for a needed service without discovery or a target. */
class NoWayToService extends Error {
  constructor(service: string) {
    super(
      `cannot find ${service}: no discovery is configured; add to the configuration:\ndiscovery:\n  providers:\n    embedded: {}\nor its address:\ndependencies:\n  - name: ${service}\n    target: dns:///${service}:50051`,
    );
  }
}

async function openDiscovery(
  life: Lifecycle,
  context: OpenContext,
  loadProviders: () => Promise<readonly Provider[]>,
): Promise<OpenProvider | undefined> {
  const entries = context.config.providers.filter((entry) => entry.concern === concern && entry.type !== none);
  const entry = entries.find(({ isDefault }) => isDefault);
  if (entry === undefined) return undefined;
  return openProvider(life, { entry, provider: providerFor(entry, await loadProviders()), needs: [] }, context);
}

/** Returns the configuration of a called service. Without an entry it is optional. */
export function dependencyOf({ dependencies }: Pick<RunConfig, "dependencies">, service: string): DependencySection {
  return entryOf({ dependencies }, service) ?? parse(dependencySection, { name: service, required: false });
}

/** Returns the entry of a service, if it exists. */
export function entryOf(
  { dependencies }: Pick<RunConfig, "dependencies">,
  service: string,
): DependencySection | undefined {
  return dependencies.find(({ name }) => name === service);
}
