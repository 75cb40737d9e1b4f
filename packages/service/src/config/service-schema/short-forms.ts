import { optional, strictObject } from "valibot";
import type { ConfigProblem } from "../config-problem.ts";
import {
  type ConfigNode,
  childOf,
  isUnset,
  type MapEntry,
  type MapNode,
  nodeAt,
  withEntry,
} from "../document/config-node.ts";
import { placeOf } from "../document/origin.ts";
import { flag, port, share, text } from "../values/basic-values.ts";
import { duration } from "../values/duration.ts";

/** `registry`: one registry, in short. Other keys are those of its type. */
export const registryShort = strictObject({
  type: optional(text({ description: "consul, embedded, etcd, … as under `discovery.providers`." })),
  address: optional(text({ description: "Address of the registry." })),
  token: optional(text({ secret: true, description: "ACL token of Consul." })),
  check_interval: optional(duration({ description: "`health_check.interval` of Consul." })),
  check_timeout: optional(duration({ description: "`health_check.timeout` of Consul." })),
  deregister_after: optional(duration({ description: "`health_check.deregister_after` of Consul." })),
});

/** `tracing`: one exporter, in short. */
export const tracingShort = strictObject({
  enabled: optional(flag({ description: "`false` disables traces." }), true),
  jaeger_endpoint: optional(text({ description: "`monitoring.providers.jaeger.endpoint`" })),
  otlp_endpoint: optional(text({ description: "`monitoring.providers.otlp.endpoint`" })),
  sample_rate: optional(share({ reload: true, description: "`sample_rate` of that entry." })),
  service_name: optional(text({ description: "`service_name` of that entry." })),
});

/** `metrics`, in short. */
export const metricsShort = strictObject({
  enabled: optional(flag({ description: "`false` disables metrics." }), true),
  prometheus_port: optional(port({ description: "`monitoring.providers.prometheus.endpoint`, on every interface." })),
  path: optional(text({ description: "`monitoring.providers.prometheus.path`" })),
});

/** Keys of `security` that are `communication.providers.grpc.tls` in short. */
export const securityTlsShort = strictObject({
  tls_enabled: optional(flag({ description: "`communication.providers.grpc.tls.enabled`." })),
  cert_file: optional(
    text({ expects: "the path of a file", description: "`communication.providers.grpc.tls.cert_file`." }),
  ),
  key_file: optional(
    text({ expects: "the path of a file", description: "`communication.providers.grpc.tls.key_file`." }),
  ),
  ca_file: optional(
    text({ expects: "the path of a file", description: "`communication.providers.grpc.tls.ca_file`." }),
  ),
});

const grpcTls = ["communication", "providers", "grpc", "tls"];

/**
 * Expands short forms to canonical keys: `registry` to `discovery`, `tracing` and `metrics` to `monitoring`, and the TLS keys of `security` to
 * gRPC's. Messages still name the keys as written.
 */
export function expandShortForms(root: MapNode): {
  readonly root: MapNode;
  readonly problems: readonly ConfigProblem[];
} {
  const problems: ConfigProblem[] = [];
  const expanded = shortForms.reduce((map, form) => move(map, form, problems), root);
  return { root: moveTls(expanded, problems), problems };
}

/** The expansion of a short section: nodes and their paths. */
type Expanded = readonly { readonly at: readonly string[]; readonly entry: MapEntry }[];

interface ShortForm {
  readonly key: string;
  /** Canonical sections that conflict with the short form. */
  readonly reserved?: readonly string[];
  readonly expand: (section: MapNode, problems: ConfigProblem[]) => Expanded;
}

const shortForms: readonly ShortForm[] = [
  { key: "registry", reserved: ["discovery"], expand: expandRegistry },
  { key: "tracing", expand: expandTracing },
  { key: "metrics", expand: expandMetrics },
];

function move(root: MapNode, { key, reserved, expand }: ShortForm, problems: ConfigProblem[]): MapNode {
  const short = root.entries.get(key);
  if (short === undefined || isUnset(short.node)) return root;
  if (short.node.kind !== "map") {
    problems.push({ origin: short.node.origin, message: `invalid ${key}: expected a map of keys` });
    return withEntry(root, key, undefined);
  }
  const expanded = expand(short.node, problems);
  const taken = [...(reserved === undefined ? [] : [reserved]), ...expanded.map(({ at }) => at.slice(0, 3))];
  const conflict = taken.find((path) => !isUnset(nodeAt(root, path)));
  const without = withEntry(root, key, undefined);
  if (conflict === undefined) return expanded.reduce((map, { at, entry }) => put(map, at, entry), without);
  problems.push({ origin: short.keyOrigin, message: sameThing(key, conflict, root) });
  return without;
}

function sameThing(short: string, canonical: readonly string[], root: MapNode): string {
  const parent = nodeAt(root, canonical.slice(0, -1));
  const other = parent?.kind === "map" ? parent.entries.get(canonical.at(-1) ?? "") : undefined;
  const place = other === undefined ? "" : ` at ${placeOf(other.keyOrigin)}`;
  return `${short} and ${canonical.join(".")}${place} set the same; keep one of them`;
}

/** Returns the map with an entry at a path; creates missing maps. */
function put(map: MapNode, [key = "", ...rest]: readonly string[], entry: MapEntry): MapNode {
  if (rest.length === 0) return withEntry(map, key, entry.node, entry.keyOrigin);
  const below = childOf(map, key);
  const child: MapNode =
    below?.kind === "map"
      ? below
      : {
          kind: "map",
          entries: new Map(),
          origin: entry.keyOrigin,
          ...(entry.node.writtenAs !== undefined && { writtenAs: entry.node.writtenAs }),
        };
  return withEntry(map, key, put(child, rest, entry), map.entries.get(key)?.keyOrigin ?? entry.keyOrigin);
}

function written(entry: MapEntry, writtenAs: string, node: ConfigNode = entry.node): MapEntry {
  return { ...entry, node: { ...node, writtenAs } };
}

function expandRegistry(section: MapNode, problems: ConfigProblem[]): Expanded {
  const type = childOf(section, "type");
  if (type?.kind !== "scalar" || typeof type.value !== "string") {
    problems.push({
      origin: section.origin,
      message: "registry.type is missing; expected a type of discovery, such as consul",
    });
    return [];
  }
  const name = type.value;
  const at = ["discovery", "providers", name];
  const renamed: Record<string, readonly string[]> = {
    check_interval: ["health_check", "interval"],
    check_timeout: ["health_check", "timeout"],
    deregister_after: ["health_check", "deregister_after"],
    ...(name === "embedded" && { address: ["target"] }),
    ...(name === "etcd" && { address: ["endpoints"] }),
  };
  return [...section.entries].map(([key, entry]) => {
    const node: ConfigNode =
      name === "etcd" && key === "address" && entry.node.kind === "scalar"
        ? { kind: "list", items: [entry.node], origin: entry.node.origin }
        : entry.node;
    return { at: [...at, ...(renamed[key] ?? [key])], entry: written(entry, `registry.${key}`, node) };
  });
}

function expandTracing(section: MapNode): Expanded {
  const name = childOf(section, "jaeger_endpoint") === undefined ? "otlp" : "jaeger";
  return [...section.entries].map(([key, entry]) => {
    const target = key === `${name}_endpoint` ? "endpoint" : key;
    return { at: ["monitoring", "providers", name, target], entry: written(entry, `tracing.${key}`) };
  });
}

function expandMetrics(section: MapNode, problems: ConfigProblem[]): Expanded {
  return [...section.entries].flatMap(([key, entry]) => {
    const at = ["monitoring", "providers", "prometheus"];
    const writtenAs = `metrics.${key}`;
    if (key !== "prometheus_port") return [{ at: [...at, key], entry: written(entry, writtenAs) }];
    const { node } = entry;
    const number = node.kind === "scalar" ? node.value : undefined;
    if (typeof number === "number" && Number.isInteger(number) && number >= 0 && number <= 65_535) {
      const endpoint: ConfigNode = { kind: "scalar", value: `:${number}`, origin: node.origin };
      return [{ at: [...at, "endpoint"], entry: written(entry, writtenAs, endpoint) }];
    }
    if (!(node.kind === "scalar" && node.isUnfilled) && !isUnset(node)) {
      const shown = node.kind === "scalar" ? JSON.stringify(node.value) : `a ${node.kind}`;
      problems.push({ origin: node.origin, message: `${writtenAs} is ${shown}; expected a number from 0 to 65535` });
    }
    return [];
  });
}

function moveTls(root: MapNode, problems: ConfigProblem[]): MapNode {
  const security = childOf(root, "security");
  if (security?.kind !== "map") return root;
  const keys = Object.keys(securityTlsShort.entries).filter((key) => security.entries.has(key));
  const first = keys[0];
  if (first === undefined) return root;
  const remaining = keys.reduce((map, key) => withEntry(map, key, undefined), security);
  const without = withEntry(root, "security", remaining);
  if (!isUnset(nodeAt(root, grpcTls))) {
    const origin = security.entries.get(first)?.keyOrigin ?? security.origin;
    problems.push({ origin, message: sameThing(`security.${first}`, grpcTls, root) });
    return without;
  }
  return keys.reduce((map, key) => {
    const entry = security.entries.get(key) as MapEntry;
    const target = key === "tls_enabled" ? "enabled" : key;
    return put(map, [...grpcTls, target], written(entry, `security.${key}`));
  }, without);
}
