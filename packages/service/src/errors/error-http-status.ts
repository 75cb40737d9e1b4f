import { ConnectError } from "@connectrpc/connect";

/**
 * Kept apart from the gateway, which is loaded only where it is served. By the list of details, which copies of an error share: interceptors copy errors to
 * add metadata.
 */
const statuses = new WeakMap<ConnectError["details"], number>();

/** Gives an error an HTTP status of its own over REST. */
export function setErrorHttpStatus(error: ConnectError, status: number): void {
  statuses.set(error.details, status);
}

/** The HTTP status that an error was given; undefined where its code decides. */
export function errorHttpStatus(error: unknown): number | undefined {
  return error instanceof ConnectError ? statuses.get(error.details) : undefined;
}
