/** What a service is deployed with: what its configuration says for production, in the terms of the files. */
export interface DeploymentPlan {
  /** Of the service, and of everything that is made for it. */
  readonly name: string;
  /** `user-service:0.1.0` */
  readonly image: string;
  readonly manager: "npm" | "pnpm" | "yarn" | "bun";
  /** Whether `tercel generate` has something to check. */
  readonly hasProtos: boolean;
  /** Folders that the program reads, next to its code: `config`, `migrations`. */
  readonly folders: readonly string[];
  readonly grpcPort: number;
  /** The port that answers `/health` and `/ready`, and `/metrics` where there are any. */
  readonly pagesPort: number | undefined;
  readonly metricsPath: string | undefined;
  readonly tls: TlsFiles | undefined;
  readonly stop: { readonly drainSeconds: number; readonly partsSeconds: number };
  readonly database: "sqlite" | "postgres" | undefined;
  /** Servers that the service uses, besides the database. */
  readonly engines: readonly Engine[];
  readonly variables: readonly PlannedVariable[];
  /** `--set` of the command line, as variables. */
  readonly settings: readonly (readonly [variable: string, value: string])[];
  /** Services that it calls. */
  readonly dependencies: readonly string[];
}

export type Engine = "redis" | "nats" | "consul" | "etcd" | "kubernetes" | "otlp" | "issuer";

/** Where the service looks for its certificate. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string | undefined;
}

export interface PlannedVariable {
  readonly name: string;
  /** `secret` must not be seen; `file` is the path of a file; the certificate's files have the paths of `tls`. */
  readonly kind: "plain" | "secret" | "file" | "tls";
  /** An address next to the service, or a path: what the variable is in compose. */
  readonly example: string;
}

/** How long the endpoints of a Service take to reach everyone who sends calls. */
export const propagationSeconds = 5;
export const postgresPort = 5432;

/** The usual ports of each engine. */
export const enginePorts: Readonly<Record<Engine, readonly number[]>> = {
  redis: [6379],
  nats: [4222],
  consul: [8500],
  etcd: [2379],
  // Of the Service, and of the server itself, where rules of a network are applied.
  kubernetes: [443, 6443],
  otlp: [4318],
  issuer: [443],
};

/** The user that the image runs as: no one's, as in distroless images. */
export const imageUser = 65_532;
