import { keepYoungSpaceSmall } from "../../lifecycle/young-space.ts";
import type { Routes } from "../definition/normalize-definition.ts";
import type { AnyDefinition, ServiceToRun } from "./service-to-run.ts";

/**
 * Runs several services as this program, as `runService` runs one. Each has its own configuration folder. A `client` of one of them calls it in memory,
 * through all interceptors of both sides; a `client` of any other service uses discovery. The code is the same.
 *
 * They start in the order of their needs and stop in reverse. The program accepts `--check-config`, `--migrate` and `--health` for all of them.
 */
export async function runServices(services: readonly (ServiceToRun | AnyDefinition | Routes)[]): Promise<never> {
  keepYoungSpaceSmall();
  const { runServicesProgram } = await import("./services-program.ts");
  process.exit(await runServicesProgram(services, process.argv.slice(2)));
}
