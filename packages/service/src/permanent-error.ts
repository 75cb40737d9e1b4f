/**
 * A failure that trying again does not change: a wrong password, an edited migration. A provider's `open` and `migrate` reject with it to end the
 * start at once; every other error is tried again until `start.wait` has passed.
 */
export class PermanentError extends Error {
  override readonly name = "PermanentError";
}
