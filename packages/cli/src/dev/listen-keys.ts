import type { ServiceConfig } from "@tercel/service/config";
import type { Place } from "./port-choice.ts";

type Served = ServiceConfig["listeners"][number]["serves"][number];

/** A place where a service listens, with what it answers there and how another port is set. */
export interface ListenKey extends Place {
  readonly serves: readonly Served[];
  /** `--set` of every key that decides about the port. */
  settings(port: number): readonly string[];
}

/** Where a service listens, by its configuration. */
export function listenKeys(config: ServiceConfig<unknown>): readonly ListenKey[] {
  return config.listeners.map(({ host, port, serves }) => ({
    ...(host !== undefined && { host }),
    port,
    serves,
    settings: (other) => serves.flatMap((served) => settingsOf(served, { host, port: other }, config)),
  }));
}

function settingsOf(
  served: Served,
  { host, port }: { readonly host: string | undefined; readonly port: number },
  config: ServiceConfig<unknown>,
): readonly string[] {
  const ownPort = config.grpc?.port;
  switch (served) {
    case "grpc":
      return [
        ownPort === undefined ? `service.port=${port}` : `${entryOf(config, "communication", "grpc")}.port=${port}`,
      ];
    case "http":
      if (config.http?.port !== undefined) return [`${entryOf(config, "communication", "http")}.port=${port}`];
      // Without a port of its own it has that of the service, or gRPC's, which is set already.
      return ownPort !== undefined && config.service.port !== undefined ? [`service.port=${port}`] : [];
    case "metrics": {
      const shownHost = host?.includes(":") ? `[${host}]` : (host ?? "");
      return [`${entryOf(config, "monitoring", "prometheus")}.endpoint=${shownHost}:${port}`];
    }
  }
}

/** `monitoring.providers.prometheus`, under whatever name the entry has. */
function entryOf({ concerns }: ServiceConfig<unknown>, concern: string, type: string): string {
  const name = concerns[concern]?.entries.find((entry) => entry.type === type)?.name ?? type;
  return `${concern}.providers.${name}`;
}
