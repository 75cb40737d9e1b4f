import { stringify } from "yaml";
import { type DeploymentPlan, type Engine, postgresPort, type TlsFiles } from "./deployment-plan.ts";
import { dashboardsFolder } from "./grafana-files.ts";

type Yaml = Readonly<Record<string, unknown>>;

/** The servers that compose starts next to the service. */
const engineServices: Readonly<Partial<Record<Engine, Yaml>>> = {
  redis: {
    image: "redis:8-alpine",
    healthcheck: check(["CMD", "redis-cli", "ping"]),
    volumes: ["redis:/data"],
  },
  nats: {
    image: "nats:2.12-alpine",
    command: ["--jetstream", "--store_dir=/data", "--http_port=8222"],
    healthcheck: check(["CMD", "wget", "--quiet", "--spider", "http://127.0.0.1:8222/healthz"]),
    volumes: ["nats:/data"],
  },
  consul: {
    image: "hashicorp/consul:1.22",
    command: ["agent", "-dev", "-client=0.0.0.0"],
    healthcheck: check(["CMD", "consul", "members"]),
  },
  etcd: {
    image: "rancher/mirrored-coreos-etcd:v3.6.4",
    command: [
      "etcd",
      "--data-dir=/data",
      "--listen-client-urls=http://0.0.0.0:2379",
      "--advertise-client-urls=http://etcd:2379",
    ],
    healthcheck: check(["CMD", "etcdctl", "endpoint", "health"]),
    volumes: ["etcd:/data"],
  },
  otlp: {
    // Jaeger receives OTLP and shows the traces at http://127.0.0.1:16686.
    image: "jaegertracing/jaeger:2.13.0",
    ports: ["127.0.0.1:16686:16686"],
  },
};

function check(test: readonly string[]): Yaml {
  return { test, interval: "5s", timeout: "3s", retries: 20 };
}

/** Returns `deploy/compose.yaml`: the service with everything that it uses, on one machine. */
export function composeFile(plan: DeploymentPlan): string {
  const engines = plan.engines.filter((engine) => engineServices[engine] !== undefined);
  const hasPostgres = plan.database === "postgres";
  const environment = environmentOf(plan);
  const secrets = secretsOf(plan);
  const own = {
    image: plan.image,
    build: { context: "..", dockerfile: "deploy/Dockerfile" },
    environment,
    ...(secrets.length > 0 && {
      secrets: secrets.map(({ name, target }) => (target === undefined ? name : { source: name, target })),
    }),
  };
  const needed = [
    ...(hasPostgres ? [["postgres", { condition: "service_healthy" }]] : []),
    // The service starts without a collector.
    ...engines.map((engine) => [
      serviceName(engine),
      { condition: engine === "otlp" ? "service_started" : "service_healthy" },
    ]),
  ];
  const dependsOn = Object.fromEntries(needed);
  const document = {
    name: plan.name,
    services: {
      [plan.name]: {
        ...own,
        // The image defines the health check.
        ...(needed.length + Number(plan.database !== undefined) > 0 && {
          depends_on: {
            ...dependsOn,
            ...(plan.database !== undefined && { migrate: { condition: "service_completed_successfully" } }),
          },
        }),
        ports: publishedPorts(plan).map((port) => `127.0.0.1:${port}:${port}`),
        restart: "unless-stopped",
        stop_grace_period: `${plan.stop.drainSeconds + plan.stop.partsSeconds}s`,
        read_only: true,
        tmpfs: ["/tmp"],
        ...(plan.database === "sqlite" && { volumes: ["data:/app/data"] }),
      },
      ...(plan.database !== undefined && {
        migrate: {
          ...own,
          command: ["node", "dist/main.js", "--migrate"],
          ...(hasPostgres && { depends_on: { postgres: { condition: "service_healthy" } } }),
          ...(plan.database === "sqlite" && { volumes: ["data:/app/data"] }),
        },
      }),
      ...(hasPostgres && { postgres: postgres(plan) }),
      ...Object.fromEntries(engines.map((engine) => [serviceName(engine), engineServices[engine]])),
      ...(plan.metricsPath !== undefined && { prometheus: prometheus(plan), grafana: grafana(plan) }),
    },
    ...secretFilesOf(plan, secrets),
    ...volumesOf(plan, engines),
  };
  const comment = ` Made by tercel deploy compose. Write each secret listed below to its file first: printf %s VALUE > deploy/secrets/NAME
 Then: docker compose --file deploy/compose.yaml up --build`;
  return comment
    .split("\n")
    .map((line) => `#${line}\n`)
    .join("")
    .concat(stringify(document, { lineWidth: 0, aliasDuplicateObjects: false }));
}

function serviceName(engine: Engine): string {
  return engine === "otlp" ? "otel-collector" : engine;
}

function publishedPorts({ grpcPort, pagesPort }: DeploymentPlan): readonly number[] {
  return [...new Set([grpcPort, ...(pagesPort === undefined ? [] : [pagesPort])])];
}

function environmentOf({ variables, settings, tls }: DeploymentPlan): Yaml {
  return {
    NODE_ENV: "production",
    ...Object.fromEntries(
      variables.map(({ name, kind, example }) => {
        if (kind === "secret") return [`${name}_FILE`, `/run/secrets/${name.toLowerCase()}`];
        return [name, kind === "file" ? `/run/secrets/${name.toLowerCase()}` : example];
      }),
    ),
    // Containers on one machine communicate in cleartext.
    ...(tls === undefined && { TERCEL__SERVICE__INSECURE: "true" }),
    ...Object.fromEntries(settings),
  };
}

interface ComposeSecret {
  readonly name: string;
  /** Path at which the service reads it, if not in `/run/secrets`. */
  readonly target?: string;
}

/** Returns the secrets. Each is a file, because variables are visible in the list of containers. */
function secretsOf({ variables, tls }: DeploymentPlan): readonly ComposeSecret[] {
  const own = variables.filter(({ kind }) => kind === "secret" || kind === "file");
  return [...own.map(({ name }) => ({ name: name.toLowerCase() })), ...(tls === undefined ? [] : tlsSecrets(tls))];
}

function tlsSecrets({ certFile, keyFile, caFile }: TlsFiles): readonly ComposeSecret[] {
  return [
    { name: "tls_crt", target: certFile },
    { name: "tls_key", target: keyFile },
    ...(caFile === undefined ? [] : [{ name: "tls_ca", target: caFile }]),
  ];
}

function secretFilesOf({ database }: DeploymentPlan, secrets: readonly ComposeSecret[]): Yaml {
  const names = [...secrets.map(({ name }) => name), ...(database === "postgres" ? ["postgres_password"] : [])];
  if (names.length === 0) return {};
  return { secrets: Object.fromEntries(names.map((name) => [name, { file: `./secrets/${name}` }])) };
}

function postgres({ name }: DeploymentPlan): Yaml {
  const database = name.replaceAll("-", "_");
  return {
    image: "postgres:18-alpine",
    environment: { POSTGRES_DB: database, POSTGRES_PASSWORD_FILE: "/run/secrets/postgres_password" },
    secrets: ["postgres_password"],
    // No port is published: only containers reach it.
    expose: [String(postgresPort)],
    healthcheck: check(["CMD", "pg_isready", "--username=postgres", `--dbname=${database}`]),
    volumes: ["postgres:/var/lib/postgresql"],
  };
}

/** Returns the service of Prometheus, which reads `deploy/prometheus/`. */
function prometheus(plan: DeploymentPlan): Yaml {
  return {
    image: "prom/prometheus:v3.8.0",
    volumes: ["./prometheus:/etc/prometheus:ro"],
    ports: [`127.0.0.1:${portNextTo(plan, 9090)}:9090`],
  };
}

/** Returns the service of Grafana, which shows `deploy/grafana/` to every user of this machine. */
function grafana(plan: DeploymentPlan): Yaml {
  return {
    image: "grafana/grafana:12.3.0",
    environment: { GF_AUTH_ANONYMOUS_ENABLED: "true", GF_AUTH_DISABLE_LOGIN_FORM: "true" },
    volumes: ["./grafana/provisioning:/etc/grafana/provisioning:ro", `./grafana/dashboards:${dashboardsFolder}:ro`],
    depends_on: ["prometheus"],
    ports: [`127.0.0.1:${portNextTo(plan, 3000)}:3000`],
  };
}

/** Returns the first port, from the usual one on, that the service itself does not publish. */
function portNextTo(plan: DeploymentPlan, usual: number): number {
  const taken = publishedPorts(plan);
  let port = usual;
  while (taken.includes(port)) port++;
  return port;
}

function volumesOf(plan: DeploymentPlan, engines: readonly Engine[]): Yaml {
  const names = [
    ...(plan.database === "sqlite" ? ["data"] : []),
    ...(plan.database === "postgres" ? ["postgres"] : []),
    ...engines.filter((engine) => ["redis", "nats", "etcd"].includes(engine)),
  ];
  return names.length === 0 ? {} : { volumes: Object.fromEntries(names.map((name) => [name, {}])) };
}
