// For applications.

export type { AdapterOptions } from "./port/adapter-options.ts";
export type { InstanceHealth, Registration, ServiceInstance } from "./port/instance.ts";
export type {
  Registered,
  Registry,
  ServiceSnapshot,
  Watch,
  WatchListener,
  WatchOptions,
  WatchProblem,
} from "./port/registry.ts";
export { serviceSnapshots } from "./port/snapshots.ts";
export { createDiscoveryResolver, type DiscoveryResolverOptions } from "./resolver/discovery-resolver.ts";
export { type InstanceFilter, matchesVersion, parseInstanceFilter } from "./resolver/instance-filter.ts";
export {
  createServiceChannels,
  type ServiceChannels,
  type ServiceChannelsOptions,
} from "./resolver/service-channels.ts";

// For adapters of other registries.

export { adapterOptionNames, readAdapterOptions } from "./port/adapter-options.ts";
export { type FollowOnce, type FollowOptions, follow } from "./port/follow.ts";
export { checkInstance, checkServiceName, createInstance, isSameInstance } from "./port/instance.ts";
export { type KeepRegisteredOptions, type Lease, RegistrationKeeper } from "./port/keep-registered.ts";
export { type FollowService, WatchHub } from "./port/watch-hub.ts";
export type { WatchSink } from "./port/watched-service.ts";
