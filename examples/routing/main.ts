import { createClient } from "@connectrpc/connect";
import { createDiscoveryResolver } from "@tercel/discovery";
import { createStaticRegistry } from "@tercel/discovery/static";
import { createChannel, createServer } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";

// The health service, because it is included. Each instance sends its name in a header.
const { service } = createHealth();
const instances = await Promise.all(
  [
    { id: "v1 in a", version: "v1.9.0", metadata: { zone: "a" } },
    { id: "v2 in a", version: "v2.0.3", metadata: { zone: "a", tier: "gold" } },
    { id: "v2 in b", version: "v2.1.0", metadata: { zone: "b" } },
  ].map(async (instance) => {
    const server = createServer({
      routes: (router) =>
        router.service(service, {
          check(_request, context) {
            context.responseHeader.set("x-instance", instance.id);
            return { status: 1 };
          },
        }),
    });
    const { host, port } = await server.listen({ port: 0 });
    return { server, registration: { ...instance, id: instance.id.replaceAll(" ", "-"), address: host, port } };
  }),
);
const orders = instances.map(({ registration }) => registration);
const registry = createStaticRegistry({ services: { orders } });
const resolvers = [createDiscoveryResolver(registry)];

/** Returns the instances that serve twenty calls to the target; `prefer` as in the balancer's config. */
async function whoAnswers(target: string, prefer: Record<string, string> = {}, meanwhile?: () => Promise<void>) {
  const childPolicy = [{ round_robin: {} }];
  const channel = createChannel(target, {
    resolvers,
    waitForReady: true,
    defaultTimeoutMs: 5000,
    serviceConfig: { loadBalancingConfig: [{ tercel_attribute_filter: { prefer, childPolicy } }] },
  });
  const client = createClient(service, channel);
  const seen = new Set<string>();
  const ask = async (): Promise<void> => {
    await client.check({}, { onHeader: (header) => void seen.add(header.get("x-instance") ?? "") });
  };
  await ask();
  await meanwhile?.();
  for (let call = 0; call < 20; call++) await ask();
  await channel.close();
  return [...seen].sort().join(", ");
}

// The target says what must match. If no instance matches, calls fail.
console.log("version=v1:", await whoAnswers("discovery:///orders?version=v1"));
console.log("metadata.tier=gold:", await whoAnswers("discovery:///orders?metadata.tier=gold"));
// The balancer's config says what is preferred. Other instances are called while none of those can be reached.
console.log("v2, preferably in zone a:", await whoAnswers("discovery:///orders?version=v2", { zone: "a" }));
const stopV2InA = async (): Promise<void> => instances[1]?.server.close();
console.log("and when that is gone:", await whoAnswers("discovery:///orders?version=v2", { zone: "a" }, stopV2InA));

await registry.close();
await Promise.all(instances.map(({ server }) => server.close()));
