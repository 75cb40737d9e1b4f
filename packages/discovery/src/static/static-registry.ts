import { type Clock, systemClock } from "@tercel/grpc";
import { refuseUnknownOptions } from "@tercel/grpc/internal";
import { cannotRegister } from "../port/cannot-register.ts";
import { checkServiceName, createInstance, type Registration, type ServiceInstance } from "../port/instance.ts";
import type { Registry } from "../port/registry.ts";
import { WatchHub } from "../port/watch-hub.ts";
import type { WatchSink } from "../port/watched-service.ts";

/** Instances by service name. The default of `id` is `address:port`. */
export type StaticServices = Readonly<Record<string, readonly Omit<Registration, "name">[]>>;

export interface StaticRegistryOptions {
  readonly services: StaticServices;
  /** For tests. */
  readonly clock?: Clock;
}

export interface StaticRegistry extends Registry {
  /** Replaces the list, for example after a reload of the configuration. Watchers receive the difference. */
  update(services: StaticServices): void;
}

/**
 * Creates a registry with a fixed list of instances.
 *
 * @throws TypeError or RangeError that names the invalid field or option
 */
export function createStaticRegistry(options: StaticRegistryOptions): StaticRegistry {
  refuseUnknownOptions("createStaticRegistry", options, ["services", "clock"]);
  let services = readServices(options.services);
  const sinks = new Map<string, WatchSink>();
  const instancesOf = (name: string): readonly ServiceInstance[] => services.get(name) ?? [];
  const hub = new WatchHub(options.clock ?? systemClock, (name, sink) => {
    sinks.set(name, sink);
    sink.replace(instancesOf(name));
    return () => sinks.delete(name);
  });
  const description = "the configuration's list of services";
  return {
    description,
    canRegister: false,
    async register() {
      throw cannotRegister(description, "its instances come from the configuration");
    },
    async deregister() {},
    async getService(name) {
      checkServiceName("getService", name);
      return instancesOf(name);
    },
    watch: (name, listener, watchOptions) => hub.watch(name, listener, watchOptions),
    async close() {
      hub.close();
    },
    update(changed) {
      services = readServices(changed);
      for (const [name, sink] of sinks) sink.replace(instancesOf(name));
    },
  };
}

function readServices(services: StaticServices): ReadonlyMap<string, readonly ServiceInstance[]> {
  return new Map(
    Object.entries(services).map(([name, instances]) => [
      name,
      instances.map((one) => createInstance({ ...one, name, id: one.id ?? `${one.address}:${one.port}` })),
    ]),
  );
}
