import type { Interceptor } from "@connectrpc/connect";
import type { Log } from "@tercel/grpc";
import { alreadyExists, resourceExhausted, unavailable, unknown } from "@tercel/grpc/errors";
import { type CallRequest, createHookedInterceptor } from "@tercel/grpc/hooks";
import { CommitUnknown, DatabaseFull, DatabaseUnavailable, UniqueViolation } from "../../database/database-errors.ts";

const domain = "tercel.database";

/**
 * A server interceptor that gives errors of databases the status that they mean to a caller, where the handler has not: UniqueViolation is
 * ALREADY_EXISTS, DatabaseUnavailable is UNAVAILABLE, DatabaseFull is RESOURCE_EXHAUSTED, CommitUnknown is UNKNOWN. Tables and columns stay in the log.
 */
export function createDatabaseErrors(log: Log): Interceptor {
  return createHookedInterceptor({
    onError: (request, _state, error) => databaseCallError(error, (what) => report(log, request, what, error)),
  });
}

/** The error for the caller; any other error as it is. `onMapped` is called for those that are not. */
export function databaseCallError(error: unknown, onMapped: (what: string) => void = () => {}): unknown {
  if (error instanceof UniqueViolation) {
    onMapped("a row exists already");
    return alreadyExists({ message: "this exists already", reason: "UNIQUE_VIOLATION", domain, cause: error });
  }
  if (error instanceof DatabaseFull) {
    onMapped("the database has no room");
    return resourceExhausted({
      message: "nothing was stored: the database has no room",
      reason: "DATABASE_FULL",
      domain,
      // A disk that a person has to clean up does not have room again at once.
      retryAfterMs: 5_000,
      cause: error,
    });
  }
  if (error instanceof DatabaseUnavailable) {
    onMapped("the database is not available");
    return unavailable({
      message: "the database is not available at the moment",
      reason: "DATABASE_UNAVAILABLE",
      domain,
      cause: error,
    });
  }
  if (error instanceof CommitUnknown) {
    onMapped("it is not known whether a transaction took effect");
    return unknown({
      message: "it is not known whether this took effect; look before it is tried again",
      reason: "COMMIT_UNKNOWN",
      domain,
      cause: error,
    });
  }
  return error;
}

function report(log: Log, { service, method }: CallRequest, what: string, error: unknown): void {
  // A warning only where someone has to look: the first is for the caller, the second is what the health says.
  const level = error instanceof CommitUnknown ? "warn" : "debug";
  log[level](what, { method: `${service.typeName}/${method.name}`, error });
}
