import { ConnectError } from "@connectrpc/connect";

/** Errors of the application's own making, by which it may end a call. */
const ownStacks = new WeakSet<ConnectError>();

/** Returns the error, whose stack stays as it is: the application made it. */
export function keepStack(error: ConnectError): ConnectError {
  ownStacks.add(error);
  return error;
}

/**
 * Replaces an error's stack, which leads from a socket through the engine, by one that leads to the caller's `await`. Only an async
 * function that continues after an `await` has that stack, and only if the caller awaits it, directly or through other promises.
 */
export function traceCaller(error: unknown): void {
  if (error instanceof ConnectError && !ownStacks.has(error)) Error.captureStackTrace(error, traceCaller);
}

/**
 * Rejects with the error, with the stack of the code that awaits the result. To reject a promise of an older making so, resolve it with
 * this one: successful calls pay nothing.
 */
export async function rejectToCaller(error: unknown): Promise<never> {
  // V8 looks for the awaiting function. A promise that was resolved with this one is linked to it only after the first turn.
  await undefined;
  await undefined;
  traceCaller(error);
  throw error;
}
