import type { HandlerContext } from "@connectrpc/connect";
import { permissionDenied } from "@tercel/grpc/errors";
import { claimsKey } from "@tercel/interceptors/auth";

/** The domain of the shop's errors in google.rpc.ErrorInfo. */
export const errorDomain = "user-service.shop";

/** The caller, from the verified token. */
export interface Caller {
  /** The id of a user or the name of a service; undefined without a token. */
  readonly subject: string | undefined;
  readonly isAdmin: boolean;
}

export function callerOf({ values }: Pick<HandlerContext, "values">): Caller {
  const claims = values.get(claimsKey);
  return { subject: claims?.sub, isAdmin: Array.isArray(claims?.roles) && claims.roles.includes("admin") };
}

/**
 * Refuses callers who are neither admins nor this user. The error does not reveal whether the user exists.
 *
 * @throws ConnectError PERMISSION_DENIED
 */
export function requireSelfOrAdmin({ subject, isAdmin }: Caller, userId: string): void {
  if (isAdmin || (subject !== undefined && subject === userId)) return;
  throw permissionDenied({
    message: "users may read and change themselves; for others the role admin is necessary",
    resource: { type: "user", name: `users/${userId}` },
    reason: "ROLE_MISSING",
    domain: errorDomain,
    metadata: { roles: "admin" },
  });
}

/**
 * @param what The action that only admins may take.
 * @throws ConnectError PERMISSION_DENIED
 */
export function requireAdmin({ isAdmin }: Caller, what: string): void {
  if (isAdmin) return;
  throw permissionDenied({
    message: `${what}: the role admin is necessary`,
    reason: "ROLE_MISSING",
    domain: errorDomain,
    metadata: { roles: "admin" },
  });
}
