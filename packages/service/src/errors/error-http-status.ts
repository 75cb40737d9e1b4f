import { ConnectError } from "@connectrpc/connect";

/**
 * HTTP statuses by an error's list of details, which copies of an error share: interceptors copy errors to add metadata. Separate from the gateway,
 * which is loaded only if it is served.
 */
const statuses = new WeakMap<ConnectError["details"], number>();

/** Sets the HTTP status of an error over REST. */
export function setErrorHttpStatus(error: ConnectError, status: number): void {
  statuses.set(error.details, status);
}

/** Returns the HTTP status that was set on an error; undefined if its code decides. */
export function errorHttpStatus(error: unknown): number | undefined {
  return error instanceof ConnectError ? statuses.get(error.details) : undefined;
}
