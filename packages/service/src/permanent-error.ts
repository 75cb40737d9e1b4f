/**
 * A failure that a retry cannot fix: a wrong password, an edited migration. A provider's `open` and `migrate` reject with it to fail the start at once;
 * other errors are retried until `start.wait` has passed.
 */
export class PermanentError extends Error {
  override readonly name = "PermanentError";
}
