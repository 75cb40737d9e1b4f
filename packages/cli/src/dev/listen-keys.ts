import type { ServiceConfig } from "@tercel/service/config";
import type { Place } from "./port-choice.ts";

type Served = ServiceConfig["listeners"][number]["serves"][number];

/** An address on which a service listens, with what it serves there and how another port is set. */
export interface ListenKey extends Place {
  readonly serves: readonly Served[];
  /** Returns the `--set` options of every key that determines the port. */
  settings(port: number): readonly string[];
}

/** Returns the addresses on which a service listens, by its configuration. */
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
      // Without its own port it uses that of the service or of gRPC, which is set already.
      return ownPort !== undefined && config.service.port !== undefined ? [`service.port=${port}`] : [];
    case "metrics": {
      const shownHost = host?.includes(":") ? `[${host}]` : (host ?? "");
      return [`${entryOf(config, "monitoring", "prometheus")}.endpoint=${shownHost}:${port}`];
    }
  }
}

/** Returns the key of a provider of a type: `monitoring.providers.prometheus`, whatever its name is. */
function entryOf({ concerns }: ServiceConfig<unknown>, concern: string, type: string): string {
  const name = concerns[concern]?.entries.find((entry) => entry.type === type)?.name ?? type;
  return `${concern}.providers.${name}`;
}
