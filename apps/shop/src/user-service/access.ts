import { isIPv4 } from "node:net";
import type { AuthRule } from "@tercel/interceptors/auth";
import type { ServiceConfig } from "@tercel/service";

/** Who may call what; handlers say more about whose data it is. */
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
    // It is older than tokens and cannot tell users apart: either no one else can reach it, or it is for admins.
    "user.UserService/*": isOldPackageOpen(config) ? "public" : admin,
  };
}

/** Whether the package `user` takes calls without a token: for trying it in development, where no one issues tokens, on this machine only. */
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
