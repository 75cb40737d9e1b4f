import { randomUUID } from "node:crypto";
import { isIPv6 } from "node:net";
import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";

/** Whether an instance accepts calls. Registries without health checks report "unknown", and such instances get calls like "serving" ones. */
export type InstanceHealth = "serving" | "not_serving" | "unknown";

/** One running instance of a service, as a registry reports it. */
export interface ServiceInstance {
  /** Unique among the instances of the registry. */
  readonly id: string;
  /** The name of the service. */
  readonly name: string;
  /** For example "v1.4.0". Empty if the registry does not know it. */
  readonly version: string;
  /** Host name or IP address. */
  readonly address: string;
  readonly port: number;
  /** The resolver reads "zone", "weight" and "authority". Other keys are for the application. */
  readonly metadata: ReadonlyMap<string, string>;
  /** The full names of the gRPC services that it serves. */
  readonly endpoints: readonly string[];
  /** The names of the services that it calls. */
  readonly dependencies: readonly string[];
  readonly health: InstanceHealth;
}

/** The description of an instance for `Registry.register`. */
export interface Registration {
  /** The name of the service: up to 128 letters, digits, `.`, `_` and `-`; the first and the last a letter or digit. */
  readonly name: string;
  /** The host name or IP address that clients connect to, so not `0.0.0.0` or `::`. */
  readonly address: string;
  readonly port: number;
  /** Up to 128 printable ASCII characters. Default: a random UUID. With a fixed id, a restarted process replaces its previous registration. */
  readonly id?: string;
  readonly version?: string;
  /** Up to 64 entries. Keys have up to 128 letters, digits, `_` and `-`, values up to 512 characters: Consul's limits. */
  readonly metadata?: Readonly<Record<string, string>> | ReadonlyMap<string, string>;
  readonly endpoints?: readonly string[];
  readonly dependencies?: readonly string[];
  /** Default "serving". */
  readonly health?: InstanceHealth;
}

const registrationFields: readonly (keyof Registration)[] = [
  "name",
  "address",
  "port",
  "id",
  "version",
  "metadata",
  "endpoints",
  "dependencies",
  "health",
];

const maxListEntries = 256;

/**
 * Returns the instance that a registration describes, with defaults.
 *
 * @throws TypeError or RangeError that names the invalid field and its rule
 */
export function createInstance(registration: Registration): ServiceInstance {
  refuseUnknownOptions("register", registration, registrationFields);
  const { metadata = {}, endpoints = [], dependencies = [] } = registration;
  const instance: ServiceInstance = {
    id: registration.id ?? randomUUID(),
    name: registration.name,
    version: registration.version ?? "",
    address: registration.address,
    port: registration.port,
    metadata: new Map(metadata instanceof Map ? metadata : Object.entries(metadata)),
    endpoints: [...endpoints],
    dependencies: [...dependencies],
    health: registration.health ?? "serving",
  };
  checkInstance(instance);
  return instance;
}

/** @throws TypeError or RangeError that names the invalid field of the instance */
export function checkInstance(instance: ServiceInstance): void {
  const where = "register";
  checkServiceName(where, instance.name);
  checkText(where, "id", instance.id, /^[\x21-\x7e]{1,128}$/, "1 to 128 printable ASCII characters without space");
  checkText(where, "version", instance.version, /^[\x20-\x7e]{0,128}$/, "at most 128 printable ASCII characters");
  checkText(where, "address", instance.address, /^[A-Za-z0-9._:~-]{1,254}$/, "a host name or an IP address");
  if (instance.address.includes(":") && !isIPv6(instance.address)) {
    throw new TypeError(
      `${where}: address ${instance.address} is neither a host nor an IPv6 address; the port belongs in port`,
    );
  }
  if (instance.address === "0.0.0.0" || instance.address === "::") {
    throw new TypeError(`${where}: address ${instance.address} is not an address that others can connect to`);
  }
  checkWholeNumber(where, "port", instance.port, 1, 65_535);
  if (!["serving", "not_serving", "unknown"].includes(instance.health)) {
    throw new RangeError(`${where}: health is ${JSON.stringify(instance.health)}; it is "serving" or "not_serving"`);
  }
  checkWholeNumber(where, "the number of metadata entries", instance.metadata.size, 0, 64);
  for (const [key, value] of instance.metadata) {
    checkText(where, "a metadata key", key, /^[A-Za-z0-9_-]{1,128}$/, "1 to 128 letters, digits, '_' and '-'");
    checkText(where, `metadata ${key}`, value, /^[^\0]{0,512}$/s, "at most 512 characters");
  }
  for (const name of ["endpoints", "dependencies"] as const) {
    checkWholeNumber(where, `the number of ${name}`, instance[name].length, 0, maxListEntries);
    // A comma would split an entry in registries that store the list as one string.
    for (const one of instance[name]) {
      checkText(where, `an entry of ${name}`, one, /^[\x21-\x2b\x2d-\x7e]{1,256}$/, "1 to 256 characters, no comma");
    }
  }
}

/** @throws TypeError unless `name` is valid in every registry, where it is part of a path, a key, a label and a host name */
export function checkServiceName(where: string, name: string): void {
  checkText(
    where,
    "the service's name",
    name,
    /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/,
    "1 to 128 letters, digits, '.', '_' and '-', the first and last a letter or digit",
  );
}

function checkText(where: string, what: string, text: string, pattern: RegExp, rule: string): void {
  if (typeof text === "string" && pattern.test(text)) return;
  const found = JSON.stringify(text)?.slice(0, 80);
  throw new TypeError(`${where}: ${what} is ${found}; it has to be ${rule}`);
}

/** Whether two instances have equal fields. */
export function isSameInstance(a: ServiceInstance, b: ServiceInstance): boolean {
  if (a === b) return true;
  return (
    a.id === b.id &&
    a.name === b.name &&
    a.version === b.version &&
    a.address === b.address &&
    a.port === b.port &&
    a.health === b.health &&
    isSameList(a.endpoints, b.endpoints) &&
    isSameList(a.dependencies, b.dependencies) &&
    isSameMap(a.metadata, b.metadata)
  );
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, at) => one === b[at]);
}

function isSameMap(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}
