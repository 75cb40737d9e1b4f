import { createFileRegistry, type DescService, type FileRegistry, fromBinary, type Registry } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { Transport } from "@connectrpc/connect";
import { nearestName } from "@tercel/grpc/internal";
import { createReflectionClient } from "@tercel/grpc/services";

/** Services that were loaded without generated code. */
export interface LoadedServices {
  readonly services: readonly DescService[];
  /** All types, for `jsonOptions` of a server whose messages have fields of `google.protobuf.Any`. */
  readonly registry: Registry;
  /**
   * Returns a service by its full name.
   *
   * @throws TypeError for an unknown name, with the nearest known one
   */
  get(typeName: string): DescService;
}

/**
 * Loads services from a descriptor set, as `buf build -o api.binpb` or `protoc --include_imports --descriptor_set_out` writes it.
 *
 * @throws TypeError if the bytes are not a descriptor set with all its imports
 */
export function loadServices(descriptorSet: Uint8Array): LoadedServices {
  let files: FileRegistry;
  try {
    files = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet));
  } catch (error) {
    const hint = "buf build -o api.binpb writes one, and protoc with --include_imports --descriptor_set_out";
    throw new TypeError(`loadServices: not a whole descriptor set: ${(error as Error).message}; ${hint}`, {
      cause: error,
    });
  }
  return collect("loadServices", servicesOf([files]), files);
}

/** Services of gRPC itself, which the gateway's server provides, too. */
const ofServers = /^grpc\.(reflection|health|channelz)\./;

/**
 * Loads the services of a server by reflection, once: services that it adds later are not included. Health, reflection and channelz are left out.
 * Rejects with a ConnectError: UNIMPLEMENTED if the server has no reflection, UNAVAILABLE if it cannot be reached.
 */
export async function loadServicesByReflection(channel: Transport): Promise<LoadedServices> {
  const client = createReflectionClient(channel);
  const names = (await client.listServices()).filter((name) => !ofServers.test(name));
  const registries: FileRegistry[] = [];
  for (const name of names) {
    if (registries.some((one) => one.getService(name) !== undefined)) continue;
    const found = await client.findSymbol(name);
    if (found !== undefined) registries.push(found);
  }
  const services = servicesOf(registries).filter((service) => names.includes(service.typeName));
  return collect("loadServicesByReflection", services, createFileRegistry(...registries));
}

function servicesOf(registries: readonly FileRegistry[]): DescService[] {
  const byName = new Map<string, DescService>();
  for (const registry of registries) {
    for (const one of registry) if (one.kind === "service" && !byName.has(one.typeName)) byName.set(one.typeName, one);
  }
  return [...byName.values()].sort((a, b) => (a.typeName < b.typeName ? -1 : 1));
}

function collect(where: string, services: readonly DescService[], registry: Registry): LoadedServices {
  return {
    services,
    registry,
    get(typeName) {
      const found = services.find((service) => service.typeName === typeName);
      if (found !== undefined) return found;
      const names = services.map((service) => service.typeName);
      const nearest = nearestName(typeName, names);
      const hint = nearest === undefined ? `; there are ${names.join(", ") || "none"}` : `; did you mean "${nearest}"?`;
      throw new TypeError(`${where}: there is no service "${typeName}"${hint}`);
    },
  };
}
