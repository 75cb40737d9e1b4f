import { thrownMessage } from "@tercel/grpc/internal";
import { runLifecycle } from "../../lifecycle/lifecycle.ts";
import type { LifecycleOptions } from "../../lifecycle/lifecycle-options.ts";
import { letYoungSpaceGrow } from "../../lifecycle/young-space.ts";
import type { Needs } from "../definition/definition.ts";
import { type LoadedDefinition, loadDefinition } from "../definition/load-definition.ts";
import { normalizeDefinition, type Routes } from "../definition/normalize-definition.ts";
import { createNeighbours } from "../dependencies/neighbours.ts";
import { orderByNeeds } from "../dependencies/order-by-needs.ts";
import { askRunningService } from "./ask-running-service.ts";
import { assembleService } from "./assemble-service.ts";
import { type ProgramArguments, parseProgramArguments } from "./program-arguments.ts";
import { realSurroundings } from "./real-surroundings.ts";
import { migrate, reportConfig } from "./service-program.ts";
import type { AnyDefinition, ServiceToRun } from "./service-to-run.ts";
import { lifecycleOptionsOf } from "./start-loaded.ts";
import type { Surroundings } from "./surroundings.ts";

type Loaded = LoadedDefinition<Needs, unknown>;

/** Runs the task of a program with several services, as its arguments say. Resolves to the exit code. */
export async function runServicesProgram(
  services: readonly (ServiceToRun | AnyDefinition | Routes)[],
  args: readonly string[],
): Promise<number> {
  try {
    const { task, file, set } = parseProgramArguments(args);
    if (file !== undefined || set.length > 0) {
      throw new TypeError(
        "--config and --set need a program with one service; set keys in the config.yaml of each service, or by variables",
      );
    }
    if (services.length === 0) throw new TypeError("runServices: empty list of services");
    const loaded: Loaded[] = [];
    for (const one of services) loaded.push(await load(toServiceToRun(one)));
    return await runTask(task, loaded);
  } catch (error) {
    process.stderr.write(`${thrownMessage(error)}\n`);
    return 1;
  }
}

function toServiceToRun(one: ServiceToRun | AnyDefinition | Routes): ServiceToRun {
  return typeof one !== "function" && "definition" in one ? one : { definition: one };
}

function load({ definition, config, ...sources }: ServiceToRun): Promise<Loaded> {
  return loadDefinition(normalizeDefinition(definition), { ...sources, ...(config && { values: config }) });
}

async function runTask(task: ProgramArguments["task"], services: readonly Loaded[]): Promise<number> {
  switch (task) {
    case "check-config":
      for (const one of services) reportConfig(one, `the configuration of ${one.config.service.name}`);
      return 0;
    case "migrate":
      for (const one of services) await migrate(one);
      return 0;
    case "health":
      return reportHealth(services);
    case "serve":
      return serve(services);
  }
}

/** Prints the health of each service. Resolves to the worst exit code. */
async function reportHealth(services: readonly Loaded[]): Promise<number> {
  const problems = await Promise.all(services.map(({ config }) => askRunningService(config)));
  for (const [at, problem] of problems.entries()) {
    process.stdout.write(`${services[at]?.config.service.name}: ${problem ?? "SERVING"}\n`);
  }
  return problems.every((problem) => problem === undefined) ? 0 : 1;
}

async function serve(services: readonly Loaded[]): Promise<number> {
  for (const { config } of services) {
    if (config.service.workers === 1) continue;
    throw new Error(
      `service.workers of ${config.service.name} is ${config.service.workers}; several services in one program need one process: set it to 1, or run the service separately`,
    );
  }
  const neighbours = createNeighbours(services.map(({ config }) => config.service));
  const ordered = orderByNeeds(
    services.map((loaded) => ({ loaded, name: loaded.config.service.name, needs: loaded.definition.needs ?? {} })),
  );
  const parts: { readonly loaded: Loaded; readonly surroundings: Surroundings }[] = [];
  for (const { loaded } of ordered) {
    parts.push({ loaded, surroundings: { ...(await realSurroundings(loaded.config)), neighbours } });
  }
  const { exitCode } = await runLifecycle(async (life) => {
    for (const { loaded, surroundings } of parts) await assembleService(life, loaded, surroundings);
    letYoungSpaceGrow();
  }, lifecycleOptionsOfAll(parts));
  return exitCode;
}

/** Returns the longest of their times, and the log of the first. */
function lifecycleOptionsOfAll(
  parts: readonly { readonly loaded: Loaded; readonly surroundings: Surroundings }[],
): LifecycleOptions {
  const all = parts.map(({ loaded, surroundings }) => lifecycleOptionsOf(loaded.config, surroundings));
  const longest = (key: "propagationMs" | "drainMs" | "stopTimeoutMs"): number =>
    Math.max(...all.map((options) => options[key] ?? 0));
  return {
    ...all[0],
    propagationMs: longest("propagationMs"),
    drainMs: longest("drainMs"),
    stopTimeoutMs: longest("stopTimeoutMs"),
  };
}
