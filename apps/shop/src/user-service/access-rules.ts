import type { AuthRule } from "@tercel/interceptors/auth";
import { isLoopback, type Settings } from "../config/settings.ts";

/** Who may call what; handlers say more about whose data it is. */
export function accessRules(settings: Pick<Settings, "environment" | "host">): Record<string, AuthRule> {
  return {
    "user.v1.UserService/*": "authenticated",
    "user.v1.UserService/ListUsers": { roles: ["admin"] },
    "user.v1.UserService/DeleteUser": { roles: ["admin"] },
    // It is older than tokens and cannot tell users apart: either no one else can reach it, or it is for admins.
    "user.UserService/*": isOldPackageOpen(settings) ? "public" : { roles: ["admin"] },
  };
}

/** Whether the package `user` takes calls without a token: for trying it, on this machine only. */
export function isOldPackageOpen({ environment, host }: Pick<Settings, "environment" | "host">): boolean {
  return environment === "development" && isLoopback(host);
}
