import type { Database } from "../database/database.ts";
import type { Need } from "../provider.ts";
import type { EventBroker } from "./broker/event-broker.ts";
import type { Events } from "./events.ts";

/**
 * Declares a need to publish and handle events. If the service has a database, it contains the outbox and the inbox.
 *
 * @param provider name of the entry in the configuration. Default: the default entry
 */
export function events(provider?: string): Need<Events, EventBroker> {
  return {
    concern: "events",
    ...(provider !== undefined && { provider }),
    async prepare(broker, host) {
      const { createEvents } = await import("./events.ts");
      const database = host.portOf("database") as Database | undefined;
      const { clock, log, metrics, signal } = host;
      const running = createEvents({
        broker,
        clock,
        log,
        metrics,
        signal,
        ...(database !== undefined && { database }),
      });
      return {
        port: running.events,
        begin: () => running.begin(),
        pause: () => running.pause(),
        end: () => running.end(),
      };
    },
  };
}
