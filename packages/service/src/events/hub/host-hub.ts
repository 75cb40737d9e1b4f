import { type Clock, createServer, type Log } from "@tercel/grpc";
import { PermanentError } from "../../permanent-error.ts";
import type { EventBroker } from "../broker/event-broker.ts";
import { createHubRoutes } from "./hub-service.ts";

/** The address of a hub. */
export interface HubAddress {
  readonly host: string;
  readonly port: number;
}

const loopback = /^(?:127\.\d+\.\d+\.\d+|::1|localhost)$/;

/**
 * Serves a hub to other processes of the machine. It has no access control, so it is reachable from other machines only with `isInsecure`.
 *
 * @throws PermanentError for an address that other machines can reach
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
    // Detects a hanging hub or member quickly.
    keepalive: { timeMs: 15_000, timeoutMs: 10_000 },
    keepaliveEnforcement: { minTimeMs: 5000 },
  });
  const { port: bound } = await server.listen({ host, port });
  return { port: bound, close: () => server.close({ deadlineMs: 0 }) };
}
