import { isIPv4 } from "node:net";
import type { AuthRule } from "@tercel/interceptors/auth";
import type { ServiceConfig } from "@tercel/service";

/** The rules of methods. Handlers also check whose data a caller may read. */
export function accessRules(config: Pick<ServiceConfig, "security" | "service" | "grpc">): Record<string, AuthRule> {
  const admin = { roles: ["admin"] };
  return {
    "api.user.v1.UserService/*": "authenticated",
    "api.user.v1.UserService/ListUsers": admin,
    "api.user.v1.UserService/DeleteUser": admin,
    "api.user.v1.UserService/BatchCreateUsers": admin,
    "api.user.v1.UserService/SyncUsers": admin,
    "user.v1.UserService/*": "authenticated",
    "user.v1.UserService/ListUsers": admin,
    "user.v1.UserService/DeleteUser": admin,
    // It is older than tokens and cannot distinguish users, so it is public only if no other machine can reach it.
    "user.UserService/*": isOldPackageOpen(config) ? "public" : admin,
  };
}

/** Returns whether the package `user` accepts calls without a token: only in development, without a token issuer, and on a loopback address. */
export function isOldPackageOpen({
  security,
  service,
  grpc,
}: Pick<ServiceConfig, "security" | "service" | "grpc">): boolean {
  return security.jwt?.enabled !== true && isLoopback(grpc?.host ?? service.host);
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}
