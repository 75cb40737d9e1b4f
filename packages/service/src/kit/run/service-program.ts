import { setImmediate as nextTurn } from "node:timers/promises";
import { thrownMessage } from "@tercel/grpc/internal";
import { createRegistry, shareMetrics } from "@tercel/interceptors/metrics";
import { onStopSignals } from "../../lifecycle/stop-signals.ts";
import { letYoungSpaceGrow } from "../../lifecycle/young-space.ts";
import { runWorkers } from "../../workers/run-workers.ts";
import type { Definition, Needs } from "../definition/definition.ts";
import { type LoadedDefinition, loadDefinition } from "../definition/load-definition.ts";
import { normalizeDefinition, type Routes } from "../definition/normalize-definition.ts";
import { migrateDatabases } from "../providers/migrate-databases.ts";
import { shareMadeUpSecret } from "../run-config/service-secret.ts";
import { askRunningService } from "./ask-running-service.ts";
import { assembleService } from "./assemble-service.ts";
import { type ProgramArguments, parseProgramArguments } from "./program-arguments.ts";
import { realSurroundings } from "./real-surroundings.ts";
import { lifecycleOptionsOf } from "./start-loaded.ts";

/** Runs the task of a service's program, as its arguments say. Resolves to the exit code. */
export async function runServiceProgram<N extends Needs, Settings>(
  given: Definition<N, Settings> | Routes,
  args: readonly string[],
): Promise<number> {
  try {
    const { task, file, set } = parseProgramArguments(args);
    const loaded = await loadDefinition(normalizeDefinition(given), { set, ...(file !== undefined && { file }) });
    return await runTask(task, loaded);
  } catch (error) {
    // Printed to standard error, because the log may not be configured yet.
    process.stderr.write(`${thrownMessage(error)}\n`);
    return 1;
  }
}

function runTask<N extends Needs, Settings>(
  task: ProgramArguments["task"],
  loaded: LoadedDefinition<N, Settings>,
): Promise<number> {
  switch (task) {
    case "check-config":
      reportConfig(loaded);
      return Promise.resolve(0);
    case "migrate":
      return migrate(loaded);
    case "health":
      return reportHealth(loaded);
    case "serve":
      return serve(loaded);
  }
}

async function serve<N extends Needs, Settings>(loaded: LoadedDefinition<N, Settings>): Promise<number> {
  const { workers } = loaded.config.service;
  if (workers > 1) shareMadeUpSecret(loaded.config);
  // Each worker has its own server, and any of them can respond.
  const metrics = createRegistry();
  const shared = shareMetrics(metrics);
  const surroundings = await realSurroundings(loaded.config, metrics, workers > 1 ? shared : metrics);
  const { exitCode } = await runWorkers(
    async (life) => {
      await assembleService(life, loaded, surroundings);
      letYoungSpaceGrow();
    },
    { ...lifecycleOptionsOf(loaded.config, surroundings), workers, shared: [shared] },
  );
  return exitCode;
}

/** Prints the result of `--check-config`: a loaded configuration is valid. */
export function reportConfig<N extends Needs, Settings>(
  { loaded }: LoadedDefinition<N, Settings>,
  what = "the configuration",
): void {
  for (const warning of loaded.warnings) process.stderr.write(`${warning}\n`);
  process.stdout.write(`${what} is valid (environment ${loaded.environment.name})\n`);
}

/** Runs `--migrate`. Resolves to the exit code; rejects with the failure. */
export async function migrate<N extends Needs, Settings>(loaded: LoadedDefinition<N, Settings>): Promise<number> {
  const stopping = new AbortController();
  const stopListening = onStopSignals({ stop: (signal) => stopping.abort(new Error(`stopped by ${signal}`)) });
  try {
    const { definition, config } = loaded;
    const databases = await migrateDatabases(definition, config, await realSurroundings(config), stopping.signal);
    // Log lines are written at the end of this turn.
    await nextTurn();
    process.stdout.write(`migrated ${databases} ${databases === 1 ? "database" : "databases"}\n`);
    return 0;
  } finally {
    stopListening();
  }
}

async function reportHealth<N extends Needs, Settings>({ config }: LoadedDefinition<N, Settings>): Promise<number> {
  const problem = await askRunningService(config);
  process.stdout.write(`${problem ?? "SERVING"}\n`);
  return problem === undefined ? 0 : 1;
}
