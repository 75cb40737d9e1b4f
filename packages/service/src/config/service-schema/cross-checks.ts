import { nearestName } from "@tercel/grpc/internal";
import type { StandardIssue } from "../schema/standard-schema.ts";
import type { Profile } from "./profile.ts";
import type { ServiceConfig } from "./service-config.ts";

/** Tests whether a file exists; injected, so that these rules do no I/O. */
export type FileExists = (file: string) => boolean;

const tlsPath = ["communication", "providers", "grpc", "tls"];

/** Checks settings that are valid by themselves but must fit together. */
export function crossChecks(config: ServiceConfig, profile: Profile, fileExists: FileExists): StandardIssue[] {
  return [
    ...checkTls(config, fileExists),
    ...checkCleartext(config, profile),
    ...checkHttpHost(config),
    ...checkCors(config),
    ...checkTimes(config),
    ...checkLoadShedding(config),
    ...checkDefaults(config),
    ...checkDependencies(config, fileExists),
    ...checkSecurity(config, fileExists),
  ];
}

function checkTls({ grpc }: ServiceConfig, fileExists: FileExists): StandardIssue[] {
  if (grpc?.tls.enabled !== true) return [];
  const { certFile, keyFile, caFile, clientAuth } = grpc.tls;
  const issues: StandardIssue[] = [];
  const files = { cert_file: certFile, key_file: keyFile, ca_file: caFile };
  for (const [key, file] of Object.entries(files)) {
    const isNeeded = key !== "ca_file" || clientAuth !== "none";
    const path = [...tlsPath, key];
    if (file === undefined || file === "") {
      const why = key === "ca_file" ? `client_auth is ${clientAuth}` : "TLS is enabled";
      if (isNeeded) issues.push({ path, message: `expected the path of a file, because ${why}` });
    } else if (!fileExists(file)) {
      issues.push({ path, message: "no such file" });
    }
  }
  return issues;
}

function checkTimes({ grpc }: ServiceConfig): StandardIssue[] {
  const issues: StandardIssue[] = [];
  const at = ["communication", "providers", "grpc"];
  const { defaultTimeoutMs = 0, maxTimeoutMs = Number.POSITIVE_INFINITY, keepalive } = grpc ?? {};
  if (defaultTimeoutMs > maxTimeoutMs) {
    issues.push({ path: [...at, "timeout"], message: `must not exceed max_timeout, ${maxTimeoutMs / 1000} s` });
  }
  // The same section configures the clients of this service.
  const clientPingMs = Math.max(10_000, keepalive?.timeMs ?? 0);
  if (keepalive !== undefined && keepalive.minTimeMs > clientPingMs) {
    const message = `clients of this service ping every ${clientPingMs / 1000} s, more often than it allows; lower min_time, or raise time`;
    issues.push({ path: [...at, "keepalive", "min_time"], message });
  }
  return issues;
}

function checkLoadShedding({ loadShedding: { minLimit, maxLimit } }: ServiceConfig): StandardIssue[] {
  if (maxLimit === undefined || minLimit <= maxLimit) return [];
  return [{ path: ["load_shedding", "min_limit"], message: `must not exceed max_limit, ${maxLimit}` }];
}

/** Checks that HTTP on gRPC's port uses gRPC's host. */
function checkHttpHost({ http, listeners }: ServiceConfig): StandardIssue[] {
  const shared = listeners.find(({ serves }) => serves.includes("grpc") && serves.includes("http"));
  if (http?.host === undefined || shared === undefined || http.host === shared.host) return [];
  const message = "gRPC's port is bound to another host; set communication.providers.http.port";
  return [{ path: ["communication", "providers", "http", "host"], message }];
}

/** Rejects credentials for every origin, which browsers reject too: any page could act for a logged-in user. */
function checkCors({ http }: ServiceConfig): StandardIssue[] {
  if (http?.cors.credentials !== true || !http.cors.origins.includes("*")) return [];
  const path = ["communication", "providers", "http", "cors", "credentials"];
  return [{ path, message: "cannot be true while origins contains *; list the origins" }];
}

/** Requires TLS, or explicit cleartext, for a service that other machines can reach. */
function checkCleartext({ grpc, service }: ServiceConfig, { isProduction }: Profile): StandardIssue[] {
  if (!isProduction || grpc === undefined || grpc.tls.enabled || service.insecure) return [];
  const host = grpc.host ?? service.host;
  if (isLoopback(host)) return [];
  const message =
    "TLS is required in the production profile; set communication.providers.grpc.tls, or service.insecure: true if the network is trusted";
  return [{ path: ["service", "insecure"], message }];
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** Checks that a default is one of the entries, and that there is one if the choice is ambiguous. */
function checkDefaults({ concerns }: ServiceConfig): StandardIssue[] {
  return Object.entries(concerns).flatMap(([concern, config]) => {
    const names = config.entries.map(({ name }) => name);
    if (config.default !== undefined && !names.includes(config.default)) {
      const nearest = nearestName(config.default, names);
      const advice =
        nearest === undefined ? `enabled entries: ${names.join(", ") || "none"}` : `did you mean ${nearest}?`;
      return [{ path: [concern, "default"], message: advice }];
    }
    if (concern !== "discovery" || config.default !== undefined || names.length < 2) return [];
    return [{ path: [concern, "default"], message: `${names.join(" and ")} are both enabled; choose one` }];
  });
}

function checkDependencies({ dependencies }: ServiceConfig, fileExists: FileExists): StandardIssue[] {
  const names = dependencies.map(({ name }) => name);
  return dependencies.flatMap(({ name, tls }, index) => {
    const issues: StandardIssue[] = [];
    if (names.indexOf(name) !== index)
      issues.push({ path: ["dependencies", index, "name"], message: "duplicate entry; keep one of them" });
    if (tls?.enabled !== true) return issues;
    const files = { ca_file: tls.caFile, cert_file: tls.certFile, key_file: tls.keyFile };
    for (const [key, file] of Object.entries(files)) {
      if (file !== undefined && !fileExists(file))
        issues.push({ path: ["dependencies", index, "tls", key], message: "no such file" });
    }
    return issues;
  });
}

function checkSecurity({ security: { jwt, serviceKeysFile } }: ServiceConfig, fileExists: FileExists): StandardIssue[] {
  const issues: StandardIssue[] = [];
  if (serviceKeysFile !== undefined && !fileExists(serviceKeysFile)) {
    issues.push({ path: ["security", "service_keys_file"], message: "no such file" });
  }
  if (jwt?.enabled === true && (jwt.jwksUrl === undefined) === (jwt.secret === undefined)) {
    issues.push({
      path: ["security", "jwt", "jwks_url"],
      message: "set it or security.jwt.secret, not both",
    });
  }
  return issues;
}
