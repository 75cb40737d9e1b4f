import { keepYoungSpaceSmall } from "../../lifecycle/young-space.ts";
import type { Definition, Needs } from "../definition/definition.ts";
import type { Routes } from "../definition/normalize-definition.ts";

/**
 * Runs a service as this program: reads its configuration, starts it, and stops it at SIGTERM or Ctrl-C; a second signal stops it at once. Then the
 * process exits with 0 after a clean stop, and with 1 after a stop with problems or a failed start.
 *
 * The program accepts `--config FILE` and `--set key=value`, and instead of serving `--check-config`, `--migrate`, and `--health`, which checks the
 * running service.
 */
export async function runService<N extends Needs = Record<never, never>, Settings = unknown>(
  given: Definition<N, Settings> | Routes,
): Promise<never> {
  keepYoungSpaceSmall();
  const { runServiceProgram } = await import("./service-program.ts");
  process.exit(await runServiceProgram(given, process.argv.slice(2)));
}
