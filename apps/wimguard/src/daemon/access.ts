import type { DescService } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import type { Log } from "@tercel/grpc";
import { unauthenticated } from "@tercel/grpc/errors";
import { reflectionServices } from "@tercel/grpc/services";
import { type AuthRule, claimsKey, createAuth } from "@tercel/interceptors/auth";
import type { Config } from "../config/config-schema.ts";
import { errorDomain } from "../failure/to-connect-error.ts";
import { audience, deriveKey, maxTokenMs, type Role, tokenAlgorithm } from "../token/token.ts";

const atLeast: Readonly<Record<Role, AuthRule>> = {
  reader: { roles: ["reader", "operator", "admin"] },
  operator: { roles: ["operator", "admin"] },
  admin: { roles: ["admin"] },
};

/** Who may call what. Reading a file by a restore is as much as a backup can do. */
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
  // A schedule runs programs.
  "wimguard.v1.ScheduleService/CreateSchedule": atLeast.admin,
  "wimguard.v1.ScheduleService/UpdateSchedule": atLeast.admin,
  "wimguard.v1.ScheduleService/DeleteSchedule": atLeast.admin,
  "wimguard.v1.ScheduleService/ApplyRetention": atLeast.admin,
  "wimguard.v1.StatisticsService/GetStatistics": atLeast.reader,
  "wimguard.v1.StatisticsService/GetDashboard": atLeast.reader,
  "wimguard.v1.StatisticsService/ListDailyStatistics": atLeast.reader,
  "wimguard.v1.StatisticsService/WatchStatistics": atLeast.reader,
  // An environment may hold what its owner would not call a secret.
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

/**
 * Creates the check of tokens for a TCP listener. It is needed on loopback too: without it every user of the machine could read what the
 * daemon can. Health needs no token. A job continues when its token expires.
 */
export function createAccess(
  config: Pick<Config, "appID" | "appSecret">,
  services: readonly DescService[],
  log: Log,
): Interceptor[] {
  const reflectionRules = Object.fromEntries(
    reflectionServices.map(({ typeName }) => [`${typeName}/*`, atLeast.reader]),
  );
  const auth = createAuth({
    services: [...services, ...reflectionServices],
    methods: { ...rules, ...reflectionRules },
    keys: [{ algorithm: tokenAlgorithm, secret: deriveKey(config.appSecret, "tokens") }],
    issuer: config.appID,
    audience,
    domain: errorDomain,
    log,
  });
  return [auth, refuseLongTokens];
}

/** Whoever knows the secret can mint a token for a year; it is refused all the same. */
const refuseLongTokens: Interceptor = (next) => (request) => {
  const claims = request.contextValues.get(claimsKey);
  if (claims === undefined) return next(request);
  const { iat, exp } = claims;
  if (typeof iat === "number" && (exp - iat) * 1000 <= maxTokenMs) return next(request);
  throw unauthenticated({
    message: "the token is good for more than 24 h, or does not say when it was issued (iat)",
    reason: "TOKEN_INVALID",
    domain: errorDomain,
  });
};
