import type { Definition, Needs } from "../definition/definition.ts";
import type { Routes } from "../definition/normalize-definition.ts";
import type { RunningService, StartOptions } from "./running-service.ts";

/**
 * Starts a service in this process without handling signals and exit codes, for programs that do more than serve, and for tests with real sockets.
 *
 * Rejects with a ConfigError that lists every problem of the configuration, or with the failure of the start, after everything is closed again.
 */
export async function startService<N extends Needs = Record<never, never>, Settings = unknown>(
  given: Definition<N, Settings> | Routes,
  options: StartOptions = {},
): Promise<RunningService> {
  const { startDefinition } = await import("./start-loaded.ts");
  return startDefinition(given, options);
}
