import type { Clock, Log } from "@tercel/grpc";
import { createHealth, type Health, type HealthCheck } from "@tercel/grpc/services";
import type { Registry } from "@tercel/interceptors/metrics";
import type { OpenProvider } from "../providers/open-provider.ts";

/** Health service without dependencies, which other services check, so that an unavailable leaf does not take down the mesh. */
export const selfService = "tercel.self";
/** Health service of the process, for liveness probes. */
export const liveService = "tercel.live";

/** A dependency of a service. */
export interface Dependency {
  /** Unique among the dependencies: `database postgresql`, `order-service v1`. */
  readonly name: string;
  readonly required: boolean;
  /** Rejects with the reason while it is unavailable. */
  check(signal: AbortSignal): Promise<void>;
  /** Returns a suffix for the shown reason, such as its age. */
  note?(): string;
}

export interface ServiceHealth {
  readonly health: Health;
  /** Sets the served services: each is SERVING while its required dependencies are available. */
  serve(services: readonly string[]): void;
  /** Returns the reasons why the service is not ready; none if it is. */
  reasons(): string[];
  /** Returns unavailable optional dependencies. */
  warnings(): string[];
  /** Applies a change of required dependencies and notifies watchers of the health. */
  applyChange(change: () => void): void;
}

/** Creates the health of a service and its dependencies. */
export function createServiceHealth(
  dependencies: readonly Dependency[],
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): ServiceHealth {
  /** The served services, which the checks read on each run. */
  const served: string[] = [];
  const checks = dependencies.map((dependency): HealthCheck => {
    const { name, check } = dependency;
    return {
      name,
      // Evaluated each time, because a reload may change it.
      get required() {
        return dependency.required;
      },
      // Only these names, so that the health of the process alone has no dependencies.
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
      return lines.length === 0 && health.status("") !== "SERVING" ? ["service is stopping"] : lines;
    },
    warnings: () => missing(false),
    applyChange(change) {
      const names = ["", ...served];
      const serving = new Set(names.filter((name) => health.status(name) === "SERVING"));
      change();
      for (const name of names) {
        // Setting an unchanged status only notifies watchers.
        if (serving.has(name) || health.status(name) === "SERVING") health.setStatus(name, "SERVING");
      }
    },
  };
}

/** Formats a reason; problems of providers already begin with the name. */
function reasonOf({ name, note }: Dependency, problem: string | undefined): string {
  if (problem === undefined) return `${name}: not checked yet`;
  return `${problem.startsWith(name) ? problem : `${name}: ${problem}`}${note?.() ?? ""}`;
}

/** Concerns that are optional: without a cache a service is only slower, and registry results stay in use. */
const optionalConcerns: readonly string[] = ["cache", "discovery"];

/** Creates the dependency on a provider; the gauge `tercel_provider_up` reflects each check. */
export function providerDependency({ entry, opened }: OpenProvider, metrics: Registry): Dependency {
  const up = metrics
    .gauge("tercel_provider_up", {
      help: "1 while a provider is available.",
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
