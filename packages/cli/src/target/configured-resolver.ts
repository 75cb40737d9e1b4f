import { Code, ConnectError } from "@connectrpc/connect";
import type { Registry, ServiceInstance } from "@tercel/discovery";
import { systemClock } from "@tercel/grpc";
import type { Resolver, ResolverFactory } from "@tercel/grpc/naming";
import type { CommandContext } from "../frame/context.ts";

const scheme = "discovery";

/** Whether a target has the form `discovery:///user-service`, which the configured registry resolves. */
export function isDiscoveryTarget(target: string): boolean {
  return target.startsWith(`${scheme}:`);
}

/**
 * Creates a resolver of `discovery:///name?version=v2` that uses the registry in the configuration of the service in the working folder. The
 * registry is opened when the channel first needs an address, and closed with the channel.
 *
 * @param instanceId ID of the only instance to call. Default: any
 */
export function createConfiguredResolver(
  context: Pick<CommandContext, "cwd" | "env">,
  instanceId?: string,
): ResolverFactory {
  return {
    scheme,
    create(target, listener, host) {
      const closing = new AbortController();
      let inner: Resolver | undefined;
      let registry: Registry | undefined;
      const begin = async (): Promise<void> => {
        const { createDiscoveryResolver } = await import("@tercel/discovery");
        const opened = await openRegistry(context, closing.signal);
        if (closing.signal.aborted) return opened.close();
        registry = opened;
        const filter = instanceId === undefined ? {} : { filter: ({ id }: ServiceInstance) => id === instanceId };
        inner = createDiscoveryResolver(opened, filter).create(target, listener, host);
      };
      begin().catch((error: unknown) => {
        if (!closing.signal.aborted) listener.onError(ConnectError.from(error, Code.Unavailable));
      });
      return {
        resolveNow: () => inner?.resolveNow(),
        close() {
          closing.abort();
          inner?.close();
          void registry?.close();
        },
      };
    },
  };
}

async function openRegistry(context: Pick<CommandContext, "cwd" | "env">, signal: AbortSignal): Promise<Registry> {
  // Loaded on demand, because few calls need it.
  const { loadProjectConfig } = await import("../config/load-project-config.ts");
  const { knownProviders } = await import("@tercel/service/internal");
  const { createRegistry } = await import("@tercel/interceptors/metrics");
  const { value } = await loadProjectConfig({ set: [] }, context);
  const { entries = [], default: chosen } = value.concerns.discovery ?? {};
  const entry = entries.find(({ name }) => name === chosen) ?? entries[0];
  const provider = (await knownProviders(new Set([scheme]))).find(({ type }) => type === entry?.type);
  if (entry === undefined || provider === undefined) {
    throw new Error(`no registry is configured in ${context.cwd}: set discovery.providers`);
  }
  // A service may host the embedded registry; a call is only its client.
  const config = entry.type === "embedded" ? { ...(entry.config as object), serve: false } : entry.config;
  try {
    const { port } = await provider.open(config, {
      name: entry.name,
      service: value.service.name,
      log: { debug() {}, info() {}, warn() {}, error() {} },
      metrics: createRegistry(),
      clock: systemClock,
      signal,
    });
    return port as Registry;
  } catch (error) {
    throw new Error(`discovery ${entry.name}: ${ConnectError.from(error).rawMessage}`, { cause: error });
  }
}
