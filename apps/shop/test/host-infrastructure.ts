import { join } from "node:path";
import { createRegistryService } from "@tercel/discovery/embedded";
import { createServer, type Log, systemClock } from "@tercel/grpc";
import { EventHub, EventLog, hostHub } from "@tercel/service/events";

/** The servers that services need if nothing is installed. */
export interface HostedInfrastructure {
  /** The address of the registry. */
  readonly registry: string;
  /** The address of the event hub. Its log is in the data folder. */
  readonly hub: string;
  close(): Promise<void>;
}

/** Hosts a registry and an event hub for the processes of this machine. 0 chooses free ports. */
export async function hostInfrastructure(
  dataFolder: string,
  log: Log,
  ports: { readonly registry: number; readonly hub: number } = { registry: 0, hub: 0 },
): Promise<HostedInfrastructure> {
  const clock = systemClock;
  const host = "127.0.0.1";
  const registry = createRegistryService({ log, clock });
  const server = createServer({ routes: registry.routes, log, clock });
  const { port } = await server.listen({ host, port: ports.registry });
  const eventLog = await EventLog.open({ path: join(dataFolder, "events.db") }, clock);
  const hub = new EventHub(eventLog, { log, clock, description: "event hub" });
  const hosted = await hostHub(hub, { host, port: ports.hub }, { isInsecure: false, log, clock });
  return {
    registry: `${host}:${port}`,
    hub: `${host}:${hosted.port}`,
    async close() {
      registry.close();
      await Promise.all([server.close({ deadlineMs: 0 }), hosted.close()]);
      await hub.close();
    },
  };
}
