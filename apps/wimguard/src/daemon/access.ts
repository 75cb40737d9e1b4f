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
