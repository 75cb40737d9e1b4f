import { type Clock, createServer, type Log } from "@tercel/grpc";
import { PermanentError } from "../../permanent-error.ts";
import type { EventBroker } from "../broker/event-broker.ts";
import { createHubRoutes } from "./hub-service.ts";

/** Where a hub is served. */
export interface HubAddress {
  readonly host: string;
  readonly port: number;
}

const loopback = /^(?:127\.\d+\.\d+\.\d+|::1|localhost)$/;

/**
 * Serves a hub to other processes of the machine. It has no access rules, so it does not listen to others unless `isInsecure` says so.
 *
 * @throws PermanentError for an address that other machines reach
 */
export async function hostHub(
  hub: EventBroker,
  { host, port }: HubAddress,
  { isInsecure, log, clock }: { readonly isInsecure: boolean; readonly log: Log; readonly clock: Clock },
): Promise<{ readonly port: number; close(): Promise<void> }> {
  if (!isInsecure && !loopback.test(host)) {
    throw new PermanentError(
      `the event hub would be open to other machines at ${host}:${port}; set insecure: true if the network is trusted, or use NATS`,
    );
  }
  const server = createServer({
    routes: createHubRoutes(hub),
    log,
    clock,
    insecure: true,
    // Members find out soon that the hub hangs, and the hub that a member does.
    keepalive: { timeMs: 15_000, timeoutMs: 10_000 },
    keepaliveEnforcement: { minTimeMs: 5000 },
  });
  const { port: bound } = await server.listen({ host, port });
  return { port: bound, close: () => server.close({ deadlineMs: 0 }) };
}
