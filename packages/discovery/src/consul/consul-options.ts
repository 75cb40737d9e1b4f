import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";
import type { HttpTlsOptions } from "../http/http-client.ts";
import { type AdapterOptions, adapterOptionNames } from "../port/adapter-options.ts";

/** How Consul finds out whether an instance is well. */
export interface ConsulCheckOptions {
  /**
   * "grpc": the agent calls grpc.health.v1.Health at the instance's address. "http": it requests `path` there, and 200 to 299 is healthy.
   * "tcp": it only connects. "ttl": this process reports to the agent that it is alive, for where the agent cannot reach it. "none": without
   * a check, and only `deregister` removes the
   * instance. Default "grpc".
   */
  readonly kind?: "grpc" | "http" | "tcp" | "ttl" | "none";
  /** From check to check. Default 10,000. */
  readonly intervalMs?: number;
  /** How long one check may take. Default 5,000. */
  readonly timeoutMs?: number;
  /** How long an instance lives without a word from it; for "ttl" only. Default 15,000. */
  readonly ttlMs?: number;
  /** An instance whose check has failed for so long is removed. Default 60,000, which is also the least that Consul heeds. */
  readonly deregisterAfterMs?: number;
  /** The service whose health a "grpc" check requests. Default: the server as a whole. */
  readonly healthService?: string;
  /** The path that an "http" check requests. Default "/health". */
  readonly path?: string;
  /** The port of an "http" check. Default: the instance's. */
  readonly httpPort?: number;
  /** A "grpc" or "http" check uses TLS. Default false. */
  readonly tls?: boolean;
  /** Such a check takes any certificate: the agent connects to the address, which the certificate need not name. Default false. */
  readonly skipTlsVerify?: boolean;
}

export interface ConsulRegistryOptions extends AdapterOptions {
  /**
   * The agent on this machine. Default `http://127.0.0.1:8500`. Of several agents of one datacenter the first is used until it
   * does not respond, then the next: for programs without an agent next to them.
   */
  readonly address?: string | readonly string[];
  /** ACL token, or a function that reads it for each request. Never logged. Default: anonymous. */
  readonly token?: string | (() => string);
  readonly tls?: HttpTlsOptions;
  /** Whose services are read. Default: the agent's own. */
  readonly datacenter?: string;
  /** "stale" lets any server respond, "consistent" has the leader confirm. Default: Consul's own default. */
  readonly consistency?: "default" | "stale" | "consistent";
  readonly check?: ConsulCheckOptions;
  /** How long a watch's request may wait for news. Default 60,000; Consul takes up to ten minutes. */
  readonly waitMs?: number;
  /** Time for other requests. Default 5,000. */
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

/** @throws TypeError or RangeError that says which option is wrong */
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
    throw new TypeError(`${where}: check.path is ${JSON.stringify(check.path)}; it has to begin with /`);
  }
  checkChoice(where, "check.kind", check.kind ?? "grpc", ["grpc", "http", "tcp", "ttl", "none"]);
  checkChoice(where, "consistency", consistency, ["default", "stale", "consistent"]);
}

function checkChoice(where: string, name: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  throw new RangeError(`${where}: ${name} is ${JSON.stringify(value)}; it has to be one of ${choices.join(", ")}`);
}
