import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";
import type { HttpTlsOptions } from "../http/http-client.ts";
import { type AdapterOptions, adapterOptionNames } from "../port/adapter-options.ts";

/** The health check that the Consul agent runs for an instance. */
export interface ConsulCheckOptions {
  /**
   * "grpc": the agent calls grpc.health.v1.Health at the instance's address. "http": the agent requests `path` there, and a status from 200
   * to 299 is healthy. "tcp": the agent only connects. "ttl": this process reports to the agent, for agents that cannot reach the instance.
   * "none": no check, and only `deregister` removes the instance. Default "grpc".
   */
  readonly kind?: "grpc" | "http" | "tcp" | "ttl" | "none";
  /** The time between two checks. Default 10,000. */
  readonly intervalMs?: number;
  /** The timeout of one check. Default 5,000. */
  readonly timeoutMs?: number;
  /** For "ttl" only: an instance that has not reported for this long is unhealthy. Default 15,000. */
  readonly ttlMs?: number;
  /** An instance whose check has failed for this long is removed. Default 60,000, which is Consul's minimum. */
  readonly deregisterAfterMs?: number;
  /** The service name in the request of a "grpc" check. Default: empty, for the whole server. */
  readonly healthService?: string;
  /** The path that an "http" check requests. Default "/health". */
  readonly path?: string;
  /** The port of an "http" check. Default: the instance's port. */
  readonly httpPort?: number;
  /** Whether a "grpc" or "http" check uses TLS. Default false. */
  readonly tls?: boolean;
  /** Whether a check over TLS accepts any certificate: the agent connects to an address that the certificate may not name. Default false. */
  readonly skipTlsVerify?: boolean;
}

export interface ConsulRegistryOptions extends AdapterOptions {
  /**
   * The URL of the agent. Default `http://127.0.0.1:8500`, the agent on this machine. For programs without one, a list of agents of one
   * datacenter: the first is used until it stops responding, then the next.
   */
  readonly address?: string | readonly string[];
  /** ACL token, or a function that reads it for each request. Never logged. Default: anonymous. */
  readonly token?: string | (() => string);
  readonly tls?: HttpTlsOptions;
  /** The datacenter whose services are read. Default: the agent's own. */
  readonly datacenter?: string;
  /** "stale" lets any server respond, "consistent" makes the leader confirm each response. Default: Consul's own default. */
  readonly consistency?: "default" | "stale" | "consistent";
  readonly check?: ConsulCheckOptions;
  /** How long a blocking query waits for a change. Default 60,000; Consul's maximum is ten minutes. */
  readonly waitMs?: number;
  /** The timeout of other requests. Default 5,000. */
  readonly timeoutMs?: number;
}

const optionNames: readonly (keyof ConsulRegistryOptions)[] = [
  ...adapterOptionNames,
  "address",
  "token",
  "tls",
  "datacenter",
  "consistency",
  "check",
  "waitMs",
  "timeoutMs",
];

const checkNames: readonly (keyof ConsulCheckOptions)[] = [
  "kind",
  "intervalMs",
  "timeoutMs",
  "ttlMs",
  "deregisterAfterMs",
  "healthService",
  "path",
  "httpPort",
  "tls",
  "skipTlsVerify",
];

const maxMs = 86_400_000;

/** @throws TypeError or RangeError that names the invalid option */
export function checkConsulOptions(options: ConsulRegistryOptions): void {
  const where = "createConsulRegistry";
  refuseUnknownOptions(where, options, optionNames);
  const { check = {}, consistency = "default", tls = {} } = options;
  refuseUnknownOptions(`${where}: check`, check, checkNames);
  refuseUnknownOptions(`${where}: tls`, tls, ["caFile", "certFile", "keyFile", "serverName"]);
  checkWholeNumber(where, "waitMs", options.waitMs, 1000, 600_000);
  checkWholeNumber(where, "timeoutMs", options.timeoutMs, 1, maxMs);
  checkWholeNumber(where, "check.intervalMs", check.intervalMs, 1000, maxMs);
  checkWholeNumber(where, "check.timeoutMs", check.timeoutMs, 1, maxMs);
  checkWholeNumber(where, "check.ttlMs", check.ttlMs, 1000, maxMs);
  checkWholeNumber(where, "check.deregisterAfterMs", check.deregisterAfterMs, 1000, maxMs);
  checkWholeNumber(where, "check.httpPort", check.httpPort, 1, 65_535);
  if (check.path !== undefined && !check.path.startsWith("/")) {
    throw new TypeError(`${where}: check.path is ${JSON.stringify(check.path)}; it has to start with /`);
  }
  checkChoice(where, "check.kind", check.kind ?? "grpc", ["grpc", "http", "tcp", "ttl", "none"]);
  checkChoice(where, "consistency", consistency, ["default", "stale", "consistent"]);
}

function checkChoice(where: string, name: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  throw new RangeError(`${where}: ${name} is ${JSON.stringify(value)}; it has to be one of ${choices.join(", ")}`);
}
