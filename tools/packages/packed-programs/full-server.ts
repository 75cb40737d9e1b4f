// A server with every feature that needs no other program, and a call to it. The test bundles it into one file.
import { randomBytes } from "node:crypto";
import { createServiceChannels } from "@tercel/discovery";
import { createEmbeddedRegistry, createRegistryService } from "@tercel/discovery/embedded";
import { createServer } from "@tercel/grpc";
import { createChannelz, createHealth, createLoadReporting, createReflection } from "@tercel/grpc/services";
import { createAuth } from "@tercel/interceptors/auth";
import { createServerDeadline } from "@tercel/interceptors/deadline";
import { createLog, createServerLogging } from "@tercel/interceptors/logging";
import { createRegistry, createServerMetrics } from "@tercel/interceptors/metrics";
import { createServerOtelMetrics } from "@tercel/interceptors/otel-metrics";
import { createRateLimit } from "@tercel/interceptors/rate-limit";
import { createRecovery } from "@tercel/interceptors/recovery";
import { createServerRequestId } from "@tercel/interceptors/request-id";
import { createServerTracing } from "@tercel/interceptors/tracing";
import { createValidation } from "@tercel/interceptors/validation";

const log = createLog({ service: "full", destination: { write: () => {} } });
const health = createHealth();
const load = createLoadReporting();
const server = createServer({
  log,
  interceptors: [
    createServerRequestId(),
    createServerTracing(),
    createServerMetrics({ registry: createRegistry() }),
    createServerOtelMetrics(),
    createServerLogging({ log }),
    createRecovery({ log }),
    createServerDeadline(),
    createRateLimit({ limit: { requests: 100, per: "minute" } }),
    createAuth({
      services: [health.service],
      keys: [{ id: "1", algorithm: "HS256", secret: randomBytes(32) }],
      issuer: "https://login.example.com",
      audience: "full",
    }),
    createValidation({ services: [health.service] }),
    load.interceptor,
  ],
  routes(router) {
    health.routes(router);
    load.routes(router);
    createReflection({ services: [health.service] }).routes(router);
  },
});
const channelz = createServer({ routes: createChannelz([server]).routes });
await channelz.listen({ port: 0 });
const { port } = await server.listen({ port: 0 });

const hosted = createRegistryService();
const registryServer = createServer({ routes: hosted.routes });
const { port: registryPort } = await registryServer.listen({ port: 0 });
const registry = createEmbeddedRegistry({ target: `127.0.0.1:${registryPort}` });
await registry.register({ name: "full", version: "v1.0.0", address: "127.0.0.1", port });
const channels = createServiceChannels({ registry, channel: { defaultTimeoutMs: 5000 } });
const { status } = await channels.client(health.service, "full").check({});
console.log(`status ${status}`);

await channels.close();
await registry.close();
for (const one of [server, channelz, registryServer]) await one.close();
hosted.close();
