import { createClient } from "@connectrpc/connect";
import { createChannel, createServer } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";

// Two servers, called in turn. For brevity, the example calls the health service itself.
const [one, two] = [createHealth(), createHealth()];
const servers = [one, two].map((health) => createServer({ routes: (router) => health.routes(router) }));
const addresses = await Promise.all(servers.map((server) => server.listen({ port: 0 })));

const channel = createChannel(`static:///${addresses.map(({ host, port }) => `${host}:${port}`).join(",")}`, {
  defaultTimeoutMs: 5000,
  serviceConfig: {
    loadBalancingConfig: [{ round_robin: {} }],
    // The channel watches this service in the health service of each server; "" is the server as a whole.
    healthCheckConfig: { serviceName: "" },
  },
});
const client = createClient(one.service, channel);

/** The number of calls that each server gets of ten. */
async function tenCalls(): Promise<string> {
  const before = servers.map(({ calls }) => calls.started);
  for (let call = 0; call < 10; call++) await client.check({});
  return servers.map(({ calls }, at) => calls.started - (before[at] ?? 0)).join(" and ");
}

// The first connected server gets calls before the channel knows its health.
while ((await tenCalls()) !== "5 and 5");
console.log("both serve: 5 and 5");
one.setStatus("", "NOT_SERVING");
while ((await tenCalls()) !== "0 and 10");
console.log("the first does not: 0 and 10");
one.setStatus("", "SERVING");
while ((await tenCalls()) !== "5 and 5");
console.log("it serves again: 5 and 5");

await channel.close();
for (const health of [one, two]) health.shutdown();
await Promise.all(servers.map((server) => server.close()));
