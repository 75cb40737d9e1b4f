// The form of an instance in etcd: one key under its service, with a JSON object as the value.
import { checkInstance, type InstanceHealth, type ServiceInstance } from "../port/instance.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Returns the prefix of all keys of a service. */
export function servicePrefix(prefix: string, name: string): string {
  return `${prefix}/${name}/`;
}

export function instanceKey(prefix: string, { name, id }: Pick<ServiceInstance, "name" | "id">): Uint8Array {
  return encoder.encode(servicePrefix(prefix, name) + id);
}

/** Returns the first key after all keys with this prefix. The prefix ends with a slash, and "0" is the character after it. */
export function endOfPrefix(textWithSlash: string): Uint8Array {
  return encoder.encode(`${textWithSlash.slice(0, -1)}0`);
}

/** Returns the id in a key. An id may contain slashes. */
export function idInKey(prefix: string, name: string, key: Uint8Array): string {
  return decoder.decode(key).slice(servicePrefix(prefix, name).length);
}

export function writeRecord(instance: ServiceInstance): Uint8Array {
  const { metadata, ...fields } = instance;
  return encoder.encode(JSON.stringify({ ...fields, metadata: Object.fromEntries(metadata) }));
}

/** Reads a value, which any program may have written. @throws Error that says what is invalid */
export function readRecord(name: string, id: string, value: Uint8Array): ServiceInstance {
  const record: unknown = JSON.parse(decoder.decode(value));
  if (typeof record !== "object" || record === null) throw new TypeError("the value is not a JSON object");
  const fields = record as Readonly<Record<string, unknown>>;
  const instance: ServiceInstance = {
    id,
    name,
    version: textOr(fields.version, ""),
    address: textOr(fields.address, ""),
    port: Number(fields.port),
    metadata: new Map(Object.entries(fields.metadata ?? {}).map(([key, one]) => [key, String(one)])),
    endpoints: listOf(fields.endpoints),
    dependencies: listOf(fields.dependencies),
    health: textOr(fields.health, "unknown") as InstanceHealth,
  };
  checkInstance(instance);
  return instance;
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
