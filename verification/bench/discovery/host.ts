// Hosts the embedded registry for run.ts, in its own process, so that its CPU time can be measured separately.
import { createRegistryService } from "@tercel/discovery/embedded";
import { createServer } from "@tercel/grpc";

const registry = createRegistryService({ leaseMs: 600_000 });
const server = createServer({ routes: registry.routes, maxConcurrentStreams: 10_000 });
const { port } = await server.listen({ port: 0 });
process.on("message", () => process.send?.({ usage: process.cpuUsage(), rssBytes: process.memoryUsage().rss }));
process.once("disconnect", () => process.exit());
process.send?.({ port });
