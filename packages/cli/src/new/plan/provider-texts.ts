import { type Choices, type Concern, concerns, type ServicePlan } from "./service-plan.ts";
import { defaultPorts, type ServicePorts } from "./service-ports.ts";

/** A variable that the configuration reads. */
export interface Variable {
  readonly name: string;
  readonly example: string;
}

/** What a provider adds to a project: lines of YAML below `<concern>.providers`, packages and variables. */
export interface ProviderTexts {
  /** Lines in config/default.yaml, for every environment. */
  readonly base?: readonly string[];
  /** Lines in config/development.yaml. */
  readonly development?: readonly string[];
  /** Names of packages that the provider loads. */
  readonly packages?: readonly string[];
  readonly variable?: Variable;
}

/** Returns a provider whose address comes from a variable; in development it is on this machine. */
function remote(type: string, key: string, variable: Variable, packages: readonly string[] = []): ProviderTexts {
  const { name, example } = variable;
  return {
    base: [`${type}:`, `  ${key}: \${${name}}`],
    development: [`${type}:`, `  ${key}: \${${name}:-${example}}`],
    packages,
    variable,
  };
}

function texts(
  service: string,
  ports: ServicePorts,
): { readonly [C in Concern]: Readonly<Partial<Record<string, ProviderTexts>>> } {
  return {
    database: {
      sqlite: { base: ["sqlite:", `  path: data/${service}.db`] },
      postgres: remote(
        "postgres",
        "url",
        { name: "DATABASE_URL", example: `postgres://postgres@127.0.0.1:5432/${service.replaceAll("-", "_")}` },
        ["pg"],
      ),
    },
    cache: {
      memory: { base: ["memory:", "  max_entries: 10000"] },
      redis: remote("redis", "url", { name: "REDIS_URL", example: "redis://127.0.0.1:6379" }, ["ioredis"]),
    },
    events: {
      memory: { base: ["memory:", "  max_events: 100000 # in this process; lost when it ends"] },
      nats: remote("nats", "url", { name: "NATS_URL", example: "nats://127.0.0.1:4222" }, [
        "@nats-io/jetstream",
        "@nats-io/transport-node",
      ]),
    },
    auth: {},
    monitoring: {
      prometheus: {
        base: ["prometheus:", `  path: /metrics # on 127.0.0.1:${ports.metrics} in development, elsewhere on :9464`],
        ...(ports.metrics !== defaultPorts.metrics && {
          development: ["prometheus:", `  endpoint: 127.0.0.1:${ports.metrics}`],
        }),
      },
      otlp: remote("otlp", "endpoint", { name: "OTEL_EXPORTER_OTLP_ENDPOINT", example: "http://127.0.0.1:4318" }, [
        "@opentelemetry/exporter-trace-otlp-proto",
        "@opentelemetry/resources",
        "@opentelemetry/sdk-trace-node",
      ]),
    },
    discovery: {
      embedded: {
        development: [
          "embedded:",
          ports.hostsRegistry
            ? "  serve: true # this service hosts the registry of this machine"
            : "  serve: false # another service of this machine hosts the registry",
        ],
      },
      consul: remote("consul", "address", { name: "CONSUL_ADDRESS", example: "127.0.0.1:8500" }),
      etcd: {
        base: ["etcd:", "  endpoints:", `    - \${ETCD_ENDPOINT}`],
        development: ["etcd:", "  endpoints:", `    - \${ETCD_ENDPOINT:-127.0.0.1:2379}`],
        variable: { name: "ETCD_ENDPOINT", example: "127.0.0.1:2379" },
      },
      kubernetes: {
        base: ["kubernetes:", "  port_name: grpc"],
        development: ["kubernetes:", "  enabled: false # this machine is not in a cluster"],
      },
    },
  };
}

/** Returns the texts of the chosen providers, without concerns that have none. */
export function chosenTexts({ names, with: chosen, ports }: ServicePlan): ReadonlyMap<Concern, ProviderTexts> {
  const all = texts(names.service, ports);
  const found = concerns.map((concern: keyof Choices) => [concern, all[concern][chosen[concern]]] as const);
  return new Map(found.flatMap(([concern, one]) => (one === undefined ? [] : [[concern, one] as const])));
}
