import type { Clock, Log } from "@tercel/grpc";
import { createHealth, type Health, type HealthCheck } from "@tercel/grpc/services";
import type { Registry } from "@tercel/interceptors/metrics";
import type { OpenProvider } from "../providers/open-provider.ts";

/** Health's name for a service without what it depends on: what other services ask, so that a missing leaf does not take down the mesh. */
export const selfService = "tercel.self";
/** Health's name for the process: for liveness probes. */
export const liveService = "tercel.live";

/** Something that a service depends on. */
export interface Dependency {
  /** Unique among the dependencies: `database postgresql`, `order-service v1`. */
  readonly name: string;
  readonly required: boolean;
  /** Rejects, saying why, while it cannot be used. */
  check(signal: AbortSignal): Promise<void>;
  /** Added to the reason when it is shown: how old it is, for example. */
  note?(): string;
}

export interface ServiceHealth {
  readonly health: Health;
  /** Says which services are served, once that is known: each is SERVING while what it requires is there. */
  serve(services: readonly string[]): void;
  /** Why the service is not ready, a line for each reason; none when it is. */
  reasons(): string[];
  /** What is missing although the service does without it. */
  warnings(): string[];
  /** Makes a change to what is required, and lets those know who follow the health. */
  applyChange(change: () => void): void;
}

/** The health of a service and of what it depends on. */
export function createServiceHealth(
  dependencies: readonly Dependency[],
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): ServiceHealth {
  /** Shared by the checks, which read it when they are asked for. */
  const served: string[] = [];
  const checks = dependencies.map((dependency): HealthCheck => {
    const { name, check } = dependency;
    return {
      name,
      // Looked at each time: a configuration that is reloaded may change it.
      get required() {
        return dependency.required;
      },
      // Those names only, so that what stands for the process alone does not depend on anything.
      services: served,
      check,
    };
  });
  const health = createHealth({ checks, log, clock });
  for (const name of [selfService, liveService]) health.setStatus(name, "SERVING");
  const missing = (isRequired: boolean): string[] =>
    health.dependencies().flatMap(({ required, state, problem }, at) => {
      const dependency = dependencies[at];
      if (required !== isRequired || state === "present" || dependency === undefined) return [];
      return [reasonOf(dependency, problem)];
    });
  return {
    health,
    serve(services) {
      served.push(...services);
      for (const name of services) health.setStatus(name, "SERVING");
    },
    reasons() {
      const lines = missing(true);
      return lines.length === 0 && health.status("") !== "SERVING" ? ["the service is stopping"] : lines;
    },
    warnings: () => missing(false),
    applyChange(change) {
      const names = ["", ...served];
      const serving = new Set(names.filter((name) => health.status(name) === "SERVING"));
      change();
      for (const name of names) {
        // What serves before or after the change has not been set to anything else, so that setting it only reports it.
        if (serving.has(name) || health.status(name) === "SERVING") health.setStatus(name, "SERVING");
      }
    },
  };
}

/** Problems of providers begin with where they are already. */
function reasonOf({ name, note }: Dependency, problem: string | undefined): string {
  if (problem === undefined) return `${name}: not checked yet`;
  return `${problem.startsWith(name) ? problem : `${name}: ${problem}`}${note?.() ?? ""}`;
}

/** A cache that is away makes a service slower, and what a registry has said stays in use. Everything else is required. */
const optionalConcerns: readonly string[] = ["cache", "discovery"];

/** A provider as a dependency, whose gauge `tercel_provider_up` follows each check. */
export function providerDependency({ entry, opened }: OpenProvider, metrics: Registry): Dependency {
  const up = metrics
    .gauge("tercel_provider_up", {
      help: "1 while a provider can be used.",
      labels: ["concern", "name"],
      across: "min",
    })
    .with(entry.concern, entry.name);
  up.set(1);
  return {
    name: opened.describe,
    required: !optionalConcerns.includes(entry.concern),
    async check(signal) {
      try {
        await opened.check(signal);
        up.set(1);
      } catch (error) {
        up.set(0);
        throw error;
      }
    },
  };
}
