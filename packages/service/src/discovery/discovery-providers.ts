import type { Registry } from "@tercel/discovery";
import type { GenericSchema } from "valibot";
import {
  type ConsulConfig,
  consulConfig,
  type DnsConfig,
  dnsConfig,
  type EmbeddedConfig,
  type EtcdConfig,
  embeddedConfig,
  etcdConfig,
  type KubernetesConfig,
  kubernetesConfig,
  type StaticConfig,
  staticConfig,
} from "../config/service-schema/discovery-types.ts";
import { PermanentError } from "../permanent-error.ts";
import type { Opened, Provider, ProviderHost } from "../provider.ts";
import { parseHostAndPort } from "./parse-host-and-port.ts";

const concern = "discovery";

/** Creates a provider from a function that creates a registry. Checks the registry at once, so that opening can be retried. */
function registryProvider<Config>(
  type: string,
  config: GenericSchema<never, Config> | GenericSchema<unknown, Config>,
  create: (config: Config, host: ProviderHost) => Promise<{ readonly registry: Registry; close?(): Promise<void> }>,
): Provider<Config, Registry> {
  return {
    concern,
    type,
    config: config as GenericSchema<unknown, Config>,
    async open(given, host): Promise<Opened<Config, Registry>> {
      const { registry, close } = await create(given, host);
      const end = async (): Promise<void> => {
        await registry.close();
        await close?.();
      };
      const ask = async (): Promise<void> => {
        await registry.getService(host.service);
      };
      try {
        await ask();
      } catch (error) {
        await end();
        throw error;
      }
      return { port: registry, describe: registry.description, check: ask, close: end };
    },
  };
}

/** The built-in registries. Each adapter is loaded when it is opened. */
export const discoveryProviders: readonly Provider[] = [
  registryProvider<EmbeddedConfig>("embedded", embeddedConfig, async ({ target, leaseMs, serve }, { log, clock }) => {
    const { createEmbeddedRegistry } = await import("@tercel/discovery/embedded");
    const hosted = serve ? await (await import("./host-registry.ts")).hostRegistry(target, { log, clock }) : undefined;
    const registry = createEmbeddedRegistry({ target, leaseMs, log, clock });
    return { registry, ...(hosted !== undefined && { close: () => hosted.close() }) };
  }),
  registryProvider<StaticConfig>("static", staticConfig, async ({ services }, { clock }) => {
    const { createStaticRegistry } = await import("@tercel/discovery/static");
    const listed = Object.entries(services).map(
      ([name, instances]) => [name, instances.map(parseHostAndPort)] as const,
    );
    return { registry: createStaticRegistry({ services: Object.fromEntries(listed), clock }) };
  }),
  registryProvider<DnsConfig>("dns", dnsConfig, async (options, { log, clock }) => {
    const { createDnsRegistry } = await import("@tercel/discovery/dns");
    return { registry: createDnsRegistry({ ...options, log, clock }) };
  }),
  registryProvider<ConsulConfig>(
    "consul",
    consulConfig,
    async (config, { log, clock, httpPort, servesTls = false, httpServesTls = false }) => {
      const { createConsulRegistry } = await import("@tercel/discovery/consul");
      // Registered names and ports are not options of the registry.
      const { serviceName: _name, servicePort: _port, check: given, ...options } = config;
      if (given.kind === "http" && httpPort === undefined) {
        throw new PermanentError(
          "no HTTP port is configured for consul's check of health_check.path; set service.port next to communication.providers.grpc.port, or remove the path for a gRPC check",
        );
      }
      // The certificate is for the service's name, not for its address.
      const isTls = (servesTls && given.kind === "grpc") || (httpServesTls && given.kind === "http");
      const check = {
        ...given,
        ...(given.kind === "http" && httpPort !== undefined && { httpPort }),
        ...(isTls && { tls: true, skipTlsVerify: true }),
      };
      return { registry: createConsulRegistry({ ...options, check, log, clock }) };
    },
  ),
  registryProvider<EtcdConfig>("etcd", etcdConfig, async ({ tls, ...options }, { log, clock }) => {
    const { createEtcdRegistry } = await import("@tercel/discovery/etcd");
    const { clientTls } = await import("../kit/dependencies/client-tls.ts");
    return { registry: createEtcdRegistry({ ...options, ...(tls.enabled && { tls: clientTls(tls) }), log, clock }) };
  }),
  registryProvider<KubernetesConfig>("kubernetes", kubernetesConfig, async (options, { log, clock }) => {
    const { createKubernetesRegistry } = await import("@tercel/discovery/kubernetes");
    return { registry: createKubernetesRegistry({ ...options, log, clock }) };
  }),
];
