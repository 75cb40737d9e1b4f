import type { Registry } from "@tercel/discovery";
import { type Channel, createClient } from "@tercel/grpc";
import { parse } from "valibot";
import type { ServiceClients } from "../client.ts";
import type { DependencySection } from "../config/index.ts";
import { dependencySection } from "../config/service-schema/dependencies-section.ts";
import type { Lifecycle } from "../lifecycle/lifecycle-contract.ts";
import type { Provider } from "../provider.ts";
import { createChannelInterceptors, type StackParts } from "./call-stacks.ts";
import { openDependencyChannel } from "./dependency-channel.ts";
import { type OpenContext, type OpenProvider, openProvider } from "./open-provider.ts";
import { providerFor } from "./plan-needs.ts";
import type { RunConfig } from "./run-config.ts";

/** How a service finds others, and is found. */
export interface FoundServices extends ServiceClients {
  /** The configured discovery; undefined where there is none. */
  readonly discovery: OpenProvider | undefined;
  readonly registry: Registry | undefined;
  /** The channel to a service, created when it is first asked for and kept. */
  channel(dependency: DependencySection): Channel;
}

const concern = "discovery";
/** A type that says that there is no discovery, where an overlay must switch off what another file configures. */
const none = "none";

/** Opens the configured discovery, and channels over it when they are asked for; all of them close when the life ends. */
export async function findServices(
  life: Lifecycle,
  context: OpenContext & StackParts,
  loadProviders: () => Promise<readonly Provider[]>,
): Promise<FoundServices> {
  const { config, log, clock } = context;
  const discovery = await openDiscovery(life, context, loadProviders);
  const registry = discovery?.opened.port as Registry | undefined;
  const interceptorsOf = await createChannelInterceptors(config, context);
  const channels = await life.start(
    "channels",
    () => new Map<string, Channel>(),
    (open) => Promise.all([...open.values()].map((channel) => channel.close())),
  );

  function channel(dependency: DependencySection): Channel {
    const known = channels.get(dependency.name);
    if (known !== undefined) return known;
    if (registry === undefined && dependency.target === undefined) throw new NoWayToService(dependency.name);
    const interceptors = interceptorsOf(dependency);
    const opened = openDependencyChannel(dependency, { registry, interceptors, log, clock });
    channels.set(dependency.name, opened);
    return opened;
  }

  return {
    discovery,
    registry,
    channel,
    client: (descriptor, service) => createClient(descriptor, channel(dependencyOf(config, service))),
  };
}

/** A service is needed that nothing says how to find. */
class NoWayToService extends Error {
  constructor(service: string) {
    super(
      `the service needs ${service}, but no discovery is configured; add to the configuration:\ndiscovery:\n  providers:\n    embedded: {}\nor where it is:\ndependencies:\n  - name: ${service}\n    target: dns:///${service}:50051`,
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

/** What the configuration says of a service that is called. Without an entry it is optional. */
export function dependencyOf({ dependencies }: RunConfig, service: string): DependencySection {
  return (
    dependencies.find(({ name }) => name === service) ?? parse(dependencySection, { name: service, required: false })
  );
}
