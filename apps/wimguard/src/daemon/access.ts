import { Buffer } from "node:buffer";
import type { DescService } from "@bufbuild/protobuf";
import type { Interceptor, UnaryRequest } from "@connectrpc/connect";
import type { Log } from "@tercel/grpc";
import { unauthenticated } from "@tercel/grpc/errors";
import { reflectionServices } from "@tercel/grpc/services";
import { type AuthRule, claimsKey, createAuth } from "@tercel/interceptors/auth";
import type { Config } from "../config/config-schema.ts";
import { StartError } from "../failure/start-error.ts";
import { errorDomain } from "../failure/to-connect-error.ts";
import { audience, deriveKey, maxTokenMs, type Role, roles, tokenAlgorithm } from "../token/token.ts";

const atLeast: Readonly<Record<Role, AuthRule>> = {
  reader: { roles: ["reader", "operator", "admin"] },
  operator: { roles: ["operator", "admin"] },
  admin: { roles: ["admin"] },
};

/** Access rules of all methods. Downloading a file needs the same role as a backup. */
const rules: Readonly<Record<string, AuthRule>> = {
  "wimguard.v1.BackupService/ListBackups": atLeast.reader,
  "wimguard.v1.BackupService/GetBackup": atLeast.reader,
  "wimguard.v1.BackupService/CreateBackup": atLeast.operator,
  "wimguard.v1.BackupService/DeleteBackup": atLeast.admin,
  "wimguard.v1.SnapshotService/ListSnapshots": atLeast.reader,
  "wimguard.v1.SnapshotService/GetSnapshot": atLeast.reader,
  "wimguard.v1.SnapshotService/ListEntries": atLeast.reader,
  "wimguard.v1.SnapshotService/FindVersions": atLeast.reader,
  "wimguard.v1.SnapshotService/DiffSnapshots": atLeast.reader,
  "wimguard.v1.SnapshotService/UpdateSnapshot": atLeast.operator,
  "wimguard.v1.SnapshotService/VerifySnapshot": atLeast.operator,
  "wimguard.v1.SnapshotService/DrillSnapshot": atLeast.operator,
  "wimguard.v1.SnapshotService/Explore": atLeast.operator,
  "wimguard.v1.SnapshotService/DeleteSnapshot": atLeast.admin,
  "wimguard.v1.RegistryService/GetSource": atLeast.reader,
  "wimguard.v1.RegistryService/ListSources": atLeast.reader,
  "wimguard.v1.RegistryService/GetDestination": atLeast.reader,
  "wimguard.v1.RegistryService/ListDestinations": atLeast.reader,
  "wimguard.v1.RegistryService/ListEngines": atLeast.reader,
  "wimguard.v1.RegistryService/TestDestination": atLeast.operator,
  "wimguard.v1.RegistryService/CreateSource": atLeast.admin,
  "wimguard.v1.RegistryService/UpdateSource": atLeast.admin,
  "wimguard.v1.RegistryService/DeleteSource": atLeast.admin,
  "wimguard.v1.RegistryService/CreateDestination": atLeast.admin,
  "wimguard.v1.RegistryService/UpdateDestination": atLeast.admin,
  "wimguard.v1.RegistryService/DeleteDestination": atLeast.admin,
  "wimguard.v1.RegistryService/ImportArchive": atLeast.admin,
  "wimguard.v1.RegistryService/UploadFile": atLeast.admin,
  "wimguard.v1.ScheduleService/GetSchedule": atLeast.reader,
  "wimguard.v1.ScheduleService/ListSchedules": atLeast.reader,
  "wimguard.v1.ScheduleService/PreviewSchedule": atLeast.reader,
  "wimguard.v1.ScheduleService/ExplainRetention": atLeast.reader,
  "wimguard.v1.ScheduleService/GetRun": atLeast.reader,
  "wimguard.v1.ScheduleService/ListRuns": atLeast.reader,
  "wimguard.v1.ScheduleService/ListRunLog": atLeast.reader,
  "wimguard.v1.ScheduleService/WatchRuns": atLeast.reader,
  "wimguard.v1.ScheduleService/StartRun": atLeast.operator,
  "wimguard.v1.ScheduleService/CancelRun": atLeast.operator,
  "wimguard.v1.ScheduleService/RunSchedule": atLeast.operator,
  "wimguard.v1.ScheduleService/PauseSchedule": atLeast.operator,
  "wimguard.v1.ScheduleService/ResumeSchedule": atLeast.operator,
  // A schedule can run programs.
  "wimguard.v1.ScheduleService/CreateSchedule": atLeast.admin,
  "wimguard.v1.ScheduleService/UpdateSchedule": atLeast.admin,
  "wimguard.v1.ScheduleService/DeleteSchedule": atLeast.admin,
  "wimguard.v1.ScheduleService/ApplyRetention": atLeast.admin,
  "wimguard.v1.StatisticsService/GetStatistics": atLeast.reader,
  "wimguard.v1.StatisticsService/GetDashboard": atLeast.reader,
  "wimguard.v1.StatisticsService/ListDailyStatistics": atLeast.reader,
  "wimguard.v1.StatisticsService/WatchStatistics": atLeast.reader,
  // An environment may contain confidential values that do not look like secrets.
  "wimguard.v1.EnvService/CaptureEnv": atLeast.operator,
  "wimguard.v1.EnvService/GetEnv": atLeast.operator,
  "wimguard.v1.EnvService/ListEnvs": atLeast.operator,
  "wimguard.v1.EnvService/DiffEnvs": atLeast.operator,
  "wimguard.v1.EnvService/ExportEnv": atLeast.operator,
  "wimguard.v1.EnvService/DeleteEnv": atLeast.admin,
  "wimguard.v1.RestoreService/GetRestore": atLeast.reader,
  "wimguard.v1.RestoreService/ListRestores": atLeast.reader,
  "wimguard.v1.RestoreService/PlanRestore": atLeast.operator,
  "wimguard.v1.RestoreService/CreateRestore": atLeast.operator,
  "wimguard.v1.RestoreService/DownloadFile": atLeast.operator,
};

/** An installation that may mint tokens. */
interface App {
  readonly id: string;
  readonly secret: string;
  /** The highest role of its tokens. */
  readonly role: Role;
}

/**
 * Creates the interceptors that check tokens on a TCP listener, on loopback too: otherwise every user of the machine could read what the daemon
 * can. Health needs no token. A job continues after its token expires.
 */
export function createAccess(config: Config, services: readonly DescService[], log: Log): Interceptor[] {
  const { apps = [] } = config.service.server;
  const own: App = { id: config.appID, secret: config.appSecret, role: "admin" };
  if (apps.some(({ id }) => id === own.id)) {
    throw new StartError(
      "config",
      `service.server.apps: duplicate id ${own.id}: it is the appID of this installation; choose another id for the app`,
    );
  }
  const ownAuth = createAppAuth(own, services, log);
  if (apps.length === 0) return [ownAuth, refuseLongTokens];
  const auths = new Map(apps.map((app) => [app.id, createAppAuth(app, services, log)]));
  return [chooseByIssuer(auths, ownAuth), refuseLongTokens];
}

function createAppAuth({ id, secret, role }: App, services: readonly DescService[], log: Log): Interceptor {
  const reflectionRules = Object.fromEntries(
    reflectionServices.map(({ typeName }) => [`${typeName}/*`, atLeast.reader]),
  );
  const allowed = roles.slice(0, roles.indexOf(role) + 1);
  return createAuth({
    services: [...services, ...reflectionServices],
    methods: { ...rules, ...reflectionRules },
    keys: [{ algorithm: tokenAlgorithm, secret: deriveKey(secret, "tokens") }],
    issuer: id,
    audience,
    // An app can mint any role, so roles above its own are ignored.
    rolesOf: ({ roles: claimed }) => allowed.filter((one) => Array.isArray(claimed) && claimed.includes(one)),
    domain: errorDomain,
    log,
  });
}

/**
 * Verifies a token with the key of the app that it names as its issuer. The name is untrusted until then: it only selects the key.
 */
function chooseByIssuer(auths: ReadonlyMap<string, Interceptor>, ownAuth: Interceptor): Interceptor {
  return (next) => {
    const checks = new Map([...auths].map(([id, auth]) => [id, auth(next)]));
    const fallback = ownAuth(next);
    return (request) => (checks.get(claimedIssuer(request.header.get("authorization") ?? "")) ?? fallback)(request);
  };
}

/** Returns the claimed issuer; empty for an invalid token. */
function claimedIssuer(authorization: string): string {
  const [, payload = ""] = /^Bearer [^.]+\.([^.]+)\./i.exec(authorization) ?? [];
  try {
    const { iss } = JSON.parse(Buffer.from(payload, "base64url").toString()) as { iss?: unknown };
    return typeof iss === "string" ? iss : "";
  } catch {
    return "";
  }
}

/** Returns the app that makes a call, for rate limits. */
export function appOf({ contextValues }: Pick<UnaryRequest, "contextValues">): string | undefined {
  return contextValues.get(claimsKey)?.iss;
}

/** Rejects tokens with a longer lifetime than allowed, even if they are signed correctly. */
const refuseLongTokens: Interceptor = (next) => (request) => {
  const claims = request.contextValues.get(claimsKey);
  if (claims === undefined) return next(request);
  const { iat, exp } = claims;
  if (typeof iat === "number" && (exp - iat) * 1000 <= maxTokenMs) return next(request);
  throw unauthenticated({
    message: "invalid token: its lifetime exceeds 24 h, or it has no issue time (iat)",
    reason: "TOKEN_INVALID",
    domain: errorDomain,
  });
};
