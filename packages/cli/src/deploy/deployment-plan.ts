/** What the deployment files need to know of a service, from its production configuration. */
export interface DeploymentPlan {
  /** Name of the service, and of everything that is created for it. */
  readonly name: string;
  /** Image name and tag: `user-service:0.1.0`. */
  readonly image: string;
  readonly manager: "npm" | "pnpm" | "yarn" | "bun";
  /** Whether the project has .proto files, so that `tercel generate --check` runs in the build. */
  readonly hasProtos: boolean;
  /** Folders that the program reads, next to its code: `config`, `migrations`. */
  readonly folders: readonly string[];
  readonly grpcPort: number;
  /** The HTTP port of `/health` and `/ready`, and of `/metrics` if the service has metrics. */
  readonly pagesPort: number | undefined;
  readonly metricsPath: string | undefined;
  readonly tls: TlsFiles | undefined;
  readonly stop: { readonly drainSeconds: number; readonly partsSeconds: number };
  readonly database: "sqlite" | "postgres" | undefined;
  /** Servers that the service uses, apart from the database. */
  readonly engines: readonly Engine[];
  readonly variables: readonly PlannedVariable[];
  /** `--set` options of the command line, as variables. */
  readonly settings: readonly (readonly [variable: string, value: string])[];
  /** Names of the services that it calls. */
  readonly dependencies: readonly string[];
}

export type Engine = "redis" | "nats" | "consul" | "etcd" | "kubernetes" | "otlp" | "issuer";

/** Paths of the service's certificate files. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string | undefined;
}

export interface PlannedVariable {
  readonly name: string;
  /** `plain` is a value, `secret` a confidential one, `file` the path of a file, `tls` the path of a certificate file. */
  readonly kind: "plain" | "secret" | "file" | "tls";
  /** The variable's value in compose: an address next to the service, or a path. */
  readonly example: string;
}

/** Time until a change of a Service's endpoints has reached all clients. */
export const propagationSeconds = 5;
export const postgresPort = 5432;

/** The default ports of each server. */
export const enginePorts: Readonly<Record<Engine, readonly number[]>> = {
  redis: [6379],
  nats: [4222],
  consul: [8500],
  etcd: [2379],
  // The port of the Service and that of the pod, to which network policies apply.
  kubernetes: [443, 6443],
  otlp: [4318],
  issuer: [443],
};

/** The user ID that the image runs as: unprivileged, as in distroless images. */
export const imageUser = 65_532;
