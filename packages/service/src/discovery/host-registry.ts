import { createRegistryService } from "@tercel/discovery/embedded";
import { type Clock, createServer, type Log } from "@tercel/grpc";
import { parseHostAndPort } from "./parse-host-and-port.ts";

/** A registry that this process hosts for the machine. */
export interface HostedRegistry {
  close(): Promise<void>;
}

/** Hosts the embedded registry at its target. Rejects when it cannot listen there. */
export async function hostRegistry(
  target: string,
  { log, clock }: { readonly log: Log; readonly clock: Clock },
): Promise<HostedRegistry> {
  const { address, port } = parseHostAndPort(target);
  const hosted = createRegistryService({ log, clock });
  // Every process of the machine may register; other machines cannot reach it.
  const server = createServer({ routes: hosted.routes, log, clock, insecure: true });
  await server.listen({ host: address, port });
  return {
    async close() {
      hosted.close();
      await server.close({ deadlineMs: 0 });
    },
  };
}
