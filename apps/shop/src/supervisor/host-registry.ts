import { createRegistryService } from "@tercel/discovery/embedded";
import { createServer } from "@tercel/grpc";
import { toFrameworkLog } from "../log/framework-log.ts";
import type { Log } from "../log/json-log.ts";

/** The registry that the supervisor hosts for the services it runs. */
export interface HostedRegistry {
  /** Where it listens: on this machine only, as it asks no one who they are. */
  readonly address: string;
  close(): Promise<void>;
}

export async function hostRegistry(log: Log): Promise<HostedRegistry> {
  const { debug, warn, error } = toFrameworkLog(log, "registry");
  // Who comes and goes, the services say themselves.
  const registry = createRegistryService({ log: { debug, info() {}, warn, error } });
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
