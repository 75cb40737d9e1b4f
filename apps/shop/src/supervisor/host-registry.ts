import { createRegistryService } from "@tercel/discovery/embedded";
import { createServer } from "@tercel/grpc";
import type { Log } from "../log/json-log.ts";

/** The registry that the supervisor hosts for the services it runs. */
export interface HostedRegistry {
  /** Where it listens: on this machine only, as it asks nobody who they are. */
  readonly address: string;
  close(): Promise<void>;
}

export async function hostRegistry(log: Log): Promise<HostedRegistry> {
  const registry = createRegistryService({
    log: {
      debug() {},
      info() {},
      warn: (message, fields) => log.warn("registry", { message, ...textOf(fields) }),
      error: (message, fields) => log.error("registry", { message, ...textOf(fields) }),
    },
  });
  const server = createServer({ routes: registry.routes });
  const { host, port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return {
    address: `${host}:${port}`,
    async close() {
      registry.close();
      await server.close({ deadlineMs: 0 });
    },
  };
}

function textOf(fields: Readonly<Record<string, unknown>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
}
