// Converts an instance to and from its form in Consul's HTTP API.
import { Code, ConnectError } from "@connectrpc/connect";
import type { InstanceHealth, ServiceInstance } from "../port/instance.ts";
import type { ConsulCheckOptions } from "./consul-options.ts";

/** The fields of an entry of /v1/health/service that are read. */
interface HealthEntry {
  readonly Node?: { readonly Address?: string };
  readonly Service?: {
    readonly ID?: string;
    readonly Service?: string;
    readonly Tags?: readonly string[] | null;
    readonly Address?: string;
    readonly Port?: number;
    readonly Meta?: Readonly<Record<string, string>> | null;
  };
  readonly Checks?: readonly { readonly Status?: string }[];
}

/** Keys of Meta that store fields of an instance. A list that is too long for one value continues in `endpoints-2` and so on. */
const ownKey = /^(version|(endpoints|dependencies)(-\d+)?)$/;
/** Consul's limit for a value of Meta. */
const maxValueChars = 512;

/** The body of /v1/agent/service/register. */
export function toRegistration(instance: ServiceInstance, check: ConsulCheckOptions): Record<string, unknown> {
  for (const key of instance.metadata.keys()) {
    if (!ownKey.test(key)) continue;
    throw new ConnectError(
      `metadata key "${key}" is reserved: the Consul registry stores a field of the instance in it`,
      Code.InvalidArgument,
    );
  }
  const body = toCheck(instance, check);
  return {
    ID: instance.id,
    Name: instance.name,
    Address: instance.address,
    Port: instance.port,
    Tags: instance.version === "" ? [] : [instance.version],
    Meta: {
      ...Object.fromEntries(instance.metadata),
      version: instance.version,
      ...splitList("endpoints", instance.endpoints),
      ...splitList("dependencies", instance.dependencies),
    },
    ...(body !== undefined && { Check: body }),
  };
}

/** Reads the response of /v1/health/service. Entries of other programs may lack any field. */
export function readHealthEntries(text: string): ServiceInstance[] {
  const entries: unknown = JSON.parse(text);
  if (!Array.isArray(entries)) throw new ConnectError("Consul's response is not a list", Code.Internal);
  const byId = new Map<string, ServiceInstance>();
  for (const instance of (entries as HealthEntry[]).flatMap(readEntry)) {
    // An instance that has moved to another agent is listed twice for a while, and fails its check at the old one.
    if (byId.get(instance.id)?.health !== "serving") byId.set(instance.id, instance);
  }
  return [...byId.values()];
}

function readEntry({ Node, Service, Checks }: HealthEntry): ServiceInstance[] {
  const address = Service?.Address || Node?.Address;
  if (Service?.ID === undefined || address === undefined || !Service.Port) return [];
  const meta = new Map(Object.entries(Service.Meta ?? {}));
  return [
    {
      id: Service.ID,
      name: Service.Service ?? "",
      version: meta.get("version") ?? (Service.Tags ?? []).find((tag) => /^v?\d/.test(tag)) ?? "",
      address,
      port: Service.Port,
      metadata: new Map([...meta].filter(([key]) => !ownKey.test(key))),
      endpoints: joinList("endpoints", meta),
      dependencies: joinList("dependencies", meta),
      health: healthOf(Checks ?? []),
    },
  ];
}

/** The worst check decides. A warning is for the operator: the instance still serves. */
function healthOf(checks: readonly { readonly Status?: string }[]): InstanceHealth {
  return checks.some(({ Status }) => Status === "critical" || Status === "maintenance") ? "not_serving" : "serving";
}

function toCheck(
  { id, address, port }: ServiceInstance,
  check: ConsulCheckOptions,
): Record<string, unknown> | undefined {
  const kind = check.kind ?? "grpc";
  if (kind === "none") return undefined;
  const host = address.includes(":") ? `[${address}]` : address;
  const hostPort = `${host}:${port}`;
  const common = {
    CheckID: checkIdOf(id),
    Name: `${kind} check of ${id}`,
    DeregisterCriticalServiceAfter: duration(check.deregisterAfterMs ?? 60_000),
    // Consul's default is critical until the first check has run, but an instance listens before it registers.
    Status: "passing",
  };
  if (kind === "ttl") return { ...common, TTL: duration(check.ttlMs ?? 15_000) };
  const polled = {
    ...common,
    Interval: duration(check.intervalMs ?? 10_000),
    Timeout: duration(check.timeoutMs ?? 5000),
    ...(check.skipTlsVerify === true && { TLSSkipVerify: true }),
  };
  if (kind === "tcp") return { ...polled, TCP: hostPort };
  if (kind === "http") {
    const scheme = check.tls === true ? "https" : "http";
    return { ...polled, HTTP: `${scheme}://${host}:${check.httpPort ?? port}${check.path ?? "/health"}` };
  }
  const service = check.healthService === undefined ? "" : `/${check.healthService}`;
  return { ...polled, GRPC: `${hostPort}${service}`, GRPCUseTLS: check.tls ?? false };
}

export function checkIdOf(instanceId: string): string {
  return `service:${instanceId}`;
}

export function duration(ms: number): string {
  return `${ms}ms`;
}

function splitList(key: string, entries: readonly string[]): Record<string, string> {
  const values: string[] = [];
  for (const entry of entries) {
    const last = values.at(-1);
    if (last !== undefined && last.length + 1 + entry.length <= maxValueChars)
      values[values.length - 1] = `${last},${entry}`;
    else values.push(entry);
  }
  return Object.fromEntries(values.map((value, at) => [at === 0 ? key : `${key}-${at + 1}`, value]));
}

function joinList(key: string, meta: ReadonlyMap<string, string>): string[] {
  const entries: string[] = [];
  for (let at = 1; ; at++) {
    const value = meta.get(at === 1 ? key : `${key}-${at}`);
    if (value === undefined) return entries;
    entries.push(...value.split(",").filter((entry) => entry !== ""));
  }
}
