import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createChannel, createServer } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";

const health = createHealth();
const start = async (port: number) => {
  const server = createServer({ routes: (router) => health.routes(router) });
  const listening = await server.listen({ port });
  return { server, port: listening.port };
};

// A port without a listener yet.
const { server: first, port } = await start(0);
await first.close();

const impatient = createChannel(`127.0.0.1:${port}`, { defaultTimeoutMs: 10_000 });
const refused = await createClient(health.service, impatient).check({}).catch(ConnectError.from);
console.log("without waiting:", refused instanceof ConnectError ? Code[refused.code] : "answered");

// `waitForReady` for all calls of a channel. The service config can set it by method, and context values for a single call.
const patient = createChannel(`127.0.0.1:${port}`, { waitForReady: true, defaultTimeoutMs: 10_000 });
const client = createClient(health.service, patient);
const waiting = client.check({});
const { server: second } = await start(port);
console.log("a call from before the server's start: status", (await waiting).status);

// The connection is lost. The channel reconnects when the next call starts.
await second.close();
const { server: third } = await start(port);
console.log("a call after its restart: status", (await client.check({})).status);
console.log("the channel is", patient.state);

await Promise.all([impatient.close(), patient.close()]);
await third.close();
