import { ConnectError, type Interceptor } from "@connectrpc/connect";
import type { Log } from "@tercel/grpc";
import { aborted, alreadyExists, resourceExhausted, unavailable, unknown } from "@tercel/grpc/errors";
import { type CallRequest, createHookedInterceptor } from "@tercel/grpc/hooks";
import { type DatabaseFault, databaseFault } from "../../database/database-fault.ts";

const domain = "tercel.database";

/**
 * A server interceptor that gives errors of databases the status that they mean to a caller, where the handler has not: a row that exists is
 * ALREADY_EXISTS, a database that is away UNAVAILABLE, one that is full RESOURCE_EXHAUSTED, a transaction that gave way to another ABORTED, a commit of
 * which nothing is known UNKNOWN. It knows the errors of this package and those of the usual drivers. Tables and columns stay in the log.
 */
export function createDatabaseErrors(log: Log): Interceptor {
  return createHookedInterceptor({
    onError: (request, _state, error) => databaseCallError(error, (fault) => report(log, request, fault, error)),
  });
}

/** The error for the caller; any other error as it is. `onMapped` is called for those that are not. */
export function databaseCallError(error: unknown, onMapped: (fault: DatabaseFault) => void = () => {}): unknown {
  // The handler has said what it means.
  if (error instanceof ConnectError) return error;
  const fault = databaseFault(error);
  if (fault === undefined) return error;
  onMapped(fault);
  return callErrors[fault](error);
}

const callErrors: Readonly<Record<DatabaseFault, (cause: unknown) => ConnectError>> = {
  exists: (cause) => alreadyExists({ message: "this exists already", reason: "UNIQUE_VIOLATION", domain, cause }),
  conflict: (cause) =>
    aborted({
      message: "nothing was stored: another call changed the same at the same time; try again",
      reason: "TRANSACTION_CONFLICT",
      domain,
      cause,
    }),
  full: (cause) =>
    resourceExhausted({
      message: "nothing was stored: the database has no room",
      reason: "DATABASE_FULL",
      domain,
      // A disk that a person has to clean up does not have room again at once.
      retryAfterMs: 5_000,
      cause,
    }),
  unavailable: (cause) =>
    unavailable({
      message: "the database is not available at the moment",
      reason: "DATABASE_UNAVAILABLE",
      domain,
      cause,
    }),
  "commit unknown": (cause) =>
    unknown({
      message: "it is not known whether this took effect; look before it is tried again",
      reason: "COMMIT_UNKNOWN",
      domain,
      cause,
    }),
};

const logged: Readonly<Record<DatabaseFault, string>> = {
  exists: "a row exists already",
  conflict: "a transaction gave way to another one",
  full: "the database has no room",
  unavailable: "the database is not available",
  "commit unknown": "it is not known whether a transaction took effect",
};

function report(log: Log, { service, method }: CallRequest, fault: DatabaseFault, error: unknown): void {
  // A warning only where someone has to look: the others are for the caller, or what the health says.
  const level = fault === "commit unknown" ? "warn" : "debug";
  log[level](logged[fault], { method: `${service.typeName}/${method.name}`, error });
}
