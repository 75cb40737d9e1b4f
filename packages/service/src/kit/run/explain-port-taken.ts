import { type Listener, waysToSet } from "../../config/index.ts";

/** Explains the error of a port in use, with the ways to choose another one; returns other errors unchanged. */
export function explainPortTaken(error: unknown, listeners: readonly Listener[]): unknown {
  const taken = findPortTaken(error);
  if (taken === undefined) return error;
  const listener = listeners.find(({ port }) => port === taken.port);
  if (listener === undefined) return error;
  const { host = "every interface", port, key } = listener;
  return new Error(
    `port ${port} of ${host} is in use by another program; change ${key} in the file, or by ${waysToSet(key)}`,
    {
      cause: error,
    },
  );
}

/** Finds Node's error: `listen EADDRINUSE: address already in use 127.0.0.1:50051`. */
function findPortTaken(error: unknown): { readonly port: number } | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if ("code" in at && at.code === "EADDRINUSE" && "port" in at && typeof at.port === "number")
      return { port: at.port };
  }
  return undefined;
}
