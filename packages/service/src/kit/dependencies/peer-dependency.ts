import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { matchesVersion, type Registry } from "@tercel/discovery";
import type { Clock } from "@tercel/grpc";
import { askHealth } from "@tercel/grpc/services";
import type { DependencySection } from "../../config/index.ts";
import { type Dependency, selfService } from "./service-health.ts";

/** How another service is looked up and reached. */
export interface PeerLookup {
  /** Not asked for a service whose target says where it is. */
  readonly registry: Registry | undefined;
  /** A channel to the service, of the version that the dependency names. */
  channel(dependency: DependencySection): Transport;
  /** Whether it runs in this process: then it is not looked up. */
  isNearby(dependency: DependencySection): boolean;
  /** Whether it is required at the moment. */
  isRequired(name: string): boolean;
  readonly clock: Clock;
}

/**
 * Another service as a dependency: it has an instance of the version, and one of them says SERVING for itself. What the peer depends on does not
 * matter, so that a cycle of services can become ready.
 */
export function peerDependency(dependency: DependencySection, lookup: PeerLookup): Dependency {
  const { name, version, target } = dependency;
  const { registry, channel, clock } = lookup;
  const isKnownPlace = target !== undefined || lookup.isNearby(dependency);
  const label = version === undefined ? name : `${name} ${version}`;
  const transport = channel(dependency);
  /** When the registry said that there is no instance. */
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

/** `2 instances, v2.0.1 and v2.1.0`. */
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
      // Not a service of this kit: what it says of itself as a whole is all there is.
      if (ConnectError.from(error).code !== Code.NotFound) throw error;
      await askHealth(transport)(signal);
    }
  } catch (error) {
    throw new Error(`${label}: ${error instanceof ConnectError ? error.rawMessage : (error as Error).message}`, {
      cause: error,
    });
  }
}
