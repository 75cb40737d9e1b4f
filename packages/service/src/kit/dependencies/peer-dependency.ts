import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { matchesVersion, type Registry } from "@tercel/discovery";
import type { Clock } from "@tercel/grpc";
import { askHealth } from "@tercel/grpc/services";
import type { DependencySection } from "../../config/index.ts";
import { type Dependency, selfService } from "./service-health.ts";

/** Looks up and reaches another service. */
export interface PeerLookup {
  /** Registry; not used for a service with a target. */
  readonly registry: Registry | undefined;
  /** Returns a channel to the service, in the dependency's version. */
  channel(dependency: DependencySection): Transport;
  /** Whether it runs in this process and is not looked up. */
  isNearby(dependency: DependencySection): boolean;
  /** Whether it is currently required. */
  isRequired(name: string): boolean;
  readonly clock: Clock;
}

/**
 * Creates the dependency on another service: it must have an instance of the version that is SERVING by itself. The peer's own dependencies are ignored,
 * so that a cycle of services can become ready.
 */
export function peerDependency(dependency: DependencySection, lookup: PeerLookup): Dependency {
  const { name, version, target } = dependency;
  const { registry, channel, clock } = lookup;
  const isKnownPlace = target !== undefined || lookup.isNearby(dependency);
  const label = version === undefined ? name : `${name} ${version}`;
  const transport = channel(dependency);
  /** Time when the registry last returned no instance. */
  let foundNoneAtMs: number | undefined;
  return {
    name: label,
    get required() {
      return lookup.isRequired(name);
    },
    async check(signal) {
      if (registry === undefined || isKnownPlace) return askSelf(label, transport, signal);
      const instances = await registry.getService(name);
      foundNoneAtMs = instances.length === 0 ? clock.nowMs() : undefined;
      if (instances.length === 0) throw new Error(`${label}: no instance at ${registry.description}`);
      if (version !== undefined && !instances.some((one) => matchesVersion(one.version, version))) {
        throw new Error(`${label}: ${versionsOf(instances)}; none is ${version}`);
      }
      await askSelf(label, transport, signal);
    },
    note() {
      return foundNoneAtMs === undefined ? "" : ` (asked ${Math.round((clock.nowMs() - foundNoneAtMs) / 1000)} s ago)`;
    },
  };
}

/** Describes instances: `2 instances, v2.0.1 and v2.1.0`. */
function versionsOf(instances: readonly { readonly version: string }[]): string {
  const versions = [...new Set(instances.map(({ version }) => (version === "" ? "without a version" : version)))];
  const last = versions.pop();
  const listed = versions.length === 0 ? last : `${versions.join(", ")} and ${last}`;
  return `${instances.length} ${instances.length === 1 ? "instance" : "instances"}, ${listed}`;
}

async function askSelf(label: string, transport: Transport, signal: AbortSignal): Promise<void> {
  try {
    try {
      await askHealth(transport, selfService)(signal);
    } catch (error) {
      // Not a service of this kit: only its overall health is available.
      if (ConnectError.from(error).code !== Code.NotFound) throw error;
      await askHealth(transport)(signal);
    }
  } catch (error) {
    throw new Error(`${label}: ${error instanceof ConnectError ? error.rawMessage : (error as Error).message}`, {
      cause: error,
    });
  }
}
