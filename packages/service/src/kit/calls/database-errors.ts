import { ConnectError, type Interceptor } from "@connectrpc/connect";
import type { Log } from "@tercel/grpc";
import { aborted, alreadyExists, resourceExhausted, unavailable, unknown } from "@tercel/grpc/errors";
import { type CallRequest, createHookedInterceptor } from "@tercel/grpc/hooks";
import { type DatabaseFault, databaseFault } from "../../database/database-fault.ts";

const domain = "tercel.database";

/**
 * Creates a server interceptor that maps database errors to statuses, unless the handler did: an existing row to ALREADY_EXISTS, an unavailable database
 * to UNAVAILABLE, a full one to RESOURCE_EXHAUSTED, a conflicting transaction to ABORTED, a commit with unknown outcome to UNKNOWN. It supports the errors
 * of this package and of common drivers. Names of tables and columns are only logged.
 */
export function createDatabaseErrors(log: Log): Interceptor {
  return createHookedInterceptor({
    onError: (request, _state, error) => databaseCallError(error, (fault) => report(log, request, fault, error)),
  });
}

/** Maps an error for the caller; returns other errors unchanged. `onMapped` is called for mapped ones. */
export function databaseCallError(error: unknown, onMapped: (fault: DatabaseFault) => void = () => {}): unknown {
  // The handler has chosen the status.
  if (error instanceof ConnectError) return error;
  const fault = databaseFault(error);
  if (fault === undefined) return error;
  onMapped(fault);
  return callErrors[fault](error);
}

const callErrors: Readonly<Record<DatabaseFault, (cause: unknown) => ConnectError>> = {
  exists: (cause) => alreadyExists({ message: "already exists", reason: "UNIQUE_VIOLATION", domain, cause }),
  conflict: (cause) =>
    aborted({
      message: "aborted by a concurrent change; nothing was stored, try again",
      reason: "TRANSACTION_CONFLICT",
      domain,
      cause,
    }),
  full: (cause) =>
    resourceExhausted({
      message: "database is full; nothing was stored",
      reason: "DATABASE_FULL",
      domain,
      // A person has to free disk space, so a retry soon would fail.
      retryAfterMs: 5_000,
      cause,
    }),
  unavailable: (cause) =>
    unavailable({
      message: "database unavailable, try again",
      reason: "DATABASE_UNAVAILABLE",
      domain,
      cause,
    }),
  "commit unknown": (cause) =>
    unknown({
      message: "outcome unknown; check whether the change took effect before you retry",
      reason: "COMMIT_UNKNOWN",
      domain,
      cause,
    }),
};

const logged: Readonly<Record<DatabaseFault, string>> = {
  exists: "unique violation",
  conflict: "transaction conflict",
  full: "database full",
  unavailable: "database unavailable",
  "commit unknown": "outcome of a commit is unknown",
};

function report(log: Log, { service, method }: CallRequest, fault: DatabaseFault, error: unknown): void {
  // A warning only if a person must act: the caller handles the others, or the health reports them.
  const level = fault === "commit unknown" ? "warn" : "debug";
  log[level](logged[fault], { method: `${service.typeName}/${method.name}`, error });
}
